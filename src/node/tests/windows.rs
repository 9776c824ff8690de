//! Balance over longer times, rails that stay behind, messages that go astray.

use super::super::testing::World;
use super::{start, why};
use crate::node::{Node, Policy, Settings, SourceKind};
use crate::sample::Why;
use proptest::prelude::*;
use std::time::Duration;

/// Two rails of one LNet net; each second they receive so many words.
fn run(world: &mut World, node: &mut Node, seconds: std::ops::Range<u64>, words: [u64; 2]) {
    for second in seconds {
        world.count(0, words[0], 0);
        world.count(1, words[1], 0);
        node.advance(&world.at_ms((second + 1) * 1000));
    }
}

fn two() -> (World, Node) {
    let mut world = World::rails(2);
    world.o2ib(2);
    let node = start(&world);
    (world, node)
}

#[test]
fn ten_seconds_are_exact() {
    let (mut world, mut node) = two();
    run(&mut world, &mut node, 0..9, [1_000_000_000, 1_000_000_000]);
    assert!(node.groups[0].recent.is_none(), "there were no ten seconds yet");
    run(&mut world, &mut node, 9..10, [1_000_000_000, 1_000_000_000]);
    let recent = |node: &Node| node.groups[0].recent.clone().unwrap().rx;
    assert_eq!(recent(&node).jain_index.value, Ok(1.0));
    assert_eq!(recent(&node).bytes_per_second.value, Ok(8e9));
    // Five seconds of the second rail alone: 5 of 10 and 10 of 10.
    run(&mut world, &mut node, 10..15, [0, 1_000_000_000]);
    let side = recent(&node);
    assert_eq!(side.bytes_per_second.value, Ok(6e9));
    assert_eq!(side.slowest, Some(0));
    let (a, b) = (2e9f64, 4e9f64);
    let jain = (a + b).powi(2) / (2.0 * (a * a + b * b));
    assert!((side.jain_index.value.unwrap() - jain).abs() < 1e-9);
}

#[test]
fn since_the_mark_counts_from_the_read_before_it() {
    let (mut world, mut node) = two();
    run(&mut world, &mut node, 0..3, [1_000_000_000, 0]);
    assert!(node.groups[0].since_mark.is_none());
    let time = node.time;
    node.mark(time);
    run(&mut world, &mut node, 3..5, [500_000_000, 500_000_000]);
    let marked = node.groups[0].since_mark.clone().unwrap();
    assert_eq!((&*marked.mark, marked.since), ("A", time.mono));
    assert_eq!(marked.balance.rx.jain_index.value, Ok(1.0));
    assert_eq!(marked.balance.rx.bytes_per_second.value, Ok(4e9));
}

#[test]
fn a_reset_leaves_the_window_unknown() {
    let (mut world, mut node) = two();
    run(&mut world, &mut node, 0..11, [1_000_000_000, 1_000_000_000]);
    world.port(1).data.rx[0].value = Ok(0);
    node.advance(&world.at_ms(12_000));
    run(&mut world, &mut node, 12..14, [1_000_000_000, 1_000_000_000]);
    let recent = node.groups[0].recent.clone().unwrap();
    assert_eq!(why(&recent.rx.jain_index), Some(Why::Reset));
    // It has left the window.
    run(&mut world, &mut node, 14..26, [1_000_000_000, 1_000_000_000]);
    assert_eq!(node.groups[0].recent.clone().unwrap().rx.jain_index.value, Ok(1.0));
}

#[test]
fn behind_begins_anew_after_a_fair_pass() {
    let (mut world, mut node) = two();
    run(&mut world, &mut node, 0..4, [1_000_000_000, 100_000_000]);
    let behind = node.groups[0].behind_rx.unwrap();
    assert_eq!((behind.rail, behind.since.0), (1, world.at_ms(1000).time.mono.0));
    run(&mut world, &mut node, 4..5, [1_000_000_000, 1_000_000_000]);
    assert_eq!(node.groups[0].behind_rx, None);
    run(&mut world, &mut node, 5..6, [1_000_000_000, 100_000_000]);
    assert_eq!(node.groups[0].behind_rx.unwrap().since, world.at_ms(6000).time.mono);
}

#[test]
fn what_is_unfair_is_for_the_site_to_say() {
    let mut world = World::rails(2);
    world.o2ib(2);
    let mut policy = Policy::default();
    policy.thresholds.balance_unfair_ratio = 0.1;
    let settings = Settings { policy: policy.into(), ..Settings::default() };
    let mut node = Node::new(settings, SourceKind::Live, &world.at_ms(0));
    run(&mut world, &mut node, 0..4, [1_000_000_000, 200_000_000]);
    assert_eq!(node.groups[0].behind_rx, None);
}

/// LNet counts 1000 messages a second on ib1, each way.
fn messages(world: &mut World, count: u32) {
    let nis = world.nis.as_mut().unwrap();
    nis[1].send_count = Ok(count);
    nis[1].recv_count = Ok(count);
}

#[test]
fn messages_without_bytes_are_astray() {
    let (mut world, mut node) = two();
    for second in 0..5 {
        messages(&mut world, 1000 * second);
        run(&mut world, &mut node, u64::from(second)..u64::from(second) + 1, [1_000_000, 10]);
    }
    let astray = node.astray[0];
    assert_eq!((astray.rail, astray.instead), (1, 0));
    assert!((astray.messages_per_second - 2000.0).abs() < 1.0, "{astray:?}");
    assert!((astray.least_bytes_per_second - 144_000.0).abs() < 100.0, "{astray:?}");
    assert!(node.time.mono.since(astray.since) >= Duration::from_secs(2));

    // The port that moves them is the one they are counted on: all is well.
    for second in 5..8 {
        messages(&mut world, 1000 * second);
        run(
            &mut world,
            &mut node,
            u64::from(second)..u64::from(second) + 1,
            [1_000_000, 1_000_000],
        );
    }
    assert!(node.astray.is_empty());
}

#[test]
fn messages_are_not_astray_while_no_other_port_could_carry_them() {
    let (mut world, mut node) = two();
    for second in 0..5 {
        messages(&mut world, 1000 * second);
        run(&mut world, &mut node, u64::from(second)..u64::from(second) + 1, [100, 10]);
    }
    assert!(node.astray.is_empty());
}

proptest! {
    /// The bytes of the window are those of its seconds.
    #[test]
    fn a_window_agrees_with_the_sum_of_its_seconds(
        words in proptest::collection::vec((200_000_000u64..2_000_000_000, 200_000_000u64..2_000_000_000), 12..20)
    ) {
        let (mut world, mut node) = two();
        for (second, (a, b)) in (0u64..).zip(&words) {
            run(&mut world, &mut node, second..second + 1, [*a, *b]);
        }
        let side = node.groups[0].recent.clone().unwrap().rx;
        let last = words.len() - 10;
        let sum: u64 = words[last..].iter().map(|(a, b)| (a + b) * 4).sum();
        let rate = side.bytes_per_second.value.unwrap();
        prop_assert!((rate - sum as f64 / 10.0).abs() < 1.0, "{rate} {sum}");
    }
}
