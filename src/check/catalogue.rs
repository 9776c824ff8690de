//! The table of everything that can be found: what it means, why it matters, where that is known.

pub(super) mod alike;
pub(super) mod expect;
mod links;
pub(super) mod lnet;
pub(super) mod routing;
pub(super) mod selection;

pub(super) use links::{
    COUNTER_SATURATED, ERRORS_RISING, LINK_FLAPPING, PCIE_DOWNGRADED, PCIE_LIMITED,
};

use super::Layer;

/// One kind of finding, as `railtop explain` prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// UPPER_SNAKE, stable once published.
    pub id: &'static str,
    /// The layer it is usually about.
    pub layer: Layer,
    /// What it is, in a few words.
    pub title: &'static str,
    /// What is looked for, why it matters, what to do.
    pub explanation: &'static str,
    /// Where the rule comes from.
    pub source: &'static str,
}

/// The entry of an id.
pub fn entry(id: &str) -> Option<&'static Entry> {
    CATALOGUE.iter().find(|e| e.id == id)
}

pub(super) const PORT_DOWN: &str = "PORT_DOWN";
pub(super) const PORT_DISABLED: &str = "PORT_DISABLED";
pub(super) const PORT_NO_SM: &str = "PORT_NO_SM";
pub(super) const PORT_ARMED: &str = "PORT_ARMED";
pub(super) const PORT_RETRAINING: &str = "PORT_RETRAINING";
pub(super) const NETDEV_NO_CARRIER: &str = "NETDEV_NO_CARRIER";
pub(super) const RAIL_DOWN: &str = "RAIL_DOWN";
pub(super) const RAIL_ADMIN_DOWN: &str = "RAIL_ADMIN_DOWN";
pub(super) const RAIL_GONE: &str = "RAIL_GONE";
pub(super) const RAIL_IDLE: &str = "RAIL_IDLE";
pub(super) const TRAFFIC_OFF_RAILS: &str = "TRAFFIC_OFF_RAILS";
pub(super) const BALANCE_UNFAIR: &str = "BALANCE_UNFAIR";
pub(super) const WRONG_RAIL: &str = "WRONG_RAIL";
pub(super) const READER_STUCK: &str = "READER_STUCK";

/// Every finding there can be, by layer.
pub const CATALOGUE: &[Entry] = &joined::<{ COUNT }>();

const PARTS: [&[Entry]; 11] = [
    BASE,
    expect::EXPECT,
    alike::ALIKE,
    links::LINKS,
    lnet::LNET,
    selection::SELECTION,
    routing::ADDRESSES,
    routing::RULES,
    routing::TABLES,
    routing::ARP,
    routing::PEERS,
];

const COUNT: usize = {
    let (mut count, mut part) = (0, 0);
    while part < PARTS.len() {
        count += PARTS[part].len();
        part += 1;
    }
    count
};

/// The parts in one list.
const fn joined<const N: usize>() -> [Entry; N] {
    let mut all = [BASE[0]; N];
    let (mut at, mut part) = (0, 0);
    while part < PARTS.len() {
        let mut i = 0;
        while i < PARTS[part].len() {
            all[at] = PARTS[part][i];
            at += 1;
            i += 1;
        }
        part += 1;
    }
    all
}

