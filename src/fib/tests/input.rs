//! What arrives.

use super::super::testkit::World;
use super::super::{ArpAnswer, ReversePath};
use super::{RULES, pair};
use std::net::IpAddr;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn arrives(world: &World, from: &str, to: &str, device: &str) -> ReversePath {
    world.fib().reverse_path(ip(from), ip(to), world.index(device))
}

/// Who of ib0, ib1 answers for an address?
fn answers(world: &World, wanted: &str) -> Vec<&'static str> {
    ["ib0", "ib1"]
        .into_iter()
        .filter(|rail| {
            world.fib().arp_answer(world.index(rail), ip(wanted), ip("172.16.16.1"))
                == ArpAnswer::Answers
        })
        .collect()
}

#[test]
fn rp_filter_is_the_greater_of_all_and_the_interface() {
    for (all, own, verdict) in [
        (0, 0, ReversePath::Pass),
        (0, 1, ReversePath::DropStrict),
        (1, 0, ReversePath::DropStrict),
        (2, 1, ReversePath::Pass),
        (1, 2, ReversePath::Pass),
        (0, 2, ReversePath::Pass),
    ] {
        let world = pair(&format!("sysctl all rp_filter {all}\nsysctl ib1 rp_filter {own}"));
        assert_eq!(arrives(&world, "172.16.16.1", "172.16.34.2", "ib1"), verdict, "{all} {own}");
    }
}

#[test]
fn source_rules_open_the_strict_filter() {
    let strict = "sysctl all rp_filter 1\n";
    let world = pair(&format!("{strict}{RULES}"));
    assert_eq!(arrives(&world, "172.16.16.1", "172.16.34.2", "ib1"), ReversePath::Pass);
    assert_eq!(arrives(&world, "172.16.16.1", "172.16.34.2", "ib0"), ReversePath::DropStrict);
    assert_eq!(arrives(&world, "10.9.9.9", "172.16.34.2", "ib1"), ReversePath::DropNoRoute);
    assert_eq!(arrives(&world, "10.9.9.9", "172.16.99.9", "ib1"), ReversePath::NotLocal);
    assert_eq!(arrives(&world, "172.16.34.1", "172.16.34.2", "ib1"), ReversePath::DropLocalSource);
    assert_eq!(arrives(&world, "127.0.0.1", "172.16.34.2", "ib1"), ReversePath::DropMartian);
    let open = pair(&format!("{strict}{RULES}sysctl ib1 accept_local 1"));
    assert_eq!(arrives(&open, "172.16.34.1", "172.16.34.2", "ib1"), ReversePath::DropStrict);
    let multipath = pair(&format!("{strict}route 9.0.0.0/8 nexthop dev ib0 nexthop dev ib1"));
    assert_eq!(arrives(&multipath, "9.1.1.1", "172.16.34.2", "ib1"), ReversePath::Pass);
}

#[test]
fn what_is_not_known() {
    assert_eq!(arrives(&pair(""), "172.16.16.1", "172.16.34.2", "ib1"), ReversePath::Unknown);
    assert_eq!(
        arrives(&pair(""), "fd00::1", "fd00::2", "ib1"),
        ReversePath::Pass,
        "no such filter"
    );
}

#[test]
fn rules_by_input_device() {
    let world =
        pair("-rule 0\nrule 25 lookup 255\nrule 10 iif ib1 prohibit\nsysctl all rp_filter 0");
    assert_eq!(arrives(&world, "172.16.16.1", "172.16.34.2", "ib1"), ReversePath::NotLocal);
    assert_eq!(arrives(&world, "172.16.16.1", "172.16.34.2", "ib0"), ReversePath::Pass);
}

#[test]
fn arp_flux_and_its_cures() {
    for (sysctls, rules, first, second) in [
        ("sysctl all rp_filter 0", "", &["ib0", "ib1"][..], &["ib0", "ib1"][..]),
        ("sysctl all rp_filter 1", "", &["ib0"], &["ib0"]),
        ("sysctl all rp_filter 1", RULES, &["ib0"], &["ib1"]),
        ("sysctl all rp_filter 2", RULES, &["ib0", "ib1"], &["ib0", "ib1"]),
        ("sysctl all arp_ignore 1", "", &["ib0"], &["ib1"]),
        ("sysctl all arp_ignore 1\nsysctl all rp_filter 1", "", &["ib0"], &[]),
        ("sysctl all arp_ignore 8", "", &[], &[]),
        ("sysctl all arp_filter 1", "", &["ib0"], &["ib0"]),
        ("sysctl all arp_filter 1", RULES, &["ib0"], &["ib1"]),
    ] {
        let world = pair(&format!("{rules}{sysctls}"));
        assert_eq!(answers(&world, "172.16.34.1"), first, "{sysctls} {rules}");
        assert_eq!(answers(&world, "172.16.34.2"), second, "{sysctls} {rules}");
    }
}

#[test]
fn arp_ignore_by_prefix_and_scope() {
    let near = pair("sysctl all arp_ignore 2");
    let ask = |world: &World, wanted, asker| {
        world.fib().arp_answer(world.index("ib0"), ip(wanted), ip(asker))
    };
    assert_eq!(ask(&near, "172.16.34.1", "172.16.16.1"), ArpAnswer::Answers);
    assert_eq!(ask(&near, "172.16.34.1", "10.1.1.1"), ArpAnswer::IgnoredByArpIgnore);
    assert_eq!(ask(&near, "172.16.34.1", "0.0.0.0"), ArpAnswer::Answers, "a probe for duplicates");
    let lines = "addr 10.255.0.1/32 dev lo scope 254\nroute local 10.255.0.1/32 dev lo\n";
    let scope = pair(&format!("{lines}sysctl all arp_ignore 3"));
    assert_eq!(ask(&scope, "10.255.0.1", "172.16.16.1"), ArpAnswer::IgnoredByArpIgnore);
    assert_eq!(ask(&scope, "172.16.34.2", "172.16.16.1"), ArpAnswer::Answers);
    assert_eq!(ask(&scope, "172.16.99.9", "172.16.16.1"), ArpAnswer::NotLocal);
    assert_eq!(ask(&pair(""), "172.16.34.1", "172.16.16.1"), ArpAnswer::Unknown);
    let hash = pair(
        "sysctl all arp_filter 1\nkernel 6.1\nroute 9.0.0.0/8 nexthop dev ib0 nexthop dev ib1",
    );
    assert_eq!(ask(&hash, "172.16.34.1", "9.1.1.1"), ArpAnswer::MayAnswer);
}

#[test]
fn rdma_cm() {
    let accepts = |world: &World, rail: &str, own: &str, with_device| {
        world.fib().rdma_cm_accepts(world.index(rail), ip(own), ip("172.16.16.1"), with_device)
    };
    let plain = pair("");
    assert!(accepts(&plain, "ib0", "172.16.34.1", true));
    assert!(accepts(&plain, "ib1", "172.16.34.2", true));
    assert!(!accepts(&plain, "ib1", "172.16.34.2", false), "kernels before 6.1");
    let rules = pair(RULES);
    assert!(accepts(&rules, "ib1", "172.16.34.2", true));
    assert!(accepts(&rules, "ib1", "172.16.34.2", false));
    assert!(!accepts(&rules, "ib0", "172.16.34.2", false));
}
