//! `railtop check`: one report, and an exit code for scripts.

use super::args::{Check, Format, Global};
use super::error::Failure;
use super::{expect, open, peers, rails};
use crate::check::{self, Assessment, Verdict};
use crate::node::{Node, RailNi, Settings, SourceKind};
use crate::report::{json, junit, nagios, text};
use crate::sample::{Lnet, LnetFailure, Mono, Sample, Why};
use crate::source::Source;
use std::time::Duration;

/// So long a live check waits for the first answers of `lnetctl`.
const LNET_PATIENCE: Duration = Duration::from_secs(5);
/// So long for the very first one where LNet is loaded: until `lnetctl` has been given up, so that
/// this can be told.
const LNET_GIVEN_UP: Duration = Duration::from_secs(8);
/// So long where the module is not loaded and an `lnetctl` was named.
const UNLOADED_PATIENCE: Duration = Duration::from_secs(2);
/// So long a live command waits for the first dump of the routes.
pub(super) const ROUTES_PATIENCE: Duration = Duration::from_secs(5);

/// The exit code of what could not be judged.
const UNKNOWN: u8 = 3;
/// So long it waits for the files of the network managers.
const MANAGERS_PATIENCE: Duration = Duration::from_secs(2);

/// Reads what a judgement needs, judges, prints.
///
/// What fails says so with 3, "could not be judged": 1 and 2 are verdicts here. Who reads plugins
/// reads stdout only.
pub(super) fn run(global: &Global, options: &Check) -> Result<u8, Failure> {
    judged(global, options).map_err(|failure| {
        let plugin = options.format == Format::Nagios && !options.json;
        if let (true, Failure::Usage(why) | Failure::Failed(why)) = (plugin, &failure) {
            // Where stdout fails there is nobody to tell.
            let _ = super::print(&nagios::failed(why));
        }
        match failure {
            Failure::Failed(why) => Failure::As(why, UNKNOWN),
            other => other,
        }
    })
}

fn judged(global: &Global, options: &Check) -> Result<u8, Failure> {
    let mut global = global.clone();
    global.in_force.ignore.extend(options.ignore.iter().cloned());
    global.only.clone_from(&options.only);
    if let Some(file) = &options.expect {
        global.expected = Some(expect::read(&global, file)?);
    }
    let peers = peers::open(&options.peers, &global)?;
    let source = rails::must_match(open::for_report(&global)?, &global)?;
    let node = settled(source, &global, &peers.settings(&global))?;
    let assessment = check::assess_with(&node, &peers.nodes);
    let format = if options.json { Format::Json } else { options.format };
    let report = match format {
        Format::Text => text::report(&node, &assessment),
        Format::Json => format!("{}\n", json::object_with_not_checked(&node, &assessment)),
        Format::Nagios => nagios::report(&node, &assessment),
        Format::Junit => junit::report(&node, &assessment),
    };
    super::print(&report)?;
    Ok(exit_code(&assessment))
}

/// 0 healthy, 1 warnings, 2 critical, 3 no rail could be judged.
fn exit_code(assessment: &Assessment) -> u8 {
    match assessment.verdict {
        Verdict::Ok | Verdict::Note => 0,
        Verdict::Warning => 1,
        Verdict::Critical => 2,
        Verdict::Unknown | Verdict::NotApplicable => UNKNOWN,
    }
}

/// A node with rates: two samples one interval apart, or all of a capture.
pub(super) fn settled(
    mut source: Box<dyn Source>,
    global: &Global,
    settings: &Settings,
) -> Result<Node, Failure> {
    let mut node: Option<Node> = None;
    let mut first: Option<Mono> = None;
    while let Some(sample) = source.next()? {
        let start = *first.get_or_insert(sample.time.mono);
        let now = match node.take() {
            Some(mut node) => {
                node.advance(&sample);
                node
            }
            None => Node::new(settings.clone(), source.kind(), &sample),
        };
        let waited = sample.time.mono.since(start);
        // Who keeps the rails is read after the first routes, and decides what lasts.
        let kept = sample.managers.is_some() || source.kind() != SourceKind::Live;
        let enough = waited >= source.shows_after()
            && enough(&sample, waited, global.interval)
            && (kept || waited >= MANAGERS_PATIENCE.max(global.interval * 3))
            && (knows_messages(&now) || waited >= LNET_PATIENCE.max(global.interval * 3));
        node = Some(now);
        if source.kind() != SourceKind::Capture && enough {
            break;
        }
    }
    node.ok_or_else(|| Failure::Usage("the capture holds no sample".into()))
}

/// The rates of LNet's messages take two answers, which come a pass later each.
fn knows_messages(node: &Node) -> bool {
    let first = |ni: &RailNi| {
        ni.sent_per_second.value.as_ref().is_err_and(|unknown| unknown.why == Why::FirstSample)
    };
    !node.rails.iter().flat_map(|rail| &rail.lnet).any(first)
}

/// A node whose addresses and routes are read, as soon as that is so.
pub(super) fn first_whole(mut source: Box<dyn Source>, global: &Global) -> Result<Node, Failure> {
    let mut first: Option<Mono> = None;
    while let Some(sample) = source.next()? {
        let start = *first.get_or_insert(sample.time.mono);
        let waited = sample.time.mono.since(start);
        let late = waited >= ROUTES_PATIENCE;
        // LNet's peers are destinations.
        let whole = is_read(&sample) && (sample.lnet.is_settled() || waited >= LNET_PATIENCE);
        if whole || !is_read(&sample) && late || source.kind() == SourceKind::Capture {
            return Ok(Node::new(global.settings(), source.kind(), &sample));
        }
    }
    Err(Failure::Usage("the capture holds no sample".into()))
}

/// The first dumps of links and routes have come.
fn is_read(sample: &Sample) -> bool {
    sample.routing.addresses.is_ok() && sample.links.is_ok()
}

/// Rates are there, and the kernel and LNet have answered or had their time.
fn enough(sample: &Sample, waited: Duration, interval: Duration) -> bool {
    let pending = !sample.lnet.is_settled();
    // Ticks come a little early or late.
    waited >= interval.mul_f64(0.9)
        && (is_read(sample) || waited >= ROUTES_PATIENCE)
        && (!pending || waited >= patience(&sample.lnet))
}

fn patience(lnet: &Lnet) -> Duration {
    match (lnet.modules.lnet, &lnet.answer) {
        (Some(true), Err(LnetFailure::Pending)) => LNET_GIVEN_UP,
        (Some(false), Err(LnetFailure::Pending)) => UNLOADED_PATIENCE,
        _ => LNET_PATIENCE,
    }
}
