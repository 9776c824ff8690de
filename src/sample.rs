//! Everything one pass read: raw, cumulative, with the time of each read.
//!
//! A sample is what recordings, captures and remote hosts carry. Parts that were not read again
//! in a pass are shared with the sample before (`Arc`), so an unchanged part costs nothing and
//! can be recognised by pointer.

mod host;
mod lnet;
mod manager;
mod netdev;
mod pci;
mod rdma;
mod reading;
mod routing;
mod sysctl;
mod text;
mod time;

pub use host::{Host, Memory, NumaNode};
pub use lnet::{
    Answered, Lnet, LnetAnswer, LnetBuffers, LnetFailure, LnetFile, LnetGlobal, LnetLocal,
    LnetModules, LnetMore, LnetNet, LnetNi, LnetNiCredits, LnetParameter, LnetPeer, LnetPeerNi,
    LnetRoute, LnetRouting, LnetStats, LnetUdsp, LoadedModule, LustreMount, MAX_HEALTH,
};
pub use manager::{ConfigFile, ConfigKind, Managed, Manager, Managers, RailManager};
pub use netdev::{Bond, CarrierChanges, Ipoib, Netdev, NetdevAttrs, NetdevStats};
pub use pci::{PciFunction, PciLink};
pub use rdma::{
    Counter, CounterSet, DataCounter, DataCounters, DeviceAttrs, Enumerated, Gid, PortAttrs,
    RdmaDevice, RdmaPort,
};
pub use reading::{Fact, How, Qualifier, Reading, Unknown, Why};
pub use routing::{
    Address, Family, Link, LinkFlags, Neighbour, NextHop, NextHopFlags, NextHopGroupMember,
    NextHopObject, Prefix, Route, RouteKind, Routing, Rule, RuleAction,
};
pub use sysctl::{SysctlIf, Sysctls};
pub use text::Text;
pub use time::{Mono, SampleTime, Timed};

use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// What one pass over the system read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sample {
    /// When the pass ended.
    pub time: SampleTime,
    /// Host name, kernel, load, memory, boot time.
    pub host: Arc<Host>,
    /// `/sys/class/net`, every interface of the namespace; natural order of names.
    pub netdevs: Reading<Vec<Arc<Netdev>>>,
    /// `/sys/class/infiniband`; absent (ENOENT) means that no RDMA driver is loaded.
    pub rdma: Reading<Vec<Arc<RdmaDevice>>>,
    /// RTM_GETLINK: the flags that tell a dead link first.
    pub links: Reading<Arc<Vec<Link>>>,
    /// Addresses, rules, all tables, neighbours, next hops of both families.
    pub routing: Arc<Routing>,
    /// `/proc/sys/net/ipv{4,6}/conf`.
    pub sysctls: Arc<Sysctls>,
    /// Who keeps the interfaces' configuration, and what their files say; `None` where nobody
    /// looked (a capture).
    #[serde(default)]
    pub managers: Option<Arc<Managers>>,
    /// What LNet says of itself, and its modules.
    pub lnet: Arc<Lnet>,
    /// What railtop itself must say about the pass: a reader that hangs, an overrun, a left child.
    pub notes: Vec<Note>,
    /// Own cost of the pass, by reader, in wall-clock time.
    pub cost: Vec<Cost>,
}

/// The reader of notes about what reading costs.
pub const OWN_COST: &str = "railtop";

/// Something about the reading itself that the user must know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Which reader, as a user knows it: `mlx5_0`, `lnetctl`, `netlink`.
    pub reader: Text,
    /// What happened, in words.
    pub what: Text,
    /// Since when.
    pub since: Mono,
}

/// How long one reader took in this pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Which reader.
    pub reader: Text,
    /// Wall-clock time of its reads in this pass.
    pub took: Duration,
    /// Number of files read or messages asked for.
    pub reads: u32,
}
