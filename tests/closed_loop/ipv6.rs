//! The forms of IPv6.

use crate::lab::Start::{Healthy6, Plain6};
use crate::row::Packets::{Astray, Right, RightAfter};
use crate::row::{Row, row};

pub(crate) fn rows() -> Vec<Row> {
    let rows = vec![
        row("ROUTE_DUP_CONNECTED", Plain6, "").packets(Astray),
        row(
            "ROUTE_DUP_CONNECTED",
            Healthy6,
            "ip -6 rule del pref 9410; ip -6 route flush table 941",
        )
        .called("by luck")
        .on(&["ib0"])
        .packets(Right),
        row(
            "ROUTE_METRIC_ASYMMETRY",
            Plain6,
            "ip -6 route del fd16::/64 dev ib1; ip -6 route add fd16::/64 dev ib1 metric 300",
        )
        .packets(Astray),
        row("RULE_TABLE_EMPTY", Healthy6, "ip -6 route flush table 942")
            .on(&["ib1"])
            .packets(Astray)
            .restores(),
        row("TABLE_NO_RULE", Healthy6, "ip -6 rule del pref 9420").on(&["ib1"]).packets(Astray),
        row(
            "TABLE_WRONG_DEV",
            Healthy6,
            "ip -6 route del fd16::/64 table 942; ip -6 route add fd16::/64 dev ib0 table 942",
        )
        .on(&["ib1"])
        .packets(Astray),
        row("ROUTE_REJECT", Healthy6, "ip -6 route add unreachable fd16::16:0/112 table 942")
            .called("a route")
            .on(&["ib1"])
            .packets(Astray)
            .restores(),
        row("ROUTE_REJECT", Healthy6, "ip -6 rule add pref 9000 from fd16::34:2 prohibit")
            .called("a rule")
            .on(&["ib1"])
            .packets(Astray)
            .restores(),
        row("RULE_STALE", Healthy6, "ip -6 rule add pref 9430 from fd16::34:7 lookup 942")
            .on(&["ib1"])
            .packets(Right)
            .restores(),
        row("RULE_DUPLICATE", Healthy6, "ip -6 rule add pref 9421 from fd16::34:2 lookup 942")
            .on(&["ib1"])
            .packets(Right)
            .restores(),
        row("RULE_CONFLICT", Healthy6, "ip -6 rule add pref 9420 from fd16::34:2 lookup 941")
            .on(&["ib1"])
            .packets(Right)
            .restores(),
        row("RULE_SHADOWED", Healthy6, "ip -6 rule add pref 9000 from fd16::/64 lookup main")
            .packets(Astray),
        row(
            "RULE_AFTER_MAIN",
            Healthy6,
            "ip -6 rule del pref 9420; ip -6 rule add pref 32800 from fd16::34:2 lookup 942",
        )
        .on(&["ib1"])
        .packets(Astray),
        row(
            "TABLE_NO_CONNECTED",
            Healthy6,
            "ip -6 route add default via fd16::1 dev ib1 table 942
             ip -6 route del fd16::/64 table 942",
        )
        .on(&["ib1"])
        .packets(RightAfter),
        row(
            "ROUTE_MTU_LOCK",
            Healthy6,
            "ip -6 route replace fd16::/64 dev ib1 src fd16::34:2 mtu lock 1300 table 942",
        )
        .on(&["ib1"])
        .packets(Right)
        .restores(),
        row("MTU_MISMATCH", Healthy6, "ip link set ib1 mtu 1400"),
        row("ADDR_DUP_LOCAL", Healthy6, "ip addr add fd16::34:2/64 dev ib0 nodad")
            .no_fix("which one is right is not known"),
        row("RULE_DETACHED", Healthy6, "ip -6 rule add pref 9000 iif ib7 lookup 941")
            .on(&["ib7"])
            .packets(Right)
            .restores(),
        row("RULE_BUILTIN_MISSING", Healthy6, "ip -6 rule del pref 32766")
            .packets(Right)
            .restores(),
        row(
            "RAIL_UNBOUND_NO_ROUTE",
            Healthy6,
            "ip -6 route del fd16::/64 dev ib0; ip -6 route del fd16::/64 dev ib1",
        )
        .packets(Right),
    ];
    rows.into_iter().map(|r| r.called("IPv6")).collect()
}
