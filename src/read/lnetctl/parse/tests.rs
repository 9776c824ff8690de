use super::super::fixtures::{ALL, DOWN_2_16, V2_7, V2_10, V2_14, V2_15, V2_16};
use super::*;
use proptest::prelude::*;

fn nets(text: &str) -> Vec<LnetNet> {
    net_show(text.as_bytes()).unwrap()
}

fn more<'a>(ni: &'a LnetNi, path: &str) -> Option<&'a str> {
    ni.more.iter().find(|(p, _)| *p == *path).map(|(_, v)| v.as_str())
}

fn why<T: std::fmt::Debug>(reading: &Reading<T>) -> Why {
    reading.as_ref().unwrap_err().why
}

#[test]
fn flat_list_of_2_7() {
    let nets = nets(V2_7);
    let names: Vec<_> = nets.iter().map(|n| (n.name.as_str(), n.nis.len())).collect();
    assert_eq!(names, [("tcp2", 2), ("o2ib", 1)]);
    let ni = &nets[0].nis[0];
    assert_eq!((ni.nid.as_str(), ni.interfaces[0].as_str()), ("192.168.5.1@tcp2", "eth3"));
    assert_eq!((ni.peer_credits.clone(), ni.credits.clone()), (Ok(8), Ok(256)));
    assert_eq!(why(&ni.health), Why::Absent);
    assert_eq!(why(&ni.send_count), Why::Absent);
    assert_eq!(nets[1].nis[0].status.as_ref().unwrap(), &"down");
}

#[test]
fn p18_shapes_of_2_10_and_2_14() {
    let old = nets(V2_10);
    assert!(old[0].nis[0].is_lo() && old[0].nis[0].interfaces.is_empty());
    let ni = &old[1].nis[0];
    assert_eq!(ni.send_count, Ok(4120));
    assert_eq!(ni.drop_count, Ok(3));
    assert_eq!(ni.dev_cpt, Ok(-1));
    assert_eq!(ni.cpt.as_ref().unwrap(), &"[0,1]");
    assert_eq!(why(&ni.fatal_error), Why::Absent);
    assert_eq!(more(ni, "lnd tunables/conns_per_peer"), Some("1"));
    assert_eq!(more(ni, "tcp bonding"), Some("0"));

    let ni = &nets(V2_14)[0].nis[0];
    assert_eq!(ni.health, Ok(870));
    assert_eq!(why(&ni.fatal_error), Why::Absent);
    assert_eq!(ni.credits, Ok(256));
    assert_eq!(more(ni, "tunables/peercredits_hiw"), Some("16"));
    assert_eq!(more(ni, "health stats/timeouts"), Some("3"));
    assert_eq!(more(ni, "lnd tunables"), None);
}

#[test]
fn p18_shapes_of_2_15_and_2_16() {
    let ni = &nets(V2_15)[1].nis[0];
    assert!(ni.interfaces.is_empty());
    assert_eq!((ni.fatal_error.clone(), ni.health.clone()), (Ok(1), Ok(0)));
    assert_eq!(more(ni, "health stats/next_ping"), Some("260"));
    assert_eq!(more(ni, "udsp info/net priority"), Some("-1"));
    assert_eq!(more(ni, "udsp info/Preferred gateway NIDs/0"), Some("10.9.9.1@tcp"));

    let new = nets(V2_16);
    let names: Vec<_> = new.iter().map(|n| (n.name.as_str(), n.nis.len())).collect();
    assert_eq!(names, [("lo", 1), ("o2ib", 2), ("tcp", 1)]);
    let ni = &new[1].nis[0];
    assert_eq!(ni.send_count, Ok(u32::MAX));
    assert_eq!((ni.fatal_error.clone(), ni.health.clone()), (Ok(0), Ok(1000)));
    assert_eq!(more(ni, "lnd tunables/map_on_demand"), Some("true"));
    assert_eq!(more(ni, "health stats/no route"), Some("0"));
    assert_eq!(new[1].nis[1].health, Ok(900));
    assert_eq!(why(&new[1].nis[1].credits), Why::Absent);
    let v6 = &new[2].nis[0];
    assert_eq!((v6.address(), v6.net()), ("fd00:1::11", "tcp"));
    assert_eq!(v6.interfaces, ["eth0:1"]);
}

