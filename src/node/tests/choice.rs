//! Joining and choosing.

use super::super::testing::{
    World, absent, bond, child, ib_device, ipoib, link, netdev, ni, nic, pci, software,
};
use super::super::{GroupOrigin, LnetStage, Presence};
use super::{names, only, rail, start, why, with};
use crate::node::EventKind;
use crate::sample::{Enumerated, Gid, LnetFailure, RdmaDevice, Unknown, Why};
use std::sync::Arc;

fn roce(i: u32, netdev: &str) -> RdmaDevice {
    let mut device = ib_device(i);
    Arc::make_mut(&mut device.attrs).netdevs = vec![netdev.into()];
    let port = Arc::make_mut(&mut device.ports[0].attrs);
    port.link_layer = Ok("Ethernet".into());
    port.rate = Ok("100 Gb/sec (4X EDR)".into());
    device
}

#[test]
fn a_rail_joins_what_belongs_together() {
    let mut world = World::rails(2);
    world.o2ib(2);
    world.netdev(child("ib0.8001", 30, 10));
    world.address(30, "10.2.0.1", 24);
    let node = start(&world);
    assert_eq!(names(&node), ["ib0", "ib1"]);
    let ib0 = &node.rails[0];
    assert_eq!(ib0.id, "0000:10:00.0/1");
    assert_eq!(ib0.rdma.as_ref().unwrap().port_name, "mlx5_0/1");
    assert_eq!(ib0.children[0].name, "ib0.8001");
    let addresses: Vec<String> = ib0.addresses.iter().map(|a| a.prefix.to_string()).collect();
    assert_eq!(addresses, ["10.1.0.1/16", "10.2.0.1/24"]);
    assert_eq!(ib0.lnet[0].ni.nid, "10.1.0.1@o2ib");
    assert_eq!((node.groups.len(), node.groups[0].name.as_str()), (1, "o2ib"));
    assert_eq!(node.groups[0].origin, GroupOrigin::LnetNet);
    assert_eq!((ib0.group, node.lnet_stage()), (Some(0), LnetStage::Up));
    assert!(node.choice_note.is_none() && node.events.is_empty());
}

#[test]
fn rails_stand_by_numa_node_pci_address_and_natural_name() {
    let mut world = World::rails(12);
    world.rdma.as_mut().unwrap().reverse();
    world.netdevs.as_mut().unwrap().sort_by(|a, b| a.name.cmp(&b.name));
    let want: Vec<String> = (0..12).map(|i| format!("ib{i}")).collect();
    assert_eq!(names(&start(&world)), want);
}

#[test]
fn two_ports_of_one_function_are_told_apart_by_dev_port_or_dev_id() {
    for by_dev_id in [false, true] {
        let mut world = World::new();
        let mut device = ib_device(0);
        let mut second = device.ports[0].clone();
        second.number = 2;
        let gid = "fe80:0000:0000:0000:0000:0000:0000:0002";
        Arc::make_mut(&mut second.attrs).default_gid = Ok(gid.into());
        device.ports.push(second);
        Arc::make_mut(&mut device.attrs).netdevs = vec!["ib0".into(), "ib1".into()];
        world.device(device);
        for (i, name) in [(0, "ib1"), (1, "ib0")] {
            let mut net = ipoib(0);
            net.name = name.into();
            let attrs = Arc::make_mut(&mut net.attrs);
            attrs.address = absent();
            attrs.ifindex = Ok(10 + i);
            attrs.dev_port = Ok(if by_dev_id { 0 } else { i });
            attrs.dev_id = Ok(i);
            world.netdev(net);
        }
        let node = start(&world);
        assert_eq!(names(&node), ["ib1", "ib0"], "dev_id {by_dev_id}");
        assert_eq!(node.rails[1].rdma.as_ref().unwrap().port, 2);
    }
}

