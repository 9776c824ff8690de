//! Hosts that this kernel cannot be made into, as `ip -j` would print them: rails in VRFs and
//! bonds. Each is a capture, and the program reads it as any other.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on panics"
)]

mod support;

use serde_json::{Value, json};
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;
use support::railtop;

/// A host in words of iproute2.
struct Host {
    links: Vec<Value>,
    addresses: Vec<Value>,
    rules: Vec<Value>,
    routes: Vec<Value>,
    sysctls: Vec<(&'static str, &'static str, i64)>,
    /// What `lnetctl` printed, by the name of its file.
    lnetctl: Vec<(&'static str, String)>,
}

const UP: [&str; 4] = ["BROADCAST", "MULTICAST", "UP", "LOWER_UP"];

impl Host {
    /// Loopback, a management network, the rules that every kernel makes.
    fn new() -> Self {
        let mut host = Self {
            links: Vec::new(),
            addresses: Vec::new(),
            rules: vec![
                json!({"priority": 0, "src": "all", "table": "local", "protocol": "kernel"}),
                json!({"priority": 32766, "src": "all", "table": "main", "protocol": "kernel"}),
                json!({"priority": 32767, "src": "all", "table": "default", "protocol": "kernel"}),
            ],
            routes: Vec::new(),
            sysctls: Vec::new(),
            lnetctl: Vec::new(),
        };
        host.link("lo", "loopback", &["LOOPBACK", "UP", "LOWER_UP"], &json!({}));
        host.link("eth0", "ether", &UP, &json!({}));
        host.address("eth0", "10.208.130.34", 24, None);
        host.routes.push(json!({"dst": "default", "gateway": "10.208.130.1", "dev": "eth0",
            "protocol": "static", "flags": []}));
        host
    }

    fn link(&mut self, name: &str, kind: &str, flags: &[&str], more: &Value) {
        let carrier = flags.contains(&"LOWER_UP");
        let mut link = json!({
            "ifindex": self.links.len() + 1,
            "ifname": name,
            "flags": flags,
            "mtu": if kind == "infiniband" { 2044 } else { 1500 },
            "qdisc": "mq",
            "operstate": if carrier { "UP" } else { "DOWN" },
            "linkmode": "DEFAULT",
            "group": "default",
            "txqlen": 256,
            "link_type": kind,
            "promiscuity": 0,
        });
        let object = link.as_object_mut().unwrap();
        object.extend(more.as_object().unwrap().clone());
        self.links.push(link);
    }

    fn vrf(&mut self, name: &str, table: u32) {
        let more = json!({"linkinfo": {"info_kind": "vrf", "info_data": {"table": table}}});
        self.link(name, "ether", &["NOARP", "MASTER", "UP", "LOWER_UP"], &more);
    }

    /// An IPoIB interface, which may have a master.
    fn ipoib(&mut self, name: &str, master: Option<(&str, &str, Value)>) {
        let mut info = json!({"info_kind": "ipoib",
            "info_data": {"pkey": "0xffff", "mode": "datagram", "umcast": "0000"}});
        let mut flags = UP.to_vec();
        let mut more = json!({});
        if let Some((master, kind, data)) = master {
            more["master"] = json!(master);
            info["info_slave_kind"] = json!(kind);
            info["info_slave_data"] = data;
            if kind == "bond" {
                flags.push("SLAVE");
            }
        }
        more["linkinfo"] = info;
        self.link(name, "infiniband", &flags, &more);
    }

    fn in_vrf(&mut self, name: &str, vrf: &str, table: u32) {
        self.ipoib(name, Some((vrf, "vrf", json!({"table": table}))));
    }

    fn bond(&mut self, name: &str, members: &[&str]) {
        let mut flags = UP.to_vec();
        flags.push("MASTER");
        let more = json!({"linkinfo": {"info_kind": "bond",
            "info_data": {"mode": "active-backup", "active_slave": members[0], "miimon": 100}}});
        self.link(name, "infiniband", &flags, &more);
        for member in members {
            let data = json!({"state": "ACTIVE", "mii_status": "UP", "link_failure_count": 0});
            self.ipoib(member, Some((name, "bond", data)));
        }
    }

