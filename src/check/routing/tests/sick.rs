//! One test per cause in rules, tables, addresses: the exact roots.

use super::healthy::COMPLETE;
use super::kit::{ids, node, roots};
use crate::check::{Layer, Severity, assess};
use std::fmt::Write;

/// Both rails answer for themselves only: what is left is routing.
const ARP_RIGHT: &str = "sysctl all arp_ignore=1 arp_announce=2 rp_filter=2\n";
const TWO: &str = "
    addr ib0 172.16.34.1/16
    addr ib1 172.16.34.2/16
    addr eth0 10.208.130.34/24
    route default via 10.208.130.254 dev eth0
";

#[track_caller]
fn is(lines: &str, expected: &[&str]) {
    assert_eq!(roots(lines), expected, "{lines}");
    for finding in assess(&node(lines)).findings {
        assert!(finding.summary.chars().count() <= 150, "{}", finding.summary);
    }
}

/// The complete state without some of its lines, and with others.
fn complete(without: &[&str], with: &str) -> String {
    let kept = COMPLETE.lines().filter(|l| !without.iter().any(|w| l.contains(w)));
    format!("{}\n{with}", kept.collect::<Vec<_>>().join("\n"))
}

#[test]
fn duplicate_connected_routes() {
    let right = format!("{TWO}{ARP_RIGHT}");
    is(&right, &["ROUTE_DUP_CONNECTED warning ib0 ib1"]);
    is(&format!("{right}lnet"), &["ROUTE_DUP_CONNECTED critical ib0 ib1"]);
    // One mistake, one root, with everything that follows from it.
    let a = assess(&node(&format!("{TWO} sysctl all rp_filter=1")));
    assert_eq!(
        ids(&a),
        ["ARP_FLUX_ANNOUNCE", "ARP_FLUX_IGNORE", "ROUTE_DUP_CONNECTED", "RPF_STRICT_ASYM:ib1"]
    );
    assert_eq!(a.findings[0].id, "ROUTE_DUP_CONNECTED");
    assert_eq!(a.findings[0].severity, Severity::Critical, "as its worst consequence");
    assert!(a.findings[1..].iter().all(|f| f.caused_by == Some("ROUTE_DUP_CONNECTED")));
    assert_eq!(
        a.findings[0].summary,
        "172.16.0.0/16 is reachable by ib0 and ib1; the kernel uses only ib0 (first inserted), also \
         for packets from 172.16.34.2"
    );
    assert!(
        a.findings[0]
            .evidence
            .contains(&"172.16.0.0/16 dev ib1 proto kernel scope link src 172.16.34.2".into())
    );
    assert_eq!(a.rails[1].first_failing, Some(Layer::Table));
}

#[test]
fn duplicate_connected_routes_of_ipv6() {
    is(
        "addr ib0 2001:db8::1/64\n addr ib1 2001:db8::2/64",
        &["ROUTE_DUP_CONNECTED warning ib0 ib1"],
    );
}

#[test]
fn four_rails_are_one_finding() {
    let mut lines = ARP_RIGHT.to_owned();
    for i in 0..4 {
        let _ = writeln!(lines, "addr ib{i} 10.1.0.{}/16", i + 1);
    }
    is(&lines, &["ROUTE_DUP_CONNECTED warning ib0 ib1 ib2 ib3"]);
    // Two have rules: the other two are still in the wrong.
    lines.push_str(
        "route 10.1.0.0/16 dev ib0 table 941\n route 10.1.0.0/16 dev ib1 table 942\n \
         rule 9410 from 10.1.0.1 lookup 941\n rule 9420 from 10.1.0.2 lookup 942",
    );
    is(&lines, &["ROUTE_DUP_CONNECTED warning ib0 ib1 ib2 ib3"]);
}

#[test]
fn duplicate_routes_within_one_vrf() {
    is(
        "link vrf0 ether vrf 10\n link ib0 master vrf0\n link ib1 master vrf0\n rule 1000 l3mdev\n \
         addr ib0 172.16.34.1/16\n addr ib1 172.16.34.2/16\n sysctl all arp_ignore=1 arp_announce=2",
        &["ROUTE_DUP_CONNECTED warning ib0 ib1"],
    );
}

#[test]
fn metrics_decide() {
    is(
        &format!(
            "addr ib0 172.16.34.1/16 metric 150\n addr ib1 172.16.34.2/16 metric 151\n{ARP_RIGHT}"
        ),
        &["ROUTE_METRIC_ASYMMETRY warning ib0 ib1"],
    );
}

