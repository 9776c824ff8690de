//! `lnetctl net show -v 4`: one child at a time, with a deadline, believed by its content.

use crate::read::root::Root;
use crate::sample::{Lnet, LnetFailure, LnetModules, Mono, Unknown, Why};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Asks `lnetctl` again and again without ever waiting for it.
#[derive(Debug)]
pub struct LnetReader {
    root: Root,
    program: Option<PathBuf>,
}

impl LnetReader {
    /// A reader; `program` overrides the usual places (`/usr/sbin/lnetctl`, then PATH).
    pub fn new(root: &Root, program: Option<PathBuf>) -> Self {
        Self { root: root.clone(), program }
    }

    /// What is known now. Starts a child when none runs and `interval` has passed since the last
    /// (never under 1 s); collects its answer at a later poll; never blocks.
    pub fn poll(&mut self, now: Mono, interval: Duration) -> Arc<Lnet> {
        let _ = (&self.root, &self.program, now, interval);
        Arc::new(nothing())
    }

    /// Blocks until the first answer or failure is there, at most `deadline`: for one-shot
    /// reports.
    pub fn wait(&mut self, now: Mono, deadline: Duration) -> Arc<Lnet> {
        let _ = deadline;
        self.poll(now, Duration::from_secs(1))
    }
}

/// LNet before anything was asked.
pub fn nothing() -> Lnet {
    Lnet {
        modules: LnetModules::default(),
        version: Err(Unknown::new(Why::Absent, "not asked")),
        answer: Err(LnetFailure::Pending),
        waiting_since: None,
    }
}

/// What a capture directory holds of LNet; the modules are looked for below `root`.
pub fn from_capture(dir: &Path, root: &Root) -> Lnet {
    let _ = (dir, root);
    nothing()
}
