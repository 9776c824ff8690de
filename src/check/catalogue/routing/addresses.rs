//! Addresses and sizes.

use super::super::Entry;
use super::{ADDR_DUP_LOCAL, MTU_MISMATCH, PREFIX_LENGTH_MISMATCH, RAIL_NO_ADDRESS};
use crate::check::Layer;

/// Addresses, prefixes, MTU.
pub(in crate::check) const ADDRESSES: &[Entry] = &[
    Entry {
        id: RAIL_NO_ADDRESS,
        layer: Layer::Address,
        title: "the rail is up and has no address",
        explanation: "The IPoIB interface is up with carrier and has no address. Programs that use verbs \
            without IP do not mind. RDMA CM, LNet and everything on sockets cannot use this rail.",
        source: "man rdma_cm(7): addresses are IP addresses",
    },
    Entry {
        id: ADDR_DUP_LOCAL,
        layer: Layer::Address,
        title: "one address on two devices",
        explanation: "Two devices of this node have the same address. Replies, ARP answers and LNet NIs \
            land on one of them by chance. Take it from one of the two. Loopback, dummy devices and host \
            addresses (/32) on several devices are meant and are not judged.",
        source: "Linux net/ipv4/devinet.c (__ip_dev_find: the first one found)",
    },
    Entry {
        id: PREFIX_LENGTH_MISMATCH,
        layer: Layer::Address,
        title: "prefixes of rails overlap and differ in length",
        explanation: "The longest prefix decides before any metric, so the rail with the longer one gets \
            every packet to its part of the peers, also those that carry another rail's address. Mostly a \
            typing error (/24 here, /16 there). Give all rails of a subnet one prefix length. With source \
            rules only unbound packets are drawn aside: then it is a note.",
        source: "Linux net/ipv4/fib_trie.c (fib_table_lookup: longest prefix, then tos, then metric)",
    },
    Entry {
        id: MTU_MISMATCH,
        layer: Layer::Netdev,
        title: "rails of one subnet have different MTU",
        explanation: "A frame that is larger than the receiver's MTU vanishes without any error: small \
            packets pass, large ones do not. It shows when traffic takes the wrong rail, or when peers \
            measure by one rail and send by another. Set the smallest common value (datagram mode: 2044 \
            or 4092). Connected mode beside datagram mode may be meant: then it is a note.",
        source: "Linux Documentation/infiniband/ipoib.rst; man ip-link(8)",
    },
];
