//! A rail against the others of its group, and its MTU against its IPoIB mode.
//!
//! Nothing here knows what a rail should be: only that it is not what most of its like are.

use super::catalogue::alike::{
    FIRMWARE_OLDER, IPOIB_MODE_DIFFERS, IPOIB_MTU_BEYOND_MODE, IPOIB_MTU_UNUSED, MTU_DIFFERS,
    NUMA_DIFFERS, PCIE_DIFFERS, RATE_BELOW_PEERS, RATE_DIFFERS,
};
use super::catalogue::{PCIE_DOWNGRADED, PCIE_LIMITED};
use super::fold::Found;
use super::view::{self, Iface, RailView};
use super::{Finding, Severity};
use crate::fix::{self, Action, Change};
use crate::natural;
use crate::node::{Group, Presence, Rail, RailNetdev};
use crate::sample::Text;
use crate::units::gbits;
use std::cmp::Ordering;
use std::fmt::Write;

/// IB MTU 2048 less the IPoIB header (RFC 4391); what every fabric can carry.
const DATAGRAM: u32 = 2044;
/// IB MTU 4096 less the IPoIB header.
const DATAGRAM_MOST: u32 = 4092;
/// `IPOIB_CM_MTU` of drivers/infiniband/ulp/ipoib/ipoib.h.
const CONNECTED_MOST: u32 = 65520;

