//! What is wrong with a peer, in words.

use super::{Peer, PeerCondition, PeerCount, PeerNi};
use crate::sample::{MAX_HEALTH, Mono};

/// The kinds of failures, as a sentence has them.
const FAILURES: [(PeerCount, &str); 4] = [
    (PeerCount::NetworkTimeouts, "network timeouts/s"),
    (PeerCount::RemoteTimeouts, "timeouts/s"),
    (PeerCount::RemoteErrors, "errors/s"),
    (PeerCount::RemoteDropped, "dropped/s"),
];

/// One clause per NI with trouble, `brief` for a narrow column; an NI is named where it is not the one that the peer is named
/// by.
pub(super) fn of(peer: &Peer<'_>, now: Mono, brief: bool) -> String {
    match peer.condition() {
        PeerCondition::Own => return "this node itself".to_owned(),
        PeerCondition::Elsewhere => {
            return "on a net that this node does not have: reached by a router".to_owned();
        }
        _ => {}
    }
    let primary = &peer.raw.primary_nid;
    let clauses: Vec<String> = peer
        .nis()
        .filter(|ni| !ni.is_elsewhere)
        .filter_map(|ni| {
            let words = of_ni(&ni, now, brief).join(", ");
            match words.is_empty() {
                true => None,
                false if ni.raw.nid == *primary => Some(words),
                false => Some(format!("{words} ({})", ni.raw.address())),
            }
        })
        .collect();
    clauses.join("; ")
}

fn of_ni(ni: &PeerNi<'_>, now: Mono, brief: bool) -> Vec<String> {
    let mut words = Vec::new();
    if let Ok(health) = ni.raw.health
        && health < MAX_HEALTH
    {
        let of = if brief { String::new() } else { format!(" of {MAX_HEALTH}") };
        words.push(format!("health {health}{of}"));
        words.extend(next_ping(ni, now).filter(|_| !brief));
    }
    for (count, name) in FAILURES {
        if let Some(rate) = ni.rate(count).filter(|rate| *rate > 0.0) {
            words.push(format!("{} {name}", few(rate)));
        }
    }
    match ni.waiting() {
        0 => {}
        n if brief => words.push(format!("{n} waiting")),
        1 => words.push("1 message waits for a credit".to_owned()),
        n => words.push(format!("{n} messages wait for credits")),
    }
    if ni.is_down() {
        words.push("down".to_owned());
    }
    words
}

/// LNet pings an NI that is not healthy, at longer and longer intervals: up to 900 s (LU-13569).
fn next_ping(ni: &PeerNi<'_>, now: Mono) -> Option<String> {
    let at = *ni.raw.next_ping.as_ref().ok()?;
    let wait = at.checked_sub(now.0 / 1_000_000_000).filter(|wait| *wait > 0)?;
    Some(format!("pinged again in {wait} s"))
}

/// A small rate with as many digits as it needs to be none.
fn few(rate: f64) -> String {
    match rate {
        r if r >= 9.95 => format!("{r:.0}"),
        r if r >= 0.095 => format!("{r:.1}"),
        r => format!("{r:.2}").replace("0.00", "<0.01"),
    }
}
