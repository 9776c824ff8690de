//! Worlds for tests, written in few words.

use super::{Decision, Fib, Outcome, Query};
use crate::sample::{
    Address, Family, Link, LinkFlags, Mono, Neighbour, NextHop, NextHopFlags, NextHopGroupMember,
    NextHopObject, Prefix, Route, RouteKind, Routing, Rule, RuleAction, SysctlIf, Sysctls, Unknown,
    Why,
};
use std::net::IpAddr;

/// What a [`Fib`] is made of. A line is one thing: `link`, `addr`, `rule`, `rule6`, `route`
/// (both families), `nexthop`, `neigh`, `sysctl`, `kernel`.
#[derive(Debug)]
pub(super) struct World {
    pub(super) links: Vec<Link>,
    pub(super) routing: Routing,
    pub(super) sysctls: Sysctls,
    kernel: Option<String>,
}

impl World {
    /// The loopback, the default rules and these lines. ib0 and ib1 exist always (2 and 3).
    pub(super) fn new(lines: &str) -> Self {
        let mut world = Self {
            links: Vec::new(),
            routing: Routing {
                table_names: vec![(941, "rail0".into())],
                ..Routing::empty(Mono::default())
            },
            sysctls: Sysctls::default(),
            kernel: Some("6.18.1".into()),
        };
        let default = "link lo loopback\nlink ib0\nlink ib1\nrule 0 lookup 255\nrule 32766 lookup 254\n\
                       rule 32767 lookup 253\nrule6 0 lookup 255\nrule6 32766 lookup 254";
        for line in default.lines().chain(lines.lines()) {
            world.line(line.trim());
        }
        for rules in [&mut world.routing.rules4, &mut world.routing.rules6] {
            rules.as_mut().unwrap().sort_by_key(|rule| rule.preference);
        }
        world
    }

