//! Hand-built nodes and judgements: what the screen is given, without samples.

use railtop::check::{
    Assessment, Finding, Layer, NotChecked, RailAssessment, Rung, Severity, Step, Verdict, Where,
};
use railtop::node::{
    Balance, BalanceSide, Event, EventKind, Figure, Flow, FlowSource, Group, GroupOrigin, Health,
    History, HistoryPoint, Lanes, Limits, LinkRate, Mark, Node, NotShown, OtherNics, PcieLink,
    PciePath, PortState, Presence, Rail, RailAddress, RailNetdev, RailNi, RailRdma, RateSource,
    Settings, SourceKind, Training,
};
use railtop::sample::{
    Address, Counter, CounterSet, DeviceAttrs, Enumerated, Fact, Host, Link, LinkFlags, Lnet,
    LnetAnswer, LnetFailure, LnetModules, LnetNet, LnetNi, Memory, Mono, NextHop, NextHopFlags,
    PciFunction, PciLink, PortAttrs, Prefix, Reading, Route, RouteKind, Routing, Rule, Sample,
    SampleTime, Sysctls, Text, Unknown, Why,
};
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

/// A scenario: a node and what is thought of it.
pub type Model = (Node, Assessment);

const SECOND: u64 = 1_000_000_000;
const NOW: u64 = 1000;

fn time(second: u64) -> SampleTime {
    let start: jiff::Timestamp = "2026-03-04T14:03:27Z".parse().unwrap();
    let wall = start + jiff::SignedDuration::from_secs(second.cast_signed() - NOW.cast_signed());
    SampleTime { wall, mono: Mono(second * SECOND) }
}

fn text(s: &str) -> Text {
    Text::new(s)
}

fn absent<T>(detail: &str) -> Reading<T> {
    Err(Unknown::new(Why::Absent, detail))
}

#[expect(clippy::unnecessary_wraps, reason = "the type of the fields")]
fn enumerated(code: u32, word: &str) -> Reading<Enumerated> {
    Ok(Enumerated { code, word: text(word) })
}

/// A wave that looks like load and is the same in every run.
fn wave(second: u64, phase: u64) -> f64 {
    let x = (second + 7 * phase) as f64;
    1.0 + 0.06 * (x / 5.0).sin() + 0.03 * (x / 1.7).sin()
}

/// Bytes per second that a 4×HDR link can carry.
const HDR: f64 = 24.2e9;

fn history(n: u64, rx: f64, tx: f64, died: Option<u64>) -> History {
    let mut history = History::default();
    for second in NOW - 300..=NOW {
        let ramp = ((second as f64 - (NOW - 250) as f64) / 60.0).clamp(0.0, 1.0);
        let alive = died.is_none_or(|at| second < at);
        let value = |full: f64| alive.then_some((full * ramp * wave(second, n)) as f32);
        history.push(HistoryPoint { at: Mono(second * SECOND), rx: value(rx), tx: value(tx) });
    }
    history
}

fn flow(bytes: Figure, source: FlowSource, usable: f64, share: Figure) -> Flow {
    let utilisation = match &bytes.value {
        Ok(rate) => Fact::known(rate / usable),
        Err(why) => Fact { value: Err(why.clone()), qualified: None },
    };
    Flow {
        bytes_per_second: bytes,
        source: Some(source),
        ip_bytes_per_second: Fact::known(2.1e6),
        utilisation_ratio: utilisation,
        share_ratio: share,
        total_bytes: 3_141_592_653_589,
    }
}

fn counters(n: u64) -> Arc<CounterSet> {
    let names = [
        "VL15_dropped",
        "excessive_buffer_overrun_errors",
        "link_downed",
        "link_error_recovery",
        "local_link_integrity_errors",
        "port_rcv_data",
        "port_rcv_errors",
        "port_rcv_packets",
        "port_rcv_switch_relay_errors",
        "port_xmit_data",
        "port_xmit_discards",
        "port_xmit_wait",
        "symbol_error",
    ];
    let mut items: Vec<Counter> = names
        .into_iter()
        .map(|name| Counter {
            name: text(name),
            value: Ok(if name.contains("data") { 987_654_321_000 + n } else { n % 3 }),
        })
        .collect();
    items.push(Counter {
        name: text("port_xmit_constraint_errors"),
        value: Err(Unknown::new(Why::Unsupported, "EINVAL")),
    });
    Arc::new(CounterSet { at: Mono(NOW * SECOND), items })
}

