//! What LNet says, in the scenes that the LNet screen is for. The rails below it are those of the
//! simulated node; LNet's counts move by what is written here, a second at a time.

use railtop::node::{Node, Settings};
use railtop::sample::{
    Answered, Lnet, LnetAnswer, LnetBuffers, LnetFailure, LnetGlobal, LnetLocal, LnetModules,
    LnetMore, LnetNet, LnetNi, LnetNiCredits, LnetPeer, LnetPeerNi, LnetRoute, LnetRouting,
    LnetStats, LnetUdsp, LoadedModule, LustreMount, Mono, Sample, Text, Timed, Unknown, Why,
};
use railtop::source::Source;
use railtop::source::demo::Demo;
use std::sync::Arc;
use std::time::Duration;

/// Messages of one NI a second: put, get, reply, ack, hello.
const SENT: [u32; 5] = [4120, 2060, 2050, 40, 0];
const RECEIVED: [u32; 5] = [2080, 10, 2060, 4115, 0];

/// A scene and its name.
pub const SCENES: [&str; 8] =
    ["healthy", "fatal", "health", "router", "peers", "denied", "unconfigured", "hanging"];

/// What a scene says after so many seconds.
pub struct Scene {
    name: &'static str,
    peers: usize,
}

impl Scene {
    /// By its name.
    pub fn new(name: &str) -> Self {
        let name = SCENES.into_iter().find(|n| *n == name).unwrap();
        Self { name, peers: if name == "peers" { 10_000 } else { 12 } }
    }

    /// The healthy node with so many peers.
    pub fn with_peers(peers: usize) -> Self {
        Self { name: "healthy", peers }
    }

    /// What LNet says in that second.
    pub fn lnet(&self, second: u32, at: Mono) -> Lnet {
        let mut lnet = self.well(second, at);
        let own = |lnet: &mut Lnet, n: usize, change: &dyn Fn(&mut LnetNi)| {
            change(&mut lnet.answer.as_mut().unwrap().nets[1].nis[n]);
        };
        match self.name {
            "fatal" => own(&mut lnet, 2, &|ni| {
                ni.status = Ok("down".into());
                ni.fatal_error = Ok(1);
                (ni.send_count, ni.recv_count) = (Ok(40), Ok(40));
                set(ni, "sent_stats/put", 12);
                for kind in ["sent_stats/get", "sent_stats/reply", "sent_stats/ack"] {
                    set(ni, kind, 9);
                }
                for kind in ["put", "get", "reply", "ack"] {
                    set(ni, &format!("received_stats/{kind}"), 10);
                }
            }),
            "health" => own(&mut lnet, 1, &|ni| {
                ni.health = Ok(700);
                set(ni, "health stats/timeouts", 1735 + 2 * second);
                set(ni, "health stats/ping_count", 4);
                ni.drop_count = Ok(208 + second);
                set(ni, "dropped_stats/put", 208 + second);
            }),
            "router" => route(&mut lnet, at),
            "denied" => {
                let why = "opening /dev/lnet failed: Permission denied";
                lnet.answer = Err(LnetFailure::Denied(why.into()));
                lnet.more = nothing(Why::Denied, why);
            }
            "unconfigured" => {
                lnet.answer = Err(LnetFailure::NotConfigured);
                lnet.more = nothing(Why::Inactive, "LNet is not configured");
                let local = Arc::make_mut(&mut lnet.local);
                local.mounts.clear();
                local.modules.retain(|m| m.name == "lnet");
                local.modules[0] =
                    LoadedModule { references: 0, used_by: Vec::new(), ..local.modules[0].clone() };
            }
            "hanging" if second > 2 => {
                let late = Duration::from_secs(u64::from(second) - 2);
                lnet = self.well(2, at - late);
                lnet.waiting_since = Some(at - late + Duration::from_secs(1));
                let why = "lnetctl stats show did not answer within 5 s";
                lnet.more.stats = Err(Unknown::new(Why::Timeout, why));
            }
            _ => {}
        }
        lnet
    }

