//! Links, addresses, MTU.

use crate::lab::Start::{Healthy, Plain};
use crate::row::Packets::RightAfter;
use crate::row::{Row, row};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        row(
            "RAIL_DOWN",
            Healthy,
            "echo 1 >/proc/sys/net/ipv4/conf/ib1/ignore_routes_with_linkdown",
        )
        .on(&["ib1"])
        .at_switch("ip link set Aib1 down")
        .no_fix("only the cable mends it"),
        row("RAIL_ADMIN_DOWN", Healthy, "ip link set ib1 down")
            .on(&["ib1"])
            .packets(RightAfter)
            .restores(),
        row("RAIL_NO_ADDRESS", Healthy, "")
            .bare_rail("ib2")
            .on(&["ib2"])
            .no_fix("the address is not known"),
        row("ADDR_DUP_LOCAL", Healthy, "ip addr add 172.16.34.2/16 dev ib0")
            .no_fix("which one is right is not known"),
        row(
            "PREFIX_LENGTH_MISMATCH",
            Plain,
            "ip addr del 172.16.34.2/16 dev ib1; ip addr add 172.16.34.2/24 dev ib1
             cd /proc/sys/net/ipv4/conf; for c in ib0 ib1; do
             echo 1 >$c/arp_ignore; echo 2 >$c/arp_announce; done",
        )
        .packets(RightAfter),
        row(
            "PREFIX_LENGTH_MISMATCH",
            Healthy,
            "ip rule del pref 9410; ip rule del pref 9420
             ip route flush table 941; ip route flush table 942
             ip addr del 172.16.34.1/16 dev ib0; ip addr add 172.16.34.1/19 dev ib0",
        )
        .called("that takes the peer"),
        row("MTU_MISMATCH", Healthy, "ip link set ib1 mtu 1400"),
    ]
}