    pub(super) fn fib(&self) -> Fib<'_> {
        Fib::new(&self.links, &self.routing, &self.sysctls, self.kernel.as_deref())
    }

    pub(super) fn decide(&self, query: &Query) -> Decision {
        self.fib().decide(query)
    }

    /// The outcome in short: `ib0`, `ib0|ib1`, `EACCES`, `local`, `onlink ib0`, …
    pub(super) fn way(&self, question: &str) -> String {
        self.short(&self.decide(&self.ask(question)).outcome)
    }

    /// What else may happen.
    pub(super) fn otherwise(&self, question: &str) -> Vec<String> {
        let decision = self.decide(&self.ask(question));
        decision.alternatives.iter().map(|other| self.short(&other.outcome)).collect()
    }

    pub(super) fn explain(&self, question: &str) -> Vec<String> {
        let query = self.ask(question);
        self.fib().explain(&query, &self.decide(&query))
    }

    fn short(&self, outcome: &Outcome) -> String {
        let name = |i: u32| self.links.iter().find(|l| l.index == i).unwrap().name.to_string();
        match outcome {
            Outcome::Send { .. } => {
                outcome.devices().into_iter().map(name).collect::<Vec<_>>().join("|")
            }
            Outcome::Local { kind, .. } => super::line::kind(*kind),
            Outcome::Refuse { errno, .. } => (*errno).into(),
            Outcome::OnLink { ifindex } => format!("onlink {}", name(*ifindex)),
            Outcome::SourceNotLocal => "not local".into(),
            Outcome::Unknown(_) => "unknown".into(),
        }
    }

    /// `DST [from SRC] [oif DEV] [mark N] [tos N] [uid N] [proto N] [sport N] [dport N]`.
    pub(super) fn ask(&self, question: &str) -> Query {
        let words = Words::new(question);
        let mut query = Query::new(words.parse("from"), words.first().parse().unwrap());
        query.oif = words.get("oif").map(|name| self.index(name));
        query.mark = words.parse("mark").unwrap_or(0);
        query.tos = words.parse("tos").unwrap_or(0);
        query.uid = words.parse("uid").unwrap_or(0);
        query.ip_proto = words.parse("proto").unwrap_or(0);
        query.sport = words.parse("sport").unwrap_or(0);
        query.dport = words.parse("dport").unwrap_or(0);
        query
    }

    pub(super) fn index(&self, name: &str) -> u32 {
        self.links.iter().find(|l| &*l.name == name).map_or(99, |l| l.index)
    }

    fn line(&mut self, line: &str) {
        let Some((what, rest)) = line.split_once(' ') else { return };
        let words = Words::new(rest);
        match what {
            "link" => self.link(&words),
            "addr" => {
                let address = self.address(&words);
                self.routing.addresses.as_mut().unwrap().push(address);
            }
            "rule" => self.routing.rules4.as_mut().unwrap().push(self::rule(&words)),
            "rule6" => self.routing.rules6.as_mut().unwrap().push(self::rule(&words)),
            "-rule" => self
                .routing
                .rules4
                .as_mut()
                .unwrap()
                .retain(|r| r.preference != rest.parse::<u32>().unwrap()),
            "route" => {
                let route = self.route(&words);
                let routes = match route.dst.family() {
                    Family::Inet => &mut self.routing.routes4,
                    Family::Inet6 => &mut self.routing.routes6,
                };
                routes.as_mut().unwrap().push(route);
            }
            "nexthop" => {
                let object = self.object(&words);
                self.routing.nexthops.as_mut().unwrap().push(object);
            }
            "neigh" => {
                let neighbour = Neighbour {
                    ifindex: self.index(words.get("dev").unwrap()),
                    dst: words.first().parse().unwrap(),
                    lladdr: None,
                    state: if words.has("failed") { 0x20 } else { 0x02 },
                    router: false,
                };
                self.routing.neighbours.as_mut().unwrap().push(neighbour);
            }
            "sysctl" => self.sysctl(rest),
            "kernel" => self.kernel = Some(rest.into()),
            other => panic!("{other}"),
        }
    }

    fn link(&mut self, words: &Words<'_>) {
        let name = words.first();
        self.links.retain(|link| &*link.name != name);
        let up = u32::from(!words.has("down"));
        let index = match name {
            "lo" => 1,
            "ib0" => 2,
            "ib1" => 3,
            _ => 10 + self.links.len() as u32,
        };
        self.links.push(Link {
            flags: LinkFlags(up | if words.has("loopback") { 8 } else { 0 }),
            operstate: Ok("up".into()),
            mtu: Some(2044),
            master: words.get("master").map(|name| self.index(name)),
            vrf_table: words.parse("vrf"),
            ..Link::new(index, name, 32)
        });
    }

    fn address(&self, words: &Words<'_>) -> Address {
        Address {
            ifindex: self.index(words.get("dev").unwrap()),
            local: prefix(words.first()),
            peer: words.parse("peer"),
            scope: words.parse("scope").unwrap_or(0),
            flags: u32::from(words.has("secondary")),
            label: None,
        }
    }

    fn hop(&self, words: &Words<'_>) -> NextHop {
        NextHop {
            ifindex: words.get("dev").map(|name| self.index(name)),
            gateway: words.parse("via"),
            weight: words.parse("weight").unwrap_or(1),
            flags: NextHopFlags {
                dead: words.has("dead"),
                linkdown: words.has("linkdown"),
                onlink: words.has("onlink"),
            },
        }
    }

    fn route(&self, words: &Words<'_>) -> Route {
        let (kind, dst) = match words.first() {
            "local" => (RouteKind::Local, words.0[1]),
            "broadcast" => (RouteKind::Broadcast, words.0[1]),
            "unreachable" => (RouteKind::Unreachable, words.0[1]),
            "prohibit" => (RouteKind::Prohibit, words.0[1]),
            "blackhole" => (RouteKind::Blackhole, words.0[1]),
            "throw" => (RouteKind::Throw, words.0[1]),
            dst => (RouteKind::Unicast, dst),
        };
        let dst = prefix(dst);
        let mut parts: Vec<_> =
            words.0.split(|w| *w == "nexthop").map(|w| Words(w.to_vec())).collect();
        let head = parts.remove(0);
        let mut next_hops: Vec<_> = parts.iter().map(|words| self.hop(words)).collect();
        if next_hops.is_empty() && (head.has("dev") || head.has("via")) {
            next_hops.push(self.hop(&head));
        }
        Route {
            src: head.get("from").map(prefix),
            kind,
            tos: head.parse("tos").unwrap_or(0),
            metric: head.parse("metric").unwrap_or(if dst.addr.is_ipv6() { 1024 } else { 0 }),
            scope: head.parse("scope").unwrap_or(0),
            protocol: head.parse("proto").unwrap_or(3),
            prefsrc: head.parse("src"),
            next_hops,
            nexthop_id: head.parse("nhid"),
            cloned: head.has("cloned"),
            pref: head.parse("pref"),
            expires: head.parse("expires"),
            ..Route::to(
                dst,
                head.parse("table").unwrap_or(if kind == RouteKind::Local { 255 } else { 254 }),
            )
        }
    }

    fn object(&self, words: &Words<'_>) -> NextHopObject {
        let hop = self.hop(words);
        let group = words.get("group").unwrap_or_default();
        NextHopObject {
            id: words.first().parse().unwrap(),
            ifindex: hop.ifindex,
            gateway: hop.gateway,
            blackhole: words.has("blackhole"),
            group: group
                .split(',')
                .filter_map(|id| Some(NextHopGroupMember { id: id.parse().ok()?, weight: 1 }))
                .collect(),
            flags: hop.flags,
        }
    }

    /// `IF NAME VALUE`, or `forwarding6 VALUE`.
    fn sysctl(&mut self, rest: &str) {
        let words: Vec<_> = rest.split_whitespace().collect();
        if let ["forwarding6", value] = words[..] {
            self.sysctls.ipv6_forwarding = Some(Ok(value.parse().unwrap()));
            return;
        }
        let [name, file, value] = words[..] else { panic!("{rest}") };
        if self.sysctls.interface(name).is_none() {
            self.sysctls.interfaces.push(quiet(name));
        }
        let found = self.sysctls.interfaces.iter_mut().find(|i| &*i.name == name).unwrap();
        let field = match file {
            "rp_filter" => &mut found.rp_filter,
            "arp_ignore" => &mut found.arp_ignore,
            "arp_filter" => &mut found.arp_filter,
            "accept_local" => &mut found.accept_local,
            "linkdown" => &mut found.ignore_routes_with_linkdown,
            "linkdown6" => &mut found.ipv6_ignore_routes_with_linkdown,
            other => panic!("{other}"),
        };
        *field = Ok(value.parse().unwrap());
    }
}

