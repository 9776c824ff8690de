//! What a node remembers between samples, and how a sample is taken in.

use super::candidate::{self, Candidate};
use super::choose::{self, Choice, Mode, Patterns};
use super::events::Log;
use super::row::{self, Track};
use super::settle;
use super::shape::Shape;
use super::{
    ConfiguredGroup, ConfiguredName, EventKind, Node, Presence, Rail, Settings, astray, grouping,
    limits, lnet, other, route_events, traffic, view, windows,
};
use crate::sample::{Link, Reading, Sample, SampleTime, Text, Unknown, Why};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// The memory of a node.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    include: Patterns,
    exclude: Patterns,
    configured: Vec<(Text, Patterns)>,
    names: Vec<ConfiguredName>,
    mode: Mode,
    unmatched: BTreeSet<usize>,
    shape: Option<Shape>,
    /// The readers do not agree yet: look again, even if nothing changes.
    unsettled: bool,
    link_names: route_events::LinkNames,
    tracks: Vec<Track>,
    lnet: lnet::Memory,
    others: other::Others,
    windows: windows::Windows,
    astray: astray::Memory,
    last_full: Option<SampleTime>,
}

impl State {
    /// The memory of a node that has seen nothing yet.
    pub(super) fn new(settings: Settings) -> Self {
        let (include, exclude) = choose::patterns(&settings);
        let group = |g: ConfiguredGroup| (Text::from(g.name), Patterns::new(&g.rails));
        let configured = settings.groups.into_iter().map(group).collect();
        Self { include, exclude, configured, names: settings.names, ..Self::default() }
    }

    /// Include patterns that match nothing.
    pub(super) fn unmatched(&self) -> Vec<&str> {
        let places = self.include.texts().enumerate();
        places.filter(|(at, _)| self.unmatched.contains(at)).map(|(_, text)| text).collect()
    }

    /// By how much the counters of an NI grew lately.
    pub(super) fn ni_growth(&self, nid: &str) -> Option<lnet::NiGrowth> {
        self.lnet.growth(nid)
    }

    /// What stands behind the rails, in their order.
    pub(super) fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    /// Takes a sample in.
    pub(super) fn advance(&mut self, node: &mut Node, sample: &Sample) {
        let first = self.shape.is_none();
        let mut log = Log::new(sample.time, first);
        let reshaped = self.unsettled || !self.shape.as_ref().is_some_and(|s| s.fits(sample));
        if reshaped {
            self.replan(node, sample, &mut log);
        }
        let full = self.refresh(node, sample, &mut log);
        if full {
            node.full_at = Some(sample.time.mono);
            let before = self.last_full.replace(sample.time);
            let took = before.map(|b| sample.time.mono.since(b.mono));
            node.measured_interval = took.or(node.measured_interval);
        }
        if first || !same_links(&node.links, &sample.links) {
            self.link_names.learn(&sample.links);
        }
        let moved = first || !Arc::ptr_eq(&node.routing, &sample.routing);
        if reshaped || moved {
            self.addresses(node, sample);
        }
        let told = first || !Arc::ptr_eq(&node.lnet, &sample.lnet);
        if told {
            self.lnet.update(&sample.lnet, &mut node.lnet_figures, &mut log);
        }
        if told || moved || reshaped {
            lnet::assign(&mut node.rails, &sample.lnet, &node.lnet_figures);
        }
        let mut regroup = reshaped;
        for (rail, track) in node.rails.iter().zip(&mut self.tracks) {
            if told || moved || reshaped {
                regroup |= track.ties.learn(rail, &sample.lnet);
            }
        }
        if regroup {
            node.groups = grouping::groups(&node.rails, &self.tracks, &self.configured);
        }
        let floor = node.policy.thresholds.balance_floor_ratio;
        grouping::balance(&mut node.groups, &mut node.rails, &self.tracks, floor);
        if full {
            let policy = Arc::clone(&node.policy);
            let parts = (&mut node.groups[..], &node.rails[..]);
            let (tracks, limits) = (&self.tracks, &policy.thresholds);
            self.windows.advance(sample.time.mono, parts, tracks, &node.marks, limits);
            node.astray = self.astray.advance(sample.time.mono, &node.rails);
        }
        lnet::compare(&mut node.lnet_figures, &sample.lnet, &node.rails);
        self.others.advance(sample, &mut node.other);
        if moved && !first {
            route_events::compare(&node.routing, &sample.routing, &self.link_names, &mut log);
        }
        for note in sample.notes.iter().filter(|n| !node.notes.contains(n)) {
            log.add(EventKind::Reader, &note.reader, note.what.clone());
        }
        take_parts(node, sample);
        self.shape = Some(Shape::of(sample));
        log.into_node(node);
    }

    /// Joins anew: which rails there are, and where.
    fn replan(&mut self, node: &mut Node, sample: &Sample, log: &mut Log) {
        let mut all = candidate::candidates(sample);
        candidate::christen(&mut all, &self.names);
        self.unsettled = settle::settle(&mut all, &mut node.rails, &mut self.tracks, sample);
        let names = |r: &Rail| (r.id.clone(), r.name.clone());
        let known: HashMap<Text, Text> = node.rails.iter().map(names).collect();
        candidate::settle_identities(&mut all, &known);
        let ids = known.into_keys().collect();
        let choice = choose::choose(&all, &self.include, &self.exclude, self.mode, &ids);
        let rows = self.rows(node, &all, &choice, sample, log);
        (node.rails, self.tracks) = rows.into_iter().unzip();
        let is_rail = |at: &usize| choice.rails.contains(at);
        let rest = all.iter().enumerate().filter(|(at, c)| !is_rail(at) && c.is_other_nic());
        self.others.replan(rest.map(|(_, c)| c));
        node.other.names = self.others.names();
        node.not_shown = choice.not_shown;
        node.choice_note = choice.note;
        self.mode = choice.mode;
        self.unmatched = choice.unmatched;
    }

