//! The version of Lustre, as vendors write it.

use std::fmt;
use std::str::FromStr;

/// A version of Lustre, compared number by number.
///
/// `2.15.8`, `2.14.0_ddn98`, `v2_12_9`, `lnetctl 2.17.57-3-gabcdef` are read alike: the first
/// two to four numbers that stand together. A third number of 50 and more is a development tag
/// whose features are in the next release (2.15.60 → 2.16.0).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// `2` in 2.15.8.
    pub major: u32,
    /// `15` in 2.15.8.
    pub minor: u32,
    /// `8` in 2.15.8.
    pub patch: u32,
}

impl Version {
    /// The newest release whose behaviour is known.
    pub const NEWEST: Version = Version::new(2, 17, 0);

    /// One release of each behaviour, oldest first.
    pub const KNOWN: [Version; 6] = [
        Version::new(2, 10, 8),
        Version::new(2, 12, 9),
        Version::new(2, 14, 0),
        Version::new(2, 15, 8),
        Version::new(2, 16, 1),
        Version::new(2, 17, 0),
    ];

    /// From its numbers.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch }
    }

    /// Entries for a net that is matched already add NIs (LU-13734, 2.13.56); before, they are
    /// left out.
    pub fn later_entries_add(self) -> bool {
        self >= Self::new(2, 13, 56)
    }

    /// A device whose name is the beginning of one listed before counts as the same
    /// (LU-16859, fixed in 2.15.60).
    pub fn prefix_bug(self) -> bool {
        self < Self::new(2, 15, 60)
    }

    /// How numbers and ranges are read.
    pub fn numbers(self) -> Numbers {
        if self < Self::new(2, 12, 0) {
            Numbers::Strtoul
        } else if self < Self::new(2, 15, 60) {
            Numbers::Scanned
        } else {
            Numbers::Strict
        }
    }

    /// A range that ends before it begins is an error; before, it matches nothing.
    pub fn refuses_reversed(self) -> bool {
        self >= Self::new(2, 16, 50)
    }

    /// Messages of the console carry a number (`10f-e: `).
    pub fn numbered_messages(self) -> bool {
        self < Self::new(2, 16, 50)
    }

    /// Which rules hold for the `ip2nets:` section of a YAML file.
    pub fn yaml(self) -> YamlRules {
        if self < Self::new(2, 15, 50) {
            YamlRules::Cyaml
        } else if self < Self::new(2, 16, 50) {
            YamlRules::None
        } else {
            YamlRules::Events
        }
    }

    /// Kernel `ip2nets` strings give a warning on the console (LU-19485, 2.17.0).
    pub fn deprecated_string(self) -> bool {
        self >= Self::new(2, 16, 50)
    }
}

/// How the kernel reads a number of an octet or a CPT list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// Up to 2.11: `simple_strtoul`, base 0: hexadecimal too, no sign, wraps.
    Strtoul,
    /// 2.12 to 2.15: a scan for digits, then `kstrtouint`: octal but no hexadecimal, `+` allowed.
    Scanned,
    /// From 2.15.60: `kstrtouint` of each part.
    Strict,
    /// In `lnetctl`: `strtoul` of the C library.
    Libc,
}

/// What `lnetctl import` makes of an `ip2nets:` section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum YamlRules {
    /// Up to 2.15: the whole tree first; a lookup goes on into the items that follow.
    Cyaml,
    /// 2.16: refused.
    None,
    /// From 2.17: event by event, one rule after the other.
    Events,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let none = || {
            let shown: String = text.chars().take(40).collect();
            format!("no version in `{shown}`: give one such as 2.15 or 2.15.8")
        };
        let bytes = text.as_bytes();
        let digit = |i: usize| bytes.get(i).is_some_and(u8::is_ascii_digit);
        let mut at = 0;
        while at < bytes.len() {
            if !digit(at) || (at > 0 && digit(at - 1)) {
                at += 1;
                continue;
            }
            let mut numbers = Vec::new();
            let mut end = at;
            while numbers.len() < 3 {
                let from = end;
                while digit(end) {
                    end += 1;
                }
                let Some(number) = text.get(from..end).and_then(|t| t.parse().ok()) else { break };
                numbers.push(number);
                let separated = matches!(bytes.get(end), Some(b'.' | b'_')) && digit(end + 1);
                if !separated {
                    break;
                }
                end += 1;
            }
            if let [major, minor, rest @ ..] = numbers.as_slice() {
                return Ok(Self::new(*major, *minor, rest.first().copied().unwrap_or(0)));
            }
            at = end.max(at + 1);
        }
        Err(none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn as_vendors_write_it() {
        for (text, wanted) in [
            ("2.15.8", (2, 15, 8)),
            ("2.14.0_ddn98", (2, 14, 0)),
            ("lnetctl 2.17.57-3-gabcdef", (2, 17, 57)),
            ("v2_12_9", (2, 12, 9)),
            ("2.15", (2, 15, 0)),
            ("lctl   2.10.8_cray_1", (2, 10, 8)),
            ("3 nodes, 2.16.1", (2, 16, 1)),
            ("2.15.8.1", (2, 15, 8)),
        ] {
            let (major, minor, patch) = wanted;
            assert_eq!(text.parse(), Ok(Version::new(major, minor, patch)), "{text}");
        }
        for text in ["", "two", "2", "2.x", "99999999999.1"] {
            assert!(text.parse::<Version>().is_err(), "{text}");
        }
    }

    #[test]
    fn each_known_release_behaves_differently_from_the_one_before() {
        let traits = |v: Version| {
            (v.later_entries_add(), v.prefix_bug(), v.numbers(), v.refuses_reversed(), v.yaml())
        };
        let differing = Version::KNOWN.windows(2).filter(|w| traits(w[0]) != traits(w[1])).count();
        // 2.14 and 2.15 differ in nothing that matters here.
        assert_eq!(differing, Version::KNOWN.len() - 2);
        assert_eq!(Version::KNOWN.last(), Some(&Version::NEWEST));
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,40}", near in "[0-9._v ]{0,20}") {
            let _ = text.parse::<Version>();
            let _ = near.parse::<Version>();
        }

        #[test]
        fn what_is_shown_is_read_again(major in 0u32..99, minor in 0u32..99, patch in 0u32..99) {
            let version = Version::new(major, minor, patch);
            prop_assert_eq!(version.to_string().parse(), Ok(version));
        }
    }
}
