//! LNet's network interfaces.

use super::catalogue::NI_DOWN;
use super::view::RailView;
use super::{Cause, Finding, Severity, Verdict};
use crate::node::{Node, Peer, PeerCondition, RailNi};
use crate::sample::{LnetNi, MAX_HEALTH, Text};
use std::net::IpAddr;

/// NIs of a rail that are down.
pub(super) fn on_rail(view: &RailView<'_>, cause: Option<Cause>) -> Vec<Finding> {
    view.rail
        .lnet
        .iter()
        .filter_map(|ni| {
            let trouble = trouble(&ni.ni, moves(ni))?;
            let summary = match (cause, trouble) {
                (Some(_), Trouble::LinkGone) => {
                    format!("LNet NI {} is down; LNet avoids {}", ni.ni.nid, view.name())
                }
                (None, Trouble::LinkGone) => link_gone(view, ni),
                _ => words(&ni.ni, trouble),
            };
            Some(finding(&ni.ni, trouble, summary).on(view).because(cause))
        })
        .collect()
}

/// NIs that are down and on no rail: on a card that is none, or on an interface that is gone.
pub(super) fn off_rails(node: &Node) -> Vec<Finding> {
    let Ok(answer) = &node.lnet.answer else { return Vec::new() };
    let on_a_rail =
        |ni: &LnetNi| node.rails.iter().flat_map(|r| &r.lnet).any(|r| r.ni.nid == ni.nid);
    answer
        .nets
        .iter()
        .flat_map(|net| &net.nis)
        .filter(|ni| !on_a_rail(ni))
        .filter_map(|ni| {
            let trouble = trouble(ni, false)?;
            Some(finding(ni, trouble, words(ni, trouble)))
        })
        .collect()
}

/// The verdict on one NI: by the rule of `NI_DOWN`, then by its health. `rated` is the same NI
/// on its rail, with its message rates, if it is on one.
pub fn ni_verdict(ni: &LnetNi, rated: Option<&RailNi>) -> Verdict {
    if ni.is_lo() {
        return Verdict::NotApplicable;
    }
    match (trouble(ni, rated.is_some_and(moves)), &ni.status, &ni.health) {
        (Some(trouble), _, _) => trouble.severity().into(),
        (None, Err(_), _) => Verdict::Unknown,
        (None, Ok(_), Ok(health)) if *health < MAX_HEALTH => Verdict::Note,
        (None, Ok(_), _) => Verdict::Ok,
    }
}

/// The verdict on one peer. A router watches all its peers, and calls those down that are idle:
/// there it is no more than a note.
pub fn peer_verdict(node: &Node, peer: &Peer<'_>) -> Verdict {
    let routing = &node.lnet.more.routing;
    let router = routing.as_ref().is_ok_and(|r| r.value.enable.is_some_and(|e| e != 0));
    match peer.condition() {
        PeerCondition::Unhealthy | PeerCondition::Failing => Verdict::Warning,
        PeerCondition::Down if !router => Verdict::Warning,
        PeerCondition::Down | PeerCondition::Queueing => Verdict::Note,
        PeerCondition::Unknown => Verdict::Unknown,
        PeerCondition::Well => Verdict::Ok,
        PeerCondition::Own | PeerCondition::Elsewhere => Verdict::NotApplicable,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    /// `fatal_error`: the driver below LNet says that link or address is gone.
    LinkGone,
    /// `status: down` alone.
    Down,
    /// `status: down` of an NI that works (LU-20093, Lustre 2.17.0).
    Stale,
}

impl Trouble {
    fn severity(self) -> Severity {
        match self {
            Trouble::LinkGone => Severity::Critical,
            Trouble::Down => Severity::Warning,
            Trouble::Stale => Severity::Note,
        }
    }
}

fn trouble(ni: &LnetNi, moves: bool) -> Option<Trouble> {
    if ni.is_lo() {
        return None;
    }
    if ni.fatal_error.as_ref().is_ok_and(|f| *f != 0) {
        return Some(Trouble::LinkGone);
    }
    if ni.status.as_ref().is_ok_and(|s| *s == "down") {
        let fine = ni.fatal_error == Ok(0) && ni.health == Ok(MAX_HEALTH) && moves;
        return Some(if fine { Trouble::Stale } else { Trouble::Down });
    }
    None
}

fn moves(ni: &RailNi) -> bool {
    [&ni.sent_per_second, &ni.received_per_second]
        .into_iter()
        .any(|rate| rate.ok().is_some_and(|r| *r > 0.0))
}

fn link_gone(view: &RailView<'_>, ni: &RailNi) -> String {
    let known = view.node.routing.addresses.is_ok() || !view.rail.addresses.is_empty();
    let lost = ni
        .ni
        .address()
        .parse::<IpAddr>()
        .is_ok_and(|address| known && view.rail.addresses.iter().all(|a| a.ip() != address));
    if lost {
        format!("LNet took {} out of use: its address is not on {}", ni.ni.nid, view.name())
    } else {
        words(&ni.ni, Trouble::LinkGone)
    }
}

fn words(ni: &LnetNi, trouble: Trouble) -> String {
    let nid = &ni.nid;
    match trouble {
        Trouble::LinkGone => {
            format!("LNet took {nid} out of use: link or address gone (fatal_error 1)")
        }
        Trouble::Down => format!(
            "LNet calls {nid} down without a link error: no health, or a router's net without traffic"
        ),
        Trouble::Stale => {
            format!("LNet still calls {nid} down after a flap, and uses it (LU-20093)")
        }
    }
}

fn finding(ni: &LnetNi, trouble: Trouble, summary: String) -> Finding {
    Finding::new(NI_DOWN, trouble.severity(), summary, vec![evidence(ni)])
}

fn evidence(ni: &LnetNi) -> Text {
    let mut line = format!("lnetctl net show -v 4: nid: {}", ni.nid);
    let number = |v: &Result<u32, _>| v.as_ref().ok().map(ToString::to_string);
    let values = [
        ("status", ni.status.as_ref().ok().map(ToString::to_string)),
        ("fatal_error", number(&ni.fatal_error)),
        ("health value", number(&ni.health)),
    ];
    for (key, value) in values {
        if let Some(value) = value {
            line.push_str(", ");
            line.push_str(key);
            line.push_str(": ");
            line.push_str(&value);
        }
    }
    line.into()
}
