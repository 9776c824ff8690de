//! Peers of LNet, peers that the user names, addresses seen on the wire.

use super::healthy::COMPLETE;
use super::kit::{ids, node, roots};
use crate::check::{assess, paths};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::net::IpAddr;

#[track_caller]
fn is(lines: &str, expected: &[&str]) {
    assert_eq!(roots(lines), expected, "{lines}");
    for finding in assess(&node(lines)).findings {
        assert!(finding.summary.chars().count() <= 150, "{}", finding.summary);
    }
}

/// The lines that do not have the word.
fn without(lines: &str, word: &str) -> String {
    lines.lines().filter(|l| !l.contains(word)).collect::<Vec<_>>().join("\n") + "\n"
}

/// Two rails in subnets of their own, each with a router and a table.
const ROUTED: &str = "
    addr ib0 10.1.0.5/24
    addr ib1 10.2.0.5/24
    addr eth0 192.168.1.5/24
    route default via 192.168.1.1 dev eth0
    route 10.1.0.0/24 dev ib0 table 941 src 10.1.0.5 scope 253
    route 10.2.0.0/24 dev ib1 table 942 src 10.2.0.5 scope 253
    rule 9410 from 10.1.0.5 lookup 941
    rule 9420 from 10.2.0.5 lookup 942
    lnet
";

#[test]
fn peers_inside_the_prefix_are_what_is_asked_for() {
    let mut lines = format!("{COMPLETE} lnet\n");
    for i in 1..=40 {
        let _ = writeln!(lines, "peer 172.16.16.{i}@o2ib 172.16.17.{i}@o2ib");
    }
    is(&lines, &[]);
    let a = assess(&node(&lines));
    // The lowest of all, although nobody was seen on the wire.
    assert_eq!(a.routes[0].probe, Ok("172.16.16.1".parse().unwrap()));
    // An address of this node, another net and another network are no destinations.
    let odd = format!(
        "{COMPLETE} lnet\n peer 172.16.34.2@o2ib 172.16.16.9@tcp7 12@gni x@o2ib\n named 172.16.34.1"
    );
    let a = assess(&node(&odd));
    assert_eq!(a.routes[0].probe, Ok("172.16.0.1".parse().unwrap()));
}

#[test]
fn a_peer_of_lnet_outside_all_prefixes_leaves_by_ethernet() {
    let lines = format!("{COMPLETE} lnet\n peer 172.17.16.1@o2ib\n peer 172.16.16.1@o2ib");
    is(&lines, &["RAIL_PEER_VIA_ETHERNET warning ib0 ib1"]);
    let a = assess(&node(&lines));
    let told = &a.findings[0];
    assert!(told.summary.contains("172.17.16.1") && told.summary.contains("eth0"), "{told:?}");
    assert!(!told.summary.contains("172.16.16.1"), "{told:?}");
    // What is right cannot be known: no commands.
    assert!(told.fix.is_empty());
    let nowhere = lines.replace("route default via 10.208.130.254 dev eth0", "");
    is(&nowhere, &["RAIL_PEER_VIA_ETHERNET warning ib0 ib1"]);
    assert!(assess(&node(&nowhere)).findings[0].summary.contains("no route"));
}

#[test]
fn a_net_beside_the_rails_is_none_of_theirs() {
    // The management net of LNet has its NI on Ethernet; a router's peers are behind LNet.
    is(
        &format!(
            "{COMPLETE} ni 10.208.130.34@tcp eth0\n ni 172.16.34.1@o2ib ib0\n \
             ni 172.16.34.2@o2ib ib1\n peer 10.208.131.9@tcp\n peer 10.9.0.1@o2ib5"
        ),
        &[],
    );
}

#[test]
fn peers_of_a_rail_reached_by_a_router_are_no_mistake() {
    let routed = format!(
        "{ROUTED} peer 10.7.0.1@o2ib 10.8.0.1@o2ib
         route default via 10.1.0.1 dev ib0 table 941\n route default via 10.2.0.1 dev ib1 table 942"
    );
    is(&routed, &[]);
}

#[test]
fn a_table_without_a_way_to_peers_behind_the_router() {
    let base = format!(
        "{ROUTED} route 10.7.0.0/16 via 10.1.0.1 dev ib0\n route default via 10.1.0.1 dev ib0 table 941\n"
    );
    // The second rail's table does not know the way, and main leads there by the first.
    for who in ["peer 10.7.0.1@o2ib", "lroute tcp5 10.7.0.1@o2ib", "named 10.7.0.1"] {
        is(&format!("{base}{who}"), &["TABLE_NO_RETURN_ROUTE warning ib1"]);
        is(
            &format!("{base}{who}\n sysctl ib1 rp_filter=1"),
            &["TABLE_NO_RETURN_ROUTE critical ib1"],
        );
    }
    let lines = format!("{base} peer 10.7.0.1@o2ib");
    let a = assess(&node(&lines));
    assert!(a.findings[0].summary.contains("no router on ib1 is known"), "{:?}", a.findings);
    assert!(a.findings[0].fix.is_empty(), "a router was guessed");
    let known = format!("{lines}\n route 10.99.0.0/16 via 10.2.0.1 dev ib1");
    let a = assess(&node(&known));
    assert_eq!(
        a.findings[0].fix[0].command,
        "ip route replace default via 10.2.0.1 dev ib1 src 10.2.0.5 table 942"
    );
    assert!(a.findings[0].verify[0].command.starts_with("ip route get 10.7.0.1 from 10.2.0.5"));
}

