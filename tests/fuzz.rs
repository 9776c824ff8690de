//! What comes from outside, broken at random: whatever a file or a tool says, nothing panics,
//! nothing takes long, nothing puts control characters on a screen or into a report.
//!
//! A whole node is read from a capture whose files are mutated, and goes all the way: samples,
//! model, judgement, JSON, every screen. A fixed number of rounds by default;
//! `RAILTOP_FUZZ_SECONDS=600 cargo test --test fuzz` goes on for longer with other seeds. A failure
//! names its seed; `RAILTOP_FUZZ_SEED` runs that one alone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail loudly"
)]

mod support;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use railtop::check::{Judge, paths};
use railtop::config;
use railtop::expect::Manifest;
use railtop::lnet::config::of_lines;
use railtop::lnet::ip2nets::{self, Context, Rules};
use railtop::node::{Node, Settings, SourceKind};
use railtop::report::{json, junit, nagios, text};
use railtop::sample::Text;
use railtop::source::capture::Capture;
use railtop::source::{Pace, Source};
use railtop::tui::{App, ColorLevel, Look};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use support::law;
use support::lnetctl::{both_up, net_show, ni};
use support::tree::{MLX5_HW, Nic, PMA, Port, STATISTICS, Tree};

/// Rounds of the whole way, and of each parser by itself.
const ROUNDS: (u64, u64) = (150, 3000);
/// No round may take longer, in a debug build on a busy machine.
const SLOW: Duration = Duration::from_secs(10);

/// SplitMix64: small, seeded, the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

/// Pieces that parsers stumble over.
const PIECES: [&[u8]; 24] = [
    b"",
    b"\0",
    b"\x1b[2J",
    b"\n",
    b"- ",
    b": ",
    b"-1",
    b"0x",
    b"18446744073709551616",
    b"1e999",
    b"NaN",
    b"[",
    b"]",
    b"{",
    b"}",
    b"\"",
    b"'",
    b"#",
    b";",
    b"/33",
    b"::",
    b"\xff\xfe",
    b"\xe2\x80\xae",
    b"4294967296",
];

/// One to four changes: a bit, a byte, a piece, a cut, a repetition, two places exchanged.
fn mutate(random: &mut Random, bytes: &mut Vec<u8>) {
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        match random.below(7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 if at < bytes.len() => bytes[at] = random.next() as u8,
            2 => {
                let piece = PIECES[random.below(PIECES.len())];
                bytes.splice(at..at, piece.iter().copied());
            }
            3 => bytes.truncate(at),
            4 => {
                let end = (at + random.below(64)).min(bytes.len());
                bytes.drain(at..end);
            }
            5 => {
                let end = (at + random.below(200)).min(bytes.len());
                let part = bytes[at..end].to_vec();
                for _ in 0..=random.below(40) {
                    bytes.splice(at..at, part.iter().copied());
                }
            }
            _ if !bytes.is_empty() => {
                let (a, b) = (random.below(bytes.len()), random.below(bytes.len()));
                bytes.swap(a, b);
            }
            _ => {}
        }
    }
}

/// Seeds of one kind of test: so many, or for so long, or the one that is asked for.
fn seeds(rounds: u64) -> impl Iterator<Item = u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|v| v.parse::<u64>().ok());
    let only = number("RAILTOP_FUZZ_SEED");
    let seconds = number("RAILTOP_FUZZ_SECONDS");
    let start = Instant::now();
    let first = only.unwrap_or(if seconds.is_some() { 1_000_000 } else { 0 });
    (first..).take_while(move |seed| match (only, seconds) {
        (Some(only), _) => *seed == only,
        (None, Some(seconds)) => start.elapsed() < Duration::from_secs(seconds),
        (None, None) => *seed < rounds,
    })
}

