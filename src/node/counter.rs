//! Counters as a health record: what each means, and what it did.

mod record;
mod table;

pub(super) use record::Happened;
pub use record::{CounterRecord, Since};
pub use table::COUNTERS;

/// What is known of a counter beside its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CounterInfo {
    /// Its file.
    pub name: &'static str,
    /// Where the file is.
    pub group: CounterGroup,
    /// Bits of the register behind the file; `None` where that is the driver's matter.
    pub bits: Option<u32>,
    /// What one count is.
    pub unit: &'static str,
    /// What it counts, in one sentence.
    pub meaning: &'static str,
    /// What to look at when it rises.
    pub cause: &'static str,
    /// Where that is written.
    pub source: &'static str,
    /// From when on its rise is a finding; `None`: it only tells.
    pub alarm: Option<Alarm>,
}

impl CounterInfo {
    /// The value at which the register stands still until it is reset.
    pub fn sticks_at(&self) -> Option<u64> {
        let bits = self.bits.filter(|_| self.group == CounterGroup::Port)?;
        Some(u64::MAX >> 64u32.saturating_sub(bits).min(63))
    }
}

/// Where a counter's file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CounterGroup {
    /// `ports/N/counters/`: of the port, they stand still at their end.
    Port,
    /// `ports/N/hw_counters/`: the driver's own, of the function.
    Hardware,
    /// The interface's directory in `/sys/class/net`.
    Netdev,
}

impl CounterGroup {
    /// The word of the machine contract: the directory.
    pub fn word(self) -> &'static str {
        match self {
            CounterGroup::Port => "counters",
            CounterGroup::Hardware => "hw_counters",
            CounterGroup::Netdev => "netdev",
        }
    }
}

/// From when on the rise of a counter within ten minutes is worth a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// A warning; else a note.
    pub is_warning: bool,
    /// More than so many.
    pub more_than: u64,
    /// The same on links up to EDR and on those whose speed is not known: without forward error
    /// correction a bit error now and then is within the specification.
    pub more_than_up_to_edr: u64,
}

/// The entry of a counter.
pub fn counter(name: &str, group: CounterGroup) -> Option<&'static CounterInfo> {
    COUNTERS.iter().find(|c| c.group == group && c.name == name)
}

/// The entry of a counter of that name, wherever it is.
pub fn counter_named(name: &str) -> Option<&'static CounterInfo> {
    COUNTERS.iter().find(|c| c.name.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn p02_error_counters_stand_still_at_their_width() {
        for (name, max) in [
            ("local_link_integrity_errors", 15),
            ("excessive_buffer_overrun_errors", 15),
            ("link_downed", 255),
            ("link_error_recovery", 255),
            ("port_xmit_constraint_errors", 255),
            ("port_rcv_constraint_errors", 255),
            ("symbol_error", 65_535),
            ("port_rcv_errors", 65_535),
            ("port_rcv_remote_physical_errors", 65_535),
            ("port_rcv_switch_relay_errors", 65_535),
            ("port_xmit_discards", 65_535),
            ("VL15_dropped", 65_535),
            ("port_xmit_wait", 4_294_967_295),
        ] {
            let info = counter(name, CounterGroup::Port).expect(name);
            assert_eq!(info.sticks_at(), Some(max), "{name}");
        }
        // Of the driver's own counters none stands still.
        assert!(COUNTERS.iter().all(|c| c.group == CounterGroup::Port || c.sticks_at().is_none()));
    }

    #[test]
    fn every_entry_is_whole_and_there_once() {
        let names: BTreeSet<_> = COUNTERS.iter().map(|c| (c.group.word(), c.name)).collect();
        assert_eq!(names.len(), COUNTERS.len());
        for info in COUNTERS {
            for text in [info.meaning, info.cause, info.source, info.unit] {
                assert!(!text.is_empty() && !text.contains("  "), "{}: {text:?}", info.name);
                assert!(!text.ends_with('.'), "{}: {text:?}", info.name);
            }
            assert_eq!(counter(info.name, info.group), Some(info));
            assert!(info.bits.is_none_or(|bits| (1..=64).contains(&bits)));
        }
    }
}
