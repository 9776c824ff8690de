//! The report of `railtop why` for people: the ladder of a rail, and LNet's choice.

use crate::check::{Assessment, Finding, Rung, SelectionRung, Step, Verdict, Where};
use crate::node::{Node, Rail};
use crate::sample::Text;
use std::fmt::Write;

/// Some rails, one after the other. Plain text without escapes.
pub fn text(node: &Node, assessment: &Assessment, rails: &[usize]) -> String {
    let all: Vec<String> = rails.iter().filter_map(|i| one(node, assessment, *i)).collect();
    all.join("\n")
}

fn one(node: &Node, assessment: &Assessment, index: usize) -> Option<String> {
    let (rail, judged) = (node.rails.get(index)?, assessment.rails.get(index)?);
    let mut out = format!("{}: {}\n", title(rail), word(judged.verdict));
    for rung in &judged.ladder {
        line(&mut out, rung, judged.first_failing == Some(rung.layer));
    }
    choice(&mut out, &rail.name, &judged.selection);
    let mut own = assessment.findings.iter().filter(|f| f.rails.contains(&rail.name)).peekable();
    if own.peek().is_some() {
        out.push('\n');
    }
    for finding in own {
        tell(&mut out, finding);
    }
    Some(out)
}

/// `ib1, mlx5_1 port 1, PCI 0000:4b:00.0, NUMA node 1`.
fn title(rail: &Rail) -> String {
    let mut words = rail.name.to_string();
    if let Some(rdma) = &rail.rdma {
        let _ = write!(words, ", {} port {}", rdma.device, rdma.port);
    }
    if let Some(pci) = &rail.pci {
        let _ = write!(words, ", PCI {}", pci.address);
        if let Ok(numa) = &pci.numa_node {
            let _ = write!(words, ", NUMA node {numa}");
        }
    }
    words
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "well",
        Verdict::Note => "note",
        Verdict::Warning => "WARNING",
        Verdict::Critical => "CRITICAL",
        Verdict::Unknown => "unknown",
        Verdict::NotApplicable => "–",
    }
}

fn line(out: &mut String, rung: &Rung, first: bool) {
    let layer = rung.layer.words();
    let _ = write!(out, "  {layer:<15} {:<9} {}", word(rung.verdict), rung.detail);
    if let Some(id) = rung.finding {
        let _ = write!(out, "  {id}");
    }
    out.push_str(if first { "  <- first that fails\n" } else { "\n" });
}

/// The criteria, for each NI of the rail.
fn choice(out: &mut String, name: &str, rungs: &[SelectionRung]) {
    let mut rest = rungs;
    while let Some(first) = rest.first() {
        let own = rest.iter().take_while(|r| r.nid == first.nid).count();
        let (mine, others) = rest.split_at(own);
        rest = others;
        let _ = writeln!(
            out,
            "\n  how LNet chooses in {} ({}, {}): the first difference decides",
            first.net, first.nid, first.order
        );
        let width =
            mine.iter().map(|r| r.told().chars().count()).max().unwrap_or(0).max(name.len());
        let _ = writeln!(out, "  {:<15} {name:<width$}  others", "criterion");
        for rung in mine {
            let others: Vec<String> =
                rung.others.iter().map(|(who, value)| format!("{who}: {value}")).collect();
            let decides = if rung.decides { "DECIDES: " } else { "" };
            let parts = [others.join("; "), format!("{decides}{}", rung.detail)];
            let parts: Vec<&str> =
                parts.iter().map(String::as_str).filter(|p| !p.is_empty()).collect();
            let rest = parts.join(" · ");
            let line = format!("  {:<15} {:<width$}  {rest}", rung.name, rung.told());
            let _ = writeln!(out, "{}", line.trim_end());
        }
    }
}

fn tell(out: &mut String, finding: &Finding) {
    let Finding { id, caused_by, summary, evidence, fix, .. } = finding;
    if let Some(cause) = caused_by {
        let _ = writeln!(out, "  {id} follows from {cause}: {summary}");
        return;
    }
    let _ = writeln!(out, "  {id}: {summary}");
    for line in evidence {
        let _ = writeln!(out, "    evidence  {line}");
    }
    let here: Vec<&Text> =
        fix.iter().filter(|s| s.place == Where::Here).map(|Step { command, .. }| command).collect();
    for command in &here {
        let _ = writeln!(out, "    do        {command}");
    }
    if here.is_empty() {
        let _ = writeln!(out, "    do        railtop explain {id}");
    }
}
