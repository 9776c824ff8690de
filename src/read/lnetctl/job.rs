//! One round of questions on a thread of its own, and how its results come back.

use super::answer::{self, More, Refusal};
use super::child::{Leash, Limits, Outcome, Stop, Stopped, outlast, run};
use super::classify::{Run, classify};
use super::probe;
use super::question::Question;
use super::sudo::{self, Program};
use crate::read::root::Root;
use crate::read::sysfs::fault::Fault;
use crate::sample::{LnetFailure, LnetModules, LnetNet, Mono, Reading, Text, Unknown, Why};
use rustix::io::Errno;
use std::fmt;
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, ErrorKind, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::time::{Duration, Instant};

/// After that long no further question is begun in a round: the next pass wants its nets.
const ROUND: Duration = Duration::from_millis(700);
/// Where the credits of the NIs are, below the root: debugfs; up to 2.10 `/proc/sys`, readable by
/// everyone.
pub const NIS: [&str; 2] = ["sys/kernel/debug/lnet/nis", "proc/sys/lnet/nis"];

/// What a round is to do.
#[derive(Debug)]
pub(super) struct Request {
    pub root: Root,
    pub program: Option<PathBuf>,
    pub sudo: bool,
    pub modules: LnetModules,
    pub limits: Limits,
    /// In this order; the nets, if they are among them, come first.
    pub questions: Vec<Question>,
    /// The texts of the last good answers: the same text is not parsed again.
    pub known: Vec<(Question, Print)>,
    pub keys: RandomState,
    /// Whether the version is still to be asked.
    pub version: bool,
    /// Called after each piece of news.
    pub bell: Option<Ring>,
}

/// Tells another thread that there is news.
#[derive(Clone)]
pub(super) struct Ring(pub Arc<dyn Fn() + Send + Sync>);

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ring")
    }
}

/// What tells one text from another without keeping it: the peers of a server are 13 MB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Print {
    length: usize,
    hash: u64,
}

/// What comes back, in this order; of the middle two a pair per question.
#[derive(Debug)]
pub(super) enum News {
    /// The program, if it was found.
    Found(Option<PathBuf>),
    /// A question is being asked.
    Asking(Question, Instant),
    /// What came of it.
    Answer(Answer),
    /// Its child outlived SIGKILL.
    Left(Option<i32>),
    /// The version.
    Version(Reading<Text>),
}

/// What came of a question.
#[derive(Debug)]
pub(super) struct Answer {
    pub question: Question,
    pub result: Result<Given, Refusal>,
    pub finished: Instant,
    pub took: Duration,
}

/// A good answer.
#[derive(Debug)]
pub(super) enum Given {
    /// The text is the same as before.
    Same,
    /// The nets.
    Nets(Vec<LnetNet>, Print),
    /// All else.
    More(More, Print),
}

/// A round under way. It is over when its thread has ended, which includes every child.
#[derive(Debug)]
pub(super) struct Job {
    pub asked: Mono,
    pub began: Instant,
    /// Something came of it.
    pub answered: bool,
    /// What is being asked, since when.
    pub current: Option<(Question, Instant)>,
    /// A child of it was left behind.
    pub left: bool,
    /// Its pid.
    pub left_pid: Option<i32>,
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
        Self {
            asked,
            began: Instant::now(),
            answered: false,
            current: None,
            left: false,
            left_pid: None,
            news,
            next: None,
            over: false,
            leash,
        }
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
        match &news {
            Some(News::Asking(question, since)) => self.current = Some((*question, *since)),
            Some(News::Answer(_)) => {
                self.answered = true;
                self.current = None;
            }
            Some(News::Left(pid)) => {
                self.left = true;
                self.left_pid = *pid;
            }
            Some(News::Found(_) | News::Version(_)) | None => {}
        }
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

    /// Its child now.
    pub(super) fn pid(&self) -> Option<i32> {
        self.left_pid.or_else(|| self.leash.pid())
    }

    /// When the question that is under way was begun.
    pub(super) fn since(&self) -> Mono {
        match self.current {
            Some((question, since)) if question != Question::Nets => self.time_of(since),
            _ => self.asked,
        }
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

/// The thread's end of the channel.
struct Teller<'a> {
    news: &'a Sender<News>,
    bell: Option<&'a Ring>,
}

impl Teller<'_> {
    fn tell(&self, news: News) {
        // A closed channel: nobody wants to know any more. The child is dealt with all the same.
        drop(self.news.send(news));
        if let Some(Ring(ring)) = self.bell {
            ring();
        }
    }

    fn answer(&self, question: Question, began: Instant, result: Result<Given, Refusal>) -> bool {
        let good = result.is_ok();
        let finished = Instant::now();
        let took = finished.saturating_duration_since(began);
        self.tell(News::Answer(Answer { question, result, finished, took }));
        good
    }
}

impl Request {
    fn carry_out(mut self, news: &Sender<News>, leash: &Leash) {
        let bell = self.bell.take();
        let teller = Teller { news, bell: bell.as_ref() };
        let began = Instant::now();
        let first = self.questions.first().copied().unwrap_or(Question::Nets);
        let refuse = |failure| {
            teller.answer(first, began, Err(Refusal::Failure(failure)));
        };
        let path = std::env::var_os("PATH");
        let found = self.program.clone().or_else(|| probe::find(&self.root, path.as_deref()));
        teller.tell(News::Found(found.clone()));
        let Some(found) = found else { return refuse(LnetFailure::NotInstalled) };
        if self.program.is_none() && self.modules.lnet == Some(false) {
            return refuse(LnetFailure::NotLoaded);
        }
        let wanted = self.sudo && !rustix::process::geteuid().is_root();
        let sudo = if wanted { sudo::find(&self.root, path.as_deref()) } else { None };
        if wanted && sudo.is_none() {
            return refuse(LnetFailure::Denied("--sudo: there is no sudo here".into()));
        }
        let program = Program { path: found, sudo };
        for (count, question) in self.questions.iter().enumerate() {
            if count > 1 && began.elapsed() > ROUND {
                break;
            }
            match self.ask(*question, &program, leash, &teller) {
                // Without the nets nothing else is asked.
                Ok(false) if *question == Question::Nets => break,
                Ok(_) => {}
                Err(()) => return,
            }
        }
        if self.version {
            match probe::version(&program.path, &self.root, self.limits, leash) {
                Ok(version) => teller.tell(News::Version(version)),
                Err(stopped) => stopped.outlast(leash, &teller),
            }
        }
    }

