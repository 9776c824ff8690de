//! `railtop run` through the built program: the command is left alone, and the bytes are exact.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod support;

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use support::ns::{self, Ns, Rail};
use support::pty::Pty;
use support::{railtop, skip, wait_for};

fn run(args: &[&str]) -> Output {
    Command::new(railtop())
        .args(["run", "--demo", "balanced", "--interval", "100ms"])
        .args(args)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn json(dir: &Path, args: &[&str]) -> (Vec<Value>, Option<i32>) {
    let file = dir.join("out.json");
    let output = ["--json", "--output", file.to_str().unwrap()];
    let out = run(&[&output[..], args].concat());
    let text = std::fs::read_to_string(file).unwrap_or_default();
    (text.lines().map(|l| serde_json::from_str(l).unwrap()).collect(), out.status.code())
}

#[test]
fn the_commands_output_and_exit_code_are_its_own() {
    let out = run(&["--", "sh", "-c", "printf 'a\\0b'; echo err >&2; exit 7"]);
    assert_eq!(out.status.code(), Some(7));
    assert_eq!(out.stdout, b"a\0b");
    let told = String::from_utf8(out.stderr).unwrap();
    assert!(told.starts_with("err\n"), "{told}");
    assert!(told.contains("exit code 7") && told.contains("balance of o2ib: RX "), "{told}");
    assert!(told.lines().all(|l| l.chars().count() <= 80), "{told}");
}

#[test]
fn what_cannot_be_started_is_told_as_a_shell_would() {
    let out = run(&["--", "/nonexistent/command"]);
    assert_eq!(out.status.code(), Some(127));
    assert_eq!(String::from_utf8(out.stderr).unwrap().lines().count(), 1);
    assert_eq!(run(&["--", "/dev/null"]).status.code(), Some(126));
    assert_eq!(run(&["--", "sh", "-c", "kill -TERM $$"]).status.code(), Some(128 + 15));
    assert_eq!(Command::new(railtop()).arg("run").output().unwrap().status.code(), Some(64));
}

#[test]
fn the_object_is_that_of_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    let (runs, code) = json(dir.path(), &["--label", "c4", "--", "sh", "-c", "sleep 0.7; exit 3"]);
    assert_eq!(code, Some(3));
    let [one] = &runs[..] else { panic!("{runs:?}") };
    assert_eq!((&one["label"], &one["exit_code"]), (&Value::from("c4"), &Value::from(3)));
    let seconds = one["seconds"].as_f64().unwrap();
    assert!((0.7..3.0).contains(&seconds), "{seconds}");
    let rails = one["rails"].as_array().unwrap();
    assert_eq!(rails.len(), 4);
    let sum: f64 = rails.iter().map(|r| r["rx"]["share_ratio"].as_f64().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-6);
    for field in ["bytes", "mean_bytes_per_second", "p95_bytes_per_second", "peak_bytes_per_second"]
    {
        assert!(rails[0]["rx"][field].as_f64().unwrap() > 0.0, "{field}: {}", rails[0]);
    }
    assert!(one["groups"][0]["balance"]["rx"].is_object() && one["events"].is_array());
}

#[test]
fn several_runs_stand_side_by_side() {
    let dir = tempfile::tempdir().unwrap();
    let (runs, _) = json(dir.path(), &["--label", "c1", "--repeat", "2", "--", "sleep", "0.3"]);
    let labels: Vec<_> = runs.iter().map(|r| r["label"].as_str().unwrap()).collect();
    assert_eq!(labels, ["c1 #1", "c1 #2"]);
    let file = dir.path().join("out.json");
    let file = file.to_str().unwrap();
    let out = Command::new(railtop()).args(["run", "--compare", file, file]).output().unwrap();
    let told = String::from_utf8(out.stdout).unwrap();
    assert!(told.contains("c1 #1") && told.contains("RX ib3") && told.contains('%'), "{told}");
    assert!(told.lines().all(|l| l.chars().count() <= 80), "{told}");
    let out = Command::new(railtop()).args(["run", "--compare", "/dev/null"]).output().unwrap();
    assert_eq!(out.status.code(), Some(64));
}

fn kill(pid: u32, signal: &str) {
    assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}

