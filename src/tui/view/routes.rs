//! Policy routing as the kernel goes through it: rules in order, then the tables they lead to.

use super::paint::{beside, cells, pad, scrolled};
use super::route_matrix;
use super::route_words::{gone, hop_words, protocol, route_words, short};
use super::{Context, Extent};
use crate::check::{Assessment, Verdict};
use crate::node::Node;
use crate::sample::{Family, Reading, Route, RouteKind, Rule, RuleAction};
use crate::tui::format;
use crate::tui::paths::{Lines, Told};
use crate::tui::theme::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// RT_TABLE_* of linux/rtnetlink.h.
const TABLE_DEFAULT: u32 = 253;
const TABLE_MAIN: u32 = 254;
/// The kernel's own, some entries per address.
const TABLE_LOCAL: u32 = 255;

/// From this width on rules and tables stand side by side.
const WIDE: u16 = 130;
const WIDEST_RULES: usize = 56;

/// Draws the screen.
pub(crate) fn draw(
    buffer: &mut Buffer,
    area: Rect,
    context: &Context<'_>,
    node: &Node,
    assessment: &Assessment,
) -> Extent {
    let routing = &node.routing;
    let families = [
        (Family::Inet, &routing.rules4, &routing.routes4),
        (Family::Inet6, &routing.rules6, &routing.routes6),
    ];
    let page = Page { context, node, assessment };
    let mut lines = route_matrix::lines(context, area);
    for (family, rules, routes) in families {
        let told = context.paths.lines(family == Family::Inet);
        let left = page.rules(family, rules, told);
        let right = page.tables(family, rules, routes, told);
        // Side by side where both fit, else one below the other.
        if area.width >= WIDE {
            let column = left.iter().map(Line::width).max().unwrap_or(0).min(WIDEST_RULES) + 4;
            lines.extend(beside(left, right, column));
        } else {
            lines.extend(left);
            lines.push(Line::default());
            lines.extend(right);
        }
        lines.push(Line::default());
    }
    scrolled(buffer, area, &lines, context)
}

struct Page<'a> {
    context: &'a Context<'a>,
    node: &'a Node,
    assessment: &'a Assessment,
}

