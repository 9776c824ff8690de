//! Selectors and actions of rules.

use super::super::testkit::World;
use super::{RULES, pair};

/// Table 941 leads to ib1, main to ib0.
fn world(rule: &str) -> World {
    pair(&format!("route default dev ib1 table 941\nroute default dev ib0\n{rule}"))
}

#[test]
fn every_selector_counts() {
    for (selector, question, other) in [
        ("from 172.16.34.1", "8.8.8.8 from 172.16.34.1", "8.8.8.8 from 172.16.34.2"),
        ("from 172.16.34.0/31", "8.8.8.8 from 172.16.34.1", "8.8.8.8 from 172.16.34.2"),
        ("from 172.16.34.1", "8.8.8.8 from 172.16.34.1", "8.8.8.8"),
        ("to 8.8.0.0/16", "8.8.8.8", "8.9.8.8"),
        ("iif lo", "8.8.8.8", "172.16.34.2"),
        ("oif ib1", "8.8.8.8 oif ib1", "8.8.8.8"),
        ("fwmark 16/240", "8.8.8.8 mark 31", "8.8.8.8 mark 1"),
        ("fwmark 7", "8.8.8.8 mark 7", "8.8.8.8 mark 15"),
        ("tos 16", "8.8.8.8 tos 16", "8.8.8.8"),
        ("tos 16", "8.8.8.8 tos 208", "8.8.8.8 tos 8"),
        ("ipproto 17", "8.8.8.8 proto 17", "8.8.8.8 proto 6"),
        ("sport 5-9", "8.8.8.8 sport 9", "8.8.8.8 sport 10"),
        ("dport 4791-4791", "8.8.8.8 dport 4791", "8.8.8.8 dport 4790"),
        ("uidrange 1000-2000", "8.8.8.8 uid 1000", "8.8.8.8 uid 0"),
        ("not tos 16", "8.8.8.8 tos 8", "8.8.8.8 tos 16"),
        ("not from 172.16.34.1", "8.8.8.8", "8.8.8.8 from 172.16.34.1"),
    ] {
        let world = world(&format!("rule 10 {selector} lookup 941"));
        assert_eq!(world.way(question), "ib1", "{selector}");
        assert_ne!(world.way(other), "ib1", "{selector}");
    }
}

#[test]
fn selectors_that_never_fit_here() {
    for selector in ["iif ib0", "iif nosuch0", "oif nosuch0", "tun_id 7", "l3mdev"] {
        assert_eq!(world(&format!("rule 10 {selector} lookup 941")).way("8.8.8.8"), "ib0");
        let inverted = format!("rule 10 not {selector} lookup 941");
        assert_eq!(world(&inverted).way("8.8.8.8"), "ib1", "{inverted}");
    }
}

#[test]
fn an_unbound_source_is_zero() {
    assert_eq!(world("rule 10 from 0.0.0.0/8 lookup 941").way("8.8.8.8"), "ib1");
    let world = World::new(
        "addr fd00::1/64 dev ib0\nrule6 10 from ::/8 lookup 941\n\
         route ::/0 dev ib1 table 941\nroute ::/0 dev ib0",
    );
    assert_eq!(world.way("fd09::1"), "ib0", "IPv6 rules with a source need one");
}

#[test]
fn rules_that_refuse() {
    for (action, errno) in [
        ("prohibit", "EACCES"),
        ("unreachable", "ENETUNREACH"),
        ("blackhole", "EINVAL"),
        ("odd", "EINVAL"),
    ] {
        assert_eq!(world(&format!("rule 10 {action}")).way("8.8.8.8"), errno);
    }
}

#[test]
fn rules_that_lead_on() {
    assert_eq!(world("rule 10 nop").way("8.8.8.8"), "ib0");
    assert_eq!(
        world("rule 10 goto 30\nrule 20 prohibit\nrule 30 lookup 941").way("8.8.8.8"),
        "ib1"
    );
    assert_eq!(world("rule 10 goto 77 unresolved\nrule 20 lookup 941").way("8.8.8.8"), "ib1");
    // The kernel refuses to make such a rule.
    assert_eq!(world("rule 20 goto 10\nrule 10 nop").way("8.8.8.8"), "ib0");
    assert_eq!(world("rule 10 lookup 4000000000").way("8.8.8.8"), "ib0");
    // The first of the rules of that preference.
    let two = "rule 10 goto 30\nrule 30 tos 16 prohibit\nrule 30 lookup 941";
    assert_eq!(world(two).way("8.8.8.8"), "ib1");
    assert_eq!(world(two).way("8.8.8.8 tos 16"), "EACCES");
}

