//! Rails of one net that carry less than the others, and which of LNet's criteria makes it so.

use super::load::{Load, Share};
use super::{Known, Net, Scene, said};
use crate::check::catalogue::selection::{
    NI_HEALTH_LOW, NI_NUMA_IDLE, NI_RECEIVE_UNEVEN, NI_ROUND_ROBIN_OLD, NI_UDSP_AVOIDED,
    PEER_NOT_MULTI_RAIL,
};
use crate::check::fold::Found;
use crate::check::view::RailView;
use crate::check::{Finding, Severity, Step, Where, traffic};
use crate::lnet::select::{Criterion, Order};
use crate::sample::Text;
use std::fmt::Write;

/// Why a rail carries less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    /// A finding that is told of already: of the routes, of the NI's health.
    Told(&'static str),
    Numa,
    Policy,
    Peers,
    Received,
    RoundRobin,
}

impl Cause {
    fn id(self) -> &'static str {
        match self {
            Cause::Told(id) => id,
            Cause::Numa => NI_NUMA_IDLE,
            Cause::Policy => NI_UDSP_AVOIDED,
            Cause::Peers => PEER_NOT_MULTI_RAIL,
            Cause::Received => NI_RECEIVE_UNEVEN,
            Cause::RoundRobin => NI_ROUND_ROBIN_OLD,
        }
    }
}

/// All of them.
pub(super) fn find(scene: &Scene<'_>, views: &[RailView<'_>], known: &Known<'_>) -> Vec<Found> {
    scene.nets.iter().flat_map(|net| of_net(scene, net, views, known)).collect()
}

