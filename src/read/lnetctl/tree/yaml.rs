//! The same tree by the YAML crate, for what lnetctl has never been seen to print.

use super::{Tree, first_words};
use crate::sample::{Unknown, Why};
use serde::de::{
    Deserialize, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess,
};
use std::borrow::Cow;
use std::fmt;

/// Longer lines than any version prints; the YAML reader needs quadratic time for some of them.
const MAX_LINE: usize = 64 * 1024;

/// Gives every item below the top-level key `key`; false if no document has it.
pub(super) fn each(
    text: &str,
    key: &str,
    take: &mut dyn FnMut(&Tree<'_>),
) -> Result<bool, Unknown> {
    let mut seen = false;
    let named = format!("{key}:");
    for document in documents(text).iter().filter(|d| d.contains(&named)) {
        let tree = tree(document)?;
        let Some(list) = tree.get(key) else { continue };
        if let Tree::Scalar(text) = list {
            let detail = format!("`{key}:` holds no list: {}", first_words(text));
            return Err(Unknown::new(Why::Unparsable, detail));
        }
        seen = true;
        list.items().iter().for_each(&mut *take);
    }
    Ok(seen)
}

pub(super) fn tree(document: &str) -> Result<Tree<'_>, Unknown> {
    if document.lines().any(|l| l.len() > MAX_LINE) {
        return Err(Unknown::new(Why::Unparsable, "a line of more than 64 KiB"));
    }
    yaml_serde::from_str(document).map_err(|e| {
        Unknown::new(Why::Unparsable, format!("not YAML: {}", first_words(&e.to_string())))
    })
}

/// Splits at `---` and `...`, which versions from 2.16 print around errors, and quotes plain
/// scalars so that `True`, `010` and `1e3` stay what was printed.
pub(super) fn documents(text: &str) -> Vec<String> {
    let mut documents = vec![String::with_capacity(text.len() * 5 / 4)];
    for line in text.lines() {
        if matches!(line.trim_end(), "---" | "...") {
            documents.push(String::new());
        } else if let Some(document) = documents.last_mut() {
            push_verbatim(line, document);
        }
    }
    documents
}

fn push_verbatim(line: &str, out: &mut String) {
    let mut body = line.trim_start();
    let mut in_list = false;
    while let Some(rest) = body.strip_prefix("- ") {
        body = rest.trim_start();
        in_list = true;
    }
    let value = match body.split_once(": ") {
        Some((_, value)) => value.trim(),
        None if in_list => body.trim(),
        None => "",
    };
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'+' | b'-' | b'_');
    if !value.is_empty() && value.bytes().all(plain) {
        let line = line.trim_end();
        out.push_str(&line[..line.len() - value.len()]);
        out.push('\'');
        out.push_str(value);
        out.push('\'');
    } else {
        out.push_str(line);
    }
    out.push('\n');
}

struct Visitor;

impl<'de> serde::de::Visitor<'de> for Visitor {
    type Value = Tree<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML")
    }
    fn visit_borrowed_str<E: Error>(self, v: &'de str) -> Result<Self::Value, E> {
        Ok(Tree::Scalar(Cow::Borrowed(v)))
    }
    fn visit_str<E: Error>(self, v: &str) -> Result<Self::Value, E> {
        Ok(Tree::Scalar(Cow::Owned(v.to_owned())))
    }
    fn visit_bool<E: Error>(self, v: bool) -> Result<Self::Value, E> {
        Ok(Tree::Scalar(Cow::Borrowed(if v { "true" } else { "false" })))
    }
    fn visit_u64<E: Error>(self, v: u64) -> Result<Self::Value, E> {
        Ok(Tree::Scalar(Cow::Owned(v.to_string())))
    }
    fn visit_i64<E: Error>(self, v: i64) -> Result<Self::Value, E> {
        Ok(Tree::Scalar(Cow::Owned(v.to_string())))
    }
    fn visit_u128<E: Error>(self, v: u128) -> Result<Self::Value, E> {
        Ok(Tree::Scalar(Cow::Owned(v.to_string())))
    }
    fn visit_i128<E: Error>(self, v: i128) -> Result<Self::Value, E> {
        Ok(Tree::Scalar(Cow::Owned(v.to_string())))
    }
    fn visit_f64<E: Error>(self, v: f64) -> Result<Self::Value, E> {
        // `{:?}` keeps the point: 12.0 must not become the count 12.
        Ok(Tree::Scalar(Cow::Owned(format!("{v:?}"))))
    }
    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Tree::Null)
    }
    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Tree::Null)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Tree::List(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        // A list of pairs: keys may be integers (`0: eth0`) and may come twice.
        let mut map = Vec::new();
        while let Some(key) = entries.next_key::<Tree<'de>>()? {
            let value = entries.next_value()?;
            if let Tree::Scalar(key) = key {
                map.push((key, value));
            }
        }
        Ok(Tree::Map(map))
    }
    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Self::Value, A::Error> {
        // `! "text"`: the tag means nothing here.
        let (_, value) = tagged.variant::<String>()?;
        value.newtype_variant()
    }
}

impl<'de> Deserialize<'de> for Tree<'de> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(Visitor)
    }
}
