//! Samples from the source's own thread through a one-slot mailbox.
//!
//! A source may hang inside a driver; the screen never waits for it and the thread is never
//! joined. A stalled screen costs one sample of memory, not a queue.

use crate::node::SourceKind;
use crate::sample::Sample;
use crate::source::Source;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// What came from the source.
#[derive(Debug)]
pub(crate) enum Fed {
    /// A sample.
    Sample(Box<Sample>),
    /// It has no more.
    End,
    /// It cannot go on; why.
    Failed(String),
}

#[derive(Default)]
struct Slot {
    newest: Option<Fed>,
    closed: bool,
}

/// Room for one sample between the source and the screen.
#[derive(Default)]
pub(crate) struct Mailbox {
    slot: Mutex<Slot>,
    taken: Condvar,
    filled: Notify,
}

impl Mailbox {
    fn lock(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts something in. `replace`: an old sample that nobody took gives way (a live node);
    /// otherwise waits until it is taken (a capture, where each sample counts). False: nobody
    /// listens any more.
    fn put(&self, fed: Fed, replace: bool) -> bool {
        let mut slot = self.lock();
        while !replace && slot.newest.is_some() && !slot.closed {
            slot = self.taken.wait(slot).unwrap_or_else(PoisonError::into_inner);
        }
        if slot.closed {
            return false;
        }
        slot.newest = Some(fed);
        drop(slot);
        self.filled.notify_one();
        true
    }

    /// The next thing from the source.
    pub(crate) async fn next(&self) -> Fed {
        loop {
            let fed = self.lock().newest.take();
            if let Some(fed) = fed {
                self.taken.notify_all();
                return fed;
            }
            self.filled.notified().await;
        }
    }

    /// Lets the source's thread end at its next sample.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.taken.notify_all();
    }
}

/// Starts the source's thread.
pub(crate) fn start(source: Box<dyn Source>) -> io::Result<Arc<Mailbox>> {
    let mailbox = Arc::new(Mailbox::default());
    let theirs = Arc::clone(&mailbox);
    std::thread::Builder::new().name("source".into()).spawn(move || pump(source, &theirs))?;
    Ok(mailbox)
}

/// Says so if the source's thread dies of a panic.
struct LastWords<'a> {
    mailbox: &'a Mailbox,
    said: bool,
}

impl Drop for LastWords<'_> {
    fn drop(&mut self) {
        if !self.said {
            self.mailbox.put(Fed::Failed("the reader thread died".into()), true);
        }
    }
}

fn pump(mut source: Box<dyn Source>, mailbox: &Mailbox) {
    let mut words = LastWords { mailbox, said: false };
    let replace = matches!(source.kind(), SourceKind::Live | SourceKind::Remote);
    loop {
        let (fed, last) = match source.next() {
            Ok(Some(sample)) => (Fed::Sample(Box::new(sample)), false),
            Ok(None) => (Fed::End, true),
            Err(error) => (Fed::Failed(error.to_string()), true),
        };
        // The last word never replaces a sample that is still to be shown.
        if !mailbox.put(fed, replace && !last) || last {
            words.said = true;
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().build().unwrap()
    }

    #[test]
    fn the_newest_replaces_the_older() {
        let mailbox = Mailbox::default();
        assert!(mailbox.put(Fed::Failed("old".into()), true));
        assert!(mailbox.put(Fed::Failed("new".into()), true));
        let fed = runtime().block_on(mailbox.next());
        assert!(matches!(fed, Fed::Failed(text) if text == "new"));
    }

    #[test]
    fn nothing_is_lost_where_each_counts() {
        let mailbox = Arc::new(Mailbox::default());
        let theirs = Arc::clone(&mailbox);
        let writer = std::thread::spawn(move || {
            for n in 0..20 {
                theirs.put(Fed::Failed(n.to_string()), false);
            }
        });
        let got = runtime().block_on(async {
            let mut got = Vec::new();
            while got.len() < 20 {
                if let Fed::Failed(text) = mailbox.next().await {
                    got.push(text);
                }
            }
            got
        });
        writer.join().unwrap();
        assert_eq!(got, (0..20).map(|n| n.to_string()).collect::<Vec<_>>());
    }

    #[test]
    fn a_closed_mailbox_lets_the_writer_go() {
        let mailbox = Arc::new(Mailbox::default());
        assert!(mailbox.put(Fed::End, false));
        let theirs = Arc::clone(&mailbox);
        let writer = std::thread::spawn(move || theirs.put(Fed::End, false));
        mailbox.close();
        assert!(!writer.join().unwrap());
    }
}
