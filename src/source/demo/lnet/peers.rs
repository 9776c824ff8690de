//! What `lnetctl peer show -v 4` would say: the neighbours of the rails, two NIDs each.

use super::super::world::World;
use super::messages::{BULK, Kinds};
use super::{HEADER, PEER_CREDITS, in_flight, messages};
use crate::sample::{LnetPeer, LnetPeerNi, Text};

/// The lowest of a node that has been up for days.
const MIN_CREDITS: i32 = 9;
/// Rails of a peer.
const RAILS: usize = 2;

pub(super) fn peers(world: &World) -> Vec<LnetPeer> {
    let scenario = &world.scenario;
    let Some(first) = scenario.rails.first() else { return Vec::new() };
    let net = first.nid.rsplit_once('@').map_or("o2ib", |(_, net)| net);
    let nids: Vec<String> = first.neighbours.iter().map(|ip| format!("{ip}@{net}")).collect();
    let (mut sent, mut received, mut flight) = (Kinds::default(), Kinds::default(), 0);
    for now in &world.rails {
        let own = messages(world, now);
        sent.add(&own.sent);
        received.add(&own.received);
        flight += in_flight(world, now);
    }
    let count = nids.len() as u64;
    let nis: Vec<LnetPeerNi> = (0..)
        .zip(&nids)
        .map(|(i, nid)| {
            let flight = (u64::from(flight) + i) / count.max(1);
            let counts = [sent.part(i, count).sum(), received.part(i, count).sum()];
            peer_ni(nid, "NA", counts, i32::try_from(flight).unwrap_or(0))
        })
        .collect();
    let peer = |nis: &[LnetPeerNi]| LnetPeer {
        primary_nid: nis.first().map(|ni| ni.nid.clone()).unwrap_or_default(),
        multi_rail: Ok(true),
        // MULTI_RAIL, DISCOVERED, NIDS_UPTODATE
        state_bits: Ok(0x111),
        nis: nis.to_vec(),
    };
    let mut peers: Vec<LnetPeer> = nis.chunks(RAILS).map(peer).collect();
    for route in &scenario.lnet.routes {
        let mut router = peer(&[peer_ni(&route.gateway, "up", [1210, 1210], 0)]);
        // The same, ROUTER_ENABLED and RTR_DISCOVERED
        router.state_bits = Ok(0x20115);
        if !peers.iter().any(|p| p.primary_nid == router.primary_nid) {
            peers.push(router);
        }
    }
    peers
}

fn peer_ni(nid: &str, state: &str, [sent, received]: [u64; 2], flight: i32) -> LnetPeerNi {
    let credits = i32::try_from(PEER_CREDITS).unwrap_or(0);
    let taken = flight.min(credits - MIN_CREDITS);
    LnetPeerNi {
        nid: Text::new(nid),
        state: Ok(Text::new(state)),
        max_tx_credits: Ok(credits),
        tx_credits: Ok(credits - taken),
        min_tx_credits: Ok(MIN_CREDITS),
        queued_bytes: Ok(u64::from(taken.unsigned_abs()) * (BULK + HEADER)),
        rtr_credits: Ok(credits),
        min_rtr_credits: Ok(credits),
        // The counts are 32 bits and wrap.
        send_count: Ok(sent as u32),
        recv_count: Ok(received as u32),
        drop_count: Ok(0),
        health: Ok(1000),
        dropped: Ok(0),
        timeouts: Ok(0),
        errors: Ok(0),
        network_timeouts: Ok(0),
        ping_count: Ok(0),
        next_ping: Ok(0),
        net_priority: Ok(-1),
        nid_priority: Ok(-1),
        preferred_sources: Vec::new(),
    }
}