fn pci(n: u64) -> Arc<PciFunction> {
    let address = format!("0000:{:02x}:00.0", 0x1b + 0x20 * (n % 6));
    Arc::new(PciFunction {
        address: text(&address),
        numa_node: Ok((n / 2) as u32),
        vendor: Ok(text("0x15b3")),
        device: Ok(text("0x101b")),
        driver: Ok(text("mlx5_core")),
        physfn: None,
        path: vec![PciLink {
            address: text(&address),
            current_speed: Ok(16.0),
            current_width: Ok(16),
            max_speed: Ok(16.0),
            max_width: Ok(16),
        }],
    })
}

/// A card whose PCIe link is as good as its slot.
fn limits(n: u64, up: bool) -> Limits {
    let lanes = || Ok(Lanes { gigatransfers: 16.0, lanes: 16 });
    let link = PcieLink {
        lower: pci(n).address.clone(),
        upper: Some(text("0000:1a:01.0")),
        current: lanes(),
        possible: lanes(),
        training: Training::Full,
    };
    let ceiling = if up {
        Fact::known(HDR * 8.0)
    } else {
        Fact::unknown(Why::Inactive, "the port is not ACTIVE")
    };
    Limits { pcie: Some(PciePath { links: vec![link] }), ..Limits::of_link(ceiling) }
}

fn netdev(name: &str, up: bool) -> RailNetdev {
    RailNetdev {
        name: text(name),
        ifindex: Ok(4),
        kind: Ok(32),
        admin_up: Ok(true),
        carrier: Ok(up),
        operstate: Ok(text(if up { "up" } else { "down" })),
        mtu: Ok(2044),
        address: Ok(text("00:00:10:29:fe:80:00:00:00:00:00:00:04:3f:72:03:00:c2:8b:da")),
        mode: Ok(text("datagram")),
        pkey: Ok(text("0xffff")),
        carrier_down_count: Ok(1),
        attrs: None,
        stats: Some(Arc::new(CounterSet {
            at: Mono(NOW * SECOND),
            items: vec![Counter { name: text("rx_dropped"), value: Ok(0) }],
        })),
    }
}

/// What differs between the rails of the scenarios.
pub struct Spec {
    pub name: String,
    pub number: u64,
    pub state: PortState,
    pub rx: f64,
    pub tx: f64,
    pub died: Option<u64>,
    pub share: f64,
}

impl Spec {
    pub fn well(number: u64, of: u64) -> Self {
        Self {
            name: format!("ib{number}"),
            number,
            state: PortState::Active,
            rx: 10.2e9,
            tx: 3.1e9,
            died: None,
            share: 1.0 / of as f64,
        }
    }
}

fn ni(spec: &Spec) -> LnetNi {
    let up = spec.state.is_active();
    LnetNi {
        nid: text(&format!("172.16.34.{}@o2ib", spec.number + 1)),
        status: Ok(text(if up { "up" } else { "down" })),
        interfaces: vec![text(&spec.name)],
        send_count: Ok(8_123_456),
        recv_count: Ok(9_876_543),
        drop_count: Ok(0),
        fatal_error: Ok(u32::from(!up)),
        health: Ok(if up { 1000 } else { 0 }),
        dev_cpt: Ok(-1),
        peer_credits: Ok(32),
        credits: Ok(256),
        cpt: Ok(text("[0,1]")),
        more: vec![
            (text("tunables/peer_timeout"), text("180")),
            (text("tunables/map_on_demand"), text("1")),
            (text("health stats/timeouts"), text("0")),
            (text("sent_stats/put"), text("4061728")),
        ],
    }
}

