//! Who answers, who is believed: the exact roots.

use super::healthy::COMPLETE;
use super::kit::{ids, node, roots};
use crate::check::{Severity, Where, assess};

/// Source rules are right; the sysctls are up to the test.
fn ruled(sysctls: &str) -> String {
    let kept: Vec<&str> = COMPLETE.lines().filter(|l| !l.contains("sysctl")).collect();
    format!("{}\n{sysctls}", kept.join("\n"))
}

const BARE: &str = "addr ib0 172.16.34.1/16\n addr ib1 172.16.34.2/16\n";

#[test]
fn every_rail_answers_for_every_address() {
    assert_eq!(
        roots(&ruled("sysctl all rp_filter=2")),
        ["ARP_FLUX_ANNOUNCE warning ib0 ib1", "ARP_FLUX_IGNORE warning ib0 ib1"]
    );
    // With RDMA the request goes to a port where nobody listens.
    let mut n = node(&ruled("sysctl all arp_announce=2"));
    for (i, rail) in n.rails.iter_mut().enumerate() {
        rail.rdma = crate::check::testkit::ib_rail(i).rdma;
    }
    let a = assess(&n);
    assert_eq!(ids(&a), ["ARP_FLUX_IGNORE"]);
    assert_eq!(a.findings[0].severity, Severity::Critical);
}

#[test]
fn what_keeps_the_wrong_rail_silent() {
    let announce = "sysctl all arp_announce=2";
    for silent in ["rp_filter=1", "arp_filter=1", "arp_ignore=1", "arp_ignore=2"] {
        assert_eq!(roots(&ruled(&format!("{announce} {silent}"))), [""; 0], "{silent}");
    }
    assert_eq!(
        roots(&ruled("sysctl all arp_ignore=1 arp_announce=1")),
        ["ARP_FLUX_ANNOUNCE warning ib0 ib1"],
        "only 2 is enough"
    );
}

#[test]
fn arp_ignore_alone_is_a_trap() {
    let a = assess(&node(&format!("{BARE} sysctl all rp_filter=1 arp_ignore=1 arp_announce=2")));
    assert_eq!(ids(&a), ["ROUTE_DUP_CONNECTED", "RPF_ARP_DEADLOCK:ib1"]);
    assert_eq!(a.findings[1].caused_by, Some("ROUTE_DUP_CONNECTED"));
    assert_eq!(a.findings[0].severity, Severity::Critical);
}

#[test]
fn arp_filter_without_rules() {
    let a = assess(&node(&format!("{BARE} sysctl all arp_filter=1 arp_announce=2")));
    assert_eq!(ids(&a), ["ARP_FILTER_WITHOUT_RULES", "ROUTE_DUP_CONNECTED"]);
    assert_eq!(a.findings[1].caused_by, Some("ROUTE_DUP_CONNECTED"));
}

#[test]
fn strict_filtering_follows_from_the_lost_table() {
    let lines: Vec<&str> = COMPLETE.lines().filter(|l| !l.contains("table 942")).collect();
    let a = assess(&node(&format!(
        "{}\n sysctl all rp_filter=1\n sysctl ib1 rp_filter=1",
        lines.join("\n")
    )));
    assert_eq!(ids(&a), ["RPF_ARP_DEADLOCK:ib1", "RULE_TABLE_EMPTY:ib1"]);
    assert_eq!(a.findings[1].caused_by, Some("RULE_TABLE_EMPTY"));
}

#[test]
fn a_peer_that_answers_on_the_wrong_port() {
    let gid =
        |qpn: &str, end: &str| format!("{qpn}:fe:80:00:00:00:00:00:00:00:02:c9:03:00:00:00:{end}");
    let two = |a: String, b: String| {
        format!(
            "{COMPLETE} neigh 172.16.16.1 dev ib0 lladdr {a}\n neigh 172.16.16.1 dev ib1 lladdr {b}"
        )
    };
    // The first four bytes of an IPoIB address are flags and queue pair: they may differ.
    assert_eq!(roots(&two(gid("80:00:00:48", "01"), gid("80:00:02:11", "01"))), [""; 0]);
    let sick = two(gid("80:00:00:48", "01"), gid("80:00:00:48", "02"));
    assert_eq!(roots(&sick), ["NEIGH_SHARED_LLADDR warning ib0 ib1"]);
    let a = assess(&node(&sick));
    assert_eq!(a.findings[0].fix[0].command, "ip neigh flush dev ib0");
    assert_eq!(a.findings[0].fix[0].place, Where::Here);
}

#[test]
fn sysctls_that_cannot_be_read_are_said() {
    let mut n = node(&ruled(""));
    n.sysctls = std::sync::Arc::default();
    let a = assess(&n);
    assert_eq!(ids(&a), [""; 0]);
    assert_eq!(a.not_checked.len(), 1, "{:?}", a.not_checked);
    assert_eq!(a.not_checked[0].what, "ARP of ib0 and ib1");
}

/// Two lines of 80 columns, also where the way back leads nowhere.
#[test]
fn the_sentence_about_the_deadlock_fits() {
    let lines = "rule 40000 from 172.16.34.1 lookup 941\nrule 0 not from 172.16.34.2 goto 40000\n\
        sysctl ib0 rp_filter=1 arp_ignore=1 arp_announce=0\naddr ib0 172.16.34.1/16";
    let a = crate::check::assess(&super::kit::node(lines));
    let told = a.findings.iter().find(|f| f.id == "RPF_ARP_DEADLOCK").unwrap();
    assert!(told.summary.contains("the way back leaves by no device"), "{}", told.summary);
    assert!(told.summary.chars().count() <= 150, "{}", told.summary);
}