#[test]
fn without_device_links_the_guid_joins() {
    let mut world = World::rails(2);
    for i in 0..2 {
        Arc::make_mut(&mut world.rdma.as_mut().unwrap()[i].attrs).netdevs.clear();
        let attrs = world.attrs(&format!("ib{i}"));
        attrs.rdma_devices.clear();
        attrs.pci = None;
    }
    let node = start(&world);
    assert_eq!(names(&node), ["ib0", "ib1"]);
    assert_eq!(node.rails[1].rdma.as_ref().unwrap().device, "mlx5_1");
}

#[test]
fn a_capture_of_links_only_has_rails() {
    let mut world = World::new();
    world.netdevs = absent();
    let mut links = vec![
        link("lo", 1, 772, None),
        link("ib0", 2, 32, Some("tun")),
        link("ib0.8001", 3, 32, Some("ipoib")),
        link("veth0", 4, 1, Some("veth")),
        link("eth0", 5, 1, None),
    ];
    links[2].parent = Some(2);
    world.links = Ok(links);
    world.address(2, "10.1.0.1", 16);
    let node = start(&world);
    assert_eq!(names(&node), ["ib0"]);
    let ib0 = &node.rails[0];
    assert_eq!((ib0.id.as_str(), ib0.children.len(), ib0.addresses.len()), ("ib0", 1, 1));
    assert_eq!(ib0.netdev.as_ref().unwrap().carrier, Ok(true));
    assert_eq!(why(&ib0.rx.bytes_per_second), Some(Why::Absent));
    assert_eq!(node.other.names, ["eth0"]);
}

#[test]
fn virtual_interfaces_are_rails_only_by_name() {
    let mut world = World::new();
    world.netdev(software("lo", 1, 772));
    world.netdev(software("ib0", 2, 1));
    let node = start(&world);
    assert!(node.rails.is_empty());
    assert!(node.choice_note.unwrap().starts_with("no rail found: only virtual interfaces"));
    let node = with(&world, &["ib*", "mlx5_9", "[bad"], &[]);
    assert_eq!(names(&node), ["ib0"]);
    assert_eq!(node.unmatched_patterns(), ["mlx5_9", "[bad"]);
}

#[test]
fn without_infiniband_the_physical_nics_are_shown() {
    let mut world = World::new();
    world.netdev(nic("eth1", 3, "0000:02:00.0"));
    world.netdev(nic("eth0", 2, "0000:01:00.0"));
    world.netdev(bond("bond0", 4, 1, "802.3ad", &["eth0", "eth1"]));
    world.netdev(software("docker0", 5, 1));
    for name in ["eth0", "eth1"] {
        world.attrs(name).master = Some("bond0".into());
    }
    world.address(4, "10.0.0.5", 24);
    let node = start(&world);
    assert_eq!(names(&node), ["eth0", "eth1"]);
    assert_eq!(node.rails[0].bond.as_deref(), Some("bond0"));
    assert_eq!(node.rails[1].addresses[0].interface, "bond0");
    assert_eq!(node.choice_note.as_deref(), Some("no InfiniBand here: physical NICs shown"));
    assert!(node.other.names.is_empty());
}

#[test]
fn roce_beside_infiniband_is_folded_unless_lnet_uses_it() {
    let mut world = World::rails(1);
    world.device(roce(4, "eth4"));
    world.netdev(nic("eth4", 24, "0000:14:00.0"));
    let node = start(&world);
    assert_eq!(names(&node), ["ib0"]);
    assert_eq!(
        (node.not_shown[0].what, node.not_shown[0].names[0].as_str()),
        ("RoCE port", "mlx5_4/1")
    );
    assert_eq!(node.not_shown[0].hint, "--rail mlx5_4/1");
    assert_eq!(node.other.names, ["eth4"]);
    assert_eq!(names(&with(&world, &["mlx5_4/1"], &[])), ["eth4"]);
    world.nis = Ok(vec![ni("10.9.0.1@o2ib1", &["eth4:1"])]);
    assert_eq!(names(&start(&world)), ["ib0", "eth4"]);
}

