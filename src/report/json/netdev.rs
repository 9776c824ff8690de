//! An interface of a rail.

use super::object::Object;
use super::rdma::counters;
use crate::node::RailNetdev;
use crate::sample::Why;

/// The interface; the caller may add to it.
pub(super) fn object(netdev: &RailNetdev) -> Object {
    let mut o = Object::new();
    o.set("name", &netdev.name);
    o.put("ifindex", &netdev.ifindex);
    o.put("kind", &netdev.kind);
    o.put("admin_up", &netdev.admin_up);
    o.put("carrier", &netdev.carrier);
    o.put("operstate", &netdev.operstate);
    o.put("mtu", &netdev.mtu);
    o.put("address", &netdev.address);
    o.put("mode", &netdev.mode);
    o.put("pkey", &netdev.pkey);
    o.put("carrier_down_count", &netdev.carrier_down_count);
    match &netdev.stats {
        Some(stats) => o.set("statistics", counters(stats)),
        None => o.missing("statistics", Why::Absent, "not read"),
    }
    o
}
