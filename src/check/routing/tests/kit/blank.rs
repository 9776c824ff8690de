//! Rules, routes and sysctls without anything special.

use crate::sample::{
    Link, NextHop, NextHopFlags, Prefix, Reading, Route, RouteKind, Rule, RuleAction, SysctlIf,
    Sysctls, Text, Unknown, Why,
};
use std::collections::BTreeMap;

pub(super) fn rule(table: u32) -> Rule {
    Rule {
        preference: 0,
        src: None,
        dst: None,
        iif: None,
        oif: None,
        fwmark: None,
        tos: 0,
        ip_proto: None,
        sport: None,
        dport: None,
        uid_range: None,
        tun_id: None,
        invert: false,
        l3mdev: false,
        suppress_prefix_len: None,
        suppress_if_group: None,
        action: RuleAction::Lookup(table),
        protocol: 0,
        iif_detached: false,
        oif_detached: false,
        unknown: Vec::new(),
    }
}

pub(super) fn route(dst: Prefix, ifindex: Option<u32>) -> Route {
    Route {
        table: 254,
        dst,
        src: None,
        kind: RouteKind::Unicast,
        tos: 0,
        metric: 0,
        scope: 0,
        protocol: 2,
        prefsrc: None,
        next_hops: vec![NextHop {
            ifindex,
            gateway: None,
            weight: 1,
            flags: NextHopFlags::default(),
        }],
        nexthop_id: None,
        mtu: None,
        mtu_locked: false,
        cloned: false,
        pref: None,
        expires: None,
    }
}

/// As read where every file is there.
pub(in crate::check::routing::tests) fn sysctls(
    values: &BTreeMap<String, BTreeMap<String, i64>>,
    links: &[Link],
    forward: bool,
) -> Sysctls {
    let names = ["all", "default"].into_iter().chain(links.iter().map(|l| l.name.as_str()));
    let absent = || -> Reading<i64> { Err(Unknown::new(Why::Absent, "")) };
    let interfaces = names
        .map(|name| {
            let get =
                |key: &str| Ok(values.get(name).and_then(|v| v.get(key)).copied().unwrap_or(0));
            SysctlIf {
                name: Text::new(name),
                rp_filter: get("rp_filter"),
                arp_ignore: get("arp_ignore"),
                arp_announce: get("arp_announce"),
                arp_filter: get("arp_filter"),
                accept_local: get("accept_local"),
                ignore_routes_with_linkdown: get("ignore_routes_with_linkdown"),
                src_valid_mark: get("src_valid_mark"),
                forwarding: get("forwarding"),
                disable_ipv6: absent(),
                ipv6_ignore_routes_with_linkdown: get("ipv6_ignore_routes_with_linkdown"),
                keep_addr_on_down: absent(),
                accept_ra: absent(),
            }
        })
        .collect();
    Sysctls { interfaces, ip_forward: Some(Ok(i64::from(forward))), ..Sysctls::default() }
}
