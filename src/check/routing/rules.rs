//! Rules that are left over, doubled, in conflict, cut off or missing.

use super::cause::{State, is_plain, is_within};
use super::plan::{Plan, here, is_host_of, verify};
use super::scene::{Addr, Scene};
use super::tell::Told;
use super::{Judged, lines, luck};
use crate::check::catalogue::routing as id;
use crate::check::{Severity, Step};
use crate::fib::{TABLE_DEFAULT, TABLE_LOCAL, TABLE_MAIN};
use crate::fix::{Action, Change, RuleSpec};
use crate::sample::{Family, Rule, RuleAction, Text};

/// RTPROT_KEEPALIVED: the rule of an address that moves between nodes.
const PROTO_KEEPALIVED: u8 = 18;
/// So many copies of one rule are more than an oversight.
const MANY: usize = 10;
/// So many of them are shown.
const LINES: usize = 12;

/// All findings about rules themselves.
pub(super) fn find(scene: &Scene<'_>, judged: &Judged, plan: &Plan<'_, '_>) -> Vec<Told> {
    let mut told = Vec::new();
    for family in [Family::Inet, Family::Inet6] {
        if scene.rules(family).is_empty() {
            continue;
        }
        told.extend(stale(scene, family));
        told.extend(duplicates(scene, family));
        told.extend(conflicts(scene, judged, family));
        told.extend(detached(scene, family));
        told.extend(missing(scene, family));
    }
    told.extend(luck::find(scene, judged, plan));
    told
}

fn delete(family: Family, rule: &Rule) -> Option<Change> {
    RuleSpec::of(family, rule).map(|spec| Change::here(Action::RuleDelete(spec)))
}

fn forwards(scene: &Scene<'_>, family: Family) -> bool {
    let sysctls = &scene.node.sysctls;
    let global = match family {
        Family::Inet => &sysctls.ip_forward,
        Family::Inet6 => &sysctls.ipv6_forwarding,
    };
    let own = || sysctls.interfaces.iter().any(|s| s.forwarding.as_ref().is_ok_and(|v| *v != 0));
    global.as_ref().is_some_and(|r| r.as_ref().is_ok_and(|v| *v != 0))
        || family == Family::Inet && own()
}

/// A rule for one address of a rail's prefix that nobody here has. A forwarding host may mean a
/// client; an address that moves between nodes comes back; a rail without its address will too.
fn stale(scene: &Scene<'_>, family: Family) -> Vec<Told> {
    let homeless = scene
        .ifaces
        .iter()
        .enumerate()
        .any(|(i, iface)| !iface.has_carrier() && scene.addrs.iter().all(|a| a.iface != i));
    if homeless || scene.routing.addresses.is_err() || forwards(scene, family) {
        return Vec::new();
    }
    let mut told: Vec<Told> = Vec::new();
    for rule in scene.rules(family) {
        let Some(src) = rule.src.filter(|s| is_host_of(s, s.addr)) else { continue };
        let narrow = rule.iif.is_some() || rule.fwmark.is_some() || rule.invert;
        if narrow || rule.protocol == PROTO_KEEPALIVED || is_local(scene, src.addr) {
            continue;
        }
        let near = scene.sets.iter().find(|s| s.prefix.contains(src.addr));
        let Some(set) = near else { continue };
        let (x, preference) = (src.addr, rule.preference);
        let line = lines::rule(scene, rule);
        let same = told.iter_mut().find(|t| {
            t.found.finding.evidence.iter().any(|l| {
                l.split_once(' ').map(|(_, rest)| rest)
                    == line.split_once(' ').map(|(_, rest)| rest)
            })
        });
        if let Some(same) = same {
            // Copies of one rule are one finding.
            let mut remedy = same.found.finding.remedy.clone();
            remedy.extend(delete(family, rule));
            *same = same.clone().seen([line]).mended(remedy);
            continue;
        }
        let summary = format!(
            "rule {preference} is for {x}, which is no address of this node: left over from before"
        );
        told.push(
            Told::new(
                scene,
                id::RULE_STALE,
                Severity::Warning,
                &owners(scene, rule, &set.ifaces),
                summary,
            )
            .seen([line])
            .mended(delete(family, rule).into_iter().collect()),
        );
    }
    told
}

