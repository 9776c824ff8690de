//! The monotonic clock of this host.

use crate::sample::Mono;
use rustix::time::{ClockId, clock_gettime};

/// CLOCK_MONOTONIC now.
pub fn now() -> Mono {
    let t = clock_gettime(ClockId::Monotonic);
    Mono(t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64)
}
