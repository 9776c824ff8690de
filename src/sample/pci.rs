//! PCI functions and the links on the way to them.

use super::{Reading, Text};
use serde::{Deserialize, Serialize};

/// The PCI function behind a netdev or RDMA device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PciFunction {
    /// `dddd:bb:dd.f`.
    pub address: Text,
    /// `numa_node`; the kernel's −1 (no affinity) is unknown.
    pub numa_node: Reading<u32>,
    /// `vendor`, `device`: hex ids as printed (`0x15b3`).
    pub vendor: Reading<Text>,
    /// Device id as printed.
    pub device: Reading<Text>,
    /// `driver` link.
    pub driver: Reading<Text>,
    /// A virtual function of an SR-IOV device (`physfn` exists), with the PF's address.
    pub physfn: Option<Text>,
    /// The links from the function up to the root port, nearest first.
    pub path: Vec<PciLink>,
}

/// The PCIe link above one device of the path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PciLink {
    /// The device whose upstream link this is.
    pub address: Text,
    /// `current_link_speed` in GT/s (2.5, 5, 8, 16, 32, 64).
    pub current_speed: Reading<f64>,
    /// `current_link_width` in lanes.
    pub current_width: Reading<u32>,
    /// `max_link_speed` in GT/s.
    pub max_speed: Reading<f64>,
    /// `max_link_width` in lanes.
    pub max_width: Reading<u32>,
}
