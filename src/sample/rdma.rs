//! RDMA devices and ports as `/sys/class/infiniband` shows them.

use super::{Mono, PciFunction, Reading, Text, Timed, Unknown, Why};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One RDMA device (HCA).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RdmaDevice {
    /// `mlx5_0`, `ibp65s0`, `rxe0`.
    pub name: Text,
    /// What seldom changes.
    pub attrs: Arc<DeviceAttrs>,
    /// When `attrs` were read last, changed or not: what PCIe links do hangs on the load.
    #[serde(default)]
    pub attrs_at: Mono,
    /// `ports/*`, ascending.
    pub ports: Vec<RdmaPort>,
    /// Device-wide `hw_counters/`, where the driver has them.
    pub hw_counters: Arc<CounterSet>,
    /// A read of this device has not returned since then; all values are from before.
    pub stuck_since: Option<Mono>,
}

/// The slow facts of a device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeviceAttrs {
    /// `node_type`: 1 CA, 2 switch, 3 router, 4 RNIC.
    pub node_type: Reading<Enumerated>,
    /// `node_guid`, as printed.
    pub node_guid: Reading<Text>,
    /// `sys_image_guid`: equal on two functions that share one cable.
    pub sys_image_guid: Reading<Text>,
    /// `node_desc`.
    pub node_desc: Reading<Text>,
    /// `fw_ver`.
    pub fw_ver: Reading<Text>,
    /// `hca_type`: MT4123.
    pub hca_type: Reading<Text>,
    /// `hw_rev`.
    pub hw_rev: Reading<Text>,
    /// `board_id`: the PSID.
    pub board_id: Reading<Text>,
    /// Driver of the parent device: `mlx5_core`, `hfi1`, … (`rxe`, `siw` for devices without one).
    pub driver: Reading<Text>,
    /// PCI function, unless the device is virtual.
    pub pci: Option<Arc<PciFunction>>,
    /// `device/net/*`: netdevs of the same function.
    pub netdevs: Vec<Text>,
    /// `parent`: the netdev an rxe device sits on.
    pub parent: Option<Text>,
}

/// One port.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RdmaPort {
    /// From 1.
    pub number: u32,
    /// `state`: 1 DOWN, 2 INIT, 3 ARMED, 4 ACTIVE, 5 ACTIVE_DEFER.
    pub state: Timed<Reading<Enumerated>>,
    /// `phys_state`: 2 Polling, 3 Disabled, 5 LinkUp, 6 LinkErrorRecovery, …
    pub phys_state: Timed<Reading<Enumerated>>,
    /// What seldom changes.
    pub attrs: Arc<PortAttrs>,
    /// The counters that give the byte rate, read in every pass.
    pub data: DataCounters,
    /// `counters/` and, on old kernels, `counters_ext/`: everything, at the slow pace.
    pub counters: Arc<CounterSet>,
    /// `hw_counters/` of the port.
    pub hw_counters: Arc<CounterSet>,
}

/// The slow facts of a port; read again when the state changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PortAttrs {
    /// `link_layer`: InfiniBand, Ethernet, Unknown.
    pub link_layer: Reading<Text>,
    /// `rate`, as printed: `200 Gb/sec (4X HDR)`. Means nothing unless the port is ACTIVE.
    pub rate: Reading<Text>,
    /// `lid`.
    pub lid: Reading<u32>,
    /// `sm_lid`.
    pub sm_lid: Reading<u32>,
    /// `sm_sl`.
    pub sm_sl: Reading<u32>,
    /// `lid_mask_count`.
    pub lmc: Reading<u32>,
    /// `cap_mask`.
    pub cap_mask: Reading<u32>,
    /// `gids/0…`: the first entries that are not empty.
    pub gids: Vec<Gid>,
    /// `gids/0` as printed, empty or not: ibstat and ibstatus show it.
    pub default_gid: Reading<Text>,
    /// `pkeys/0…`: the first entries that are not 0x0000, as printed.
    pub pkeys: Reading<Vec<Text>>,
}

impl PortAttrs {
    /// The port's GUID: the lower half of its first GID, as ibstat takes it.
    pub fn port_guid(&self) -> Reading<Text> {
        let gid = self.default_gid.as_ref().map_err(Clone::clone)?;
        let groups: Vec<&str> = gid.split(':').collect();
        match groups.get(4..) {
            Some(low) if groups.len() == 8 => Ok(Text::from(low.join(":"))),
            _ => Err(Unknown::new(Why::Unparsable, gid.clone())),
        }
    }
}

/// One entry of the GID table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gid {
    /// Index in the table.
    pub index: u32,
    /// As printed, 8 × 4 hex.
    pub gid: Text,
    /// `gid_attrs/ndevs/N`; EINVAL on InfiniBand link layers.
    pub netdev: Option<Text>,
    /// `gid_attrs/types/N`.
    pub kind: Option<Text>,
}

/// `N: WORD` as sysfs prints enumerations; the number decides, the word is for display.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enumerated {
    /// Leading integer.
    pub code: u32,
    /// The word after the colon.
    pub word: Text,
}

/// A counter of a group, as read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Counter {
    /// File name.
    pub name: Text,
    /// Its value.
    pub value: Reading<u64>,
}

/// Counters that were read together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CounterSet {
    /// When the last of them was read.
    pub at: Mono,
    /// By file name, natural order.
    pub items: Vec<Counter>,
}

impl CounterSet {
    /// The counter of that file name, if the group has it.
    pub fn get(&self, name: &str) -> Option<&Reading<u64>> {
        self.items.iter().find(|c| &*c.name == name).map(|c| &c.value)
    }
}

/// The raw counters that together make the byte rate of a port, per direction.
///
/// Usually one each (`counters/port_rcv_data`, `port_xmit_data`), the sum of two for drivers
/// that count IPv4 and IPv6 apart; empty when the driver has none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DataCounters {
    /// Received.
    pub rx: Vec<DataCounter>,
    /// Sent.
    pub tx: Vec<DataCounter>,
}

/// One data counter with the time of its read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataCounter {
    /// Path below `ports/N/`: `counters/port_rcv_data`, `hw_counters/rx_bytes`.
    pub file: Text,
    /// When the read returned.
    pub at: Mono,
    /// Raw value, in the unit of the file.
    pub value: Reading<u64>,
}
