use super::*;
use crate::sample::{Unknown, Why};
use proptest::prelude::*;

const SECOND: u64 = 1_000_000_000;

fn ni(nid: &str) -> LnetPeerNi {
    LnetPeerNi {
        nid: nid.into(),
        state: Ok("NA".into()),
        max_tx_credits: Ok(32),
        tx_credits: Ok(32),
        min_tx_credits: Ok(9),
        queued_bytes: Ok(0),
        rtr_credits: Ok(32),
        min_rtr_credits: Ok(32),
        send_count: Ok(0),
        recv_count: Ok(0),
        drop_count: Ok(0),
        health: Ok(1000),
        dropped: Ok(0),
        timeouts: Ok(0),
        errors: Ok(0),
        network_timeouts: Ok(0),
        ping_count: Ok(0),
        next_ping: Ok(0),
        net_priority: Ok(-1),
        nid_priority: Ok(-1),
        preferred_sources: Vec::new(),
    }
}

fn peer(nis: &[LnetPeerNi]) -> LnetPeer {
    LnetPeer {
        primary_nid: nis[0].nid.clone(),
        multi_rail: Ok(nis.len() > 1),
        state_bits: Ok(0x111),
        nis: nis.to_vec(),
    }
}

fn own() -> Own {
    Own {
        nids: vec!["10.1.0.1@o2ib".into(), "10.1.1.1@o2ib".into()],
        nets: Some(vec!["lo".into(), "o2ib".into()]),
    }
}

/// Answers two seconds apart, taken in one after the other.
fn seen(answers: &[Vec<LnetPeer>]) -> Arc<Peers> {
    let mut memory = Memory::default();
    let mut last: Option<Arc<Peers>> = None;
    for (n, answer) in (1..).zip(answers) {
        let answer = Arc::new(Timed { at: Mono(n * 2 * SECOND), value: answer.clone() });
        last = Some(memory.update(&answer, Some(own()), last.as_ref()));
    }
    last.unwrap()
}

fn names(peers: &Peers) -> Vec<&str> {
    peers.iter().map(|p| p.raw.primary_nid.as_str()).collect()
}

fn with(nid: &str, change: impl FnOnce(&mut LnetPeerNi)) -> LnetPeer {
    let mut ni = ni(nid);
    change(&mut ni);
    peer(&[ni])
}

#[test]
fn the_worst_stand_first_then_the_busiest() {
    let quiet = |nid: &str| with(nid, |_| ());
    let before = vec![
        quiet("10.1.0.20@o2ib"),
        quiet("10.1.0.9@o2ib"),
        quiet("10.1.0.30@o2ib"),
        quiet("10.1.0.31@o2ib"),
        quiet("10.1.0.32@o2ib"),
        quiet("10.1.0.33@o2ib"),
        quiet("10.9.0.1@tcp"),
        quiet("10.1.0.1@o2ib"),
        quiet("10.1.0.10@o2ib"),
    ];
    let mut now = before.clone();
    now[2] = with("10.1.0.30@o2ib", |ni| ni.state = Ok("down".into()));
    now[3] = with("10.1.0.31@o2ib", |ni| ni.tx_credits = Ok(-12));
    now[4] = with("10.1.0.32@o2ib", |ni| ni.network_timeouts = Ok(3));
    now[5] = with("10.1.0.33@o2ib", |ni| ni.health = Ok(900));
    // This node itself and what is beyond a router are no trouble, whatever is printed of them.
    now[6] = with("10.9.0.1@tcp", |ni| ni.state = Ok("down".into()));
    now[7] = with("10.1.0.1@o2ib", |ni| ni.health = Ok(0));
    now[8] = with("10.1.0.10@o2ib", |ni| ni.send_count = Ok(5_000));
    let peers = seen(&[before, now]);
    assert_eq!(
        names(&peers),
        [
            "10.1.0.33@o2ib",
            "10.1.0.32@o2ib",
            "10.1.0.31@o2ib",
            "10.1.0.30@o2ib",
            "10.1.0.10@o2ib",
            "10.1.0.9@o2ib",
            "10.1.0.20@o2ib",
            "10.9.0.1@tcp",
            "10.1.0.1@o2ib",
        ]
    );
    let words: Vec<String> = peers.iter().map(|p| p.words(Mono(0))).collect();
    assert_eq!(
        words[..5],
        [
            "health 900 of 1000",
            "1.5 network timeouts/s",
            "12 messages wait for credits",
            "down",
            ""
        ]
    );
    let brief: Vec<String> = peers.iter().take(3).map(|p| p.brief(Mono(0))).collect();
    assert_eq!(brief, ["health 900", "1.5 network timeouts/s", "12 waiting"]);
    let counts = peers.counts();
    assert_eq!((counts.peers, counts.troubled, counts.unhealthy), (9, 4, 1));
    assert_eq!((counts.own, counts.elsewhere, counts.unknown), (1, 1, 0));
    let last = peers.counts_of([0, 4]);
    assert_eq!((last.peers, last.troubled, last.unknown), (2, 1, 0));
}

