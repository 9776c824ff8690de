//! Nets and rails: a rail without an NI, nets where one was meant, NIs beside the rails.

use super::kit::{Told, is_on, kind, listed, nets, ni_line, nis};
use crate::check::Severity;
use crate::check::catalogue::lnet::{LNET_NETS_SPLIT, NI_MISSING, NI_WRONG_DEVICE};
use crate::check::fold::Found;
use crate::check::view::{self, RailView};
use crate::fix::word;
use crate::lnet::lifecycle::{BootNi, Lifecycle, set};
use crate::node::{GroupOrigin, Node, Presence, Rail};
use crate::sample::{LnetNi, Prefix, Text};

pub(super) fn check(node: &Node, views: &[RailView<'_>], life: &Lifecycle) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for view in views {
        found.extend(missing(node, view, life));
    }
    found.extend(split(node, views));
    found.extend(beside(node, views));
    found
}

/// Could LNet use the rail now?
fn usable(rail: &Rail) -> bool {
    rail.presence == Presence::Present
        && view::works(rail)
        && rail.netdev.is_some()
        && rail.addresses.iter().any(|a| a.scope == 0 && a.ip().is_ipv4())
}

/// Names of the interfaces that an NI on this rail would have.
fn interfaces(rail: &Rail) -> impl Iterator<Item = &Text> {
    let own = rail.netdev.iter().chain(&rail.children).map(|n| &n.name);
    own.chain(rail.bond.as_ref())
}

/// Why a rail should have an NI of a net.
enum Because<'a> {
    /// A file that is read at boot says so.
    Boot(&'a BootNi),
    /// `/etc/lnet.conf` says so, which nothing reads at boot.
    Conf(&'a BootNi),
    /// It had one while railtop ran.
    HadOne,
    /// These have, and it is like them.
    Alike(Vec<&'a Rail>),
}

/// A rail without an NI while its like have one.
fn missing(node: &Node, view: &RailView<'_>, life: &Lifecycle) -> Option<Found> {
    let rail = view.rail;
    if node.lnet.answer.is_err() || nis(node).next().is_none() || !usable(rail) {
        return None;
    }
    let (net, because) = from_boot(node, rail, life)
        .or_else(|| had_one(node, view))
        .or_else(|| alike(node, rail))?;
    let name = interface(rail)?;
    let (severity, words) = match &because {
        Because::Boot(_) => (Severity::Warning, ", and a boot would make one".to_owned()),
        Because::Conf(_) => (Severity::Warning, ", and /etc/lnet.conf names one".to_owned()),
        Because::HadOne => (Severity::Warning, " any more; it had one".to_owned()),
        // Of two, one may be left to other traffic on purpose; of more ports, one was forgotten.
        Because::Alike(with) => {
            let forgotten = with.len() > 1 && rail.rdma.is_some();
            let severity = if forgotten { Severity::Warning } else { Severity::Note };
            let names = listed(with.iter().map(|r| r.name.as_str()));
            let have = if with.len() == 1 { "has" } else { "have" };
            (severity, format!("; {names}, which it is like, {have} one"))
        }
    };
    let summary = format!("{} is up and has no NI of {net}{words}", rail.name);
    let mut lines: Vec<Text> = nis(node)
        .filter(|ni| ni.net() == net)
        .map(|ni| ni_line(ni, [("interfaces", Some(listed(ni.interfaces.iter())))]))
        .collect();
    if let Because::Boot(ni) | Because::Conf(ni) = &because {
        lines.push(ni.line.clone());
    }
    let dev = word(name);
    Some(
        Told::new(NI_MISSING, severity, summary)
            .on([view])
            .seen(lines)
            .fix([format!("lnetctl net add --net {} --if {dev}", word(&net))])
            .undo([format!("lnetctl net del --net {} --if {dev}", word(&net))])
            .verify([format!("lnetctl net show --net {}", word(&net))])
            .found(),
    )
}

fn interface(rail: &Rail) -> Option<&Text> {
    rail.bond.as_ref().or(rail.netdev.as_ref().map(|n| &n.name))
}

fn has_net(rail: &Rail, net: &str) -> bool {
    rail.lnet.iter().any(|own| &*own.net == net)
}

fn from_boot<'a>(node: &Node, rail: &Rail, life: &'a Lifecycle) -> Option<(String, Because<'a>)> {
    let boot = life.boot.as_ref().ok()?;
    let here = |b: &&BootNi| {
        let named = b.interface.as_ref().is_some_and(|i| interfaces(rail).any(|own| own == i));
        // A rule for other hosts may name it too.
        let certain = named && !b.conditional;
        certain && !has_net(rail, &b.net) && !nis(node).any(|ni| b.is(ni))
    };
    let because = if boot.unread { Because::Conf } else { Because::Boot };
    boot.nis.iter().find(here).map(|b| (b.net.to_string(), because(b)))
}

fn had_one<'a>(node: &'a Node, view: &RailView<'_>) -> Option<(String, Because<'a>)> {
    let groups = node.groups.iter().filter(|g| g.origin == GroupOrigin::LnetNet);
    let mine = groups.filter(|g| g.rails.contains(&view.index));
    let lost = mine
        .map(|g| &g.name)
        .find(|net| !has_net(view.rail, net) && nis(node).any(|ni| ni.net() == &***net))?;
    Some((lost.to_string(), Because::HadOne))
}

