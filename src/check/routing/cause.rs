//! Why packets from an address do not leave by its own interface: one cause each.

use super::plan::is_host_of;
use super::scene::{Addr, Scene, Way};
use crate::check::catalogue::routing as id;
use crate::fib::{Decision, Outcome, TABLE_DEFAULT, TABLE_LOCAL, Verb};
use crate::sample::{Prefix, Route, RouteKind, Rule, RuleAction, Unknown};
use std::net::IpAddr;

/// How packets from an address fare.
pub(super) enum State {
    /// They leave by its interface, for every probe.
    Right {
        /// The rule of its own that leads there, if one does.
        rule: Option<usize>,
    },
    /// They do not.
    Wrong(Cause),
    /// It cannot be told.
    Unknown(Unknown),
    /// There is nobody to ask for: a host address.
    NotAsked,
}

/// The root cause for an address, and the probe that shows it.
pub(super) struct Cause {
    pub kind: Kind,
    pub probe: IpAddr,
}

/// Places of rules and routes are those of the dump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A rule or route refuses.
    Reject { rule: Option<usize>, route: Option<usize> },
    /// The rule's table has no route.
    TableEmpty { rule: usize, table: u32 },
    /// An earlier rule decides.
    Shadowed { rule: usize, by: usize, after_main: bool },
    /// The rule's table leaves by another device.
    WrongDev { rule: usize, table: u32 },
    /// An earlier rule of the same address leads to another rail's table, a later one to its own.
    Conflict { rule: usize, right: usize, table: u32 },
    /// The table has no connected route for the prefix; peers go by a router, or fall through.
    NoConnected { rule: Option<usize>, table: u32 },
    /// A table of the interface that no rule names.
    NoRule { table: u32 },
    /// One route with several rails as next hops.
    Multipath { table: u32, route: usize },
    /// Another rail's prefix is longer.
    Longer { table: u32, route: usize, own: usize },
    /// Another rail's route has the better metric.
    Metric { table: u32, route: usize, own: usize },
    /// Equal routes: the first inserted wins.
    Duplicate { table: u32, route: usize, own: usize },
    /// No rail has the prefix: told of the prefix, not of the address.
    Unbound,
}

impl Kind {
    /// The id of the finding.
    pub(super) fn id(self) -> Option<&'static str> {
        Some(match self {
            Kind::Reject { .. } => id::ROUTE_REJECT,
            Kind::TableEmpty { .. } => id::RULE_TABLE_EMPTY,
            Kind::Shadowed { after_main: true, .. } => id::RULE_AFTER_MAIN,
            Kind::Shadowed { .. } => id::RULE_SHADOWED,
            Kind::WrongDev { .. } => id::TABLE_WRONG_DEV,
            Kind::Conflict { .. } => id::RULE_CONFLICT,
            Kind::NoConnected { .. } => id::TABLE_NO_CONNECTED,
            Kind::NoRule { .. } => id::TABLE_NO_RULE,
            Kind::Multipath { .. } => id::ROUTE_MULTIPATH_NO_SOURCE,
            Kind::Longer { .. } => id::PREFIX_LENGTH_MISMATCH,
            Kind::Metric { .. } => id::ROUTE_METRIC_ASYMMETRY,
            Kind::Duplicate { .. } => id::ROUTE_DUP_CONNECTED,
            Kind::Unbound => return None,
        })
    }

    /// It is about all rails of the prefix set, and its remedy holds the ARP sysctls.
    pub(super) fn is_of_set(self) -> bool {
        matches!(
            self,
            Kind::Multipath { .. }
                | Kind::Longer { .. }
                | Kind::Metric { .. }
                | Kind::Duplicate { .. }
        )
    }
}

/// Preference of the built-in rule for main.
pub(super) const MAIN_RULE: u32 = 32766;
/// RT_TABLE_COMPAT: "see RTA_TABLE".
const TABLE_COMPAT: u32 = 252;

