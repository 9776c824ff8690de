//! `/etc/sysconfig/network-scripts` of RHEL and its kin.

use super::write::{Extra, destination};
use super::{File, Persist, Plan, Policy, RailPlan};
use crate::fix::RouteSpec;
use crate::sample::{Family, Manager};
use std::fmt::Write;

const DIR: &str = "/etc/sysconfig/network-scripts";

pub(super) fn render(plan: &Plan, out: &mut Persist) {
    for rail in plan.rails.iter().filter(|r| r.is_configured()) {
        let interface = &rail.interface;
        for (family, route, rule) in [(Family::Inet, "", ""), (Family::Inet6, "6", "6")] {
            let lines = rail.routes_of(family).map(|r| route_line(rail, r) + "\n").collect();
            push(out, &format!("route{route}-{interface}"), lines);
            if !by_network_manager(rail) {
                let lines = rail.rules_of(family).map(rule_line).collect();
                push(out, &format!("rule{rule}-{interface}"), lines);
            }
        }
        push(out, &format!("ifcfg-{interface}"), settings(rail));
        addresses(rail, out);
        commands(rail, out);
    }
    warn(plan, out);
}

/// Also when nothing is known: since RHEL 8 it is the default reader of these files.
fn by_network_manager(rail: &RailPlan) -> bool {
    rail.managed.as_ref().is_none_or(|m| {
        m.manager == Manager::NetworkManager || m.daemon == Some(Manager::NetworkManager)
    })
}

fn push(out: &mut Persist, name: &str, lines: String) {
    if !lines.is_empty() {
        out.files.push(File::part(format!("{DIR}/{name}"), lines, 0o644));
    }
}

/// Arguments of `ip route add`; NetworkManager's reader knows these words, too.
pub(super) fn route_line(rail: &RailPlan, route: &RouteSpec) -> String {
    let mut line = route.kind.map_or_else(String::new, |kind| format!("{kind} "));
    line.push_str(&destination(route));
    let _ = route.via.map(|via| write!(line, " via {via}"));
    if route.kind.is_none() {
        let _ = write!(line, " dev {}", rail.interface);
    }
    if super::write::has_link_scope(route) {
        line.push_str(" scope link");
    }
    let _ = route.src.map(|src| write!(line, " src {src}"));
    let _ = route.metric.map(|metric| write!(line, " metric {metric}"));
    line.push_str(&extra_words(route));
    let _ = write!(line, " table {}", route.table);
    line
}

/// ` onlink mtu lock 1500`.
pub(super) fn extra_words(route: &RouteSpec) -> String {
    let extra = Extra::of(route).unwrap_or_default();
    let mut words = String::new();
    if extra.onlink {
        words.push_str(" onlink");
    }
    if let Some(mtu) = extra.mtu {
        let _ = write!(words, " mtu {}{mtu}", if extra.lock { "lock " } else { "" });
    }
    words
}

/// A line of `rule-IF`: arguments of `ip rule add`.
fn rule_line(policy: &Policy) -> String {
    let Policy { table, preference, .. } = policy;
    format!("{} table {table} priority {preference}\n", policy.selectors())
}

/// What stands in `ifcfg-IF`: the native form of rules for NetworkManager, and the MTU.
fn settings(rail: &RailPlan) -> String {
    let mut lines = rail.mtu.map_or_else(String::new, |mtu| format!("MTU={mtu}\n"));
    if by_network_manager(rail) {
        for (family, key) in [(Family::Inet, "ROUTING_RULE"), (Family::Inet6, "ROUTING_RULE6")] {
            for (i, policy) in rail.rules_of(family).enumerate() {
                let _ = writeln!(lines, "{key}_{}=\"{}\"", i + 1, rule_words(policy));
            }
        }
    }
    lines
}

fn rule_words(policy: &Policy) -> String {
    let selectors = policy.selectors();
    let all = format!("from {}", super::rule::everything(policy.family));
    let selectors = selectors.replacen("from all", &all, 1);
    format!("priority {} {selectors} table {}", policy.preference, policy.table)
}

fn addresses(rail: &RailPlan, out: &mut Persist) {
    for (list, what) in [(&rail.added, "add"), (&rail.removed, "remove")] {
        for address in list {
            out.warn(format!(
                "{what} {address} in {DIR}/ifcfg-{} (IPADDRn= and PREFIXn=, or IPV6ADDR_SECONDARIES=): \
                 which number is free is not known here",
                rail.interface
            ));
        }
    }
}

fn commands(rail: &RailPlan, out: &mut Persist) {
    let interface = &rail.interface;
    if by_network_manager(rail) {
        out.commands.push(format!("nmcli connection load {DIR}/ifcfg-{interface}"));
        out.commands.push(format!("nmcli device reapply {interface}"));
    } else {
        out.commands.push(format!("ifup {interface}"));
    }
}

fn warn(plan: &Plan, out: &mut Persist) {
    out.warn(
        "rule- files under NetworkManager disable its own handling of the interface's routes and \
         need the package NetworkManager-dispatcher-routing-rules: use ROUTING_RULE_ lines there",
    );
    if plan.rails.iter().any(by_network_manager) {
        out.warn(
            "ROUTING_RULE_ lines must have numbers that ifcfg does not use yet; with the old \
             network service they mean nothing: there put them into rule-IF",
        );
    }
    out.warn(
        "ifcfg files are deprecated since NetworkManager 1.44 and gone in RHEL 10: \
         `nmcli connection migrate` turns them into keyfiles",
    );
}
