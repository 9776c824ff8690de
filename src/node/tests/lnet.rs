//! LNet's counts over two answers, as the model tells them.

use super::why;
use crate::node::testing::{World, ni};
use crate::node::{EventKind, Messages, NiCredits, Node, Settings, SourceKind};
use crate::sample::{LnetNi, LnetNiCredits, LnetStats, Sample, Timed, Unknown, Why};
use std::sync::Arc;

/// An NI whose counts are all a multiple of `n`.
fn counted(nid: &str, interface: &str, n: u32) -> LnetNi {
    let mut ni = ni(nid, &[interface]);
    (ni.send_count, ni.recv_count, ni.drop_count) = (Ok(7 * n), Ok(5 * n), Ok(n));
    let mut add = |path: &str, value: u32| ni.more.push((path.into(), value.to_string().into()));
    for (kind, of) in [("put", 4), ("get", 2), ("reply", 1), ("ack", 0), ("hello", 0)] {
        add(&format!("sent_stats/{kind}"), of * n);
        add(&format!("received_stats/{kind}"), n);
        add(&format!("dropped_stats/{kind}"), u32::from(kind == "put") * n);
    }
    add("health stats/timeouts", n);
    ni
}

fn world(counts: [u32; 2]) -> World {
    let mut world = World::rails(2);
    let nis = counts
        .iter()
        .zip(0..)
        .map(|(n, i)| counted(&format!("10.1.0.{}@o2ib", i + 1), &format!("ib{i}"), *n));
    world.nis = Ok(nis.collect());
    world
}

fn node(samples: &[Sample]) -> Node {
    let mut node = Node::new(Settings::default(), SourceKind::Live, &samples[0]);
    for sample in &samples[1..] {
        node.advance(sample);
    }
    node
}

#[test]
fn every_type_of_message_has_its_rate() {
    let node = node(&[world([1000, 1000]).at_ms(0), world([1200, 1600]).at_ms(2000)]);
    let ni = node.lnet_figures.ni("10.1.0.1@o2ib").unwrap();
    assert_eq!(ni.sent.per_second.value, Ok(700.0));
    let kinds = |m: &Messages| m.kinds.each_ref().map(|k| *k.ok().unwrap() as u32);
    assert_eq!(kinds(&ni.sent), [400, 200, 100, 0, 0]);
    assert_eq!(kinds(&ni.received), [100; 5]);
    assert_eq!(kinds(&ni.dropped), [100, 0, 0, 0, 0]);
    assert_eq!(ni.failure("timeouts").unwrap().per_second.value, Ok(100.0));
    // What lnetctl did not print has no rate, and is not taken for none.
    assert_eq!(why(&ni.failure("no route").unwrap().per_second), Some(Why::Absent));
    assert_eq!(ni.failing_per_second().value, Ok(200.0));
    // The rail shows the same figure.
    assert_eq!(node.rails[0].lnet[0].sent_per_second, ni.sent.per_second);
    let share = |nid: &str| node.lnet_figures.ni(nid).unwrap().message_share_ratio.clone();
    assert_eq!(share("10.1.0.1@o2ib").value, Ok(0.25));
    assert_eq!(share("10.1.0.2@o2ib").value, Ok(0.75));
    let request = &node.lnet_figures.nis[1].request_share_ratio;
    assert_eq!(request.value, Ok(0.75));
    assert_eq!(node.lnet_figures.nets[0].messages_per_second.value, Ok(4800.0));
}

#[test]
fn bytes_are_those_of_the_ports_and_may_be_shared_otherwise() {
    let mut world = world([1000, 1000]);
    let first = world.at_ms(0);
    // 4-byte words: 4 and 12 GB on the ports, the same number of messages.
    world.count(0, 500_000_000, 500_000_000);
    world.count(1, 2_000_000_000, 1_000_000_000);
    let nis = self::world([1200, 1200]).nis;
    world.nis = nis;
    let node = node(&[first, world.at_ms(1000)]);
    let [a, b] = &node.lnet_figures.nis[..] else { panic!("two NIs") };
    assert_eq!((&a.message_share_ratio.value, &a.byte_share_ratio.value), (&Ok(0.5), &Ok(0.25)));
    assert_eq!((&b.message_share_ratio.value, &b.byte_share_ratio.value), (&Ok(0.5), &Ok(0.75)));
    let volume = &node.lnet_figures.volume;
    assert_eq!(volume.port_rx_bytes_per_second.value, Ok(10e9));
    assert_eq!(volume.port_tx_bytes_per_second.value, Ok(6e9));
    // LNet's own bytes were not asked for.
    assert_eq!(why(&volume.sent_bytes_per_second), Some(Why::FirstSample));
}

#[test]
fn a_few_messages_are_no_share() {
    let node = node(&[world([1000, 1000]).at_ms(0), world([1001, 1002]).at_ms(1000)]);
    assert_eq!(why(&node.lnet_figures.nis[0].message_share_ratio), Some(Why::BelowFloor));
    assert_eq!(why(&node.lnet_figures.nis[0].byte_share_ratio), Some(Why::BelowFloor));
}

