//! What changed in the routing: a few lines, then a count.

use super::EventKind;
use super::events::Log;
use crate::sample::{
    Address, Link, NextHop, NextHopFlags, Reading, Route, RouteKind, Routing, Rule, RuleAction,
    Text,
};
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

/// Lines per change.
const SHOWN: usize = 5;
/// Lists that differ in more than this are only counted.
const COMPARED: usize = 256;

/// Names of interfaces by index, also of those that went: their addresses and routes go last.
#[derive(Clone, Debug, Default)]
pub(super) struct LinkNames(HashMap<u32, Text>);

impl LinkNames {
    /// A node that makes interfaces all day must not fill the memory.
    const MOST: usize = 4096;

    /// Takes over a list of links.
    pub(super) fn learn(&mut self, links: &Reading<Arc<Vec<Link>>>) {
        if self.0.len() > Self::MOST {
            self.0.clear();
        }
        for link in links.iter().flat_map(|l| l.iter()) {
            if self.0.get(&link.index) != Some(&link.name) {
                self.0.insert(link.index, link.name.clone());
            }
        }
    }
}

/// Compares two dumps.
pub(super) fn compare(old: &Routing, new: &Routing, links: &LinkNames, log: &mut Log) {
    let names = Names { links, new };
    let mut found = Vec::new();
    if let (Ok(a), Ok(b)) = (&old.addresses, &new.addresses) {
        let same = |a: &Address, b: &Address| (a.ifindex, a.local) == (b.ifindex, b.local);
        differences(a, b, same, "addresses", &mut found, |x| {
            Some(format!("address {} on {}", x.local, names.link(Some(x.ifindex))))
        });
    }
    for (a, b) in [(&old.rules4, &new.rules4), (&old.rules6, &new.rules6)] {
        if let (Ok(a), Ok(b)) = (a, b) {
            differences(a, b, |a, b| a == b, "rules", &mut found, |r| Some(names.rule(r)));
        }
    }
    for (a, b) in [(&old.routes4, &new.routes4), (&old.routes6, &new.routes6)] {
        if let (Ok(a), Ok(b)) = (a, b) {
            routes(a, b, &names, &mut found);
        }
    }
    let more = found.len().saturating_sub(SHOWN);
    let subject = Text::new("routing");
    if more > 0 {
        log.add(EventKind::Routing, &subject, format!("+{more} more changes"));
    }
    // The log is read from its newest line on: the first line comes last.
    for line in found.into_iter().take(SHOWN).rev() {
        log.add(EventKind::Routing, &subject, line);
    }
}

fn routes(old: &[Route], new: &[Route], names: &Names<'_>, found: &mut Vec<String>) {
    let (gone, added) = middle(old, new, same_route);
    if gone.len().max(added.len()) > COMPARED {
        found.push(format!("routes: {} before, {} now", old.len(), new.len()));
        return;
    }
    let mut added: Vec<&Route> = added.iter().collect();
    for route in gone {
        if let Some(at) = added.iter().position(|r| same_route(route, r)) {
            added.remove(at);
            continue;
        }
        let twin = added.iter().position(|r| same_but_flags(route, r));
        let twin = twin.map(|at| added.remove(at));
        if is_quiet(route) {
            continue;
        }
        let table = names.table(route.table);
        found.push(match twin {
            Some(now) => format!("{} in table {table}: {}", names.route(route), flags(now)),
            None => format!("{} gone from table {table}", names.route(route)),
        });
    }
    for route in added.into_iter().filter(|r| !is_quiet(r)) {
        let table = names.table(route.table);
        found.push(format!("{} added to table {table}", names.route(route)));
    }
}

/// Routes that come and go with an address or by themselves.
fn is_quiet(route: &Route) -> bool {
    use RouteKind::{Anycast, Broadcast, Local, Multicast};
    route.cloned || matches!(route.kind, Local | Broadcast | Anycast | Multicast)
}

/// Equal in what is configured; the time left of a route is no change.
fn same_route(a: &Route, b: &Route) -> bool {
    same_head(a, b) && a.next_hops == b.next_hops
}

fn same_head(a: &Route, b: &Route) -> bool {
    (a.table, a.dst, a.src, a.kind, a.tos, a.metric, a.scope, a.protocol, a.prefsrc)
        == (b.table, b.dst, b.src, b.kind, b.tos, b.metric, b.scope, b.protocol, b.prefsrc)
        && (a.nexthop_id, a.mtu, a.mtu_locked, a.cloned, a.pref)
            == (b.nexthop_id, b.mtu, b.mtu_locked, b.cloned, b.pref)
}