/// Runs a round; a panic or a long time names the seed.
fn round(what: &str, seed: u64, work: impl FnOnce(&mut Random)) {
    let start = Instant::now();
    let done = catch_unwind(AssertUnwindSafe(|| work(&mut Random(seed))));
    assert!(done.is_ok(), "{what}: RAILTOP_FUZZ_SEED={seed}");
    assert!(start.elapsed() < SLOW, "{what}: RAILTOP_FUZZ_SEED={seed} took {:?}", start.elapsed());
}

const PEERS: &str = "peer:\n    - primary nid: 10.1.0.9@o2ib\n      Multi-Rail: True\n      peer state: 273\n      \
    peer ni:\n        - nid: 10.1.0.9@o2ib\n          udsp info:\n              net priority: -1\n              nid priority: -1\n          \
    state: NA\n          max_ni_tx_credits: 32\n          available_tx_credits: 32\n          min_tx_credits: -14\n          \
    tx_q_num_of_buf: 0\n          available_rtr_credits: 32\n          min_rtr_credits: 32\n          refcount: 1\n          \
    statistics:\n              send_count: 459121\n              recv_count: 459010\n              drop_count: 0\n          \
    health stats:\n              health value: 1000\n              dropped: 0\n              timeout: 0\n              error: 0\n              \
    network timeout: 0\n";
const STATS: &str = "statistics:\n    msgs_alloc: 10\n    msgs_max: 13\n    errors: 0\n    send_count: 1308\n    \
    recv_count: 1300\n    route_count: 0\n    drop_count: 0\n    send_length: 668048076\n    recv_length: 104156\n    \
    route_length: 0\n    drop_length: 0\n";
const GLOBAL: &str = "global:\n    numa_range: 0\n    max_interfaces: 200\n    discovery: 1\n    retry_count: 2\n    \
    transaction_timeout: 150\n    health_sensitivity: 100\n";
const ROUTES: &str = "route:\n-     net: tcp9\n      gateway: 10.1.0.9@o2ib\n      hop: -1\n      priority: 0\n      \
    state: down\n      type: multi-hop\n";
const ROUTING: &str = "routing:\n    - cpt[0]:\n          tiny:\n              npages: 0\n              nbuffers: 2048\n              \
    credits: 2048\n              mincredits: 2048\n    - enable: 1\n";
const UDSP: &str = "udsp:\n    - idx: 0\n      src: tcp\n      dst: NA\n      rte: NA\n      action:\n          priority: 0\n";
const NIS: &str = "nid                      status alive refs peer  rtr   max    tx   min\n\
    0@lo                         up     0    2    0    0     0     0     0\n\
    10.1.0.1@o2ib                up    -1    1    8    0   256   256   255\n";
const RULES: &str = "options lnet ip2nets=\"o2ib(ib0,ib1) 10.1.[0-3].*; tcp(eth0[0,1]) *.*.*.[2-8/2] # all\"\n\
    options lnet networks=\"o2ib(ib0),tcp(eth0)\"\n";
const CONF: &str = "ip2nets:\n  - net-spec: o2ib\n    interfaces:\n        0: ib0\n        1: ib1\n    ip-range:\n        \
    0: 10.1.*.*\n    tunables:\n        peer_credits: 32\nnet:\n    - net type: o2ib\n      local NI(s):\n        - interfaces:\n              \
    0: ib0\n";
const CONFIG: &str = "interval = \"2s\"\nrails = [\"ib*\"]\npeers = [\"10.1.0.9\"]\n[names]\n\"mlx5_0/1\" = \"a\"\n\
    [thresholds]\nbalance_unfair_ratio = 0.5\n[[group]]\nname = \"g\"\nrails = [\"ib0\"]\n";
const MANIFEST: &str = "format = 1\n[[rail]]\nid = \"0000:10:00.0/1\"\nname = \"ib0\"\ngbits = 200.0\nwidth = 4\n\
    addresses = [\"10.1.0.1/24\"]\nnids = [\"10.1.0.1@o2ib\"]\n";
