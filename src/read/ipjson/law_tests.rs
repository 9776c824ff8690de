//! Laws: what is written reads back equal; nothing from outside panics.

use super::*;
use crate::read::rtnl::{blank_route, blank_rule, by_interface, no_operstate, rejects};
use crate::sample::{
    Address, LinkFlags, Neighbour, NextHop, NextHopFlags, NextHopGroupMember, NextHopObject,
    Prefix, Route, RouteKind, Rule, RuleAction, Text,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::Value;
use std::net::IpAddr;

fn word() -> impl Strategy<Value = Text> {
    vec(proptest::char::range('a', 'z'), 1..6)
        .prop_map(|c| c.into_iter().collect::<String>().into())
}

/// Interfaces 1 to 9 have names; higher ones are strangers.
fn ifindex() -> impl Strategy<Value = u32> {
    1u32..20
}

fn ip(v6: bool) -> BoxedStrategy<IpAddr> {
    if v6 {
        any::<u128>().prop_map(|bits| IpAddr::V6(bits.into())).boxed()
    } else {
        any::<u32>().prop_map(|bits| IpAddr::V4(bits.into())).boxed()
    }
}

fn any_ip() -> impl Strategy<Value = IpAddr> {
    any::<bool>().prop_flat_map(ip)
}

fn prefix(v6: bool, shortest: u8) -> impl Strategy<Value = Prefix> {
    (ip(v6), shortest..=if v6 { 128 } else { 32 }).prop_map(|(addr, len)| Prefix { addr, len })
}

fn hop_flags() -> impl Strategy<Value = NextHopFlags> {
    any::<(bool, bool, bool)>().prop_map(|(dead, linkdown, onlink)| NextHopFlags {
        dead,
        linkdown,
        onlink,
    })
}

prop_compose! {
    fn link(index: u32)(
        kind in prop_oneof![Just(1u32), Just(32), Just(772), Just(0xfffe), Just(1000)],
        flags in any::<u32>(),
        operstate in option::of(word()),
        mtu in option::of(any::<u32>()),
        address in option::of(Just(Text::from("80:00:00:42"))),
        master in option::of(ifindex()),
        parent in option::of(ifindex()),
        slave_kind in option::of(word()),
        special in 0..3,
        number in option::of(any::<u16>()),
        counts in (option::of(any::<u32>()), option::of(any::<u32>())),
    ) -> Link {
        let info_kind: Option<&str> = [None, Some("vrf"), Some("ipoib")][special as usize];
        let ipoib = info_kind == Some("ipoib");
        // IFF_RUNNING is not told of a link that is down.
        let flags = if flags & 1 == 0 { flags & !0x40 } else { flags };
        Link {
            index,
            name: format!("ib{index}").into(),
            kind,
            flags: LinkFlags(flags),
            operstate: operstate.map_or_else(no_operstate, Ok),
            mtu,
            address,
            master,
            parent,
            info_kind: info_kind.map(Text::from),
            slave_kind,
            vrf_table: number.filter(|_| special == 1).map(u32::from),
            pkey: number.filter(|_| ipoib),
            ipoib_mode: ipoib.then(|| "datagram".into()),
            carrier_up_count: counts.0,
            carrier_down_count: counts.1,
        }
    }
}

fn links() -> impl Strategy<Value = Vec<Link>> {
    (1u32..10).prop_map(|n| (1..n).map(link).collect::<Vec<_>>()).prop_flat_map(|all| all)
}

prop_compose! {
    fn address()(
        (local, peer) in any::<bool>().prop_flat_map(|v6| (prefix(v6, 0), option::of(ip(v6)))),
        ifindex in ifindex(),
        scope in any::<u8>(),
        flags in any::<u32>(),
        label in option::of(word()),
    ) -> Address {
        let peer = peer.filter(|&peer| peer != local.addr);
        Address { ifindex, local, peer, scope, flags, label }
    }
}

fn action() -> impl Strategy<Value = RuleAction> {
    prop_oneof![
        any::<u32>().prop_map(RuleAction::Lookup),
        any::<(u32, bool)>()
            .prop_map(|(preference, resolved)| RuleAction::Goto { preference, resolved }),
        Just(RuleAction::Nop),
        Just(RuleAction::Blackhole),
        Just(RuleAction::Unreachable),
        Just(RuleAction::Prohibit),
        prop_oneof![Just(0u8), Just(4), 9u8..].prop_map(RuleAction::Other),
    ]
}

fn range<T: Ord>(pair: (T, T)) -> (T, T) {
    if pair.0 <= pair.1 { pair } else { (pair.1, pair.0) }
}

prop_compose! {
    fn rule(v6: bool)(
        (preference, action, protocol) in (any::<u32>(), action(), any::<u8>()),
        (src, dst) in (option::of(prefix(v6, 1)), option::of(prefix(v6, 1))),
        (iif, oif) in (option::of(word()), option::of(word())),
        fwmark in option::of(any::<(u32, u32)>()),
        (tos, ip_proto) in (any::<u8>(), option::of(any::<u8>())),
        (sport, dport) in (option::of(any::<(u16, u16)>()), option::of(any::<(u16, u16)>())),
        uid_range in option::of(any::<(u32, u32)>()),
        tun_id in option::of(any::<u64>()),
        (invert, l3mdev, iif_detached, oif_detached) in any::<(bool, bool, bool, bool)>(),
        (len, group) in (option::of(0..u32::MAX), option::of(0..u32::MAX)),
        unknown in vec(word(), 0..3),
    ) -> Rule {
        Rule {
            preference, src, dst, iif, oif, fwmark, tos, ip_proto,
            sport: sport.map(range),
            dport: dport.map(range),
            uid_range, tun_id, invert, l3mdev,
            suppress_prefix_len: len,
            suppress_if_group: group,
            action, protocol, iif_detached, oif_detached, unknown,
        }
    }
}

prop_compose! {
    fn hop()(
        ifindex in ifindex(),
        gateway in option::of(any_ip()),
        weight in 1u32..300,
        flags in hop_flags(),
    ) -> NextHop {
        NextHop { ifindex: Some(ifindex), gateway, weight, flags }
    }
}

prop_compose! {
    fn route(v6: bool)(
        (table, kind, tos) in (any::<u32>(), any::<u8>(), any::<u8>()),
        (dst, src) in (prefix(v6, 0), option::of(prefix(v6, 0))),
        (metric, scope, protocol) in any::<(u32, u8, u8)>(),
        prefsrc in option::of(ip(v6)),
        hops in vec(hop(), 0..4),
        nexthop_id in option::of(any::<u32>()),
        (mtu, mtu_locked, cloned) in (option::of(any::<u32>()), any::<bool>(), any::<bool>()),
        (pref, expires) in (option::of(any::<u8>()), option::of(any::<u32>())),
    ) -> Route {
        let pref = pref.filter(|_| v6);
        let kind = crate::read::rtnl::route_kind(kind % 13);
        let next_hops = if rejects(kind) { Vec::new() } else { hops };
        Route {
            table, dst, src, kind, tos, metric, scope, protocol, prefsrc, next_hops, nexthop_id,
            mtu, mtu_locked, cloned, pref, expires,
        }
    }
}

prop_compose! {
    fn neighbour()(
        ifindex in ifindex(),
        dst in any_ip(),
        lladdr in option::of(word()),
        state in 0u16..0x100,
        router in any::<bool>(),
    ) -> Neighbour {
        Neighbour { ifindex, dst, lladdr, state, router }
    }
}

prop_compose! {
    fn nexthop()(
        id in any::<u32>(),
        ifindex in option::of(ifindex()),
        gateway in option::of(any_ip()),
        blackhole in any::<bool>(),
        group in vec((any::<u32>(), 1u32..65536), 0..3),
        flags in hop_flags(),
    ) -> NextHopObject {
        let group = group.into_iter().map(|(id, weight)| NextHopGroupMember { id, weight });
        NextHopObject { id, ifindex, gateway, blackhole, group: group.collect(), flags }
    }
}

fn why() -> impl Strategy<Value = Unknown> {
    (prop_oneof![Just(Why::Denied), Just(Why::Timeout), Just(Why::Unsupported)], word())
        .prop_map(|(why, detail)| Unknown::new(why, detail))
}

/// A list, seldom unknown.
fn reading<T: std::fmt::Debug + Clone + 'static>(
    one: impl Strategy<Value = T> + 'static,
) -> impl Strategy<Value = Reading<Vec<T>>> {
    prop_oneof![9 => vec(one, 0..5).prop_map(Ok), 1 => why().prop_map(Err)]
}

