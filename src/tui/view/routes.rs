//! Policy routing as the kernel goes through it: rules in order, then the tables they lead to.

use super::paint::{pad, scrolled};
use super::{Context, Extent};
use crate::node::Node;
use crate::sample::{NextHop, Prefix, Reading, Route, RouteKind, Rule, RuleAction};
use crate::tui::theme::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use std::collections::BTreeMap;

/// RT_TABLE_LOCAL of linux/rtnetlink.h: the kernel's own, one entry per address.
const TABLE_LOCAL: u32 = 255;

/// Draws the screen.
pub(crate) fn draw(buffer: &mut Buffer, area: Rect, context: &Context<'_>, node: &Node) -> Extent {
    let routing = &node.routing;
    let families =
        [("IPV4", &routing.rules4, &routing.routes4), ("IPV6", &routing.rules6, &routing.routes6)];
    let page = Page { context, node };
    let mut lines = Vec::new();
    for (name, rules, routes) in families {
        let left = page.rules(name, rules);
        let right = page.routes(name, routes);
        // Side by side where both fit, else one below the other.
        if area.width >= 130 {
            lines.extend(beside(left, right));
        } else {
            lines.extend(left);
            lines.push(Line::default());
            lines.extend(right);
        }
        lines.push(Line::default());
    }
    scrolled(buffer, area, &lines, context)
}

fn beside(left: Vec<Line<'static>>, right: Vec<Line<'static>>) -> Vec<Line<'static>> {
    let gap = left.iter().map(Line::width).max().unwrap_or(0).min(56) + 3;
    let rows = left.len().max(right.len());
    let (mut left, mut right) = (left.into_iter(), right.into_iter());
    (0..rows)
        .map(|_| {
            let mut line = left.next().unwrap_or_default();
            let used = line.width();
            line.spans.push(Span::raw(" ".repeat(gap.saturating_sub(used).max(2))));
            line.spans.extend(right.next().unwrap_or_default().spans);
            line
        })
        .collect()
}

struct Page<'a> {
    context: &'a Context<'a>,
    node: &'a Node,
}

