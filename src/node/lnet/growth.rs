//! By how much the counters of an NI grew lately: what a single pair of answers cannot tell.

use crate::sample::{LnetNi, Mono, Reading, Unknown, Why};
use std::collections::VecDeque;
use std::time::Duration;

/// How far back is looked.
const WINDOW: Duration = Duration::from_mins(1);

/// How much the counters of an NI grew within the last minute, as far as it was watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NiGrowth {
    /// Time between the oldest and the newest answer that count.
    pub over: Duration,
    /// `statistics / drop_count`: messages.
    pub dropped: Reading<u64>,
    /// `health stats / timeouts`: messages that waited in the local queue for too long.
    pub timeouts: Reading<u64>,
    /// Local failures of every kind (`health stats`).
    pub failures: Reading<u64>,
}

const FAILURES: [&str; 6] = ["interrupts", "dropped", "aborted", "no route", "timeouts", "error"];
const COUNTERS: usize = 3;

#[derive(Clone, Debug)]
struct Point {
    at: Mono,
    counts: [Reading<u32>; COUNTERS],
}

/// The answers of the last minute.
#[derive(Clone, Debug, Default)]
pub(super) struct Recent {
    points: VecDeque<Point>,
}

impl Recent {
    /// Takes the newest answer; the same answer again is none.
    pub(super) fn learn(&mut self, ni: &LnetNi, at: Mono) {
        if self.points.back().is_some_and(|last| last.at >= at) {
            return;
        }
        let failure = |kind: &str| ni.number::<u32>(&format!("health stats/{kind}"));
        let failures = FAILURES
            .into_iter()
            .try_fold(0u32, |sum, kind| Ok::<_, Unknown>(sum.wrapping_add(failure(kind)?)));
        let counts = [ni.drop_count.clone(), failure("timeouts"), failures];
        // Counters that went backwards by no wrap were reset: nothing before counts any more.
        let reset = self.points.back().is_some_and(|last| {
            let pairs = last.counts.iter().zip(&counts);
            pairs.into_iter().any(|p| matches!(p, (Ok(a), Ok(b)) if rise(*a, *b).is_none()))
        });
        if reset {
            self.points.clear();
        }
        self.points.push_back(Point { at, counts });
        // One point from before the window stays: the growth since then is what is asked for.
        while self.points.get(1).is_some_and(|second| at.since(second.at) >= WINDOW) {
            self.points.pop_front();
        }
    }

    /// The growth, once there are two answers.
    pub(super) fn growth(&self) -> Option<NiGrowth> {
        let (first, last) = (self.points.front()?, self.points.back()?);
        if self.points.len() < 2 {
            return None;
        }
        let grown = |counter: usize| -> Reading<u64> {
            let mut sum = 0u64;
            for (a, b) in self.points.iter().zip(self.points.iter().skip(1)) {
                let (a, b) = match (a.counts.get(counter), b.counts.get(counter)) {
                    (Some(Ok(a)), Some(Ok(b))) => (*a, *b),
                    (_, Some(Err(why))) => return Err(why.clone()),
                    // It was not known then: it grew by nothing that was seen.
                    _ => continue,
                };
                sum += rise(a, b).ok_or_else(|| Unknown::new(Why::Reset, "went backwards"))?;
            }
            Ok(sum)
        };
        Some(NiGrowth {
            over: last.at.since(first.at),
            dropped: grown(0),
            timeouts: grown(1),
            failures: grown(2),
        })
    }
}

/// The rise of a counter of 32 bits that may have wrapped; `None` where it was reset.
fn rise(old: u32, new: u32) -> Option<u64> {
    let risen = new.wrapping_sub(old);
    (risen <= u32::MAX / 2).then_some(u64::from(risen))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::testkit::lnet_ni;

    fn ni(drops: u32, timeouts: u32) -> LnetNi {
        let mut ni = lnet_ni("10.0.0.1@o2ib");
        ni.drop_count = Ok(drops);
        for kind in FAILURES {
            let n = if kind == "timeouts" { timeouts } else { 5 };
            ni.more.push((format!("health stats/{kind}").into(), n.to_string().into()));
        }
        ni
    }

    fn second(n: u64) -> Mono {
        Mono(n * 1_000_000_000)
    }

    #[test]
    fn growth_is_that_of_the_last_minute_across_a_wrap() {
        let mut recent = Recent::default();
        recent.learn(&ni(u32::MAX - 1, 0), second(0));
        assert_eq!(recent.growth(), None);
        recent.learn(&ni(3, 2), second(10));
        recent.learn(&ni(3, 2), second(10));
        let grown = recent.growth().unwrap();
        assert_eq!((grown.over, grown.dropped), (Duration::from_secs(10), Ok(5)));
        assert_eq!((grown.timeouts, grown.failures), (Ok(2), Ok(2)));
        // Quiet for longer than the window: nothing grew.
        for n in 2..10 {
            recent.learn(&ni(3, 2), second(n * 10));
        }
        let grown = recent.growth().unwrap();
        assert_eq!((grown.over, grown.dropped), (WINDOW, Ok(0)));
    }

    #[test]
    fn a_reset_is_no_growth() {
        let mut recent = Recent::default();
        recent.learn(&ni(900, 7), second(0));
        recent.learn(&ni(0, 0), second(2));
        assert_eq!(recent.growth(), None);
        recent.learn(&ni(1, 0), second(4));
        assert_eq!(recent.growth().unwrap().dropped, Ok(1));
    }

    #[test]
    fn a_counter_that_is_not_printed_is_not_known() {
        let mut recent = Recent::default();
        for n in 0..2 {
            recent.learn(&lnet_ni("10.0.0.1@o2ib"), second(n));
        }
        let grown = recent.growth().unwrap();
        assert_eq!(grown.dropped, Ok(0));
        assert_eq!(grown.timeouts.unwrap_err().why, Why::Absent);
    }
}
