//! This node, now.
//!
//! [`Live::next`] is the reading loop: it sleeps until the next thing is due or something rings
//! the `bell`, asks the readers that may block on their own threads (`pool`), and publishes a
//! sample when a pass is complete, when it took too long, or when something changed that a user
//! waits for.

mod bell;
mod devices;
mod jobs;
mod known;
mod links;
mod pool;
mod schedule;
mod thrift;

use super::{Pace, Source, SourceError};
use crate::node::SourceKind;
use crate::read::lnet_local::LocalReader;
use crate::read::lnetctl::LnetReader;
use crate::read::root::Root;
use crate::read::rtnl::Rtnl;
use crate::read::sysfs::NetReader;
use crate::read::{Due, clock};
use crate::sample::{Cost, Lnet, LnetFailure, Mono, Note, Sample, SampleTime, Unknown, Why};
use bell::{Bell, Heard};
use devices::{Devices, concerns, is_watched};
use jobs::{AskInterfaces, AskSurroundings, Interfaces, Surroundings};
use known::{Changed, Known};
use links::LinkWatch;
use pool::Pool;
use schedule::{Plan, Schedule};
use std::cell::Cell;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use thrift::Thrift;

/// The shortest interval that is kept.
pub const SHORTEST_INTERVAL: Duration = Duration::from_millis(50);
/// A full pass waits for its readers no longer than this, nor than half the interval.
const PASS_PATIENCE: Duration = Duration::from_millis(250);
/// A sample about a change waits for the ports' states no longer than this.
const CHANGE_PATIENCE: Duration = Duration::from_millis(100);
/// The first sample waits for routes no longer than this: the screen is to be there at once.
const FIRST_PATIENCE: Duration = Duration::from_millis(30);
/// Between two samples that changes cause.
const CHANGE_GAP: Duration = Duration::from_millis(50);
/// A dump of the links that does not come: the one before stands for so long.
const LINKS_PATIENCE: Duration = Duration::from_secs(3);
/// A device that says it is gone while it is listed is not opened again sooner.
const REOPEN: Duration = Duration::from_secs(1);
/// Where no thread can be made, the next try comes nine times as long after.
const RETRY: Duration = Duration::from_secs(1);
/// An overrun is told of for this long.
const OVERRUN_TOLD: Duration = Duration::from_mins(1);

const ONLY: &str = "";

/// How to read this node.
#[derive(Clone, Debug)]
pub struct LiveOptions {
    /// Where "/" is. Netlink is always that of the running kernel.
    pub root: Root,
    /// Time between full passes.
    pub interval: Duration,
    /// `--lnetctl`.
    pub lnetctl: Option<PathBuf>,
    /// `--sudo`: an ordinary user's questions to LNet go through `sudo -n`.
    pub sudo: bool,
}

/// A sample that is to be published.
#[derive(Clone, Copy, Debug)]
struct Publish {
    /// At the latest then, whatever is still being read.
    by: Mono,
    /// Not before.
    from: Mono,
}

/// Reads this node on its own threads.
pub struct Live {
    pace: Arc<Pace>,
    bell: Arc<Bell>,
    start: Mono,
    schedule: Schedule,
    thrift: Thrift,
    rtnl: Result<Arc<Rtnl>, Unknown>,
    links: LinkWatch,
    devices: Devices<Root>,
    interfaces: Pool<Interfaces>,
    surroundings: Pool<Surroundings>,
    lnet: LnetReader,
    known: Known,
    costs: Vec<Cost>,
    publish: Option<Publish>,
    published: Option<Mono>,
    /// What the first sample does not wait for was asked for.
    rest_asked: bool,
    overrun: Option<Mono>,
    links_at: Mono,
    links_late: Option<Mono>,
    reopened: Mono,
}

