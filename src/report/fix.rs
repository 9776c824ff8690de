//! The report of `railtop fix`: a script for this node, and what belongs elsewhere as comments.

use crate::check::{Finding, Step, Where};
use crate::fix::persist::Persist;
use crate::fix::{self, Change};
use crate::sample::Text;
use serde_json::{Value, json};
use std::fmt::Write;

/// The machine form; each command is one line of POSIX sh.
pub fn json(findings: &[&Finding], persist: Option<&Persist>) -> Value {
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
    if let (Some(persist), Some(object)) = (persist, out.as_object_mut()) {
        object.insert("persist".into(), serde_json::to_value(persist).unwrap_or_default());
    }
    out
}

/// A script: what is to be typed here stands bare, the rest is comment.
pub fn text(findings: &[&Finding], persist: Option<&Persist>) -> String {
    let mut out = String::new();
    let mut changes: Vec<Change> = Vec::new();
    for finding in mendable(findings) {
        let rails: Vec<&str> = finding.rails.iter().map(Text::as_str).collect();
        let _ = writeln!(out, "# {} {}: {}", finding.id, rails.join(","), finding.summary);
        changes.extend(finding.remedy.iter().cloned());
    }
    for finding in findings.iter().filter(|f| f.fix.is_empty() && f.caused_by.is_none()) {
        let _ = writeln!(out, "# {}: no command mends it; railtop explain {0}", finding.id);
    }
    let untyped = || mendable(findings).filter(|f| f.remedy.is_empty());
    let mut commands = fix::commands(&changes);
    commands.extend(untyped().flat_map(|f| f.fix.iter().cloned()));
    if commands.is_empty() {
        out.push_str("# nothing to type\n");
        return out;
    }
    out.push_str("\n# here, as root; may be run again\n");
    for step in commands.iter().filter(|s| s.place == Where::Here) {
        let _ = writeln!(out, "{}", step.command);
    }
    let peers = commands.iter().filter(|s| s.place == Where::Peer).map(|s| s.command.to_string());
    comment(&mut out, "on every peer", peers);
    comment(&mut out, "to verify", verify(findings));
    let mut undo = fix::undo(&changes);
    undo.extend(untyped().flat_map(|f| f.undo.iter().cloned()));
    let undo = undo.iter().filter(|s| s.place == Where::Here).map(|s| s.command.to_string());
    comment(&mut out, "to undo", undo);
    if let Some(persist) = persist {
        lasting(&mut out, persist);
    } else {
        out.push_str("\n# gone after a reboot or a link bounce: railtop fix --persist\n");
    }
    out
}

fn mendable<'a>(findings: &'a [&'a Finding]) -> impl Iterator<Item = &'a Finding> {
    findings.iter().copied().filter(|f| !f.fix.is_empty())
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
    if lines.iter().any(|line| line.starts_with("ip ")) {
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

fn lasting(out: &mut String, persist: &Persist) {
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
