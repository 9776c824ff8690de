//! What of a rail's traffic is RDMA, and how its group shares the load.

use crate::node::{BalanceSide, MarkBalance, Node, Rail};
use crate::tui::format;
use crate::units::{self, RateUnit};

/// Names and words, for lines below the rates.
pub(super) fn entries(node: &Node, rail: &Rail, unit: RateUnit) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = rdma(rail, unit).into_iter().collect();
    let Some(group) = rail.group.and_then(|g| node.groups.get(g)) else { return all };
    let since = |b: &MarkBalance| {
        let age = units::duration_words(node.time.mono.since(b.since));
        format!("since mark {} ({age})", b.mark)
    };
    let over = [
        Some(("now".to_owned(), &group.balance)),
        group.recent.as_ref().map(|b| ("last 10 s".to_owned(), b)),
        group.since_mark.as_ref().map(|b| (since(b), &b.balance)),
    ];
    for (when, balance) in over.into_iter().flatten() {
        let (rx, tx) = (side(node, &balance.rx), side(node, &balance.tx));
        let name = if when == "now" { "balance" } else { "" };
        all.push((name.to_owned(), format!("{when}: RX {rx}, TX {tx}")));
    }
    all
}

fn rdma(rail: &Rail, unit: RateUnit) -> Option<(String, String)> {
    let (rx, tx) = (rail.rdma_bytes_per_second(&rail.rx), rail.rdma_bytes_per_second(&rail.tx));
    if rx.ok().is_none() && tx.ok().is_none() {
        return None;
    }
    let (received, sent) = (format::rate(unit, &rx), format::rate(unit, &tx));
    let label = unit.label;
    let words = format!("RX {}, TX {} {label}: the port less IP", received.trim(), sent.trim());
    Some(("RDMA".to_owned(), words))
}

/// Jain's index, and the slowest rail if it is behind.
fn side(node: &Node, side: &BalanceSide) -> String {
    let index = format::ratio(&side.jain_index);
    let slowest = side.slowest.and_then(|at| node.rails.get(at));
    let part = side.slowest_share_of_fair_ratio.ok().filter(|part| **part < 0.9);
    match slowest.zip(part) {
        Some((rail, part)) => {
            format!("{index} ({} at {} of fair)", rail.name, units::percent(*part))
        }
        None => index,
    }
}
