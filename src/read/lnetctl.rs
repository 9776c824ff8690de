//! What LNet says: `lnetctl`, one child at a time, with a deadline, believed by its content.
//!
//! The screen must never wait for LNet: `lnetctl` can sleep unkillably for tens of seconds while
//! LNet is being configured or shut down. A thread of its own starts and drains each child and
//! hands the result over; [`LnetReader::poll`] only looks whether something was handed over.
//!
//! The nets are asked for in every pass, all else more seldom (`pace`), and only while the nets
//! are answered. What is asked more seldom may fail without any harm to the nets.

mod answer;
mod ask;
mod capture;
mod child;
mod classify;
#[cfg(test)]
mod fixtures;
mod job;
mod keep;
mod pace;
mod parse;
mod probe;
mod question;
#[cfg(test)]
mod samples;
mod sudo;
mod tree;

pub use ask::{Asker, Said};
pub use capture::from_capture;
pub use child::End;
pub use classify::{Run, classify};
pub use job::NIS;
pub use parse::{
    global_show, net_show, nis, peer_show, route_show, routing_show, stats_show, udsp_show,
};
pub use probe::modules;
pub use question::Question;

use crate::read::root::Root;
use crate::sample::{
    Lnet, LnetFailure, LnetLocal, LnetModules, LnetMore, Mono, Note, Unknown, Why,
};
use child::Limits;
use job::{Job, News, Print, Request, Ring};
use pace::Pace;
use std::hash::RandomState;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Never ask more often, but for the `SLACK`.
const SHORTEST: Duration = Duration::from_secs(1);
/// What is due this soon is asked now.
const SLACK: Duration = Duration::from_millis(50);
/// A child that takes longer than this is said to be late.
const LATE: Duration = Duration::from_secs(1);
/// Later than this it is worth a note.
const NOTED: Duration = Duration::from_secs(2);
/// A question beside the nets makes their answer late only when it is older than this.
const AGED: Duration = Duration::from_secs(3);
/// An answer older than this is not shown as one when asking again fails.
const KEEP: Duration = Duration::from_secs(30);
/// Of one child; the bytes are those of the shorter answers.
const LIMITS: Limits = Limits {
    deadline: Duration::from_secs(5),
    reap: Duration::from_secs(1),
    bytes: 2 * 1024 * 1024,
};

/// Asks `lnetctl` again and again without ever waiting for it.
#[derive(Debug)]
pub struct LnetReader {
    root: Root,
    program: Option<PathBuf>,
    sudo: bool,
    limits: Limits,
    lnet: Arc<Lnet>,
    job: Option<Job>,
    /// The texts behind the last good answers: the same text is not parsed again.
    known: Vec<(Question, Print)>,
    keys: RandomState,
    pace: Pace,
    peers_wanted: bool,
    modules_read: Option<Mono>,
    /// The program was there at that time.
    found: Option<(Mono, PathBuf)>,
    version_asked: bool,
    /// Good answers of the nets since LNet is up.
    answers: u32,
    bell: Option<Ring>,
}

impl LnetReader {
    /// A reader; `program` overrides the usual places (`/usr/sbin/lnetctl`, then PATH), and is
    /// then run whatever the kernel modules say.
    pub fn new(root: &Root, program: Option<PathBuf>) -> Self {
        Self {
            root: root.clone(),
            program: program.map(|p| std::path::absolute(&p).unwrap_or(p)),
            sudo: false,
            limits: LIMITS,
            lnet: Arc::new(nothing()),
            job: None,
            known: Vec::new(),
            keys: RandomState::new(),
            pace: Pace::default(),
            peers_wanted: false,
            modules_read: None,
            found: None,
            version_asked: false,
            answers: 0,
            bell: None,
        }
    }

    /// Whether an ordinary user's questions go through `sudo -n`.
    #[must_use]
    pub fn with_sudo(mut self, sudo: bool) -> Self {
        self.sudo = sudo;
        self
    }

    /// Called on the asking thread when there is news worth a poll before the next pass: the
    /// first answers, the second of the nets, and peers that are wanted.
    #[must_use]
    pub fn with_bell(mut self, ring: impl Fn() + Send + Sync + 'static) -> Self {
        self.bell = Some(Ring(Arc::new(ring)));
        self
    }

