//! Peers that the rails' prefixes do not hold: behind routers, or by mistake.

use super::cause::State;
use super::plan::{Plan, sysctl};
use super::scene::{Addr, Scene, Set};
use super::tell::Told;
use super::unbound::takes_a_part;
use super::{Judged, back, lines, neighbours};
use crate::check::Severity;
use crate::check::catalogue::routing as id;
use crate::check::peers::{Known, Peer, few, local_nis};
use crate::fib::Outcome;
use crate::sample::{Family, Text};
use std::net::IpAddr;

/// So many peers outside all prefixes are asked for.
const MOST_PEERS: usize = 256;
/// So many addresses seen on the rails' wires that no prefix holds.
const MOST_STRANGERS: usize = 64;

/// A packet that is wanted on one rail.
pub(super) struct Want<'s> {
    pub addr: &'s Addr,
    pub place: usize,
    pub to: IpAddr,
    pub outcome: Outcome,
}

/// All findings about peers beyond the prefixes.
pub(super) fn find(scene: &Scene<'_>, judged: &mut Judged, plan: &Plan<'_, '_>) -> Vec<Told> {
    let mut told = Vec::new();
    let wants = wants(scene, judged);
    told.extend(back::find(scene, judged, plan, &wants));
    told.extend(off_the_rails(scene, judged, &wants));
    if !told.iter().any(|t| t.found.finding.id == id::RAIL_PEER_VIA_ETHERNET) {
        told.extend(inside_and_off(scene, judged));
        told.extend(strangers(scene));
    }
    told.extend(loopback(scene));
    told
}

/// The peers outside all prefixes, and the addresses from which each is to be reached.
fn wants<'s>(scene: &'s Scene<'_>, judged: &mut Judged) -> Vec<Want<'s>> {
    let on_link = |ip: IpAddr| scene.sets.iter().any(|s| s.prefix.contains(ip));
    let outside: Vec<&Peer> = scene
        .peers
        .all()
        .iter()
        .filter(|p| !on_link(p.ip) && !scene.fib.is_local(p.ip) && is_unicast(p.ip))
        .collect();
    if outside.len() > MOST_PEERS {
        let what = format!(
            "{} of {} peers beyond the rails' subnets",
            outside.len() - MOST_PEERS,
            outside.len()
        );
        judged.gaps.push((what, format!("{MOST_PEERS} of them stand for all")));
    }
    let mut wants = Vec::new();
    for peer in few(&outside, MOST_PEERS) {
        for (place, addr) in sources(scene, peer) {
            let outcome = scene.decide(addr.iface, Some(addr.ip), peer.ip).outcome;
            wants.push(Want { addr, place, to: peer.ip, outcome });
        }
    }
    wants
}

fn is_unicast(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(a) => {
            !a.is_multicast() && !a.is_broadcast() && !a.is_unspecified() && !a.is_loopback()
        }
        IpAddr::V6(a) => {
            !a.is_multicast()
                && !a.is_unspecified()
                && !a.is_loopback()
                && !a.is_unicast_link_local()
        }
    }
}

/// LNet binds to the address of an NI of the peer's net, each in its turn; where such an NI is
/// not on a rail, the net is none of the rails'. A peer that the user names may be wanted from
/// any address of the rails.
fn sources<'s>(scene: &'s Scene<'_>, peer: &Peer) -> Vec<(usize, &'s Addr)> {
    let of_family =
        scene.addrs.iter().enumerate().filter(|(_, a)| a.ip.is_ipv4() == peer.ip.is_ipv4());
    let Some(net) = peer.known.net() else {
        // An address of its own host alone is no way to anywhere.
        return of_family.filter(|(_, a)| !a.ways.is_empty()).collect();
    };
    let mut found = Vec::new();
    for ni in local_nis(scene.node).filter(|ni| ni.net() == net.as_str()) {
        let own = of_family.clone().find(|(_, a)| ni.address().parse() == Ok(a.ip));
        match own {
            Some(own) => found.push(own),
            None => return Vec::new(),
        }
    }
    found
}

/// The finding that says why packets from an address go astray already.
pub(super) fn root(judged: &Judged, place: usize) -> Option<&'static str> {
    match judged.states.get(place)? {
        State::Wrong(cause) => cause.kind.id(),
        _ => None,
    }
}

