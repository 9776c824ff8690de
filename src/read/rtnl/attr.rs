//! Netlink attributes, walked without trusting their lengths.

use crate::sample::Text;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// NLA_F_NESTED and NLA_F_NET_BYTEORDER are no part of the type (linux/netlink.h).
const TYPE_MASK: u16 = 0x3fff;

/// One attribute.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attr<'a> {
    /// `nla_type` without its flag bits.
    pub(super) kind: u16,
    /// The payload.
    pub(super) value: &'a [u8],
}

/// The attributes of a message or of a nested attribute; ends at the first that does not fit.
#[derive(Clone, Debug)]
pub(super) struct Attrs<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Attrs<'a> {
    type Item = Attr<'a>;

    fn next(&mut self) -> Option<Attr<'a>> {
        let whole = self.0;
        self.0 = &[];
        let len = usize::from(u16_at(whole, 0)?);
        let kind = u16_at(whole, 2)? & TYPE_MASK;
        let value = whole.get(4..len)?;
        self.0 = whole.get(aligned(len)..).unwrap_or_default();
        Some(Attr { kind, value })
    }
}

/// NLA_ALIGN.
pub(super) fn aligned(len: usize) -> usize {
    len.saturating_add(3) & !3
}

/// A byte of a fixed header.
pub(super) fn u8_at(bytes: &[u8], at: usize) -> Option<u8> {
    bytes.get(at).copied()
}

/// A 16-bit field in host order.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|b| u16::from_ne_bytes(*b))
}

/// A 32-bit field in host order.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|b| u32::from_ne_bytes(*b))
}

impl Attr<'_> {
    /// The payload as a byte.
    pub(super) fn u8(self) -> Option<u8> {
        u8_at(self.value, 0)
    }

    /// The payload as a 16-bit number in host order.
    pub(super) fn u16(self) -> Option<u16> {
        u16_at(self.value, 0)
    }

    /// The payload as a 32-bit number in host order.
    pub(super) fn u32(self) -> Option<u32> {
        u32_at(self.value, 0)
    }

    /// The payload as a 64-bit number in network order.
    pub(super) fn be64(self) -> Option<u64> {
        self.value.first_chunk().map(|b| u64::from_be_bytes(*b))
    }

    /// The payload as an address, told by its length.
    pub(super) fn ip(self) -> Option<IpAddr> {
        ip(self.value)
    }

    /// The payload as a NUL-terminated string.
    pub(super) fn text(self) -> Text {
        let end = self.value.iter().position(|&b| b == 0).unwrap_or(self.value.len());
        Text::from_bytes(self.value.get(..end).unwrap_or_default())
    }

    /// The payload as `aa:bb:…`; `None` if it is empty (a TUN device has no address).
    pub(super) fn hex(self) -> Option<Text> {
        hex(self.value)
    }
}

/// Four or sixteen bytes as an address.
pub(super) fn ip(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(v4).into());
    }
    <[u8; 16]>::try_from(bytes).ok().map(|v6| Ipv6Addr::from(v6).into())
}

/// Bytes as `aa:bb:…`; `None` if there are none.
pub(in crate::read) fn hex(bytes: &[u8]) -> Option<Text> {
    if bytes.is_empty() {
        return None;
    }
    let mut out = String::with_capacity(bytes.len() * 3);
    for (i, byte) in bytes.iter().enumerate() {
        let colon = if i == 0 { "" } else { ":" };
        let _ = write!(out, "{colon}{byte:02x}");
    }
    Some(out.into())
}

/// Appends an attribute to a request.
pub(super) fn push(body: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let len = u16::try_from(value.len() + 4).unwrap_or(u16::MAX);
    body.extend_from_slice(&len.to_ne_bytes());
    body.extend_from_slice(&kind.to_ne_bytes());
    body.extend_from_slice(value);
    body.resize(aligned(body.len()), 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn attributes_round_trip() {
        let mut body = Vec::new();
        push(&mut body, 3, b"ib0\0");
        push(&mut body, 0x8011, &[1]);
        push(&mut body, 15, &941u32.to_ne_bytes());
        let all: Vec<_> = Attrs(&body).map(|a| (a.kind, a.value.to_vec())).collect();
        assert_eq!(
            all,
            [(3, b"ib0\0".to_vec()), (17, vec![1]), (15, 941u32.to_ne_bytes().to_vec())]
        );
        assert_eq!(Attrs(&body).next().map(Attr::text), Some("ib0".into()));
    }

    #[test]
    fn an_attribute_that_does_not_fit_ends_the_walk() {
        assert_eq!(Attrs(&[9, 0, 1, 0, 1, 2, 3, 4]).count(), 0);
        assert_eq!(Attrs(&[0, 0, 1, 0]).count(), 0);
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes: Vec<u8>) {
            for attr in Attrs(&bytes) {
                let _ = (attr.u8(), attr.u16(), attr.u32(), attr.be64(), attr.ip());
                let _ = (attr.text(), attr.hex());
            }
        }
    }
}
