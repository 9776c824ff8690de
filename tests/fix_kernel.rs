//! Every command of a remedy on the real kernel: it works, it may be run twice, undo restores.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on panics"
)]

mod support;

use railtop::check::Where;
use railtop::fix::{self, Action, Change, RouteSpec, RuleSpec, SysctlKey};
use railtop::sample::{Family, Prefix, Text};
use std::net::IpAddr;
use support::ns::{self, Ns};
use support::skip;

/// A namespace with two rails in one subnet, both families, or why there is none.
fn rails(test: &str) -> Option<Ns> {
    if let Some(why) = ns::unavailable() {
        skip(test, &why);
        return None;
    }
    let ns = Ns::new();
    for (name, peer, v4, v6) in [
        ("ib0", "p0", "172.16.34.1/16", "2001:db8::1/64"),
        ("ib1.8001", "p1", "172.16.34.2/16", "2001:db8::2/64"),
    ] {
        ns.ip(&format!("link add {name} type veth peer name {peer}"));
        for end in [name, peer] {
            // Link-local addresses come and go by themselves.
            ns.ip(&format!("link set {end} addrgenmode none"));
        }
        ns.ip(&format!("link set {peer} up"));
        ns.ip(&format!("link set {name} up"));
        ns.ip(&format!("addr add {v4} dev {name}"));
        ns.ip(&format!("-6 addr add {v6} dev {name} nodad"));
    }
    Some(ns)
}

/// What the commands may change, in the words of the kernel.
fn state(ns: &Ns) -> String {
    ns.sh("ip rule; ip -6 rule; ip route show table all; \
           ip -6 route show table all; ip nexthop; \
           ip -o addr show scope global | cut -d' ' -f2-7; ip -o link show | grep -o ' mtu [0-9]*'; \
           sysctl -a -r 'net.ipv4.conf.(ib|all).*(arp_|rp_filter|linkdown)'")
}

/// The lines that are in one and not in the other.
fn difference(a: &str, b: &str) -> Vec<String> {
    let only = |x: &str, y: &str, sign: char| -> Vec<String> {
        x.lines().filter(|l| !y.lines().any(|o| o == *l)).map(|l| format!("{sign}{l}")).collect()
    };
    let mut lines = only(a, b, '-');
    lines.extend(only(b, a, '+'));
    if lines.is_empty() && a != b {
        lines.push(format!("another order: {a}\n---\n{b}"));
    }
    lines
}

