//! The other direction: would a packet that arrives be accepted, who answers ARP, would RDMA CM
//! accept a connection.
//!
//! `__fib_validate_source` (net/ipv4/fib_frontend.c), `arp_process`, `arp_ignore`, `arp_filter`
//! (net/ipv4/arp.c), `validate_ipv4_net_dev` (drivers/infiniband/core/cma.c).

use super::{Fib, Outcome, Query};
use crate::sample::Prefix;
use std::net::IpAddr;

/// The verdict of the reverse-path filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReversePath {
    /// Accepted.
    Pass,
    /// Dropped: `rp_filter` 1 and the way back leaves by another device.
    DropStrict,
    /// Dropped: no way back at all.
    DropNoRoute,
    /// Dropped: the source is an address of this host.
    DropLocalSource,
    /// Not decidable: `rp_filter` or the routes are not known.
    Unknown,
}

/// Does a rail answer an ARP request?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArpAnswer {
    /// It answers with its own hardware address.
    Answers,
    /// The request does not pass the reverse-path filter.
    FilteredByReversePath(ReversePath),
    /// `arp_ignore` keeps it silent.
    IgnoredByArpIgnore,
    /// `arp_filter`: the way back leaves by another device.
    FilteredByArpFilter,
    /// The address is no local one.
    NotLocal,
    /// A sysctl that decides is not known.
    Unknown,
}

impl Fib<'_> {
    /// The reverse-path verdict on a packet from `src` to the local address `dst` that arrives on
    /// device `iif`. IPv4 only: IPv6 has no such filter in the kernel.
    pub fn reverse_path(&self, src: IpAddr, dst: IpAddr, iif: u32) -> ReversePath {
        let Some(rp_filter) = self.max_conf(iif, |s| &s.rp_filter) else {
            return ReversePath::Unknown;
        };
        let accept_local = self.max_conf(iif, |s| &s.accept_local).unwrap_or(0) != 0;
        if self.is_local(src) && !accept_local {
            return ReversePath::DropLocalSource;
        }
        if rp_filter == 0 {
            return ReversePath::Pass;
        }
        // The lookup of the way back: source rules do apply, no device is bound.
        let back = self.decide_unchecked(&Query::new(Some(dst), src));
        match back {
            Outcome::Send { ref hops, .. } if hops.iter().any(|h| h.ifindex == Some(iif)) => {
                ReversePath::Pass
            }
            Outcome::Send { .. } if rp_filter == 1 => ReversePath::DropStrict,
            Outcome::Send { .. } => ReversePath::Pass,
            Outcome::Local { .. } if accept_local => ReversePath::Pass,
            Outcome::Unknown(_) => ReversePath::Unknown,
            _ => ReversePath::DropNoRoute,
        }
    }

    /// Would `rail` answer the ARP request "who has `wanted`" of `asker`?
    pub fn arp_answer(&self, rail: u32, wanted: IpAddr, asker: IpAddr) -> ArpAnswer {
        let Some(owner) = self.owner(wanted) else { return ArpAnswer::NotLocal };
        match self.reverse_path(asker, wanted, rail) {
            ReversePath::Pass => {}
            ReversePath::Unknown => return ArpAnswer::Unknown,
            drop => return ArpAnswer::FilteredByReversePath(drop),
        }
        let Some(arp_ignore) = self.max_conf(rail, |s| &s.arp_ignore) else {
            return ArpAnswer::Unknown;
        };
        let silent = match arp_ignore {
            1 => owner != rail,
            2 => {
                owner != rail
                    || !self.prefixes_of(rail).any(|p| p.addr == wanted && p.contains(asker))
            }
            8 => true,
            // 0 answers for every local address, 3 ignores host scope only, 4 to 7 are reserved.
            _ => false,
        };
        if silent {
            return ArpAnswer::IgnoredByArpIgnore;
        }
        let arp_filter = self.max_conf(rail, |s| &s.arp_filter).unwrap_or(0) != 0;
        if arp_filter {
            // arp_filter(): ip_route_output(dst = asker, src = wanted) must use this device.
            let out = self.decide(&Query::new(Some(wanted), asker)).outcome;
            if !out.devices().contains(&rail) {
                return ArpAnswer::FilteredByArpFilter;
            }
        }
        ArpAnswer::Answers
    }

    /// Would RDMA CM accept a request for the listening address `local` from `peer` on `rail`?
    /// Kernels before 6.1 look up without the device.
    pub fn rdma_cm_accepts(
        &self,
        rail: u32,
        local: IpAddr,
        peer: IpAddr,
        with_device: bool,
    ) -> bool {
        let mut query = Query::new(Some(local), peer);
        if with_device {
            query.oif = Some(rail);
        }
        matches!(self.decide_unchecked(&query),
            Outcome::Send { ref hops, .. } if hops.iter().any(|h| h.ifindex == Some(rail)))
    }

    fn prefixes_of(&self, ifindex: u32) -> impl Iterator<Item = &Prefix> {
        self.addresses.iter().filter(move |a| a.ifindex == ifindex).map(|a| &a.local)
    }
}