/// A table somebody made: not one of the kernel's own.
pub(super) fn is_custom(table: u32) -> bool {
    !(table == 0 || table == TABLE_COMPAT || (TABLE_DEFAULT..=TABLE_LOCAL).contains(&table))
}

/// Judges the ways of an address.
pub(super) fn of(scene: &Scene<'_>, addr: &Addr) -> State {
    let Some(iface) = scene.iface(addr.iface) else { return State::NotAsked };
    let is_right = |w: &Way| w.decision.outcome.device() == Some(iface.index);
    let refused =
        |w: &Way| matches!(&w.decision.outcome, Outcome::Refuse { preference: Some(_), .. });
    if let Some(why) = addr.ways.iter().find_map(|w| match &w.decision.outcome {
        Outcome::Unknown(why) => Some(why.clone()),
        _ => None,
    }) {
        return State::Unknown(why);
    }
    let wrong = || addr.ways.iter().find(|w| !is_right(w));
    match addr.ways.iter().find(|w| refused(w)).or_else(wrong) {
        Some(way) => {
            let kind = classify(scene, addr, iface.index, way);
            State::Wrong(Cause { kind, probe: way.probe.ip })
        }
        None if addr.ways.is_empty() => State::NotAsked,
        None => right(scene, addr),
    }
}

/// They leave by the right interface; still, not by a router.
fn right(scene: &Scene<'_>, addr: &Addr) -> State {
    let rules = scene.rules(addr.family());
    let own = addr.ways.first().filter(|_| scene.rules_decide(addr)).and_then(|w| {
        let at = decider(&w.decision)?;
        rules.get(at).filter(|r| is_source_rule(r, addr, w.probe.ip)).map(|_| at)
    });
    let Some(at) = own else { return State::Right { rule: None } };
    let roundabout = addr.ways.iter().find(|w| goes_by_router(scene, addr, w));
    match (roundabout, rules.get(at).map(|r| &r.action)) {
        (Some(way), Some(&RuleAction::Lookup(table))) => {
            let kind = Kind::NoConnected { rule: Some(at), table };
            State::Wrong(Cause { kind, probe: way.probe.ip })
        }
        _ => State::Right { rule: Some(at) },
    }
}

/// A peer of the own prefix by a gateway. On a link of two hosts the peer is the gateway.
fn goes_by_router(scene: &Scene<'_>, addr: &Addr, way: &Way) -> bool {
    let Outcome::Send { route, hops, .. } = &way.decision.outcome else { return false };
    let shorter = route_at(scene, addr, *route).is_some_and(|r| r.dst.len < addr.prefix.len);
    let point_to_point = addr.prefix.len >= if addr.ip.is_ipv4() { 30 } else { 126 };
    let via = hops.iter().any(|h| h.gateway.is_some_and(|g| g != way.probe.ip));
    shorter && via && !point_to_point
}

pub(super) fn route_at<'a>(scene: &Scene<'a>, addr: &Addr, place: usize) -> Option<&'a Route> {
    scene.routes_of(addr.family()).get(place)
}

/// The place of the rule that decided.
pub(super) fn decider(decision: &Decision) -> Option<usize> {
    let decided = match &decision.outcome {
        Outcome::Send { .. } | Outcome::Local { .. } => true,
        Outcome::Refuse { preference, .. } => preference.is_some(),
        _ => false,
    };
    decision.steps.last().filter(|_| decided).map(|s| s.rule)
}

