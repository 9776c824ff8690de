//! IPv6 tables.

use super::super::testkit::World;

fn world(lines: &str) -> World {
    World::new(&format!(
        "addr fd00::1/64 dev ib0\naddr fd00::2/64 dev ib1
         route local fd00::1/128 dev ib0 metric 0\nroute local fd00::2/128 dev ib1 metric 0\n{lines}"
    ))
}

#[test]
fn longest_prefix_then_metric_then_insertion() {
    let world = world(
        "route fd00::/64 dev ib0 metric 256\nroute fd00::/64 dev ib1 metric 256
         route fd01::/64 dev ib0\nroute fd01::/64 dev ib1 metric 5\nroute fd00::8/125 dev ib1",
    );
    for (to, way) in
        [("fd00::99", "ib0"), ("fd01::9", "ib1"), ("fd00::9", "ib1"), ("fd00::2", "local")]
    {
        assert_eq!(world.way(to), way, "{to}");
    }
    assert_eq!(world.way("fd99::1"), "ENETUNREACH");
    assert_eq!(world.way("fd00::99 from fd77::1"), "ib0", "the source is not checked");
}

#[test]
fn a_bound_device_is_required_without_a_source_and_preferred_with_one() {
    let world = world(
        "route fd00::/64 dev ib0 metric 256\nroute fd00::/64 dev ib1 metric 256\nroute fd01::/64 dev ib0",
    );
    assert_eq!(world.way("fd00::99 oif ib1"), "ib1");
    assert_eq!(world.way("fd00::99 from fd00::1 oif ib1"), "ib1");
    assert_eq!(world.way("fd01::99 oif ib1"), "ENETUNREACH", "nothing is taken for on-link");
    assert_eq!(world.way("fd01::99 from fd00::1 oif ib1"), "ib0");
    assert_eq!(world.way("fe80::9 from fd00::1 oif ib1"), "ENETUNREACH");
}

#[test]
fn the_best_score_of_all_metrics_follows_the_lowest() {
    let world = world(
        "route fd01::/64 dev ib0 metric 5 dead\nroute fd01::/64 dev ib0 metric 10
         route fd01::/64 dev ib1 metric 20",
    );
    assert_eq!(world.way("fd01::9"), "ib0");
    assert_eq!(world.way("fd01::9 from fd00::1 oif ib1"), "ib1", "metric 20 with the device");
}

#[test]
fn route_preference() {
    let world = world(
        "route default6 via fe80::8 dev ib0 pref 3\nroute default6 dev ib1 pref 0
         route fd01::/16 dev ib0 pref 0\nroute fd01::/16 dev ib1 pref 1",
    );
    assert_eq!((world.way("fd99::1"), world.way("fd01::1")), ("ib1".into(), "ib1".into()));
}

#[test]
fn gateways_that_failed_are_left_by_hosts() {
    let lines = "route default6 via fe80::8 dev ib0 metric 5\nroute default6 via fe80::9 dev ib1\nneigh fe80::8 dev ib0 failed";
    assert_eq!(world(lines).way("fd99::1"), "ib1");
    assert_eq!(world(&format!("{lines}\nsysctl forwarding6 1")).way("fd99::1"), "ib0");
    let last = "route default6 via fe80::8 dev ib0\nneigh fe80::8 dev ib0 failed";
    assert_eq!(world(last).way("fd99::1"), "ib0", "better than none");
}

#[test]
fn linkdown_and_expiry() {
    let lines = "route fd01::/16 dev ib0 linkdown\nroute fd01::/16 dev ib1 metric 2000\n";
    assert_eq!(world(lines).way("fd01::1"), "ib0");
    assert_eq!(world(&format!("{lines}sysctl ib0 linkdown6 1")).way("fd01::1"), "ib1");
    assert_eq!(world(&format!("{lines}sysctl all linkdown6 1")).way("fd01::1"), "ib0");
    let expired = "route fd01::/16 dev ib0 expires 0\nroute fd01::/16 dev ib1 expires 9";
    assert_eq!(world(expired).way("fd01::1"), "ib1");
}

#[test]
fn reject_routes_are_routes_by_the_loopback() {
    let world = world(
        "route unreachable fd01::/16\nroute prohibit fd02::/16\nroute blackhole fd03::/16
         route throw fd04::/16\nroute fd00::/12 dev ib0",
    );
    for (to, way) in [
        ("fd01::1", "EHOSTUNREACH"),
        ("fd02::1", "EACCES"),
        ("fd03::1", "EINVAL"),
        ("fd04::1", "ENETUNREACH"),
        ("fd01::1 from fd00::1 oif ib0", "EHOSTUNREACH"),
        ("fd01::1 oif ib0", "ib0"),
    ] {
        assert_eq!(world.way(to), way, "{to}");
    }
}

#[test]
fn multipath_and_objects() {
    let world = world(
        "route fd01::/16 nexthop via fe80::8 dev ib0 nexthop via fe80::9 dev ib1
         nexthop 1 dev ib0\nnexthop 2 dev ib1\nnexthop 3 blackhole\nnexthop 10 group 1,2
         route fd02::/16 nhid 10\nroute fd03::/16 dev ib0\nroute blackhole fd03::/16 nhid 3
         route fd04::/16 nhid 1",
    );
    assert_eq!(world.way("fd01::1"), "ib0|ib1");
    assert_eq!(world.way("fd01::1 oif ib1"), "ib1");
    assert_eq!(world.way("fd01::1 from fd00::1 oif ib1"), "ib1|ib0", "the hash knows no device");
    assert_eq!(world.way("fd02::1"), "ib0|ib1");
    assert_eq!(world.way("fd03::1"), "EINVAL", "a blackhole object takes all of its metric");
    assert_eq!(world.way("fd04::1"), "ib0");
}

#[test]
fn deleted_rules_may_still_count() {
    let mut world = world("route fd00::/64 dev ib0 metric 256");
    world.routing.rules6.as_mut().unwrap().retain(|rule| rule.preference == 0);
    assert_eq!(world.way("fd00::9"), "ENETUNREACH");
    assert_eq!(world.otherwise("fd00::9"), ["ib0"], "unless a rule was added before");
}

#[test]
fn source_specific_routes() {
    let lines = "route fd01::/16 from fd00::1/128 dev ib0\nroute fd01::/16 dev ib1
         route default6 from fd00::/16 dev ib0\nroute default6 dev ib1\n";
    let world = world(lines);
    assert_eq!(world.way("fd01::1 from fd00::1"), "ib0");
    assert_eq!(world.way("fd99::1 from fd00::2"), "ib0");
    assert_eq!(world.way("fd99::1"), "ib1");
    // fib6_node_lookup enters no node whose source prefixes do not fit, but the root.
    assert_eq!(world.way("fd01::1 from fd00::2"), "ib0", "by the default route");
    assert_eq!(world.way("fd01::1"), "ib1", "by the default route, too");
    let below = self::world(&format!("{lines}route fd01::/64 dev ib0 dead"));
    assert_eq!(below.way("fd01::1 from fd00::2"), "ib1", "on the way back it does");
}
