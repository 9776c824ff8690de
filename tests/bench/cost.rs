//! What the dashboard costs: CPU, memory, wake-ups, terminal bytes, first paint, and how late a
//! dead rail is shown. `cargo bench --bench cost [-- SECONDS [WHAT…]]` prints one table; nothing
//! here passes or fails. WHAT is steady, latency, floor, check (all by default) or others.
//!
//! CPU is the time on a core of all threads (`/proc/PID/task/*/schedstat`, nanoseconds) after a
//! warm-up, wake-ups are voluntary context switches, RSS is `VmHWM`. The rails are fixture files of
//! ConnectX-6 ports whose counters move, and emulated IPoIB netdevs in a namespace of the
//! benchmark's own; no firmware stands behind the reads, so the figures are railtop's own cost.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark speaks, and panics when it cannot go on"
)]

#[path = "floor.rs"]
mod floor;
#[path = "others.rs"]
mod others;
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use support::ns::{self, Ns, Rail};
use support::pty::Pty;
use support::railtop;
use support::tree::{Nic, Port, Tree};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let seconds = args.first().and_then(|s| s.parse().ok()).unwrap_or(60);
    let wanted = |what: &str| args.len() < 2 || args[1..].iter().any(|a| a == what);
    if let Some(why) = ns::unavailable() {
        println!("cannot measure: {why}");
        return;
    }
    if wanted("steady") {
        steady(Duration::from_secs(seconds));
    }
    if wanted("latency") {
        latency(50);
    }
    if wanted("floor") {
        floor::table(Duration::from_secs(seconds));
    }
    if wanted("check") {
        check();
    }
    if args.iter().any(|a| a == "others") {
        others::table(Duration::from_secs(seconds));
    }
}

/// Steady state, by number of rails and interval, on 120×40.
fn steady(window: Duration) {
    println!(
        "{:>5} {:>8} {:>10} {:>7} {:>7} {:>8} {:>8} {:>9} {:>10} {:>9}",
        "rails",
        "interval",
        "CPU s/min",
        "CPU %",
        "wake/s",
        "RSS MB",
        "PSS MB",
        "B/frame",
        "first B",
        "paint ms"
    );
    for rails in [8, 64] {
        let world = World::new(rails);
        for interval in ["1s", "100ms"] {
            let paint = world.first_paint(interval);
            let m = world.measure(interval, window);
            println!(
                "{rails:>5} {interval:>8} {:>10.3} {:>7.3} {:>7.1} {:>8.1} {:>8.1} {:>9.0} {:>10} {:>9.0}",
                m.cpu.as_secs_f64() * 60.0 / m.window.as_secs_f64(),
                m.cpu.as_secs_f64() * 100.0 / m.window.as_secs_f64(),
                m.wakeups as f64 / m.window.as_secs_f64(),
                m.rss_kb as f64 / 1024.0,
                m.pss_kb as f64 / 1024.0,
                m.bytes as f64 / m.frames.max(1) as f64,
                m.first_bytes,
                paint.as_secs_f64() * 1000.0,
            );
        }
    }
}

/// Rails as files, netdevs as TUN devices, counters that move.
struct World {
    ns: Ns,
    _rails: Vec<Rail>,
    tree: Arc<Tree>,
    stop: Arc<AtomicBool>,
    mover: Option<std::thread::JoinHandle<()>>,
}