fn classify(scene: &Scene<'_>, addr: &Addr, device: u32, way: &Way) -> Kind {
    if let Outcome::Refuse { preference: Some(_), route, .. } = way.decision.outcome {
        let rule = decider(&way.decision).filter(|_| scene.rules_decide(addr));
        return Kind::Reject { rule, route };
    }
    if !scene.rules_decide(addr) {
        return by_table(scene, addr, device, way);
    }
    let in_vrf = scene.iface(addr.iface).is_some_and(|i| i.vrf.is_some());
    let rules = scene.rules(addr.family());
    let own = rules.iter().enumerate().find_map(|(at, r)| match r.action {
        RuleAction::Lookup(table) if is_source_rule(r, addr, way.probe.ip) => Some((at, table)),
        _ => None,
    });
    match own {
        Some((rule, table)) => by_own_rule(scene, addr, device, way, rule, table),
        None if in_vrf => by_table(scene, addr, device, way),
        None => match unnamed_table(scene, addr, device, way.probe.ip) {
            Some(table) => Kind::NoRule { table },
            None => by_table(scene, addr, device, way),
        },
    }
}

/// There is a rule `from X`: its table, or its place.
fn by_own_rule(
    scene: &Scene<'_>,
    addr: &Addr,
    device: u32,
    way: &Way,
    rule: usize,
    table: u32,
) -> Kind {
    if !scene.routes(addr.family()).any(|(_, r)| r.table == table) {
        return Kind::TableEmpty { rule, table };
    }
    let alone = scene.decide_in(table, Some(addr.ip), way.probe.ip);
    match &alone.outcome {
        Outcome::Refuse { preference: Some(_), route, .. } => {
            Kind::Reject { rule: Some(rule), route: *route }
        }
        Outcome::Send { .. } if alone.outcome.device() != Some(device) => {
            by_wrong_table(scene, addr, device, way, rule, table)
        }
        Outcome::Send { .. } => match asked_before(&way.decision, rule) {
            Some(by) => {
                let preference = scene.rules(addr.family()).get(rule).map_or(0, |r| r.preference);
                Kind::Shadowed { rule, by, after_main: preference > MAIN_RULE }
            }
            None => Kind::NoConnected { rule: Some(rule), table },
        },
        _ => Kind::NoConnected { rule: Some(rule), table },
    }
}

/// The table leads out by another device: is it the rule that is wrong?
fn by_wrong_table(
    scene: &Scene<'_>,
    addr: &Addr,
    device: u32,
    way: &Way,
    rule: usize,
    table: u32,
) -> Kind {
    let rules = scene.rules(addr.family());
    let right = rules.iter().enumerate().skip(rule + 1).find(|(_, r)| {
        matches!(r.action, RuleAction::Lookup(own) if own != table
            && is_source_rule(r, addr, way.probe.ip)
            && scene.decide_in(own, Some(addr.ip), way.probe.ip).outcome.device() == Some(device))
    });
    match right {
        Some((right, _)) if rules.get(rule).is_some_and(|r| is_for(r, addr)) => {
            Kind::Conflict { rule, right, table }
        }
        // A rule for more than this address may be right for the others.
        Some((right, _)) => Kind::Shadowed { rule: right, by: rule, after_main: false },
        None => Kind::WrongDev { rule, table },
    }
}

/// Is the rule for this address alone, and for all destinations?
pub(super) fn is_for(rule: &Rule, addr: &Addr) -> bool {
    is_plain(rule) && rule.dst.is_none() && rule.src.is_some_and(|s| is_host_of(&s, addr.ip))
}

/// The rule because of which another one was never asked: it decided, or jumped past it.
pub(super) fn asked_before(decision: &Decision, rule: usize) -> Option<usize> {
    if decision.steps.iter().any(|s| s.rule == rule) {
        return None;
    }
    let jumps = || decision.steps.iter().filter(|s| matches!(s.verb, Verb::Goto(_)));
    decider(decision)
        .filter(|by| *by < rule)
        .or_else(|| jumps().map(|s| s.rule).rfind(|by| *by < rule))
}

