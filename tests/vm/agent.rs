//! The guest's side: this very program, started by the guest's init, plays the steps that come
//! over a virtio port, one JSON line each, and answers each with one line.

use crate::pty::Pty;
use crate::step::{Pattern, Reply, Step, keys};
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read, Seek, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Longest life of a shell command beside the terminal.
const COMMAND: Duration = Duration::from_mins(2);

/// Plays until the port is gone for good.
pub(crate) fn serve(port: &str) -> std::io::Result<()> {
    let mut out = OpenOptions::new().read(true).write(true).open(port)?;
    let mut lines = BufReader::new(out.try_clone()?);
    let mut stage = Stage { cols: 160, rows: 50, on: None };
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            // The host is not (yet, any more) there.
            std::thread::sleep(Duration::from_millis(50));
            continue;
        }
        let began = Instant::now();
        let mut reply = match serde_json::from_str(&line) {
            Ok(step) => stage.play(step),
            Err(error) => failure(format!("not a step: {error}")),
        };
        if reply.seconds == 0.0 {
            reply.seconds = began.elapsed().as_secs_f64();
        }
        let mut answer = serde_json::to_string(&reply)?;
        answer.push('\n');
        out.write_all(answer.as_bytes())?;
    }
}

fn failure(text: String) -> Reply {
    Reply { text, ..Reply::default() }
}

fn success(text: String) -> Reply {
    Reply { ok: true, text, ..Reply::default() }
}

/// The terminal and what runs on it.
struct Stage {
    cols: u16,
    rows: u16,
    on: Option<Pty>,
}

impl Stage {
    fn play(&mut self, step: Step) -> Reply {
        match step {
            Step::Size { cols, rows } => {
                (self.cols, self.rows) = (cols, rows);
                if let Some(pty) = &self.on {
                    pty.resize(cols, rows);
                }
                success(String::new())
            }
            Step::Start { command } => {
                self.on = None;
                let shell = Path::new("/bin/sh");
                let command = format!("exec {command}");
                self.on = Some(Pty::spawn(shell, &["-c", &command], self.cols, self.rows));
                success(String::new())
            }
            Step::Stop => self.stop(),
            Step::Exit { seconds } => self.exit(seconds),
            Step::Keys { keys: words } => self.with(|pty| {
                pty.keys(&keys(&words));
                success(String::new())
            }),
            Step::Wait { seconds, text } => {
                let until = Instant::now();
                self.with(|pty| wait(pty, until, seconds, &text, true))
            }
            Step::Gone { seconds, text } => {
                let until = Instant::now();
                self.with(|pty| wait(pty, until, seconds, &text, false))
            }
            Step::Time { seconds, text, command } => self.with(|pty| {
                if text.on(&pty.screen()) {
                    return failure(format!("{text:?} was there before:\n{}", pty.screen()));
                }
                let from = Instant::now();
                let done = run(&command, false);
                if done.code != Some(0) {
                    return failure(format!("{command}: {:?}: {}", done.code, done.text));
                }
                wait(pty, from, seconds, &text, true)
            }),
            Step::Shot => self.with(|pty| success(pty.screen())),
            Step::Sh { command } => run(&command, false),
            Step::User { command } => run(&command, true),
            Step::Sleep { seconds } => {
                std::thread::sleep(Duration::from_secs_f64(seconds));
                success(String::new())
            }
        }
    }

    fn with(&mut self, act: impl FnOnce(&mut Pty) -> Reply) -> Reply {
        self.on.as_mut().map_or_else(|| failure("nothing runs on the terminal".to_owned()), act)
    }

    fn stop(&mut self) -> Reply {
        let Some(mut pty) = self.on.take() else { return success(String::new()) };
        let screen = pty.screen();
        let _ = Command::new("kill").arg(pty.pid().to_string()).status();
        let code = end_of(&mut pty, 10.0);
        Reply { ok: code.is_some(), text: screen, code, ..Reply::default() }
    }

    fn exit(&mut self, seconds: f64) -> Reply {
        let Some(pty) = &mut self.on else {
            return failure("nothing runs on the terminal".to_owned());
        };
        let code = end_of(pty, seconds);
        // What it wrote last may still be on its way through the terminal.
        std::thread::sleep(Duration::from_millis(100));
        Reply { ok: code.is_some(), text: pty.screen(), code, ..Reply::default() }
    }
}

/// The exit code, once it has one.
fn end_of(pty: &mut Pty, seconds: f64) -> Option<i32> {
    let from = Instant::now();
    while from.elapsed().as_secs_f64() < seconds {
        if let Ok(Some(status)) = pty.child.try_wait() {
            return i32::try_from(status.exit_code()).ok();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    None
}

/// Waits for the text to come, or to go, since `from`; the screen is read only when it changed.
fn wait(pty: &Pty, from: Instant, seconds: f64, text: &Pattern, wanted: bool) -> Reply {
    let mut known = None;
    loop {
        let (changes, at) = {
            let seen = pty.seen();
            (seen.chunks.len(), seen.chunks.last().map(|chunk| chunk.at))
        };
        if known != Some(changes) {
            known = Some(changes);
            if text.on(&pty.screen()) == wanted {
                let at = at.filter(|at| *at > from).unwrap_or(from);
                let seconds = at.duration_since(from).as_secs_f64().max(f64::MIN_POSITIVE);
                return Reply { ok: true, seconds, ..Reply::default() };
            }
        }
        if from.elapsed().as_secs_f64() > seconds {
            let what = if wanted { "did not come" } else { "did not go" };
            let screen = pty.screen();
            return failure(format!("{text:?} {what} within {seconds} s; the screen:\n{screen}"));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Runs a shell command to its end. Its output goes to a file, so that what it leaves running
/// in the background does not hold us.
fn run(command: &str, as_user: bool) -> Reply {
    let done = || -> std::io::Result<Reply> {
        let mut output = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open("/run/agent-output")?;
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", command]).current_dir("/").stdin(Stdio::null());
        shell.stdout(output.try_clone()?).stderr(output.try_clone()?).process_group(0);
        if as_user {
            shell.uid(1000).gid(1000).env("HOME", "/tmp");
        }
        let mut child = shell.spawn()?;
        let began = Instant::now();
        let status: Option<ExitStatus> = loop {
            if let Some(status) = child.try_wait()? {
                break Some(status);
            }
            if began.elapsed() > COMMAND {
                let _ = Command::new("kill").arg("-9").arg(format!("-{}", child.id())).status();
                break None;
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let mut bytes = Vec::new();
        output.rewind()?;
        output.read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Ok(match status {
            Some(status) => Reply { code: status.code(), ..success(text) },
            None => failure(format!("{command}: still running after {COMMAND:?}: {text}")),
        })
    };
    done().unwrap_or_else(|error| failure(format!("{command}: {error}")))
}
