//! Byte rates from raw counters: by the time of each read, never over a reset.

use super::Figure;
use crate::sample::{Fact, How, Mono, Reading, Text, Why};
use std::time::Duration;

/// How a counter behaves at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nature {
    /// 64 bits: it does not come to its end.
    Wide,
    /// It stays at this maximum until it is reset: PMA counters (`core/sysfs.c`, PORT_PMA_ATTR).
    Saturating(u64),
    /// 32 bits and wraps: mlx5 Q-counters (`be32` in the firmware's answer).
    Wrapping32,
}

/// What happened between two reads of one counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delta {
    /// It rose by that much.
    Rose(u64),
    /// It rose by at least that much and now stands at its maximum.
    RoseToMax(u64),
    /// It stands at its maximum: what happens is not counted any more.
    Saturated,
    /// It went backwards.
    Reset,
}

/// Where 32 bits end.
pub(super) const MAX32: u64 = u32::MAX as u64;

/// Compares two reads.
pub(super) fn delta(nature: Nature, old: u64, new: u64) -> Delta {
    match nature {
        Nature::Saturating(max) if old == max && new == max => Delta::Saturated,
        Nature::Saturating(max) if new == max && old < max => Delta::RoseToMax(new - old),
        Nature::Wrapping32 if new < old && old > MAX32 / 2 && old <= MAX32 => {
            Delta::Rose(new + (MAX32 + 1) - old)
        }
        _ => new.checked_sub(old).map_or(Delta::Reset, Delta::Rose),
    }
}

/// One read of one counter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Read<'a> {
    /// Its file, to recognise it.
    pub file: &'a Text,
    /// When.
    pub at: Mono,
    /// What came.
    pub value: &'a Reading<u64>,
    /// Bytes per count.
    pub unit: u64,
    /// Its end.
    pub nature: Nature,
}

/// What an update of a meter brought.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    /// A counter was read again.
    pub fresh: bool,
    /// Bytes moved since the read before, where that could be measured.
    pub bytes: u64,
    /// The counter that went backwards or jumped, in words.
    pub reset: Option<Text>,
}

/// The rate of one direction, from one counter or the sum of some.
#[derive(Clone, Debug)]
pub(super) struct Meter {
    taps: Vec<Tap>,
    figure: Figure,
    read_at: Mono,
    interval: Duration,
}

/// One counter of a meter.
#[derive(Clone, Debug)]
struct Tap {
    file: Text,
    /// When it was looked at last, readable or not.
    seen: Mono,
    /// The value the next rate starts from.
    base: Option<(Mono, u64)>,
    rate: Figure,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            taps: Vec::new(),
            figure: first(),
            read_at: Mono::default(),
            interval: Duration::ZERO,
        }
    }
}

fn first() -> Figure {
    Fact::unknown(Why::FirstSample, "a rate needs two reads")
}

/// What no link carries, bytes per second: thrice 12X XDR.
const ANY_LINK: f64 = 1e12;
/// Two reads closer than this are one: the figure would be noise.
const SHORTEST: Duration = Duration::from_millis(1);

impl Meter {
    /// Forgets what was before: the next read is the first again.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// The rate as it is known now.
    pub(super) fn figure(&self) -> &Figure {
        &self.figure
    }

