//! Peers, statistics, settings, routes, buffers, policies, credits.

use super::super::fixtures::{
    GLOBAL_2_12, GLOBAL_2_16, NIS, PEERS_2_10, PEERS_2_14, PEERS_2_15, PEERS_2_16, ROUTES_2_7,
    ROUTES_2_15, ROUTES_2_17, ROUTING, STATS_2_10, STATS_2_17, UDSP_2_15, UDSP_2_17, every,
};
use super::*;
use crate::sample::{LnetPeer, LnetPeerNi};
use proptest::prelude::*;

fn peers(text: &str) -> Vec<LnetPeer> {
    peer_show(text.as_bytes()).unwrap()
}

fn why<T: std::fmt::Debug>(reading: &Reading<T>) -> Why {
    reading.as_ref().unwrap_err().why
}

#[test]
fn peers_of_2_10() {
    let peers = peers(PEERS_2_10);
    assert_eq!(peers.len(), 2);
    assert_eq!((&*peers[0].primary_nid, &peers[0].multi_rail), ("172.16.34.9@o2ib", &Ok(true)));
    assert_eq!(why(&peers[0].state_bits), Why::Absent);
    let ni = &peers[0].nis[0];
    assert_eq!((ni.net(), ni.address()), ("o2ib", "172.16.34.9"));
    assert_eq!(
        (&ni.send_count, &ni.recv_count, &ni.drop_count),
        (&Ok(88_001), &Ok(87_990), &Ok(2))
    );
    assert_eq!((&ni.tx_credits, &ni.min_tx_credits), (&Ok(30), &Ok(-7)));
    assert_eq!((&ni.rtr_credits, &ni.min_rtr_credits), (&Ok(32), &Ok(31)));
    assert_eq!(why(&ni.health), Why::Absent);
    assert_eq!(peers[1].multi_rail, Ok(false));
    assert_eq!(peers[1].nis[0].state.as_ref().unwrap(), &"NA");
}

#[test]
fn peers_of_2_14_and_2_15() {
    let ni = &peers(PEERS_2_14)[0].nis[0];
    assert_eq!((&ni.health, &ni.queued_bytes), (&Ok(900), &Ok(4096)));
    let troubles = (&ni.dropped, &ni.timeouts, &ni.errors, &ni.network_timeouts);
    assert_eq!(troubles, (&Ok(2), &Ok(3), &Ok(4), &Ok(5)));
    assert_eq!((&ni.send_count, why(&ni.ping_count)), (&Ok(700), Why::Absent));
    assert_eq!(peers(PEERS_2_14)[0].state_bits, Ok(273));

    let peer = &peers(PEERS_2_15)[0];
    let ni = &peer.nis[0];
    assert_eq!((&peer.state_bits, &ni.max_tx_credits), (&Ok(0), &Ok(0)));
    assert_eq!((&ni.net_priority, &ni.nid_priority), (&Ok(-1), &Ok(2)));
    assert_eq!(ni.preferred_sources, ["192.168.1.1@tcp", "192.168.1.2@tcp"]);
    assert_eq!((&ni.ping_count, &ni.next_ping), (&Ok(9), &Ok(4711)));
}

#[test]
fn peers_of_2_16() {
    let peers = peers(PEERS_2_16);
    let names: Vec<_> = peers.iter().map(|p| (&*p.primary_nid, p.nis.len())).collect();
    assert_eq!(names, [("fd00:1::12@tcp", 2), ("172.16.34.9@o2ib", 0)]);
    let ni = &peers[0].nis[0];
    assert_eq!((ni.net(), ni.address()), ("tcp", "fd00:1::12"));
    assert_eq!((&ni.tx_credits, &ni.queued_bytes), (&Ok(-4), &Ok(5_242_880)));
    assert_eq!((&ni.health, &ni.send_count), (&Ok(0), &Ok(u32::MAX)));
    assert_eq!(ni.state.as_ref().unwrap(), &"down");
    assert_eq!(why(&peers[0].nis[1].health), Why::Absent, "not that of its neighbour");
}

/// `peer_ni`, in 2 columns: as `discover` prints it from 2.16.
#[test]
fn the_third_indentation() {
    let text = "peer:\n- primary nid: 10.0.0.2@tcp\n  Multi-Rail: maybe\n  peer_ni:\n  - nid: 10.0.0.2@tcp\n  - nid: 10.0.0.3@tcp\n";
    let peers = peers(text);
    let nids: Vec<_> = peers[0].nis.iter().map(|ni| &*ni.nid).collect();
    assert_eq!(nids, ["10.0.0.2@tcp", "10.0.0.3@tcp"]);
    assert_eq!(why(&peers[0].multi_rail), Why::Unparsable);
}

