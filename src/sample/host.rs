//! The host line.

use super::{Reading, Text, Unknown, Why};
use serde::{Deserialize, Serialize};

/// Who this node is and how it is doing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Host {
    /// Host name without domain.
    pub name: Reading<Text>,
    /// Kernel release, as `uname -r`.
    pub kernel: Reading<Text>,
    /// Load average over 1, 5 and 15 minutes.
    pub load: Reading<[f64; 3]>,
    /// Main memory.
    pub memory: Reading<Memory>,
    /// Logical CPUs.
    pub cpus: Reading<u32>,
    /// Boot time, seconds since the epoch.
    pub boot_time_seconds: Reading<u64>,
    /// Effective user id of the reader: 0 means that root's sources were open.
    pub uid: Reading<u32>,
    /// NUMA nodes and how far apart they are, in the order of their numbers.
    #[serde(default = "not_read")]
    pub numa: Reading<Vec<NumaNode>>,
}

/// A NUMA node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumaNode {
    /// Its number.
    pub node: u32,
    /// `/sys/devices/system/node/nodeN/distance`: to each node that is online, in their order;
    /// 10 is the node itself.
    pub distances: Vec<u32>,
}

/// A sample of a program that did not read them yet.
fn not_read<T>() -> Reading<T> {
    Err(Unknown::new(Why::Absent, "not recorded"))
}

/// Main memory in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// MemTotal.
    pub total_bytes: u64,
    /// MemAvailable.
    pub available_bytes: u64,
}
