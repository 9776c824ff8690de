use super::super::testkit::{answered, flow, healthy, ib_rail, peer_ni, set_port};
use super::super::{Assessment, Finding, Layer, Severity, Verdict, assess};
use crate::node::{HistoryPoint, NiGrowth, NiRates, Node, PortState};
use crate::sample::{Fact, Lnet, LnetGlobal, LnetNet, LnetPeer, LnetUdsp, Text, Unknown, Why};
use std::sync::Arc;
use std::time::Duration;

const BUSY: f64 = 10e9;
const QUIET: f64 = 1e5;

/// Four rails, two on each NUMA node; `numa_range` 0 and no rules: as LNet comes.
fn four() -> Node {
    let mut node = healthy(4);
    for (i, rail) in node.rails.iter_mut().enumerate() {
        let ni = &mut rail.lnet[0].ni;
        ni.dev_cpt = Ok(i32::try_from(i / 2).unwrap());
        ni.more.push(("udsp info/nid priority".into(), "-1".into()));
        ni.more.push(("health stats/ping_count".into(), "0".into()));
    }
    global(&mut node, &[("numa_range", "0"), ("discovery", "1")]);
    lnet(&mut node).more.udsp = answered(Vec::new());
    for rail in 0..4 {
        carries(&mut node, rail, BUSY);
    }
    node
}

fn lnet(node: &mut Node) -> &mut Lnet {
    Arc::make_mut(&mut node.lnet)
}

fn global(node: &mut Node, all: &[(&str, &str)]) {
    let all = all.iter().map(|(k, v)| (Text::new(k), Text::new(v))).collect();
    lnet(node).more.global = answered(LnetGlobal { all });
}

/// Bytes both ways and messages in their proportion, now and over the last seconds.
fn carries(node: &mut Node, rail: usize, rate: f64) {
    messages(node, rail, rate / 1e6, rate / 1e6);
    let now = node.time.mono;
    let rail = &mut node.rails[rail];
    (rail.rx, rail.tx) = (flow(rate), flow(rate));
    rail.history.points.clear();
    for back in (0..6).rev() {
        let at = now - Duration::from_secs(back);
        rail.history.push(HistoryPoint { at, rx: Some(rate as f32), tx: Some(rate as f32) });
    }
}

fn messages(node: &mut Node, rail: usize, sent: f64, received: f64) {
    let ni = &mut node.rails[rail].lnet[0];
    (ni.sent_per_second, ni.received_per_second) = (Fact::known(sent), Fact::known(received));
    ni.rates = NiRates::first();
    ni.rates.sent.put = Fact::known(sent);
    ni.rates.sent.get = Fact::known(0.0);
    ni.rates.failures = Fact::known(0.0);
}

/// LNet's answer is that of the rails; judged.
fn judged(node: &mut Node) -> Assessment {
    let nis = node.rails.iter().flat_map(|r| &r.lnet).map(|n| n.ni.clone()).collect();
    let answer = lnet(node).answer.as_mut().unwrap();
    answer.nets.retain(|net| net.name != "o2ib");
    answer.nets.push(LnetNet { name: "o2ib".into(), nis });
    assess(node)
}

type Seen<'a> = (&'a str, Severity, Option<&'a str>, Vec<&'a str>);

fn seen(a: &Assessment) -> Vec<Seen<'_>> {
    let one = |f: &'_ Finding| (f.id, f.severity, f.caused_by);
    a.findings
        .iter()
        .map(|f| {
            let (id, severity, cause) = one(f);
            (id, severity, cause, f.rails.iter().map(Text::as_str).collect())
        })
        .collect()
}

fn rung(a: &Assessment, rail: usize, layer: Layer) -> (Verdict, &str, Option<&'static str>) {
    let rung = a.rails[rail].ladder.iter().find(|r| r.layer == layer).unwrap();
    (rung.verdict, rung.detail.as_str(), rung.finding)
}

fn set(node: &mut Node, rail: usize, path: &str, value: &str) {
    let more = &mut node.rails[rail].lnet[0].ni.more;
    more.retain(|(key, _)| *key != *path);
    more.push((path.into(), value.into()));
}

