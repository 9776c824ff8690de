//! Rules, routes and sysctls without anything special.

use crate::sample::{Link, NextHop, Prefix, Reading, Route, SysctlIf, Sysctls, Text, Unknown, Why};
use std::collections::BTreeMap;

pub(super) fn route(dst: Prefix, ifindex: Option<u32>) -> Route {
    Route { protocol: 2, next_hops: vec![NextHop::by(ifindex)], ..Route::to(dst, 254) }
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
