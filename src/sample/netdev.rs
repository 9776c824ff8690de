//! Network interfaces as `/sys/class/net` shows them.

use super::{PciFunction, Reading, Text, Timed};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One interface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Netdev {
    /// Its name in this namespace.
    pub name: Text,
    /// What seldom changes.
    pub attrs: Arc<NetdevAttrs>,
    /// `operstate`.
    pub operstate: Reading<Text>,
    /// `flags` (IFF_*): bit 0 is admin up. Never shows the carrier.
    pub flags: Reading<u32>,
    /// `carrier`; EINVAL while administratively down.
    pub carrier: Reading<bool>,
    /// `carrier_changes` and its halves.
    pub carrier_changes: CarrierChanges,
    /// `statistics/*`.
    pub stats: NetdevStats,
}

/// The slow facts of an interface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetdevAttrs {
    /// `ifindex`.
    pub ifindex: Reading<u32>,
    /// `iflink`: the parent's ifindex for children and VLANs.
    pub iflink: Reading<u32>,
    /// `type` (ARPHRD_*): 1 Ethernet, 32 InfiniBand, 772 loopback.
    pub kind: Reading<u32>,
    /// `mtu` in bytes.
    pub mtu: Reading<u32>,
    /// `address`, hex with colons.
    pub address: Reading<Text>,
    /// `ifalias`.
    pub alias: Reading<Text>,
    /// `speed` in Mb/s; the kernel's −1 is unknown.
    pub speed_mbps: Reading<u64>,
    /// `dev_port`, 0-based.
    pub dev_port: Reading<u32>,
    /// `dev_id`; read only where `dev_port` cannot tell the ports apart.
    pub dev_id: Reading<u32>,
    /// Name of the master (`master` link): bond, bridge, VRF.
    pub master: Option<Text>,
    /// `bonding/`, on a bond.
    pub bond: Option<Bond>,
    /// Parent interface: the `parent` file of IPoIB children, else a `lower_*` link.
    pub parent: Option<Text>,
    /// IPoIB's own files; `None` when the type is not 32.
    pub ipoib: Option<Ipoib>,
    /// PCI function, if `device` leads to one.
    pub pci: Option<Arc<PciFunction>>,
    /// `device/infiniband/*`: RDMA devices of the same function.
    pub rdma_devices: Vec<Text>,
    /// A device without hardware behind it (`/sys/devices/virtual/net`).
    pub is_virtual: bool,
}

/// `bonding/*` of a bond master.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bond {
    /// `mode`, first word: `active-backup`, `802.3ad`, …
    pub mode: Reading<Text>,
    /// `slaves`.
    pub slaves: Vec<Text>,
    /// `active_slave`, if any.
    pub active_slave: Option<Text>,
}

/// IPoIB's files of an interface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ipoib {
    /// `datagram` or `connected`.
    pub mode: Reading<Text>,
    /// `umcast`.
    pub umcast: Reading<bool>,
    /// `pkey`, as printed (`0xffff`).
    pub pkey: Reading<Text>,
}

/// Lifetime counts of carrier transitions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CarrierChanges {
    /// `carrier_changes`.
    pub all: Reading<u64>,
    /// `carrier_up_count`.
    pub up: Reading<u64>,
    /// `carrier_down_count`.
    pub down: Reading<u64>,
}

/// `statistics/*`: the fast ones with their own time, the rest as read at the slow pace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetdevStats {
    /// `rx_bytes`.
    pub rx_bytes: Timed<Reading<u64>>,
    /// `tx_bytes`.
    pub tx_bytes: Timed<Reading<u64>>,
    /// All other files by name (`rx_packets`, `tx_dropped`, …).
    pub slow: Arc<super::CounterSet>,
}
