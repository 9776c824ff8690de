//! Values that are set for all interfaces at once.
//!
//! The higher of `all` and the interface counts, so a value of `all` that was meant for the rails
//! holds for every bridge, container and Ethernet as well. On a node that has nothing but rails
//! and a management port this is a matter of taste, and nothing is said. It is said where it
//! hits somebody:
//!
//! * `arp_ignore` and `arp_announce`, where containers or virtual machines have interfaces;
//! * `rp_filter` 2, where another interface is meant to filter strictly (1) and no longer does.
//!
//! `rp_filter` 1 of `all` is what hardening profiles set for good reason, and is not told.

use super::lines;
use super::plan::sysctl;
use super::scene::{Iface, Scene};
use super::tell::{Told, few, listed};
use crate::check::Severity;
use crate::check::catalogue::routing as id;
use crate::fix::Change;
use crate::sample::{Family, Link, Reading, SysctlIf, Text};

type Get = fn(&SysctlIf) -> &Reading<i64>;

/// Kinds of links whose other end is a container's or a virtual machine's.
const GUESTS: [&str; 2] = ["veth", "tun"];

/// At most one finding.
pub(super) fn find(scene: &Scene<'_>) -> Option<Told> {
    let rails: Vec<usize> = shared(scene);
    if rails.is_empty() {
        return None;
    }
    let others: Vec<&Link> = scene
        .links
        .iter()
        .filter(|l| l.flags.is_up() && !l.flags.is_loopback() && !l.flags.is_noarp())
        .filter(|l| scene.rail_iface(l.index).is_none() && !is_member(scene, l))
        .collect();
    let guests: Vec<&Text> =
        others.iter().filter(|l| is_for_guests(scene, l)).map(|l| &l.name).collect();
    let loosened: Vec<&Text> = others
        .iter()
        .filter(|l| value(scene, &l.name, |s| &s.rp_filter) == Some(1))
        .map(|l| &l.name)
        .collect();
    let keys: [(&'static str, Get, bool); 3] = [
        ("arp_ignore", |s| &s.arp_ignore, !guests.is_empty()),
        ("arp_announce", |s| &s.arp_announce, !guests.is_empty()),
        ("rp_filter", |s| &s.rp_filter, !loosened.is_empty()),
    ];
    let mut told: Vec<(&str, i64)> = Vec::new();
    let mut remedy: Vec<Change> = Vec::new();
    let mut of_all: Vec<Change> = Vec::new();
    for (key, get, hits) in keys {
        let least = if key == "rp_filter" { 2 } else { 1 };
        let Some(all) = value(scene, "all", get).filter(|v| hits && *v >= least) else { continue };
        told.push((key, all));
        for name in rails.iter().filter_map(|&i| scene.iface(i)).map(Iface::name) {
            let before = value(scene, name, get);
            if before.is_none_or(|own| own < all) {
                remedy.push(sysctl(Family::Inet, name, key, all, before));
            }
        }
        of_all.push(sysctl(Family::Inet, &"all".into(), key, 0, Some(all)));
    }
    if told.is_empty() {
        return None;
    }
    // First the rails, so that they are never without.
    remedy.extend(of_all);
    let set = listed(told.iter().map(|(key, v)| format!("{key}={v}")));
    let hit = if told.iter().any(|(key, _)| *key != "rp_filter") { &guests } else { &loosened };
    let what = format!(
        "{set} is set for all interfaces, {} among them: set it on the rails alone",
        few(hit.iter().map(|t| t.as_str()))
    );
    let shown = told.iter().filter_map(|(key, v)| lines::sysctl("all", key, &Ok(*v)));
    Some(
        Told::new(scene, id::SYSCTL_ALL_ONLY, Severity::Note, &rails, what)
            .seen(shown)
            .mended(remedy),
    )
}

/// The interfaces of rails that share an IPv4 subnet and do ARP: whoever set these values meant
/// them.
fn shared(scene: &Scene<'_>) -> Vec<usize> {
    let sets = scene.sets.iter().filter(|s| s.prefix.family() == Family::Inet && s.is_shared());
    let mut all: Vec<usize> = sets.flat_map(|s| s.ifaces.iter().copied()).collect();
    all.retain(|&i| scene.iface(i).is_some_and(Iface::does_arp));
    all.sort_unstable();
    all.dedup();
    all
}

/// A bridge; a link whose addresses are at its other end.
fn is_for_guests(scene: &Scene<'_>, link: &Link) -> bool {
    let kind = link.info_kind.as_deref().unwrap_or_default();
    let addressed = || {
        let all = scene.routing.addresses.iter().flatten();
        all.into_iter().any(|a| a.ifindex == link.index && a.local.addr.is_ipv4())
    };
    kind == "bridge" || GUESTS.contains(&kind) && !addressed()
}

/// Ports of a bridge or bond have no addresses of their own.
fn is_member(scene: &Scene<'_>, link: &Link) -> bool {
    let Some(master) = link.master else { return false };
    scene.links.iter().any(|l| l.index == master && l.vrf_table.is_none())
}

fn value(scene: &Scene<'_>, interface: &str, get: Get) -> Option<i64> {
    get(scene.node.sysctls.interface(interface)?).as_ref().ok().copied()
}
