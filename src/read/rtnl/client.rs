//! Dumps and lookups on one netlink connection.

use super::attr::push;
use super::message::{
    AF_INET, AF_INET6, Message, RTM_GETADDR, RTM_GETLINK, RTM_GETNEIGH, RTM_GETNEXTHOP,
    RTM_GETROUTE, RTM_GETRULE,
};
use crate::read::clock;
use crate::sample::{Family, Link, Reading, Route, Routing, Rule, Text, Unknown, Why};
use futures_util::{Stream, StreamExt};
use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload};
use rtnetlink::proto::{ConnectionHandle, new_connection};
use rtnetlink::sys::{AsyncSocket, SocketAddr, protocols::NETLINK_ROUTE};
use rustix::io::Errno;
use std::future::Future;
use std::io;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The list changed while it was dumped (linux/netlink.h).
pub(super) const NLM_F_DUMP_INTR: u16 = 0x10;
/// So often a list that keeps changing is asked for again.
pub(super) const DUMPS: usize = 8;
pub(super) const IFLA_EXT_MASK: u16 = 29;
/// Counters come from sysfs; without them a link takes half the space.
pub(super) const RTEXT_FILTER_SKIP_STATS: u32 = 1 << 3;

/// A connection that opens itself again if it dies.
pub(super) struct Client {
    handle: ConnectionHandle<Message>,
}

impl Client {
    /// Opens a connection; its task runs on the current runtime.
    pub(super) fn open() -> io::Result<Self> {
        Ok(Self { handle: connect()? })
    }

    /// RTM_GETLINK.
    pub(super) async fn links(&mut self, until: Instant) -> Reading<Vec<Link>> {
        let mut body = vec![0; 16];
        push(&mut body, IFLA_EXT_MASK, &RTEXT_FILTER_SKIP_STATS.to_ne_bytes());
        let pick = |message| match message {
            Message::Link(link) => Some(*link),
            _ => None,
        };
        in_time(until, "links", self.dump("links", RTM_GETLINK, &body, pick)).await
    }

    /// All that [`Routing`] holds but the table names.
    pub(super) async fn routing(&mut self, until: Instant) -> Routing {
        let addresses = in_time(until, "addresses", self.addresses()).await;
        let rules4 = in_time(until, "rules", self.rules(Family::Inet)).await;
        let rules6 = in_time(until, "IPv6 rules", self.rules(Family::Inet6)).await;
        let routes4 = in_time(until, "routes", self.routes(Family::Inet)).await;
        let routes6 = in_time(until, "IPv6 routes", self.routes(Family::Inet6)).await;
        let neighbours = in_time(until, "neighbours", self.neighbours()).await;
        let nexthops = in_time(until, "next hops", self.nexthops()).await;
        Routing {
            at: clock::now(),
            addresses,
            rules4,
            rules6,
            routes4,
            routes6,
            neighbours,
            nexthops,
            table_names: Vec::new(),
        }
    }

    async fn addresses(&mut self) -> Reading<Vec<crate::sample::Address>> {
        let pick = |message| match message {
            Message::Address(address) => Some(*address),
            _ => None,
        };
        let mut all = self.dump("addresses", RTM_GETADDR, &[0; 8], pick).await?;
        by_interface(&mut all);
        Ok(all)
    }

    async fn rules(&mut self, family: Family) -> Reading<Vec<Rule>> {
        let mut body = [0; 12];
        body[0] = number(family);
        let pick = move |message| match message {
            Message::Rule(of, rule) if of == family => Some(*rule),
            _ => None,
        };
        self.dump("rules", RTM_GETRULE, &body, pick).await
    }

    async fn routes(&mut self, family: Family) -> Reading<Vec<Route>> {
        // All zero: with strict checking every other value would be a filter.
        let mut body = [0; 12];
        body[0] = number(family);
        // A kernel without IPv6 answers with all families.
        let pick = move |message| match message {
            Message::Route(of, route) if of == family => Some(*route),
            _ => None,
        };
        self.dump("routes", RTM_GETROUTE, &body, pick).await
    }

    async fn neighbours(&mut self) -> Reading<Vec<crate::sample::Neighbour>> {
        let pick = |message| match message {
            Message::Neighbour(neighbour) => Some(*neighbour),
            _ => None,
        };
        self.dump("neighbours", RTM_GETNEIGH, &[0; 12], pick).await
    }

    async fn nexthops(&mut self) -> Reading<Vec<crate::sample::NextHopObject>> {
        let pick = |message| match message {
            Message::NextHop(object) => Some(*object),
            _ => None,
        };
        self.dump("next hops", RTM_GETNEXTHOP, &[0; 8], pick).await
    }

    /// RTM_GETROUTE for one destination: the route, or the errno of the kernel's refusal.
    pub(super) async fn lookup(&mut self, body: Vec<u8>) -> Reading<Result<Route, i32>> {
        let mut answers = self.ask(RTM_GETROUTE, NLM_F_REQUEST, &body)?;
        while let Some(message) = answers.next().await {
            match message.payload {
                NetlinkPayload::InnerMessage(Message::Route(_, route)) => return Ok(Ok(*route)),
                NetlinkPayload::Error(error) => return Ok(Err(-error.raw_code())),
                _ => {}
            }
        }
        Err(cut_short("route lookup"))
    }