    /// Whether the answer was good; an error if the round is over.
    fn ask(
        &self,
        question: Question,
        program: &Program,
        leash: &Leash,
        teller: &Teller<'_>,
    ) -> Result<bool, ()> {
        let began = Instant::now();
        teller.tell(News::Asking(question, began));
        if question == Question::Credits {
            return Ok(teller.answer(question, began, self.credits()));
        }
        let (what, words) = program.command(question);
        let limits = Limits { bytes: question.bytes(), ..self.limits };
        match run(what, &words, limits, leash) {
            Ok(outcome) => {
                let result = self.judge(question, &outcome, program.sudo.is_some());
                Ok(teller.answer(question, began, result))
            }
            Err(stopped) => {
                let failure = match stopped.failure(&what.display().to_string(), limits) {
                    // Whoever names a program means that one.
                    LnetFailure::NotInstalled if self.program.is_some() => {
                        let path = program.path.display();
                        LnetFailure::CannotRun(format!("cannot run {path}: no such file").into())
                    }
                    failure => failure,
                };
                teller.answer(question, began, Err(Refusal::Failure(failure)));
                if stopped.left.is_some() {
                    stopped.outlast(leash, teller);
                    return Err(());
                }
                // One that does not answer is enough for a round.
                if matches!(stopped.why, Stop::Deadline) { Err(()) } else { Ok(false) }
            }
        }
    }

    fn judge(&self, question: Question, said: &Outcome, sudo: bool) -> Result<Given, Refusal> {
        let print = self.print(&said.stdout);
        let good = said.stderr.is_empty() && said.end == super::End::Exit(0);
        if good && self.known.contains(&(question, print)) {
            return Ok(Given::Same);
        }
        let run = Run {
            modules: &self.modules,
            root: Some(sudo || rustix::process::geteuid().is_root()),
            end: Some(said.end),
            stdout: &said.stdout,
            stderr: &said.stderr,
        };
        match question {
            Question::Nets => {
                classify(&run).map(|nets| Given::Nets(nets, print)).map_err(Refusal::Failure)
            }
            _ => answer::judge(question, &run, true).map(|more| Given::More(more, print)),
        }
    }

    fn credits(&self) -> Result<Given, Refusal> {
        let text = credits(&self.root).map_err(Refusal::Only)?;
        let print = self.print(&text);
        if self.known.contains(&(Question::Credits, print)) {
            return Ok(Given::Same);
        }
        let more = answer::parse(Question::Credits, &text).map_err(Refusal::Only)?;
        Ok(Given::More(more, print))
    }

    fn print(&self, text: &[u8]) -> Print {
        Print { length: text.len(), hash: self.keys.hash_one(text) }
    }
}

/// The table of the NIs' credits, which only root may see from 2.11.
fn credits(root: &Root) -> Result<Vec<u8>, Unknown> {
    let mut why = None;
    for path in NIS {
        let mut text = Vec::new();
        let bytes = Question::Credits.bytes() as u64;
        let read = File::open(root.join(path)).and_then(|f| f.take(bytes).read_to_end(&mut text));
        match read {
            Ok(_) => return Ok(text),
            Err(error) => {
                let errno = Errno::from_io_error(&error).unwrap_or(Errno::IO);
                let unknown = Fault::Errno(errno).unknown(&PathBuf::from("/").join(path));
                if why.as_ref().is_none_or(|w: &Unknown| w.why == Why::Absent) {
                    why = Some(unknown);
                }
            }
        }
    }
    Err(why.unwrap_or_else(|| Unknown::new(Why::Absent, "no table of NIs")))
}

impl Stopped {
    /// Stays with a child that SIGKILL does not end.
    fn outlast(self, leash: &Leash, teller: &Teller<'_>) {
        if let Some(child) = self.left {
            teller.tell(News::Left(i32::try_from(child.id()).ok()));
            outlast(child, leash);
        }
    }

    /// Why there is no answer.
    pub(super) fn failure(&self, program: &str, limits: Limits) -> LnetFailure {
        match &self.why {
            Stop::Spawn(e) if e.kind() == ErrorKind::NotFound => LnetFailure::NotInstalled,
            Stop::Spawn(e) => LnetFailure::CannotRun(format!("cannot run {program}: {e}").into()),
            Stop::TooMuch => {
                let mebibytes = limits.bytes / (1024 * 1024);
                LnetFailure::Failed(format!("printed more than {mebibytes} MiB").into())
            }
            Stop::Deadline => {
                let seconds = limits.deadline.as_secs_f32();
                let end =
                    if self.left.is_some() { ", and SIGKILL does not end it" } else { "; killed" };
                LnetFailure::Timeout(format!("no answer in {seconds} s{end}").into())
            }
            Stop::Io(e) => LnetFailure::Failed(format!("its output cannot be read: {e}").into()),
        }
    }
}
