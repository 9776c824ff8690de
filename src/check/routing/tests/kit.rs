//! A node from lines in the words of iproute2.

mod blank;
mod lnet;
mod policy;

pub(super) use blank::sysctls;

use blank::route;
use lnet::Lnet;

use crate::check::{Assessment, Severity, assess};
use crate::node::{Node, Settings, SourceKind};
use crate::sample::{
    Address, Family, Link, LinkFlags, Neighbour, NextHopFlags, NextHopGroupMember, NextHopObject,
    Prefix, Route, RouteKind, Routing, Rule, Sample,
};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

const UP: u32 = 0x1_1043;
const NO_CARRIER: u32 = 0x1003;
const NO_ARP: u32 = 0x80;

/// The state under construction.
pub(super) struct Net {
    pub links: Vec<Link>,
    pub routing: Routing,
    pub sysctls: BTreeMap<String, BTreeMap<String, i64>>,
    pub forward: bool,
    pub include: Vec<String>,
    lnet: Lnet,
    peers: Vec<IpAddr>,
    host: String,
}

/// A node of these lines:
///
/// ```text
/// link ib0 [ether|infiniband|vrf TABLE|kind K|slave K] [mtu N] [down|nocarrier] [noarp] [master D] [pkey N] [mode M] [lladdr L]
/// addr ib0 172.16.34.1/16 [noroute] [metric N] [flags N]     (makes the link, local and connected route)
/// rule PREF [not] [from X] [to X] [iif D] [oif D] [fwmark M/M] … lookup T|goto N|prohibit|l3mdev
/// rule6 PREF …                                               (the built-in ones are there)
/// route [unreachable|…] DST [via G] [dev D] [table T] [src X] [metric N] [mtu N] [linkdown] [proto N] [nexthop dev D …]
/// sysctl IF key=value …
/// neigh X dev D lladdr L [state N]
/// nh ID dev D | nh ID group A/B
/// table ID NAME
/// lnet | ni NID IF                                           (lnet: an o2ib NI for each address of ib*)
/// peer NID …                                                 (a peer of LNet, its primary NID first)
/// lroute NET GATEWAY                                         (a route of LNet)
/// named X …                                                  (the user names a peer)
/// host NAME | forward | norules | rails GLOB …
/// ```
pub(super) fn node(lines: &str) -> Node {
    let net = net(lines);
    let settings =
        Settings { include: net.include.clone(), peers: net.peers.clone(), ..Settings::default() };
    Node::new(settings, SourceKind::Demo, &net.sample())
}

/// Ids with the rail, as `ID:rail` where it is one.
pub(super) fn ids(assessment: &Assessment) -> Vec<String> {
    let mut ids: Vec<String> = assessment
        .findings
        .iter()
        .map(|f| match f.rails.as_slice() {
            [one] => format!("{}:{one}", f.id),
            _ => f.id.to_owned(),
        })
        .collect();
    ids.sort();
    ids
}

/// The roots alone, with severities.
pub(super) fn roots(lines: &str) -> Vec<String> {
    let assessment = assess(&node(lines));
    let roots = assessment.findings.iter().filter(|f| f.caused_by.is_none());
    let mut roots: Vec<String> = roots
        .map(|f| {
            let severity = match f.severity {
                Severity::Note => "note",
                Severity::Warning => "warning",
                Severity::Critical => "critical",
            };
            format!("{} {severity} {}", f.id, f.rails.join(" "))
        })
        .collect();
    roots.sort();
    roots
}

pub(super) fn net(lines: &str) -> Net {
    let mut net = Net::new();
    for line in lines.lines().map(str::trim).filter(|l| !l.is_empty()) {
        net.line(line);
    }
    net
}

fn prefix(text: &str, v6: bool) -> Prefix {
    if text == "default" || text == "all" {
        let addr: IpAddr = if v6 { "::".parse() } else { "0.0.0.0".parse() }.unwrap();
        return Prefix { addr, len: 0 };
    }
    let (addr, len) = text.split_once('/').unwrap_or((text, ""));
    let addr: IpAddr = addr.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
    let full = if addr.is_ipv4() { 32 } else { 128 };
    Prefix { addr, len: if len.is_empty() { full } else { len.parse().unwrap() } }
}

