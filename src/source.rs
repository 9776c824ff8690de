//! Where samples come from: this node, a capture, a simulated node.

pub mod capture;
pub mod demo;
pub mod interval;
pub mod live;

use crate::node::SourceKind;
use crate::sample::Sample;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
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

    /// So long one report watches before it judges: what a simulated node is to show has its time.
    fn shows_after(&self) -> Duration {
        Duration::ZERO
    }
}

/// The interval between full passes, and whether LNet's peers are on the screen. Who shows the
/// samples may change both while a source runs.
pub struct Pace {
    nanos: AtomicU64,
    peers: AtomicBool,
    told: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl Pace {
    /// A pace of one pass per `interval`.
    pub fn new(interval: Duration) -> Arc<Self> {
        Arc::new(Self {
            nanos: AtomicU64::new(interval.as_nanos() as u64),
            peers: AtomicBool::new(false),
            told: OnceLock::new(),
        })
    }

    /// The interval now.
    pub fn interval(&self) -> Duration {
        Duration::from_nanos(self.nanos.load(Ordering::Relaxed))
    }

    /// Changes it; a source that waits is told.
    pub fn set(&self, interval: Duration) {
        self.nanos.store(interval.as_nanos() as u64, Ordering::Relaxed);
        self.tell();
    }

    /// LNet's peers are on the screen: they are asked for at once and every 2 s. Without that
    /// they are asked for seldom, because a node may have thousands. Cheap to call at each draw.
    pub fn want_peers(&self, wanted: bool) {
        if self.peers.swap(wanted, Ordering::Relaxed) != wanted {
            self.tell();
        }
    }

    /// Whether LNet's peers are on the screen.
    pub fn peers_wanted(&self) -> bool {
        self.peers.load(Ordering::Relaxed)
    }

    fn tell(&self) {
        if let Some(tell) = self.told.get() {
            tell();
        }
    }

    /// Called at every change, by the thread that makes it. One listener: the source.
    pub fn on_change(&self, tell: impl Fn() + Send + Sync + 'static) {
        let _ = self.told.set(Box::new(tell));
    }
}

impl std::fmt::Debug for Pace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Pace").field(&self.interval()).finish()
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
