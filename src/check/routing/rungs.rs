//! The rungs rule, table and neighbour of each rail's ladder.

use super::cause::{Kind, State};
use super::scene::{Addr, Scene};
use super::{Judged, lines};
use crate::check::Verdict;
use crate::fib::Outcome;
use crate::sample::{Family, Text};

/// What the three rungs of a rail say, before findings decide.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::check) struct Rungs {
    pub rule: Option<(Verdict, Text)>,
    pub table: Option<(Verdict, Text)>,
    pub neighbour: Option<(Verdict, Text)>,
}

type Said = Option<(Verdict, Text)>;

#[expect(clippy::unnecessary_wraps, reason = "a rung that is judged")]
fn said(verdict: Verdict, detail: impl Into<Text>) -> Said {
    Some((verdict, detail.into()))
}

/// One per rail: of its first address that has peers.
pub(super) fn of_rails(scene: &Scene<'_>, judged: &Judged) -> Vec<Rungs> {
    (0..scene.node.rails.len()).map(|rail| of_rail(scene, judged, rail)).collect()
}

fn of_rail(scene: &Scene<'_>, judged: &Judged, rail: usize) -> Rungs {
    let own = |a: &Addr| scene.iface(a.iface).is_some_and(|i| i.rails.contains(&rail));
    let mut addrs = scene.addrs.iter().zip(&judged.states).filter(|(a, _)| own(a));
    let first = addrs.find(|(_, s)| !matches!(s, State::NotAsked));
    let Some((addr, state)) = first else { return Rungs::default() };
    Rungs {
        rule: rule(scene, addr, state),
        table: table(scene, addr, state),
        neighbour: neighbour(scene, judged, addr),
    }
}

fn rule(scene: &Scene<'_>, addr: &Addr, state: &State) -> Said {
    let rules = scene.rules(addr.family());
    let line = |at: usize| rules.get(at).map(|r| lines::rule(scene, r));
    let own = match state {
        State::Right { rule } => *rule,
        State::Wrong(cause) => match cause.kind {
            Kind::TableEmpty { rule, .. }
            | Kind::Shadowed { rule, .. }
            | Kind::WrongDev { rule, .. }
            | Kind::NoConnected { rule: Some(rule), .. } => Some(rule),
            _ => None,
        },
        State::Unknown(why) => return said(Verdict::Unknown, why.to_string()),
        State::NotAsked => return None,
    };
    if scene.iface(addr.iface).is_some_and(|i| i.vrf.is_some()) {
        return said(Verdict::NotApplicable, "the VRF decides");
    }
    match own.and_then(line) {
        Some(line) => said(Verdict::Ok, line),
        None if matches!(state, State::Right { .. }) && is_shared(scene, addr) => {
            said(Verdict::Ok, format!("none for {}: main decides", addr.ip))
        }
        None if matches!(state, State::Right { .. }) => {
            said(Verdict::Ok, format!("none for {}, none needed", addr.ip))
        }
        None => said(Verdict::NotApplicable, format!("none for {}", addr.ip)),
    }
}

fn table(scene: &Scene<'_>, addr: &Addr, state: &State) -> Said {
    let way = addr.ways.first()?;
    let outcome = &way.decision.outcome;
    let words = match outcome {
        Outcome::Send { table, .. } => {
            let by = super::leaves_by(scene, outcome).unwrap_or_default();
            format!("{}: {} by {by}", lines::table(scene, *table), addr.prefix)
        }
        Outcome::Refuse { errno, .. } => format!("{} refused: {errno}", addr.prefix),
        Outcome::Unknown(why) => why.to_string(),
        _ => format!("no route to {}", addr.prefix),
    };
    let verdict = match state {
        State::Right { .. } => Verdict::Ok,
        _ => Verdict::Unknown,
    };
    said(verdict, words)
}

/// Another rail is in the same subnet.
fn is_shared(scene: &Scene<'_>, addr: &Addr) -> bool {
    scene.sets.iter().any(|s| s.is_shared() && s.ifaces.contains(&addr.iface))
}

fn neighbour(scene: &Scene<'_>, judged: &Judged, addr: &Addr) -> Said {
    let iface = scene.iface(addr.iface)?;
    if addr.family() == Family::Inet6 {
        return said(Verdict::Ok, "the owner of an IPv6 address answers");
    }
    if !iface.does_arp() {
        return said(Verdict::NotApplicable, "no ARP on this link");
    }
    let gap = judged.gaps.iter().find(|(what, _)| what.contains(iface.name().as_str()));
    if let Some((_, why)) = gap {
        return said(Verdict::Unknown, why.as_str());
    }
    if is_shared(scene, addr) {
        said(Verdict::Ok, "answers for its own addresses, announces its own")
    } else {
        said(Verdict::Ok, format!("alone in {}", addr.prefix))
    }
}