    fn well(&self, second: u32, at: Mono) -> Lnet {
        let next_ping = at.0 / 1_000_000_000 + 12;
        let nis: Vec<LnetNi> = (0..4).map(|n| ni(n, second)).collect();
        let credits = nis.iter().flat_map(|ni| {
            [(251, 187), (244, -3)].map(|(tx, min)| LnetNiCredits {
                nid: ni.nid.clone(),
                status: "up".into(),
                max: 256,
                tx,
                min,
            })
        });
        let credits = credits.collect();
        Lnet {
            modules: LnetModules { lnet: Some(true), ksocklnd: Some(false), ko2iblnd: Some(true) },
            version: Ok("2.15.8".into()),
            answer: Ok(LnetAnswer {
                at,
                took: Duration::from_millis(4),
                nets: vec![
                    LnetNet { name: "lo".into(), nis: vec![bare("0@lo", "", 0)] },
                    LnetNet { name: "o2ib".into(), nis },
                ],
            }),
            waiting_since: None,
            left: None,
            last_failure: None,
            more: LnetMore {
                peers: told(at, (0..self.peers).map(|n| peer(n, second, next_ping)).collect()),
                stats: told(at, stats(second)),
                global: told(at, LnetGlobal { all: texts(&GLOBAL) }),
                routes: told(at, Vec::new()),
                routing: told(at, LnetRouting::default()),
                udsp: told(at, Vec::new()),
                credits: told(at, credits),
            },
            sudoers: None,
            local: Arc::new(local()),
        }
    }
}

/// A client that is mounted.
fn local() -> LnetLocal {
    let module = |(name, references, used_by): (&str, u32, &[&str])| LoadedModule {
        name: name.into(),
        references,
        used_by: used_by.iter().map(|u| Text::new(u)).collect(),
    };
    LnetLocal {
        modules: [
            ("lustre", 1, &[][..]),
            ("ptlrpc", 1, &["lustre"]),
            ("ko2iblnd", 4, &[]),
            ("lnet", 2, &["ptlrpc", "ko2iblnd"]),
        ]
        .map(module)
        .into(),
        mounts: vec![LustreMount {
            source: "172.16.16.2@o2ib:/scratch".into(),
            target: "/scratch".into(),
            kind: "lustre".into(),
        }],
        ..LnetLocal::default()
    }
}

const GLOBAL: [(&str, &str); 13] = [
    ("numa_range", "0"),
    ("max_interfaces", "200"),
    ("discovery", "1"),
    ("drop_asym_route", "0"),
    ("retry_count", "2"),
    ("transaction_timeout", "50"),
    ("health_sensitivity", "100"),
    ("recovery_interval", "1"),
    ("router_sensitivity", "100"),
    ("lnd_timeout", "16"),
    ("response_tracking", "3"),
    ("recovery_limit", "0"),
    ("max_recovery_ping_interval", "900"),
];

fn texts(all: &[(&str, &str)]) -> Vec<(Text, Text)> {
    all.iter().map(|(k, v)| (Text::new(k), Text::new(v))).collect()
}

#[expect(clippy::unnecessary_wraps, reason = "a reading that is known")]
fn told<T>(at: Mono, value: T) -> Answered<T> {
    Ok(Arc::new(Timed { at, value }))
}

fn nothing(why: Why, detail: &str) -> LnetMore {
    fn none<T>(why: Why, detail: &str) -> Answered<T> {
        Err(Unknown::new(why, detail))
    }
    LnetMore {
        peers: none(why, detail),
        stats: none(why, detail),
        global: none(why, detail),
        routes: none(why, detail),
        routing: none(why, detail),
        udsp: none(why, detail),
        credits: none(why, detail),
    }
}

