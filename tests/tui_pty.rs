//! The dashboard on a real pseudo-terminal: it comes, it goes, and it never stays behind.
//!
//! The child is this very test program, told by an environment variable to run the screen.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use railtop::node::{Settings, SourceKind};
use railtop::sample::{Host, Lnet, LnetFailure, LnetModules, Mono, Routing, Sample, SampleTime};
use railtop::sample::{Reading, Sysctls, Unknown, Why};
use railtop::source::{Pace, Source, SourceError};
use railtop::tui;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const CHILD: &str = "RAILTOP_TEST_SCREEN";

/// A source that gives a sample every 50 ms, for ever.
struct Ticker {
    start: Instant,
    pace: Arc<Pace>,
    /// Samples until the source panics.
    left: Option<u32>,
}

fn absent<T>() -> Reading<T> {
    Err(Unknown::new(Why::Absent, ""))
}

fn sample(at: Duration) -> Sample {
    let host = Host {
        name: Ok("pty".into()),
        kernel: absent(),
        load: absent(),
        memory: absent(),
        cpus: absent(),
        boot_time_seconds: absent(),
        uid: absent(),
        numa: absent(),
    };
    let routing = Routing {
        at: Mono(0),
        addresses: absent(),
        rules4: absent(),
        rules6: absent(),
        routes4: absent(),
        routes6: absent(),
        neighbours: absent(),
        nexthops: absent(),
        table_names: Vec::new(),
    };
    let lnet = Lnet {
        modules: LnetModules::default(),
        version: absent(),
        answer: Err(LnetFailure::NotInstalled),
        waiting_since: None,
        left: None,
        last_failure: None,
        sudoers: None,
        more: railtop::sample::LnetMore::default(),
        local: Arc::default(),
    };
    let mono = Mono(0) + at;
    let wall = jiff::Timestamp::UNIX_EPOCH + jiff::SignedDuration::try_from(at).unwrap();
    Sample {
        time: SampleTime { wall, mono },
        host: Arc::new(host),
        netdevs: absent(),
        rdma: absent(),
        links: absent(),
        routing: Arc::new(routing),
        sysctls: Arc::new(Sysctls::default()),
        managers: None,
        lnet: Arc::new(lnet),
        notes: Vec::new(),
        cost: Vec::new(),
    }
}

impl Source for Ticker {
    fn next(&mut self) -> Result<Option<Sample>, SourceError> {
        std::thread::sleep(self.pace.interval());
        if let Some(left) = &mut self.left {
            *left = left.checked_sub(1).expect("a reader that panics");
        }
        Ok(Some(sample(self.start.elapsed())))
    }
    fn kind(&self) -> SourceKind {
        SourceKind::Demo
    }
    fn label(&self) -> String {
        "demo pty".to_owned()
    }
    fn pace(&self) -> Arc<Pace> {
        Arc::clone(&self.pace)
    }
}

/// Not a test: the child's part.
#[test]
fn child() {
    let Some(mode) = std::env::var_os(CHILD) else { return };
    let left = (mode == "panics").then_some(3);
    let source = Ticker { start: Instant::now(), pace: Pace::new(Duration::from_millis(50)), left };
    let code = match tui::run(Box::new(source), Settings::default(), tui::Options::default()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error:#}");
            tui::Refusal::EXIT_CODE
        }
    };
    std::process::exit(i32::from(code));
}

struct Session {
    master: Option<Box<dyn MasterPty + Send>>,
    writer: Option<Box<dyn Write + Send>>,
    child: Box<dyn Child + Send + Sync>,
    screen: Arc<Mutex<vt100::Parser>>,
    stop: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

fn command(before: &[&str]) -> CommandBuilder {
    let own = std::env::current_exe().unwrap();
    let mut words: Vec<std::ffi::OsString> = before.iter().map(Into::into).collect();
    words.push(own.into());
    words.extend(["--exact", "child", "--nocapture"].map(Into::into));
    let mut command = CommandBuilder::from_argv(words);
    command.env(CHILD, "1");
    command.env("TERM", "xterm-256color");
    command.env("LC_ALL", "C.UTF-8");
    command
}

impl Session {
    fn start(command: CommandBuilder) -> Self {
        let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let screen = Arc::new(Mutex::new(vt100::Parser::new(24, 80, 0)));
        let theirs = Arc::clone(&screen);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let reader = std::thread::spawn(move || {
            let mut bytes = [0u8; 4096];
            while !stopped.load(Ordering::SeqCst) {
                let Ok(n @ 1..) = reader.read(&mut bytes) else { return };
                theirs.lock().unwrap().process(&bytes[..n]);
            }
        });
        let writer = Some(pair.master.take_writer().unwrap());
        Self { master: Some(pair.master), writer, child, screen, stop, reader: Some(reader) }
    }

