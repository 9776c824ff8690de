//! What two nodes say of the wire between them: frame sizes, hardware addresses.

use super::super::lines;
use super::super::neighbours::port;
use super::super::scene::{Iface, Scene, Set};
use super::super::tell::{Told, listed};
use super::{Pair, Side, distinct, from_there};
use crate::check::Severity;
use crate::check::catalogue::routing as id;
use crate::fix::{Action, Change};
use crate::sample::{Family, Neighbour, Text};

/// NUD_INCOMPLETE, NUD_FAILED.
const NO_ANSWER: u16 = 0x01 | 0x20;

impl Pair<'_, '_, '_> {
    /// MTU of the rails that face each other.
    pub(super) fn mtu(&self, a: &Set, b: &Set) -> Option<Told> {
        let (mine, theirs): (Vec<_>, Vec<_>) =
            (self.here.ifaces(a).collect(), self.there.ifaces(b).collect());
        let facing: Vec<_> = if mine.len() == theirs.len() {
            mine.iter().zip(&theirs).collect()
        } else {
            mine.iter().flat_map(|m| theirs.iter().map(move |t| (m, t))).collect()
        };
        let mut rails: Vec<usize> = Vec::new();
        let (mut seen, mut remedy) = (Vec::new(), Vec::new());
        let mut modes = false;
        for ((place, here), (_, there)) in facing {
            let (Some(m), Some(t)) = (here.link.mtu, there.link.mtu) else { continue };
            if m == t {
                continue;
            }
            rails.push(*place);
            modes |= matches!((&here.link.ipoib_mode, &there.link.ipoib_mode), (Some(a), Some(b)) if a != b);
            seen.push(format!("{}: {} mtu {m}", self.here.name, here.name()));
            seen.push(format!("{}: {} mtu {t}", self.there.name, there.name()));
            let (iface, make): (_, fn(Action) -> Change) =
                if m > t { (*here, Change::here) } else { (*there, Change::peer) };
            let (mtu, before) = (m.min(t), Some(m.max(t)));
            remedy.push(make(Action::LinkMtu { dev: iface.name().clone(), mtu, before }));
        }
        let (first, second) = (seen.first()?.clone(), seen.get(1)?.clone());
        // One interface may face several: the smallest value is the one to set.
        remedy.sort_by_key(|c: &Change| (c.action.target(), least(&c.action)));
        remedy.dedup_by(|b, a| a.place == b.place && a.action.target() == b.action.target());
        rails.dedup();
        let what = format!(
            "{} have different MTU ({first}, {second}): larger packets vanish without an error",
            listed([self.here.name, self.there.name])
        );
        let severity = if modes { Severity::Note } else { Severity::Warning };
        Some(
            Told::new(self.here.scene, id::MTU_PEER_MISMATCH, severity, &rails, what)
                .seen(distinct(seen).into_iter().map(Text::from))
                .mended(remedy),
        )
    }

    /// Neighbour entries of one side that hold the hardware address of another interface of the
    /// other side.
    pub(super) fn neighbours(&self, a: &Set, b: &Set) -> Option<Told> {
        if a.prefix.family() != Family::Inet {
            return None;
        }
        if let Some((entry, owner, holder)) = wrong_port(self.here.scene, a, &self.there, b) {
            let what = format!(
                "{} of {} ({owner}) has the hardware address of its {holder} here: it answered on the \
                 wrong port",
                entry.dst, self.there.name
            );
            let dev = self.here.scene.dev(entry.ifindex);
            let mut remedy: Vec<Change> =
                self.there.plan.arp(b).into_iter().map(from_there).collect();
            remedy.push(Change::here(Action::NeighbourFlush { dev }));
            let told = self.tell(id::NEIGH_SHARED_LLADDR, Severity::Warning, a, what);
            return Some(told.seen([lines::neighbour(self.here.scene, entry)]).mended(remedy));
        }
        let (entry, owner, holder) = wrong_port(self.there.scene, b, &self.here, a)?;
        let what = format!(
            "{} has the hardware address of {holder} for {} of {owner}: this node answered on the \
             wrong port",
            self.there.name, entry.dst
        );
        let dev = self.there.scene.dev(entry.ifindex);
        let mut remedy: Vec<Change> = self.here.plan.arp(a);
        remedy.push(Change::peer(Action::NeighbourFlush { dev }));
        let told = self.tell(id::NEIGH_SHARED_LLADDR, Severity::Warning, a, what);
        Some(told.seen([lines::neighbour(self.there.scene, entry)]).mended(remedy))
    }
}

/// An entry of `scene` for an address of `other`, the interface that has the address, and the one
/// whose hardware address it is.
fn wrong_port<'a>(
    scene: &Scene<'a>,
    set: &Set,
    other: &Side<'_, '_>,
    others: &Set,
) -> Option<(&'a Neighbour, Text, Text)> {
    let hardware = |iface: &Iface<'_>| iface.link.address.as_deref().and_then(port);
    let on_set = |n: &&Neighbour| {
        n.state & NO_ANSWER == 0
            && scene.rail_iface(n.ifindex).is_some_and(|i| set.ifaces.contains(&i))
    };
    scene.routing.neighbours.iter().flatten().filter(on_set).find_map(|n| {
        let known = n.lladdr.as_deref().and_then(port)?;
        let (_, owner) = other.addrs(others).find(|(_, y)| y.ip == n.dst)?;
        let own = other.scene.iface(owner.iface)?;
        let holder = other.ifaces(others).find(|(_, i)| hardware(i).as_ref() == Some(&known))?.1;
        let right = hardware(own)? == known;
        (!right).then(|| (n, own.name().clone(), holder.name().clone()))
    })
}

fn least(action: &Action) -> u32 {
    match action {
        Action::LinkMtu { mtu, .. } => *mtu,
        _ => 0,
    }
}
