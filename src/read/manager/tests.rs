//! Trees as the daemons leave them.

use super::*;
use crate::read::sysfs::tree::Tree;
use crate::sample::{ConfigKind, Managed, Manager, Why};
use proptest::prelude::*;

fn one(tree: &Tree, index: u32, name: &str) -> crate::sample::Reading<Managed> {
    let managers = read(&Root::new(tree.path()), &[(index, name.into())]);
    managers.of(name).unwrap().clone()
}

#[test]
fn network_manager_with_its_profile() {
    let tree = Tree::new();
    tree.file(
        "run/NetworkManager/devices/5",
        "[device]\nmanaged=true\nperm-hw-addr-fake=\nconnection-uuid=e6d64f65-04a7\nroot-path=\n",
    );
    tree.file("run/NetworkManager/devices/6", "[device]\nmanaged=false\n");
    tree.file(
        "etc/NetworkManager/system-connections/rail one.nmconnection",
        "[connection]\nid=ib0\nuuid=e6d64f65-04a7\n[wifi-security]\npsk=hunter2 name\n[ipv4]\nmethod=auto\n",
    );
    let managed = one(&tree, 5, "ib0").unwrap();
    assert_eq!((managed.manager, managed.daemon), (Manager::NetworkManager, None));
    assert_eq!(managed.profile, Some("e6d64f65-04a7".into()));
    assert_eq!(
        managed.file,
        Some("/etc/NetworkManager/system-connections/rail one.nmconnection".into())
    );
    assert!(managed.evidence.starts_with("/run/NetworkManager/devices/5: managed=true"));
    assert_eq!(one(&tree, 6, "ib1").unwrap_err().why, Why::Absent);
    let all = read(&Root::new(tree.path()), &[]);
    assert!(!format!("{all:?}").contains("hunter2"));
}

#[test]
fn networkd_its_own_file_and_one_for_many() {
    let tree = Tree::new();
    for (index, file) in [(2, "10-ib0.network"), (3, "20-rails.network"), (4, "20-rails.network")] {
        tree.file(
            format!("run/systemd/netif/links/{index}"),
            &format!("# This is private data.\nADMIN_STATE=configured\nOPER_STATE=routable\nNETWORK_FILE=/etc/systemd/network/{file}\n"),
        );
    }
    tree.file("run/systemd/netif/links/9", "ADMIN_STATE=unmanaged\nOPER_STATE=carrier\n");
    tree.file("etc/systemd/network/10-ib0.network", "[Match]\nName=ib*\n[Network]\nDHCP=no\n");
    tree.file("etc/systemd/network/20-rails.network", "[Match]\nType=infiniband\n");
    let names = [(2, "ib0".into()), (3, "ib1".into()), (4, "ib2".into()), (9, "ib9".into())];
    let managers = read(&Root::new(tree.path()), &names);
    let shared = |name: &str| managers.of(name).unwrap().as_ref().map(|m| m.shared);
    assert_eq!(shared("ib0"), Ok(true), "Name=ib* matches others");
    assert_eq!(shared("ib1"), Ok(true), "two interfaces have it");
    assert!(shared("ib9").is_err());
    tree.file("etc/systemd/network/10-ib0.network", "[Match]\nName=ib0\n[Network]\nDHCP=no\n");
    let managed = one(&tree, 2, "ib0").unwrap();
    assert_eq!((managed.manager, managed.shared), (Manager::Networkd, false));
}

#[test]
fn netplan_by_either_daemon() {
    let tree = Tree::new();
    tree.file(
        "run/systemd/netif/links/2",
        "ADMIN_STATE=configured\nNETWORK_FILE=/run/systemd/network/10-netplan-ib0.network\n",
    );
    tree.file("run/NetworkManager/devices/3", "[device]\nmanaged=true\nconnection-uuid=u\n");
    tree.file("run/NetworkManager/system-connections/netplan-ib1.nmconnection", "[ipv4]\n");
    let ib0 = one(&tree, 2, "ib0").unwrap();
    assert_eq!((ib0.manager, ib0.daemon), (Manager::Netplan, Some(Manager::Networkd)));
    let ib1 = one(&tree, 3, "ib1").unwrap();
    assert_eq!((ib1.manager, ib1.daemon), (Manager::Netplan, Some(Manager::NetworkManager)));
}

