//! Links, addresses, rules, routes, neighbours and next hops as rtnetlink dumps them.
//!
//! Orders are kept: the kernel decides by dump (= insertion) order among equals.

use super::{Mono, Reading, Text, Unknown, Why};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;

/// Address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// IPv4.
    Inet,
    /// IPv6.
    Inet6,
}

/// An address with a prefix length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Prefix {
    /// Address; host bits may be set (an interface address).
    pub addr: IpAddr,
    /// 0…32 or 0…128.
    pub len: u8,
}

impl Prefix {
    /// The family of the address.
    pub fn family(&self) -> Family {
        if self.addr.is_ipv4() { Family::Inet } else { Family::Inet6 }
    }

    /// Is `addr` inside? False across families.
    pub fn contains(&self, addr: IpAddr) -> bool {
        match (self.addr, addr) {
            (IpAddr::V4(p), IpAddr::V4(a)) => {
                let shift = 32u32.saturating_sub(u32::from(self.len));
                (u64::from(p.to_bits()) >> shift) == (u64::from(a.to_bits()) >> shift)
            }
            (IpAddr::V6(p), IpAddr::V6(a)) => {
                let shift = 128u32.saturating_sub(u32::from(self.len));
                shift >= 128 || (p.to_bits() >> shift) == (a.to_bits() >> shift)
            }
            _ => false,
        }
    }

    /// The same prefix with the host bits cleared.
    #[must_use]
    pub fn network(&self) -> Prefix {
        let addr = match self.addr {
            IpAddr::V4(a) => {
                let shift = 32u32.saturating_sub(u32::from(self.len));
                IpAddr::V4(
                    a.to_bits()
                        .checked_shr(shift)
                        .and_then(|b| b.checked_shl(shift))
                        .unwrap_or(0)
                        .into(),
                )
            }
            IpAddr::V6(a) => {
                let shift = 128u32.saturating_sub(u32::from(self.len));
                IpAddr::V6(
                    a.to_bits()
                        .checked_shr(shift)
                        .and_then(|b| b.checked_shl(shift))
                        .unwrap_or(0)
                        .into(),
                )
            }
        };
        Prefix { addr, len: self.len }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.addr, self.len)
    }
}

/// One link of RTM_GETLINK.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// `ifi_index`.
    pub index: u32,
    /// IFLA_IFNAME.
    pub name: Text,
    /// `ifi_type` (ARPHRD_*).
    pub kind: u32,
    /// `ifi_flags`.
    pub flags: LinkFlags,
    /// IFLA_OPERSTATE in words (`up`, `down`, `lowerlayerdown`, …).
    pub operstate: Reading<Text>,
    /// IFLA_MTU.
    pub mtu: Option<u32>,
    /// IFLA_ADDRESS, hex with colons.
    pub address: Option<Text>,
    /// IFLA_MASTER.
    pub master: Option<u32>,
    /// IFLA_LINK: ifindex of the parent.
    pub parent: Option<u32>,
    /// IFLA_LINKINFO kind (`ipoib`, `bond`, `vlan`, `vrf`, `tun`, `veth`, …).
    pub info_kind: Option<Text>,
    /// IFLA_LINKINFO slave kind (`bond`, `bridge`, `vrf`).
    pub slave_kind: Option<Text>,
    /// IFLA_VRF_TABLE of a VRF.
    pub vrf_table: Option<u32>,
    /// IFLA_IPOIB_PKEY.
    pub pkey: Option<u16>,
    /// IFLA_IPOIB_MODE: `datagram` or `connected`.
    pub ipoib_mode: Option<Text>,
    /// IFLA_CARRIER_UP_COUNT.
    pub carrier_up_count: Option<u32>,
    /// IFLA_CARRIER_DOWN_COUNT.
    pub carrier_down_count: Option<u32>,
}

impl Link {
    /// A link of which nothing more is known.
    pub fn new(index: u32, name: impl Into<Text>, kind: u32) -> Self {
        Self {
            index,
            name: name.into(),
            kind,
            flags: LinkFlags::default(),
            operstate: Err(Unknown::new(Why::Absent, "no IFLA_OPERSTATE")),
            mtu: None,
            address: None,
            master: None,
            parent: None,
            info_kind: None,
            slave_kind: None,
            vrf_table: None,
            pkey: None,
            ipoib_mode: None,
            carrier_up_count: None,
            carrier_down_count: None,
        }
    }
}

/// `ifi_flags`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkFlags(pub u32);

impl LinkFlags {
    /// IFF_UP: administratively up.
    pub fn is_up(self) -> bool {
        self.0 & 0x1 != 0
    }
    /// IFF_LOOPBACK.
    pub fn is_loopback(self) -> bool {
        self.0 & 0x8 != 0
    }
    /// IFF_NOARP.
    pub fn is_noarp(self) -> bool {
        self.0 & 0x80 != 0
    }
    /// IFF_SLAVE: member of a bond.
    pub fn is_slave(self) -> bool {
        self.0 & 0x800 != 0
    }
    /// IFF_LOWER_UP: carrier.
    pub fn has_carrier(self) -> bool {
        self.0 & 0x1_0000 != 0
    }
}