    /// Takes the reads of a pass. `ceiling` is what the link can carry, bytes per second.
    pub(super) fn update<'a>(
        &mut self,
        reads: impl Iterator<Item = Read<'a>>,
        now: Mono,
        ceiling: Option<f64>,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        let mut count = 0;
        for (place, read) in reads.enumerate() {
            count = place + 1;
            let tap = self.tap(place, read.file);
            match tap.take(&read, ceiling, &mut outcome) {
                Taken::Before => continue,
                Taken::Measured(took) => self.interval = took,
                Taken::Unmeasured => {}
            }
            self.read_at = self.read_at.max(read.at);
        }
        self.taps.truncate(count);
        if outcome.fresh || count == 0 {
            self.figure = self.sum();
        }
        self.mark_stale(now);
        outcome
    }

    fn tap(&mut self, place: usize, file: &Text) -> &mut Tap {
        let new = || Tap { file: file.clone(), seen: Mono(u64::MAX), base: None, rate: first() };
        if self.taps.get(place).is_none_or(|t| t.file != *file) {
            self.taps.truncate(place);
            self.taps.push(new());
        }
        let last = place.min(self.taps.len().saturating_sub(1));
        &mut self.taps[last]
    }

    fn sum(&self) -> Figure {
        let mut total = 0.0;
        let mut qualified = None;
        for tap in &self.taps {
            match &tap.rate.value {
                Ok(rate) => total += rate,
                Err(unknown) => return Err(unknown.clone()).into(),
            }
            qualified = qualified.or_else(|| tap.rate.qualified.clone());
        }
        if self.taps.is_empty() {
            return Fact::unknown(Why::Absent, "no byte counter");
        }
        Fact { value: Ok(total), qualified }
    }

    /// A rate that was not measured again for three intervals says so.
    fn mark_stale(&mut self, now: Mono) {
        let age = now.since(self.read_at);
        if self.figure.value.is_ok() && age > self.interval * 3 {
            let detail = format!("last read {:.1} s ago", age.as_secs_f64());
            self.figure = self.figure.clone().qualified(How::Stale, detail);
        }
    }
}

/// What became of a read.
#[derive(Clone, Copy, Debug)]
enum Taken {
    /// It is the one from before.
    Before,
    /// There is a rate over that time.
    Measured(Duration),
    /// It is a beginning, or nothing.
    Unmeasured,
}

impl Tap {
    /// Takes a read.
    fn take(&mut self, read: &Read<'_>, ceiling: Option<f64>, outcome: &mut Outcome) -> Taken {
        if self.seen == read.at {
            return Taken::Before;
        }
        let value = match read.value {
            Ok(value) => *value,
            Err(unknown) => {
                self.seen = read.at;
                self.base = None;
                self.rate = Err(unknown.clone()).into();
                outcome.fresh = true;
                return Taken::Unmeasured;
            }
        };
        let took = match self.base {
            Some((at, _)) if read.at > at && read.at.since(at) < SHORTEST => {
                return Taken::Before;
            }
            Some((at, old)) if read.at > at => {
                let took = read.at.since(at);
                self.rate = self.measure(read, old, value, took, ceiling, outcome);
                Taken::Measured(took)
            }
            _ => {
                self.rate = first();
                Taken::Unmeasured
            }
        };
        self.seen = read.at;
        self.base = Some((read.at, value));
        outcome.fresh = true;
        took
    }

