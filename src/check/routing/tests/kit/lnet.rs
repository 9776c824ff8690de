//! What LNet says, in a few words.

use crate::node::testing::{World, ni};
use crate::sample::{
    Link, LnetPeer, LnetPeerNi, LnetRoute, Mono, Reading, Routing, Sample, Timed, Unknown, Why,
};
use std::sync::Arc;

/// Its NIs, peers and routes.
#[derive(Default)]
pub(super) struct Lnet {
    /// An NI of `o2ib` for each IPv4 address of `ib*`.
    pub of_rails: bool,
    /// NID and interface.
    pub nis: Vec<(String, String)>,
    /// NIDs of each peer.
    pub peers: Vec<Vec<String>>,
    /// Net and gateway.
    pub routes: Vec<(String, String)>,
}

impl Lnet {
    pub(super) fn sample(&self, links: &[Link], routing: &Routing) -> Sample {
        let mut world = World::new();
        let mut nis: Vec<(String, String)> = self.nis.clone();
        if self.of_rails {
            for address in routing.addresses.iter().flatten().filter(|a| a.local.addr.is_ipv4()) {
                let link = links.iter().find(|l| l.index == address.ifindex).unwrap();
                if link.name.starts_with("ib") {
                    nis.push((format!("{}@o2ib", address.local.addr), link.name.to_string()));
                }
            }
        }
        if !nis.is_empty() {
            world.nis = Ok(nis.iter().map(|(nid, dev)| ni(nid, &[dev.as_str()])).collect());
        }
        let mut sample = world.at_ms(0);
        let more = &mut Arc::make_mut(&mut sample.lnet).more;
        if !self.peers.is_empty() {
            more.peers = Ok(answered(self.peers.iter().map(|nids| peer(nids)).collect()));
        }
        if !self.routes.is_empty() {
            more.routes = Ok(answered(self.routes.iter().map(|(n, g)| route(n, g)).collect()));
        }
        sample
    }
}

fn answered<T>(value: T) -> Arc<Timed<T>> {
    Arc::new(Timed { at: Mono::default(), value })
}

fn untold<T>() -> Reading<T> {
    Err(Unknown::new(Why::Absent, "not told"))
}

fn peer(nids: &[String]) -> LnetPeer {
    LnetPeer {
        primary_nid: nids[0].as_str().into(),
        multi_rail: Ok(nids.len() > 1),
        state_bits: untold(),
        nis: nids.iter().map(|nid| peer_ni(nid)).collect(),
    }
}

fn peer_ni(nid: &str) -> LnetPeerNi {
    LnetPeerNi {
        nid: nid.into(),
        state: Ok("NA".into()),
        max_tx_credits: untold(),
        tx_credits: untold(),
        min_tx_credits: untold(),
        queued_bytes: untold(),
        rtr_credits: untold(),
        min_rtr_credits: untold(),
        send_count: untold(),
        recv_count: untold(),
        drop_count: untold(),
        health: untold(),
        dropped: untold(),
        timeouts: untold(),
        errors: untold(),
        network_timeouts: untold(),
        ping_count: untold(),
        next_ping: untold(),
        net_priority: untold(),
        nid_priority: untold(),
        preferred_sources: Vec::new(),
    }
}

fn route(net: &str, gateway: &str) -> LnetRoute {
    LnetRoute {
        net: net.into(),
        gateway: gateway.into(),
        hop: untold(),
        priority: untold(),
        state: untold(),
        kind: untold(),
    }
}
