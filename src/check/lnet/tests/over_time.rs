//! What takes two answers to see.

use super::*;
use crate::sample::LnetNiCredits;

const FAILURES: [&str; 6] = ["interrupts", "dropped", "aborted", "no route", "timeouts", "error"];

/// Health statistics of an NI: so many timeouts, none of anything else.
fn timeouts(stand: &mut Stand, i: usize, n: u32) {
    let value = |kind: &str| if kind == "timeouts" { n.to_string() } else { "0".to_owned() };
    let stats = FAILURES.map(|kind| (format!("health stats/{kind}").into(), value(kind).into()));
    stand.nis()[i].more = stats.into();
}

/// The roots after both answers, two seconds apart.
fn after(mut stand: Stand, change: impl Fn(&mut Stand)) -> Vec<(&'static str, Severity)> {
    let mut node = stand.node();
    change(&mut stand);
    node.advance(&stand.sample(2_000));
    roots(&assess(&node))
}

#[test]
fn row_22_drops_that_rise() {
    let mut stand = Stand::new(2);
    // What was dropped before railtop looked says nothing of now.
    stand.nis()[0].drop_count = Ok(4_000_000);
    assert_eq!(stand.roots(), []);
    let rise = |by: u32| move |s: &mut Stand| s.nis()[0].drop_count = Ok(4_000_000 + by);
    assert_eq!(after(stand.clone(), rise(500)), [("LNET_DROPS_RISING", Severity::Warning)]);
    assert_eq!(after(stand.clone(), rise(2)), []);
    // A counter that wraps rises; one that was reset does not.
    let mut wraps = stand.clone();
    wraps.nis()[0].drop_count = Ok(u32::MAX);
    let wrapped = after(wraps, |s| s.nis()[0].drop_count = Ok(500));
    assert_eq!(wrapped, [("LNET_DROPS_RISING", Severity::Warning)]);
    assert_eq!(after(stand, |s| s.nis()[0].drop_count = Ok(500)), [], "row 33");
}

#[test]
fn row_22_it_is_over_after_a_minute() {
    let mut stand = Stand::new(1);
    let mut node = stand.node();
    stand.nis()[0].drop_count = Ok(500);
    for second in (2..=60).step_by(2) {
        node.advance(&stand.sample(second * 1_000));
    }
    assert_eq!(roots(&assess(&node)), [("LNET_DROPS_RISING", Severity::Warning)]);
    for second in (62..=66).step_by(2) {
        node.advance(&stand.sample(second * 1_000));
    }
    assert_eq!(roots(&assess(&node)), []);
}

#[test]
fn row_30_the_health_of_an_only_ni_proves_nothing() {
    let quiet = |n| {
        let mut stand = Stand::new(n);
        for i in 0..n as usize {
            timeouts(&mut stand, i, 7);
        }
        stand
    };
    let fail = |s: &mut Stand| timeouts(s, 0, 27);
    assert_eq!(after(quiet(1), fail), [("NI_FAILURES_UNSEEN", Severity::Warning)]);
    assert_eq!(after(quiet(1), |_| {}), []);
    assert_eq!(after(quiet(1), |s| timeouts(s, 0, 8)), []);
    // With two, health tells it; and so it does where the version lowers it.
    assert_eq!(after(quiet(2), fail), []);
    let mut lowered = quiet(1);
    lowered.nis()[0].health = Ok(800);
    assert_eq!(after(lowered, fail), [("NI_HEALTH_LOW", Severity::Warning)]);
}

#[test]
fn row_8_the_queue_is_the_trouble() {
    let short = |tx| {
        let mut stand = Stand::new(2);
        for i in 0..2 {
            timeouts(&mut stand, i, 7);
        }
        let row = |nid: &str| LnetNiCredits {
            nid: nid.into(),
            status: "up".into(),
            max: 256,
            tx,
            min: -20,
        };
        stand.more.credits = answered(vec![row("10.1.0.1@o2ib"), row("10.1.0.2@o2ib")]);
        stand
    };
    let both = |s: &mut Stand| {
        timeouts(s, 0, 9);
        timeouts(s, 1, 10);
    };
    assert_eq!(after(short(-12), both), [("LNET_QUEUE_TIMEOUTS", Severity::Warning)]);
    // One rail alone is a matter of that rail; with credits left the queue is none.
    assert_eq!(after(short(-12), |s| timeouts(s, 0, 9)), []);
    assert_eq!(after(short(200), both), []);
    assert_eq!(after(short(-12), |_| {}), []);
}
