//! The rails' interfaces, their addresses, the prefixes they share, and where to probe.

use super::probe;
use crate::check::peers::Peers;
use crate::fib::{Decision, Fib, Outcome, Query};
use crate::node::{Node, Presence, Rail};
use crate::sample::{Family, Link, Prefix, Route, Routing, Rule, Text};
use std::net::IpAddr;

/// An interface that belongs to a rail: its netdev, a child, or the bond it is a member of.
pub(super) struct Iface<'a> {
    pub index: u32,
    pub link: &'a Link,
    /// Places of the rails in the node; several for a bond.
    pub rails: Vec<usize>,
    /// The VRF it is in: the table of the VRF decides instead of the rules.
    pub vrf: Option<u32>,
}

impl Iface<'_> {
    pub(super) fn name(&self) -> &Text {
        &self.link.name
    }

    pub(super) fn has_carrier(&self) -> bool {
        self.link.flags.has_carrier()
    }

    pub(super) fn does_arp(&self) -> bool {
        !self.link.flags.is_noarp()
    }
}

/// A usable global address of a rail's interface.
pub(super) struct Addr {
    /// Place among the interfaces.
    pub iface: usize,
    pub ip: IpAddr,
    /// Its prefix, host bits cleared.
    pub prefix: Prefix,
    /// What the kernel would do from here, by probe; none for a host address.
    pub ways: Vec<Way>,
}

impl Addr {
    pub(super) fn family(&self) -> Family {
        self.prefix.family()
    }
}

/// The way from an address to one destination of its prefix.
pub(super) struct Way {
    pub probe: Probe,
    pub decision: Decision,
}

/// A destination to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Probe {
    pub ip: IpAddr,
    /// A peer that is known or was seen, not an address made up.
    pub seen: bool,
}

/// Interfaces whose prefixes overlap, in one VRF and family ("prefix set").
pub(super) struct Set {
    /// The widest prefix of them.
    pub prefix: Prefix,
    /// Places of the interfaces, in order, each once.
    pub ifaces: Vec<usize>,
    /// Places of the addresses.
    pub addrs: Vec<usize>,
}

impl Set {
    pub(super) fn is_shared(&self) -> bool {
        self.ifaces.len() > 1
    }
}

/// What the checks look at, computed once.
pub(super) struct Scene<'a> {
    pub node: &'a Node,
    pub links: &'a [Link],
    /// As read, but no next hop is dead for want of a carrier: that is told elsewhere.
    pub routing: &'a Routing,
    pub fib: &'a Fib<'a>,
    /// Who is to be reached.
    pub peers: &'a Peers,
    pub ifaces: Vec<Iface<'a>>,
    pub addrs: Vec<Addr>,
    pub sets: Vec<Set>,
}

/// `ifa_scope` from which on an address is not for others.
const RT_SCOPE_LINK: u8 = 253;
/// IFA_F_DADFAILED, IFA_F_TENTATIVE.
const NOT_USABLE: u32 = 0x08 | 0x40;

impl<'a> Scene<'a> {
    pub(super) fn new(
        node: &'a Node,
        links: &'a [Link],
        routing: &'a Routing,
        fib: &'a Fib<'a>,
        peers: &'a Peers,
    ) -> Self {
        let ifaces = ifaces(node, links);
        let mut scene =
            Self { node, links, routing, fib, peers, ifaces, addrs: Vec::new(), sets: Vec::new() };
        scene.addrs = scene.usable_addresses();
        scene.sets = scene.prefix_sets();
        scene.find_ways();
        scene
    }

    fn usable_addresses(&self) -> Vec<Addr> {
        let all = self.routing.addresses.iter().flatten();
        all.filter(|a| a.scope < RT_SCOPE_LINK && a.flags & NOT_USABLE == 0)
            .filter_map(|a| {
                let iface = self.ifaces.iter().position(|i| i.index == a.ifindex)?;
                let up = self.ifaces.get(iface)?.link.flags.is_up();
                up.then(|| Addr {
                    iface,
                    ip: a.local.addr,
                    prefix: a.local.network(),
                    ways: Vec::new(),
                })
            })
            .collect()
    }

