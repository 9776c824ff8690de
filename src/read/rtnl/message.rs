//! Netlink messages as this program reads them.
//!
//! netlink-proto drops a message whose type refuses to decode it. netlink-packet-route refuses
//! a whole link for one nested attribute of a newer kernel, so a rail could vanish without a
//! word. Here every message decodes; what is not understood is [`Message::Garbled`].

use super::attr::u8_at;
use super::{address, link, nexthop, route, rule};
use crate::sample::{Address, Family, Link, Neighbour, NextHopObject, Route, Rule};
use netlink_packet_core::{NetlinkDeserializable, NetlinkHeader, NetlinkSerializable};
use std::convert::Infallible;

pub(super) const RTM_NEWLINK: u16 = 16;
pub(super) const RTM_DELLINK: u16 = 17;
pub(super) const RTM_GETLINK: u16 = 18;
pub(super) const RTM_NEWADDR: u16 = 20;
pub(super) const RTM_DELADDR: u16 = 21;
pub(super) const RTM_GETADDR: u16 = 22;
pub(super) const RTM_NEWROUTE: u16 = 24;
pub(super) const RTM_DELROUTE: u16 = 25;
pub(super) const RTM_GETROUTE: u16 = 26;
pub(super) const RTM_NEWNEIGH: u16 = 28;
pub(super) const RTM_GETNEIGH: u16 = 30;
pub(super) const RTM_NEWRULE: u16 = 32;
pub(super) const RTM_DELRULE: u16 = 33;
pub(super) const RTM_GETRULE: u16 = 34;
pub(super) const RTM_NEWNEXTHOP: u16 = 104;
pub(super) const RTM_GETNEXTHOP: u16 = 106;

/// AF_INET.
pub(super) const AF_INET: u8 = 2;
/// AF_INET6 of Linux.
pub(super) const AF_INET6: u8 = 10;

/// One message of a dump, or a request.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Message {
    Link(Box<Link>),
    Address(Box<Address>),
    Rule(Family, Box<Rule>),
    Route(Family, Box<Route>),
    Neighbour(Box<Neighbour>),
    NextHop(Box<NextHopObject>),
    /// Another type, or a family that is not asked for.
    Other,
    /// A message of this type that is too short for what it claims to be.
    Garbled(u16),
    /// What is sent: type and body.
    Ask(u16, Vec<u8>),
}

impl NetlinkDeserializable for Message {
    type Error = Infallible;

    fn deserialize(header: &NetlinkHeader, body: &[u8]) -> Result<Self, Infallible> {
        Ok(read(header.message_type, body))
    }
}

impl NetlinkSerializable for Message {
    fn message_type(&self) -> u16 {
        if let Self::Ask(kind, _) = self { *kind } else { 0 }
    }

    fn buffer_len(&self) -> usize {
        if let Self::Ask(_, body) = self { body.len() } else { 0 }
    }

    fn serialize(&self, buffer: &mut [u8]) {
        if let Self::Ask(_, body) = self {
            for (to, from) in buffer.iter_mut().zip(body) {
                *to = *from;
            }
        }
    }
}

/// The family of a header byte, if it is one of ours.
pub(super) fn family(byte: u8) -> Option<Family> {
    match byte {
        AF_INET => Some(Family::Inet),
        AF_INET6 => Some(Family::Inet6),
        _ => None,
    }
}

/// Reads a message of that type.
pub(super) fn read(kind: u16, body: &[u8]) -> Message {
    let known = u8_at(body, 0).and_then(family);
    let v6 = known == Some(Family::Inet6);
    let message = match (kind, known) {
        (RTM_NEWLINK, _) => link::parse(body).map(|l| Message::Link(Box::new(l))),
        (RTM_NEWNEXTHOP, _) => nexthop::parse(body).map(|n| Message::NextHop(Box::new(n))),
        (RTM_NEWADDR, Some(_)) => address::parse(body).map(|a| Message::Address(Box::new(a))),
        (RTM_NEWNEIGH, Some(_)) => {
            address::parse_neighbour(body).map(|n| Message::Neighbour(Box::new(n)))
        }
        (RTM_NEWRULE, Some(of)) => rule::parse(v6, body).map(|r| Message::Rule(of, Box::new(r))),
        (RTM_NEWROUTE, Some(of)) => {
            route::parse(v6, body, ticks()).map(|r| Message::Route(of, Box::new(r)))
        }
        _ => Some(Message::Other),
    };
    message.unwrap_or(Message::Garbled(kind))
}

/// USER_HZ, in which rtnetlink counts times.
fn ticks() -> u32 {
    u32::try_from(rustix::param::clock_ticks_per_second()).unwrap_or(100)
}

/// What a multicast message is about; its body is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct News(pub(super) u16);

impl NetlinkDeserializable for News {
    type Error = Infallible;

    fn deserialize(header: &NetlinkHeader, _body: &[u8]) -> Result<Self, Infallible> {
        Ok(Self(header.message_type))
    }
}

impl NetlinkSerializable for News {
    fn message_type(&self) -> u16 {
        self.0
    }

    fn buffer_len(&self) -> usize {
        0
    }

    fn serialize(&self, _buffer: &mut [u8]) {}
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::read::rtnl::attr::{aligned, push, u16_at, u32_at};
    use proptest::prelude::*;

    /// Every message of a recorded dump.
    pub(in crate::read::rtnl) fn read_all(mut bytes: &[u8]) -> Vec<Message> {
        let mut all = Vec::new();
        while let (Some(len), Some(kind)) = (u32_at(bytes, 0), u16_at(bytes, 4)) {
            let Some(body) = bytes.get(16..len as usize) else { break };
            if kind >= RTM_NEWLINK {
                all.push(read(kind, body));
            }
            bytes = bytes.get(aligned(len as usize)..).unwrap_or_default();
        }
        all
    }

    const KINDS: [u16; 6] =
        [RTM_NEWLINK, RTM_NEWADDR, RTM_NEWROUTE, RTM_NEWNEIGH, RTM_NEWRULE, RTM_NEWNEXTHOP];

    proptest! {
        #[test]
        fn any_bytes_decode(kind in proptest::sample::select(&KINDS[..]), body in any::<Vec<u8>>()) {
            let _ = read(kind, &body);
        }

        #[test]
        fn any_attributes_decode(
            kind in proptest::sample::select(&KINDS[..]),
            family in proptest::sample::select(&[AF_INET, AF_INET6][..]),
            header in any::<[u8; 15]>(),
            attrs in proptest::collection::vec((0u16..64, any::<Vec<u8>>()), 0..12),
        ) {
            let mut body = vec![family];
            body.extend_from_slice(&header);
            for (kind, value) in &attrs {
                push(&mut body, *kind, value);
            }
            let _ = read(kind, &body);
            let _ = read_all(&body);
        }
    }
}
