use crate::read::Due;
use crate::read::root::Root;
use crate::read::sysfs::NetReader;
use crate::read::sysfs::tree::{Nic, STATISTICS, Tree};
use crate::sample::{Netdev, Reading, Why};
use proptest::prelude::*;
use std::sync::Arc;

const DATA: Due = Due { state: true, data: true, slow: false, rare: false };
const SLOW: Due = Due { slow: true, ..DATA };

fn reader(tree: &Tree) -> NetReader {
    NetReader::new(&Root::new(tree.path()))
}

fn read(tree: &Tree) -> Vec<Arc<Netdev>> {
    reader(tree).pass(Due::ALL).unwrap()
}

fn why<T>(reading: &Reading<T>) -> Option<Why> {
    reading.as_ref().err().map(|unknown| unknown.why)
}

fn names(netdevs: &[Arc<Netdev>]) -> Vec<&str> {
    netdevs.iter().map(|n| n.name.as_str()).collect()
}

#[test]
fn no_class_net() {
    let tree = Tree::new();
    assert_eq!(why(&reader(&tree).pass(Due::ALL)), Some(Why::Absent));
}

#[test]
fn an_ipoib_interface() {
    let tree = Tree::new();
    let pci = tree.pci("0000:1a", 0, "16.0 GT/s PCIe", "16");
    tree.hca("mlx5_0", Some(&pci));
    tree.netdev("ib0", Some(&pci), Nic::ipoib(4));
    tree.file("sys/class/net/bonding_masters", "\n");
    let netdevs = read(&tree);
    assert_eq!(names(&netdevs), ["ib0"]);
    let ib0 = &netdevs[0];
    assert_eq!((ib0.flags.clone(), ib0.carrier.clone()), (Ok(0x1003), Ok(true)));
    assert_eq!(*ib0.operstate.as_ref().unwrap(), *"up");
    assert_eq!(ib0.carrier_changes.up, Ok(3));
    assert_eq!(ib0.stats.rx_bytes.value, Ok(1000));
    assert_eq!(ib0.stats.slow.items.len(), STATISTICS.len() - 2);
    let attrs = &ib0.attrs;
    assert_eq!((attrs.kind.clone(), attrs.mtu.clone()), (Ok(32), Ok(2044)));
    assert_eq!(attrs.speed_mbps, Ok(200_000));
    assert_eq!(*attrs.ipoib.as_ref().unwrap().mode.as_ref().unwrap(), *"datagram");
    assert_eq!(attrs.rdma_devices, ["mlx5_0"]);
    assert_eq!(attrs.pci.as_ref().unwrap().address, *"0000:1a:0a.0");
    assert_eq!(why(&attrs.alias), Some(Why::Absent));
    assert_eq!(why(&attrs.dev_id), Some(Why::NotApplicable));
    assert!(!attrs.is_virtual);
}

#[test]
fn carrier_and_speed_of_a_down_interface_are_not_asked_for() {
    let tree = Tree::new();
    let pci = tree.pci("0000:1a", 0, "16.0 GT/s PCIe", "16");
    tree.netdev("ib0", Some(&pci), Nic { up: false, ..Nic::ipoib(4) });
    let mut reader = reader(&tree);
    let netdevs = reader.pass(Due::ALL).unwrap();
    assert_eq!(why(&netdevs[0].carrier), Some(Why::Inactive));
    assert_eq!(why(&netdevs[0].attrs.speed_mbps), Some(Why::Inactive));
    tree.file("sys/class/net/ib0/flags", "0x1003\n");
    tree.file("sys/class/net/ib0/carrier", "0\n");
    tree.file("sys/class/net/ib0/speed", "-1\n");
    let netdevs = reader.pass(DATA).unwrap();
    assert_eq!(netdevs[0].carrier, Ok(false));
    assert_eq!(why(&netdevs[0].attrs.speed_mbps), Some(Why::Absent));
    tree.file("sys/class/net/ib0/flags", "0x1002\n");
    assert_eq!(why(&reader.pass(DATA).unwrap()[0].carrier), Some(Why::Inactive));
}

