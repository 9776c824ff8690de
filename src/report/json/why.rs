//! The object of `railtop why --json`.

use super::assessment;
use super::object::Object;
use crate::check::{Assessment, SelectionRung};
use crate::node::Node;
use serde_json::{Value, json};

/// One rail.
pub fn rail(node: &Node, assessment: &Assessment, index: usize) -> Value {
    let mut o = Object::new();
    let (Some(rail), Some(judged)) = (node.rails.get(index), assessment.rails.get(index)) else {
        return o.finish();
    };
    o.set("rail", &rail.name);
    assessment::rail(&mut o, judged);
    o.list("selection", judged.selection.iter().map(rung));
    let own = assessment.findings.iter().filter(|f| f.rails.contains(&rail.name));
    o.list("findings", own.map(assessment::finding));
    o.finish()
}

/// All rails.
pub fn rails(node: &Node, assessment: &Assessment) -> Value {
    let rails: Vec<Value> =
        (0..node.rails.len()).map(|index| rail(node, assessment, index)).collect();
    json!({ "rails": rails })
}

fn rung(rung: &SelectionRung) -> Value {
    let mut o = Object::new();
    o.set("net", &rung.net);
    o.set("nid", &rung.nid);
    o.set("rung", rung.rung);
    o.put("value", &rung.value);
    o.set("decides", rung.decides);
    o.set("detail", &rung.detail);
    o.list(
        "others",
        rung.others.iter().map(|(names, value)| json!({ "who": names, "value": value })),
    );
    o.finish()
}
