//! Finding → what to type: typed actions, their commands, undo and order. Nothing is ever run.

mod action;
pub mod persist;
mod sh;
pub(crate) mod spec;

pub use action::{Action, Change, Target};
pub(crate) use sh::word;
pub use spec::{RouteSpec, RuleSpec, SysctlKey};

use crate::check::{Step, Where};

/// The commands of a remedy in a safe order (routes, rules, sysctls, links, neighbours), without
/// repetitions: no packet is ever left without a route that had one.
pub fn commands(changes: &[Change]) -> Vec<Step> {
    steps(ordered(changes).into_iter().map(|c| (c.place, c.action.command())))
}

/// What takes the remedy back, in the opposite order.
pub fn undo(changes: &[Change]) -> Vec<Step> {
    let reversed = ordered(changes).into_iter().rev();
    steps(reversed.filter_map(|c| Some((c.place, c.action.undo()?))))
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