    /// Prefixes nest or are disjoint: sorted, each set is a run below its widest prefix.
    fn prefix_sets(&self) -> Vec<Set> {
        let vrf = |a: &Addr| self.iface(a.iface).and_then(|i| i.vrf);
        let mut places: Vec<usize> = (0..self.addrs.len())
            .filter(|&i| self.addrs.get(i).is_some_and(|a| has_peers(&a.prefix)))
            .collect();
        places.sort_by_key(|&i| {
            self.addrs.get(i).map(|a| (a.family(), vrf(a), a.prefix.addr, a.prefix.len))
        });
        let mut sets: Vec<(Option<u32>, Set)> = Vec::new();
        for place in places {
            let Some(addr) = self.addrs.get(place) else { continue };
            let vrf = vrf(addr);
            match sets.last_mut() {
                Some((of, set)) if *of == vrf && set.prefix.contains(addr.prefix.addr) => {
                    set.addrs.push(place);
                    if !set.ifaces.contains(&addr.iface) {
                        set.ifaces.push(addr.iface);
                    }
                }
                _ => sets.push((
                    vrf,
                    Set { prefix: addr.prefix, ifaces: vec![addr.iface], addrs: vec![place] },
                )),
            }
        }
        for (_, set) in &mut sets {
            set.ifaces.sort_unstable();
            set.addrs.sort_by_key(|&i| self.addrs.get(i).map(|a| (a.iface, i)));
        }
        sets.into_iter().map(|(_, set)| set).collect()
    }

    fn find_ways(&mut self) {
        let mut ways: Vec<(usize, Vec<Way>)> = Vec::new();
        for set in &self.sets {
            let probes = probe::of_set(self, set);
            for &place in &set.addrs {
                let Some(addr) = self.addrs.get(place) else { continue };
                // An address of two rails has no rail of its own: that is told, nothing else.
                if self.is_elsewhere_too(addr) {
                    continue;
                }
                let inside = probes.iter().filter(|p| addr.prefix.contains(p.ip));
                let found = inside.map(|&probe| Way {
                    probe,
                    decision: self.decide(addr.iface, Some(addr.ip), probe.ip),
                });
                // A probe that is an address, broadcast or AnyIP of this host says nothing.
                let judged = found.filter(|w| !matches!(w.decision.outcome, Outcome::Local { .. }));
                ways.push((place, judged.collect()));
            }
        }
        for (place, found) in ways {
            if let Some(addr) = self.addrs.get_mut(place) {
                addr.ways = found;
            }
        }
    }

    fn is_elsewhere_too(&self, addr: &Addr) -> bool {
        let vrf = |a: &Addr| self.iface(a.iface).and_then(|i| i.vrf);
        self.addrs.iter().any(|a| a.ip == addr.ip && a.iface != addr.iface && vrf(a) == vrf(addr))
    }

    /// The way of a packet of a socket on this interface's side of the host: in a VRF, one that
    /// is bound to the VRF.
    pub(super) fn decide(&self, iface: usize, src: Option<IpAddr>, dst: IpAddr) -> Decision {
        let vrf = self.iface(iface).and_then(|i| Some((i.vrf?, i.link.master?)));
        let family = if dst.is_ipv4() { Family::Inet } else { Family::Inet6 };
        match vrf {
            None => self.fib.decide(&Query::new(src, dst)),
            Some((_, master)) if self.rules_lead_to_vrfs(family) => {
                self.fib.decide(&Query { oif: Some(master), ..Query::new(src, dst) })
            }
            // That no rule leads to the table is told by itself.
            Some((table, _)) => self.decide_in(table, src, dst),
        }
    }

    /// Is there a rule that leads packets of VRFs to their tables?
    pub(super) fn rules_lead_to_vrfs(&self, family: Family) -> bool {
        self.rules(family).iter().any(|r| r.l3mdev)
    }

    /// The place of a decision's rule is that of a rule of the dump: not where a table was asked
    /// alone.
    pub(super) fn rules_decide(&self, addr: &Addr) -> bool {
        let in_vrf = self.iface(addr.iface).is_some_and(|i| i.vrf.is_some());
        !in_vrf || self.rules_lead_to_vrfs(addr.family())
    }

    /// The way by one table alone.
    pub(super) fn decide_in(&self, table: u32, src: Option<IpAddr>, dst: IpAddr) -> Decision {
        let family = if dst.is_ipv4() { Family::Inet } else { Family::Inet6 };
        let (places, routes): (Vec<usize>, Vec<Route>) = self
            .routes(family)
            .filter(|(_, r)| r.table == table && r.dst.contains(dst))
            .map(|(at, r)| (at, r.clone()))
            .unzip();
        let rules = Ok(vec![Rule::lookup(32766, table)]);
        let (routes4, routes6, rules4, rules6) = match family {
            Family::Inet => (Ok(routes), Ok(Vec::new()), rules, Ok(Vec::new())),
            Family::Inet6 => (Ok(Vec::new()), Ok(routes), Ok(Vec::new()), rules),
        };
        let alone = Routing {
            addresses: self.routing.addresses.clone(),
            rules4,
            rules6,
            routes4,
            routes6,
            nexthops: self.routing.nexthops.clone(),
            ..Routing::empty(self.routing.at)
        };
        let kernel = self.node.host.kernel.as_deref().ok();
        let fib = Fib::new(self.links, &alone, &self.node.sysctls, kernel);
        let mut decision = fib.decide(&Query::new(src, dst));
        if let Outcome::Send { route, .. } | Outcome::Refuse { route: Some(route), .. } =
            &mut decision.outcome
        {
            *route = places.get(*route).copied().unwrap_or(usize::MAX);
        }
        decision
    }

