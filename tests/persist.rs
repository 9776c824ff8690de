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

/// systemd-networkd with its own /run and configuration; gone when dropped.
struct Networkd(Child);

impl Networkd {
    /// Starts it in a namespace on the `etc/systemd/network` and `run/systemd/network` of a tree.
    fn start(ns: &Ns, tree: &Path) -> Self {
        // A read-only /sys tells it that there is no udev to wait for (systemd, udev-util.c).
        let script = "set -e; tree=$1; shift
            mount -t tmpfs -o mode=755 none /run
            mount -t tmpfs -o mode=755 none /etc/systemd/network
            mount -o remount,bind,ro /sys
            mkdir -p /run/systemd/network
            for dir in etc run; do
                if [ -d \"$tree/$dir/systemd/network\" ]; then
                    cp -r \"$tree/$dir/systemd/network/.\" /$dir/systemd/network/
                fi
            done
            chmod -R a+rX /run/systemd /etc/systemd/network
            exec \"$@\"";
        let child = ns
            .command("unshare")
            .args(["--mount", "--propagation", "private", "sh", "-c", script, "sh"])
            .arg(tree)
            .arg(NETWORKD)
            .stdout(Stdio::null())
            .stderr(fs::File::create(tree.join("log")).unwrap())
            .spawn()
            .expect("unshare runs");
        Self(child)
    }
}

impl Drop for Networkd {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn networkd_makes(what: &str, tree: &Path, wanted: &str) {
    let ns = Ns::new();
    rails(&ns);
    let _networkd = Networkd::start(&ns, tree);
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        becomes(what, &ns, wanted);
    }));
    let log = fs::read_to_string(tree.join("log")).unwrap_or_default();
    assert!(result.is_ok(), "{what}: {log}");
    let strange = |line: &&str| {
        ["gnor", "nknown", "nvalid", "Failed to parse"].iter().any(|word| line.contains(word))
            // Of netplan's making, and said: systemd 252 has no such section for a link that is
            // there.
            && !line.contains("Unknown section 'IPoIB'")
            && !line.contains("Scope= is specified for IPv6 route")
    };
    assert_eq!(log.lines().find(strange), None, "{what}: {log}");
}

#[test]
fn networkd_makes_of_its_files_what_the_commands_make() {
    needs!("networkd_makes_of_its_files_what_the_commands_make", NETWORKD);
    let wanted = by_commands();
    let whole = tempfile::tempdir().unwrap();
    write(&persist::render(Manager::Networkd, &plan(|_| None)), whole.path());
    networkd_makes("whole files", whole.path(), &wanted);

    let parts = tempfile::tempdir().unwrap();
    let base = parts.path().join("etc/systemd/network");
    fs::create_dir_all(&base).unwrap();
    for (name, v4, v6) in RAILS {
        let text = format!("[Match]\nName={name}\n[Network]\nAddress={v4}\nAddress={v6}\n");
        fs::write(base.join(format!("20-{name}.network")), text).unwrap();
    }
    let out = persist::render(
        Manager::Networkd,
        &plan(|name| {
            let file = format!("/etc/systemd/network/20-{name}.network");
            Some(managed(Manager::Networkd, None, &file))
        }),
    );
    assert!(out.files.iter().any(|f| f.path.ends_with("/20-ib1.network.d/90-railtop.conf")));
    write(&out, parts.path());
    networkd_makes("drop-ins", parts.path(), &wanted);
}

#[test]
fn the_run_time_files_of_networkd_are_understood() {
    needs!("the_run_time_files_of_networkd_are_understood", NETWORKD);
    let tree = tempfile::tempdir().unwrap();
    write(&persist::render(Manager::Networkd, &plan(|_| None)), tree.path());
    let ns = Ns::new();
    rails(&ns);
    let networkd = Networkd::start(&ns, tree.path());
    // Its /run is only in its own mount namespace.
    let root = Root::new(format!("/proc/{}/root", networkd.0.id()));
    let link = ns.ip("-o link show ib0");
    let index: u32 = link.split(':').next().unwrap().parse().unwrap();
    let found = wait_for("ib0 is configured", Duration::from_secs(20), || {
        let managers = railtop::read::manager::read(&root, &[(index, "ib0".into())]);
        let found = managers.of("ib0")?.clone().ok()?;
        found.evidence.contains("ADMIN_STATE=configured").then_some(found)
    });
    assert_eq!((found.manager, found.daemon, found.shared), (Manager::Networkd, None, false));
    assert_eq!(found.profile, Some("/etc/systemd/network/10-railtop-ib0.network".into()));
}