impl Page<'_> {
    fn heading(&self, words: String) -> Line<'static> {
        Line::styled(words, self.context.style(Role::Dim))
    }

    fn unknown(why: &crate::sample::Unknown) -> Line<'static> {
        Line::raw(crate::tui::format::why_not(why))
    }

    fn rules(&self, family: &str, rules: &Reading<Vec<Rule>>) -> Vec<Line<'static>> {
        let mut lines = vec![self.heading(format!("{family} RULES, in order"))];
        match rules {
            Err(why) => lines.push(Self::unknown(why)),
            Ok(rules) => lines.extend(
                rules
                    .iter()
                    .map(|rule| self.rule_words(rule))
                    .filter(|words| self.context.passes(words))
                    .map(Line::raw),
            ),
        }
        lines
    }

    fn table_name(&self, table: u32) -> String {
        let known = self.node.routing.table_names.iter().find(|(id, _)| *id == table);
        match (known, table) {
            (Some((_, name)), _) => name.to_string(),
            // rt_tables(5): the reserved ones, where no file names them.
            (None, 253) => "default".to_owned(),
            (None, 254) => "main".to_owned(),
            (None, TABLE_LOCAL) => "local".to_owned(),
            (None, n) => n.to_string(),
        }
    }

    fn rule_words(&self, rule: &Rule) -> String {
        let mut words = vec![format!("{:>5}", rule.preference)];
        if rule.invert {
            words.push("not".to_owned());
        }
        words.push(match &rule.src {
            Some(src) => format!("from {}", short(src)),
            None => "all".to_owned(),
        });
        let selectors = [
            rule.dst.as_ref().map(|p| format!("to {}", short(p))),
            rule.iif.as_ref().map(|n| format!("iif {n}{}", gone(rule.iif_detached))),
            rule.oif.as_ref().map(|n| format!("oif {n}{}", gone(rule.oif_detached))),
            rule.fwmark.map(|(mark, mask)| format!("fwmark {mark:#x}/{mask:#x}")),
            (rule.tos != 0).then(|| format!("tos {:#x}", rule.tos)),
            rule.ip_proto.map(|p| format!("ipproto {p}")),
            rule.sport.map(|(a, b)| format!("sport {a}-{b}")),
            rule.dport.map(|(a, b)| format!("dport {a}-{b}")),
            rule.uid_range.map(|(a, b)| format!("uidrange {a}-{b}")),
            rule.tun_id.map(|id| format!("tun_id {id}")),
            rule.suppress_prefix_len.map(|n| format!("suppress_prefixlength {n}")),
            rule.suppress_if_group.map(|n| format!("suppress_ifgroup {n}")),
        ];
        words.extend(selectors.into_iter().flatten());
        words.extend(rule.unknown.iter().map(|attribute| format!("[{attribute}?]")));
        words.push(self.action_words(rule));
        words.join(" ")
    }

    fn action_words(&self, rule: &Rule) -> String {
        match &rule.action {
            RuleAction::Lookup(_) if rule.l3mdev => "→ the VRF's table".to_owned(),
            RuleAction::Lookup(table) => format!("→ {}", self.table_name(*table)),
            RuleAction::Goto { preference, resolved: true } => format!("goto {preference}"),
            RuleAction::Goto { preference, .. } => format!("goto {preference} (no such rule)"),
            RuleAction::Nop => "nop".to_owned(),
            RuleAction::Blackhole => "blackhole".to_owned(),
            RuleAction::Unreachable => "unreachable".to_owned(),
            RuleAction::Prohibit => "prohibit".to_owned(),
            RuleAction::Other(n) => format!("action {n}"),
        }
    }

    fn routes(&self, family: &str, routes: &Reading<Vec<Route>>) -> Vec<Line<'static>> {
        let routes = match routes {
            Ok(routes) => routes,
            Err(why) => {
                return vec![self.heading(format!("{family} ROUTES")), Self::unknown(why)];
            }
        };
        // Within a table the kernel's order is kept: it decides among equals.
        let mut tables: BTreeMap<u32, Vec<&Route>> = BTreeMap::new();
        for route in routes.iter().filter(|r| !r.cloned) {
            tables.entry(route.table).or_default().push(route);
        }
        let own = tables.remove(&TABLE_LOCAL).map_or(0, |routes| routes.len());
        let mut lines = Vec::new();
        for (table, routes) in tables {
            let name = self.table_name(table);
            let id = if name == table.to_string() { String::new() } else { format!(" {name}") };
            lines.push(self.heading(format!("{family} TABLE {table}{id}")));
            for route in routes {
                let words = self.route_words(route);
                if self.context.passes(&words) {
                    let dead = route.next_hops.iter().any(|h| h.flags.dead || h.flags.linkdown);
                    let verdict = crate::check::Verdict::Warning;
                    let role = if dead { Role::Verdict(verdict) } else { Role::Plain };
                    lines.push(Line::styled(words, self.context.style(role)));
                }
            }
        }
        if own > 0 {
            lines.push(self.heading(format!("{family} TABLE 255 local: {own} routes of its own")));
        }
        lines
    }

    fn route_words(&self, route: &Route) -> String {
        let destination = if route.dst.len == 0 { "default".to_owned() } else { short(&route.dst) };
        let kind = kind_word(route.kind);
        let mut words = vec![pad(&format!("{kind}{destination}"), 18)];
        if let Some(src) = &route.src {
            words.push(format!("from {}", short(src)));
        }
        words.extend(
            route.next_hops.iter().map(|hop| self.hop_words(hop, route.next_hops.len() > 1)),
        );
        if let Some(id) = route.nexthop_id {
            words.push(format!("nhid {id}"));
        }
        if let Some(src) = route.prefsrc {
            words.push(format!("src {src}"));
        }
        if route.metric != 0 {
            words.push(format!("metric {}", route.metric));
        }
        if let Some(mtu) = route.mtu {
            words.push(format!("mtu {}{mtu}", if route.mtu_locked { "lock " } else { "" }));
        }
        words.join(" ")
    }

    fn hop_words(&self, hop: &NextHop, several: bool) -> String {
        let mut words = Vec::new();
        if let Some(gateway) = hop.gateway {
            words.push(format!("via {gateway}"));
        }
        if let Some(index) = hop.ifindex {
            words.push(format!("dev {}", self.link_name(index)));
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

    fn link_name(&self, index: u32) -> String {
        let link = self.node.links.as_ref().ok().and_then(|l| l.iter().find(|l| l.index == index));
        link.map_or(format!("if{index}"), |link| link.name.to_string())
    }
}

fn gone(detached: bool) -> &'static str {
    if detached { " (no such interface)" } else { "" }
}

/// A prefix; a single host without its length.
fn short(prefix: &Prefix) -> String {
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
