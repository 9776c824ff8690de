//! A namespace that takes configurations and answers questions.

use crate::config::{Line, RAILS, TABLES};
use crate::support::ns::{Ns, Rail};
use crate::support::wait_for;
use railtop::fib::{Fib, Query, TABLE_LOCAL};
use railtop::read::root::Root;
use railtop::read::rtnl::{self, NoRoute, RouteAnswer, Rtnl};
use railtop::read::sysctl;
use railtop::sample::{Link, RouteKind, Routing, Sysctls};
use std::fmt::Write as _;
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// Runs a batch of ip(8) commands inside a namespace; what is refused is skipped.
pub(crate) fn batch(ns: &str, family: &str, lines: &str) {
    let mut ip = Command::new("ip")
        .args(["-n", ns, family, "-force", "-batch", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("ip runs");
    ip.stdin.take().expect("stdin").write_all(lines.as_bytes()).expect("ip reads");
    let out = ip.wait_with_output().expect("ip ends");
    if std::env::var_os("RAILTOP_FIB_VERBOSE").is_some() {
        eprint!("{}", String::from_utf8_lossy(&out.stderr));
    }
}

/// A namespace with four rails, and a client inside.
#[derive(Debug)]
pub(crate) struct Lab {
    ns: Ns,
    /// `-4` or `-6`.
    family: &'static str,
    rails: Vec<Rail>,
    rtnl: Rtnl,
}

/// What our own readers read.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) links: Vec<Link>,
    pub(crate) routing: Routing,
    pub(crate) sysctls: Sysctls,
    release: String,
}

impl State {
    pub(crate) fn read(ns: &Ns, rtnl: &Rtnl) -> Self {
        let links = rtnl.links(DEADLINE).expect("links");
        let routing = rtnl.routing(&Root::system(), DEADLINE);
        let sysctls = ns.inside(|| sysctl::read(&Root::system()));
        let release = fs::read_to_string("/proc/sys/kernel/osrelease").expect("osrelease");
        Self { links, routing, sysctls, release: release.trim().into() }
    }

    /// The hardware address of a device.
    pub(crate) fn hardware(&self, name: &str) -> [u8; 6] {
        let link = self.links.iter().find(|link| &*link.name == name).expect("link");
        let bytes: Vec<u8> = link
            .address
            .as_deref()
            .expect("address")
            .split(':')
            .map(|byte| u8::from_str_radix(byte, 16).expect("hex"))
            .collect();
        bytes.try_into().expect("six bytes")
    }

    pub(crate) fn fib(&self) -> Fib<'_> {
        Fib::new(&self.links, &self.routing, &self.sysctls, Some(&self.release))
    }

    /// Is nothing different but the time and how long routes live?
    pub(crate) fn is(&self, other: &State) -> bool {
        let timeless = |state: &State| {
            let mut routing = state.routing.clone();
            routing.at = other.routing.at;
            for route in routing.routes6.iter_mut().flatten() {
                route.expires = route.expires.map(|_| 1);
            }
            let links: Vec<_> =
                state.links.iter().map(|l| (l.index, l.flags, l.operstate.clone())).collect();
            (routing, links)
        };
        timeless(self) == timeless(other)
    }

    pub(crate) fn index(&self, name: &str) -> u32 {
        self.links.iter().find(|link| &*link.name == name).expect("link").index
    }
}

impl Lab {
    pub(crate) fn new(v6: bool) -> Self {
        let ns = Ns::new();
        ns.inside(|| {
            for (file, value) in [("accept_dad", "0"), ("addr_gen_mode", "1"), ("accept_ra", "0")] {
                let _ = fs::write(format!("/proc/sys/net/ipv6/conf/default/{file}"), value);
            }
        });
        let rails = RAILS.iter().map(|name| Rail::new(&ns, name, "")).collect();
        let rtnl = ns.inside(|| Rtnl::start(|_| {})).expect("netlink");
        Self { ns, family: if v6 { "-6" } else { "-4" }, rails, rtnl }
    }

    /// What `ip` prints.
    pub(crate) fn ip(&self, args: &str) -> String {
        self.ns.ip(&format!("{} {args}", self.family))
    }

    /// Does what the lines say, in their order.
    pub(crate) fn apply(&self, lines: &[Line]) {
        let mut batch = String::new();
        for line in lines {
            match line {
                Line::Ip(command) => {
                    batch += command;
                    batch.push('\n');
                }
                Line::Sysctl(path, value) => {
                    self.flush(&mut batch);
                    self.sysctl(path, *value);
                }
                Line::Cut(rail) => {
                    self.flush(&mut batch);
                    self.rails[*rail].carrier(false);
                    self.settle(*rail);
                }
            }
        }
        self.flush(&mut batch);
    }

