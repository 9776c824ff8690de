//! Rules.

use crate::lab::Start::Healthy;
use crate::row::Packets::{Astray, Right};
use crate::row::{Row, row};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        row("RULE_STALE", Healthy, "ip rule add pref 9430 from 172.16.34.7 lookup 942")
            .on(&["ib1"])
            .packets(Right)
            .restores(),
        row("RULE_DUPLICATE", Healthy, "ip rule add pref 9421 from 172.16.34.2 lookup 942")
            .on(&["ib1"])
            .packets(Right)
            .restores(),
        row("RULE_CONFLICT", Healthy, "ip rule add pref 9420 from 172.16.34.2 lookup 941")
            .on(&["ib1"])
            .packets(Right)
            .restores(),
        row("RULE_CONFLICT", Healthy, "ip rule add pref 9400 from 172.16.34.2 lookup 941")
            .called("that leads astray")
            .on(&["ib1"])
            .packets(Astray)
            .restores(),
        row("RULE_SHADOWED", Healthy, "ip rule add pref 9400 from 172.16.34.0/24 lookup 941")
            .called("by a wider rule with another rail's table")
            .on(&["ib1"])
            .packets(Astray),
        row(
            "TABLE_WRONG_DEV",
            Healthy,
            "ip rule del pref 9420; ip rule add pref 9420 from 172.16.34.2 lookup 941",
        )
        .called("by a rule alone")
        .on(&["ib1"])
        .packets(Astray),
        row("RULE_SHADOWED", Healthy, "ip rule add pref 9000 from 172.16.0.0/16 lookup main")
            .packets(Astray),
        row("RULE_SHADOWED", Healthy, "ip rule add pref 100 lookup main suppress_prefixlength 0")
            .called("as by wg-quick")
            .packets(Astray),
        row("RULE_SHADOWED", Healthy, "ip rule add pref 100 goto 32766")
            .called("by a jump")
            .packets(Astray),
        row("RULE_SHADOWED", Healthy, "ip rule add pref 100 not from 10.0.0.0/8 lookup main")
            .called("by what it is not")
            .packets(Astray),
        row(
            "RULE_DUPLICATE",
            Healthy,
            "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
             ip rule add pref $((9420 + i)) from 172.16.34.2 lookup 942; done",
        )
        .called("by a hook")
        .on(&["ib1"])
        .packets(Right)
        .restores(),
        row(
            "RULE_AFTER_MAIN",
            Healthy,
            "ip rule del pref 9420; ip rule add pref 32800 from 172.16.34.2 lookup 942",
        )
        .on(&["ib1"])
        .packets(Astray),
        row("RULE_DETACHED", Healthy, "ip rule add pref 9000 iif ib7 lookup 941")
            .on(&["ib7"])
            .packets(Right)
            .restores(),
        row("RULE_BUILTIN_MISSING", Healthy, "ip rule del pref 32766; ip rule del pref 32767")
            .packets(Right)
            .restores(),
    ]
}