#[test]
fn a_node_that_shares_its_load_has_nothing_to_say() {
    let mut node = four();
    let a = judged(&mut node);
    assert_eq!(seen(&a), []);
    assert_eq!(rung(&a, 0, Layer::Health), (Verdict::Ok, "1000 of 1000", None));
    let words = "NUMA distance: only for messages in memory of node 1";
    assert_eq!(rung(&a, 3, Layer::Selection), (Verdict::Ok, words, None));
    global(&mut node, &[("numa_range", "21")]);
    let a = judged(&mut node);
    let words = "in turn with ib0, ib1 and ib2";
    assert_eq!(rung(&a, 3, Layer::Selection), (Verdict::Ok, words, None));
}

#[test]
fn near_rails_work_and_far_ones_idle() {
    let mut node = four();
    for rail in [2, 3] {
        carries(&mut node, rail, QUIET);
    }
    let a = judged(&mut node);
    let cause = Some("NI_NUMA_IDLE");
    assert_eq!(
        seen(&a),
        [
            ("NI_NUMA_IDLE", Severity::Warning, None, vec!["ib2", "ib3"]),
            ("RAIL_IDLE", Severity::Warning, cause, vec!["ib2"]),
            ("RAIL_IDLE", Severity::Warning, cause, vec!["ib3"]),
        ]
    );
    let root = &a.findings[0];
    assert_eq!(
        root.summary,
        *"ib2 and ib3 idle: the memory is on NUMA node 0, and LNet takes what is nearest to it, ib0 and \
          ib1 (numa_range 0)"
    );
    let commands: Vec<&str> = root.fix.iter().map(|s| s.command.as_str()).collect();
    assert_eq!(commands, ["lnetctl set numa_range 21"]);
    assert_eq!(root.undo[0].command, *"lnetctl set numa_range 0");
    assert_eq!(rung(&a, 2, Layer::Selection).2, Some("NI_NUMA_IDLE"));
    assert_eq!(a.rails[2].first_failing, Some(Layer::Selection));
    let decides: Vec<&str> =
        a.rails[2].selection.iter().filter(|r| r.decides).map(|r| r.rung).collect();
    assert_eq!(decides, ["numa"]);
    let numa = a.rails[2].selection.iter().find(|r| r.rung == "numa").unwrap();
    assert_eq!(numa.value, Ok("node 1 (21 from 0)".into()));
    assert_eq!(
        numa.others,
        [
            ("ib0 and ib1".into(), "node 0 (21 from 1)".into()),
            ("ib3".into(), "node 1 (21 from 0)".into())
        ]
    );

    // With a range that makes all equal it is not the distance.
    global(&mut node, &[("numa_range", "21")]);
    let a = judged(&mut node);
    assert_eq!(seen(&a)[0], ("RAIL_IDLE", Severity::Warning, None, vec!["ib2"]));
    // Nor for one of two rails on the same node.
    global(&mut node, &[("numa_range", "0")]);
    carries(&mut node, 3, BUSY);
    assert_eq!(seen(&judged(&mut node)), [("RAIL_IDLE", Severity::Warning, None, vec!["ib2"])]);
    // What is not known explains nothing.
    carries(&mut node, 3, QUIET);
    Arc::make_mut(&mut node.host).numa = Err(Unknown::new(Why::Absent, ""));
    let a = judged(&mut node);
    assert!(a.findings.iter().all(|f| f.id == "RAIL_IDLE" && f.caused_by.is_none()));
    assert_eq!(rung(&a, 2, Layer::Selection).0, Verdict::Unknown);
}

#[test]
fn without_traffic_or_with_little_nothing_is_judged() {
    let mut node = four();
    for rail in 0..4 {
        carries(&mut node, rail, if rail < 2 { 200e6 } else { 0.0 });
    }
    assert_eq!(seen(&judged(&mut node)), [], "below the floor of bytes");
    for rail in 0..4 {
        carries(&mut node, rail, if rail < 2 { BUSY } else { QUIET });
        messages(&mut node, rail, if rail < 2 { 20.0 } else { 0.0 }, 0.0);
    }
    assert_eq!(seen(&judged(&mut node)), [], "below a hundred messages: others move these bytes");
    messages(&mut node, 0, 100.0, 0.0);
    assert_eq!(seen(&judged(&mut node)).len(), 3);
    node.rails[0].lnet[0].sent_per_second = Fact::unknown(Why::FirstSample, "");
    assert_eq!(seen(&judged(&mut node)), [], "messages are not known");
}

