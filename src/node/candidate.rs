//! Every port and interface that could be a rail.

use super::ConfiguredName;
use super::identity::{self, Order, Traits};
use super::join::{self, INFINIBAND, IfRef, Inventory, Layer};
use crate::sample::{Lnet, PciFunction, Routing, Sample, Text};
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

/// Where a rail is in the samples, as long as their shape stays the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Slot {
    /// Places in `rdma` and its `ports`.
    pub port: Option<(usize, usize)>,
    pub port_name: Option<Text>,
    pub iface: Option<IfRef>,
    pub children: Vec<IfRef>,
    pub bond: Option<(Text, IfRef)>,
    /// The bond lets one member carry everything.
    pub active_backup: bool,
}

/// What a port is, for the choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// InfiniBand, Omni-Path, or a netdev of that link type.
    InfiniBand,
    /// RoCE, iWARP, EFA.
    Rdma,
    /// A NIC without an RDMA device.
    Nic,
    /// Software.
    Virtual,
}

/// A port or interface that could be a rail.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub id: Text,
    /// Everything that identifies it, `id` first.
    pub aka: Vec<Text>,
    /// How good the first of them is: 0 is best.
    pub rank: u8,
    /// Index of its interface.
    pub index: Option<u32>,
    /// Only netlink knows its interface.
    pub half: bool,
    pub name: Text,
    pub slot: Slot,
    pub order: Order,
    pub pci: Option<Arc<PciFunction>>,
    pub class: Class,
    pub names: Vec<Text>,
    pub physical: bool,
    pub vf: bool,
    pub plane: bool,
    pub lnet: bool,
    pub iface: Option<usize>,
    /// Interfaces whose rows this one is folded into: its parent, or the members of a bond.
    pub within: Vec<usize>,
}

impl Candidate {
    /// Part of a row that is there already (a child, a bond)?
    pub(super) fn is_folded(&self) -> bool {
        !self.within.is_empty()
    }

    /// Does it count among the other NICs, when it is no rail?
    pub(super) fn is_other_nic(&self) -> bool {
        self.physical && self.iface.is_some() && !self.is_folded()
    }
}

/// Everything in the sample that could be a rail, in order.
pub(super) fn candidates(sample: &Sample) -> Vec<Candidate> {
    let inventory = Inventory::new(sample);
    let uses = LnetUses::new(&sample.lnet, &sample.routing);
    let no_devices = Vec::new();
    let devices = sample.rdma.as_ref().unwrap_or(&no_devices);
    let netdev_of = join::match_ports(&inventory, devices);
    let claimed: HashSet<usize> = netdev_of.values().copied().collect();
    let mut all = Vec::new();
    for (d, device) in devices.iter().enumerate() {
        for p in 0..device.ports.len() {
            let iface = netdev_of.get(&(d, p)).copied();
            all.extend(of_port(&inventory, sample, (d, p), iface));
        }
    }
    for at in 0..inventory.ifaces.len() {
        if !claimed.contains(&at) {
            all.extend(of_iface(&inventory, at));
        }
    }
    for candidate in &mut all {
        candidate.lnet = uses.any_of(candidate, &inventory);
    }
    all.sort_by(|a, b| a.order.compare(&b.order));
    all
}

/// Gives rails the names of the configuration; the kernel's names go on to match patterns.
pub(super) fn christen(all: &mut [Candidate], names: &[ConfiguredName]) {
    for candidate in all {
        let own = |n: &&ConfiguredName| candidate.names.iter().any(|known| **known == n.of);
        if let Some(found) = names.iter().find(own) {
            candidate.name = Text::from(found.name.clone());
            candidate.names.push(candidate.name.clone());
        }
    }
}

