//! What holds for every object of the machine contract, whatever the node.

use serde_json::Value;

/// May be `null` by nature.
const STRUCTURAL: [&str; 4] = ["rdma", "netdev", "caused_by", "first_failing_layer"];
const WHYS: [&str; 10] = [
    "denied",
    "absent",
    "unsupported",
    "unparsable",
    "timeout",
    "not_applicable",
    "inactive",
    "below_floor",
    "reset",
    "first_sample",
];

/// Every broken rule: a `null` without its reason, a reason of no known kind, a figure that
/// cannot be, a consequence without its root.
pub(crate) fn broken(object: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk(object, "", &mut found);
    roots(object, &mut found);
    found
}

fn walk(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                walk(item, &format!("{path}[{i}]"), found);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                let here = format!("{path}.{name}");
                let why = value["unknown"][name]["why"].as_str();
                if field.is_null() && !STRUCTURAL.contains(&name.as_str()) {
                    match why {
                        None => found.push(format!("{here} is null without a reason")),
                        Some(why) if !WHYS.contains(&why) => {
                            found.push(format!("{here}: {why} is no reason"));
                        }
                        Some(_) => {}
                    }
                }
                // An estimate may be wrong by as much as it likes.
                if value["qualified"][name].is_null() || name != "utilisation_ratio" {
                    figure(name, field, &here, found);
                }
                walk(field, &here, found);
            }
        }
        _ => {}
    }
}

fn figure(name: &str, value: &Value, path: &str, found: &mut Vec<String>) {
    let Some(number) = value.as_f64() else { return };
    let most = match name {
        "share_ratio" | "jain_index" => 1.0 + 1e-9,
        "utilisation_ratio" => 1.5,
        _ if name.ends_with("_per_second") => 1e15,
        _ => return,
    };
    if !(0.0..=most).contains(&number) {
        found.push(format!("{path} is {number}"));
    }
}

fn roots(object: &Value, found: &mut Vec<String>) {
    let empty = Vec::new();
    let findings = object["findings"].as_array().unwrap_or(&empty);
    for finding in findings.iter().filter(|f| !f["caused_by"].is_null()) {
        let rails = |f: &Value| f["rails"].as_array().cloned().unwrap_or_default();
        let is_root = |f: &Value| {
            let (ours, its) = (rails(finding), rails(f));
            f["id"] == finding["caused_by"]
                && f["caused_by"].is_null()
                && (ours == its || ours.iter().any(|rail| its.contains(rail)))
        };
        if !findings.iter().any(is_root) {
            found.push(format!(
                "{} follows from {}, which is not there",
                finding["id"], finding["caused_by"]
            ));
        }
    }
}

/// Whether a terminal or a log reader could take any of it for a command.
pub(crate) fn has_control(text: &str) -> bool {
    text.chars().any(|c| c.is_control() && c != '\n')
}
