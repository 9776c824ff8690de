//! Configuration that cannot work, or will not do what it seems to say.

use super::kit::Told;
use crate::check::Severity;
use crate::check::catalogue::lnet::{LNET_CONFIG_CONFLICT, LNET_CONFIG_WRONG};
use crate::check::fold::Found;
use crate::lnet::config::{LNET_CONF, Problem};
use crate::lnet::ip2nets::{Version, YamlRules};
use crate::lnet::lifecycle::{Lifecycle, LnetStage, set};
use crate::node::Node;

/// Problems that leave nothing of the line.
const REFUSED: [&str; 2] = ["STRING_REFUSED", "NOT_YAML"];
const CONFLICT: &str = "NETWORKS_AND_IP2NETS";

pub(super) fn check(node: &Node, life: &Lifecycle) -> Vec<Found> {
    if life.stage == LnetStage::Absent {
        return Vec::new();
    }
    conflict(node, life).into_iter().chain(wrong(node, life)).collect()
}

/// `networks` and `ip2nets` are both set: LNet does not start from its parameters then.
fn conflict(node: &Node, life: &Lifecycle) -> Option<Found> {
    let local = &node.lnet.local;
    let loaded = set(local, "networks").is_some() && set(local, "ip2nets").is_some();
    let files = life.problems.iter().any(|p| p.id == CONFLICT);
    if !loaded && !files {
        return None;
    }
    let when = match (loaded, life.stage) {
        (true, LnetStage::Up) => "lnetctl lnet configure --all and a Lustre mount would fail",
        (true, _) => "LNet does not start from them",
        (false, _) => "LNet will not start from them once it is loaded anew",
    };
    let summary = format!("networks and ip2nets of lnet are both set: {when}");
    let parameters = life.wanted.parameters.iter().filter(|_| loaded);
    Some(
        Told::new(LNET_CONFIG_CONFLICT, Severity::Warning, summary)
            .seen(parameters.chain(&life.wanted.modprobe).cloned())
            .verify(["modprobe -c | grep '^options lnet'"])
            .found(),
    )
}

/// Everything else that the readers of the files have to say, in one finding.
fn wrong(node: &Node, life: &Lifecycle) -> Option<Found> {
    let version: Option<Version> = node.lnet.version.as_ref().ok().and_then(|v| v.parse().ok());
    let leaky = version.is_some_and(|v| v.yaml() == YamlRules::Cyaml);
    let leaks = life.leaks.iter().filter(|_| leaky).map(|leak| {
        format!(
            "{LNET_CONF}: an NI of {} has no {} of its own and takes those of the NI behind it",
            leak.net, leak.key
        )
    });
    let problems: Vec<_> = life.problems.iter().filter(|p| p.id != CONFLICT).collect();
    let refused = problems.iter().find(|p| REFUSED.contains(&p.id));
    let line = |p: &Problem| format!("{}: {}", p.path, p.summary);
    let lines: Vec<String> = problems.iter().map(|p| line(p)).chain(leaks).collect();
    let first = refused.map(|p| line(p)).or(lines.first().cloned())?;
    let severity = if refused.is_some() { Severity::Warning } else { Severity::Note };
    let more = match lines.len() - 1 {
        0 => String::new(),
        n => format!(", and {n} more"),
    };
    Some(
        Told::new(LNET_CONFIG_WRONG, severity, format!("{first}{more}"))
            .seen(lines)
            .verify(["modprobe -c | grep '^options lnet'", "railtop ip2nets"])
            .found(),
    )
}