fn quiet(name: &str) -> SysctlIf {
    SysctlIf {
        name: name.into(),
        rp_filter: Ok(0),
        arp_ignore: Ok(0),
        arp_announce: Ok(0),
        arp_filter: Ok(0),
        accept_local: Ok(0),
        ignore_routes_with_linkdown: Ok(0),
        src_valid_mark: Ok(0),
        forwarding: Ok(0),
        disable_ipv6: Ok(0),
        ipv6_ignore_routes_with_linkdown: Ok(0),
        keep_addr_on_down: Ok(0),
        accept_ra: Ok(0),
    }
}

fn rule(words: &Words<'_>) -> Rule {
    let range = |key| -> Option<(u32, u32)> {
        let (from, to) = words.get(key)?.split_once('-')?;
        Some((from.parse().unwrap(), to.parse().unwrap()))
    };
    let ports = |key| range(key).map(|(from, to)| (from as u16, to as u16));
    let action = [
        ("nop", RuleAction::Nop),
        ("prohibit", RuleAction::Prohibit),
        ("blackhole", RuleAction::Blackhole),
        ("unreachable", RuleAction::Unreachable),
        ("odd", RuleAction::Other(5)),
    ];
    let action = match words.parse("goto") {
        Some(preference) => RuleAction::Goto { preference, resolved: !words.has("unresolved") },
        None => match action.into_iter().find(|(word, _)| words.has(word)) {
            Some((_, action)) => action,
            None => RuleAction::Lookup(words.parse("lookup").unwrap_or(0)),
        },
    };
    Rule {
        preference: words.first().parse().unwrap(),
        src: words.get("from").map(prefix),
        dst: words.get("to").map(prefix),
        iif: words.get("iif").map(Into::into),
        oif: words.get("oif").map(Into::into),
        fwmark: words.get("fwmark").map(|mark| {
            let (value, mask) = mark.split_once('/').unwrap_or((mark, "4294967295"));
            (value.parse().unwrap(), mask.parse().unwrap())
        }),
        tos: words.parse("tos").unwrap_or(0),
        ip_proto: words.parse("ipproto"),
        sport: ports("sport"),
        dport: ports("dport"),
        uid_range: range("uidrange"),
        tun_id: words.parse("tun_id"),
        invert: words.has("not"),
        l3mdev: words.has("l3mdev"),
        suppress_prefix_len: words.parse("suppress_prefixlength"),
        suppress_if_group: words.parse("suppress_ifgroup"),
        action,
        protocol: words.parse("proto").unwrap_or(0),
        iif_detached: words.get("iif").is_some_and(|name| name.starts_with("nosuch")),
        oif_detached: words.get("oif").is_some_and(|name| name.starts_with("nosuch")),
        unknown: words.get("unknown").into_iter().map(Into::into).collect(),
    }
}

/// `ADDR` or `ADDR/LEN`; `default` and `default6`.
fn prefix(text: &str) -> Prefix {
    let text = match text {
        "default" => "0.0.0.0/0",
        "default6" => "::/0",
        other => other,
    };
    let (addr, len) = text.split_once('/').unwrap_or((text, ""));
    let addr: IpAddr = addr.parse().unwrap();
    Prefix { addr, len: len.parse().unwrap_or(if addr.is_ipv4() { 32 } else { 128 }) }
}

/// A reading that failed.
pub(super) fn unread<T>() -> Result<T, Unknown> {
    Err(Unknown::new(Why::Denied, "no"))
}

struct Words<'w>(Vec<&'w str>);

impl<'w> Words<'w> {
    fn new(text: &'w str) -> Self {
        Self(text.split_whitespace().collect())
    }

    fn first(&self) -> &'w str {
        self.0[0]
    }

    fn has(&self, word: &str) -> bool {
        self.0.contains(&word)
    }

    fn get(&self, key: &str) -> Option<&'w str> {
        let at = self.0.iter().position(|word| *word == key)?;
        self.0.get(at + 1).copied()
    }

    fn parse<T: std::str::FromStr>(&self, key: &str) -> Option<T> {
        self.get(key)?.parse().ok()
    }
}
