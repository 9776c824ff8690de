//! The object of `railtop run --json`, and events.

use super::object::Object;
use crate::node::{Event, FlowSummary, GroupSummary, IntervalSummary, RailSummary};
use crate::report::run::Run;
use crate::units;
use serde_json::Value;

/// The object of `railtop run --json`.
pub fn run(run: &Run) -> Value {
    let mut o = Object::new();
    o.set("schema", super::SCHEMA);
    o.set("label", &run.label);
    o.set("time", units::rfc3339(run.summary.began.wall));
    o.set("seconds", run.summary.lasted.as_secs_f64());
    o.set_or_null("exit_code", run.exit_code);
    o.list("rails", run.summary.rails.iter().map(rail));
    o.list("groups", run.summary.groups.iter().map(|g| group(g, &run.summary)));
    o.list("events", run.summary.events.iter().map(event));
    o.finish()
}

fn rail(rail: &RailSummary) -> Value {
    let mut o = Object::new();
    o.set("name", &rail.name);
    o.set("rx", flow(&rail.rx));
    o.set("tx", flow(&rail.tx));
    o.finish()
}

fn flow(flow: &FlowSummary) -> Value {
    let mut o = Object::new();
    o.put_fact("bytes", &flow.bytes);
    o.put_fact("mean_bytes_per_second", &flow.mean_bytes_per_second);
    o.put_fact("p95_bytes_per_second", &flow.p95_bytes_per_second);
    o.put_fact("peak_bytes_per_second", &flow.peak_bytes_per_second);
    o.put_fact("share_ratio", &flow.share_ratio);
    o.finish()
}

fn group(group: &GroupSummary, summary: &IntervalSummary) -> Value {
    let mut o = Object::new();
    o.set("name", &group.name);
    o.set("origin", super::assessment::origin(group.origin));
    o.set("rails", &group.rails);
    let name = |at: usize| summary.rails.get(at).map(|r| r.name.clone());
    o.set("balance", super::both_sides(&name, &group.balance).finish());
    o.finish()
}

/// Something that happened, as an object.
pub fn event(event: &Event) -> Value {
    let mut o = Object::new();
    o.set("time", units::rfc3339(event.time.wall));
    o.set("subject", &event.subject);
    o.set("kind", event.kind.word());
    o.set("text", &event.text);
    o.finish()
}
