//! One interface.

use super::attrs;
use crate::read::root::Root;
use crate::read::sysfs::files::{self, Dir, File, Tally};
use crate::read::sysfs::group::Group;
use crate::read::sysfs::{parse, shared};
use crate::read::{Due, clock};
use crate::sample::{
    CarrierChanges, CounterSet, Mono, Netdev, NetdevAttrs, NetdevStats, Reading, Text, Timed,
    Unknown, Why,
};
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::Arc;

/// IFF_UP (include/uapi/linux/if.h).
const IFF_UP: u32 = 1;
/// The statistics of interfaces without hardware, of which there can be hundreds.
const FEW: [&str; 6] =
    ["rx_dropped", "rx_errors", "rx_packets", "tx_dropped", "tx_errors", "tx_packets"];

/// Reads one interface again and again.
#[derive(Debug)]
pub(super) struct Interface {
    name: OsString,
    shown: Text,
    flags: File,
    operstate: File,
    rx_bytes: File,
    tx_bytes: File,
    stats: Group,
    last: Option<Arc<Netdev>>,
}

impl Interface {
    /// A reader of the interface of that name.
    pub(super) fn new(root: &Root, name: OsString) -> Self {
        let below = Path::new(super::CLASS).join(&name);
        let file = |path: &str| File::new(root, below.join(path));
        Self {
            shown: files::shown(&name),
            name,
            flags: file("flags"),
            operstate: file("operstate"),
            rx_bytes: file("statistics/rx_bytes"),
            tx_bytes: file("statistics/tx_bytes"),
            stats: Group::default(),
            last: None,
        }
    }

    /// Its name.
    pub(super) fn name(&self) -> &OsStr {
        &self.name
    }

    /// Whether it is read in every pass.
    pub(super) fn is_fast(&self) -> bool {
        self.last.as_ref().is_some_and(|last| is_fast(&last.attrs))
    }

    /// One pass; `None` when the interface is gone. The first reads everything.
    pub(super) fn pass(&mut self, pass: &Pass<'_>) -> Option<Arc<Netdev>> {
        let Some(last) = self.last.take() else { return self.renew(pass, None) };
        let fast = is_fast(&last.attrs);
        if pass.due.rare || (pass.scan && (fast || self.is_another(pass, &last))) {
            return self.renew(pass, Some(&last));
        }
        if !fast && !pass.due.slow {
            if !(pass.few_software && pass.due.data) {
                self.last = Some(Arc::clone(&last));
                return Some(last);
            }
            let mut netdev = Netdev::clone(&last);
            self.read_data(&mut netdev, pass.tally);
            return Some(self.keep(netdev, pass));
        }
        let mut netdev = Netdev::clone(&last);
        if (pass.due.state || !fast) && self.read_state(&mut netdev, pass.tally) {
            // Gone, or another one of the same name.
            return self.renew(pass, None);
        }
        if netdev.flags != last.flags || netdev.operstate != last.operstate {
            // Speed, MTU and more may be others now.
            return self.renew(pass, Some(&last));
        }
        if pass.due.data || !fast {
            self.read_data(&mut netdev, pass.tally);
        }
        // The carrier takes RTNL on a live node (since some kernel between 6.1 and 6.12).
        let ask = fast && (pass.due.slow || pass.due.state && !pass.live);
        if ask && down(&netdev).is_none() {
            netdev.carrier = super::open(pass.root, &self.name, pass.tally)
                .and_then(|dir| dir.read("carrier", parse::flag));
        }
        if pass.due.slow && fast {
            let dir = super::open(pass.root, &self.name, pass.tally).ok()?;
            self.read_slow(&mut netdev, &dir);
        }
        Some(self.keep(netdev, pass))
    }

    /// Reads everything, from files opened anew.
    fn renew(&mut self, pass: &Pass<'_>, last: Option<&Arc<Netdev>>) -> Option<Arc<Netdev>> {
        let dir = super::open(pass.root, &self.name, pass.tally).ok()?;
        self.close();
        let mut netdev = match last {
            Some(last) => Netdev::clone(last),
            None => unread(self.shown.clone(), &dir),
        };
        self.read_state(&mut netdev, pass.tally);
        self.read_data(&mut netdev, pass.tally);
        let is_down = down(&netdev);
        netdev.carrier = match &is_down {
            Some(refusal) => Err(refusal.clone()),
            None => dir.read("carrier", parse::flag),
        };
        let before = last.map(|last| &last.attrs);
        let attrs = attrs::read(&dir, is_down, before.map(|before| &**before));
        netdev.attrs = shared(before, attrs);
        match dir.dir("statistics") {
            Ok(statistics) => self.stats.list(&statistics, &["rx_bytes", "tx_bytes"]),
            Err(_) => self.stats.clear(),
        }
        if pass.live && !is_fast(&netdev.attrs) {
            // Every one of them sums up all counters over all CPUs.
            self.stats.restrict(&FEW);
        }
        self.read_slow(&mut netdev, &dir);
        Some(self.keep(netdev, pass))
    }

