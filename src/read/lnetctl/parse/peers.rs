//! `lnetctl peer show -v 4`: ten thousand of them on a server.

use super::{absent, number, text};
use crate::read::lnetctl::tree::{Tree, top};
use crate::sample::{LnetPeer, LnetPeerNi, Reading, Text, Unknown, Why};

/// The peers of an output of `peer show`, of any version and any `-v` level.
pub fn peer_show(stdout: &[u8]) -> Result<Vec<LnetPeer>, Unknown> {
    top(stdout, "peer", |item, peers| peers.extend(peer(item)))
}

/// One peer; without a NID nothing can be said of it.
fn peer(item: &Tree<'_>) -> Option<LnetPeer> {
    let (mut primary, mut multi_rail, mut state, mut nis) = (None, None, None, None);
    for (key, value) in item.entries() {
        match &**key {
            "primary nid" => primary = primary.or(value.scalar()),
            "Multi-Rail" => multi_rail = multi_rail.or(value.scalar()),
            "peer state" => state = state.or(value.scalar()),
            "peer ni" | "peer_ni" => nis = nis.or(Some(value.items())),
            _ => {}
        }
    }
    Some(LnetPeer {
        primary_nid: primary.filter(|nid| !nid.is_empty())?.into(),
        multi_rail: flag("Multi-Rail", multi_rail),
        state_bits: number("peer state", state),
        nis: nis.unwrap_or_default().iter().filter_map(peer_ni).collect(),
    })
}

/// `True` up to 2.15, `true` from 2.16.
fn flag(key: &str, value: Option<&str>) -> Reading<bool> {
    let printed = value.ok_or_else(|| absent(key))?;
    match printed {
        "True" | "true" => Ok(true),
        "False" | "false" => Ok(false),
        _ => Err(Unknown::new(Why::Unparsable, format!("{key}: {printed}"))),
    }
}

#[derive(Default)]
struct Raw<'a> {
    nid: Option<&'a str>,
    state: Option<&'a str>,
    max_tx_credits: Option<&'a str>,
    tx_credits: Option<&'a str>,
    min_tx_credits: Option<&'a str>,
    queued_bytes: Option<&'a str>,
    rtr_credits: Option<&'a str>,
    min_rtr_credits: Option<&'a str>,
    send_count: Option<&'a str>,
    recv_count: Option<&'a str>,
    drop_count: Option<&'a str>,
    health: Option<&'a str>,
    dropped: Option<&'a str>,
    timeouts: Option<&'a str>,
    errors: Option<&'a str>,
    network_timeouts: Option<&'a str>,
    ping_count: Option<&'a str>,
    next_ping: Option<&'a str>,
    net_priority: Option<&'a str>,
    nid_priority: Option<&'a str>,
    preferred_sources: Vec<Text>,
}

fn peer_ni(item: &Tree<'_>) -> Option<LnetPeerNi> {
    let mut raw = Raw::default();
    for (key, value) in item.entries() {
        match value {
            Tree::Scalar(value) => raw.put("", key, value),
            Tree::Map(entries) => {
                for (name, value) in entries {
                    match value {
                        Tree::Scalar(value) => raw.put(key, name, value),
                        Tree::Null | Tree::List(_) | Tree::Map(_) => raw.put_all(key, name, value),
                    }
                }
            }
            Tree::Null | Tree::List(_) => {}
        }
    }
    Some(LnetPeerNi {
        nid: raw.nid.filter(|nid| !nid.is_empty())?.into(),
        state: text("state", raw.state),
        max_tx_credits: number("max_ni_tx_credits", raw.max_tx_credits),
        tx_credits: number("available_tx_credits", raw.tx_credits),
        min_tx_credits: number("min_tx_credits", raw.min_tx_credits),
        queued_bytes: number("tx_q_num_of_buf", raw.queued_bytes),
        rtr_credits: number("available_rtr_credits", raw.rtr_credits),
        min_rtr_credits: number("min_rtr_credits", raw.min_rtr_credits),
        send_count: number("send_count", raw.send_count),
        recv_count: number("recv_count", raw.recv_count),
        drop_count: number("drop_count", raw.drop_count),
        health: number("health value", raw.health),
        dropped: number("dropped", raw.dropped),
        timeouts: number("timeout", raw.timeouts),
        errors: number("error", raw.errors),
        network_timeouts: number("network timeout", raw.network_timeouts),
        ping_count: number("ping_count", raw.ping_count),
        next_ping: number("next_ping", raw.next_ping),
        net_priority: number("net priority", raw.net_priority),
        nid_priority: number("nid priority", raw.nid_priority),
        preferred_sources: raw.preferred_sources,
    })
}

impl<'a> Raw<'a> {
    /// A value below `section`, which is empty for those of the NI itself. In 2.10 the counters
    /// have no section.
    fn put(&mut self, section: &str, key: &str, value: &'a str) {
        let slot = match (section, key) {
            ("", "nid") => &mut self.nid,
            ("", "state") => &mut self.state,
            ("", "max_ni_tx_credits") => &mut self.max_tx_credits,
            ("", "available_tx_credits") => &mut self.tx_credits,
            ("", "min_tx_credits") => &mut self.min_tx_credits,
            ("", "tx_q_num_of_buf") => &mut self.queued_bytes,
            ("", "available_rtr_credits") => &mut self.rtr_credits,
            ("", "min_rtr_credits") => &mut self.min_rtr_credits,
            ("" | "statistics", "send_count") => &mut self.send_count,
            ("" | "statistics", "recv_count") => &mut self.recv_count,
            ("" | "statistics", "drop_count") => &mut self.drop_count,
            ("health stats", "health value") => &mut self.health,
            ("health stats", "dropped") => &mut self.dropped,
            ("health stats", "timeout") => &mut self.timeouts,
            ("health stats", "error") => &mut self.errors,
            ("health stats", "network timeout") => &mut self.network_timeouts,
            ("health stats", "ping_count") => &mut self.ping_count,
            ("health stats", "next_ping") => &mut self.next_ping,
            ("udsp info", "net priority") => &mut self.net_priority,
            ("udsp info", "nid priority") => &mut self.nid_priority,
            _ => return,
        };
        slot.get_or_insert(value);
    }

    /// `udsp info / Preferred source NIDs / NID-0`.
    fn put_all(&mut self, section: &str, key: &str, value: &Tree<'_>) {
        if section == "udsp info" && key == "Preferred source NIDs" {
            value.scalars(&mut |_, nid| self.preferred_sources.push(nid.into()));
        }
    }
}
