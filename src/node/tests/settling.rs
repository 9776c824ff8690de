//! Readers that do not agree yet: netlink is first, sysfs and RDMA follow.

use super::super::testing::{World, link};
use super::super::{EventKind, Presence};
use super::{kinds, names, only, start};
use crate::sample::{Link, LinkFlags, Unknown, Why};
use std::sync::Arc;

/// Two IPoIB rails of which netlink tells as well.
fn world() -> World {
    let mut world = World::rails(2);
    let links = world.netdevs.iter().flatten().map(|net| Link {
        address: net.attrs.address.clone().ok(),
        ..link(&net.name, net.attrs.ifindex.clone().unwrap(), 32, Some("ipoib"))
    });
    world.links = Ok(links.collect());
    world
}

#[test]
fn what_netlink_tells_first_is_the_same_rail_later() {
    let whole = world();
    let mut first = whole.clone();
    first.netdevs = Err(Unknown::new(Why::Timeout, "the first read is under way"));
    first.rdma = Err(Unknown::new(Why::Timeout, "the first read is under way"));
    let mut node = start(&first);
    assert_eq!(names(&node), ["ib0", "ib1"]);
    let mut half = whole.clone();
    half.rdma = first.rdma.clone();
    node.advance(&half.at_ms(20));
    node.advance(&whole.at_ms(40));
    assert_eq!(names(&node), ["ib0", "ib1"]);
    assert_eq!(node.rails[0].id, "0000:10:00.0/1");
    assert!(node.rails.iter().all(|r| r.presence == Presence::Present));
    assert!(node.events.is_empty(), "{:?}", node.events);
}

#[test]
fn a_new_name_that_sysfs_does_not_know_yet_is_one_event() {
    let mut world = world();
    let mut node = start(&world);
    world.links.as_mut().unwrap()[1].name = "ibx".into();
    node.advance(&world.at_ms(1_000));
    assert_eq!(names(&node), ["ib0", "ibx"]);
    world.net("ib1").name = "ibx".into();
    node.advance(&world.at_ms(1_100));
    Arc::make_mut(&mut world.rdma.as_mut().unwrap()[1].attrs).netdevs = vec!["ibx".into()];
    node.advance(&world.at_ms(1_200));
    assert_eq!(names(&node), ["ib0", "ibx"]);
    assert_eq!(only(&node).text, "new name (was ib1)");
}

#[test]
fn a_driver_that_is_loaded_again_is_one_rail_gone_and_back() {
    let whole = world();
    let mut node = start(&whole);
    let mut world = whole.clone();
    // netlink, sysfs, and the device, one after the other
    world.links.as_mut().unwrap().pop();
    node.advance(&world.at_ms(1_000));
    world.netdevs.as_mut().unwrap().pop();
    node.advance(&world.at_ms(1_100));
    assert_eq!(names(&node), ["ib0", "ib1"]);
    world.rdma.as_mut().unwrap().pop();
    node.advance(&world.at_ms(1_200));
    assert_eq!(names(&node), ["ib0", "ib1"]);
    assert_eq!(kinds(&node), [EventKind::RailGone]);
    // and back, with a new index
    let mut new = whole.clone();
    new.links.as_mut().unwrap()[1].index = 31;
    Arc::make_mut(&mut new.net("ib1").attrs).ifindex = Ok(31);
    world.links = new.links.clone();
    node.advance(&world.at_ms(5_000));
    world.netdevs = new.netdevs.clone();
    node.advance(&world.at_ms(5_100));
    node.advance(&new.at_ms(5_200));
    assert_eq!(names(&node), ["ib0", "ib1"]);
    assert_eq!(kinds(&node), [EventKind::RailBack, EventKind::RailGone]);
    assert!(node.rails.iter().all(|r| r.presence == Presence::Present));
}

#[test]
fn a_port_that_keeps_on_without_its_interface_takes_its_own_name_in_the_end() {
    let mut world = world();
    let mut node = start(&world);
    world.links.as_mut().unwrap().pop();
    world.netdevs.as_mut().unwrap().pop();
    node.advance(&world.at_ms(1_000));
    assert_eq!(names(&node), ["ib0", "ib1"]);
    node.advance(&world.at_ms(3_000));
    assert_eq!(names(&node), ["ib0", "mlx5_1/1"]);
}

#[test]
fn an_event_tells_how_long_its_own_state_lasted() {
    let mut world = world();
    let mut node = start(&world);
    world.links.as_mut().unwrap()[0].flags = LinkFlags(0x1003);
    node.advance(&world.at_ms(8_000));
    world.state(0, 1, 2);
    node.advance(&world.at_ms(8_100));
    assert_eq!(node.events[0].text, "link down: DOWN, Polling (was ACTIVE for at least 8 s)");
}

#[test]
fn a_group_without_a_live_rail_can_carry_zero_and_not_less() {
    let mut world = world();
    world.state(0, 1, 2);
    world.state(1, 1, 2);
    let node = start(&world);
    let usable = node.groups[0].usable_bytes_per_second.ok().copied();
    assert_eq!(usable.map(|u| (u, u.is_sign_positive())), Some((0.0, true)));
}

#[test]
fn the_routes_of_an_interface_that_went_have_its_name() {
    let mut world = world();
    let mut node = start(&world);
    world.links.as_mut().unwrap().pop();
    world.netdevs.as_mut().unwrap().pop();
    node.advance(&world.at_ms(1_000));
    world.addresses.pop();
    node.advance(&world.at_ms(1_100));
    assert_eq!(node.events[0].text, "address 10.1.0.2/16 on ib1 gone");
}

#[test]
fn an_index_alone_makes_no_interface_of_two() {
    // sysfs of one machine, netlink of another: what `--root` reads.
    let mut world = world();
    let mut other = link("eth0", 10, 1, None);
    other.address = Some("52:54:00:00:00:01".into());
    world.links = Ok(vec![other]);
    let node = start(&world);
    assert_eq!(names(&node), ["ib0", "ib1"]);
}
