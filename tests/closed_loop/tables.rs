//! Routes and tables.

use crate::lab::Start::{Bare, Healthy, Plain};
use crate::row::Packets::{Astray, Right, RightAfter};
use crate::row::{Row, row};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        row("ROUTE_DUP_CONNECTED", Plain, "").packets(Astray),
        row("ROUTE_DUP_CONNECTED", Healthy, "ip rule del pref 9410; ip route flush table 941")
            .called("by luck")
            .on(&["ib0"])
            .packets(Right),
        row(
            "ROUTE_DUP_CONNECTED",
            Healthy,
            "ip rule del pref 9420; ip route flush table 942; ip link set ib0 down; ip link set ib0 up
             ip route replace 172.16.0.0/16 dev ib0 scope link src 172.16.34.1 table 941",
        )
        .called("by luck after a bounce of the other")
        .on(&["ib1"])
        .packets(Right),
        row(
            "ROUTE_METRIC_ASYMMETRY",
            Plain,
            "ip route del 172.16.0.0/16 dev ib1
             ip route add 172.16.0.0/16 dev ib1 scope link src 172.16.34.2 metric 151",
        )
        .packets(Astray),
        row("RULE_TABLE_EMPTY", Healthy, "ip route flush table 942")
            .on(&["ib1"])
            .packets(Astray)
            .restores(),
        row("RULE_TABLE_EMPTY", Healthy, "ip link set ib1 down; ip link set ib1 up")
            .called("after a bounce")
            .on(&["ib1"])
            .packets(Astray)
            .restores(),
        row("TABLE_NO_RULE", Healthy, "ip rule del pref 9420").on(&["ib1"]).packets(Astray),
        row(
            "TABLE_WRONG_DEV",
            Healthy,
            "ip route replace 172.16.0.0/16 dev ib0 scope link src 172.16.34.1 table 942",
        )
        .on(&["ib1"])
        .packets(Astray)
        .restores(),
        row(
            "TABLE_WRONG_DEV",
            Healthy,
            "ip route replace 172.16.0.0/16 table 942 nexthop dev ib0 weight 3 \
             nexthop via 172.16.16.2 dev ib0",
        )
        .called("by several hops")
        .on(&["ib1"])
        .packets(Astray),
        row(
            "TABLE_WRONG_DEV",
            Healthy,
            "ip nexthop add id 10 dev ib0
             ip route del 172.16.0.0/16 table 942; ip route add 172.16.0.0/16 nhid 10 table 942",
        )
        .called("by a next-hop object")
        .on(&["ib1"])
        .packets(Astray),
        row(
            "TABLE_WRONG_SRC",
            Healthy,
            "ip route replace 172.16.0.0/16 dev ib1 scope link src 172.16.34.1 table 942",
        )
        .on(&["ib1"])
        .packets(Right)
        .restores(),
        row(
            "ROUTE_SRC_NOT_LOCAL",
            Healthy,
            "ip addr add 172.16.34.9/16 dev ib1
             ip route replace 172.16.0.0/16 dev ib1 scope link src 172.16.34.9 table 942
             ip addr del 172.16.34.9/16 dev ib1",
        )
        .on(&["ib1"])
        .packets(Right)
        .undo_differs("the kernel takes no source that is not local")
        .restores(),
        row(
            "TABLE_NO_CONNECTED",
            Healthy,
            "ip route replace default via 172.16.0.1 dev ib1 table 942
             ip route del 172.16.0.0/16 table 942",
        )
        .on(&["ib1"])
        .packets(RightAfter),
        row(
            "TABLE_NO_RETURN_ROUTE",
            Bare,
            "ip addr add 172.16.34.1/24 dev ib0; ip addr add 172.17.34.1/24 dev ib1
             ip route add 172.20.0.0/16 via 172.16.34.254 dev ib0
             ip route add 172.21.0.0/16 via 172.17.34.254 dev ib1
             ip route add 172.16.34.0/24 dev ib0 scope link src 172.16.34.1 table 941
             ip route add 172.17.34.0/24 dev ib1 scope link src 172.17.34.1 table 942
             ip route add 172.20.0.0/16 via 172.16.34.254 dev ib0 table 941
             ip route add 172.21.0.0/16 via 172.17.34.254 dev ib1 table 942
             ip route add 172.21.0.0/16 via 172.16.34.254 dev ib0 table 941
             ip rule add pref 9410 from 172.16.34.1 lookup 941
             ip rule add pref 9420 from 172.17.34.1 lookup 942",
        )
        .on(&["ib1"]),
        row("ROUTE_REJECT", Healthy, "ip route replace unreachable 172.16.16.0/24 table 942")
            .called("a route")
            .on(&["ib1"])
            .at_peer("")
            .packets(Astray)
            .restores(),
        row("ROUTE_REJECT", Healthy, "ip rule add pref 9000 from 172.16.34.2 prohibit")
            .called("a rule")
            .on(&["ib1"])
            .packets(Astray)
            .restores(),
        row(
            "ROUTE_REJECT",
            Healthy,
            "ip route add unreachable default metric 4278198272 table 942
             ip route del 172.16.0.0/16 table 942",
        )
        .called("by a last resort without the connected route")
        .on(&["ib1"])
        .packets(Astray),
        row("ROUTE_LINKDOWN", Healthy, "")
            .because("RAIL_DOWN")
            .on(&["ib1"])
            .at_switch("ip link set Aib1 down")
            .remains(&["RAIL_DOWN"]),
        row(
            "ROUTE_MULTIPATH_NO_SOURCE",
            Plain,
            "ip route del 172.16.0.0/16 dev ib0; ip route del 172.16.0.0/16 dev ib1
             ip route add 172.16.0.0/16 scope link nexthop dev ib0 nexthop dev ib1
             ip addr add 172.16.34.3/16 dev ib1 noprefixroute
             cd /proc/sys/net/ipv4/conf; for c in ib0 ib1; do
             echo 1 >$c/arp_ignore; echo 2 >$c/arp_announce; done",
        )
        .packets(RightAfter),
        row(
            "NEXTHOP_OBJECT_LOST",
            Healthy,
            "ip nexthop add id 10 dev ib0; ip nexthop add id 11 dev ib1
             ip nexthop add id 20 group 10/11
             ip route add 172.30.0.0/16 nhid 20
             ip nexthop del id 11",
        )
        .on(&["ib1"]),
        row(
            "RAIL_UNBOUND_VIA_ETHERNET",
            Healthy,
            "ip route del 172.16.0.0/16 dev ib0; ip route del 172.16.0.0/16 dev ib1",
        )
        .packets(Right),
        row(
            "RAIL_UNBOUND_NO_ROUTE",
            Healthy,
            "ip route del default
             ip route del 172.16.0.0/16 dev ib0; ip route del 172.16.0.0/16 dev ib1",
        )
        .packets(Right),
        row(
            "ROUTE_MTU_LOCK",
            Healthy,
            "ip route replace 172.16.0.0/16 dev ib1 scope link src 172.16.34.2 mtu lock 1300 table 942",
        )
        .on(&["ib1"])
        .packets(Right)
        .restores(),
        row(
            "ROUTE_MTU_ABOVE_LINK",
            Healthy,
            "ip route replace 172.16.0.0/16 dev ib1 scope link src 172.16.34.2 mtu 9000 table 942",
        )
        .on(&["ib1"])
        .packets(Right)
        .restores(),
    ]
}
