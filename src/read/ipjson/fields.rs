//! The members of one JSON object of `ip -j`.

use crate::sample::{Reading, Text, Unknown, Why};
use serde_json::{Map, Value};
use std::net::IpAddr;

/// What could not be understood of an entry.
pub(super) type Odd = String;

/// One object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a>(pub(super) &'a Map<String, Value>);

impl<'a> Fields<'a> {
    /// The object in a value; anything else has no members.
    pub(super) fn of(value: &'a Value) -> Option<Self> {
        value.as_object().map(Self)
    }

    /// Is the key there? `"not": null` is how iproute2 says yes.
    pub(super) fn has(self, key: &str) -> bool {
        self.0.get(key).is_some_and(|v| v != &Value::Bool(false))
    }

    /// A string.
    pub(super) fn str(self, key: &str) -> Option<&'a str> {
        self.0.get(key)?.as_str()
    }

    /// A string, safe to show.
    pub(super) fn text(self, key: &str) -> Option<Text> {
        self.str(key).map(Text::new)
    }

    /// A string, or a number as one.
    pub(super) fn word(self, key: &str) -> Option<String> {
        match self.0.get(key)? {
            Value::String(s) => Some(s.clone()),
            Value::Number(n) => Some(n.to_string()),
            _ => None,
        }
    }

    /// A number, also one in a string; an error if it is something else or too large.
    pub(super) fn number<T: TryFrom<u64>>(self, key: &str) -> Result<Option<T>, Odd> {
        let Some(value) = self.0.get(key).filter(|v| !v.is_null()) else { return Ok(None) };
        let number = match value {
            Value::Number(n) => n.as_u64(),
            Value::String(s) => parse_number(s),
            _ => None,
        };
        match number.and_then(|n| T::try_from(n).ok()) {
            Some(number) => Ok(Some(number)),
            None => Err(format!("{key} {value}")),
        }
    }

    /// A number that must be there.
    pub(super) fn must<T: TryFrom<u64>>(self, key: &str) -> Result<T, Odd> {
        self.number(key)?.ok_or_else(|| format!("no {key}"))
    }

    /// An address.
    pub(super) fn ip(self, key: &str) -> Result<Option<IpAddr>, Odd> {
        let Some(text) = self.str(key) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| format!("{key} {text:?}"))
    }

    /// An object inside.
    pub(super) fn object(self, key: &str) -> Option<Fields<'a>> {
        Fields::of(self.0.get(key)?)
    }

    /// A list inside; empty if absent.
    pub(super) fn list(self, key: &str) -> &'a [Value] {
        self.0.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The strings of a list inside.
    pub(super) fn words(self, key: &str) -> impl Iterator<Item = &'a str> {
        self.list(key).iter().filter_map(Value::as_str)
    }
}

/// Decimal, or hex after `0x`.
pub(super) fn parse_number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

/// Reads every object of a file with `read`. Empty objects are skipped: iproute2 prints them for
/// entries that a filter removed.
pub(super) fn each<T>(
    bytes: &[u8],
    mut read: impl FnMut(Fields<'_>) -> Result<T, Odd>,
) -> Reading<Vec<T>> {
    let list = top(bytes)?;
    let mut all = Vec::with_capacity(list.len());
    for (i, value) in list.iter().enumerate() {
        let Some(fields) = Fields::of(value) else {
            return Err(odd(i, "not an object"));
        };
        if !fields.0.is_empty() {
            all.push(read(fields).map_err(|what| odd(i, &what))?);
        }
    }
    Ok(all)
}

fn odd(at: usize, what: &str) -> Unknown {
    Unknown::new(Why::Unparsable, format!("entry {}: {what}", at + 1))
}

fn top(bytes: &[u8]) -> Reading<Vec<Value>> {
    // A copied file may be padded with NULs.
    let end = bytes.iter().rposition(|&b| b != 0 && !b.is_ascii_whitespace());
    let bytes = bytes.get(..end.map_or(0, |e| e + 1)).unwrap_or_default();
    if bytes.is_empty() {
        return Err(Unknown::new(Why::Absent, "empty"));
    }
    serde_json::from_slice(bytes)
        .map_err(|error| Unknown::new(Why::Unparsable, format!("not the JSON of ip: {error}")))
}
