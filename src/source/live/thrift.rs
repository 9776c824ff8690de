//! Own cost against the time it is spent in.

use super::schedule::Schedule;
use crate::sample::{Mono, Note, OWN_COST};
use std::time::Duration;

/// More than this share of the time is too much …
const TOO_MUCH: f64 = 0.10;
/// … and below this one there is room again.
const LITTLE: f64 = 0.03;
/// Spans in a row that must agree before anything is changed.
const SPANS: u8 = 2;

/// Watches what reading costs, one period of the slow tier after the other.
#[derive(Debug)]
pub(super) struct Thrift {
    since: Mono,
    spent: Duration,
    dear: u8,
    cheap: u8,
    slowed: Option<Note>,
}

impl Thrift {
    /// Counts from `start`.
    pub(super) fn new(start: Mono) -> Self {
        Self { since: start, spent: Duration::ZERO, dear: 0, cheap: 0, slowed: None }
    }

    /// A pass cost that much.
    pub(super) fn spend(&mut self, cost: Duration) {
        self.spent += cost;
    }

    /// At the end of each span, judges it and moves the slow tier.
    pub(super) fn judge(&mut self, now: Mono, schedule: &mut Schedule) {
        let span = now.since(self.since);
        if span < schedule.slow_period() {
            return;
        }
        let share = self.spent.as_secs_f64() / span.as_secs_f64();
        self.since = now;
        self.spent = Duration::ZERO;
        self.dear = if share > TOO_MUCH { self.dear + 1 } else { 0 };
        self.cheap = if share < LITTLE { self.cheap + 1 } else { 0 };
        if self.dear >= SPANS {
            self.dear = 0;
            schedule.slow_down();
            self.slowed = Some(note(now, share, schedule.slow_period()));
        } else if self.cheap >= SPANS {
            self.cheap = 0;
            if self.slowed.is_some() && !schedule.speed_up() {
                self.slowed = None;
            }
        }
    }

    /// What the user must know.
    pub(super) fn note(&self) -> Option<&Note> {
        self.slowed.as_ref()
    }
}

fn note(now: Mono, share: f64, period: Duration) -> Note {
    let what = format!(
        "reading takes {:.0} % of the time: error counters come every {} s only",
        share * 100.0,
        period.as_secs()
    );
    Note { reader: OWN_COST.into(), what: what.into(), since: now }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dear_reads_slow_the_slow_tier_and_cheap_ones_bring_it_back() {
        let mut now = Mono(1);
        let mut schedule = Schedule::new(now, Duration::from_secs(1));
        let mut thrift = Thrift::new(now);
        let mut live = |seconds: u32, cost: Duration, thrift: &mut Thrift| {
            for _ in 0..seconds {
                now = now + Duration::from_secs(1);
                thrift.spend(cost);
                thrift.judge(now, &mut schedule);
            }
            schedule.slow_period().as_secs()
        };
        assert_eq!(live(9, Duration::from_millis(150), &mut thrift), 5);
        assert!(thrift.note().is_none());
        assert_eq!(live(1, Duration::from_millis(150), &mut thrift), 10);
        assert!(thrift.note().is_some_and(|n| n.what.contains("every 10 s")));
        assert_eq!(live(300, Duration::from_millis(150), &mut thrift), 60);
        assert_eq!(live(600, Duration::from_millis(1), &mut thrift), 5);
        assert!(thrift.note().is_none());
    }
}
