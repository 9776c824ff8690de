//! The sysctls that decide about routes and ARP.

use super::{Mono, Reading, Text};
use serde::{Deserialize, Serialize};

/// `/proc/sys/net/ipv{4,6}/conf`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sysctls {
    /// When they were read.
    pub at: Mono,
    /// `all`, `default` and every interface.
    pub interfaces: Vec<SysctlIf>,
    /// `net.ipv4.ip_forward`.
    pub ip_forward: Option<Reading<i64>>,
    /// `net.ipv4.fib_multipath_hash_policy`.
    pub fib_multipath_hash_policy: Option<Reading<i64>>,
    /// `net.ipv4.nexthop_compat_mode`.
    pub nexthop_compat_mode: Option<Reading<i64>>,
    /// `net.ipv6.conf.all.forwarding`.
    pub ipv6_forwarding: Option<Reading<i64>>,
}

/// The values of one directory of `conf`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SysctlIf {
    /// `all`, `default` or an interface.
    pub name: Text,
    /// `ipv4/conf/NAME/rp_filter`: 0 off, 1 strict, 2 loose; effective is max(all, IF).
    pub rp_filter: Reading<i64>,
    /// `arp_ignore`; effective is max(all, IF).
    pub arp_ignore: Reading<i64>,
    /// `arp_announce`; effective is max(all, IF).
    pub arp_announce: Reading<i64>,
    /// `arp_filter`; effective is all OR IF.
    pub arp_filter: Reading<i64>,
    /// `accept_local`; effective is all OR IF.
    pub accept_local: Reading<i64>,
    /// `ignore_routes_with_linkdown`; effective is all OR IF since 5.11, IF before.
    pub ignore_routes_with_linkdown: Reading<i64>,
    /// `src_valid_mark`.
    pub src_valid_mark: Reading<i64>,
    /// `forwarding` of IPv4.
    pub forwarding: Reading<i64>,
    /// `ipv6/conf/NAME/disable_ipv6`.
    pub disable_ipv6: Reading<i64>,
    /// `ipv6/conf/NAME/ignore_routes_with_linkdown`.
    pub ipv6_ignore_routes_with_linkdown: Reading<i64>,
    /// `ipv6/conf/NAME/keep_addr_on_down`.
    pub keep_addr_on_down: Reading<i64>,
    /// `ipv6/conf/NAME/accept_ra`.
    pub accept_ra: Reading<i64>,
}

impl Sysctls {
    /// The values of one interface (or `all`, `default`).
    pub fn interface(&self, name: &str) -> Option<&SysctlIf> {
        self.interfaces.iter().find(|i| &*i.name == name)
    }
}
