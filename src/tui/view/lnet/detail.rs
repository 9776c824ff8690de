//! Everything of one NI, or of one peer.

use super::nis::Entry;
use crate::check::peer_verdict;
use crate::node::{MessageKind, Messages, NiFigures, Node, Peer, PeerCount, PeerNi};
use crate::sample::{Fact, Reading};
use crate::tui::format;
use crate::tui::glyphs;
use crate::tui::theme::Role;
use crate::tui::view::Context;
use crate::tui::view::paint::{self, Pair, cells, pad, wrap};
use crate::units;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// Of this width the messages and the rest of an NI stand side by side.
const WIDE: usize = 140;

/// An NI.
pub(super) fn ni(entry: &Entry<'_>, context: &Context<'_>, width: usize) -> Vec<Line<'static>> {
    let ni = entry.ni;
    let dim = context.style(Role::Dim);
    let mut lines = vec![Line::styled(format!("ALL OF {}, ON {}", ni.nid, entry.on()), dim)];
    let pairs = ni_pairs(entry);
    let Some(figures) = entry.figures else {
        lines.extend(paint::pairs(&pairs, context, width));
        return lines;
    };
    let messages = messages(figures, context);
    let left = messages.iter().map(Line::width).max().unwrap_or(0) + 4;
    if width >= WIDE {
        let rest = paint::pairs(&pairs, context, width.saturating_sub(left));
        lines.extend(paint::beside(messages, rest, left));
    } else {
        lines.extend(messages);
        lines.extend(paint::pairs(&pairs, context, width));
    }
    lines
}

fn ni_pairs(entry: &Entry<'_>) -> Vec<Pair> {
    let ni = entry.ni;
    let mut pairs = vec![
        Pair::reading("status", &ni.status, ToString::to_string),
        Pair::reading("health value", &ni.health, ToString::to_string),
        Pair::reading("fatal_error", &ni.fatal_error, ToString::to_string),
    ];
    let interfaces: Vec<&str> = ni.interfaces.iter().map(AsRef::as_ref).collect();
    if !interfaces.is_empty() {
        pairs.push(Pair::new("interfaces", interfaces.join(" ")));
    }
    if let Some(own) = entry.figures {
        for failure in &own.failures {
            // What a version does not print is not worth a line each.
            if let Ok(count) = &failure.count {
                pairs.push(Pair::new(failure.name, with_rate(*count, &failure.per_second)));
            }
        }
        pairs.extend([
            fact("share of messages", &own.message_share_ratio, format::percent),
            fact("share of requests", &own.request_share_ratio, format::percent),
            fact("share of port bytes", &own.byte_share_ratio, format::percent),
            Pair::reading("credits free", &own.credits, |c| format!("{} of {}", c.free, c.max)),
            Pair::reading("credits lowest", &own.credits, |c| c.min.to_string()),
        ]);
    }
    pairs.extend([
        Pair::reading("credits", &ni.credits, ToString::to_string),
        Pair::reading("peer_credits", &ni.peer_credits, ToString::to_string),
        Pair::reading("dev cpt", &ni.dev_cpt, ToString::to_string),
        Pair::reading("CPT", &ni.cpt, ToString::to_string),
    ]);
    let told = |path: &str| {
        let (group, name) = path.split_once('/').unwrap_or(("", path));
        group.ends_with("_stats")
            || entry.figures.is_some_and(|f| group == "health stats" && f.failure(name).is_some())
    };
    let rest = ni.more.iter().filter(|(path, _)| entry.figures.is_none() || !told(path));
    pairs.extend(rest.map(|(path, value)| {
        let name = path.rsplit('/').next().unwrap_or(path);
        Pair::new(name, value.to_string())
    }));
    pairs
}

/// `17`, `17, 0.5/s`.
fn with_rate(count: u32, per_second: &crate::node::Figure) -> String {
    let count = units::count(count.into());
    match per_second.ok() {
        Some(rate) if *rate > 0.0 => format!("{count}, {}/s", format::messages(per_second)),
        _ => count,
    }
}

/// A figure in these words, or why it is not known.
fn fact(
    name: &str,
    figure: &crate::node::Figure,
    words: impl Fn(&crate::node::Figure) -> String,
) -> Pair {
    Pair::new(name, figure.value.as_ref().map_or_else(format::why_not, |_| words(figure)))
}

