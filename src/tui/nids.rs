//! What the LNet screen lists and no frame may compute: which peers the filter lets through, and
//! where the selected NID stands. Ten thousand peers are looked through when one of the answer,
//! the filter and the selection changed, not at each frame.

use super::state::Chosen;
use super::view::order::contains;
use crate::node::{Node, PeerCounts, Peers};
use crate::sample::{LnetNi, Text};
use std::sync::Arc;

/// The list of the LNet screen: the NIs, then the peers.
#[derive(Debug, Default)]
pub(crate) struct Nids {
    key: Option<Key>,
    /// Places in the list of peers; `None` is all of them.
    shown: Option<Vec<usize>>,
    nis: usize,
    peers: usize,
    /// How those that are shown are.
    counts: PeerCounts,
    at: usize,
}

#[derive(Debug)]
struct Key {
    peers: Option<Arc<Peers>>,
    filter: String,
    chosen: Option<Chosen>,
    nis: Vec<Text>,
}

/// The NIs that the filter lets through; the loopback, which nobody looks for, only where there
/// is nothing else.
pub(crate) fn nis<'a>(node: &'a Node, filter: &str) -> impl Iterator<Item = &'a LnetNi> {
    let all = || node.lnet.answer.iter().flat_map(|a| &a.nets).flat_map(|net| &net.nis);
    let passes = move |ni: &&LnetNi| {
        let mut names = std::iter::once(&ni.nid).chain(&ni.interfaces);
        names.any(|name| contains(name, filter))
    };
    let alone = all().all(LnetNi::is_lo);
    all().filter(move |ni| alone || !ni.is_lo()).filter(passes)
}

impl Nids {
    /// Takes the state of a node in.
    pub(crate) fn update(&mut self, node: &Node, filter: &str, chosen: Option<&Chosen>) {
        let peers = node.lnet_figures.peers.as_ref().ok();
        let nis: Vec<Text> = nis(node, filter).map(|ni| ni.nid.clone()).collect();
        let same_list = self.key.as_ref().is_some_and(|key| {
            let same = match (&key.peers, peers) {
                (Some(a), Some(b)) => Arc::ptr_eq(a, b),
                (None, None) => true,
                _ => false,
            };
            same && key.filter == filter
        });
        let same_place =
            self.key.as_ref().is_some_and(|key| key.chosen.as_ref() == chosen && key.nis == nis);
        if same_list && same_place {
            return;
        }
        if !same_list {
            self.shown = peers.filter(|_| !filter.is_empty()).map(|peers| {
                let passing = peers.iter().enumerate().filter(|(_, peer)| peer.contains(filter));
                passing.map(|(place, _)| place).collect()
            });
            let all = peers.map_or(0, |peers| peers.len());
            self.peers = self.shown.as_ref().map_or(all, Vec::len);
            self.counts = match (peers, &self.shown) {
                (Some(peers), Some(shown)) => peers.counts_of(shown.iter().copied()),
                (Some(peers), None) => peers.counts(),
                (None, _) => PeerCounts::default(),
            };
        }
        self.nis = nis.len();
        self.at = self.find(peers, &nis, chosen);
        let (filter, chosen) = (filter.to_owned(), chosen.cloned());
        self.key = Some(Key { peers: peers.cloned(), filter, chosen, nis });
    }

    /// The place of the selected NID; where it is gone, the place it had.
    fn find(&self, peers: Option<&Arc<Peers>>, nis: &[Text], chosen: Option<&Chosen>) -> usize {
        let among_peers = |nid: &Text| {
            let peers = peers?;
            let is_it = |n: &usize| {
                let peer = self.peer(*n).and_then(|place| peers.get(place));
                peer.is_some_and(|peer| peer.raw.primary_nid == *nid)
            };
            Some(nis.len() + (0..self.peers).find(is_it)?)
        };
        let found = match chosen {
            None => Some(0),
            Some(Chosen::Ni(nid)) => nis.iter().position(|own| own == nid),
            Some(Chosen::Peer(nid)) => among_peers(nid),
        };
        found.unwrap_or(self.at.min(self.len().saturating_sub(1)))
    }

    /// All that can be selected.
    pub(crate) fn len(&self) -> usize {
        self.nis + self.peers
    }

    /// NIs that are shown.
    pub(crate) fn nis(&self) -> usize {
        self.nis
    }

    /// Peers that the filter lets through.
    pub(crate) fn peers(&self) -> usize {
        self.peers
    }

    /// How they are.
    pub(crate) fn counts(&self) -> PeerCounts {
        self.counts
    }

    /// The place of the n-th of them in the list of all.
    pub(crate) fn peer(&self, n: usize) -> Option<usize> {
        match &self.shown {
            Some(shown) => shown.get(n).copied(),
            None => (n < self.peers).then_some(n),
        }
    }

    /// The selected place: among the NIs, and behind them among the peers.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// What is at a place.
    pub(crate) fn chosen(&self, at: usize) -> Option<Chosen> {
        let key = self.key.as_ref()?;
        match at.checked_sub(self.nis) {
            None => key.nis.get(at).cloned().map(Chosen::Ni),
            Some(n) => {
                let peer = key.peers.as_ref()?.get(self.peer(n)?)?;
                Some(Chosen::Peer(peer.raw.primary_nid.clone()))
            }
        }
    }
}
