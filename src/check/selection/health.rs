//! NIs, here and of peers, that LNet avoids since messages failed on them.

use super::{Known, Net, Scene};
use crate::check::catalogue::selection::{NI_HEALTH_LOW, PEER_HEALTH_LOW};
use crate::check::fold::Found;
use crate::check::view::{RailView, works};
use crate::check::{Finding, Layer, Severity, Step, Verdict, Where};
use crate::lnet::select::{Order, numbers};
use crate::node::{NiGrowth, Node, RailNi};
use crate::sample::{LnetNi, LnetPeerNi, Reading, Text};
use crate::units;
use std::fmt::Write;
use std::time::Duration;

const HEALTHY: u32 = 1000; // LNET_MAX_HEALTH_VALUE
/// So many lines of evidence.
const LINES: usize = 4;
const MINUTE: Duration = Duration::from_mins(1);
/// Versions that never lower the health of the only NI (LU-13501, LU-19476).
const SINGLE: std::ops::Range<(u32, u32, u32)> = (2, 13, 55)..(2, 17, 0);

/// What the health rung of a rail says.
pub(super) fn rung(scene: &Scene<'_>, view: &RailView<'_>) -> (Verdict, String) {
    let known = view.rail.lnet.iter().filter_map(|ni| Some((ni, *ni.ni.health.as_ref().ok()?)));
    let Some((ni, lowest)) = known.min_by_key(|(_, health)| *health) else {
        let order = |ni| scene.place(ni).map(|(net, _)| net.contest.order);
        if view.rail.lnet.iter().all(|ni| order(ni) == Some(Order::Distance)) {
            return (Verdict::NotApplicable, "this LNet knows no health (2.10)".to_owned());
        }
        let why = view.rail.lnet.iter().find_map(|ni| ni.ni.health.as_ref().err());
        let words = why.map_or_else(|| "not known".to_owned(), ToString::to_string);
        return (Verdict::Unknown, words);
    };
    if lowest >= HEALTHY {
        let mut words = "1000 of 1000".to_owned();
        if proves_nothing(scene.node) {
            words.push_str(" (the only NI: its health is never lowered)");
        }
        return (Verdict::Ok, words);
    }
    let mut words = format!("{lowest} of 1000");
    if let Some(more) = what_comes(scene.node, ni) {
        let _ = write!(words, ", {more}");
    }
    (Verdict::Note, words)
}

/// The only NI of a node keeps its health whatever fails.
fn proves_nothing(node: &Node) -> bool {
    let Ok(answer) = &node.lnet.answer else { return false };
    let nis = answer.nets.iter().flat_map(|n| &n.nis).filter(|ni| !ni.is_lo()).count();
    let version = node.lnet.version.as_ref().ok().and_then(|v| numbers(v));
    nis == 1 && version.is_some_and(|v| SINGLE.contains(&v))
}

/// Local NIs with a low health.
pub(super) fn of_rails(scene: &Scene<'_>, views: &[RailView<'_>], known: &Known<'_>) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for view in views.iter().filter(|view| view.gone_since().is_none()) {
        for ni in &view.rail.lnet {
            let Some(finding) = of_rail(scene, view, ni, known) else { continue };
            // An NI of a bond is on all its members, and told of once.
            match found.iter_mut().find(|f| f.finding.evidence == finding.evidence) {
                Some(same) => {
                    same.rails.push(view.index);
                    same.finding.rails.push(view.rail.name.clone());
                }
                None => found.push(Found { rails: vec![view.index], finding }),
            }
        }
    }
    found
}