    /// An address with the routes that the kernel makes of it, in the table of the VRF.
    fn address(&mut self, dev: &str, address: &str, len: u8, vrf: Option<u32>) {
        let index = self.links.iter().position(|l| l["ifname"] == dev).unwrap();
        let info = json!({"family": "inet", "local": address, "prefixlen": len, "scope": "global",
            "label": dev, "valid_life_time": 4_294_967_295u32, "preferred_life_time": 4_294_967_295u32});
        let known = self.addresses.iter_mut().find(|a| a["ifname"] == dev);
        if let Some(known) = known {
            known["addr_info"].as_array_mut().unwrap().push(info);
        } else {
            let mut link = self.links[index].clone();
            link["addr_info"] = json!([info]);
            self.addresses.push(link);
        }
        let local = vrf.map_or_else(|| "local".to_owned(), |t| t.to_string());
        self.routes.push(json!({"type": "local", "dst": address, "dev": dev, "table": local,
            "protocol": "kernel", "scope": "host", "prefsrc": address, "flags": []}));
        let mut net = json!({"dst": network(address, len), "dev": dev, "protocol": "kernel",
            "scope": "link", "prefsrc": address, "flags": []});
        if let Some(table) = vrf {
            net["table"] = json!(table.to_string());
        }
        self.routes.push(net);
    }

    /// `from X lookup T` and the connected route in T.
    fn source_rule(&mut self, dev: &str, address: &str, len: u8, table: u32) {
        let rule = json!({"priority": table * 10, "src": address, "table": table.to_string()});
        let at = self.rules.len() - 2;
        self.rules.insert(at, rule);
        self.routes
            .push(json!({"dst": network(address, len), "dev": dev, "table": table.to_string(),
            "scope": "link", "prefsrc": address, "flags": []}));
        for (key, value) in [("arp_ignore", 1), ("arp_announce", 2), ("rp_filter", 2)] {
            let dev: &'static str = match dev {
                "ib0" => "ib0",
                "ib1" => "ib1",
                "bond0" => "bond0",
                "bond1" => "bond1",
                other => panic!("{other}"),
            };
            self.sysctls.push((dev, key, value));
        }
    }

    /// NIs of one net (NID and interface), and peers as their NIDs, the primary one first.
    fn lnet(&mut self, net: &str, nis: &[(&str, &str)], peers: &[&[&str]]) {
        let mut shown = format!("net:\n    - net type: {net}\n      local NI(s):\n");
        for (nid, dev) in nis {
            let _ = write!(
                shown,
                "        - nid: {nid}\n          status: up\n          interfaces:\n              0: {dev}\n"
            );
        }
        let mut told = String::from("peer:\n");
        for nids in peers {
            let _ = write!(
                told,
                "    - primary nid: {}\n      Multi-Rail: True\n      peer ni:\n",
                nids[0]
            );
            for nid in *nids {
                let _ = write!(told, "        - nid: {nid}\n          state: NA\n");
            }
        }
        self.lnetctl = vec![("lnetctl-net-show.yaml", shown), ("lnetctl-peer-show.yaml", told)];
    }

    /// The rule that VRFs need, made by the kernel with the first one.
    fn l3mdev(&mut self) {
        self.rules.insert(1, json!({"priority": 1000, "src": "all", "l3mdev": null}));
    }

    fn without_route(&mut self, dst: &str, dev: &str) {
        self.routes.retain(|r| !(r["dst"] == dst && r["dev"] == dev && r["type"].is_null()));
    }

    fn capture(&self, dir: &Path) {
        for (name, list) in [
            ("ip-link", &self.links),
            ("ip-addr", &self.addresses),
            ("ip-rule", &self.rules),
            ("ip-route", &self.routes),
        ] {
            fs::write(dir.join(format!("{name}.json")), json!(list).to_string()).unwrap();
        }
        for name in ["ip-rule6", "ip-route6", "ip-neigh", "ip-nexthop"] {
            fs::write(dir.join(format!("{name}.json")), "[]").unwrap();
        }
        for (name, text) in &self.lnetctl {
            fs::write(dir.join(name), text).unwrap();
            fs::create_dir_all(dir.join("sys/module/lnet")).unwrap();
        }
        let conf = dir.join("proc/sys/net/ipv4/conf");
        let names = self.links.iter().map(|l| l["ifname"].as_str().unwrap());
        for name in names.chain(["all", "default"]) {
            fs::create_dir_all(conf.join(name)).unwrap();
            for key in [
                "rp_filter",
                "arp_ignore",
                "arp_announce",
                "arp_filter",
                "accept_local",
                "ignore_routes_with_linkdown",
                "forwarding",
            ] {
                let set = self.sysctls.iter().rev().find(|(n, k, _)| (*n, *k) == (name, key));
                let value = set.map_or(0, |(_, _, v)| *v);
                fs::write(conf.join(name).join(key), format!("{value}\n")).unwrap();
            }
        }
    }

