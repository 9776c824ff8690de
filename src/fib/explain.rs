//! A decision in words: one line for each rule that was asked.

use super::line::{destination, kind};
use super::outcome::{Decision, Outcome, Step, Taken, Tried, Verb};
use super::{Fib, Query};
use crate::sample::{Family, Route, Rule};
use std::fmt::Write;
use std::net::IpAddr;

/// More routes that were passed over are not named.
const NAMED: usize = 3;

impl Fib<'_> {
    /// How the decision came about, rule by rule, then what it is where no rule says it.
    pub fn explain(&self, query: &Query, decision: &Decision) -> Vec<String> {
        let family = query.family();
        let rules = self.rules(family).unwrap_or_default();
        let mut lines: Vec<String> = Vec::with_capacity(decision.steps.len() + 1);
        for step in &decision.steps {
            let Some(rule) = rules.get(step.rule) else { continue };
            let said = self.step(query, decision, rule, step);
            lines.push(format!("{}: {said}", self.head(rule)));
        }
        lines.extend(self.end(query, &decision.outcome));
        for other in &decision.alternatives {
            let preference = rules.get(other.rule).map_or(0, |rule| rule.preference);
            lines.push(format!(
                "it is not known what rule {preference} does; it may also lead to: {}",
                self.outcome_words(family, &other.outcome)
            ));
        }
        lines
    }

    /// A rule in short: without `from all`, and only the table of a plain lookup.
    fn head(&self, rule: &Rule) -> String {
        let line = self.rule_line(rule);
        let (preference, rest) = line.split_once(":\t").unwrap_or(("", &line));
        let rest = rest.strip_prefix("from all ").unwrap_or(rest);
        let plain = rest.strip_prefix("lookup ").filter(|table| !table.contains(' '));
        format!("{preference} {}", plain.unwrap_or(rest))
    }

    fn step(&self, query: &Query, decision: &Decision, rule: &Rule, step: &Step) -> String {
        let family = query.family();
        match &step.verb {
            Verb::Miss(miss) => miss.words().into(),
            Verb::Lookup { table, tried, found: false } => self.nothing(family, *table, tried),
            Verb::Lookup { tried, .. } => self.taken(query, decision, rule, tried),
            Verb::Suppressed { prefix_len, route, .. } => {
                let found = self.route(family, *route).map(|route| self.short(route));
                format!(
                    "{} found, but thrown away: its prefix is not longer than {prefix_len}",
                    found.unwrap_or_default()
                )
            }
            Verb::Goto(target) => format!("goes on at {target}"),
            Verb::GotoNowhere(target) => format!("there is no rule {target}: ignored"),
            Verb::Nothing => "does nothing".into(),
            Verb::Refuse(errno) => format!("refused, {errno}"),
            Verb::MayMatch => "may match: it has a selector that is not known here".into(),
        }
    }

    /// A table that gave nothing.
    fn nothing(&self, family: Family, table: u32, tried: &[Tried]) -> String {
        if tried.is_empty() {
            let empty = self.tables(family).as_ref().is_ok_and(|t| t.routes_of(table).is_empty());
            return if empty { "the table is empty" } else { "no match" }.into();
        }
        format!("no usable route: {}", self.passed(family, tried))
    }

    /// A table that decided.
    fn taken(&self, query: &Query, decision: &Decision, rule: &Rule, tried: &[Tried]) -> String {
        let family = query.family();
        let route = tried.iter().find(|t| t.taken == Taken::Yes);
        let Some((place, route)) =
            route.and_then(|t| Some((t.route, self.route(family, t.route)?)))
        else {
            return self.outcome_words(family, &decision.outcome);
        };
        let equal = |t: &&Tried| {
            t.taken == Taken::Later
                && t.route != place
                && self.route(family, t.route).is_some_and(|other| {
                    (other.tos, other.metric, other.src) == (route.tos, route.metric, route.src)
                })
        };
        let equals = tried.iter().filter(equal).count() + 1;
        let later = tried.iter().filter(|t| t.taken == Taken::Later).count() + 1;
        let used = self.way(&decision.outcome, place).unwrap_or_else(|| self.hops_words(route));
        let to = destination(&route.dst);
        let mut said = match (super::hops::refusal(route.kind), &decision.outcome) {
            (Some(errno), _) => format!("{} {to}: refused, {errno}", kind(route.kind)),
            (None, Outcome::Local { .. }) => format!("{} {to} taken", kind(route.kind)),
            _ if equals > 1 => {
                format!("{to}, {} equal routes; the first inserted, {used}, is used", count(equals))
            }
            _ if later > 1 => format!(
                "{to}, {} routes; {used}, with the lowest metric ({}), is used",
                count(later),
                route.metric
            ),
            _ => format!("{to} {} taken", self.hops_words(route)),
        };
        let many = matches!(&decision.outcome, Outcome::Send { hops, .. } if hops.len() > 1);
        if many && route.next_hops.len() < 2 && route.nexthop_id.is_none() {
            let _ = write!(said, "; as gateways answer, it may be {used}");
        } else if many {
            said += "; a hash of the packet chooses the hop";
        }
        if equals > 1 && query.src.is_some() && rule.src.is_none() && route.src.is_none() {
            said += "; the source is not looked at";
        }
        let passed: Vec<Tried> = tried
            .iter()
            .take_while(|t| t.route != place)
            .filter(|t| !matches!(t.taken, Taken::Later | Taken::Yes))
            .copied()
            .collect();
        if !passed.is_empty() {
            let _ = write!(said, "; passed over: {}", self.passed(family, &passed));
        }
        said
    }

    /// Routes that were passed over, and why.
    fn passed(&self, family: Family, tried: &[Tried]) -> String {
        let mut words: Vec<String> = tried
            .iter()
            .take(NAMED)
            .filter_map(|t| {
                let route = self.route(family, t.route)?;
                Some(format!("{} {}", self.short(route), why(t.taken)))
            })
            .collect();
        if tried.len() > NAMED {
            words.push(format!("{} more", tried.len() - NAMED));
        }
        words.join(", ")
    }

    /// What the steps do not tell.
    fn end(&self, query: &Query, outcome: &Outcome) -> Option<String> {
        match outcome {
            Outcome::Send { .. }
            | Outcome::Local { .. }
            | Outcome::Refuse { preference: Some(_), .. } => None,
            Outcome::OnLink { ifindex } if query.oif == Some(*ifindex) => Some(format!(
                "bound to {0}: the kernel takes {1} for a neighbour on {0}",
                self.device_name(*ifindex),
                query.dst
            )),
            Outcome::SourceNotLocal => query.src.map(|src| {
                format!("{src} is no address of this host: refused before any rule is asked")
            }),
            other => Some(self.outcome_words(query.family(), other)),
        }
    }

    /// An outcome in a few words.
    fn outcome_words(&self, family: Family, outcome: &Outcome) -> String {
        match outcome {
            Outcome::Send { route, hops, .. } => {
                let to = self.route(family, *route).map(|route| destination(&route.dst));
                format!("{} by {}", to.unwrap_or_default(), self.names(hops))
            }
            Outcome::Local { kind: of, .. } => format!("{}, delivered here", kind(*of)),
            Outcome::Refuse { errno, preference: None, .. } => {
                format!("no rule leads anywhere: refused, {errno}")
            }
            Outcome::Refuse { errno, .. } => format!("refused, {errno}"),
            Outcome::OnLink { ifindex } => {
                format!("sent on {} without a route", self.device_name(*ifindex))
            }
            Outcome::SourceNotLocal => "refused: the source is no address of this host".into(),
            Outcome::Unknown(why) => format!("not known: {why}"),
        }
    }

    /// The hops of the outcome, where it is this route's.
    fn way(&self, outcome: &Outcome, place: usize) -> Option<String> {
        match outcome {
            Outcome::Send { route, hops, .. } if *route == place => Some(self.names(hops)),
            _ => None,
        }
    }

    fn names(&self, hops: &[super::Hop]) -> String {
        let mut names: Vec<String> = Vec::new();
        for hop in hops {
            let device = hop.ifindex.map_or_else(|| "?".into(), |i| self.device_name(i));
            let name = via(hop.gateway).map_or(device.clone(), |via| format!("{device} {via}"));
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names.join(" or ")
    }

    /// A route's hops: `dev ib0`, `via 172.16.0.9 dev ib0`.
    fn hops_words(&self, route: &Route) -> String {
        let hops = self.hops_of(route).unwrap_or_default();
        let words: Vec<String> = hops
            .iter()
            .map(|hop| {
                let device = hop.ifindex.map(|i| format!("dev {}", self.device_name(i)));
                via(hop.gateway).into_iter().chain(device).collect::<Vec<_>>().join(" ")
            })
            .collect();
        words.join(" or ")
    }

    /// Destination and hops of a route.
    fn short(&self, route: &Route) -> String {
        let hops = self.hops_words(route);
        let blank = if hops.is_empty() { "" } else { " " };
        format!("{}{blank}{hops}", destination(&route.dst))
    }
}

fn via(gateway: Option<IpAddr>) -> Option<String> {
    gateway.map(|gateway| format!("via {gateway}"))
}

fn why(taken: Taken) -> &'static str {
    match taken {
        Taken::Yes => "is used",
        Taken::OtherTos => "is for another type of service",
        Taken::Dead => "is dead",
        Taken::LinkDown => "has no carrier",
        Taken::OtherDevice => "is by another device than the socket's",
        Taken::OtherSource => "is for another source",
        Taken::Hidden => "is hidden by a source-specific route of the same prefix",
        Taken::GatewayFailed => "has a gateway that does not answer",
        Taken::Expired => "has expired",
        Taken::Throw => "ends the table (throw)",
        Taken::NoNextHop => "has no next hop",
        Taken::Skipped => "is skipped after a next-hop object that cannot be used",
        Taken::Later => "comes later",
    }
}

fn count(number: usize) -> String {
    match number {
        2 => "two".into(),
        3 => "three".into(),
        4 => "four".into(),
        other => other.to_string(),
    }
}
