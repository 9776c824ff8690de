//! Random lookups: every answer must be the kernel's. A disagreement is made small before it is
//! shown.

use crate::config::{Config, Line, Maker, RAILS};
use crate::lab::{Lab, State};
use crate::question::question;
use crate::random::Random;
use railtop::fib::{self, Decision, Fib, Outcome, Query};
use railtop::read::rtnl::{NoRoute, RouteAnswer};
use railtop::sample::RouteKind;
use std::fmt::Write;
use std::net::IpAddr;

/// Questions per configuration.
const QUESTIONS: usize = 100;

/// What one configuration gave.
#[derive(Debug, Default)]
struct Tally {
    sent: usize,
    refused: usize,
    local: usize,
    several: usize,
    alternatives: usize,
    /// Answers that only an alternative told.
    unlikely: usize,
    restarts: usize,
}

pub(crate) fn compare(v6: bool, lookups: usize, seed: u64) {
    let family = if v6 { "IPv6" } else { "IPv4" };
    println!("{family}: RAILTOP_FIB_SEED={seed} RAILTOP_FIB_LOOKUPS={}", 2 * lookups);
    let mut lab = Lab::new(v6);
    let mut tally = Tally::default();
    let configs = lookups.div_ceil(QUESTIONS);
    for number in 0..configs {
        let mut random = Random::new(seed ^ (number as u64) << 24 ^ u64::from(v6) << 60);
        // The first ones touch no rule: local and main are one trie until then.
        let config = Maker::config(&mut random, v6, number >= configs / 8);
        lab.apply(&config.lines);
        let mut state = lab.settled();
        while let Err(query) = asked(&lab, &state, &config, &mut random, &mut tally) {
            // IPv6 does part of its work later: nothing may have changed meanwhile.
            let now = lab.settled();
            if now.is(&state) {
                let here = difference(&lab, &state, &query);
                let shown = shrink(config, &query, here);
                panic!("{family}, RAILTOP_FIB_SEED={seed}, configuration {number}:\n{shown}");
            }
            tally.restarts += 1;
            state = now;
        }
        if number % 4 == 0 {
            same_lines(&lab, &state, v6);
        }
        if !lab.reset(&config.lines) {
            lab = Lab::new(v6);
        }
    }
    println!("{family}: {} lookups in {configs} configurations: {tally:?}", configs * QUESTIONS);
}

/// Rules and routes in our words are those of ip(8).
fn same_lines(lab: &Lab, state: &State, v6: bool) {
    let fib = state.fib();
    let (rules, routes) = if v6 {
        (&state.routing.rules6, &state.routing.routes6)
    } else {
        (&state.routing.rules4, &state.routing.routes4)
    };
    let rules: Vec<_> = rules.iter().flatten().map(|rule| fib.rule_line(rule)).collect();
    let routes: Vec<_> = routes.iter().flatten().map(|route| fib.route_line(route)).collect();
    // The hops of a multipath route have lines of their own there.
    let told = lab.ip("route show table all").replace("\n\t", " ");
    let told = lab.ip("rule") + &told;
    let ours = [rules, routes].concat().join("\n");
    let (ours, told) = (words(&ours), words(&told));
    assert_eq!(ours.len(), told.len());
    for (our, their) in ours.iter().zip(&told) {
        assert_eq!(our, their);
    }
}

/// Lines of words. How long a route lives changes while it is read, and a multipath route has
/// flags of its own, which we do not keep.
fn words(text: &str) -> Vec<Vec<&str>> {
    text.lines()
        .map(|line| {
            let (route, hops) = line.split_at(line.find(" nexthop ").unwrap_or(line.len()));
            let flag = |word: &str| !hops.is_empty() && word == "linkdown";
            let lifetime = |word: &str| word.starts_with("599") || word.starts_with("600");
            let route = route.split_whitespace().filter(|word| !flag(word) && !lifetime(word));
            route.chain(hops.split_whitespace()).collect()
        })
        .collect()
}

/// Asks a hundred questions; the first one with different answers.
fn asked(
    lab: &Lab,
    state: &State,
    config: &Config,
    random: &mut Random,
    tally: &mut Tally,
) -> Result<(), Query> {
    let fib = state.fib();
    let devices: Vec<u32> = RAILS.iter().map(|name| state.index(name)).collect();
    for _ in 0..QUESTIONS {
        let query = question(random, &config.pool, &devices);
        let decision = fib.decide(&query);
        let answer = lab.ask(&query);
        if !agree(&fib, &query, &decision, &answer) {
            return Err(query);
        }
        assert!(!fib.explain(&query, &decision).is_empty(), "{query:?}: {decision:?}");
        match &decision.outcome {
            Outcome::Send { hops, .. } if hops.len() > 1 => tally.several += 1,
            Outcome::Send { .. } | Outcome::OnLink { .. } => tally.sent += 1,
            Outcome::Local { .. } => tally.local += 1,
            _ => tally.refused += 1,
        }
        let likely = Decision { alternatives: Vec::new(), ..decision.clone() };
        tally.unlikely += usize::from(!agree(&fib, &query, &likely, &answer));
        tally.alternatives += usize::from(!decision.alternatives.is_empty());
    }
    Ok(())
}