/// Addresses, rules, routes, neighbours, next hops; each list unknown for a reason or complete.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Routing {
    /// When the dump ended.
    pub at: Mono,
    /// RTM_GETADDR, both families.
    pub addresses: Reading<Vec<Address>>,
    /// RTM_GETRULE for IPv4, in the kernel's order.
    pub rules4: Reading<Vec<Rule>>,
    /// RTM_GETRULE for IPv6.
    pub rules6: Reading<Vec<Rule>>,
    /// RTM_GETROUTE, all IPv4 tables, in dump order.
    pub routes4: Reading<Vec<Route>>,
    /// All IPv6 tables.
    pub routes6: Reading<Vec<Route>>,
    /// RTM_GETNEIGH.
    pub neighbours: Reading<Vec<Neighbour>>,
    /// RTM_GETNEXTHOP.
    pub nexthops: Reading<Vec<NextHopObject>>,
    /// `/etc/iproute2/rt_tables` and its kin: id and name, for display only.
    pub table_names: Vec<(u32, Text)>,
}

impl Routing {
    /// All was read, and there is nothing.
    pub fn empty(at: Mono) -> Self {
        Self {
            at,
            addresses: Ok(Vec::new()),
            rules4: Ok(Vec::new()),
            rules6: Ok(Vec::new()),
            routes4: Ok(Vec::new()),
            routes6: Ok(Vec::new()),
            neighbours: Ok(Vec::new()),
            nexthops: Ok(Vec::new()),
            table_names: Vec::new(),
        }
    }
}

/// One address of an interface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Address {
    /// Interface.
    pub ifindex: u32,
    /// IFA_LOCAL (else IFA_ADDRESS) with its prefix length.
    pub local: Prefix,
    /// IFA_ADDRESS where it differs: the peer of a point-to-point link.
    pub peer: Option<IpAddr>,
    /// `ifa_scope`: 0 global, 253 link, 254 host.
    pub scope: u8,
    /// IFA_FLAGS: 0x01 secondary/temporary, 0x08 dadfailed, 0x20 deprecated, 0x40 tentative,
    /// 0x80 permanent, 0x200 noprefixroute.
    pub flags: u32,
    /// IFA_LABEL (`ib0:1`).
    pub label: Option<Text>,
}

/// One policy rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// FRA_PRIORITY; absent is 0.
    pub preference: u32,
    /// `from`.
    pub src: Option<Prefix>,
    /// `to`.
    pub dst: Option<Prefix>,
    /// `iif`.
    pub iif: Option<Text>,
    /// `oif`.
    pub oif: Option<Text>,
    /// `fwmark` and mask.
    pub fwmark: Option<(u32, u32)>,
    /// `tos`.
    pub tos: u8,
    /// `ipproto`.
    pub ip_proto: Option<u8>,
    /// `sport` range, inclusive.
    pub sport: Option<(u16, u16)>,
    /// `dport` range, inclusive.
    pub dport: Option<(u16, u16)>,
    /// `uidrange`, inclusive.
    pub uid_range: Option<(u32, u32)>,
    /// FRA_TUN_ID.
    pub tun_id: Option<u64>,
    /// FIB_RULE_INVERT: `not` the whole match.
    pub invert: bool,
    /// FRA_L3MDEV.
    pub l3mdev: bool,
    /// FRA_SUPPRESS_PREFIXLEN.
    pub suppress_prefix_len: Option<u32>,
    /// FRA_SUPPRESS_IFGROUP.
    pub suppress_if_group: Option<u32>,
    /// What it does.
    pub action: RuleAction,
    /// FRA_PROTOCOL: who made it (0 by hand, 2 kernel, 3 boot, 4 static, 16 dhcp).
    pub protocol: u8,
    /// FIB_RULE_IIF_DETACHED: `iif` names a device that does not exist.
    pub iif_detached: bool,
    /// FIB_RULE_OIF_DETACHED.
    pub oif_detached: bool,
    /// Selectors or attributes that this program does not know: the rule *may* match.
    pub unknown: Vec<Text>,
}

impl Rule {
    /// `from all lookup TABLE`, of nobody in particular.
    pub fn lookup(preference: u32, table: u32) -> Self {
        Self {
            preference,
            src: None,
            dst: None,
            iif: None,
            oif: None,
            fwmark: None,
            tos: 0,
            ip_proto: None,
            sport: None,
            dport: None,
            uid_range: None,
            tun_id: None,
            invert: false,
            l3mdev: false,
            suppress_prefix_len: None,
            suppress_if_group: None,
            action: RuleAction::Lookup(table),
            protocol: 0,
            iif_detached: false,
            oif_detached: false,
            unknown: Vec::new(),
        }
    }
}

/// The action of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleAction {
    /// FR_ACT_TO_TBL.
    Lookup(u32),
    /// FR_ACT_GOTO; `resolved` is false when no rule of that preference exists.
    Goto {
        /// Target preference.
        preference: u32,
        /// FIB_RULE_UNRESOLVED is not set.
        resolved: bool,
    },
    /// FR_ACT_NOP.
    Nop,
    /// FR_ACT_BLACKHOLE.
    Blackhole,
    /// FR_ACT_UNREACHABLE.
    Unreachable,
    /// FR_ACT_PROHIBIT.
    Prohibit,
    /// Another number.
    Other(u8),
}