prop_compose! {
    fn routing()(
        addresses in reading(address()),
        (rules4, rules6) in (reading(rule(false)), reading(rule(true))),
        (routes4, routes6) in (reading(route(false)), reading(route(true))),
        (neighbours, nexthops) in (reading(neighbour()), reading(nexthop())),
        names in proptest::collection::btree_map(any::<u32>(), word(), 0..4),
    ) -> Routing {
        let addresses = addresses.map(|mut all| {
            by_interface(&mut all);
            all
        });
        // Names of the kernel's own tables are not up to a file.
        let names = names.into_iter().filter(|(_, n)| n.as_str() != "main");
        Routing {
            at: Mono::default(),
            addresses, rules4, rules6, routes4, routes6, neighbours, nexthops,
            table_names: names.collect(),
        }
    }
}

fn written(links: &Reading<Vec<Link>>, routing: &Routing) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in write(links, routing) {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    dir
}

/// JSON of any shape, made of the words that `ip` uses.
fn json() -> impl Strategy<Value = Value> {
    let keys = [
        "ifindex",
        "ifname",
        "flags",
        "link_type",
        "linkinfo",
        "info_kind",
        "info_data",
        "key",
        "table",
        "address",
        "addr_info",
        "local",
        "prefixlen",
        "scope",
        "priority",
        "src",
        "srclen",
        "dst",
        "dstlen",
        "fwmark",
        "fwmask",
        "sport",
        "sport_start",
        "sport_end",
        "uid_start",
        "uid_end",
        "goto",
        "action",
        "protocol",
        "gateway",
        "via",
        "host",
        "dev",
        "nexthops",
        "weight",
        "metrics",
        "mtu",
        "id",
        "group",
        "state",
        "not",
        "type",
        "tos",
    ];
    let texts = [
        "",
        "ib0",
        "default",
        "all",
        "0",
        "1.2.3.4",
        "1.2.3.4/99",
        "::/129",
        "0x",
        "0xfffff",
        "infiniband",
        "[7]",
        "main",
        "unreachable 10.0.0.0/8",
        "vrf",
        "ipoib",
        "REACHABLE",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0u64..300).prop_map(Value::from),
        proptest::sample::select(texts.to_vec()).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 8, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(proptest::sample::select(keys.to_vec()), inner, 0..10)
                .prop_map(|m| m.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
        ]
    })
}

