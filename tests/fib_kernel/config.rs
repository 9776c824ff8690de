//! Random configurations.

use crate::random::Random;
use railtop::sample::Prefix;
use std::collections::HashMap;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(crate) const RAILS: [&str; 4] = ["ib0", "ib1", "ib2", "eth0"];
pub(crate) const TABLES: [u32; 6] = [941, 942, 943, 4_000_000_000, 253, 7];

/// One thing that is done to the namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// Arguments of ip(8).
    Ip(String),
    /// A file below /proc/sys/net and its value.
    Sysctl(String, u8),
    /// The cable of a rail is pulled.
    Cut(usize),
}

/// What the generator makes of one configuration.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) lines: Vec<Line>,
    pub(crate) pool: Pool,
}

/// What questions are made of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pool {
    pub(crate) v6: bool,
    pub(crate) own: Vec<IpAddr>,
    pub(crate) prefixes: Vec<Prefix>,
}

/// The generator of one family.
#[derive(Debug)]
pub(crate) struct Maker<'r> {
    random: &'r mut Random,
    lines: Vec<Line>,
    pool: Pool,
    /// IPv6: with source-specific routes. Where one was deleted, the kernel may no longer find
    /// those that are left (fib6_repair_tree): nothing is deleted then.
    specific: bool,
    objects: Vec<(u32, bool)>,
    /// IPv6: the preference of the routes of one prefix and metric, and whether one has a
    /// gateway.
    equals: HashMap<String, (String, bool)>,
}

impl<'r> Maker<'r> {
    /// A configuration; without `rules`, none is touched.
    pub(crate) fn config(random: &'r mut Random, v6: bool, rules: bool) -> Config {
        let pool = Pool { v6, ..Pool::default() };
        let specific = v6 && random.chance(50);
        let mut maker = Self {
            random,
            lines: Vec::new(),
            pool,
            specific,
            objects: Vec::new(),
            equals: HashMap::new(),
        };
        maker.sysctls();
        maker.addresses();
        maker.objects();
        let routes = 4 + maker.random.below(24);
        let early = maker.random.below(routes);
        (0..early).for_each(|_| maker.route());
        if rules {
            maker.rules();
        }
        maker.troubles();
        (early..routes).for_each(|_| maker.route());
        Config { lines: maker.lines, pool: maker.pool }
    }

    fn ip(&mut self, line: String) {
        self.lines.push(Line::Ip(line));
    }

    fn sysctls(&mut self) {
        let family = if self.pool.v6 { "ipv6" } else { "ipv4" };
        for name in ["all"].iter().chain(&RAILS) {
            if self.random.chance(25) {
                let path = format!("{family}/conf/{name}/ignore_routes_with_linkdown");
                self.lines.push(Line::Sysctl(path, 1));
            }
        }
        if self.pool.v6 && self.random.chance(30) {
            self.lines.push(Line::Sysctl("ipv6/conf/all/forwarding".into(), 1));
        }
        if !self.pool.v6 && self.random.chance(20) {
            self.lines.push(Line::Sysctl("ipv4/fib_multipath_hash_policy".into(), 1));
        }
        if self.random.chance(20) {
            self.lines.push(Line::Sysctl("ipv4/nexthop_compat_mode".into(), 0));
        }
    }

    fn addr(&mut self) -> IpAddr {
        addr(self.random, self.pool.v6)
    }

    fn prefix(&mut self) -> Prefix {
        let lens: &[u8] = if self.pool.v6 {
            &[0, 0, 16, 48, 63, 64, 64, 79, 80, 80, 126, 127, 128]
        } else {
            &[0, 0, 8, 14, 15, 16, 16, 16, 22, 23, 24, 24, 30, 31, 32]
        };
        let known = !self.pool.prefixes.is_empty() && self.random.chance(40);
        let prefix = if known {
            self.random.pick(&self.pool.prefixes)
        } else {
            Prefix { addr: self.addr(), len: self.random.pick(lens) }.network()
        };
        self.pool.prefixes.push(prefix);
        prefix
    }

