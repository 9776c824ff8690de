//! The judgement: verdicts, ladders, findings.

use super::object::Object;
use crate::check::{Finding, RailAssessment, Rung};
use crate::node::GroupOrigin;
use serde_json::Value;

/// The fields of a rail that the checks decide.
pub(super) fn rail(o: &mut Object, rail: &RailAssessment) {
    o.set("verdict", rail.verdict);
    o.set("state_word", &rail.state_word);
    o.set_or_null("first_failing_layer", rail.first_failing);
    o.list("layers", rail.ladder.iter().map(rung));
}

fn rung(rung: &Rung) -> Value {
    let mut o = Object::new();
    o.set("layer", rung.layer);
    o.set("verdict", rung.verdict);
    o.set("detail", &rung.detail);
    if let Some(id) = rung.finding {
        o.set("finding", id);
    }
    o.finish()
}

pub(super) fn finding(finding: &Finding) -> Value {
    let mut o = Object::new();
    o.set("id", finding.id);
    o.set("severity", finding.severity);
    o.set("layer", finding.layer);
    o.set("rails", &finding.rails);
    o.set_or_null("caused_by", finding.caused_by);
    o.set("summary", &finding.summary);
    o.set("evidence", &finding.evidence);
    o.set("fix", &finding.fix);
    o.set("undo", &finding.undo);
    o.set("verify", &finding.verify);
    o.finish()
}

/// Why rails are a group.
pub(super) fn origin(origin: GroupOrigin) -> &'static str {
    match origin {
        GroupOrigin::LnetNet => "lnet_net",
        GroupOrigin::Config => "config",
        GroupOrigin::Guess => "guess",
    }
}
