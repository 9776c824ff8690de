//! LNet's message counts: 32 bits that wrap, and begin anew when nobody says so.

use crate::node::Figure;
use crate::sample::{Fact, Reading, Unknown, Why};
use std::time::Duration;

/// Two answers closer than this are one: the figure would be noise.
pub(super) const SHORTEST: Duration = Duration::from_millis(1);

/// What no NI moves in a second; LNet's cores handle some million messages. It tells a counter
/// that began anew from one that wrapped, where the step alone could be either.
const MOST_PER_SECOND: f64 = 2e7;

/// By how much a count rose between two answers; `None` where it began anew: it went back, which
/// for a count that wraps is a step of more than half its range, or rose by what cannot be.
pub(super) fn rose(old: u32, new: u32, took: Duration) -> Option<u32> {
    let rose = new.wrapping_sub(old);
    let possible = rose <= 1 << 31 && f64::from(rose) <= MOST_PER_SECOND * took.as_secs_f64();
    possible.then_some(rose)
}

/// A set of counts that live and die together: those of one NI, of one peer NI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Counts<const N: usize>(pub(super) [Option<u32>; N]);

/// What happened to a set of counts between two answers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rates<const N: usize> {
    /// Events per second; `None` where that is not known.
    pub(super) per_second: [Option<f64>; N],
    /// At least one of them began anew, so none of them says anything about that time.
    pub(super) reset: bool,
}

impl<const N: usize> Counts<N> {
    /// The counts of a set of readings.
    pub(super) fn of(readings: &[Reading<u32>; N]) -> Self {
        Self(std::array::from_fn(|i| readings.get(i).and_then(|r| r.as_ref().ok().copied())))
    }

    /// Rates from the counts before. A count that was not there before has none.
    pub(super) fn rates(&self, before: Option<&Self>, took: Duration) -> Rates<N> {
        let nothing = |reset| Rates { per_second: [None; N], reset };
        let Some(before) = before.filter(|_| took >= SHORTEST) else { return nothing(false) };
        let mut per_second = [None; N];
        for ((rate, old), new) in per_second.iter_mut().zip(before.0).zip(self.0) {
            let (Some(old), Some(new)) = (old, new) else { continue };
            let Some(rose) = rose(old, new, took) else { return nothing(true) };
            *rate = Some(f64::from(rose) / took.as_secs_f64());
        }
        Rates { per_second, reset: false }
    }
}

/// A rate as a figure, with the reason where there is none.
pub(super) fn figure(rate: Option<f64>, reset: bool, count: &Reading<u32>) -> Figure {
    match (rate, count) {
        (_, Err(unknown)) => Err(unknown.clone()).into(),
        (Some(rate), Ok(_)) => Fact::known(rate),
        (None, Ok(_)) if reset => Err(began_anew()).into(),
        (None, Ok(_)) => Fact::unknown(Why::FirstSample, "a rate needs two answers"),
    }
}

/// The reason for no rate over a reset.
fn began_anew() -> Unknown {
    Unknown::new(Why::Reset, "the counts began anew")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_wrap_is_no_reset_and_a_reset_no_wrap() {
        assert_eq!(rose(u32::MAX - 9, 10, SECOND), Some(20));
        assert_eq!(rose(5_000, 10, SECOND), None, "it went back");
        // From the upper half to nearly nothing: as a wrap that would be a billion in a second.
        assert_eq!(rose(3_000_000_000, 10, SECOND), None);
        assert_eq!(rose(10, 3_000_000_000, Duration::from_hours(1)), None, "more than half");
        assert_eq!(rose(7, 7, SECOND), Some(0));
    }

    #[test]
    fn one_count_that_begins_anew_speaks_for_its_set() {
        let before = Counts([Some(5_000), Some(3), None]);
        let now = Counts([Some(100), Some(9), Some(1)]);
        let rates = now.rates(Some(&before), SECOND);
        assert_eq!((rates.per_second, rates.reset), ([None; 3], true));
    }

    #[test]
    fn a_count_that_was_not_there_has_no_rate() {
        let before = Counts([Some(10), None, Some(1)]);
        let now = Counts([Some(30), Some(40), None]);
        let rates = now.rates(Some(&before), Duration::from_secs(2));
        assert_eq!((rates.per_second, rates.reset), ([Some(10.0), None, None], false));
        let none = now.rates(None, SECOND);
        assert_eq!((none.per_second, none.reset), ([None; 3], false));
        let same = now.rates(Some(&before), Duration::ZERO);
        assert_eq!((same.per_second, same.reset), ([None; 3], false), "no time passed");
    }

    #[test]
    fn the_reason_is_that_of_the_count_or_of_the_set() {
        let absent = Err(Unknown::new(Why::Absent, "no such key"));
        let why = |f: Figure| f.value.map_err(|u| u.why);
        assert_eq!(why(figure(None, true, &absent)), Err(Why::Absent));
        assert_eq!(why(figure(None, true, &Ok(1))), Err(Why::Reset));
        assert_eq!(why(figure(None, false, &Ok(1))), Err(Why::FirstSample));
        assert_eq!(why(figure(Some(2.0), false, &Ok(1))), Ok(2.0));
    }

    proptest! {
        #[test]
        fn a_step_that_can_be_comes_out(old: u32, step in 0u32..=20_000_000) {
            prop_assert_eq!(rose(old, old.wrapping_add(step), SECOND), Some(step));
        }

        #[test]
        fn no_rate_is_negative_or_beyond_what_can_be(
            old in proptest::array::uniform4(any::<Option<u32>>()),
            new in proptest::array::uniform4(any::<Option<u32>>()),
            nanos in 0u64..10_000_000_000_000,
        ) {
            let took = Duration::from_nanos(nanos);
            let rates = Counts(new).rates(Some(&Counts(old)), took);
            for rate in rates.per_second.into_iter().flatten() {
                prop_assert!((0.0..=MOST_PER_SECOND * 1.000_001).contains(&rate));
            }
            if rates.reset {
                prop_assert!(rates.per_second.iter().all(Option::is_none));
            }
        }
    }
}
