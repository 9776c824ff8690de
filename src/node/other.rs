//! The NICs that are no rails, together.

use super::candidate::Candidate;
use super::flow::FlowSource;
use super::identity::natural;
use super::join::IfRef;
use super::rate::{Meter, Nature, Outcome, Read};
use super::{Figure, Flow, OtherNics};
use crate::sample::{Fact, How, Mono, Reading, Sample, Text, Timed, Unknown, Why};
use std::sync::LazyLock;

pub(super) static RX_BYTES: LazyLock<Text> = LazyLock::new(|| Text::new("statistics/rx_bytes"));
pub(super) static TX_BYTES: LazyLock<Text> = LazyLock::new(|| Text::new("statistics/tx_bytes"));

/// Takes a byte counter of a netdev.
pub(super) fn netdev_bytes(
    meter: &mut Meter,
    file: &Text,
    bytes: &Timed<Reading<u64>>,
    now: Mono,
    ceiling: Option<f64>,
) -> Outcome {
    let read = Read { file, at: bytes.at, value: &bytes.value, unit: 1, nature: Nature::Wide };
    meter.update(std::iter::once(read), now, ceiling)
}

/// One NIC and its meters.
#[derive(Clone, Debug)]
struct Nic {
    name: Text,
    at: IfRef,
    rx: Meter,
    tx: Meter,
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Others {
    nics: Vec<Nic>,
}

impl Others {
    /// Takes the physical NICs that are no rails; what was measured before goes on.
    pub(super) fn replan<'a>(&mut self, candidates: impl Iterator<Item = &'a Candidate>) {
        let mut before = std::mem::take(&mut self.nics);
        for candidate in candidates {
            let Some(at) = candidate.slot.iface else { continue };
            let old = before.iter().position(|n| n.name == candidate.name);
            let nic = match old.map(|old| before.swap_remove(old)) {
                Some(nic) => Nic { at, ..nic },
                None => Nic {
                    name: candidate.name.clone(),
                    at,
                    rx: Meter::default(),
                    tx: Meter::default(),
                },
            };
            self.nics.push(nic);
        }
        self.nics.sort_by(|a, b| natural(&a.name, &b.name));
    }

    /// Takes a sample; the names only change with the plan.
    pub(super) fn advance(&mut self, sample: &Sample, other: &mut OtherNics) {
        let now = sample.time.mono;
        for nic in &mut self.nics {
            let Some(net) = nic.at.of(sample).0 else {
                nic.rx.update(std::iter::empty(), now, None);
                nic.tx.update(std::iter::empty(), now, None);
                continue;
            };
            let rx = netdev_bytes(&mut nic.rx, &RX_BYTES, &net.stats.rx_bytes, now, None);
            let tx = netdev_bytes(&mut nic.tx, &TX_BYTES, &net.stats.tx_bytes, now, None);
            other.rx.total_bytes = other.rx.total_bytes.saturating_add(rx.bytes);
            other.tx.total_bytes = other.tx.total_bytes.saturating_add(tx.bytes);
        }
        set(&mut other.rx, self.sum(|n| &n.rx));
        set(&mut other.tx, self.sum(|n| &n.tx));
    }

    pub(super) fn names(&self) -> Vec<Text> {
        self.nics.iter().map(|n| n.name.clone()).collect()
    }

    /// One NIC that cannot be read does not hide the others; a first sample hides the sum.
    fn sum(&self, side: impl Fn(&Nic) -> &Meter) -> Figure {
        if self.nics.is_empty() {
            return Fact::unknown(Why::NotApplicable, "no other NIC");
        }
        let mut total = 0.0;
        let mut without: Vec<(&Text, &Unknown)> = Vec::new();
        for nic in &self.nics {
            match &side(nic).figure().value {
                Ok(rate) => total += rate,
                Err(u) if u.why == Why::FirstSample => return Err(u.clone()).into(),
                Err(u) => without.push((&nic.name, u)),
            }
        }
        match without.first() {
            None => Fact::known(total),
            Some((name, why)) if without.len() == self.nics.len() => {
                Fact::unknown(why.why, format!("{name}: {}", why.detail))
            }
            Some((name, why)) => {
                Fact::known(total).qualified(How::Estimate, format!("without {name}: {why}"))
            }
        }
    }
}

fn set(flow: &mut Flow, rate: Figure) {
    let none = || Fact::unknown(Why::NotApplicable, "several NICs together");
    flow.source = rate.value.is_ok().then_some(FlowSource::Netdev);
    flow.ip_bytes_per_second = rate.clone();
    flow.bytes_per_second = rate;
    flow.utilisation_ratio = none();
    flow.share_ratio = none();
}
