//! The model: what the samples mean.
//!
//! [`Node::advance`] joins a sample with what was known before: rails, groups, rates, balance,
//! history, events. It does no I/O and has no clock of its own. Every figure that a screen, a
//! report or a check shows exists here exactly once.

mod astray;
mod balance;
mod candidate;
mod capacity;
mod choose;
mod counter;
mod events;
mod flow;
mod group;
mod grouping;
mod health;
mod identity;
mod interval;
mod join;
mod limits;
mod link_rate;
mod lnet;
mod losses;
mod other;
mod policy;
mod rail;
mod rate;
mod route_events;
mod row;
mod settle;
mod shape;
mod state;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod traffic;
mod view;
mod windows;

pub use astray::Astray;
pub use counter::{
    Alarm, COUNTERS, CounterGroup, CounterInfo, CounterRecord, Since, counter, counter_named,
};
pub use flow::{Flow, FlowSource, History, HistoryPoint};
pub use group::{Balance, BalanceSide, Behind, Group, GroupOrigin, MarkBalance};
pub use health::{Congestion, Health};
pub use interval::{FlowSummary, GroupSummary, Interval, IntervalSummary, RailSummary};
pub use limits::{CeilingBy, Lanes, Limits, PcieLink, PciePath, Training};
pub use lnet::{
    KindRates, LnetFigures, LnetVolume, MessageKind, Messages, NetFigures, NiCredits, NiFailure,
    NiFigures, NiGrowth, NiRates, NodeCounter, Peer, PeerCondition, PeerCount, PeerCounts, PeerNi,
    Peers,
};
pub use losses::Losses;
pub use policy::{Policy, Thresholds};
pub use rail::{
    LinkRate, PortState, Presence, Rail, RailAddress, RailNetdev, RailNi, RailRdma, RateSource,
};

use crate::lnet::config::{Configured, configured};
pub use crate::lnet::lifecycle::LnetStage;
use crate::lnet::lifecycle::{Around, Lifecycle};
use crate::sample::{
    Fact, Host, Lnet, Note, Reading, Routing, Sample, SampleTime, Sysctls, Text, Unknown, Why,
};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// What the user chose: which rails, which groups, how much history.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `--rail`: globs over rail, netdev and RDMA names; empty is the default choice.
    pub include: Vec<String>,
    /// `--exclude`.
    pub exclude: Vec<String>,
    /// Groups named by the configuration.
    pub groups: Vec<ConfiguredGroup>,
    /// Names that the configuration gives to rails.
    pub names: Vec<ConfiguredName>,
    /// Addresses that the rails are meant to reach, by the configuration or `--peer`.
    pub peers: Vec<std::net::IpAddr>,
    /// How the node is to be judged.
    pub policy: Arc<Policy>,
    /// What the node should be.
    pub expected: Option<Arc<crate::expect::Manifest>>,
}

/// A name that the configuration gives to a rail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfiguredName {
    /// Interface, RDMA device or `device/port`.
    pub of: String,
    /// What the rail is called.
    pub name: String,
}

/// A group that the configuration makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfiguredGroup {
    /// Its name.
    pub name: String,
    /// Globs over rail, netdev and RDMA names.
    pub rails: Vec<String>,
}

/// Where the samples come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SourceKind {
    /// This node, now.
    #[default]
    Live,
    /// A capture directory or archive.
    Capture,
    /// A recording.
    Recording,
    /// A simulated node.
    Demo,
    /// Another node.
    Remote,
}

impl SourceKind {
    /// The word of the machine contract.
    pub fn word(self) -> &'static str {
        match self {
            SourceKind::Live => "live",
            SourceKind::Capture => "capture",
            SourceKind::Recording => "recording",
            SourceKind::Demo => "demo",
            SourceKind::Remote => "remote",
        }
    }
}