/// The type of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteKind {
    /// RTN_UNICAST.
    Unicast,
    /// RTN_LOCAL.
    Local,
    /// RTN_BROADCAST.
    Broadcast,
    /// RTN_ANYCAST.
    Anycast,
    /// RTN_MULTICAST.
    Multicast,
    /// RTN_BLACKHOLE.
    Blackhole,
    /// RTN_UNREACHABLE.
    Unreachable,
    /// RTN_PROHIBIT.
    Prohibit,
    /// RTN_THROW.
    Throw,
    /// RTN_NAT, RTN_XRESOLVE or a number to come.
    Other(u8),
}

/// One route.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Route {
    /// RTA_TABLE (never the 8-bit header field alone).
    pub table: u32,
    /// Destination; 0/0 for the default route.
    pub dst: Prefix,
    /// RTA_SRC: IPv6 source-specific routes.
    pub src: Option<Prefix>,
    /// `rtm_type`.
    pub kind: RouteKind,
    /// `rtm_tos`.
    pub tos: u8,
    /// RTA_PRIORITY; absent is 0 for IPv4.
    pub metric: u32,
    /// `rtm_scope`: 0 global, 253 link, 254 host.
    pub scope: u8,
    /// `rtm_protocol`: 2 kernel, 3 boot, 4 static, 9 ra, 16 dhcp.
    pub protocol: u8,
    /// RTA_PREFSRC.
    pub prefsrc: Option<IpAddr>,
    /// Next hops: one for a single-path route, several for multipath, none for reject routes.
    pub next_hops: Vec<NextHop>,
    /// RTA_NH_ID.
    pub nexthop_id: Option<u32>,
    /// RTA_METRICS / RTAX_MTU.
    pub mtu: Option<u32>,
    /// RTAX_LOCK has the MTU bit; unknown in `ip -j` output.
    pub mtu_locked: bool,
    /// RTM_F_CLONED: a PMTU exception or cache entry.
    pub cloned: bool,
    /// RTA_PREF of IPv6: 0 medium, 1 high, 3 low.
    pub pref: Option<u8>,
    /// RTA_EXPIRES in seconds, where it is set.
    pub expires: Option<u32>,
}

impl Route {
    /// A unicast route of a table, without next hops yet, and nothing else said.
    pub fn to(dst: Prefix, table: u32) -> Self {
        Self {
            table,
            dst,
            src: None,
            kind: RouteKind::Unicast,
            tos: 0,
            metric: 0,
            scope: 0,
            protocol: 0,
            prefsrc: None,
            next_hops: Vec::new(),
            nexthop_id: None,
            mtu: None,
            mtu_locked: false,
            cloned: false,
            pref: None,
            expires: None,
        }
    }
}

/// One next hop of a route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextHop {
    /// RTA_OIF.
    pub ifindex: Option<u32>,
    /// RTA_GATEWAY or RTA_VIA.
    pub gateway: Option<IpAddr>,
    /// Weight, from 1 (`rtnh_hops` + 1).
    pub weight: u32,
    /// RTNH_F_*.
    pub flags: NextHopFlags,
}

impl NextHop {
    /// On-link by an interface (without one, the kernel names none).
    pub fn by(ifindex: impl Into<Option<u32>>) -> Self {
        Self { ifindex: ifindex.into(), gateway: None, weight: 1, flags: NextHopFlags::default() }
    }
}

/// RTNH_F_*.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextHopFlags {
    /// RTNH_F_DEAD.
    pub dead: bool,
    /// RTNH_F_LINKDOWN: the carrier is gone.
    pub linkdown: bool,
    /// RTNH_F_ONLINK.
    pub onlink: bool,
}

/// One neighbour entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Neighbour {
    /// Interface.
    pub ifindex: u32,
    /// NDA_DST.
    pub dst: IpAddr,
    /// NDA_LLADDR, hex with colons.
    pub lladdr: Option<Text>,
    /// NUD_*: 0x01 incomplete, 0x02 reachable, 0x04 stale, 0x08 delay, 0x10 probe, 0x20 failed,
    /// 0x40 noarp, 0x80 permanent.
    pub state: u16,
    /// NTF_ROUTER.
    pub router: bool,
}

/// One next-hop object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextHopObject {
    /// NHA_ID.
    pub id: u32,
    /// NHA_OIF.
    pub ifindex: Option<u32>,
    /// NHA_GATEWAY.
    pub gateway: Option<IpAddr>,
    /// NHA_BLACKHOLE.
    pub blackhole: bool,
    /// NHA_GROUP.
    pub group: Vec<NextHopGroupMember>,
    /// Flags of a single hop.
    pub flags: NextHopFlags,
}

/// Member of a next-hop group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextHopGroupMember {
    /// Object id.
    pub id: u32,
    /// Weight, from 1.
    pub weight: u32,
}
