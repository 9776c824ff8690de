//! What a capture keeps reads as the node did, and holds no secret.

use super::*;
use crate::read::manager::read;
use crate::read::sysfs::tree::Tree;
use crate::sample::{Managers, Why};
use proptest::prelude::*;

const SECRET: &str = "hunter2";

fn names() -> Vec<(u32, Text)> {
    (2..6).map(|i| (i, format!("ib{}", i - 2).as_str().into())).collect()
}

/// The copy of a tree.
fn copy(tree: &Tree) -> Tree {
    let to = Tree::new();
    for file in kept(&Root::new(tree.path()), &names()) {
        to.file(&file.path, &file.content);
    }
    to
}

fn reads(tree: &Tree) -> Managers {
    read(&Root::new(tree.path()), &names())
}

/// Files of every manager, each with a secret in it.
fn node() -> Tree {
    let tree = Tree::new();
    tree.file(
        "etc/NetworkManager/system-connections/ib0.nmconnection",
        "[connection]\nid=ib0\nuuid=u-1\ntype=infiniband\ninterface-name=ib0\n\
         [802-1x]\nidentity=from hunter2\npassword=hunter2\n[wireguard]\nprivate-key=hunter2\n\
         [ipv4]\naddress1=172.16.34.1/16\nroute1=172.16.0.0/16\nroute1_options=table=941\n\
         routing-rule1=priority 9410 from 172.16.34.1 table 941\n[vpn-secrets]\nname=hunter2\n",
    );
    tree.file(
        "run/NetworkManager/devices/2",
        "[device]\nmanaged=true\nconnection-uuid=u-1\nroot-path=hunter2\n",
    );
    tree.file(
        "etc/netplan/50.yaml",
        "network:\n  ethernets:\n    ib1:\n      addresses: [172.16.34.2/16]\n      routing-policy:\n\
         \x20       - {from: 172.16.34.2, table: 942, priority: 9420}\n  wifis:\n    w0:\n      access-points:\n\
         \x20       name: {password: hunter2}\n        key: via/hunter2\n",
    );
    tree.file(
        "run/systemd/netif/links/3",
        "ADMIN_STATE=configured\nNETWORK_FILE=/run/systemd/network/10-netplan-ib1.network\nDNS=hunter2\n",
    );
    tree.file(
        "run/systemd/network/10-netplan-ib1.network",
        "[Match]\nName=ib1\n[RoutingPolicyRule]\nFrom=172.16.34.2\nTable=942\n[WireGuard]\nPrivateKey=hunter2\n",
    );
    tree.file("run/network/ifstate", "lo=lo\nib2=ib2\nhunter2=hunter2\n");
    tree.file(
        "etc/network/interfaces",
        "auto ib2\niface ib2 inet static\n  address 172.16.34.3/16\n  wpa-psk hunter2\n  post-up /usr/local/sbin/rails\n",
    );
    tree.file(
        "usr/local/sbin/rails",
        "#!/bin/sh\n# ip rule hunter2\nPASSWORD=hunter2 ip rule\nip rule add pref 9430 \\\n from 172.16.34.3 lookup 943\n",
    );
    tree.file("run/wicked/leaseinfo.ib3.static.ipv4", "hunter2\n");
    tree.file(
        "etc/sysconfig/network/ifcfg-ib3",
        "BOOTPROTO=static\nIPADDR=172.16.34.4/16\nWIRELESS_KEY_0=hunter2\n",
    );
    tree.file("etc/sysconfig/network/ifrule-ib3", "ipv4 from 172.16.34.4 table 944\n");
    tree.file(
        "etc/sysctl.d/90-rails.conf",
        "net.ipv4.conf.ib0.arp_ignore = 1\nkernel.core_pattern=hunter2\n",
    );
    tree.file(
        "etc/systemd/system/rails.service",
        "[Service]\nEnvironment=TOKEN=hunter2\nExecStart=/opt/rails/up\n",
    );
    tree.file(
        "opt/rails/up",
        "#!/bin/sh\nip route replace default via 172.16.0.1 table 941\nexport API_KEY=hunter2\n",
    );
    tree
}

#[test]
fn a_copy_reads_as_the_node() {
    let tree = node();
    let (there, here) = (reads(&tree), reads(&copy(&tree)));
    assert_eq!(there, here);
    let managers: Vec<&str> =
        here.rails.iter().map(|r| r.managed.as_ref().unwrap().manager.word()).collect();
    assert_eq!(managers, ["networkmanager", "netplan", "ifupdown", "wicked"]);
    assert!(here.config.iter().any(|f| &*f.path == "/opt/rails/up"), "{:?}", here.config);
    assert!(here.config.iter().any(|f| &*f.path == "/usr/local/sbin/rails"));
    // A copy of a copy is the same again.
    assert_eq!(reads(&copy(&copy(&tree))), here);
}

#[test]
fn no_secret_is_kept() {
    for file in kept(&Root::new(node().path()), &names()) {
        assert!(!file.content.contains(SECRET), "{}:\n{}", file.path, file.content);
    }
}

#[test]
fn what_could_not_be_read_is_no_absence() {
    // Root reads everything, so the error is written as a capture of an ordinary user holds it.
    let tree = Tree::new();
    tree.file(
        "etc/NetworkManager/system-connections/ib0.nmconnection.error",
        "EACCES: Permission denied\n",
    );
    tree.file("etc/netplan.error", "EACCES: Permission denied\n");
    tree.file("etc/sysctl.d/90.conf", "net.ipv4.conf.ib0.arp_ignore = 1\n");
    tree.file("etc/sysctl.d/90.conf.error", "EFBIG: File too large\n");
    tree.file("run/systemd/netif/links/2.error", "EACCES: Permission denied\n");
    let read = reads(&tree);
    let gaps: Vec<String> = read.gaps.iter().map(ToString::to_string).collect();
    assert_eq!(gaps.len(), 3, "{gaps:?}");
    assert!(
        gaps.iter().any(|g| g.contains("/etc/NetworkManager/system-connections/ib0.nmconnection"))
    );
    assert!(gaps.iter().any(|g| g.contains("/etc/netplan")), "{gaps:?}");
    assert!(gaps.iter().any(|g| g.contains("/etc/sysctl.d/90.conf")), "{gaps:?}");
    assert_eq!(read.of("ib0").unwrap().as_ref().unwrap_err().why, Why::Denied);
    assert_eq!(read.config.len(), 1);
    // And a copy of it tells the same.
    assert_eq!(reads(&copy(&tree)).gaps.len(), 3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_text_reads_the_same_from_a_copy(text in "[a-z0-9=\\\\\n#\\[\\]/ .:-]{0,300}", words in "(ip rule add from 1.2.3.4|\\[ipv4\\]|address1=x|\n| |/opt/a|\\\\){0,12}") {
        let tree = Tree::new();
        for path in [
            "etc/NetworkManager/system-connections/a",
            "etc/netplan/a.yaml",
            "etc/systemd/network/a.network",
            "etc/network/interfaces",
            "etc/sysconfig/network-scripts/rule-ib0",
            "etc/rc.local",
            "etc/sysctl.d/a.conf",
        ] {
            tree.file(path, &format!("{words}\n{text}\n{words}"));
        }
        tree.file("opt/a", &format!("#!\n{words}{text}"));
        prop_assert_eq!(reads(&tree), reads(&copy(&tree)));
    }
}
