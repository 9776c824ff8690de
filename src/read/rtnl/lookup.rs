//! RTM_GETROUTE: what the kernel itself would do with a packet.

use super::attr::push;
use super::client::verdict;
use super::message::{AF_INET, AF_INET6};
use crate::sample::{Route, RouteKind, Unknown};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

const RTA_DST: u16 = 1;
const RTA_SRC: u16 = 2;
const RTA_IIF: u16 = 3;
const RTA_OIF: u16 = 4;
const RTA_MARK: u16 = 16;
const RTA_UID: u16 = 25;
const RTA_IP_PROTO: u16 = 27;
const RTA_SPORT: u16 = 28;
const RTA_DPORT: u16 = 29;
const RTM_F_LOOKUP_TABLE: u32 = 0x1000;
const RTM_F_FIB_MATCH: u32 = 0x2000;

/// A packet to ask the kernel about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Destination.
    pub dst: IpAddr,
    /// Source, if the socket is bound to one; the packet's source together with `iif`.
    pub src: Option<IpAddr>,
    /// Device the socket is bound to.
    pub oif: Option<u32>,
    /// Device the packet came in by: asks whether it would be accepted.
    pub iif: Option<u32>,
    /// Mark.
    pub mark: Option<u32>,
    /// User of the socket; the asking one if absent.
    pub uid: Option<u32>,
    /// TOS.
    pub tos: u8,
    /// IP protocol.
    pub ip_proto: Option<u8>,
    /// Source port.
    pub sport: Option<u16>,
    /// Destination port.
    pub dport: Option<u16>,
    /// RTM_F_FIB_MATCH: the entry itself. Without it a query with `oif` never fails.
    pub fib_match: bool,
}

impl Query {
    /// Asks for a plain packet to `dst`.
    pub fn to(dst: IpAddr) -> Self {
        Self {
            dst,
            src: None,
            oif: None,
            iif: None,
            mark: None,
            uid: None,
            tos: 0,
            ip_proto: None,
            sport: None,
            dport: None,
            fib_match: false,
        }
    }

    /// `rtmsg` and attributes.
    pub(super) fn body(&self) -> Vec<u8> {
        let (family, host) = if self.dst.is_ipv4() { (AF_INET, 32) } else { (AF_INET6, 128) };
        let src_len = if self.src.is_some() { host } else { 0 };
        // IPv6 always tells the table and, with strict checking, refuses to be asked for it
        // (net/ipv6/route.c, inet6_rtm_valid_getroute_req).
        let mut flags = if self.dst.is_ipv4() { RTM_F_LOOKUP_TABLE } else { 0 };
        if self.fib_match {
            flags |= RTM_F_FIB_MATCH;
        }
        let mut body = vec![family, host, src_len, self.tos, 0, 0, 0, 0];
        body.extend_from_slice(&flags.to_ne_bytes());
        push_ip(&mut body, RTA_DST, self.dst);
        if let Some(src) = self.src {
            push_ip(&mut body, RTA_SRC, src);
        }
        for (kind, value) in
            [(RTA_OIF, self.oif), (RTA_IIF, self.iif), (RTA_MARK, self.mark), (RTA_UID, self.uid)]
        {
            if let Some(value) = value {
                push(&mut body, kind, &value.to_ne_bytes());
            }
        }
        if let Some(proto) = self.ip_proto {
            push(&mut body, RTA_IP_PROTO, &[proto]);
        }
        for (kind, port) in [(RTA_SPORT, self.sport), (RTA_DPORT, self.dport)] {
            if let Some(port) = port {
                push(&mut body, kind, &port.to_be_bytes());
            }
        }
        body
    }
}

fn push_ip(body: &mut Vec<u8>, kind: u16, addr: IpAddr) {
    match addr {
        IpAddr::V4(v4) => push(body, kind, &Ipv4Addr::octets(&v4)),
        IpAddr::V6(v6) => push(body, kind, &v6.octets()),
    }
}

/// The kernel's choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteAnswer {
    /// Device the packet leaves by; none with a rejecting entry (`fib_match` only).
    pub ifindex: Option<u32>,
    /// Table the route was found in.
    pub table: u32,
    /// `local` for an own address: with `iif`, the packet is accepted.
    pub kind: RouteKind,
    /// Next hop, unless the destination is on-link.
    pub gateway: Option<IpAddr>,
    /// Source address that an unbound socket would get.
    pub prefsrc: Option<IpAddr>,
}

impl From<Route> for RouteAnswer {
    fn from(route: Route) -> Self {
        let hop = route.next_hops.first();
        Self {
            ifindex: hop.and_then(|hop| hop.ifindex),
            table: route.table,
            kind: route.kind,
            gateway: hop.and_then(|hop| hop.gateway),
            prefsrc: route.prefsrc,
        }
    }
}

/// Why there is no route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoRoute {
    /// The kernel's verdict, an errno: 101 ENETUNREACH or 113 EHOSTUNREACH (no or unreachable
    /// route), 13 EACCES (prohibit), 22 EINVAL (blackhole; with `iif`: the packet is dropped).
    Refused(i32),
    /// The question could not be asked.
    Unknown(Unknown),
}

impl fmt::Display for NoRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoRoute::Refused(errno) => verdict(*errno).fmt(f),
            NoRoute::Unknown(unknown) => unknown.fmt(f),
        }
    }
}
