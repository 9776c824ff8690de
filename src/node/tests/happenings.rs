//! Events, marks, intervals.

use super::super::testing::{World, counters, link, route, rule, state_of};
use super::{kinds, only, start};
use crate::node::{EventKind, LnetStage};
use crate::sample::{LinkFlags, LnetFailure, Mono, Why};
use std::sync::Arc;
use std::time::Duration;

#[test]
fn a_link_that_goes_and_comes_says_for_how_long() {
    let mut world = World::rails(1);
    let mut node = start(&world);
    world.state(0, 1, 2);
    node.advance(&world.at_ms(60_000));
    assert_eq!(only(&node).text, "link down: DOWN, Polling (was ACTIVE for at least 1 min 0 s)");
    world.state(0, 2, 5);
    node.advance(&world.at_ms(62_000));
    assert_eq!(node.events[0].kind, EventKind::LinkState);
    world.state(0, 4, 5);
    node.advance(&world.at_ms(64_000));
    assert_eq!(node.events[0].text, "link up: ACTIVE (was INIT, LinkUp for 2 s)");
    assert_eq!(node.rails[0].state_since.map(|t| t.mono), Some(world.at_ms(64_000).time.mono));
    world.state(0, 1, 3);
    node.advance(&world.at_ms(74_000));
    assert_eq!(node.events[0].text, "link down: DOWN, Disabled (was ACTIVE for 10 s)");
}

#[test]
fn carrier_alone_is_an_event_only_while_the_port_is_active() {
    let mut world = World::rails(1);
    world.links = Ok(vec![link("ib0", 10, 32, Some("ipoib"))]);
    let mut node = start(&world);
    world.links.as_mut().unwrap()[0].flags = LinkFlags(0x1003);
    node.advance(&world.at_ms(1_000));
    assert!(only(&node).text.starts_with("ib0 carrier lost"), "{:?}", node.events);
    world.state(0, 1, 2);
    node.advance(&world.at_ms(2_000));
    world.links.as_mut().unwrap()[0].flags = LinkFlags(0x1_1043);
    node.advance(&world.at_ms(3_000));
    assert_eq!(node.events.len(), 2);
    world.state(0, 4, 5);
    node.advance(&world.at_ms(4_000));
    // One fault, one link_down and one link_up, whatever told of it first.
    let kinds: Vec<EventKind> = node.events.iter().rev().map(|e| e.kind).collect();
    assert_eq!(kinds, [EventKind::LinkDown, EventKind::LinkState, EventKind::LinkUp]);
}

#[test]
fn rate_and_lid_changes() {
    let mut world = World::rails(1);
    let mut node = start(&world);
    let attrs = Arc::make_mut(&mut world.port(0).attrs);
    (attrs.rate, attrs.sm_lid) = (Ok("100 Gb/sec (2X HDR)".into()), Ok(9));
    node.advance(&world.at_ms(1_000));
    let mut texts: Vec<&str> = node.events.iter().map(|e| e.text.as_str()).collect();
    texts.sort_unstable();
    assert_eq!(texts, ["SM LID 1 is now 9", "link rate 200 Gb/s 4X HDR is now 100 Gb/s 2X HDR"]);
}

#[test]
fn rising_error_counters_are_one_event_per_pass() {
    let mut world = World::rails(1);
    world.port(0).counters =
        Arc::new(counters(&[("symbol_error", 5), ("link_downed", 254), ("port_xmit_wait", 1)]));
    let mut node = start(&world);
    node.advance(&world.at_ms(1_000));
    let mut more =
        counters(&[("symbol_error", 8), ("link_downed", 255), ("port_xmit_wait", 1 << 20)]);
    more.at = Mono(9);
    world.port(0).counters = Arc::new(more);
    node.advance(&world.at_ms(2_000));
    assert_eq!(only(&node).text, "link_downed +≥1, symbol_error +3");
    let mut reset = counters(&[("symbol_error", 0), ("link_downed", 0), ("port_xmit_wait", 0)]);
    reset.at = Mono(10);
    world.port(0).counters = Arc::new(reset);
    node.advance(&world.at_ms(3_000));
    assert_eq!(kinds(&node), [EventKind::CounterReset, EventKind::Errors]);
}

