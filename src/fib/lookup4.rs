//! One IPv4 table, and the choice among the hops of the route it gives.

use super::Fib;
use super::flow::Flow;
use super::hops::refusal;
use super::outcome::{Hop, Taken, Tried};
use super::walk::{Found, Hit};
use crate::sample::{Family, NextHop, Reading, Route, RouteKind};
use std::net::{IpAddr, Ipv4Addr};

/// RT_SCOPE_LINK.
const SCOPE_LINK: u8 = 253;

impl Fib<'_> {
    /// `fib_table_lookup`: longest prefix, then tos, then metric, then insertion order; a route
    /// without a usable next hop gives way to the next one, then to shorter prefixes.
    pub(super) fn lookup4(&self, tables: &[u32], flow: &Flow) -> (Found, Vec<Tried>) {
        let mut tried = Vec::new();
        let Ok(index) = &self.tables4 else { return (Found::Nothing, tried) };
        let mut keys = index.candidates(tables, flow.dst).flatten().peekable();
        // All prefixes of one network address share a leaf.
        let mut given_up = None;
        while let Some(key) = keys.next() {
            let (place, route) = index.entry(key);
            let mut note = |taken| tried.push(Tried { route: place, taken });
            if given_up == Some(key.network) {
                note(Taken::Skipped);
                continue;
            }
            if route.tos != 0 && route.tos != flow.tos {
                note(Taken::OtherTos);
                continue;
            }
            if route.kind == RouteKind::Throw {
                note(Taken::Throw);
                return (Found::Nothing, tried);
            }
            if let Some(errno) = refusal(route.kind) {
                note(Taken::Yes);
                return (Found::Refuse { errno, route: place }, tried);
            }
            match self.first_good(route, flow) {
                Err(why) => return (Found::Unknown(why), tried),
                Ok(Err(why)) => {
                    note(why);
                    // The kernel leaves the leaf after an object without a usable hop.
                    given_up = route.nexthop_id.map(|_| key.network).or(given_up);
                }
                Ok(Ok(hop)) => {
                    note(Taken::Yes);
                    while let Some(key) = keys.next_if(|next| next.same_prefix(key)) {
                        let (route, _) = index.entry(key);
                        tried.push(Tried { route, taken: Taken::Later });
                    }
                    return (Found::Route { route: place, hop }, tried);
                }
            }
        }
        (Found::Nothing, tried)
    }

    /// The first hop that may be used, or why there is none.
    fn first_good(&self, route: &Route, flow: &Flow) -> Reading<Result<Hop, Taken>> {
        let hops = self.hops_of(route)?;
        if hops.is_empty() && route.kind != RouteKind::Unicast {
            return Ok(Ok(Hop { ifindex: None, gateway: None }));
        }
        let mut why = Taken::NoNextHop;
        for hop in hops.iter() {
            match self.good(hop, flow) {
                Ok(()) => return Ok(Ok(hop.into())),
                Err(miss) => why = miss,
            }
        }
        Ok(Err(why))
    }

    /// `fib_lookup_good_nhc`.
    fn good(&self, hop: &NextHop, flow: &Flow) -> Result<(), Taken> {
        self.alive(hop, Family::Inet)?;
        let other = flow.oif.is_some() && hop.ifindex.is_some() && flow.oif != hop.ifindex;
        if other { Err(Taken::OtherDevice) } else { Ok(()) }
    }

    /// The hops that the packet may take (`fib_select_path`).
    pub(super) fn select4(&self, hit: &Hit, route: &Route, flow: &Flow) -> Vec<Hop> {
        let Ok(all) = self.hops_of(route) else { return vec![hit.hop] };
        if flow.oif.is_some() {
            return vec![hit.hop];
        }
        if all.len() > 1 {
            return self.select_multipath(route, &all, flow);
        }
        if route.dst.len == 0 { self.select_default(hit, route, flow) } else { vec![hit.hop] }
    }

    /// Several hops: the hash decides, which depends on more than the query tells.
    fn select_multipath(&self, route: &Route, all: &[NextHop], flow: &Flow) -> Vec<Hop> {
        if route.nexthop_id.is_some() {
            // nexthop_select_path: by neighbour state, the carrier is not looked at.
            return all.iter().map(Hop::from).collect();
        }
        let alive: Vec<&NextHop> =
            all.iter().filter(|hop| self.alive(hop, Family::Inet).is_ok()).collect();
        // Since 6.16 the hop that would give the bound source is preferred
        // (fib_select_multipath).
        let prefers = self.kernel.is_some_and(|kernel| kernel >= (6, 16));
        let own: Vec<&NextHop> = alive
            .iter()
            .copied()
            .filter(|hop| prefers && flow.src.is_some() && self.source_of(hop, route) == flow.src)
            .collect();
        let hops = if own.is_empty() { alive } else { own };
        hops.into_iter().map(Hop::from).collect()
    }

    /// Several default routes by gateways: a dead one is left for another as the neighbours are
    /// found (`fib_select_default`).
    fn select_default(&self, hit: &Hit, found: &Route, flow: &Flow) -> Vec<Hop> {
        let mut hops = vec![hit.hop];
        let Ok(index) = &self.tables4 else { return hops };
        let (mut tos, mut metric, mut first) = (0, found.metric, true);
        let any = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        for key in index.candidates(&[hit.table], any).flatten() {
            let (place, route) = index.entry(key);
            if route.dst.len != 0 || route.tos != 0 && route.tos != flow.tos {
                continue;
            }
            if route.metric > metric && route.tos == tos {
                if tos == 0 {
                    break;
                }
                continue;
            }
            let Ok(all) = self.hops_of(route) else { break };
            if !all.is_empty() && all.iter().all(|hop| hop.flags.dead && !hop.flags.linkdown) {
                continue;
            }
            (tos, metric) = (route.tos, route.metric);
            let Some(hop) = all.first() else { continue };
            let by_gateway = hop.gateway.is_some() && route.scope < SCOPE_LINK;
            if route.scope != found.scope || route.kind != RouteKind::Unicast || !by_gateway {
                continue;
            }
            if first && place != hit.route {
                break;
            }
            if !first && !hops.contains(&hop.into()) {
                hops.push(hop.into());
            }
            first = false;
        }
        hops
    }
}
