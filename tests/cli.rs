//! The binary as a shell sees it: exit codes, stdout, stderr.

#![expect(clippy::unwrap_used, reason = "a test that cannot run the binary fails")]

use std::process::{Command, Output, Stdio};

fn railtop(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_railtop"))
        .args(args)
        .env_remove("RAILTOP_LNETCTL")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// Exit code 64, nothing on stdout, one line on stderr; gives that line.
fn refused(args: &[&str]) -> String {
    let out = railtop(args);
    let err = String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(64), "{args:?}: {err}");
    assert_eq!(String::from_utf8_lossy(&out.stdout), "", "{args:?}");
    assert_eq!(err.lines().count(), 1, "{args:?}: {err}");
    assert!(err.starts_with("railtop: ") && err.ends_with('\n'), "{args:?}: {err}");
    err
}

#[test]
fn usage_errors_exit_64_with_one_line() {
    assert!(refused(&["--colour"]).contains("'--colour'"));
    assert!(refused(&["frobnicate"]).contains("'frobnicate'"));
    assert!(refused(&["stream", "--nonsense"]).contains("'--nonsense'"));
    assert!(refused(&["capture"]).contains("DIR|FILE.tar.zst"));
    assert!(refused(&["stream", "-n", "0"]).contains("COUNT"));
    assert!(refused(&["stream", "--text", "--json"]).contains("--json"));
}

#[test]
fn a_check_that_fails_is_no_verdict() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_railtop"));
    command.args(["check", "--demo", "dead-rail"]).stdout(full).stdin(Stdio::null());
    assert_eq!(command.output().unwrap().status.code(), Some(3));
    // Who reads plugins reads stdout.
    let out = railtop(&["check", "--format", "nagios", "--from", "/nonexistent"]);
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(text.starts_with("RAILTOP UNKNOWN - --from /nonexistent"), "{text}");
    assert_eq!(out.status.code(), Some(64));
}

#[test]
fn the_reports_of_a_scenario_show_what_it_is_about() {
    for (scenario, id) in [("dead-rail", "PORT_DOWN"), ("bad-cable", "ERRORS_RISING")] {
        let out = railtop(&["check", "--demo", scenario]);
        let text = String::from_utf8(out.stdout).unwrap();
        assert!(text.contains(id), "{scenario}: {text}");
    }
}

#[test]
fn intervals_that_are_none() {
    for value in ["0", "0s", "10ms", "-1", "2h"] {
        assert!(refused(&["--interval", value]).contains("50ms to 1h"), "{value}");
        assert!(refused(&["stream", "--interval", value]).contains("50ms to 1h"), "{value}");
    }
    assert!(refused(&["--interval", "soon"]).contains("500ms"));
}

#[test]
fn a_capture_that_cannot_be_read() {
    let told = refused(&["stream", "--from", "/nonexistent/capture"]);
    assert!(told.contains("/nonexistent/capture") && told.contains("No such file"), "{told}");
    refused(&["--from", "/nonexistent/capture"]);
    refused(&["stream", "--from", "/nonexistent\n\x1b[31m"]);
}

#[test]
fn options_that_exclude_each_other() {
    refused(&["stream", "--from", "/", "--demo"]);
    refused(&["--from", "/", "stream", "--demo"]);
    refused(&["capture", "--demo=balanced", "somewhere"]);
}

#[test]
fn patterns_that_are_none() {
    assert!(refused(&["--rail", "ib[0"]).contains("ib[0"));
    refused(&["--rail", ""]);
}

#[test]
fn the_dashboard_wants_a_terminal() {
    assert!(refused(&[]).contains("railtop stream"));
}

#[test]
fn help_and_version_are_no_errors() {
    for args in [
        &["--help"][..],
        &["--version"],
        &["stream", "--help"],
        &["capture", "--help"],
        &["explain", "--help"],
        &["help"],
    ] {
        let out = railtop(args);
        assert_eq!(out.status.code(), Some(0), "{args:?}");
        assert!(out.stderr.is_empty(), "{args:?}");
        let text = String::from_utf8(out.stdout).unwrap();
        assert!(text.contains("railtop"), "{args:?}");
        assert!(!text.contains('\x1b'), "{args:?}: escapes in a pipe");
    }
}

#[test]
fn the_first_sample_of_this_node_comes_at_once() {
    let out = railtop(&["stream", "-n", "2", "--interval", "50ms"]);
    assert_eq!(out.status.code(), Some(0), "{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!(String::from_utf8(out.stdout).unwrap().lines().count(), 2);
}

#[test]
fn nobody_reads_the_pipe() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_railtop"))
        .args(["stream", "--interval", "50ms"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let out = child.wait_with_output().unwrap();
    assert_eq!(out.status.code(), Some(0));
    assert!(out.stderr.is_empty(), "{}", String::from_utf8_lossy(&out.stderr));
}

#[test]
fn scenarios_and_rails_that_are_none() {
    let told = refused(&["stream", "--demo", "sunny-day"]);
    assert!(told.contains("sunny-day") && told.contains("balanced"), "{told}");
    let told = refused(&["stream", "--demo", "balanced", "--rail", "nope*"]);
    assert!(told.contains("nope*") && told.contains("ib0"), "{told}");
    refused(&["--demo", "balanced", "--rail", "nope*", "stream", "--text"]);
}

#[test]
fn head_takes_one_line() {
    // More than a pipe holds: the writer is there when its reader has gone.
    let program = env!("CARGO_BIN_EXE_railtop");
    for form in ["", "--text"] {
        let line = format!(
            "{{ '{program}' stream --demo --interval 50ms {form}; echo \"ended $?\" >&2; }} | head -n 1"
        );
        let out = Command::new("sh").args(["-c", &line]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&out.stderr), "ended 0\n");
        assert_eq!(String::from_utf8_lossy(&out.stdout).lines().count(), 1);
    }
}

fn json_of(args: &[&str]) -> serde_json::Value {
    let out = railtop(args);
    assert_eq!(out.status.code(), Some(0), "{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

#[test]
fn why_tells_every_layer_and_what_decides() {
    let demo = ["--demo", "lnet-numa-idle", "--interval", "100ms"];
    let one = json_of(&[&["why", "--json", "ib1"], &demo[..]].concat());
    assert_eq!(one["rail"], "ib1");
    assert_eq!(one["first_failing_layer"], "selection");
    assert_eq!(one["layers"].as_array().unwrap().len(), 12);
    let rungs = one["selection"].as_array().unwrap();
    let decides: Vec<_> = rungs.iter().filter(|r| r["decides"] == true).collect();
    assert_eq!(decides.len(), 1);
    assert_eq!(
        (&decides[0]["rung"], &decides[0]["value"]),
        (&"numa".into(), &"node 1 (21 from 0)".into())
    );
    let ids: Vec<_> = one["findings"].as_array().unwrap().iter().map(|f| &f["id"]).collect();
    assert_eq!(ids, ["NI_NUMA_IDLE", "RAIL_IDLE"]);
    let all = json_of(&[&["why", "--json"], &demo[..]].concat());
    assert_eq!(all["rails"].as_array().unwrap().len(), 2);

    // By any of its names, and in words.
    let out = railtop(&[&["why", "mlx5_1"], &demo[..]].concat());
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(
        text.contains("ib1, mlx5_1 port 1")
            && text.contains("DECIDES: memory of node 0: takes ib0"),
        "{text}"
    );
    let told = refused(&[&["why", "ib9"], &demo[..]].concat());
    assert_eq!(told, "railtop: no rail is called \"ib9\"; there are: ib0, ib1\n");
}
