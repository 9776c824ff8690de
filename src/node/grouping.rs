//! Which rails are meant to share load.

use super::balance::{self, Part};
use super::choose::Patterns;
use super::identity::{natural, subnet_of_gid};
use super::row::Track;
use super::{Balance, BalanceSide, Figure, Flow, Group, GroupOrigin, Presence, Rail, capacity};
use crate::sample::{Fact, Family, How, Lnet, LnetFailure, Prefix, Reading, Text, Unknown, Why};
use std::collections::BTreeSet;

/// What binds a rail to others. It stays bound by what it had last: a dead rail loses its NI, its
/// address, even its device, and is missing from its group all the same.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Ties {
    nets: Vec<Text>,
    prefixes: Vec<Prefix>,
    subnet: Option<u64>,
    hardware: (Option<Text>, Option<Text>),
}

impl Ties {
    /// Learns from what the rail has now; true if anything changed.
    pub(super) fn learn(&mut self, rail: &Rail, lnet: &Lnet) -> bool {
        let before = self.clone();
        self.learn_nets(rail, lnet);
        let v4 = rail.addresses.iter().filter(|a| a.scope == 0 && a.ip().is_ipv4());
        let mut prefixes: Vec<Prefix> = v4.map(|a| a.prefix.network()).collect();
        prefixes.dedup();
        if !prefixes.is_empty() {
            self.prefixes = prefixes;
        }
        if let Some(rdma) = rail.rdma.as_ref().filter(|_| rail.presence == Presence::Present) {
            let attrs = &rdma.device_attrs;
            self.hardware = (attrs.hca_type.clone().ok(), attrs.board_id.clone().ok());
            let infiniband =
                !rdma.is_ethernet() && rdma.link_layer.as_ref().is_ok_and(|l| l == "InfiniBand");
            let gid = rdma.port_attrs.default_gid.as_deref().ok();
            let first = || rdma.port_attrs.gids.first().map(|g| g.gid.as_str());
            let subnet = gid.or_else(first).and_then(subnet_of_gid).filter(|_| infiniband);
            self.subnet = subnet.or(self.subnet);
        }
        *self != before
    }

    fn learn_nets(&mut self, rail: &Rail, lnet: &Lnet) {
        let mut now: Vec<Text> = rail.lnet.iter().map(|n| n.net.clone()).collect();
        now.dedup();
        match &lnet.answer {
            Ok(answer) => {
                // A net stays while it exists, unless the rail moved to another of its kind.
                let exists = |n: &Text| answer.nets.iter().any(|net| net.name == *n);
                let kind = |n: &Text| n.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
                let moved = |n: &Text| now.iter().any(|o| o != n && kind(o) == kind(n));
                let kept = self.nets.iter().filter(|n| !now.contains(n) && exists(n) && !moved(n));
                let kept: Vec<Text> = kept.cloned().collect();
                self.nets = now.into_iter().chain(kept).collect();
            }
            Err(
                LnetFailure::NotInstalled | LnetFailure::NotLoaded | LnetFailure::NotConfigured,
            ) => self.nets.clear(),
            Err(_) => {}
        }
    }

    /// Same hardware, in one prefix or one subnet; without known hardware in one prefix.
    fn meant_to_share(&self, other: &Self) -> bool {
        let prefix = self.prefixes.iter().any(|p| other.prefixes.contains(p));
        let subnet = self.subnet.is_some() && self.subnet == other.subnet;
        let known = self.hardware != (None, None);
        self.hardware == other.hardware && (prefix || known && subnet)
    }
}

