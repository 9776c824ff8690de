//! Our types in the words of `ip -j -d`, so that they can be read back as they were.
//!
//! What iproute2 has no key for gets one of its own: `mtu_locked` of a route, `unknown` of a
//! rule, the carrier counts of a link.

use super::words::{
    self, DSFIELDS, IFA, IFF, IP_PROTOCOLS, LINK_TYPES, NUD, PERMANENT, PREFS, PROTOCOLS,
    ROUTE_TYPES, RUNNING, SCOPES, TABLES, UP,
};
use super::{ADDRESSES, LINKS, NEIGHBOURS, NEXTHOPS, ROUTES4, ROUTES6, RULES4, RULES6};
use crate::sample::{
    Address, Family, Link, Neighbour, NextHop, NextHopFlags, NextHopObject, Reading, Route,
    RouteKind, Routing, Rule, RuleAction, Text, Why,
};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::fmt::Write;
use std::net::IpAddr;

/// Reasons as they stand in an `.error` file.
const REASONS: [Why; 10] = [
    Why::Absent,
    Why::Denied,
    Why::Unsupported,
    Why::Unparsable,
    Why::Timeout,
    Why::NotApplicable,
    Why::Inactive,
    Why::BelowFloor,
    Why::Reset,
    Why::FirstSample,
];

/// The files of a capture directory that say this: path below it and content. An unknown list
/// becomes `<name>.error`.
pub fn write(links: &Reading<Vec<Link>>, routing: &Routing) -> Vec<(String, Vec<u8>)> {
    let known = links.as_deref().unwrap_or_default();
    let names = LinkNames(known.iter().map(|link| (link.index, link.name.clone())).collect());
    let mut files = vec![
        file(LINKS, links, |all| all.iter().map(|l| link(l, &names)).collect()),
        file(ADDRESSES, &routing.addresses, |all| addresses(all, known, &names)),
        file(RULES4, &routing.rules4, |all| all.iter().map(rule).collect()),
        file(RULES6, &routing.rules6, |all| all.iter().map(rule).collect()),
        file(ROUTES4, &routing.routes4, |all| all.iter().map(|r| route(r, &names)).collect()),
        file(ROUTES6, &routing.routes6, |all| all.iter().map(|r| route(r, &names)).collect()),
        file(NEIGHBOURS, &routing.neighbours, |all| {
            all.iter().map(|n| neighbour(n, &names)).collect()
        }),
        file(NEXTHOPS, &routing.nexthops, |all| all.iter().map(|n| nexthop(n, &names)).collect()),
    ];
    if !routing.table_names.is_empty() {
        let mut text = String::new();
        for (id, name) in &routing.table_names {
            let _ = writeln!(text, "{id}\t{name}");
        }
        files.push(("etc/iproute2/rt_tables".into(), text.into_bytes()));
    }
    files
}

fn file<T>(
    name: &str,
    list: &Reading<Vec<T>>,
    values: impl Fn(&[T]) -> Vec<Value>,
) -> (String, Vec<u8>) {
    match list {
        Ok(list) => (name.to_owned(), Value::Array(values(list)).to_string().into_bytes()),
        Err(unknown) => {
            let text = format!("{}: {}\n", unknown.why.word(), unknown.detail);
            (format!("{name}.error"), text.into_bytes())
        }
    }
}

/// The reason that [`write`] put into an `.error` file.
pub(super) fn reason(text: &str) -> Option<(Why, &str)> {
    let (word, detail) = text.split_once(':')?;
    let why = REASONS.into_iter().find(|why| why.word() == word)?;
    Some((why, detail.trim_start()))
}

struct LinkNames(HashMap<u32, Text>);

impl LinkNames {
    /// The name of an interface; `if7` for one that is not listed, as iproute2 does.
    fn of(&self, index: u32) -> String {
        self.0.get(&index).map_or_else(|| format!("if{index}"), |name| name.as_str().to_owned())
    }
}

/// An object under construction.
#[derive(Default)]
struct Object(Map<String, Value>);

impl Object {
    fn put(&mut self, key: &str, value: impl Into<Value>) {
        self.0.insert(key.to_owned(), value.into());
    }

