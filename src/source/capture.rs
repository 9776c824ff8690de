//! A capture: a directory, or a `.tar.zst` of one, that holds what a node's readers read.

use super::{Pace, Source, SourceError};
use crate::node::SourceKind;
use crate::sample::Sample;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Reads the samples of a capture in their order.
#[derive(Debug)]
pub struct Capture {
    label: String,
    pace: Arc<Pace>,
}

impl Capture {
    /// Opens a capture directory or archive.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        Ok(Self { label: path.display().to_string(), pace: Pace::new(Duration::from_secs(1)) })
    }
}

/// What a capture holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Where it is.
    pub path: PathBuf,
    /// Samples in it.
    pub samples: u32,
    /// Files in it.
    pub files: u64,
    /// Bytes in all files, before compression.
    pub bytes: u64,
    /// Reads that failed; the reasons are beside the files.
    pub errors: u64,
    /// Devices whose reads did not return in time.
    pub hung: Vec<String>,
}

/// Writes what railtop reads of this node, `samples` times, into a directory or archive.
pub fn write(
    target: &Path,
    samples: u32,
    interval: Duration,
    lnetctl: Option<&Path>,
) -> Result<Summary, SourceError> {
    let _ = (samples, interval, lnetctl);
    Err(SourceError::Live(format!("{}: not built yet", target.display())))
}

impl Source for Capture {
    fn next(&mut self) -> Result<Option<Sample>, SourceError> {
        Ok(None)
    }
    fn kind(&self) -> SourceKind {
        SourceKind::Capture
    }
    fn label(&self) -> String {
        self.label.clone()
    }
    fn pace(&self) -> Arc<Pace> {
        Arc::clone(&self.pace)
    }
}