fn is_local(scene: &Scene<'_>, ip: std::net::IpAddr) -> bool {
    scene.fib.is_local(ip) || scene.routing.addresses.iter().flatten().any(|a| a.local.addr == ip)
}

/// The interfaces that the rule's table leads out by, else all of the set.
fn owners(scene: &Scene<'_>, rule: &Rule, ifaces: &[usize]) -> Vec<usize> {
    let RuleAction::Lookup(table) = rule.action else { return ifaces.to_vec() };
    let family = rule.src.map_or(Family::Inet, |s| s.family());
    let devices: Vec<u32> = scene
        .routes(family)
        .filter(|(_, r)| r.table == table)
        .flat_map(|(_, r)| r.next_hops.iter().filter_map(|h| h.ifindex))
        .collect();
    let own: Vec<usize> = ifaces
        .iter()
        .copied()
        .filter(|&i| scene.iface(i).is_some_and(|i| devices.contains(&i.index)))
        .collect();
    if own.is_empty() { ifaces.to_vec() } else { own }
}

/// Equal but for preference and owner.
fn equal(a: &Rule, b: &Rule) -> bool {
    let blank = |r: &Rule| Rule { preference: 0, protocol: 0, ..r.clone() };
    blank(a) == blank(b)
}

/// The addresses of a rule that is about rails.
fn addrs_of<'s>(scene: &'s Scene<'_>, rule: &Rule) -> Vec<&'s Addr> {
    let Some(src) = rule.src else { return Vec::new() };
    scene.addrs.iter().filter(|a| src.contains(a.ip) && is_within(&src, &a.prefix)).collect()
}

fn duplicates(scene: &Scene<'_>, family: Family) -> Vec<Told> {
    let rules = scene.rules(family);
    let mut told = Vec::new();
    let mut done: Vec<&Rule> = Vec::new();
    for (at, rule) in rules.iter().enumerate() {
        let addrs = addrs_of(scene, rule);
        if addrs.is_empty() || done.iter().any(|d| equal(d, rule)) {
            continue;
        }
        let copies: Vec<&Rule> = rules.iter().skip(at + 1).filter(|r| equal(r, rule)).collect();
        if copies.is_empty() {
            continue;
        }
        done.push(rule);
        let count = copies.len() + 1;
        let severity = if count > MANY { Severity::Warning } else { Severity::Note };
        let what = format!(
            "{count} equal rules for {}: something adds one each time it runs, without a preference",
            addrs.first().map_or_else(String::new, |a| a.ip.to_string())
        );
        let ifaces: Vec<usize> = addrs.iter().map(|a| a.iface).collect();
        let shown = std::iter::once(rule).chain(copies.iter().copied()).take(LINES);
        let rest = count.saturating_sub(LINES);
        let rest = (rest > 0).then(|| Text::from(format!("and {rest} more")));
        told.push(
            Told::new(scene, id::RULE_DUPLICATE, severity, &ifaces, what)
                .seen(shown.map(|r| lines::rule(scene, r)).chain(rest))
                .mended(copies.iter().filter_map(|r| delete(family, r)).collect())
                .proven(once_each(rule)),
        );
    }
    told
}

/// Proves that no two rules of a source differ in their preference alone.
fn once_each(rule: &Rule) -> Option<Step> {
    let src = rule.src?;
    let ip = if src.addr.is_ipv4() { "ip" } else { "ip -6" };
    let all = format!("{ip} rule show from {src}");
    Some(here(format!("! {all} | cut -d: -f2- | sort | uniq -d | grep .")))
}

