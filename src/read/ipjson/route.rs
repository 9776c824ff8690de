//! `ip -j -d route show table all` and `ip -j -d -6 route show table all`.

use super::fields::{Fields, Odd, each};
use super::names::Names;
use super::words::{self, DSFIELDS, PREFS, ROUTE_TYPES, SCOPES};
use crate::read::rtnl::{blank_route, rejects, route_kind, zero};
use crate::sample::{Family, NextHop, NextHopFlags, Prefix, Reading, Route, RouteKind};
use std::net::IpAddr;

/// RTPROT_BOOT, which `ip route` does not print without `-d`.
const BOOT: u8 = 3;

/// Reads the routes of one family, in their order.
///
/// `ip route show table all` without `-4` prints the routes of both families; those of the other
/// one are left out.
pub fn parse_routes(family: Family, bytes: &[u8], names: &mut Names) -> Reading<Vec<Route>> {
    let all = each(bytes, |fields| {
        if foreign(family, fields) {
            return Ok(None);
        }
        read(family, fields, names).map(Some)
    });
    Ok(all?.into_iter().flatten().collect())
}

/// Is it a route of the other family? The destination says so, unless it is `default`.
fn foreign(family: Family, fields: Fields<'_>) -> bool {
    let dst = fields.str("dst").map_or("default", |dst| typed(dst).1);
    let addr = dst.split('/').next().and_then(|addr| addr.parse::<IpAddr>().ok());
    match (family, addr) {
        (Family::Inet, Some(addr)) => addr.is_ipv6(),
        (Family::Inet6, Some(addr)) => addr.is_ipv4(),
        // The kernel sends RTA_PREF with every IPv6 route, and IPv4 has `via` for IPv6 routers.
        (Family::Inet, None) => fields.has("pref") || hop_of_v6(fields),
        (Family::Inet6, None) => false,
    }
}

fn hop_of_v6(fields: Fields<'_>) -> bool {
    let v6 = |hop: Fields<'_>| hop.str("gateway").is_some_and(|gateway| gateway.contains(':'));
    v6(fields) || fields.list("nexthops").iter().filter_map(Fields::of).any(v6)
}

fn read(family: Family, fields: Fields<'_>, names: &mut Names) -> Result<Route, Odd> {
    let v6 = family == Family::Inet6;
    let mut route = blank_route(v6);
    if let Some(table) = fields.word("table") {
        route.table = names.table(&table);
    }
    if let Some(dst) = fields.str("dst") {
        let (kind, dst) = typed(dst);
        route.dst = prefix(v6, dst)?;
        route.kind = kind.unwrap_or(RouteKind::Unicast);
    }
    route.src = fields.str("from").map(|src| prefix(v6, src)).transpose()?;
    if let Some(word) = fields.word("type") {
        route.kind = kind(&word).ok_or_else(|| format!("type {word:?}"))?;
    }
    route.cloned = fields.has("cache");
    route.tos = small(fields, "tos", |word| words::number_or_digits(DSFIELDS, word))?.unwrap_or(0);
    route.scope =
        small(fields, "scope", |word| words::number_or_digits(SCOPES, word))?.unwrap_or(0);
    route.protocol = match fields.word("protocol") {
        Some(name) => names.protocol(&name).ok_or_else(|| format!("protocol {name:?}"))?,
        None if route.cloned => 0,
        None => BOOT,
    };
    route.pref = small(fields, "pref", |word| words::number_or_digits(PREFS, word))?;
    route.metric = fields.number("metric")?.unwrap_or(0);
    route.prefsrc = fields.ip("prefsrc")?;
    route.nexthop_id = fields.number("nhid")?;
    // A negative rest of life is none.
    route.expires = fields.number("expires").unwrap_or(None);
    for metrics in fields.list("metrics").iter().filter_map(Fields::of) {
        route.mtu = metrics.number("mtu")?.or(route.mtu);
    }
    route.mtu_locked = fields.has("mtu_locked");
    if !rejects(route.kind) {
        route.next_hops = hops(fields, names)?;
    }
    Ok(route)
}

fn hops(fields: Fields<'_>, names: &Names) -> Result<Vec<NextHop>, Odd> {
    let several = fields.list("nexthops");
    if !several.is_empty() {
        return several.iter().filter_map(Fields::of).map(|hop| next_hop(hop, names)).collect();
    }
    let hop = next_hop(fields, names)?;
    let real = hop.ifindex.is_some() || hop.gateway.is_some();
    Ok(if real { vec![hop] } else { Vec::new() })
}

fn next_hop(fields: Fields<'_>, names: &Names) -> Result<NextHop, Odd> {
    Ok(NextHop {
        ifindex: fields.str("dev").map(|dev| names.link(dev)),
        gateway: gateway(fields)?,
        weight: fields.number("weight")?.unwrap_or(1),
        flags: hop_flags(fields),
    })
}

/// `gateway`, or `via` for one of the other family.
pub(super) fn gateway(fields: Fields<'_>) -> Result<Option<IpAddr>, Odd> {
    match fields.object("via") {
        Some(via) => via.ip("host"),
        None => fields.ip("gateway"),
    }
}

/// The list `flags`.
pub(super) fn hop_flags(fields: Fields<'_>) -> NextHopFlags {
    let has = |flag: &str| fields.words("flags").any(|word| word == flag);
    NextHopFlags { dead: has("dead"), linkdown: has("linkdown"), onlink: has("onlink") }
}

fn kind(word: &str) -> Option<RouteKind> {
    let number = words::number_or_digits(ROUTE_TYPES, word)?;
    u8::try_from(number).ok().map(route_kind)
}

/// A destination may follow its type: `unreachable 10.0.0.0/8`.
fn typed(dst: &str) -> (Option<RouteKind>, &str) {
    match dst.split_once(' ') {
        Some((first, rest)) if kind(first).is_some() => (kind(first), rest.trim()),
        _ => (None, dst),
    }
}

/// `default`, an address, or one with a length; `0/8` where only the length counts.
fn prefix(v6: bool, text: &str) -> Result<Prefix, Odd> {
    let odd = || format!("prefix {text:?}");
    if matches!(text, "default" | "all" | "any") {
        return Ok(Prefix { addr: zero(v6), len: 0 });
    }
    let (addr, len) = match text.split_once('/') {
        Some((addr, len)) => (addr, Some(len.parse().map_err(|_| odd())?)),
        None => (text, None),
    };
    let addr: IpAddr = if addr == "0" { zero(v6) } else { addr.parse().map_err(|_| odd())? };
    let host = if addr.is_ipv4() { 32 } else { 128 };
    let len = len.unwrap_or(host);
    if len > host || addr.is_ipv6() != v6 { Err(odd()) } else { Ok(Prefix { addr, len }) }
}

fn small(
    fields: Fields<'_>,
    key: &str,
    read: impl Fn(&str) -> Option<u32>,
) -> Result<Option<u8>, Odd> {
    let Some(word) = fields.word(key) else { return Ok(None) };
    let number = read(&word).and_then(|n| u8::try_from(n).ok());
    number.map(Some).ok_or_else(|| format!("{key} {word:?}"))
}
