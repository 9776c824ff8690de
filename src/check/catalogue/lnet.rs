//! LNet: its life, its nets and NIs, its routes.

use super::Entry;
use crate::check::Layer;

pub(in crate::check) const NI_DOWN: &str = "NI_DOWN";
pub(in crate::check) const NI_ADDRESS_LOST: &str = "NI_ADDRESS_LOST";
pub(in crate::check) const NI_STATUS_STALE: &str = "NI_STATUS_STALE";
pub(in crate::check) const NI_ON_ALIAS: &str = "NI_ON_ALIAS";
pub(in crate::check) const NI_MISSING: &str = "NI_MISSING";
pub(in crate::check) const NI_WRONG_DEVICE: &str = "NI_WRONG_DEVICE";
pub(in crate::check) const NI_SETTINGS_DIFFER: &str = "NI_SETTINGS_DIFFER";
pub(in crate::check) const NI_FAILURES_UNSEEN: &str = "NI_FAILURES_UNSEEN";
pub(in crate::check) const LNET_NOT_LOADED: &str = "LNET_NOT_LOADED";
pub(in crate::check) const LNET_NOT_CONFIGURED: &str = "LNET_NOT_CONFIGURED";
pub(in crate::check) const LNET_NO_ANSWER: &str = "LNET_NO_ANSWER";
pub(in crate::check) const LNET_NO_NETS: &str = "LNET_NO_NETS";
pub(in crate::check) const LNET_NOT_PERSISTENT: &str = "LNET_NOT_PERSISTENT";
pub(in crate::check) const LNET_CONFIG_CONFLICT: &str = "LNET_CONFIG_CONFLICT";
pub(in crate::check) const LNET_CONFIG_WRONG: &str = "LNET_CONFIG_WRONG";
pub(in crate::check) const LNET_RULES_REFUSED: &str = "LNET_RULES_REFUSED";
pub(in crate::check) const LNET_NETS_SPLIT: &str = "LNET_NETS_SPLIT";
pub(in crate::check) const LNET_ROUTER_IDLE: &str = "LNET_ROUTER_IDLE";
pub(in crate::check) const LNET_ROUTE_DOWN: &str = "LNET_ROUTE_DOWN";
pub(in crate::check) const LNET_DROPS_RISING: &str = "LNET_DROPS_RISING";
pub(in crate::check) const LNET_QUEUE_TIMEOUTS: &str = "LNET_QUEUE_TIMEOUTS";
pub(in crate::check) const LNET_CREDITS_STARVED: &str = "LNET_CREDITS_STARVED";
pub(in crate::check) const LNET_PEER_SETTINGS_DIFFER: &str = "LNET_PEER_SETTINGS_DIFFER";
pub(in crate::check) const LNET_PRIMARY_NID: &str = "LNET_PRIMARY_NID";