    /// What a command says of it.
    fn ask(&self, words: &[&str]) -> Value {
        let dir = tempfile::tempdir().unwrap();
        self.capture(dir.path());
        let out = Command::new(railtop())
            .args(words)
            .arg("--json")
            .arg("--from")
            .arg(dir.path())
            .output()
            .unwrap();
        serde_json::from_slice(&out.stdout)
            .unwrap_or_else(|e| panic!("{words:?}: {e}: {}", String::from_utf8_lossy(&out.stderr)))
    }

    /// Roots above a note, as `ID rail…`.
    fn roots(&self) -> Vec<String> {
        let report = self.ask(&["check"]);
        let findings = report["findings"].as_array().unwrap().iter();
        let roots = findings.filter(|f| f["caused_by"].is_null() && f["severity"] != "note");
        roots
            .map(|f| {
                let rails = f["rails"].as_array().unwrap().iter().map(|r| r.as_str().unwrap());
                format!("{} {}", f["id"].as_str().unwrap(), rails.collect::<Vec<_>>().join(" "))
            })
            .collect()
    }

    /// The cells of the matrix as `from>to=dev`, wrong ones with a mark.
    fn cells(&self) -> Vec<String> {
        let report = self.ask(&["path"]);
        let cells = report["cells"].as_array().unwrap().iter();
        cells
            .map(|c| {
                let from = c["from"].as_str().unwrap_or("unbound");
                let mark = if c["right"] == true { "" } else { "!" };
                let by = c["dev"].as_str().unwrap_or("-");
                format!("{from}>{}={by}{mark}", c["to"].as_str().unwrap())
            })
            .collect()
    }
}

fn network(address: &str, len: u8) -> String {
    let parts: Vec<&str> = address.split('.').collect();
    match len {
        16 => format!("{}.{}.0.0/16", parts[0], parts[1]),
        24 => format!("{}.{}.{}.0/24", parts[0], parts[1], parts[2]),
        other => panic!("{other}"),
    }
}

/// A VRF per rail, one prefix in both.
fn two_vrfs() -> Host {
    let mut host = Host::new();
    host.vrf("red", 10);
    host.vrf("blue", 20);
    host.in_vrf("ib0", "red", 10);
    host.in_vrf("ib1", "blue", 20);
    host.address("ib0", "172.16.34.1", 16, Some(10));
    host.address("ib1", "172.16.34.2", 16, Some(20));
    host.l3mdev();
    host
}

#[test]
fn rails_in_vrfs_of_their_own_never_conflict() {
    let host = two_vrfs();
    assert_eq!(host.roots(), [""; 0]);
    // Each is asked in its own VRF; who is bound to none has no way there, and is not asked.
    assert_eq!(host.cells(), ["172.16.34.1>172.16.0.1=ib0", "172.16.34.2>172.16.0.1=ib1"]);
    let report = host.ask(&["check"]);
    let address = &report["rails"][0]["addresses"][0];
    assert_eq!((&address["table"], &address["leaves_by"]), (&json!(10), &json!("ib0")));
}

#[test]
fn a_rail_in_a_vrf_beside_one_in_main() {
    let mut host = Host::new();
    host.vrf("red", 10);
    host.in_vrf("ib0", "red", 10);
    host.ipoib("ib1", None);
    host.address("ib0", "172.16.34.1", 16, Some(10));
    host.address("ib1", "172.16.34.2", 16, None);
    host.l3mdev();
    assert_eq!(host.roots(), [""; 0]);
    assert_eq!(
        host.cells(),
        ["172.16.34.1>172.16.0.1=ib0", "172.16.34.2>172.16.0.1=ib1", "unbound>172.16.0.1=ib1"]
    );
}

