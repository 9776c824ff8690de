//! `railtop stream` as a test reads it.

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// A running stream.
pub(crate) struct Stream {
    child: Child,
    lines: Receiver<(Instant, Value)>,
}

impl Stream {
    /// Starts the command (its arguments complete) and reads its objects.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("stream starts");
        let stdout = child.stdout.take().expect("piped");
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines() {
                let Ok(line) = line else { return };
                let value = serde_json::from_str(&line).expect("one JSON object per line");
                if send.send((Instant::now(), value)).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    /// The next object.
    #[track_caller]
    pub(crate) fn next(&self) -> (Instant, Value) {
        self.lines.recv_timeout(Duration::from_secs(10)).expect("an object within 10 s")
    }

    /// The first object that satisfies `wanted`.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> (Instant, Value) {
        let start = Instant::now();
        let mut last = Value::Null;
        while start.elapsed() < Duration::from_secs(10) {
            match self.lines.recv_timeout(Duration::from_secs(10)) {
                Ok((at, object)) if wanted(&object) => return (at, object),
                Ok((_, object)) => last = object,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        panic!("never seen: {what}; the last object:\n{last:#}");
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The rail of that name.
#[track_caller]
pub(crate) fn rail<'a>(object: &'a Value, name: &str) -> &'a Value {
    object["rails"]
        .as_array()
        .and_then(|rails| rails.iter().find(|r| r["name"] == name))
        .unwrap_or_else(|| panic!("no rail {name} in\n{object:#}"))
}

/// The ids of the findings that follow from no other.
pub(crate) fn roots(object: &Value) -> Vec<String> {
    object["findings"]
        .as_array()
        .map(|all| {
            all.iter()
                .filter(|f| f["caused_by"].is_null())
                .filter_map(|f| f["id"].as_str().map(str::to_owned))
                .collect()
        })
        .unwrap_or_default()
}
