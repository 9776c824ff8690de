use super::*;
use crate::check::testkit::{answered, healthy, lnet_ni, peer_ni};
use crate::node::Node;
use crate::sample::{LnetAnswer, LnetGlobal, LnetNet, LnetPeer, LnetPeerNi};
use proptest::prelude::*;
use std::sync::Arc;

/// fatal, health, priority, CPT, free credits
type Values = (bool, u32, i64, i32, i64);

fn contest(order: Order, values: &[Values], range: u32) -> Contest {
    let nis =
        values.iter().enumerate().map(|(i, (fatal, health, priority, cpt, credits))| Candidate {
            nid: format!("10.0.0.{i}@o2ib").into(),
            fatal: Ok(*fatal),
            health: Ok(*health),
            priority: Ok(*priority),
            dev_cpt: Ok(*cpt),
            credits: Ok(*credits),
        });
    Contest {
        net: "o2ib".into(),
        order,
        nis: nis.collect(),
        numa: Numa {
            range: Ok(range),
            distances: Ok(vec![vec![10, 21], vec![21, 10]]),
            cpts: vec![0, 1],
        },
    }
}

const WELL: Values = (false, 1000, -1, 0, 256);

type Row<'a> = (&'a str, Order, &'a [Values], u32, &'a [usize], Option<Criterion>);

/// One sentence per row: what differs, and who is left for memory of CPT 0.
#[test]
fn the_order_of_each_version() {
    use Order::{Distance, FatalHealth, Health, Policies};
    let far: Values = (false, 1000, -1, 1, 256);
    let sick: Values = (false, 999, -1, 0, 256);
    let dead: Values = (true, 1000, -1, 0, 256);
    let preferred_far: Values = (false, 1000, 0, 1, 256);
    let busy: Values = (false, 1000, -1, 0, 12);
    let table: &[Row<'_>] = &[
        ("equal", Policies, &[WELL, WELL, WELL], 0, &[0, 1, 2], None),
        ("one point of health", Policies, &[WELL, sick], 0, &[0], Some(Criterion::Health)),
        ("the same in 2.12", Health, &[sick, WELL], 0, &[1], Some(Criterion::Health)),
        ("2.10 knows no health", Distance, &[WELL, sick], 0, &[0, 1], None),
        ("health before distance", Policies, &[sick, far], 0, &[1], Some(Criterion::Health)),
        ("2.10: distance", Distance, &[sick, far], 0, &[0], Some(Criterion::Numa)),
        ("fatal first", Policies, &[dead, sick], 0, &[1], Some(Criterion::Fatal)),
        ("fatal of a vendor", FatalHealth, &[dead, sick], 0, &[1], Some(Criterion::Fatal)),
        ("all fatal", Policies, &[dead, dead], 0, &[0, 1], None),
        (
            "policy before distance",
            Policies,
            &[WELL, preferred_far],
            0,
            &[1],
            Some(Criterion::Udsp),
        ),
        ("none in 2.14", Health, &[WELL, preferred_far], 0, &[0], Some(Criterion::Numa)),
        ("near memory", Policies, &[far, WELL, busy], 0, &[1], Some(Criterion::Credits)),
        ("near, though busy", Policies, &[far, busy], 0, &[1], Some(Criterion::Numa)),
        ("range of 21", Policies, &[far, WELL], 21, &[0, 1], None),
        ("range below the distance", Policies, &[far, WELL], 20, &[1], Some(Criterion::Numa)),
        ("free credits", Policies, &[busy, WELL, WELL], 0, &[1, 2], Some(Criterion::Credits)),
    ];
    for (what, order, values, range, left, decided) in table {
        let race = contest(*order, values, *range).race(0);
        assert_eq!((race.left.as_slice(), race.last_difference()), (*left, *decided), "{what}");
        assert_eq!(race.stopped, None, "{what}");
    }
}