fn of_net(
    scene: &Scene<'_>,
    net: &Net<'_>,
    views: &[RailView<'_>],
    known: &Known<'_>,
) -> Vec<Found> {
    let Some(load) = Load::of(scene, net, views) else { return Vec::new() };
    let busy: Vec<Share> = load.busy().copied().collect();
    if busy.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut causes: Vec<(Cause, Vec<Share>)> = Vec::new();
    for share in load.shares.iter().filter(|s| s.idle || s.low) {
        let cause = cause(net, share, &busy, known);
        if let Some(cause) = cause.filter(|c| !matches!(c, Cause::Told(_))) {
            match causes.iter_mut().find(|(known, _)| *known == cause) {
                Some((_, shares)) => shares.push(*share),
                None => causes.push((cause, vec![*share])),
            }
        }
        // Where LNet uses it as it does the others, the bytes are none of LNet's.
        let used = !busy.iter().any(|b| share.sends_less(b) || share.receives_less(b));
        if !share.idle || cause.is_none() && used {
            continue;
        }
        let Some(view) = views.get(share.rail) else { continue };
        let mut idle = traffic::left_out(view, &net.contest.net, load.bytes_per_second);
        idle.caused_by = cause.map(Cause::id);
        if cause == Some(Cause::Policy) {
            idle.severity = Severity::Note;
        }
        if cause.is_none() {
            idle.evidence.push("nothing that LNet compares tells it from the others".into());
        }
        found.push(Found { rails: vec![share.rail], finding: idle });
    }
    found.extend(causes.into_iter().map(|(cause, shares)| {
        let finding = tell(scene, net, cause, &shares, &busy);
        Found { rails: shares.iter().map(|s| s.rail).collect(), finding }
    }));
    found
}

/// The first that explains it: a fault, then what LNet compares, then its peers.
fn cause(net: &Net<'_>, share: &Share, busy: &[Share], known: &Known<'_>) -> Option<Cause> {
    let preferred = busy
        .iter()
        .map(|other| net.contest.preferred_by(other.place, share.place))
        .collect::<Option<Vec<Criterion>>>();
    let criterion = preferred.and_then(|all| all.into_iter().min());
    if criterion == Some(Criterion::Health) {
        return Some(Cause::Told(NI_HEALTH_LOW));
    }
    if let Some(id) = known.ni_down(share.rail).or_else(|| known.routing(share.rail)) {
        return Some(Cause::Told(id));
    }
    let sends_less = busy.iter().any(|other| share.sends_less(other));
    if !sends_less {
        let less = busy.iter().any(|other| share.receives_less(other));
        return less.then_some(Cause::Received);
    }
    let nid = net.contest.nis.get(share.place).map_or("", |ni| ni.nid.as_str());
    let binding = net.binding.as_ref();
    if binding.is_some_and(|b| b.excludes(nid)) {
        return Some(Cause::Peers);
    }
    match criterion {
        Some(Criterion::Udsp) => return Some(Cause::Policy),
        Some(Criterion::Numa) => return Some(Cause::Numa),
        _ => {}
    }
    if binding.is_some_and(|b| b.may_exclude(nid)) {
        return Some(Cause::Peers);
    }
    let old = matches!(net.contest.order, Order::Health | Order::FatalHealth);
    let several = binding.is_none_or(|b| b.peers > 1);
    (old && several && criterion.is_none()).then_some(Cause::RoundRobin)
}

fn tell(
    scene: &Scene<'_>,
    net: &Net<'_>,
    cause: Cause,
    shares: &[Share],
    busy: &[Share],
) -> Finding {
    let node = scene.node;
    let all_idle = shares.iter().all(|s| s.idle);
    let places: Vec<usize> = shares.iter().map(|s| s.place).collect();
    let others: Vec<usize> = busy.iter().map(|s| s.place).collect();
    let (names, working) = (net.names(node, &places), net.names(node, &others));
    let idle = if places.len() == 1 { "idles" } else { "idle" };
    let fares = if all_idle {
        format!("{names} {idle}")
    } else {
        format!(
            "{names} {} less than {working}",
            if places.len() == 1 { "carries" } else { "carry" }
        )
    };
    let (summary, evidence) = match cause {
        Cause::Numa => numa(net, &working, (&fares, all_idle), &places, &others),
        Cause::Policy => policy(scene, net, &working, &fares, &places, &others),
        Cause::Peers => peers(net, &fares, &places),
        Cause::Received => (
            format!("{fares}: this node sends evenly, its peers on {} do not", net.contest.net),
            messages(net, &places, &others),
        ),
        Cause::RoundRobin | Cause::Told(_) => (
            format!("{fares}: round robin of this old LNet is uneven with several peers"),
            messages(net, &places, &others),
        ),
    };
    let severity = match cause {
        Cause::Policy => Severity::Note,
        _ if all_idle => Severity::Warning,
        _ => Severity::Note,
    };
    let mut finding = Finding::new(cause.id(), severity, summary, evidence);
    let names = shares.iter().filter_map(|s| node.rails.get(s.rail)).map(|r| r.name.clone());
    finding.rails = names.collect();
    remedy(net, cause, &mut finding);
    finding
}

/// The CPTs whose messages go to those that work.
fn numa(
    net: &Net<'_>,
    working: &str,
    (fares, all_idle): (&str, bool),
    places: &[usize],
    others: &[usize],
) -> (String, Vec<Text>) {
    let numa = &net.contest.numa;
    let from = |cpt: &&u32| {
        let left = net.contest.lasting_race(**cpt).left;
        others.iter().any(|o| left.contains(o)) && !places.iter().any(|p| left.contains(p))
    };
    let cpts: Vec<String> = numa.cpts.iter().filter(from).map(ToString::to_string).collect();
    let cpts = said(&cpts.iter().map(String::as_str).collect::<Vec<_>>());
    let range = numa.range.as_ref().map_or_else(|_| "?".to_owned(), ToString::to_string);
    let (all, nearest) = if all_idle { ("the memory", "it") } else { ("most memory", "that") };
    let summary = format!(
        "{fares}: {all} is on NUMA node {cpts}, and LNet takes what is nearest to {nearest}, {working} \
         (numa_range {range})"
    );
    let mut evidence = vec![format!("lnetctl global show: numa_range: {range}").into()];
    let mut devices = String::from("lnetctl net show -v 4: dev cpt:");
    for (place, ni) in (0..).zip(&net.contest.nis) {
        if let (Ok(cpt), true) = (&ni.dev_cpt, places.contains(&place) || others.contains(&place)) {
            let _ = write!(devices, " {cpt} of {},", ni.nid);
        }
    }
    evidence.push(devices.trim_end_matches(',').into());
    if let Ok(table) = &numa.distances {
        let rows: Vec<String> = table
            .iter()
            .map(|row| row.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
            .collect();
        evidence
            .push(format!("/sys/devices/system/node/node*/distance: {}", rows.join(" / ")).into());
    }
    evidence.extend(messages(net, places, others));
    (summary, evidence)
}

fn policy(
    scene: &Scene<'_>,
    net: &Net<'_>,
    working: &str,
    fares: &str,
    places: &[usize],
    others: &[usize],
) -> (String, Vec<Text>) {
    let summary = format!("{fares}: a selection policy (UDSP) prefers {working}");
    let mut evidence: Vec<Text> = Vec::new();
    if let Ok(rules) = &scene.node.lnet.more.udsp {
        let shown = |part: &Option<Text>| part.clone().unwrap_or_else(|| "NA".into());
        evidence.extend(rules.value.iter().filter_map(|rule| {
            let priority = rule.priority?;
            let (src, dst) = (shown(&rule.src), shown(&rule.dst));
            Some(format!("lnetctl udsp show: src: {src}, dst: {dst}, priority: {priority}").into())
        }));
    }
    for place in places.iter().chain(others) {
        let Some(ni) = net.contest.nis.get(*place) else { continue };
        if let Ok(priority) = &ni.priority {
            let line = format!("lnetctl net show -v 4: nid: {}, nid priority: {priority}", ni.nid);
            evidence.push(line.into());
        }
    }
    (summary, evidence)
}

fn peers(net: &Net<'_>, fares: &str, places: &[usize]) -> (String, Vec<Text>) {
    let words = net.binding.as_ref().map_or_else(String::new, super::Binding::words);
    let summary = format!("{fares}, since peers are bound to one NI each: {words}");
    let mut evidence: Vec<Text> = vec![format!("lnetctl peer show -v 4: {words}").into()];
    if let Some(binding) = net.binding.as_ref().filter(|b| b.preferring > 0) {
        for ni in places.iter().filter_map(|p| net.contest.nis.get(*p)) {
            let naming = binding.naming(&ni.nid);
            evidence.push(format!("Preferred source NIDs: {naming} peers name {}", ni.nid).into());
        }
    }
    (summary, evidence)
}

/// What they send and receive.
fn messages(net: &Net<'_>, places: &[usize], others: &[usize]) -> Vec<Text> {
    let line = |place: &usize| {
        let member = net.members.get(*place).copied().flatten()?;
        let (sent, received) =
            (member.ni.sent_per_second.ok()?, member.ni.received_per_second.ok()?);
        let nid = &member.ni.ni.nid;
        Some(format!("{nid}: {sent:.0} messages sent, {received:.0} received a second").into())
    };
    places.iter().chain(others).filter_map(line).collect()
}

fn remedy(net: &Net<'_>, cause: Cause, finding: &mut Finding) {
    let here = |command: String| Step { place: Where::Here, command: command.into() };
    match cause {
        Cause::Numa => {
            let numa = &net.contest.numa;
            let farthest = numa.distances.as_ref().ok().and_then(|t| t.iter().flatten().max());
            let (Some(farthest), Ok(range)) = (farthest, &numa.range) else { return };
            finding.fix.push(here(format!("lnetctl set numa_range {farthest}")));
            finding.undo.push(here(format!("lnetctl set numa_range {range}")));
            finding.verify.push(here("lnetctl global show".into()));
        }
        Cause::Peers => {
            let Some(binding) = &net.binding else { return };
            if binding.discovery_off {
                finding.fix.push(here("lnetctl set discovery 1".into()));
                finding.undo.push(here("lnetctl set discovery 0".into()));
                let peer = "lnetctl set discovery 1".into();
                finding.fix.push(Step { place: Where::Peer, command: peer });
            }
            if let Some(peer) = &binding.example {
                finding.fix.push(here(format!("lnetctl discover {peer}")));
            }
            finding.verify.push(here("lnetctl peer show".into()));
        }
        Cause::Policy => finding.verify.push(here("lnetctl udsp show".into())),
        Cause::Told(_) | Cause::Received | Cause::RoundRobin => {}
    }
}
