//! A simulated node that moves by itself. Scenarios are data (`assets/scenarios/*.toml`).

use super::{Pace, Source, SourceError};
use crate::node::SourceKind;
use crate::sample::Sample;
use std::sync::Arc;
use std::time::Duration;

/// Plays one scenario.
#[derive(Debug)]
pub struct Demo {
    name: String,
    pace: Arc<Pace>,
}

impl Demo {
    /// The scenario of that name.
    pub fn open(name: &str, interval: Duration) -> Result<Self, SourceError> {
        Ok(Self { name: name.into(), pace: Pace::new(interval) })
    }
}

impl Source for Demo {
    fn next(&mut self) -> Result<Option<Sample>, SourceError> {
        Ok(None)
    }
    fn kind(&self) -> SourceKind {
        SourceKind::Demo
    }
    fn label(&self) -> String {
        format!("demo {}", self.name)
    }
    fn pace(&self) -> Arc<Pace> {
        Arc::clone(&self.pace)
    }
}