fn rail(spec: &Spec) -> Rail {
    let up = spec.state.is_active();
    let n = spec.number;
    let rate = |full: f64| {
        if up {
            Fact::known(full * wave(NOW, n))
        } else {
            Fact::unknown(Why::Inactive, "the port is not ACTIVE")
        }
    };
    let share = || {
        if up { Fact::known(spec.share) } else { Fact::unknown(Why::Inactive, "") }
    };
    let (state, phys) = match spec.state {
        PortState::Active => ((4, "ACTIVE"), (5, "LinkUp")),
        PortState::NoSubnetManager => ((2, "INIT"), (5, "LinkUp")),
        PortState::Disabled => ((1, "DOWN"), (3, "Disabled")),
        _ => ((1, "DOWN"), (2, "Polling")),
    };
    let device = format!("mlx5_{n}");
    let guid = text(&format!("043f:7203:00c2:8b{n:02x}"));
    Rail {
        id: text(&format!("pci-{n}")),
        name: text(&spec.name),
        presence: Presence::Present,
        rdma: Some(RailRdma {
            device: text(&device),
            port: 1,
            port_name: text(&format!("{device}/1")),
            port_count: 1,
            state: spec.state,
            raw_state: enumerated(state.0, state.1),
            phys_state: enumerated(phys.0, phys.1),
            link_layer: Ok(text("InfiniBand")),
            device_attrs: Arc::new(DeviceAttrs {
                node_type: enumerated(1, "CA"),
                node_guid: Ok(guid.clone()),
                sys_image_guid: Ok(guid.clone()),
                node_desc: Ok(text("oss07 HCA-1")),
                fw_ver: Ok(text("20.43.1014")),
                hca_type: Ok(text("MT4123")),
                hw_rev: Ok(text("0")),
                board_id: Ok(text("MT_0000000223")),
                driver: Ok(text("mlx5_core")),
                pci: Some(pci(n)),
                netdevs: vec![text(&spec.name)],
                parent: None,
            }),
            port_attrs: Arc::new(PortAttrs {
                link_layer: Ok(text("InfiniBand")),
                rate: Ok(text(if up { "200 Gb/sec (4X HDR)" } else { "10 Gb/sec (4X SDR)" })),
                lid: if up { Ok(11 + n as u32) } else { Ok(0xffff) },
                sm_lid: Ok(u32::from(up)),
                sm_sl: Ok(0),
                lmc: Ok(0),
                cap_mask: Ok(0x2651_e848),
                gids: Vec::new(),
                default_gid: Ok(text("fe80:0000:0000:0000:043f:7203:00c2:8bda")),
                pkeys: Ok(vec![text("0xffff")]),
            }),
            counters: counters(n),
            hw_counters: counters(n + 1),
            stuck_since: None,
        }),
        netdev: Some(netdev(&spec.name, up)),
        children: Vec::new(),
        bond: None,
        addresses: vec![RailAddress {
            prefix: Prefix { addr: IpAddr::V4(Ipv4Addr::new(172, 16, 34, n as u8 + 1)), len: 16 },
            interface: text(&spec.name),
            scope: 0,
            flags: 0x80,
        }],
        lnet: vec![RailNi {
            net: text("o2ib"),
            ni: ni(spec),
            sent_per_second: rate(5120.0),
            received_per_second: rate(4870.0),
            rates: railtop::node::NiRates::first(),
        }],
        rate: LinkRate {
            nominal_bits_per_second: Fact::known(200e9),
            width: Fact::known(4),
            speed: Fact::known(text("HDR")),
            usable_bits_per_second: if up {
                Fact::known(HDR * 8.0)
            } else {
                Fact::unknown(Why::Inactive, "the port is not ACTIVE")
            },
            source: RateSource::Port,
        },
        last_active_rate: Some(HDR * 8.0),
        rx: flow(rate(spec.rx), FlowSource::Port, HDR, share()),
        tx: flow(rate(spec.tx), FlowSource::Port, HDR, share()),
        history: history(n, spec.rx, spec.tx, spec.died),
        state_since: spec.died.map(time),
        group: Some(0),
        counter_resets: 0,
        health: Health::default(),
        limits: limits(n, up),
        pci: Some(pci(n)),
    }
}

fn rung(layer: Layer, verdict: Verdict, detail: &str, finding: Option<&'static str>) -> Rung {
    Rung { layer, verdict, detail: text(detail), finding }
}

fn well_ladder(rail: &Rail) -> Vec<Rung> {
    let details = [
        "LinkUp, 200 Gb/s 4X HDR, as its group",
        "ACTIVE, LID 11, SM LID 1",
        "16 GT/s x16, 252 Gb/s, not the limit",
        "up, carrier, MTU 2044 datagram",
        "172.16.34.1/16",
        "no rule needed",
        "172.16.0.0/16 leaves by it",
        "answers by its own hardware address",
        "172.16.34.1@o2ib up",
        "1000",
        "chosen in turn",
        "10.2 GB/s in, 3.1 GB/s out",
    ];
    let _ = rail;
    Layer::ALL.iter().zip(details).map(|(l, d)| rung(*l, Verdict::Ok, d, None)).collect()
}

