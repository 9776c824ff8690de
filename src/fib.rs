//! Linux's routing decision as a pure function of rules, tables, links and sysctls.
//!
//! [`Fib::decide`] answers "which way would this packet go" like the kernel's output path:
//!
//! * rules: `fib_rules_lookup` (net/core/fib_rules.c), `l3mdev_update_flow`
//!   (net/l3mdev/l3mdev.c);
//! * IPv4: net/ipv4/fib_rules.c, `fib_table_lookup` (net/ipv4/fib_trie.c), `fib_select_path`
//!   (net/ipv4/fib_semantics.c), `ip_route_output_key_hash_rcu` (net/ipv4/route.c);
//! * IPv6: net/ipv6/fib6_rules.c, `fib6_node_lookup` (net/ipv6/ip6_fib.c), `fib6_table_lookup`,
//!   `fib6_select_path` (net/ipv6/route.c).
//!
//! Every decision can explain itself: the rules and routes it passed, and why each was or was not
//! taken. What the query or the dump does not tell "may match": the other outcomes are listed
//! beside the likely one, never dropped.
//!
//! tests/fib_kernel.rs compares all of it with the running kernel on random configurations.

mod explain;
mod flow;
mod hops;
mod input;
mod line;
mod lookup4;
mod lookup6;
mod outcome;
mod rule;
mod source;
mod table;
#[cfg(test)]
mod testkit;
#[cfg(test)]
mod tests;
mod walk;

pub use input::{ArpAnswer, ReversePath};
pub use outcome::{Alternative, Decision, Hop, Outcome, Step, Taken, Tried, Verb};
pub use rule::Miss;

use crate::sample::{
    Address, Family, Link, NextHopObject, Reading, Route, RouteKind, Routing, Rule, SysctlIf,
    Sysctls, Text,
};
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use table::TableIndex;
use walk::Found;

/// Table ids with a meaning of their own (include/uapi/linux/rtnetlink.h).
pub const TABLE_DEFAULT: u32 = 253;
/// `main`.
pub const TABLE_MAIN: u32 = 254;
/// `local`.
pub const TABLE_LOCAL: u32 = 255;

/// NUD_FAILED (include/uapi/linux/neighbour.h).
const NUD_FAILED: u16 = 0x20;

/// One question: where would a packet of this host go?
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Destination.
    pub dst: IpAddr,
    /// Source the sender is bound to; `None` for an unbound socket.
    pub src: Option<IpAddr>,
    /// Device the sender is bound to. As RTM_GETROUTE asks it: an IPv6 sender that is also
    /// bound to a source only prefers the device.
    pub oif: Option<u32>,
    /// Firewall mark.
    pub mark: u32,
    /// Type of service (DSCP in the upper six bits).
    pub tos: u8,
    /// User id of the socket.
    pub uid: u32,
    /// IP protocol, 0 when not told.
    pub ip_proto: u8,
    /// Source port, 0 when not told.
    pub sport: u16,
    /// Destination port, 0 when not told.
    pub dport: u16,
}

impl Query {
    /// A packet from `src` (or unbound) to `dst`, without mark, tos or ports, by root.
    pub fn new(src: Option<IpAddr>, dst: IpAddr) -> Self {
        Self { dst, src, oif: None, mark: 0, tos: 0, uid: 0, ip_proto: 0, sport: 0, dport: 0 }
    }

    /// The same, bound to a device.
    #[must_use]
    pub fn bound_to(mut self, oif: u32) -> Self {
        self.oif = Some(oif);
        self
    }

    /// Family of the destination.
    pub fn family(&self) -> Family {
        if self.dst.is_ipv4() { Family::Inet } else { Family::Inet6 }
    }
}

/// The state that decides, indexed for fast lookups.
#[derive(Debug)]
pub struct Fib<'a> {
    links: HashMap<u32, &'a Link>,
    by_name: HashMap<&'a str, u32>,
    rules4: Reading<&'a [Rule]>,
    rules6: Reading<&'a [Rule]>,
    tables4: Reading<TableIndex<'a>>,
    tables6: Reading<TableIndex<'a>>,
    nexthops: Reading<HashMap<u32, &'a NextHopObject>>,
    /// IPv6 gateways that do not answer.
    failed: HashSet<(u32, IpAddr)>,
    local: HashMap<IpAddr, u32>,
    addresses: Reading<&'a [Address]>,
    table_names: &'a [(u32, Text)],
    sysctls: &'a Sysctls,
    /// `uname -r` as numbers, where known.
    kernel: Option<(u32, u32)>,
    /// IPv4's tables local and main may be one (`merged_matters`).
    merged: bool,
}

impl<'a> Fib<'a> {
    /// Indexes what was read. `kernel` is `uname -r` where known: some decisions changed with it.
    pub fn new(
        links: &'a [Link],
        routing: &'a Routing,
        sysctls: &'a Sysctls,
        kernel: Option<&str>,
    ) -> Self {
        let mut local = HashMap::new();
        for address in routing.addresses.iter().flatten() {
            local.entry(address.local.addr).or_insert(address.ifindex);
        }
        let tables4 = tables(&routing.routes4, Family::Inet);
        Self {
            links: links.iter().map(|l| (l.index, l)).collect(),
            by_name: links.iter().map(|l| (l.name.as_str(), l.index)).collect(),
            rules4: routing.rules4.as_deref().map_err(Clone::clone),
            rules6: routing.rules6.as_deref().map_err(Clone::clone),
            merged: merged_matters(&routing.rules4, &tables4),
            tables4,
            tables6: tables(&routing.routes6, Family::Inet6),
            nexthops: match &routing.nexthops {
                Ok(objects) => Ok(objects.iter().map(|object| (object.id, object)).collect()),
                Err(why) => Err(why.clone()),
            },
            failed: routing
                .neighbours
                .iter()
                .flatten()
                .filter(|n| n.dst.is_ipv6() && n.state & NUD_FAILED != 0)
                .map(|n| (n.ifindex, n.dst))
                .collect(),
            local,
            addresses: routing.addresses.as_deref().map_err(Clone::clone),
            table_names: &routing.table_names,
            sysctls,
            kernel: kernel.and_then(version),
        }
    }

