//! RTM_NEWROUTE (linux/rtnetlink.h).

use super::attr::{Attr, Attrs, aligned, ip, u8_at, u16_at, u32_at};
use crate::sample::{NextHop, NextHopFlags, Prefix, Route, RouteKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const RTA_DST: u16 = 1;
const RTA_SRC: u16 = 2;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_PRIORITY: u16 = 6;
const RTA_PREFSRC: u16 = 7;
const RTA_METRICS: u16 = 8;
const RTA_MULTIPATH: u16 = 9;
const RTA_CACHEINFO: u16 = 12;
const RTA_TABLE: u16 = 15;
const RTA_VIA: u16 = 18;
const RTA_PREF: u16 = 20;
const RTA_NH_ID: u16 = 30;
const RTAX_LOCK: u16 = 1;
const RTAX_MTU: u16 = 2;
const RTM_F_CLONED: u32 = 0x200;
const RTNH_F_DEAD: u32 = 1;
const RTNH_F_ONLINK: u32 = 4;
const RTNH_F_LINKDOWN: u32 = 16;

/// RTN_* as a kind.
pub(in crate::read) fn kind(number: u8) -> RouteKind {
    match number {
        1 => RouteKind::Unicast,
        2 => RouteKind::Local,
        3 => RouteKind::Broadcast,
        4 => RouteKind::Anycast,
        5 => RouteKind::Multicast,
        6 => RouteKind::Blackhole,
        7 => RouteKind::Unreachable,
        8 => RouteKind::Prohibit,
        9 => RouteKind::Throw,
        other => RouteKind::Other(other),
    }
}

/// RTNH_F_* of a hop, or of the message for a route with one hop.
pub(super) fn hop_flags(bits: u32) -> NextHopFlags {
    NextHopFlags {
        dead: bits & RTNH_F_DEAD != 0,
        linkdown: bits & RTNH_F_LINKDOWN != 0,
        onlink: bits & RTNH_F_ONLINK != 0,
    }
}

/// Routes that reject have no hops. IPv6 says `dev lo` for them, IPv4 nothing.
pub(in crate::read) fn rejects(kind: RouteKind) -> bool {
    matches!(
        kind,
        RouteKind::Blackhole | RouteKind::Unreachable | RouteKind::Prohibit | RouteKind::Throw
    )
}

/// A route to everywhere in table main, kind unicast.
pub(in crate::read) fn blank(v6: bool) -> Route {
    Route::to(Prefix { addr: zero(v6), len: 0 }, 254)
}

/// The unspecified address of a family.
pub(in crate::read) fn zero(v6: bool) -> IpAddr {
    if v6 { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() }
}

/// Reads the body of a message: `rtmsg`, then attributes. `ticks` is USER_HZ.
pub(super) fn parse(v6: bool, body: &[u8], ticks: u32) -> Option<Route> {
    let flags = u32_at(body, 8)?;
    let mut route = Route {
        table: u8_at(body, 4)?.into(),
        kind: kind(u8_at(body, 7)?),
        tos: u8_at(body, 3)?,
        scope: u8_at(body, 6)?,
        protocol: u8_at(body, 5)?,
        cloned: flags & RTM_F_CLONED != 0,
        ..blank(v6)
    };
    route.dst.len = u8_at(body, 1)?;
    let src_len = u8_at(body, 2)?;
    if src_len != 0 {
        route.src = Some(Prefix { addr: zero(v6), len: src_len });
    }
    let mut hop = NextHop { ifindex: None, gateway: None, weight: 1, flags: hop_flags(flags) };
    for attr in Attrs(body.get(12..)?) {
        take(&mut route, &mut hop, attr, ticks);
    }
    if rejects(route.kind) {
        route.next_hops.clear();
    } else if route.next_hops.is_empty() && (hop.ifindex.is_some() || hop.gateway.is_some()) {
        route.next_hops.push(hop);
    }
    Some(route)
}

fn take(route: &mut Route, hop: &mut NextHop, attr: Attr<'_>, ticks: u32) {
    match attr.kind {
        RTA_DST => route.dst.addr = attr.ip().unwrap_or(route.dst.addr),
        RTA_SRC => {
            if let (Some(src), Some(addr)) = (&mut route.src, attr.ip()) {
                src.addr = addr;
            }
        }
        RTA_OIF => hop.ifindex = attr.u32().filter(|&index| index != 0),
        RTA_GATEWAY => hop.gateway = attr.ip(),
        RTA_VIA => hop.gateway = via(attr),
        RTA_PRIORITY => route.metric = attr.u32().unwrap_or(0),
        RTA_PREFSRC => route.prefsrc = attr.ip(),
        RTA_METRICS => metrics(route, attr),
        RTA_MULTIPATH => route.next_hops = hops(attr.value),
        RTA_CACHEINFO => route.expires = expires(attr, ticks),
        RTA_TABLE => route.table = attr.u32().unwrap_or(route.table),
        RTA_PREF => route.pref = attr.u8(),
        RTA_NH_ID => route.nexthop_id = attr.u32(),
        _ => {}
    }
}

/// `struct rtvia`: a 16-bit family, then the address.
fn via(attr: Attr<'_>) -> Option<IpAddr> {
    ip(attr.value.get(2..)?)
}

fn metrics(route: &mut Route, nest: Attr<'_>) {
    for attr in Attrs(nest.value) {
        match attr.kind {
            RTAX_MTU => route.mtu = attr.u32(),
            RTAX_LOCK => route.mtu_locked = attr.u32().unwrap_or(0) & (1 << RTAX_MTU) != 0,
            _ => {}
        }
    }
}

/// `rta_expires` of `struct rta_cacheinfo`, signed clock ticks; 0 is never.
fn expires(attr: Attr<'_>, ticks: u32) -> Option<u32> {
    let left = u32_at(attr.value, 8)?.cast_signed();
    u32::try_from(left).ok()?.checked_div(ticks).filter(|_| left != 0)
}

/// A sequence of `struct rtnexthop`, each with its attributes.
fn hops(mut bytes: &[u8]) -> Vec<NextHop> {
    let mut all = Vec::new();
    while let Some(hop) = next_hop(&mut bytes) {
        all.push(hop);
    }
    all
}

fn next_hop(bytes: &mut &[u8]) -> Option<NextHop> {
    let len = usize::from(u16_at(bytes, 0)?);
    let mut hop = NextHop {
        ifindex: u32_at(bytes, 4).filter(|&index| index != 0),
        gateway: None,
        weight: u32::from(u8_at(bytes, 3)?) + 1,
        flags: hop_flags(u8_at(bytes, 2)?.into()),
    };
    for attr in Attrs(bytes.get(8..len)?) {
        match attr.kind {
            RTA_GATEWAY => hop.gateway = attr.ip(),
            RTA_VIA => hop.gateway = via(attr),
            _ => {}
        }
    }
    *bytes = bytes.get(aligned(len)..).unwrap_or_default();
    Some(hop)
}

#[cfg(test)]
mod tests {
    use super::super::attr::push;
    use super::*;

    fn header(dst_len: u8, kind: u8, flags: u32) -> Vec<u8> {
        let mut body = vec![2, dst_len, 0, 0, 252, 4, 0, kind];
        body.extend_from_slice(&flags.to_ne_bytes());
        body
    }

    #[test]
    fn one_hop_takes_the_flags_of_the_message() {
        let mut body = header(16, 1, 0x11);
        push(&mut body, RTA_TABLE, &941u32.to_ne_bytes());
        push(&mut body, RTA_DST, &[172, 16, 0, 0]);
        push(&mut body, RTA_OIF, &2u32.to_ne_bytes());
        let mut metrics = Vec::new();
        push(&mut metrics, RTAX_LOCK, &4u32.to_ne_bytes());
        push(&mut metrics, RTAX_MTU, &1200u32.to_ne_bytes());
        push(&mut body, RTA_METRICS, &metrics);
        let route = parse(false, &body, 100).unwrap();
        assert_eq!((route.table, route.dst.to_string().as_str()), (941, "172.16.0.0/16"));
        assert_eq!((route.mtu, route.mtu_locked), (Some(1200), true));
        let hop = &route.next_hops[0];
        assert_eq!((hop.ifindex, hop.weight), (Some(2), 1));
        assert!(hop.flags.dead && hop.flags.linkdown && !hop.flags.onlink);
    }

    #[test]
    fn several_hops_have_their_own() {
        let mut body = header(0, 1, 0);
        let mut multi = Vec::new();
        for (index, weight, flags) in [(2u32, 0u8, 0u8), (3, 4, 16)] {
            let mut attrs = Vec::new();
            push(&mut attrs, RTA_GATEWAY, &[10, 0, 0, index as u8]);
            multi.extend_from_slice(&(8 + attrs.len() as u16).to_ne_bytes());
            multi.extend_from_slice(&[flags, weight]);
            multi.extend_from_slice(&index.to_ne_bytes());
            multi.extend(attrs);
        }
        push(&mut body, RTA_MULTIPATH, &multi);
        let route = parse(false, &body, 100).unwrap();
        assert_eq!(route.next_hops.len(), 2);
        let second = &route.next_hops[1];
        assert_eq!((second.ifindex, second.weight), (Some(3), 5));
        assert_eq!(second.gateway, Some([10, 0, 0, 3].into()));
        assert!(second.flags.linkdown && !route.next_hops[0].flags.linkdown);
    }

    #[test]
    fn reject_routes_have_no_hops() {
        let mut body = header(0, 7, 0);
        push(&mut body, RTA_OIF, &1u32.to_ne_bytes());
        assert!(parse(true, &body, 100).unwrap().next_hops.is_empty());
    }

    #[test]
    fn a_next_hop_id_may_stand_alone() {
        let mut body = header(24, 1, 0);
        push(&mut body, RTA_NH_ID, &10u32.to_ne_bytes());
        let route = parse(false, &body, 100).unwrap();
        assert_eq!((route.nexthop_id, route.next_hops.len()), (Some(10), 0));
    }

    #[test]
    fn expiry_is_in_ticks_and_zero_is_never() {
        let with = |ticks_left: i32| {
            let mut body = header(0, 1, 0);
            let mut cache = [0; 8].to_vec();
            cache.extend_from_slice(&ticks_left.to_ne_bytes());
            push(&mut body, RTA_CACHEINFO, &cache);
            parse(true, &body, 100).unwrap().expires
        };
        assert_eq!((with(5999), with(0), with(-5)), (Some(59), None, None));
    }
}