#[test]
fn without_the_rule_no_table_of_a_vrf_is_asked() {
    let mut host = two_vrfs();
    host.rules.retain(|r| r["priority"] != 1000);
    assert_eq!(host.roots(), ["RULE_BUILTIN_MISSING ib0 ib1"]);
    let fix = host.ask(&["fix"]);
    let line = fix["steps"][0]["commands"][0].as_str().unwrap();
    assert!(line.ends_with("ip rule add pref 1000 from all l3mdev"), "{line}");
}

#[test]
fn a_vrf_without_the_connected_route() {
    let mut host = two_vrfs();
    host.without_route("172.16.0.0/16", "ib1");
    assert_eq!(host.roots(), ["TABLE_NO_CONNECTED ib1"]);
    let fix = host.ask(&["fix"]);
    assert_eq!(
        fix["steps"][0]["commands"],
        json!(["ip route replace 172.16.0.0/16 dev ib1 scope link src 172.16.34.2 table 20"])
    );
    // Behind the rule for VRFs main is asked, and its default leads to Ethernet.
    let told = host.ask(&["check"]);
    assert!(told["findings"][0]["summary"].as_str().unwrap().contains("eth0"), "{told}");
    // What VRFs should have: a last resort.
    host.routes.push(json!({"type": "unreachable", "dst": "default", "table": "20",
        "metric": 4_278_198_272u32, "flags": []}));
    assert_eq!(host.roots(), ["ROUTE_REJECT ib1"]);
    // It stays: what is missing is the route in front of it.
    assert_eq!(host.ask(&["fix"])["steps"][0]["commands"], fix["steps"][0]["commands"]);
}

#[test]
fn two_rails_in_one_vrf() {
    let mut host = Host::new();
    host.vrf("red", 10);
    host.in_vrf("ib0", "red", 10);
    host.in_vrf("ib1", "red", 10);
    host.address("ib0", "172.16.34.1", 16, Some(10));
    host.address("ib1", "172.16.34.2", 16, Some(10));
    host.l3mdev();
    for dev in ["ib0", "ib1"] {
        host.sysctls.extend([(dev, "arp_ignore", 1), (dev, "arp_announce", 2)]);
    }
    assert_eq!(host.roots(), ["ROUTE_DUP_CONNECTED ib0 ib1"]);
    assert_eq!(host.cells(), ["172.16.34.1>172.16.0.1=ib0", "172.16.34.2>172.16.0.1=ib0!"]);
    // Rules in front of the one for VRFs are asked first.
    for (dev, address, table) in [("ib0", "172.16.34.1", 41), ("ib1", "172.16.34.2", 42)] {
        host.rules
            .insert(1, json!({"priority": table * 10, "src": address, "table": table.to_string()}));
        host.routes.push(json!({"dst": "172.16.0.0/16", "dev": dev, "table": table.to_string(),
            "scope": "link", "prefsrc": address, "flags": []}));
    }
    assert_eq!(host.roots(), [""; 0]);
    assert_eq!(host.cells(), ["172.16.34.1>172.16.0.1=ib0", "172.16.34.2>172.16.0.1=ib1"]);
}

#[test]
fn one_address_in_two_vrfs_is_meant() {
    let mut host = Host::new();
    host.vrf("red", 10);
    host.vrf("blue", 20);
    host.in_vrf("ib0", "red", 10);
    host.in_vrf("ib1", "blue", 20);
    host.address("ib0", "172.16.34.1", 16, Some(10));
    host.address("ib1", "172.16.34.1", 16, Some(20));
    host.l3mdev();
    assert_eq!(host.roots(), [""; 0]);
}

#[test]
fn a_table_of_a_vrf_is_no_table_without_a_rule() {
    // The rail left its VRF; the VRF and its table stay.
    let mut host = Host::new();
    host.vrf("red", 10);
    host.ipoib("ib0", None);
    host.ipoib("ib1", None);
    host.address("ib0", "10.1.0.5", 24, None);
    host.address("ib1", "10.2.0.5", 24, None);
    host.routes.push(json!({"dst": "10.1.0.0/24", "dev": "ib0", "table": "10", "scope": "link",
        "prefsrc": "10.1.0.5", "flags": []}));
    host.l3mdev();
    assert_eq!(host.roots(), [""; 0]);
}