impl Live {
    /// Opens the readers. A reader that cannot be opened is unknown, with the reason.
    pub fn start(options: LiveOptions) -> Result<Self, SourceError> {
        let LiveOptions { root, interval, lnetctl, sudo } = options;
        let start = clock::now();
        let bell = Arc::new(Bell::default());
        let links = LinkWatch::start(Arc::clone(&bell));
        let (rings, poke) = (Arc::clone(&bell), links.poke());
        let rtnl = Rtnl::start(move |dirty| {
            if dirty.links || dirty.overrun {
                poke.poke();
            }
            rings.tell(dirty);
        });
        let rtnl = rtnl.map(Arc::new);
        let mut interfaces = Pool::new("netdevs", Arc::clone(&bell));
        interfaces.add(ONLY.into(), || Interfaces(NetReader::new(&root)));
        let mut surroundings = Pool::new("routes", Arc::clone(&bell));
        let around = Surroundings {
            root: root.clone(),
            rtnl: rtnl.clone(),
            lnet: LocalReader::new(&root),
            reads: 0,
            managers_at: None,
        };
        surroundings.add(ONLY.into(), || around);
        let interval = interval.max(SHORTEST_INTERVAL);
        let pace = Pace::new(interval);
        let rings = Arc::clone(&bell);
        pace.on_change(move || rings.ring());
        let rings = Arc::clone(&bell);
        let lnet = LnetReader::new(&root, lnetctl).with_sudo(sudo).with_bell(move || rings.ring());
        Ok(Self {
            pace,
            start,
            schedule: Schedule::new(start, interval),
            thrift: Thrift::new(start),
            rtnl,
            links,
            lnet,
            devices: Devices::new(root, Arc::clone(&bell)),
            interfaces,
            surroundings,
            known: Known::nothing(),
            costs: Vec::new(),
            publish: None,
            published: None,
            rest_asked: false,
            overrun: None,
            links_at: Mono::default(),
            links_late: None,
            reopened: start,
            bell,
        })
    }

    /// One turn of the loop: what came back, then what is due.
    fn turn(&mut self, now: Mono) {
        self.schedule.follow(self.pace.interval().max(SHORTEST_INTERVAL));
        self.collect(now);
        let plan = self.schedule.due(now);
        if plan.list && self.devices.rescan() {
            self.changed(now);
        }
        let links = self.take_links(now);
        self.ask(now, &plan, &links);
        self.ask_lnet(now, &plan);
        if links.any() {
            self.changed(now);
        }
        if plan.tick {
            let patience = PASS_PATIENCE.min(self.schedule.interval() / 2);
            self.publish = Some(Publish { by: now + patience, from: now });
        }
    }

    /// Takes over what the workers brought.
    fn collect(&mut self, now: Mono) {
        let news = self.devices.collect(now, &mut self.costs);
        let mut changed = news.changed;
        if news.vanished && now.since(self.reopened) >= REOPEN {
            self.reopened = now;
            self.schedule.list_again();
        }
        for done in self.interfaces.collect() {
            self.costs.push(Cost { reader: "netdevs".into(), took: done.took, reads: done.reads });
            changed |= self.known.take_netdevs(done.out);
        }
        changed |= self.interfaces.check(now);
        for done in self.surroundings.collect() {
            self.costs.push(Cost { reader: "routes".into(), took: done.took, reads: done.reads });
            if let Some(managers) = done.out.managers {
                self.known.take_managers(managers);
            }
            if let Some(host) = done.out.host {
                self.known.take_host(host);
            }
            if let Some(local) = done.out.lnet {
                self.lnet.set_local(local);
            }
            if let Some((routing, sysctls)) = done.out.routing {
                self.schedule.routing_done(now, done.out.dump);
                changed |= self.known.take_routing(routing, sysctls);
            }
        }
        changed |= self.surroundings.check(now);
        if changed {
            self.changed(now);
        }
    }