#[test]
fn scalars_stay_as_printed_and_numbers_are_not_invented() {
    let text = "net:\n- net type: tcp\n  local NI(s):\n  - nid: ::1@tcp\n    status: True\n    \
                interfaces:\n      0: 1e3\n      1: eth1\n    statistics:\n      send_count: -1\n      \
                recv_count: 4294967296\n      drop_count: 0x1F\n    health stats:\n      \
                fatal_error: 1.0\n      health value: \"7\"\n      health value: 8\n    dev cpt: +1\n    \
                tunables:\n      credits:\n      peer_credits: ! \"12\"\n    x: 010\n    CPT: [0, 1]\n";
    let ni = &nets(text)[0].nis[0];
    assert_eq!(ni.nid, "::1@tcp");
    assert_eq!(ni.status.as_ref().unwrap(), &"True");
    assert_eq!(ni.interfaces, ["1e3", "eth1"]);
    for reading in [&ni.send_count, &ni.recv_count, &ni.drop_count, &ni.fatal_error] {
        assert_eq!(why(reading), Why::Unparsable, "{reading:?}");
    }
    assert_eq!(ni.health, Ok(7), "the first of two");
    assert_eq!(why(&ni.dev_cpt), Why::Unparsable);
    assert_eq!(why(&ni.credits), Why::Absent, "null is not zero");
    assert_eq!(ni.peer_credits, Ok(12));
    assert_eq!(more(ni, "x"), Some("010"));
    assert_eq!(more(ni, "CPT/1"), Some("1"));
}

#[test]
fn several_documents_and_strange_tops() {
    let both = format!("{DOWN_2_16}{V2_16}show:\n    - x: 1\nshow:\n    - x: 2\n");
    assert_eq!(nets(&both), nets(V2_16));
    assert_eq!(nets("net:\n"), []);
    assert_eq!(nets("net:\n- net type: tcp\n"), [LnetNet { name: "tcp".into(), nis: vec![] }]);
    assert_eq!(nets("net:\n- local NI(s):\n  - status: up\n"), []);
    for bad in ["", "net: down\n", "usage: net show\n", "net", "{", DOWN_2_16, "net:\n\t- [\n"] {
        assert_eq!(net_show(bad.as_bytes()).unwrap_err().why, Why::Unparsable, "{bad:?}");
    }
    let long = format!("net:\n  - nid: {}\n", "[".repeat(100_000));
    assert!(net_show(long.as_bytes()).is_err());
}

#[test]
fn control_characters_do_not_pass() {
    let text = "net:\n- nid: \"1@tcp\\e[2J\"\n  status: \"a\\nb\"\n";
    let ni = &nets(text)[0].nis[0];
    assert!(!ni.nid.chars().any(char::is_control));
    assert!(!ni.status.as_ref().unwrap().chars().any(char::is_control));
}

/// Every number of a result, with the words it was read from.
fn numbers(nets: &[LnetNet]) -> Vec<String> {
    let of = |ni: &LnetNi| {
        let unsigned = [
            &ni.send_count,
            &ni.recv_count,
            &ni.drop_count,
            &ni.fatal_error,
            &ni.health,
            &ni.peer_credits,
            &ni.credits,
        ];
        let cpt = ni.dev_cpt.iter().map(ToString::to_string);
        unsigned.into_iter().flatten().map(ToString::to_string).chain(cpt).collect::<Vec<_>>()
    };
    nets.iter().flat_map(|n| &n.nis).flat_map(of).collect()
}

#[test]
fn no_truncation_invents_a_number() {
    for fixture in ALL {
        let words: Vec<&str> = fixture.split_whitespace().collect();
        let whole = nets(fixture);
        for end in 0..fixture.len() {
            let Ok(nets) = net_show(&fixture.as_bytes()[..end]) else { continue };
            for number in numbers(&nets) {
                assert!(words.contains(&number.as_str()), "{number} in {}", &fixture[..end]);
            }
            for cut in nets.iter().flat_map(|n| &n.nis) {
                let full = whole.iter().flat_map(|n| &n.nis).find(|ni| ni.nid == cut.nid).unwrap();
                assert!(cut.health.is_err() || cut.health == full.health);
                assert!(cut.send_count.is_err() || cut.send_count == full.send_count);
            }
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
        let _ = net_show(&bytes);
    }

    #[test]
    fn arbitrary_yaml_like_lines_never_invent(
        lines in prop::collection::vec(
            "[ ]{0,6}(- ){0,2}(nid|net|net type|local NI\\(s\\)|statistics|send_count|health stats|\
             health value|dev cpt|tunables|credits)(: ?|:)[-+0-9a-fxob.@!'\"\\[{&*]{0,6}", 0..12),
    ) {
        let text = format!("net:\n{}\n", lines.join("\n"));
        if let Ok(nets) = net_show(text.as_bytes()) {
            for number in numbers(&nets) {
                prop_assert!(text.contains(&number), "{} in {:?}", number, text);
            }
        }
    }

    #[test]
    fn a_changed_byte_never_panics_or_invents(
        which in 0..ALL.len(), at in any::<prop::sample::Index>(), byte: u8,
    ) {
        let mut bytes = ALL[which].as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(nets) = net_show(&bytes) {
            let text = String::from_utf8_lossy(&bytes);
            for number in numbers(&nets) {
                prop_assert!(text.contains(&number), "{} in {:?}", number, text);
            }
        }
    }
}