    pub(super) fn iface(&self, place: usize) -> Option<&Iface<'a>> {
        self.ifaces.get(place)
    }

    pub(super) fn addr(&self, place: usize) -> Option<&Addr> {
        self.addrs.get(place)
    }

    /// The interface of an index, if it is a rail's.
    pub(super) fn rail_iface(&self, index: u32) -> Option<usize> {
        self.ifaces.iter().position(|i| i.index == index)
    }

    /// The name of a device, or its number.
    pub(super) fn dev(&self, index: u32) -> Text {
        let link = self.links.iter().find(|l| l.index == index);
        link.map_or_else(|| format!("if{index}").into(), |l| l.name.clone())
    }

    /// The rules of a family, in the kernel's order; none when they are not known.
    pub(super) fn rules(&self, family: Family) -> &'a [Rule] {
        let rules = match family {
            Family::Inet => &self.routing.rules4,
            Family::Inet6 => &self.routing.rules6,
        };
        rules.as_deref().unwrap_or_default()
    }

    /// The routes of a family as dumped.
    pub(super) fn routes_of(&self, family: Family) -> &'a [Route] {
        let routes = match family {
            Family::Inet => &self.routing.routes4,
            Family::Inet6 => &self.routing.routes6,
        };
        routes.as_deref().unwrap_or_default()
    }

    /// The same with their places in the dump, without cache entries.
    pub(super) fn routes(
        &self,
        family: Family,
    ) -> impl Iterator<Item = (usize, &'a Route)> + use<'a> {
        self.routes_of(family).iter().enumerate().filter(|(_, r)| !r.cloned)
    }

    /// The rails of some interfaces, each once.
    pub(super) fn rails_of(&self, ifaces: &[usize]) -> Vec<usize> {
        let mut rails: Vec<usize> =
            ifaces.iter().filter_map(|&i| self.iface(i)).flat_map(|i| i.rails.clone()).collect();
        rails.sort_unstable();
        rails.dedup();
        rails
    }

    /// Does one of the interfaces' rails satisfy this?
    pub(super) fn any_rail(&self, ifaces: &[usize], test: impl Fn(&Rail) -> bool) -> bool {
        self.rails_of(ifaces).into_iter().filter_map(|i| self.node.rails.get(i)).any(test)
    }
}

/// Can there be peers on-link? Not for host addresses and those that come by themselves.
fn has_peers(prefix: &Prefix) -> bool {
    match prefix.addr {
        IpAddr::V4(a) => prefix.len < 32 && !a.is_link_local() && !a.is_loopback(),
        IpAddr::V6(a) => prefix.len < 128 && !a.is_unicast_link_local() && !a.is_loopback(),
    }
}

/// The interfaces of the rails that are there.
fn ifaces<'a>(node: &'a Node, links: &'a [Link]) -> Vec<Iface<'a>> {
    let mut all: Vec<Iface<'a>> = Vec::new();
    for (rail, row) in node.rails.iter().enumerate() {
        if row.presence != Presence::Present {
            continue;
        }
        let own = row.bond.as_ref().or(row.netdev.as_ref().map(|n| &n.name));
        let others = row.children.iter().map(|c| &c.name);
        let addressed = row.addresses.iter().map(|a| &a.interface);
        for name in own.into_iter().chain(others).chain(addressed) {
            let Some(link) = links.iter().find(|l| l.name == *name) else { continue };
            match all.iter_mut().find(|i| i.index == link.index) {
                Some(known) if known.rails.contains(&rail) => {}
                Some(known) => known.rails.push(rail),
                None => all.push(Iface {
                    index: link.index,
                    link,
                    rails: vec![rail],
                    vrf: vrf_table(link, links),
                }),
            }
        }
    }
    all
}

fn vrf_table(link: &Link, links: &[Link]) -> Option<u32> {
    let master = link.master?;
    links.iter().find(|l| l.index == master)?.vrf_table
}
