//! LNet's peers: what their counts say, what is wrong with them, the worst first.
//!
//! A server may have ten thousand. All of this is computed once per answer of `lnetctl peer
//! show`; what a screen asks for afterwards costs by the peers that it shows.

mod memory;
mod order;
#[cfg(test)]
mod tests;
mod words;

pub(super) use memory::Memory;

use super::counts::figure;
use crate::node::Figure;
use crate::sample::{LnetPeer, LnetPeerNi, MAX_HEALTH, Mono, Reading, Text, Timed};
use std::sync::Arc;
use std::time::Duration;

/// What LNet counts per peer NI; 32 bits, they wrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PeerCount {
    /// Messages sent to it.
    Sent,
    /// Messages received from it.
    Received,
    /// Messages of it that were dropped.
    Dropped,
    /// Failures that are the peer's: it dropped the message (`health stats / dropped`).
    RemoteDropped,
    /// The peer did not take it in time (`timeout`).
    RemoteTimeouts,
    /// Another failure of the peer (`error`).
    RemoteErrors,
    /// No answer in time; whose fault it is cannot be told (`network timeout`).
    NetworkTimeouts,
}

impl PeerCount {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Sent,
        Self::Received,
        Self::Dropped,
        Self::RemoteDropped,
        Self::RemoteTimeouts,
        Self::RemoteErrors,
        Self::NetworkTimeouts,
    ];
    /// Those that lower a peer's health.
    const FAILURES: [Self; 4] =
        [Self::RemoteDropped, Self::RemoteTimeouts, Self::RemoteErrors, Self::NetworkTimeouts];

    /// As `lnetctl` names it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sent => "send_count",
            Self::Received => "recv_count",
            Self::Dropped => "drop_count",
            Self::RemoteDropped => "dropped",
            Self::RemoteTimeouts => "timeout",
            Self::RemoteErrors => "error",
            Self::NetworkTimeouts => "network timeout",
        }
    }

    /// The count as read.
    pub fn of(self, ni: &LnetPeerNi) -> &Reading<u32> {
        match self {
            Self::Sent => &ni.send_count,
            Self::Received => &ni.recv_count,
            Self::Dropped => &ni.drop_count,
            Self::RemoteDropped => &ni.dropped,
            Self::RemoteTimeouts => &ni.timeouts,
            Self::RemoteErrors => &ni.errors,
            Self::NetworkTimeouts => &ni.network_timeouts,
        }
    }
}

/// How a peer is, worst first. What is not of this node's reach is no trouble and comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PeerCondition {
    /// The health of one of its NIs is below the maximum: LNet uses a healthier one.
    Unhealthy,
    /// Failures of the peer or of the way to it are being counted now.
    Failing,
    /// Messages wait for credits now.
    Queueing,
    /// LNet calls one of its NIs down. Only gateways are watched; on a router all peers are, and
    /// one that is idle is called down too.
    Down,
    /// Nothing is known of it but its name.
    Unknown,
    /// Nothing is wrong.
    Well,
    /// All its NIDs are on nets that this node does not have: it is reached by a router.
    Elsewhere,
    /// This node itself.
    Own,
}

impl PeerCondition {
    /// The word of the machine contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unhealthy => "unhealthy",
            Self::Failing => "failing",
            Self::Queueing => "queueing",
            Self::Down => "down",
            Self::Unknown => "unknown",
            Self::Well => "well",
            Self::Elsewhere => "elsewhere",
            Self::Own => "own",
        }
    }

    /// Is it anything to look at?
    pub fn is_trouble(self) -> bool {
        self <= Self::Down
    }
}

/// How many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeerCounts {
    /// Peers, this node itself among them.
    pub peers: usize,
    /// NIDs of all of them.
    pub nis: usize,
    /// Peers with trouble.
    pub troubled: usize,
    /// Of these, peers of which an NI is not at full health.
    pub unhealthy: usize,
    /// This node itself.
    pub own: usize,
    /// Peers on nets that this node does not have.
    pub elsewhere: usize,
    /// Peers of which nothing is known but their names.
    pub unknown: usize,
}

