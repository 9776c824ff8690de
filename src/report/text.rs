//! The report of `railtop check` for people: verdict, findings worst first, what could not be
//! checked.

use crate::check::{Assessment, Finding, Severity, Verdict};
use crate::node::Node;
use crate::sample::Text;
use std::fmt::Write;

/// The whole report. Plain text without escapes.
pub fn report(node: &Node, assessment: &Assessment) -> String {
    let mut out = headline(node, assessment);
    for finding in &assessment.findings {
        if finding.caused_by.is_none() {
            out.push('\n');
        }
        tell(&mut out, finding);
    }
    if !assessment.not_checked.is_empty() {
        out.push_str("\nnot checked:\n");
        for item in &assessment.not_checked {
            let _ = writeln!(out, "  {}: {}", item.what, item.why);
        }
    }
    out
}

/// `oss07: CRITICAL, 2 findings (4 rails, 1 group)`.
fn headline(node: &Node, assessment: &Assessment) -> String {
    let host = node.host.name.as_deref().unwrap_or("this node");
    let roots = assessment.findings.iter().filter(|f| f.caused_by.is_none()).count();
    let rails = count(node.rails.len(), "rail");
    let groups = count(node.groups.len(), "group");
    let found = if roots == 0 { "no findings".to_owned() } else { count(roots, "finding") };
    let mut line =
        format!("{host}: {}, {found} ({rails}, {groups})\n", verdict(assessment.verdict));
    if let Some(note) = &node.choice_note {
        let _ = writeln!(line, "{note}");
    }
    line
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// The word of a verdict as a headline.
fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "OK",
        Verdict::Note => "OK, with notes",
        Verdict::Warning => "WARNING",
        Verdict::Critical => "CRITICAL",
        Verdict::Unknown | Verdict::NotApplicable => "UNKNOWN",
    }
}

fn tell(out: &mut String, finding: &Finding) {
    let Finding { id, severity, rails, caused_by, summary, evidence, fix, .. } = finding;
    let names: Vec<&str> = rails.iter().map(Text::as_str).collect();
    let names = names.join(",");
    if let Some(cause) = caused_by {
        let _ = writeln!(out, "          follows from {cause}: {names}  {id}  {summary}");
        return;
    }
    let word = match severity {
        Severity::Critical => "CRITICAL",
        Severity::Warning => "WARNING",
        Severity::Note => "NOTE",
    };
    let _ = writeln!(out, "{word:<9} {names}  {id}  {summary}");
    for line in evidence {
        let _ = writeln!(out, "          evidence  {line}");
    }
    if fix.is_empty() {
        let _ = writeln!(out, "          do        railtop explain {id}");
    } else {
        let _ = writeln!(out, "          do        railtop fix {id}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::assess;
    use crate::check::testkit::{healthy, set_port};
    use crate::node::PortState;

    #[test]
    fn a_healthy_node_is_one_line() {
        let node = healthy(4);
        assert_eq!(report(&node, &assess(&node)), "oss07: OK, no findings (4 rails, 1 group)\n");
    }

    #[test]
    fn consequences_stand_below_their_root() {
        let mut node = healthy(4);
        set_port(&mut node.rails[2], PortState::NoSignal);
        let told = report(&node, &assess(&node));
        let lines: Vec<&str> = told.lines().collect();
        assert!(lines[0].contains("CRITICAL, 1 finding (4 rails, 1 group)"), "{told}");
        assert!(lines[2].starts_with("CRITICAL  ib2  PORT_DOWN"), "{told}");
        assert!(told.contains("evidence  /sys/class/infiniband/"), "{told}");
        assert!(told.contains("follows from PORT_DOWN: ib2  RAIL_DOWN"), "{told}");
        assert!(!told.contains('\x1b'));
    }
}
