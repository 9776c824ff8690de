//! The interface of a rail: carrier, switched off.

use super::catalogue::{NETDEV_NO_CARRIER, PORT_RETRAINING, RAIL_ADMIN_DOWN, RAIL_DOWN};
use super::routing::refill;
use super::view::{self, Iface, RailView, Reliance};
use super::{Cause, Finding, Layer, Severity, Step, Where};
use crate::fix::{self, Action, Change};
use crate::node::{PortState, RailNetdev};

/// What is wrong with the interface of a rail; at most one thing. `port` is what was found of the
/// port behind it.
pub(super) fn check(view: &RailView<'_>, port: Option<&Finding>) -> Option<Finding> {
    if view.gone_since().is_some() {
        return None;
    }
    let cause =
        port.filter(|f| f.id != PORT_RETRAINING).map(|f| Cause { id: f.id, severity: f.severity });
    let active = view.port().is_some_and(PortState::is_active);
    match view.iface() {
        Iface::NoCarrier if active => Some(no_carrier(view, view.rail.netdev.as_ref()?)),
        Iface::NoCarrier => Some(down(view, cause)),
        Iface::AdminDown if cause.is_none() => switched_off(view),
        Iface::Up if active => child_without_carrier(view),
        _ => None,
    }
}

fn no_carrier(view: &RailView<'_>, netdev: &RailNetdev) -> Finding {
    let age = view.for_how_long();
    let summary = if view.is_ethernet() {
        format!("{} has no carrier{age} although its port is ACTIVE", netdev.name)
    } else {
        format!(
            "{} has no carrier although its port is ACTIVE: partition, or the join of the multicast group",
            netdev.name
        )
    };
    let mut evidence = view.port_evidence();
    evidence.extend(view::netdev_evidence(view.node, netdev));
    if let Ok(pkey) = &netdev.pkey {
        evidence.push(format!("/sys/class/net/{}/pkey: {pkey}", netdev.name).into());
    }
    Finding::new(NETDEV_NO_CARRIER, Severity::Warning, summary, evidence).on(view)
}

fn child_without_carrier(view: &RailView<'_>) -> Option<Finding> {
    let child = view.rail.children.iter().find(|c| view::iface(c) == Iface::NoCarrier)?;
    Some(no_carrier(view, child))
}

/// Up without carrier: a consequence of a dead port, else the first sign of one.
fn down(view: &RailView<'_>, cause: Option<Cause>) -> Finding {
    let severity = match (cause, view.reliance) {
        (Some(cause), _) => cause.severity.min(Severity::Warning),
        (None, Reliance::Nothing) => Severity::Note,
        (None, Reliance::Guessed) => Severity::Warning,
        (None, _) => Severity::Critical,
    };
    let name = view.rail.netdev.as_ref().map_or(view.name(), |n| n.name.as_str());
    let summary = match (cause, view.reliance) {
        (Some(_), _) => format!("{name} is up without carrier"),
        (None, Reliance::Nothing) => {
            format!("{name} is up without carrier; never seen up, nothing relies on it")
        }
        (None, _) => {
            let (age, rest) = (view.for_how_long(), view.others());
            format!("{name} has no carrier{age}: cable or switch port{rest}")
        }
    };
    let mut finding =
        Finding::new(RAIL_DOWN, severity, summary, view.iface_evidence()).on(view).because(cause);
    if view.rail.rdma.is_none() {
        // With no port behind the interface, its carrier is all that is known of the cable.
        finding.layer = Layer::Cable;
    }
    finding
}

/// Off on purpose on nodes that use RDMA alone: only worth a word where something relies on it.
fn switched_off(view: &RailView<'_>) -> Option<Finding> {
    let netdev = view.rail.netdev.as_ref()?;
    let name = &netdev.name;
    let refill = refill::of(view.node, name);
    let needed = !view.rail.lnet.is_empty() || view.is_grouped() || !refill.evidence.is_empty();
    let severity = match view.port() {
        Some(_) if view.is_relied_on() && needed => Severity::Warning,
        Some(_) if view.is_relied_on() => Severity::Note,
        None if view.reliance == Reliance::InUse => Severity::Warning,
        _ => return None,
    };
    let what = if !view.rail.lnet.is_empty() {
        "has an LNet NI"
    } else if !refill.evidence.is_empty() {
        "has rules that lead to its own table"
    } else if view::has_address(view.rail) {
        "has an address"
    } else {
        "was in use"
    };
    let summary = format!(
        "{name} is administratively down{} and {what}{}",
        view.for_how_long(),
        view.others()
    );
    let mut evidence = view.iface_evidence();
    evidence.extend(refill.evidence);
    let mut finding = Finding::new(RAIL_ADMIN_DOWN, severity, summary, evidence).on(view);
    let up = Action::Other {
        command: format!("ip link set dev {} up", fix::word(name)),
        undo: Some(format!("ip link set dev {} down", fix::word(name))),
        // With the addresses: the kernel takes no route by an interface that is down.
        phase: 2,
    };
    finding.remedy = std::iter::once(Change::here(up)).chain(refill.routes).collect();
    finding.fix = fix::commands(&finding.remedy);
    finding.undo = fix::undo(&finding.remedy);
    let proof = format!("ip link show dev {} up | grep -F LOWER_UP", fix::word(name));
    finding.verify = vec![Step { place: Where::Here, command: proof.into() }];
    finding.verify.extend(fix::proofs(&finding.remedy));
    Some(finding)
}
