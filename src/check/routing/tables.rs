//! Routes of the rails themselves: sources, dead links, next-hop objects, MTU, routers.

use super::cause::{Kind, State, is_custom, is_source_rule, only_by};
use super::plan::{here, sysctl, verify, verify_to};
use super::scene::{Addr, Iface, Scene};
use super::tell::Told;
use super::{Judged, lines};
use crate::check::catalogue::routing as id;
use crate::check::{Severity, Step};
use crate::fib::{Fib, TABLE_LOCAL};
use crate::fix::{Action, Change, RouteSpec};
use crate::sample::{Family, Route, RouteKind, Routing, RuleAction, Text};
use std::net::IpAddr;

/// RTPROT_KERNEL, RTPROT_RA.
const PROTO_KERNEL: u8 = 2;
const PROTO_RA: u8 = 9;
/// Rules without a preference of their own get one in front of main, counted down.
const AUTOMATIC: std::ops::Range<u32> = 32_000..32_766;

/// All findings about routes. `real` is the routing as read.
pub(super) fn find(scene: &Scene<'_>, judged: &Judged, real: (&Routing, &Fib<'_>)) -> Vec<Told> {
    let mut told = Vec::new();
    let families = [Family::Inet, Family::Inet6];
    for (place, iface) in scene.ifaces.iter().enumerate() {
        let routes = || families.into_iter().flat_map(|f| scene.routes(f)).map(|(_, r)| r);
        let mine: Vec<&Route> =
            routes().filter(|r| r.kind == RouteKind::Unicast && only_by(r, iface.index)).collect();
        told.extend(source_of_another(scene, judged, place, &mine));
        told.extend(source_gone(scene, place, &mine));
        told.extend(mtu_below(scene, place, iface, &mine));
        told.extend(mtu_above(scene, place, iface, &mine));
        told.extend(linkdown(scene, place, iface, real));
        told.extend(lnet_tables(scene, place, iface, &mine));
    }
    told
}

fn show(scene: &Scene<'_>, routes: &[&Route]) -> Vec<Text> {
    routes.iter().take(8).map(|r| lines::route(scene, r)).collect()
}

/// The same route with another source, in place of itself.
fn with_source(scene: &Scene<'_>, route: &Route, src: IpAddr) -> Option<Change> {
    let before = RouteSpec::of(route, scene.links)?;
    let route = RouteSpec { src: Some(src), ..before.clone() };
    // Undo cannot give a source back that is gone: the kernel refuses it (fib_valid_prefsrc).
    let is_there = |src| scene.addrs.iter().any(|a| Some(a.ip) == src);
    let before = RouteSpec { src: before.src.filter(|&src| is_there(Some(src))), ..before };
    Some(Change::here(Action::RouteReplace { route, before: Some(before) }))
}

/// The address that a route of an interface should give.
fn own_source<'s>(scene: &'s Scene<'_>, iface: usize, route: &Route) -> Option<&'s Addr> {
    let own =
        || scene.addrs.iter().filter(|a| a.iface == iface && a.family() == route.dst.family());
    own().find(|a| a.prefix == route.dst).or_else(|| own().next())
}

/// A table of this interface whose routes give another rail's address.
fn source_of_another(
    scene: &Scene<'_>,
    judged: &Judged,
    iface: usize,
    mine: &[&Route],
) -> Option<Told> {
    let wrong: Vec<&Route> = mine
        .iter()
        .copied()
        .filter(|r| is_custom(r.table))
        .filter(|r| {
            let Some(src) = r.prefsrc else { return false };
            let owners: Vec<usize> =
                scene.addrs.iter().filter(|a| a.ip == src).map(|a| a.iface).collect();
            !owners.is_empty() && !owners.contains(&iface)
        })
        // Only where the device is right: the table is this interface's.
        .filter(|r| leads_to(scene, iface, r.table) && !blamed(judged, scene, r.table, iface))
        .collect();
    let first = *wrong.first()?;
    let own = own_source(scene, iface, first);
    let name = scene.iface(iface)?.name();
    let what = format!(
        "table {} sends by {name} with {}, the address of another rail, for programs bound to the \
         device",
        lines::table(scene, first.table),
        first.prefsrc.map_or_else(String::new, |s| s.to_string())
    );
    let remedy =
        wrong.iter().filter_map(|r| with_source(scene, r, own_source(scene, iface, r)?.ip));
    let told = Told::new(scene, id::TABLE_WRONG_SRC, Severity::Warning, &[iface], what)
        .seen(show(scene, &wrong))
        .mended(remedy.collect());
    Some(told.proven_done().proven(own.into_iter().flat_map(|a| verify(scene, a))))
}

