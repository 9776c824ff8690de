//! The shape of the contract, and its law: no `null` without a reason.

use super::*;
use crate::check::assess;
use crate::check::testkit::{
    eth_rail, flow, healthy, kill_ni, lnet_fails, missing, node, now, seconds_ago, set_carrier,
    set_port, strip,
};
use crate::node::{NotShown, PortState, Presence};
use crate::sample::{Counter, CounterSet, Fact, How, LnetFailure};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;

/// May be `null` by nature.
const STRUCTURAL: [&str; 4] = ["rdma", "netdev", "caused_by", "first_failing_layer"];
const WHYS: [&str; 10] = [
    "denied",
    "absent",
    "unsupported",
    "unparsable",
    "timeout",
    "not_applicable",
    "inactive",
    "below_floor",
    "reset",
    "first_sample",
];

/// Every broken rule below `value`, with its path.
fn broken(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                if item.is_null() {
                    found.push(format!("{path}[{i}] is null"));
                }
                broken(item, &format!("{path}[{i}]"), found);
            }
        }
        Value::Object(fields) => {
            let reasons = fields.get("unknown");
            for (name, field) in fields {
                let here = format!("{path}.{name}");
                let reason = reasons.and_then(|r| r.get(name));
                if field.is_null() && reason.is_none() && !STRUCTURAL.contains(&name.as_str()) {
                    found.push(format!("{here} is null without a reason"));
                }
                broken(field, &here, found);
            }
            for (name, reason) in reasons.and_then(Value::as_object).into_iter().flatten() {
                let known = reason["why"].as_str().is_some_and(|w| WHYS.contains(&w));
                let value = fields.get(name);
                let excused = value.is_some_and(|v| v.is_null() || v == "unknown");
                if !known || !excused || !reason["detail"].is_string() {
                    found.push(format!("{path}.unknown.{name} is wrong: {reason}"));
                }
            }
            let qualified = fields.get("qualified").and_then(Value::as_object);
            for (name, _) in qualified.into_iter().flatten() {
                if fields.get(name).is_none_or(Value::is_null) {
                    found.push(format!("{path}.qualified.{name} has no value"));
                }
            }
        }
        _ => {}
    }
}

fn checked(node: &Node) -> Value {
    let value = object_with_not_checked(node, &assess(node));
    let mut found = Vec::new();
    broken(&value, "", &mut found);
    assert!(found.is_empty(), "{found:#?}");
    value
}

#[test]
fn the_object_of_a_healthy_node() {
    let v = checked(&healthy(2));
    assert_eq!(v["schema"], 1);
    let time: jiff::Timestamp = v["time"].as_str().unwrap().parse().unwrap();
    assert_eq!(time, now().wall);
    assert_eq!((&v["source"], &v["verdict"]), (&"demo".into(), &"ok".into()));
    assert_eq!(v["host"]["name"], "oss07");
    let rail = &v["rails"][1];
    assert_eq!((&rail["name"], &rail["present"]), (&"ib1".into(), &true.into()));
    assert_eq!(rail["rdma"]["state"], "ACTIVE");
    assert_eq!(rail["rdma"]["phys_state"], "LinkUp");
    assert_eq!(rail["rdma"]["rate_bits_per_second"], 200e9);
    assert_eq!(rail["rdma"]["lid"], 11);
    assert_eq!(rail["rdma"]["port_guid"], "b8ce:f603:0012:3456");
    assert_eq!(rail["rdma"]["counters"]["link_downed"], 0);
    assert_eq!(rail["rdma"]["counters"]["unknown"]["symbol_error"]["why"], "unsupported");
    assert_eq!(rail["netdev"]["mode"], "datagram");
    assert_eq!(rail["addresses"][0]["address"], "10.1.3.2/16");
    assert_eq!(rail["addresses"][0]["table"], Value::Null);
    assert_eq!(rail["lnet"][0]["nid"], "10.1.3.2@o2ib");
    assert_eq!(rail["rx"]["bytes_per_second"], 10e9);
    assert_eq!(rail["rx"]["source"], "port");
    assert_eq!(rail["first_failing_layer"], Value::Null);
    assert_eq!(rail["layers"].as_array().unwrap().len(), 12);
    assert_eq!(rail["layers"][1]["layer"], "subnet_manager");
    assert_eq!(v["groups"][0]["rails"], serde_json::json!(["ib0", "ib1"]));
    assert_eq!(v["lnet"]["stage"], "up");
    assert_eq!(v["findings"], serde_json::json!([]));
}

#[test]
fn a_dead_rail_in_json() {
    let mut n = healthy(4);
    set_port(&mut n.rails[2], PortState::NoSignal);
    kill_ni(&mut n.rails[2]);
    n.rails[2].state_since = Some(seconds_ago(2));
    let v = checked(&n);
    assert_eq!(v["verdict"], "critical");
    assert_eq!(v["findings"][0]["id"], "PORT_DOWN");
    assert_eq!(v["findings"][0]["caused_by"], Value::Null);
    assert_eq!(v["findings"][1]["caused_by"], "PORT_DOWN");
    let rail = &v["rails"][2];
    assert_eq!(rail["first_failing_layer"], "cable");
    assert_eq!(rail["rdma"]["unknown"]["rate_bits_per_second"]["why"], "inactive");
    assert_eq!(rail["rdma"]["qualified"]["lid"]["how"], "stale");
    assert_eq!(rail["rx"]["bytes_per_second"], Value::Null);
}

