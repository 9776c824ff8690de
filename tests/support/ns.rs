//! Network namespaces with emulated rails on the real kernel.
//!
//! A TUN device whose link type is set to ARPHRD_INFINIBAND (TUNSETLINK, drivers/net/tun.c) is a
//! netdev of type 32 for rtnetlink, sysfs and the FIB: carrier, counters and routes are real.

#![expect(unsafe_code, reason = "the TUN ioctls take pointers")]

use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags, open};
use rustix::ioctl::{IntegerSetter, Opcode, Setter, ioctl};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::os::fd::AsFd;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

const TUNSETIFF: Opcode = 0x4004_54ca;
const TUNSETLINK: Opcode = 0x4004_54cd;
const TUNSETCARRIER: Opcode = 0x4004_54e2;
const IFF_TUN_NO_PI: u16 = 0x1001;
const ARPHRD_INFINIBAND: usize = 32;

static PROBE: AtomicU32 = AtomicU32::new(0);

/// Why namespaces cannot be used here, or `None` when they can.
pub(crate) fn unavailable() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("needs root (network namespaces)".into());
    }
    let number = PROBE.fetch_add(1, Ordering::Relaxed);
    let name = format!("rtprobe{}-{number}", std::process::id());
    match Command::new("ip").args(["netns", "add", &name]).output() {
        Err(e) => return Some(format!("needs ip(8) of iproute2: {e}")),
        Ok(out) if !out.status.success() => {
            return Some(format!("ip netns add: {}", String::from_utf8_lossy(&out.stderr).trim()));
        }
        Ok(_) => {}
    }
    let _ = Command::new("ip").args(["netns", "del", &name]).status();
    if !std::path::Path::new("/dev/net/tun").exists() {
        return Some("needs /dev/net/tun".into());
    }
    None
}

/// A named namespace, removed on drop.
#[derive(Debug)]
pub(crate) struct Ns {
    pub(crate) name: String,
}

impl Ns {
    /// A new namespace with `lo` up.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("rt{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let done = Command::new("ip").args(["netns", "add", &name]).status().expect("ip runs");
        assert!(done.success(), "ip netns add {name}");
        let ns = Self { name };
        ns.ip("link set lo up");
        ns
    }

    /// Runs `ip -n NS ARGS…` (split at blanks) and returns its standard output.
    #[track_caller]
    pub(crate) fn ip(&self, args: &str) -> String {
        let out = self.try_ip(args);
        assert!(out.status.success(), "ip {args}: {}", String::from_utf8_lossy(&out.stderr).trim());
        String::from_utf8_lossy(&out.stdout).into_owned()
    }

    /// The same, whatever comes of it.
    pub(crate) fn try_ip(&self, args: &str) -> Output {
        Command::new("ip")
            .args(["-n", &self.name])
            .args(args.split_whitespace())
            .output()
            .expect("ip runs")
    }

    /// A command inside the namespace, with /sys of the namespace.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program);
        command
    }

    /// Runs one line of sh inside the namespace.
    #[track_caller]
    pub(crate) fn sh(&self, line: &str) -> String {
        let out = self.command("sh").args(["-c", line]).output().expect("sh runs");
        assert!(
            out.status.success(),
            "{line}: {}{}",
            String::from_utf8_lossy(&out.stdout),
            String::from_utf8_lossy(&out.stderr)
        );
        String::from_utf8_lossy(&out.stdout).into_owned()
    }

    /// Runs a closure on a thread of its own that has entered the namespace.
    pub(crate) fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| {
            scope
                .spawn(|| {
                    let ns = open(
                        format!("/run/netns/{}", self.name),
                        OFlags::RDONLY | OFlags::CLOEXEC,
                        Mode::empty(),
                    )
                    .expect("namespace opens");
                    move_into_link_name_space(ns.as_fd(), Some(LinkNameSpaceType::Network))
                        .expect("setns");
                    work()
                })
                .join()
                .expect("thread in the namespace")
        })
    }
}

