//! Neighbour entries that show a peer answering on the wrong port.

use super::lines;
use super::scene::{Iface, Scene, Set};
use super::tell::{Told, few};
use crate::check::Severity;
use crate::check::catalogue::routing as id;
use crate::check::peers::Known;
use crate::fix::{Action, Change};
use crate::sample::{Family, Neighbour, Text};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// NUD_INCOMPLETE, NUD_FAILED.
const NO_ANSWER: u16 = 0x01 | 0x20;
/// An IPoIB hardware address: four bytes of flags and QPN, then the GID.
const IPOIB_BYTES: usize = 20;

/// One finding per prefix set. IPv6 has no such answers: the owner of an address answers.
pub(super) fn find(scene: &Scene<'_>) -> Vec<Told> {
    let sets = scene.sets.iter().filter(|s| s.prefix.family() == Family::Inet);
    sets.filter_map(|set| {
        let entries = entries(scene, set);
        two_answers(scene, set, &entries).or_else(|| one_port(scene, set, &entries))
    })
    .collect()
}

/// The usable entries of a set's interfaces, by address. Routers answer for many.
fn entries<'a>(scene: &Scene<'a>, set: &Set) -> Vec<&'a Neighbour> {
    let arping = |index: u32| {
        let place = scene.rail_iface(index).filter(|place| set.ifaces.contains(place));
        place.and_then(|place| scene.iface(place)).is_some_and(Iface::does_arp)
    };
    let counts = |n: &&Neighbour| {
        let answered = n.state & NO_ANSWER == 0 && n.lladdr.is_some() && !n.router;
        answered && set.prefix.contains(n.dst) && arping(n.ifindex)
    };
    let mut all: Vec<&Neighbour> =
        scene.routing.neighbours.iter().flatten().filter(counts).collect();
    all.sort_by_key(|n| (n.dst, n.ifindex));
    all
}

/// A peer's address that has one hardware address on this rail and another on that one.
fn two_answers(scene: &Scene<'_>, set: &Set, entries: &[&Neighbour]) -> Option<Told> {
    let pair = entries.windows(2).find_map(|w| match w {
        [a, b] if a.dst == b.dst && a.ifindex != b.ifindex && gid(a) != gid(b) => Some((*a, *b)),
        _ => None,
    });
    let (a, b) = pair?;
    let what = format!(
        "{} has one hardware address on {} and another on {}: the peer answers on the wrong port \
         (ARP flux there)",
        a.dst,
        scene.dev(a.ifindex),
        scene.dev(b.ifindex)
    );
    Some(told(scene, set, &[a, b], what))
}

/// Two addresses of one peer of LNet with one hardware address: one of its ports answers for
/// both. That they belong to one peer LNet says, and each is an NI of its own, which no moving
/// or secondary address is.
fn one_port(scene: &Scene<'_>, set: &Set, entries: &[&Neighbour]) -> Option<Told> {
    let mut owners: BTreeMap<IpAddr, &Text> = BTreeMap::new();
    for peer in scene.peers.inside(&set.prefix) {
        if let Known::Lnet { peer: primary, .. } = &peer.known {
            owners.insert(peer.ip, primary);
        }
    }
    let mut seen: BTreeMap<(&Text, u32, String), &Neighbour> = BTreeMap::new();
    for entry in entries.iter().copied() {
        let (Some(owner), Some(port)) = (owners.get(&entry.dst), gid(entry)) else { continue };
        let first = seen.entry((owner, entry.ifindex, port)).or_insert(entry);
        if first.dst != entry.dst {
            let what = format!(
                "{} and {} of the peer {owner} have one hardware address: one of its ports answers \
                 for both (ARP flux there)",
                first.dst, entry.dst
            );
            return Some(told(scene, set, &[first, entry], what));
        }
    }
    None
}

fn told(scene: &Scene<'_>, set: &Set, entries: &[&Neighbour], what: String) -> Told {
    let mut devices: Vec<u32> = entries.iter().map(|n| n.ifindex).collect();
    devices.dedup();
    let flush = devices.iter().map(|&d| Change::here(Action::NeighbourFlush { dev: scene.dev(d) }));
    Told::new(scene, id::NEIGH_SHARED_LLADDR, Severity::Warning, &set.ifaces, what)
        .seen(entries.iter().map(|n| lines::neighbour(scene, n)))
        .mended(flush.collect())
}

/// Addresses on a rail's wire that no rail has a prefix for.
pub(super) fn strangers<'a>(scene: &Scene<'a>, most: usize) -> Vec<(usize, &'a Neighbour)> {
    let counts = |n: &&Neighbour| {
        let answered = n.state & NO_ANSWER == 0 && n.lladdr.is_some() && !n.router;
        let global = matches!(n.dst, IpAddr::V4(a) if !a.is_link_local() && !a.is_multicast());
        let known = scene.sets.iter().any(|s| s.prefix.contains(n.dst));
        answered && global && !known && !scene.fib.is_local(n.dst)
    };
    let all = scene.routing.neighbours.iter().flatten().filter(counts);
    all.filter_map(|n| Some((scene.rail_iface(n.ifindex)?, n))).take(most).collect()
}

/// The part of a hardware address that names the port.
pub(super) fn port(lladdr: &str) -> Option<String> {
    let bytes: Vec<&str> = lladdr.split(':').collect();
    let from = if bytes.len() == IPOIB_BYTES { 4 } else { 0 };
    Some(bytes.get(from..)?.join(":").to_ascii_lowercase())
}

fn gid(neighbour: &Neighbour) -> Option<String> {
    port(neighbour.lladdr.as_deref()?)
}

/// The addresses in words: two of them, then how many more.
pub(super) fn addresses(ips: impl IntoIterator<Item = IpAddr>) -> String {
    few(ips.into_iter().map(|ip| ip.to_string()))
}
