//! The model of the FIB against the running kernel: random configurations in namespaces, random
//! questions, and RTM_GETROUTE as the judge.
//!
//! `RAILTOP_FIB_LOOKUPS` (default 20000, half of them IPv6) and `RAILTOP_FIB_SEED` (default 1) change the run.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that cannot go on panics, and what it did is said"
)]

mod arrivals;
mod config;
mod lab;
mod lookups;
mod question;
mod random;
#[path = "../support/mod.rs"]
mod support;
mod tap;

use support::{ns, skip};

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().expect("a number"))
}

fn run(name: &str, v6: bool) {
    if let Some(why) = ns::unavailable() {
        return skip(name, &why);
    }
    let lookups = number("RAILTOP_FIB_LOOKUPS").unwrap_or(20_000) as usize / 2;
    lookups::compare(v6, lookups, seed());
}

fn seed() -> u64 {
    number("RAILTOP_FIB_SEED").unwrap_or(1)
}

#[test]
fn ipv4_lookups_are_the_kernels() {
    run("ipv4_lookups_are_the_kernels", false);
}

#[test]
fn ipv6_lookups_are_the_kernels() {
    run("ipv6_lookups_are_the_kernels", true);
}

#[test]
fn arp_answers_and_arrivals_are_the_kernels() {
    let name = "arp_answers_and_arrivals_are_the_kernels";
    if let Some(why) = ns::unavailable() {
        return skip(name, &why);
    }
    arrivals::compare(60, seed());
}
