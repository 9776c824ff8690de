//! Destinations to ask for: peers that are known, neighbours that were seen, else addresses made
//! up. Of thousands of peers a few stand for all of a prefix: what decides is the prefix.

use super::scene::{Probe, Scene, Set};
use crate::check::peers::{Known, Peer, few};
use crate::sample::{Prefix, Route, RouteKind};
use std::net::IpAddr;

/// NUD_INCOMPLETE, NUD_FAILED: nobody answered.
const NO_ANSWER: u16 = 0x01 | 0x20;
/// RTPROT_UNSPEC, KERNEL, BOOT, STATIC, DHCP. Routing daemons and container networks blackhole
/// the blocks that they announce themselves: no peer of a rail is in there.
const BY_HAND: [u8; 5] = [0, 2, 3, 4, 16];
/// So many peers and neighbours of a prefix say enough.
const MOST_SEEN: usize = 8;
/// The user may name more.
const MOST_NAMED: usize = 32;
/// So many reject routes inside a prefix are asked for.
const MOST_REJECTS: usize = 16;
/// A free address is sought so far from either end.
const FAR: u32 = 256;

/// The probes of all prefixes of a set.
pub(super) fn of_set(scene: &Scene<'_>, set: &Set) -> Vec<Probe> {
    let mut prefixes: Vec<Prefix> =
        set.addrs.iter().filter_map(|&a| scene.addr(a)).map(|a| a.prefix).collect();
    prefixes.sort_unstable();
    prefixes.dedup();
    let mut probes = Vec::new();
    for prefix in &prefixes {
        let mut own = known(scene, prefix);
        let room = MOST_SEEN.saturating_sub(own.len());
        own.extend(neighbours(scene, prefix).into_iter().take(room));
        if own.is_empty() {
            own = made_up(scene, prefix);
        }
        probes.extend(own);
    }
    probes.extend(refused(scene, &set.prefix));
    let mut seen: Vec<IpAddr> = Vec::new();
    probes.retain(|p| {
        let new = !seen.contains(&p.ip);
        seen.push(p.ip);
        new
    });
    probes
}

/// Peers that the user named, and a few of those that LNet knows.
fn known(scene: &Scene<'_>, prefix: &Prefix) -> Vec<Probe> {
    let inside = scene.peers.inside(prefix);
    let (named, rest): (Vec<&Peer>, Vec<&Peer>) =
        inside.iter().filter(|p| !scene.fib.is_local(p.ip)).partition(|p| p.known == Known::Named);
    let mut ips: Vec<IpAddr> = named.into_iter().take(MOST_NAMED).map(|p| p.ip).collect();
    ips.extend(few(&rest, MOST_SEEN).map(|p| p.ip));
    ips.dedup();
    ips.into_iter().map(|ip| Probe { ip, seen: true }).collect()
}

fn neighbours(scene: &Scene<'_>, prefix: &Prefix) -> Vec<Probe> {
    let all = scene.routing.neighbours.iter().flatten();
    let mut found: Vec<IpAddr> = all
        .filter(|n| prefix.contains(n.dst) && n.state & NO_ANSWER == 0 && n.lladdr.is_some())
        .filter(|n| scene.rail_iface(n.ifindex).is_some() && !scene.fib.is_local(n.dst))
        .map(|n| n.dst)
        .collect();
    found.sort_unstable();
    found.dedup();
    found.truncate(MOST_SEEN);
    found.into_iter().map(|ip| Probe { ip, seen: true }).collect()
}

/// The lowest and the highest address that may be a peer.
fn made_up(scene: &Scene<'_>, prefix: &Prefix) -> Vec<Probe> {
    let free = |ip: &IpAddr| !scene.fib.is_local(*ip);
    let low = (0..FAR).filter_map(|n| host(prefix, n, false)).find(free);
    let high = (0..FAR).filter_map(|n| host(prefix, n, true)).find(free);
    let mut ips: Vec<IpAddr> = low.into_iter().chain(high).collect();
    ips.dedup();
    ips.into_iter().map(|ip| Probe { ip, seen: false }).collect()
}

