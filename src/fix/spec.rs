//! Routes, rules and sysctls as their tools take them.

use super::sh;
use crate::sample::{Family, Link, Prefix, Route, RouteKind, Rule, RuleAction, Text};
use std::fmt::{self, Write};
use std::net::IpAddr;

/// RT_SCOPE_LINK.
const SCOPE_LINK: u8 = 253;
/// RTPROT_BOOT: what `ip` sets by itself.
const PROTO_BOOT: u8 = 3;

/// A route as `ip route` takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteSpec {
    /// Type word for other than unicast (`unreachable`, `blackhole`, …).
    pub kind: Option<&'static str>,
    /// Destination.
    pub dst: Prefix,
    /// Device.
    pub dev: Option<Text>,
    /// Gateway.
    pub via: Option<IpAddr>,
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

impl RouteSpec {
    /// A connected route of a table: `P dev R scope link src X table T`.
    pub fn connected(prefix: Prefix, dev: Text, src: IpAddr, table: u32) -> Self {
        let dst = prefix.network();
        Self {
            kind: None,
            dst,
            dev: Some(dev),
            via: None,
            src: Some(src),
            table,
            metric: None,
            scope_link: dst.family() == Family::Inet,
            proto: None,
            extra: None,
        }
    }

    /// A route of the dump, if `ip route` can be told it in one line: no multipath, no next-hop
    /// object, a known type and device.
    pub fn of(route: &Route, links: &[Link]) -> Option<Self> {
        let kind = match route.kind {
            RouteKind::Unicast => None,
            RouteKind::Unreachable => Some("unreachable"),
            RouteKind::Prohibit => Some("prohibit"),
            RouteKind::Blackhole => Some("blackhole"),
            RouteKind::Throw => Some("throw"),
            _ => return None,
        };
        let odd = route.nexthop_id.is_some() || route.tos != 0 || route.src.is_some();
        if odd || route.next_hops.len() > 1 {
            return None;
        }
        let hop = route.next_hops.first();
        if hop.is_some_and(|h| h.gateway.is_some_and(|g| g.is_ipv4() != route.dst.addr.is_ipv4())) {
            return None;
        }
        let v4 = route.dst.family() == Family::Inet;
        // IPv6 reject routes show `dev lo`, which is not needed to make them.
        let dev = match hop.and_then(|h| h.ifindex) {
            Some(index) if kind.is_none() => Some(name_of(links, index)?),
            None if kind.is_none() => return None,
            _ => None,
        };
        Some(Self {
            kind,
            dst: route.dst,
            dev,
            via: hop.filter(|_| kind.is_none()).and_then(|h| h.gateway),
            src: route.prefsrc,
            table: route.table,
            metric: (route.metric != 0).then_some(route.metric),
            scope_link: v4 && kind.is_none() && route.scope == SCOPE_LINK,
            proto: (route.protocol != PROTO_BOOT).then(|| proto_word(route.protocol)),
            extra: extra(route),
        })
    }

    /// `ip route` or `ip -6 route`.
    pub(super) fn tool(&self) -> &'static str {
        match self.dst.family() {
            Family::Inet => "ip route",
            Family::Inet6 => "ip -6 route",
        }
    }

    /// Is it there? One pipeline, for `if` or `||`.
    pub(super) fn is_there(&self) -> String {
        let mut line = format!("{} show exact {} table {}", self.tool(), self.dst, self.table);
        if let Some(kind) = self.kind {
            let _ = write!(line, " type {kind}");
        }
        if let Some(dev) = &self.dev {
            let _ = write!(line, " dev {}", sh::word(dev));
        }
        // A table that is empty is an error to the kernel, not to us.
        line.push_str(" 2>/dev/null | grep -q");
        match self.metric {
            Some(metric) => {
                let _ = write!(line, "E 'metric {metric}( |$)'");
            }
            None => line.push_str(" ."),
        }
        line
    }

    /// What tells it from others: the words for `ip route del`.
    pub(super) fn to_delete(&self) -> String {
        Self { extra: None, proto: None, ..self.clone() }.to_string()
    }
}

/// `mtu lock 1200`, `onlink`.
fn extra(route: &Route) -> Option<Text> {
    let mut words = Vec::new();
    if route.next_hops.first().is_some_and(|h| h.flags.onlink) {
        words.push("onlink".to_owned());
    }
    if let Some(mtu) = route.mtu {
        let lock = if route.mtu_locked { "lock " } else { "" };
        words.push(format!("mtu {lock}{mtu}"));
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
        2 => "kernel".into(),
        3 => "boot".into(),
        4 => "static".into(),
        9 => "ra".into(),
        16 => "dhcp".into(),
        number => number.to_string().into(),
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
        if let Some(via) = self.via {
            write!(f, " via {via}")?;
        }
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
        write!(f, " table {}", self.table)
    }
}

/// A rule as `ip rule` takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSpec {
    /// Family of the list it stands in.
    pub family: Family,
    /// Preference: always explicit.
    pub preference: u32,
    /// Selectors, verbatim (`from 172.16.34.1`), without preference.
    pub selectors: Text,
    /// Action, verbatim (`lookup 941`, `goto 100`).
    pub action: Text,
}

