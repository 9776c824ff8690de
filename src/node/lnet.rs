//! LNet: its stage, its NIs on the rails, their message rates.

mod rates;

pub use rates::{KindRates, NiRates};

use super::candidate::without_alias;
use super::events::{Log, span};
use super::rate::per_second32;
use super::{EventKind, Figure, Node, Rail, RailNi, SourceKind};
use crate::lnet::lifecycle::LnetStage;
use crate::sample::{Fact, Lnet, LnetFailure, LnetNi, Mono, Text, Unknown, Why};
use rates::Counts;
use std::collections::HashMap;
use std::net::IpAddr;

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
        LnetFailure::Failed(detail) => Unknown::new(Why::Unparsable, detail.clone()),
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
    sent: Option<u32>,
    received: Option<u32>,
    up: Option<bool>,
    sent_per_second: Figure,
    received_per_second: Figure,
    counts: Counts,
    rates: NiRates,
}

/// The NIs by NID.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    nis: HashMap<Text, Seen>,
    stage: Option<LnetStage>,
}

impl Memory {
    /// Takes a new reading: rates and events.
    pub(super) fn update(&mut self, lnet: &Lnet, log: &mut Log) {
        let stage = LnetStage::of(lnet);
        let staged = self.stage_events(stage, lnet, log);
        let Ok(answer) = &lnet.answer else {
            if stage != LnetStage::Unknown {
                self.nis.clear();
            }
            return;
        };
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
            self.nis.insert(ni.nid.clone(), Seen::new(ni, answer.at, old.as_ref()));
        }
        for nid in before.keys() {
            let subject = Text::new(nid.rsplit_once('@').map_or("lnet", |(_, net)| net));
            log.add(EventKind::NiDown, &subject, format!("NI {nid} is gone"));
        }
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
                Err(LnetFailure::Timeout(text) | LnetFailure::Failed(text)) => text.clone(),
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

    fn ni(&self, ni: &LnetNi) -> RailNi {
        let unknown = || Fact::unknown(Why::FirstSample, "a rate needs two answers");
        let seen = self.nis.get(&ni.nid);
        RailNi {
            net: Text::new(ni.net()),
            ni: ni.clone(),
            sent_per_second: seen.map_or_else(unknown, |s| s.sent_per_second.clone()),
            received_per_second: seen.map_or_else(unknown, |s| s.received_per_second.clone()),
            rates: seen.map_or_else(NiRates::first, |s| s.rates.clone()),
        }
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

impl Seen {
    fn new(ni: &LnetNi, at: Mono, old: Option<&Seen>) -> Self {
        let sent = ni.send_count.as_ref().ok().copied();
        let received = ni.recv_count.as_ref().ok().copied();
        let up = is_up(ni);
        // The same answer again is no new measurement.
        if let Some(old) = old.filter(|o| o.at == at) {
            return Self { up, ..old.clone() };
        }
        let rate = |before: Option<u32>, now: Option<u32>| match (old, before, now) {
            (Some(old), Some(before), Some(now)) => per_second32((old.at, before), (at, now)),
            (_, _, None) => Fact::unknown(Why::Absent, "not in the answer"),
            _ => Fact::unknown(Why::FirstSample, "a rate needs two answers"),
        };
        let counts = Counts::of(ni, at);
        Self {
            at,
            rates: old.map_or_else(NiRates::first, |old| NiRates::between(&old.counts, &counts)),
            counts,
            sent_per_second: rate(old.and_then(|o| o.sent), sent),
            received_per_second: rate(old.and_then(|o| o.received), received),
            sent,
            received,
            up,
        }
    }
}

/// Puts the NIs on their rails: by interface name (also of a child, a bond, an alias `ib0:1`),
/// else by address.
pub(super) fn assign(rails: &mut [Rail], lnet: &Lnet, memory: &Memory) {
    for rail in rails.iter_mut() {
        rail.lnet.clear();
    }
    for ni in lnet.answer.iter().flat_map(|a| &a.nets).flat_map(|n| &n.nis) {
        if ni.is_lo() {
            continue;
        }
        let address: Option<IpAddr> = ni.address().parse().ok();
        for rail in rails.iter_mut() {
            let on = if ni.interfaces.is_empty() {
                address.is_some_and(|a| rail.addresses.iter().any(|r| r.ip() == a))
            } else {
                ni.interfaces.iter().any(|i| is_name_of(rail, without_alias(i)))
            };
            if on {
                rail.lnet.push(memory.ni(ni));
            }
        }
    }
}

fn is_name_of(rail: &Rail, interface: &str) -> bool {
    rail.netdev.as_ref().is_some_and(|n| n.name == interface)
        || rail.children.iter().any(|c| c.name == interface)
        || rail.bond.as_ref().is_some_and(|b| b == interface)
}
