//! The report of `railtop ip2nets`: what LNet would configure, rule by rule.

use super::wrap;
use crate::lnet::ip2nets::error::{configure_words, errno_words};
use crate::lnet::ip2nets::{Engine, Error, Ni, Outcome, Rule, Surprise, Verdict, Version};
use crate::sample::Text;
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// What came of one set of rules.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// Where they stand: a path with the parameter, or `the command line`.
    pub source: String,
    /// The rules as text, where they are one line.
    pub rules: Option<String>,
    /// What came of them.
    pub outcome: Outcome,
    /// What other versions would make of them.
    pub otherwise: Vec<(Vec<Version>, Outcome)>,
}

/// All that is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Which version, and why that one: `2.15.8, which is installed`.
    pub version: String,
    /// By source; the first is the one that counts most.
    pub told: Vec<Told>,
    /// NIDs of LNet as it runs now, if it says so.
    pub running: Option<Vec<String>>,
    /// What is odd about the files themselves.
    pub problems: Vec<Surprise>,
    /// Files that could not be read, and why.
    pub unread: Vec<String>,
}

const WIDTH: usize = 80;

impl Report {
    /// Would LNet, or an import, fail?
    pub fn fails(&self) -> bool {
        self.told.iter().any(|t| t.outcome.error.is_some())
    }
}

/// For people, at most 80 columns where words allow it.
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    for told in &report.told {
        if !out.is_empty() {
            out.push('\n');
        }
        one(&mut out, report, told);
    }
    if let Some(running) = &report.running {
        let same = report.told.first().is_some_and(|t| &t.outcome.nids() == running);
        let nids = if running.is_empty() { "no NI besides lo".into() } else { running.join(" ") };
        let told = if same { "the same".to_owned() } else { nids };
        out.push('\n');
        paragraph(&mut out, "Running now: ", "  ", &told);
    }
    if !report.problems.is_empty() {
        out.push_str("\nThe files themselves:\n");
        for problem in &report.problems {
            surprise(&mut out, problem);
        }
    }
    for unread in &report.unread {
        paragraph(&mut out, "not read: ", "", unread);
    }
    // Rules come from outside.
    out.lines().fold(String::new(), |text, line| text + &Text::new(line) + "\n")
}

fn one(out: &mut String, report: &Report, told: &Told) {
    let Outcome { engine, rules, nis, error, surprises, .. } = &told.outcome;
    let reader = match engine {
        Engine::Kernel | Engine::Networks => "as the kernel reads it",
        Engine::Yaml => "as lnetctl import reads it",
    };
    paragraph(out, "", "", &format!("{}, {reader}, LNet {}", told.source, report.version));
    if rules.is_empty()
        && let Some(rules) = &told.rules
    {
        paragraph(out, "  ", "  ", rules);
    }
    for (index, rule) in rules.iter().enumerate() {
        let number = format!("{:>3}  ", index + 1);
        paragraph(out, &number, "     ", &rule.text);
        paragraph(out, "     ", "     ", &verdict(rule));
    }
    out.push('\n');
    match error {
        Some(error) => failure(out, told, error),
        None if nis.is_empty() => out.push_str("No NIs besides lo.\n"),
        None => {}
    }
    let width = nis.iter().filter_map(Ni::nid).map(|n| n.len()).max().unwrap_or(0).max(16);
    for ni in nis {
        let nid = ni.nid().unwrap_or_else(|| format!("?@{}", ni.net));
        let _ = write!(out, "  {nid:width$}  {}", ni.device.as_deref().unwrap_or("?"));
        if !ni.cpts.is_empty() {
            let cpts: Vec<String> = ni.cpts.iter().map(u32::to_string).collect();
            let _ = write!(out, "  CPTs {}", cpts.join(","));
        }
        if let Some(rule) = ni.rule.filter(|_| rules.len() > 1) {
            let _ = write!(out, "  (rule {})", rule + 1);
        }
        out.push('\n');
    }
    if !surprises.is_empty() {
        out.push_str("\nSurprises:\n");
        for odd in surprises {
            surprise(out, odd);
        }
    }
    if !told.otherwise.is_empty() {
        out.push_str("\nOther versions make something else of it:\n");
        for (versions, outcome) in &told.otherwise {
            let names: Vec<String> = versions.iter().map(release).collect();
            let head = format!("  {}: ", names.join(", "));
            paragraph(out, &head, "    ", &essence(outcome));
        }
    }
}

/// `2.15` of 2.15.8.
fn release(version: &Version) -> String {
    format!("{}.{}", version.major, version.minor)
}

fn essence(outcome: &Outcome) -> String {
    match &outcome.error {
        Some(error) if error.crash => "the kernel stops".into(),
        Some(error) => format!("fails: {}", error.message()),
        None if outcome.nis.is_empty() => "nothing besides lo".into(),
        None => outcome.nids().join(" "),
    }
}

