//! The way out of each address of each rail, for reports.

use super::scene::Scene;
use crate::fib::{Fib, Outcome, Query};
use crate::node::{Node, RailAddress};
use crate::sample::{Reading, Text, Unknown, Why};
use std::net::IpAddr;

/// Which way packets from an address of a rail leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressRoute {
    /// Place of the rail in [`crate::node::Node::rails`].
    pub rail: usize,
    /// The address as the rail has it.
    pub address: RailAddress,
    /// The destination that was asked for.
    pub probe: Reading<IpAddr>,
    /// The table that decides.
    pub table: Reading<u32>,
    /// Preference of the rule that leads there.
    pub rule_preference: Reading<u32>,
    /// The device that packets leave by; several for a multipath route.
    pub leaves_by: Reading<Text>,
}

impl AddressRoute {
    fn without(rail: usize, address: &RailAddress, why: &Unknown) -> Self {
        Self {
            rail,
            address: address.clone(),
            probe: Err(why.clone()),
            table: Err(why.clone()),
            rule_preference: Err(why.clone()),
            leaves_by: Err(why.clone()),
        }
    }
}

/// Nothing can be told: the links are not known.
pub(super) fn unknown(node: &Node) -> Vec<AddressRoute> {
    let Err(why) = &node.links else { return Vec::new() };
    each(node).map(|(rail, address)| AddressRoute::without(rail, address, why)).collect()
}

fn each(node: &Node) -> impl Iterator<Item = (usize, &RailAddress)> {
    node.rails.iter().enumerate().flat_map(|(i, r)| r.addresses.iter().map(move |a| (i, a)))
}

/// The way of every address. `real` decides as the kernel does now, dead links and all.
pub(super) fn of_rails(scene: &Scene<'_>, real: &Fib<'_>) -> Vec<AddressRoute> {
    each(scene.node).map(|(rail, address)| of_address(scene, real, rail, address)).collect()
}

fn of_address(
    scene: &Scene<'_>,
    real: &Fib<'_>,
    rail: usize,
    address: &RailAddress,
) -> AddressRoute {
    let nothing = |words: &str| {
        AddressRoute::without(rail, address, &Unknown::new(Why::NotApplicable, words))
    };
    let known = scene.addrs.iter().find(|a| {
        a.ip == address.ip() && scene.iface(a.iface).is_some_and(|i| *i.name() == address.interface)
    });
    let Some(addr) = known else {
        return nothing("not an address that peers are reached from");
    };
    let Some(way) = addr.ways.first() else {
        return nothing("its prefix has no other host");
    };
    let probe = way.probe.ip;
    let in_vrf = scene.iface(addr.iface).is_some_and(|i| i.vrf.is_some());
    let outcome = if in_vrf {
        scene.decide(addr.iface, Some(addr.ip), probe).outcome
    } else {
        real.decide(&Query::new(Some(addr.ip), probe)).outcome
    };
    let mut route = nothing("");
    route.probe = Ok(probe);
    let why = match &outcome {
        Outcome::Send { table, preference, .. } => {
            route.table = Ok(*table);
            route.rule_preference = Ok(*preference);
            if in_vrf {
                let words = "the table of the VRF decides";
                route.rule_preference = Err(Unknown::new(Why::NotApplicable, words));
            }
            let by = super::leaves_by(scene, &outcome);
            route.leaves_by =
                by.map(Text::from).ok_or_else(|| Unknown::new(Why::Absent, "no device is named"));
            return route;
        }
        Outcome::Unknown(why) => why.clone(),
        Outcome::Refuse { errno, preference, .. } => {
            if let Some(preference) = preference {
                route.rule_preference = Ok(*preference);
            }
            Unknown::new(Why::Absent, format!("the kernel refuses: {errno}"))
        }
        _ => Unknown::new(Why::Absent, "no route leads there"),
    };
    route.table = Err(why.clone());
    if route.rule_preference.is_err() {
        route.rule_preference = Err(why.clone());
    }
    route.leaves_by = Err(why);
    route
}