#[test]
fn statistics_and_settings() {
    let old = stats_show(STATS_2_10.as_bytes()).unwrap();
    assert_eq!((&old.send_bytes, &old.recv_bytes), (&Ok(9000), &Ok(8000)));
    assert_eq!((old.all.len(), old.get("rst_alloc")), (11, None));
    let new = stats_show(STATS_2_17.as_bytes()).unwrap();
    assert_eq!((&new.send_bytes, &new.route_bytes), (&Ok(u64::MAX), &Ok(5)));
    assert_eq!((new.get("local_timeout_count"), new.get("failed_resends")), (Some("7"), Some("3")));

    let old = global_show(GLOBAL_2_12.as_bytes()).unwrap();
    assert_eq!((old.number("max_intf"), old.number("lnd_timeout")), (Some(200), None));
    let new = global_show(GLOBAL_2_16.as_bytes()).unwrap();
    assert_eq!((new.number("numa_range"), new.number("discovery")), (Some(32), Some(0)));
    assert_eq!((new.all.len(), new.number("lnd_timeout")), (13, Some(49)));
}

#[test]
fn routes_buffers_policies() {
    let old = route_show(ROUTES_2_7.as_bytes()).unwrap();
    assert_eq!((&old[0].hop, &old[0].priority, why(&old[0].kind)), (&Ok(2), &Ok(1), Why::Absent));
    let mid = route_show(ROUTES_2_15.as_bytes()).unwrap();
    assert_eq!((&*mid[0].gateway, &mid[0].hop), ("172.16.34.254@o2ib", &Ok(-1)));
    assert_eq!(mid[0].kind.as_ref().unwrap(), &"multi-hop");
    assert_eq!((&*mid[1].net, why(&mid[1].state)), ("o2ib7", Why::Absent));
    let new = route_show(ROUTES_2_17.as_bytes()).unwrap();
    assert_eq!((&new[0].priority, new[0].state.as_ref().unwrap()), (&Ok(3), &"down".into()));

    let routing = routing_show(ROUTING.as_bytes()).unwrap();
    assert_eq!((routing.enable, routing.buffers.len()), (Some(3), 4));
    let pool = &routing.buffers[0];
    assert_eq!((pool.cpt, &*pool.size, &pool.min_credits), (0, "tiny", &Ok(-2)));
    assert_eq!((routing.buffers[3].cpt, &routing.buffers[3].buffers), (1, &Ok(512)));

    let old = udsp_show(UDSP_2_15.as_bytes()).unwrap();
    assert_eq!((&old[0].src, &old[0].dst, old[0].priority), (&Some("o2ib".into()), &None, Some(0)));
    assert_eq!((&old[1].dst, old[1].priority), (&Some("172.16.34.9@o2ib".into()), None));
    let new = udsp_show(UDSP_2_17.as_bytes()).unwrap();
    assert_eq!((&new[0].index, &new[0].src, new[0].priority), (&Ok(4), &None, Some(1)));
    assert_eq!(new[1].rte.as_deref(), Some("172.16.34.254@o2ib"));
}

#[test]
fn credits_now() {
    let rows = nis(NIS.as_bytes()).unwrap();
    assert_eq!(rows.len(), 4);
    assert_eq!(
        (&*rows[1].nid, rows[1].max, rows[1].tx, rows[1].min),
        ("172.16.34.1@o2ib", 128, 120, -15)
    );
    assert_eq!((&*rows[3].status, rows[3].tx), ("down", -3));
    // Another order of columns; a row that lacks one; a row that is cut off.
    let odd = "min tx nid max\n-1 2 a@tcp 3\n1 2 a@tcp\n-9 8 b@tcp 12";
    let rows = nis(odd.as_bytes()).unwrap();
    assert_eq!((rows.len(), rows[0].min, rows[0].tx, rows[0].max), (1, -1, 2, 3));
    for bad in ["", "nid status\n", "LNet is down\n", "0 28 0 1\n"] {
        assert_eq!(nis(bad.as_bytes()).unwrap_err().why, Why::Unparsable, "{bad:?}");
    }
}

#[test]
fn another_answer_is_none() {
    for (key, text) in every() {
        let text = text.as_bytes();
        let read = [
            ("net", net_show(text).is_ok()),
            ("peer", peer_show(text).is_ok()),
            ("statistics", stats_show(text).is_ok()),
            ("global", global_show(text).is_ok()),
            ("route", route_show(text).is_ok()),
            ("routing", routing_show(text).is_ok()),
            ("udsp", udsp_show(text).is_ok()),
        ];
        for (other, ok) in read {
            assert_eq!(ok, other == key, "{other} of {key}");
        }
    }
}

