//! Rules, tables and sysctls that work now and stand in no file of the manager that keeps the rail.
//!
//! Only on rails whose manager is known: who else restores them at boot is not to be seen.

use super::scene::Scene;
use super::tell::{Told, listed};
use crate::check::catalogue::routing::{ROUTING_NOT_PERSISTENT, RULES_NOT_OWNED_BY_MANAGER};
use crate::check::{RAILTOP_FIX_PERSIST, Severity};
use crate::fib::{TABLE_DEFAULT, TABLE_LOCAL, TABLE_MAIN};
use crate::fix::persist::{Live, Standing, not_persistent, standing};
use crate::fix::{Action, Change, RouteSpec, RuleSpec, SysctlKey};
use crate::sample::{
    ConfigKind, Family, Managed, Manager, Managers, Reading, RouteKind, RuleAction, SysctlIf,
};

/// Evidence lines of one finding.
const LINES: usize = 6;
/// RTPROT_UNSPEC: `ip rule add` says nothing of who made it.
const PROTO_UNSPEC: u8 = 0;
/// RTPROT_KERNEL.
const PROTO_KERNEL: u8 = 2;
/// The metric of IPv6 routes that were given none (linux/ipv6_route.h).
const IP6_RT_PRIO_USER: u32 = 1024;

/// One finding per interface that would lose something, and what could not be looked for.
pub(super) fn find(scene: &Scene<'_>, gaps: &mut Vec<(String, String)>) -> Vec<Told> {
    let Some(managers) = scene.node.managers.as_deref() else { return Vec::new() };
    let mut told = Vec::new();
    for (place, iface) in scene.ifaces.iter().enumerate() {
        let Some(Ok(managed)) = managers.of(iface.name()) else { continue };
        let live = live(scene, place);
        let lost = not_persistent(managers, &scene.node.routing.table_names, &live);
        let missing: Vec<_> = lost.iter().filter(|m| m.standing == Standing::Missing).collect();
        if let Some(unsure) = lost.iter().find_map(|m| match &m.standing {
            Standing::NotChecked(why) => Some(why),
            _ => None,
        }) {
            gaps.push((format!("whether the rules of {} last", iface.name()), unsure.to_string()));
        }
        let cause = (!missing.is_empty()).then_some(ROUTING_NOT_PERSISTENT);
        told.extend(foreign(scene, place, managed, managers).map(|t| t.because(cause)));
        if missing.is_empty() {
            continue;
        }
        let what = kinds(&live, missing.len());
        let summary = format!(
            "{what} of {} would be gone after a reboot or a link bounce: {} keeps it, and no file \
             of the node holds them",
            iface.name(),
            managed.manager
        );
        let lines = missing.iter().take(LINES).map(|m| m.what.clone());
        told.push(
            Told::new(scene, ROUTING_NOT_PERSISTENT, Severity::Warning, &[place], summary)
                .seen(lines)
                .seen([managed.evidence.clone()])
                .advised(RAILTOP_FIX_PERSIST),
        );
    }
    told
}

/// What works now on the rails and stands in no file that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lasting {
    /// It, as the changes that make it.
    pub changes: Vec<Change>,
    /// Why some of it may stand in a file all the same, in sentences.
    pub unsure: Vec<String>,
    /// So many rules, routes and sysctls stand in a file.
    pub standing: usize,
}

/// Sorts what works now by whether a file holds it.
pub(super) fn lasting(scene: &Scene<'_>, managers: &Managers) -> Lasting {
    let mut out = Lasting::default();
    let mut tables: Vec<(Family, u32)> = Vec::new();
    for place in 0..scene.ifaces.len() {
        for live in live(scene, place) {
            match standing(managers, &scene.node.routing.table_names, &live) {
                Standing::Stands(_) => {
                    out.standing += 1;
                    continue;
                }
                Standing::NotChecked(why) => {
                    let sentence = format!("some of it may stand in a file already: {why}");
                    if !out.unsure.contains(&sentence) {
                        out.unsure.push(sentence);
                    }
                }
                Standing::Missing => {}
            }
            if let Live::Route { route, .. } = live {
                tables.push((route.dst.family(), route.table));
            }
            if let Some(change) = made_by(scene, &live).map(Change::here)
                && !out.changes.contains(&change)
            {
                out.changes.push(change);
            }
        }
    }
    out.changes.extend(refusals(scene, &tables));
    out
}

/// The change that makes it, if a command can say it.
fn made_by(scene: &Scene<'_>, live: &Live<'_>) -> Option<Action> {
    match live {
        Live::Rule { rule, .. } => {
            let family = rule.src?.family();
            RuleSpec::of(family, rule).map(Action::RuleAdd)
        }
        Live::Route { route, .. } => as_made(scene, route),
        Live::Sysctl { interface, name, value } => {
            let key = SysctlKey { family: Family::Inet, interface: (*interface).into(), name };
            Some(Action::Sysctl { key, value: *value, before: None })
        }
    }
}

fn as_made(scene: &Scene<'_>, route: &crate::sample::Route) -> Option<Action> {
    let spec = RouteSpec::of(route, scene.links)?;
    // What IPv6 routes get when none is given.
    let metric = spec.metric.filter(|m| route.dst.addr.is_ipv4() || *m != IP6_RT_PRIO_USER);
    // Who made it is the manager from then on.
    let route = RouteSpec { proto: None, metric, ..spec };
    Some(Action::RouteReplace { route, before: None })
}