    fn measure(
        &self,
        read: &Read<'_>,
        old: u64,
        new: u64,
        took: Duration,
        ceiling: Option<f64>,
        outcome: &mut Outcome,
    ) -> Figure {
        let (counts, at_max) = match delta(read.nature, old, new) {
            Delta::Rose(counts) => (counts, false),
            Delta::RoseToMax(counts) => (counts, true),
            Delta::Saturated => {
                return Fact::unknown(Why::Unsupported, "32-bit counter saturated");
            }
            Delta::Reset => {
                outcome.reset = Some(self.file.clone());
                return Fact::unknown(Why::Reset, format!("{} went backwards", self.file));
            }
        };
        let bytes = counts as f64 * read.unit as f64;
        let rate = bytes / took.as_secs_f64();
        // A read returns some time after the hardware was asked: allow for 50 ms of it.
        let most = ceiling.unwrap_or(ANY_LINK) * (1.5 * took.as_secs_f64() + 0.05);
        if bytes > most {
            outcome.reset = Some(Text::from(format!("{} jumped", self.file)));
            let detail =
                format!("{}: {:.1} GB/s is more than a link can carry", self.file, rate / 1e9);
            return Fact::unknown(Why::Reset, detail);
        }
        outcome.bytes = outcome.bytes.saturating_add(counts.saturating_mul(read.unit));
        if at_max {
            Fact::known(rate).qualified(How::Saturated, "the counter reached its maximum")
        } else {
            Fact::known(rate)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Unknown;
    use proptest::prelude::*;

    fn step(
        m: &mut Meter,
        at_ms: u64,
        value: &Reading<u64>,
        unit: u64,
        nature: Nature,
    ) -> (Figure, Outcome) {
        let at = Mono(at_ms * 1_000_000);
        let file = Text::new("counters/port_rcv_data");
        let read = Read { file: &file, at, value, unit, nature };
        let outcome = m.update(std::iter::once(read), at, None);
        (m.figure().clone(), outcome)
    }

    fn why(f: &Figure) -> Option<Why> {
        f.value.as_ref().err().map(|u| u.why)
    }

    #[test]
    fn p11_measured_time_not_nominal() {
        let mut m = Meter::default();
        step(&mut m, 0, &Ok(100), 4, Nature::Wide);
        let (f, o) = step(&mut m, 2_500, &Ok(1_100), 4, Nature::Wide);
        assert_eq!(f.value, Ok(1_600.0));
        assert_eq!(o.bytes, 4_000);
    }

    #[test]
    fn p05_a_missing_previous_value_is_no_rate() {
        let mut m = Meter::default();
        let (f, _) = step(&mut m, 0, &Ok(1 << 50), 4, Nature::Wide);
        assert_eq!(why(&f), Some(Why::FirstSample));
        let gone = Err(Unknown::new(Why::Absent, "ENOENT"));
        let (f, _) = step(&mut m, 1_000, &gone, 4, Nature::Wide);
        assert_eq!(why(&f), Some(Why::Absent));
        let (f, _) = step(&mut m, 2_000, &Ok(1 << 51), 4, Nature::Wide);
        assert_eq!(why(&f), Some(Why::FirstSample), "no spike after a gap");
    }

    #[test]
    fn p04_a_reset_is_no_figure_and_no_huge_one() {
        let mut m = Meter::default();
        step(&mut m, 0, &Ok(1_000_000), 4, Nature::Wide);
        let (f, o) = step(&mut m, 1_000, &Ok(500), 4, Nature::Wide);
        assert_eq!(why(&f), Some(Why::Reset));
        assert!(o.reset.is_some());
        let (f, o) = step(&mut m, 2_000, &Ok(1_500), 4, Nature::Wide);
        assert_eq!(f.value, Ok(4_000.0));
        assert!(o.reset.is_none());
    }

    #[test]
    fn p02_a_saturated_data_counter_is_unknown_not_idle() {
        let mut m = Meter::default();
        step(&mut m, 0, &Ok(MAX32 - 1_000), 4, Nature::Saturating(MAX32));
        let (f, _) = step(&mut m, 1_000, &Ok(MAX32), 4, Nature::Saturating(MAX32));
        assert_eq!(f.qualified.map(|q| q.how), Some(How::Saturated));
        let (f, _) = step(&mut m, 2_000, &Ok(MAX32), 4, Nature::Saturating(MAX32));
        assert_eq!(why(&f), Some(Why::Unsupported));
        let (f, _) = step(&mut m, 3_000, &Ok(1_000), 4, Nature::Saturating(MAX32));
        assert_eq!(why(&f), Some(Why::Reset));
        let (f, _) = step(&mut m, 4_000, &Ok(1_001), 4, Nature::Saturating(MAX32));
        assert_eq!(f.value, Ok(4.0));
    }

    #[test]
    fn p03_only_files_known_to_wrap_wrap() {
        assert_eq!(delta(Nature::Wrapping32, MAX32 - 9, 10), Delta::Rose(20));
        assert_eq!(delta(Nature::Wrapping32, 5_000, 10), Delta::Reset);
        assert_eq!(delta(Nature::Wide, MAX32 - 9, 10), Delta::Reset);
        assert_eq!(delta(Nature::Saturating(MAX32), MAX32 - 9, 10), Delta::Reset);
    }

    #[test]
    fn p10_the_same_read_twice_is_no_new_rate_and_ages() {
        let mut m = Meter::default();
        let file = Text::new("counters/port_rcv_data");
        let mut at = |now_ms: u64, read_ms: u64, value: u64| {
            let value = Ok(value);
            let at = Mono(read_ms * 1_000_000);
            let read = Read { file: &file, at, value: &value, unit: 4, nature: Nature::Wide };
            m.update(std::iter::once(read), Mono(now_ms * 1_000_000), None);
            m.figure().clone()
        };
        at(0, 0, 0);
        assert_eq!(at(1_000, 1_000, 250).value, Ok(1_000.0));
        let kept = at(2_000, 1_000, 250);
        assert_eq!((kept.value, kept.qualified), (Ok(1_000.0), None));
        let old = at(4_500, 1_000, 250);
        assert_eq!(old.qualified.map(|q| q.how), Some(How::Stale));
        let fresh = at(5_000, 5_000, 1_250);
        assert_eq!((fresh.value, fresh.qualified), (Ok(1_000.0), None));
    }

    #[test]
    fn more_than_the_link_can_carry_is_no_figure() {
        let mut m = Meter::default();
        let file = Text::new("counters/port_rcv_data");
        let mut at = |s: u64, value: u64| {
            let value = Ok(value);
            let at = Mono(s * 1_000_000_000);
            let read = Read { file: &file, at, value: &value, unit: 4, nature: Nature::Wide };
            m.update(std::iter::once(read), at, Some(25e9));
            m.figure().clone()
        };
        at(0, 0);
        assert_eq!(why(&at(1, 1 << 60)), Some(Why::Reset));
        assert_eq!(at(2, (1 << 60) + 1_000).value, Ok(4_000.0));
    }

    #[test]
    fn more_than_any_link_can_carry_is_no_figure() {
        let mut m = Meter::default();
        step(&mut m, 0, &Ok(0), 4, Nature::Wide);
        let (f, o) = step(&mut m, 1_000, &Ok(u64::MAX), 4, Nature::Wide);
        assert_eq!((why(&f), o.bytes), (Some(Why::Reset), 0));
    }

    proptest! {
        #[test]
        fn a_rate_is_never_negative_nor_absurd(
            values in proptest::collection::vec((any::<u64>(), 1u64..10_000, any::<bool>()), 1..40),
            nature in prop_oneof![
                Just(Nature::Wide), Just(Nature::Saturating(MAX32)), Just(Nature::Wrapping32)
            ],
        ) {
            let mut m = Meter::default();
            let mut now = 0;
            for (value, wait, readable) in values {
                now += wait;
                let value =
                    if readable { Ok(value) } else { Err(Unknown::new(Why::Denied, "EACCES")) };
                let (f, _) = step(&mut m, now, &value, 8, nature);
                if let Ok(rate) = f.value {
                    prop_assert!((0.0..1e14).contains(&rate));
                }
            }
        }

        #[test]
        fn a_steady_counter_gives_its_rate(start in 0u64..1 << 60, inc in 0u64..1 << 30, n in 2u64..20) {
            let mut m = Meter::default();
            for i in 0..n {
                let (f, o) = step(&mut m, i * 250, &Ok(start + i * inc), 4, Nature::Wide);
                prop_assert_eq!(o.bytes, if i == 0 { 0 } else { inc * 4 });
                if i > 0 {
                    let want = inc as f64 * 16.0;
                    prop_assert!((f.value.unwrap() - want).abs() <= want * 1e-9);
                }
            }
        }

        #[test]
        fn delta_inverts_addition(old in any::<u32>(), add in 0u32..1 << 30) {
            let new = u64::from(old.wrapping_add(add));
            let old = u64::from(old);
            match delta(Nature::Wrapping32, old, new) {
                Delta::Rose(d) => prop_assert_eq!(d, u64::from(add)),
                other => prop_assert!(false, "{:?}", other),
            }
        }
    }
}
