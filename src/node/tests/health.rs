//! Error counters, lost links and back-pressure over passes.

use super::super::testing::{World, absent, counters, ib_device, nic};
use super::{kinds, start, why};
use crate::node::{EventKind, Node, Since};
use crate::sample::{CarrierChanges, How, Unknown, Why};
use proptest::prelude::*;
use std::sync::Arc;

/// The counters of the first device, read at that time.
fn read(world: &mut World, ms: u64, items: &[(&str, u64)]) {
    let mut set = counters(items);
    set.at = world.at_ms(ms).time.mono;
    world.port(0).counters = Arc::new(set);
}

fn losses(node: &Node) -> u64 {
    node.rails[0].health.losses.in_last_hour(node.time.mono)
}

#[test]
fn errors_that_go_on_are_one_event_a_minute() {
    let mut world = World::rails(1);
    read(&mut world, 0, &[("symbol_error", 0)]);
    let mut node = start(&world);
    for second in (5..=180).step_by(5) {
        read(&mut world, second * 1000, &[("symbol_error", second)]);
        node.advance(&world.at_ms(second * 1000));
    }
    let texts: Vec<&str> = node.events.iter().map(|e| e.text.as_str()).collect();
    assert_eq!(texts, ["symbol_error +60", "symbol_error +60", "symbol_error +5"]);
    let told = node.rails[0].health.get("symbol_error").unwrap();
    assert_eq!(told.change(Since::TenMinutes, node.time.mono).value, Ok(180));
    // What only tells is no event.
    read(&mut world, 200_000, &[("symbol_error", 180), ("port_rcv_switch_relay_errors", 1)]);
    node.advance(&world.at_ms(200_000));
    read(&mut world, 300_000, &[("symbol_error", 180), ("port_rcv_switch_relay_errors", 999)]);
    node.advance(&world.at_ms(300_000));
    assert_eq!(node.events.len(), 4, "{:?}", node.events);
    assert_eq!(node.events[0].text, "symbol_error +55", "what was not told yet");
}

#[test]
fn what_begins_is_told_at_once() {
    let mut world = World::rails(1);
    read(&mut world, 0, &[("symbol_error", 0), ("link_downed", 0), ("port_rcv_errors", 0)]);
    let mut node = start(&world);
    for (second, items) in [
        (5, [("symbol_error", 4), ("link_downed", 0), ("port_rcv_errors", 0)]),
        (10, [("symbol_error", 9), ("link_downed", 1), ("port_rcv_errors", 0)]),
        (15, [("symbol_error", 9), ("link_downed", 2), ("port_rcv_errors", 7)]),
    ] {
        read(&mut world, second * 1000, &items);
        node.advance(&world.at_ms(second * 1000));
    }
    let mut texts: Vec<&str> = node.events.iter().map(|e| e.text.as_str()).collect();
    texts.reverse();
    assert_eq!(texts, ["symbol_error +4", "link_downed +1", "link_downed +1, port_rcv_errors +7"]);
}

#[test]
fn p10_a_set_that_was_not_read_again_is_no_news() {
    let mut world = World::rails(1);
    read(&mut world, 0, &[("symbol_error", 3)]);
    let mut node = start(&world);
    node.advance(&world.at_ms(1_000));
    let told = node.rails[0].health.get("symbol_error").unwrap();
    assert_eq!(why(&told.change(Since::Start, node.time.mono)), Some(Why::FirstSample));
}

#[test]
fn a_mark_begins_a_count() {
    let mut world = World::rails(1);
    read(&mut world, 0, &[("link_error_recovery", 1)]);
    let mut node = start(&world);
    read(&mut world, 5_000, &[("link_error_recovery", 3)]);
    node.advance(&world.at_ms(5_000));
    node.mark(node.time);
    read(&mut world, 10_000, &[("link_error_recovery", 4)]);
    node.advance(&world.at_ms(10_000));
    let record = node.rails[0].health.get("link_error_recovery").unwrap();
    let change = |since| record.change(since, node.time.mono).value;
    assert_eq!((change(Since::Mark), change(Since::Start)), (Ok(1), Ok(3)));
}

#[test]
fn a_link_that_is_seen_to_go_is_lost_once() {
    let mut world = World::rails(1);
    read(&mut world, 0, &[("link_downed", 0)]);
    let mut node = start(&world);
    for turn in 0..3 {
        let ms = turn * 20_000;
        world.state(0, 1, 2);
        node.advance(&world.at_ms(ms + 5_000));
        world.state(0, 2, 5);
        node.advance(&world.at_ms(ms + 7_000));
        world.state(0, 4, 5);
        read(&mut world, ms + 9_000, &[("link_downed", turn + 1)]);
        node.advance(&world.at_ms(ms + 9_000));
        assert_eq!(losses(&node), turn + 1);
    }
    // No subnet manager, or somebody who disables the port, takes no link away.
    for (state, physical) in [(2, 5), (4, 5), (1, 3), (4, 5)] {
        world.state(0, state, physical);
        node.advance(&world.at_ms(100_000 + u64::from(state + physical)));
    }
    assert_eq!(losses(&node), 3);
}

