//! LNet in a few words, for the head and for the rails table.

use crate::check::{Layer, RailAssessment, Verdict, ni_verdict};
use crate::lnet::lifecycle;
use crate::node::{LnetStage, Node, Rail, SourceKind};
use crate::sample::Lnet;
use crate::tui::format;
use crate::units::UNKNOWN;

/// How much is told of LNet in a few words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// `LNet up`.
    Stage,
    /// `LNet up, o2ib 4 NIs`.
    Nets,
    /// `LNet 2.15.8 up, o2ib 4 NIs`.
    Version,
}

/// LNet in a few words.
pub(crate) fn stage_words(node: &Node, detail: Detail) -> String {
    let lnet = &node.lnet;
    let version = match &lnet.version {
        Ok(version) if detail == Detail::Version => format!(" {version}"),
        _ => String::new(),
    };
    let stage = match node.lnet_stage() {
        LnetStage::Absent => return "no LNet".to_owned(),
        LnetStage::Up if detail != Detail::Stage => format!("up, {}", nets(lnet)),
        stage => {
            let recorded = node.source == SourceKind::Capture;
            lifecycle::words(lnet, stage, recorded).to_owned()
        }
    };
    let mark = if node.lnet_aged().is_some() { " (stale)" } else { "" };
    format!("LNet{version} {stage}{mark}")
}

fn nets(lnet: &Lnet) -> String {
    let nets = lnet.answer.iter().flat_map(|a| &a.nets).filter(|net| &*net.name != "lo");
    let words: Vec<String> = nets
        .map(|net| match net.nis.len() {
            1 => format!("{} 1 NI", net.name),
            n => format!("{} {n} NIs", net.name),
        })
        .collect();
    words.join(", ")
}

/// The LNET column of a rail, and its verdict: that of the ladder.
pub(crate) fn rail_words(
    node: &Node,
    judged: Option<&RailAssessment>,
    rail: &Rail,
) -> (String, Verdict) {
    let rung = |layer| {
        let rung = judged.and_then(|j| j.ladder.iter().find(|r| r.layer == layer));
        rung.map_or(Verdict::Unknown, |r| r.verdict)
    };
    let (ni, health) = (rung(Layer::Ni), rung(Layer::Health));
    let bad = |v| matches!(v, Verdict::Warning | Verdict::Critical);
    let down = rail.lnet.iter().filter(|ni| bad(ni_verdict(node, &ni.ni, Some(ni)))).count();
    let words = match rail.lnet.as_slice() {
        [] if node.lnet.answer.is_ok() => "no NI".to_owned(),
        [] => UNKNOWN.to_owned(),
        [_] if down > 0 => "NI down".to_owned(),
        [one] => match (&one.ni.status, &one.ni.health) {
            (Ok(status), Ok(value)) if health != Verdict::Ok => format!("{status} {value}"),
            (status, _) => format::reading(status),
        },
        many if down > 0 => format!("{down} of {} down", many.len()),
        many => format!("{} NIs", many.len()),
    };
    (words, if bad(ni) { ni } else { health })
}
