//! How the NIs of a net share its load: by messages as LNet counts them, and by bytes as the
//! ports count them. The two differ where messages differ in size, or where something else than
//! LNet uses the ports; so they stand side by side and neither is derived from the other.

use super::nis::NiFigures;
use crate::node::{Figure, Presence, Rail};
use crate::sample::{Fact, How, Text, Unknown, Why};

/// Fewer messages than these between two answers say nothing of a share.
const LEAST_MESSAGES: f64 = 100.0;
/// Less than this on all ports of a net together is no load, bytes per second.
const LEAST_BYTES: f64 = 1e6;

/// A net of LNet.
#[derive(Clone, Debug, PartialEq)]
pub struct NetFigures {
    /// Its name.
    pub name: Text,
    /// Messages per second of all its NIs, both directions.
    pub messages_per_second: Figure,
    /// Bytes per second of the ports that its NIs are on, both directions: everything that uses
    /// them, not LNet alone.
    pub port_bytes_per_second: Figure,
}

/// Computes the shares of all NIs; the totals per net.
pub(super) fn compute(nis: &mut [NiFigures], rails: &[Rail]) -> Vec<NetFigures> {
    let mut names: Vec<Text> = Vec::new();
    for ni in &*nis {
        if !names.contains(&ni.net) {
            names.push(ni.net.clone());
        }
    }
    names
        .into_iter()
        .map(|name| {
            let mut own: Vec<&mut NiFigures> = nis.iter_mut().filter(|n| n.net == name).collect();
            of_net(name, &mut own, rails)
        })
        .collect()
}

fn of_net(name: Text, nis: &mut [&mut NiFigures], rails: &[Rail]) -> NetFigures {
    let seconds = nis.iter().filter_map(|ni| ni.interval).max().unwrap_or_default().as_secs_f64();
    let few = Floor {
        least: if seconds > 0.0 { LEAST_MESSAGES / seconds } else { f64::INFINITY },
        words: format!("fewer than {LEAST_MESSAGES} messages in {seconds:.1} s"),
    };
    let both = |ni: &NiFigures| sum([&ni.sent.per_second, &ni.received.per_second]);
    let parts = parts(nis, both);
    let (messages_per_second, shares) = divide(&parts, &few);
    for (ni, share) in nis.iter_mut().zip(shares) {
        ni.message_share_ratio = share;
    }
    let asked = |ni: &NiFigures| {
        let [put, get, ..] = &ni.sent.kinds;
        sum([put, get])
    };
    let (_, shares) = divide(&self::parts(nis, asked), &few);
    for (ni, share) in nis.iter_mut().zip(shares) {
        ni.request_share_ratio = share;
    }
    let port_bytes_per_second = bytes(nis, rails);
    NetFigures { name, messages_per_second, port_bytes_per_second }
}

fn parts(nis: &[&mut NiFigures], of: impl Fn(&NiFigures) -> Figure) -> Vec<(Text, Figure)> {
    nis.iter().map(|ni| (ni.nid.clone(), of(ni))).collect()
}

/// The bytes of each rail are counted once, however many NIs of the net are on it.
fn bytes(nis: &mut [&mut NiFigures], rails: &[Rail]) -> Figure {
    let on = |nid: &Text| rails.iter().position(|r| r.lnet.iter().any(|own| own.ni.nid == *nid));
    let places: Vec<Option<usize>> = nis.iter().map(|ni| on(&ni.nid)).collect();
    let mut used: Vec<usize> = places.iter().flatten().copied().collect();
    used.sort_unstable();
    used.dedup();
    let ports: Vec<(Text, Figure)> = used
        .iter()
        .filter_map(|at| rails.get(*at))
        .map(|rail| (rail.name.clone(), port_bytes(rail)))
        .collect();
    let floor = Floor {
        least: LEAST_BYTES,
        words: format!("the ports carry less than {:.0} MB/s", LEAST_BYTES / 1e6),
    };
    let (total, shares) = divide(&ports, &floor);
    let stray = places.iter().position(Option::is_none).and_then(|at| nis.get(at));
    let stray = stray.map(|ni| format!("{} is on no rail: its bytes are not counted", ni.nid));
    for (ni, place) in nis.iter_mut().zip(&places) {
        let place = place.and_then(|at| used.iter().position(|u| *u == at));
        ni.byte_share_ratio = match (place.and_then(|at| shares.get(at)), &stray) {
            (None, _) => Fact::unknown(Why::Absent, format!("{} is on no rail", ni.nid)),
            (Some(_), Some(words)) => Fact::unknown(Why::Absent, words.as_str()),
            (Some(share), None) => share.clone(),
        };
    }
    // Two NIs of one net on one port: what each of them moved cannot be told.
    for at in &used {
        let own = || places.iter().filter(|p| **p == Some(*at));
        if own().count() > 1 {
            for (ni, place) in nis.iter_mut().zip(&places) {
                if *place == Some(*at) {
                    let share = ni.byte_share_ratio.clone();
                    ni.byte_share_ratio = share.qualified(How::Estimate, "several NIs on its port");
                }
            }
        }
    }
    match stray {
        Some(words) => total.qualified(How::Estimate, words),
        None => total,
    }
}

