//! Which interface belongs to which: sysfs and netlink by name, ports to netdevs, children to
//! parents, members to bonds.

use super::identity::{guid_of_address, guid_of_gid};
use crate::sample::{DeviceAttrs, Link, Netdev, PciFunction, RdmaDevice, RdmaPort, Sample, Text};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// ARPHRD_ETHER, ARPHRD_INFINIBAND, ARPHRD_LOOPBACK.
const ETHERNET: u32 = 1;
pub(super) const INFINIBAND: u32 = 32;
const LOOPBACK: u32 = 772;

/// Where an interface is in a sample: places in `netdevs` and in `links`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct IfRef {
    pub net: Option<usize>,
    pub link: Option<usize>,
}

impl IfRef {
    /// Both sides of it in a sample.
    pub(super) fn of<'a>(&self, sample: &'a Sample) -> (Option<&'a Netdev>, Option<&'a Link>) {
        let nets = sample.netdevs.as_ref().ok();
        let links = sample.links.as_ref().ok();
        (self.net.and_then(|i| nets?.get(i)).map(|n| &**n), self.link.and_then(|i| links?.get(i)))
    }
}

/// One interface: what sysfs and what netlink say; either may be missing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Iface<'a> {
    pub name: &'a Text,
    pub net: Option<&'a Netdev>,
    pub link: Option<&'a Link>,
    pub at: IfRef,
}

impl<'a> Iface<'a> {
    pub(super) fn index(&self) -> Option<u32> {
        let own = || self.net.and_then(|n| n.attrs.ifindex.as_ref().ok().copied());
        self.link.map(|l| l.index).or_else(own)
    }

    pub(super) fn kind(&self) -> Option<u32> {
        let own = || self.net.and_then(|n| n.attrs.kind.as_ref().ok().copied());
        self.link.map(|l| l.kind).or_else(own)
    }

    pub(super) fn address(&self) -> Option<&'a Text> {
        let own = || self.net.and_then(|n| n.attrs.address.as_ref().ok());
        self.link.and_then(|l| l.address.as_ref()).or_else(own)
    }

    pub(super) fn pci(&self) -> Option<&'a Arc<PciFunction>> {
        self.net.and_then(|n| n.attrs.pci.as_ref())
    }

    pub(super) fn is_vf(&self) -> bool {
        self.pci().is_some_and(|p| p.physfn.is_some())
    }

    fn info_kind(&self) -> Option<&'a str> {
        self.link.and_then(|l| l.info_kind.as_deref())
    }

    pub(super) fn is_bond(&self) -> bool {
        self.net.is_some_and(|n| n.attrs.bond.is_some()) || self.info_kind() == Some("bond")
    }

    pub(super) fn is_loopback(&self) -> bool {
        self.kind() == Some(LOOPBACK) || self.link.is_some_and(|l| l.flags.is_loopback())
    }

    /// Hardware behind it? Without sysfs only as far as netlink names its software drivers.
    pub(super) fn is_physical(&self) -> bool {
        if self.is_loopback() {
            return false;
        }
        match (self.net, self.link) {
            (Some(net), _) => !net.attrs.is_virtual,
            (None, Some(link)) => {
                let hardware = matches!(link.info_kind.as_deref(), None | Some("ipoib"));
                hardware && link.parent.is_none() && matches!(link.kind, ETHERNET | INFINIBAND)
            }
            (None, None) => false,
        }
    }

    /// RDMA port number by `dev_port`, 0-based; `dev_id` where the kernel is too old for it.
    fn port_number(&self, by_dev_id: bool) -> Option<u32> {
        let attrs = &self.net?.attrs;
        let number = if by_dev_id { &attrs.dev_id } else { &attrs.dev_port };
        number.as_ref().ok().and_then(|n| n.checked_add(1))
    }

    /// The port it would be without an RDMA device.
    pub(super) fn own_port(&self) -> u32 {
        self.port_number(false).unwrap_or(1)
    }
}

/// All interfaces of a sample.
pub(super) struct Inventory<'a> {
    pub ifaces: Vec<Iface<'a>>,
    by_name: HashMap<&'a str, usize>,
    by_index: HashMap<u32, usize>,
    masters: Vec<Option<usize>>,
    parents: Vec<Option<usize>>,
}