fn of_port(
    inventory: &Inventory<'_>,
    sample: &Sample,
    (d, p): (usize, usize),
    at: Option<usize>,
) -> Option<Candidate> {
    let device = sample.rdma.as_ref().ok()?.get(d)?;
    let port = device.ports.get(p)?;
    let iface = at.and_then(|at| inventory.get(at));
    let layer = join::layer(device, port, iface.and_then(join::Iface::kind));
    let port_name = Text::from(format!("{}/{}", device.name, port.number));
    let name = iface.map_or_else(|| port_name.clone(), |i| i.name.clone());
    let pci = device.attrs.pci.as_ref().or_else(|| iface.and_then(join::Iface::pci)).cloned();
    let traits = Traits {
        pci: pci.as_deref(),
        port: port.number,
        guid: join::port_guid(port),
        hardware_address: None,
        name: &name,
    };
    // A port of a card with more than two that nobody ever enabled is a plane of a bigger port
    // (ConnectX-8), not a rail.
    let disabled = port.phys_state.value.as_ref().is_ok_and(|s| s.code == 3);
    let mut slot = at.map(|at| slot(inventory, at)).unwrap_or_default();
    slot.port = Some((d, p));
    slot.port_name = Some(port_name.clone());
    let mut names = vec![name.clone(), device.name.clone(), port_name];
    names.dedup();
    let (rank, aka) = identity::identities(&traits);
    Some(Candidate {
        id: aka.first()?.clone(),
        aka,
        rank,
        index: iface.and_then(join::Iface::index),
        half: false,
        order: Order::new(pci.as_deref(), port.number, &name),
        class: if layer == Layer::InfiniBand { Class::InfiniBand } else { Class::Rdma },
        physical: pci.is_some() || iface.is_some_and(join::Iface::is_physical),
        vf: pci.as_ref().is_some_and(|p| p.physfn.is_some()),
        plane: device.ports.len() > 2 && disabled,
        lnet: false,
        iface: at,
        within: at.map(|at| folded_into(inventory, at)).unwrap_or_default(),
        name,
        slot,
        pci,
        names,
    })
}

fn of_iface(inventory: &Inventory<'_>, at: usize) -> Option<Candidate> {
    let iface = inventory.get(at)?;
    if iface.is_loopback() {
        return None;
    }
    let physical = iface.is_physical();
    let within = folded_into(inventory, at);
    let infiniband = iface.kind() == Some(INFINIBAND) && within.is_empty();
    let slot = slot(inventory, at);
    let pci = iface.pci().cloned();
    let address = iface.address().map(Text::as_str);
    let hardware = physical && within.is_empty();
    let traits = Traits {
        pci: pci.as_deref().filter(|_| hardware),
        port: iface.own_port(),
        // Whatever sits below, the GUID in an IPoIB address is that of the port.
        guid: address
            .filter(|_| hardware || infiniband && !iface.is_bond())
            .and_then(identity::guid_of_address),
        // Members of a bond share its address; netlink alone cannot tell it is permanent.
        hardware_address: address.filter(|_| hardware && slot.bond.is_none()),
        name: iface.name,
    };
    let class = match (infiniband, physical) {
        (true, _) => Class::InfiniBand,
        (false, true) => Class::Nic,
        (false, false) => Class::Virtual,
    };
    let (rank, aka) = identity::identities(&traits);
    Some(Candidate {
        id: aka.first()?.clone(),
        aka,
        rank,
        index: iface.index(),
        half: iface.net.is_none(),
        order: Order::new(pci.as_deref(), iface.own_port(), iface.name),
        name: iface.name.clone(),
        names: vec![iface.name.clone()],
        vf: iface.is_vf(),
        plane: false,
        lnet: false,
        iface: Some(at),
        class,
        slot,
        pci,
        physical,
        within,
    })
}

fn slot(inventory: &Inventory<'_>, at: usize) -> Slot {
    let bond = inventory.bond_of(at);
    let children = (0..inventory.ifaces.len()).filter(|c| inventory.parent_of(*c) == Some(at));
    Slot {
        port: None,
        port_name: None,
        iface: inventory.get(at).map(|i| i.at),
        children: children.filter_map(|c| inventory.get(c)).map(|i| i.at).collect(),
        active_backup: bond.is_some_and(|b| inventory.is_active_backup(b)),
        bond: bond.and_then(|b| inventory.get(b)).map(|b| (b.name.clone(), b.at)),
    }
}

