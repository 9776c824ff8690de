//! Readers that serve the whole node, as workers run them: interfaces, routes, the host line.

use super::pool::{Ask, Reader};
use crate::read::Due;
use crate::read::lnet_local::LocalReader;
use crate::read::root::Root;
use crate::read::rtnl::Rtnl;
use crate::read::sysfs::NetReader;
use crate::read::{clock, host, ipjson, manager, sysctl};
use crate::sample::{Host, LnetLocal, Managers, Mono, Netdev, Reading, Routing, Sysctls, Unknown};
use std::sync::Arc;
use std::time::Duration;

/// A dump of a full table takes long, but not this long.
const ROUTING_DEADLINE: Duration = Duration::from_secs(5);

/// Who keeps the interfaces is looked up this often at most.
const MANAGERS: Duration = Duration::from_mins(1);

/// Interfaces: `carrier` and `speed` take RTNL, which a firmware reset can hold for long.
pub(super) struct Interfaces(pub(super) NetReader);

/// Which tiers, and whether the list of interfaces changed.
#[derive(Clone, Copy, Debug)]
pub(super) struct AskInterfaces {
    pub(super) due: Due,
    pub(super) rescan: bool,
}

impl Ask for AskInterfaces {
    fn and(self, owed: Self) -> Self {
        Self { due: self.due.and(owed.due), rescan: self.rescan || owed.rescan }
    }
}

impl Reader for Interfaces {
    type Ask = AskInterfaces;
    type Out = Reading<Vec<Arc<Netdev>>>;
    fn read(&mut self, ask: AskInterfaces) -> Self::Out {
        if ask.rescan {
            self.0.rescan();
        }
        self.0.pass(ask.due)
    }
    fn reads(&self) -> u32 {
        self.0.reads()
    }
}

/// Routes and their sysctls, and the host line.
pub(super) struct Surroundings {
    pub(super) root: Root,
    pub(super) rtnl: Result<Arc<Rtnl>, Unknown>,
    /// What the host says of LNet without lnetctl.
    pub(super) lnet: LocalReader,
    pub(super) reads: u32,
    /// When the managers' files were read last.
    pub(super) managers_at: Option<Mono>,
}

/// Which of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct AskSurroundings {
    pub(super) routing: bool,
    pub(super) host: bool,
}

impl Ask for AskSurroundings {
    fn and(self, owed: Self) -> Self {
        Self { routing: self.routing || owed.routing, host: self.host || owed.host }
    }
}

/// What was read of them.
pub(super) struct Found {
    pub(super) host: Option<Host>,
    pub(super) routing: Option<(Routing, Sysctls)>,
    pub(super) managers: Option<Managers>,
    pub(super) lnet: Option<Arc<LnetLocal>>,
    /// Time that the dump alone took.
    pub(super) dump: Duration,
}

impl Reader for Surroundings {
    type Ask = AskSurroundings;
    type Out = Found;
    fn read(&mut self, ask: AskSurroundings) -> Found {
        let host = ask.host.then(host::live);
        let start = clock::now();
        let routing = ask.routing.then(|| (self.routing(), sysctl::read(&self.root)));
        self.reads = u32::from(ask.host) + u32::from(ask.routing);
        let dump = clock::now().since(start);
        let lnet = ask.host.then(|| self.lnet.pass(start));
        let managers = self.managers(start);
        Found { host, routing, managers, lnet, dump }
    }
    fn reads(&self) -> u32 {
        self.reads
    }
}

impl Surroundings {
    /// Some thousand small files: not every time, and never for the first sample.
    fn managers(&mut self, now: Mono) -> Option<Managers> {
        let Some(last) = self.managers_at else {
            self.managers_at = Some(Mono::default());
            return None;
        };
        if now.since(last) < MANAGERS {
            return None;
        }
        self.managers_at = Some(now);
        let links = self.rtnl.as_ref().ok()?.links(ROUTING_DEADLINE).ok()?;
        let ask = manager::keepable(&links);
        Some(manager::read(&self.root, &ask))
    }

    fn routing(&self) -> Routing {
        match &self.rtnl {
            Ok(rtnl) => rtnl.routing(&self.root, ROUTING_DEADLINE),
            Err(why) => ipjson::nothing(&why.to_string()),
        }
    }
}
