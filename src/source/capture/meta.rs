//! `meta.json` and the times of samples.

use crate::sample::{Mono, SampleTime, Text};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// Where derived monotonic times begin: far enough from zero for any look back.
const ORIGIN: Mono = Mono(3_600_000_000_000);
const DEFAULT_INTERVAL: Duration = Duration::from_secs(1);
const MAX_INTERVAL: Duration = Duration::from_hours(24);
/// No `meta.json` of ours is near that.
const MAX_SIZE: u64 = 64 << 10;

/// What a `meta.json` says; every field may be missing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Meta {
    pub(super) time: Option<Timestamp>,
    pub(super) monotonic: Option<Duration>,
    pub(super) interval: Option<Duration>,
    pub(super) host: Option<Text>,
    pub(super) kernel: Option<Text>,
    pub(super) uid: Option<u32>,
}

impl Meta {
    /// Reads the file of a directory: `Ok(None)` where there is none, `Err` in words where it
    /// cannot be understood.
    pub(super) fn of(dir: &Path) -> Result<Option<Self>, String> {
        use std::io::Read;
        let path = dir.join("meta.json");
        let file = match std::fs::File::open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(format!("meta.json: {e}")),
        };
        let mut bytes = Vec::new();
        file.take(MAX_SIZE).read_to_end(&mut bytes).map_err(|e| format!("meta.json: {e}"))?;
        Self::parse(&bytes).map(Some)
    }

    /// Understands what it can; fields of another type count as missing.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let text = bytes.trim_ascii_end();
        let end = text.iter().position(|b| *b == 0).unwrap_or(text.len());
        let value: Value = serde_json::from_slice(text.get(..end).unwrap_or_default())
            .map_err(|e| format!("meta.json is not JSON: {e}"))?;
        if !value.is_object() {
            return Err("meta.json is not an object".into());
        }
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        let seconds = |key: &str| {
            value.get(key).and_then(Value::as_f64).and_then(|s| Duration::try_from_secs_f64(s).ok())
        };
        Ok(Self {
            time: text("time").and_then(|t| t.parse().ok()),
            monotonic: seconds("monotonic_seconds").filter(|m| m.as_nanos() < u128::from(u64::MAX)),
            interval: seconds("interval_seconds").filter(|i| !i.is_zero() && *i <= MAX_INTERVAL),
            host: text("host").map(Text::new),
            kernel: text("kernel").map(Text::new),
            uid: value.get("uid").and_then(Value::as_u64).and_then(|u| u32::try_from(u).ok()),
        })
    }
}

/// The times of samples in their order; `fallback` stands for a missing time of the capture.
pub(super) fn times(top: &Meta, samples: &[Meta], fallback: Timestamp) -> Vec<SampleTime> {
    let interval = top.interval.unwrap_or(DEFAULT_INTERVAL);
    let start = top.time.unwrap_or(fallback);
    let walls: Vec<Timestamp> = (0u32..)
        .zip(samples)
        .map(|(i, meta)| {
            let offset = SignedDuration::try_from(interval.saturating_mul(i)).unwrap_or_default();
            meta.time.unwrap_or_else(|| start.checked_add(offset).unwrap_or(start))
        })
        .collect();
    let monos = told(samples).unwrap_or_else(|| derived(&walls, interval));
    walls.into_iter().zip(monos).map(|(wall, mono)| SampleTime { wall, mono }).collect()
}

/// The monotonic times as written, if every sample has one and they rise.
fn told(samples: &[Meta]) -> Option<Vec<Mono>> {
    let all: Option<Vec<Mono>> =
        samples.iter().map(|m| m.monotonic.map(|d| Mono::default() + d)).collect();
    all.filter(|monos| monos.is_sorted_by(|a, b| a < b))
}

/// Monotonic times from the wall clock; where that stands or steps back, one interval.
fn derived(walls: &[Timestamp], interval: Duration) -> Vec<Mono> {
    let mut mono = ORIGIN;
    let mut previous: Option<Timestamp> = None;
    walls
        .iter()
        .map(|wall| {
            if let Some(previous) = previous {
                let passed = Duration::try_from(wall.duration_since(previous)).unwrap_or_default();
                mono = mono + if passed.is_zero() { interval } else { passed };
            }
            previous = Some(*wall);
            mono
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn fields_are_read_and_wrong_types_are_missing() {
        let meta = Meta::parse(
            b"{\"time\":\"2026-01-15T14:00:00+01:00\",\"host\":\"n1\",\"uid\":\"x\",\"interval_seconds\":0.5}\0\0",
        )
        .unwrap();
        assert_eq!(meta.time, Some(at("2026-01-15T13:00:00Z")));
        assert_eq!(meta.host, Some(Text::new("n1")));
        assert_eq!(meta.uid, None);
        assert_eq!(meta.interval, Some(Duration::from_millis(500)));
    }

    #[test]
    fn times_without_any_meta_are_one_second_apart() {
        let start = at("2026-01-15T14:00:00Z");
        let times = times(&Meta::default(), &[Meta::default(), Meta::default()], start);
        assert_eq!(times[1].wall, at("2026-01-15T14:00:01Z"));
        assert_eq!(times[1].mono.since(times[0].mono), Duration::from_secs(1));
    }

    #[test]
    fn a_wall_clock_that_steps_back_does_not_turn_time() {
        let meta = |t: &str| Meta { time: Some(at(t)), ..Meta::default() };
        let samples = [meta("2026-01-15T14:00:10Z"), meta("2026-01-15T14:00:05Z")];
        let times = times(&Meta::default(), &samples, at("2026-01-15T14:00:00Z"));
        assert_eq!(times[1].mono.since(times[0].mono), Duration::from_secs(1));
    }

    #[test]
    fn the_monotonic_clock_wins_over_the_wall() {
        let meta = |s: u64| Meta { monotonic: Some(Duration::from_secs(s)), ..Meta::default() };
        let times = times(&Meta::default(), &[meta(5), meta(7)], at("2026-01-15T14:00:00Z"));
        assert_eq!(times[1].mono, Mono(7_000_000_000));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            let _ = Meta::parse(&bytes);
        }

        #[test]
        fn numbers_of_any_size_never_panic(a: f64, b: f64, uid: u64, n in 0usize..5) {
            let json = serde_json::json!({"monotonic_seconds": a, "interval_seconds": b, "uid": uid});
            let meta = Meta::parse(json.to_string().as_bytes()).unwrap();
            let samples = vec![meta.clone(); n];
            let times = times(&meta, &samples, Timestamp::MAX);
            prop_assert!(times.is_sorted_by(|a, b| a.mono < b.mono));
        }
    }
}
