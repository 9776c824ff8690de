//! `ip -j -d addr`, `ip -j neigh`, `ip -j nexthop`.

use super::fields::{Fields, Odd, each};
use super::names::Names;
use super::route::{gateway, hop_flags};
use super::words::{self, IFA, NUD, PERMANENT, SCOPES};
use crate::read::rtnl::by_interface;
use crate::sample::{Address, Neighbour, NextHopGroupMember, NextHopObject, Prefix, Reading};

/// Reads the addresses of `ip -j -d addr`.
pub fn parse_addresses(bytes: &[u8]) -> Reading<Vec<Address>> {
    let lists = each(bytes, |link| {
        let ifindex = link.must("ifindex")?;
        let infos = link.list("addr_info").iter().filter_map(Fields::of);
        infos.filter(|info| !info.0.is_empty()).map(|info| address(ifindex, info)).collect()
    })?;
    let mut all: Vec<Address> = lists.into_iter().collect::<Vec<Vec<_>>>().concat();
    by_interface(&mut all);
    Ok(all)
}

fn address(ifindex: u32, info: Fields<'_>) -> Result<Address, Odd> {
    let addr = info.ip("local")?.ok_or("an address without local")?;
    let scope = info.word("scope").unwrap_or_else(|| "global".into());
    let scope = words::number_or_digits(SCOPES, &scope).ok_or_else(|| format!("scope {scope}"))?;
    let host = if addr.is_ipv4() { 32 } else { 128 };
    Ok(Address {
        ifindex,
        local: Prefix { addr, len: info.number("prefixlen")?.unwrap_or(host) },
        peer: info.ip("address")?.filter(|&peer| peer != addr),
        scope: u8::try_from(scope).map_err(|_| format!("scope {scope}"))?,
        flags: flags(info),
        label: info.text("label"),
    })
}

fn flags(info: Fields<'_>) -> u32 {
    let mut bits = if info.has("dynamic") { 0 } else { PERMANENT };
    for (bit, word) in IFA {
        if info.has(word) {
            bits |= bit;
        }
    }
    if info.has("temporary") {
        bits |= 1;
    }
    let rest = info.str("ifa_flags").and_then(|hex| u32::from_str_radix(hex, 16).ok());
    bits | rest.unwrap_or(0)
}

/// Reads `ip -j neigh`. It leaves out entries in state NOARP unless asked for `nud all`.
pub fn parse_neighbours(bytes: &[u8], names: &Names) -> Reading<Vec<Neighbour>> {
    each(bytes, |fields| {
        let state = fields.words("state").filter_map(|word| words::number(NUD, word));
        Ok(Neighbour {
            ifindex: names.link(fields.str("dev").ok_or("no dev")?),
            dst: fields.ip("dst")?.ok_or("no dst")?,
            lladdr: fields.text("lladdr").filter(|l| !l.is_empty()),
            state: state.fold(0, |all, bit| all | bit as u16),
            router: fields.has("router"),
        })
    })
}

/// Reads `ip -j nexthop`.
pub fn parse_nexthops(bytes: &[u8], names: &Names) -> Reading<Vec<NextHopObject>> {
    each(bytes, |fields| {
        let members = fields.list("group").iter().filter_map(Fields::of);
        Ok(NextHopObject {
            id: fields.must("id")?,
            ifindex: fields.str("dev").map(|dev| names.link(dev)),
            gateway: gateway(fields)?,
            blackhole: fields.has("blackhole"),
            group: members.map(member).collect::<Result<_, Odd>>()?,
            flags: hop_flags(fields),
        })
    })
}

fn member(fields: Fields<'_>) -> Result<NextHopGroupMember, Odd> {
    let weight = fields.number("weight")?.unwrap_or(1);
    Ok(NextHopGroupMember { id: fields.must("id")?, weight })
}
