//! LNet: where it stands, its nets and NIs, and of the selected NI everything it says.

use super::paint::{self, Pair, cells, right, scrolled, text};
use super::rail::per_second;
use super::{Context, Extent};
use crate::check::{Assessment, Layer, RailAssessment, Verdict, ni_verdict};
use crate::node::{LnetStage, Node, Rail, RailNi, SourceKind};
use crate::sample::{Lnet, LnetFailure, LnetNi};
use crate::tui::format;
use crate::tui::glyphs;
use crate::tui::theme::Role;
use crate::units::{self, UNKNOWN};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

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
        LnetStage::NotLoaded => "not loaded".to_owned(),
        LnetStage::Loaded => "loaded, not configured".to_owned(),
        LnetStage::Configured => "configured, no net".to_owned(),
        LnetStage::Up if detail == Detail::Stage => "up".to_owned(),
        LnetStage::Up => format!("up, {}", nets(lnet)),
        LnetStage::Unknown => unknown_words(node).to_owned(),
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

/// Why the stage is not known.
fn unknown_words(node: &Node) -> &'static str {
    match &node.lnet.answer {
        Err(LnetFailure::NotInstalled) if node.lnet.modules.lnet == Some(true) => {
            "loaded, no lnetctl"
        }
        Err(LnetFailure::NotInstalled) => "not known, no lnetctl",
        Err(LnetFailure::Denied(_)) => "needs root",
        Err(LnetFailure::Timeout(_)) => "does not answer",
        Err(LnetFailure::Pending) if node.source == SourceKind::Capture => "not captured",
        Err(LnetFailure::Pending) => "asked …",
        _ => "cannot be read",
    }
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

/// Headings after the NID, with their widths; most useful first.
const COLUMNS: [(&str, u16); 9] = [
    ("ON", 8),
    ("STATUS", 6),
    ("HEALTH", 6),
    ("FATAL", 5),
    ("SENT/S", 8),
    ("RECV/S", 8),
    ("CREDITS", 7),
    ("DROPS", 8),
    ("CPT", 10),
];

struct Entry<'a> {
    ni: &'a LnetNi,
    joined: Option<(&'a Rail, &'a RailNi)>,
    verdict: Verdict,
}

/// Draws the screen.
pub(crate) fn draw(
    buffer: &mut Buffer,
    area: Rect,
    context: &Context<'_>,
    node: &Node,
    assessment: &Assessment,
) -> Extent {
    let head = head_lines(node, assessment);
    let mut y = area.y;
    let dim = context.style(Role::Dim);
    for (n, words) in head.iter().enumerate() {
        let style = if n == 0 { Style::new() } else { dim };
        text(buffer, area.x + 1, y, area.width - 2, words, style);
        y += 1;
    }
    let nis = nis(node, context);
    let cursor = context.view.cursor.min(nis.len().saturating_sub(1));
    let table = below(area, y + 1);
    let most = usize::from(table.height.saturating_sub(1) / 2).max(1);
    let rows = nis.len().min(most);
    let first = (cursor + 1).saturating_sub(rows);
    let nid = nis.iter().map(|one| cells(&one.ni.nid)).max().unwrap_or(0).clamp(12, 40);
    let nid = u16::try_from(nid).unwrap_or(40);
    let mut y = table.y;
    if !nis.is_empty() {
        row(buffer, table, y, ("NID", nid), &COLUMNS.map(|(name, _)| name.to_owned()), dim);
        y += 1;
    }
    for (n, one) in nis.iter().enumerate().skip(first).take(rows) {
        if y >= area.bottom() {
            break;
        }
        ni_row(buffer, table, y, context, one, nid, n == cursor);
        y += 1;
    }
    if nis.len() > rows {
        let words = format!("… {} NIs in all: j and k show the others", nis.len());
        text(buffer, area.x + 4, y, area.width.saturating_sub(5), &words, dim);
        y += 1;
    }
    let lines = nis.get(cursor).map_or_else(Vec::new, |one| more(one.ni, context, area.width));
    let extent = scrolled(buffer, below(area, y + 1), &lines, context);
    Extent { choices: nis.len(), ..extent }
}

/// What is left of an area from a row on.
fn below(area: Rect, y: u16) -> Rect {
    Rect { y, height: area.bottom().saturating_sub(y), ..area }
}

/// The stage; then modules, and what is wrong with the asking.
fn head_lines(node: &Node, assessment: &Assessment) -> Vec<String> {
    let mut lines = vec![stage_words(node, Detail::Version)];
    let modules = &node.lnet.modules;
    let known =
        [("lnet", modules.lnet), ("ko2iblnd", modules.ko2iblnd), ("ksocklnd", modules.ksocklnd)];
    let with = |state: Option<bool>| {
        let names: Vec<&str> = known.iter().filter(|m| m.1 == state).map(|m| m.0).collect();
        names.join(", ")
    };
    let parts = [("loaded", Some(true)), ("not loaded", Some(false)), ("not known", None)]
        .into_iter()
        .map(|(word, state)| (word, with(state)))
        .filter(|(_, names)| !names.is_empty())
        .map(|(word, names)| format!("{word}: {names}"));
    lines.push(format!("modules {}", parts.collect::<Vec<_>>().join("; ")));
    let gaps = assessment.not_checked.iter().filter(|gap| gap.what == "LNet");
    lines.extend(gaps.map(|gap| gap.why.to_string()));
    lines.extend(node.lnet_aged());
    lines
}

