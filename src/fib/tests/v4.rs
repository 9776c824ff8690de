//! IPv4 tables.

use super::super::testkit::World;
use super::super::{Outcome, Query};
use super::pair;

#[test]
fn longest_prefix_then_tos_then_metric_then_insertion() {
    let world = pair(
        "route 172.16.16.0/24 dev ib1 metric 9\nroute 172.16.16.0/24 dev ib0 metric 10
         route 9.0.0.0/8 dev ib0 tos 16 metric 50\nroute 9.0.0.0/8 dev ib1",
    );
    assert_eq!(world.way("172.16.16.1"), "ib1", "longest prefix beats the metric 0 of the /16");
    assert_eq!(world.way("172.16.17.1"), "ib0", "the first inserted");
    assert_eq!(world.way("9.1.1.1 tos 16"), "ib0", "tos beats metric");
    assert_eq!(world.way("9.1.1.1"), "ib1");
}

#[test]
fn route_types() {
    let world = pair(
        "route unreachable 9.1.0.0/16\nroute prohibit 9.2.0.0/16\nroute blackhole 9.3.0.0/16
         route throw 9.4.0.0/16\nroute 9.0.0.0/8 dev ib0\nroute default dev ib1 table 253",
    );
    for (to, way) in [
        ("9.1.0.1", "EHOSTUNREACH"),
        ("9.2.0.1", "EACCES"),
        ("9.3.0.1", "EINVAL"),
        ("9.4.0.1", "ib1"),
        ("9.5.0.1", "ib0"),
        ("172.16.34.2", "local"),
        ("127.9.9.9", "local"),
        ("172.16.255.255", "broadcast"),
    ] {
        assert_eq!(world.way(to), way, "{to}");
    }
    assert_eq!(pair("").way("8.8.8.8"), "ENETUNREACH");
}

#[test]
fn dead_hops_give_way() {
    let world = pair(
        "route 172.16.16.0/24 dev ib1 dead\nroute 9.0.0.0/8 dev ib0 linkdown
         route 9.0.0.0/8 dev ib1 metric 5",
    );
    assert_eq!(world.way("172.16.16.1"), "ib0", "to the shorter prefix");
    assert_eq!(world.way("9.1.1.1"), "ib0", "the carrier does not count by itself");
}

#[test]
fn ignore_routes_with_linkdown() {
    let routes = "route 9.0.0.0/8 dev ib0 linkdown\nroute 9.0.0.0/8 dev ib1 metric 5\n";
    for (sysctl, way) in [
        ("sysctl ib0 linkdown 1", "ib1"),
        ("sysctl all linkdown 1", "ib1"),
        ("sysctl ib1 linkdown 1", "ib0"),
        ("sysctl all linkdown 1\nkernel 5.4.0-200-generic", "ib0"),
        ("sysctl ib0 linkdown 1\nkernel 4.18.0-553.el8", "ib1"),
    ] {
        assert_eq!(pair(&format!("{routes}{sysctl}")).way("9.1.1.1"), way, "{sysctl}");
    }
}

#[test]
fn multipath_takes_any_hop_that_lives() {
    let route = "route 9.0.0.0/8 nexthop dev ib0 weight 1 nexthop dev ib1 weight 3";
    let world = pair(route);
    assert_eq!(world.way("9.1.1.1"), "ib0|ib1");
    assert_eq!(world.way("9.1.1.1 oif ib1"), "ib1");
    assert_eq!(world.decide(&world.ask("9.1.1.1")).outcome.device(), None);
    let half = pair("route 9.0.0.0/8 nexthop dev ib0 dead nexthop dev ib1");
    assert_eq!(half.way("9.1.1.1"), "ib1");
}

#[test]
fn a_hop_with_the_source_is_preferred_since_6_16() {
    let route = "route 9.0.0.0/8 nexthop dev ib0 nexthop dev ib1";
    let question = "9.1.1.1 from 172.16.34.2";
    assert_eq!(pair(route).way(question), "ib1");
    assert_eq!(pair(&format!("{route}\nkernel 6.8.0-45")).way(question), "ib0|ib1");
}

#[test]
fn nexthop_objects() {
    let objects = "nexthop 1 dev ib0\nnexthop 2 dev ib1\nnexthop 3 blackhole\nnexthop 10 group 1,2
         nexthop 4 dev ib0 dead\nroute 9.0.0.0/8 nhid 10\nroute 8.0.0.0/8 nhid 2
         route blackhole 7.0.0.0/8 nhid 3\nroute 6.6.0.0/16 nhid 4\nroute 6.6.0.0/15 dev ib1
         route 6.0.0.0/8 dev ib1 metric 3\nroute 5.0.0.0/8 nhid 99";
    let world = pair(objects);
    assert_eq!(world.way("9.1.1.1"), "ib0|ib1");
    assert_eq!(world.way("9.1.1.1 oif ib1"), "ib1");
    assert_eq!(world.way("8.1.1.1"), "ib1");
    assert_eq!(world.way("7.1.1.1"), "EINVAL");
    assert_eq!(world.way("5.1.1.1"), "unknown", "an object that was not read");
    // 6.6.0.0/15 has the same network address: the kernel looks no further there.
    assert_eq!(world.way("6.6.0.1"), "ib1");
    let decision = world.decide(&world.ask("6.6.0.1"));
    assert!(matches!(decision.outcome, Outcome::Send { route, .. }
        if world.routing.routes4.as_ref().unwrap()[route].dst.len == 8));
}

