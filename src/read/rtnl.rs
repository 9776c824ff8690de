//! Links, addresses, rules, routes, neighbours and next hops of the kernel, over rtnetlink.
//!
//! One thread with two connections: one asks, the other only hears that something changed.
//! Tables are never kept up to date by messages, since the kernel drops routes silently.

mod address;
mod attr;
mod client;
mod events;
#[cfg(test)]
mod kernel_tests;
mod link;
mod lookup;
mod message;
mod nexthop;
mod route;
mod rule;
mod socket;
#[cfg(test)]
mod space;

pub(in crate::read) use attr::hex;
pub(in crate::read) use client::by_interface;
pub(in crate::read) use link::no_operstate;
pub use lookup::{NoRoute, Query, RouteAnswer};
pub(in crate::read) use route::{blank as blank_route, kind as route_kind, rejects, zero};
pub(in crate::read) use rule::{blank as blank_rule, plain_action};
pub use socket::LinkSocket;

use crate::read::root::Root;
use crate::read::{ipjson, tables};
use crate::sample::{Link, Reading, Route, Routing, Unknown, Why};
use client::{Client, failed, own_share};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, timeout_at};

/// Opening two sockets never takes that long.
const START: Duration = Duration::from_secs(5);
/// Stands for deadlines beyond all times.
const LONGEST: Duration = Duration::from_hours(1);

/// What a netlink message made stale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dirty {
    /// A link changed: flags, carrier, new, gone.
    pub links: bool,
    /// Addresses, rules, routes (a link change implies it: IPv4 routes vanish silently).
    pub routing: bool,
    /// Messages were lost (ENOBUFS): read everything again.
    pub overrun: bool,
}

/// A netlink client on its own thread, which ends when this is dropped.
#[derive(Debug)]
pub struct Rtnl {
    orders: UnboundedSender<Order>,
}

/// What the thread shall read, until when, and where the answer goes.
#[derive(Debug)]
enum Order {
    Links(Instant, SyncSender<Reading<Vec<Link>>>),
    Routing(Instant, SyncSender<Reading<Routing>>),
    Lookup(Instant, Vec<u8>, SyncSender<Reading<Result<Route, i32>>>),
}

impl Order {
    fn until(&self) -> Instant {
        match self {
            Order::Links(until, _) | Order::Routing(until, _) | Order::Lookup(until, ..) => *until,
        }
    }

    /// Answers an order whose time was over before its turn came.
    fn refuse(self) {
        let _ = match self {
            Order::Links(_, reply) => reply.try_send(Err(late())).is_ok(),
            Order::Routing(_, reply) => reply.try_send(Err(late())).is_ok(),
            Order::Lookup(_, _, reply) => reply.try_send(Err(late())).is_ok(),
        };
    }
}

impl Rtnl {
    /// Opens the sockets in the caller's namespace and starts the thread. `wake` is called from
    /// it, so it must not block, for every change the kernel tells of; a burst makes one call.
    pub fn start(wake: impl Fn(Dirty) + Send + 'static) -> Result<Self, Unknown> {
        let (orders, inbox) = unbounded_channel();
        let (started, start) = sync_channel(1);
        thread::Builder::new()
            .name("netlink".into())
            // A thread is born in the network namespace of the one that makes it.
            .spawn(move || run(inbox, wake, &started))
            .map_err(|error| failed("netlink thread", &error))?;
        start.recv_timeout(START).map_err(|_| late())??;
        Ok(Self { orders })
    }

    /// All links; waits no longer than `deadline`.
    pub fn links(&self, deadline: Duration) -> Reading<Vec<Link>> {
        self.order(deadline, Order::Links)
    }

    /// Addresses, rules, routes, neighbours, next hops; table names come from `root`. What did
    /// not answer within `deadline` is unknown, the rest is there.
    pub fn routing(&self, root: &Root, deadline: Duration) -> Routing {
        let answer = self.order(deadline, Order::Routing);
        let mut routing = answer.unwrap_or_else(|why| ipjson::unknown(&why));
        routing.table_names = tables::names(root);
        routing
    }

    /// Asks the kernel which way a packet would go.
    pub fn route_get(&self, query: &Query, deadline: Duration) -> Result<RouteAnswer, NoRoute> {
        let body = query.body();
        match self.order(deadline, |until, reply| Order::Lookup(until, body, reply)) {
            Ok(Ok(route)) => Ok(route.into()),
            Ok(Err(errno)) => Err(NoRoute::Refused(errno)),
            Err(unknown) => Err(NoRoute::Unknown(unknown)),
        }
    }

    fn order<T>(
        &self,
        deadline: Duration,
        order: impl FnOnce(Instant, SyncSender<Reading<T>>) -> Order,
    ) -> Reading<T> {
        let (reply, answer) = sync_channel(1);
        let now = Instant::now();
        let until = now.checked_add(own_share(deadline)).unwrap_or(now + LONGEST);
        self.orders.send(order(until, reply)).map_err(|_| gone())?;
        match answer.recv_timeout(deadline) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout) => Err(late()),
            Err(RecvTimeoutError::Disconnected) => Err(gone()),
        }
    }
}

fn late() -> Unknown {
    Unknown::new(Why::Timeout, "netlink: no answer in time")
}

fn gone() -> Unknown {
    Unknown::new(Why::Absent, "the netlink thread ended")
}

/// The thread.
fn run(
    inbox: UnboundedReceiver<Order>,
    wake: impl Fn(Dirty) + Send + 'static,
    started: &SyncSender<Result<(), Unknown>>,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = started.send(Err(failed("netlink thread", &error)));
            return;
        }
    };
    runtime.block_on(async {
        let client = match Client::open() {
            Ok(client) => client,
            Err(error) => {
                let _ = started.send(Err(failed("netlink socket", &error)));
                return;
            }
        };
        // Subscribed before `start` returns: no change after it goes unheard.
        let news = events::open();
        let _ = started.send(Ok(()));
        tokio::select! {
            () = events::watch(wake, news) => {}
            () = serve(client, inbox) => {}
        }
    });
}

async fn serve(mut client: Client, mut inbox: UnboundedReceiver<Order>) {
    while let Some(order) = inbox.recv().await {
        if order.until() <= Instant::now() {
            order.refuse();
            continue;
        }
        match order {
            Order::Links(until, reply) => {
                let _ = reply.try_send(client.links(until).await);
            }
            Order::Routing(until, reply) => {
                let _ = reply.try_send(Ok(client.routing(until).await));
            }
            Order::Lookup(until, body, reply) => {
                let answer = timeout_at(until, client.lookup(body)).await;
                let _ = reply.try_send(answer.unwrap_or_else(|_| Err(late())));
            }
        }
    }
}
