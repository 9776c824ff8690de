//! What the counters of a link tell: errors that rise, links that flap, counters at their end.

use super::catalogue::{COUNTER_SATURATED, ERRORS_RISING, LINK_FLAPPING, PORT_RETRAINING};
use super::fold::Found;
use super::view::{self, RailView};
use super::{Cause, Finding, Severity};
use crate::node::{CounterGroup, CounterInfo, CounterRecord, Presence, Rail, Since};
use crate::sample::{Fact, How, Text};
use crate::units;

/// So many counters are named in a sentence.
const NAMES: usize = 2;

/// What is wrong with the link of a rail, as its counters tell.
pub(super) fn check(
    view: &RailView<'_>,
    port: Option<&Finding>,
    cause: Option<Cause>,
) -> Vec<Finding> {
    if view.gone_since().is_some() {
        return Vec::new();
    }
    let flapping = flapping(view).map(|f| f.because(cause));
    let of = |f: &Finding| Cause { id: f.id, severity: f.severity };
    let retraining = port.filter(|f| f.id == PORT_RETRAINING).map(of);
    let root = flapping.as_ref().map(of).or(cause).or(retraining);
    let rising = rising(view).map(|f| f.because(root));
    let mut findings: Vec<Finding> = flapping.into_iter().chain(rising).collect();
    // Of a port that nothing relies on nothing is more than a note.
    if let Some(cause) = cause.filter(|c| c.severity == Severity::Note) {
        for finding in &mut findings {
            finding.severity = finding.severity.min(cause.severity);
        }
    }
    findings
}

fn flapping(view: &RailView<'_>) -> Option<Finding> {
    let (health, now) = (&view.rail.health, view.node.time.mono);
    let count = health.losses.in_last_hour(now);
    if count < view.node.policy.thresholds.link_flaps_per_hour {
        return None;
    }
    let (first, last) = health.losses.span(now)?;
    let summary = format!(
        "{} flaps: its link was lost {count} times since {}, last at {}",
        view.name(),
        units::time_of_day(first.wall),
        units::time_of_day(last.wall)
    );
    let mut evidence: Vec<Text> = Vec::new();
    if let Some(record) = health.get("link_downed") {
        evidence.push(line(view, record));
    }
    if let Some(count) = health.losses.by_carrier(now) {
        evidence
            .push(format!("the interface lost its carrier {count} times in the last hour").into());
    }
    evidence.extend(view.port_evidence());
    evidence.push("look at the cable, the transceivers and the switch port".into());
    Some(Finding::new(LINK_FLAPPING, Severity::Warning, summary, evidence).on(view))
}

/// A counter that rose by more than is let pass.
struct Hit<'a> {
    record: &'a CounterRecord,
    rise: u64,
    is_warning: bool,
}

fn hits<'a>(view: &RailView<'a>) -> Vec<Hit<'a>> {
    let now = view.node.time.mono;
    let strict = has_fec(view.rail);
    let limits = &view.node.policy.thresholds.counters;
    let hit = |record| {
        let record: &CounterRecord = record;
        let alarm = record.info.alarm?;
        let rise = *record.change(Since::TenMinutes, now).ok()?;
        let usual = if strict { alarm.more_than } else { alarm.more_than_up_to_edr };
        let most = limits.get(record.info.name).copied().unwrap_or(usual);
        (rise > most).then_some(Hit { record, rise, is_warning: alarm.is_warning })
    };
    let mut hits: Vec<Hit<'_>> = view.rail.health.counters.iter().filter_map(hit).collect();
    // Warnings first, in the order of the table.
    hits.sort_by_key(|h| !h.is_warning);
    hits
}

/// From HDR on forward error correction mends what a good link loses: nothing is to be left.
fn has_fec(rail: &Rail) -> bool {
    rail.rate.speed.ok().is_some_and(|s| matches!(s.as_str(), "HDR" | "NDR" | "XDR"))
}

fn rising(view: &RailView<'_>) -> Option<Finding> {
    let now = view.node.time.mono;
    let hits = hits(view);
    let first = hits.first()?;
    let named: Vec<String> = hits
        .iter()
        .take(NAMES)
        .map(|h| format!("{} +{}", h.record.info.name, rise(h, now)))
        .collect();
    let more = match hits.len() - named.len() {
        0 => String::new(),
        1 => " and 1 more counter".into(),
        n => format!(" and {n} more counters"),
    };
    let since = hits.iter().filter_map(|h| h.record.rising_since(now)).min_by_key(|t| t.mono);
    let since = since.map_or_else(
        || format!("in {}", units::duration_words(first.record.watched(now))),
        |t| format!("since {}", units::time_of_day(t.wall)),
    );
    let summary =
        format!("{}: {}{more} {since}: {}", view.name(), named.join(", "), first.record.info.cause);
    let mut evidence: Vec<Text> = hits.iter().map(|h| line(view, h.record)).collect();
    evidence.extend(hits.iter().map(|h| told(h.record.info)));
    let severity = if first.is_warning { Severity::Warning } else { Severity::Note };
    Some(Finding::new(ERRORS_RISING, severity, summary, evidence).on(view))
}

