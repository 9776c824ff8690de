//! What leads on from where LNet is, by what this node has.

use super::wanted::{Wanted, has_lnet_conf, set};
use super::{Around, LnetStage};
use crate::fix::word;
use crate::sample::{LnetLocal, Text};
use serde::Serialize;

/// A command and what it is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NextStep {
    /// One line of POSIX sh, for root.
    pub command: Text,
    /// What it does here.
    pub why: Text,
}

fn step(command: impl Into<Text>, why: impl Into<Text>) -> NextStep {
    NextStep { command: command.into(), why: why.into() }
}

/// The commands for a stage.
pub(super) fn steps(
    local: &LnetLocal,
    wanted: &Wanted,
    stage: LnetStage,
    around: &Around,
) -> Vec<NextStep> {
    let conf = has_lnet_conf(wanted);
    match stage {
        LnetStage::NotLoaded if wanted.service || conf => vec![start_service()],
        LnetStage::NotLoaded => {
            let mut steps = vec![step("modprobe lnet", "loads the module")];
            if wanted.modprobe.is_empty() {
                steps.extend(by_hand(around));
            } else {
                steps.push(configure_all("modprobe.d"));
            }
            steps
        }
        LnetStage::Loaded => match ["networks", "ip2nets"].iter().find(|n| set(local, n).is_some())
        {
            Some(name) => vec![configure_all(name)],
            None if conf => vec![configure(), import()],
            None => by_hand(around),
        },
        LnetStage::Configured if conf => vec![import()],
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

/// Writes down what runs, in one line of POSIX sh. `export` exits with 0 and prints nothing, or
/// only its complaints, where it fails, and 2.10 does not know `--backup`: so it goes to a file
/// beside, which takes the place of the old one only if it holds nets. `-f`: the aliases of root.
pub(crate) const EXPORT: &str = "(cd /etc || exit; n=lnet.conf; lnetctl export --backup >$n.new; \
    grep -q ^net: $n.new || lnetctl export >$n.new; \
    grep -q ^net: $n.new && { [ ! -e $n ] || cp -pf $n $n.old; } && mv -f $n.new $n)";

/// Puts back the file that [`EXPORT`] replaced.
pub(crate) const UNDO_EXPORT: &str = "mv -f /etc/lnet.conf.old /etc/lnet.conf";

/// Has `lnet.service` import `/etc/lnet.conf` at boot.
pub(crate) const ENABLE: &str = "systemctl enable lnet";
/// The opposite.
pub(crate) const DISABLE: &str = "systemctl disable lnet";

/// What makes a running configuration stay.
fn persist() -> [NextStep; 2] {
    [step(EXPORT, "writes down what runs"), step(ENABLE, "imports the file at boot")]
}

#[cfg(test)]
mod tests;