/// Every number of a peer NI with the key it must stand behind.
fn numbers(ni: &LnetPeerNi) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let mut put = |key, value: Option<String>| found.extend(value.map(|v| (key, v)));
    let u32s = [
        ("send_count", &ni.send_count),
        ("recv_count", &ni.recv_count),
        ("drop_count", &ni.drop_count),
        ("health value", &ni.health),
        ("dropped", &ni.dropped),
        ("timeout", &ni.timeouts),
        ("error", &ni.errors),
        ("network timeout", &ni.network_timeouts),
        ("ping_count", &ni.ping_count),
    ];
    for (key, value) in u32s {
        put(key, value.as_ref().ok().map(ToString::to_string));
    }
    let i32s = [
        ("max_ni_tx_credits", &ni.max_tx_credits),
        ("available_tx_credits", &ni.tx_credits),
        ("min_tx_credits", &ni.min_tx_credits),
        ("available_rtr_credits", &ni.rtr_credits),
        ("min_rtr_credits", &ni.min_rtr_credits),
    ];
    for (key, value) in i32s {
        put(key, value.as_ref().ok().map(ToString::to_string));
    }
    for (key, value) in [("tx_q_num_of_buf", &ni.queued_bytes), ("next_ping", &ni.next_ping)] {
        put(key, value.as_ref().ok().map(ToString::to_string));
    }
    for (key, value) in [("net priority", &ni.net_priority), ("nid priority", &ni.nid_priority)] {
        put(key, value.as_ref().ok().map(ToString::to_string));
    }
    found
}

fn nothing_is_invented(text: &str) -> Result<(), TestCaseError> {
    let Ok(peers) = peer_show(text.as_bytes()) else { return Ok(()) };
    for ni in peers.iter().flat_map(|p| &p.nis) {
        for (key, number) in numbers(ni) {
            let printed = text.lines().any(|line| {
                line.trim_start_matches(['-', ' ']).trim_end() == format!("{key}: {number}")
            });
            prop_assert!(printed, "{}: {} in {}", key, number, text);
        }
    }
    Ok(())
}

#[test]
fn no_truncation_invents_a_number() {
    for (_, text) in every() {
        let words: Vec<&str> = text.split_whitespace().collect();
        for end in 0..text.len() {
            let cut = &text[..end];
            nothing_is_invented(cut).unwrap();
            for (_, value) in stats_show(cut.as_bytes()).map(|s| s.all).unwrap_or_default() {
                assert!(words.contains(&&*value), "{value} in {cut}");
            }
            for route in route_show(cut.as_bytes()).unwrap_or_default() {
                let whole = route_show(text.as_bytes()).unwrap();
                assert!(whole.iter().any(|r| {
                    (r.net == route.net)
                        && (route.priority.is_err() || r.priority == route.priority)
                }));
            }
            for pool in routing_show(cut.as_bytes()).unwrap_or_default().buffers {
                let whole = routing_show(text.as_bytes()).unwrap().buffers;
                assert!(whole.iter().any(|p| {
                    (p.cpt, &p.size) == (pool.cpt, &pool.size)
                        && (pool.credits.is_err() || p.credits == pool.credits)
                }));
            }
        }
    }
    for end in 0..NIS.len() {
        let whole = nis(NIS.as_bytes()).unwrap();
        for row in nis(&NIS.as_bytes()[..end]).unwrap_or_default() {
            assert!(whole.contains(&row), "{row:?} in {}", &NIS[..end]);
        }
    }
}

proptest! {
    #[test]
    fn shuffled_lines_invent_nothing(seed in prop::collection::vec(any::<prop::sample::Index>(), 60)) {
        for text in [PEERS_2_10, PEERS_2_14, PEERS_2_15, PEERS_2_16] {
            let mut lines: Vec<&str> = text.lines().collect();
            for (i, index) in seed.iter().enumerate() {
                let other = index.index(lines.len());
                lines.swap(i % text.lines().count(), other);
            }
            nothing_is_invented(&format!("peer:\n{}\n", lines.join("\n")))?;
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
        let _ = (peer_show(&bytes), stats_show(&bytes), global_show(&bytes), route_show(&bytes));
        let _ = (routing_show(&bytes), udsp_show(&bytes), nis(&bytes));
    }

    #[test]
    fn a_changed_byte_never_panics(
        which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), byte: u8,
    ) {
        let all = every();
        let mut bytes = all[which.index(all.len())].1.as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        nothing_is_invented(&text)?;
        let _ = (stats_show(&bytes), global_show(&bytes), route_show(&bytes));
        let _ = (routing_show(&bytes), udsp_show(&bytes), nis(&bytes));
    }
}
