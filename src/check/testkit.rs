//! Nodes made by hand, for the tests of checks and reports.

use crate::node::{
    Balance, BalanceSide, Flow, FlowSource, Group, GroupOrigin, Health, History, Limits, LinkRate,
    NiRates, Node, OtherNics, PortState, Presence, Rail, RailAddress, RailNetdev, RailNi, RailRdma,
    RateSource, Settings, SourceKind,
};
use crate::sample::{
    Answered, Counter, CounterSet, DeviceAttrs, Enumerated, Fact, Host, Lnet, LnetAnswer,
    LnetFailure, LnetModules, LnetNet, LnetNi, LnetPeerNi, Memory, Mono, NumaNode, PciFunction,
    PciLink, PortAttrs, Prefix, Reading, Routing, Sample, SampleTime, Sysctls, Text, Timed,
    Unknown, Why,
};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

/// The time of the node; [`seconds_ago`] counts back from it.
pub(crate) fn now() -> SampleTime {
    SampleTime { wall: "2026-03-01T13:03:27.120Z".parse().unwrap(), mono: Mono(3_600_000_000_000) }
}

pub(crate) fn seconds_ago(seconds: u64) -> SampleTime {
    let now = now();
    let mono = now.mono - Duration::from_secs(seconds);
    SampleTime { wall: now.wall_of(mono), mono }
}

pub(crate) fn missing<T>(why: Why) -> Reading<T> {
    Err(Unknown::new(why, "made by a test"))
}

#[expect(clippy::unnecessary_wraps, reason = "a reading that is known")]
fn text(s: &str) -> Reading<Text> {
    Ok(s.into())
}

pub(crate) fn flow(bytes_per_second: f64) -> Flow {
    Flow {
        bytes_per_second: Fact::known(bytes_per_second),
        source: Some(FlowSource::Port),
        ip_bytes_per_second: Fact::known(0.0),
        utilisation_ratio: Fact::known(bytes_per_second / 24e9),
        share_ratio: Fact::known(0.25),
        total_bytes: 0,
    }
}

fn silent(why: Why) -> Flow {
    Flow {
        bytes_per_second: Fact::unknown(why, ""),
        source: None,
        ip_bytes_per_second: Fact::unknown(why, ""),
        utilisation_ratio: Fact::unknown(why, ""),
        share_ratio: Fact::unknown(why, ""),
        total_bytes: 0,
    }
}

/// The port goes to this state, as sysfs would print it.
pub(crate) fn set_port(rail: &mut Rail, state: PortState) {
    let (code, word, phys, phys_word) = match state {
        PortState::Active => (4, "ACTIVE", 5, "LinkUp"),
        PortState::Retraining => (4, "ACTIVE", 6, "LinkErrorRecovery"),
        PortState::ActiveDefer => (5, "ACTIVE_DEFER", 5, "LinkUp"),
        PortState::Armed => (3, "ARMED", 5, "LinkUp"),
        PortState::NoSubnetManager => (2, "INIT", 5, "LinkUp"),
        PortState::NoSignal => (1, "DOWN", 2, "Polling"),
        PortState::Disabled => (1, "DOWN", 3, "Disabled"),
        PortState::Training => (1, "DOWN", 4, "PortConfigurationTraining"),
        PortState::Down => (1, "DOWN", 9, "<unknown>"),
        PortState::Unknown => (0, "NOP", 0, "<unknown>"),
    };
    let rdma = rail.rdma.as_mut().unwrap();
    rdma.state = state;
    rdma.raw_state = Ok(Enumerated { code, word: word.into() });
    rdma.phys_state = Ok(Enumerated { code: phys, word: phys_word.into() });
    if state == PortState::Unknown {
        rdma.raw_state = missing(Why::Denied);
        rdma.phys_state = missing(Why::Denied);
    }
    if !state.is_active() {
        set_carrier(rail, Some(false));
        rail.rate.usable_bits_per_second = Fact::unknown(Why::Inactive, "the port is not ACTIVE");
        rail.limits.ceiling_bits_per_second =
            Fact::unknown(Why::Inactive, "the port is not ACTIVE");
        rail.rate.nominal_bits_per_second = Fact::unknown(Why::Inactive, "the port is not ACTIVE");
        rail.rx = silent(Why::Inactive);
        rail.tx = silent(Why::Inactive);
    }
}