/// The rails of the same hardware in the same subnet that have an NI, where this one has none at
/// all.
fn alike<'a>(node: &'a Node, rail: &Rail) -> Option<(String, Because<'a>)> {
    if !rail.lnet.is_empty() {
        return None;
    }
    let mut best: Option<(&Text, Vec<&Rail>)> = None;
    for other in node.rails.iter().filter(|o| is_alike(rail, o)) {
        for ni in &other.lnet {
            let with: Vec<&Rail> =
                node.rails.iter().filter(|r| is_alike(rail, r) && has_net(r, &ni.net)).collect();
            if best.as_ref().is_none_or(|(_, most)| with.len() > most.len()) {
                best = Some((&ni.net, with));
            }
        }
    }
    best.map(|(net, with)| (net.to_string(), Because::Alike(with)))
}

fn prefixes(rail: &Rail) -> Vec<Prefix> {
    let global = rail.addresses.iter().filter(|a| a.scope == 0 && a.ip().is_ipv4());
    global.map(|a| a.prefix.network()).collect()
}

/// Same kind of adapter, and one subnet.
fn is_alike(a: &Rail, b: &Rail) -> bool {
    let model = |rail: &Rail| {
        let attrs = rail.rdma.as_ref().map(|r| &r.device_attrs);
        attrs.map(|a| (a.hca_type.clone().ok(), a.board_id.clone().ok()))
    };
    let (ours, theirs) = (prefixes(a), prefixes(b));
    a.id != b.id && model(a) == model(b) && ours.iter().any(|p| theirs.contains(p))
}

