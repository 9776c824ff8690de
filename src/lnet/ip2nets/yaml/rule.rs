//! A rule of an `ip2nets:` section as the tool sees it, and the devices that it matches.

use crate::lnet::config::conf;
use crate::lnet::config::tree::{Pairs, Tree};
use crate::lnet::ip2nets::expr::{List, Match, Numbers, Pattern};
use crate::lnet::ip2nets::host::{Host, Interface};
use crate::lnet::ip2nets::{Context, YamlRules};
use crate::sample::Prefix;
use std::fmt::Write;
use std::net::IpAddr;

/// A rule as the tool sees it.
pub(super) struct Seen {
    pub(super) spec: Option<String>,
    pub(super) devices: Vec<String>,
    pub(super) ranges: Vec<String>,
    /// `ip-range` stands there, but holds nothing that the tool takes.
    pub(super) flat_range: bool,
    pub(super) flat_devices: bool,
    /// Keys that are not its own, with the rule that they are from.
    pub(super) leaked: Vec<(&'static str, usize)>,
}

impl Seen {
    pub(super) fn text(&self) -> String {
        let mut text = self.spec.clone().unwrap_or_else(|| "no net-spec".into());
        for (what, items) in [("interfaces", &self.devices), ("ip-range", &self.ranges)] {
            if !items.is_empty() {
                let _ = write!(text, ", {what} {}", items.join(" "));
            }
        }
        text
    }

    pub(super) fn of(mut get: impl FnMut(&'static str) -> Option<(Tree, Option<usize>)>) -> Self {
        let mut leaked = Vec::new();
        let mut take = |key| {
            let (tree, from) = get(key)?;
            leaked.extend(from.map(|from| (key, from)));
            Some(tree)
        };
        let spec = take("net-spec").and_then(|t| t.scalar());
        let devices = take("interfaces");
        let ranges = take("ip-range");
        let flat = |t: &Option<Tree>| t.as_ref().is_some_and(|t| t.scalar().is_some());
        let own = |t: &Option<Tree>| match t {
            Some(t @ (Tree::Map(_) | Tree::List(_))) => t.values(),
            _ => Vec::new(),
        };
        Self {
            spec,
            flat_range: flat(&ranges),
            flat_devices: flat(&devices),
            devices: own(&devices),
            ranges: own(&ranges),
            leaked,
        }
    }
}

/// `cYAML_get_object_item`: depth first, and on into the items that follow.
pub(super) fn leaky(items: &[Tree], from: usize, key: &str) -> Option<(Tree, usize)> {
    fn within<'t>(tree: &'t Tree, key: &str) -> Option<&'t Tree> {
        match tree {
            Tree::Map(Pairs(pairs)) => {
                pairs.iter().find_map(|(k, v)| if k == key { Some(v) } else { within(v, key) })
            }
            Tree::List(items) => items.iter().find_map(|item| within(item, key)),
            _ => None,
        }
    }
    let mut behind = items.iter().enumerate().skip(from);
    behind.find_map(|(at, item)| Some((within(item, key)?.clone(), at)))
}

/// One pattern of an `ip-range`.
pub(super) enum Range {
    Octets(Pattern),
    Prefix(Prefix),
}

impl Range {
    fn parse(text: &str, context: &Context) -> Option<Self> {
        if context.version.yaml() == YamlRules::Events
            && (text.contains(':') || text.split('[').next().is_some_and(|t| t.contains('/')))
        {
            let (address, len) = match text.split_once('/') {
                Some((address, len)) => (address, Some(len.parse::<u8>().ok()?)),
                None => (text, None),
            };
            let addr: IpAddr = address.trim().parse().ok()?;
            let most = if addr.is_ipv4() { 32 } else { 128 };
            let len = len.unwrap_or(most);
            return (1..=most).contains(&len).then_some(Range::Prefix(Prefix { addr, len }));
        }
        Pattern::parse_with(text.as_bytes(), Numbers::Libc, false).ok().map(Range::Octets)
    }

