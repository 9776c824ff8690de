//! Rates: of a column, whose unit all its figures share, and of a sentence, with the unit that fits.

use super::{UNKNOWN, is_figure};

/// The unit that all rates of one table share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateUnit {
    /// `GB/s`, `Mb/s`, …
    pub label: &'static str,
    /// Bytes per second in one unit.
    pub bytes: f64,
}

/// Scale, and the label for bytes and for bits.
const SCALES: [(f64, [&str; 2]); 4] = [
    (1e9, ["GB/s", "Gb/s"]),
    (1e6, ["MB/s", "Mb/s"]),
    (1e3, ["kB/s", "kb/s"]),
    (1.0, ["B/s", "b/s"]),
];

impl RateUnit {
    fn of(scale: f64, labels: [&'static str; 2], bits: bool) -> Self {
        let [in_bytes, in_bits] = labels;
        if bits {
            Self { label: in_bits, bytes: scale / 8.0 }
        } else {
            Self { label: in_bytes, bytes: scale }
        }
    }

    /// Giga for links that can carry a gigabyte a second, mega below: chosen by what the links
    /// can do, not by what they do now, so that it never changes under load.
    pub fn for_links(fastest_bits_per_second: f64, bits: bool) -> Self {
        let [giga, mega, ..] = SCALES;
        let (scale, labels) = if fastest_bits_per_second >= 8e9 { giga } else { mega };
        Self::of(scale, labels, bits)
    }

    /// The unit in which a rate has one to three digits before the point.
    fn for_rate(bytes_per_second: f64, bits: bool) -> Self {
        let [.., least] = SCALES;
        let value = if bits { bytes_per_second * 8.0 } else { bytes_per_second };
        // A figure that rounds up to a thousand of a unit is one of the next.
        let fits = SCALES.into_iter().find(|(scale, _)| value >= scale * 0.99995);
        let (scale, labels) = fits.unwrap_or(least);
        Self::of(scale, labels, bits)
    }

    /// A rate with two decimals; never `0.00` for something.
    pub fn rate(self, bytes_per_second: f64) -> String {
        if !is_figure(bytes_per_second) {
            return UNKNOWN.into();
        }
        let value = bytes_per_second.abs() / self.bytes;
        if value > 0.0 && value < 0.005 {
            return "<0.01".into();
        }
        match value {
            v if v < 999.995 => format!("{v:.2}"),
            v if v < 99_999.5 => format!("{v:.0}"),
            // Nothing carries that; cut to its column it would look like less.
            v => format!("{v:.0e}"),
        }
    }

    /// A capacity: no more digits than it deserves.
    pub fn capacity(self, bytes_per_second: f64) -> String {
        if !is_figure(bytes_per_second) {
            return UNKNOWN.into();
        }
        let value = bytes_per_second / self.bytes;
        let digits = usize::from(value < 10.0);
        format!("{value:.digits$}")
    }
}

/// A rate with the unit that fits it, for sentences: `10.2 GB/s`, `0 B/s`.
pub fn rate(bytes_per_second: f64, bits: bool) -> String {
    let unit = RateUnit::for_rate(bytes_per_second, bits);
    if !is_figure(bytes_per_second) {
        return format!("{UNKNOWN} {}", unit.label);
    }
    let value = bytes_per_second.abs() / unit.bytes;
    let digits = usize::from(value > 0.0);
    format!("{value:.digits$} {}", unit.label)
}

/// Bits per second in Gb/s, as links are named: `200`, `2.5`.
pub fn gbits(bits_per_second: f64) -> String {
    if !is_figure(bits_per_second) {
        return UNKNOWN.into();
    }
    let text = format!("{:.1}", bits_per_second / 1e9);
    text.strip_suffix(".0").map_or_else(|| text.clone(), Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_column_tells_nothing_from_little() {
        let unit = RateUnit::for_links(200e9, false);
        assert_eq!(unit.label, "GB/s");
        assert_eq!(unit.rate(0.0), "0.00");
        assert_eq!(unit.rate(-0.0), "0.00");
        assert_eq!(unit.rate(1.0), "<0.01");
        assert_eq!(unit.rate(10.2e9), "10.20");
        assert_eq!(unit.rate(999.999e9), "1000");
        assert_eq!(unit.rate(1.2e20), "1e11");
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0] {
            assert_eq!((unit.rate(bad), unit.capacity(bad)), (UNKNOWN.into(), UNKNOWN.into()));
        }
        assert_eq!(RateUnit::for_links(1e9, true).label, "Mb/s");
    }

    #[test]
    fn a_sentence_has_the_unit_that_fits() {
        assert_eq!(rate(12.34e6, false), "12.3 MB/s");
        assert_eq!(rate(125e6, true), "1.0 Gb/s");
        assert_eq!(rate(999.96e6, false), "1.0 GB/s");
        assert_eq!(rate(0.0, false), "0 B/s");
        assert_eq!(rate(7.0, false), "7.0 B/s");
        assert_eq!(rate(f64::NAN, true), "– b/s");
    }

    #[test]
    fn links_are_named_by_their_gigabits() {
        assert_eq!(gbits(200e9), "200");
        assert_eq!(gbits(2.5e9), "2.5");
        assert_eq!(gbits(-1.0), UNKNOWN);
    }

    proptest! {
        #[test]
        fn no_figure_panics(bits: u64, wire: bool) {
            let value = f64::from_bits(bits);
            let unit = RateUnit::for_links(value, wire);
            prop_assert!(unit.rate(value).chars().count() <= 6, "{}", unit.rate(value));
            let _ = (unit.capacity(value), rate(value, wire), gbits(value));
        }

        #[test]
        fn a_sentence_has_at_most_three_digits_before_the_point(value in 0.0..999e9f64, wire: bool) {
            let text = rate(value, wire);
            let whole = text.split(['.', ' ']).next().unwrap_or_default().len();
            prop_assert!(whole <= if wire { 4 } else { 3 }, "{}", text);
        }
    }
}
