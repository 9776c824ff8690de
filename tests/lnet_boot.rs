//! LNet's life from a capture to the report: what `railtop check` makes of a node's files and of
//! what lnetctl printed there.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be made is a failed test")]

mod support;

use serde_json::{Value, json};
use std::fmt::Write;
use support::law;
use support::shots::{from, why};
use support::tree::{Nic, PMA, Port, Tree};

const LO: &str = "    - net type: lo
      local NI(s):
        - nid: 0@lo
          status: up
          health stats:
              health value: 0
";

/// A capture of a node with two rails in one subnet.
struct Node(Tree);

impl Node {
    fn new() -> Self {
        let tree = Tree::new();
        let mut addresses = Vec::new();
        for rail in 0..2u32 {
            let pci = tree.pci(&format!("0000:{:02x}", 0x10 + rail), 0, "16.0 GT/s PCIe", "16");
            let hca = tree.hca(&format!("mlx5_{rail}"), Some(&pci));
            let path = tree.port(&hca, 1, &Port::active("200 Gb/sec (4X HDR)"));
            tree.guid(&hca, 1, u16::try_from(rail).unwrap());
            tree.counters(&path, "counters", &PMA, 1000);
            tree.netdev(&format!("ib{rail}"), Some(&pci), Nic::ipoib(5 + rail));
            addresses.push(json!({
                "ifindex": 5 + rail,
                "ifname": format!("ib{rail}"),
                "flags": ["BROADCAST", "MULTICAST", "UP", "LOWER_UP"],
                "mtu": 2044,
                "operstate": "UP",
                "link_type": "infiniband",
                "addr_info": [{
                    "family": "inet",
                    "local": format!("172.16.34.{}", rail + 1),
                    "prefixlen": 16,
                    "scope": "global",
                }],
            }));
        }
        tree.file("ip-addr.json", &Value::Array(addresses).to_string());
        tree.dir("etc");
        Self(tree)
    }

    fn loaded(self) -> Self {
        self.0.dir("sys/module/lnet");
        self.0.dir("sys/module/ko2iblnd");
        self
    }

    fn file(self, path: &str, text: &str) -> Self {
        self.0.file(path, text);
        self
    }

    /// lnet.service is enabled.
    fn service(self) -> Self {
        let wants = "etc/systemd/system/multi-user.target.wants/lnet.service";
        self.0.link(wants, "/usr/lib/systemd/system/lnet.service");
        self
    }

    /// No service is wanted but another.
    fn no_service(self) -> Self {
        self.file("etc/systemd/system/multi-user.target.wants/sshd.service", "")
    }

    /// What `lnetctl net show -v 4` printed: `(net, interface, status, fatal_error)`.
    fn answers(self, nis: &[(&str, &str, &str, u32)]) -> Self {
        let mut text = format!("net:\n{LO}");
        let mut nets: Vec<&str> = nis.iter().map(|ni| ni.0).collect();
        nets.dedup();
        for net in nets {
            writeln!(text, "    - net type: {net}\n      local NI(s):").unwrap();
            for (_, interface, status, fatal) in nis.iter().filter(|ni| ni.0 == net) {
                let last = interface.trim_start_matches("ib").parse::<u32>().unwrap() + 1;
                write!(
                    text,
                    "        - nid: 172.16.34.{last}@{net}
          status: {status}
          interfaces:
              0: {interface}
          statistics:
              send_count: 100
              recv_count: 100
              drop_count: 0
          health stats:
              fatal_error: {fatal}
              health value: 1000
          tunables:
              peer_credits: 32
              credits: 256
"
                )
                .unwrap();
            }
        }
        self.file("lnetctl-net-show.yaml", &text)
    }

    fn both_up(self) -> Self {
        self.answers(&[("o2ib", "ib0", "up", 0), ("o2ib", "ib1", "up", 0)])
    }

    fn fails(self, code: i32, stderr: &str) -> Self {
        self.file("lnetctl-net-show.yaml.error", &format!("exit status: {code}\n{stderr}"))
    }

    #[track_caller]
    fn check(&self) -> Value {
        let out = from(self.0.path(), &["check", "--json"]);
        assert!(out.stderr.is_empty(), "{}", String::from_utf8_lossy(&out.stderr));
        let object: Value = serde_json::from_slice(&out.stdout).unwrap();
        let broken = law::broken(&object);
        assert!(broken.is_empty(), "{broken:#?}");
        object
    }

