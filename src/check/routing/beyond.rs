//! Next-hop groups that lost a rail, and peers behind routers.

use super::cause::{State, is_source_rule, only_by};
use super::scene::{Addr, Scene, Set};
use super::tell::{Told, listed};
use super::{Judged, lines};
use crate::check::Severity;
use crate::check::catalogue::routing as id;
use crate::fix::{Action, Change, RouteSpec};
use crate::sample::{Family, NextHopObject, Route, RouteKind, RuleAction};
use std::net::IpAddr;

/// Both.
pub(super) fn find(scene: &Scene<'_>, judged: &Judged) -> Vec<Told> {
    let mut told: Vec<Told> = scene.sets.iter().flat_map(|set| nexthop_lost(scene, set)).collect();
    for (place, addr) in scene.addrs.iter().enumerate() {
        if matches!(judged.states.get(place), Some(State::Right { .. })) {
            told.extend(no_return_route(scene, addr));
        }
    }
    told
}

/// A group of next hops has all rails of a set but one that is well: carrier loss deletes the
/// object of a rail for good.
fn nexthop_lost(scene: &Scene<'_>, set: &Set) -> Vec<Told> {
    let Ok(objects) = &scene.routing.nexthops else { return Vec::new() };
    let object = |id: u32| objects.iter().find(|o| o.id == id);
    let mut told = Vec::new();
    let groups = objects.iter().filter(|o| !o.group.is_empty());
    for group in groups {
        let members: Vec<&NextHopObject> =
            group.group.iter().filter_map(|m| object(m.id)).collect();
        let has = |index: u32| members.iter().any(|m| m.ifindex == Some(index));
        let rails = || set.ifaces.iter().copied().filter_map(|i| Some((i, scene.iface(i)?)));
        let missing: Vec<usize> = rails()
            .filter(|(_, i)| i.has_carrier() && !has(i.index))
            .filter(|(_, i)| !objects.iter().any(|o| o.ifindex == Some(i.index)))
            .map(|(at, _)| at)
            .collect();
        let of_set = members.iter().all(|m| {
            m.ifindex.is_some_and(|d| rails().any(|(_, i)| i.index == d)) && m.gateway.is_none()
        });
        let present = rails().filter(|(_, i)| has(i.index)).count();
        let families = [Family::Inet, Family::Inet6];
        let mut routes = families.into_iter().flat_map(|f| scene.routes(f));
        let used = routes.find(|(_, r)| r.nexthop_id == Some(group.id)).map(|(_, r)| r);
        let (Some(route), [lost], true) = (used, missing.as_slice(), of_set) else { continue };
        if present == 0 || present + 1 != set.ifaces.len() {
            continue;
        }
        let Some(iface) = scene.iface(*lost) else { continue };
        let what = format!(
            "next-hop group {} has {} and no longer {}: losing the carrier deleted its object for good",
            group.id,
            listed(members.iter().filter_map(|m| m.ifindex).map(|i| scene.dev(i))),
            iface.name()
        );
        let free = (1..u32::MAX).find(|id| object(*id).is_none()).unwrap_or(1);
        let before: Vec<u32> = group.group.iter().map(|m| m.id).collect();
        let now = before.iter().copied().chain([free]).collect();
        let remedy = vec![
            Change::here(Action::NextHopAdd { id: free, dev: iface.name().clone() }),
            Change::here(Action::NextHopGroup {
                id: group.id,
                members: now,
                before: before.clone(),
            }),
        ];
        let ids: Vec<String> = before.iter().map(u32::to_string).collect();
        told.push(
            Told::new(scene, id::NEXTHOP_OBJECT_LOST, Severity::Warning, &[*lost], what)
                .seen([
                    format!("id {} group {}", group.id, ids.join("/")).into(),
                    lines::route(scene, route),
                ])
                .mended(remedy),
        );
    }
    told
}

/// Peers behind a router that main knows by a rail: the table of another rail does not know
/// them, so packets from its address fall through and leave by the first.
fn no_return_route(scene: &Scene<'_>, addr: &Addr) -> Option<Told> {
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
        r.table == crate::fib::TABLE_MAIN
            && r.kind == RouteKind::Unicast
            && r.dst.len > 0
            && r.next_hops.len() == 1
            && hop.is_some_and(|h| {
                h.gateway.is_some()
                    && h.ifindex.is_some_and(|i| i != iface.index && scene.rail_iface(i).is_some())
            })
    };
    let beyond = scene.routes(addr.family()).map(|(_, r)| r).filter(|r| by_router(r)).take(16);
    for route in beyond {
        let target = super::probe::first_of(&route.dst)?;
        if on_link(target) {
            continue;
        }
        let decision = scene.decide(addr.iface, Some(addr.ip), target);
        let Some(by) = decision.outcome.device() else { continue };
        let stays = by == iface.index || scene.rail_iface(by).is_none();
        if stays {
            continue;
        }
        let strict = scene.fib.max_conf(iface.index, |s| &s.rp_filter) == Some(1);
        let severity = if strict { Severity::Critical } else { Severity::Warning };
        let what = format!(
            "table {} of {} ({}) has no route to {} behind the router: packets from there leave by {}",
            lines::table(scene, table),
            addr.ip,
            iface.name(),
            route.dst,
            scene.dev(by)
        );
        // The router of this rail is only known if main has a route by it.
        let router = scene.routes(addr.family()).map(|(_, r)| r).find_map(|r| {
            let hop = r.next_hops.first().filter(|_| only_by(r, iface.index))?;
            hop.gateway
        });
        let remedy = router.map(|via| RouteSpec {
            kind: None,
            dst: route.dst,
            via: Some(via),
            scope_link: false,
            ..RouteSpec::connected(route.dst, iface.name().clone(), addr.ip, table)
        });
        let remedy = remedy
            .map(|route| Change::here(Action::RouteReplace { route, before: None }))
            .into_iter()
            .collect();
        return Some(
            Told::new(scene, id::TABLE_NO_RETURN_ROUTE, severity, &[addr.iface], what)
                .seen([lines::rule(scene, rule), lines::route(scene, route)])
                .seen(super::way_line(scene, Some(addr.ip), target, &decision.outcome))
                .mended(remedy),
        );
    }
    None
}