/// Several nets of one kind with one NI each: no rail can take over for another, unless the
/// other side has all of these nets.
fn split(node: &Node, views: &[RailView<'_>]) -> Option<Found> {
    let nets = nets(node);
    let mut kinds: Vec<&str> = nets.iter().map(|(net, _)| kind(net)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds.into_iter().find_map(|of| {
        let mine: Vec<&(&str, Vec<&LnetNi>)> = nets.iter().filter(|(n, _)| kind(n) == of).collect();
        let single = mine.len() > 1 && mine.iter().all(|(_, nis)| nis.len() == 1);
        single.then(|| split_kind(node, views, &mine)).flatten()
    })
}

fn split_kind(
    node: &Node,
    views: &[RailView<'_>],
    nets: &[&(&str, Vec<&LnetNi>)],
) -> Option<Found> {
    let nis: Vec<&LnetNi> = nets.iter().flat_map(|(_, nis)| nis.iter().copied()).collect();
    let on: Vec<&RailView<'_>> =
        views.iter().filter(|v| nis.iter().any(|ni| is_on(v.rail, ni))).collect();
    // Two nets on one interface are no two rails.
    if on.len() < nis.len() {
        return None;
    }
    let both = same_server(node, nets);
    let subnet =
        || on.iter().all(|a| on.iter().all(|b| a.index == b.index || is_alike(a.rail, b.rail)));
    let (severity, words) = match &both {
        Some(_) => (Severity::Warning, "and servers have both"),
        None if subnet() => (Severity::Note, "on rails of one subnet"),
        None => return None,
    };
    let names: Vec<&str> = nets.iter().map(|(net, _)| *net).collect();
    let summary = format!(
        "{} have one NI each, {words}: they are nets of their own, not rails of one",
        listed(&names)
    );
    let lines =
        nis.iter().map(|ni| ni_line(ni, [("interfaces", Some(listed(ni.interfaces.iter())))]));
    let first = nets.first().map(|(net, _)| word(net))?;
    let mut fix = Vec::new();
    // A net in use is not taken away below a mounted file system.
    let free = node.lnet.local.mounts.is_empty();
    for (net, own) in nets.iter().skip(1).filter(|_| free) {
        for dev in own.iter().filter_map(|ni| ni.interfaces.first()) {
            fix.push(format!("lnetctl net del --net {} --if {}", word(net), word(dev)));
            fix.push(format!("lnetctl net add --net {first} --if {}", word(dev)));
        }
    }
    Some(
        Told::new(LNET_NETS_SPLIT, severity, summary)
            .on(on.iter().copied())
            .seen(lines)
            .seen(both)
            .fix(fix)
            .verify(["lnetctl net show", "lnetctl peer show"])
            .verify_peer("lnetctl net show")
            .found(),
    )
}

/// A peer that has NIDs on all of these nets.
fn same_server(node: &Node, nets: &[&(&str, Vec<&LnetNi>)]) -> Option<Text> {
    let peers = node.lnet.more.peers.as_ref().ok()?;
    let own = |nid: &str| nis(node).any(|ni| &*ni.nid == nid);
    let peer = peers.value.iter().find(|peer| {
        !own(&peer.primary_nid)
            && nets.iter().all(|(net, _)| peer.nis.iter().any(|ni| ni.net() == *net))
    })?;
    let nids = listed(peer.nis.iter().map(|ni| ni.nid.as_str()));
    Some(format!("lnetctl peer show: primary nid: {}, peer ni: {nids}", peer.primary_nid).into())
}

/// No NI is on an RDMA port, and there are some, because no rule names a device: the first interface was taken.
fn beside(node: &Node, views: &[RailView<'_>]) -> Option<Found> {
    let local = &node.lnet.local;
    let all: Vec<&LnetNi> = nis(node).collect();
    let ports = || views.iter().filter(|v| v.rail.rdma.is_some());
    let off = !all.is_empty() && all.iter().all(|ni| !ports().any(|v| is_on(v.rail, ni)));
    let idle: Vec<&RailView<'_>> = ports().filter(|v| usable(v.rail)).collect();
    if !off || idle.is_empty() {
        return None;
    }
    // A device that somebody named was meant; a net that lnetctl made has one as well.
    let rule = ["networks", "ip2nets"].iter().find_map(|name| Some((*name, set(local, name)?)));
    let (name, value) = rule.filter(|(_, value)| !value.contains('('))?;
    let devices = listed(all.iter().flat_map(|ni| &ni.interfaces));
    let rails = listed(idle.iter().map(|v| v.name()));
    let on = if devices.is_empty() { String::new() } else { format!(" on {devices}") };
    let summary = format!(
        "LNet has its NI{on} because {name} names no device; {rails} {} none",
        if idle.len() == 1 { "has" } else { "have" }
    );
    let lines =
        all.iter().map(|ni| ni_line(ni, [("interfaces", Some(listed(ni.interfaces.iter())))]));
    Some(
        Told::new(NI_WRONG_DEVICE, Severity::Note, summary)
            .about(idle.iter().map(|v| v.rail.name.clone()))
            .seen([format!("/sys/module/lnet/parameters/{name}: {value}")])
            .seen(lines.map(|l| l.to_string()))
            .verify(["lnetctl net show", "grep -rn 'options lnet' /etc/modprobe.d"])
            .found(),
    )
}
