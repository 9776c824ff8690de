//! The configuration file and the forms of `check`, through the built program.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot run the binary fails")]

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn railtop(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_railtop"))
        .args(args)
        .env("XDG_CONFIG_HOME", dir)
        .env_remove("RAILTOP_CONFIG")
        .env_remove("RAILTOP_LNETCTL")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn write(dir: &Path, text: &str) {
    std::fs::create_dir_all(dir.join("railtop")).unwrap();
    std::fs::write(dir.join("railtop/config.toml"), text).unwrap();
}

fn stdout(out: &Output) -> String {
    String::from_utf8(out.stdout.clone()).unwrap()
}

fn ids(object: &Value) -> Vec<&str> {
    object["findings"].as_array().unwrap().iter().map(|f| f["id"].as_str().unwrap()).collect()
}

fn checked(dir: &Path, args: &[&str]) -> (Value, Option<i32>) {
    let demo = ["check", "--json", "--interval", "100ms", "--demo", "one-subnet"];
    let out = railtop(dir, &[&demo[..], args].concat());
    let told = String::from_utf8_lossy(&out.stderr).into_owned();
    (
        serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {told}")),
        out.status.code(),
    )
}

#[test]
fn the_users_file_is_found_and_shown() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "interval = \"2s\"\nbits = true\n");
    let out = railtop(dir.path(), &["config", "--interval", "500ms"]);
    let told = stdout(&out);
    assert!(told.contains("interval = \"500ms\"") && told.contains("# command line"), "{told}");
    let bits = told.lines().find(|l| l.starts_with("bits = true")).unwrap();
    assert!(bits.ends_with("railtop/config.toml"), "{bits}");

    // What it prints can be read back.
    let again = dir.path().join("again.toml");
    std::fs::write(&again, &told).unwrap();
    let out = railtop(dir.path(), &["config", "--config", again.to_str().unwrap()]);
    assert_eq!(out.status.code(), Some(0));
    assert!(stdout(&out).contains("interval = \"500ms\""));
}

#[test]
fn a_mistake_in_a_file_is_a_usage_error_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "bits = true\nintervall = \"2s\"\n");
    for command in ["config", "check", "stream"] {
        let out = railtop(dir.path(), &[command, "--demo"]);
        let told = String::from_utf8(out.stderr).unwrap();
        assert_eq!(out.status.code(), Some(64), "{told}");
        assert!(told.contains("config.toml:2: unknown field `intervall`"), "{told}");
        assert_eq!(told.lines().count(), 1, "{told}");
    }
    let out = railtop(dir.path(), &["config", "--config", "/nonexistent/x.toml"]);
    assert_eq!(out.status.code(), Some(64));
    // `--config` replaces the usual files, the broken one among them.
    assert_eq!(railtop(dir.path(), &["config", "--config", "/dev/null"]).status.code(), Some(0));
}

#[test]
fn names_and_groups_of_the_file_are_those_of_the_report() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        "[names]\n\"mlx5_1/1\" = \"storage-b\"\n[[group]]\nname = \"storage\"\n\
         rails = [\"ib0\", \"storage-b\"]\n",
    );
    let (object, _) = checked(dir.path(), &[]);
    let names: Vec<&str> =
        object["rails"].as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["ib0", "storage-b"]);
    assert_eq!(object["rails"][1]["netdev"]["name"], "ib1");
    // What is to be typed goes on to use the kernel's names.
    let steps = object["findings"][0]["fix"].as_array().unwrap();
    assert!(steps.iter().all(|s| !s["command"].as_str().unwrap().contains("storage-b")));
}

#[test]
fn what_is_ignored_is_named_and_does_not_count() {
    let dir = tempfile::tempdir().unwrap();
    let (whole, code) = checked(dir.path(), &[]);
    assert!(ids(&whole).contains(&"ROUTE_DUP_CONNECTED") && ids(&whole).len() > 1);
    assert_eq!(code, Some(2));

    let (object, code) = checked(dir.path(), &["--ignore", "route_dup_connected"]);
    assert!(ids(&object).is_empty(), "{object}");
    assert_eq!(code, Some(0));
    let left = object["not_checked"].as_array().unwrap();
    assert!(left.iter().any(|n| n["what"] == "ROUTE_DUP_CONNECTED"), "{object}");
    let ladder = object["rails"][1]["layers"].as_array().unwrap();
    assert!(ladder.iter().all(|l| l["verdict"] != "critical" && l["verdict"] != "warning"));

    write(dir.path(), "ignore = [\"ROUTE_DUP_CONNECTED\"]\n");
    assert_eq!(checked(dir.path(), &[]).1, Some(0));

    write(dir.path(), "");
    let (object, code) = checked(dir.path(), &["--only", "ARP_FLUX_ANNOUNCE"]);
    assert_eq!(ids(&object), ["ARP_FLUX_ANNOUNCE"]);
    assert_eq!(object["findings"][0]["caused_by"], Value::Null);
    assert_eq!(code, Some(1));
    let out = railtop(dir.path(), &["check", "--demo", "--ignore", "NO_SUCH"]);
    assert_eq!(out.status.code(), Some(64));
}

#[test]
fn forms_for_monitoring() {
    let dir = tempfile::tempdir().unwrap();
    let demo = ["check", "--interval", "100ms", "--demo", "one-subnet", "--format"];
    let out = railtop(dir.path(), &[&demo[..], &["nagios"]].concat());
    assert_eq!(out.status.code(), Some(2));
    assert!(stdout(&out).starts_with("RAILTOP CRITICAL - 172.16.0.0/16 is reachable by"));
    let out = railtop(dir.path(), &[&demo[..], &["junit"]].concat());
    assert_eq!(out.status.code(), Some(2));
    let told = stdout(&out);
    assert!(told.starts_with("<?xml") && told.trim_end().ends_with("</testsuites>"), "{told}");
}
