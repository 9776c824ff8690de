//! What leads on from where LNet is, by what this node has.

use super::{Around, LnetStage};
use crate::fix::word;
use crate::sample::{Lnet, LnetLocal, Text};
use serde::Serialize;

/// A command and what it is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NextStep {
    /// One line of POSIX sh, for root.
    pub command: Text,
    /// What it does here.
    pub why: Text,
}

pub(crate) const LNET_CONF: &str = "/etc/lnet.conf";

fn step(command: impl Into<Text>, why: impl Into<Text>) -> NextStep {
    NextStep { command: command.into(), why: why.into() }
}

/// Does `/etc/lnet.conf` say anything? The file that is shipped holds nothing but comments.
pub(crate) fn has_lnet_conf(local: &LnetLocal) -> bool {
    let conf = local.files.iter().filter(|f| &*f.path == LNET_CONF);
    let mut lines = conf.filter_map(|f| f.lines.as_ref().ok()).flatten();
    lines.any(|line| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with('#')
    })
}

/// Does a parameter of the module, as it was loaded, name nets?
fn loaded_with(local: &LnetLocal) -> Option<(&'static str, &str)> {
    let set = |name: &'static str| {
        let value = local.parameter("lnet", name)?.trim();
        // How the kernel prints a string parameter that nobody set.
        (!value.is_empty() && value != "(null)").then_some((name, value))
    };
    set("networks").or_else(|| set("ip2nets"))
}

/// Does a file under modprobe.d name nets?
pub(crate) fn modprobe_names_nets(local: &LnetLocal) -> bool {
    let mut lines = local.files.iter().filter_map(|f| f.lines.as_ref().ok()).flatten();
    lines.any(|line| {
        let mut words = line.split_whitespace();
        words.next() == Some("options")
            && words.next() == Some("lnet")
            && (line.contains("networks=") || line.contains("ip2nets="))
    })
}

/// The commands for a stage.
pub(super) fn steps(lnet: &Lnet, stage: LnetStage, around: &Around) -> Vec<NextStep> {
    let local = &lnet.local;
    let service = local.service_enabled == Some(true);
    match stage {
        LnetStage::NotLoaded if service || has_lnet_conf(local) => vec![start_service()],
        LnetStage::NotLoaded => {
            let mut steps = vec![step("modprobe lnet", "loads the module")];
            if modprobe_names_nets(local) {
                steps.push(configure_all("modprobe.d"));
            } else {
                steps.extend(by_hand(around));
            }
            steps
        }
        LnetStage::Loaded => match loaded_with(local) {
            Some((name, _)) => vec![configure_all(name)],
            None if has_lnet_conf(local) => vec![configure(), import()],
            None => by_hand(around),
        },
        LnetStage::Configured if has_lnet_conf(local) => vec![import()],
        LnetStage::Configured => net_add(around),
        LnetStage::Absent | LnetStage::Up | LnetStage::Unknown => Vec::new(),
    }
}

fn start_service() -> NextStep {
    step("systemctl start lnet", "loads the module, configures LNet and imports /etc/lnet.conf")
}

fn configure() -> NextStep {
    step("lnetctl lnet configure", "starts LNet with its loopback alone")
}

fn configure_all(from: &str) -> NextStep {
    step("lnetctl lnet configure --all", format!("starts LNet with the nets that {from} names"))
}

fn import() -> NextStep {
    step("lnetctl import /etc/lnet.conf", "makes the nets that the file names")
}

fn by_hand(around: &Around) -> Vec<NextStep> {
    let mut steps = vec![configure()];
    steps.extend(net_add(around));
    steps
}

/// Nets on the rails, and how they stay.
fn net_add(around: &Around) -> Vec<NextStep> {
    if around.interfaces.is_empty() {
        return Vec::new();
    }
    let net = if around.rdma { "o2ib" } else { "tcp" };
    let add = format!("lnetctl net add --net {net} --if {}", word(&around.interfaces.join(",")));
    let one_net = match around.interfaces.len() {
        1 => "makes a net on the rail",
        _ => "makes one net on all rails: the rails of one net share its load",
    };
    let mut steps = vec![step(add, one_net)];
    steps.extend(persist());
    steps
}

/// What makes a running configuration stay.
pub(crate) fn persist() -> [NextStep; 2] {
    [
        step("lnetctl export --backup > /etc/lnet.conf", "writes down what runs"),
        step("systemctl enable lnet", "imports the file at boot"),
    ]
}
