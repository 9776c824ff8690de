//! Messages of an NI by kind, and its failures, per second.

use crate::node::Figure;
use crate::node::rate::per_second32;
use crate::sample::{Fact, LnetNi, Mono, Reading, Unknown, Why};

/// What an NI sends, receives and fails at, per second.
#[derive(Clone, Debug, PartialEq)]
pub struct NiRates {
    /// `sent_stats`.
    pub sent: KindRates,
    /// `received_stats`.
    pub received: KindRates,
    /// `health stats`: local failures of all kinds together, each of which takes
    /// `health_sensitivity` off the NI's health.
    pub failures: Figure,
}

/// Messages per second by kind.
#[derive(Clone, Debug, PartialEq)]
pub struct KindRates {
    /// Data or a request is put to the other side.
    pub put: Figure,
    /// Data is asked for.
    pub get: Figure,
    /// The answer to a GET: it goes back the way the GET came.
    pub reply: Figure,
    /// The answer to a PUT: it goes back the way the PUT came.
    pub ack: Figure,
}

impl KindRates {
    /// PUT and GET together: those whose sender chose the NI. Unknown if one is.
    pub fn requests(&self) -> Option<f64> {
        Some(self.put.ok()? + self.get.ok()?)
    }
}

const KINDS: [&str; 4] = ["put", "get", "reply", "ack"];
const FAILURES: [&str; 6] = ["interrupts", "dropped", "aborted", "no route", "timeouts", "error"];

/// The counters of one answer; 32 bits, they wrap.
#[derive(Clone, Debug)]
pub(super) struct Counts {
    at: Mono,
    sent: [Reading<u32>; 4],
    received: [Reading<u32>; 4],
    failures: Reading<u32>,
}

impl Counts {
    pub(super) fn of(ni: &LnetNi, at: Mono) -> Self {
        let group = |name: &str| KINDS.map(|kind| ni.number(&format!("{name}/{kind}")));
        let failure = |kind: &str| ni.number::<u32>(&format!("health stats/{kind}"));
        let sum = FAILURES
            .into_iter()
            .try_fold(0u32, |sum, kind| Ok::<_, Unknown>(sum.wrapping_add(failure(kind)?)));
        Self { at, sent: group("sent_stats"), received: group("received_stats"), failures: sum }
    }
}

impl NiRates {
    /// Nothing is known yet.
    pub fn first() -> Self {
        let figure = || Fact::unknown(Why::FirstSample, "a rate needs two answers");
        let kinds = || KindRates { put: figure(), get: figure(), reply: figure(), ack: figure() };
        Self { sent: kinds(), received: kinds(), failures: figure() }
    }

    pub(super) fn between(old: &Counts, new: &Counts) -> Self {
        let rate = |a: &Reading<u32>, b: &Reading<u32>| match (a, b) {
            (Ok(a), Ok(b)) => per_second32((old.at, *a), (new.at, *b)),
            (_, Err(why)) => Err(why.clone()).into(),
            (Err(_), Ok(_)) => Fact::unknown(Why::FirstSample, "a rate needs two answers"),
        };
        let kinds = |a: &[Reading<u32>; 4], b: &[Reading<u32>; 4]| {
            let [put, get, reply, ack] = [0, 1, 2, 3].map(|i: usize| match (a.get(i), b.get(i)) {
                (Some(a), Some(b)) => rate(a, b),
                _ => Fact::unknown(Why::Absent, ""),
            });
            KindRates { put, get, reply, ack }
        };
        Self {
            sent: kinds(&old.sent, &new.sent),
            received: kinds(&old.received, &new.received),
            failures: rate(&old.failures, &new.failures),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::testkit::lnet_ni;

    fn ni(put: u32, timeouts: u32) -> LnetNi {
        let mut ni = lnet_ni("10.0.0.1@o2ib");
        let mut add = |path: String, n: u32| ni.more.push((path.into(), n.to_string().into()));
        for kind in KINDS {
            add(format!("sent_stats/{kind}"), if kind == "put" { put } else { 7 });
        }
        for kind in FAILURES {
            add(format!("health stats/{kind}"), if kind == "timeouts" { timeouts } else { 1 });
        }
        ni
    }

    #[test]
    fn each_kind_has_its_rate_across_a_wrap() {
        let second = Mono(1_000_000_000);
        let old = Counts::of(&ni(u32::MAX - 9, 3), Mono(0));
        let rates = NiRates::between(&old, &Counts::of(&ni(90, 5), second));
        assert_eq!((rates.sent.put.value, rates.sent.get.value), (Ok(100.0), Ok(0.0)));
        assert_eq!(rates.failures.value, Ok(2.0));
        assert_eq!(rates.received.put.value.unwrap_err().why, Why::Absent);
        assert_eq!(NiRates::between(&old, &old).received.requests(), None);
    }
}
