//! One IPv6 table, and the choice among the hops of the route it gives.

use super::Fib;
use super::flow::Flow;
use super::hops::refusal;
use super::outcome::{Hop, Taken, Tried};
use super::table::{Key, TableIndex};
use super::walk::{Found, Hit};
use crate::sample::{Family, NextHop, NextHopFlags, Reading, Route, RouteKind};
use std::net::{IpAddr, Ipv6Addr};

/// The best route of a node so far.
struct Best {
    score: i32,
    route: usize,
    hop: Hop,
}

/// A lookup in one node of the tree, or why a route of it is not known.
struct Node<'t, 'f> {
    keys: &'t [Key],
    flow: &'f Flow,
    /// RT6_LOOKUP_F_REACHABLE: gateways that failed do not count.
    reachable: bool,
}

impl Fib<'_> {
    /// `fib6_table_lookup`: the node of the longest prefix (and there the longest source
    /// prefix), then the nodes above it. A host first looks for gateways that may be reachable.
    pub(super) fn lookup6(&self, table: u32, flow: &Flow) -> (Found, Vec<Tried>) {
        let Ok(index) = &self.tables6 else { return (Found::Nothing, Vec::new()) };
        let mut tried = Vec::new();
        let mut nodes = Vec::new();
        visited(index, table, flow, &mut nodes, &mut tried);
        let unmatched = tried.len();
        let passes: &[bool] =
            if self.is_host() && !self.failed.is_empty() { &[true, false] } else { &[false] };
        for &reachable in passes {
            tried.truncate(unmatched);
            for keys in &nodes {
                let node = Node { keys, flow, reachable };
                match self.select(index, &node, &mut tried) {
                    Err(why) => return (Found::Unknown(why), tried),
                    Ok(Some(best)) => return (self.found(&best), tried),
                    Ok(None) => {}
                }
            }
        }
        (Found::Nothing, tried)
    }

    fn found(&self, best: &Best) -> Found {
        match self.route(Family::Inet6, best.route).map(|route| route.kind) {
            None | Some(RouteKind::Throw) => Found::Nothing,
            Some(kind) => match refusal(kind) {
                Some(errno) => Found::Refuse { errno, route: best.route },
                None => Found::Route { route: best.route, hop: best.hop },
            },
        }
    }

    /// `net.ipv6.conf.all.forwarding` is 0 (or not known: most are hosts).
    fn is_host(&self) -> bool {
        !matches!(self.sysctls.ipv6_forwarding, Some(Ok(forwarding)) if forwarding != 0)
    }

    /// `rt6_select`, `find_rr_leaf`: the best score among the lowest metric; if none counts, the
    /// best score among all others.
    fn select(
        &self,
        index: &TableIndex<'_>,
        node: &Node<'_, '_>,
        tried: &mut Vec<Tried>,
    ) -> Reading<Option<Best>> {
        let metric = |key: &Key| index.entry(key).1.metric;
        let lowest = node.keys.first().map(metric);
        let rest = node.keys.partition_point(|key| Some(metric(key)) == lowest);
        let (lowest, others) = node.keys.split_at(rest);
        for keys in [lowest, others] {
            let from = tried.len();
            let mut best: Option<Best> = None;
            for key in keys {
                let (place, route) = index.entry(key);
                let score = best.as_ref().map_or(-1, |best| best.score);
                let taken = match self.best_hop(route, node, score)? {
                    Ok((score, hop)) => {
                        best = Some(Best { score, route: place, hop });
                        Taken::Yes
                    }
                    Err(why) => why,
                };
                tried.push(Tried { route: place, taken });
                if route.nexthop_id.is_some() && taken == Taken::Yes && is_blackhole(route) {
                    break;
                }
            }
            if let Some(best) = best {
                let passed = tried.iter_mut().skip(from).filter(|t| t.taken == Taken::Yes);
                passed.filter(|t| t.route != best.route).for_each(|t| t.taken = Taken::Later);
                return Ok(Some(best));
            }
        }
        Ok(None)
    }

    /// The hop of a route whose score beats `score`, if it has one (`__find_rr_leaf`).
    fn best_hop(
        &self,
        route: &Route,
        node: &Node<'_, '_>,
        score: i32,
    ) -> Reading<Result<(i32, Hop), Taken>> {
        if route.expires == Some(0) {
            return Ok(Err(Taken::Expired));
        }
        if is_blackhole(route) && route.nexthop_id.is_some() {
            // A blackhole object takes everything, whatever the device.
            return Ok(Ok((i32::MAX, Hop { ifindex: None, gateway: None })));
        }
        let mut best = Err(Taken::NoNextHop);
        let mut beaten = score;
        for hop in self.hops6(route)?.iter() {
            match self.score(hop, route, node.flow, node.reachable) {
                Ok(score) if score > beaten => {
                    best = Ok((score, hop.into()));
                    beaten = score;
                    // The first match of a group stands for it (rt6_nh_find_match).
                    if route.nexthop_id.is_some() {
                        break;
                    }
                }
                Ok(_) if best.is_err() => best = Err(Taken::Later),
                Err(why) if best == Err(Taken::NoNextHop) => best = Err(why),
                _ => {}
            }
        }
        Ok(best)
    }

    /// The hops of a route; those that refuse are routes by the loopback.
    fn hops6<'r>(&self, route: &'r Route) -> Reading<std::borrow::Cow<'r, [NextHop]>> {
        let hops = self.hops_of(route)?;
        if !hops.is_empty() || route.kind == RouteKind::Unicast {
            return Ok(hops);
        }
        let ifindex = self.by_name.get("lo").copied();
        let flags = NextHopFlags::default();
        Ok(vec![NextHop { ifindex, gateway: None, weight: 1, flags }].into())
    }

    /// `find_match`, `rt6_score_route`.
    fn score(
        &self,
        hop: &NextHop,
        route: &Route,
        flow: &Flow,
        reachable: bool,
    ) -> Result<i32, Taken> {
        self.alive(hop, Family::Inet6)?;
        let device = if flow.oif.is_none() || flow.oif == hop.ifindex { 2 } else { 0 };
        if device == 0 && flow.strict {
            return Err(Taken::OtherDevice);
        }
        if let (true, Some(device), Some(gateway)) = (reachable, hop.ifindex, hop.gateway)
            && self.failed.contains(&(device, gateway))
        {
            return Err(Taken::GatewayFailed);
        }
        // IPV6_DECODE_PREF: low 1, medium 2, high 3.
        let preference = i32::from((route.pref.unwrap_or(0) & 3) ^ 2);
        Ok(device | preference << 2)
    }

    /// The hops that the packet may take (`fib6_select_path`): the hash decides, the device does
    /// not unless it is required.
    pub(super) fn select6(&self, hit: &Hit, route: &Route, flow: &Flow) -> Vec<Hop> {
        let mut hops = vec![hit.hop];
        let Ok(all) = self.hops_of(route) else { return hops };
        if all.len() < 2 {
            return hops;
        }
        for hop in all.iter() {
            // nexthop_select_path looks at neighbours only.
            let counts =
                route.nexthop_id.is_some() || self.score(hop, route, flow, self.is_host()).is_ok();
            if counts && !hops.contains(&hop.into()) {
                hops.push(hop.into());
            }
        }
        hops
    }
}