#[test]
fn stream_and_check_differ_in_one_field() {
    let n = healthy(1);
    let a = assess(&n);
    let keys = |v: &Value| v.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let (stream, check) = (keys(&object(&n, &a)), keys(&object_with_not_checked(&n, &a)));
    assert_eq!(check.difference(&stream).collect::<Vec<_>>(), ["not_checked"]);
    assert!(stream.is_subset(&check));
}

#[test]
fn the_stages_of_lnet() {
    let stage = |loaded, failure| {
        let mut n = healthy(1);
        lnet_fails(&mut n, loaded, failure);
        let v = checked(&n);
        (v["lnet"]["stage"].as_str().unwrap().to_owned(), v["rails"][0]["lnet"].is_null())
    };
    let cases = [
        (false, LnetFailure::NotInstalled, "absent", false),
        (true, LnetFailure::NotInstalled, "unknown", true),
        (false, LnetFailure::NotLoaded, "not_loaded", false),
        (true, LnetFailure::NotConfigured, "loaded", false),
        (true, LnetFailure::Denied("errno -13".into()), "unknown", true),
        (true, LnetFailure::Timeout("5 s".into()), "unknown", true),
        (true, LnetFailure::Failed("?".into()), "unknown", true),
        (true, LnetFailure::Pending, "unknown", true),
    ];
    for (loaded, failure, word, null) in cases {
        assert_eq!(stage(loaded, failure.clone()), (word.to_owned(), null), "{failure:?}");
    }
    let mut n = healthy(1);
    Arc::make_mut(&mut n.lnet).answer.as_mut().unwrap().nets.truncate(1);
    assert_eq!(checked(&n)["lnet"]["stage"], "configured");
}

#[test]
fn what_json_cannot_hold_is_unknown() {
    let mut n = healthy(1);
    n.rails[0].rx.bytes_per_second = Fact::known(f64::NAN).qualified(How::Estimate, "");
    n.rails[0].tx.bytes_per_second = Fact::known(5.0).qualified(How::Estimate, "guessed");
    let counter = Counter { name: "unknown".into(), value: Ok(7) };
    let set = CounterSet { at: now().mono, items: vec![counter] };
    n.rails[0].rdma.as_mut().unwrap().counters = Arc::new(set);
    let v = checked(&n);
    assert_eq!(v["rails"][0]["rx"]["unknown"]["bytes_per_second"]["why"], "unparsable");
    assert_eq!(v["rails"][0]["tx"]["qualified"]["bytes_per_second"]["how"], "estimate");
    assert_eq!(v["rails"][0]["rdma"]["counters"]["unknown_"], 7);
}

#[test]
fn sixty_four_rails_fit_a_line() {
    let n = healthy(64);
    let line = serde_json::to_string(&object(&n, &assess(&n))).unwrap();
    assert!(!line.contains('\n'));
}

/// Every reading of a node becomes unknown with the same reason.
fn blind(node: &mut Node, why: Why) {
    let routing = Arc::make_mut(&mut node.routing);
    routing.addresses = missing(why);
    node.measured_interval = None;
    let host = Arc::make_mut(&mut node.host);
    (host.load, host.memory, host.boot_time_seconds) = (missing(why), missing(why), missing(why));
    for rail in &mut node.rails {
        strip(rail);
        rail.pci = None;
        if let Some(netdev) = &mut rail.netdev {
            (netdev.mtu, netdev.carrier, netdev.pkey) = (missing(why), missing(why), missing(why));
        }
        if let Some(rdma) = &mut rail.rdma {
            rdma.link_layer = missing(why);
            let attrs = Arc::make_mut(&mut rdma.port_attrs);
            (attrs.lid, attrs.default_gid, attrs.rate) = (missing(why), missing(why), missing(why));
        }
    }
}

proptest! {
    #[test]
    fn no_null_lacks_its_reason(
        dead in prop::collection::vec(0..6u8, 0..5), blinded: bool, no_lnet: bool,
        rate in prop::num::f64::ANY, why in prop::sample::select(vec![
            Why::Absent, Why::Denied, Why::Unsupported, Why::Unparsable, Why::Timeout,
            Why::NotApplicable, Why::Inactive, Why::BelowFloor, Why::Reset, Why::FirstSample,
        ]),
    ) {
        let mut n = node((0..dead.len()).map(eth_rail).collect());
        n.rails = healthy(dead.len()).rails;
        for (rail, how) in n.rails.iter_mut().zip(dead) {
            match how {
                0 => set_port(rail, PortState::NoSignal),
                1 => set_port(rail, PortState::Unknown),
                2 => rail.presence = Presence::Gone { since: seconds_ago(9) },
                3 => { set_carrier(rail, None); rail.rdma = None; }
                4 => rail.netdev = None,
                _ => rail.rx = flow(rate),
            }
        }
        if blinded { blind(&mut n, why); }
        if no_lnet { lnet_fails(&mut n, true, LnetFailure::Denied("".into())); }
        n.other.tx.source = None;
        n.not_shown.push(NotShown { what: "RoCE port", names: vec![], hint: "--rail".into() });
        let v = object(&n, &assess(&n));
        let mut found = Vec::new();
        broken(&v, "", &mut found);
        prop_assert!(found.is_empty(), "{:#?}", found);
    }
}
