//! What holds of every assessment.

use super::super::testkit::{
    flow, ib_rail, kill_ni, node, seconds_ago, set_carrier, set_port, strip,
};
use super::super::{Finding, Layer, Severity, Verdict, assess, entry};
use crate::node::{PortState, Presence, Rail};
use crate::sample::Fact;
use proptest::prelude::*;

fn any_state() -> impl Strategy<Value = PortState> {
    prop::sample::select(vec![
        PortState::Active,
        PortState::Retraining,
        PortState::ActiveDefer,
        PortState::Armed,
        PortState::NoSubnetManager,
        PortState::NoSignal,
        PortState::Disabled,
        PortState::Training,
        PortState::Down,
        PortState::Unknown,
    ])
}

prop_compose! {
    fn any_rail()(
        i in 0..6usize, state in any_state(), ethernet: bool, bare: bool, stripped: bool,
        carrier: Option<bool>, keep_carrier: bool, dead_ni: bool, gone: bool, stuck: bool,
        no_netdev: bool, load: (u8, u8, i32),
    ) -> Rail {
        let mut rail = ib_rail(i);
        set_port(&mut rail, state);
        if !keep_carrier { set_carrier(&mut rail, carrier); }
        if ethernet { rail.rdma.as_mut().unwrap().link_layer = Ok("Ethernet".into()); }
        if stuck { rail.rdma.as_mut().unwrap().stuck_since = Some(seconds_ago(9)); }
        let (health, speed, cpt) = load;
        for ni in &mut rail.lnet {
            ni.ni.health = Ok(1000 - u32::from(health / 64) * 100);
            ni.ni.dev_cpt = Ok(cpt.rem_euclid(3) - 1);
            ni.sent_per_second = Fact::known(f64::from(speed));
        }
        if speed < 128 { (rail.rx, rail.tx) = (flow(0.0), flow(0.0)); }
        if dead_ni { kill_ni(&mut rail); }
        if bare { rail.rdma = None; }
        if stripped { strip(&mut rail); }
        if no_netdev { rail.netdev = None; }
        if gone { rail.presence = Presence::Gone { since: seconds_ago(1) }; }
        rail
    }
}

proptest! {
    #[test]
    fn laws_of_every_assessment(rails in prop::collection::vec(any_rail(), 0..7)) {
        let n = node(rails);
        let a = assess(&n);
        prop_assert_eq!(a.rails.len(), n.rails.len());
        for f in &a.findings {
            prop_assert!(entry(f.id).is_some(), "{} is not in the catalogue", f.id);
            prop_assert!(!f.summary.is_empty() && !f.summary.ends_with('.'), "{}", f.summary);
        }
        // Every consequence stands behind its root, and is not worse.
        let mut root: Option<&Finding> = None;
        for f in &a.findings {
            match f.caused_by {
                None => {
                    prop_assert!(root.is_none_or(|r| r.severity >= f.severity), "worst first");
                    root = Some(f);
                }
                Some(cause) => {
                    let root = root.unwrap();
                    prop_assert_eq!(root.id, cause);
                    let together = f.rails.iter().any(|r| root.rails.contains(r));
                    prop_assert!(together || f.rails == root.rails, "{} of {}", f.id, root.id);
                    prop_assert!(root.severity >= f.severity);
                }
            }
        }
        for rail in &a.rails {
            prop_assert_eq!(rail.ladder.len(), Layer::ALL.len());
            prop_assert!(!rail.state_word.is_empty());
            let sick = matches!(rail.verdict, Verdict::Warning | Verdict::Critical);
            prop_assert_eq!(sick, rail.first_failing.is_some());
        }
        let worst = a.findings.iter().map(|f| f.severity).max();
        if let Some(worst) = worst.filter(|w| *w > Severity::Note) {
            prop_assert_eq!(a.verdict, worst.into());
        }
    }
}