impl Page<'_> {
    fn dim(&self, words: String) -> Line<'static> {
        Line::styled(words, self.context.style(Role::Dim))
    }

    /// Behind a line: is it new, and which finding is about it, if it can be to blame at all?
    fn marks(&self, family: Family, told: Option<&Told>, blamed: bool) -> Vec<Span<'static>> {
        let Some(told) = told else { return Vec::new() };
        let mut spans = Vec::new();
        if told.is_fresh(self.node.time.mono) {
            spans.push(Span::styled("  +", self.context.style(Role::Title)));
        }
        let about = |f: &&crate::check::Finding| {
            f.evidence.contains(&told.text) && f.family().is_none_or(|of| of == family)
        };
        if let Some(finding) = self.assessment.findings.iter().filter(|_| blamed).find(about) {
            let style = self.context.style(Role::Verdict(finding.severity.into()));
            spans.push(Span::styled(format!("  ◀ {}", finding.id), style));
        }
        spans
    }

    /// A line that is new is bold.
    fn weight(&self, told: Option<&Told>) -> Style {
        let fresh = told.is_some_and(|t| t.is_fresh(self.node.time.mono));
        self.context.style(if fresh { Role::Title } else { Role::Plain })
    }

    fn table_name(&self, table: u32) -> String {
        let known = self.node.routing.table_names.iter().find(|(id, _)| *id == table);
        match (known, table) {
            (Some((_, name)), _) => name.to_string(),
            // rt_tables(5): the reserved ones, where no file names them.
            (None, TABLE_DEFAULT) => "default".to_owned(),
            (None, TABLE_MAIN) => "main".to_owned(),
            (None, TABLE_LOCAL) => "local".to_owned(),
            (None, n) => n.to_string(),
        }
    }

    /// `941 ib0`; a table without a name is its number.
    fn table_words(&self, table: u32) -> String {
        let name = self.table_name(table);
        if name == table.to_string() { name } else { format!("{table} {name}") }
    }

    /// The rules in the order in which the kernel asks them, and who made each.
    fn rules(
        &self,
        family: Family,
        rules: &Reading<Vec<Rule>>,
        told_lines: &Lines,
    ) -> Vec<Line<'static>> {
        let rules = match rules {
            Ok(rules) => rules,
            Err(why) => {
                return vec![
                    self.dim(format!("{} RULES", word(family))),
                    Line::raw(format::why_not(why)),
                ];
            }
        };
        let told: Vec<(String, &Rule, Option<&Told>)> = rules
            .iter()
            .enumerate()
            .map(|(n, rule)| (self.rule_words(rule), rule, told_lines.rules.get(n)))
            .filter(|(words, rule, _)| {
                self.context.passes(words) || self.context.passes(&made_by(rule))
            })
            .collect();
        let heading = format!("{} RULES, in order", word(family));
        let width = told.iter().map(|(words, ..)| cells(words)).max().unwrap_or(0);
        let width = width.max(cells(&heading)).min(WIDEST_RULES);
        let mut lines = vec![self.dim(format!("{}  MADE BY", pad(&heading, width)))];
        lines.extend(told.into_iter().map(|(words, rule, told)| {
            let mut spans = vec![
                Span::styled(format!("{}  ", pad(&words, width)), self.weight(told)),
                Span::styled(made_by(rule), self.context.style(Role::Dim)),
            ];
            // That packets end up at the kernel's own rules shows a fault, and is none.
            spans.extend(self.marks(family, told, !is_builtin(rule)));
            Line::from(spans)
        }));
        lines.extend(self.gone(&told_lines.gone_rules));
        lines
    }

    /// Lines that went just now, for some seconds.
    fn gone<'s>(&'s self, told: &'s [Told]) -> impl Iterator<Item = Line<'static>> + 's {
        let fresh = told.iter().filter(|told| told.is_fresh(self.node.time.mono));
        fresh.filter(|told| self.context.passes(&told.text)).map(|told| {
            let words = told.text.replace('\t', " ");
            let style = self.context.style(Role::Verdict(Verdict::Warning));
            Line::from(vec![
                Span::styled(format!("    − {words}"), style),
                Span::styled("  gone", self.context.style(Role::Dim)),
            ])
        })
    }

    fn rule_words(&self, rule: &Rule) -> String {
        let mut words = vec![format!("{:>5}", rule.preference)];
        if rule.invert {
            words.push("not".to_owned());
        }
        words.push(match &rule.src {
            Some(src) => format!("from {}", short(src)),
            None => "from all".to_owned(),
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
            RuleAction::Lookup(table) => format!("→ {}", self.table_words(*table)),
            RuleAction::Goto { preference, resolved: true } => format!("goto {preference}"),
            RuleAction::Goto { preference, .. } => format!("goto {preference} (no such rule)"),
            RuleAction::Nop => "nop".to_owned(),
            RuleAction::Blackhole => "blackhole".to_owned(),
            RuleAction::Unreachable => "unreachable".to_owned(),
            RuleAction::Prohibit => "prohibit".to_owned(),
            RuleAction::Other(n) => format!("action {n}"),
        }
    }

    /// The tables in the order in which the rules lead to them; those no rule names behind them,
    /// the kernel's own entries as a number.
    fn tables(
        &self,
        family: Family,
        rules: &Reading<Vec<Rule>>,
        routes: &Reading<Vec<Route>>,
        told: &Lines,
    ) -> Vec<Line<'static>> {
        let routes = match routes {
            Ok(routes) => routes,
            Err(why) => {
                return vec![
                    self.dim(format!("{} TABLES", word(family))),
                    Line::raw(format::why_not(why)),
                ];
            }
        };
        let mut lines = vec![self.dim(format!(
            "{}{}ROUTE, the first of equals is taken",
            pad(&format!("{} TABLE", word(family)), TABLE),
            pad("TO", TO)
        ))];
        let mut quiet = Quiet::default();
        for table in order(rules.as_deref().unwrap_or_default(), routes) {
            let own = routes.iter().enumerate().filter(|(_, r)| r.table == table && !r.cloned);
            let mut name = self.table_words(table);
            let mut empty = !matches!(table, TABLE_DEFAULT | TABLE_LOCAL);
            for (n, route) in own {
                empty = false;
                if quiet.takes(route, self.node) {
                    continue;
                }
                let words = route_words(route, self.node);
                if !self.context.passes(&words) && !self.context.passes(&name) {
                    continue;
                }
                let told = told.routes.get(n);
                lines.push(self.route(&std::mem::take(&mut name), route, words, told));
            }
            if empty && self.context.passes(&name) {
                lines.push(self.dim(format!("{}  no route", pad(&name, TABLE - 2))));
            }
        }
        lines.extend(self.gone(&told.gone_routes));
        if let Some(words) = quiet.words() {
            lines.push(self.dim(words));
        }
        lines
    }

    fn route(
        &self,
        table: &str,
        route: &Route,
        words: String,
        told: Option<&Told>,
    ) -> Line<'static> {
        let dead = route.next_hops.iter().any(|h| h.flags.dead || h.flags.linkdown);
        let role = if dead { Role::Verdict(Verdict::Warning) } else { Role::Plain };
        let dim = self.context.style(Role::Dim);
        // A long name (an IPv6 prefix) moves what follows it on its own line, and only there.
        let table = if cells(table) + 2 > TABLE { format!("{table}  ") } else { pad(table, TABLE) };
        let mut spans = vec![
            Span::styled(table, dim),
            Span::styled(words, self.weight(told).patch(self.context.style(role))),
        ];
        // What is wrong matters more than who made it where both do not fit.
        spans.extend(self.marks(route.dst.family(), told, true));
        spans.push(Span::styled(format!("  {}", protocol(route.protocol)), dim));
        Line::from(spans)
    }
}