    fn text(&self, args: &[&str]) -> String {
        String::from_utf8(from(self.0.path(), args).stdout).unwrap()
    }
}

/// Roots about LNet: without rules the rails of one subnet have others.
#[track_caller]
fn roots(object: &Value) -> Vec<String> {
    let all = object["findings"].as_array().unwrap().iter();
    let root = |f: &&Value| f["caused_by"].is_null();
    let words =
        |f: &Value| format!("{} {}", f["id"].as_str().unwrap(), f["severity"].as_str().unwrap());
    all.filter(root).map(words).filter(|w| w.starts_with("NI_") || w.starts_with("LNET_")).collect()
}

fn finding<'a>(object: &'a Value, id: &str) -> &'a Value {
    object["findings"].as_array().unwrap().iter().find(|f| f["id"] == id).unwrap()
}

fn commands(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|step| step["command"].as_str().unwrap()).collect()
}

const CONF: &str = "net:
    - net type: o2ib
      local NI(s):
        - interfaces:
              0: ib0
        - interfaces:
              0: ib1
";

const UNCONFIGURED: &str = "show:
    - net:
          errno: -100
          descr: \"cannot get networks: Network is down\"
";

#[test]
fn from_nothing_to_up() {
    let absent = Node::new().file("lnetctl-net-show.yaml.error", "127\nsh: lnetctl: not found\n");
    let absent = absent.file("sys/module/x/y", "").check();
    assert_eq!((&absent["lnet"]["stage"], roots(&absent).len()), (&json!("absent"), 0));

    let unloaded = || {
        let hint = "opening /dev/lnet failed: No such file or directory\n\
                    hint: the kernel modules may not be loaded\n";
        Node::new().file("sys/module/x/y", "").fails(0, hint)
    };
    let object = unloaded().no_service().check();
    assert_eq!((&object["lnet"]["stage"], roots(&object).len()), (&json!("not_loaded"), 0));
    let object = unloaded().service().file("etc/lnet.conf", CONF).check();
    assert_eq!(roots(&object), ["LNET_NOT_LOADED warning"]);
    assert_eq!(commands(&object["lnet"]["lifecycle"]["next"]), ["systemctl start lnet"]);

    let object = Node::new().loaded().fails(156, UNCONFIGURED).no_service().check();
    assert_eq!(object["lnet"]["stage"], "loaded");
    assert_eq!(roots(&object), ["LNET_NOT_CONFIGURED note"]);
    let next = commands(&object["lnet"]["lifecycle"]["next"]);
    assert_eq!(next[..2], ["lnetctl lnet configure", "lnetctl net add --net o2ib --if ib0,ib1"]);

    let object = Node::new().loaded().answers(&[]).service().file("etc/lnet.conf", "# empty\n");
    let object = object.check();
    assert_eq!(object["lnet"]["stage"], "configured");
    assert_eq!(roots(&object), ["LNET_NO_NETS warning"]);

    let object = Node::new().loaded().both_up().service().file("etc/lnet.conf", CONF).check();
    assert_eq!((&object["lnet"]["stage"], roots(&object)), (&json!("up"), Vec::<String>::new()));
    let life = &object["lnet"]["lifecycle"];
    assert_eq!((&life["survives_reboot"], &life["words"]), (&json!(true), &json!("up")));
    let of_o2ib = &object["lnet"]["nets"][1]["nis"];
    assert_eq!((&of_o2ib[0]["rails"], &of_o2ib[1]["rails"]), (&json!(["ib0"]), &json!(["ib1"])));
}

#[test]
fn without_root_the_modules_tell() {
    let denied = "---\nshow:\n-     net:\n      errno: -1\n      descr: ! \"Operation not permitted\"\n...\n";
    let object = Node::new()
        .loaded()
        .fails(234, denied)
        .file("proc/modules", "lnet 995328 1 ko2iblnd, Live 0x0\nko2iblnd 245760 1 - Live 0x0\n")
        .check();
    assert_eq!(why(&object["lnet"], "nets"), "denied");
    assert_eq!(object["lnet"]["stage"], "unknown");
    let life = &object["lnet"]["lifecycle"];
    assert_eq!(life["stage_estimate"], "up");
    assert_eq!(life["qualified"]["stage_estimate"]["how"], "estimate");
    assert_eq!(roots(&object), Vec::<String>::new());
}

