//! Addresses and MTU of rails that belong together.

use super::Judged;
use super::cause::{Kind, State};
use super::scene::{Scene, Set};
use super::tell::{Told, listed};
use crate::check::Severity;
use crate::check::catalogue::routing as id;
use crate::fix::{Action, Change};
use crate::sample::{Address, Family, Text};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// ARPHRD_INFINIBAND.
const INFINIBAND: u32 = 32;
/// RT_SCOPE_LINK.
const RT_SCOPE_LINK: u8 = 253;

/// All findings about addresses.
pub(super) fn find(scene: &Scene<'_>, judged: &Judged) -> Vec<Told> {
    let mut told: Vec<Told> = Vec::new();
    told.extend(none(scene));
    told.extend(twice(scene));
    for set in scene.sets.iter().filter(|s| s.is_shared()) {
        told.extend(lengths(scene, judged, set));
        told.extend(mtu(scene, set));
    }
    told
}

/// Rails without an address beside rails that have one: only native verbs use them.
fn none(scene: &Scene<'_>) -> Option<Told> {
    let all = scene.routing.addresses.as_ref().ok()?;
    let bare: Vec<usize> = scene
        .ifaces
        .iter()
        .enumerate()
        .filter(|(_, i)| i.link.flags.is_up() && i.has_carrier())
        .filter(|(_, i)| i.link.master.is_none() && i.link.kind == INFINIBAND)
        .filter(|(_, i)| !all.iter().any(|a| a.ifindex == i.index && a.scope < RT_SCOPE_LINK))
        .map(|(at, _)| at)
        .collect();
    if bare.is_empty() {
        return None;
    }
    let names: Vec<&Text> =
        bare.iter().filter_map(|&i| scene.iface(i)).map(super::scene::Iface::name).collect();
    let (verb, only) = if names.len() == 1 { ("has", "it") } else { ("have", "them") };
    let what = format!(
        "{} {verb} no address: only programs that use RDMA without IP use {only}",
        listed(names)
    );
    let seen = bare.iter().filter_map(|&i| scene.iface(i));
    let seen =
        seen.map(|i| Text::from(format!("ip addr show dev {}: no global address", i.name())));
    Some(Told::new(scene, id::RAIL_NO_ADDRESS, Severity::Note, &bare, what).seen(seen))
}

/// The same address on two devices.
fn twice(scene: &Scene<'_>) -> Vec<Told> {
    let Ok(all) = &scene.routing.addresses else { return Vec::new() };
    let link = |a: &Address| scene.links.iter().find(|l| l.index == a.ifindex);
    let counts = |a: &&Address| {
        let host = a.local.len == if a.local.addr.is_ipv4() { 32 } else { 128 };
        a.scope < RT_SCOPE_LINK
            && !host
            && a.peer.is_none()
            && link(a)
                .is_some_and(|l| !l.flags.is_loopback() && l.info_kind.as_deref() != Some("dummy"))
    };
    let usable: Vec<&Address> = all.iter().filter(counts).collect();
    let mut done: BTreeSet<IpAddr> = BTreeSet::new();
    let mut told = Vec::new();
    for addr in &scene.addrs {
        let Some(own) = scene.iface(addr.iface) else { continue };
        let holders: Vec<&&Address> = usable
            .iter()
            .filter(|a| a.local.addr == addr.ip)
            .filter(|a| link(a).is_some_and(|l| l.master == own.link.master))
            .collect();
        let devices: BTreeSet<u32> = holders.iter().map(|a| a.ifindex).collect();
        if devices.len() < 2 || !done.insert(addr.ip) {
            continue;
        }
        let ifaces: Vec<usize> = devices.iter().filter_map(|&d| scene.rail_iface(d)).collect();
        let names = listed(devices.iter().map(|&d| scene.dev(d)));
        let what =
            format!("{} is an address of {names} at once: which one answers is chance", addr.ip);
        let seen = holders.iter().map(|a| {
            let word = if a.local.addr.is_ipv4() { "inet" } else { "inet6" };
            Text::from(format!("{}: {word} {} scope global", scene.dev(a.ifindex), a.local))
        });
        told.push(
            Told::new(scene, id::ADDR_DUP_LOCAL, Severity::Critical, &ifaces, what).seen(seen),
        );
    }
    told
}

/// Prefixes of different length. Where packets go astray for it, that is told with the way.
fn lengths(scene: &Scene<'_>, judged: &Judged, set: &Set) -> Option<Told> {
    let told = set.addrs.iter().any(|&a| {
        matches!(judged.states.get(a), Some(State::Wrong(c)) if matches!(c.kind, Kind::Longer { .. }))
    });
    let addrs = || set.addrs.iter().filter_map(|&a| scene.addr(a));
    let lengths: BTreeSet<u8> = addrs().map(|a| a.prefix.len).collect();
    if told || lengths.len() < 2 {
        return None;
    }
    let each = addrs().map(|a| {
        let name = scene.iface(a.iface).map(|i| i.name().clone()).unwrap_or_default();
        format!("{}/{} on {name}", a.ip, a.prefix.len)
    });
    let what = format!(
        "the prefixes of {} overlap and differ in length: unbound packets to the longer one always \
         take its rail",
        listed(set.ifaces.iter().filter_map(|&i| scene.iface(i)).map(super::scene::Iface::name))
    );
    Some(
        Told::new(scene, id::PREFIX_LENGTH_MISMATCH, Severity::Note, &set.ifaces, what)
            .seen(each.map(Text::from)),
    )
}

/// Rails of one subnet with different MTU.
fn mtu(scene: &Scene<'_>, set: &Set) -> Option<Told> {
    // Both families share the link: told once.
    let families = scene.sets.iter().filter(|s| s.ifaces == set.ifaces);
    if set.prefix.family() == Family::Inet6
        && families.into_iter().any(|s| s.prefix.family() == Family::Inet)
    {
        return None;
    }
    let links: Vec<_> = set.ifaces.iter().filter_map(|&i| scene.iface(i)).map(|i| i.link).collect();
    let known: Vec<u32> = links.iter().filter_map(|l| l.mtu).collect();
    let (least, most) = (known.iter().min()?, known.iter().max()?);
    if least == most {
        return None;
    }
    let modes: BTreeSet<_> = links.iter().filter_map(|l| l.ipoib_mode.as_ref()).collect();
    let keys: BTreeSet<_> = links.iter().filter_map(|l| l.pkey).collect();
    // Connected beside datagram mode, or another partition, may be meant.
    let severity =
        if modes.len() > 1 || keys.len() > 1 { Severity::Note } else { Severity::Warning };
    let each = links.iter().filter_map(|l| Some(format!("{} mtu {}", l.name, l.mtu?)));
    let what = format!(
        "rails of {} have different MTU ({}): what is larger than the receiver's vanishes without \
         an error",
        set.prefix,
        listed(each.clone())
    );
    let remedy = links
        .iter()
        .filter(|l| l.mtu.is_some_and(|m| m > *least))
        .map(|l| Change::here(Action::LinkMtu { dev: l.name.clone(), mtu: *least, before: l.mtu }));
    Some(
        Told::new(scene, id::MTU_MISMATCH, severity, &set.ifaces, what)
            .seen(each.map(Text::from))
            .mended(remedy.collect()),
    )
}