impl<'a> Inventory<'a> {
    /// sysfs ∪ netlink, by name.
    pub(super) fn new(sample: &'a Sample) -> Self {
        let mut this = Self {
            ifaces: Vec::new(),
            by_name: HashMap::new(),
            by_index: HashMap::new(),
            masters: Vec::new(),
            parents: Vec::new(),
        };
        for (place, net) in sample.netdevs.iter().flatten().enumerate() {
            let at = this.entry(&net.name);
            if let Some(iface) = this.ifaces.get_mut(at) {
                iface.net = Some(net);
                iface.at.net = Some(place);
            }
        }
        let links = sample.links.as_ref().map(|l| l.as_slice()).unwrap_or_default();
        let listed: HashSet<&str> = links.iter().map(|l| l.name.as_str()).collect();
        let of_old = |n: &&Arc<Netdev>| !listed.contains(n.name.as_str());
        let old_names: HashMap<u32, &Netdev> = sample
            .netdevs
            .iter()
            .flatten()
            .filter(of_old)
            .filter_map(|n| Some((*n.attrs.ifindex.as_ref().ok()?, &**n)))
            .collect();
        for (place, link) in links.iter().enumerate() {
            // A new name is in netlink's list first; sysfs still has it under the old one.
            if let Some(old) = old_names.get(&link.index)
                && old.attrs.kind == Ok(link.kind)
                && old.attrs.address.as_ref().ok() == link.address.as_ref()
                && !this.by_name.contains_key(link.name.as_str())
                && let Some(at) = this.named(&old.name)
            {
                this.by_name.insert(link.name.as_str(), at);
                if let Some(iface) = this.ifaces.get_mut(at) {
                    iface.name = &link.name;
                }
            }
            let at = this.entry(&link.name);
            if let Some(iface) = this.ifaces.get_mut(at) {
                iface.link = Some(link);
                iface.at.link = Some(place);
            }
        }
        for (at, iface) in this.ifaces.iter().enumerate() {
            if let Some(index) = iface.index() {
                this.by_index.entry(index).or_insert(at);
            }
        }
        this.masters = (0..this.ifaces.len()).map(|at| this.find_master(at)).collect();
        this.parents = (0..this.ifaces.len()).map(|at| this.find_parent(at)).collect();
        this
    }

    fn entry(&mut self, name: &'a Text) -> usize {
        let ifaces = &mut self.ifaces;
        *self.by_name.entry(name.as_str()).or_insert_with(|| {
            ifaces.push(Iface { name, net: None, link: None, at: IfRef::default() });
            ifaces.len() - 1
        })
    }

    pub(super) fn get(&self, at: usize) -> Option<&Iface<'a>> {
        self.ifaces.get(at)
    }

    fn named(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// Master by name (sysfs) or index (netlink): bond, bridge, VRF.
    pub(super) fn master_of(&self, at: usize) -> Option<usize> {
        self.masters.get(at).copied().flatten()
    }

    /// The interface a child (IPoIB partition, VLAN) sits on.
    pub(super) fn parent_of(&self, at: usize) -> Option<usize> {
        self.parents.get(at).copied().flatten()
    }

    fn find_master(&self, at: usize) -> Option<usize> {
        let iface = self.get(at)?;
        let by_name = || self.named(iface.net?.attrs.master.as_deref()?);
        let by_index = || self.by_index.get(&iface.link?.master?).copied();
        by_name().or_else(by_index).filter(|m| *m != at)
    }

    /// The bond an interface is a member of.
    pub(super) fn bond_of(&self, at: usize) -> Option<usize> {
        let master = self.master_of(at)?;
        let slave = self.get(at)?.link.is_some_and(|l| l.slave_kind.as_deref() == Some("bond"));
        (slave || self.get(master)?.is_bond()).then_some(master)
    }

    /// Does a bond let one member carry everything? IPoIB allows no other mode
    /// (`bond_main.c`).
    pub(super) fn is_active_backup(&self, bond: usize) -> bool {
        let Some(iface) = self.get(bond) else { return false };
        let mode = iface.net.and_then(|n| n.attrs.bond.as_ref()?.mode.as_deref().ok());
        mode == Some("active-backup") || iface.kind() == Some(INFINIBAND)
    }

    /// A bond or bridge has lower devices too, but they call it their master; the other end of a
    /// veth is no parent.
    fn find_parent(&self, at: usize) -> Option<usize> {
        let iface = self.get(at)?;
        if iface.is_bond() {
            return None;
        }
        let named = iface.net.and_then(|n| n.attrs.parent.as_deref());
        // Of IPoIB only the parent has a device (`ipoib_main.c`, SET_NETDEV_DEV).
        let has_device = iface.net.is_some_and(|n| !n.attrs.is_virtual);
        let stacked = match iface.info_kind() {
            _ if has_device && named.is_none() => false,
            Some(kind) => matches!(kind, "ipoib" | "vlan" | "macvlan" | "ipvlan" | "macsec"),
            None => named.is_some() || iface.kind() == Some(INFINIBAND),
        };
        if !stacked {
            return None;
        }
        let by_index = || {
            let own = || iface.net?.attrs.iflink.as_ref().ok().copied();
            let index = iface.link.and_then(|l| l.parent).or_else(own)?;
            self.by_index.get(&index).copied()
        };
        let parent = named.and_then(|n| self.named(n)).or_else(by_index)?;
        let same_kind = self.get(parent)?.kind() == iface.kind();
        (parent != at && same_kind && self.master_of(parent) != Some(at)).then_some(parent)
    }
}

