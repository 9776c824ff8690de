//! The form of a remedy that survives a reboot, in the words of each network manager.
//!
//! A remedy is a list of [`Change`](super::Change)s. [`plan`] sorts it by interface, [`render`] writes it down.
//! Nothing is ever written to the system: the files are shown.

mod ifcfg;
mod ifupdown;
mod netplan;
mod networkd;
mod nm;
mod nmstate;
mod plan;
mod rule;
mod stands;
mod sysctl;
mod wicked;
mod write;

pub use plan::{Kind, Plan, RailPlan, RailState, beside, plan};
pub use rule::Policy;
pub use stands::{Live, Missing, Standing, not_persistent, standing};

use crate::sample::Manager;
use serde::Serialize;

/// A file to be written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct File {
    /// Where.
    pub path: String,
    /// All of it, or lines of it if `partial`.
    pub content: String,
    /// Its permissions.
    #[serde(serialize_with = "octal")]
    pub mode: u32,
    /// The file may be there already: these lines belong into it.
    pub partial: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn octal<S: serde::Serializer>(mode: &u32, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(&format!("{mode:04o}"))
}

impl File {
    fn whole(path: impl Into<String>, content: String, mode: u32) -> Self {
        Self { path: path.into(), content, mode, partial: false }
    }

    fn part(path: impl Into<String>, content: String, mode: u32) -> Self {
        Self { path: path.into(), content, mode, partial: true }
    }
}

/// A remedy in the words of one manager.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Persist {
    /// Whose words.
    #[serde(serialize_with = "word")]
    pub manager: Manager,
    /// What to write.
    pub files: Vec<File>,
    /// What to run then, in this order; each one line of POSIX sh.
    pub commands: Vec<String>,
    /// What could not be said, and what this manager is known to do with it.
    pub warnings: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn word<S: serde::Serializer>(manager: &Manager, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(manager.word())
}

impl Persist {
    fn new(manager: Manager) -> Self {
        Self { manager, files: Vec::new(), commands: Vec::new(), warnings: Vec::new() }
    }

    /// Each sentence once.
    fn warn(&mut self, sentence: impl Into<String>) {
        let sentence = sentence.into();
        if !self.warnings.contains(&sentence) {
            self.warnings.push(sentence);
        }
    }
}

/// Writes a plan down for a manager.
pub fn render(manager: Manager, plan: &Plan) -> Persist {
    let mut out = Persist::new(manager);
    for sentence in &plan.left_out {
        out.warn(sentence);
    }
    let configured = plan.rails.iter().any(RailPlan::is_configured);
    if configured {
        match manager {
            Manager::NetworkManager => nm::render(plan, &mut out),
            Manager::Netplan => netplan::render(plan, &mut out),
            Manager::Networkd => networkd::render(plan, &mut out),
            Manager::Ifupdown => ifupdown::render(plan, &mut out),
            Manager::Nmstate => nmstate::render(plan, &mut out),
            Manager::Ifcfg => ifcfg::render(plan, &mut out),
            Manager::Wicked => wicked::render(plan, &mut out),
        }
        other_manager(manager, plan, &mut out);
    }
    sysctl::render(plan, &mut out);
    out
}

/// Two managers of one interface undo each other's work.
fn other_manager(target: Manager, plan: &Plan, out: &mut Persist) {
    for rail in &plan.rails {
        let Some(kept) = &rail.managed else { continue };
        let keeps = kept.daemon.unwrap_or(kept.manager);
        let family = |m: Manager| match m {
            // Both write NetworkManager's own profiles.
            Manager::Nmstate => Manager::NetworkManager,
            m => m,
        };
        if family(target) != kept.manager && family(target) != keeps {
            out.warn(format!(
                "{} is kept by {} ({}): take it away from there first, or two programs configure it",
                rail.interface, kept.manager, kept.evidence
            ));
        }
    }
}

#[cfg(test)]
mod tests;
