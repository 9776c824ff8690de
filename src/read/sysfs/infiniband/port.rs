//! One port.

use super::attrs;
use super::data::DataReader;
use crate::read::root::Root;
use crate::read::sysfs::files::{Dir, File, Tally};
use crate::read::sysfs::group::Group;
use crate::read::sysfs::{parse, shared};
use crate::read::{Due, clock};
use crate::sample::{CounterSet, DataCounters, Mono, PortAttrs, RdmaPort, Timed, Unknown, Why};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The only state in which data flows and the attributes mean something.
const ACTIVE: u32 = 4;

const COUNTERS: &str = "counters";
const COUNTERS_EXT: &str = "counters_ext";
const HW_COUNTERS: &str = "hw_counters";

/// Reads one port again and again.
#[derive(Debug)]
pub(super) struct PortReader {
    root: Root,
    number: u32,
    below: PathBuf,
    state: File,
    phys_state: File,
    rate: File,
    lid: File,
    sm_lid: File,
    /// Which of the two files of an ACTIVE port comes next.
    rate_next: bool,
    data: DataReader,
    counters: Group,
    counters_ext: Group,
    hw_counters: Group,
    last: Option<RdmaPort>,
    lost: bool,
}

impl PortReader {
    /// A reader of port `number` of the device at `device`.
    pub(super) fn new(root: &Root, device: &Path, number: u32) -> Self {
        let below = device.join("ports").join(number.to_string());
        Self {
            root: root.clone(),
            number,
            state: File::new(root, below.join("state")),
            phys_state: File::new(root, below.join("phys_state")),
            rate: File::new(root, below.join("rate")),
            lid: File::new(root, below.join("lid")),
            sm_lid: File::new(root, below.join("sm_lid")),
            rate_next: false,
            below,
            data: DataReader::default(),
            counters: Group::default(),
            counters_ext: Group::default(),
            hw_counters: Group::default(),
            last: None,
            lost: false,
        }
    }

    /// Its number.
    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// An open file said ENODEV: the device went, and perhaps came back under the same name.
    pub(super) fn lost_its_device(&self) -> bool {
        self.lost
    }

    /// Closes all files; the next pass finds them anew.
    pub(super) fn close(&mut self) {
        self.state.close();
        self.phys_state.close();
        self.rate.close();
        self.lid.close();
        self.sm_lid.close();
        self.data.close();
    }

    /// It was read before, and nothing says that its device went.
    pub(super) fn is_known(&self) -> bool {
        self.last.is_some() && !self.lost
    }

    /// A pass over the data counters alone; `None` before the first one.
    pub(super) fn data_only(&mut self, tally: &Tally) -> Option<RdmaPort> {
        let port = self.last.as_mut()?;
        port.data = self.data.read(tally);
        Some(port.clone())
    }

    /// One pass. The first reads everything.
    pub(super) fn pass(&mut self, device: &Dir<'_>, due: Due) -> RdmaPort {
        let (mut port, due) = match self.last.take() {
            Some(port) => (port, due),
            None => (unread(self.number), Due::ALL),
        };
        let tally = device.tally();
        if due.rare {
            self.list(device);
        }
        if due.data {
            port.data = self.data.read(tally);
        }
        let changed = due.state && self.read_state(&mut port, due, tally);
        if due.slow {
            self.read_counters(&mut port, device);
        }
        if changed || due.rare {
            port.attrs = match device.at(&self.below) {
                Ok(dir) => shared(Some(&port.attrs), attrs::read_port(&dir)),
                Err(unknown) => Arc::new(unread_attrs(&unknown)),
            };
        }
        self.last = Some(port.clone());
        port
    }

