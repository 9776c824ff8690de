//! What a node remembers between samples, and how a sample is taken in.

use super::choose::{self, Candidate, Choice, Mode, Patterns, Slot};
use super::events::{self, Lasted, Log};
use super::grouping::{self, Ties};
use super::identity::Order;
use super::traffic::{self, Meters};
use super::{
    ConfiguredGroup, EventKind, History, HistoryPoint, Node, Presence, Rail, Settings, link_rate,
    lnet, other, route_events, view,
};
use crate::sample::{
    Host, Link, Lnet, Netdev, RdmaDevice, Reading, Routing, Sample, SampleTime, Text, Unknown, Why,
};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Behind one rail: same place as in [`Node::rails`].
#[derive(Clone, Debug)]
pub(super) struct Track {
    /// Where it is in the samples; `None` while it is not there.
    pub slot: Option<Slot>,
    pub order: Order,
    pub rx: Meters,
    pub tx: Meters,
    pub ties: Ties,
    /// More than this is no rate, bytes per second.
    pub ceiling: Option<f64>,
    ifindex: Option<u32>,
    first_seen: SampleTime,
    /// It came in this pass: nothing to compare with.
    fresh: bool,
    /// The rate it had while it was last ACTIVE, in words.
    rate_words: Option<Text>,
}

/// The memory of a node.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    include: Patterns,
    exclude: Patterns,
    configured: Vec<(Text, Patterns)>,
    mode: Mode,
    unmatched: BTreeSet<usize>,
    shape: Option<Shape>,
    tracks: Vec<Track>,
    nis: lnet::Memory,
    others: other::Others,
    last_full: Option<SampleTime>,
}

/// The parts of a sample that decide what belongs together.
#[derive(Clone, Debug)]
struct Shape {
    netdevs: Reading<Vec<Arc<Netdev>>>,
    rdma: Reading<Vec<Arc<RdmaDevice>>>,
    links: Reading<Arc<Vec<Link>>>,
    routing: Arc<Routing>,
    lnet: Arc<Lnet>,
}

impl Shape {
    fn of(sample: &Sample) -> Self {
        Self {
            netdevs: sample.netdevs.clone(),
            rdma: sample.rdma.clone(),
            links: sample.links.clone(),
            routing: Arc::clone(&sample.routing),
            lnet: Arc::clone(&sample.lnet),
        }
    }

    /// Would the sample be joined as this one was?
    fn fits(&self, sample: &Sample) -> bool {
        same_list(&self.netdevs, &sample.netdevs, |a, b| {
            a.name == b.name && (Arc::ptr_eq(&a.attrs, &b.attrs) || a.attrs == b.attrs)
        }) && same_list(&self.rdma, &sample.rdma, |a, b| Arc::ptr_eq(a, b) || same_device(a, b))
            && same_links(&self.links, &sample.links)
            && (Arc::ptr_eq(&self.routing, &sample.routing)
                || self.routing.addresses == sample.routing.addresses)
            && (Arc::ptr_eq(&self.lnet, &sample.lnet) || same_nis(&self.lnet, &sample.lnet))
    }
}

fn same_list<T>(a: &Reading<Vec<T>>, b: &Reading<Vec<T>>, same: impl Fn(&T, &T) -> bool) -> bool {
    match (a, b) {
        (Ok(a), Ok(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Err(a), Err(b)) => a.why == b.why,
        _ => false,
    }
}

fn same_device(a: &RdmaDevice, b: &RdmaDevice) -> bool {
    a.name == b.name
        && (Arc::ptr_eq(&a.attrs, &b.attrs) || a.attrs == b.attrs)
        && a.ports.len() == b.ports.len()
        && a.ports.iter().zip(&b.ports).all(|(a, b)| {
            a.number == b.number
                && (Arc::ptr_eq(&a.attrs, &b.attrs)
                    || a.attrs.link_layer == b.attrs.link_layer
                        && a.attrs.gids == b.attrs.gids
                        && a.attrs.default_gid == b.attrs.default_gid)
        })
}

fn same_links(a: &Reading<Arc<Vec<Link>>>, b: &Reading<Arc<Vec<Link>>>) -> bool {
    let same = |a: &Link, b: &Link| {
        (a.index, a.kind, a.master, a.parent) == (b.index, b.kind, b.master, b.parent)
            && a.name == b.name
            && a.address == b.address
            && a.info_kind == b.info_kind
            && a.slave_kind == b.slave_kind
    };
    match (a, b) {
        (Ok(a), Ok(b)) => {
            Arc::ptr_eq(a, b)
                || a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(a, b))
        }
        (Err(a), Err(b)) => a.why == b.why,
        _ => false,
    }
}

