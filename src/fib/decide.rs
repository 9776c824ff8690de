//! The walk through rules and tables.

use super::rule::{Match, Miss, tos_of};
use super::{Fib, Query};
use crate::sample::{Family, NextHop, Prefix, Route, RouteKind, Rule, RuleAction, Unknown};
use std::net::IpAddr;

/// One way out of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Device; `None` only for next hops whose device the dump does not name.
    pub ifindex: Option<u32>,
    /// Gateway, if any.
    pub gateway: Option<IpAddr>,
}

/// What the kernel would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It sends by one of these hops: one, unless a multipath route spreads by hash.
    Send {
        /// Table of the route.
        table: u32,
        /// Preference of the rule that led there.
        preference: u32,
        /// Index of the route in the dump of its family.
        route: usize,
        /// The hops it may take.
        hops: Vec<Hop>,
        /// Source address an unbound socket would get from the route.
        prefsrc: Option<IpAddr>,
    },
    /// The destination is this host (or a broadcast, anycast or multicast route).
    Local {
        /// Table of the route.
        table: u32,
        /// Preference of the rule.
        preference: u32,
        /// Index of the route.
        route: usize,
        /// Type of the route.
        kind: RouteKind,
    },
    /// It refuses, with this errno.
    Refuse {
        /// `EHOSTUNREACH`, `EACCES`, `EINVAL`, `ENETUNREACH`.
        errno: &'static str,
        /// Preference of the rule that decided; `None` when no rule led anywhere.
        preference: Option<u32>,
        /// The reject route, if one decided.
        route: Option<usize>,
    },
    /// No route, but the socket is bound to a device: the kernel assumes on-link.
    OnLink {
        /// That device.
        ifindex: u32,
    },
    /// The source is no address of this host: the kernel refuses (EINVAL).
    SourceNotLocal,
    /// Not decidable from what was read.
    Unknown(Unknown),
}

impl Outcome {
    /// The only device the packet can leave by, if there is just one.
    pub fn device(&self) -> Option<u32> {
        match self {
            Outcome::Send { hops, .. } => {
                let first = hops.first()?.ifindex;
                hops.iter().all(|h| h.ifindex == first).then_some(first).flatten()
            }
            Outcome::OnLink { ifindex } => Some(*ifindex),
            _ => None,
        }
    }

    /// Every device the packet may leave by.
    pub fn devices(&self) -> Vec<u32> {
        match self {
            Outcome::Send { hops, .. } => hops.iter().filter_map(|h| h.ifindex).collect(),
            Outcome::OnLink { ifindex } => vec![*ifindex],
            _ => Vec::new(),
        }
    }
}

/// Why a route of a table was or was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It decides.
    Yes,
    /// Another type of service.
    OtherTos,
    /// The next hop is dead.
    Dead,
    /// No carrier, and the device ignores routes without one.
    LinkDown,
    /// The socket is bound to another device.
    OtherDevice,
    /// An IPv6 source-specific route for another source.
    OtherSource,
    /// A throw route: the table ends here.
    Throw,
    /// The group's next hops are unknown or gone.
    NoNextHop,
    /// Better ones decide (same prefix, later or worse metric).
    Later,
}

/// One route that was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tried {
    /// Index in the dump of the family.
    pub route: usize,
    /// What came of it.
    pub taken: Taken,
}

/// What a rule did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// It does not select the packet.
    Miss(Miss),
    /// It was looked up.
    Lookup {
        /// The table.
        table: u32,
        /// The routes that cover the destination, in the order in which they were tried.
        tried: Vec<Tried>,
        /// One of them decided.
        found: bool,
    },
    /// A route was found and thrown away: its prefix is not longer than this.
    Suppressed {
        /// `suppress_prefixlength`.
        prefix_len: u32,
        /// The route.
        route: usize,
    },
    /// The walk goes on at that preference.
    Goto(u32),
    /// The target does not exist: the rule is ignored.
    GotoNowhere(u32),
    /// `nop`, or an action this program does not know.
    Nothing,
    /// It refuses.
    Refuse(&'static str),
    /// It has a selector that is not known here: it may match.
    MayMatch,
}

/// One rule of the walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Index in the rules of the family.
    pub rule: usize,
    /// Its preference.
    pub preference: u32,
    /// What it did.
    pub verb: Verb,
}

/// Another outcome that cannot be excluded, and the rule it hangs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alternative {
    /// Index of the rule whose selectors are not known.
    pub rule: usize,
    /// What would happen if it matched.
    pub outcome: Outcome,
}

/// The decision and how it came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What the kernel would do.
    pub outcome: Outcome,
    /// The rules in the order in which they were asked.
    pub steps: Vec<Step>,
    /// What else may happen; empty when the decision is certain.
    pub alternatives: Vec<Alternative>,
}

