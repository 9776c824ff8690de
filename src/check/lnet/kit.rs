//! What the checks of LNet share.

use crate::check::fold::Found;
use crate::check::view::RailView;
use crate::check::{Finding, Severity, Step, Where};
use crate::lnet::lifecycle::NextStep;
use crate::node::{Node, Rail};
use crate::sample::{LnetNi, Text};

/// A finding under construction.
pub(super) struct Told(Found);

impl Told {
    pub(super) fn new(id: &'static str, severity: Severity, summary: impl Into<String>) -> Self {
        let finding = Finding::new(id, severity, summary.into(), Vec::new());
        Self(Found { rails: Vec::new(), finding })
    }

    /// It is on the ladders of these rails.
    pub(super) fn on<'a>(mut self, views: impl IntoIterator<Item = &'a RailView<'a>>) -> Self {
        for view in views {
            self.0.rails.push(view.index);
            self.0.finding.rails.push(view.rail.name.clone());
        }
        self
    }

    /// It names these rails, and their ladders are none of its business.
    pub(super) fn about(mut self, names: impl IntoIterator<Item = Text>) -> Self {
        self.0.finding.rails.extend(names);
        self
    }

    pub(super) fn seen<T: Into<Text>>(mut self, lines: impl IntoIterator<Item = T>) -> Self {
        self.0.finding.evidence.extend(lines.into_iter().map(Into::into));
        self
    }

    pub(super) fn fix<T: Into<Text>>(mut self, commands: impl IntoIterator<Item = T>) -> Self {
        self.0.finding.fix.extend(commands.into_iter().map(here));
        self
    }

    pub(super) fn next(self, steps: &[NextStep]) -> Self {
        self.fix(steps.iter().map(|s| s.command.clone()))
    }

    pub(super) fn undo<T: Into<Text>>(mut self, commands: impl IntoIterator<Item = T>) -> Self {
        self.0.finding.undo.extend(commands.into_iter().map(here));
        self
    }

    pub(super) fn verify<T: Into<Text>>(mut self, commands: impl IntoIterator<Item = T>) -> Self {
        self.0.finding.verify.extend(commands.into_iter().map(here));
        self
    }

    pub(super) fn verify_peer(mut self, command: impl Into<Text>) -> Self {
        self.0.finding.verify.push(Step { place: Where::Peer, command: command.into() });
        self
    }

    pub(super) fn found(self) -> Found {
        self.0
    }
}

/// A command for this node.
pub(super) fn here(command: impl Into<Text>) -> Step {
    Step { place: Where::Here, command: command.into() }
}

/// All NIs but the loopback, in the order of the answer; empty where there is none.
pub(super) fn nis(node: &Node) -> impl Iterator<Item = &LnetNi> {
    let nets = node.lnet.answer.iter().flat_map(|a| &a.nets);
    nets.flat_map(|net| &net.nis).filter(|ni| !ni.is_lo())
}

/// The nets but the loopback's, with their NIs.
pub(super) fn nets(node: &Node) -> Vec<(&str, Vec<&LnetNi>)> {
    let mut all: Vec<(&str, Vec<&LnetNi>)> = Vec::new();
    for ni in nis(node) {
        match all.iter_mut().find(|(net, _)| *net == ni.net()) {
            Some((_, nis)) => nis.push(ni),
            None => all.push((ni.net(), vec![ni])),
        }
    }
    all
}

/// The driver below a net: `o2ib` of `o2ib1`.
pub(super) fn kind(net: &str) -> &str {
    // The name of the driver may itself have a digit: o2ib.
    let number = net.trim_start_matches("o2ib");
    if number.len() < net.len() {
        "o2ib"
    } else {
        net.trim_end_matches(|c: char| c.is_ascii_digit())
    }
}

/// Is the NI on the rail?
pub(super) fn is_on(rail: &Rail, ni: &LnetNi) -> bool {
    rail.lnet.iter().any(|own| own.ni.nid == ni.nid)
}

/// The rails of an NI; more than one below a bond.
pub(super) fn rails_of<'a>(
    views: &'a [RailView<'a>],
    ni: &'a LnetNi,
) -> impl Iterator<Item = &'a RailView<'a>> {
    views.iter().filter(|view| is_on(view.rail, ni))
}

/// `lnetctl net show -v 4: nid: N, key: value, …`, of the values that are known.
pub(super) fn ni_line<'a>(
    ni: &LnetNi,
    values: impl IntoIterator<Item = (&'a str, Option<String>)>,
) -> Text {
    let mut line = format!("lnetctl net show -v 4: nid: {}", ni.nid);
    for (key, value) in values {
        if let Some(value) = value {
            line.push_str(", ");
            line.push_str(key);
            line.push_str(": ");
            line.push_str(&value);
        }
    }
    line.into()
}

/// Known, as printed.
pub(super) fn printed<T: ToString, E>(value: &Result<T, E>) -> Option<String> {
    value.as_ref().ok().map(ToString::to_string)
}

/// `1 NI`, `3 NIs`.
pub(super) fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// `a`, `a and b`, `a, b and c`; shortened behind the third.
pub(super) fn listed<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    let names: Vec<T> = names.into_iter().collect();
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first, second, third, rest @ ..] if !rest.is_empty() => {
            format!("{first}, {second}, {third} and {} more", rest.len())
        }
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}