#[test]
fn profiles_that_network_manager_keeps_in_netplan_are_its_own() {
    let tree = Tree::new();
    tree.file("run/NetworkManager/devices/3", "[device]\nmanaged=true\nconnection-uuid=u\n");
    tree.file(
        "run/NetworkManager/system-connections/netplan-NM-u.nmconnection",
        "[connection]\nuuid=u\n",
    );
    assert_eq!(one(&tree, 3, "ib1").unwrap().manager, Manager::NetworkManager);
}

#[test]
fn the_others() {
    let tree = Tree::new();
    tree.file("run/network/ifstate", "lo=lo\nib0=ib0\nib01=x\n");
    assert_eq!(one(&tree, 2, "ib0").unwrap().manager, Manager::Ifupdown);
    assert!(one(&tree, 2, "ib").is_err());
    tree.file("etc/sysconfig/network-scripts/ifcfg-ib2", "DEVICE=ib2\n");
    assert_eq!(one(&tree, 2, "ib2").unwrap().manager, Manager::Ifcfg);
    tree.file("run/wicked/leaseinfo.ib3.static.ipv4", "");
    assert_eq!(one(&tree, 2, "ib3").unwrap().manager, Manager::Wicked);
}

#[test]
fn what_scripts_and_units_call_is_read_too() {
    let tree = Tree::new();
    tree.file("etc/systemd/system/rails.service", "[Service]\nExecStart=/usr/local/sbin/rails\n");
    tree.file(
        "usr/local/sbin/rails",
        "#!/bin/sh\n# ip rule add from 9.9.9.9\nip rule add pref 9410 \\\n from 172.16.34.1 lookup 941\n",
    );
    tree.file("etc/rc.local", "#!/bin/sh\n/usr/sbin/big\n");
    tree.file("usr/sbin/big", &format!("\u{7f}ELF ip rule{}", "x".repeat(300 << 10)));
    let managers = read(&Root::new(tree.path()), &[]);
    let script = managers.config.iter().find(|f| &*f.path == "/usr/local/sbin/rails").unwrap();
    assert_eq!(script.kind, ConfigKind::Script);
    assert_eq!(script.lines, ["ip rule add pref 9410  from 172.16.34.1 lookup 941"]);
    assert_eq!(managers.gaps, []);
}

#[test]
fn a_copied_tree_is_not_left_and_does_not_block() {
    let tree = Tree::new();
    tree.dir("etc/netplan");
    tree.link("etc/netplan/a.yaml", "/etc/passwd");
    let fifo = tree.path().join("etc/netplan/b.yaml");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    let managers = read(&Root::new(tree.path()), &[(1, "ib0".into())]);
    assert_eq!(managers.config, []);
}

#[test]
fn the_running_system_is_read() {
    let managers = read(&Root::system(), &[(1, "lo".into())]);
    assert_eq!(managers.rails.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_bytes_are_survived(bytes: Vec<u8>, words in "[a-zA-Z=\n\\[\\]/ .0-9-]{0,200}") {
        let tree = Tree::new();
        for (path, text) in [
            ("run/NetworkManager/devices/2", &bytes[..]),
            ("run/systemd/netif/links/2", words.as_bytes()),
            ("run/network/ifstate", &bytes),
            ("etc/systemd/network/a.network", words.as_bytes()),
            ("etc/netplan/a.yaml", &bytes),
            ("etc/rc.local", words.as_bytes()),
        ] {
            tree.bytes(path, text);
        }
        let managers = read(&Root::new(tree.path()), &[(2, "ib0".into())]);
        let line = serde_json::to_string(&managers).unwrap();
        prop_assert_eq!(serde_json::from_str::<Managers>(&line).unwrap(), managers);
    }
}
