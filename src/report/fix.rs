//! The report of `railtop fix`: a script for this node, and what belongs elsewhere as comments.

use crate::check::{Finding, Step, Where};
use crate::fix::persist::Persist;
use crate::fix::{self, Action, Change};
use crate::sample::Text;
use serde_json::{Value, json};
use std::fmt::Write;

/// What `--persist` gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lasting {
    /// The form of a manager.
    Form(Persist),
    /// There is something, and nobody knows for whom: what is to be done about it.
    NoManager(String),
    /// There is nothing that a file could say.
    Nothing {
        /// Because all that works now stands in files.
        stands: bool,
        /// What has no persistent form, in sentences.
        left_out: Vec<String>,
    },
}

impl Lasting {
    /// Why there is no form.
    fn why_not(&self) -> Option<String> {
        match self {
            Lasting::Form(_) => None,
            Lasting::NoManager(why) => Some(why.clone()),
            Lasting::Nothing { stands: true, .. } => {
                Some("the rules, tables and sysctls of the rails stand in files already".into())
            }
            Lasting::Nothing { stands: false, .. } => Some(
                "nothing of this, and nothing that works now, belongs into a file of a network \
                 manager"
                    .into(),
            ),
        }
    }
}

/// The machine form; each command is one line of POSIX sh.
pub fn json(findings: &[&Finding], lasting: Option<&Lasting>) -> Value {
    let lines = |steps: &[Step], place| -> Vec<String> {
        steps.iter().filter(|s| s.place == place).map(|s| s.command.to_string()).collect()
    };
    let steps: Vec<Value> = mendable(findings)
        .map(|f| {
            json!({
                "finding": f.id,
                "rails": f.rails,
                "commands": lines(&f.fix, Where::Here),
                "undo": lines(&f.undo, Where::Here),
                "verify": lines(&f.verify, Where::Here),
                "peer_commands": lines(&f.fix, Where::Peer),
            })
        })
        .collect();
    let mut out = json!({ "steps": steps });
    if let (Some(lasting), Some(object)) = (lasting, out.as_object_mut()) {
        let form = match lasting {
            Lasting::Form(form) => serde_json::to_value(form).unwrap_or_default(),
            _ => Value::Null,
        };
        object.insert("persist".into(), form);
        if let Some(why) = lasting.why_not() {
            object.insert("no_persist_because".into(), why.into());
        }
    }
    out
}

/// A script: what is to be typed here stands bare, the rest is comment.
pub fn text(findings: &[&Finding], lasting: Option<&Lasting>) -> String {
    let mut out = String::new();
    let mut changes: Vec<Change> = Vec::new();
    for finding in mendable(findings) {
        let _ = writeln!(out, "# {}", headline(finding));
        changes.extend(finding.remedy.iter().cloned());
    }
    for finding in findings.iter().filter(|f| f.fix.is_empty() && f.caused_by.is_none()) {
        let _ = writeln!(out, "# {}: no command mends it; railtop explain {0}", finding.id);
    }
    let to_last = || findings.iter().filter(|f| f.is_to_last());
    for finding in to_last() {
        let _ = writeln!(out, "# {}", headline(finding));
    }
    let untyped = || mendable(findings).filter(|f| f.remedy.is_empty());
    let mut commands = fix::commands(&changes);
    commands.extend(untyped().flat_map(|f| f.fix.iter().cloned()));
    if commands.is_empty() {
        out.push_str("# nothing to type\n");
    } else {
        to_type(&mut out, findings, &changes, &commands);
    }
    match lasting {
        Some(Lasting::Form(form)) => last(&mut out, form),
        Some(other) => {
            let _ = writeln!(out, "\n# to make it last: {}", other.why_not().unwrap_or_default());
            if let Lasting::Nothing { left_out, .. } = other {
                comment(&mut out, "mind", left_out.iter().cloned());
            }
        }
        None => {
            if let Some(until) = until(&changes) {
                let _ = writeln!(out, "\n# {until}");
            } else if to_last().next().is_some() {
                out.push_str("\n# to make it last: railtop fix --persist\n");
            }
        }
    }
    out
}

fn headline(finding: &Finding) -> String {
    let rails: Vec<&str> = finding.rails.iter().map(Text::as_str).collect();
    let by = if rails.is_empty() { "" } else { " " };
    format!("{}{by}{}: {}", finding.id, rails.join(","), finding.summary)
}