fn rise(hit: &Hit<'_>, now: crate::sample::Mono) -> String {
    at_least(&hit.record.change(Since::TenMinutes, now), hit.rise)
}

fn at_least(change: &Fact<u64>, value: u64) -> String {
    let least = change.qualified.as_ref().is_some_and(|q| q.how == How::Saturated);
    format!("{}{value}", if least { "≥" } else { "" })
}

/// "symbol_error: bit errors on a lane; cable, connector or transceiver".
fn told(info: &CounterInfo) -> Text {
    format!("{}: {}", info.name, info.meaning).into()
}

/// The file, its value, and what it did.
fn line(view: &RailView<'_>, record: &CounterRecord) -> Text {
    let now = view.node.time.mono;
    let file = path(view.rail, record.info);
    let value = match &record.value {
        Ok(value) if record.is_saturated() => format!("≥{value}"),
        Ok(value) => value.to_string(),
        Err(unknown) => return format!("{file}: {unknown}").into(),
    };
    let change = record.change(Since::TenMinutes, now);
    let change = match &change.value {
        Ok(0) => String::new(),
        Ok(rise) => {
            let window = units::duration_words(record.watched(now));
            format!(", +{} in {window}", at_least(&change, *rise))
        }
        Err(unknown) if unknown.detail.is_empty() => String::new(),
        Err(unknown) => format!(", {}", unknown.detail),
    };
    let last = record.moved().map(|t| format!(", last at {}", units::time_of_day(t.wall)));
    format!("{file}: {value}{change}{}", last.unwrap_or_default()).into()
}

fn path(rail: &Rail, info: &CounterInfo) -> String {
    let (rdma, netdev) = (rail.rdma.as_ref(), rail.netdev.as_ref());
    match (info.group, rdma, netdev) {
        (CounterGroup::Netdev, _, Some(netdev)) => {
            format!("/sys/class/net/{}/{}", netdev.name, info.name)
        }
        (group, Some(rdma), _) => view::port_path(rdma, &format!("{}/{}", group.word(), info.name)),
        _ => info.name.to_owned(),
    }
}

/// Counters that stand at their end: rails with the same ones are told of together.
pub(super) fn saturated(views: &[RailView<'_>]) -> Vec<Found> {
    let mut sets: Vec<(Vec<&'static str>, Vec<&RailView<'_>>)> = Vec::new();
    for view in views.iter().filter(|v| v.rail.presence == Presence::Present) {
        let stands = |r: &&CounterRecord| r.is_saturated() && r.info.alarm.is_some();
        let names: Vec<_> =
            view.rail.health.counters.iter().filter(stands).map(|r| r.info.name).collect();
        if names.is_empty() {
            continue;
        }
        match sets.iter_mut().find(|(known, _)| *known == names) {
            Some((_, rails)) => rails.push(view),
            None => sets.push((names, vec![view])),
        }
    }
    sets.into_iter().map(|(names, rails)| one_set(&names, &rails)).collect()
}

fn one_set(names: &[&str], views: &[&RailView<'_>]) -> Found {
    let rails: Vec<&str> = views.iter().map(|v| v.name()).collect();
    let (shown, more) =
        (rails.iter().take(4).copied().collect::<Vec<_>>(), rails.len().saturating_sub(4));
    let rest = if more > 0 { format!(" and {more} more rails") } else { String::new() };
    let stand = if names.len() == 1 { "stands at its maximum" } else { "stand at their maximum" };
    let summary = format!(
        "{}{rest}: {} {stand}: what is new is not counted",
        shown.join(", "),
        names.join(", ")
    );
    let lines = |v: &&RailView<'_>| {
        let all = v.rail.health.counters.iter();
        let (view, records) = (*v, all.filter(|r| names.contains(&r.info.name)));
        records.map(|r| line(view, r)).collect::<Vec<_>>()
    };
    let mut evidence: Vec<Text> = views.iter().take(1).flat_map(lines).collect();
    if names.contains(&"link_downed") {
        for view in views.iter().take(4) {
            let witness = view.rail.health.get("carrier_down_count").filter(|r| r.value.is_ok());
            evidence.extend(witness.map(|r| line(view, r)));
        }
    }
    evidence.push("perfquery -R (as root) starts them anew".into());
    let mut finding = Finding::new(COUNTER_SATURATED, Severity::Note, summary, evidence);
    finding.rails = views.iter().map(|v| v.rail.name.clone()).collect();
    Found { rails: views.iter().map(|v| v.index).collect(), finding }
}
