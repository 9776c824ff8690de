//! What moves through LNet as a whole, beside what the ports count.

use super::counts::{SHORTEST, rose};
use super::shares::sum;
use crate::node::{Figure, Rail};
use crate::sample::{
    Answered, Fact, How, LnetAnswer, LnetStats, Reading, Text, Timed, Unknown, Why,
};
use std::sync::Arc;
use std::time::Duration;

/// Bytes of the whole node, from `lnetctl stats show`: LNet's only byte counters, all nets and
/// the loopback together. And the bytes of the ports that have an NI.
#[derive(Clone, Debug, PartialEq)]
pub struct LnetVolume {
    /// `send_length`, bytes per second.
    pub sent_bytes_per_second: Figure,
    /// `recv_length`, bytes per second.
    pub received_bytes_per_second: Figure,
    /// `route_length`: forwarded by this router, bytes per second.
    pub routed_bytes_per_second: Figure,
    /// `drop_length`, bytes per second.
    pub dropped_bytes_per_second: Figure,
    /// Sent by the ports of all rails with an NI, bytes per second: whoever it was.
    pub port_tx_bytes_per_second: Figure,
    /// Received by them.
    pub port_rx_bytes_per_second: Figure,
    /// All that `stats show` counts, in its order: events, not bytes or levels.
    pub counters: Vec<NodeCounter>,
}

/// A counter of the whole node.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeCounter {
    /// As printed: `resend_count`.
    pub name: Text,
    /// Since LNet started; 32 bits, it wraps.
    pub count: Reading<u32>,
    /// Per second.
    pub per_second: Figure,
}

impl LnetVolume {
    /// A counter by its name.
    pub fn counter(&self, name: &str) -> Option<&NodeCounter> {
        self.counters.iter().find(|c| c.name == name)
    }
}

impl Default for LnetVolume {
    fn default() -> Self {
        let none = || Fact::unknown(Why::FirstSample, "not asked yet");
        Self {
            sent_bytes_per_second: none(),
            received_bytes_per_second: none(),
            routed_bytes_per_second: none(),
            dropped_bytes_per_second: none(),
            port_tx_bytes_per_second: none(),
            port_rx_bytes_per_second: none(),
            counters: Vec::new(),
        }
    }
}

/// No node moves as much, bytes per second.
const ANY_NODE: f64 = 1e13;

/// The statistics before.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    before: Option<Arc<Timed<LnetStats>>>,
}

impl Memory {
    /// Takes a new answer.
    pub(super) fn update(&mut self, stats: &Answered<LnetStats>, volume: &mut LnetVolume) {
        let stats = match stats {
            Ok(stats) => stats,
            Err(unknown) => {
                let ports = |f: &Figure| f.clone();
                *volume = LnetVolume {
                    port_tx_bytes_per_second: ports(&volume.port_tx_bytes_per_second),
                    port_rx_bytes_per_second: ports(&volume.port_rx_bytes_per_second),
                    counters: Vec::new(),
                    ..nothing(unknown)
                };
                self.before = None;
                return;
            }
        };
        if self.before.as_ref().is_some_and(|b| b.at == stats.at) {
            return;
        }
        let before = self.before.replace(Arc::clone(stats));
        let took = before.as_ref().map_or(Duration::ZERO, |b| stats.at.since(b.at));
        let before = before.as_deref().map(|b| &b.value).filter(|_| took >= SHORTEST);
        let rate = |pick: fn(&LnetStats) -> &Reading<u64>| {
            byte_rate(before.map(pick), pick(&stats.value), took)
        };
        volume.sent_bytes_per_second = rate(|s| &s.send_bytes);
        volume.received_bytes_per_second = rate(|s| &s.recv_bytes);
        volume.routed_bytes_per_second = rate(|s| &s.route_bytes);
        volume.dropped_bytes_per_second = rate(|s| &s.drop_bytes);
        volume.counters = counters(before, &stats.value, took);
    }
}

fn nothing(unknown: &Unknown) -> LnetVolume {
    let none = || Fact::from(Err(unknown.clone()));
    LnetVolume {
        sent_bytes_per_second: none(),
        received_bytes_per_second: none(),
        routed_bytes_per_second: none(),
        dropped_bytes_per_second: none(),
        ..LnetVolume::default()
    }
}

/// 64 bits do not wrap; what goes back was reset.
fn byte_rate(before: Option<&Reading<u64>>, now: &Reading<u64>, took: Duration) -> Figure {
    let now = match now {
        Ok(now) => *now,
        Err(unknown) => return Err(unknown.clone()).into(),
    };
    let Some(Ok(before)) = before else {
        return Fact::unknown(Why::FirstSample, "a rate needs two answers");
    };
    let rate = now.checked_sub(*before).map(|bytes| bytes as f64 / took.as_secs_f64());
    match rate.filter(|rate| *rate <= ANY_NODE) {
        Some(rate) => Fact::known(rate),
        None => Fact::unknown(Why::Reset, "LNet's statistics were reset"),
    }
}

/// Of the scalars those that count: neither the levels of `msgs_alloc` and its like nor bytes.
fn counters(before: Option<&LnetStats>, now: &LnetStats, took: Duration) -> Vec<NodeCounter> {
    let counts = |name: &str| {
        !name.ends_with("_length") && !matches!(name, "msgs_alloc" | "msgs_max" | "rst_alloc")
    };
    let parse = |name: &Text, printed: &str| -> Reading<u32> {
        let bad = |_| Unknown::new(Why::Unparsable, format!("{name}: {printed}"));
        printed.parse().map_err(bad)
    };
    let one = |(name, printed): &(Text, Text)| {
        let count = parse(name, printed);
        let old = before.and_then(|b| b.get(name)).and_then(|old| old.parse().ok());
        let rate = match (&count, old) {
            (Ok(new), Some(old)) => {
                rose(old, *new, took).map(|n| f64::from(n) / took.as_secs_f64())
            }
            _ => None,
        };
        let per_second = super::counts::figure(rate, old.is_some(), &count);
        NodeCounter { name: name.clone(), count, per_second }
    };
    now.all.iter().filter(|(name, _)| counts(name)).map(one).collect()
}

/// What the ports with an NI carry. Where an NI is on no rail, LNet's bytes have more in them.
pub(super) fn ports(volume: &mut LnetVolume, answer: Option<&LnetAnswer>, rails: &[Rail]) {
    let used = || rails.iter().filter(|r| !r.lnet.is_empty());
    let on_a_rail = |nid: &Text| used().flat_map(|r| &r.lnet).any(|own| own.ni.nid == *nid);
    let nis = answer.into_iter().flat_map(|a| &a.nets).flat_map(|n| &n.nis);
    let stray = nis.filter(|ni| !ni.is_lo()).find(|ni| !on_a_rail(&ni.nid));
    let add = |pick: fn(&Rail) -> &Figure| {
        if used().next().is_none() {
            return Fact::unknown(Why::NotApplicable, "no rail has an NI");
        }
        let present = used().filter(|r| r.presence == crate::node::Presence::Present);
        let total = sum(present.map(pick));
        match stray {
            Some(ni) => total.qualified(How::Estimate, format!("without {}, on no rail", ni.nid)),
            None => total,
        }
    };
    volume.port_tx_bytes_per_second = add(|r| &r.tx.bytes_per_second);
    volume.port_rx_bytes_per_second = add(|r| &r.rx.bytes_per_second);
}
