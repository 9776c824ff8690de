//! The way of each address, the rungs, and judging again only what changed.

use super::healthy::COMPLETE;
use super::kit::{net, node};
use crate::check::{Judge, Layer, Verdict, assess};
use crate::node::{Node, Settings, SourceKind};
use std::sync::Arc;
use std::time::{Duration, Instant};

#[test]
fn the_way_of_each_address() {
    let a = assess(&node(COMPLETE));
    let ways: Vec<_> = a
        .routes
        .iter()
        .map(|r| {
            (
                r.rail,
                r.address.ip().to_string(),
                r.table.clone().unwrap(),
                r.rule_preference.clone().unwrap(),
                r.leaves_by.clone().unwrap().to_string(),
                r.probe.clone().unwrap().to_string(),
            )
        })
        .collect();
    let row = |rail, x: &str, table, preference, dev: &str| {
        (rail, x.to_owned(), table, preference, dev.to_owned(), "172.16.0.1".to_owned())
    };
    assert_eq!(
        ways,
        [row(0, "172.16.34.1", 941, 9410, "ib0"), row(1, "172.16.34.2", 942, 9420, "ib1")]
    );
}

#[test]
fn the_report_carries_the_ways() {
    let n = node(COMPLETE);
    let value = crate::report::json::object(&n, &assess(&n));
    let address = &value["rails"][1]["addresses"][0];
    assert_eq!(address["address"], "172.16.34.2/16");
    assert_eq!(address["table"], 942);
    assert_eq!(address["rule_preference"], 9420);
    assert_eq!(address["leaves_by"], "ib1");
    assert_eq!(address["probe"], "172.16.0.1");
}

#[test]
fn rungs_of_rule_table_and_neighbour() {
    let a = assess(&node(COMPLETE));
    let rung = |layer| a.rails[1].ladder.iter().find(|r| r.layer == layer).unwrap();
    assert_eq!(rung(Layer::Rule).verdict, Verdict::Ok);
    assert_eq!(rung(Layer::Rule).detail, "9420: from 172.16.34.2 lookup 942");
    assert_eq!(rung(Layer::Table).detail, "942: 172.16.0.0/16 by ib1");
    assert_eq!(rung(Layer::Neighbour).verdict, Verdict::Ok);
    let sick = assess(&node("addr ib0 172.16.34.1/16\n addr ib1 172.16.34.2/16"));
    let rung = |layer| sick.rails[1].ladder.iter().find(|r| r.layer == layer).unwrap();
    assert_eq!(rung(Layer::Table).finding, Some("ROUTE_DUP_CONNECTED"));
    assert!(rung(Layer::Neighbour).finding.is_some_and(|id| id.starts_with("ARP_FLUX")));
    assert_eq!(rung(Layer::Rule).detail, "none for 172.16.34.2");
}

#[test]
fn what_did_not_change_is_not_judged_again() {
    let mut n = node("addr ib0 172.16.34.1/16\n addr ib1 172.16.34.2/16");
    let mut judge = Judge::default();
    let first = judge.assess(&n);
    assert_eq!(first, assess(&n));
    let before = judge.routed(&n);
    assert!(Arc::ptr_eq(&before, &judge.routed(&n)));
    // Equal content read anew is judged anew; a rail that changed is, too.
    n.routing = Arc::new((*n.routing).clone());
    let after = judge.routed(&n);
    assert!(!Arc::ptr_eq(&before, &after));
    n.rails[0].lnet = crate::check::testkit::ib_rail(0).lnet;
    assert!(!Arc::ptr_eq(&after, &judge.routed(&n)));
    assert_eq!(judge.assess(&n), assess(&n));
}

#[test]
fn what_cannot_be_read_is_unknown_and_silent() {
    use crate::check::testkit::missing;
    use crate::sample::Why;
    let mut n = node("addr ib0 172.16.34.1/16\n addr ib1 172.16.34.2/16");
    Arc::make_mut(&mut n.routing).rules4 = missing(Why::Denied);
    let a = assess(&n);
    assert!(a.findings.iter().all(|f| !f.id.starts_with('R')), "{:?}", a.findings);
    assert!(a.not_checked.iter().any(|c| c.what == "rules"));
    assert!(a.routes.iter().all(|r| r.leaves_by.is_err()));
    n.links = missing(Why::Denied);
    let a = assess(&n);
    assert!(a.routes.iter().all(|r| r.leaves_by.is_err()) && a.routes.len() == 2);
    assert!(a.not_checked.iter().any(|c| c.what.contains("links")));
}

/// 100,000 routes by both rails, in main and in tables.
#[test]
fn many_routes_take_no_time() {
    let mut net = net("addr ib0 172.16.34.1/16\n addr ib1 172.16.34.2/16\n link ib1 nocarrier\n \
                       addr ib2 172.16.34.3/16\n rule 9410 from 172.16.34.1 lookup 941\n \
                       neigh 172.16.16.1 dev ib0 lladdr 01:02");
    let model = net.routing.routes4.as_ref().unwrap().last().unwrap().clone();
    let all = net.routing.routes4.as_mut().unwrap();
    for i in 0..100_000u32 {
        let mut route = model.clone();
        route.dst.addr = std::net::IpAddr::V4((0x0a00_0000 + i * 16).into());
        route.dst.len = 28;
        route.table = [254, 941, 942][i as usize % 3];
        route.next_hops[0].ifindex = Some(2 + i % 3);
        all.push(route);
    }
    let settings = Settings { include: vec!["ib*".into()], ..Settings::default() };
    let n = Node::new(settings, SourceKind::Demo, &net.sample());
    let start = Instant::now();
    let a = assess(&n);
    let took = start.elapsed();
    assert!(!a.findings.is_empty());
    // The debug build is some ten times slower than what is shipped.
    let most = if cfg!(debug_assertions) { 4000 } else { 100 };
    assert!(took < Duration::from_millis(most), "{took:?}");
}

#[test]
fn the_matrix_calls_a_dead_rail_dead() {
    use crate::check::paths::{State, matrix};
    let cells = |lines: &str| {
        let matrix = matrix(&node(lines), None, &["172.16.16.1".parse().unwrap()]).unwrap();
        matrix.cells.iter().map(|c| (c.state(), c.short())).collect::<Vec<_>>()
    };
    let right = |dev: &str| (State::Right, format!("{dev} ✔"));
    assert_eq!(cells(COMPLETE), [right("ib0"), right("ib1"), right("ib0")]);
    let dead = (State::Dead, "ib1 ✖ no carrier".to_owned());
    let lines = format!("link ib1 nocarrier\n{COMPLETE}");
    assert_eq!(cells(&lines), [right("ib0"), dead, right("ib0")]);
    // Another rail's address, unbound programs by Ethernet, and a destination that refuses.
    let lines = "link eth0 ether\n addr eth0 10.0.0.1/24\n addr ib0 172.16.34.1/16 noroute\n \
                 route default via 10.0.0.254 dev eth0";
    let astray = (State::Wrong, "eth0 ✖".to_owned());
    assert_eq!(cells(lines), [astray.clone(), astray]);
    let refused = (State::Refused, "ENETUNREACH ✖".to_owned());
    assert_eq!(cells("addr ib0 172.16.34.1/16 noroute"), [refused.clone(), refused]);
}
