//! What to change: tables and preferences that are free, the complete remedy of one subnet.

use super::cause::{MAIN_RULE, decider, is_custom, is_plain, only_by};
use super::scene::{Addr, Scene, Set};
use crate::check::{Step, Where};
use crate::fib::{TABLE_LOCAL, TABLE_MAIN, Verb};
use crate::fix::{Action, Change, RouteSpec, RuleSpec, SysctlKey};
use crate::sample::{Family, Prefix, RouteKind, RuleAction, SysctlIf, Text};
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

/// New tables are counted from here.
const FIRST_TABLE: u32 = 1000;

/// Chooses ids and preferences; what it gave once it gives again, so that the remedies of
/// several findings agree.
pub(super) struct Plan<'s, 'a> {
    scene: &'s Scene<'a>,
    given: RefCell<Given>,
}

#[derive(Default)]
struct Given {
    tables: HashMap<(usize, Family), u32>,
    taken: BTreeSet<u32>,
    preferences: HashMap<IpAddr, u32>,
}

impl<'s, 'a> Plan<'s, 'a> {
    pub(super) fn new(scene: &'s Scene<'a>) -> Self {
        let mut taken: BTreeSet<u32> = (0..256).collect();
        for family in [Family::Inet, Family::Inet6] {
            taken.extend(scene.routes(family).map(|(_, r)| r.table));
            taken.extend(scene.rules(family).iter().filter_map(|r| match r.action {
                RuleAction::Lookup(table) => Some(table),
                _ => None,
            }));
        }
        taken.extend(scene.routing.table_names.iter().map(|(id, _)| *id));
        taken.extend(scene.links.iter().filter_map(|l| l.vrf_table));
        Self { scene, given: RefCell::new(Given { taken, ..Given::default() }) }
    }

    /// The table of an interface: one that is its own already, else a free one.
    pub(super) fn table(&self, iface: usize, family: Family) -> u32 {
        let mut given = self.given.borrow_mut();
        if let Some(table) = given.tables.get(&(iface, family)) {
            return *table;
        }
        let others: Vec<u32> = given.tables.values().copied().collect();
        let table = self.own_table(iface, family, &others).unwrap_or_else(|| {
            let first = self.scene.iface(iface).and_then(|i| i.rails.first()).copied();
            let wanted = FIRST_TABLE.saturating_add(first.unwrap_or(0) as u32);
            (wanted..u32::MAX).find(|t| !given.taken.contains(t)).unwrap_or(wanted)
        });
        given.taken.insert(table);
        given.tables.insert((iface, family), table);
        table
    }

    /// A table that rules lead to from this interface's addresses, or that nothing but routes by
    /// it is in, and that no other packets are led to.
    fn own_table(&self, iface: usize, family: Family, others: &[u32]) -> Option<u32> {
        let scene = self.scene;
        let device = scene.iface(iface)?.index;
        let from_here =
            |src: &Prefix| scene.addrs.iter().any(|a| a.iface == iface && is_host_of(src, a.ip));
        let rules = scene.rules(family);
        let named: Vec<u32> = rules
            .iter()
            .filter(|r| is_plain(r) && r.src.as_ref().is_some_and(from_here))
            .filter_map(|r| match r.action {
                RuleAction::Lookup(table) => Some(table),
                _ => None,
            })
            .collect();
        let filled = scene
            .routes(family)
            .filter(|(_, r)| r.kind == RouteKind::Unicast && only_by(r, device))
            .map(|(_, r)| r.table);
        let for_others = |table: u32| {
            rules.iter().any(|r| {
                r.action == RuleAction::Lookup(table)
                    && !(is_plain(r) && r.src.as_ref().is_some_and(from_here))
            })
        };
        let by_others = |table: u32| {
            scene.routes(family).any(|(_, r)| {
                r.table == table
                    && r.next_hops.iter().any(|h| h.ifindex.is_some_and(|i| i != device))
            })
        };
        let of_vrf = |table: u32| scene.links.iter().any(|l| l.vrf_table == Some(table));
        let usable = |table: &u32| {
            is_custom(*table) && !others.contains(table) && !for_others(*table) && !of_vrf(*table)
        };
        named
            .iter()
            .copied()
            .find(usable)
            .or_else(|| filled.into_iter().find(|t| usable(t) && !by_others(*t)))
    }

