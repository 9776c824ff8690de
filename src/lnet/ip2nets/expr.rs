//! Lists of numbers: an octet of an address pattern, a list of CPU partitions.
//!
//! `cfs_expr_list_parse` and `cfs_ip_addr_parse` of `libcfs/libcfs/libcfs_string.c` and
//! `lnet/lnet/nidstrings.c`. Three generations of them differ in what they take for a number.

pub use super::version::Numbers;

use super::Version;

/// One item of a list: every `step`th number from `lo` to `hi`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// First.
    pub lo: u32,
    /// Last, itself in.
    pub hi: u32,
    /// 0 makes the kernel divide by zero.
    pub step: u32,
}

/// What testing a number gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// In the list.
    Yes,
    /// Not in it.
    No,
    /// The kernel divides by zero and stops.
    Crash,
}

/// Why a text is no list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// EINVAL.
    Syntax,
    /// The kernel follows a null pointer there.
    Crash,
}

/// A list of ranges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// In the order written.
    pub ranges: Vec<Range>,
}

/// The kernel's `isspace`: 0xa0 is the blank of Latin-1.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r' | 0xa0)
}

fn trim(mut text: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = text
        && is_space(*first)
    {
        text = rest;
    }
    trim_end(text)
}

fn trim_end(mut text: &[u8]) -> &[u8] {
    while let [rest @ .., last] = text
        && is_space(*last)
    {
        text = rest;
    }
    text
}

impl List {
    /// Reads a list whose numbers are from 0 to `max`.
    pub fn parse(text: &[u8], max: u32, version: Version) -> Result<Self, Refused> {
        Self::parse_with(text, max, version.numbers(), version.refuses_reversed())
    }

    /// The same with a way of reading numbers.
    pub fn parse_with(
        text: &[u8],
        max: u32,
        numbers: Numbers,
        ordered: bool,
    ) -> Result<Self, Refused> {
        let ranges = match text {
            [b'[', inner @ .., b']'] => items(inner, max, numbers, ordered)?,
            _ if numbers == Numbers::Strict => vec![strict(text, max, false, ordered)?],
            _ => vec![loose(text, max, false, numbers)?],
        };
        Ok(Self { ranges })
    }

    /// Tests a number, from the first range on, as `cfs_expr_list_match` does.
    pub fn matches(&self, value: u32) -> Match {
        for range in self.ranges.iter().filter(|r| value >= r.lo && value <= r.hi) {
            match (value - range.lo).checked_rem(range.step) {
                None => return Match::Crash,
                Some(0) => return Match::Yes,
                Some(_) => {}
            }
        }
        Match::No
    }

    /// All numbers in it, doubles too, as `cfs_expr_list_values` counts them. `None`: the kernel
    /// divides by zero. Not more than `limit` are given.
    pub fn values(&self, limit: usize) -> Option<Vec<u32>> {
        let mut values = Vec::new();
        for range in self.ranges.iter().filter(|r| r.lo <= r.hi) {
            if range.step == 0 {
                return None;
            }
            let mut next = Some(range.lo);
            while let Some(value) = next.filter(|v| *v <= range.hi && values.len() < limit) {
                values.push(value);
                next = value.checked_add(range.step);
            }
        }
        Some(values)
    }

    /// Is there a number that makes the kernel divide by zero?
    pub fn may_crash(&self) -> bool {
        self.ranges.iter().any(|r| r.step == 0 && r.lo <= r.hi)
    }

    /// Has it a range that ends before it begins?
    pub fn has_reversed(&self) -> bool {
        self.ranges.iter().any(|r| r.hi < r.lo)
    }
}

fn items(inner: &[u8], max: u32, numbers: Numbers, ordered: bool) -> Result<Vec<Range>, Refused> {
    let mut ranges = Vec::new();
    for item in inner.split(|b| *b == b',') {
        // An item that is empty, or begins with its delimiter, is none.
        let item = if numbers == Numbers::Strict {
            if item.is_empty() {
                return Err(Refused::Syntax);
            }
            trim(item)
        } else {
            let item = trim(item);
            if item.is_empty() {
                return Err(Refused::Syntax);
            }
            item
        };
        ranges.push(if numbers == Numbers::Strict {
            strict(item, max, true, ordered)?
        } else {
            loose(item, max, true, numbers)?
        });
    }
    Ok(ranges)
}

/// Versions from 2.15.60: every part is trimmed and must be a number as a whole.
fn strict(text: &[u8], max: u32, bracketed: bool, ordered: bool) -> Result<Range, Refused> {
    let text = trim(text);
    if text == b"*" {
        return Ok(Range { lo: 0, hi: max, step: 1 });
    }
    let number = |text: &[u8]| kstrtouint(trim(text), true);
    let bounded = |n: Option<u32>| n.filter(|n| *n <= max).ok_or(Refused::Syntax);
    if let Some(number) = kstrtouint(text, true) {
        let lo = bounded(Some(number))?;
        return Ok(Range { lo, hi: lo, step: 1 });
    }
    let dash = text.iter().position(|b| *b == b'-').filter(|_| bracketed);
    let (lo, rest) =
        dash.and_then(|at| Some((text.get(..at)?, text.get(at + 1..)?))).ok_or(Refused::Syntax)?;
    let lo = bounded(number(lo))?;
    let range = if let Some(hi) = number(rest) {
        Range { lo, hi: bounded(Some(hi))?, step: 1 }
    } else {
        let slash = rest.iter().position(|b| *b == b'/').ok_or(Refused::Syntax)?;
        let (hi, step) = (rest.get(..slash), rest.get(slash + 1..));
        let hi = bounded(hi.and_then(number))?;
        Range { lo, hi, step: bounded(step.and_then(number))? }
    };
    if ordered && range.hi < range.lo {
        return Err(Refused::Syntax);
    }
    Ok(range)
}

