//! One NI.

use super::*;
use crate::node::testing::{link, ni as fresh};

fn down(stand: &mut Stand, i: usize, fatal: u32, health: u32) {
    let ni = &mut stand.nis()[i];
    ni.status = Ok("down".into());
    ni.fatal_error = Ok(fatal);
    ni.health = Ok(health);
}

#[test]
fn row_1_a_dead_port_is_the_root_of_its_ni() {
    let mut stand = Stand::new(2);
    stand.world.state(1, 1, 2);
    down(&mut stand, 1, 1, 1000);
    let judged = stand.judged();
    assert_eq!(roots(&judged), []);
    let ni = judged.findings.iter().find(|f| f.id == "NI_DOWN").unwrap();
    assert_eq!((ni.caused_by, ni.severity), (Some("PORT_DOWN"), Severity::Critical));
}

#[test]
fn row_2_the_address_is_gone() {
    let mut stand = Stand::new(2);
    down(&mut stand, 1, 1, 1000);
    // Link and address are there: nobody knows why, but LNet does not use it.
    assert_eq!(stand.roots(), [("NI_DOWN", Severity::Critical)]);
    assert!(stand.only().summary.contains("though link and address of ib1 are there"));
    // Another address: the NI has to be made anew.
    stand.world.addresses.pop();
    stand.world.address(11, "10.1.0.77", 16);
    let lost = stand.only();
    assert_eq!((lost.id, lost.severity), ("NI_ADDRESS_LOST", Severity::Critical));
    assert_eq!(
        commands(&lost),
        ["lnetctl net del --net o2ib --if ib1", "lnetctl net add --net o2ib --if ib1"]
    );
    // It went to another interface.
    stand.world.links = Ok(vec![link("ib0", 10, 32, None), link("ib1", 11, 32, None)]);
    stand.world.address(10, "10.1.0.2", 16);
    assert!(stand.only().summary.ends_with("any more, it is on ib0"), "{}", stand.only().summary);
}

#[test]
fn row_2_an_address_is_put_back_with_the_length_of_its_siblings() {
    let mut stand = Stand::new(2);
    down(&mut stand, 1, 1, 1000);
    stand.world.addresses.pop();
    let judged = stand.judged();
    let lost = judged.findings.iter().find(|f| f.id == "NI_ADDRESS_LOST").unwrap();
    assert_eq!(commands(lost), ["ip addr replace 10.1.0.2/16 dev ib1"]);
    // The rail has no address at all: another family says so, and one of the two is the root.
    let bare = judged.findings.iter().find(|f| f.id == "RAIL_NO_ADDRESS");
    assert_eq!(lost.caused_by, bare.map(|f| f.id));
    // o2ib may stay up without it, and then nothing is said of the NI.
    let mut works = Stand::new(2);
    works.world.addresses.pop();
    assert_eq!(works.roots(), []);
}

#[test]
fn row_3_a_stale_status() {
    let mut stand = Stand::new(2).routing(None);
    down(&mut stand, 1, 0, 1000);
    let stale = stand.only();
    assert_eq!((stale.id, stale.severity), ("NI_STATUS_STALE", Severity::Note));
    // Health at 0 takes it down for real (2.17).
    down(&mut stand, 1, 0, 0);
    let judged = stand.judged();
    assert_eq!(roots(&judged), [("NI_DOWN", Severity::Warning)]);
    let dead = judged.findings.iter().find(|f| f.id == "NI_DOWN").unwrap();
    assert!(dead.summary.ends_with("its health is 0"), "{}", dead.summary);
    // Whether it routes is not known, and nothing moves: it may be either.
    let mut unknown = Stand::new(2);
    down(&mut unknown, 1, 0, 1000);
    assert_eq!(unknown.roots(), [("NI_DOWN", Severity::Warning)]);
    let words = unknown.only();
    assert!(words.summary.contains("with full health") && !words.summary.contains("no health"));
    assert!(words.verify.iter().any(|s| s.command == "lnetctl routing show"), "{words:?}");
    for (version, id) in [
        ("2.17.0", "NI_STATUS_STALE"),
        ("2.17.53", "LNET_ROUTER_IDLE"),
        ("2.15.8", "LNET_ROUTER_IDLE"),
    ] {
        let of_version = Stand { version: Ok(version.into()), ..unknown.clone() };
        assert_eq!(of_version.roots(), [(id, Severity::Note)], "{version}");
    }
    // It moves, so it works.
    let mut node = unknown.node();
    unknown.nis()[1].send_count = Ok(900);
    node.advance(&unknown.sample(2_000));
    assert_eq!(roots(&assess(&node)), [("NI_STATUS_STALE", Severity::Note)]);
}

