//! ARP, reverse path filter, neighbours.

use crate::lab::Start::{Healthy, Plain};
use crate::row::Packets::{Astray, Right, RightAfter};
use crate::row::{Row, row};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        row("RPF_STRICT_ASYM", Plain, "echo 1 >/proc/sys/net/ipv4/conf/all/rp_filter")
            .because("ROUTE_DUP_CONNECTED")
            .packets(Astray),
        row(
            "RPF_ARP_DEADLOCK",
            Plain,
            "cd /proc/sys/net/ipv4/conf; echo 1 >all/rp_filter; echo 1 >all/arp_ignore",
        )
        .because("ROUTE_DUP_CONNECTED")
        .packets(Astray),
        row("ARP_FLUX_IGNORE", Healthy, "cd /proc/sys/net/ipv4/conf; echo 0 >ib0/arp_ignore")
            .packets(RightAfter)
            .restores(),
        row(
            "ARP_FLUX_IGNORE",
            Healthy,
            "cd /proc/sys/net/ipv4/conf; for c in ib0 ib1; do
             echo 0 >$c/arp_ignore; echo 0 >$c/rp_filter; done",
        )
        .called("on both")
        .packets(RightAfter),
        row("ARP_FILTER_WITHOUT_RULES", Plain, "echo 1 >/proc/sys/net/ipv4/conf/all/arp_filter")
            .because("ROUTE_DUP_CONNECTED")
            .packets(Astray),
        row("ARP_FLUX_ANNOUNCE", Healthy, "echo 1 >/proc/sys/net/ipv4/conf/ib1/arp_announce")
            .on(&["ib1"])
            .packets(Right)
            .restores(),
        row(
            "NEIGH_SHARED_LLADDR",
            Healthy,
            "ip neigh replace 172.16.16.1 lladdr 02:00:00:00:00:01 dev ib0 nud reachable
             ip neigh replace 172.16.16.1 lladdr 02:00:00:00:00:02 dev ib1 nud reachable",
        )
        .packets(RightAfter),
    ]
}
