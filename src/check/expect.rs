//! The node against its manifest.

use super::catalogue::expect::{
    EXPECTED_ADDRESS_MISSING, EXPECTED_NI_MISSING, FIRMWARE_CHANGED, RAIL_ABSENT, RAIL_CHANGED,
    RAIL_DOWNGRADED, RAIL_RENAMED, RAIL_SWAPPED, RAIL_UNEXPECTED,
};
use super::catalogue::{RAIL_GONE, alike};
use super::fold::Found;
use super::view::{self, RailView};
use super::{Finding, Severity};
use crate::expect::{ExpectedRail, Manifest, port_guid};
use crate::node::{Node, Presence, Rail};
use crate::sample::Text;
use crate::units::gbits;

/// All findings that a manifest makes, for `--only`.
pub const IDS: [&str; 9] = [
    RAIL_ABSENT,
    RAIL_RENAMED,
    RAIL_SWAPPED,
    RAIL_DOWNGRADED,
    RAIL_CHANGED,
    EXPECTED_ADDRESS_MISSING,
    EXPECTED_NI_MISSING,
    FIRMWARE_CHANGED,
    RAIL_UNEXPECTED,
];

/// What differs.
pub(super) fn found(views: &[RailView<'_>], node: &Node, known: &[Found]) -> Vec<Found> {
    let Some(manifest) = node.expected.as_deref() else { return Vec::new() };
    let mut all: Vec<Found> = Vec::new();
    for rail in &manifest.rail {
        let here = views.iter().find(|v| *v.rail.id == *rail.id);
        match here.filter(|v| v.rail.presence == Presence::Present) {
            Some(view) => all.extend(one_rail(view, rail, node)),
            None => all.push(absent(here, rail, node, manifest)),
        }
    }
    all.extend(unexpected(views, manifest));
    // What is known by another name is told once.
    all.retain(|f| !(f.finding.id == RAIL_DOWNGRADED && is_told(f, known)));
    all
}

/// The comparison with its group says the same, and more.
fn is_told(found: &Found, known: &[Found]) -> bool {
    known.iter().any(|k| k.finding.id == alike::RATE_BELOW_PEERS && k.rails == found.rails)
}

fn absent(
    row: Option<&RailView<'_>>,
    rail: &ExpectedRail,
    node: &Node,
    manifest: &Manifest,
) -> Found {
    let strange = |r: &&Rail| {
        r.presence == Presence::Present && !manifest.rail.iter().any(|e| *e.id == *r.id)
    };
    let moved = node.rails.iter().filter(strange).find(|r| {
        let guid = r.rdma.as_ref().and_then(port_guid);
        guid.is_some() && guid == rail.guid
    });
    let summary = match moved {
        Some(other) => format!(
            "{} ({}) is not where it should be: its port is {} ({})",
            rail.name, rail.id, other.name, other.id
        ),
        None => format!("{} ({}) is absent", rail.name, rail.id),
    };
    let evidence = vec![format!("expected: id {}, name {}", rail.id, rail.name).into()];
    let mut finding = Finding::new(RAIL_ABSENT, Severity::Critical, summary, evidence);
    finding.rails.push(Text::new(&rail.name));
    // It was there while railtop ran: that finding says since when.
    finding.caused_by = row.map(|_| RAIL_GONE);
    Found { rails: row.map(|v| v.index).into_iter().collect(), finding }
}

fn one_rail(view: &RailView<'_>, rail: &ExpectedRail, node: &Node) -> Vec<Found> {
    let mut all = Vec::new();
    let mut add = |id, severity, summary: String, wanted: String| {
        let evidence = vec![format!("expected: {wanted}").into()];
        let finding = Finding::new(id, severity, summary, evidence).on(view);
        all.push(Found { rails: vec![view.index], finding });
    };
    let name = view.name();
    if !rail.name.is_empty() && *name != *rail.name {
        let summary = format!("{} is named {name}, expected {}", rail.id, rail.name);
        add(RAIL_RENAMED, Severity::Warning, summary, format!("name {}", rail.name));
    }
    // A port without a link prints a placeholder.
    let bits = view.rail.rate.nominal_bits_per_second.ok().filter(|_| view::works(view.rail));
    if let (Some(bits), Some(wanted)) = (bits, rail.gbits)
        && *bits < wanted * 1e9 * 0.999
    {
        let lanes = view.rail.rate.width.ok().map_or_else(String::new, |w| format!(" {w}X"));
        let wanted = gbits(wanted * 1e9);
        let summary =
            format!("{name} runs at {} Gb/s{lanes}, expected {wanted} Gb/s", gbits(*bits));
        add(RAIL_DOWNGRADED, Severity::Warning, summary, format!("{wanted} Gb/s"));
    }
    for (what, is, wanted) in [
        ("MTU", mtu(view), rail.mtu.map(|m| m.to_string())),
        ("IPoIB mode", mode(view), rail.mode.clone()),
    ] {
        if let (Some(is), Some(wanted)) = (is, wanted)
            && is != wanted
        {
            let summary = format!("{name} has {what} {is}, expected {wanted}");
            add(RAIL_CHANGED, Severity::Warning, summary, format!("{what} {wanted}"));
        }
    }
    if let (Some(is), Some(wanted)) = (firmware(view), &rail.firmware)
        && is != wanted.as_str()
    {
        let summary = format!("{name} has firmware {is}, expected {wanted}");
        add(FIRMWARE_CHANGED, Severity::Note, summary, format!("fw_ver {wanted}"));
    }
    for address in rail.addresses.iter().filter(|_| node.routing.addresses.is_ok()) {
        let has = |r: &Rail| r.addresses.iter().any(|a| a.prefix.to_string() == *address);
        if has(view.rail) {
            continue;
        }
        match node.rails.iter().find(|r| has(r)) {
            Some(other) => add(
                RAIL_SWAPPED,
                Severity::Warning,
                format!("{address} is on {}, expected on {name}: rails are swapped", other.name),
                format!("{address} on {name}"),
            ),
            None => add(
                EXPECTED_ADDRESS_MISSING,
                Severity::Warning,
                format!("{name} has lost its address {address}"),
                format!("{address} on {name}"),
            ),
        }
    }
    for nid in rail.nids.iter().filter(|_| node.lnet.answer.is_ok()) {
        let has = |r: &Rail| r.lnet.iter().any(|n| *n.ni.nid == **nid);
        if has(view.rail) {
            continue;
        }
        match node.rails.iter().find(|r| has(r)) {
            Some(other) => add(
                RAIL_SWAPPED,
                Severity::Warning,
                format!(
                    "LNet NI {nid} is on {}, expected on {name}: rails are swapped",
                    other.name
                ),
                format!("{nid} on {name}"),
            ),
            None => add(
                EXPECTED_NI_MISSING,
                Severity::Warning,
                format!("{name} is without its LNet NI {nid}"),
                format!("{nid} on {name}"),
            ),
        }
    }
    all
}

fn mtu(view: &RailView<'_>) -> Option<String> {
    Some(view.rail.netdev.as_ref()?.mtu.as_ref().ok()?.to_string())
}

fn mode(view: &RailView<'_>) -> Option<String> {
    Some(view.rail.netdev.as_ref()?.mode.as_ref().ok()?.to_string())
}

fn firmware<'a>(view: &'a RailView<'_>) -> Option<&'a str> {
    view.rail.rdma.as_ref()?.device_attrs.fw_ver.as_deref().ok()
}

/// Rails that nobody spoke of.
fn unexpected(views: &[RailView<'_>], manifest: &Manifest) -> Vec<Found> {
    let told = |v: &&RailView<'_>| manifest.rail.iter().any(|r| *r.id == *v.rail.id);
    let present = |v: &&RailView<'_>| v.rail.presence == Presence::Present;
    let new = views.iter().filter(present).filter(|v| !told(v));
    new.map(|view| {
        let summary = format!("{} ({}) is not among the rails expected", view.name(), view.rail.id);
        let finding = Finding::new(RAIL_UNEXPECTED, Severity::Note, summary, Vec::new()).on(view);
        Found { rails: vec![view.index], finding }
    })
    .collect()
}

#[cfg(test)]
mod tests;