enum TableResult {
    Found { route: usize, hops: Vec<Hop> },
    Refuse { errno: &'static str, route: usize },
    Nothing,
}

impl Fib<'_> {
    /// The decision of the output path for this packet.
    pub fn decide(&self, query: &Query) -> Decision {
        let certain = |outcome| Decision { outcome, steps: Vec::new(), alternatives: Vec::new() };
        if let Some(src) = query.src
            && !self.is_local(src)
        {
            return certain(Outcome::SourceNotLocal);
        }
        let family = query.family();
        let mut decision = match (self.rules(family), self.tables(family)) {
            (_, Err(why)) => return certain(Outcome::Unknown(why.clone())),
            (Err(why), _) => return certain(Outcome::Unknown(why)),
            (Ok(rules), Ok(_)) => self.walk(rules, query, 0, 0),
        };
        // The kernel assumes on-link for a bound device without a route, IPv4 only
        // (ip_route_output_key_hash_rcu).
        if let (Outcome::Refuse { .. }, Some(oif), Family::Inet) =
            (&decision.outcome, query.oif, family)
        {
            decision.outcome = Outcome::OnLink { ifindex: oif };
        }
        decision
    }

    /// The lookup alone (`fib_lookup`): the source is not checked, no on-link assumption.
    pub(super) fn decide_unchecked(&self, query: &Query) -> Outcome {
        match self.rules(query.family()) {
            Ok(rules) => self.walk(rules, query, 0, 0).outcome,
            Err(why) => Outcome::Unknown(why),
        }
    }

    /// Walks the rules from index `from`; `depth` bounds the branches over unknown selectors.
    fn walk(&self, rules: &[Rule], query: &Query, from: usize, depth: u8) -> Decision {
        let mut decision = Decision {
            outcome: Outcome::Refuse { errno: "ENETUNREACH", preference: None, route: None },
            steps: Vec::new(),
            alternatives: Vec::new(),
        };
        let mut i = from;
        while let Some(rule) = rules.get(i) {
            let matched = self.rule_matches(rule, query, false);
            let mut note = |verb| {
                decision.steps.push(Step { rule: i, preference: rule.preference, verb });
            };
            match matched {
                Match::No(miss) => note(Verb::Miss(miss)),
                Match::Maybe => {
                    note(Verb::MayMatch);
                    if depth < 3
                        && let Some(outcome) = self.if_it_matched(rules, query, i, depth)
                    {
                        decision.alternatives.push(Alternative { rule: i, outcome });
                    }
                }
                Match::Yes => match self.act(rules, rule, query) {
                    Act::Jump(target, preference) => {
                        note(Verb::Goto(preference));
                        i = target;
                        continue;
                    }
                    Act::Next(verb) => note(verb),
                    Act::Stop(verb, outcome) => {
                        note(verb);
                        decision.outcome = outcome;
                        break;
                    }
                },
            }
            i += 1;
        }
        let likely = decision.outcome.clone();
        decision.alternatives.retain(|a| a.outcome != likely);
        decision
    }

    fn if_it_matched(&self, rules: &[Rule], query: &Query, i: usize, depth: u8) -> Option<Outcome> {
        match self.act(rules, rules.get(i)?, query) {
            Act::Jump(target, _) => Some(self.walk(rules, query, target, depth + 1).outcome),
            Act::Next(_) => None,
            Act::Stop(_, outcome) => Some(outcome),
        }
    }

    /// What a rule that matches does.
    fn act(&self, rules: &[Rule], rule: &Rule, query: &Query) -> Act {
        let refuse = |errno| {
            Act::Stop(
                Verb::Refuse(errno),
                Outcome::Refuse { errno, preference: Some(rule.preference), route: None },
            )
        };
        match rule.action {
            RuleAction::Nop | RuleAction::Other(_) => Act::Next(Verb::Nothing),
            RuleAction::Unreachable => refuse("ENETUNREACH"),
            RuleAction::Prohibit => refuse("EACCES"),
            RuleAction::Blackhole => refuse("EINVAL"),
            RuleAction::Goto { preference, .. } => {
                match rules.iter().position(|r| r.preference == preference) {
                    // A goto only leads forward (fib_nl_newrule refuses the rest).
                    Some(target) if preference > rule.preference => Act::Jump(target, preference),
                    _ => Act::Next(Verb::GotoNowhere(preference)),
                }
            }
            RuleAction::Lookup(table) => self.lookup_by(rule, table, query),
        }
    }

    fn lookup_by(&self, rule: &Rule, table: u32, query: &Query) -> Act {
        let (result, tried) = self.lookup(table, query);
        let preference = rule.preference;
        match result {
            TableResult::Nothing => Act::Next(Verb::Lookup { table, tried, found: false }),
            TableResult::Refuse { errno, route } => Act::Stop(
                Verb::Lookup { table, tried, found: true },
                Outcome::Refuse { errno, preference: Some(preference), route: Some(route) },
            ),
            TableResult::Found { route, hops } => {
                let Some(found) = self.route(query.family(), route) else {
                    return Act::Next(Verb::Lookup { table, tried, found: false });
                };
                // fib4_rule_suppress, fib6_rule_suppress. The kernel's −1 (unset) is not stored.
                if let Some(prefix_len) = rule.suppress_prefix_len
                    && u32::from(found.dst.len) <= prefix_len
                {
                    return Act::Next(Verb::Suppressed { prefix_len, route });
                }
                let outcome = match found.kind {
                    RouteKind::Unicast => {
                        Outcome::Send { table, preference, route, hops, prefsrc: found.prefsrc }
                    }
                    kind => Outcome::Local { table, preference, route, kind },
                };
                Act::Stop(Verb::Lookup { table, tried, found: true }, outcome)
            }
        }
    }

