//! ifupdown: a hook that may run any number of times, for each bounce of the link.

use super::write::HEADER;
use super::{File, Persist, Plan, Policy, RailPlan, sysctl};
use crate::fix::{RouteSpec, sh};
use crate::sample::Family;
use std::fmt::Write;

/// run-parts skips names with a dot (run-parts(8)).
const UP: &str = "/etc/network/if-up.d/railtop-rails";
/// Not if-down.d: NetworkManager's 01-ifupdown runs only if-post-down.d.
const DOWN: &str = "/etc/network/if-post-down.d/railtop-rails";

pub(super) fn render(plan: &Plan, out: &mut Persist) {
    let rails: Vec<&RailPlan> = plan.rails.iter().filter(|r| r.is_configured()).collect();
    out.files.push(File::whole(UP, up(&rails), 0o755));
    out.files.push(File::whole(DOWN, down(&rails), 0o755));
    for rail in &rails {
        out.commands.push(format!("IFACE={} {UP}", sh::word(&rail.interface)));
    }
    for rail in &rails {
        for address in rail.added.iter().chain(&rail.removed) {
            let name = &rail.interface;
            out.warn(format!("change the address {address} of {name} in /etc/network/interfaces"));
        }
    }
    out.warn(
        "run-parts skips files whose names have a dot (rails.sh would never run) or that are not \
         executable: `run-parts --test /etc/network/if-up.d` shows what runs",
    );
    out.warn(
        "ifupdown has no daemon: `ip link set ib0 down; ip link set ib0 up` empties the tables and \
         runs no hook; then run `IFACE=ib0 /etc/network/if-up.d/railtop-rails`, or use ifdown and \
         ifup",
    );
    out.warn(
        "under NetworkManager the hook runs on Debian and Ubuntu only (dispatcher.d/01-ifupdown), \
         once per address family; under systemd-networkd never",
    );
}

const UP_HEAD: &str = r#"
# A rule once and at its preference; the same rule elsewhere goes.
rule() { # FAMILY PREFERENCE SOURCE TABLE
    ip "$1" rule show from "$3" table "$4" pref "$2" | grep -q . ||
        ip "$1" rule add pref "$2" from "$3" lookup "$4" || return
    ip "$1" rule show from "$3" table "$4" | while read -r pref from source lookup _ more; do
        case "$from $source $lookup $more" in
            "from $3 lookup " | "from $3 lookup proto "*) ;;
            *) continue ;; # it says more than this one
        esac
        [ "${pref%:}" = "$2" ] || ip "$1" rule del pref "${pref%:}" from "$3" lookup "$4"
    done
}

# Only what is up has routes to give.
up() {
    ip -o link show dev "$1" up 2>/dev/null | grep -q .
}
"#;

/// A rail whose command fails must not keep ifup from the others, so the hook ends with 0;
/// what failed was said.
fn up(rails: &[&RailPlan]) -> String {
    let mut text = format!("#!/bin/sh\n{HEADER}# Tables and rules of the rails, at each ifup.\n");
    text.push_str(UP_HEAD);
    for (i, rail) in rails.iter().enumerate() {
        let _ = writeln!(text, "\nrail{i}() {{\n    up {} || return 0", sh::word(&rail.interface));
        text.push_str(&body(rail));
        text.push_str("}\n");
    }
    text.push_str("\n# `ifup -a` ends with one call for all.\ncase \"${IFACE:-}\" in\n");
    for (i, rail) in rails.iter().enumerate() {
        let _ = writeln!(text, "    {}) rail{i} ;;", sh::word(&rail.interface));
    }
    let all: Vec<String> = (0..rails.len()).map(|i| format!("rail{i}")).collect();
    let _ = writeln!(text, "    --all) {} ;;\nesac\nexit 0", all.join("; "));
    text
}

/// Routes before the rules that lead to them. The hook runs once per family, before the addresses
/// of the next one are there.
fn body(rail: &RailPlan) -> String {
    let mut text = String::new();
    if let Some(mtu) = rail.mtu {
        let _ = writeln!(text, "    ip link set dev {} mtu {mtu}", rail.interface);
    }
    for (key, value) in &rail.sysctls {
        let setting = format!("{}={value}", sysctl::name(key));
        let _ = writeln!(text, "    sysctl -q -w {}", sh::word(&setting));
    }
    for (family, other) in [(Family::Inet, "inet6"), (Family::Inet6, "inet")] {
        let routes = rail.routes_of(family).map(|r| route(rail, r));
        let lines: Vec<String> = routes.chain(rail.rules_of(family).map(rule)).collect();
        if !lines.is_empty() {
            let lines = lines.join("\n        ");
            let _ = write!(
                text,
                "    if [ \"${{ADDRFAM:-}}\" != {other} ]; then\n        {lines}\n    fi\n"
            );
        }
    }
    text
}

fn route(rail: &RailPlan, route: &RouteSpec) -> String {
    format!(
        "ip {} route replace {}",
        option(route.dst.family()),
        super::ifcfg::route_line(rail, route)
    )
}

fn rule(policy: &Policy) -> String {
    let ip = option(policy.family);
    let Policy { preference, table, .. } = policy;
    if let Some(from) = policy.from.filter(|_| policy.is_plain()) {
        return format!("rule {ip} {preference} {} {table}", super::rule::bare(from));
    }
    let selectors = policy.selectors();
    format!(
        "ip {ip} rule show pref {preference} {selectors} table {table} | grep -q . || \
         ip {ip} rule add pref {preference} {selectors} lookup {table}"
    )
}

/// The routes go with the link; the rules would stay and lead to empty tables.
fn down(rails: &[&RailPlan]) -> String {
    let mut text = format!("#!/bin/sh\n{HEADER}# The rules of a rail go with it, at ifdown.\n\n");
    text.push_str("case \"${IFACE:-}\" in\n");
    for rail in rails.iter().filter(|r| !r.rules.is_empty()) {
        let _ = writeln!(text, "    {})", sh::word(&rail.interface));
        for policy in &rail.rules {
            let ip = option(policy.family);
            let _ = writeln!(
                text,
                "        ip {ip} rule del pref {} {} lookup {} 2>/dev/null",
                policy.preference,
                policy.selectors(),
                policy.table
            );
        }
        text.push_str("        ;;\n");
    }
    text.push_str("esac\nexit 0\n");
    text
}

fn option(family: Family) -> &'static str {
    match family {
        Family::Inet => "-4",
        Family::Inet6 => "-6",
    }
}
