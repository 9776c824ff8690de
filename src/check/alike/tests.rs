use crate::check::testkit::{healthy, set_port};
use crate::check::{Assessment, Severity, assess};
use crate::node::{Node, PortState, Rail, RailRdma};
use crate::sample::Fact;
use std::sync::Arc;

fn roots(node: &Node) -> Vec<(&'static str, Vec<String>)> {
    let of = |a: &Assessment| {
        let roots = a.findings.iter().filter(|f| f.caused_by.is_none());
        roots.map(|f| (f.id, f.rails.iter().map(ToString::to_string).collect())).collect()
    };
    of(&assess(node))
}

fn at(rail: &mut Rail, gbits: f64, width: u32, speed: &str) {
    rail.rate.nominal_bits_per_second = Fact::known(gbits * 1e9);
    rail.rate.width = Fact::known(width);
    rail.rate.speed = Fact::known(speed.into());
}

fn rdma(rail: &mut Rail) -> &mut RailRdma {
    rail.rdma.as_mut().unwrap()
}

fn firmware(rail: &mut Rail, version: &str) {
    Arc::make_mut(&mut rdma(rail).device_attrs).fw_ver = Ok(version.into());
}

fn ipoib(rail: &mut Rail, mode: &str, mtu: u32) {
    let netdev = rail.netdev.as_mut().unwrap();
    (netdev.mode, netdev.mtu) = (Ok(mode.into()), Ok(mtu));
}

fn one(id: &'static str, rail: &str) -> Vec<(&'static str, Vec<String>)> {
    vec![(id, vec![rail.to_owned()])]
}

#[test]
fn a_slower_rail_is_told_by_the_rate_of_the_others() {
    let mut node = healthy(4);
    at(&mut node.rails[2], 100.0, 2, "HDR");
    let assessment = assess(&node);
    assert_eq!(roots(&node), one("RATE_BELOW_PEERS", "ib2"));
    assert_eq!(
        &*assessment.worst().unwrap().summary,
        "ib2 runs at 100 Gb/s 2X HDR, the others of o2ib at 200 Gb/s 4X HDR: cable, transceiver or \
         switch port"
    );
}

#[test]
fn split_cables_make_all_alike() {
    let mut node = healthy(4);
    node.rails.iter_mut().for_each(|rail| at(rail, 100.0, 2, "HDR"));
    assert!(roots(&node).is_empty());
}

#[test]
fn two_that_differ_are_a_note_and_nobody_is_blamed() {
    let mut node = healthy(2);
    at(&mut node.rails[1], 100.0, 2, "HDR");
    assert_eq!(roots(&node), one("RATE_DIFFERS", "ib1"));
    assert_eq!(assess(&node).worst().unwrap().severity, Severity::Note);
    // Half of four is no majority either.
    let mut node = healthy(4);
    node.rails.iter_mut().skip(2).for_each(|rail| at(rail, 100.0, 4, "EDR"));
    assert_eq!(roots(&node), one("RATE_DIFFERS", "ib2"));
}

#[test]
fn one_lane_of_four_is_a_cable_on_any_number_of_rails() {
    let mut node = healthy(2);
    at(&mut node.rails[1], 50.0, 1, "HDR");
    assert_eq!(roots(&node), one("RATE_BELOW_PEERS", "ib1"));
    // Two ports of one lane each: nobody knows better.
    at(&mut node.rails[0], 50.0, 1, "HDR");
    assert!(roots(&node).is_empty());
}

#[test]
fn the_placeholder_of_a_dead_port_is_no_rate() {
    let mut node = healthy(4);
    set_port(&mut node.rails[2], PortState::NoSignal);
    at(&mut node.rails[2], 10.0, 4, "SDR");
    assert_eq!(roots(&node), one("PORT_DOWN", "ib2"));
}

#[test]
fn older_firmware_of_the_same_board() {
    let mut node = healthy(4);
    node.rails.iter_mut().for_each(|rail| firmware(rail, "20.43.1014"));
    firmware(&mut node.rails[3], "20.9.1014");
    assert_eq!(roots(&node), one("FIRMWARE_OLDER", "ib3"));
    // Newer is nobody's fault, another board is another count.
    firmware(&mut node.rails[3], "20.43.2000");
    assert!(roots(&node).is_empty());
    firmware(&mut node.rails[3], "16.35.1012");
    Arc::make_mut(&mut rdma(&mut node.rails[3]).device_attrs).board_id = Ok("MT_0000000013".into());
    assert!(roots(&node).is_empty());
}

#[test]
fn mtu_and_mode() {
    let table: &[(&str, u32, Option<&str>)] = &[
        ("datagram", 2044, None),
        ("datagram", 4092, None),
        ("datagram", 65520, Some("IPOIB_MTU_BEYOND_MODE")),
        ("datagram", 1500, Some("IPOIB_MTU_UNUSED")),
        ("connected", 65520, None),
        ("connected", 2044, Some("IPOIB_MTU_UNUSED")),
    ];
    for (mode, mtu, wanted) in table {
        let mut node = healthy(4);
        node.rails.iter_mut().for_each(|rail| ipoib(rail, mode, *mtu));
        let told: Vec<&str> = roots(&node).iter().map(|(id, _)| *id).collect();
        let expected: Vec<&str> =
            wanted.iter().copied().cycle().take(wanted.map_or(0, |_| 4)).collect();
        assert_eq!(told, expected, "{mode} {mtu}");
    }
}