fn judged_well(rail: &Rail) -> RailAssessment {
    RailAssessment {
        verdict: Verdict::Ok,
        ladder: well_ladder(rail),
        first_failing: None,
        selection: Vec::new(),
        state_word: text("ACTIVE"),
    }
}

fn judged_sick(
    rail: &Rail,
    verdict: Verdict,
    layer: Layer,
    id: &'static str,
    word: &str,
) -> RailAssessment {
    let mut ladder = well_ladder(rail);
    let mut before = true;
    for rung in &mut ladder {
        if rung.layer == layer {
            before = false;
            rung.verdict = verdict;
            rung.finding = Some(id);
            rung.detail = text("DOWN, Polling: no signal on the cable for 2 s");
        } else if !before {
            rung.verdict = Verdict::Unknown;
            rung.detail = text("follows from the above");
        }
    }
    RailAssessment {
        verdict,
        ladder,
        first_failing: Some(layer),
        selection: Vec::new(),
        state_word: text(word),
    }
}

fn side(rate: f64, jain: f64, slowest: Option<usize>, part: f64) -> BalanceSide {
    BalanceSide {
        bytes_per_second: Fact::known(rate),
        jain_index: Fact::known(jain),
        slowest,
        slowest_share_of_fair_ratio: Fact::known(part),
    }
}

fn group(rails: usize, up: usize, jain: f64, slowest: Option<usize>, part: f64) -> Group {
    Group {
        name: text("o2ib"),
        origin: GroupOrigin::LnetNet,
        rails: (0..rails).collect(),
        usable_rails: up,
        recent: None,
        since_mark: None,
        behind_rx: None,
        behind_tx: None,
        usable_bytes_per_second: Fact::known(up as f64 * HDR),
        balance: Balance {
            rx: side(up as f64 * 10.2e9, jain, slowest, part),
            tx: side(up as f64 * 3.1e9, jain, slowest, part),
        },
    }
}

fn event(second: u64, subject: &str, kind: EventKind, words: &str) -> Event {
    Event { time: time(second), subject: text(subject), kind, text: text(words) }
}

fn lnet(rails: &[Rail]) -> Arc<Lnet> {
    let nis = rails.iter().flat_map(|r| r.lnet.iter().map(|n| n.ni.clone())).collect();
    Arc::new(Lnet {
        modules: LnetModules { lnet: Some(true), ksocklnd: Some(false), ko2iblnd: Some(true) },
        version: Ok(text("2.15.8")),
        answer: Ok(LnetAnswer {
            at: Mono(NOW * SECOND),
            took: Duration::from_millis(4),
            nets: vec![LnetNet { name: text("o2ib"), nis }],
        }),
        waiting_since: None,
        left: None,
        last_failure: None,
        sudoers: None,
        more: railtop::sample::LnetMore::default(),
        local: Arc::default(),
    })
}

/// What LNet said before: the counts less what the rails tell as their rates.
fn a_second_ago(rails: &[Rail], now: &Lnet) -> Lnet {
    let mut lnet = now.clone();
    let answer = lnet.answer.as_mut().unwrap();
    answer.at = Mono((NOW - 1) * SECOND);
    let rated = rails.iter().flat_map(|rail| &rail.lnet);
    for (ni, rated) in answer.nets.iter_mut().flat_map(|net| &mut net.nis).zip(rated) {
        for (count, rate) in [
            (&mut ni.send_count, &rated.sent_per_second),
            (&mut ni.recv_count, &rated.received_per_second),
        ] {
            *count = count.clone().map(|n| n - rate.ok().copied().unwrap_or(0.0).round() as u32);
        }
    }
    lnet
}

fn prefix(a: u8, b: u8, c: u8, d: u8, len: u8) -> Prefix {
    Prefix { addr: IpAddr::V4(Ipv4Addr::new(a, b, c, d)), len }
}

fn rule(preference: u32, src: Option<Prefix>, table: u32) -> Rule {
    Rule { src, ..Rule::lookup(preference, table) }
}

fn route(table: u32, dst: Prefix, ifindex: u32, linkdown: bool) -> Route {
    Route {
        kind: if table == 255 { RouteKind::Local } else { RouteKind::Unicast },
        scope: 253,
        protocol: 2,
        prefsrc: (table == 254).then(|| Ipv4Addr::new(172, 16, 34, ifindex as u8 - 3).into()),
        next_hops: vec![NextHop {
            flags: NextHopFlags { dead: linkdown, linkdown, onlink: false },
            ..NextHop::by(ifindex)
        }],
        ..Route::to(dst, table)
    }
}

