//! The simulated node as it is at one time.

use super::load::Flow;
use super::scenario::{PortState, Scenario, Step};

/// The integral of traffic is taken in steps of this.
const GRID_NANOS: u64 = 100_000_000;
/// LNet sees a port later than sysfs shows it.
const NI_LAG_NANOS: u64 = 500_000_000;

/// Everything that moves.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) scenario: Scenario,
    /// Nanoseconds since the beginning.
    pub(super) now: u64,
    pub(super) rails: Vec<RailNow>,
    pub(super) nics: Vec<(Flow, Flow)>,
    /// Counts every change of a port.
    pub(super) changes: u64,
    /// Steps done, in all loops.
    done: u64,
}

/// One rail now.
#[derive(Clone, Debug)]
pub(super) struct RailNow {
    pub(super) state: PortState,
    changed: u64,
    before: PortState,
    pub(super) rx: Flow,
    pub(super) tx: Flow,
    pub(super) carrier_ups: u64,
    pub(super) carrier_downs: u64,
    pub(super) link_downed: u64,
    /// Errors so far, and how many a minute come.
    symbol_errors: (f64, f64),
    recoveries: (f64, f64),
    pub(super) ni: NiNow,
}

/// What LNet remembers of an NI's failures.
#[derive(Clone, Copy, Debug)]
pub(super) struct NiNow {
    pub(super) health: u32,
    pub(super) timeouts: u32,
    pub(super) ping_count: u32,
    /// Nanoseconds of the demo; before the first failure there is none.
    pub(super) next_ping: Option<u64>,
}

impl RailNow {
    /// IPoIB has carrier only on an ACTIVE port.
    pub(super) fn carrier(&self) -> bool {
        self.state == PortState::Active
    }

    /// What LNet believes.
    pub(super) fn ni_up(&self, now: u64) -> bool {
        let seen = if now < self.changed + NI_LAG_NANOS { self.before } else { self.state };
        seen == PortState::Active
    }

    /// Bit errors and recoveries of the link.
    pub(super) fn errors(&self) -> (u64, u64) {
        (self.symbol_errors.0 as u64, self.recoveries.0 as u64)
    }

    fn turn(&mut self, now: u64, to: PortState) -> bool {
        if self.state == to {
            return false;
        }
        match (self.state, to) {
            (PortState::Active, _) => self.carrier_downs += 1,
            (_, PortState::Active) => self.carrier_ups += 1,
            _ => {}
        }
        let up = |s: PortState| !matches!(s, PortState::Polling | PortState::Disabled);
        if up(self.state) && !up(to) {
            self.link_downed += 1;
        }
        self.before = std::mem::replace(&mut self.state, to);
        self.changed = now;
        true
    }
}

impl World {
    pub(super) fn new(scenario: Scenario) -> Self {
        let rails = (0..).zip(&scenario.rails).map(|(i, rail)| RailNow {
            state: rail.start,
            before: rail.start,
            changed: 0,
            rx: Flow::new(&scenario, 2 * i),
            tx: Flow::new(&scenario, 2 * i + 1),
            carrier_ups: 1,
            carrier_downs: 1,
            link_downed: 1,
            symbol_errors: (0.0, 0.0),
            recoveries: (0.0, 0.0),
            ni: NiNow { health: 1000, timeouts: 0, ping_count: 0, next_ping: None },
        });
        let rails = rails.collect();
        let nics = (0..).zip(&scenario.nics).map(|(i, nic)| {
            let [mut rx, mut tx] = [0, 1].map(|side| Flow::new(&scenario, 1000 + 2 * i + side));
            rx.aim(0, nic.rx * 1e9, 0);
            tx.aim(0, nic.tx * 1e9, 0);
            (rx, tx)
        });
        let nics = nics.collect();
        let mut world = Self { scenario, now: 0, rails, nics, changes: 0, done: 0 };
        world.steps_now();
        world
    }

    /// Time of the next step; never, where there is none.
    pub(super) fn next_step(&self) -> Option<u64> {
        let count = self.scenario.steps.len() as u64;
        let round = self.done.checked_div(count)?;
        let step = self.scenario.steps.get((self.done % count) as usize)?;
        Some(round.saturating_mul(nanos(self.scenario.loop_seconds)) + nanos(step.at))
    }

    /// Lets time pass.
    pub(super) fn advance(&mut self, to: u64) {
        while self.now < to {
            let grid = (self.now / GRID_NANOS + 1) * GRID_NANOS;
            let next = self.next_step().map_or(grid, |step| grid.min(step)).min(to);
            self.flow(next);
            self.now = next;
            self.steps_now();
        }
    }

    fn flow(&mut self, next: u64) {
        for rail in self.rails.iter_mut().filter(|r| r.carrier()) {
            rail.rx.flow(self.now, next);
            rail.tx.flow(self.now, next);
            let minutes = (next - self.now) as f64 / 60e9;
            for (errors, rate) in [&mut rail.symbol_errors, &mut rail.recoveries] {
                *errors += *rate * minutes;
            }
        }
        for (rx, tx) in &mut self.nics {
            rx.flow(self.now, next);
            tx.flow(self.now, next);
        }
    }

    fn steps_now(&mut self) {
        while self.next_step().is_some_and(|at| at <= self.now) {
            let index = (self.done % self.scenario.steps.len() as u64) as usize;
            self.done += 1;
            if let Some(step) = self.scenario.steps.get(index).cloned() {
                self.apply(&step);
            }
        }
    }

    fn apply(&mut self, step: &Step) {
        let now = self.now;
        let ramp = nanos(step.ramp);
        for (facts, rail) in self.scenario.rails.iter().zip(&mut self.rails) {
            if !step.rails.is_empty() && !step.rails.contains(&facts.netdev) {
                continue;
            }
            if let Some(state) = step.state {
                self.changes += u64::from(rail.turn(now, state));
            }
            rail.symbol_errors.1 = step.symbol_errors.unwrap_or(rail.symbol_errors.1);
            rail.recoveries.1 = step.recoveries.unwrap_or(rail.recoveries.1);
            if let Some(health) = step.health {
                rail.ni.health = health.value;
                rail.ni.timeouts += health.timeouts;
                rail.ni.ping_count = health.ping_count;
                rail.ni.next_ping = Some(now + nanos(f64::from(health.next_ping)));
            }
            if let Some(rx) = step.rx {
                rail.rx.aim(now, rx * 1e9 * facts.skew, ramp);
            }
            if let Some(tx) = step.tx {
                rail.tx.aim(now, tx * 1e9 * facts.skew, ramp);
            }
        }
    }
}

/// Seconds of a scenario, which are checked to be small.
fn nanos(seconds: f64) -> u64 {
    (seconds * 1e9).round() as u64
}