#[test]
fn a_rail_that_came_back_is_given_time() {
    let mut node = four();
    carries(&mut node, 2, QUIET);
    carries(&mut node, 3, QUIET);
    node.rails[2].state_since = Some(super::super::testkit::seconds_ago(3));
    let a = judged(&mut node);
    assert!(a.findings.iter().all(|f| !f.rails.contains(&"ib2".into())), "{:?}", seen(&a));
}

#[test]
fn less_than_its_share_is_a_note() {
    let mut node = four();
    for rail in [2, 3] {
        carries(&mut node, rail, BUSY * 0.6);
    }
    let a = judged(&mut node);
    assert_eq!(seen(&a), [("NI_NUMA_IDLE", Severity::Note, None, vec!["ib2", "ib3"])]);
    for rail in [2, 3] {
        carries(&mut node, rail, BUSY * 0.7);
    }
    assert_eq!(seen(&judged(&mut node)), [], "a third less is within the rule");
    for rail in [2, 3] {
        carries(&mut node, rail, BUSY * 0.6);
        node.rails[rail].history.points.truncate(2);
    }
    assert_eq!(seen(&judged(&mut node)), [], "not for three intervals");
}

#[test]
fn one_point_of_health_idles_a_rail() {
    let mut node = four();
    node.rails[2].lnet[0].ni.health = Ok(999);
    carries(&mut node, 2, QUIET);
    set(&mut node, 2, "health stats/ping_count", "6");
    let up = u64::try_from(node.time.wall.as_second()).unwrap() - 1_772_000_000;
    set(&mut node, 2, "health stats/next_ping", &(up + 38).to_string());
    let a = judged(&mut node);
    let cause = Some("NI_HEALTH_LOW");
    assert_eq!(
        seen(&a),
        [
            ("NI_HEALTH_LOW", Severity::Warning, None, vec!["ib2"]),
            ("RAIL_IDLE", Severity::Warning, cause, vec!["ib2"]),
        ]
    );
    let root = &a.findings[0];
    assert_eq!(
        root.summary,
        *"LNet avoids ib2: its health is 999 of 1000; LNet tries it again in 38 s (6 recovery pings failed)"
    );
    assert_eq!(root.fix[0].command, *"lnetctl net set --nid 10.1.3.3@o2ib --health 1000");
    let words = "999 of 1000, LNet tries it again in 38 s (6 recovery pings failed)";
    assert_eq!(rung(&a, 2, Layer::Health), (Verdict::Warning, words, Some("NI_HEALTH_LOW")));
    let words = "never chosen while ib0, ib1 and ib3 have a higher health";
    assert_eq!(rung(&a, 2, Layer::Selection), (Verdict::Note, words, None));
    assert_eq!(a.rails[2].first_failing, Some(Layer::Health));
    // Who is out already is compared with nobody further on.
    let others = |rung: &str| -> Vec<Text> {
        let rung = a.rails[0].selection.iter().find(|r| r.rung == rung).unwrap();
        rung.others.iter().map(|(names, _)| names.clone()).collect()
    };
    assert!(others("health").contains(&"ib2".into()));
    assert_eq!(others("udsp"), ["ib1 and ib3"]);
    assert!(others("credits").iter().all(|names| !names.contains("ib2")));

    // Its twin without traffic idles as well, and is told of all the same.
    for rail in 0..4 {
        carries(&mut node, rail, 0.0);
    }
    assert_eq!(seen(&judged(&mut node)).len(), 1);
    node.rails[2].lnet[0].ni.health = Ok(1000);
    assert_eq!(seen(&judged(&mut node)), []);
}

#[test]
fn what_fails_now_is_told_and_not_papered_over() {
    let mut node = four();
    node.rails[2].lnet[0].ni.health = Ok(700);
    node.rails[2].lnet[0].rates.failures = Fact::known(2.0);
    for kind in ["dropped", "no route", "error", "aborted", "interrupts"] {
        set(&mut node, 2, &format!("health stats/{kind}"), "0");
    }
    set(&mut node, 2, "health stats/timeouts", "12");
    let a = judged(&mut node);
    let root = &a.findings[0];
    assert_eq!(
        root.summary,
        *"LNet avoids ib2: its health is 700 of 1000; messages fail on it now (timeouts 12)"
    );
    assert_eq!(root.fix, []);
}