const LINKS: &str = r#"[{"ifindex":2,"ifname":"ib0","flags":["BROADCAST","MULTICAST","UP","LOWER_UP"],"mtu":2044,"operstate":"UP","link_type":"infiniband","address":"00:00:10:8b:fe:80:00:00:00:00:00:00:a0:88:c2:03:00:74:00:00","linkinfo":{"info_kind":"ipoib","info_data":{"key":"0xffff","mode":"datagram"}},"addr_info":[{"family":"inet","local":"10.1.0.1","prefixlen":24,"scope":"global","label":"ib0"},{"family":"inet6","local":"fe80::1","prefixlen":64,"scope":"link"}]},{"ifindex":3,"ifname":"ib1","flags":["UP"],"mtu":2044,"operstate":"DOWN","link_type":"infiniband","addr_info":[{"family":"inet","local":"10.1.0.2","prefixlen":24,"scope":"global","label":"ib1"}]}]"#;
const IP_ROUTES: &str = r#"[{"dst":"10.1.0.0/24","dev":"ib0","protocol":"kernel","scope":"link","prefsrc":"10.1.0.1","flags":[]},{"dst":"10.1.0.0/24","dev":"ib1","protocol":"kernel","scope":"link","prefsrc":"10.1.0.2","flags":["linkdown"]},{"dst":"default","nexthops":[{"gateway":"10.1.0.254","dev":"ib0","weight":1,"flags":[]},{"gateway":"10.1.0.253","dev":"ib1","weight":2,"flags":["dead"]}],"metric":100,"flags":[]},{"type":"unreachable","dst":"10.9.0.0/16","table":"941","metric":4278198272,"flags":[]}]"#;
const IP_RULES: &str = r#"[{"priority":0,"src":"all","table":"local"},{"priority":9410,"src":"10.1.0.1","table":"941","protocol":"static"},{"priority":9500,"not":null,"src":"10.0.0.0","srclen":8,"fwmark":"0x1","fwmask":"0xff","iif":"ib0","suppress_prefixlen":0,"goto":32766},{"priority":32766,"src":"all","table":"main"}]"#;
const NEIGHBOURS: &str = r#"[{"dst":"10.1.0.9","dev":"ib0","lladdr":"80:00:00:48:fe:80:00:00:00:00:00:00:00:02:c9:03:00:f9:00:01","state":["REACHABLE"]},{"dst":"10.1.0.8","dev":"ib1","state":["FAILED"]}]"#;
const NEXTHOPS: &str = r#"[{"id":1,"dev":"ib0","scope":"link","protocol":"static","flags":[]},{"id":10,"group":[{"id":1,"weight":3},{"id":2}],"flags":[]}]"#;
const KEYFILE: &str = "[connection]\nid=ib0\ninterface-name=ib0\n[ipv4]\nmethod=manual\naddress1=10.1.0.1/24\n\
    routing-rule1=priority 9410 from 10.1.0.1 table 941\n";

