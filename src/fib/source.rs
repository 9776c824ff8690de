//! The source address that the kernel gives to an unbound IPv4 socket.

use super::{Fib, Outcome, Query};
use crate::sample::{Address, NextHop, NextHopFlags, Prefix, Route};
use std::net::IpAddr;

/// IFA_F_SECONDARY.
const SECONDARY: u32 = 0x01;
/// RT_SCOPE_LINK.
const SCOPE_LINK: u8 = 253;

impl Fib<'_> {
    /// The source address of an IPv4 packet with this outcome: the one it is bound to, else the
    /// route's, else the one the device gives. `None` for IPv6 (RFC 6724 decides there), for
    /// broadcasts and multicasts, for next-hop objects, for what is not sent, and where the hops would give different
    /// ones.
    pub fn source(&self, query: &Query, outcome: &Outcome) -> Option<IpAddr> {
        let IpAddr::V4(dst) = query.dst else { return query.src };
        let special = dst.is_unspecified() || dst.is_broadcast() || dst.is_multicast();
        if query.src.is_some() || special {
            return query.src;
        }
        match outcome {
            Outcome::OnLink { ifindex } => self.select_addr(*ifindex, None, SCOPE_LINK),
            Outcome::Send { prefsrc: Some(prefsrc), .. } => Some(*prefsrc),
            Outcome::Send { route, hops, .. } => {
                // The object's own scope counts until addresses change (nh_create_ipv4).
                let route = self.route(query.family(), *route)?;
                if route.nexthop_id.is_some() {
                    return None;
                }
                let mut sources = hops.iter().map(|hop| {
                    let flags = NextHopFlags::default();
                    let (ifindex, gateway) = (hop.ifindex, hop.gateway);
                    self.source_of(&NextHop { ifindex, gateway, weight: 1, flags }, route)
                });
                let first = sources.next()??;
                sources.all(|other| other == Some(first)).then_some(first)
            }
            _ => None,
        }
    }

    /// `fib_info_update_nhc_saddr`.
    pub(super) fn source_of(&self, hop: &NextHop, route: &Route) -> Option<IpAddr> {
        self.select_addr(hop.ifindex?, hop.gateway, route.scope)
    }

    /// `inet_select_addr`: the first primary address of the device that shares the gateway's
    /// prefix, else its first; else the first of another device.
    pub(super) fn select_addr(
        &self,
        device: u32,
        towards: Option<IpAddr>,
        scope: u8,
    ) -> Option<IpAddr> {
        let towards = towards.filter(IpAddr::is_ipv4);
        let fits = |address: &&Address| address.scope <= scope && address.flags & SECONDARY == 0;
        let own = || self.ipv4_of(device).filter(fits);
        let near = own().find(|a| towards.is_none_or(|to| prefix(a).contains(to)));
        if let Some(address) = near.or_else(|| own().next()) {
            return Some(address.local.addr);
        }
        let vrf = |device| self.vrf_of(device, true).map(|vrf| vrf.master);
        let elsewhere = |&&index: &&u32| vrf(index) == vrf(device);
        let mut devices: Vec<&u32> = self.links.keys().filter(elsewhere).collect();
        // The master of a VRF stands for its loopback.
        devices.sort_unstable_by_key(|&&index| (vrf(device) != Some(index), index));
        devices.into_iter().find_map(|&index| {
            let mut other = self.ipv4_of(index).filter(fits);
            other.find(|address| address.scope != SCOPE_LINK).map(|address| address.local.addr)
        })
    }

    /// The IPv4 addresses of a device in the kernel's order.
    pub(super) fn ipv4_of(&self, device: u32) -> impl Iterator<Item = &Address> {
        let all = self.addresses.as_ref().copied().unwrap_or_default();
        all.iter().filter(move |a| a.ifindex == device && a.local.addr.is_ipv4())
    }
}

/// What `inet_ifa_match` compares with: the peer's prefix on a point-to-point link.
pub(super) fn prefix(address: &Address) -> Prefix {
    Prefix { addr: address.peer.unwrap_or(address.local.addr), len: address.local.len }
}