pub(super) fn targets(wants: &[&Want<'_>]) -> Vec<IpAddr> {
    let mut ips: Vec<IpAddr> = wants.iter().map(|w| w.to).collect();
    ips.sort_unstable();
    ips.dedup();
    ips
}

pub(super) fn line(scene: &Scene<'_>, want: &Want<'_>) -> Option<Text> {
    super::way_line(scene, Some(want.addr.ip), want.to, &want.outcome)
}

/// Peers to which packets from the rails leave by no rail, or not at all.
fn off_the_rails(scene: &Scene<'_>, judged: &Judged, wants: &[Want<'_>]) -> Option<Told> {
    let off =
        |w: &&Want<'_>| is_off(scene, &w.outcome) || matches!(w.outcome, Outcome::Refuse { .. });
    let astray: Vec<&Want<'_>> = wants.iter().filter(off).collect();
    let first = *astray.first()?;
    let mut ifaces: Vec<usize> = astray.iter().map(|w| w.addr.iface).collect();
    ifaces.sort_unstable();
    ifaces.dedup();
    let targets = targets(&astray);
    let (noun, verb, them) =
        if targets.len() == 1 { ("peer", "is", "it") } else { ("peers", "are", "them") };
    let how = match super::leaves_by(scene, &first.outcome) {
        Some(by) => format!("packets to {them} leave by {by}, not by a rail"),
        None => format!("no route leads to {them}"),
    };
    let what = format!(
        "the {noun} {} {verb} outside all prefixes of the rails, and {how}",
        neighbours::addresses(targets)
    );
    let prefixes = scene.sets.iter().filter(|s| s.prefix.addr.is_ipv4() == first.to.is_ipv4());
    let prefixes = prefixes.map(|s| {
        let names = s.ifaces.iter().filter_map(|&i| scene.iface(i)).map(super::scene::Iface::name);
        format!("{} on {}", s.prefix, super::tell::listed(names)).into()
    });
    Some(
        Told::new(scene, id::RAIL_PEER_VIA_ETHERNET, Severity::Warning, &ifaces, what)
            .seen(prefixes)
            .seen(astray.iter().take(4).filter_map(|w| line(scene, w)))
            .because(root(judged, first.place)),
    )
}

/// Peers inside a rail's prefix to which packets leave by no rail, although those to the rest of
/// the prefix do.
fn inside_and_off(scene: &Scene<'_>, judged: &Judged) -> Vec<Told> {
    let mut told = Vec::new();
    for (place, set) in scene.sets.iter().enumerate() {
        if judged.unbound.contains_key(&place) {
            continue;
        }
        let Some((addr, bound, to, outcome)) = taken_away(scene, judged, set) else { continue };
        let how = match super::leaves_by(scene, &outcome) {
            Some(by) => format!("leave by {by}, not by a rail"),
            None => "have no route".to_owned(),
        };
        let whose = if bound {
            format!("packets from {}", addr.ip)
        } else {
            "packets of programs that bind to no address".to_owned()
        };
        let what = format!("{whose} to {to}, a peer in the rails' own subnet, {how}");
        let route = match &outcome {
            Outcome::Send { route, .. } => scene.routes_of(addr.family()).get(*route),
            _ => None,
        };
        told.push(
            Told::new(scene, id::RAIL_PEER_VIA_ETHERNET, Severity::Warning, &set.ifaces, what)
                .seen(route.map(|r| lines::route(scene, r)))
                .seen(super::way_line(scene, bound.then_some(addr.ip), to, &outcome)),
        );
    }
    told
}

