//! What one counter did since railtop looks: value, rises, resets.

use super::{CounterGroup, CounterInfo};
use crate::node::rate::{Delta, Nature, delta};
use crate::sample::{Fact, How, Mono, Reading, SampleTime, Unknown, Why};
use std::collections::VecDeque;
use std::time::Duration;

/// How far back rises are kept.
const WINDOW: Duration = Duration::from_mins(10);
/// Rises kept at most; beyond that the two oldest become one.
const POINTS: usize = 128;

/// Since when a change is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// Since railtop saw the counter first.
    Start,
    /// Since the newest mark.
    Mark,
    /// The last ten minutes.
    TenMinutes,
}

/// A rise, with the time of the read that showed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Point {
    at: SampleTime,
    rise: u64,
}

/// What a read told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::node) enum Happened {
    /// Nothing new.
    Nothing,
    /// It rose.
    Rose(u64),
    /// It went backwards.
    Reset,
}

/// One counter and what it did. Memory is bounded: rises of the last ten minutes and sums.
#[derive(Clone, Debug)]
pub struct CounterRecord {
    /// What it is.
    pub info: &'static CounterInfo,
    /// Its value at the newest read.
    pub value: Reading<u64>,
    /// When it was seen first.
    first: SampleTime,
    nature: Nature,
    /// The value that the next rise starts from, over reads that failed in between.
    base: Option<u64>,
    /// Read at least twice.
    compared: bool,
    total: u64,
    points: VecDeque<Point>,
    /// Total at the newest mark.
    marked: Option<u64>,
    /// Last read at which it stood at its end: from the one before on nothing was counted.
    stood_at: Option<Mono>,
    stood_since_start: bool,
    stood_since_mark: bool,
    moved: Option<SampleTime>,
    reset: Option<SampleTime>,
}

impl CounterRecord {
    pub(in crate::node) fn new(info: &'static CounterInfo, nature: Nature, at: SampleTime) -> Self {
        Self {
            info,
            value: Err(Unknown::new(Why::FirstSample, "not read yet")),
            first: at,
            nature,
            base: None,
            compared: false,
            total: 0,
            points: VecDeque::new(),
            marked: None,
            stood_at: None,
            stood_since_start: false,
            stood_since_mark: false,
            moved: None,
            reset: None,
        }
    }

    /// The value at which it stands still, if it has one.
    pub fn sticks_at(&self) -> Option<u64> {
        match self.nature {
            Nature::Saturating(max) => Some(max),
            Nature::Wide | Nature::Wrapping32 => None,
        }
    }

    /// Bits of the register: of `counters/` by the kernel's table, of mlx5's Q counters 32.
    pub fn bits(&self) -> Option<u32> {
        match (self.info.group, self.nature) {
            (CounterGroup::Hardware, Nature::Wrapping32) => Some(32),
            (CounterGroup::Hardware, _) => None,
            _ => self.info.bits,
        }
    }

    /// Does it stand at its end now? Then what happens is not counted any more.
    pub fn is_saturated(&self) -> bool {
        self.value.as_ref().ok().copied() == self.sticks_at() && self.value.is_ok()
    }

    /// All that it rose since railtop looks, readable now or not.
    pub(in crate::node) fn total(&self) -> u64 {
        self.total
    }

    /// Time of the newest rise.
    pub fn moved(&self) -> Option<SampleTime> {
        self.moved
    }

    /// Time of the newest reset.
    pub fn reset(&self) -> Option<SampleTime> {
        self.reset
    }

    /// Time of the oldest rise within the last ten minutes.
    pub fn rising_since(&self, now: Mono) -> Option<SampleTime> {
        self.recent(now).next().map(|p| p.at)
    }

    /// How long it has been watched, ten minutes at most.
    pub fn watched(&self, now: Mono) -> Duration {
        now.since(self.first.mono).min(WINDOW)
    }

    fn recent(&self, now: Mono) -> impl Iterator<Item = &Point> {
        self.points.iter().filter(move |p| now.since(p.at.mono) < WINDOW)
    }

    /// By how much it rose.
    ///
    /// Unknown while it cannot be read, before the second read, without a mark, and where it
    /// stood at its end all the while; `≥` (saturated) where it did for a part of the time.
    pub fn change(&self, since: Since, now: Mono) -> Fact<u64> {
        if let Err(unknown) = &self.value {
            return Err(unknown.clone()).into();
        }
        let (rise, stood) = match since {
            Since::Start => (self.total, self.stood_since_start),
            Since::Mark => match self.marked {
                Some(marked) => (self.total.saturating_sub(marked), self.stood_since_mark),
                None => return Fact::unknown(Why::NotApplicable, "no mark is set"),
            },
            Since::TenMinutes => (
                self.recent(now).fold(0, |sum: u64, p| sum.saturating_add(p.rise)),
                self.stood_at.is_some_and(|at| now.since(at) < WINDOW),
            ),
        };
        if !self.compared {
            return Fact::unknown(Why::FirstSample, "a change needs two reads");
        }
        match (rise, stood) {
            (0, true) => Fact::unknown(Why::Unsupported, self.stands()),
            (_, true) => Fact::known(rise).qualified(How::Saturated, self.stands()),
            _ => Fact::known(rise),
        }
    }

