//! A session at the dashboard: events that stay until somebody takes note of them, the log beside
//! the screen, the interval of two marks, the words at the end; and a day of it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod support;

use railtop::check::Judge;
use railtop::node::{Node, Settings, SourceKind};
use railtop::source::Source;
use railtop::source::demo::Demo;
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use support::pty::Pty;
use support::{railtop, wait_for};

const SOON: Duration = Duration::from_secs(10);

/// The scenario in which ib2 dies after six seconds.
fn dead_rail(extra: &[&str]) -> Pty {
    let args = [&["--demo", "dead-rail", "--interval", "200ms"], extra].concat();
    let pty = Pty::spawn(&railtop(), &args, 100, 30);
    pty.wait_text("ib2", SOON);
    pty
}

fn lines(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

#[test]
fn bad_events_call_until_they_are_acknowledged_and_the_session_is_told_at_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("events.jsonl");
    std::fs::write(&log, "{\"before\":true}\n").unwrap();
    let mut pty = dead_rail(&["--log", log.to_str().unwrap()]);
    pty.wait_screen("the link's loss calls", Duration::from_secs(20), |s| {
        s.contains("!  ib2") || s.contains("! ib2") && s.contains("6 Events 3!")
    });
    pty.keys("a");
    pty.wait_screen("nothing calls", SOON, |s| !s.contains('!') || s.contains("acknowledged"));
    pty.keys("6");
    pty.wait_screen("all events", SOON, |s| s.contains("link down") && !s.contains("! ib2"));
    pty.keys("q");
    assert_eq!(pty.wait_exit(SOON), 0);
    let seen = wait_for("the words at the end", SOON, || {
        let screen = pty.screen();
        screen.contains("railtop watched oss07 for").then_some(screen)
    });
    assert!(seen.contains("was CRITICAL") && seen.contains("was well"), "{seen}");
    assert!(seen.contains("PORT_DOWN  ib2, still there"), "{seen}");
    assert!(seen.contains("events: "), "{seen}");

    let logged = lines(&log);
    assert_eq!(logged.first().unwrap()["before"], true, "what stood there stays");
    let down = logged.iter().find(|e| e["kind"] == "link_down").expect("the loss is logged");
    assert_eq!(down["subject"], "ib2");
    assert!(down["time"].as_str().unwrap().contains('T') && down["text"].is_string());
}

#[test]
fn two_marks_are_an_interval() {
    let mut pty = Pty::spawn(&railtop(), &["--demo", "balanced", "--interval", "100ms"], 80, 24);
    pty.wait_text("ib3", SOON);
    pty.keys("m");
    pty.wait_text("mark A: m ends it", SOON);
    std::thread::sleep(Duration::from_millis(600));
    pty.keys("m");
    pty.wait_screen("the interval's table", SOON, |s| {
        s.contains("from mark A to B: ") && s.contains("MEAN ") && s.contains("balance of o2ib")
    });
    pty.keys("\x1b");
    pty.wait_text("SHARE", SOON);
    pty.keys("q");
    assert_eq!(pty.wait_exit(SOON), 0);
}

#[test]
fn a_log_that_cannot_be_written_is_refused_at_once_and_a_full_one_disturbs_nobody() {
    let out = Command::new(railtop())
        .args(["stream", "-n", "1", "--demo", "--log", "/nonexistent/dir/log"])
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(64));
    let told = String::from_utf8(out.stderr).unwrap();
    assert!(told.contains("--log /nonexistent/dir/log: No such file"), "{told}");

    // Each write to /dev/full fails with ENOSPC.
    let args =
        ["stream", "-n", "60", "--interval", "200ms", "--demo", "dead-rail", "--log", "/dev/full"];
    let out = Command::new(railtop()).args(args).output().unwrap();
    assert_eq!(out.status.code(), Some(0));
    assert_eq!(String::from_utf8(out.stdout).unwrap().lines().count(), 60);
}

/// Resident memory of this process, bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// A day at one sample each ten seconds, in which a rail dies and comes back some thousand times.
#[test]
fn a_day_keeps_memory_flat_and_events_bounded() {
    let mut demo = Demo::simulate("dead-rail", Duration::from_secs(10)).unwrap();
    let first = demo.next().unwrap().unwrap();
    let mut node = Node::new(Settings::default(), SourceKind::Demo, &first);
    let mut judge = Judge::default();
    let mut early = 0;
    let day = Duration::from_hours(24);
    while node.time.mono.since(first.time.mono) < day {
        node.advance(&demo.next().unwrap().unwrap());
        judge.assess(&node);
        // All rings are full by then.
        if early == 0 && node.time.mono.since(first.time.mono) > day / 4 {
            early = resident();
        }
    }
    assert!(node.event_count > 2000, "{}", node.event_count);
    assert!(node.events.len() <= 1000, "{}", node.events.len());
    let points = node.rails.iter().map(|r| r.history.points.len()).max().unwrap();
    assert!(points <= 600, "{points}");
    let grown = resident().saturating_sub(early);
    assert!(grown < 2 * 1024 * 1024, "grew by {grown} bytes in 18 hours");
}
