//! The text of `lnetctl net show -v 4`, whatever version printed it, into nets.

use crate::sample::{LnetNet, LnetNi, Reading, Text, Unknown, Why};
use serde::de::{
    Deserialize, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess,
};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// Longer lines than any version prints; the YAML reader needs quadratic time for some of them.
const MAX_LINE: usize = 64 * 1024;

/// The nets of an output of `net show`, of any version and any `-v` level.
///
/// Known keys may be missing and unknown ones may be there. A last line without its newline is
/// left out: half of `health value: 1000` would be a wrong number.
pub fn net_show(stdout: &[u8]) -> Result<Vec<LnetNet>, Unknown> {
    let text = String::from_utf8_lossy(stdout);
    let complete = text.rfind('\n').map_or("", |end| &text[..=end]);
    let mut nets = Vec::new();
    let mut seen = false;
    for document in documents(complete).iter().filter(|d| d.contains("net:")) {
        let tree = tree(document)?;
        if let Some(list) = tree.get("net") {
            seen = true;
            collect_nets(list, &mut nets)?;
        }
    }
    if seen {
        Ok(nets)
    } else {
        Err(Unknown::new(Why::Unparsable, format!("no `net:` in it: {}", first_words(&text))))
    }
}

/// The first line that says something, cut to a length that fits on a screen.
pub(super) fn first_words(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|l| !l.is_empty()).unwrap_or_default();
    line.chars().take(160).collect()
}

