//! The report of `railtop check` for Nagios, Icinga and Naemon: one line, performance data, then
//! the findings. The form is that of the Monitoring Plugins development guidelines: labels in
//! single quotes, values with their unit of measurement, ranges left out where no limit is set.

use crate::check::{Assessment, Finding, Verdict};
use crate::node::{BalanceSide, Node};
use crate::sample::Text;
use std::fmt::Write;

/// The whole report. `|` ends the text in this format and is written as `/` elsewhere.
pub fn report(node: &Node, assessment: &Assessment) -> String {
    let mut out = format!("RAILTOP {} - {}", word(assessment.verdict), headline(node, assessment));
    let data = performance(node);
    if !data.is_empty() {
        let _ = write!(out, " | {}", data.join(" "));
    }
    out.push('\n');
    for finding in &assessment.findings {
        out.push_str(&told(finding));
    }
    for item in &assessment.not_checked {
        let line = plain(&format!("not checked: {}: {}", item.what, item.why));
        let _ = writeln!(out, "{line}");
    }
    out
}

/// What a plugin says that could not look.
pub fn failed(why: &str) -> String {
    format!("RAILTOP UNKNOWN - {}\n", plain(why))
}

/// The state's name in the plugins' interface.
fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok | Verdict::Note => "OK",
        Verdict::Warning => "WARNING",
        Verdict::Critical => "CRITICAL",
        Verdict::Unknown | Verdict::NotApplicable => "UNKNOWN",
    }
}

fn headline(node: &Node, assessment: &Assessment) -> String {
    let roots = assessment.findings.iter().filter(|f| f.caused_by.is_none()).count();
    match assessment.worst() {
        Some(worst) if roots > 1 => {
            plain(&format!("{} ({}); {} more", worst.summary, worst.id, roots - 1))
        }
        Some(worst) => plain(&format!("{} ({})", worst.summary, worst.id)),
        None if node.rails.len() == 1 => "1 rail".into(),
        None => format!("{} rails", node.rails.len()),
    }
}

fn told(finding: &Finding) -> String {
    let Finding { id, severity, rails, caused_by, summary, .. } = finding;
    let names: Vec<&str> = rails.iter().map(Text::as_str).collect();
    let from = caused_by.map_or_else(String::new, |cause| format!(" (follows from {cause})"));
    let word = word((*severity).into());
    plain(&format!("{word}: {} {id}: {summary}{from}", names.join(","))) + "\n"
}

fn plain(text: &str) -> String {
    text.replace('|', "/")
}

/// Rates per rail and direction, and the balance of each group; what is not known is `U`.
fn performance(node: &Node) -> Vec<String> {
    let mut data = Vec::new();
    for rail in &node.rails {
        for (way, flow) in [("rx", &rail.rx), ("tx", &rail.tx)] {
            let rate = flow.bytes_per_second.ok().map(|r| format!("{r:.0}B"));
            data.push(item(&format!("{}_{way}", rail.name), rate.as_deref()));
        }
    }
    for group in &node.groups {
        for (way, side) in [("rx", &group.balance.rx), ("tx", &group.balance.tx)] {
            data.push(item(&format!("{}_balance_{way}", group.name), balance(side).as_deref()));
        }
    }
    data
}

fn balance(side: &BalanceSide) -> Option<String> {
    side.jain_index.ok().map(|jain| format!("{jain:.3}"))
}

/// `'label'=value`; `U` is "could not be measured".
fn item(label: &str, value: Option<&str>) -> String {
    let label = label.replace('\'', "''").replace('=', "_");
    format!("'{label}'={}", value.unwrap_or("U"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::assess;
    use crate::check::testkit::{healthy, set_port};
    use crate::node::PortState;

    #[test]
    fn one_line_first() {
        let node = healthy(2);
        let told = report(&node, &assess(&node));
        let first = told.lines().next().unwrap();
        assert!(first.starts_with("RAILTOP OK - 2 rails | 'ib0_rx'="), "{told}");
        assert_eq!(told.matches('|').count(), 1, "{told}");
    }

    #[test]
    fn the_worst_finding_is_in_the_first_line() {
        let mut node = healthy(4);
        set_port(&mut node.rails[2], PortState::NoSignal);
        let told = report(&node, &assess(&node));
        let mut lines = told.lines();
        assert!(lines.next().unwrap().starts_with("RAILTOP CRITICAL - ib2 has no signal"));
        assert!(lines.next().unwrap().starts_with("CRITICAL: ib2 PORT_DOWN: "));
        assert!(told.contains("(follows from PORT_DOWN)"), "{told}");
    }

    #[test]
    fn labels_and_unknown_values() {
        assert_eq!(item("a'b=c", None), "'a''b_c'=U");
        assert_eq!(plain("a|b"), "a/b");
    }
}
