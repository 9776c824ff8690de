//! The program on a pseudo-terminal, with a screen that can be read.

#![expect(unsafe_code, reason = "the master's descriptor is polled beside its owner")]

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::BorrowedFd;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// One chunk of output and when it came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chunk {
    pub(crate) at: Instant,
    pub(crate) bytes: usize,
}

/// What the terminal has seen.
pub(crate) struct Seen {
    pub(crate) parser: vt100::Parser,
    pub(crate) chunks: Vec<Chunk>,
    pub(crate) raw: Vec<u8>,
    pub(crate) ended: bool,
}

/// A program on a pseudo-terminal.
pub(crate) struct Pty {
    pub(crate) child: Box<dyn Child + Send + Sync>,
    master: Option<Box<dyn MasterPty + Send>>,
    writer: Option<Box<dyn Write + Send>>,
    seen: Arc<Mutex<Seen>>,
    reader: Option<JoinHandle<()>>,
    hung_up: Arc<AtomicBool>,
    pub(crate) started: Instant,
}

impl Pty {
    /// Starts `program ARGS…`; the environment is the test's with TERM=xterm-256color and UTF-8.
    pub(crate) fn spawn(program: &Path, args: &[&str], cols: u16, rows: u16) -> Self {
        Self::spawn_with(program, args, cols, rows, &[])
    }

    /// The same with more environment.
    pub(crate) fn spawn_with(
        program: &Path,
        args: &[&str],
        cols: u16,
        rows: u16,
        env: &[(&str, &str)],
    ) -> Self {
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("pty opens");
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.env("TERM", "xterm-256color");
        command.env("LC_ALL", "C.UTF-8");
        command.env_remove("NO_COLOR");
        command.env_remove("COLORTERM");
        for (key, value) in env {
            command.env(key, value);
        }
        let started = Instant::now();
        let child = pair.slave.spawn_command(command).expect("program starts");
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().expect("reader");
        let writer = pair.master.take_writer().expect("writer");
        let seen = Arc::new(Mutex::new(Seen {
            parser: vt100::Parser::new(rows, cols, 0),
            chunks: Vec::new(),
            raw: Vec::new(),
            ended: false,
        }));
        let sink = Arc::clone(&seen);
        let hung_up = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&hung_up);
        let fd = pair.master.as_raw_fd().expect("master has a descriptor");
        let reader = std::thread::spawn(move || {
            let mut buffer = vec![0u8; 65536];
            loop {
                // The terminal is only gone when every descriptor of its master is closed: this
                // thread must not sit in read(2) then.
                // SAFETY: `hang_up` joins this thread before it closes the master.
                let master = unsafe { BorrowedFd::borrow_raw(fd) };
                let tick = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
                let ready = poll(&mut [PollFd::new(&master, PollFlags::IN)], Some(&tick));
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                if matches!(ready, Ok(0)) {
                    continue;
                }
                let n = reader.read(&mut buffer).unwrap_or(0);
                let mut seen = sink.lock().expect("lock");
                if n == 0 {
                    seen.ended = true;
                    return;
                }
                seen.chunks.push(Chunk { at: Instant::now(), bytes: n });
                seen.raw.extend_from_slice(&buffer[..n]);
                seen.parser.process(&buffer[..n]);
            }
        });
        Self {
            child,
            master: Some(pair.master),
            writer: Some(writer),
            seen,
            reader: Some(reader),
            hung_up,
            started,
        }
    }

    /// What was seen so far.
    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().expect("lock")
    }

    /// The screen as text, one line per row.
    pub(crate) fn screen(&self) -> String {
        self.seen().parser.screen().contents()
    }

    /// Types keys.
    pub(crate) fn keys(&mut self, keys: &str) {
        let writer = self.writer.as_mut().expect("terminal is there");
        writer.write_all(keys.as_bytes()).expect("keys are taken");
        writer.flush().expect("keys are taken");
    }

    /// Waits until the screen contains `text`; shows the screen otherwise.
    #[track_caller]
    pub(crate) fn wait_text(&self, text: &str, limit: Duration) -> Instant {
        self.wait_screen(&format!("{text:?} on the screen"), limit, |s| s.contains(text))
    }

    /// Waits until the screen satisfies `wanted`.
    #[track_caller]
    pub(crate) fn wait_screen(
        &self,
        what: &str,
        limit: Duration,
        wanted: impl Fn(&str) -> bool,
    ) -> Instant {
        let start = Instant::now();
        loop {
            let screen = self.screen();
            if wanted(&screen) {
                return Instant::now();
            }
            assert!(start.elapsed() < limit, "not within {limit:?}: {what}; the screen:\n{screen}");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Changes the size of the terminal (SIGWINCH).
    pub(crate) fn resize(&self, cols: u16, rows: u16) {
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        self.master.as_ref().expect("terminal is there").resize(size).expect("resize");
        self.seen().parser.screen_mut().set_size(rows.max(1), cols.max(1));
    }

    /// The terminal disappears.
    pub(crate) fn hang_up(&mut self) {
        self.hung_up.store(true, Ordering::Relaxed);
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        self.writer = None;
        self.master = None;
    }

    /// Waits for the end of the program; its exit code.
    #[track_caller]
    pub(crate) fn wait_exit(&mut self, limit: Duration) -> u32 {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("wait") {
                return status.exit_code();
            }
            assert!(
                start.elapsed() < limit,
                "still running after {limit:?}; the screen:\n{}",
                self.screen()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Process id.
    pub(crate) fn pid(&self) -> i32 {
        self.child.process_id().and_then(|p| i32::try_from(p).ok()).expect("runs")
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.hang_up();
    }
}
