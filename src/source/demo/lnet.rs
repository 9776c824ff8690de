//! What LNet's tools would say on the simulated node.

mod messages;
mod peers;
mod settings;

pub(super) use settings::Settings;

use super::scenario::Rail;
use super::world::{RailNow, World};
use crate::sample::{
    Answered, Lnet, LnetAnswer, LnetModules, LnetMore, LnetNet, LnetNi, LnetNiCredits, LnetStats,
    Mono, Text, Timed,
};
use messages::{Kinds, Messages};
use std::sync::Arc;
use std::time::Duration;

/// As `tunables` of o2ib print them.
const CREDITS: u32 = 256;
const PEER_CREDITS: u32 = 32;
/// The lowest of a node that has been up for days.
const MIN_CREDITS: i64 = 187;
/// LNet adds so many bytes to a message on the wire (`struct lnet_hdr`).
const HEADER: u64 = 72;
/// A message of bulk data with its header occupies a credit for about this long.
const CREDIT_SECONDS: f64 = 0.0008;

pub(super) fn lnet(world: &World, at: Mono, settings: &Settings) -> Lnet {
    let mut nets = vec![LnetNet { name: Text::new("lo"), nis: vec![loopback()] }];
    for (rail, now) in world.scenario.rails.iter().zip(&world.rails) {
        let ni = ni(world, rail, now);
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
        more: LnetMore {
            peers: answered(at, peers::peers(world)),
            stats: answered(at, stats(world)),
            credits: answered(at, credits(world)),
            ..settings.more.clone()
        },
        local: Arc::clone(&settings.local),
        ..crate::read::lnetctl::nothing()
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a reading that is known")]
fn answered<T>(at: Mono, value: T) -> Answered<T> {
    Ok(Arc::new(Timed { at, value }))
}

/// Messages of one rail since the node came up.
fn messages(world: &World, now: &RailNow) -> Messages {
    Messages::of(now.rx.total(), now.tx.total(), world.scenario.lnet.server)
}

/// Credits that are taken on an NI now.
fn in_flight(world: &World, now: &RailNow) -> u32 {
    let rate = if now.carrier() { now.rx.rate(world.now) + now.tx.rate(world.now) } else { 0.0 };
    let most = f64::from(CREDITS) - MIN_CREDITS as f64;
    (rate / messages::BULK as f64 * CREDIT_SECONDS).clamp(0.0, most) as u32
}

fn ni(world: &World, rail: &Rail, now: &RailNow) -> LnetNi {
    let up = now.ni_up(world.now);
    let Messages { sent, received } = messages(world, now);
    let mut more: Vec<(String, i64)> = Vec::new();
    let mut add = |path: &str, value: i64| more.push((path.to_owned(), value));
    add("udsp info/net priority", -1);
    add("udsp info/nid priority", -1);
    let none = Kinds::default();
    for (group, kinds) in
        [("sent_stats", &sent), ("received_stats", &received), ("dropped_stats", &none)]
    {
        for (kind, count) in kinds.named() {
            add(&format!("{group}/{kind}"), i64::from(count as u32));
        }
    }
    let failed = now.ni;
    for (kind, count) in [
        ("interrupts", 0),
        ("dropped", 0),
        ("aborted", 0),
        ("no route", 0),
        ("timeouts", failed.timeouts),
        ("error", 0),
        ("ping_count", failed.ping_count),
        ("next_ping", next_ping(now)),
    ] {
        add(&format!("health stats/{kind}"), i64::from(count));
    }
    for (path, value) in [
        ("tunables/peer_timeout", 180),
        ("tunables/peer_buffer_credits", 0),
        ("lnd tunables/peercredits_hiw", 16),
        ("lnd tunables/map_on_demand", 1),
        ("lnd tunables/concurrent_sends", 64),
        ("lnd tunables/conns_per_peer", 1),
    ] {
        add(path, value);
    }
    LnetNi {
        nid: Text::new(&rail.nid),
        status: Ok(Text::new(if up { "up" } else { "down" })),
        interfaces: vec![Text::new(&rail.netdev)],
        // The counts are 32 bits and wrap.
        send_count: Ok(sent.sum() as u32),
        recv_count: Ok(received.sum() as u32),
        drop_count: Ok(0),
        fatal_error: Ok(u32::from(!up)),
        // A link that is gone does not lower it.
        health: Ok(failed.health),
        dev_cpt: Ok(i32::try_from(rail.numa).unwrap_or(-1)),
        peer_credits: Ok(PEER_CREDITS),
        credits: Ok(CREDITS),
        cpt: Ok(Text::new("[0,1]")),
        more: more
            .into_iter()
            .map(|(path, value)| (Text::from(path), Text::from(value.to_string())))
            .collect(),
    }
}

/// In seconds of the node's uptime, as LNet prints it.
fn next_ping(now: &RailNow) -> u32 {
    let seconds = now.ni.next_ping.map(|at| Duration::from_nanos(super::mono(at).0).as_secs());
    seconds.and_then(|s| u32::try_from(s).ok()).unwrap_or(0)
}

fn stats(world: &World) -> LnetStats {
    let rails = || world.rails.iter();
    let sum = |of: fn(&Messages) -> u64| rails().map(|r| of(&messages(world, r))).sum::<u64>();
    let (sends, receives) = (sum(|m| m.sent.sum()), sum(|m| m.received.sum()));
    let flight: u32 = rails().map(|r| in_flight(world, r)).sum();
    let timeouts: u32 = rails().map(|r| r.ni.timeouts).sum();
    // What the ports count is on the wire: headers of InfiniBand, about a sixty-fourth.
    let payload = |bytes: u64| bytes - bytes / 64;
    let sent: u64 = rails().map(|r| payload(r.tx.total())).sum();
    let received: u64 = rails().map(|r| payload(r.rx.total())).sum();
    let all = [
        ("msgs_alloc", u64::from(flight)),
        ("msgs_max", 411),
        ("rst_alloc", u64::from(flight) / 2),
        ("errors", 0),
        ("send_count", u64::from(sends as u32)),
        ("resend_count", u64::from(timeouts)),
        ("response_timeout_count", 0),
        ("local_interrupt_count", 0),
        ("local_dropped_count", 0),
        ("local_aborted_count", 0),
        ("local_no_route_count", 0),
        ("local_timeout_count", u64::from(timeouts)),
        ("local_error_count", 0),
        ("remote_dropped_count", 0),
        ("remote_error_count", 0),
        ("remote_timeout_count", 0),
        ("network_timeout_count", 0),
        ("recv_count", u64::from(receives as u32)),
        ("route_count", 0),
        ("drop_count", 0),
        ("send_length", sent),
        ("recv_length", received),
        ("route_length", 0),
        ("drop_length", 0),
    ];
    LnetStats {
        send_bytes: Ok(sent),
        recv_bytes: Ok(received),
        route_bytes: Ok(0),
        drop_bytes: Ok(0),
        all: all.map(|(name, value)| (Text::new(name), Text::from(value.to_string()))).into(),
    }
}

/// One row per NI and CPU partition, as debugfs `lnet/nis` has them.
fn credits(world: &World) -> Vec<LnetNiCredits> {
    let partitions = world.scenario.rails.iter().map(|r| r.numa).max().unwrap_or(0) + 1;
    let rails = world.scenario.rails.iter().zip(&world.rails);
    let rows = rails.flat_map(|(rail, now)| {
        let taken = in_flight(world, now);
        (0..partitions).map(move |partition| {
            let part = taken / partitions + u32::from(partition < taken % partitions);
            LnetNiCredits {
                nid: Text::new(&rail.nid),
                status: Text::new(if now.ni_up(world.now) { "up" } else { "down" }),
                max: i64::from(CREDITS),
                tx: i64::from(CREDITS - part),
                min: MIN_CREDITS,
            }
        })
    });
    rows.collect()
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
