//! Facts as cells of the screen, and the numbers of an axis. How a figure is rounded is a matter
//! of [`crate::units`].

use crate::node::Figure;
use crate::sample::{How, Reading, Unknown};
use crate::units::{self, RateUnit, UNKNOWN};
use std::fmt::Display;
use std::time::Duration;

/// The sign of a figure's weakness.
fn weakness(figure: &Figure) -> &'static str {
    match figure.qualified.as_ref().map(|q| q.how) {
        Some(How::Saturated) => "≥",
        Some(How::Stale | How::Estimate) => "~",
        None => "",
    }
}

/// A figure, `–` if it is not known, with the sign of its weakness.
fn figure(figure: &Figure, words: impl FnOnce(f64) -> String) -> String {
    match &figure.value {
        Ok(value) => format!("{}{}", weakness(figure), words(*value)),
        Err(_) => UNKNOWN.to_owned(),
    }
}

/// A rate in the unit of its column.
pub(crate) fn rate(unit: RateUnit, rate: &Figure) -> String {
    figure(rate, |value| unit.rate(value))
}

/// A ratio in per cent.
pub(crate) fn percent(ratio: &Figure) -> String {
    figure(ratio, units::percent)
}

/// A ratio with two decimals.
pub(crate) fn ratio(ratio: &Figure) -> String {
    figure(ratio, units::ratio)
}

/// A reading, `–` if it is not known.
pub(crate) fn reading<T: Display>(reading: &Reading<T>) -> String {
    match reading {
        Ok(value) => value.to_string(),
        Err(_) => UNKNOWN.to_owned(),
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
    format!("{UNKNOWN} ({})", why(unknown))
}

/// The reason alone.
pub(crate) fn why(unknown: &Unknown) -> String {
    let why = unknown.why.word().replace('_', " ");
    if unknown.detail.is_empty() { why } else { format!("{why}: {}", unknown.detail) }
}

/// `500ms`, `2s`: as one types it after `--interval`.
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

const ROUND: [f64; 10] = [1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];

/// The next round number, at most half as much again.
pub(crate) fn nice_above(value: f64) -> f64 {
    if !value.is_finite() || value <= 0.0 {
        return 1.0;
    }
    let decade = 10f64.powf(value.log10().floor());
    ROUND.into_iter().map(|m| m * decade).find(|n| *n >= value).unwrap_or(value)
}

/// A number for an axis: no more digits than a nice number or half of one has.
pub(crate) fn tick(value: f64) -> String {
    let places = |v: f64| {
        (0..=4).find(|n| {
            let scaled = v * 10f64.powi(*n);
            (scaled - scaled.round()).abs() < 1e-6 * scaled.abs().max(1.0)
        })
    };
    let digits = usize::try_from(places(value).unwrap_or(4)).unwrap_or(4);
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Fact, Why};
    use proptest::prelude::*;

    #[test]
    fn a_figure_tells_that_it_is_weak_or_not_known() {
        let unit = RateUnit::for_links(200e9, false);
        assert_eq!(rate(unit, &Fact::unknown(Why::Reset, "")), "–");
        assert_eq!(rate(unit, &Fact::known(1e9).qualified(How::Saturated, "")), "≥1.00");
        assert_eq!(percent(&Fact::known(0.5).qualified(How::Stale, "")), "~50 %");
    }

    #[test]
    fn an_axis_has_no_needless_digits() {
        for (value, text) in
            [(0.0, "0"), (15.0, "15"), (7.5, "7.5"), (1.25, "1.25"), (0.075, "0.075"), (0.5, "0.5")]
        {
            assert_eq!(tick(value), text);
        }
    }

    proptest! {
        #[test]
        fn a_nice_number_is_not_below(value in 1e-9f64..1e15) {
            let nice = nice_above(value);
            prop_assert!(nice >= value * 0.999_999 && nice <= value * 10.1);
        }

        #[test]
        fn nothing_here_panics(value: f64, ms: u64) {
            let _ = (tick(value), nice_above(value));
            let _ = (span(Duration::from_millis(ms)), interval(Duration::from_millis(ms)));
        }
    }
}