    fn rows(
        &mut self,
        node: &mut Node,
        all: &[Candidate],
        choice: &Choice,
        sample: &Sample,
        log: &mut Log,
    ) -> Vec<(Rail, Track)> {
        let old = std::mem::take(&mut node.rails).into_iter().zip(std::mem::take(&mut self.tracks));
        let mut old: HashMap<Text, (Rail, Track)> = old.map(|p| (p.0.id.clone(), p)).collect();
        let same_mode = choice.mode == self.mode;
        let mut rows: Vec<(Rail, Track)> = Vec::with_capacity(choice.rails.len());
        for candidate in choice.rails.iter().filter_map(|at| all.get(*at)) {
            if let Some((mut rail, mut track)) = old.remove(&candidate.id) {
                row::again(&mut rail, &mut track, candidate, sample, log);
                rows.push((rail, track));
            } else {
                if same_mode {
                    log.add(EventKind::RailNew, &candidate.name, "appeared");
                }
                rows.push(row::new_row(candidate, sample.time));
            }
        }
        let unreadable = |r: &Unknown| r.why != Why::Absent;
        let blind = sample.rdma.as_ref().err().is_some_and(unreadable)
            || sample.netdevs.as_ref().err().is_some_and(unreadable);
        for (id, (mut rail, mut track)) in old {
            if all.iter().any(|c| c.id == id) {
                continue; // still there, but not chosen any more
            }
            if rail.presence == Presence::Present && settle::lives_on(all, &rail, &track) {
                continue;
            }
            track.slot = None;
            if !blind && rail.presence == Presence::Present {
                row::gone(&mut rail, &mut track, sample.time);
                log.add(EventKind::RailGone, &rail.name, "vanished");
            }
            rows.push((rail, track));
        }
        rows.sort_by(|a, b| a.1.order.compare(&b.1.order).then_with(|| a.0.id.cmp(&b.0.id)));
        rows
    }

    /// Everything of the rails that a pass reads; true if byte counters were read again.
    fn refresh(&mut self, node: &mut Node, sample: &Sample, log: &mut Log) -> bool {
        let mut full = false;
        let mut silent = Vec::new();
        for (place, (rail, track)) in node.rails.iter_mut().zip(&mut self.tracks).enumerate() {
            if track.slot.is_none() {
                if rail.presence == Presence::Present {
                    let why = Unknown::new(Why::Timeout, "this device could not be read");
                    traffic::silence(&mut rail.rx, &why);
                    traffic::silence(&mut rail.tx, &why);
                }
                silent.push(place);
                continue;
            }
            row::look(rail, track, sample, log);
            let seen = traffic::advance(rail, track, sample);
            let read_at = traffic::links_read_at(track, sample);
            limits::watch(rail, &mut track.pcie, read_at, seen.fresh);
            if !seen.resets.is_empty() {
                rail.counter_resets = rail.counter_resets.saturating_add(1);
                let names: Vec<&str> = seen.resets.iter().map(Text::as_str).collect();
                let text = format!("counters were reset: {}", names.join(", "));
                log.add(EventKind::CounterReset, &rail.name, text);
            }
            if seen.fresh {
                full = true;
                let at = traffic::read_at(track, sample).unwrap_or(sample.time.mono);
                row::point(rail, at);
            } else if traffic::charted(&rail.rx.bytes_per_second).is_none() {
                silent.push(place);
            }
            track.fresh = false;
        }
        if full {
            for place in silent {
                if let Some(rail) = node.rails.get_mut(place) {
                    row::point(rail, sample.time.mono);
                }
            }
        }
        limits::together(&mut node.rails, &mut self.tracks);
        full
    }

    fn addresses(&self, node: &mut Node, sample: &Sample) {
        for (rail, track) in node.rails.iter_mut().zip(&self.tracks) {
            let Some(slot) = &track.slot else { continue };
            let parts =
                slot.iface.iter().chain(&slot.children).chain(slot.bond.iter().map(|b| &b.1));
            let named = |at: &super::join::IfRef| {
                let netdev = view::netdev(sample, *at)?;
                Some((netdev.ifindex.ok()?, netdev.name))
            };
            let interfaces: Vec<(u32, Text)> = parts.filter_map(named).collect();
            let all = sample.routing.addresses.as_deref().unwrap_or_default();
            rail.addresses = view::addresses(all, &interfaces);
        }
    }
}

/// The very same list?
fn same_links(a: &Reading<Arc<Vec<Link>>>, b: &Reading<Arc<Vec<Link>>>) -> bool {
    matches!((a, b), (Ok(a), Ok(b)) if Arc::ptr_eq(a, b))
}

fn take_parts(node: &mut Node, sample: &Sample) {
    node.time = sample.time;
    node.cost = sample.cost.iter().map(|c| c.took).sum();
    if !Arc::ptr_eq(&node.host, &sample.host) {
        node.host = Arc::clone(&sample.host);
    }
    node.lnet = Arc::clone(&sample.lnet);
    node.links.clone_from(&sample.links);
    node.routing = Arc::clone(&sample.routing);
    node.sysctls = Arc::clone(&sample.sysctls);
    node.managers.clone_from(&sample.managers);
    node.notes.clone_from(&sample.notes);
}
