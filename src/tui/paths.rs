//! What the Routes screen shows and no frame may compute: which rail is really taken, how one
//! decision came about, and which lines are new.

use crate::check::paths::{Cell, Matrix, State, matrix};
use crate::check::peers::{Peers, Remembered};
use crate::fib::Fib;
use crate::node::{Node, RailAddress};
use crate::sample::{Link, Mono, Route, Routing, Rule, Sysctls, Text, Unknown};
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

/// A line is new for so long.
const FRESH_NS: u64 = 5_000_000_000;
/// Of a full BGP table no line is told apart; nobody looks at them one by one.
const MOST: usize = 5000;

/// So many lines that went are looked at.
const MOST_COMPARED: usize = 64;
/// So many lines that went are shown.
const MOST_GONE: usize = 8;

/// A place in the matrix: row and column.
pub(crate) type Place = (usize, usize);

/// A rule or a route as `ip` prints it.
#[derive(Debug)]
pub(crate) struct Told {
    /// As the evidence of a finding has it.
    pub(crate) text: Text,
    /// When it appeared, if it was not there from the start.
    since: Option<Mono>,
}

impl Told {
    /// Did it appear just now?
    pub(crate) fn is_fresh(&self, now: Mono) -> bool {
        self.since.is_some_and(|since| now.0.saturating_sub(since.0) <= FRESH_NS)
    }
}

/// The lines of one family, each at the place of its rule or route.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// Rules and routes were read: from then on others are new.
    read: bool,
    pub(crate) rules: Vec<Told>,
    pub(crate) routes: Vec<Told>,
    /// Rules that went just now, with when.
    pub(crate) gone_rules: Vec<Told>,
    /// Routes that went just now.
    pub(crate) gone_routes: Vec<Told>,
}

/// The decisions of a node and the lines they come from, computed when one of them changed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Paths {
    key: Option<Key>,
    peers: Remembered,
    matrix: Option<Arc<Result<Matrix, Unknown>>>,
    v4: Arc<Lines>,
    v6: Arc<Lines>,
    at: Place,
    story: Vec<String>,
}

impl Paths {
    /// Takes the state of a node in. True: something was computed anew.
    pub(crate) fn update(&mut self, node: &Node) -> bool {
        let key = Key::of(node, self.peers.of(node));
        if self.key.as_ref().is_some_and(|last| last.is_same(&key)) {
            return false;
        }
        self.key = Some(key);
        self.matrix = Some(Arc::new(matrix(node, None, &[])));
        let fib = fib(node);
        let routing = &node.routing;
        let seen = Seen { now: node.time.mono };
        self.v4 = Arc::new(seen.lines(&fib, &self.v4, &routing.rules4, &routing.routes4));
        self.v6 = Arc::new(seen.lines(&fib, &self.v6, &routing.rules6, &routing.routes6));
        true
    }

    /// Tells how the decision at a place came about; without a place, the first wrong one.
    pub(crate) fn tell(&mut self, node: &Node, place: Option<Place>) {
        let (rows, columns) = self.size();
        let (row, column) = place.or_else(|| self.first_wrong()).unwrap_or_default();
        self.at = (row.min(rows.saturating_sub(1)), column.min(columns.saturating_sub(1)));
        let story = self.cell(self.at).map(|cell| fib(node).explain(&cell.query, &cell.decision));
        self.story = story.unwrap_or_default();
    }

    /// The matrix, or why there is none.
    pub(crate) fn matrix(&self) -> Option<Result<&Matrix, &Unknown>> {
        self.matrix.as_deref().map(Result::as_ref)
    }

    /// Rows and columns.
    pub(crate) fn size(&self) -> Place {
        self.matrix().and_then(Result::ok).map_or((0, 0), |m| (m.from.len(), m.to.len()))
    }

    /// The selected place.
    pub(crate) fn at(&self) -> Place {
        self.at
    }

    /// The selected decision; none between two families.
    pub(crate) fn chosen(&self) -> Option<&Cell> {
        self.cell(self.at)
    }

    /// How the selected decision came about.
    pub(crate) fn story(&self) -> &[String] {
        &self.story
    }

    /// The lines of a family.
    pub(crate) fn lines(&self, v4: bool) -> &Lines {
        if v4 { &self.v4 } else { &self.v6 }
    }

    fn cell(&self, (row, column): Place) -> Option<&Cell> {
        let matrix = self.matrix()?.ok()?;
        let (from, to): (&Option<IpAddr>, _) = (matrix.from.get(row)?, matrix.to.get(column)?);
        matrix.cells.iter().find(|c| c.from == *from && c.to == *to)
    }

