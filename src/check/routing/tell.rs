//! Findings about interfaces.

use super::scene::Scene;
use crate::check::fold::Found;
use crate::check::{Finding, Severity, Step};
use crate::fix::{self, Change};
use crate::sample::Text;

/// A finding of the routing family.
#[derive(Clone, Debug)]
pub(in crate::check) struct Told {
    pub found: Found,
    /// On a rail whose link is down it follows from that.
    pub follows_link: bool,
}

impl Told {
    pub(super) fn new(
        scene: &Scene<'_>,
        id: &'static str,
        severity: Severity,
        ifaces: &[usize],
        summary: String,
    ) -> Self {
        let rails = scene.rails_of(ifaces);
        let mut finding = Finding::new(id, severity, summary, Vec::new());
        let named = rails.iter().filter_map(|&i| scene.node.rails.get(i));
        finding.rails = named.map(|r| r.name.clone()).collect();
        Self { found: Found { rails, finding }, follows_link: false }
    }

    /// It follows from a dead link, where there is one.
    pub(super) fn after_link(mut self) -> Self {
        self.follows_link = true;
        self
    }

    pub(super) fn because(mut self, cause: Option<&'static str>) -> Self {
        self.found.finding.caused_by = cause;
        self
    }

    pub(super) fn seen(mut self, lines: impl IntoIterator<Item = Text>) -> Self {
        for line in lines {
            if !self.found.finding.evidence.contains(&line) {
                self.found.finding.evidence.push(line);
            }
        }
        self
    }

    pub(super) fn mended(mut self, remedy: Vec<Change>) -> Self {
        let finding = &mut self.found.finding;
        finding.fix = fix::commands(&remedy);
        finding.undo = fix::undo(&remedy);
        finding.remedy = remedy;
        self
    }

    /// A command of railtop itself that says what to do: no change of the node.
    pub(super) fn advised(mut self, command: &'static str) -> Self {
        self.found.finding.fix.push(super::plan::here(command.to_owned()));
        self
    }

    /// What shows that the remedy is done: where packets take the right way without it, too.
    pub(super) fn proven_done(self) -> Self {
        let proofs = fix::proofs(&self.found.finding.remedy);
        self.proven(proofs)
    }

    pub(super) fn proven(mut self, steps: impl IntoIterator<Item = Step>) -> Self {
        for step in steps {
            if !self.found.finding.verify.contains(&step) {
                self.found.finding.verify.push(step);
            }
        }
        self
    }
}

/// The same, shortened: `a, b and 6 more`.
pub(super) fn few<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    let names: Vec<T> = names.into_iter().collect();
    match names.as_slice() {
        [first, second, rest @ ..] if rest.len() > 1 => {
            format!("{}, {} and {} more", first.as_ref(), second.as_ref(), rest.len())
        }
        all => listed(all),
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn listed<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    let names: Vec<T> = names.into_iter().collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [most @ .., last] => {
            let most: Vec<&str> = most.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", most.join(", "), last.as_ref())
        }
    }
}