/// Kernels before 4.17 say of no rule who made it; three they make themselves.
fn made_by(rule: &Rule) -> String {
    if is_builtin(rule) { protocol(KERNEL) } else { protocol(rule.protocol) }
}

fn is_builtin(rule: &Rule) -> bool {
    let builtin = [(0, TABLE_LOCAL), (32766, TABLE_MAIN), (32767, TABLE_DEFAULT)];
    let kernel = |at, table| Rule { protocol: rule.protocol, ..Rule::lookup(at, table) };
    let known = matches!(rule.protocol, 0 | KERNEL);
    known && builtin.into_iter().any(|(at, table)| *rule == kernel(at, table))
}

fn word(family: Family) -> &'static str {
    match family {
        Family::Inet => "IPV4",
        Family::Inet6 => "IPV6",
    }
}

/// Cells of the name of a table.
const TABLE: usize = 12;
/// Cells of a destination.
pub(super) const TO: usize = 19;

/// The tables that have routes: as the rules lead to them, then the rest by number.
fn order(rules: &[Rule], routes: &[Route]) -> Vec<u32> {
    let mut tables: Vec<u32> = rules
        .iter()
        .filter_map(|rule| match rule.action {
            RuleAction::Lookup(table) => Some(table),
            _ => None,
        })
        .collect();
    let mut rest: Vec<u32> = routes.iter().map(|r| r.table).collect();
    rest.sort_unstable();
    tables.extend(rest);
    let mut seen = std::collections::BTreeSet::new();
    tables.retain(|table| seen.insert(*table));
    tables
}

/// What the kernel makes by itself for every address, counted instead of listed.
#[derive(Default)]
struct Quiet {
    own: usize,
    link_local: Vec<String>,
}

impl Quiet {
    fn takes(&mut self, route: &Route, node: &Node) -> bool {
        let dead = route.next_hops.iter().any(|h| h.flags.dead || h.flags.linkdown);
        let by_itself = matches!(
            route.kind,
            RouteKind::Local | RouteKind::Broadcast | RouteKind::Anycast | RouteKind::Multicast
        );
        let loopback = route.dst.addr.is_loopback();
        // A local route that somebody added elsewhere is no matter of course.
        if route.table == TABLE_LOCAL || (by_itself && route.protocol == KERNEL) || loopback {
            self.own += 1;
            return true;
        }
        let link_local = match route.dst.addr {
            std::net::IpAddr::V6(to) => to.is_unicast_link_local() && route.dst.len == 64,
            std::net::IpAddr::V4(_) => false,
        };
        if !dead && link_local && route.protocol == KERNEL {
            let names = route.next_hops.iter().map(|hop| hop_words(hop, false, node));
            self.link_local.extend(names.map(|n| n.trim_start_matches("dev ").to_owned()));
            return true;
        }
        false
    }

    fn words(&self) -> Option<String> {
        let own = (self.own > 0).then(|| format!("{} of the kernel's own (local, …)", self.own));
        let link_local = (!self.link_local.is_empty())
            .then(|| format!("link-local fe80::/64 on {}", self.link_local.join(", ")));
        let parts: Vec<String> = own.into_iter().chain(link_local).collect();
        (!parts.is_empty()).then(|| format!("not listed: {}", parts.join("; ")))
    }
}

/// RTPROT_KERNEL.
const KERNEL: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_own_rules_are_never_to_blame() {
        assert!(is_builtin(&Rule::lookup(32766, TABLE_MAIN)));
        assert!(is_builtin(&Rule { protocol: KERNEL, ..Rule::lookup(0, TABLE_LOCAL) }));
        // Others lead to main, too, and may stand in the way.
        assert!(!is_builtin(&Rule::lookup(100, TABLE_MAIN)));
        let suppressing = Rule { suppress_prefix_len: Some(0), ..Rule::lookup(32766, TABLE_MAIN) };
        assert!(!is_builtin(&suppressing));
    }
}
