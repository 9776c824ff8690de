//! What could not be judged, and what would open it.

mod ports;

use super::NotChecked;
use super::fold::Found;
use super::ladder;
use super::view::RailView;
use crate::node::{Node, Policy};
use crate::sample::{LnetFailure, OWN_COST, Reading, Text, Unknown, Why};
use crate::units;

/// Everything that could not be judged on this node.
pub(super) fn list(views: &[RailView<'_>], node: &Node) -> Vec<NotChecked> {
    let mut list: Vec<NotChecked> = views.iter().filter_map(rail).collect();
    list.extend(ports::list(views));
    list.extend(lnet(node));
    list.extend(lnet_more(node));
    list.extend(routing(node));
    list.extend(notes(node));
    list
}

/// What the site does not want to hear of.
pub(super) fn left_out(found: &[Found], policy: &Policy) -> Vec<NotChecked> {
    let mut ids: Vec<&str> = found.iter().map(|f| f.finding.id).collect();
    ids.sort_unstable();
    ids.dedup();
    let why = |id: &&str| {
        let count = found.iter().filter(|f| f.finding.id == *id).count();
        if policy.is_ignored(id) {
            format!("{count} found, left out by --ignore or the configuration")
        } else {
            format!("{count} found, and not asked for here: railtop check tells")
        }
    };
    ids.iter().map(|id| entry(*id, why(id))).collect()
}

fn entry(what: impl Into<Text>, why: impl Into<Text>) -> NotChecked {
    NotChecked { what: what.into(), why: why.into() }
}

fn rail(view: &RailView<'_>) -> Option<NotChecked> {
    let unknown = ladder::unreadable(view)?;
    Some(entry(view.rail.name.clone(), opened(&unknown)))
}

/// LNet that is not there is no gap; LNet that is there and does not speak is one.
fn lnet(node: &Node) -> Option<NotChecked> {
    let Some(unknown) = node.lnet_unknown() else {
        // An lnetctl that was named and cannot be run, where no module is loaded.
        let Err(LnetFailure::CannotRun(detail)) = &node.lnet.answer else { return None };
        return Some(entry("LNet", with_detail("lnetctl failed", detail)));
    };
    let why = match unknown.why {
        Why::Denied => match &node.lnet.sudoers {
            Some(line) => format!(
                "needs root: sudo railtop; or railtop --sudo, with this line in \
                 /etc/sudoers.d/railtop: {line}"
            ),
            None => "needs root: sudo railtop".into(),
        },
        Why::Timeout => with_detail("lnetctl did not answer in time", &unknown.detail),
        Why::Unparsable => with_detail("lnetctl failed", &unknown.detail),
        _ => unknown.detail.to_string(),
    };
    Some(entry("LNet", why))
}

fn with_detail(what: &str, detail: &Text) -> String {
    if detail.is_empty() { what.into() } else { format!("{what}: {detail}") }
}

/// What LNet did not say although it speaks. What it was not asked, or a version does not have, is
/// no gap.
fn lnet_more(node: &Node) -> Vec<NotChecked> {
    if node.lnet.answer.is_err() {
        return Vec::new();
    }
    let more = &node.lnet.more;
    let parts = [
        ("LNet's peers", gap(&more.peers)),
        ("LNet's statistics", gap(&more.stats)),
        ("LNet's settings", gap(&more.global)),
        ("LNet's routes", gap(&more.routes)),
        ("LNet's router buffers", gap(&more.routing)),
        ("LNet's selection policies", gap(&more.udsp)),
        ("LNet's credits in use", gap(&more.credits)),
    ];
    together(parts)
}

fn gap<T>(reading: &Reading<T>) -> Option<&Unknown> {
    let unknown = reading.as_ref().err()?;
    matches!(unknown.why, Why::Denied | Why::Timeout | Why::Unparsable).then_some(unknown)
}

/// The routing tables that could not be read, those with the same reason together.
fn routing(node: &Node) -> Vec<NotChecked> {
    let r = &node.routing;
    together([
        ("links", problem(&node.links)),
        ("addresses", problem(&r.addresses)),
        ("rules", problem(&r.rules4)),
        ("IPv6 rules", problem(&r.rules6)),
        ("routes", problem(&r.routes4)),
        ("IPv6 routes", problem(&r.routes6)),
        ("neighbours", problem(&r.neighbours)),
        ("next hops", problem(&r.nexthops)),
    ])
}

/// One entry per reason.
fn together<const N: usize>(parts: [(&str, Option<&Unknown>); N]) -> Vec<NotChecked> {
    let mut gaps: Vec<(String, &Unknown)> = Vec::new();
    for (name, unknown) in parts.into_iter().filter_map(|(n, u)| Some((n, u?))) {
        match gaps.iter_mut().find(|(_, u)| *u == unknown) {
            Some((names, _)) => {
                names.push_str(", ");
                names.push_str(name);
            }
            None => gaps.push((name.into(), unknown)),
        }
    }
    gaps.into_iter().map(|(names, unknown)| entry(names, opened(unknown))).collect()
}

/// What a kernel does not have cannot be wrong there.
fn problem<T>(reading: &Reading<T>) -> Option<&Unknown> {
    let unknown = reading.as_ref().err()?;
    (!matches!(unknown.why, Why::Unsupported | Why::NotApplicable)).then_some(unknown)
}

/// The reason, and what would open it.
fn opened(unknown: &Unknown) -> String {
    match unknown.why {
        Why::Denied => format!("{unknown}; root would see it: sudo railtop"),
        _ => unknown.to_string(),
    }
}

/// What the readers say, unless a finding says it better.
fn notes(node: &Node) -> Vec<NotChecked> {
    let stuck = |reader: &Text| {
        let mut devices = node.rails.iter().filter_map(|r| r.rdma.as_ref());
        devices.any(|d| d.stuck_since.is_some() && d.device == *reader)
    };
    node.notes
        .iter()
        // Slower counters are less, but they are checked: the events tell of it.
        .filter(|note| note.reader != OWN_COST && !stuck(&note.reader))
        .map(|note| {
            let age = units::duration_words(node.time.mono.since(note.since));
            entry(note.reader.clone(), format!("{}, for {age}", note.what))
        })
        .collect()
}
