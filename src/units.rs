//! Figures as text, for sentences and for columns: the one place that rounds.
//!
//! What is no figure (NaN, infinite, negative) is unknown and prints as [`UNKNOWN`].

mod rate;
mod time;

pub use rate::{RateUnit, gbits, rate};
pub use time::{clock, date_and_clock, duration_words, rfc3339, time_of_day};

use humansize::{DECIMAL, FormatSizeOptions, format_size};

/// The sign of a figure that is not known.
pub const UNKNOWN: &str = "–";

/// A ratio as a percentage: `34 %`. More than nothing never prints as `0 %`.
pub fn percent(ratio: f64) -> String {
    if !is_figure(ratio) {
        return UNKNOWN.into();
    }
    let percent = ratio.abs() * 100.0;
    match percent {
        0.0 => "0 %".into(),
        p if p < 0.5 => "<1 %".into(),
        p if p > 999.0 => ">999 %".into(),
        p => format!("{p:.0} %"),
    }
}

/// A ratio with two decimals: `0.75`.
pub fn ratio(ratio: f64) -> String {
    if is_figure(ratio) { format!("{:.2}", ratio.abs()) } else { UNKNOWN.into() }
}

/// An amount of bytes, decimal: `1.2 GB`.
pub fn size(bytes: u64) -> String {
    format_size(bytes, FormatSizeOptions::from(DECIMAL).decimal_places(1))
}

/// A whole number in groups of three: `1 234 567`.
pub fn count(value: u64) -> String {
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

fn is_figure(value: f64) -> bool {
    value.is_finite() && value >= 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_sizes_and_counts() {
        assert_eq!(percent(0.34), "34 %");
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(percent(-0.0), "0 %");
        assert_eq!(percent(0.001), "<1 %");
        assert_eq!(percent(1e9), ">999 %");
        assert_eq!(percent(f64::NAN), UNKNOWN);
        assert_eq!((ratio(0.754), ratio(f64::NAN)), ("0.75".into(), UNKNOWN.into()));
        assert_eq!(size(1_234_567_890), "1.2 GB");
        assert_eq!(size(u64::MAX), "18.4 EB");
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1 234 567");
    }
}
