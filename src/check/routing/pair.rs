//! What the data of two nodes decide together.
//!
//! Each node alone may look well: that the other one has a longer prefix, another MTU, no source
//! rules, or an address of this one shows only side by side. Findings are about this node's
//! rails; where the other node is to be mended, the commands say so.

mod wire;

use super::cause::State;
use super::plan::Plan;
use super::scene::{Addr, Iface, Scene, Set};
use super::tell::{Told, few};
use super::{Judged, Routed};
use crate::check::catalogue::routing as id;
use crate::check::peers::Peers;
use crate::check::{NotChecked, Severity, Where};
use crate::fib::{Decision, ReversePath};
use crate::fix::{Action, Change};
use crate::node::Node;
use crate::sample::{Prefix, Text};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// RT_SCOPE_LINK.
const RT_SCOPE_LINK: u8 = 253;

fn addresses(node: &Node) -> impl Iterator<Item = Prefix> {
    let all = node.rails.iter().flat_map(|r| &r.addresses);
    all.filter(|a| a.scope < RT_SCOPE_LINK).map(|a| a.prefix)
}

/// The addresses of another node that this one is to reach. One that is out of reach because the
/// prefix here is longer than the one there is told with its remedy by [`compare`].
pub(in crate::check) fn to_reach(node: &Node, other: &Node) -> Vec<IpAddr> {
    let own: Vec<Prefix> = addresses(node).collect();
    let told = |theirs: &Prefix| {
        let mine = own.iter().filter(|p| theirs.contains(p.addr));
        let mut narrower = mine.filter(|p| !p.contains(theirs.addr));
        narrower.next().is_some()
    };
    let is_own = |theirs: &Prefix| own.iter().any(|p| p.addr == theirs.addr);
    addresses(other).filter(|p| !told(p) && !is_own(p)).map(|p| p.addr).collect()
}

/// Adds what two nodes decide to the judgement of the first.
pub(in crate::check) fn compare(node: &Node, other: &Node, peers: &Peers, routed: &mut Routed) {
    let named = other.host.name.as_ref().ok().filter(|name| node.host.name.as_ref() != Ok(name));
    let name = named.map_or("the peer", Text::as_str);
    let gap =
        |why: &str| NotChecked { what: format!("this node beside {name}").into(), why: why.into() };
    let (mine, theirs): (BTreeSet<Prefix>, BTreeSet<Prefix>) =
        (addresses(node).collect(), addresses(other).collect());
    if !mine.is_empty() && mine == theirs {
        routed.not_checked.push(gap("it has all addresses of this node: a capture of this node?"));
        return;
    }
    let here = addresses(node).map(|p| p.addr).collect::<Vec<_>>();
    let told = super::look_at(node, peers, |scene, judged| {
        super::look_at(other, &Peers::default().and(here), |there, theirs| {
            Pair {
                here: Side { scene, judged, plan: Plan::new(scene), name: "this node" },
                there: Side { scene: there, judged: theirs, plan: Plan::new(there), name },
            }
            .find()
        })
    });
    match told {
        Some(Some(told)) if !told.apart => routed.told.extend(told.told),
        Some(Some(_)) => {
            routed.not_checked.push(gap("no rail of the two is in one subnet"));
        }
        Some(None) => routed.not_checked.push(gap("its links are not known")),
        None => routed.not_checked.push(gap("the links here are not known")),
    }
}

/// What was found of two nodes.
struct Compared {
    told: Vec<Told>,
    /// They share no subnet: there was nothing to compare.
    apart: bool,
}

struct Side<'s, 'a> {
    scene: &'s Scene<'a>,
    judged: &'s Judged,
    plan: Plan<'s, 'a>,
    name: &'s str,
}

/// From an address of one side to one of the other.
struct Way<'s> {
    from: &'s Addr,
    place: usize,
    to: &'s Addr,
    decision: Decision,
}

impl<'s, 'a> Side<'s, 'a> {
    fn addrs(&self, set: &Set) -> impl Iterator<Item = (usize, &'s Addr)> {
        let scene = self.scene;
        set.addrs.clone().into_iter().filter_map(move |a| Some((a, scene.addr(a)?)))
    }

    fn ifaces(&self, set: &Set) -> impl Iterator<Item = (usize, &'s Iface<'a>)> {
        let scene = self.scene;
        set.ifaces.clone().into_iter().filter_map(move |i| Some((i, scene.iface(i)?)))
    }

    /// The name of the interface of an address.
    fn dev(&self, addr: &Addr) -> Text {
        self.scene.iface(addr.iface).map(|i| i.name().clone()).unwrap_or_default()
    }

    fn is_right(&self, way: &Way<'_>) -> bool {
        let own = self.scene.iface(way.from.iface).map(|i| i.index);
        way.decision.outcome.device() == own
    }

    /// It leaves by another rail.
    fn is_astray(&self, way: &Way<'_>) -> bool {
        let by = way.decision.outcome.device();
        !self.is_right(way) && by.is_some_and(|by| self.scene.rail_iface(by).is_some())
    }

