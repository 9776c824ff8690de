//! Which program keeps each rail's configuration, and what its files say.
//!
//! Only files are read: the run-time state that the daemons leave below `/run`, and the
//! configuration of all of them. None is asked by D-Bus and nothing is run.

mod config;
mod detect;
mod files;

use crate::read::root::Root;
use crate::sample::{Managers, RailManager, Text};
use files::Files;
pub(super) use files::text;

/// Reads who keeps the interfaces (index and name), and the configuration below a root.
///
/// It reads up to a few hundred files: for when someone asks, not for every pass.
pub fn read(root: &Root, interfaces: &[(u32, Text)]) -> Managers {
    let mut files = Files::new(root);
    let config = config::read(&mut files);
    let mut rails: Vec<RailManager> = interfaces
        .iter()
        .map(|(index, name)| RailManager {
            interface: name.clone(),
            managed: detect::managed(root, *index, name, &config),
        })
        .collect();
    detect::mark_shared(&mut rails, &config);
    Managers { rails, config, gaps: files.gaps }
}

#[cfg(test)]
mod tests;
