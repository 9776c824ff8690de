//! The order of the peers: the worst first, then the busiest, and nothing jumps without need.

use super::{Peer, PeerCondition, PeerCount, PeerCounts, Peers, Seat, condition};
use crate::natural;
use crate::sample::MAX_HEALTH;
use std::cmp::{Ordering, Reverse};
use std::net::IpAddr;

/// What decides, in this order. Rates count by powers of two: peers that are about as busy stand
/// by their names, or the list would be another one at every answer.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    condition: PeerCondition,
    health: u32,
    failing: Reverse<i16>,
    waiting: Reverse<u32>,
    busy: Reverse<i16>,
}

/// Seats in order, and how many of each kind.
pub(super) fn of(peers: &Peers) -> (Vec<Seat>, PeerCounts) {
    let mut counts = PeerCounts::default();
    let mut rates = 0;
    let mut all: Vec<(Rank, Key<'_>, Seat)> = Vec::with_capacity(peers.answer.value.len());
    for (place, raw) in peers.answer.value.iter().enumerate() {
        let seat = Seat { peer: place, rates, condition: PeerCondition::Unknown };
        rates += raw.nis.len();
        let mut peer = Peer { peers, seat, raw };
        peer.seat.condition = condition(&peer);
        counts.add(&peer);
        all.push((rank(&peer), Key::of(&raw.primary_nid), peer.seat));
    }
    all.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
    (all.into_iter().map(|(_, _, seat)| seat).collect(), counts)
}

impl PeerCounts {
    pub(super) fn add(&mut self, peer: &Peer<'_>) {
        let condition = peer.condition();
        self.peers += 1;
        self.nis += peer.raw.nis.len();
        self.troubled += usize::from(condition.is_trouble());
        self.unhealthy += usize::from(condition == PeerCondition::Unhealthy);
        self.own += usize::from(condition == PeerCondition::Own);
        self.elsewhere += usize::from(condition == PeerCondition::Elsewhere);
        self.unknown += usize::from(condition == PeerCondition::Unknown);
    }
}

fn rank(peer: &Peer<'_>) -> Rank {
    let condition = peer.condition();
    let busy: f64 = peer
        .nis()
        .flat_map(|ni| [PeerCount::Sent, PeerCount::Received].map(|count| ni.rate(count)))
        .flatten()
        .sum();
    let trouble = condition.is_trouble();
    let near = || peer.nis().filter(|ni| trouble && !ni.is_elsewhere);
    Rank {
        condition,
        health: if trouble { peer.lowest_health().unwrap_or(MAX_HEALTH) } else { MAX_HEALTH },
        failing: Reverse(magnitude(near().map(|ni| ni.failing()).sum())),
        waiting: Reverse(near().map(|ni| ni.waiting()).max().unwrap_or(0)),
        busy: Reverse(magnitude(busy)),
    }
}

/// The power of two below a rate.
fn magnitude(rate: f64) -> i16 {
    if rate > 0.0 { rate.log2().floor().clamp(-1000.0, 1000.0) as i16 } else { i16::MIN }
}

/// NIDs by net, then by address as a number where it is one.
struct Key<'a> {
    net: &'a str,
    ip: Option<IpAddr>,
    nid: &'a str,
}

impl<'a> Key<'a> {
    fn of(nid: &'a str) -> Self {
        let (address, net) = nid.rsplit_once('@').unwrap_or((nid, ""));
        Self { net, ip: address.parse().ok(), nid }
    }

    fn cmp(&self, other: &Self) -> Ordering {
        let net = natural::cmp(self.net, other.net);
        let address = || match (self.ip, other.ip) {
            (Some(a), Some(b)) => a.cmp(&b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => natural::cmp(self.nid, other.nid),
        };
        net.then_with(address).then_with(|| self.nid.cmp(other.nid))
    }
}
