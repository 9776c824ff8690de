//! The texts of lnetctl, whatever version printed them, into sample types; here those of
//! `net show -v 4`.

mod nis;
mod peers;
mod whole;

pub use nis::nis;
pub use peers::peer_show;
pub use whole::{global_show, route_show, routing_show, stats_show, udsp_show};

use super::tree::{Tree, first_words, top};
use crate::sample::{LnetNet, LnetNi, Reading, Text, Unknown, Why};
use std::str::FromStr;

/// The nets of an output of `net show`, of any version and any `-v` level.
///
/// Known keys may be missing and unknown ones may be there. A last line without its newline is
/// left out: half of `health value: 1000` would be a wrong number.
pub fn net_show(stdout: &[u8]) -> Result<Vec<LnetNet>, Unknown> {
    top(stdout, "net", collect_net)
}

fn collect_net(item: &Tree<'_>, nets: &mut Vec<LnetNet>) {
    if let Some(ni) = item.get("nid").and_then(|_| local_ni(item)) {
        // 2.7 and before: no net above the NI; the NID tells it.
        match nets.iter_mut().find(|n| n.name == *ni.net()) {
            Some(net) => net.nis.push(ni),
            None => nets.push(LnetNet { name: ni.net().into(), nis: vec![ni] }),
        }
        return;
    }
    let nis: Vec<LnetNi> =
        item.get("local NI(s)").map_or(&[][..], Tree::items).iter().filter_map(local_ni).collect();
    let printed = item.get("net type").and_then(Tree::scalar);
    if let Some(name) = printed.or_else(|| nis.first().map(LnetNi::net)) {
        nets.push(LnetNet { name: name.into(), nis });
    }
}

/// One NI; without a NID nothing can be said of it.
fn local_ni(item: &Tree<'_>) -> Option<LnetNi> {
    let mut raw = RawNi::default();
    item.scalars(&mut |path, value| raw.put(path, value));
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
mod more_tests;
#[cfg(test)]
mod tests;
