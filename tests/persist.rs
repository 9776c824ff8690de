//! The persistent forms, read by the programs they are for: what these make of them on the real
//! kernel is what the commands of the remedy make.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on panics"
)]

mod support;

use railtop::fix::persist::{self, Kind, Persist, Plan, RailState};
use railtop::fix::{self, Action, Change, RouteSpec, RuleSpec, SysctlKey};
use railtop::read::root::Root;
use railtop::sample::{Family, Managed, Manager, Prefix};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use support::ns::{self, Ns};
use support::{skip, wait_for};

const NETWORKD: &str = "/lib/systemd/systemd-networkd";

/// Skips the test that calls it where a program or namespaces are missing.
macro_rules! needs {
    ($test:literal, $($program:expr),* $(,)?) => {
        if let Some(why) = ns::unavailable() {
            return skip($test, &why);
        }
        $(if !has($program) {
            return skip($test, &format!("needs {}", $program));
        })*
    };
}

#[path = "persist/ifupdown.rs"]
mod ifupdown;
#[path = "persist/netplan.rs"]
mod netplan;
#[path = "persist/networkd.rs"]
mod networkd;
#[path = "persist/nm.rs"]
mod nm;
#[path = "persist/sysctl.rs"]
mod sysctl;

fn has(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", "command -v \"$0\"", program]).output();
    found.is_ok_and(|out| out.status.success())
}

fn prefix(text: &str) -> Prefix {
    let (addr, len) = text.split_once('/').unwrap();
    Prefix { addr: addr.parse().unwrap(), len: len.parse().unwrap() }
}

/// Two rails of one subnet, both families, with a default route, a refusal and a sysctl.
fn changes() -> Vec<Change> {
    let mut changes = Vec::new();
    for (dev, v4, v6, table) in
        [("ib0", "172.16.34.1", "fd00::1", 941), ("ib1", "172.16.34.2", "fd00::2", 942)]
    {
        for (address, len) in [(v4, 16), (v6, 64)] {
            let address = address.parse().unwrap();
            let subnet = Prefix { addr: address, len };
            changes.push(Action::RouteReplace {
                route: RouteSpec::connected(subnet, dev.into(), address, table),
                before: None,
            });
            changes.push(Action::RuleAdd(RuleSpec::source(address, table * 10, table)));
        }
        let via = RouteSpec {
            via: Some("172.16.0.254".parse().unwrap()),
            metric: Some(50),
            scope_link: false,
            dst: prefix("0.0.0.0/0"),
            ..RouteSpec::connected(prefix("0.0.0.0/0"), dev.into(), v4.parse().unwrap(), table)
        };
        changes.push(Action::RouteReplace { route: via, before: None });
    }
    changes.push(Action::RouteReplace {
        route: RouteSpec {
            kind: Some("unreachable"),
            dev: None,
            src: None,
            scope_link: false,
            ..RouteSpec::connected(
                prefix("10.9.0.0/16"),
                "ib0".into(),
                "172.16.34.1".parse().unwrap(),
                941,
            )
        },
        before: None,
    });
    let key = SysctlKey { family: Family::Inet, interface: "ib0".into(), name: "arp_ignore" };
    changes.push(Action::Sysctl { key, value: 1, before: Some(0) });
    changes.into_iter().map(Change::here).collect()
}

const RAILS: [(&str, &str, &str); 2] =
    [("ib0", "172.16.34.1/16", "fd00::1/64"), ("ib1", "172.16.34.2/16", "fd00::2/64")];

fn states(managed: impl Fn(&str) -> Option<Managed>) -> Vec<RailState> {
    RAILS
        .iter()
        .map(|(name, v4, v6)| RailState {
            interface: (*name).into(),
            kind: Kind::Infiniband { mode: Some("datagram".into()), pkey: None, parent: None },
            addresses: vec![prefix(v4), prefix(v6)],
            managed: managed(name),
        })
        .collect()
}

fn managed(manager: Manager, daemon: Option<Manager>, profile: &str) -> Managed {
    Managed {
        manager,
        daemon,
        profile: Some(profile.into()),
        file: Some(profile.into()),
        shared: false,
        evidence: "a test".into(),
    }
}

fn plan(managed: impl Fn(&str) -> Option<Managed>) -> Plan {
    let plan = persist::plan(&changes(), &states(managed));
    assert_eq!(plan.left_out, Vec::<String>::new());
    plan
}

/// Rails without addresses: the manager gives them. They are veths: networkd wants a hardware
/// address of 20 bytes of an InfiniBand interface, which a TUN device has not.
fn rails(ns: &Ns) {
    // No wait for duplicate address detection: nobody is there.
    ns.sh("sysctl -q -w net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0");
    for (i, (name, ..)) in RAILS.iter().enumerate() {
        ns.ip(&format!("link add {name} type veth peer name p{i}"));
        ns.ip(&format!("link set p{i} up"));
    }
}

/// Rails with addresses: what the manager is expected to have made already.
fn addressed_rails(ns: &Ns) {
    rails(ns);
    for (name, v4, v6) in RAILS {
        ns.ip(&format!("link set {name} up"));
        ns.ip(&format!("addr add {v4} dev {name}"));
        ns.ip(&format!("-6 addr add {v6} dev {name} nodad"));
    }
}

/// Rules and tables, without who made them.
fn state(ns: &Ns) -> String {
    let mut text = String::new();
    for query in [
        "-4 rule",
        "-6 rule",
        "-4 route show table 941",
        "-4 route show table 942",
        "-6 route show table 941",
        "-6 route show table 942",
    ] {
        // A table that was never filled is an error of `ip`.
        let out = ns.try_ip(query);
        let mut lines: Vec<String> = String::from_utf8_lossy(&out.stdout)
            .replace("proto static", "")
            .replace("proto boot", "")
            // IPv6 names the device of a refusal, and the preference where it is medium.
            .replace("pref medium", "")
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        if query.contains("route") {
            lines.sort();
        }
        text = [text, query.to_owned(), lines.join("\n"), String::new()].join("\n");
    }
    text
}

/// The state that the commands of the remedy make.
fn by_commands() -> String {
    let ns = Ns::new();
    addressed_rails(&ns);
    for step in fix::commands(&changes()) {
        ns.sh(&step.command);
    }
    state(&ns)
}

/// Waits for the state that the commands make.
fn becomes(what: &str, ns: &Ns, wanted: &str) {
    let start = std::time::Instant::now();
    loop {
        let now = state(ns);
        if now == wanted {
            return;
        }
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "{what}: not what the commands make:\n{now}\n--- wanted:\n{wanted}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Writes the files of a form below a directory.
fn write(out: &Persist, root: &Path) {
    use std::os::unix::fs::PermissionsExt;
    for file in &out.files {
        let path = root.join(file.path.trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &file.content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(file.mode)).unwrap();
    }
}
