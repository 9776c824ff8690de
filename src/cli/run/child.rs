//! The command: started, sent what railtop is sent, waited for.

use crate::cli::error::Failure;
use crate::read::clock;
use crate::sample::{Mono, Text};
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Handle;
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::WithOrigin;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How the command ended.
pub(super) struct Ended {
    /// When.
    pub(super) at: Mono,
    /// How long it ran.
    pub(super) lasted: Duration,
    /// Its exit code, 128 + n for signal n.
    pub(super) code: u8,
}

/// A command that runs. Signals go on to it until this is dropped.
pub(super) struct Child {
    signals: Handle,
}

impl Child {
    /// Starts it in the same process group, with the same stdin, stdout and stderr; `then` is
    /// called once, by a thread that waits for its end.
    pub(super) fn start(
        command: &[OsString],
        then: impl FnOnce(Ended) + Send + 'static,
    ) -> Result<Self, Failure> {
        let Some((program, args)) = command.split_first() else {
            return Err(Failure::Usage("no command after --".into()));
        };
        // From here on a signal does not end railtop, which has a report to give.
        let mut signals = SignalsInfo::<WithOrigin>::new([SIGINT, SIGQUIT, SIGTERM, SIGHUP])
            .map_err(|e| Failure::Failed(Text::new(&format!("signals: {e}"))))?;
        let handle = signals.handle();
        let began = Instant::now();
        let mut child = Command::new(program).args(args).spawn().map_err(|e| {
            handle.close();
            let code = if e.kind() == ErrorKind::NotFound { 127 } else { 126 };
            let name = program.to_string_lossy();
            Failure::As(Text::new(&format!("{name}: cannot be started: {e}")), code)
        })?;
        let over = Arc::new(AtomicBool::new(false));
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let ended = Arc::clone(&over);
        std::thread::spawn(move || {
            for origin in &mut signals {
                // The terminal sends its signals to the whole process group: the command has it.
                let by_hand = origin.process.is_some();
                if by_hand && !ended.load(Ordering::Acquire) {
                    forward(pid, origin.signal);
                }
            }
        });
        std::thread::spawn(move || {
            let status = child.wait();
            over.store(true, Ordering::Release);
            then(Ended {
                at: clock::now(),
                lasted: began.elapsed(),
                code: status.map_or(1, exit_code),
            });
        });
        Ok(Self { signals: handle })
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.signals.close();
    }
}

fn forward(pid: Option<Pid>, signal: i32) {
    let signal = match signal {
        SIGINT => Signal::INT,
        SIGQUIT => Signal::QUIT,
        SIGTERM => Signal::TERM,
        _ => Signal::HUP,
    };
    if let Some(pid) = pid {
        let _ = kill_process(pid, signal);
    }
}

/// As a shell tells it.
fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
