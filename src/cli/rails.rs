//! `--rail` must match something: a typo is not to end in an empty screen.

use super::args::Global;
use super::check::ROUTES_PATIENCE;
use super::error::Failure;
use crate::expect::Manifest;
use crate::node::{Node, Settings, SourceKind};
use crate::pattern;
use crate::sample::{Sample, Text};
use crate::source::{Pace, Source, SourceError};
use std::sync::Arc;
use std::time::Duration;

/// The same source, if every pattern of `--rail` matches a rail of its first whole sample.
pub(super) fn must_match(
    mut source: Box<dyn Source>,
    global: &Global,
) -> Result<Box<dyn Source>, Failure> {
    if global.rail.is_empty() {
        return Ok(source);
    }
    let mut start = None;
    while let Some(sample) = source.next()? {
        let start = *start.get_or_insert(sample.time.mono);
        let chosen = names(global.settings(), source.kind(), &sample);
        let Some(pattern) = unmatched(&global.rail, &chosen) else {
            return Ok(Box::new(Peeked { first: Some(sample), source }));
        };
        // On a busy node the first sample comes before the first dump of the links.
        let late = sample.time.mono.since(start) >= ROUTES_PATIENCE;
        if sample.links.is_ok() || late || source.kind() == SourceKind::Capture {
            let all = rails(&Node::new(Settings::default(), source.kind(), &sample));
            return Err(Failure::Usage(Text::new(&no_match(pattern, &all))));
        }
    }
    Ok(source)
}

/// All names of the rails that these settings choose. What `--exclude` takes away again did match.
fn names(settings: Settings, kind: SourceKind, sample: &Sample) -> Vec<String> {
    let settings = Settings { exclude: Vec::new(), ..settings };
    let node = Node::new(settings, kind, sample);
    node.rails.iter().flat_map(crate::node::Rail::names).map(str::to_owned).collect()
}

/// Their names as the first column shows them.
fn rails(node: &Node) -> Vec<String> {
    node.rails.iter().map(|rail| rail.name.to_string()).collect()
}

/// The first pattern that matches none of the names.
fn unmatched<'a>(patterns: &'a [String], names: &[String]) -> Option<&'a str> {
    let matches = |pattern: &str| {
        pattern::parse(pattern).is_ok_and(|glob| names.iter().any(|name| glob.matches(name)))
    };
    patterns.iter().map(String::as_str).find(|pattern| !matches(pattern))
}

/// What must be there of a manifest, when the command line asks for some rails only. The choice of
/// the configuration is the one that the manifest was learned with.
pub(super) fn asked_for(global: &Global, manifest: &mut Manifest) {
    if global.rail.is_empty() && global.exclude.is_empty() {
        return;
    }
    manifest.set_aside(|rail| {
        let names = [rail.name.clone(), rail.id.clone()];
        let matches = |p: &String| unmatched(std::slice::from_ref(p), &names).is_none();
        (global.rail.is_empty() || global.rail.iter().any(matches))
            && !global.exclude.iter().any(matches)
    });
}

fn no_match(pattern: &str, rails: &[String]) -> String {
    let there = if rails.is_empty() { "none".into() } else { rails.join(", ") };
    format!("no rail matches {pattern:?}; there are: {there}")
}

/// A source whose first sample was looked at already.
struct Peeked {
    first: Option<Sample>,
    source: Box<dyn Source>,
}

impl Source for Peeked {
    fn next(&mut self) -> Result<Option<Sample>, SourceError> {
        match self.first.take() {
            Some(sample) => Ok(Some(sample)),
            None => self.source.next(),
        }
    }
    fn kind(&self) -> SourceKind {
        self.source.kind()
    }
    fn label(&self) -> String {
        self.source.label()
    }
    fn pace(&self) -> Arc<Pace> {
        self.source.pace()
    }
    fn shows_after(&self) -> Duration {
        self.source.shows_after()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(|n| (*n).to_owned()).collect()
    }

    #[test]
    fn every_pattern_must_match() {
        let names = owned(&["ib0", "mlx5_0", "mlx5_0/1", "ib1", "mlx5_1", "mlx5_1/1"]);
        assert_eq!(unmatched(&owned(&["ib*", "mlx5_0/1", "mlx5_[01]"]), &names), None);
        assert_eq!(unmatched(&owned(&["ib0", "ibx*"]), &names), Some("ibx*"));
        assert_eq!(
            no_match("ibx*", &owned(&["ib0", "ib1"])),
            "no rail matches \"ibx*\"; there are: ib0, ib1"
        );
    }
}
