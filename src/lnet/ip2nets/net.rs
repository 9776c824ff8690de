//! Names of nets: `tcp`, `o2ib1`.

use super::Version;
use serde::{Serialize, Serializer};
use std::fmt;

/// A net: the type of its LND and its number, as LNet packs them (`LNET_MKNET`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Net(u32);

/// Types of LNDs in the order in which their names are looked for
/// (`lnet/include/uapi/linux/lnet/nidstr.h`, `libcfs_netstrfns`).
const LNDS: [(&str, u32); 9] = [
    ("lo", LO),
    ("tcp", 2),
    ("o2ib", 5),
    ("gni", 13),
    ("gip", 14),
    ("ptlf", 15),
    ("kfi", 16),
    ("tofu", 17),
    ("efa", EFA),
];
const LO: u32 = 9;
const EFA: u32 = 18;
/// `LNET_NET_ANY`: no net.
const ANY: u32 = u32::MAX;

impl Net {
    /// A name as `libcfs_str2net` reads it: a known name, then nothing or a decimal number.
    ///
    /// The number is not bounded there: what exceeds 16 bits spills into the type.
    pub fn parse(name: &str, version: Version) -> Option<Self> {
        let (known, kind) = LNDS
            .iter()
            .filter(|(_, kind)| *kind != EFA || version >= Version::new(2, 16, 50))
            .find(|(known, _)| name.starts_with(known))?;
        let digits = name.get(known.len()..)?;
        let number = if digits.is_empty() {
            0
        } else if *kind == LO || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        } else {
            digits
                .bytes()
                .fold(0u32, |number, b| number.wrapping_mul(10).wrapping_add(u32::from(b - b'0')))
        };
        let packed = (kind << 16) | number;
        (packed != ANY).then_some(Self(packed))
    }

    /// `tcp`, `o2ib`, …; `None` for a type that no LND has.
    pub fn lnd(self) -> Option<&'static str> {
        let kind = self.0 >> 16;
        LNDS.iter().find(|(_, known)| *known == kind).map(|(name, _)| *name)
    }

    /// Number of the LND's type.
    pub fn kind(self) -> u32 {
        self.0 >> 16
    }

    /// Number of the net, 0 where none was given.
    pub fn number(self) -> u32 {
        self.0 & 0xffff
    }

    /// The loopback net, which is there always.
    pub fn is_lo(self) -> bool {
        self.kind() == LO
    }

    /// A net of TCP sockets.
    pub fn is_tcp(self) -> bool {
        self.lnd() == Some("tcp")
    }

    /// A net of RDMA verbs.
    pub fn is_o2ib(self) -> bool {
        self.lnd() == Some("o2ib")
    }
}

/// As LNet prints it: the number 0 is left out.
impl fmt::Display for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.lnd(), self.number()) {
            (Some(name), 0) => f.pad(name),
            (Some(name), number) => f.pad(&format!("{name}{number}")),
            (None, number) => f.pad(&format!("<{}:{number}>", self.kind())),
        }
    }
}

impl Serialize for Net {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers() {
        let new = Version::NEWEST;
        for (name, shown) in [
            ("tcp", "tcp"),
            ("tcp0", "tcp"),
            ("o2ib00", "o2ib"),
            ("o2ib1", "o2ib1"),
            ("gni3", "gni3"),
            ("kfi", "kfi"),
            ("lo", "lo"),
            ("efa", "efa"),
            ("tcp65535", "tcp65535"),
            ("tcp99999", "<3:34463>"),
            ("tcp4294967296", "tcp"),
        ] {
            assert_eq!(Net::parse(name, new).unwrap().to_string(), shown, "{name}");
        }
        for name in ["", "TCP", "tc", "lo0", "o2ib-1", "o2ib+1", "tcp1x", "ib0", "tcp(eth0)"] {
            assert_eq!(Net::parse(name, new), None, "{name}");
        }
        assert_eq!(Net::parse("efa", Version::new(2, 15, 8)), None);
        // All bits set is LNet's word for "no net".
        assert_eq!(Net::parse("tcp4294967295", new), None);
    }
}