fn routing(rails: &[Rail]) -> (Arc<Routing>, Vec<Link>) {
    let mut rules = vec![rule(0, None, 255)];
    let mut routes = Vec::new();
    let mut links = Vec::new();
    let mut addresses = Vec::new();
    for (n, rail) in rails.iter().enumerate() {
        let index = 4 + n as u32;
        let down = rail.netdev.as_ref().is_some_and(|d| d.carrier == Ok(false));
        rules.push(rule(
            9410 + n as u32,
            Some(prefix(172, 16, 34, n as u8 + 1, 32)),
            941 + n as u32,
        ));
        addresses.push(Address {
            ifindex: index,
            local: prefix(172, 16, 34, n as u8 + 1, 16),
            peer: None,
            scope: 0,
            flags: 0x80,
            label: None,
        });
        routes.push(route(254, prefix(172, 16, 0, 0, 16), index, down));
        routes.push(route(941 + n as u32, prefix(172, 16, 0, 0, 16), index, down));
        routes.push(route(255, prefix(172, 16, 34, n as u8 + 1, 32), index, false));
        links.push(Link {
            flags: LinkFlags(0x1_1043),
            operstate: Ok(text("up")),
            mtu: Some(2044),
            ..Link::new(index, rail.name.clone(), 32)
        });
    }
    rules.push(rule(32766, None, 254));
    rules.push(rule(32767, None, 253));
    let routing = Routing {
        at: Mono(NOW * SECOND),
        addresses: Ok(addresses),
        rules4: Ok(rules),
        rules6: Ok(vec![rule(0, None, 255), rule(32766, None, 254)]),
        routes4: Ok(routes),
        routes6: Err(Unknown::new(Why::Denied, "netlink: EPERM")),
        neighbours: Ok(Vec::new()),
        nexthops: Ok(Vec::new()),
        table_names: vec![(254, text("main")), (255, text("local"))],
    };
    (Arc::new(routing), links)
}

fn quiet(bytes: f64) -> Flow {
    Flow {
        bytes_per_second: Fact::known(bytes),
        source: Some(FlowSource::Netdev),
        ip_bytes_per_second: Fact::known(bytes),
        utilisation_ratio: Fact::unknown(Why::NotApplicable, ""),
        share_ratio: Fact::unknown(Why::NotApplicable, ""),
        total_bytes: 123_456_789,
    }
}

fn node(rails: Vec<Rail>, groups: Vec<Group>) -> Node {
    let (routing, links) = routing(&rails);
    let host = Host {
        name: Ok(text("oss07")),
        kernel: Ok(text("5.14.0-427.el9.x86_64")),
        load: Ok([1.0, 2.0, 3.0]),
        memory: Ok(Memory { total_bytes: 1 << 39, available_bytes: 1 << 38 }),
        cpus: Ok(128),
        boot_time_seconds: Ok(1_700_000_000),
        uid: Ok(0),
        numa: Err(Unknown::new(Why::Absent, "")),
    };
    let sample = Sample {
        time: time(NOW),
        host: Arc::new(host),
        netdevs: Ok(Vec::new()),
        rdma: Ok(Vec::new()),
        links: Ok(Arc::new(links)),
        routing,
        sysctls: Arc::new(Sysctls::default()),
        managers: None,
        lnet: lnet(&rails),
        notes: Vec::new(),
        cost: Vec::new(),
    };
    let before = Sample {
        time: time(NOW - 1),
        lnet: Arc::new(a_second_ago(&rails, &sample.lnet)),
        ..sample.clone()
    };
    let mut node = Node::new(Settings::default(), SourceKind::Live, &before);
    node.advance(&sample);
    node.measured_interval = Some(Duration::from_secs(1));
    node.rails = rails;
    node.groups = groups;
    node.other =
        OtherNics { names: vec![text("eth0"), text("eth1")], rx: quiet(1.2e6), tx: quiet(34e6) };
    node.choice_note = None;
    node.cost = Duration::from_millis(3);
    node
}

