//! The walk through the rules (`fib_rules_lookup`) and what the output path makes of it.

use super::flow::Flow;
use super::outcome::{Alternative, Decision, Hop, Outcome, Step, Verb};
use super::rule::Match;
use super::{Fib, Query, TABLE_DEFAULT, TABLE_LOCAL, TABLE_MAIN};
use crate::sample::{Family, RouteKind, Rule, RuleAction, Unknown};
use std::net::{IpAddr, Ipv4Addr};

/// More branches over rules of which it is not known whether they match are not followed.
const BRANCHES: u8 = 3;

/// What the rules led to (`struct fib_result`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Hit(Hit),
    Refuse { errno: &'static str, preference: Option<u32>, route: Option<usize> },
    Unknown(Unknown),
}

/// A route that was found, and the hop that made it count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) table: u32,
    pub(super) preference: u32,
    pub(super) route: usize,
    pub(super) hop: Hop,
}

/// The answer of one table.
#[derive(Debug)]
pub(super) enum Found {
    Route { route: usize, hop: Hop },
    Refuse { errno: &'static str, route: usize },
    Nothing,
    Unknown(Unknown),
}

/// A verdict and how it came about.
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) verdict: Verdict,
    pub(super) steps: Vec<Step>,
    pub(super) alternatives: Vec<(usize, Verdict)>,
}

/// What one rule does with a packet it selects.
enum Act {
    Jump(usize, u32),
    Next(Verb),
    Stop(Verb, Verdict),
}

impl Walk {
    fn new() -> Self {
        let nowhere = Verdict::Refuse { errno: "ENETUNREACH", preference: None, route: None };
        Self { verdict: nowhere, steps: Vec::new(), alternatives: Vec::new() }
    }

    fn of(verdict: Verdict) -> Self {
        Self { verdict, ..Self::new() }
    }

    /// Takes over what another walk, that hangs on `rule`, may lead to.
    fn or(&mut self, rule: usize, other: Walk) {
        self.alternatives.push((rule, other.verdict));
        self.alternatives.extend(other.alternatives.into_iter().map(|(_, v)| (rule, v)));
    }
}

