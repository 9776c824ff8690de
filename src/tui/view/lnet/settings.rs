//! Routes and routers, settings, selection policies, counters of the whole node.

use crate::node::Node;
use crate::sample::{Answered, LnetRoute, LnetUdsp, Text};
use crate::tui::format;
use crate::tui::theme::Role;
use crate::tui::view::Context;
use crate::tui::view::paint::{self, Pair, cells, pad};
use crate::units;
use ratatui::style::Style;
use ratatui::text::Line;

/// Settings that decide which rail is used, and for how long LNet tries.
const THAT_MATTER: [&str; 8] = [
    "numa_range",
    "discovery",
    "transaction_timeout",
    "retry_count",
    "lnd_timeout",
    "health_sensitivity",
    "recovery_interval",
    "drop_asym_route",
];

/// Routes, and what this node does as a router.
pub(super) fn routes(node: &Node, context: &Context<'_>) -> Vec<Line<'static>> {
    let dim = context.style(Role::Dim);
    let mut lines = Vec::new();
    match &node.lnet.more.routes {
        Err(unknown) => {
            lines.push(Line::styled(format!("routes {}", format::why_not(unknown)), dim));
        }
        Ok(routes) if routes.value.is_empty() => {
            lines.push(Line::styled("no routes: this node speaks to its own nets only", dim));
        }
        Ok(routes) => lines.extend(table_of_routes(&routes.value, context)),
    }
    lines.push(Line::default());
    match &node.lnet.more.routing {
        Err(unknown) => {
            lines.push(Line::styled(format!("routing {}", format::why_not(unknown)), dim));
        }
        Ok(routing) => {
            let words = match routing.value.enable {
                None | Some(0) => "this node is no router",
                Some(1) => "this node is a router",
                Some(2) => "routing stops",
                Some(3) => "routing starts",
                Some(_) => "routing is in a state that is not known",
            };
            lines.push(Line::from(words));
            if !routing.value.buffers.is_empty() {
                let head = format!(
                    "{:<8}{:<8}{:>10}{:>10}{:>10}",
                    "BUFFERS", "CPT", "ALL", "FREE", "LOWEST"
                );
                lines.push(Line::styled(head, dim));
            }
            for pool in &routing.value.buffers {
                let short = |r: &crate::sample::Reading<i64>| format::reading(r);
                // Negative: so many messages wait for a buffer.
                let waits =
                    [&pool.credits, &pool.min_credits].map(|c| c.as_ref().is_ok_and(|c| *c < 0));
                let style = match waits {
                    [true, _] => context.style(Role::Verdict(crate::check::Verdict::Warning)),
                    [_, true] => context.style(Role::Verdict(crate::check::Verdict::Note)),
                    _ => Style::new(),
                };
                let words = format!(
                    "{:<8}{:<8}{:>10}{:>10}{:>10}",
                    pool.size.as_str(),
                    pool.cpt,
                    short(&pool.buffers),
                    short(&pool.credits),
                    short(&pool.min_credits)
                );
                lines.push(Line::styled(words, style));
            }
        }
    }
    lines
}

fn table_of_routes(routes: &[LnetRoute], context: &Context<'_>) -> Vec<Line<'static>> {
    let widest = |of: fn(&LnetRoute) -> &Text, least| {
        routes.iter().map(|r| cells(of(r))).max().unwrap_or(0).clamp(least, 40) + 2
    };
    let (net, gateway) = (widest(|r| &r.net, 4), widest(|r| &r.gateway, 12));
    let row = |fields: [&str; 6]| {
        let [to, via, hop, priority, state, kind] = fields;
        format!("{}{}{hop:>4}{priority:>9}  {state:<7}{kind}", pad(to, net), pad(via, gateway))
    };
    let head = row(["NET", "GATEWAY", "HOP", "PRIORITY", "STATE", "TYPE"]);
    let mut lines = vec![Line::styled(head, context.style(Role::Dim))];
    for route in routes {
        let hop = match route.hop {
            Ok(-1) => "any".to_owned(),
            ref other => format::reading(other),
        };
        let words = row([
            &route.net,
            &route.gateway,
            &hop,
            &format::reading(&route.priority),
            &format::reading(&route.state),
            &format::reading(&route.kind),
        ]);
        let down = is_down(route);
        let style = if down {
            context.style(Role::Verdict(crate::check::Verdict::Warning))
        } else {
            Style::new()
        };
        lines.push(Line::styled(words, style));
    }
    lines
}

fn is_down(route: &LnetRoute) -> bool {
    route.state.as_ref().is_ok_and(|state| state.eq_ignore_ascii_case("down"))
}

/// `ROUTES 2, 1 down`.
pub(super) fn routes_title(node: &Node) -> String {
    let router =
        node.lnet.more.routing.as_ref().is_ok_and(|r| r.value.enable.is_some_and(|e| e != 0));
    let role = if router { ", ROUTER" } else { "" };
    match &node.lnet.more.routes {
        Err(_) => format!("ROUTES {}{role}", units::UNKNOWN),
        Ok(routes) => {
            let down = routes.value.iter().filter(|r| is_down(r)).count();
            let down = if down > 0 { format!(", {down} down") } else { String::new() };
            format!("ROUTES {}{down}{role}", routes.value.len())
        }
    }
}

/// The settings that matter most, and the policies.
pub(super) fn brief(node: &Node, context: &Context<'_>, width: usize) -> Vec<Line<'static>> {
    let mut lines = vec![Line::styled("SETTINGS", context.style(Role::Dim))];
    match &node.lnet.more.global {
        Err(unknown) => lines.push(why_not(unknown, context)),
        Ok(global) => {
            let set = THAT_MATTER.iter().filter_map(|name| {
                let value = global.value.get(name)?;
                Some(Pair::new(name, value.to_owned()))
            });
            lines.extend(paint::pairs(&set.collect::<Vec<_>>(), context, width));
        }
    }
    lines.extend(policies(&node.lnet.more.udsp, context));
    lines
}

/// All settings, policies, and what LNet counts for the whole node.
pub(super) fn all(node: &Node, context: &Context<'_>, width: usize) -> Vec<Line<'static>> {
    let dim = context.style(Role::Dim);
    let more = &node.lnet.more;
    let mut lines = vec![Line::styled("GLOBAL SETTINGS", dim)];
    match &more.global {
        Err(unknown) => lines.push(why_not(unknown, context)),
        Ok(global) => {
            let pairs: Vec<Pair> =
                global.value.all.iter().map(|(k, v)| Pair::new(k, v.to_string())).collect();
            lines.extend(paint::pairs(&pairs, context, width));
        }
    }
    lines.extend(policies(&more.udsp, context));
    lines.push(Line::default());
    lines.push(Line::styled("COUNTERS OF THE WHOLE NODE", dim));
    match &more.stats {
        Err(unknown) => lines.push(why_not(unknown, context)),
        Ok(stats) => {
            let volume = &node.lnet_figures.volume;
            let pairs: Vec<Pair> = stats
                .value
                .all
                .iter()
                .map(|(name, printed)| match volume.counter(name) {
                    Some(counter) => Pair::new(name, counted(printed, &counter.per_second)),
                    None => Pair::new(name, printed.to_string()),
                })
                .collect();
            lines.extend(paint::pairs(&pairs, context, width));
        }
    }
    lines
}

fn counted(printed: &Text, per_second: &crate::node::Figure) -> String {
    let count = printed.parse().map_or_else(|_| printed.to_string(), units::count);
    match per_second.ok() {
        Some(rate) if *rate > 0.0 => format!("{count}, {}/s", format::messages(per_second)),
        _ => count,
    }
}

fn why_not(unknown: &crate::sample::Unknown, context: &Context<'_>) -> Line<'static> {
    Line::styled(format::why_not(unknown), context.style(Role::Dim))
}

/// User-defined selection policies: which NIs and nets are preferred.
fn policies(udsp: &Answered<Vec<LnetUdsp>>, context: &Context<'_>) -> Vec<Line<'static>> {
    let dim = context.style(Role::Dim);
    let mut lines = vec![Line::default(), Line::styled("SELECTION POLICIES (UDSP)", dim)];
    match udsp {
        Err(unknown) => lines.push(why_not(unknown, context)),
        Ok(rules) if rules.value.is_empty() => {
            lines.push(Line::styled("none: no NI or net is preferred by a rule", dim));
        }
        Ok(rules) => lines.extend(rules.value.iter().map(policy)),
    }
    lines
}

fn policy(rule: &LnetUdsp) -> Line<'static> {
    let mut words = format!("{:>3} ", format::reading(&rule.index));
    for (name, value) in [("src", &rule.src), ("dst", &rule.dst), ("rte", &rule.rte)] {
        if let Some(value) = value {
            words.extend([" ", name, " ", value]);
        }
    }
    let action = match rule.priority {
        Some(priority) => format!("priority {priority}"),
        None => "preferred for it".to_owned(),
    };
    Line::from(format!("{words}  {action}"))
}
