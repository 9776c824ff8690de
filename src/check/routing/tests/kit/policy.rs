//! Lines about routes and rules.

use super::blank::route;
use super::{Net, number, prefix, table};
use crate::sample::{Family, NextHop, Route, RouteKind, Rule, RuleAction};

impl Net {
    pub(super) fn route(&mut self, words: &[&str]) {
        let kind = match words[0] {
            "unreachable" => RouteKind::Unreachable,
            "prohibit" => RouteKind::Prohibit,
            "blackhole" => RouteKind::Blackhole,
            "throw" => RouteKind::Throw,
            "local" => RouteKind::Local,
            _ => RouteKind::Unicast,
        };
        let at = usize::from(kind != RouteKind::Unicast);
        let v6 = words.iter().any(|w| w.contains(':'));
        let mut made = Route { kind, ..route(prefix(words[at], v6), None) };
        made.protocol = 3;
        made.next_hops.clear();
        let hop = NextHop::by(None);
        let mut hops: Vec<NextHop> = Vec::new();
        let mut single = hop.clone();
        let mut linkdown = false;
        let mut rest = words[at + 1..].iter();
        while let Some(word) = rest.next() {
            let mut value = || *rest.next().unwrap();
            match *word {
                "via" => {
                    let gateway = Some(value().parse().unwrap());
                    hops.last_mut().unwrap_or(&mut single).gateway = gateway;
                }
                "dev" => {
                    let name = value();
                    let index = Some(self.index(name));
                    hops.last_mut().unwrap_or(&mut single).ifindex = index;
                }
                "nexthop" => hops.push(hop.clone()),
                "table" => made.table = table(value()),
                "src" => made.prefsrc = Some(value().parse().unwrap()),
                "metric" => made.metric = number(value()),
                "mtu" => made.mtu = Some(number(value())),
                "lock" => made.mtu_locked = true,
                "proto" => made.protocol = number(value()) as u8,
                "nhid" => made.nexthop_id = Some(number(value())),
                "scope" => made.scope = number(value()) as u8,
                "linkdown" => linkdown = true,
                other => panic!("route {other}?"),
            }
        }
        single.flags.linkdown = linkdown;
        made.next_hops = if !hops.is_empty() {
            hops
        } else if single.ifindex.is_some() {
            vec![single]
        } else {
            Vec::new()
        };
        if v6 && made.metric == 0 {
            made.metric = 1024;
        }
        self.push(made);
    }

    pub(super) fn rule(&mut self, words: &[&str], family: Family) {
        let v6 = family == Family::Inet6;
        let mut made = Rule::lookup(number(words[0]), 254);
        let mut rest = words[1..].iter();
        while let Some(word) = rest.next() {
            let mut value = || *rest.next().unwrap();
            match *word {
                "not" => made.invert = true,
                "from" => made.src = Some(prefix(value(), v6)).filter(|p| p.len > 0),
                "to" => made.dst = Some(prefix(value(), v6)),
                "iif" => {
                    let name = value();
                    made.iif_detached = !self.links.iter().any(|l| l.name == name);
                    made.iif = Some(name.into());
                }
                "oif" => {
                    let name = value();
                    made.oif_detached = !self.links.iter().any(|l| l.name == name);
                    made.oif = Some(name.into());
                }
                "fwmark" => {
                    let (bits, mask) = value().split_once('/').unwrap();
                    made.fwmark = Some((number(bits), number(mask)));
                }
                "uidrange" => {
                    let (low, high) = value().split_once('-').unwrap();
                    made.uid_range = Some((number(low), number(high)));
                }
                "ipproto" => made.ip_proto = Some(number(value()) as u8),
                "dport" => {
                    let port = number(value()) as u16;
                    made.dport = Some((port, port));
                }
                "lookup" => made.action = RuleAction::Lookup(table(value())),
                "suppress_prefixlength" => made.suppress_prefix_len = Some(number(value())),
                "goto" => {
                    let preference = number(value());
                    made.action = RuleAction::Goto { preference, resolved: true };
                }
                "prohibit" => made.action = RuleAction::Prohibit,
                "l3mdev" => {
                    made.l3mdev = true;
                    made.action = RuleAction::Lookup(0);
                }
                "proto" => made.protocol = number(value()) as u8,
                other => panic!("rule {other}?"),
            }
        }
        let list = if v6 { &mut self.routing.rules6 } else { &mut self.routing.rules4 };
        let list = list.as_mut().unwrap();
        let at = list.partition_point(|r| r.preference <= made.preference);
        list.insert(at, made);
    }
}