    fn put_some(&mut self, key: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.put(key, value);
        }
    }

    fn put_text(&mut self, key: &str, value: Option<&Text>) {
        self.put_some(key, value.map(Text::as_str));
    }

    /// A key that is there or not: its value is null.
    fn mark(&mut self, key: &str, there: bool) {
        if there {
            self.put(key, Value::Null);
        }
    }

    fn done(self) -> Value {
        Value::Object(self.0)
    }
}

fn link(link: &Link, names: &LinkNames) -> Value {
    let mut o = head(link, names);
    o.put_some("carrier_up_count", link.carrier_up_count);
    o.put_some("carrier_down_count", link.carrier_down_count);
    let mut data = Object::default();
    data.put_some("table", link.vrf_table);
    data.put_some("key", link.pkey.map(|pkey| format!("{pkey:#06x}")));
    data.put_text("mode", link.ipoib_mode.as_ref());
    let mut info = Object::default();
    info.put_text("info_kind", link.info_kind.as_ref());
    info.put_text("info_slave_kind", link.slave_kind.as_ref());
    if !data.0.is_empty() {
        info.put("info_data", data.done());
    }
    if !info.0.is_empty() {
        o.put("linkinfo", info.done());
    }
    o.done()
}

/// What `ip link` and `ip addr` have in common.
fn head(link: &Link, names: &LinkNames) -> Object {
    let mut o = Object::default();
    o.put("ifindex", link.index);
    o.put("ifname", link.name.as_str());
    o.put("flags", link_flags(link.flags.0));
    o.put_some("link", link.parent.map(|index| names.of(index)));
    o.put_some("master", link.master.map(|index| names.of(index)));
    o.put_some("mtu", link.mtu);
    o.put_some("operstate", link.operstate.as_ref().ok().map(|word| word.to_ascii_uppercase()));
    let unnamed = || format!("[{}]", link.kind);
    o.put("link_type", words::word(LINK_TYPES, link.kind).map_or_else(unnamed, str::to_owned));
    o.put_text("address", link.address.as_ref());
    o
}

fn link_flags(bits: u32) -> Vec<String> {
    let mut words = Vec::new();
    if bits & UP != 0 && bits & RUNNING == 0 {
        words.push("NO-CARRIER".to_owned());
    }
    let mut rest = bits & !RUNNING;
    for (bit, word) in IFF {
        if bits & bit != 0 {
            words.push((*word).to_owned());
            rest &= !bit;
        }
    }
    if rest != 0 {
        words.push(format!("{rest:#x}"));
    }
    words
}

/// One object per interface, in the order of the addresses.
fn addresses(all: &[Address], links: &[Link], names: &LinkNames) -> Vec<Value> {
    let mut out = Vec::new();
    for same in all.chunk_by(|a, b| a.ifindex == b.ifindex) {
        let Some(ifindex) = same.first().map(|a| a.ifindex) else { continue };
        let link = links.iter().find(|link| link.index == ifindex);
        let mut o = link.map_or_else(Object::default, |link| head(link, names));
        o.put("ifindex", ifindex);
        o.put("ifname", names.of(ifindex));
        o.put("addr_info", same.iter().map(address).collect::<Vec<_>>());
        out.push(o.done());
    }
    out
}

fn address(address: &Address) -> Value {
    let mut o = Object::default();
    let v4 = address.local.addr.is_ipv4();
    o.put("family", if v4 { "inet" } else { "inet6" });
    o.put("local", address.local.addr.to_string());
    o.put("prefixlen", address.local.len);
    o.put_some("address", address.peer.map(|peer| peer.to_string()));
    o.put("scope", words::word_or_digits(SCOPES, address.scope.into()));
    o.put_text("label", address.label.as_ref());
    let mut rest = address.flags & !PERMANENT;
    for (bit, word) in IFA {
        if address.flags & bit != 0 {
            o.put(if *bit == 1 && !v4 { "temporary" } else { word }, true);
            rest &= !bit;
        }
    }
    if address.flags & PERMANENT == 0 {
        o.put("dynamic", true);
    }
    if rest != 0 {
        o.put("ifa_flags", format!("{rest:02x}"));
    }
    o.done()
}