#[test]
fn multipath_without_source_rules() {
    is(
        &format!(
            "{ARP_RIGHT} addr ib0 172.16.34.1/16 noroute\n addr ib1 172.16.34.2/16 noroute\n \
             route 172.16.0.0/16 nexthop dev ib0 nexthop dev ib1"
        ),
        &["ROUTE_MULTIPATH_NO_SOURCE note ib0 ib1"],
    );
}

#[test]
fn tables_that_are_empty() {
    is(&complete(&["table 942"], ""), &["RULE_TABLE_EMPTY critical ib1"]);
    // By luck main leads right: still the table is empty.
    is(&complete(&["table 941"], ""), &["RULE_TABLE_EMPTY warning ib0"]);
    // IPv6 rules look at IPv6 tables only.
    is(
        &complete(
            &[],
            "addr ib0 2001:db8:1::1/64\n addr ib1 2001:db8:2::1/64\n rule6 9420 from 2001:db8:2::1 lookup 942",
        ),
        &["RULE_TABLE_EMPTY warning ib1"],
    );
    // A throw route is no empty table: the packet falls through by intent.
    is(
        &complete(&["table 942"], "route throw default table 942"),
        &["TABLE_NO_CONNECTED warning ib1"],
    );
}

#[test]
fn tables_and_rules_that_do_not_fit() {
    is(&complete(&["rule 9420"], ""), &["TABLE_NO_RULE warning ib1"]);
    is(
        &complete(&["table 942"], "route 172.16.0.0/16 dev ib0 table 942 src 172.16.34.2"),
        &["TABLE_WRONG_DEV critical ib1"],
    );
    is(
        &complete(&["table 942"], "route 172.16.0.0/16 dev ib1 table 942 src 172.16.34.1"),
        &["TABLE_WRONG_SRC warning ib1"],
    );
    is(
        &complete(&["table 942"], "route 172.16.0.0/16 dev ib1 table 942 src 172.16.34.22"),
        &["ROUTE_SRC_NOT_LOCAL warning ib1"],
    );
    is(
        &complete(&["table 942"], "route default via 172.16.0.254 dev ib1 table 942"),
        &["TABLE_NO_CONNECTED warning ib1"],
    );
    is(
        &complete(&["table 942"], "route 10.20.0.0/16 via 172.16.0.254 dev ib1 table 942"),
        &["TABLE_NO_CONNECTED warning ib1"],
    );
    is(
        &complete(&["rule 9420"], "rule 40000 from 172.16.34.2 lookup 942"),
        &["RULE_AFTER_MAIN critical ib1"],
    );
}

#[test]
fn rules_in_the_shadow() {
    let shadowed = &["RULE_SHADOWED critical ib1"];
    for early in [
        "rule 100 from all lookup 254",
        "rule 100 from all iif lo lookup 254",
        "rule 100 not from 172.16.34.1 lookup 254",
        "rule 100 from all lookup 254 suppress_prefixlength 0",
        "rule 100 from 172.16.34.2 goto 32766",
    ] {
        let found = roots(&complete(&[], early));
        assert!(found.contains(&shadowed[0].to_string()), "{early}: {found:?}");
    }
    for harmless in [
        "rule 100 fwmark 0x1/0xff lookup 254",
        "rule 100 iif eth0 lookup 254",
        "rule 100 from all to 192.0.2.0/24 lookup 254",
        "rule 100 from all lookup 77",
        "rule 100 from all lookup 254 suppress_prefixlength 16",
    ] {
        is(&complete(&[], harmless), &[]);
    }
}

#[test]
fn rules_left_over_doubled_cut_off() {
    is(&complete(&[], "rule 9405 from 172.16.34.77 lookup 942"), &["RULE_STALE warning ib1"]);
    is(
        &complete(
            &[],
            "rule 9408 from 172.16.34.2 lookup 942\n rule 9409 from 172.16.34.2 lookup 942",
        ),
        &["RULE_DUPLICATE note ib1"],
    );
    let many: Vec<String> =
        (0..11).map(|i| format!("rule {} from 172.16.34.2 lookup 942", 9000 + i)).collect();
    is(&complete(&[], &many.join("\n")), &["RULE_DUPLICATE warning ib1"]);
    is(&complete(&[], "rule 52 oif ib7 lookup 942"), &["RULE_DETACHED note ib7"]);
    is(&complete(&[], "rule 9425 from 172.16.34.2 lookup 941"), &["RULE_CONFLICT warning ib1"]);
    is(
        &complete(&["rule 94"], "norules\n rule 0 from all lookup 255"),
        &[
            "RULE_BUILTIN_MISSING critical ib0 ib1",
            "TABLE_NO_RULE warning ib0",
            "TABLE_NO_RULE warning ib1",
        ],
    );
}

