//! `--log FILE`: events as JSON lines beside whatever else is told.
//!
//! A file may hang (a network file system) or fill up; nobody waits for it. Lines go through a
//! bounded queue to a thread of their own; what does not fit is counted, and told when there is
//! room again.

use super::json;
use crate::node::Node;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// So many lines may wait.
const QUEUE: usize = 4096;
/// So long the end waits for the last lines.
const PATIENCE: Duration = Duration::from_millis(500);

/// A log that is being written.
#[derive(Debug)]
pub struct EventLog {
    lines: Option<SyncSender<String>>,
    thread: Option<JoinHandle<()>>,
    written: u64,
    lost: u64,
}

impl EventLog {
    /// Opens the file for appending, so that what stands in it stays.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = append(path)?;
        let (lines, queue) = sync_channel(QUEUE);
        let path = path.to_path_buf();
        let thread = std::thread::Builder::new()
            .name("event log".into())
            .spawn(move || write(&queue, file, &path))?;
        Ok(Self { lines: Some(lines), thread: Some(thread), written: 0, lost: 0 })
    }

    /// Hands over what happened since the last call; never waits.
    pub fn tell(&mut self, node: &Node) {
        let new = node.event_count.saturating_sub(self.written);
        self.written = node.event_count;
        let new = usize::try_from(new).unwrap_or(usize::MAX).min(node.events.len());
        let Some(lines) = &self.lines else { return };
        if self.lost > 0 {
            let line = format!("{{\"lost_event_count\":{}}}\n", self.lost);
            if lines.try_send(line).is_ok() {
                self.lost = 0;
            }
        }
        // The newest stands first.
        for event in node.events.iter().take(new).rev() {
            if lines.try_send(format!("{}\n", json::event(event))).is_err() {
                self.lost += 1;
            }
        }
    }
}

impl Drop for EventLog {
    fn drop(&mut self) {
        self.lines = None;
        let Some(thread) = self.thread.take() else { return };
        let end = Instant::now() + PATIENCE;
        while !thread.is_finished() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

/// Writes each line whole. After a failure the file is opened anew: it may have been moved away by
/// a log rotation, or its disk may have room again.
fn write(queue: &Receiver<String>, file: File, path: &Path) {
    let mut file = Some(file);
    while let Ok(line) = queue.recv() {
        if file.is_none() {
            file = append(path).ok();
        }
        if file.as_mut().is_some_and(|f| f.write_all(line.as_bytes()).is_err()) {
            file = None;
        }
    }
}