/// A table with a way by this device to the probe, that no rule names.
fn unnamed_table(scene: &Scene<'_>, addr: &Addr, device: u32, probe: IpAddr) -> Option<u32> {
    let rules = scene.rules(addr.family());
    let named = |table| rules.iter().any(|r| r.action == RuleAction::Lookup(table));
    let of_vrf = |table| scene.links.iter().any(|l| l.vrf_table == Some(table));
    scene
        .routes(addr.family())
        .filter(|(_, r)| is_custom(r.table) && r.kind == RouteKind::Unicast)
        .filter(|(_, r)| r.dst.contains(probe) && only_by(r, device))
        .map(|(_, r)| r.table)
        .find(|&table| !named(table) && !of_vrf(table))
}

/// The one device of a route with a single hop.
pub(super) fn only_by(route: &Route, device: u32) -> bool {
    matches!(route.next_hops.as_slice(), [hop] if hop.ifindex == Some(device))
}

/// No rule of its own: what decides instead.
fn by_table(scene: &Scene<'_>, addr: &Addr, device: u32, way: &Way) -> Kind {
    // In a VRF there is no other table to fall back on.
    let unbound = match scene.iface(addr.iface).and_then(|i| i.vrf) {
        Some(table) => Kind::NoConnected { rule: None, table },
        None => Kind::Unbound,
    };
    let Outcome::Send { table, route, hops, .. } = &way.decision.outcome else {
        return unbound;
    };
    let (table, place) = (*table, *route);
    let on_rail = |d: Option<u32>| d.is_some_and(|d| d == device || scene.rail_iface(d).is_some());
    if hops.len() > 1 && hops.iter().any(|h| h.ifindex == Some(device)) {
        return Kind::Multipath { table, route: place };
    }
    if !hops.iter().any(|h| on_rail(h.ifindex)) {
        return unbound;
    }
    let covers = |r: &Route| r.table == table && r.dst.contains(way.probe.ip);
    let own = scene
        .routes(addr.family())
        .filter(|(_, r)| r.kind == RouteKind::Unicast && covers(r))
        .filter(|(_, r)| r.next_hops.iter().any(|h| h.ifindex == Some(device)))
        .max_by_key(|(at, r)| (r.dst.len, std::cmp::Reverse(*at)));
    let (Some((own, mine)), Some(taken)) = (own, route_at(scene, addr, place)) else {
        return Kind::NoConnected { rule: None, table };
    };
    if mine.dst.len < taken.dst.len {
        Kind::Longer { table, route: place, own }
    } else if mine.metric == taken.metric {
        Kind::Duplicate { table, route: place, own }
    } else {
        Kind::Metric { table, route: place, own }
    }
}

/// Does the rule lead packets from this address (or its prefix, nothing wider) to a table that
/// somebody made? Rules with other conditions are for other packets.
pub(super) fn is_source_rule(rule: &Rule, addr: &Addr, dst: IpAddr) -> bool {
    let from_it = rule.src.is_some_and(|p| p.contains(addr.ip) && is_within(&p, &addr.prefix));
    from_it && is_plain(rule) && rule.dst.is_none_or(|p| p.contains(dst))
}

/// Does a rule that leads to a table look at source and destination alone?
pub(super) fn is_plain(rule: &Rule) -> bool {
    let to_table = matches!(rule.action, RuleAction::Lookup(table) if is_custom(table));
    let conditions = rule.invert
        || rule.l3mdev
        || rule.iif.as_ref().is_some_and(|name| name != "lo")
        || rule.oif.is_some()
        || rule.fwmark.is_some_and(|(mark, mask)| mark & mask != 0)
        || rule.tos != 0
        || rule.ip_proto.is_some_and(|p| p != 0)
        || rule.sport.is_some()
        || rule.dport.is_some()
        || rule.uid_range.is_some_and(|(low, _)| low > 0)
        || rule.tun_id.is_some_and(|id| id != 0)
        || !rule.unknown.is_empty();
    to_table && !conditions
}

/// Is `inner` the same prefix or part of it?
pub(super) fn is_within(inner: &Prefix, outer: &Prefix) -> bool {
    inner.len >= outer.len && outer.contains(inner.addr)
}
