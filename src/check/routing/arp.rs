//! Who answers for an address, and which address is announced: rp_filter, arp_*.

use super::cause::{Kind, State};
use super::plan::{Plan, verify};
use super::scene::{Addr, Iface, Scene, Set};
use super::tell::{Told, listed};
use super::{Judged, lines};
use crate::check::Severity;
use crate::check::catalogue::routing as id;
use crate::fib::{ArpAnswer, ReversePath};
use crate::sample::{Family, Reading, SysctlIf, Text};

type Get = fn(&SysctlIf) -> &Reading<i64>;

/// All findings about ARP. IPv6 has neither such filters nor such answers.
pub(super) fn find(scene: &Scene<'_>, judged: &mut Judged, plan: &Plan<'_, '_>) -> Vec<Told> {
    let mut told = Vec::new();
    for (place, set) in scene.sets.iter().enumerate() {
        let arping: Vec<usize> = set
            .ifaces
            .iter()
            .copied()
            .filter(|&i| scene.iface(i).is_some_and(Iface::does_arp))
            .collect();
        if set.prefix.family() != Family::Inet || arping.is_empty() {
            continue;
        }
        if let Some(gap) = unknown(scene, &arping) {
            judged.gaps.push(gap);
            continue;
        }
        let view = SetView { scene, judged, plan, set, place, arping: &arping };
        told.extend(view.reverse_path());
        if arping.len() > 1 {
            told.extend(view.flux());
            told.extend(view.announce());
        }
    }
    told
}

/// The sysctls that were not read.
fn unknown(scene: &Scene<'_>, ifaces: &[usize]) -> Option<(String, String)> {
    let keys: [(&str, Get); 3] = [
        ("rp_filter", |s| &s.rp_filter),
        ("arp_ignore", |s| &s.arp_ignore),
        ("arp_announce", |s| &s.arp_announce),
    ];
    let ifaces = || ifaces.iter().filter_map(|&i| scene.iface(i));
    let missing: Vec<&str> = keys
        .iter()
        .filter(|(_, get)| ifaces().any(|i| scene.fib.max_conf(i.index, get).is_none()))
        .map(|(name, _)| *name)
        .collect();
    if missing.is_empty() {
        return None;
    }
    let what = format!("ARP of {}", listed(ifaces().map(Iface::name)));
    Some((what, format!("{} not known", listed(missing))))
}

struct SetView<'s, 'a> {
    scene: &'s Scene<'a>,
    judged: &'s Judged,
    plan: &'s Plan<'s, 'a>,
    set: &'s Set,
    place: usize,
    arping: &'s [usize],
}

impl SetView<'_, '_> {
    fn addrs(&self) -> impl Iterator<Item = (usize, &Addr)> {
        self.set.addrs.iter().filter_map(|&a| Some((a, self.scene.addr(a)?)))
    }

    fn effective(&self, iface: usize, get: Get) -> i64 {
        let index = self.scene.iface(iface).map_or(0, |i| i.index);
        self.scene.fib.max_conf(index, get).unwrap_or(0)
    }

    fn is_right(&self, addr: usize) -> bool {
        matches!(self.judged.states.get(addr), Some(State::Right { .. }))
    }

