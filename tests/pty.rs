//! The built program on a terminal: keys, sizes, signals, a terminal that goes away.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on panics"
)]

mod support;

use std::process::Command;
use std::time::{Duration, Instant};
use support::pty::Pty;
use support::{railtop, skip, wait_for};

const SOON: Duration = Duration::from_secs(5);

fn demo(cols: u16, rows: u16) -> Pty {
    let pty = Pty::spawn(&railtop(), &["--demo", "balanced", "--interval", "200ms"], cols, rows);
    pty.wait_text("ib0", SOON);
    pty
}

/// The terminal is as the shell wants it: no alternate screen, cursor on.
#[track_caller]
fn assert_restored(pty: &Pty) {
    wait_for("all output", SOON, || {
        let seen = pty.seen();
        (seen.ended || !seen.parser.screen().alternate_screen()).then_some(())
    });
    let seen = pty.seen();
    assert!(!seen.parser.screen().alternate_screen(), "still on the alternate screen");
    assert!(!seen.parser.screen().hide_cursor(), "cursor still hidden");
}

fn kill(pid: i32, signal: &str) {
    let done = Command::new("kill").args([signal, &pid.to_string()]).status().expect("kill runs");
    assert!(done.success());
}

/// State letter of /proc/PID/stat.
fn state(pid: i32) -> char {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').and_then(|(_, rest)| rest.trim().chars().next()).unwrap_or('?')
}

/// CPU time used so far.
fn cpu(pid: i32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<u64> = stat
        .rsplit_once(')')
        .map(|(_, rest)| rest.split_whitespace().skip(11).take(2).flat_map(str::parse).collect())
        .unwrap_or_default();
    Duration::from_millis(fields.iter().sum::<u64>() * 10)
}

#[test]
fn every_view_opens_and_q_leaves() {
    let mut pty = demo(80, 24);
    for (key, word) in [
        ("2", "LINK"),
        ("3", "RULES"),
        ("4", "NID"),
        ("5", "FINDINGS"),
        ("6", "EVENTS"),
        ("1", "RAIL"),
    ] {
        pty.keys(key);
        pty.wait_screen(&format!("{word} after {key}"), SOON, |s| s.to_uppercase().contains(word));
        assert!(pty.screen().contains("demo"), "the demo is not marked in view {key}");
    }
    pty.keys("?");
    pty.wait_screen("help", SOON, |s| s.contains("KEYS"));
    pty.keys("\x1b");
    pty.wait_screen("help closed", SOON, |s| !s.contains("KEYS"));
    pty.keys("q");
    assert_eq!(pty.wait_exit(SOON), 0);
    assert_restored(&pty);
}

#[test]
fn every_size_down_to_nothing_is_survived() {
    let mut pty = demo(80, 24);
    for (cols, rows) in [(200, 60), (40, 8), (20, 5), (1, 1), (2, 60), (200, 1), (160, 50)] {
        pty.resize(cols, rows);
    }
    pty.resize(80, 24);
    pty.wait_text("ib0", SOON);
    pty.keys("q");
    assert_eq!(pty.wait_exit(SOON), 0);
    assert_restored(&pty);
}

#[test]
fn terminate_interrupt_and_hangup_restore_the_terminal() {
    for (signal, code) in [("-TERM", 143), ("-INT", 130), ("-HUP", 129)] {
        let mut pty = demo(80, 24);
        kill(pty.pid(), signal);
        assert_eq!(pty.wait_exit(SOON), code, "{signal}");
        assert_restored(&pty);
    }
}