#[test]
fn p19_an_ni_is_up_only_if_status_and_fatal_error_agree() {
    let mut world = World::rails(2);
    world.o2ib(2);
    let mut node = start(&world);
    world.nis.as_mut().unwrap()[1].fatal_error = Ok(1);
    node.advance(&world.at_ms(1_000));
    assert_eq!(only(&node).text, "NI 10.1.0.2@o2ib up, fatal_error 1");
    assert_eq!((only(&node).kind, only(&node).subject.as_str()), (EventKind::NiDown, "o2ib"));
    world.nis.as_mut().unwrap()[1].fatal_error = Ok(0);
    node.advance(&world.at_ms(2_000));
    assert_eq!(node.events[0].kind, EventKind::NiUp);
    let gone = world.nis.as_mut().unwrap().remove(1);
    node.advance(&world.at_ms(3_000));
    assert_eq!(node.events[0].text, "NI 10.1.0.2@o2ib is gone");
    world.nis.as_mut().unwrap().push(gone);
    node.advance(&world.at_ms(4_000));
    assert_eq!(node.events[0].text, "NI 10.1.0.2@o2ib added");
    world.nis = Err(LnetFailure::NotConfigured);
    node.advance(&world.at_ms(5_000));
    assert_eq!(node.events[0].text, "LNet is loaded, not configured (was up)");
    assert_eq!((node.lnet_stage(), node.events.len()), (LnetStage::Loaded, 5));
}

#[test]
fn an_ni_of_a_renamed_interface_is_found_by_its_address() {
    let mut world = World::rails(2);
    world.o2ib(2);
    world.nis.as_mut().unwrap()[1].interfaces = vec!["ib_old".into()];
    let node = start(&world);
    let on = |i: usize| node.rails[i].lnet.iter().map(|n| n.ni.nid.as_str()).collect::<Vec<_>>();
    assert_eq!((on(0), on(1)), (vec!["10.1.0.1@o2ib"], vec!["10.1.0.2@o2ib"]));
}

#[test]
fn p20_message_rates_wrap_and_reset() {
    let mut world = World::rails(1);
    world.o2ib(1);
    let count = |world: &mut World, sent, received| {
        let ni = &mut world.nis.as_mut().unwrap()[0];
        (ni.send_count, ni.recv_count) = (Ok(sent), Ok(received));
    };
    count(&mut world, u32::MAX - 9, 5_000);
    let mut node = start(&world);
    count(&mut world, 10, 5_010);
    node.advance(&world.at_ms(2_000));
    let ni = &node.rails[0].lnet[0];
    assert_eq!(ni.sent_per_second.value, Ok(10.0));
    assert_eq!(ni.received_per_second.value, Ok(5.0));
    // The counts of an NI begin anew together: what rose is no more to be believed.
    count(&mut world, 20, 10);
    node.advance(&world.at_ms(4_000));
    let ni = &node.rails[0].lnet[0];
    assert_eq!(super::why(&ni.sent_per_second), Some(Why::Reset));
    assert_eq!(super::why(&ni.received_per_second), Some(Why::Reset));
}