#[test]
fn children_bonds_and_vlans() {
    let tree = Tree::new();
    let pci = tree.pci("0000:1a", 0, "16.0 GT/s PCIe", "16");
    let ib0 = tree.netdev("ib0", Some(&pci), Nic::ipoib(4));
    let child = tree.netdev("ib0.8001", None, Nic::ipoib(9));
    tree.file(format!("{child}/parent"), "ib0\n");
    let other = tree.netdev("ib0.8002", None, Nic::ipoib(13));
    tree.file(format!("{other}/iflink"), "4\n");
    let vlan = tree.netdev("eth0.7", None, Nic::ethernet(10));
    tree.link(format!("{vlan}/lower_eth0"), "../eth0");
    let bond = tree.netdev("bond0", None, Nic::ipoib(11));
    tree.link(format!("{bond}/lower_ib0"), "../ib0");
    tree.file(format!("{bond}/bonding/mode"), "active-backup 1\n");
    tree.file(format!("{bond}/bonding/slaves"), "ib0 ib1\n");
    tree.file(format!("{bond}/bonding/active_slave"), "ib0\n");
    tree.link(format!("{ib0}/master"), "../../../../../virtual/net/bond0");
    let bridge = tree.netdev("br0", None, Nic::ethernet(12));
    tree.dir(format!("{bridge}/bridge"));
    tree.link(format!("{bridge}/lower_eth0"), "../eth0");

    let netdevs = read(&tree);
    assert_eq!(names(&netdevs), ["bond0", "br0", "eth0.7", "ib0", "ib0.8001", "ib0.8002"]);
    let [bond0, br0, vlan, ib0, child, other] = &netdevs[..] else { panic!() };
    assert_eq!(other.attrs.parent.as_deref(), Some("ib0"));
    assert_eq!(child.attrs.parent.as_deref(), Some("ib0"));
    assert!(child.attrs.is_virtual && child.attrs.pci.is_none());
    assert_eq!(vlan.attrs.parent.as_deref(), Some("eth0"));
    assert_eq!(br0.attrs.parent, None);
    assert_eq!(ib0.attrs.master.as_deref(), Some("bond0"));
    let bond = bond0.attrs.bond.as_ref().unwrap();
    assert_eq!(*bond.mode.as_ref().unwrap(), *"active-backup");
    assert_eq!(bond.slaves, ["ib0", "ib1"]);
    assert_eq!(bond.active_slave.as_deref(), Some("ib0"));
    assert_eq!(bond0.attrs.parent, None);
}

#[test]
fn dev_id_only_where_dev_port_cannot_tell() {
    let tree = Tree::new();
    let pci = tree.pci("0000:1a", 0, "8.0 GT/s PCIe", "8");
    for (name, id) in [("ib0", "0x0"), ("ib1", "0x1")] {
        let path = tree.netdev(name, Some(&pci), Nic::ipoib(4));
        tree.file(format!("{path}/dev_id"), &format!("{id}\n"));
    }
    // The link that sysfs has from the function to its netdevs is the directory itself here.
    let netdevs = read(&tree);
    assert_eq!(netdevs[1].attrs.dev_id, Ok(1));
    tree.file("sys/class/net/ib1/dev_port", "1\n");
    let netdevs = read(&tree);
    assert_eq!(why(&netdevs[0].attrs.dev_id), Some(Why::NotApplicable));
    assert_eq!(why(&netdevs[1].attrs.dev_id), Some(Why::NotApplicable));
}

#[test]
fn copied_without_links() {
    let tree = Tree::new();
    tree.file("sys/class/net/ib0/type", "32\n");
    tree.file("sys/class/net/ib0/device/uevent", "DRIVER=mlx5_core\nPCI_SLOT_NAME=0000:1a:00.0\n");
    tree.file("sys/class/net/docker0/type", "1\n");
    let netdevs = read(&tree);
    assert!(netdevs[0].attrs.is_virtual);
    assert!(!netdevs[1].attrs.is_virtual);
    let pci = netdevs[1].attrs.pci.as_ref().unwrap();
    assert_eq!(pci.address, *"0000:1a:00.0");
    assert_eq!(*pci.driver.as_ref().unwrap(), *"mlx5_core");
}

#[test]
fn a_dangling_device_is_no_function() {
    let tree = Tree::new();
    let path = tree.netdev("eth0", None, Nic::ethernet(2));
    tree.link(format!("{path}/device"), "../../../nowhere");
    assert_eq!(read(&tree)[0].attrs.pci, None);
}

