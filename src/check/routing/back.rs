//! Peers behind routers: packets from each rail's address are to leave by that rail.

use super::beyond::{Want, line, root, targets};
use super::cause::{State, is_source_rule, only_by};
use super::plan::{Plan, verify_to};
use super::scene::{Addr, Scene};
use super::tell::Told;
use super::{Judged, lines, neighbours};
use crate::check::Severity;
use crate::check::catalogue::routing as id;
use crate::fib::TABLE_MAIN;
use crate::fix::{Change, RouteSpec};
use crate::sample::{Family, Prefix, Route, RouteKind, RuleAction};
use std::net::IpAddr;

/// So many routes of main by a router of another rail.
const MOST_ROUTES: usize = 16;

/// One finding per interface: of the peers that are known, else of main's own routes.
pub(super) fn find(
    scene: &Scene<'_>,
    judged: &Judged,
    plan: &Plan<'_, '_>,
    wants: &[Want<'_>],
) -> Vec<Told> {
    let of_iface = |iface: usize| {
        no_way_back(scene, judged, plan, wants, iface).or_else(|| {
            let mut own = scene.addrs.iter().enumerate().filter(|(_, a)| a.iface == iface);
            own.find_map(|(place, addr)| {
                let right = matches!(judged.states.get(place), Some(State::Right { .. }));
                right.then(|| no_return_route(scene, plan, addr)).flatten()
            })
        })
    };
    (0..scene.ifaces.len()).filter_map(of_iface).collect()
}

/// Peers behind a router, to which packets from this rail leave by another one.
fn no_way_back(
    scene: &Scene<'_>,
    judged: &Judged,
    plan: &Plan<'_, '_>,
    wants: &[Want<'_>],
    iface: usize,
) -> Option<Told> {
    let own = scene.iface(iface)?;
    let astray: Vec<&Want<'_>> = wants
        .iter()
        .filter(|w| w.addr.iface == iface)
        .filter(|w| {
            w.outcome.device().is_some_and(|by| by != own.index && scene.rail_iface(by).is_some())
        })
        .collect();
    let first = *astray.first()?;
    let mut remedy = Vec::new();
    let router = router(scene, iface, first.to);
    if let Some(via) = router.filter(|_| own.vrf.is_none()) {
        remedy.extend(plan.source_routing(first.addr));
        let table = plan.table(iface, first.addr.family());
        remedy.push(behind(scene, plan, first.addr, default(first.to), via, table)?);
    }
    let unknown = if router.is_none() {
        format!("; no router on {} is known here", own.name())
    } else {
        String::new()
    };
    let what = format!(
        "packets from {} ({}) to {} behind the router leave by {}{unknown}",
        first.addr.ip,
        own.name(),
        neighbours::addresses(targets(&astray)),
        super::leaves_by(scene, &first.outcome)?
    );
    Some(
        Told::new(scene, id::TABLE_NO_RETURN_ROUTE, severity(scene, iface), &[iface], what)
            .seen(astray.iter().take(4).filter_map(|w| line(scene, w)))
            .mended(remedy)
            .proven(verify_to(scene, first.addr, first.to))
            .because(root(judged, first.place)),
    )
}

/// With the strict filter here, what comes back by the right rail is dropped.
fn severity(scene: &Scene<'_>, iface: usize) -> Severity {
    let index = scene.iface(iface).map_or(0, |i| i.index);
    let strict = scene.fib.max_conf(index, |s| &s.rp_filter) == Some(1);
    if strict { Severity::Critical } else { Severity::Warning }
}

fn default(to: IpAddr) -> Prefix {
    let any = |v4| if v4 { IpAddr::from([0; 4]) } else { IpAddr::from([0; 16]) };
    Prefix { addr: any(to.is_ipv4()), len: 0 }
}

/// The router of a rail, if a route by this rail alone names one: best one that leads to the
/// peer.
fn router(scene: &Scene<'_>, iface: usize, to: IpAddr) -> Option<IpAddr> {
    let index = scene.iface(iface)?.index;
    let family = if to.is_ipv4() { Family::Inet } else { Family::Inet6 };
    let by_it = || {
        let all = scene.routes(family).map(|(_, r)| r);
        all.filter(|r| r.kind == RouteKind::Unicast && only_by(r, index))
            .filter_map(|r| Some((r, r.next_hops.first()?.gateway?)))
            .filter(|(_, via)| via.is_ipv4() == to.is_ipv4())
    };
    by_it().find(|(r, _)| r.dst.contains(to)).or_else(|| by_it().next()).map(|(_, via)| via)
}

/// `DST via GATEWAY dev R src X table T`.
fn behind(
    scene: &Scene<'_>,
    plan: &Plan<'_, '_>,
    addr: &Addr,
    dst: Prefix,
    via: IpAddr,
    table: u32,
) -> Option<Change> {
    let dev = scene.iface(addr.iface)?.name().clone();
    let route = RouteSpec {
        via: Some(via),
        scope_link: false,
        ..RouteSpec::connected(dst, dev, addr.ip, table)
    };
    Some(plan.replace(route))
}

/// Peers behind a router that main knows by a rail: the table of another rail does not know
/// them, so packets from its address fall through and leave by the first.
fn no_return_route(scene: &Scene<'_>, plan: &Plan<'_, '_>, addr: &Addr) -> Option<Told> {
    let iface = scene.iface(addr.iface).filter(|i| i.vrf.is_none())?;
    let probe = addr.ways.first()?.probe.ip;
    let rules = scene.rules(addr.family());
    let (rule, table) = rules.iter().find_map(|r| match r.action {
        RuleAction::Lookup(table) if is_source_rule(r, addr, probe) => Some((r, table)),
        _ => None,
    })?;
    let on_link = |ip: IpAddr| scene.sets.iter().any(|s| s.prefix.contains(ip));
    let by_router = |r: &Route| {
        let hop = r.next_hops.first();
        r.table == TABLE_MAIN
            && r.kind == RouteKind::Unicast
            && r.dst.len > 0
            && r.next_hops.len() == 1
            && hop.is_some_and(|h| {
                h.gateway.is_some()
                    && h.ifindex.is_some_and(|i| i != iface.index && scene.rail_iface(i).is_some())
            })
    };
    let routes = scene.routes(addr.family()).map(|(_, r)| r).filter(|r| by_router(r));
    for route in routes.take(MOST_ROUTES) {
        let target = super::probe::first_of(&route.dst)?;
        if on_link(target) {
            continue;
        }
        let decision = scene.decide(addr.iface, Some(addr.ip), target);
        let Some(by) = decision.outcome.device() else { continue };
        if by == iface.index || scene.rail_iface(by).is_none() {
            continue;
        }
        let what = format!(
            "table {} of {} ({}) has no route to {} behind the router: packets from there leave by {}",
            lines::table(scene, table),
            addr.ip,
            iface.name(),
            route.dst,
            scene.dev(by)
        );
        let router = router(scene, addr.iface, target);
        let remedy = router.and_then(|via| behind(scene, plan, addr, route.dst, via, table));
        let severity = severity(scene, addr.iface);
        return Some(
            Told::new(scene, id::TABLE_NO_RETURN_ROUTE, severity, &[addr.iface], what)
                .seen([lines::rule(scene, rule), lines::route(scene, route)])
                .seen(super::way_line(scene, Some(addr.ip), target, &decision.outcome))
                .mended(remedy.into_iter().collect()),
        );
    }
    None
}
