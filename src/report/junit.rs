//! The report of `railtop check` as JUnit XML, for systems that collect test results: one suite
//! per rail with a case per layer, and one suite for what belongs to no rail. The form is what
//! Jenkins' JUnit plugin and GitLab read.

use crate::check::{Assessment, Finding, Rung, Verdict};
use crate::node::Node;
use std::fmt::Write;

/// The whole document.
pub fn report(node: &Node, assessment: &Assessment) -> String {
    let host = node.host.name.as_deref().unwrap_or("this node");
    let mut suites: Vec<Suite> = Vec::new();
    for (rail, judged) in node.rails.iter().zip(&assessment.rails) {
        let cases = judged.ladder.iter().map(|rung| {
            let about = |f: &&Finding| f.layer == rung.layer && f.rails.contains(&rail.name);
            let findings: Vec<&Finding> = assessment.findings.iter().filter(about).collect();
            Case { name: rung.layer.word().into(), result: of_rung(rung, &findings) }
        });
        suites.push(Suite { name: rail.name.to_string(), cases: cases.collect() });
    }
    let of_node = assessment.findings.iter().filter(|f| f.rails.is_empty()).map(|f| Case {
        name: f.id.to_owned(),
        result: failure(Verdict::from(f.severity), &f.summary, &[f]),
    });
    let not_checked = assessment.not_checked.iter().map(|item| Case {
        name: item.what.to_string(),
        result: Outcome::Skipped(item.why.to_string()),
    });
    let cases: Vec<Case> = of_node.chain(not_checked).collect();
    if !cases.is_empty() {
        suites.push(Suite { name: "node".into(), cases });
    }
    document(host, &suites)
}

struct Suite {
    name: String,
    cases: Vec<Case>,
}

struct Case {
    name: String,
    result: Outcome,
}

enum Outcome {
    Passed,
    Skipped(String),
    /// Kind, message, all of it.
    Failed(&'static str, String, String),
}

fn of_rung(rung: &Rung, findings: &[&Finding]) -> Outcome {
    match rung.verdict {
        Verdict::Ok | Verdict::Note => Outcome::Passed,
        Verdict::Unknown | Verdict::NotApplicable => Outcome::Skipped(rung.detail.to_string()),
        bad => failure(bad, &rung.detail, findings),
    }
}

/// Notes pass: they change no exit code either.
fn failure(verdict: Verdict, detail: &str, findings: &[&Finding]) -> Outcome {
    let kind = match verdict {
        Verdict::Critical => "critical",
        Verdict::Warning => "warning",
        _ => return Outcome::Passed,
    };
    let mut body = String::new();
    for finding in findings {
        let _ = writeln!(body, "{}: {}", finding.id, finding.summary);
        for line in &finding.evidence {
            let _ = writeln!(body, "  {line}");
        }
    }
    let message = findings.first().map_or_else(|| detail.to_owned(), |f| f.summary.to_string());
    Outcome::Failed(kind, message, body)
}

fn document(host: &str, suites: &[Suite]) -> String {
    let failed = |s: &Suite| s.cases.iter().filter(|c| is_failed(&c.result)).count();
    let skipped = |s: &Suite| s.cases.iter().filter(|c| is_skipped(&c.result)).count();
    let tests: usize = suites.iter().map(|s| s.cases.len()).sum();
    let failures: usize = suites.iter().map(failed).sum();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let name = attribute(&format!("railtop {host}"));
    let _ = writeln!(out, "<testsuites name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\">");
    for suite in suites {
        let _ = writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\">",
            attribute(&suite.name),
            suite.cases.len(),
            failed(suite),
            skipped(suite)
        );
        let class = attribute(&format!("{host}.{}", suite.name));
        for case in &suite.cases {
            push(&mut out, &class, case);
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn is_failed(result: &Outcome) -> bool {
    matches!(result, Outcome::Failed(..))
}

fn is_skipped(result: &Outcome) -> bool {
    matches!(result, Outcome::Skipped(_))
}

fn push(out: &mut String, class: &str, case: &Case) {
    let name = attribute(&case.name);
    let open = format!("    <testcase classname=\"{class}\" name=\"{name}\"");
    let _ = match &case.result {
        Outcome::Passed => writeln!(out, "{open}/>"),
        Outcome::Skipped(why) => {
            writeln!(out, "{open}><skipped message=\"{}\"/></testcase>", attribute(why))
        }
        Outcome::Failed(kind, message, body) => writeln!(
            out,
            "{open}><failure type=\"{kind}\" message=\"{}\">{}</failure></testcase>",
            attribute(message),
            attribute(body)
        ),
    };
}

/// Text that may stand in an attribute or an element; what XML 1.0 forbids is left out.
fn attribute(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push('\n'),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::assess;
    use crate::check::testkit::{healthy, set_port};
    use crate::node::PortState;

    fn count(text: &str, what: &str) -> usize {
        text.matches(what).count()
    }

    #[test]
    fn a_healthy_node_has_no_failure() {
        let node = healthy(2);
        let told = report(&node, &assess(&node));
        assert!(told.contains("failures=\"0\">"), "{told}");
        assert_eq!(count(&told, "<testsuite "), count(&told, "</testsuite>"));
        assert!(told.contains("<testcase classname=\"oss07.ib1\" name=\"cable\"/>"), "{told}");
    }

    #[test]
    fn a_dead_rail_fails_its_layers_only() {
        let mut node = healthy(4);
        set_port(&mut node.rails[2], PortState::NoSignal);
        let assessment = assess(&node);
        let told = report(&node, &assessment);
        let bad = |r: &Rung| matches!(r.verdict, Verdict::Warning | Verdict::Critical);
        let rungs = assessment.rails.iter().flat_map(|r| &r.ladder).filter(|r| bad(r)).count();
        assert!(rungs > 0);
        assert_eq!(count(&told, "<failure "), rungs, "{told}");
        assert!(told.contains("name=\"cable\"><failure type=\"critical\" message=\"ib2 has no"));
    }

    #[test]
    fn nothing_breaks_out_of_its_attribute() {
        assert_eq!(attribute("a<b>&\"\x1b[2J\u{ffff}"), "a&lt;b&gt;&amp;&quot;[2J");
    }
}
