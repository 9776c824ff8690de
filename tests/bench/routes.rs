//! What 100,000 routes cost: dump, model, findings, matrix, and a pass in which nothing changed.
//! `cargo bench --bench routes [-- COUNT]` prints one table; nothing here passes or fails.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark speaks, and panics when it cannot go on"
)]

#[path = "../support/mod.rs"]
mod support;

use railtop::check::{Judge, paths};
use railtop::fib::Fib;
use railtop::node::{Node, Settings, SourceKind};
use railtop::read::root::Root;
use railtop::read::rtnl::Rtnl;
use railtop::read::{clock, host, lnetctl, sysctl};
use railtop::sample::{Sample, SampleTime, Unknown, Why};
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::ns::{self, Ns, Rail};

const LIMIT: Duration = Duration::from_mins(1);

fn main() {
    let mut args = std::env::args().skip(1).filter(|a| a != "--bench");
    let count: u32 = args.next_back().and_then(|a| a.parse().ok()).unwrap_or(100_000);
    if let Some(why) = ns::unavailable() {
        println!("cannot measure: {why}");
        return;
    }
    let ns = Ns::new();
    let _rails = [Rail::new(&ns, "ib0", "172.16.34.1/16"), Rail::new(&ns, "ib1", "172.16.34.2/16")];
    fill(&ns, count);
    ns.inside(|| measure(count));
}

/// Routes that a host of a large fabric might have: /32 and /24, spread over both rails.
fn fill(ns: &Ns, count: u32) {
    let mut lines = String::new();
    for i in 0..count {
        let (a, b, c) = (i >> 16, (i >> 8) & 255, i & 255);
        let _ = writeln!(lines, "route add 20.{a}.{b}.{c}/32 dev ib{}", i & 1);
    }
    let mut ip = ns.command("ip");
    let mut child = ip.args(["-batch", "-"]).stdin(Stdio::piped()).spawn().expect("ip runs");
    child.stdin.take().expect("piped").write_all(lines.as_bytes()).expect("ip reads");
    assert!(child.wait().expect("ip ends").success());
}

fn timed<T>(what: &str, mut work: impl FnMut() -> T) -> T {
    let mut times = Vec::new();
    let mut last = None;
    for _ in 0..5 {
        let start = Instant::now();
        last = Some(std::hint::black_box(work()));
        times.push(start.elapsed());
    }
    times.sort();
    println!("{what:40} {:>9.3} ms (median of 5)", times[2].as_secs_f64() * 1000.0);
    last.expect("five rounds")
}

fn measure(count: u32) {
    println!("{count} routes");
    let root = Root::system();
    let rtnl = Rtnl::start(|_| {}).expect("netlink opens");
    let links = Arc::new(rtnl.links(LIMIT).expect("links"));
    let routing = Arc::new(timed("dump", || rtnl.routing(&root, LIMIT)));
    let sysctls = Arc::new(sysctl::read(&root));
    let absent = || Unknown::new(Why::Absent, "not read");
    let sample = Sample {
        time: SampleTime { wall: jiff::Timestamp::now(), mono: clock::now() },
        host: Arc::new(host::live()),
        netdevs: Err(absent()),
        rdma: Err(absent()),
        links: Ok(Arc::clone(&links)),
        routing: Arc::clone(&routing),
        sysctls: Arc::clone(&sysctls),
        managers: None,
        lnet: Arc::new(lnetctl::nothing()),
        notes: Vec::new(),
        cost: Vec::new(),
    };
    let mut node = Node::new(Settings::default(), SourceKind::Live, &sample);
    timed("index of the tables", || Fib::new(&links, &routing, &sysctls, None));
    timed("findings", || Judge::default().assess(&node));
    timed("decision matrix", || paths::matrix(&node, None, &[])).expect("routes are known");
    let mut judge = Judge::default();
    judge.assess(&node);
    timed("the same again, nothing changed", || {
        node.advance(&sample);
        judge.assess(&node)
    });
}
