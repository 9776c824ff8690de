//! On the real kernel, in namespaces of the test's own: what is done there is seen.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on panics"
)]

mod support;

use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use support::ns::{self, Ns, Rail};
use support::pty::Pty;
use support::stream::{Stream, rail, roots};
use support::{railtop, skip, wait_for};

/// Skips the test that calls it where namespaces cannot be made.
macro_rules! needs_namespaces {
    ($name:literal) => {
        if let Some(why) = ns::unavailable() {
            return skip($name, &why);
        }
    };
}

fn stream(ns: &Ns, args: &str) -> Stream {
    let mut command = ns.command(railtop());
    command.args(args.split_whitespace());
    Stream::start(&mut command)
}

fn pty(ns: &Ns, args: &str, cols: u16, rows: u16) -> Pty {
    let program = railtop();
    let mut all = vec!["netns", "exec", &ns.name, program.to_str().expect("UTF-8 path")];
    all.extend(args.split_whitespace());
    let ip = Command::new("sh").args(["-c", "command -v ip"]).output().expect("sh runs");
    let ip = String::from_utf8_lossy(&ip.stdout).trim().to_owned();
    Pty::spawn(ip.as_ref(), &all, cols, rows)
}

#[test]
fn bytes_really_sent_are_the_rate_of_the_right_rail() {
    needs_namespaces!("bytes_really_sent_are_the_rate_of_the_right_rail");
    let ns = Ns::new();
    let ib0 = Rail::new(&ns, "ib0", "172.16.34.1/16");
    let _ib1 = Rail::new(&ns, "ib1", "172.17.34.1/16");
    let stop = AtomicBool::new(false);
    let sent = AtomicU64::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                ib0.receive(50, 1500);
                sent.fetch_add(75_000, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        let stream = stream(&ns, "stream --interval 500ms");
        let known = |o: &serde_json::Value| rail(o, "ib0")["rx"]["bytes_per_second"].is_f64();
        // The first figure covers an interval that may have begun before the load.
        stream.until("a first rate", known);
        for _ in 0..4 {
            let before = (Instant::now(), sent.load(Ordering::Relaxed));
            let (_, object) = stream.until("a rate", known);
            let after = (Instant::now(), sent.load(Ordering::Relaxed));
            let told = rail(&object, "ib0")["rx"]["bytes_per_second"].as_f64().expect("known");
            let real = (after.1 - before.1) as f64
                / after.0.saturating_duration_since(before.0).as_secs_f64();
            // Both clocks cover the same interval but for the time of one wake-up.
            assert!((told / real - 1.0).abs() < 0.05, "told {told:.0} B/s, really {real:.0} B/s");
            let idle = rail(&object, "ib1")["rx"]["bytes_per_second"].as_f64();
            assert!(idle.is_some_and(|r| r < 1000.0), "ib1 carried nothing, told {idle:?}");
            assert_eq!(rail(&object, "ib0")["rx"]["source"], "netdev");
        }
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_cut_carrier_is_told_at_once() {
    needs_namespaces!("a_cut_carrier_is_told_at_once");
    let ns = Ns::new();
    let _ib0 = Rail::new(&ns, "ib0", "172.16.34.1/16");
    let ib1 = Rail::new(&ns, "ib1", "172.17.34.1/16");
    let stream = stream(&ns, "stream --interval 10s");
    stream.until("both rails well", |o| {
        o["rails"].as_array().is_some_and(|r| r.len() == 2) && roots(o).is_empty()
    });
    let cut = Instant::now();
    ib1.carrier(false);
    let (seen, object) = stream.until("RAIL_DOWN", |o| roots(o).contains(&"RAIL_DOWN".into()));
    // The interval is 10 s: only the link message or the poll of the flags can have told.
    let late = seen.saturating_duration_since(cut);
    assert!(late < Duration::from_millis(800), "seen after {late:?}");
    assert_eq!(rail(&object, "ib1")["verdict"], "critical");
    assert_eq!(rail(&object, "ib0")["verdict"], "ok");
    assert_eq!(object["verdict"], "critical");
    ib1.carrier(true);
    stream.until("well again", |o| roots(o).is_empty());
}

#[test]
fn an_interface_made_anew_keeps_its_row_and_makes_no_spike() {
    needs_namespaces!("an_interface_made_anew_keeps_its_row_and_makes_no_spike");
    let ns = Ns::new();
    let _ib0 = Rail::new(&ns, "ib0", "172.16.34.1/16");
    let ib1 = Rail::new(&ns, "ib1", "172.17.34.1/16");
    ib1.receive(1000, 1500);
    let stream = stream(&ns, "stream --interval 200ms");
    stream.until("rates", |o| rail(o, "ib1")["rx"]["bytes_per_second"].is_f64());
    drop(ib1); // closing the descriptor deletes the interface
    let (_, gone) = stream.until("ib1 gone", |o| rail(o, "ib1")["present"] == false);
    assert!(roots(&gone).contains(&"RAIL_GONE".to_owned()), "{gone:#}");
    assert!(rail(&gone, "ib1")["rx"]["bytes_per_second"].is_null());
    let ib1 = Rail::new(&ns, "ib1", "172.17.34.1/16");
    ib1.receive(1000, 1500); // 1.5 MB that were there before the first read of the new interface
    stream.until("ib1 back", |o| rail(o, "ib1")["present"] == true);
    for _ in 0..5 {
        let (_, object) = stream.next();
        let names: Vec<_> =
            object["rails"].as_array().expect("rails").iter().map(|r| &r["name"]).collect();
        assert_eq!(names, ["ib0", "ib1"], "one row per rail");
    }
    let (_, object) =
        stream.until("a rate again", |o| rail(o, "ib1")["rx"]["bytes_per_second"].is_f64());
    let rate = rail(&object, "ib1")["rx"]["bytes_per_second"].as_f64();
    assert!(rate.is_some_and(|r| r < 1_000_000.0), "a spike: {rate:?}");
}

#[test]
fn routes_and_rules_appear_on_the_screen_as_they_are_made() {
    needs_namespaces!("routes_and_rules_appear_on_the_screen_as_they_are_made");
    let ns = Ns::new();
    let _ib0 = Rail::new(&ns, "ib0", "172.16.34.1/16");
    let mut screen = pty(&ns, "", 160, 50);
    screen.wait_text("ib0", Duration::from_secs(5));
    screen.keys("3");
    screen.wait_text("main", Duration::from_secs(5));
    assert!(!screen.screen().contains("9410"));
    ns.ip("rule add pref 9410 from 172.16.34.1 lookup 941");
    ns.ip("route add 172.16.0.0/16 dev ib0 src 172.16.34.1 table 941");
    screen.wait_text("9410", Duration::from_secs(2));
    screen.wait_screen("the route of table 941", Duration::from_secs(2), |s| {
        s.lines().any(|l| l.contains("172.16.0.0/16") && l.contains("ib0"))
            && s.matches("941").count() >= 2
    });
}

#[test]
fn a_dead_rail_turns_red_while_one_looks() {
    needs_namespaces!("a_dead_rail_turns_red_while_one_looks");
    let ns = Ns::new();
    let _ib0 = Rail::new(&ns, "ib0", "172.16.34.1/16");
    let ib1 = Rail::new(&ns, "ib1", "172.17.34.1/16");
    let screen = pty(&ns, "", 80, 24);
    screen.wait_text("ib1", Duration::from_secs(5));
    // One warm-up: a change shortly after another is held back by the kernel.
    let mut worst = Duration::ZERO;
    for _ in 0..3 {
        let cut = Instant::now();
        ib1.carrier(false);
        let seen = screen.wait_text("CRITICAL", Duration::from_secs(3));
        worst = worst.max(seen.saturating_duration_since(cut));
        ib1.carrier(true);
        screen
            .wait_screen("no longer critical", Duration::from_secs(3), |s| !s.contains("CRITICAL"));
    }
    assert!(worst < Duration::from_millis(800), "the slowest of three took {worst:?}");
}

#[test]
fn no_namespace_is_left_behind() {
    needs_namespaces!("no_namespace_is_left_behind");
    let name = {
        let ns = Ns::new();
        ns.name.clone()
    };
    wait_for("the namespace is gone", Duration::from_secs(5), || {
        (!std::path::Path::new("/run/netns").join(&name).exists()).then_some(())
    });
}
