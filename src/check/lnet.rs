//! LNet: its life, its nets, its NIs, its routes.

mod beside;
mod config;
mod credits;
mod failing;
mod kit;
mod lasting;
mod nets;
mod ni;
mod peers;
mod routes;
mod rules;
mod settings;
mod stage;
#[cfg(test)]
mod tests;

pub(super) use ni::is_held;
pub use ni::ni_verdict;
pub use peers::peer_verdict;

use super::fold::Found;
use super::view::RailView;
use super::{Cause, Finding};
use crate::lnet::lifecycle::Lifecycle;
use crate::node::Node;

/// What is said of one rail's NIs.
pub(super) fn on_rail(view: &RailView<'_>, cause: Option<Cause>) -> Vec<Finding> {
    ni::on_rail(view, cause)
}

/// What is said of LNet as a whole, and of several rails together.
pub(super) fn of_node(node: &Node, views: &[RailView<'_>], life: &Lifecycle) -> Vec<Found> {
    let mut found = ni::off_rails(node);
    found.extend(stage::check(node, life));
    found.extend(config::check(node, life));
    found.extend(nets::check(node, views, life));
    found.extend(lasting::check(node, life));
    found.extend(failing::check(node, views));
    found.extend(credits::check(node));
    found.extend(routes::check(node, views));
    found.extend(peers::check(node));
    found.extend(settings::check(node, views));
    found
}

/// What LNet of another node has otherwise.
pub(super) fn beside(node: &Node, other: &Node) -> Option<Found> {
    beside::check(node, other)
}

/// Ties findings to roots that other families found.
pub(super) fn tie(found: &mut [Found]) {
    ni::tie(found);
    routes::tie(found);
}
