//! The screen: terminal guard, event loop, views. A function of (node, assessment, view state).
//!
//! ```text
//!  source ─► feed (thread, one slot) ─┐
//!  keys (thread, poll) ───────────────┼─► events ─► App ─► view ─► terminal, once per change
//!  signals ───────────────────────────┘
//! ```
//!
//! Nothing here wakes up by itself: a frame is drawn because a sample, a key or a signal came.

mod app;
mod events;
mod feed;
mod format;
mod glyphs;
mod input;
mod keys;
mod nids;
mod paths;
mod session;
mod state;
mod terminal;
mod theme;
mod view;

pub use app::{App, Outcome};
pub use state::Look;
pub use theme::ColorLevel;

use crate::node::Settings;
use crate::source::Source;
use anyhow::Context;
use std::io;

/// The keys and what they do, for a manual.
pub fn keys() -> impl Iterator<Item = (&'static str, &'static str)> {
    keys::TABLE.iter().map(|binding| (binding.label, binding.help))
}

/// What the user chose for the screen.
#[derive(Debug, Default)]
pub struct Options {
    /// `--ascii`.
    pub ascii: bool,
    /// `--bits`.
    pub bits: bool,
    /// `theme` of the configuration.
    pub theme: crate::config::Theme,
    /// `--log`.
    pub log: Option<crate::report::event_log::EventLog>,
}

/// Why there is no dashboard here. A usage error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Standard output goes to a file or a pipe.
    #[error(
        "standard output is not a terminal: use `railtop check` for a report, \
         `railtop stream` for a line per sample"
    )]
    NotATerminal,
    /// `TERM` is `dumb` or not set.
    #[error(
        "this terminal cannot show a dashboard (TERM={0}): use `railtop check` or `railtop stream`"
    )]
    DumbTerminal(&'static str),
}

impl Refusal {
    /// The exit code of usage errors (EX_USAGE of sysexits.h).
    pub const EXIT_CODE: u8 = 64;
}

/// Can the dashboard run here?
pub fn usable() -> Result<(), Refusal> {
    if !rustix::termios::isatty(io::stdout()) {
        return Err(Refusal::NotATerminal);
    }
    match std::env::var_os("TERM") {
        None => Err(Refusal::DumbTerminal("")),
        Some(term) if term.is_empty() => Err(Refusal::DumbTerminal("")),
        Some(term) if term == "dumb" => Err(Refusal::DumbTerminal("dumb")),
        Some(_) => Ok(()),
    }
}

/// Runs the dashboard until the user quits; returns the exit code: 0 for `q`, 128 + n for a
/// signal. A terminal that cannot show it is a [`Refusal`].
pub fn run(
    source: Box<dyn Source>,
    settings: Settings,
    mut options: Options,
) -> anyhow::Result<u8> {
    usable()?;
    let look = Look::from_env(&options);
    let mut app = App::new(look, settings, source.kind(), &source.label(), source.pace());
    if let Some(log) = options.log.take() {
        app.log_events(log);
    }
    let keys = input::listen().context("cannot read keys: no terminal to read them from")?;
    let mailbox = feed::start(source).context("cannot start the reader thread")?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the event loop")?;
    let result = runtime.block_on(async {
        // Before the terminal is taken: from here on every signal leads past its guard.
        let signals = events::Signals::listen()?;
        let mut screen = terminal::Screen::take()?;
        events::Events::new(&mut app, &mut screen, keys, &mailbox).run(signals).await
    });
    mailbox.close();
    // Whoever hung up reads no more.
    if result.as_ref().is_ok_and(|code| *code != 128 + 1)
        && let Some(words) = app.farewell()
    {
        let _ = io::Write::write_all(&mut io::stdout().lock(), words.as_bytes());
    }
    result.context("the terminal failed")
}