/// A capture of two rails with a file of every kind.
fn capture(dir: &Path) -> Vec<PathBuf> {
    for number in 1..=2u64 {
        let tree = Tree::inside(&dir.join(format!("samples/{number:04}")));
        tree.file(
            "meta.json",
            &format!(
                "{{\"time\":\"2026-01-15T14:00:0{number}Z\",\"monotonic_seconds\":{},\"host\":\"n\",\"kernel\":\"6.1\",\"uid\":0}}",
                5000 + number
            ),
        );
        for rail in 0..2u32 {
            let pci = tree.pci(&format!("0000:{:02x}", 0x10 + rail), 0, "16.0 GT/s PCIe", "16");
            let hca = tree.hca(&format!("mlx5_{rail}"), Some(&pci));
            let path = tree.port(&hca, 1, &Port::active("200 Gb/sec (4X HDR)"));
            tree.guid(&hca, 1, rail as u16);
            tree.counters(&path, "counters", &PMA, 1000 * number);
            tree.counters(&path, "hw_counters", &MLX5_HW, 1000 * number);
            let net = tree.netdev(&format!("ib{rail}"), Some(&pci), Nic::ipoib(2 + rail));
            tree.counters(&net, "statistics", &STATISTICS, 1000 * number);
        }
        for (name, text) in [
            ("ip-addr.json", LINKS),
            ("ip-link.json", LINKS),
            ("ip-route.json", IP_ROUTES),
            ("ip-rule.json", IP_RULES),
            ("ip-neigh.json", NEIGHBOURS),
            ("ip-nexthop.json", NEXTHOPS),
            ("lnetctl-peer-show.yaml", PEERS),
            ("lnetctl-stats-show.yaml", STATS),
            ("lnetctl-global-show.yaml", GLOBAL),
            ("lnetctl-route-show.yaml", ROUTES),
            ("lnetctl-routing-show.yaml", ROUTING),
            ("lnetctl-udsp-show.yaml", UDSP),
            ("lnet-debugfs-nis.txt", NIS),
            ("lnetctl-version.txt", "lnetctl 2.15.8\n"),
            ("etc/modprobe.d/lustre.conf", RULES),
            ("etc/lnet.conf", CONF),
            ("etc/NetworkManager/system-connections/ib0.nmconnection", KEYFILE),
            ("etc/sysctl.d/90-rails.conf", "net.ipv4.conf.ib0.arp_ignore=1\n"),
            ("proc/sys/net/ipv4/conf/ib0/rp_filter", "1\n"),
            ("proc/sys/net/ipv4/conf/all/rp_filter", "0\n"),
            (
                "proc/modules",
                "lnet 700000 3 ko2iblnd,ksocklnd, Live 0x0\nko2iblnd 1 0 - Live 0x0\n",
            ),
            ("proc/mounts", "10.1.0.9@o2ib:/scratch /scratch lustre rw 0 0\n"),
        ] {
            tree.file(name, text);
        }
        let nis: Vec<String> =
            (1..=2).map(|n| ni(n, "up", 0, 1000, 1000 * number as u32)).collect();
        tree.file("lnetctl-net-show.yaml", &net_show(&nis));
        tree.dir("sys/module/lnet/parameters");
        tree.file("sys/module/lnet/parameters/networks", "o2ib(ib0,ib1)\n");
    }
    let mut files = Vec::new();
    collect(dir, &mut files);
    files.sort();
    files
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            collect(&entry.path(), files);
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
}

/// From the files to every mouth.
fn all_the_way(dir: &Path) -> Option<String> {
    let mut source = Capture::open(dir).ok()?;
    let pace = Pace::new(Duration::from_secs(1));
    let look =
        Look { colors: ColorLevel::Mono, ascii: false, bits: false, zone: jiff::tz::TimeZone::UTC };
    let mut app = App::new(look, Settings::default(), SourceKind::Capture, "capture", pace);
    let mut terminal = Terminal::new(TestBackend::new(100, 30)).unwrap();
    let mut node: Option<Node> = None;
    while let Ok(Some(sample)) = source.next() {
        match &mut node {
            Some(node) => node.advance(&sample),
            None => node = Some(Node::new(Settings::default(), SourceKind::Capture, &sample)),
        }
        app.on_sample(&sample);
    }
    let mut node = node?;
    node.expected = Manifest::parse(MANIFEST).ok().map(Into::into);
    let assessment = Judge::default().assess(&node);
    let object = json::object_with_not_checked(&node, &assessment);
    let broken = law::broken(&object);
    assert!(broken.is_empty(), "{broken:#?}");
    for told in [
        object.to_string(),
        text::report(&node, &assessment),
        nagios::report(&node, &assessment),
        junit::report(&node, &assessment),
    ] {
        assert!(!law::has_control(&told), "control characters in {told:?}");
    }
    let _ = paths::matrix(&node, None, &[]);
    for key in ['1', '\r', '2', '3', '4', '\r', '5', '6', '?', 'm', 'm', 'a'] {
        let code = if key == '\r' { KeyCode::Enter } else { KeyCode::Char(key) };
        app.on_key(KeyEvent::new(code, KeyModifiers::NONE));
        terminal.draw(|frame| app.draw(frame)).unwrap();
        let cells = terminal.backend().buffer().content();
        assert!(cells.iter().all(|c| !c.symbol().chars().any(char::is_control)));
    }
    let _ = app.farewell();
    Some(object.to_string())
}

