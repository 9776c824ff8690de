//! One round of questions on a thread of its own, and how its results come back.

use super::child::{Leash, Limits, Outcome, Stop, Stopped, outlast, run};
use super::classify::{Run, classify};
use super::probe;
use crate::read::root::Root;
use crate::sample::{LnetFailure, LnetModules, LnetNet, Mono, Reading, Text};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::time::{Duration, Instant};

/// What a round is to do.
#[derive(Debug)]
pub(super) struct Request {
    pub root: Root,
    pub program: Option<PathBuf>,
    pub modules: LnetModules,
    pub limits: Limits,
    /// The stdout of the last good answer.
    pub known: Option<Arc<[u8]>>,
    /// Whether the version is still to be asked.
    pub version: bool,
}

/// What comes back, in this order.
#[derive(Debug)]
pub(super) enum News {
    /// Whether the program was found.
    Found(bool),
    /// The answer to `net show`.
    Answer { result: Result<Nets, LnetFailure>, finished: Instant, took: Duration },
    /// The version.
    Version(Reading<Text>),
}

/// The nets of an answer.
#[derive(Debug)]
pub(super) enum Nets {
    /// The text is the same as before.
    Same,
    /// A new text.
    New { nets: Vec<LnetNet>, stdout: Arc<[u8]> },
}

/// A round under way. It is over when its thread has ended, which includes every child.
#[derive(Debug)]
pub(super) struct Job {
    pub asked: Mono,
    pub began: Instant,
    pub answered: bool,
    news: Receiver<News>,
    next: Option<News>,
    over: bool,
    leash: Arc<Leash>,
}

impl Job {
    /// Starts the thread.
    pub(super) fn start(request: Request, asked: Mono) -> io::Result<Self> {
        let (sender, news) = channel();
        let leash = Arc::new(Leash::default());
        let held = Arc::clone(&leash);
        std::thread::Builder::new()
            .name("lnetctl".into())
            .spawn(move || request.carry_out(&sender, &held))?;
        Ok(Self::over_channel(asked, news, leash))
    }

    pub(super) fn over_channel(asked: Mono, news: Receiver<News>, leash: Arc<Leash>) -> Self {
        let began = Instant::now();
        Self { asked, began, answered: false, news, next: None, over: false, leash }
    }

    /// The next piece of news, if there is one.
    pub(super) fn take(&mut self) -> Option<News> {
        let news = self.next.take().or_else(|| match self.news.try_recv() {
            Ok(news) => Some(news),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => {
                self.over = true;
                None
            }
        });
        self.answered |= matches!(news, Some(News::Answer { .. }));
        news
    }

    /// Waits for news or the end.
    pub(super) fn wait(&mut self, patience: Duration) {
        if self.next.is_none() {
            match self.news.recv_timeout(patience) {
                Ok(news) => self.next = Some(news),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => self.over = true,
            }
        }
    }

    /// Nothing more will come, and no child of it is left.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// A time of this process as a time of the source.
    pub(super) fn time_of(&self, instant: Instant) -> Mono {
        self.asked + instant.saturating_duration_since(self.began)
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        self.leash.close();
    }
}

impl Request {
    fn carry_out(self, news: &Sender<News>, leash: &Leash) {
        // A closed channel: nobody wants to know any more. The child is dealt with all the same.
        let tell = |n: News| drop(news.send(n));
        let began = Instant::now();
        let answer =
            |result| News::Answer { result, finished: Instant::now(), took: began.elapsed() };

        let path = std::env::var_os("PATH");
        let program = self.program.clone().or_else(|| probe::find(&self.root, path.as_deref()));
        tell(News::Found(program.is_some()));
        let Some(program) = program else {
            return tell(answer(Err(LnetFailure::NotInstalled)));
        };
        if self.program.is_none() && self.modules.lnet == Some(false) {
            return tell(answer(Err(LnetFailure::NotLoaded)));
        }
        match run(&program, &["net", "show", "-v", "4"], self.limits, leash) {
            Ok(outcome) => tell(answer(self.judge(&outcome))),
            Err(Stopped { why, left }) => {
                tell(answer(Err(self.failure(&program, &why, left.is_some()))));
                if let Some(child) = left {
                    return outlast(child, leash);
                }
            }
        }
        if self.version {
            match probe::version(&program, &self.root, self.limits, leash) {
                Ok(version) => tell(News::Version(version)),
                Err(Stopped { left, .. }) => {
                    if let Some(child) = left {
                        outlast(child, leash);
                    }
                }
            }
        }
    }

    fn judge(&self, outcome: &Outcome) -> Result<Nets, LnetFailure> {
        let same = self.known.as_deref() == Some(&outcome.stdout);
        if same && outcome.stderr.is_empty() && outcome.end == super::End::Exit(0) {
            return Ok(Nets::Same);
        }
        let nets = classify(&Run {
            modules: &self.modules,
            root: Some(rustix::process::geteuid().is_root()),
            end: Some(outcome.end),
            stdout: &outcome.stdout,
            stderr: &outcome.stderr,
        })?;
        Ok(Nets::New { nets, stdout: outcome.stdout.as_slice().into() })
    }

    fn failure(&self, program: &Path, why: &Stop, left: bool) -> LnetFailure {
        let limits = &self.limits;
        match why {
            Stop::Spawn(e) if e.kind() == ErrorKind::NotFound => LnetFailure::NotInstalled,
            Stop::Spawn(e) => {
                LnetFailure::Failed(format!("cannot run {}: {e}", program.display()).into())
            }
            Stop::TooMuch => {
                let mebibytes = limits.bytes / (1024 * 1024);
                LnetFailure::Failed(format!("printed more than {mebibytes} MiB").into())
            }
            Stop::Deadline if left => {
                let seconds = limits.deadline.as_secs_f32();
                let words = format!("no answer in {seconds} s, and SIGKILL does not end it");
                LnetFailure::Timeout(words.into())
            }
            Stop::Deadline => {
                let seconds = limits.deadline.as_secs_f32();
                LnetFailure::Timeout(format!("no answer in {seconds} s; killed").into())
            }
            Stop::Io(e) => LnetFailure::Failed(format!("its output cannot be read: {e}").into()),
        }
    }
}