#[test]
fn an_ni_on_no_rail_leaves_the_shares_of_bytes_open() {
    let stray = |n| {
        let mut world = world([n, n]);
        world.nis.as_mut().unwrap().push(counted("10.9.0.1@o2ib", "dummy0", n));
        world
    };
    let node = node(&[stray(1000).at_ms(0), stray(1200).at_ms(1000)]);
    let [a, _, c] = &node.lnet_figures.nis[..] else { panic!("three NIs") };
    assert_eq!(why(&a.byte_share_ratio), Some(Why::Absent));
    assert_eq!(why(&c.byte_share_ratio), Some(Why::Absent));
    assert!((a.message_share_ratio.ok().unwrap() - 1.0 / 3.0).abs() < 1e-12);
}

#[test]
fn an_ni_that_was_added_anew_has_no_rate_and_says_so() {
    let first = world([5000, 5000]).at_ms(0);
    let again = world([5, 5200]).at_ms(1000);
    let node = node(&[first.clone(), again]);
    let [a, b] = &node.lnet_figures.nis[..] else { panic!("two NIs") };
    assert_eq!(why(&a.sent.per_second), Some(Why::Reset));
    assert_eq!(why(&a.failure("timeouts").unwrap().per_second), Some(Why::Reset));
    assert_eq!(why(&a.message_share_ratio), Some(Why::Reset));
    assert_eq!(b.sent.per_second.value, Ok(1400.0));
    let told = node.events.iter().find(|e| e.kind == EventKind::CounterReset).unwrap();
    assert!(told.text.contains("10.1.0.1@o2ib began anew"), "{}", told.text);

    // Gone for one answer: no reset to tell of, and no rate over the gap.
    let mut without = world([0, 5200]);
    without.nis.as_mut().unwrap().remove(0);
    let again = world([5, 5200]).at_ms(2000);
    let node = self::node(&[first, without.at_ms(1000), again]);
    let [a, _] = &node.lnet_figures.nis[..] else { panic!("two NIs") };
    assert_eq!(why(&a.sent.per_second), Some(Why::FirstSample));
    assert!(node.events.iter().all(|e| e.kind != EventKind::CounterReset));
}

#[test]
fn counts_that_wrap_go_on() {
    let mut before = world([0, 0]);
    before.nis.as_mut().unwrap()[0].send_count = Ok(u32::MAX - 99);
    let mut after = world([0, 0]);
    after.nis.as_mut().unwrap()[0].send_count = Ok(100);
    let node = node(&[before.at_ms(0), after.at_ms(500)]);
    assert_eq!(node.lnet_figures.nis[0].sent.per_second.value, Ok(400.0));
}

#[test]
fn node_wide_bytes_stand_beside_those_of_the_ports() {
    let with_stats = |at_ms, sent: u64, resends: u32| {
        let mut sample = world([1000, 1000]).at_ms(at_ms);
        let stats = LnetStats {
            send_bytes: Ok(sent),
            recv_bytes: Ok(u64::from(u32::MAX) + sent),
            route_bytes: Ok(0),
            drop_bytes: Err(Unknown::new(Why::Absent, "not printed")),
            all: vec![
                ("msgs_alloc".into(), "411".into()),
                ("resend_count".into(), resends.to_string().into()),
                ("send_length".into(), sent.to_string().into()),
            ],
        };
        let timed = Timed { at: sample.time.mono, value: stats };
        Arc::make_mut(&mut sample.lnet).more.stats = Ok(Arc::new(timed));
        sample
    };
    let first = with_stats(0, 1_000, u32::MAX);
    let mut node = node(&[first, with_stats(2000, 4_001_000, 1)]);
    let volume = &node.lnet_figures.volume;
    assert_eq!(volume.sent_bytes_per_second.value, Ok(2e6));
    assert_eq!(volume.received_bytes_per_second.value, Ok(2e6));
    assert_eq!(why(&volume.dropped_bytes_per_second), Some(Why::Absent));
    let names: Vec<&str> = volume.counters.iter().map(|c| &*c.name).collect();
    assert_eq!(names, ["resend_count"], "levels and bytes are no events");
    assert_eq!(volume.counter("resend_count").unwrap().per_second.value, Ok(1.0), "it wrapped");
    node.advance(&with_stats(4000, 10, 1));
    let volume = &node.lnet_figures.volume;
    assert_eq!(why(&volume.sent_bytes_per_second), Some(Why::Reset));
}

#[test]
fn credits_are_those_of_the_tightest_partition() {
    let mut sample = world([0, 0]).at_ms(0);
    let row = |nid: &str, tx, min| LnetNiCredits {
        nid: nid.into(),
        status: "up".into(),
        max: 256,
        tx,
        min,
    };
    let rows = vec![row("10.1.0.1@o2ib", 250, -3), row("10.1.0.1@o2ib", -2, 9)];
    let timed = Timed { at: sample.time.mono, value: rows };
    Arc::make_mut(&mut sample.lnet).more.credits = Ok(Arc::new(timed));
    let node = node(&[sample]);
    let [a, b] = &node.lnet_figures.nis[..] else { panic!("two NIs") };
    assert_eq!(a.credits, Ok(NiCredits { free: -2, min: -3, max: 256, partitions: 2 }));
    assert_eq!(b.credits.as_ref().unwrap_err().why, Why::Absent);
}
