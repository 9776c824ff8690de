//! Load that is not shared, and load that takes another rail than the one it is counted on.

use super::catalogue::{BALANCE_UNFAIR, RAIL_IDLE, WRONG_RAIL};
use super::fold::Found;
use super::view::{self, RailView};
use super::{Finding, Layer, Severity};
use crate::node::{Astray, BalanceSide, Behind, Group, GroupOrigin, Node};
use crate::sample::Text;
use crate::units;
use std::time::Duration;

/// So long messages must have gone astray: several answers of LNet.
const SUSTAINED: Duration = Duration::from_secs(10);

/// Rails that have been behind for as long as the site allows, and rails whose messages other
/// rails carry; each names the finding on the same rail that explains it.
pub(super) fn found(views: &[RailView<'_>], node: &Node, known: &[Found]) -> Vec<Found> {
    let astray = node.astray.iter().filter_map(|a| wrong_rail(views, node, a));
    let mut all: Vec<Found> = astray.map(|f| explained(f, known)).collect();
    for view in views {
        // What carries nothing at all is told as that.
        let idle = known.iter().chain(&all).any(|f| {
            f.rails.contains(&view.index) && matches!(f.finding.id, RAIL_IDLE | WRONG_RAIL)
        });
        if idle || !view::works(view.rail) {
            continue;
        }
        if let Some(finding) = unfair(view, node) {
            let found = Found { rails: vec![view.index], finding };
            all.push(explained(found, known));
        }
    }
    all
}

/// The worse of both directions.
fn unfair(view: &RailView<'_>, node: &Node) -> Option<Finding> {
    let limits = &node.policy.thresholds;
    let long = Duration::try_from_secs_f64(limits.balance_unfair_seconds).ok()?;
    let meant = |g: &&Group| g.origin != GroupOrigin::Guess && g.rails.contains(&view.index);
    let behind = |group| {
        let ways = [(true, group_side(group, true)), (false, group_side(group, false))];
        ways.into_iter().filter_map(move |(received, (side, behind))| {
            let behind = behind.filter(|b| b.rail == view.index)?;
            let lasted = node.time.mono.since(behind.since);
            (lasted >= long).then_some((group, received, side, behind, lasted))
        })
    };
    let (group, received, side, behind, lasted) = node
        .groups
        .iter()
        .filter(meant)
        .flat_map(behind)
        .min_by(|a, b| a.3.share_of_fair_ratio.total_cmp(&b.3.share_of_fair_ratio))?;
    let (verb, flow) =
        if received { ("receives", &view.rail.rx) } else { ("sends", &view.rail.tx) };
    let own = *flow.bytes_per_second.ok()?;
    let total = *side.bytes_per_second.ok()?;
    let fair = own / behind.share_of_fair_ratio.max(1e-9);
    let age = units::duration_words(lasted);
    let summary = if behind.share_of_fair_ratio > 0.0 {
        format!(
            "{} {verb} {} of the {} that would be its fair share of {} ({}), for {age}",
            view.name(),
            units::rate(own, false),
            units::rate(fair, false),
            group.name,
            units::percent(behind.share_of_fair_ratio)
        )
    } else {
        format!(
            "{} {verb} nothing while {} carries {}, for {age}",
            view.name(),
            group.name,
            units::rate(total, false)
        )
    };
    let jain = side.jain_index.ok().map_or_else(String::new, |j| format!(", balance {j:.2}"));
    let mut evidence: Vec<Text> =
        vec![format!("group {} {verb} {}{jain}", group.name, units::rate(total, false)).into()];
    for rail in group.rails.iter().filter_map(|r| node.rails.get(*r)) {
        let flow = if received { &rail.rx } else { &rail.tx };
        let rate = flow.bytes_per_second.ok().map(|r| units::rate(*r, false));
        let share =
            flow.share_ratio.ok().map_or_else(String::new, |s| format!(", {}", units::percent(*s)));
        if let Some(rate) = rate {
            evidence.push(format!("{} {verb} {rate}{share}", rail.name).into());
        }
    }
    Some(Finding::new(BALANCE_UNFAIR, Severity::Warning, summary, evidence).on(view))
}

fn group_side(group: &Group, received: bool) -> (&BalanceSide, Option<Behind>) {
    if received {
        (&group.balance.rx, group.behind_rx)
    } else {
        (&group.balance.tx, group.behind_tx)
    }
}

fn wrong_rail(views: &[RailView<'_>], node: &Node, astray: &Astray) -> Option<Found> {
    let view = views.get(astray.rail)?;
    let instead = node.rails.get(astray.instead)?;
    let lasted = node.time.mono.since(astray.since);
    if lasted < SUSTAINED || !view::works(view.rail) {
        return None;
    }
    let messages = format!("{:.0} messages/s", astray.messages_per_second);
    let summary = format!(
        "LNet counts {messages} on {}, whose port moves only {}: {} carries them",
        view.name(),
        units::rate(astray.port_bytes_per_second, false),
        instead.name
    );
    let nids: Vec<&str> = view.rail.lnet.iter().map(|n| n.ni.nid.as_str()).collect();
    let evidence = vec![
        format!(
            "{}: {messages}, with their headers alone at least {}",
            nids.join(", "),
            units::rate(astray.least_bytes_per_second, false)
        )
        .into(),
        format!(
            "port of {}: {}; port of {}: {}",
            view.name(),
            units::rate(astray.port_bytes_per_second, false),
            instead.name,
            units::rate(astray.instead_bytes_per_second, false)
        )
        .into(),
    ];
    let finding = Finding::new(WRONG_RAIL, Severity::Warning, summary, evidence).on(view);
    Some(Found { rails: vec![view.index], finding })
}

/// The root on the same rail from which it follows: what decides which way packets go, and which
/// NI LNet takes.
fn explained(mut found: Found, known: &[Found]) -> Found {
    let decides = |layer| {
        matches!(
            layer,
            Layer::Rule
                | Layer::Table
                | Layer::Neighbour
                | Layer::Ni
                | Layer::Health
                | Layer::Selection
        )
    };
    let cause = known.iter().find(|k| {
        k.finding.caused_by.is_none()
            && k.finding.severity > Severity::Note
            && decides(k.finding.layer)
            && k.rails.iter().any(|r| found.rails.contains(r))
    });
    found.finding.caused_by = cause.map(|k| k.finding.id);
    found
}

#[cfg(test)]
mod tests;
