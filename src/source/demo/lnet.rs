//! What `lnetctl net show -v 4` would say on the simulated node.

use super::scenario::Rail;
use super::world::{RailNow, World};
use crate::sample::{Lnet, LnetAnswer, LnetModules, LnetNet, LnetNi, Mono, Text};
use std::time::Duration;

/// Bulk transfers of Lustre are split into messages of 1 MiB (LNET_MTU).
const MESSAGE_SHIFT: u32 = 20;

pub(super) fn lnet(world: &World, at: Mono) -> Lnet {
    let mut nets = vec![LnetNet { name: Text::new("lo"), nis: vec![loopback()] }];
    for (rail, now) in world.scenario.rails.iter().zip(&world.rails) {
        let ni = ni(rail, now, world.now);
        let name = Text::new(ni.net());
        match nets.iter_mut().find(|net| net.name == name) {
            Some(net) => net.nis.push(ni),
            None => nets.push(LnetNet { name, nis: vec![ni] }),
        }
    }
    Lnet {
        modules: LnetModules { lnet: Some(true), ksocklnd: Some(false), ko2iblnd: Some(true) },
        version: Ok(Text::new(&world.scenario.lnet.version)),
        answer: Ok(LnetAnswer { at, took: Duration::from_millis(4), nets }),
        ..crate::read::lnetctl::nothing()
    }
}

fn ni(rail: &Rail, now: &RailNow, time: u64) -> LnetNi {
    let up = now.ni_up(time);
    let bulk = |bytes: u64| bytes >> MESSAGE_SHIFT;
    let (read, written) = (bulk(now.rx.total()), bulk(now.tx.total()));
    // Each bulk message has a request and a reply beside it. The counts are 32 bits and wrap.
    let (sent, received) = ((2 * read + written) as u32, (read + 2 * written) as u32);
    let more = [
        ("sent_stats/put", u64::from(sent)),
        ("received_stats/put", u64::from(received)),
        ("health stats/dropped", 0),
        ("health stats/timeouts", 0),
        ("health stats/error", 0),
        ("tunables/peer_timeout", 180),
        ("lnd tunables/map_on_demand", 1),
    ];
    LnetNi {
        nid: Text::new(&rail.nid),
        status: Ok(Text::new(if up { "up" } else { "down" })),
        interfaces: vec![Text::new(&rail.netdev)],
        send_count: Ok(sent),
        recv_count: Ok(received),
        drop_count: Ok(0),
        fatal_error: Ok(u32::from(!up)),
        // A link that is gone does not lower it.
        health: Ok(1000),
        dev_cpt: Ok(i32::try_from(rail.numa).unwrap_or(-1)),
        peer_credits: Ok(32),
        credits: Ok(256),
        cpt: Ok(Text::new("[0,1]")),
        more: more.map(|(path, value)| (Text::new(path), Text::from(value.to_string()))).into(),
    }
}

fn loopback() -> LnetNi {
    LnetNi {
        nid: Text::new("0@lo"),
        status: Ok(Text::new("up")),
        interfaces: Vec::new(),
        send_count: Ok(0),
        recv_count: Ok(0),
        drop_count: Ok(0),
        fatal_error: Ok(0),
        health: Ok(0),
        dev_cpt: Ok(0),
        peer_credits: Ok(0),
        credits: Ok(0),
        cpt: Ok(Text::new("[0,1]")),
        more: Vec::new(),
    }
}
