//! What sysfs would show of the simulated node.

use super::scenario::{Nic, PortState, Rail};
use super::world::{RailNow, World};
use crate::sample::{
    CarrierChanges, Counter, CounterSet, DataCounter, DataCounters, DeviceAttrs, Enumerated, Gid,
    Ipoib, Mono, Netdev, NetdevAttrs, NetdevStats, PciFunction, PciLink, PortAttrs, RdmaDevice,
    RdmaPort, Reading, Text, Timed, Unknown, Why,
};
use std::sync::Arc;

/// Interface numbers as the kernel would give them: lo, NICs, rails.
pub(super) const LO: u32 = 1;
/// IPoIB datagram mode in a fabric with 2 KiB groups.
pub(super) const IPOIB_MTU: u32 = 2044;
/// Traffic of IPoIB itself: ARP and a few pings, bytes per second.
const IPOIB_RATE: u64 = 180;

pub(super) fn nic_index(i: usize) -> u32 {
    LO + 1 + i as u32
}

pub(super) fn rail_index(world: &World, i: usize) -> u32 {
    nic_index(world.scenario.nics.len() + i)
}

fn absent<T>() -> Reading<T> {
    Err(Unknown::new(Why::Absent, ""))
}

/// The parts of devices that change with a port's state only.
#[derive(Clone, Debug)]
pub(super) struct Attrs {
    netdevs: Vec<Arc<NetdevAttrs>>,
    devices: Vec<(Arc<DeviceAttrs>, Arc<PortAttrs>)>,
}

impl Attrs {
    pub(super) fn of(world: &World) -> Self {
        let scenario = &world.scenario;
        let rails = || scenario.rails.iter().zip(&world.rails).enumerate();
        let mut netdevs = vec![Arc::new(loopback())];
        netdevs.extend(
            scenario.nics.iter().enumerate().map(|(i, nic)| Arc::new(nic_attrs(nic_index(i), nic))),
        );
        netdevs.extend(
            rails().map(|(i, (rail, now))| Arc::new(ipoib_attrs(rail_index(world, i), rail, now))),
        );
        let devices = rails()
            .map(|(i, (rail, now))| {
                let host = scenario.host.name.as_str();
                (Arc::new(device_attrs(rail, host, i)), Arc::new(port_attrs(rail, now.state)))
            })
            .collect();
        Self { netdevs, devices }
    }

