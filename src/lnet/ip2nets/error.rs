//! Why LNet would not start, in the kernel's own words.

use super::Version;
use std::ops::Range;

/// An error and what the console says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What the parser or the LND returns, without the minus sign: 2, 22, 100, …
    pub errno: i32,
    /// What `lctl network up` and a mount end with, where that differs: a string that matches
    /// nothing (2) is told as "no networks" (22).
    pub start_errno: i32,
    /// Exit code of `lnetctl import`, where that is the one who fails.
    pub exit: Option<u8>,
    /// The lines of the console, without `LNetError:` and without the numbers of old messages.
    pub words: Vec<String>,
    /// The cause, where the console says nothing of it.
    pub cause: Option<String>,
    /// Where in the string, in bytes, if one place is to blame.
    pub at: Option<Range<usize>>,
    /// The kernel divides by zero or follows a null pointer: the node stops.
    pub crash: bool,
}

/// EINVAL.
pub const EINVAL: i32 = 22;
/// ENOENT.
pub const ENOENT: i32 = 2;
/// E2BIG.
pub const E2BIG: i32 = 7;
/// ENOSPC.
pub const ENOSPC: i32 = 28;
/// EEXIST.
pub const EEXIST: i32 = 17;
/// ENETDOWN.
pub const ENETDOWN: i32 = 100;

impl Error {
    /// An error with its lines.
    pub fn new(errno: i32, words: impl IntoIterator<Item = String>) -> Self {
        let words = words.into_iter().collect();
        Self { errno, start_errno: errno, exit: None, words, cause: None, at: None, crash: false }
    }

    /// A failure of `lnetctl import`: its exit code, and what it prints, else the cause.
    pub fn import(errno: i32, exit: u8, words: Option<String>, cause: Option<String>) -> Self {
        Self { exit: Some(exit), cause, ..Self::new(errno, words) }
    }

    /// The kernel stops there.
    pub fn crashing(what: &str, at: Option<Range<usize>>) -> Self {
        Self { crash: true, at, cause: Some(what.to_owned()), ..Self::new(0, []) }
    }

    /// The two lines of `lnet_syntax`: the string, and a line that points into it.
    pub fn syntax(name: &str, text: &[u8], offset: usize, width: usize) -> Self {
        let text = String::from_utf8_lossy(text);
        let dots = ".".repeat(11 + name.len() + 2 + offset);
        let dashes = "-".repeat(width.saturating_sub(1));
        let mut error = Self::new(
            EINVAL,
            [format!("Error parsing '{name}=\"{text}\"'"), format!("here{dots}|{dashes}|")],
        );
        error.at = Some(offset..offset + width);
        error
    }

    /// The same with the cause in words.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The same with one more line.
    #[must_use]
    pub fn and(mut self, line: impl Into<String>) -> Self {
        self.words.push(line.into());
        self
    }

    /// The same with a line before the others.
    #[must_use]
    pub fn after(mut self, line: impl Into<String>) -> Self {
        self.words.insert(0, line.into());
        self
    }

    /// What went wrong, in one line.
    pub fn message(&self) -> &str {
        let first = self.cause.as_ref().or(self.words.first());
        first.map_or_else(|| errno_words(self.errno), String::as_str)
    }
}

/// An errno in words, as the tools of LNet print it.
pub fn errno_words(errno: i32) -> &'static str {
    match errno {
        ENOENT => "No such file or directory",
        E2BIG => "Argument list too long",
        EEXIST => "File exists",
        EINVAL => "Invalid argument",
        ENOSPC => "No space left on device",
        ENETDOWN => "Network is down",
        _ => "error",
    }
}

/// What `lctl network up` prints of an errno: from 2.17 in words of its own.
pub fn configure_words(errno: i32, version: Version) -> &'static str {
    match errno {
        EINVAL if version >= Version::new(2, 16, 50) => "Invalid input data or parameter",
        _ => errno_words(errno),
    }
}