/// What tells this node from its peers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Own {
    /// Its NIDs.
    pub(super) nids: Vec<Text>,
    /// Its nets; `None` where they are not known.
    pub(super) nets: Option<Vec<Text>>,
}

/// A place in the list: which peer of the answer, and how it is.
#[derive(Clone, Copy, Debug)]
struct Seat {
    /// Among the peers of the answer.
    peer: usize,
    /// Rates of its first NI, among all.
    rates: usize,
    condition: PeerCondition,
}

/// Rates of one peer NI; NaN where there is none.
#[derive(Clone, Copy, Debug)]
struct NiRates {
    per_second: [f32; COUNTS],
    reset: bool,
}

const COUNTS: usize = PeerCount::ALL.len();

/// The peers of an answer.
#[derive(Clone, Debug)]
pub struct Peers {
    answer: Arc<Timed<Vec<LnetPeer>>>,
    own: Own,
    interval: Option<Duration>,
    rates: Vec<NiRates>,
    order: Vec<Seat>,
    counts: PeerCounts,
}

/// One peer of the list.
#[derive(Clone, Copy, Debug)]
pub struct Peer<'a> {
    peers: &'a Peers,
    seat: Seat,
    /// As read.
    pub raw: &'a LnetPeer,
}

/// One NI of a peer.
#[derive(Clone, Copy, Debug)]
pub struct PeerNi<'a> {
    rates: NiRates,
    /// As read.
    pub raw: &'a LnetPeerNi,
    /// It is on a net that this node does not have.
    pub is_elsewhere: bool,
}

impl Peers {
    /// When the answer came.
    pub fn at(&self) -> Mono {
        self.answer.at
    }

    /// Time between this answer and the one before: what the rates are over.
    pub fn interval(&self) -> Option<Duration> {
        self.interval
    }

    /// How many there are.
    pub fn counts(&self) -> PeerCounts {
        self.counts
    }

    /// Peers in the list.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// No peers at all.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// How many there are of those at these places.
    pub fn counts_of(&self, places: impl IntoIterator<Item = usize>) -> PeerCounts {
        let mut counts = PeerCounts::default();
        for peer in places.into_iter().filter_map(|place| self.get(place)) {
            counts.add(&peer);
        }
        counts
    }

    /// The peer at a place of the list, the worst at the first.
    pub fn get(&self, place: usize) -> Option<Peer<'_>> {
        let seat = *self.order.get(place)?;
        Some(Peer { peers: self, seat, raw: self.answer.value.get(seat.peer)? })
    }

    /// All of them, the worst first.
    pub fn iter(&self) -> impl Iterator<Item = Peer<'_>> {
        (0..self.len()).filter_map(|place| self.get(place))
    }
}

impl<'a> Peer<'a> {
    /// How it is.
    pub fn condition(&self) -> PeerCondition {
        self.seat.condition
    }

