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
use crate::node::{Node, PortState, Presence, Rail};
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

/// What differs; `cause_of` is the root that the other findings of a rail follow from.
pub(super) fn found(
    views: &[RailView<'_>],
    node: &Node,
    known: &[Found],
    cause_of: impl Fn(usize) -> Option<&'static str>,
) -> Vec<Found> {
    let Some(manifest) = node.expected.as_deref() else { return Vec::new() };
    let mut all: Vec<Found> = Vec::new();
    for rail in &manifest.rail {
        let here = views.iter().find(|v| *v.rail.id == *rail.id);
        match here.filter(|v| v.rail.presence == Presence::Present) {
            Some(view) => all.extend(one_rail(view, rail, node, cause_of(view.index))),
            None if rail.aside || here.is_none() && is_no_rail(rail, node) => {}
            None => all.push(absent(here, rail, node, manifest)),
        }
    }
    all.extend(unexpected(views, node, manifest));
    // What is known by another name is told once.
    all.retain(|f| !(f.finding.id == RAIL_DOWNGRADED && is_told(f, known)));
    all
}

/// The comparison with its group says the same, and more.
fn is_told(found: &Found, known: &[Found]) -> bool {
    known.iter().any(|k| k.finding.id == alike::RATE_BELOW_PEERS && k.rails == found.rails)
}

/// Its interface is there and is not chosen as a rail now: a RoCE port is one while LNet uses it.
fn is_no_rail(rail: &ExpectedRail, node: &Node) -> bool {
    let folded = node.not_shown.iter().flat_map(|n| &n.names);
    !rail.name.is_empty() && node.other.names.iter().chain(folded).any(|n| **n == *rail.name)
}

/// The rail that nobody expects and that has the port of this one: the adapter is in another slot,
/// or PCI addresses were given anew.
fn moved<'n>(rail: &ExpectedRail, node: &'n Node, manifest: &Manifest) -> Option<&'n Rail> {
    let strange = |r: &&Rail| {
        r.presence == Presence::Present && !manifest.rail.iter().any(|e| *e.id == *r.id)
    };
    let guid = rail.guid.as_ref()?;
    let has = |r: &&Rail| r.rdma.as_ref().and_then(port_guid).as_ref() == Some(guid);
    node.rails.iter().filter(strange).find(has)
}

fn absent(
    row: Option<&RailView<'_>>,
    rail: &ExpectedRail,
    node: &Node,
    manifest: &Manifest,
) -> Found {
    // One that works elsewhere is in the wrong place, not lost.
    let (severity, summary) = match moved(rail, node, manifest) {
        Some(other) => (
            Severity::Warning,
            format!(
                "{} ({}) is not where it should be: its port is {} ({})",
                rail.name, rail.id, other.name, other.id
            ),
        ),
        None => (Severity::Critical, format!("{} ({}) is absent", rail.name, rail.id)),
    };
    let evidence = vec![format!("expected: id {}, name {}", rail.id, rail.name).into()];
    let mut finding = Finding::new(RAIL_ABSENT, severity, summary, evidence);
    finding.rails.push(Text::new(&rail.name));
    // It was there while railtop ran: that finding says since when.
    finding.caused_by = row.map(|_| RAIL_GONE);
    Found { rails: row.map(|v| v.index).into_iter().collect(), finding }
}

