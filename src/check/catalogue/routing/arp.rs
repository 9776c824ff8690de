//! Neighbours and the sysctls that decide who answers.

use super::super::Entry;
use super::{
    ACCEPT_LOCAL_OFF, ARP_FILTER_WITHOUT_RULES, ARP_FLUX_ANNOUNCE, ARP_FLUX_IGNORE,
    NEIGH_SHARED_LLADDR, RPF_ARP_DEADLOCK, RPF_STRICT_ASYM, SYSCTL_ALL_ONLY,
};
use crate::check::Layer;

/// ARP and the reverse-path filter.
pub(in crate::check) const ARP: &[Entry] = &[
    Entry {
        id: RPF_STRICT_ASYM,
        layer: Layer::Neighbour,
        title: "strict reverse-path filtering drops what arrives on this rail",
        explanation: "rp_filter is 1, the higher of all and the interface, and the way back from this rail's \
            address leaves by another device: packets and ARP requests that arrive here are dropped and \
            counted in IPReversePathFilter of /proc/net/netstat. With right source rules strict filtering \
            works; else rp_filter=2 on the interface is enough, because the higher value counts. 0 on the \
            interface does nothing while all is 1.",
        source: "Linux net/ipv4/fib_frontend.c (__fib_validate_source); \
            Documentation/networking/ip-sysctl.rst (rp_filter)",
    },
    Entry {
        id: RPF_ARP_DEADLOCK,
        layer: Layer::Neighbour,
        title: "nobody answers ARP for this address",
        explanation: "arp_ignore keeps the other rails silent, and this rail drops the requests because \
            rp_filter is 1 and the way back leaves elsewhere. It is what the popular advice arp_ignore=1 \
            leads to without source rules. Make the rules first.",
        source: "Linux net/ipv4/arp.c (arp_process: requests are validated as packets are)",
    },
    Entry {
        id: ARP_FLUX_IGNORE,
        layer: Layer::Neighbour,
        title: "a rail answers ARP for another rail's address",
        explanation: "With arp_ignore 0 every rail answers for every address of the node. Peers keep the \
            answer that came last, so packets, and RDMA CM requests above all, go to a port where nobody \
            listens for that address: REJECTED, status 8. Set arp_ignore=1 on every rail (2 also drops \
            askers outside the prefix), after the source rules are right, and flush the peers' \
            neighbour entries. Values of all also hit Ethernet and container bridges: prefer those of the \
            rails. rp_filter 1 with right source rules hides the flux; do not rely on it, systemd sets 2.",
        source: "Linux net/ipv4/arp.c (arp_ignore); Documentation/networking/ip-sysctl.rst; \
            rdma-core Documentation/librdmacm.md",
    },
    Entry {
        id: ARP_FILTER_WITHOUT_RULES,
        layer: Layer::Neighbour,
        title: "arp_filter without source rules: the wrong rail answers",
        explanation: "arp_filter 1 lets the rail answer by which the packets to the asker would leave. \
            Without source rules that is the same rail for all addresses, so the wrong one answers, \
            reliably. Make the rules, or take arp_filter=0 and arp_ignore=1.",
        source: "Linux net/ipv4/arp.c (arp_filter)",
    },
    Entry {
        id: ARP_FLUX_ANNOUNCE,
        layer: Layer::Neighbour,
        title: "a rail asks with another rail's address",
        explanation: "With arp_announce 0 or 1 an ARP request carries the address of the packet that waits, \
            which may be another rail's in the same subnet: the peer learns the wrong hardware address from \
            it. Only 2 is enough in one subnet.",
        source: "Linux net/ipv4/arp.c (arp_solicit); Documentation/networking/ip-sysctl.rst",
    },
    Entry {
        id: NEIGH_SHARED_LLADDR,
        layer: Layer::Neighbour,
        title: "a peer answers on the wrong port",
        explanation: "One address of a peer has different hardware addresses on different rails of this \
            node, or two addresses that LNet knows as NIDs of one peer have one hardware address, or (with \
            --peer) an address has that of another of the peer's interfaces. Of an IPoIB address the last 16 \
            of 20 bytes count, the GID. More than one of the peer's ports answers for it: set arp_ignore=1 \
            and arp_announce=2 there, then flush the entries here. Proxy ARP and rails in separate fabrics \
            with one prefix look the same.",
        source: "Linux net/ipv4/arp.c; RFC 4391 section 9.1.1 (IPoIB hardware address)",
    },
    Entry {
        id: ACCEPT_LOCAL_OFF,
        layer: Layer::Neighbour,
        title: "a rail does not accept packets from this node itself",
        explanation: "A packet that arrives with an address of this node as its source is dropped, ARP \
            requests too, unless accept_local is 1 on the interface or for all. Only RDMA CM from one port to \
            another of the same node needs it, as loopback tests do. It is told only when one of this node's \
            own addresses is named with --peer, and is no setting that every node should have: it lets \
            others send with this node's addresses.",
        source: "Linux net/ipv4/fib_frontend.c (__fib_validate_source); \
            Documentation/networking/ip-sysctl.rst (accept_local)",
    },
    Entry {
        id: SYSCTL_ALL_ONLY,
        layer: Layer::Neighbour,
        title: "a value that the rails need is set for all interfaces",
        explanation: "The higher value of all and the interface counts, so what is set in all holds for every \
            interface. Told where that hits somebody else: arp_ignore or arp_announce of all on a node with \
            bridges or interfaces of containers and virtual machines; rp_filter 2 of all where another \
            interface has 1 and no longer filters strictly. The remedy gives the values to the rails \
            first, then takes them from all. A hardening profile's rp_filter 1 is not told.",
        source: "Linux include/linux/inetdevice.h (IN_DEV_MAXCONF); \
            Documentation/networking/ip-sysctl.rst",
    },
];