/// Commands twice, undo twice: nothing but what is asked for, and then as before.
#[track_caller]
fn round_trip(ns: &Ns, changes: &[Change]) -> String {
    let before = state(ns);
    let here = |steps: Vec<railtop::check::Step>| {
        steps.into_iter().filter(|s| s.place == Where::Here).map(|s| s.command.to_string())
    };
    for line in here(fix::commands(changes)) {
        ns.sh(&line);
    }
    let done = state(ns);
    assert_ne!(before, done, "{changes:?} changes nothing");
    for line in here(fix::commands(changes)) {
        ns.sh(&line);
    }
    assert_eq!(difference(&done, &state(ns)), [""; 0], "the second run of {changes:?}");
    for round in 0..2 {
        for line in here(fix::undo(changes)) {
            ns.sh(&line);
        }
        assert_eq!(difference(&before, &state(ns)), [""; 0], "undo {round} of {changes:?}");
    }
    done
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn prefix(addr: &str, len: u8) -> Prefix {
    Prefix { addr: ip(addr), len }
}

fn rule(preference: u32, selectors: &str, action: &str) -> RuleSpec {
    RuleSpec {
        family: Family::Inet,
        preference,
        selectors: selectors.into(),
        action: action.into(),
    }
}

fn here(action: Action) -> Change {
    Change::here(action)
}

fn source_rules() -> Vec<Change> {
    let p = prefix("172.16.34.1", 16);
    let mut changes = Vec::new();
    for (dev, x, table) in [("ib0", "172.16.34.1", 941), ("ib1.8001", "172.16.34.2", 942)] {
        let route = RouteSpec::connected(p, dev.into(), ip(x), table);
        changes.push(here(Action::RuleAdd(RuleSpec::source(ip(x), table * 10, table))));
        changes.push(here(Action::RouteReplace { route, before: None }));
        for (name, value) in [("arp_ignore", 1), ("arp_announce", 2)] {
            let key = SysctlKey { family: Family::Inet, interface: dev.into(), name };
            changes.push(here(Action::Sysctl { key, value, before: Some(0) }));
        }
        changes.push(Change::peer(Action::NeighbourFlush { dev: dev.into() }));
    }
    changes
}

#[test]
fn the_complete_remedy_of_one_subnet() {
    let Some(ns) = rails("the_complete_remedy_of_one_subnet") else { return };
    let changes = source_rules();
    round_trip(&ns, &changes);
    for step in fix::commands(&changes) {
        ns.sh(&step.command);
    }
    let way = ns.ip("route get 172.16.0.1 from 172.16.34.2");
    assert!(way.contains("dev ib1.8001 table 942"), "{way}");
}

#[test]
fn tables_with_names_and_prefixes_of_names_do_not_confuse() {
    let Some(ns) = rails("tables_with_names_and_prefixes_of_names_do_not_confuse") else { return };
    // 172.16.34.1 is the beginning of 172.16.34.11, 941 of 9410; `main` is printed by name.
    ns.ip("rule add pref 9410 from 172.16.34.11 lookup 9411");
    ns.ip("rule add pref 94100 from 172.16.34.1 lookup 941");
    let add = |spec: RuleSpec| vec![here(Action::RuleAdd(spec))];
    let done = round_trip(&ns, &add(rule(9410, "from 172.16.34.1", "lookup 941")));
    assert_eq!(done.matches("from 172.16.34.1 lookup 941").count(), 2, "{done}");
    round_trip(&ns, &add(rule(9410, "from 172.16.34.1", "lookup 254")));
    round_trip(&ns, &add(rule(9410, "from 172.16.34.1 to 172.16.0.0/16", "lookup 941")));
    round_trip(&ns, &add(rule(77, "not from all fwmark 0x10/0xff iif lo", "goto 32766")));
    round_trip(&ns, &add(rule(78, "from all", "lookup 254 suppress_prefixlength 0")));
    round_trip(&ns, &add(rule(79, "from 192.0.2.0/24 ipproto udp dport 4791", "prohibit")));
    round_trip(&ns, &add(RuleSpec::source(ip("2001:db8::1"), 9410, 941)));
}

#[test]
fn one_of_three_equal_rules_goes() {
    let Some(ns) = rails("one_of_three_equal_rules_goes") else { return };
    for pref in [9408, 9409, 9420] {
        ns.ip(&format!("rule add pref {pref} from 172.16.34.2 lookup 942"));
    }
    let done =
        round_trip(&ns, &[here(Action::RuleDelete(rule(9409, "from 172.16.34.2", "lookup 942")))]);
    assert_eq!(done.matches("from 172.16.34.2").count(), 2, "{done}");
}

#[test]
fn routes_of_both_families() {
    let Some(ns) = rails("routes_of_both_families") else { return };
    let v4 = RouteSpec::connected(prefix("172.16.34.2", 16), "ib0".into(), ip("172.16.34.1"), 941);
    let v6 = RouteSpec::connected(prefix("2001:db8::1", 64), "ib0".into(), ip("2001:db8::1"), 941);
    for new in [&v4, &v6] {
        round_trip(&ns, &[here(Action::RouteReplace { route: new.clone(), before: None })]);
    }
    // A wrong device is replaced and comes back.
    ns.ip("route add 172.16.0.0/16 dev ib1.8001 scope link src 172.16.34.2 table 941");
    let before =
        RouteSpec { dev: Some("ib1.8001".into()), src: Some(ip("172.16.34.2")), ..v4.clone() };
    let done =
        round_trip(&ns, &[here(Action::RouteReplace { route: v4, before: Some(before.clone()) })]);
    assert!(done.contains("172.16.0.0/16 dev ib0 table 941"), "{done}");
    round_trip(&ns, &[here(Action::RouteDelete(before.clone()))]);

    // Beside main's own routes, with a metric of its own.
    let metric =
        RouteSpec { table: 254, metric: Some(100), proto: Some("static".into()), ..before.clone() };
    round_trip(&ns, &[here(Action::RouteReplace { route: metric, before: None })]);

    // Without a locked MTU.
    ns.ip("route replace 172.16.0.0/16 dev ib1.8001 scope link src 172.16.34.2 table 941 mtu lock 1200");
    let locked = RouteSpec { extra: Some("mtu lock 1200".into()), ..before.clone() };
    round_trip(&ns, &[here(Action::RouteReplace { route: before.clone(), before: Some(locked) })]);

    ns.ip("route add unreachable 172.16.16.0/24 table 942");
    let reject = RouteSpec {
        kind: Some("unreachable"),
        dst: prefix("172.16.16.0", 24),
        dev: None,
        src: None,
        table: 942,
        scope_link: false,
        ..before.clone()
    };
    round_trip(&ns, &[here(Action::RouteDelete(reject))]);
    let default = RouteSpec {
        kind: None,
        dst: prefix("0.0.0.0", 0),
        dev: Some("ib0".into()),
        via: Some(ip("172.16.0.254")),
        src: Some(ip("172.16.34.1")),
        ..RouteSpec::connected(prefix("0.0.0.0", 0), "ib0".into(), ip("172.16.34.1"), 4_000_000_000)
    };
    let default = RouteSpec { scope_link: false, ..default };
    round_trip(&ns, &[here(Action::RouteReplace { route: default, before: None })]);
}

/// Forms of routes that a remedy may take away or replace.
const FORMS: &[&str] = &[
    "ip route add 10.1.0.0/16 table 7 nexthop dev ib0 nexthop dev ib1.8001",
    "ip route add 10.1.0.0/16 table 7 proto static scope link metric 30 nexthop dev ib0 weight 3 nexthop dev ib1.8001",
    "ip route add 10.1.0.0/16 table 7 nexthop via 172.16.0.9 dev ib0 nexthop via 10.77.0.1 dev ib1.8001 weight 2 onlink",
    "ip route add 10.1.0.0/16 table 7 src 172.16.34.2 mtu lock 1300 nexthop via 172.16.0.9 dev ib0 nexthop dev ib1.8001",
    "ip route add 10.1.0.0/16 table 7 nhid 10",
    "ip route add 10.1.0.0/16 table 7 nhid 20 src 172.16.34.1 metric 5",
    "ip route add default table 7 nhid 21 proto static",
    "ip route add 10.1.0.0/16 table 7 via inet6 2001:db8::9 dev ib0",
    "ip route add 10.1.0.0/16 table 7 tos 0x10 via 172.16.0.9 dev ib0",
    "ip route add 10.1.0.0/16 table 7 via 10.77.0.1 dev ib1.8001 onlink",
    "ip route add prohibit 10.1.0.0/16 table 7 metric 9",
    "ip route add throw 10.1.0.0/16 table 7",
    "ip -6 route add 2001:db8:1::/64 table 7 nexthop via 2001:db8::9 dev ib0 weight 2 nexthop via 2001:db8::8 dev ib1.8001",
    "ip -6 route add 2001:db8:1::/64 table 7 nhid 40 metric 12",
    "ip -6 route add 2001:db8:1::/64 table 7 nhid 41",
    "ip -6 route add 2001:db8:1::/64 from 2001:db8:9::/64 table 7 dev ib0",
    "ip -6 route add 2001:db8:1::/64 table 7 dev ib0 pref high mtu 1400",
    "ip -6 route add unreachable default table 7 metric 4278198272",
];

#[test]
fn every_form_of_route_comes_back() {
    let Some(ns) = rails("every_form_of_route_comes_back") else { return };
    for (id, what) in [
        (10, "dev ib0"),
        (11, "via 172.16.0.9 dev ib1.8001"),
        (20, "group 11"),
        (21, "group 11,3/12"),
        (40, "via 2001:db8::9 dev ib0"),
        (42, "via 2001:db8::8 dev ib1.8001"),
        (41, "group 40/42,2"),
    ] {
        if id == 21 {
            ns.ip("nexthop add id 12 via 172.16.0.8 dev ib0");
        }
        ns.ip(&format!("nexthop add id {id} {what}"));
    }
    for (form, table) in FORMS.iter().zip(700..) {
        ns.sh(&form.replace("table 7", &format!("table {table}")));
        let (links, routing) = ns.inside(|| {
            let rtnl = railtop::read::rtnl::Rtnl::start(|_| {}).expect("netlink");
            let patience = std::time::Duration::from_secs(5);
            let root = railtop::read::root::Root::new("/");
            (rtnl.links(patience).unwrap(), rtnl.routing(&root, patience))
        });
        let routes = routing.routes4.unwrap().into_iter().chain(routing.routes6.unwrap());
        let route = routes.into_iter().find(|r| r.table == table).expect("it is there");
        let spec = RouteSpec::of(&route, &links).unwrap_or_else(|| panic!("{form}: {route:?}"));
        round_trip(&ns, &[here(Action::RouteDelete(spec.clone()))]);
        // Another one takes its place, and it comes back.
        if spec.kind.is_none() && spec.from.is_none() {
            let v6 = spec.dst.addr.is_ipv6();
            let src = ip(if v6 { "2001:db8::1" } else { "172.16.34.1" });
            let new = RouteSpec {
                metric: spec.metric,
                tos: spec.tos,
                ..RouteSpec::connected(spec.dst, "ib0".into(), src, table)
            };
            round_trip(&ns, &[here(Action::RouteReplace { route: new, before: Some(spec) })]);
        }
    }
}

#[test]
fn addresses_links_and_next_hops() {
    let Some(ns) = rails("addresses_links_and_next_hops") else { return };
    let dev = Text::new("ib1.8001");
    let address = |p, remove| here(Action::Address { prefix: p, dev: dev.clone(), remove });
    round_trip(&ns, &[address(prefix("10.9.0.1", 24), false)]);
    ns.ip("addr add 10.9.0.10/24 dev ib1.8001");
    round_trip(&ns, &[address(prefix("10.9.0.10", 24), true)]);
    round_trip(&ns, &[here(Action::LinkMtu { dev: dev.clone(), mtu: 1400, before: Some(1500) })]);
    ns.ip("nexthop add id 10 dev ib0");
    ns.ip("nexthop add id 20 group 10,3");
    round_trip(
        &ns,
        &[
            here(Action::NextHopGroup {
                id: 20,
                members: vec![(10, 3), (11, 1)],
                before: vec![(10, 3)],
            }),
            here(Action::NextHopAdd { id: 11, dev }),
        ],
    );
    ns.sh(&Action::NeighbourFlush { dev: "ib0".into() }.command());
}

/// A node made sick, and the roots that must be told and mended.
struct Case {
    make: &'static [&'static str],
    roots: &'static [&'static str],
}

