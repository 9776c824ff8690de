//! How often a link was lost: what makes it flap.

use crate::sample::{Mono, SampleTime};
use std::collections::VecDeque;
use std::time::Duration;

/// How far back losses are kept.
pub(super) const HOUR: Duration = Duration::from_hours(1);
/// Losses kept of each witness; beyond that the two oldest become one.
const KEEP: usize = 64;

/// The losses of a link within the last hour, by three witnesses of the same thing.
///
/// `link_downed` counts those that railtop is too slow to see, its own look those of ports
/// without that counter, and the carrier of the interface is asked where `link_downed` tells
/// nothing. The largest of the three is the number of losses.
#[derive(Clone, Debug, Default)]
pub struct Losses {
    counter: Witness,
    look: Witness,
    carrier: Witness,
    trusts_carrier: bool,
}

/// One witness: when it told of how many losses.
#[derive(Clone, Debug, Default)]
struct Witness(VecDeque<(SampleTime, u64)>);

impl Witness {
    fn add(&mut self, count: u64, now: SampleTime) {
        if count == 0 {
            return;
        }
        while self.0.front().is_some_and(|(at, _)| now.mono.since(at.mono) >= HOUR) {
            self.0.pop_front();
        }
        if self.0.len() >= KEEP
            && let Some((_, oldest)) = self.0.pop_front()
            && let Some((_, next)) = self.0.front_mut()
        {
            *next = next.saturating_add(oldest);
        }
        self.0.push_back((now, count));
    }

    fn recent(&self, now: Mono) -> impl Iterator<Item = &(SampleTime, u64)> {
        self.0.iter().filter(move |(at, _)| now.since(at.mono) < HOUR)
    }

    fn count(&self, now: Mono) -> u64 {
        self.recent(now).fold(0, |sum: u64, (_, count)| sum.saturating_add(*count))
    }
}

impl Losses {
    /// `link_downed` rose by so much.
    pub(super) fn counted(&mut self, count: u64, now: SampleTime) {
        self.counter.add(count, now);
    }

    /// railtop saw the port or carrier go.
    pub(super) fn seen(&mut self, now: SampleTime) {
        self.look.add(1, now);
    }

    /// The interface lost its carrier so often.
    pub(super) fn carrier(&mut self, count: u64, now: SampleTime) {
        self.carrier.add(count, now);
    }

    /// Is the carrier to be asked?
    pub(super) fn trust_carrier(&mut self, trusted: bool) {
        self.trusts_carrier = trusted;
    }

    fn witnesses(&self) -> impl Iterator<Item = &Witness> {
        [&self.counter, &self.look].into_iter().chain(self.trusts_carrier.then_some(&self.carrier))
    }

    /// Losses within the last hour, as far as railtop watched.
    pub fn in_last_hour(&self, now: Mono) -> u64 {
        self.witnesses().map(|w| w.count(now)).max().unwrap_or(0)
    }

    /// Does the interface's carrier speak for `link_downed`?
    pub fn by_carrier(&self, now: Mono) -> Option<u64> {
        self.trusts_carrier.then(|| self.carrier.count(now))
    }

    /// Times of the oldest and the newest of them.
    pub fn span(&self, now: Mono) -> Option<(SampleTime, SampleTime)> {
        let all = || self.witnesses().flat_map(|w| w.recent(now)).map(|(at, _)| *at);
        Some((all().min_by_key(|at| at.mono)?, all().max_by_key(|at| at.mono)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: u64) -> SampleTime {
        SampleTime { wall: jiff::Timestamp::UNIX_EPOCH, mono: Mono(second * 1_000_000_000) }
    }

    #[test]
    fn the_same_loss_seen_twice_is_one() {
        let mut losses = Losses::default();
        for second in [10, 20, 30] {
            losses.seen(at(second));
            losses.counted(1, at(second + 3));
            losses.carrier(1, at(second));
        }
        assert_eq!(losses.in_last_hour(at(40).mono), 3);
        losses.counted(2, at(41));
        assert_eq!(losses.in_last_hour(at(41).mono), 5, "the counter sees what a look misses");
        assert_eq!(losses.span(at(41).mono), Some((at(10), at(41))));
        assert_eq!(losses.in_last_hour(at(3613).mono), 4);
        assert_eq!(losses.in_last_hour(at(3635).mono), 2);
        assert_eq!(losses.in_last_hour(at(9000).mono), 0);
    }

    #[test]
    fn p02_the_carrier_speaks_where_the_counter_cannot() {
        let mut losses = Losses::default();
        losses.carrier(4, at(10));
        assert_eq!((losses.in_last_hour(at(11).mono), losses.by_carrier(at(11).mono)), (0, None));
        losses.trust_carrier(true);
        assert_eq!(
            (losses.in_last_hour(at(11).mono), losses.by_carrier(at(11).mono)),
            (4, Some(4))
        );
    }

    proptest! {
        #[test]
        fn memory_is_bounded_and_no_loss_is_lost(counts in proptest::collection::vec(0u64..5, 0..300)) {
            let mut losses = Losses::default();
            for (second, count) in counts.iter().enumerate() {
                losses.counted(*count, at(second as u64));
            }
            prop_assert!(losses.counter.0.len() <= KEEP);
            prop_assert_eq!(losses.in_last_hour(at(300).mono), counts.iter().sum::<u64>());
        }
    }
}
