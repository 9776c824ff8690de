//! Captures by somebody who means harm, or by a broken disk: no panic, no escape, an answer.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be made is a failed test")]

mod support;

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use support::pty::Pty;
use support::shots::{Shots, from, rails};
use support::tree::{MLX5_HW, Nic, PMA, Port, Tree};
use support::{law, railtop};

const HDR: &str = "200 Gb/sec (4X HDR)";
/// What a terminal would act on: its title, its screen, its colours, 8-bit CSI, a bell.
const EVIL: &str = "\x1b]0;PWNED\x07\x1b[2J\x1b[31mPWNED\u{9b}2J\x07\r\u{202e}PWNED";

fn node(tree: &Tree, number: u32) {
    for rail in 0..3 {
        let pci = tree.pci(&format!("0000:{:02x}", 0x10 + rail), 0, "16.0 GT/s PCIe", "16");
        let hca = tree.hca(&format!("mlx5_{rail}"), Some(&pci));
        let path = tree.port(&hca, 1, &Port::active(HDR));
        tree.counters(&path, "counters", &PMA, 1000 + u64::from(number) * 1000);
        tree.counters(&path, "hw_counters", &MLX5_HW, 1000);
        tree.netdev(&format!("ib{rail}"), Some(&pci), Nic::ipoib(2 + rail));
    }
    tree.file("proc/sys/kernel/hostname", "node7\n");
    tree.file("proc/sys/kernel/osrelease", "6.12.0\n");
    tree.file("proc/loadavg", "0.10 0.20 0.30 1/200 4242\n");
    tree.file("proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 500 kB\n");
    tree.file("proc/stat", "cpu 1 2 3\nbtime 1700000000\n");
    tree.file("proc/sys/net/ipv4/conf/ib0/rp_filter", "1\n");
    tree.dir("sys/module/lnet");
    tree.file("etc/iproute2/rt_tables", "254 main\n100 rail0\n");
    for (name, text) in IP {
        tree.file(name, text);
    }
    tree.file("lnetctl-net-show.yaml", LNET);
    tree.file("lnetctl-version.txt", "lnetctl 2.15.8\n");
}

const IP: [(&str, &str); 8] = [
    (
        "ip-addr.json",
        r#"[{"ifindex":2,"ifname":"ib0","flags":["UP","LOWER_UP"],"mtu":2044,"operstate":"UP","link_type":"infiniband","ifalias":"rail","addr_info":[{"family":"inet","local":"10.1.3.1","prefixlen":24,"scope":"global","label":"ib0"}]}]"#,
    ),
    (
        "ip-link.json",
        r#"[{"ifindex":2,"ifname":"ib0","flags":["UP","LOWER_UP"],"mtu":2044,"operstate":"UP","link_type":"infiniband","address":"00:00:10:8b:fe:80:00:00:00:00:00:00:a0:88:c2:03:00:74:cf:da"}]"#,
    ),
    (
        "ip-rule.json",
        r#"[{"priority":0,"src":"all","table":"local"},{"priority":100,"src":"10.1.3.1","table":"rail0"}]"#,
    ),
    ("ip-rule6.json", r#"[{"priority":0,"src":"all","table":"local"}]"#),
    (
        "ip-route.json",
        r#"[{"type":"unicast","dst":"10.1.3.0/24","dev":"ib0","table":"rail0","protocol":"kernel","scope":"link","prefsrc":"10.1.3.1","flags":[]}]"#,
    ),
    (
        "ip-route6.json",
        r#"[{"type":"unicast","dst":"fe80::/64","dev":"ib0","protocol":"kernel","metric":256,"flags":[]}]"#,
    ),
    (
        "ip-neigh.json",
        r#"[{"dst":"10.1.3.9","dev":"ib0","lladdr":"00:11:22:33:44:55","state":["REACHABLE"]}]"#,
    ),
    (
        "ip-nexthop.json",
        r#"[{"id":1,"gateway":"10.1.3.254","dev":"ib0","scope":"link","flags":[]}]"#,
    ),
];

const LNET: &str = "\
net:
    - net type: o2ib
      local NI(s):
        - nid: 10.1.3.1@o2ib
          status: up
          interfaces:
              0: ib0
          statistics:
              send_count: 10
              recv_count: 10
              drop_count: 0
          health stats:
              fatal_error: 0
              health value: 1000
          tunables:
              credits: 256
              peer_credits: 32
          dev cpt: -1
          CPT: \"[0,1]\"
";

/// Every regular file below a directory but the times of the samples, in a stable order.
fn files(below: &Path) -> Vec<PathBuf> {
    let (mut found, mut todo) = (Vec::new(), vec![below.to_owned()]);
    while let Some(dir) = todo.pop() {
        for entry in fs::read_dir(dir).unwrap().flatten() {
            match entry.file_type().unwrap() {
                kind if kind.is_dir() => todo.push(entry.path()),
                kind if kind.is_file() && entry.file_name() != "meta.json" => {
                    found.push(entry.path());
                }
                _ => {}
            }
        }
    }
    found.sort();
    found
}

/// splitmix64 (Steele, Lea, Flood 2014): the same garbage in every run.
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

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }
}