/// What a port's link layer is; the kernel prints none before 2.6.37.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    InfiniBand,
    Ethernet,
    Other,
}

/// Link layer of a port, by its netdev where it cannot be read.
pub(super) fn layer(device: &RdmaDevice, port: &RdmaPort, netdev_kind: Option<u32>) -> Layer {
    let rnic = is_iwarp(&device.name, &device.attrs);
    match port.attrs.link_layer.as_deref() {
        Ok("InfiniBand") if !rnic => Layer::InfiniBand,
        Ok("InfiniBand" | "Ethernet") => Layer::Ethernet,
        // Not understood, but IPoIB sits on it.
        Ok(_) if netdev_kind == Some(INFINIBAND) => Layer::InfiniBand,
        Ok(_) => Layer::Other,
        Err(_) if rnic || netdev_kind == Some(ETHERNET) => Layer::Ethernet,
        Err(_) => Layer::InfiniBand,
    }
}

/// An iWARP adapter. i40iw printed InfiniBand as its link layer; it tells by its type, and in
/// trees without that file by the name its driver gives.
pub(super) fn is_iwarp(name: &str, attrs: &DeviceAttrs) -> bool {
    match &attrs.node_type {
        Ok(kind) => kind.code == 4,
        Err(_) => name.starts_with("i40iw"),
    }
}

/// The netdev of each port of each device, by place in the sample.
pub(super) fn match_ports(
    inventory: &Inventory<'_>,
    devices: &[Arc<RdmaDevice>],
) -> HashMap<(usize, usize), usize> {
    let mut found = HashMap::new();
    let mut taken = HashSet::new();
    // Hardware first: rxe can sit on the netdev of an adapter that has its own RDMA device.
    for hardware in [true, false] {
        for (d, device) in devices.iter().enumerate() {
            if device.attrs.pci.is_some() != hardware {
                continue;
            }
            let own = function_netdevs(inventory, device);
            for (p, port) in device.ports.iter().enumerate() {
                let netdev = match_port(inventory, device, port, &own, &taken);
                if let Some(at) = netdev.filter(|at| taken.insert(*at)) {
                    found.insert((d, p), at);
                }
            }
        }
    }
    found
}

/// Netdevs of the same function: `device/net/*`, the back link, else the PCI address.
fn function_netdevs(inventory: &Inventory<'_>, device: &RdmaDevice) -> Vec<usize> {
    let of_device = |iface: &Iface<'_>| {
        device.attrs.netdevs.contains(iface.name)
            || iface.net.is_some_and(|n| device.attrs.netdevs.contains(&n.name))
            || iface.net.is_some_and(|n| n.attrs.rdma_devices.contains(&device.name))
    };
    let of_function = |iface: &Iface<'_>| match (iface.pci(), &device.attrs.pci) {
        (Some(a), Some(b)) => a.address == b.address,
        _ => false,
    };
    let pick = |test: &dyn Fn(&Iface<'_>) -> bool| -> Vec<usize> {
        let all = inventory.ifaces.iter().enumerate();
        all.filter(|(at, i)| !i.is_bond() && test(i) && inventory.parent_of(*at).is_none())
            .map(|(at, _)| at)
            .collect()
    };
    let own = pick(&of_device);
    if own.is_empty() { pick(&of_function) } else { own }
}

