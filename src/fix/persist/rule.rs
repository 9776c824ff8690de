//! A policy rule taken apart: managers want its parts in words of their own.

use crate::fix::RuleSpec;
use crate::sample::{Family, Prefix, Text};

/// A rule that looks up a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Its list.
    pub family: Family,
    /// Its preference.
    pub preference: u32,
    /// Everything but what the selectors say.
    pub not: bool,
    /// `from`.
    pub from: Option<Prefix>,
    /// `to`.
    pub to: Option<Prefix>,
    /// `iif`.
    pub iif: Option<Text>,
    /// `oif`.
    pub oif: Option<Text>,
    /// `fwmark`, with its mask.
    pub fwmark: Option<Text>,
    /// The table.
    pub table: u32,
}

impl Policy {
    /// Takes a rule apart; `None` for what not every manager can say (`goto`, ports, users, …).
    pub fn of(spec: &RuleSpec) -> Option<Self> {
        let mut policy = Self {
            family: spec.family,
            preference: spec.preference,
            not: false,
            from: None,
            to: None,
            iif: None,
            oif: None,
            fwmark: None,
            table: table(&spec.action)?,
        };
        let mut words = spec.selectors.split_whitespace();
        while let Some(word) = words.next() {
            match word {
                "not" => policy.not = true,
                "from" => policy.from = prefix(words.next()?, spec.family)?,
                "to" => policy.to = prefix(words.next()?, spec.family)?,
                "iif" => policy.iif = Some(name(words.next()?)?),
                "oif" => policy.oif = Some(name(words.next()?)?),
                "fwmark" => policy.fwmark = Some(mark(words.next()?)?),
                _ => return None,
            }
        }
        Some(policy)
    }

    /// `from X to Y iif A oif B fwmark M`, as `ip rule` and NetworkManager take it.
    pub(super) fn selectors(&self) -> String {
        let mut words = Vec::new();
        if self.not {
            words.push("not".to_owned());
        }
        match self.from {
            Some(from) => words.push(format!("from {}", bare(from))),
            None => words.push("from all".to_owned()),
        }
        if let Some(to) = self.to {
            words.push(format!("to {}", bare(to)));
        }
        for (key, value) in [("fwmark", &self.fwmark), ("iif", &self.iif), ("oif", &self.oif)] {
            if let Some(value) = value {
                words.push(format!("{key} {value}"));
            }
        }
        words.join(" ")
    }

    /// Only a source, as nearly all rules of rails.
    pub(super) fn is_plain(&self) -> bool {
        let bare = !self.not && self.iif.is_none() && self.oif.is_none() && self.fwmark.is_none();
        bare && self.to.is_none() && self.from.is_some()
    }
}

/// The whole word of `0.0.0.0/0` where a list cannot tell the family otherwise.
pub(super) fn everything(family: Family) -> &'static str {
    match family {
        Family::Inet => "0.0.0.0/0",
        Family::Inet6 => "::/0",
    }
}

/// `lookup 941`, also with the protocol behind it.
fn table(action: &str) -> Option<u32> {
    let mut words = action.split_whitespace();
    if !matches!(words.next()?, "lookup" | "table") {
        return None;
    }
    let id = words.next()?.parse().ok()?;
    match (words.next(), words.next(), words.next()) {
        (None, ..) | (Some("proto" | "protocol"), Some(_), None) => Some(id),
        _ => None,
    }
}

/// An address or prefix of the family; `all` is none.
#[expect(clippy::option_option, reason = "not understood is not the same as all")]
fn prefix(word: &str, family: Family) -> Option<Option<Prefix>> {
    if matches!(word, "all" | "any" | "default") {
        return Some(None);
    }
    let prefix = parse(word)?;
    (prefix.family() == family).then(|| (prefix.len > 0).then_some(prefix))
}

/// `172.16.34.1`, `172.16.0.0/16`, `fd00::1`.
pub(super) fn parse(word: &str) -> Option<Prefix> {
    let (addr, len) = match word.split_once('/') {
        Some((addr, len)) => (addr, Some(len)),
        None => (word, None),
    };
    let addr: std::net::IpAddr = addr.parse().ok()?;
    let most = if addr.is_ipv4() { 32 } else { 128 };
    let len = match len {
        Some(len) => len.parse().ok().filter(|l| *l <= most)?,
        None => most,
    };
    Some(Prefix { addr, len })
}

/// Without the length that says nothing.
pub(super) fn bare(prefix: Prefix) -> String {
    match (prefix.family(), prefix.len) {
        (Family::Inet, 32) | (Family::Inet6, 128) => prefix.addr.to_string(),
        _ => prefix.to_string(),
    }
}

fn name(word: &str) -> Option<Text> {
    super::write::is_plain_name(word).then(|| word.into())
}

fn mark(word: &str) -> Option<Text> {
    let good = |n: &str| {
        n.strip_prefix("0x")
            .map_or(n.parse::<u32>().is_ok(), |hex| u32::from_str_radix(hex, 16).is_ok())
    };
    let (value, mask) = word.split_once('/').unwrap_or((word, "0"));
    (good(value) && good(mask)).then(|| word.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rule(selectors: &str, action: &str) -> Option<Policy> {
        let spec = RuleSpec {
            family: Family::Inet,
            preference: 9410,
            selectors: selectors.into(),
            action: action.into(),
        };
        Policy::of(&spec)
    }

    #[test]
    fn parts() {
        let plain = rule("from 172.16.34.1", "lookup 941").unwrap();
        assert!(plain.is_plain());
        assert_eq!((plain.from, plain.table), (parse("172.16.34.1/32"), 941));
        let all = rule("not from all to 10.0.0.0/8 iif ib1 fwmark 0x5/0xff", "lookup 7 protocol 4");
        let all = all.unwrap();
        assert_eq!(all.selectors(), "not from all to 10.0.0.0/8 fwmark 0x5/0xff iif ib1");
        for (selectors, action) in [
            ("from 172.16.34.1", "goto 100"),
            ("from 172.16.34.1", "lookup 7 suppress_prefixlength 0"),
            ("from fd00::1", "lookup 7"),
            ("from 172.16.34.1 sport 22", "lookup 7"),
            ("from", "lookup 7"),
            ("from 172.16.34.1/33", "lookup 7"),
            ("from 172.16.34.1 iif 'a b'", "lookup 7"),
        ] {
            assert_eq!(rule(selectors, action), None, "{selectors} {action}");
        }
    }

    proptest! {
        #[test]
        fn words_are_kept(selectors in "(not )?(from|to|iif|fwmark| |[0-9./:a-f]){0,12}", action in "[a-z0-9 ]{0,20}") {
            if let Some(policy) = rule(&selectors, &action) {
                let again = rule(&policy.selectors(), &format!("lookup {}", policy.table));
                prop_assert_eq!(again, Some(policy));
            }
        }
    }
}