fn same_but_flags(a: &Route, b: &Route) -> bool {
    let bare = |h: &NextHop| NextHop { flags: NextHopFlags::default(), ..h.clone() };
    same_head(a, b)
        && a.next_hops.len() == b.next_hops.len()
        && a.next_hops.iter().zip(&b.next_hops).all(|(a, b)| bare(a) == bare(b))
}

fn flags(route: &Route) -> String {
    let any = |test: fn(&NextHop) -> bool| route.next_hops.iter().any(test);
    match (any(|h| h.flags.dead), any(|h| h.flags.linkdown)) {
        (true, true) => "dead, linkdown".to_owned(),
        (true, false) => "dead".to_owned(),
        (false, true) => "linkdown".to_owned(),
        (false, false) => "usable again".to_owned(),
    }
}

fn differences<T>(
    old: &[T],
    new: &[T],
    same: impl Fn(&T, &T) -> bool + Copy,
    what: &str,
    found: &mut Vec<String>,
    words: impl Fn(&T) -> Option<String>,
) {
    let (gone, added) = middle(old, new, same);
    if gone.len().max(added.len()) > COMPARED {
        found.push(format!("{what}: {} before, {} now", old.len(), new.len()));
        return;
    }
    let is_in = |list: &[T], x: &T| list.iter().any(|y| same(x, y));
    let lost = gone.iter().filter(|x| !is_in(added, x)).filter_map(&words);
    found.extend(lost.map(|w| format!("{w} gone")));
    let won = added.iter().filter(|x| !is_in(gone, x)).filter_map(&words);
    found.extend(won.map(|w| format!("{w} added")));
}

/// What is left of two lists without their common beginning and end.
fn middle<'a, T>(old: &'a [T], new: &'a [T], same: impl Fn(&T, &T) -> bool) -> (&'a [T], &'a [T]) {
    let head = old.iter().zip(new).take_while(|(a, b)| same(a, b)).count();
    let (old, new) = (old.get(head..).unwrap_or_default(), new.get(head..).unwrap_or_default());
    let tail = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| same(a, b)).count();
    let cut = |list: &'a [T]| list.get(..list.len() - tail).unwrap_or_default();
    (cut(old), cut(new))
}

/// Names of links and tables.
struct Names<'a> {
    links: &'a LinkNames,
    new: &'a Routing,
}

impl Names<'_> {
    fn link(&self, index: Option<u32>) -> String {
        let Some(index) = index else { return String::new() };
        self.links.0.get(&index).map_or_else(|| format!("if{index}"), ToString::to_string)
    }

    fn table(&self, id: u32) -> String {
        match id {
            253 => "default".to_owned(),
            254 => "main".to_owned(),
            255 => "local".to_owned(),
            _ => {
                let name = self.new.table_names.iter().find(|(n, _)| *n == id);
                name.map_or_else(|| id.to_string(), |(_, name)| name.to_string())
            }
        }
    }

    fn route(&self, route: &Route) -> String {
        let dst = if route.dst.len == 0 { "default".to_owned() } else { route.dst.to_string() };
        let mut words = format!("route {dst}");
        for hop in &route.next_hops {
            if let Some(gateway) = hop.gateway {
                let _ = write!(words, " via {gateway}");
            }
            if hop.ifindex.is_some() {
                let _ = write!(words, " dev {}", self.link(hop.ifindex));
            }
        }
        words
    }

    fn rule(&self, rule: &Rule) -> String {
        let mut words = format!("rule {}", rule.preference);
        if rule.invert {
            words.push_str(" not");
        }
        if let Some(src) = rule.src {
            let _ = write!(words, " from {src}");
        }
        if let Some(dst) = rule.dst {
            let _ = write!(words, " to {dst}");
        }
        for (key, name) in [("iif", &rule.iif), ("oif", &rule.oif)] {
            if let Some(name) = name {
                let _ = write!(words, " {key} {name}");
            }
        }
        let action = match &rule.action {
            RuleAction::Lookup(table) => format!("lookup {}", self.table(*table)),
            RuleAction::Goto { preference, .. } => format!("goto {preference}"),
            RuleAction::Nop => "nop".to_owned(),
            RuleAction::Blackhole => "blackhole".to_owned(),
            RuleAction::Unreachable => "unreachable".to_owned(),
            RuleAction::Prohibit => "prohibit".to_owned(),
            RuleAction::Other(number) => format!("action {number}"),
        };
        format!("{words} {action}")
    }
}
