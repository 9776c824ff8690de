//! The catalogue: what can be wrong, and how it is told.
//!
//! Checks are pure functions over a [`Node`] (one file per family). A finding that follows from
//! another names it in `caused_by`; [`assess`] folds them, builds the ladder of layers of each
//! rail and the verdict.

mod alike;
mod balance;
mod catalogue;
mod errors;
pub mod expect;
mod fold;
mod ladder;
mod link;
mod lnet;
mod netdev;
mod not_checked;
pub mod paths;
mod pcie;
pub mod peers;
mod reader;
mod routing;
mod selection;
#[cfg(test)]
pub(crate) mod testkit;
#[cfg(test)]
mod tests;
mod traffic;
mod view;

pub use catalogue::{CATALOGUE, Entry, entry};
pub use lnet::{ni_verdict, peer_verdict};
pub use routing::{AddressRoute, Lasting, lasting};
pub use selection::SelectionRung;

use crate::lnet::config::{Configured, configured};
use crate::lnet::lifecycle::Lifecycle;
use crate::node::Node;
use crate::sample::{Family, LnetLocal, Text};
use fold::Found;
use serde::Serialize;
use std::sync::Arc;
use view::RailView;

/// How bad it is. Ordered: a note is less than a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Wrong or fragile.
    Warning,
    /// Traffic is lost or goes wrong now.
    Critical,
}

/// The layers between the cable and the traffic, in the order in which they are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// Signal on the cable.
    Cable,
    /// The subnet manager brought the port to ACTIVE.
    SubnetManager,
    /// The PCIe path is wide enough.
    Pcie,
    /// The interface is up and has carrier.
    Netdev,
    /// It has an address.
    Address,
    /// A policy rule leads its packets to its table.
    Rule,
    /// The table leads them out by it.
    Table,
    /// The right hardware address answers.
    Neighbour,
    /// LNet has an NI on it, up.
    Ni,
    /// LNet's health of it.
    Health,
    /// LNet would choose it.
    Selection,
    /// Bytes move.
    Traffic,
}

impl Layer {
    /// All layers in order.
    pub const ALL: [Layer; 12] = [
        Layer::Cable,
        Layer::SubnetManager,
        Layer::Pcie,
        Layer::Netdev,
        Layer::Address,
        Layer::Rule,
        Layer::Table,
        Layer::Neighbour,
        Layer::Ni,
        Layer::Health,
        Layer::Selection,
        Layer::Traffic,
    ];

    /// Its name for people.
    pub fn words(self) -> &'static str {
        match self {
            Layer::SubnetManager => "subnet manager",
            Layer::Pcie => "PCIe",
            Layer::Ni => "LNet NI",
            Layer::Health => "LNet health",
            other => other.word(),
        }
    }

    /// The word of the machine contract.
    pub fn word(self) -> &'static str {
        match self {
            Layer::Cable => "cable",
            Layer::SubnetManager => "subnet_manager",
            Layer::Pcie => "pcie",
            Layer::Netdev => "netdev",
            Layer::Address => "address",
            Layer::Rule => "rule",
            Layer::Table => "table",
            Layer::Neighbour => "neighbour",
            Layer::Ni => "ni",
            Layer::Health => "health",
            Layer::Selection => "selection",
            Layer::Traffic => "traffic",
        }
    }
}

/// The verdict on a layer, a rail or a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing wrong.
    Ok,
    /// Worth knowing.
    Note,
    /// Wrong or fragile.
    Warning,
    /// Broken.
    Critical,
    /// Could not be judged.
    Unknown,
    /// The layer does not exist here.
    NotApplicable,
}

impl From<Severity> for Verdict {
    fn from(s: Severity) -> Self {
        match s {
            Severity::Note => Verdict::Note,
            Severity::Warning => Verdict::Warning,
            Severity::Critical => Verdict::Critical,
        }
    }
}

/// Where a command is to be typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Where {
    /// On this node.
    Here,
    /// On the other side.
    Peer,
}

/// One command of a fix: one line of POSIX sh.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Where to type it.
    #[serde(rename = "where")]
    pub place: Where,
    /// The line.
    pub command: Text,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// UPPER_SNAKE, stable once published.
    pub id: &'static str,
    /// How bad.
    pub severity: Severity,
    /// On which layer.
    pub layer: Layer,
    /// Names of the rails it is about.
    pub rails: Vec<Text>,
    /// The finding it follows from (same rail).
    pub caused_by: Option<&'static str>,
    /// One sentence a colleague would say, without a full stop.
    pub summary: Text,
    /// The lines of kernel state that show it.
    pub evidence: Vec<Text>,
    /// What mends it, typed: `fix`, `undo` and the persistent forms are made of it.
    pub remedy: Vec<crate::fix::Change>,
    /// What to type.
    pub fix: Vec<Step>,
    /// What takes it back.
    pub undo: Vec<Step>,
    /// What proves it.
    pub verify: Vec<Step>,
}

/// One rung of a rail's ladder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rung {
    /// Which layer.
    pub layer: Layer,
    /// Its verdict.
    pub verdict: Verdict,
    /// Its state in a few words.
    pub detail: Text,
    /// The finding that decides, if one does.
    pub finding: Option<&'static str>,
}

