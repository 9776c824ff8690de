//! Where the bytes go.

use super::catalogue::{RAIL_IDLE, TRAFFIC_OFF_RAILS};
use super::view::{self, RailView};
use super::{Cause, Finding, Severity};
use crate::node::{Flow, FlowSource, Node};
use crate::sample::Text;
use crate::units;

/// Below this part of its usable rate a rail or group counts as idle.
const FLOOR_RATIO: f64 = 0.01;
/// The same where the usable rate is not known: what managing the fabric costs stays below it.
const FLOOR_BYTES_PER_SECOND: f64 = 1e6;
/// All rails together carry less than this part of it.
const OFF_RAILS_RATIO: f64 = 0.1;
/// So many cards are named in a sentence.
const NAMES: usize = 3;
/// So many samples back a rail must have been idle.
const IDLE_POINTS: usize = 5;

/// A dead rail whose group works without it.
pub(super) fn idle(view: &RailView<'_>, cause: Option<Cause>) -> Option<Finding> {
    let cause = cause.filter(|c| c.severity > Severity::Note)?;
    let group = view.node.groups.get(view.rail.group?)?;
    if view::works(view.rail) {
        return None;
    }
    let usable = group.usable_bytes_per_second.ok().copied().unwrap_or(0.0);
    let sides = [(&group.balance.rx, &view.rail.rx), (&group.balance.tx, &view.rail.tx)];
    let own = |flow: &Flow| flow.bytes_per_second.ok().copied().unwrap_or(0.0);
    // It died within the interval, and carried until then.
    if sides.iter().any(|(_, flow)| own(flow) > floor(0.0)) {
        return None;
    }
    let carried = sides
        .iter()
        .filter_map(|(side, flow)| Some(side.bytes_per_second.ok().copied()? - own(flow)))
        .fold(0.0, f64::max);
    if carried <= floor(usable) {
        return None;
    }
    let summary = format!(
        "{} carries nothing while the rest of {} carries {}",
        view.name(),
        group.name,
        units::rate(carried, false)
    );
    let evidence = vec![format!("group {}: {}", group.name, units::rate(carried, false)).into()];
    let finding = Finding::new(RAIL_IDLE, Severity::Warning, summary, evidence);
    Some(finding.on(view).because(Some(cause)))
}

/// What a group with that usable rate must carry to be called at work, bytes per second.
pub(super) fn floor(usable: f64) -> f64 {
    (usable * FLOOR_RATIO).max(FLOOR_BYTES_PER_SECOND)
}

/// A rail that could work, and is left out.
pub(super) fn left_out(view: &RailView<'_>, net: &str, carried: f64) -> Finding {
    let carried = units::rate(carried, false);
    let summary = format!("{} idles while the rest of {net} carries {carried}", view.name());
    let own = [("receives", &view.rail.rx), ("sends", &view.rail.tx)].into_iter().filter_map(
        |(verb, flow)| {
            let rate = *flow.bytes_per_second.ok()?;
            Some(format!("{} {verb} {}", view.name(), units::rate(rate, false)).into())
        },
    );
    Finding::new(RAIL_IDLE, Severity::Warning, summary, own.collect()).on(view)
}

/// The other cards work, the rails do not.
pub(super) fn off_rails(views: &[RailView<'_>]) -> Option<Finding> {
    let node = views.first()?.node;
    let up: Vec<&RailView<'_>> = views.iter().filter(|v| view::works(v.rail)).collect();
    if !up.iter().any(|v| v.is_relied_on()) || !up.iter().all(|v| is_idle(v)) {
        return None;
    }
    let other = &node.other;
    off_in(node, "receive", &other.rx, up.iter().map(|v| &v.rail.rx))
        .or_else(|| off_in(node, "send", &other.tx, up.iter().map(|v| &v.rail.tx)))
}

/// The same in one direction.
fn off_in<'a>(
    node: &Node,
    verb: &str,
    other: &Flow,
    rails: impl Iterator<Item = &'a Flow>,
) -> Option<Finding> {
    let other = *other.bytes_per_second.ok()?;
    let rails: f64 = rails.filter_map(|flow| flow.bytes_per_second.ok()).sum();
    let least = node.policy.thresholds.off_rails_bytes_per_second;
    let off = other >= least && rails < other * OFF_RAILS_RATIO;
    off.then(|| off_rails_finding(node, verb, other, rails))
}

fn off_rails_finding(node: &Node, verb: &str, other: f64, rails: f64) -> Finding {
    let mut names: Vec<&str> = node.other.names.iter().map(Text::as_str).collect();
    if names.len() > NAMES {
        names.truncate(NAMES);
        names.push("…");
    }
    let summary = format!(
        "other NICs ({}) {verb} {} while the rails are idle",
        names.join(", "),
        units::rate(other, false)
    );
    let evidence = vec![
        format!("other NICs {verb} {}", units::rate(other, false)).into(),
        format!("all rails {verb} {}", units::rate(rails, false)).into(),
    ];
    Finding::new(TRAFFIC_OFF_RAILS, Severity::Warning, summary, evidence)
}

/// Known to carry next to nothing, now and lately. False when its bytes are not fully known: the
/// statistics of an IPoIB interface do not show RDMA.
pub(super) fn is_idle(view: &RailView<'_>) -> bool {
    let ip_only = view.rail.rdma.is_some() && !view.is_ethernet();
    let floor = view.rail.limits.ceiling_bits_per_second.ok().map(|bits| bits / 8.0 * FLOOR_RATIO);
    let below = |rate: f64| floor.is_none_or(|floor| rate < floor);
    let now = [&view.rail.rx, &view.rail.tx].into_iter().all(|flow| {
        let partial = ip_only && flow.source == Some(FlowSource::Netdev);
        !partial && flow.bytes_per_second.ok().is_some_and(|rate| below(*rate))
    });
    let mut recent = view.rail.history.points.iter().rev().take(IDLE_POINTS);
    now && recent.all(|p| [p.rx, p.tx].into_iter().flatten().all(|rate| below(f64::from(rate))))
}
