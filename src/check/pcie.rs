//! The PCIe path of a rail: links that came up worse than they can, slots that are too narrow.

use super::catalogue::{PCIE_DOWNGRADED, PCIE_LIMITED};
use super::fold::Found;
use super::view::{self, RailView};
use super::{Finding, NotChecked, Severity};
use crate::node::{GroupOrigin, PcieLink, Presence, Rail, Training};
use crate::sample::Text;
use crate::units::gbits;

/// A limit counts from this part of what is wanted on.
const SHORT: f64 = 0.99;

/// All of the node: a link that several rails share is told of once.
pub(super) fn check(views: &[RailView<'_>]) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for view in views.iter().filter(|v| v.rail.presence == Presence::Present) {
        for link in links(view.rail).filter(|l| is_fault(l)) {
            let known = found
                .iter_mut()
                .find(|f| f.finding.evidence.first().is_some_and(|e| e.starts_with(&path(link))));
            if let Some(known) = known {
                known.rails.push(view.index);
                known.finding.rails.push(view.rail.name.clone());
            } else {
                found.push(Found { rails: vec![view.index], finding: downgraded(view, link) });
            }
        }
    }
    for view in views.iter().filter(|v| v.rail.presence == Presence::Present) {
        let finding = limited(view).or_else(|| shared(view));
        found.extend(finding.map(|(rails, finding)| Found { rails, finding }));
    }
    found
}