#[test]
fn of_several_nis_the_worst_speaks_and_is_named() {
    let mut second = ni("10.1.1.7@o2ib");
    second.health = Ok(700);
    second.next_ping = Ok(112);
    second.timeouts = Ok(9);
    let far = LnetPeerNi { health: Ok(0), ..ni("10.9.0.7@tcp9") };
    let before = peer(&[ni("10.1.0.7@o2ib"), ni("10.1.1.7@o2ib"), far.clone()]);
    let now = peer(&[ni("10.1.0.7@o2ib"), second, far]);
    let peers = seen(&[vec![before], vec![now]]);
    let peer = peers.get(0).unwrap();
    assert_eq!(peer.condition(), PeerCondition::Unhealthy);
    assert_eq!(peer.lowest_health(), Some(700), "that of a net beyond counts nothing");
    assert_eq!(
        peer.words(Mono(100 * SECOND)),
        "health 700 of 1000, pinged again in 12 s, 4.5 timeouts/s (10.1.1.7)"
    );
    assert_eq!(peer.words(Mono(113 * SECOND)), "health 700 of 1000, 4.5 timeouts/s (10.1.1.7)");
    assert!(peer.contains("10.1.1.7") && peer.contains("UNHEALTHY") && !peer.contains("10.1.2"));
}

#[test]
fn rates_survive_a_change_of_the_list_and_no_reset() {
    let at = |nid: &str, sent: u32| with(nid, |ni| ni.send_count = Ok(sent));
    let peers = seen(&[
        vec![
            at("10.1.0.3@o2ib", 100),
            at("10.1.0.4@o2ib", u32::MAX - 9),
            at("10.1.0.5@o2ib", 9_000),
        ],
        vec![at("10.1.0.5@o2ib", 10), at("10.1.0.9@o2ib", 1), at("10.1.0.4@o2ib", 10)],
    ]);
    let rate = |nid: &str| {
        let peer = peers.iter().find(|p| p.raw.primary_nid == nid).unwrap();
        peer.per_second(PeerCount::Sent).value.map_err(|u| u.why)
    };
    assert_eq!(rate("10.1.0.4@o2ib"), Ok(10.0), "it wrapped");
    assert_eq!(rate("10.1.0.5@o2ib"), Err(Why::Reset));
    assert_eq!(rate("10.1.0.9@o2ib"), Err(Why::FirstSample));
    assert_eq!(peers.interval(), Some(Duration::from_secs(2)));
}

#[test]
fn the_same_answer_again_costs_nothing_and_new_nets_order_anew() {
    let mut memory = Memory::default();
    let answer = |at: u64, sent: u32| {
        let value = vec![with("10.1.0.9@o2ib", |ni| ni.send_count = Ok(sent))];
        Arc::new(Timed { at: Mono(at * SECOND), value })
    };
    let first = memory.update(&answer(1, 0), Some(own()), None);
    let second = memory.update(&answer(3, 20), Some(own()), Some(&first));
    let again = memory.update(&answer(3, 20), Some(own()), Some(&second));
    assert!(Arc::ptr_eq(&second, &again));
    // The nets cannot be asked for a moment: what they were stays.
    let unknown = memory.update(&answer(3, 20), None, Some(&again));
    assert!(Arc::ptr_eq(&unknown, &again));
    let elsewhere = Own { nids: Vec::new(), nets: Some(vec!["tcp".into()]) };
    let moved = memory.update(&answer(3, 20), Some(elsewhere), Some(&again));
    let peer = moved.get(0).unwrap();
    assert_eq!(peer.condition(), PeerCondition::Elsewhere);
    assert_eq!(peer.per_second(PeerCount::Sent).value, Ok(10.0));
}

