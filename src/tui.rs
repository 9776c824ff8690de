//! The screen: terminal guard, event loop, views. A function of (node, assessment, view state).

use crate::node::Settings;
use crate::source::Source;

/// What the user chose for the screen.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `--ascii`.
    pub ascii: bool,
    /// `--bits`.
    pub bits: bool,
}

/// Runs the dashboard until the user quits; returns the exit code.
pub fn run(source: Box<dyn Source>, settings: Settings, options: Options) -> anyhow::Result<u8> {
    let _ = (source, settings, options);
    Ok(0)
}
