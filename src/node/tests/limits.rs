//! What rails and groups can carry.

use super::super::testing::{World, bond};
use super::start;
use crate::node::{CeilingBy, Node, Training};
use crate::sample::{PciFunction, PciLink, Reading, Text};
use proptest::prelude::*;
use std::sync::Arc;

/// One end of a PCIe link: what it runs at, what it can at most (GT/s, same width).
fn end(address: &str, speed: f64, max: f64, width: u32) -> PciLink {
    PciLink {
        address: address.into(),
        current_speed: Ok(speed),
        current_width: Ok(width),
        max_speed: Ok(max),
        max_width: Ok(width),
    }
}

/// Gives the device of rail `i` this address and path.
fn path(world: &mut World, i: usize, address: &str, links: Vec<PciLink>) {
    let id = |text: &str| -> Reading<Text> { Ok(text.into()) };
    let function = Arc::new(PciFunction {
        address: address.into(),
        numa_node: Ok(0),
        vendor: id("0x15b3"),
        device: id("0x101b"),
        driver: id("mlx5_core"),
        physfn: None,
        path: links,
    });
    let device = &mut world.rdma.as_mut().unwrap()[i];
    Arc::make_mut(&mut device.attrs).pci = Some(Arc::clone(&function));
    let name = format!("ib{i}");
    world.attrs(&name).pci = Some(function);
}

fn gigabits(node: &Node) -> f64 {
    node.groups[0].usable_bytes_per_second.ok().unwrap() * 8e-9
}

#[test]
fn rails_behind_one_switch_share_its_link_to_the_root() {
    let mut world = World::rails(4);
    for i in 0..4 {
        let bus = 0x20 + i;
        let links = vec![
            end(&format!("0000:{bus:02x}:00.0"), 16.0, 16.0, 16),
            end(&format!("0000:10:{i:02x}.0"), 16.0, 16.0, 16),
            end("0000:0f:00.0", 16.0, 16.0, 16),
            end("0000:00:01.0", 16.0, 16.0, 16),
        ];
        path(&mut world, i, &format!("0000:{bus:02x}:00.0"), links);
    }
    let node = start(&world);
    assert_eq!(node.rails[0].limits.ceiling_by, Some(CeilingBy::Link));
    assert!((gigabits(&node) - 252.048).abs() < 1e-6, "{}", gigabits(&node));
}

#[test]
fn members_of_an_active_backup_bond_take_turns() {
    let mut world = World::rails(2);
    world.netdev(bond("bond0", 30, 32, "active-backup", &["ib0", "ib1"]));
    for name in ["ib0", "ib1"] {
        world.attrs(name).master = Some("bond0".into());
    }
    world.o2ib(0);
    let ni = super::super::testing::ni("10.1.0.1@o2ib", &["bond0"]);
    world.nis = Ok(vec![ni]);
    let node = start(&world);
    assert_eq!(node.groups.len(), 1);
    assert!((gigabits(&node) - 200.0).abs() < 1e-6, "{}", gigabits(&node));
}

#[test]
fn idling_is_told_from_a_fault_by_the_load_when_it_was_read() {
    let mut world = World::rails(1);
    let links = || vec![end("0000:10:00.0", 2.5, 16.0, 16), end("0000:00:01.0", 2.5, 16.0, 16)];
    path(&mut world, 0, "0000:10:00.0", links());
    let training = |node: &Node| {
        node.rails[0].limits.pcie.as_ref().and_then(|p| p.links.first()).map(|l| l.training)
    };
    let mut node = start(&world);
    // 10 GB/s, but the link was last read while the rail was idle.
    for second in 1..4 {
        world.count(0, if second == 1 { 0 } else { 2_500_000_000 }, 0);
        node.advance(&world.at_ms(second * 1000));
    }
    assert_eq!(training(&node), Some(Training::SlowerAtIdle));
    let ceiling = node.rails[0].limits.ceiling_bits_per_second.ok().copied();
    assert_eq!(ceiling, Some(200e9));
    // Read again under load, and as slow as before.
    world.count(0, 2_500_000_000, 0);
    let now = world.at_ms(4_000).time.mono;
    world.rdma.as_mut().unwrap()[0].attrs_at = now;
    node.advance(&world.at_ms(4_000));
    assert_eq!(training(&node), Some(Training::Slower));
    // It stays a fault when the load is over, until the link runs as it can.
    world.rdma.as_mut().unwrap()[0].attrs_at = world.at_ms(64_000).time.mono;
    node.advance(&world.at_ms(64_000));
    assert_eq!(training(&node), Some(Training::Slower));
    let healed = vec![end("0000:10:00.0", 16.0, 16.0, 16), end("0000:00:01.0", 16.0, 16.0, 16)];
    path(&mut world, 0, "0000:10:00.0", healed);
    node.advance(&world.at_ms(65_000));
    assert_eq!(training(&node), Some(Training::Full));
    path(&mut world, 0, "0000:10:00.0", links());
    node.advance(&world.at_ms(66_000));
    assert_eq!(training(&node), Some(Training::SlowerAtIdle));
}

proptest! {
    /// A group never carries more than its cables or than any PCIe link lets through, and the
    /// order of the rails is of no account. Addresses may be anything: a capture is made by others.
    #[test]
    fn capacity_is_bounded_whatever_the_tree(
        trees in proptest::collection::vec(
            proptest::collection::vec((0u8..6, 0usize..5, 1u32..17), 0..6), 2..7),
    ) {
        const SPEEDS: [f64; 5] = [2.5, 5.0, 8.0, 16.0, 32.0];
        let build = |order: &[usize]| {
            let mut world = World::rails(u32::try_from(trees.len()).unwrap());
            for (i, at) in order.iter().enumerate() {
                let links = trees[*at].iter().map(|(bus, speed, width)| {
                    end(&format!("0000:{bus:02x}:00.0"), SPEEDS[*speed], 32.0, *width)
                });
                path(&mut world, i, &format!("0000:{:02x}:00.0", 0x40 + at), links.collect());
            }
            start(&world)
        };
        let order: Vec<usize> = (0..trees.len()).collect();
        let node = build(&order);
        let whole = gigabits(&node);
        let links = 200.0 * trees.len() as f64;
        prop_assert!((0.0..=links + 1e-6).contains(&whole), "{whole}");
        for rail in &node.rails {
            let ceiling = *rail.limits.ceiling_bits_per_second.ok().unwrap();
            prop_assert!(ceiling <= 200e9);
        }
    }
}
