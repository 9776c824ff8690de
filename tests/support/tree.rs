//! Makes `/sys` and `/proc` trees in the shapes that drivers give them.
//!
//! Real directories below `sys/devices`, relative links in `sys/class`, as the kernel has them.

#![allow(dead_code, unreachable_pub, reason = "each test includes it and uses its part")]
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made is a failed test")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The files of `counters/` with the extended set, as on mlx5.
pub const PMA: [&str; 21] = [
    "VL15_dropped",
    "excessive_buffer_overrun_errors",
    "link_downed",
    "link_error_recovery",
    "local_link_integrity_errors",
    "multicast_rcv_packets",
    "multicast_xmit_packets",
    "port_rcv_constraint_errors",
    "port_rcv_data",
    "port_rcv_errors",
    "port_rcv_packets",
    "port_rcv_remote_physical_errors",
    "port_rcv_switch_relay_errors",
    "port_xmit_constraint_errors",
    "port_xmit_data",
    "port_xmit_discards",
    "port_xmit_packets",
    "port_xmit_wait",
    "symbol_error",
    "unicast_rcv_packets",
    "unicast_xmit_packets",
];

/// Some of the Q counters of mlx5.
pub const MLX5_HW: [&str; 7] = [
    "duplicate_request",
    "local_ack_timeout_err",
    "out_of_buffer",
    "out_of_sequence",
    "packet_seq_err",
    "rx_read_requests",
    "rx_write_requests",
];

/// The files of `statistics/`.
pub const STATISTICS: [&str; 10] = [
    "collisions",
    "multicast",
    "rx_bytes",
    "rx_dropped",
    "rx_errors",
    "rx_packets",
    "tx_bytes",
    "tx_dropped",
    "tx_errors",
    "tx_packets",
];

/// A tree in a directory of its own, removed with it, or in one that somebody else removes.
#[derive(Debug)]
pub struct Tree {
    root: PathBuf,
    own: Option<TempDir>,
}

/// A temporary directory, in memory where that is possible: a tree is thousands of files.
pub fn scratch() -> TempDir {
    TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap()
}

/// An RDMA port to be made.
#[derive(Clone, Debug)]
pub struct Port {
    /// `state`.
    pub state: &'static str,
    /// `phys_state`.
    pub phys_state: &'static str,
    /// `rate`.
    pub rate: &'static str,
    /// `link_layer`.
    pub link_layer: &'static str,
    /// `lid`.
    pub lid: &'static str,
    /// `sm_lid`.
    pub sm_lid: &'static str,
    /// `gids/0…`.
    pub gids: Vec<String>,
}

impl Port {
    /// An ACTIVE port on a fabric with a subnet manager.
    pub fn active(rate: &'static str) -> Self {
        Self {
            state: "4: ACTIVE",
            phys_state: "5: LinkUp",
            rate,
            link_layer: "InfiniBand",
            lid: "0x32",
            sm_lid: "0x1",
            gids: vec!["fe80:0000:0000:0000:a088:c203:0074:cfda".into()],
        }
    }

    /// No light: the rate is the placeholder of mlx5, the LIDs are from before.
    pub fn down() -> Self {
        Self {
            state: "1: DOWN",
            phys_state: "2: Polling",
            lid: "0x364",
            sm_lid: "0x14e",
            ..Self::active("10 Gb/sec (4X SDR)")
        }
    }

    /// An ACTIVE Ethernet port.
    pub fn roce(rate: &'static str) -> Self {
        Self {
            link_layer: "Ethernet",
            lid: "0x0",
            sm_lid: "0x0",
            gids: vec![
                "fe80:0000:0000:0000:ba59:9fff:fe12:3456".into(),
                "0000:0000:0000:0000:0000:ffff:c0a8:0001".into(),
            ],
            ..Self::active(rate)
        }
    }
}

/// A netdev to be made.
#[derive(Clone, Copy, Debug)]
pub struct Nic {
    /// `type`.
    pub kind: u32,
    /// `ifindex`.
    pub ifindex: u32,
    /// Administratively and operationally up; down otherwise, with failing files empty.
    pub up: bool,
    /// `dev_port`.
    pub dev_port: u32,
}

impl Nic {
    /// An Ethernet interface that is up.
    pub fn ethernet(ifindex: u32) -> Self {
        Self { kind: 1, ifindex, up: true, dev_port: 0 }
    }

    /// An IPoIB interface that is up.
    pub fn ipoib(ifindex: u32) -> Self {
        Self { kind: 32, ..Self::ethernet(ifindex) }
    }
}

impl Tree {
    /// An empty tree.
    pub fn new() -> Self {
        let own = scratch();
        Self { root: own.path().to_owned(), own: Some(own) }
    }

