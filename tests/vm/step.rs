//! What a guest can be asked to do, as lines of a steps file and as messages to its agent.

use serde::{Deserialize, Serialize};
use std::fmt;

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// Size of the terminal, for the next start and for what runs.
    Size { cols: u16, rows: u16 },
    /// Runs a shell command on the terminal; what ran there before is ended.
    Start { command: String },
    /// Ends what runs on the terminal; answers with the last screen and the exit code.
    Stop,
    /// Waits for the end of what runs on the terminal.
    Exit { seconds: f64 },
    /// Types keys: words like Enter or Up, anything else as it stands.
    Keys { keys: String },
    /// Waits until a row of the screen shows the text.
    Wait { seconds: f64, text: Pattern },
    /// Waits until no row shows the text.
    Gone { seconds: f64, text: Pattern },
    /// The time from the beginning of the shell command until a row shows the text.
    Time { seconds: f64, text: Pattern, command: String },
    /// The screen as text.
    Shot,
    /// Runs a shell command beside the terminal; answers with what it printed.
    Sh { command: String },
    /// The same as an ordinary user.
    User { command: String },
    /// Does nothing for a while.
    Sleep { seconds: f64 },
}

/// Words that must stand in one row in this order, separated by `*` in text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Pattern(pub(crate) String);

impl Pattern {
    /// Whether a row of the screen shows it.
    pub(crate) fn on(&self, screen: &str) -> bool {
        screen.lines().any(|row| self.in_row(row))
    }

    fn in_row(&self, row: &str) -> bool {
        let mut rest = row;
        self.0.split('*').map(str::trim).all(|word| match rest.find(word) {
            Some(at) => {
                rest = &rest[at + word.len()..];
                true
            }
            None => false,
        })
    }
}

impl From<&str> for Pattern {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What came of a step.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Reply {
    /// The step did what it was asked; a shell command's exit code does not matter here.
    pub(crate) ok: bool,
    /// The screen, the output, or why it is not ok.
    pub(crate) text: String,
    /// Exit code of a command.
    pub(crate) code: Option<i32>,
    /// How long it took, by the guest's clock.
    pub(crate) seconds: f64,
}

const SECONDS: f64 = 20.0;

/// The step of one line of a steps file; none for an empty line or a comment.
pub(crate) fn parse(line: &str) -> Result<Option<Step>, String> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    let text = || Pattern::from(timed(rest).1);
    let seconds = timed(rest).0;
    Ok(Some(match word {
        "size" => {
            let (cols, rows) = rest.split_once('x').ok_or("size wants COLSxROWS")?;
            let number = |n: &str| n.parse().map_err(|_| format!("no size: {rest}"));
            Step::Size { cols: number(cols)?, rows: number(rows)? }
        }
        "start" => Step::Start { command: rest.to_owned() },
        "stop" => Step::Stop,
        "exit" => Step::Exit { seconds },
        "keys" => Step::Keys { keys: rest.to_owned() },
        "wait" => Step::Wait { seconds, text: text() },
        "gone" => Step::Gone { seconds, text: text() },
        "time" => {
            let (text, command) =
                timed(rest).1.split_once("<-").ok_or("time wants TEXT <- COMMAND")?;
            let text = Pattern::from(text.trim());
            Step::Time { seconds, text, command: command.trim().to_owned() }
        }
        "shot" => Step::Shot,
        "sh" => Step::Sh { command: rest.to_owned() },
        "user" => Step::User { command: rest.to_owned() },
        "sleep" => Step::Sleep { seconds },
        _ => return Err(format!("no such step: {word}")),
    }))
}

/// `5 text` gives 5 and the text, `text` alone the usual patience.
fn timed(rest: &str) -> (f64, &str) {
    let (first, more) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    first.parse().map_or((SECONDS, rest), |seconds| (seconds, more.trim()))
}

/// The bytes of keys: named ones, else the text itself.
pub(crate) fn keys(words: &str) -> String {
    words
        .split_whitespace()
        .map(|word| match word {
            "Enter" => "\r",
            "Esc" => "\x1b",
            "Tab" => "\t",
            "Space" => " ",
            "Up" => "\x1b[A",
            "Down" => "\x1b[B",
            "Right" => "\x1b[C",
            "Left" => "\x1b[D",
            "PageUp" => "\x1b[5~",
            "PageDown" => "\x1b[6~",
            "Home" => "\x1b[H",
            "End" => "\x1b[F",
            "C-c" => "\x03",
            other => other,
        })
        .collect()
}