/// Versions up to 2.15: tokens, and what is left over.
fn loose(text: &[u8], max: u32, bracketed: bool, numbers: Numbers) -> Result<Range, Refused> {
    if text == b"*" {
        return Ok(Range { lo: 0, hi: max, step: 1 });
    }
    let number = |text: &[u8]| checked(text, max, numbers);
    if let Some(lo) = number(text) {
        return Ok(Range { lo, hi: lo, step: 1 });
    }
    if !bracketed {
        return Err(Refused::Syntax);
    }
    let (lo, rest) = token(text, b'-').ok_or(Refused::Syntax)?;
    let lo = number(lo).ok_or(Refused::Syntax)?;
    // Without a dash nothing is left, and that was no number above.
    let rest = rest.ok_or(Refused::Crash)?;
    if let Some(hi) = number(rest) {
        return Ok(Range { lo, hi, step: 1 });
    }
    let Some((hi, rest)) = token(rest, b'/') else {
        // `3-`: neither an end nor a step; the zeroes of fresh memory stay.
        return Ok(Range { lo, hi: 0, step: 0 });
    };
    let hi = number(hi).ok_or(Refused::Syntax)?;
    // `3- 5`: only a blank kept the 5 from being read, and what is left is a null pointer.
    let rest = rest.ok_or(Refused::Crash)?;
    Ok(Range { lo, hi, step: number(rest).unwrap_or(0) })
}

/// `cfs_gettok`: the text before a delimiter, and what stands behind it if it was there.
fn token(text: &[u8], delimiter: u8) -> Option<(&[u8], Option<&[u8]>)> {
    let start = text.iter().position(|b| !is_space(*b))?;
    let text = text.get(start..)?;
    if text.first() == Some(&delimiter) {
        return None;
    }
    match text.iter().position(|b| *b == delimiter) {
        Some(at) => Some((trim_end(text.get(..at)?), text.get(at + 1..))),
        None => Some((trim_end(text), None)),
    }
}

/// `cfs_str2num_check`.
fn checked(text: &[u8], max: u32, numbers: Numbers) -> Option<u32> {
    let number = match numbers {
        Numbers::Strtoul => strtoul(trim_end(text))?,
        // The C library skips blanks in front and takes a sign.
        Numbers::Libc => {
            let text = trim(text);
            strtoul(text.strip_prefix(b"+").unwrap_or(text))?
        }
        // A blank in front is not skipped, one behind was cut off with the token.
        Numbers::Scanned | Numbers::Strict => kstrtouint(text, false)?,
    };
    (number <= max).then_some(number)
}

/// `kstrtouint(text, 0, …)`: a `+` may stand in front, `0` means octal, `0x` hexadecimal.
fn kstrtouint(text: &[u8], hexadecimal: bool) -> Option<u32> {
    let text = text.strip_prefix(b"+").unwrap_or(text);
    let (digits, radix) = radix(text);
    if digits.is_empty() || (radix == 16 && !hexadecimal) {
        return None;
    }
    let digits = std::str::from_utf8(digits).ok().filter(|d| !d.starts_with('+'))?;
    u32::from_str_radix(digits, radix).ok()
}

/// `simple_strtoul(text, 0)` that must use up the whole text; it wraps.
fn strtoul(text: &[u8]) -> Option<u32> {
    let (digits, radix) = radix(text);
    if digits.is_empty() {
        return None;
    }
    let mut number = 0u64;
    for digit in digits {
        let digit = char::from(*digit).to_digit(radix)?;
        number = number.wrapping_mul(u64::from(radix)).wrapping_add(u64::from(digit));
    }
    // Kept in an `unsigned`.
    Some(number as u32)
}

/// `_parse_integer_fixup_radix`.
fn radix(text: &[u8]) -> (&[u8], u32) {
    match text {
        [b'0', b'x' | b'X', digits @ ..] if digits.first().is_some_and(u8::is_ascii_hexdigit) => {
            (digits, 16)
        }
        [b'0', ..] => (text, 8),
        _ => (text, 10),
    }
}

/// A pattern for IPv4 addresses: four lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    octets: [List; 4],
}

impl Pattern {
    /// Reads `10.20.[1-3].*`.
    pub fn parse(text: &[u8], version: Version) -> Result<Self, Refused> {
        Self::parse_with(text, version.numbers(), version.refuses_reversed())
    }

    /// The same with a way of reading numbers.
    pub fn parse_with(text: &[u8], numbers: Numbers, ordered: bool) -> Result<Self, Refused> {
        let strict = numbers == Numbers::Strict;
        let text = if strict { trim(text) } else { text };
        let mut octets = Vec::with_capacity(4);
        for part in text.split(|b| *b == b'.') {
            let part = trim(part);
            if part.is_empty() {
                return Err(Refused::Syntax);
            }
            octets.push(List::parse_with(part, 255, numbers, ordered)?);
        }
        let octets = octets.try_into().map_err(|_| Refused::Syntax)?;
        Ok(Self { octets })
    }

    /// Tests an address, from the last octet to the first, as `cfs_ip_addr_match` does.
    pub fn matches(&self, address: std::net::Ipv4Addr) -> Match {
        for (list, octet) in self.octets.iter().zip(address.octets()).rev() {
            match list.matches(u32::from(octet)) {
                Match::Yes => {}
                other => return other,
            }
        }
        Match::Yes
    }

    /// Its four lists.
    pub fn octets(&self) -> &[List; 4] {
        &self.octets
    }

    /// Does it match every address?
    pub fn is_any(&self) -> bool {
        let all = Range { lo: 0, hi: 255, step: 1 };
        self.octets.iter().all(|list| list.ranges.contains(&all))
    }
}
