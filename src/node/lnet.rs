//! LNet: its stage, its NIs on the rails, and what its counts say.

mod counts;
mod growth;
mod nis;
mod peers;
mod rates;
mod shares;
mod volume;

pub use growth::NiGrowth;
pub use nis::{MessageKind, Messages, NiCredits, NiFailure, NiFigures};
pub use peers::{Peer, PeerCondition, PeerCount, PeerCounts, PeerNi, Peers};
pub use rates::{KindRates, NiRates};
pub use shares::NetFigures;
pub use volume::{LnetVolume, NodeCounter};

use super::candidate::without_alias;
use super::events::{Log, span};
use super::{EventKind, Node, Rail, RailNi, SourceKind};
use crate::lnet::lifecycle::LnetStage;
use crate::sample::{Fact, Lnet, LnetFailure, LnetNi, Mono, Reading, Text, Unknown, Why};
use growth::Recent;
use nis::NiCounts;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

/// What LNet's answers say when they are compared: rates, shares, who is worst.
#[derive(Clone, Debug)]
pub struct LnetFigures {
    /// The NIs of the newest answer in its order, without the loopback.
    pub nis: Vec<NiFigures>,
    /// Their nets.
    pub nets: Vec<NetFigures>,
    /// The node as a whole.
    pub volume: LnetVolume,
    /// The peers, or why they are not known.
    pub peers: Reading<Arc<Peers>>,
}

impl LnetFigures {
    /// An NI by its NID.
    pub fn ni(&self, nid: &str) -> Option<&NiFigures> {
        self.nis.iter().find(|ni| ni.nid == *nid)
    }
}

impl Default for LnetFigures {
    fn default() -> Self {
        Self {
            nis: Vec::new(),
            nets: Vec::new(),
            volume: LnetVolume::default(),
            peers: Err(Unknown::new(Why::FirstSample, "not asked yet")),
        }
    }
}

/// Why LNet's nets are not known; `None` where they are, or where it is known that there are none.
pub(super) fn unknown(lnet: &Lnet, source: SourceKind) -> Option<Unknown> {
    let failure = lnet.answer.as_ref().err()?;
    if LnetStage::of(lnet) != LnetStage::Unknown {
        return None;
    }
    Some(match failure {
        LnetFailure::NotInstalled | LnetFailure::NotLoaded | LnetFailure::NotConfigured => {
            // Without lnetctl nobody can say what a loaded module does.
            let loaded = lnet.modules.lnet == Some(true);
            let whether = if loaded { "is" } else { "may be" };
            let words = format!("the lnet module {whether} loaded, lnetctl is not installed");
            Unknown::new(Why::Absent, words)
        }
        LnetFailure::Denied(detail) => Unknown::new(Why::Denied, detail.clone()),
        LnetFailure::Timeout(detail) => Unknown::new(Why::Timeout, detail.clone()),
        LnetFailure::Failed(detail) | LnetFailure::CannotRun(detail) => {
            Unknown::new(Why::Unparsable, detail.clone())
        }
        LnetFailure::Pending if source == SourceKind::Capture => {
            Unknown::new(Why::Absent, "the capture holds no answer of lnetctl")
        }
        LnetFailure::Pending => Unknown::new(Why::FirstSample, "lnetctl has not answered yet"),
    })
}

/// Why an answer is not from now: the next one is late, or asking again failed.
pub(super) fn aged(node: &Node) -> Option<String> {
    let answer = node.lnet.answer.as_ref().ok()?;
    let why = match (&node.lnet.last_failure, node.lnet.waiting_since) {
        (Some(_), _) => "asking again failed",
        (None, Some(_)) => "the next one is late",
        (None, None) => return None,
    };
    let age = span(node.time.mono.since(answer.at));
    Some(format!("the answer is {age} old: {why}"))
}

/// Up only if the status says so and the LND does not say that the link is gone: the two can
/// disagree (2.17.0).
fn is_up(ni: &LnetNi) -> Option<bool> {
    let status = ni.status.as_ref().ok()?;
    Some(status == "up" && !ni.fatal_error.as_ref().is_ok_and(|f| *f != 0))
}

