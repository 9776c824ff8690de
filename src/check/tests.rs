//! What each state of a node must and must not give.

mod laws;

use super::testkit::{
    eth_rail, flow, healthy, ib_rail, kill_ni, lnet_fails, missing, node, now, pci, seconds_ago,
    set_carrier, set_port, strip,
};
use super::*;
use crate::node::{HistoryPoint, PortState, Presence, Rail};
use crate::sample::{Fact, LnetFailure, Why};
use std::sync::Arc;

fn ids(a: &Assessment) -> Vec<(&'static str, Severity, Option<&'static str>)> {
    a.findings.iter().map(|f| (f.id, f.severity, f.caused_by)).collect()
}

fn rung(a: &Assessment, rail: usize, layer: Layer) -> &Rung {
    a.rails[rail].ladder.iter().find(|r| r.layer == layer).unwrap()
}

/// A dead port on rail 2 of four, with all that follows from it.
fn dead_rail(state: PortState) -> Node {
    let mut n = healthy(4);
    set_port(&mut n.rails[2], state);
    kill_ni(&mut n.rails[2]);
    n.rails[2].state_since = Some(seconds_ago(2));
    n
}

/// Nothing moves on it.
fn still(rail: &mut Rail) {
    (rail.rx, rail.tx) = (flow(0.0), flow(0.0));
}

#[test]
fn a_rung_does_not_say_the_opposite_of_its_verdict() {
    for scenario in ["one-subnet", "bad-cable", "dead-rail", "lnet-health-low"] {
        let mut demo =
            crate::source::demo::Demo::simulate(scenario, std::time::Duration::from_secs(1))
                .unwrap();
        let mut node = None;
        for _ in 0..130 {
            let sample = crate::source::Source::next(&mut demo).unwrap().unwrap();
            let kind = crate::node::SourceKind::Demo;
            let new = || Node::new(crate::node::Settings::default(), kind, &sample);
            let node: &mut Node = node.get_or_insert_with(new);
            node.advance(&sample);
        }
        let a = assess(&node.unwrap());
        for rung in a.rails.iter().flat_map(|r| &r.ladder) {
            if matches!(rung.verdict, Verdict::Warning | Verdict::Critical) {
                let healthy = ["none needed", "answers for its own"];
                assert!(!healthy.iter().any(|h| rung.detail.contains(h)), "{scenario}: {rung:?}");
            }
        }
    }
}

#[test]
fn a_rail_that_died_within_the_interval_is_not_called_idle() {
    let mut n = healthy(4);
    set_port(&mut n.rails[2], PortState::NoSignal);
    n.rails[2].rx = flow(6.5e9);
    assert!(ids(&assess(&n)).iter().all(|f| f.0 != "RAIL_IDLE"));
    still(&mut n.rails[2]);
    assert!(ids(&assess(&n)).iter().any(|f| f.0 == "RAIL_IDLE"));
}

#[test]
fn a_healthy_node_is_quiet() {
    let a = assess(&healthy(4));
    assert_eq!(ids(&a), []);
    assert_eq!(a.verdict, Verdict::Ok);
    assert_eq!(a.not_checked, []);
    for rail in &a.rails {
        assert_eq!(rail.verdict, Verdict::Ok);
        assert_eq!(rail.first_failing, None);
        assert_eq!(rail.state_word, "ACTIVE");
        assert_eq!(rail.ladder.iter().map(|r| r.layer).collect::<Vec<_>>(), Layer::ALL);
    }
    assert_eq!(rung(&a, 1, Layer::Cable).detail, "LinkUp, 200 Gb/s 4X HDR");
    assert_eq!(rung(&a, 1, Layer::SubnetManager).detail, "ACTIVE, LID 11, SM LID 1");
    assert_eq!(rung(&a, 1, Layer::Netdev).detail, "ib1 up, MTU 2044 datagram");
    assert_eq!(rung(&a, 1, Layer::Rule).verdict, Verdict::NotApplicable);
}