/// Routes of these tables that refuse: they name no device, and belong to the others of the table.
fn refusals(scene: &Scene<'_>, tables: &[(Family, u32)]) -> Vec<Change> {
    let refuses = |kind| {
        matches!(
            kind,
            RouteKind::Unreachable | RouteKind::Prohibit | RouteKind::Blackhole | RouteKind::Throw
        )
    };
    let families = [Family::Inet, Family::Inet6];
    let routes = families.into_iter().flat_map(|f| scene.routes(f)).map(|(_, r)| r);
    routes
        .filter(|r| refuses(r.kind) && tables.contains(&(r.dst.family(), r.table)))
        .filter_map(|r| as_made(scene, r).map(Change::here))
        .collect()
}

/// Rules made by hand on a rail of systemd-networkd, which removes what it did not make when it
/// starts, unless it is told not to (systemd 249 and later, networkd.conf(5)).
fn foreign(
    scene: &Scene<'_>,
    place: usize,
    managed: &Managed,
    managers: &Managers,
) -> Option<Told> {
    let networkd = managed.daemon.unwrap_or(managed.manager) == Manager::Networkd;
    if !networkd || leaves_foreign_rules(managers) {
        return None;
    }
    let iface = scene.iface(place)?;
    let by_hand: Vec<String> = live(scene, place)
        .iter()
        .filter_map(|l| match l {
            Live::Rule { rule, .. } if rule.protocol == PROTO_UNSPEC => Some(rule),
            _ => None,
        })
        .map(|rule| super::lines::rule(scene, rule).to_string())
        .collect();
    if by_hand.is_empty() {
        return None;
    }
    let summary = format!(
        "{} of {} {} not made by systemd-networkd, which keeps it and removes foreign rules when it \
         starts",
        match by_hand.len() {
            1 => "1 rule".to_owned(),
            n => format!("{n} rules"),
        },
        iface.name(),
        if by_hand.len() == 1 { "was" } else { "were" },
    );
    let id = RULES_NOT_OWNED_BY_MANAGER;
    let told = Told::new(scene, id, Severity::Warning, &[place], summary);
    Some(
        told.seen(by_hand.into_iter().take(LINES).map(Into::into)).seen([managed.evidence.clone()]),
    )
}

/// `ManageForeignRoutingPolicyRules=no`; the last word counts.
fn leaves_foreign_rules(managers: &Managers) -> bool {
    let lines = managers.config.iter().filter(|f| f.kind == ConfigKind::Networkd);
    let mut said = lines.flat_map(|f| &f.lines).filter_map(|l| {
        let (key, value) = l.split_once('=')?;
        (key.trim() == "ManageForeignRoutingPolicyRules").then(|| value.trim().to_ascii_lowercase())
    });
    said.next_back().is_some_and(|v| matches!(v.as_str(), "no" | "false" | "off" | "0"))
}

/// "2 rules, routes or sysctls", by what is there.
fn kinds(live: &[Live<'_>], count: usize) -> String {
    let any = |what: fn(&Live<'_>) -> bool| live.iter().any(what);
    let words = [
        ("rules", any(|l| matches!(l, Live::Rule { .. }))),
        ("routes", any(|l| matches!(l, Live::Route { .. }))),
        ("sysctls", any(|l| matches!(l, Live::Sysctl { .. }))),
    ];
    let words = listed(words.into_iter().filter(|(_, there)| *there).map(|(word, _)| word));
    format!("{count} of the {words}")
}

/// What works now on an interface, and is not the kernel's own doing.
fn live<'a>(scene: &'a Scene<'_>, place: usize) -> Vec<Live<'a>> {
    let Some(iface) = scene.iface(place) else { return Vec::new() };
    let interface = iface.name().as_str();
    let names = &scene.node.routing.table_names;
    let mut all = Vec::new();
    for family in [Family::Inet, Family::Inet6] {
        let (rules, routes) = match family {
            Family::Inet => (&scene.node.routing.rules4, &scene.node.routing.routes4),
            Family::Inet6 => (&scene.node.routing.rules6, &scene.node.routing.routes6),
        };
        // Also those of an interface that is down: the rules outlive that.
        let addresses = scene.routing.addresses.iter().flatten();
        let ours: Vec<_> = addresses
            .filter(|a| a.ifindex == iface.index && a.local.family() == family)
            .map(|a| a.local.addr)
            .collect();
        for rule in rules.iter().flatten() {
            let host = |p: crate::sample::Prefix| ours.contains(&p.addr);
            if rule.src.is_some_and(host) && matches!(rule.action, RuleAction::Lookup(_)) {
                all.push(Live::Rule { interface, rule });
            }
        }
        for route in routes.iter().flatten() {
            let by_it = route.next_hops.iter().any(|h| h.ifindex == Some(iface.index));
            let builtin = matches!(route.table, TABLE_LOCAL | TABLE_MAIN | TABLE_DEFAULT);
            let vrf = iface.vrf == Some(route.table);
            // In a table of its own it is LNet's set-up that says so; others only copy the word.
            let own = route.protocol == PROTO_KERNEL
                && names.iter().any(|(id, name)| *id == route.table && **name == *interface);
            if by_it && !builtin && !vrf && !route.cloned && !own {
                all.push(Live::Route { interface, route });
            }
        }
    }
    let of = |name: &str| scene.node.sysctls.interface(name);
    if let (Some(own), Some(default)) = (of(interface), of("default")) {
        type Get = fn(&SysctlIf) -> &Reading<i64>;
        let names: [(&str, Get); 4] = [
            ("arp_ignore", |s| &s.arp_ignore),
            ("arp_announce", |s| &s.arp_announce),
            ("rp_filter", |s| &s.rp_filter),
            ("ignore_routes_with_linkdown", |s| &s.ignore_routes_with_linkdown),
        ];
        for (name, get) in names {
            if let (Ok(value), Ok(usual)) = (get(own), get(default))
                && value != usual
            {
                all.push(Live::Sysctl { interface, name, value: *value });
            }
        }
    }
    all
}
