//! The machine contract: one JSON object per sample.
//!
//! Names are `snake_case` with the base unit in them. A value that is not known is `null` and the
//! object that carries it says why in `unknown`; a value that is known but weak is named in
//! `qualified`. `object::Object` keeps that law, so no field here can break it. Only what may
//! be absent by nature is `null` without a reason: `rdma`, `netdev`, `caused_by`,
//! `first_failing_layer`.

mod assessment;
mod health;
mod lnet;
mod netdev;
mod object;
mod rail;
mod rdma;
mod run;
pub mod why;

use crate::check::Assessment;
use crate::node::{Balance, BalanceSide, Group, Node};
use crate::sample::{Host, Reading, Text, Why};
use crate::units;
use object::Object;
pub use run::{event, run};
use serde_json::Value;

/// Version of the contract: additions do not change it.
const SCHEMA: u32 = 1;

/// The object of `railtop stream`.
pub fn object(node: &Node, assessment: &Assessment) -> Value {
    whole(node, assessment).finish()
}

/// The object of `railtop check --json`: the same, and what could not be judged.
pub fn object_with_not_checked(node: &Node, assessment: &Assessment) -> Value {
    let mut o = whole(node, assessment);
    o.set("not_checked", &assessment.not_checked);
    o.finish()
}

fn whole(node: &Node, assessment: &Assessment) -> Object {
    let mut o = Object::new();
    o.set("schema", SCHEMA);
    o.set("time", units::rfc3339(node.time.wall));
    match node.measured_interval {
        Some(interval) => o.set("interval_seconds", interval.as_secs_f64()),
        None => o.missing("interval_seconds", Why::FirstSample, "needs a second sample"),
    }
    o.set("cost_seconds", node.cost.as_secs_f64());
    o.set("host", host(&node.host));
    o.set("source", node.source.word());
    o.set("verdict", assessment.verdict);
    let rails = node.rails.iter().enumerate();
    let routes_of = |i| assessment.routes.iter().filter(|r| r.rail == i).collect::<Vec<_>>();
    o.list(
        "rails",
        rails.map(|(i, r)| rail::object(node, r, assessment.rails.get(i), &routes_of(i))),
    );
    o.list("groups", node.groups.iter().map(|g| group(node, g)));
    o.set("other_nics", other_nics(node));
    o.list("not_shown", node.not_shown.iter().map(not_shown));
    match &node.choice_note {
        Some(words) => o.set("choice_note", words),
        None => o.missing("choice_note", Why::NotApplicable, "the default choice of rails"),
    }
    o.set("lnet", lnet::object(node, &assessment.lnet));
    o.list("findings", assessment.findings.iter().map(assessment::finding));
    o
}

fn host(host: &Host) -> Value {
    let mut o = Object::new();
    o.put("name", &host.name);
    o.put("kernel", &host.kernel);
    let load = |i: usize| part(&host.load, |l| l.get(i).copied().unwrap_or(f64::NAN));
    o.put("load_1_minute", &load(0));
    o.put("load_5_minutes", &load(1));
    o.put("load_15_minutes", &load(2));
    o.put("memory_total_bytes", &part(&host.memory, |m| m.total_bytes));
    o.put("memory_available_bytes", &part(&host.memory, |m| m.available_bytes));
    o.put("cpu_count", &host.cpus);
    match &host.boot_time_seconds {
        Ok(seconds) => match jiff::Timestamp::from_second(i64::try_from(*seconds).unwrap_or(-1)) {
            Ok(time) => o.set("boot_time", units::rfc3339(time)),
            Err(_) => o.missing("boot_time", Why::Unparsable, &seconds.to_string()),
        },
        Err(unknown) => o.unknown("boot_time", unknown),
    }
    o.put("uid", &host.uid);
    o.finish()
}

fn part<T, U>(reading: &Reading<T>, get: impl Fn(&T) -> U) -> Reading<U> {
    reading.as_ref().map(get).map_err(Clone::clone)
}

fn group(node: &Node, group: &Group) -> Value {
    let mut o = Object::new();
    o.set("name", &group.name);
    o.set("origin", assessment::origin(group.origin));
    let names: Vec<_> =
        group.rails.iter().filter_map(|i| node.rails.get(*i)).map(|r| &r.name).collect();
    o.set("rails", names);
    o.set("usable_rail_count", group.usable_rails);
    o.put_fact("usable_bytes_per_second", &group.usable_bytes_per_second);
    let names = |at: usize| node.rails.get(at).map(|r| r.name.clone());
    let mut balance = both_sides(&names, &group.balance);
    if let Some(recent) = &group.recent {
        let mut o = both_sides(&names, recent);
        o.set("seconds", 10);
        balance.set("recent", o.finish());
    } else {
        balance.missing("recent", Why::FirstSample, "no ten seconds have passed yet");
    }
    if let Some(marked) = &group.since_mark {
        let mut o = both_sides(&names, &marked.balance);
        o.set("mark", &marked.mark);
        o.set("seconds", node.time.mono.since(marked.since).as_secs_f64());
        balance.set("since_mark", o.finish());
    }
    o.set("balance", balance.finish());
    o.finish()
}

/// The name of a rail by its place.
type Names<'a> = &'a dyn Fn(usize) -> Option<Text>;

fn both_sides(names: Names<'_>, balance: &Balance) -> Object {
    let mut o = Object::new();
    o.set("rx", balance_side(names, &balance.rx));
    o.set("tx", balance_side(names, &balance.tx));
    o
}

fn balance_side(names: Names<'_>, side: &BalanceSide) -> Value {
    let mut o = Object::new();
    o.put_fact("bytes_per_second", &side.bytes_per_second);
    o.put_fact("jain_index", &side.jain_index);
    match (side.slowest.and_then(names), &side.slowest_share_of_fair_ratio.value) {
        (Some(name), _) => o.set("slowest", &name),
        (None, Err(unknown)) => o.unknown("slowest", unknown),
        (None, Ok(_)) => o.missing("slowest", Why::NotApplicable, "no rail is the slowest"),
    }
    o.put_fact("slowest_share_of_fair_ratio", &side.slowest_share_of_fair_ratio);
    o.finish()
}

fn other_nics(node: &Node) -> Value {
    let mut o = Object::new();
    o.set("names", &node.other.names);
    o.set("rx", rail::flow(&node.other.rx));
    o.set("tx", rail::flow(&node.other.tx));
    o.finish()
}

fn not_shown(what: &crate::node::NotShown) -> Value {
    let mut o = Object::new();
    o.set("what", what.what);
    o.set("names", &what.names);
    o.set("hint", &what.hint);
    o.finish()
}

#[cfg(test)]
mod tests;
