//! Rules, tables, neighbours: which rail would the kernel use from this address to that peer?
//!
//! Every finding starts from that question ([`crate::fib`]) and only then looks for the cause.
//! What is judged is the state as if every cable were in: a dead link is told by itself.

mod addresses;
mod arp;
mod back;
mod beyond;
mod cause;
mod lines;
mod luck;
mod neighbours;
mod nexthops;
mod pair;
mod persistence;
mod plan;
mod probe;
pub(super) mod refill;
mod roots;
mod rules;
mod rungs;
mod scene;
mod sysctls;
mod tables;
mod tell;
#[cfg(test)]
mod tests;
mod unbound;
mod way;

pub(super) use pair::{compare, to_reach};
pub use persistence::Lasting;
pub(super) use rungs::Rungs;
pub use way::AddressRoute;

use super::fold::Found;
use super::peers::{Peers, local_nis};
use super::{NotChecked, Severity};
use crate::fib::{Fib, Outcome};
use crate::node::Node;
use crate::sample::{Link, Managers, NextHopObject, Reading, Route, Routing, Sysctls, Text};
use cause::State;
use plan::Plan;
use scene::Scene;
use std::borrow::Cow;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use tell::Told;

/// The judgement on the routing of a node.
#[derive(Clone, Debug, Default)]
pub(super) struct Routed {
    pub told: Vec<Told>,
    pub routes: Vec<AddressRoute>,
    pub not_checked: Vec<NotChecked>,
    /// One per rail of the node.
    pub rungs: Vec<Rungs>,
}

/// What the parts tell each other.
struct Judged {
    /// One per address of the scene.
    states: Vec<State>,
    /// What was found of the unbound packets of a set, by its place.
    unbound: HashMap<usize, &'static str>,
    /// What could not be judged, and why.
    gaps: Vec<(String, String)>,
}

/// Judges the routing of a node.
pub(super) fn judge(node: &Node, peers: &Peers) -> Routed {
    let Ok(links) = &node.links else {
        return Routed { routes: way::unknown(node), ..Routed::default() };
    };
    let kernel = node.host.kernel.as_deref().ok();
    let real = Fib::new(links, &node.routing, &node.sysctls, kernel);
    let revived = revive(&node.routing);
    match &revived {
        Cow::Borrowed(_) => {
            let real = (&*node.routing, &real);
            judge_with(&Scene::new(node, links, real.0, real.1, peers), real)
        }
        Cow::Owned(alive) => {
            let fib = Fib::new(links, alive, &node.sysctls, kernel);
            judge_with(&Scene::new(node, links, alive, &fib, peers), (&node.routing, &real))
        }
    }
}

type State2<'a> = (&'a Routing, &'a Fib<'a>);

/// What the judgement of another node's part needs of it: `look` sees its scene and how the
/// packets from each of its addresses fare. `None` where its links are not known.
fn look_at<T>(
    node: &Node,
    peers: &Peers,
    look: impl FnOnce(&Scene<'_>, &Judged) -> T,
) -> Option<T> {
    let links = node.links.as_ref().ok()?;
    let alive = revive(&node.routing);
    let fib = Fib::new(links, &alive, &node.sysctls, node.host.kernel.as_deref().ok());
    let scene = Scene::new(node, links, &alive, &fib, peers);
    let states = scene.addrs.iter().map(|a| cause::of(&scene, a)).collect();
    let mut judged = Judged { states, unbound: HashMap::new(), gaps: Vec::new() };
    // Of interest is only which sets have no way for unbound packets.
    unbound::find(&scene, &mut judged, &Plan::new(&scene));
    Some(look(&scene, &judged))
}

/// What works now on the rails of a node and stands in no file of these.
pub fn lasting(node: &Node, managers: &Managers) -> Lasting {
    look_at(node, &Peers::default(), |scene, _| persistence::lasting(scene, managers))
        .unwrap_or_default()
}

fn judge_with(scene: &Scene<'_>, real: State2<'_>) -> Routed {
    let states: Vec<State> = scene.addrs.iter().map(|a| cause::of(scene, a)).collect();
    let mut judged = Judged { states, unbound: HashMap::new(), gaps: Vec::new() };
    let plan = Plan::new(scene);
    let mut told = roots::find(scene, &judged, &plan);
    told.extend(unbound::find(scene, &mut judged, &plan));
    told.extend(rules::find(scene, &judged, &plan));
    told.extend(tables::find(scene, &judged, real));
    told.extend(nexthops::find(scene));
    told.extend(beyond::find(scene, &mut judged, &plan));
    told.extend(addresses::find(scene, &judged));
    told.extend(arp::find(scene, &mut judged, &plan));
    told.extend(neighbours::find(scene));
    told.extend(sysctls::find(scene));
    told.extend(persistence::find(scene, &mut judged.gaps));
    if is_plain_host(scene.node) {
        for one in &mut told {
            one.found.finding.severity = Severity::Note;
        }
    }
    Routed {
        told,
        routes: way::of_rails(scene, real.1),
        not_checked: judged.gaps.iter().map(|(what, why)| not_checked(what, why)).collect(),
        rungs: rungs::of_rails(scene, &judged),
    }
}

fn not_checked(what: &str, why: &str) -> NotChecked {
    NotChecked { what: what.into(), why: why.into() }
}

/// Physical NICs shown for want of rails: two of them in one subnet is how many a desktop is.
fn is_plain_host(node: &Node) -> bool {
    const INFINIBAND: u32 = 32;
    node.choice_note.is_some()
        && node.rails.iter().all(|r| {
            let infiniband = r.netdev.as_ref().is_some_and(|n| n.kind == Ok(INFINIBAND));
            r.lnet.is_empty() && !infiniband
        })
}

/// The routing without the marks of lost carriers.
fn revive(routing: &Routing) -> Cow<'_, Routing> {
    let dead = |r: &Route| r.next_hops.iter().any(|h| h.flags.linkdown);
    let dead_object = |o: &NextHopObject| o.flags.linkdown;
    let any = |routes: &Reading<Vec<Route>>| routes.iter().flatten().any(dead);
    let objects = routing.nexthops.iter().flatten().any(dead_object);
    if !any(&routing.routes4) && !any(&routing.routes6) && !objects {
        return Cow::Borrowed(routing);
    }
    let mut alive = routing.clone();
    for routes in [&mut alive.routes4, &mut alive.routes6].into_iter().flatten() {
        for hop in routes.iter_mut().flat_map(|r| &mut r.next_hops) {
            if hop.flags.linkdown {
                (hop.flags.linkdown, hop.flags.dead) = (false, false);
            }
        }
    }
    for object in alive.nexthops.iter_mut().flatten() {
        if object.flags.linkdown {
            (object.flags.linkdown, object.flags.dead) = (false, false);
        }
    }
    Cow::Owned(alive)
}