#[test]
fn a_dead_port_is_one_root() {
    let a = assess(&dead_rail(PortState::NoSignal));
    let cause = Some("PORT_DOWN");
    assert_eq!(
        ids(&a),
        [
            ("PORT_DOWN", Severity::Critical, None),
            ("RAIL_DOWN", Severity::Warning, cause),
            ("NI_DOWN", Severity::Critical, cause),
            ("RAIL_IDLE", Severity::Warning, cause),
        ]
    );
    let root = a.worst().unwrap();
    assert_eq!(
        root.summary,
        "ib2 has no signal (DOWN, Polling) for 2 s: cable or switch port; 3 other rails of o2ib carry on"
    );
    assert_eq!(root.rails, ["ib2"]);
    assert_eq!(root.evidence[1], "/sys/class/infiniband/mlx5_2/ports/1/phys_state: 2: Polling");
    assert_eq!(a.verdict, Verdict::Critical);
    assert_eq!(a.rails[2].first_failing, Some(Layer::Cable));
    assert_eq!(a.rails[2].state_word, "DOWN Polling");
    assert_eq!(a.rails[2].verdict, Verdict::Critical);
    assert_eq!(a.rails[0].verdict, Verdict::Ok);
    assert_eq!(rung(&a, 2, Layer::Ni).finding, Some("NI_DOWN"));
}

#[test]
fn every_port_state_has_its_finding() {
    let cases = [
        (PortState::NoSignal, "PORT_DOWN", Severity::Critical, "DOWN Polling"),
        (PortState::Training, "PORT_DOWN", Severity::Critical, "DOWN Training"),
        (PortState::Down, "PORT_DOWN", Severity::Critical, "DOWN Offline"),
        (PortState::Disabled, "PORT_DISABLED", Severity::Critical, "DISABLED"),
        (PortState::NoSubnetManager, "PORT_NO_SM", Severity::Critical, "no SM"),
    ];
    for (state, id, severity, word) in cases {
        let a = assess(&dead_rail(state));
        assert_eq!(ids(&a)[0], (id, severity, None));
        assert!(a.findings.iter().skip(1).all(|f| f.caused_by == Some(id)), "{state:?}");
        assert_eq!(a.rails[2].state_word, word);
    }
}

#[test]
fn no_subnet_manager_is_not_the_cable() {
    let a = assess(&dead_rail(PortState::NoSubnetManager));
    assert_eq!(rung(&a, 2, Layer::Cable).verdict, Verdict::Ok);
    assert_eq!(a.rails[2].first_failing, Some(Layer::SubnetManager));
}

#[test]
fn armed_is_a_warning_until_lnet_suffers() {
    let mut n = healthy(2);
    set_port(&mut n.rails[1], PortState::Armed);
    assert_eq!(assess(&n).verdict, Verdict::Warning);
    kill_ni(&mut n.rails[1]);
    let a = assess(&n);
    assert_eq!(ids(&a)[0], ("PORT_ARMED", Severity::Critical, None));
}

#[test]
fn retraining_causes_nothing_else() {
    let mut n = healthy(2);
    set_port(&mut n.rails[1], PortState::Retraining);
    let a = assess(&n);
    assert_eq!(ids(&a), [("PORT_RETRAINING", Severity::Warning, None)]);
    kill_ni(&mut n.rails[1]);
    assert_eq!(ids(&assess(&n))[0], ("NI_DOWN", Severity::Critical, None));
}

#[test]
fn a_port_nobody_relies_on_is_a_note() {
    let mut n = healthy(3);
    let rail = &mut n.rails[2];
    set_port(rail, PortState::NoSignal);
    strip(rail);
    let attrs = Arc::make_mut(&mut rail.rdma.as_mut().unwrap().device_attrs);
    attrs.hca_type = Ok("MT41692".into());
    let a = assess(&n);
    assert_eq!(
        ids(&a),
        [("PORT_DOWN", Severity::Note, None), ("RAIL_DOWN", Severity::Note, Some("PORT_DOWN"))]
    );
    assert_eq!(a.verdict, Verdict::Note);
    assert_eq!(a.rails[2].first_failing, None);

    // Its like elsewhere is up: it should be too.
    let attrs = Arc::make_mut(&mut n.rails[2].rdma.as_mut().unwrap().device_attrs);
    attrs.hca_type = Ok("MT4123".into());
    assert_eq!(ids(&assess(&n))[0].1, Severity::Critical);

    // The free second port of a card has its twin beside it.
    attrs_at(&mut n.rails[2], "0000:17:00.1");
    assert_eq!(ids(&assess(&n))[0].1, Severity::Note);

    set_port(&mut n.rails[2], PortState::Disabled);
    assert_eq!(ids(&assess(&n))[0].1, Severity::Note);
    attrs_at(&mut n.rails[2], "0000:99:00.0");
    assert_eq!(ids(&assess(&n))[0].1, Severity::Warning);
}

