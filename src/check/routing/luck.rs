//! Packets that take the right way for now: what would keep them there is missing or is never asked.

use super::cause::{MAIN_RULE, State, asked_before, is_plain, is_source_rule};
use super::plan::{Plan, is_host_of, verify};
use super::roots::move_forward;
use super::scene::{Addr, Scene, Set};
use super::tell::{Told, listed};
use super::{Judged, lines};
use crate::check::Severity;
use crate::check::catalogue::routing as id;
use crate::fib::Outcome;
use crate::sample::{Reading, Route, RouteKind, Rule, RuleAction};

/// All findings about ways that are right by luck.
pub(super) fn find(scene: &Scene<'_>, judged: &Judged, plan: &Plan<'_, '_>) -> Vec<Told> {
    let mut told = empty_by_luck(scene, judged, plan);
    told.extend(shadowed_by_luck(scene, judged, plan));
    told.extend(first_by_luck(scene, judged, plan));
    told
}

/// The table is empty and the packets take the right way all the same: for now.
fn empty_by_luck(scene: &Scene<'_>, judged: &Judged, plan: &Plan<'_, '_>) -> Vec<Told> {
    let mut told = Vec::new();
    for (place, addr) in scene.addrs.iter().enumerate() {
        let Some(State::Right { rule: None }) = judged.states.get(place) else { continue };
        let family = addr.family();
        let table_of = |r: &Rule| match r.action {
            RuleAction::Lookup(table) if is_plain(r) => Some(table),
            _ => None,
        };
        let empty = scene.rules(family).iter().find_map(|r| {
            let table = table_of(r).filter(|_| r.src.is_some_and(|s| is_host_of(&s, addr.ip)))?;
            let filled = scene.routes(family).any(|(_, route)| route.table == table);
            (!filled).then_some((r, table))
        });
        let known: &Reading<_> =
            if addr.ip.is_ipv4() { &scene.routing.routes4 } else { &scene.routing.routes6 };
        let Some((rule, table)) = empty.filter(|_| known.is_ok()) else { continue };
        let own = scene.iface(addr.iface).map(|i| i.name().clone()).unwrap_or_default();
        let what = format!(
            "rule {} leads packets from {} ({own}) to table {}, which is empty: they fall through, \
             for now to the right rail",
            rule.preference,
            addr.ip,
            lines::table(scene, table)
        );
        told.push(
            Told::new(scene, id::RULE_TABLE_EMPTY, Severity::Warning, &[addr.iface], what)
                .seen([lines::rule(scene, rule)])
                .mended(plan.source_routing(addr))
                .proven_done()
                .proven(verify(scene, addr))
                .after_link(),
        );
    }
    told
}

/// The rule is never asked and the packets take the right way all the same: while this rail's
/// route is the first of the prefix.
fn shadowed_by_luck(scene: &Scene<'_>, judged: &Judged, plan: &Plan<'_, '_>) -> Vec<Told> {
    let mut told = Vec::new();
    let shared = scene.sets.iter().filter(|s| s.is_shared()).flat_map(|s| s.addrs.iter().copied());
    for place in shared {
        let Some(addr) = scene.addr(place) else { continue };
        let Some(State::Right { rule: None }) = judged.states.get(place) else { continue };
        let Some(way) = addr.ways.first() else { continue };
        let rules = scene.rules(addr.family());
        let own = rules.iter().enumerate().find(|(_, r)| {
            is_plain(r) && r.dst.is_none() && r.src.is_some_and(|s| is_host_of(&s, addr.ip))
        });
        let Some((at, rule)) = own else { continue };
        let first = asked_before(&way.decision, at).and_then(|by| rules.get(by));
        let (Some(first), RuleAction::Lookup(table)) = (first, &rule.action) else { continue };
        let filled = scene.routes(addr.family()).any(|(_, route)| route.table == *table);
        if !filled {
            continue;
        }
        let what = format!(
            "the rule for {} at {} is never reached: the one at {} decides first, for now with the \
             right rail",
            addr.ip, rule.preference, first.preference
        );
        let late = rule.preference > MAIN_RULE;
        let id = if late { id::RULE_AFTER_MAIN } else { id::RULE_SHADOWED };
        told.push(
            Told::new(scene, id, Severity::Warning, &[addr.iface], what)
                .seen([first, rule].map(|r| lines::rule(scene, r)))
                .mended(move_forward(plan, addr, rule))
                .proven_done()
                .proven(verify(scene, addr)),
        );
    }
    told
}

