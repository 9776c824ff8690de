//! For tests: a network namespace of our own, and what both ways of reading must agree on.

use super::*;
use crate::sample::{Address, Neighbour, NextHopObject, Rule};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs::{self, File};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Command, id};

pub(super) const DEADLINE: Duration = Duration::from_secs(10);

/// A network namespace that goes away with this.
pub(super) struct Space(String);

impl Space {
    /// `None` where it cannot be had; a failure under CI.
    pub(super) fn new(name: &str) -> Option<Self> {
        let name = format!("railtop-{name}-{}", id());
        let made = Command::new("ip").args(["netns", "add", &name]).output();
        if made.is_ok_and(|made| made.status.success()) {
            return Some(Self(name));
        }
        println!("skipped: needs root and ip(8)");
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "needs root and ip(8)");
        None
    }

    pub(super) fn output(&self, args: &str) -> (bool, String) {
        let args = format!("-n {} {args}", self.0);
        let run = Command::new("ip").args(args.split_whitespace()).output().unwrap();
        let text = if run.status.success() { run.stdout } else { run.stderr };
        (run.status.success(), String::from_utf8(text).unwrap())
    }

    pub(super) fn ip(&self, args: &str) {
        let (ok, text) = self.output(args);
        assert!(ok, "ip {args}: {text}");
    }

    /// Runs `work` on a thread inside.
    pub(super) fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        thread::scope(|scope| {
            let inside = scope.spawn(|| {
                let file = File::open(Path::new("/run/netns").join(&self.0)).unwrap();
                let kind = Some(LinkNameSpaceType::Network);
                move_into_link_name_space(file.as_fd(), kind).unwrap();
                work()
            });
            inside.join().unwrap()
        })
    }

    /// Two rails and a bridge, without the delays of IPv6.
    pub(super) fn with_rails(&self) {
        self.inside(|| {
            for (file, value) in [("accept_dad", "0"), ("addr_gen_mode", "0")] {
                let _ = fs::write(format!("/proc/sys/net/ipv6/conf/default/{file}"), value);
            }
        });
        self.ip("link add ib0 type veth peer name px0");
        self.ip("link add ib1 type veth peer name px1");
        self.ip("link add br0 type bridge");
        self.ip("link set px1 master br0");
        for dev in ["lo", "px0", "px1", "ib0", "ib1", "br0"] {
            self.ip(&format!("link set {dev} up"));
        }
        self.ip("addr add 172.16.34.1/16 dev ib0");
        self.ip("addr add 172.16.34.2/16 dev ib1 noprefixroute label ib1:1");
        self.ip("addr add 10.1.1.1 peer 10.1.1.2/32 dev ib1 scope link");
        self.ip("addr add 2001:db8::1/64 dev ib0 nodad");
        self.ip("addr add 2001:db8::2/64 dev ib0 nodad valid_lft 9000 preferred_lft 0");
    }

    pub(super) fn json(&self, args: &str) -> Vec<u8> {
        let (ok, text) = self.output(&format!("-j -d {args}"));
        assert!(ok, "ip -j -d {args}: {text}");
        text.into_bytes()
    }

    pub(super) fn by_ip(&self) -> (Reading<Vec<Link>>, Routing) {
        let dir = tempfile::tempdir().unwrap();
        for (file, args) in [
            (ipjson::LINKS, "link"),
            (ipjson::ADDRESSES, "addr"),
            (ipjson::RULES4, "rule"),
            (ipjson::RULES6, "-6 rule"),
            (ipjson::ROUTES4, "route show table all"),
            (ipjson::ROUTES6, "-6 route show table all"),
            (ipjson::NEIGHBOURS, "neigh show nud all"),
            (ipjson::NEXTHOPS, "nexthop"),
        ] {
            fs::write(dir.path().join(file), self.json(args)).unwrap();
        }
        ipjson::read_dir(dir.path())
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).status();
    }
}

/// What both ways of reading must agree on.
#[derive(Debug, PartialEq)]
pub(super) struct Seen {
    pub(super) links: Vec<Link>,
    pub(super) addresses: Vec<Address>,
    pub(super) rules4: Vec<Rule>,
    pub(super) rules6: Vec<Rule>,
    pub(super) routes4: Vec<Route>,
    pub(super) routes6: Vec<Route>,
    pub(super) neighbours: Vec<Neighbour>,
    pub(super) nexthops: Vec<NextHopObject>,
}

impl Seen {
    pub(super) fn new(links: Reading<Vec<Link>>, routing: Routing) -> Self {
        let mut links = links.unwrap();
        for link in &mut links {
            // Not in the JSON of iproute2.
            link.carrier_up_count = None;
            link.carrier_down_count = None;
        }
        let mut seen = Self {
            links,
            addresses: routing.addresses.unwrap(),
            rules4: routing.rules4.unwrap(),
            rules6: routing.rules6.unwrap(),
            routes4: routing.routes4.unwrap(),
            routes6: routing.routes6.unwrap(),
            neighbours: routing.neighbours.unwrap(),
            nexthops: routing.nexthops.unwrap(),
        };
        for route in seen.routes4.iter_mut().chain(&mut seen.routes6) {
            // The lock is not in the JSON of iproute2; the seconds run.
            route.mtu_locked = false;
            route.expires = route.expires.map(|left| left.div_ceil(100));
        }
        seen
    }

    pub(super) fn assert_eq(&self, other: &Self) {
        assert_eq!(self.links, other.links);
        assert_eq!(self.addresses, other.addresses);
        assert_eq!(self.rules4, other.rules4);
        assert_eq!(self.rules6, other.rules6);
        assert_eq!(self.routes4, other.routes4);
        assert_eq!(self.routes6, other.routes6);
        assert_eq!(self.neighbours, other.neighbours);
        assert_eq!(self.nexthops, other.nexthops);
    }
}

pub(super) fn by_netlink(rtnl: &Rtnl) -> (Reading<Vec<Link>>, Routing) {
    (rtnl.links(DEADLINE), rtnl.routing(&Root::new("/nonexistent"), DEADLINE))
}