fn of_rail(
    scene: &Scene<'_>,
    view: &RailView<'_>,
    ni: &RailNi,
    known: &Known<'_>,
) -> Option<Finding> {
    let health = *ni.ni.health.as_ref().ok()?;
    if ni.ni.is_lo() || health >= HEALTHY {
        return None;
    }
    let (net, place) = scene.place(ni)?;
    let better = better(net, place, health);
    let failing = failures(ni).is_some_and(|rate| rate > 0.0);
    let severity = if better.is_empty() && !failing { Severity::Note } else { Severity::Warning };
    let name = view.name();
    let mut summary = if better.is_empty() {
        format!("messages failed on {name}: LNet's health of it is {health} of 1000")
    } else {
        format!("LNet avoids {name}: its health is {health} of 1000")
    };
    if let Some(more) = what_comes(scene.node, ni) {
        let _ = write!(summary, "; {more}");
    }
    let mut evidence = vec![line(scene.node, &ni.ni)];
    if !better.is_empty() {
        let others: Vec<String> = better
            .iter()
            .map(|(place, health)| format!("{} {health}", net.name(scene.node, *place)))
            .collect();
        evidence.push(format!("health of the others of {}: {}", ni.net, others.join(", ")).into());
    }
    let mut finding = Finding::new(NI_HEALTH_LOW, severity, summary, evidence).on(view);
    let growth = scene.node.lnet_growth(&ni.ni.nid);
    finding.caused_by = cause(view, known, rises(ni, growth.as_ref()));
    if finding.caused_by.is_none() && !failing {
        let nid = &ni.ni.nid;
        finding.fix = here(format!("lnetctl net set --nid {nid} --health 1000"));
        finding.verify = here("lnetctl net show -v 2".to_owned());
    }
    Some(finding)
}

fn here(command: String) -> Vec<Step> {
    vec![Step { place: Where::Here, command: command.into() }]
}

/// Others of the net with a higher health and no fatal error.
fn better(net: &Net<'_>, place: usize, health: u32) -> Vec<(usize, u32)> {
    let others = (0..).zip(&net.contest.nis).filter(|(other, _)| *other != place);
    others
        .filter(|(_, ni)| ni.fatal != Ok(true))
        .filter_map(|(other, ni)| Some((other, *ni.health.as_ref().ok()?)))
        .filter(|(_, other)| *other > health)
        .collect()
}

/// Do failures of the NI rise, within the last minute? Where it was watched for less than that, so
/// that this is not known: were there any?
pub(super) fn rises(ni: &RailNi, growth: Option<&NiGrowth>) -> bool {
    let any = || FAILURES.iter().any(|(key, _)| ni.ni.number::<u32>(key).is_ok_and(|n| n > 0));
    failures(ni).is_some_and(|rate| rate > 0.0)
        || match growth {
            Some(growth) if growth.over >= MINUTE => growth.failures.as_ref().is_ok_and(|n| *n > 0),
            _ => any(),
        }
}

/// The link, the NI without one, else the way that packets take: that only where messages fail,
/// for a health that was set by hand has nothing to do with it.
fn cause(view: &RailView<'_>, known: &Known<'_>, rises: bool) -> Option<&'static str> {
    let rail = view.index;
    let dead = || known.root(rail, |f| (Layer::Cable..=Layer::Netdev).contains(&f.layer));
    (!works(view.rail))
        .then(dead)
        .flatten()
        .or_else(|| known.ni_down(rail))
        .or_else(|| known.routing(rail).filter(|_| rises))
}

fn failures(ni: &RailNi) -> Option<f64> {
    ni.rates.failures.ok().copied()
}

/// What fails now; else when LNet tries it again.
fn what_comes(node: &Node, ni: &RailNi) -> Option<String> {
    match failures(ni) {
        Some(rate) if rate > 0.0 => {
            let what: Vec<String> = FAILURES
                .iter()
                .filter_map(|(key, word)| Some((word, ni.ni.number::<u32>(key).ok()?)))
                .filter(|(_, count)| *count > 0)
                .map(|(word, count)| format!("{word} {count}"))
                .collect();
            return Some(format!("messages fail on it now ({})", what.join(", ")));
        }
        _ => {}
    }
    let failed = ni.ni.number::<u32>("health stats/ping_count").ok()?;
    let next = ni.ni.number::<u64>("health stats/next_ping").ok();
    let left = next.and_then(|next| next.checked_sub(uptime(node)?)).filter(|left| *left > 0);
    let again = match left {
        Some(left) => {
            format!("LNet tries it again in {}", units::duration_words(Duration::from_secs(left)))
        }
        None => "LNet tries it again now".to_owned(),
    };
    match failed {
        0 => None,
        1 => Some(format!("{again} (1 recovery ping failed)")),
        _ => Some(format!("{again} ({failed} recovery pings failed)")),
    }
}

const FAILURES: [(&str, &str); 6] = [
    ("health stats/timeouts", "timeouts"),
    ("health stats/dropped", "dropped"),
    ("health stats/no route", "no route"),
    ("health stats/error", "error"),
    ("health stats/aborted", "aborted"),
    ("health stats/interrupts", "interrupts"),
];

