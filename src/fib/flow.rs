//! A packet as rules and routes see it (`struct flowi`).

use super::{Fib, Query};
use crate::sample::{Family, Prefix};
use std::net::IpAddr;

/// The input device of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// Made here: the kernel writes the loopback.
    Here,
    /// Arrived on this device.
    Device(u32),
    /// Left empty, as RDMA CM does.
    Empty,
}

/// The VRF a flow belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Vrf {
    /// The master's ifindex.
    pub(super) master: u32,
    /// IFLA_VRF_TABLE.
    pub(super) table: u32,
    /// By the output device (FLOWI_FLAG_L3MDEV_OIF), not by the input device.
    pub(super) by_output: bool,
}

/// What a lookup is made for.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    pub(super) dst: IpAddr,
    pub(super) src: Option<IpAddr>,
    /// None for a VRF master: it only names the table.
    pub(super) oif: Option<u32>,
    pub(super) input: Input,
    pub(super) mark: u32,
    /// As rules see it: all six bits of the DSCP in IPv6, the old four of TOS in IPv4.
    pub(super) tos: u8,
    pub(super) uid: u32,
    pub(super) ip_proto: u8,
    pub(super) sport: u16,
    pub(super) dport: u16,
    pub(super) vrf: Option<Vrf>,
    /// IPv4: tables local and main are one (`merged_matters`).
    pub(super) merged: bool,
    /// IPv6: the output device is required, not preferred (RT6_LOOKUP_F_IFACE).
    pub(super) strict: bool,
}

/// The bits of tos that the IPv4 FIB compares (`fib_dscp_masked_match`, include/net/ip_fib.h).
const TOS_MASK: u8 = 0x1c;
/// INET_DSCP_MASK.
const DSCP_MASK: u8 = 0xfc;

impl Flow {
    pub(super) fn family(&self) -> Family {
        if self.dst.is_ipv4() { Family::Inet } else { Family::Inet6 }
    }
}

impl Fib<'_> {
    /// The flow of a packet that this host sends.
    pub(super) fn output_flow(&self, query: &Query) -> Flow {
        let src = query.src.filter(|src| !src.is_unspecified());
        let vrf = query.oif.and_then(|oif| self.vrf_of(oif, true));
        Flow {
            dst: query.dst,
            src,
            oif: query.oif.filter(|&oif| vrf.is_none_or(|vrf| vrf.master != oif)),
            input: Input::Here,
            mark: query.mark,
            tos: query.tos & if query.dst.is_ipv4() { TOS_MASK } else { DSCP_MASK },
            uid: query.uid,
            ip_proto: query.ip_proto,
            sport: query.sport,
            dport: query.dport,
            vrf,
            merged: self.merged,
            // ip6_route_output_flags_noref: no source, or a destination with a scope.
            strict: query.oif.is_some() && src.is_none() || needs_strict(query.dst),
        }
    }

    /// The VRF that a device is master or slave of (`l3mdev_master_ifindex_rcu`).
    pub(super) fn vrf_of(&self, device: u32, by_output: bool) -> Option<Vrf> {
        let link = self.link(device)?;
        let master = match link.vrf_table {
            Some(_) => link,
            None => self.link(link.master?)?,
        };
        Some(Vrf { master: master.index, table: master.vrf_table?, by_output })
    }
}

/// `rt6_need_strict`: multicast, link-local, loopback.
fn needs_strict(dst: IpAddr) -> bool {
    match dst {
        IpAddr::V6(a) => a.is_multicast() || a.is_unicast_link_local() || a.is_loopback(),
        IpAddr::V4(_) => false,
    }
}

/// Does `prefix` (0/0 for none) contain `addr`? An unbound source is compared as zero.
pub(super) fn selects(prefix: Option<&Prefix>, addr: Option<IpAddr>) -> bool {
    match (prefix, addr) {
        (None, _) => true,
        (Some(p), Some(a)) => p.contains(a),
        (Some(p), None) if p.addr.is_ipv4() => {
            p.contains(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED))
        }
        // fib6_rule_match: a rule with a source needs a source.
        (Some(p), None) => p.len == 0,
    }
}
