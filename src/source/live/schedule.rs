//! What is due when: pure arithmetic on times that are given.

use crate::read::Due;
use crate::read::rtnl::Dirty;
use crate::sample::Mono;
use std::time::Duration;

/// Port states that no interface speaks for.
const PORTS: Duration = Duration::from_millis(250);
/// Port states behind an interface whose messages are heard.
const STATE: Duration = Duration::from_secs(1);
/// Error counters, the host line, the list of devices.
const SLOW: Duration = Duration::from_secs(5);
/// The slow tier never gets slower than this.
const SLOWEST: Duration = Duration::from_mins(1);
/// Names, ids, PCI links.
const RARE: Duration = Duration::from_mins(1);
/// Routes and sysctls change without a message too (`arp_ignore`; routes that vanish with the
/// last address).
const ROUTING: Duration = Duration::from_secs(10);
/// Quiet time after the last message before routes are dumped …
const SETTLE: Duration = Duration::from_millis(50);
/// … but under constant change no later than this after the first.
const SETTLE_MOST: Duration = Duration::from_millis(250);
/// What is due this soon is done in the same wake-up.
const SLACK: Duration = Duration::from_millis(5);

/// What one wake-up has to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// A full pass, which ends in a sample.
    pub(super) tick: bool,
    /// Tiers for interfaces and for devices whose ports an interface speaks for.
    pub(super) watched: Due,
    /// Tiers for all other devices.
    pub(super) unwatched: Due,
    /// List the devices.
    pub(super) list: bool,
    /// Dump addresses, rules, routes; read the sysctls.
    pub(super) routing: bool,
    /// Read the host line.
    pub(super) host: bool,
}

/// Something that comes back after a period, without drifting off its grid.
#[derive(Clone, Copy, Debug)]
struct Every {
    period: Duration,
    next: Mono,
}

impl Every {
    fn new(period: Duration, first: Mono) -> Self {
        Self { period, next: first }
    }

    /// Is it due? Then its next time is the next point of its grid after `now`.
    fn take(&mut self, now: Mono, slack: Duration) -> bool {
        if now + slack < self.next {
            return false;
        }
        let period = self.period.as_nanos().max(1);
        let missed = now.since(self.next).as_nanos() / period;
        let step = u64::try_from((missed + 1) * period).unwrap_or(u64::MAX);
        self.next = self.next + Duration::from_nanos(step);
        true
    }

    /// Changes the period; the next time counts from the last one.
    fn set(&mut self, period: Duration) {
        if period != self.period {
            self.next = self.next - self.period + period;
            self.period = period;
        }
    }

    /// Comes next when `point` lies on its grid, as soon after `now` as that allows: shared
    /// wake-ups.
    fn align(&mut self, point: Mono, now: Mono) {
        let ahead = point.since(now).as_nanos();
        if ahead == 0 {
            return;
        }
        let turns = (ahead - 1) / self.period.as_nanos().max(1);
        let turns = u32::try_from(turns).unwrap_or(u32::MAX);
        self.next = point - self.period.saturating_mul(turns);
    }
}

/// Messages that are settling: of the first and of the newest.
#[derive(Clone, Copy, Debug)]
struct Settling {
    first: Mono,
    last: Mono,
}

/// When to read what.
#[derive(Debug)]
pub(super) struct Schedule {
    tick: Every,
    ports: Every,
    unwatched: bool,
    state: Every,
    slow: Every,
    rare: Every,
    list: Every,
    host: Every,
    routing: Every,
    slow_base: Duration,
    settling: Option<Settling>,
    /// A dump of the routes runs: none is asked for until it is back.
    dumping: bool,
    /// No dump of the routes before: a big table must not take more than a tenth of the time.
    not_before: Mono,
    relist: bool,
}

impl Schedule {
    /// Everything is due at `start`.
    pub(super) fn new(start: Mono, interval: Duration) -> Self {
        let every = |period| Every::new(period, start);
        Self {
            tick: every(interval),
            ports: every(PORTS.min(interval)),
            unwatched: false,
            state: every(STATE.max(interval)),
            slow: every(SLOW.max(interval)),
            rare: every(RARE.max(interval)),
            list: every(SLOW.max(interval)),
            host: every(SLOW.max(interval)),
            routing: every(ROUTING),
            slow_base: SLOW,
            settling: None,
            dumping: false,
            not_before: Mono::default(),
            relist: false,
        }
    }

