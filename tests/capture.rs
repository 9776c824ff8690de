//! Captures: what is read live is read from them too, whoever collected them, and however.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be made is a failed test")]

mod support;

use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use support::ns::{self, Ns, Rail};
use support::shots::{from, objects, rails, roots, why};
use support::stream::rail;
use support::tree::{Tree, scratch};
use support::{railtop, skip};

/// Two rails with addresses and rules, one of them without carrier, on the real kernel.
struct Node {
    ns: Ns,
    _rails: [Rail; 2],
}

impl Node {
    fn new(test: &str) -> Option<Self> {
        if let Some(why) = ns::unavailable() {
            skip(test, &why);
            return None;
        }
        let ns = Ns::new();
        let first = Rail::new(&ns, "ib0", "172.16.34.1/16");
        let second = Rail::new(&ns, "ib1", "172.16.34.2/16");
        ns.ip("rule add from 172.16.34.2 lookup 100 priority 1000");
        ns.ip("route add 172.16.0.0/16 dev ib1 src 172.16.34.2 table 100");
        second.carrier(false);
        let dead = || ns.ip("link show ib1").contains("NO-CARRIER").then_some(());
        support::wait_for("ib1 has no carrier", std::time::Duration::from_secs(5), dead);
        Some(Self { ns, _rails: [first, second] })
    }

    fn run(&self, args: &[&str]) -> Vec<u8> {
        let mut command = self.ns.command(railtop());
        let out = command.args(args).stdin(Stdio::null()).output().unwrap();
        assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
        out.stdout
    }

    /// The second object of the live stream: everything is read by then.
    fn live(&self) -> Value {
        let text = self.run(&["stream", "-n", "3", "--interval", "200ms"]);
        let text = String::from_utf8(text).unwrap();
        serde_json::from_str(text.lines().last().unwrap()).unwrap()
    }
}