/// The groups of these rails; their balance is still to be computed.
pub(super) fn groups(
    rails: &[Rail],
    tracks: &[Track],
    configured: &[(Text, Patterns)],
) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut nets: Vec<&Text> = tracks.iter().flat_map(|t| &t.ties.nets).collect();
    nets.sort_by(|a, b| natural(a, b));
    nets.dedup();
    for net in nets {
        let on_it = tracks.iter().enumerate().filter(|(_, t)| t.ties.nets.contains(net));
        add(&mut groups, net.clone(), GroupOrigin::LnetNet, on_it.map(|(i, _)| i).collect());
    }
    for (name, patterns) in configured {
        let names = |r: &Rail| r.names().map(Text::new).collect::<Vec<_>>();
        let members = rails.iter().enumerate().filter(|(_, r)| patterns.is_match(&names(r)));
        add(&mut groups, name.clone(), GroupOrigin::Config, members.map(|(i, _)| i).collect());
    }
    let mut free: BTreeSet<usize> = (0..rails.len()).collect();
    for group in &groups {
        for rail in &group.rails {
            free.remove(rail);
        }
    }
    while let Some(first) = free.pop_first() {
        let members = connected(first, &mut free, tracks);
        add(&mut groups, guessed_name(&members, tracks), GroupOrigin::Guess, members);
    }
    groups
}

fn add(groups: &mut Vec<Group>, name: Text, origin: GroupOrigin, rails: Vec<usize>) {
    if rails.len() < 2 || groups.iter().any(|g| g.rails == rails) {
        return;
    }
    let (side, _) = balance::unknown_side(&Unknown::new(Why::FirstSample, ""), None, 0);
    groups.push(Group {
        name,
        origin,
        rails,
        usable_rails: 0,
        usable_bytes_per_second: Fact::unknown(Why::FirstSample, ""),
        balance: Balance { rx: side.clone(), tx: side },
        recent: None,
        since_mark: None,
        behind_rx: None,
        behind_tx: None,
    });
}

/// Everything that shares with `first`, or with what shares with it.
fn connected(first: usize, free: &mut BTreeSet<usize>, tracks: &[Track]) -> Vec<usize> {
    let mut members = vec![first];
    let mut next = 0;
    while let Some(member) = members.get(next).and_then(|m| tracks.get(*m)) {
        let shares = |i: &usize| {
            let other = tracks.get(*i);
            other.is_some_and(|o| member.ties.meant_to_share(&o.ties) && !same_bond(member, o))
        };
        let found: Vec<usize> = free.iter().copied().filter(shares).collect();
        for rail in found {
            free.remove(&rail);
            members.push(rail);
        }
        next += 1;
    }
    members.sort_unstable();
    members
}

/// Members of one active-backup bond take turns; they do not share.
fn same_bond(a: &Track, b: &Track) -> bool {
    let bond = |t: &Track| {
        let slot = t.slot.as_ref().filter(|s| s.active_backup)?;
        slot.bond.as_ref().map(|(name, _)| name.clone())
    };
    bond(a).is_some_and(|name| bond(b) == Some(name))
}

/// The prefix all have, else the hardware's name, else the first prefix.
fn guessed_name(members: &[usize], tracks: &[Track]) -> Text {
    let ties: Vec<&Ties> = members.iter().filter_map(|m| tracks.get(*m)).map(|t| &t.ties).collect();
    let Some(first) = ties.first() else { return Text::default() };
    let common = first.prefixes.iter().find(|p| ties.iter().all(|t| t.prefixes.contains(p)));
    let hardware = || first.hardware.0.clone().or_else(|| first.hardware.1.clone());
    let prefix = |p: &Prefix| Text::from(p.to_string());
    let any = || first.prefixes.iter().find(|p| p.family() == Family::Inet).map(prefix);
    common.map(prefix).or_else(hardware).or_else(any).unwrap_or_default()
}

/// Can the rail carry traffic? `None`: it cannot be told.
pub(super) fn alive(rail: &Rail) -> Option<bool> {
    match (&rail.presence, &rail.rdma, &rail.netdev) {
        (Presence::Gone { .. }, _, _) => Some(false),
        (_, Some(rdma), _) => rdma.raw_state.is_ok().then(|| rdma.state.is_active()),
        // Its carrier cannot be read then.
        (_, None, Some(netdev)) if netdev.admin_up == Ok(false) => Some(false),
        (_, None, Some(netdev)) => netdev.carrier.as_ref().ok().copied(),
        (_, None, None) => None,
    }
}

