//! The host line, from sysinfo on a live node and from a copied tree otherwise.

use crate::read::root::Root;
use crate::read::sysfs::files::read_whole;
use crate::sample::{Host, Memory, NumaNode, Reading, Text, Unknown, Why};
use sysinfo::{MemoryRefreshKind, System};

/// Reads the host facts of the running system again and again.
#[derive(Debug)]
pub struct HostReader {
    system: Reading<System>,
    cpus: Reading<u32>,
    boot_time_seconds: Reading<u64>,
    numa: Reading<Vec<NumaNode>>,
}

impl HostReader {
    /// A reader; the boot time, the number of CPUs and the NUMA nodes are read once.
    pub fn new() -> Self {
        Self {
            system: System::new().map_err(|error| unreadable(&error)),
            cpus: cpus(&Root::system()),
            boot_time_seconds: System::boot_time().map_err(|error| unreadable(&error)),
            numa: numa(&Root::system()),
        }
    }

    /// The facts now.
    pub fn read(&mut self) -> Host {
        Host {
            name: System::host_name()
                .map_err(|error| unreadable(&error))
                .and_then(|name| host_name(&name)),
            kernel: System::kernel_version()
                .map(|release| Text::new(&release))
                .map_err(|error| unreadable(&error)),
            load: System::load_average()
                .map(|load| [load.one, load.five, load.fifteen])
                .map_err(|error| unreadable(&error)),
            memory: self.memory(),
            cpus: self.cpus.clone(),
            boot_time_seconds: self.boot_time_seconds.clone(),
            uid: Ok(rustix::process::geteuid().as_raw()),
            numa: self.numa.clone(),
        }
    }

    fn memory(&mut self) -> Reading<Memory> {
        let system = self.system.as_mut().map_err(|unknown| unknown.clone())?;
        system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
        match system.total_memory() {
            0 => Err(Unknown::new(Why::Absent, "/proc/meminfo: no MemTotal")),
            total_bytes => Ok(Memory { total_bytes, available_bytes: system.available_memory() }),
        }
    }
}

impl Default for HostReader {
    fn default() -> Self {
        Self::new()
    }
}

/// Host facts of the running system.
pub fn live() -> Host {
    HostReader::new().read()
}

/// Host facts of a copied tree (`proc/…`, `etc/hostname`); `meta.json` may add to them.
pub fn from_tree(root: &Root) -> Host {
    let file = |below: &str| read_whole(root, below);
    Host {
        name: file("proc/sys/kernel/hostname")
            .and_then(|name| host_name(&name))
            .or_else(|_| file("etc/hostname").and_then(|name| host_name(&name))),
        kernel: file("proc/sys/kernel/osrelease").and_then(|text| first_line(&text)),
        load: file("proc/loadavg").and_then(|text| load(&text)),
        memory: file("proc/meminfo").and_then(|text| memory(&text)),
        cpus: cpus(root),
        boot_time_seconds: file("proc/stat").and_then(|text| boot_time(&text)),
        uid: Err(Unknown::new(Why::Absent, "copied tree")),
        numa: numa(root),
    }
}

fn unreadable(error: &impl std::fmt::Display) -> Unknown {
    Unknown::new(Why::Absent, error.to_string().as_str())
}

fn odd(path: &str) -> Unknown {
    Unknown::new(Why::Unparsable, path)
}

fn first_line(text: &str) -> Reading<Text> {
    match text.lines().next().map(str::trim) {
        None | Some("") => Err(Unknown::new(Why::Absent, "empty")),
        Some(line) => Ok(Text::new(line)),
    }
}

/// Without its domain.
fn host_name(name: &str) -> Reading<Text> {
    first_line(name.trim_start().split('.').next().unwrap_or_default())
}

fn load(text: &str) -> Reading<[f64; 3]> {
    let mut figures = text.split_whitespace().map(|word| word.parse::<f64>().ok());
    let mut next = || {
        let figure = figures.next().flatten().filter(|load| load.is_finite() && *load >= 0.0);
        figure.ok_or_else(|| odd("/proc/loadavg"))
    };
    Ok([next()?, next()?, next()?])
}

fn memory(text: &str) -> Reading<Memory> {
    let bytes = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
        let figure = line.and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse().ok());
        figure
            .and_then(|kib: u64| kib.checked_mul(1024))
            .ok_or_else(|| odd(&format!("/proc/meminfo: {key}")))
    };
    Ok(Memory { total_bytes: bytes("MemTotal")?, available_bytes: bytes("MemAvailable")? })
}

fn boot_time(text: &str) -> Reading<u64> {
    let seconds = text.lines().find_map(|line| line.strip_prefix("btime "));
    seconds.and_then(|s| s.trim().parse().ok()).ok_or_else(|| odd("/proc/stat: btime"))
}

/// CPUs that are online, whatever this process may use of them.
fn cpus(root: &Root) -> Reading<u32> {
    let listed = read_whole(root, "sys/devices/system/cpu/online")
        .and_then(|list| count_cpus(&list).ok_or_else(|| odd("/sys/devices/system/cpu/online")));
    listed.or_else(|_| {
        let stat = read_whole(root, "proc/stat")?;
        let is_cpu = |line: &&str| {
            line.strip_prefix("cpu")
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        };
        match stat.lines().filter(is_cpu).count() {
            0 => Err(odd("/proc/stat: no CPU")),
            n => u32::try_from(n).map_err(|_| odd("/proc/stat")),
        }
    })
}