#[test]
fn a_device_of_no_cpt_is_as_far_as_the_farthest() {
    let anywhere: Values = (false, 1000, -1, -1, 256);
    let both = contest(Order::Policies, &[WELL, anywhere], 0);
    assert_eq!(both.race(0).left, [0]);
    assert_eq!(both.race(1).left, [0, 1], "21 to the one, 21 to the other");
    let only = contest(Order::Policies, &[anywhere, anywhere], 0);
    assert_eq!(only.fate(0), Fate::InTurn(vec![1]));
}

#[test]
fn what_is_not_known_decides_nothing() {
    let missing = || absent("made by a test");
    let mut two = contest(Order::Policies, &[WELL, WELL], 0);
    two.nis[1].health = Err(missing());
    let race = two.race(0);
    assert_eq!((race.left, race.stopped), (vec![0, 1], Some((Criterion::Health, missing()))));
    assert_eq!(two.fate(0), Fate::Unknown(Criterion::Health, missing()));
    // What was decided before is decided.
    two.nis[1].fatal = Ok(true);
    assert_eq!(two.fate(0), Fate::InTurn(vec![]));
    assert_eq!(two.fate(1), Fate::Never(Criterion::Fatal, vec![0]));

    let mut apart = contest(Order::Policies, &[WELL, (false, 1000, -1, 1, 256)], 0);
    apart.numa.distances = Err(missing());
    assert_eq!(apart.fate(0), Fate::Unknown(Criterion::Numa, missing()));
    apart.nis[1].dev_cpt = Ok(0);
    assert_eq!(apart.fate(0), Fate::InTurn(vec![1]), "the same place is equally far");

    let mut unseen = contest(Order::Policies, &[WELL, WELL], 0);
    unseen.nis[0].credits = Err(missing());
    assert_eq!(unseen.race(0).stopped, Some((Criterion::Credits, missing())));
    assert_eq!(unseen.fate(0), Fate::InTurn(vec![1]), "credits do not last");
}

#[test]
fn fates() {
    let far: Values = (false, 1000, -1, 1, 256);
    let four = contest(Order::Policies, &[WELL, WELL, far, far], 0);
    assert_eq!(four.fate(0), Fate::Nearest(vec![0]));
    assert_eq!(four.fate(3), Fate::Nearest(vec![1]));
    assert_eq!(four.preferred_by(0, 2), Some(Criterion::Numa));
    assert_eq!(four.preferred_by(2, 0), Some(Criterion::Numa));
    assert_eq!(four.preferred_by(0, 1), None);
    let sick = contest(Order::Policies, &[WELL, (false, 900, -1, 1, 256)], 0);
    assert_eq!(sick.fate(1), Fate::Never(Criterion::Health, vec![0]));
    assert_eq!(sick.preferred_by(0, 1), Some(Criterion::Health));
    assert_eq!(sick.preferred_by(1, 0), None, "health decides before distance");
    assert_eq!(contest(Order::Policies, &[WELL], 0).fate(0), Fate::Alone);
}

#[test]
fn the_order_is_told_by_the_keys() {
    let mut ni = lnet_ni("10.0.0.1@o2ib");
    ni.more.push(("udsp info/nid priority".into(), "-1".into()));
    let of = |ni: &LnetNi, version| Order::of(std::iter::once(ni), version);
    assert_eq!(of(&ni, Some("2.12.9")), Order::Policies, "ported back");
    ni.more.clear();
    assert_eq!(of(&ni, Some("2.15.8")), Order::FatalHealth);
    ni.fatal_error = Err(absent(""));
    assert_eq!(of(&ni, None), Order::Health);
    ni.health = Err(absent(""));
    for (version, order) in [
        (None, Order::Distance),
        (Some("2.10.8"), Order::Distance),
        (Some("2.12.9"), Order::Health),
        (Some("2.14.0_ddn85"), Order::Health),
        (Some("2.14.53"), Order::Policies),
        (Some("lnetctl version: 2.16.1"), Order::Policies),
        (Some("v3"), Order::Distance),
    ] {
        assert_eq!(of(&ni, version), order, "{version:?}");
    }
}

fn lnet(node: &mut Node) -> &mut Lnet {
    Arc::make_mut(&mut node.lnet)
}

