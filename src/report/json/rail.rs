//! One rail.

use super::object::Object;
use super::{assessment, health, lnet, netdev, rdma};
use crate::check::{AddressRoute, RailAssessment};
use crate::node::{Flow, Node, Presence, Rail, RailAddress};
use crate::sample::{PciFunction, PciLink, Reading, SampleTime, Unknown, Why};
use crate::units;
use serde_json::Value;

pub(super) fn object(
    node: &Node,
    rail: &Rail,
    assessed: Option<&RailAssessment>,
    routes: &[&AddressRoute],
) -> Value {
    let mut o = Object::new();
    o.set("name", &rail.name);
    o.set("id", &rail.id);
    presence(&mut o, rail);
    o.set_or_null("rdma", rail.rdma.as_ref().map(|r| rdma::object(r, &rail.rate)));
    o.set_or_null("netdev", rail.netdev.as_ref().map(|n| with_rate(rail, netdev::object(n))));
    o.list("children", rail.children.iter().map(|n| netdev::object(n).finish()));
    option(&mut o, "bond", rail.bond.as_ref(), "in no bond");
    let group = rail.group.and_then(|g| node.groups.get(g)).map(|g| &g.name);
    option(&mut o, "group", group, "in no group");
    option(&mut o, "pci", rail.pci.as_deref().map(pci), "no PCI function");
    addresses(&mut o, node, rail, routes);
    match node.lnet_unknown().filter(|_| rail.lnet.is_empty()) {
        Some(unknown) => o.unknown("lnet", &unknown),
        None => o.list("lnet", rail.lnet.iter().map(lnet::rail_ni)),
    }
    o.set("limits", health::limits(node, rail));
    o.set("health", health::health(node, rail));
    o.set("rx", own_flow(rail, &rail.rx));
    o.set("tx", own_flow(rail, &rail.tx));
    time(&mut o, "state_since", rail.state_since, Why::FirstSample, "no change seen yet");
    if let Some(assessed) = assessed {
        assessment::rail(&mut o, assessed);
    }
    o.finish()
}

fn presence(o: &mut Object, rail: &Rail) {
    o.set("present", rail.presence == Presence::Present);
    let since = match rail.presence {
        Presence::Present => None,
        Presence::Gone { since } => Some(since),
    };
    time(o, "gone_since", since, Why::NotApplicable, "it is there");
}

fn time(o: &mut Object, field: &str, time: Option<SampleTime>, why: Why, detail: &str) {
    match time {
        Some(time) => o.set(field, units::rfc3339(time.wall)),
        None => o.missing(field, why, detail),
    }
}

fn option(o: &mut Object, field: &str, value: Option<impl serde::Serialize>, otherwise: &str) {
    match value {
        Some(value) => o.set(field, value),
        None => o.missing(field, Why::NotApplicable, otherwise),
    }
}

/// Without an RDMA port the rate of the link is the interface's.
fn with_rate(rail: &Rail, mut netdev: Object) -> Value {
    if rail.rdma.is_none() {
        netdev.put_fact("rate_bits_per_second", &rail.rate.nominal_bits_per_second);
        netdev.put_fact("usable_bits_per_second", &rail.rate.usable_bits_per_second);
    }
    netdev.finish()
}

fn addresses(o: &mut Object, node: &Node, rail: &Rail, routes: &[&AddressRoute]) {
    match &node.routing.addresses {
        Err(unknown) if rail.addresses.is_empty() => o.unknown("addresses", unknown),
        _ => {
            let route_of = |a: &RailAddress| routes.iter().find(|r| r.address == *a).copied();
            o.list("addresses", rail.addresses.iter().map(|a| address(a, route_of(a))));
        }
    }
}

fn address(address: &RailAddress, route: Option<&AddressRoute>) -> Value {
    let mut o = Object::new();
    o.set("address", address.prefix.to_string());
    o.set("interface", &address.interface);
    o.set("scope", address.scope);
    let Some(route) = route else {
        for field in ["table", "rule_preference", "leaves_by", "probe"] {
            o.missing(field, Why::NotApplicable, "not judged");
        }
        return o.finish();
    };
    o.put("table", &route.table);
    o.put("rule_preference", &route.rule_preference);
    o.put("leaves_by", &route.leaves_by);
    o.put("probe", &route.probe.as_ref().map(ToString::to_string).map_err(Clone::clone));
    o.finish()
}

fn pci(pci: &PciFunction) -> Value {
    let mut o = Object::new();
    o.set("address", &pci.address);
    o.put("numa_node", &pci.numa_node);
    o.put("vendor", &pci.vendor);
    o.put("device", &pci.device);
    o.put("driver", &pci.driver);
    let link = pci.path.first();
    let none = || Unknown::new(Why::Absent, "no PCIe link above the function");
    let speed =
        |v: fn(&PciLink) -> &Reading<f64>| link.map_or_else(|| Err(none()), |l| v(l).clone());
    let lanes =
        |v: fn(&PciLink) -> &Reading<u32>| link.map_or_else(|| Err(none()), |l| v(l).clone());
    o.put("current_gigatransfers_per_second", &speed(|l| &l.current_speed));
    o.put("current_lanes", &lanes(|l| &l.current_width));
    o.put("max_gigatransfers_per_second", &speed(|l| &l.max_speed));
    o.put("max_lanes", &lanes(|l| &l.max_width));
    o.finish()
}

/// One direction of traffic.
fn own_flow(rail: &Rail, flow: &Flow) -> Value {
    let mut o = flow_object(flow);
    o.put_fact("rdma_bytes_per_second", &rail.rdma_bytes_per_second(flow));
    o.finish()
}

pub(super) fn flow(flow: &Flow) -> Value {
    flow_object(flow).finish()
}

fn flow_object(flow: &Flow) -> Object {
    let mut o = Object::new();
    o.put_fact("bytes_per_second", &flow.bytes_per_second);
    match (flow.source, &flow.bytes_per_second.value) {
        (Some(source), _) => o.set("source", source.word()),
        (None, Err(unknown)) => o.unknown("source", unknown),
        (None, Ok(_)) => o.unknown("source", &Unknown::new(Why::Absent, "no single source")),
    }
    o.put_fact("utilisation_ratio", &flow.utilisation_ratio);
    o.put_fact("share_ratio", &flow.share_ratio);
    o.put_fact("ip_bytes_per_second", &flow.ip_bytes_per_second);
    o.set("total_bytes", flow.total_bytes);
    o
}
