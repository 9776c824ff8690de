//! Load that is really not shared, on the real kernel: what arrives on two rails is 3:1, and the
//! program says so, exactly, and as a finding once it has lasted.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod support;

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use support::ns::{self, Ns, Rail};
use support::{railtop, skip};

const CONFIG: &str = "interval = \"500ms\"\n[thresholds]\nbalance_floor_ratio = 0.0001\nbalance_unfair_seconds = 3.0\n\
                      [[group]]\nname = \"pair\"\nrails = [\"ib0\", \"ib1\"]\n";

/// Packets of 2000 bytes each 5 ms, three on ib0 for one on ib1: some 4 MB/s.
fn unevenly(rails: &[Rail; 2], stop: &AtomicBool) {
    let start = Instant::now();
    let mut bursts = 0;
    while !stop.load(Ordering::Relaxed) {
        while bursts < start.elapsed().as_millis() / 5 {
            rails[0].receive(9, 2000);
            rails[1].receive(3, 2000);
            bursts += 1;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn group(object: &Value) -> &Value {
    let groups = object["groups"].as_array().unwrap();
    groups.iter().find(|g| g["name"] == "pair").expect("the configured group")
}

fn found<'a>(object: &'a Value, id: &str) -> Option<&'a Value> {
    object["findings"].as_array().unwrap().iter().find(|f| f["id"] == id)
}

#[test]
fn three_to_one_is_seen_as_such() {
    if let Some(why) = ns::unavailable() {
        return skip("three_to_one_is_seen_as_such", &why);
    }
    let ns = Ns::new();
    let rails = [Rail::new(&ns, "ib0", "10.1.0.1/24"), Rail::new(&ns, "ib1", "10.1.1.1/24")];
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("config.toml");
    std::fs::write(&config, CONFIG).unwrap();
    let mut program = ns
        .command(railtop())
        .args(["stream", "-n", "30", "--config"])
        .arg(&config)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let stop = AtomicBool::new(false);
    let objects: Vec<Value> = std::thread::scope(|scope| {
        scope.spawn(|| unevenly(&rails, &stop));
        let objects = lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
        stop.store(true, Ordering::Relaxed);
        objects
    });
    assert!(program.wait().unwrap().success());

    let last = objects.last().unwrap();
    let recent = &group(last)["balance"]["recent"]["rx"];
    let jain = recent["jain_index"].as_f64().unwrap_or_else(|| panic!("{}", group(last)));
    assert!((jain - 0.8).abs() < 0.01, "(3+1)² ÷ (2·(3²+1²)): {recent}");
    let part = recent["slowest_share_of_fair_ratio"].as_f64().unwrap();
    assert!((part - 0.5).abs() < 0.02 && recent["slowest"] == "ib1", "{recent}");
    let share = last["rails"][0]["rx"]["share_ratio"].as_f64().unwrap();
    assert!((share - 0.75).abs() < 0.02, "{share}");

    let finding = found(last, "BALANCE_UNFAIR").unwrap_or_else(|| panic!("{}", last["findings"]));
    assert_eq!(finding["rails"][0], "ib1");
    assert_eq!(finding["caused_by"], Value::Null);
    let first = objects.iter().position(|o| found(o, "BALANCE_UNFAIR").is_some()).unwrap();
    assert!(first >= 6, "three seconds at two samples a second, it came with sample {first}");
}
