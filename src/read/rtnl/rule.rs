//! RTM_NEWRULE (linux/fib_rules.h).

use super::attr::{Attr, Attrs, hex, u8_at, u16_at, u32_at};
use crate::sample::{Prefix, Rule, RuleAction, Text};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const FRA_DST: u16 = 1;
const FRA_SRC: u16 = 2;
const FRA_IIFNAME: u16 = 3;
const FRA_GOTO: u16 = 4;
const FRA_PRIORITY: u16 = 6;
const FRA_FWMARK: u16 = 10;
const FRA_FLOW: u16 = 11;
const FRA_TUN_ID: u16 = 12;
const FRA_SUPPRESS_IFGROUP: u16 = 13;
const FRA_SUPPRESS_PREFIXLEN: u16 = 14;
const FRA_TABLE: u16 = 15;
const FRA_FWMASK: u16 = 16;
const FRA_OIFNAME: u16 = 17;
const FRA_PAD: u16 = 18;
const FRA_L3MDEV: u16 = 19;
const FRA_UID_RANGE: u16 = 20;
const FRA_PROTOCOL: u16 = 21;
const FRA_IP_PROTO: u16 = 22;
const FRA_SPORT_RANGE: u16 = 23;
const FRA_DPORT_RANGE: u16 = 24;
/// Selectors of newer kernels, in the words of `ip rule`; they are kept as unknown.
const NEWER: [(u16, &str); 6] = [
    (25, "dscp"),
    (26, "flowlabel"),
    (27, "flowlabel_mask"),
    (FRA_SPORT_MASK, "sport_mask"),
    (FRA_DPORT_MASK, "dport_mask"),
    (30, "dscp_mask"),
];
const FRA_SPORT_MASK: u16 = 28;
const FRA_DPORT_MASK: u16 = 29;

const FIB_RULE_INVERT: u32 = 0x2;
const FIB_RULE_UNRESOLVED: u32 = 0x4;
const FIB_RULE_IIF_DETACHED: u32 = 0x8;
const FIB_RULE_OIF_DETACHED: u32 = 0x10;

const FR_ACT_TO_TBL: u8 = 1;
const FR_ACT_GOTO: u8 = 2;
const FR_ACT_NOP: u8 = 3;
const FR_ACT_BLACKHOLE: u8 = 6;
const FR_ACT_UNREACHABLE: u8 = 7;
const FR_ACT_PROHIBIT: u8 = 8;

/// A rule that matches everything and looks up table 0, as `l3mdev` rules do.
pub(in crate::read) fn blank() -> Rule {
    Rule::lookup(0, 0)
}

/// The action of a number that needs no argument.
pub(in crate::read) fn plain_action(number: u8) -> RuleAction {
    match number {
        FR_ACT_NOP => RuleAction::Nop,
        FR_ACT_BLACKHOLE => RuleAction::Blackhole,
        FR_ACT_UNREACHABLE => RuleAction::Unreachable,
        FR_ACT_PROHIBIT => RuleAction::Prohibit,
        other => RuleAction::Other(other),
    }
}

/// Reads the body of a message: `fib_rule_hdr`, then attributes.
pub(super) fn parse(v6: bool, body: &[u8]) -> Option<Rule> {
    let flags = u32_at(body, 8)?;
    let mut rule = blank();
    rule.tos = u8_at(body, 3)?;
    rule.invert = flags & FIB_RULE_INVERT != 0;
    rule.iif_detached = flags & FIB_RULE_IIF_DETACHED != 0;
    rule.oif_detached = flags & FIB_RULE_OIF_DETACHED != 0;
    let mut rest = Rest { table: u8_at(body, 4)?.into(), ..Rest::default() };
    for attr in Attrs(body.get(12..)?) {
        take(&mut rule, &mut rest, attr);
    }
    rule.dst = prefix(v6, u8_at(body, 1)?, rest.dst);
    rule.src = prefix(v6, u8_at(body, 2)?, rest.src);
    if rest.mark.is_some() || rest.mask.is_some() {
        rule.fwmark = Some((rest.mark.unwrap_or(0), rest.mask.unwrap_or(u32::MAX)));
    }
    rule.action = match u8_at(body, 7)? {
        FR_ACT_TO_TBL => RuleAction::Lookup(rest.table),
        FR_ACT_GOTO => {
            RuleAction::Goto { preference: rest.target, resolved: flags & FIB_RULE_UNRESOLVED == 0 }
        }
        number => plain_action(number),
    };
    Some(rule)
}

/// What only makes sense together with the header.
#[derive(Default)]
struct Rest {
    table: u32,
    target: u32,
    mark: Option<u32>,
    mask: Option<u32>,
    src: Option<IpAddr>,
    dst: Option<IpAddr>,
}