/// `None`: administratively down.
pub(crate) fn set_carrier(rail: &mut Rail, carrier: Option<bool>) {
    let netdev = rail.netdev.as_mut().unwrap();
    netdev.admin_up = Ok(carrier.is_some());
    netdev.carrier = carrier.ok_or(Unknown::new(Why::Inactive, "EINVAL"));
    netdev.operstate = text(if carrier == Some(true) { "up" } else { "down" });
}

/// LNet says that the link below the NI is gone.
pub(crate) fn kill_ni(rail: &mut Rail) {
    for ni in &mut rail.lnet {
        ni.ni.status = text("down");
        ni.ni.fatal_error = Ok(1);
    }
}

pub(crate) fn strip(rail: &mut Rail) {
    rail.addresses.clear();
    rail.lnet.clear();
    rail.group = None;
    rail.last_active_rate = None;
}

fn counters() -> Arc<CounterSet> {
    let counter = |name: &str, value| Counter { name: name.into(), value };
    Arc::new(CounterSet {
        at: now().mono,
        items: vec![
            counter("link_downed", Ok(0)),
            counter("symbol_error", missing(Why::Unsupported)),
        ],
    })
}

pub(crate) fn pci(address: &str) -> Arc<PciFunction> {
    Arc::new(PciFunction {
        address: address.into(),
        numa_node: Ok(0),
        vendor: text("0x15b3"),
        device: text("0x101b"),
        driver: text("mlx5_core"),
        physfn: None,
        path: vec![PciLink {
            address: address.into(),
            current_speed: Ok(16.0),
            current_width: Ok(16),
            max_speed: Ok(16.0),
            max_width: Ok(16),
        }],
    })
}

fn rdma(i: usize) -> RailRdma {
    let device = format!("mlx5_{i}");
    RailRdma {
        device: device.clone().into(),
        port: 1,
        port_name: format!("{device}/1").into(),
        port_count: 1,
        state: PortState::Active,
        raw_state: Ok(Enumerated { code: 4, word: "ACTIVE".into() }),
        phys_state: Ok(Enumerated { code: 5, word: "LinkUp".into() }),
        link_layer: text("InfiniBand"),
        device_attrs: Arc::new(DeviceAttrs {
            node_type: Ok(Enumerated { code: 1, word: "CA".into() }),
            node_guid: text("b8ce:f603:0012:3456"),
            sys_image_guid: text("b8ce:f603:0012:3456"),
            node_desc: text("oss07 HCA-1"),
            fw_ver: text("20.43.1014"),
            hca_type: text("MT4123"),
            hw_rev: text("0"),
            board_id: text("MT_0000000223"),
            driver: text("mlx5_core"),
            pci: Some(pci(&format!("0000:{:02x}:00.0", 0x17 + i))),
            netdevs: vec![format!("ib{i}").into()],
            parent: None,
        }),
        port_attrs: Arc::new(PortAttrs {
            link_layer: text("InfiniBand"),
            rate: text("200 Gb/sec (4X HDR)"),
            lid: Ok(10 + u32::try_from(i).unwrap()),
            sm_lid: Ok(1),
            sm_sl: Ok(0),
            lmc: Ok(0),
            cap_mask: Ok(0x2651_e848),
            gids: Vec::new(),
            default_gid: text("fe80:0000:0000:0000:b8ce:f603:0012:3456"),
            pkeys: Ok(vec!["0xffff".into()]),
        }),
        counters: counters(),
        hw_counters: Arc::new(CounterSet::default()),
        stuck_since: None,
    }
}