    /// Takes over the newest dump of the links, if it is news.
    fn take_links(&mut self, now: Mono) -> Changed {
        let dump = self.links.newest();
        if dump.at > self.links_at {
            self.costs.push(Cost { reader: "links".into(), took: dump.took, reads: 1 });
            self.links_at = dump.at;
        }
        let patience = LINKS_PATIENCE.max(self.schedule.interval() * 2);
        self.links_late = (now.since(dump.at) > patience).then_some(dump.at);
        if self.links_late.is_some() {
            let why = Unknown::new(Why::Timeout, "links: the kernel does not answer");
            return self.known.take_links(Err(why));
        }
        self.known.take_links(dump.links)
    }

    /// Asks every reader for what is due of it, and for what the changed links touch.
    fn ask(&mut self, now: Mono, plan: &Plan, links: &Changed) {
        let known = self.known.links.as_ref().ok();
        let unwatched = Cell::new(false);
        self.devices.ask(|device| {
            let watched = device.is_some_and(|d| known.is_some_and(|links| is_watched(d, links)));
            unwatched.set(unwatched.get() || !watched);
            let due = if watched { plan.watched } else { plan.unwatched };
            let touched = device.is_some_and(|d| concerns(d, &links.links));
            (Due { state: due.state || touched, ..due }, touched)
        });
        self.schedule.set_unwatched(unwatched.get());
        let due = Due { state: plan.watched.state || links.any(), ..plan.watched };
        if due != Due::default() {
            let ask = AskInterfaces { due, rescan: links.list };
            self.interfaces.ask(ONLY, ask, links.any());
        }
        if links.list {
            self.schedule.list_again();
        }
        // What is too much for the first sample follows right after it.
        let rest = self.published.is_some() && !self.rest_asked;
        self.rest_asked |= rest;
        if plan.routing || plan.host || rest {
            let ask = AskSurroundings { routing: plan.routing, host: plan.host || rest };
            if !self.surroundings.ask(ONLY, ask, true) {
                self.schedule.routing_done(now, RETRY);
            }
        }
    }

    /// LNet is asked in every pass; first answers, and peers that are on the screen, are looked
    /// for more often.
    fn ask_lnet(&mut self, now: Mono, plan: &Plan) {
        let wanted = self.pace.peers_wanted();
        self.lnet.want_peers(wanted);
        if !plan.tick && !self.lnet.is_eager() {
            return;
        }
        let awaited = self.lnet.awaits_rates();
        let lnet = self.lnet.poll(now, self.schedule.interval());
        let rates = awaited && !self.lnet.awaits_rates();
        let before = &self.known.lnet;
        let first = |l: &Lnet| !matches!(l.answer, Err(LnetFailure::Pending));
        let complete = lnet.is_settled() && !before.is_settled();
        let peers = wanted && !same_peers(&lnet, before);
        if first(&lnet) != first(before) || complete || rates || peers {
            self.changed(now);
        }
        self.known.lnet = lnet;
    }

    /// Something changed that a user waits for: a sample follows soon, pass or not.
    fn changed(&mut self, now: Mono) {
        let from = self.published.map_or(now, |p| (p + CHANGE_GAP).max(now));
        let by = from.max(now + CHANGE_PATIENCE);
        let publish = self.publish.get_or_insert(Publish { by, from });
        publish.by = publish.by.min(by);
        publish.from = publish.from.min(from);
    }

    /// When the readers are no longer waited for; `None` when none is.
    fn waits_until(&self, publish: Publish) -> Option<Mono> {
        if self.devices.pending() || self.interfaces.pending() {
            return Some(publish.by);
        }
        let first = self.published.is_none() && self.surroundings.pending();
        first.then(|| publish.by.min(self.start + FIRST_PATIENCE))
    }

    /// The time at which a sample is to be published.
    fn publish_at(&self) -> Option<Mono> {
        let publish = self.publish?;
        Some(self.waits_until(publish).unwrap_or(publish.from).max(publish.from))
    }

