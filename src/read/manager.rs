//! Which program keeps each rail's configuration, and what its files say.
//!
//! Only files are read: the run-time state that the daemons leave below `/run`, and the
//! configuration of all of them. None is asked by D-Bus and nothing is run.

mod config;
mod detect;
mod files;
mod keep;

use crate::read::root::Root;
use crate::sample::{ConfigFile, Link, Managers, RailManager, Text};
use files::Files;
pub(super) use files::text;
pub use keep::{Kept, kept};

/// `type` of IPoIB interfaces (linux/if_arp.h).
const ARPHRD_INFINIBAND: u32 = 32;
/// Each costs some lookups of files.
const MOST_INTERFACES: usize = 256;

/// Reads who keeps the interfaces (index and name), and the configuration below a root.
///
/// It reads up to a few hundred files: for when someone asks, not for every pass.
pub fn read(root: &Root, interfaces: &[(u32, Text)]) -> Managers {
    let mut files = Files::new(root);
    let config: Vec<ConfigFile> =
        config::scan(&mut files).into_iter().filter_map(config::Scanned::kept).collect();
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

/// The interfaces whose manager is asked for, by index and name: all but the ends of containers,
/// IPoIB and physical ones first.
pub fn keepable(links: &[Link]) -> Vec<(u32, Text)> {
    let is_port = |l: &&Link| l.slave_kind.as_deref() == Some("bridge");
    let mut all: Vec<&Link> =
        links.iter().filter(|l| !l.flags.is_loopback()).filter(|l| !is_port(l)).collect();
    all.sort_by_key(|l| l.kind != ARPHRD_INFINIBAND && l.info_kind.is_some());
    all.into_iter().take(MOST_INTERFACES).map(|l| (l.index, l.name.clone())).collect()
}

#[cfg(test)]
mod tests;