#[test]
fn suppressors() {
    let shadow = "rule 10 lookup 254 suppress_prefixlength 0\nrule 20 lookup 941";
    assert_eq!(world(shadow).way("8.8.8.8"), "ib1");
    assert_eq!(world(shadow).way("172.16.16.1"), "ib0", "a /16 is longer than 0");
    let errors = "route unreachable 9.0.0.0/8\nrule 10 lookup 254 suppress_prefixlength 8";
    assert_eq!(world(errors).way("9.1.1.1"), "EHOSTUNREACH", "errors are not suppressed");
    let group = world("rule 10 lookup 254 suppress_ifgroup 3\nrule 20 lookup 941");
    assert_eq!(group.way("8.8.8.8"), "ib0");
    assert_eq!(group.otherwise("8.8.8.8"), ["ib1"], "the group of a link is not read");
}

#[test]
fn unknown_selectors_may_match() {
    let world =
        world("rule 10 unknown dscp lookup 941\nrule 11 from 172.16.34.2 unknown x prohibit");
    assert_eq!(
        (world.way("8.8.8.8"), world.otherwise("8.8.8.8")),
        ("ib0".into(), vec!["ib1".into()])
    );
    let question = "8.8.8.8 from 172.16.34.2";
    assert_eq!(world.otherwise(question), ["ib1", "EACCES"]);
    // What misses by a known selector misses.
    let sure = self::world("rule 10 tos 16 unknown dscp lookup 941");
    assert!(sure.otherwise("8.8.8.8").is_empty());
    let inverted = self::world("rule 10 not tos 16 unknown dscp lookup 941");
    assert_eq!((inverted.way("8.8.8.8"), inverted.otherwise("8.8.8.8").len()), ("ib1".into(), 0));
    // The same either way.
    let same = self::world("rule 10 unknown dscp lookup 254");
    assert!(same.way("8.8.8.8") == "ib0" && same.otherwise("8.8.8.8").is_empty());
}

#[test]
fn source_rules_split_the_rails() {
    let world = pair(RULES);
    assert_eq!(world.way("172.16.16.1 from 172.16.34.1"), "ib0");
    assert_eq!(world.way("172.16.16.1 from 172.16.34.2"), "ib1");
    assert_eq!(world.way("172.16.16.1"), "ib0");
    assert_eq!(pair("").way("172.16.16.1 from 172.16.34.2"), "ib0");
}

#[test]
fn vrfs() {
    let world = World::new(
        "link vrf0 vrf 77\nlink ib2 master vrf0\naddr 10.0.0.1/24 dev ib2\naddr 10.9.0.1/24 dev ib0
         rule 1000 l3mdev
         route local 10.0.0.1/32 dev ib2 table 77
         route 10.0.0.0/24 dev ib2 table 77\nroute 10.0.0.0/24 dev ib0\nroute default dev ib0",
    );
    assert_eq!(world.way("10.0.0.9"), "ib0", "no VRF without a device");
    assert_eq!(world.way("10.0.0.9 oif ib2"), "ib2");
    assert_eq!(world.way("10.0.0.9 oif vrf0"), "ib2", "the master names the table only");
    assert_eq!(world.way("10.0.0.1 oif vrf0"), "local");
    // Nothing is taken for on-link in a VRF.
    assert_eq!(world.way("8.8.8.8 oif ib2"), "ENETUNREACH");
    assert_eq!(world.way("8.8.8.8 oif ib1"), "onlink ib1");
    let by_name = World::new(
        "link vrf0 vrf 77\nlink ib2 master vrf0\nrule 10 oif vrf0 lookup 77\nroute default dev ib2 table 77
         rule 11 iif vrf0 prohibit",
    );
    assert_eq!(by_name.way("8.8.8.8 oif ib2"), "ib2");
}