/// The judgement on one rail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RailAssessment {
    /// Worst of its findings, or unknown when nothing of it could be read.
    pub verdict: Verdict,
    /// The ladder, one rung per layer, in order.
    pub ladder: Vec<Rung>,
    /// The first layer that is warning or critical.
    pub first_failing: Option<Layer>,
    /// LNet's choice, criterion by criterion; empty where no NI of LNet is on the rail.
    pub selection: Vec<SelectionRung>,
    /// One or two words for the state column: `ACTIVE`, `DOWN Polling`, `no SM`, `gone`.
    pub state_word: Text,
}

/// Something that could not be judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotChecked {
    /// What.
    pub what: Text,
    /// Why, and what would open it.
    pub why: Text,
}

/// The judgement on a node.
#[derive(Clone, Debug, PartialEq)]
pub struct Assessment {
    /// Roots first, worst first; consequences directly behind their root.
    pub findings: Vec<Finding>,
    /// One per rail of the node, same order.
    pub rails: Vec<RailAssessment>,
    /// What could not be judged.
    pub not_checked: Vec<NotChecked>,
    /// The worst severity, or unknown if no rail could be judged.
    pub verdict: Verdict,
    /// Which way packets from each address of each rail leave.
    pub routes: Vec<AddressRoute>,
    /// LNet's life: where it is, what comes next, what would end it.
    pub lnet: Lifecycle,
}

impl Assessment {
    /// The worst root finding, if any.
    pub fn worst(&self) -> Option<&Finding> {
        self.findings.iter().find(|f| f.caused_by.is_none())
    }
}

/// Judges a node.
pub fn assess(node: &Node) -> Assessment {
    Judge::default().assess(node)
}

/// Judges a node with the data of others that it talks to: what two nodes decide together is
/// judged as well, and the others' addresses are peers to be reached.
pub fn assess_with(node: &Node, others: &[Node]) -> Assessment {
    let peers = peers::Peers::of(node).and(others.iter().flat_map(|o| routing::to_reach(node, o)));
    let mut routed = routing::judge(node, &peers);
    for other in others {
        routing::compare(node, other, &peers, &mut routed);
    }
    judged(node, &routed, others, node.lnet_lifecycle())
}

/// Judges one node again and again: what hangs on rules, routes, links and sysctls alone is
/// judged anew only when one of them was read anew.
#[derive(Debug, Default)]
pub struct Judge {
    last: Option<(routing::Key, Arc<routing::Routed>)>,
    peers: peers::Remembered,
    files: Option<(Arc<LnetLocal>, Arc<Configured>)>,
}

impl Judge {
    /// Judges a node as it is now.
    pub fn assess(&mut self, node: &Node) -> Assessment {
        let life = node.lnet_lifecycle_with(&self.files(node));
        judged(node, &self.routed(node), &[], life)
    }

    /// What configures LNet at boot: taken apart again only when it was read again.
    fn files(&mut self, node: &Node) -> Arc<Configured> {
        let local = &node.lnet.local;
        match &self.files {
            Some((last, files)) if Arc::ptr_eq(last, local) => Arc::clone(files),
            _ => {
                let files = Arc::new(configured(local));
                self.files = Some((Arc::clone(local), Arc::clone(&files)));
                files
            }
        }
    }

    fn routed(&mut self, node: &Node) -> Arc<routing::Routed> {
        let peers = self.peers.of(node);
        let key = routing::Key::of(node, &peers);
        match &self.last {
            Some((last, routed)) if last.is_same(&key) => Arc::clone(routed),
            _ => {
                let routed = Arc::new(routing::judge(node, &peers));
                self.last = Some((key, Arc::clone(&routed)));
                routed
            }
        }
    }
}

