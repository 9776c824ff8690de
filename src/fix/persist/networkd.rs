//! systemd-networkd: a drop-in of the `.network` file that applies, or a file of its own.

use super::rule::bare;
use super::write::{Extra, HEADER, destination, has_link_scope};
use super::{File, Kind, Persist, Plan, Policy, RailPlan};
use crate::fix::RouteSpec;
use crate::sample::{Manager, Text};
use std::fmt::Write;

const DIR: &str = "/etc/systemd/network";

pub(super) fn render(plan: &Plan, out: &mut Persist) {
    for rail in plan.rails.iter().filter(|r| r.is_configured()) {
        match network_file(rail) {
            Some((file, false)) => drop_in(rail, &file, out),
            Some((file, true)) => {
                out.warn(format!(
                    "{file} applies to more than {}: a drop-in would give its routes to all of \
                     them, so this is a whole file that comes before; take over what else the \
                     shared file says",
                    rail.interface
                ));
                // The first file in the order of names applies, and no other.
                let order = if basename(&file) > "05-railtop" { "05" } else { "00" };
                whole(rail, order, out);
            }
            None => whole(rail, "10", out),
        }
    }
    out.commands.push("networkctl reload".into());
    traps(out);
}

/// The `.network` file that applies now, and whether others have it, too. netplan's files are
/// such files; a drop-in in /etc adds to those in /run.
fn network_file(rail: &RailPlan) -> Option<(Text, bool)> {
    let managed = rail.managed.as_ref()?;
    let networkd =
        managed.manager == Manager::Networkd || managed.daemon == Some(Manager::Networkd);
    let file = managed.profile.clone().filter(|_| networkd)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.@+".contains(c);
    let name = basename(&file);
    let safe = name.ends_with(".network") && name.chars().all(plain);
    safe.then_some((file, managed.shared))
}

fn basename(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn drop_in(rail: &RailPlan, file: &str, out: &mut Persist) {
    let mut text = HEADER.to_owned();
    if let Some(mtu) = rail.mtu {
        let _ = writeln!(text, "[Link]\nMTUBytes={mtu}\n");
    }
    if !rail.added.is_empty() {
        text.push_str("[Network]\n");
        for address in &rail.added {
            let _ = writeln!(text, "Address={address}");
        }
        text.push('\n');
    }
    if !rail.removed.is_empty() {
        out.warn(format!("an address of {} is to go: delete it in {file}", rail.interface));
    }
    text.push_str(&sections(rail));
    let path = format!("{DIR}/{}.d/90-railtop.conf", basename(file));
    out.files.push(File::whole(path, finish(text), 0o644));
}

fn whole(rail: &RailPlan, order: &str, out: &mut Persist) {
    let interface = &rail.interface;
    if matches!(rail.kind, Kind::Bond | Kind::Vlan) {
        out.warn(format!("{interface} is a bond or VLAN: its .netdev file is not written here"));
    }
    let mut text = format!("{HEADER}[Match]\nName={interface}\n\n");
    if let Some(mtu) = rail.mtu {
        let _ = writeln!(text, "[Link]\nMTUBytes={mtu}\n");
    }
    text.push_str("[Network]\n");
    for address in &rail.addresses {
        let _ = writeln!(text, "Address={address}");
    }
    text.push_str("LinkLocalAddressing=ipv6\n\n");
    text.push_str(&sections(rail));
    let path = format!("{DIR}/{order}-railtop-{interface}.network");
    out.files.push(File::whole(path, finish(text), 0o644));
    if matches!(rail.kind, Kind::Infiniband { .. }) {
        out.warn(
            "the IPoIB mode is not written: systemd 252 (Debian 12) ignores [IPoIB] in a .network \
             file of an interface that is there; set it by a udev rule",
        );
    }
}

fn finish(mut text: String) -> String {
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn sections(rail: &RailPlan) -> String {
    let routes = rail.routes.iter().map(route);
    routes.chain(rail.rules.iter().map(rule)).collect()
}

fn route(route: &RouteSpec) -> String {
    let extra = Extra::of(route).unwrap_or_default();
    let mut text = format!("[Route]\nDestination={}\n", destination(route));
    let mut add = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = writeln!(text, "{key}={value}");
        }
    };
    add("Gateway", route.via.map(|via| via.to_string()));
    add("GatewayOnLink", extra.onlink.then(|| "yes".into()));
    add("PreferredSource", route.src.map(|src| src.to_string()));
    add("Scope", has_link_scope(route).then(|| "link".into()));
    add("Type", route.kind.map(str::to_owned));
    add("Metric", route.metric.map(|metric| metric.to_string()));
    add("MTUBytes", extra.mtu.map(|mtu| mtu.to_string()));
    add("Table", Some(route.table.to_string()));
    text.push('\n');
    text
}

fn rule(policy: &Policy) -> String {
    let mut text = "[RoutingPolicyRule]\n".to_owned();
    let mut add = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = writeln!(text, "{key}={value}");
        }
    };
    add("From", policy.from.map(bare));
    add("To", policy.to.map(bare));
    add("IncomingInterface", policy.iif.as_ref().map(Text::to_string));
    add("OutgoingInterface", policy.oif.as_ref().map(Text::to_string));
    add("FirewallMark", policy.fwmark.as_ref().map(Text::to_string));
    add("InvertRule", policy.not.then(|| "yes".into()));
    if policy.from.is_none() && policy.to.is_none() {
        add("Family", Some(family(policy).into()));
    }
    add("Table", Some(policy.table.to_string()));
    add("Priority", Some(policy.preference.to_string()));
    text.push('\n');
    text
}

fn family(policy: &Policy) -> &'static str {
    match policy.family {
        crate::sample::Family::Inet => "ipv4",
        crate::sample::Family::Inet6 => "ipv6",
    }
}

/// What networkd does to what it does not know.
pub(super) fn traps(out: &mut Persist) {
    out.warn(
        "systemd-networkd deletes rules and routes it did not configure when it starts, unless \
         /etc/systemd/networkd.conf has ManageForeignRoutingPolicyRules=no (249) and \
         ManageForeignRoutes=no (246): keep all of a rail's rules in its files",
    );
    out.warn(
        "systemd-networkd drops addresses and routes when the carrier is lost, unless \
         ConfigureWithoutCarrier=yes or IgnoreCarrierLoss= is set for the rail",
    );
}
