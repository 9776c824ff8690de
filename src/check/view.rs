//! One rail as the checks look at it: what relies on it, what its interface does, its evidence.

use crate::node::{EventKind, GroupOrigin, Node, PortState, Presence, Rail, RailNetdev, RailRdma};
use crate::sample::{SampleTime, Text};
use crate::units;

/// A rail, its node and what relies on it.
pub(super) struct RailView<'a> {
    pub node: &'a Node,
    pub rail: &'a Rail,
    pub index: usize,
    pub reliance: Reliance,
}

/// Does anything rely on a rail? A port that never had a link and that nothing relies on is no
/// fault: management ports, the second port of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reliance {
    /// It has an address or an LNet NI, belongs to a group by name, or was up while railtop ran.
    InUse,
    /// Its like elsewhere are up, or no rail is up at all.
    Expected,
    /// A further port of a card, and one port like it is up: two are no pattern.
    Guessed,
    /// Nothing speaks for it.
    Nothing,
}

/// What the interface of a rail does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Iface {
    /// There is none.
    None,
    /// Administratively down.
    AdminDown,
    /// Up without carrier.
    NoCarrier,
    /// Up with carrier.
    Up,
    /// Could not be read.
    Unknown,
}

impl<'a> RailView<'a> {
    pub(super) fn new(node: &'a Node, index: usize) -> Option<Self> {
        let rail = node.rails.get(index)?;
        Some(Self { node, rail, index, reliance: reliance(node, rail, index) })
    }

    pub(super) fn name(&self) -> &str {
        &self.rail.name
    }

    pub(super) fn gone_since(&self) -> Option<SampleTime> {
        match self.rail.presence {
            Presence::Present => None,
            Presence::Gone { since } => Some(since),
        }
    }

    pub(super) fn port(&self) -> Option<PortState> {
        self.rail.rdma.as_ref().map(|r| r.state)
    }

    pub(super) fn iface(&self) -> Iface {
        self.rail.netdev.as_ref().map_or(Iface::None, iface)
    }

    /// An address or an LNet NI speaks for it.
    pub(super) fn is_relied_on(&self) -> bool {
        has_address(self.rail) || !self.rail.lnet.is_empty()
    }

    /// Is it one of a group by name, or of an LNet net? That others look alike says nothing.
    pub(super) fn is_grouped(&self) -> bool {
        is_grouped(self.node, self.rail)
    }

    pub(super) fn is_ethernet(&self) -> bool {
        self.rail.rdma.as_ref().is_some_and(RailRdma::is_ethernet)
    }

    /// " for 2 s", as far as the change was seen.
    pub(super) fn for_how_long(&self) -> String {
        self.rail.state_since.map_or_else(String::new, |since| format!(" for {}", self.age(since)))
    }

    pub(super) fn age(&self, since: SampleTime) -> String {
        units::duration_words(self.node.time.mono.since(since.mono))
    }

    /// "; 3 other rails of o2ib carry on".
    pub(super) fn others(&self) -> String {
        let Some(group) = self.rail.group.and_then(|g| self.node.groups.get(g)) else {
            return String::new();
        };
        // The name of a chip is no name of a group.
        let of = match group.origin {
            GroupOrigin::LnetNet | GroupOrigin::Config => format!("of {} ", group.name),
            GroupOrigin::Guess => String::new(),
        };
        let others = || group.rails.iter().filter(|i| **i != self.index);
        let up = others().filter_map(|i| self.node.rails.get(*i)).filter(|r| works(r)).count();
        match (up, others().count()) {
            (_, 0) => String::new(),
            (0, _) => format!("; no other rail {of}works"),
            (1, _) => format!("; 1 other rail {of}carries on"),
            (n, _) => format!("; {n} other rails {of}carry on"),
        }
    }

    /// The kernel's own lines about the port.
    pub(super) fn port_evidence(&self) -> Vec<Text> {
        let Some(rdma) = &self.rail.rdma else { return Vec::new() };
        [("state", &rdma.raw_state), ("phys_state", &rdma.phys_state)]
            .into_iter()
            .map(|(file, value)| {
                let path = port_path(rdma, file);
                match value {
                    Ok(v) => format!("{path}: {}: {}", v.code, v.word).into(),
                    Err(why) => format!("{path}: {why}").into(),
                }
            })
            .collect()
    }

    /// The kernel's own lines about the interface of the rail.
    pub(super) fn iface_evidence(&self) -> Vec<Text> {
        self.rail.netdev.as_ref().map_or_else(Vec::new, |n| netdev_evidence(self.node, n))
    }
}

/// `/sys/class/infiniband/DEV/ports/N/FILE`.
pub(super) fn port_path(rdma: &RailRdma, file: &str) -> String {
    format!("/sys/class/infiniband/{}/ports/{}/{file}", rdma.device, rdma.port)
}

