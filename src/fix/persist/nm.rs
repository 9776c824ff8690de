//! NetworkManager: a keyfile, or `nmcli connection modify` of the profile that is there.

use super::rule::bare;
use super::write::{Extra, HEADER, destination, has_link_scope};
use super::{File, Kind, Persist, Plan, Policy, RailPlan};
use crate::fix::{RouteSpec, sh};
use crate::sample::{Family, Manager, Prefix};
use std::fmt::Write;

const DIR: &str = "/etc/NetworkManager/system-connections";
const FAMILIES: [Family; 2] = [Family::Inet, Family::Inet6];

pub(super) fn render(plan: &Plan, out: &mut Persist) {
    for rail in plan.rails.iter().filter(|r| r.is_configured()) {
        match rail.kept_by(Manager::NetworkManager).and_then(|m| m.profile.clone()) {
            Some(uuid) => modify(rail, &uuid, out),
            None => keyfile(rail, out),
        }
    }
    out.warn(
        "do not set ipv4.route-table for this: it moves the connected route out of the main \
         table, and programs that bind to no address lose the rail",
    );
    out.warn(
        "NetworkManager takes address, routes and rules away 5 s after the carrier is lost \
         (carrier-wait-timeout) unless ignore-carrier names the interface \
         (/etc/NetworkManager/conf.d, [device-rails] match-device=interface-name:ib* \
         ignore-carrier=yes); pre-down scripts do not run then",
    );
}

/// Adds to a profile. nmcli writes the file itself; what is there twice is there once.
fn modify(rail: &RailPlan, uuid: &str, out: &mut Persist) {
    let mut line = format!("nmcli connection modify uuid {}", sh::word(uuid));
    for family in FAMILIES {
        let ip = setting(family);
        let mut add = |sign: char, property: &str, value: &str| {
            let _ = write!(line, " {sign}{ip}.{property} {}", sh::word(value));
        };
        for (sign, list) in [('+', &rail.added), ('-', &rail.removed)] {
            for address in list.iter().filter(|a| a.family() == family) {
                add(sign, "addresses", &address.to_string());
            }
        }
        for route in rail.routes_of(family) {
            add('+', "routes", &route_words(route));
        }
        for policy in rail.rules_of(family) {
            add('+', "routing-rules", &rule_words(policy));
        }
    }
    if let Some(mtu) = rail.mtu {
        let _ = write!(line, " {}.mtu {mtu}", link_setting(&rail.kind));
    }
    out.commands.push(line);
    let interface = &rail.interface;
    if rail.mtu.is_some() {
        out.commands.push(format!("nmcli connection up uuid {}", sh::word(uuid)));
        out.warn(format!("`nmcli connection up` interrupts {interface} for a moment"));
    } else {
        out.commands.push(format!("nmcli device reapply {interface}"));
    }
    if let Some(file) = rail.managed.as_ref().and_then(|m| m.file.as_ref()) {
        out.warn(format!("the profile of {interface} is {file}: nmcli writes it"));
    }
}

/// A profile of its own. A UUID is not needed: NetworkManager makes one of the file's name.
fn keyfile(rail: &RailPlan, out: &mut Persist) {
    let interface = &rail.interface;
    let id = format!("railtop-{interface}");
    let mut text = format!("{HEADER}[connection]\nid={id}\n");
    match &rail.kind {
        Kind::Infiniband { mode, pkey, parent } => {
            let _ = writeln!(text, "type=infiniband\ninterface-name={interface}\n");
            let mode = mode.as_deref().unwrap_or("datagram");
            let _ = writeln!(text, "[infiniband]\ntransport-mode={mode}");
            if let (Some(pkey), Some(parent)) = (pkey, parent) {
                let _ = writeln!(text, "p-key={pkey}\nparent={parent}");
            }
        }
        Kind::Ethernet => {
            let _ = writeln!(text, "type=ethernet\ninterface-name={interface}\n\n[ethernet]");
        }
        Kind::Bond | Kind::Vlan => {
            out.warn(format!(
                "{interface} is a bond or VLAN without a profile of NetworkManager: make that \
                 first, then ask again"
            ));
            return;
        }
    }
    if let Some(mtu) = rail.mtu {
        let _ = writeln!(text, "mtu={mtu}");
    }
    for family in FAMILIES {
        text.push_str(&ip_section(rail, family));
    }
    let path = format!("{DIR}/{id}.nmconnection");
    out.commands.push(format!("nmcli connection load {path}"));
    out.commands.push(format!("nmcli connection up {id}"));
    out.files.push(File::whole(path, text, 0o600));
    out.warn(format!(
        "`nmcli connection up {id}` takes the addresses of {interface} away for a moment, and an NI \
         of LNet on it goes down with them: not while the rail is needed"
    ));
    out.warn(
        "NetworkManager ignores a keyfile that others can read or that root does not own: \
         mode 0600",
    );
    out.warn(format!(
        "another profile for {interface} may win at boot: `nmcli connection show` lists them; \
         with one, use `nmcli connection modify` instead"
    ));
}

