//! Two nodes side by side.

use super::healthy::COMPLETE;
use super::kit::node;
use crate::check::{Assessment, Severity, Where, assess_with};

/// The other end of [`COMPLETE`].
fn peer() -> String {
    COMPLETE.replace("172.16.34.", "172.16.16.").replace("10.208.130.34", "10.208.130.16")
        + "host there\n"
}

fn beside(here: &str, there: &str) -> Assessment {
    assess_with(&node(here), &[node(there)])
}

fn told(a: &Assessment) -> Vec<String> {
    let word = |s| match s {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Critical => "critical",
    };
    a.findings
        .iter()
        .filter(|f| f.caused_by.is_none())
        .map(|f| format!("{} {} {}", f.id, word(f.severity), f.rails.join(" ")))
        .collect()
}

#[track_caller]
fn is(here: &str, there: &str, expected: &[&str]) -> Assessment {
    let a = beside(here, there);
    assert_eq!(told(&a), expected, "{:?}", a.findings);
    for finding in &a.findings {
        assert!(finding.summary.chars().count() <= 160, "{}", finding.summary);
    }
    a
}

#[test]
fn two_complete_nodes_have_nothing_to_tell() {
    let a = is(COMPLETE, &peer(), &[]);
    assert_eq!(a.not_checked, []);
    // The other's addresses are what is asked for.
    assert_eq!(a.routes[0].probe, Ok("172.16.16.1".parse().unwrap()));
}

#[test]
fn frames_that_the_other_end_does_not_take() {
    let small = format!("{}link ib1 mtu 1500\n", peer());
    // There the two rails differ as well, but that is for a look at that node.
    let a = is(COMPLETE, &small, &["MTU_PEER_MISMATCH warning ib1"]);
    assert_eq!(a.findings[0].fix[0].command, "ip link set dev ib1 mtu 1500");
    assert_eq!(a.findings[0].fix[0].place, Where::Here);
    assert_eq!(a.findings[0].undo[0].command, "ip link set dev ib1 mtu 2044");
    let large = format!("{}link ib0 mtu 4092\n link ib1 mtu 4092", peer());
    let a = is(COMPLETE, &large, &["MTU_PEER_MISMATCH warning ib0 ib1"]);
    assert!(a.findings[0].fix.iter().all(|s| s.place == Where::Peer), "{:?}", a.findings[0].fix);
    // IPoIB itself cares for connected beside datagram mode.
    let modes = format!("{COMPLETE} link ib0 mode datagram\n link ib1 mode datagram");
    let connected = "link ib0 mtu 65520 mode connected\n link ib1 mtu 65520 mode connected";
    is(&modes, &format!("{}{connected}", peer()), &["MTU_PEER_MISMATCH note ib0 ib1"]);
}

#[test]
fn one_rail_here_beside_two_there() {
    let one = "addr ib0 172.16.34.1/16";
    is(one, &peer(), &[]);
    let small = format!("{}link ib0 mtu 1000\n link ib1 mtu 1500\n", peer());
    let a = is(one, &small, &["MTU_PEER_MISMATCH warning ib0"]);
    // The one that all take.
    let fix: Vec<&str> = a.findings[0].fix.iter().map(|s| s.command.as_str()).collect();
    assert_eq!(fix, ["ip link set dev ib0 mtu 1000"]);
}

#[test]
fn one_side_without_rules() {
    let bare = "addr ib0 172.16.16.1/16\n addr ib1 172.16.16.2/16\n host there\n \
                sysctl ib0 arp_ignore=1 arp_announce=2\n sysctl ib1 arp_ignore=1 arp_announce=2";
    let a = is(COMPLETE, bare, &["PEER_ASYMMETRY warning ib0 ib1"]);
    let told = &a.findings[0];
    assert!(told.summary.starts_with("there sends from 172.16.16.2"), "{}", told.summary);
    assert!(
        told.evidence[0].starts_with("there: ip route get 172.16.34.1 from 172.16.16.2"),
        "{told:?}"
    );
    let at_peer: Vec<&str> =
        told.fix.iter().filter(|s| s.place == Where::Peer).map(|s| s.command.as_str()).collect();
    assert!(at_peer.iter().any(|c| c.contains("from 172.16.16.2 lookup")), "{at_peer:?}");
    // What is flushed are the entries of the other side: this one.
    let here: Vec<&str> =
        told.fix.iter().filter(|s| s.place == Where::Here).map(|s| s.command.as_str()).collect();
    assert!(here.iter().all(|c| c.starts_with("ip neigh flush")), "{here:?}");
    // Strict filtering there: its second rail is dead in one direction.
    let a = is(COMPLETE, &format!("{bare} rp_filter=1"), &["PEER_ASYMMETRY critical ib0 ib1"]);
    assert!(a.findings[0].summary.contains("dropped"), "{}", a.findings[0].summary);

    // The same seen from the other node: what it lacks is its own root already.
    let a = beside(&bare.replace("host there", ""), &COMPLETE.replace("34.", "35."));
    let told = a.findings.iter().find(|f| f.id == "PEER_ASYMMETRY").unwrap();
    assert_eq!(told.caused_by, Some("ROUTE_DUP_CONNECTED"));
    // Both without rules: nothing that either lacks and the other has.
    let a = beside(bare, &bare.replace("16.", "17."));
    assert!(a.findings.iter().all(|f| f.id != "PEER_ASYMMETRY"), "{:?}", a.findings);
}

