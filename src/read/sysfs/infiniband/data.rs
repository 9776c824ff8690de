//! The counters that give the byte rate of a port: which they are depends on the driver.

use crate::read::clock;
use crate::read::root::Root;
use crate::read::sysfs::files::{File, Tally};
use crate::read::sysfs::parse;
use crate::read::sysfs::quarantine::Quarantine;
use crate::sample::{DataCounter, DataCounters, Text};
use std::path::Path;

/// Files below `ports/N/`, received and sent, best first: kernels before 4.5 have the 64-bit
/// counters in a directory of their own; then the PMA's; then what drivers without a PMA count:
/// bnxt_re, efa, mana; irdma; erdma.
const SOURCES: [(&[&str], &[&str]); 5] = [
    (&["counters_ext/port_rcv_data_64"], &["counters_ext/port_xmit_data_64"]),
    (&["counters/port_rcv_data"], &["counters/port_xmit_data"]),
    (&["hw_counters/rx_bytes"], &["hw_counters/tx_bytes"]),
    (
        &["hw_counters/ip4InOctets", "hw_counters/ip6InOctets"],
        &["hw_counters/ip4OutOctets", "hw_counters/ip6OutOctets"],
    ),
    (&["hw_counters/rx_bytes_cnt"], &["hw_counters/tx_bytes_cnt"]),
];

/// Reads the best source that the port has.
#[derive(Debug, Default)]
pub(super) struct DataReader {
    sources: Vec<DataSource>,
    used: usize,
}

#[derive(Debug)]
struct DataSource {
    rx: Vec<DataFile>,
    tx: Vec<DataFile>,
}

#[derive(Debug)]
struct DataFile {
    shown: Text,
    file: File,
    quarantine: Quarantine,
}

impl DataReader {
    /// Looks for the sources again; `has` tells which files there are. Refusals are remembered.
    pub(super) fn list(&mut self, root: &Root, port: &Path, has: impl Fn(&str) -> bool) {
        let mut old: Vec<DataFile> =
            self.sources.drain(..).flat_map(|s| s.rx.into_iter().chain(s.tx)).collect();
        let mut files = |names: &[&str]| -> Vec<DataFile> {
            let names = names.iter().filter(|name| has(name));
            names.map(|name| take(&mut old, root, port, name)).collect()
        };
        self.sources = SOURCES
            .iter()
            .map(|(rx, tx)| DataSource { rx: files(rx), tx: files(tx) })
            .filter(|source| !source.rx.is_empty() || !source.tx.is_empty())
            .collect();
        self.used = 0;
    }

    /// Reads the source in use. One that is refused altogether makes way for the next: the
    /// counters of a driver without PMA support can exist and never be readable.
    pub(super) fn read(&mut self, tally: &Tally) -> DataCounters {
        let mut first = None;
        for (at, source) in self.sources.iter_mut().enumerate().skip(self.used) {
            let counters = source.read(tally);
            if counters.rx.iter().chain(&counters.tx).any(|c| c.value.is_ok()) {
                self.used = at;
                return counters;
            }
            first.get_or_insert(counters);
        }
        first.unwrap_or_default()
    }

    /// Closes all files.
    pub(super) fn close(&mut self) {
        for source in &mut self.sources {
            source.rx.iter_mut().chain(&mut source.tx).for_each(|file| file.file.close());
        }
    }
}

fn take(old: &mut Vec<DataFile>, root: &Root, port: &Path, name: &str) -> DataFile {
    match old.iter().position(|file| file.shown == *name) {
        Some(at) => old.swap_remove(at),
        None => DataFile {
            shown: Text::new(name),
            file: File::new(root, port.join(name)),
            quarantine: Quarantine::default(),
        },
    }
}

impl DataSource {
    fn read(&mut self, tally: &Tally) -> DataCounters {
        let all =
            |files: &mut Vec<DataFile>| files.iter_mut().map(|file| file.read(tally)).collect();
        DataCounters { rx: all(&mut self.rx), tx: all(&mut self.tx) }
    }
}

impl DataFile {
    fn read(&mut self, tally: &Tally) -> DataCounter {
        let value = self.quarantine.ask(|| self.file.try_read(tally, parse::number));
        DataCounter { file: self.shown.clone(), at: clock::now(), value }
    }
}