    fn stands(&self) -> String {
        let max = self.sticks_at().unwrap_or(u64::MAX);
        format!("it stood at its maximum, {max}: what is new is not counted")
    }

    /// Takes a read.
    pub(in crate::node) fn take(&mut self, value: &Reading<u64>, at: SampleTime) -> Happened {
        self.value.clone_from(value);
        let Ok(new) = value else { return Happened::Nothing };
        let Some(old) = self.base.replace(*new) else {
            self.stand_if(Some(*new) == self.sticks_at(), at);
            return Happened::Nothing;
        };
        self.compared = true;
        match delta(self.nature, old, *new) {
            Delta::Rose(0) => Happened::Nothing,
            Delta::Rose(rise) => self.rise(rise, at),
            Delta::RoseToMax(rise) => {
                self.stand_if(true, at);
                self.rise(rise, at)
            }
            Delta::Saturated => {
                self.stand_if(true, at);
                Happened::Nothing
            }
            Delta::Reset => {
                self.reset = Some(at);
                Happened::Reset
            }
        }
    }

    fn stand_if(&mut self, stands: bool, at: SampleTime) {
        if stands {
            self.stood_at = Some(at.mono);
            (self.stood_since_start, self.stood_since_mark) = (true, true);
        }
    }

    fn rise(&mut self, rise: u64, at: SampleTime) -> Happened {
        self.total = self.total.saturating_add(rise);
        self.moved = Some(at);
        while self.points.front().is_some_and(|p| at.mono.since(p.at.mono) >= WINDOW) {
            self.points.pop_front();
        }
        if self.points.len() >= POINTS
            && let Some(oldest) = self.points.pop_front()
            && let Some(next) = self.points.front_mut()
        {
            next.rise = next.rise.saturating_add(oldest.rise);
        }
        self.points.push_back(Point { at, rise });
        Happened::Rose(rise)
    }

    /// From now on a change since the mark counts from here.
    pub(in crate::node) fn mark(&mut self) {
        self.marked = Some(self.total);
        self.stood_since_mark = self.is_saturated();
    }

