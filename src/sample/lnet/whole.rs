//! What LNet says of the node as a whole: statistics, settings, routes, selection policies.

use crate::sample::{Reading, Text};
use serde::{Deserialize, Serialize};

/// `lnetctl stats show`, all nets together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LnetStats {
    /// `send_length`: bytes.
    pub send_bytes: Reading<u64>,
    /// `recv_length`: bytes.
    pub recv_bytes: Reading<u64>,
    /// `route_length`: bytes.
    pub route_bytes: Reading<u64>,
    /// `drop_length`: bytes.
    pub drop_bytes: Reading<u64>,
    /// Every scalar by its name, as printed, the four above among them.
    pub all: Vec<(Text, Text)>,
}

/// `lnetctl global show`: every scalar by its name, as printed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LnetGlobal {
    /// In the order printed.
    pub all: Vec<(Text, Text)>,
}

/// One of `lnetctl route show -v`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LnetRoute {
    /// The remote net.
    pub net: Text,
    /// NID of the gateway.
    pub gateway: Text,
    /// `hop`; −1 = not set.
    pub hop: Reading<i64>,
    /// `priority`.
    pub priority: Reading<i64>,
    /// `state`: up or down.
    pub state: Reading<Text>,
    /// `type`: single-hop, multi-hop.
    pub kind: Reading<Text>,
}

/// `lnetctl routing show`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LnetRouting {
    /// `enable`: 0 off, 1 on, from 2.16.58 also 2 stopping, 3 starting; nothing printed is off.
    pub enable: Option<u32>,
    /// Buffer pools.
    pub buffers: Vec<LnetBuffers>,
}

/// One pool of a router's buffers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LnetBuffers {
    /// CPU partition.
    pub cpt: u32,
    /// `tiny`, `small`, `large`.
    pub size: Text,
    /// Buffers.
    pub buffers: Reading<i64>,
    /// Free now; negative: so many messages wait.
    pub credits: Reading<i64>,
    /// Lowest.
    pub min_credits: Reading<i64>,
}

/// One of `lnetctl udsp show`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LnetUdsp {
    /// `idx`.
    pub index: Reading<u32>,
    /// `src`; `None` for `NA`.
    pub src: Option<Text>,
    /// `dst`.
    pub dst: Option<Text>,
    /// `rte`.
    pub rte: Option<Text>,
    /// `action / priority`; 0 is the best.
    pub priority: Option<i64>,
}

/// One row of debugfs `lnet/nis`: an NI on one CPU partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LnetNiCredits {
    /// NID.
    pub nid: Text,
    /// `status`.
    pub status: Text,
    /// Credits of this partition.
    pub max: i64,
    /// Free now; negative: so many messages wait for one.
    pub tx: i64,
    /// Lowest since the last reset.
    pub min: i64,
}

fn find<'a>(all: &'a [(Text, Text)], name: &str) -> Option<&'a str> {
    all.iter().find(|(key, _)| &**key == name).map(|(_, value)| value.as_str())
}

impl LnetGlobal {
    /// A setting as printed.
    pub fn get(&self, name: &str) -> Option<&str> {
        find(&self.all, name)
    }

    /// A setting that is a whole number.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.get(name)?.parse().ok()
    }
}

impl LnetStats {
    /// A counter as printed.
    pub fn get(&self, name: &str) -> Option<&str> {
        find(&self.all, name)
    }
}
