//! One route in words, close to those of `ip route`.

use super::paint::pad;
use super::routes::TO;
use crate::node::Node;
use crate::sample::{NextHop, Prefix, Route, RouteKind};

/// Who made a rule or route: RTPROT_* of linux/rtnetlink.h, in the words of iproute2's
/// rt_protos. What `ip rule add` (0) and `ip route add` (3, boot) leave is of a hand or a script.
pub(super) fn protocol(number: u8) -> String {
    let word = match number {
        0 | 3 => "by hand",
        1 => "redirect",
        2 => "kernel",
        4 => "static",
        8 => "gated",
        9 => "ra",
        11 => "zebra",
        12 => "bird",
        16 => "dhcp",
        18 => "keepalived",
        42 => "babel",
        186 => "bgp",
        187 => "isis",
        188 => "ospf",
        189 => "rip",
        192 => "eigrp",
        other => return format!("proto {other}"),
    };
    word.to_owned()
}

/// Destination, next hops, preferred source and what else decides.
pub(super) fn route_words(route: &Route, node: &Node) -> String {
    let destination = if route.dst.len == 0 { "default".to_owned() } else { short(&route.dst) };
    let kind = kind_word(route.kind);
    let mut words = vec![pad(&format!("{kind}{destination}"), TO - 1)];
    if let Some(src) = &route.src {
        words.push(format!("from {}", short(src)));
    }
    let several = route.next_hops.len() > 1;
    let hops: Vec<String> =
        route.next_hops.iter().map(|hop| hop_words(hop, several, node)).collect();
    words.push(hops.join(" | "));
    if let Some(id) = route.nexthop_id {
        words.push(format!("nhid {id}"));
    }
    if let Some(src) = route.prefsrc {
        words.push(format!("src {src}"));
    }
    if route.tos != 0 {
        words.push(format!("tos {:#x}", route.tos));
    }
    if route.metric != 0 {
        words.push(format!("metric {}", route.metric));
    }
    if let Some(mtu) = route.mtu {
        words.push(format!("mtu {}{mtu}", if route.mtu_locked { "lock " } else { "" }));
    }
    words.retain(|word| !word.is_empty());
    words.join(" ")
}

/// `via 10.0.0.1 dev ib0`, and what is wrong with it.
pub(super) fn hop_words(hop: &NextHop, several: bool, node: &Node) -> String {
    let mut words = Vec::new();
    if let Some(gateway) = hop.gateway {
        words.push(format!("via {gateway}"));
    }
    if let Some(index) = hop.ifindex {
        words.push(format!("dev {}", link_name(index, node)));
    }
    if several {
        words.push(format!("weight {}", hop.weight));
    }
    if hop.flags.dead {
        words.push("DEAD".to_owned());
    }
    if hop.flags.linkdown {
        words.push("LINKDOWN".to_owned());
    }
    words.join(" ")
}

fn link_name(index: u32, node: &Node) -> String {
    let link = node.links.as_ref().ok().and_then(|l| l.iter().find(|l| l.index == index));
    link.map_or(format!("if{index}"), |link| link.name.to_string())
}

/// Said of an interface that a rule names and that is not there.
pub(super) fn gone(detached: bool) -> &'static str {
    if detached { " (no such interface)" } else { "" }
}

/// A prefix; a single host without its length.
pub(super) fn short(prefix: &Prefix) -> String {
    let whole = if prefix.addr.is_ipv4() { 32 } else { 128 };
    if prefix.len == whole { prefix.addr.to_string() } else { prefix.to_string() }
}

fn kind_word(kind: RouteKind) -> &'static str {
    match kind {
        RouteKind::Unicast => "",
        RouteKind::Local => "local ",
        RouteKind::Broadcast => "broadcast ",
        RouteKind::Anycast => "anycast ",
        RouteKind::Multicast => "multicast ",
        RouteKind::Blackhole => "blackhole ",
        RouteKind::Unreachable => "unreachable ",
        RouteKind::Prohibit => "prohibit ",
        RouteKind::Throw => "throw ",
        RouteKind::Other(_) => "other ",
    }
}
