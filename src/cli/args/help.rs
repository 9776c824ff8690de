//! The help of a command: without the options that mean nothing to it.

use super::Args;
use clap::{Arg, Command, CommandFactory, FromArgMatches};
use std::ffi::OsString;

/// Options of all commands that a command does not use; they are accepted all the same.
const UNUSED: &[(&str, &[&str])] = &[
    ("check", &["log", "ascii", "bits"]),
    ("fix", &["log", "ascii", "bits"]),
    ("path", &["asked_interval", "log", "ascii", "bits"]),
    ("why", &["log", "ascii", "bits"]),
    ("expect", &["log", "ascii", "bits"]),
    ("run", &["from", "log", "ascii"]),
    ("stream", &["ascii"]),
    ("ibstat", &["asked_interval", "rail", "exclude", "lnetctl", "sudo", "log", "ascii", "bits"]),
    ("ip2nets", &["asked_interval", "rail", "exclude", "sudo", "log", "ascii", "bits"]),
    ("capture", &["from", "demo", "rail", "exclude", "log", "ascii", "bits"]),
    (
        "explain",
        &[
            "from",
            "demo",
            "asked_interval",
            "rail",
            "exclude",
            "lnetctl",
            "sudo",
            "log",
            "root",
            "ascii",
            "bits",
        ],
    ),
];

/// The whole definition.
pub(in super::super) fn command() -> Command {
    let mut whole = Args::command();
    // Options of all commands reach the commands when the definition is built.
    whole.build();
    for (name, unused) in UNUSED {
        let hide = |arg: Arg| {
            let hidden = unused.contains(&arg.get_id().as_str());
            if hidden { arg.hide(true) } else { arg }
        };
        whole = whole.mut_subcommand(name, |command| command.mut_args(hide));
    }
    whole
}

/// Understands a command line.
pub(in super::super) fn parse(args: Vec<OsString>) -> Result<Args, clap::Error> {
    let mut whole = command();
    let matches = whole.try_get_matches_from_mut(args)?;
    Args::from_arg_matches(&matches).map_err(|e| e.format(&mut whole))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn what_is_hidden_is_there_and_still_accepted() {
        let whole = command();
        for (name, unused) in UNUSED {
            let command = whole.find_subcommand(name).unwrap();
            let ids: BTreeSet<_> = command.get_arguments().map(|a| a.get_id().as_str()).collect();
            assert!(unused.iter().all(|id| ids.contains(id)), "{name}: {ids:?}");
        }
        let words = ["railtop", "explain", "--bits", "PORT_DOWN"].map(OsString::from);
        assert!(parse(words.to_vec()).unwrap().global.bits);
        let help = ["railtop", "explain", "--help"].map(OsString::from);
        let text = parse(help.to_vec()).unwrap_err().render().to_string();
        assert!(text.contains("--config") && !text.contains("--interval"), "{text}");
    }

    #[test]
    fn the_scenarios_are_in_the_help() {
        let whole = command();
        let demo = whole.get_arguments().find(|a| a.get_id() == "demo").unwrap();
        let told = demo.get_help().unwrap().to_string();
        for (name, _) in crate::source::demo::scenarios() {
            assert!(told.contains(name), "{name}: {told}");
        }
    }
}