/// One node as it is known now.
#[derive(Clone, Debug)]
pub struct Node {
    /// Time of the newest sample.
    pub time: SampleTime,
    /// Where samples come from.
    pub source: SourceKind,
    /// When the byte counters were read last.
    pub full_at: Option<crate::sample::Mono>,
    /// Measured time between the two newest full passes.
    pub measured_interval: Option<Duration>,
    /// The host line.
    pub host: Arc<Host>,
    /// The rails, in their stable order (NUMA node, PCI address, port, natural name).
    pub rails: Vec<Rail>,
    /// Sets of rails that are meant to share load.
    pub groups: Vec<Group>,
    /// All other physical NICs together.
    pub other: OtherNics,
    /// Ports that could be rails and are not shown, with the reason in words
    /// ("2 RoCE ports not shown: --rail …").
    pub not_shown: Vec<NotShown>,
    /// Why these rails were chosen, when it is not the default InfiniBand choice:
    /// "no InfiniBand here: physical NICs shown".
    pub choice_note: Option<Text>,
    /// LNet as read.
    pub lnet: Arc<Lnet>,
    /// What LNet's answers say when they are compared.
    pub lnet_figures: LnetFigures,
    /// Links as read.
    pub links: Reading<Arc<Vec<crate::sample::Link>>>,
    /// Routes, rules, addresses as read.
    pub routing: Arc<Routing>,
    /// Sysctls as read.
    pub sysctls: Arc<Sysctls>,
    /// Who keeps the interfaces' configuration, where somebody looked.
    pub managers: Option<Arc<crate::sample::Managers>>,
    /// Addresses that the user named as peers.
    pub named_peers: Vec<std::net::IpAddr>,
    /// What happened, newest first, bounded.
    pub events: VecDeque<Event>,
    /// How many events there were, those that are no longer kept among them.
    pub event_count: u64,
    /// Marks of the user, oldest first.
    pub marks: Vec<Mark>,
    /// What the readers have to say.
    pub notes: Vec<Note>,
    /// Own reading cost of the newest pass.
    pub cost: Duration,
    /// Rails whose LNet messages other rails carry.
    pub astray: Vec<Astray>,
    /// How the node is to be judged.
    pub policy: Arc<Policy>,
    /// What the node should be, where a site says so.
    pub expected: Option<Arc<crate::expect::Manifest>>,
    /// What is remembered between samples.
    state: state::State,
}

/// The NICs that are no rails, together.
#[derive(Clone, Debug)]
pub struct OtherNics {
    /// Their names, natural order.
    pub names: Vec<Text>,
    /// Received by all of them.
    pub rx: Flow,
    /// Sent by all of them.
    pub tx: Flow,
}

/// Ports folded into one quiet line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotShown {
    /// What they are: "RoCE port", "virtual function".
    pub what: &'static str,
    /// Their names.
    pub names: Vec<Text>,
    /// How to show them.
    pub hint: Text,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When it was seen.
    pub time: SampleTime,
    /// The rail or subsystem it is about.
    pub subject: Text,
    /// What kind of thing.
    pub kind: EventKind,
    /// One sentence.
    pub text: Text,
}

/// Kinds of events; the words are part of the machine contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// A link lost its signal or carrier, or left ACTIVE.
    LinkDown,
    /// It came back.
    LinkUp,
    /// Rate or width changed.
    RateChange,
    /// LID, SM LID changed.
    LidChange,
    /// A counter went backwards.
    CounterReset,
    /// Error counters rose.
    Errors,
    /// LNet NI went down.
    NiDown,
    /// LNet NI came up.
    NiUp,
    /// LNet's stage changed.
    Lnet,
    /// Routes, rules or addresses changed.
    Routing,
    /// A rail vanished.
    RailGone,
    /// It came back.
    RailBack,
    /// A rail appeared that was not there before.
    RailNew,
    /// A rail has another name.
    Renamed,
    /// The state of a port changed without going up or down (INIT → ARMED).
    LinkState,
    /// The user set a mark.
    Mark,
    /// Something about railtop's own reading.
    Reader,
}

impl EventKind {
    /// Something was lost: it stands out until somebody has taken note of it.
    pub fn is_bad(self) -> bool {
        matches!(
            self,
            EventKind::LinkDown | EventKind::NiDown | EventKind::RailGone | EventKind::Errors
        )
    }

    /// The word of the machine contract.
    pub fn word(self) -> &'static str {
        match self {
            EventKind::LinkDown => "link_down",
            EventKind::LinkUp => "link_up",
            EventKind::RateChange => "rate_change",
            EventKind::LidChange => "lid_change",
            EventKind::CounterReset => "counter_reset",
            EventKind::Errors => "errors",
            EventKind::NiDown => "ni_down",
            EventKind::NiUp => "ni_up",
            EventKind::Lnet => "lnet",
            EventKind::Routing => "routing",
            EventKind::RailGone => "rail_gone",
            EventKind::RailBack => "rail_back",
            EventKind::RailNew => "rail_new",
            EventKind::Renamed => "renamed",
            EventKind::LinkState => "link_state",
            EventKind::Mark => "mark",
            EventKind::Reader => "reader",
        }
    }
}