fn bare(nid: &str, interface: &str, count: u32) -> LnetNi {
    let interfaces = if interface.is_empty() { Vec::new() } else { vec![interface.into()] };
    LnetNi {
        nid: nid.into(),
        status: Ok("up".into()),
        interfaces,
        send_count: Ok(count),
        recv_count: Ok(count),
        drop_count: Ok(0),
        fatal_error: Ok(0),
        health: Ok(if interface.is_empty() { 0 } else { 1000 }),
        dev_cpt: Ok(0),
        peer_credits: Ok(32),
        credits: Ok(256),
        cpt: Ok("[0,1]".into()),
        more: Vec::new(),
    }
}

fn set(ni: &mut LnetNi, path: &str, value: u32) {
    let printed = Text::from(value.to_string());
    match ni.more.iter_mut().find(|(key, _)| *key == path) {
        Some((_, old)) => *old = printed,
        None => ni.more.push((path.into(), printed)),
    }
}

/// Counts that began at a million and have moved on for so many seconds.
fn ni(n: u32, second: u32) -> LnetNi {
    let mut ni = bare(&format!("172.16.34.{}@o2ib", n + 1), &format!("ib{n}"), 0);
    let part = |rates: [u32; 5]| rates.map(|rate| 1_000_000 + rate * (second + n) * (20 + n) / 20);
    let (sent, received) = (part(SENT), part(RECEIVED));
    let sum = |counts: [u32; 5]| counts.into_iter().fold(0u32, u32::wrapping_add);
    (ni.send_count, ni.recv_count) = (Ok(sum(sent)), Ok(sum(received)));
    ni.dev_cpt = Ok(i32::try_from(n / 2).unwrap());
    for (n, kind) in ["put", "get", "reply", "ack", "hello"].into_iter().enumerate() {
        set(&mut ni, &format!("sent_stats/{kind}"), sent[n]);
        set(&mut ni, &format!("received_stats/{kind}"), received[n]);
        set(&mut ni, &format!("dropped_stats/{kind}"), 0);
    }
    for kind in ["interrupts", "dropped", "aborted", "no route", "timeouts", "error"] {
        set(&mut ni, &format!("health stats/{kind}"), 0);
    }
    set(&mut ni, "health stats/ping_count", 0);
    set(&mut ni, "health stats/next_ping", 0);
    set(&mut ni, "tunables/peer_timeout", 180);
    set(&mut ni, "lnd tunables/peercredits_hiw", 16);
    ni
}

