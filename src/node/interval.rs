//! What the rails did between two times: the figures of a run and of two marks.
//!
//! Bytes are differences of counters; mean, share and balance are made of them. The 95th
//! percentile and the peak are of the rates of the passes in between.

use super::windows::{self, Totals};
use super::{Balance, Event, Figure, GroupOrigin, Node};
use crate::sample::{Fact, How, Mono, SampleTime, Text, Unknown, Why};
use std::collections::HashMap;
use std::time::Duration;

/// So many rates are kept of a rail and direction; of a longer interval every second, fourth, …
const KEPT: usize = 20_000;

/// An interval that goes on.
#[derive(Clone, Debug)]
pub struct Interval {
    start: Totals,
    began: SampleTime,
    last: Option<Mono>,
    series: HashMap<Text, [Series; 2]>,
}

/// What it came to.
#[derive(Clone, Debug, PartialEq)]
pub struct IntervalSummary {
    /// When it began.
    pub began: SampleTime,
    /// How long it lasted.
    pub lasted: Duration,
    /// In the order of the node.
    pub rails: Vec<RailSummary>,
    /// In the order of the node.
    pub groups: Vec<GroupSummary>,
    /// What happened in it, oldest first.
    pub events: Vec<Event>,
}

/// One rail in an interval.
#[derive(Clone, Debug, PartialEq)]
pub struct RailSummary {
    /// Its name at the end.
    pub name: Text,
    /// Received.
    pub rx: FlowSummary,
    /// Sent.
    pub tx: FlowSummary,
}

/// One direction of a rail in an interval.
#[derive(Clone, Debug, PartialEq)]
pub struct FlowSummary {
    /// Bytes.
    pub bytes: Fact<u64>,
    /// Bytes by the time between the first and the last read of the counters.
    pub mean_bytes_per_second: Figure,
    /// 95 of 100 passes had at most this rate.
    pub p95_bytes_per_second: Figure,
    /// The fastest pass.
    pub peak_bytes_per_second: Figure,
    /// Part of its group's bytes, of all rails' without a group.
    pub share_ratio: Figure,
}

/// A group in an interval.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupSummary {
    /// Its name.
    pub name: Text,
    /// Why it is one.
    pub origin: GroupOrigin,
    /// Names of its rails.
    pub rails: Vec<Text>,
    /// Over the whole interval; places are those of [`IntervalSummary::rails`].
    pub balance: Balance,
}

impl Interval {
    /// Begins with the newest pass of a node.
    pub fn begin(node: &Node) -> Self {
        let start = Totals::new(node.time.mono, &node.rails);
        Self { start, began: node.time, last: node.full_at, series: HashMap::new() }
    }

    /// When it began.
    pub fn began(&self) -> SampleTime {
        self.began
    }

    /// Takes the rates of a pass; one that it has seen, or that read no counters, adds nothing.
    pub fn add(&mut self, node: &Node) {
        if node.full_at.is_none() || self.last == node.full_at {
            return;
        }
        self.last = node.full_at;
        for rail in &node.rails {
            let series = self.series.entry(rail.id.clone()).or_default();
            for (series, flow) in series.iter_mut().zip([&rail.rx, &rail.tx]) {
                if let Some(rate) = flow.bytes_per_second.ok() {
                    series.push(*rate);
                }
            }
        }
    }

    /// Ends with the newest pass of the node; `lasted` is what is told. The mean is made with the
    /// time between the two reads of the counters, which lie a little outside of it.
    pub fn end(&self, node: &Node, lasted: Duration) -> IntervalSummary {
        let now = Totals::new(node.time.mono, &node.rails);
        let bytes: Vec<[Fact<u64>; 2]> =
            node.rails.iter().map(|rail| self.start.moved(&now, &rail.id)).collect();
        let measured = node.time.mono.since(self.began.mono);
        let rails = node.rails.iter().enumerate().map(|(place, rail)| {
            let one = |way: usize| {
                let own = bytes.get(place).map_or_else(unseen, |b| b[way.min(1)].clone());
                let series = self.series.get(&rail.id).map(|s| &s[way.min(1)]);
                let members = rail.group.and_then(|g| node.groups.get(g)).map(|g| &g.rails);
                let in_group = |at: &usize| members.is_none_or(|m| m.contains(at));
                let all = (0..bytes.len()).filter(in_group);
                let all = all.filter_map(|at| bytes.get(at)).map(|b| b[way.min(1)].ok().copied());
                flow(own, series, all.sum(), measured)
            };
            RailSummary { name: rail.name.clone(), rx: one(0), tx: one(1) }
        });
        let groups = node.groups.iter().map(|group| GroupSummary {
            name: group.name.clone(),
            origin: group.origin,
            rails: group
                .rails
                .iter()
                .filter_map(|r| Some(node.rails.get(*r)?.name.clone()))
                .collect(),
            balance: node.balance_since(&self.start, &now, group),
        });
        let events = node.events.iter().filter(|e| e.time.mono > self.began.mono);
        IntervalSummary {
            began: self.began,
            lasted,
            rails: rails.collect(),
            groups: groups.collect(),
            events: events.rev().cloned().collect(),
        }
    }
}

