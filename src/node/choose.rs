//! Which ports are rails.

use super::identity::{self, Order, Traits};
use super::join::{self, INFINIBAND, IfRef, Inventory, Layer};
use super::{NotShown, Settings};
use crate::sample::{Lnet, PciFunction, Routing, Sample, Text};
use globset::{Glob, GlobMatcher};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

/// Where a rail is in the samples, as long as their shape stays the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Slot {
    /// Places in `rdma` and its `ports`.
    pub port: Option<(usize, usize)>,
    pub port_name: Option<Text>,
    pub iface: Option<IfRef>,
    pub children: Vec<IfRef>,
    pub bond: Option<(Text, IfRef)>,
    /// The bond lets one member carry everything.
    pub active_backup: bool,
}

/// What a port is, for the choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// InfiniBand, Omni-Path, or a netdev of that link type.
    InfiniBand,
    /// RoCE, iWARP, EFA.
    Rdma,
    /// A NIC without an RDMA device.
    Nic,
    /// Software.
    Virtual,
}

/// A port or interface that could be a rail.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub id: Text,
    pub name: Text,
    pub slot: Slot,
    pub order: Order,
    pub pci: Option<Arc<PciFunction>>,
    class: Class,
    names: Vec<Text>,
    physical: bool,
    vf: bool,
    plane: bool,
    lnet: bool,
    iface: Option<usize>,
    /// Interfaces whose rows this one is folded into: its parent, or the members of a bond.
    within: Vec<usize>,
}

impl Candidate {
    /// Part of a row that is there already (a child, a bond)?
    pub(super) fn is_folded(&self) -> bool {
        !self.within.is_empty()
    }

    /// Does it count among the other NICs, when it is no rail?
    pub(super) fn is_other_nic(&self) -> bool {
        self.physical && self.iface.is_some() && !self.is_folded()
    }
}

/// Everything in the sample that could be a rail, in order.
pub(super) fn candidates(sample: &Sample) -> Vec<Candidate> {
    let inventory = Inventory::new(sample);
    let uses = LnetUses::new(&sample.lnet, &sample.routing);
    let no_devices = Vec::new();
    let devices = sample.rdma.as_ref().unwrap_or(&no_devices);
    let netdev_of = join::match_ports(&inventory, devices);
    let claimed: HashSet<usize> = netdev_of.values().copied().collect();
    let mut all = Vec::new();
    for (d, device) in devices.iter().enumerate() {
        for p in 0..device.ports.len() {
            let iface = netdev_of.get(&(d, p)).copied();
            all.extend(of_port(&inventory, sample, (d, p), iface));
        }
    }
    for at in 0..inventory.ifaces.len() {
        if !claimed.contains(&at) {
            all.extend(of_iface(&inventory, at));
        }
    }
    for candidate in &mut all {
        candidate.lnet = uses.any_of(candidate, &inventory);
    }
    all.sort_by(|a, b| a.order.compare(&b.order));
    all
}

fn of_port(
    inventory: &Inventory<'_>,
    sample: &Sample,
    (d, p): (usize, usize),
    at: Option<usize>,
) -> Option<Candidate> {
    let device = sample.rdma.as_ref().ok()?.get(d)?;
    let port = device.ports.get(p)?;
    let iface = at.and_then(|at| inventory.get(at));
    let layer = join::layer(device, port, iface.and_then(join::Iface::kind));
    let port_name = Text::from(format!("{}/{}", device.name, port.number));
    let name = iface.map_or_else(|| port_name.clone(), |i| i.name.clone());
    let pci = device.attrs.pci.as_ref().or_else(|| iface.and_then(join::Iface::pci)).cloned();
    let traits = Traits {
        pci: pci.as_deref(),
        port: port.number,
        guid: join::port_guid(port),
        hardware_address: None,
        name: &name,
    };
    // A port of a card with more than two that nobody ever enabled is a plane of a bigger port
    // (ConnectX-8), not a rail.
    let disabled = port.phys_state.value.as_ref().is_ok_and(|s| s.code == 3);
    let mut slot = at.map(|at| slot(inventory, at)).unwrap_or_default();
    slot.port = Some((d, p));
    slot.port_name = Some(port_name.clone());
    let mut names = vec![name.clone(), device.name.clone(), port_name];
    names.dedup();
    Some(Candidate {
        id: identity::identity(&traits),
        order: Order::new(pci.as_deref(), port.number, &name),
        class: if layer == Layer::InfiniBand { Class::InfiniBand } else { Class::Rdma },
        physical: pci.is_some() || iface.is_some_and(join::Iface::is_physical),
        vf: pci.as_ref().is_some_and(|p| p.physfn.is_some()),
        plane: device.ports.len() > 2 && disabled,
        lnet: false,
        iface: at,
        within: at.map(|at| folded_into(inventory, at)).unwrap_or_default(),
        name,
        slot,
        pci,
        names,
    })
}