/// Seconds since the node came up, which `next_ping` counts in, now.
fn uptime(node: &Node) -> Option<u64> {
    let booted = *node.host.boot_time_seconds.as_ref().ok()?;
    u64::try_from(node.time.wall.as_second()).ok()?.checked_sub(booted)
}

fn line(node: &Node, ni: &LnetNi) -> Text {
    let mut line = format!("lnetctl net show -v 4: nid: {}", ni.nid);
    let mut add = |key: &str, value: String| {
        let _ = write!(line, ", {key}: {value}");
    };
    if let Ok(health) = &ni.health {
        add("health value", health.to_string());
    }
    for (key, _) in FAILURES {
        if let Ok(count) = ni.number::<u32>(key) {
            add(key.trim_start_matches("health stats/"), count.to_string());
        }
    }
    for key in ["ping_count", "next_ping"] {
        if let Ok(count) = ni.number::<u64>(&format!("health stats/{key}")) {
            add(key, count.to_string());
        }
    }
    if let Some(uptime) =
        uptime(node).filter(|_| ni.number::<u64>("health stats/next_ping").is_ok())
    {
        add("uptime", uptime.to_string());
    }
    line.into()
}

/// NIs of peers that LNet avoids while the node's own are healthy.
pub(super) fn of_peers(scene: &Scene<'_>) -> Option<Found> {
    let lnet = &scene.node.lnet;
    let peers = &lnet.more.peers.as_ref().ok()?.value;
    let answer = lnet.answer.as_ref().ok()?;
    let own: Vec<&LnetNi> = answer.nets.iter().flat_map(|n| &n.nis).collect();
    // On nets that this node has, all of whose own NIs are well: the fault is not here.
    let is_well = |net: &str| {
        let mut on_it = own.iter().filter(|ni| ni.net() == net && !ni.is_lo()).peekable();
        on_it.peek().is_some()
            && on_it.all(|ni| {
                ni.health == Ok(HEALTHY) && ni.fatal_error.as_ref().is_ok_and(|f| *f == 0)
            })
    };
    let mut avoided: Vec<&LnetPeerNi> = Vec::new();
    let mut hosts = 0;
    for peer in peers {
        let best = peer.nis.iter().filter_map(|ni| ni.health.as_ref().ok()).max();
        let is_own = || own.iter().any(|ni| ni.nid == peer.primary_nid);
        let sick = peer.nis.iter().filter(|ni| {
            ni.health.as_ref().is_ok_and(|h| Some(h) < best) && is_well(ni.net()) && !is_own()
        });
        let before = avoided.len();
        avoided.extend(sick);
        hosts += usize::from(avoided.len() > before);
    }
    let first = avoided.first()?;
    let summary = match avoided.len() {
        1 => format!(
            "LNet avoids a peer's rail, {}: its health is {} of 1000",
            first.nid,
            health_of(first)
        ),
        n if hosts == 1 => format!("LNet avoids {n} rails of one peer, {} among them", first.nid),
        n => format!("LNet avoids {n} rails of {hosts} peers, {} among them", first.nid),
    };
    let mut evidence: Vec<Text> = avoided.iter().take(LINES).map(|ni| peer_line(ni)).collect();
    if avoided.len() > LINES {
        evidence.push(format!("{} more", avoided.len() - LINES).into());
    }
    let mut finding = Finding::new(PEER_HEALTH_LOW, Severity::Note, summary, evidence);
    finding.verify = here(format!("lnetctl ping {}", first.nid));
    Some(Found { rails: Vec::new(), finding })
}

fn health_of(ni: &LnetPeerNi) -> u32 {
    *ni.health.as_ref().unwrap_or(&HEALTHY)
}

fn peer_line(ni: &LnetPeerNi) -> Text {
    let mut line = format!("lnetctl peer show -v 4: nid: {}", ni.nid);
    let values: [(&str, &Reading<u32>); 6] = [
        ("health value", &ni.health),
        ("dropped", &ni.dropped),
        ("timeout", &ni.timeouts),
        ("error", &ni.errors),
        ("network timeout", &ni.network_timeouts),
        ("ping_count", &ni.ping_count),
    ];
    for (key, value) in values {
        if let Ok(value) = value {
            let _ = write!(line, ", {key}: {value}");
        }
    }
    line.into()
}
