//! `sysctl.d`: the same with every manager.

use super::write::HEADER;
use super::{File, Persist, Plan};
use crate::fix::SysctlKey;
use crate::sample::Family;
use std::fmt::Write;

const PATH: &str = "/etc/sysctl.d/90-railtop-rails.conf";

pub(super) fn render(plan: &Plan, out: &mut Persist) {
    let rails = plan.rails.iter().flat_map(|r| &r.sysctls);
    let mut content = String::new();
    for (key, value) in plan.common.iter().chain(rails) {
        let _ = writeln!(content, "{} = {value}", name(key));
    }
    if content.is_empty() {
        return;
    }
    out.files.push(File::whole(PATH, format!("{HEADER}{content}"), 0o644));
    out.commands.push(format!("sysctl -p {PATH}"));
    out.warn(
        "a file of sysctl.d with a later name that sets the same key wins: `sysctl --system` shows \
         the order",
    );
    out.warn(
        "an interface that appears after boot gets its sysctls from udev (99-systemd.rules); \
         without systemd's udev rules they are lost when ib_ipoib is loaded late",
    );
}

/// With slashes as separators a dot is part of a name (sysctl.d(5)): ib0.8001.
pub(super) fn name(key: &SysctlKey) -> String {
    let family = match key.family {
        Family::Inet => "ipv4",
        Family::Inet6 => "ipv6",
    };
    let by = if key.interface.contains('.') { '/' } else { '.' };
    format!("net{by}{family}{by}conf{by}{}{by}{}", key.interface, key.name)
}