fn of_iface(inventory: &Inventory<'_>, at: usize) -> Option<Candidate> {
    let iface = inventory.get(at)?;
    if iface.is_loopback() {
        return None;
    }
    let physical = iface.is_physical();
    let within = folded_into(inventory, at);
    let infiniband = iface.kind() == Some(INFINIBAND) && within.is_empty();
    let slot = slot(inventory, at);
    let pci = iface.pci().cloned();
    let address = iface.address().map(Text::as_str);
    let hardware = physical && within.is_empty();
    let traits = Traits {
        pci: pci.as_deref().filter(|_| hardware),
        port: iface.own_port(),
        guid: address.filter(|_| hardware).and_then(identity::guid_of_address),
        // Members of a bond share its address; netlink alone cannot tell it is permanent.
        hardware_address: address.filter(|_| hardware && slot.bond.is_none()),
        name: iface.name,
    };
    let class = match (infiniband, physical) {
        (true, _) => Class::InfiniBand,
        (false, true) => Class::Nic,
        (false, false) => Class::Virtual,
    };
    Some(Candidate {
        id: identity::identity(&traits),
        order: Order::new(pci.as_deref(), iface.own_port(), iface.name),
        name: iface.name.clone(),
        names: vec![iface.name.clone()],
        vf: iface.is_vf(),
        plane: false,
        lnet: false,
        iface: Some(at),
        class,
        slot,
        pci,
        physical,
        within,
    })
}

fn slot(inventory: &Inventory<'_>, at: usize) -> Slot {
    let bond = inventory.bond_of(at);
    let children = (0..inventory.ifaces.len()).filter(|c| inventory.parent_of(*c) == Some(at));
    Slot {
        port: None,
        port_name: None,
        iface: inventory.get(at).map(|i| i.at),
        children: children.filter_map(|c| inventory.get(c)).map(|i| i.at).collect(),
        active_backup: bond.is_some_and(|b| inventory.is_active_backup(b)),
        bond: bond.and_then(|b| inventory.get(b)).map(|b| (b.name.clone(), b.at)),
    }
}

/// The parent of a child, the members of a bond.
fn folded_into(inventory: &Inventory<'_>, at: usize) -> Vec<usize> {
    if let Some(parent) = inventory.parent_of(at) {
        return vec![parent];
    }
    if !inventory.get(at).is_some_and(join::Iface::is_bond) {
        return Vec::new();
    }
    (0..inventory.ifaces.len()).filter(|m| inventory.master_of(*m) == Some(at)).collect()
}

/// Interfaces and addresses that LNet's NIs are on.
struct LnetUses<'a> {
    names: HashSet<&'a str>,
    indices: HashSet<u32>,
}

impl<'a> LnetUses<'a> {
    fn new(lnet: &'a Lnet, routing: &Routing) -> Self {
        let nis = || {
            let nets = lnet.answer.iter().flat_map(|a| &a.nets);
            nets.flat_map(|n| &n.nis).filter(|ni| !ni.is_lo())
        };
        let names = nis().flat_map(|ni| &ni.interfaces).map(|i| without_alias(i)).collect();
        let plain = nis().filter(|ni| ni.interfaces.is_empty());
        let ips: HashSet<IpAddr> = plain.filter_map(|ni| ni.address().parse().ok()).collect();
        let addresses = routing.addresses.iter().flatten();
        let indices =
            addresses.filter(|a| ips.contains(&a.local.addr)).map(|a| a.ifindex).collect();
        Self { names, indices }
    }

    fn any_of(&self, candidate: &Candidate, inventory: &Inventory<'_>) -> bool {
        let Some(at) = candidate.iface else { return false };
        let is_used = |at: usize| {
            inventory.get(at).is_some_and(|i| {
                self.names.contains(i.name.as_str())
                    || i.index().is_some_and(|x| self.indices.contains(&x))
            })
        };
        is_used(at)
            || inventory.bond_of(at).is_some_and(is_used)
            || (0..inventory.ifaces.len()).any(|c| inventory.parent_of(c) == Some(at) && is_used(c))
    }
}

/// `ib0` of the alias label `ib0:1`.
pub(super) fn without_alias(name: &str) -> &str {
    name.split_once(':').map_or(name, |(device, _)| device)
}

/// The globs of the user.
#[derive(Clone, Debug, Default)]
pub(super) struct Patterns {
    list: Vec<(String, Option<GlobMatcher>)>,
}