#[test]
fn virtual_functions_are_not_shown_on_the_host() {
    let mut world = World::rails(2);
    let mut vf = (*pci("0000:11:00.1", 0)).clone();
    vf.physfn = Some("0000:11:00.0".into());
    Arc::make_mut(&mut world.rdma.as_mut().unwrap()[1].attrs).pci = Some(Arc::new(vf.clone()));
    world.attrs("ib1").pci = Some(Arc::new(vf));
    let node = start(&world);
    assert_eq!(names(&node), ["ib0"]);
    assert_eq!(node.not_shown[0].what, "virtual function");
    world.rdma.as_mut().unwrap().remove(0);
    world.netdevs.as_mut().unwrap().remove(0);
    let node = start(&world);
    assert_eq!(names(&node), ["ib1"], "nothing else here");
    assert_eq!(node.choice_note.as_deref(), Some("virtual functions only"));
}

#[test]
fn p15_unused_ports_of_a_many_port_card_are_folded() {
    let mut world = World::new();
    let mut device = ib_device(0);
    let port = device.ports[0].clone();
    device.ports = (1..=4)
        .map(|number| {
            let mut port = port.clone();
            port.number = number;
            if number < 4 {
                port.phys_state.value = Ok(Enumerated { code: 3, word: "Disabled".into() });
            }
            port
        })
        .collect();
    Arc::make_mut(&mut device.attrs).netdevs.clear();
    world.device(device);
    let node = start(&world);
    assert_eq!(names(&node), ["mlx5_0/4"]);
    assert_eq!(node.not_shown[0].names.len(), 3);
}

#[test]
fn exclude_removes_and_a_child_is_a_rail_only_by_itself() {
    let mut world = World::rails(3);
    world.netdev(child("ib0.8001", 30, 10));
    assert_eq!(names(&with(&world, &[], &["mlx5_1"])), ["ib0", "ib2"]);
    assert_eq!(names(&with(&world, &["ib0*"], &[])), ["ib0"]);
    assert_eq!(names(&with(&world, &["ib0.8001"], &[])), ["ib0.8001"]);
}

#[test]
fn rxe_sits_on_its_parent_and_the_nic_has_the_bytes() {
    let mut world = World::new();
    let mut device = roce(0, "none");
    device.name = "rxe0".into();
    let attrs = Arc::make_mut(&mut device.attrs);
    (attrs.pci, attrs.parent, attrs.driver) = (None, Some("eth1".into()), Ok("rxe".into()));
    device.ports[0].data.rx.clear();
    device.ports[0].data.tx.clear();
    world.device(device);
    world.netdev(nic("eth1", 3, "0000:02:00.0"));
    let mut node = start(&world);
    let eth1 = &node.rails[0];
    assert_eq!((eth1.name.as_str(), eth1.id.as_str()), ("eth1", "0000:02:00.0/1"));
    world.net("eth1").stats.rx_bytes.value = Ok(5_000);
    node.advance(&world.at_ms(1_000));
    let rx = &node.rails[0].rx;
    assert_eq!(
        (rx.bytes_per_second.value.clone(), rx.source.unwrap().word()),
        (Ok(5_000.0), "netdev")
    );
    assert_eq!(rx.bytes_per_second.qualified, None);
}

