//! LNet that has not come as far as this node says it should.

use super::kit::Told;
use super::rules;
use crate::check::Severity;
use crate::check::catalogue::lnet::{
    LNET_NO_ANSWER, LNET_NO_NETS, LNET_NOT_CONFIGURED, LNET_NOT_LOADED,
};
use crate::check::fold::Found;
use crate::lnet::lifecycle::{Lifecycle, LnetStage, Wanted};
use crate::node::Node;
use crate::sample::{LnetFailure, Text};

/// Each stage has its own; what the rules of the module would fail with is the root of it.
pub(super) fn check(node: &Node, life: &Lifecycle) -> Vec<Found> {
    let wanted = &life.wanted;
    match life.stage {
        LnetStage::NotLoaded => not_loaded(life, wanted).into_iter().collect(),
        LnetStage::Loaded => {
            let refused = rules::refused(node);
            let mut found = not_configured(life, wanted, answer(node));
            found.finding.caused_by = refused.as_ref().map(|f| f.finding.id);
            refused.into_iter().chain([found]).collect()
        }
        LnetStage::Configured => vec![no_nets(life, wanted)],
        // The modules alone say it as well, where lnetctl may not be asked.
        LnetStage::Unknown if matches!(node.lnet.answer, Err(LnetFailure::Denied(_))) => {
            let line = "/proc/modules: lnet is used by nothing that has started it";
            let loaded = life.estimate.ok() == Some(&LnetStage::Loaded);
            let told =
                (loaded && wanted.service).then(|| not_configured(life, wanted, line.into()));
            told.into_iter().collect()
        }
        LnetStage::Unknown => no_answer(node).into_iter().collect(),
        LnetStage::Absent | LnetStage::Up => Vec::new(),
    }
}

/// The module is loaded and its tool hangs or talks rubbish. Not being allowed to ask is another
/// matter, and so is a tool that cannot be started.
fn no_answer(node: &Node) -> Option<Found> {
    let failure = node.lnet.answer.as_ref().err()?;
    if node.lnet.modules.lnet != Some(true) {
        return None;
    }
    let (what, detail) = match failure {
        LnetFailure::Timeout(detail) => ("lnetctl does not answer", detail),
        LnetFailure::Failed(detail) => ("what lnetctl answers is no answer", detail),
        _ => return None,
    };
    let mut evidence: Vec<Text> = vec!["/sys/module/lnet: the module is loaded".into()];
    evidence.push(format!("lnetctl net show: {detail}").into());
    let (left, look) = match node.lnet.left {
        Some(pid) => {
            evidence.push(format!("pid {pid}: SIGKILL does not end it").into());
            let words = format!(": wait for pid {pid} to end, and do not start more");
            (words, vec![format!("cat /proc/{pid}/stack")])
        }
        None if matches!(failure, LnetFailure::Timeout(_)) => {
            (": wait, and do not start more".into(), vec!["pgrep -a lnetctl".into()])
        }
        None => (String::new(), vec!["lnetctl net show -v 4".into()]),
    };
    let summary = format!("LNet is loaded, and {what}{left}");
    let look = look.into_iter().chain(["journalctl -k -b".into()]);
    Some(Told::new(LNET_NO_ANSWER, Severity::Warning, summary).seen(evidence).verify(look).found())
}

fn answer(node: &Node) -> Text {
    match &node.lnet.answer {
        Err(LnetFailure::NotConfigured) => "lnetctl net show: errno: -100 (network is down)".into(),
        _ => "lnetctl net show: no nets".into(),
    }
}

/// A warning where the node starts LNet at boot; a note where only its configuration is there.
fn severity(wanted: &Wanted) -> Severity {
    if wanted.service { Severity::Warning } else { Severity::Note }
}

/// Lustre loads LNet when it is mounted: without anything that starts it, this is no fault.
fn not_loaded(life: &Lifecycle, wanted: &Wanted) -> Option<Found> {
    if !wanted.service {
        return None;
    }
    let summary = "LNet is not loaded, though lnet.service is enabled: it failed or was stopped";
    Some(
        Told::new(LNET_NOT_LOADED, Severity::Warning, summary)
            .seen(["/sys/module/lnet: no such directory"])
            .seen(wanted.lines())
            .next(&life.next)
            .verify(["systemctl status lnet", "journalctl -b -u lnet"])
            .found(),
    )
}

fn not_configured(life: &Lifecycle, wanted: &Wanted, line: Text) -> Found {
    let because = if wanted.service {
        ", though lnet.service is enabled"
    } else if wanted.lines().is_empty() {
        ": nothing on this node says which nets it should have"
    } else {
        "; a Lustre mount would start it"
    };
    let summary = format!("LNet is loaded and not configured{because}");
    Told::new(LNET_NOT_CONFIGURED, severity(wanted), summary)
        .seen([line])
        .seen(wanted.lines())
        .next(&life.next)
        .undo(["lnetctl lnet unconfigure"])
        .verify(["lnetctl net show", "journalctl -b -u lnet"])
        .found()
}

fn no_nets(life: &Lifecycle, wanted: &Wanted) -> Found {
    let because = if wanted.lnet_conf.is_empty() {
        if wanted.service {
            ": lnet.service imports /etc/lnet.conf, which names no net"
        } else {
            ""
        }
    } else {
        ": /etc/lnet.conf names nets and they are not there; an import stops at its first error"
    };
    let severity = if wanted.lnet_conf.is_empty() { severity(wanted) } else { Severity::Warning };
    let summary = format!("LNet is configured and has no net beside its loopback{because}");
    Told::new(LNET_NO_NETS, severity, summary)
        .seen(["lnetctl net show: net type: lo"])
        .seen(wanted.lines())
        .next(&life.next)
        .verify(["lnetctl net show", "systemctl status lnet"])
        .found()
}