    /// Why packets from an address go astray, as this side's own judgement has it.
    fn root(&self, place: usize) -> Option<&'static str> {
        match self.judged.states.get(place)? {
            State::Wrong(cause) => cause.kind.id(),
            _ => None,
        }
    }
}

struct Pair<'s, 'a, 'b> {
    here: Side<'s, 'a>,
    there: Side<'s, 'b>,
}

impl Pair<'_, '_, '_> {
    fn find(&self) -> Compared {
        let mut told = Vec::new();
        let overlap =
            |a: &Set, b: &Set| a.prefix.contains(b.prefix.addr) || b.prefix.contains(a.prefix.addr);
        let sets = self.here.scene.sets.iter().flat_map(|a| {
            let others = self.there.scene.sets.iter().filter(move |b| overlap(a, b));
            others.map(move |b| (a, b))
        });
        let sets: Vec<(&Set, &Set)> = sets.collect();
        let mut sized: Vec<&Vec<usize>> = Vec::new();
        for (a, b) in &sets {
            told.extend(self.same_address(a, b));
            told.extend(self.lengths(a, b));
            told.extend(self.asymmetry(a, b));
            told.extend(self.neighbours(a, b));
            // Both families share the link: told once.
            if !sized.contains(&&a.ifaces) {
                sized.push(&a.ifaces);
                told.extend(self.mtu(a, b));
            }
        }
        Compared { told, apart: sets.is_empty() }
    }

    fn tell(&self, id: &'static str, severity: Severity, set: &Set, what: String) -> Told {
        Told::new(self.here.scene, id, severity, &set.ifaces, what)
    }

    fn same_address(&self, a: &Set, b: &Set) -> Option<Told> {
        let host = |p: &Prefix| p.len == if p.addr.is_ipv4() { 32 } else { 128 };
        let twice = self.here.addrs(a).find_map(|(_, x)| {
            let other = self.there.addrs(b).find(|(_, y)| y.ip == x.ip && !host(&y.prefix))?;
            (!host(&x.prefix)).then_some((x, other.1))
        });
        let (x, y) = twice?;
        let what = format!(
            "{} is an address of {} here and of {} on {}: who gets the packets is chance",
            x.ip,
            self.here.dev(x),
            self.there.dev(y),
            self.there.name
        );
        Some(
            Told::new(self.here.scene, id::ADDR_DUP_PEER, Severity::Critical, &[x.iface], what)
                .seen([
                    side_line("this node", &self.here.dev(x), x),
                    side_line(self.there.name, &self.there.dev(y), y),
                ]),
        )
    }

    /// Prefix lengths that differ: one side's prefix may not hold the other's address.
    fn lengths(&self, a: &Set, b: &Set) -> Option<Told> {
        let pairs: Vec<(&Addr, &Addr)> = self
            .here
            .addrs(a)
            .flat_map(|(_, x)| self.there.addrs(b).map(move |(_, y)| (x, y)))
            .filter(|(x, y)| x.prefix.len != y.prefix.len && x.ip != y.ip)
            .collect();
        let (first, other) = *pairs.first()?;
        let lines = [
            side_line("this node", &self.here.dev(first), first),
            side_line(self.there.name, &self.there.dev(other), other),
        ];
        let short = |pick: fn(&(&Addr, &Addr)) -> (IpAddr, Prefix)| {
            pairs.iter().map(pick).find(|(ip, prefix)| !prefix.contains(*ip))
        };
        // The address of the other side is outside the prefix of this one.
        let out_of_here = short(|(x, y)| (y.ip, x.prefix));
        let out_of_there = short(|(x, y)| (x.ip, y.prefix));
        let narrow = |side: &str, prefix: Prefix, ip: IpAddr, other: &str| {
            format!(
                "{side} has {prefix} on its rails and does not reach {ip} of {other} by them: the prefix lengths differ"
            )
        };
        let (severity, what, remedy) = if let Some((ip, prefix)) = out_of_here {
            let what = narrow("this node", prefix, ip, self.there.name);
            (Severity::Warning, what, widen(&self.here, a, b.prefix.len))
        } else if let Some((ip, prefix)) = out_of_there {
            let what = narrow(self.there.name, prefix, ip, "this node");
            let remedy = widen(&self.there, b, a.prefix.len).into_iter().map(from_there);
            (Severity::Warning, what, remedy.collect())
        } else {
            let what = format!(
                "the rails' prefix has {} bits here and {} on {}: each reaches some hosts that the other \
                 does not",
                first.prefix.len, other.prefix.len, self.there.name
            );
            return Some(
                self.tell(id::PREFIX_LENGTH_MISMATCH, Severity::Note, a, what).seen(lines),
            );
        };
        Some(self.tell(id::RAIL_PEER_VIA_ETHERNET, severity, a, what).seen(lines).mended(remedy))
    }

    fn ways<'w>(from: &'w Side<'w, '_>, a: &Set, to: &'w Side<'w, '_>, b: &Set) -> Vec<Way<'w>> {
        let pairs =
            from.addrs(a).flat_map(|(place, x)| to.addrs(b).map(move |(_, y)| (place, x, y)));
        pairs
            .filter(|(_, x, y)| x.prefix.contains(y.ip) && y.prefix.contains(x.ip) && x.ip != y.ip)
            .map(|(place, from_addr, y)| Way {
                decision: from.scene.decide(from_addr.iface, Some(from_addr.ip), y.ip),
                from: from_addr,
                place,
                to: y,
            })
            .collect()
    }

    /// Packets there and back take different rails, because one side has no source rules.
    fn asymmetry(&self, a: &Set, b: &Set) -> Option<Told> {
        let out = Self::ways(&self.here, a, &self.there, b);
        let back = Self::ways(&self.there, b, &self.here, a);
        let here_right = out.iter().all(|w| self.here.is_right(w));
        let there_right = back.iter().all(|w| self.there.is_right(w));
        if here_right == there_right {
            return None;
        }
        let (lacking, ways, other) =
            if there_right { (true, &out, &self.there) } else { (false, &back, &self.here) };
        if lacking {
            self.lacks(&self.here, ways, a, other, a)
        } else {
            self.lacks(&self.there, ways, b, other, a)
        }
    }

    /// The side that lacks the rules.
    fn lacks(
        &self,
        side: &Side<'_, '_>,
        ways: &[Way<'_>],
        set: &Set,
        other: &Side<'_, '_>,
        rails: &Set,
    ) -> Option<Told> {
        let astray: Vec<&Way<'_>> = ways.iter().filter(|w| side.is_astray(w)).collect();
        let first = *astray.first()?;
        let by = super::leaves_by(side.scene, &first.decision.outcome)?;
        // What the other side sends to this address arrives on its own rail, and is judged there.
        let index = side.scene.iface(first.from.iface).map_or(0, |i| i.index);
        let verdict = side.scene.fib.reverse_path(first.to.ip, first.from.ip, index);
        let drops = matches!(verdict, ReversePath::DropStrict | ReversePath::DropNoRoute);
        let sources = few(distinct(astray.iter().map(|w| w.from.ip)));
        let dropped = if drops { ", and what arrives there is dropped (rp_filter 1)" } else { "" };
        let what = format!(
            "{} sends from {sources} to {} by {by}, not by the rail of the address; {} has source \
             rules{dropped}",
            side.name,
            if other.name == "this node" { "here" } else { other.name },
            if other.name == "this node" { "this node" } else { other.name },
        );
        let severity = if drops { Severity::Critical } else { Severity::Warning };
        let own = side.name == self.here.name;
        let remedy = side.plan.one_subnet(set).into_iter();
        let remedy = remedy.map(|c| if own { c } else { from_there(c) });
        let seen = astray.iter().take(4).filter_map(|w| {
            let line = super::way_line(side.scene, Some(w.from.ip), w.to.ip, &w.decision.outcome)?;
            Some(Text::from(format!("{}: {line}", side.name)))
        });
        let told = self.tell(id::PEER_ASYMMETRY, severity, rails, what).seen(seen);
        let cause = astray.iter().find_map(|w| side.root(w.place)).filter(|_| own);
        Some(told.mended(remedy.collect()).because(cause))
    }
}