/// What is remembered of an NI between two answers.
#[derive(Clone, Debug)]
struct Seen {
    at: Mono,
    counts: NiCounts,
    up: Option<bool>,
}

/// What is remembered between two readings.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    nis: HashMap<Text, Seen>,
    recent: HashMap<Text, Recent>,
    stage: Option<LnetStage>,
    answered: Option<Mono>,
    volume: volume::Memory,
    peers: peers::Memory,
}

impl Memory {
    /// Takes a new reading: rates and events.
    pub(super) fn update(&mut self, lnet: &Lnet, figures: &mut LnetFigures, log: &mut Log) {
        self.update_nis(lnet, figures, log);
        self.volume.update(&lnet.more.stats, &mut figures.volume);
        let last = figures.peers.as_ref().ok();
        figures.peers = match &lnet.more.peers {
            Ok(answer) => Ok(self.peers.update(answer, own(lnet), last)),
            Err(unknown) => {
                self.peers.forget();
                Err(unknown.clone())
            }
        };
    }

    fn update_nis(&mut self, lnet: &Lnet, figures: &mut LnetFigures, log: &mut Log) {
        let stage = LnetStage::of(lnet);
        let staged = self.stage_events(stage, lnet, log);
        let Ok(answer) = &lnet.answer else {
            if stage != LnetStage::Unknown {
                self.nis.clear();
                self.recent.clear();
            }
            self.answered = None;
            figures.nis.clear();
            return;
        };
        // The same answer again is no new measurement.
        if self.answered == Some(answer.at) {
            nis::refresh_credits(&mut figures.nis, lnet);
            return;
        }
        self.answered = Some(answer.at);
        figures.nis.clear();
        let mut before = std::mem::take(&mut self.nis);
        for ni in answer.nets.iter().flat_map(|n| &n.nis).filter(|ni| !ni.is_lo()) {
            let old = before.remove(&ni.nid);
            match &old {
                Some(old) => ni_events(ni, old.up, log),
                None if !staged => {
                    let subject = Text::new(ni.net());
                    log.add(EventKind::NiUp, &subject, format!("NI {} added", ni.nid));
                }
                None => {}
            }
            let old = old.as_ref().map(|old| (&old.counts, answer.at.since(old.at)));
            let (rates, counts, reset) = nis::measure(ni, old, &lnet.more.credits);
            if reset {
                let words = format!(
                    "counts of NI {} began anew: reset, or the NI was removed and added",
                    ni.nid
                );
                log.add(EventKind::CounterReset, &rates.net, words);
            }
            figures.nis.push(rates);
            self.recent.entry(ni.nid.clone()).or_default().learn(ni, answer.at);
            let seen = Seen { at: answer.at, counts, up: is_up(ni) };
            self.nis.insert(ni.nid.clone(), seen);
        }
        for nid in before.keys() {
            self.recent.remove(nid);
            let subject = Text::new(nid.rsplit_once('@').map_or("lnet", |(_, net)| net));
            log.add(EventKind::NiDown, &subject, format!("NI {nid} is gone"));
        }
    }

    /// By how much the counters of an NI grew lately.
    pub(super) fn growth(&self, nid: &str) -> Option<NiGrowth> {
        self.recent.get(nid)?.growth()
    }

