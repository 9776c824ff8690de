//! Figures as text: fixed width for columns, plain for sentences.
//!
//! What is no figure (NaN, infinite, negative) is unknown and prints as [`UNKNOWN`].

use humansize::{DECIMAL, FormatSizeOptions, format_size};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::time::Duration;

/// The sign of a figure that is not known.
pub const UNKNOWN: &str = "–";

/// Cells of a rate column, without its unit.
pub const RATE_WIDTH: usize = 5;

/// Cells of a percentage, with its sign.
pub const PERCENT_WIDTH: usize = 5;

/// The decimal scale of a column of rates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Unit {
    /// Bytes or bits.
    #[default]
    B,
    /// Thousands.
    K,
    /// Millions.
    M,
    /// Thousand millions.
    G,
}

impl Unit {
    /// The scale for a whole column, from its greatest rate in bytes per second.
    ///
    /// It depends on that figure alone, so two columns with the same maximum always agree.
    pub fn for_max(bytes_per_second: f64, bits: bool) -> Self {
        match in_base(bytes_per_second, bits) {
            Some(v) if v >= 1e9 => Unit::G,
            Some(v) if v >= 1e6 => Unit::M,
            Some(v) if v >= 1e3 => Unit::K,
            _ => Unit::B,
        }
    }

    /// `GB/s`, `Mb/s`, `B/s`: for the head of the column.
    pub fn label(self, bits: bool) -> &'static str {
        match (self, bits) {
            (Unit::B, false) => "B/s",
            (Unit::K, false) => "kB/s",
            (Unit::M, false) => "MB/s",
            (Unit::G, false) => "GB/s",
            (Unit::B, true) => "b/s",
            (Unit::K, true) => "kb/s",
            (Unit::M, true) => "Mb/s",
            (Unit::G, true) => "Gb/s",
        }
    }

    fn index(self) -> usize {
        match self {
            Unit::B => 0,
            Unit::K => 1,
            Unit::M => 2,
            Unit::G => 3,
        }
    }
}

/// Letters of the scales, from one: what a cell falls back to when its column is too small.
const LETTERS: [&str; 7] = ["", "k", "M", "G", "T", "P", "E"];

/// A rate in the scale of its column, [`RATE_WIDTH`] cells wide: ` 10.2`.
///
/// A figure too wide for the column carries the letter of a larger scale (` 120G`): it is never
/// cut and never moves its neighbours.
pub fn rate_cell(bytes_per_second: f64, bits: bool, unit: Unit) -> String {
    let Some(value) = in_base(bytes_per_second, bits) else { return unknown_cell(RATE_WIDTH) };
    let own = unit.index();
    let scaled = |scale: usize| LETTERS.iter().take(scale).fold(value, |v, _| v / 1e3);
    for decimals in [1, 0] {
        let text = format!("{:.decimals$}", scaled(own));
        if text.len() <= RATE_WIDTH {
            return format!("{text:>RATE_WIDTH$}");
        }
    }
    for (scale, letter) in LETTERS.iter().enumerate().skip(own + 1) {
        let text = format!("{:.0}{letter}", scaled(scale));
        if text.len() <= RATE_WIDTH {
            return format!("{text:>RATE_WIDTH$}");
        }
    }
    unknown_cell(RATE_WIDTH)
}

/// A rate with the unit that fits it, for sentences: `10.2 GB/s`.
pub fn rate(bytes_per_second: f64, bits: bool) -> String {
    let unit = Unit::for_max(bytes_per_second, bits);
    format!("{} {}", rate_cell(bytes_per_second, bits, unit).trim_start(), unit.label(bits))
}

/// A ratio as a percentage, [`PERCENT_WIDTH`] cells wide: ` 34 %`.
pub fn percent_cell(ratio: f64) -> String {
    if !is_figure(ratio) {
        return unknown_cell(PERCENT_WIDTH);
    }
    let percent = (ratio * 100.0).round().abs();
    if percent > 999.0 { ">999%".into() } else { format!("{percent:>3.0} %") }
}

/// Bits per second in Gb/s, as links are named: `200`, `2.5`.
pub fn gbits(bits_per_second: f64) -> String {
    if !is_figure(bits_per_second) {
        return UNKNOWN.into();
    }
    let text = format!("{:.1}", bits_per_second / 1e9);
    text.strip_suffix(".0").map_or_else(|| text.clone(), Into::into)
}

/// An amount of bytes, decimal: `1.2 GB`.
pub fn size(bytes: u64) -> String {
    format_size(bytes, FormatSizeOptions::from(DECIMAL).decimal_places(1))
}

/// How long, as one would say it: `2 s`, `2 min 10 s`, `4 h 12 min`, `3 d 04:12`.
pub fn duration_words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    if seconds == 0 {
        "<1 s".into()
    } else if minutes == 0 {
        format!("{seconds} s")
    } else if hours == 0 {
        format!("{minutes} min {} s", seconds % 60)
    } else if days == 0 {
        format!("{hours} h {} min", minutes % 60)
    } else {
        format!("{days} d {:02}:{:02}", hours % 24, minutes % 60)
    }
}

