//! A simulated node that moves by itself. Scenarios are data (`assets/scenarios/*.toml`).
//!
//! It makes the same raw, cumulative samples as a live node, so everything behind a source works
//! as it does there. The same scenario gives the same samples at the same times.

mod devices;
mod lnet;
mod load;
mod routing;
mod scenario;
#[cfg(test)]
mod tests;
mod world;

use super::{Pace, Source, SourceError};
use crate::node::SourceKind;
use crate::sample::{
    Host, Link, Lnet, Memory, Mono, NumaNode, Routing, Sample, SampleTime, Sysctls, Text,
};
use devices::Attrs;
use jiff::{SignedDuration, Timestamp};
use scenario::Scenario;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use world::World;

/// Name and text of every scenario.
const SCENARIOS: &[(&str, &str)] = &[
    ("balanced", include_str!("../../assets/scenarios/balanced.toml")),
    ("dead-rail", include_str!("../../assets/scenarios/dead-rail.toml")),
    ("one-subnet", include_str!("../../assets/scenarios/one-subnet.toml")),
    ("no-sm", include_str!("../../assets/scenarios/no-sm.toml")),
    ("bad-cable", include_str!("../../assets/scenarios/bad-cable.toml")),
    ("lnet-numa-idle", include_str!("../../assets/scenarios/lnet-numa-idle.toml")),
    ("lnet-health-low", include_str!("../../assets/scenarios/lnet-health-low.toml")),
];
/// Uptime of the node when the demo begins: 3 d 04:12.
const UPTIME: Duration = Duration::from_mins(76 * 60 + 12);
/// When a simulated clock begins: 2026-01-15T14:00:00Z.
const SIMULATED_START: i64 = 1_768_485_600;
/// No faster passes than this.
const MIN_INTERVAL: Duration = Duration::from_millis(10);
/// While asleep the demo looks this often whether the pace was changed.
const NAP: Duration = Duration::from_millis(200);
/// Further behind than this (the process was stopped) the demo goes on from now.
const PATIENCE: Duration = Duration::from_secs(5);

/// The scenarios: name and description.
pub fn scenarios() -> Vec<(&'static str, String)> {
    let described = |text| Scenario::parse(text).map(|s| s.description).unwrap_or_default();
    SCENARIOS.iter().map(|(name, text)| (*name, described(text))).collect()
}

/// Plays one scenario.
#[derive(Debug)]
pub struct Demo {
    name: String,
    pace: Arc<Pace>,
    world: World,
    /// `None` is a simulated clock: no call ever waits.
    clock: Option<Instant>,
    start: Timestamp,
    /// Time of the last full pass; `None` before the first.
    ticked: Option<u64>,
    parts: Parts,
}

/// What only changes with the state of a port.
#[derive(Debug)]
struct Parts {
    changes: u64,
    attrs: Attrs,
    links: Arc<Vec<Link>>,
    routing: Arc<Routing>,
    sysctls: Arc<Sysctls>,
    settings: lnet::Settings,
    lnet: Arc<Lnet>,
}

impl Parts {
    fn of(world: &World, at: Mono) -> Self {
        let settings = lnet::Settings::of(world, at);
        Self {
            changes: world.changes,
            attrs: Attrs::of(world),
            links: Arc::new(routing::links(world)),
            routing: Arc::new(routing::routing(world, at)),
            sysctls: Arc::new(routing::sysctls(world, at)),
            lnet: Arc::new(lnet::lnet(world, at, &settings)),
            settings,
        }
    }

    fn refresh(&mut self, world: &World, at: Mono) {
        if self.changes != world.changes {
            self.changes = world.changes;
            self.attrs = Attrs::of(world);
            self.links = Arc::new(routing::links(world));
            self.routing = Arc::new(routing::routing(world, at));
        }
    }
}

impl Demo {
    /// The scenario of that name, in real time.
    pub fn open(name: &str, interval: Duration) -> Result<Self, SourceError> {
        Self::new(name, interval, Some(Instant::now()), Timestamp::now())
    }

    /// The same with a simulated clock that begins at 2026-01-15T14:00:00Z: no call waits.
    pub fn simulate(name: &str, interval: Duration) -> Result<Self, SourceError> {
        let start = Timestamp::from_second(SIMULATED_START).unwrap_or(Timestamp::UNIX_EPOCH);
        Self::new(name, interval, None, start)
    }

    /// For one report: what the scenario shows late has happened just now, and no call waits for it.
    pub fn for_report(name: &str, interval: Duration) -> Result<Self, SourceError> {
        let demo = Self::open(name, interval)?;
        let lead = demo.shows_after();
        if lead.is_zero() {
            return Ok(demo);
        }
        let lead = SignedDuration::try_from(lead).unwrap_or_default();
        Ok(Self { clock: None, start: demo.start.checked_sub(lead).unwrap_or(demo.start), ..demo })
    }

