//! A route as `ip route` takes it.

use super::sh;
use crate::sample::{Family, Link, NextHop, Prefix, Route, RouteKind, Text};
use std::fmt::{self, Write};
use std::net::IpAddr;

/// RT_SCOPE_LINK.
const SCOPE_LINK: u8 = 253;
/// RTPROT_BOOT: what `ip` sets by itself.
const PROTO_BOOT: u8 = 3;
/// RTPROT_KERNEL.
const PROTO_KERNEL: u8 = 2;

/// A route as `ip route` takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteSpec {
    /// Type word for other than unicast (`unreachable`, `blackhole`, …).
    pub kind: Option<&'static str>,
    /// Destination.
    pub dst: Prefix,
    /// IPv6: the route is for packets from here only.
    pub from: Option<Prefix>,
    /// Type of service; 0 is any.
    pub tos: u8,
    /// Device.
    pub dev: Option<Text>,
    /// Gateway.
    pub via: Option<IpAddr>,
    /// Several next hops, in the place of `dev` and `via`.
    pub hops: Vec<HopSpec>,
    /// A next-hop object or group, in the place of all of these.
    pub nhid: Option<u32>,
    /// Preferred source.
    pub src: Option<IpAddr>,
    /// Table id.
    pub table: u32,
    /// Metric.
    pub metric: Option<u32>,
    /// `scope link`.
    pub scope_link: bool,
    /// `proto` word or number, where it matters.
    pub proto: Option<Text>,
    /// `mtu`, `mtu lock`: verbatim.
    pub extra: Option<Text>,
}

/// One of several next hops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HopSpec {
    /// Gateway.
    pub via: Option<IpAddr>,
    /// Device.
    pub dev: Text,
    /// From 1.
    pub weight: u32,
    /// The gateway needs no route of its own.
    pub onlink: bool,
}

impl RouteSpec {
    /// A connected route of a table: `P dev R scope link src X table T`.
    pub fn connected(prefix: Prefix, dev: Text, src: IpAddr, table: u32) -> Self {
        let dst = prefix.network();
        Self {
            kind: None,
            dst,
            from: None,
            tos: 0,
            dev: Some(dev),
            via: None,
            hops: Vec::new(),
            nhid: None,
            src: Some(src),
            table,
            metric: None,
            scope_link: dst.family() == Family::Inet,
            proto: None,
            extra: None,
        }
    }

    /// A route of the dump, if `ip route` can be told it in one line: a known type, devices that
    /// have names.
    pub fn of(route: &Route, links: &[Link]) -> Option<Self> {
        let kind = match route.kind {
            RouteKind::Unicast => None,
            RouteKind::Unreachable => Some("unreachable"),
            RouteKind::Prohibit => Some("prohibit"),
            RouteKind::Blackhole => Some("blackhole"),
            RouteKind::Throw => Some("throw"),
            _ => return None,
        };
        let v4 = route.dst.family() == Family::Inet;
        let unicast = kind.is_none();
        let bare = Self {
            kind,
            dst: route.dst,
            from: route.src.filter(|p| p.len > 0),
            tos: route.tos,
            dev: None,
            via: None,
            hops: Vec::new(),
            nhid: None,
            src: route.prefsrc,
            table: route.table,
            metric: (route.metric != 0).then_some(route.metric),
            scope_link: v4 && unicast && route.scope == SCOPE_LINK,
            proto: (route.protocol != PROTO_BOOT).then(|| proto_word(route.protocol)),
            extra: None,
        };
        // IPv6 reject routes show `dev lo`, which is not needed to make them.
        if !unicast {
            return Some(Self { extra: extra(route, false), ..bare });
        }
        if let Some(id) = route.nexthop_id {
            // The kernel takes the scope from the object.
            let extra = extra(route, false);
            return Some(Self { nhid: Some(id), scope_link: false, extra, ..bare });
        }
        match route.next_hops.as_slice() {
            [] => None,
            [hop] => Some(Self {
                dev: Some(name_of(links, hop.ifindex?)?),
                via: hop.gateway,
                extra: extra(route, hop.flags.onlink),
                ..bare
            }),
            several => {
                let hops: Option<Vec<HopSpec>> = several.iter().map(|h| hop(h, links)).collect();
                Some(Self { hops: hops?, extra: extra(route, false), ..bare })
            }
        }
    }

    /// Does it take the place of a route of the dump when it is put there (`ip route replace`)?
    /// The kernel compares table, destination, type of service and metric.
    pub(crate) fn replaces(&self, route: &Route) -> bool {
        // IP6_RT_PRIO_USER: what IPv6 routes get when none is given.
        let usual = if self.dst.addr.is_ipv4() { 0 } else { 1024 };
        !route.cloned
            && route.table == self.table
            && route.dst == self.dst
            && route.tos == self.tos
            && route.src.filter(|p| p.len > 0) == self.from
            && route.metric == self.metric.unwrap_or(usual)
    }

