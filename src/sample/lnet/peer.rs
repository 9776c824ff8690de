//! `lnetctl peer show -v 4`.

use crate::sample::{Reading, Text};
use serde::{Deserialize, Serialize};

/// A peer as LNet knows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LnetPeer {
    /// `primary nid`.
    pub primary_nid: Text,
    /// `Multi-Rail`.
    pub multi_rail: Reading<bool>,
    /// `peer state`: bits that differ by version; the number as printed.
    pub state_bits: Reading<u32>,
    /// `peer ni`.
    pub nis: Vec<LnetPeerNi>,
}

/// One NID of a peer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LnetPeerNi {
    /// `nid`.
    pub nid: Text,
    /// `state`: `NA` is normal where peers' aliveness is not evaluated.
    pub state: Reading<Text>,
    /// `max_ni_tx_credits`; 0 on nets that this node does not have.
    pub max_tx_credits: Reading<i32>,
    /// `available_tx_credits`; negative: so many messages wait.
    pub tx_credits: Reading<i32>,
    /// `min_tx_credits`: lowest since the last reset.
    pub min_tx_credits: Reading<i32>,
    /// `tx_q_num_of_buf`: bytes queued now.
    pub queued_bytes: Reading<u64>,
    /// `available_rtr_credits`.
    pub rtr_credits: Reading<i32>,
    /// `min_rtr_credits`.
    pub min_rtr_credits: Reading<i32>,
    /// `statistics / send_count` (2.10: without `statistics`); 32 bits, they wrap.
    pub send_count: Reading<u32>,
    /// Received messages.
    pub recv_count: Reading<u32>,
    /// Dropped messages.
    pub drop_count: Reading<u32>,
    /// `health value` 0…1000.
    pub health: Reading<u32>,
    /// `health stats / dropped`.
    pub dropped: Reading<u32>,
    /// `health stats / timeout`.
    pub timeouts: Reading<u32>,
    /// `health stats / error`.
    pub errors: Reading<u32>,
    /// `health stats / network timeout`.
    pub network_timeouts: Reading<u32>,
    /// `ping_count`: failed recovery pings in a row.
    pub ping_count: Reading<u32>,
    /// `next_ping`: seconds of the node's uptime.
    pub next_ping: Reading<u64>,
    /// `udsp info / net priority`; −1 = none.
    pub net_priority: Reading<i64>,
    /// `udsp info / nid priority`; −1 = none.
    pub nid_priority: Reading<i64>,
    /// `Preferred source NIDs`: the only local NIs that LNet uses for it.
    pub preferred_sources: Vec<Text>,
}

impl LnetPeerNi {
    /// The net part of the NID.
    pub fn net(&self) -> &str {
        self.nid.rsplit_once('@').map_or("", |(_, net)| net)
    }

    /// The address part of the NID.
    pub fn address(&self) -> &str {
        self.nid.rsplit_once('@').map_or(self.nid.as_str(), |(address, _)| address)
    }
}