/// All of the node.
pub(super) fn found(views: &[RailView<'_>], groups: &[Group], known: &[Found]) -> Vec<Found> {
    let mut all: Vec<Found> = Vec::new();
    for group in groups {
        let members: Vec<&RailView<'_>> =
            group.rails.iter().filter_map(|r| views.get(*r)).collect();
        // A rail of two nets is told once.
        for new in in_group(group, &members, known) {
            let same = |f: &Found| f.finding.id == new.finding.id && f.rails == new.rails;
            if !all.iter().any(same) {
                all.push(new);
            }
        }
    }
    for new in views.iter().filter_map(mtu_of_mode) {
        // Members of a bond have its MTU: one mistake, one command.
        let same = |f: &&mut Found| {
            f.finding.id == new.finding.id && f.finding.remedy == new.finding.remedy
        };
        match all.iter_mut().find(same) {
            Some(told) => {
                told.rails.extend(new.rails);
                told.finding.rails.extend(new.finding.rails);
                told.finding.evidence.extend(new.finding.evidence);
            }
            None => all.push(new),
        }
    }
    all
}

/// A rail and one of its values, where that can be known now. A rail whose value is not known
/// (its port is down, it is gone) still counts: the rest is not the majority for that.
type Value<'a, T> = (&'a RailView<'a>, Option<T>);

fn in_group(group: &Group, members: &[&RailView<'_>], known: &[Found]) -> Vec<Found> {
    let mut found = rates(group, members);
    found.extend(firmware(group, members));
    found.extend(slots(group, members, known));
    let numa = values(members, |r| r.pci.as_ref()?.numa_node.as_ref().ok().copied());
    found.extend(odd(&numa).map(|(v, own, most)| {
        let summary = format!(
            "{} is on NUMA node {own}, the others of {} on node {most}: its memory is further away",
            v.name(),
            group.name
        );
        let evidence = each(&numa, |n| format!("NUMA node {n}"));
        one(v, NUMA_DIFFERS, Severity::Note, summary, evidence)
    }));
    // Until it has joined, an interface keeps the MTU it was made with.
    let modes = values(members, |r| joined(r)?.mode.as_ref().ok().cloned());
    found.extend(odd(&modes).map(|(v, own, most)| {
        let summary = format!(
            "{} is in {own} mode, the others of {} in {most} mode: it carries other packet sizes and \
             another load of the CPU",
            v.name(),
            group.name
        );
        let evidence = each(&modes, |m| format!("mode {m}"));
        one(v, IPOIB_MODE_DIFFERS, Severity::Note, summary, evidence)
    }));
    let mtus = values(members, |r| joined(r)?.mtu.as_ref().ok().copied());
    found.extend(odd(&mtus).filter(|(v, ..)| !is_told(v, known)).map(|(v, own, most)| {
        let summary = format!(
            "{} has MTU {own}, the others of {} have {most}: large packets differ between rails",
            v.name(),
            group.name
        );
        let evidence = each(&mtus, |m| format!("mtu {m}"));
        one(v, MTU_DIFFERS, Severity::Note, summary, evidence)
    }));
    found
}

fn joined(rail: &Rail) -> Option<&RailNetdev> {
    rail.netdev.as_ref().filter(|n| view::works(rail) && view::iface(n) == Iface::Up)
}

/// One subnet with two MTU is a finding of its own, with what mends it.
fn is_told(view: &RailView<'_>, known: &[Found]) -> bool {
    let told = |f: &&Found| f.finding.rails.contains(&view.rail.name);
    known.iter().filter(told).any(|f| f.finding.id == super::catalogue::routing::MTU_MISMATCH)
}

/// What a port runs at, slowest first.
#[derive(Clone, PartialEq)]
struct Rate {
    bits: f64,
    width: Option<u32>,
    words: String,
}

fn rates(group: &Group, members: &[&RailView<'_>]) -> Vec<Found> {
    let rates = values(members, |rail| {
        let rate = Some(&rail.rate).filter(|_| view::works(rail))?;
        let bits = *rate.nominal_bits_per_second.ok()?;
        let mut words = format!("{} Gb/s", gbits(bits));
        if let Some(width) = rate.width.ok() {
            let _ = write!(words, " {width}X");
        }
        if let Some(speed) = rate.speed.ok().filter(|s| !s.is_empty()) {
            let _ = write!(words, " {speed}");
        }
        Some(Rate { bits, width: rail.rate.width.ok().copied(), words })
    });
    let evidence = || each(&rates, |r| r.words.clone());
    // What another board runs at says nothing of a cable.
    let alike = by_board(&rates);
    let mut below = Vec::new();
    for rates in &alike {
        let Some(most) = majority(rates) else {
            below.extend(one_lane(group, rates));
            continue;
        };
        let slower = known(rates).filter(|(_, r)| r.bits < most.bits);
        below.extend(slower.map(|(v, own)| {
            let summary = format!(
                "{} runs at {}, the others of {} at {}: cable, transceiver or switch port",
                v.name(),
                own.words,
                group.name,
                most.words
            );
            one(v, RATE_BELOW_PEERS, Severity::Warning, summary, each(rates, |r| r.words.clone()))
        }));
    }
    if !below.is_empty() || majority(&rates).is_some() && alike.len() == 1 {
        return below;
    }
    // Two that differ, or two boards: nobody can say which is meant.
    let slowest = known(&rates).min_by(|a, b| a.1.bits.total_cmp(&b.1.bits));
    let fastest = known(&rates).max_by(|a, b| a.1.bits.total_cmp(&b.1.bits));
    let (Some(slow), Some(fast)) = (slowest, fastest) else { return Vec::new() };
    if slow.1.bits >= fast.1.bits {
        return Vec::new();
    }
    let summary = format!(
        "rails of {} run at different rates ({} at {}, {} at {}); which is meant is not told",
        group.name,
        slow.0.name(),
        slow.1.words,
        fast.0.name(),
        fast.1.words
    );
    vec![one(slow.0, RATE_DIFFERS, Severity::Note, summary, evidence())]
}

/// One lane of four that its like has. Cables are split into two lanes, never into one: the others
/// were lost.
fn one_lane(group: &Group, rates: &[Value<'_, Rate>]) -> Vec<Found> {
    let Some((like, most)) = known(rates).find(|(_, r)| r.width.is_some_and(|w| w >= 4)) else {
        return Vec::new();
    };
    let lost = known(rates).filter(|(_, r)| r.width == Some(1) && r.bits < most.bits);
    let told = |(v, own): (&RailView<'_>, &Rate)| {
        let summary = format!(
            "{} runs at {}, {} of {} at {}: lanes are lost, by cable, transceiver or switch port",
            v.name(),
            own.words,
            like.name(),
            group.name,
            most.words
        );
        one(v, RATE_BELOW_PEERS, Severity::Warning, summary, each(rates, |r| r.words.clone()))
    };
    lost.map(told).collect()
}

/// `hca_type` and `board_id`.
type Board = Option<(Option<Text>, Option<Text>)>;

/// The same values, apart by the kind of adapter; what has no known board is a kind of its own.
fn by_board<'a, T: Clone>(values: &[Value<'a, T>]) -> Vec<Vec<Value<'a, T>>> {
    let board = |view: &RailView<'_>| -> Board {
        let attrs = &view.rail.rdma.as_ref()?.device_attrs;
        Some((attrs.hca_type.as_ref().ok().cloned(), attrs.board_id.as_ref().ok().cloned()))
    };
    let mut kinds: Vec<(Board, Vec<Value<'a, T>>)> = Vec::new();
    for (view, value) in values {
        let own = board(view);
        match kinds.iter_mut().find(|(kind, _)| *kind == own) {
            Some((_, all)) => all.push((*view, value.clone())),
            None => kinds.push((own, vec![(*view, value.clone())])),
        }
    }
    kinds.into_iter().map(|(_, all)| all).collect()
}

/// A slot of another kind that takes nothing from the link: what does is a finding of its own.
fn slots(group: &Group, members: &[&RailView<'_>], known: &[Found]) -> Vec<Found> {
    let told = |v: &RailView<'_>| {
        let of_slot = |f: &&Found| matches!(f.finding.id, PCIE_DOWNGRADED | PCIE_LIMITED);
        known.iter().filter(of_slot).any(|f| f.rails.contains(&v.index))
    };
    let all = values(members, |rail| {
        let (link, _) = rail.limits.pcie.as_ref()?.could_carry()?;
        link.possible.as_ref().ok().map(ToString::to_string)
    });
    let mut found = Vec::new();
    for slots in by_board(&all) {
        found.extend(odd(&slots).filter(|(v, ..)| !told(v)).map(|(v, own, most)| {
            let summary = format!(
                "{} is in a slot of PCIe {own}, its like in {} have {most}; it carries its link all the same",
                v.name(),
                group.name
            );
            one(v, PCIE_DIFFERS, Severity::Note, summary, each(&slots, |s| format!("PCIe {s}")))
        }));
    }
    found
}

/// Older than what most adapters of the same board have.
fn firmware(group: &Group, members: &[&RailView<'_>]) -> Vec<Found> {
    let boards = values(members, |rail| {
        let attrs = &rail.rdma.as_ref()?.device_attrs;
        Some((attrs.board_id.as_ref().ok()?.clone(), attrs.fw_ver.as_ref().ok()?.clone()))
    });
    let mut names: Vec<&Text> = known(&boards).map(|(_, (board, _))| board).collect();
    names.sort();
    names.dedup();
    let mut found = Vec::new();
    for board in names.into_iter().filter(|b| !b.is_empty()) {
        let versions: Vec<Value<'_, Text>> = known(&boards)
            .filter(|(_, (own, _))| own == board)
            .map(|(view, (_, version))| (view, Some(version.clone())))
            .collect();
        let older = |own: &Text, most: &Text| natural::cmp(own, most) == Ordering::Less;
        found.extend(odd(&versions).filter(|(_, own, most)| older(own, most)).map(
            |(v, own, most)| {
                let summary = format!(
                    "{} has firmware {own}, the other adapters of the same board in {} have {most}",
                    v.name(),
                    group.name
                );
                let evidence = each(&versions, |f| format!("fw_ver {f}, board_id {board}"));
                one(v, FIRMWARE_OLDER, Severity::Note, summary, evidence)
            },
        ));
    }
    found
}

/// An MTU that the mode of the interface cannot reach, or does not use.
fn mtu_of_mode(view: &RailView<'_>) -> Option<Found> {
    let netdev = view.rail.netdev.as_ref().filter(|_| view.iface() == Iface::Up)?;
    let (Ok(mode), Ok(mtu)) = (&netdev.mode, &netdev.mtu) else { return None };
    let driver = view.rail.rdma.as_ref().and_then(|r| r.device_attrs.driver.as_deref().ok());
    let (name, mtu) = (&netdev.name, *mtu);
    let (id, severity, to, why) = match &**mode {
        // Omni-Path's accelerated IPoIB carries up to 10 KiB.
        "datagram" if driver.is_some_and(|d| d.starts_with("hfi1")) => return None,
        "datagram" if mtu > DATAGRAM_MOST => (
            IPOIB_MTU_BEYOND_MODE,
            Severity::Warning,
            DATAGRAM,
            format!("datagram mode carries {DATAGRAM_MOST} at most: larger packets are lost"),
        ),
        "datagram" if mtu < DATAGRAM => (
            IPOIB_MTU_UNUSED,
            Severity::Note,
            DATAGRAM,
            format!("every fabric carries {DATAGRAM} in datagram mode"),
        ),
        "connected" if mtu <= DATAGRAM_MOST => (
            IPOIB_MTU_UNUSED,
            Severity::Note,
            CONNECTED_MOST,
            format!("connected mode carries up to {CONNECTED_MOST}, and pays for it in any case"),
        ),
        _ => return None,
    };
    // A bond gives its MTU to its members: there it is set.
    let dev = view.rail.bond.as_ref().unwrap_or(name);
    let of = if dev == name { "" } else { ", its members" };
    let summary = format!("{dev} has MTU {mtu}{of} in {mode} mode: {why}");
    let evidence = vec![
        format!("/sys/class/net/{name}/mode: {mode}; /sys/class/net/{name}/mtu: {mtu}").into(),
    ];
    let mut found = one(view, id, severity, summary, evidence);
    let change = Change::here(Action::LinkMtu { dev: dev.clone(), mtu: to, before: Some(mtu) });
    let finding = &mut found.finding;
    finding.remedy = vec![change];
    finding.fix = fix::commands(&finding.remedy);
    finding.undo = fix::undo(&finding.remedy);
    finding.verify = fix::proofs(&finding.remedy);
    Some(found)
}

fn values<'a, T>(
    members: &[&'a RailView<'a>],
    get: impl Fn(&Rail) -> Option<T>,
) -> Vec<Value<'a, T>> {
    let present = |view: &RailView<'_>| view.rail.presence == Presence::Present;
    let value = |view: &&'a RailView<'a>| (*view, get(view.rail).filter(|_| present(view)));
    members.iter().map(value).collect()
}