    /// Its NIs in the order of the answer.
    pub fn nis(&self) -> impl Iterator<Item = PeerNi<'a>> {
        let none = NiRates { per_second: [f32::NAN; COUNTS], reset: false };
        let peers = self.peers;
        let from = self.seat.rates;
        self.raw.nis.iter().enumerate().map(move |(n, raw)| PeerNi {
            rates: peers.rates.get(from + n).copied().unwrap_or(none),
            raw,
            is_elsewhere: is_elsewhere(raw, &peers.own),
        })
    }

    /// A rate of all its NIs together.
    pub fn per_second(&self, count: PeerCount) -> Figure {
        let all: Vec<Figure> = self.nis().map(|ni| ni.per_second(count)).collect();
        super::shares::sum(&all)
    }

    /// The lowest health of its NIs that this node can reach.
    pub fn lowest_health(&self) -> Option<u32> {
        let near = self.nis().filter(|ni| !ni.is_elsewhere);
        near.filter_map(|ni| ni.raw.health.as_ref().ok().copied()).min()
    }

    /// The NI with the fewest free credits, of those that this node can reach.
    pub fn tightest(&self) -> Option<PeerNi<'a>> {
        let near = self.nis().filter(|ni| !ni.is_elsewhere && ni.raw.tx_credits.is_ok());
        near.min_by_key(|ni| ni.raw.tx_credits.as_ref().map_or(i32::MAX, |c| *c))
    }

    /// What is wrong with it, in words; empty where nothing is. `now` is the time of the node.
    pub fn words(&self, now: Mono) -> String {
        words::of(self, now, false)
    }

    /// The same for a narrow column of a table.
    pub fn brief(&self, now: Mono) -> String {
        words::of(self, now, true)
    }

    /// Does one of its NIDs, or what is wrong with it, contain the text? Letter case does not
    /// matter.
    pub fn contains(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let has = |s: &str| s.to_lowercase().contains(&text);
        has(&self.raw.primary_nid)
            || self.raw.nis.iter().any(|ni| has(&ni.nid))
            || has(self.condition().word())
    }
}

impl PeerNi<'_> {
    /// A rate.
    pub fn per_second(&self, count: PeerCount) -> Figure {
        figure(self.rate(count), self.rates.reset, count.of(self.raw))
    }

    fn rate(&self, count: PeerCount) -> Option<f64> {
        let rate = f64::from(*self.rates.per_second.get(count as usize)?);
        (!rate.is_nan()).then_some(rate)
    }

    /// Failures per second that are the peer's or the way's; nothing known is none.
    fn failing(&self) -> f64 {
        PeerCount::FAILURES.into_iter().filter_map(|count| self.rate(count)).sum()
    }

    /// Messages that wait for credits now.
    pub fn waiting(&self) -> u32 {
        self.raw.tx_credits.as_ref().map_or(0, |free| free.min(&0).unsigned_abs())
    }

    /// Does LNet call it down?
    pub fn is_down(&self) -> bool {
        self.raw.state.as_ref().is_ok_and(|state| state.eq_ignore_ascii_case("down"))
    }
}

/// On a net that this node does not have: its credits are all 0.
fn is_elsewhere(ni: &LnetPeerNi, own: &Own) -> bool {
    match &own.nets {
        Some(nets) => !nets.iter().any(|net| **net == *ni.net()),
        None => ni.max_tx_credits == Ok(0),
    }
}

/// How a peer is: the worst of its NIs.
fn condition(peer: &Peer<'_>) -> PeerCondition {
    let own = &peer.peers.own.nids;
    if peer.raw.nis.iter().any(|ni| own.contains(&ni.nid)) || own.contains(&peer.raw.primary_nid) {
        return PeerCondition::Own;
    }
    let near = peer.nis().filter(|ni| !ni.is_elsewhere);
    let worst = near.map(|ni| of_ni(&ni)).min();
    worst.unwrap_or(if peer.raw.nis.is_empty() {
        PeerCondition::Unknown
    } else {
        PeerCondition::Elsewhere
    })
}

fn of_ni(ni: &PeerNi<'_>) -> PeerCondition {
    let raw = ni.raw;
    if raw.health.as_ref().is_ok_and(|health| *health < MAX_HEALTH) {
        PeerCondition::Unhealthy
    } else if ni.failing() > 0.0 {
        PeerCondition::Failing
    } else if ni.waiting() > 0 {
        PeerCondition::Queueing
    } else if ni.is_down() {
        PeerCondition::Down
    } else if raw.health.is_err()
        && raw.tx_credits.is_err()
        && raw.state.as_ref().map_or(true, |state| state.eq_ignore_ascii_case("NA"))
    {
        PeerCondition::Unknown
    } else {
        PeerCondition::Well
    }
}
