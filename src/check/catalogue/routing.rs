//! Rules, tables, addresses and neighbours.

mod addresses;
mod arp;
mod peers;
mod rules;
mod tables;

pub(in crate::check) use addresses::ADDRESSES;
pub(in crate::check) use arp::ARP;
pub(in crate::check) use peers::PEERS;
pub(in crate::check) use rules::RULES;
pub(in crate::check) use tables::TABLES;

/// Names of findings, as they are printed.
macro_rules! ids {
    ($($id:ident),* $(,)?) => {
        $(pub(in crate::check) const $id: &str = stringify!($id);)*
    };
}

ids!(
    ACCEPT_LOCAL_OFF,
    ADDR_DUP_LOCAL,
    ADDR_DUP_PEER,
    ARP_FILTER_WITHOUT_RULES,
    ARP_FLUX_ANNOUNCE,
    ARP_FLUX_IGNORE,
    LNET_TABLES,
    MTU_MISMATCH,
    MTU_PEER_MISMATCH,
    NEIGH_SHARED_LLADDR,
    NEXTHOP_OBJECT_LOST,
    PEER_ASYMMETRY,
    PREFIX_LENGTH_MISMATCH,
    RAIL_NO_ADDRESS,
    RAIL_PEER_VIA_ETHERNET,
    RAIL_UNBOUND_NO_ROUTE,
    RAIL_UNBOUND_VIA_ETHERNET,
    ROUTE_DUP_CONNECTED,
    ROUTE_LINKDOWN,
    ROUTE_METRIC_ASYMMETRY,
    ROUTE_MTU_ABOVE_LINK,
    ROUTE_MTU_LOCK,
    ROUTE_MULTIPATH_NO_SOURCE,
    ROUTE_REJECT,
    ROUTE_SRC_NOT_LOCAL,
    ROUTING_NOT_PERSISTENT,
    RPF_ARP_DEADLOCK,
    RPF_STRICT_ASYM,
    RULES_NOT_OWNED_BY_MANAGER,
    RULE_AFTER_MAIN,
    RULE_BUILTIN_MISSING,
    RULE_CONFLICT,
    RULE_DETACHED,
    RULE_DUPLICATE,
    RULE_SHADOWED,
    RULE_STALE,
    RULE_TABLE_EMPTY,
    SYSCTL_ALL_ONLY,
    TABLE_NO_CONNECTED,
    TABLE_NO_RETURN_ROUTE,
    TABLE_NO_RULE,
    TABLE_WRONG_DEV,
    TABLE_WRONG_SRC,
);