fn judged_by(
    node: Node,
    rails: Vec<RailAssessment>,
    findings: Vec<Finding>,
    verdict: Verdict,
) -> (Node, Assessment) {
    let lnet = node.lnet_lifecycle();
    let (not_checked, routes) = (Vec::new(), Vec::new());
    (node, Assessment { findings, rails, not_checked, verdict, routes, lnet })
}

/// Four rails of 4×HDR, evenly loaded.
pub fn healthy() -> Model {
    let rails: Vec<Rail> = (0..4).map(|n| rail(&Spec::well(n, 4))).collect();
    let judged = rails.iter().map(judged_well).collect();
    let mut node = node(rails, vec![group(4, 4, 1.0, Some(2), 0.97)]);
    node.marks = vec![Mark { name: text("A"), time: time(NOW - 20) }];
    node.events.push_front(event(NOW - 20, "railtop", EventKind::Mark, "mark A"));
    judged_by(node, judged, Vec::new(), Verdict::Ok)
}

fn step(place: Where, command: &str) -> Step {
    Step { place, command: text(command) }
}

fn finding(
    id: &'static str,
    severity: Severity,
    layer: Layer,
    rail: &str,
    caused_by: Option<&'static str>,
    summary: &str,
) -> Finding {
    Finding {
        id,
        severity,
        layer,
        rails: vec![text(rail)],
        caused_by,
        summary: text(summary),
        evidence: vec![text("/sys/class/infiniband/mlx5_2/ports/1/phys_state: 2: Polling")],
        fix: vec![step(Where::Peer, "check cable and switch port of mlx5_2/1")],
        remedy: Vec::new(),
        undo: Vec::new(),
        verify: vec![step(Where::Here, "cat /sys/class/infiniband/mlx5_2/ports/1/state")],
    }
}

/// The third of four rails lost its signal two seconds ago.
pub fn dead_rail() -> Model {
    let specs = (0..4).map(|n| {
        let mut spec = Spec::well(n, 3);
        if n == 2 {
            spec.state = PortState::NoSignal;
            spec.died = Some(NOW - 2);
        }
        spec
    });
    let rails: Vec<Rail> = specs.map(|s| rail(&s)).collect();
    let judged = rails
        .iter()
        .map(|rail| {
            if rail.name == "ib2" {
                judged_sick(rail, Verdict::Critical, Layer::Cable, "PORT_DOWN", "DOWN Polling")
            } else {
                judged_well(rail)
            }
        })
        .collect();
    let mut node = node(rails, vec![group(4, 3, 0.75, Some(2), 0.0)]);
    node.events = VecDeque::from([
        event(NOW - 1, "o2ib", EventKind::NiDown, "NI 172.16.34.3@o2ib down, fatal_error 1"),
        event(NOW - 2, "ib2", EventKind::LinkDown, "link down (was ACTIVE for 3 d 04:12)"),
        event(NOW - 230, "ib0", EventKind::LinkUp, "link up"),
    ]);
    node.marks = vec![Mark { name: text("A"), time: time(NOW - 30) }];
    let critical = Severity::Critical;
    let port = Some("PORT_DOWN");
    let findings = vec![
        finding(
            "PORT_DOWN",
            critical,
            Layer::Cable,
            "ib2",
            None,
            "ib2 has no signal (DOWN, Polling) for 2 s: cable or switch port; 3 rails carry on",
        ),
        finding("RAIL_DOWN", critical, Layer::Netdev, "ib2", port, "ib2 is up without carrier"),
        finding("NI_DOWN", critical, Layer::Ni, "ib2", port, "NI 172.16.34.3@o2ib is down"),
        finding(
            "ROUTING_NOT_PERSISTENT",
            Severity::Note,
            Layer::Rule,
            "ib0",
            None,
            "4 rules are not in any network configuration and go with the next reboot",
        ),
    ];
    judged_by(node, judged, findings, Verdict::Critical)
}

