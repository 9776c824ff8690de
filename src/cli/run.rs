//! `railtop run`: what a command does to the rails.

mod child;
mod compare;

use super::args::{Global, Run as Options};
use super::error::Failure;
use super::{open, rails};
use crate::fix::sh;
use crate::node::{Interval, Node};
use crate::read::clock;
use crate::report::json;
use crate::report::run::{self, Run};
use crate::sample::{Mono, Sample, Text};
use crate::source::{Pace, Source, SourceError};
use child::Child;
use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// So long the command waits for LNet's first answer: without it there are no groups.
const LNET_PATIENCE: Duration = Duration::from_secs(1);
/// So long the report waits for the last reads.
const END_PATIENCE: Duration = Duration::from_secs(3);
/// The pace of the last reads.
const END_PACE: Duration = Duration::from_millis(50);

/// So much of the command stands for it in the report.
const LABEL: usize = 50;

/// What the main thread hears of.
enum News {
    Sample(Box<Sample>),
    /// The source ended, or cannot go on.
    Over(Option<SourceError>),
    /// The command ended.
    Exit(child::Ended),
}

/// Runs the command as often as asked, reports, passes the last exit code on.
pub(super) fn run(global: &Global, options: &Options) -> Result<u8, Failure> {
    if !options.compare.is_empty() {
        return super::print(&compare::table(&options.compare, global.bits)?);
    }
    if global.from.is_some() {
        return Err(Failure::Usage("run measures this node: leave out --from".into()));
    }
    let source = rails::must_match(open::source(global)?, global)?;
    let pace = source.pace();
    let (tell, hear) = channel();
    let kind = source.kind();
    let samples = tell.clone();
    std::thread::Builder::new()
        .name("samples".into())
        .spawn(move || sample(source, &samples))
        .map_err(|e| Failure::Failed(Text::new(&format!("no thread for samples: {e}"))))?;
    let mut meter = Meter { hear, node: None, pace, interval: global.interval };
    meter.until_known(|sample| Node::new(global.settings(), kind, sample))?;
    let label = options.label.clone().unwrap_or_else(|| words(&options.command));
    let mut runs = Vec::new();
    let mut code = 0;
    for number in 1..=options.repeat {
        let (summary, ended) = meter.measure(&options.command, &tell)?;
        code = ended;
        let label = if options.repeat > 1 { format!("{label} #{number}") } else { label.clone() };
        runs.push(Run { label, exit_code: Some(ended), summary });
    }
    let mut told = String::new();
    for run in &runs {
        if options.json {
            told.push_str(&json::run(run).to_string());
            told.push('\n');
        } else {
            told.push_str(&run::text(run, global.bits));
        }
    }
    if runs.len() > 1 && !options.json {
        told.push('\n');
        let objects: Vec<serde_json::Value> = runs.iter().map(json::run).collect();
        told.push_str(&compare::side_by_side(&objects, global.bits)?);
        told.push_str(&compare::spread(&objects, global.bits));
    }
    report(&told, options.output.as_deref())?;
    Ok(code)
}

/// The words of the command as one would type them, near enough for a title.
fn words(command: &[OsString]) -> String {
    let all: Vec<String> = command.iter().map(|w| sh::word(&w.to_string_lossy())).collect();
    let whole = Text::new(&all.join(" "));
    let short: String = whole.chars().take(LABEL).collect();
    if short.len() < whole.len() { format!("{short}…") } else { short }
}

fn report(told: &str, to: Option<&Path>) -> Result<(), Failure> {
    let Some(path) = to else {
        // Whoever closed stderr does not want to read it.
        let _ = std::io::stderr().lock().write_all(told.as_bytes());
        return Ok(());
    };
    std::fs::write(path, told)
        .map_err(|e| Failure::Failed(Text::new(&format!("--output {}: {e}", path.display()))))
}

fn sample(mut source: Box<dyn Source>, tell: &Sender<News>) {
    loop {
        let news = match source.next() {
            Ok(Some(sample)) => News::Sample(Box::new(sample)),
            Ok(None) => News::Over(None),
            Err(e) => News::Over(Some(e)),
        };
        let over = matches!(news, News::Over(_));
        if tell.send(news).is_err() || over {
            return;
        }
    }
}

/// The node through the runs.
struct Meter {
    hear: Receiver<News>,
    node: Option<Node>,
    pace: Arc<Pace>,
    interval: Duration,
}

impl Meter {
    /// Reads until counters, and LNet's nets if it has any, are known.
    fn until_known(&mut self, first: impl Fn(&Sample) -> Node) -> Result<(), Failure> {
        let start = Instant::now();
        loop {
            let sample = match self.hear.recv() {
                Ok(News::Sample(sample)) => sample,
                Ok(News::Over(Some(e))) => return Err(e.into()),
                _ => return Err(Failure::Failed("no sample came".into())),
            };
            match &mut self.node {
                Some(node) => node.advance(&sample),
                None => self.node = Some(first(&sample)),
            }
            let read = self.node.as_ref().is_some_and(|n| n.full_at.is_some());
            let settled = sample.lnet.is_settled() || start.elapsed() >= LNET_PATIENCE;
            if read && settled || start.elapsed() >= END_PATIENCE {
                return Ok(());
            }
        }
    }

    /// Runs the command once.
    fn measure(
        &mut self,
        command: &[OsString],
        tell: &Sender<News>,
    ) -> Result<(crate::node::IntervalSummary, u8), Failure> {
        self.pace.set(END_PACE.min(self.interval));
        self.reads_after(clock::now(), 1)?;
        self.pace.set(self.interval);
        let Some(node) = &mut self.node else { return Err(Failure::Failed("no node".into())) };
        let mut interval = Interval::begin(node);
        let tell = tell.clone();
        let child = Child::start(command, move |ended| {
            let _ = tell.send(News::Exit(ended));
        })?;
        let ended = loop {
            match self.hear.recv() {
                Ok(News::Sample(sample)) => {
                    node.advance(&sample);
                    interval.add(node);
                }
                Ok(News::Exit(ended)) => break ended,
                // The command goes on without its meter.
                Ok(News::Over(_)) => {}
                Err(_) => return Err(Failure::Failed("the reading threads ended".into())),
            }
        };
        drop(child);
        self.pace.set(END_PACE.min(self.interval));
        let summary = interval.end(self.reads_after(ended.at, 2)?, ended.lasted);
        self.pace.set(self.interval);
        Ok((summary, ended.code))
    }

    /// Reads on until so many passes ended after that time: of two, every counter of the second
    /// was read after it.
    fn reads_after(&mut self, end: Mono, wanted: u32) -> Result<&Node, Failure> {
        let Some(node) = &mut self.node else { return Err(Failure::Failed("no node".into())) };
        let deadline = Instant::now() + END_PATIENCE;
        let mut passes = 0;
        while passes < wanted {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.hear.recv_timeout(left) {
                Ok(News::Sample(sample)) => {
                    let before = node.full_at;
                    node.advance(&sample);
                    let live = node.source == crate::node::SourceKind::Live;
                    let after = !live || node.full_at.is_some_and(|at| at > end);
                    passes += u32::from(node.full_at != before && after);
                }
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        Ok(node)
    }
}