#[test]
fn many_virtual_interfaces_cost_nothing_in_a_fast_pass() {
    let tree = Tree::new();
    let pci = tree.pci("0000:1a", 0, "16.0 GT/s PCIe", "16");
    tree.netdev("ib0", Some(&pci), Nic::ipoib(4));
    for index in 0..40 {
        tree.netdev(&format!("veth{index}"), None, Nic::ethernet(10 + index));
    }
    let mut reader = reader(&tree);
    let first = reader.pass(Due::ALL).unwrap();
    assert_eq!(first.len(), 41);
    let second = reader.pass(DATA).unwrap();
    // flags, operstate, two counters, and the carrier, as the tree is a copy
    assert_eq!(reader.reads(), 5);
    let shared = first.iter().zip(&second).filter(|(a, b)| Arc::ptr_eq(a, b)).count();
    assert_eq!(shared, 40);
    assert!(Arc::ptr_eq(&first[0].attrs, &second[0].attrs));
    let third = reader.pass(SLOW).unwrap();
    assert!(reader.reads() < 40 * 5 + 30, "{}", reader.reads());
    assert!(third.iter().zip(&first).all(|(a, b)| Arc::ptr_eq(&a.attrs, &b.attrs)));
}

#[test]
fn interfaces_come_and_go() {
    let tree = Tree::new();
    tree.netdev("veth0", None, Nic::ethernet(10));
    let pci = tree.pci("0000:1a", 0, "16.0 GT/s PCIe", "16");
    tree.netdev("ib0", Some(&pci), Nic::ipoib(4));
    let mut reader = reader(&tree);
    assert_eq!(names(&reader.pass(Due::ALL).unwrap()), ["ib0", "veth0"]);
    tree.netdev("ib1", None, Nic::ipoib(5));
    assert_eq!(names(&reader.pass(DATA).unwrap()), ["ib0", "veth0"]);
    reader.rescan();
    assert_eq!(names(&reader.pass(DATA).unwrap()), ["ib0", "ib1", "veth0"]);
    tree.remove("sys/class/net/ib0");
    reader.rescan();
    assert_eq!(names(&reader.pass(Due::default()).unwrap()), ["ib1", "veth0"]);
}

#[test]
fn another_interface_of_the_same_name_is_read_anew() {
    let tree = Tree::new();
    tree.netdev("veth0", None, Nic::ethernet(10));
    let mut reader = reader(&tree);
    reader.pass(Due::ALL).unwrap();
    tree.file("sys/class/net/veth0/ifindex", "11\n");
    tree.file("sys/class/net/veth0/mtu", "9000\n");
    reader.rescan();
    let netdevs = reader.pass(DATA).unwrap();
    assert_eq!(
        (netdevs[0].attrs.ifindex.clone(), netdevs[0].attrs.mtu.clone()),
        (Ok(11), Ok(9000))
    );
}

#[test]
fn the_running_system_is_read() {
    let mut reader = NetReader::new(&Root::system());
    let Ok(netdevs) = reader.pass(Due::ALL) else {
        println!("skipped: no /sys/class/net");
        return;
    };
    let Some(lo) = netdevs.iter().find(|n| n.name == *"lo") else {
        println!("skipped: no lo");
        return;
    };
    assert_eq!(lo.attrs.kind, Ok(772));
    assert!(lo.attrs.is_virtual);
    for netdev in &netdevs {
        let down = netdev.flags.as_ref().is_ok_and(|flags| flags & 1 == 0);
        assert_eq!(down, why(&netdev.carrier) == Some(Why::Inactive));
    }
    assert_eq!(reader.pass(DATA).unwrap().len(), netdevs.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn garbage_in_every_file(bytes: Vec<u8>) {
        let tree = Tree::new();
        let path = tree.netdev("ib0", None, Nic::ipoib(4));
        tree.file(format!("{path}/bonding/slaves"), "");
        for entry in ["type", "flags", "ifindex", "carrier", "speed", "operstate", "parent",
            "bonding/slaves", "statistics/rx_bytes", "device/uevent", "dev_port", "mode"] {
            tree.bytes(format!("{path}/{entry}"), &bytes);
        }
        let mut reader = reader(&tree);
        for due in [Due::ALL, DATA, SLOW, Due::ALL] {
            prop_assert_eq!(reader.pass(due).unwrap().len(), 1);
        }
    }
}