/// Random bytes; a piece of what was there; what was there with some bytes changed; a number.
fn garble(random: &mut Random, bytes: &[u8]) -> Vec<u8> {
    match random.below(6) {
        0 => {
            let length = random.below(300);
            random.bytes(length)
        }
        1 => bytes[..random.below(bytes.len())].to_vec(),
        2 => [bytes, bytes, &random.bytes(8)].concat(),
        3 => random.next().to_string().into_bytes(),
        4 => (random.next().cast_signed() >> 1).to_string().into_bytes(),
        _ => {
            let mut changed = bytes.to_vec();
            for _ in 0..=random.below(4) {
                if let Some(byte) = changed.len().checked_sub(1).map(|l| random.below(l + 1)) {
                    changed[byte] = random.next() as u8;
                }
            }
            changed
        }
    }
}

#[test]
fn garbage_in_every_file() {
    for seed in 0..25 {
        let mut random = Random(seed);
        let shots = Shots::new(3, node);
        for file in files(shots.path()) {
            // With every third seed all files, else some of them.
            if seed % 3 == 0 || random.below(4) == 0 {
                let garbage = garble(&mut random, &fs::read(&file).unwrap());
                fs::write(&file, garbage).unwrap();
            }
        }
        let objects = shots.objects();
        assert_eq!(objects.len(), 3, "seed {seed}");
        let text = from(shots.path(), &["stream", "--text"]);
        assert_eq!(text.status.code(), Some(0), "seed {seed}");
        let lines = String::from_utf8(text.stdout).unwrap();
        assert!(!law::has_control(&lines.replace('\t', " ")), "seed {seed}");
    }
}

#[test]
fn garbage_for_times() {
    for (seed, meta) in [
        "",
        "{",
        "[]",
        "null",
        r#"{"time": 7, "monotonic_seconds": -1e308}"#,
        "\0\0",
        "{\"time\":\"9999999-01-01T00:00:00Z\",\"uid\":-4,\"host\":[]}",
    ]
    .iter()
    .enumerate()
    {
        let shots = Shots::new(3, node);
        for number in 0..3 {
            fs::write(shots.sample(number).join("meta.json"), meta).unwrap();
        }
        fs::write(shots.path().join("meta.json"), Random(seed as u64).bytes(100)).unwrap();
        let objects = shots.objects();
        assert_eq!(objects.len(), 3, "{meta}");
        assert_eq!(objects[2]["interval_seconds"], 1.0, "{meta}");
    }
}

/// A capture that tries to take over the terminal from every text it holds.
fn attack() -> Shots {
    Shots::new(2, |tree, number| {
        node(tree, number);
        let hca = "sys/class/infiniband/mlx5_0";
        for file in
            ["node_desc", "fw_ver", "board_id", "hca_type", "hw_rev", "node_guid", "node_type"]
        {
            tree.file(format!("{hca}/{file}"), &format!("{EVIL}\n"));
        }
        for (file, start) in
            [("state", "1: "), ("phys_state", "2: "), ("rate", ""), ("link_layer", "")]
        {
            tree.file(
                format!("sys/class/infiniband/mlx5_1/ports/1/{file}"),
                &format!("{start}{EVIL}\n"),
            );
        }
        for file in ["ifalias", "operstate", "address", "mode", "pkey"] {
            tree.file(format!("sys/class/net/ib2/{file}"), &format!("{EVIL}\n"));
        }
        let port = "sys/class/infiniband/mlx5_2/ports/1";
        tree.file(format!("{port}/counters/{EVIL}"), "5\n");
        tree.file(format!("{port}/counters/link_downed"), &format!("{EVIL}\n"));
        // Names of directories, an interface and a device.
        let pci = tree.pci("0000:40", 0, "16.0 GT/s PCIe", "16");
        let device = tree.hca(EVIL, Some(&pci));
        tree.port(&device, 1, &Port::down());
        let evil =
            tree.netdev(&format!("ib{EVIL}"), Some(&pci), Nic { up: false, ..Nic::ipoib(77) });
        tree.link(format!("{evil}/master"), format!("../{EVIL}"));
        tree.driver(&pci, EVIL);
        let quoted = serde_json::to_string(EVIL).unwrap();
        for (name, text) in IP {
            let inner = quoted.trim_matches('"');
            tree.file(
                name,
                &text
                    .replace("rail0", inner)
                    .replace("\"rail\"", &quoted)
                    .replace("REACHABLE", inner),
            );
        }
        let yaml = format!(
            "\"{}\"",
            EVIL.escape_default()
                .to_string()
                .replace("\\u{9b}", "\\x9b")
                .replace("\\u{1b}", "\\x1b")
                .replace("\\u{7}", "\\x07")
                .replace("\\u{202e}", "\\u202e")
        );
        tree.file(
            "lnetctl-net-show.yaml",
            &LNET
                .replace("10.1.3.1@o2ib", &yaml)
                .replace("\"[0,1]\"", &yaml)
                .replace("status: up", &format!("status: {yaml}")),
        );
        tree.file("proc/sys/kernel/hostname", &format!("{EVIL}\n"));
        tree.file("etc/iproute2/rt_tables", &format!("100 {EVIL}\n"));
        tree.file(
            "meta.json",
            &format!("{{\"monotonic_seconds\": {}, \"kernel\": {quoted}}}", 100 + number),
        );
    })
}

