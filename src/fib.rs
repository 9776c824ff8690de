//! Linux's routing decision as a pure function of rules, tables, links and sysctls.
//!
//! [`Fib::decide`] answers "which way would this packet go" like the kernel's output path:
//!
//! * IPv4: `fib_rules_lookup` (net/core/fib_rules.c), `fib4_rule_match`, `fib4_rule_action`,
//!   `fib4_rule_suppress` (net/ipv4/fib_rules.c), `fib_table_lookup` (net/ipv4/fib_trie.c),
//!   `fib_select_path` (net/ipv4/fib_semantics.c), `ip_route_output_key_hash_rcu`
//!   (net/ipv4/route.c);
//! * IPv6: `fib6_rule_match`, `__fib6_rule_action` (net/ipv6/fib6_rules.c), `fib6_table_lookup`,
//!   `find_rr_leaf`, `rt6_score_route` (net/ipv6/route.c).
//!
//! Every decision can explain itself: the rules and routes it passed, and why each was or was not
//! taken. What the query or the dump does not tell "may match": the other outcomes are listed
//! beside the likely one, never dropped.

mod decide;
mod input;
mod rule;
mod table;

pub use decide::{Alternative, Decision, Hop, Outcome, Step, Taken, Tried, Verb};
pub use input::{ArpAnswer, ReversePath};
pub use rule::{Match, Miss};

use crate::sample::{
    Address, Family, Link, NextHopObject, Prefix, Reading, Route, Routing, Rule, Sysctls,
};
use std::collections::HashMap;
use std::net::IpAddr;
use table::TableIndex;

/// Table ids with a meaning of their own (include/uapi/linux/rtnetlink.h).
pub const TABLE_DEFAULT: u32 = 253;
/// `main`.
pub const TABLE_MAIN: u32 = 254;
/// `local`.
pub const TABLE_LOCAL: u32 = 255;

/// One question: where would a packet of this host go?
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Destination.
    pub dst: IpAddr,
    /// Source the sender is bound to; `None` for an unbound socket.
    pub src: Option<IpAddr>,
    /// Device the sender is bound to.
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
    nexthops: HashMap<u32, &'a NextHopObject>,
    local: HashMap<IpAddr, u32>,
    addresses: &'a [Address],
    sysctls: &'a Sysctls,
    old_linkdown: bool,
}

impl<'a> Fib<'a> {
    /// Indexes what was read. `kernel` is `uname -r` where known: before 5.11 the sysctl
    /// `conf/all/ignore_routes_with_linkdown` has no effect.
    pub fn new(
        links: &'a [Link],
        routing: &'a Routing,
        sysctls: &'a Sysctls,
        kernel: Option<&str>,
    ) -> Self {
        let index = |routes: &'a Reading<Vec<Route>>, family| match routes {
            Ok(routes) => Ok(TableIndex::new(routes, family)),
            Err(why) => Err(why.clone()),
        };
        let rules = |rules: &'a Reading<Vec<Rule>>| match rules {
            Ok(rules) => Ok(rules.as_slice()),
            Err(why) => Err(why.clone()),
        };
        Self {
            links: links.iter().map(|l| (l.index, l)).collect(),
            by_name: links.iter().map(|l| (l.name.as_str(), l.index)).collect(),
            rules4: rules(&routing.rules4),
            rules6: rules(&routing.rules6),
            tables4: index(&routing.routes4, Family::Inet),
            tables6: index(&routing.routes6, Family::Inet6),
            nexthops: routing.nexthops.iter().flatten().map(|object| (object.id, object)).collect(),
            local: routing
                .addresses
                .iter()
                .flatten()
                .map(|address| (address.local.addr, address.ifindex))
                .collect(),
            addresses: routing.addresses.as_deref().unwrap_or_default(),
            sysctls,
            old_linkdown: kernel.is_some_and(|k| older_than(k, (5, 11))),
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
        self.local.contains_key(&addr)
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
        let all = family == Family::Inet && !self.old_linkdown && of("all").unwrap_or(0) != 0;
        own || all
    }

    /// A sysctl whose effective value is max(all, IF) (IN_DEV_MAXCONF).
    pub fn max_conf(
        &self,
        index: u32,
        get: impl Fn(&crate::sample::SysctlIf) -> &Reading<i64>,
    ) -> Option<i64> {
        let of =
            |name: &str| self.sysctls.interface(name).and_then(|s| get(s).as_ref().ok()).copied();
        let own = self.link(index).and_then(|l| of(&l.name));
        match (of("all"), own) {
            (Some(a), Some(b)) => Some(a.max(b)),
            (a, b) => a.or(b),
        }
    }
}

/// Does `uname -r` name a version before this one? Unknown texts are taken as new.
fn older_than(release: &str, version: (u32, u32)) -> bool {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) < version,
        _ => false,
    }
}

/// Does `prefix` (0/0 for none) contain `addr`? Selectors of rules compare masked addresses.
fn selects(prefix: Option<&Prefix>, addr: Option<IpAddr>) -> bool {
    match (prefix, addr) {
        (None, _) => true,
        (Some(p), None) => p.len == 0,
        (Some(p), Some(a)) => p.contains(a),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        assert!(older_than("4.18.0-553.el8.x86_64", (5, 11)));
        assert!(older_than("5.4.0-200-generic", (5, 11)));
        assert!(!older_than("5.14.0-427.el9", (5, 11)));
        assert!(!older_than("6.18.44", (5, 11)));
        assert!(!older_than("gibberish", (5, 11)));
    }
}