/// Rates and counts by type and direction.
fn messages(own: &NiFigures, context: &Context<'_>) -> Vec<Line<'static>> {
    let directions = [&own.sent, &own.received, &own.dropped];
    let dim = context.style(Role::Dim);
    let mut head = pad("MESSAGES", 9);
    head.extend(["SENT/S", "RECV/S", "DROP/S"].map(|name| lead(name, 9)));
    head.extend(["SENT", "RECEIVED", "DROPPED"].map(|name| lead(name, 14)));
    let mut lines = vec![Line::styled(head, dim)];
    let mut row = |name: &str, rates: [String; 3], counts: [String; 3]| {
        let figures = rates.iter().map(|r| lead(r, 9)).chain(counts.iter().map(|c| lead(c, 14)));
        let figures: String = figures.collect();
        lines.push(Line::from(vec![Span::styled(pad(name, 9), dim), Span::raw(figures)]));
    };
    let all = directions.map(|m| format::messages(&m.per_second));
    row("all", all, [const { String::new() }; 3]);
    for kind in MessageKind::ALL {
        let of =
            |m: &Messages| m.kinds.get(kind as usize).map(format::messages).unwrap_or_default();
        let count = |m: &Messages| {
            let count = m.counts.get(kind as usize).and_then(|c| c.as_ref().ok());
            count.map_or(units::UNKNOWN.to_owned(), |c| units::count((*c).into()))
        };
        row(kind.word(), directions.map(of), directions.map(count));
    }
    lines
}

/// The same text with spaces before it.
fn lead(s: &str, width: usize) -> String {
    format!("{}{s}", " ".repeat(width.saturating_sub(cells(s))))
}

/// A peer: what is wrong with it, then each of its NIs.
pub(super) fn peer(
    node: &Node,
    peer: &Peer<'_>,
    context: &Context<'_>,
    width: usize,
) -> Vec<Line<'static>> {
    let dim = context.style(Role::Dim);
    let raw = peer.raw;
    let yes = |r: &Reading<bool>| match r {
        Ok(true) => "multi-rail",
        Ok(false) => "not multi-rail",
        Err(_) => "multi-rail or not: not known",
    };
    let verdict = peer_verdict(node, peer);
    let head = format!("ALL OF PEER {}: {} NIDS", raw.primary_nid, raw.nis.len());
    let mut lines = vec![Line::styled(head, dim)];
    let words = peer.words(node.time.mono);
    let words =
        if words.is_empty() { "nothing is wrong that LNet knows of".to_owned() } else { words };
    for (n, part) in wrap(&words, width.saturating_sub(2).max(1)).into_iter().enumerate() {
        let sign = if n == 0 { glyphs::verdict(verdict) } else { " " };
        let style = context.style(Role::Verdict(verdict));
        lines.push(Line::from(vec![Span::styled(format!("{sign} "), style), Span::raw(part)]));
    }
    let bits = format::explained(&raw.state_bits);
    lines.push(Line::styled(format!("{}; peer state {bits}", yes(&raw.multi_rail)), dim));
    for ni in peer.nis() {
        lines.push(Line::default());
        let beyond = if ni.is_elsewhere { ", a net that this node does not have" } else { "" };
        lines.push(Line::styled(format!("{}{beyond}", ni.raw.nid), Style::new()));
        lines.extend(paint::pairs(&peer_pairs(&ni, node), context, width));
    }
    lines
}

fn peer_pairs(ni: &PeerNi<'_>, node: &Node) -> Vec<Pair> {
    let raw = ni.raw;
    let number = |name: &str, r: &Reading<i32>| Pair::reading(name, r, ToString::to_string);
    let mut pairs = vec![
        Pair::reading("state", &raw.state, ToString::to_string),
        Pair::reading("health value", &raw.health, ToString::to_string),
        number("tx credits free", &raw.tx_credits),
        number("tx credits lowest", &raw.min_tx_credits),
        number("tx credits", &raw.max_tx_credits),
        Pair::reading("queued", &raw.queued_bytes, |b| units::size(*b)),
        number("rtr credits free", &raw.rtr_credits),
        number("rtr credits lowest", &raw.min_rtr_credits),
    ];
    for count in PeerCount::ALL {
        pairs.push(Pair::reading(count.word(), count.of(raw), |n| units::count((*n).into())));
        if let figure @ Fact { value: Ok(_), .. } = &ni.per_second(count) {
            pairs.push(Pair::new(&format!("{}/s", count.word()), format::messages(figure)));
        }
    }
    if let Err(unknown) = &ni.per_second(PeerCount::Sent).value {
        pairs.push(Pair::new("rates", format::why_not(unknown)));
    }
    pairs.push(Pair::reading("ping_count", &raw.ping_count, ToString::to_string));
    let now = node.time.mono.0 / 1_000_000_000;
    let next = |at: &u64| match at.checked_sub(now) {
        Some(wait) if wait > 0 => format!("in {wait} s"),
        _ => "none is due".to_owned(),
    };
    pairs.push(Pair::reading("next ping", &raw.next_ping, next));
    pairs.push(Pair::reading("net priority", &raw.net_priority, ToString::to_string));
    pairs.push(Pair::reading("nid priority", &raw.nid_priority, ToString::to_string));
    if !raw.preferred_sources.is_empty() {
        let all: Vec<&str> = raw.preferred_sources.iter().map(AsRef::as_ref).collect();
        pairs.push(Pair::new("sent from", all.join(" ")));
    }
    pairs
}
