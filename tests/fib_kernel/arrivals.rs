//! Who answers ARP and which packets get in: real frames on two rails of one subnet.

use crate::lab::{DEADLINE, State, batch};
use crate::random::Random;
use crate::support::ns::Ns;
use crate::tap::{Tap, arp_answered, arp_request, udp};
use railtop::fib::{ArpAnswer, Fib, ReversePath};
use railtop::read::rtnl::{self, NoRoute, Rtnl};
use railtop::sample::RouteKind;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::net::{Ipv4Addr, UdpSocket};

const RAILS: [&str; 3] = ["ib0", "ib1", "ib2"];
const WANTED: [[u8; 4]; 6] = [
    [172, 16, 34, 1],
    [172, 16, 34, 2],
    [172, 16, 34, 22],
    [10, 255, 0, 1],
    [10, 77, 1, 1],
    [172, 16, 99, 99],
];
const PEERS: [[u8; 4]; 6] = [
    [172, 16, 16, 1],
    [10, 9, 9, 9],
    [192, 168, 7, 7],
    [172, 16, 34, 1],
    [172, 16, 34, 2],
    [0, 0, 0, 0],
];
/// What may be set up beside the addresses; ib2 has none.
const SETUPS: [&[&str]; 10] = [
    &[],
    &[
        "route add 172.16.0.0/16 dev ib0 src 172.16.34.1 table 941",
        "route add 172.16.0.0/16 dev ib1 src 172.16.34.2 table 942",
        "rule add pref 9410 from 172.16.34.1 lookup 941",
        "rule add pref 9420 from 172.16.34.2 lookup 942",
    ],
    &[
        "route add 172.16.0.0/16 dev ib1 src 172.16.34.2 table 942",
        "rule add pref 9420 from 172.16.34.2 lookup 942",
        "rule add pref 9430 from 172.16.34.1 lookup 943",
    ],
    &[
        "route add 172.16.0.0/16 dev ib1 table 942",
        "rule add pref 9420 from 172.16.34.2 lookup 942",
        "route del 172.16.0.0/16 dev ib0",
        "route del 172.16.0.0/16 dev ib1",
    ],
    &["rule add pref 25 lookup local", "rule add pref 10 iif ib1 prohibit", "rule del pref 0"],
    &[
        "rule add pref 25 lookup local",
        "rule add pref 10 to 172.16.34.2 iif ib0 unreachable",
        "rule del pref 0",
        "rule add pref 40 iif lo lookup 942",
        "route add 172.16.0.0/16 dev ib1 table 942",
    ],
    &["route add blackhole 172.16.16.0/24", "route add 10.9.0.0/16 via 172.16.16.9 dev ib1"],
    &[
        "route replace default nexthop via 172.16.16.9 dev ib0 nexthop via 172.16.16.9 dev ib1",
        "rule add pref 50 not from 172.16.34.2 lookup 942",
        "route add throw 172.16.16.0/24 table 942",
        "route add 172.16.0.0/16 dev ib1 table 942",
    ],
    &["route add default via 172.16.16.9 dev ib1", "rule add pref 60 fwmark 1 prohibit"],
    &["route add 10.9.0.0/16 dev ib2", "route add unreachable default metric 9999"],
];

/// The rails, what they heard, and what got in.
struct Post {
    ns: Ns,
    taps: Vec<Tap>,
    socket: UdpSocket,
    rtnl: Rtnl,
    number: u32,
    /// Requests and packets by number, with the model's word and a description.
    asked: BTreeMap<u32, (bool, String)>,
    seen: BTreeSet<u32>,
}