/// The devices of an outcome in words.
fn leaves_by(scene: &Scene<'_>, outcome: &Outcome) -> Option<String> {
    let mut devices = outcome.devices();
    devices.dedup();
    if devices.is_empty() {
        return None;
    }
    Some(tell::listed(devices.into_iter().map(|d| scene.dev(d))))
}

/// What `ip route get` would say of a way, shortly.
fn way_line(
    scene: &Scene<'_>,
    src: Option<IpAddr>,
    dst: IpAddr,
    outcome: &Outcome,
) -> Option<Text> {
    let ip = if dst.is_ipv4() { "ip" } else { "ip -6" };
    let from = src.map_or_else(String::new, |s| format!(" from {s}"));
    let answer = match outcome {
        Outcome::Send { table, .. } => {
            format!("dev {} table {}", leaves_by(scene, outcome)?, lines::table(scene, *table))
        }
        Outcome::Refuse { errno, .. } => (*errno).to_owned(),
        _ => return None,
    };
    Some(format!("{ip} route get {dst}{from}: {answer}").into())
}

/// What the judgement depends on: the same key, the same judgement.
#[derive(Clone, Debug)]
pub(super) struct Key {
    links: Option<Arc<Vec<Link>>>,
    routing: Arc<Routing>,
    sysctls: Arc<Sysctls>,
    managers: Option<Arc<Managers>>,
    kernel: Reading<Text>,
    noted: bool,
    rails: Vec<RailKey>,
    peers: Arc<Peers>,
    nids: Vec<Text>,
}

#[derive(Clone, Debug, PartialEq)]
struct RailKey {
    name: Text,
    interfaces: Vec<Text>,
    addresses: Vec<crate::node::RailAddress>,
    infiniband: bool,
    rdma: bool,
    lnet: bool,
    present: bool,
}

impl Key {
    pub(super) fn of(node: &Node, peers: &Arc<Peers>) -> Self {
        let rails = node.rails.iter().map(|r| RailKey {
            name: r.name.clone(),
            interfaces: r
                .bond
                .iter()
                .chain(r.netdev.iter().chain(&r.children).map(|n| &n.name))
                .cloned()
                .collect(),
            addresses: r.addresses.clone(),
            infiniband: r.netdev.as_ref().is_some_and(|n| n.kind == Ok(32)),
            rdma: r.rdma.is_some(),
            lnet: !r.lnet.is_empty(),
            present: r.presence == crate::node::Presence::Present,
        });
        Self {
            links: node.links.as_ref().ok().cloned(),
            routing: Arc::clone(&node.routing),
            sysctls: Arc::clone(&node.sysctls),
            managers: node.managers.clone(),
            kernel: node.host.kernel.clone(),
            noted: node.choice_note.is_some(),
            rails: rails.collect(),
            peers: Arc::clone(peers),
            nids: local_nis(node).map(|ni| ni.nid.clone()).collect(),
        }
    }

    /// Nothing was read anew that could change the judgement.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let same_links = match (&self.links, &other.links) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        };
        same_links
            && Arc::ptr_eq(&self.routing, &other.routing)
            && Arc::ptr_eq(&self.sysctls, &other.sysctls)
            && self.managers.as_ref().map(Arc::as_ptr) == other.managers.as_ref().map(Arc::as_ptr)
            && self.kernel == other.kernel
            && self.noted == other.noted
            && self.rails == other.rails
            && Arc::ptr_eq(&self.peers, &other.peers)
            && self.nids == other.nids
    }
}

/// Findings with the cause that a dead link is.
pub(super) fn found(
    routed: &Routed,
    link_cause: impl Fn(usize) -> Option<&'static str>,
) -> Vec<Found> {
    let told = routed.told.iter().map(|told| {
        let mut found = told.found.clone();
        if told.follows_link
            && let [rail] = found.rails.as_slice()
        {
            found.finding.caused_by = link_cause(*rail).or(found.finding.caused_by);
        }
        // Where no better proof is known: what was changed is as it should be.
        let finding = &mut found.finding;
        if finding.verify.is_empty() {
            finding.verify = crate::fix::proofs(&finding.remedy);
        }
        found
    });
    told.collect()
}
