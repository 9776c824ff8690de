//! Settings that two nodes must have alike.

use super::kit::{Told, kind, listed, nis};
use crate::check::Severity;
use crate::check::catalogue::lnet::LNET_PEER_SETTINGS_DIFFER;
use crate::check::fold::Found;
use crate::node::Node;
use crate::sample::Text;

/// How often and for how long a message is tried: both ends count with their own.
const GLOBAL: [&str; 3] = ["transaction_timeout", "retry_count", "drop_asym_route"];

/// What this node and another one have otherwise.
pub(super) fn check(node: &Node, other: &Node) -> Option<Found> {
    let named = other.host.name.as_ref().ok().filter(|name| node.host.name.as_ref() != Ok(name));
    let name = named.map_or("the peer", Text::as_str);
    let mut keys: Vec<&str> = Vec::new();
    let mut lines: Vec<String> = Vec::new();
    if let (Ok(mine), Ok(theirs)) = (&node.lnet.more.global, &other.lnet.more.global) {
        for key in GLOBAL {
            let (Some(a), Some(b)) = (mine.value.number(key), theirs.value.number(key)) else {
                continue;
            };
            if a != b {
                keys.push(key);
                lines.push(format!("lnetctl global show: {key}: {a}, on {name}: {b}"));
            }
        }
    }
    for (net, mine) in credits(node) {
        let theirs = credits(other).into_iter().find(|(n, _)| *n == net);
        if let Some((_, theirs)) = theirs.filter(|(_, theirs)| *theirs != mine) {
            keys.push("peer_credits");
            lines.push(format!(
                "lnetctl net show -v: {net}, peer_credits: {mine}, on {name}: {theirs}"
            ));
        }
    }
    keys.dedup();
    if keys.is_empty() {
        return None;
    }
    let summary = format!("LNet of {name} has another {}", listed(&keys));
    let told = Told::new(LNET_PEER_SETTINGS_DIFFER, Severity::Note, summary).seen(lines);
    let told = told.verify(["lnetctl global show", "lnetctl net show -v"]);
    Some(told.verify_peer("lnetctl global show").found())
}

/// The credits of a kind of net, where all its NIs have the same.
fn credits(node: &Node) -> Vec<(&str, u32)> {
    let mut kinds: Vec<&str> = nis(node).map(|ni| kind(ni.net())).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let alike = |of: &str| {
        let mut own = nis(node).filter(|ni| kind(ni.net()) == of);
        let first = *own.next()?.peer_credits.as_ref().ok()?;
        own.all(|ni| ni.peer_credits.as_ref() == Ok(&first)).then_some(first)
    };
    kinds.into_iter().filter_map(|of| Some((of, alike(of)?))).collect()
}
