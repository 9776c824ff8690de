//! This node, now.

use super::{Pace, Source, SourceError};
use crate::node::SourceKind;
use crate::read::root::Root;
use crate::sample::Sample;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How to read this node.
#[derive(Clone, Debug)]
pub struct LiveOptions {
    /// Where "/" is.
    pub root: Root,
    /// Time between full passes.
    pub interval: Duration,
    /// `--lnetctl`.
    pub lnetctl: Option<PathBuf>,
}

/// Reads this node on its own threads.
#[derive(Debug)]
pub struct Live {
    options: LiveOptions,
    pace: Arc<Pace>,
}

impl Live {
    /// Opens the readers.
    pub fn start(options: LiveOptions) -> Result<Self, SourceError> {
        let pace = Pace::new(options.interval);
        Ok(Self { options, pace })
    }
}

impl Source for Live {
    fn next(&mut self) -> Result<Option<Sample>, SourceError> {
        let _ = &self.options;
        Err(SourceError::Live("not built yet".into()))
    }
    fn kind(&self) -> SourceKind {
        SourceKind::Live
    }
    fn label(&self) -> String {
        "live".into()
    }
    fn pace(&self) -> Arc<Pace> {
        Arc::clone(&self.pace)
    }
}