fn take(rule: &mut Rule, rest: &mut Rest, attr: Attr<'_>) {
    match attr.kind {
        FRA_DST => rest.dst = attr.ip(),
        FRA_SRC => rest.src = attr.ip(),
        FRA_IIFNAME => rule.iif = Some(attr.text()),
        FRA_OIFNAME => rule.oif = Some(attr.text()),
        FRA_GOTO => rest.target = attr.u32().unwrap_or(0),
        FRA_PRIORITY => rule.preference = attr.u32().unwrap_or(0),
        FRA_FWMARK => rest.mark = attr.u32(),
        FRA_FWMASK => rest.mask = attr.u32(),
        FRA_TUN_ID => rule.tun_id = attr.be64(),
        // All ones is "not set"; the prefix length is always sent.
        FRA_SUPPRESS_IFGROUP => rule.suppress_if_group = attr.u32().filter(|&n| n != u32::MAX),
        FRA_SUPPRESS_PREFIXLEN => rule.suppress_prefix_len = attr.u32().filter(|&n| n != u32::MAX),
        FRA_TABLE => rest.table = attr.u32().unwrap_or(rest.table),
        FRA_L3MDEV => rule.l3mdev = attr.u8().unwrap_or(0) != 0,
        FRA_UID_RANGE => rule.uid_range = u32_at(attr.value, 0).zip(u32_at(attr.value, 4)),
        FRA_PROTOCOL => rule.protocol = attr.u8().unwrap_or(0),
        FRA_IP_PROTO => rule.ip_proto = attr.u8(),
        FRA_SPORT_RANGE => rule.sport = u16_at(attr.value, 0).zip(u16_at(attr.value, 2)),
        FRA_DPORT_RANGE => rule.dport = u16_at(attr.value, 0).zip(u16_at(attr.value, 2)),
        // Since 6.15 a single port comes with the mask that means "all of it".
        FRA_SPORT_MASK | FRA_DPORT_MASK if attr.u16() == Some(u16::MAX) => {}
        // A realm is no selector; 0, 5 and 7 to 9 are padding or long unused.
        FRA_FLOW | FRA_PAD | 0 | 5 | 7..=9 => {}
        _ => rule.unknown.push(stranger(attr)),
    }
}

fn stranger(attr: Attr<'_>) -> Text {
    let name = NEWER.iter().find(|(kind, _)| *kind == attr.kind);
    let name = name.map_or_else(|| format!("attribute {}", attr.kind), |(_, n)| (*n).to_owned());
    let value = hex(attr.value).unwrap_or_default();
    format!("{name} {value}").into()
}

fn prefix(v6: bool, len: u8, addr: Option<IpAddr>) -> Option<Prefix> {
    if len == 0 && addr.is_none() {
        return None;
    }
    let zero = if v6 { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
    Some(Prefix { addr: addr.unwrap_or(zero), len })
}

#[cfg(test)]
mod tests {
    use super::super::attr::push;
    use super::*;

    /// `fib_rule_hdr` with these fields, family IPv4.
    fn header(src_len: u8, action: u8, flags: u32) -> Vec<u8> {
        let mut body = vec![2, 0, src_len, 0, 252, 0, 0, action];
        body.extend_from_slice(&flags.to_ne_bytes());
        body
    }

    #[test]
    fn table_ids_above_a_byte_come_from_the_attribute() {
        let mut body = header(32, FR_ACT_TO_TBL, FIB_RULE_INVERT);
        push(&mut body, FRA_SRC, &[172, 16, 34, 1]);
        push(&mut body, FRA_TABLE, &4_000_000_000u32.to_ne_bytes());
        push(&mut body, FRA_SUPPRESS_PREFIXLEN, &u32::MAX.to_ne_bytes());
        push(&mut body, FRA_PRIORITY, &9410u32.to_ne_bytes());
        let rule = parse(false, &body).unwrap();
        assert_eq!(rule.action, RuleAction::Lookup(4_000_000_000));
        assert_eq!(rule.src.unwrap().to_string(), "172.16.34.1/32");
        assert_eq!((rule.preference, rule.invert, rule.suppress_prefix_len), (9410, true, None));
        assert!(rule.unknown.is_empty());
    }

    #[test]
    fn unknown_selectors_are_named() {
        let mut body = header(0, FR_ACT_TO_TBL, 0);
        push(&mut body, 25, &[10]);
        push(&mut body, 77, &[1, 2]);
        push(&mut body, FRA_SPORT_MASK, &u16::MAX.to_ne_bytes());
        push(&mut body, FRA_DPORT_MASK, &0xff00u16.to_be_bytes());
        let unknown = parse(false, &body).unwrap().unknown;
        assert_eq!(unknown.len(), 3);
        assert_eq!(unknown[0], "dscp 0a");
        assert_eq!(unknown[1], "attribute 77 01:02");
        assert!(unknown[2].starts_with("dport_mask"));
    }

    #[test]
    fn goto_and_its_absence() {
        let mut body = header(0, FR_ACT_GOTO, FIB_RULE_UNRESOLVED);
        push(&mut body, FRA_GOTO, &1000u32.to_ne_bytes());
        let rule = parse(false, &body).unwrap();
        assert_eq!(rule.action, RuleAction::Goto { preference: 1000, resolved: false });
        assert_eq!(rule.preference, 0);
    }
}
