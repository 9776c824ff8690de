//! What the peers leave to choose.

use crate::sample::{Lnet, Text};
use std::collections::HashSet;

/// The peers of a net, as far as they bind the local NI.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Binding {
    /// Peers with an NI on the net, this node itself not counted.
    pub(super) peers: usize,
    /// Of those: `Multi-Rail: false`. Each gets one local NI for good.
    pub(super) single: usize,
    /// Of those: with `Preferred source NIDs`, and how many of them name which NI.
    pub(super) preferring: usize,
    preferred: Vec<(Text, usize)>,
    /// `discovery: 0`: no peer becomes Multi-Rail unless it is configured so by hand.
    pub(super) discovery_off: bool,
    /// A peer that is Multi-Rail: false.
    pub(super) example: Option<Text>,
}

impl Binding {
    pub(super) fn of(lnet: &Lnet, net: &str) -> Option<Self> {
        let peers = &lnet.more.peers.as_ref().ok()?.value;
        let answer = lnet.answer.as_ref().ok()?;
        let own: HashSet<&str> =
            answer.nets.iter().flat_map(|n| &n.nis).map(|ni| ni.nid.as_str()).collect();
        let mut binding = Self { discovery_off: discovery_off(lnet), ..Self::default() };
        for peer in peers {
            let mut nis = peer.nis.iter().filter(|ni| ni.net() == net).peekable();
            if nis.peek().is_none() || own.contains(peer.primary_nid.as_str()) {
                continue;
            }
            binding.peers += 1;
            if peer.multi_rail == Ok(false) {
                binding.single += 1;
                binding.example.get_or_insert_with(|| peer.primary_nid.clone());
            }
            let mut sources: Vec<&Text> = nis.flat_map(|ni| &ni.preferred_sources).collect();
            sources.sort();
            sources.dedup();
            binding.preferring += usize::from(!sources.is_empty());
            for nid in sources {
                match binding.preferred.iter_mut().find(|(known, _)| known == nid) {
                    Some((_, count)) => *count += 1,
                    None => binding.preferred.push((nid.clone(), 1)),
                }
            }
        }
        Some(binding)
    }

    /// So many peers name this NI.
    pub(super) fn naming(&self, nid: &str) -> usize {
        self.preferred.iter().find(|(known, _)| known == nid).map_or(0, |(_, count)| *count)
    }

    /// Every peer is bound, and to others than this NI.
    pub(super) fn excludes(&self, nid: &str) -> bool {
        self.peers > 0 && self.preferring == self.peers && self.naming(nid) == 0
    }

    /// Most peers are bound to one NI each, and none that told names this one.
    pub(super) fn may_exclude(&self, nid: &str) -> bool {
        self.single.max(self.preferring) * 2 > self.peers && self.naming(nid) == 0
    }

    /// `3 of 4 peers Multi-Rail: false`.
    pub(super) fn words(&self) -> String {
        let Self { peers, single, preferring, .. } = self;
        let mut words = match (single, preferring) {
            (0, 0) if *peers == 1 => return "the one peer is Multi-Rail".into(),
            (0, 0) if *peers == 2 => return "both peers are Multi-Rail".into(),
            (0, 0) => return format!("all {peers} peers are Multi-Rail"),
            (0, _) => {
                format!("{preferring} of {} with preferred source NIDs", super::peers(*peers))
            }
            _ => format!("{single} of {} Multi-Rail: false", super::peers(*peers)),
        };
        if self.discovery_off {
            words.push_str("; discovery is off");
        }
        words
    }
}

/// As set now, else as the module has it.
fn discovery_off(lnet: &Lnet) -> bool {
    let now = lnet.more.global.as_ref().ok().and_then(|g| g.value.number("discovery"));
    let loaded = || lnet.local.parameter("lnet", "lnet_peer_discovery_disabled");
    now.map_or_else(|| loaded().is_some_and(|v| v.trim() == "1"), |discovery| discovery == 0)
}
