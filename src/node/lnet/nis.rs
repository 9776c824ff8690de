//! What an NI's counts say between two answers.

use super::counts::{Counts, figure};
use crate::node::Figure;
use crate::sample::{Answered, Lnet, LnetNi, LnetNiCredits, Reading, Text, Unknown, Why};
use std::time::Duration;

/// LNet's types of messages, in the order in which `lnetctl` prints them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// Data to a peer: a request, for which the sender chooses the NI.
    Put,
    /// Asks a peer for data: a request too.
    Get,
    /// The data that was asked for; goes back over the NI that the request used.
    Reply,
    /// A PUT has arrived; goes back over the NI that it used.
    Ack,
    /// Handshake of a connection.
    Hello,
}

impl MessageKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Put, Self::Get, Self::Reply, Self::Ack, Self::Hello];

    /// The word of `lnetctl` and of the machine contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Put => "put",
            Self::Get => "get",
            Self::Reply => "reply",
            Self::Ack => "ack",
            Self::Hello => "hello",
        }
    }
}

/// Messages of one direction of an NI.
#[derive(Clone, Debug, PartialEq)]
pub struct Messages {
    /// Messages per second, all types.
    pub per_second: Figure,
    /// Messages per second of each of [`MessageKind::ALL`].
    pub kinds: [Figure; 5],
    /// Messages since the NI started, of each of [`MessageKind::ALL`]; 32 bits, they wrap.
    pub counts: [Reading<u32>; 5],
}

/// A local failure that LNet counts per NI.
#[derive(Clone, Debug, PartialEq)]
pub struct NiFailure {
    /// As `lnetctl` names it: `timeouts`, `no route`.
    pub name: &'static str,
    /// Since the NI started; 32 bits.
    pub count: Reading<u32>,
    /// Per second.
    pub per_second: Figure,
}

/// Credits of an NI as they are now: of its tightest CPU partition, because messages wait per
/// partition (debugfs `lnet/nis`, `lnet_ni_tq_credits()` in lnet/lnet/lib-lnet.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NiCredits {
    /// Free now; negative: so many messages wait.
    pub free: i64,
    /// Lowest since the node's minima were reset; negative: so many waited.
    pub min: i64,
    /// What a partition has.
    pub max: i64,
    /// Partitions.
    pub partitions: usize,
}

/// What LNet's counts say of one NI.
#[derive(Clone, Debug, PartialEq)]
pub struct NiFigures {
    /// Which.
    pub nid: Text,
    /// Its net.
    pub net: Text,
    /// Time between the two answers that the rates are over.
    pub interval: Option<Duration>,
    /// Sent.
    pub sent: Messages,
    /// Received.
    pub received: Messages,
    /// Dropped.
    pub dropped: Messages,
    /// Local failures: `health stats` that count.
    pub failures: [NiFailure; 6],
    /// Credits now.
    pub credits: Reading<NiCredits>,
    /// Its part of the messages of its net, 0…1, both directions.
    pub message_share_ratio: Figure,
    /// Its part of the requests (PUT, GET) that this node sent on its net, 0…1: what this node
    /// chose the NI for. Replies and acknowledgements follow the choice of the peer.
    pub request_share_ratio: Figure,
    /// Its rail's part of the bytes of the ports that the net is on, 0…1. It is the port's count:
    /// LNet counts no bytes per NI.
    pub byte_share_ratio: Figure,
}

impl NiFigures {
    /// Failures and drops per second together; unknown only if all of them are.
    pub fn failing_per_second(&self) -> Figure {
        let all = self.failures.iter().map(|f| &f.per_second).chain([&self.dropped.per_second]);
        let mut sum = None;
        for figure in all {
            if let Some(rate) = figure.ok() {
                sum = Some(sum.unwrap_or(0.0) + rate);
            }
        }
        sum.map_or_else(|| self.dropped.per_second.clone(), crate::sample::Fact::known)
    }