impl World {
    fn new(rails: usize) -> Self {
        let ns = Ns::new();
        let tree = Tree::new();
        let mut netdevs = Vec::new();
        let mut ports = Vec::new();
        for i in 0..rails {
            netdevs.push(Rail::new(&ns, &format!("ib{i}"), &format!("10.{i}.0.1/24")));
            let bus = format!("{:04x}:{:02x}", i / 32, 2 * (i % 32) + 1);
            let port = tree.mlx5(&format!("mlx5_{i}"), &bus, &Port::active("200 Gb/sec (4X HDR)"));
            let pci = format!("sys/devices/pci{bus}/{bus}:01.0/{bus}:0a.0");
            tree.netdev(&format!("ib{i}"), Some(&pci), Nic::ipoib(i as u32 + 2));
            ports.push(port);
        }
        let tree = Arc::new(tree);
        let stop = Arc::new(AtomicBool::new(false));
        let mover = {
            let (tree, stop) = (Arc::clone(&tree), Arc::clone(&stop));
            std::thread::spawn(move || {
                let start = Instant::now();
                while !stop.load(Ordering::Relaxed) {
                    // About 10 GB/s on each rail, in 4-byte words.
                    let words = (start.elapsed().as_secs_f64() * 2.5e9) as u64;
                    for port in &ports {
                        tree.file(format!("{port}/counters/port_rcv_data"), &format!("{words}\n"));
                        let sent = format!("{}\n", words / 3);
                        tree.file(format!("{port}/counters/port_xmit_data"), &sent);
                    }
                    std::thread::sleep(Duration::from_millis(50));
                }
            })
        };
        Self { ns, _rails: netdevs, tree, stop, mover: Some(mover) }
    }

    fn start(&self, interval: &str) -> Pty {
        let root = self.tree.path().to_str().expect("UTF-8 path").to_owned();
        in_namespace(&self.ns, &["--root", &root, "--interval", interval], 120, 40)
    }

    /// Median of five starts: from exec until 200 printable characters are on the screen.
    fn first_paint(&self, interval: &str) -> Duration {
        let mut times: Vec<Duration> = (0..5)
            .map(|_| {
                let pty = self.start(interval);
                let painted = pty.wait_screen("a first paint", Duration::from_secs(10), |s| {
                    s.chars().filter(|c| !c.is_whitespace()).count() >= 200
                });
                painted.saturating_duration_since(pty.started)
            })
            .collect();
        times.sort();
        times[times.len() / 2]
    }

