//! Times of samples and reads.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::ops::{Add, Sub};
use std::time::Duration;

/// A monotonic time in nanoseconds since an origin that one source keeps for its whole life.
///
/// Only differences mean anything; a clock step of the host does not touch it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Mono(pub u64);

impl Mono {
    /// Time from `earlier` to `self`, zero if `earlier` is later.
    pub fn since(self, earlier: Mono) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Mono {
    type Output = Mono;
    fn add(self, d: Duration) -> Mono {
        Mono(self.0.saturating_add(u64::try_from(d.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Duration> for Mono {
    type Output = Mono;
    fn sub(self, d: Duration) -> Mono {
        Mono(self.0.saturating_sub(u64::try_from(d.as_nanos()).unwrap_or(u64::MAX)))
    }
}

/// The time of a sample: for people (`wall`) and for arithmetic (`mono`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampleTime {
    /// Wall clock.
    pub wall: Timestamp,
    /// Monotonic clock of the source.
    pub mono: Mono,
}

impl SampleTime {
    /// The wall time of a monotonic time of the same source.
    pub fn wall_of(&self, mono: Mono) -> Timestamp {
        let back = self.mono.since(mono);
        let ahead = mono.since(self.mono);
        let moved = jiff::SignedDuration::try_from(ahead).unwrap_or_default()
            - jiff::SignedDuration::try_from(back).unwrap_or_default();
        self.wall.checked_add(moved).unwrap_or(self.wall)
    }
}

/// A value and the time at which it was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timed<T> {
    /// When the read returned.
    pub at: Mono,
    /// What it gave.
    pub value: T,
}