fn judged(node: &Node, routed: &routing::Routed, others: &[Node], life: Lifecycle) -> Assessment {
    let views: Vec<RailView<'_>> =
        (0..node.rails.len()).filter_map(|i| RailView::new(node, i)).collect();
    let mut found: Vec<Found> = Vec::new();
    let mut causes: Vec<(usize, &'static str)> = Vec::new();
    for view in &views {
        let (own, cause) = on_one_rail(view);
        found.extend(own);
        causes.extend(cause.map(|c| (view.index, c.id)));
    }
    found.extend(lnet::of_node(node, &views, &life));
    found.extend(others.iter().filter_map(|other| lnet::beside(node, other)));
    let of_node = reader::lnetctl_stuck(node).into_iter().chain(traffic::off_rails(&views));
    found.extend(of_node.map(|finding| Found { rails: Vec::new(), finding }));
    found.extend(pcie::check(&views));
    found.extend(errors::saturated(&views));
    found.extend(routing::found(routed, |rail| {
        causes.iter().find(|(of, _)| *of == rail).map(|(_, id)| *id)
    }));
    let unlike = alike::found(&views, &node.groups, &found);
    found.extend(unlike);
    let cause_of = |rail| causes.iter().find(|(of, _)| *of == rail).map(|(_, id)| *id);
    let unmet = expect::found(&views, node, &found, cause_of);
    found.extend(unmet);
    lnet::tie(&mut found);
    let scene = selection::Scene::of(node);
    let selected = {
        let known = selection::Known { found: &found, routes: &routed.routes };
        selection::found(&scene, &views, &known)
    };
    found.extend(selected);
    let unshared = balance::found(&views, node, &found);
    found.extend(unshared);
    fold::settle(&mut found);
    let left_out = fold::leave_out(&mut found, &node.policy);
    fold::raise_roots(&mut found);

    let rails: Vec<RailAssessment> = views
        .iter()
        .map(|view| {
            let own: Vec<&Finding> = found
                .iter()
                .filter(|f| f.rails.contains(&view.index))
                .map(|f| &f.finding)
                .collect();
            let left_out = left_out.iter().filter(|f| f.rails.contains(&view.index));
            let silent: Vec<Layer> = left_out.map(|f| f.finding.layer).collect();
            ladder::judge(view, &own, routed.rungs.get(view.index), &scene, &silent)
        })
        .collect();
    fold::merge(&mut found);
    let findings = fold::sort(found);
    let verdict = node_verdict(&findings, &rails);
    let mut not_checked = not_checked::list(&views, node);
    not_checked.extend(pcie::not_checked(&views));
    not_checked.extend(routed.not_checked.iter().cloned());
    not_checked.extend(not_checked::left_out(&left_out, &node.policy));
    Assessment { not_checked, findings, rails, verdict, routes: routed.routes.clone(), lnet: life }
}

/// All findings of one rail, each naming the root it follows from, and the link's own.
fn on_one_rail(view: &RailView<'_>) -> (Vec<Found>, Option<Cause>) {
    let mut findings: Vec<Finding> = reader::device_stuck(view).into_iter().collect();
    let port = link::check(view);
    let netdev = netdev::check(view, port.as_ref());
    // A link that retrains is still in use: what else is wrong does not follow from it.
    let cause = port
        .as_ref()
        .filter(|f| f.id != catalogue::PORT_RETRAINING)
        .or(netdev.as_ref())
        .map(|f| Cause { id: f.id, severity: f.severity });
    let errors = errors::check(view, port.as_ref(), cause);
    let lnet = lnet::on_rail(view, cause);
    let idle = traffic::idle(view, cause);
    findings.extend(port.into_iter().chain(netdev).chain(errors).chain(lnet).chain(idle));
    let found = findings.into_iter().map(|finding| Found { rails: vec![view.index], finding });
    (found.collect(), cause)
}

/// The root that other findings of a rail follow from.
#[derive(Clone, Copy, Debug)]
struct Cause {
    id: &'static str,
    severity: Severity,
}

fn node_verdict(findings: &[Finding], rails: &[RailAssessment]) -> Verdict {
    let worst = findings.iter().filter(|f| f.caused_by.is_none()).map(|f| f.severity).max();
    let judged = rails.iter().any(|r| r.verdict != Verdict::Unknown);
    match worst {
        Some(severity) if judged || severity > Severity::Note => severity.into(),
        _ if judged => Verdict::Ok,
        _ => Verdict::Unknown,
    }
}

/// What gives the form of a remedy that survives a reboot: no command that changes the node.
const RAILTOP_FIX_PERSIST: &str = "railtop fix --persist";

impl Finding {
    /// Is what is to be done about it only to make last what works now?
    pub fn is_to_last(&self) -> bool {
        let to_last = |s: &Step| s.command == *RAILTOP_FIX_PERSIST;
        !self.fix.is_empty() && self.fix.iter().all(to_last)
    }

    /// The address family that its evidence is about; `None` where it names no address. The rule
    /// lists of both families have lines that read the same.
    pub fn family(&self) -> Option<Family> {
        let words = self.evidence.iter().flat_map(|line| line.split([' ', '\t', '/', ':', ',']));
        if words.clone().any(|word| word.parse::<std::net::Ipv4Addr>().is_ok()) {
            return Some(Family::Inet);
        }
        let mut words = self.evidence.iter().flat_map(|line| line.split([' ', '\t', '/', ',']));
        let is_v6 = |word: &str| word.trim_end_matches(':').parse::<std::net::Ipv6Addr>().is_ok();
        words.any(is_v6).then_some(Family::Inet6)
    }

    /// A finding without commands, on the layer its catalogue entry names.
    fn new(id: &'static str, severity: Severity, summary: String, evidence: Vec<Text>) -> Self {
        Self {
            id,
            severity,
            layer: entry(id).map_or(Layer::Cable, |e| e.layer),
            rails: Vec::new(),
            caused_by: None,
            summary: summary.into(),
            evidence,
            fix: Vec::new(),
            undo: Vec::new(),
            remedy: Vec::new(),
            verify: Vec::new(),
        }
    }

    fn on(mut self, view: &RailView<'_>) -> Self {
        self.rails.push(view.rail.name.clone());
        self
    }

    fn because(mut self, cause: Option<Cause>) -> Self {
        self.caused_by = cause.map(|c| c.id);
        self
    }
}
