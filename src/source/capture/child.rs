//! One child process with a deadline.

use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

/// No answer of `lnetctl` comes near this.
const MAX_OUTPUT: u64 = 16 << 20;

/// What a child said, all of it.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) stdout: Vec<u8>,
    /// Exit code and stderr, where it did not end well.
    pub(super) error: Option<String>,
}

/// Runs a program without input. A child that does not end is killed and left: even its death
/// may never come (a wait inside the kernel), so nothing waits for it.
pub(super) fn run(program: &Path, args: &[&str], deadline: Duration) -> io::Result<Answer> {
    let until = Instant::now() + deadline;
    let mut child = Command::new(program)
        .args(args)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let stdout = collect(child.stdout.take());
    let stderr = collect(child.stderr.take());
    let out = stdout.recv_timeout(until.saturating_duration_since(Instant::now()));
    let err = stderr.recv_timeout(until.saturating_duration_since(Instant::now()));
    let (Ok(out), Ok(err)) = (out, err) else {
        return Ok(Answer { stdout: Vec::new(), error: Some(given_up(child, deadline)) });
    };
    let err = String::from_utf8_lossy(&err).into_owned();
    let error = match end(&mut child, until) {
        Some(status) if status.success() && err.is_empty() => None,
        Some(status) => Some(format!("{status}\n{err}")),
        None => Some(given_up(child, deadline)),
    };
    Ok(Answer { stdout: out, error })
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(pipe) = pipe {
            let _ = pipe.take(MAX_OUTPUT).read_to_end(&mut bytes);
        }
        let _ = send.send(bytes);
    });
    receive
}

/// Both pipes are closed, so the child is about to end, unless it hides.
fn end(child: &mut Child, until: Instant) -> Option<std::process::ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < until => thread::sleep(Duration::from_millis(2)),
            _ => return None,
        }
    }
}

fn given_up(mut child: Child, deadline: Duration) -> String {
    let _ = child.kill();
    let _ = child.try_wait();
    format!("timeout: no answer in {} s\n", deadline.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, deadline: Duration) -> Answer {
        run(Path::new("/bin/sh"), &["-c", script], deadline).unwrap()
    }

    #[test]
    fn output_and_failure_are_kept() {
        let answer = sh("echo out; echo err >&2; exit 3", Duration::from_secs(20));
        assert_eq!(answer.stdout, b"out\n");
        let error = answer.error.unwrap();
        assert!(error.contains('3') && error.contains("err"), "{error}");
    }

    #[test]
    fn a_child_that_hangs_is_given_up() {
        let answer = sh("sleep 1000", Duration::from_millis(50));
        assert!(answer.error.unwrap().starts_with("timeout"));
    }
}
