//! railtop on the kernel's own InfiniBand stack, in a virtual machine: see README.md here.
//!
//! One program with three parts. `cargo test --test vm` boots a guest and proves; the guest runs
//! the same program as its agent; `cargo test --test vm -- play …` plays a steps file by hand.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test may fail loudly, and this one reports by itself"
)]

mod agent;
mod machine;
mod play;
mod step;

#[allow(dead_code, reason = "other targets use the rest")]
#[path = "../support/pty.rs"]
mod pty;

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["agent", port] => {
            let ended = agent::serve(port);
            eprintln!("agent: {ended:?}");
            ExitCode::FAILURE
        }
        ["play", rest @ ..] => play::main(rest),
        _ => ExitCode::SUCCESS,
    }
}