impl RuleSpec {
    /// `from X lookup T` with an explicit preference.
    pub fn source(address: IpAddr, preference: u32, table: u32) -> Self {
        let family = if address.is_ipv4() { Family::Inet } else { Family::Inet6 };
        Self {
            family,
            preference,
            selectors: format!("from {address}").into(),
            action: format!("lookup {table}").into(),
        }
    }

    /// A rule of the dump, unless it has a selector that is not known here.
    pub fn of(family: Family, rule: &Rule) -> Option<Self> {
        if !rule.unknown.is_empty() {
            return None;
        }
        Some(Self {
            family,
            preference: rule.preference,
            selectors: selectors(rule, family).into(),
            action: action(rule)?.into(),
        })
    }

    /// `ip rule` or `ip -6 rule`.
    pub(super) fn tool(&self) -> &'static str {
        match self.family {
            Family::Inet => "ip rule",
            Family::Inet6 => "ip -6 rule",
        }
    }

    /// Is it there? `ip rule show` compares selectors and table by number, so the names of
    /// tables and the form of the output do not matter.
    pub(super) fn is_there(&self) -> String {
        let mut words = self.action.split(' ');
        let table = match (words.next(), words.next()) {
            (Some("lookup"), Some(table)) => format!(" lookup {table}"),
            (Some("l3mdev"), _) => " l3mdev".to_owned(),
            _ => String::new(),
        };
        format!(
            "{} show pref {} {}{table} | grep -q .",
            self.tool(),
            self.preference,
            self.selectors
        )
    }
}

impl fmt::Display for RuleSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pref {} {} {}", self.preference, self.selectors, self.action)
    }
}

/// An address without the length that says nothing.
fn bare(prefix: &Prefix) -> String {
    match (prefix.family(), prefix.len) {
        (Family::Inet, 32) | (Family::Inet6, 128) => prefix.addr.to_string(),
        _ => prefix.to_string(),
    }
}

/// The selectors in the order of print_rule (iproute2 ip/iprule.c).
pub(crate) fn selectors(rule: &Rule, family: Family) -> String {
    let mut words = Vec::new();
    if rule.invert {
        words.push("not".to_owned());
    }
    words.push(
        rule.src
            .as_ref()
            .filter(|p| p.len > 0 || p.family() != family)
            .map_or_else(|| "from all".to_owned(), |src| format!("from {}", bare(src))),
    );
    if let Some(dst) = &rule.dst {
        words.push(format!("to {}", bare(dst)));
    }
    if rule.tos != 0 {
        words.push(format!("tos {:#04x}", rule.tos));
    }
    match rule.fwmark {
        Some((value, u32::MAX)) => words.push(format!("fwmark {value:#x}")),
        Some((value, mask)) => words.push(format!("fwmark {value:#x}/{mask:#x}")),
        None => {}
    }
    for (name, device) in [("iif", &rule.iif), ("oif", &rule.oif)] {
        if let Some(device) = device {
            words.push(format!("{name} {}", sh::word(device)));
        }
    }
    if let Some((low, high)) = rule.uid_range {
        words.push(format!("uidrange {low}-{high}"));
    }
    if let Some(proto) = rule.ip_proto {
        words.push(format!("ipproto {}", ip_proto(proto)));
    }
    for (name, range) in [("sport", rule.sport), ("dport", rule.dport)] {
        match range {
            Some((low, high)) if low == high => words.push(format!("{name} {low}")),
            Some((low, high)) => words.push(format!("{name} {low}-{high}")),
            None => {}
        }
    }
    if let Some(id) = rule.tun_id {
        words.push(format!("tun_id {id}"));
    }
    words.join(" ")
}

fn ip_proto(number: u8) -> String {
    match number {
        1 => "icmp".into(),
        6 => "tcp".into(),
        17 => "udp".into(),
        58 => "ipv6-icmp".into(),
        other => other.to_string(),
    }
}

/// The action with what belongs to it.
fn action(rule: &Rule) -> Option<String> {
    let mut words = match rule.action {
        RuleAction::Lookup(_) if rule.l3mdev => "l3mdev".to_owned(),
        RuleAction::Lookup(table) => format!("lookup {table}"),
        RuleAction::Goto { preference, .. } => format!("goto {preference}"),
        RuleAction::Nop => "nop".to_owned(),
        RuleAction::Blackhole => "blackhole".to_owned(),
        RuleAction::Unreachable => "unreachable".to_owned(),
        RuleAction::Prohibit => "prohibit".to_owned(),
        RuleAction::Other(_) => return None,
    };
    if let Some(len) = rule.suppress_prefix_len {
        let _ = write!(words, " suppress_prefixlength {len}");
    }
    if let Some(group) = rule.suppress_if_group {
        let _ = write!(words, " suppress_ifgroup {group}");
    }
    if rule.protocol != 0 {
        let _ = write!(words, " protocol {}", rule.protocol);
    }
    Some(words)
}

/// A sysctl below `net`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SysctlKey {
    /// `ipv4` or `ipv6`.
    pub family: Family,
    /// `conf` directory: an interface, `all` or `default`.
    pub interface: Text,
    /// File name.
    pub name: &'static str,
}

impl fmt::Display for SysctlKey {
    /// Names with dots (ib0.8001) need the slash form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let family = match self.family {
            Family::Inet => "ipv4",
            Family::Inet6 => "ipv6",
        };
        let by = if self.interface.contains('.') { '/' } else { '.' };
        write!(f, "net{by}{family}{by}conf{by}{}{by}{}", self.interface, self.name)
    }
}
