//! What rtnetlink and `/proc/sys/net` would show of the simulated node.

use super::devices::{IPOIB_MTU, LO, ipoib_address, nic_index, rail_index};
use super::scenario::{Cidr, Rail};
use super::world::World;
use crate::sample::{
    Address, Link, LinkFlags, Mono, Neighbour, NextHop, NextHopFlags, Prefix, Reading, Route,
    RouteKind, Routing, Rule, SysctlIf, Sysctls, Text,
};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const LOCAL: u32 = 255;
const MAIN: u32 = 254;
const DEFAULT: u32 = 253;
/// `scope`: global, link, host.
const GLOBAL: u8 = 0;
const LINK: u8 = 253;
const HOST: u8 = 254;
/// `proto`: kernel, static, dhcp.
const KERNEL: u8 = 2;
const STATIC: u8 = 4;
const DHCP: u8 = 16;
/// IFA_F_PERMANENT.
const PERMANENT: u32 = 0x80;
const REACHABLE: u16 = 0x02;
const STALE: u16 = 0x04;
/// IFF_UP, BROADCAST, MULTICAST; with a carrier also RUNNING and LOWER_UP.
const UP: u32 = 0x1003;
const RUNNING: u32 = 0x1_0040;

/// RTM_GETLINK.
pub(super) fn links(world: &World) -> Vec<Link> {
    let mut links = vec![link(LO, "lo", 772, 0x1_0049, 65536, "00:00:00:00:00:00")];
    if let Some(lo) = links.first_mut() {
        lo.operstate = Ok(Text::new("unknown"));
    }
    for (i, nic) in world.scenario.nics.iter().enumerate() {
        links.push(link(nic_index(i), &nic.netdev, 1, UP | RUNNING, 1500, &nic.mac));
    }
    for (i, (rail, now)) in world.scenario.rails.iter().zip(&world.rails).enumerate() {
        let flags = if now.carrier() { UP | RUNNING } else { UP };
        let index = rail_index(world, i);
        links.push(Link {
            info_kind: Some(Text::new("ipoib")),
            pkey: Some(0xffff),
            ipoib_mode: Some(Text::new("datagram")),
            carrier_up_count: u32::try_from(now.carrier_ups).ok(),
            carrier_down_count: u32::try_from(now.carrier_downs).ok(),
            ..link(index, &rail.netdev, 32, flags, IPOIB_MTU, &ipoib_address(rail))
        });
    }
    links
}

fn link(index: u32, name: &str, kind: u32, flags: u32, mtu: u32, address: &str) -> Link {
    let flags = LinkFlags(flags);
    Link {
        flags,
        operstate: Ok(Text::new(if flags.has_carrier() { "up" } else { "down" })),
        mtu: Some(mtu),
        address: Some(Text::new(address)),
        carrier_up_count: Some(1),
        carrier_down_count: Some(0),
        ..Link::new(index, name, kind)
    }
}

/// An interface with an IPv4 address: what the kernel makes routes of.
struct Interface<'a> {
    index: u32,
    name: &'a str,
    cidr: Cidr,
    up: bool,
    rail: Option<&'a Rail>,
}

fn interfaces(world: &World) -> Vec<Interface<'_>> {
    let nics = world.scenario.nics.iter().enumerate().map(|(i, nic)| Interface {
        index: nic_index(i),
        name: &nic.netdev,
        cidr: nic.address,
        up: true,
        rail: None,
    });
    let rails = world.scenario.rails.iter().zip(&world.rails).enumerate();
    let rails = rails.map(|(i, (rail, now))| Interface {
        index: rail_index(world, i),
        name: &rail.netdev,
        cidr: rail.address,
        up: now.carrier(),
        rail: Some(rail),
    });
    nics.chain(rails).collect()
}

/// Everything of both families.
pub(super) fn routing(world: &World, at: Mono) -> Routing {
    let interfaces = interfaces(world);
    let tables =
        world.scenario.rails.iter().filter_map(|rail| Some((rail.table?, Text::new(&rail.netdev))));
    let builtin = [(LOCAL, "local"), (MAIN, "main"), (DEFAULT, "default")];
    Routing {
        at,
        addresses: Ok(addresses(&interfaces)),
        rules4: Ok(rules4(world)),
        rules6: Ok(vec![rule(0, None, LOCAL), rule(32766, None, MAIN)]),
        routes4: Ok(routes4(world, &interfaces)),
        routes6: Ok(routes6(&interfaces)),
        neighbours: Ok(neighbours(&interfaces)),
        nexthops: Ok(Vec::new()),
        table_names: builtin
            .map(|(id, name)| (id, Text::new(name)))
            .into_iter()
            .chain(tables)
            .collect(),
    }
}