    /// True where the stage is new, so that its NIs are no news of their own.
    fn stage_events(&mut self, stage: LnetStage, lnet: &Lnet, log: &mut Log) -> bool {
        // What the modules alone tell before the first answer is no stage that LNet leaves.
        if matches!(lnet.answer, Err(LnetFailure::Pending)) {
            return self.stage.is_none();
        }
        let before = self.stage.replace(stage);
        let subject = Text::new("lnet");
        let Some(before) = before.filter(|b| *b != stage) else { return before.is_none() };
        if stage == LnetStage::Unknown {
            let why = match &lnet.answer {
                Err(
                    LnetFailure::Timeout(text)
                    | LnetFailure::Failed(text)
                    | LnetFailure::CannotRun(text),
                ) => text.clone(),
                _ => Text::default(),
            };
            log.add(EventKind::Lnet, &subject, format!("LNet cannot be asked any more: {why}"));
        } else if before != LnetStage::Unknown {
            let (a, b) = (before.words(), stage.words());
            log.add(EventKind::Lnet, &subject, format!("LNet is {b} (was {a})"));
        }
        let had_nis = |s| matches!(s, LnetStage::Configured | LnetStage::Up);
        !(had_nis(before) && had_nis(stage))
    }
}

/// What tells this node from its peers, where the nets are known.
fn own(lnet: &Lnet) -> Option<peers::Own> {
    let answer = lnet.answer.as_ref().ok()?;
    let nis = answer.nets.iter().flat_map(|net| &net.nis);
    Some(peers::Own {
        nids: nis.map(|ni| ni.nid.clone()).collect(),
        nets: Some(answer.nets.iter().map(|net| net.name.clone()).collect()),
    })
}

/// What follows from the rails and LNet together, at every sample: shares, what the ports carry.
pub(super) fn compare(figures: &mut LnetFigures, lnet: &Lnet, rails: &[Rail]) {
    figures.nets = shares::compute(&mut figures.nis, rails);
    volume::ports(&mut figures.volume, lnet.answer.as_ref().ok(), rails);
}

fn rail_ni(ni: &LnetNi, figures: &LnetFigures) -> RailNi {
    let unknown = || Fact::unknown(Why::FirstSample, "a rate needs two answers");
    let own = figures.ni(&ni.nid);
    RailNi {
        net: Text::new(ni.net()),
        ni: ni.clone(),
        sent_per_second: own.map_or_else(unknown, |o| o.sent.per_second.clone()),
        received_per_second: own.map_or_else(unknown, |o| o.received.per_second.clone()),
        rates: own.map_or_else(NiRates::first, NiRates::of),
    }
}

fn ni_events(ni: &LnetNi, before: Option<bool>, log: &mut Log) {
    let (Some(before), Some(now)) = (before, is_up(ni)) else { return };
    if before == now {
        return;
    }
    let kind = if now { EventKind::NiUp } else { EventKind::NiDown };
    let status = ni.status.as_ref().map_or("unknown", Text::as_str);
    let fatal = ni.fatal_error.as_ref().map_or(String::new(), |f| format!(", fatal_error {f}"));
    log.add(kind, &Text::new(ni.net()), format!("NI {} {status}{fatal}", ni.nid));
}

/// Puts the NIs on their rails: by interface name (also of a child, a bond, an alias `ib0:1`),
/// else by address.
pub(super) fn assign(rails: &mut [Rail], lnet: &Lnet, figures: &LnetFigures) {
    for rail in rails.iter_mut() {
        rail.lnet.clear();
    }
    for ni in lnet.answer.iter().flat_map(|a| &a.nets).flat_map(|n| &n.nis) {
        if ni.is_lo() {
            continue;
        }
        let address: Option<IpAddr> = ni.address().parse().ok();
        let named = |rail: &Rail| ni.interfaces.iter().any(|i| is_name_of(rail, without_alias(i)));
        // An interface that was renamed since LNet took it is found by its address.
        let by_name = rails.iter().any(named);
        for rail in rails.iter_mut() {
            let on = if by_name {
                named(rail)
            } else {
                address.is_some_and(|a| rail.addresses.iter().any(|r| r.ip() == a))
            };
            if on {
                rail.lnet.push(rail_ni(ni, figures));
            }
        }
    }
}

fn is_name_of(rail: &Rail, interface: &str) -> bool {
    rail.netdev.as_ref().is_some_and(|n| n.name == interface)
        || rail.children.iter().any(|c| c.name == interface)
        || rail.bond.as_ref().is_some_and(|b| b == interface)
}
