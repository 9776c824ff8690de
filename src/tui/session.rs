//! What a session saw, for a few words when it ends.

use super::view::paint::wrap;
use crate::check::{Assessment, Finding, Severity};
use crate::node::{EventKind, Interval, IntervalSummary, Node};
use crate::sample::{SampleTime, Text};
use std::time::Duration;

/// So many findings are remembered.
const KEPT: usize = 200;

/// A session that goes on.
#[derive(Debug)]
pub(crate) struct Session {
    interval: Interval,
    findings: Vec<Seen>,
    events: Vec<(EventKind, usize)>,
    counted: u64,
}

/// A finding that was there for a while.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) id: &'static str,
    pub(crate) severity: Severity,
    pub(crate) rails: Vec<Text>,
    pub(crate) first: SampleTime,
    pub(crate) last: SampleTime,
    /// It is still there.
    pub(crate) stays: bool,
}

/// A session that ended.
#[derive(Debug)]
pub(crate) struct Farewell {
    pub(crate) host: Option<Text>,
    pub(crate) summary: IntervalSummary,
    pub(crate) findings: Vec<Seen>,
    pub(crate) events: Vec<(EventKind, usize)>,
}

impl Session {
    pub(crate) fn begin(node: &Node) -> Self {
        Self {
            interval: Interval::begin(node),
            findings: Vec::new(),
            events: Vec::new(),
            counted: node.event_count,
        }
    }

    /// Takes a pass in.
    pub(crate) fn add(&mut self, node: &Node, assessment: &Assessment) {
        let new = node.event_count.saturating_sub(self.counted);
        self.counted = node.event_count;
        for event in node.events.iter().take(usize::try_from(new).unwrap_or(0)) {
            match self.events.iter_mut().find(|(kind, _)| *kind == event.kind) {
                Some((_, count)) => *count += 1,
                None => self.events.push((event.kind, 1)),
            }
        }
        for seen in &mut self.findings {
            seen.stays = false;
        }
        let room = self.findings.len() < KEPT;
        let roots = assessment.findings.iter();
        for finding in roots.filter(|f| f.caused_by.is_none() && f.severity > Severity::Note) {
            let same = |s: &&mut Seen| s.id == finding.id && s.rails == finding.rails;
            match self.findings.iter_mut().find(same) {
                Some(seen) => seen.severity = seen.severity.max(finding.severity),
                None if room => self.findings.push(Seen {
                    id: finding.id,
                    severity: finding.severity,
                    rails: finding.rails.clone(),
                    first: node.time,
                    last: node.time,
                    stays: true,
                }),
                None => {}
            }
        }
        // One that follows from another now is there all the same.
        for seen in &mut self.findings {
            let same = |f: &&Finding| f.id == seen.id && f.rails == seen.rails;
            if assessment.findings.iter().any(|f| same(&f)) {
                (seen.last, seen.stays) = (node.time, true);
            }
        }
    }

    /// How it was.
    pub(crate) fn end(&self, node: &Node) -> Farewell {
        let lasted: Duration = node.time.mono.since(self.interval.began().mono);
        Farewell {
            host: node.host.name.clone().ok(),
            summary: self.interval.end(node, lasted),
            findings: self.findings.clone(),
            events: self.events.clone(),
        }
    }
}

impl Farewell {
    /// A few lines for the normal screen: how long, what each rail moved and went through, what
    /// happened, what was found.
    pub(crate) fn words(&self, zone: &jiff::tz::TimeZone) -> String {
        use crate::units::{clock, duration_words, size};
        use std::fmt::Write;
        let host = self.host.as_deref().unwrap_or("this node");
        let lasted = duration_words(self.summary.lasted);
        let mut out = format!("railtop watched {host} for {lasted}\n");
        let width = self.summary.rails.iter().map(|r| r.name.chars().count()).max().unwrap_or(0);
        for rail in &self.summary.rails {
            let bytes = |flow: &crate::node::FlowSummary| {
                flow.bytes.ok().map_or_else(|| "–".to_owned(), |b| size(*b))
            };
            let of_rail = self.findings.iter().filter(|f| f.rails.contains(&rail.name));
            let worst = match of_rail.map(|f| f.severity).max() {
                Some(Severity::Critical) => "was CRITICAL",
                Some(Severity::Warning) => "had warnings",
                _ => "was well",
            };
            let (rx, tx) = (bytes(&rail.rx), bytes(&rail.tx));
            let _ =
                writeln!(out, "  {:width$}  RX {rx:>9}  TX {tx:>9}  {worst}", rail.name.as_str());
        }
        for seen in &self.findings {
            let rails: Vec<&str> = seen.rails.iter().map(Text::as_str).collect();
            let from = clock(seen.first.wall, zone);
            let until = if seen.stays {
                "still there".to_owned()
            } else {
                format!("gone {}", clock(seen.last.wall, zone))
            };
            let _ = writeln!(out, "  {from}  {}  {}, {until}", seen.id, rails.join(","));
        }
        if !self.events.is_empty() {
            let count =
                |(kind, n): &(EventKind, usize)| format!("{} {n}", kind.word().replace('_', " "));
            let counts: Vec<String> = self.events.iter().map(count).collect();
            // As an 80-column screen has room for.
            for line in wrap(&format!("events: {}", counts.join(", ")), 76) {
                let _ = writeln!(out, "  {line}");
            }
        }
        out
    }
}
