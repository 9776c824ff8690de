//! Rules and sysctls as their tools take them.

use super::sh;
use crate::sample::{Family, Prefix, Rule, RuleAction, Text};
use std::fmt::{self, Write};
use std::net::IpAddr;

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

impl RuleSpec {
    /// `from X lookup T` with an explicit preference.
    pub fn source(address: IpAddr, preference: u32, table: u32) -> Self {
        let family = if address.is_ipv4() { Family::Inet } else { Family::Inet6 };
        Self {
            family,
            preference,
            selectors: format!("from {address}").into(),
            action: format!("lookup {table}").into(),
        }
    }

    /// A rule of the dump, unless it has a selector that is not known here.
    pub fn of(family: Family, rule: &Rule) -> Option<Self> {
        if !rule.unknown.is_empty() {
            return None;
        }
        Some(Self {
            family,
            preference: rule.preference,
            selectors: selectors(rule, family).into(),
            action: action(rule)?.into(),
        })
    }

    /// `ip rule` or `ip -6 rule`.
    pub(super) fn tool(&self) -> &'static str {
        match self.family {
            Family::Inet => "ip rule",
            Family::Inet6 => "ip -6 rule",
        }
    }

    /// Is it there? `ip rule show` compares selectors and table by number, so the names of
    /// tables and the form of the output do not matter.
    pub(super) fn is_there(&self) -> String {
        let mut words = self.action.split(' ');
        let table = match (words.next(), words.next()) {
            (Some("lookup"), Some(table)) => format!(" lookup {table}"),
            (Some("l3mdev"), _) => " l3mdev".to_owned(),
            _ => String::new(),
        };
        format!(
            "{} show pref {} {}{table} | grep -q .",
            self.tool(),
            self.preference,
            self.selectors
        )
    }
}

impl fmt::Display for RuleSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pref {} {} {}", self.preference, self.selectors, self.action)
    }
}

/// An address without the length that says nothing.
fn bare(prefix: &Prefix) -> String {
    match (prefix.family(), prefix.len) {
        (Family::Inet, 32) | (Family::Inet6, 128) => prefix.addr.to_string(),
        _ => prefix.to_string(),
    }
}

/// The selectors in the order of print_rule (iproute2 ip/iprule.c).
pub(crate) fn selectors(rule: &Rule, family: Family) -> String {
    let mut words = Vec::new();
    if rule.invert {
        words.push("not".to_owned());
    }
    words.push(
        rule.src
            .as_ref()
            .filter(|p| p.len > 0 || p.family() != family)
            .map_or_else(|| "from all".to_owned(), |src| format!("from {}", bare(src))),
    );
    if let Some(dst) = &rule.dst {
        words.push(format!("to {}", bare(dst)));
    }
    if rule.tos != 0 {
        words.push(format!("tos {:#04x}", rule.tos));
    }
    match rule.fwmark {
        Some((value, u32::MAX)) => words.push(format!("fwmark {value:#x}")),
        Some((value, mask)) => words.push(format!("fwmark {value:#x}/{mask:#x}")),
        None => {}
    }
    for (name, device) in [("iif", &rule.iif), ("oif", &rule.oif)] {
        if let Some(device) = device {
            words.push(format!("{name} {}", sh::word(device)));
        }
    }
    if let Some((low, high)) = rule.uid_range {
        words.push(format!("uidrange {low}-{high}"));
    }
    if let Some(proto) = rule.ip_proto {
        words.push(format!("ipproto {}", ip_proto(proto)));
    }
    for (name, range) in [("sport", rule.sport), ("dport", rule.dport)] {
        match range {
            Some((low, high)) if low == high => words.push(format!("{name} {low}")),
            Some((low, high)) => words.push(format!("{name} {low}-{high}")),
            None => {}
        }
    }
    if let Some(id) = rule.tun_id {
        words.push(format!("tun_id {id}"));
    }
    words.join(" ")
}

fn ip_proto(number: u8) -> String {
    match number {
        1 => "icmp".into(),
        6 => "tcp".into(),
        17 => "udp".into(),
        58 => "ipv6-icmp".into(),
        other => other.to_string(),
    }
}

/// The action with what belongs to it.
fn action(rule: &Rule) -> Option<String> {
    let mut words = match rule.action {
        RuleAction::Lookup(_) if rule.l3mdev => "l3mdev".to_owned(),
        RuleAction::Lookup(table) => format!("lookup {table}"),
        RuleAction::Goto { preference, .. } => format!("goto {preference}"),
        RuleAction::Nop => "nop".to_owned(),
        RuleAction::Blackhole => "blackhole".to_owned(),
        RuleAction::Unreachable => "unreachable".to_owned(),
        RuleAction::Prohibit => "prohibit".to_owned(),
        RuleAction::Other(_) => return None,
    };
    if let Some(len) = rule.suppress_prefix_len {
        let _ = write!(words, " suppress_prefixlength {len}");
    }
    if let Some(group) = rule.suppress_if_group {
        let _ = write!(words, " suppress_ifgroup {group}");
    }
    if rule.protocol != 0 {
        let _ = write!(words, " protocol {}", rule.protocol);
    }
    Some(words)
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

impl fmt::Display for SysctlKey {
    /// Names with dots (ib0.8001) need the slash form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let family = match self.family {
            Family::Inet => "ipv4",
            Family::Inet6 => "ipv6",
        };
        let by = if self.interface.contains('.') { '/' } else { '.' };
        write!(f, "net{by}{family}{by}conf{by}{}{by}{}", self.interface, self.name)
    }
}
