//! Policy rules.

use super::super::Entry;
use super::{
    RULE_AFTER_MAIN, RULE_BUILTIN_MISSING, RULE_CONFLICT, RULE_DETACHED, RULE_DUPLICATE,
    RULE_SHADOWED, RULE_STALE, RULE_TABLE_EMPTY,
};
use crate::check::Layer;

/// Rules.
pub(in crate::check) const RULES: &[Entry] = &[
    Entry {
        id: RULE_TABLE_EMPTY,
        layer: Layer::Table,
        title: "the rule leads to an empty table",
        explanation: "A rule leads packets from a rail's address to a table without routes. Nothing refuses \
            them: they silently fall through to the next rule and leave by another rail. The usual cause: \
            ip link set IF down removes all IPv4 routes of the interface from all tables without a word, \
            up brings back only the connected route of main, and the rule stays. Fill the table again, and \
            let the network manager or a hook do it after every link change.",
        source: "Linux net/ipv4/fib_frontend.c (fib_disable_ip), net/core/fib_rules.c (fib_rules_lookup)",
    },
    Entry {
        id: RULE_SHADOWED,
        layer: Layer::Rule,
        title: "an earlier rule decides first",
        explanation: "There is a right rule and table for this address, and a rule with a lower preference \
            answers before it is asked: lookup main, a not-rule, a goto, or main with \
            suppress_prefixlength 0 as WireGuard and other VPN clients install it (it catches connected \
            prefixes and lets the default route pass). Move the rule in front of it.",
        source: "Linux net/core/fib_rules.c (ascending preference, then order of insertion)",
    },
    Entry {
        id: RULE_AFTER_MAIN,
        layer: Layer::Rule,
        title: "the rule comes after main",
        explanation: "The rule for this address has a preference above 32766, that of main. Main knows the \
            prefix, so the rule is never asked. Give it a preference below 32766.",
        source: "Linux net/ipv4/fib_rules.c (fib_default_rules_init); man ip-rule(8)",
    },
    Entry {
        id: RULE_STALE,
        layer: Layer::Rule,
        title: "a rule for an address nobody here has",
        explanation: "The kernel never removes a rule together with the address it is for. After a \
            renumbering it stays, and the day another node's packets are forwarded or the address comes \
            back on another rail it is in the way. Not told on hosts that forward, for rules of \
            keepalived, and while a rail is down without its address.",
        source: "Linux net/core/fib_rules.c (no tie to addresses); man ip-rule(8)",
    },
    Entry {
        id: RULE_DUPLICATE,
        layer: Layer::Rule,
        title: "the same rule several times",
        explanation: "ip rule add without a preference takes a new one each time, so a script that runs at \
            every link change adds one more rule every time. Harmless at first; deleting one then leaves the \
            others, and hundreds cost time for each packet. Always give a preference: the second add then \
            fails with EEXIST. A warning above 10.",
        source: "Linux net/core/fib_rules.c (rule_exists; fib_default_rule_pref)",
    },
    Entry {
        id: RULE_CONFLICT,
        layer: Layer::Rule,
        title: "two rules for the same packets lead to different devices",
        explanation: "Two rules select the same source and lead to tables that leave by different devices. \
            The first one decides; at equal preference that is the one made first, which changes with the \
            order of scripts. Delete one of the two.",
        source: "Linux net/core/fib_rules.c (order of insertion among equals)",
    },
    Entry {
        id: RULE_DETACHED,
        layer: Layer::Rule,
        title: "a rule names a device that does not exist",
        explanation: "The rule selects by iif or oif, and no device has that name: it matches nothing until \
            one appears. Left over from a renamed or removed interface, or waiting for a VPN.",
        source: "Linux include/uapi/linux/fib_rules.h (FIB_RULE_IIF_DETACHED, FIB_RULE_OIF_DETACHED)",
    },
    Entry {
        id: RULE_BUILTIN_MISSING,
        layer: Layer::Rule,
        title: "a built-in rule is gone",
        explanation: "The rules for local (0), main (32766) and, with VRFs, l3mdev (1000) are made by the \
            kernel and can be deleted. ip rule flush leaves only local: every route of main is dead then. \
            Make them again. VRF set-ups and Kubernetes networks move local to a later place: that is no \
            finding.",
        source: "man ip-rule(8); Linux Documentation/networking/vrf.rst",
    },
];
