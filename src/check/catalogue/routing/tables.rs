//! Routes and tables.

use super::super::Entry;
use super::{
    LNET_TABLES, NEXTHOP_OBJECT_LOST, RAIL_UNBOUND_NO_ROUTE, RAIL_UNBOUND_VIA_ETHERNET,
    ROUTE_DUP_CONNECTED, ROUTE_LINKDOWN, ROUTE_METRIC_ASYMMETRY, ROUTE_MTU_ABOVE_LINK,
    ROUTE_MTU_LOCK, ROUTE_MULTIPATH_NO_SOURCE, ROUTE_REJECT, ROUTE_SRC_NOT_LOCAL,
    ROUTING_NOT_PERSISTENT, RULES_NOT_OWNED_BY_MANAGER, TABLE_NO_CONNECTED, TABLE_NO_RETURN_ROUTE,
    TABLE_NO_RULE, TABLE_WRONG_DEV, TABLE_WRONG_SRC,
};
use crate::check::Layer;

/// Routes, tables, next hops.
pub(in crate::check) const TABLES: &[Entry] = &[
    Entry {
        id: ROUTE_DUP_CONNECTED,
        layer: Layer::Table,
        title: "several rails in one subnet without source rules",
        explanation: "Main has one connected route per rail for the same prefix. The kernel uses the first \
            one inserted for every packet, also for those that carry another rail's address; first is the \
            rail that came up first, so a link bounce swaps them. The second rail sends nothing, and with \
            rp_filter 1 it does not even answer. A rail without a rule beside rails that have one is right \
            while its route is the first: a warning. The complete remedy: keep main as it is, give each rail a \
            table with the connected route and a rule from its address with an explicit preference, then \
            arp_ignore=1 and arp_announce=2 on each rail, and flush the peers' neighbour entries. It works with \
            rp_filter 0, 1 and 2. The recipe that is found on the web is a trap: it empties main, so that \
            every program that binds to no address leaves by Ethernet; it adds rules without preferences, \
            one more at every link bounce; it sets no arp_* sysctl, so it works with rp_filter 1 only; and \
            its route del stops a script with set -e at the second run. arp_ignore=1 without source rules \
            is a trap too: with rp_filter 1 nobody answers for the second rail. ping -I IFACE proves \
            nothing: a socket bound to a device needs no route.",
        source: "Linux net/ipv4/fib_trie.c (insertion order among equals), net/ipv4/fib_frontend.c \
            (fib_validate_source), net/ipv4/arp.c; man ip-rule(8)",
    },
    Entry {
        id: ROUTE_METRIC_ASYMMETRY,
        layer: Layer::Table,
        title: "several rails in one subnet, metrics decide",
        explanation: "Main has one route per rail for the same prefix with different metrics: NetworkManager \
            gives 150 and 151, and a route that the kernel makes again at link up has 0 and wins. The best \
            metric takes everything; metrics never split traffic. Source rules do: see ROUTE_DUP_CONNECTED.",
        source: "Linux net/ipv4/fib_trie.c (fib_find_alias: by metric); NetworkManager nm-settings-nmcli(5), \
            ipv4.route-metric",
    },
    Entry {
        id: ROUTE_MULTIPATH_NO_SOURCE,
        layer: Layer::Table,
        title: "one multipath route over several rails, no source rules",
        explanation: "One route has several rails as next hops. The kernel spreads destinations by a hash, \
            whatever address a socket is bound to. Since Linux 6.16 the hop that would itself give the \
            bound address (the first of its device) is preferred: bound packets \
            then leave by their own rail, and nothing is told. It is still told there for further \
            addresses of a rail and for routes by a next-hop group, which know no such preference; on older kernels \
            always. Packets of programs that bind to no address are spread on every kernel. It is no \
            duplicate route and may be meant. Source rules may stand beside it.",
        source: "Linux net/ipv4/fib_semantics.c (fib_select_multipath)",
    },
    Entry {
        id: TABLE_NO_RULE,
        layer: Layer::Rule,
        title: "a table of the rail that no rule names",
        explanation: "A table holds the routes of this rail and no rule leads there, so packets from its \
            address take main. The rule was lost, or never made. Tables of VRFs are not meant.",
        source: "man ip-rule(8)",
    },
    Entry {
        id: TABLE_WRONG_DEV,
        layer: Layer::Table,
        title: "the rail's table leads out by another device",
        explanation: "The rule from this address leads to a table whose route leaves by another device. The \
            rail sends nothing, and RDMA CM rejects connections to its address: it looks up the way back \
            for the listening address on the rail the request came in by.",
        source: "Linux drivers/infiniband/core/cma.c (validate_ipv4_net_dev)",
    },
    Entry {
        id: TABLE_WRONG_SRC,
        layer: Layer::Table,
        title: "the rail's table gives another rail's address",
        explanation: "A route of this rail's table has another rail's address as preferred source. Sockets \
            bound to an address do not mind; sockets bound to the device get the wrong one.",
        source: "man ip-route(8), src",
    },
    Entry {
        id: ROUTE_SRC_NOT_LOCAL,
        layer: Layer::Table,
        title: "a route gives an address that is gone",
        explanation: "The preferred source of a route is no address of this node. The kernel refuses to add \
            such a route, but keeps it in tables other than main when the address is removed and the \
            device keeps another one.",
        source: "Linux net/ipv4/fib_semantics.c (fib_sync_down_addr: the table of the device only)",
    },
    Entry {
        id: TABLE_NO_CONNECTED,
        layer: Layer::Table,
        title: "the table has no route to the rail's own subnet",
        explanation: "The table has a default route or routes by a router, and none for the subnet of the \
            rail. Packets for peers on the same wire go to the router, or fall through to main and leave \
            by another rail.",
        source: "Linux net/ipv4/fib_rules.c (a table without a match: the next rule)",
    },
    Entry {
        id: TABLE_NO_RETURN_ROUTE,
        layer: Layer::Table,
        title: "no way from this rail to peers behind a router",
        explanation: "A network behind a router, or a peer in it (a NID or gateway of LNet, an address given \
            with --peer), is reached by a router on one rail, and the table of another rail has no route \
            there: packets from its address fall through to main and leave by the first rail. With \
            rp_filter 1 here or there they are dropped: then it is critical. Give the table its own route. \
            A flat fabric without routers needs none. The router is only named where a route by this rail \
            names one.",
        source: "Linux net/ipv4/fib_frontend.c (fib_validate_source)",
    },
    Entry {
        id: ROUTE_REJECT,
        layer: Layer::Table,
        title: "a route or rule refuses packets to peers",
        explanation: "An unreachable, prohibit or blackhole route or rule decides for packets from this \
            address to peers of its own prefix. A reject route as the last resort of a table, for \
            destinations outside, is good practice and is not told.",
        source: "Linux net/ipv4/fib_semantics.c (fib_props)",
    },
    Entry {
        id: ROUTE_LINKDOWN,
        layer: Layer::Table,
        title: "the kernel goes on using a dead rail",
        explanation: "The rail has no carrier and its routes are still chosen: by default the kernel marks \
            them linkdown and uses them all the same. With ignore_routes_with_linkdown=1 the next route \
            takes over. The sysctl of all counts since 5.11 only; that of the interface always. Packets \
            from the dead rail's address then leave by another rail: fine with rp_filter 0 or 2 at the \
            peer, dropped with 1.",
        source: "Linux Documentation/networking/ip-sysctl.rst (ignore_routes_with_linkdown)",
    },
    Entry {
        id: NEXTHOP_OBJECT_LOST,
        layer: Layer::Table,
        title: "a next-hop group lost a rail",
        explanation: "Losing the carrier deletes a next-hop object and its place in every group, without a \
            message, and the carrier's return does not bring it back. Make the object again and put it \
            into the group. Multipath routes of the old kind survive.",
        source: "Linux net/ipv4/nexthop.c (nexthop_flush_dev)",
    },
    Entry {
        id: RAIL_UNBOUND_VIA_ETHERNET,
        layer: Layer::Table,
        title: "unbound packets to the rails' subnet leave by Ethernet",
        explanation: "A packet to a peer on the rails' subnet, of a program that binds to no address, leaves \
            by another device, mostly the default route of the management network. ssh, ping, Alluxio \
            clients without a bound device and rping without -I are concerned, and RDMA CM resolves to a \
            device without RDMA. It is what the recipe found on the web leaves behind, which empties main \
            and adds rules without preferences, and what ipv4.route-table of NetworkManager does. Put the \
            prefix back into main, one route per rail with its own metric: beside source rules it does no \
            harm.",
        source: "Linux net/ipv4/route.c (ip_route_output_key_hash_rcu); NetworkManager \
            nm-settings-nmcli(5), ipv4.route-table",
    },
    Entry {
        id: RAIL_UNBOUND_NO_ROUTE,
        layer: Layer::Table,
        title: "unbound packets to the rails' subnet have no route",
        explanation: "No rule leads packets of programs that bind to no address to a route for the rails' \
            subnet: they fail with ENETUNREACH. See RAIL_UNBOUND_VIA_ETHERNET.",
        source: "Linux net/ipv4/route.c (ip_route_output_key_hash_rcu)",
    },
    Entry {
        id: ROUTE_MTU_LOCK,
        layer: Layer::Table,
        title: "a route limits the packet size",
        explanation: "A route of the rail has an mtu below the link's. With lock, path MTU discovery is off as \
            well. It may be meant, for a path with a smaller link; else large packets are cut for nothing.",
        source: "man ip-route(8), mtu lock",
    },
    Entry {
        id: ROUTE_MTU_ABOVE_LINK,
        layer: Layer::Table,
        title: "a route promises larger packets than the link carries",
        explanation: "A route of the rail has an mtu above the link's. The kernel accepts and believes it: \
            large packets that must not be fragmented are lost without an error here.",
        source: "man ip-route(8), mtu",
    },
    Entry {
        id: LNET_TABLES,
        layer: Layer::Table,
        title: "tables that LNet made",
        explanation: "lnetctl net add --net tcp runs ksocklnd-config, which makes a table named after each \
            interface and a rule without a preference, and sets no sysctl. It skips an interface whose table has \
            routes, so a changed address leaves the old rule; after a link bounce nobody fills the table \
            again. The module parameter skip_mr_route_setup=1 turns it off.",
        source: "Lustre lustre/scripts/ksocklnd-config",
    },
    Entry {
        id: ROUTING_NOT_PERSISTENT,
        layer: Layer::Table,
        title: "rules, routes or sysctls that stand in no file",
        explanation: "They work now, but the network manager that keeps the rail does not know them: after a \
            reboot, a link bounce or a restart of the manager they are gone, and the rail is again what it was \
            before somebody typed them. Told only where the manager is known from its run-time files, and \
            where all files that could hold them were read; a script that may make them is told as not \
            checked. railtop fix --persist prints the form for the manager.",
        source: "systemd.network(5), nm-settings-keyfile(5), netplan(5), interfaces(5), sysctl.d(5)",
    },
    Entry {
        id: RULES_NOT_OWNED_BY_MANAGER,
        layer: Layer::Rule,
        title: "rules that systemd-networkd will remove",
        explanation: "The rail is kept by systemd-networkd and its rules were made by hand or by a script \
            (FRA_PROTOCOL 0). networkd removes the rules that it did not configure when it starts, unless \
            networkd.conf has ManageForeignRoutingPolicyRules=no (and ManageForeignRoutes=no for routes). Put \
            them into the rail's .network file: railtop fix --persist=networkd prints it.",
        source: "networkd.conf(5)",
    },
];
