//! What of a rail's port could not be read although the port itself was.

use super::{entry, ladder, opened};
use crate::check::NotChecked;
use crate::check::view::RailView;
use crate::node::{CounterGroup, counter};
use crate::node::{Presence, Rail, RailRdma};
use crate::sample::{Text, Unknown, Why};

/// One entry for each kind of gap and reason, with all rails that have it.
pub(super) fn list(views: &[RailView<'_>]) -> Vec<NotChecked> {
    let mut gaps: Vec<(String, Unknown, Vec<&Text>)> = Vec::new();
    for view in views {
        if view.rail.presence != Presence::Present || ladder::unreadable(view).is_some() {
            continue;
        }
        for (what, why) in of_rail(view.rail) {
            match gaps.iter_mut().find(|(w, u, _)| *w == what && *u == why) {
                Some((.., rails)) => rails.push(&view.rail.name),
                None => gaps.push((what, why, vec![&view.rail.name])),
            }
        }
    }
    let words = |(what, why, rails): (String, Unknown, Vec<&Text>)| {
        let rails: Vec<&str> = rails.iter().map(|r| r.as_str()).collect();
        entry(format!("{what} of {}", rails.join(", ")), opened(&why))
    };
    gaps.into_iter().map(words).collect()
}

fn of_rail(rail: &Rail) -> Vec<(String, Unknown)> {
    let Some(rdma) = &rail.rdma else { return Vec::new() };
    let mut gaps = Vec::new();
    gaps.extend(error_counters(rdma));
    if rdma.state.is_active() {
        let facts = [
            ("rate", &rail.rate.nominal_bits_per_second),
            ("received bytes", &rail.rx.bytes_per_second),
            ("sent bytes", &rail.tx.bytes_per_second),
        ];
        // What a second sample or the next reset mends is no gap.
        let lasting = |why: Why| {
            matches!(why, Why::Absent | Why::Denied | Why::Unsupported | Why::Unparsable)
        };
        let unknown =
            facts.into_iter().filter_map(|(what, fact)| Some((what, fact.value.as_ref().err()?)));
        let lasting = unknown.filter(|(_, u)| lasting(u.why));
        gaps.extend(lasting.map(|(what, u)| (what.to_owned(), u.clone())));
    }
    gaps
}

fn alarms(name: &str) -> bool {
    counter(name, CounterGroup::Port).is_some_and(|c| c.alarm.is_some())
}

/// The counters that tell of a sick link and could not be read: all of them, or by name. One that
/// a device does not have among others that it has is no gap.
fn error_counters(rdma: &RailRdma) -> Option<(String, Unknown)> {
    let items = &rdma.counters.items;
    // As a rule all were read: nothing more to look for.
    if items.iter().all(|c| c.value.is_ok()) && items.iter().any(|c| alarms(&c.name)) {
        return None;
    }
    let own = items.iter().filter(|c| alarms(&c.name));
    let read: Vec<_> = own.map(|c| (c.name.as_str(), &c.value)).collect();
    if read.iter().all(|(_, reading)| reading.is_err()) {
        let first = read.first().and_then(|(_, reading)| reading.as_ref().err().cloned());
        let none = || Unknown::new(Why::Absent, "the port has none");
        return Some(("error counters".into(), first.unwrap_or_else(none)));
    }
    let failed = read.iter().filter_map(|(name, r)| Some((*name, r.as_ref().err()?)));
    let mut failed = failed.filter(|(_, why)| why.why != Why::Unsupported).peekable();
    let why = failed.peek()?.1.clone();
    let names: Vec<&str> = failed.map(|(name, _)| name).collect();
    Some((format!("counters {}", names.join(", ")), why))
}

#[cfg(test)]
mod tests {
    use crate::check::assess;
    use crate::check::testkit::healthy;
    use crate::node::{Node, PortState};
    use crate::sample::{Counter, CounterSet, Fact, Unknown, Why};
    use std::sync::Arc;

    fn told(node: &Node) -> Vec<String> {
        let all = assess(node).not_checked;
        all.iter().map(|n| format!("{}: {}", n.what, n.why)).collect()
    }

    #[test]
    fn counters_that_cannot_be_read_are_not_healthy_ones() {
        let mut node = healthy(3);
        let before = told(&node);
        let break_some = |node: &mut Node, rail: usize, broken: usize, why: Why| {
            let set = Arc::make_mut(&mut node.rails[rail].rdma.as_mut().unwrap().counters);
            for counter in set.items.iter_mut().filter(|c| super::alarms(&c.name)).take(broken) {
                counter.value = Err(Unknown::new(why, "as the kernel said"));
            }
        };
        break_some(&mut node, 0, 1, Why::Unparsable);
        let set = Arc::make_mut(&mut node.rails[0].rdma.as_mut().unwrap().counters);
        set.items.push(Counter { name: "port_rcv_errors".into(), value: Ok(0) });
        break_some(&mut node, 1, usize::MAX, Why::Unsupported);
        node.rails[2].rdma.as_mut().unwrap().counters = Arc::new(CounterSet::default());
        let new: Vec<String> = told(&node).into_iter().filter(|t| !before.contains(t)).collect();
        assert_eq!(
            new,
            [
                "counters link_downed of ib0: unparsable: as the kernel said",
                "error counters of ib1: unsupported: as the kernel said",
                "error counters of ib2: absent: the port has none",
            ]
        );
    }

    #[test]
    fn a_rate_or_bytes_that_cannot_be_read() {
        let mut node = healthy(2);
        node.rails[1].rate.nominal_bits_per_second = Fact::unknown(Why::Unparsable, "garbage");
        node.rails[0].rx.bytes_per_second =
            Fact::unknown(Why::Unsupported, "32-bit counter saturated");
        node.rails[0].tx.bytes_per_second = Fact::unknown(Why::FirstSample, "needs two reads");
        let told = told(&node);
        assert!(told.contains(&"rate of ib1: unparsable: garbage".to_owned()), "{told:?}");
        assert!(
            told.contains(
                &"received bytes of ib0: unsupported: 32-bit counter saturated".to_owned()
            )
        );
        assert!(!told.iter().any(|t| t.starts_with("sent bytes")));
    }

    #[test]
    fn a_port_in_an_unknown_state_is_not_well() {
        let mut node = healthy(2);
        node.rails[1].rdma.as_mut().unwrap().state = PortState::Unknown;
        let assessment = assess(&node);
        assert_eq!(assessment.rails[1].verdict, crate::check::Verdict::Unknown);
        assert!(told(&node).iter().any(|t| t.starts_with("ib1: ")));
    }
}
