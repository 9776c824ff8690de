//! Who a candidate is while the readers do not agree yet.
//!
//! An interface that comes, goes or gets a new name is in netlink's list at once and in sysfs a
//! moment later, and its RDMA device later still. So for some samples a rail is seen only in
//! part, and what identifies it best (its PCI address) is not among that. A row goes on under the
//! identity it had, and gets a better one as soon as that is known: nothing "appears" beside it,
//! and nothing is "gone" afterwards.

use super::candidate::Candidate;
use super::row::Track;
use super::{Presence, Rail};
use crate::sample::{Mono, Sample, Text};
use std::collections::HashSet;
use std::time::Duration;

/// How long a row keeps the name of an interface that it has lost: when a driver goes, the
/// interface goes first and the port a moment later.
const KEEP_NAME: Duration = Duration::from_secs(1);

/// Identities and the interface that a row is known by.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks {
    /// Best first.
    aka: Vec<Text>,
    rank: u8,
    /// Since when it has no interface any more.
    bare: Option<Mono>,
}

impl Marks {
    /// Those of a new row.
    pub(super) fn of(candidate: &Candidate) -> Self {
        Self { aka: candidate.aka.clone(), rank: candidate.rank, bare: None }
    }

    /// What is known now; a trait seen before stays, as it can be all that is seen next.
    pub(super) fn learn(&mut self, candidate: &Candidate) {
        let old = std::mem::replace(&mut self.aka, candidate.aka.clone());
        self.aka.extend(old.into_iter().filter(|a| !candidate.aka.contains(a)));
        // Addresses of IPoIB interfaces made anew and the like must not pile up.
        self.aka.truncate(8);
        self.rank = self.rank.min(candidate.rank);
    }
}

/// How good an identity is that is nothing but a name.
const ONLY_A_NAME: u8 = 3;

/// Has it a trait that only this row has, or, where there is nothing better than a name, its
/// interface?
fn is_of(candidate: &Candidate, rail: &Rail, track: &Track) -> bool {
    let same_trait = candidate.aka.iter().any(|a| track.marks.aka.contains(a));
    let nameless = candidate.rank.max(track.marks.rank) == ONLY_A_NAME;
    let same_index = candidate.index.is_some() && candidate.index == track.ifindex;
    same_trait || nameless && same_index && rail.presence == Presence::Present
}

/// Gives candidates that are seen in part the identity of their row, and rows a better identity
/// where one is known now. True if the next sample must be looked at again, whatever it holds.
pub(super) fn settle(
    all: &mut Vec<Candidate>,
    rails: &mut [Rail],
    tracks: &mut [Track],
    sample: &Sample,
) -> bool {
    let ids: HashSet<Text> = all.iter().map(|c| c.id.clone()).collect();
    let mut taken: HashSet<Text> =
        rails.iter().map(|r| r.id.clone()).filter(|id| ids.contains(id)).collect();
    let complete = sample.netdevs.is_ok();
    let mut known: HashSet<Text> = rails.iter().map(|r| r.id.clone()).collect();
    all.retain_mut(|candidate| {
        if known.contains(&candidate.id) {
            return true;
        }
        let rows = || rails.iter().zip(&*tracks).enumerate();
        let mut of = rows().filter(|(_, (r, t))| is_of(candidate, r, t)).map(|(at, _)| at);
        let (Some(at), None) = (of.next(), of.next()) else { return true };
        let (Some(rail), Some(track)) = (rails.get_mut(at), tracks.get(at)) else { return true };
        if taken.contains(&rail.id) {
            // Its row is there by another candidate. What only netlink knows will be part of it.
            return !(complete && candidate.half);
        }
        if candidate.rank < track.marks.rank {
            known.remove(&rail.id);
            rail.id = candidate.id.clone();
        } else {
            candidate.id = rail.id.clone();
        }
        known.insert(rail.id.clone());
        taken.insert(rail.id.clone());
        true
    });
    keep_names(all, rails, tracks, sample.time.mono)
}

/// A row that has just lost its interface keeps the name for a moment.
fn keep_names(all: &mut [Candidate], rails: &[Rail], tracks: &mut [Track], now: Mono) -> bool {
    let mut again = false;
    for (rail, track) in rails.iter().zip(tracks) {
        let Some(candidate) = all.iter_mut().find(|c| c.id == rail.id) else { continue };
        let lost = candidate.iface.is_none() && rail.presence == Presence::Present;
        if !lost || track.marks.bare.is_none() && rail.netdev.is_none() {
            track.marks.bare = None;
            continue;
        }
        let since = *track.marks.bare.get_or_insert(now);
        if now.since(since) < KEEP_NAME {
            candidate.name = rail.name.clone();
            again = true;
        }
    }
    again
}

/// Is a row that no candidate has taken still there, as part of another?
pub(super) fn lives_on(all: &[Candidate], rail: &Rail, track: &Track) -> bool {
    all.iter().any(|c| is_of(c, rail, track))
}
