//! What a finished `lnetctl net show` means: its nets, or why there are none.
//!
//! Exit codes are errno modulo 256 and are not reliable: up to 2.15 `net show` exits 0 when LNet
//! is not loaded, from 2.16 it exits 234 for everything. So the content decides, then stderr,
//! and the exit code only where both are silent.

use super::child::End;
use super::parse::net_show;
use super::tree::first_words;
use crate::sample::{LnetFailure, LnetModules, LnetNet, Text, Unknown};

const EACCES: i32 = 13;
const ENETDOWN: i32 = 100;
/// Only this much of stderr is looked at.
const MAX_WORDS: usize = 16 * 1024;

/// A child that ended, and what is known beside what it printed.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// The kernel modules when it was started.
    pub modules: &'a LnetModules,
    /// Whether it ran as root; `None` where nobody noted it.
    pub root: Option<bool>,
    /// How it ended; `None` where nobody noted it.
    pub end: Option<End>,
    /// All of its stdout.
    pub stdout: &'a [u8],
    /// All of its stderr.
    pub stderr: &'a [u8],
}

/// Judges a run of `net show`.
pub fn classify(run: &Run<'_>) -> Result<Vec<LnetNet>, LnetFailure> {
    weigh(run, net_show(run.stdout), |nets| has_ni(nets))
}

/// Weighs what was understood of stdout against the complaints. `speaks` says that it is more
/// than an empty frame, which some versions print beside an error.
pub(super) fn weigh<T>(
    run: &Run<'_>,
    understood: Result<T, Unknown>,
    speaks: impl Fn(&T) -> bool,
) -> Result<T, LnetFailure> {
    let complaints = Complaints::of(run);
    let sound = !run.crashed() && !complaints.has_error();
    let understood = match understood {
        Ok(answer) if sound && speaks(&answer) => return Ok(answer),
        other => other,
    };
    if let Some(failure) = complaints.known(run) {
        return Err(failure);
    }
    if let Some(signal) = run.signal() {
        let words = format!("lnetctl crashed (signal {signal})");
        return Err(LnetFailure::Failed(words.into()));
    }
    match understood {
        Ok(answer) if !complaints.has_error() => Ok(answer),
        Ok(_) => Err(complaints.failed(run, "")),
        Err(unknown) => Err(complaints.failed(run, &unknown.detail)),
    }
}

fn has_ni(nets: &[LnetNet]) -> bool {
    nets.iter().any(|net| !net.nis.is_empty())
}

impl Run<'_> {
    fn signal(&self) -> Option<i32> {
        match self.end? {
            End::Signal(signal) => Some(signal),
            // A shell between us and it: 128 + 11.
            End::Exit(139) => Some(11),
            End::Exit(_) => None,
        }
    }

    fn crashed(&self) -> bool {
        self.signal().is_some()
    }

    fn exit(&self) -> Option<i32> {
        match self.end? {
            End::Exit(code) => Some(code),
            End::Signal(_) => None,
        }
    }

    /// It had nothing to say, and said so by its exit code; or nobody noted that (a capture made
    /// by hand) where LNet does answer, `is_up`.
    pub(super) fn succeeded_silently(&self, is_up: bool) -> bool {
        let fine = match self.end {
            Some(end) => end == End::Exit(0),
            None => is_up,
        };
        fine && self.silent()
    }

    /// The tool does not know the command: up to 2.15 it prints all that it knows.
    pub(super) fn is_no_command(&self) -> bool {
        let has = |bytes: &[u8], words: &str| {
            bytes
                .get(..MAX_WORDS.min(bytes.len()))
                .unwrap_or_default()
                .windows(words.len())
                .any(|w| w == words.as_bytes())
        };
        matches!(self.exit(), None | Some(1 | 255))
            && !self.crashed()
            && [self.stdout, self.stderr].into_iter().any(|said| {
                has(said, "is not a valid command") || has(said, "Try interactive use without")
            })
    }

    fn silent(&self) -> bool {
        self.stdout.trim_ascii().is_empty() && self.stderr.trim_ascii().is_empty()
    }
}

/// `errno:` and `descr:` of the error documents on both streams, and the other words of stderr.
struct Complaints {
    errors: Vec<(i32, String)>,
    words: String,
}

impl Complaints {
    fn of(run: &Run<'_>) -> Self {
        let stderr = String::from_utf8_lossy(run.stderr.get(..MAX_WORDS).unwrap_or(run.stderr));
        let mut found = Self { errors: Vec::new(), words: String::new() };
        found.read(&stderr, true);
        found.read(&String::from_utf8_lossy(run.stdout), false);
        found.errors.retain(|(errno, _)| *errno != 0);
        found
    }

