//! One mistake, one root: order and severity of findings that hang together.

use super::catalogue::lnet::{NI_ADDRESS_LOST, NI_DOWN, NI_ON_ALIAS, NI_STATUS_STALE};
use super::{Finding, Severity};
use crate::node::Policy;
use std::cmp::Reverse;

/// A finding and the rails whose ladders it is on.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub rails: Vec<usize>,
    pub finding: Finding,
}

impl Found {
    fn is_root_of(&self, other: &Found) -> bool {
        self.finding.caused_by.is_none() && self.is_cause_of(other)
    }

    fn is_cause_of(&self, other: &Found) -> bool {
        let together = self.rails.is_empty() && other.rails.is_empty()
            || self.rails.iter().any(|r| other.rails.contains(r));
        other.finding.caused_by == Some(self.finding.id) && together
    }
}

/// The cause of a cause is the root; a cause that was not found is none.
pub(super) fn settle(found: &mut [Found]) {
    // Chains are two links long at most: link, route, neighbour.
    for _ in 0..2 {
        for i in 0..found.len() {
            let cause_of = |one: &Found| {
                let mut causes = found.iter().filter(|c| c.is_cause_of(one));
                let known = one.finding.caused_by.is_some();
                let root = causes.clone().any(|c| c.finding.caused_by.is_none());
                (known && !root).then(|| causes.find_map(|c| c.finding.caused_by))
            };
            let new = found.get(i).and_then(cause_of);
            if let (Some(new), Some(one)) = (new, found.get_mut(i)) {
                one.finding.caused_by = new;
            }
        }
    }
}

/// Takes out what the site does not want to hear of, and what follows from it; gives it back.
pub(super) fn leave_out(found: &mut Vec<Found>, policy: &Policy) -> Vec<Found> {
    let ignored = |f: &Found| {
        let cause = f.finding.caused_by.is_some_and(|id| policy.ignore.iter().any(|i| i == id));
        cause || policy.leaves_out(f.finding.id)
    };
    let (out, mut kept): (Vec<Found>, Vec<Found>) =
        std::mem::take(found).into_iter().partition(ignored);
    for one in &mut kept {
        // Whoever asks for a consequence alone is told of it as such.
        one.finding.caused_by = one.finding.caused_by.filter(|id| !policy.leaves_out(id));
    }
    *found = kept;
    out
}

/// A root is never milder than what follows from it.
pub(super) fn raise_roots(found: &mut [Found]) {
    for i in 0..found.len() {
        let worst = |root: &Found| {
            found.iter().filter(|f| root.is_root_of(f)).map(|f| f.finding.severity).max()
        };
        let Some(worst) = found.get(i).and_then(worst) else { continue };
        if let Some(root) = found.get_mut(i) {
            root.finding.severity = root.finding.severity.max(worst);
        }
    }
}

/// One NI is told of once: that of a bond is on all its members.
pub(super) fn merge(found: &mut Vec<Found>) {
    let mut kept: Vec<Found> = Vec::with_capacity(found.len());
    for one in found.drain(..) {
        let same = |k: &&mut Found| {
            let (a, b) = (&k.finding, &one.finding);
            a.caused_by.is_none()
                && b.caused_by.is_none()
                && a.id == b.id
                && matches!(a.id, NI_DOWN | NI_ADDRESS_LOST | NI_STATUS_STALE | NI_ON_ALIAS)
                && a.summary == b.summary
                && a.evidence == b.evidence
        };
        match kept.iter_mut().find(same) {
            Some(known) => {
                let new = one.finding.rails.into_iter();
                let rails = &mut known.finding.rails;
                new.for_each(|rail| {
                    if !rails.contains(&rail) {
                        rails.push(rail);
                    }
                });
            }
            None => kept.push(one),
        }
    }
    *found = kept;
}

/// Roots worst first, then in the order of the rails; consequences directly behind their root.
pub(super) fn sort(found: Vec<Found>) -> Vec<Finding> {
    let (mut roots, mut rest): (Vec<Found>, Vec<Found>) =
        found.into_iter().partition(|f| f.finding.caused_by.is_none());
    let first_rail = |f: &Found| f.rails.first().copied().unwrap_or(usize::MAX);
    roots.sort_by_key(|f| (Reverse(f.finding.severity), first_rail(f), f.finding.layer));
    let mut sorted = Vec::with_capacity(roots.len() + rest.len());
    for root in roots {
        let (mut mine, others): (Vec<Found>, Vec<Found>) =
            rest.into_iter().partition(|f| root.is_root_of(f));
        rest = others;
        mine.sort_by_key(|f| f.finding.layer);
        sorted.push(root.finding);
        sorted.extend(mine.into_iter().map(|f| f.finding));
    }
    debug_assert!(rest.is_empty(), "a consequence without its root");
    sorted.extend(rest.into_iter().map(|f| f.finding));
    sorted
}

/// The worst severity.
pub(super) fn worst<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Option<Severity> {
    findings.into_iter().map(|f| f.severity).max()
}
