//! Peers: named ones, and host B's own data.

use crate::lab::Start::{Bare, Healthy};
use crate::row::Packets::{Astray, Right, RightAfter};
use crate::row::{Row, quiet, row};

/// Two rails in subnets of their own; main leads to what is behind the router by the first.
const ROUTED: &str = "
    ip addr add 172.16.34.1/24 dev ib0; ip addr add 172.17.34.1/24 dev ib1
    ip route add 172.20.0.0/16 via 172.16.34.254 dev ib0
    ip route add 172.99.0.0/16 via 172.17.34.254 dev ib1";

pub(crate) fn rows() -> Vec<Row> {
    vec![
        row("TABLE_NO_RETURN_ROUTE", Bare, ROUTED)
            .called("to a named peer")
            .on(&["ib1"])
            .asking(&["--peer", "172.20.0.9"]),
        row("RAIL_PEER_VIA_ETHERNET", Healthy, "")
            .called("named")
            .asking(&["--peer", "172.31.16.1", "--peer", "172.16.16.1"])
            .no_fix("the right prefix is not known"),
        row(
            "RAIL_PEER_VIA_ETHERNET",
            Healthy,
            "ip route add 172.16.16.1 via 10.208.130.1 dev eth0",
        )
        .called("by a longer route, for those who bind to nothing")
        .asking(&["--peer", "172.16.16.1"])
        .no_fix("the route may be meant for somebody else"),
        row("RAIL_PEER_VIA_ETHERNET", Bare, "ip addr add 172.16.34.1/24 dev ib0")
            .called("seen on the wire")
            .on(&["ib0"])
            .at_peer("ip addr add 172.16.16.1/16 dev ib0")
            .then_at_peer("bash -c 'echo 1 >/dev/udp/172.16.34.1/9'; sleep 0.1")
            .no_fix("nobody says that it is a peer"),
        row(
            "RAIL_PEER_VIA_ETHERNET",
            Healthy,
            "ip addr del 172.16.34.1/16 dev ib0; ip addr del 172.16.34.2/16 dev ib1
             ip addr add 172.16.34.1/24 dev ib0; ip addr add 172.16.34.2/24 dev ib1
             ip route replace 172.16.34.0/24 dev ib0 scope link src 172.16.34.1 table 941
             ip route replace 172.16.34.0/24 dev ib1 scope link src 172.16.34.2 table 942",
        )
        .called("by its own data")
        .beside_peer()
        .packets(Astray),
        row("PEER_ASYMMETRY", Healthy, "")
            .at_peer(
                "ip rule del pref 9410; ip rule del pref 9420
                 ip route flush table 941; ip route flush table 942",
            )
            .beside_peer()
            .packets(RightAfter),
        row("MTU_PEER_MISMATCH", Healthy, "")
            .at_peer("ip link set ib0 mtu 1400; ip link set ib1 mtu 1400")
            .beside_peer()
            .packets(Right),
        row("MTU_PEER_MISMATCH", Healthy, "ip link set ib0 mtu 1400; ip link set ib1 mtu 1400")
            .called("to be set there")
            .beside_peer()
            .packets(Right),
        row("ADDR_DUP_PEER", Healthy, "")
            .on(&["ib1"])
            .at_peer("ip addr add 172.16.34.2/16 dev ib1 noprefixroute")
            .beside_peer()
            .no_fix("which one is right is not known"),
        row("PREFIX_LENGTH_MISMATCH", Healthy, "")
            .called("of two nodes")
            .at_peer(
                "ip addr add 172.16.16.1/12 dev ib0 noprefixroute
                 ip addr add 172.16.16.2/12 dev ib1 noprefixroute
                 ip addr del 172.16.16.1/16 dev ib0; ip addr del 172.16.16.2/16 dev ib1",
            )
            .beside_peer()
            .no_fix("each reaches the other"),
        row(
            "NEIGH_SHARED_LLADDR",
            Healthy,
            "ip neigh replace 172.16.16.2 lladdr 02:00:00:00:16:00 dev ib1 nud reachable",
        )
        .called("by the peer's own data")
        .at_peer("ip link set ib0 address 02:00:00:00:16:00")
        .beside_peer()
        .packets(RightAfter),
        row("ACCEPT_LOCAL_OFF", Healthy, "")
            .on(&["ib1"])
            .asking(&["--peer", "172.16.34.2"])
            .packets(Right),
        row(
            "SYSCTL_ALL_ONLY",
            Healthy,
            "ip link add name docker0 type bridge; ip link set docker0 up
             cd /proc/sys/net/ipv4/conf; echo 1 >all/arp_ignore; echo 2 >all/arp_announce
             echo 0 >ib1/arp_ignore; echo 0 >ib1/arp_announce",
        )
        .packets(Right),
        quiet("beside a peer that is as it should be", Healthy, "").beside_peer(),
    ]
}