    fn route(&self, family: Family, index: usize) -> Option<&Route> {
        self.tables(family).as_ref().ok()?.get(index)
    }

    /// One table: longest prefix, then tos, then metric, then insertion order; a route without a
    /// usable next hop gives way to the next one, then to shorter prefixes.
    fn lookup(&self, table: u32, query: &Query) -> (TableResult, Vec<Tried>) {
        let mut tried = Vec::new();
        let Ok(tables) = self.tables(query.family()) else {
            return (TableResult::Nothing, tried);
        };
        for equals in tables.candidates(table, query.dst) {
            let mut equals = equals;
            while let Some((index, route)) = equals.next() {
                let mut note = |taken| tried.push(Tried { route: index, taken });
                if let Some(miss) = Self::other_flow(route, query) {
                    note(miss);
                    continue;
                }
                match route.kind {
                    RouteKind::Throw => {
                        note(Taken::Throw);
                        return (TableResult::Nothing, tried);
                    }
                    RouteKind::Unreachable => return reject("EHOSTUNREACH", index, tried),
                    RouteKind::Prohibit => return reject("EACCES", index, tried),
                    RouteKind::Blackhole => return reject("EINVAL", index, tried),
                    _ => {}
                }
                match self.usable_hops(route, query) {
                    Ok(hops) => {
                        note(Taken::Yes);
                        tried.extend(equals.map(|(route, _)| Tried { route, taken: Taken::Later }));
                        return (TableResult::Found { route: index, hops }, tried);
                    }
                    Err(why) => note(why),
                }
            }
        }
        (TableResult::Nothing, tried)
    }

    /// A route for other packets than this one.
    fn other_flow(route: &Route, query: &Query) -> Option<Taken> {
        if route.tos != 0 && query.family() == Family::Inet && route.tos != tos_of(query) {
            return Some(Taken::OtherTos);
        }
        if let Some(src) = &route.src
            && !query.src.is_some_and(|s| Prefix::contains(src, s))
        {
            return Some(Taken::OtherSource);
        }
        None
    }

    /// The next hops that may be used, or why there is none.
    fn usable_hops(&self, route: &Route, query: &Query) -> Result<Vec<Hop>, Taken> {
        let family = query.family();
        let mut hops = Vec::new();
        let mut why = Taken::NoNextHop;
        let own;
        let listed: &[NextHop] = if route.next_hops.is_empty()
            && let Some(id) = route.nexthop_id
        {
            own = self.hops_of_object(id, 0);
            &own
        } else {
            &route.next_hops
        };
        if listed.is_empty() && route.kind != RouteKind::Unicast {
            return Ok(vec![Hop { ifindex: None, gateway: None }]);
        }
        for hop in listed {
            if let Err(miss) = self.hop_usable(hop, query, family) {
                why = miss;
            } else {
                hops.push(Hop { ifindex: hop.ifindex, gateway: hop.gateway });
            }
        }
        if hops.is_empty() { Err(why) } else { Ok(hops) }
    }

    fn hop_usable(&self, hop: &NextHop, query: &Query, family: Family) -> Result<(), Taken> {
        if hop.flags.dead {
            return Err(Taken::Dead);
        }
        let ignored = hop.ifindex.is_some_and(|i| self.ignores_linkdown(family, i));
        if hop.flags.linkdown && ignored {
            return Err(Taken::LinkDown);
        }
        if query.oif.is_some() && hop.ifindex.is_some() && query.oif != hop.ifindex {
            return Err(Taken::OtherDevice);
        }
        Ok(())
    }

    /// The hops of a next-hop object or group.
    fn hops_of_object(&self, id: u32, depth: u8) -> Vec<NextHop> {
        let Some(object) = self.nexthops.get(&id) else { return Vec::new() };
        if object.blackhole || depth > 1 {
            return Vec::new();
        }
        if object.group.is_empty() {
            let flags = object.flags;
            return vec![NextHop {
                ifindex: object.ifindex,
                gateway: object.gateway,
                weight: 1,
                flags,
            }];
        }
        object.group.iter().flat_map(|member| self.hops_of_object(member.id, depth + 1)).collect()
    }
}

fn reject(errno: &'static str, route: usize, mut tried: Vec<Tried>) -> (TableResult, Vec<Tried>) {
    tried.push(Tried { route, taken: Taken::Yes });
    (TableResult::Refuse { errno, route }, tried)
}

enum Act {
    Jump(usize, u32),
    Next(Verb),
    Stop(Verb, Outcome),
}
