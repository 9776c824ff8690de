//! Words that configuration files take as they are.

use crate::fix::RouteSpec;
use crate::sample::Family;

/// The first line of every file.
pub(super) const HEADER: &str = "# Rails: written by `railtop fix --persist`.\n";

/// A name of an interface that no file, pattern, path or shell takes for something else.
pub(super) fn is_plain_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.@".contains(c);
    let odd = |c: char| "-.@".contains(c);
    !name.is_empty() && name.chars().all(plain) && !name.starts_with(odd) && name.len() <= 15
}

/// A scalar of YAML that is this string and nothing else.
pub(super) fn yaml(word: &str) -> String {
    let reserved = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "inf", "nan"];
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    // 10e3 and 1_0 are numbers, 172.16.34.1 and 172.16.0.0/16 are not.
    let number = word.chars().next().is_some_and(|c| !c.is_ascii_alphabetic())
        && word.parse::<std::net::Ipv4Addr>().is_err()
        && super::rule::parse(word).is_none();
    let lower = word.to_ascii_lowercase();
    if word.chars().all(plain) && !number && !word.is_empty() && !reserved.contains(&&*lower) {
        return word.to_owned();
    }
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
}

/// What a route says beyond its plain parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Extra {
    pub(super) onlink: bool,
    pub(super) mtu: Option<u32>,
    pub(super) lock: bool,
}

impl Extra {
    /// `onlink mtu lock 1500`; `None` if there are other words.
    pub(super) fn of(route: &RouteSpec) -> Option<Self> {
        let mut extra = Extra::default();
        let mut words = route.extra.as_deref().unwrap_or_default().split_whitespace();
        while let Some(word) = words.next() {
            match word {
                "onlink" => extra.onlink = true,
                "mtu" => {
                    let mut value = words.next()?;
                    if value == "lock" {
                        extra.lock = true;
                        value = words.next()?;
                    }
                    extra.mtu = Some(value.parse().ok()?);
                }
                _ => return None,
            }
        }
        Some(extra)
    }
}

/// A destination with its length, also for the default route.
pub(super) fn destination(route: &RouteSpec) -> String {
    if route.dst.len == 0 {
        return super::rule::everything(route.dst.family()).to_owned();
    }
    route.dst.network().to_string()
}

/// IPv6 has no scopes of routes.
pub(super) fn has_link_scope(route: &RouteSpec) -> bool {
    route.scope_link && route.dst.family() == Family::Inet
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names() {
        for good in ["ib0", "ib0.8001", "enp1s0f0np0", "eth_1"] {
            assert!(is_plain_name(good), "{good}");
        }
        for bad in
            ["", "ib*", "a b", "$(x)", "a/b", "..", "-x", "a'b", "a\\x1b", "0123456789abcdef"]
        {
            assert!(!is_plain_name(bad), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn yaml_gives_the_string_back(word in "[ -~]{0,15}") {
            let back: String = yaml_serde::from_str(&yaml(&word)).unwrap();
            prop_assert_eq!(back, word);
        }

        #[test]
        fn what_looks_like_a_number_is_a_string(word in "[0-9a-fxoe_.+-]{1,8}") {
            let back: yaml_serde::Value = yaml_serde::from_str(&yaml(&word)).unwrap();
            prop_assert_eq!(back.as_str(), Some(&*word));
        }
    }
}