/// NIs first, then LNet as a whole.
pub(in crate::check) const LNET: &[Entry] = &[
    Entry {
        id: NI_DOWN,
        layer: Layer::Ni,
        title: "LNet does not use this NI",
        explanation: "LNet's network interface on this rail is down. fatal_error 1: the network driver below \
            LNet reports that link or address is gone; LNet avoids the rail and comes back by itself, \
            traffic goes on over the other NIs of the net. The health value stays 1000 all the while. \
            fatal_error 0 with status down: a router's net without traffic for some two minutes, or health at 0 \
            (2.17). The loopback NI is never judged.",
        source: "Lustre lnet/include/lnet/lib-lnet.h (lnet_ni_get_status_locked); LU-14742, LU-14790, \
            LU-16051, LU-19476",
    },
    Entry {
        id: NI_ADDRESS_LOST,
        layer: Layer::Ni,
        title: "the address of an NI is not on its interface any more",
        explanation: "The link is up, and LNet took the NI out of use (fatal_error 1) because the address in its \
            NID was removed from the interface or replaced. Put the address back and LNet uses the NI \
            again by itself. If the interface has a new address on purpose, the NI must be made anew: its \
            NID is its address, and peers know it by that. An o2ib NI on the same interface may stay up.",
        source: "Lustre lnet/klnds/socklnd/socklnd.c (ksocknal_inetaddr_event); LU-14742",
    },
    Entry {
        id: NI_STATUS_STALE,
        layer: Layer::Ni,
        title: "LNet shows an NI as down and uses it",
        explanation: "status is down, yet fatal_error is 0, health is 1000, and messages move or the node is no \
            router: the link flapped, and Lustre 2.17.0 does not set the status back. Nothing is wrong with \
            the rail. Fixed in 2.17.53. Where it is not known whether this node routes, a router's net \
            without traffic looks the same: lnetctl routing show tells.",
        source: "LU-20093; Lustre lnet/include/lnet/lib-lnet.h (lnet_ni_get_status_locked)",
    },
    Entry {
        id: NI_ON_ALIAS,
        layer: Layer::Ni,
        title: "an NI is on an alias of an interface",
        explanation: "The NI is on ib0:1 or the like. LNet watches the links of interfaces, and an alias has \
            none: when the link drops, no fatal_error is raised and LNet goes on sending there until its \
            messages time out. Name the interface itself, with one address per NI.",
        source: "LU-16854, LU-17235",
    },
    Entry {
        id: NI_MISSING,
        layer: Layer::Ni,
        title: "a rail has no NI, and its like have one",
        explanation: "The rail is up with an address, and LNet has no NI on it: its share of the load goes over the \
            others. A warning where a file that is read at boot or /etc/lnet.conf names it, where it had an NI while railtop ran, \
            or where several rails of the same adapter and subnet have one; a note where only one has: the \
            second may be left to other traffic on purpose. Typical causes: of several ip2nets rules for one \
            net only the first counts (to 2.13, and in YAML in 2.17); an interface whose name begins another's \
            is taken for it (LU-16859); the interface was down when LNet started.",
        source: "Lustre lnet/lnet/config.c (lnet_match_networks); LU-13734, LU-16859",
    },
    Entry {
        id: NI_WRONG_DEVICE,
        layer: Layer::Ni,
        title: "LNet took the first interface because no rule names one",
        explanation: "The parameter of the lnet module names a net without a device. For tcp the kernel takes the \
            first interface of the node then, whichever address the rule matched; that is often the management \
            network. If that is meant, name it: tcp(eth0). Else name the rails: o2ib(ib0,ib1).",
        source: "Lustre lnet/lnet/config.c (lnet_parse_networks); Lustre manual, LNet module parameters",
    },
    Entry {
        id: NI_SETTINGS_DIFFER,
        layer: Layer::Ni,
        title: "NIs of one net have different settings",
        explanation: "Credits or settings of the driver differ between NIs that are meant to share load. The \
            smaller value of both ends counts, and the NI with fewer credits gets less. A file that gives \
            one NI its own tunables and leaves them out at the NI before it does this up to 2.15: the NI \
            without takes those of the next one. Give every NI its own.",
        source: "Lustre lnet/utils/lnetconfig/cyaml.c (cYAML_get_object_item); LU-3322, LU-12901",
    },
    Entry {
        id: NI_FAILURES_UNSEEN,
        layer: Layer::Ni,
        title: "messages fail, and the health of the only NI does not show it",
        explanation: "The node has one NI, its local failures (health stats) rose by three or more within the last \
            minute, and its health is 1000: Lustre 2.13.55 to 2.16 does not lower the health of an only NI, \
            and does not send again. Health proves nothing here; look at the counters, at the peers, and \
            at the import state of the file system.",
        source: "LU-13501, LU-19476; Lustre lnet/lnet/lib-msg.c (lnet_health_check)",
    },
    Entry {
        id: LNET_NOT_LOADED,
        layer: Layer::Ni,
        title: "LNet is not loaded, though it should be",
        explanation: "lnet.service is enabled, so this node means to have LNet after boot, and the module is not \
            there. The service failed, was stopped, or waits for the network. On a node that only mounts \
            Lustre now and then nothing needs to be loaded in between: without the service this is no finding.",
        source: "Lustre lustre/scripts/systemd/lnet.service.in",
    },
    Entry {
        id: LNET_NOT_CONFIGURED,
        layer: Layer::Ni,
        title: "LNet is loaded and not configured",
        explanation: "The module is loaded and LNet has not been started: lnetctl answers errno -100. A warning where \
            lnet.service is enabled; else a note, for a Lustre mount starts it with the parameters of the \
            module. lnetctl lnet configure starts it with the loopback alone, with --all it takes networks= \
            or ip2nets= of the module too. If it refuses, the kernel log has the reason: \"ip2nets does not \
            match any local IP interfaces\" (an interface was not up yet: order the service behind \
            network-online), or both parameters are set.",
        source: "Lustre lnet/lnet/api-ni.c (LNetNIInit, lnet_get_networks)",
    },
    Entry {
        id: LNET_NO_ANSWER,
        layer: Layer::Ni,
        title: "LNet is loaded and lnetctl gives no answer",
        explanation: "lnetctl hung, crashed or printed what cannot be read, so nothing is known of LNet's nets. One \
            that hangs sleeps in the kernel and cannot be killed: it waits for LNet's API mutex, which is \
            held while LNet is configured or shut down, while a net with a dead peer is removed (a minute \
            and more) or, by a defect, for good. Wait; /proc/PID/stack tells where it sleeps; do not start \
            more of them, each hangs as well. Not being allowed to ask is no finding.",
        source: "LU-15616, LU-17103; Lustre lnet/lnet/api-ni.c (ln_api_mutex)",
    },
    Entry {
        id: LNET_NO_NETS,
        layer: Layer::Ni,
        title: "LNet is configured and has no net",
        explanation: "Only the loopback is there. lnet.service runs lnetctl lnet configure, which makes no net, and \
            then imports /etc/lnet.conf: the file is empty (the one that is shipped has only comments), the \
            import stopped at its first error, or, up to 2.10, the service was skipped because LNet was \
            loaded already. A warning where the file names nets or the service is enabled, else a note.",
        source: "Lustre lustre/scripts/systemd/lnet.service.in; Lustre manual, lnetctl import",
    },
    Entry {
        id: LNET_NOT_PERSISTENT,
        layer: Layer::Ni,
        title: "NIs that run now would not be there after a boot",
        explanation: "What runs is compared with what a boot would make: /etc/lnet.conf where lnet.service is \
            enabled, networks= or ip2nets= of modprobe.d where a Lustre mount starts LNet. A warning where \
            other NIs stand there and these do not; a note where no file holds any, or where only the \
            service is missing: a script of the site may do it. lnetctl export --backup writes down what \
            runs, systemctl enable lnet brings it back. Never send export straight into \
            /etc/lnet.conf: it exits with 0 and prints nothing where it fails, and 2.10 does not know \
            --backup, so the file would be empty.",
        source: "Lustre manual, LNet configuration; lustre/scripts/systemd/lnet.service.in",
    },
    Entry {
        id: LNET_CONFIG_CONFLICT,
        layer: Layer::Ni,
        title: "networks and ip2nets are both set",
        explanation: "The lnet module takes one of the two: with both it refuses to start (\"Please specify EITHER \
            'networks' or 'ip2nets' but not both at once\"). modprobe joins all files of modprobe.d, so the \
            two often stand in different ones. Remove one.",
        source: "Lustre lnet/lnet/api-ni.c (lnet_get_networks); man modprobe.d(5)",
    },
    Entry {
        id: LNET_CONFIG_WRONG,
        layer: Layer::Ni,
        title: "a file says something of LNet that will not be done",
        explanation: "modprobe.d or /etc/lnet.conf has a line that is refused, does not count, or is misspelt. A \
            warning where the whole string or file is refused, so that none of its nets will be there; else a \
            note. railtop ip2nets tells rule by rule what LNet would make of it.",
        source: "Lustre lnet/lnet/config.c (lnet_parse_networks, lnet_parse_ip2nets); man modprobe.d(5)",
    },
    Entry {
        id: LNET_RULES_REFUSED,
        layer: Layer::Ni,
        title: "LNet would not start from the rules of its module",
        explanation: "LNet is loaded and not configured, and networks or ip2nets of the module would fail on this \
            host as it is now: no rule matches an address (errno 2: the interface was not up yet? order what \
            starts LNet behind network-online), an interface that is named is missing or down (errno 100: one \
            of them fails all), or the string is refused (errno 22). Told by following the kernel's own parser \
            of the installed version; railtop ip2nets shows it rule by rule.",
        source: "Lustre lnet/lnet/config.c (lnet_parse_ip2nets, lnet_parse_networks), lnet/lnet/api-ni.c",
    },
    Entry {
        id: LNET_NETS_SPLIT,
        layer: Layer::Ni,
        title: "one net per rail where one net for all is meant",
        explanation: "Several nets of one kind (o2ib, o2ib1) have one NI each. Rails share load and stand in for each \
            other inside one net; between nets they do so only for peers that have all of them, and a server on \
            o2ib cannot be reached over o2ib1. A warning where a peer has NIDs on all of these nets, so it is \
            one fabric; a note where the rails are in one subnet. Sites that route between many o2ib nets do \
            this on purpose. Merging changes NIDs: servers, clients and mounts must follow, with the file \
            system unmounted.",
        source: "Lustre manual, Multi-Rail; LU-7734",
    },
    Entry {
        id: LNET_ROUTER_IDLE,
        layer: Layer::Ni,
        title: "a router's NI had no traffic for a while",
        explanation: "Routing is on, or of this version only a router says so of an NI: status is down with \
            fatal_error 0 and full health. Nothing came in over this net for router_ping_timeout + alive_router_check_interval (110 s). Normal on a net without \
            clients; on one with clients, ping one.",
        source: "Lustre lnet/lnet/router.c (lnet_update_ni_status_locked)",
    },
    Entry {
        id: LNET_ROUTE_DOWN,
        layer: Layer::Ni,
        title: "a route is down",
        explanation: "The gateway does not answer on the near side, its interface to the remote net is down, or the \
            hop count is wrong, so that it is not taken for what it is. Critical where no other route to that \
            net is up and peers have NIDs there. On the gateway look at lnetctl routing show (enable 1) and net show.",
        source: "Lustre lnet/lnet/router.c (lnet_is_route_alive); Lustre manual, LNet routers",
    },
    Entry {
        id: LNET_DROPS_RISING,
        layer: Layer::Ni,
        title: "LNet drops messages that arrive",
        explanation: "drop_count of the NI rose by ten or more within the last minute: messages for a portal that \
            nobody listens on (an evicted client, a server that is gone), from a peer that is not known, or \
            by a way that the sender would not be answered on (drop_asym_route). dropped_stats tells the kind. \
            Compare the routes of both sides.",
        source: "Lustre lnet/lnet/lib-move.c (lnet_drop_message, lnet_parse)",
    },
    Entry {
        id: LNET_QUEUE_TIMEOUTS,
        layer: Layer::Ni,
        title: "messages wait too long in LNet's own queues",
        explanation: "timeouts rose on every NI of a net within the last minute, and messages wait for credits: the \
            queue is the trouble, not a rail. Credits are too few for the load (peer_credits, credits, on \
            both sides: the smaller value counts), or the peers answer slowly.",
        source: "Lustre lnet/lnet/lib-move.c (lnet_post_send_locked); LU-3322, LU-12901",
    },
    Entry {
        id: LNET_CREDITS_STARVED,
        layer: Layer::Ni,
        title: "credits ran out",
        explanation: "The lowest value since the last reset (min) says that at least as many messages waited for a \
            credit of the NI as it has, or twice as many for a peer's. It is history, not now: a burst does it \
            once. If it goes on falling, raise peer_credits and credits, with the same values on both sides. \
            Peers on nets that this node does not have show 0 and are left out.",
        source: "Lustre lnet/lnet/lib-move.c (lnet_post_send_locked), lnet_debugfs.c; LU-3322",
    },
    Entry {
        id: LNET_PEER_SETTINGS_DIFFER,
        layer: Layer::Ni,
        title: "two nodes have different settings of LNet",
        explanation: "Told where another node's capture is given (check --peer). Each end counts with its own \
            transaction_timeout and retry_count, so one gives up while the other still tries; 2.16 changed the \
            timeout from 50 to 150 s. Of peer_credits the smaller value of both ends counts. Set them equally: \
            lnetctl set transaction_timeout N, peer_credits in modprobe.d of both.",
        source: "LU-15288, LU-3322; Lustre manual, LNet health",
    },
    Entry {
        id: LNET_PRIMARY_NID,
        layer: Layer::Ni,
        title: "a server is known by another primary NID than the one it is mounted by",
        explanation: "Lustre was given one NID of the server, and LNet lists it below another primary NID, although \
            lock_prim_nid means to keep it. Recovery and eviction go by the primary NID: mounts that hang \
            after a failover have been seen. Ask anew with lnetctl discover --force; to be rid of it, unmount \
            and remove the peer.",
        source: "LU-14668, LU-16709, LU-17665",
    },
];
