use crate::check::testkit::{healthy, set_port};
use crate::check::{CATALOGUE, assess};
use crate::expect::Manifest;
use crate::node::{Node, Policy, PortState};
use crate::sample::Fact;
use proptest::prelude::*;
use std::sync::Arc;

/// Four healthy rails and what was learned from them.
fn learned() -> Node {
    let mut node = healthy(4);
    node.expected = Some(Arc::new(Manifest::learn(&node)));
    node
}

fn roots(node: &Node) -> Vec<(&'static str, String)> {
    let assessment = assess(node);
    let roots = assessment.findings.iter().filter(|f| f.caused_by.is_none());
    roots
        .map(|f| (f.id, f.rails.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")))
        .collect()
}

fn one(id: &'static str, rail: &str) -> Vec<(&'static str, String)> {
    vec![(id, rail.to_owned())]
}

#[test]
fn p16_a_node_is_what_was_learned_from_it() {
    assert!(roots(&learned()).is_empty());
    let manifest = Manifest::learn(&healthy(4));
    let file = manifest.to_toml().unwrap();
    assert_eq!(Manifest::parse(&file), Ok(manifest));
    assert!(file.contains("gbits = 200.0") && file.contains("mode = \"datagram\""), "{file}");
}

#[test]
fn a_rail_that_was_never_there_is_absent() {
    let mut node = learned();
    node.rails.remove(3);
    node.groups[0].rails.pop();
    assert_eq!(roots(&node)[0], ("RAIL_ABSENT", "ib3".to_owned()));
    let assessment = assess(&node);
    assert!(assessment.worst().unwrap().summary.contains("is absent"));
}

#[test]
fn names_rates_and_settings() {
    let mut node = learned();
    node.rails[1].name = "ib7".into();
    assert_eq!(roots(&node), one("RAIL_RENAMED", "ib7"));

    let mut node = learned();
    // All alike: only the manifest knows.
    for rail in &mut node.rails {
        rail.rate.nominal_bits_per_second = Fact::known(100e9);
        rail.rate.width = Fact::known(2);
    }
    assert!(roots(&node).iter().all(|(id, _)| *id == "RAIL_DOWNGRADED") && roots(&node).len() == 4);

    // One alone is told by the comparison with the others, once.
    let mut node = learned();
    node.rails[2].rate.nominal_bits_per_second = Fact::known(100e9);
    assert_eq!(roots(&node), one("RATE_BELOW_PEERS", "ib2"));

    let mut node = learned();
    for rail in &mut node.rails {
        rail.netdev.as_mut().unwrap().mtu = Ok(4092);
    }
    assert!(roots(&node).iter().all(|(id, _)| *id == "RAIL_CHANGED") && roots(&node).len() == 4);
}

#[test]
fn swapped_and_replaced_adapters() {
    let own_guids = || {
        let mut node = healthy(4);
        for (i, rail) in node.rails.iter_mut().enumerate() {
            let attrs = Arc::make_mut(&mut rail.rdma.as_mut().unwrap().port_attrs);
            attrs.default_gid = Ok(format!("fe80:0000:0000:0000:b8ce:f603:0012:000{i}").into());
        }
        node
    };
    let swap = |guids: &[(usize, &str)]| {
        let mut node = own_guids();
        let mut manifest = Manifest::learn(&node);
        for (rail, guid) in guids {
            manifest.rail[*rail].guid = Some((*guid).to_owned());
        }
        node.expected = Some(Arc::new(manifest));
        roots(&node)
    };
    let own: Vec<String> =
        Manifest::learn(&own_guids()).rail.into_iter().map(|r| r.guid.unwrap()).collect();
    let swapped = [("RAIL_SWAPPED", "ib0".to_owned()), ("RAIL_SWAPPED", "ib1".to_owned())];
    assert_eq!(swap(&[(0, &own[1]), (1, &own[0])]), swapped);
    assert_eq!(swap(&[(2, "98:03:9b:ff:fe:00:00:01")]), one("RAIL_CHANGED", "ib2"));
}

#[test]
fn a_port_without_a_subnet_manager_has_its_link() {
    let mut node = learned();
    set_port(&mut node.rails[0], PortState::NoSubnetManager);
    assert!(assess(&node).findings.iter().all(|f| f.id != "RAIL_DOWNGRADED"));
}

#[test]
fn what_could_not_be_learned_is_said() {
    let mut node = healthy(2);
    assert_eq!(Manifest::gaps(&node), Vec::<String>::new());
    set_port(&mut node.rails[1], PortState::NoSubnetManager);
    assert_eq!(Manifest::gaps(&node), ["ib1 has no link that is up: its rate was not learned"]);
    let twice = Manifest::learn(&node);
    let file = twice.to_toml().unwrap().replace(&twice.rail[1].id, &twice.rail[0].id);
    assert!(Manifest::parse(&file).unwrap_err().message.contains("twice"));
}

#[test]
fn a_dead_rail_is_not_called_downgraded() {
    let mut node = learned();
    set_port(&mut node.rails[0], PortState::NoSignal);
    node.rails[0].rate.nominal_bits_per_second = Fact::known(10e9);
    assert_eq!(roots(&node), one("PORT_DOWN", "ib0"));
}

#[test]
fn addresses_and_nids_that_moved_or_went() {
    let mut node = learned();
    let (a, b) = (node.rails[0].lnet.clone(), node.rails[1].lnet.clone());
    (node.rails[0].lnet, node.rails[1].lnet) = (b, a);
    let ids: Vec<_> = roots(&node).into_iter().filter(|(id, _)| *id == "RAIL_SWAPPED").collect();
    assert_eq!(ids.len(), 2, "{:?}", roots(&node));

    let mut node = learned();
    let mut manifest = Manifest::learn(&node);
    manifest.rail[0].addresses = vec!["172.31.0.1/16".into()];
    node.expected = Some(Arc::new(manifest));
    assert_eq!(roots(&node), one("EXPECTED_ADDRESS_MISSING", "ib0"));
}

#[test]
fn what_is_left_out_is_not_compared() {
    let mut node = healthy(4);
    let mut manifest = Manifest::learn(&node);
    for rail in &mut manifest.rail {
        let (id, name) = (rail.id.clone(), rail.name.clone());
        *rail = crate::expect::ExpectedRail { id, name, ..Default::default() };
    }
    node.expected = Some(Arc::new(manifest));
    node.rails[1].rate.nominal_bits_per_second = Fact::known(200e9);
    assert!(roots(&node).is_empty());
}

#[test]
fn mistakes_in_a_manifest_are_told() {
    let line = |text: &str| Manifest::parse(text).unwrap_err();
    assert_eq!(line("format = 1\n[[rail]]\nid = \"x\"\nrat = 3\n").line, Some(4));
    assert!(line("format = 2\n").message.contains("format 2"));
    assert!(line("format = 1\n[[rail]]\nname = \"ib0\"\n").message.contains("has no id"));
    assert!(Manifest::parse("").is_err());
}

#[test]
fn every_finding_of_a_manifest_has_its_entry() {
    for id in super::IDS {
        assert!(CATALOGUE.iter().any(|e| e.id == id), "{id}");
    }
}

#[test]
fn two_names_that_changed_places_are_one_mistake_each() {
    let mut node = learned();
    // Names, and what is configured by name, went to the other port.
    let (left, right) = node.rails.split_at_mut(1);
    let (a, b) = (&mut left[0], &mut right[0]);
    std::mem::swap(&mut a.name, &mut b.name);
    std::mem::swap(&mut a.netdev, &mut b.netdev);
    std::mem::swap(&mut a.addresses, &mut b.addresses);
    std::mem::swap(&mut a.lnet, &mut b.lnet);
    let told = roots(&node);
    assert_eq!(told.iter().map(|(id, _)| *id).collect::<Vec<_>>(), ["RAIL_RENAMED"; 2], "{told:?}");
}

#[test]
fn an_adapter_in_another_slot_is_one_mistake() {
    let mut node = learned();
    let mut manifest = Manifest::learn(&node);
    manifest.rail[3].guid = Some("a088:c203:0074:0103".into());
    Arc::make_mut(&mut node.rails[3].rdma.as_mut().unwrap().port_attrs).default_gid =
        Ok("fe80:0000:0000:0000:a088:c203:0074:0103".into());
    node.expected = Some(Arc::new(manifest));
    node.rails[3].id = "pci-9".into();
    assert_eq!(roots(&node), one("RAIL_ABSENT", "ib3"));
}

#[test]
fn lanes_are_compared() {
    // EDR on four lanes and HDR on two are both 100 Gb/s.
    let mut node = healthy(4);
    for rail in &mut node.rails {
        rail.rate.nominal_bits_per_second = Fact::known(100e9);
    }
    node.expected = Some(Arc::new(Manifest::learn(&node)));
    for rail in &mut node.rails {
        rail.rate.width = Fact::known(2);
    }
    let told = roots(&node);
    assert_eq!(
        told.iter().map(|(id, _)| *id).collect::<Vec<_>>(),
        ["RAIL_DOWNGRADED"; 4],
        "{told:?}"
    );
}

#[test]
fn a_rail_that_is_dead_is_not_as_expected() {
    // Asked for the manifest alone, as railtop expect does.
    let mut node = learned();
    set_port(&mut node.rails[0], PortState::NoSignal);
    node.policy = Arc::new(Policy {
        only: super::IDS.iter().map(|id| (*id).to_owned()).collect(),
        ..Policy::default()
    });
    assert_eq!(roots(&node), one("RAIL_DOWNGRADED", "ib0"));
    assert_eq!(&*assess(&node).worst().unwrap().summary, "ib0 has no link, expected 200 Gb/s 4X");
}

#[test]
fn a_rail_that_is_no_rail_now_is_not_absent() {
    // A RoCE port is a rail while LNet uses it, another NIC before.
    let mut node = learned();
    let mut manifest = Manifest::learn(&node);
    manifest.rail.push(crate::expect::ExpectedRail {
        id: "pci-9".into(),
        name: "eth0".into(),
        ..Default::default()
    });
    node.expected = Some(Arc::new(manifest));
    assert!(roots(&node).is_empty(), "{:?}", roots(&node));
}

#[test]
fn a_dead_rail_that_lost_its_address_and_ni_is_one_mistake() {
    let mut node = learned();
    set_port(&mut node.rails[0], PortState::NoSignal);
    node.rails[0].addresses.clear();
    node.rails[0].lnet.clear();
    assert_eq!(roots(&node), one("PORT_DOWN", "ib0"));
}

proptest! {
    #[test]
    fn nothing_panics(text in "(\\PC|\n)*") {
        let _ = Manifest::parse(&text);
    }
}