fn table(word: &str) -> u32 {
    match word {
        "local" => 255,
        "main" => 254,
        "default" => 253,
        number => number.parse().unwrap(),
    }
}

fn number(word: &str) -> u32 {
    word.strip_prefix("0x").map_or_else(|| word.parse(), |h| u32::from_str_radix(h, 16)).unwrap()
}

impl Net {
    fn new() -> Self {
        let builtin = |preference, table| Rule { protocol: 2, ..Rule::lookup(preference, table) };
        let mut net = Self {
            links: Vec::new(),
            routing: Routing {
                rules4: Ok(vec![builtin(0, 255), builtin(32766, 254), builtin(32767, 253)]),
                rules6: Ok(vec![builtin(0, 255), builtin(32766, 254)]),
                ..Routing::empty(crate::sample::Mono::default())
            },
            sysctls: BTreeMap::new(),
            forward: false,
            include: vec!["ib*".into()],
            lnet: Lnet::default(),
            peers: Vec::new(),
            host: "here".into(),
        };
        net.line("link lo kind loopback");
        net.links[0].flags = LinkFlags(0x1_0049);
        net.sysctls.insert("all".into(), BTreeMap::new());
        net
    }

    fn line(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[0] {
            "link" => self.link(&words[1..]),
            "addr" => self.addr(&words[1..]),
            "rule" => self.rule(&words[1..], Family::Inet),
            "rule6" => self.rule(&words[1..], Family::Inet6),
            "route" => self.route(&words[1..]),
            "sysctl" => {
                let values = self.sysctls.entry(words[1].into()).or_default();
                for word in &words[2..] {
                    let (key, value) = word.split_once('=').unwrap();
                    values.insert(key.into(), value.parse().unwrap());
                }
            }
            "neigh" => {
                let neighbour = Neighbour {
                    dst: words[1].parse().unwrap(),
                    ifindex: self.index(words[3]),
                    lladdr: Some(words[5].into()),
                    state: words.get(7).map_or(0x02, |w| number(w) as u16),
                    router: false,
                };
                self.routing.neighbours.as_mut().unwrap().push(neighbour);
            }
            "nh" => {
                let mut object = NextHopObject {
                    id: number(words[1]),
                    ifindex: None,
                    gateway: None,
                    blackhole: false,
                    group: Vec::new(),
                    flags: NextHopFlags::default(),
                };
                if words[2] == "dev" {
                    object.ifindex = Some(self.index(words[3]));
                } else {
                    let member = |id| NextHopGroupMember { id: number(id), weight: 1 };
                    object.group = words[3].split('/').map(member).collect();
                }
                self.routing.nexthops.as_mut().unwrap().push(object);
            }
            "table" => self.routing.table_names.push((number(words[1]), words[2].into())),
            "forward" => self.forward = true,
            "lnet" => self.lnet.of_rails = true,
            "ni" => self.lnet.nis.push((words[1].into(), words[2].into())),
            "peer" => self.lnet.peers.push(words[1..].iter().map(|w| (*w).to_owned()).collect()),
            "lroute" => self.lnet.routes.push((words[1].into(), words[2].into())),
            "named" => self.peers.extend(words[1..].iter().map(|w| w.parse::<IpAddr>().unwrap())),
            "host" => self.host = words[1].into(),
            "norules" => {
                self.routing.rules4 = Ok(Vec::new());
                self.routing.rules6 = Ok(Vec::new());
            }
            "rails" => self.include = words[1..].iter().map(|w| (*w).to_owned()).collect(),
            other => panic!("{other}?"),
        }
    }

    fn index(&mut self, name: &str) -> u32 {
        if !self.links.iter().any(|l| l.name == name) {
            self.link(&[name]);
        }
        self.links.iter().find(|l| l.name == name).unwrap().index
    }