/// A YAML value whose scalars are still as printed.
enum Tree<'a> {
    Null,
    Scalar(Cow<'a, str>),
    List(Vec<Tree<'a>>),
    Map(Vec<(Cow<'a, str>, Tree<'a>)>),
}

impl<'a> Tree<'a> {
    fn get(&self, key: &str) -> Option<&Tree<'a>> {
        match self {
            Tree::Map(entries) => entries.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    fn scalar(&self) -> Option<&str> {
        match self {
            Tree::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a list; one that stands alone is a list of one.
    fn items(&self) -> &[Tree<'a>] {
        match self {
            Tree::List(items) => items,
            Tree::Map(_) => std::slice::from_ref(self),
            _ => &[],
        }
    }
}

fn tree(document: &str) -> Result<Tree<'_>, Unknown> {
    if document.lines().any(|l| l.len() > MAX_LINE) {
        return Err(Unknown::new(Why::Unparsable, "a line of more than 64 KiB"));
    }
    yaml_serde::from_str(document).map_err(|e| {
        Unknown::new(Why::Unparsable, format!("not YAML: {}", first_words(&e.to_string())))
    })
}

/// Splits at `---` and `...`, which versions from 2.16 print around errors, and quotes plain
/// scalars so that `True`, `010` and `1e3` stay what was printed.
fn documents(text: &str) -> Vec<String> {
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

fn collect_nets(list: &Tree<'_>, nets: &mut Vec<LnetNet>) -> Result<(), Unknown> {
    if let Tree::Scalar(text) = list {
        let detail = format!("`net:` holds no list: {}", first_words(text));
        return Err(Unknown::new(Why::Unparsable, detail));
    }
    for item in list.items() {
        if let Some(ni) = item.get("nid").and_then(|_| local_ni(item)) {
            // 2.7 and before: no net above the NI; the NID tells it.
            match nets.iter_mut().find(|n| n.name == *ni.net()) {
                Some(net) => net.nis.push(ni),
                None => nets.push(LnetNet { name: ni.net().into(), nis: vec![ni] }),
            }
            continue;
        }
        let nis: Vec<LnetNi> = item
            .get("local NI(s)")
            .map_or(&[][..], Tree::items)
            .iter()
            .filter_map(local_ni)
            .collect();
        let printed = item.get("net type").and_then(Tree::scalar);
        if let Some(name) = printed.or_else(|| nis.first().map(LnetNi::net)) {
            nets.push(LnetNet { name: name.into(), nis });
        }
    }
    Ok(())
}

/// One NI; without a NID nothing can be said of it.
fn local_ni(item: &Tree<'_>) -> Option<LnetNi> {
    let mut raw = RawNi::default();
    let mut path = String::with_capacity(64);
    raw.take(item, &mut path);
    Some(LnetNi {
        nid: raw.nid.filter(|nid| !nid.is_empty())?.into(),
        status: text("status", raw.status),
        interfaces: raw.interfaces,
        send_count: number("send_count", raw.send_count),
        recv_count: number("recv_count", raw.recv_count),
        drop_count: number("drop_count", raw.drop_count),
        fatal_error: number("fatal_error", raw.fatal_error),
        health: number("health value", raw.health),
        dev_cpt: number("dev cpt", raw.dev_cpt),
        peer_credits: number("peer_credits", raw.peer_credits),
        credits: number("credits", raw.credits),
        cpt: text("CPT", raw.cpt),
        more: raw.more,
    })
}

#[derive(Default)]
struct RawNi<'a> {
    nid: Option<&'a str>,
    status: Option<&'a str>,
    interfaces: Vec<Text>,
    send_count: Option<&'a str>,
    recv_count: Option<&'a str>,
    drop_count: Option<&'a str>,
    fatal_error: Option<&'a str>,
    health: Option<&'a str>,
    dev_cpt: Option<&'a str>,
    peer_credits: Option<&'a str>,
    credits: Option<&'a str>,
    cpt: Option<&'a str>,
    more: Vec<(Text, Text)>,
}

impl<'a> RawNi<'a> {
    fn take(&mut self, tree: &'a Tree<'a>, path: &mut String) {
        match tree {
            Tree::Null => {}
            Tree::Scalar(value) => self.put(path, value),
            Tree::List(items) => {
                for (i, item) in items.iter().enumerate() {
                    self.below(&i.to_string(), item, path);
                }
            }
            Tree::Map(entries) => {
                for (key, value) in entries {
                    self.below(key, value, path);
                }
            }
        }
    }

    fn below(&mut self, key: &str, value: &'a Tree<'a>, path: &mut String) {
        let length = path.len();
        if length > 0 {
            path.push('/');
        }
        path.push_str(key);
        self.take(value, path);
        path.truncate(length);
    }

    fn put(&mut self, path: &str, value: &'a str) {
        let slot = match path {
            "nid" => &mut self.nid,
            "status" => &mut self.status,
            "statistics/send_count" => &mut self.send_count,
            "statistics/recv_count" => &mut self.recv_count,
            "statistics/drop_count" => &mut self.drop_count,
            "health stats/fatal_error" => &mut self.fatal_error,
            "health stats/health value" => &mut self.health,
            "dev cpt" => &mut self.dev_cpt,
            "tunables/peer_credits" => &mut self.peer_credits,
            "tunables/credits" => &mut self.credits,
            "CPT" => &mut self.cpt,
            _ if path.starts_with("interfaces/") => return self.interfaces.push(value.into()),
            _ => return self.more.push((path.into(), value.into())),
        };
        slot.get_or_insert(value);
    }
}

fn absent(key: &str) -> Unknown {
    Unknown::new(Why::Absent, format!("lnetctl printed no `{key}`"))
}

fn text(key: &str, value: Option<&str>) -> Reading<Text> {
    value.map(Text::from).ok_or_else(|| absent(key))
}

fn number<T: FromStr>(key: &str, value: Option<&str>) -> Reading<T> {
    let printed = value.ok_or_else(|| absent(key))?;
    let digits = printed.strip_prefix('-').unwrap_or(printed);
    let whole = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    printed
        .parse()
        .ok()
        .filter(|_| whole)
        .ok_or_else(|| Unknown::new(Why::Unparsable, format!("{key}: {}", first_words(printed))))
}

#[cfg(test)]
mod tests;
