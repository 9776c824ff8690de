//! The health of a rail's link as its counters tell it: errors, lost links, congestion.

use super::counter::{COUNTERS, CounterGroup, CounterInfo, CounterRecord, Happened};
use super::events::Log;
use super::losses::Losses;
use super::rate::Nature;
use super::{EventKind, Figure, RailNetdev, RailRdma};
use crate::sample::{CounterSet, Fact, How, Mono, SampleTime, Text, Unknown, Why};
use std::fmt::Write;
use std::time::Duration;

/// The errors of one counter that go on are an event at most this often.
const QUIET: Duration = Duration::from_mins(1);
const WAIT: &str = "port_xmit_wait";
const WORDS: &str = "port_xmit_data";
const LINK_DOWNED: &str = "link_downed";
/// Congestion counters of mlx5 have 64 bits (`hw/mlx5/cong.c`), its Q counters 32.
const WIDE: [&str; 4] =
    ["np_ecn_marked_roce_packets", "np_cnp_sent", "rp_cnp_handled", "rp_cnp_ignored"];

/// What the counters of a rail did.
#[derive(Clone, Debug)]
pub struct Health {
    /// Those that the rail has, in the order of [`COUNTERS`].
    pub counters: Vec<CounterRecord>,
    /// How often the link was lost.
    pub losses: Losses,
    /// Back-pressure on what is sent.
    pub congestion: Congestion,
    port_set: Mono,
    hw_set: Mono,
    waited: Option<(Mono, u64, u64)>,
    /// Rises that no event has told yet, by name.
    untold: Vec<(&'static str, u64, bool)>,
    /// When a counter's rise was told last.
    told: Vec<(&'static str, Mono)>,
}

/// Back-pressure on what a port sends, from two reads of `port_xmit_wait`.
#[derive(Clone, Debug, PartialEq)]
pub struct Congestion {
    /// Ticks per second in which data waited and nothing was sent. How long a tick lasts is a
    /// matter of the device.
    pub wait_ticks_per_second: Figure,
    /// Ticks ÷ (ticks + words sent), 0…1: an index to compare with, no part of the time. The
    /// tick of an adapter is told in a management query only (PortSamplesControl.Tick).
    pub wait_index_ratio: Figure,
}

impl Default for Congestion {
    fn default() -> Self {
        unknown_congestion(&Unknown::new(Why::Absent, "no port_xmit_wait"))
    }
}

fn unknown_congestion(why: &Unknown) -> Congestion {
    let unknown = || Fact::from(Err(why.clone()));
    Congestion { wait_ticks_per_second: unknown(), wait_index_ratio: unknown() }
}

impl Default for Health {
    fn default() -> Self {
        Self {
            counters: Vec::new(),
            losses: Losses::default(),
            congestion: Congestion::default(),
            port_set: NEVER,
            hw_set: NEVER,
            waited: None,
            untold: Vec::new(),
            told: Vec::new(),
        }
    }
}

/// No read is from then.
const NEVER: Mono = Mono(u64::MAX);

/// What a pass found of a rail.
pub(super) struct Look<'a> {
    pub rdma: Option<&'a RailRdma>,
    pub netdev: Option<&'a RailNetdev>,
    /// The port lost its link since the pass before, as far as its state tells.
    pub lost: bool,
    pub now: SampleTime,
}

impl Health {
    /// The record of a counter, if the rail has it.
    pub fn get(&self, name: &str) -> Option<&CounterRecord> {
        self.counters.iter().find(|c| c.info.name == name)
    }