#[test]
fn all_equally_low_is_no_reason_to_avoid_one() {
    let mut node = four();
    for rail in &mut node.rails {
        rail.lnet[0].ni.health = Ok(900);
    }
    let a = judged(&mut node);
    assert!(a.findings.iter().all(|f| (f.id, f.severity) == ("NI_HEALTH_LOW", Severity::Note)));
    assert_eq!(a.findings.len(), 4);
    assert!(a.findings[0].summary.starts_with("messages failed on ib0"));
}

#[test]
fn a_dead_link_is_the_root_of_low_health() {
    let mut node = four();
    set_port(&mut node.rails[2], PortState::NoSignal);
    node.rails[2].lnet[0].ni.health = Ok(700);
    let a = judged(&mut node);
    assert_eq!(a.worst().unwrap().id, "PORT_DOWN");
    let low = a.findings.iter().find(|f| f.id == "NI_HEALTH_LOW").unwrap();
    assert_eq!((low.caused_by, low.fix.len()), (Some("PORT_DOWN"), 0));
}

#[test]
fn the_only_ni_proves_nothing_in_some_versions() {
    let mut node = healthy(1);
    let words = |node: &mut Node| rung(&judged(node), 0, Layer::Health).1.to_owned();
    assert_eq!(words(&mut node), "1000 of 1000 (the only NI: its health is never lowered)");
    assert_eq!(
        rung(&judged(&mut node), 0, Layer::Selection),
        (Verdict::Ok, "the only NI of o2ib", None)
    );
    lnet(&mut node).version = Ok("2.17.0".into());
    assert_eq!(words(&mut node), "1000 of 1000");
    node.rails[0].lnet[0].ni.health = Err(Unknown::new(Why::Absent, "not printed"));
    assert_eq!(rung(&judged(&mut node), 0, Layer::Health).0, Verdict::Unknown);
}

#[test]
fn the_oldest_lnet_has_no_health() {
    let mut node = four();
    lnet(&mut node).version = Ok("2.10.8".into());
    for rail in &mut node.rails {
        let ni = &mut rail.lnet[0].ni;
        ni.more.clear();
        ni.fatal_error = Err(Unknown::new(Why::Absent, ""));
        ni.health = Err(Unknown::new(Why::Absent, ""));
    }
    let a = judged(&mut node);
    assert_eq!(rung(&a, 0, Layer::Health).0, Verdict::NotApplicable);
    let rungs: Vec<&str> = a.rails[0].selection.iter().map(|r| r.rung).collect();
    assert_eq!(rungs, ["numa", "credits", "round_robin"]);
}

#[test]
fn a_policy_is_only_a_note() {
    let mut node = four();
    for rail in 0..3 {
        set(&mut node, rail, "udsp info/nid priority", "0");
    }
    carries(&mut node, 3, QUIET);
    let rule = LnetUdsp {
        index: Ok(0),
        src: Some("10.1.3.[1-3]@o2ib".into()),
        dst: None,
        rte: None,
        priority: Some(0),
    };
    lnet(&mut node).more.udsp = answered(vec![rule]);
    let a = judged(&mut node);
    assert_eq!(
        seen(&a),
        [
            ("NI_UDSP_AVOIDED", Severity::Note, None, vec!["ib3"]),
            ("RAIL_IDLE", Severity::Note, Some("NI_UDSP_AVOIDED"), vec!["ib3"]),
        ]
    );
    assert_eq!(
        a.findings[0].evidence[0],
        *"lnetctl udsp show: src: 10.1.3.[1-3]@o2ib, dst: NA, priority: 0"
    );
    set(&mut node, 3, "udsp info/nid priority", "0");
    carries(&mut node, 3, BUSY);
    assert_eq!(seen(&judged(&mut node)), []);
}

fn peer(host: u8, multi_rail: bool, rails: u8) -> LnetPeer {
    let nid = |rail| format!("10.1.{host}.{rail}@o2ib");
    LnetPeer {
        primary_nid: nid(1).into(),
        multi_rail: Ok(multi_rail),
        state_bits: Ok(273),
        nis: (1..=rails).map(|rail| peer_ni(&nid(rail))).collect(),
    }
}

