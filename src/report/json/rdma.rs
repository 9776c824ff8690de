//! The RDMA port of a rail.

use super::object::Object;
use crate::node::{LinkRate, RailRdma};
use crate::sample::{CounterSet, Why};
use crate::units;
use serde_json::Value;

pub(super) fn object(rdma: &RailRdma, rate: &LinkRate) -> Value {
    let mut o = Object::new();
    o.set("device", &rdma.device);
    o.set("port", rdma.port);
    o.put("state", &rdma.raw_state.as_ref().map(|s| &s.word).map_err(Clone::clone));
    o.put("phys_state", &rdma.phys_state.as_ref().map(|s| &s.word).map_err(Clone::clone));
    o.put("link_layer", &rdma.link_layer);
    link(&mut o, rdma, rate);
    port(&mut o, rdma);
    device(&mut o, rdma);
    o.set("counters", counters(&rdma.counters));
    o.set("hw_counters", counters(&rdma.hw_counters));
    match rdma.stuck_since {
        Some(since) => o.set("stuck_since", units::rfc3339(since.wall)),
        None => o.missing("stuck_since", Why::NotApplicable, "it answers"),
    }
    o.finish()
}

fn link(o: &mut Object, rdma: &RailRdma, rate: &LinkRate) {
    o.put_fact("rate_bits_per_second", &rate.nominal_bits_per_second);
    o.put_fact("usable_bits_per_second", &rate.usable_bits_per_second);
    o.put_fact("width", &rate.width);
    o.put_fact("speed", &rate.speed);
    // A DOWN port prints a placeholder.
    match &rdma.port_attrs.rate {
        Ok(text) if !rdma.state.is_active() => o.missing("rate_text", Why::Inactive, text),
        rate => o.put("rate_text", rate),
    }
}

fn port(o: &mut Object, rdma: &RailRdma) {
    let attrs = &rdma.port_attrs;
    for (field, value) in [
        ("lid", &attrs.lid),
        ("sm_lid", &attrs.sm_lid),
        ("sm_sl", &attrs.sm_sl),
        ("lmc", &attrs.lmc),
        ("cap_mask", &attrs.cap_mask),
    ] {
        o.put(field, value);
    }
    // A port that is not ACTIVE may keep the LIDs it had.
    if !rdma.state.is_active() {
        for field in ["lid", "sm_lid"] {
            o.qualify(field, "stale", "the port is not ACTIVE");
        }
    }
    o.put("default_gid", &attrs.default_gid);
    o.put("port_guid", &attrs.port_guid());
    o.put("pkeys", &attrs.pkeys);
}

fn device(o: &mut Object, rdma: &RailRdma) {
    let attrs = &rdma.device_attrs;
    for (field, value) in [
        ("node_guid", &attrs.node_guid),
        ("sys_image_guid", &attrs.sys_image_guid),
        ("node_description", &attrs.node_desc),
        ("firmware_version", &attrs.fw_ver),
        ("hca_type", &attrs.hca_type),
        ("hardware_revision", &attrs.hw_rev),
        ("board_id", &attrs.board_id),
        ("driver", &attrs.driver),
    ] {
        o.put(field, value);
    }
}

/// Counters by file name, in the unit of the file.
pub(super) fn counters(set: &CounterSet) -> Value {
    let mut o = Object::new();
    for counter in &set.items {
        o.put(&counter.name, &counter.value);
    }
    o.finish()
}