#[test]
fn without_any_rules_main_sends_all_of_them_by_one_rail() {
    let lines = "addr ib0 10.1.0.5/24\n addr ib1 10.2.0.5/24\n lnet\n peer 10.7.0.1@o2ib\n \
                 route 10.7.0.0/16 via 10.1.0.1 dev ib0\n route 10.8.0.0/16 via 10.2.0.1 dev ib1";
    is(lines, &["TABLE_NO_RETURN_ROUTE warning ib1"]);
    let fix: Vec<String> =
        assess(&node(lines)).findings[0].fix.iter().map(|s| s.command.to_string()).collect();
    assert!(fix.iter().any(|c| c.contains("default via 10.2.0.1 dev ib1")), "{fix:?}");
    assert!(fix.iter().any(|c| c.contains("from 10.2.0.5 lookup")), "{fix:?}");
}

#[test]
fn what_follows_from_a_broken_rule_is_no_root() {
    let lines = without(ROUTED, "10.2.0.0/24 dev ib1 table");
    let lines = format!(
        "{lines} peer 10.7.0.1@o2ib\n route 10.7.0.0/16 via 10.1.0.1 dev ib0\n \
         route default via 10.1.0.1 dev ib0 table 941\n route 10.2.0.0/24 dev ib0 table 942"
    );
    let a = assess(&node(&lines));
    let told = a.findings.iter().find(|f| f.id == "TABLE_NO_RETURN_ROUTE").unwrap();
    assert_eq!(told.caused_by, Some("TABLE_WRONG_DEV"), "{:?}", a.findings);
}

#[test]
fn a_peer_in_the_subnet_that_a_longer_route_takes_away() {
    let without_rules = "addr ib0 172.16.34.1/16\n addr ib1 10.2.0.5/24\n addr eth0 10.208.130.34/24\n lnet\n \
         peer 172.16.16.1@o2ib\n peer 172.16.17.1@o2ib\n route 172.16.16.0/24 via 10.208.130.1 dev eth0";
    is(without_rules, &["RAIL_PEER_VIA_ETHERNET warning ib0"]);
    // The rule of the rail holds it back, for those who bind to an address.
    is(
        &format!(
            "{COMPLETE} lnet\n peer 172.16.16.1@o2ib\n route 172.16.16.0/24 via 10.208.130.1 dev eth0"
        ),
        &["RAIL_PEER_VIA_ETHERNET warning ib0 ib1"],
    );
}

#[test]
fn somebody_on_the_wire_with_another_prefix() {
    let lines = "addr ib0 172.16.34.1/24\n addr eth0 10.208.130.34/24\n \
         route default via 10.208.130.1 dev eth0\n neigh 172.16.16.1 dev ib0 lladdr 01:02";
    is(lines, &["RAIL_PEER_VIA_ETHERNET note ib0"]);
    // Nobody answered; a router; a route by the rail.
    for quiet in ["state 0x20", "state 1"] {
        is(&format!("{lines} {quiet}"), &[]);
    }
    is(&format!("{lines}\n route 172.16.16.0/24 dev ib0"), &[]);
    // With rules of its own too.
    is(
        &format!("{lines}\n rule 100 from 172.16.34.1 lookup 7\n route default dev ib0 table 7"),
        &[],
    );
}

#[test]
fn ports_of_one_node_that_want_to_talk() {
    // Nobody asked: nothing is told.
    is(COMPLETE, &[]);
    is(&format!("{COMPLETE} named 172.16.34.2"), &["ACCEPT_LOCAL_OFF note ib1"]);
    let a = assess(&node(&format!("{COMPLETE} named 172.16.34.2")));
    assert_eq!(a.findings[0].fix[0].command, "sysctl -w net.ipv4.conf.ib1.accept_local=1");
    for on in ["ib1", "all"] {
        is(&format!("{COMPLETE} named 172.16.34.2\n sysctl {on} accept_local=1"), &[]);
    }
    // LNet lists the node itself: nobody asked for that.
    is(&format!("{COMPLETE} lnet\n peer 172.16.34.1@o2ib 172.16.34.2@o2ib"), &[]);
}

