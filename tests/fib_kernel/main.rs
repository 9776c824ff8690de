//! The model of the FIB against the running kernel: random configurations in namespaces, random
//! questions, and RTM_GETROUTE as the judge.
//!
//! `RAILTOP_FIB_LOOKUPS` (default 20000, half of them IPv6) and `RAILTOP_FIB_SEED` change the run.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on panics"
)]

mod config;
mod lab;
mod lookups;
mod random;
#[path = "../support/mod.rs"]
mod support;

use support::{ns, skip};

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().expect("a number"))
}

fn run(name: &str, v6: bool) {
    if let Some(why) = ns::unavailable() {
        return skip(name, &why);
    }
    let lookups = number("RAILTOP_FIB_LOOKUPS").unwrap_or(20_000) as usize / 2;
    let seed = number("RAILTOP_FIB_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    lookups::compare(v6, lookups, seed);
}

#[test]
fn ipv4_lookups_are_the_kernels() {
    run("ipv4_lookups_are_the_kernels", false);
}

#[test]
fn ipv6_lookups_are_the_kernels() {
    run("ipv6_lookups_are_the_kernels", true);
}
