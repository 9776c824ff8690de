//! Packets of sockets that bind to no address: do they find a rail at all?

use super::cause::State;
use super::plan::Plan;
use super::scene::{Addr, Iface, Scene, Set};
use super::tell::Told;
use super::{Judged, lines};
use crate::check::Severity;
use crate::check::catalogue::routing as id;
use crate::fib::{Outcome, TABLE_MAIN};
use crate::fix::Change;
use crate::sample::RuleAction;

/// One finding per set whose prefix is no rail's for unbound packets.
pub(super) fn find(scene: &Scene<'_>, judged: &mut Judged, plan: &Plan<'_, '_>) -> Vec<Told> {
    let mut told = Vec::new();
    for (place, set) in scene.sets.iter().enumerate() {
        if let Some(found) = of_set(scene, judged, set, plan) {
            judged.unbound.insert(place, found.found.finding.id);
            told.push(found);
        }
    }
    told
}

fn of_set(scene: &Scene<'_>, judged: &Judged, set: &Set, plan: &Plan<'_, '_>) -> Option<Told> {
    let ifaces = || set.ifaces.iter().filter_map(|&i| scene.iface(i));
    // A VRF is entered by binding to it; without any carrier nothing is expected.
    if ifaces().any(|i| i.vrf.is_some()) || !ifaces().any(Iface::has_carrier) {
        return None;
    }
    let widest = |a: &&Addr| a.prefix == set.prefix && !a.ways.is_empty();
    let addr = set.addrs.iter().filter_map(|&a| scene.addr(a)).find(widest)?;
    let iface = addr.iface;
    let ways = addr.ways.iter().map(|w| (w.probe, scene.decide(iface, None, w.probe.ip).outcome));
    // A route for a part of the prefix takes some peers away, not the prefix.
    let ways = ways.filter(|(p, outcome)| !(p.seen && takes_a_part(scene, set, outcome)));
    for (probe, outcome) in ways.take(2) {
        let probe = probe.ip;
        let (id, severity, what) = match &outcome {
            Outcome::Send { hops, .. } => {
                let by_rail =
                    hops.iter().any(|h| h.ifindex.is_none_or(|i| scene.rail_iface(i).is_some()));
                if by_rail {
                    continue;
                }
                let by = super::leaves_by(scene, &outcome).unwrap_or_default();
                let words = format!(
                    "packets for {} of programs that bind to no address leave by {by}, not by a rail",
                    set.prefix
                );
                (id::RAIL_UNBOUND_VIA_ETHERNET, Severity::Warning, words)
            }
            Outcome::Refuse { route: None, .. } => {
                let words = format!(
                    "packets for {} of programs that bind to no address have no route",
                    set.prefix
                );
                (id::RAIL_UNBOUND_NO_ROUTE, Severity::Warning, words)
            }
            _ => continue,
        };
        let mut seen = Vec::new();
        if let Outcome::Send { route, .. } = &outcome {
            let routes = scene.routes_of(addr.family());
            seen.extend(routes.get(*route).map(|r| lines::route(scene, r)));
        }
        seen.extend(super::way_line(scene, None, probe, &outcome));
        let ip = if probe.is_ipv4() { "ip" } else { "ip -6" };
        let rails = ifaces().map(|i| crate::fix::word(&format!(" dev {} ", i.name())));
        let rails: Vec<String> = rails.map(|dev| format!("-e {dev}")).collect();
        let get = format!("{ip} route get {probe} | grep -F {}", rails.join(" "));
        let get = super::plan::here(get);
        let main = RuleAction::Lookup(TABLE_MAIN);
        let asked = scene.rules(addr.family()).iter().any(|r| r.action == main);
        // Behind the rule for main there may be routes already.
        let mend = if asked { remedy(scene, judged, set, plan, &outcome) } else { Vec::new() };
        return Some(
            Told::new(scene, id, severity, &set.ifaces, what)
                .because((!asked).then_some(id::RULE_BUILTIN_MISSING))
                .seen(seen)
                .mended(mend)
                .proven([get]),
        );
    }
    None
}

/// Does a route decide that is for a part of the prefix only?
pub(super) fn takes_a_part(scene: &Scene<'_>, set: &Set, outcome: &Outcome) -> bool {
    let Outcome::Send { route, .. } = outcome else { return false };
    let route = scene.routes_of(set.prefix.family()).get(*route);
    route.is_some_and(|r| r.dst.len > set.prefix.len)
}

/// The prefix back in main; then rails that share it need rules of their own, if they have none.
fn remedy(
    scene: &Scene<'_>,
    judged: &Judged,
    set: &Set,
    plan: &Plan<'_, '_>,
    outcome: &Outcome,
) -> Vec<Change> {
    // Another device is connected to the prefix: its route stays the best one in main.
    let connected = match outcome {
        Outcome::Send { route, .. } => scene
            .routes_of(set.prefix.family())
            .get(*route)
            .is_some_and(|r| r.dst.len >= set.prefix.len),
        _ => false,
    };
    let astray = |&a: &usize| matches!(judged.states.get(a), Some(State::Wrong(_)));
    let any_astray = set.addrs.iter().any(astray);
    let mut changes = if connected { Vec::new() } else { plan.unbound(set) };
    if any_astray && set.is_shared() {
        changes.extend(plan.one_subnet(set));
    } else if any_astray && connected {
        let astray = set.addrs.iter().filter(|a| astray(a)).filter_map(|&a| scene.addr(a));
        changes.extend(astray.flat_map(|addr| plan.source_routing(addr)));
    }
    changes
}
