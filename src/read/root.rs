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

    /// Whether this is the running system, where reads cost something and cannot be trusted to
    /// return soon; a copied tree is cheap, but may hold anything in the place of a file.
    pub fn is_system(&self) -> bool {
        *self.0 == *Path::new("/")
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
        assert!(!root.is_system());
        assert!(Root::system().is_system());
    }
}