fn attrs_at(rail: &mut Rail, address: &str) {
    Arc::make_mut(&mut rail.rdma.as_mut().unwrap().device_attrs).pci = Some(pci(address));
}

#[test]
fn a_node_without_any_live_rail_is_critical() {
    let mut n = healthy(1);
    set_port(&mut n.rails[0], PortState::NoSignal);
    strip(&mut n.rails[0]);
    assert_eq!(assess(&n).verdict, Verdict::Critical);
}

#[test]
fn ipoib_down_on_purpose_is_no_finding() {
    let mut n = healthy(2);
    for rail in &mut n.rails {
        set_carrier(rail, None);
        strip(rail);
    }
    let a = assess(&n);
    assert_eq!(ids(&a), []);
    assert_eq!(a.verdict, Verdict::Ok);
    assert_eq!(a.rails[0].state_word, "ACTIVE");

    n.rails[0] = ib_rail(0);
    set_carrier(&mut n.rails[0], None);
    let a = assess(&n);
    assert_eq!(ids(&a), [("RAIL_ADMIN_DOWN", Severity::Warning, None)]);
    assert_eq!(a.findings[0].fix[0].command, *"ip link set dev ib0 up");
    // An address alone may be left over.
    let nis = std::mem::take(&mut n.rails[0].lnet);
    n.rails[0].group = None;
    assert!(ids(&assess(&n)).contains(&("RAIL_ADMIN_DOWN", Severity::Note, None)));
    n.rails[0].lnet = nis;
    kill_ni(&mut n.rails[0]);
    let a = assess(&n);
    assert_eq!(
        ids(&a),
        [
            ("RAIL_ADMIN_DOWN", Severity::Critical, None),
            ("NI_DOWN", Severity::Critical, Some("RAIL_ADMIN_DOWN"))
        ]
    );
}

#[test]
fn an_active_port_whose_interface_has_no_carrier() {
    let mut n = healthy(2);
    set_carrier(&mut n.rails[1], Some(false));
    let a = assess(&n);
    assert_eq!(ids(&a), [("NETDEV_NO_CARRIER", Severity::Warning, None)]);
    assert_eq!(a.rails[1].state_word, "no carrier");
    assert_eq!(a.rails[1].first_failing, Some(Layer::Netdev));
}

#[test]
fn a_child_without_carrier_is_its_rails_fault() {
    let mut n = healthy(2);
    let mut child = n.rails[1].clone();
    set_carrier(&mut child, Some(false));
    let mut child = child.netdev.unwrap();
    child.name = "ib1.8001".into();
    n.rails[1].children.push(child);
    let a = assess(&n);
    assert_eq!(ids(&a), [("NETDEV_NO_CARRIER", Severity::Warning, None)]);
    assert!(a.findings[0].summary.starts_with("ib1.8001 has no carrier"));
}

#[test]
fn without_rdma_the_carrier_is_the_cable() {
    let mut n = node(vec![eth_rail(0), eth_rail(1)]);
    set_carrier(&mut n.rails[1], Some(false));
    still(&mut n.rails[1]);
    let a = assess(&n);
    assert_eq!(
        ids(&a),
        [
            ("RAIL_DOWN", Severity::Critical, None),
            ("RAIL_IDLE", Severity::Warning, Some("RAIL_DOWN"))
        ]
    );
    assert_eq!(a.rails[1].first_failing, Some(Layer::Cable));
    assert_eq!(a.rails[1].state_word, "no carrier");
    assert_eq!(a.rails[0].state_word, "up");
    assert_eq!(rung(&a, 0, Layer::SubnetManager).verdict, Verdict::NotApplicable);

    strip(&mut n.rails[1]);
    assert_eq!(ids(&assess(&n)), [("RAIL_DOWN", Severity::Note, None)]);
    set_carrier(&mut n.rails[1], None);
    assert_eq!(ids(&assess(&n)), []);
    n.rails[1] = eth_rail(1);
    set_carrier(&mut n.rails[1], None);
    assert_eq!(ids(&assess(&n))[0], ("RAIL_ADMIN_DOWN", Severity::Warning, None));
}