/// The same packets, two tables that both know the way, by different devices. When packets go
/// astray for it, it is their root cause and told there.
fn conflicts(scene: &Scene<'_>, judged: &Judged, family: Family) -> Vec<Told> {
    let rules = scene.rules(family);
    let mut told = Vec::new();
    for (place, addr) in scene.addrs.iter().enumerate() {
        let right = matches!(judged.states.get(place), Some(State::Right { .. }));
        let Some(way) = addr.ways.first().filter(|_| right && addr.family() == family) else {
            continue;
        };
        let own: Vec<&Rule> = rules
            .iter()
            .filter(|r| is_plain(r) && r.src.is_some_and(|s| is_host_of(&s, addr.ip)))
            .collect();
        let leads = |rule: &Rule| match rule.action {
            RuleAction::Lookup(table) => {
                scene.decide_in(table, Some(addr.ip), way.probe.ip).outcome.device()
            }
            _ => None,
        };
        let Some((first, rest)) = own.split_first() else { continue };
        let other = rest.iter().find(|r| {
            r.dst == first.dst && r.action != first.action && {
                let (a, b) = (leads(first), leads(r));
                a.is_some() && b.is_some() && a != b
            }
        });
        let Some(other) = other else { continue };
        let what = if other.preference == first.preference {
            format!(
                "two rules for {} stand at {} and lead to different devices: the order in which \
                 they were made decides",
                addr.ip, first.preference
            )
        } else {
            format!(
                "two rules for {} lead to different devices: the one at {} never matters",
                addr.ip, other.preference
            )
        };
        told.push(
            Told::new(scene, id::RULE_CONFLICT, Severity::Warning, &[addr.iface], what)
                .seen([first, other].map(|r| lines::rule(scene, r)))
                .mended(delete(family, other).into_iter().collect())
                .proven_done()
                .proven(verify(scene, addr)),
        );
    }
    told
}

/// A rule that names a device which does not exist.
fn detached(scene: &Scene<'_>, family: Family) -> Vec<Told> {
    let rules = scene.rules(family).iter().filter(|r| r.iif_detached || r.oif_detached);
    rules
        .map(|rule| {
            let device = if rule.oif_detached { &rule.oif } else { &rule.iif };
            let device = device.clone().unwrap_or_default();
            let what = format!(
                "rule {} names {device}, a device that does not exist: it matches nothing",
                rule.preference
            );
            let mut told = Told::new(scene, id::RULE_DETACHED, Severity::Note, &[], what)
                .seen([lines::rule(scene, rule)])
                .mended(delete(family, rule).into_iter().collect());
            let rails = scene.node.rails.iter().enumerate();
            let gone = rails.filter(|(_, r)| r.names().any(|n| n == device.as_str()));
            told.found.rails = gone.map(|(i, _)| i).collect();
            told.found.finding.rails = vec![device];
            told
        })
        .collect()
}

/// The rules that the kernel makes itself and `ip rule flush` takes away.
fn missing(scene: &Scene<'_>, family: Family) -> Vec<Told> {
    let rules = scene.rules(family);
    let ifaces: Vec<usize> = scene
        .sets
        .iter()
        .filter(|s| s.prefix.family() == family)
        .flat_map(|s| s.ifaces.clone())
        .collect();
    if ifaces.is_empty() {
        return Vec::new();
    }
    let leads_to = |table| rules.iter().any(|r| r.action == RuleAction::Lookup(table));
    let is_vrf = |&i: &usize| scene.iface(i).is_some_and(|i| i.vrf.is_some());
    let enslaved: Vec<usize> = ifaces.iter().copied().filter(is_vrf).collect();
    let l3mdev = enslaved.is_empty() || rules.iter().any(|r| r.l3mdev);
    let spec = |preference, action: &str| RuleSpec {
        family,
        preference,
        selectors: "from all".into(),
        action: action.into(),
    };
    let mut gaps: Vec<(&str, Vec<RuleSpec>, &[usize])> = Vec::new();
    if !leads_to(TABLE_LOCAL) {
        gaps.push(("local: no packet for this node arrives", vec![spec(0, "lookup 255")], &ifaces));
    }
    if !leads_to(TABLE_MAIN) {
        let mut specs = vec![spec(32766, "lookup 254")];
        if family == Family::Inet && !leads_to(TABLE_DEFAULT) {
            specs.push(spec(32767, "lookup 253"));
        }
        gaps.push(("main: its routes are never asked", specs, &ifaces));
    }
    if !l3mdev {
        let specs = vec![spec(1000, "l3mdev")];
        gaps.push(("VRFs (l3mdev): their tables are never asked", specs, &enslaved));
    }
    gaps.into_iter()
        .map(|(what, specs, ifaces)| {
            let ip = if family == Family::Inet { "IPv4" } else { "IPv6" };
            let summary = format!("no {ip} rule leads to {what}");
            Told::new(scene, id::RULE_BUILTIN_MISSING, Severity::Critical, ifaces, summary)
                .seen(rules.iter().take(LINES).map(|r| lines::rule(scene, r)))
                .mended(specs.into_iter().map(|s| Change::here(Action::RuleAdd(s))).collect())
        })
        .collect()
}