fn ip_section(rail: &RailPlan, family: Family) -> String {
    let mut text = format!("\n[{}]\n", setting(family));
    let mut addresses = rail.addresses.iter().filter(|a| a.family() == family).peekable();
    if addresses.peek().is_none() {
        text.push_str(match family {
            Family::Inet => "method=disabled\n",
            Family::Inet6 => "method=link-local\n",
        });
        // NetworkManager takes routes and rules with these methods, too.
    } else {
        text.push_str("method=manual\n");
        for (i, address) in addresses.enumerate() {
            let _ = writeln!(text, "address{}={address}", i + 1);
        }
        // It would also drop default routes of the tables.
        if rail.routes_of(family).all(|r| r.dst.len > 0) {
            text.push_str("never-default=true\n");
        }
    }
    for (i, route) in rail.routes_of(family).enumerate() {
        let _ = writeln!(text, "route{}={}", i + 1, route_key(route));
        let options = options(route, ",");
        if !options.is_empty() {
            let _ = writeln!(text, "route{}_options={options}", i + 1);
        }
    }
    for (i, policy) in rail.rules_of(family).enumerate() {
        let _ = writeln!(text, "routing-rule{}={}", i + 1, rule_words(policy));
    }
    text
}

fn setting(family: Family) -> &'static str {
    match family {
        Family::Inet => "ipv4",
        Family::Inet6 => "ipv6",
    }
}

fn link_setting(kind: &Kind) -> &'static str {
    match kind {
        Kind::Infiniband { .. } => "infiniband",
        Kind::Ethernet | Kind::Bond | Kind::Vlan => "802-3-ethernet",
    }
}

/// `172.16.0.0/16 0.0.0.0 50 src=… table=…`, as `nmcli` takes it.
fn route_words(route: &RouteSpec) -> String {
    let mut words = vec![destination(route)];
    if route.kind.is_none() {
        words.push(next_hop(route));
    }
    words.extend(route.metric.map(|m| m.to_string()));
    let options = options(route, " ");
    if !options.is_empty() {
        words.push(options);
    }
    words.join(" ")
}

/// `172.16.0.0/16,0.0.0.0,50`, as a keyfile has it (nm-settings-keyfile(5)).
fn route_key(route: &RouteSpec) -> String {
    let mut parts = vec![destination(route)];
    if route.via.is_some() || route.metric.is_some() {
        parts.push(next_hop(route));
    }
    parts.extend(route.metric.map(|m| m.to_string()));
    parts.join(",")
}

fn next_hop(route: &RouteSpec) -> String {
    match (route.via, route.dst.family()) {
        (Some(via), _) => via.to_string(),
        (None, Family::Inet) => "0.0.0.0".into(),
        (None, Family::Inet6) => "::".into(),
    }
}

fn options(route: &RouteSpec, by: &str) -> String {
    let extra = Extra::of(route).unwrap_or_default();
    let mut options = Vec::new();
    if has_link_scope(route) {
        options.push("scope=253".to_owned());
    }
    options.extend(route.src.map(|src| format!("src={src}")));
    options.push(format!("table={}", route.table));
    options.extend(route.kind.map(|kind| format!("type={kind}")));
    options.extend(extra.mtu.map(|mtu| format!("mtu={mtu}")));
    if extra.lock {
        options.push("lock-mtu=true".into());
    }
    if extra.onlink {
        options.push("onlink=true".into());
    }
    options.join(by)
}

/// NetworkManager demands a priority and takes numbers only.
fn rule_words(policy: &Policy) -> String {
    let mut words = vec![format!("priority {}", policy.preference)];
    if policy.not {
        words.push("not".into());
    }
    let everything = Prefix {
        addr: match policy.family {
            Family::Inet => std::net::Ipv4Addr::UNSPECIFIED.into(),
            Family::Inet6 => std::net::Ipv6Addr::UNSPECIFIED.into(),
        },
        len: 0,
    };
    match (policy.from, policy.to) {
        (None, None) => words.push(format!("from {everything}")),
        (from, to) => {
            words.extend(from.map(|p| format!("from {}", bare(p))));
            words.extend(to.map(|p| format!("to {}", bare(p))));
        }
    }
    for (key, value) in [("fwmark", &policy.fwmark), ("iif", &policy.iif), ("oif", &policy.oif)] {
        words.extend(value.as_ref().map(|value| format!("{key} {value}")));
    }
    words.push(format!("table {}", policy.table));
    words.join(" ")
}
