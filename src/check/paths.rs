//! The decision matrix: which rail the kernel takes from each rail address to each destination,
//! and whether it is the right one.

mod cell;

pub use cell::{Cell, Dead, State};

use super::peers::{Known, Peer, Peers, few};
use crate::fib::{Fib, Outcome, Query};
use crate::node::{Node, Rail};
use crate::sample::{Address, Link, Neighbour, Prefix, Text, Unknown};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// So many destinations are chosen when none are given, or one for each prefix of the rails.
const COLUMNS: usize = 8;
/// But never more than these.
const MOST_COLUMNS: usize = 32;
/// So many of them are peers beyond the rails' prefixes, if there are any.
const BEYOND: usize = 2;
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
    /// Row by row. A source and a destination of different families have no cell; nor have,
    /// where the destinations were chosen, those that live in different VRFs.
    pub cells: Vec<Cell>,
    /// Of so many peers and neighbours the destinations were chosen; 0 where they were given.
    pub known: usize,
}

/// The matrix of a node. Without `to`, destinations are a few peers and neighbours of each rail
/// prefix, else one probe; without `from`, every rail address and the unbound socket.
pub fn matrix(node: &Node, from: Option<IpAddr>, to: &[IpAddr]) -> Result<Matrix, Unknown> {
    let links = node.links.as_ref().map_err(Clone::clone)?;
    let addresses = node.routing.addresses.as_ref().map_err(Clone::clone)?;
    let fib = Fib::new(links, &node.routing, &node.sysctls, node.host.kernel.as_deref().ok());
    let given = !to.is_empty();
    let Chosen { to, known } = if given {
        Chosen { to: to.to_vec(), known: 0 }
    } else {
        destinations(node, &Peers::of(node), &fib)
    };
    let homes = homes(node, links);
    let from: Vec<Option<IpAddr>> = match from {
        Some(source) => vec![Some(source)],
        None => sources(node).into_iter().map(Some).chain([None]).collect(),
    };
    let cells = from
        .iter()
        .flat_map(|source| to.iter().map(move |dst| (*source, *dst)))
        .filter(|(source, dst)| source.is_none_or(|s| s.is_ipv4() == dst.is_ipv4()))
        .filter(|(source, dst)| given || meet(&homes, *source, *dst))
        .map(|(source, dst)| cell(node, &fib, links, addresses, (source, dst), &homes))
        .collect();
    Ok(Matrix { from, to, cells, known })
}

/// An address of a rail, with its interface and the VRF that the interface is in.
struct Home {
    ip: IpAddr,
    prefix: Prefix,
    interface: Text,
    /// ifindex of the master.
    vrf: Option<u32>,
}

fn homes(node: &Node, links: &[Link]) -> Vec<Home> {
    let vrf = |name: &Text| {
        let master = links.iter().find(|l| l.name == *name)?.master?;
        links.iter().find(|l| l.index == master && l.vrf_table.is_some()).map(|l| l.index)
    };
    let all = node.rails.iter().flat_map(|r| &r.addresses);
    all.map(|a| Home {
        ip: a.ip(),
        prefix: a.prefix.network(),
        interface: a.interface.clone(),
        vrf: vrf(&a.interface),
    })
    .collect()
}

/// Does the destination live where the source does? Prefixes may be the same in several VRFs.
fn meet(homes: &[Home], source: Option<IpAddr>, dst: IpAddr) -> bool {
    let of = source.and_then(|s| homes.iter().find(|h| h.ip == s)).and_then(|h| h.vrf);
    let mut holders = homes.iter().filter(|h| h.prefix.contains(dst)).peekable();
    holders.peek().is_none() || holders.any(|h| h.vrf == of)
}