    /// Waits until the kernel has handled a change of carrier. It may take a second for it
    /// (net/core/link_watch.c), unless somebody reads the carrier.
    fn settle(&self, rail: usize) {
        let file = format!("/sys/class/net/{}/carrier", RAILS[rail]);
        wait_for("the carrier is handled", DEADLINE, || {
            let _ = self.ns.command("cat").arg(&file).output().expect("cat runs");
            let links = self.rtnl.links(DEADLINE).expect("links");
            let link = links.iter().find(|link| &*link.name == RAILS[rail]).expect("rail");
            let cut = !link.flags.has_carrier();
            let down = link.operstate.as_deref() != Ok("up");
            (!link.flags.is_up() || cut == down).then_some(())
        });
    }

    fn flush(&self, batch: &mut String) {
        if !batch.is_empty() {
            self::batch(&self.ns.name, self.family, batch);
            batch.clear();
        }
    }

    pub(crate) fn sysctl(&self, path: &str, value: u8) {
        self.ns.inside(|| {
            fs::write(format!("/proc/sys/net/{path}"), value.to_string()).expect("sysctl");
        });
    }

    /// Undoes a configuration; false if something is left of it. Rules stay untouched where the
    /// configuration has none: the kernel remembers for ever that there was one.
    pub(crate) fn reset(&self, lines: &[Line]) -> bool {
        let mut batch = String::new();
        let mut rules = false;
        for line in lines {
            match line {
                Line::Sysctl(path, _) => {
                    self.sysctl(path, u8::from(path.ends_with("compat_mode")));
                }
                Line::Cut(rail) => self.rails[*rail].carrier(true),
                Line::Ip(line) => {
                    rules |= line.starts_with("rule ");
                    if line.contains(" local ") {
                        for verb in ["add", "append", "prepend", "replace"] {
                            let delete = line.replace(&format!("route {verb}"), "route del");
                            if delete != *line {
                                batch += &delete;
                                batch.push('\n');
                            }
                        }
                    }
                }
            }
        }
        for rail in RAILS {
            let _ = writeln!(batch, "link set {rail} down\naddr flush dev {rail}");
            let _ = writeln!(batch, "link set {rail} up");
        }
        batch += "nexthop flush\n";
        for table in TABLES.iter().chain(&[254]) {
            let _ = writeln!(batch, "route flush table {table}");
        }
        if rules {
            batch += "rule add pref 0 lookup local\nrule flush\nrule add pref 32766 lookup main\n";
            if self.family == "-4" {
                batch += "rule add pref 32767 lookup default\n";
            }
        }
        self::batch(&self.ns.name, self.family, &batch);
        let routing = self.read().routing;
        let routes = [routing.routes4, routing.routes6].into_iter().flatten().flatten();
        // The kernel's own are those of the loopback and the multicasts.
        let lo = Some(1);
        let mut others = routes.filter(|route| {
            let by_lo = route.next_hops.first().is_some_and(|hop| hop.ifindex == lo);
            !(route.table == TABLE_LOCAL && (by_lo || route.kind == RouteKind::Multicast))
        });
        others.next().is_none()
    }

    /// Reads everything once, as the program does.
    pub(crate) fn read(&self) -> State {
        State::read(&self.ns, &self.rtnl)
    }

    /// Reads until IPv6 has done what it does later: the local route of each address.
    pub(crate) fn settled(&self) -> State {
        wait_for("every address has its route", DEADLINE, || {
            let state = self.read();
            let up = |index| state.links.iter().any(|l| l.index == index && l.flags.is_up());
            let routes = state.routing.routes6.as_ref().expect("routes");
            let addresses = state.routing.addresses.as_ref().expect("addresses");
            let done = addresses
                .iter()
                .filter(|a| a.local.addr.is_ipv6() && up(a.ifindex))
                .all(|a| routes.iter().any(|r| r.table == 255 && r.dst.addr == a.local.addr));
            done.then_some(state)
        })
    }

    /// RTM_GETROUTE.
    pub(crate) fn ask(&self, query: &Query) -> Result<RouteAnswer, NoRoute> {
        let told = query.ip_proto != 0;
        let query = rtnl::Query {
            src: query.src,
            oif: query.oif,
            mark: Some(query.mark),
            uid: Some(query.uid),
            tos: query.tos,
            ip_proto: told.then_some(query.ip_proto),
            sport: told.then_some(query.sport),
            dport: told.then_some(query.dport),
            ..rtnl::Query::to(query.dst)
        };
        self.rtnl.route_get(&query, DEADLINE)
    }
}
