//! One change of the system each, with what it takes to undo it.

use super::sh;
use crate::check::Where;
use crate::sample::{Family, Prefix, Text};
use std::fmt::Write;
use std::net::IpAddr;

/// An action and where it is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// On this node or on the other side.
    pub place: Where,
    /// What.
    pub action: Action,
}

impl Change {
    /// A change on this node.
    pub fn here(action: Action) -> Self {
        Self { place: Where::Here, action }
    }

    /// A change on the other side.
    pub fn peer(action: Action) -> Self {
        Self { place: Where::Peer, action }
    }
}

/// A change that a remedy is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// `ip nexthop add` of a plain next hop that was lost.
    NextHopAdd {
        /// Its id.
        id: u32,
        /// Its device.
        dev: Text,
    },
    /// `ip nexthop replace` of a group.
    NextHopGroup {
        /// Its id.
        id: u32,
        /// Its members now.
        members: Vec<u32>,
        /// Its members before.
        before: Vec<u32>,
    },
    /// `ip addr add`, or `del` when `remove`.
    Address {
        /// Address and length.
        prefix: Prefix,
        /// Device.
        dev: Text,
        /// Take it away.
        remove: bool,
    },
    /// `ip route replace`.
    RouteReplace {
        /// The route as it should be.
        route: RouteSpec,
        /// The route it replaces (same table, prefix, tos, metric), if there is one.
        before: Option<RouteSpec>,
    },
    /// `ip route del`.
    RouteDelete(RouteSpec),
    /// `ip rule add`.
    RuleAdd(RuleSpec),
    /// `ip rule del`.
    RuleDelete(RuleSpec),
    /// `sysctl -w`.
    Sysctl {
        /// Which.
        key: SysctlKey,
        /// The value it should have.
        value: i64,
        /// The value it has.
        before: Option<i64>,
    },
    /// `ip link set mtu`.
    LinkMtu {
        /// Device.
        dev: Text,
        /// Bytes.
        mtu: u32,
        /// Bytes before.
        before: Option<u32>,
    },
    /// `ip neigh flush dev`: nothing to undo, the kernel learns anew.
    NeighbourFlush {
        /// Device.
        dev: Text,
    },
    /// Anything else: one line of POSIX sh, repeatable, with its undo.
    Other {
        /// The line.
        command: String,
        /// What takes it back.
        undo: Option<String>,
        /// Where it stands in the order (see [`Action::phase`]).
        phase: u8,
    },
}

/// A route as `ip route` takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteSpec {
    /// Type word for other than unicast (`unreachable`, `blackhole`, …).
    pub kind: Option<&'static str>,
    /// Destination.
    pub dst: Prefix,
    /// Device.
    pub dev: Option<Text>,
    /// Gateway.
    pub via: Option<IpAddr>,
    /// Preferred source.
    pub src: Option<IpAddr>,
    /// Table id.
    pub table: u32,
    /// Metric.
    pub metric: Option<u32>,
    /// `scope link`.
    pub scope_link: bool,
    /// `proto` word or number, where it matters.
    pub proto: Option<Text>,
    /// `mtu`, `mtu lock`: verbatim.
    pub extra: Option<Text>,
}

/// A rule as `ip rule` takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSpec {
    /// Family of the list it stands in.
    pub family: Family,
    /// Preference: always explicit.
    pub preference: u32,
    /// Selectors, verbatim (`from 172.16.34.1`), without preference.
    pub selectors: Text,
    /// Action, verbatim (`lookup 941`, `goto 100`).
    pub action: Text,
}

/// A sysctl below `net`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SysctlKey {
    /// `ipv4` or `ipv6`.
    pub family: Family,
    /// `conf` directory: an interface, `all` or `default`.
    pub interface: Text,
    /// File name.
    pub name: &'static str,
}

/// What an action changes; two actions on one target conflict.
pub type Target = String;

impl Action {
    /// Place in the safe order: what gives a way comes before what leads to it, and both before
    /// what takes a way.
    pub fn phase(&self) -> u8 {
        match self {
            Action::NextHopAdd { .. } => 0,
            Action::NextHopGroup { .. } => 1,
            Action::Address { remove: false, .. } => 2,
            Action::RouteReplace { .. } => 3,
            Action::RuleAdd(_) => 4,
            Action::RuleDelete(_) => 5,
            Action::RouteDelete(_) => 6,
            Action::Address { remove: true, .. } => 7,
            Action::Sysctl { .. } => 8,
            Action::LinkMtu { .. } => 9,
            Action::NeighbourFlush { .. } => 10,
            Action::Other { phase, .. } => *phase,
        }
    }

