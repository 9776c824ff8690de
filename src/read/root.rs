//! The directory that stands for "/".

use std::path::{Path, PathBuf};

/// A root directory: "/" on a live node, a copied tree otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root(PathBuf);

impl Root {
    /// Takes `dir` as root.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self(dir.into())
    }

    /// The root of the running system.
    pub fn system() -> Self {
        Self::new("/")
    }

    /// A path below the root; a leading slash of `below` is ignored.
    pub fn join(&self, below: impl AsRef<Path>) -> PathBuf {
        let below = below.as_ref();
        self.0.join(below.strip_prefix("/").unwrap_or(below))
    }
}