fn carrier(world: &mut World, name: &str, up: bool, downs: u64) {
    let net = world.net(name);
    net.carrier = Ok(up);
    net.carrier_changes = CarrierChanges { all: absent(), up: absent(), down: Ok(downs) };
}

#[test]
fn an_interface_without_a_port_is_judged_by_its_carrier() {
    let mut world = World::new();
    world.netdev(nic("eth0", 2, "0000:65:00.0"));
    carrier(&mut world, "eth0", true, 7);
    let mut node = start(&world);
    // Between two looks it went and came back twice.
    carrier(&mut world, "eth0", true, 9);
    node.advance(&world.at_ms(1_000));
    assert_eq!(losses(&node), 2);
    // Switched off by hand: the carrier goes, the link is not lost.
    world.net("eth0").flags = Ok(0x1002);
    carrier(&mut world, "eth0", false, 10);
    node.advance(&world.at_ms(2_000));
    assert_eq!(losses(&node), 2);
}

#[test]
fn waiting_to_send_is_told_in_ticks_and_as_an_index() {
    let mut world = World::rails(1);
    let sets = [
        [("port_xmit_wait", 1_000), ("port_xmit_data", 0)],
        [("port_xmit_wait", 2_000), ("port_xmit_data", 3_000)],
        [("port_xmit_wait", 10), ("port_xmit_data", 3_001)],
        [("port_xmit_wait", u64::from(u32::MAX)), ("port_xmit_data", 3_002)],
    ];
    read(&mut world, 0, &sets[0]);
    let mut node = start(&world);
    let congestion = |node: &Node| node.rails[0].health.congestion.clone();
    assert_eq!(why(&congestion(&node).wait_ticks_per_second), Some(Why::FirstSample));
    read(&mut world, 2_000, &sets[1]);
    node.advance(&world.at_ms(2_000));
    let told = congestion(&node);
    assert_eq!(
        (told.wait_ticks_per_second.value, told.wait_index_ratio.value),
        (Ok(500.0), Ok(0.25))
    );
    assert_eq!(told.wait_index_ratio.qualified.map(|q| q.how), Some(How::Estimate));
    read(&mut world, 4_000, &sets[2]);
    node.advance(&world.at_ms(4_000));
    assert_eq!(why(&congestion(&node).wait_index_ratio), Some(Why::Reset));
    read(&mut world, 6_000, &sets[3]);
    node.advance(&world.at_ms(6_000));
    assert_eq!(why(&congestion(&node).wait_ticks_per_second), Some(Why::Unsupported));
    assert!(node.rails[0].health.get("port_xmit_wait").unwrap().is_saturated());
    assert!(kinds(&node).contains(&EventKind::CounterReset));
}

#[test]
fn reads_that_hang_change_nothing() {
    let mut world = World::rails(1);
    read(&mut world, 0, &[("symbol_error", 5)]);
    let mut node = start(&world);
    read(&mut world, 5_000, &[("symbol_error", 6)]);
    node.advance(&world.at_ms(5_000));
    world.rdma.as_mut().unwrap()[0].stuck_since = Some(world.at_ms(6_000).time.mono);
    for second in 6..70 {
        node.advance(&world.at_ms(second * 1000));
    }
    let record = node.rails[0].health.get("symbol_error").unwrap();
    assert_eq!(record.change(Since::Start, node.time.mono).value, Ok(1));
    assert_eq!((losses(&node), node.events.len()), (0, 1), "{:?}", node.events);
}

proptest! {
    /// Any driver, any names, any values: no panic, and memory is bounded by the table.
    #[test]
    fn any_counters_are_taken(
        passes in proptest::collection::vec(
            proptest::collection::vec((0usize..70, any::<u64>(), any::<bool>()), 0..30), 1..20),
        driver in prop_oneof![Just("mlx5_core"), Just("hfi1"), Just("irdma"), Just("")],
    ) {
        let mut world = World::new();
        world.device(ib_device(0));
        Arc::make_mut(&mut world.rdma.as_mut().unwrap()[0].attrs).driver = Ok(driver.into());
        let mut node = start(&world);
        for (second, items) in passes.iter().enumerate() {
            let ms = second as u64 * 1000;
            let name = |at: &usize| crate::node::COUNTERS.get(*at).map_or("unheard_of", |c| c.name);
            let pairs: Vec<_> = items.iter().map(|(at, value, _)| (name(at), *value)).collect();
            let mut set = counters(&pairs);
            set.at = world.at_ms(ms).time.mono;
            for (counter, (_, _, readable)) in set.items.iter_mut().zip(items) {
                if !readable {
                    counter.value = Err(Unknown::new(Why::Denied, "EACCES"));
                }
            }
            world.port(0).hw_counters = Arc::new(set.clone());
            world.port(0).counters = Arc::new(set);
            node.advance(&world.at_ms(ms));
        }
        prop_assert!(node.rails[0].health.counters.len() <= crate::node::COUNTERS.len());
    }
}
