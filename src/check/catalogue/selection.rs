//! LNet's health, and its choice among the rails of a net.

use super::Entry;
use crate::check::Layer;

macro_rules! ids {
    ($($id:ident),* $(,)?) => {
        $(pub(in crate::check) const $id: &str = stringify!($id);)*
    };
}

ids!(
    NI_HEALTH_LOW,
    NI_NUMA_IDLE,
    NI_RECEIVE_UNEVEN,
    NI_ROUND_ROBIN_OLD,
    NI_UDSP_AVOIDED,
    PEER_HEALTH_LOW,
    PEER_NOT_MULTI_RAIL,
);

/// Why LNet takes one rail and leaves another.
pub(in crate::check) const SELECTION: &[Entry] = &[
    Entry {
        id: NI_HEALTH_LOW,
        layer: Layer::Health,
        title: "LNet avoids an NI, or lost messages on it: its health is below 1000",
        explanation: "Each message that fails on an NI takes health_sensitivity (100) off its health of 1000. \
            Health is compared exactly: at 999 an NI is not used while another of the net has 1000. It \
            still carries answers to what comes in on it, and recovery pings: 2^ping_count seconds apart \
            after so many failures, up to 900 s, so that a rail can idle for a quarter of an hour after \
            its fault is gone. What fails is told by timeouts, dropped, no route of the NI. With a \
            perfect link, and several rails in one subnet, it is mostly a missing source rule: then it follows \
            from the finding of the routes. Once the fault is gone, lnetctl net set --nid NID --health \
            1000 ends the wait. Lustre 2.14 to 2.16 never lower the health of a node's only NI.",
        source: "Lustre lnet/lnet/lib-msg.c (lnet_health_check), lib-move.c (lnet_get_best_ni, \
            lnet_recover_local_nis); LU-9120, LU-13569, LU-13501, LU-19476",
    },
    Entry {
        id: PEER_HEALTH_LOW,
        layer: Layer::Health,
        title: "LNet avoids rails of peers",
        explanation: "All local NIs of the net are healthy, and NIs of peers are not: messages to them failed \
            or were not answered (timeout, network timeout, dropped of the peer's NI). The path to them, or \
            the peer's own rail, is bad; look at that host. LNet sends to the healthy NIs of the peer \
            meanwhile. lnetctl ping NID tests one; lnetctl peer set --nid NID --health 1000 ends the \
            wait for the next recovery ping. A peer with one NI never loses health.",
        source: "Lustre lnet/lnet/lib-msg.c (lnet_handle_remote_failure), lib-move.c \
            (lnet_select_peer_ni, lnet_recover_peer_nis); LU-9120, LU-13501",
    },
    Entry {
        id: NI_NUMA_IDLE,
        layer: Layer::Selection,
        title: "LNet leaves rails out that are far from the memory",
        explanation: "Among NIs of equal health LNet takes the one whose adapter is nearest to the memory of the \
            message. Where the memory of a job, or of the server's threads, is on one NUMA node, the adapters of \
            the other idle. It is so by design, and costs the rate of the others. Distances below \
            numa_range are equal: lnetctl set numa_range N, with N the largest distance, lets all \
            adapters take turns (lnet_numa_range of the module keeps it). Or spread the job over the NUMA \
            nodes. Judged only where rails of one LNet net differ in this alone, and at least 100 \
            messages move per interval.",
        source: "Lustre lnet/lnet/lib-move.c (lnet_get_best_ni), libcfs cfs_cpt_distance(); \
            LU-7734",
    },
    Entry {
        id: NI_UDSP_AVOIDED,
        layer: Layer::Selection,
        title: "a selection policy prefers other rails",
        explanation: "A user-defined selection policy (UDSP) gives NIs a priority: those with a lower number are \
            taken before those with a higher or none, as long as their health is equal. lnetctl udsp show \
            lists the rules, lnetctl udsp del --idx N removes one. Somebody wanted it so: only a note.",
        source: "Lustre lnet/lnet/udsp.c, lib-move.c (lnet_get_best_ni); LU-9121",
    },
    Entry {
        id: PEER_NOT_MULTI_RAIL,
        layer: Layer::Selection,
        title: "peers are bound to one rail each",
        explanation: "A peer that LNet takes for single-rail (Multi-Rail: false), or one with preferred source NIDs, \
            gets one fixed local NI; with few peers, rails stay without any. Peers become Multi-Rail by \
            discovery: lnetctl set discovery 1 on both sides, then lnetctl discover NID; or by hand, \
            lnetctl peer add --prim_nid A --nid B. Some sites switched discovery off on 2.10 to 2.12.",
        source: "Lustre lnet/lnet/lib-move.c (lnet_set_non_mr_pref_nid), peer.c; LU-12427",
    },
    Entry {
        id: NI_RECEIVE_UNEVEN,
        layer: Layer::Selection,
        title: "peers send to one rail more than to another",
        explanation: "What this node sends is spread evenly, what it receives is not: the choice is the peers'. Bulk \
            data of reads and writes follows the choice of the server. Look there for health, policies, NUMA \
            distance, and for rails of this node that they do not know.",
        source: "Lustre lnet/lnet/lib-move.c (lnet_select_peer_ni); counters received_stats of \
            lnetctl net show -v 2",
    },
    Entry {
        id: NI_ROUND_ROBIN_OLD,
        layer: Layer::Selection,
        title: "round robin of an old LNet is uneven",
        explanation: "The rails of a net are equal in all that LNet compares, and it uses them unevenly: round \
            robin before 2.15 kept one sequence for all peers. An update mends it.",
        source: "LU-13575 (2.14.56), LU-15713 (2.15.51)",
    },
];
