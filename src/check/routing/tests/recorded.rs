//! Recorded states of a real kernel, each with the findings it must give.

use super::kit;
use crate::check::assess;
use crate::node::testing::World;
use crate::node::{Node, Settings, SourceKind};
use crate::read::ipjson::{self, Names};
use crate::sample::{Family, Mono, Routing};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

fn bytes(object: &Value, key: &str) -> Vec<u8> {
    serde_json::to_vec(&object[key]).unwrap()
}

/// The sample as a node whose rails are ib*.
fn node(object: &Value) -> Node {
    let links = ipjson::parse_links(&bytes(object, "links")).unwrap();
    let mut names = Names::of_links(&links);
    let mut rules = |family, key| ipjson::parse_rules(family, &bytes(object, key), &mut names);
    let (rules4, rules6) = (rules(Family::Inet, "rules4"), rules(Family::Inet6, "rules6"));
    let mut routes = |family, key| ipjson::parse_routes(family, &bytes(object, key), &mut names);
    let (routes4, routes6) = (routes(Family::Inet, "routes4"), routes(Family::Inet6, "routes6"));
    let routing = Routing {
        at: Mono::default(),
        addresses: ipjson::parse_addresses(&bytes(object, "addrs")),
        rules4,
        rules6,
        routes4,
        routes6,
        neighbours: ipjson::parse_neighbours(&bytes(object, "neigh"), &names),
        nexthops: ipjson::parse_nexthops(&bytes(object, "nexthops"), &names),
        table_names: names.tables(),
    };
    let sysctl: BTreeMap<String, BTreeMap<String, i64>> =
        serde_json::from_value(object["sysctl"].clone()).unwrap();
    let mut sample = World::new().at_ms(0);
    sample.sysctls = Arc::new(kit::sysctls(&sysctl, &links, false));
    sample.links = Ok(Arc::new(links));
    sample.routing = Arc::new(routing);
    Arc::make_mut(&mut sample.host).kernel = Ok(object["kernel"].as_str().unwrap().into());
    let settings = Settings { include: vec!["ib*".into()], ..Settings::default() };
    Node::new(settings, SourceKind::Capture, &sample)
}

#[test]
fn recorded_states_give_exactly_their_findings() {
    let Some(folder) = std::env::var_os("RAILTOP_SAMPLES") else {
        let _ = writeln!(std::io::stderr(), "skipped: RAILTOP_SAMPLES is not set");
        return;
    };
    let mut files: Vec<PathBuf> = std::fs::read_dir(PathBuf::from(folder).join("routing"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "json"))
        .collect();
    files.sort();
    assert!(files.len() >= 20, "{} samples", files.len());
    let mut wrong = Vec::new();
    for file in files {
        let object: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let node = node(&object);
        let assessment = assess(&node);
        let expected = object["expect"].as_array().unwrap();
        let expected: Vec<&str> = expected.iter().map(|e| e.as_str().unwrap()).collect();
        if expected == ["PARSER_ONLY"] {
            continue;
        }
        let mut given: Vec<String> = assessment
            .findings
            .iter()
            .map(|f| {
                let with_rail = format!("{}:{}", f.id, f.rails.join(","));
                if expected.contains(&f.id) { f.id.to_owned() } else { with_rail }
            })
            .collect();
        given.sort();
        let mut expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
        expected.sort();
        if given != expected {
            wrong.push(format!("{}: {given:?}, not {expected:?}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
