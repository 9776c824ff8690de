//! Facts as cells of the screen, and the numbers of an axis. How a figure is rounded is a matter
//! of [`crate::units`].

use crate::node::Figure;
use crate::sample::{How, Reading, Unknown};
use crate::units::{self, RateUnit, UNKNOWN};
use std::fmt::Display;
use std::time::Duration;

/// The sign of a figure's weakness.
pub(crate) fn weakness(figure: &Figure) -> &'static str {
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

/// Messages or events a second: at most seven cells, and never `0` for something.
pub(crate) fn messages(per_second: &Figure) -> String {
    figure(per_second, |rate| match rate {
        r if r > 0.0 && r < 0.005 => "<0.01".to_owned(),
        r if r > 0.0 && r < 0.095 => format!("{r:.2}"),
        r if r > 0.0 && r < 9.95 => format!("{r:.1}"),
        r if r < 99_999.5 => units::count(r.round() as u64),
        r => thousands(r),
    })
}

/// The same in at most five cells.
pub(crate) fn short(per_second: &Figure) -> String {
    figure(per_second, |rate| match rate {
        r if r > 0.0 && r < 0.5 => "<1".to_owned(),
        r if r < 9_999.5 => format!("{r:.0}"),
        r => thousands(r),
    })
}

/// `12.3k`, `456k`, `7.8M`.
fn thousands(value: f64) -> String {
    let scaled = |by: f64, letter: char| {
        let value = value / by;
        let digits = usize::from(value < 99.95);
        format!("{value:.digits$}{letter}")
    };
    match value {
        v if v < 999_500.0 => scaled(1e3, 'k'),
        v if v < 999.5e6 => scaled(1e6, 'M'),
        _ => scaled(1e9, 'G'),
    }
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
    fn a_rate_of_messages_keeps_its_place_and_is_not_rounded_to_none() {
        let words = |rate: f64| {
            let figure = Fact::known(rate);
            (messages(&figure), short(&figure))
        };
        let both = |long: &str, short: &str| (long.to_owned(), short.to_owned());
        assert_eq!(words(0.0), both("0", "0"));
        assert_eq!(words(0.001), both("<0.01", "<1"));
        assert_eq!(words(0.04), both("0.04", "<1"));
        assert_eq!(words(5.04), both("5.0", "5"));
        assert_eq!(words(4_746.4), both("4 746", "4746"));
        assert_eq!(words(12_345.0), both("12 345", "12.3k"));
        assert_eq!(words(456_000.0), both("456k", "456k"));
        assert_eq!(words(7.8e6), both("7.8M", "7.8M"));
        assert_eq!(messages(&Fact::unknown(Why::Reset, "")), "–");
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
        fn a_rate_of_messages_fits_its_column(rate in 0.0f64..1e11) {
            let figure = Fact::known(rate);
            prop_assert!(messages(&figure).chars().count() <= 7, "{}", messages(&figure));
            prop_assert!(short(&figure).chars().count() <= 5, "{}", short(&figure));
            prop_assert_eq!(messages(&figure) == "0", rate == 0.0);
        }

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
