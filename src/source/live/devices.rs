//! The RDMA devices: which there are, the newest values of each, which of them hang.

use super::bell::Bell;
use super::pool::{Ask, Pool, Reader};
use crate::read::Due;
use crate::read::root::Root;
use crate::read::sysfs::DeviceReader;
use crate::sample::{
    Cost, CounterSet, DeviceAttrs, Link, Mono, Note, RdmaDevice, RdmaPort, Reading, Text, Unknown,
    Why,
};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::sync::Arc;

impl Ask for Due {
    /// Data counters that could not be read in time are not read twice.
    fn and(self, owed: Due) -> Due {
        Due {
            state: self.state || owed.state,
            data: self.data,
            slow: self.slow || owed.slow,
            rare: self.rare || owed.rare,
        }
    }
}

/// A device of the kernel, and the states its ports had in the last pass.
pub(super) struct SysfsDevice {
    reader: DeviceReader,
    ports: Vec<RdmaPort>,
}

impl Reader for SysfsDevice {
    type Ask = Due;
    type Out = Reading<RdmaDevice>;
    fn read(&mut self, due: Due) -> Self::Out {
        self.reader.pass(due)
    }
    fn reads(&self) -> u32 {
        self.reader.reads()
    }
    /// A mere look at the states that found them as they were is not.
    fn is_news(&mut self, due: Due, out: &Self::Out) -> bool {
        let Ok(device) = out else { return true };
        let news = due != STATE_ONLY || !same_state(&self.ports, &device.ports);
        self.ports.clone_from(&device.ports);
        news
    }
}

const STATE_ONLY: Due = Due { state: true, data: false, slow: false, rare: false };

/// What finds and opens devices: the kernel, or a test.
pub(super) trait Bus: Send {
    /// Reads one device.
    type Reader: Reader<Ask = Due, Out = Reading<RdmaDevice>>;
    /// The devices that are there, natural order.
    fn list(&self) -> Reading<Vec<OsString>>;
    /// A reader of one.
    fn open(&self, name: &OsStr) -> Self::Reader;
}

impl Bus for Root {
    type Reader = SysfsDevice;
    fn list(&self) -> Reading<Vec<OsString>> {
        crate::read::sysfs::devices(self)
    }
    fn open(&self, name: &OsStr) -> SysfsDevice {
        SysfsDevice { reader: DeviceReader::new(self, name), ports: Vec::new() }
    }
}

/// All devices of a bus.
pub(super) struct Devices<B: Bus> {
    bus: B,
    pool: Pool<B::Reader>,
    order: Reading<Vec<Text>>,
    newest: BTreeMap<Text, Arc<RdmaDevice>>,
    failed: BTreeMap<Text, Unknown>,
    /// Found, and not asked for anything yet.
    fresh: BTreeSet<Text>,
}

impl<B: Bus> Devices<B> {
    /// No device yet: the first [`Devices::rescan`] finds them.
    pub(super) fn new(bus: B, bell: Arc<Bell>) -> Self {
        Self {
            bus,
            pool: Pool::new("rdma", bell),
            order: Ok(Vec::new()),
            newest: BTreeMap::new(),
            failed: BTreeMap::new(),
            fresh: BTreeSet::new(),
        }
    }

    /// Lists the devices again. True if the list changed.
    pub(super) fn rescan(&mut self) -> bool {
        let listed = self.bus.list();
        let names = listed.as_deref().unwrap_or_default();
        let texts: Vec<Text> =
            names.iter().map(|n| Text::from_bytes(n.as_encoded_bytes())).collect();
        let known: Vec<Text> = self.pool.names().cloned().collect();
        for gone in known.iter().filter(|k| !texts.contains(k)) {
            self.forget(gone);
        }
        for (name, text) in names.iter().zip(&texts).filter(|(_, t)| !known.contains(t)) {
            self.pool.add(text.clone(), || self.bus.open(name));
            self.fresh.insert(text.clone());
        }
        let order = listed.map(|_| texts);
        let changed = order != self.order;
        self.order = order;
        changed
    }

    fn forget(&mut self, name: &Text) {
        self.pool.remove(name);
        self.newest.remove(name);
        self.failed.remove(name);
        self.fresh.remove(name);
    }

    /// Asks every device for what `wanted` says of it, and whether that is urgent; a new one for
    /// everything.
    pub(super) fn ask(&mut self, wanted: impl Fn(Option<&RdmaDevice>) -> (Due, bool)) {
        let names: Vec<Text> = self.pool.names().cloned().collect();
        for name in names {
            let (due, urgent) = if self.fresh.remove(&name) {
                (Due::ALL, true)
            } else {
                wanted(self.newest.get(&name).map(Arc::as_ref))
            };
            if due != Due::default() {
                self.pool.ask(&name, due, urgent);
            }
        }
    }

    /// Is a pass under way that may still come back soon?
    pub(super) fn pending(&self) -> bool {
        self.pool.pending()
    }

