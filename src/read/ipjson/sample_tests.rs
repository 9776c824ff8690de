//! Output in the shapes of iproute2 5 to 6, and recorded samples where they are at hand.

use super::*;
use crate::sample::{RouteKind, RuleAction};

fn links() -> Vec<Link> {
    parse_links(
        br#"[{"ifindex":1,"ifname":"lo","flags":["LOOPBACK","UP","LOWER_UP"],"mtu":65536,
             "operstate":"UNKNOWN","link_type":"loopback","address":"00:00:00:00:00:00"},
            {"ifindex":6,"ifname":"ib0","flags":["NO-CARRIER","BROADCAST","MULTICAST","UP"],
             "mtu":2044,"operstate":"DOWN","link_type":"infiniband","address":"80:00:00:40:fe",
             "linkinfo":{"info_kind":"ipoib",
               "info_data":{"key":"0xffff","mode":"datagram","umcast":"0000"}}},
            {},
            {"ifindex":8,"link":"ib0","ifname":"ib0.8001","flags":["BROADCAST"],"mtu":4092,
             "operstate":"DOWN","link_type":"infiniband",
             "linkinfo":{"info_kind":"ipoib","info_data":{"key":"0x8001","mode":"connected"}}},
            {"ifindex":9,"link_index":4,"link_netnsid":0,"ifname":"v0","flags":[],"mtu":1500,
             "operstate":"UP","link_type":"ether","master":"bond0",
             "linkinfo":{"info_kind":"veth","info_slave_kind":"bond"}},
            {"ifindex":10,"ifname":"bond0","flags":["MASTER"],"link_type":"[4242]"},
            {"ifindex":11,"ifname":"sit0","flags":["NOARP"],"link_type":"sit","link":null,
             "address":"10.0.0.1"}]"#,
    )
    .unwrap()
}

#[test]
fn links_of_ip_d_link() {
    let links = links();
    assert_eq!(links.len(), 6);
    let [lo, ib0, child, veth, bond, sit] = links.as_slice() else { panic!("six links") };
    assert_eq!((lo.kind, lo.flags.0), (772, 0x1_0049));
    assert_eq!(lo.operstate, Ok("unknown".into()));
    assert_eq!((ib0.kind, ib0.pkey, ib0.mtu), (32, Some(0xffff), Some(2044)));
    assert!(ib0.flags.is_up() && !ib0.flags.has_carrier());
    assert_eq!((child.parent, child.pkey), (Some(6), Some(0x8001)));
    assert_eq!(child.ipoib_mode.as_deref(), Some("connected"));
    assert_eq!((veth.parent, veth.master), (None, Some(10)));
    assert_eq!(veth.slave_kind.as_deref(), Some("bond"));
    assert_eq!((bond.kind, bond.operstate.is_err()), (4242, true));
    assert_eq!(sit.address.as_deref(), Some("0a:00:00:01"));
}

#[test]
fn addresses_of_ip_d_addr() {
    let all = parse_addresses(
        br#"[{"ifindex":7,"ifname":"ib1","addr_info":[{}]},
            {"ifindex":6,"ifname":"ib0","addr_info":[
              {"family":"inet","local":"172.16.34.1","prefixlen":16,"scope":"global",
               "noprefixroute":true,"label":"ib0:1"},
              {"family":"inet","local":"10.0.0.1","address":"10.0.0.2","prefixlen":32,
               "scope":"link","secondary":true,"dynamic":true},
              {"family":"inet6","local":"fe80::1","prefixlen":64,"scope":"link",
               "temporary":true,"tentative":true,"ifa_flags":"1000"}]}]"#,
    )
    .unwrap();
    let [first, peer, v6] = all.as_slice() else { panic!("three addresses") };
    assert_eq!((first.ifindex, first.local.to_string().as_str()), (6, "172.16.34.1/16"));
    assert_eq!((first.flags, first.label.as_deref()), (0x280, Some("ib0:1")));
    assert_eq!((peer.peer, peer.scope, peer.flags), (Some([10, 0, 0, 2].into()), 253, 0x1));
    assert_eq!(v6.flags, 0x10c1);
}