    /// An empty tree in a directory that stays.
    pub fn inside(root: &Path) -> Self {
        fs::create_dir_all(root).unwrap();
        Self { root: root.to_owned(), own: None }
    }

    /// What stands for "/".
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// Path of an entry.
    pub fn at(&self, below: impl AsRef<Path>) -> PathBuf {
        self.path().join(below)
    }

    /// Writes a file and the directories above it.
    pub fn file(&self, below: impl AsRef<Path>, text: &str) {
        self.bytes(below, text.as_bytes());
    }

    /// Writes a file of any bytes.
    pub fn bytes(&self, below: impl AsRef<Path>, bytes: &[u8]) {
        let path = self.at(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Makes a directory.
    pub fn dir(&self, below: impl AsRef<Path>) {
        fs::create_dir_all(self.at(below)).unwrap();
    }

    /// Makes a symbolic link, instead of one that is there; its target need not exist.
    pub fn link(&self, below: impl AsRef<Path>, target: impl AsRef<Path>) {
        let path = self.at(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let _ = fs::remove_file(&path);
        symlink(target, path).unwrap();
    }

    /// Removes a file, link or directory.
    pub fn remove(&self, below: impl AsRef<Path>) {
        let path = self.at(below);
        if path.symlink_metadata().unwrap().is_dir() {
            fs::remove_dir_all(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
    }

    /// Puts a directory in the place of a file, so that it exists and cannot be read: as near as
    /// a copied tree comes to EINVAL.
    pub fn refuse(&self, below: impl AsRef<Path>) {
        self.remove(&below);
        self.dir(below);
    }

    /// A PCI function behind a root port; returns its path.
    pub fn pci(&self, domain_bus: &str, function: u32, speed: &str, width: &str) -> String {
        let host = format!("sys/devices/pci{domain_bus}");
        let port = format!("{host}/{domain_bus}:01.0");
        // Both ends tell the same of a link; the slot can no more than that.
        self.pci_files(&port, speed, width);
        self.file(format!("{port}/max_link_speed"), &format!("{speed}\n"));
        self.file(format!("{port}/max_link_width"), &format!("{width}\n"));
        let device = format!("{port}/{domain_bus}:0a.{function}");
        self.pci_files(&device, speed, width);
        device
    }

    fn pci_files(&self, path: &str, speed: &str, width: &str) {
        let file = |name: &str, text: &str| self.file(format!("{path}/{name}"), text);
        file("numa_node", "1\n");
        file("vendor", "0x15b3\n");
        file("device", "0x101b\n");
        file("current_link_speed", &format!("{speed}\n"));
        file("current_link_width", &format!("{width}\n"));
        file("max_link_speed", "32.0 GT/s PCIe\n");
        file("max_link_width", "16\n");
        let driver = self.at(path).join("driver");
        if driver.symlink_metadata().is_err() {
            self.link(format!("{path}/driver"), "../../../../bus/pci/drivers/mlx5_core");
        }
    }

    /// A VF beside its PF; returns its path.
    pub fn vf(&self, pf: &str, function: u32) -> String {
        let (port, pf_name) = pf.rsplit_once('/').unwrap();
        let stem = pf_name.rsplit_once('.').unwrap().0;
        let vf = format!("{port}/{stem}.{function}");
        self.pci_files(&vf, "Unknown", "0");
        self.link(format!("{vf}/physfn"), format!("../{pf_name}"));
        vf
    }

    /// An RDMA device on a PCI function, or a virtual one; returns its path.
    pub fn hca(&self, name: &str, pci: Option<&str>) -> String {
        let parent = pci.unwrap_or("sys/devices/virtual");
        let path = format!("{parent}/infiniband/{name}");
        let file = |name: &str, text: &str| self.file(format!("{path}/{name}"), text);
        file("node_type", "1: CA\n");
        file("node_guid", "a088:c203:0074:cfda\n");
        file("sys_image_guid", "a088:c203:0074:cfda\n");
        file("node_desc", "node7 HCA-1\n");
        file("fw_ver", "20.38.1002\n");
        if pci.is_some() {
            file("hca_type", "MT4123\n");
            file("hw_rev", "0\n");
            file("board_id", "MT_0000000223\n");
            self.link(format!("{path}/device"), "../..");
        }
        self.class("infiniband", name, &path);
        path
    }

    /// Another driver than mlx5 for a PCI function.
    pub fn driver(&self, pci: &str, name: &str) {
        let link = format!("{pci}/driver");
        self.remove(&link);
        self.link(link, format!("../../../../bus/pci/drivers/{name}"));
    }

    /// Gives a device and its port another GUID: the last two bytes.
    pub fn guid(&self, hca: &str, port: u32, end: u16) {
        self.file(format!("{hca}/node_guid"), &format!("a088:c203:0074:{end:04x}\n"));
        self.file(format!("{hca}/sys_image_guid"), &format!("a088:c203:0074:{end:04x}\n"));
        let gid = format!("fe80:0000:0000:0000:a088:c203:0074:{end:04x}\n");
        self.file(format!("{hca}/ports/{port}/gids/0"), &gid);
    }

    fn class(&self, class: &str, name: &str, path: &str) {
        let target = format!("../../{}", path.strip_prefix("sys/").unwrap());
        self.link(format!("sys/class/{class}/{name}"), target);
    }

    /// A port of an RDMA device, without counters; returns its path.
    pub fn port(&self, hca: &str, number: u32, port: &Port) -> String {
        let path = format!("{hca}/ports/{number}");
        let file = |name: &str, text: &str| self.file(format!("{path}/{name}"), text);
        file("state", &format!("{}\n", port.state));
        file("phys_state", &format!("{}\n", port.phys_state));
        file("rate", &format!("{}\n", port.rate));
        file("link_layer", &format!("{}\n", port.link_layer));
        file("lid", &format!("{}\n", port.lid));
        file("sm_lid", &format!("{}\n", port.sm_lid));
        file("sm_sl", "0\n");
        file("lid_mask_count", "0\n");
        file("cap_mask", "0xa751e848\n");
        for index in 0..20usize {
            let empty = "fe80:0000:0000:0000:0000:0000:0000:0000";
            let gid = port.gids.get(index).map_or(empty, String::as_str);
            file(&format!("gids/{index}"), &format!("{gid}\n"));
            file(&format!("gid_attrs/types/{index}"), "IB/RoCE v1\n");
        }
        file("pkeys/0", "0xffff\n");
        for index in 1..12 {
            file(&format!("pkeys/{index}"), "0x0000\n");
        }
        path
    }

    /// Counters of a port, all of one value.
    pub fn counters(&self, port: &str, group: &str, names: &[&str], value: u64) {
        for name in names {
            self.file(format!("{port}/{group}/{name}"), &format!("{value}\n"));
        }
    }

    /// An mlx5 device with one port and all counters, value `1000`; returns the port's path.
    pub fn mlx5(&self, name: &str, domain_bus: &str, port: &Port) -> String {
        let pci = self.pci(domain_bus, 0, "16.0 GT/s PCIe", "16");
        let port = self.port(&self.hca(name, Some(&pci)), 1, port);
        self.counters(&port, "counters", &PMA, 1000);
        self.counters(&port, "hw_counters", &MLX5_HW, 1000);
        self.file(format!("{port}/hw_counters/lifespan"), "12\n");
        port
    }

    /// A netdev on a PCI function, or a virtual one; all statistics are `1000`.
    pub fn netdev(&self, name: &str, pci: Option<&str>, nic: Nic) -> String {
        let path = format!("{}/net/{name}", pci.unwrap_or("sys/devices/virtual"));
        let file = |name: &str, text: &str| self.file(format!("{path}/{name}"), text);
        file("type", &format!("{}\n", nic.kind));
        file("ifindex", &format!("{}\n", nic.ifindex));
        file("iflink", &format!("{}\n", nic.ifindex));
        file("mtu", if nic.kind == 32 { "2044\n" } else { "1500\n" });
        file("address", "00:00:10:8b:fe:80:00:00:00:00:00:00:a0:88:c2:03:00:74:cf:da\n");
        file("ifalias", "\n");
        file("dev_port", &format!("{}\n", nic.dev_port));
        file("dev_id", &format!("0x{:x}\n", nic.dev_port));
        file("flags", if nic.up { "0x1003\n" } else { "0x1002\n" });
        file("operstate", if nic.up { "up\n" } else { "down\n" });
        // cp leaves an empty file where the read failed.
        file("carrier", if nic.up { "1\n" } else { "" });
        file("speed", if nic.up { "200000\n" } else { "" });
        file("carrier_changes", "5\n");
        file("carrier_up_count", "3\n");
        file("carrier_down_count", "2\n");
        self.counters(&path, "statistics", &STATISTICS, 1000);
        if nic.kind == 32 {
            file("mode", "datagram\n");
            file("umcast", "0\n");
            file("pkey", "0xffff\n");
        }
        if pci.is_some() {
            self.link(format!("{path}/device"), "../..");
        }
        self.class("net", name, &path);
        path
    }
}

impl Default for Tree {
    fn default() -> Self {
        Self::new()
    }
}