#[test]
fn signals_go_on_to_the_command() {
    for (signal, name) in [("-TERM", "TERM"), ("-HUP", "HUP"), ("-INT", "INT")] {
        let dir = tempfile::tempdir().unwrap();
        let ready = dir.path().join("ready");
        let script = format!(
            "trap 'echo got {name}; exit 9' {name}; touch {}; while :; do sleep 0.05; done",
            ready.display()
        );
        let child = Command::new(railtop())
            .args(["run", "--demo", "balanced", "--", "sh", "-c", &script])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        wait_for("the command runs", Duration::from_secs(10), || ready.exists().then_some(()));
        kill(child.id(), signal);
        let out = child.wait_with_output().unwrap();
        assert_eq!(out.status.code(), Some(9), "{signal}");
        assert_eq!(String::from_utf8(out.stdout).unwrap(), format!("got {name}\n"));
        assert!(String::from_utf8(out.stderr).unwrap().contains("exit code 9"), "{signal}");
    }
}

/// Ctrl-C goes from the terminal to both; the command ends of it once, the report still comes.
#[test]
fn ctrl_c_on_a_terminal_ends_the_command_and_not_the_report() {
    let script = "trap 'echo interrupted; exit 5' INT; echo ready; while :; do sleep 0.05; done";
    let args = ["run", "--label", "it", "--demo", "balanced", "--", "sh", "-c", script];
    let mut pty = Pty::spawn(&railtop(), &args, 80, 24);
    pty.wait_text("ready", Duration::from_secs(10));
    pty.keys("\x03");
    pty.wait_text("exit code 5", Duration::from_secs(10));
    assert_eq!(pty.screen().matches("interrupted").count(), 1, "{}", pty.screen());
    assert_eq!(pty.wait_exit(Duration::from_secs(5)), 5);
}

#[test]
fn the_command_has_the_terminal() {
    let args =
        ["run", "--demo", "balanced", "--", "sh", "-c", "test -t 0 && test -t 1 && echo tty"];
    let mut pty = Pty::spawn(&railtop(), &args, 80, 24);
    pty.wait_text("tty", Duration::from_secs(10));
    assert_eq!(pty.wait_exit(Duration::from_secs(10)), 0);
}

/// What the kernel counted on a rail.
fn counted(ns: &Ns, rail: &str) -> u64 {
    let text = ns.sh(&format!("cat /sys/class/net/{rail}/statistics/rx_bytes"));
    text.trim().parse().unwrap()
}

#[test]
fn the_bytes_are_those_that_the_kernel_counted() {
    if let Some(why) = ns::unavailable() {
        return skip("the_bytes_are_those_that_the_kernel_counted", &why);
    }
    let ns = Ns::new();
    let rails = [Rail::new(&ns, "ib0", "10.1.0.1/24"), Rail::new(&ns, "ib1", "10.1.1.1/24")];
    let dir = tempfile::tempdir().unwrap();
    let (go, done) = (dir.path().join("go"), dir.path().join("done"));
    let wait =
        format!("touch {}; while ! test -e {}; do sleep 0.02; done", go.display(), done.display());
    let file = dir.path().join("out.json");
    let mut program = ns
        .command(railtop())
        .args(["run", "--json", "--output", file.to_str().unwrap(), "--", "sh", "-c", &wait])
        .spawn()
        .unwrap();
    let start = Instant::now();
    wait_for("the command runs", Duration::from_secs(10), || go.exists().then_some(()));
    let before = [counted(&ns, "ib0"), counted(&ns, "ib1")];
    rails[0].receive(300, 2000);
    rails[1].receive(100, 1500);
    let after = [counted(&ns, "ib0"), counted(&ns, "ib1")];
    std::fs::write(&done, "").unwrap();
    assert!(program.wait().unwrap().success());
    let text = std::fs::read_to_string(&file).unwrap();
    let object: Value = serde_json::from_str(text.trim()).unwrap();
    for (place, (bytes, packets)) in
        [(600_000, "300 × 2000"), (150_000, "100 × 1500")].iter().enumerate()
    {
        assert_eq!(after[place] - before[place], *bytes, "{packets}: the kernel's own count");
        assert_eq!(object["rails"][place]["rx"]["bytes"], *bytes, "{packets}: {object}");
    }
    assert!(start.elapsed() < Duration::from_secs(20));
}
