//! The port itself: signal, subnet manager, presence.

use super::catalogue::{
    PORT_ARMED, PORT_DISABLED, PORT_DOWN, PORT_NO_SM, PORT_RETRAINING, RAIL_GONE,
};
use super::view::{Iface, RailView, Reliance};
use super::{Finding, Severity};
use crate::node::{PortState, RailRdma};
use crate::units;

/// What is wrong with the port of a rail; at most one thing.
pub(super) fn check(view: &RailView<'_>) -> Option<Finding> {
    if view.gone_since().is_some() {
        return Some(gone(view));
    }
    let rdma = view.rail.rdma.as_ref()?;
    let (id, severity, summary) = match rdma.state {
        PortState::Active | PortState::ActiveDefer | PortState::Unknown => return None,
        PortState::Disabled if !has_lost_carrier(view) => {
            (PORT_DISABLED, disabled_severity(view), disabled(view))
        }
        PortState::NoSignal | PortState::Training | PortState::Down | PortState::Disabled => {
            (PORT_DOWN, down_severity(view), down(view, rdma))
        }
        PortState::NoSubnetManager => (PORT_NO_SM, Severity::Critical, no_sm(view)),
        PortState::Armed => (PORT_ARMED, Severity::Warning, armed(view)),
        PortState::Retraining => (PORT_RETRAINING, Severity::Warning, retraining(view)),
    };
    let mut evidence = view.port_evidence();
    if view.is_ethernet() {
        evidence.extend(view.iface_evidence());
    }
    Some(Finding::new(id, severity, summary, evidence).on(view))
}

/// The drivers of Ethernet ports say Disabled for a lost carrier as well.
fn has_lost_carrier(view: &RailView<'_>) -> bool {
    view.is_ethernet() && view.iface() == Iface::NoCarrier
}

fn down_severity(view: &RailView<'_>) -> Severity {
    match view.reliance {
        Reliance::InUse | Reliance::Expected => Severity::Critical,
        Reliance::Guessed => Severity::Warning,
        Reliance::Nothing => Severity::Note,
    }
}

fn disabled_severity(view: &RailView<'_>) -> Severity {
    match view.reliance {
        Reliance::InUse => Severity::Critical,
        Reliance::Expected | Reliance::Guessed => Severity::Warning,
        Reliance::Nothing => Severity::Note,
    }
}

/// "; 3 other rails of o2ib carry on", or why a dead port is no fault.
fn consequence(view: &RailView<'_>) -> String {
    match view.reliance {
        Reliance::Nothing => "; never seen up, nothing relies on it".into(),
        Reliance::Guessed => "; never seen up, the same port of another adapter is".into(),
        Reliance::InUse | Reliance::Expected => view.others(),
    }
}

fn down(view: &RailView<'_>, rdma: &RailRdma) -> String {
    let (name, age, rest) = (view.name(), view.for_how_long(), consequence(view));
    let phys = phys_words(rdma);
    if has_lost_carrier(view) {
        return format!("{name} has no carrier (DOWN, {phys}){age}: cable or switch port{rest}");
    }
    match rdma.state {
        PortState::NoSignal => {
            format!("{name} has no signal (DOWN, {phys}){age}: cable or switch port{rest}")
        }
        PortState::Training => format!(
            "{name} finds a partner and no common link (DOWN, {phys}){age}: cable, or the settings of \
             the switch port{rest}"
        ),
        _ => format!("{name} has no link (DOWN, {phys}){age}: cable or switch port{rest}"),
    }
}

fn disabled(view: &RailView<'_>) -> String {
    let (name, age, rest) = (view.name(), view.for_how_long(), consequence(view));
    if view.is_ethernet() && view.iface() == Iface::AdminDown {
        return format!("{name} is off{age}: its interface is administratively down{rest}");
    }
    format!("{name} is disabled (DOWN, Disabled){age}: somebody switched the port off{rest}")
}

fn no_sm(view: &RailView<'_>) -> String {
    let (name, age, rest) = (view.name(), view.for_how_long(), view.others());
    format!("{name} has a link and no subnet manager (INIT, LinkUp){age}: the cable is fine{rest}")
}

fn armed(view: &RailView<'_>) -> String {
    let (name, age, rest) = (view.name(), view.for_how_long(), view.others());
    format!("{name} is ARMED and not ACTIVE{age}: the subnet manager stopped half-way{rest}")
}

fn retraining(view: &RailView<'_>) -> String {
    let (name, age) = (view.name(), view.for_how_long());
    format!("{name} retrains its link now (ACTIVE, LinkErrorRecovery){age}: look at the cable")
}

fn gone(view: &RailView<'_>) -> Finding {
    let since = view.gone_since().map(|s| units::time_of_day(s.wall)).unwrap_or_default();
    let summary = format!("{} is gone since {since}{}", view.name(), view.others());
    let mut evidence = Vec::new();
    if let Some(rdma) = &view.rail.rdma {
        evidence.push(format!("/sys/class/infiniband/{}: not there any more", rdma.device).into());
    }
    if let Some(netdev) = &view.rail.netdev {
        evidence.push(format!("/sys/class/net/{}: not there any more", netdev.name).into());
    }
    Finding::new(RAIL_GONE, Severity::Critical, summary, evidence).on(view)
}

/// The word of `phys_state`; Omni-Path's own numbers are printed `<unknown>` by the kernel
/// (drivers/infiniband/hw/hfi1/chip.c, chip_to_opa_pstate).
pub(super) fn phys_words(rdma: &RailRdma) -> String {
    match &rdma.phys_state {
        Ok(phys) if phys.word.is_empty() || phys.word.starts_with('<') => match phys.code {
            9 => "Offline".into(),
            11 => "Test".into(),
            code => format!("phys {code}"),
        },
        Ok(phys) => phys.word.to_string(),
        Err(_) => "physical state unknown".into(),
    }
}