#[test]
fn prefix_lengths_that_differ() {
    let narrow = "addr ib0 172.16.34.1/24\n addr eth0 10.208.130.34/24\n route default via 10.208.130.1 dev eth0";
    let a = is(narrow, &peer(), &["RAIL_PEER_VIA_ETHERNET warning ib0"]);
    let fix: Vec<&str> = a.findings[0].fix.iter().map(|s| s.command.as_str()).collect();
    assert_eq!(fix[0], "ip addr replace 172.16.34.1/16 dev ib0", "{fix:?}");
    assert!(fix[1].contains("ip addr del 172.16.34.1/24 dev ib0"), "{fix:?}");
    // The other way round it is the other node that is to be mended.
    let there = "addr ib0 172.16.16.1/24\n host there";
    let a = is(COMPLETE, there, &["RAIL_PEER_VIA_ETHERNET warning ib0 ib1"]);
    assert!(a.findings[0].summary.starts_with("there has 172.16.16.0/24"), "{:?}", a.findings);
    assert!(a.findings[0].fix.iter().all(|s| s.place == Where::Peer));
    // Both reach each other: worth a note.
    let wider = peer().replace("/16", "/12");
    is(COMPLETE, &wider, &["PREFIX_LENGTH_MISMATCH note ib0 ib1"]);
}

#[test]
fn a_narrow_prefix_with_rules_gets_them_widened_too() {
    let narrow = COMPLETE
        .replace("172.16.34.1/16", "172.16.34.1/24")
        .replace("172.16.34.2/16", "172.16.34.2/24")
        .replace("172.16.0.0/16", "172.16.34.0/24");
    let a = is(&narrow, &peer(), &["RAIL_PEER_VIA_ETHERNET warning ib0 ib1"]);
    let fix: Vec<&str> = a.findings[0].fix.iter().map(|s| s.command.as_str()).collect();
    let route = "ip route replace 172.16.0.0/16 dev ib1 scope link src 172.16.34.2 table 942";
    assert!(fix.contains(&route), "{fix:?}");
}

#[test]
fn one_address_on_two_nodes() {
    let a = is(
        COMPLETE,
        &peer().replace("172.16.16.2", "172.16.34.2"),
        &["ADDR_DUP_PEER critical ib1"],
    );
    assert!(a.findings[0].summary.contains("of ib1 on there"), "{:?}", a.findings);
    // One that moves between nodes.
    let vip = "addr ib0 172.16.99.1/32";
    is(&format!("{COMPLETE} {vip}"), &format!("{}{vip}", peer()), &[]);
}

#[test]
fn hardware_addresses_of_the_other_node() {
    let there = format!("{}link ib0 lladdr 02:10\n link ib1 lladdr 02:11\n", peer());
    let here = format!("{COMPLETE} link ib0 lladdr 02:00\n link ib1 lladdr 02:01\n");
    is(&here, &there, &[]);
    is(&format!("{here} neigh 172.16.16.2 dev ib1 lladdr 02:11"), &there, &[]);
    let sick = format!("{here} neigh 172.16.16.2 dev ib1 lladdr 02:10");
    let a = is(&sick, &there, &["NEIGH_SHARED_LLADDR warning ib0 ib1"]);
    assert!(a.findings[0].summary.contains("172.16.16.2 of there (ib1)"), "{:?}", a.findings);
    assert_eq!(a.findings[0].fix.last().map(|s| s.place), Some(Where::Here).or(None));
    // It learnt ours wrong.
    let a = is(
        &here,
        &format!("{there} neigh 172.16.34.2 dev ib1 lladdr 02:00"),
        &["NEIGH_SHARED_LLADDR warning ib0 ib1"],
    );
    assert!(a.findings[0].summary.starts_with("there has the hardware address of ib0"));
    // Somebody else's: a card was changed since, or two nodes have the address.
    is(&format!("{here} neigh 172.16.16.2 dev ib1 lladdr 02:99"), &there, &[]);
}

#[test]
fn what_cannot_be_compared_is_said() {
    let a = beside(COMPLETE, COMPLETE);
    assert_eq!(told(&a), [""; 0]);
    assert!(a.not_checked[0].why.contains("a capture of this node?"), "{:?}", a.not_checked);
    let a = beside(COMPLETE, "addr ib0 10.99.0.1/24\n host there");
    assert!(
        a.not_checked.iter().any(|g| g.what == "this node beside there"),
        "{:?}",
        a.not_checked
    );
    let mut blind = node(&peer());
    blind.links = crate::check::testkit::missing(crate::sample::Why::Denied);
    let a = assess_with(&node(COMPLETE), &[blind]);
    assert!(a.not_checked.iter().any(|g| g.why.contains("links")), "{:?}", a.not_checked);
}
