//! A JSON object that cannot hold a `null` without its reason.

use crate::sample::{Fact, Reading, Unknown, Why};
use serde::Serialize;
use serde_json::{Map, Value, json};

const UNKNOWN: &str = "unknown";
const QUALIFIED: &str = "qualified";

/// An object under construction.
pub(super) struct Object {
    fields: Map<String, Value>,
    unknown: Map<String, Value>,
    qualified: Map<String, Value>,
}

impl Object {
    pub(super) fn new() -> Self {
        Self { fields: Map::new(), unknown: Map::new(), qualified: Map::new() }
    }

    /// A value that is known. What JSON cannot hold (NaN, infinite) is unknown after all.
    pub(super) fn set(&mut self, field: &str, value: impl Serialize) {
        match serde_json::to_value(value) {
            Ok(Value::Null) => self.missing(field, Why::Unparsable, "not a finite number"),
            Ok(value) => {
                self.fields.insert(safe(field), value);
            }
            Err(error) => self.missing(field, Why::Unparsable, &error.to_string()),
        }
    }

    /// A value, or why not.
    pub(super) fn put<T: Serialize>(&mut self, field: &str, value: &Reading<T>) {
        match value {
            Ok(value) => self.set(field, value),
            Err(unknown) => self.unknown(field, unknown),
        }
    }

    /// A value, or why not; and how it is weak.
    pub(super) fn put_fact<T: Serialize>(&mut self, field: &str, fact: &Fact<T>) {
        self.put(field, &fact.value);
        if let (Some(q), Ok(_)) = (&fact.qualified, &fact.value) {
            self.qualify(field, q.how.word(), &q.detail);
        }
    }

    /// The field is known but weak.
    pub(super) fn qualify(&mut self, field: &str, how: &str, detail: &str) {
        if self.fields.get(&safe(field)).is_some_and(|v| !v.is_null()) {
            self.qualified.insert(safe(field), json!({ "how": how, "detail": detail }));
        }
    }

    /// Not known.
    pub(super) fn unknown(&mut self, field: &str, unknown: &Unknown) {
        self.missing(field, unknown.why, &unknown.detail);
    }

    /// Not known, for a reason of our own.
    pub(super) fn missing(&mut self, field: &str, why: Why, detail: &str) {
        self.fields.insert(safe(field), Value::Null);
        self.explain(field, why, detail);
    }

    /// The field has a word for not being known; this says why.
    pub(super) fn explain(&mut self, field: &str, why: Why, detail: &str) {
        self.unknown.insert(safe(field), json!({ "why": why.word(), "detail": detail }));
    }

    /// Absent by nature: the one kind of `null` that needs no reason.
    pub(super) fn set_or_null(&mut self, field: &str, value: Option<impl Serialize>) {
        match value {
            Some(value) => self.set(field, value),
            None => {
                self.fields.insert(safe(field), Value::Null);
            }
        }
    }

    pub(super) fn list(&mut self, field: &str, items: impl Iterator<Item = Value>) {
        self.fields.insert(safe(field), Value::Array(items.collect()));
    }

    pub(super) fn finish(mut self) -> Value {
        for (name, map) in [(UNKNOWN, self.unknown), (QUALIFIED, self.qualified)] {
            if !map.is_empty() {
                self.fields.insert(name.to_owned(), Value::Object(map));
            }
        }
        Value::Object(self.fields)
    }
}

/// Counters are named by drivers: none may take the place of the two words of the contract.
fn safe(field: &str) -> String {
    if field == UNKNOWN || field == QUALIFIED { format!("{field}_") } else { field.to_owned() }
}