impl Patterns {
    pub(super) fn new(patterns: &[String]) -> Self {
        let glob = |p: &String| Glob::new(p).ok().map(|g| g.compile_matcher());
        Self { list: patterns.iter().map(|p| (p.clone(), glob(p))).collect() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|(text, _)| text.as_str())
    }

    /// Places of the patterns that match one of the names.
    fn matching<'a>(&'a self, names: &'a [Text]) -> impl Iterator<Item = usize> + 'a {
        let hit = |(text, glob): &(String, Option<GlobMatcher>)| {
            names.iter().any(|n| {
                n == text.as_str() || glob.as_ref().is_some_and(|g| g.is_match(n.as_str()))
            })
        };
        self.list.iter().enumerate().filter(move |(_, p)| hit(p)).map(|(i, _)| i)
    }

    pub(super) fn is_match(&self, names: &[Text]) -> bool {
        self.matching(names).next().is_some()
    }
}

/// Why the rails are the rails they are; a later one replaces an earlier one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mode {
    /// Nothing found.
    #[default]
    Nothing,
    /// Physical NICs, for want of better.
    Nics,
    /// Ports that LNet uses.
    Lnet,
    /// InfiniBand, and what LNet uses beside it.
    InfiniBand,
    /// What `--rail` names.
    Named,
}

/// The rails and what is said about the choice.
#[derive(Debug, Default)]
pub(super) struct Choice {
    pub mode: Mode,
    /// Places among the candidates, in order.
    pub rails: Vec<usize>,
    pub not_shown: Vec<NotShown>,
    pub note: Option<Text>,
    /// Include patterns that match nothing, by place.
    pub unmatched: BTreeSet<usize>,
}

/// Chooses. A rail stays one while its kind of choice stays the same; `known` are their ids.
pub(super) fn choose(
    all: &[Candidate],
    include: &Patterns,
    exclude: &Patterns,
    before: Mode,
    known: &HashSet<Text>,
) -> Choice {
    if !include.is_empty() {
        return named(all, include, exclude);
    }
    let ports = |c: &&Candidate| c.class == Class::InfiniBand && !c.plane && !c.is_folded();
    let functions = all.iter().filter(ports).any(|c| !c.vf);
    let infiniband = all.iter().filter(ports).any(|_| true);
    let real = |c: &Candidate| c.physical || c.slot.port.is_some();
    let lnet = |c: &Candidate| c.lnet && real(c) && !c.is_folded();
    let found = if infiniband {
        Mode::InfiniBand
    } else if all.iter().any(lnet) {
        Mode::Lnet
    } else if all.iter().any(is_nic) {
        Mode::Nics
    } else {
        Mode::Nothing
    };
    let mode = found.max(before);
    let nic_functions = all.iter().any(|c| is_nic(c) && !c.vf);
    let by_mode = |c: &Candidate| match mode {
        Mode::InfiniBand => (ports(&c) && (!c.vf || !functions)) || lnet(c),
        Mode::Lnet => lnet(c),
        Mode::Nics => is_nic(c) && (!c.vf || !nic_functions),
        Mode::Nothing | Mode::Named => false,
    };
    let stays = |c: &Candidate| mode == before && known.contains(&c.id) && !c.is_folded();
    let mut rails: Vec<usize> = Vec::new();
    let mut excluded = false;
    for (at, candidate) in all.iter().enumerate() {
        if by_mode(candidate) || stays(candidate) {
            if exclude.is_match(&candidate.names) {
                excluded = true;
            } else {
                rails.push(at);
            }
        }
    }
    let is_rail = |at: usize| rails.binary_search(&at).is_ok();
    let not_shown = not_shown(all, exclude, &is_rail);
    let note = if rails.is_empty() && known.is_empty() {
        Some(Text::from(format!("no rail found: {}", why_none(all, excluded))))
    } else {
        match mode {
            Mode::Nics => Some(Text::new("no InfiniBand here: physical NICs shown")),
            Mode::Lnet => Some(Text::new("no InfiniBand here: the ports that LNet uses")),
            Mode::InfiniBand if !functions && infiniband && all.iter().any(|c| c.vf) => {
                Some(Text::new("virtual functions only"))
            }
            _ => None,
        }
    };
    Choice { mode, rails, not_shown, note, unmatched: BTreeSet::new() }
}

/// A NIC of the last resort: hardware with a netdev, or an RDMA port that never has one (EFA).
fn is_nic(c: &Candidate) -> bool {
    let port_only = c.class == Class::Rdma && c.iface.is_none() && c.pci.is_some();
    (c.physical && c.iface.is_some() || port_only) && !c.is_folded() && !c.plane
}