fn rule(rule: &Rule) -> Value {
    let mut o = Object::default();
    o.put("priority", rule.preference);
    o.mark("not", rule.invert);
    o.put("src", rule.src.map_or("all".to_owned(), |src| src.addr.to_string()));
    o.put_some("srclen", rule.src.map(|src| src.len).filter(|&len| !host(rule.src, len)));
    o.put_some("dst", rule.dst.map(|dst| dst.addr.to_string()));
    o.put_some("dstlen", rule.dst.map(|dst| dst.len).filter(|&len| !host(rule.dst, len)));
    if rule.tos != 0 {
        o.put("tos", dsfield(rule.tos));
    }
    if let Some((mark, mask)) = rule.fwmark {
        o.put("fwmark", format!("{mark:#x}"));
        o.put_some("fwmask", Some(mask).filter(|&m| m != u32::MAX).map(|m| format!("{m:#x}")));
    }
    o.put_text("iif", rule.iif.as_ref());
    o.mark("iif_detached", rule.iif_detached);
    o.put_text("oif", rule.oif.as_ref());
    o.mark("oif_detached", rule.oif_detached);
    o.mark("l3mdev", rule.l3mdev);
    o.put_some("uid_start", rule.uid_range.map(|r| r.0));
    o.put_some("uid_end", rule.uid_range.map(|r| r.1));
    o.put_some("ipproto", rule.ip_proto.map(|p| words::word_or_digits(IP_PROTOCOLS, p.into())));
    ports(&mut o, ["sport", "sport_start", "sport_end"], rule.sport);
    ports(&mut o, ["dport", "dport_start", "dport_end"], rule.dport);
    o.put_some("tun_id", rule.tun_id);
    o.put_some("suppress_prefixlen", rule.suppress_prefix_len);
    o.put_some("suppress_ifgroup", rule.suppress_if_group.map(|n| n.to_string()));
    action(&mut o, &rule.action);
    o.put("protocol", words::word_or_digits(PROTOCOLS, rule.protocol.into()));
    if !rule.unknown.is_empty() {
        o.put("unknown", rule.unknown.iter().map(|u| u.as_str().to_owned()).collect::<Vec<_>>());
    }
    o.done()
}

fn host(prefix: Option<crate::sample::Prefix>, len: u8) -> bool {
    let full = if prefix.is_some_and(|p| p.family() == Family::Inet) { 32 } else { 128 };
    len == full
}

fn dsfield(tos: u8) -> String {
    words::word(DSFIELDS, tos.into()).map_or_else(|| format!("{tos:#04x}"), str::to_owned)
}

fn ports(o: &mut Object, [one, from, to]: [&str; 3], range: Option<(u16, u16)>) {
    match range {
        Some((first, last)) if first == last => o.put(one, first),
        Some((first, last)) => {
            o.put(from, first);
            o.put(to, last);
        }
        None => {}
    }
}

fn action(o: &mut Object, action: &RuleAction) {
    match action {
        RuleAction::Lookup(0) => {}
        RuleAction::Lookup(id) => o.put("table", table(*id)),
        RuleAction::Goto { preference, resolved } => {
            o.put("goto", *preference);
            o.mark("unresolved", !resolved);
        }
        RuleAction::Nop => o.put("nop", Value::Null),
        RuleAction::Blackhole => o.put("action", "blackhole"),
        RuleAction::Unreachable => o.put("action", "unreachable"),
        RuleAction::Prohibit => o.put("action", "prohibit"),
        RuleAction::Other(n) => o.put("action", words::word_or_digits(ROUTE_TYPES, (*n).into())),
    }
}

/// Numbers but for the kernel's own tables: a file of names may be read without its `rt_tables`.
fn table(id: u32) -> String {
    words::word_or_digits(TABLES, id)
}

