//! The interfaces of a host as LNet goes through them.

use crate::sample::{Address, Link, Netdev, RdmaDevice, Sample, Text, Unknown};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

/// A host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// Its interfaces in the kernel's order, the order in which they were registered. From a
    /// sample that is the order of their indices; only a move between namespaces changes it.
    pub interfaces: Vec<Interface>,
}

/// One interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: Text,
    /// IFF_UP. The carrier does not matter here.
    pub up: bool,
    /// IFF_LOOPBACK: left out everywhere.
    pub loopback: bool,
    /// An RDMA device is behind it, which o2ib needs; `None` where that cannot be told.
    pub rdma: Option<bool>,
    /// Its addresses in the kernel's order: primary ones first.
    pub addresses: Vec<HostAddress>,
}

/// One address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostAddress {
    /// The label, which LNet takes for the name of the device: `ib0`, or `ib0:1` of an alias.
    pub label: Text,
    /// The address.
    pub address: IpAddr,
}

/// An IPv4 address that LNet may take, with the name it has there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate<'a> {
    /// The label.
    pub label: &'a Text,
    /// The address.
    pub address: Ipv4Addr,
    /// Its interface.
    pub interface: &'a Interface,
}

impl Host {
    /// What the kernel would go through (`lnet_inet_enumerate`): IPv4 addresses of interfaces
    /// that are up and not the loopback, in order.
    pub fn candidates(&self) -> Vec<Candidate<'_>> {
        let usable = self.interfaces.iter().filter(|i| i.up && !i.loopback);
        usable
            .flat_map(|interface| {
                interface.addresses.iter().filter_map(move |a| match a.address {
                    IpAddr::V4(address) => Some(Candidate { label: &a.label, address, interface }),
                    IpAddr::V6(_) => None,
                })
            })
            .collect()
    }

    /// An interface by its name.
    pub fn interface(&self, name: &str) -> Option<&Interface> {
        self.interfaces.iter().find(|i| &*i.name == name)
    }

    /// Why LNet does not find a device of this name.
    pub fn why_not(&self, name: &str) -> String {
        let alias =
            || self.interfaces.iter().find(|i| i.addresses.iter().any(|a| &*a.label == name));
        match self.interface(name).or_else(alias) {
            None => format!("there is no interface {name}"),
            Some(i) if i.loopback => format!("{name} is the loopback, which LNet never takes"),
            Some(i) if !i.up => format!("{name} is down"),
            Some(i) if i.addresses.iter().any(|a| a.address.is_ipv4()) => {
                format!("no address of {name} has the label {name}")
            }
            Some(_) => format!("{name} has no IPv4 address"),
        }
    }

    /// The host of a sample.
    pub fn of(sample: &Sample) -> Result<Self, Unknown> {
        let links = sample.links.as_ref().map_err(Clone::clone)?;
        let addresses = sample.routing.addresses.as_ref().map_err(Clone::clone)?;
        let rdma = Rdma::of(sample);
        Ok(Self::with(links, addresses, |link| rdma.behind(link, links)))
    }

    /// The host of links and addresses; `rdma` tells whether a link has an RDMA device, if that
    /// is known.
    pub fn with(
        links: &[Link],
        addresses: &[Address],
        rdma: impl Fn(&Link) -> Option<bool>,
    ) -> Self {
        let mut ordered: Vec<&Link> = links.iter().collect();
        ordered.sort_by_key(|link| link.index);
        let interfaces = ordered
            .into_iter()
            .map(|link| Interface {
                name: link.name.clone(),
                up: link.flags.is_up(),
                loopback: link.flags.is_loopback(),
                rdma: rdma(link),
                addresses: addresses
                    .iter()
                    .filter(|a| a.ifindex == link.index)
                    .map(|a| HostAddress {
                        label: a.label.clone().unwrap_or_else(|| link.name.clone()),
                        address: a.local.addr,
                    })
                    .collect(),
            })
            .collect();
        Self { interfaces }
    }
}

/// Which interfaces have an RDMA device.
struct Rdma {
    names: BTreeSet<Text>,
    /// Every RDMA device is known, and which interface it belongs to.
    complete: bool,
    members: BTreeMap<Text, Vec<Text>>,
}

impl Rdma {
    fn of(sample: &Sample) -> Self {
        let netdevs: &[_] = sample.netdevs.as_ref().map_or(&[], Vec::as_slice);
        let devices: &[_] = sample.rdma.as_ref().map_or(&[], Vec::as_slice);
        let own = |n: &Netdev, d: &RdmaDevice| {
            let pci = |a: &crate::sample::PciFunction| {
                d.attrs.pci.as_ref().is_some_and(|b| a.address == b.address)
            };
            n.attrs.rdma_devices.contains(&d.name)
                || d.attrs.netdevs.contains(&n.name)
                || n.attrs.pci.as_deref().is_some_and(pci)
        };
        let mut names = BTreeSet::new();
        let mut complete = sample.netdevs.is_ok()
            && match &sample.rdma {
                Ok(_) => true,
                Err(unknown) => unknown.why == crate::sample::Why::Absent,
            };
        for device in devices {
            let of_function = netdevs.iter().filter(|n| own(n, device)).map(|n| n.name.clone());
            let mut found: BTreeSet<Text> = of_function.collect();
            let gids = device.ports.iter().flat_map(|p| &p.attrs.gids);
            found.extend(gids.filter_map(|g| g.netdev.clone()));
            complete &= !found.is_empty();
            names.extend(found);
        }
        let bonds = netdevs.iter().filter_map(|n| {
            let bond = n.attrs.bond.as_ref()?;
            Some((n.name.clone(), bond.slaves.clone()))
        });
        Self { names, complete, members: bonds.collect() }
    }

    /// The link itself, the one below it (VLAN, partition), or a member of its bond.
    fn behind(&self, link: &Link, links: &[Link]) -> Option<bool> {
        let mut chain = vec![link];
        // Bounded: a VLAN on a bond on a port.
        for _ in 0..4 {
            let parent = chain.last().and_then(|l| l.parent);
            match links.iter().find(|l| Some(l.index) == parent && l.index != link.index) {
                Some(below) => chain.push(below),
                None => break,
            }
        }
        let has = |name: &Text| {
            self.names.contains(name)
                || self.members.get(name).is_some_and(|m| m.iter().any(|m| self.names.contains(m)))
        };
        if chain.iter().any(|l| has(&l.name)) {
            return Some(true);
        }
        self.complete.then_some(false)
    }
}
