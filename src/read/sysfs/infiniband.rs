//! `/sys/class/infiniband/*`.

use crate::read::Due;
use crate::read::root::Root;
use crate::sample::{RdmaDevice, Reading, Unknown, Why};
use std::ffi::{OsStr, OsString};

/// The devices of a root, natural order. Absent where no RDMA driver is loaded.
pub fn devices(root: &Root) -> Reading<Vec<OsString>> {
    let _ = root;
    Err(Unknown::new(Why::Absent, "not read"))
}

/// Reads one device again and again, over open descriptors. May block for a minute in firmware:
/// never on a thread that anything waits for.
#[derive(Debug)]
pub struct DeviceReader {
    root: Root,
    name: OsString,
}

impl DeviceReader {
    /// A reader of one device.
    pub fn new(root: &Root, name: &OsStr) -> Self {
        Self { root: root.clone(), name: name.to_owned() }
    }

    /// One pass. `Err(absent)` when the device is gone; then the reader is to be dropped.
    pub fn pass(&mut self, due: Due) -> Reading<RdmaDevice> {
        let _ = (&self.root, &self.name, due);
        Err(Unknown::new(Why::Absent, "not read"))
    }

    /// Files read in the last pass.
    pub fn reads(&self) -> u32 {
        0
    }
}