/// No rule of its own, and the connected route of this rail is the first of equal ones: the next
/// link bounce puts it last. The other rails have rules, else they would be astray and told.
fn first_by_luck(scene: &Scene<'_>, judged: &Judged, plan: &Plan<'_, '_>) -> Vec<Told> {
    let mut told = Vec::new();
    for set in scene.sets.iter().filter(|s| s.is_shared()) {
        let all_astray = set.addrs.iter().any(|&at| {
            matches!(judged.states.get(at), Some(State::Wrong(cause)) if cause.kind.is_of_set())
        });
        if all_astray {
            continue;
        }
        for &iface in &set.ifaces {
            told.extend(first_of_rail(scene, judged, plan, set, iface));
        }
    }
    told
}

fn first_of_rail(
    scene: &Scene<'_>,
    judged: &Judged,
    plan: &Plan<'_, '_>,
    set: &Set,
    iface: usize,
) -> Option<Told> {
    let lucky: Vec<(&Addr, Vec<&Route>)> = set
        .addrs
        .iter()
        .filter(|&&at| matches!(judged.states.get(at), Some(State::Right { rule: None })))
        .filter_map(|&at| scene.addr(at).filter(|a| a.iface == iface))
        .filter_map(|a| Some((a, rivals(scene, a)?)))
        .collect();
    let (addr, routes) = lucky.first()?;
    let name = scene.iface(iface)?.name();
    let by = |r: &&Route| r.next_hops.first().and_then(|h| h.ifindex).map(|d| scene.dev(d));
    // An interface can have several of the routes.
    let mut devices: Vec<_> = routes.iter().filter_map(by).collect();
    devices.sort();
    devices.dedup();
    let what = format!(
        "{} is reachable by {}, and {name} has no rule: packets from {} leave by it only until its \
         next link bounce",
        addr.prefix,
        listed(devices),
        addr.ip,
    );
    let mend = lucky.iter().flat_map(|(a, _)| plan.source_routing(a)).collect();
    Some(
        Told::new(scene, id::ROUTE_DUP_CONNECTED, Severity::Warning, &[iface], what)
            .seen(routes.iter().map(|r| lines::route(scene, r)))
            .mended(mend)
            .proven_done()
            .proven(lucky.iter().flat_map(|(a, _)| verify(scene, a))),
    )
}

/// The route that decides for an address without a rule, and those of other rails that differ from
/// it in their place alone; `None` where there are none.
fn rivals<'a>(scene: &Scene<'a>, addr: &Addr) -> Option<Vec<&'a Route>> {
    let way = addr.ways.first().filter(|_| scene.rules_decide(addr))?;
    let rules = scene.rules(addr.family());
    if rules.iter().any(|r| is_source_rule(r, addr, way.probe.ip)) {
        return None;
    }
    let Outcome::Send { route, .. } = way.decision.outcome else { return None };
    let first = scene.routes_of(addr.family()).get(route)?;
    let equal = |r: &Route| {
        let key = |r: &Route| (r.table, r.dst, r.src, r.tos, r.metric);
        key(r) == key(first) && r.kind == RouteKind::Unicast && r.next_hops.len() == 1
    };
    let by_rail = |r: &Route| {
        r.next_hops.iter().all(|h| h.ifindex.is_some_and(|i| scene.rail_iface(i).is_some()))
    };
    let device = |r: &Route| r.next_hops.first().and_then(|h| h.ifindex);
    let all = scene.routes(addr.family()).map(|(_, r)| r);
    let all: Vec<&Route> = all.filter(|r| equal(r) && by_rail(r)).collect();
    all.iter().any(|r| device(r) != device(first)).then_some(all)
}
