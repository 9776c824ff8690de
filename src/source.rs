//! Where samples come from: this node, a capture, a simulated node.

pub mod capture;
pub mod demo;
pub mod live;

use crate::node::SourceKind;
use crate::sample::Sample;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A source of samples.
pub trait Source: Send {
    /// Waits for the next sample; `None` at the end of a capture.
    fn next(&mut self) -> Result<Option<Sample>, SourceError>;

    /// What kind of source it is.
    fn kind(&self) -> SourceKind;

    /// Words for the header: `live`, `demo dead-rail`, the capture's path.
    fn label(&self) -> String;

    /// The pace it keeps, shared with whoever may change it.
    fn pace(&self) -> Arc<Pace>;
}

/// The interval between full passes; the screen may change it while a source runs.
#[derive(Debug)]
pub struct Pace(AtomicU64);

impl Pace {
    /// A pace of one pass per `interval`.
    pub fn new(interval: Duration) -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(interval.as_nanos() as u64)))
    }

    /// The interval now.
    pub fn interval(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }

    /// Changes it; the source follows at its next pass.
    pub fn set(&self, interval: Duration) {
        self.0.store(interval.as_nanos() as u64, Ordering::Relaxed);
    }
}

/// A source that cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The capture cannot be read.
    #[error("cannot read {path}: {cause}")]
    Capture {
        /// The path as the user gave it.
        path: String,
        /// Why.
        cause: String,
    },
    /// The capture cannot be written.
    #[error("cannot write {path}: {cause}")]
    CaptureWrite {
        /// The path as the user gave it.
        path: String,
        /// Why.
        cause: String,
    },
    /// No such scenario.
    #[error("no scenario {name:?}; there are: {known}")]
    NoScenario {
        /// As the user gave it.
        name: String,
        /// The names that exist.
        known: String,
    },
    /// This node cannot be read at all.
    #[error("cannot read this node: {0}")]
    Live(String),
}