fn route(route: &Route, names: &LinkNames) -> Value {
    let mut o = Object::default();
    o.put("type", words::word_or_digits(ROUTE_TYPES, kind(route.kind).into()));
    o.put("dst", prefix(route.dst));
    o.put_some("from", route.src.map(prefix));
    if route.tos != 0 {
        o.put("tos", dsfield(route.tos));
    }
    o.put_some("nhid", route.nexthop_id);
    o.put("table", table(route.table));
    o.put("protocol", words::word_or_digits(PROTOCOLS, route.protocol.into()));
    o.put("scope", words::word_or_digits(SCOPES, route.scope.into()));
    o.put_some("prefsrc", route.prefsrc.map(|src| src.to_string()));
    if route.metric != 0 {
        o.put("metric", route.metric);
    }
    o.put_some("pref", route.pref.map(|p| words::word_or_digits(PREFS, p.into())));
    o.put_some("expires", route.expires);
    o.put_some("metrics", route.mtu.map(|mtu| json!([{ "mtu": mtu }])));
    o.mark("mtu_locked", route.mtu_locked);
    if route.cloned {
        o.put("cache", Vec::<Value>::new());
    }
    o.put("flags", Vec::<Value>::new());
    match route.next_hops.as_slice() {
        [] => {}
        [only] if only.weight == 1 => next_hop(&mut o, only, route.dst.addr, names),
        several => {
            let hops = several.iter().map(|hop| {
                let mut o = Object::default();
                next_hop(&mut o, hop, route.dst.addr, names);
                o.put("weight", hop.weight);
                o.done()
            });
            o.put("nexthops", hops.collect::<Vec<_>>());
        }
    }
    o.done()
}

fn next_hop(o: &mut Object, hop: &NextHop, dst: IpAddr, names: &LinkNames) {
    gateway(o, hop.gateway, dst.is_ipv4());
    o.put_some("dev", hop.ifindex.map(|index| names.of(index)));
    o.put("flags", hop_flags(hop.flags));
}

fn gateway(o: &mut Object, gateway: Option<IpAddr>, v4: bool) {
    match gateway {
        Some(gateway) if gateway.is_ipv4() == v4 => o.put("gateway", gateway.to_string()),
        Some(gateway) => {
            let family = if gateway.is_ipv4() { "inet" } else { "inet6" };
            o.put("via", json!({ "family": family, "host": gateway.to_string() }));
        }
        None => {}
    }
}

fn hop_flags(flags: NextHopFlags) -> Vec<&'static str> {
    let all = [(flags.dead, "dead"), (flags.onlink, "onlink"), (flags.linkdown, "linkdown")];
    all.into_iter().filter_map(|(set, word)| set.then_some(word)).collect()
}

fn prefix(prefix: crate::sample::Prefix) -> String {
    if prefix.len == 0 && prefix.addr.is_unspecified() {
        "default".into()
    } else if host(Some(prefix), prefix.len) {
        prefix.addr.to_string()
    } else {
        prefix.to_string()
    }
}

fn kind(kind: RouteKind) -> u8 {
    match kind {
        RouteKind::Unicast => 1,
        RouteKind::Local => 2,
        RouteKind::Broadcast => 3,
        RouteKind::Anycast => 4,
        RouteKind::Multicast => 5,
        RouteKind::Blackhole => 6,
        RouteKind::Unreachable => 7,
        RouteKind::Prohibit => 8,
        RouteKind::Throw => 9,
        RouteKind::Other(number) => number,
    }
}

fn neighbour(neighbour: &Neighbour, names: &LinkNames) -> Value {
    let mut o = Object::default();
    o.put("dst", neighbour.dst.to_string());
    o.put("dev", names.of(neighbour.ifindex));
    o.put_text("lladdr", neighbour.lladdr.as_ref());
    o.mark("router", neighbour.router);
    let set = NUD.iter().filter(|(bit, _)| u32::from(neighbour.state) & bit != 0);
    let mut state: Vec<&str> = set.map(|(_, word)| *word).collect();
    if state.is_empty() {
        state.push("NONE");
    }
    o.put("state", state);
    o.done()
}

fn nexthop(object: &NextHopObject, names: &LinkNames) -> Value {
    let mut o = Object::default();
    o.put("id", object.id);
    if !object.group.is_empty() {
        let members = object.group.iter().map(|member| match member.weight {
            1 => json!({ "id": member.id }),
            weight => json!({ "id": member.id, "weight": weight }),
        });
        o.put("group", members.collect::<Vec<_>>());
    }
    o.put_some("gateway", object.gateway.map(|gateway| gateway.to_string()));
    o.put_some("dev", object.ifindex.map(|index| names.of(index)));
    o.mark("blackhole", object.blackhole);
    o.put("flags", hop_flags(object.flags));
    o.done()
}