/// A change as the other side sees it.
fn from_there(change: Change) -> Change {
    match change.place {
        Where::Here => Change::peer(change.action),
        Where::Peer => Change::here(change.action),
    }
}

fn distinct<T: PartialEq + ToString>(all: impl IntoIterator<Item = T>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for one in all.into_iter().map(|one| one.to_string()) {
        if !kept.contains(&one) {
            kept.push(one);
        }
    }
    kept
}

/// `oss07: ib0 172.16.16.1/24`.
fn side_line(host: &str, dev: &str, addr: &Addr) -> Text {
    format!("{host}: {dev} {}/{}", addr.ip, addr.prefix.len).into()
}

/// The shorter length on every rail of a set; tables that rules lead to get the wider route too.
fn widen(side: &Side<'_, '_>, set: &Set, len: u8) -> Vec<Change> {
    let mut changes = Vec::new();
    for (place, addr) in side.addrs(set).filter(|(_, a)| a.prefix.len > len) {
        let dev = side.dev(addr);
        let with = |len, remove| {
            let prefix = Prefix { addr: addr.ip, len };
            Change::here(Action::Address { prefix, dev: dev.clone(), remove })
        };
        changes.extend([with(len, false), with(addr.prefix.len, true)]);
        let ruled = matches!(side.judged.states.get(place), Some(State::Right { rule: Some(_) }));
        if set.is_shared() || ruled {
            let wider = Prefix { addr: addr.ip, len }.network();
            changes.extend(side.plan.source_routing_to(addr, wider));
        }
    }
    changes
}