    /// Asks for a list until one comes that did not change under the kernel's hands.
    async fn dump<T>(
        &mut self,
        what: &str,
        kind: u16,
        body: &[u8],
        pick: impl Fn(Message) -> Option<T>,
    ) -> Reading<Vec<T>> {
        for _ in 0..DUMPS {
            let answers = self.ask(kind, NLM_F_REQUEST | NLM_F_DUMP, body)?;
            if let Some(list) = collect(what, answers, &pick).await? {
                return Ok(list);
            }
        }
        let detail = format!("the kernel's {what} kept changing while they were read");
        Err(Unknown::new(Why::Timeout, detail))
    }

    fn ask(
        &mut self,
        kind: u16,
        flags: u16,
        body: &[u8],
    ) -> Reading<impl Stream<Item = NetlinkMessage<Message>> + use<>> {
        let message = || {
            let mut message = NetlinkMessage::new(
                netlink_packet_core::NetlinkHeader::default(),
                NetlinkPayload::InnerMessage(Message::Ask(kind, body.to_vec())),
            );
            message.header.flags = flags;
            message
        };
        let kernel = SocketAddr::new(0, 0);
        if let Ok(answers) = self.handle.request(message(), kernel) {
            return Ok(answers);
        }
        self.handle = connect().map_err(|error| failed("netlink socket", &error))?;
        self.handle
            .request(message(), kernel)
            .map_err(|error| Unknown::new(Why::Absent, format!("netlink: {error}")))
    }
}

/// Sorts addresses as `ip addr` shows them: by interface, IPv4 first, each in dump order.
pub(in crate::read) fn by_interface(all: &mut [crate::sample::Address]) {
    all.sort_by_key(|address| (address.ifindex, address.local.family()));
}

/// An I/O error as a reason.
pub(super) fn failed(what: &str, error: &io::Error) -> Unknown {
    let why = error.raw_os_error().map_or(Why::Absent, why);
    Unknown::new(why, format!("{what}: {error}"))
}

/// The answer to an errno that is no verdict of a lookup.
pub(super) fn refused(what: &str, errno: i32) -> Unknown {
    let error = io::Error::from_raw_os_error(errno);
    Unknown::new(why(errno), format!("{what}: {error}"))
}

fn why(errno: i32) -> Why {
    match Errno::from_raw_os_error(errno) {
        Errno::PERM | Errno::ACCESS => Why::Denied,
        Errno::NOENT | Errno::NODEV => Why::Absent,
        Errno::TIMEDOUT | Errno::AGAIN => Why::Timeout,
        _ => Why::Unsupported,
    }
}

fn cut_short(what: &str) -> Unknown {
    Unknown::new(Why::Timeout, format!("{what}: the netlink connection ended"))
}

fn number(family: Family) -> u8 {
    if family == Family::Inet { AF_INET } else { AF_INET6 }
}

/// Runs a part of the work, but not beyond the deadline.
async fn in_time<T>(
    until: Instant,
    what: &str,
    work: impl Future<Output = Reading<T>>,
) -> Reading<T> {
    match timeout_at(until, work).await {
        Ok(answer) => answer,
        Err(_) => Err(Unknown::new(Why::Timeout, format!("{what}: no answer in time"))),
    }
}

/// One whole dump; `None` if it was interrupted.
async fn collect<T>(
    what: &str,
    mut answers: impl Stream<Item = NetlinkMessage<Message>> + Unpin,
    pick: impl Fn(Message) -> Option<T>,
) -> Reading<Option<Vec<T>>> {
    let mut list = Vec::new();
    let mut interrupted = false;
    while let Some(message) = answers.next().await {
        interrupted |= message.header.flags & NLM_F_DUMP_INTR != 0;
        match message.payload {
            NetlinkPayload::InnerMessage(Message::Garbled(kind)) => {
                let detail = format!("{what}: netlink message of type {kind} not understood");
                return Err(Unknown::new(Why::Unparsable, detail));
            }
            NetlinkPayload::InnerMessage(message) => list.extend(pick(message)),
            // A dump that fails half-way says so in its last message.
            NetlinkPayload::Done(done) if done.code < 0 => {
                return Err(refused(what, done.code.saturating_neg()));
            }
            NetlinkPayload::Done(_) => return Ok((!interrupted).then_some(list)),
            NetlinkPayload::Error(error) if error.code.is_some() => {
                return Err(refused(what, error.raw_code().saturating_neg()));
            }
            NetlinkPayload::Overrun(_) => interrupted = true,
            _ => {}
        }
    }
    if interrupted { Ok(None) } else { Err(cut_short(what)) }
}

fn connect() -> io::Result<ConnectionHandle<Message>> {
    let (mut connection, handle, _) = new_connection::<Message>(NETLINK_ROUTE)?;
    // The end of a dump is the only sign that it is whole.
    connection.set_forward_done(true);
    // Without it (before Linux 4.20) the same requests give the same lists.
    let _ = connection.socket_mut().socket_mut().set_netlink_get_strict_chk(true);
    tokio::spawn(connection);
    Ok(handle)
}

/// The text of an errno as the kernel's verdict on a lookup.
pub(super) fn verdict(errno: i32) -> Text {
    io::Error::from_raw_os_error(errno).to_string().into()
}

/// The part of a deadline that the thread may use; the rest is for the way back.
pub(super) fn own_share(deadline: Duration) -> Duration {
    deadline.saturating_sub(deadline / 10)
}