#[test]
fn a_peer_of_which_nothing_is_told_is_unknown_not_well() {
    let none = || Err(Unknown::new(Why::Absent, ""));
    let bare = with("10.1.0.9@o2ib", |ni| {
        ni.state = Err(Unknown::new(Why::Absent, ""));
        (ni.health, ni.network_timeouts, ni.send_count) = (none(), none(), none());
        ni.tx_credits = Err(Unknown::new(Why::Absent, ""));
    });
    let empty = LnetPeer { nis: Vec::new(), ..bare.clone() };
    // 2.10 prints neither health nor failures; what it prints is fine.
    let old = with("10.1.0.8@o2ib", |ni| (ni.health, ni.network_timeouts) = (none(), none()));
    let peers = seen(&[vec![bare, empty, old]]);
    let conditions: Vec<PeerCondition> = peers.iter().map(|p| p.condition()).collect();
    let unknown = PeerCondition::Unknown;
    assert_eq!(conditions, [unknown, unknown, PeerCondition::Well]);
    assert_eq!(peers.counts().unknown, 2);
}

prop_compose! {
    fn any_ni()(
        a in 1u8..4, b in 1u8..9, net in 0usize..4, health in proptest::option::of(0u32..=1000),
        down: bool, credits in -20i32..32, counts: [u32; 4],
    ) -> LnetPeerNi {
        let net = ["o2ib", "tcp", "gni7", ""][net];
        let address = if net == "gni7" { format!("{b}") } else { format!("10.1.{a}.{b}") };
        let mut ni = ni(&format!("{address}@{net}"));
        ni.health = health.ok_or_else(|| Unknown::new(Why::Absent, ""));
        ni.state = Ok(if down { "down" } else { "NA" }.into());
        ni.tx_credits = Ok(credits);
        let [sent, received, timeouts, network] = counts.map(Ok);
        (ni.send_count, ni.recv_count) = (sent, received);
        (ni.timeouts, ni.network_timeouts) = (timeouts, network);
        ni
    }
}

prop_compose! {
    fn any_peers()(
        peers in proptest::collection::vec(proptest::collection::vec(any_ni(), 1..4), 0..20),
    ) -> Vec<LnetPeer> {
        peers.iter().map(|nis| peer(nis)).collect()
    }
}

proptest! {
    #[test]
    fn every_peer_stands_in_the_list_once_and_trouble_before_none(
        answers in proptest::collection::vec(any_peers(), 1..4),
    ) {
        let peers = seen(&answers);
        let mut found = names(&peers);
        let last = answers.last().unwrap();
        let mut wanted: Vec<&str> = last.iter().map(|p| p.primary_nid.as_str()).collect();
        found.sort_unstable();
        wanted.sort_unstable();
        prop_assert_eq!(found, wanted);
        let conditions: Vec<PeerCondition> = peers.iter().map(|p| p.condition()).collect();
        prop_assert!(conditions.is_sorted());
        let troubled = conditions.iter().filter(|c| c.is_trouble()).count();
        prop_assert_eq!(peers.counts().troubled, troubled);
        for peer in peers.iter() {
            prop_assert_eq!(peer.words(Mono(0)).is_empty(), matches!(
                peer.condition(), PeerCondition::Well | PeerCondition::Unknown
            ), "{:?}", peer.condition());
        }
    }

    #[test]
    fn the_order_does_not_hang_on_that_of_the_answer(peers in any_peers(), seed: u64) {
        let mut unique = peers;
        unique.sort_by(|a, b| a.primary_nid.cmp(&b.primary_nid));
        unique.dedup_by(|a, b| a.primary_nid == b.primary_nid);
        let mut other = unique.clone();
        let count = other.len().max(1);
        other.rotate_left(usize::try_from(seed % count as u64).unwrap() % count);
        let (a, b) = (seen(&[unique]), seen(&[other]));
        prop_assert_eq!(names(&a), names(&b));
    }
}