#[test]
fn a_lag_device_is_its_bond() {
    let mut world = World::rails(1);
    let mut device = roce(4, "eth4");
    device.name = "mlx5_bond_0".into();
    Arc::make_mut(&mut device.ports[0].attrs).gids = vec![Gid {
        index: 0,
        gid: "fe80:0000:0000:0000:0000:0000:0000:0004".into(),
        netdev: Some("bond0".into()),
        kind: None,
    }];
    world.device(device);
    world.netdev(nic("eth4", 24, "0000:14:00.0"));
    world.netdev(nic("eth5", 25, "0000:14:00.1"));
    world.netdev(bond("bond0", 26, 1, "802.3ad", &["eth4", "eth5"]));
    for name in ["eth4", "eth5"] {
        world.attrs(name).master = Some("bond0".into());
    }
    assert_eq!(names(&with(&world, &["mlx5_bond_0/1"], &[])), ["bond0"]);
    assert_eq!(start(&world).other.names, ["eth4", "eth5"], "each member once, the bond never");
}

#[test]
fn an_active_backup_bond_has_no_balance() {
    let mut world = World::rails(2);
    world.netdev(bond("bond0", 40, 32, "active-backup", &["ib0", "ib1"]));
    for name in ["ib0", "ib1"] {
        world.attrs(name).master = Some("bond0".into());
    }
    world.addresses.clear();
    world.address(40, "10.1.0.9", 16);
    world.nis = Ok(vec![ni("10.1.0.9@o2ib", &["bond0"])]);
    let node = start(&world);
    assert_eq!(names(&node), ["ib0", "ib1"]);
    assert_eq!(node.rails[1].lnet[0].ni.nid, "10.1.0.9@o2ib");
    assert_eq!(why(&node.groups[0].balance.rx.jain_index), Some(Why::NotApplicable));
}

#[test]
fn an_ni_without_interface_is_found_by_address() {
    let mut world = World::rails(2);
    world.nis = Ok(vec![ni("10.1.0.2@o2ib", &[]), ni("0@lo", &[])]);
    let node = start(&world);
    assert_eq!((node.rails[0].lnet.len(), node.rails[1].lnet.len()), (0, 1));
}

#[test]
fn guessed_groups_share_a_prefix_or_a_subnet() {
    let mut world = World::rails(3);
    assert_eq!(start(&world).groups[0].rails, [0, 1, 2]);
    assert_eq!(start(&world).groups[0].name, "10.1.0.0/16");
    let other = &mut world.rdma.as_mut().unwrap()[2].attrs;
    Arc::make_mut(other).board_id = Ok("MT_0000000001".into());
    let node = start(&world);
    assert_eq!(node.groups[0].rails, [0, 1]);
    assert_eq!((node.rails[2].group, node.groups[0].origin), (None, GroupOrigin::Guess));
    let mut tuns = World::new();
    for (i, address) in ["10.1.0.1", "10.1.0.2", "10.2.0.1"].iter().enumerate() {
        let index = 10 + i as u32;
        tuns.netdev(software(&format!("ib{i}"), index, 32));
        tuns.address(index, address, 16);
    }
    assert_eq!(start(&tuns).groups[0].rails, [0, 1]);
}

#[test]
fn a_dead_rail_stays_in_its_group() {
    let mut world = World::rails(4);
    world.o2ib(4);
    let mut node = start(&world);
    let whole = world.clone();
    world.rdma.as_mut().unwrap().remove(2);
    world.netdevs.as_mut().unwrap().remove(2);
    world.addresses.remove(2);
    world.nis.as_mut().unwrap().remove(2);
    node.advance(&world.at_ms(1_000));
    assert_eq!(node.groups[0].rails, [0, 1, 2, 3]);
    assert_eq!((node.groups[0].usable_rails, node.rails[2].last_active_rate), (3, Some(200e9)));
    assert!(matches!(node.rails[2].presence, Presence::Gone { .. }));
    node.advance(&whole.at_ms(2_000));
    assert_eq!((node.rails[2].presence, node.groups[0].usable_rails), (Presence::Present, 4));
}

