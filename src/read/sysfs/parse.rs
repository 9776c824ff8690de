//! The few forms of text that sysfs and `/proc/sys` print.

use crate::sample::{Enumerated, Text};
use std::str::FromStr;

/// Why the content of a file is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::read) enum Odd {
    /// Nothing in it: `cat` of a failing file, or no value set.
    Empty,
    /// The kernel's way to print that it does not know (`-1`, `Unknown`, a width of 0).
    Unset,
    /// `N/A (no PMA)`: kernels before mid-2018 print instead of failing.
    NotAvailable,
    /// Not understood.
    Garbage,
}

/// The longest text kept; a `node_desc` has 64 bytes, an `ifalias` 256.
const LONGEST: usize = 512;

/// Bytes up to the first NUL of the padding (`tar` pads a copied file to a page), without the
/// newline.
pub(in crate::read) fn line(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|c| *c != 0).map_or(0, |last| last + 1);
    bytes.get(..end).unwrap_or_default().trim_ascii()
}

fn word(bytes: &[u8]) -> Result<&str, Odd> {
    let line = line(bytes);
    if line.is_empty() {
        return Err(Odd::Empty);
    }
    if line.starts_with(b"N/A") {
        return Err(Odd::NotAvailable);
    }
    std::str::from_utf8(line).map_err(|_| Odd::Garbage)
}

/// A decimal number.
pub(in crate::read) fn number<T: FromStr>(bytes: &[u8]) -> Result<T, Odd> {
    word(bytes)?.parse().map_err(|_| Odd::Garbage)
}

/// A number of which the kernel prints a negative one when it does not know (`speed`,
/// `numa_node`).
pub(in crate::read) fn natural<T: FromStr>(bytes: &[u8]) -> Result<T, Odd> {
    let word = word(bytes)?;
    if word.parse::<i64>().is_ok_and(|n| n < 0) {
        return Err(Odd::Unset);
    }
    word.parse().map_err(|_| Odd::Garbage)
}

/// `speed` of a netdev in Mb/s: −1 is unknown, and so is 2³²−1, the same without its sign.
pub(in crate::read) fn speed(bytes: &[u8]) -> Result<u64, Odd> {
    match natural(bytes)? {
        n if n == u64::from(u32::MAX) => Err(Odd::Unset),
        n => Ok(n),
    }
}

/// A number in hex, with or without `0x`.
pub(in crate::read) fn hex(bytes: &[u8]) -> Result<u32, Odd> {
    let word = word(bytes)?;
    let digits = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")).unwrap_or(word);
    if !digits.bytes().all(|c| c.is_ascii_hexdigit()) {
        return Err(Odd::Garbage);
    }
    u32::from_str_radix(digits, 16).map_err(|_| Odd::Garbage)
}

/// `0x` hex, else decimal.
pub(in crate::read) fn hex_or_decimal(bytes: &[u8]) -> Result<u32, Odd> {
    if line(bytes).starts_with(b"0x") { hex(bytes) } else { number(bytes) }
}

/// `0` or `1`.
pub(in crate::read) fn flag(bytes: &[u8]) -> Result<bool, Odd> {
    match word(bytes)? {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => Err(Odd::Garbage),
    }
}

/// Any text but none.
pub(in crate::read) fn text(bytes: &[u8]) -> Result<Text, Odd> {
    match text_or_empty(bytes)? {
        text if text.is_empty() => Err(Odd::Empty),
        text => Ok(text),
    }
}

/// Any text; a bare newline is an empty one (`fw_ver` of rxe), no byte at all is none.
pub(in crate::read) fn text_or_empty(bytes: &[u8]) -> Result<Text, Odd> {
    if bytes.iter().all(|c| *c == 0) {
        return Err(Odd::Empty);
    }
    let line = line(bytes);
    Ok(Text::from_bytes(line.get(..LONGEST).unwrap_or(line)))
}

/// The same text as `before`, without a new allocation, if it has not changed.
pub(in crate::read) fn text_like(before: Option<&Text>, bytes: &[u8]) -> Result<Text, Odd> {
    match before {
        Some(before) if !before.is_empty() && before.as_bytes() == line(bytes) => {
            Ok(before.clone())
        }
        _ => text(bytes),
    }
}

/// `N: WORD`; the number decides. The word may be missing or anything.
pub(in crate::read) fn enumerated(
    before: Option<&Enumerated>,
    bytes: &[u8],
) -> Result<Enumerated, Odd> {
    let word = word(bytes)?;
    let end = word.bytes().position(|c| !c.is_ascii_digit()).unwrap_or(word.len());
    let (digits, rest) = word.split_at(end);
    let code = digits.parse().map_err(|_| Odd::Garbage)?;
    let rest = rest.strip_prefix(':').unwrap_or(rest).trim().as_bytes();
    let name = text_like(before.map(|b| &b.word), rest).unwrap_or_default();
    Ok(Enumerated { code, word: name })
}

