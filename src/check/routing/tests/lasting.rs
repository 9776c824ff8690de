//! What would be gone after a reboot.

use super::healthy::COMPLETE;
use super::kit::node;
use crate::check::{Assessment, assess};
use crate::sample::{
    ConfigFile, ConfigKind, Managed, Manager, Managers, RailManager, Unknown, Why,
};
use std::sync::Arc;

fn kept_by_networkd(lines: &[&str]) -> Managers {
    let rail = |name: &str| RailManager {
        interface: name.into(),
        managed: Ok(Managed {
            manager: Manager::Networkd,
            daemon: None,
            profile: None,
            file: None,
            shared: false,
            evidence: "/run/systemd/netif/links/2: ADMIN_STATE=configured".into(),
        }),
    };
    let file = ConfigFile {
        path: "/etc/systemd/network/ib.network".into(),
        kind: ConfigKind::Networkd,
        lines: lines.iter().map(|l| (*l).into()).collect(),
    };
    Managers { rails: vec![rail("ib0"), rail("ib1")], config: vec![file], gaps: Vec::new() }
}

fn judged(managers: Option<Managers>) -> Assessment {
    let mut node = node(COMPLETE);
    node.managers = managers.map(Arc::new);
    assess(&node)
}

fn rails(assessment: &Assessment) -> Vec<String> {
    let ours = assessment.findings.iter().filter(|f| f.id == "ROUTING_NOT_PERSISTENT");
    ours.flat_map(|f| f.rails.iter().map(ToString::to_string)).collect()
}

#[test]
fn what_stands_in_no_file_is_told_with_its_lines() {
    let told = judged(Some(kept_by_networkd(&["[Match]", "Name=ib0"])));
    assert_eq!(rails(&told), ["ib0", "ib1"]);
    let first = told.findings.iter().find(|f| f.id == "ROUTING_NOT_PERSISTENT").unwrap();
    assert!(first.summary.contains("systemd-networkd keeps it"), "{}", first.summary);
    assert!(first.evidence.iter().any(|l| l.contains("from 172.16.34.1")), "{:?}", first.evidence);
}

#[test]
fn without_a_known_manager_nothing_is_told() {
    assert_eq!(rails(&judged(None)), [""; 0]);
    let mut unknown = kept_by_networkd(&[]);
    for rail in &mut unknown.rails {
        rail.managed = Err(Unknown::new(Why::Absent, "no run-time file"));
    }
    assert_eq!(rails(&judged(Some(unknown))), [""; 0]);
}

#[test]
fn a_file_that_cannot_be_read_makes_it_not_checked() {
    let mut managers = kept_by_networkd(&[]);
    managers.gaps.push(Unknown::new(Why::Denied, "/etc/netplan: EACCES"));
    let told = judged(Some(managers));
    assert_eq!(rails(&told), [""; 0]);
    assert!(
        told.not_checked.iter().any(|n| n.why.contains("/etc/netplan")),
        "{:?}",
        told.not_checked
    );
}

#[test]
fn networkd_removes_what_it_did_not_make_unless_told_not_to() {
    let foreign = |managers| {
        let told = judged(Some(managers));
        let of = |f: &&crate::check::Finding| f.id == "RULES_NOT_OWNED_BY_MANAGER";
        told.findings.iter().filter(of).map(|f| f.caused_by).collect::<Vec<_>>()
    };
    let cause = Some("ROUTING_NOT_PERSISTENT");
    assert_eq!(foreign(kept_by_networkd(&[])), [cause, cause]);
    let told_not_to = kept_by_networkd(&["[Network]", "ManageForeignRoutingPolicyRules=no"]);
    assert_eq!(foreign(told_not_to), []);
    let mut others = kept_by_networkd(&[]);
    for rail in &mut others.rails {
        if let Ok(managed) = &mut rail.managed {
            managed.manager = Manager::NetworkManager;
        }
    }
    assert_eq!(foreign(others), []);
}