#[test]
fn a_bond_is_one_way() {
    let mut host = Host::new();
    host.bond("bond0", &["ib0", "ib1"]);
    host.address("bond0", "172.16.34.1", 16, None);
    assert_eq!(host.roots(), [""; 0]);
    assert_eq!(host.cells(), ["172.16.34.1>172.16.0.1=bond0", "unbound>172.16.0.1=bond0"]);
}

#[test]
fn two_bonds_in_one_subnet_need_what_two_rails_need() {
    let mut host = Host::new();
    host.bond("bond0", &["ib0", "ib1"]);
    host.bond("bond1", &["ib2", "ib3"]);
    host.address("bond0", "172.16.34.1", 16, None);
    host.address("bond1", "172.16.34.2", 16, None);
    let told = host.roots();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("ROUTE_DUP_CONNECTED"), "{told:?}");
    // The commands name the bonds, never their members.
    let fix = host.ask(&["fix"]);
    let steps = fix["steps"].as_array().unwrap().iter();
    let lines: Vec<&str> = steps
        .flat_map(|s| s["commands"].as_array().unwrap())
        .map(|l| l.as_str().unwrap())
        .collect();
    assert!(lines.iter().any(|l| l.contains("dev bond1 scope link src 172.16.34.2")), "{lines:?}");
    assert!(lines.iter().all(|l| !l.contains("ib")), "{lines:?}");
    host.source_rule("bond0", "172.16.34.1", 16, 941);
    host.source_rule("bond1", "172.16.34.2", 16, 942);
    assert_eq!(host.roots(), [""; 0]);
    host.without_route("172.16.0.0/16", "bond1");
    host.routes.push(json!({"dst": "172.16.0.0/16", "dev": "bond1", "protocol": "kernel",
        "scope": "link", "prefsrc": "172.16.34.2", "flags": []}));
    let told = host.roots();
    assert!(told.iter().any(|t| t.starts_with("RULE_TABLE_EMPTY")), "{told:?}");
}

#[test]
fn a_bond_beside_a_rail_of_another_subnet() {
    let mut host = Host::new();
    host.bond("bond0", &["ib0", "ib1"]);
    host.ipoib("ib2", None);
    host.address("bond0", "172.16.34.1", 16, None);
    host.address("ib2", "172.17.34.1", 16, None);
    assert_eq!(host.roots(), [""; 0]);
}

/// Two rails in one subnet, complete, with an NI of LNet each.
fn two_rails_of_lnet(peers: &[&[&str]]) -> Host {
    let mut host = Host::new();
    host.ipoib("ib0", None);
    host.ipoib("ib1", None);
    for (dev, address, table) in [("ib0", "172.16.34.1", 941), ("ib1", "172.16.34.2", 942)] {
        host.address(dev, address, 16, None);
        host.source_rule(dev, address, 16, table);
    }
    host.lnet("o2ib", &[("172.16.34.1@o2ib", "ib0"), ("172.16.34.2@o2ib", "ib1")], peers);
    host
}

#[test]
fn peers_of_lnet_are_the_destinations() {
    let host = two_rails_of_lnet(&[
        &["172.16.16.1@o2ib", "172.16.16.2@o2ib"],
        &["172.16.200.7@o2ib"],
        &["10.9.0.1@tcp9"],
    ]);
    assert_eq!(host.roots(), [""; 0]);
    let report = host.ask(&["path"]);
    let mut to: Vec<&str> =
        report["cells"].as_array().unwrap().iter().map(|c| c["to"].as_str().unwrap()).collect();
    to.sort_unstable();
    to.dedup();
    assert_eq!(to, ["172.16.16.1", "172.16.16.2", "172.16.200.7"]);
    assert_eq!(report["known_destinations"], 3);
}

#[test]
fn a_peer_of_lnet_that_no_rail_reaches() {
    let host = two_rails_of_lnet(&[&["172.16.16.1@o2ib"], &["172.18.16.1@o2ib"]]);
    assert_eq!(host.roots(), ["RAIL_PEER_VIA_ETHERNET ib0 ib1"]);
    // Known by a router on the first rail alone.
    let mut host = host;
    host.routes.push(json!({"dst": "172.18.0.0/16", "gateway": "172.16.0.254", "dev": "ib0",
        "protocol": "static", "flags": []}));
    assert_eq!(host.roots(), ["TABLE_NO_RETURN_ROUTE ib1"]);
}
