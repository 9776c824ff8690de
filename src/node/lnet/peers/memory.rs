//! What is remembered of the peers between two answers.

use super::{COUNTS, NiRates, Own, PeerCount, PeerCounts, Peers, order};
use crate::node::lnet::counts::Counts;
use crate::sample::{LnetPeer, LnetPeerNi, Mono, Text, Timed};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// The counts of a peer NI.
#[derive(Clone, Debug)]
struct Counted {
    nid: Text,
    counts: Counts<COUNTS>,
}

/// The peers between two answers.
#[derive(Clone, Debug, Default)]
pub(in crate::node::lnet) struct Memory {
    before: Option<(Mono, Vec<Counted>)>,
}

impl Memory {
    /// Forgets the answer before: the next rates need two answers again.
    pub(in crate::node::lnet) fn forget(&mut self) {
        self.before = None;
    }

    /// Takes an answer in. The same answer again keeps its rates: only `own` may be new. While
    /// that is not known it is what it was.
    pub(in crate::node::lnet) fn update(
        &mut self,
        answer: &Arc<Timed<Vec<LnetPeer>>>,
        own: Option<Own>,
        last: Option<&Arc<Peers>>,
    ) -> Arc<Peers> {
        let own = own.or_else(|| last.map(|last| last.own.clone())).unwrap_or_default();
        let again = last.filter(|last| last.answer.at == answer.at);
        let (rates, interval) = match again {
            Some(last) if last.own == own => return Arc::clone(last),
            Some(last) => (last.rates.clone(), last.interval),
            None => self.measure(answer),
        };
        let answer = Arc::clone(answer);
        let counts = PeerCounts::default();
        let mut peers = Peers { answer, own, interval, rates, order: Vec::new(), counts };
        (peers.order, peers.counts) = order::of(&peers);
        Arc::new(peers)
    }

    fn measure(&mut self, answer: &Timed<Vec<LnetPeer>>) -> (Vec<NiRates>, Option<Duration>) {
        let nis = || answer.value.iter().flat_map(|peer| &peer.nis);
        let now: Vec<Counted> = nis().map(Counted::of).collect();
        let before = self.before.take();
        let interval = before.as_ref().map(|(at, _)| answer.at.since(*at));
        let old = before.map(|(_, old)| old).unwrap_or_default();
        let took = interval.unwrap_or_default();
        // The list seldom changes: only where it did, peers are looked for by name.
        let mut by_name: Option<HashMap<&str, &Counted>> = None;
        let rates = now.iter().enumerate().map(|(place, new)| {
            let here = old.get(place).filter(|o| o.nid == new.nid);
            let old = here.or_else(|| {
                let index = || old.iter().map(|o| (o.nid.as_str(), o)).collect();
                by_name.get_or_insert_with(index).get(new.nid.as_str()).copied()
            });
            let rates = new.counts.rates(old.map(|o| &o.counts), took);
            let per_second = rates.per_second.map(|rate| rate.map_or(f32::NAN, |r| r as f32));
            NiRates { per_second, reset: rates.reset }
        });
        let rates = rates.collect();
        self.before = Some((answer.at, now));
        (rates, interval)
    }
}

impl Counted {
    fn of(ni: &LnetPeerNi) -> Self {
        let counts = PeerCount::ALL.map(|count| count.of(ni).as_ref().ok().copied());
        Self { nid: ni.nid.clone(), counts: Counts(counts) }
    }
}
