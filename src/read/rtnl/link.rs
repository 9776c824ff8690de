//! RTM_NEWLINK (linux/if_link.h).

use super::attr::{Attr, Attrs, u16_at, u32_at};
use crate::sample::{Link, LinkFlags, Text, Unknown, Why};

const IFLA_ADDRESS: u16 = 1;
const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_LINK: u16 = 5;
const IFLA_MASTER: u16 = 10;
const IFLA_OPERSTATE: u16 = 16;
const IFLA_LINKINFO: u16 = 18;
const IFLA_LINK_NETNSID: u16 = 37;
const IFLA_CARRIER_UP_COUNT: u16 = 47;
const IFLA_CARRIER_DOWN_COUNT: u16 = 48;
const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;
const IFLA_INFO_SLAVE_KIND: u16 = 4;
const IFLA_VRF_TABLE: u16 = 1;
const IFLA_IPOIB_PKEY: u16 = 1;
const IFLA_IPOIB_MODE: u16 = 2;

/// IF_OPER_*, RFC 2863.
const OPERSTATES: [&str; 7] =
    ["unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up"];

/// Reads the body of a message: `ifinfomsg`, then attributes.
pub(super) fn parse(body: &[u8]) -> Option<Link> {
    let mut link = Link {
        flags: LinkFlags(u32_at(body, 8)?),
        operstate: no_operstate(),
        ..Link::new(u32_at(body, 4)?, Text::default(), u16_at(body, 2)?.into())
    };
    let mut parent_is_elsewhere = false;
    for attr in Attrs(body.get(16..)?) {
        match attr.kind {
            IFLA_ADDRESS => link.address = attr.hex(),
            IFLA_IFNAME => link.name = attr.text(),
            IFLA_MTU => link.mtu = attr.u32(),
            IFLA_LINK => link.parent = attr.u32().filter(|&index| index != 0),
            IFLA_MASTER => link.master = attr.u32().filter(|&index| index != 0),
            IFLA_OPERSTATE => link.operstate = attr.u8().map(operstate).ok_or_else(garbled),
            IFLA_LINKINFO => info(&mut link, attr),
            IFLA_LINK_NETNSID => parent_is_elsewhere = true,
            IFLA_CARRIER_UP_COUNT => link.carrier_up_count = attr.u32(),
            IFLA_CARRIER_DOWN_COUNT => link.carrier_down_count = attr.u32(),
            _ => {}
        }
    }
    if parent_is_elsewhere {
        // The index counts in another namespace: here it would name a stranger.
        link.parent = None;
    }
    Some(link)
}

/// The reading of a link without IFLA_OPERSTATE.
pub(in crate::read) fn no_operstate<T>() -> Result<T, Unknown> {
    Err(Unknown::new(Why::Absent, "no operstate was told"))
}

fn garbled() -> Unknown {
    Unknown::new(Why::Unparsable, "empty IFLA_OPERSTATE")
}

fn operstate(number: u8) -> Text {
    match OPERSTATES.get(usize::from(number)) {
        Some(word) => Text::new(word),
        None => number.to_string().into(),
    }
}

fn info(link: &mut Link, nest: Attr<'_>) {
    let mut data = None;
    for attr in Attrs(nest.value) {
        match attr.kind {
            IFLA_INFO_KIND => link.info_kind = Some(attr.text()),
            IFLA_INFO_DATA => data = Some(attr.value),
            IFLA_INFO_SLAVE_KIND => link.slave_kind = Some(attr.text()),
            _ => {}
        }
    }
    // What IFLA_INFO_DATA means depends on the kind, which need not come first.
    for attr in Attrs(data.unwrap_or_default()) {
        match (link.info_kind.as_deref(), attr.kind) {
            (Some("vrf"), IFLA_VRF_TABLE) => link.vrf_table = attr.u32(),
            (Some("ipoib"), IFLA_IPOIB_PKEY) => link.pkey = attr.u16(),
            (Some("ipoib"), IFLA_IPOIB_MODE) => link.ipoib_mode = attr.u16().map(ipoib_mode),
            _ => {}
        }
    }
}

/// IPOIB_MODE_* in the words of the sysfs file and of `ip -d link`.
fn ipoib_mode(number: u16) -> Text {
    match number {
        0 => "datagram".into(),
        1 => "connected".into(),
        _ => "unknown".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::attr::push;
    use super::*;

    fn body(attrs: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut body = vec![0, 0];
        body.extend_from_slice(&32u16.to_ne_bytes());
        body.extend_from_slice(&6u32.to_ne_bytes());
        body.extend_from_slice(&0x1_1043u32.to_ne_bytes());
        body.extend_from_slice(&[0; 4]);
        attrs(&mut body);
        body
    }

    #[test]
    fn an_ipoib_child() {
        let link = parse(&body(|b| {
            let mut data = Vec::new();
            push(&mut data, IFLA_IPOIB_PKEY, &0x8001u16.to_ne_bytes());
            push(&mut data, IFLA_IPOIB_MODE, &1u16.to_ne_bytes());
            let mut info = Vec::new();
            push(&mut info, IFLA_INFO_DATA, &data);
            push(&mut info, IFLA_INFO_KIND, b"ipoib");
            push(b, IFLA_IFNAME, b"ib0.8001\0");
            push(b, IFLA_OPERSTATE, &[3]);
            push(b, IFLA_LINK, &2u32.to_ne_bytes());
            push(b, IFLA_LINKINFO | 0x8000, &info);
            push(b, IFLA_ADDRESS, &[0x80, 0, 0, 0x42]);
        }))
        .unwrap();
        assert_eq!((link.index, link.kind, link.name.as_str()), (6, 32, "ib0.8001"));
        assert!(link.flags.is_up() && link.flags.has_carrier());
        assert_eq!(link.operstate, Ok("lowerlayerdown".into()));
        assert_eq!(link.parent, Some(2));
        assert_eq!((link.pkey, link.ipoib_mode.as_deref()), (Some(0x8001), Some("connected")));
        assert_eq!(link.address.as_deref(), Some("80:00:00:42"));
    }

    #[test]
    fn a_parent_of_another_namespace_is_no_parent() {
        let link = parse(&body(|b| {
            push(b, IFLA_LINK, &2u32.to_ne_bytes());
            push(b, IFLA_LINK_NETNSID, &0u32.to_ne_bytes());
        }));
        assert_eq!(link.unwrap().parent, None);
    }
}