fn known<'v, 'a, T>(
    values: &'v [Value<'a, T>],
) -> impl Iterator<Item = (&'a RailView<'a>, &'v T)> + Clone {
    values.iter().filter_map(|(view, value)| Some((*view, value.as_ref()?)))
}

/// What more than half of them have, of at least three; none where all have it.
fn majority<'v, T: PartialEq>(values: &'v [Value<'_, T>]) -> Option<&'v T> {
    let count = |one: &T| known(values).filter(|(_, v)| *v == one).count();
    let (_, most) = known(values).max_by_key(|(_, v)| count(v))?;
    let holders = count(most);
    let differ = holders < known(values).count();
    (values.len() > 2 && holders * 2 > values.len() && differ).then_some(most)
}

/// Those that do not have what most have: the rail, its own value, that of the others.
fn odd<'v, 'a, T: PartialEq>(
    values: &'v [Value<'a, T>],
) -> impl Iterator<Item = (&'a RailView<'a>, &'v T, &'v T)> {
    let most = majority(values);
    known(values).filter_map(move |(view, own)| {
        let most = most?;
        (own != most).then_some((view, own, most))
    })
}

fn each<T>(values: &[Value<'_, T>], words: impl Fn(&T) -> String) -> Vec<Text> {
    known(values).map(|(v, value)| format!("{}: {}", v.name(), words(value)).into()).collect()
}

fn one(
    view: &RailView<'_>,
    id: &'static str,
    severity: Severity,
    summary: String,
    evidence: Vec<Text>,
) -> Found {
    let finding = Finding::new(id, severity, summary, evidence).on(view);
    Found { rails: vec![view.index], finding }
}

#[cfg(test)]
mod tests;
