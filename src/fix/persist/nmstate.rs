//! nmstate: one document of the desired state, kept by NetworkManager.

use super::rule::bare;
use super::write::{Extra, HEADER, destination, yaml};
use super::{File, Kind, Persist, Plan, Policy, RailPlan};
use crate::fix::RouteSpec;
use crate::sample::{Family, Manager, Prefix};
use std::fmt::Write;

const PATH: &str = "/etc/nmstate/90-railtop.yml";

pub(super) fn render(plan: &Plan, out: &mut Persist) {
    let rails: Vec<&RailPlan> = plan.rails.iter().filter(|r| r.is_configured()).collect();
    let mut text = HEADER.to_owned();
    let mut opened = false;
    for rail in &rails {
        let Some(interface) = interface(rail, out) else { continue };
        if !std::mem::replace(&mut opened, true) {
            text.push_str("interfaces:\n");
        }
        text.push_str(&interface);
    }
    let routes: String =
        rails.iter().flat_map(|rail| rail.routes.iter().map(|r| route(rail, r))).collect();
    let rules: String = rails.iter().flat_map(|rail| rail.rules.iter().map(rule)).collect();
    for (key, entries) in [("routes", routes), ("route-rules", rules)] {
        if !entries.is_empty() {
            let _ = write!(text, "{key}:\n  config:\n{entries}");
        }
    }
    out.files.push(File::whole(PATH, text, 0o600));
    out.commands.push(format!("nmstatectl apply {PATH}"));
    warn(&rails, out);
}

/// The interface itself, unless NetworkManager keeps it and nothing of it changes: what is not
/// named, nmstate leaves alone.
fn interface(rail: &RailPlan, out: &mut Persist) -> Option<String> {
    let name = &rail.interface;
    let kept = rail.kept_by(Manager::NetworkManager).is_some();
    let changed = rail.mtu.is_some() || !rail.added.is_empty() || !rail.removed.is_empty();
    if kept && !changed {
        return None;
    }
    let mut text = format!("- name: {}\n", yaml(name));
    match &rail.kind {
        Kind::Infiniband { mode, pkey, parent } => {
            let _ = writeln!(text, "  type: infiniband\n  state: up");
            let _ = rail.mtu.map(|mtu| writeln!(text, "  mtu: {mtu}"));
            let mode = yaml(mode.as_deref().unwrap_or("datagram"));
            let pkey = pkey.unwrap_or(0xffff);
            let _ = writeln!(text, "  infiniband:\n    mode: {mode}\n    pkey: \"{pkey:#06x}\"");
            let _ = parent.as_ref().map(|p| writeln!(text, "    base-iface: {}", yaml(p)));
        }
        Kind::Ethernet => {
            let _ = writeln!(text, "  type: ethernet\n  state: up");
            let _ = rail.mtu.map(|mtu| writeln!(text, "  mtu: {mtu}"));
        }
        Kind::Bond | Kind::Vlan => {
            out.warn(format!("{name} is a bond or VLAN: say its addresses and MTU by hand"));
            return None;
        }
    }
    for (key, family) in [("ipv4", Family::Inet), ("ipv6", Family::Inet6)] {
        let of_family: Vec<&Prefix> =
            rail.addresses.iter().filter(|a| a.family() == family).collect();
        if of_family.is_empty() {
            continue;
        }
        let _ = writeln!(text, "  {key}:\n    enabled: true\n    dhcp: false\n    address:");
        for address in of_family {
            let ip = yaml(&address.addr.to_string());
            let _ = writeln!(text, "    - ip: {ip}\n      prefix-length: {}", address.len);
        }
    }
    Some(text)
}

fn route(rail: &RailPlan, route: &RouteSpec) -> String {
    let mut text = format!("  - destination: {}\n", yaml(&destination(route)));
    match route.kind {
        // nmstate refuses a next hop of these.
        Some(kind) => {
            let _ = writeln!(text, "    route-type: {kind}");
        }
        None => {
            let _ = writeln!(text, "    next-hop-interface: {}", yaml(&rail.interface));
        }
    }
    let via = route.via.map(|via| yaml(&via.to_string()));
    let _ = via.map(|via| writeln!(text, "    next-hop-address: {via}"));
    let src = route.src.map(|src| yaml(&src.to_string()));
    let _ = src.map(|src| writeln!(text, "    source: {src}"));
    let _ = route.metric.map(|metric| writeln!(text, "    metric: {metric}"));
    let _ = writeln!(text, "    table-id: {}", route.table);
    text
}

fn rule(policy: &Policy) -> String {
    let mut text = format!("  - priority: {}\n", policy.preference);
    let mut add = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = writeln!(text, "    {key}: {value}");
        }
    };
    add("ip-from", policy.from.map(|p| yaml(&p.to_string())));
    add("ip-to", policy.to.map(|p| yaml(&p.to_string())));
    add("iif", policy.iif.as_ref().map(|name| yaml(name)));
    let mark = policy.fwmark.as_deref().map(|m| m.split_once('/').unwrap_or((m, "")));
    add("fwmark", mark.map(|(mark, _)| mark.to_owned()));
    add("fwmask", mark.filter(|(_, mask)| !mask.is_empty()).map(|(_, mask)| mask.to_owned()));
    if policy.from.is_none() && policy.to.is_none() {
        let family = if policy.family == Family::Inet { "ipv4" } else { "ipv6" };
        add("family", Some(family.into()));
    }
    add("route-table", Some(policy.table.to_string()));
    text
}

fn warn(rails: &[&RailPlan], out: &mut Persist) {
    out.warn(
        "nmstate.service applies the files of /etc/nmstate at boot; profiles it wrote stay with \
         NetworkManager, which the traps of NetworkManager apply to: address, routes and rules \
         go 5 s after the carrier is lost unless ignore-carrier names the interface",
    );
    for rail in rails {
        let name = &rail.interface;
        let pkey = matches!(&rail.kind, Kind::Infiniband { pkey: None, .. });
        if pkey && rail.kept_by(Manager::NetworkManager).is_none() {
            out.warn(format!(
                "nmstate demands a pkey also for {name} itself: 0xffff is the default partition"
            ));
        }
        if rail.routes.iter().any(|r| Extra::of(r).is_some_and(|e| e != Extra::default())) {
            out.warn(format!("the MTU and onlink of routes of {name} are not written"));
        }
        if rail.rules.iter().any(|r| r.not || r.oif.is_some()) {
            out.warn(format!("nmstate has no word for not and oif: look at the rules of {name}"));
        }
        if rail.rules.iter().map(|r| r.from.map(bare)).any(|from| from.is_none()) {
            out.warn(format!("a rule of {name} has no source: see that it is wanted for all"));
        }
    }
}