    /// Takes over a changed interval.
    pub(super) fn follow(&mut self, interval: Duration) {
        if interval == self.tick.period {
            return;
        }
        self.tick.set(interval);
        let last = self.ports.next - self.ports.period;
        self.ports.set(PORTS.min(interval));
        self.ports.align(self.tick.next, last);
        self.state.set(STATE.max(interval));
        self.slow.set(self.slow_base.max(interval));
        self.rare.set(RARE.max(interval));
        self.list.set(SLOW.max(interval));
        self.host.set(SLOW.max(interval));
    }

    /// The interval that is kept now.
    pub(super) fn interval(&self) -> Duration {
        self.tick.period
    }

    /// The period of the slow tier.
    pub(super) fn slow_period(&self) -> Duration {
        self.slow.period
    }

    /// Reading costs too much: the slow tier comes half as often. False at the end of the scale.
    pub(super) fn slow_down(&mut self) -> bool {
        let before = self.slow_base;
        self.slow_base = (self.slow_base * 2).min(SLOWEST);
        self.slow.set(self.slow_base.max(self.tick.period));
        self.slow_base != before
    }

    /// Reading is cheap again. False when the slow tier has its usual pace.
    pub(super) fn speed_up(&mut self) -> bool {
        let before = self.slow_base;
        self.slow_base = (self.slow_base / 2).max(SLOW);
        self.slow.set(self.slow_base.max(self.tick.period));
        self.slow_base != before
    }

    /// The kernel told of a change; `last` is the time of the newest message.
    pub(super) fn heard(&mut self, dirty: Dirty, last: Mono) {
        if dirty.links || dirty.routing || dirty.overrun {
            self.settling.get_or_insert(Settling { first: last, last }).last = last;
        }
    }

    /// Are there ports that no interface speaks for?
    pub(super) fn set_unwatched(&mut self, any: bool) {
        self.unwatched = any;
    }

    /// Is a dump of the routes being waited out, so that more messages need no wake-up?
    pub(super) fn settles(&self) -> bool {
        self.settling.is_some()
    }

    /// The list of devices is out of date.
    pub(super) fn list_again(&mut self) {
        self.relist = true;
    }

    /// A dump of the routes came back after `took`.
    pub(super) fn routing_done(&mut self, now: Mono, took: Duration) {
        self.dumping = false;
        self.not_before = now + took * 9;
    }

    /// What is due; it counts as done.
    pub(super) fn due(&mut self, now: Mono) -> Plan {
        let mut plan = Plan { tick: self.tick.take(now, Duration::ZERO), ..Plan::default() };
        let ports = self.ports.take(now, SLACK) && self.unwatched;
        if plan.tick {
            plan.watched = self.tiers(now);
            plan.list = self.list.take(now, SLACK) || plan.watched.rare;
            plan.host = self.host.take(now, SLACK);
        }
        plan.unwatched = Due { state: plan.watched.state || ports, ..plan.watched };
        plan.list |= std::mem::take(&mut self.relist);
        plan.routing = self.routing_time().is_some_and(|at| at <= now + SLACK);
        if plan.routing {
            self.settling = None;
            self.dumping = true;
            self.routing.next = now + self.routing.period;
        }
        plan
    }

    fn tiers(&mut self, now: Mono) -> Due {
        Due {
            data: true,
            state: self.state.take(now, SLACK),
            slow: self.slow.take(now, SLACK),
            rare: self.rare.take(now, SLACK),
        }
    }

    /// When to dump the routes; `None` while a dump runs.
    fn routing_time(&self) -> Option<Mono> {
        let settled = self.settling.map(|s| (s.last + SETTLE).min(s.first + SETTLE_MOST));
        let wanted = settled.map_or(self.routing.next, |s| s.min(self.routing.next));
        (!self.dumping).then(|| wanted.max(self.not_before))
    }

    /// The time of the next wake-up.
    pub(super) fn next_deadline(&self) -> Mono {
        let ports = self.unwatched.then_some(self.ports.next);
        [Some(self.tick.next), ports, self.routing_time()]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(self.tick.next)
    }
}

#[cfg(test)]
mod tests;
