//! What holds of every state.

use super::kit::node;
use crate::check::{assess, entry};
use proptest::prelude::*;

fn line() -> impl Strategy<Value = String> {
    let rail = prop::sample::select(vec!["ib0", "ib1", "ib2", "eth0"]);
    let last = 1u8..5;
    let len = prop::sample::select(vec![16u8, 16, 24, 31, 32]);
    let table = prop::sample::select(vec![254u32, 941, 942, 943]);
    let preference = prop::sample::select(vec![0u32, 50, 9410, 9420, 32765, 40000]);
    prop_oneof![
        (rail.clone(), last.clone(), len.clone())
            .prop_map(|(r, x, l)| format!("addr {r} 172.16.34.{x}/{l}")),
        (rail.clone(), last.clone()).prop_map(|(r, x)| format!("addr {r} 2001:db8::{x}/64")),
        (rail.clone(), len.clone(), table.clone(), last.clone()).prop_map(|(r, l, t, x)| format!(
            "route 172.16.{x}.0/{l} dev {r} table {t} src 172.16.34.{x}"
        )),
        (len, table.clone())
            .prop_map(|(l, t)| format!("route unreachable 172.16.0.0/{l} table {t}")),
        (rail.clone(), table.clone())
            .prop_map(|(r, t)| format!("route default via 172.16.0.254 dev {r} table {t}")),
        (preference.clone(), last.clone(), table.clone())
            .prop_map(|(p, x, t)| format!("rule {p} from 172.16.34.{x} lookup {t}")),
        (preference.clone(), table).prop_map(|(p, t)| format!("rule {p} from all lookup {t}")),
        (preference, last).prop_map(|(p, x)| format!("rule {p} not from 172.16.34.{x} goto 40000")),
        (rail.clone(), 0i64..3, 0i64..3, 0i64..3).prop_map(|(r, a, b, c)| {
            format!("sysctl {r} rp_filter={a} arp_ignore={b} arp_announce={c}")
        }),
        rail.clone().prop_map(|r| format!("link {r} nocarrier")),
        (rail, 1u8..9).prop_map(|(r, x)| format!("neigh 172.16.16.{x} dev {r} lladdr 0a:{x:02}")),
        Just("norules".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn laws(lines in prop::collection::vec(line(), 0..14)) {
        let text = lines.join("\n");
        let node = node(&text);
        let a = assess(&node);
        for f in &a.findings {
            prop_assert!(entry(f.id).is_some(), "{}", f.id);
            prop_assert!(!f.summary.is_empty() && !f.summary.ends_with('.'), "{}", f.summary);
            // Two lines of 80 columns.
            prop_assert!(f.summary.chars().count() <= 150, "{}", f.summary);
            prop_assert!(!f.evidence.is_empty(), "{}\n{text}", f.id);
            for step in f.fix.iter().chain(&f.undo).chain(&f.verify) {
                prop_assert!(!step.command.is_empty() && !step.command.contains('\n'));
            }
            if let Some(cause) = f.caused_by {
                let root = a.findings.iter().any(|r| {
                    r.id == cause && r.caused_by.is_none()
                        && r.rails.iter().any(|name| f.rails.contains(name))
                });
                prop_assert!(root, "{} has no root {cause}\n{text}", f.id);
            }
        }
        let rail_addresses: usize = node.rails.iter().map(|r| r.addresses.len()).sum();
        prop_assert_eq!(a.routes.len(), rail_addresses);
    }
}

/// An interface with two addresses in a subnet has two routes there, and is named once.
#[test]
fn a_rail_is_named_once() {
    let text = "addr ib0 2001:db8::2/64\naddr ib2 2001:db8::1/64\naddr ib0 2001:db8::1/64";
    let told = assess(&node(text)).findings;
    let dup = told.iter().find(|f| f.summary.contains("2001:db8::/64 is reachable by"));
    let words = dup.map(|f| f.summary.to_string()).unwrap_or_default();
    assert!(words.contains("reachable by ib0 and ib2,"), "{words}");
}