/// What a capture must not change: everything but times and rates.
fn facts(object: &Value) -> Value {
    let netdev = |n: &Value| {
        json!([
            n["name"],
            n["ifindex"],
            n["kind"],
            n["admin_up"],
            n["carrier"],
            n["operstate"],
            n["mtu"],
            n["address"]
        ])
    };
    let rail = |r: &Value| {
        let layers: Vec<Value> = r["layers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|l| json!([l["layer"], l["verdict"]]))
            .collect();
        json!({
            "name": r["name"], "id": r["id"], "rdma": r["rdma"], "netdev": netdev(&r["netdev"]),
            "addresses": r["addresses"], "state": r["state_word"], "verdict": r["verdict"],
            "fails": r["first_failing_layer"], "layers": layers[..11], "group": r["group"],
        })
    };
    let all: Vec<Value> = object["rails"].as_array().unwrap().iter().map(rail).collect();
    json!({
        "rails": all, "verdict": object["verdict"], "roots": roots(object),
        "lnet": object["lnet"]["stage"], "host": object["host"]["name"],
        "other": object["other_nics"]["names"], "not_shown": object["not_shown"],
    })
}

#[track_caller]
fn same(live: &Value, captured: &Value) {
    let (live, captured) = (facts(live), facts(captured));
    assert_eq!(live, captured, "live {live:#}\ncaptured {captured:#}");
}

#[test]
fn a_capture_holds_what_the_live_view_shows() {
    let Some(node) = Node::new("a_capture_holds_what_the_live_view_shows") else { return };
    let live = node.live();
    assert_eq!(rails(&live), ["ib0", "ib1"]);
    assert_eq!(rail(&live, "ib1")["netdev"]["carrier"], false);
    assert_eq!(rail(&live, "ib1")["addresses"][0]["address"], "172.16.34.2/16");
    let dir = scratch();
    let path = dir.path().join("node7");
    let text = path.to_str().unwrap();
    let told = node.run(&["capture", "-n", "2", "--interval", "300ms", text]);
    let told = String::from_utf8(told).unwrap();
    assert!(told.contains("2 samples") && told.contains("--from"), "{told}");
    let captured = objects(&path, &[]);
    assert_eq!(captured.len(), 2);
    same(&live, &captured[0]);
    same(&live, &captured[1]);
    let interval = captured[1]["interval_seconds"].as_f64().unwrap();
    assert!((0.25..2.0).contains(&interval), "{interval}");
    assert_eq!(captured[1]["source"], "capture");
    assert_eq!(why(&rail(&captured[0], "ib0")["rx"], "bytes_per_second"), "first_sample");
    assert!(rail(&captured[1], "ib0")["rx"]["bytes_per_second"].is_f64());
}

#[test]
fn the_same_in_one_file() {
    let Some(node) = Node::new("the_same_in_one_file") else { return };
    let live = node.live();
    let dir = scratch();
    for name in ["node7.tar.zst", "node7.tar"] {
        let path = dir.path().join(name);
        node.run(&["capture", "-n", "2", "--interval", "100ms", path.to_str().unwrap()]);
        let captured = objects(&path, &[]);
        assert_eq!(captured.len(), 2);
        same(&live, &captured[1]);
    }
    let again = from(&dir.path().join("node7.tar"), &["capture", "elsewhere"]);
    assert_eq!(again.status.code(), Some(64));
    let mut over = node.ns.command(railtop());
    let over = over.arg("capture").arg(dir.path().join("node7.tar")).output().unwrap();
    assert_eq!(over.status.code(), Some(1), "nothing that exists is written over");
    assert_eq!(String::from_utf8(over.stderr).unwrap().lines().count(), 1);
}

/// What anyone can type.
const STANDARD: &str = "\
    mkdir -p sys/class sys/devices/virtual proc/sys/net/ipv4 proc/sys/kernel
    cp -r /sys/class/net sys/class/
    cp -r /sys/devices/virtual/net sys/devices/virtual/
    cp -r /proc/sys/net/ipv4/conf proc/sys/net/ipv4/
    cp /proc/sys/kernel/hostname proc/sys/kernel/";
const IP: &str = "\
    ip -j -d addr > ip-addr.json
    ip -j -d link > ip-link.json
    ip -j rule > ip-rule.json
    ip -j -6 rule > ip-rule6.json
    ip -j route show table all > ip-route.json
    ip -j -6 route show table all > ip-route6.json
    ip -j neigh > ip-neigh.json";

fn by_hand(node: &Node, dir: &Path, lines: &str) {
    // cp says so for every file that cannot be read, and goes on.
    let line = format!("cd {} && {{ {lines}\n}} 2> /dev/null; true", dir.display());
    node.ns.sh(&line);
}

#[test]
fn a_colleague_collects_one_with_cp_and_ip() {
    let Some(node) = Node::new("a_colleague_collects_one_with_cp_and_ip") else { return };
    let live = node.live();
    let dir = scratch();
    by_hand(&node, dir.path(), &format!("{STANDARD}\n{IP}"));
    let captured = objects(dir.path(), &[]).pop().unwrap();
    let mut expected = facts(&live);
    // Nobody asked lnetctl, and nobody looked at /sys/module.
    expected["lnet"] = json!("unknown");
    let mut told = facts(&captured);
    for (told, expected) in told["rails"]
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .zip(expected["rails"].as_array_mut().unwrap())
    {
        told["layers"] = Value::Null;
        expected["layers"] = Value::Null;
    }
    assert_eq!(told, expected, "{told:#}\n{expected:#}");
    assert_eq!(why(&captured["lnet"], "nets"), "absent");

    // The same without ip: sysfs alone tells names, carrier, state; addresses are not known.
    for name in ["ip-addr.json", "ip-link.json"] {
        fs::remove_file(dir.path().join(name)).unwrap();
    }
    let without = objects(dir.path(), &[]).pop().unwrap();
    assert_eq!(rails(&without), ["ib0", "ib1"]);
    assert_eq!(rail(&without, "ib1")["netdev"]["carrier"], false);
    // Without an address nothing says that anybody relies on it.
    assert_eq!(roots(&without), ["RAIL_DOWN note"]);
    assert_eq!(why(rail(&without, "ib0"), "addresses"), "absent");

    // And ip alone.
    let dir = scratch();
    by_hand(&node, dir.path(), IP);
    let alone = objects(dir.path(), &[]).pop().unwrap();
    assert_eq!(rails(&alone), ["ib0", "ib1"]);
    assert_eq!(rail(&alone, "ib1")["netdev"]["carrier"], false);
    assert_eq!(rail(&alone, "ib1")["addresses"][0]["address"], "172.16.34.2/16");
    assert_eq!(why(&rail(&alone, "ib0")["rx"], "bytes_per_second"), "absent");
}

#[test]
fn tar_does_as_well() {
    let Some(node) = Node::new("tar_does_as_well") else { return };
    let live = node.live();
    let dir = scratch();
    by_hand(&node, dir.path(), IP);
    // Every file of sysfs claims a page: tar pads what is shorter with NUL.
    by_hand(
        &node,
        dir.path(),
        "tar -cf node7.tar -C / sys/class/net sys/devices/virtual/net sys/module/tun proc/sys/kernel/hostname\n\
         tar -rf node7.tar ip-*.json",
    );
    let captured = objects(&dir.path().join("node7.tar"), &[]).pop().unwrap();
    let (told, expected) = (facts(&captured), facts(&live));
    for place in 0..2 {
        // Which layer fails first takes the sysctls, and a tar of /proc holds empty files.
        for field in ["name", "id", "netdev", "addresses", "state"] {
            assert_eq!(told["rails"][place][field], expected["rails"][place][field], "{field}");
        }
    }
}

fn rail_tree(tree: &Tree) {
    let pci = tree.pci("0000:10", 0, "16.0 GT/s PCIe", "16");
    let hca = tree.hca("mlx5_0", Some(&pci));
    tree.port(&hca, 1, &support::tree::Port::active("200 Gb/sec (4X HDR)"));
    tree.netdev("ib0", Some(&pci), support::tree::Nic::ipoib(2));
}

#[test]
fn pieces_that_failed_or_are_not_there() {
    let of = |files: &[(&str, &str)]| {
        let tree = Tree::new();
        rail_tree(&tree);
        for (name, text) in files {
            tree.file(name, text);
        }
        objects(tree.path(), &[]).pop().unwrap()
    };
    let addresses = |object: &Value| why(rail(object, "ib0"), "addresses").to_owned();
    assert_eq!(addresses(&of(&[])), "absent");
    assert_eq!(addresses(&of(&[("ip-addr.json", "[{")])), "unparsable");
    assert_eq!(addresses(&of(&[("ip-addr.json", "")])), "absent");
    let refused = "exit status: 2\nOperation not permitted\n";
    assert_eq!(addresses(&of(&[("ip-addr.json.error", refused)])), "denied");
    assert_eq!(rail(&of(&[("ip-addr.json", "[]")]), "ib0")["addresses"], json!([]));

    let denied = "exit status: 243\nshow:\n    - net:\n          errno: -13\n          descr: \"cannot get networks: Permission denied\"\n";
    let lnet = |files: &[(&str, &str)]| of(files)["lnet"].clone();
    assert_eq!(why(&lnet(&[]), "nets"), "absent");
    assert_eq!(why(&lnet(&[("lnetctl-net-show.yaml.error", denied)]), "nets"), "denied");
    assert_eq!(lnet(&[("sys/module/tun/x", "")])["stage"], "not_loaded");

    // Nothing but an answer of lnetctl, on a node of which nothing else is known.
    let tree = Tree::new();
    tree.file("lnetctl-net-show.yaml", "net:\n    - net type: o2ib\n      local NI(s):\n        - nid: 10.0.0.1@o2ib\n          status: up\n");
    let bare = objects(tree.path(), &[]).pop().unwrap();
    assert_eq!((&bare["lnet"]["stage"], rails(&bare).len()), (&json!("up"), 0));
    assert_eq!(bare["verdict"], "unknown");
    assert_eq!(why(&bare["host"], "kernel"), "absent");
    assert_eq!(why(&bare["host"], "uid"), "absent");
}

#[track_caller]
fn refused(path: &Path) {
    for command in [&["stream"][..], &["stream", "--text", "-n", "1"], &[]] {
        let out = from(path, command);
        let told = String::from_utf8(out.stderr).unwrap();
        assert_eq!(out.status.code(), Some(64), "{command:?} {}: {told}", path.display());
        assert_eq!(told.lines().count(), 1, "{told}");
        assert!(told.starts_with("railtop: "), "{told}");
        assert_eq!(String::from_utf8(out.stdout).unwrap(), "");
    }
}

#[test]
fn what_is_no_capture() {
    let dir = scratch();
    let at = |name: &str| dir.path().join(name);
    refused(&at("missing"));
    refused(Path::new("/"));
    refused(Path::new("/dev/null"));
    fs::create_dir(at("empty")).unwrap();
    refused(&at("empty"));
    fs::create_dir_all(at("other/music/album")).unwrap();
    refused(&at("other"));
    for (name, bytes) in [
        ("nothing.tar", &b""[..]),
        ("noise.tar", &[0x5a; 5000]),
        ("noise.tar.zst", &[0x5a; 5000]),
        ("zeros.tar", &[0; 10240]),
        ("text", b"mlx5_0 ACTIVE\n"),
        ("cut.tar.zst", b"\x28\xb5\x2f\xfd\x04\x58"),
    ] {
        fs::write(at(name), bytes).unwrap();
        refused(&at(name));
    }
}

#[test]
fn an_archive_that_ends_too_soon() {
    let tree = Tree::new();
    rail_tree(&tree);
    let dir = scratch();
    let whole = dir.path().join("whole.tar");
    let tar =
        Command::new("tar").arg("-cf").arg(&whole).arg("-C").arg(tree.path()).arg("sys").status();
    assert!(tar.unwrap().success());
    assert_eq!(rails(&objects(&whole, &[])[0]), ["ib0"]);
    let bytes = fs::read(&whole).unwrap();
    let cut = dir.path().join("cut.tar");
    fs::write(&cut, &bytes[..bytes.len() / 2 + 100]).unwrap();
    let out = from(&cut, &["stream"]);
    // Either what is there is read, or one line says why not.
    let told = String::from_utf8(out.stderr).unwrap();
    assert!(matches!(out.status.code(), Some(0 | 64)), "{told}");
    assert!(told.lines().count() <= 1, "{told}");
}

#[test]
fn another_root_is_captured_too() {
    let tree = Tree::new();
    rail_tree(&tree);
    let dir = scratch();
    let path = dir.path().join("copy");
    let out = Command::new(railtop())
        .args(["capture", "-n", "1", "--root"])
        .args([tree.path(), &path])
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let object = objects(&path, &["--rail", "ib0"]).pop().unwrap();
    assert_eq!(rail(&object, "ib0")["rdma"]["device"], "mlx5_0");
}