#[test]
fn what_mends_an_mtu_is_printed_and_taken_back() {
    let mut node = healthy(2);
    node.rails.iter_mut().for_each(|rail| ipoib(rail, "datagram", 65520));
    let assessment = assess(&node);
    let finding = assessment.worst().unwrap();
    assert_eq!(&*finding.fix[0].command, "ip link set dev ib0 mtu 2044");
    assert_eq!(&*finding.undo[0].command, "ip link set dev ib0 mtu 65520");
}

#[test]
fn a_bond_gives_its_members_their_mtu() {
    let mut node = healthy(4);
    for rail in node.rails.iter_mut().take(2) {
        ipoib(rail, "datagram", 1500);
        rail.bond = Some("bond0".into());
    }
    let assessment = assess(&node);
    let told: Vec<_> = assessment.findings.iter().filter(|f| f.id == "IPOIB_MTU_UNUSED").collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].rails.iter().map(|r| &**r).collect::<Vec<_>>(), ["ib0", "ib1"]);
    assert_eq!(told[0].evidence.len(), 2);
    assert_eq!(&*told[0].fix[0].command, "ip link set dev bond0 mtu 2044");
    assert!(told[0].summary.starts_with("bond0 has MTU 1500, its members in datagram mode"));
}

#[test]
fn a_dead_rail_makes_no_majority_of_the_rest() {
    let mut node = healthy(4);
    for (rail, numa) in node.rails.iter_mut().zip([0, 0, 1, 1]) {
        Arc::make_mut(rail.pci.as_mut().unwrap()).numa_node = Ok(numa);
    }
    node.rails.iter_mut().skip(2).for_each(|rail| ipoib(rail, "datagram", 4092));
    set_port(&mut node.rails[2], PortState::NoSignal);
    assert_eq!(roots(&node), one("PORT_DOWN", "ib2"));
    // What a dead rail is made of is known all the same.
    let mut node = healthy(4);
    node.rails.iter_mut().for_each(|rail| firmware(rail, "20.43.1014"));
    firmware(&mut node.rails[2], "20.9.1014");
    set_port(&mut node.rails[2], PortState::NoSignal);
    let ids: Vec<&str> = roots(&node).iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, ["PORT_DOWN", "FIRMWARE_OLDER"]);
}

#[test]
fn another_mode_mtu_or_node_than_the_others() {
    let mut node = healthy(4);
    ipoib(&mut node.rails[1], "connected", 65520);
    let ids: Vec<&str> = roots(&node).iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, ["IPOIB_MODE_DIFFERS", "MTU_DIFFERS"]);

    let mut node = healthy(4);
    for (rail, numa) in node.rails.iter_mut().zip([0, 0, 0, 1]) {
        Arc::make_mut(rail.pci.as_mut().unwrap()).numa_node = Ok(numa);
    }
    assert_eq!(roots(&node), one("NUMA_DIFFERS", "ib3"));
    for (rail, numa) in node.rails.iter_mut().zip([0, 0, 1, 1]) {
        Arc::make_mut(rail.pci.as_mut().unwrap()).numa_node = Ok(numa);
    }
    assert!(roots(&node).is_empty(), "spread over the sockets");
}

fn board(rail: &mut Rail, id: &str) {
    Arc::make_mut(&mut rdma(rail).device_attrs).board_id = Ok(id.into());
}

#[test]
fn another_board_is_no_slow_cable() {
    // Three NDR adapters and an older HDR one in one LNet net, each at its full rate.
    let mut node = healthy(4);
    for rail in node.rails.iter_mut().take(3) {
        at(rail, 400.0, 4, "NDR");
        board(rail, "MT_0000000838");
    }
    assert_eq!(roots(&node), one("RATE_DIFFERS", "ib3"));
    assert_eq!(assess(&node).worst().unwrap().severity, Severity::Note);

    // One of the three is slow by its own kind's measure, whatever the fourth is.
    let mut node = healthy(5);
    for rail in node.rails.iter_mut().take(4) {
        at(rail, 400.0, 4, "NDR");
        board(rail, "MT_0000000838");
    }
    at(&mut node.rails[1], 100.0, 1, "NDR");
    assert_eq!(roots(&node), one("RATE_BELOW_PEERS", "ib1"));
}

#[test]
fn an_interface_that_has_not_joined_keeps_its_first_mtu() {
    // facts of the kernel: 4092 until the broadcast group is joined, then what the group has.
    let mut node = healthy(4);
    crate::check::testkit::set_carrier(&mut node.rails[2], Some(false));
    ipoib(&mut node.rails[2], "datagram", 4092);
    assert_eq!(roots(&node), one("NETDEV_NO_CARRIER", "ib2"));
}
