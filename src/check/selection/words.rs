//! What LNet's choice means for a rail, in one line.

use super::{Net, Scene};
use crate::check::Verdict;
use crate::check::view::RailView;
use crate::lnet::select::{Criterion, Fate};
use crate::node::Node;
use std::fmt::Write;

/// The rung of a rail that has NIs: that of the NI which is chosen least.
pub(super) fn rung(scene: &Scene<'_>, view: &RailView<'_>) -> (Verdict, String) {
    let mut said: Vec<(Verdict, String)> = Vec::new();
    for ni in &view.rail.lnet {
        let Some((net, place)) = scene.place(ni) else { continue };
        let (verdict, words) = of_ni(scene.node, net, place);
        let several = view.rail.lnet.len() > 1;
        said.push((verdict, if several { format!("{}: {words}", ni.net) } else { words }));
    }
    let worst = |verdict: &Verdict| match verdict {
        Verdict::Note => 2,
        Verdict::Unknown => 1,
        _ => 0,
    };
    let verdict = said.iter().map(|(verdict, _)| *verdict).max_by_key(worst);
    let words: Vec<String> = said.into_iter().map(|(_, words)| words).collect();
    (verdict.unwrap_or(Verdict::Unknown), words.join("; "))
}

fn of_ni(node: &Node, net: &Net<'_>, place: usize) -> (Verdict, String) {
    if let Some(words) = beaten(net) {
        return (Verdict::Note, words);
    }
    let nid = net.contest.nis.get(place).map_or("", |ni| ni.nid.as_str());
    if net.binding.as_ref().is_some_and(|b| b.excludes(nid)) {
        return (Verdict::Note, "never chosen: every peer is bound to another NI".into());
    }
    match net.contest.fate(place) {
        Fate::Alone => (Verdict::Ok, format!("the only NI of {}", net.contest.net)),
        Fate::InTurn(with) if with.is_empty() => {
            (Verdict::Ok, "takes all: LNet avoids the others".into())
        }
        Fate::InTurn(with) => {
            let mut words = format!("in turn with {}", net.names(node, &with));
            if let Some(single) = net.binding.as_ref().map(|b| b.single).filter(|n| *n > 0) {
                let bound =
                    if single == 1 { "is bound to one NI" } else { "are bound to one NI each" };
                let _ = write!(words, ", but {} {bound}", super::peers(single));
            }
            (Verdict::Ok, words)
        }
        Fate::Nearest(cpts) => {
            let listed: Vec<String> = cpts.iter().map(ToString::to_string).collect();
            let listed: Vec<&str> = listed.iter().map(String::as_str).collect();
            (
                Verdict::Ok,
                format!(
                    "NUMA distance: only for messages in memory of node {}",
                    super::said(&listed)
                ),
            )
        }
        Fate::Never(criterion, better) => {
            (Verdict::Note, avoided(&net.names(node, &better), criterion, better.len() > 1))
        }
        Fate::Unknown(criterion, why) => {
            (Verdict::Unknown, format!("{} not known: {why}", noun(criterion)))
        }
    }
}

/// Every peer that is on another net too is reached over that.
fn beaten(net: &Net<'_>) -> Option<String> {
    let standing = net.standing.as_ref()?;
    let (criterion, instead, count) = standing.beaten.first()?;
    let all = net.binding.as_ref().is_some_and(|b| b.peers == *count);
    all.then(|| {
        format!(
            "never chosen: {instead} is preferred to {} ({})",
            net.contest.net,
            noun(*criterion)
        )
    })
}

fn avoided(better: &str, criterion: Criterion, several: bool) -> String {
    let (have, are) = if several { ("have", "are") } else { ("has", "is") };
    match criterion {
        Criterion::Fatal => format!("never chosen while {better} {have} a link"),
        Criterion::Health => format!("never chosen while {better} {have} a higher health"),
        Criterion::Udsp => format!("never chosen: a policy (UDSP) prefers {better}"),
        _ => format!("never chosen: {better} {are} nearer to all memory"),
    }
}

/// A criterion for people.
pub(super) fn noun(criterion: Criterion) -> &'static str {
    match criterion {
        Criterion::PeerNetHealth => "health of the peer's net",
        Criterion::PeerNetUdsp => "policy for the peer's net",
        Criterion::NetHealth => "health of the net",
        Criterion::NetUdsp => "policy for the net",
        Criterion::Fatal => "fatal_error",
        Criterion::Health => "health",
        Criterion::Udsp => "UDSP priority",
        Criterion::Device => "GPU distance",
        Criterion::Numa => "NUMA distance",
        Criterion::Credits => "free credits",
        Criterion::RoundRobin => "round robin",
    }
}
