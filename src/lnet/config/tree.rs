//! YAML as `lnetctl` reads it: keys in order, the same key more than once, integers as keys.

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use std::fmt;

/// Files and lines that are longer are not read; the YAML reader needs quadratic time for some.
const MAX_TEXT: usize = 1024 * 1024;
const MAX_LINE: usize = 64 * 1024;

/// A node.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Tree {
    /// Nothing behind the colon.
    Null(()),
    /// `true`, `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// Text.
    Text(String),
    /// A sequence.
    List(Vec<Tree>),
    /// A mapping, in order.
    Map(Pairs),
}

/// Keys with their values, in order; a key may come twice.
#[derive(Clone, Debug, PartialEq)]
pub struct Pairs(pub Vec<(String, Tree)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Pairs;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some((key, value)) = map.next_entry::<Tree, Tree>()? {
                    if let Some(key) = key.scalar() {
                        pairs.push((key, value));
                    }
                }
                Ok(Pairs(pairs))
            }
        }
        d.deserialize_map(InOrder)
    }
}

impl Tree {
    /// Reads a text; more than one document are put one behind the other.
    pub fn read(text: &str) -> Result<Vec<(String, Tree)>, String> {
        if text.len() > MAX_TEXT || text.lines().any(|l| l.len() > MAX_LINE) {
            return Err("longer than 1 MiB, or a line longer than 64 KiB".into());
        }
        let mut top = Vec::new();
        // As shipped: nothing but comments, which the YAML reader calls an unexpected end.
        if text.lines().map(str::trim).all(|l| l.is_empty() || l.starts_with('#')) {
            return Ok(top);
        }
        for document in yaml_serde::Deserializer::from_str(text) {
            match Tree::deserialize(document) {
                Ok(Tree::Map(Pairs(pairs))) => top.extend(pairs),
                Ok(Tree::Null(())) => {}
                Ok(_) => return Err("no keys at the top".into()),
                Err(e) => return Err(e.to_string()),
            }
        }
        Ok(top)
    }

    /// A scalar as text.
    pub fn scalar(&self) -> Option<String> {
        match self {
            Tree::Text(text) => Some(text.clone()),
            Tree::Integer(number) => Some(number.to_string()),
            Tree::Float(number) => Some(number.to_string()),
            Tree::Bool(flag) => Some(flag.to_string()),
            Tree::Null(()) | Tree::List(_) | Tree::Map(_) => None,
        }
    }

    /// The value of a key of a mapping.
    pub fn get(&self, key: &str) -> Option<&Tree> {
        match self {
            Tree::Map(Pairs(pairs)) => pairs.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The items of a sequence; a mapping that stands alone is a sequence of one.
    pub fn items(&self) -> &[Tree] {
        match self {
            Tree::List(items) => items,
            Tree::Map(_) => std::slice::from_ref(self),
            _ => &[],
        }
    }

    /// The scalars of `0: eth0`, `1: eth1`, or of a sequence, or one alone.
    pub fn values(&self) -> Vec<String> {
        match self {
            Tree::Map(Pairs(pairs)) => pairs.iter().filter_map(|(_, v)| v.scalar()).collect(),
            Tree::List(items) => items.iter().filter_map(Tree::scalar).collect(),
            _ => self.scalar().into_iter().collect(),
        }
    }
}
