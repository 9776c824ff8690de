//! Rules of the loaded module that would not start LNet here.

use super::kit::Told;
use crate::check::Severity;
use crate::check::catalogue::lnet::LNET_RULES_REFUSED;
use crate::check::fold::Found;
use crate::lnet::ip2nets::host::Host;
use crate::lnet::ip2nets::{Context, Rules, Version, explain};
use crate::lnet::lifecycle::set;
use crate::node::Node;
use crate::sample::Text;

/// What the kernel would say of `networks` or `ip2nets` on this host as it is now. Both at once
/// are another finding's matter.
pub(super) fn refused(node: &Node) -> Option<Found> {
    let local = &node.lnet.local;
    let (name, value, rules) = match (set(local, "networks"), set(local, "ip2nets")) {
        (Some(networks), None) => ("networks", networks, Rules::Networks(networks.into())),
        (None, Some(ip2nets)) => ("ip2nets", ip2nets, Rules::Ip2nets(ip2nets.into())),
        _ => return None,
    };
    let version: Version = node.lnet.version.as_ref().ok()?.parse().ok()?;
    let links = node.links.as_ref().ok()?;
    let addresses = node.routing.addresses.as_ref().ok()?;
    // That a device lacks RDMA is not judged here.
    let host = Host::with(links, addresses, |_| None);
    let error = explain(&rules, &host, &Context::new(version)).error?;
    let words = error.words.first().or(error.cause.as_ref());
    let words = words.map_or_else(|| format!("errno {}", error.errno), String::clone);
    let summary = if error.crash {
        format!("{name} of the lnet module would crash the kernel: {words}")
    } else {
        format!("LNet would not start from {name} as the interfaces are now: {words}")
    };
    let severity = if error.crash { Severity::Critical } else { Severity::Warning };
    let mut lines: Vec<Text> = vec![format!("/sys/module/lnet/parameters/{name}: {value}").into()];
    lines.extend(error.words.iter().chain(&error.cause).map(|w| Text::new(w)));
    Some(
        Told::new(LNET_RULES_REFUSED, severity, summary)
            .seen(lines)
            .verify(["railtop ip2nets", "ip -br addr", "dmesg | grep -i lnet"])
            .found(),
    )
}
