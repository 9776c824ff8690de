//! Figures as the screen shows them.

use super::glyphs;
use crate::node::Figure;
use crate::sample::{How, Reading, Unknown};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::fmt::Display;
use std::time::Duration;

/// The unit that all rates of one table share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RateUnit {
    /// `GB/s`, `MB/s`, `Gb/s`, `Mb/s`.
    pub(crate) label: &'static str,
    /// Bytes per second in one unit.
    pub(crate) bytes: f64,
}

impl RateUnit {
    /// Giga for links that can carry a gigabyte a second, mega below: chosen by what the links
    /// can do, not by what they do now, so that it never changes under load.
    pub(crate) fn new(fastest_bits_per_second: f64, bits: bool) -> Self {
        match (fastest_bits_per_second >= 8e9, bits) {
            (true, false) => Self { label: "GB/s", bytes: 1e9 },
            (false, false) => Self { label: "MB/s", bytes: 1e6 },
            (true, true) => Self { label: "Gb/s", bytes: 1e9 / 8.0 },
            (false, true) => Self { label: "Mb/s", bytes: 1e6 / 8.0 },
        }
    }

    /// A rate with two decimals; never `0.00` for something.
    pub(crate) fn rate(self, bytes_per_second: f64) -> String {
        let value = bytes_per_second / self.bytes;
        if value > 0.0 && value < 0.005 {
            return "<0.01".to_owned();
        }
        if value >= 1000.0 { format!("{value:.0}") } else { format!("{value:.2}") }
    }

    /// A capacity: no more digits than it deserves.
    pub(crate) fn capacity(self, bytes_per_second: f64) -> String {
        let value = bytes_per_second / self.bytes;
        let digits = usize::from(value < 10.0);
        format!("{value:.digits$}")
    }

    /// A figure, `–` if it is not known, with the sign of its weakness.
    pub(crate) fn figure(self, figure: &Figure) -> String {
        match &figure.value {
            Ok(value) => format!("{}{}", weakness(figure), self.rate(*value)),
            Err(_) => glyphs::UNKNOWN.to_owned(),
        }
    }
}

fn weakness(figure: &Figure) -> &'static str {
    match figure.qualified.as_ref().map(|q| q.how) {
        Some(How::Saturated) => "≥",
        Some(How::Stale | How::Estimate) => "~",
        None => "",
    }
}

/// A ratio in per cent, `–` if it is not known.
pub(crate) fn percent(figure: &Figure) -> String {
    match &figure.value {
        Ok(ratio) => format!("{}{:.0} %", weakness(figure), ratio * 100.0),
        Err(_) => glyphs::UNKNOWN.to_owned(),
    }
}

/// A ratio with two decimals, `–` if it is not known.
pub(crate) fn ratio(figure: &Figure) -> String {
    match &figure.value {
        Ok(value) => format!("{}{value:.2}", weakness(figure)),
        Err(_) => glyphs::UNKNOWN.to_owned(),
    }
}

/// A whole number in groups of three.
pub(crate) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// A reading, `–` if it is not known.
pub(crate) fn reading<T: Display>(reading: &Reading<T>) -> String {
    match reading {
        Ok(value) => value.to_string(),
        Err(_) => glyphs::UNKNOWN.to_owned(),
    }
}

/// A reading, or why it is not known.
pub(crate) fn explained<T: Display>(reading: &Reading<T>) -> String {
    match reading {
        Ok(value) => value.to_string(),
        Err(unknown) => why_not(unknown),
    }
}

/// Why something is not known.
pub(crate) fn why_not(unknown: &Unknown) -> String {
    let why = unknown.why.word().replace('_', " ");
    if unknown.detail.is_empty() {
        return format!("{} ({why})", glyphs::UNKNOWN);
    }
    format!("{} ({why}: {})", glyphs::UNKNOWN, unknown.detail)
}

/// `14:03:27` where the reader sits.
pub(crate) fn clock(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string()
}

/// `500ms`, `2s`.
pub(crate) fn interval(d: Duration) -> String {
    let ms = d.as_millis();
    if ms.is_multiple_of(1000) { format!("{}s", ms / 1000) } else { format!("{ms}ms") }
}

/// A span for an axis: `40 s`, `2 min`.
pub(crate) fn span(d: Duration) -> String {
    let s = d.as_secs_f64();
    if s < 120.0 {
        let digits = usize::from(s < 10.0 && s.fract() > 0.05);
        return format!("{s:.digits$} s");
    }
    format!("{:.0} min", s / 60.0)
}

/// Bits per second of a link: `200`, `2.5`.
pub(crate) fn gigabits(bits_per_second: f64) -> String {
    let gb = bits_per_second / 1e9;
    if (gb - gb.round()).abs() < 0.05 { format!("{gb:.0}") } else { format!("{gb:.1}") }
}

const ROUND: [f64; 10] = [1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];

/// The next round number, at most half as much again.
pub(crate) fn nice_above(value: f64) -> f64 {
    if !value.is_finite() || value <= 0.0 {
        return 1.0;
    }
    let decade = 10f64.powf(value.log10().floor());
    ROUND.into_iter().map(|m| m * decade).find(|n| *n >= value).unwrap_or(value)
}

/// A number for an axis: no more digits than a nice number has.
pub(crate) fn tick(value: f64) -> String {
    let digits = if value == 0.0 || value >= 20.0 {
        0
    } else if value >= 10.0 {
        usize::from(value.fract() > 0.01)
    } else if value >= 1.0 {
        usize::from(value.fract() > 0.01) + usize::from((value * 10.0).fract() > 0.1)
    } else if value >= 0.1 {
        2
    } else {
        3
    };
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Fact, Why};
    use proptest::prelude::*;

    #[test]
    fn rates_tell_nothing_from_little() {
        let unit = RateUnit::new(200e9, false);
        assert_eq!(unit.label, "GB/s");
        assert_eq!(unit.rate(0.0), "0.00");
        assert_eq!(unit.rate(1.0), "<0.01");
        assert_eq!(unit.rate(10.2e9), "10.20");
        assert_eq!(unit.figure(&Fact::unknown(Why::Reset, "")), "–");
        assert_eq!(unit.figure(&Fact::known(1e9).qualified(How::Saturated, "")), "≥1.00");
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1 234 567");
    }

    proptest! {
        #[test]
        fn a_nice_number_is_not_below(value in 1e-9f64..1e15) {
            let nice = nice_above(value);
            prop_assert!(nice >= value * 0.999_999 && nice <= value * 10.1);
        }

        #[test]
        fn nothing_here_panics(value: f64, ms: u64) {
            let unit = RateUnit::new(value, true);
            let _ = (unit.rate(value), unit.capacity(value), tick(value), nice_above(value));
            let _ = (span(Duration::from_millis(ms)), interval(Duration::from_millis(ms)));
        }
    }
}
