//! Readers on worker threads that may hang in the kernel for a minute, or for ever.
//!
//! One shared worker serves all readers in turn. A worker that gets stuck keeps the reader it is
//! stuck in, as its private worker from then on, and a new shared worker takes the others.
//! Nobody ever waits for a worker's end: a thread inside a driver call must not hold up the exit.

use super::bell::Bell;
use crate::read::clock;
use crate::sample::{Mono, Text};
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// A read that has not returned after this long is stuck.
const STUCK: Duration = Duration::from_secs(1);
/// A reader that needs longer than this …
const SLOW: Duration = Duration::from_millis(50);
/// … this often in a row gets a worker of its own.
const SLOW_PASSES: u8 = 3;

/// Something that reads, and may block.
pub(super) trait Reader: Send + 'static {
    /// What a pass is asked for.
    type Ask: Ask;
    /// What it gives.
    type Out: Send + 'static;
    /// One pass.
    fn read(&mut self, ask: Self::Ask) -> Self::Out;
    /// Files read or messages asked for in the last pass.
    fn reads(&self) -> u32;
    /// Is the result of that pass worth a wake-up?
    fn is_news(&mut self, ask: Self::Ask, out: &Self::Out) -> bool {
        let _ = (ask, out);
        true
    }
}

/// A request that can take over another that was never served.
pub(super) trait Ask: Copy + Send + 'static {
    /// Both requests in one.
    fn and(self, owed: Self) -> Self;
}

/// A pass that returned.
pub(super) struct Done<Out> {
    /// Whose.
    pub(super) name: Text,
    /// What it gave.
    pub(super) out: Out,
    /// How long it took.
    pub(super) took: Duration,
    /// Files read.
    pub(super) reads: u32,
}

struct Job<R: Reader> {
    name: Text,
    reader: R,
    ask: R::Ask,
}

/// A job that came back with its reader.
struct Returned<R: Reader> {
    done: Done<R::Out>,
    reader: R,
}

/// The desk of one worker: what waits, what it is at.
struct Desk<R: Reader> {
    jobs: Mutex<Jobs<R>>,
    changed: Condvar,
}

struct Jobs<R: Reader> {
    waiting: VecDeque<Job<R>>,
    current: Option<(Text, Mono)>,
    closed: bool,
}

