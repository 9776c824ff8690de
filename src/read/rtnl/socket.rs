//! One blocking socket that dumps the links: for a thread that does nothing else.
//!
//! A dump over the shared connection wakes two threads; a poll four times a second is to wake
//! one.

use super::attr::push;
use super::client::{
    DUMPS, IFLA_EXT_MASK, NLM_F_DUMP_INTR, RTEXT_FILTER_SKIP_STATS, failed, refused,
};
use super::message::{Message, RTM_GETLINK};
use crate::sample::{Link, Reading, Unknown, Why};
use netlink_packet_core::{
    NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use std::io;
use std::time::Duration;

/// A kernel that does not answer for so long has lost the question.
const PATIENCE: Duration = Duration::from_secs(5);
/// The kernel fills at most this much at a time (NLMSG_GOODSIZE grows up to it).
const BUFFER: usize = 32 * 1024;

/// Asks for the links and waits for the answer; blocks while somebody holds RTNL.
#[derive(Debug)]
pub struct LinkSocket {
    socket: Option<Socket>,
    buffer: Vec<u8>,
    sequence: u32,
}

impl LinkSocket {
    /// A socket of the namespace of the thread that dumps first.
    pub fn new() -> Self {
        Self { socket: None, buffer: Vec::new(), sequence: 0 }
    }

    /// All links.
    pub fn dump(&mut self) -> Reading<Vec<Link>> {
        let answer = self.dump_until_whole();
        if answer.is_err() {
            // What is still on its way must not be taken for the next answer.
            self.socket = None;
        }
        answer
    }

    fn dump_until_whole(&mut self) -> Reading<Vec<Link>> {
        for _ in 0..DUMPS {
            if let Some(links) = self.dump_once()? {
                return Ok(links);
            }
        }
        Err(Unknown::new(Why::Timeout, "the kernel's links kept changing while they were read"))
    }

    /// One dump; `None` if it was interrupted.
    fn dump_once(&mut self) -> Reading<Option<Vec<Link>>> {
        let socket = match self.socket.take() {
            Some(socket) => socket,
            None => open().map_err(|error| failed("netlink socket", &error))?,
        };
        self.sequence = self.sequence.wrapping_add(1);
        let told = ask(&socket, self.sequence).and_then(|()| self.collect(&socket));
        self.socket = Some(socket);
        told
    }

    fn collect(&mut self, socket: &Socket) -> Reading<Option<Vec<Link>>> {
        self.buffer.resize(BUFFER, 0);
        let mut dump = Dump { sequence: self.sequence, links: Vec::new(), interrupted: false };
        loop {
            let length = socket
                .recv(&mut &mut self.buffer[..], 0)
                .map_err(|error| failed("links", &error))?;
            let mut rest = self.buffer.get(..length).unwrap_or_default();
            while !rest.is_empty() {
                let (message, after) = split(rest)?;
                if dump.take(message)? {
                    return Ok((!dump.interrupted).then_some(dump.links));
                }
                rest = after;
            }
        }
    }
}

impl Default for LinkSocket {
    fn default() -> Self {
        Self::new()
    }
}

/// A dump that is coming in.
struct Dump {
    sequence: u32,
    links: Vec<Link>,
    interrupted: bool,
}

impl Dump {
    /// Takes one message; true at the end.
    fn take(&mut self, message: NetlinkMessage<Message>) -> Reading<bool> {
        if message.header.sequence_number != self.sequence {
            return Ok(false);
        }
        self.interrupted |= message.header.flags & NLM_F_DUMP_INTR != 0;
        match message.payload {
            NetlinkPayload::InnerMessage(Message::Link(link)) => self.links.push(*link),
            NetlinkPayload::InnerMessage(Message::Garbled(kind)) => return Err(garbled(kind)),
            NetlinkPayload::Done(done) if done.code < 0 => {
                return Err(refused("links", done.code.saturating_neg()));
            }
            NetlinkPayload::Done(_) => return Ok(true),
            NetlinkPayload::Error(error) if error.code.is_some() => {
                return Err(refused("links", error.raw_code().saturating_neg()));
            }
            NetlinkPayload::Overrun(_) => self.interrupted = true,
            _ => {}
        }
        Ok(false)
    }
}

fn garbled(kind: u16) -> Unknown {
    Unknown::new(Why::Unparsable, format!("links: netlink message of type {kind} not understood"))
}

/// The first message of a datagram and what follows it (NLMSG_ALIGN: 4 bytes).
fn split(bytes: &[u8]) -> Reading<(NetlinkMessage<Message>, &[u8])> {
    let bad = |_| Unknown::new(Why::Unparsable, "links: a netlink message is cut short");
    let message = NetlinkMessage::<Message>::deserialize(bytes).map_err(bad)?;
    let length = (message.header.length as usize).next_multiple_of(4).max(4);
    Ok((message, bytes.get(length..).unwrap_or_default()))
}

fn open() -> io::Result<Socket> {
    let mut socket = Socket::new(NETLINK_ROUTE)?;
    socket.bind_auto()?;
    socket.connect(&SocketAddr::new(0, 0))?;
    // Without it (before Linux 4.20) the same request gives the same list.
    let _ = socket.set_netlink_get_strict_chk(true);
    set_socket_timeout(&socket, Timeout::Recv, Some(PATIENCE))?;
    Ok(socket)
}

fn ask(socket: &Socket, sequence: u32) -> Reading<()> {
    let mut body = vec![0; 16];
    push(&mut body, IFLA_EXT_MASK, &RTEXT_FILTER_SKIP_STATS.to_ne_bytes());
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | NLM_F_DUMP;
    header.sequence_number = sequence;
    let payload = NetlinkPayload::InnerMessage(Message::Ask(RTM_GETLINK, body));
    let mut message = NetlinkMessage::new(header, payload);
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    socket.send(&bytes, 0).map(drop).map_err(|error| failed("links", &error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::rtnl::Rtnl;

    #[test]
    fn it_reads_what_the_shared_connection_reads() {
        let rtnl = Rtnl::start(|_| {}).expect("netlink needs no privilege");
        let mut socket = LinkSocket::new();
        let ours = socket.dump().expect("links");
        assert_eq!(ours, rtnl.links(Duration::from_secs(5)).expect("links"));
        assert!(ours.iter().any(|l| l.flags.is_loopback()));
        assert_eq!(socket.dump().expect("links again").len(), ours.len());
    }

    #[test]
    fn a_cut_message_is_an_error() {
        assert!(split(&[20, 0, 0, 0, 16, 0]).is_err());
        assert!(split(&[]).is_err());
    }
}