#[test]
fn a_node_whose_files_are_broken_goes_all_the_way() {
    let dir = tempfile::tempdir().unwrap();
    let files = capture(dir.path());
    let is_text = |f: &&PathBuf| {
        f.extension().is_some_and(|e| {
            ["json", "yaml", "conf", "txt", "nmconnection"].iter().any(|x| e == *x)
        }) || f.components().any(|c| c.as_os_str() == "proc")
    };
    let documents: Vec<&PathBuf> = files.iter().filter(is_text).collect();
    assert!(files.len() > 300 && documents.len() > 40, "{} {}", files.len(), documents.len());
    let whole = all_the_way(dir.path());
    let (mut rounds, mut changed) = (0, 0);
    for seed in seeds(ROUNDS.0) {
        rounds += 1;
        round("capture", seed, |random| {
            let mut saved = Vec::new();
            for _ in 0..=random.below(4) {
                let document = random.below(3) > 0;
                let path = if document {
                    documents[random.below(documents.len())]
                } else {
                    &files[random.below(files.len())]
                };
                let before = fs::read(path).unwrap_or_default();
                let mut bytes = before.clone();
                mutate(random, &mut bytes);
                fs::write(path, bytes).unwrap();
                saved.push((path, before));
            }
            changed += u32::from(all_the_way(dir.path()) != whole);
            for (path, before) in saved.into_iter().rev() {
                fs::write(path, before).unwrap();
            }
        });
    }
    println!("{rounds} rounds, {changed} of them told something else");
    assert!(rounds < 20 || changed * 3 > rounds, "the changes do not reach the program");
}

/// The parsers whose input is one text, each by itself.
#[test]
fn each_parser_takes_whatever_it_is_given() {
    let net = both_up();
    let seeds_of: [&str; 12] =
        [&net, PEERS, STATS, GLOBAL, ROUTES, ROUTING, UDSP, RULES, CONF, CONFIG, MANIFEST, NIS];
    let host = ip2nets::Host::default();
    for seed in seeds(ROUNDS.1) {
        round("parsers", seed, |random| {
            let mut bytes = seeds_of[random.below(seeds_of.len())].as_bytes().to_vec();
            mutate(random, &mut bytes);
            let _ = railtop::read::lnetctl::net_show(&bytes);
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let _ = config::File::parse("fuzz", &text).map(|f| config::Config::of(&[f]));
            let _ = Manifest::parse(&text);
            let lines: Vec<&str> = text.lines().collect();
            let configured = of_lines(&Text::new("/etc/modprobe.d/x.conf"), &lines);
            for setting in [configured.networks(), configured.ip2nets()].into_iter().flatten() {
                assert!(!law::has_control(&setting.value));
            }
            for version in ["2.12.9", "2.14.0", "2.15.8", "2.16.1", "2.17.0"] {
                let context = Context::new(version.parse().unwrap());
                let bare = Rules::Ip2nets(text.clone());
                let outcome = ip2nets::explain(&bare, &host, &context);
                assert!(outcome.nids().iter().all(|nid| !law::has_control(nid)));
            }
            assert!(!law::has_control(&Text::from_bytes(&bytes)));
        });
    }
}
