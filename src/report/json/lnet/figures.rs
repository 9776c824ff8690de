//! What LNet's answers say when they are compared.

use super::super::object::Object;
use crate::node::{
    LnetVolume, MessageKind, Messages, NetFigures, NiFigures, Node, Peer, PeerCount,
};
use crate::sample::{Unknown, Why};
use serde_json::Value;

/// Peers with trouble that a line tells of; all of them are counted.
const WORST: usize = 10;

/// The rates, shares and credits of an NI.
pub(super) fn ni(o: &mut Object, own: &NiFigures) {
    o.put_fact("sent_messages_per_second", &own.sent.per_second);
    o.put_fact("received_messages_per_second", &own.received.per_second);
    o.put_fact("dropped_messages_per_second", &own.dropped.per_second);
    o.set("sent_kinds_per_second", kinds(&own.sent));
    o.set("received_kinds_per_second", kinds(&own.received));
    o.set("dropped_kinds_per_second", kinds(&own.dropped));
    let mut failures = Object::new();
    for failure in &own.failures {
        failures.put_fact(&failure.name.replace(' ', "_"), &failure.per_second);
    }
    o.set("failures_per_second", failures.finish());
    o.put_fact("message_share_ratio", &own.message_share_ratio);
    o.put_fact("request_share_ratio", &own.request_share_ratio);
    o.put_fact("byte_share_ratio", &own.byte_share_ratio);
    o.put("credits_free", &own.credits.as_ref().map(|c| c.free).map_err(Clone::clone));
    o.put("credits_min", &own.credits.as_ref().map(|c| c.min).map_err(Clone::clone));
}

fn kinds(messages: &Messages) -> Value {
    let mut o = Object::new();
    for (kind, rate) in MessageKind::ALL.into_iter().zip(&messages.kinds) {
        o.put_fact(kind.word(), rate);
    }
    o.finish()
}

/// The totals of a net.
pub(super) fn net(o: &mut Object, own: &NetFigures) {
    o.put_fact("messages_per_second", &own.messages_per_second);
    o.put_fact("port_bytes_per_second", &own.port_bytes_per_second);
}

/// What moves through LNet as a whole, beside what the ports count.
pub(super) fn volume(volume: &LnetVolume) -> Value {
    let mut o = Object::new();
    o.put_fact("sent_bytes_per_second", &volume.sent_bytes_per_second);
    o.put_fact("received_bytes_per_second", &volume.received_bytes_per_second);
    o.put_fact("routed_bytes_per_second", &volume.routed_bytes_per_second);
    o.put_fact("dropped_bytes_per_second", &volume.dropped_bytes_per_second);
    o.put_fact("port_tx_bytes_per_second", &volume.port_tx_bytes_per_second);
    o.put_fact("port_rx_bytes_per_second", &volume.port_rx_bytes_per_second);
    let mut counters = Object::new();
    for counter in &volume.counters {
        let mut one = Object::new();
        one.put("count", &counter.count);
        one.put_fact("per_second", &counter.per_second);
        counters.set(&counter.name, one.finish());
    }
    o.set("counters", counters.finish());
    o.finish()
}

/// How many peers there are and which are the worst: never all of them.
pub(super) fn peers(node: &Node) -> Result<Value, Unknown> {
    let peers = node.lnet_figures.peers.as_ref().map_err(Clone::clone)?;
    let mut o = Object::new();
    let counts = peers.counts();
    o.set("peer_count", counts.peers);
    o.set("nid_count", counts.nis);
    o.set("troubled_count", counts.troubled);
    o.set("unhealthy_count", counts.unhealthy);
    o.set("own_count", counts.own);
    o.set("elsewhere_count", counts.elsewhere);
    match peers.interval() {
        Some(interval) => o.set("interval_seconds", interval.as_secs_f64()),
        None => o.missing("interval_seconds", Why::FirstSample, "needs a second answer"),
    }
    let worst = peers.iter().take_while(|peer| peer.condition().is_trouble()).take(WORST);
    o.list("worst", worst.map(|one| peer(node, &one)));
    Ok(o.finish())
}

fn peer(node: &Node, peer: &Peer<'_>) -> Value {
    let mut o = Object::new();
    let missing = |words: &str| Unknown::new(Why::Absent, words);
    o.set("primary_nid", &peer.raw.primary_nid);
    o.set("condition", peer.condition().word());
    o.set("words", peer.words(node.time.mono));
    o.put("multi_rail", &peer.raw.multi_rail);
    o.put("health", &peer.lowest_health().ok_or_else(|| missing("no NI with a health value")));
    let credits = peer.tightest().ok_or_else(|| missing("no NI with credits"));
    o.put("credits_free", &credits.and_then(|ni| ni.raw.tx_credits.clone()));
    o.put_fact("sent_messages_per_second", &peer.per_second(PeerCount::Sent));
    o.put_fact("received_messages_per_second", &peer.per_second(PeerCount::Received));
    o.finish()
}
