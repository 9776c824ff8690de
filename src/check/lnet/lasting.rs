//! Nets that are only there until the next boot.

use super::kit::{Told, is_on, listed};
use crate::check::Severity;
use crate::check::catalogue::lnet::LNET_NOT_PERSISTENT;
use crate::check::fold::Found;
use crate::lnet::lifecycle::{DISABLE, ENABLE, EXPORT, Lifecycle, UNDO_EXPORT};
use crate::node::Node;
use std::collections::BTreeSet;

/// What runs, against what the files would make.
pub(super) fn check(node: &Node, life: &Lifecycle) -> Option<Found> {
    let boot = life.boot.as_ref().ok()?;
    if life.survives_reboot.ok() != Some(&false) {
        return None;
    }
    let lost = boot.lost(&node.lnet);
    let names = listed(lost.iter().map(|ni| ni.nid.as_str()));
    let (severity, summary) = if boot.unread {
        let held = if lost.iter().all(|ni| boot.nis.iter().any(|b| b.is(ni))) {
            "/etc/lnet.conf has them".into()
        } else {
            let named: BTreeSet<&str> = boot.nis.iter().map(|b| b.net.as_str()).collect();
            format!("/etc/lnet.conf names {}", listed(named))
        };
        let words =
            format!("{names}: {held}, and lnet.service, which imports it at boot, is not enabled");
        (Severity::Note, words)
    } else if boot.default {
        let words = format!(
            "{names}: in no file of this node; after a boot they are gone, unless a script makes them"
        );
        (Severity::Note, words)
    } else {
        let be = if lost.len() == 1 { "is" } else { "are" };
        (
            Severity::Warning,
            format!("{names} {be} only there until the next boot: {} without it", boot.by),
        )
    };
    let rails = node.rails.iter().filter(|rail| lost.iter().any(|ni| is_on(rail, ni)));
    let export = (!boot.unread).then_some(EXPORT);
    let undo = (!boot.unread).then_some(UNDO_EXPORT);
    Some(
        Told::new(LNET_NOT_PERSISTENT, severity, summary)
            .about(rails.map(|r| r.name.clone()))
            .seen(life.after_reboot.iter().cloned())
            .seen(boot.nis.iter().map(|b| b.line.clone()))
            .fix(export.into_iter().chain([ENABLE]))
            .undo(undo.into_iter().chain([DISABLE]))
            .verify(["lnetctl net show", "cat /etc/lnet.conf", "systemctl is-enabled lnet"])
            .found(),
    )
}
