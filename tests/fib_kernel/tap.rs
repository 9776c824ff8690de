//! Ethernet devices whose cable ends in the test: what is written arrives, what is sent is read.

#![expect(unsafe_code, reason = "the TUN ioctls take pointers")]

use crate::support::ns::Ns;
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags, open};
use rustix::ioctl::{Opcode, Setter, ioctl};

const TUNSETIFF: Opcode = 0x4004_54ca;
const IFF_TAP_NO_PI: u16 = 0x1002;

/// A device of a namespace, up.
#[derive(Debug)]
pub(crate) struct Tap(OwnedFd);

impl Tap {
    pub(crate) fn new(ns: &Ns, name: &str) -> Self {
        let fd = ns.inside(|| {
            let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let fd = open("/dev/net/tun", flags, Mode::empty()).expect("/dev/net/tun opens");
            let mut request = [0u8; 40];
            request[..name.len()].copy_from_slice(name.as_bytes());
            request[16..18].copy_from_slice(&IFF_TAP_NO_PI.to_ne_bytes());
            // SAFETY: TUNSETIFF reads a struct ifreq (40 bytes on 64-bit Linux).
            unsafe { ioctl(&fd, Setter::<TUNSETIFF, [u8; 40]>::new(request)) }.expect("TUNSETIFF");
            fd
        });
        ns.ip(&format!("link set {name} up"));
        Self(fd)
    }

    /// A frame arrives.
    pub(crate) fn receive(&self, frame: &[u8]) {
        rustix::io::write(&self.0, frame).expect("frame accepted");
    }

    /// The next frame that the host sent.
    pub(crate) fn sent(&self) -> Option<Vec<u8>> {
        let mut frame = vec![0; 2048];
        let len = rustix::io::read(&self.0, &mut frame[..]).ok()?;
        frame.truncate(len);
        Some(frame)
    }
}

/// The hardware address that stands for a number.
pub(crate) fn hardware(number: u32) -> [u8; 6] {
    let [a, b, c, d] = number.to_be_bytes();
    [0x02, 0xee, a, b, c, d]
}

/// "Who has `wanted`?", from `asker` at the hardware address of `number`.
pub(crate) fn arp_request(number: u32, wanted: [u8; 4], asker: [u8; 4]) -> Vec<u8> {
    let from = hardware(number);
    // Ethernet, IPv4, lengths 6 and 4, request.
    let mut frame = [&[0xff; 6][..], &from, &[8, 6, 0, 1, 8, 0, 6, 4, 0, 1]].concat();
    for part in [&from[..], &asker, &[0; 6], &wanted] {
        frame.extend_from_slice(part);
    }
    frame.resize(60, 0);
    frame
}

/// The number of the request that an ARP reply answers.
pub(crate) fn arp_answered(frame: &[u8]) -> Option<u32> {
    if frame.get(12..14)? != [8, 6] || frame.get(20..22)? != [0, 2] {
        return None;
    }
    let asker = frame.get(32..38)?;
    if asker[..2] != [0x02, 0xee] {
        return None;
    }
    Some(u32::from_be_bytes(asker[2..].try_into().expect("four bytes")))
}

/// A UDP packet that carries a number.
pub(crate) fn udp(to: [u8; 6], number: u32, src: [u8; 4], dst: [u8; 4], port: u16) -> Vec<u8> {
    let mut frame = [&to[..], &hardware(number), &[8, 0]].concat();
    let mut header = [0x45, 0, 0, 32, 0, 0, 0, 0, 64, 17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    header[12..16].copy_from_slice(&src);
    header[16..20].copy_from_slice(&dst);
    let sum: u32 = header.chunks(2).map(|w| u32::from(u16::from_be_bytes([w[0], w[1]]))).sum();
    let sum = (sum & 0xffff) + (sum >> 16);
    header[10..12].copy_from_slice(&(!(sum as u16)).to_be_bytes());
    frame.extend_from_slice(&header);
    // Without a checksum.
    for half in [4000, port, 12, 0] {
        frame.extend_from_slice(&half.to_be_bytes());
    }
    frame.extend_from_slice(&number.to_be_bytes());
    frame.resize(60, 0);
    frame
}