fn one_rail(
    view: &RailView<'_>,
    rail: &ExpectedRail,
    node: &Node,
    cause: Option<&'static str>,
) -> Vec<Found> {
    let mut all: Vec<Found> = Vec::new();
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
    if let Some((summary, wanted)) = downgraded(view, rail, cause) {
        add(RAIL_DOWNGRADED, Severity::Warning, summary, wanted);
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
    let renamed = all.iter().any(|f| f.finding.id == RAIL_RENAMED).then_some(RAIL_RENAMED);
    for one in &mut all {
        one.finding.caused_by = match one.finding.id {
            // What is configured by name went with the name.
            RAIL_SWAPPED => renamed,
            // A dead link loses its address, its NI, and the MTU of a group it has not joined.
            RAIL_DOWNGRADED | RAIL_CHANGED | EXPECTED_ADDRESS_MISSING | EXPECTED_NI_MISSING => {
                cause
            }
            _ => None,
        };
    }
    all.extend(adapter(view, rail, node));
    all
}

/// Another adapter sits in the slot: that of another rail, or a new one.
fn adapter(view: &RailView<'_>, rail: &ExpectedRail, node: &Node) -> Option<Found> {
    let guid_of = |r: &Rail| r.rdma.as_ref().and_then(port_guid);
    let (wanted, is) = (rail.guid.as_ref()?, guid_of(view.rail)?);
    if is == *wanted {
        return None;
    }
    let name = view.name();
    let present = |r: &&Rail| r.presence == Presence::Present;
    let other = node.rails.iter().filter(present).find(|r| guid_of(r).as_ref() == Some(wanted));
    let (id, severity, summary) = match other {
        Some(other) => (
            RAIL_SWAPPED,
            Severity::Warning,
            format!(
                "the port {wanted} is {}, expected as {name}: adapters or their order are swapped",
                other.name
            ),
        ),
        None => (
            RAIL_CHANGED,
            Severity::Note,
            format!("{name} has port GUID {is}, expected {wanted}: another adapter is in its slot"),
        ),
    };
    let evidence = vec![format!("expected: port_guid {wanted} at {}", rail.id).into()];
    let finding = Finding::new(id, severity, summary, evidence).on(view);
    Some(Found { rails: vec![view.index], finding })
}

/// The link is less than it should be: what is, and what was wanted.
fn downgraded(
    view: &RailView<'_>,
    rail: &ExpectedRail,
    cause: Option<&'static str>,
) -> Option<(String, String)> {
    let name = view.name();
    let lanes = |w: u32| format!("{w}X");
    let wanted = match (rail.gbits, rail.width) {
        (Some(rate), Some(w)) => format!("{} Gb/s {}", gbits(rate * 1e9), lanes(w)),
        (Some(rate), None) => format!("{} Gb/s", gbits(rate * 1e9)),
        (None, Some(w)) => lanes(w),
        (None, None) => return None,
    };
    // A port that the subnet manager has yet to bring up has its link all the same.
    if view.port().is_some_and(|p| {
        matches!(p, PortState::NoSubnetManager | PortState::Armed | PortState::Retraining)
    }) {
        return None;
    }
    // A port without a link prints a placeholder. That it has none is told by its own finding.
    if !view::works(view.rail) {
        return cause.map(|_| (format!("{name} has no link, expected {wanted}"), wanted));
    }
    let bits = view.rail.rate.nominal_bits_per_second.ok().copied();
    let width = view.rail.rate.width.ok().copied();
    let slower = bits.zip(rail.gbits).is_some_and(|(is, rate)| is < rate * 1e9 * 0.999);
    let narrower = width.zip(rail.width).is_some_and(|(is, w)| is < w);
    let faster = bits.zip(rail.gbits).is_some_and(|(is, rate)| is > rate * 1e9 * 1.001);
    if !slower && (!narrower || faster) {
        return None;
    }
    let rate = bits.map(|b| format!("{} Gb/s", gbits(b)));
    let is: Vec<String> = rate.into_iter().chain(width.map(lanes)).collect();
    Some((format!("{name} runs at {}, expected {wanted}", is.join(" ")), wanted))
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
fn unexpected(views: &[RailView<'_>], node: &Node, manifest: &Manifest) -> Vec<Found> {
    let told = |v: &&RailView<'_>| manifest.rail.iter().any(|r| *r.id == *v.rail.id);
    let present = |v: &&RailView<'_>| v.rail.presence == Presence::Present;
    let known = |v: &&RailView<'_>| {
        let here = |e: &ExpectedRail| views.iter().any(|v| *v.rail.id == *e.id);
        let gone = manifest.rail.iter().filter(|e| !here(e));
        gone.filter_map(|e| moved(e, node, manifest)).any(|r| r.id == v.rail.id)
    };
    let new = views.iter().filter(present).filter(|v| !told(v) && !known(v));
    new.map(|view| {
        let summary = format!("{} ({}) is not among the rails expected", view.name(), view.rail.id);
        let finding = Finding::new(RAIL_UNEXPECTED, Severity::Note, summary, Vec::new()).on(view);
        Found { rails: vec![view.index], finding }
    })
    .collect()
}

#[cfg(test)]
mod tests;