    /// The rules of a family, in the kernel's order.
    pub fn rules(&self, family: Family) -> Reading<&'a [Rule]> {
        match family {
            Family::Inet => self.rules4.clone(),
            Family::Inet6 => self.rules6.clone(),
        }
    }

    /// The routes of one table in the order in which they are tried, longest prefix first.
    pub fn table(&self, family: Family, table: u32) -> Vec<&'a Route> {
        self.tables(family).as_ref().map(|t| t.routes_of(table)).unwrap_or_default()
    }

    /// Is this an address of this host?
    pub fn is_local(&self, addr: IpAddr) -> bool {
        self.is_local_as(addr, self.merged)
    }

    fn is_local_as(&self, addr: IpAddr, merged: bool) -> bool {
        self.local.contains_key(&addr) || self.in_local_table(addr, merged).is_some()
    }

    /// The device that has this address.
    pub fn owner(&self, addr: IpAddr) -> Option<u32> {
        self.local.get(&addr).copied()
    }

    /// The link of an index.
    pub fn link(&self, index: u32) -> Option<&'a Link> {
        self.links.get(&index).copied()
    }

    fn tables(&self, family: Family) -> &Reading<TableIndex<'a>> {
        match family {
            Family::Inet => &self.tables4,
            Family::Inet6 => &self.tables6,
        }
    }

    fn route(&self, family: Family, index: usize) -> Option<&'a Route> {
        self.tables(family).as_ref().ok()?.get(index)
    }

    /// Effective `ignore_routes_with_linkdown` of a device: IPv4 all OR IF since 5.11
    /// (include/linux/inetdevice.h), IF alone before and for IPv6 (include/net/addrconf.h).
    pub fn ignores_linkdown(&self, family: Family, index: u32) -> bool {
        let of = |name: &str| {
            self.sysctls.interface(name).and_then(|s| match family {
                Family::Inet => s.ignore_routes_with_linkdown.as_ref().ok().copied(),
                Family::Inet6 => s.ipv6_ignore_routes_with_linkdown.as_ref().ok().copied(),
            })
        };
        let own = self.link(index).and_then(|l| of(&l.name)).unwrap_or(0) != 0;
        let old = self.kernel.is_some_and(|k| k < (5, 11));
        own || family == Family::Inet && !old && of("all").unwrap_or(0) != 0
    }

    /// A sysctl whose effective value is max(all, IF) (IN_DEV_MAXCONF); all OR IF
    /// (IN_DEV_ORCONF) is the same for switches.
    pub fn max_conf(&self, index: u32, get: impl Fn(&SysctlIf) -> &Reading<i64>) -> Option<i64> {
        let of =
            |name: &str| self.sysctls.interface(name).and_then(|s| get(s).as_ref().ok()).copied();
        let own = self.link(index).and_then(|l| of(&l.name));
        match (of("all"), own) {
            (Some(a), Some(b)) => Some(a.max(b)),
            (a, b) => a.or(b),
        }
    }

    /// The device of an IPv4 address that only a route of table local makes local, as all of
    /// 127.0.0.0/8 is (`__ip_dev_find`, net/ipv4/devinet.c).
    fn in_local_table(&self, addr: IpAddr, merged: bool) -> Option<u32> {
        if addr.is_ipv6() {
            return None;
        }
        let tables: &[_] = if merged { &[TABLE_LOCAL, TABLE_MAIN] } else { &[TABLE_LOCAL] };
        let flow = self.output_flow(&Query::new(None, addr));
        match self.lookup4(tables, &flow).0 {
            Found::Route { route, hop } => {
                let local = self.route(Family::Inet, route)?.kind == RouteKind::Local;
                local.then_some(hop.ifindex).flatten()
            }
            _ => None,
        }
    }
}

fn tables(routes: &Reading<Vec<Route>>, family: Family) -> Reading<TableIndex<'_>> {
    match routes {
        Ok(routes) => Ok(TableIndex::new(routes, family)),
        Err(why) => Err(why.clone()),
    }
}

/// As long as no IPv4 rule was ever made or deleted, local and main are one trie (`fib_unmerge`,
/// net/ipv4/fib_frontend.c), so a longer prefix in main beats a shorter one in local. Whether
/// there was one the dump does not tell; with the default rules it is likely that there was none.
fn merged_matters(rules: &Reading<Vec<Rule>>, tables: &Reading<TableIndex<'_>>) -> bool {
    let (Ok(rules), Ok(tables)) = (rules, tables) else { return false };
    rule::are_default(rules)
        && tables.routes_of(TABLE_LOCAL).iter().any(|local| {
            local.kind == RouteKind::Throw || tables.has_longer(TABLE_MAIN, &local.dst)
        })
}

/// The first two numbers of `uname -r`; `None` for a text that has none.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => Some((major, minor)),
        _ => None,
    }
}
