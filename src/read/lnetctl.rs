//! `lnetctl net show -v 4`: one child at a time, with a deadline, believed by its content.
//!
//! The screen must never wait for LNet: `lnetctl` can sleep unkillably for tens of seconds while
//! LNet is being configured or shut down. A thread of its own starts and drains each child and
//! hands the result over; [`LnetReader::poll`] only looks whether something was handed over.

mod capture;
mod child;
mod classify;
#[cfg(test)]
mod fixtures;
mod job;
mod parse;
mod probe;
#[cfg(test)]
mod samples;
mod tree;

pub use capture::from_capture;
pub use child::End;
pub use classify::{Run, classify};
pub use parse::{
    global_show, net_show, nis, peer_show, route_show, routing_show, stats_show, udsp_show,
};
pub use probe::modules;

use crate::read::root::Root;
use crate::sample::{Lnet, LnetAnswer, LnetFailure, LnetModules, Mono, Unknown, Why};
use child::Limits;
use job::{Job, Nets, News, Request};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Never ask more often.
const SHORTEST: Duration = Duration::from_secs(1);
/// A child that takes longer than this is said to be late.
const LATE: Duration = Duration::from_secs(1);
/// An answer older than this is not shown as one when asking again fails.
const KEEP: Duration = Duration::from_secs(30);
/// A normal `net show` of 16 NIs is 30 KiB.
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
    limits: Limits,
    lnet: Arc<Lnet>,
    job: Option<Job>,
    /// The stdout behind the last good answer: the same text is not parsed again.
    stdout: Option<Arc<[u8]>>,
    modules_read: Option<Mono>,
    started: Option<Mono>,
    not_before: Option<Mono>,
    /// Failures without a name since the last run that had a clear result.
    strikes: u32,
    /// The program was there at that time.
    found: Option<Mono>,
    version_asked: bool,
}

impl LnetReader {
    /// A reader; `program` overrides the usual places (`/usr/sbin/lnetctl`, then PATH), and is
    /// then run whatever the kernel modules say.
    pub fn new(root: &Root, program: Option<PathBuf>) -> Self {
        Self {
            root: root.clone(),
            program: program.map(|p| std::path::absolute(&p).unwrap_or(p)),
            limits: LIMITS,
            lnet: Arc::new(nothing()),
            job: None,
            stdout: None,
            modules_read: None,
            started: None,
            not_before: None,
            strikes: 0,
            found: None,
            version_asked: false,
        }
    }

    /// What is known now. Starts a child when none runs and `interval` has passed since the last
    /// (never under 1 s); collects its answer at a later poll; never blocks. The same `Arc` as
    /// before if nothing is new.
    pub fn poll(&mut self, now: Mono, interval: Duration) -> Arc<Lnet> {
        self.look_at_modules(now);
        self.collect(now);
        if self.is_due(now, interval) {
            self.ask(now);
        }
        self.age(now);
        Arc::clone(&self.lnet)
    }

    /// Blocks until the first answer or failure is there, at most `deadline`: for one-shot
    /// reports. It waits a little longer for the version, which is asked after it.
    pub fn wait(&mut self, now: Mono, deadline: Duration) -> Arc<Lnet> {
        let begin = Instant::now();
        let mut patience = deadline;
        loop {
            let spent = begin.elapsed();
            self.poll(now + spent, SHORTEST);
            if self.lnet.answer != Err(LnetFailure::Pending) {
                patience = patience.min(spent + Duration::from_millis(500));
                if self.job.is_none() || self.version_asked {
                    break;
                }
            }
            let left = patience.saturating_sub(begin.elapsed());
            let Some(job) = self.job.as_mut().filter(|_| !left.is_zero()) else { break };
            job.wait(left.min(Duration::from_millis(100)));
        }
        if self.lnet.answer == Err(LnetFailure::Pending) {
            let late = self.job.as_ref().map(|job| job.asked);
            let words = format!("lnetctl did not answer within {} s", deadline.as_secs_f32());
            self.publish(|lnet| {
                lnet.answer = Err(LnetFailure::Timeout(words.into()));
                lnet.waiting_since = late;
            });
        }
        Arc::clone(&self.lnet)
    }

    fn look_at_modules(&mut self, now: Mono) {
        if self.modules_read.is_some_and(|read| now.since(read) < SHORTEST) {
            return;
        }
        self.modules_read = Some(now);
        let modules = probe::modules(&self.root);
        self.publish(|lnet| lnet.modules = modules);
    }

    /// Takes over what the job's thread has handed over since the last poll.
    fn collect(&mut self, now: Mono) {
        while let Some(job) = &mut self.job {
            let at = job.asked + job.began.elapsed();
            match job.take() {
                Some(News::Found(true)) => self.found = Some(now),
                Some(News::Found(false)) => self.found = None,
                Some(News::Answer { result, finished, took }) => {
                    let at = job.time_of(finished).min(now);
                    self.judge(result, at, took);
                }
                Some(News::Version(version)) => {
                    self.version_asked = true;
                    self.publish(|lnet| lnet.version = version);
                }
                None if job.is_over() => {
                    let silent = !job.answered;
                    self.job = None;
                    if silent {
                        let words = "the thread that ran lnetctl ended without a result";
                        self.judge(Err(LnetFailure::Failed(words.into())), now, Duration::ZERO);
                    }
                }
                None => {
                    // Its thread hangs itself, in the start of the child.
                    let allowed = self.limits.deadline + self.limits.reap + LATE;
                    if !job.answered && job.began.elapsed() > allowed {
                        job.answered = true;
                        let words = "lnetctl could not even be started in time";
                        self.judge(Err(LnetFailure::Timeout(words.into())), at.min(now), allowed);
                    }
                    break;
                }
            }
        }
    }