impl<R: Reader> Desk<R> {
    fn new() -> Self {
        let jobs = Jobs { waiting: VecDeque::new(), current: None, closed: false };
        Self { jobs: Mutex::new(jobs), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Jobs<R>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, job: Job<R>) {
        let mut jobs = self.lock();
        // A worker that is at something, or was called, looks here before it sleeps: one call for
        // all jobs of a pass.
        let asleep = jobs.current.is_none() && jobs.waiting.is_empty();
        jobs.waiting.push_back(job);
        drop(jobs);
        if asleep {
            self.changed.notify_one();
        }
    }

    /// The worker takes its next job, or `None` when there will be none.
    fn take(&self) -> Option<Job<R>> {
        let mut jobs = self.lock();
        loop {
            if let Some(job) = jobs.waiting.pop_front() {
                jobs.current = Some((job.name.clone(), clock::now()));
                return Some(job);
            }
            if jobs.closed {
                return None;
            }
            jobs = self.changed.wait(jobs).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The worker is done with its job. Is nothing left to do?
    fn finish(&self) -> bool {
        let mut jobs = self.lock();
        jobs.current = None;
        jobs.waiting.is_empty()
    }

    fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_one();
    }

    /// What the worker hangs in, and since when.
    fn stuck(&self, now: Mono) -> Option<(Text, Mono)> {
        self.lock().current.clone().filter(|(_, since)| now.since(*since) >= STUCK)
    }
}

/// A reader and where it is.
struct Member<R: Reader> {
    name: Text,
    /// The reader, unless a worker has it.
    reader: Option<R>,
    /// Its own worker.
    desk: Option<Arc<Desk<R>>>,
    /// What was asked for while a worker had the reader.
    owed: Option<R::Ask>,
    /// That is to be served as soon as the reader is back, not with the next wish.
    urgent: bool,
    stuck_since: Option<Mono>,
    slow_passes: u8,
    /// It is to be dropped as soon as it is back.
    gone: bool,
}

/// Readers and the workers that serve them.
pub(super) struct Pool<R: Reader> {
    label: &'static str,
    bell: Arc<Bell>,
    members: Vec<Member<R>>,
    shared: Option<Arc<Desk<R>>>,
    returned: Arc<Mutex<Vec<Returned<R>>>>,
    /// No thread could be made, in words.
    trouble: Option<String>,
}

impl<R: Reader> Pool<R> {
    /// A pool whose threads are called `label`; `bell` rings when a worker has nothing to do.
    pub(super) fn new(label: &'static str, bell: Arc<Bell>) -> Self {
        let returned = Arc::default();
        Self { label, bell, members: Vec::new(), shared: None, returned, trouble: None }
    }

    /// Takes a reader in. One that was removed while it hung is taken back as it is.
    pub(super) fn add(&mut self, name: Text, reader: impl FnOnce() -> R) {
        if let Some(member) = self.member(&name) {
            member.gone = false;
            return;
        }
        self.members.push(Member {
            name,
            reader: Some(reader()),
            desk: None,
            owed: None,
            urgent: false,
            stuck_since: None,
            slow_passes: 0,
            gone: false,
        });
    }

    /// Drops a reader, at once or when it comes back.
    pub(super) fn remove(&mut self, name: &str) {
        if let Some(member) = self.member(name) {
            member.gone = true;
        }
        self.members.retain(|m| {
            let keep = !(m.gone && m.reader.is_some());
            if let (false, Some(desk)) = (keep, &m.desk) {
                desk.close();
            }
            keep
        });
    }

    /// The readers that are in use.
    pub(super) fn names(&self) -> impl Iterator<Item = &Text> {
        self.members.iter().filter(|m| !m.gone).map(|m| &m.name)
    }

    /// Those that hang, and since when.
    pub(super) fn stuck(&self) -> impl Iterator<Item = (&Text, Mono)> {
        self.members.iter().filter(|m| !m.gone).filter_map(|m| Some((&m.name, m.stuck_since?)))
    }

    /// Is a pass under way that may still come back soon?
    pub(super) fn pending(&self) -> bool {
        self.members.iter().any(|m| m.reader.is_none() && m.stuck_since.is_none() && !m.gone)
    }

    /// Why no worker could be started, if so.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Asks for a pass. If one is under way the wish is kept: an urgent one until the reader is
    /// back, any other until the next wish. False if there is no worker to ask.
    pub(super) fn ask(&mut self, name: &str, ask: R::Ask, urgent: bool) -> bool {
        let Some(index) = self.members.iter().position(|m| &*m.name == name) else { return false };
        let Some(desk) = self.desk_of(index) else { return false };
        let Some(member) = self.members.get_mut(index) else { return false };
        let ask = member.owed.take().map_or(ask, |owed| ask.and(owed));
        if let Some(reader) = member.reader.take() {
            member.urgent = false;
            desk.put(Job { name: member.name.clone(), reader, ask });
        } else {
            member.urgent |= urgent;
            member.owed = Some(ask);
        }
        true
    }

    /// The passes that returned since the last call.
    pub(super) fn collect(&mut self) -> Vec<Done<R::Out>> {
        let back =
            std::mem::take(&mut *self.returned.lock().unwrap_or_else(PoisonError::into_inner));
        let mut done = Vec::with_capacity(back.len());
        for returned in back {
            if self.home(&returned.done.name, returned.reader, returned.done.took) {
                done.push(returned.done);
            }
        }
        done
    }

    /// A reader is back. False if it was no longer wanted.
    fn home(&mut self, name: &Text, reader: R, took: Duration) -> bool {
        let Some(member) = self.member(name) else { return false };
        member.reader = Some(reader);
        member.stuck_since = None;
        if member.gone {
            let name = name.clone();
            self.remove(&name);
            return false;
        }
        member.slow_passes = if took > SLOW { member.slow_passes.saturating_add(1) } else { 0 };
        if member.slow_passes >= SLOW_PASSES && member.desk.is_none() {
            let desk = self.start(name);
            if let Some(member) = self.member(name) {
                member.desk = desk;
            }
        }
        let owed = self.member(name).filter(|m| m.urgent).and_then(|m| m.owed.take());
        if let Some(ask) = owed {
            self.ask(name, ask, true);
        }
        true
    }

    /// Looks for workers that hang. True if one was found that was not known.
    pub(super) fn check(&mut self, now: Mono) -> bool {
        let mut found = false;
        for member in &mut self.members {
            let hangs = member.desk.as_ref().and_then(|d| d.stuck(now));
            if let (Some((_, since)), None) = (hangs, member.stuck_since) {
                member.stuck_since = Some(since);
                found = true;
            }
        }
        if let Some((name, since)) = self.shared.as_ref().and_then(|d| d.stuck(now)) {
            self.part(&name, since);
            found = true;
        }
        found
    }

    /// The shared worker hangs: it stays with its reader, the others get a new one.
    fn part(&mut self, name: &str, since: Mono) {
        let Some(old) = self.shared.take() else { return };
        let waiting = std::mem::take(&mut old.lock().waiting);
        if let Some(member) = self.member(name) {
            member.stuck_since = Some(since);
            member.desk = Some(old);
        }
        for job in waiting {
            if self.shared.is_none() {
                self.shared = self.start(&Text::default());
            }
            match &self.shared {
                Some(desk) => desk.put(job),
                None => self.give_back(job),
            }
        }
    }

    fn give_back(&mut self, job: Job<R>) {
        if let Some(member) = self.member(&job.name) {
            member.reader = Some(job.reader);
        }
    }

    fn desk_of(&mut self, index: usize) -> Option<Arc<Desk<R>>> {
        if let Some(own) = self.members.get(index).and_then(|m| m.desk.clone()) {
            return Some(own);
        }
        if self.shared.is_none() {
            self.shared = self.start(&Text::default());
        }
        self.shared.clone()
    }

    /// Starts a worker for one reader, or a shared one.
    fn start(&mut self, reader: &Text) -> Option<Arc<Desk<R>>> {
        let name = match reader.as_str() {
            "" => self.label.to_owned(),
            reader => format!("{} {reader}", self.label),
        };
        match spawn(name, Arc::clone(&self.returned), Arc::clone(&self.bell)) {
            Ok(desk) => {
                self.trouble = None;
                Some(desk)
            }
            Err(e) => {
                self.trouble = Some(format!("no thread to read with: {e}"));
                None
            }
        }
    }

    fn member(&mut self, name: &str) -> Option<&mut Member<R>> {
        self.members.iter_mut().find(|m| &*m.name == name)
    }
}

impl<R: Reader> Drop for Pool<R> {
    /// Lets idle workers end; none is waited for.
    fn drop(&mut self) {
        let private = self.members.iter().filter_map(|m| m.desk.as_ref());
        private.chain(&self.shared).for_each(|desk| desk.close());
    }
}

fn spawn<R: Reader>(
    name: String,
    returned: Arc<Mutex<Vec<Returned<R>>>>,
    bell: Arc<Bell>,
) -> io::Result<Arc<Desk<R>>> {
    let desk = Arc::new(Desk::new());
    let mine = Arc::clone(&desk);
    thread::Builder::new().name(name).spawn(move || work(&mine, &returned, &bell))?;
    Ok(desk)
}

fn work<R: Reader>(desk: &Desk<R>, returned: &Mutex<Vec<Returned<R>>>, bell: &Bell) {
    let mut news = false;
    while let Some(Job { name, mut reader, ask }) = desk.take() {
        let start = clock::now();
        let out = reader.read(ask);
        let took = clock::now().since(start);
        news |= reader.is_news(ask, &out);
        let done = Done { name, out, took, reads: reader.reads() };
        returned.lock().unwrap_or_else(PoisonError::into_inner).push(Returned { done, reader });
        // One wake-up for all jobs of a pass.
        if desk.finish() && std::mem::take(&mut news) {
            bell.ring();
        }
    }
}

#[cfg(test)]
mod tests;