    /// `phys_state` and `rate` cost as much as `state` (five firmware commands on mlx5 each), and
    /// of an ACTIVE port they only tell that its link retrains or came back with fewer or slower
    /// lanes. No state and no message tells that, so they are read there too, in turn. True if
    /// the attributes are to be read again.
    fn read_state(&mut self, port: &mut RdmaPort, due: Due, tally: &Tally) -> bool {
        let before = port.state.value.as_ref().ok();
        let answer = self.state.try_read(tally, |bytes| parse::enumerated(before, bytes));
        self.lost = before.is_some() && answer.as_ref().is_err_and(|failure| failure.gone);
        let value = answer.map_err(|failure| failure.unknown);
        let code = value.as_ref().ok().map(|state| state.code);
        let changed = code != before.map(|state| state.code);
        port.state = Timed { at: clock::now(), value };
        let active = code == Some(ACTIVE) && !changed;
        let rate_turn = active && !due.slow && !due.rare && self.rate_next;
        self.rate_next = active && !rate_turn;
        if rate_turn {
            let rate = self.rate.read(tally, parse::text);
            return rate.is_ok() && rate != port.attrs.rate;
        }
        let before = port.phys_state.value.as_ref().ok();
        let value = self.phys_state.read(tally, |bytes| parse::enumerated(before, bytes));
        port.phys_state = Timed { at: clock::now(), value };
        changed || due.slow && self.manager_changed(&port.attrs, tally)
    }

    /// Another subnet manager, or another LID from it: no message tells of that either.
    fn manager_changed(&mut self, known: &PortAttrs, tally: &Tally) -> bool {
        let lid = self.lid.read(tally, parse::hex_or_decimal);
        let sm_lid = self.sm_lid.read(tally, parse::hex_or_decimal);
        lid.is_ok() && lid != known.lid || sm_lid.is_ok() && sm_lid != known.sm_lid
    }

    fn read_counters(&mut self, port: &mut RdmaPort, device: &Dir<'_>) {
        let group = |name: &str| device.at(&self.below.join(name)).ok();
        let mut counters = CounterSet { at: clock::now(), items: Vec::new() };
        if let Some(dir) = group(COUNTERS) {
            self.counters.read_into(&dir, &mut counters);
        }
        if let Some(dir) = group(COUNTERS_EXT) {
            self.counters_ext.read_into(&dir, &mut counters);
        }
        port.counters = Arc::new(counters);
        port.hw_counters = self.hw_counters.read(group(HW_COUNTERS).as_ref());
    }

    /// Which counters there are. `counters/` and `hw_counters/` do not exist in containers that
    /// share the RDMA namespace, nor for drivers without them.
    fn list(&mut self, device: &Dir<'_>) {
        for (name, group) in [
            (COUNTERS, &mut self.counters),
            (COUNTERS_EXT, &mut self.counters_ext),
            (HW_COUNTERS, &mut self.hw_counters),
        ] {
            match device.at(&self.below.join(name)) {
                Ok(dir) => group.list(&dir, &["lifespan"]),
                Err(_) => group.clear(),
            }
        }
        let (counters, ext, hw) = (&self.counters, &self.counters_ext, &self.hw_counters);
        self.data.list(&self.root, &self.below, |path| match path.split_once('/') {
            Some((COUNTERS, name)) => counters.has(name),
            Some((COUNTERS_EXT, name)) => ext.has(name),
            Some((HW_COUNTERS, name)) => hw.has(name),
            _ => false,
        });
    }
}

fn unread(number: u32) -> RdmaPort {
    let unknown = Unknown::new(Why::Absent, "not read yet");
    RdmaPort {
        number,
        state: Timed { at: Mono::default(), value: Err(unknown.clone()) },
        phys_state: Timed { at: Mono::default(), value: Err(unknown.clone()) },
        attrs: Arc::new(unread_attrs(&unknown)),
        data: DataCounters::default(),
        counters: Arc::default(),
        hw_counters: Arc::default(),
    }
}

fn unread_attrs(unknown: &Unknown) -> PortAttrs {
    PortAttrs {
        link_layer: Err(unknown.clone()),
        rate: Err(unknown.clone()),
        lid: Err(unknown.clone()),
        sm_lid: Err(unknown.clone()),
        sm_sl: Err(unknown.clone()),
        lmc: Err(unknown.clone()),
        cap_mask: Err(unknown.clone()),
        gids: Vec::new(),
        default_gid: Err(unknown.clone()),
        pkeys: Err(unknown.clone()),
    }
}