    fn new(
        name: &str,
        interval: Duration,
        clock: Option<Instant>,
        start: Timestamp,
    ) -> Result<Self, SourceError> {
        let Some((name, text)) = SCENARIOS.iter().find(|(known, _)| *known == name) else {
            let known: Vec<_> = SCENARIOS.iter().map(|(name, _)| *name).collect();
            return Err(SourceError::NoScenario { name: name.into(), known: known.join(", ") });
        };
        let scenario = Scenario::parse(text)
            .map_err(|cause| SourceError::Capture { path: format!("scenario {name}"), cause })?;
        let world = World::new(scenario);
        let parts = Parts::of(&world, mono(0));
        let pace = Pace::new(interval);
        Ok(Self { name: (*name).into(), pace, world, clock, start, ticked: None, parts })
    }

    /// Waits for the next full pass or step of the timeline and returns its time.
    fn wait(&self) -> u64 {
        let Some(ticked) = self.ticked else { return 0 };
        loop {
            let interval = self.pace.interval().max(MIN_INTERVAL);
            let tick = ticked.saturating_add(nanos(interval));
            let next = self.world.next_step().map_or(tick, |step| tick.min(step));
            let Some(clock) = self.clock else { return next };
            let now = nanos(clock.elapsed());
            if now >= next {
                let late = now - next > nanos(PATIENCE.max(interval));
                return if late { now } else { next };
            }
            thread::sleep(Duration::from_nanos(next - now).min(NAP));
        }
    }

    fn is_tick(&self, now: u64) -> bool {
        let interval = nanos(self.pace.interval().max(MIN_INTERVAL));
        self.ticked.is_none_or(|ticked| now >= ticked.saturating_add(interval))
    }

    fn sample(&mut self, full: bool) -> Sample {
        let elapsed = self.world.now;
        let at = mono(elapsed);
        self.parts.refresh(&self.world, at);
        if full {
            self.parts.settings.refresh(&self.world, at);
            self.parts.lnet = Arc::new(lnet::lnet(&self.world, at, &self.parts.settings));
        }
        let passed = SignedDuration::try_from(Duration::from_nanos(elapsed)).unwrap_or_default();
        let wall = self.start.checked_add(passed).unwrap_or(self.start);
        Sample {
            time: SampleTime { wall, mono: at },
            host: Arc::new(self.host()),
            netdevs: Ok(self.parts.attrs.netdevs(&self.world, at)),
            rdma: Ok(self.parts.attrs.rdma(&self.world, at)),
            links: Ok(Arc::clone(&self.parts.links)),
            routing: Arc::clone(&self.parts.routing),
            sysctls: Arc::clone(&self.parts.sysctls),
            managers: None,
            lnet: Arc::clone(&self.parts.lnet),
            notes: Vec::new(),
            cost: Vec::new(),
        }
    }

    fn host(&self) -> Host {
        let host = &self.world.scenario.host;
        let booted = self.start.as_second() - UPTIME.as_secs().cast_signed();
        let gib = |n: u64| n << 30;
        Host {
            name: Ok(Text::new(&host.name)),
            kernel: Ok(Text::new(&host.kernel)),
            load: Ok([host.load, host.load * 0.9, host.load * 0.7]),
            memory: Ok(Memory {
                total_bytes: gib(host.memory_gib),
                available_bytes: gib(host.available_gib),
            }),
            cpus: Ok(host.cpus),
            boot_time_seconds: Ok(booted.max(0).cast_unsigned()),
            uid: Ok(0),
            numa: Ok(numa(&self.world.scenario)),
        }
    }
}

impl Source for Demo {
    fn next(&mut self) -> Result<Option<Sample>, SourceError> {
        let now = self.wait();
        let full = self.is_tick(now);
        self.world.advance(now);
        if full {
            self.ticked = Some(now);
        }
        Ok(Some(self.sample(full)))
    }
    fn kind(&self) -> SourceKind {
        SourceKind::Demo
    }
    fn label(&self) -> String {
        format!("demo {}", self.name)
    }
    fn pace(&self) -> Arc<Pace> {
        Arc::clone(&self.pace)
    }
    fn shows_after(&self) -> Duration {
        let seconds = self.world.scenario.report_after_seconds;
        Duration::try_from_secs_f64(seconds).unwrap_or_default()
    }
}

/// As many nodes as the rails are on; the next one is 21 away, as on a board with two sockets.
fn numa(scenario: &Scenario) -> Vec<NumaNode> {
    let last = scenario.rails.iter().map(|r| r.numa).max().unwrap_or(0);
    let distance = |a, b| if a == b { 10 } else { 21 };
    let node = |node| NumaNode { node, distances: (0..=last).map(|b| distance(node, b)).collect() };
    (0..=last).map(node).collect()
}

fn mono(elapsed: u64) -> Mono {
    Mono::default() + UPTIME + Duration::from_nanos(elapsed)
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