/// The kernel's own lines about an interface.
pub(super) fn netdev_evidence(node: &Node, netdev: &RailNetdev) -> Vec<Text> {
    let path = |file: &str| format!("/sys/class/net/{}/{file}", netdev.name);
    let mut lines = Vec::new();
    let link = node.links.as_ref().ok().and_then(|l| l.iter().find(|l| l.name == netdev.name));
    if let Some(link) = link {
        let word = |on, word| if on { word } else { "" };
        let (up, lower) = (link.flags.is_up(), link.flags.has_carrier());
        lines.push(format!(
            "RTM_GETLINK {}: flags {:#x}{}{}",
            link.name,
            link.flags.0,
            word(up, " UP"),
            word(lower, " LOWER_UP")
        ));
    } else if let Ok(carrier) = &netdev.carrier {
        lines.push(format!("{}: {}", path("carrier"), u8::from(*carrier)));
    }
    if let Ok(state) = &netdev.operstate {
        lines.push(format!("{}: {state}", path("operstate")));
    }
    if let Ok(count) = &netdev.carrier_down_count
        && *count > 0
    {
        lines.push(format!("{}: {count}", path("carrier_down_count")));
    }
    lines.into_iter().map(Text::from).collect()
}

/// What an interface does.
pub(super) fn iface(netdev: &RailNetdev) -> Iface {
    match (&netdev.admin_up, &netdev.carrier) {
        (Ok(false), _) => Iface::AdminDown,
        (Ok(true), Ok(true)) => Iface::Up,
        (Ok(true), Ok(false)) => Iface::NoCarrier,
        _ => Iface::Unknown,
    }
}

/// Can traffic flow over this rail?
pub(super) fn works(rail: &Rail) -> bool {
    rail.presence == Presence::Present
        && match (&rail.rdma, &rail.netdev) {
            (Some(rdma), _) => rdma.state.is_active(),
            (None, Some(netdev)) => iface(netdev) == Iface::Up,
            (None, None) => false,
        }
}

/// Global addresses: those of link scope come by themselves and say nothing.
pub(super) fn has_address(rail: &Rail) -> bool {
    const RT_SCOPE_UNIVERSE: u8 = 0;
    const RT_SCOPE_SITE: u8 = 200;
    rail.addresses.iter().any(|a| matches!(a.scope, RT_SCOPE_UNIVERSE..=RT_SCOPE_SITE))
}

fn is_grouped(node: &Node, rail: &Rail) -> bool {
    let group = rail.group.and_then(|g| node.groups.get(g));
    group.is_some_and(|g| matches!(g.origin, GroupOrigin::LnetNet | GroupOrigin::Config))
}

fn reliance(node: &Node, rail: &Rail, index: usize) -> Reliance {
    let grouped = is_grouped(node, rail);
    let was_up = rail.last_active_rate.is_some()
        || node.events.iter().any(|e| e.kind == EventKind::LinkDown && e.subject == rail.name);
    if has_address(rail) || !rail.lnet.is_empty() || grouped || was_up {
        return Reliance::InUse;
    }
    let others =
        || node.rails.iter().enumerate().filter(|(i, r)| *i != index && works(r)).map(|(_, r)| r);
    match others().filter(|other| same_place(rail, other)).count() {
        _ if others().next().is_none() => Reliance::Expected,
        0 => Reliance::Nothing,
        1 if others().any(|other| same_card(rail, other)) => Reliance::Guessed,
        _ => Reliance::Expected,
    }
}

/// Are these two ports of one card?
fn same_card(rail: &Rail, other: &Rail) -> bool {
    let (Some(a), Some(b)) = (&rail.rdma, &other.rdma) else { return false };
    let slot = |r: &RailRdma| {
        let pci = r.device_attrs.pci.as_ref()?;
        pci.address.rsplit_once('.').map(|(slot, _)| slot.to_owned())
    };
    a.device == b.device || slot(a).is_some_and(|own| slot(b) == Some(own))
}

/// Are these the same port of two identical adapters?
///
/// The free second port of a card has an identical twin on the very same card, so the PCI
/// function and port numbers must agree too.
fn same_place(rail: &Rail, other: &Rail) -> bool {
    let (Some(a), Some(b)) = (&rail.rdma, &other.rdma) else { return false };
    let model = |r: &RailRdma| {
        let (kind, board) = (&r.device_attrs.hca_type, &r.device_attrs.board_id);
        match (kind, board) {
            (Ok(kind), Ok(board)) if !kind.is_empty() => Some((kind.clone(), board.clone())),
            _ => None,
        }
    };
    let function = |r: &RailRdma| {
        let pci = r.device_attrs.pci.as_ref()?;
        pci.address.rsplit_once('.').map(|(_, function)| function.to_owned())
    };
    let functions_agree = match (function(a), function(b)) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    };
    model(a).is_some() && model(a) == model(b) && a.port == b.port && functions_agree
}
