//! Which files of a node a capture holds: those that the readers read, nothing else.

use super::copier::Copier;
use crate::read::{lnet_local, lnetctl};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

const NET: &str = "sys/class/net";
const INFINIBAND: &str = "sys/class/infiniband";
const CONF: &[&str] = &["proc/sys/net/ipv4/conf", "proc/sys/net/ipv6/conf"];

const NETDEV: &[&str] = &[
    "ifindex",
    "iflink",
    "type",
    "mtu",
    "address",
    "ifalias",
    "speed",
    "operstate",
    "flags",
    "carrier",
    "carrier_changes",
    "carrier_up_count",
    "carrier_down_count",
    "parent",
    "mode",
    "umcast",
    "pkey",
    "bonding/mode",
    "bonding/slaves",
    "bonding/active_slave",
];
const PCI: &[&str] = &[
    "uevent",
    "numa_node",
    "vendor",
    "device",
    "class",
    "current_link_speed",
    "current_link_width",
    "max_link_speed",
    "max_link_width",
];
const DEVICE: &[&str] = &[
    "node_type",
    "node_guid",
    "sys_image_guid",
    "node_desc",
    "fw_ver",
    "hca_type",
    "hw_rev",
    "board_id",
    "parent",
];
const PORT: &[&str] = &[
    "state",
    "phys_state",
    "rate",
    "link_layer",
    "lid",
    "sm_lid",
    "sm_sl",
    "lid_mask_count",
    "cap_mask",
];
/// First the data counters, which a rate is made of; then by the cost of being late.
const COUNTERS: &[&str] = &["counters", "counters_ext", "hw_counters"];
/// mlx5 queries the hardware once per group only when its first counter is read first.
const FIRST: &[&str] = &["port_rcv_data", "port_xmit_data", "rx_write_requests"];
/// Settings in the place of counters.
const NO_COUNTERS: &[&str] = &["lifespan"];
/// Entries of the GID and P_Key tables that are worth a read each.
const GIDS: u32 = 16;
const PKEYS: u32 = 8;

const SYSCTL4: &[&str] = &[
    "rp_filter",
    "arp_ignore",
    "arp_announce",
    "arp_filter",
    "accept_local",
    "ignore_routes_with_linkdown",
    "src_valid_mark",
    "forwarding",
];
const SYSCTL6: &[&str] = &[
    "disable_ipv6",
    "ignore_routes_with_linkdown",
    "keep_addr_on_down",
    "accept_ra",
    "forwarding",
];
const SYSTEM: &[&str] = &[
    "proc/sys/net/ipv4/ip_forward",
    "proc/sys/net/ipv4/fib_multipath_hash_policy",
    "proc/sys/net/ipv4/nexthop_compat_mode",
    "proc/sys/kernel/hostname",
    "proc/sys/kernel/osrelease",
    "proc/loadavg",
    "proc/meminfo",
    "sys/devices/system/cpu/online",
    "sys/devices/system/node/online",
];
const NUMA: &str = "sys/devices/system/node";
const MODULES: &[&str] = &[
    "lnet",
    "ksocklnd",
    "ko2iblnd",
    "in_kernel_ko2iblnd",
    "kfilnd",
    "kgnilnd",
    "libcfs",
    "ib_ipoib",
];
const TABLE_NAMES: &[&str] = &["etc/iproute2", "usr/share/iproute2", "usr/lib/iproute2"];

/// The interfaces, those with hardware first; the flag tells them apart.
pub(super) fn netdevs(root: &Path) -> Vec<(OsString, bool)> {
    let dir = root.join(NET);
    let mut found: Vec<_> = names(&dir)
        .into_iter()
        .filter(|name| dir.join(name).is_dir())
        .map(|name| (dir.join(&name).join("device").exists(), name))
        .collect();
    found.sort_by(|(a, x), (b, y)| b.cmp(a).then_with(|| x.cmp(y)));
    found.into_iter().map(|(hardware, name)| (name, hardware)).collect()
}

/// The RDMA devices.
pub(super) fn rdma_devices(root: &Path) -> Vec<OsString> {
    names(&root.join(INFINIBAND))
}

fn names(dir: &Path) -> Vec<OsString> {
    let list = std::fs::read_dir(dir);
    let mut names: Vec<_> =
        list.map(|l| l.flatten().map(|e| e.file_name()).collect()).unwrap_or_default();
    names.sort();
    names
}

/// The path of an interface, which names it in words when its reads hang.
pub(super) fn netdev_path(name: &OsStr) -> PathBuf {
    Path::new(NET).join(name)
}

/// The path of an RDMA device.
pub(super) fn rdma_path(name: &OsStr) -> PathBuf {
    Path::new(INFINIBAND).join(name)
}

/// One interface.
pub(super) fn netdev(copier: &Copier, name: &OsStr) {
    let Some(dir) = copier.enter(netdev_path(name)) else { return };
    for file in copier.list(dir.join("statistics")) {
        copier.file(dir.join("statistics").join(file));
    }
    copier.files(&dir, NETDEV);
    // IPoIB writes a kernel log line for `dev_id` of a port above 1, which `dev_port` tells too.
    let dev_port = copier.file(dir.join("dev_port"));
    if dev_port.is_none_or(|text| text.trim_ascii() == b"0") {
        copier.file(dir.join("dev_id"));
    }
    for entry in copier.list(&dir) {
        let bytes = entry.as_encoded_bytes();
        if entry == "master" || bytes.starts_with(b"lower_") {
            copier.enter(dir.join(&entry));
        }
    }
    device_behind(copier, &dir);
}

