//! Nodes of every shape, generated as files and read by the program.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be made is a failed test")]

mod support;

#[path = "fixtures/broken.rs"]
mod broken;
#[path = "fixtures/choice.rs"]
mod choice;
#[path = "fixtures/corpus.rs"]
mod corpus;
#[path = "fixtures/counters.rs"]
mod counters;
#[path = "fixtures/fabrics.rs"]
mod fabrics;
#[path = "fixtures/ports.rs"]
mod ports;
#[path = "fixtures/samples.rs"]
mod samples;
#[path = "fixtures/traps.rs"]
mod traps;

use support::tree::{MLX5_HW, Nic, PMA, Port, Tree};

/// Eight HDR rails, `mlx5_0…7` with `ib0…7`, 1 GB/s in and half out on each from the second sample.
fn eight(tree: &Tree, number: u32) {
    for rail in 0..8 {
        hdr(tree, rail, number, &Port::active("200 Gb/sec (4X HDR)"));
    }
}

/// One mlx5 rail with its IPoIB interface; returns the paths of its PCI function and port.
fn hdr(tree: &Tree, rail: u32, number: u32, port: &Port) -> (String, String) {
    let slot = if port.rate.contains("NDR") { "32.0 GT/s PCIe" } else { "16.0 GT/s PCIe" };
    let pci = tree.pci(&format!("0000:{:02x}", 0x10 + rail), 0, slot, "16");
    let hca = tree.hca(&format!("mlx5_{rail}"), Some(&pci));
    let path = tree.port(&hca, 1, port);
    tree.guid(&hca, 1, 0x100 + rail as u16);
    tree.counters(&path, "counters", &PMA, 1000);
    tree.counters(&path, "hw_counters", &MLX5_HW, 1000);
    let seconds = u64::from(number);
    data(tree, &path, (1 << 40) + seconds * 250_000_000, (1 << 41) + seconds * 125_000_000);
    let up = port.state.starts_with('4');
    let net = tree.netdev(&format!("ib{rail}"), Some(&pci), Nic::ipoib(2 + rail));
    address(tree, &net, 0x100 + rail as u16);
    if !up {
        tree.file(format!("{net}/operstate"), "down\n");
        tree.file(format!("{net}/carrier"), "0\n");
    }
    (pci, path)
}

/// The data counters of a port.
fn data(tree: &Tree, port: &str, received: u64, sent: u64) {
    tree.file(format!("{port}/counters/port_rcv_data"), &format!("{received}\n"));
    tree.file(format!("{port}/counters/port_xmit_data"), &format!("{sent}\n"));
}

/// The 20-byte address of an IPoIB interface.
fn address(tree: &Tree, net: &str, end: u16) {
    let [high, low] = end.to_be_bytes();
    let text =
        format!("00:00:10:8b:fe:80:00:00:00:00:00:00:a0:88:c2:03:00:74:{high:02x}:{low:02x}\n");
    tree.file(format!("{net}/address"), &text);
}

/// What `ip -j -d addr show` prints of interfaces with an IPv4 address each.
fn ip_addr(tree: &Tree, interfaces: &[(&str, u32, &str)]) {
    let list: Vec<_> = interfaces
        .iter()
        .map(|(name, index, address)| {
            let (local, length) = address.split_once('/').unwrap();
            serde_json::json!({
                "ifindex": index, "ifname": name, "flags": ["BROADCAST", "MULTICAST", "UP", "LOWER_UP"],
                "mtu": 2044, "operstate": "UP", "link_type": "infiniband",
                "addr_info": [{"family": "inet", "local": local,
                    "prefixlen": length.parse::<u8>().unwrap(), "scope": "global", "label": name}],
            })
        })
        .collect();
    tree.file("ip-addr.json", &serde_json::to_string(&list).unwrap());
}