    fn first_wrong(&self) -> Option<Place> {
        let matrix = self.matrix()?.ok()?;
        let wrong =
            |c: &&Cell| matches!(c.state(), State::Wrong | State::Dead) && c.owner.is_some();
        let cell = matrix.cells.iter().find(wrong)?;
        let row = matrix.from.iter().position(|from| *from == cell.from)?;
        Some((row, matrix.to.iter().position(|to| *to == cell.to)?))
    }
}

fn fib(node: &Node) -> Fib<'_> {
    let links = node.links.as_ref().map_or(&[][..], |links| links);
    Fib::new(links, &node.routing, &node.sysctls, node.host.kernel.as_deref().ok())
}

/// When lines are looked at.
#[derive(Clone, Copy)]
struct Seen {
    now: Mono,
}

impl Seen {
    fn lines(
        self,
        fib: &Fib<'_>,
        before: &Lines,
        rules: &Result<Vec<Rule>, Unknown>,
        routes: &Result<Vec<Route>, Unknown>,
    ) -> Lines {
        let read = before.read || rules.is_ok() && routes.is_ok();
        let rules = rules.iter().flatten().take(MOST).map(|rule| fib.rule_line(rule));
        let routes = routes.iter().flatten().take(MOST).map(|route| {
            if route.expires.is_some() {
                // A lifetime that runs is no new route.
                fib.route_line(&Route { expires: None, ..route.clone() })
            } else {
                fib.route_line(route)
            }
        });
        // Nothing is new at first sight.
        let new = before.read.then_some(self.now);
        let rules = self::told(&before.rules, new, rules);
        let routes = self::told(&before.routes, new, routes);
        Lines {
            read,
            gone_rules: self.gone(&before.rules, &before.gone_rules, &rules),
            gone_routes: self.gone(&before.routes, &before.gone_routes, &routes),
            rules,
            routes,
        }
    }

    /// Lines that were there and are not, and those that went a moment before and stayed away.
    fn gone(self, before: &[Told], earlier: &[Told], now: &[Told]) -> Vec<Told> {
        let there: HashSet<&str> = now.iter().map(|told| &*told.text).collect();
        let away = |told: &&Told| !there.contains(&*told.text);
        let mut all: Vec<Told> = earlier
            .iter()
            .filter(|told| told.is_fresh(self.now))
            .filter(away)
            .map(|told| Told { text: told.text.clone(), since: told.since })
            .collect();
        // The kernel's own come and go with an address; a mark (`linkdown`) is another line.
        let own = |told: &&Told| !["local ", "broadcast "].iter().any(|w| told.text.starts_with(w));
        let marked = |told: &&Told| {
            let old = told.text.trim_end();
            let same = |t: &Told| t.text.starts_with(old) || old.starts_with(t.text.trim_end());
            !now.iter().any(same)
        };
        let new = before.iter().filter(away).filter(own).take(MOST_COMPARED).filter(marked);
        all.extend(new.map(|told| Told { text: told.text.clone(), since: Some(self.now) }));
        let more = all.len().saturating_sub(MOST_GONE);
        all.drain(..more);
        all
    }
}

/// The lines, each since when it is there, as far as it was seen to come.
fn told(before: &[Told], new: Option<Mono>, lines: impl Iterator<Item = String>) -> Vec<Told> {
    let known: HashMap<&str, Option<Mono>> =
        before.iter().map(|told| (&*told.text, told.since)).collect();
    lines
        .map(|line| {
            let text = Text::from(line);
            let since = known.get(&*text).copied().unwrap_or(new);
            Told { text, since }
        })
        .collect()
}

/// What the decisions depend on: the same key, the same decisions.
#[derive(Clone, Debug)]
struct Key {
    links: Option<Arc<Vec<Link>>>,
    routing: Arc<Routing>,
    sysctls: Arc<Sysctls>,
    rails: Vec<(Text, Vec<RailAddress>)>,
    peers: Arc<Peers>,
}

impl Key {
    fn of(node: &Node, peers: Arc<Peers>) -> Self {
        Self {
            links: node.links.as_ref().ok().cloned(),
            routing: Arc::clone(&node.routing),
            sysctls: Arc::clone(&node.sysctls),
            rails: node.rails.iter().map(|r| (r.name.clone(), r.addresses.clone())).collect(),
            peers,
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        let same_links = match (&self.links, &other.links) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        };
        same_links
            && Arc::ptr_eq(&self.routing, &other.routing)
            && Arc::ptr_eq(&self.sysctls, &other.sysctls)
            && self.rails == other.rails
            && Arc::ptr_eq(&self.peers, &other.peers)
    }
}

#[cfg(test)]
mod tests;
