//! The newest value of every part; what is equal keeps its `Arc`.

use crate::read::{ipjson, lnetctl};
use crate::sample::{Host, Link, Lnet, Managers, Netdev, Reading, Routing, Sysctls, Unknown, Why};
use std::sync::Arc;

/// The parts of a sample that are not RDMA devices.
pub(super) struct Known {
    pub(super) host: Arc<Host>,
    pub(super) netdevs: Reading<Vec<Arc<Netdev>>>,
    pub(super) links: Reading<Arc<Vec<Link>>>,
    pub(super) routing: Arc<Routing>,
    pub(super) sysctls: Arc<Sysctls>,
    pub(super) lnet: Arc<Lnet>,
    pub(super) managers: Option<Arc<Managers>>,
}

fn unread<T>() -> Reading<T> {
    Err(Unknown::new(Why::Timeout, "the first read is under way"))
}

impl Known {
    /// Nothing was read yet.
    pub(super) fn nothing() -> Self {
        let host = Host {
            name: unread(),
            kernel: unread(),
            load: unread(),
            memory: unread(),
            cpus: unread(),
            boot_time_seconds: unread(),
            uid: unread(),
            numa: unread(),
        };
        Self {
            host: Arc::new(host),
            netdevs: unread(),
            links: unread(),
            routing: Arc::new(ipjson::nothing("the first dump is under way")),
            sysctls: Arc::new(Sysctls::default()),
            lnet: Arc::new(lnetctl::nothing()),
            managers: None,
        }
    }

    /// Who keeps the interfaces.
    pub(super) fn take_managers(&mut self, new: Managers) {
        if self.managers.as_deref() != Some(&new) {
            self.managers = Some(Arc::new(new));
        }
    }

    /// The newest host line.
    pub(super) fn take_host(&mut self, host: Host) {
        if *self.host != host {
            self.host = Arc::new(host);
        }
    }

    /// The newest interfaces. True if one came, went, or is no longer as up as it was.
    pub(super) fn take_netdevs(&mut self, new: Reading<Vec<Arc<Netdev>>>) -> bool {
        let changed = match (&self.netdevs, &new) {
            (Ok(old), Ok(new)) => {
                old.len() != new.len() || old.iter().zip(new).any(|(a, b)| !same_state(a, b))
            }
            (old, new) => old.is_ok() || new.is_ok(),
        };
        self.netdevs = new;
        changed
    }

    /// The newest dump of the links; gives those that are new, gone or not what they were.
    pub(super) fn take_links(&mut self, new: Reading<Arc<Vec<Link>>>) -> Changed {
        let changed = match (&self.links, &new) {
            (Ok(old), Ok(new)) if Arc::ptr_eq(old, new) => return Changed::default(),
            (Ok(old), Ok(new)) => Changed::between(old, new),
            (Err(_), Ok(new)) => Changed { links: new.to_vec(), list: true },
            (Ok(_), Err(_)) => Changed { links: Vec::new(), list: true },
            (Err(_), Err(_)) => Changed::default(),
        };
        self.links = new;
        changed
    }

    /// The newest routes and sysctls. True if they are not what they were; neighbours come and go
    /// all the time and can wait for the next pass.
    pub(super) fn take_routing(&mut self, mut routing: Routing, mut sysctls: Sysctls) -> bool {
        // When they were read is no change.
        let at = std::mem::replace(&mut routing.at, self.routing.at);
        let routes = *self.routing != routing;
        let told = routes && !same_but_neighbours(&self.routing, &routing);
        if routes {
            routing.at = at;
            self.routing = Arc::new(routing);
        }
        let at = std::mem::replace(&mut sysctls.at, self.sysctls.at);
        let values = *self.sysctls != sysctls;
        if values {
            sysctls.at = at;
            self.sysctls = Arc::new(sysctls);
        }
        told || values
    }
}

/// Links that are not what they were.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Changed {
    /// As they are now, or were last.
    pub(super) links: Vec<Link>,
    /// One came or went.
    pub(super) list: bool,
}

impl Changed {
    fn between(old: &[Link], new: &[Link]) -> Self {
        let id = |l: &Link| (l.index, l.name.clone());
        let changed = new.iter().filter(|l| !old.contains(l));
        let gone = old.iter().filter(|o| !new.iter().any(|n| id(n) == id(o)));
        let came = new.iter().any(|n| !old.iter().any(|o| id(n) == id(o)));
        let list = came || gone.clone().next().is_some();
        Self { links: changed.chain(gone).cloned().collect(), list }
    }

    /// Is there anything?
    pub(super) fn any(&self) -> bool {
        self.list || !self.links.is_empty()
    }
}

fn same_but_neighbours(a: &Routing, b: &Routing) -> bool {
    a.addresses == b.addresses
        && a.rules4 == b.rules4
        && a.rules6 == b.rules6
        && a.routes4 == b.routes4
        && a.routes6 == b.routes6
        && a.nexthops == b.nexthops
        && a.table_names == b.table_names
}

fn same_state(a: &Arc<Netdev>, b: &Arc<Netdev>) -> bool {
    Arc::ptr_eq(a, b)
        || (a.name == b.name
            && a.operstate == b.operstate
            && a.flags == b.flags
            && a.carrier == b.carrier)
}

#[cfg(test)]
mod tests;
