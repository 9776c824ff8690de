//! `ip -j -d rule` and `ip -j -d -6 rule`.

use super::fields::{Fields, Odd, each};
use super::names::Names;
use super::words::{self, DSFIELDS, IP_PROTOCOLS, ROUTE_TYPES};
use crate::read::rtnl::{blank_rule, plain_action, zero};
use crate::sample::{Family, Prefix, Reading, Rule, RuleAction, Text};
use std::net::IpAddr;

/// Every key that is understood; realms (`flow_*`) and NAT are no selectors.
const KNOWN: [&str; 37] = [
    "priority",
    "not",
    "src",
    "srclen",
    "dst",
    "dstlen",
    "tos",
    "fwmark",
    "fwmask",
    "iif",
    "iif_detached",
    "oif",
    "oif_detached",
    "l3mdev",
    "uid_start",
    "uid_end",
    "ipproto",
    "sport",
    "sport_start",
    "sport_end",
    "dport",
    "dport_start",
    "dport_end",
    "tun_id",
    "table",
    "suppress_prefixlen",
    "suppress_prefixlength",
    "suppress_ifgroup",
    "flow_from",
    "flow_to",
    "nat_gateway",
    "goto",
    "unresolved",
    "nop",
    "action",
    "protocol",
    "unknown",
];

/// Reads the rules of one family, in their order.
pub fn parse_rules(family: Family, bytes: &[u8], names: &mut Names) -> Reading<Vec<Rule>> {
    each(bytes, |fields| read(family, fields, names))
}

fn read(family: Family, fields: Fields<'_>, names: &mut Names) -> Result<Rule, Odd> {
    let mut rule = blank_rule();
    rule.preference = fields.number("priority")?.unwrap_or(0);
    rule.invert = fields.has("not");
    rule.src = prefix(family, fields, "src", "srclen")?;
    rule.dst = prefix(family, fields, "dst", "dstlen")?;
    rule.iif = fields.text("iif");
    rule.oif = fields.text("oif");
    rule.iif_detached = fields.has("iif_detached");
    rule.oif_detached = fields.has("oif_detached");
    rule.l3mdev = fields.has("l3mdev");
    rule.tun_id = fields.number("tun_id")?;
    rule.sport = range(fields, "sport", "sport_start", "sport_end")?;
    rule.dport = range(fields, "dport", "dport_start", "dport_end")?;
    rule.uid_range = fields.number("uid_start")?.zip(fields.number("uid_end")?);
    rule.fwmark = fwmark(fields)?;
    rule.tos = byte(fields, "tos", |word| words::number_or_digits(DSFIELDS, word))?.unwrap_or(0);
    rule.ip_proto = byte(fields, "ipproto", ip_proto)?;
    let longest = fields.number("suppress_prefixlen")?;
    rule.suppress_prefix_len = longest.or(fields.number("suppress_prefixlength")?);
    rule.suppress_if_group = match fields.word("suppress_ifgroup") {
        Some(name) => Some(names.group(&name).ok_or_else(|| format!("group {name:?}"))?),
        None => None,
    };
    rule.action = action(fields, names)?;
    rule.unknown = unknown(fields);
    rule.protocol = match fields.word("protocol") {
        Some(name) => names.protocol(&name).ok_or_else(|| format!("protocol {name:?}"))?,
        None => silent_protocol(&rule),
    };
    Ok(rule)
}

/// Without `-d`, `ip rule` says nothing of protocol 0 (by hand) and 2 (kernel). The kernel's own
/// rules are the three that every namespace starts with.
fn silent_protocol(rule: &Rule) -> u8 {
    let own = [(0, 255), (32766, 254), (32767, 253)].iter().any(|&(preference, table)| {
        let mut kernels = blank_rule();
        kernels.preference = preference;
        kernels.action = RuleAction::Lookup(table);
        *rule == kernels
    });
    if own { 2 } else { 0 }
}

/// `src` is `all`, an address, or `0` where only the length counts.
fn prefix(
    family: Family,
    fields: Fields<'_>,
    addr: &str,
    len: &str,
) -> Result<Option<Prefix>, Odd> {
    let text = fields.str(addr).unwrap_or("all");
    let len = fields.number(len)?;
    let v6 = family == Family::Inet6;
    let addr: IpAddr = match text {
        "all" | "any" | "default" => {
            return Ok(len.map(|len| Prefix { addr: zero(v6), len }));
        }
        "0" => zero(v6),
        text => text.parse().map_err(|_| format!("{addr} {text:?}"))?,
    };
    let host = if addr.is_ipv4() { 32 } else { 128 };
    Ok(Some(Prefix { addr, len: len.unwrap_or(host) }))
}

fn range(fields: Fields<'_>, one: &str, from: &str, to: &str) -> Result<Option<(u16, u16)>, Odd> {
    let single: Option<u16> = fields.number(one)?;
    let pair = fields.number(from)?.zip(fields.number(to)?);
    Ok(single.map(|port| (port, port)).or(pair))
}

fn fwmark(fields: Fields<'_>) -> Result<Option<(u32, u32)>, Odd> {
    let value = fields.number("fwmark")?;
    let mask = fields.number("fwmask")?;
    let any = value.is_some() || mask.is_some();
    Ok(any.then(|| (value.unwrap_or(0), mask.unwrap_or(u32::MAX))))
}

fn byte(
    fields: Fields<'_>,
    key: &str,
    read: impl Fn(&str) -> Option<u32>,
) -> Result<Option<u8>, Odd> {
    let Some(word) = fields.word(key) else { return Ok(None) };
    let number = read(&word).and_then(|n| u8::try_from(n).ok());
    number.map(Some).ok_or_else(|| format!("{key} {word:?}"))
}

fn ip_proto(word: &str) -> Option<u32> {
    words::number_or_digits(IP_PROTOCOLS, word.strip_prefix("ipproto-").unwrap_or(word))
}

fn action(fields: Fields<'_>, names: &mut Names) -> Result<RuleAction, Odd> {
    if fields.has("goto") {
        // `none` stands for a target that the kernel did not name.
        let preference =
            if fields.str("goto") == Some("none") { 0 } else { fields.must("goto")? };
        return Ok(RuleAction::Goto { preference, resolved: !fields.has("unresolved") });
    }
    if fields.has("nop") {
        return Ok(RuleAction::Nop);
    }
    if let Some(word) = fields.word("action") {
        let number = words::number_or_digits(ROUTE_TYPES, &word).and_then(|n| n.try_into().ok());
        return number.map(plain_action).ok_or_else(|| format!("action {word:?}"));
    }
    // `l3mdev` rules have no table of their own.
    Ok(RuleAction::Lookup(fields.word("table").map_or(0, |name| names.table(&name))))
}

/// Keys of a newer iproute2 that may narrow the match.
fn unknown(fields: Fields<'_>) -> Vec<Text> {
    let told = fields.words("unknown").map(Text::new);
    let keys = fields.0.iter().filter(|(key, _)| !KNOWN.contains(&key.as_str()));
    told.chain(keys.map(|(key, value)| format!("{key} {value}").into())).collect()
}