/// Balance of all groups, shares of all rails.
pub(super) fn balance(groups: &mut [Group], rails: &mut [Rail], tracks: &[Track], floor: f64) {
    for (place, rail) in rails.iter_mut().enumerate() {
        rail.group = groups.iter().position(|g| g.rails.contains(&place));
        if rail.group.is_none() {
            let none = Fact::unknown(Why::NotApplicable, "in no group");
            rail.rx.share_ratio = none.clone();
            rail.tx.share_ratio = none;
        }
    }
    for (at, group) in groups.iter_mut().enumerate() {
        capacity(group, rails, tracks);
        let now = |rail: &Rail, flow: &Flow| {
            (alive(rail) != Some(false)).then(|| measured(&flow.bytes_per_second))
        };
        let rx = direction(group, rails, tracks, floor, &|rail| now(rail, &rail.rx));
        let tx = direction(group, rails, tracks, floor, &|rail| now(rail, &rail.tx));
        group.balance = Balance { rx: rx.0, tx: tx.0 };
        for ((rail, rx), tx) in group.rails.iter().zip(rx.1).zip(tx.1) {
            if let Some(rail) = rails.get_mut(*rail).filter(|r| r.group == Some(at)) {
                rail.rx.share_ratio = rx;
                rail.tx.share_ratio = tx;
            }
        }
    }
}

fn capacity(group: &mut Group, rails: &[Rail], tracks: &[Track]) {
    let is_live = |at: &usize| rails.get(*at).is_some_and(|r| alive(r) == Some(true));
    let mut live: Vec<usize> = group.rails.iter().copied().filter(is_live).collect();
    group.usable_rails = live.len();
    one_of_each_bond(&mut live, rails, tracks);
    group.usable_bytes_per_second = capacity::of(rails, &live).map(|bits| bits / 8.0).into();
}

/// Members of an active-backup bond take turns: the fastest stands for all.
fn one_of_each_bond(live: &mut Vec<usize>, rails: &[Rail], tracks: &[Track]) {
    let rate = |at: usize| {
        rails.get(at).and_then(|r| r.limits.ceiling_bits_per_second.ok().copied()).unwrap_or(0.0)
    };
    let all = live.clone();
    live.retain(|at| {
        let better = |other: &usize| {
            let same = match (tracks.get(*at), tracks.get(*other)) {
                (Some(a), Some(b)) => same_bond(a, b),
                _ => false,
            };
            other != at && same && (rate(*other), at) > (rate(*at), other)
        };
        !all.iter().any(better)
    });
}

/// The rate of a rail in one direction; `None` for a dead one, which counts as nothing.
pub(super) type Rates<'a> = &'a dyn Fn(&Rail) -> Option<Reading<f64>>;

/// The balance of one direction, and the shares of the rails.
pub(super) fn direction(
    group: &Group,
    rails: &[Rail],
    tracks: &[Track],
    floor: f64,
    rates: Rates<'_>,
) -> (BalanceSide, Vec<Figure>) {
    let members = || group.rails.iter().filter_map(|r| Some((*r, rails.get(*r)?)));
    let bonded: Vec<&Track> = group.rails.iter().filter_map(|r| tracks.get(*r)).collect();
    let take_turns =
        bonded.iter().enumerate().any(|(i, a)| bonded.iter().skip(i + 1).any(|b| same_bond(a, b)));
    if take_turns {
        let why = Unknown::new(Why::NotApplicable, "an active-backup bond uses one member");
        return balance::unknown_side(&why, None, group.rails.len());
    }
    let parts: Vec<Part> = members()
        .map(|(place, rail)| Part {
            rail: place,
            rate: rates(rail),
            weight: match alive(rail) {
                Some(false) => rail.last_active_rate,
                _ => rail.limits.ceiling_bits_per_second.ok().copied().or(rail.last_active_rate),
            },
        })
        .collect();
    let name = |r: usize| rails.get(r).map_or_else(String::new, |r| r.name.to_string());
    balance::side(&parts, floor, name)
}

/// A rate that is too old to be compared is not known.
fn measured(figure: &Figure) -> Reading<f64> {
    match &figure.qualified {
        Some(q) if q.how == How::Stale => Err(Unknown::new(Why::Timeout, q.detail.clone())),
        _ => figure.value.clone(),
    }
}
