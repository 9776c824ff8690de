//! One child process with a deadline: asked, drained, killed, and if need be left behind.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use std::ffi::OsStr;
use std::fmt;
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It exited with this code.
    Exit(i32),
    /// It was killed by this signal.
    Signal(i32),
}

impl From<ExitStatus> for End {
    fn from(status: ExitStatus) -> Self {
        status.code().map_or_else(|| End::Signal(status.signal().unwrap_or(0)), End::Exit)
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Exit(code) => write!(f, "exit status: {code}"),
            End::Signal(signal) => write!(f, "signal: {signal}"),
        }
    }
}

/// Everything a child said.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub end: End,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

/// Why a child did not end by itself, or never began.
#[derive(Debug)]
pub(super) enum Stop {
    /// It could not be started.
    Spawn(io::Error),
    /// It printed more than allowed.
    TooMuch,
    /// The deadline passed.
    Deadline,
    /// It could not be read.
    Io(io::Error),
}

/// A stop, and the child if it is still there after SIGKILL.
#[derive(Debug)]
pub(super) struct Stopped {
    pub why: Stop,
    pub left: Option<Child>,
}

/// What a child may cost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// From start to end.
    pub deadline: Duration,
    /// From SIGKILL to its end.
    pub reap: Duration,
    /// Bytes per stream.
    pub bytes: usize,
}

/// Kills the child from another thread, as long as it is certain that the pid is still its.
#[derive(Debug, Default)]
pub(super) struct Leash(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    pid: Option<Pid>,
    closed: bool,
}

impl Leash {
    /// Kills the child that is there and every one that would come.
    pub(super) fn close(&self) {
        let mut held = self.lock();
        held.closed = true;
        held.kill();
    }

    fn hold(&self, child: &Child) {
        let mut held = self.lock();
        held.pid = Some(Pid::from_child(child));
        if held.closed {
            held.kill();
        }
    }

    /// The child that is there.
    pub(super) fn pid(&self) -> Option<i32> {
        self.lock().pid.map(Pid::as_raw_pid)
    }

    fn is_closed(&self) -> bool {
        self.lock().closed
    }

    fn kill(&self) {
        self.lock().kill();
    }

    /// Reaps a child that has ended. Until then its pid, and so its group, cannot be taken by
    /// another process: what it left running in the group goes with it.
    fn reap(&self, child: &mut Child) -> io::Result<ExitStatus> {
        let mut held = self.lock();
        held.kill();
        held.pid = None;
        child.wait()
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn kill(&self) {
        if let Some(pid) = self.pid {
            // ESRCH: it is a zombie already. EPERM: it changed its user; nothing can be done.
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}

/// Runs a program to its end or to its limits. Only SIGKILL is used: what hangs in a system call
/// does not run a handler, and nothing `show` does needs one.
pub(super) fn run(
    program: &Path,
    arguments: &[impl AsRef<OsStr>],
    limits: Limits,
    leash: &Leash,
) -> Result<Outcome, Stopped> {
    if leash.is_closed() {
        return Err(Stopped { why: Stop::Deadline, left: None });
    }
    let deadline = Instant::now() + limits.deadline;
    let mut child = Command::new(program)
        .args(arguments)
        .env("LC_ALL", "C")
        .current_dir("/") // the current one may be on the very file system that hangs
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|e| Stopped { why: Stop::Spawn(e), left: None })?;
    leash.hold(&child);
    match drain(&mut child, deadline, limits.bytes) {
        Ok((stdout, stderr)) => match leash.reap(&mut child) {
            Ok(status) => Ok(Outcome { end: status.into(), stdout, stderr }),
            Err(e) => Err(Stopped { why: Stop::Io(e), left: None }),
        },
        Err(why) => Err(Stopped { why, left: kill(child, limits.reap, leash) }),
    }
}

/// Waits for a child that outlived SIGKILL, for as long as the kernel keeps it.
pub(super) fn outlast(mut child: Child, leash: &Leash) {
    let exited = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(Pid::from_child(&child)), exited) {}
    let _ = leash.reap(&mut child);
}

fn kill(mut child: Child, patience: Duration, leash: &Leash) -> Option<Child> {
    leash.kill();
    let deadline = Instant::now() + patience;
    let mut pause = Pause::new();
    while !ended(&child) {
        if Instant::now() >= deadline {
            return Some(child);
        }
        pause.take();
    }
    let _ = leash.reap(&mut child);
    None
}

/// Whether the child has ended, without reaping it. (A pidfd could be waited for instead, but
/// the kernels of RHEL 8 have none.)
fn ended(child: &Child) -> bool {
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    !matches!(
        waitid(WaitId::Pid(Pid::from_child(child)), look),
        Ok(None) | Err(rustix::io::Errno::INTR)
    )
}

fn drain(child: &mut Child, deadline: Instant, cap: usize) -> Result<(Vec<u8>, Vec<u8>), Stop> {
    let mut stdout = Stream::new(child.stdout.take(), cap).map_err(Stop::Io)?;
    let mut stderr = Stream::new(child.stderr.take(), cap).map_err(Stop::Io)?;
    let mut pause = Pause::new();
    loop {
        // In this order: what it wrote before it ended is in the pipes by then.
        let over = ended(child);
        stdout.read()?;
        stderr.read()?;
        if over {
            return Ok((stdout.bytes, stderr.bytes));
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Stop::Deadline);
        }
        wait_for_bytes(stdout.fd().into_iter().chain(stderr.fd()), left, &mut pause);
    }
}

/// Waits for bytes or an end of file; not for long, for a child may end while what it started
/// keeps the pipes open.
fn wait_for_bytes<'a>(
    fds: impl Iterator<Item = BorrowedFd<'a>>,
    left: Duration,
    pause: &mut Pause,
) {
    let mut fds: Vec<PollFd<'_>> =
        fds.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
    if fds.is_empty() {
        // Both are closed: it is about to end.
        return pause.take();
    }
    let slice = left.min(Duration::from_millis(50));
    if let Ok(timeout) = Timespec::try_from(slice)
        && poll(&mut fds, Some(&timeout)).is_err()
    {
        pause.take();
    }
}

/// Pauses that grow from 1 to 16 ms.
struct Pause(Duration);

impl Pause {
    fn new() -> Self {
        Self(Duration::from_millis(1))
    }

    fn take(&mut self) {
        sleep(self.0);
        self.0 = (self.0 * 2).min(Duration::from_millis(16));
    }
}

/// One of the child's output streams, read without blocking.
struct Stream<P> {
    pipe: Option<P>,
    bytes: Vec<u8>,
    cap: usize,
}

impl<P: Read + AsFd> Stream<P> {
    fn new(pipe: Option<P>, cap: usize) -> io::Result<Self> {
        if let Some(pipe) = &pipe {
            rustix::io::ioctl_fionbio(pipe, true)?;
        }
        Ok(Self { pipe, bytes: Vec::new(), cap })
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    fn read(&mut self) -> Result<(), Stop> {
        let mut chunk = [0_u8; 16 * 1024];
        while let Some(pipe) = &mut self.pipe {
            match pipe.read(&mut chunk) {
                Ok(0) => self.pipe = None,
                Ok(n) => self.bytes.extend_from_slice(chunk.get(..n).unwrap_or_default()),
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(Stop::Io(e)),
            }
            if self.bytes.len() > self.cap {
                return Err(Stop::TooMuch);
            }
        }
        Ok(())
    }
}