/// Speeds that can only be judged under load.
pub(super) fn not_checked(views: &[RailView<'_>]) -> Vec<NotChecked> {
    let mut list: Vec<NotChecked> = Vec::new();
    for view in views.iter().filter(|v| v.rail.presence == Presence::Present) {
        for link in links(view.rail).filter(|l| l.training == Training::SlowerAtIdle) {
            let what: Text = format!("PCIe speed of {}", view.name()).into();
            let (Ok(now), Ok(can)) = (&link.current, &link.possible) else { continue };
            let why = format!(
                "{} runs at {now} of {can} while idle, as some platforms do to save power; it is judged \
                 under load",
                link.lower
            );
            list.push(NotChecked { what, why: why.into() });
        }
    }
    list
}

fn links(rail: &Rail) -> impl Iterator<Item = &PcieLink> {
    rail.limits.pcie.iter().flat_map(|p| &p.links)
}

fn is_fault(link: &PcieLink) -> bool {
    matches!(link.training, Training::Narrower | Training::Slower)
}

fn path(link: &PcieLink) -> String {
    format!("/sys/bus/pci/devices/{}", link.lower)
}

/// "mlx5_0 (0000:03:00.0) and 0000:00:01.0".
fn ends(link: &PcieLink) -> String {
    match &link.upper {
        Some(upper) => format!("between {} and {upper}", link.lower),
        None => format!("of {}", link.lower),
    }
}

fn downgraded(view: &RailView<'_>, link: &PcieLink) -> Finding {
    let words = |lanes: &crate::sample::Reading<crate::node::Lanes>| {
        lanes.as_ref().map_or_else(ToString::to_string, ToString::to_string)
    };
    let (now, can) = (words(&link.current), words(&link.possible));
    let carries = link.current.as_ref().ok().map_or(0.0, |l| l.bits_per_second());
    let wanted = view.rail.rate.usable_bits_per_second.ok().copied();
    let harms = wanted.is_none_or(|bits| carries < bits);
    // Fewer lanes are a fault of the contact; a slower link that carries enough can wait.
    let severity = if harms || link.training == Training::Narrower {
        Severity::Warning
    } else {
        Severity::Note
    };
    let effect = match wanted {
        Some(bits) if carries < bits => {
            format!(": {} of {} Gb/s", gbits(carries), gbits(bits))
        }
        Some(_) => ", still enough for its link".into(),
        None => String::new(),
    };
    let summary = format!(
        "{}: the PCIe link {} runs at {now}, both ends can {can}{effect}",
        view.name(),
        ends(link)
    );
    let mut evidence = vec![Text::from(format!("{}: current {now}, possible {can}", path(link)))];
    evidence.push(match link.training {
        Training::Narrower => "lanes are missing: seat the card anew, clean its contacts, look at the riser".into(),
        _ => "slower under load, or slower than an equal card of this node: seat the card anew, look at the \
              firmware settings of the slot"
            .into(),
    });
    Finding::new(PCIE_DOWNGRADED, severity, summary, evidence).on(view)
}

/// A slot that is narrower than the link by design.
fn limited(view: &RailView<'_>) -> Option<(Vec<usize>, Finding)> {
    let rail = view.rail;
    let wanted = *rail.rate.usable_bits_per_second.ok()?;
    let (link, carries) = rail.limits.pcie.as_ref()?.could_carry()?;
    let cable: f64 = rail
        .limits
        .same_cable
        .iter()
        .filter_map(|other| view.node.rails.get(*other))
        .filter_map(|other| other.limits.pcie.as_ref()?.could_carry().map(|(_, bits)| bits))
        .sum();
    if carries + cable >= wanted * SHORT {
        return None;
    }
    let lanes = link.possible.as_ref().or(link.current.as_ref()).ok()?;
    let twin = view.node.rails.iter().find(|other| is_wider_twin(rail, other, carries));
    let (severity, comparison) = match twin {
        Some(twin) => (Severity::Warning, format!("; the equal card of {} has more", twin.name)),
        None => (Severity::Note, String::new()),
    };
    let summary = format!(
        "{} is limited by its slot: PCIe {lanes} carries {} Gb/s, the link {} Gb/s{comparison}",
        view.name(),
        gbits(carries),
        gbits(wanted)
    );
    let known = if link.possible.is_ok() { "both ends can" } else { "runs at" };
    let evidence = vec![Text::from(format!("{}: {known} {lanes}", path(link)))];
    let finding = Finding::new(PCIE_LIMITED, severity, summary, evidence).on(view);
    Some((vec![view.index], finding))
}

/// The same model, on a wider path.
fn is_wider_twin(rail: &Rail, other: &Rail, carries: f64) -> bool {
    let model = |r: &Rail| {
        let pci = r.pci.as_ref()?;
        Some((pci.vendor.clone().ok()?, pci.device.clone().ok()?))
    };
    let wider = other.limits.pcie.as_ref().and_then(|p| p.could_carry());
    other.id != rail.id
        && other.presence == Presence::Present
        && model(rail).is_some()
        && model(rail) == model(other)
        && wider.is_some_and(|(_, bits)| bits * SHORT > carries)
}

/// The ports of one card that are meant to be used together and do not fit through its slot.
fn shared(view: &RailView<'_>) -> Option<(Vec<usize>, Finding)> {
    let (rail, node) = (view.rail, view.node);
    let group = node.groups.get(rail.group?)?;
    let meant = matches!(group.origin, GroupOrigin::LnetNet | GroupOrigin::Config);
    let mut all: Vec<usize> = rail.limits.same_slot.clone();
    all.retain(|other| {
        let of = node.rails.get(*other);
        of.is_some_and(|r| r.group == rail.group && view::works(r))
    });
    // Told of once, with the first of them.
    let first = all.iter().all(|other| *other > view.index);
    if !meant || all.is_empty() || !first || !view::works(rail) {
        return None;
    }
    all.insert(0, view.index);
    let members = || all.iter().filter_map(|i| node.rails.get(*i));
    let wanted: f64 = members().filter_map(|r| r.rate.usable_bits_per_second.ok().copied()).sum();
    let (link, carries) = rail.limits.pcie.as_ref()?.could_carry()?;
    if carries >= wanted * SHORT {
        return None;
    }
    let lanes = link.possible.as_ref().or(link.current.as_ref()).ok()?;
    let names: Vec<&str> = members().map(|r| r.name.as_str()).collect();
    let summary = format!(
        "{} share one slot: PCIe {lanes} carries {} Gb/s, their links {} Gb/s together",
        names.join(" and "),
        gbits(carries),
        gbits(wanted)
    );
    let evidence = vec![Text::from(format!("{}: {lanes}", path(link)))];
    let mut finding = Finding::new(PCIE_LIMITED, Severity::Note, summary, evidence);
    finding.rails = members().map(|r| r.name.clone()).collect();
    Some((all, finding))
}