/// Wall-clock time in the local zone: `14:03:27`.
pub fn time_of_day(time: Timestamp) -> String {
    time_of_day_in(time, &TimeZone::system())
}

fn time_of_day_in(time: Timestamp, zone: &TimeZone) -> String {
    zone.to_datetime(time).strftime("%H:%M:%S").to_string()
}

/// RFC 3339 with milliseconds and the local offset: `2026-03-01T14:03:27.120+01:00`.
pub fn rfc3339(time: Timestamp) -> String {
    rfc3339_in(time, &TimeZone::system())
}

fn rfc3339_in(time: Timestamp, zone: &TimeZone) -> String {
    format!("{:.3}", time.display_with_offset(zone.to_offset(time)))
}

fn in_base(bytes_per_second: f64, bits: bool) -> Option<f64> {
    let value = if bits { bytes_per_second * 8.0 } else { bytes_per_second };
    // The absolute value only turns −0 into 0.
    is_figure(value).then(|| value.abs())
}

fn is_figure(value: f64) -> bool {
    value.is_finite() && value >= 0.0
}

fn unknown_cell(width: usize) -> String {
    format!("{UNKNOWN:>width$}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::Offset;
    use proptest::prelude::*;

    #[test]
    fn rates_keep_their_column() {
        assert_eq!(rate_cell(10.2e9, false, Unit::G), " 10.2");
        assert_eq!(rate_cell(0.0, false, Unit::G), "  0.0");
        assert_eq!(rate_cell(-0.0, false, Unit::G), "  0.0");
        assert_eq!(rate_cell(100e9, true, Unit::G), "800.0");
        assert_eq!(rate_cell(999.96e6, false, Unit::M), " 1000");
        assert_eq!(rate_cell(120e9, false, Unit::K), " 120G");
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, f64::MAX] {
            assert_eq!(rate_cell(bad, false, Unit::G), "    –", "{bad}");
        }
        assert_eq!(rate(12.34e6, false), "12.3 MB/s");
        assert_eq!(rate(f64::NAN, true), "– b/s");
    }

    #[test]
    fn the_unit_follows_the_maximum() {
        assert_eq!(Unit::for_max(1e9, false), Unit::G);
        assert_eq!(Unit::for_max(999e6, false), Unit::M);
        assert_eq!(Unit::for_max(125e6, true), Unit::G);
        assert_eq!(Unit::for_max(f64::NAN, true), Unit::B);
        assert_eq!(Unit::G.label(true), "Gb/s");
    }

    #[test]
    fn shares_sizes_and_links() {
        assert_eq!(percent_cell(0.34), " 34 %");
        assert_eq!(percent_cell(1.0), "100 %");
        assert_eq!(percent_cell(-0.0), "  0 %");
        assert_eq!(percent_cell(1e9), ">999%");
        assert_eq!(percent_cell(f64::NAN), "    –");
        assert_eq!(gbits(200e9), "200");
        assert_eq!(gbits(2.5e9), "2.5");
        assert_eq!(gbits(-1.0), UNKNOWN);
        assert_eq!(size(1_234_567_890), "1.2 GB");
        assert_eq!(size(u64::MAX), "18.4 EB");
    }

    #[test]
    fn durations_in_words() {
        let words = |s| duration_words(Duration::from_secs(s));
        assert_eq!(duration_words(Duration::from_millis(300)), "<1 s");
        assert_eq!(words(2), "2 s");
        assert_eq!(words(130), "2 min 10 s");
        assert_eq!(words(4 * 3600 + 12 * 60), "4 h 12 min");
        assert_eq!(words(3 * 86_400 + 4 * 3600 + 12 * 60), "3 d 04:12");
        assert!(!duration_words(Duration::MAX).is_empty());
    }

    #[test]
    fn times_carry_their_zone() {
        let time: Timestamp = "2026-03-01T13:03:27.1204Z".parse().unwrap();
        let zone = TimeZone::fixed(Offset::constant(1));
        assert_eq!(time_of_day_in(time, &zone), "14:03:27");
        assert_eq!(rfc3339_in(time, &zone), "2026-03-01T14:03:27.120+01:00");
        assert_eq!(rfc3339_in(time, &TimeZone::UTC), "2026-03-01T13:03:27.120+00:00");
        for extreme in [Timestamp::MIN, Timestamp::MAX] {
            assert!(!rfc3339(extreme).is_empty());
            assert_eq!(time_of_day(extreme).len(), 8);
        }
    }

    proptest! {
        #[test]
        fn every_rate_cell_has_the_same_width(bits: u64, wire: bool, scale in 0..4usize) {
            let unit = [Unit::B, Unit::K, Unit::M, Unit::G][scale];
            let value = f64::from_bits(bits);
            prop_assert_eq!(rate_cell(value, wire, unit).chars().count(), RATE_WIDTH);
            prop_assert_eq!(percent_cell(value).chars().count(), PERCENT_WIDTH);
        }

        #[test]
        fn a_column_scaled_by_its_maximum_needs_no_letter(max in 0.0..1e14f64, part in 0.0..1.0f64) {
            let cell = rate_cell(max * part, false, Unit::for_max(max, false));
            prop_assert!(cell.trim_start().parse::<f64>().is_ok(), "{}", cell);
        }
    }
}