fn unseen() -> Fact<u64> {
    Fact::unknown(Why::FirstSample, "not seen at the beginning")
}

fn flow(
    bytes: Fact<u64>,
    series: Option<&Series>,
    all: Option<u64>,
    measured: Duration,
) -> FlowSummary {
    let seconds = measured.as_secs_f64();
    let of = |value: f64| Fact { value: Ok(value), qualified: bytes.qualified.clone() };
    let why = |unknown: &Unknown| Fact::from(Err(unknown.clone()));
    let mean = match &bytes.value {
        Ok(bytes) if seconds > 0.0 => of(*bytes as f64 / seconds),
        Ok(_) => Fact::unknown(Why::BelowFloor, "no time passed"),
        Err(unknown) => why(unknown),
    };
    let share = match (&bytes.value, all) {
        (Ok(own), Some(all)) if all > 0 => of(*own as f64 / all as f64),
        (Ok(_), Some(_)) => Fact::unknown(Why::BelowFloor, "nothing moved"),
        (Ok(_), None) => Fact::unknown(Why::Absent, "the bytes of another rail are not known"),
        (Err(unknown), _) => why(unknown),
    };
    let few = || Fact::unknown(Why::FirstSample, "no whole pass in the interval");
    FlowSummary {
        mean_bytes_per_second: mean,
        p95_bytes_per_second: series.and_then(Series::p95).map_or_else(few, Fact::known),
        peak_bytes_per_second: series.and_then(Series::peak).map_or_else(few, Fact::known),
        share_ratio: share,
        bytes,
    }
}

/// Rates, evenly thinned where there are too many.
#[derive(Clone, Debug)]
struct Series {
    rates: Vec<f32>,
    every: u32,
    skipped: u32,
    peak: f64,
}

impl Default for Series {
    fn default() -> Self {
        Self { rates: Vec::new(), every: 1, skipped: 0, peak: 0.0 }
    }
}

impl Series {
    fn push(&mut self, rate: f64) {
        self.peak = self.peak.max(rate);
        self.skipped += 1;
        if self.skipped < self.every {
            return;
        }
        self.skipped = 0;
        if self.rates.len() >= KEPT {
            let mut at = 0;
            self.rates.retain(|_| {
                at += 1;
                at % 2 == 0
            });
            self.every = self.every.saturating_mul(2);
        }
        self.rates.push(rate as f32);
    }

    fn peak(&self) -> Option<f64> {
        (!self.rates.is_empty()).then_some(self.peak)
    }

    /// The nearest rank.
    fn p95(&self) -> Option<f64> {
        let mut sorted = self.rates.clone();
        sorted.sort_by(f32::total_cmp);
        let rank = (sorted.len() * 95).div_ceil(100);
        sorted.get(rank.checked_sub(1)?).map(|rate| f64::from(*rate))
    }
}

impl Totals {
    /// What a rail moved from these totals to `now`, both ways.
    fn moved(&self, now: &Totals, id: &str) -> [Fact<u64>; 2] {
        let Some((a, b)) = self.of(id).zip(now.of(id)) else { return [unseen(), unseen()] };
        [(a.rx, b.rx), (a.tx, b.tx)].map(|(then, now)| {
            let bytes = Fact::known(now.saturating_sub(then));
            if a.gaps == b.gaps {
                bytes
            } else {
                bytes.qualified(How::Saturated, "a counter began anew meanwhile: at least so many")
            }
        })
    }
}

impl Node {
    /// Balance of a group between two totals.
    fn balance_since(&self, then: &Totals, now: &Totals, group: &super::Group) -> Balance {
        let limits = &self.policy.thresholds;
        windows::between(then, now, group, &self.rails, self.state.tracks(), limits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nearest_ranks() {
        let mut series = Series::default();
        assert_eq!((series.p95(), series.peak()), (None, None));
        (1..=100).for_each(|rate| series.push(f64::from(rate)));
        assert_eq!((series.p95(), series.peak()), (Some(95.0), Some(100.0)));
        let mut one = Series::default();
        one.push(7.0);
        assert_eq!(one.p95(), Some(7.0));
    }

    proptest! {
        /// However long it lasts, what is kept is bounded and still of the whole interval.
        #[test]
        fn thinned_evenly(passes in 1usize..100_000) {
            let mut series = Series::default();
            (0..passes).for_each(|at| series.push(at as f64));
            prop_assert!(series.rates.len() <= KEPT && !series.rates.is_empty());
            prop_assert_eq!(series.peak(), Some((passes - 1) as f64));
            let p95 = series.p95().unwrap();
            let exact = ((passes * 95).div_ceil(100) - 1) as f64;
            prop_assert!((p95 - exact).abs() <= passes as f64 * 0.01 + 1.0, "{} {}", p95, exact);
        }
    }
}