/// Source routing as it should be.
const RIGHT: [&str; 5] = [
    "ip route add 172.16.0.0/16 dev ib0 scope link src 172.16.34.1 table 941",
    "ip route add 172.16.0.0/16 dev ib1 scope link src 172.16.34.2 table 942",
    "ip rule add pref 9410 from 172.16.34.1 lookup 941",
    "ip rule add pref 9420 from 172.16.34.2 lookup 942",
    "sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2",
];

const CASES: &[Case] = &[
    Case { make: &[], roots: &["ROUTE_DUP_CONNECTED"] },
    Case { make: &["sysctl -qw net.ipv4.conf.all.rp_filter=1"], roots: &["ROUTE_DUP_CONNECTED"] },
    Case { make: &["RIGHT", "ip rule del pref 9420"], roots: &["TABLE_NO_RULE"] },
    Case { make: &["RIGHT", "ip route del 172.16.0.0/16 table 942"], roots: &["RULE_TABLE_EMPTY"] },
    Case {
        make: &["RIGHT", "ip route replace 172.16.0.0/16 dev ib0 table 942"],
        roots: &["TABLE_WRONG_DEV"],
    },
    Case {
        make: &[
            "RIGHT",
            "ip rule del pref 9420",
            "ip rule add pref 40000 from 172.16.34.2 lookup 942",
        ],
        roots: &["RULE_AFTER_MAIN"],
    },
    Case {
        make: &["RIGHT", "ip rule add pref 32 lookup main suppress_prefixlength 0"],
        roots: &["RULE_SHADOWED", "RULE_SHADOWED"],
    },
    Case {
        make: &["RIGHT", "ip rule add pref 9000 from 172.16.34.99 lookup 942"],
        roots: &["RULE_STALE"],
    },
    Case {
        make: &["RIGHT", "ip route add prohibit 172.16.16.0/24 table 942"],
        roots: &["ROUTE_REJECT"],
    },
    Case {
        make: &[
            "RIGHT",
            "ip route flush table main proto kernel dev ib0",
            "ip route flush table main proto kernel dev ib1",
        ],
        roots: &["RAIL_UNBOUND_NO_ROUTE"],
    },
    Case {
        make: &[
            "ip route flush table main proto kernel dev ib0",
            "ip route flush table main proto kernel dev ib1",
        ],
        roots: &["ARP_FLUX_ANNOUNCE", "ARP_FLUX_IGNORE", "RAIL_UNBOUND_NO_ROUTE"],
    },
    Case { make: &["RIGHT", "ip link set ib1 mtu 1500"], roots: &["MTU_MISMATCH"] },
    Case {
        make: &[
            "RIGHT",
            "ip route replace 172.16.0.0/16 dev ib1 scope link src 172.16.34.2 table 942 mtu 9000",
        ],
        roots: &["ROUTE_MTU_ABOVE_LINK"],
    },
    Case {
        make: &["RIGHT", "sysctl -qw net.ipv4.conf.all.arp_ignore=0"],
        roots: &["ARP_FLUX_IGNORE"],
    },
    Case {
        make: &["RIGHT", "sysctl -qw net.ipv4.conf.all.arp_announce=1"],
        roots: &["ARP_FLUX_ANNOUNCE"],
    },
    Case {
        make: &[
            "RIGHT",
            "ip -6 addr add 2001:db8::1/64 dev ib0 nodad",
            "ip -6 addr add 2001:db8::2/64 dev ib1 nodad",
        ],
        roots: &["ROUTE_DUP_CONNECTED"],
    },
    Case {
        make: &[
            "RIGHT",
            "ip -6 addr add 2001:db8::1/64 dev ib0 nodad",
            "ip -6 addr add 2001:db8::2/64 dev ib1 nodad",
            "ip -6 route add 2001:db8::/64 dev ib0 table 941",
            "ip -6 route add 2001:db8::/64 dev ib0 table 942",
            "ip -6 rule add pref 9410 from 2001:db8::1 lookup 941",
            "ip -6 rule add pref 9420 from 2001:db8::2 lookup 942",
        ],
        roots: &["TABLE_WRONG_DEV"],
    },
    Case {
        make: &["RIGHT", "ip rule del pref 32766", "ip rule del pref 32767"],
        roots: &["RULE_BUILTIN_MISSING"],
    },
];