#[test]
fn two_addresses_of_one_peer_with_one_hardware_address() {
    let seen = "neigh 172.16.16.1 dev ib0 lladdr 02:00\n neigh 172.16.16.2 dev ib0 lladdr 02:00";
    let lnet = "lnet\n peer 172.16.16.1@o2ib 172.16.16.2@o2ib";
    is(&format!("{COMPLETE} {lnet}\n {seen}"), &["NEIGH_SHARED_LLADDR warning ib0 ib1"]);
    // Nobody says that they are of one host: an address that moves, say.
    is(&format!("{COMPLETE} {seen}"), &[]);
    // A client with one rail sees it as well.
    is(&format!("addr ib0 172.16.34.1/16\n {lnet}\n {seen}"), &["NEIGH_SHARED_LLADDR warning ib0"]);
    let other = seen.replace("16.2 dev ib0 lladdr 02:00", "16.2 dev ib0 lladdr 02:01");
    is(&format!("{COMPLETE} {lnet}\n {other}"), &[]);
}

#[test]
fn values_of_all_that_hit_somebody_else() {
    let all = "sysctl all arp_ignore=1 arp_announce=2";
    let bridge = "link docker0 kind bridge\n addr docker0 172.17.0.1/16";
    is(&format!("{COMPLETE} {all}"), &[]);
    is(&format!("{COMPLETE} {bridge}"), &[]);
    is(&format!("{COMPLETE} {all}\n {bridge}"), &["SYSCTL_ALL_ONLY note ib0 ib1"]);
    is(&format!("{COMPLETE} {all}\n link cali7 kind veth"), &["SYSCTL_ALL_ONLY note ib0 ib1"]);
    // The uplink of a container; a port of a bridge; a bridge that is down.
    is(&format!("{COMPLETE} {all}\n link eth0 kind veth"), &[]);
    is(&format!("{COMPLETE} {all}\n link v0 kind veth master team0"), &[]);
    is(&format!("{COMPLETE} {all}\n link docker0 kind bridge down"), &[]);
    // Rails in subnets of their own need none of these.
    is(&format!("addr ib0 10.1.0.5/24\n addr ib1 10.2.0.5/24\n {all}\n {bridge}"), &[]);
    let loose = "sysctl all rp_filter=2\n sysctl eth0 rp_filter=1";
    is(&format!("{COMPLETE} {loose}"), &["SYSCTL_ALL_ONLY note ib0 ib1"]);
    is(&format!("{COMPLETE} sysctl all rp_filter=1\n sysctl eth0 rp_filter=1\n {bridge}"), &[]);
    let bare = without(COMPLETE, "sysctl");
    let a = assess(&node(&format!("{bare} {all}\n {bridge}\n sysctl all rp_filter=2")));
    let told = a.findings.iter().find(|f| f.id == "SYSCTL_ALL_ONLY").unwrap();
    let fix: Vec<&str> = told.fix.iter().map(|s| s.command.as_str()).collect();
    // The rails are never without.
    assert_eq!(
        fix,
        [
            "sysctl -w net.ipv4.conf.ib0.arp_ignore=1",
            "sysctl -w net.ipv4.conf.ib1.arp_ignore=1",
            "sysctl -w net.ipv4.conf.ib0.arp_announce=2",
            "sysctl -w net.ipv4.conf.ib1.arp_announce=2",
            "sysctl -w net.ipv4.conf.all.arp_ignore=0",
            "sysctl -w net.ipv4.conf.all.arp_announce=0",
        ]
    );
    assert_eq!(told.undo[0].command, "sysctl -w net.ipv4.conf.all.arp_announce=2");
}

/// Ten thousand peers, half of them beyond the prefix: a few stand for all, and that is said.
#[test]
fn many_peers_take_no_time() {
    let mut lines = format!("{COMPLETE} lnet\n");
    for i in 0..10_000u32 {
        let (x, y) = (i / 250, i % 250 + 1);
        let net = if i % 2 == 0 { "172.16" } else { "172.18" };
        let _ = writeln!(lines, "peer {net}.{}.{y}@o2ib", 100 + x);
    }
    let n = node(&lines);
    let start = std::time::Instant::now();
    let a = assess(&n);
    let took = start.elapsed();
    assert_eq!(ids(&a), ["RAIL_PEER_VIA_ETHERNET"]);
    let gap = a.not_checked.iter().find(|g| g.what.contains("peers")).unwrap();
    assert_eq!(gap.what, "4744 of 5000 peers beyond the rails' subnets");
    let most = if cfg!(debug_assertions) { 2000 } else { 50 };
    assert!(took.as_millis() < most, "{took:?}");
    let matrix = paths::matrix(&n, None, &[]).unwrap();
    assert!(matrix.to.len() <= 8 && matrix.known == 10_000, "{:?}", matrix.to);
    let chosen: BTreeSet<IpAddr> = matrix.to.iter().copied().collect();
    assert!(chosen.contains(&"172.16.100.1".parse().unwrap()), "{chosen:?}");
    assert!(chosen.iter().any(|ip| ip.to_string().starts_with("172.18.")), "{chosen:?}");
    assert_eq!(matrix, paths::matrix(&n, None, &[]).unwrap(), "always the same ones");
}