    fn link(&mut self, words: &[&str]) {
        let name = words[0];
        if !self.links.iter().any(|l| l.name == name) {
            let infiniband = name.starts_with("ib");
            self.links.push(Link {
                flags: LinkFlags(UP),
                operstate: Ok("up".into()),
                mtu: Some(2044),
                carrier_up_count: Some(1),
                carrier_down_count: Some(0),
                ..Link::new(self.links.len() as u32 + 1, name, if infiniband { 32 } else { 1 })
            });
        }
        let place = self.links.iter().position(|l| l.name == name).unwrap();
        let mut rest = words[1..].iter();
        while let Some(word) = rest.next() {
            let mut value = || *rest.next().unwrap();
            match *word {
                "ether" => self.links[place].kind = 1,
                "infiniband" => self.links[place].kind = 32,
                "vrf" => {
                    self.links[place].info_kind = Some("vrf".into());
                    self.links[place].vrf_table = Some(number(value()));
                }
                "kind" => self.links[place].info_kind = Some(value().into()),
                "slave" => {
                    self.links[place].slave_kind = Some(value().into());
                    self.links[place].flags.0 |= 0x800;
                }
                "mtu" => self.links[place].mtu = Some(number(value())),
                "down" => self.links[place].flags = LinkFlags(0x1002),
                "nocarrier" => {
                    self.links[place].flags = LinkFlags(NO_CARRIER);
                    self.links[place].carrier_down_count = Some(1);
                }
                "noarp" => self.links[place].flags.0 |= NO_ARP,
                "lladdr" => self.links[place].address = Some(value().into()),
                "pkey" => self.links[place].pkey = Some(number(value()) as u16),
                "mode" => self.links[place].ipoib_mode = Some(value().into()),
                "parent" => {
                    let parent = self.index(value());
                    self.links[place].parent = Some(parent);
                }
                "master" => {
                    let master = self.index(value());
                    self.links[place].master = Some(master);
                }
                other => panic!("link {other}?"),
            }
        }
    }

    fn addr(&mut self, words: &[&str]) {
        let (name, local) = (words[0], prefix(words[1], false));
        let ifindex = self.index(name);
        let option =
            |key: &str| words.iter().position(|w| *w == key).map(|at| number(words[at + 1]));
        let flags = option("flags").unwrap_or(0x80);
        let link_local = match local.addr {
            IpAddr::V6(a) => a.is_unicast_link_local(),
            IpAddr::V4(_) => false,
        };
        let scope = if link_local { 253 } else { option("scope").unwrap_or(0) as u8 };
        let address =
            Address { ifindex, local, peer: None, scope, flags, label: Some(name.into()) };
        self.routing.addresses.as_mut().unwrap().push(address);
        let host = if local.addr.is_ipv4() { 32 } else { 128 };
        let of_vrf = self.vrf_of(ifindex);
        let table_local = of_vrf.unwrap_or(255);
        self.push(Route {
            kind: RouteKind::Local,
            table: table_local,
            scope: 254,
            prefsrc: Some(local.addr).filter(|_| host == 32),
            ..route(Prefix { addr: local.addr, len: host }, Some(ifindex))
        });
        if local.len < host && !words.contains(&"noroute") {
            let v4 = local.addr.is_ipv4();
            self.push(Route {
                table: of_vrf.unwrap_or(254),
                scope: if v4 { 253 } else { 0 },
                metric: option("metric").unwrap_or(if v4 { 0 } else { 256 }),
                prefsrc: v4.then_some(local.addr),
                ..route(local.network(), Some(ifindex))
            });
        }
    }

    fn vrf_of(&self, ifindex: u32) -> Option<u32> {
        let link = self.links.iter().find(|l| l.index == ifindex)?;
        self.links.iter().find(|l| Some(l.index) == link.master)?.vrf_table
    }

    fn push(&mut self, mut route: Route) {
        // The kernel marks the routes of a device without carrier.
        for hop in &mut route.next_hops {
            let dead = |l: &&Link| Some(l.index) == hop.ifindex && !l.flags.has_carrier();
            hop.flags.linkdown |=
                self.links.iter().any(|l| dead(&l)) && route.kind == RouteKind::Unicast;
        }
        let all = if route.dst.addr.is_ipv4() {
            &mut self.routing.routes4
        } else {
            &mut self.routing.routes6
        };
        all.as_mut().unwrap().push(route);
    }

    pub(super) fn sample(&self) -> Sample {
        let mut sample = self.lnet.sample(&self.links, &self.routing);
        sample.links = Ok(Arc::new(self.links.clone()));
        sample.routing = Arc::new(self.routing.clone());
        sample.sysctls = Arc::new(sysctls(&self.sysctls, &self.links, self.forward));
        let host = Arc::make_mut(&mut sample.host);
        host.kernel = Ok("6.12.0".into());
        host.name = Ok(self.host.as_str().into());
        sample
    }
}