/// Cables are good, but nobody runs the subnet.
pub fn no_sm() -> Model {
    let specs = (0..2).map(|n| Spec { state: PortState::NoSubnetManager, ..Spec::well(n, 2) });
    let mut rails: Vec<Rail> = specs.map(|s| rail(&s)).collect();
    for rail in &mut rails {
        rail.history = History::default();
    }
    let judged = rails
        .iter()
        .map(|r| {
            judged_sick(r, Verdict::Critical, Layer::SubnetManager, "PORT_NO_SM", "INIT no SM")
        })
        .collect();
    let mut node = node(rails, vec![group(2, 0, 0.0, None, 0.0)]);
    let unknown = || Fact::unknown(Why::BelowFloor, "");
    for side in node.groups.iter_mut().flat_map(|g| [&mut g.balance.rx, &mut g.balance.tx]) {
        side.bytes_per_second = Fact::known(0.0);
        side.jain_index = unknown();
    }
    let findings = vec![finding(
        "PORT_NO_SM",
        Severity::Critical,
        Layer::SubnetManager,
        "ib0",
        None,
        "no subnet manager reaches ib0 and ib1: both stay in INIT",
    )];
    judged_by(node, judged, findings, Verdict::Critical)
}

/// Not root, a first sample, a capture without much in it.
pub fn unknowns() -> Model {
    let mut rails: Vec<Rail> = (0..2).map(|n| rail(&Spec::well(n, 2))).collect();
    for rail in &mut rails {
        let first = || Fact::unknown(Why::FirstSample, "a rate needs two samples");
        for flow in [&mut rail.rx, &mut rail.tx] {
            *flow = Flow {
                bytes_per_second: first(),
                source: None,
                ip_bytes_per_second: first(),
                utilisation_ratio: first(),
                share_ratio: first(),
                total_bytes: 0,
            };
        }
        rail.history = History::default();
        rail.lnet = Vec::new();
        rail.addresses = Vec::new();
        rail.group = None;
        rail.pci = None;
        rail.rate.nominal_bits_per_second = Fact::unknown(Why::Unparsable, "8 (4X");
        rail.rate.speed = Fact::unknown(Why::Unparsable, "8 (4X");
        rail.netdev = None;
        if let Some(rdma) = &mut rail.rdma {
            rdma.state = PortState::Unknown;
            rdma.raw_state = Err(Unknown::new(Why::Timeout, "mlx5_0 did not answer"));
            rdma.stuck_since = Some(time(NOW - 40));
        }
    }
    let judged = rails
        .iter()
        .map(|_| RailAssessment {
            verdict: Verdict::Unknown,
            ladder: Layer::ALL
                .iter()
                .map(|l| rung(*l, Verdict::Unknown, "timeout: mlx5_0 did not answer", None))
                .collect(),
            first_failing: None,
            selection: Vec::new(),
            state_word: text("not read"),
        })
        .collect();
    let mut node = node(rails, Vec::new());
    node.host = Arc::new(Host { name: absent("uname"), ..(*node.host).clone() });
    node.lnet = Arc::new(Lnet {
        modules: LnetModules::default(),
        version: absent("lnetctl"),
        answer: Err(LnetFailure::Denied(text("lnetctl: needs root"))),
        waiting_since: None,
        left: None,
        last_failure: None,
        sudoers: None,
        more: railtop::sample::LnetMore::default(),
        local: Arc::default(),
    });
    node.links = absent("ip-link.json");
    node.other = OtherNics { names: Vec::new(), ..node.other };
    let (node, mut judgement) = judged_by(node, judged, Vec::new(), Verdict::Unknown);
    judgement.not_checked = vec![NotChecked { what: text("LNet"), why: text("needs root") }];
    (node, judgement)
}

/// Sixteen rails, two of them not well.
pub fn sixteen() -> Model {
    let specs = (0..16).map(|n| {
        let mut spec = Spec::well(n, 16);
        if n == 11 {
            spec.state = PortState::Disabled;
            spec.died = Some(NOW - 30);
        }
        spec
    });
    let rails: Vec<Rail> = specs.map(|s| rail(&s)).collect();
    let judged = rails
        .iter()
        .map(|r| match r.name.as_str() {
            "ib11" => {
                judged_sick(r, Verdict::Critical, Layer::Cable, "PORT_DISABLED", "DOWN Disabled")
            }
            "ib5" => RailAssessment { verdict: Verdict::Warning, ..judged_well(r) },
            _ => judged_well(r),
        })
        .collect();
    let mut node = node(rails, vec![group(16, 15, 0.93, Some(11), 0.0)]);
    node.not_shown = vec![NotShown {
        what: "RoCE port",
        names: vec![text("mlx5_bond_0/1"), text("mlx5_17/1")],
        hint: text("--rail 'mlx5_*'"),
    }];
    let findings = vec![
        finding(
            "PORT_DISABLED",
            Severity::Critical,
            Layer::Cable,
            "ib11",
            None,
            "ib11 is disabled (DOWN, Disabled) for 30 s",
        ),
        finding(
            "PCIE_DOWNGRADED",
            Severity::Warning,
            Layer::Pcie,
            "ib5",
            None,
            "the PCIe link of ib5 runs at x8, it can x16",
        ),
    ];
    judged_by(node, judged, findings, Verdict::Critical)
}