#[test]
fn numa_range_is_what_is_set_now_else_what_was_loaded() {
    let mut node = healthy(2);
    let of = |node: &Node| Contest::of(&node.lnet, &node.host, "o2ib").unwrap().numa;
    assert_eq!(of(&node).range.unwrap_err().why, Why::FirstSample);
    let parameter = |module: &str, name: &str, value: &str| crate::sample::LnetParameter {
        module: module.into(),
        name: name.into(),
        value: Ok(value.into()),
    };
    let loaded = parameter("lnet", "lnet_numa_range", "40");
    Arc::make_mut(&mut lnet(&mut node).local).parameters.push(loaded);
    assert_eq!(of(&node).range, Ok(40));
    let all = vec![("numa_range".into(), "0".into())];
    lnet(&mut node).more.global = answered(LnetGlobal { all });
    let numa = of(&node);
    assert_eq!((numa.range, numa.cpts), (Ok(0), vec![0, 1]));
    assert_eq!(numa.distances, Ok(vec![vec![10, 21], vec![21, 10]]));

    let split = parameter("libcfs", "cpu_npartitions", "8");
    Arc::make_mut(&mut lnet(&mut node).local).parameters.push(split);
    assert_eq!(of(&node).distances.unwrap_err().why, Why::Unsupported);
}

#[test]
fn a_net_that_lnet_does_not_have_is_no_contest() {
    let node = healthy(2);
    assert_eq!(Contest::of(&node.lnet, &node.host, "tcp"), None);
    assert_eq!(Contest::of(&node.lnet, &node.host, "lo"), None);
}

/// A node on tcp and o2ib, and one peer on both.
fn two_nets(own_tcp_priority: &str, peer_tcp_priority: i64) -> Lnet {
    let net = |name: &str, priority: &str| {
        let mut ni = lnet_ni(&format!("10.0.0.1@{name}"));
        ni.more.push(("udsp info/net priority".into(), priority.into()));
        LnetNet { name: name.into(), nis: vec![ni] }
    };
    let mut lnet = (*healthy(1).lnet).clone();
    let nets = vec![net("tcp", own_tcp_priority), net("o2ib", "-1")];
    lnet.answer =
        Ok(LnetAnswer { at: crate::sample::Mono(0), took: std::time::Duration::ZERO, nets });
    let on_tcp = LnetPeerNi { net_priority: Ok(peer_tcp_priority), ..peer_ni("10.0.0.2@tcp") };
    lnet.more.peers = answered(vec![LnetPeer {
        primary_nid: "10.0.0.2@o2ib".into(),
        multi_rail: Ok(true),
        state_bits: Ok(273),
        nis: vec![on_tcp, peer_ni("10.0.0.2@o2ib")],
    }]);
    lnet
}

#[test]
fn which_net_comes_first() {
    let of = |lnet: &Lnet, net| standing(lnet, Order::Policies, net).unwrap();
    let spread = two_nets("-1", -1);
    assert_eq!(of(&spread, "o2ib"), Standing { peers: 1, ..Standing::default() });
    assert_eq!(standing(&spread, Order::Health, "o2ib"), None);

    // lnetctl udsp add --src tcp --priority 0
    let ruled = two_nets("0", -1);
    assert_eq!(of(&ruled, "o2ib").beaten, [(Criterion::NetUdsp, "tcp".into(), 1)]);
    assert_eq!(of(&ruled, "tcp").alone, 1);
    // --dst tcp
    let to_peer = two_nets("-1", 0);
    assert_eq!(of(&to_peer, "o2ib").beaten, [(Criterion::PeerNetUdsp, "tcp".into(), 1)]);

    let mut sick = two_nets("0", -1);
    let answer = sick.answer.as_mut().unwrap();
    answer.nets[0].nis[0].health = Ok(800);
    assert_eq!(of(&sick, "tcp").beaten, [(Criterion::NetHealth, "o2ib".into(), 1)]);
    sick.more.peers = answered(Vec::new());
    assert_eq!(standing(&sick, Order::Policies, "tcp"), None);
}

