//! The same judgement for a captured answer.

use super::child::End;
use super::classify::{Run, classify};
use super::tree::first_words;
use super::{LIMITS, nothing, probe};
use crate::read::root::Root;
use crate::sample::{Lnet, LnetAnswer, LnetFailure, LnetModules, LnetNet, Mono};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

const ANSWER: &str = "lnetctl-net-show.yaml";
const ERRORS: [&str; 2] = ["lnetctl-net-show.yaml.error", "lnetctl-net-show.error"];

/// LNet as a capture directory tells it: `lnetctl-net-show.yaml`, beside it `.error` with the
/// exit code and stderr, `lnetctl-version.txt`, the uid of `meta.json`, and the `sys/module` of
/// `root`. Nothing captured is [`LnetFailure::Pending`], unless the modules tell more. The times
/// are zero: when it was asked is for the caller to say.
pub fn from_capture(dir: &Path, root: &Root) -> Lnet {
    let modules = probe::modules(root);
    let stdout = read(&dir.join(ANSWER));
    let error = ERRORS.iter().find_map(|name| read(&dir.join(name)));
    let answer = match (&stdout, &error) {
        (None, None) if modules.lnet == Some(false) => Err(LnetFailure::NotLoaded),
        (None, None) => Err(LnetFailure::Pending),
        _ => {
            let stdout = stdout.as_deref().unwrap_or_default();
            judge(dir, &modules, stdout, error.as_deref())
        }
    };
    let version = read(&dir.join("lnetctl-version.txt"))
        .and_then(|text| probe::printed_version(&text))
        .map_or_else(|| probe::version_file(root), Ok);
    Lnet {
        modules,
        version,
        answer: answer.map(|nets| LnetAnswer { at: Mono(0), took: Duration::ZERO, nets }),
        ..nothing()
    }
}

fn judge(
    dir: &Path,
    modules: &LnetModules,
    stdout: &[u8],
    error: Option<&[u8]>,
) -> Result<Vec<LnetNet>, LnetFailure> {
    let error = error.map(String::from_utf8_lossy).unwrap_or_default();
    let (end, stderr) = exit_and_stderr(&error);
    if end.is_none() && stdout.is_empty() {
        let words = first_words(stderr);
        if words.starts_with("timeout") {
            return Err(LnetFailure::Timeout(words.into()));
        }
        // The words of Rust for a program that could not be started.
        if words.contains("(os error 2)") {
            return Err(LnetFailure::NotInstalled);
        }
        if words.contains("(os error ") {
            return Err(LnetFailure::Failed(words.into()));
        }
    }
    let root = uid(dir).map(|uid| uid == 0);
    classify(&Run { modules, root, end, stdout, stderr: stderr.as_bytes() })
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
    let meta: serde_json::Value = serde_json::from_slice(&read(&dir.join("meta.json"))?).ok()?;
    meta.get("uid")?.as_u64()
}

/// A file that may be padded with NULs (tar of sysfs), no longer than an answer may be.
fn read(path: &Path) -> Option<Vec<u8>> {
    let file = File::open(path).ok()?;
    let mut bytes = Vec::new();
    file.take(LIMITS.bytes as u64).read_to_end(&mut bytes).ok()?;
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
        let answer = || from_capture(dir.path(), &root).answer;
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
        assert!(matches!(answer(), Err(LnetFailure::Failed(_))));
        write(&error, "243\nopening /dev/lnet failed: Permission denied\n").unwrap();
        write(dir.path().join("meta.json"), "{\"uid\": 0}").unwrap();
        assert!(matches!(answer(), Err(LnetFailure::Denied(w)) if w.contains("CAP_SYS_ADMIN")));

        std::fs::remove_file(&error).unwrap();
        write(dir.path().join(ANSWER), "net:\n    - nid: 10.0.0.1@tcp\n      status: up\n\0\0\0")
            .unwrap();
        write(dir.path().join("lnetctl-version.txt"), "lnetctl 2.16.1\n").unwrap();
        let lnet = from_capture(dir.path(), &root);
        assert_eq!(lnet.version.unwrap(), "2.16.1");
        assert_eq!(lnet.answer.unwrap().nets[0].nis[0].nid, "10.0.0.1@tcp");
    }
}
