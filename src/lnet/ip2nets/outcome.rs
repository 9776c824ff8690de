//! What comes of rules on a host.

use super::{Error, Net, Surprise, Version};
use std::net::IpAddr;

/// Who reads the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The kernel: `options lnet ip2nets=`, `lnetctl net add --ip2net`.
    Kernel,
    /// The kernel: `options lnet networks=`.
    Networks,
    /// `lnetctl import` of a YAML file.
    Yaml,
}

impl Engine {
    /// The word of the command line and of the machine form.
    pub fn word(self) -> &'static str {
        match self {
            Engine::Kernel => "kernel",
            Engine::Networks => "networks",
            Engine::Yaml => "yaml",
        }
    }
}

/// What LNet would do.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Who reads the rules.
    pub engine: Engine,
    /// Of which version.
    pub version: Version,
    /// The rules, in order, with what comes of each.
    pub rules: Vec<Rule>,
    /// NIs that would be there, in LNet's order. With an error of the kernel there are none.
    pub nis: Vec<Ni>,
    /// Why LNet, or the import, fails.
    pub error: Option<Error>,
    /// What is not said anywhere.
    pub surprises: Vec<Surprise>,
}

impl Outcome {
    /// Nothing yet.
    pub fn new(engine: Engine, version: Version) -> Self {
        Self {
            engine,
            version,
            rules: Vec::new(),
            nis: Vec::new(),
            error: None,
            surprises: Vec::new(),
        }
    }

    /// The NIDs, in LNet's order, as `lctl list_nids` prints them; NIs whose address cannot be
    /// told are left out.
    pub fn nids(&self) -> Vec<String> {
        self.nis.iter().filter_map(Ni::nid).collect()
    }

    /// Adds a surprise, once.
    pub fn surprise(&mut self, surprise: Surprise) {
        if !self.surprises.contains(&surprise) {
            self.surprises.push(surprise);
        }
    }
}

/// A rule and what comes of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// As written, blanks made spaces.
    pub text: String,
    /// What comes of it.
    pub verdict: Verdict,
    /// The console warns of nothing here, but the kernel would stop on some other host.
    pub dangerous: bool,
}

/// What comes of a rule.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It applies.
    Applies {
        /// The pattern that matched; `None`: the rule has none.
        pattern: Option<String>,
        /// The address that matched, and the name of its device.
        matched: Vec<(IpAddr, String)>,
    },
    /// None of its patterns matches.
    NoMatch,
    /// It has no pattern, so it never applies.
    NoPattern,
    /// A rule before it configures the same net.
    Ignored(Net),
    /// It is left out for this reason.
    Skipped(String),
    /// It is refused: the error says why.
    Refused,
    /// An error before it ends the reading.
    NotReached,
}

impl Verdict {
    /// The word of the machine form.
    pub fn word(&self) -> &'static str {
        match self {
            Verdict::Applies { .. } => "applies",
            Verdict::NoMatch => "no_match",
            Verdict::NoPattern => "no_pattern",
            Verdict::Ignored(_) => "ignored",
            Verdict::Skipped(_) => "skipped",
            Verdict::Refused => "refused",
            Verdict::NotReached => "not_reached",
        }
    }
}

/// An NI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ni {
    /// Its net.
    pub net: Net,
    /// The device that the rule names, if any.
    pub named: Option<String>,
    /// The device that it is on, by the name LNet has for it.
    pub device: Option<String>,
    /// Its address; `None` where the LND makes one that cannot be told from here.
    pub address: Option<IpAddr>,
    /// CPU partitions it is bound to; none is all.
    pub cpts: Vec<u32>,
    /// Index of the rule.
    pub rule: Option<usize>,
}

impl Ni {
    /// `addr@net`.
    pub fn nid(&self) -> Option<String> {
        self.address.map(|address| format!("{address}@{}", self.net))
    }
}
