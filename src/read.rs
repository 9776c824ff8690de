//! The readers: one kernel interface or tool each, bytes → sample types.
//!
//! Every reader takes a root directory or bytes, never "/" by itself, so that a copied tree can
//! stand in for the system. Readers neither judge nor format.

pub mod clock;
pub mod host;
pub mod ipjson;
pub mod lnet_local;
pub mod lnetctl;
pub mod manager;
pub mod root;
pub mod rtnl;
pub mod sysctl;
pub mod sysfs;
pub mod tables;

/// Which tiers of files a pass reads again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// Port `state`, `phys_state`; netdev `operstate`, `flags`, `carrier`.
    pub state: bool,
    /// The data counters behind the byte rates.
    pub data: bool,
    /// Error counters, packets, `hw_counters`.
    pub slow: bool,
    /// Names, ids, rates, LIDs, PCI links, the list of devices itself.
    pub rare: bool,
}

impl Due {
    /// Everything.
    pub const ALL: Due = Due { state: true, data: true, slow: true, rare: true };
}
