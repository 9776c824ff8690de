//! A fault is made on the real kernel, found, mended with the printed commands, and put back with
//! the printed undo. One row of a table each: a new check means a new row.
//!
//! `ROW=RULE_STALE cargo test --test closed_loop` runs the rows whose name contains the word.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on panics"
)]

#[path = "closed_loop/addresses.rs"]
mod addresses;
#[path = "closed_loop/arp.rs"]
mod arp;
#[path = "closed_loop/ipv6.rs"]
mod ipv6;
#[path = "closed_loop/lab.rs"]
mod lab;
#[path = "closed_loop/packets.rs"]
mod packets;
#[path = "closed_loop/peers.rs"]
mod peers;
#[path = "closed_loop/quiet.rs"]
mod quiet;
#[path = "closed_loop/row.rs"]
mod row;
#[path = "closed_loop/rules.rs"]
mod rules;
mod support;
#[path = "closed_loop/tables.rs"]
mod tables;

use row::Row;
use std::sync::Mutex;
use support::{ns, skip};

/// Namespaces of so many rows exist at the same time.
const AT_ONCE: usize = 4;

fn rows() -> Vec<Row> {
    [
        tables::rows(),
        rules::rows(),
        addresses::rows(),
        arp::rows(),
        ipv6::rows(),
        peers::rows(),
        quiet::rows(),
    ]
    .concat()
}

#[test]
fn every_fault_is_found_mended_and_put_back() {
    if let Some(why) = ns::unavailable() {
        return skip("every_fault_is_found_mended_and_put_back", &why);
    }
    let wanted = std::env::var("ROW").unwrap_or_default();
    let mut rows: Vec<Row> = rows().into_iter().filter(|r| r.name.contains(&wanted)).collect();
    rows.reverse();
    let (queue, failed) = (Mutex::new(rows), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some(row) = queue.lock().expect("lock").pop() else { return };
                    // A row that cannot go on must not take the others with it.
                    let done = std::panic::catch_unwind(|| row::run(&row))
                        .unwrap_or_else(|why| Err(words(why.as_ref())));
                    if let Err(why) = done {
                        failed.lock().expect("lock").push(format!("== {}: {why}", row.name));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("lock");
    assert!(failed.is_empty(), "{} rows:\n{}", failed.len(), failed.join("\n\n"));
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("panic").to_owned()
}

/// Findings of these ids need what two rails in namespaces have not: LNet, a majority of rails.
const ELSEWHERE: [&str; 2] = ["LNET_TABLES", "MTU_DIFFERS"];

/// First words of the ids that the routing checks give.
const ROUTING: [&str; 15] = [
    "ROUTE",
    "RULE",
    "TABLE",
    "RPF",
    "ARP",
    "ADDR",
    "PREFIX",
    "MTU",
    "NEIGH",
    "NEXTHOP",
    "SYSCTL",
    "ACCEPT",
    "RAIL_PEER",
    "RAIL_UNBOUND",
    "RAIL_NO",
];

#[test]
fn every_routing_finding_has_a_row() {
    let rows = rows();
    let has_row = |id: &str| rows.iter().any(|r| r.roots.contains(&id) || r.follows.contains(&id));
    let routing = |id: &&str| {
        *id == "PEER_ASYMMETRY" || ROUTING.iter().any(|word| id.starts_with(&format!("{word}_")))
    };
    let missing: Vec<&str> = railtop::check::CATALOGUE
        .iter()
        .map(|e| e.id)
        .filter(routing)
        .filter(|id| !has_row(id) && !ELSEWHERE.contains(id))
        .collect();
    assert!(missing.is_empty(), "without a row: {missing:?}");
}