    /// `ip route` or `ip -6 route`.
    pub(super) fn tool(&self) -> &'static str {
        match self.dst.family() {
            Family::Inet => "ip route",
            Family::Inet6 => "ip -6 route",
        }
    }

    fn shown(&self) -> String {
        let mut line = format!("{} show exact {} table {}", self.tool(), self.dst, self.table);
        if let Some(kind) = self.kind {
            let _ = write!(line, " type {kind}");
        }
        if let Some(dev) = &self.dev {
            let _ = write!(line, " dev {}", sh::word(dev));
        }
        // A table that is empty is an error to the kernel, not to us.
        line.push_str(" 2>/dev/null");
        line
    }

    /// Is it there? One pipeline, for `if` or `||`.
    pub(super) fn is_there(&self) -> String {
        let mut line = self.shown() + " | grep -q";
        match (self.metric, self.nhid) {
            (Some(metric), _) => {
                let _ = write!(line, "E 'metric {metric}( |$)'");
            }
            (None, Some(id)) => {
                let _ = write!(line, "E 'nhid {id}( |$)'");
            }
            (None, None) => line.push_str(" ."),
        }
        line
    }

    /// Is it there with its source, and without an MTU that it does not have? One pipeline that
    /// prints it.
    pub(super) fn proof(&self) -> String {
        let mut line = self.shown();
        match self.src {
            Some(src) => {
                let _ = write!(line, " | grep -wF 'src {src}'");
            }
            None => line.push_str(" | grep ."),
        }
        if let Some(metric) = self.metric {
            let _ = write!(line, " | grep -wF 'metric {metric}'");
        }
        if self.extra.is_none() {
            line.push_str(" | grep -vw mtu");
        }
        line
    }

    /// What tells it from others: the words for `ip route del`.
    pub(super) fn to_delete(&self) -> String {
        Self { extra: None, proto: None, ..self.clone() }.to_string()
    }
}

fn hop(hop: &NextHop, links: &[Link]) -> Option<HopSpec> {
    Some(HopSpec {
        via: hop.gateway,
        dev: name_of(links, hop.ifindex?)?,
        weight: hop.weight,
        onlink: hop.flags.onlink,
    })
}

/// `mtu lock 1200`, `onlink`, `pref high`.
fn extra(route: &Route, onlink: bool) -> Option<Text> {
    let mut words = Vec::new();
    if onlink {
        words.push("onlink".to_owned());
    }
    if let Some(mtu) = route.mtu {
        let lock = if route.mtu_locked { "lock " } else { "" };
        words.push(format!("mtu {lock}{mtu}"));
    }
    // RTA_PREF: ICMPV6_ROUTER_PREF_*; medium is what a route has without it.
    match route.pref {
        Some(1) => words.push("pref high".to_owned()),
        Some(3) => words.push("pref low".to_owned()),
        _ => {}
    }
    (!words.is_empty()).then(|| words.join(" ").into())
}

/// The name of an index.
pub(crate) fn name_of(links: &[Link], index: u32) -> Option<Text> {
    links.iter().find(|l| l.index == index).map(|l| l.name.clone())
}

/// `proto` as `ip route` prints it (/etc/iproute2/rt_protos).
pub(crate) fn proto_word(protocol: u8) -> Text {
    match protocol {
        1 => "redirect".into(),
        PROTO_KERNEL => "kernel".into(),
        PROTO_BOOT => "boot".into(),
        4 => "static".into(),
        9 => "ra".into(),
        16 => "dhcp".into(),
        number => number.to_string().into(),
    }
}

/// ` via GATEWAY`: IPv4 by an IPv6 gateway needs a word more.
fn write_via(f: &mut fmt::Formatter<'_>, dst: &Prefix, via: Option<IpAddr>) -> fmt::Result {
    match via {
        None => Ok(()),
        Some(via) if via.is_ipv6() && dst.addr.is_ipv4() => write!(f, " via inet6 {via}"),
        Some(via) => write!(f, " via {via}"),
    }
}

impl fmt::Display for RouteSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(kind) = self.kind {
            write!(f, "{kind} ")?;
        }
        if self.dst.len == 0 {
            f.write_str("default")?;
        } else {
            write!(f, "{}", self.dst)?;
        }
        if let Some(from) = self.from {
            write!(f, " from {from}")?;
        }
        if self.tos != 0 {
            write!(f, " tos {:#x}", self.tos)?;
        }
        if let Some(id) = self.nhid {
            write!(f, " nhid {id}")?;
        }
        write_via(f, &self.dst, self.via)?;
        if let Some(dev) = &self.dev {
            write!(f, " dev {}", sh::word(dev))?;
        }
        if let Some(proto) = &self.proto {
            write!(f, " proto {proto}")?;
        }
        if self.scope_link {
            f.write_str(" scope link")?;
        }
        if let Some(src) = self.src {
            write!(f, " src {src}")?;
        }
        if let Some(metric) = self.metric {
            write!(f, " metric {metric}")?;
        }
        if let Some(extra) = &self.extra {
            write!(f, " {extra}")?;
        }
        write!(f, " table {}", self.table)?;
        // The next hops come last: what follows them would belong to the last one.
        for hop in &self.hops {
            f.write_str(" nexthop")?;
            write_via(f, &self.dst, hop.via)?;
            write!(f, " dev {}", sh::word(&hop.dev))?;
            if hop.weight > 1 {
                write!(f, " weight {}", hop.weight)?;
            }
            if hop.onlink {
                f.write_str(" onlink")?;
            }
        }
        Ok(())
    }
}
