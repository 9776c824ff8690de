//! What this host says of LNet without asking it: module parameters, files, who uses it.

use crate::sample::{Reading, Text};
use serde::{Deserialize, Serialize};

/// Everything that needs no `lnetctl`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LnetLocal {
    /// `/sys/module/MODULE/parameters/*`.
    pub parameters: Vec<LnetParameter>,
    /// Files that configure LNet at boot.
    pub files: Vec<LnetFile>,
    /// Modules of LNet and Lustre that are loaded, with who uses them.
    pub modules: Vec<LoadedModule>,
    /// Mounted file systems of type `lustre` and `lustre_tgt`, from `/proc/mounts`.
    pub mounts: Vec<LustreMount>,
    /// `lnet.service` is enabled: a link to it in a `.wants` directory of `/etc/systemd/system`.
    /// `None` where that cannot be told.
    pub service_enabled: Option<bool>,
}

/// One module parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LnetParameter {
    /// `lnet`, `ksocklnd`, `ko2iblnd`.
    pub module: Text,
    /// Its name.
    pub name: Text,
    /// Its value, as printed, without the newline at the end.
    pub value: Reading<Text>,
}

/// A file that configures LNet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LnetFile {
    /// Its path on the node: `/etc/lnet.conf`, `/etc/modprobe.d/lustre.conf`, …
    pub path: Text,
    /// Its lines, or why it could not be read. Of modprobe files only `options`, `install` and
    /// `alias` lines of LNet's modules, continued lines joined.
    pub lines: Reading<Vec<Text>>,
}

/// One line of `/proc/modules`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadedModule {
    /// Name.
    pub name: Text,
    /// Reference count.
    pub references: u32,
    /// Modules that use it.
    pub used_by: Vec<Text>,
}

/// A mounted Lustre target or client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LustreMount {
    /// Device or `NID:/fsname`.
    pub source: Text,
    /// Mount point.
    pub target: Text,
    /// `lustre` (a client, on old versions a target too) or `lustre_tgt`.
    pub kind: Text,
}

impl LnetLocal {
    /// A parameter's value as printed, if it could be read.
    pub fn parameter(&self, module: &str, name: &str) -> Option<&str> {
        let found = |p: &&LnetParameter| &*p.module == module && &*p.name == name;
        let one = self.parameters.iter().find(found)?;
        one.value.as_ref().ok().map(Text::as_str)
    }

    /// A loaded module.
    pub fn module(&self, name: &str) -> Option<&LoadedModule> {
        self.modules.iter().find(|m| &*m.name == name)
    }
}