#[test]
fn suspend_gives_the_terminal_back_and_fg_paints_again() {
    // A shell with job control is what stops and resumes; its prompt shows that it has the
    // terminal again.
    let program = railtop();
    let mut pty = Pty::spawn_with(
        "/bin/bash".as_ref(),
        &["--norc", "--noprofile", "-i"],
        80,
        24,
        &[("PS1", "READY$ ")],
    );
    pty.wait_text("READY$", SOON);
    pty.keys(&format!("{} --demo balanced\n", program.display()));
    pty.wait_text("ib0", SOON);
    pty.keys("\x1a");
    pty.wait_text("Stopped", SOON);
    assert!(!pty.seen().parser.screen().alternate_screen());
    pty.keys("fg\n");
    pty.wait_screen("painted again", SOON, |s| s.contains("ib0") && s.contains("ib3"));
    assert!(pty.seen().parser.screen().alternate_screen());
    pty.keys("q");
    pty.wait_screen("the prompt again", SOON, |s| s.contains("READY$"));
    assert_restored(&pty);
}

#[test]
fn a_terminal_that_goes_away_ends_the_program_even_with_hangup_ignored() {
    let mut pty = Pty::spawn(
        "/bin/sh".as_ref(),
        &["-c", "trap '' HUP; exec \"$0\" --demo balanced", railtop().to_str().expect("UTF-8")],
        80,
        24,
    );
    pty.wait_text("ib0", SOON);
    let pid = pty.pid();
    let before = cpu(pid);
    pty.hang_up();
    let gone = Instant::now();
    let mut spent = before;
    while !matches!(pty.child.try_wait(), Ok(Some(_))) {
        spent = spent.max(cpu(pid));
        assert!(gone.elapsed() < Duration::from_secs(2), "alive 2 s after its terminal went");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(spent.saturating_sub(before) < Duration::from_millis(500), "it span: {spent:?}");
}

#[test]
fn space_freezes_the_screen_and_nothing_is_sent() {
    let mut pty = demo(80, 24);
    pty.keys(" ");
    pty.wait_screen("PAUSED", SOON, |s| s.contains("PAUSED"));
    let bytes = pty.seen().raw.len();
    // Five intervals in which a running screen would have been painted five times.
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(pty.seen().raw.len(), bytes, "bytes were sent while paused");
    pty.keys(" ");
    pty.wait_screen("running again", SOON, |s| !s.contains("PAUSED"));
}

#[test]
fn a_pipe_is_refused_with_the_right_command_named() {
    let out = Command::new(railtop()).args(["--demo", "balanced"]).output().expect("runs");
    let words = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(64), "{words}");
    assert!(words.contains("railtop stream"), "{words}");
    assert_eq!(words.trim_end().lines().count(), 1, "{words}");
    assert!(out.stdout.is_empty());
}

#[test]
fn tmux_shows_it_too() {
    let socket = format!("railtop-test-{}", std::process::id());
    let tmux = |args: &[&str]| {
        Command::new("tmux").args(["-L", &socket, "-f", "/dev/null"]).args(args).output()
    };
    let line = format!("{} --demo dead-rail --interval 500ms", railtop().display());
    match tmux(&["new-session", "-d", "-x", "120", "-y", "40", &line]) {
        Err(e) => return skip("tmux_shows_it_too", &format!("needs tmux: {e}")),
        Ok(out) => assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr)),
    }
    let capture = || {
        let out = tmux(&["capture-pane", "-p"]).expect("tmux runs");
        String::from_utf8_lossy(&out.stdout).into_owned()
    };
    let alive = wait_for("all rails in tmux", SOON, || {
        let s = capture();
        (s.contains("ib0") && s.contains("ib3") && s.contains("demo")).then_some(s)
    });
    assert!(!alive.contains("CRITICAL"), "{alive}");
    wait_for("the rail dies in tmux", Duration::from_secs(20), || {
        let s = capture();
        (s.contains("CRITICAL") && s.contains("ib2")).then_some(())
    });
    tmux(&["send-keys", "q"]).expect("tmux runs");
    wait_for("the session ends", SOON, || {
        (!tmux(&["has-session"]).expect("tmux runs").status.success()).then_some(())
    });
}

#[test]
fn it_sleeps_between_samples() {
    let pty = demo(120, 40);
    let pid = pty.pid();
    wait_for("a sleeping process", SOON, || (state(pid) == 'S').then_some(()));
}
