//! What limits a rail, and what its counters did.

use super::object::Object;
use crate::node::{CounterRecord, Node, PcieLink, Rail, Since, Training};
use crate::sample::{Reading, Unknown, Why};
use crate::units;
use serde_json::Value;

pub(super) fn limits(node: &Node, rail: &Rail) -> Value {
    let limits = &rail.limits;
    let mut o = Object::new();
    o.put_fact("ceiling_bits_per_second", &limits.ceiling_bits_per_second);
    match (limits.ceiling_by, &limits.ceiling_bits_per_second.value) {
        (Some(by), _) => o.set("ceiling_by", by.word()),
        (None, Err(unknown)) => o.unknown("ceiling_by", unknown),
        (None, Ok(_)) => o.missing("ceiling_by", Why::Absent, "no limit is known"),
    }
    let path = limits.pcie.as_ref();
    let bits = |found: Option<(&PcieLink, f64)>| -> Reading<f64> {
        let none = || Unknown::new(Why::Absent, "no PCIe link is known");
        found.map(|(_, bits)| bits).ok_or_else(none)
    };
    o.put("pcie_bits_per_second", &bits(path.and_then(|p| p.carries())));
    o.put("pcie_possible_bits_per_second", &bits(path.and_then(|p| p.could_carry())));
    o.list("pcie_links", path.iter().flat_map(|p| &p.links).map(link));
    let names = |places: &[usize]| -> Vec<_> {
        places.iter().filter_map(|at| node.rails.get(*at)).map(|r| r.name.clone()).collect()
    };
    o.set("same_cable", names(&limits.same_cable));
    o.set("same_slot", names(&limits.same_slot));
    o.finish()
}

fn link(link: &PcieLink) -> Value {
    let mut o = Object::new();
    o.set("lower", &link.lower);
    match &link.upper {
        Some(upper) => o.set("upper", upper),
        None => o.missing("upper", Why::Absent, "the other end is not known"),
    }
    for (speed, lanes, reading) in [
        ("current_gigatransfers_per_second", "current_lanes", &link.current),
        ("possible_gigatransfers_per_second", "possible_lanes", &link.possible),
    ] {
        o.put(speed, &reading.as_ref().map(|l| l.gigatransfers).map_err(Clone::clone));
        o.put(lanes, &reading.as_ref().map(|l| l.lanes).map_err(Clone::clone));
    }
    o.set(
        "training",
        match link.training {
            Training::Full => "full",
            Training::Narrower => "narrower",
            Training::Slower => "slower",
            Training::SlowerAtIdle => "slower_at_idle",
            Training::Unknown => "unknown",
        },
    );
    o.finish()
}

/// Counters with a meaning, and what they did; the bare values are in `rdma`.
pub(super) fn health(node: &Node, rail: &Rail) -> Value {
    let mut o = Object::new();
    let now = node.time.mono;
    o.set("links_lost_in_last_hour", rail.health.losses.in_last_hour(now));
    let congestion = &rail.health.congestion;
    o.put_fact("wait_ticks_per_second", &congestion.wait_ticks_per_second);
    o.put_fact("wait_index_ratio", &congestion.wait_index_ratio);
    o.list("counters", rail.health.counters.iter().map(|record| counter(node, record)));
    o.finish()
}

fn counter(node: &Node, record: &CounterRecord) -> Value {
    let now = node.time.mono;
    let mut o = Object::new();
    o.set("name", record.info.name);
    o.set("group", record.info.group.word());
    o.put("value", &record.value);
    if record.is_saturated() {
        o.qualify("value", "saturated", "it stands at its maximum");
    }
    match record.bits() {
        Some(bits) => o.set("bits", bits),
        None => o.missing("bits", Why::NotApplicable, "a matter of the driver"),
    }
    o.put_fact("change_since_start", &record.change(Since::Start, now));
    o.put_fact("change_since_mark", &record.change(Since::Mark, now));
    o.put_fact("change_in_ten_minutes", &record.change(Since::TenMinutes, now));
    for (field, time, never) in [
        ("moved_at", record.moved(), "it did not move since railtop looks"),
        ("reset_at", record.reset(), "it was not reset since railtop looks"),
    ] {
        match time {
            Some(time) => o.set(field, units::rfc3339(time.wall)),
            None => o.missing(field, Why::NotApplicable, never),
        }
    }
    o.finish()
}