/// One RDMA device.
pub(super) fn rdma_device(copier: &Copier, name: &OsStr) {
    let Some(dir) = copier.enter(rdma_path(name)) else { return };
    let ports = copier.list(dir.join("ports"));
    for port in &ports {
        counters(copier, &dir.join("ports").join(port));
    }
    for number in &ports {
        let port = dir.join("ports").join(number);
        copier.files(&port, PORT);
        tables(copier, &port);
    }
    group(copier, &dir.join("hw_counters"));
    copier.files(&dir, DEVICE);
    device_behind(copier, &dir);
}

fn counters(copier: &Copier, port: &Path) {
    copier.enter(port);
    for name in COUNTERS {
        group(copier, &port.join(name));
    }
}

fn group(copier: &Copier, dir: &Path) {
    let names = copier.list(dir);
    let first = |name: &OsString| FIRST.iter().any(|f| name == f);
    for name in names.iter().filter(|n| first(n)).chain(names.iter().filter(|n| !first(n))) {
        if !NO_COUNTERS.iter().any(|no| name == no) {
            copier.file(dir.join(name));
        }
    }
}

fn tables(copier: &Copier, port: &Path) {
    for index in 0..GIDS {
        let Some(gid) = copier.file(port.join(format!("gids/{index}"))) else { break };
        // An empty entry has no attributes but EINVAL.
        if gid.iter().any(|c| !matches!(c, b'0' | b':' | b'\n')) {
            copier.file(port.join(format!("gid_attrs/ndevs/{index}")));
            copier.file(port.join(format!("gid_attrs/types/{index}")));
        }
    }
    for index in 0..PKEYS {
        if copier.file(port.join(format!("pkeys/{index}"))).is_none() {
            break;
        }
    }
}

/// The device that an interface or RDMA device belongs to, and the PCI functions above it.
fn device_behind(copier: &Copier, owner: &Path) {
    let Some(device) = copier.enter(owner.join("device")) else { return };
    for list in ["net", "infiniband"] {
        for name in copier.list(device.join(list)) {
            copier.enter(device.join(list).join(name));
        }
    }
    copier.enter(device.join("subsystem"));
    copier.file(device.join("sfnum"));
    device_path(copier, &device);
    if let Some(physfn) = copier.enter(device.join("physfn")) {
        device_path(copier, &physfn);
    }
}

fn device_path(copier: &Copier, device: &Path) {
    for dir in device.ancestors().take_while(|d| *d != Path::new("sys/devices")) {
        copier.files(dir, PCI);
        copier.enter(dir.join("driver"));
    }
}

/// Everything that is no device: sysctls, modules, the host line, names of tables.
pub(super) fn system(copier: &Copier) {
    // A class without devices is something else than one that was not looked at.
    copier.enter(NET);
    copier.enter(INFINIBAND);
    copier.enter("sys/module");
    for file in SYSTEM {
        copier.file(file);
    }
    for node in copier.list(NUMA).iter().filter(|n| n.as_encoded_bytes().starts_with(b"node")) {
        copier.file(Path::new(NUMA).join(node).join("distance"));
    }
    // The rest of it, interrupts by number, is long and no business of a capture.
    copier.filtered("proc/stat", |text| {
        let wanted = |line: &&[u8]| line.starts_with(b"cpu") || line.starts_with(b"btime");
        text.split_inclusive(|c| *c == b'\n').filter(wanted).flatten().copied().collect()
    });
    for (dir, wanted) in CONF.iter().zip([SYSCTL4, SYSCTL6]) {
        for interface in copier.list(dir) {
            copier.files(&Path::new(dir).join(interface), wanted);
        }
    }
    // Empty, it tells that a module is not loaded.
    copier.enter("sys/module");
    for module in MODULES {
        let Some(dir) = copier.enter(Path::new("sys/module").join(module)) else { continue };
        copier.file(dir.join("version"));
        for parameter in copier.list(dir.join("parameters")) {
            copier.file(dir.join("parameters").join(parameter));
        }
    }
    lnet_at_boot(copier);
    for dir in TABLE_NAMES {
        let dir = Path::new(dir);
        copier.file(dir.join("rt_tables"));
        for name in copier.list(dir.join("rt_tables.d")) {
            copier.file(dir.join("rt_tables.d").join(name));
        }
    }
}

/// What configures LNet at boot, and who uses it: of the node's other settings nothing.
fn lnet_at_boot(copier: &Copier) {
    copier.file("proc/modules");
    copier.filtered("proc/mounts", |text| lnet_local::lustre_mounts(&text));
    // Empty, it tells that the service is not enabled.
    copier.enter("etc/systemd/system");
    for dir in copier.list("etc/systemd/system") {
        let bytes = dir.as_encoded_bytes();
        if bytes.ends_with(b".wants") || bytes.ends_with(b".requires") {
            copier.link(Path::new("etc/systemd/system").join(dir).join("lnet.service"));
        }
    }
    copier.file("etc/lnet.conf");
    for dir in lnet_local::MODPROBE {
        let dir = Path::new(dir);
        for name in copier.list(dir) {
            if name.as_encoded_bytes().ends_with(b".conf") {
                copier.chosen(dir.join(name), lnet_local::is_of_lnet);
            }
        }
    }
}

/// The table of credits, where the kernel has it, under the name that a capture has for it.
pub(super) fn lnet_credits(copier: &Copier, name: &str) {
    for path in lnetctl::NIS {
        if copier.file_as(Path::new(path), Path::new(name)) {
            break;
        }
    }
}