    /// Whether the name belongs to another interface than before.
    fn is_another(&self, pass: &Pass<'_>, last: &Netdev) -> bool {
        let ifindex = super::open(pass.root, &self.name, pass.tally)
            .and_then(|dir| dir.read("ifindex", parse::number));
        ifindex != last.attrs.ifindex
    }

    /// Reads flags and operstate, which need no lock of the kernel; true if the files are gone.
    fn read_state(&mut self, netdev: &mut Netdev, tally: &Tally) -> bool {
        let flags = self.flags.try_read(tally, parse::hex);
        let lost = netdev.flags.is_ok() && flags.as_ref().is_err_and(|failure| failure.gone);
        netdev.flags = flags.map_err(|failure| failure.unknown);
        let before = netdev.operstate.as_ref().ok();
        netdev.operstate = self.operstate.read(tally, |bytes| parse::text_like(before, bytes));
        lost
    }

    fn read_data(&mut self, netdev: &mut Netdev, tally: &Tally) {
        let read = |file: &mut File| {
            let value = file.read(tally, parse::number);
            Timed { at: clock::now(), value }
        };
        netdev.stats.rx_bytes = read(&mut self.rx_bytes);
        netdev.stats.tx_bytes = read(&mut self.tx_bytes);
    }

    fn read_slow(&mut self, netdev: &mut Netdev, dir: &Dir<'_>) {
        netdev.carrier_changes = CarrierChanges {
            all: dir.read("carrier_changes", parse::number),
            up: dir.read("carrier_up_count", parse::number),
            down: dir.read("carrier_down_count", parse::number),
        };
        netdev.stats.slow = self.stats.read(dir.dir("statistics").ok().as_ref());
    }

    fn keep(&mut self, netdev: Netdev, pass: &Pass<'_>) -> Arc<Netdev> {
        if !pass.keep_open || !is_fast(&netdev.attrs) {
            self.close();
        }
        let netdev = Arc::new(netdev);
        self.last = Some(Arc::clone(&netdev));
        netdev
    }

    fn close(&mut self) {
        self.flags.close();
        self.operstate.close();
        self.rx_bytes.close();
        self.tx_bytes.close();
    }
}

/// What an interface needs to know of a pass.
#[derive(Debug)]
pub(super) struct Pass<'a> {
    /// Where "/" is.
    pub(super) root: &'a Root,
    /// Files read so far.
    pub(super) tally: &'a Tally,
    /// What is due.
    pub(super) due: Due,
    /// The list of interfaces is new: names may have moved.
    pub(super) scan: bool,
    /// The tree is no copy: reads cost something.
    pub(super) live: bool,
    /// There are few enough interfaces to keep descriptors.
    pub(super) keep_open: bool,
    /// There are few enough interfaces without hardware to read the bytes of all in every pass:
    /// a macvlan or veth may be what somebody wants to see.
    pub(super) few_software: bool,
}

/// Hardware, IPoIB (its children too) and bonds.
fn is_fast(attrs: &NetdevAttrs) -> bool {
    !attrs.is_virtual || attrs.kind == Ok(attrs::ARPHRD_INFINIBAND) || attrs.bond.is_some()
}

/// `carrier` and `speed` of an interface that is administratively down fail with EINVAL: they
/// are not even asked for.
fn down(netdev: &Netdev) -> Option<Unknown> {
    let flags = netdev.flags.as_ref().ok()?;
    (flags & IFF_UP == 0).then(|| Unknown::new(Why::Inactive, "administratively down"))
}

fn unread(name: Text, dir: &Dir<'_>) -> Netdev {
    fn absent<T>() -> Reading<T> {
        Err(Unknown::new(Why::Absent, "not read yet"))
    }
    let never = || Timed { at: Mono::default(), value: absent() };
    Netdev {
        name,
        attrs: Arc::new(attrs::unread(dir)),
        operstate: absent(),
        flags: absent(),
        carrier: absent(),
        carrier_changes: CarrierChanges { all: absent(), up: absent(), down: absent() },
        stats: NetdevStats {
            rx_bytes: never(),
            tx_bytes: never(),
            slow: Arc::new(CounterSet::default()),
        },
    }
}
