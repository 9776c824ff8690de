//! railtop on the kernel's own InfiniBand stack, in a virtual machine: see README.md here.
//!
//! One program with three parts. `cargo test --test vm` boots a guest and proves; the guest runs
//! the same program as its agent; `tests/vm/run` plays a steps file by hand.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test may fail loudly, and this one reports by itself"
)]

mod agent;
mod bare;
mod lab;
mod machine;
mod play;
mod proofs;
mod step;

#[allow(dead_code, reason = "other targets use the rest")]
#[path = "../support/pty.rs"]
mod pty;

use lab::Lab;
use libtest_mimic::{Arguments, Failed, Trial};
use machine::{Machine, Parts};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A screen that is as new as its reader's patience. By the guest's clock, which runs on while
/// emulation is slow.
const SOON: f64 = 2.0;

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
        _ => prove(),
    }
}

/// What guests boot from, built when the first proof wants it.
#[derive(Default)]
struct Bench {
    parts: OnceLock<Result<Parts, String>>,
    lab: Mutex<Option<Lab>>,
}

impl Bench {
    fn parts(&self) -> Result<&Parts, Failed> {
        self.parts.get_or_init(Parts::build).as_ref().map_err(Failed::from)
    }

    /// Runs a proof in the guest, which the first one boots.
    fn run(&self, proof: proofs::Proof) -> Result<(), Failed> {
        let parts = self.parts()?;
        let mut lab = self.lab.lock().unwrap_or_else(PoisonError::into_inner);
        if lab.is_none() {
            let guest = Machine::boot(parts, &[])?;
            println!("the guest was there after {:.1} s", guest.boot.as_secs_f64());
            *lab = Some(Lab::new(guest));
        }
        let lab = lab.as_mut().ok_or("no guest")?;
        catch_unwind(AssertUnwindSafe(|| proof(lab))).map_err(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            Failed::from(text.unwrap_or("it panicked"))
        })
    }
}

fn prove() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // One guest, one proof at a time.
    arguments.test_threads = Some(1);
    if let Some(why) = machine::missing() {
        println!("skipped: no virtual machine here, {why}");
        return if std::env::var_os("CI").is_some() {
            eprintln!("nothing may be skipped in CI");
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        };
    }
    let bench = Arc::new(Bench::default());
    let mut trials: Vec<Trial> = proofs::ALL
        .iter()
        .map(|(name, proof)| {
            let bench = Arc::clone(&bench);
            Trial::test(*name, move || bench.run(*proof))
        })
        .collect();
    let of_times = Arc::clone(&bench);
    trials.push(Trial::test("soon", move || {
        let lab = of_times.lab.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((report, median)) = lab.as_ref().and_then(Lab::report) else { return Ok(()) };
        println!("{report}");
        if median > SOON {
            return Err(format!("the median is {median:.2} s, more than {SOON} s").into());
        }
        Ok(())
    }));
    let of_bare = Arc::clone(&bench);
    trials.push(Trial::test("bare::nothing_but_busybox", move || {
        // One guest at a time: emulation is slow enough.
        *of_bare.lab.lock().unwrap_or_else(PoisonError::into_inner) = None;
        bare::nothing_but_busybox(of_bare.parts()?)
    }));
    let conclusion = libtest_mimic::run(&arguments, trials);
    drop(bench);
    conclusion.exit_code()
}
