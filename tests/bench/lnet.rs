//! What reading LNet's answers costs: `net show -v 4` of eight NIs, and ten thousand peers, parsed
//! and through the reader with a child that prints them; beside it the YAML crate alone.
//! `cargo bench --bench lnet [-- PEERS]` prints one table; nothing here passes or fails.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark speaks, and panics when it cannot go on"
)]

use railtop::read::lnetctl::{LnetReader, net_show, peer_show};
use railtop::read::root::Root;
use railtop::sample::Mono;
use rustix::time::{ClockId, clock_gettime};
use std::fmt::Write as _;
use std::fs;
use std::hint::black_box;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

fn main() {
    let mut args = std::env::args().skip(1).filter(|a| a != "--bench");
    let peers: u32 = args.next_back().and_then(|a| a.parse().ok()).unwrap_or(10_000);
    for count in [8, 512] {
        let nets = nets(count);
        let what = format!("net show -v 4 of {count} NIs");
        row(&what, nets.len(), 200, || net_show(nets.as_bytes()).unwrap()[0].nis.len());
        row("… by the YAML crate", nets.len(), 20, || yaml(&nets));
    }
    let nets = nets(8);
    let text = peer_text(peers);
    let what = format!("peer show -v 4 of {peers} peers");
    row(&what, text.len(), 10, || peer_show(text.as_bytes()).unwrap().len());
    row("… by the YAML crate", text.len(), 3, || yaml(&text));
    through_the_reader(&nets, &text, peers);
}

/// Its scalars are resolved and its keys may not be integers in a struct; what it gives here is
/// only for the time.
fn yaml(text: &str) -> usize {
    let value: yaml_serde::Value = yaml_serde::from_str(text).unwrap();
    value.as_mapping().map_or(0, yaml_serde::Mapping::len)
}

/// By the CPU time of this thread, which what else runs on the machine does not touch.
fn row(what: &str, bytes: usize, rounds: usize, mut work: impl FnMut() -> usize) {
    let mut times: Vec<Duration> = (0..rounds)
        .map(|_| {
            let start = cpu();
            black_box(work());
            cpu().saturating_sub(start)
        })
        .collect();
    times.sort();
    let median = times[rounds / 2].as_secs_f64() * 1000.0;
    println!("{what:44} {bytes:>9} B {median:>10.3} ms of CPU (median of {rounds})");
}

fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).expect("CPU time is not negative")
}

/// All of it: a child that prints the peers, its pipe, the model.
fn through_the_reader(nets: &str, peers: &str, count: u32) {
    let dir = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    put("nets", nets);
    put("peers", peers);
    let d = dir.path().display();
    let script = format!(
        "#!/bin/sh\ncase \"$1\" in\n--version) echo lnetctl 2.16.1 ;;\nnet) exec cat {d}/nets ;;\n\
         peer) exec cat {d}/peers ;;\nesac\n"
    );
    put("lnetctl", &script);
    let program = dir.path().join("lnetctl");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let root = Root::new(dir.path());
    let wait = |reader: &mut LnetReader, now: Mono, done: &dyn Fn(usize, Mono) -> bool| {
        let (start, mut longest) = (Instant::now(), Duration::ZERO);
        loop {
            let before = cpu();
            let lnet = reader.poll(now + start.elapsed(), Duration::from_secs(1));
            longest = longest.max(cpu().saturating_sub(before));
            if let Ok(peers) = &lnet.more.peers
                && done(peers.value.len(), peers.at)
            {
                return (start.elapsed(), longest);
            }
            assert!(start.elapsed() < Duration::from_secs(30), "no answer");
            std::thread::sleep(Duration::from_micros(500));
        }
    };
    let mut times = Vec::new();
    let mut polls = Vec::new();
    for round in 0..5_u64 {
        let mut reader = LnetReader::new(&root, Some(program.clone()));
        reader.want_peers(true);
        let now = Mono(1_000_000_000_000 * (round + 1));
        let (time, poll) = wait(&mut reader, now, &|n, _| n == count as usize);
        times.push(time);
        // The same text again: looked at, not parsed.
        let later = now + Duration::from_secs(30);
        let (_, again) = wait(&mut reader, later, &|_, at| at >= later);
        polls.push(poll.max(again));
    }
    times.sort();
    polls.sort();
    let ms = |t: Duration| t.as_secs_f64() * 1000.0;
    println!(
        "… asked of a child, with the nets before {:>18.3} ms until it is there (median of 5)",
        ms(times[2])
    );
    println!(
        "… the longest poll of the reading thread {:>18.3} ms of CPU (worst of 5)",
        ms(polls[4])
    );
}

/// As 2.16 prints it.
fn nets(count: u32) -> String {
    let mut out = String::from("net:\n-     net type: o2ib\n      local NI(s):\n");
    for i in 1..=count {
        let _ = write!(
            out,
            "      -     nid: 10.0.{1}.{2}@o2ib\n            status: up\n            interfaces:\n                  0: ib{i}\n            statistics:\n                  send_count: {0}\n                  recv_count: {0}\n                  drop_count: 0\n            udsp info:\n                  net priority: -1\n                  nid priority: -1\n",
            123_456 + i,
            i / 256,
            i % 256
        );
        messages(&mut out);
        out.push_str(
            "            health stats:\n                  fatal_error: 0\n                  health value: 1000\n                  interrupts: 0\n                  dropped: 0\n                  aborted: 0\n                  no route: 0\n                  timeouts: 0\n                  error: 0\n                  ping_count: 0\n                  next_ping: 0\n            tunables:\n                  peer_timeout: 180\n                  peer_credits: 32\n                  peer_buffer_credits: 0\n                  credits: 256\n            lnd tunables:\n                  peercredits_hiw: 16\n                  map_on_demand: false\n                  concurrent_sends: 64\n                  fmr_pool_size: 512\n                  fmr_flush_trigger: 384\n                  fmr_cache: 1\n                  ntx: 512\n                  conns_per_peer: 1\n                  timeout: 49\n                  tos: -1\n            dev cpt: 0\n            CPT: \"[0,1]\"\n",
        );
    }
    out
}

fn messages(out: &mut String) {
    for section in ["sent_stats", "received_stats", "dropped_stats"] {
        let _ = writeln!(out, "            {section}:");
        for (i, kind) in ["put", "get", "reply", "ack", "hello"].iter().enumerate() {
            let _ = writeln!(out, "                  {kind}: {}", 4711 * i);
        }
    }
}

fn peer_text(count: u32) -> String {
    let mut out = String::from("peer:\n");
    for i in 0..count {
        let nid = format!("10.{}.{}.{}@o2ib", 1 + (i >> 16), (i >> 8) & 255, i & 255);
        let _ = write!(
            out,
            "-     primary nid: {nid}\n      Multi-Rail: true\n      peer state: 273\n      peer ni:\n      -     nid: {nid}\n            udsp info:\n                  net priority: -1\n                  nid priority: -1\n            state: up\n            max_ni_tx_credits: 32\n            available_tx_credits: 32\n            min_tx_credits: -{0}\n            tx_q_num_of_buf: 0\n            available_rtr_credits: 32\n            min_rtr_credits: 32\n            refcount: 1\n            statistics:\n                  send_count: {1}\n                  recv_count: {1}\n                  drop_count: 0\n",
            i & 31,
            1000 + i
        );
        messages(&mut out);
        out.push_str(
            "            health stats:\n                  health value: 1000\n                  dropped: 0\n                  timeout: 0\n                  error: 0\n                  network timeout: 0\n                  ping_count: 0\n                  next_ping: 0\n",
        );
    }
    out
}
