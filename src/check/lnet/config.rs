//! Configuration that cannot work.

use super::kit::Told;
use crate::check::Severity;
use crate::check::catalogue::lnet::LNET_CONFIG_CONFLICT;
use crate::check::fold::Found;
use crate::lnet::lifecycle::{LnetStage, Wanted, set};
use crate::node::Node;
use crate::sample::Text;

/// `networks` and `ip2nets` are both set: LNet does not start from its parameters then.
pub(super) fn check(node: &Node) -> Option<Found> {
    let local = &node.lnet.local;
    if node.lnet_stage() == LnetStage::Absent {
        return None;
    }
    let wanted = Wanted::of(local);
    let both = |lines: &[Text]| {
        let has = |what: &str| lines.iter().any(|l| l.contains(what));
        has("networks=") && has("ip2nets=")
    };
    let loaded = set(local, "networks").is_some() && set(local, "ip2nets").is_some();
    let files = both(&wanted.modprobe);
    if !loaded && !files {
        return None;
    }
    let when = match (loaded, node.lnet_stage()) {
        (true, LnetStage::Up) => "lnetctl lnet configure --all and a Lustre mount would fail",
        (true, _) => "LNet does not start from them",
        (false, _) => "LNet will not start from them after the next load",
    };
    let summary = format!("networks and ip2nets of lnet are both set: {when}");
    let mut told = Told::new(LNET_CONFIG_CONFLICT, Severity::Warning, summary);
    if loaded {
        told = told.seen(wanted.parameters);
    }
    Some(
        told.seen(wanted.modprobe)
            .verify(["grep -rn 'options lnet' /etc/modprobe.d", "modprobe -c | grep '^options lnet'"])
            .found(),
    )
}