    fn sample(&mut self, now: Mono) -> Sample {
        let costs = sum(std::mem::take(&mut self.costs));
        // A read that hung says nothing about what reading costs.
        let spent = costs.iter().map(|c| c.took).filter(|t| *t < PASS_PATIENCE * 4).sum();
        self.thrift.spend(spent);
        self.thrift.judge(now, &mut self.schedule);
        self.publish = None;
        self.published = Some(now);
        Sample {
            time: SampleTime { wall: jiff::Timestamp::now(), mono: now },
            host: Arc::clone(&self.known.host),
            netdevs: self.known.netdevs.clone(),
            rdma: self.devices.snapshot(),
            links: self.known.links.clone(),
            routing: Arc::clone(&self.known.routing),
            sysctls: Arc::clone(&self.known.sysctls),
            managers: self.known.managers.clone(),
            lnet: Arc::clone(&self.known.lnet),
            notes: self.notes(now),
            cost: costs,
        }
    }

    fn notes(&self, now: Mono) -> Vec<Note> {
        let note = |reader: &str, what: &str, since| Note {
            reader: reader.into(),
            what: what.into(),
            since,
        };
        let mut notes = self.devices.notes(now);
        let hang = "a read has not returned; the values shown are from before";
        notes.extend(self.interfaces.stuck().map(|(_, since)| note("netdevs", hang, since)));
        notes.extend(self.surroundings.stuck().map(|(_, since)| note("routes", hang, since)));
        for trouble in [self.interfaces.trouble(), self.surroundings.trouble()] {
            notes.extend(trouble.map(|what| note("threads", what, now)));
        }
        if let Err(why) = &self.rtnl {
            notes.push(note("netlink", &format!("not open: {why}"), self.start));
        }
        notes.extend(self.links_late.map(|since| note("netlink", "links: no answer", since)));
        let recent = self.overrun.filter(|at| now.since(*at) < OVERRUN_TOLD);
        let lost = "messages were lost; everything was read again";
        notes.extend(recent.map(|since| note("netlink", lost, since)));
        notes.extend(self.lnet.note(now));
        notes.extend(self.thrift.note().cloned());
        notes
    }

    fn heard(&mut self, heard: Heard) {
        if heard.dirty.overrun {
            self.overrun = Some(heard.last);
        }
        self.schedule.heard(heard.dirty, heard.last);
    }
}

fn same_peers(a: &Lnet, b: &Lnet) -> bool {
    match (&a.more.peers, &b.more.peers) {
        (Ok(a), Ok(b)) => Arc::ptr_eq(a, b),
        (a, b) => a.is_ok() == b.is_ok(),
    }
}

/// One entry per reader.
fn sum(costs: Vec<Cost>) -> Vec<Cost> {
    let mut sums: Vec<Cost> = Vec::new();
    for cost in costs {
        match sums.iter_mut().find(|c| c.reader == cost.reader) {
            Some(sum) => {
                sum.took += cost.took;
                sum.reads = sum.reads.saturating_add(cost.reads);
            }
            None => sums.push(cost),
        }
    }
    sums
}

impl Source for Live {
    fn next(&mut self) -> Result<Option<Sample>, SourceError> {
        loop {
            let now = clock::now();
            self.turn(now);
            let now = clock::now();
            let at = self.publish_at();
            if at.is_some_and(|at| at <= now) {
                return Ok(Some(self.sample(now)));
            }
            let until = self.schedule.next_deadline();
            let heard =
                self.bell.wait(at.map_or(until, |at| at.min(until)), self.schedule.settles());
            self.heard(heard);
        }
    }

    fn kind(&self) -> SourceKind {
        SourceKind::Live
    }

    fn label(&self) -> String {
        "live".into()
    }

    fn pace(&self) -> Arc<Pace> {
        Arc::clone(&self.pace)
    }
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").field("pace", &self.pace).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
