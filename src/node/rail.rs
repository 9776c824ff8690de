//! One row per rail: what other tools show apart, joined.

use super::{Figure, Flow, FlowSource, Health, History, Limits, NiRates};
use crate::sample::{
    CounterSet, DeviceAttrs, Enumerated, Fact, How, LnetNi, NetdevAttrs, PortAttrs, Prefix,
    Reading, SampleTime, Text, Why,
};
use std::net::IpAddr;
use std::sync::Arc;

/// A rail: one physical port that carries data.
#[derive(Clone, Debug)]
pub struct Rail {
    /// Identity: PCI address + port, else port GUID, else hardware address, else name.
    pub id: Text,
    /// Its netdev's name, without one `device/port`.
    pub name: Text,
    /// Is it there?
    pub presence: Presence,
    /// RDMA side.
    pub rdma: Option<RailRdma>,
    /// The netdev.
    pub netdev: Option<RailNetdev>,
    /// IPoIB children (`ib0.8001`), folded into this row.
    pub children: Vec<RailNetdev>,
    /// Bond that the netdev is a member of: addresses and routes belong to it.
    pub bond: Option<Text>,
    /// Addresses of the netdev (and of its bond and children), global and link scope.
    pub addresses: Vec<RailAddress>,
    /// LNet NIs on this rail.
    pub lnet: Vec<RailNi>,
    /// Nominal and usable rate of the link now.
    pub rate: LinkRate,
    /// The rate while the port was last ACTIVE: its weight while it is dead.
    pub last_active_rate: Option<f64>,
    /// Received.
    pub rx: Flow,
    /// Sent.
    pub tx: Flow,
    /// What it did.
    pub history: History,
    /// Since when the port or carrier is in its present state, as far as railtop saw it change.
    pub state_since: Option<SampleTime>,
    /// Group it belongs to: index into [`super::Node::groups`].
    pub group: Option<usize>,
    /// How often its byte counters began anew while railtop watched.
    pub counter_resets: u32,
    /// What it can carry, and what limits that.
    pub limits: Limits,
    /// What its counters did.
    pub health: Health,
    /// PCI address and NUMA node.
    pub pci: Option<Arc<crate::sample::PciFunction>>,
}

impl Rail {
    /// The names that `--rail` and the filter match.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.name.as_str())
            .chain(self.netdev.as_ref().map(|n| n.name.as_str()))
            .chain(self.rdma.as_ref().map(|r| r.device.as_str()))
            .chain(self.rdma.as_ref().map(|r| r.port_name.as_str()))
    }
}

impl Rail {
    /// What of a direction is RDMA: the port's bytes less those that the IPoIB interface counts.
    /// An estimate: the interface counts payload, the port headers too.
    pub fn rdma_bytes_per_second(&self, flow: &Flow) -> Figure {
        let ethernet = self.rdma.as_ref().is_none_or(RailRdma::is_ethernet);
        if ethernet || flow.source == Some(FlowSource::Netdev) {
            return Fact::unknown(Why::NotApplicable, "only ports of InfiniBand count both");
        }
        match (&flow.bytes_per_second.value, &flow.ip_bytes_per_second.value) {
            (Ok(all), Ok(ip)) => Fact::known((all - ip).max(0.0))
                .qualified(How::Estimate, "bytes of the port less those of its IPoIB interface"),
            (Err(unknown), _) | (_, Err(unknown)) => Err(unknown.clone()).into(),
        }
    }
}

/// Is a rail there?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// In the newest sample.
    Present,
    /// It was there, and vanished.
    Gone {
        /// Time of the first sample without it.
        since: SampleTime,
    },
}

/// The RDMA port of a rail.
#[derive(Clone, Debug)]
pub struct RailRdma {
    /// Device name.
    pub device: Text,
    /// Port number.
    pub port: u32,
    /// `device/port`.
    pub port_name: Text,
    /// Ports of the device; the highest number, as ibstat counts them.
    pub port_count: u32,
    /// What its state means.
    pub state: PortState,
    /// `state`, as read.
    pub raw_state: Reading<Enumerated>,
    /// `phys_state`, as read.
    pub phys_state: Reading<Enumerated>,
    /// InfiniBand, Ethernet, …
    pub link_layer: Reading<Text>,
    /// Device facts.
    pub device_attrs: Arc<DeviceAttrs>,
    /// Port facts.
    pub port_attrs: Arc<PortAttrs>,
    /// `counters/`.
    pub counters: Arc<CounterSet>,
    /// `hw_counters/`.
    pub hw_counters: Arc<CounterSet>,
    /// The device's reads hang since then.
    pub stuck_since: Option<SampleTime>,
}