#[test]
fn rules_with_every_selector() {
    let mut names = Names::of_links(&links());
    let rules = parse_rules(
        Family::Inet,
        br#"[{"priority":0,"src":"all","table":"local"},
            {"priority":50,"src":"all","fwmark":"0x10","fwmask":"0xff","table":"942"},
            {"priority":53,"not":null,"src":"172.16.34.0","srclen":24,"dst":"172.16.16.0",
             "dstlen":24,"ipproto":"udp","dport":4791,"sport_start":1,"sport_end":9,
             "uid_start":1000,"uid_end":2000,"tos":"0x10","tun_id":7,"table":"4000000000",
             "suppress_prefixlen":0,"suppress_ifgroup":"3","protocol":"static"},
            {"priority":60,"src":"all","goto":1000,"unresolved":null},
            {"priority":61,"src":"all","nop":null,"oif":"x0","oif_detached":null},
            {"priority":70,"src":"192.0.2.1","action":"prohibit","protocol":"99"},
            {"priority":71,"src":"all","l3mdev":null},
            {"priority":72,"src":"all","dscp":"CS3","table":"rails"}]"#,
        &mut names,
    )
    .unwrap();
    assert_eq!((rules[0].protocol, &rules[0].action), (2, &RuleAction::Lookup(255)));
    assert_eq!((rules[1].fwmark, rules[1].protocol), (Some((0x10, 0xff)), 0));
    let r = &rules[2];
    assert!(r.invert);
    assert_eq!(r.src.unwrap().to_string(), "172.16.34.0/24");
    assert_eq!((r.ip_proto, r.dport, r.sport), (Some(17), Some((4791, 4791)), Some((1, 9))));
    assert_eq!((r.uid_range, r.tos, r.tun_id), (Some((1000, 2000)), 16, Some(7)));
    assert_eq!(r.action, RuleAction::Lookup(4_000_000_000));
    assert_eq!((r.suppress_prefix_len, r.suppress_if_group), (Some(0), Some(3)));
    assert_eq!((r.protocol, r.unknown.len()), (4, 0));
    assert_eq!(rules[3].action, RuleAction::Goto { preference: 1000, resolved: false });
    assert_eq!((&rules[4].action, rules[4].oif_detached), (&RuleAction::Nop, true));
    assert_eq!((&rules[5].action, rules[5].protocol), (&RuleAction::Prohibit, 99));
    assert_eq!((rules[6].l3mdev, &rules[6].action), (true, &RuleAction::Lookup(0)));
    assert_eq!(rules[7].unknown, ["dscp \"CS3\""]);
    let RuleAction::Lookup(rails) = rules[7].action else { panic!("a lookup") };
    assert_eq!(names.tables(), [(rails, "rails".into())]);
}

#[test]
fn routes_of_both_families() {
    let mut names = Names::of_links(&links());
    let routes = parse_routes(
        Family::Inet,
        br#"[{"dst":"172.16.0.0/16","dev":"ib0","scope":"link","prefsrc":"172.16.34.1",
             "metrics":[{"mtu":1200}],"flags":["linkdown","onlink"]},
            {"type":"unreachable","dst":"default","table":"941","metric":4278198272,"flags":[]},
            {"dst":"203.0.117.0/24","via":{"family":"inet6","host":"fe80::1"},"dev":"ib0",
             "table":"local","protocol":"kernel","flags":[]},
            {"dst":"10.9.0.0/16","nhid":10,"flags":[]},
            {"dst":"10.8.0.1","flags":[],"nexthops":[
               {"gateway":"172.16.0.9","dev":"ib0","weight":1,"flags":["dead","linkdown"]},
               {"dev":"ib9","weight":5,"flags":[]}]}]"#,
        &mut names,
    )
    .unwrap();
    let first = &routes[0];
    assert_eq!((first.table, first.protocol, first.scope), (254, 3, 253));
    assert_eq!((first.mtu, first.next_hops[0].ifindex), (Some(1200), Some(6)));
    assert!(first.next_hops[0].flags.linkdown && first.next_hops[0].flags.onlink);
    assert_eq!((routes[1].kind, routes[1].next_hops.len()), (RouteKind::Unreachable, 0));
    assert_eq!(routes[1].dst.to_string(), "0.0.0.0/0");
    assert_eq!(routes[2].next_hops[0].gateway, Some("fe80::1".parse().unwrap()));
    assert_eq!((routes[3].nexthop_id, routes[3].next_hops.len()), (Some(10), 0));
    assert_eq!(routes[4].dst.len, 32);
    let [dead, stranger] = routes[4].next_hops.as_slice() else { panic!("two hops") };
    assert!(dead.flags.dead);
    assert_eq!((stranger.weight, stranger.ifindex), (5, Some(names.link("ib9"))));

    let routes = parse_routes(
        Family::Inet6,
        br#"[{"dst":"default","from":"2001:db8::/64","gateway":"fe80::1","dev":"ib0",
             "protocol":"ra","metric":1024,"expires":1799,"pref":"high","flags":[]},
            {"dst":"unreachable fd00::/8","dev":"lo","flags":[]}]"#,
        &mut names,
    )
    .unwrap();
    assert_eq!(routes.len(), 2);
    assert_eq!(routes[0].src.unwrap().to_string(), "2001:db8::/64");
    assert_eq!((routes[0].pref, routes[0].expires), (Some(1), Some(1799)));
    assert_eq!((routes[1].kind, routes[1].dst.len), (RouteKind::Unreachable, 8));
}

