//! The order of the rails, and which of them the filter lets through.

use crate::check::{Assessment, Verdict};
use crate::node::{Node, Rail};
use crate::tui::state::{Sort, ViewState};
use std::cmp::Ordering;

/// One line of the rails table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    /// Index into [`Node::rails`].
    Rail(usize),
    /// Index into [`Node::groups`].
    Group(usize),
    /// All other NICs together.
    Other,
}

/// All lines: each group's rails, then the group; rails without a group; the other NICs.
pub(crate) fn rows(node: &Node, assessment: &Assessment, view: &ViewState) -> Vec<Row> {
    let shown: Vec<usize> = rails(node, assessment, view);
    let mut rows: Vec<Row> = Vec::new();
    let mut group = None;
    for index in shown {
        let own = node.rails.get(index).and_then(|rail| rail.group);
        if own != group {
            rows.extend(group.map(Row::Group));
            group = own;
        }
        rows.push(Row::Rail(index));
    }
    rows.extend(group.map(Row::Group));
    if !node.other.names.is_empty() && view.filter.is_empty() {
        rows.push(Row::Other);
    }
    rows
}

/// The rails that are shown, in order: indices into [`Node::rails`].
pub(crate) fn rails(node: &Node, assessment: &Assessment, view: &ViewState) -> Vec<usize> {
    let mut shown: Vec<(usize, &Rail)> =
        node.rails.iter().enumerate().filter(|(_, rail)| passes(rail, &view.filter)).collect();
    let rank = |index: usize| sickness(verdict_of(assessment, index));
    let group_rank = |rail: &Rail, index: usize| match rail.group.and_then(|g| node.groups.get(g)) {
        Some(group) => group.rails.iter().map(|r| rank(*r)).min().unwrap_or(rank(index)),
        None => rank(index),
    };
    let keep_apart = |rail: &Rail| rail.group.unwrap_or(usize::MAX);
    shown.sort_by(|(i, a), (k, b)| {
        let groups = match view.sort {
            Sort::State => group_rank(a, *i).cmp(&group_rank(b, *k)),
            _ => Ordering::Equal,
        };
        let inside = match view.sort {
            Sort::State => rank(*i).cmp(&rank(*k)),
            Sort::Name => Ordering::Equal,
            Sort::Rx => busier(&a.rx, &b.rx),
            Sort::Tx => busier(&a.tx, &b.tx),
        };
        let inside = inside.then(i.cmp(k));
        let inside = if view.reverse { inside.reverse() } else { inside };
        groups.then(keep_apart(a).cmp(&keep_apart(b))).then(inside)
    });
    shown.into_iter().map(|(index, _)| index).collect()
}

/// The position of the selected rail among `rails`; the first if it is not there.
pub(crate) fn selected(node: &Node, rails: &[usize], view: &ViewState) -> usize {
    let wanted = |index: &usize| {
        node.rails.get(*index).is_some_and(|rail| Some(&rail.id) == view.selected.as_ref())
    };
    rails.iter().position(wanted).unwrap_or(0)
}

/// The verdict on a rail; unknown where the judgement has none.
pub(crate) fn verdict_of(assessment: &Assessment, index: usize) -> Verdict {
    assessment.rails.get(index).map_or(Verdict::Unknown, |rail| rail.verdict)
}

/// The worst is least.
fn sickness(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Critical => 0,
        Verdict::Warning => 1,
        Verdict::Unknown => 2,
        Verdict::Note => 3,
        Verdict::Ok | Verdict::NotApplicable => 4,
    }
}

fn busier(a: &crate::node::Flow, b: &crate::node::Flow) -> Ordering {
    let rate = |flow: &crate::node::Flow| flow.bytes_per_second.ok().copied().unwrap_or(-1.0);
    rate(b).total_cmp(&rate(a))
}

fn passes(rail: &Rail, filter: &str) -> bool {
    filter.is_empty() || rail.names().any(|name| contains(name, filter))
}

/// Is the filter in the text? Letter case does not matter.
pub(crate) fn contains(text: &str, filter: &str) -> bool {
    filter.is_empty() || text.to_lowercase().contains(&filter.to_lowercase())
}
