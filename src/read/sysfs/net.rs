//! `/sys/class/net/*`.

use crate::read::Due;
use crate::read::root::Root;
use crate::sample::{Netdev, Reading};
use std::sync::Arc;

/// Reads the interfaces of a root again and again, over open descriptors.
#[derive(Debug)]
pub struct NetReader {
    root: Root,
}

impl NetReader {
    /// A reader of `root`.
    pub fn new(root: &Root) -> Self {
        Self { root: root.clone() }
    }

    /// One pass; parts that are not due are shared with the pass before. The list of interfaces
    /// is scanned again when `due.rare` is set or `rescan` was asked for.
    pub fn pass(&mut self, due: Due) -> Reading<Vec<Arc<Netdev>>> {
        let _ = (&self.root, due);
        Ok(Vec::new())
    }

    /// The next pass lists the interfaces again (a link message said that they changed).
    pub fn rescan(&mut self) {}

    /// Files read in the last pass.
    pub fn reads(&self) -> u32 {
        0
    }
}
