//! A node whose LNet is what a script in the place of lnetctl says.

use super::stream::Stream;
use super::tree::{Nic, PMA, Port, Tree};
use super::{law, railtop};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// All that lnetctl is ever asked: nothing that changes LNet, nothing that waits for other nodes,
/// never `debug recovery`.
pub(crate) const COMMANDS: [&str; 7] = [
    "net show -v 4",
    "peer show -v 4",
    "stats show",
    "global show",
    "route show -v",
    "routing show",
    "udsp show",
];

/// A node with two rails whose LNet is what a script says.
pub(crate) struct Stand {
    pub(crate) tree: Tree,
}

impl Stand {
    pub(crate) fn new() -> Self {
        let tree = Tree::new();
        for rail in 0..2 {
            let pci = tree.pci(&format!("0000:{:02x}", 0x10 + rail), 0, "16.0 GT/s PCIe", "16");
            let hca = tree.hca(&format!("mlx5_{rail}"), Some(&pci));
            let path = tree.port(&hca, 1, &Port::active("200 Gb/sec (4X HDR)"));
            tree.guid(&hca, 1, rail as u16);
            tree.counters(&path, "counters", &PMA, 1000);
            // Names that no interface of the machine below has: netlink answers for that one.
            tree.netdev(&format!("ibt{rail}"), Some(&pci), Nic::ipoib(1_000_002 + rail));
        }
        tree.dir("sys/module/lnet");
        tree.dir("sys/module/ko2iblnd");
        let stand = Self { tree };
        stand.says("", "", 0);
        stand.script("cat out; cat err >&2; exit \"$(cat code)\"");
        stand
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.tree.path().join("stand").join(name)
    }

    /// What it answers from now on.
    pub(crate) fn says(&self, out: &str, err: &str, code: i32) {
        for (name, text) in [("out", out), ("err", err), ("code", &code.to_string())] {
            self.tree.file(format!("stand/{name}.new"), text);
            fs::rename(self.at(&format!("{name}.new")), self.at(name)).unwrap();
        }
    }

    /// What it does when it is asked for its nets: lines of sh. Every such run leaves its pid.
    /// Asked for something else it does what a file of the question's first word says, or nothing.
    pub(crate) fn script(&self, lines: &str) {
        let here = self.at("");
        let here = here.display();
        let text = format!(
            "#!/bin/sh\ncd {here} || exit 9\n\
             if [ \"$1\" = --version ]; then echo 'lnetctl 2.15.8'; exit 0; fi\n\
             echo \"$*\" >> asked\n\
             if [ \"$*\" != 'net show -v 4' ]; then [ -e \"$1\" ] || exit 0; . \"./$1\"; exit; fi\n\
             echo $$ >> runs\n{lines}\n"
        );
        self.tree.file("stand/lnetctl.new", &text);
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(self.at("lnetctl.new"), mode).unwrap();
        fs::rename(self.at("lnetctl.new"), self.at("lnetctl")).unwrap();
    }

    /// What it does when it is asked something else: lines of sh for the question's first word.
    pub(crate) fn script_for(&self, word: &str, lines: &str) {
        self.tree.file(format!("stand/{word}.new"), lines);
        fs::rename(self.at(&format!("{word}.new")), self.at(word)).unwrap();
    }

    /// What it answers to something else.
    pub(crate) fn tells(&self, word: &str, out: &str) {
        self.tree.file(format!("stand/{word}.out"), out);
        self.script_for(word, &format!("cat {word}.out"));
    }

    /// The process ids of all runs.
    pub(crate) fn runs(&self) -> Vec<u32> {
        let text = fs::read_to_string(self.at("runs")).unwrap_or_default();
        text.lines().filter_map(|line| line.parse().ok()).collect()
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        self.command_with(&self.at("lnetctl"), args)
    }

    pub(crate) fn command_with(&self, program: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(railtop());
        command.args(["stream", "--interval", "250ms", "--rail", "ibt*"]);
        command.arg("--root").arg(self.tree.path()).arg("--lnetctl").arg(program).args(args);
        command
    }

    pub(crate) fn stream(&self) -> Stream {
        Stream::start(&mut self.command(&[]))
    }

    /// The first object in which LNet is known, or known not to be.
    #[track_caller]
    pub(crate) fn answered(&self) -> Value {
        answered(&self.stream())
    }
}

#[track_caller]
pub(crate) fn answered(stream: &Stream) -> Value {
    let pending = |o: &Value| o["lnet"]["unknown"]["stage"]["why"] == "first_sample";
    let (_, object) = stream.until("an answer", |o| !pending(o));
    let broken = law::broken(&object);
    assert!(broken.is_empty(), "{broken:#?}");
    object
}

pub(crate) fn is_running(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // A zombie has ended.
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

pub(crate) fn ni(number: u32, status: &str, fatal: u32, health: u32, sent: u32) -> String {
    format!(
        "        - nid: 172.16.34.{}@o2ib
          status: {status}
          interfaces:
              0: ibt{number}
          statistics:
              send_count: {sent}
              recv_count: {}
              drop_count: 3
          health stats:
              fatal_error: {fatal}
              health value: {health}
          tunables:
              peer_timeout: 180
              peer_credits: 32
              credits: 256
          dev cpt: -1
          CPT: \"[0,1]\"
",
        number + 1,
        sent / 2,
    )
}

pub(crate) fn net_show(nis: &[String]) -> String {
    let head = "net:
    - net type: lo
      local NI(s):
        - nid: 0@lo
          status: up
    - net type: o2ib
      local NI(s):
";
    format!("{head}{}", nis.concat())
}

pub(crate) fn both_up() -> String {
    net_show(&[ni(0, "up", 0, 1000, 100), ni(1, "up", 0, 1000, 100)])
}
