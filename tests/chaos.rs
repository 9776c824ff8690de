//! A node that falls apart while somebody looks at it: files vanish, come back, hold rubbish or
//! hang, `lnetctl` hangs, dies, prints for ever. The screen answers every key at once, nothing is
//! leaked, and when all is well again the screen says so.
//!
//! Some seconds by default; `RAILTOP_CHAOS_SECONDS=300 cargo test --test chaos` goes on for longer.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use support::lnetctl::{Stand, both_up};
use support::pty::Pty;
use support::{railtop, wait_for};

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z ^= z >> 27;
        (z % end.max(1) as u64) as usize
    }
}

/// Every file of the devices.
fn files(dir: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files(&entry.path(), into),
            Ok(kind) if kind.is_file() => into.push(entry.path()),
            _ => {}
        }
    }
}

/// Breaks one thing, waits, and mends it.
fn trouble(stand: &Stand, all: &[PathBuf], random: &mut Random) {
    let path = &all[random.below(all.len())];
    let pause = Duration::from_millis(20 + random.below(150) as u64);
    let before = fs::read(path).unwrap_or_default();
    match random.below(6) {
        0 => {
            let _ = fs::remove_file(path);
        }
        1 => {
            let _ = fs::write(path, b"\x1b[2J\xff\x00 rubbish 99999999999999999999\n");
        }
        2 => {
            let _ = fs::write(path, "");
        }
        3 => {
            // A directory in its place: EISDIR.
            let _ = fs::remove_file(path);
            let _ = fs::create_dir(path);
        }
        4 => {
            // A whole device goes and comes back.
            let link = stand.tree.at(format!("sys/class/infiniband/mlx5_{}", random.below(2)));
            if let Ok(target) = fs::read_link(&link) {
                let _ = fs::remove_file(&link);
                std::thread::sleep(pause);
                let _ = std::os::unix::fs::symlink(target, &link);
            }
        }
        _ => {
            // Opening a FIFO that nobody writes hangs, as a firmware command does.
            let _ = fs::remove_file(path);
            let _ = Command::new("mkfifo").arg(path).status();
            std::thread::sleep(pause);
            // Whoever hangs is let go: both ends open at once never block.
            let _ = fs::OpenOptions::new().read(true).write(true).open(path);
        }
    }
    std::thread::sleep(pause);
    if path.is_dir() {
        let _ = fs::remove_dir(path);
    } else {
        let _ = fs::remove_file(path);
    }
    fs::write(path, before).unwrap();
}

fn lnet_trouble(stand: &Stand, random: &mut Random) {
    let lines = [
        "cat out",
        "sleep 60",
        "trap '' TERM; sleep 3",
        "yes x | head -c 3000000",
        "head -c 5000 /dev/urandom",
        "kill -9 $$",
        "echo 'opening /dev/lnet failed: Permission denied' >&2; exit 243",
        "printf 'show:\\n    - net:\\n          errno: -100\\n' >&2; exit 156",
        "cat out | head -c 400",
    ];
    stand.script(lines[random.below(lines.len())]);
}

/// Ends the trouble, also where a check fails.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// How much longer than asked a thread slept: what the machine itself kept everybody waiting.
#[derive(Default)]
struct Machine(Mutex<Vec<(Instant, Duration)>>);

impl Machine {
    fn watch(&self, stop: &AtomicBool) {
        const NAP: Duration = Duration::from_millis(2);
        while !stop.load(Ordering::Relaxed) {
            let begun = Instant::now();
            std::thread::sleep(NAP);
            let over = begun.elapsed().saturating_sub(NAP);
            if over > NAP {
                self.0.lock().unwrap().push((begun, over));
            }
        }
    }

    /// What of the time since then was its own.
    fn kept(&self, since: Instant) -> Duration {
        let late = self.0.lock().unwrap();
        late.iter().filter(|(at, over)| *at + *over >= since).map(|(_, over)| *over).sum()
    }
}

/// How many descriptors and threads a process has.
fn held(pid: i32) -> (usize, usize) {
    let count = |what: &str| fs::read_dir(format!("/proc/{pid}/{what}")).map_or(0, Iterator::count);
    (count("fd"), count("task"))
}