#[test]
fn without_a_family_ip_route_prints_both() {
    let bytes = br#"[{"dst":"default","gateway":"10.0.0.1","dev":"ib0","flags":[]},
        {"dst":"fe80::/64","dev":"ib0","flags":[],"pref":"medium"},
        {"dst":"default","gateway":"fe80::1","dev":"ib0","flags":[]},
        {"type":"unreachable","dst":"default","dev":"lo","flags":[],"pref":"medium"}]"#;
    let mut names = Names::of_links(&links());
    assert_eq!(parse_routes(Family::Inet, bytes, &mut names).unwrap().len(), 1);
}

#[test]
fn neighbours_and_next_hops() {
    let names = Names::of_links(&links());
    let neighbours = parse_neighbours(
        br#"[{"dst":"172.16.0.1","dev":"ib0","lladdr":"80:00:01:48","router":null,
             "state":["REACHABLE"]},
            {"dst":"fe80::1","dev":"ib0","state":["FAILED"]}]"#,
        &names,
    )
    .unwrap();
    assert_eq!((neighbours[0].state, neighbours[0].router), (0x02, true));
    assert_eq!((neighbours[1].lladdr.clone(), neighbours[1].state), (None, 0x20));
    let objects = parse_nexthops(
        br#"[{"id":1,"gateway":"172.16.0.9","dev":"ib0","scope":"link","flags":["linkdown"]},
            {"id":2,"blackhole":null,"flags":[]},
            {"id":10,"group":[{"id":1,"weight":3},{"id":2}],"flags":[]}]"#,
        &names,
    )
    .unwrap();
    assert!(objects[0].flags.linkdown && objects[1].blackhole);
    let weights: Vec<_> = objects[2].group.iter().map(|m| (m.id, m.weight)).collect();
    assert_eq!(weights, [(1, 3), (2, 1)]);
}

#[test]
fn what_is_missing_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    write("ip-route.json.error", "exit 2\nRTNETLINK answers: Operation not permitted\n");
    write("ip-nexthop.error", "Object \"nexthop\" is unknown, try \"ip help\".\n");
    write("ip-rule.json", "[{\"priority\":0,");
    write("ip-neigh.json", "\0\0");
    write("ip-addr.json", "[{\"ifindex\":3,\"ifname\":\"ib0\",\"link_type\":\"infiniband\"}]\0\0");
    let (links, routing) = read_dir(dir.path());
    assert_eq!(links.unwrap()[0].index, 3);
    assert_eq!(routing.addresses, Ok(Vec::new()));
    let routes = routing.routes4.unwrap_err();
    assert_eq!(routes.why, Why::Denied);
    assert!(routes.detail.contains("not permitted"));
    assert_eq!(routing.nexthops.unwrap_err().why, Why::Unsupported);
    assert_eq!(routing.rules4.unwrap_err().why, Why::Unparsable);
    assert_eq!(routing.neighbours.unwrap_err().why, Why::Absent);
    let absent = routing.routes6.unwrap_err();
    assert_eq!(absent.to_string(), "absent: ip-route6.json is not in the capture");
}