/// Ids of the roots above a note, and the findings.
fn checked(ns: &Ns) -> (Vec<String>, serde_json::Value) {
    let out = ns
        .command(support::railtop())
        .args(["check", "--json", "--interval", "50ms"])
        .output()
        .expect("railtop runs");
    let object: serde_json::Value = serde_json::from_slice(&out.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&out.stderr)));
    let findings = object["findings"].clone();
    let mut roots: Vec<String> = findings
        .as_array()
        .expect("findings")
        .iter()
        .filter(|f| f["caused_by"].is_null() && f["severity"] != "note")
        .map(|f| f["id"].as_str().expect("id").to_owned())
        .collect();
    roots.sort();
    (roots, findings)
}

fn lines<'a>(findings: &'a serde_json::Value, key: &str) -> Vec<&'a str> {
    let of = |f: &'a serde_json::Value| f[key].as_array().expect("steps").iter();
    let all = findings.as_array().expect("findings").iter().flat_map(of);
    all.filter(|s| s["where"] == "here").map(|s| s["command"].as_str().expect("command")).collect()
}

#[test]
fn what_is_told_is_mended_by_what_is_proposed() {
    if let Some(why) = ns::unavailable() {
        return skip("what_is_told_is_mended_by_what_is_proposed", &why);
    }
    for case in CASES {
        let ns = Ns::new();
        let _ib0 = ns::Rail::new(&ns, "ib0", "172.16.34.1/16");
        let _ib1 = ns::Rail::new(&ns, "ib1", "172.16.34.2/16");
        for line in case.make {
            if *line == "RIGHT" {
                for line in RIGHT {
                    ns.sh(line);
                }
            } else {
                ns.sh(line);
            }
        }
        let before = state(&ns);
        let (roots, findings) = checked(&ns);
        assert_eq!(roots, case.roots, "{:?}", case.make);
        for line in lines(&findings, "fix") {
            ns.sh(line);
        }
        for line in lines(&findings, "verify") {
            ns.sh(line);
        }
        let (after, left) = checked(&ns);
        assert_eq!(after, [""; 0], "{:?} is not mended: {left:#}", case.make);
        let mut undo = lines(&findings, "undo");
        undo.dedup();
        for line in undo {
            ns.sh(line);
        }
        assert_eq!(difference(&before, &state(&ns)), [""; 0], "undo of {:?}", case.make);
    }
}
