//! Messages that LNet sends by one rail and that its port never sees.
//!
//! Every message of LNet is at least its header on the wire. A port that moves less than that, for
//! the messages that LNet counts on it, does not carry them: another port does.

use super::{Figure, FlowSource, Presence, Rail};
use crate::sample::{How, Mono, Text};
use std::collections::HashMap;

/// `sizeof(struct lnet_hdr)`, Lustre lnet/include/uapi/linux/lnet/lnet-idl.h.
const HEADER_BYTES: f64 = 72.0;
/// Below this many messages per second nothing is said: pings and keep-alives.
const LEAST_MESSAGES: f64 = 100.0;
/// What the port must fall short of: half of the headers, as the two rates are not of one time.
const PART: f64 = 0.5;

/// A rail whose messages go elsewhere.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Astray {
    /// Index into [`super::Node::rails`].
    pub rail: usize,
    /// The rail that moves more than its own messages and could carry them.
    pub instead: usize,
    /// The first pass of an unbroken row of them.
    pub since: Mono,
    /// What LNet counts on it, sent and received.
    pub messages_per_second: f64,
    /// What these are at least, in bytes per second.
    pub least_bytes_per_second: f64,
    /// What its port moves, both ways.
    pub port_bytes_per_second: f64,
    /// What the other port moves, both ways.
    pub instead_bytes_per_second: f64,
}

/// Since when, by rail.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory(HashMap<Text, Mono>);

impl Memory {
    /// After a full pass.
    pub(super) fn advance(&mut self, at: Mono, rails: &[Rail]) -> Vec<Astray> {
        let mut known = std::mem::take(&mut self.0);
        let found: Vec<Astray> = (0..rails.len())
            .filter_map(|place| {
                let mut found = look(rails, place)?;
                let id = &rails.get(place)?.id;
                found.since = known.remove(id).unwrap_or(at);
                self.0.insert(id.clone(), found.since);
                Some(found)
            })
            .collect();
        found
    }
}

fn look(rails: &[Rail], place: usize) -> Option<Astray> {
    let rail = rails.get(place)?;
    let messages = messages(rail)?;
    let moved = moved(rail)?;
    let least = messages * HEADER_BYTES;
    if messages < LEAST_MESSAGES || moved >= least * PART {
        return None;
    }
    let others = rails.iter().enumerate().filter(|(other, _)| *other != place);
    let spare = |other: &Rail| {
        let moved = self::moved(other)?;
        // Messages of its own explain a part of it.
        let own = self::messages(other).unwrap_or(0.0) * HEADER_BYTES;
        (moved - own >= least).then_some(moved)
    };
    let (instead, bytes) = others
        .filter_map(|(at, other)| Some((at, spare(other)?)))
        .max_by(|a, b| a.1.total_cmp(&b.1))?;
    Some(Astray {
        rail: place,
        instead,
        since: Mono(0),
        messages_per_second: messages,
        least_bytes_per_second: least,
        port_bytes_per_second: moved,
        instead_bytes_per_second: bytes,
    })
}

/// Messages per second of all its NIs; none where one is not known.
fn messages(rail: &Rail) -> Option<f64> {
    if rail.lnet.is_empty() {
        return None;
    }
    rail.lnet
        .iter()
        .map(|ni| Some(current(&ni.sent_per_second)? + current(&ni.received_per_second)?))
        .sum()
}

/// Bytes per second of the port both ways, where it counts all that passes.
fn moved(rail: &Rail) -> Option<f64> {
    // A bond's NI is on all its members.
    if rail.presence != Presence::Present || rail.bond.is_some() {
        return None;
    }
    let whole = |source| match source {
        Some(FlowSource::Port | FlowSource::HwCounters) => true,
        Some(FlowSource::Netdev) => rail.rdma.is_none(),
        None => false,
    };
    let one = |flow: &super::Flow| current(&flow.bytes_per_second).filter(|_| whole(flow.source));
    Some(one(&rail.rx)? + one(&rail.tx)?)
}

/// A figure that is of now and not guessed.
fn current(figure: &Figure) -> Option<f64> {
    let weak = figure.qualified.as_ref().is_some_and(|q| q.how != How::Saturated);
    figure.ok().copied().filter(|_| !weak)
}