/// Is the destination in a subnet that other rails have and the source's interface has not?
fn aside(homes: &[Home], source: Option<IpAddr>, dst: IpAddr) -> bool {
    let Some(own) = source.and_then(|s| homes.iter().find(|h| h.ip == s)) else { return false };
    let mut holders =
        homes.iter().filter(|h| h.prefix.contains(dst) && h.vrf == own.vrf).peekable();
    holders.peek().is_some() && holders.all(|h| h.interface != own.interface)
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

/// What the columns are chosen from, and the columns.
struct Chosen {
    to: Vec<IpAddr>,
    known: usize,
}

/// Named peers first; then, for each prefix of the rails, a few of LNet's peers, else of the
/// neighbours, else one probe; and a few peers beyond all prefixes. The same ones every time.
fn destinations(node: &Node, peers: &Peers, fib: &Fib<'_>) -> Chosen {
    let prefixes = prefixes(node);
    let most = COLUMNS.max(prefixes.len().min(MOST_COLUMNS));
    let foreign = |p: &&Peer| !fib.is_local(p.ip);
    let answers = |n: &&Neighbour| n.state & NOBODY == 0 && !fib.is_local(n.dst);
    let seen = node.routing.neighbours.iter().flatten().filter(answers).map(|n| n.dst);
    let seen: BTreeSet<IpAddr> =
        seen.filter(|ip| prefixes.iter().any(|p| p.contains(*ip))).collect();
    let mut known: BTreeSet<IpAddr> = peers.all().iter().filter(foreign).map(|p| p.ip).collect();
    known.extend(&seen);

    let named = peers.all().iter().filter(foreign).filter(|p| p.known == Known::Named);
    let mut to: Vec<IpAddr> = named.map(|p| p.ip).take(most).collect();
    let beyond: Vec<&Peer> = peers
        .all()
        .iter()
        .filter(foreign)
        .filter(|p| !prefixes.iter().any(|prefix| prefix.contains(p.ip)))
        .collect();
    let beyond: Vec<IpAddr> = few(&beyond, BEYOND).map(|p| p.ip).collect();
    let room = most.saturating_sub(to.len() + beyond.len());
    let each = (room / prefixes.len().max(1)).max(1);
    for prefix in &prefixes {
        let ours: Vec<&Peer> = peers.inside(prefix).iter().filter(foreign).collect();
        let mut own: Vec<IpAddr> = few(&ours, each).map(|p| p.ip).collect();
        let others: Vec<IpAddr> =
            seen.iter().copied().filter(|ip| prefix.contains(*ip) && !own.contains(ip)).collect();
        own.extend(few(&others, each.saturating_sub(own.len())));
        if own.is_empty() && !to.iter().any(|ip| prefix.contains(*ip)) {
            own.extend(probe(prefix, fib));
        }
        to.extend(own);
    }
    to.extend(beyond);
    let mut once = BTreeSet::new();
    to.retain(|ip| once.insert(*ip));
    to.truncate(most);
    Chosen { to, known: known.len() }
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
    (from, to): (Option<IpAddr>, IpAddr),
    homes: &[Home],
) -> Cell {
    let name = |index: u32| links.iter().find(|l| l.index == index).map(|l| l.name.clone());
    // Whoever uses an address of a VRF is bound to the VRF.
    let home = from.and_then(|source| homes.iter().find(|h| h.ip == source));
    let query = Query { oif: home.and_then(|h| h.vrf), ..Query::new(from, to) };
    let aside = aside(homes, from, to);
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
                Some(_) if aside => holds(homes, d, to),
                Some(owner) => d == owner,
                None => from.is_none() && node.rails.iter().any(|r| is_of(r, d)),
            });
    let besides = owner.as_ref().filter(|owner| !devices.contains(owner));
    let dead = devices.iter().chain(besides).filter_map(|d| Some((d.clone(), dead(links, d)?)));
    let dead = dead.collect();
    Cell {
        from,
        to,
        devices,
        table,
        rule_preference,
        owner,
        right,
        aside,
        dead,
        refused,
        decision,
        query,
    }
}

/// Why the interface carries nothing, if it does not.
fn dead(links: &[Link], device: &str) -> Option<Dead> {
    let flags = links.iter().find(|l| *l.name == *device)?.flags;
    match (flags.is_up(), flags.has_carrier()) {
        (true, true) => None,
        (true, false) => Some(Dead::NoCarrier),
        (false, _) => Some(Dead::SwitchedOff),
    }
}

/// Has the interface a part in the destination's subnet?
fn holds(homes: &[Home], device: &str, dst: IpAddr) -> bool {
    homes.iter().any(|h| *h.interface == *device && h.prefix.contains(dst))
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