#[test]
fn row_4_an_idle_router() {
    for enable in [1, 3] {
        let mut stand = Stand::new(2).routing(Some(enable));
        for i in 0..2 {
            down(&mut stand, i, 0, 1000);
        }
        let roots = stand.roots();
        assert_eq!(roots, [("LNET_ROUTER_IDLE", Severity::Note); 2]);
    }
    // 2.12 prints neither value of health.
    let mut old = Stand::new(1).routing(Some(1));
    let absent = crate::node::testing::absent;
    let ni = &mut old.nis()[0];
    (ni.status, ni.fatal_error, ni.health) = (Ok("down".into()), absent(), absent());
    assert_eq!(old.roots(), [("LNET_ROUTER_IDLE", Severity::Note)]);
    // A dead link of a router is no matter of traffic.
    let mut dead = Stand::new(2).routing(Some(1));
    down(&mut dead, 0, 1, 1000);
    assert_eq!(dead.roots(), [("NI_DOWN", Severity::Critical)]);
    assert_eq!(Stand::new(2).routing(Some(1)).roots(), []);
}

#[test]
fn row_28_an_alias_is_not_watched() {
    let mut stand = Stand::new(2);
    stand.nis()[1].interfaces = vec!["ib1:1".into()];
    let alias = stand.only();
    assert_eq!((alias.id, alias.severity), ("NI_ON_ALIAS", Severity::Note));
    assert_eq!(alias.rails, ["ib1"]);
}

#[test]
fn the_loopback_is_exempt() {
    let mut stand = Stand::new(2);
    let mut lo = fresh("0@lo", &[]);
    (lo.status, lo.fatal_error, lo.health) = (Ok("down".into()), Ok(1), Ok(0));
    stand.nis().push(lo);
    assert_eq!(stand.roots(), []);
}

#[test]
fn a_link_that_came_back_is_newer_than_the_answer() {
    let mut stand = Stand::new(2);
    let mut node = stand.node();
    let set = |stand: &mut Stand, node: &mut Node, state: u32, ms: u64| {
        stand.world.state(1, state, if state == 4 { 5 } else { 3 });
        node.advance(&stand.sample(ms));
    };
    down(&mut stand, 1, 1, 1000);
    set(&mut stand, &mut node, 1, 2_000);
    let dead = assess(&node);
    assert!(dead.findings.iter().any(|f| f.id == "NI_DOWN" && f.caused_by.is_some()));
    // The port is back, and LNet's answer is no newer.
    set(&mut stand, &mut node, 4, 4_000);
    let back = assess(&node);
    assert_eq!(roots(&back), []);
    let rung = |judged: &Assessment| {
        let ladder = &judged.rails[1].ladder;
        ladder.iter().find(|r| r.layer == crate::check::Layer::Ni).unwrap().verdict
    };
    assert_eq!(rung(&back), crate::check::Verdict::Unknown);
    // LNet had time to hear of it, and says the same.
    node.advance(&stand.sample(6_500));
    assert_eq!(roots(&assess(&node)), [("NI_DOWN", Severity::Critical)]);
}