/// `8.0 GT/s PCIe`, on older kernels `8 GT/s` (drivers/pci/probe.c).
pub(in crate::read) fn gigatransfers(bytes: &[u8]) -> Result<f64, Odd> {
    let word = word(bytes)?;
    if word.starts_with("Unknown") {
        return Err(Odd::Unset);
    }
    let (figure, unit) = word.split_once(' ').ok_or(Odd::Garbage)?;
    let speed: f64 = figure.parse().map_err(|_| Odd::Garbage)?;
    if unit.trim_start().starts_with("GT/s") && speed.is_finite() && speed > 0.0 {
        Ok(speed)
    } else {
        Err(Odd::Garbage)
    }
}

/// Lanes. The Link Status of a VF reads 0; 255 is the same from a device that is gone.
pub(in crate::read) fn width(bytes: &[u8]) -> Result<u32, Odd> {
    if line(bytes).starts_with(b"Unknown") {
        return Err(Odd::Unset);
    }
    match number(bytes)? {
        0 | 255 => Err(Odd::Unset),
        n => Ok(n),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers() {
        assert_eq!(number::<u64>(b"18446744073709551615\n"), Ok(u64::MAX));
        assert_eq!(number::<u64>(b"7\n\0\0\0"), Ok(7));
        assert_eq!(number::<u64>(b""), Err(Odd::Empty));
        assert_eq!(number::<u64>(b"\0\0\0\0"), Err(Odd::Empty));
        assert_eq!(number::<u64>(b"N/A (no PMA)\n"), Err(Odd::NotAvailable));
        assert_eq!(number::<u64>(b"18446744073709551616\n"), Err(Odd::Garbage));
        assert_eq!(natural::<u32>(b"-1\n"), Err(Odd::Unset));
        assert_eq!(speed(b"4294967295\n"), Err(Odd::Unset));
        assert_eq!(speed(b"200000\n"), Ok(200_000));
        assert_eq!(hex(b"0x1003\n"), Ok(0x1003));
        assert_eq!(hex_or_decimal(b"0x32\n"), Ok(50));
        assert_eq!(hex_or_decimal(b"32\n"), Ok(32));
        assert_eq!(hex(b"0x\n"), Err(Odd::Garbage));
        assert_eq!(hex(b"+1\n"), Err(Odd::Garbage));
        assert_eq!(flag(b"1\n"), Ok(true));
        assert_eq!(flag(b"2\n"), Err(Odd::Garbage));
    }

    #[test]
    fn enumerations_go_by_their_number() {
        let of = |text: &[u8]| enumerated(None, text).map(|e| (e.code, e.word.to_string()));
        assert_eq!(of(b"4: ACTIVE\n"), Ok((4, "ACTIVE".into())));
        assert_eq!(of(b"9: <unknown>\n"), Ok((9, "<unknown>".into())));
        assert_eq!(of(b"7: Phy Test\n"), Ok((7, "Phy Test".into())));
        assert_eq!(of(b"5\n"), Ok((5, String::new())));
        assert_eq!(of(b"ACTIVE\n"), Err(Odd::Garbage));
        assert_eq!(of(b"99999999999: X\n"), Err(Odd::Garbage));
    }

    #[test]
    fn an_unchanged_word_is_shared() {
        let first = enumerated(None, b"4: ACTIVE\n").unwrap();
        let again = enumerated(Some(&first), b"4: ACTIVE\n").unwrap();
        assert_eq!(first.word.as_ptr(), again.word.as_ptr());
    }

    #[test]
    fn pci_links() {
        assert_eq!(gigatransfers(b"2.5 GT/s PCIe\n"), Ok(2.5));
        assert_eq!(gigatransfers(b"8 GT/s\n"), Ok(8.0));
        assert_eq!(gigatransfers(b"64.0 GT/s PCIe\n"), Ok(64.0));
        assert_eq!(gigatransfers(b"Unknown speed\n"), Err(Odd::Unset));
        assert_eq!(gigatransfers(b"inf GT/s\n"), Err(Odd::Garbage));
        assert_eq!(width(b"16\n"), Ok(16));
        assert_eq!(width(b"0\n"), Err(Odd::Unset));
        assert_eq!(width(b"Unknown\n"), Err(Odd::Unset));
    }

    #[test]
    fn an_empty_line_is_not_an_empty_file() {
        assert_eq!(text_or_empty(b"\n"), Ok(Text::default()));
        assert_eq!(text_or_empty(b""), Err(Odd::Empty));
        assert_eq!(text(b"\n"), Err(Odd::Empty));
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes: Vec<u8>) {
            let _ = (number::<u64>(&bytes), natural::<u32>(&bytes), hex(&bytes), flag(&bytes));
            let _ = (speed(&bytes), gigatransfers(&bytes), width(&bytes), hex_or_decimal(&bytes));
            let _ = (text(&bytes), text_or_empty(&bytes), enumerated(None, &bytes));
        }

        #[test]
        fn numbers_come_back(n: u64, pad in 0usize..8) {
            let mut bytes = format!("{n}\n").into_bytes();
            bytes.resize(bytes.len() + pad, 0);
            prop_assert_eq!(number::<u64>(&bytes), Ok(n));
        }
    }
}
