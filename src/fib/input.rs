//! The other direction: would a packet that arrives be accepted, who answers ARP, would RDMA CM
//! accept a connection.
//!
//! `ip_route_input_slow` (net/ipv4/route.c), `fib_validate_source` (net/ipv4/fib_frontend.c),
//! `arp_process`, `arp_ignore`, `arp_filter` (net/ipv4/arp.c), `inet_confirm_addr`
//! (net/ipv4/devinet.c), `validate_ipv4_net_dev` (drivers/infiniband/core/cma.c).

use super::flow::{Flow, Input};
use super::source::prefix;
use super::walk::{Hit, Verdict};
use super::{Fib, Query, rule};
use crate::sample::{Family, Route, RouteKind, Unknown};
use std::net::{IpAddr, Ipv4Addr};

/// RT_SCOPE_LINK.
const SCOPE_LINK: u8 = 253;

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
    /// Dropped: such a source or destination is never accepted.
    DropMartian,
    /// The destination is not delivered here, for a packet that arrives on this device.
    NotLocal,
    /// Not decidable: `rp_filter` or the routes are not known.
    Unknown,
}

/// Does a rail answer an ARP request?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArpAnswer {
    /// It answers with its own hardware address.
    Answers,
    /// `arp_filter`: the way back is by one of several hops, the rail among them.
    MayAnswer,
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
    /// The verdict on a packet from `src` to `dst` that arrives on device `iif`. IPv4 only: the
    /// kernel has no such filter for IPv6.
    pub fn reverse_path(&self, src: IpAddr, dst: IpAddr, iif: u32) -> ReversePath {
        let (IpAddr::V4(src4), IpAddr::V4(dst4)) = (src, dst) else { return ReversePath::Pass };
        if is_martian(src4, dst4) {
            return ReversePath::DropMartian;
        }
        // The device decides which rules apply to what arrives: `iif`.
        match self.look_up(&self.input_flow(src, dst, iif)).verdict {
            Verdict::Hit(hit) if self.kind(&hit) == RouteKind::Local => {
                self.validate_source(src, dst, iif)
            }
            Verdict::Unknown(_) => ReversePath::Unknown,
            _ => ReversePath::NotLocal,
        }
    }

    fn validate_source(&self, src: IpAddr, dst: IpAddr, iif: u32) -> ReversePath {
        let Some(rp_filter) = self.max_conf(iif, |s| &s.rp_filter) else {
            return ReversePath::Unknown;
        };
        let accept_local = self.max_conf(iif, |s| &s.accept_local).unwrap_or(0) != 0;
        if rp_filter == 0 {
            if accept_local {
                return ReversePath::Pass;
            }
            if self.has_default_rules() {
                let own = self.owner(src).is_some();
                return if own { ReversePath::DropLocalSource } else { ReversePath::Pass };
            }
        }
        let nowhere = if rp_filter == 0 { ReversePath::Pass } else { ReversePath::DropNoRoute };
        // The lookup of the way back: source rules do apply, no device is bound.
        let back = Flow {
            input: Input::Here,
            vrf: self.vrf_of(iif, false),
            ..self.output_flow(&Query::new(Some(dst), src))
        };
        let hit = match self.look_up(&back).verdict {
            Verdict::Hit(hit) => hit,
            Verdict::Refuse { .. } => return nowhere,
            Verdict::Unknown(_) => return ReversePath::Unknown,
        };
        match self.kind(&hit) {
            RouteKind::Unicast => {}
            RouteKind::Local if accept_local => {}
            RouteKind::Local => return ReversePath::DropLocalSource,
            _ => return ReversePath::DropMartian,
        }
        match self.uses_device(&hit, iif) {
            Err(_) => ReversePath::Unknown,
            Ok(false) if self.ipv4_of(iif).next().is_none() => nowhere,
            Ok(false) if rp_filter == 1 => ReversePath::DropStrict,
            Ok(_) => ReversePath::Pass,
        }
    }

    /// Would `rail` answer the ARP request "who has `wanted`" of `asker`?
    pub fn arp_answer(&self, rail: u32, wanted: IpAddr, asker: IpAddr) -> ArpAnswer {
        // A probe for duplicates has no asker, and nothing to validate.
        let probe = asker.is_unspecified();
        let accepted = if !probe {
            self.reverse_path(asker, wanted, rail)
        } else if self.is_local(wanted) {
            ReversePath::Pass
        } else {
            ReversePath::NotLocal
        };
        match accepted {
            ReversePath::Pass => {}
            ReversePath::Unknown => return ArpAnswer::Unknown,
            ReversePath::NotLocal => return ArpAnswer::NotLocal,
            drop => return ArpAnswer::FilteredByReversePath(drop),
        }
        match self.arp_ignores(rail, wanted, asker) {
            None => return ArpAnswer::Unknown,
            Some(true) => return ArpAnswer::IgnoredByArpIgnore,
            Some(false) => {}
        }
        let arp_filter = self.max_conf(rail, |s| &s.arp_filter).unwrap_or(0) != 0;
        if arp_filter && !probe {
            // The answer's own way must be this device.
            let query = Query {
                oif: self.vrf_of(rail, true).map(|vrf| vrf.master),
                ..Query::new(Some(wanted), asker)
            };
            let outcome = self.decide(&query).outcome;
            match outcome.device() {
                Some(device) if device == rail => {}
                None if outcome.devices().contains(&rail) => return ArpAnswer::MayAnswer,
                _ => return ArpAnswer::FilteredByArpFilter,
            }
        }
        ArpAnswer::Answers
    }

    /// `arp_ignore()`: `None` if the sysctl is not known.
    fn arp_ignores(&self, rail: u32, wanted: IpAddr, asker: IpAddr) -> Option<bool> {
        let own = || self.ipv4_of(rail).any(|a| a.local.addr == wanted);
        let ignores = match self.max_conf(rail, |s| &s.arp_ignore)? {
            1 => !own(),
            2 => {
                let near = |to: IpAddr| {
                    self.ipv4_of(rail)
                        .map(prefix)
                        .any(|p| p.contains(wanted) && (to.is_unspecified() || p.contains(to)))
                };
                !own() || !near(asker)
            }
            // Not for addresses of scope host.
            3 => {
                let all = self.addresses.as_ref().copied().unwrap_or_default();
                !all.iter().any(|a| a.local.addr == wanted && a.scope <= SCOPE_LINK)
            }
            8 => true,
            // 0 answers for every local address, 4 to 7 are reserved.
            _ => false,
        };
        Some(ignores)
    }

    /// Would RDMA CM accept a request for the listening address `local` from `peer` on `rail`?
    /// Kernels before 6.1 take the rail for the input device of the way back
    /// (`with_device` false).
    pub fn rdma_cm_accepts(
        &self,
        rail: u32,
        local: IpAddr,
        peer: IpAddr,
        with_device: bool,
    ) -> bool {
        let mut flow = self.output_flow(&Query::new(Some(local), peer));
        if with_device {
            flow.vrf = self.vrf_of(rail, true);
            flow.oif = Some(rail);
            flow.input = Input::Empty;
        } else {
            flow.vrf = self.vrf_of(rail, false);
            flow.input = Input::Device(rail);
        }
        // FIB_RES_DEV: the hop of the lookup; the hash is not asked.
        matches!(self.look_up(&flow).verdict,
            Verdict::Hit(hit) if hit.hop.ifindex == Some(rail))
    }

    fn input_flow(&self, src: IpAddr, dst: IpAddr, iif: u32) -> Flow {
        Flow {
            input: Input::Device(iif),
            vrf: self.vrf_of(iif, false),
            ..self.output_flow(&Query::new(Some(src), dst))
        }
    }

    fn has_default_rules(&self) -> bool {
        self.rules4.as_ref().is_ok_and(|rules| rule::are_default(rules))
    }

    fn kind(&self, hit: &Hit) -> RouteKind {
        self.hit_route(hit).map_or(RouteKind::Local, |route| route.kind)
    }

    fn hit_route(&self, hit: &Hit) -> Option<&Route> {
        self.route(Family::Inet, hit.route)
    }

    /// `fib_info_nh_uses_dev`: any hop counts, alive or not.
    fn uses_device(&self, hit: &Hit, device: u32) -> Result<bool, Unknown> {
        let Some(route) = self.hit_route(hit) else { return Ok(false) };
        let master = |index| self.vrf_of(index, true).map(|vrf| vrf.master);
        let is_it = |index| index == device || master(index) == Some(device);
        let loops = route.kind == RouteKind::Local
            && self.link(device).is_some_and(|link| link.flags.is_loopback());
        Ok(loops || self.hops_of(route)?.iter().filter_map(|hop| hop.ifindex).any(is_it))
    }
}

/// What `ip_route_input_slow` and `arp_process` never accept (without `route_localnet`).
fn is_martian(src: Ipv4Addr, dst: Ipv4Addr) -> bool {
    let odd = |a: Ipv4Addr| a.is_unspecified() || a.is_loopback();
    src.is_multicast() || src.is_broadcast() || odd(src) || odd(dst)
}