fn match_port(
    inventory: &Inventory<'_>,
    device: &RdmaDevice,
    port: &RdmaPort,
    own: &[usize],
    taken: &HashSet<usize>,
) -> Option<usize> {
    if let Some(parent) = &device.attrs.parent {
        return inventory.named(parent);
    }
    let layer = layer(device, port, None);
    let by_gid: Vec<usize> = gid_netdevs(inventory, port);
    // RoCE LAG: the GIDs name the bond, which the port's state follows.
    let lag = by_gid.iter().copied().find(|at| inventory.get(*at).is_some_and(Iface::is_bond));
    if lag.is_some() {
        return lag;
    }
    let suits = |at: &usize| {
        let kind = inventory.get(*at).and_then(Iface::kind);
        !taken.contains(at)
            && match (layer, kind) {
                (_, None) | (Layer::Other, _) => true,
                (Layer::InfiniBand, Some(k)) => k == INFINIBAND || port.attrs.link_layer.is_err(),
                (Layer::Ethernet, Some(k)) => k == ETHERNET,
            }
    };
    let mut numbered = numbered(inventory, device, port, own);
    numbered.retain(suits);
    let own: Vec<usize> = own.iter().copied().filter(suits).collect();
    let guid = port_guid(port);
    let has_guid = |at: &usize| {
        let address = inventory.get(*at).and_then(Iface::address);
        guid.is_some() && address.and_then(|a| guid_of_address(a)) == guid
    };
    numbered
        .iter()
        .find(|at| has_guid(at) || by_gid.contains(at))
        .or_else(|| numbered.first())
        .or_else(|| own.iter().find(|at| has_guid(at)))
        .copied()
        .or_else(|| by_gid.iter().copied().find(|at| suits(at)))
        .or_else(|| {
            let parents = (0..inventory.ifaces.len())
                .filter(|at| suits(at) && has_guid(at) && inventory.parent_of(*at).is_none());
            parents.filter(|at| inventory.get(*at).is_some_and(|i| !i.is_bond())).min()
        })
}

/// Those netdevs of the function whose port number fits.
fn numbered(
    inventory: &Inventory<'_>,
    device: &RdmaDevice,
    port: &RdmaPort,
    own: &[usize],
) -> Vec<usize> {
    let number = |at: &usize, id: bool| inventory.get(*at).and_then(|i| i.port_number(id));
    // Kernels before `dev_port` was set by IPoIB told the ports apart by `dev_id` only.
    let all_first = own.iter().all(|at| number(at, false).is_none_or(|n| n == 1));
    let ids: HashSet<_> = own.iter().filter_map(|at| number(at, true)).collect();
    let by_dev_id = own.len() > 1 && all_first && ids.len() == own.len();
    if own.iter().all(|at| number(at, by_dev_id).is_none()) {
        let only = own.len() == 1 && device.ports.len() == 1;
        return if only { own.to_vec() } else { Vec::new() };
    }
    own.iter().copied().filter(|at| number(at, by_dev_id) == Some(port.number)).collect()
}

/// Netdevs that the port's GIDs name; none on InfiniBand.
fn gid_netdevs(inventory: &Inventory<'_>, port: &RdmaPort) -> Vec<usize> {
    let names = port.attrs.gids.iter().filter_map(|g| g.netdev.as_deref());
    let mut found: Vec<usize> = names.filter_map(|n| inventory.named(n)).collect();
    found.dedup();
    found
}

/// The port's GUID, from its first GID.
pub(super) fn port_guid(port: &RdmaPort) -> Option<u64> {
    let first = port.attrs.default_gid.as_deref().ok().and_then(guid_of_gid);
    first
        .or_else(|| port.attrs.gids.iter().find(|g| g.index == 0).and_then(|g| guid_of_gid(&g.gid)))
}
