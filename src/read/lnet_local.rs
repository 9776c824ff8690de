//! What this host says of LNet without asking it: parameters of its modules, the files that
//! configure it at boot, who uses it. None of it needs a privilege.
//!
//! Files of `/etc` are read again when their times change, everything at least every 30 s.

mod modprobe;
mod system;

pub use modprobe::{DIRECTORIES as MODPROBE, is_of_lnet};
pub use system::lustre_mounts;

use crate::read::manager::text;
use crate::read::root::Root;
use crate::read::sysfs::fault::Fault;
use crate::sample::{LnetFile, LnetLocal, LnetParameter, Mono, Text, Unknown, Why};
use rustix::io::Errno;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Everything is read anew this often.
const PERIOD: Duration = Duration::from_secs(30);
/// The modules whose parameters matter; `in_kernel_ko2iblnd` is ko2iblnd of a build beside an
/// external OFED.
const MODULES: [&str; 6] =
    ["lnet", "ksocklnd", "ko2iblnd", "in_kernel_ko2iblnd", "kfilnd", "kgnilnd"];
/// No module has so many.
const MOST_PARAMETERS: usize = 256;
/// What `lnetctl import` reads at boot.
const LNET_CONF: &str = "etc/lnet.conf";
/// Where links that enable services are.
const SYSTEMD: &str = "etc/systemd/system";

/// Where the parts of a node's tree are: a capture may have them in different directories.
#[derive(Clone, Debug)]
pub struct Roots {
    /// Above `sys`.
    pub sys: Root,
    /// Above `proc`.
    pub proc: Root,
    /// Above `etc`, `run`, `usr`, `lib`.
    pub etc: Root,
}

/// Reads it again and again.
#[derive(Debug)]
pub struct LocalReader {
    roots: Roots,
    local: Arc<LnetLocal>,
    read: Option<(Mono, Stamp)>,
}

/// What tells whether to read anew: which modules are there, and the times of files and
/// directories.
#[derive(Clone, Debug, PartialEq)]
struct Stamp {
    modules: Vec<bool>,
    times: Vec<Option<SystemTime>>,
}

impl LocalReader {
    /// A reader of the node at `root`.
    pub fn new(root: &Root) -> Self {
        let roots = Roots { sys: root.clone(), proc: root.clone(), etc: root.clone() };
        Self { roots, local: Arc::default(), read: None }
    }

    /// What is so now; the same `Arc` as before if nothing changed.
    pub fn pass(&mut self, now: Mono) -> Arc<LnetLocal> {
        let stamp = self.stamp();
        let fresh =
            self.read.as_ref().is_some_and(|(at, old)| now.since(*at) < PERIOD && *old == stamp);
        if !fresh {
            self.read = Some((now, stamp));
            let local = read(&self.roots);
            if local != *self.local {
                self.local = Arc::new(local);
            }
        }
        Arc::clone(&self.local)
    }

    fn stamp(&self) -> Stamp {
        let module = |name: &&str| self.roots.sys.join("sys/module").join(name).is_dir();
        let time = |path: &str| {
            let meta = std::fs::metadata(self.roots.etc.join(path)).ok()?;
            meta.modified().ok()
        };
        let dirs = modprobe::DIRECTORIES.iter().copied();
        Stamp {
            modules: MODULES.iter().map(module).collect(),
            times: dirs.chain([LNET_CONF, SYSTEMD]).map(time).collect(),
        }
    }
}

/// All of it, now.
pub fn read(roots: &Roots) -> LnetLocal {
    LnetLocal {
        parameters: MODULES.iter().flat_map(|module| parameters(&roots.sys, module)).collect(),
        files: files(&roots.etc),
        modules: system::modules(&roots.proc),
        mounts: system::mounts(&roots.proc),
        service_enabled: service_enabled(&roots.etc),
    }
}

/// `/sys/module/MODULE/parameters/*`. Their texts are what the module was loaded with, or was told
/// since; `lnetctl net add` does not change `networks`.
fn parameters(root: &Root, module: &str) -> Vec<LnetParameter> {
    let dir = format!("sys/module/{module}/parameters");
    let Ok(entries) = std::fs::read_dir(root.join(&dir)) else { return Vec::new() };
    let mut names: Vec<String> = entries
        .take(MOST_PARAMETERS)
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        // Why a capture has no such file.
        .filter(|name| name.strip_suffix(".error").is_none())
        .collect();
    names.sort();
    names
        .iter()
        .filter_map(|name| {
            let path = format!("{dir}/{name}");
            let value = match text(root, &path) {
                Ok(Some((value, true))) => Ok(Text::new(value.trim_end_matches(['\n', '\0']))),
                Ok(Some((_, false))) => Err(too_long(&path)),
                Ok(None) => return None,
                Err(errno) => Err(unknown(errno, &path)),
            };
            Some(LnetParameter { module: Text::new(module), name: Text::new(name), value })
        })
        .collect()
}

/// The files that configure LNet at boot: lnet.conf, then those of modprobe in the order in which
/// modprobe reads them.
fn files(root: &Root) -> Vec<LnetFile> {
    if !root.join("etc").is_dir() {
        return Vec::new();
    }
    let lines = match text(root, LNET_CONF) {
        Ok(Some((text, true))) => Ok(text.lines().map(Text::new).collect()),
        Ok(Some((_, false))) => Err(too_long(LNET_CONF)),
        Ok(None) => Err(Unknown::new(Why::Unsupported, "/etc/lnet.conf: no plain file")),
        Err(errno) => Err(unknown(errno, LNET_CONF)),
    };
    let conf = LnetFile { path: Text::from(format!("/{LNET_CONF}")), lines };
    std::iter::once(conf).chain(modprobe::files(root)).collect()
}

/// A link to `lnet.service` in a `.wants` or `.requires` directory.
fn service_enabled(root: &Root) -> Option<bool> {
    let dirs = std::fs::read_dir(root.join(SYSTEMD)).ok()?;
    let wants = dirs
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "wants" || e == "requires"));
    // The link itself: what it points to may be out of sight.
    Some(wants.into_iter().any(|dir| dir.join("lnet.service").symlink_metadata().is_ok()))
}

fn unknown(errno: Errno, path: &str) -> Unknown {
    Fault::Errno(errno).unknown(&Path::new("/").join(path))
}

fn too_long(path: &str) -> Unknown {
    Unknown::new(Why::Unsupported, format!("/{path}: too long to be read"))
}

#[cfg(test)]
mod tests;
