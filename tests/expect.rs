//! `railtop expect` through the built program: learned, kept, compared.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

mod support;

use serde_json::Value;
use std::process::{Command, Output};
use support::railtop;

fn run(args: &[&str]) -> Output {
    let demo = ["--interval", "100ms", "--config", "/dev/null"];
    Command::new(railtop()).args([args, &demo].concat()).output().unwrap()
}

fn ids(out: &Output) -> Vec<String> {
    let object: Value = serde_json::from_slice(&out.stdout).unwrap();
    let all = object["findings"].as_array().unwrap();
    all.iter().map(|f| f["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_node_is_learned_and_compared_ever_after() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("expect.toml");
    let file = file.to_str().unwrap();
    assert_eq!(run(&["expect", "--save", file, "--demo", "balanced"]).status.code(), Some(0));
    let out = run(&["expect", "--json", file, "--demo", "balanced"]);
    assert_eq!((out.status.code(), ids(&out)), (Some(0), Vec::new()));

    // Two of the four rails are absent on the other node.
    let out = run(&["expect", "--json", file, "--demo", "one-subnet"]);
    assert_eq!(out.status.code(), Some(2));
    assert_eq!(ids(&out), ["RAIL_ABSENT", "RAIL_ABSENT"]);
    // check tells it beside what else is wrong.
    let out = run(&["check", "--json", "--expect", file, "--demo", "one-subnet"]);
    assert!(ids(&out).contains(&"ROUTE_DUP_CONNECTED".to_owned()), "{:?}", ids(&out));
    assert!(ids(&out).contains(&"RAIL_ABSENT".to_owned()), "{:?}", ids(&out));
}

#[test]
fn the_configuration_names_the_manifest() {
    let dir = tempfile::tempdir().unwrap();
    let manifest = dir.path().join("expect.toml");
    let out = run(&["expect", "--save", "--demo", "balanced"]);
    std::fs::write(&manifest, &out.stdout).unwrap();
    let config = dir.path().join("config.toml");
    std::fs::write(&config, format!("expect = {:?}\n", manifest.to_str().unwrap())).unwrap();
    let out = Command::new(railtop())
        .args(["check", "--json", "--demo", "one-subnet", "--interval", "100ms", "--config"])
        .arg(&config)
        .output()
        .unwrap();
    assert!(ids(&out).contains(&"RAIL_ABSENT".to_owned()), "{:?}", ids(&out));
}

#[test]
fn what_is_no_manifest_is_a_usage_error() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("expect.toml");
    std::fs::write(&file, "format = 1\n[[rail]]\nid = \"x\"\nrat = 3\n").unwrap();
    let file = file.to_str().unwrap();
    for args in [&["expect", file][..], &["expect", "/nonexistent"], &["expect"]] {
        let out = run(&[args, &["--demo", "balanced"]].concat());
        assert_eq!(out.status.code(), Some(64), "{args:?}");
        assert_eq!(String::from_utf8(out.stderr).unwrap().lines().count(), 1, "{args:?}");
    }
    let told = run(&["expect", file, "--demo", "balanced"]).stderr;
    let told = String::from_utf8(told).unwrap();
    assert!(told.contains("expect.toml:4: unknown field `rat`"), "{told}");
}

#[test]
fn a_rail_that_was_not_asked_for_is_not_absent() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("expect.toml");
    let file = file.to_str().unwrap();
    assert_eq!(run(&["expect", "--save", file, "--demo", "balanced"]).status.code(), Some(0));
    for choice in [["--rail", "ib0"], ["--exclude", "ib1"]] {
        let out = run(&[&["expect", "--json", file, "--demo", "balanced"], &choice[..]].concat());
        assert_eq!((out.status.code(), ids(&out)), (Some(0), Vec::new()), "{choice:?}");
    }
}