pub(crate) fn compare(configs: usize, seed: u64) {
    println!("RAILTOP_FIB_SEED={seed}");
    let mut random = Random::new(seed);
    let mut post = Post::new();
    let (mut oracle, mut passed) = (0, 0);
    for number in 0..configs {
        let setup = if number < 6 { &[][..] } else { random.pick(&SETUPS) };
        let sysctls = sysctls(&mut random);
        post.set_up(setup, &sysctls);
        let state = post.read();
        let fib = state.fib();
        let told = format!("{sysctls:?} {setup:?}");
        for (rail, name) in RAILS.iter().enumerate() {
            let device = state.index(name);
            for wanted in WANTED {
                for peer in PEERS {
                    post.arp(rail, &fib, device, wanted, peer, &told);
                    if peer != [0, 0, 0, 0] {
                        passed += usize::from(post.packet(rail, &fib, &state, wanted, peer, &told));
                        oracle += 1;
                        post.rdma_cm(&fib, device, wanted, peer, &told);
                    }
                }
            }
        }
        post.judge();
        post.undo(setup);
    }
    post.judge_the_silent();
    let answered = post.asked.iter().filter(|(_, (told, _))| *told).count();
    println!(
        "{} frames, {answered} of them answered or let in; {oracle} asked of RTM_GETROUTE too, \
         {passed} let in",
        post.asked.len()
    );
}

/// Values of the sysctls, by path.
fn sysctls(random: &mut Random) -> Vec<(String, u8)> {
    let mut all = Vec::new();
    for name in ["all", "ib0", "ib1", "ib2"] {
        for (file, values) in [
            ("rp_filter", &[0, 1, 2][..]),
            ("arp_ignore", &[0, 0, 0, 1, 2, 3, 8]),
            ("arp_filter", &[0, 0, 0, 1]),
            ("accept_local", &[0, 0, 0, 1]),
        ] {
            // What `all` says counts everywhere.
            let quiet = name == "all" && random.chance(60);
            let value = if quiet { 0 } else { random.pick(values) };
            all.push((format!("{name}/{file}"), value));
        }
    }
    all
}

impl Post {
    fn new() -> Self {
        let ns = Ns::new();
        let taps = RAILS.iter().map(|name| Tap::new(&ns, name)).collect();
        batch(
            &ns.name,
            "-4",
            "addr add 172.16.34.1/16 dev ib0\naddr add 172.16.34.2/16 dev ib1\n\
             addr add 172.16.34.22/32 dev ib1\naddr add 10.255.0.1/32 dev lo scope host\n\
             route add local 10.77.0.0/16 dev lo table local\n",
        );
        let (socket, rtnl) = ns.inside(|| {
            let socket = UdpSocket::bind("0.0.0.0:5000").expect("a socket");
            (socket, Rtnl::start(|_| {}).expect("netlink"))
        });
        socket.set_nonblocking(true).expect("nonblocking");
        let (asked, seen) = (BTreeMap::new(), BTreeSet::new());
        Self { ns, taps, socket, rtnl, number: 0, asked, seen }
    }

    fn set_up(&self, setup: &[&str], sysctls: &[(String, u8)]) {
        batch(&self.ns.name, "-4", &(setup.join("\n") + "\n"));
        self.ns.inside(|| {
            for (path, value) in sysctls {
                let path = format!("/proc/sys/net/ipv4/conf/{path}");
                fs::write(path, value.to_string()).expect("sysctl");
            }
        });
    }

    fn undo(&self, setup: &[&str]) {
        let mut lines = String::new();
        if setup.iter().any(|line| line.starts_with("rule")) {
            lines += "rule add pref 0 lookup local\nrule flush\nrule add pref 32766 lookup main\n\
                      rule add pref 32767 lookup default\n";
        }
        for table in ["941", "942", "main"] {
            let _ = writeln!(lines, "route flush table {table}");
        }
        for (rail, own) in [("ib0", "172.16.34.1"), ("ib1", "172.16.34.2")] {
            let _ = writeln!(
                lines,
                "route append 172.16.0.0/16 dev {rail} proto kernel scope link src {own}"
            );
        }
        batch(&self.ns.name, "-4", &lines);
    }

    fn read(&self) -> State {
        State::read(&self.ns, &self.rtnl)
    }

    fn next(&mut self, told: bool, what: String) -> u32 {
        self.number += 1;
        self.asked.insert(self.number, (told, what));
        self.number
    }