impl RailRdma {
    /// Is its link layer Ethernet? That of iWARP is, whatever it prints.
    pub fn is_ethernet(&self) -> bool {
        super::join::is_iwarp(&self.device, &self.device_attrs)
            || self.link_layer.as_ref().is_ok_and(|l| l.eq_ignore_ascii_case("ethernet"))
    }
}

/// What the state of a port means, in an operator's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortState {
    /// ACTIVE, LinkUp.
    Active,
    /// ACTIVE, LinkErrorRecovery: the link is retraining now.
    Retraining,
    /// ACTIVE_DEFER.
    ActiveDefer,
    /// ARMED: the subnet manager is half-way.
    Armed,
    /// INIT, LinkUp: no subnet manager reached the port.
    NoSubnetManager,
    /// DOWN, Polling (or Sleep): no signal.
    NoSignal,
    /// DOWN, Disabled.
    Disabled,
    /// DOWN, training or another transition.
    Training,
    /// DOWN, anything else.
    Down,
    /// The state could not be read or is not understood.
    Unknown,
}

impl PortState {
    /// Can traffic flow?
    pub fn is_active(self) -> bool {
        matches!(self, PortState::Active | PortState::Retraining | PortState::ActiveDefer)
    }
}

/// A netdev of a rail.
#[derive(Clone, Debug)]
pub struct RailNetdev {
    /// Name.
    pub name: Text,
    /// Interface index.
    pub ifindex: Reading<u32>,
    /// ARPHRD type.
    pub kind: Reading<u32>,
    /// Administratively up.
    pub admin_up: Reading<bool>,
    /// Carrier (IFF_LOWER_UP, else sysfs).
    pub carrier: Reading<bool>,
    /// Operational state in words.
    pub operstate: Reading<Text>,
    /// MTU in bytes.
    pub mtu: Reading<u32>,
    /// Hardware address.
    pub address: Reading<Text>,
    /// IPoIB mode.
    pub mode: Reading<Text>,
    /// IPoIB partition key.
    pub pkey: Reading<Text>,
    /// Carrier losses since the interface was made.
    pub carrier_down_count: Reading<u64>,
    /// sysfs facts, when sysfs was read.
    pub attrs: Option<Arc<NetdevAttrs>>,
    /// `statistics/*` other than bytes.
    pub stats: Option<Arc<CounterSet>>,
}

/// An address of a rail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RailAddress {
    /// Address and prefix length.
    pub prefix: Prefix,
    /// The interface that has it (the rail's netdev, a child or its bond).
    pub interface: Text,
    /// `ifa_scope`.
    pub scope: u8,
    /// `ifa_flags`.
    pub flags: u32,
}

impl RailAddress {
    /// The address without its length.
    pub fn ip(&self) -> IpAddr {
        self.prefix.addr
    }
}

/// An LNet NI on a rail.
#[derive(Clone, Debug)]
pub struct RailNi {
    /// Its net.
    pub net: Text,
    /// The NI as read.
    pub ni: LnetNi,
    /// Messages sent per second.
    pub sent_per_second: Figure,
    /// Messages received per second.
    pub received_per_second: Figure,
    /// By kind, and failures.
    pub rates: NiRates,
}

/// What the link can carry.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkRate {
    /// Nominal, bits per second, as the kernel prints it.
    pub nominal_bits_per_second: Fact<f64>,
    /// Lanes.
    pub width: Fact<u32>,
    /// SDR … XDR; empty where the kernel prints none.
    pub speed: Fact<Text>,
    /// Usable by data, bits per second: after line coding.
    pub usable_bits_per_second: Fact<f64>,
    /// Where the figure comes from.
    pub source: RateSource,
}

/// Source of a link rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateSource {
    /// `rate` of the RDMA port.
    Port,
    /// `speed` of the netdev.
    Netdev,
    /// None.
    Nothing,
}
