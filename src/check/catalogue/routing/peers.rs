//! What peers and their data tell.

use super::super::Entry;
use super::{ADDR_DUP_PEER, MTU_PEER_MISMATCH, PEER_ASYMMETRY, RAIL_PEER_VIA_ETHERNET};
use crate::check::Layer;

/// Peers, and two nodes compared.
pub(in crate::check) const PEERS: &[Entry] = &[
    Entry {
        id: RAIL_PEER_VIA_ETHERNET,
        layer: Layer::Table,
        title: "a peer of the rails is reached by another device, or not at all",
        explanation: "A peer (a NID or gateway of LNet whose net lies on the rails, or an address given with \
            --peer) is outside all prefixes of the rails, or a better route leads to it, and packets from \
            the rails' addresses leave by another device. Mostly the prefix lengths of two nodes differ, /24 \
            here and /16 there: give both the same, or add a route. With the other node's capture (--peer \
            PATH) the right length is known, and so is the remedy. A host that was only seen on the wire of a \
            rail is a note.",
        source: "Linux net/ipv4/fib_trie.c (fib_table_lookup: longest prefix); man ip-address(8)",
    },
    Entry {
        id: PEER_ASYMMETRY,
        layer: Layer::Table,
        title: "packets to and from a peer take different rails",
        explanation: "Of two nodes (this one and the capture given with --peer) one has source rules and the \
            other has none: packets from here leave by the rail of their address, the answers come back by \
            another one. The load is not where it seems to be, and with rp_filter 1 on the node without \
            rules its second rail is dead in one direction: then it is critical. Give the node that lacks \
            them the same tables and rules.",
        source: "Linux net/ipv4/fib_frontend.c (__fib_validate_source)",
    },
    Entry {
        id: MTU_PEER_MISMATCH,
        layer: Layer::Netdev,
        title: "two nodes have different MTU on one rail",
        explanation: "The capture given with --peer has another MTU on the rail that faces this one. Frames \
            above the receiver's MTU vanish without any error on either side: 1000 bytes pass, 3000 do not, \
            and what is slow or hangs is the large transfer. Set the smaller value on both (datagram mode: \
            2044 or 4092). Connected beside datagram mode is a note: IPoIB itself limits what it sends to \
            such a peer.",
        source: "Linux Documentation/infiniband/ipoib.rst; drivers/infiniband/ulp/ipoib/ipoib_cm.c",
    },
    Entry {
        id: ADDR_DUP_PEER,
        layer: Layer::Address,
        title: "two nodes have the same address",
        explanation: "The capture given with --peer has an address of this node. Whoever asks for it gets one \
            of the two by chance, and another one tomorrow. Addresses that move between nodes (/32) are not \
            judged. Was the capture taken of this node under another name?",
        source: "RFC 5227",
    },
];
