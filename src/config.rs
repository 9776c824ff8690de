//! The configuration file: what a site or a user decided once.
//!
//! TOML. `/etc/railtop/config.toml` is the site's, `$XDG_CONFIG_HOME/railtop/config.toml` (else
//! `~/.config/railtop/config.toml`) the user's; a key of the user's file replaces the site's, an
//! option of the command line replaces both. A key that is not known is an error with its line: a
//! typo must not look like a decision.

mod show;

pub use show::effective;

use crate::check;
use crate::node::{ConfiguredGroup, ConfiguredName, Policy, Thresholds};
use crate::pattern;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// All keys.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Time between samples: `"500ms"`, `"2s"`.
    #[serde(deserialize_with = "interval")]
    pub interval: Option<Duration>,
    /// Globs of the only rails to show.
    #[serde(deserialize_with = "globs")]
    pub rails: Vec<String>,
    /// Globs of rails to leave out.
    #[serde(deserialize_with = "globs")]
    pub exclude: Vec<String>,
    /// Sets of rails that are meant to share load.
    pub group: Vec<Group>,
    /// Names of rails: interface, device or `device/port` → what the first column shows.
    pub names: BTreeMap<String, String>,
    /// Addresses that the rails are meant to reach.
    pub peers: Vec<IpAddr>,
    /// Colours.
    pub theme: Theme,
    /// Rates in bits.
    pub bits: bool,
    /// Nothing but ASCII.
    pub ascii: bool,
    /// The `lnetctl` to ask.
    pub lnetctl: Option<PathBuf>,
    /// The manifest of what the node should be.
    pub expect: Option<PathBuf>,
    /// Limits.
    pub thresholds: Thresholds,
    /// Ids of findings to leave out.
    pub ignore: Vec<String>,
}

/// `[[group]]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Globs over rail, interface and RDMA names.
    #[serde(deserialize_with = "globs")]
    pub rails: Vec<String>,
}

/// How many colours are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// As the environment says.
    #[default]
    Auto,
    /// 24 bits.
    Truecolor,
    /// The palette of 256.
    Indexed,
    /// The 16 names.
    Ansi,
    /// None.
    Mono,
}

impl Theme {
    /// The word of the file.
    pub fn word(self) -> &'static str {
        match self {
            Theme::Auto => "auto",
            Theme::Truecolor => "truecolor",
            Theme::Indexed => "indexed",
            Theme::Ansi => "ansi",
            Theme::Mono => "mono",
        }
    }
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", self.place())]
pub struct Problem {
    /// The file.
    pub path: String,
    /// The line, from 1, where one is to blame.
    pub line: Option<usize>,
    /// What.
    pub message: String,
}

impl Problem {
    fn place(&self) -> String {
        self.line.map_or_else(|| self.path.clone(), |line| format!("{}:{line}", self.path))
    }
}

/// One file that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct File {
    /// Where it stands, as it is shown.
    pub path: String,
    table: toml::Table,
}

impl File {
    /// Understands a file by itself.
    pub fn parse(path: &str, text: &str) -> Result<Self, Problem> {
        let problem = |e: &toml::de::Error| Problem {
            path: path.to_owned(),
            line: e.span().map(|span| line_of(text, span.start)),
            message: e.message().lines().collect::<Vec<_>>().join("; "),
        };
        let table: toml::Table = toml::from_str(text).map_err(|e| problem(&e))?;
        let config: Config = toml::from_str(text).map_err(|e| problem(&e))?;
        let line =
            |key: &str| text.lines().position(|l| l.trim_start().starts_with(key)).map(|at| at + 1);
        match config.problem() {
            Some((key, message)) => {
                Err(Problem { path: path.to_owned(), line: line(key), message })
            }
            None => Ok(Self { path: path.to_owned(), table }),
        }
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|b| **b == b'\n').count() + 1
}

impl Config {
    /// All files together; a later one replaces the keys of an earlier one. Tables (`names`,
    /// `thresholds`) are joined key by key.
    pub fn of(files: &[File]) -> Result<Self, Problem> {
        let mut whole = toml::Table::new();
        for file in files {
            for (key, value) in &file.table {
                match (whole.get_mut(key), value) {
                    (Some(toml::Value::Table(known)), toml::Value::Table(new)) => {
                        known.extend(new.clone());
                    }
                    _ => {
                        whole.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        let path = || files.last().map_or_else(String::new, |f| f.path.clone());
        toml::Value::Table(whole).try_into().map_err(|e: toml::de::Error| Problem {
            path: path(),
            line: None,
            message: e.message().to_owned(),
        })
    }

    /// A key whose value cannot be, and why.
    fn problem(&self) -> Option<(&'static str, String)> {
        if let Some(id) = self.ignore.iter().find(|id| check::entry(id).is_none()) {
            let mend = "railtop explain lists them";
            return Some(("ignore", format!("no finding has the id {id:?}; {mend}")));
        }
        if let Some((key, _)) = self.names.iter().find(|(_, name)| name.trim().is_empty()) {
            return Some(("names", format!("the name of {key:?} is empty")));
        }
        let names: Vec<&String> = self.names.values().collect();
        if let Some(name) =
            names.iter().enumerate().find_map(|(i, n)| names.get(..i)?.contains(n).then_some(n))
        {
            return Some(("names", format!("two rails are named {name:?}")));
        }
        let mut groups: Vec<&str> = self.group.iter().map(|g| g.name.as_str()).collect();
        groups.sort_unstable();
        if let Some(twice) = groups.windows(2).find(|w| w.first() == w.last()) {
            return Some((
                "name",
                format!("two groups are named {:?}", twice.first().unwrap_or(&"")),
            ));
        }
        self.thresholds.problem().map(|message| {
            let key = Thresholds::NAMES.iter().find(|name| message.starts_with(**name));
            (key.copied().unwrap_or("thresholds"), message)
        })
    }

    /// What the model needs of it.
    pub fn groups(&self) -> Vec<ConfiguredGroup> {
        let group = |g: &Group| ConfiguredGroup { name: g.name.clone(), rails: g.rails.clone() };
        self.group.iter().map(group).collect()
    }

    /// The names of rails.
    pub fn rail_names(&self) -> Vec<ConfiguredName> {
        let name =
            |(of, name): (&String, &String)| ConfiguredName { of: of.clone(), name: name.clone() };
        self.names.iter().map(name).collect()
    }

    /// How nodes are to be judged.
    pub fn policy(&self) -> Policy {
        Policy {
            thresholds: self.thresholds.clone(),
            ignore: self.ignore.clone(),
            ..Policy::default()
        }
    }
}

fn interval<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Duration>, D::Error> {
    /// As on the command line: a bare number is seconds.
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        Text(String),
        Whole(u64),
        Seconds(f64),
    }
    let text = match Given::deserialize(d)? {
        Given::Text(text) => text,
        Given::Whole(seconds) => seconds.to_string(),
        Given::Seconds(seconds) => seconds.to_string(),
    };
    crate::source::interval::parse(&text).map(Some).map_err(serde::de::Error::custom)
}

fn globs<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<String>, D::Error> {
    let all = Vec::<String>::deserialize(d)?;
    for pattern in &all {
        pattern::parse(pattern)
            .map_err(|why| serde::de::Error::custom(format!("{pattern:?}: {why}")))?;
    }
    Ok(all)
}

#[cfg(test)]
mod tests;
