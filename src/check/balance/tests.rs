use crate::check::testkit::{healthy, now, set_port};
use crate::check::{Assessment, assess};
use crate::node::{Astray, Behind, GroupOrigin, Node, PortState};
use crate::sample::Fact;
use std::time::Duration;

/// ib1 has received a quarter of its fair share for so many seconds.
fn behind(seconds: u64) -> Node {
    let mut node = healthy(4);
    let since = now().mono - Duration::from_secs(seconds);
    node.groups[0].behind_rx = Some(Behind { rail: 1, since, share_of_fair_ratio: 0.25 });
    node.rails[1].rx.bytes_per_second = Fact::known(2e9);
    node
}

/// The messages of ib1 have gone over ib0 for so many seconds.
fn astray(seconds: u64) -> Node {
    let mut node = healthy(4);
    node.astray = vec![Astray {
        rail: 1,
        instead: 0,
        since: now().mono - Duration::from_secs(seconds),
        messages_per_second: 5000.0,
        least_bytes_per_second: 360e3,
        port_bytes_per_second: 1e3,
        instead_bytes_per_second: 8e9,
    }];
    node
}

fn ids(assessment: &Assessment) -> Vec<&str> {
    assessment.findings.iter().map(|f| f.id).collect()
}

#[test]
fn a_rail_that_stays_behind_is_told_with_both_figures() {
    let node = behind(12);
    let assessment = assess(&node);
    assert_eq!(ids(&assessment), ["BALANCE_UNFAIR"]);
    let finding = assessment.worst().unwrap();
    assert_eq!(finding.rails, ["ib1"]);
    assert_eq!(
        &*finding.summary,
        "ib1 receives 2.0 GB/s of the 8.0 GB/s that would be its fair share of o2ib (25 %), for 12 s"
    );
    assert_eq!(finding.evidence.len(), 5, "the group and each of its rails");
}

#[test]
fn it_takes_as_long_as_the_site_says() {
    assert!(ids(&assess(&behind(9))).is_empty());
    let mut node = behind(9);
    let mut policy = (*node.policy).clone();
    policy.thresholds.balance_unfair_seconds = 5.0;
    node.policy = policy.into();
    assert_eq!(ids(&assess(&node)), ["BALANCE_UNFAIR"]);
}

#[test]
fn a_group_that_was_guessed_is_shown_and_not_judged() {
    let mut node = behind(60);
    node.groups[0].origin = GroupOrigin::Guess;
    assert!(ids(&assess(&node)).is_empty());
    node.groups[0].origin = GroupOrigin::Config;
    assert_eq!(ids(&assess(&node)), ["BALANCE_UNFAIR"]);
}

#[test]
fn a_dead_rail_is_no_matter_of_balance() {
    let mut node = behind(60);
    set_port(&mut node.rails[1], PortState::NoSignal);
    let assessment = assess(&node);
    assert!(!ids(&assessment).contains(&"BALANCE_UNFAIR"), "{:?}", ids(&assessment));
    assert_eq!(assessment.worst().unwrap().id, "PORT_DOWN");
}

#[test]
fn what_decides_the_choice_is_the_root() {
    let mut node = behind(60);
    node.rails[1].lnet[0].ni.health = Ok(400);
    let assessment = assess(&node);
    let unfair = assessment.findings.iter().find(|f| f.id == "BALANCE_UNFAIR");
    assert_eq!(assessment.worst().unwrap().id, "NI_HEALTH_LOW");
    assert!(unfair.is_none_or(|f| f.caused_by == Some("NI_HEALTH_LOW")), "{:?}", ids(&assessment));
}

#[test]
fn messages_that_another_port_carries_are_told_with_both_figures() {
    let assessment = assess(&astray(15));
    assert_eq!(ids(&assessment), ["WRONG_RAIL"]);
    let finding = assessment.worst().unwrap();
    assert_eq!(
        &*finding.summary,
        "LNet counts 5000 messages/s on ib1, whose port moves only 1.0 kB/s: ib0 carries them"
    );
    assert!(ids(&assess(&astray(9))).is_empty());
}

#[test]
fn one_mistake_is_told_once() {
    let mut node = astray(60);
    node.groups[0].behind_tx = Some(Behind {
        rail: 1,
        since: now().mono - Duration::from_mins(1),
        share_of_fair_ratio: 0.0,
    });
    assert_eq!(ids(&assess(&node)), ["WRONG_RAIL"]);
}