/// Links, interfaces, LNet, traffic.
const BASE: &[Entry] = &[
    Entry {
        id: PORT_DOWN,
        layer: Layer::Cable,
        title: "the port has no link",
        explanation: "The port is DOWN. Polling (or Sleep) means that nothing answers at the other end: no \
            cable, a bad cable or transceiver, or a dead or disabled switch port. Training means that the two \
            ends see each other and cannot agree. On Ethernet the same state says that there is no carrier. \
            Critical on a rail that something relies on: an address, an LNet NI, a port that was ACTIVE \
            before, or the same port of an identical adapter that is ACTIVE. On any other port, a \
            management port or the free second port of a card, it is only a note. \
            Look at the cable's lights, swap the cable, look at the switch port.",
        source: "Linux include/rdma/ib_verbs.h (enum ib_port_state, ib_port_phys_state); \
            InfiniBand Architecture Specification vol. 1, PortInfo",
    },
    Entry {
        id: PORT_DISABLED,
        layer: Layer::Cable,
        title: "the port is disabled",
        explanation: "The port is DOWN and its physical state is Disabled: somebody switched it off, here or \
            from the other end of the fabric (enable of ibportstate turns it on again), or the adapter \
            did. The drivers of Ethernet ports report Disabled whenever the interface is administratively \
            down. Critical when the rail has an address or an LNet NI, or was ACTIVE while railtop ran.",
        source: "Linux include/rdma/ib_verbs.h (enum ib_port_phys_state); man ibportstate(8)",
    },
    Entry {
        id: PORT_NO_SM,
        layer: Layer::SubnetManager,
        title: "no subnet manager reached the port",
        explanation: "The link is up (LinkUp) and the port stays in INIT: the cable is fine, but no subnet \
            manager has given the port its LID. No traffic flows. Is a subnet manager running on this fabric \
            (sminfo, systemctl status opensm on the node that should run it)? Is the port connected to the \
            right fabric? When only one port is in INIT, look at partitions and at the manager's log.",
        source: "InfiniBand Architecture Specification vol. 1, port state machine (Initialize); \
            facebookresearch/gcm check_iblink.py (LINK_IN_INIT)",
    },
    Entry {
        id: PORT_ARMED,
        layer: Layer::SubnetManager,
        title: "the subnet manager stopped half-way",
        explanation: "The port is ARMED: the subnet manager configured it and has not activated it. During a \
            sweep this lasts an instant. When it stays, the manager's sweep is stuck or it died in between: \
            look at its log, let it sweep again.",
        source: "InfiniBand Architecture Specification vol. 1, port state machine (Armed)",
    },
    Entry {
        id: PORT_RETRAINING,
        layer: Layer::Cable,
        title: "the link is retraining",
        explanation: "The port is ACTIVE and its physical state is LinkErrorRecovery: the link lost its \
            signal quality and trains again right now. Traffic stalls meanwhile. Seen once it may be chance; \
            seen often it is a cable or transceiver on its way out: look at symbol_error, \
            link_error_recovery and link_downed.",
        source: "Linux include/rdma/ib_verbs.h (IB_PORT_PHYS_STATE_LINK_ERROR_RECOVERY)",
    },
    Entry {
        id: READER_STUCK,
        layer: Layer::Pcie,
        title: "a read does not come back",
        explanation: "A read of this device's files, or the lnetctl that was asked, has not returned. Reads \
            of InfiniBand counters and states are firmware commands: when the firmware hangs, each lasts up \
            to 60 s and cannot be interrupted. Every figure of the device is from before. Look at the kernel \
            log for mlx5_cmd or health messages. lnetctl hangs while LNet's configuration lock is held \
            (configuration, shutdown, discovery of a dead peer).",
        source: "Linux drivers/net/ethernet/mellanox/mlx5/core/lib/tout.c (MLX5_TO_CMD_MS); \
            Lustre LU-15616, LU-17103",
    },
    Entry {
        id: RAIL_GONE,
        layer: Layer::Pcie,
        title: "the rail vanished",
        explanation: "The rail was there while railtop ran and is not any more: its driver was unloaded, the \
            adapter fell off the bus, or the interface moved to another network namespace. Look at the \
            kernel log and at lspci.",
        source: "the sysfs classes infiniband and net, compared between two reads",
    },
    Entry {
        id: NETDEV_NO_CARRIER,
        layer: Layer::Netdev,
        title: "the port is ACTIVE, its interface has no carrier",
        explanation: "The port is ACTIVE and the IPoIB interface is administratively up, yet it has no \
            carrier: it could not join its broadcast multicast group. The partition key is not in the \
            port's table, the partition does not allow IPoIB (opensm: ipoib flag), the group has another \
            rate or MTU than this port can do, or the subnet manager does not answer. IP does not work \
            on it; RDMA that needs no IP address does.",
        source: "Linux drivers/infiniband/ulp/ipoib/ipoib_multicast.c (ipoib_mcast_carrier_on_task)",
    },
    Entry {
        id: RAIL_DOWN,
        layer: Layer::Netdev,
        title: "the interface is up without carrier",
        explanation: "The interface is administratively up (IFF_UP) and has no carrier (IFF_LOWER_UP). Behind \
            a port that is not ACTIVE it follows from that. Without an RDMA port it is the first sign of a \
            cut cable, a dead transceiver or a switch port that is off.",
        source: "Linux include/uapi/linux/if.h (IFF_UP, IFF_LOWER_UP); man netdevice(7)",
    },
    Entry {
        id: RAIL_ADMIN_DOWN,
        layer: Layer::Netdev,
        title: "the interface is switched off, and something relies on it",
        explanation: "The interface is administratively down although it has an address or an LNet NI, or \
            carried traffic while railtop ran. Nodes that use RDMA alone leave IPoIB down on purpose: without an \
            address and an NI this is no finding. ip link set IF up turns it on. When it went down \
            the kernel removed its IPv4 routes from all tables; going up brings back the connected route of \
            main and nothing else. The connected route of a table that a rule leads to is part of the fix; \
            what else stood there (a default route by a gateway) comes back with whatever filled the table: \
            the network manager (nmcli device reapply IF, networkctl reconfigure IF) or a script.",
        source: "man ip-link(8); Linux net/ipv4/fib_frontend.c (fib_disable_ip)",
    },
    Entry {
        id: RAIL_IDLE,
        layer: Layer::Traffic,
        title: "the rail carries nothing while its group works",
        explanation: "The rail carries next to nothing and the other rails of its group carry traffic: its share goes \
            over them, and the group is that much slower. It is dead, or it works and is left out: \
            by the routes, or by LNet's choice, which railtop why RAIL shows criterion by criterion. A \
            rail that works is judged only in an LNet net that moves at least 100 messages per interval, \
            and with less than a tenth of the most loaded rail, 1 % of its own link, now and over its \
            last five samples.",
        source: "port and interface counters of the rails of one group; Lustre lnet/lnet/lib-move.c \
            (lnet_select_pathway)",
    },
    Entry {
        id: BALANCE_UNFAIR,
        layer: Layer::Traffic,
        title: "a rail carries less than its fair share",
        explanation: "Rails that are meant to share load, those of one LNet net or of a configured group, do not: \
            for ten seconds in a row this rail carried less than 0.7 of its fair share in one direction. The \
            fair share is the group's rate by what the rail can carry (its link, or its PCIe path where that \
            is less), so a slower rail owes less. Nothing is judged while the group carries less than 1 % of \
            what it could. All three limits can be set in the configuration (thresholds). With LNet, railtop \
            why RAIL shows how the rail is chosen; a file that is striped over one OST of one server, or one \
            peer with one NI, loads rails unevenly by itself.",
        source: "R. Jain, D. Chiu, W. Hawe, A Quantitative Measure of Fairness and Discrimination (DEC-TR-301, \
            1984); Lustre lnet/lnet/lib-move.c (lnet_get_best_ni)",
    },
    Entry {
        id: WRONG_RAIL,
        layer: Layer::Traffic,
        title: "the messages of a rail travel over another",
        explanation: "LNet counts messages on this rail's NI, at least 100 per second for ten seconds, and the \
            rail's port moves less than half of what their headers alone (72 bytes each) must be, while \
            another port moves more than its own messages explain. LNet chose this rail, the \
            packets took the other: the peer's address was resolved to the wrong port (ARP flux), or the \
            route of this rail's address leads out by the other one. railtop path shows the routes.",
        source: "Lustre lnet/include/uapi/linux/lnet/lnet-idl.h (struct lnet_hdr); Linux \
            drivers/infiniband/core/addr.c (rdma_resolve_ip)",
    },
    Entry {
        id: TRAFFIC_OFF_RAILS,
        layer: Layer::Traffic,
        title: "traffic goes around the rails",
        explanation: "The rails are up and idle while the other network cards of this node move at least \
            100 MB/s in one direction. Idle means: all rails together carry less than a tenth of that, and \
            each less than 1 % of its own link, now and over its last five samples, as far as there are so many. \
            Typical: Lustre mounted by the NID of the management network, NCCL or MPI fallen back to TCP. \
            Judged only where a rail that is up has an address or an LNet NI, and where the bytes of every \
            rail that is up are known, RDMA included.",
        source: "counters of all physical interfaces",
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ids_are_upper_snake_and_unique() {
        let ids: BTreeSet<_> = CATALOGUE.iter().map(|e| e.id).collect();
        assert_eq!(ids.len(), CATALOGUE.len());
        for e in CATALOGUE {
            assert!(e.id.split('_').all(|w| !w.is_empty()), "{}", e.id);
            assert!(e.id.chars().all(|c| c.is_ascii_uppercase() || c == '_'), "{}", e.id);
            assert!(!e.title.is_empty() && !e.explanation.is_empty() && !e.source.is_empty());
            assert!(!e.explanation.contains("  "), "{}", e.id);
            assert_eq!(entry(e.id), Some(e));
        }
        assert!(entry("NO_SUCH_ID").is_none());
    }
}