fn netdev(name: &str) -> RailNetdev {
    RailNetdev {
        name: name.into(),
        ifindex: Ok(5),
        kind: Ok(32),
        admin_up: Ok(true),
        carrier: Ok(true),
        operstate: text("up"),
        mtu: Ok(2044),
        address: text("00:00:10:49:fe:80:00:00"),
        mode: text("datagram"),
        pkey: text("0xffff"),
        carrier_down_count: Ok(1),
        attrs: None,
        stats: None,
    }
}

pub(crate) fn lnet_ni(nid: &str) -> LnetNi {
    LnetNi {
        nid: nid.into(),
        status: text("up"),
        interfaces: Vec::new(),
        send_count: Ok(10),
        recv_count: Ok(10),
        drop_count: Ok(0),
        fatal_error: Ok(0),
        health: Ok(1000),
        dev_cpt: Ok(0),
        peer_credits: Ok(8),
        credits: Ok(256),
        cpt: text("[0,1]"),
        more: Vec::new(),
    }
}

/// Rail `ib{i}` as it should be: ACTIVE, up, with an address and an NI of o2ib.
pub(crate) fn ib_rail(i: usize) -> Rail {
    let ip = Ipv4Addr::new(10, 1, 3, 1 + u8::try_from(i).unwrap());
    let name = format!("ib{i}");
    let rdma = rdma(i);
    Rail {
        id: format!("pci-{i}").into(),
        name: name.clone().into(),
        presence: Presence::Present,
        pci: rdma.device_attrs.pci.clone(),
        rdma: Some(rdma),
        netdev: Some(netdev(&name)),
        children: Vec::new(),
        bond: None,
        addresses: vec![RailAddress {
            prefix: Prefix { addr: IpAddr::V4(ip), len: 16 },
            interface: name.into(),
            scope: 0,
            flags: 0x80,
        }],
        lnet: vec![RailNi {
            net: "o2ib".into(),
            ni: lnet_ni(&format!("{ip}@o2ib")),
            sent_per_second: Fact::known(100.0),
            received_per_second: Fact::known(100.0),
            rates: NiRates::first(),
        }],
        rate: LinkRate {
            nominal_bits_per_second: Fact::known(200e9),
            width: Fact::known(4),
            speed: Fact::known("HDR".into()),
            usable_bits_per_second: Fact::known(193.9e9),
            source: RateSource::Port,
        },
        last_active_rate: Some(193.9e9),
        rx: flow(10e9),
        tx: flow(3e9),
        history: History::default(),
        state_since: None,
        group: Some(0),
        counter_resets: 0,
        limits: Limits::of_link(Fact::known(193.9e9)),
        health: Health::default(),
    }
}

/// A rail that is nothing but an interface.
pub(crate) fn eth_rail(i: usize) -> Rail {
    let mut rail = ib_rail(i);
    rail.name = format!("eth{i}").into();
    rail.rdma = None;
    rail.netdev = Some(netdev(&rail.name));
    rail
}