/// The commands, what proves them and what takes them back.
fn to_type(out: &mut String, findings: &[&Finding], changes: &[Change], commands: &[Step]) {
    let mut here = commands.iter().filter(|s| s.place == Where::Here).peekable();
    if here.peek().is_some() {
        out.push_str("\n# here, as root; may be run again\n");
    }
    for step in here {
        let _ = writeln!(out, "{}", step.command);
    }
    let peers = commands.iter().filter(|s| s.place == Where::Peer).map(|s| s.command.to_string());
    comment(out, "on every peer", peers);
    comment(out, "to verify", verify(findings));
    let mut undo = fix::undo(changes);
    let untyped = mendable(findings).filter(|f| f.remedy.is_empty());
    undo.extend(untyped.flat_map(|f| f.undo.iter().cloned()));
    let undo = undo.iter().filter(|s| s.place == Where::Here).map(|s| s.command.to_string());
    comment(out, "to undo", undo);
}

/// How long the changes of this node hold, with what makes them hold longer. Rules, sysctls,
/// addresses and MTUs outlive a link that goes down and up again; routes do not.
fn until(changes: &[Change]) -> Option<&'static str> {
    let any = |what: fn(&Action) -> bool| {
        changes.iter().any(|c| c.place == Where::Here && what(&c.action))
    };
    if any(|a| matches!(a, Action::RouteReplace { .. })) {
        return Some("gone after a reboot or a link bounce: railtop fix --persist");
    }
    if any(|a| {
        matches!(
            a,
            Action::RuleAdd(_)
                | Action::Sysctl { .. }
                | Action::LinkMtu { .. }
                | Action::Address { .. }
        )
    }) {
        return Some("gone after a reboot: railtop fix --persist");
    }
    if any(|a| matches!(a, Action::RouteDelete(_) | Action::RuleDelete(_))) {
        return Some(
            "what is taken away comes back with whatever made it: a file, or a script at boot",
        );
    }
    any(|a| matches!(a, Action::NextHopAdd { .. } | Action::NextHopGroup { .. }))
        .then_some("gone after a reboot or when a carrier is lost: no file keeps next-hop objects")
}

/// What has commands: a form that lasts is not one of them.
fn mendable<'a>(findings: &'a [&'a Finding]) -> impl Iterator<Item = &'a Finding> {
    findings.iter().copied().filter(|f| !f.fix.is_empty() && !f.is_to_last())
}

/// The lines that prove it, each once.
fn verify(findings: &[&Finding]) -> impl Iterator<Item = String> {
    let mut lines: Vec<String> = Vec::new();
    for step in mendable(findings).flat_map(|f| &f.verify) {
        let line = step.command.to_string();
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    if lines.iter().any(|line| line.contains(" route get ")) {
        lines.push("(ping -I INTERFACE proves nothing: it works without any route)".into());
    }
    lines.into_iter()
}

fn comment(out: &mut String, title: &str, lines: impl Iterator<Item = String>) {
    let mut lines = lines.peekable();
    if lines.peek().is_none() {
        return;
    }
    let _ = writeln!(out, "\n# {title}");
    for line in lines {
        let _ = writeln!(out, "#   {line}");
    }
}

fn last(out: &mut String, persist: &Persist) {
    let _ = writeln!(out, "\n# to make it last, for {}", persist.manager);
    for file in &persist.files {
        let how = if file.partial { "belongs into" } else { "is" };
        let _ = writeln!(out, "\n# this {how} {} (mode {:04o})", file.path, file.mode);
        for line in file.content.lines() {
            let _ = writeln!(out, "#| {line}");
        }
    }
    comment(out, "then", persist.commands.iter().cloned());
    comment(out, "mind", persist.warnings.iter().cloned());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fix::{RouteSpec, RuleSpec};
    use crate::sample::Prefix;

    #[test]
    fn how_long_it_holds_is_said_of_what_is_done() {
        let ip = "172.16.34.1".parse().unwrap();
        let route = RouteSpec::connected(Prefix { addr: ip, len: 16 }, "ib0".into(), ip, 941);
        let rule = RuleSpec::source(ip, 9410, 941);
        let put = Action::RouteReplace { route: route.clone(), before: None };
        let cases = [
            (vec![], None),
            (vec![Change::peer(Action::NeighbourFlush { dev: "ib0".into() })], None),
            (vec![Change::here(put.clone())], Some("a link bounce")),
            (
                vec![Change::here(Action::RuleAdd(rule.clone())), Change::here(put)],
                Some("a link bounce"),
            ),
            (vec![Change::here(Action::RuleAdd(rule.clone()))], Some("after a reboot: railtop")),
            (vec![Change::here(Action::RuleDelete(rule))], Some("comes back with whatever")),
            (vec![Change::here(Action::RouteDelete(route))], Some("comes back with whatever")),
            (
                vec![Change::here(Action::NextHopAdd { id: 1, dev: "ib0".into() })],
                Some("no file keeps"),
            ),
        ];
        for (changes, wanted) in cases {
            let said = until(&changes);
            let fits = wanted.map(|w| said.is_some_and(|s| s.contains(w)));
            assert!(fits.unwrap_or(said.is_none()), "{changes:?}: {said:?}");
        }
    }
}