#[test]
fn moving_a_rule_forward_passes_every_jump() {
    let a = assess(&node(&complete(&[], "rule 100 from 172.16.34.2 goto 32766")));
    let fix = &a.findings[0].fix[0].command;
    let preference: u32 = fix
        .split_whitespace()
        .skip_while(|w| *w != "pref")
        .nth(1)
        .and_then(|p| p.parse().ok())
        .unwrap();
    assert!(preference < 100, "{fix}");
}

#[test]
fn unbound_packets() {
    let emptied = "
        addr ib0 172.16.34.1/16 noroute
        addr ib1 172.16.34.2/16 noroute
        route 172.16.0.0/16 dev ib0 table 941 src 172.16.34.1
        route 172.16.0.0/16 dev ib1 table 942 src 172.16.34.2
        rule 32764 from 172.16.34.2 lookup 942
        rule 32765 from 172.16.34.1 lookup 941
        sysctl all arp_ignore=1 arp_announce=2\n";
    is(emptied, &["RAIL_UNBOUND_NO_ROUTE warning ib0 ib1"]);
    let by_ethernet =
        format!("{emptied} addr eth0 10.208.130.34/24\n route default via 10.208.130.254 dev eth0");
    is(&by_ethernet, &["RAIL_UNBOUND_VIA_ETHERNET warning ib0 ib1"]);
    // Without a carrier nothing is expected.
    is(
        "link ib0 nocarrier\n addr ib0 172.16.34.1/16 noroute\n addr eth0 10.0.0.1/24",
        &["RAIL_DOWN critical ib0"],
    );
    // No rule and no route: told once, of the prefix.
    is(
        "addr ib0 172.16.34.1/16 noroute\n addr eth0 10.0.0.1/24\n route default via 10.0.0.2 dev eth0",
        &["RAIL_UNBOUND_VIA_ETHERNET warning ib0"],
    );
}

#[test]
fn an_ethernet_card_in_the_rails_subnet() {
    let lines = format!("addr eth0 172.16.34.9/16\n addr ib0 172.16.34.1/16\n{ARP_RIGHT}");
    is(&lines, &["RAIL_UNBOUND_VIA_ETHERNET warning ib0"]);
    let a = assess(&node(&lines));
    let fix: Vec<&str> = a.findings[0].fix.iter().map(|s| s.command.as_str()).collect();
    assert!(fix[0].ends_with("dev ib0 scope link src 172.16.34.1 table 1000"), "{fix:?}");
    assert!(fix.iter().all(|c| !c.contains("table 254")), "{fix:?}");
}

#[test]
fn refused() {
    is(
        &complete(&[], "route unreachable 172.16.16.0/24 table 942"),
        &["ROUTE_REJECT critical ib1"],
    );
    is(&complete(&[], "rule 9 from 172.16.34.2 prohibit"), &["ROUTE_REJECT critical ib1"]);
    is(
        &complete(&[], "rule 9 from 172.16.34.2 to 172.16.0.0/16 prohibit"),
        &["ROUTE_REJECT critical ib1"],
    );
}

#[test]
fn dead_links() {
    // One root: the interface; the routes follow from it.
    let a = assess(&node(&complete(&[], "").replacen("addr", "link ib0 nocarrier\n addr", 1)));
    assert_eq!(ids(&a), ["RAIL_DOWN:ib0", "ROUTE_LINKDOWN:ib0"]);
    assert_eq!(a.findings[1].caused_by, Some("RAIL_DOWN"));
    assert_eq!(a.rails[0].first_failing, Some(Layer::Cable));
    // With the sysctl the kernel takes the next way: no other finding.
    let ignoring = complete(&[], "sysctl ib0 ignore_routes_with_linkdown=1").replacen(
        "addr",
        "link ib0 nocarrier\n addr",
        1,
    );
    is(&ignoring, &["RAIL_DOWN critical ib0"]);
    // A rail that is switched off has no routes, and its rule stays: no finding of its own.
    let off = complete(&["dev ib1"], "").replacen("addr", "link ib1 down\n addr", 1);
    assert!(roots(&off).iter().all(|r| !r.starts_with("RULE_") && !r.starts_with("ROUTE_")));
}

