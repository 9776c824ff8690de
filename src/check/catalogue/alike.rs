//! Rails that are not like the others of their group, and MTU against IPoIB mode.

use super::Entry;
use crate::check::Layer;

pub(in crate::check) const RATE_BELOW_PEERS: &str = "RATE_BELOW_PEERS";
pub(in crate::check) const RATE_DIFFERS: &str = "RATE_DIFFERS";
pub(in crate::check) const FIRMWARE_OLDER: &str = "FIRMWARE_OLDER";
pub(in crate::check) const NUMA_DIFFERS: &str = "NUMA_DIFFERS";
pub(in crate::check) const PCIE_DIFFERS: &str = "PCIE_DIFFERS";
pub(in crate::check) const IPOIB_MODE_DIFFERS: &str = "IPOIB_MODE_DIFFERS";
pub(in crate::check) const MTU_DIFFERS: &str = "MTU_DIFFERS";
pub(in crate::check) const IPOIB_MTU_BEYOND_MODE: &str = "IPOIB_MTU_BEYOND_MODE";
pub(in crate::check) const IPOIB_MTU_UNUSED: &str = "IPOIB_MTU_UNUSED";

pub(super) const ALIKE: &[Entry] = &[
    Entry {
        id: RATE_BELOW_PEERS,
        layer: Layer::Cable,
        title: "the link is slower than those of its group",
        explanation: "The port is ACTIVE at a lower rate than more than half of the rails of its group \
            that have the same board: it trained with fewer lanes (1X, 2X) or at a lower speed, as ports do with a bad cable, a dirty \
            transceiver or a switch port that is set so. Only ports that are ACTIVE are compared: what a \
            port without a link prints as its rate is a placeholder. Split cables make all rails of a group \
            alike, and are no finding. Reseat or swap the cable, then look at the rate again.",
        source: "Linux drivers/infiniband/core/sysfs.c (rate_show); facebookresearch/gcm check_iblink.py; \
            the rails of the group, compared",
    },
    Entry {
        id: RATE_DIFFERS,
        layer: Layer::Cable,
        title: "rails of a group run at different rates",
        explanation: "The rails of a group that are ACTIVE have different rates, and none of them is what most \
            have, or they are of different boards: which one is meant, nobody but the site can tell. Balance is weighed by what each can \
            carry. railtop expect keeps what is meant.",
        source: "Linux drivers/infiniband/core/sysfs.c (rate_show); the rails of the group, compared",
    },
    Entry {
        id: FIRMWARE_OLDER,
        layer: Layer::Pcie,
        title: "an adapter has older firmware than its like",
        explanation: "Adapters of the same board (PSID) in one group have different firmware, and this one's is \
            older than what most have: it was probably replaced or missed by an update. Versions of one \
            board can be compared; those of different boards cannot.",
        source: "Linux drivers/infiniband/core/sysfs.c (fw_ver, board_id); the rails of the group, compared",
    },
    Entry {
        id: NUMA_DIFFERS,
        layer: Layer::Pcie,
        title: "a rail is on another NUMA node than the others",
        explanation: "Most rails of the group are on one NUMA node and this one on another: its adapter is in \
            another slot. LNet prefers the NI that is near to the memory; the far one may idle. A node \
            whose rails are spread evenly over its sockets is no finding.",
        source: "Linux Documentation/ABI/testing/sysfs-bus-pci (numa_node); Lustre lnet/lnet/lib-move.c",
    },
    Entry {
        id: PCIE_DIFFERS,
        layer: Layer::Pcie,
        title: "an adapter is in another slot than its like",
        explanation: "Most adapters of the same board in the group are in one kind of slot and this one in another. \
            The slot carries what the link does, so nothing is lost: where it does not, PCIE_LIMITED or \
            PCIE_DOWNGRADED says so instead.",
        source: "Linux Documentation/ABI/testing/sysfs-bus-pci (max_link_speed, max_link_width)",
    },
    Entry {
        id: IPOIB_MODE_DIFFERS,
        layer: Layer::Netdev,
        title: "a rail is in another IPoIB mode than the others",
        explanation: "Most interfaces of the group are in one IPoIB mode (datagram or connected) and this one is in \
            the other. Both work together; their largest packets, their speed and their cost differ. After \
            a driver update connected mode may be refused (enhanced IPoIB has datagram mode only).",
        source: "Linux Documentation/infiniband/ipoib.rst; drivers/net/ethernet/mellanox/mlx5/core/ipoib",
    },
    Entry {
        id: MTU_DIFFERS,
        layer: Layer::Netdev,
        title: "a rail has another MTU than the others",
        explanation: "Most rails of the group have one MTU and this one another. Where they share a subnet this \
            is MTU_MISMATCH, which loses packets; in subnets of their own each rail works by itself, and \
            what works over one may not over the other.",
        source: "Linux Documentation/ABI/testing/sysfs-class-net (mtu); the rails of the group, compared",
    },
    Entry {
        id: IPOIB_MTU_BEYOND_MODE,
        layer: Layer::Netdev,
        title: "the MTU is larger than the IPoIB mode carries",
        explanation: "The interface is in datagram mode with an MTU above 4092 bytes, the largest IB MTU (4096) \
            less the IPoIB header. It was probably set for connected mode, which the interface has left or \
            never entered. Packets above what the multicast group allows are lost. Omni-Path's \
            accelerated IPoIB, which carries up to 10 KiB, is not judged.",
        source: "RFC 4391 section 7; Linux drivers/infiniband/ulp/ipoib/ipoib.h (IPOIB_UD_MTU)",
    },
    Entry {
        id: IPOIB_MTU_UNUSED,
        layer: Layer::Netdev,
        title: "the MTU is smaller than the IPoIB mode is for",
        explanation: "The interface is in connected mode with an MTU that datagram mode could carry, or in datagram \
            mode with less than the 2044 bytes that every fabric carries. Connected mode costs a connection \
            per peer and pays only with large packets, up to 65520 bytes. All nodes of the subnet need the \
            same MTU: change it on all of them or on none.",
        source: "Linux Documentation/infiniband/ipoib.rst; drivers/infiniband/ulp/ipoib/ipoib.h (IPOIB_CM_MTU)",
    },
];
