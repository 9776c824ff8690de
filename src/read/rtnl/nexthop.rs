//! RTM_NEWNEXTHOP (linux/nexthop.h).

use super::attr::{Attr, Attrs, u8_at, u32_at};
use super::route::hop_flags;
use crate::sample::{NextHopGroupMember, NextHopObject};

const NHA_ID: u16 = 1;
const NHA_GROUP: u16 = 2;
const NHA_BLACKHOLE: u16 = 4;
const NHA_OIF: u16 = 5;
const NHA_GATEWAY: u16 = 6;
/// `struct nexthop_grp`: id, weight, high byte of the weight (Linux 6.12), two reserved.
const GROUP_ENTRY: usize = 8;

/// Reads the body of a message: `nhmsg`, then attributes.
pub(super) fn parse(body: &[u8]) -> Option<NextHopObject> {
    let mut object = NextHopObject {
        id: 0,
        ifindex: None,
        gateway: None,
        blackhole: false,
        group: Vec::new(),
        flags: hop_flags(u32_at(body, 4)?),
    };
    let mut id = None;
    for attr in Attrs(body.get(8..)?) {
        match attr.kind {
            NHA_ID => id = attr.u32(),
            NHA_GROUP => object.group = group(attr),
            NHA_BLACKHOLE => object.blackhole = true,
            NHA_OIF => object.ifindex = attr.u32().filter(|&index| index != 0),
            NHA_GATEWAY => object.gateway = attr.ip(),
            _ => {}
        }
    }
    object.id = id?;
    Some(object)
}

fn group(attr: Attr<'_>) -> Vec<NextHopGroupMember> {
    attr.value.chunks_exact(GROUP_ENTRY).filter_map(member).collect()
}

fn member(entry: &[u8]) -> Option<NextHopGroupMember> {
    let weight = u16::from_le_bytes([u8_at(entry, 4)?, u8_at(entry, 5)?]);
    Some(NextHopGroupMember { id: u32_at(entry, 0)?, weight: u32::from(weight) + 1 })
}

#[cfg(test)]
mod tests {
    use super::super::attr::push;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_group() {
        let mut body = vec![0; 8];
        push(&mut body, NHA_ID, &10u32.to_ne_bytes());
        let mut members = 1u32.to_ne_bytes().to_vec();
        members.extend_from_slice(&[0, 0, 0, 0]);
        members.extend_from_slice(&2u32.to_ne_bytes());
        members.extend_from_slice(&[4, 1, 0, 0]);
        push(&mut body, NHA_GROUP, &members);
        let object = parse(&body).unwrap();
        assert_eq!(object.id, 10);
        let weights: Vec<_> = object.group.iter().map(|m| (m.id, m.weight)).collect();
        assert_eq!(weights, [(1, 1), (2, 261)]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }

        #[test]
        fn any_attributes_are_survived(attrs: Vec<(u16, Vec<u8>)>) {
            let mut body = vec![0; 8];
            for (kind, value) in &attrs {
                push(&mut body, kind % 16, value);
            }
            let _ = parse(&body);
        }
    }
}
