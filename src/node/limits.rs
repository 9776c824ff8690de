//! What a rail can carry: the least of its link and of every PCIe link up to the root.

mod pcie;

pub use pcie::{Lanes, PcieLink, PciePath, Training};

use super::row::Track;
use super::{Presence, Rail};
use crate::sample::{Fact, Mono, PciFunction, Reading, Text, Unknown, Why};
use std::sync::Arc;

/// From this part of its ceiling on a rail is under load.
pub(super) const LOAD: f64 = 0.1;

/// The limits of a rail.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// The PCIe links between the port and the root; `None` where there is no PCI function.
    pub pcie: Option<PciePath>,
    /// The least of all limits, bits per second and direction: what utilisation is measured by.
    pub ceiling_bits_per_second: Fact<f64>,
    /// Which limit that is.
    pub ceiling_by: Option<CeilingBy>,
    /// Other rails that are functions of the same adapter on the same cable (Socket Direct):
    /// indices into [`super::Node::rails`]. Each shows the full rate of the one cable.
    pub same_cable: Vec<usize>,
    /// Other rails of the same card in the same slot: indices into [`super::Node::rails`].
    pub same_slot: Vec<usize>,
}

/// What limits a rail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CeilingBy {
    /// Its own link.
    Link,
    /// A PCIe link.
    Pcie,
}

impl CeilingBy {
    /// The word of the machine contract.
    pub fn word(self) -> &'static str {
        match self {
            CeilingBy::Link => "link",
            CeilingBy::Pcie => "pcie",
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::of_link(Fact::unknown(Why::FirstSample, "not looked at yet"))
    }
}

impl Limits {
    /// Nothing but the link limits.
    pub fn of_link(usable_bits_per_second: Fact<f64>) -> Self {
        let ceiling_by = usable_bits_per_second.ok().map(|_| CeilingBy::Link);
        Self {
            pcie: None,
            ceiling_bits_per_second: usable_bits_per_second,
            ceiling_by,
            same_cable: Vec::new(),
            same_slot: Vec::new(),
        }
    }
}

/// What is remembered of a rail's PCIe links between passes.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch {
    /// The function whose path this is.
    of: Option<Arc<PciFunction>>,
    /// When the links were read last.
    read_at: Option<Mono>,
    /// No rate was measured since.
    pending: bool,
    /// A link was slower than both its ends can be while the rail was under load.
    slow_under_load: bool,
    /// A card like this one runs at full speed on this node.
    twin_is_faster: bool,
}

/// The rail's own limits, from its link's rate and its PCI function.
pub(super) fn own(rail: &mut Rail, watch: &mut Watch) {
    let same = match (&watch.of, &rail.pci) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        (None, None) => true,
        _ => false,
    };
    if !same {
        watch.of.clone_from(&rail.pci);
        rail.limits.pcie = rail.pci.as_deref().map(PciePath::of);
    }
    settle(rail, watch);
}

/// Which slow links are faults, and what is left as the ceiling.
fn settle(rail: &mut Rail, watch: &mut Watch) {
    if let Some(path) = &mut rail.limits.pcie {
        watch.slow_under_load &= path.is_slow();
        path.judge(watch.slow_under_load, watch.twin_is_faster);
    }
    let link = &rail.rate.usable_bits_per_second;
    let pcie = rail.limits.pcie.as_ref().and_then(PciePath::carries).map(|(_, bits)| bits);
    let (ceiling, by) = match (&link.value, pcie) {
        (Ok(link_bits), Some(bits)) if bits < *link_bits => {
            (Fact { value: Ok(bits), qualified: link.qualified.clone() }, Some(CeilingBy::Pcie))
        }
        (Ok(_), _) => (link.clone(), Some(CeilingBy::Link)),
        (Err(_), _) => (link.clone(), None),
    };
    (rail.limits.ceiling_bits_per_second, rail.limits.ceiling_by) = (ceiling, by);
}

/// The rail vanished.
pub(super) fn gone(rail: &mut Rail, watch: &mut Watch, why: &Unknown) {
    *watch = Watch::default();
    rail.limits = Limits::of_link(Err(why.clone()).into());
}

/// Was the rail under load when its PCIe links were read? Idle, some platforms let a link run
/// slower, and that is no fault.
pub(super) fn watch(rail: &mut Rail, watch: &mut Watch, read_at: Option<Mono>, fresh: bool) {
    if read_at.is_some() && read_at != watch.read_at {
        watch.read_at = read_at;
        watch.pending = true;
    }
    let used = [&rail.rx, &rail.tx].map(|flow| flow.utilisation_ratio.ok().copied());
    let Some(most) = used.into_iter().flatten().reduce(f64::max) else { return };
    if !watch.pending || !fresh {
        return;
    }
    watch.pending = false;
    let slow = rail.limits.pcie.as_ref().is_some_and(PciePath::is_slow);
    if most >= LOAD && slow && !watch.slow_under_load {
        watch.slow_under_load = true;
        settle(rail, watch);
    }
}

