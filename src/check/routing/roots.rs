//! The findings that say why packets from a rail's address go astray.

use super::cause::{Cause, Kind, State, decider, is_for, route_at};
use super::plan::{Plan, is_host_of, verify};
use super::scene::{Addr, Iface, Scene, Set};
use super::tell::{Told, few};
use super::{Judged, lines};
use crate::check::Severity;
use crate::check::catalogue::routing as id;
use crate::fib::TABLE_MAIN;
use crate::fix::{Action, Change, RouteSpec, RuleSpec};
use crate::sample::{Prefix, Route, Rule, RuleAction, Text};

/// One finding per cause and interface; those of a whole set once.
pub(super) fn find(scene: &Scene<'_>, judged: &Judged, plan: &Plan<'_, '_>) -> Vec<Told> {
    let mut told = Vec::new();
    for set in &scene.sets {
        let wrong: Vec<(&Addr, &Cause)> = set
            .addrs
            .iter()
            .filter_map(|&at| match judged.states.get(at) {
                Some(State::Wrong(cause)) => Some((scene.addr(at)?, cause)),
                _ => None,
            })
            .collect();
        let mut done: Vec<(&'static str, Option<usize>)> = Vec::new();
        for (addr, cause) in &wrong {
            let Some(id) = cause.kind.id() else { continue };
            let key = (id, (!cause.kind.is_of_set()).then_some(addr.iface));
            if done.contains(&key) {
                continue;
            }
            done.push(key);
            let same: Vec<&Addr> = wrong
                .iter()
                .filter(|(a, c)| {
                    c.kind.id() == Some(id) && key.1.is_none_or(|iface| iface == a.iface)
                })
                .map(|(a, _)| *a)
                .collect();
            told.push(if cause.kind.is_of_set() {
                of_set(scene, plan, set, &same, cause, id)
            } else {
                of_rail(scene, plan, &same, cause, id)
            });
        }
    }
    told
}

fn severity(id: &str) -> Severity {
    match id {
        id::ROUTE_REJECT
        | id::RULE_TABLE_EMPTY
        | id::RULE_SHADOWED
        | id::RULE_AFTER_MAIN
        | id::RULE_CONFLICT
        | id::TABLE_WRONG_DEV => Severity::Critical,
        id::ROUTE_MULTIPATH_NO_SOURCE => Severity::Note,
        _ => Severity::Warning,
    }
}

/// Rails of a set that have no way of their own.
fn of_set(
    scene: &Scene<'_>,
    plan: &Plan<'_, '_>,
    set: &Set,
    wrong: &[&Addr],
    cause: &Cause,
    id: &'static str,
) -> Told {
    let taken = leaves_by(scene, wrong.first().copied(), cause);
    let sources = few(wrong.iter().map(|a| a.ip.to_string()));
    let names = few(set.ifaces.iter().filter_map(|&i| scene.iface(i)).map(Iface::name));
    let prefix = wrong.first().map_or(set.prefix, |a| a.prefix);
    let summary = match cause.kind {
        Kind::Duplicate { .. } => format!(
            "{prefix} is reachable by {names}; the kernel uses only {taken} (first inserted), also \
             for packets from {sources}"
        ),
        Kind::Metric { .. } => format!(
            "{prefix} is reachable by {names}; {taken} has the best metric and takes everything, \
             also packets from {sources}"
        ),
        Kind::Multipath { .. } => format!(
            "{prefix} is one multipath route over {names} without source rules: it spreads \
             destinations, not sources"
        ),
        _ => format!(
            "{names} differ in prefix length: {taken}'s is longer and takes its peers, also from \
             {sources}"
        ),
    };
    let lnet = scene.any_rail(&set.ifaces, |r| !r.lnet.is_empty());
    let mut severity = severity(id);
    if id == id::ROUTE_DUP_CONNECTED && lnet {
        severity = Severity::Critical;
    }
    let in_vrf = set.ifaces.iter().filter_map(|&i| scene.iface(i)).any(|i| i.vrf.is_some());
    let remedy = match cause.kind {
        _ if in_vrf => Vec::new(),
        // With equal prefixes alone, the routes would be duplicates.
        Kind::Longer { .. } => [widen(scene, set), plan.one_subnet(set)].concat(),
        _ => plan.one_subnet(set),
    };
    Told::new(scene, id, severity, &set.ifaces, summary)
        .seen(evidence_of_set(scene, set, wrong, cause))
        .mended(remedy)
        .proven(set.addrs.iter().filter_map(|&a| scene.addr(a)).flat_map(|a| verify(scene, a)))
}

/// The routes of the prefix that compete, the rules that lead there.
fn evidence_of_set(scene: &Scene<'_>, set: &Set, wrong: &[&Addr], cause: &Cause) -> Vec<Text> {
    let family = set.prefix.family();
    let (Kind::Multipath { table, .. }
    | Kind::Longer { table, .. }
    | Kind::Metric { table, .. }
    | Kind::Duplicate { table, .. }) = cause.kind
    else {
        return Vec::new();
    };
    let by_rail = |r: &Route| {
        r.next_hops.iter().any(|h| h.ifindex.is_some_and(|i| scene.rail_iface(i).is_some()))
    };
    let competing = scene.routes(family).filter(|(_, r)| {
        r.table == table && r.dst.contains(cause.probe) && r.dst.len > 0 && by_rail(r)
    });
    let mut all: Vec<Text> = competing.take(16).map(|(_, r)| lines::route(scene, r)).collect();
    all.extend(wrong.iter().take(4).map(|a| {
        let by = leaves_by(scene, Some(a), cause);
        Text::from(format!("ip route get {} from {}: dev {by}", cause.probe, a.ip))
    }));
    all
}

/// One rail's address and its own rule or table.
fn of_rail(
    scene: &Scene<'_>,
    plan: &Plan<'_, '_>,
    same: &[&Addr],
    cause: &Cause,
    id: &'static str,
) -> Told {
    let Some(addr) = same.first().copied() else {
        return Told::new(scene, id, severity(id), &[], String::new());
    };
    let told =
        Told::new(scene, id, severity(id), &[addr.iface], summary_of_rail(scene, addr, cause))
            .seen(evidence_of_rail(scene, addr, cause))
            .mended(same.iter().flat_map(|a| remedy(scene, plan, a, cause)).collect());
    // Packets that go by a router take the right device all the same.
    let told =
        if matches!(cause.kind, Kind::NoConnected { .. }) { told.proven_done() } else { told };
    let told = told.proven(same.iter().flat_map(|a| verify(scene, a)));
    if matches!(cause.kind, Kind::TableEmpty { .. }) { told.after_link() } else { told }
}

fn summary_of_rail(scene: &Scene<'_>, addr: &Addr, cause: &Cause) -> String {
    let (x, prefix) = (addr.ip, addr.prefix);
    let by = leaves_by(scene, Some(addr), cause);
    let own = scene.iface(addr.iface).map(|i| i.name().clone()).unwrap_or_default();
    let named = |table| lines::table(scene, table);
    let preference = |at: usize| scene.rules(addr.family()).get(at).map_or(0, |r| r.preference);
    match cause.kind {
        Kind::Reject { route: Some(at), .. } => {
            let words = route_at(scene, addr, at).map(|r| lines::route(scene, r));
            let words = words.unwrap_or_default();
            format!("packets from {x} ({own}) to {} are refused by a route: {words}", cause.probe)
        }
        Kind::Reject { .. } => {
            format!("packets from {x} ({own}) to {} are refused by a rule", cause.probe)
        }
        Kind::TableEmpty { rule, table } => format!(
            "rule {} leads packets from {x} ({own}) to table {}, which is empty: they fall through \
             and leave by {by}",
            preference(rule),
            named(table)
        ),
        Kind::Shadowed { rule, by: first, after_main } => {
            let what = if after_main { "comes after main" } else { "is never reached" };
            format!(
                "the rule for {x} ({own}) at {} {what}: the one at {} decides first and packets \
                 leave by {by}",
                preference(rule),
                preference(first)
            )
        }
        Kind::WrongDev { table, .. } => {
            format!("table {} of {x} leads out by {by}, not by {own}", named(table))
        }
        Kind::Conflict { rule, right, table } => format!(
            "rule {} leads packets from {x} ({own}) to table {}, which leads out by {by}; the one at {} \
             for {own} is never reached",
            preference(rule),
            named(table),
            preference(right)
        ),
        Kind::NoConnected { rule: None, table } if by == "no device" => {
            format!(
                "{} has no route to {prefix}: packets from {x} ({own}) go nowhere",
                named(table)
            )
        }
        Kind::NoConnected { rule: None, table } => format!(
            "{} has no route to {prefix} by {own}: packets from {x} leave by {by}",
            named(table)
        ),
        Kind::NoConnected { table, .. } if by == own.as_str() => format!(
            "table {} of {x} has no route to {prefix} itself: packets for peers on {own}'s own \
             subnet go to a router",
            named(table)
        ),
        Kind::NoConnected { table, .. } => format!(
            "table {} of {x} has no route to {prefix}: packets fall through and leave by {by}, not \
             by {own}",
            named(table)
        ),
        Kind::NoRule { table } => format!(
            "table {} has the routes of {own}, and no rule leads there: packets from {x} leave by {by}",
            named(table)
        ),
        _ => format!("packets from {x} leave by {by}, not by {own}"),
    }
}

/// The device that packets really take, or what happens to them.
fn leaves_by(scene: &Scene<'_>, addr: Option<&Addr>, cause: &Cause) -> String {
    let way = addr.and_then(|a| {
        let asked = a.ways.iter().find(|w| w.probe.ip == cause.probe);
        asked.or(a.ways.first())
    });
    let Some(way) = way else { return "another device".into() };
    super::leaves_by(scene, &way.decision.outcome).unwrap_or_else(|| "no device".into())
}

fn evidence_of_rail(scene: &Scene<'_>, addr: &Addr, cause: &Cause) -> Vec<Text> {
    let family = addr.family();
    let rules = scene.rules(family);
    let rule_line = |at: usize| rules.get(at).map(|r| lines::rule(scene, r));
    let way = addr.ways.iter().find(|w| w.probe.ip == cause.probe);
    let deciding = way.and_then(|w| decider(&w.decision)).filter(|_| scene.rules_decide(addr));
    let mut all: Vec<Text> = Vec::new();
    let table = match cause.kind {
        Kind::TableEmpty { rule, table } | Kind::WrongDev { rule, table } => {
            all.extend(rule_line(rule));
            Some(table)
        }
        Kind::NoConnected { rule, table } => {
            all.extend(rule.and_then(rule_line));
            Some(table)
        }
        Kind::Conflict { rule, right, table } => {
            all.extend(rule_line(rule).into_iter().chain(rule_line(right)));
            Some(table)
        }
        Kind::Shadowed { rule, by, .. } => {
            all.extend(rule_line(by).into_iter().chain(rule_line(rule)));
            None
        }
        Kind::Reject { rule, .. } => {
            all.extend(rule.and_then(rule_line));
            None
        }
        Kind::NoRule { table } => Some(table),
        _ => None,
    };
    if let Kind::TableEmpty { table, .. } = cause.kind {
        let ip = if addr.ip.is_ipv4() { "ip" } else { "ip -6" };
        all.push(format!("{ip} route show table {table}: nothing").into());
    } else if let Some(table) = table {
        let routes = scene.routes(family).filter(|(_, r)| r.table == table);
        all.extend(routes.take(8).map(|(_, r)| lines::route(scene, r)));
    }
    if let Kind::Reject { route: Some(at), .. } = cause.kind {
        all.extend(route_at(scene, addr, at).map(|r| lines::route(scene, r)));
    }
    all.extend(deciding.and_then(rule_line));
    if let Some(way) = way {
        all.extend(super::way_line(scene, Some(addr.ip), cause.probe, &way.decision.outcome));
    }
    all
}

fn remedy(scene: &Scene<'_>, plan: &Plan<'_, '_>, addr: &Addr, cause: &Cause) -> Vec<Change> {
    let rules = scene.rules(addr.family());
    // A last resort, which refuses because the connected route is missing, may stay.
    if let Kind::Reject { route: Some(at), .. } = cause.kind
        && let Some(last) = route_at(scene, addr, at).filter(|r| r.dst.len < addr.prefix.len)
        && last.table != TABLE_MAIN
    {
        return plan.connected(addr, addr.prefix, last.table).into_iter().collect();
    }
    if let Some(vrf) = scene.iface(addr.iface).and_then(|i| i.vrf) {
        // Rules in front of the one for VRFs are a design of its own: only the table is mended.
        return match cause.kind {
            Kind::NoConnected { rule: None, table } if table == vrf => {
                plan.connected(addr, addr.prefix, table).into_iter().collect()
            }
            _ => Vec::new(),
        };
    }
    match cause.kind {
        Kind::Reject { route: Some(at), .. } => route_at(scene, addr, at)
            .and_then(|r| RouteSpec::of(r, scene.links))
            .map(|spec| Change::here(Action::RouteDelete(spec)))
            .into_iter()
            .collect(),
        Kind::Reject { rule: Some(at), .. } => rules
            .get(at)
            .and_then(|r| RuleSpec::of(addr.family(), r))
            .map(|spec| Change::here(Action::RuleDelete(spec)))
            .into_iter()
            .collect(),
        Kind::Shadowed { rule, .. } => {
            rules.get(rule).map(|r| move_forward(plan, addr, r)).unwrap_or_default()
        }
        Kind::Conflict { right, .. } => misleading(scene, addr, cause, Some(right)),
        Kind::WrongDev { rule, table } => {
            let mut changes = plan.source_routing(addr);
            // A table that is no rail's own is filled anew; one of another rail is left alone, and
            // the rule that leads there goes.
            if plan.table(addr.iface, addr.family()) != table
                && rules.get(rule).is_some_and(|r| is_for(r, addr))
            {
                changes.extend(misleading(scene, addr, cause, None));
            }
            changes
        }
        _ => plan.source_routing(addr),
    }
}

/// The rules for this address alone that lead out by another device, up to the one that is right.
fn misleading(scene: &Scene<'_>, addr: &Addr, cause: &Cause, right: Option<usize>) -> Vec<Change> {
    let own = scene.iface(addr.iface).map(|i| i.index);
    let rules = scene.rules(addr.family()).iter().take(right.unwrap_or(usize::MAX));
    rules
        .filter(|r| is_for(r, addr))
        .filter(|r| match r.action {
            RuleAction::Lookup(table) => {
                let by = scene.decide_in(table, Some(addr.ip), cause.probe).outcome.device();
                by.is_some() && by != own
            }
            _ => false,
        })
        .filter_map(|r| RuleSpec::of(addr.family(), r))
        .map(|spec| Change::here(Action::RuleDelete(spec)))
        .collect()
}

/// The same rule in front of the one that decides now.
pub(super) fn move_forward(plan: &Plan<'_, '_>, addr: &Addr, rule: &Rule) -> Vec<Change> {
    let Some(old) = RuleSpec::of(addr.family(), rule) else { return Vec::new() };
    if !rule.src.is_some_and(|s| is_host_of(&s, addr.ip)) {
        return plan.source_routing(addr);
    }
    let table = plan.table(addr.iface, addr.family());
    let new = RuleSpec { preference: plan.preference(addr, table), ..old.clone() };
    vec![Change::here(Action::RuleAdd(new)), Change::here(Action::RuleDelete(old))]
}

/// The widest prefix length on every rail of the set.
fn widen(scene: &Scene<'_>, set: &Set) -> Vec<Change> {
    let longer = set.addrs.iter().filter_map(|&a| scene.addr(a));
    longer
        .filter(|a| a.prefix.len > set.prefix.len)
        .filter_map(|a| Some((a, scene.iface(a.iface)?.name().clone())))
        .flat_map(|(a, dev)| {
            let with = |len, remove| {
                let prefix = Prefix { addr: a.ip, len };
                Change::here(Action::Address { prefix, dev: dev.clone(), remove })
            };
            [with(set.prefix.len, false), with(a.prefix.len, true)]
        })
        .collect()
}