/// An address inside each narrower route that refuses: a peer there is cut off.
fn refused(scene: &Scene<'_>, prefix: &Prefix) -> Vec<Probe> {
    let refuses = |r: &Route| {
        matches!(r.kind, RouteKind::Unreachable | RouteKind::Prohibit | RouteKind::Blackhole)
            && r.dst.len > prefix.len
            && BY_HAND.contains(&r.protocol)
            && prefix.contains(r.dst.addr)
    };
    let routes = scene.routes(prefix.family()).filter(|(_, r)| refuses(r));
    let free = |ip: &IpAddr| !scene.fib.is_local(*ip);
    routes
        .take(MOST_REJECTS)
        .filter_map(|(_, r)| match (r.dst.addr, r.dst.len) {
            (IpAddr::V4(_), 32) | (IpAddr::V6(_), 128) => Some(r.dst.addr).filter(free),
            _ => (0..FAR).filter_map(|n| host(&r.dst, n, false)).find(free),
        })
        .map(|ip| Probe { ip, seen: false })
        .collect()
}

/// The first address of a prefix that may be a host.
pub(super) fn first_of(prefix: &Prefix) -> Option<IpAddr> {
    host(prefix, 0, false).or(Some(prefix.addr))
}

/// The n-th unicast address of a prefix from its beginning or end: never the network or
/// broadcast address, never the subnet-router anycast address of IPv6.
fn host(prefix: &Prefix, n: u32, from_end: bool) -> Option<IpAddr> {
    let n = u128::from(n);
    let (first, width) = match prefix.network().addr {
        IpAddr::V4(a) => (u128::from(a.to_bits()), 32u32),
        IpAddr::V6(a) => (a.to_bits(), 128),
    };
    let bits = width.checked_sub(u32::from(prefix.len)).filter(|b| *b > 0)?;
    let last = first | (u128::MAX >> (128 - bits));
    // RFC 3021 and RFC 6164: with one bit both addresses are hosts.
    let reserved = u128::from(bits > 1);
    let (low, high) = match prefix.addr {
        IpAddr::V4(_) => (first + reserved, last.checked_sub(reserved)?),
        IpAddr::V6(_) => (first + reserved, last),
    };
    let wanted = if from_end { high.checked_sub(n)? } else { low.checked_add(n)? };
    if wanted < low || wanted > high {
        return None;
    }
    match prefix.addr {
        IpAddr::V4(_) => Some(IpAddr::V4(u32::try_from(wanted).ok()?.into())),
        IpAddr::V6(_) => Some(IpAddr::V6(wanted.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn prefix(text: &str, len: u8) -> Prefix {
        Prefix { addr: text.parse().unwrap(), len }.network()
    }

    #[test]
    fn hosts_are_neither_network_nor_broadcast() {
        let p = prefix("172.16.0.0", 16);
        assert_eq!(host(&p, 0, false), Some("172.16.0.1".parse().unwrap()));
        assert_eq!(host(&p, 0, true), Some("172.16.255.254".parse().unwrap()));
        let p = prefix("10.0.0.4", 31);
        assert_eq!(host(&p, 0, false), Some("10.0.0.4".parse().unwrap()));
        assert_eq!(host(&p, 1, false), Some("10.0.0.5".parse().unwrap()));
        assert_eq!(host(&p, 2, false), None);
        assert_eq!(host(&prefix("10.0.0.4", 32), 0, false), None);
        let p = prefix("2001:db8::", 64);
        assert_eq!(host(&p, 0, false), Some("2001:db8::1".parse().unwrap()));
    }

    proptest! {
        #[test]
        fn hosts_are_inside(v4: u32, v6: u128, len4 in 0u8..=32, len6 in 0u8..=128, n in 0u32..300, end: bool) {
            for p in [
                Prefix { addr: IpAddr::V4(v4.into()), len: len4 },
                Prefix { addr: IpAddr::V6(v6.into()), len: len6 },
            ] {
                let p = p.network();
                if let Some(host) = host(&p, n, end) {
                    prop_assert!(p.contains(host));
                    prop_assert!(p.len >= 127 || p.len == 31 || host != p.addr);
                }
            }
        }
    }
}
