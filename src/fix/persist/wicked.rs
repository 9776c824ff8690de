//! wicked of SUSE: `ifroute-IF` and `ifrule-IF` (ifroute(5), ifrule(5)).

use super::ifcfg::extra_words;
use super::write::{destination, has_link_scope};
use super::{File, Persist, Plan, Policy};
use crate::fix::RouteSpec;
use crate::sample::Family;
use std::fmt::Write;

const DIR: &str = "/etc/sysconfig/network";

pub(super) fn render(plan: &Plan, out: &mut Persist) {
    for rail in plan.rails.iter().filter(|r| r.is_configured()) {
        let interface = &rail.interface;
        let routes: String = rail.routes.iter().map(|r| route_line(interface, r)).collect();
        let rules: String = rail.rules.iter().map(rule_line).collect();
        let mtu = rail.mtu.map_or_else(String::new, |mtu| format!("MTU='{mtu}'\n"));
        for (name, lines) in [("ifroute", routes), ("ifrule", rules), ("ifcfg", mtu)] {
            if !lines.is_empty() {
                out.files.push(File::part(format!("{DIR}/{name}-{interface}"), lines, 0o644));
            }
        }
        for address in rail.added.iter().chain(&rail.removed) {
            out.warn(format!("change the address {address} in {DIR}/ifcfg-{interface}"));
        }
        out.commands.push(format!("wicked ifreload {interface}"));
        out.commands.push("ip rule show".into());
    }
    out.warn(
        "wicked's form follows its manual and was not run: see with `ip rule show` that each rule \
         has the preference written here",
    );
}

/// Columns: destination, gateway, netmask, interface, options of `ip route`.
fn route_line(interface: &str, route: &RouteSpec) -> String {
    let via = route.via.map_or_else(|| "-".into(), |via| via.to_string());
    let mut line = format!("{} {via} - {interface}", destination(route));
    let _ = route.kind.map(|kind| write!(line, " {kind}"));
    let _ = write!(line, " table {}", route.table);
    if has_link_scope(route) {
        line.push_str(" scope link");
    }
    let _ = route.src.map(|src| write!(line, " src {src}"));
    let _ = route.metric.map(|metric| write!(line, " metric {metric}"));
    line.push_str(&extra_words(route));
    line.push('\n');
    line
}

fn rule_line(policy: &Policy) -> String {
    let family = match policy.family {
        Family::Inet => "ipv4",
        Family::Inet6 => "ipv6",
    };
    let Policy { table, preference, .. } = policy;
    format!("{family} {} table {table} pref {preference}\n", policy.selectors())
}