    /// Peers are on the screen: they are asked for at once and every 2 s.
    pub fn want_peers(&mut self, wanted: bool) {
        self.peers_wanted = wanted;
    }

    /// What this host says without lnetctl, for the samples that follow.
    pub fn set_local(&mut self, local: Arc<LnetLocal>) {
        if !Arc::ptr_eq(&self.lnet.local, &local) {
            self.publish(|lnet| lnet.local = local);
        }
    }

    /// Whether news is looked for more often than once in a pass.
    pub fn is_eager(&self) -> bool {
        self.peers_wanted || !self.lnet.is_settled() || self.awaits_rates()
    }

    /// The nets were answered once: their rates are known after the next time, for which a report
    /// waits.
    pub fn awaits_rates(&self) -> bool {
        self.answers == 1
    }

    /// What is known now. Starts a round of questions when none runs and one is due: the nets
    /// when `interval` has passed since the last time (never under 1 s). Collects its answers at
    /// a later poll; never blocks. The same `Arc` as before if nothing is new.
    pub fn poll(&mut self, now: Mono, interval: Duration) -> Arc<Lnet> {
        self.look_at_modules(now);
        self.collect(now);
        let due = self.due(now, interval);
        if !due.is_empty() {
            self.ask(now, due);
        }
        self.age(now);
        Arc::clone(&self.lnet)
    }

    /// Blocks until the nets are answered or refused, and then for the other answers and the
    /// version, at most `deadline` in all: for one-shot reports.
    pub fn wait(&mut self, now: Mono, deadline: Duration) -> Arc<Lnet> {
        let begin = Instant::now();
        loop {
            let spent = begin.elapsed();
            self.poll(now + spent, SHORTEST);
            if self.lnet.is_settled() && (self.version_asked || self.job.is_none()) {
                break;
            }
            let left = deadline.saturating_sub(begin.elapsed()).min(Duration::from_millis(100));
            if left.is_zero() {
                break;
            }
            match self.job.as_mut() {
                Some(job) => job.wait(left),
                None => std::thread::sleep(left.min(Duration::from_millis(5))),
            }
        }
        if self.is_pending() {
            let late = self.job.as_ref().map(|job| job.asked);
            let words = format!("lnetctl did not answer within {} s", deadline.as_secs_f32());
            self.publish(|lnet| {
                lnet.answer = Err(LnetFailure::Timeout(words.into()));
                lnet.waiting_since = late;
            });
        }
        Arc::clone(&self.lnet)
    }

    /// What a user must know of the asking itself: a child that does not answer, or does not end.
    pub fn note(&self, now: Mono) -> Option<Note> {
        let job = self.job.as_ref()?;
        let since = job.since();
        if !job.left && now.since(since) < NOTED {
            return None;
        }
        let question = job.current.map_or(Question::Nets, |(question, _)| question);
        let pid = job.pid().map_or_else(String::new, |pid| format!(" (pid {pid})"));
        let what = if job.left {
            format!(
                "an lnetctl{pid} does not end, even by SIGKILL; LNet is asked nothing until it \
                 does, and what is shown of it is from before"
            )
        } else {
            format!("`{}`{pid} has not answered yet", question.words())
        };
        Some(Note { reader: "lnetctl".into(), what: what.into(), since })
    }

    fn is_pending(&self) -> bool {
        self.lnet.answer == Err(LnetFailure::Pending)
    }

    fn look_at_modules(&mut self, now: Mono) {
        if self.modules_read.is_some_and(|read| now.since(read) < SHORTEST) {
            return;
        }
        self.modules_read = Some(now);
        let modules = probe::modules(&self.root);
        if modules != self.lnet.modules {
            self.publish(|lnet| lnet.modules = modules);
        }
    }