    /// The device went: what it counts when it is back has another beginning.
    pub(in crate::node) fn forget(&mut self, why: &Unknown) {
        self.base = None;
        self.value = Err(why.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::super::counter;
    use super::*;
    use crate::node::rate::MAX32;
    use proptest::prelude::*;

    fn at(second: u64) -> SampleTime {
        let wall = jiff::Timestamp::from_second(1_700_000_000 + second.cast_signed()).unwrap();
        SampleTime { wall, mono: Mono(1_000_000_000_000 + second * 1_000_000_000) }
    }

    fn record(name: &str) -> CounterRecord {
        let info = counter(name, CounterGroup::Port).unwrap();
        CounterRecord::new(info, Nature::Saturating(info.sticks_at().unwrap()), at(0))
    }

    fn feed(record: &mut CounterRecord, reads: &[(u64, u64)]) -> Vec<Happened> {
        reads.iter().map(|(second, value)| record.take(&Ok(*value), at(*second))).collect()
    }

    fn change(record: &CounterRecord, since: Since, second: u64) -> Result<u64, Why> {
        record.change(since, at(second).mono).value.map_err(|u| u.why)
    }

    #[test]
    fn a_rise_counts_for_ten_minutes_and_since_the_start_for_ever() {
        let mut r = record("symbol_error");
        feed(&mut r, &[(0, 57), (5, 57), (10, 60), (15, 71)]);
        assert_eq!(change(&r, Since::TenMinutes, 15), Ok(14));
        assert_eq!(r.rising_since(at(15).mono), Some(at(10)));
        assert_eq!(r.moved(), Some(at(15)));
        assert_eq!(change(&r, Since::TenMinutes, 611), Ok(11));
        assert_eq!(change(&r, Since::TenMinutes, 616), Ok(0));
        assert_eq!(change(&r, Since::Start, 616), Ok(14));
    }

    #[test]
    fn since_the_mark_and_without_one() {
        let mut r = record("symbol_error");
        feed(&mut r, &[(0, 0), (5, 3)]);
        assert_eq!(change(&r, Since::Mark, 5), Err(Why::NotApplicable));
        r.mark();
        assert_eq!(change(&r, Since::Mark, 5), Ok(0));
        feed(&mut r, &[(10, 10)]);
        assert_eq!((change(&r, Since::Mark, 10), change(&r, Since::Start, 10)), (Ok(7), Ok(10)));
    }

    #[test]
    fn p02_a_saturated_counter_has_no_change_rather_than_none() {
        let mut r = record("link_downed");
        feed(&mut r, &[(0, 255)]);
        assert!(r.is_saturated());
        assert_eq!(change(&r, Since::Start, 0), Err(Why::FirstSample));
        feed(&mut r, &[(5, 255)]);
        assert_eq!(change(&r, Since::Start, 5), Err(Why::Unsupported));
        assert_eq!(change(&r, Since::TenMinutes, 5), Err(Why::Unsupported));
        // On the way there it is a lower bound.
        let mut r = record("link_downed");
        feed(&mut r, &[(0, 250), (5, 255)]);
        let change = r.change(Since::Start, at(5).mono);
        assert_eq!((change.value, change.qualified.map(|q| q.how)), (Ok(5), Some(How::Saturated)));
    }

    #[test]
    fn p02_a_value_above_the_width_is_of_a_wider_register() {
        let mut r = record("link_downed");
        feed(&mut r, &[(0, 300), (5, 301)]);
        assert!(!r.is_saturated());
        assert_eq!(change(&r, Since::Start, 5), Ok(1));
    }

    #[test]
    fn p04_a_reset_is_told_and_counts_nothing() {
        let mut r = record("symbol_error");
        let happened = feed(&mut r, &[(0, 900), (5, 3), (10, 4)]);
        assert_eq!(happened, [Happened::Nothing, Happened::Reset, Happened::Rose(1)]);
        assert_eq!((change(&r, Since::Start, 10), r.reset()), (Ok(1), Some(at(5))));
        // From its end too: afterwards it counts again, and the time before stays unknown.
        let mut r = record("link_downed");
        feed(&mut r, &[(0, 255), (5, 255), (10, 0), (15, 1)]);
        let since = r.change(Since::Start, at(15).mono);
        assert_eq!((since.value, since.qualified.map(|q| q.how)), (Ok(1), Some(How::Saturated)));
    }

    #[test]
    fn p05_a_device_that_comes_back_begins_anew() {
        let mut r = record("symbol_error");
        feed(&mut r, &[(0, 10), (5, 11)]);
        r.forget(&Unknown::new(Why::Absent, "it is gone"));
        assert_eq!(change(&r, Since::Start, 6), Err(Why::Absent));
        assert_eq!(
            feed(&mut r, &[(20, 40_000), (25, 40_001)]),
            [Happened::Nothing, Happened::Rose(1)]
        );
        assert_eq!(change(&r, Since::Start, 25), Ok(2));
    }

    #[test]
    fn p08_a_read_that_fails_is_no_zero_and_hides_no_rise() {
        let mut r = record("symbol_error");
        feed(&mut r, &[(0, 10), (5, 10)]);
        r.take(&Err(Unknown::new(Why::Unsupported, "EINVAL")), at(10));
        assert_eq!(change(&r, Since::Start, 10), Err(Why::Unsupported));
        feed(&mut r, &[(15, 12)]);
        assert_eq!(change(&r, Since::Start, 15), Ok(2));
    }

    #[test]
    fn p03_hardware_counters_of_mlx5_wrap() {
        let info = counter("local_ack_timeout_err", CounterGroup::Hardware).unwrap();
        let mut r = CounterRecord::new(info, Nature::Wrapping32, at(0));
        feed(&mut r, &[(0, MAX32 - 1), (5, 3)]);
        assert_eq!((change(&r, Since::Start, 5), r.bits()), (Ok(5), Some(32)));
        assert_eq!(feed(&mut r, &[(10, 1)]), [Happened::Reset], "a small one that falls");
    }

    proptest! {
        /// Whatever comes, the change of ten minutes is never more than that of all time, memory
        /// is bounded, and a counter that only rises is counted exactly.
        #[test]
        fn changes_are_sums(
            reads in proptest::collection::vec((0u64..200, 0u64..300, 0u8..10), 1..400),
            name in prop_oneof![Just("symbol_error"), Just("link_downed"), Just("VL15_dropped")],
        ) {
            let mut r = record(name);
            let max = r.sticks_at().unwrap();
            let (mut second, mut value, mut sum) = (0, 0u64, 0u64);
            for (n, (wait, rise, kind)) in reads.into_iter().enumerate() {
                second += wait;
                let before = value;
                value = if kind == 0 { 0 } else { (value + rise).min(max) };
                let happened = r.take(&Ok(value), at(second));
                if n > 0 && value > before {
                    sum += value - before;
                    prop_assert_eq!(happened, Happened::Rose(value - before));
                }
                let start = r.change(Since::Start, at(second).mono).value;
                let recent = r.change(Since::TenMinutes, at(second).mono).value;
                if let Ok(start) = &start {
                    prop_assert_eq!(*start, sum);
                }
                if let (Ok(start), Ok(recent)) = (start, recent) {
                    prop_assert!(recent <= start);
                }
                prop_assert!(r.points.len() <= POINTS);
            }
        }

        #[test]
        fn no_reads_panic(values: Vec<Option<u64>>, marks: Vec<bool>) {
            let mut r = record("port_xmit_wait");
            for (n, value) in values.into_iter().enumerate() {
                let value = value.ok_or_else(|| Unknown::new(Why::Denied, ""));
                r.take(&value, at(n as u64));
                if marks.get(n) == Some(&true) {
                    r.mark();
                }
                for since in [Since::Start, Since::Mark, Since::TenMinutes] {
                    let _ = r.change(since, at(n as u64).mono);
                }
            }
        }
    }
}
