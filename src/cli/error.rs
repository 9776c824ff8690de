//! What went wrong, in one line.

use crate::sample::Text;
use crate::source::SourceError;
use crate::tui::Refusal;
use std::io;

/// Why the program ends early.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The user asked for something that cannot be.
    #[error("{0}")]
    Usage(Text),
    /// Something failed.
    #[error("{0}")]
    Failed(Text),
    /// Something failed as another program fails at it: with its exit code.
    #[error("{0}")]
    As(Text, u8),
    /// Whoever read stdout went away.
    #[error("nobody reads stdout any more")]
    Pipe,
}

impl Failure {
    /// The exit code.
    pub(super) fn code(&self) -> u8 {
        match self {
            // EX_USAGE of sysexits.h
            Failure::Usage(_) => 64,
            Failure::Failed(_) => 1,
            Failure::As(_, code) => *code,
            Failure::Pipe => 0,
        }
    }
}

impl From<io::Error> for Failure {
    fn from(e: io::Error) -> Self {
        if e.kind() == io::ErrorKind::BrokenPipe {
            return Failure::Pipe;
        }
        Failure::Failed(Text::new(&format!("stdout: {e}")))
    }
}

impl From<SourceError> for Failure {
    fn from(e: SourceError) -> Self {
        let line = Text::new(&one_line(&e.to_string()));
        if matches!(e, SourceError::Capture { .. } | SourceError::NoScenario { .. }) {
            Failure::Usage(line)
        } else {
            Failure::Failed(line)
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(e: anyhow::Error) -> Self {
        if let Some(refusal) = e.downcast_ref::<Refusal>() {
            return Failure::Usage(Text::new(&refusal.to_string()));
        }
        match e.downcast::<io::Error>() {
            Ok(io) => io.into(),
            Err(e) => Failure::Failed(Text::new(&one_line(&format!("{e:#}")))),
        }
    }
}

/// clap's error without its usage block: the cause and its tips, in one line.
pub(super) fn usage_of(e: &clap::Error) -> Failure {
    let text = e.render().to_string();
    let told = text
        .split("\n\nUsage:")
        .next()
        .and_then(|t| t.split("\n\nFor more information").next())
        .unwrap_or_default();
    let told = told.strip_prefix("error: ").unwrap_or(told);
    Failure::Usage(Text::new(&format!("{}; see railtop --help", one_line(told))))
}

/// Joins lines as a sentence would.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for part in text.lines().map(str::trim).filter(|p| !p.is_empty()) {
        if !line.is_empty() {
            line.push_str(if line.ends_with(':') { " " } else { "; " });
        }
        line.push_str(part);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::super::args::Args;
    use super::*;
    use clap::Parser;

    fn told(line: &[&str]) -> String {
        usage_of(&Args::try_parse_from(line).unwrap_err()).to_string()
    }

    #[test]
    fn clap_in_one_line() {
        let typo = told(&["railtop", "--form", "x"]);
        assert!(typo.starts_with("unexpected argument '--form' found; tip: "), "{typo}");
        assert_eq!(
            told(&["railtop", "capture"]),
            "the following required arguments were not provided: <DIR|FILE.tar.zst>; \
             see railtop --help"
        );
        assert_eq!(
            told(&["railtop", "-i", "0"]),
            "invalid value '0' for '--interval <TIME>': must be from 50ms to 1h; \
             see railtop --help"
        );
        assert_eq!(told(&["railtop", "--x\x1b[2J\ny"]).lines().count(), 1);
    }
}