/// Children of a process, with theirs.
fn children(pid: i32) -> usize {
    let out = Command::new("pgrep").args(["-P", &pid.to_string()]).output().unwrap();
    String::from_utf8_lossy(&out.stdout).lines().count()
}

#[test]
fn a_node_that_falls_apart_does_not_take_the_screen_with_it() {
    let seconds = std::env::var("RAILTOP_CHAOS_SECONDS").ok().and_then(|s| s.parse().ok());
    let lasts = Duration::from_secs(seconds.unwrap_or(8));
    let stand = Stand::new();
    stand.says(&both_up(), "", 0);
    let root = stand.tree.path().to_str().unwrap();
    let lnetctl = stand.at("lnetctl");
    let args =
        ["--root", root, "--lnetctl", lnetctl.to_str().unwrap(), "--rail", "ibt*", "-i", "100ms"];
    let mut pty = Pty::spawn(&railtop(), &args, 100, 30);
    pty.wait_text("ibt1", Duration::from_secs(10));
    let pid = pty.pid();
    let mut all = Vec::new();
    files(&stand.tree.at("sys/devices"), &mut all);
    assert!(all.len() > 100, "{}", all.len());
    std::thread::sleep(Duration::from_secs(1));
    let before = held(pid);

    let stop = AtomicBool::new(false);
    let mut answers: Vec<Duration> = Vec::new();
    let mut longest = Duration::ZERO;
    let machine = Machine::default();
    std::thread::scope(|scope| {
        scope.spawn(|| machine.watch(&stop));
        scope.spawn(|| {
            let mut random = Random(1);
            while !stop.load(Ordering::Relaxed) {
                trouble(&stand, &all, &mut random);
            }
        });
        scope.spawn(|| {
            let mut random = Random(2);
            while !stop.load(Ordering::Relaxed) {
                lnet_trouble(&stand, &mut random);
                std::thread::sleep(Duration::from_millis(700));
            }
        });
        let _ends = Ends(&stop);
        let start = Instant::now();
        let mut random = Random(3);
        let keys = ["1", "2", "3", "4", "5", "6", "\r", "s", "b", "m", "a", "y", "j", "k"];
        while start.elapsed() < lasts {
            pty.keys(keys[random.below(keys.len())]);
            std::thread::sleep(Duration::from_millis(30));
            // The help page comes and goes: a key that shows when it was taken.
            for shown in [true, false] {
                let pressed = Instant::now();
                pty.keys("?");
                let limit = Duration::from_secs(5);
                pty.wait_screen("an answer to ?", limit, |s| {
                    s.contains("rails: one row each") == shown
                });
                answers.push(pressed.elapsed());
                let own = pressed.elapsed().saturating_sub(machine.kept(pressed));
                longest = longest.max(own);
            }
        }
    });

    // All is mended, and the screen says so.
    stand.script("cat out; cat err >&2; exit \"$(cat code)\"");
    pty.keys("1");
    pty.wait_screen("both rails are back", Duration::from_secs(45), |s| {
        let row = |name: &str| s.lines().any(|l| l.contains(name) && l.contains("200 HDR"));
        row("ibt0") && row("ibt1") && s.contains("LNet") && s.contains("2 NIs")
    });
    let after = wait_for("nothing is leaked", Duration::from_secs(45), || {
        let now = held(pid);
        (now.0 <= before.0 + 8 && now.1 <= before.1 + 4 && children(pid) <= 1).then_some(now)
    });
    pty.keys("q");
    assert_eq!(pty.wait_exit(Duration::from_secs(5)), 0);

    answers.sort();
    let at = |part: usize| answers[(answers.len() * part / 100).min(answers.len() - 1)];
    let most = answers.last().unwrap();
    let _ = std::io::Write::write_fmt(
        &mut std::io::stderr(),
        format_args!(
            "chaos: {} keys answered: median {:?}, 95 of 100 within {:?}, the last {most:?}; \
             descriptors and threads {before:?}, then {after:?}\n",
            answers.len(),
            at(50),
            at(95)
        ),
    );
    assert!(at(95) < Duration::from_millis(100), "95 of 100 keys within {:?}", at(95));
    assert!(longest < Duration::from_millis(100), "a key waited {longest:?} on an idle machine");
}