#[test]
fn a_rail_that_moves_to_another_net_leaves_its_group() {
    let mut world = World::rails(3);
    world.o2ib(3);
    let mut node = start(&world);
    world.nis.as_mut().unwrap()[2] = ni("10.1.0.3@o2ib1", &["ib2"]);
    node.advance(&world.at_ms(1_000));
    assert_eq!(node.groups[0].rails, [0, 1]);
    world.nis = Err(LnetFailure::NotConfigured);
    node.advance(&world.at_ms(2_000));
    assert_eq!((node.groups[0].rails.len(), node.groups[0].origin), (3, GroupOrigin::Guess));
}

#[test]
fn late_lnet_turns_nics_into_the_ports_it_uses() {
    let mut world = World::new();
    for i in 0..3_u32 {
        world.netdev(nic(&format!("eth{i}"), 2 + i, &format!("0000:0{i}:00.0")));
    }
    world.nis = Err(LnetFailure::Pending);
    let mut node = start(&world);
    assert_eq!(names(&node), ["eth0", "eth1", "eth2"]);
    world.nis = Ok(vec![ni("10.0.0.1@tcp", &["eth1"]), ni("10.0.0.2@tcp", &["eth2"])]);
    node.advance(&world.at_ms(1_000));
    assert_eq!(names(&node), ["eth1", "eth2"]);
    assert!(node.events.is_empty(), "{:?}", node.events);
    world.nis = Err(LnetFailure::NotConfigured);
    node.advance(&world.at_ms(2_000));
    assert_eq!(names(&node), ["eth1", "eth2"], "the rows stay");
}

#[test]
fn one_identity_twice_loses_no_row() {
    let mut world = World::rails(2);
    let twin = world.rdma.as_ref().unwrap()[0].attrs.pci.clone();
    Arc::make_mut(&mut world.rdma.as_mut().unwrap()[1].attrs).pci = twin;
    let mut node = start(&world);
    let ids: Vec<_> = node.rails.iter().map(|r| r.id.clone()).collect();
    assert_eq!((ids.len(), ids[0] == ids[1]), (2, false));
    world.netdevs.as_mut().unwrap().reverse();
    world.rdma.as_mut().unwrap().reverse();
    node.advance(&world.at_ms(1_000));
    let again: Vec<_> = node.rails.iter().map(|r| r.id.clone()).collect();
    assert_eq!(ids, again);
}

#[test]
fn a_failed_reading_is_no_vanished_rail() {
    let mut world = World::rails(1);
    let mut node = start(&world);
    let whole = world.clone();
    world.rdma = Err(Unknown::new(Why::Timeout, "mlx5_0"));
    world.netdevs = Err(Unknown::new(Why::Timeout, "sysfs"));
    node.advance(&world.at_ms(1_000));
    assert_eq!(rail(&node, "ib0").presence, Presence::Present);
    assert!(rail(&node, "ib0").rx.bytes_per_second.value.is_err());
    node.advance(&whole.at_ms(2_000));
    assert!(node.events.is_empty(), "{:?}", node.events);
}

#[test]
fn a_new_name_and_index_continue_the_row() {
    let mut world = World::rails(2);
    let mut node = start(&world);
    world.net("ib1").name = "ibx".into();
    Arc::make_mut(&mut world.rdma.as_mut().unwrap()[1].attrs).netdevs = vec!["ibx".into()];
    node.advance(&world.at_ms(1_000));
    assert_eq!(names(&node), ["ib0", "ibx"]);
    assert_eq!(
        (only(&node).kind, only(&node).text.as_str()),
        (EventKind::Renamed, "new name (was ib1)")
    );
}

#[test]
fn iwarp_that_says_infiniband_is_no_rail_of_its_own() {
    let mut world = World::rails(1);
    let mut device = ib_device(5);
    device.name = "i40iw0".into();
    let attrs = Arc::make_mut(&mut device.attrs);
    attrs.node_type = Ok(Enumerated { code: 4, word: "RNIC".into() });
    attrs.netdevs = vec!["eth5".into()];
    world.device(device);
    world.netdev(netdev("eth5", 25, 1));
    assert_eq!(names(&start(&world)), ["ib0"]);
}