/// Does a rule lead packets from this interface to the table?
fn leads_to(scene: &Scene<'_>, iface: usize, table: u32) -> bool {
    let addrs = || scene.addrs.iter().filter(|a| a.iface == iface);
    addrs().any(|a| {
        let probe = a.ways.first().map_or(a.ip, |w| w.probe.ip);
        let rules = scene.rules(a.family());
        rules.iter().any(|r| r.action == RuleAction::Lookup(table) && is_source_rule(r, a, probe))
    })
}

/// Is the table told as wrong already, for another interface?
fn blamed(judged: &Judged, scene: &Scene<'_>, table: u32, iface: usize) -> bool {
    judged.states.iter().enumerate().any(|(at, state)| {
        matches!(state, State::Wrong(c) if matches!(c.kind, Kind::WrongDev { table: t, .. } if t == table))
            && scene.addr(at).is_some_and(|a| a.iface != iface)
    })
}

/// Routes that give an address which is gone.
fn source_gone(scene: &Scene<'_>, iface: usize, mine: &[&Route]) -> Option<Told> {
    let all = scene.routing.addresses.as_ref().ok()?;
    let is_there = |src: IpAddr| scene.fib.is_local(src) || all.iter().any(|a| a.local.addr == src);
    let wrong: Vec<&Route> = mine
        .iter()
        .copied()
        .filter(|r| r.table != TABLE_LOCAL && r.prefsrc.is_some_and(|src| !is_there(src)))
        .collect();
    let first = *wrong.first()?;
    let name = scene.iface(iface)?.name();
    let what = format!(
        "a route of table {} by {name} gives {}, which is no address of this node any more",
        lines::table(scene, first.table),
        first.prefsrc.map_or_else(String::new, |s| s.to_string())
    );
    let remedy =
        wrong.iter().filter_map(|r| with_source(scene, r, own_source(scene, iface, r)?.ip));
    Some(
        Told::new(scene, id::ROUTE_SRC_NOT_LOCAL, Severity::Warning, &[iface], what)
            .seen(show(scene, &wrong))
            .mended(remedy.collect()),
    )
}

fn without_mtu(scene: &Scene<'_>, routes: &[&Route]) -> Vec<Change> {
    let change = |r: &&Route| {
        let before = RouteSpec::of(r, scene.links)?;
        let bare =
            RouteSpec::of(&Route { mtu: None, mtu_locked: false, ..(*r).clone() }, scene.links)?;
        Some(Change::here(Action::RouteReplace { route: bare, before: Some(before) }))
    };
    routes.iter().filter_map(change).collect()
}

fn mtu_below(scene: &Scene<'_>, place: usize, iface: &Iface<'_>, mine: &[&Route]) -> Option<Told> {
    let link = iface.link.mtu?;
    let low: Vec<&Route> = mine
        .iter()
        .copied()
        // Router advertisements set one on purpose.
        .filter(|r| r.protocol != PROTO_RA && r.mtu.is_some_and(|m| m > 0 && m < link))
        .collect();
    let first = *low.first()?;
    let locked = if first.mtu_locked { ", with path MTU discovery off" } else { "" };
    let what = format!(
        "a route by {} limits packets to {} bytes, the link carries {link}{locked}",
        iface.name(),
        first.mtu.unwrap_or_default()
    );
    Some(
        Told::new(scene, id::ROUTE_MTU_LOCK, Severity::Note, &[place], what)
            .seen(show(scene, &low))
            .mended(without_mtu(scene, &low)),
    )
}