    /// Why packets from an address go astray, if they do.
    fn root(&self, addr: usize) -> Option<&'static str> {
        match self.judged.states.get(addr)? {
            State::Wrong(cause) => match cause.kind {
                Kind::Unbound => self.judged.unbound.get(&self.place).copied(),
                kind => kind.id(),
            },
            _ => None,
        }
    }

    /// The cause that all rails of the set have in common: its remedy sets the sysctls too.
    fn root_of_set(&self) -> Option<&'static str> {
        self.set.addrs.iter().find_map(|&a| match self.judged.states.get(a) {
            Some(State::Wrong(cause)) if cause.kind.is_of_set() => cause.kind.id(),
            _ => None,
        })
    }

    /// Values as they are set, those of `all` first: the higher one counts.
    fn values(&self, ifaces: &[usize], name: &str, get: Get) -> Vec<Text> {
        let sysctls = &self.scene.node.sysctls;
        let line = |of: &str| lines::sysctl(of, name, get(sysctls.interface(of)?));
        let names = ifaces.iter().filter_map(|&i| self.scene.iface(i)).map(|i| i.name().as_str());
        std::iter::once("all").chain(names).filter_map(line).collect()
    }

    /// Other rails that answer ARP for an address.
    fn others_that_answer(&self, addr: &Addr) -> Vec<usize> {
        let others = self.arping.iter().copied().filter(|&i| i != addr.iface);
        others
            .filter(|&other| {
                let Some(rail) = self.scene.iface(other) else { return false };
                addr.ways.iter().any(|w| {
                    self.scene.fib.arp_answer(rail.index, addr.ip, w.probe.ip) == ArpAnswer::Answers
                })
            })
            .collect()
    }

    /// Strict filtering where the way back is another rail's.
    fn reverse_path(&self) -> Vec<Told> {
        let mut told: Vec<Told> = Vec::new();
        for (at, addr) in self.addrs() {
            if self.is_right(at) || !self.arping.contains(&addr.iface) {
                continue;
            }
            let Some(iface) = self.scene.iface(addr.iface) else { continue };
            let strict = self.effective(addr.iface, |s| &s.rp_filter) == 1;
            let dropped = addr.ways.iter().find(|w| {
                use ReversePath::{DropNoRoute, DropStrict};
                let verdict = self.scene.fib.reverse_path(w.probe.ip, addr.ip, iface.index);
                matches!(verdict, DropStrict | DropNoRoute)
            });
            let Some(way) = dropped.filter(|_| strict) else { continue };
            let silent = self.effective(addr.iface, |s| &s.arp_ignore) >= 1
                && self.others_that_answer(addr).is_empty();
            let by = super::leaves_by(self.scene, &way.decision.outcome)
                .unwrap_or_else(|| "no device".into());
            let name = iface.name();
            let (id, what) = if silent {
                let words = format!(
                    "no rail answers ARP for {}: {name} drops the requests (rp_filter 1, the way \
                     back leaves by {by}), the others keep silent",
                    addr.ip
                );
                (id::RPF_ARP_DEADLOCK, words)
            } else {
                let words = format!(
                    "rp_filter 1 on {name}{} drops what peers send to {} there: the way back leaves \
                     by {by}",
                    self.origin(addr.iface),
                    addr.ip
                );
                (id::RPF_STRICT_ASYM, words)
            };
            let known = told.iter_mut().find(|t| {
                t.found.finding.id == id && t.found.rails == self.scene.rails_of(&[addr.iface])
            });
            if known.is_some() {
                continue;
            }
            let mut seen = self.values(&[addr.iface], "rp_filter", |s| &s.rp_filter);
            if silent {
                seen.extend(self.values(&[addr.iface], "arp_ignore", |s| &s.arp_ignore));
            }
            let line =
                super::way_line(self.scene, Some(addr.ip), way.probe.ip, &way.decision.outcome);
            told.push(
                Told::new(self.scene, id, Severity::Critical, &[addr.iface], what)
                    .seen(seen)
                    .seen(line)
                    .mended(self.plan.source_routing(addr))
                    .proven(verify(self.scene, addr))
                    .because(self.root(at)),
            );
        }
        told
    }

    /// " (all=1)" where the value is not the interface's own.
    fn origin(&self, iface: usize) -> String {
        let sysctls = &self.scene.node.sysctls;
        let of = |name: &str| sysctls.interface(name).and_then(|s| s.rp_filter.clone().ok());
        let own = self.scene.iface(iface).and_then(|i| of(i.name()));
        match (of("all"), own) {
            (Some(1), Some(1)) | (None, _) => String::new(),
            (Some(1), _) => " (all=1)".to_owned(),
            _ => String::new(),
        }
    }

    /// Rails that answer for the addresses of others.
    fn flux(&self) -> Option<Told> {
        // (address, the rail that answers for it)
        let pairs: Vec<(usize, &Addr, usize)> = self
            .addrs()
            .filter(|(_, a)| self.arping.contains(&a.iface))
            .flat_map(|(at, a)| self.others_that_answer(a).into_iter().map(move |o| (at, a, o)))
            .collect();
        let (first_at, first, other) = *pairs.first()?;
        let filters = |iface: usize| {
            self.effective(iface, |s| &s.arp_filter) != 0
                || self.effective(iface, |s| &s.rp_filter) == 1
        };
        let by_filter = pairs.iter().all(|(_, _, o)| self.effective(*o, |s| &s.arp_filter) != 0);
        let rdma = self.scene.any_rail(self.arping, |r| r.rdma.is_some());
        let name = |i: usize| self.scene.iface(i).map(|i| i.name().clone()).unwrap_or_default();
        let all_right = self.set.addrs.iter().all(|&a| self.is_right(a));
        let remedy = if all_right {
            let mut changes =
                self.plan.sysctl_at_least(self.set, "arp_ignore", 1, |s| s.arp_ignore.clone().ok());
            changes.extend(self.plan.flush_peers(self.set));
            changes
        } else {
            // arp_ignore alone would silence a rail whose way back is another's.
            self.plan.one_subnet(self.set)
        };
        let (id, severity, what) = if by_filter {
            let words = format!(
                "arp_filter 1 without source rules: {} answers ARP for {} of {}, and {} does not",
                name(other),
                first.ip,
                name(first.iface),
                name(first.iface)
            );
            (id::ARP_FILTER_WITHOUT_RULES, Severity::Critical, words)
        } else {
            let words = format!(
                "{} answers ARP for {} of {}: peers send to the wrong rail, RDMA CM rejects them",
                name(other),
                first.ip,
                name(first.iface)
            );
            let severity = if rdma { Severity::Critical } else { Severity::Warning };
            (id::ARP_FLUX_IGNORE, severity, words)
        };
        // With the way right, these filters would keep the other rails silent.
        let follows = pairs.iter().all(|(at, _, o)| !self.is_right(*at) && filters(*o));
        let root = self.root_of_set().or(self.root(first_at).filter(|_| follows));
        let mut seen = self.values(self.arping, "arp_ignore", |s| &s.arp_ignore);
        if by_filter {
            seen.extend(self.values(self.arping, "arp_filter", |s| &s.arp_filter));
        }
        Some(
            Told::new(self.scene, id, severity, self.arping, what)
                .seen(seen)
                .mended(remedy)
                .because(root),
        )
    }

    /// Requests that carry another rail's address.
    fn announce(&self) -> Option<Told> {
        let low: Vec<usize> = self
            .arping
            .iter()
            .copied()
            .filter(|&i| self.effective(i, |s| &s.arp_announce) < 2)
            .collect();
        if low.is_empty() {
            return None;
        }
        let names = listed(low.iter().filter_map(|&i| self.scene.iface(i)).map(Iface::name));
        let verb = if low.len() == 1 { "asks" } else { "ask" };
        let what = format!(
            "{names} {verb} for peers with the address of another rail (arp_announce below 2): peers \
             learn the wrong hardware address"
        );
        let remedy =
            self.plan.sysctl_at_least(self.set, "arp_announce", 2, |s| s.arp_announce.clone().ok());
        Some(
            Told::new(self.scene, id::ARP_FLUX_ANNOUNCE, Severity::Warning, &low, what)
                .seen(self.values(&low, "arp_announce", |s| &s.arp_announce))
                .mended(remedy)
                .because(self.root_of_set()),
        )
    }
}