/// A mark of the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// `A`, `B`, …
    pub name: Text,
    /// When.
    pub time: SampleTime,
}

/// Helper alias for figures.
pub type Figure = Fact<f64>;

impl Node {
    /// The first sample: everything known but rates.
    pub fn new(settings: Settings, source: SourceKind, sample: &Sample) -> Self {
        let first = Unknown::new(Why::FirstSample, "a rate needs two reads");
        let silent = || traffic::silent(&first);
        let mut node = Self {
            time: sample.time,
            source,
            full_at: None,
            measured_interval: None,
            host: Arc::clone(&sample.host),
            rails: Vec::new(),
            groups: Vec::new(),
            other: OtherNics { names: Vec::new(), rx: silent(), tx: silent() },
            not_shown: Vec::new(),
            choice_note: None,
            lnet: Arc::clone(&sample.lnet),
            lnet_figures: LnetFigures::default(),
            links: sample.links.clone(),
            routing: Arc::clone(&sample.routing),
            sysctls: Arc::clone(&sample.sysctls),
            managers: sample.managers.clone(),
            named_peers: settings.peers.clone(),
            events: VecDeque::new(),
            event_count: 0,
            marks: Vec::new(),
            notes: sample.notes.clone(),
            cost: Duration::ZERO,
            astray: Vec::new(),
            expected: settings.expected.clone(),
            policy: Arc::clone(&settings.policy),
            state: state::State::new(settings),
        };
        node.advance(sample);
        node
    }

    /// The next sample of the same source.
    pub fn advance(&mut self, sample: &Sample) {
        let mut state = std::mem::take(&mut self.state);
        state.advance(self, sample);
        self.state = state;
    }

    /// The user sets a mark now: `A`, `B`, … `Z`, `AA`, …
    pub fn mark(&mut self, time: SampleTime) {
        let mut name = String::new();
        let mut number = self.marks.len() + 1;
        while number > 0 {
            number -= 1;
            let letter = u8::try_from(number % 26).unwrap_or_default();
            name.insert(0, char::from(b'A' + letter));
            number /= 26;
        }
        let mark = Mark { name: Text::from(name), time };
        let text = Text::from(format!("mark {}", mark.name));
        self.events.push_front(Event {
            time,
            subject: Text::new("mark"),
            kind: EventKind::Mark,
            text,
        });
        self.events.truncate(events::KEEP);
        self.event_count += 1;
        self.marks.push(mark);
        self.rails.iter_mut().for_each(|rail| rail.health.mark());
    }

    /// Patterns of `--rail` that match nothing in the newest sample.
    pub fn unmatched_patterns(&self) -> Vec<&str> {
        self.state.unmatched()
    }

    /// How far LNet has come.
    pub fn lnet_stage(&self) -> LnetStage {
        LnetStage::of(&self.lnet)
    }

    /// By how much the counters of an NI grew within the last minute; `None` before the second
    /// answer.
    pub fn lnet_growth(&self, nid: &str) -> Option<NiGrowth> {
        self.state.ni_growth(nid)
    }

    /// LNet's life: where it is, what comes next, what would end it.
    pub fn lnet_lifecycle(&self) -> Lifecycle {
        self.lnet_lifecycle_with(&configured(&self.lnet.local))
    }

    /// The same, where the files that configure LNet have been taken apart already.
    pub(crate) fn lnet_lifecycle_with(&self, files: &Configured) -> Lifecycle {
        let present = || self.rails.iter().filter(|r| r.presence == Presence::Present);
        let around = Around {
            interfaces: present()
                .filter_map(|r| r.bond.clone().or(r.netdev.as_ref().map(|n| n.name.clone())))
                .fold(Vec::new(), |mut all, name| {
                    if !all.contains(&name) {
                        all.push(name);
                    }
                    all
                }),
            rdma: present().any(|r| r.rdma.is_some()),
            recorded: self.source == SourceKind::Capture,
        };
        Lifecycle::with(&self.lnet, &around, files)
    }

    /// Why LNet's nets are not known; `None` where they are, or where there are none.
    pub fn lnet_unknown(&self) -> Option<Unknown> {
        lnet::unknown(&self.lnet, self.source)
    }

    /// Why LNet's answer is not from now, if so.
    pub fn lnet_aged(&self) -> Option<String> {
        lnet::aged(self)
    }
}
