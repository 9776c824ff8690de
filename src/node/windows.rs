//! Balance over longer times, and how long a rail has been behind.
//!
//! Both come from the byte totals of the rails, so a window is exact: bytes moved in it by the
//! time between the reads. A counter that began anew, or a rail that was not there when the window
//! began, leaves it unknown.

use super::grouping::{self, Rates};
use super::row::Track;
use super::{Balance, Behind, Group, Mark, MarkBalance, Rail, Thresholds};
use crate::sample::{Mono, Reading, Text, Unknown, Why};
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// The length of the short window.
pub(super) const RECENT: Duration = Duration::from_secs(10);
/// Samples come no faster than each 50 ms; twice the short window of them.
const MOST: usize = 400;

/// What one rail had moved at one time.
#[derive(Clone, Debug)]
pub(super) struct Total {
    id: Text,
    pub rx: u64,
    pub tx: u64,
    pub gaps: u32,
}

/// What all rails had moved at one time.
#[derive(Clone, Debug)]
pub(super) struct Totals {
    at: Mono,
    rails: Vec<Total>,
}

impl Totals {
    pub(super) fn new(at: Mono, rails: &[Rail]) -> Self {
        let total = |rail: &Rail| Total {
            id: rail.id.clone(),
            rx: rail.rx.total_bytes,
            tx: rail.tx.total_bytes,
            gaps: rail.counter_resets,
        };
        Self { at, rails: rails.iter().map(total).collect() }
    }

    pub(super) fn of(&self, id: &str) -> Option<&Total> {
        self.rails.iter().find(|t| *t.id == *id)
    }
}

/// What is remembered for the windows.
#[derive(Clone, Debug, Default)]
pub(super) struct Windows {
    recent: VecDeque<Totals>,
    mark: Option<(Mark, Totals)>,
    /// By group and direction: the rail that is behind, and since when.
    behind: HashMap<(Text, bool), (Text, Mono)>,
}

impl Windows {
    /// After a full pass: the balances of all groups over the longer times.
    pub(super) fn advance(
        &mut self,
        at: Mono,
        (groups, rails): (&mut [Group], &[Rail]),
        tracks: &[Track],
        marks: &[Mark],
        limits: &Thresholds,
    ) {
        let now = Totals::new(at, rails);
        match marks.last() {
            Some(newest) if self.mark.as_ref().is_none_or(|(known, _)| known != newest) => {
                // The pass before the mark was set: nothing of the interval is lost.
                let base = self.recent.back().unwrap_or(&now);
                self.mark = Some((newest.clone(), base.clone()));
            }
            Some(_) => {}
            None => self.mark = None,
        }
        for group in groups.iter_mut() {
            group.recent =
                self.start(at).map(|then| between(then, &now, group, rails, tracks, limits));
            group.since_mark =
                self.mark.as_ref().filter(|(_, then)| then.at < at).map(|(mark, then)| {
                    let balance = between(then, &now, group, rails, tracks, limits);
                    MarkBalance { mark: mark.name.clone(), since: then.at, balance }
                });
            self.watch(at, group, rails, limits);
        }
        self.recent.push_back(now);
        while self.recent.len() > MOST
            || self.recent.get(1).is_some_and(|t| at.since(t.at) >= RECENT)
        {
            self.recent.pop_front();
        }
    }

    /// Where the short window begins: the youngest totals that are old enough.
    fn start(&self, now: Mono) -> Option<&Totals> {
        self.recent.iter().rev().find(|t| now.since(t.at) >= RECENT)
    }

    /// Notes which rail of a group is behind now, and since when it has been.
    fn watch(&mut self, at: Mono, group: &mut Group, rails: &[Rail], limits: &Thresholds) {
        for (received, side, slot) in [
            (true, &group.balance.rx, &mut group.behind_rx),
            (false, &group.balance.tx, &mut group.behind_tx),
        ] {
            let key = (group.name.clone(), received);
            let ratio = side.slowest_share_of_fair_ratio.ok().copied();
            let rail = side.slowest.and_then(|r| rails.get(r));
            let behind = rail.zip(ratio).filter(|(_, r)| *r < limits.balance_unfair_ratio);
            let Some((rail, ratio)) = behind else {
                self.behind.remove(&key);
                *slot = None;
                continue;
            };
            let known = self.behind.get(&key).filter(|(id, _)| *id == rail.id);
            let since = known.map_or(at, |(_, since)| *since);
            self.behind.insert(key, (rail.id.clone(), since));
            *slot = side.slowest.map(|rail| Behind { rail, since, share_of_fair_ratio: ratio });
        }
    }
}

/// Balance of a group between two totals.
pub(super) fn between(
    then: &Totals,
    now: &Totals,
    group: &Group,
    rails: &[Rail],
    tracks: &[Track],
    limits: &Thresholds,
) -> Balance {
    let seconds = now.at.since(then.at).as_secs_f64();
    let rate = |rail: &Rail, get: fn(&Total) -> u64| -> Reading<f64> {
        let first = || Unknown::new(Why::FirstSample, "not seen at the beginning");
        let reset = || Unknown::new(Why::Reset, "its counters began anew meanwhile");
        let (a, b) = then.of(&rail.id).zip(now.of(&rail.id)).ok_or_else(first)?;
        if a.gaps != b.gaps {
            return Err(reset());
        }
        if seconds <= 0.0 {
            return Err(first());
        }
        Ok(get(b).saturating_sub(get(a)) as f64 / seconds)
    };
    let rx = |rail: &Rail| Some(rate(rail, |t| t.rx));
    let tx = |rail: &Rail| Some(rate(rail, |t| t.tx));
    let floor = limits.balance_floor_ratio;
    let side = |rates: Rates<'_>| grouping::direction(group, rails, tracks, floor, rates).0;
    Balance { rx: side(&rx), tx: side(&tx) }
}