#[test]
fn without_links_names_still_tell_interfaces_apart() {
    let dir = tempfile::tempdir().unwrap();
    let text = r#"[{"dst":"default","dev":"ib0"},{"dst":"1.0.0.0/8","dev":"ib1"}]"#;
    fs::write(dir.path().join(ROUTES4), text).unwrap();
    let routes = read_dir(dir.path()).1.routes4.unwrap();
    assert_ne!(routes[0].next_hops[0].ifindex, routes[1].next_hops[0].ifindex);
}

/// The keys of a recorded sample and their files in a capture.
const PARTS: [(&str, &str); 8] = [
    ("links", LINKS),
    ("addrs", ADDRESSES),
    ("rules4", RULES4),
    ("rules6", RULES6),
    ("routes4", ROUTES4),
    ("routes6", ROUTES6),
    ("neigh", NEIGHBOURS),
    ("nexthops", NEXTHOPS),
];

/// Lays a recorded sample out as a capture.
pub(in crate::read) fn as_capture(sample: &Path) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(sample).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    for (key, file) in PARTS {
        fs::write(dir.path().join(file), json[key].to_string()).unwrap();
    }
    dir
}

/// The directory of the routing samples, if there is one.
pub(in crate::read) fn samples() -> Option<PathBuf> {
    let samples = std::env::var_os("RAILTOP_SAMPLES");
    if samples.is_none() {
        println!("skipped: RAILTOP_SAMPLES is not set");
    }
    samples.map(|dir| PathBuf::from(dir).join("routing"))
}

/// Output of `ip -j` that the lab recorded, by the start of its file name.
#[test]
fn recorded_lab_output_parses() {
    let Some(dir) = samples() else { return };
    let mut files = vec![dir.with_file_name("lab")];
    let mut seen = 0;
    while let Some(path) = files.pop() {
        files.extend(fs::read_dir(&path).into_iter().flatten().flatten().map(|e| e.path()));
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Ok(bytes) = fs::read(&path) else { continue };
        let mut names = Names::default();
        let error = match name.strip_suffix(".out").unwrap_or_default() {
            "ip-j-addr" | "ip-j-d-addr" => parse_addresses(&bytes).err(),
            "ip-j-s-link" | "ip-j-s-d-link" => parse_links(&bytes).err(),
            "ip-j-rule" => parse_rules(Family::Inet, &bytes, &mut names).err(),
            "ip-j-6-rule" => parse_rules(Family::Inet6, &bytes, &mut names).err(),
            "ip-j-route-all" => parse_routes(Family::Inet, &bytes, &mut names).err(),
            "ip-j-6-route-all" => parse_routes(Family::Inet6, &bytes, &mut names).err(),
            "ip-j-neigh" => parse_neighbours(&bytes, &names).err(),
            _ => continue,
        };
        let empty = bytes.trim_ascii().is_empty();
        assert!(error.is_none() || empty, "{path:?}: {error:?}");
        seen += 1;
    }
    println!("{seen} files");
}

#[test]
fn recorded_samples_parse() {
    let Some(dir) = samples() else { return };
    let mut seen = 0;
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|e| e != "json") {
            continue;
        }
        let capture = as_capture(&path);
        let (links, routing) = read_dir(capture.path());
        assert!(!links.as_ref().unwrap().is_empty(), "{path:?}");
        let rules = routing.rules4.as_ref().unwrap();
        assert!(rules.iter().all(|rule| rule.unknown.is_empty()), "{path:?}");
        for (what, error) in [
            ("addresses", routing.addresses.as_ref().err()),
            ("rules6", routing.rules6.as_ref().err()),
            ("routes4", routing.routes4.as_ref().err()),
            ("routes6", routing.routes6.as_ref().err()),
            ("neighbours", routing.neighbours.as_ref().err()),
            ("next hops", routing.nexthops.as_ref().err()),
        ] {
            assert_eq!(error, None, "{what} of {path:?}");
        }
        seen += 1;
    }
    assert!(seen > 0);
}