    fn measure(&self, interval: &str, window: Duration) -> Measured {
        let pty = self.start(interval);
        pty.wait_text("ib7", Duration::from_secs(10));
        let first_bytes = pty.seen().raw.len();
        std::thread::sleep(Duration::from_secs(3));
        let pid = process_named(pty.pid(), "railtop");
        let (cpu0, wake0, raw0) = (cpu(&pid), wakeups(&pid), pty.seen().raw.len());
        let start = Instant::now();
        std::thread::sleep(window);
        let (cpu1, wake1) = (cpu(&pid), wakeups(&pid));
        let window = start.elapsed();
        let (rss_kb, pss_kb) =
            (field(&pid.join("status"), "VmHWM:"), field(&pid.join("smaps_rollup"), "Pss:"));
        let seen = pty.seen();
        let sent = &seen.raw[raw0..];
        let begin = b"\x1b[?2026h";
        let frames = sent.windows(begin.len()).filter(|w| w == begin).count();
        Measured {
            window,
            cpu: cpu1.saturating_sub(cpu0),
            wakeups: wake1.saturating_sub(wake0),
            rss_kb,
            pss_kb,
            bytes: sent.len(),
            frames,
            first_bytes,
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(mover) = self.mover.take() {
            let _ = mover.join();
        }
    }
}

/// So often is one report made.
const RUNS: u32 = 20;

/// What one `railtop check` of 8 rails costs: the time until it ends, most of it the wait between
/// its two samples, and its own work.
fn check() {
    let world = World::new(8);
    let root = world.tree.path().to_str().expect("UTF-8 path").to_owned();
    // Children's CPU in ticks of 10 ms: fields 16 and 17 of /proc/self/stat (proc(5)).
    let ticks = || -> u64 {
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let fields: Vec<u64> = rest.split_whitespace().map(|f| f.parse().unwrap_or(0)).collect();
        fields.get(13..15).map_or(0, |own| own.iter().sum())
    };
    let (before, mut took) = (ticks(), Vec::new());
    for _ in 0..RUNS {
        let start = Instant::now();
        let mut command = world.ns.command(railtop());
        let out = command.args(["check", "--json", "--root", &root]).output().expect("it runs");
        assert!(!out.stdout.is_empty());
        took.push(start.elapsed());
    }
    took.sort();
    let own = (ticks() - before) as f64 * 10.0 / f64::from(RUNS);
    println!(
        "railtop check, 8 rails: median {:.2} s, of it {own:.0} ms of work (with ip netns exec)",
        took[took.len() / 2].as_secs_f64()
    );
}

struct Measured {
    window: Duration,
    cpu: Duration,
    wakeups: u64,
    rss_kb: u64,
    pss_kb: u64,
    bytes: usize,
    frames: usize,
    first_bytes: usize,
}

/// Carrier cut → the word on the screen, on a quiet kernel and shortly after another change.
fn latency(rounds: usize) {
    let ns = Ns::new();
    let _ib0 = Rail::new(&ns, "ib0", "10.0.0.1/24");
    let ib1 = Rail::new(&ns, "ib1", "10.1.0.1/24");
    let pty = in_namespace(&ns, &[], 120, 40);
    pty.wait_text("ib1", Duration::from_secs(10));
    for (name, quiet) in [("quiet kernel", 1500), ("300 ms after another change", 300)] {
        let mut late = Vec::new();
        for _ in 0..rounds {
            std::thread::sleep(Duration::from_millis(quiet));
            let cut = Instant::now();
            ib1.carrier(false);
            let seen = pty.wait_text("CRITICAL", Duration::from_secs(5));
            late.push(seen.saturating_duration_since(cut));
            std::thread::sleep(Duration::from_millis(quiet));
            ib1.carrier(true);
            pty.wait_screen("well again", Duration::from_secs(5), |s| !s.contains("CRITICAL"));
        }
        late.sort();
        println!(
            "carrier cut to screen, {name}: median {:.0} ms, max {:.0} ms, {} rounds",
            late[late.len() / 2].as_secs_f64() * 1000.0,
            late[late.len() - 1].as_secs_f64() * 1000.0,
            late.len()
        );
    }
}

fn in_namespace(ns: &Ns, args: &[&str], cols: u16, rows: u16) -> Pty {
    let program = railtop();
    let mut all = vec!["netns", "exec", &ns.name, program.to_str().expect("UTF-8 path")];
    all.extend(args);
    Pty::spawn("/usr/sbin/ip".as_ref(), &all, cols, rows)
}

/// `/proc/PID` of the process; `ip netns exec` execs, so the id stays.
fn process_named(pid: i32, name: &str) -> PathBuf {
    let path = PathBuf::from(format!("/proc/{pid}"));
    let comm = fs::read_to_string(path.join("comm")).unwrap_or_default();
    assert_eq!(comm.trim(), name);
    path
}

fn tasks(pid: &Path) -> Vec<PathBuf> {
    fs::read_dir(pid.join("task"))
        .map(|d| d.flatten().map(|e| e.path()).collect())
        .unwrap_or_default()
}

fn cpu(pid: &Path) -> Duration {
    let nanos: u64 = tasks(pid)
        .iter()
        .filter_map(|t| fs::read_to_string(t.join("schedstat")).ok())
        .filter_map(|s| s.split_whitespace().next().and_then(|n| n.parse::<u64>().ok()))
        .sum();
    Duration::from_nanos(nanos)
}

fn wakeups(pid: &Path) -> u64 {
    tasks(pid).iter().map(|t| field(&t.join("status"), "voluntary_ctxt_switches:")).sum()
}

fn field(file: &Path, key: &str) -> u64 {
    fs::read_to_string(file)
        .unwrap_or_default()
        .lines()
        .find_map(|l| l.strip_prefix(key)?.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}