    /// Takes a pass.
    pub(super) fn advance(&mut self, look: &Look<'_>, rail: &Text, log: &mut Log) {
        let mut reset: Vec<&'static str> = Vec::new();
        let mut fresh = false;
        let lost_before = self.lost_by_counter();
        if let Some(rdma) = look.rdma {
            if rdma.counters.at != self.port_set {
                self.port_set = rdma.counters.at;
                self.congest(&rdma.counters);
                self.group(CounterGroup::Port, &rdma.counters, rdma, look.now, &mut reset);
                fresh = true;
            }
            if rdma.hw_counters.at != self.hw_set {
                self.hw_set = rdma.hw_counters.at;
                let (set, now) = (&rdma.hw_counters, look.now);
                self.group(CounterGroup::Hardware, set, rdma, now, &mut reset);
                fresh = true;
            }
        }
        if let Some(netdev) = look.netdev {
            self.carrier(netdev, look.now);
        }
        let by_counter = self.lost_by_counter().saturating_sub(lost_before);
        self.losses.counted(by_counter, look.now);
        if look.lost {
            self.losses.seen(look.now);
        }
        self.losses.trust_carrier(self.is_link_downed_blind(look.rdma));
        if fresh {
            self.tell(rail, log);
        }
        if !reset.is_empty() {
            let text = format!("error counters were reset: {}", reset.join(", "));
            log.add(EventKind::CounterReset, rail, text);
        }
    }

    /// Takes the counters of one directory.
    fn group(
        &mut self,
        group: CounterGroup,
        set: &CounterSet,
        rdma: &RailRdma,
        now: SampleTime,
        reset: &mut Vec<&'static str>,
    ) {
        let at = SampleTime { wall: now.wall_of(set.at), mono: set.at };
        for info in COUNTERS.iter().filter(|c| c.group == group) {
            let Some(value) = set.get(info.name) else {
                if let Some(known) = self.record_mut(info) {
                    known.forget(&Unknown::new(Why::Absent, "the counter is not there any more"));
                }
                continue;
            };
            let nature = nature(info, rdma);
            let happened = self.record(info, nature, at).take(value, at);
            match happened {
                Happened::Reset => reset.push(info.name),
                Happened::Rose(rise) if info.alarm.is_some() => self.owe(info, rise),
                Happened::Nothing | Happened::Rose(_) => {}
            }
        }
    }

    fn record_mut(&mut self, info: &'static CounterInfo) -> Option<&mut CounterRecord> {
        self.counters.iter_mut().find(|c| std::ptr::eq(c.info, info))
    }

    /// The record of a counter, made at its place in the order if it is new.
    fn record(
        &mut self,
        info: &'static CounterInfo,
        nature: Nature,
        at: SampleTime,
    ) -> &mut CounterRecord {
        let place_of = |info: &CounterInfo| COUNTERS.iter().position(|c| std::ptr::eq(c, info));
        let known = self.counters.iter().position(|c| std::ptr::eq(c.info, info));
        let place = known.unwrap_or_else(|| {
            let wanted = place_of(info);
            let place = self.counters.iter().take_while(|c| place_of(c.info) < wanted).count();
            self.counters.insert(place, CounterRecord::new(info, nature, at));
            place
        });
        let last = self.counters.len().saturating_sub(1);
        &mut self.counters[place.min(last)]
    }

    fn owe(&mut self, info: &'static CounterInfo, rise: u64) {
        let at_least = self.get(info.name).is_some_and(CounterRecord::is_saturated);
        match self.untold.iter_mut().find(|(name, ..)| *name == info.name) {
            Some((_, sum, least)) => {
                *sum = sum.saturating_add(rise);
                *least |= at_least;
            }
            None => self.untold.push((info.name, rise, at_least)),
        }
    }

    /// One event for all that rose. What a counter that was told lately goes on to count waits; a
    /// counter that begins, and a link that is lost, never do: other logs have the same moment.
    fn tell(&mut self, rail: &Text, log: &mut Log) {
        let now = log.time.mono;
        self.told.retain(|(_, at)| now.since(*at) < QUIET);
        let told = &self.told;
        let is_due =
            |name: &str| name == LINK_DOWNED || !told.iter().any(|(known, _)| *known == name);
        let (due, later): (Vec<_>, Vec<_>) =
            self.untold.drain(..).partition(|(name, ..)| is_due(name));
        self.untold = later;
        let mut words = String::new();
        for (name, rise, at_least) in due {
            let comma = if words.is_empty() { "" } else { ", " };
            let _ = write!(words, "{comma}{name} +{}{rise}", if at_least { "≥" } else { "" });
            self.told.retain(|(known, _)| *known != name);
            self.told.push((name, now));
        }
        if !words.is_empty() {
            log.add(EventKind::Errors, rail, words);
        }
    }

