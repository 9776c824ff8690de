//! The directory that stands for "/".

use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A root directory: "/" on a live node, a copied tree otherwise. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root(Arc<Path>);

impl Root {
    /// Takes `dir` as root.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self(dir.into().into())
    }

    /// The root of the running system.
    pub fn system() -> Self {
        Self::new("/")
    }

    /// Whether this is "/". Any other may be a copied tree, which can hold anything in the place
    /// of a file.
    pub fn is_system(&self) -> bool {
        *self.0 == *Path::new("/")
    }

    /// Whether a kernel answers below `sys` (it may be another mount of it, as `/host` in a
    /// container): there reads take locks and firmware commands, in a copied tree they do not.
    pub fn is_live(&self) -> bool {
        /// `SYSFS_MAGIC` (include/uapi/linux/magic.h).
        const SYSFS: u64 = 0x6265_6572;
        rustix::fs::statfs(self.join("sys")).is_ok_and(|fs| fs.f_type as u64 == SYSFS)
    }

    /// A path below the root; a leading slash of `below` is ignored.
    pub fn join(&self, below: impl AsRef<Path>) -> PathBuf {
        let below = below.as_ref();
        self.0.join(below.strip_prefix("/").unwrap_or(below))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_below() {
        let root = Root::new("/tmp/tree");
        assert_eq!(root.join("/sys/class"), Path::new("/tmp/tree/sys/class"));
        assert_eq!(root.join("sys"), Path::new("/tmp/tree/sys"));
        assert!(!root.is_system() && !root.is_live());
        assert!(Root::system().is_system());
    }
}
