//! Finding → what to type: typed actions, their commands, undo and order. Nothing is ever run.

mod action;
pub mod persist;
pub(crate) mod route;
pub(crate) mod sh;
pub(crate) mod spec;

pub use action::{Action, Change, Target};
pub use route::{HopSpec, RouteSpec};
pub(crate) use sh::word;
pub use spec::{RuleSpec, SysctlKey};

use crate::check::{Step, Where};

/// The commands of a remedy in a safe order (routes, rules, sysctls, links, neighbours), without
/// repetitions: no packet is ever left without a route that had one.
pub fn commands(changes: &[Change]) -> Vec<Step> {
    steps(ordered(changes).into_iter().map(|c| (c.place, c.action.command())))
}

/// What shows that the remedy is done, on this node.
pub fn proofs(changes: &[Change]) -> Vec<Step> {
    let here = ordered(changes).into_iter().filter(|c| c.place == Where::Here);
    steps(here.filter_map(|c| Some((c.place, c.action.proof()?))))
}

/// What takes the remedy back, in the opposite order. Addresses come back in the order in which
/// they stood: the first of two connected routes of one prefix is the one that is used.
pub fn undo(changes: &[Change]) -> Vec<Step> {
    let mut reversed: Vec<&Change> = ordered(changes).into_iter().rev().collect();
    let phase = |c: &Change| (c.place == Where::Peer, c.action.phase());
    let runs = reversed.chunk_by_mut(|a, b| phase(a) == phase(b));
    for run in runs {
        if run.iter().any(|c| matches!(c.action, Action::Address { .. })) {
            run.reverse();
        }
    }
    steps(reversed.into_iter().filter_map(|c| Some((c.place, c.action.undo()?))))
}

fn ordered(changes: &[Change]) -> Vec<&Change> {
    let mut all: Vec<&Change> = Vec::with_capacity(changes.len());
    for change in changes {
        if !all.contains(&change) {
            all.push(change);
        }
    }
    all.sort_by_key(|c| (c.place == Where::Peer, c.action.phase()));
    all
}

fn steps(lines: impl Iterator<Item = (Where, String)>) -> Vec<Step> {
    lines.map(|(place, line)| Step { place, command: line.into() }).collect()
}
