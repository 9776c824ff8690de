//! The multicast connection: tells that something changed, not what.

use super::Dirty;
use super::message::{
    News, RTM_DELADDR, RTM_DELLINK, RTM_DELROUTE, RTM_DELRULE, RTM_NEWADDR, RTM_NEWLINK,
    RTM_NEWROUTE, RTM_NEWRULE,
};
use futures_util::{FutureExt, Stream, StreamExt};
use netlink_packet_core::{NetlinkMessage, NetlinkPayload};
use rtnetlink::MulticastGroup;
use rtnetlink::proto::new_connection;
use rtnetlink::sys::{AsyncSocket, SocketAddr, protocols::NETLINK_ROUTE};
use std::io;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Neighbours change all the time and are read anyway; RTNLGRP_NEXTHOP stays silent on the very
/// change that matters, the loss of an object with its carrier.
const GROUPS: [MulticastGroup; 7] = [
    MulticastGroup::Link,
    MulticastGroup::Ipv4Ifaddr,
    MulticastGroup::Ipv4Route,
    MulticastGroup::Ipv4Rule,
    MulticastGroup::Ipv6Ifaddr,
    MulticastGroup::Ipv6Route,
    MulticastGroup::Ipv6Rule,
];
/// Capped by net.core.rmem_max.
const RECEIVE_BUFFER: u32 = 4 << 20;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// So many messages at most make one call of `wake`.
const BATCH: usize = 4096;

type Item = (NetlinkMessage<News>, SocketAddr);

/// Subscribes; the connection's task runs on the current runtime.
pub(super) fn open() -> io::Result<impl Stream<Item = Item> + Unpin> {
    let (mut connection, _, news) = new_connection::<News>(NETLINK_ROUTE)?;
    let socket = connection.socket_mut().socket_mut();
    let _ = socket.set_rx_buf_sz(RECEIVE_BUFFER);
    let groups = GROUPS.iter().fold(0, |bits, group| bits | 1 << (*group as u32 - 1));
    socket.bind(&SocketAddr::new(0, groups))?;
    tokio::spawn(connection);
    Ok(news)
}

/// Calls `wake` for ever; opens a connection that died again, ever more slowly.
pub(super) async fn watch(
    wake: impl Fn(Dirty),
    first: io::Result<impl Stream<Item = Item> + Unpin>,
) {
    let lost = Dirty { links: true, routing: true, overrun: true };
    let mut pause = FIRST_PAUSE;
    if let Ok(news) = first {
        listen(&wake, news).await;
    }
    loop {
        wake(lost);
        sleep(pause).await;
        let opened = Instant::now();
        pause = (pause * 2).min(LONGEST_PAUSE);
        if let Ok(news) = open() {
            // What happened in between was not heard.
            wake(lost);
            listen(&wake, news).await;
            if opened.elapsed() > LONGEST_PAUSE {
                pause = FIRST_PAUSE;
            }
        }
    }
}

async fn listen(wake: &impl Fn(Dirty), mut news: impl Stream<Item = Item> + Unpin) {
    while let Some(first) = news.next().await {
        let mut dirty = Dirty::default();
        note(&mut dirty, &first);
        for _ in 1..BATCH {
            match news.next().now_or_never() {
                Some(Some(more)) => note(&mut dirty, &more),
                _ => break,
            }
        }
        if dirty != Dirty::default() {
            wake(dirty);
        }
    }
}

fn note(dirty: &mut Dirty, (message, _): &Item) {
    match message.payload {
        NetlinkPayload::Overrun(_) => *dirty = Dirty { links: true, routing: true, overrun: true },
        NetlinkPayload::InnerMessage(News(kind)) => match kind {
            // A link that goes down takes its IPv4 routes along without a message of their own.
            RTM_NEWLINK | RTM_DELLINK => {
                dirty.links = true;
                dirty.routing = true;
            }
            RTM_NEWADDR | RTM_DELADDR | RTM_NEWROUTE | RTM_DELROUTE | RTM_NEWRULE | RTM_DELRULE => {
                dirty.routing = true;
            }
            _ => {}
        },
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;
    use std::cell::RefCell;

    fn item(payload: NetlinkPayload<News>) -> Item {
        (
            NetlinkMessage::new(netlink_packet_core::NetlinkHeader::default(), payload),
            SocketAddr::new(0, 0),
        )
    }

    fn heard(items: Vec<Item>) -> Vec<Dirty> {
        let calls = RefCell::new(Vec::new());
        let wake = |dirty| calls.borrow_mut().push(dirty);
        let ended = listen(&wake, stream::iter(items)).now_or_never();
        assert!(ended.is_some());
        calls.into_inner()
    }

    #[test]
    fn a_burst_is_one_call() {
        let news = |kind| item(NetlinkPayload::InnerMessage(News(kind)));
        let routes = vec![news(RTM_NEWROUTE); 100];
        assert_eq!(heard(routes), [Dirty { routing: true, ..Dirty::default() }]);
        let link = heard(vec![news(RTM_NEWRULE), news(RTM_NEWLINK)]);
        assert_eq!(link, [Dirty { links: true, routing: true, overrun: false }]);
        assert_eq!(heard(vec![news(RTM_NEWNEIGH_OF_A_BRIDGE)]), []);
    }

    const RTM_NEWNEIGH_OF_A_BRIDGE: u16 = 28;

    #[test]
    fn an_overrun_makes_everything_stale() {
        let all = Dirty { links: true, routing: true, overrun: true };
        assert_eq!(heard(vec![item(NetlinkPayload::Overrun(Vec::new()))]), [all]);
    }
}
