//! Credits that ran out, at any time since they were reset.

use super::kit::{Told, listed};
use crate::check::Severity;
use crate::check::catalogue::lnet::LNET_CREDITS_STARVED;
use crate::check::fold::Found;
use crate::node::Node;
use crate::sample::Text;

/// Evidence lines.
const LINES: usize = 4;

/// As many messages waited as may be under way at once: more than an ordinary burst.
fn starved(min: i64, max: i64) -> bool {
    max > 0 && min <= -max
}

/// NIs and peers whose low-water mark is far below zero. A queue of its own accord is no fault:
/// it is history, and a note.
pub(super) fn check(node: &Node) -> Option<Found> {
    let more = &node.lnet.more;
    let nis = more.credits.iter().flat_map(|c| &c.value);
    let nis: Vec<_> = nis.filter(|c| starved(c.min, c.max) && !c.nid.ends_with("@lo")).collect();
    let own = |nid: &str| super::kit::nis(node).any(|ni| &*ni.nid == nid);
    let mut peers: Vec<(i64, i64, &Text)> = more
        .peers
        .iter()
        .flat_map(|p| &p.value)
        .flat_map(|p| &p.nis)
        .filter_map(|ni| {
            // A net that this node does not have gives 0 credits and no figure.
            let max = i64::from(*ni.max_tx_credits.as_ref().ok()?);
            let min = i64::from(*ni.min_tx_credits.as_ref().ok()?);
            // Twice as many: peer credits are few, and a burst of striped writes queues.
            (starved(min, max.saturating_mul(2)) && !own(&ni.nid)).then_some((min, max, &ni.nid))
        })
        .collect();
    peers.sort_unstable();
    if nis.is_empty() && peers.is_empty() {
        return None;
    }
    let mut subjects: Vec<String> = Vec::new();
    if !nis.is_empty() {
        let names: Vec<&str> = nis.iter().map(|c| c.nid.as_str()).collect();
        subjects.push(format!("NI {}", listed(dedup(names))));
    }
    match peers.as_slice() {
        [] => {}
        [(_, _, nid)] => subjects.push(format!("peer {nid}")),
        all => subjects.push(format!("{} peers", all.len())),
    }
    let summary = format!(
        "{} ran out of credits: more messages waited than may be under way at once",
        subjects.join(" and ")
    );
    let own_lines = nis
        .iter()
        .map(|c| format!("debugfs lnet/nis: {}, max {}, tx {}, min {}", c.nid, c.max, c.tx, c.min));
    let peer_lines = peers.iter().map(|(min, max, nid)| {
        format!(
            "lnetctl peer show -v 4: nid: {nid}, max_ni_tx_credits: {max}, min_tx_credits: {min}"
        )
    });
    Some(
        Told::new(LNET_CREDITS_STARVED, Severity::Note, summary)
            .seen(own_lines.take(LINES).chain(peer_lines.take(LINES)))
            .verify([
                "lnetctl peer show -v 2".to_owned(),
                "lnetctl net show -v 4".to_owned(),
                "cat /sys/kernel/debug/lnet/nis".to_owned(),
            ])
            .verify_peer("lnetctl net show -v 4")
            .found(),
    )
}

fn dedup(mut names: Vec<&str>) -> Vec<&str> {
    names.dedup();
    names
}
