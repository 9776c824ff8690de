//! The links, watched by a thread of their own.
//!
//! A kernel may hold the message of a carrier loss back for up to a second after another change,
//! in any namespace; a dump of the links flushes it (`net/core/link_watch.c`). So they are dumped
//! four times a second besides, and at once when a message comes. The dump may block while a
//! driver holds RTNL: nobody waits for it, the newest one ages.

use super::bell::Bell;
use crate::read::clock;
use crate::read::rtnl::LinkSocket;
use crate::sample::{Link, Mono, Reading, Unknown, Why};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Between two dumps when no message comes.
const PERIOD: Duration = Duration::from_millis(250);
/// Between two dumps that messages ask for: a flood of them costs no more than this.
const GAP: Duration = Duration::from_millis(20);

/// A dump and what it cost.
#[derive(Clone, Debug)]
pub(super) struct Dump {
    /// When it ended.
    pub(super) at: Mono,
    /// What it took.
    pub(super) took: Duration,
    /// The links; the same `Arc` as long as nothing changes.
    pub(super) links: Reading<Arc<Vec<Link>>>,
}

/// The watching thread's newest dump. The thread ends after this is dropped.
#[derive(Debug)]
pub(super) struct LinkWatch(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    poked: Condvar,
}

#[derive(Debug)]
struct State {
    newest: Dump,
    poked: bool,
    closed: bool,
}

impl Drop for LinkWatch {
    fn drop(&mut self) {
        lock(&self.0).closed = true;
        self.0.poked.notify_one();
    }
}

/// Asks for a dump now.
#[derive(Clone, Debug)]
pub(super) struct Poke(Arc<Shared>);

impl Poke {
    /// A message said that a link changed.
    pub(super) fn poke(&self) {
        lock(&self.0).poked = true;
        self.0.poked.notify_one();
    }
}

impl LinkWatch {
    /// Starts the thread; it rings when the links changed.
    pub(super) fn start(bell: Arc<Bell>) -> Self {
        let unread = Err(Unknown::new(Why::Timeout, "the first read is under way"));
        let newest = Dump { at: clock::now(), took: Duration::ZERO, links: unread };
        let state = Mutex::new(State { newest, poked: false, closed: false });
        let shared = Arc::new(Shared { state, poked: Condvar::new() });
        let theirs = Arc::clone(&shared);
        let started = std::thread::Builder::new()
            .name("links".into())
            .spawn(move || watch(&theirs, &bell, LinkSocket::new()));
        if let Err(error) = started {
            let why = Unknown::new(Why::Unsupported, format!("no thread for the links: {error}"));
            lock(&shared).newest.links = Err(why);
        }
        Self(shared)
    }

    /// For whoever hears of changes.
    pub(super) fn poke(&self) -> Poke {
        Poke(Arc::clone(&self.0))
    }

    /// The newest dump.
    pub(super) fn newest(&self) -> Dump {
        lock(&self.0).newest.clone()
    }
}

fn watch(shared: &Shared, bell: &Bell, mut socket: LinkSocket) {
    loop {
        let start = clock::now();
        let read = socket.dump();
        let at = clock::now();
        let mut state = lock(shared);
        if take(&mut state.newest, read) {
            bell.ring();
        }
        state.newest.at = at;
        state.newest.took = at.since(start);
        let (state, _) = shared
            .poked
            .wait_timeout_while(state, PERIOD, |s| !s.poked && !s.closed)
            .unwrap_or_else(PoisonError::into_inner);
        if state.closed {
            return;
        }
        drop(state);
        std::thread::sleep(GAP.saturating_sub(clock::now().since(at)));
        lock(shared).poked = false;
    }
}

/// Takes over a dump; true if it is not what was known.
fn take(newest: &mut Dump, read: Reading<Vec<Link>>) -> bool {
    match (&newest.links, read) {
        (Ok(old), Ok(new)) if **old == new => false,
        (Err(old), Err(new)) if *old == new => false,
        (_, read) => {
            newest.links = read.map(Arc::new);
            true
        }
    }
}

fn lock(shared: &Shared) -> MutexGuard<'_, State> {
    shared.state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_dump_rings() {
        let bell = Arc::new(Bell::default());
        let watch = LinkWatch::start(Arc::clone(&bell));
        let limit = clock::now() + Duration::from_secs(10);
        while watch.newest().links.is_err() {
            assert!(clock::now() < limit, "no dump: {:?}", watch.newest());
            bell.wait(limit, false);
        }
    }

    #[test]
    fn equal_dumps_keep_their_arc() {
        let links = Ok(Arc::new(Vec::new()));
        let mut newest = Dump { at: Mono(0), took: Duration::ZERO, links };
        let before = newest.links.clone().unwrap();
        assert!(!take(&mut newest, Ok(Vec::new())));
        assert!(Arc::ptr_eq(&before, newest.links.as_ref().unwrap()));
        assert!(take(&mut newest, Err(Unknown::new(Why::Timeout, ""))));
    }

    #[test]
    fn it_ends_with_its_owner() {
        let bell = Arc::new(Bell::default());
        let watch = LinkWatch::start(bell);
        let weak = Arc::downgrade(&watch.0);
        drop(watch);
        let limit = clock::now() + Duration::from_secs(10);
        while weak.strong_count() > 0 {
            assert!(clock::now() < limit, "the thread keeps it");
            std::thread::yield_now();
        }
    }
}