fn failure(out: &mut String, told: &Told, error: &Error) {
    let what = match (error.crash, told.outcome.engine) {
        (true, _) => "DANGEROUS: do not load this".to_owned(),
        (false, Engine::Yaml) => match error.exit {
            Some(exit) => format!("The import fails (exit {exit})"),
            None => "The import fails".to_owned(),
        },
        (false, _) => "LNet does not start".to_owned(),
    };
    paragraph(out, "", "  ", &format!("{what}: {}", error.message()));
    if error.errno != 0 {
        let errno = format!("errno {} ({})", error.errno, errno_words(error.errno));
        let start = error.start_errno;
        let told = if told.outcome.engine == Engine::Yaml || error.errno == start {
            errno
        } else {
            let words = configure_words(start, told.outcome.version);
            format!("{errno}; lctl network up says: LNET configure error {start}: {words}")
        };
        paragraph(out, "  ", "  ", &told);
    }
    let who = if told.outcome.engine == Engine::Yaml { "lnetctl" } else { "console" };
    for line in &error.words {
        // The line that points into the string keeps its columns.
        let _ = writeln!(out, "  {who}: {line}");
    }
}

fn verdict(rule: &Rule) -> String {
    match &rule.verdict {
        Verdict::Applies { pattern, matched } => match (pattern, matched.as_slice()) {
            (Some(pattern), [first, rest @ ..]) => {
                let mut also = String::new();
                for (address, device) in rest {
                    let _ = write!(also, ", {address} on {device}");
                }
                format!("applies: {pattern} matches {} on {}{also}", first.0, first.1)
            }
            _ => "applies".into(),
        },
        Verdict::NoMatch => "no pattern matches an address of this host".into(),
        Verdict::NoPattern => "never applies: it has no pattern".into(),
        Verdict::Ignored(net) => format!("matches, but is left out: {net} is configured already"),
        Verdict::Skipped(why) => format!("left out: {why}"),
        Verdict::Refused => "refused".into(),
        Verdict::NotReached => "not reached".into(),
    }
}

fn surprise(out: &mut String, surprise: &Surprise) {
    paragraph(out, "  ", "    ", &format!("{}: {}", surprise.id, surprise.summary));
}

fn paragraph(out: &mut String, first: &str, next: &str, text: &str) {
    let width = WIDTH.saturating_sub(first.chars().count().max(next.chars().count())).max(20);
    for (index, line) in wrap(text, width).lines().enumerate() {
        let _ = writeln!(out, "{}{line}", if index == 0 { first } else { next });
    }
}

/// The machine form: the first source at the top, all of them in `sources`.
pub fn json(report: &Report) -> Value {
    let mut top = report.told.first().map(object).unwrap_or_default();
    let sources: Vec<Value> = report.told.iter().map(|t| Value::Object(object(t))).collect();
    top.insert("sources".into(), json!(sources));
    top.insert("running_nids".into(), json!(report.running));
    top.insert("problems".into(), surprises(&report.problems));
    top.insert("unread".into(), json!(report.unread));
    Value::Object(top)
}

fn object(told: &Told) -> Map<String, Value> {
    let Outcome { engine, version, rules, nis, error, surprises: odd, .. } = &told.outcome;
    let rules: Vec<Value> = rules.iter().map(rule_json).collect();
    let nis: Vec<Value> = nis
        .iter()
        .map(|ni| {
            json!({
                "nid": ni.nid(),
                "net": ni.net,
                "interface": ni.device,
                "named_interface": ni.named,
                "cpts": ni.cpts,
                "rule": ni.rule,
            })
        })
        .collect();
    let otherwise: Vec<Value> = told
        .otherwise
        .iter()
        .map(|(versions, out)| {
            let versions: Vec<String> = versions.iter().map(Version::to_string).collect();
            json!({ "versions": versions, "nids": out.nids(), "error": error_json(out.error.as_ref()) })
        })
        .collect();
    let value = json!({
        "nids": told.outcome.nids(),
        "error": error_json(error.as_ref()),
        "surprises": surprises(odd),
        "engine": engine.word(),
        "version": version.to_string(),
        "source": told.source,
        "rules": rules,
        "nis": nis,
        "otherwise": otherwise,
    });
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn error_json(error: Option<&Error>) -> Value {
    error.map_or(Value::Null, |error| {
        json!({
            "errno": (error.errno != 0).then_some(error.errno),
            "message": error.message(),
            "console": error.words,
            "exit_code": error.exit,
            "crashes": error.crash,
        })
    })
}

fn rule_json(rule: &Rule) -> Value {
    let (pattern, matched) = match &rule.verdict {
        Verdict::Applies { pattern, matched } => (pattern.clone(), matched.as_slice()),
        _ => (None, [].as_slice()),
    };
    let matched: Vec<Value> = matched
        .iter()
        .map(|(address, interface)| json!({ "address": address, "interface": interface }))
        .collect();
    json!({
        "text": rule.text,
        "verdict": rule.verdict.word(),
        "detail": verdict(rule),
        "pattern": pattern,
        "matched": matched,
        "dangerous": rule.dangerous,
    })
}

fn surprises(list: &[Surprise]) -> Value {
    list.iter().map(|s| json!({ "id": s.id, "summary": s.summary })).collect()
}
