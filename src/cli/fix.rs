//! `railtop fix`: what to type. Printed, never run.

use super::args::{Fix, Global};
use super::error::Failure;
use super::{check, open, peers, rails};
use crate::check::{self as checks, Finding};
use crate::fix::Change;
use crate::fix::persist::{self, Kind, RailState};
use crate::node::{Node, RailNetdev, SourceKind};
use crate::read::manager;
use crate::read::root::Root;
use crate::report::fix::{self as report, Lasting};
use crate::sample::{Link, Manager, Managers, Prefix, Text};

/// `type` of IPoIB interfaces (linux/if_arp.h).
const ARPHRD_INFINIBAND: u32 = 32;

/// Judges this node and prints the commands for what was found.
pub(super) fn run(global: &Global, options: &Fix) -> Result<u8, Failure> {
    if let Some(id) =
        options.ids.iter().find(|id| checks::entry(&id.to_ascii_uppercase()).is_none())
    {
        return Err(Failure::Usage(Text::new(&format!(
            "no finding has the id {id:?}; railtop explain lists all"
        ))));
    }
    let peers = peers::open(&options.peers, global)?;
    let source = rails::must_match(open::for_report(global)?, global)?;
    let node = check::settled(source, global, &peers.settings(global))?;
    let assessment = checks::assess_with(&node, &peers.nodes);
    let wanted = |f: &&Finding| {
        options.ids.is_empty() || options.ids.iter().any(|id| id.eq_ignore_ascii_case(f.id))
    };
    let findings: Vec<&Finding> = assessment.findings.iter().filter(wanted).collect();
    let persist = options.persist.as_ref().map(|word| persisted(global, &node, &findings, word));
    let persist = persist.transpose()?;
    if options.json {
        return super::print(&format!("{}\n", report::json(&findings, persist.as_ref())));
    }
    super::print(&report::text(&findings, persist.as_ref()))
}

/// The persistent form of what works now and of all the remedies together.
fn persisted(
    global: &Global,
    node: &Node,
    findings: &[&Finding],
    word: &str,
) -> Result<Lasting, Failure> {
    let named = match word {
        "" => None,
        word => Some(word.parse::<Manager>().map_err(|e| Failure::Usage(Text::new(&e)))?),
    };
    let interfaces: Vec<&RailNetdev> =
        node.rails.iter().flat_map(|r| r.netdev.iter().chain(&r.children)).collect();
    let ask: Vec<(u32, Text)> = interfaces
        .iter()
        .filter_map(|n| Some((*n.ifindex.as_ref().ok()?, n.name.clone())))
        .collect();
    let managers = match &node.managers {
        Some(known) => Managers::clone(known),
        // A capture or a simulated node without them: nobody knows.
        None if node.source != SourceKind::Live => Managers::default(),
        None => manager::read(&Root::new(&global.root), &ask),
    };
    let states: Vec<RailState> = interfaces.iter().map(|n| state(node, n, &managers)).collect();
    let remedy: Vec<Change> = findings.iter().flat_map(|f| f.remedy.iter().cloned()).collect();
    let live = checks::lasting(node, &managers);
    let mut plan = persist::plan(&persist::beside(&live.changes, &remedy), &states);
    if plan.is_empty() {
        let stands = live.changes.is_empty() && live.standing > 0;
        return Ok(Lasting::Nothing { stands, left_out: plan.left_out });
    }
    plan.left_out.extend(live.unsure);
    match named.map_or_else(|| detected(&managers), Ok) {
        Ok(manager) => Ok(Lasting::Form(persist::render(manager, &plan))),
        Err(why) => Ok(Lasting::NoManager(why)),
    }
}

/// The manager that keeps the rails, if it is one; else what is to be done about it.
fn detected(managers: &Managers) -> Result<Manager, String> {
    let mut kept: Vec<Manager> =
        managers.rails.iter().filter_map(|r| Some(r.managed.as_ref().ok()?.manager)).collect();
    kept.dedup();
    let words = || Manager::ALL.map(Manager::word).join(", ");
    match kept.as_slice() {
        [one] => Ok(*one),
        [] => Err(format!(
            "no network manager keeps these rails, as far as its run-time files tell; name one: \
             --persist=MANAGER with one of {}",
            words()
        )),
        many => Err(format!(
            "the rails are kept by {}; name one: --persist=MANAGER",
            many.iter().map(|m| m.word()).collect::<Vec<_>>().join(" and ")
        )),
    }
}

fn state(node: &Node, netdev: &RailNetdev, managers: &Managers) -> RailState {
    let addresses: Vec<Prefix> = node
        .rails
        .iter()
        .flat_map(|r| &r.addresses)
        .filter(|a| a.interface == netdev.name && a.scope < 253)
        .map(|a| a.prefix)
        .collect();
    let link = node.links.as_ref().ok().and_then(|l| l.iter().find(|l| l.name == netdev.name));
    RailState {
        interface: netdev.name.clone(),
        kind: kind(node, netdev, link),
        addresses,
        managed: managers.of(&netdev.name).and_then(|m| m.as_ref().ok()).cloned(),
    }
}

fn kind(node: &Node, netdev: &RailNetdev, link: Option<&Link>) -> Kind {
    let parent = || {
        let links = node.links.as_ref().ok()?;
        let index = link?.parent?;
        links.iter().find(|l| l.index == index).map(|l| l.name.clone())
    };
    match link.and_then(|l| l.info_kind.as_deref()) {
        Some("bond") => Kind::Bond,
        Some("vlan") => Kind::Vlan,
        _ if netdev.kind.as_ref().is_ok_and(|k| *k == ARPHRD_INFINIBAND) => {
            let parent = parent();
            let pkey = netdev.pkey.as_ref().ok().and_then(|p| number(p));
            Kind::Infiniband {
                mode: netdev.mode.as_ref().ok().cloned(),
                pkey: pkey.filter(|_| parent.is_some()),
                parent,
            }
        }
        _ => Kind::Ethernet,
    }
}

fn number(hex: &str) -> Option<u16> {
    u16::from_str_radix(hex.trim_start_matches("0x"), 16).ok()
}