fn peer_ni(nid: &str, second: u32, rate: u32) -> LnetPeerNi {
    LnetPeerNi {
        nid: nid.into(),
        state: Ok("NA".into()),
        max_tx_credits: Ok(32),
        tx_credits: Ok(29),
        min_tx_credits: Ok(-14),
        queued_bytes: Ok(3_145_944),
        rtr_credits: Ok(32),
        min_rtr_credits: Ok(32),
        send_count: Ok(500_000 + rate * second),
        recv_count: Ok(500_000 + rate * second),
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

/// Two NIs each. The first is this node itself; the sixth to the ninth are not well.
fn peer(n: usize, second: u32, next_ping: u64) -> LnetPeer {
    let address = |side: usize| match n {
        0 => format!("172.16.34.{}@o2ib", side + 1),
        1..250 => format!("172.16.{}.{}@o2ib", 16 + 8 * side, n + 1),
        _ => format!("172.16.{}.{}@o2ib", 100 + 60 * side + n / 250, n % 250 + 1),
    };
    let rate = u32::try_from(12_000usize.checked_div(n).unwrap_or(0)).unwrap();
    let mut nis = vec![peer_ni(&address(0), second, rate), peer_ni(&address(1), second, rate)];
    match n {
        5 => {
            nis[1].health = Ok(700);
            nis[1].ping_count = Ok(4);
            nis[1].next_ping = Ok(next_ping);
            nis[1].timeouts = Ok(17);
        }
        6 => nis[0].network_timeouts = Ok(3 * second),
        7 => nis[0].tx_credits = Ok(-12),
        8 => nis[1].state = Ok("down".into()),
        9 => {
            for ni in &mut nis {
                ni.nid = Text::from(ni.nid.replace("@o2ib", "@tcp9"));
                ni.state = Ok("down".into());
                (ni.max_tx_credits, ni.tx_credits, ni.min_tx_credits) = (Ok(0), Ok(0), Ok(0));
                ni.queued_bytes = Ok(0);
            }
        }
        _ => {}
    }
    LnetPeer { primary_nid: nis[0].nid.clone(), multi_rail: Ok(true), state_bits: Ok(273), nis }
}

fn stats(second: u32) -> LnetStats {
    let sent = 1_000_000_000_000 + 11_800_000_000 * u64::from(second);
    let received = 2_000_000_000_000 + 39_900_000_000 * u64::from(second);
    let [resends, timeouts, sends, receives] =
        [2 * second, 7, 33_000 * second, 33_000 * second].map(|n| n.to_string());
    LnetStats {
        send_bytes: Ok(sent),
        recv_bytes: Ok(received),
        route_bytes: Ok(0),
        drop_bytes: Ok(0),
        all: texts(&[
            ("msgs_alloc", "54"),
            ("msgs_max", "411"),
            ("errors", "0"),
            ("send_count", &sends),
            ("resend_count", &resends),
            ("local_timeout_count", &timeouts),
            ("network_timeout_count", "0"),
            ("recv_count", &receives),
            ("send_length", &sent.to_string()),
            ("recv_length", &received.to_string()),
            ("route_length", "0"),
            ("drop_length", "0"),
        ]),
    }
}

/// A router between o2ib and tcp9, with a route that is down and a rule of selection.
fn route(lnet: &mut Lnet, at: Mono) {
    let one = |net: &str, gateway: &str, hop, state: &str| LnetRoute {
        net: net.into(),
        gateway: gateway.into(),
        hop: Ok(hop),
        priority: Ok(0),
        state: Ok(state.into()),
        kind: Ok("single-hop".into()),
    };
    lnet.more.routes = told(
        at,
        vec![one("tcp9", "172.16.16.2@o2ib", -1, "up"), one("tcp9", "172.16.16.9@o2ib", 2, "down")],
    );
    let pool = |cpt, size: &str, buffers, credits, min| LnetBuffers {
        cpt,
        size: size.into(),
        buffers: Ok(buffers),
        credits: Ok(credits),
        min_credits: Ok(min),
    };
    lnet.more.routing = told(
        at,
        LnetRouting {
            enable: Some(1),
            buffers: vec![
                pool(0, "tiny", 1024, 1024, 1000),
                pool(0, "small", 8192, 8190, -12),
                pool(0, "large", 512, -3, -40),
            ],
        },
    );
    let rule = LnetUdsp {
        index: Ok(0),
        src: Some("172.16.34.2@o2ib".into()),
        dst: None,
        rte: None,
        priority: Some(1),
    };
    lnet.more.udsp = told(at, vec![rule]);
}

/// Samples of the simulated node with that LNet, a second apart.
pub fn samples(scene: &Scene, count: u32) -> Vec<Sample> {
    let mut demo = Demo::simulate("balanced", Duration::from_secs(1)).unwrap();
    // Until there is load on the rails.
    (0..40).for_each(|_| drop(demo.next().unwrap()));
    (1..=count)
        .map(|second| {
            let mut sample = demo.next().unwrap().unwrap();
            sample.lnet = Arc::new(scene.lnet(second, sample.time.mono));
            sample
        })
        .collect()
}

/// The node after so many seconds.
pub fn node(scene: &Scene, count: u32) -> Node {
    let samples = samples(scene, count);
    let kind = railtop::node::SourceKind::Demo;
    let mut node = Node::new(Settings::default(), kind, &samples[0]);
    samples[1..].iter().for_each(|sample| node.advance(sample));
    node
}
