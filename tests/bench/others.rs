//! Other programs on the same machine, in turn, on a terminal of the same size in the same
//! namespace: `RAILTOP_BENCH_OTHERS="btop;bmon -p 'ib*'"` names them, railtop comes first. The
//! node has 8 rails, 4 LNet NIs and 200 routes; what railtop's `lnetctl` costs is not in the row of
//! railtop (nor does any other program ask LNet).

use super::{World, cpu, field, wakeups};
use crate::support::pty::Pty;
use crate::support::railtop;
use std::fmt::Write;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

pub(crate) fn table(window: Duration) {
    let world = World::new(8);
    for table in 100..300u32 {
        let route = format!("route replace 10.200.{}.0/24 dev ib0 table {table}", table - 100);
        world.ns.ip(&route);
    }
    lnet(&world);
    println!(
        "{:<28} {:>7} {:>7} {:>8} {:>9} {:>10}",
        "program", "CPU %", "wake/s", "RSS MB", "B/s", "first B"
    );
    let root = world.tree.path().to_str().expect("UTF-8 path").to_owned();
    let named = std::env::var("RAILTOP_BENCH_OTHERS").unwrap_or_default();
    let own =
        format!("{} --root {root} --lnetctl {root}/lnetctl --interval 1s", railtop().display());
    for line in
        std::iter::once(own.as_str()).chain(named.split(';')).filter(|l| !l.trim().is_empty())
    {
        row(&world, line, window);
    }
}

/// LNet with an NI on each of the first four rails, by a script in the place of `lnetctl`.
fn lnet(world: &World) {
    let mut nets = "net:\n    - net type: o2ib\n      local NI(s):\n".to_owned();
    for rail in 0..4 {
        let _ = write!(
            nets,
            "        - nid: 10.{rail}.0.1@o2ib\n          status: up\n          interfaces:\n              \
             0: ib{rail}\n          statistics:\n              send_count: 7321\n              recv_count: \
             7300\n              drop_count: 0\n          health stats:\n              fatal_error: 0\n              \
             health value: 1000\n          tunables:\n              peer_timeout: 180\n              \
             peer_credits: 32\n              credits: 256\n"
        );
    }
    let tree = &world.tree;
    tree.dir("sys/module/lnet");
    tree.file("nets", &nets);
    let path = tree.path().join("lnetctl");
    let nets = tree.path().join("nets");
    let script = format!(
        "#!/bin/sh\ncase \"$1\" in\n--version) echo lnetctl 2.16.1 ;;\nnet) exec cat {} ;;\nesac\n",
        nets.display()
    );
    tree.file("lnetctl", &script);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("mode");
}

fn row(world: &World, line: &str, window: Duration) {
    let command = format!("exec {line}");
    let args = ["netns", "exec", &world.ns.name, "sh", "-c", &command];
    let pty = Pty::spawn("/usr/sbin/ip".as_ref(), &args, 120, 40);
    std::thread::sleep(Duration::from_secs(5));
    let pid = PathBuf::from(format!("/proc/{}", pty.pid()));
    let first = pty.seen().raw.len();
    let (cpu0, wake0) = (cpu(&pid), wakeups(&pid));
    let start = Instant::now();
    std::thread::sleep(window);
    let (cpu1, wake1) = (cpu(&pid), wakeups(&pid));
    let seconds = start.elapsed().as_secs_f64();
    let name = line.split_whitespace().next().unwrap_or_default();
    let name = name.rsplit('/').next().unwrap_or_default();
    println!(
        "{name:<28} {:>7.3} {:>7.1} {:>8.1} {:>9.0} {first:>10}",
        cpu1.saturating_sub(cpu0).as_secs_f64() * 100.0 / seconds,
        wake1.saturating_sub(wake0) as f64 / seconds,
        field(&pid.join("status"), "VmHWM:") as f64 / 1024.0,
        (pty.seen().raw.len() - first) as f64 / seconds,
    );
}