#[test]
fn a_rail_until_the_next_boot() {
    let one = CONF.replace("        - interfaces:\n              0: ib1\n", "");
    let node = Node::new().loaded().both_up().service().file("etc/lnet.conf", &one);
    let object = node.check();
    assert_eq!(roots(&object), ["LNET_NOT_PERSISTENT warning"]);
    let found = finding(&object, "LNET_NOT_PERSISTENT");
    assert_eq!(found["rails"], json!(["ib1"]));
    let fix = commands(&found["fix"]);
    assert!(fix[0].contains("lnetctl export --backup >$n.new;"), "{fix:?}");
    assert_eq!(fix[1..], ["systemctl enable lnet"]);
    let undo = ["mv -f /etc/lnet.conf.old /etc/lnet.conf", "systemctl disable lnet"];
    assert_eq!(commands(&found["undo"]), undo);
    let told = node.text(&["check"]);
    assert!(told.contains("172.16.34.2@o2ib is only there until the next boot"), "{told}");
    let fix = node.text(&["fix", "LNET_NOT_PERSISTENT"]);
    assert!(fix.contains("\n(cd /etc || exit; n=lnet.conf; lnetctl export"), "{fix}");
    // The other way round: the file has it, LNet does not.
    let node = Node::new().loaded().answers(&[("o2ib", "ib0", "up", 0)]).service();
    let object = node.file("etc/lnet.conf", CONF).check();
    assert_eq!(roots(&object), ["NI_MISSING warning"]);
    assert_eq!(finding(&object, "NI_MISSING")["rails"], json!(["ib1"]));
}

#[test]
fn what_keeps_the_modules() {
    let modules = "lustre 1200000 5 - Live 0x0\nptlrpc 2000000 3 lustre, Live 0x0\n\
                   lnet 995328 2 ptlrpc,ko2iblnd, Live 0x0\nko2iblnd 245760 1 - Live 0x0\n";
    let node = Node::new().loaded().both_up().file("proc/modules", modules);
    let mounts = "172.16.0.9@o2ib:/scratch /mnt/my\\040fs lustre rw 0 0\n";
    let life = node.file("proc/mounts", mounts).check()["lnet"]["lifecycle"].clone();
    assert_eq!(life["started_by"], "user");
    assert_eq!(life["rmmod_refused"], true);
    let because = life["rmmod_refused_because"].as_str().unwrap();
    assert!(because.starts_with("mounted: 172.16.0.9@o2ib:/scratch on /mnt/my fs"), "{because}");
    assert_eq!(life["users"][0], "ptlrpc");
}

#[test]
fn one_mistake_one_root() {
    // A dead port and all that follows from it.
    let tree =
        Node::new().loaded().answers(&[("o2ib", "ib0", "up", 0), ("o2ib", "ib1", "down", 1)]);
    let port = "sys/class/infiniband/mlx5_1/ports/1";
    let tree = tree.file(&format!("{port}/state"), "1: DOWN\n");
    let object = tree.file(&format!("{port}/phys_state"), "2: Polling\n").check();
    assert_eq!(roots(&object), Vec::<String>::new());
    assert_eq!(finding(&object, "NI_DOWN")["caused_by"], "PORT_DOWN");
    // The link is there, the address went to another rail.
    let node =
        Node::new().loaded().answers(&[("o2ib", "ib0", "up", 0), ("o2ib", "ib1", "down", 1)]);
    let text = std::fs::read_to_string(node.0.at("ip-addr.json")).unwrap();
    let object = node.file("ip-addr.json", &text.replace("172.16.34.2", "172.16.34.9")).check();
    assert_eq!(roots(&object), ["NI_ADDRESS_LOST critical"]);
    // A status that 2.17 left behind, on a node that routes nothing.
    let stale =
        Node::new().loaded().answers(&[("o2ib", "ib0", "up", 0), ("o2ib", "ib1", "down", 0)]);
    assert_eq!(
        roots(&stale.file("lnetctl-routing-show.yaml", "").check()),
        ["NI_STATUS_STALE note"]
    );
    let split = Node::new().loaded();
    let split = split.answers(&[("o2ib", "ib0", "up", 0), ("o2ib1", "ib1", "up", 0)]);
    assert_eq!(roots(&split.check()), ["LNET_NETS_SPLIT note"]);
}

#[test]
fn both_parameters() {
    let line =
        "options lnet networks=\"o2ib(ib0,ib1)\"\noptions lnet ip2nets=\"o2ib(ib0) *.*.*.*\"\n";
    let node = Node::new().loaded().both_up().file("etc/modprobe.d/lustre.conf", line);
    assert_eq!(roots(&node.check()), ["LNET_CONFIG_CONFLICT warning"]);
}
