//! Rules and routes as ip(8) prints them (iproute2: ip/iprule.c, ip/iproute.c).

use super::Fib;
use crate::read::ipjson::words::{
    self, DSFIELDS, IP_PROTOCOLS, PREFS, PROTOCOLS, ROUTE_TYPES, SCOPES, TABLES,
};
use crate::sample::{NextHop, NextHopFlags, Prefix, Route, RouteKind, Rule, RuleAction};
use std::fmt::{Display, Write};
use std::net::IpAddr;

/// RTPROT_KERNEL.
const KERNEL: u8 = 2;
/// RTPROT_BOOT.
const BOOT: u8 = 3;

/// Words with a blank before each but the first.
#[derive(Debug, Default)]
struct Line(String);

impl Line {
    fn word(&mut self, word: impl Display) {
        let blank = if self.0.is_empty() || self.0.ends_with('\t') { "" } else { " " };
        let _ = write!(self.0, "{blank}{word}");
    }

    fn pair(&mut self, key: &str, value: impl Display) {
        self.word(format_args!("{key} {value}"));
    }

    fn some(&mut self, key: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.pair(key, value);
        }
    }
}

impl Fib<'_> {
    /// The rule as `ip rule` prints it.
    pub fn rule_line(&self, rule: &Rule) -> String {
        let mut line = Line(format!("{}:\t", rule.preference));
        if rule.invert {
            line.word("not");
        }
        match rule.src.filter(|src| src.len > 0) {
            Some(src) => line.pair("from", short(&src)),
            None => line.pair("from", "all"),
        }
        selectors(&mut line, rule);
        self.action(&mut line, rule);
        if rule.protocol != 0 && rule.protocol != KERNEL {
            line.pair("proto", words::word_or_digits(PROTOCOLS, rule.protocol.into()));
        }
        line.0
    }

    fn action(&self, line: &mut Line, rule: &Rule) {
        match rule.action {
            RuleAction::Lookup(0) => {}
            RuleAction::Lookup(table) => {
                line.pair("lookup", self.table_name(table));
                line.some("suppress_prefixlength", rule.suppress_prefix_len);
                let group = rule.suppress_if_group;
                let name = |g: u32| if g == 0 { "default".into() } else { g.to_string() };
                line.some("suppress_ifgroup", group.map(name));
            }
            RuleAction::Goto { preference, resolved } => {
                line.pair("goto", preference);
                if !resolved {
                    line.word("[unresolved]");
                }
            }
            RuleAction::Nop => line.word("nop"),
            RuleAction::Blackhole => line.word("blackhole"),
            RuleAction::Unreachable => line.word("unreachable"),
            RuleAction::Prohibit => line.word("prohibit"),
            RuleAction::Other(number) => {
                line.word(words::word_or_digits(ROUTE_TYPES, number.into()));
            }
        }
    }

    /// The route as `ip route show table all` prints it, in one line. Of a multipath route, the
    /// flags of the hops only: those of the route itself are not kept.
    pub fn route_line(&self, route: &Route) -> String {
        let v6 = route.dst.addr.is_ipv6();
        let mut line = Line::default();
        if route.kind != RouteKind::Unicast {
            line.word(kind(route.kind));
        }
        line.word(destination(&route.dst));
        line.some("from", route.src.map(|src| short(&src)));
        line.some("nhid", route.nexthop_id);
        if route.tos != 0 {
            line.pair("tos", dsfield(route.tos));
        }
        let one = route.next_hops.first().filter(|_| route.next_hops.len() == 1);
        if let Some(hop) = one {
            self.hop(&mut line, hop, v6);
        } else if route.next_hops.is_empty() && self.refuses_by_loopback(route) {
            line.pair("dev", "lo");
        }
        if route.table != super::TABLE_MAIN {
            line.pair("table", self.table_name(route.table));
        }
        if route.protocol != BOOT {
            line.pair("proto", words::word_or_digits(PROTOCOLS, route.protocol.into()));
        }
        if route.scope != 0 {
            line.pair("scope", words::word_or_digits(SCOPES, route.scope.into()));
        }
        line.some("src", route.prefsrc);
        if v6 || route.metric != 0 {
            line.pair("metric", route.metric);
        }
        if let Some(hop) = one {
            flags(&mut line, hop.flags);
        }
        line.some("expires", route.expires.map(|left| format!("{left}sec")));
        let lock = if route.mtu_locked { "lock " } else { "" };
        line.some("mtu", route.mtu.map(|mtu| format!("{lock}{mtu}")));
        line.some("pref", route.pref.map(|pref| words::word_or_digits(PREFS, pref.into())));
        if one.is_none() {
            for hop in &route.next_hops {
                line.word("nexthop");
                self.hop(&mut line, hop, v6);
                line.pair("weight", hop.weight);
                flags(&mut line, hop.flags);
            }
        }
        line.0
    }

    /// IPv6 routes that refuse, and blackhole objects, name the loopback.
    fn refuses_by_loopback(&self, route: &Route) -> bool {
        let refuses = super::hops::refusal(route.kind).is_some() || route.kind == RouteKind::Throw;
        let told = !matches!(self.sysctls.nexthop_compat_mode, Some(Ok(0)));
        refuses
            && match route.nexthop_id {
                Some(_) => told,
                None => route.dst.addr.is_ipv6(),
            }
    }

    fn hop(&self, line: &mut Line, hop: &NextHop, v6: bool) {
        match hop.gateway {
            Some(gateway @ IpAddr::V6(_)) if !v6 => line.pair("via inet6", gateway),
            gateway => line.some("via", gateway),
        }
        line.some("dev", hop.ifindex.map(|index| self.device_name(index)));
    }

    /// The name of a device; iproute2 writes `if7` for an index without a name.
    pub(super) fn device_name(&self, index: u32) -> String {
        self.link(index).map_or_else(|| format!("if{index}"), |link| link.name.to_string())
    }

    /// The name of a table, or its number.
    pub(super) fn table_name(&self, table: u32) -> String {
        let named = self.table_names.iter().find(|(id, _)| *id == table);
        named.map_or_else(|| words::word_or_digits(TABLES, table), |(_, name)| name.to_string())
    }
}