impl Drop for Ns {
    fn drop(&mut self) {
        // What still runs inside would keep the namespace alive.
        if let Ok(out) = Command::new("ip").args(["netns", "pids", &self.name]).output() {
            for pid in String::from_utf8_lossy(&out.stdout).split_whitespace() {
                let _ = Command::new("kill").args(["-9", pid]).stderr(Stdio::null()).status();
            }
        }
        let _ = Command::new("ip").args(["netns", "del", &self.name]).status();
    }
}

/// An emulated IPoIB rail.
#[derive(Debug)]
pub(crate) struct Rail {
    pub(crate) name: String,
    fd: OwnedFd,
}

impl Rail {
    /// Makes the interface, gives it `address` (may be empty) and brings it up with carrier.
    pub(crate) fn new(ns: &Ns, name: &str, address: &str) -> Self {
        let fd = ns.inside(|| {
            let fd = open(
                "/dev/net/tun",
                OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC,
                Mode::empty(),
            )
            .expect("/dev/net/tun opens");
            let mut request = [0u8; 40];
            request[..name.len()].copy_from_slice(name.as_bytes());
            request[16..18].copy_from_slice(&IFF_TUN_NO_PI.to_ne_bytes());
            // SAFETY: TUNSETIFF reads a struct ifreq (40 bytes on 64-bit Linux).
            unsafe { ioctl(&fd, Setter::<TUNSETIFF, [u8; 40]>::new(request)) }.expect("TUNSETIFF");
            // SAFETY: TUNSETLINK takes its value in the argument itself.
            unsafe { ioctl(&fd, IntegerSetter::<TUNSETLINK>::new_usize(ARPHRD_INFINIBAND)) }
                .expect("TUNSETLINK");
            fd
        });
        ns.ip(&format!("link set {name} mtu 2044"));
        if !address.is_empty() {
            ns.ip(&format!("addr add {address} dev {name}"));
        }
        ns.ip(&format!("link set {name} arp on"));
        ns.ip(&format!("link set {name} up"));
        let rail = Self { name: name.into(), fd };
        // operstate stays "unknown" until the carrier has changed once.
        rail.carrier(false);
        rail.carrier(true);
        super::wait_for("rail is up", std::time::Duration::from_secs(5), || {
            ns.ip(&format!("link show {name}")).contains("state UP").then_some(())
        });
        rail
    }

    /// Plugs (`true`) or unplugs the cable.
    pub(crate) fn carrier(&self, on: bool) {
        // SAFETY: TUNSETCARRIER reads an int.
        unsafe { ioctl(&self.fd, Setter::<TUNSETCARRIER, i32>::new(i32::from(on))) }
            .expect("TUNSETCARRIER");
    }

    /// `count` IPv4 packets of `size` bytes arrive on the rail.
    pub(crate) fn receive(&self, count: u32, size: u16) {
        let packet = ipv4_packet(size);
        for _ in 0..count {
            rustix::io::write(&self.fd, &packet).expect("packet accepted");
        }
    }

    /// Takes away what the host sent, so that its queue does not fill; returns the bytes.
    pub(crate) fn drain(&self) -> usize {
        let mut buffer = vec![0u8; 65536];
        let mut bytes = 0;
        while let Ok(n) = rustix::io::read(&self.fd, &mut buffer[..]) {
            if n == 0 {
                break;
            }
            bytes += n;
        }
        bytes
    }
}

/// A UDP packet to nobody: the kernel counts it and drops it.
fn ipv4_packet(size: u16) -> Vec<u8> {
    let size = size.max(28);
    let mut packet = vec![0u8; usize::from(size)];
    packet[0] = 0x45;
    packet[2..4].copy_from_slice(&size.to_be_bytes());
    packet[8] = 64;
    packet[9] = 17;
    packet[12..16].copy_from_slice(&[172, 16, 250, 250]);
    packet[16..20].copy_from_slice(&[172, 16, 251, 251]);
    let sum: u32 =
        packet[..20].chunks(2).map(|w| u32::from(u16::from_be_bytes([w[0], w[1]]))).sum();
    let sum = (sum & 0xffff) + (sum >> 16);
    packet[10..12].copy_from_slice(&(!(sum as u16)).to_be_bytes());
    packet
}