/// The NIs that the filter lets through; the loopback, which nobody looks for, last.
fn nis<'a>(node: &'a Node, context: &Context<'_>) -> Vec<Entry<'a>> {
    let Ok(answer) = &node.lnet.answer else { return Vec::new() };
    let all = || answer.nets.iter().flat_map(|net| &net.nis);
    all()
        .filter(|ni| !ni.is_lo())
        .chain(all().filter(|ni| ni.is_lo()))
        .filter(|ni| {
            context.passes(&ni.nid) || ni.interfaces.iter().any(|name| context.passes(name))
        })
        .map(|ni| {
            let joined = node.rails.iter().find_map(|rail| {
                let own = rail.lnet.iter().find(|own| own.ni.nid == ni.nid)?;
                Some((rail, own))
            });
            let verdict = ni_verdict(node, ni, joined.map(|(_, own)| own));
            Entry { ni, joined, verdict }
        })
        .collect()
}

fn row(
    buffer: &mut Buffer,
    area: Rect,
    y: u16,
    (nid, width): (&str, u16),
    fields: &[String; 9],
    style: Style,
) {
    let mut x = area.x + 4;
    text(buffer, x, y, width, nid, style);
    x += width + 1;
    for (n, (field, (_, width))) in fields.iter().zip(COLUMNS).enumerate() {
        if x + width >= area.right() {
            break;
        }
        if (2..=7).contains(&n) {
            right(buffer, x, y, width, field, style);
        } else {
            text(buffer, x, y, width, field, style);
        }
        x += width + 1;
    }
}

fn ni_row(
    buffer: &mut Buffer,
    area: Rect,
    y: u16,
    context: &Context<'_>,
    one: &Entry<'_>,
    width: u16,
    selected: bool,
) {
    let ni = one.ni;
    let verdict = one.verdict;
    let sign =
        format!("{}{}", if selected { glyphs::SELECTED } else { " " }, glyphs::verdict(verdict));
    text(buffer, area.x + 1, y, 2, &sign, context.style(Role::Verdict(verdict)));
    let on = one.joined.map_or_else(
        || ni.interfaces.first().map_or(UNKNOWN.to_owned(), ToString::to_string),
        |(rail, _)| rail.name.to_string(),
    );
    let rate = |pick: fn(&RailNi) -> &crate::node::Figure| {
        one.joined.map_or(UNKNOWN.to_owned(), |(_, own)| per_second(pick(own)))
    };
    let fields = [
        on,
        format::reading(&ni.status),
        format::reading(&ni.health),
        format::reading(&ni.fatal_error),
        rate(|own| &own.sent_per_second),
        rate(|own| &own.received_per_second),
        format::reading(&ni.credits),
        ni.drop_count.as_ref().map_or(UNKNOWN.to_owned(), |n| units::count((*n).into())),
        format::reading(&ni.cpt),
    ];
    let style = match verdict {
        Verdict::Critical | Verdict::Warning => context.style(Role::Verdict(verdict)),
        Verdict::NotApplicable => context.style(Role::Dim),
        _ => Style::new(),
    };
    row(buffer, area, y, (&ni.nid, width), &fields, style);
    if selected {
        text(buffer, area.x + 4, y, width, &ni.nid, context.style(Role::Selected));
    }
}

fn more(ni: &LnetNi, context: &Context<'_>, width: u16) -> Vec<Line<'static>> {
    let mut lines = vec![Line::styled(format!("ALL OF {}", ni.nid), context.style(Role::Dim))];
    let interfaces: Vec<&str> = ni.interfaces.iter().map(AsRef::as_ref).collect();
    let mut pairs = Vec::new();
    if !interfaces.is_empty() {
        pairs.push(Pair::new("interfaces", interfaces.join(" ")));
    }
    for (name, value) in [
        ("send_count", &ni.send_count),
        ("recv_count", &ni.recv_count),
        ("drop_count", &ni.drop_count),
        ("peer_credits", &ni.peer_credits),
        ("credits", &ni.credits),
    ] {
        pairs.push(Pair::reading(name, value, |n| units::count((*n).into())));
    }
    pairs.push(Pair::reading("dev cpt", &ni.dev_cpt, ToString::to_string));
    pairs.extend(ni.more.iter().map(|(path, value)| Pair::new(path, value.to_string())));
    lines.extend(paint::pairs(&pairs, context, usize::from(width.saturating_sub(2))));
    lines
}