/// What only shows between rails: who shares a cable or a slot, who has a faster twin.
pub(super) fn together(rails: &mut [Rail], tracks: &mut [Track]) {
    let places: Vec<Option<(&str, &str)>> =
        rails.iter().map(|rail| Some(slot(&there(rail)?.address))).collect();
    let mut found = Vec::with_capacity(rails.len());
    for (at, (rail, place)) in rails.iter().zip(&places).enumerate() {
        let Some((own, function)) = place else {
            found.push((Vec::new(), Vec::new(), false));
            continue;
        };
        let placed = rails.iter().zip(&places).enumerate().filter(|(i, _)| *i != at);
        let others = || placed.clone().filter_map(|(i, (rail, p))| Some((i, rail, p.as_ref()?)));
        let same_slot = others().filter(|(.., (other, _))| other == own).map(|(i, ..)| i);
        // The two ports of a card share its image GUID too, but have one slot, and other function
        // numbers where there are two of everything.
        let apart = others().filter(|(.., (other, f))| other != own && f == function);
        let same_cable = apart.filter(|(_, other, _)| is_same_cable(rail, other)).map(|(i, ..)| i);
        let twin = others().any(|(_, other, _)| is_faster_twin(rail, other));
        found.push((same_cable.collect(), same_slot.collect(), twin));
    }
    for (at, (cable, slot, twin)) in found.into_iter().enumerate() {
        let Some(rail) = rails.get_mut(at) else { continue };
        (rail.limits.same_cable, rail.limits.same_slot) = (cable, slot);
        if let Some(track) = tracks.get_mut(at).filter(|t| t.pcie.twin_is_faster != twin) {
            track.pcie.twin_is_faster = twin;
            settle(rail, &mut track.pcie);
        }
    }
}

fn there(rail: &Rail) -> Option<&PciFunction> {
    rail.pci.as_deref().filter(|p| p.physfn.is_none() && rail.presence == Presence::Present)
}

/// Bus and slot of a PCI address, and its function.
pub(super) fn slot(address: &str) -> (&str, &str) {
    address.rsplit_once('.').unwrap_or((address, ""))
}

/// Two functions of one adapter in two PCIe slots, on one cable: Socket Direct. They share the
/// system image GUID, not the node GUID.
fn is_same_cable(a: &Rail, b: &Rail) -> bool {
    let (Some(a), Some(b)) = (&a.rdma, &b.rdma) else { return false };
    if a.port != b.port {
        return false;
    }
    let (attrs_a, attrs_b) = (&a.device_attrs, &b.device_attrs);
    let (image_a, image_b) = (guid(&attrs_a.sys_image_guid), guid(&attrs_b.sys_image_guid));
    let (node_a, node_b) = (guid(&attrs_a.node_guid), guid(&attrs_b.node_guid));
    image_a.is_some()
        && image_a == image_b
        && node_a.is_some()
        && node_b.is_some()
        && node_a != node_b
}

/// A GUID that is set.
fn guid(reading: &Reading<Text>) -> Option<&Text> {
    reading.as_ref().ok().filter(|g| g.bytes().any(|c| !matches!(c, b'0' | b':')))
}

/// The same model, with the same possible speed of its own link, and that is what it runs at.
fn is_faster_twin(rail: &Rail, other: &Rail) -> bool {
    fn first(rail: &Rail) -> Option<&PcieLink> {
        rail.limits.pcie.as_ref()?.links.first()
    }
    let (Some(mine), Some(theirs)) = (first(rail), first(other)) else { return false };
    if !mine.is_slow() || theirs.training != Training::Full {
        return false;
    }
    let (Some(a), Some(b)) = (there(rail), there(other)) else { return false };
    let is_same_model = match (&a.vendor, &a.device, &b.vendor, &b.device) {
        (Ok(vendor), Ok(device), Ok(other_vendor), Ok(other_device)) => {
            (vendor, device) == (other_vendor, other_device)
        }
        _ => false,
    };
    match (&mine.possible, &theirs.possible) {
        (Ok(can), Ok(they_can)) => is_same_model && they_can.gigatransfers >= can.gigatransfers,
        _ => false,
    }
}