    /// A free preference for a rule `from X`: in front of the rule that decides now, behind the
    /// one for local.
    pub(super) fn preference(&self, addr: &Addr, table: u32) -> u32 {
        let mut given = self.given.borrow_mut();
        if let Some(preference) = given.preferences.get(&addr.ip) {
            return *preference;
        }
        let rules = self.scene.rules(addr.family());
        let jumps = addr.ways.iter().flat_map(|w| &w.decision.steps);
        let jumps = jumps.filter(|s| matches!(s.verb, Verb::Goto(_))).map(|s| s.rule);
        let deciding = addr.ways.iter().filter_map(|w| decider(&w.decision)).chain(jumps);
        let before = deciding
            .filter_map(|at| rules.get(at))
            .map(|r| r.preference)
            .min()
            .unwrap_or(MAIN_RULE)
            .min(MAIN_RULE);
        let local = rules.iter().find(|r| r.action == RuleAction::Lookup(TABLE_LOCAL));
        let behind = local.map_or(0, |r| r.preference);
        let free = |p: &u32| {
            rules.iter().all(|r| r.preference != *p)
                && given
                    .preferences
                    .iter()
                    .all(|(ip, given)| given != p || ip.is_ipv4() != addr.ip.is_ipv4())
        };
        let wanted = table.saturating_mul(10);
        let near = wanted.max(behind + 1)..wanted.saturating_add(10).min(before);
        let chosen = near
            .into_iter()
            .find(free)
            .or_else(|| (behind + 1..before).rev().find(free))
            // No room: equal preferences stand in the order in which they came.
            .unwrap_or(behind);
        given.preferences.insert(addr.ip, chosen);
        chosen
    }

    /// The connected route of an address in a table, in place of what is there.
    pub(super) fn connected(&self, addr: &Addr, prefix: Prefix, table: u32) -> Option<Change> {
        let dev = self.scene.iface(addr.iface)?.name().clone();
        Some(self.replace(RouteSpec::connected(prefix, dev, addr.ip, table)))
    }

    /// A route, in place of the one that stands where it will.
    pub(super) fn replace(&self, route: RouteSpec) -> Change {
        let mut all = self.scene.routes(route.dst.family()).map(|(_, r)| r);
        let there = all.find(|r| route.replaces(r));
        let before = there.and_then(|r| RouteSpec::of(r, self.scene.links));
        Change::here(Action::RouteReplace { route, before })
    }

    /// Route and rule of an address, as far as they are missing.
    pub(super) fn source_routing(&self, addr: &Addr) -> Vec<Change> {
        self.source_routing_to(addr, addr.prefix)
    }

    /// The same for an address that is to have this prefix.
    pub(super) fn source_routing_to(&self, addr: &Addr, prefix: Prefix) -> Vec<Change> {
        let table = self.table(addr.iface, addr.family());
        let mut changes: Vec<Change> = Vec::new();
        // One route of a prefix serves all addresses of the interface.
        let first = self
            .scene
            .addrs
            .iter()
            .find(|a| a.iface == addr.iface && a.prefix == addr.prefix && !a.ways.is_empty());
        let served = self.scene.routes(addr.family()).any(|(_, r)| {
            r.table == table
                && r.dst == prefix
                && self.scene.iface(addr.iface).is_some_and(|i| only_by(r, i.index))
        });
        if !served {
            changes.extend(self.connected(first.unwrap_or(addr), prefix, table));
        }
        let there = self.scene.rules(addr.family()).iter().any(|r| {
            r.action == RuleAction::Lookup(table)
                && is_plain(r)
                && r.dst.is_none()
                && r.src.is_some_and(|s| is_host_of(&s, addr.ip))
                && r.preference < MAIN_RULE
        });
        if !there {
            let preference = self.preference(addr, table);
            changes
                .push(Change::here(Action::RuleAdd(RuleSpec::source(addr.ip, preference, table))));
        }
        changes
    }

    /// The complete remedy of rails in one subnet: tables and rules for every rail, then ARP.
    pub(super) fn one_subnet(&self, set: &Set) -> Vec<Change> {
        let addrs = set.addrs.iter().filter_map(|&a| self.scene.addr(a));
        // Addresses with a longer prefix get that of the set first.
        let mut changes: Vec<Change> =
            addrs.flat_map(|addr| self.source_routing_to(addr, set.prefix)).collect();
        if set.prefix.family() == Family::Inet {
            changes.extend(self.arp(set));
        }
        changes
    }