    /// Line by line, so that it also works for text that is not quite YAML. 4-space cYAML,
    /// 6-space libyaml with `! "…"`: both keys stand on lines of their own.
    fn read(&mut self, text: &str, keep_words: bool) {
        for line in text.lines().map(|l| l.trim_start_matches(['-', ' ', '\t']).trim_end()) {
            if let Some(errno) = line.strip_prefix("errno:") {
                if let Ok(errno) = errno.trim().parse() {
                    self.errors.push((errno, String::new()));
                }
            } else if let Some(descr) = line.strip_prefix("descr:") {
                let descr = descr.trim().trim_start_matches('!').trim().trim_matches('"');
                if let Some((_, words)) = self.errors.last_mut() {
                    descr.clone_into(words);
                }
            } else if keep_words && !line.ends_with(':') && line != "..." {
                self.words.push_str(line);
                self.words.push('\n');
            }
        }
    }

    fn has_error(&self) -> bool {
        !self.errors.is_empty()
    }

    fn errno(&self, errno: i32) -> bool {
        self.errors.iter().any(|(e, _)| e.checked_abs() == Some(errno))
    }

    fn says(&self, needle: &str) -> bool {
        self.words.contains(needle) || self.errors.iter().any(|(_, d)| d.contains(needle))
    }

    /// The situations that have a name.
    fn known(&self, run: &Run<'_>) -> Option<LnetFailure> {
        let loaded = run.modules.lnet == Some(true);
        if matches!(run.exit(), Some(126 | 127)) && !self.has_error() && self.says("lnetctl") {
            // A shell that could not start it.
            return Some(if run.exit() == Some(127) {
                LnetFailure::NotInstalled
            } else {
                LnetFailure::Failed(first_words(&self.words).into())
            });
        }
        // sudo(8) speaks before lnetctl does.
        if self.words.lines().any(|l| l.starts_with("sudo: ") || l.starts_with("Sorry, user ")) {
            let words = format!("sudo did not allow it: {}", first_words(&self.words));
            return Some(LnetFailure::Denied(words.into()));
        }
        // First of all: the hint below is printed for a mere lack of permission, too. errno −1
        // alone is also a net name that could not be parsed.
        if self.errno(EACCES) || self.says("Permission denied") {
            return Some(denied("Permission denied", run.root));
        }
        if self.says("Operation not permitted") {
            return Some(denied("Operation not permitted", run.root));
        }
        // 2.16: "Unspecific failure"; before: "cannot get networks: Network is down".
        if self.errno(ENETDOWN) || self.says("Network is down") {
            return Some(LnetFailure::NotConfigured);
        }
        if self.says("failed to resolve Netlink family id") {
            // No module, or the module of an older release below a tool of 2.16 or later.
            return Some(not_loaded_unless(
                loaded,
                "the loaded lnet module does not know the netlink family of this lnetctl: \
                 failed to resolve Netlink family id",
            ));
        }
        if self.says("opening /dev/lnet failed") || self.says("kernel modules may not be loaded") {
            return Some(not_loaded_unless(
                loaded,
                "the lnet module is loaded, but /dev/lnet cannot be opened",
            ));
        }
        if run.silent() && !run.crashed() {
            return Some(silence(run));
        }
        None
    }

    /// A failure without a name: the tool's own words, else ours.
    fn failed(&self, run: &Run<'_>, ours: &str) -> LnetFailure {
        let words = match self.errors.first() {
            Some((errno, descr)) if descr.is_empty() => format!("errno {errno}"),
            Some((errno, descr)) => format!("{} (errno {errno})", first_words(descr)),
            None if self.words.trim().is_empty() => first_words(ours),
            None => first_words(&self.words),
        };
        LnetFailure::Failed(match run.exit() {
            Some(code) if code != 0 => format!("exit {code}: {words}").into(),
            _ => Text::from(words),
        })
    }
}

/// Nothing on either stream.
fn silence(run: &Run<'_>) -> LnetFailure {
    if run.modules.lnet == Some(false) {
        return LnetFailure::NotLoaded;
    }
    // (−errno) & 0xff of EACCES and EINVAL: what the other commands exit with when not root.
    if run.root == Some(false) && matches!(run.exit(), Some(243 | 234)) {
        return denied("no words, only its exit code", run.root);
    }
    let code = run.exit().map_or(String::new(), |code| format!(" (exit {code})"));
    LnetFailure::Failed(format!("lnetctl printed nothing{code}").into())
}

fn not_loaded_unless(loaded: bool, words: &str) -> LnetFailure {
    if loaded { LnetFailure::Failed(words.into()) } else { LnetFailure::NotLoaded }
}

/// `/dev/lnet` is 0600 and its ioctls want CAP_SYS_ADMIN (libcfs `libcfs_psdev_ioctl`); from 2.16
/// the netlink dump wants CAP_NET_ADMIN (`lnet_genl_ops`): root without them is denied as well.
fn denied(said: &str, root: Option<bool>) -> LnetFailure {
    let mend = if root == Some(true) {
        "root without CAP_NET_ADMIN and CAP_SYS_ADMIN (a container?); with them \
         `lnetctl net show -v 4` adds"
    } else {
        "only root may ask; as root `lnetctl net show -v 4` adds"
    };
    let gain = "LNet's nets and NIs, their status, health, credits and message counters";
    LnetFailure::Denied(format!("{said}: {mend} {gain}").into())
}

#[cfg(test)]
mod tests;