    /// Losses of the interface's carrier, except those that somebody made by switching it off.
    fn carrier(&mut self, netdev: &RailNetdev, now: SampleTime) {
        let Some(info) = super::counter::counter("carrier_down_count", CounterGroup::Netdev) else {
            return;
        };
        let before = self.get(info.name).map(CounterRecord::total);
        let record = self.record(info, Nature::Wrapping32, now);
        if record.value == netdev.carrier_down_count && record.value.is_err() {
            return;
        }
        record.take(&netdev.carrier_down_count, now);
        let after = self.get(info.name).map_or(0, CounterRecord::total);
        let rise = before.map_or(0, |before| after.saturating_sub(before));
        if netdev.admin_up == Ok(true) {
            self.losses.carrier(rise, now);
        }
    }

    fn lost_by_counter(&self) -> u64 {
        self.get(LINK_DOWNED).map_or(0, CounterRecord::total)
    }

    /// Does `link_downed` tell nothing? Then the carrier is the witness: it stands at its end, it
    /// cannot be read, or the port is Ethernet, whose losses it does not count.
    fn is_link_downed_blind(&self, rdma: Option<&RailRdma>) -> bool {
        let ethernet = rdma.is_none_or(RailRdma::is_ethernet);
        let tells = self.get(LINK_DOWNED).is_some_and(|r| r.value.is_ok() && !r.is_saturated());
        ethernet || !tells
    }

    fn congest(&mut self, set: &CounterSet) {
        let words = set.get(WORDS).and_then(|r| r.as_ref().ok().copied());
        let wait = match set.get(WAIT) {
            None => return self.congestion = Congestion::default(),
            Some(Err(unknown)) => {
                self.waited = None;
                return self.congestion = unknown_congestion(unknown);
            }
            // The register has 32 bits.
            Some(Ok(wait)) if *wait > super::rate::MAX32 => {
                self.waited = None;
                let unknown = Unknown::new(Why::Unparsable, wait.to_string());
                return self.congestion = unknown_congestion(&unknown);
            }
            Some(Ok(wait)) => *wait,
        };
        let before = self.waited.replace((set.at, wait, words.unwrap_or(0)));
        self.congestion = match before {
            _ if wait == super::rate::MAX32 => {
                let words = "it stands at its maximum, 4294967295: perfquery -R starts it anew";
                unknown_congestion(&Unknown::new(Why::Unsupported, words))
            }
            Some((at, old, sent)) if set.at > at && wait >= old => {
                let ticks = (wait - old) as f64;
                let sent = words.unwrap_or(0).saturating_sub(sent) as f64;
                let index = if ticks + sent > 0.0 { ticks / (ticks + sent) } else { 0.0 };
                let words = "an index: how long a tick lasts is not known";
                Congestion {
                    wait_ticks_per_second: Fact::known(ticks / set.at.since(at).as_secs_f64()),
                    wait_index_ratio: Fact::known(index).qualified(How::Estimate, words),
                }
            }
            Some((at, ..)) if set.at > at => {
                unknown_congestion(&Unknown::new(Why::Reset, "port_xmit_wait went backwards"))
            }
            _ => unknown_congestion(&Unknown::new(Why::FirstSample, "needs two reads")),
        };
    }

    /// From now on changes since the mark count from here.
    pub(super) fn mark(&mut self) {
        self.counters.iter_mut().for_each(CounterRecord::mark);
    }

    /// The rail went: what its counters say when it is back has another beginning.
    pub(super) fn forget(&mut self, why: &Unknown) {
        self.counters.iter_mut().for_each(|c| c.forget(why));
        (self.port_set, self.hw_set) = (NEVER, NEVER);
        self.waited = None;
        self.congestion = unknown_congestion(why);
    }
}

/// How a counter behaves at its end, by its directory and driver.
fn nature(info: &CounterInfo, rdma: &RailRdma) -> Nature {
    let driver = rdma.device_attrs.driver.as_deref().unwrap_or(&rdma.device);
    match info.sticks_at() {
        Some(max) => Nature::Saturating(max),
        None if driver.starts_with("mlx5") && !WIDE.contains(&info.name) => Nature::Wrapping32,
        None => Nature::Wide,
    }
}