    /// Each rail answers for its own addresses and announces its own, and the peers forget.
    pub(super) fn arp(&self, set: &Set) -> Vec<Change> {
        let mut changes = self.sysctl_at_least(set, "arp_ignore", 1, |s| s.arp_ignore.clone().ok());
        changes
            .extend(self.sysctl_at_least(set, "arp_announce", 2, |s| s.arp_announce.clone().ok()));
        if !changes.is_empty() {
            changes.extend(self.flush_peers(set));
        }
        changes
    }

    pub(super) fn flush_peers(&self, set: &Set) -> Vec<Change> {
        let names = set.ifaces.iter().filter_map(|&i| self.scene.iface(i)).filter(|i| i.does_arp());
        names.map(|i| Change::peer(Action::NeighbourFlush { dev: i.name().clone() })).collect()
    }

    /// Raises a sysctl whose effective value is max(all, IF) where it is below.
    pub(super) fn sysctl_at_least(
        &self,
        set: &Set,
        name: &'static str,
        value: i64,
        get: impl Fn(&SysctlIf) -> Option<i64>,
    ) -> Vec<Change> {
        let sysctls = &self.scene.node.sysctls;
        let all = sysctls.interface("all").and_then(&get).unwrap_or(0);
        let ifaces = set.ifaces.iter().filter_map(|&i| self.scene.iface(i));
        ifaces
            .filter(|i| i.does_arp())
            .filter_map(|i| {
                let before = sysctls.interface(i.name()).and_then(&get);
                (before.unwrap_or(0).max(all) < value)
                    .then(|| sysctl(Family::Inet, i.name(), name, value, before))
            })
            .collect()
    }

    /// A way to the prefix for packets of unbound sockets, beside the tables.
    pub(super) fn unbound(&self, set: &Set) -> Vec<Change> {
        let mut seen = BTreeSet::new();
        let addrs = set.addrs.iter().filter_map(|&a| self.scene.addr(a));
        addrs
            .filter(|a| seen.insert((a.iface, a.prefix)))
            .filter_map(|a| {
                let dev = self.scene.iface(a.iface)?.name().clone();
                let place = set.ifaces.iter().position(|&i| i == a.iface).unwrap_or(0);
                let route = RouteSpec {
                    metric: Some(100 + place as u32),
                    proto: Some("static".into()),
                    ..RouteSpec::connected(a.prefix, dev, a.ip, TABLE_MAIN)
                };
                Some(self.replace(route))
            })
            .collect()
    }
}

/// `sysctl -w` with what was there before.
pub(super) fn sysctl(
    family: Family,
    interface: &Text,
    name: &'static str,
    value: i64,
    before: Option<i64>,
) -> Change {
    let key = SysctlKey { family, interface: interface.clone(), name };
    Change::here(Action::Sysctl { key, value, before })
}

/// Is the prefix this one address?
pub(super) fn is_host_of(prefix: &Prefix, ip: IpAddr) -> bool {
    prefix.addr == ip && prefix.len == if ip.is_ipv4() { 32 } else { 128 }
}

/// Proves that packets from an address leave by its own interface.
pub(super) fn verify(scene: &Scene<'_>, addr: &Addr) -> Vec<Step> {
    // A way that is wrong now proves more than one that was right before.
    let own = scene.iface(addr.iface).map(|i| i.index);
    let wrong = addr.ways.iter().find(|w| w.decision.outcome.device() != own);
    let Some(way) = wrong.or(addr.ways.first()) else { return Vec::new() };
    let probe = way.probe;
    let mut steps: Vec<Step> = verify_to(scene, addr, probe.ip).into_iter().collect();
    // RDMA CM asks the peer too; an address made up has none. Never ping -I IFACE: a socket
    // bound to a device needs no route, so it proves nothing.
    if probe.seen && scene.any_rail(&[addr.iface], |r| r.rdma.is_some()) {
        steps.push(here(format!("rping -c -a {} -I {} -C 1", probe.ip, addr.ip)));
    }
    steps
}

/// Proves that packets from an address to one destination leave by its own interface.
pub(super) fn verify_to(scene: &Scene<'_>, addr: &Addr, to: IpAddr) -> Option<Step> {
    let iface = scene.iface(addr.iface)?;
    let ip = if addr.ip.is_ipv4() { "ip" } else { "ip -6" };
    Some(here(format!(
        "{ip} route get {to} from {} | grep -F {}",
        addr.ip,
        crate::fix::word(&format!(" dev {} ", iface.name()))
    )))
}

pub(super) fn here(command: String) -> Step {
    Step { place: Where::Here, command: command.into() }
}