fn values() -> impl Strategy<Value = Values> {
    (
        any::<bool>(),
        prop_oneof![Just(1000u32), 0u32..=1000],
        -1i64..2,
        -1i32..2,
        prop_oneof![Just(256i64), -3i64..257],
    )
}

fn orders() -> impl Strategy<Value = Order> {
    prop_oneof![
        Just(Order::Distance),
        Just(Order::Health),
        Just(Order::FatalHealth),
        Just(Order::Policies)
    ]
}

/// The loop of `lnet_get_best_ni()` itself: one after the other against the best so far.
fn scan(contest: &Contest, from: u32, sequence: &[u32]) -> usize {
    let mut best = 0;
    'next: for ni in 1..contest.nis.len() {
        for criterion in contest.order.criteria() {
            let Some(ranks) = contest.ranks(*criterion, from) else { continue };
            let (new, old) = (ranks[ni].clone().unwrap(), ranks[best].clone().unwrap());
            if new > old {
                continue 'next;
            }
            if new < old {
                best = ni;
                continue 'next;
            }
        }
        if sequence[ni] < sequence[best] {
            best = ni;
        }
    }
    best
}

proptest! {
    #[test]
    fn the_race_ends_where_lnets_loop_does(
        order in orders(),
        all in proptest::collection::vec((values(), 0u32..1000), 1..9),
        range in 0u32..30,
        from in 0u32..2,
    ) {
        let (values, sequence): (Vec<_>, Vec<_>) = all.into_iter().unzip();
        let contest = contest(order, &values, range);
        let race = contest.race(from);
        let chosen = scan(&contest, from, &sequence);
        prop_assert!(race.left.contains(&chosen));
        let first = race.left.iter().map(|ni| sequence[*ni]).min();
        prop_assert_eq!(first, Some(sequence[chosen]), "ties go to the one that waited longest");
    }

    #[test]
    fn the_first_difference_decides(
        order in orders(),
        values in proptest::collection::vec(values(), 2..9),
        range in 0u32..30,
        from in 0u32..2,
    ) {
        let contest = contest(order, &values, range);
        let race = contest.race(from);
        prop_assert!(!race.left.is_empty() && race.stopped.is_none());
        for ni in 0..values.len() {
            let Some(out) = race.out(ni) else {
                prop_assert!(race.left.contains(&ni));
                continue;
            };
            // It equals the winner in all before that, and is worse in that.
            let winner = race.left[0];
            for criterion in contest.order.criteria() {
                let Some(ranks) = contest.ranks(*criterion, from) else { continue };
                let (own, best) = (ranks[ni].clone().unwrap(), ranks[winner].clone().unwrap());
                if *criterion == out {
                    prop_assert!(own > best);
                    break;
                }
                prop_assert_eq!(own, best);
            }
        }
        // Only complete ties reach the turns.
        for ni in &race.left {
            for criterion in contest.order.criteria() {
                let Some(ranks) = contest.ranks(*criterion, from) else { continue };
                prop_assert_eq!(&ranks[*ni], &ranks[race.left[0]]);
            }
        }
    }

    #[test]
    fn the_order_of_the_nis_changes_nothing(
        order in orders(),
        values in proptest::collection::vec(values(), 1..9),
        range in 0u32..30,
        shift in 0usize..9,
    ) {
        let n = values.len();
        let straight = contest(order, &values, range);
        let moved: Vec<Values> = (0..n).map(|i| values[(i + shift) % n]).rev().collect();
        let place = |old: usize| n - 1 - (old + n - shift % n) % n;
        let turned = contest(order, &moved, range);
        for ni in 0..n {
            let sorted = |mut list: Vec<usize>| { list.sort_unstable(); list };
            let map = |list: Vec<usize>| sorted(list.into_iter().map(place).collect());
            let moved = match straight.fate(ni) {
                Fate::InTurn(with) => Fate::InTurn(map(with)),
                Fate::Never(why, better) => Fate::Never(why, map(better)),
                same => same,
            };
            prop_assert_eq!(turned.fate(place(ni)), moved);
        }
    }

    #[test]
    fn no_version_panics(text: String) {
        let _ = order::numbers(&text);
    }
}