    /// Takes over what came back.
    pub(super) fn collect(&mut self, now: Mono, costs: &mut Vec<Cost>) -> Collected {
        let mut news = Collected::default();
        for done in self.pool.collect() {
            costs.push(Cost { reader: done.name.clone(), took: done.took, reads: done.reads });
            match done.out {
                Ok(device) => news.changed |= self.take(done.name, device),
                Err(why) if why.why == Why::Absent => {
                    news.changed |= self.newest.contains_key(&done.name);
                    news.vanished = true;
                    self.forget(&done.name);
                }
                Err(why) => news.changed |= self.fail(done.name, why),
            }
        }
        if self.pool.check(now) {
            news.changed = true;
        }
        self.mark_stuck();
        news
    }

    /// The newest values of a device. True if a port is not what it was.
    fn take(&mut self, name: Text, device: RdmaDevice) -> bool {
        self.failed.remove(&name);
        let old = self.newest.get(&name);
        let changed = old
            .is_none_or(|old| old.stuck_since.is_some() || !same_state(&old.ports, &device.ports));
        self.newest.insert(name, Arc::new(device));
        changed
    }

    /// A pass gave nothing: the values from before stay. True if that is news.
    fn fail(&mut self, name: Text, why: Unknown) -> bool {
        if let Some(device) = self.newest.get_mut(&name).filter(|d| d.stuck_since.is_some()) {
            Arc::make_mut(device).stuck_since = None;
        }
        let news = self.failed.get(&name) != Some(&why);
        self.failed.insert(name, why);
        news
    }

    fn mark_stuck(&mut self) {
        for (name, since) in self.pool.stuck() {
            let device = self.newest.entry(name.clone()).or_insert_with(|| unread(name));
            if device.stuck_since != Some(since) {
                Arc::make_mut(device).stuck_since = Some(since);
            }
        }
    }

    /// The newest values of all devices, in their order.
    pub(super) fn snapshot(&self) -> Reading<Vec<Arc<RdmaDevice>>> {
        let order = self.order.as_ref().map_err(Clone::clone)?;
        Ok(order.iter().filter_map(|name| self.newest.get(name)).cloned().collect())
    }

    /// What the user must know about the reading.
    pub(super) fn notes(&self, now: Mono) -> Vec<Note> {
        let stuck = self.pool.stuck().map(|(name, since)| Note {
            reader: name.clone(),
            what: "a read has not returned; the values shown are from before".into(),
            since,
        });
        let failed = self.failed.iter().map(|(name, why)| Note {
            reader: name.clone(),
            what: Text::new(&format!("cannot be read: {why}")),
            since: now,
        });
        let trouble = self.pool.trouble().map(|what| Note {
            reader: "rdma".into(),
            what: what.into(),
            since: now,
        });
        stuck.chain(failed).chain(trouble).collect()
    }
}

/// What a look at the workers brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Collected {
    /// Something a user waits for is not what it was.
    pub(super) changed: bool,
    /// A device is no longer there: the list is out of date.
    pub(super) vanished: bool,
}

fn same_state(old: &[RdmaPort], new: &[RdmaPort]) -> bool {
    old.len() == new.len()
        && old.iter().zip(new).all(|(a, b)| {
            a.number == b.number
                && a.state.value == b.state.value
                && a.phys_state.value == b.phys_state.value
        })
}

/// A device that has never answered.
fn unread(name: &Text) -> Arc<RdmaDevice> {
    fn silent<T>() -> Reading<T> {
        Err(Unknown::new(Why::Timeout, "the first read has not returned"))
    }
    Arc::new(RdmaDevice {
        name: name.clone(),
        attrs: Arc::new(DeviceAttrs {
            node_type: silent(),
            node_guid: silent(),
            sys_image_guid: silent(),
            node_desc: silent(),
            fw_ver: silent(),
            hca_type: silent(),
            hw_rev: silent(),
            board_id: silent(),
            driver: silent(),
            pci: None,
            netdevs: Vec::new(),
            parent: None,
        }),
        attrs_at: Mono::default(),
        ports: Vec::new(),
        hw_counters: Arc::new(CounterSet::default()),
        stuck_since: None,
    })
}

/// Does a message of the kernel tell when a port of this device changes? So for every port that
/// has an interface that is administratively up; without one there is no message at all.
pub(super) fn is_watched(device: &RdmaDevice, links: &[Link]) -> bool {
    let up = interfaces(device, links).filter(|l| l.flags.is_up()).count();
    up > 0 && up >= device.ports.len()
}

/// Is one of these links an interface of the device?
pub(super) fn concerns(device: &RdmaDevice, changed: &[Link]) -> bool {
    device
        .attrs
        .netdevs
        .iter()
        .chain(&device.attrs.parent)
        .any(|name| changed.iter().any(|l| l.name == *name))
}

/// The interfaces of a device, without IPoIB children.
fn interfaces<'a>(device: &'a RdmaDevice, links: &'a [Link]) -> impl Iterator<Item = &'a Link> {
    let names = device.attrs.netdevs.iter().chain(&device.attrs.parent);
    names
        .filter_map(|name| links.iter().find(|l| l.name == *name))
        .filter(|l| l.parent.is_none_or(|p| p == l.index))
}

#[cfg(test)]
mod tests;