    fn arp(
        &mut self,
        rail: usize,
        fib: &Fib<'_>,
        device: u32,
        wanted: [u8; 4],
        asker: [u8; 4],
        setup: &str,
    ) {
        let (to, from) = (Ipv4Addr::from(wanted), Ipv4Addr::from(asker));
        let answer = fib.arp_answer(device, to.into(), from.into());
        let what = format!("ARP on {}: who has {to}, tell {from}: {answer:?} {setup}", RAILS[rail]);
        assert_ne!(answer, ArpAnswer::Unknown, "{what}");
        if answer == ArpAnswer::MayAnswer {
            return;
        }
        let number = self.next(answer == ArpAnswer::Answers, what);
        self.taps[rail].receive(&arp_request(number, wanted, asker));
    }

    /// Sends a packet; does the model say that it gets in?
    fn packet(
        &mut self,
        rail: usize,
        fib: &Fib<'_>,
        state: &State,
        dst: [u8; 4],
        src: [u8; 4],
        setup: &str,
    ) -> bool {
        let (to, from) = (Ipv4Addr::from(dst), Ipv4Addr::from(src));
        let device = state.index(RAILS[rail]);
        let verdict = fib.reverse_path(from.into(), to.into(), device);
        let what = format!("packet on {}: {from} to {to}: {verdict:?} {setup}", RAILS[rail]);
        let passes = verdict == ReversePath::Pass;
        let query =
            rtnl::Query { src: Some(from.into()), iif: Some(device), ..rtnl::Query::to(to.into()) };
        let kernel = match self.rtnl.route_get(&query, DEADLINE) {
            Ok(answer) => answer.kind == RouteKind::Local,
            Err(NoRoute::Refused(_)) => false,
            Err(NoRoute::Unknown(why)) => panic!("{why}"),
        };
        assert_eq!(passes, kernel, "RTM_GETROUTE of {what}");
        let number = self.next(passes, what);
        let frame = udp(state.hardware(RAILS[rail]), number, src, dst, 5000);
        self.taps[rail].receive(&frame);
        passes
    }

    /// RTM_F_FIB_MATCH makes RDMA CM's lookup, but for its empty input device.
    fn rdma_cm(&self, fib: &Fib<'_>, device: u32, own: [u8; 4], peer: [u8; 4], setup: &str) {
        let (own, peer) = (Ipv4Addr::from(own), Ipv4Addr::from(peer));
        if setup.contains("iif lo") || !fib.is_local(own.into()) {
            return;
        }
        let query = rtnl::Query {
            src: Some(own.into()),
            oif: Some(device),
            fib_match: true,
            ..rtnl::Query::to(peer.into())
        };
        // The answer is the whole entry: of a multipath route it names the first hop.
        let kernel = self.rtnl.route_get(&query, DEADLINE).is_ok();
        let model = fib.rdma_cm_accepts(device, own.into(), peer.into(), true);
        assert_eq!(model, kernel, "RDMA CM on {device}: {peer} to {own} {setup}");
    }

    /// Waits for all that is expected.
    fn judge(&mut self) {
        let awaited: Vec<u32> =
            self.asked.iter().filter(|(_, (told, _))| *told).map(|(n, _)| *n).collect();
        let late = std::time::Instant::now() + DEADLINE;
        while let Some(missing) = awaited.iter().find(|number| !self.seen.contains(number)) {
            self.collect();
            let (_, what) = &self.asked[missing];
            assert!(std::time::Instant::now() < late, "nothing came of: {what}");
        }
        self.collect();
        self.judge_the_silent();
    }

    fn judge_the_silent(&self) {
        for number in &self.seen {
            let (told, what) = &self.asked[number];
            assert!(told, "the kernel answered or let in: {what}");
        }
    }

    fn collect(&mut self) {
        for tap in &self.taps {
            while let Some(frame) = tap.sent() {
                self.seen.extend(arp_answered(&frame));
            }
        }
        let mut payload = [0; 64];
        while let Ok((4, _)) = self.socket.recv_from(&mut payload) {
            let [a, b, c, d, ..] = payload;
            self.seen.insert(u32::from_be_bytes([a, b, c, d]));
        }
    }
}
