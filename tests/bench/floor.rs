//! The floor: a bare loop that makes the system calls of a pass and nothing else.
//!
//! Which files railtop holds open, and how often it reads, is taken from railtop itself
//! (`/proc/PID/fd`, `/proc/PID/io`) while it runs on the same rails. The loop reads the same files
//! as often with `pread(2)`, and asks rtnetlink for the links four times a second, as railtop does.

use super::{World, cpu, process_named};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use rustix::time::{ClockId, clock_gettime};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// railtop's own cost beside that of the floor.
pub(crate) fn table(window: Duration) {
    println!(
        "{:>5} {:>8} {:>8} {:>9} {:>9} {:>9}",
        "rails", "interval", "reads/s", "floor %", "railtop %", "more %"
    );
    for (rails, text, interval) in
        [(8, "1s", Duration::from_secs(1)), (64, "100ms", Duration::from_millis(100))]
    {
        let world = World::new(rails);
        let pty = world.start(text);
        pty.wait_text("ib7", Duration::from_secs(10));
        std::thread::sleep(Duration::from_secs(3));
        let pid = process_named(pty.pid(), "railtop");
        let reads = || super::field(&pid.join("io"), "syscr:");
        let (cpu0, reads0, start) = (cpu(&pid), reads(), Instant::now());
        std::thread::sleep(window);
        let seconds = start.elapsed().as_secs_f64();
        let per_second = (reads() - reads0) as f64 / seconds;
        let own = cpu(&pid).saturating_sub(cpu0).as_secs_f64() * 100.0 / seconds;
        let root = world.tree.path().to_path_buf();
        let held = fs::read_dir(pid.join("fd")).expect("its descriptors");
        let files: Vec<PathBuf> = held
            .flatten()
            .filter_map(|fd| fs::read_link(fd.path()).ok())
            .filter(|path| path.starts_with(&root) && path.is_file())
            .collect();
        drop(pty);
        let bare = world.ns.inside(|| run(&files, per_second, interval, window));
        println!(
            "{rails:>5} {text:>8} {per_second:>8.0} {bare:>9.3} {own:>9.3} {:>9.3}",
            own - bare
        );
    }
}

/// CPU of this thread in per cent of a core.
fn run(files: &[PathBuf], per_second: f64, interval: Duration, window: Duration) -> f64 {
    let open: Vec<File> = files.iter().filter_map(|path| File::open(path).ok()).collect();
    assert!(!open.is_empty(), "railtop holds no file open");
    let mut socket = Socket::new(NETLINK_ROUTE).expect("netlink socket");
    socket.bind_auto().expect("bind");
    socket.connect(&SocketAddr::new(0, 0)).expect("connect");
    let mut buffer = vec![0u8; 32 * 1024];
    let mut text = [0u8; 4096];
    let each = (per_second * interval.as_secs_f64()).round() as usize;
    let dumps = (0.25 / interval.as_secs_f64()).max(1.0) as u32;
    let (start, before) = (Instant::now(), spent());
    let (mut next, mut passes, mut at) = (start, 0u32, 0usize);
    while start.elapsed() < window {
        for _ in 0..each {
            let file = &open[at % open.len()];
            at += 1;
            let _ = std::hint::black_box(file.read_at(&mut text, 0));
        }
        // Four dumps a second, whatever the interval.
        let due =
            if interval >= Duration::from_secs(1) { 4 } else { u32::from(passes % dumps == 0) };
        for _ in 0..due {
            dump(&socket, &mut buffer);
        }
        passes += 1;
        next += interval;
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    spent().saturating_sub(before).as_secs_f64() * 100.0 / start.elapsed().as_secs_f64()
}

fn spent() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP (linux/netlink.h): an `nlmsghdr` and an `ifinfomsg`.
fn dump(socket: &Socket, buffer: &mut Vec<u8>) {
    let mut request = [0u8; 32];
    request[0..4].copy_from_slice(&32u32.to_ne_bytes());
    request[4..6].copy_from_slice(&18u16.to_ne_bytes());
    request[6..8].copy_from_slice(&0x301u16.to_ne_bytes());
    socket.send(&request, 0).expect("request");
    loop {
        buffer.resize(32 * 1024, 0);
        let length = socket.recv(&mut &mut buffer[..], 0).expect("answer");
        let kind = u16::from_ne_bytes([buffer[4], buffer[5]]);
        // NLMSG_ERROR, NLMSG_DONE
        if kind == 2 || kind == 3 || length == 0 {
            return;
        }
        let mut here = 0;
        while here + 16 <= length {
            let size = u32::from_ne_bytes(buffer[here..here + 4].try_into().expect("four bytes"));
            if u16::from_ne_bytes([buffer[here + 4], buffer[here + 5]]) == 3 {
                return;
            }
            here += (size as usize).max(16).next_multiple_of(4);
        }
    }
}