    /// Takes over what the job's thread has handed over since the last poll.
    fn collect(&mut self, now: Mono) {
        while let Some(job) = &mut self.job {
            let at = job.asked + job.began.elapsed();
            match job.take() {
                Some(News::Found(found)) => self.found = found.map(|path| (now, path)),
                Some(News::Asking(question, began)) => {
                    let at = job.time_of(began).min(now);
                    if question != Question::Nets {
                        self.pace.asked(question, at);
                    }
                }
                Some(News::Answer(answer)) => {
                    let at = job.time_of(answer.finished).min(now);
                    self.judge(answer, at);
                }
                Some(News::Version(version)) => {
                    self.version_asked = true;
                    self.publish(|lnet| lnet.version = version);
                }
                Some(News::Left(pid)) => self.publish(|lnet| lnet.left = pid),
                None if job.is_over() => {
                    let silent = !job.answered;
                    self.job = None;
                    if self.lnet.left.is_some() {
                        self.publish(|lnet| lnet.left = None);
                    }
                    if silent {
                        let words = "the thread that ran lnetctl ended without a result";
                        self.refuse(LnetFailure::Failed(words.into()), now);
                    }
                }
                None => {
                    // Its thread hangs itself, in the start of the child.
                    let allowed = self.limits.deadline + self.limits.reap + LATE;
                    if !job.answered && job.began.elapsed() > allowed {
                        job.answered = true;
                        let words = "lnetctl could not even be started in time";
                        self.refuse(LnetFailure::Timeout(words.into()), at.min(now));
                    }
                    break;
                }
            }
        }
    }

    fn due(&mut self, now: Mono, interval: Duration) -> Vec<Question> {
        if self.job.is_some() {
            return Vec::new();
        }
        if self.is_not_loaded(now) {
            if self.lnet.answer != Err(LnetFailure::NotLoaded) {
                self.refuse(LnetFailure::NotLoaded, now);
            }
            return Vec::new();
        }
        let mut due = Vec::new();
        let asked = self.pace.asked_at(Question::Nets);
        let not_before = self.pace.not_before(Question::Nets);
        // Passes come a little early or late.
        let period = interval.max(SHORTEST).saturating_sub(SLACK);
        if asked.is_none_or(|asked| now.since(asked) >= period)
            && not_before.is_none_or(|then| now >= then)
        {
            due.push(Question::Nets);
        }
        // The first time they follow the nets in the same round, which ends if those fail.
        let speaks = match &self.lnet.answer {
            Ok(_) => self.pace.failure(Question::Nets).is_none(),
            Err(_) => !due.is_empty(),
        };
        if speaks {
            due.extend(self.pace.due(now, self.peers_wanted));
        }
        due
    }

    /// `/sys/module` tells it without a child, once it is known that the program is there.
    fn is_not_loaded(&self, now: Mono) -> bool {
        self.program.is_none()
            && self.lnet.modules.lnet == Some(false)
            && self.found.as_ref().is_some_and(|(found, _)| now.since(*found) < KEEP)
    }

    fn ask(&mut self, now: Mono, questions: Vec<Question>) {
        if questions.contains(&Question::Nets) {
            self.pace.asked(Question::Nets, now);
        }
        let request = Request {
            root: self.root.clone(),
            program: self.program.clone(),
            sudo: self.sudo,
            modules: self.lnet.modules.clone(),
            limits: self.limits,
            questions,
            known: self.known.clone(),
            keys: self.keys.clone(),
            version: !self.version_asked,
            bell: self.bell.clone().filter(|_| self.is_eager()),
        };
        match Job::start(request, now) {
            Ok(job) => self.job = Some(job),
            Err(e) => {
                let words = format!("no thread for lnetctl: {e}");
                self.refuse(LnetFailure::Failed(words.into()), now);
            }
        }
    }

    /// Changes what is shown. Called only where there is a change: comparing ten thousand peers
    /// would cost more than all else.
    fn publish(&mut self, change: impl FnOnce(&mut Lnet)) {
        let mut next = Lnet::clone(&self.lnet);
        change(&mut next);
        self.lnet = Arc::new(next);
    }
}

/// LNet before anything was asked.
pub fn nothing() -> Lnet {
    Lnet {
        modules: LnetModules::default(),
        version: Err(Unknown::new(Why::Absent, "not asked")),
        answer: Err(LnetFailure::Pending),
        waiting_since: None,
        left: None,
        last_failure: None,
        more: LnetMore::default(),
        local: Arc::default(),
        sudoers: None,
    }
}

#[cfg(test)]
mod tests;