    /// A failure by the name that `lnetctl` gives it.
    pub fn failure(&self, name: &str) -> Option<&NiFailure> {
        self.failures.iter().find(|f| f.name == name)
    }
}

/// Three totals, three sets of five types, six failures.
const COUNTS: usize = 24;
const FAILURES: [&str; 6] = ["interrupts", "dropped", "aborted", "no route", "timeouts", "error"];
const DIRECTIONS: [&str; 3] = ["sent_stats", "received_stats", "dropped_stats"];

/// The counts of an NI, as remembered.
pub(super) type NiCounts = Counts<COUNTS>;

fn readings(ni: &LnetNi) -> [Reading<u32>; COUNTS] {
    let mut all = [&ni.send_count, &ni.recv_count, &ni.drop_count].map(Clone::clone).to_vec();
    for direction in DIRECTIONS {
        let kind = |kind: MessageKind| ni.number(&format!("{direction}/{}", kind.word()));
        all.extend(MessageKind::ALL.map(kind));
    }
    all.extend(FAILURES.map(|name| ni.number(&format!("health stats/{name}"))));
    let mut all = all.into_iter();
    std::array::from_fn(|_| all.next().unwrap_or_else(|| Err(Unknown::new(Why::Absent, ""))))
}

/// The figures of an NI, what to remember of it, and whether its counts began anew.
pub(super) fn measure(
    ni: &LnetNi,
    before: Option<(&NiCounts, Duration)>,
    credits: &Answered<Vec<LnetNiCredits>>,
) -> (NiFigures, NiCounts, bool) {
    let readings = readings(ni);
    let counts = Counts::of(&readings);
    let took = before.map_or(Duration::ZERO, |(_, took)| took);
    let rates = counts.rates(before.map(|(counts, _)| counts), took);
    let mut figures = readings
        .into_iter()
        .zip(rates.per_second)
        .map(|(count, rate)| (figure(rate, rates.reset, &count), count));
    let missing = || {
        let none = Unknown::new(Why::Absent, "");
        (Figure::from(Err(none.clone())), Err(none))
    };
    let mut next = || figures.next().unwrap_or_else(missing);
    let totals = [next().0, next().0, next().0];
    let [sent, received, dropped] = totals.map(|per_second| {
        let all: [(Figure, Reading<u32>); 5] = std::array::from_fn(|_| next());
        let counts = all.each_ref().map(|(_, count)| count.clone());
        Messages { per_second, kinds: all.map(|(rate, _)| rate), counts }
    });
    let failures = FAILURES.map(|name| {
        let (per_second, count) = next();
        NiFailure { name, count, per_second }
    });
    let not_yet = || Figure::unknown(Why::FirstSample, "not computed yet");
    let figures = NiFigures {
        nid: ni.nid.clone(),
        net: Text::new(ni.net()),
        interval: before.map(|_| took),
        sent,
        received,
        dropped,
        failures,
        credits: credits_of(&ni.nid, credits),
        message_share_ratio: not_yet(),
        request_share_ratio: not_yet(),
        byte_share_ratio: not_yet(),
    };
    (figures, counts, rates.reset)
}

fn credits_of(nid: &Text, all: &Answered<Vec<LnetNiCredits>>) -> Reading<NiCredits> {
    let all = all.as_ref().map_err(Clone::clone)?;
    let own = || all.value.iter().filter(|row| row.nid == *nid);
    let tightest = own().min_by_key(|row| row.tx);
    let absent = || Unknown::new(Why::Absent, format!("debugfs lnet/nis has no row of {nid}"));
    let tightest = tightest.ok_or_else(absent)?;
    Ok(NiCredits {
        free: tightest.tx,
        min: own().map(|row| row.min).min().unwrap_or(tightest.min),
        max: tightest.max,
        partitions: own().count(),
    })
}

/// Takes newer credits in without a new answer of the nets.
pub(super) fn refresh_credits(nis: &mut [NiFigures], lnet: &Lnet) {
    for ni in nis {
        ni.credits = credits_of(&ni.nid, &lnet.more.credits);
    }
}
