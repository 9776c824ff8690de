//! `/sys/class/infiniband/*`.

mod attrs;
mod data;
mod port;

use super::files::{self, Dir, Tally};
use super::group::Group;
use crate::read::root::Root;
use crate::read::{Due, clock};
use crate::sample::{CounterSet, DeviceAttrs, Mono, RdmaDevice, Reading};
use port::PortReader;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const CLASS: &str = "sys/class/infiniband";

/// The devices of a root, natural order. Absent where no RDMA driver is loaded.
pub fn devices(root: &Root) -> Reading<Vec<OsString>> {
    files::dir_names(root, CLASS)
}

/// Reads one device again and again, over open descriptors. May block for a minute in firmware:
/// never on a thread that anything waits for.
#[derive(Debug)]
pub struct DeviceReader {
    root: Root,
    name: OsString,
    attrs: Option<Arc<DeviceAttrs>>,
    attrs_at: Mono,
    ports: Vec<PortReader>,
    hw: Group,
    hw_counters: Arc<CounterSet>,
    tally: Tally,
}

impl DeviceReader {
    /// A reader of one device.
    pub fn new(root: &Root, name: &OsStr) -> Self {
        Self {
            root: root.clone(),
            name: name.to_owned(),
            attrs: None,
            attrs_at: Mono::default(),
            ports: Vec::new(),
            hw: Group::default(),
            hw_counters: Arc::default(),
            tally: Tally::default(),
        }
    }

    /// One pass. `Err(absent)` when the device is gone; then the reader is to be dropped.
    pub fn pass(&mut self, due: Due) -> Reading<RdmaDevice> {
        self.tally.set(0);
        if let Some(device) = self.data_only(due) {
            return Ok(device);
        }
        let below = self.below();
        let dir = Dir::open(&self.root, &below, &self.tally)?;
        let due = match &self.attrs {
            None => Due::ALL,
            Some(_) => {
                Due { rare: due.rare || self.ports.iter().any(PortReader::lost_its_device), ..due }
            }
        };
        let attrs = match &self.attrs {
            Some(attrs) if !due.rare => Arc::clone(attrs),
            before => super::shared(before.as_ref(), attrs::read(&dir, before.as_deref())),
        };
        if due.rare {
            self.attrs_at = clock::now();
            list_ports(&self.root, &below, &dir, &mut self.ports);
            match dir.dir("hw_counters") {
                Ok(hw) => self.hw.list(&hw, &["lifespan"]),
                Err(_) => self.hw.clear(),
            }
        }
        self.attrs = Some(Arc::clone(&attrs));
        if due.slow {
            self.hw_counters = self.hw.read(dir.dir("hw_counters").ok().as_ref());
        }
        Ok(RdmaDevice {
            name: files::shown(&self.name),
            attrs,
            attrs_at: self.attrs_at,
            ports: self.ports.iter_mut().map(|port| port.pass(&dir, due)).collect(),
            hw_counters: Arc::clone(&self.hw_counters),
            stuck_since: None,
        })
    }

    /// A pass over open files alone, the frequent one: no path is walked. That the device is still
    /// there is looked at with the state of its ports.
    fn data_only(&mut self, due: Due) -> Option<RdmaDevice> {
        let only = due == Due { data: true, ..Due::default() };
        let attrs = self.attrs.as_ref().filter(|_| only)?;
        if !self.ports.iter().all(PortReader::is_known) {
            return None;
        }
        Some(RdmaDevice {
            name: files::shown(&self.name),
            attrs: Arc::clone(attrs),
            attrs_at: self.attrs_at,
            ports: self.ports.iter_mut().filter_map(|port| port.data_only(&self.tally)).collect(),
            hw_counters: Arc::clone(&self.hw_counters),
            stuck_since: None,
        })
    }

    /// Files read in the last pass.
    pub fn reads(&self) -> u32 {
        self.tally.get()
    }

    fn below(&self) -> PathBuf {
        Path::new(CLASS).join(&self.name)
    }
}

/// Brings the list of ports up to date. Descriptors are closed, so that a device which took the
/// name of another is not read through the descriptors of that one.
fn list_ports(root: &Root, below: &Path, dir: &Dir<'_>, ports: &mut Vec<PortReader>) {
    let mut numbers: Vec<u32> = dir
        .names("ports")
        .iter()
        .filter_map(|name| name.to_str()?.parse().ok())
        .filter(|number| dir.has(&format!("ports/{number}/.")))
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    ports.retain(|port| numbers.contains(&port.number()));
    for number in numbers {
        match ports.iter_mut().find(|port| port.number() == number) {
            Some(port) => port.close(),
            None => ports.push(PortReader::new(root, below, number)),
        }
    }
    ports.sort_by_key(PortReader::number);
}