/// Both directions of a port; a rail that is gone carries nothing.
fn port_bytes(rail: &Rail) -> Figure {
    if rail.presence != Presence::Present {
        return Fact::known(0.0);
    }
    sum([&rail.rx.bytes_per_second, &rail.tx.bytes_per_second])
}

/// The sum of figures that are all known, with the weakness of the first weak one.
pub(super) fn sum<'a>(figures: impl IntoIterator<Item = &'a Figure>) -> Figure {
    let (mut total, mut qualified) = (0.0, None);
    for figure in figures {
        match &figure.value {
            Ok(value) => total += value,
            Err(unknown) => return Err(unknown.clone()).into(),
        }
        qualified = qualified.or_else(|| figure.qualified.clone());
    }
    Fact { value: Ok(total), qualified }
}

/// Below what a share says nothing, and why.
struct Floor {
    least: f64,
    words: String,
}

/// The total of some parts, and what part of it each is. One that is not known leaves all shares
/// unknown: what it carries is missing in the whole.
fn divide(parts: &[(Text, Figure)], floor: &Floor) -> (Figure, Vec<Figure>) {
    let none = |unknown: Unknown| vec![Figure::from(Err(unknown)); parts.len()];
    let unknown = parts.iter().find_map(|(name, part)| Some((name, part.value.as_ref().err()?)));
    if let Some((name, unknown)) = unknown {
        let why = Unknown::new(unknown.why, format!("{name}: {}", unknown.detail));
        return (Err(why.clone()).into(), none(why));
    }
    let total = sum(parts.iter().map(|(_, part)| part));
    let Some(whole) = total.ok().copied().filter(|t| *t > 0.0 && *t >= floor.least) else {
        return (total, none(Unknown::new(Why::BelowFloor, floor.words.as_str())));
    };
    let share = |part: &Figure| Fact {
        value: part.value.clone().map(|value| value / whole),
        qualified: total.qualified.clone(),
    };
    let shares = parts.iter().map(|(_, part)| share(part)).collect();
    (total, shares)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FLOOR: f64 = 10.0;

    fn split(parts: &[Figure]) -> Vec<Figure> {
        let named: Vec<(Text, Figure)> =
            (0..).zip(parts).map(|(n, part)| (format!("ib{n}").into(), part.clone())).collect();
        divide(&named, &Floor { least: FLOOR, words: "too little".to_owned() }).1
    }

    #[test]
    fn an_unknown_part_leaves_every_share_unknown() {
        let shares = split(&[Fact::known(50.0), Fact::unknown(Why::Reset, "began anew")]);
        for share in &shares {
            let unknown = share.value.as_ref().unwrap_err();
            assert_eq!((unknown.why, &*unknown.detail), (Why::Reset, "ib1: began anew"));
        }
        assert_eq!(shares.len(), 2);
    }

    #[test]
    fn a_weak_part_makes_every_share_weak() {
        let weak = Fact::known(30.0).qualified(How::Stale, "old");
        let shares = split(&[Fact::known(10.0), weak]);
        assert_eq!(shares[0].value, Ok(0.25));
        assert!(shares.iter().all(|s| s.qualified.as_ref().is_some_and(|q| q.how == How::Stale)));
    }

    proptest! {
        #[test]
        fn shares_sum_to_one_or_say_nothing(parts in proptest::collection::vec(0.0f64..1e7, 0..12)) {
            let known: Vec<Figure> = parts.iter().copied().map(Fact::known).collect();
            let shares = split(&known);
            prop_assert_eq!(shares.len(), parts.len());
            if parts.iter().sum::<f64>() < FLOOR {
                let below = |s: &Figure| s.value.as_ref().is_err_and(|u| u.why == Why::BelowFloor);
                prop_assert!(shares.iter().all(below));
            } else {
                let sum: f64 = shares.iter().filter_map(Fact::ok).sum();
                prop_assert!((sum - 1.0).abs() < 1e-9);
                for (share, part) in shares.iter().zip(&parts) {
                    prop_assert_eq!(*share.ok().unwrap() > 0.0, *part > 0.0);
                }
            }
        }
    }
}