fn parse_all(bytes: &[u8]) {
    let mut names = Names::default();
    let _ = (parse_links(bytes), parse_addresses(bytes));
    for family in [Family::Inet, Family::Inet6] {
        let _ = parse_rules(family, bytes, &mut names);
        let _ = parse_routes(family, bytes, &mut names);
    }
    let _ = (parse_neighbours(bytes, &names), parse_nexthops(bytes, &names));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_is_written_reads_back(links in links(), routing in routing()) {
        let links = Ok(links);
        let dir = written(&links, &routing);
        let (links_again, again) = read_dir(dir.path());
        prop_assert_eq!(links_again, links);
        prop_assert_eq!(again, routing);
    }

    #[test]
    fn any_bytes_are_survived(bytes in any::<Vec<u8>>()) {
        parse_all(&bytes);
    }

    #[test]
    fn any_json_is_survived(list in vec(json(), 0..6)) {
        parse_all(Value::from(list).to_string().as_bytes());
    }
}

#[test]
fn a_reject_route_and_a_blank_rule_read_back() {
    let mut routing = nothing("x");
    let mut route = blank_route(true);
    route.kind = RouteKind::Unreachable;
    routing.routes6 = Ok(vec![route]);
    routing.rules4 = Ok(vec![blank_rule()]);
    let none = Err(Unknown::new(Why::Absent, "x"));
    let dir = written(&none, &routing);
    assert_eq!(read_dir(dir.path()), (none, routing));
}