/// A peer inside the prefix, the address that it is to be reached from (bound to, or not), and
/// the way that is none of a rail.
fn taken_away<'s>(
    scene: &'s Scene<'_>,
    judged: &Judged,
    set: &Set,
) -> Option<(&'s Addr, bool, IpAddr, Outcome)> {
    for &at in &set.addrs {
        let Some(addr) = scene.addr(at) else { continue };
        let Some(State::Wrong(cause)) = judged.states.get(at) else { continue };
        let way = addr.ways.iter().find(|w| w.probe.ip == cause.probe && w.probe.seen);
        if let Some(way) = way.filter(|_| cause.kind.id().is_none()) {
            return Some((addr, true, way.probe.ip, way.decision.outcome.clone()));
        }
    }
    let plain =
        |a: &&Addr| scene.iface(a.iface).is_some_and(|i| i.vrf.is_none() && i.has_carrier());
    let addr = set.addrs.iter().filter_map(|&a| scene.addr(a)).find(plain)?;
    addr.ways.iter().filter(|w| w.probe.seen).find_map(|w| {
        let outcome = scene.decide(addr.iface, None, w.probe.ip).outcome;
        let off = is_off(scene, &outcome) && takes_a_part(scene, set, &outcome);
        off.then_some((addr, false, w.probe.ip, outcome))
    })
}

/// By no rail.
fn is_off(scene: &Scene<'_>, outcome: &Outcome) -> bool {
    let devices = outcome.devices();
    !devices.is_empty() && devices.iter().all(|&d| scene.rail_iface(d).is_none())
}

/// Somebody on a rail's wire has an address that no rail has a prefix for, and answers to it
/// leave by another device. Nobody says that this host is a peer: a note.
fn strangers(scene: &Scene<'_>) -> Vec<Told> {
    let mut told: Vec<Told> = Vec::new();
    for (iface, entry) in neighbours::strangers(scene, MOST_STRANGERS) {
        let Some(own) = scene.iface(iface).filter(|i| i.vrf.is_none()) else { continue };
        let of_iface = scene.addrs.iter().filter(|a| a.iface == iface && a.ip.is_ipv4());
        let Some(addr) = of_iface.into_iter().next() else { continue };
        let outcome = scene.decide(iface, Some(addr.ip), entry.dst).outcome;
        let off = is_off(scene, &outcome) || matches!(outcome, Outcome::Refuse { .. });
        let rails = scene.rails_of(&[iface]);
        if !off || told.iter().any(|t| t.found.rails == rails) {
            continue;
        }
        let how = match super::leaves_by(scene, &outcome) {
            Some(by) => format!("answers to it leave by {by}"),
            None => "no route leads back".to_owned(),
        };
        let what = format!(
            "{} was seen on {}, outside its prefix {}: {how}; the prefix lengths may differ",
            entry.dst,
            own.name(),
            addr.prefix
        );
        told.push(
            Told::new(scene, id::RAIL_PEER_VIA_ETHERNET, Severity::Note, &[iface], what)
                .seen([lines::neighbour(scene, entry)])
                .seen(super::way_line(scene, Some(addr.ip), entry.dst, &outcome)),
        );
    }
    told
}

/// Somebody wants to reach one rail of this host from another one: the user named one of its own
/// addresses as a peer. Nobody else does, so this is never told unasked.
fn loopback(scene: &Scene<'_>) -> Vec<Told> {
    let mut told: Vec<Told> = Vec::new();
    for set in scene.sets.iter().filter(|s| s.is_shared() && s.prefix.family() == Family::Inet) {
        let named = scene.peers.inside(&set.prefix).iter().filter(|p| p.known == Known::Named);
        for ip in named.map(|p| p.ip) {
            let own = set.addrs.iter().filter_map(|&a| scene.addr(a)).find(|a| a.ip == ip);
            let Some(iface) = own.and_then(|a| scene.iface(a.iface)).filter(|i| i.does_arp())
            else {
                continue;
            };
            let accepts = scene.fib.max_conf(iface.index, |s| &s.accept_local);
            if accepts != Some(0) {
                continue;
            }
            let name = iface.name();
            let what = format!(
                "{name} drops what comes from another address of this node, ARP requests too \
                 (accept_local 0): RDMA CM from port to port inside this node fails"
            );
            let values = ["all", name.as_str()].into_iter().filter_map(|of| {
                let value = &scene.node.sysctls.interface(of)?.accept_local;
                lines::sysctl(of, "accept_local", value)
            });
            let place = scene.rail_iface(iface.index).unwrap_or_default();
            told.push(
                Told::new(scene, id::ACCEPT_LOCAL_OFF, Severity::Note, &[place], what)
                    .seen(values)
                    .mended(vec![sysctl(Family::Inet, name, "accept_local", 1, Some(0))]),
            );
        }
    }
    told
}