/// Since 6.16 bound packets leave by the hop that would give their address: nothing goes astray.
#[test]
fn multipath_by_the_kernels_own_preference() {
    let told = |further: &str| {
        let mut n = super::kit::node(&format!(
            "{ARP_RIGHT} addr ib0 172.16.34.1/16 noroute\n addr ib1 172.16.34.2/16 noroute\n \
             {further} route 172.16.0.0/16 nexthop dev ib0 nexthop dev ib1"
        ));
        std::sync::Arc::make_mut(&mut n.host).kernel = Ok("6.18.0".into());
        let all = crate::check::assess(&n).findings;
        all.iter().any(|f| f.id == "ROUTE_MULTIPATH_NO_SOURCE")
    };
    assert!(!told(""));
    // A second address of a rail is given by no hop.
    assert!(told("addr ib1 172.16.34.3/16 noroute\n"));
}

#[test]
fn next_hop_objects() {
    let lines = |objects: &str| {
        format!(
            "{ARP_RIGHT} addr ib0 172.16.34.1/16 noroute\n addr ib1 172.16.34.2/16 noroute\n {objects}"
        )
    };
    let well = lines(
        "nh 10 dev ib0\n nh 11 dev ib1\n nh 20 group 10/11\n \
                      route 172.16.0.0/16 nhid 20 nexthop dev ib0 nexthop dev ib1",
    );
    is(&well, &["ROUTE_MULTIPATH_NO_SOURCE note ib0 ib1"]);
    let lost = lines("nh 10 dev ib0\n nh 20 group 10\n route 172.16.0.0/16 nhid 20 dev ib0");
    let found = roots(&lost);
    assert!(found.contains(&"NEXTHOP_OBJECT_LOST warning ib1".into()), "{found:?}");
}

#[test]
fn addresses_that_do_not_fit() {
    is(
        &format!("addr ib0 172.16.34.1/16\n addr ib1 172.16.34.2/24\n{ARP_RIGHT}"),
        &["PREFIX_LENGTH_MISMATCH warning ib0 ib1"],
    );
    is(
        "addr ib0 10.1.0.5/24\n addr ib1 10.2.0.5/24\n addr eth0 10.2.0.5/24 noroute",
        &["ADDR_DUP_LOCAL critical ib1"],
    );
    is("addr ib0 10.1.0.5/24\n link ib1", &["RAIL_NO_ADDRESS note ib1"]);
}

#[test]
fn sizes_that_do_not_fit() {
    is(&complete(&[], "link ib1 mtu 4092"), &["MTU_MISMATCH warning ib0 ib1"]);
    is(
        &complete(&[], "link ib1 mtu 65520 mode connected\n link ib0 mode datagram"),
        &["MTU_MISMATCH note ib0 ib1"],
    );
    is(
        &complete(
            &["dev ib1 table"],
            "route 172.16.0.0/16 dev ib1 table 942 src 172.16.34.2 mtu 1200 lock",
        ),
        &["ROUTE_MTU_LOCK note ib1"],
    );
    is(
        &complete(
            &["dev ib1 table"],
            "route 172.16.0.0/16 dev ib1 table 942 src 172.16.34.2 mtu 9000",
        ),
        &["ROUTE_MTU_ABOVE_LINK warning ib1"],
    );
}

#[test]
fn peers_behind_a_router() {
    let lines = "
        addr ib0 10.1.0.5/24
        addr ib1 10.2.0.5/24
        route 10.9.0.0/16 via 10.1.0.1 dev ib0
        route 10.1.0.0/24 dev ib0 table 100
        route 10.9.0.0/16 via 10.1.0.1 dev ib0 table 100
        route 10.2.0.0/24 dev ib1 table 101
        rule 100 from 10.1.0.5 lookup 100
        rule 101 from 10.2.0.5 lookup 101\n";
    is(lines, &["TABLE_NO_RETURN_ROUTE warning ib1"]);
    is(&format!("{lines} sysctl ib1 rp_filter=1"), &["TABLE_NO_RETURN_ROUTE critical ib1"]);
}

#[test]
fn tables_of_lnet() {
    let lines = "
        addr ib0 10.1.0.5/24
        table 941 ib0
        route 10.1.0.0/24 dev ib0 table 941 proto 2 src 10.1.0.5
        rule 32763 from 10.1.0.5 lookup 941";
    is(lines, &["LNET_TABLES note ib0"]);
}

#[test]
fn a_built_in_rule_of_vrfs() {
    is(
        "link vrf0 ether vrf 10\n link ib0 master vrf0\n addr ib0 172.16.34.1/16",
        &["RULE_BUILTIN_MISSING critical ib0"],
    );
}
