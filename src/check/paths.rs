//! The decision matrix: which rail the kernel takes from each rail address to each destination,
//! and whether it is the right one.

use crate::fib::{Decision, Fib, Outcome, Query};
use crate::node::{Node, Rail};
use crate::sample::{Address, Link, Prefix, Text, Unknown};
use std::net::IpAddr;

/// At most so many destinations are chosen when none are given.
const COLUMNS: usize = 8;
/// `ifa_scope` from here on: link, host.
const SCOPE_LINK: u8 = 253;
/// IFA_F_DADFAILED, IFA_F_TENTATIVE: not usable yet, or never.
const UNUSABLE: u32 = 0x08 | 0x40;
/// NUD_INCOMPLETE, NUD_FAILED: nobody answers there.
const NOBODY: u16 = 0x01 | 0x20;

/// Rows of sources, columns of destinations.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matrix {
    /// Sources in rail order; `None` is an unbound socket.
    pub from: Vec<Option<IpAddr>>,
    /// Destinations.
    pub to: Vec<IpAddr>,
    /// Row by row; a source and a destination of different families have no cell.
    pub cells: Vec<Cell>,
}

/// One decision.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Source the packet is bound to.
    pub from: Option<IpAddr>,
    /// Where it goes.
    pub to: IpAddr,
    /// The devices it may leave by; more than one where the kernel spreads by hash.
    pub devices: Vec<Text>,
    /// The table that decided.
    pub table: Option<u32>,
    /// The rule that led there.
    pub rule_preference: Option<u32>,
    /// The interface that has the source address.
    pub owner: Option<Text>,
    /// Does it leave by the interface that owns the source (an unbound packet: by any rail)?
    pub right: bool,
    /// Why there is no device: an errno, or what is not known.
    pub refused: Option<Text>,
    /// How the decision came about.
    pub decision: Decision,
    /// The question.
    pub query: Query,
}

/// The matrix of a node. Without `to`, destinations are the neighbours of the rails, else one
/// probe per rail prefix; without `from`, every rail address and the unbound socket.
pub fn matrix(node: &Node, from: Option<IpAddr>, to: &[IpAddr]) -> Result<Matrix, Unknown> {
    let links = node.links.as_ref().map_err(Clone::clone)?;
    let addresses = node.routing.addresses.as_ref().map_err(Clone::clone)?;
    let fib = Fib::new(links, &node.routing, &node.sysctls, node.host.kernel.as_deref().ok());
    let to = if to.is_empty() { destinations(node, &fib) } else { to.to_vec() };
    let from: Vec<Option<IpAddr>> = match from {
        Some(source) => vec![Some(source)],
        None => sources(node).into_iter().map(Some).chain([None]).collect(),
    };
    let cells = from
        .iter()
        .flat_map(|source| to.iter().map(move |dst| (*source, *dst)))
        .filter(|(source, dst)| source.is_none_or(|s| s.is_ipv4() == dst.is_ipv4()))
        .map(|(source, dst)| cell(node, &fib, links, addresses, source, dst))
        .collect();
    Ok(Matrix { from, to, cells })
}

/// The usable global addresses of the rails.
fn sources(node: &Node) -> Vec<IpAddr> {
    let mut all = Vec::new();
    for address in node.rails.iter().flat_map(|r| &r.addresses) {
        let usable = address.scope < SCOPE_LINK && address.flags & UNUSABLE == 0;
        if usable && !all.contains(&address.ip()) {
            all.push(address.ip());
        }
    }
    all
}

/// Prefixes of the rails that hold more than the address itself.
fn prefixes(node: &Node) -> Vec<Prefix> {
    let mut all: Vec<Prefix> = Vec::new();
    for address in node.rails.iter().flat_map(|r| &r.addresses) {
        let whole = if address.ip().is_ipv4() { 31 } else { 127 };
        let network = address.prefix.network();
        let usable = address.scope < SCOPE_LINK && address.prefix.len < whole;
        if usable && !all.contains(&network) {
            all.push(network);
        }
    }
    all
}

fn destinations(node: &Node, fib: &Fib<'_>) -> Vec<IpAddr> {
    let prefixes = prefixes(node);
    let mut all: Vec<IpAddr> = Vec::new();
    for neighbour in node.routing.neighbours.iter().flatten() {
        let answers = neighbour.state & NOBODY == 0;
        let ours = prefixes.iter().any(|p| p.contains(neighbour.dst));
        if answers && ours && !fib.is_local(neighbour.dst) && !all.contains(&neighbour.dst) {
            all.push(neighbour.dst);
        }
    }
    all.sort();
    all.truncate(COLUMNS);
    let covered: Vec<IpAddr> = all.clone();
    for prefix in prefixes.iter().filter(|p| !covered.iter().any(|a| p.contains(*a))) {
        all.extend(probe(prefix, fib));
    }
    all.truncate(COLUMNS);
    all
}

/// An address of the prefix that is not ours: never the network or the broadcast address.
fn probe(prefix: &Prefix, fib: &Fib<'_>) -> Option<IpAddr> {
    (1..16)
        .filter_map(|host| match prefix.network().addr {
            IpAddr::V4(a) => a.to_bits().checked_add(host).map(|b| IpAddr::V4(b.into())),
            IpAddr::V6(a) => a.to_bits().checked_add(host.into()).map(|b| IpAddr::V6(b.into())),
        })
        .find(|a| prefix.contains(*a) && !fib.is_local(*a))
}

fn cell(
    node: &Node,
    fib: &Fib<'_>,
    links: &[Link],
    addresses: &[Address],
    from: Option<IpAddr>,
    to: IpAddr,
) -> Cell {
    let name = |index: u32| links.iter().find(|l| l.index == index).map(|l| l.name.clone());
    let query = Query::new(from, to);
    let decision = fib.decide(&query);
    let owner = from
        .and_then(|source| addresses.iter().find(|a| a.local.addr == source))
        .and_then(|a| name(a.ifindex));
    let mut devices: Vec<Text> = decision.outcome.devices().into_iter().filter_map(name).collect();
    devices.dedup();
    let (table, rule_preference, refused) = facts(&decision.outcome);
    let local = matches!(decision.outcome, Outcome::Local { .. });
    let right = local
        || !devices.is_empty()
            && devices.iter().all(|d| match &owner {
                Some(owner) => d == owner,
                None => from.is_none() && node.rails.iter().any(|r| is_of(r, d)),
            });
    Cell { from, to, devices, table, rule_preference, owner, right, refused, decision, query }
}

/// Is it an interface of this rail?
fn is_of(rail: &Rail, device: &str) -> bool {
    rail.netdev.iter().chain(&rail.children).any(|n| &*n.name == device)
        || rail.bond.as_ref().is_some_and(|b| &**b == device)
}

fn facts(outcome: &Outcome) -> (Option<u32>, Option<u32>, Option<Text>) {
    match outcome {
        Outcome::Send { table, preference, .. } | Outcome::Local { table, preference, .. } => {
            (Some(*table), Some(*preference), None)
        }
        Outcome::Refuse { errno, preference, .. } => (None, *preference, Some((*errno).into())),
        Outcome::OnLink { .. } => (None, None, None),
        Outcome::SourceNotLocal => {
            (None, None, Some("the source is no address of this node".into()))
        }
        Outcome::Unknown(why) => (None, None, Some(why.to_string().into())),
    }
}
