//! Decisions, rules and routes in words.

use super::{RULES, pair};
use proptest::prelude::*;

#[test]
fn a_duplicate_prefix_is_told() {
    assert_eq!(
        pair("").explain("172.16.16.1 from 172.16.34.2"),
        [
            "0 local: no match",
            "32766 main: 172.16.0.0/16, two equal routes; the first inserted, ib0, is used; \
             the source is not looked at",
        ]
    );
}

#[test]
fn a_source_rule_is_told() {
    assert_eq!(
        pair(RULES).explain("172.16.16.1 from 172.16.34.2"),
        [
            "0 local: no match",
            "9410 from 172.16.34.1 lookup rail0: another source",
            "9420 from 172.16.34.2 lookup 942: 172.16.0.0/16 dev ib1 taken",
        ]
    );
}

#[test]
fn what_happens_on_the_way_is_told() {
    let world = pair(
        "rule 10 nop\nrule 11 goto 20\nrule 12 prohibit\nrule 20 goto 999 unresolved
         rule 21 lookup 943\nrule 22 lookup 944\nrule 23 lookup 254 suppress_prefixlength 16
         rule 24 unknown dscp lookup 945\nroute default dev ib1 table 945
         route 9.0.0.0/8 dev ib0 table 944 dead\nrule 30 not tos 16 prohibit",
    );
    assert_eq!(
        world.explain("172.16.16.1"),
        [
            "0 local: no match",
            "10 nop: does nothing",
            "11 goto 20: goes on at 20",
            "20 goto 999 [unresolved]: there is no rule 999: ignored",
            "21 943: the table is empty",
            "22 944: no match",
            "23 lookup main suppress_prefixlength 16: 172.16.0.0/16 dev ib0 found, but thrown \
             away: its prefix is not longer than 16",
            "24 dscp lookup 945: may match: it has a selector that is not known here",
            "30 not from all tos 0x10 prohibit: refused, EACCES",
            "it is not known what rule 24 does; it may also lead to: default by ib1",
        ]
    );
    assert!(
        world
            .explain("9.1.1.1")
            .contains(&"22 944: no usable route: 9.0.0.0/8 dev ib0 is dead".into())
    );
}

#[test]
fn ends_without_a_route_are_told() {
    let last = |lines: &str, question: &str| pair(lines).explain(question).pop().unwrap();
    assert_eq!(last("", "8.8.8.8"), "no rule leads anywhere: refused, ENETUNREACH");
    assert_eq!(
        last("", "8.8.8.8 oif ib1"),
        "bound to ib1: the kernel takes 8.8.8.8 for a neighbour on ib1"
    );
    assert_eq!(
        last("", "8.8.8.8 from 9.9.9.9"),
        "9.9.9.9 is no address of this host: refused before any rule is asked"
    );
    assert_eq!(
        last("route unreachable 8.0.0.0/8", "8.8.8.8"),
        "32766 main: unreachable 8.0.0.0/8: refused, EHOSTUNREACH"
    );
    assert_eq!(last("", "172.16.34.2"), "0 local: local 172.16.34.2 taken");
}

#[test]
fn several_hops_and_metrics_are_told() {
    let last = |lines: &str, question: &str| pair(lines).explain(question).pop().unwrap();
    assert_eq!(
        last("route 9.0.0.0/8 nexthop dev ib0 nexthop via 172.16.0.9 dev ib1", "9.1.1.1"),
        "32766 main: 9.0.0.0/8 dev ib0 or via 172.16.0.9 dev ib1 taken; a hash of the packet \
         chooses the hop"
    );
    assert_eq!(
        last("route 9.0.0.0/8 dev ib0 metric 150\nroute 9.0.0.0/8 dev ib1 metric 151", "9.1.1.1"),
        "32766 main: 9.0.0.0/8, two routes; ib0, with the lowest metric (150), is used"
    );
    let lines =
        "sysctl all linkdown 1\nroute 9.0.0.0/8 dev ib0 linkdown\nroute 9.0.0.0/8 dev ib1 metric 5";
    assert_eq!(
        last(lines, "9.1.1.1"),
        "32766 main: 9.0.0.0/8 dev ib1 taken; passed over: 9.0.0.0/8 dev ib0 has no carrier"
    );
}