/// All selectors but `not` and `from`.
fn selectors(line: &mut Line, rule: &Rule) {
    line.some("to", rule.dst.filter(|dst| dst.len > 0).map(|dst| short(&dst)));
    if rule.tos != 0 {
        line.pair("tos", dsfield(rule.tos));
    }
    match rule.fwmark {
        Some((value, u32::MAX)) => line.pair("fwmark", format_args!("{value:#x}")),
        Some((value, mask)) => {
            line.pair("fwmark", format_args!("{}/{}", hex(value), hex(mask)));
        }
        None => {}
    }
    for (key, device, detached) in
        [("iif", &rule.iif, rule.iif_detached), ("oif", &rule.oif, rule.oif_detached)]
    {
        line.some(key, device.as_ref());
        if detached {
            line.word("[detached]");
        }
    }
    if rule.l3mdev {
        line.pair("lookup", "[l3mdev-table]");
    }
    line.some("uidrange", rule.uid_range.map(|(from, to)| format!("{from}-{to}")));
    line.some("ipproto", rule.ip_proto.map(ip_protocol));
    line.some("sport", rule.sport.map(ports));
    line.some("dport", rule.dport.map(ports));
    line.some("tun_id", rule.tun_id);
    for unknown in &rule.unknown {
        line.word(unknown);
    }
}

/// A prefix as iproute2 writes it: without the length of a single address.
fn short(prefix: &Prefix) -> String {
    let host = if prefix.addr.is_ipv4() { 32 } else { 128 };
    if prefix.len == host { prefix.addr.to_string() } else { prefix.to_string() }
}

/// The same of a route's destination.
pub(super) fn destination(prefix: &Prefix) -> String {
    if prefix.len == 0 { "default".into() } else { short(prefix) }
}

/// The type of a route in words.
pub(super) fn kind(kind: RouteKind) -> String {
    let word = match kind {
        RouteKind::Unicast => "unicast",
        RouteKind::Local => "local",
        RouteKind::Broadcast => "broadcast",
        RouteKind::Anycast => "anycast",
        RouteKind::Multicast => "multicast",
        RouteKind::Blackhole => "blackhole",
        RouteKind::Unreachable => "unreachable",
        RouteKind::Prohibit => "prohibit",
        RouteKind::Throw => "throw",
        RouteKind::Other(number) => return words::word_or_digits(ROUTE_TYPES, number.into()),
    };
    word.into()
}

fn flags(line: &mut Line, flags: NextHopFlags) {
    let all = [(flags.dead, "dead"), (flags.onlink, "onlink"), (flags.linkdown, "linkdown")];
    all.into_iter().filter(|(set, _)| *set).for_each(|(_, word)| line.word(word));
}

fn dsfield(tos: u8) -> String {
    words::word(DSFIELDS, tos.into()).map_or_else(|| format!("{tos:#04x}"), str::to_owned)
}

fn ip_protocol(number: u8) -> String {
    let word = words::word(IP_PROTOCOLS, number.into());
    word.map_or_else(|| format!("ipproto-{number}"), str::to_owned)
}

/// C's `%#x`, which writes a bare 0.
fn hex(number: u32) -> String {
    if number == 0 { "0".into() } else { format!("{number:#x}") }
}

fn ports((from, to): (u16, u16)) -> String {
    if from == to { from.to_string() } else { format!("{from}-{to}") }
}
