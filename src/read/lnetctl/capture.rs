//! The same judgement for a captured answer.

use super::answer::{self, More};
use super::child::End;
use super::classify::{Run, classify};
use super::question::Question;
use super::tree::first_words;
use super::{nothing, probe};
use crate::read::root::Root;
use crate::sample::{Lnet, LnetAnswer, LnetFailure, LnetModules, Mono, Unknown, Why};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

/// LNet as a capture directory tells it: `lnetctl-net-show.yaml` and its like, beside each
/// `.error` with the exit code and stderr, `lnet-debugfs-nis.txt`, `lnetctl-version.txt`, the uid
/// of `meta.json`, and the `sys/module` of `root`. What `dir` does not have is looked for in
/// `top`. No captured nets are [`LnetFailure::Pending`], unless the modules tell more. The times
/// are zero: when it was asked is for the caller to say.
pub fn from_capture(dir: &Path, top: &Path, root: &Root) -> Lnet {
    let modules = probe::modules(root);
    let uid = uid(dir).or_else(|| uid(top));
    let captured = Captured { dir, top, modules: &modules, root: uid.map(|uid| uid == 0) };
    let answer = match captured.said(Question::Nets) {
        None if modules.lnet == Some(false) => Err(LnetFailure::NotLoaded),
        None => Err(LnetFailure::Pending),
        Some(said) => captured.judge_nets(&said),
    };
    let mut lnet = Lnet { version: captured.version(root), ..nothing() };
    for question in Question::ALL.into_iter().filter(|q| *q != Question::Nets) {
        let why = match (captured.more(question, answer.is_ok()), &answer) {
            (Some(Ok(more)), Ok(_)) => {
                answer::put(&mut lnet.more, more, Mono(0));
                continue;
            }
            (_, Err(failure)) if *failure != LnetFailure::Pending => answer::unknown(failure),
            (Some(Err(why)), _) => why,
            _ => Unknown::new(Why::Absent, format!("the capture has no {}", question.file())),
        };
        if let Some(place) = answer::place(&mut lnet.more, question) {
            place.fail(why);
        }
    }
    lnet.answer = answer.map(|nets| LnetAnswer { at: Mono(0), took: Duration::ZERO, nets });
    Lnet { modules, ..lnet }
}

struct Captured<'a> {
    dir: &'a Path,
    top: &'a Path,
    modules: &'a LnetModules,
    root: Option<bool>,
}

/// What lies in a capture of one question.
struct Said {
    stdout: Vec<u8>,
    /// What it said on stderr, with its exit code, or why it said nothing.
    error: Option<String>,
}

impl Captured<'_> {
    /// The files of one question, which belong together.
    fn said(&self, question: Question) -> Option<Said> {
        let name = question.file();
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        [self.dir, self.top].into_iter().find_map(|dir| {
            let stdout = read(&dir.join(name), question);
            let error = [format!("{name}.error"), format!("{stem}.error")]
                .iter()
                .find_map(|file| read(&dir.join(file), question))
                .map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            (stdout.is_some() || error.is_some())
                .then(|| Said { stdout: stdout.unwrap_or_default(), error })
        })
    }

    fn run<'s>(&'s self, said: &'s Said) -> Result<Run<'s>, LnetFailure> {
        let (end, stderr) = exit_and_stderr(said.error.as_deref().unwrap_or_default());
        if end.is_none() && said.stdout.is_empty() {
            let words = first_words(stderr);
            if words.starts_with("timeout") {
                return Err(LnetFailure::Timeout(words.into()));
            }
            // The words of Rust for a program that could not be started.
            if words.contains("(os error 2)") {
                return Err(LnetFailure::NotInstalled);
            }
            if words.contains("(os error ") {
                return Err(LnetFailure::CannotRun(words.into()));
            }
        }
        let (root, stdout) = (self.root, &said.stdout);
        Ok(Run { modules: self.modules, root, end, stdout, stderr: stderr.as_bytes() })
    }

    fn judge_nets(&self, said: &Said) -> Result<Vec<crate::sample::LnetNet>, LnetFailure> {
        classify(&self.run(said)?)
    }

    fn more(&self, question: Question, is_up: bool) -> Option<Result<More, Unknown>> {
        let said = self.said(question)?;
        Some(match (question, &said.error) {
            (Question::Credits, Some(words)) if said.stdout.is_empty() => {
                let denied = words.contains("EACCES") || words.contains("ermission denied");
                let why = if denied { Why::Denied } else { Why::Absent };
                Err(Unknown::new(why, first_words(words)))
            }
            (Question::Credits, _) => answer::parse(question, &said.stdout),
            _ => self.run(&said).map_err(|failure| answer::unknown(&failure)).and_then(|run| {
                answer::judge(question, &run, is_up).map_err(|refusal| refusal.unknown())
            }),
        })
    }

    fn version(&self, root: &Root) -> crate::sample::Reading<crate::sample::Text> {
        [self.dir, self.top]
            .into_iter()
            .filter_map(|dir| read(&dir.join("lnetctl-version.txt"), Question::Nets))
            .find_map(|text| probe::printed_version(&text))
            .map_or_else(|| probe::version_file(root), Ok)
    }
}