#[test]
fn lines_are_those_of_ip() {
    let world = pair(
        "rule 10 not from 10.0.0.0/8 to 10.1.1.1 tos 16 fwmark 7/15 iif lo oif nosuch uidrange 5-6 ipproto 6 sport 5-5 dport 7-9 tun_id 77 lookup 100 suppress_prefixlength 3 suppress_ifgroup 5
         rule 11 l3mdev\nrule 19 fwmark 0/1 lookup 941 proto 12
         route unreachable 10.10.0.0/16 table 4000000000 metric 9
         route 10.6.0.0/16 via 10.1.0.9 dev ib0 tos 8 metric 3 table 9 linkdown proto 4
         route 10.5.0.0/16 via fe80::1 dev ib0
         route throw fd03::/16 pref 0",
    );
    let fib = world.fib();
    let rules = world.routing.rules4.as_ref().unwrap();
    let line = |preference| {
        fib.rule_line(rules.iter().find(|rule| rule.preference == preference).unwrap())
    };
    assert_eq!(line(0), "0:\tfrom all lookup local");
    assert_eq!(
        line(10),
        "10:\tnot from 10.0.0.0/8 to 10.1.1.1 tos 0x10 fwmark 0x7/0xf iif lo oif nosuch \
         [detached] uidrange 5-6 ipproto tcp sport 5 dport 7-9 tun_id 77 lookup 100 \
         suppress_prefixlength 3 suppress_ifgroup 5"
    );
    assert_eq!(line(11), "11:\tfrom all lookup [l3mdev-table]");
    assert_eq!(line(19), "19:\tfrom all fwmark 0/0x1 lookup rail0 proto bird");
    let routes = world.routing.routes4.as_ref().unwrap().iter();
    let lines: Vec<_> = routes
        .chain(world.routing.routes6.as_ref().unwrap())
        .skip(4)
        .map(|route| fib.route_line(route))
        .collect();
    assert_eq!(
        lines,
        [
            "172.16.0.0/16 dev ib0 proto kernel scope link src 172.16.34.1",
            "172.16.0.0/16 dev ib1 proto kernel scope link src 172.16.34.2",
            "unreachable 10.10.0.0/16 table 4000000000 metric 9",
            "10.6.0.0/16 tos 0x08 via 10.1.0.9 dev ib0 table 9 proto static metric 3 linkdown",
            "10.5.0.0/16 via inet6 fe80::1 dev ib0",
            "throw fd03::/16 dev lo metric 1024 pref medium",
        ]
    );
}

proptest! {
    /// Whatever is asked of whatever state, there is an answer and it can be told.
    #[test]
    fn every_decision_can_be_told(
        dst in any::<u32>(),
        own in 1u8..4,
        bound: bool,
        device in 0u32..6,
        tos: u8,
        drop in proptest::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let mut world = pair(&format!("{RULES}rule 10 goto 9420\nrule 9415 unknown x prohibit"));
        for index in drop {
            let routes = world.routing.routes4.as_mut().unwrap();
            if !routes.is_empty() {
                routes.remove(index.index(routes.len()));
            }
        }
        let dst = std::net::Ipv4Addr::from_bits(dst);
        let src = bound.then(|| std::net::Ipv4Addr::new(172, 16, 34, own).into());
        let query = super::super::Query {
            oif: (device > 0).then_some(device),
            tos,
            ..super::super::Query::new(src, dst.into())
        };
        let decision = world.decide(&query);
        prop_assert!(!world.fib().explain(&query, &decision).is_empty());
        let steps: Vec<_> = decision.steps.iter().map(|step| step.rule).collect();
        prop_assert!(steps.is_sorted(), "rules are asked in their order: {steps:?}");
    }
}
