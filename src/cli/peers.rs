//! `--peer`: addresses to reach, and captures of other nodes to compare with this one.

use super::args::{Global, Peers};
use super::check;
use super::error::Failure;
use crate::node::{Node, Settings};
use crate::sample::Text;
use crate::source::capture::Capture;
use std::net::IpAddr;
use std::path::Path;

/// What `--peer` named.
#[derive(Debug, Default)]
pub(super) struct Named {
    addresses: Vec<IpAddr>,
    /// The captures, each as its node.
    pub(super) nodes: Vec<Node>,
}

impl Named {
    /// The settings of this node.
    pub(super) fn settings(&self, global: &Global) -> Settings {
        let mut settings = global.settings();
        settings.peers.extend(&self.addresses);
        settings
    }
}

/// Opens the captures.
pub(super) fn open(peers: &Peers, global: &Global) -> Result<Named, Failure> {
    let mut named = Named::default();
    for word in &peers.peer {
        if let Ok(address) = word.parse() {
            named.addresses.push(address);
        } else {
            named.nodes.push(node(Path::new(word), global)?);
        }
    }
    Ok(named)
}

fn node(path: &Path, global: &Global) -> Result<Node, Failure> {
    if let Err(e) = std::fs::metadata(path) {
        let shown = path.display();
        let mend = "give an address, a capture directory or its .tar.zst";
        return Err(Failure::Usage(Text::new(&format!("--peer {shown}: {e}; {mend}"))));
    }
    let node = check::settled(Box::new(Capture::open(path)?), global, &global.settings())?;
    // The names of this node's rails may mean nothing there.
    if node.rails.is_empty() {
        let settings = Settings::default();
        return check::settled(Box::new(Capture::open(path)?), global, &settings);
    }
    Ok(node)
}