    fn addresses(&mut self) {
        for rail in RAILS {
            for _ in 0..self.random.below(3) {
                let mut addr = self.addr();
                if self.pool.v6 && self.random.chance(15) {
                    let last = 1 + self.random.below(8);
                    addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, last as u16).into();
                }
                // Which of two equal addresses a multicast leaves by no dump tells.
                if self.pool.own.contains(&addr) {
                    continue;
                }
                let lens: &[u8] = if self.pool.v6 {
                    &[48, 64, 64, 80, 128]
                } else {
                    &[8, 16, 16, 16, 24, 31, 32]
                };
                let len = self.random.pick(lens);
                let mut line = format!("addr add {addr}/{len} dev {rail}");
                if self.pool.v6 {
                    line += " nodad";
                } else if self.random.chance(10) {
                    line += " scope link";
                }
                if self.random.chance(20) {
                    line += " noprefixroute";
                }
                self.ip(line);
                self.pool.own.push(addr);
                self.pool.prefixes.push(Prefix { addr, len }.network());
            }
        }
    }

    fn gateway(&mut self) -> String {
        let n = 1 + self.random.below(5);
        match (self.pool.v6, self.random.below(10)) {
            (true, 0..5) => format!("fe80::9:{n}"),
            (true, _) => format!("fd00:9::{n}"),
            (false, 0) => format!("inet6 fe80::9:{n}"),
            (false, 1) => self.addr().to_string(),
            (false, _) => format!("10.9.0.{n}"),
        }
    }

    fn hop(&mut self, always_via: bool) -> String {
        let rail = self.random.pick(&RAILS);
        if always_via || self.random.chance(40) {
            format!("via {} dev {rail} onlink", self.gateway())
        } else {
            format!("dev {rail}")
        }
    }

    fn objects(&mut self) {
        if self.specific || !self.random.chance(30) {
            return;
        }
        for id in 1..=4 {
            let hop = if self.random.chance(15) { "blackhole".into() } else { self.hop(false) };
            let black = hop == "blackhole";
            self.ip(format!("nexthop add id {id} {hop}"));
            self.objects.push((id, black));
        }
        for id in [10, 11] {
            let first = self.random.below(4);
            let count = 1 + self.random.below(3);
            let members: Vec<_> = (0..count).map(|i| self.objects[(first + i) % 4]).collect();
            if members.iter().all(|(_, black)| !black) || count == 1 {
                let members: Vec<_> = members.iter().map(|(id, _)| id.to_string()).collect();
                self.ip(format!("nexthop add id {id} group {}", members.join("/")));
                self.objects.push((id, false));
            }
        }
    }

    fn route(&mut self) {
        let prefix = self.prefix();
        let verb = self.random.pick(&["add", "append", "append", "append", "prepend", "replace"]);
        let mut kind = "";
        let mut rest = String::new();
        match self.random.below(20) {
            0 => kind = "unreachable ",
            1 => kind = "prohibit ",
            2 => kind = "blackhole ",
            3 => kind = "throw ",
            4 if self.random.chance(40) => {
                kind = "local ";
                rest = " dev lo".into();
            }
            5..=7 if !self.objects.is_empty() => {
                let (id, _) = self.random.pick(&self.objects);
                let _ = write!(rest, " nhid {id}");
            }
            8..=10 => {
                for _ in 0..2 + self.random.below(2) {
                    let hop = self.hop(self.pool.v6);
                    let weight = 1 + self.random.below(4);
                    let _ = write!(rest, " nexthop {hop} weight {weight}");
                }
            }
            _ => {
                let _ = write!(rest, " {}", self.hop(false));
            }
        }
        let mut line = prefix.to_string();
        if self.specific && self.random.chance(30) {
            let _ = write!(line, " from {}", self.prefix());
        }
        if !self.pool.v6 && self.random.chance(20) {
            let _ = write!(line, " tos {}", self.random.pick(&["0x10", "0x08", "0x04"]));
        }
        let metric =
            if self.random.chance(40) { self.random.pick(&[5, 10, 10, 100, 1024]) } else { 0 };
        if metric != 0 {
            let _ = write!(line, " metric {metric}");
        }
        if self.random.chance(60) {
            let _ = write!(line, " table {}", self.random.pick(&TABLES));
        } else if kind == "local " && self.random.chance(60) {
            line += " table local";
        }
        if self.pool.v6 && !self.may_stand(&line.replace(" metric 1024", ""), &rest) {
            return;
        }
        if let Some((pref, _)) = self.equals.get(&line.replace(" metric 1024", "")) {
            line += pref;
        }
        let mut line = format!("route {verb} {kind}{line}");
        if self.random.chance(20) {
            let proto = self.random.pick(&["static", "kernel", "dhcp", "ra", "bird", "77"]);
            let _ = write!(line, " proto {proto}");
        }
        if kind.is_empty() && self.random.chance(20) && !self.pool.own.is_empty() {
            let _ = write!(line, " src {}", self.random.pick(&self.pool.own));
        }
        if self.pool.v6 && self.random.chance(10) {
            line += " expires 6000";
        }
        if kind.is_empty() && self.random.chance(10) {
            let _ = write!(line, " mtu {}1400", self.random.pick(&["", "lock "]));
        }
        // The flags of a nexthop object are its own.
        self.ip(format!("{line}{rest}"));
    }

    /// IPv6 routes with gateways and equal prefix and metric become one multipath route. Its
    /// dump tells the preference of the first only, and skips every route that was made between
    /// two of them: such configurations cannot be known.
    fn may_stand(&mut self, prefix: &str, hops: &str) -> bool {
        let pref = if self.random.chance(30) {
            format!(" pref {}", self.random.pick(&["low", "medium", "high"]))
        } else {
            String::new()
        };
        let by_gateway = hops.contains(" via ");
        let (_, gateway) = self.equals.entry(prefix.into()).or_insert((pref, by_gateway));
        let stands = by_gateway || !*gateway;
        *gateway |= by_gateway;
        stands
    }

    fn rules(&mut self) {
        if self.random.chance(15) {
            self.ip("rule add pref 25 lookup local".into());
            self.ip("rule del pref 0".into());
        }
        if self.random.chance(8) {
            self.ip("rule del pref 32766".into());
        }
        for _ in 0..self.random.below(12) {
            self.rule();
        }
    }

    fn rule(&mut self) {
        let prefs = [1, 10, 20, 20, 30, 40, 50, 9410, 32765, 32766, 32767, 40000];
        let pref = self.random.pick(&prefs);
        let mut line = format!("rule add pref {pref}");
        if self.random.chance(12) {
            line += " not";
        }
        if self.random.chance(50) {
            let from = if self.random.chance(60) && !self.pool.own.is_empty() {
                self.random.pick(&self.pool.own).to_string()
            } else {
                self.prefix().to_string()
            };
            let _ = write!(line, " from {from}");
        }
        if self.random.chance(20) {
            let _ = write!(line, " to {}", self.prefix());
        }
        let devices = ["lo", "lo", "ib0", "ib1", "nosuch0"];
        if self.random.chance(12) {
            let _ = write!(line, " iif {}", self.random.pick(&devices));
        }
        if self.random.chance(12) {
            let _ = write!(line, " oif {}", self.random.pick(&devices));
        }
        if self.random.chance(15) {
            let _ = write!(line, " fwmark {}", self.random.pick(&["1", "0x10/0xf0", "0/1", "7"]));
        }
        if self.random.chance(12) {
            let _ = write!(line, " tos {}", self.random.pick(&["0x10", "0x08", "0x04"]));
        }
        if self.random.chance(12) {
            let _ = write!(line, " uidrange {}", self.random.pick(&["0-0", "1000-2000", "1-999"]));
        }
        if self.random.chance(15) {
            let _ = write!(line, " ipproto {}", self.random.pick(&["tcp", "udp", "99"]));
        }
        if self.random.chance(8) {
            let _ = write!(line, " sport {}", self.random.pick(&["5", "1-1023"]));
        }
        if self.random.chance(8) {
            let _ = write!(line, " dport {}", self.random.pick(&["4791", "988-1023"]));
        }
        match self.random.below(24) {
            0 => line += " prohibit",
            1 => line += " blackhole",
            2 => line += " unreachable",
            3 => line += " nop",
            4 | 5 => {
                let target = self.random.pick(&prefs);
                let _ = write!(line, " goto {target}");
            }
            6 => line += " l3mdev",
            _ => {
                let table = if self.random.chance(30) { 254 } else { self.random.pick(&TABLES) };
                let _ = write!(line, " lookup {table}");
                // IPv6 routes by one object share what the kernel keeps of a route, so it may
                // compare the prefix length of another one.
                let shared = self.pool.v6 && !self.objects.is_empty();
                if !shared && self.random.chance(15) {
                    let len = self.random.pick(&[0, 8, 15, 16, 64]);
                    let _ = write!(line, " suppress_prefixlength {len}");
                }
                if self.random.chance(5) {
                    let _ = write!(line, " suppress_ifgroup {}", self.random.pick(&[0, 3]));
                }
            }
        }
        if self.random.chance(10) {
            line += " proto static";
        }
        self.ip(line);
    }

    fn troubles(&mut self) {
        for (i, rail) in RAILS.iter().enumerate() {
            if self.random.chance(15) {
                self.lines.push(Line::Cut(i));
            }
            if !self.specific && self.random.chance(10) {
                self.ip(format!("link set {rail} down"));
                if self.random.chance(60) {
                    self.ip(format!("link set {rail} up"));
                }
            }
        }
        if self.pool.v6 && self.random.chance(30) {
            for _ in 0..3 {
                let rail = self.random.pick(&RAILS);
                let n = 1 + self.random.below(5);
                let gateway = self.random.pick(&[format!("fe80::9:{n}"), format!("fd00:9::{n}")]);
                self.ip(format!("neigh add {gateway} dev {rail} nud failed"));
            }
        }
    }
}

/// An address of the small universe in which everything happens.
pub(crate) fn addr(random: &mut Random, v6: bool) -> IpAddr {
    let (a, b, c) = (1 + random.below(3), random.below(4), random.below(8));
    if v6 {
        Ipv6Addr::new(0xfd00, 0, 0, a as u16, b as u16, 0, 0, c as u16).into()
    } else {
        Ipv4Addr::new(10, a as u8, b as u8, c as u8).into()
    }
}