impl Fib<'_> {
    /// The decision of the output path for this packet.
    pub fn decide(&self, query: &Query) -> Decision {
        let mut decision = self.decide_as(query, self.merged);
        if self.merged {
            let apart = self.decide_as(query, false);
            let apart = std::iter::once(apart.outcome)
                .chain(apart.alternatives.into_iter().map(|other| other.outcome));
            for outcome in apart {
                decision.or(Alternative { rule: 0, outcome });
            }
        }
        decision
    }

    /// The decision with or without one trie for local and main.
    fn decide_as(&self, query: &Query, merged: bool) -> Decision {
        let mut flow = Flow { merged, ..self.output_flow(query) };
        if let Some(outcome) = self.before_lookup(query, &flow) {
            return Decision::plain(self.at_home(outcome, &flow));
        }
        if let (IpAddr::V4(dst), None, Some(oif)) = (query.dst, flow.src, query.oif)
            && dst.is_multicast()
        {
            // Multicasts get their source before the rules are asked.
            flow.src = self.select_addr(oif, None, 0);
        }
        let walk = self.look_up(&flow);
        let outcome = self.outcome(walk.verdict, &flow);
        let mut decision = Decision { outcome, steps: walk.steps, alternatives: Vec::new() };
        for (rule, verdict) in walk.alternatives {
            decision.or(Alternative { rule, outcome: self.outcome(verdict, &flow) });
        }
        decision
    }

    /// What IPv4 decides without a lookup (`ip_route_output_key_hash_rcu`).
    fn before_lookup(&self, query: &Query, flow: &Flow) -> Option<Outcome> {
        let IpAddr::V4(dst) = flow.dst else { return None };
        let to_link = dst.is_broadcast() || Ipv4Addr::octets(&dst).starts_with(&[224, 0, 0]);
        if let Some(src @ IpAddr::V4(v4)) = flow.src {
            let no_source = v4.is_multicast() || v4.is_broadcast();
            if !no_source && let Err(why) = &self.addresses {
                return Some(Outcome::Unknown(why.clone()));
            }
            if no_source || !self.is_local_as(src, flow.merged) {
                return Some(Outcome::SourceNotLocal);
            }
            if query.oif.is_none() && (dst.is_multicast() || dst.is_broadcast()) {
                let owner = self.owner(src).or_else(|| self.in_local_table(src, flow.merged))?;
                return Some(Outcome::OnLink { ifindex: owner });
            }
        }
        let at_device = query.oif.and_then(|oif| self.before_lookup_by(oif, query, to_link));
        let itself = dst.is_unspecified().then(|| self.by_name.get("lo").copied()).flatten();
        at_device.or(itself.map(|ifindex| Outcome::OnLink { ifindex }))
    }

    /// The same for a socket bound to a device.
    fn before_lookup_by(&self, oif: u32, query: &Query, to_link: bool) -> Option<Outcome> {
        let refuse = |errno| Outcome::Refuse { errno, preference: None, route: None };
        match self.link(oif) {
            // Without any link the links are not known.
            None if self.links.is_empty() => None,
            None => Some(refuse("ENODEV")),
            Some(link) if !link.flags.is_up() => Some(refuse("ENETUNREACH")),
            // 2 is IGMP.
            Some(_) if to_link || query.ip_proto == 2 => Some(Outcome::OnLink { ifindex: oif }),
            Some(_) => None,
        }
    }

    fn outcome(&self, verdict: Verdict, flow: &Flow) -> Outcome {
        let outcome = match verdict {
            Verdict::Unknown(why) => return Outcome::Unknown(why),
            Verdict::Hit(hit) => self.outcome_of_hit(&hit, flow),
            Verdict::Refuse { errno, preference, route } => match (flow.oif, flow.dst) {
                // Without a route IPv4 assumes on-link, but not for what belongs to a VRF.
                (Some(ifindex), IpAddr::V4(dst)) if flow.vrf.is_none() || dst.is_multicast() => {
                    Outcome::OnLink { ifindex }
                }
                _ => Outcome::Refuse { errno, preference, route },
            },
        };
        self.at_home(outcome, flow)
    }

    /// `__mkroute_output`: a loopback source does not leave the host.
    fn at_home(&self, outcome: Outcome, flow: &Flow) -> Outcome {
        let leaves = |index: u32| self.link(index).is_some_and(|link| !link.flags.is_loopback());
        match flow.src {
            Some(IpAddr::V4(src)) if src.is_loopback() => {
                let refused = Outcome::Refuse { errno: "EINVAL", preference: None, route: None };
                if outcome.devices().into_iter().any(leaves) { refused } else { outcome }
            }
            _ => outcome,
        }
    }

    fn outcome_of_hit(&self, hit: &Hit, flow: &Flow) -> Outcome {
        let Hit { table, preference, route, .. } = *hit;
        match self.route(flow.family(), route) {
            Some(found) if found.kind == RouteKind::Unicast => {
                let mut hops = match flow.family() {
                    Family::Inet => self.select4(hit, found, flow),
                    Family::Inet6 => self.select6(hit, found, flow),
                };
                if ignores_gateways(flow.dst, found.dst.len) {
                    for hop in &mut hops {
                        hop.gateway = None;
                    }
                }
                Outcome::Send { table, preference, route, hops, prefsrc: found.prefsrc }
            }
            found => {
                let kind = found.map_or(RouteKind::Local, |found| found.kind);
                Outcome::Local { table, preference, route, kind }
            }
        }
    }

    /// The lookup alone (`fib_lookup`).
    pub(super) fn look_up(&self, flow: &Flow) -> Walk {
        let family = flow.family();
        match (self.rules(family), self.tables(family)) {
            (_, Err(why)) => Walk::of(Verdict::Unknown(why.clone())),
            (Err(why), _) => Walk::of(Verdict::Unknown(why)),
            (Ok(rules), Ok(_)) if flow.merged && family == Family::Inet => {
                self.walk_merged(rules, flow)
            }
            (Ok(rules), Ok(_)) => self.walk(rules, flow, 0, 0),
        }
    }

    /// The default rules while local and main are one trie.
    fn walk_merged(&self, rules: &[Rule], flow: &Flow) -> Walk {
        let mut walk = Walk::new();
        let mut step = |rule: usize, table, tried, found| {
            let preference = rules.get(rule).map_or(0, |rule| rule.preference);
            let verb = Verb::Lookup { table, tried, found };
            walk.steps.push(Step { rule, preference, verb });
            preference
        };
        let (found, tried) = self.lookup4(&[TABLE_LOCAL, TABLE_MAIN], flow);
        let verdict = match found {
            Found::Nothing => {
                step(0, TABLE_LOCAL, Vec::new(), false);
                step(1, TABLE_MAIN, tried, false);
                let (found, tried) = self.lookup4(&[TABLE_DEFAULT], flow);
                let preference = step(2, TABLE_DEFAULT, tried, !matches!(found, Found::Nothing));
                verdict(found, TABLE_DEFAULT, preference)
            }
            found => {
                let table = match found {
                    Found::Route { route, .. } | Found::Refuse { route, .. } => {
                        self.route(Family::Inet, route).map_or(TABLE_MAIN, |route| route.table)
                    }
                    _ => TABLE_MAIN,
                };
                let preference = if table == TABLE_LOCAL {
                    step(0, TABLE_LOCAL, tried, true)
                } else {
                    step(0, TABLE_LOCAL, Vec::new(), false);
                    step(1, TABLE_MAIN, tried, true)
                };
                verdict(found, table, preference)
            }
        };
        if let Some(verdict) = verdict {
            walk.verdict = verdict;
        }
        walk
    }

    /// Walks the rules from index `from`; `depth` bounds the branches.
    fn walk(&self, rules: &[Rule], flow: &Flow, from: usize, depth: u8) -> Walk {
        let mut walk = Walk::new();
        let mut i = from;
        while let Some(rule) = rules.get(i) {
            let mut next = i + 1;
            let verb = match self.rule_matches(rule, flow) {
                Match::No(miss) => Verb::Miss(miss),
                Match::Maybe => {
                    if depth < BRANCHES
                        && let Some(other) = self.if_it_matched(rules, flow, i, depth)
                    {
                        walk.or(i, other);
                    }
                    Verb::MayMatch
                }
                Match::Yes => match self.act(rules, rule, flow) {
                    Act::Jump(target, preference) => {
                        next = target;
                        Verb::Goto(preference)
                    }
                    Act::Next(verb) => verb,
                    Act::Stop(verb, verdict) => {
                        // The group of a link is not read.
                        if rule.suppress_if_group.is_some()
                            && matches!(verdict, Verdict::Hit(_))
                            && depth < BRANCHES
                        {
                            walk.or(i, self.walk(rules, flow, i + 1, depth + 1));
                        }
                        walk.verdict = verdict;
                        next = rules.len();
                        verb
                    }
                },
            };
            walk.steps.push(Step { rule: i, preference: rule.preference, verb });
            i = next;
        }
        walk
    }

    fn if_it_matched(&self, rules: &[Rule], flow: &Flow, i: usize, depth: u8) -> Option<Walk> {
        match self.act(rules, rules.get(i)?, flow) {
            Act::Jump(target, _) => Some(self.walk(rules, flow, target, depth + 1)),
            Act::Next(_) => None,
            Act::Stop(_, verdict) => Some(Walk::of(verdict)),
        }
    }

    /// What a rule that matches does.
    fn act(&self, rules: &[Rule], rule: &Rule, flow: &Flow) -> Act {
        let preference = Some(rule.preference);
        let refuse = |errno| {
            let verdict = Verdict::Refuse { errno, preference, route: None };
            Act::Stop(Verb::Refuse(errno), verdict)
        };
        match rule.action {
            RuleAction::Nop => Act::Next(Verb::Nothing),
            RuleAction::Unreachable => refuse("ENETUNREACH"),
            RuleAction::Prohibit => refuse("EACCES"),
            // Whatever the kernel does not know it treats as a black hole.
            RuleAction::Blackhole | RuleAction::Other(_) => refuse("EINVAL"),
            RuleAction::Goto { preference, .. } => {
                match rules.iter().position(|r| r.preference == preference) {
                    // A goto only leads forward (fib_nl_newrule refuses the rest).
                    Some(target) if preference > rule.preference => Act::Jump(target, preference),
                    _ => Act::Next(Verb::GotoNowhere(preference)),
                }
            }
            RuleAction::Lookup(table) => {
                let table = match flow.vrf {
                    Some(vrf) if rule.l3mdev => vrf.table,
                    _ => table,
                };
                // fib_get_table: no table (`not l3mdev`) is main.
                self.lookup_by(rule, if table == 0 { TABLE_MAIN } else { table }, flow)
            }
        }
    }

    fn lookup_by(&self, rule: &Rule, table: u32, flow: &Flow) -> Act {
        let (found, tried) = match flow.family() {
            Family::Inet => self.lookup4(&[table], flow),
            Family::Inet6 => self.lookup6(table, flow),
        };
        // fib4_rule_suppress, fib6_rule_suppress: errors are not suppressed.
        if let Found::Route { route, .. } = found
            && let Some(prefix_len) = rule.suppress_prefix_len
            && let Some(len) = self.route(flow.family(), route).map(|route| route.dst.len)
            && u32::from(len) <= prefix_len
        {
            return Act::Next(Verb::Suppressed { table, prefix_len, route });
        }
        match verdict(found, table, rule.preference) {
            Some(verdict) => Act::Stop(Verb::Lookup { table, tried, found: true }, verdict),
            None => Act::Next(Verb::Lookup { table, tried, found: false }),
        }
    }
}

fn verdict(found: Found, table: u32, preference: u32) -> Option<Verdict> {
    match found {
        Found::Nothing => None,
        Found::Unknown(why) => Some(Verdict::Unknown(why)),
        Found::Refuse { errno, route } => {
            Some(Verdict::Refuse { errno, preference: Some(preference), route: Some(route) })
        }
        Found::Route { route, hop } => Some(Verdict::Hit(Hit { table, preference, route, hop })),
    }
}

/// __mkroute_output: broadcasts, and multicasts by a default route, go to the link.
fn ignores_gateways(dst: IpAddr, prefix_len: u8) -> bool {
    matches!(dst, IpAddr::V4(dst) if dst.is_broadcast() || dst.is_multicast() && prefix_len < 4)
}
