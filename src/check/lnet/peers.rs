//! Peers: how one does, and those under another name than the one Lustre uses.

use super::kit::Told;
use super::ni::is_router;
use crate::check::catalogue::lnet::LNET_PRIMARY_NID;
use crate::check::fold::Found;
use crate::check::{Severity, Verdict};
use crate::fix::word;
use crate::lnet::lifecycle::set;
use crate::node::{Node, Peer, PeerCondition};
use crate::sample::{LnetPeer, Text};

/// The verdict on one peer. A router watches all its peers, and calls those down that are idle:
/// there it is no more than a note.
pub fn peer_verdict(node: &Node, peer: &Peer<'_>) -> Verdict {
    let router = is_router(node) == Some(true);
    match peer.condition() {
        PeerCondition::Unhealthy | PeerCondition::Failing => Verdict::Warning,
        PeerCondition::Down if !router => Verdict::Warning,
        PeerCondition::Down | PeerCondition::Queueing => Verdict::Note,
        PeerCondition::Unknown => Verdict::Unknown,
        PeerCondition::Well => Verdict::Ok,
        PeerCondition::Own | PeerCondition::Elsewhere => Verdict::NotApplicable,
    }
}

/// A mounted file system's server is a peer whose primary NID is another one, although the NID
/// that Lustre mounted by is meant to be locked as the primary (`lock_prim_nid`).
pub(super) fn check(node: &Node) -> Option<Found> {
    let local = &node.lnet.local;
    if set(local, "lock_prim_nid").is_none_or(|v| v == "0") {
        return None;
    }
    let peers = node.lnet.more.peers.as_ref().ok()?;
    let mount_and_peer = local.mounts.iter().find_map(|mount| {
        let (nids, _) = mount.source.split_once(":/")?;
        let asked = split(nids);
        let wrong = asked.into_iter().find_map(|nid| wrong(&peers.value, nid).map(|p| (nid, p)));
        wrong.map(|(nid, peer)| (mount, Text::new(nid), peer))
    });
    let (mount, nid, peer) = mount_and_peer?;
    let summary = format!(
        "{} is mounted by {nid}, and LNet knows that server as {}: its primary NID is another one",
        mount.target, peer.primary_nid
    );
    Some(
        Told::new(LNET_PRIMARY_NID, Severity::Note, summary)
            .seen([
                format!("/proc/mounts: {} {} {}", mount.source, mount.target, mount.kind),
                format!("lnetctl peer show: primary nid: {}, peer ni: {nid}", peer.primary_nid),
            ])
            .verify([
                format!("lnetctl discover --force {}", word(&nid)),
                format!("lnetctl peer show --nid {}", word(&nid)),
            ])
            .found(),
    )
}

fn wrong<'a>(peers: &'a [LnetPeer], nid: &str) -> Option<&'a LnetPeer> {
    // A NID that is a primary somewhere is where it belongs.
    if peers.iter().any(|p| &*p.primary_nid == nid) {
        return None;
    }
    peers.iter().find(|p| p.nis.iter().any(|ni| &*ni.nid == nid))
}

/// `a@tcp,b@tcp:c@tcp`: the NIDs of one server by commas, servers by colons. An address may have
/// colons of its own: only behind the net does one end the NID.
fn split(nids: &str) -> Vec<&str> {
    let (mut all, mut rest) = (Vec::new(), nids);
    while let Some(at) = rest.find('@') {
        let end =
            rest.get(at..).and_then(|net| net.find([',', ':'])).map_or(rest.len(), |n| at + n);
        let (nid, behind) = rest.split_at(end);
        all.push(nid);
        rest = behind.get(1..).unwrap_or_default();
    }
    all
}
