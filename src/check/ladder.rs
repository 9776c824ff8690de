//! The ladder of a rail: every layer from the cable to the traffic, with its verdict.

mod rungs;

use super::fold;
use super::routing::Rungs;
use super::selection;
use super::view::{Iface, RailView};
use super::{Finding, Layer, RailAssessment, Rung, Verdict};
use crate::node::PortState;
use crate::sample::{Text, Unknown, Why};

/// The judgement on one rail, from its findings and its state.
pub(super) fn judge(
    view: &RailView<'_>,
    findings: &[&Finding],
    routed: Option<&Rungs>,
    scene: &selection::Scene<'_>,
    silent: &[Layer],
) -> RailAssessment {
    let ladder: Vec<Rung> = rungs::all(view, routed, scene)
        .into_iter()
        .map(|rung| decided(rung, findings, silent))
        .collect();
    let first_failing = ladder
        .iter()
        .find(|r| matches!(r.verdict, Verdict::Warning | Verdict::Critical))
        .map(|r| r.layer);
    let verdict = match fold::worst(findings.iter().copied()) {
        Some(severity) => severity.into(),
        None if unreadable(view).is_some() => Verdict::Unknown,
        None => Verdict::Ok,
    };
    let selection = selection::table(scene, view);
    RailAssessment { verdict, ladder, first_failing, selection, state_word: state_word(view) }
}

/// The worst finding of a layer decides its rung; one that the site left out makes it a note.
fn decided(mut rung: Rung, findings: &[&Finding], silent: &[Layer]) -> Rung {
    let worst = findings.iter().filter(|f| f.layer == rung.layer).max_by_key(|f| f.severity);
    if let Some(finding) = worst {
        // Other rungs say what is; the healthy words of this one are the opposite of its findings.
        let opposite = rung.layer == Layer::Neighbour && rung.verdict == Verdict::Ok;
        if let Some(entry) = super::entry(finding.id).filter(|_| opposite) {
            rung.detail = entry.title.into();
        }
        rung.verdict = finding.severity.into();
        rung.finding = Some(finding.id);
    } else if silent.contains(&rung.layer) {
        rung.verdict = Verdict::Note;
    }
    rung
}

/// Why nothing of a rail could be read, if so.
pub(super) fn unreadable(view: &RailView<'_>) -> Option<Unknown> {
    if view.gone_since().is_some() {
        return None;
    }
    match &view.rail.rdma {
        // The interface tells nothing of the port below it.
        Some(rdma) if rdma.state == PortState::Unknown => {
            let why = rdma.raw_state.as_ref().err().cloned();
            Some(why.unwrap_or_else(|| not_understood(&view.port_evidence())))
        }
        None if matches!(view.iface(), Iface::Unknown | Iface::None) => {
            let netdev = view.rail.netdev.as_ref();
            let why = netdev.and_then(|n| n.admin_up.clone().err().or(n.carrier.clone().err()));
            Some(why.unwrap_or_else(|| Unknown::new(Why::Absent, "no interface")))
        }
        _ => None,
    }
}

fn not_understood(evidence: &[Text]) -> Unknown {
    let lines: Vec<&str> = evidence.iter().map(Text::as_str).collect();
    Unknown::new(Why::Unparsable, lines.join("; "))
}

/// One or two words for the state column.
fn state_word(view: &RailView<'_>) -> Text {
    if view.gone_since().is_some() {
        return "gone".into();
    }
    if view.rail.rdma.as_ref().is_some_and(|r| r.stuck_since.is_some()) {
        return "no answer".into();
    }
    let iface = view.iface();
    match view.port() {
        Some(port) if port.is_active() && iface == Iface::NoCarrier => "no carrier".into(),
        Some(port) => port_word(view, port),
        None => iface_word(iface).into(),
    }
}

fn port_word(view: &RailView<'_>, port: PortState) -> Text {
    match port {
        PortState::Active => "ACTIVE".into(),
        PortState::Retraining => "RETRAINING".into(),
        PortState::ActiveDefer => "ACTIVE_DEFER".into(),
        PortState::Armed => "ARMED".into(),
        PortState::NoSubnetManager => "no SM".into(),
        PortState::Disabled if view.is_ethernet() && view.iface() == Iface::NoCarrier => {
            "no carrier".into()
        }
        PortState::Disabled if view.is_ethernet() && view.iface() == Iface::AdminDown => {
            "admin down".into()
        }
        PortState::Disabled => "DISABLED".into(),
        PortState::Training => "DOWN Training".into(),
        PortState::NoSignal | PortState::Down => {
            let phys = view.rail.rdma.as_ref().map(super::link::phys_words).unwrap_or_default();
            format!("DOWN {phys}").into()
        }
        PortState::Unknown => "unknown".into(),
    }
}

fn iface_word(iface: Iface) -> &'static str {
    match iface {
        Iface::Up => "up",
        Iface::NoCarrier => "no carrier",
        Iface::AdminDown => "admin down",
        Iface::None | Iface::Unknown => "unknown",
    }
}
