//! Messages of an NI by kind, and its failures, per second.

use super::nis::{Messages, NiFigures};
use crate::node::Figure;
use crate::sample::{Fact, Why};

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

impl NiRates {
    /// Nothing is known yet.
    pub fn first() -> Self {
        let figure = || Fact::unknown(Why::FirstSample, "a rate needs two answers");
        let kinds = || KindRates { put: figure(), get: figure(), reply: figure(), ack: figure() };
        Self { sent: kinds(), received: kinds(), failures: figure() }
    }

    /// Of what the NI's counts say.
    pub(super) fn of(ni: &NiFigures) -> Self {
        let failures = ni.failures.each_ref().map(|failure| &failure.per_second);
        Self {
            sent: KindRates::of(&ni.sent),
            received: KindRates::of(&ni.received),
            failures: super::shares::sum(failures),
        }
    }
}

impl KindRates {
    fn of(messages: &Messages) -> Self {
        let [put, get, reply, ack, _] = messages.kinds.clone();
        Self { put, get, reply, ack }
    }
}