fn is_blackhole(route: &Route) -> bool {
    route.kind == RouteKind::Blackhole
}

/// The nodes in the order in which the kernel visits them: `fib6_node_lookup`, then
/// `fib6_backtrack`.
fn visited<'t>(
    index: &'t TableIndex<'_>,
    table: u32,
    flow: &Flow,
    nodes: &mut Vec<&'t [Key]>,
    tried: &mut Vec<Tried>,
) {
    let src = flow.src.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED));
    let note = |tried: &mut Vec<Tried>, keys: &[Key], taken| {
        tried.extend(keys.iter().map(|key| Tried { route: index.entry(key).0, taken }));
    };
    for equals in index.candidates(&[table], flow.dst) {
        let (specific, plain) = equals.split_at(equals.partition_point(|key| key.source_len() > 0));
        let before = nodes.len();
        for keys in specific.chunk_by(Key::same_source) {
            let of = keys.first().and_then(|key| index.entry(key).1.src);
            if of.is_some_and(|prefix| prefix.contains(src)) {
                nodes.push(keys);
            } else {
                note(tried, keys, Taken::OtherSource);
            }
        }
        // The lookup enters no node that has source prefixes of which none fits (but the
        // root), and only goes back through it when it entered below.
        let hidden = !specific.is_empty() && before == 0 && nodes.is_empty();
        if plain.first().is_some_and(|key| hidden && index.entry(key).1.dst.len > 0) {
            note(tried, plain, Taken::Hidden);
        } else if !plain.is_empty() {
            nodes.push(plain);
        }
    }
}
