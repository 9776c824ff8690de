//! A directory of counters that are read together.

use super::files::{self, Dir};
use super::parse;
use super::quarantine::Quarantine;
use crate::read::clock;
use crate::sample::{Counter, CounterSet, Text};
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

/// On mlx5 a read of the counter with index 0 fetches the whole group from the firmware, and the
/// others are served from it for 10 ms; in any other order each read fetches the group again
/// (drivers/infiniband/core/counters.c and hw/mlx5/counters.c).
const FIRST: [&str; 2] = ["rx_write_requests", "vport_rx_write_requests"];

/// The files of one group.
#[derive(Debug, Default)]
pub(super) struct Group {
    items: Vec<Item>,
}

#[derive(Debug)]
struct Item {
    name: OsString,
    shown: Text,
    quarantine: Quarantine,
}

impl Group {
    /// Lists the files again, but for those in `skip`; refusals are remembered.
    pub(super) fn list(&mut self, dir: &Dir<'_>, skip: &[&str]) {
        let mut names = dir.names(".");
        names.retain(|name| !skip.iter().any(|s| name == s));
        if names.iter().eq(self.items.iter().map(|item| &item.name)) {
            return;
        }
        let mut old = std::mem::take(&mut self.items);
        self.items = names
            .into_iter()
            .map(|name| {
                let known = old.iter().position(|item| item.name == name);
                known.map_or_else(|| Item::new(name), |at| old.swap_remove(at))
            })
            .collect();
    }

    /// Keeps only the files in `names`.
    pub(super) fn restrict(&mut self, names: &[&str]) {
        self.items.retain(|item| names.iter().any(|name| item.name == *name));
    }

    /// Forgets all files: the directory is not there.
    pub(super) fn clear(&mut self) {
        self.items.clear();
    }

    /// Whether there is a file of that name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.items.iter().any(|item| item.name == name)
    }

    /// Reads the whole group into `set`.
    pub(super) fn read_into(&mut self, dir: &Dir<'_>, set: &mut CounterSet) {
        let first = FIRST.iter().find_map(|f| self.items.iter().position(|i| i.name == *f));
        let mut ahead = first.and_then(|at| self.items.get_mut(at)).map(|item| item.read(dir));
        set.items.reserve_exact(self.items.len());
        for (at, item) in self.items.iter_mut().enumerate() {
            let counter = if first == Some(at) { ahead.take() } else { None };
            set.items.push(counter.unwrap_or_else(|| item.read(dir)));
        }
        set.at = clock::now();
    }

    /// Reads the whole group.
    pub(super) fn read(&mut self, dir: Option<&Dir<'_>>) -> Arc<CounterSet> {
        let mut set = CounterSet { at: clock::now(), items: Vec::new() };
        if let Some(dir) = dir {
            self.read_into(dir, &mut set);
        }
        Arc::new(set)
    }
}

impl Item {
    fn new(name: OsString) -> Self {
        Self { shown: files::shown(&name), name, quarantine: Quarantine::default() }
    }

    fn read(&mut self, dir: &Dir<'_>) -> Counter {
        let path = Path::new(&self.name);
        let value = self.quarantine.ask(|| dir.try_read(path, parse::number));
        Counter { name: self.shown.clone(), value }
    }
}
