//! Real packets, and the counters of the interfaces they pass.

use crate::lab::{Lab, Start};
use crate::support::ns::Ns;
use std::net::UdpSocket;
use std::time::{Duration, Instant};

/// So many for each address; ARP and the like are fewer than half of it.
const PACKETS: u64 = 40;
const DISCARD: u16 = 9;

const A4: [&str; 2] = ["172.16.34.1", "172.16.34.2"];
const B4: [&str; 2] = ["172.16.16.1", "172.16.16.2"];
const A6: [&str; 2] = ["fd16::34:1", "fd16::34:2"];
const B6: [&str; 2] = ["fd16::16:1", "fd16::16:2"];

/// From each address of A to the one of B on the same rail: by that rail of both hosts.
pub(crate) fn leave(lab: &Lab, start: Start) -> Result<(), String> {
    let (a, b) = if start.is_v6() { (A6, B6) } else { (A4, B4) };
    each(("A", &lab.a, a), ("B", &lab.b, b))
}

/// The same the other way: B must have learnt the right hardware addresses.
pub(crate) fn arrive(lab: &Lab, start: Start) -> Result<(), String> {
    let (a, b) = if start.is_v6() { (A6, B6) } else { (A4, B4) };
    each(("B", &lab.b, b), ("A", &lab.a, a))
}

type Host<'a> = (&'a str, &'a Ns, [&'a str; 2]);

fn each(from: Host<'_>, to: Host<'_>) -> Result<(), String> {
    for ns in [from.1, to.1] {
        ns.sh("for r in ib0 ib1; do ip neigh flush dev $r; done");
    }
    (0..2).try_for_each(|rail| one(from, to, rail))
}

fn one(from: Host<'_>, to: Host<'_>, rail: usize) -> Result<(), String> {
    let (source, target) = (from.2[rail], to.2[rail]);
    let (out, inn) = (counters(from.1, "tx"), counters(to.1, "rx"));
    from.1.inside(|| {
        let socket = UdpSocket::bind((source, 0)).map_err(|e| format!("bind {source}: {e}"))?;
        for _ in 0..PACKETS {
            // The port is closed: what its host says to that does not matter.
            let _ = socket.send_to(&[0; 64], (target, DISCARD));
        }
        Ok::<(), String>(())
    })?;
    let limit = Instant::now() + Duration::from_secs(2);
    let mut sent;
    let mut got;
    loop {
        sent = difference(counters(from.1, "tx"), out);
        got = difference(counters(to.1, "rx"), inn);
        let whole = sent.iter().sum::<u64>() >= PACKETS && got.iter().sum::<u64>() >= PACKETS;
        if whole || Instant::now() >= limit {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let by_own = |n: [u64; 2]| n[rail] >= PACKETS && n[1 - rail] < PACKETS / 2;
    if by_own(sent) && by_own(got) {
        return Ok(());
    }
    Err(format!(
        "{PACKETS} packets from {source} to {target} (rail {rail}): {} sent {sent:?} by ib0 and \
         ib1, {} received {got:?}",
        from.0, to.0
    ))
}

fn difference(now: [u64; 2], before: [u64; 2]) -> [u64; 2] {
    [now[0] - before[0], now[1] - before[1]]
}

fn counters(ns: &Ns, way: &str) -> [u64; 2] {
    let read = ns.sh(&format!("cat /sys/class/net/ib[01]/statistics/{way}_packets"));
    let mut numbers = read.lines().map(|l| l.parse().expect("a counter"));
    [numbers.next().expect("ib0"), numbers.next().expect("ib1")]
}
