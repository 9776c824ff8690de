//! `railtop stream`.

use super::args::{Global, Stream};
use super::error::Failure;
use super::{open, rails};
use crate::check::{self, Assessment};
use crate::node::{Figure, Node};
use crate::report::event_log::EventLog;
use crate::report::json;
use crate::source::Source;
use std::io::{self, BufWriter, Write};

/// Writes every sample until the source or the count ends.
pub(super) fn run(global: &Global, options: &Stream) -> Result<u8, Failure> {
    let source = rails::must_match(open::source(global)?, global)?;
    let out = BufWriter::new(io::stdout().lock());
    write(source, global, options, open::log(global)?, out)
}

fn write(
    mut source: Box<dyn Source>,
    global: &Global,
    options: &Stream,
    mut log: Option<EventLog>,
    mut out: impl Write,
) -> Result<u8, Failure> {
    let mut known: Option<Node> = None;
    let mut judge = check::Judge::default();
    let mut left = options.count.unwrap_or(u64::MAX);
    while left > 0 {
        let Some(sample) = source.next()? else { break };
        let node = match known.as_mut() {
            Some(node) => {
                node.advance(&sample);
                node
            }
            None => known.insert(Node::new(global.settings(), source.kind(), &sample)),
        };
        let assessment = judge.assess(node);
        if let Some(log) = &mut log {
            log.tell(node);
        }
        if options.text {
            lines(&mut out, node, &assessment, global.bits)?;
        } else {
            serde_json::to_writer(&mut out, &json::object(node, &assessment))
                .map_err(io::Error::from)?;
            out.write_all(b"\n")?;
        }
        out.flush()?;
        left -= 1;
    }
    Ok(0)
}

/// One line per rail, tabs between: time, rail, state, received, sent, verdict.
fn lines(out: &mut impl Write, node: &Node, judged: &Assessment, bits: bool) -> io::Result<()> {
    let time = node.time.wall.to_zoned(jiff::tz::TimeZone::system());
    let time = time.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z");
    for (index, rail) in node.rails.iter().enumerate() {
        let state = judged.rails.get(index);
        let word = state.map_or("-", |s| s.state_word.as_str());
        let verdict = state.map_or(check::Verdict::Unknown, |s| s.verdict);
        let rx = figure(&rail.rx.bytes_per_second, bits);
        let tx = figure(&rail.tx.bytes_per_second, bits);
        let verdict = verdict_word(verdict);
        writeln!(out, "{time}\t{}\t{word}\t{rx}\t{tx}\t{verdict}", rail.name)?;
    }
    Ok(())
}

/// A bare number for awk; `-` if it is not known.
fn figure(bytes: &Figure, bits: bool) -> String {
    let scale = if bits { 8.0 } else { 1.0 };
    bytes.ok().map_or_else(|| "-".into(), |b| format!("{:.0}", b * scale))
}

fn verdict_word(verdict: check::Verdict) -> &'static str {
    match verdict {
        check::Verdict::Ok => "ok",
        check::Verdict::Note => "note",
        check::Verdict::Warning => "warning",
        check::Verdict::Critical => "critical",
        check::Verdict::Unknown => "unknown",
        check::Verdict::NotApplicable => "not_applicable",
    }
}

#[cfg(test)]
mod tests;