#[test]
fn an_ethernet_port_that_says_disabled_may_have_lost_its_carrier() {
    let mut n = healthy(2);
    for rail in &mut n.rails {
        rail.rdma.as_mut().unwrap().link_layer = Ok("Ethernet".into());
    }
    set_port(&mut n.rails[1], PortState::Disabled);
    let a = assess(&n);
    assert_eq!(ids(&a)[0].0, "PORT_DOWN");
    assert_eq!(a.rails[1].state_word, "no carrier");
    set_carrier(&mut n.rails[1], None);
    let a = assess(&n);
    assert_eq!(ids(&a)[0].0, "PORT_DISABLED");
    assert_eq!(a.rails[1].state_word, "admin down");
}

#[test]
fn a_rail_that_vanished() {
    let mut n = healthy(4);
    n.rails[3].presence = Presence::Gone { since: seconds_ago(130) };
    kill_ni(&mut n.rails[3]);
    still(&mut n.rails[3]);
    let a = assess(&n);
    assert_eq!(
        ids(&a).iter().map(|f| f.0).collect::<Vec<_>>(),
        ["RAIL_GONE", "NI_DOWN", "RAIL_IDLE"]
    );
    assert_eq!(a.rails[3].state_word, "gone");
    assert!(a.findings[0].summary.contains("gone since "));
}

#[test]
fn lnet_alone_takes_a_rail_out() {
    let mut n = healthy(2);
    kill_ni(&mut n.rails[1]);
    let a = assess(&n);
    assert_eq!(ids(&a), [("NI_DOWN", Severity::Critical, None)]);
    assert_eq!(a.rails[1].first_failing, Some(Layer::Ni));
    n.rails[1].addresses.clear();
    // No link of this network namespace has that name: its addresses are not to be seen.
    assert_eq!(ids(&assess(&n)), [("NI_DOWN", Severity::Critical, None)]);
    n.links = missing(Why::Absent);
    assert_eq!(ids(&assess(&n)), [("NI_ADDRESS_LOST", Severity::Critical, None)]);
}

#[test]
fn a_stale_status_is_a_note() {
    let mut n = healthy(2);
    n.rails[1].lnet[0].ni.status = Ok("down".into());
    assert_eq!(ids(&assess(&n)), [("NI_STATUS_STALE", Severity::Note, None)]);
    n.rails[1].lnet[0].sent_per_second = Fact::known(0.0);
    n.rails[1].lnet[0].received_per_second = Fact::unknown(Why::FirstSample, "");
    assert_eq!(ids(&assess(&n)), [("LNET_ROUTER_IDLE", Severity::Note, None)], "2.15");
    Arc::make_mut(&mut n.lnet).version = crate::node::testing::absent();
    assert_eq!(ids(&assess(&n)), [("NI_DOWN", Severity::Warning, None)]);
}

#[test]
fn an_ni_on_no_rail_is_judged_and_lo_is_not() {
    let mut n = healthy(2);
    let lnet = Arc::make_mut(&mut n.lnet);
    let nets = &mut lnet.answer.as_mut().unwrap().nets;
    nets[0].nis[0].status = Ok("down".into());
    nets[0].nis[0].fatal_error = Ok(1);
    assert_eq!(ids(&assess(&n)), []);
    let mut stray = testkit::lnet_ni("192.168.1.1@tcp");
    stray.fatal_error = Ok(1);
    Arc::make_mut(&mut n.lnet).answer.as_mut().unwrap().nets[1].nis.push(stray);
    let a = assess(&n);
    assert_eq!(ids(&a), [("NI_DOWN", Severity::Critical, None)]);
    assert!(a.findings[0].rails.is_empty());
    assert_eq!(a.verdict, Verdict::Critical);
}