/// The parent of a child, the members of a bond.
fn folded_into(inventory: &Inventory<'_>, at: usize) -> Vec<usize> {
    if let Some(parent) = inventory.parent_of(at) {
        return vec![parent];
    }
    if !inventory.get(at).is_some_and(join::Iface::is_bond) {
        return Vec::new();
    }
    (0..inventory.ifaces.len()).filter(|m| inventory.master_of(*m) == Some(at)).collect()
}

/// Interfaces and addresses that LNet's NIs are on.
struct LnetUses<'a> {
    names: HashSet<&'a str>,
    indices: HashSet<u32>,
}

impl<'a> LnetUses<'a> {
    fn new(lnet: &'a Lnet, routing: &Routing) -> Self {
        let nis = || {
            let nets = lnet.answer.iter().flat_map(|a| &a.nets);
            nets.flat_map(|n| &n.nis).filter(|ni| !ni.is_lo())
        };
        let names = nis().flat_map(|ni| &ni.interfaces).map(|i| without_alias(i)).collect();
        let plain = nis().filter(|ni| ni.interfaces.is_empty());
        let ips: HashSet<IpAddr> = plain.filter_map(|ni| ni.address().parse().ok()).collect();
        let addresses = routing.addresses.iter().flatten();
        let indices =
            addresses.filter(|a| ips.contains(&a.local.addr)).map(|a| a.ifindex).collect();
        Self { names, indices }
    }

    fn any_of(&self, candidate: &Candidate, inventory: &Inventory<'_>) -> bool {
        let Some(at) = candidate.iface else { return false };
        let is_used = |at: usize| {
            inventory.get(at).is_some_and(|i| {
                self.names.contains(i.name.as_str())
                    || i.index().is_some_and(|x| self.indices.contains(&x))
            })
        };
        is_used(at)
            || inventory.bond_of(at).is_some_and(is_used)
            || (0..inventory.ifaces.len()).any(|c| inventory.parent_of(c) == Some(at) && is_used(c))
    }
}

/// `ib0` of the alias label `ib0:1`.
pub(super) fn without_alias(name: &str) -> &str {
    name.split_once(':').map_or(name, |(device, _)| device)
}

/// Settles who is who where two candidates have one identity: each keeps the one it had before,
/// else the first keeps it and the others add their names.
pub(super) fn settle_identities(all: &mut [Candidate], known: &HashMap<Text, Text>) {
    let mut same: HashMap<Text, Vec<usize>> = HashMap::new();
    for (at, candidate) in all.iter().enumerate() {
        same.entry(candidate.id.clone()).or_default().push(at);
    }
    for (id, places) in same.into_iter().filter(|(_, p)| p.len() > 1) {
        let longer = |c: &Candidate| Text::from(format!("{id}@{}", c.name));
        let had = |at: &usize| all.get(*at).is_some_and(|c| known.get(&id) == Some(&c.name));
        let free = |at: &usize| all.get(*at).is_some_and(|c| !known.contains_key(&longer(c)));
        let owner = places.iter().find(|at| had(at)).or_else(|| places.iter().find(|at| free(at)));
        let owner = owner.copied();
        for at in places.iter().filter(|at| Some(**at) != owner) {
            if let Some(candidate) = all.get_mut(*at) {
                candidate.id = longer(candidate);
            }
        }
    }
    // Two ports can share even their names: no row may be lost.
    let mut seen = HashSet::new();
    for (at, candidate) in all.iter_mut().enumerate() {
        if !seen.insert(candidate.id.clone()) {
            candidate.id = Text::from(format!("{}#{at}", candidate.id));
            seen.insert(candidate.id.clone());
        }
    }
}
