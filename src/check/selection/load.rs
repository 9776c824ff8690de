//! Who of a net carries how much.

use super::{Net, Scene};
use crate::check::traffic;
use crate::check::view::{RailView, works};
use crate::node::Rail;
use std::time::Duration;

/// Below so many messages per interval nothing is judged.
const MESSAGES: f64 = 100.0;
/// The most loaded may have so much more than the least.
const UNEVEN: f64 = 1.5;
/// A rail that idles has less than this part of the most loaded.
const IDLE: f64 = 0.1;
/// So many intervals it must last.
const INTERVALS: usize = 3;
/// A link that came back is given this time.
const SETTLED: Duration = Duration::from_secs(10);

/// What one NI carries, by the usable rate of its link where that is known of all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    /// Place in the contest.
    pub(super) place: usize,
    /// Place among the rails.
    pub(super) rail: usize,
    /// Requests sent: messages whose NI this node chose. In 2.10 all that were sent.
    sent: Option<f64>,
    /// All messages received.
    received: Option<f64>,
    /// Both directions.
    bytes: Option<f64>,
    /// Next to nothing, now and over the last samples.
    pub(super) idle: bool,
    /// Less than its share over the last intervals.
    pub(super) low: bool,
}

/// The load of a net that is worth judging.
#[derive(Debug)]
pub(super) struct Load {
    pub(super) shares: Vec<Share>,
    /// Bytes of all its rails together, per second.
    pub(super) bytes_per_second: f64,
}

impl Load {
    /// `None` below the floor, or where the messages are not known.
    pub(super) fn of(scene: &Scene<'_>, net: &Net<'_>, views: &[RailView<'_>]) -> Option<Self> {
        let node = scene.node;
        let members: Vec<_> = (0..)
            .zip(&net.members)
            .filter_map(|(place, member)| Some((place, (*member)?)))
            .filter_map(|(place, member)| {
                let view = views.get(member.rail)?;
                works(view.rail).then_some((place, member, view))
            })
            .collect();
        if members.len() < 2 {
            return None;
        }
        let mut messages = 0.0;
        for (_, member, _) in &members {
            messages += member.ni.sent_per_second.ok()? + member.ni.received_per_second.ok()?;
        }
        let interval = node.measured_interval.map_or(1.0, |i| i.as_secs_f64());
        if messages * interval < MESSAGES {
            return None;
        }
        let weights: Option<Vec<f64>> =
            members.iter().map(|(.., view)| weight(view.rail)).collect();
        let weights = weights.unwrap_or_else(|| vec![1.0; members.len()]);
        let mut shares: Vec<Share> = members
            .iter()
            .zip(&weights)
            .map(|((place, member, view), weight)| Share {
                place: *place,
                rail: member.rail,
                sent: member
                    .ni
                    .rates
                    .sent
                    .requests()
                    .or(member.ni.sent_per_second.ok().copied())
                    .map(|m| m / weight),
                received: member.ni.received_per_second.ok().map(|m| m / weight),
                bytes: bytes(view.rail).map(|b| b / weight),
                idle: traffic::is_idle(view),
                low: false,
            })
            .collect();
        let most = shares.iter().filter_map(|s| s.bytes).fold(0.0, f64::max);
        let past = past(&members.iter().map(|(.., v)| v.rail).collect::<Vec<_>>(), &weights);
        for (at, share) in shares.iter_mut().enumerate() {
            let settled = members.get(at).is_some_and(|(.., view)| is_settled(view));
            share.idle &= settled && share.bytes.is_some_and(|b| b < most * IDLE);
            share.low = settled
                && !share.idle
                && past.len() == INTERVALS
                && past.iter().all(|then| {
                    let most = then.iter().copied().fold(0.0, f64::max);
                    then.get(at).is_some_and(|b| b * UNEVEN < most)
                });
        }
        let rails = members.iter().map(|(.., view)| view.rail);
        let bytes_per_second: f64 = rails.clone().filter_map(bytes).sum();
        let usable: f64 = rails.filter_map(weight).sum();
        (bytes_per_second > traffic::floor(usable)).then_some(Self { shares, bytes_per_second })
    }

    /// Those that carry the most.
    pub(super) fn busy(&self) -> impl Iterator<Item = &Share> {
        self.shares.iter().filter(|s| !s.idle && !s.low)
    }
}

impl Share {
    /// This node itself sends clearly less by it than by the other.
    pub(super) fn sends_less(&self, other: &Self) -> bool {
        less(self.sent, other.sent)
    }

    /// Clearly less comes in by it than by the other.
    pub(super) fn receives_less(&self, other: &Self) -> bool {
        less(self.received, other.received)
    }
}

fn less(own: Option<f64>, other: Option<f64>) -> bool {
    matches!((own, other), (Some(own), Some(other)) if own * UNEVEN < other)
}

fn weight(rail: &Rail) -> Option<f64> {
    rail.rate.usable_bits_per_second.ok().map(|bits| bits / 8.0).filter(|w| *w > 0.0)
}

fn bytes(rail: &Rail) -> Option<f64> {
    Some(rail.rx.bytes_per_second.ok()? + rail.tx.bytes_per_second.ok()?)
}

fn is_settled(view: &RailView<'_>) -> bool {
    let since = |since: crate::sample::SampleTime| view.node.time.mono.since(since.mono);
    view.rail.state_since.is_none_or(|s| since(s) >= SETTLED)
}

/// Weighted bytes of the last intervals, newest first; fewer where not all are known.
fn past(rails: &[&Rail], weights: &[f64]) -> Vec<Vec<f64>> {
    let then = |back: usize| -> Option<Vec<f64>> {
        let one = |(rail, weight): (&&Rail, &f64)| {
            let point = rail.history.points.iter().rev().nth(back)?;
            Some(f64::from(point.rx? + point.tx?) / weight)
        };
        rails.iter().zip(weights).map(one).collect()
    };
    (0..INTERVALS).map_while(then).collect()
}
