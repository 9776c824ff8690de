//! What LNet says of the node as a whole: `stats`, `global`, `route`, `routing`, `udsp show`.

use super::{absent, number, text};
use crate::read::lnetctl::tree::{Tree, top};
use crate::sample::{
    LnetBuffers, LnetGlobal, LnetRoute, LnetRouting, LnetStats, LnetUdsp, Reading, Text, Unknown,
};
use std::str::FromStr;

fn scalars(item: &Tree<'_>, all: &mut Vec<(Text, Text)>) {
    item.scalars(&mut |path, value| all.push((path.into(), value.into())));
}

/// A number below a key of a map.
fn field<T: FromStr>(item: &Tree<'_>, key: &str) -> Reading<T> {
    number(key, item.get(key).and_then(Tree::scalar))
}

fn word<'t>(item: &'t Tree<'_>, key: &str) -> Option<&'t str> {
    item.get(key).and_then(Tree::scalar).filter(|word| !word.is_empty())
}

/// `stats show`.
pub fn stats_show(stdout: &[u8]) -> Result<LnetStats, Unknown> {
    let all = top(stdout, "statistics", scalars)?;
    let bytes = |key: &str| {
        let printed = all.iter().find(|(k, _)| &**k == key).map(|(_, v)| v.as_str());
        number(key, printed)
    };
    Ok(LnetStats {
        send_bytes: bytes("send_length"),
        recv_bytes: bytes("recv_length"),
        route_bytes: bytes("route_length"),
        drop_bytes: bytes("drop_length"),
        all,
    })
}

/// `global show`; 2.10 has none.
pub fn global_show(stdout: &[u8]) -> Result<LnetGlobal, Unknown> {
    Ok(LnetGlobal { all: top(stdout, "global", scalars)? })
}

/// `route show -v`.
pub fn route_show(stdout: &[u8]) -> Result<Vec<LnetRoute>, Unknown> {
    top(stdout, "route", |item, routes| routes.extend(route(item)))
}

/// One route; without its net and gateway it is none.
fn route(item: &Tree<'_>) -> Option<LnetRoute> {
    Some(LnetRoute {
        net: word(item, "net")?.into(),
        gateway: word(item, "gateway")?.into(),
        hop: field(item, "hop"),
        priority: field(item, "priority"),
        state: text("state", word(item, "state")),
        kind: text("type", word(item, "type")),
    })
}

/// `routing show`: one item per CPU partition, and one with `enable`.
pub fn routing_show(stdout: &[u8]) -> Result<LnetRouting, Unknown> {
    let parts = top(stdout, "routing", |item, parts| {
        for (key, value) in item.entries() {
            if key == "enable" {
                parts.push(Part::Enable(value.scalar().and_then(|v| v.parse().ok())));
            } else if let Some(cpt) = cpt(key) {
                for (size, pool) in value.entries() {
                    parts.push(Part::Pool(buffers(cpt, size, pool)));
                }
            }
        }
    })?;
    let mut routing = LnetRouting::default();
    for part in parts {
        match part {
            Part::Enable(enable) => routing.enable = routing.enable.or(enable),
            Part::Pool(pool) => routing.buffers.push(pool),
        }
    }
    Ok(routing)
}

enum Part {
    Enable(Option<u32>),
    Pool(LnetBuffers),
}

/// `cpt[3]`.
fn cpt(key: &str) -> Option<u32> {
    key.strip_prefix("cpt[")?.strip_suffix(']')?.parse().ok()
}

fn buffers(cpt: u32, size: &str, pool: &Tree<'_>) -> LnetBuffers {
    LnetBuffers {
        cpt,
        size: size.into(),
        buffers: field(pool, "nbuffers"),
        credits: field(pool, "credits"),
        min_credits: field(pool, "mincredits"),
    }
}

/// `udsp show`, from 2.15.
pub fn udsp_show(stdout: &[u8]) -> Result<Vec<LnetUdsp>, Unknown> {
    top(stdout, "udsp", |item, list| list.extend(udsp(item)))
}

fn udsp(item: &Tree<'_>) -> Option<LnetUdsp> {
    // 2.17.0 leaves out what older versions print as `NA`.
    let of = |key: &str| word(item, key).filter(|v| *v != "NA").map(Text::from);
    let (src, dst, rte) = (of("src"), of("dst"), of("rte"));
    let index = word(item, "idx");
    if index.is_none() && src.is_none() && dst.is_none() && rte.is_none() {
        return None;
    }
    let priority = item.get("action").and_then(|action| word(action, "priority"));
    Some(LnetUdsp {
        index: index.ok_or_else(|| absent("idx")).and_then(|idx| number("idx", Some(idx))),
        src,
        dst,
        rte,
        priority: priority.and_then(|v| number("priority", Some(v)).ok()),
    })
}
