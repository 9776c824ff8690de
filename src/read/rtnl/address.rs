//! RTM_NEWADDR (linux/if_addr.h) and RTM_NEWNEIGH (linux/neighbour.h).

use super::attr::{Attrs, u8_at, u16_at, u32_at};
use super::message::family;
use crate::sample::{Address, Neighbour, Prefix};

const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_LABEL: u16 = 3;
const IFA_FLAGS: u16 = 8;
const NDA_DST: u16 = 1;
const NDA_LLADDR: u16 = 2;
const NTF_ROUTER: u8 = 0x80;

/// Reads the body of an address: `ifaddrmsg`, then attributes.
pub(super) fn parse(body: &[u8]) -> Option<Address> {
    family(u8_at(body, 0)?)?;
    let (mut address, mut local, mut label) = (None, None, None);
    // The header's flags are the low 8 bits of IFA_FLAGS.
    let mut flags = u8_at(body, 2)?.into();
    for attr in Attrs(body.get(8..)?) {
        match attr.kind {
            IFA_ADDRESS => address = attr.ip(),
            IFA_LOCAL => local = attr.ip(),
            IFA_LABEL => label = Some(attr.text()),
            IFA_FLAGS => flags = attr.u32().unwrap_or(flags),
            _ => {}
        }
    }
    let own = local.or(address)?;
    Some(Address {
        ifindex: u32_at(body, 4)?,
        local: Prefix { addr: own, len: u8_at(body, 1)? },
        peer: address.filter(|&peer| peer != own),
        scope: u8_at(body, 3)?,
        flags,
        label,
    })
}

/// Reads the body of a neighbour: `ndmsg`, then attributes.
pub(super) fn parse_neighbour(body: &[u8]) -> Option<Neighbour> {
    let (mut dst, mut lladdr) = (None, None);
    for attr in Attrs(body.get(12..)?) {
        match attr.kind {
            NDA_DST => dst = attr.ip(),
            NDA_LLADDR => lladdr = attr.hex(),
            _ => {}
        }
    }
    Some(Neighbour {
        ifindex: u32_at(body, 4)?,
        dst: dst?,
        lladdr,
        state: u16_at(body, 8)?,
        router: u8_at(body, 10)? & NTF_ROUTER != 0,
    })
}