    fn text(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    fn wait_for(&self, what: &str, condition: impl Fn(&vt100::Screen) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            if condition(self.screen.lock().unwrap().screen()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("no {what}:\n{}", self.text());
    }

    fn shows(&self, words: &str) {
        self.wait_for(words, |screen| screen.contents().contains(words));
    }

    fn type_keys(&mut self, keys: &str) {
        let writer = self.writer.as_mut().unwrap();
        writer.write_all(keys.as_bytes()).unwrap();
        writer.flush().unwrap();
    }

    fn ends(&mut self, within: Duration) -> u32 {
        let deadline = Instant::now() + within;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.exit_code();
            }
            assert!(Instant::now() < deadline, "still there:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn is_restored(&self) {
        self.wait_for("restored screen", |screen| {
            !screen.alternate_screen() && !screen.hide_cursor()
        });
        // The pty keeps the modes that the child left.
        let modes = self.master.as_ref().unwrap().get_termios().unwrap();
        let text = format!("{:?}", modes.local_flags);
        assert!(text.contains("ICANON") && text.contains("ECHO"), "{text}");
    }

    fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_raw(self.child.process_id().unwrap().cast_signed()).unwrap()
    }
}

const SOON: Duration = Duration::from_secs(10);

#[test]
fn it_comes_and_q_gives_the_terminal_back() {
    let mut session = Session::start(command(&[]));
    session.shows("1 Rails");
    session.shows("demo pty");
    session.type_keys("?");
    session.shows("KEYS");
    session.type_keys("\x1b");
    session.wait_for("closed help", |screen| !screen.contents().contains("KEYS"));
    session.type_keys("q");
    assert_eq!(session.ends(SOON), 0);
    session.is_restored();
}

#[test]
fn a_panic_gives_the_terminal_back_and_says_so() {
    let mut command = command(&[]);
    command.env(CHILD, "panics");
    command.env("RUST_BACKTRACE", "0");
    let mut session = Session::start(command);
    assert_ne!(session.ends(SOON), 0);
    session.is_restored();
    session.shows("a reader that panics");
}

#[test]
fn without_a_terminal_it_names_what_to_use() {
    let own = std::env::current_exe().unwrap();
    let output = std::process::Command::new(own)
        .args(["--exact", "child", "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(64));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("railtop stream"), "{said}");
    assert!(!output.stdout.contains(&0x1b));
}

#[test]
fn it_follows_the_size() {
    let mut session = Session::start(command(&[]));
    session.shows("1 Rails");
    let resize = |rows, cols| {
        session.screen.lock().unwrap().screen_mut().set_size(rows, cols);
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        session.master.as_ref().unwrap().resize(size).unwrap();
    };
    resize(5, 30);
    session.shows("too small");
    resize(40, 120);
    session.shows("Enter open");
    session.type_keys("\x03");
    assert_eq!(session.ends(SOON), 130);
    session.is_restored();
}

#[test]
fn a_signal_ends_it_cleanly() {
    use rustix::process::{Signal, kill_process};
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129), (Signal::INT, 130)] {
        let mut session = Session::start(command(&[]));
        session.shows("1 Rails");
        kill_process(session.pid(), signal).unwrap();
        assert_eq!(session.ends(SOON), code);
        session.is_restored();
    }
}

#[test]
fn a_stop_gives_the_terminal_back_and_going_on_takes_it_again() {
    use rustix::process::{Pid, Signal, kill_process};
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("pid");
    // Below a shell: a session leader has nobody who would wake it, and does not stop.
    let script = "sh -c 'echo $$ > \"$0\"; exec \"$@\"' \"$0\" \"$@\"; exit $?";
    let mut session = Session::start(command(&["sh", "-c", script, &file.to_string_lossy()]));
    session.shows("no rail found");
    let pid: i32 = std::fs::read_to_string(&file).unwrap().trim().parse().unwrap();
    let pid = Pid::from_raw(pid).unwrap();
    let state = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
        let stat = stat.unwrap_or_default();
        stat.rsplit(") ").next().and_then(|rest| rest.chars().next())
    };
    // By the key, then by the signal.
    for by_key in [true, false] {
        if by_key {
            session.type_keys("\x1a");
        } else {
            kill_process(pid, Signal::TSTP).unwrap();
        }
        session.wait_for("stop", |_| state() == Some('T'));
        session.is_restored();
        kill_process(pid, Signal::CONT).unwrap();
        session.wait_for("screen again", |screen| {
            screen.alternate_screen() && screen.contents().contains("no rail found")
        });
    }
    session.type_keys("q");
    assert_eq!(session.ends(SOON), 0);
    session.is_restored();
}

#[test]
fn without_its_terminal_it_is_gone_within_two_seconds() {
    // Paused, so that no frame can fail and tell; and with SIGHUP ignored by whoever started it.
    for keys in ["", " "] {
        let mut session = Session::start(command(&["sh", "-c", "trap '' HUP; exec \"$@\"", "sh"]));
        session.shows("no rail found");
        session.type_keys(keys);
        if !keys.is_empty() {
            session.shows("PAUSED");
        }
        hang_up(&mut session);
        assert_eq!(session.ends(Duration::from_secs(2)), 129);
    }
}

#[test]
fn no_signal_is_needed_to_see_that_the_terminal_is_gone() {
    // In a session of its own the pty is not its controlling terminal: nobody sends SIGHUP.
    if std::process::Command::new("setsid").arg("--version").output().is_err() {
        eprintln!("skipped: no setsid here");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let ended = dir.path().join("ended");
    let script = "exec 3<&0; setsid sh -c '\"$@\"; echo $? > \"$0\"' \"$0\" \"$@\" <&3 & wait";
    let mut session = Session::start(command(&["sh", "-c", script, &ended.to_string_lossy()]));
    session.shows("no rail found");
    session.type_keys(" ");
    session.shows("PAUSED");
    hang_up(&mut session);
    let deadline = Instant::now() + Duration::from_secs(2);
    while Instant::now() < deadline && !ended.exists() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let code = std::fs::read_to_string(&ended).unwrap_or_default();
    assert_eq!(code.trim(), "129");
}

/// Closes the master side, all copies of it.
fn hang_up(session: &mut Session) {
    session.stop.store(true, Ordering::SeqCst);
    // A key whose frame lets the reader thread see that it shall end.
    session.type_keys("b");
    session.reader.take().unwrap().join().unwrap();
    session.writer = None;
    session.master = None;
}