#[test]
fn hostile_texts_reach_no_pipe() {
    let shots = attack();
    let objects = shots.objects();
    let last: &Value = objects.last().unwrap();
    assert_eq!(rails(last).len(), 4, "{:?}", rails(last));
    let text = last.to_string();
    assert!(text.contains("PWNED"), "shown, written out");
    assert!(text.contains("\\\\x1b]0;PWNED"), "{}", &text[..2000]);
    for args in [&["stream", "--text"][..], &["stream", "--rail", EVIL]] {
        let out = from(shots.path(), args);
        let both = [out.stdout, out.stderr].concat();
        let both = String::from_utf8(both).unwrap().replace('\t', " ");
        assert!(!law::has_control(&both), "{args:?}: {both:?}");
    }
}

#[test]
fn hostile_texts_reach_no_terminal() {
    let shots = attack();
    let path = shots.path().to_str().unwrap();
    let mut pty = Pty::spawn(&railtop(), &["--from", path], 200, 50);
    pty.wait_text("PWNED", Duration::from_secs(10));
    for view in ["2", "3", "4", "5", "6", "1"] {
        let before = pty.seen().raw.len();
        pty.keys(view);
        support::wait_for("another view", Duration::from_secs(5), || {
            (pty.seen().raw.len() > before).then_some(())
        });
    }
    for key in ["\r", "j", "j", "\r", "?"] {
        pty.keys(key);
    }
    pty.keys("q");
    assert_eq!(pty.wait_exit(Duration::from_secs(5)), 0);
    let raw = pty.seen().raw.clone();
    for injected in [
        &b"\x1b]0;"[..],
        b"\x1b[2JPWNED",
        b"\x1b[2J\x1b[31m",
        b"\x1b[31mPWNED",
        b"\x07",
        "\u{9b}".as_bytes(),
        "\u{202e}".as_bytes(),
    ] {
        let at = raw.windows(injected.len()).position(|w| w == injected);
        assert!(at.is_none(), "{:?} at {at:?}", String::from_utf8_lossy(injected));
    }
}

#[test]
fn a_file_name_of_the_capture_itself() {
    let dir = support::tree::scratch();
    let path = dir.path().join(EVIL.replace('/', ""));
    let out = from(&path, &["stream"]);
    assert_eq!(out.status.code(), Some(64));
    let told = String::from_utf8(out.stderr).unwrap();
    assert_eq!(told.lines().count(), 1, "{told:?}");
    assert!(!law::has_control(&told), "{told:?}");
}

#[test]
fn a_thousand_devices_and_interfaces() {
    let shots = Shots::new(1, |tree, _| {
        for number in 0..400 {
            tree.dir(format!("sys/devices/virtual/infiniband/x{number}/ports/1"));
            tree.link(
                format!("sys/class/infiniband/x{number}"),
                format!("../../devices/virtual/infiniband/x{number}"),
            );
            tree.dir(format!("sys/devices/virtual/net/v{number}"));
            tree.link(
                format!("sys/class/net/v{number}"),
                format!("../../devices/virtual/net/v{number}"),
            );
        }
    });
    let object = shots.objects().pop().unwrap();
    assert_eq!(object["verdict"], "unknown");
}