#[test]
fn routing_changes_are_told_in_a_few_lines() {
    let mut world = World::rails(2);
    world.links = Ok(vec![link("ib0", 10, 32, None), link("ib1", 11, 32, None)]);
    world.routes = vec![route("10.1.0.0", 16, 10), route("10.1.0.0", 16, 11)];
    let mut node = start(&world);
    world.routes.remove(0);
    world.rules.push(rule(9410, "10.1.0.1", 941));
    world.routes[0].next_hops[0].flags.linkdown = true;
    world.routes[0].expires = Some(7);
    node.advance(&world.at_ms(1_000));
    let texts: Vec<&str> = node.events.iter().map(|e| e.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "rule 9410 from 10.1.0.1/32 lookup 941 added",
            "route 10.1.0.0/16 dev ib0 gone from table main",
            "route 10.1.0.0/16 dev ib1 in table main: linkdown",
        ]
    );
    world.routes[0].expires = Some(6);
    node.advance(&world.at_ms(2_000));
    assert_eq!(node.events.len(), 3, "the time left of a route is no change");
    world.routes.extend((0..20).map(|i| route(&format!("10.{}.0.0", 10 + i), 16, 10)));
    node.advance(&world.at_ms(3_000));
    assert_eq!(node.events.len(), 3 + 6);
    assert_eq!(node.events[5].text, "+15 more changes");
    world
        .routes
        .extend((0..1_000).map(|i| route(&format!("11.{}.{}.0", i / 250, i % 250), 24, 10)));
    node.advance(&world.at_ms(4_000));
    assert_eq!(node.events[0].text, "routes: 21 before, 1021 now");
}

#[test]
fn the_log_is_bounded_and_newest_first() {
    let mut world = World::rails(1);
    let mut node = start(&world);
    for i in 1..1_100 {
        world.state(0, if i % 2 == 0 { 4 } else { 1 }, 5);
        node.advance(&world.at_ms(i * 100));
    }
    assert_eq!(node.events.len(), 1_000);
    assert!(node.events[0].time.mono > node.events[1].time.mono);
    assert_eq!(node.rails[0].history.points.len(), super::super::History::KEEP);
}

#[test]
fn marks_are_lettered() {
    let world = World::rails(1);
    let mut node = start(&world);
    for _ in 0..27 {
        node.mark(node.time);
    }
    let names: Vec<&str> = node.marks.iter().map(|m| m.name.as_str()).collect();
    assert_eq!((names[0], names[1], names[25], names[26]), ("A", "B", "Z", "AA"));
    assert_eq!(node.events[0].text, "mark AA");
}

#[test]
fn the_interval_is_measured_between_full_passes() {
    let mut world = World::rails(1);
    let mut node = start(&world);
    assert_eq!(node.measured_interval, None);
    world.count(0, 1, 1);
    node.advance(&world.at_ms(1_250));
    assert_eq!(node.measured_interval, Some(Duration::from_millis(1_250)));
    let mut between = world.at_ms(1_250);
    between.time = world.at_ms(1_300).time;
    let device = Arc::make_mut(&mut between.rdma.as_mut().unwrap()[0]);
    device.ports[0].state.value = Ok(state_of(1));
    node.advance(&between);
    assert_eq!(node.measured_interval, Some(Duration::from_millis(1_250)));
    assert_eq!(kinds(&node), [EventKind::LinkDown]);
    assert_eq!(node.rails[0].history.points.len(), 2);
}

/// A live node is first seen before `lnetctl` has answered; its modules alone say "not loaded".
#[test]
fn the_first_answer_about_lnet_is_no_change() {
    let mut world = World::rails(1);
    world.nis = Err(LnetFailure::Pending);
    let mut first = world.at_ms(0);
    std::sync::Arc::make_mut(&mut first.lnet).modules.lnet = Some(false);
    let mut node = crate::node::Node::new(
        crate::node::Settings::default(),
        crate::node::SourceKind::Live,
        &first,
    );
    assert_eq!(node.lnet_stage(), LnetStage::NotLoaded);
    world.nis = Err(LnetFailure::NotInstalled);
    node.advance(&world.at_ms(1_000));
    assert_eq!(node.lnet_stage(), LnetStage::Absent);
    assert!(node.events.iter().all(|e| e.kind != EventKind::Lnet), "{:?}", node.events);
}