fn prefix(addr: impl Into<IpAddr>, len: u8) -> Prefix {
    Prefix { addr: addr.into(), len }
}

fn addresses(interfaces: &[Interface<'_>]) -> Vec<Address> {
    let address = |ifindex, local, scope, label: Option<&str>| Address {
        ifindex,
        local,
        peer: None,
        scope,
        flags: PERMANENT,
        label: label.map(Text::new),
    };
    let mut all = vec![
        address(LO, prefix(Ipv4Addr::LOCALHOST, 8), HOST, Some("lo")),
        address(LO, prefix(Ipv6Addr::LOCALHOST, 128), HOST, None),
    ];
    for i in interfaces {
        all.push(address(i.index, prefix(i.cidr.addr, i.cidr.len), GLOBAL, Some(i.name)));
        all.extend(link_local(i).map(|a| address(i.index, prefix(a, 64), LINK, None)));
    }
    all
}

/// IPoIB makes it of the port GUID with the local bit set (RFC 4391, section 8).
fn link_local(interface: &Interface<'_>) -> Option<Ipv6Addr> {
    let guid = u64::from_str_radix(&interface.rail?.guid, 16).ok()?;
    Some(Ipv6Addr::from_bits((0xfe80_u128 << 112) | u128::from(guid | (0x02 << 56))))
}

fn rule(preference: u32, src: Option<Prefix>, table: u32) -> Rule {
    Rule {
        src,
        protocol: if src.is_some() { 0 } else { KERNEL },
        ..Rule::lookup(preference, table)
    }
}

fn rules4(world: &World) -> Vec<Rule> {
    let own = world.scenario.rails.iter().filter_map(|rail| {
        let (table, preference) = (rail.table?, rail.rule_preference?);
        Some(rule(preference, Some(prefix(rail.address.addr, 32)), table))
    });
    let mut rules = vec![rule(0, None, LOCAL)];
    rules.extend(own);
    rules.extend([rule(32766, None, MAIN), rule(32767, None, DEFAULT)]);
    rules.sort_by_key(|rule| rule.preference);
    rules
}

fn route(table: u32, dst: Prefix, interface: u32, linkdown: bool) -> Route {
    Route {
        scope: LINK,
        protocol: KERNEL,
        next_hops: vec![NextHop {
            flags: NextHopFlags { linkdown, ..NextHopFlags::default() },
            ..NextHop::by(interface)
        }],
        ..Route::to(dst, table)
    }
}

fn routes4(world: &World, interfaces: &[Interface<'_>]) -> Vec<Route> {
    let net = |i: &Interface<'_>| prefix(i.cidr.addr, i.cidr.len).network();
    let source = |i: &Interface<'_>| Some(IpAddr::V4(i.cidr.addr));
    let mut routes = Vec::new();
    for i in interfaces {
        if let Some(table) = i.rail.and_then(|rail| rail.table) {
            routes.push(Route {
                protocol: STATIC,
                prefsrc: source(i),
                ..route(table, net(i), i.index, !i.up)
            });
        }
    }
    for (i, nic) in world.scenario.nics.iter().enumerate() {
        let Some(gateway) = nic.gateway else { continue };
        let mut default = Route {
            scope: GLOBAL,
            protocol: DHCP,
            metric: 100,
            ..route(MAIN, prefix(Ipv4Addr::UNSPECIFIED, 0), nic_index(i), false)
        };
        default.next_hops.iter_mut().for_each(|hop| hop.gateway = Some(gateway.into()));
        routes.push(default);
    }
    for i in interfaces {
        routes.push(Route { prefsrc: source(i), ..route(MAIN, net(i), i.index, !i.up) });
    }
    routes.extend(local4(interfaces));
    routes
}

/// Table local, as the kernel fills it; its local routes never carry `linkdown`.
fn local4(interfaces: &[Interface<'_>]) -> Vec<Route> {
    let own = |addr: Ipv4Addr, len, index, src: Ipv4Addr| Route {
        kind: RouteKind::Local,
        scope: HOST,
        prefsrc: Some(src.into()),
        ..route(LOCAL, prefix(addr, len), index, false)
    };
    let loopback = Ipv4Addr::LOCALHOST;
    let mut routes =
        vec![own(Ipv4Addr::new(127, 0, 0, 0), 8, LO, loopback), own(loopback, 32, LO, loopback)];
    for i in interfaces {
        routes.push(own(i.cidr.addr, 32, i.index, i.cidr.addr));
        let mask = u32::MAX.checked_shr(u32::from(i.cidr.len)).unwrap_or(0);
        let broadcast = Ipv4Addr::from_bits(i.cidr.addr.to_bits() | mask);
        routes.push(Route {
            kind: RouteKind::Broadcast,
            prefsrc: Some(i.cidr.addr.into()),
            ..route(LOCAL, prefix(broadcast, 32), i.index, !i.up)
        });
    }
    routes
}

fn routes6(interfaces: &[Interface<'_>]) -> Vec<Route> {
    let six = |route: Route| Route { scope: GLOBAL, pref: Some(0), ..route };
    let lo = prefix(Ipv6Addr::LOCALHOST, 128);
    let mut routes = vec![
        Route { metric: 256, ..six(route(MAIN, lo, LO, false)) },
        Route { kind: RouteKind::Local, ..six(route(LOCAL, lo, LO, false)) },
    ];
    for i in interfaces {
        let Some(addr) = link_local(i) else { continue };
        let multicast = Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0);
        let add = |table, kind, dst, metric| Route {
            kind,
            metric,
            ..six(route(table, dst, i.index, !i.up))
        };
        routes.push(add(MAIN, RouteKind::Unicast, prefix(addr, 64).network(), 256));
        routes.push(add(LOCAL, RouteKind::Local, prefix(addr, 128), 0));
        routes.push(add(LOCAL, RouteKind::Multicast, prefix(multicast, 8), 256));
    }
    routes
}

fn neighbours(interfaces: &[Interface<'_>]) -> Vec<Neighbour> {
    let mut all = Vec::new();
    for i in interfaces {
        let Some(rail) = i.rail else { continue };
        for peer in &rail.neighbours {
            let [.., c, d] = peer.octets();
            all.push(Neighbour {
                ifindex: i.index,
                dst: (*peer).into(),
                lladdr: Some(Text::from(format!(
                    "00:00:10:31:fe:80:00:00:00:00:00:00:b8:59:9f:03:00:{c:02x}:{d:02x}:66"
                ))),
                state: if i.up { REACHABLE } else { STALE },
                router: false,
            });
        }
    }
    all
}

/// `/proc/sys/net`.
pub(super) fn sysctls(world: &World, at: Mono) -> Sysctls {
    let names = interfaces(world);
    let rails: Vec<_> = names.iter().map(|i| (i.name, i.rail.is_some())).collect();
    let interfaces = [("all", false), ("default", false), ("lo", false)]
        .into_iter()
        .chain(rails)
        .map(|(name, rail)| sysctl(world, name, rail))
        .collect();
    let value = |n: i64| -> Option<Reading<i64>> { Some(Ok(n)) };
    Sysctls {
        at,
        interfaces,
        ip_forward: value(0),
        fib_multipath_hash_policy: value(0),
        nexthop_compat_mode: value(1),
        ipv6_forwarding: value(0),
    }
}

fn sysctl(world: &World, name: &str, rail: bool) -> SysctlIf {
    let told =
        if rail { world.scenario.sysctl.clone() } else { super::scenario::Sysctl::default() };
    SysctlIf {
        name: Text::new(name),
        rp_filter: Ok(told.rp_filter),
        arp_ignore: Ok(told.arp_ignore),
        arp_announce: Ok(told.arp_announce),
        arp_filter: Ok(0),
        accept_local: Ok(0),
        ignore_routes_with_linkdown: Ok(told.ignore_routes_with_linkdown),
        src_valid_mark: Ok(0),
        forwarding: Ok(0),
        disable_ipv6: Ok(0),
        ipv6_ignore_routes_with_linkdown: Ok(0),
        keep_addr_on_down: Ok(0),
        accept_ra: Ok(1),
    }
}