/// A list like `0-3,8`.
fn count_cpus(online: &str) -> Option<u32> {
    ranges(online)?
        .into_iter()
        .try_fold(0u32, |sum, (from, to)| sum.checked_add(to.checked_sub(from)?.checked_add(1)?))
}

/// First and last number of each part of a list like `0-3,8`.
fn ranges(list: &str) -> Option<Vec<(u32, u32)>> {
    let range = |part: &str| {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        Some((from.parse().ok()?, to.parse().ok()?))
    };
    list.trim().split(',').map(range).collect()
}

/// A node of Linux has a number below this (`MAX_NUMNODES`, `CONFIG_NODES_SHIFT` 10).
const MAX_NODES: u32 = 1024;

/// The NUMA nodes that are online. A kernel without `CONFIG_NUMA` has none.
fn numa(root: &Root) -> Reading<Vec<NumaNode>> {
    const NODES: &str = "sys/devices/system/node";
    let online = read_whole(root, &format!("{NODES}/online"))?;
    let nodes = ranges(&online).filter(|all| all.iter().all(|(_, to)| *to < MAX_NODES));
    let nodes = nodes.ok_or_else(|| odd("/sys/devices/system/node/online"))?;
    nodes
        .into_iter()
        .flat_map(|(from, to)| from..=to)
        .map(|node| {
            let text = read_whole(root, &format!("{NODES}/node{node}/distance"))?;
            let distances: Option<Vec<u32>> =
                text.split_whitespace().map(|word| word.parse().ok()).collect();
            let unknown = || odd(&format!("/{NODES}/node{node}/distance"));
            Ok(NumaNode { node, distances: distances.ok_or_else(unknown)? })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::sysfs::tree::Tree;
    use proptest::prelude::*;

    #[test]
    fn a_copied_tree() {
        let tree = Tree::new();
        tree.file("etc/hostname", "gpu07.cluster.example\n");
        tree.file("proc/sys/kernel/osrelease", "5.14.0-427.el9.x86_64\n");
        tree.file("proc/loadavg", "1.25 0.5 0.01 3/2112 4711\n");
        tree.file("proc/meminfo", "MemTotal:  2097152 kB\nMemFree: 1 kB\nMemAvailable: 1024 kB\n");
        tree.file("proc/stat", "cpu  1 2\ncpu0 1 2\ncpu1 1 2\nintr 5 0 0\nbtime 1763715083\n");
        tree.file("sys/devices/system/node/online", "0,2\n");
        tree.file("sys/devices/system/node/node0/distance", "10 21\n");
        tree.file("sys/devices/system/node/node2/distance", "21 10\n");
        let host = from_tree(&Root::new(tree.path()));
        let node = |node, distances: [u32; 2]| NumaNode { node, distances: distances.into() };
        assert_eq!(host.numa, Ok(vec![node(0, [10, 21]), node(2, [21, 10])]));
        assert_eq!(host.name.unwrap(), *"gpu07");
        assert_eq!(host.kernel.unwrap(), *"5.14.0-427.el9.x86_64");
        assert_eq!(host.load, Ok([1.25, 0.5, 0.01]));
        let memory = Memory { total_bytes: 2 << 30, available_bytes: 1 << 20 };
        assert_eq!(host.memory.unwrap(), memory);
        assert_eq!(host.cpus, Ok(2));
        assert_eq!(host.boot_time_seconds, Ok(1_763_715_083));
        assert_eq!(host.uid.unwrap_err().why, Why::Absent);
    }

    #[test]
    fn an_empty_tree_is_unknown() {
        let tree = Tree::new();
        let host = from_tree(&Root::new(tree.path()));
        assert_eq!(host.name.unwrap_err().why, Why::Absent);
        assert_eq!(host.cpus.unwrap_err().why, Why::Absent);
        assert_eq!(host.memory.unwrap_err().why, Why::Absent);
    }

    #[test]
    fn the_running_system() {
        let mut reader = HostReader::new();
        let host = reader.read();
        assert!(host.kernel.is_ok());
        assert!(host.memory.is_ok_and(|m| m.total_bytes >= m.available_bytes));
        assert!(host.cpus.is_ok_and(|n| n > 0));
        assert!(host.boot_time_seconds.is_ok_and(|t| t > 0));
        assert_eq!(reader.read().name, host.name);
    }

    #[test]
    fn lists_of_cpus() {
        assert_eq!(count_cpus("0-127\n"), Some(128));
        assert_eq!(count_cpus("0,2-3\n"), Some(3));
        assert_eq!(count_cpus("3-2"), None);
        assert_eq!(count_cpus("0-4294967295"), None);
    }

    #[test]
    fn odd_numa_nodes_are_unknown() {
        let tree = Tree::new();
        let read = || numa(&Root::new(tree.path())).unwrap_err().why;
        assert_eq!(read(), Why::Absent);
        tree.file("sys/devices/system/node/online", "0-4294967295\n");
        assert_eq!(read(), Why::Unparsable);
        tree.file("sys/devices/system/node/online", "0\n");
        assert_eq!(read(), Why::Absent);
        tree.file("sys/devices/system/node/node0/distance", "ten\n");
        assert_eq!(read(), Why::Unparsable);
    }

    proptest! {
        #[test]
        fn nothing_panics(text: String) {
            let _ = (load(&text), memory(&text), boot_time(&text), count_cpus(&text), host_name(&text));
        }
    }
}