    fn judge(&mut self, result: Result<Nets, LnetFailure>, at: Mono, took: Duration) {
        match result {
            Ok(nets) => {
                self.strikes = 0;
                self.not_before = None;
                self.accept(nets, at, took);
            }
            Err(failure) => self.refuse(failure, at),
        }
    }

    fn accept(&mut self, nets: Nets, at: Mono, took: Duration) {
        let fresh = match nets {
            Nets::Same => None,
            Nets::New { nets, stdout } => {
                self.stdout = Some(stdout);
                Some(nets)
            }
        };
        self.publish(|lnet| {
            lnet.last_failure = None;
            match (&mut lnet.answer, fresh) {
                (Ok(answer), None) => (answer.at, answer.took) = (at, took),
                (answer, fresh) => {
                    *answer = Ok(LnetAnswer { at, took, nets: fresh.unwrap_or_default() });
                }
            }
        });
    }

    fn refuse(&mut self, failure: LnetFailure, at: Mono) {
        use LnetFailure::{
            Denied, Failed, NotConfigured, NotInstalled, NotLoaded, Pending, Timeout,
        };
        let (clear, pause) = match &failure {
            NotInstalled | Denied(_) => (true, Duration::from_secs(30)),
            NotConfigured => (true, Duration::from_secs(5)),
            NotLoaded | Pending => (true, Duration::ZERO),
            // 1, 2, 4, 8, 16, 30 s
            Timeout(_) | Failed(_) => {
                (false, Duration::from_secs((1 << self.strikes.min(5)).min(30)))
            }
        };
        self.strikes = if clear { 0 } else { self.strikes.saturating_add(1) };
        self.not_before = Some(at + pause);
        let replace = clear || self.lnet.answer.is_err();
        if replace {
            self.stdout = None;
        }
        self.publish(|lnet| {
            if replace {
                lnet.answer = Err(failure.clone());
            }
            lnet.last_failure = Some((at, failure));
        });
    }

    fn is_due(&mut self, now: Mono, interval: Duration) -> bool {
        if self.job.is_some() {
            return false;
        }
        if self.is_not_loaded(now) {
            if self.lnet.answer != Err(LnetFailure::NotLoaded) {
                self.refuse(LnetFailure::NotLoaded, now);
            }
            return false;
        }
        self.started.is_none_or(|started| now.since(started) >= interval.max(SHORTEST))
            && self.not_before.is_none_or(|then| now >= then)
    }

    /// `/sys/module` tells it without a child, once it is known that the program is there.
    fn is_not_loaded(&self, now: Mono) -> bool {
        self.program.is_none()
            && self.lnet.modules.lnet == Some(false)
            && self.found.is_some_and(|found| now.since(found) < KEEP)
    }

    fn ask(&mut self, now: Mono) {
        self.started = Some(now);
        let request = Request {
            root: self.root.clone(),
            program: self.program.clone(),
            modules: self.lnet.modules.clone(),
            limits: self.limits,
            known: self.stdout.clone(),
            version: !self.version_asked,
        };
        match Job::start(request, now) {
            Ok(job) => self.job = Some(job),
            Err(e) => {
                let words = format!("no thread for lnetctl: {e}");
                self.refuse(LnetFailure::Failed(words.into()), now);
            }
        }
    }

    /// Says what time alone has changed.
    fn age(&mut self, now: Mono) {
        let late = self.job.as_ref().map(|job| job.asked).filter(|asked| now.since(*asked) >= LATE);
        if late != self.lnet.waiting_since {
            self.publish(|lnet| lnet.waiting_since = late);
        }
        if let (Ok(answer), Some((_, failure))) = (&self.lnet.answer, &self.lnet.last_failure)
            && now.since(answer.at) > KEEP
        {
            let failure = failure.clone();
            self.stdout = None;
            self.publish(|lnet| lnet.answer = Err(failure));
        }
    }

    /// Changes what is shown; keeps the same `Arc` if that changes nothing.
    fn publish(&mut self, change: impl FnOnce(&mut Lnet)) {
        let mut next = Lnet::clone(&self.lnet);
        change(&mut next);
        if next != *self.lnet {
            self.lnet = Arc::new(next);
        }
    }
}

/// LNet before anything was asked.
pub fn nothing() -> Lnet {
    Lnet {
        modules: LnetModules::default(),
        version: Err(Unknown::new(Why::Absent, "not asked")),
        answer: Err(LnetFailure::Pending),
        waiting_since: None,
        last_failure: None,
        more: crate::sample::LnetMore::default(),
        local: Arc::default(),
    }
}

#[cfg(test)]
mod tests;