fn agree(
    fib: &Fib<'_>,
    query: &Query,
    decision: &Decision,
    answer: &Result<RouteAnswer, NoRoute>,
) -> bool {
    let outcomes = decision.alternatives.iter().map(|other| &other.outcome);
    std::iter::once(&decision.outcome).chain(outcomes).any(|outcome| {
        same(fib, query, outcome, answer) && same_source(fib, query, outcome, answer)
    })
}

fn same(
    fib: &Fib<'_>,
    query: &Query,
    outcome: &Outcome,
    answer: &Result<RouteAnswer, NoRoute>,
) -> bool {
    match (outcome, answer) {
        (Outcome::Send { table, hops, .. }, Ok(answer)) => {
            // IPv6 routes by one object share what the kernel keeps of a route: the table told
            // may be that of another one.
            let shared = query.dst.is_ipv6()
                && fib
                    .table(query.family(), *table)
                    .iter()
                    .any(|of| of.nexthop_id.is_some() && of.dst.contains(query.dst));
            answer.kind == kind_of(query.dst)
                && (answer.table == *table || shared)
                && hops
                    .iter()
                    .any(|hop| (hop.ifindex, hop.gateway) == (answer.ifindex, answer.gateway))
        }
        (Outcome::Local { kind, table, .. }, Ok(answer)) => {
            // While local and main are one trie the kernel names it main.
            [*kind, kind_of(query.dst)].contains(&answer.kind)
                && [*table, fib::TABLE_MAIN].contains(&answer.table)
        }
        (Outcome::OnLink { ifindex }, Ok(answer)) => {
            answer.ifindex == Some(*ifindex) && answer.gateway.is_none()
        }
        (Outcome::Refuse { errno, .. }, Err(NoRoute::Refused(number))) => name(*number) == *errno,
        (Outcome::SourceNotLocal, Err(NoRoute::Refused(number))) => {
            matches!(name(*number), "ENETUNREACH" | "EINVAL")
        }
        _ => false,
    }
}

/// What the kernel calls a route to it.
fn kind_of(dst: IpAddr) -> RouteKind {
    match dst {
        IpAddr::V4(a) if a.is_broadcast() => RouteKind::Broadcast,
        IpAddr::V4(a) if a.is_multicast() => RouteKind::Multicast,
        _ => RouteKind::Unicast,
    }
}

fn name(errno: i32) -> &'static str {
    match errno {
        13 => "EACCES",
        19 => "ENODEV",
        22 => "EINVAL",
        101 => "ENETUNREACH",
        113 => "EHOSTUNREACH",
        _ => "another",
    }
}

/// The source that an unbound IPv4 socket gets, where the model tells it.
fn same_source(
    fib: &Fib<'_>,
    query: &Query,
    outcome: &Outcome,
    answer: &Result<RouteAnswer, NoRoute>,
) -> bool {
    let Ok(answer) = answer else { return true };
    let told = fib.source(query, outcome);
    query.src.is_some() || told.is_none() || told == answer.prefsrc
}

/// Leaves out what is not needed for the disagreement, each time on a namespace of its own.
fn shrink(config: Config, query: &Query, here: Option<String>) -> String {
    let mut lines = config.lines;
    let mut best = differ(&lines, query);
    let mut before = usize::MAX;
    while best.is_some() && lines.len() < before {
        before = lines.len();
        let mut i = lines.len();
        while i > 0 {
            i -= 1;
            let mut fewer = lines.clone();
            fewer.remove(i);
            if let Some(shown) = differ(&fewer, query) {
                best = Some(shown);
                lines = fewer;
            }
        }
    }
    let mut text = String::new();
    let family = if query.dst.is_ipv6() { "-6" } else { "-4" };
    for line in &lines {
        let _ = match line {
            Line::Ip(command) => writeln!(text, "  ip {family} {command}"),
            Line::Sysctl(path, value) => writeln!(text, "  echo {value} > /proc/sys/net/{path}"),
            Line::Cut(rail) => writeln!(text, "  (carrier of {} off)", RAILS[*rail]),
        };
    }
    let shown = best.unwrap_or_else(|| {
        format!("not so in a namespace of its own, only here:\n{}", here.unwrap_or_default())
    });
    text + &shown
}

fn differ(lines: &[Line], query: &Query) -> Option<String> {
    let lab = Lab::new(query.dst.is_ipv6());
    lab.apply(lines);
    let state = lab.settled();
    difference(&lab, &state, query)
}

/// What is so, what was asked and both answers, if they differ.
fn difference(lab: &Lab, state: &State, query: &Query) -> Option<String> {
    let fib = state.fib();
    let decision = fib.decide(query);
    let answer = lab.ask(query);
    if agree(&fib, query, &decision, &answer) {
        return None;
    }
    let shown =
        ["rule", "route show table all", "nexthop"].map(|what| lab.ip(what).trim_end().to_owned());
    let source = fib.source(query, &decision.outcome);
    Some(format!(
        "{}\n{query:?}\nmodel:  {decision:#?}\nmodel's source: {source:?}\nkernel: {answer:?}\n",
        shown.join("\n--\n")
    ))
}