fn same_nis(a: &Lnet, b: &Lnet) -> bool {
    let nis = |l: &'_ Lnet| -> Vec<(Text, Vec<Text>)> {
        let nets = l.answer.iter().flat_map(|a| &a.nets);
        nets.flat_map(|n| &n.nis).map(|ni| (ni.nid.clone(), ni.interfaces.clone())).collect()
    };
    nis(a) == nis(b)
}

impl State {
    /// The memory of a node that has seen nothing yet.
    pub(super) fn new(settings: Settings) -> Self {
        let (include, exclude) = choose::patterns(&settings);
        let group = |g: ConfiguredGroup| (Text::from(g.name), Patterns::new(&g.rails));
        let configured = settings.groups.into_iter().map(group).collect();
        Self { include, exclude, configured, ..Self::default() }
    }

    /// Include patterns that match nothing.
    pub(super) fn unmatched(&self) -> Vec<&str> {
        let places = self.include.texts().enumerate();
        places.filter(|(at, _)| self.unmatched.contains(at)).map(|(_, text)| text).collect()
    }

    /// Takes a sample in.
    pub(super) fn advance(&mut self, node: &mut Node, sample: &Sample) {
        let first = self.shape.is_none();
        let mut log = Log::new(sample.time, first);
        let reshaped = !self.shape.as_ref().is_some_and(|s| s.fits(sample));
        if reshaped {
            self.replan(node, sample, &mut log);
        }
        let full = self.refresh(node, sample, &mut log);
        if full {
            let before = self.last_full.replace(sample.time);
            let took = before.map(|b| sample.time.mono.since(b.mono));
            node.measured_interval = took.or(node.measured_interval);
        }
        let moved = first || !Arc::ptr_eq(&node.routing, &sample.routing);
        if reshaped || moved {
            self.addresses(node, sample);
        }
        let told = first || !Arc::ptr_eq(&node.lnet, &sample.lnet);
        if told {
            self.nis.update(&sample.lnet, &mut log);
        }
        if told || moved || reshaped {
            lnet::assign(&mut node.rails, &sample.lnet, &self.nis);
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
        grouping::balance(&mut node.groups, &mut node.rails, &self.tracks);
        self.others.advance(sample, &mut node.other);
        if moved && !first {
            route_events::compare(&node.routing, &sample.routing, &sample.links, &mut log);
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
        let mut all = choose::candidates(sample);
        let names = |r: &Rail| (r.id.clone(), r.name.clone());
        let known: HashMap<Text, Text> = node.rails.iter().map(names).collect();
        choose::settle_identities(&mut all, &known);
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
                again(&mut rail, &mut track, candidate, sample, log);
                rows.push((rail, track));
            } else {
                if same_mode {
                    log.add(EventKind::RailNew, &candidate.name, "appeared");
                }
                rows.push(new_row(candidate, sample.time));
            }
        }
        let unreadable = |r: &Unknown| r.why != Why::Absent;
        let blind = sample.rdma.as_ref().err().is_some_and(unreadable)
            || sample.netdevs.as_ref().err().is_some_and(unreadable);
        for (id, (mut rail, mut track)) in old {
            if all.iter().any(|c| c.id == id) {
                continue; // still there, but not chosen any more
            }
            track.slot = None;
            if !blind && rail.presence == Presence::Present {
                gone(&mut rail, sample.time);
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
                silent.push(place);
                continue;
            }
            look(rail, track, sample, log);
            let seen = traffic::advance(rail, track, sample);
            if !seen.resets.is_empty() {
                let names: Vec<&str> = seen.resets.iter().map(Text::as_str).collect();
                let text = format!("counters were reset: {}", names.join(", "));
                log.add(EventKind::CounterReset, &rail.name, text);
            }
            if seen.fresh {
                full = true;
                let at = traffic::read_at(track, sample).unwrap_or(sample.time.mono);
                point(rail, at);
            } else if traffic::charted(&rail.rx.bytes_per_second).is_none() {
                silent.push(place);
            }
            track.fresh = false;
        }
        if full {
            for place in silent {
                if let Some(rail) = node.rails.get_mut(place) {
                    point(rail, sample.time.mono);
                }
            }
        }
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

fn take_parts(node: &mut Node, sample: &Sample) {
    node.time = sample.time;
    node.cost = sample.cost.iter().map(|c| c.took).sum();
    if !Arc::ptr_eq(&node.host, &sample.host) {
        node.host = Arc::<Host>::clone(&sample.host);
    }
    node.lnet = Arc::clone(&sample.lnet);
    node.links = sample.links.clone();
    node.routing = Arc::clone(&sample.routing);
    node.sysctls = Arc::clone(&sample.sysctls);
    node.notes.clone_from(&sample.notes);
}

fn point(rail: &mut Rail, at: crate::sample::Mono) {
    let rx = traffic::charted(&rail.rx.bytes_per_second);
    let tx = traffic::charted(&rail.tx.bytes_per_second);
    rail.history.push(HistoryPoint { at, rx, tx });
}

fn new_row(candidate: &Candidate, time: SampleTime) -> (Rail, Track) {
    let first = Unknown::new(Why::FirstSample, "a rate needs two reads");
    let rail = Rail {
        id: candidate.id.clone(),
        name: candidate.name.clone(),
        presence: Presence::Present,
        rdma: None,
        netdev: None,
        children: Vec::new(),
        bond: None,
        addresses: Vec::new(),
        lnet: Vec::new(),
        rate: link_rate::nothing(&first),
        last_active_rate: None,
        rx: traffic::silent(&first),
        tx: traffic::silent(&first),
        history: History::default(),
        state_since: None,
        group: None,
        pci: candidate.pci.clone(),
    };
    let track = Track {
        slot: Some(candidate.slot.clone()),
        order: candidate.order.clone(),
        rx: Meters::default(),
        tx: Meters::default(),
        ties: Ties::default(),
        ceiling: None,
        ifindex: None,
        first_seen: time,
        fresh: true,
        rate_words: None,
    };
    (rail, track)
}

/// A row goes on, perhaps under another name, perhaps after a time of absence.
fn again(
    rail: &mut Rail,
    track: &mut Track,
    candidate: &Candidate,
    sample: &Sample,
    log: &mut Log,
) {
    let renamed = rail.name != candidate.name;
    let was = if renamed { format!(" (was {})", rail.name) } else { String::new() };
    if let Presence::Gone { since } = rail.presence {
        let span = events::span(sample.time.mono.since(since.mono));
        log.add(EventKind::RailBack, &candidate.name, format!("back after {span}{was}"));
        rail.presence = Presence::Present;
        rail.state_since = Some(sample.time);
        (track.rx, track.tx) = (Meters::default(), Meters::default());
        track.fresh = true;
    } else if renamed {
        log.add(EventKind::Renamed, &candidate.name, format!("new name{was}"));
    }
    rail.name = candidate.name.clone();
    rail.pci.clone_from(&candidate.pci);
    track.slot = Some(candidate.slot.clone());
    track.order = candidate.order.clone();
}

fn gone(rail: &mut Rail, since: SampleTime) {
    rail.presence = Presence::Gone { since };
    rail.state_since = Some(since);
    let why = view::gone();
    if let Some(rdma) = &mut rail.rdma {
        view::blank_rdma(rdma);
    }
    if let Some(netdev) = &mut rail.netdev {
        view::blank_netdev(netdev);
    }
    rail.children.clear();
    rail.addresses.clear();
    rail.rate = link_rate::nothing(&why);
    traffic::silence(&mut rail.rx, &why);
    traffic::silence(&mut rail.tx, &why);
}

/// States, names and rates of one rail, and what changed.
fn look(rail: &mut Rail, track: &mut Track, sample: &Sample, log: &mut Log) {
    let Some(slot) = &track.slot else { return };
    let rdma = view::rdma(sample, slot);
    let netdev = slot.iface.and_then(|at| view::netdev(sample, at));
    rail.children.clear();
    rail.children.extend(slot.children.iter().filter_map(|at| view::netdev(sample, *at)));
    rail.bond = slot.bond.as_ref().map(|(name, _)| name.clone());
    let old_rdma = std::mem::replace(&mut rail.rdma, rdma);
    let old_netdev = std::mem::replace(&mut rail.netdev, netdev);
    let lasted = Lasted {
        since: rail.state_since.unwrap_or(track.first_seen),
        seen_begin: rail.state_since.is_some(),
    };
    if !track.fresh {
        let mut changed = false;
        if let (Some(old), Some(new)) = (&old_rdma, &rail.rdma) {
            changed |= events::port_state(log, &rail.name, old, new, lasted);
            events::lids(log, &rail.name, old, new);
            events::errors(log, &rail.name, &old.counters, &new.counters);
        }
        // While the port is down the carrier follows it: one event is enough.
        let port_active = rail.rdma.as_ref().is_none_or(|r| r.state.is_active());
        if let (Some(old), Some(new)) = (&old_netdev, &rail.netdev)
            && port_active
            && !changed
        {
            changed |= events::carrier(log, &rail.name, old, new, lasted);
        }
        if changed {
            rail.state_since = Some(sample.time);
        }
    }
    let ifindex = rail.netdev.as_ref().and_then(|n| n.ifindex.as_ref().ok().copied());
    if track.ifindex.is_some() && ifindex.is_some() && track.ifindex != ifindex {
        track.rx.forget_ip();
        track.tx.forget_ip();
    }
    track.ifindex = ifindex.or(track.ifindex);
    rate(rail, track, log);
}

/// The link's rate, and whether it changed between two times of being ACTIVE.
fn rate(rail: &mut Rail, track: &mut Track, log: &mut Log) {
    rail.rate = link_rate::of(rail.rdma.as_ref(), rail.netdev.as_ref());
    let Some(usable) = rail.rate.usable_bits_per_second.ok() else { return };
    rail.last_active_rate = Some(*usable);
    let is_virtual =
        rail.netdev.as_ref().and_then(|n| n.attrs.as_ref()).is_some_and(|a| a.is_virtual);
    // What prints as SDR may be a rate that the kernel has no name for.
    let certain = rail.rate.usable_bits_per_second.qualified.is_none()
        && rail.rate.speed.ok().is_none_or(|s| s != "SDR" && !s.is_empty())
        && !is_virtual;
    if let Some(nominal) = rail.rate.nominal_bits_per_second.ok().filter(|_| certain) {
        track.ceiling = Some(track.ceiling.unwrap_or(0.0).max(nominal / 8.0));
    } else {
        track.ceiling = None;
    }
    let words = rate_words(&rail.rate);
    if let Some(before) = track.rate_words.as_ref().filter(|b| **b != words) {
        log.add(EventKind::RateChange, &rail.name, format!("link rate {before} is now {words}"));
    }
    track.rate_words = Some(words);
}

fn rate_words(rate: &super::LinkRate) -> Text {
    let nominal = rate.nominal_bits_per_second.ok().copied().unwrap_or_default() / 1e9;
    let lanes = match (rate.width.ok(), rate.speed.ok()) {
        (Some(width), Some(speed)) if !speed.is_empty() => format!(" {width}X {speed}"),
        (Some(width), _) => format!(" {width}X"),
        _ => String::new(),
    };
    Text::from(format!("{nominal} Gb/s{lanes}"))
}