/// The exit code, if the first line is one (`156`, `exit status: 156`, `exit=156`,
/// `signal: 11 (SIGSEGV)`), and what follows.
fn exit_and_stderr(error: &str) -> (Option<End>, &str) {
    let (first, rest) = error.split_once('\n').unwrap_or((error, ""));
    let line = first.trim().to_ascii_lowercase();
    let code = line.trim_start_matches(|c: char| !c.is_ascii_digit());
    let label = line[..line.len() - code.len()].trim_end_matches([' ', ':', '=', '\t']);
    let digits = code.find(|c: char| !c.is_ascii_digit()).map_or(code, |end| &code[..end]);
    let known = matches!(
        label,
        "" | "exit" | "exit code" | "exit_code" | "exit status" | "exitcode" | "rc" | "status"
    );
    match digits.parse() {
        Ok(code) if known && line.ends_with(digits) => (Some(End::Exit(code)), rest),
        Ok(signal) if label == "signal" => (Some(End::Signal(signal)), rest),
        _ => (None, error),
    }
}

fn uid(dir: &Path) -> Option<u64> {
    let text = read(&dir.join("meta.json"), Question::Nets)?;
    let meta: serde_json::Value = serde_json::from_slice(&text).ok()?;
    meta.get("uid")?.as_u64()
}

/// A file that may be padded with NULs (tar of sysfs), no longer than an answer may be.
fn read(path: &Path, question: Question) -> Option<Vec<u8>> {
    let file = File::open(path).ok()?;
    let mut bytes = Vec::new();
    file.take(question.bytes() as u64).read_to_end(&mut bytes).ok()?;
    let end = bytes.iter().rposition(|b| *b != 0).map_or(0, |last| last + 1);
    bytes.truncate(end);
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{create_dir_all, write};

    #[test]
    fn first_lines_of_error_files() {
        let parse = |s| exit_and_stderr(s);
        assert_eq!(parse("156\nshow:\n"), (Some(End::Exit(156)), "show:\n"));
        assert_eq!(parse("exit status: 243\nopening\n"), (Some(End::Exit(243)), "opening\n"));
        assert_eq!(parse("exit=0"), (Some(End::Exit(0)), ""));
        assert_eq!(parse("signal: 11 (SIGSEGV) (core dumped)\n"), (Some(End::Signal(11)), ""));
        assert_eq!(parse("opening /dev/lnet failed\n").0, None);
        assert_eq!(parse("2 errors\n").0, None);
        assert_eq!(parse("").0, None);
    }

    #[test]
    fn a_capture_is_judged_like_a_run() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::new(dir.path());
        let answer = || from_capture(dir.path(), dir.path(), &root).answer;
        assert_eq!(answer(), Err(LnetFailure::Pending));

        create_dir_all(dir.path().join("sys/module/ksocklnd")).unwrap();
        assert_eq!(answer(), Err(LnetFailure::NotLoaded));

        create_dir_all(dir.path().join("sys/module/lnet")).unwrap();
        assert_eq!(answer(), Err(LnetFailure::Pending));

        let error = dir.path().join("lnetctl-net-show.yaml.error");
        write(&error, "exit status: 156\nshow:\n    - net:\n          errno: -100\n").unwrap();
        assert_eq!(answer(), Err(LnetFailure::NotConfigured));
        write(&error, "timeout: no answer in 5 s\n").unwrap();
        assert_eq!(answer(), Err(LnetFailure::Timeout("timeout: no answer in 5 s".into())));
        write(&error, "/x/lnetctl: No such file or directory (os error 2)\n").unwrap();
        assert_eq!(answer(), Err(LnetFailure::NotInstalled));
        write(&error, "/x/lnetctl: Permission denied (os error 13)\n").unwrap();
        assert!(matches!(answer(), Err(LnetFailure::CannotRun(_))));
        write(&error, "243\nopening /dev/lnet failed: Permission denied\n").unwrap();
        write(dir.path().join("meta.json"), "{\"uid\": 0}").unwrap();
        assert!(matches!(answer(), Err(LnetFailure::Denied(w)) if w.contains("CAP_SYS_ADMIN")));

        std::fs::remove_file(&error).unwrap();
        write(
            dir.path().join(Question::Nets.file()),
            "net:\n    - nid: 10.0.0.1@tcp\n      status: up\n\0\0\0",
        )
        .unwrap();
        write(dir.path().join("lnetctl-version.txt"), "lnetctl 2.16.1\n").unwrap();
        let lnet = from_capture(dir.path(), dir.path(), &root);
        assert_eq!(lnet.version.unwrap(), "2.16.1");
        assert_eq!(lnet.answer.unwrap().nets[0].nis[0].nid, "10.0.0.1@tcp");
    }
}