/// Runs netplan's generator on a tree.
fn netplan(tree: &Path) -> String {
    let out = Command::new("netplan")
        .args(["generate", "--root-dir"])
        .arg(tree)
        .output()
        .expect("netplan runs");
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.success(), "netplan generate: {said}");
    said
}

#[test]
fn networkd_makes_of_netplans_files_what_the_commands_make() {
    needs!("networkd_makes_of_netplans_files_what_the_commands_make", NETWORKD, "netplan");
    let wanted = by_commands();
    let whole = tempfile::tempdir().unwrap();
    write(&persist::render(Manager::Netplan, &plan(|_| None)), whole.path());
    assert_eq!(netplan(whole.path()), "");
    networkd_makes("netplan, a file of its own", whole.path(), &wanted);

    let adds = tempfile::tempdir().unwrap();
    let base = "network:\n  version: 2\n  renderer: networkd\n  ethernets:\n    \
        ib0: {addresses: [172.16.34.1/16, \"fd00::1/64\"]}\n    \
        ib1: {addresses: [172.16.34.2/16, \"fd00::2/64\"]}\n";
    let dir = adds.path().join("etc/netplan");
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("50-base.yaml"), base).unwrap();
    let kept = |name: &str| {
        let file = format!("/run/systemd/network/10-netplan-{name}.network");
        Some(managed(Manager::Netplan, Some(Manager::Networkd), &file))
    };
    let out = persist::render(Manager::Netplan, &plan(kept));
    write(&out, adds.path());
    netplan(adds.path());
    networkd_makes("netplan, beside another file", adds.path(), &wanted);
}

#[test]
fn netplan_for_network_manager_is_as_bad_as_said() {
    needs!("netplan_for_network_manager_is_as_bad_as_said", "netplan");
    let tree = tempfile::tempdir().unwrap();
    let dir = tree.path().join("etc/netplan");
    fs::create_dir_all(&dir).unwrap();
    let base = "network:\n  version: 2\n  renderer: NetworkManager\n  ethernets:\n    \
        ib0: {addresses: [172.16.34.1/16]}\n";
    fs::write(dir.join("50-base.yaml"), base).unwrap();
    // Without the refusal, which netplan does not take for NetworkManager: also said.
    let changes: Vec<Change> = changes()
        .into_iter()
        .filter(
            |c| !matches!(&c.action, Action::RouteReplace { route, .. } if route.kind.is_some()),
        )
        .filter(|c| c.action.target().contains("941") || c.action.command().contains("941"))
        .collect();
    let kept = |name: &str| {
        (name == "ib0").then(|| managed(Manager::Netplan, Some(Manager::NetworkManager), "u"))
    };
    let plan = persist::plan(&changes, &states(kept));
    let out = persist::render(Manager::Netplan, &plan);
    write(&out, tree.path());
    netplan(tree.path());
    let keyfile =
        tree.path().join("run/NetworkManager/system-connections/netplan-ib0.nmconnection");
    let keyfile = fs::read_to_string(keyfile).unwrap();
    assert!(keyfile.contains("172.16.0.0/16"), "{keyfile}");
    let dropped = !keyfile.contains("9410");
    let said = out.warnings.iter().any(|w| w.contains("silently drops routing-policy"));
    assert!(said || !dropped, "{keyfile}");
}