/// Exactly what the patterns name; a child or bond only where its parent or members are not named.
fn named(all: &[Candidate], include: &Patterns, exclude: &Patterns) -> Choice {
    let mut unmatched: BTreeSet<usize> = (0..include.list.len()).collect();
    let mut hits = Vec::new();
    for (at, candidate) in all.iter().enumerate() {
        let mut hit = false;
        for pattern in include.matching(&candidate.names) {
            unmatched.remove(&pattern);
            hit = true;
        }
        if hit && !exclude.is_match(&candidate.names) {
            hits.push(at);
        }
    }
    let shown: HashSet<usize> = hits.iter().filter_map(|at| all.get(*at)?.iface).collect();
    hits.retain(|at| all.get(*at).is_some_and(|c| !c.within.iter().any(|w| shown.contains(w))));
    let note = hits.is_empty().then(|| {
        let wanted = include.texts().collect::<Vec<_>>().join(", ");
        Text::from(format!("no rail found: nothing here matches --rail {wanted}"))
    });
    Choice { mode: Mode::Named, rails: hits, not_shown: Vec::new(), note, unmatched }
}

fn why_none(all: &[Candidate], excluded: bool) -> String {
    if excluded {
        return "--exclude removes all of them".to_owned();
    }
    let names: Vec<&str> = all.iter().map(|c| c.name.as_str()).collect();
    match names.as_slice() {
        [] => "no interface but the loopback can be seen here".to_owned(),
        [first, ..] => format!(
            "only virtual interfaces here ({}): a container? --rail {first} shows one",
            shortened(&names)
        ),
    }
}

/// What could be a rail and is folded into a line.
fn not_shown(
    all: &[Candidate],
    exclude: &Patterns,
    is_rail: &dyn Fn(usize) -> bool,
) -> Vec<NotShown> {
    let kind = |c: &Candidate| match (c.slot.port.is_some(), c.class) {
        _ if c.plane => Some("unused port"),
        (true, _) if c.vf => Some("virtual function"),
        (false, Class::InfiniBand) if c.vf => Some("virtual function"),
        (true, Class::Rdma) if c.physical => Some("RoCE port"),
        _ => None,
    };
    let mut folded: HashMap<&'static str, Vec<Text>> = HashMap::new();
    for (at, candidate) in all.iter().enumerate() {
        if !is_rail(at)
            && !exclude.is_match(&candidate.names)
            && let Some(what) = kind(candidate)
        {
            let name = candidate.slot.port_name.as_ref().unwrap_or(&candidate.name);
            folded.entry(what).or_default().push(name.clone());
        }
    }
    let order = ["RoCE port", "virtual function", "unused port"];
    order
        .into_iter()
        .filter_map(|what| {
            let names = folded.remove(what)?;
            let list: Vec<&str> = names.iter().map(Text::as_str).collect();
            let hint = Text::from(format!("--rail {}", shortened(&list)));
            Some(NotShown { what, names, hint })
        })
        .collect()
}

/// The first few, and a mark where there are more.
fn shortened(names: &[&str]) -> String {
    let more = if names.len() > 4 { ",…" } else { "" };
    format!("{}{more}", names.get(..4).unwrap_or(names).join(","))
}

/// Settles who is who where two candidates have one identity: each keeps the one it had before,
/// else the first keeps it and the others add their names.
pub(super) fn settle_identities(all: &mut [Candidate], known: &HashMap<Text, Text>) {
    let mut same: HashMap<Text, Vec<usize>> = HashMap::new();
    for (at, candidate) in all.iter().enumerate() {
        same.entry(candidate.id.clone()).or_default().push(at);
    }
    for (id, places) in same.into_iter().filter(|(_, p)| p.len() > 1) {
        let longer = |c: &Candidate| Text::from(format!("{id}@{}", c.name));
        let had = |at: &usize| all.get(*at).is_some_and(|c| known.get(&id) == Some(&c.name));
        let free = |at: &usize| all.get(*at).is_some_and(|c| !known.contains_key(&longer(c)));
        let owner = places.iter().find(|at| had(at)).or_else(|| places.iter().find(|at| free(at)));
        let owner = owner.copied();
        for at in places.iter().filter(|at| Some(**at) != owner) {
            if let Some(candidate) = all.get_mut(*at) {
                candidate.id = longer(candidate);
            }
        }
    }
    // Two ports can share even their names: no row may be lost.
    let mut seen = HashSet::new();
    for (at, candidate) in all.iter_mut().enumerate() {
        if !seen.insert(candidate.id.clone()) {
            candidate.id = Text::from(format!("{}#{at}", candidate.id));
            seen.insert(candidate.id.clone());
        }
    }
}

/// Patterns of the settings.
pub(super) fn patterns(settings: &Settings) -> (Patterns, Patterns) {
    (Patterns::new(&settings.include), Patterns::new(&settings.exclude))
}