/// Nothing that could be a rail.
pub fn no_rails() -> Model {
    let mut node = node(Vec::new(), Vec::new());
    node.lnet = Arc::new(Lnet {
        modules: LnetModules { lnet: Some(false), ksocklnd: Some(false), ko2iblnd: Some(false) },
        version: absent("lnetctl"),
        answer: Err(LnetFailure::NotInstalled),
        waiting_since: None,
        left: None,
        last_failure: None,
        sudoers: None,
        more: railtop::sample::LnetMore::default(),
        local: Arc::default(),
    });
    node.choice_note = Some(text("no physical network interface here"));
    judged_by(node, Vec::new(), Vec::new(), Verdict::Unknown)
}

/// Names that want to break the screen.
pub fn hostile() -> Model {
    let names = ["a\u{1b}[2J\u{7}", "漢字漢字漢字漢字漢字", "ib\u{202e}0\u{301}", &"x".repeat(300)];
    let specs = names
        .iter()
        .enumerate()
        .map(|(n, name)| Spec { name: (*name).to_owned(), ..Spec::well(n as u64, 4) });
    let rails: Vec<Rail> = specs.map(|s| rail(&s)).collect();
    let judged = rails
        .iter()
        .map(|r| RailAssessment { state_word: text(&"W".repeat(99)), ..judged_well(r) })
        .collect();
    let mut node = node(rails, vec![group(4, 4, f64::NAN, Some(99), f64::INFINITY)]);
    for rail in &mut node.rails {
        rail.rx.bytes_per_second = Fact::known(f64::NAN);
        rail.rx.utilisation_ratio = Fact::known(f64::INFINITY);
        rail.tx.bytes_per_second = Fact::known(1e30);
        rail.tx.utilisation_ratio = Fact::known(-1.0);
    }
    node.host = Arc::new(Host { name: Ok(text(&"h\n".repeat(200))), ..(*node.host).clone() });
    node.events.push_front(event(NOW, "\u{9b}31m", EventKind::Routing, &"long ".repeat(200)));
    let findings = vec![finding(
        "PORT_DOWN",
        Severity::Warning,
        Layer::Cable,
        "a\u{1b}[2J",
        None,
        &"wörds and 漢字 without an end ".repeat(40),
    )];
    judged_by(node, judged, findings, Verdict::Warning)
}

/// The same node a second later.
pub fn later(node: &mut Node) {
    let second = node.time.mono.0 / SECOND + 1;
    node.time = time(second);
    for (n, rail) in (0..).zip(&mut node.rails) {
        let rate = |full: f64| Fact::known(full * wave(second, n));
        rail.rx = flow(rate(10.2e9), FlowSource::Port, HDR, Fact::known(wave(second, n) / 8.0));
        rail.tx = flow(rate(3.1e9), FlowSource::Port, HDR, Fact::known(wave(second, n) / 8.0));
        let value = |full: f64| Some((full * wave(second, n)) as f32);
        let at = Mono(second * SECOND);
        rail.history.push(HistoryPoint { at, rx: value(10.2e9), tx: value(3.1e9) });
    }
    for group in &mut node.groups {
        let sum = 8.0 * 10.2e9 * wave(second, 3);
        group.balance.rx.bytes_per_second = Fact::known(sum);
    }
}

/// Eight rails, all well.
pub fn eight() -> Model {
    let rails: Vec<Rail> = (0..8).map(|n| rail(&Spec::well(n, 8))).collect();
    let judged = rails.iter().map(judged_well).collect();
    let node = node(rails, vec![group(8, 8, 1.0, None, 1.0)]);
    judged_by(node, judged, Vec::new(), Verdict::Ok)
}

/// All of them by name.
pub fn all() -> Vec<(&'static str, Model)> {
    vec![
        ("healthy", healthy()),
        ("dead_rail", dead_rail()),
        ("no_sm", no_sm()),
        ("unknowns", unknowns()),
        ("sixteen", sixteen()),
        ("no_rails", no_rails()),
        ("hostile", hostile()),
    ]
}