/// Pipes a keyfile through `nmcli --offline connection modify …`.
fn nmcli(keyfile: &str, line: &str) -> String {
    let mut child = Command::new("sh")
        .args(["-c", line])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("sh runs");
    child.stdin.take().unwrap().write_all(keyfile.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success(), "{line}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// The lines about routes and rules, without their numbers: the order of routes is not kept.
fn routing_lines(keyfile: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut section = "";
    for line in keyfile.lines() {
        if line.starts_with('[') {
            section = line;
        } else if let Some((key, value)) = line.split_once('=') {
            let key: String = key.chars().filter(|c| !c.is_ascii_digit()).collect();
            if key.starts_with("rout") || key.starts_with("address") {
                let mut parts: Vec<&str> = value.split(',').collect();
                if key.ends_with("options") {
                    parts.sort_unstable();
                }
                lines.push(format!("{section} {key}={}", parts.join(",")));
            }
        }
    }
    lines.sort();
    lines
}

#[test]
fn nmcli_takes_the_keyfile_and_the_command_makes_the_same() {
    needs!("nmcli_takes_the_keyfile_and_the_command_makes_the_same", "nmcli");
    let out = persist::render(Manager::NetworkManager, &plan(|_| None));
    let keyfile = out.files.iter().find(|f| f.path.ends_with("/railtop-ib0.nmconnection")).unwrap();
    assert_eq!(keyfile.mode, 0o600);
    let same = "nmcli --offline connection modify connection.autoconnect yes";
    let read = nmcli(&keyfile.content, same);
    assert_eq!(routing_lines(&read), routing_lines(&keyfile.content), "{read}");
    assert_eq!(routing_lines(&read).len(), 12, "{read}");
    for line in ["type=infiniband", "interface-name=ib0", "transport-mode=datagram"] {
        assert!(read.contains(line), "{read}");
    }

    let out = persist::render(
        Manager::NetworkManager,
        &plan(|_| Some(managed(Manager::NetworkManager, None, "uuid-x"))),
    );
    assert!(out.files.iter().all(|f| f.path.starts_with("/etc/sysctl.d")));
    let online = "nmcli connection modify uuid uuid-x";
    let modify = out.commands.iter().find(|c| c.starts_with(online)).unwrap();
    let modify = modify.replacen(online, "nmcli --offline connection modify", 1);
    let base = "[connection]\nid=ib0\ntype=infiniband\ninterface-name=ib0\n\
        [infiniband]\ntransport-mode=datagram\n[ipv4]\nmethod=manual\naddress1=172.16.34.1/16\n\
        [ipv6]\nmethod=manual\naddress1=fd00::1/64\n";
    let once = nmcli(base, &modify);
    assert_eq!(routing_lines(&once), routing_lines(&keyfile.content), "{once}");
    let twice = nmcli(&once, &modify);
    assert_eq!(twice, once, "the command may be run again");
}

/// Runs sh in a namespace on an /etc/network of its own.
fn on_tree(ns: &Ns, tree: &Path, line: &str) -> String {
    let script = "set -e
        mount --bind \"$1/etc/network\" /etc/network
        mount --bind \"$1/run/network\" /run
        mkdir -p /run/network
        exec sh -c \"$2\"";
    let out = ns
        .command("unshare")
        .args(["--mount", "--propagation", "private", "sh", "-c", script, "sh"])
        .arg(tree)
        .arg(line)
        .output()
        .expect("unshare runs");
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.success(), "{line}: {said}{}", String::from_utf8_lossy(&out.stdout));
    assert_eq!(said, "", "{line}");
    String::from_utf8_lossy(&out.stdout).into_owned()
}

#[test]
fn ifup_runs_the_hook_and_makes_what_the_commands_make() {
    needs!("ifup_runs_the_hook_and_makes_what_the_commands_make", "ifup", "run-parts");
    let wanted = by_commands();
    let tree = tempfile::tempdir().unwrap();
    let etc = tree.path().join("etc/network");
    fs::create_dir_all(tree.path().join("run/network")).unwrap();
    for dir in ["if-pre-up.d", "if-up.d", "if-down.d", "if-post-down.d"] {
        fs::create_dir_all(etc.join(dir)).unwrap();
    }
    let stanza = |(name, v4, v6): (&str, &str, &str)| {
        format!(
            "auto {name}\niface {name} inet static\n  address {v4}\n\
             iface {name} inet6 static\n  address {v6}\n  dad-attempts 0\n"
        )
    };
    let interfaces: String = RAILS.into_iter().map(stanza).collect();
    fs::write(etc.join("interfaces"), interfaces).unwrap();
    let out = persist::render(Manager::Ifupdown, &plan(|_| None));
    write(&out, tree.path());

    let ns = Ns::new();
    rails(&ns);
    let empty = state(&ns);
    let runs = on_tree(&ns, tree.path(), "run-parts --test /etc/network/if-up.d");
    assert_eq!(runs, "/etc/network/if-up.d/railtop-rails\n");
    assert_eq!(on_tree(&ns, tree.path(), "ifquery --list"), "lo\nib0\nib1\n");
    on_tree(&ns, tree.path(), "ifup -a");
    assert_eq!(state(&ns), wanted);
    assert_eq!(ns.sh("sysctl -n net.ipv4.conf.ib0.arp_ignore"), "1\n");

    // Its own rules once, whatever was there before; others stay.
    let hook = |interface: &str, dir: &str| {
        let line = format!("IFACE={interface} /etc/network/{dir}/railtop-rails");
        assert_eq!(on_tree(&ns, tree.path(), &line), "", "{line}");
    };
    ns.ip("rule add from 172.16.34.1 lookup 941");
    ns.ip("rule add pref 5 from 172.16.34.1 lookup 941");
    ns.ip("rule add pref 6 from 172.16.34.1 lookup 941 suppress_prefixlength 0");
    hook("ib0", "if-up.d");
    let with_other = wanted.replacen(
        "0: from all lookup local",
        "0: from all lookup local\n6: from 172.16.34.1 lookup 941 suppress_prefixlength 0",
        1,
    );
    assert_eq!(state(&ns), with_other);
    ns.ip("rule del pref 6");

    // A bounce empties the tables; the hook fills them again.
    ns.ip("link set ib0 down");
    ns.ip("link set ib0 up");
    ns.ip("-6 addr replace fd00::1/64 dev ib0 nodad");
    assert_ne!(state(&ns), wanted);
    hook("--all", "if-up.d");
    assert_eq!(state(&ns), wanted);
    for interface in ["ib0", "ib1", "--all", "eth0", ""] {
        hook(interface, "if-up.d");
        assert_eq!(state(&ns), wanted, "IFACE={interface}");
    }

    // A rail that is down gets nothing, and no complaint.
    on_tree(&ns, tree.path(), "ifdown -a 2>/dev/null");
    hook("ib0", "if-post-down.d");
    let rules = |text: &str| text.split("-4 route").next().unwrap_or_default().to_owned();
    assert_eq!(rules(&state(&ns)), rules(&empty));
    hook("ib0", "if-up.d");
    assert_eq!(rules(&state(&ns)), rules(&empty));
}

#[test]
fn both_programs_of_sysctl_take_the_file() {
    needs!("both_programs_of_sysctl_take_the_file", "sysctl", "/lib/systemd/systemd-sysctl");
    let rails = ["ib0", "ib0.8001"];
    let changes: Vec<Change> = rails
        .iter()
        .map(|name| {
            let key =
                SysctlKey { family: Family::Inet, interface: (*name).into(), name: "arp_announce" };
            Change::here(Action::Sysctl { key, value: 2, before: None })
        })
        .collect();
    let states: Vec<RailState> = rails
        .iter()
        .map(|name| RailState {
            interface: (*name).into(),
            kind: Kind::Ethernet,
            addresses: vec![],
            managed: None,
        })
        .collect();
    let out = persist::render(Manager::Ifupdown, &persist::plan(&changes, &states));
    let tree = tempfile::tempdir().unwrap();
    write(&out, tree.path());
    let file = tree.path().join("etc/sysctl.d/90-railtop-rails.conf");
    for program in ["sysctl -p", "/lib/systemd/systemd-sysctl"] {
        let ns = Ns::new();
        for name in rails {
            ns.ip(&format!("link add {name} type veth"));
        }
        ns.sh(&format!("{program} {}", file.display()));
        let values = ns.sh("cat /proc/sys/net/ipv4/conf/ib0*/arp_announce");
        assert_eq!(values, "2\n2\n", "{program}");
    }
}