fn mtu_above(scene: &Scene<'_>, place: usize, iface: &Iface<'_>, mine: &[&Route]) -> Option<Told> {
    let link = iface.link.mtu?;
    let high: Vec<&Route> =
        mine.iter().copied().filter(|r| r.mtu.is_some_and(|m| m > link)).collect();
    let first = *high.first()?;
    let what = format!(
        "a route by {} promises {} bytes, the link carries {link}: large packets are lost without an \
         error",
        iface.name(),
        first.mtu.unwrap_or_default()
    );
    Some(
        Told::new(scene, id::ROUTE_MTU_ABOVE_LINK, Severity::Warning, &[place], what)
            .seen(show(scene, &high))
            .mended(without_mtu(scene, &high)),
    )
}

/// The link is dead and the kernel goes on choosing its routes.
fn linkdown(
    scene: &Scene<'_>,
    place: usize,
    iface: &Iface<'_>,
    (real, fib): (&Routing, &Fib<'_>),
) -> Option<Told> {
    if !iface.link.flags.is_up() || iface.has_carrier() {
        return None;
    }
    let chosen = |family: Family| -> Vec<&Route> {
        let routes = if family == Family::Inet { &real.routes4 } else { &real.routes6 };
        if fib.ignores_linkdown(family, iface.index) {
            return Vec::new();
        }
        let mine = |r: &&Route| {
            r.kind == RouteKind::Unicast
                && r.table != TABLE_LOCAL
                && !r.cloned
                && !is_link_local(r.dst.addr)
                && r.next_hops.iter().any(|h| h.ifindex == Some(iface.index) && h.flags.linkdown)
        };
        routes.iter().flatten().filter(mine).collect()
    };
    let (v4, v6) = (chosen(Family::Inet), chosen(Family::Inet6));
    if v4.is_empty() && v6.is_empty() {
        return None;
    }
    let name = iface.name();
    let key = "ignore_routes_with_linkdown";
    let sysctls = &scene.node.sysctls;
    let own = sysctls.interface(name);
    let mut remedy = Vec::new();
    if !v4.is_empty() {
        let before = own.and_then(|s| s.ignore_routes_with_linkdown.clone().ok());
        remedy.push(sysctl(Family::Inet, name, key, 1, before));
    }
    if !v6.is_empty() {
        let before = own.and_then(|s| s.ipv6_ignore_routes_with_linkdown.clone().ok());
        remedy.push(sysctl(Family::Inet6, name, key, 1, before));
    }
    let what = format!("the kernel goes on sending by {name}, which has no carrier");
    let mut all = show(scene, &v4);
    all.extend(show(scene, &v6));
    let value = own.map(|s| &s.ignore_routes_with_linkdown);
    all.extend(value.and_then(|v| lines::sysctl(name, key, v)));
    Some(
        Told::new(scene, id::ROUTE_LINKDOWN, Severity::Warning, &[place], what)
            .seen(all)
            .mended(remedy)
            .proven(not_by(scene, place))
            .after_link(),
    )
}

/// Proves that packets from the addresses of a dead rail do not leave by it any more.
fn not_by(scene: &Scene<'_>, place: usize) -> Vec<Step> {
    let addrs = scene.addrs.iter().filter(|a| a.iface == place);
    let leaves = addrs.filter_map(|a| verify_to(scene, a, a.ways.first()?.probe.ip));
    leaves.map(|step| here(format!("! {}", step.command))).collect()
}

fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(a) => a.is_link_local(),
        IpAddr::V6(a) => a.is_unicast_link_local() || a.is_multicast(),
    }
}

/// Tables that LNet's own set-up made.
fn lnet_tables(
    scene: &Scene<'_>,
    place: usize,
    iface: &Iface<'_>,
    mine: &[&Route],
) -> Option<Told> {
    let name = iface.name();
    let table = scene.routing.table_names.iter().find(|(_, t)| t == name)?.0;
    let made: Vec<&Route> =
        mine.iter().copied().filter(|r| r.table == table && r.protocol == PROTO_KERNEL).collect();
    let mut rules = scene.rules(Family::Inet).iter();
    let rule = rules
        .find(|r| r.action == RuleAction::Lookup(table) && AUTOMATIC.contains(&r.preference))
        .filter(|_| !made.is_empty())?;
    let what = format!(
        "table {name} and its rule look like LNet's own (ksocklnd-config): nobody fills it again after a \
         link bounce"
    );
    let mut seen = vec![lines::rule(scene, rule)];
    seen.extend(show(scene, &made));
    Some(Told::new(scene, id::LNET_TABLES, Severity::Note, &[place], what).seen(seen))
}
