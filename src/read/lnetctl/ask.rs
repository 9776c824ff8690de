//! Asking by hand, one question after the other: for captures.

use super::LIMITS;
use super::child::{End, Leash, Limits, Stopped, run};
use super::probe;
use super::question::Question;
use super::sudo::{self, Program};
use crate::read::root::Root;
use std::path::PathBuf;
use std::process::Child;
use std::sync::Arc;

/// Asks lnetctl, raw. Never a second child beside one that does not end.
#[derive(Debug)]
pub struct Asker {
    program: Program,
    leash: Arc<Leash>,
    left: Option<Child>,
}

/// All that a child said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Its stdout.
    pub stdout: Vec<u8>,
    /// `exit status: N` and its stderr, or why there is no answer; `None` where it ended well.
    pub error: Option<String>,
}

impl Asker {
    /// The program at its usual places, unless one is given; `None` where there is none.
    pub fn find(root: &Root, given: Option<PathBuf>, sudo: bool) -> Option<Self> {
        let dirs = std::env::var_os("PATH");
        let path = given.or_else(|| probe::find(root, dirs.as_deref()))?;
        let wanted = sudo && !rustix::process::geteuid().is_root();
        let sudo = wanted.then(|| sudo::find(root, dirs.as_deref())).flatten();
        Some(Self { program: Program { path, sudo }, leash: Arc::default(), left: None })
    }

    /// Asks a question; at most 6 s.
    pub fn ask(&mut self, question: Question) -> Said {
        let (what, words) = self.program.command(question);
        let limits = Limits { bytes: question.bytes(), ..LIMITS };
        let what = what.to_owned();
        let words: Vec<_> = words.into_iter().map(ToOwned::to_owned).collect();
        self.run(&what, &words, limits)
    }

    /// `lnetctl --version`.
    pub fn version(&mut self) -> Said {
        let path = self.program.path.clone();
        self.run(&path, &["--version"], LIMITS)
    }

    fn run(
        &mut self,
        what: &std::path::Path,
        words: &[impl AsRef<std::ffi::OsStr>],
        limits: Limits,
    ) -> Said {
        if let Some(child) = &mut self.left
            && !matches!(child.try_wait(), Ok(Some(_)))
        {
            let words = format!("timeout: not asked, because pid {} does not end\n", child.id());
            return Said { error: Some(words), ..Said::default() };
        }
        self.left = None;
        match run(what, words, limits, &self.leash) {
            Ok(said) => {
                let fine = said.end == End::Exit(0) && said.stderr.is_empty();
                let error = || format!("{}\n{}", said.end, String::from_utf8_lossy(&said.stderr));
                Said { error: (!fine).then(error), stdout: said.stdout }
            }
            Err(stopped) => {
                let words = words_of(&stopped, what, limits);
                self.left = stopped.left;
                Said { error: Some(words), ..Said::default() }
            }
        }
    }
}

fn words_of(stopped: &Stopped, what: &std::path::Path, limits: Limits) -> String {
    use super::child::Stop;
    match &stopped.why {
        Stop::Deadline => format!("timeout: no answer in {} s\n", limits.deadline.as_secs()),
        Stop::Spawn(e) | Stop::Io(e) => format!("{}: {e}\n", what.display()),
        Stop::TooMuch => format!("it printed more than {} bytes\n", limits.bytes),
    }
}
