//! What says on this node that LNet should run.

use super::next::{LNET_CONF, names_nets};
use crate::sample::{LnetLocal, Text};

/// Everything on the node that speaks of LNet's nets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// `lnet.service` is enabled.
    pub service: bool,
    /// The lines of `/etc/lnet.conf` that name sections with nets: `net:`, `ip2nets:`.
    pub lnet_conf: Vec<Text>,
    /// Lines of modprobe.d that name nets.
    pub modprobe: Vec<Text>,
    /// Parameters of the loaded module that name nets.
    pub parameters: Vec<Text>,
}

impl Wanted {
    /// As far as it was read.
    pub fn of(local: &LnetLocal) -> Self {
        let mut wanted =
            Self { service: local.service_enabled == Some(true), ..Self::default() };
        for file in &local.files {
            for line in file.lines.iter().flatten() {
                let text = line.trim_end();
                if &*file.path == LNET_CONF {
                    if matches!(text, "net:" | "ip2nets:") {
                        wanted.lnet_conf.push(format!("{}: {text}", file.path).into());
                    }
                } else if names_nets(text) {
                    wanted.modprobe.push(format!("{}: {text}", file.path).into());
                }
            }
        }
        for name in ["networks", "ip2nets"] {
            if let Some(value) = set(local, name) {
                let path = format!("/sys/module/lnet/parameters/{name}: {value}");
                wanted.parameters.push(path.into());
            }
        }
        wanted
    }

    /// Something starts LNet at boot by itself.
    pub fn at_boot(&self) -> bool {
        self.service
    }

    /// Everything, a line each.
    pub fn lines(&self) -> Vec<Text> {
        let service = self.service.then(|| Text::new("lnet.service: enabled"));
        let files = self.lnet_conf.iter().chain(&self.modprobe).chain(&self.parameters);
        service.into_iter().chain(files.cloned()).collect()
    }
}

/// A parameter of the loaded module that has a value.
pub(crate) fn set<'a>(local: &'a LnetLocal, name: &str) -> Option<&'a str> {
    let value = local.parameter("lnet", name)?.trim();
    // How the kernel prints a string parameter that nobody set.
    (!value.is_empty() && value != "(null)").then_some(value)
}
