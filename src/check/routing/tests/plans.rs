//! What is proposed: free of clashes, complete, and it mends what it says.

use super::healthy::COMPLETE;
use super::kit::{net, node};
use crate::check::{Assessment, Where, assess};

fn lines(lines: &str) -> Assessment {
    assess(&node(lines))
}

fn commands(a: &Assessment, id: &str) -> Vec<String> {
    let finding = a.findings.iter().find(|f| f.id == id).unwrap();
    finding
        .fix
        .iter()
        .map(|s| match s.place {
            Where::Here => s.command.to_string(),
            Where::Peer => format!("peer: {}", s.command),
        })
        .collect()
}

const TWO: &str = "addr ib0 172.16.34.1/16\n addr ib1 172.16.34.2/16\n";

#[test]
fn the_complete_remedy_of_one_subnet() {
    let a = lines(TWO);
    assert_eq!(
        commands(&a, "ROUTE_DUP_CONNECTED"),
        [
            "ip route replace 172.16.0.0/16 dev ib0 scope link src 172.16.34.1 table 1000",
            "ip route replace 172.16.0.0/16 dev ib1 scope link src 172.16.34.2 table 1001",
            "ip rule show pref 10000 from 172.16.34.1 lookup 1000 | grep -q . || \
             ip rule add pref 10000 from 172.16.34.1 lookup 1000",
            "ip rule show pref 10010 from 172.16.34.2 lookup 1001 | grep -q . || \
             ip rule add pref 10010 from 172.16.34.2 lookup 1001",
            "sysctl -w net.ipv4.conf.ib0.arp_ignore=1",
            "sysctl -w net.ipv4.conf.ib1.arp_ignore=1",
            "sysctl -w net.ipv4.conf.ib0.arp_announce=2",
            "sysctl -w net.ipv4.conf.ib1.arp_announce=2",
            "peer: ip neigh flush dev ib0",
            "peer: ip neigh flush dev ib1",
        ]
    );
    let finding = &a.findings[0];
    assert_eq!(finding.undo.len(), 8);
    assert_eq!(
        finding.verify[1].command,
        "ip route get 172.16.0.1 from 172.16.34.2 | grep -F ' dev ib1 '"
    );
}

#[test]
fn ipv6_has_no_arp() {
    let a = lines("addr ib0 2001:db8::1/64\n addr ib1 2001:db8::2/64");
    let commands = commands(&a, "ROUTE_DUP_CONNECTED");
    assert_eq!(commands.len(), 4);
    assert_eq!(commands[0], "ip -6 route replace 2001:db8::/64 dev ib0 src 2001:db8::1 table 1000");
}

#[test]
fn tables_and_preferences_are_free() {
    // 1000 by a name, 1001 by a route, 1002 by a rule; 10030 is taken, and main decides at 10033.
    let a = lines(&format!(
        "{TWO} table 1000 mine\n route 10.0.0.0/8 dev eth0 table 1001\n rule 77 from 10.0.0.0/8 lookup 1002\n \
         rule 10030 from 10.0.0.9 lookup 254\n rule 10033 from all lookup 254"
    ));
    let commands = commands(&a, "ROUTE_DUP_CONNECTED");
    assert!(commands[0].ends_with("table 1003"), "{commands:#?}");
    assert!(commands[1].ends_with("table 1004"), "{commands:#?}");
    assert!(commands[2].ends_with("add pref 10031 from 172.16.34.1 lookup 1003"), "{commands:#?}");
    assert!(commands[3].ends_with("add pref 10032 from 172.16.34.2 lookup 1004"), "{commands:#?}");
}

#[test]
fn what_is_there_is_used() {
    // A table that nothing but this rail's routes are in is its own.
    let kept: Vec<&str> = COMPLETE.lines().filter(|l| !l.contains("rule 9420")).collect();
    let a = lines(&kept.join("\n"));
    assert_eq!(
        commands(&a, "TABLE_NO_RULE"),
        ["ip rule show pref 9420 from 172.16.34.2 lookup 942 | grep -q . || \
          ip rule add pref 9420 from 172.16.34.2 lookup 942"]
    );
    // A wrong route is put back by undo.
    let kept: Vec<&str> = COMPLETE.lines().filter(|l| !l.contains("table 942")).collect();
    let wrong = "route 172.16.0.0/16 dev ib0 table 942 src 172.16.34.2 scope 253";
    let a = lines(&format!("{}\n{wrong}", kept.join("\n")));
    assert_eq!(
        commands(&a, "TABLE_WRONG_DEV"),
        ["ip route replace 172.16.0.0/16 dev ib1 scope link src 172.16.34.2 table 942"]
    );
    assert_eq!(
        a.findings[0].undo[0].command,
        "ip route replace 172.16.0.0/16 dev ib0 scope link src 172.16.34.2 table 942"
    );
}

#[test]
fn a_rule_behind_main_comes_in_front() {
    let kept: Vec<&str> = COMPLETE.lines().filter(|l| !l.contains("rule 9420")).collect();
    let a = lines(&format!("{}\n rule 40000 from 172.16.34.2 lookup 942", kept.join("\n")));
    assert_eq!(
        commands(&a, "RULE_AFTER_MAIN"),
        [
            "ip rule show pref 9420 from 172.16.34.2 lookup 942 | grep -q . || \
             ip rule add pref 9420 from 172.16.34.2 lookup 942",
            "! ip rule show pref 40000 from 172.16.34.2 lookup 942 | grep -q . || \
             ip rule del pref 40000 from 172.16.34.2 lookup 942",
        ]
    );
}

#[test]
fn nothing_dangerous_is_ever_proposed() {
    for sick in [TWO.to_owned(), format!("{TWO} sysctl all rp_filter=1"), format!("{TWO} norules")]
    {
        for finding in assess(&node(&sick)).findings {
            for step in finding.fix.iter().chain(&finding.undo) {
                assert!(!step.command.contains("rule flush"), "{}", step.command);
                assert!(!step.command.contains("route flush"), "{}", step.command);
                assert!(!step.command.contains('\n'));
            }
        }
    }
}

#[test]
fn names_are_quoted() {
    let sick = "rails * \n link ib$(x) infiniband\n link ib;y infiniband\n addr ib$(x) 172.16.34.1/16\n addr ib;y 172.16.34.2/16";
    let a = lines(sick);
    let commands = commands(&a, "ROUTE_DUP_CONNECTED");
    assert!(commands.iter().any(|c| c.contains("dev 'ib$(x)' ")), "{commands:#?}");
    assert!(commands.iter().any(|c| c.contains("dev 'ib;y' ")), "{commands:#?}");
    drop(net(sick));
}

#[test]
fn rping_only_to_a_peer_that_is_there() {
    let mut n = node(&format!("{TWO} neigh 172.16.16.1 dev ib0 lladdr 0a:01"));
    for (i, rail) in n.rails.iter_mut().enumerate() {
        rail.rdma = crate::check::testkit::ib_rail(i).rdma;
    }
    let verify: Vec<String> =
        assess(&n).findings[0].verify.iter().map(|s| s.command.to_string()).collect();
    assert!(verify.contains(&"rping -c -a 172.16.16.1 -I 172.16.34.2 -C 1".into()), "{verify:?}");
    let made_up = lines(TWO);
    assert!(made_up.findings[0].verify.iter().all(|s| !s.command.contains("rping")));
}