#[test]
fn lustre_over_the_management_card() {
    let mut n = healthy(2);
    for rail in &mut n.rails {
        (rail.rx, rail.tx) = (flow(1e3), flow(1e3));
    }
    n.other.rx = flow(1.1e9);
    let a = assess(&n);
    assert_eq!(ids(&a), [("TRAFFIC_OFF_RAILS", Severity::Warning, None)]);
    assert!(a.findings[0].summary.starts_with("other NICs (eth0) receive 1.1 GB/s"));

    // A burst a moment ago: not yet.
    let burst = HistoryPoint { at: now().mono, rx: Some(9e9), tx: None };
    n.rails[0].history.push(burst);
    assert_eq!(ids(&assess(&n)), []);
    for _ in 0..5 {
        n.rails[0].history.push(HistoryPoint { at: now().mono, rx: Some(0.0), tx: None });
    }
    assert_eq!(ids(&assess(&n)).len(), 1);

    // RDMA that is not counted may be anything.
    n.rails[0].rx.source = Some(crate::node::FlowSource::Netdev);
    assert_eq!(ids(&assess(&n)), []);
}

#[test]
fn slower_counters_leave_nothing_unchecked() {
    let mut n = healthy(2);
    n.notes.push(crate::sample::Note {
        reader: crate::sample::OWN_COST.into(),
        what: "reading takes 25 % of the time".into(),
        since: seconds_ago(40).mono,
    });
    assert_eq!(assess(&n).not_checked, []);
}

#[test]
fn reads_that_hang() {
    let mut n = healthy(2);
    n.rails[1].rdma.as_mut().unwrap().stuck_since = Some(seconds_ago(40));
    n.notes.push(crate::sample::Note {
        reader: "mlx5_1".into(),
        what: "hangs".into(),
        since: seconds_ago(40).mono,
    });
    let a = assess(&n);
    assert_eq!(ids(&a), [("READER_STUCK", Severity::Warning, None)]);
    assert!(a.findings[0].summary.starts_with("reads of mlx5_1 hang for 40 s"));
    assert_eq!(a.rails[1].state_word, "no answer");
    assert_eq!(a.not_checked, [], "the finding says it");

    let mut n = healthy(1);
    Arc::make_mut(&mut n.lnet).waiting_since = Some(seconds_ago(3).mono);
    assert_eq!(ids(&assess(&n)), []);
    Arc::make_mut(&mut n.lnet).waiting_since = Some(seconds_ago(60).mono);
    assert_eq!(ids(&assess(&n)), [("READER_STUCK", Severity::Note, None)]);
}

#[test]
fn what_cannot_be_judged_is_said() {
    let mut n = healthy(2);
    lnet_fails(&mut n, true, LnetFailure::Denied("errno -13".into()));
    let routing = Arc::make_mut(&mut n.routing);
    routing.rules4 = missing(Why::Denied);
    routing.routes4 = missing(Why::Denied);
    routing.rules6 = missing(Why::Unsupported);
    let a = assess(&n);
    assert_eq!(a.verdict, Verdict::Ok);
    let said: Vec<_> = a.not_checked.iter().map(|c| (c.what.as_str(), c.why.as_str())).collect();
    assert_eq!(said[0], ("LNet", "needs root: sudo railtop"));
    assert_eq!(said[1].0, "rules, routes");
    assert_eq!(said.len(), 2);
    assert_eq!(rung(&a, 0, Layer::Ni).verdict, Verdict::Unknown);

    let mut n = healthy(2);
    lnet_fails(&mut n, false, LnetFailure::NotInstalled);
    let a = assess(&n);
    assert_eq!(a.not_checked, []);
    assert_eq!(rung(&a, 0, Layer::Health).verdict, Verdict::NotApplicable);
    lnet_fails(&mut n, true, LnetFailure::NotInstalled);
    assert_eq!(assess(&n).not_checked.len(), 1);
}

#[test]
fn a_rail_of_which_nothing_is_known_is_unknown() {
    let mut n = healthy(1);
    set_port(&mut n.rails[0], PortState::Unknown);
    n.rails[0].netdev = None;
    let a = assess(&n);
    assert_eq!(a.rails[0].verdict, Verdict::Unknown);
    assert_eq!(a.verdict, Verdict::Unknown);
    assert_eq!(a.not_checked[0].what, "ib0");
    assert!(a.not_checked[0].why.contains("sudo"));
    assert_eq!(assess(&healthy(0)).verdict, Verdict::Unknown);
}
