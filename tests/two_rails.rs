//! The dashboard on two rails of one subnet, on the real kernel: the mistake is on the screen, the
//! printed commands are typed elsewhere, and it goes away without a key.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on panics"
)]

#[path = "closed_loop/lab.rs"]
#[allow(dead_code, reason = "the table of faults uses the rest")]
mod lab;
mod support;

use lab::{Lab, Start, succeeded};
use std::process::Command;
use std::time::Duration;
use support::ns::{self, Ns};
use support::pty::Pty;
use support::{railtop, skip};

/// The start of the finding's sentence.
const SENTENCE: &str = "172.16.0.0/16 is reachable by ib0 and ib1";

/// The text of the screen without line breaks: a sentence may be wrapped or begin anywhere.
fn flat(screen: &str) -> String {
    let words: Vec<&str> = screen
        .split(|c: char| c.is_whitespace() || "│║|".contains(c))
        .filter(|w| !w.is_empty())
        .collect();
    words.join(" ")
}

fn dashboard(ns: &Ns) -> Pty {
    let ip = Command::new("sh").args(["-c", "command -v ip"]).output().expect("sh runs");
    let ip = String::from_utf8_lossy(&ip.stdout).trim().to_owned();
    let program = railtop();
    let program = program.to_str().expect("UTF-8 path");
    let args = ["netns", "exec", &ns.name, program, "--rail", "ib*"];
    Pty::spawn(ip.as_ref(), &args, 160, 50)
}

/// What `railtop fix` prints for typing here: all lines that are no comment.
fn script(ns: &Ns) -> String {
    let out = ns.command(railtop()).args(["fix", "--rail", "ib*"]).output().expect("railtop runs");
    succeeded("railtop fix", &out).expect("a script");
    String::from_utf8(out.stdout).expect("UTF-8")
}

#[test]
fn the_mistake_leaves_the_screen_when_it_is_mended() {
    if let Some(why) = ns::unavailable() {
        return skip("the_mistake_leaves_the_screen_when_it_is_mended", &why);
    }
    let lab = Lab::new(Start::Plain);
    let script = script(&lab.a);
    let screen = dashboard(&lab.a);
    screen.wait_screen("the sentence", Duration::from_secs(10), |s| flat(s).contains(SENTENCE));
    let out = lab.a.command("sh").args(["-e", "-c", &script]).output().expect("sh runs");
    succeeded(&script, &out).expect("the whole script runs");
    screen.wait_screen("the sentence is gone", Duration::from_secs(3), |s| {
        let text = flat(s);
        text.contains("● OK") && !text.contains(SENTENCE)
    });
    lab.a.ip("rule del pref 10010");
    screen.wait_screen("the other rail's rule is missed", Duration::from_secs(3), |s| {
        flat(s).contains("table 1001 has the routes of ib1, and no rule leads there")
    });
}