#[test]
fn single_rail_peers_bind_a_rail_each() {
    let mut node = four();
    global(&mut node, &[("numa_range", "21"), ("discovery", "0")]);
    let mut peers: Vec<LnetPeer> = (20..23).map(|host| peer(host, false, 1)).collect();
    peers.push(peer(23, true, 2));
    lnet(&mut node).more.peers = answered(peers.clone());
    carries(&mut node, 3, QUIET);
    let a = judged(&mut node);
    assert_eq!(
        seen(&a),
        [
            ("PEER_NOT_MULTI_RAIL", Severity::Warning, None, vec!["ib3"]),
            ("RAIL_IDLE", Severity::Warning, Some("PEER_NOT_MULTI_RAIL"), vec!["ib3"]),
        ]
    );
    let commands: Vec<&str> = a.findings[0].fix.iter().map(|s| s.command.as_str()).collect();
    let discovery = "lnetctl set discovery 1";
    assert_eq!(commands, [discovery, discovery, "lnetctl discover 10.1.20.1@o2ib"]);
    assert_eq!(
        a.findings[0].summary,
        *"ib3 idles, since peers are bound to one NI each: 3 of 4 peers Multi-Rail: false; discovery is off"
    );

    // Those that name the rail bind none but it.
    for peer in &mut peers {
        peer.nis[0].preferred_sources = vec!["10.1.3.4@o2ib".into()];
    }
    lnet(&mut node).more.peers = answered(peers.clone());
    assert_eq!(seen(&judged(&mut node))[0], ("RAIL_IDLE", Severity::Warning, None, vec!["ib3"]));
    // All name another: it decides, and the table says so.
    for peer in &mut peers {
        peer.nis[0].preferred_sources = vec!["10.1.3.1@o2ib".into()];
    }
    lnet(&mut node).more.peers = answered(peers);
    let a = judged(&mut node);
    assert_eq!(seen(&a)[0].0, "PEER_NOT_MULTI_RAIL");
    let decides: Vec<&str> =
        a.rails[3].selection.iter().filter(|r| r.decides).map(|r| r.rung).collect();
    assert_eq!(decides, ["peer"]);

    let well = (20..24).map(|host| peer(host, true, 2)).collect();
    lnet(&mut node).more.peers = answered(well);
    carries(&mut node, 3, BUSY);
    assert_eq!(seen(&judged(&mut node)), []);
}

#[test]
fn what_comes_in_is_the_peers_choice() {
    let mut node = four();
    global(&mut node, &[("numa_range", "21")]);
    carries(&mut node, 3, QUIET);
    // It sends its requests by this rail as by the others.
    messages(&mut node, 3, BUSY / 1e6, 3.0);
    let a = judged(&mut node);
    assert_eq!(
        seen(&a),
        [
            ("NI_RECEIVE_UNEVEN", Severity::Warning, None, vec!["ib3"]),
            ("RAIL_IDLE", Severity::Warning, Some("NI_RECEIVE_UNEVEN"), vec!["ib3"]),
        ]
    );
    messages(&mut node, 3, BUSY / 1e6, BUSY / 1e6);
    let a = judged(&mut node);
    assert_eq!(seen(&a), [], "LNet uses it: others move these bytes, or routes lead them astray");
}

#[test]
fn an_old_round_robin() {
    let mut node = four();
    for rail in &mut node.rails {
        let ni = &mut rail.lnet[0].ni;
        ni.more.clear();
        ni.fatal_error = Err(Unknown::new(Why::Absent, ""));
        ni.dev_cpt = Ok(0);
    }
    lnet(&mut node).version = Ok("2.12.9".into());
    carries(&mut node, 3, QUIET);
    assert_eq!(seen(&judged(&mut node))[0].0, "NI_ROUND_ROBIN_OLD");
    lnet(&mut node).more.peers = answered(vec![peer(20, true, 2)]);
    assert_eq!(seen(&judged(&mut node))[0].0, "RAIL_IDLE", "one peer does not suffer from it");
}

