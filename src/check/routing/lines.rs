//! Evidence: the lines that `ip rule`, `ip route` and `sysctl` print.

use super::scene::Scene;
use crate::fix::spec::{self, name_of, proto_word};
use crate::sample::{
    Family, Neighbour, NextHop, Prefix, Reading, Route, RouteKind, Rule, RuleAction, Text,
};
use std::fmt::Write;

/// A rule as `ip rule` prints it.
pub(super) fn rule(scene: &Scene<'_>, family: Family, rule: &Rule) -> Text {
    let mut line = format!("{}: {} ", rule.preference, spec::selectors(rule, family));
    line.push_str(&match rule.action {
        RuleAction::Lookup(_) if rule.l3mdev => "lookup [l3mdev-table]".to_owned(),
        RuleAction::Lookup(id) => format!("lookup {}", table(scene, id)),
        RuleAction::Goto { preference, .. } => format!("goto {preference}"),
        RuleAction::Nop => "nop".to_owned(),
        RuleAction::Blackhole => "blackhole".to_owned(),
        RuleAction::Unreachable => "unreachable".to_owned(),
        RuleAction::Prohibit => "prohibit".to_owned(),
        RuleAction::Other(action) => format!("action {action}"),
    });
    if let Some(len) = rule.suppress_prefix_len {
        let _ = write!(line, " suppress_prefixlength {len}");
    }
    for (detached, word) in [(rule.iif_detached, "iif"), (rule.oif_detached, "oif")] {
        if detached {
            let _ = write!(line, " [{word} detached]");
        }
    }
    if rule.protocol != 0 && rule.protocol != 2 {
        let _ = write!(line, " proto {}", proto_word(rule.protocol));
    }
    line.into()
}

/// The name of a table, else its number.
pub(super) fn table(scene: &Scene<'_>, id: u32) -> Text {
    let named = scene.routing.table_names.iter().find(|(n, _)| *n == id).map(|(_, t)| t.clone());
    named.unwrap_or_else(|| match id {
        253 => "default".into(),
        254 => "main".into(),
        255 => "local".into(),
        id => id.to_string().into(),
    })
}

/// A route as `ip route show table all` prints it.
pub(super) fn route(scene: &Scene<'_>, route: &Route) -> Text {
    let mut line = match kind_word(route.kind) {
        Some(word) => format!("{word} {}", destination(&route.dst)),
        None => destination(&route.dst),
    };
    let single = match route.next_hops.as_slice() {
        [hop] => Some(hop),
        _ => None,
    };
    if let Some(id) = route.nexthop_id {
        let _ = write!(line, " nhid {id}");
    }
    if let Some(hop) = single {
        line.push_str(&to(scene, hop, &route.dst));
    }
    if route.table != crate::fib::TABLE_MAIN {
        let _ = write!(line, " table {}", table(scene, route.table));
    }
    if route.protocol != 3 {
        let _ = write!(line, " proto {}", proto_word(route.protocol));
    }
    if route.dst.family() == Family::Inet && route.scope != 0 {
        match route.scope {
            253 => line.push_str(" scope link"),
            254 => line.push_str(" scope host"),
            other => {
                let _ = write!(line, " scope {other}");
            }
        }
    }
    if let Some(src) = route.prefsrc {
        let _ = write!(line, " src {src}");
    }
    if route.metric != 0 {
        let _ = write!(line, " metric {}", route.metric);
    }
    if let Some(mtu) = route.mtu {
        let lock = if route.mtu_locked { "lock " } else { "" };
        let _ = write!(line, " mtu {lock}{mtu}");
    }
    match single {
        Some(hop) => line.push_str(flags(hop)),
        None => {
            for hop in &route.next_hops {
                let (way, dead) = (to(scene, hop, &route.dst), flags(hop));
                let _ = write!(line, " nexthop{way} weight {}{dead}", hop.weight);
            }
        }
    }
    line.into()
}

fn destination(dst: &Prefix) -> String {
    match (dst.family(), dst.len) {
        (_, 0) => "default".into(),
        (Family::Inet, 32) | (Family::Inet6, 128) => dst.addr.to_string(),
        _ => dst.to_string(),
    }
}

fn to(scene: &Scene<'_>, hop: &NextHop, dst: &Prefix) -> String {
    let mut words = String::new();
    if let Some(gateway) = hop.gateway {
        let other = gateway.is_ipv4() != dst.addr.is_ipv4();
        let _ = write!(words, " via {}{gateway}", if other { "inet6 " } else { "" });
    }
    if let Some(index) = hop.ifindex {
        let _ = write!(words, " dev {}", scene.dev(index));
    }
    words
}

fn flags(hop: &NextHop) -> &'static str {
    match (hop.flags.dead, hop.flags.linkdown) {
        (true, true) => " dead linkdown",
        (true, false) => " dead",
        (false, true) => " linkdown",
        (false, false) => "",
    }
}

fn kind_word(kind: RouteKind) -> Option<&'static str> {
    match kind {
        RouteKind::Unreachable => Some("unreachable"),
        RouteKind::Prohibit => Some("prohibit"),
        RouteKind::Blackhole => Some("blackhole"),
        RouteKind::Throw => Some("throw"),
        RouteKind::Local => Some("local"),
        _ => None,
    }
}

/// A sysctl as `sysctl` prints it.
pub(super) fn sysctl(interface: &str, name: &str, value: &Reading<i64>) -> Option<Text> {
    let value = value.as_ref().ok()?;
    Some(format!("net.ipv4.conf.{}.{name} = {value}", interface.replace('.', "/")).into())
}

/// A neighbour as `ip neigh` prints it.
pub(super) fn neighbour(scene: &Scene<'_>, neighbour: &Neighbour) -> Text {
    let dev = name_of(scene.links, neighbour.ifindex).unwrap_or_default();
    let lladdr = neighbour.lladdr.as_deref().unwrap_or("-");
    format!("{} dev {dev} lladdr {lladdr}", neighbour.dst).into()
}
