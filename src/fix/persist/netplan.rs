//! netplan: a file of its own, which adds to the others (sequences of all files are joined).

use super::rule::{bare, everything};
use super::write::{Extra, HEADER, destination, has_link_scope, yaml};
use super::{File, Kind, Persist, Plan, Policy, RailPlan, networkd};
use crate::fix::RouteSpec;
use crate::sample::Manager;
use std::fmt::Write;

const PATH: &str = "/etc/netplan/90-railtop.yaml";

pub(super) fn render(plan: &Plan, out: &mut Persist) {
    let mut text = format!("{HEADER}network:\n  version: 2\n");
    let mut rails: Vec<&RailPlan> = plan.rails.iter().filter(|r| r.is_configured()).collect();
    rails.retain(|rail| known(rail, out));
    rails.sort_by_key(|rail| section(&rail.kind));
    let mut open = "";
    for rail in &rails {
        if section(&rail.kind) != open {
            open = section(&rail.kind);
            let _ = writeln!(text, "  {open}:");
        }
        text.push_str(&definition(rail));
    }
    if rails.is_empty() {
        return;
    }
    out.files.push(File::whole(PATH, text, 0o600));
    out.commands.push("netplan generate".into());
    out.commands.push("netplan try".into());
    warn(&rails, out);
}

/// A bond or VLAN must stand in another file: this one only adds to it.
fn known(rail: &RailPlan, out: &mut Persist) -> bool {
    let whole = rail.kept_by(Manager::Netplan).is_some();
    if !whole && matches!(rail.kind, Kind::Bond | Kind::Vlan) {
        let interface = &rail.interface;
        out.warn(format!(
            "{interface} is a bond or VLAN that netplan does not keep: define it there first"
        ));
        return false;
    }
    true
}

/// IPoIB stands among the Ethernets.
fn section(kind: &Kind) -> &'static str {
    match kind {
        Kind::Infiniband { .. } | Kind::Ethernet => "ethernets",
        Kind::Bond => "bonds",
        Kind::Vlan => "vlans",
    }
}

fn definition(rail: &RailPlan) -> String {
    let kept = rail.kept_by(Manager::Netplan).is_some();
    let mut text = format!("    {}:\n", yaml(&rail.interface));
    if !kept {
        text.push_str("      renderer: networkd\n");
        if let Kind::Infiniband { mode: Some(mode), .. } = &rail.kind {
            let _ = writeln!(text, "      infiniband-mode: {}", yaml(mode));
        }
    }
    let addresses = if kept { &rail.added } else { &rail.addresses };
    if !addresses.is_empty() {
        text.push_str("      addresses:\n");
        for address in addresses {
            let _ = writeln!(text, "      - {}", yaml(&address.to_string()));
        }
    }
    if let Some(mtu) = rail.mtu {
        let _ = writeln!(text, "      mtu: {mtu}");
    }
    list(&mut text, "routes", rail.routes.iter().map(route));
    list(&mut text, "routing-policy", rail.rules.iter().map(policy));
    text
}

fn list(text: &mut String, key: &str, entries: impl Iterator<Item = Vec<(&'static str, String)>>) {
    let mut entries = entries.peekable();
    if entries.peek().is_none() {
        return;
    }
    let _ = writeln!(text, "      {key}:");
    for entry in entries {
        for (i, (key, value)) in entry.iter().enumerate() {
            let lead = if i == 0 { "- " } else { "  " };
            let _ = writeln!(text, "      {lead}{key}: {value}");
        }
    }
}

fn route(route: &RouteSpec) -> Vec<(&'static str, String)> {
    let extra = Extra::of(route).unwrap_or_default();
    let mut keys = vec![("to", yaml(&destination(route)))];
    keys.extend(route.via.map(|via| ("via", yaml(&via.to_string()))));
    keys.extend(route.src.map(|src| ("from", yaml(&src.to_string()))));
    if has_link_scope(route) {
        keys.push(("scope", "link".into()));
    }
    keys.extend(route.kind.map(|kind| ("type", kind.to_owned())));
    keys.extend(route.metric.map(|metric| ("metric", metric.to_string())));
    keys.extend(extra.mtu.map(|mtu| ("mtu", mtu.to_string())));
    if extra.onlink {
        keys.push(("on-link", "true".into()));
    }
    keys.push(("table", route.table.to_string()));
    keys
}

fn policy(policy: &Policy) -> Vec<(&'static str, String)> {
    let mut keys = Vec::new();
    keys.extend(policy.from.map(|from| ("from", yaml(&bare(from)))));
    keys.extend(policy.to.map(|to| ("to", yaml(&bare(to)))));
    if keys.is_empty() {
        keys.push(("from", yaml(everything(policy.family))));
    }
    keys.extend(policy.fwmark.as_ref().and_then(|m| m.split('/').next()).map(number));
    keys.push(("table", policy.table.to_string()));
    keys.push(("priority", policy.preference.to_string()));
    keys
}

/// netplan's `mark` is a decimal number.
fn number(mark: &str) -> (&'static str, String) {
    let value = match mark.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).unwrap_or_default(),
        None => mark.parse().unwrap_or_default(),
    };
    ("mark", value.to_string())
}

fn warn(rails: &[&RailPlan], out: &mut Persist) {
    let by_nm = |r: &&&RailPlan| {
        r.kept_by(Manager::Netplan).is_some_and(|m| m.daemon == Some(Manager::NetworkManager))
    };
    for rail in rails.iter().filter(by_nm) {
        let interface = &rail.interface;
        if !rail.rules.is_empty() {
            out.warn(format!(
                "{interface} has renderer NetworkManager: netplan 0.106 (Debian 12) writes the \
                 routes and silently drops routing-policy; look for routing-rule1 in \
                 /run/NetworkManager/system-connections after `netplan generate`, else use \
                 --persist networkmanager"
            ));
        }
        if rail.routes.iter().any(|r| r.kind.is_some()) {
            out.warn(format!(
                "{interface} has renderer NetworkManager: netplan takes only unicast routes there"
            ));
        }
    }
    if rails.iter().any(|r| r.kept_by(Manager::Netplan).is_none()) {
        out.warn("netplan 0.105 and later know infiniband-mode; older ones refuse the whole file");
        out.warn(
            "if another netplan file has `renderer: NetworkManager` for these interfaces, \
             routing-policy may be dropped silently: this file sets renderer networkd",
        );
    }
    for rail in rails {
        let interface = &rail.interface;
        if !rail.removed.is_empty() {
            out.warn(format!(
                "an address of {interface} is to go: delete it in the netplan file that has it"
            ));
        }
        if rail.rules.iter().any(|r| r.not || r.iif.is_some() || r.oif.is_some()) {
            out.warn(format!(
                "netplan has no word for not, iif and oif: the rules of {interface} match more here"
            ));
        }
        if rail.rules.iter().any(|r| r.fwmark.as_ref().is_some_and(|m| m.contains('/'))) {
            out.warn(format!("netplan has no mask of marks: look at the rules of {interface}"));
        }
        if rail.routes.iter().any(|r| Extra::of(r).is_some_and(|e| e.lock)) {
            out.warn(format!("netplan cannot lock an MTU: look at the routes of {interface}"));
        }
    }
    out.warn(
        "the name of a definition must be the one the other netplan files use for the interface: \
         with match: it may differ from the interface's",
    );
    if !rails.iter().all(|r| by_nm(&r)) {
        networkd::traps(out);
    }
}