    /// One line of POSIX sh that may be run twice.
    pub fn command(&self) -> String {
        match self {
            Action::NextHopAdd { id, dev } => {
                format!("ip nexthop replace id {id} dev {}", sh::word(dev))
            }
            Action::NextHopGroup { id, members, .. } => {
                format!("ip nexthop replace id {id} group {}", group(members))
            }
            Action::Address { prefix, dev, remove: false } => {
                format!("ip addr replace {prefix} dev {}", sh::word(dev))
            }
            Action::Address { prefix, dev, remove: true } => {
                let dev = sh::word(dev);
                format!(
                    "! ip -o addr show dev {dev} to {} | grep -qF ' {prefix} ' || ip addr del {prefix} dev {dev}",
                    prefix.addr
                )
            }
            Action::RouteReplace { route, .. } => format!("{} replace {route}", ip_route(route)),
            Action::RouteDelete(route) => route_delete(route),
            Action::RuleAdd(rule) => rule_add(rule),
            Action::RuleDelete(rule) => rule_delete(rule),
            Action::Sysctl { key, value, .. } => sysctl(key, *value),
            Action::LinkMtu { dev, mtu, .. } => {
                format!("ip link set dev {} mtu {mtu}", sh::word(dev))
            }
            Action::NeighbourFlush { dev } => format!("ip neigh flush dev {}", sh::word(dev)),
            Action::Other { command, .. } => command.clone(),
        }
    }

    /// What takes it back, if anything can.
    pub fn undo(&self) -> Option<String> {
        match self {
            Action::NextHopAdd { id, .. } => {
                Some(format!("! ip nexthop show id {id} >/dev/null 2>&1 || ip nexthop del id {id}"))
            }
            Action::NextHopGroup { id, before, .. } => {
                Some(format!("ip nexthop replace id {id} group {}", group(before)))
            }
            Action::Address { prefix, dev, remove } => Some(
                Action::Address { prefix: *prefix, dev: dev.clone(), remove: !remove }.command(),
            ),
            Action::RouteReplace { before: Some(before), .. } => {
                Some(format!("{} replace {before}", ip_route(before)))
            }
            Action::RouteReplace { route, before: None } => Some(route_delete(route)),
            Action::RouteDelete(route) => Some(format!("{} replace {route}", ip_route(route))),
            Action::RuleAdd(rule) => Some(rule_delete(rule)),
            Action::RuleDelete(rule) => Some(rule_add(rule)),
            Action::Sysctl { key, before, .. } => before.map(|value| sysctl(key, value)),
            Action::LinkMtu { dev, before, .. } => {
                before.map(|mtu| format!("ip link set dev {} mtu {mtu}", sh::word(dev)))
            }
            Action::NeighbourFlush { .. } => None,
            Action::Other { undo, .. } => undo.clone(),
        }
    }
}

fn ip_route(route: &RouteSpec) -> &'static str {
    match route.dst.family() {
        Family::Inet => "ip route",
        Family::Inet6 => "ip -6 route",
    }
}

fn route_delete(route: &RouteSpec) -> String {
    let ip = ip_route(route);
    let mut exact = format!("{} table {}", route.dst, route.table);
    if let Some(dev) = &route.dev {
        let _ = write!(exact, " dev {}", sh::word(dev));
    }
    format!("! {ip} show exact {exact} | grep -q . || {ip} del {route}")
}

fn ip_rule(rule: &RuleSpec) -> &'static str {
    match rule.family {
        Family::Inet => "ip rule",
        Family::Inet6 => "ip -6 rule",
    }
}

/// A rule of that preference and those words is there already: nothing to do. `grep` looks at the
/// preference alone where table names would differ from ids.
fn rule_add(rule: &RuleSpec) -> String {
    let RuleSpec { preference, selectors, action, .. } = rule;
    let ip = ip_rule(rule);
    format!(
        "{ip} show | grep -q '^{preference}:.*{selectors} ' || {ip} add pref {preference} {selectors} {action}"
    )
}

fn rule_delete(rule: &RuleSpec) -> String {
    let RuleSpec { preference, selectors, action, .. } = rule;
    let ip = ip_rule(rule);
    format!(
        "! {ip} show | grep -q '^{preference}:.*{selectors} ' || {ip} del pref {preference} {selectors} {action}"
    )
}

/// Names with dots (ib0.8001) need the slash form.
fn sysctl(key: &SysctlKey, value: i64) -> String {
    let family = match key.family {
        Family::Inet => "ipv4",
        Family::Inet6 => "ipv6",
    };
    if key.interface.contains('.') {
        let path = format!("net/{family}/conf/{}/{}", key.interface, key.name);
        format!("sysctl -w {}={value}", sh::word(&path))
    } else {
        let path = format!("net.{family}.conf.{}.{}", key.interface, key.name);
        format!("sysctl -w {}={value}", sh::word(&path))
    }
}

fn group(members: &[u32]) -> String {
    members.iter().map(u32::to_string).collect::<Vec<_>>().join("/")
}

impl std::fmt::Display for RouteSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(kind) = self.kind {
            write!(f, "{kind} ")?;
        }
        if self.dst.len == 0 {
            f.write_str("default")?
        } else {
            write!(f, "{}", self.dst)?
        }
        if let Some(via) = self.via {
            write!(f, " via {via}")?;
        }
        if let Some(dev) = &self.dev {
            write!(f, " dev {}", sh::word(dev))?;
        }
        if let Some(proto) = &self.proto {
            write!(f, " proto {proto}")?;
        }
        if self.scope_link {
            f.write_str(" scope link")?;
        }
        if let Some(src) = self.src {
            write!(f, " src {src}")?;
        }
        if let Some(metric) = self.metric {
            write!(f, " metric {metric}")?;
        }
        if let Some(extra) = &self.extra {
            write!(f, " {extra}")?;
        }
        write!(f, " table {}", self.table)
    }
}