#[test]
fn several_default_routes_may_take_turns() {
    let world = pair(
        "route default via 172.16.0.8 dev ib0\nroute default via 172.16.0.9 dev ib1
         route default via 172.16.0.7 dev ib1 metric 10",
    );
    assert_eq!(world.way("8.8.8.8"), "ib0|ib1");
    assert_eq!(world.way("8.8.8.8 oif ib1"), "ib1");
    let devices = pair("route default dev ib0 scope 253\nroute default dev ib1 scope 253");
    assert_eq!(devices.way("8.8.8.8"), "ib0", "only gateways are watched");
    let metrics =
        pair("route default via 172.16.0.8 dev ib0\nroute default via 172.16.0.9 dev ib1 metric 1");
    assert_eq!(metrics.way("8.8.8.8"), "ib0");
}

#[test]
fn bound_devices() {
    let world = pair("link eth0 down");
    assert_eq!(world.way("172.16.16.1 oif ib1"), "ib1", "the second route is by that device");
    assert_eq!(world.way("8.8.8.8 oif ib1"), "onlink ib1");
    assert_eq!(world.way("8.8.8.8 oif eth0"), "ENETUNREACH", "it is down");
    let mut query = world.ask("8.8.8.8");
    query.oif = Some(4711);
    assert!(matches!(world.decide(&query).outcome, Outcome::Refuse { errno: "ENODEV", .. }));
    assert_eq!(pair("rule 10 prohibit").way("8.8.8.8 oif ib1"), "onlink ib1");
}

#[test]
fn sources() {
    let world = pair("route default via 172.16.0.9 dev ib1");
    assert_eq!(world.way("172.16.16.1 from 172.16.99.9"), "not local");
    assert_eq!(world.way("127.0.0.1 from 127.0.0.5"), "local");
    assert_eq!(world.way("8.8.8.8 from 127.0.0.1"), "EINVAL", "127/8 stays at home");
    let source = |question: &str| {
        let query: Query = world.ask(question);
        world.fib().source(&query, &world.decide(&query).outcome).map(|a| a.to_string())
    };
    assert_eq!(source("172.16.16.1").as_deref(), Some("172.16.34.1"), "of the route");
    assert_eq!(source("8.8.8.8").as_deref(), Some("172.16.34.2"), "of the device");
    assert_eq!(source("9.9.9.9 oif ib1").as_deref(), Some("172.16.34.2"));
    assert_eq!(source("8.8.8.8 from 172.16.34.1").as_deref(), Some("172.16.34.1"));
}

#[test]
fn the_address_near_the_gateway_is_chosen() {
    let world = World::new(
        "addr 10.1.0.1/16 dev ib0\naddr 10.2.0.1/16 dev ib0\naddr 10.2.0.2/16 dev ib0 secondary
         addr 192.168.0.1/24 dev lo\naddr 10.3.0.1/16 dev ib1 scope 254
         route 9.0.0.0/8 via 10.2.0.9 dev ib0\nroute 8.0.0.0/8 dev ib0\nroute 7.0.0.0/8 dev ib1",
    );
    let source = |to: &str| {
        let query = world.ask(to);
        world.fib().source(&query, &world.decide(&query).outcome).map(|a| a.to_string())
    };
    assert_eq!(source("9.1.1.1").as_deref(), Some("10.2.0.1"));
    assert_eq!(source("8.1.1.1").as_deref(), Some("10.1.0.1"));
    assert_eq!(source("7.1.1.1").as_deref(), Some("192.168.0.1"), "of another device");
}

#[test]
fn one_trie_for_local_and_main_while_no_rule_was_touched() {
    let any_ip = "route local 10.0.0.0/8 dev lo\nroute 10.1.0.0/16 dev ib1\n";
    let world = pair(any_ip);
    assert_eq!((world.way("10.1.0.9"), world.way("10.2.0.9")), ("ib1".into(), "local".into()));
    assert_eq!(world.otherwise("10.1.0.9"), ["local"], "a rule may have come and gone");
    assert!(world.otherwise("10.2.0.9").is_empty());
    let apart = pair(&format!("{any_ip}rule 10 tos 16 lookup 941"));
    assert_eq!((apart.way("10.1.0.9"), apart.otherwise("10.1.0.9").len()), ("local".into(), 0));
}

#[test]
fn broadcasts_and_multicasts() {
    let world = pair("route default via 172.16.0.9 dev ib1");
    assert_eq!(world.way("255.255.255.255 oif ib0"), "onlink ib0");
    assert_eq!(world.way("255.255.255.255 from 172.16.34.1"), "onlink ib0");
    assert_eq!(world.way("224.0.0.5 oif ib0"), "onlink ib0");
    let outcome = world.decide(&world.ask("239.1.1.1")).outcome;
    assert!(matches!(outcome, Outcome::Send { hops, .. } if hops[0].gateway.is_none()));
    assert_eq!(world.way("0.0.0.0"), "onlink lo");
}

#[test]
fn clones_are_no_routes() {
    assert_eq!(pair("route 172.16.16.1/32 dev ib1 cloned").way("172.16.16.1"), "ib0");
}

#[test]
fn what_the_index_tells() {
    let world = pair("route 172.16.16.0/24 dev ib1 table 941\nroute default dev ib0 table 941");
    let fib = world.fib();
    let lens: Vec<_> =
        fib.table(crate::sample::Family::Inet, 941).iter().map(|r| r.dst.len).collect();
    assert_eq!(lens, [24, 0]);
    assert_eq!(fib.owner("172.16.34.2".parse().unwrap()), Some(3));
    assert!(fib.is_local("127.1.2.3".parse().unwrap()));
    assert!(!fib.is_local("172.16.34.9".parse().unwrap()));
}