#[test]
fn a_peers_sick_rail_is_told_where_ours_are_well() {
    let mut node = four();
    let mut sick = peer(20, true, 2);
    sick.nis[1].health = Ok(300);
    sick.nis[1].network_timeouts = Ok(7);
    // One with a single NI never loses health, and one as low on all is not avoided.
    let mut low = peer(21, true, 2);
    low.nis.iter_mut().for_each(|ni| ni.health = Ok(900));
    lnet(&mut node).more.peers = answered(vec![sick.clone(), low]);
    let a = judged(&mut node);
    assert_eq!(seen(&a), [("PEER_HEALTH_LOW", Severity::Note, None, vec![])]);
    assert_eq!(
        a.findings[0].summary,
        *"LNet avoids a peer's rail, 10.1.20.2@o2ib: its health is 300 of 1000"
    );
    assert!(a.findings[0].evidence[0].contains("network timeout: 7"));
    assert_eq!(a.verdict, Verdict::Note);

    // Whose fault it is cannot be told while a rail of ours is low too.
    node.rails[0].lnet[0].ni.health = Ok(900);
    assert!(judged(&mut node).findings.iter().all(|f| f.id == "NI_HEALTH_LOW"));
    node.rails[0].lnet[0].ni.health = Ok(1000);
    sick.nis[1].nid = "10.9.20.2@tcp9".into();
    lnet(&mut node).more.peers = answered(vec![sick]);
    assert_eq!(seen(&judged(&mut node)), [], "a net that this node does not have");
}

#[test]
fn a_table_has_the_criteria_of_the_version_and_this_nodes_values() {
    let mut node = four();
    let a = judged(&mut node);
    let rungs = |a: &Assessment, rail: usize| -> Vec<&'static str> {
        a.rails[rail].selection.iter().map(|r| r.rung).collect()
    };
    let all = ["fatal_error", "health", "udsp", "device", "numa", "credits", "round_robin"];
    assert_eq!(rungs(&a, 0), all);
    let value = |a: &Assessment, rung: &str| {
        let found = a.rails[0].selection.iter().find(|r| r.rung == rung);
        found.unwrap().value.clone()
    };
    assert_eq!(value(&a, "udsp"), Ok("none".into()));
    assert_eq!(value(&a, "device").unwrap_err().why, Why::NotApplicable);
    assert_eq!(value(&a, "credits").unwrap_err().why, Why::FirstSample, "debugfs: root only");
    lnet(&mut node).more.peers = answered(vec![peer(20, true, 2)]);
    assert_eq!(rungs(&judged(&mut node), 0)[0], "peer");
    node.rails[1].lnet.clear();
    assert_eq!(rungs(&judged(&mut node), 1), [""; 0]);
}

#[test]
fn a_rail_that_is_gone_is_not_judged() {
    let mut node = four();
    node.rails[3].presence =
        crate::node::Presence::Gone { since: super::super::testkit::seconds_ago(1) };
    node.rails[3].lnet[0].ni.health = Ok(100);
    let a = judged(&mut node);
    assert!(a.findings.iter().all(|f| f.id != "NI_HEALTH_LOW"));
}

#[test]
fn nodes_of_every_size_are_judged() {
    for n in 0..9 {
        let mut node = super::super::testkit::node((0..n).map(ib_rail).collect());
        let a = judged(&mut node);
        assert!(a.rails.iter().all(|r| r.selection.iter().filter(|s| s.decides).count() <= 1));
    }
}

#[test]
fn a_health_that_was_set_by_hand_is_not_laid_to_routes() {
    let mut node = four();
    node.rails[2].lnet[0].ni.health = Ok(500);
    let growth = |seconds, failures| NiGrowth {
        over: Duration::from_secs(seconds),
        dropped: Ok(0),
        timeouts: Ok(0),
        failures: Ok(failures),
    };
    let rises = |node: &Node, growth: Option<&NiGrowth>| {
        super::health::rises(&node.rails[2].lnet[0], growth)
    };
    assert!(!rises(&node, None), "nothing ever failed on it");
    set(&mut node, 2, "health stats/timeouts", "9");
    assert!(rises(&node, None) && rises(&node, Some(&growth(8, 0))), "perhaps just before");
    assert!(!rises(&node, Some(&growth(60, 0))), "they did not rise for a minute");
    assert!(rises(&node, Some(&growth(60, 1))));
    node.rails[2].lnet[0].rates.failures = Fact::known(0.5);
    assert!(rises(&node, Some(&growth(60, 0))));
}