    /// `/sys/class/net`.
    pub(super) fn netdevs(&self, world: &World, at: Mono) -> Vec<Arc<Netdev>> {
        let seconds = world.now / 1_000_000_000;
        let lo = std::iter::once(("lo", true, (seconds * 400, seconds * 400), (0, 0)));
        let nics =
            world.scenario.nics.iter().zip(&world.nics).map(|(nic, (rx, tx))| {
                (nic.netdev.as_str(), true, (rx.bytes(), tx.bytes()), (1, 0))
            });
        let rails = world.scenario.rails.iter().zip(&world.rails).map(|(rail, now)| {
            let bytes = seconds * IPOIB_RATE;
            (
                rail.netdev.as_str(),
                now.carrier(),
                (bytes, bytes),
                (now.carrier_ups, now.carrier_downs),
            )
        });
        let mut all: Vec<_> = lo
            .chain(nics)
            .chain(rails)
            .zip(&self.netdevs)
            .map(|((name, up, bytes, changes), attrs)| {
                Arc::new(netdev(name, attrs, up, bytes, changes, at))
            })
            .collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// `/sys/class/infiniband`.
    pub(super) fn rdma(&self, world: &World, at: Mono) -> Vec<Arc<RdmaDevice>> {
        let rails = world.scenario.rails.iter().zip(&world.rails);
        let devices = rails.zip(&self.devices).map(|((rail, now), (device, port))| {
            Arc::new(RdmaDevice {
                name: Text::new(&rail.device),
                attrs: Arc::clone(device),
                attrs_at: at,
                ports: vec![rdma_port(now, port, at)],
                hw_counters: Arc::default(),
                stuck_since: None,
            })
        });
        devices.collect()
    }
}

fn netdev(
    name: &str,
    attrs: &Arc<NetdevAttrs>,
    up: bool,
    (rx, tx): (u64, u64),
    (ups, downs): (u64, u64),
    at: Mono,
) -> Netdev {
    let lo = attrs.kind == Ok(772);
    let operstate = if lo {
        "unknown"
    } else if up {
        "up"
    } else {
        "down"
    };
    // Offsets so that nothing reads as freshly booted.
    let (rx, tx) = (rx + 91_204_118, tx + 88_731_902);
    let slow = [
        ("multicast", 0),
        ("rx_dropped", 0),
        ("rx_errors", 0),
        ("rx_packets", rx / 90),
        ("tx_dropped", 0),
        ("tx_errors", 0),
        ("tx_packets", tx / 90),
    ];
    Netdev {
        name: Text::new(name),
        attrs: Arc::clone(attrs),
        operstate: Ok(Text::new(operstate)),
        flags: Ok(if lo { 0x9 } else { 0x1003 }),
        carrier: Ok(up),
        carrier_changes: CarrierChanges { all: Ok(ups + downs), up: Ok(ups), down: Ok(downs) },
        stats: NetdevStats {
            rx_bytes: Timed { at, value: Ok(rx) },
            tx_bytes: Timed { at, value: Ok(tx) },
            slow: set(at, &slow),
        },
    }
}

fn set(at: Mono, items: &[(&str, u64)]) -> Arc<CounterSet> {
    let items =
        items.iter().map(|(name, value)| Counter { name: Text::new(name), value: Ok(*value) });
    Arc::new(CounterSet { at, items: items.collect() })
}

fn attrs(ifindex: u32, kind: u32, mtu: u32, address: &str) -> NetdevAttrs {
    NetdevAttrs {
        ifindex: Ok(ifindex),
        iflink: Ok(ifindex),
        kind: Ok(kind),
        mtu: Ok(mtu),
        address: Ok(Text::new(address)),
        alias: absent(),
        speed_mbps: absent(),
        dev_port: Ok(0),
        dev_id: Ok(0),
        master: None,
        bond: None,
        parent: None,
        ipoib: None,
        pci: None,
        rdma_devices: Vec::new(),
        is_virtual: false,
    }
}

fn loopback() -> NetdevAttrs {
    NetdevAttrs { is_virtual: true, ..attrs(LO, 772, 65536, "00:00:00:00:00:00") }
}

fn nic_attrs(ifindex: u32, nic: &Nic) -> NetdevAttrs {
    NetdevAttrs {
        speed_mbps: Ok(nic.speed_mbps),
        pci: Some(Arc::new(PciFunction {
            address: Text::new(&nic.pci),
            numa_node: Ok(nic.numa),
            vendor: Ok(Text::new("0x8086")),
            device: Ok(Text::new("0x1563")),
            driver: Ok(Text::new(&nic.driver)),
            physfn: None,
            path: pci_path(&nic.pci, &nic.root_port, 8.0, 4),
        })),
        ..attrs(ifindex, 1, 1500, &nic.mac)
    }
}

fn ipoib_attrs(ifindex: u32, rail: &Rail, now: &RailNow) -> NetdevAttrs {
    NetdevAttrs {
        // Enhanced IPoIB tells the speed of the link even without carrier.
        speed_mbps: rail
            .rate
            .split_once(' ')
            .and_then(|(gigabits, _)| gigabits.parse::<u64>().ok())
            .filter(|_| now.carrier())
            .map(|g| g * 1000)
            .ok_or_else(|| Unknown::new(Why::Absent, "-1")),
        ipoib: Some(Ipoib {
            mode: Ok(Text::new("datagram")),
            umcast: Ok(false),
            pkey: Ok(Text::new("0xffff")),
        }),
        pci: Some(pci_function(rail)),
        rdma_devices: vec![Text::new(&rail.device)],
        ..attrs(ifindex, 32, IPOIB_MTU, &ipoib_address(rail))
    }
}

/// Flags and QPN, then the port's GID (RFC 4391).
pub(super) fn ipoib_address(rail: &Rail) -> String {
    let guid: Vec<&str> = (0..8).filter_map(|i| rail.guid.get(2 * i..2 * i + 2)).collect();
    format!("00:00:10:29:fe:80:00:00:00:00:00:00:{}", guid.join(":"))
}

fn guid_words(rail: &Rail) -> String {
    let words: Vec<&str> = (0..4).filter_map(|i| rail.guid.get(4 * i..4 * i + 4)).collect();
    words.join(":")
}

fn pci_function(rail: &Rail) -> Arc<PciFunction> {
    Arc::new(PciFunction {
        address: Text::new(&rail.pci),
        numa_node: Ok(rail.numa),
        vendor: Ok(Text::new("0x15b3")),
        device: Ok(Text::new("0x101b")),
        driver: Ok(Text::new("mlx5_core")),
        physfn: None,
        path: pci_path(&rail.pci, &rail.root_port, 16.0, 16),
    })
}

fn pci_path(function: &str, root_port: &str, speed: f64, width: u32) -> Vec<PciLink> {
    let link = |address: &str, max_speed: f64| PciLink {
        address: Text::new(address),
        current_speed: Ok(speed),
        current_width: Ok(width),
        max_speed: Ok(max_speed),
        max_width: Ok(width),
    };
    vec![link(function, speed), link(root_port, 16.0)]
}

fn device_attrs(rail: &Rail, host: &str, i: usize) -> DeviceAttrs {
    let guid = Text::new(&guid_words(rail));
    DeviceAttrs {
        node_type: Ok(enumerated(1, "CA")),
        node_guid: Ok(guid.clone()),
        sys_image_guid: Ok(guid),
        node_desc: Ok(Text::from(format!("{host} HCA-{}", i + 1))),
        fw_ver: Ok(Text::new("20.43.1014")),
        hca_type: Ok(Text::new("MT4123")),
        hw_rev: Ok(Text::new("0")),
        board_id: Ok(Text::new("MT_0000000223")),
        driver: Ok(Text::new("mlx5_core")),
        pci: Some(pci_function(rail)),
        netdevs: vec![Text::new(&rail.netdev)],
        parent: None,
    }
}

fn enumerated(code: u32, word: &str) -> Enumerated {
    Enumerated { code, word: Text::new(word) }
}

fn port_attrs(rail: &Rail, state: PortState) -> PortAttrs {
    let gid = Text::from(format!("fe80:0000:0000:0000:{}", guid_words(rail)));
    let (rate, lid, sm_lid) = match state {
        PortState::Active | PortState::Armed => (rail.rate.as_str(), rail.lid, 1),
        PortState::Init => (rail.rate.as_str(), 0xffff, 0),
        // Without a link mlx5 prints the slowest rate and the LIDs from before.
        PortState::Polling | PortState::Disabled => ("10 Gb/sec (4X SDR)", rail.lid, 1),
    };
    PortAttrs {
        link_layer: Ok(Text::new("InfiniBand")),
        rate: Ok(Text::new(rate)),
        lid: Ok(lid),
        sm_lid: Ok(sm_lid),
        sm_sl: Ok(0),
        lmc: Ok(0),
        cap_mask: Ok(0xa651_e848),
        gids: vec![Gid {
            index: 0,
            gid: gid.clone(),
            netdev: None,
            kind: Some(Text::new("IB/RoCE v1")),
        }],
        default_gid: Ok(gid),
        pkeys: Ok(vec![Text::new("0xffff")]),
    }
}

fn rdma_port(now: &RailNow, attrs: &Arc<PortAttrs>, at: Mono) -> RdmaPort {
    let (state, phys_state) = match now.state {
        PortState::Active => (enumerated(4, "ACTIVE"), enumerated(5, "LinkUp")),
        PortState::Armed => (enumerated(3, "ARMED"), enumerated(5, "LinkUp")),
        PortState::Init => (enumerated(2, "INIT"), enumerated(5, "LinkUp")),
        PortState::Polling => (enumerated(1, "DOWN"), enumerated(2, "Polling")),
        PortState::Disabled => (enumerated(1, "DOWN"), enumerated(3, "Disabled")),
    };
    // 4-byte words, whatever the width of the link.
    let (rx, tx) = (now.rx.total() / 4, now.tx.total() / 4);
    let data =
        |file: &str, value| vec![DataCounter { file: Text::new(file), at, value: Ok(value) }];
    RdmaPort {
        number: 1,
        state: Timed { at, value: Ok(state) },
        phys_state: Timed { at, value: Ok(phys_state) },
        attrs: Arc::clone(attrs),
        data: DataCounters {
            rx: data("counters/port_rcv_data", rx),
            tx: data("counters/port_xmit_data", tx),
        },
        counters: counters(now, rx, tx, at),
        hw_counters: hw_counters(now, at),
    }
}

/// `counters/` of a healthy port, in natural order of names.
fn counters(now: &RailNow, rx: u64, tx: u64, at: Mono) -> Arc<CounterSet> {
    // Bulk packets carry 4 KiB, acknowledgements of the other side go back for every few.
    let packets = |words: u64, back: u64| words / 1036 + back / 8288;
    let (rx_packets, tx_packets) = (packets(rx, tx), packets(tx, rx));
    let (symbol_errors, recoveries) = now.errors();
    let wait = (41_327 + now.tx.bytes() / 1_000_000_000).min(u64::from(u32::MAX));
    set(
        at,
        &[
            ("VL15_dropped", 0),
            ("excessive_buffer_overrun_errors", 0),
            ("link_downed", now.link_downed.min(255)),
            ("link_error_recovery", recoveries.min(255)),
            ("local_link_integrity_errors", 0),
            ("multicast_rcv_packets", 18_442),
            ("multicast_xmit_packets", 611),
            ("port_rcv_constraint_errors", 0),
            ("port_rcv_data", rx),
            ("port_rcv_errors", 0),
            ("port_rcv_packets", rx_packets),
            ("port_rcv_remote_physical_errors", 0),
            ("port_rcv_switch_relay_errors", 0),
            ("port_xmit_constraint_errors", 0),
            ("port_xmit_data", tx),
            ("port_xmit_discards", 0),
            ("port_xmit_packets", tx_packets),
            ("port_xmit_wait", wait),
            ("symbol_error", symbol_errors.min(65_535)),
            ("unicast_rcv_packets", rx_packets.saturating_sub(18_442)),
            ("unicast_xmit_packets", tx_packets.saturating_sub(611)),
        ],
    )
}

/// `hw_counters/` of mlx5: 32 bits that wrap.
fn hw_counters(now: &RailNow, at: Mono) -> Arc<CounterSet> {
    let wrap = |n: u64| n & u64::from(u32::MAX);
    set(
        at,
        &[
            ("duplicate_request", 0),
            ("implied_nak_seq_err", 0),
            ("local_ack_timeout_err", 0),
            ("out_of_buffer", 0),
            ("out_of_sequence", 0),
            ("packet_seq_err", 0),
            ("req_cqe_error", 2),
            ("req_cqe_flush_error", 2),
            ("req_remote_access_errors", 0),
            ("req_remote_invalid_request", 0),
            ("resp_cqe_error", 14),
            ("resp_cqe_flush_error", 14),
            ("resp_local_length_error", 0),
            ("resp_remote_access_errors", 0),
            ("rnr_nak_retry_err", 0),
            ("rx_atomic_requests", 0),
            ("rx_icrc_encapsulated", 0),
            ("rx_read_requests", wrap(now.tx.total() >> 20)),
            ("rx_write_requests", wrap(now.rx.total() >> 20)),
        ],
    )
}