    fn matches(&self, address: IpAddr) -> Match {
        match (self, address) {
            (Range::Octets(pattern), IpAddr::V4(address)) => pattern.matches(address),
            (Range::Prefix(prefix), address) if prefix.contains(address) => Match::Yes,
            _ => Match::No,
        }
    }

    pub(super) fn may_crash(&self) -> bool {
        match self {
            Range::Octets(pattern) => pattern.octets().iter().any(List::may_crash),
            Range::Prefix(_) => false,
        }
    }
}

/// An address as `getifaddrs()` gives it.
#[derive(Clone, Copy)]
pub(super) struct Listed<'a> {
    pub(super) name: &'a str,
    pub(super) address: IpAddr,
    pub(super) interface: &'a Interface,
}

/// All addresses: IPv4 first, IPv6 where the version looks at it. The loopback is among them.
fn listed<'h>(host: &'h Host, context: &Context) -> Vec<Listed<'h>> {
    let all = |v4: bool| {
        host.interfaces.iter().flat_map(move |interface| {
            let own = interface.addresses.iter().filter(move |a| a.address.is_ipv4() == v4);
            own.map(move |a| Listed { name: &a.label, address: a.address, interface })
        })
    };
    let v6 = context.version.yaml() == YamlRules::Events;
    all(true).chain(all(false).filter(|_| v6)).collect()
}

/// The tool is killed: it divides by zero itself.
pub(super) const KILLED: &str = "a step of 0 divides by zero: lnetctl is killed there (SIGFPE)";

/// Tests ranges in order; the first that matches.
fn first_match(ranges: &[(String, Range)], address: IpAddr) -> Result<Option<&str>, &'static str> {
    for (text, range) in ranges {
        match range.matches(address) {
            Match::Yes => return Ok(Some(text)),
            Match::No => {}
            Match::Crash => return Err(KILLED),
        }
    }
    Ok(None)
}

/// What a rule asks the kernel to add, by version 2.15 and before.
pub(super) struct Asked<'a> {
    pub(super) devices: Vec<Listed<'a>>,
    pub(super) pattern: Option<String>,
    pub(super) dropped: Vec<String>,
}

pub(super) fn ask<'a>(
    seen: &Seen,
    ranges: &[(String, Range)],
    host: &'a Host,
    context: &Context,
) -> Result<Asked<'a>, &'static str> {
    let all = listed(host, context);
    let up = || all.iter().filter(|a| a.interface.up);
    let mut asked = Asked { devices: Vec::new(), pattern: None, dropped: Vec::new() };
    if seen.devices.is_empty() && ranges.is_empty() {
        let first = up().find(|a| a.address.is_ipv4() && a.name != "lo");
        asked.devices.extend(first);
    } else if seen.devices.is_empty() {
        for listed in up() {
            for (text, range) in ranges {
                match range.matches(listed.address) {
                    // Once for each range: a device comes twice where two ranges match.
                    Match::Yes => {
                        asked.devices.push(*listed);
                        asked.pattern.get_or_insert_with(|| text.clone());
                    }
                    Match::No => {}
                    Match::Crash => return Err(KILLED),
                }
            }
        }
    } else {
        for device in &seen.devices {
            let name = conf::without_cpts(device);
            // The first address that has the name; its other addresses do not count.
            let found = all.iter().find(|a| a.name == name && a.address.is_ipv4());
            let Some(listed) = found.filter(|a| a.interface.up) else {
                asked.dropped.push(host.why_not(name));
                continue;
            };
            match first_match(ranges, listed.address)? {
                None if !ranges.is_empty() => {
                    let address = listed.address;
                    asked.dropped.push(format!("{name} has {address}, which no range matches"));
                }
                text => {
                    asked.devices.push(*listed);
                    asked.pattern = asked.pattern.take().or_else(|| text.map(str::to_owned));
                }
            }
        }
    }
    Ok(asked)
}

/// Reads the ranges; the first that is none.
pub(super) fn ranges(seen: &Seen, context: &Context) -> Result<Vec<(String, Range)>, String> {
    let read = |text: &String| match Range::parse(text, context) {
        Some(range) => Ok((text.clone(), range)),
        None => Err(text.clone()),
    };
    seen.ranges.iter().map(read).collect()
}
