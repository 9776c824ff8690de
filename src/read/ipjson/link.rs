//! `ip -j -d link` and the links of `ip -j -d addr`.

use super::fields::{Fields, Odd, each, parse_number};
use super::words::{self, IFF, LINK_TYPES, RUNNING, TUNNELS, UP};
use crate::read::rtnl::{hex, no_operstate};
use crate::sample::{Link, LinkFlags, Reading, Text};
use std::collections::HashMap;
use std::net::IpAddr;

/// Reads the links of `ip -j -d link` or `ip -j -d addr`.
pub fn parse_links(bytes: &[u8]) -> Reading<Vec<Link>> {
    let mut named = Vec::new();
    let mut links = each(bytes, |fields| {
        let link = read(fields)?;
        named.push((fields.text("master"), parent_name(fields)));
        Ok(link)
    })?;
    let indexes: HashMap<Text, u32> = links.iter().map(|l| (l.name.clone(), l.index)).collect();
    let index =
        |name: Text| indexes.get(&name).copied().or_else(|| name.strip_prefix("if")?.parse().ok());
    for (link, (master, parent)) in links.iter_mut().zip(named) {
        link.master = master.and_then(index);
        link.parent = parent.and_then(index);
    }
    Ok(links)
}

/// `link` is a name of this namespace; `link_index` an index of another one.
fn parent_name(fields: Fields<'_>) -> Option<Text> {
    if fields.has("link_netnsid") { None } else { fields.text("link") }
}

fn read(fields: Fields<'_>) -> Result<Link, Odd> {
    let info = fields.object("linkinfo");
    let data = info.and_then(|info| info.object("info_data"));
    let info_kind = info.and_then(|info| info.text("info_kind"));
    let is = |kind: &str| info_kind.as_deref() == Some(kind);
    let kind = link_type(fields.str("link_type").unwrap_or_default())?;
    Ok(Link {
        index: fields.must("ifindex")?,
        name: fields.text("ifname").ok_or("no ifname")?,
        kind,
        flags: flags(fields),
        operstate: match fields.str("operstate") {
            Some(word) => Ok(word.to_ascii_lowercase().into()),
            None => no_operstate(),
        },
        mtu: fields.number("mtu")?,
        address: fields.str("address").and_then(|address| lladdr(kind, address)),
        master: None,
        parent: None,
        slave_kind: info.and_then(|info| info.text("info_slave_kind")),
        vrf_table: data.filter(|_| is("vrf")).map_or(Ok(None), |data| data.number("table"))?,
        // iproute2 calls it `key`.
        pkey: match data.filter(|_| is("ipoib")) {
            Some(data) => data.number("key")?.or(data.number("pkey")?),
            None => None,
        },
        ipoib_mode: data.filter(|_| is("ipoib")).and_then(|data| data.text("mode")),
        carrier_up_count: fields.number("carrier_up_count")?,
        carrier_down_count: fields.number("carrier_down_count")?,
        info_kind,
    })
}

/// ARPHRD_* from its word, or from `[1234]` for one without a word.
fn link_type(word: &str) -> Result<u32, Odd> {
    let digits = word.strip_prefix('[').and_then(|w| w.strip_suffix(']'));
    words::number_or_digits(LINK_TYPES, digits.unwrap_or(word))
        .ok_or_else(|| format!("link_type {word:?}"))
}

fn flags(fields: Fields<'_>) -> LinkFlags {
    let mut bits = 0;
    let mut carrier = true;
    for word in fields.words("flags") {
        match words::number(IFF, word) {
            Some(bit) => bits |= bit,
            None if word == "NO-CARRIER" => carrier = false,
            None => bits |= parse_number(word).map_or(0, |n| n as u32),
        }
    }
    if bits & UP != 0 && carrier {
        bits |= RUNNING;
    }
    LinkFlags(bits)
}

/// A link-layer address in hex; tunnels have IP addresses.
fn lladdr(kind: u32, address: &str) -> Option<Text> {
    if !TUNNELS.contains(&kind) {
        return Some(address).filter(|a| !a.is_empty()).map(Text::new);
    }
    match address.parse() {
        Ok(IpAddr::V4(v4)) => hex(&v4.octets()),
        Ok(IpAddr::V6(v6)) => hex(&v6.octets()),
        Err(_) => Some(address.into()),
    }
}