/// A group `o2ib` of all rails.
pub(crate) fn node(rails: Vec<Rail>) -> Node {
    let side = |rate| BalanceSide {
        bytes_per_second: Fact::known(rate),
        jain_index: Fact::known(1.0),
        slowest: None,
        slowest_share_of_fair_ratio: Fact::unknown(Why::BelowFloor, ""),
    };
    let group = Group {
        name: "o2ib".into(),
        origin: GroupOrigin::LnetNet,
        rails: (0..rails.len()).collect(),
        usable_rails: rails.len(),
        recent: None,
        since_mark: None,
        behind_rx: None,
        behind_tx: None,
        usable_bytes_per_second: Fact::known(97e9),
        balance: Balance { rx: side(30e9), tx: side(9e9) },
    };
    let nis = rails.iter().flat_map(|r| &r.lnet).map(|n| n.ni.clone()).collect();
    let lo = LnetNet { name: "lo".into(), nis: vec![lnet_ni("0@lo")] };
    let o2ib = LnetNet { name: "o2ib".into(), nis };
    let lnet = Arc::new(Lnet {
        modules: LnetModules { lnet: Some(true), ksocklnd: None, ko2iblnd: Some(true) },
        version: text("2.15.8"),
        answer: Ok(LnetAnswer { at: now().mono, took: Duration::ZERO, nets: vec![lo, o2ib] }),
        waiting_since: None,
        left: None,
        last_failure: None,
        sudoers: None,
        more: crate::sample::LnetMore::default(),
        local: Arc::default(),
    });
    let sample = Sample {
        time: now(),
        host: Arc::new(host()),
        netdevs: missing(Why::Absent),
        rdma: missing(Why::Absent),
        links: Ok(Arc::new(Vec::new())),
        routing: Arc::new(routing()),
        sysctls: Arc::new(Sysctls::default()),
        managers: None,
        lnet,
        notes: Vec::new(),
        cost: Vec::new(),
    };
    let mut node = Node::new(Settings::default(), SourceKind::Demo, &sample);
    node.measured_interval = Some(Duration::from_secs(1));
    node.rails = rails;
    node.groups = vec![group];
    node.other = OtherNics { names: vec!["eth0".into()], rx: flow(1e6), tx: flow(1e6) };
    node.choice_note = None;
    node.cost = Duration::from_millis(3);
    node
}

/// `n` healthy InfiniBand rails.
pub(crate) fn healthy(n: usize) -> Node {
    node((0..n).map(ib_rail).collect())
}

pub(crate) fn lnet_fails(node: &mut Node, loaded: bool, failure: LnetFailure) {
    let lnet = Arc::make_mut(&mut node.lnet);
    lnet.modules.lnet = Some(loaded);
    lnet.answer = Err(failure);
    lnet.version = missing(Why::Absent);
    for rail in &mut node.rails {
        rail.lnet.clear();
    }
}

fn host() -> Host {
    Host {
        name: text("oss07"),
        kernel: text("6.12.0"),
        load: Ok([1.0, 0.5, 0.2]),
        memory: Ok(Memory { total_bytes: 512_000_000_000, available_bytes: 500_000_000_000 }),
        cpus: Ok(64),
        boot_time_seconds: Ok(1_772_000_000),
        uid: Ok(0),
        numa: Ok(numa()),
    }
}

/// An answer of LNet's tools, as one that came at the very beginning.
#[expect(clippy::unnecessary_wraps, reason = "a reading that is known")]
pub(crate) fn answered<T>(value: T) -> Answered<T> {
    Ok(Arc::new(Timed { at: Mono(0), value }))
}

/// An NI of a peer that is well.
pub(crate) fn peer_ni(nid: &str) -> LnetPeerNi {
    LnetPeerNi {
        nid: nid.into(),
        state: text("NA"),
        max_tx_credits: Ok(32),
        tx_credits: Ok(32),
        min_tx_credits: Ok(9),
        queued_bytes: Ok(0),
        rtr_credits: missing(Why::Absent),
        min_rtr_credits: missing(Why::Absent),
        send_count: Ok(1000),
        recv_count: Ok(1000),
        drop_count: Ok(0),
        health: Ok(1000),
        dropped: Ok(0),
        timeouts: Ok(0),
        errors: Ok(0),
        network_timeouts: Ok(0),
        ping_count: Ok(0),
        next_ping: Ok(0),
        net_priority: Ok(-1),
        nid_priority: Ok(-1),
        preferred_sources: Vec::new(),
    }
}

/// Two NUMA nodes.
pub(crate) fn numa() -> Vec<NumaNode> {
    let node = |node, distances: [u32; 2]| NumaNode { node, distances: distances.into() };
    vec![node(0, [10, 21]), node(1, [21, 10])]
}

fn routing() -> Routing {
    Routing::empty(now().mono)
}
