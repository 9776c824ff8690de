//! One change of the system each, with what it takes to undo it.

use super::route::RouteSpec;
use super::sh;
use super::spec::{RuleSpec, SysctlKey};
use crate::check::Where;
use crate::sample::{Prefix, Text};

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
        /// Its members now, each with its weight, from 1.
        members: Vec<(u32, u32)>,
        /// Its members before.
        before: Vec<(u32, u32)>,
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

    /// What it changes: two changes of one target exclude each other.
    pub fn target(&self) -> Target {
        match self {
            Action::NextHopAdd { id, .. } | Action::NextHopGroup { id, .. } => {
                format!("nexthop {id}")
            }
            Action::Address { prefix, dev, .. } => format!("address {prefix} {dev}"),
            Action::RouteReplace { route, .. } | Action::RouteDelete(route) => {
                format!("route {} {} {:?}", route.table, route.dst, route.metric)
            }
            Action::RuleAdd(rule) | Action::RuleDelete(rule) => {
                format!("{} {}: {}", rule.tool(), rule.preference, rule.selectors)
            }
            Action::Sysctl { key, .. } => key.to_string(),
            Action::LinkMtu { dev, .. } => format!("mtu {dev}"),
            Action::NeighbourFlush { dev } => format!("neighbours {dev}"),
            Action::Other { command, .. } => command.clone(),
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
                    "! ip -o addr show dev {dev} to {} | grep -qF ' {prefix} ' || \
                     ip addr del {prefix} dev {dev}",
                    prefix.addr
                )
            }
            Action::RouteReplace { route, .. } => route_replace(route),
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

    /// What shows that it is done: one line of POSIX sh that fails while it is not.
    pub fn proof(&self) -> Option<String> {
        Some(match self {
            Action::NextHopAdd { id, dev } => {
                format!("ip nexthop show id {id} | grep -F {}", sh::word(&format!(" dev {dev} ")))
            }
            Action::NextHopGroup { id, members, .. } => {
                format!("ip nexthop show id {id} | grep -F 'group {}'", group(members))
            }
            Action::Address { prefix, dev, remove } => format!(
                "{}ip -o addr show dev {} to {} | grep -F ' {prefix} '",
                if *remove { "! " } else { "" },
                sh::word(dev),
                prefix.addr
            ),
            Action::RouteReplace { route, .. } => route.proof(),
            Action::RouteDelete(route) => format!("! {}", route.is_there()),
            Action::RuleAdd(rule) => rule.is_there(),
            Action::RuleDelete(rule) => format!("! {}", rule.is_there()),
            Action::Sysctl { key, value, .. } => {
                format!("sysctl -n {} | grep -x -e {value}", sh::word(&key.to_string()))
            }
            Action::LinkMtu { dev, mtu, .. } => {
                format!("ip link show dev {} | grep -F ' mtu {mtu} '", sh::word(dev))
            }
            // What is forgotten may have been learnt anew.
            Action::NeighbourFlush { .. } | Action::Other { .. } => return None,
        })
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
            Action::RouteReplace { before: Some(before), .. } => Some(route_replace(before)),
            Action::RouteReplace { route, before: None } => Some(route_delete(route)),
            Action::RouteDelete(route) => Some(route_replace(route)),
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

fn route_replace(route: &RouteSpec) -> String {
    format!("{} replace {route}", route.tool())
}

fn route_delete(route: &RouteSpec) -> String {
    format!("! {} || {} del {}", route.is_there(), route.tool(), route.to_delete())
}

fn rule_add(rule: &RuleSpec) -> String {
    format!("{} || {} add {rule}", rule.is_there(), rule.tool())
}

fn rule_delete(rule: &RuleSpec) -> String {
    format!("! {} || {} del {rule}", rule.is_there(), rule.tool())
}

fn sysctl(key: &SysctlKey, value: i64) -> String {
    format!("sysctl -w {}={value}", sh::word(&key.to_string()))
}

fn group(members: &[(u32, u32)]) -> String {
    let member = |(id, weight): &(u32, u32)| match weight {
        0 | 1 => id.to_string(),
        more => format!("{id},{more}"),
    };
    members.iter().map(member).collect::<Vec<_>>().join("/")
}
