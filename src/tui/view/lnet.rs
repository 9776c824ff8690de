//! LNet: where it stands, its nets and NIs, its peers, routes and settings.
//!
//! ```text
//!  LNet 2.15.8 up, o2ib 4 NIs                             where it stands
//!  LNet 40 GB/s in …  the ports of its rails …            what moves
//!    NID  ON  HEALTH  CREDITS  SENT/S …                   the NIs
//!  PEERS 128, 2 not well   ROUTES 1   SETTINGS            one of three panels, ← → turns them
//!  …
//!  ALL OF …                                               the selected one, where there is room
//! ```

mod detail;
mod nis;
mod peers;
mod settings;
mod table;
mod words;

pub(crate) use words::{Detail, rail_words, stage_words};

use super::paint::{cells, line, right, scrolled, text};
use super::{Context, Extent};
use crate::check::{Assessment, Verdict};
use crate::lnet::lifecycle::{Lifecycle, StartedBy};
use crate::node::{LnetStage, Node, Peer, Peers};
use crate::tui::format;
use crate::tui::nids;
use crate::tui::state::LnetPanel;
use crate::tui::theme::Role;
use crate::units;
use nis::Entry;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// From this height on the selected NI or peer is told without being opened.
const TALL: u16 = 34;
/// From this width on routes and settings stand beside the peers.
const WIDE: u16 = 140;

/// Draws the screen.
pub(crate) fn draw(
    buffer: &mut Buffer,
    area: Rect,
    context: &Context<'_>,
    node: &Node,
    assessment: &Assessment,
) -> Extent {
    let y = head(buffer, area, context, node, assessment);
    let nis = nids::nis(node, &context.view.filter);
    let nis: Vec<Entry<'_>> = nis.map(|ni| Entry::new(node, assessment, ni)).collect();
    let at = context.nids.at();
    let peers = node.lnet_figures.peers.as_deref().ok();
    let selected_peer = at.checked_sub(nis.len());
    let width = usize::from(area.width.saturating_sub(2));
    let told = |width: usize| match selected_peer {
        None => nis.get(at).map_or_else(Vec::new, |one| detail::ni(one, context, width)),
        Some(n) => peer_at(context, peers, n)
            .map_or_else(Vec::new, |peer| detail::peer(node, &peer, context, width)),
    };
    if context.view.lnet.open {
        return scrolled(buffer, below(area, y), &told(width), context);
    }
    let mut y = y;
    if !nis.is_empty() {
        let rows = usize::from((area.height / 3).saturating_sub(1)).max(1);
        let selected = selected_peer.is_none().then_some(at);
        y = nis::draw(buffer, below(area, y), context, &nis, selected, rows) + 1;
    }
    let mut rest = below(area, y);
    if area.height >= TALL {
        let lines = told(width);
        let wanted = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(1);
        let height = wanted.min(rest.height / 2);
        let (upper, lower) = (rest.height - height, below(rest, rest.bottom() - height + 1));
        rest.height = upper;
        for (row, content) in (lower.y..lower.bottom()).zip(&lines) {
            line(buffer, lower.x + 1, row, lower.width.saturating_sub(2), content);
        }
        let more = lines.len().saturating_sub(usize::from(lower.height));
        if more > 0 && lower.height > 0 {
            let words = format!(" {more} more: Enter ");
            let width = lower.width.saturating_sub(1);
            right(buffer, lower.x, lower.bottom() - 1, width, &words, context.style(Role::Badge));
        }
    }
    panel(buffer, rest, context, node, selected_peer)
}

/// The peer at a place among those that the filter lets through.
fn peer_at<'a>(context: &Context<'_>, peers: Option<&'a Peers>, n: usize) -> Option<Peer<'a>> {
    peers?.get(context.nids.peer(n)?)
}

/// What is left of an area from a row on.
fn below(area: Rect, y: u16) -> Rect {
    let y = y.min(area.bottom());
    Rect { y, height: area.bottom() - y, ..area }
}

/// LNet's life, what is wrong with the asking, what moves. The row behind it.
fn head(
    buffer: &mut Buffer,
    area: Rect,
    context: &Context<'_>,
    node: &Node,
    assessment: &Assessment,
) -> u16 {
    let width = usize::from(area.width.saturating_sub(2));
    let mut lines = life(node, &assessment.lnet, context, width, area.height >= TALL);
    let dim = context.style(Role::Dim);
    let gaps = assessment.not_checked.iter().filter(|gap| gap.what == "LNet");
    let mut quiet: Vec<String> = gaps.map(|gap| gap.why.to_string()).collect();
    quiet.extend(node.lnet_aged());
    lines.extend(quiet.into_iter().map(|words| Line::styled(words, dim)));
    if !node.lnet_figures.nis.is_empty() {
        lines.push(volume(node, context, width));
    }
    for (y, content) in (area.y..area.bottom()).zip(&lines) {
        line(buffer, area.x + 1, y, area.width.saturating_sub(2), content);
    }
    area.y + u16::try_from(lines.len()).unwrap_or(area.height) + 1
}

/// Where LNet stands, who started it and uses it, what ends it, what comes next.
fn life(
    node: &Node,
    life: &Lifecycle,
    context: &Context<'_>,
    width: usize,
    roomy: bool,
) -> Vec<Line<'static>> {
    let dim = context.style(Role::Dim);
    let mut first = vec![Span::raw(stage_words(node, Detail::Version))];
    let mut add = |words: &str, style| {
        let taken: usize = first.iter().map(Span::width).sum();
        if taken + 3 + cells(words) <= width {
            first.push(Span::styled(format!(" · {words}"), style));
        }
    };
    if let Some(stage) = life.estimate.ok() {
        add(&format!("{}, by the use of its modules", stage.words()), dim);
    }
    if let Some(by) = life.started_by.ok().filter(|by| **by != StartedBy::Nobody) {
        add(by.words(), dim);
    }
    match life.survives_reboot.ok() {
        Some(true) => add("stays over a reboot", dim),
        Some(false) => {
            add("a reboot would change it", context.style(Role::Verdict(Verdict::Warning)));
        }
        None => {}
    }
    let mut lines = vec![Line::from(first)];
    let mut quiet = Vec::new();
    if life.stage != LnetStage::Up {
        quiet.push(modules(node));
    }
    let users = match life.users.as_slice() {
        [] => None,
        users => {
            let names: Vec<&str> = users.iter().map(AsRef::as_ref).collect();
            Some(format!("used by {}", names.join(", ")))
        }
    };
    let unload = life.rmmod_refused.ok().map(|refused| match refused {
        Some(why) => format!("lustre_rmmod would refuse: {why}"),
        None => "lustre_rmmod would unload it".to_owned(),
    });
    let both: Vec<String> = users.into_iter().chain(unload).collect();
    match both.join("; ") {
        words if words.is_empty() => {}
        words if cells(&words) <= width => quiet.push(words),
        _ if roomy => quiet.extend(both),
        // Why it would not unload tells who uses it.
        _ => quiet.extend(both.into_iter().next_back()),
    }
    quiet.extend(after_reboot(life, width));
    lines.extend(quiet.into_iter().map(|words| Line::styled(words, dim)));
    lines.extend(life.next.iter().map(|step| {
        // A command that is cut is worse than none.
        if cells(&step.command) + 5 > width {
            let words = format!("next {}: the command is in Findings", step.why);
            return Line::styled(words, dim);
        }
        Line::from(vec![
            Span::styled("next ", dim),
            Span::raw(step.command.to_string()),
            Span::styled(format!("   {}", step.why), dim),
        ])
    }));
    lines
}

/// What a boot would change, in one line: `at a reboot: A and B would be gone`.
fn after_reboot(life: &Lifecycle, width: usize) -> Option<String> {
    let gone: Vec<&str> =
        life.after_reboot.iter().filter_map(|words| words.strip_suffix(GONE)).collect();
    let others = life.after_reboot.iter().filter(|words| !words.ends_with(GONE));
    let mut clauses: Vec<String> = others.map(ToString::to_string).collect();
    if !gone.is_empty() {
        clauses.insert(0, format!("{}{GONE}", gone.join(", ")));
    }
    let whole = format!("at a reboot: {}", clauses.join("; "));
    match (gone.len(), clauses.len()) {
        (_, 0) => None,
        _ if cells(&whole) <= width => Some(whole),
        (n, 1..) if n > 1 => {
            let more = if clauses.len() > 1 { ", others there" } else { "" };
            Some(format!("at a reboot: {n} NIs{GONE}{more}"))
        }
        _ => Some(whole),
    }
}

/// How a line of [`Lifecycle::after_reboot`] ends that names an NI.
const GONE: &str = " would be gone";

fn modules(node: &Node) -> String {
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
    format!("modules {}", parts.collect::<Vec<_>>().join("; "))
}

/// LNet's own bytes beside those of the ports below it: whatever else uses them is the difference.
fn volume(node: &Node, context: &Context<'_>, width: usize) -> Line<'static> {
    let volume = &node.lnet_figures.volume;
    let dim = context.style(Role::Dim);
    let rate = |figure: &crate::node::Figure| {
        let weak = format::weakness(figure);
        figure.ok().map_or(units::UNKNOWN.to_owned(), |rate| {
            format!("{weak}{}", units::rate(*rate, context.view.bits))
        })
    };
    let mut spans = Vec::new();
    let mut part = |name: &'static str, rx: &crate::node::Figure, tx: &crate::node::Figure| {
        spans.push(Span::styled(name, dim));
        let (rx_style, tx_style) = (context.style(Role::Rx), context.style(Role::Tx));
        spans.push(Span::styled(rate(rx), rx_style));
        spans.push(Span::styled(" in, ", dim));
        spans.push(Span::styled(rate(tx), tx_style));
        spans.push(Span::styled(" out", dim));
    };
    part("LNet ", &volume.received_bytes_per_second, &volume.sent_bytes_per_second);
    part("   its ports ", &volume.port_rx_bytes_per_second, &volume.port_tx_bytes_per_second);
    let mut told = |words: &'static str, figure: &crate::node::Figure, bytes: bool| {
        if let Some(value) = figure.ok().filter(|value| **value > 0.0) {
            let value = if bytes {
                units::rate(*value, context.view.bits)
            } else {
                format!("{}/s", format::messages(figure))
            };
            let taken: usize = spans.iter().map(Span::width).sum();
            if taken + cells(words) + cells(&value) + 4 <= width {
                spans.push(Span::styled(format!("   {words} "), dim));
                spans.push(Span::raw(value));
            }
        }
    };
    told("routed", &volume.routed_bytes_per_second, true);
    told("dropped", &volume.dropped_bytes_per_second, true);
    if let Some(resends) = volume.counter("resend_count") {
        told("resends", &resends.per_second, false);
    }
    Line::from(spans)
}

/// The titles of the panels and the one that is chosen.
fn panel(
    buffer: &mut Buffer,
    area: Rect,
    context: &Context<'_>,
    node: &Node,
    selected: Option<usize>,
) -> Extent {
    if area.height == 0 {
        return Extent::default();
    }
    titles(buffer, area, context, node);
    let rest = below(area, area.y + 1);
    let width = usize::from(rest.width.saturating_sub(2));
    match context.view.lnet.panel {
        LnetPanel::Routes => scrolled(buffer, rest, &settings::routes(node, context), context),
        LnetPanel::Settings => {
            scrolled(buffer, rest, &settings::all(node, context, width), context)
        }
        LnetPanel::Peers => {
            let split = rest.width >= WIDE;
            let left = if split { rest.width * 5 / 8 } else { rest.width };
            if split {
                let (x, width) = (rest.x + left + 1, rest.width - left - 1);
                beside(buffer, Rect { x, width, ..rest }, context, node);
            }
            let list = Rect { width: left, ..rest };
            match &node.lnet_figures.peers {
                Ok(peers) if peers.is_empty() => {
                    say(buffer, list, context, "LNet knows no peer yet");
                }
                Ok(_) if context.nids.peers() == 0 => {
                    say(buffer, list, context, "no peer matches the filter");
                }
                Ok(peers) => peers::draw(buffer, list, context, (node, peers), selected),
                Err(unknown) => {
                    say(buffer, list, context, &format!("peers {}", format::why_not(unknown)));
                }
            }
            Extent { lines: 0, page: usize::from(rest.height.saturating_sub(1)), choices: 0 }
        }
    }
}

fn say(buffer: &mut Buffer, area: Rect, context: &Context<'_>, words: &str) {
    text(buffer, area.x + 4, area.y, area.width.saturating_sub(5), words, context.style(Role::Dim));
}

/// Routes and settings beside the peers; what does not fit has its own panel.
fn beside(buffer: &mut Buffer, area: Rect, context: &Context<'_>, node: &Node) {
    let width = usize::from(area.width.saturating_sub(2));
    let mut lines = settings::brief(node, context, width);
    lines.push(Line::default());
    lines.extend(settings::routes(node, context));
    let fits = usize::from(area.height);
    for (row, content) in (area.y..area.bottom()).zip(&lines) {
        line(buffer, area.x + 1, row, area.width.saturating_sub(2), content);
    }
    if lines.len() > fits && fits > 0 {
        let words = format!(" {} more: → ", lines.len() - fits);
        let width = area.width.saturating_sub(1);
        right(buffer, area.x, area.bottom() - 1, width, &words, context.style(Role::Badge));
    }
}

fn titles(buffer: &mut Buffer, area: Rect, context: &Context<'_>, node: &Node) {
    let titles = [
        (LnetPanel::Peers, peers_title(context, node)),
        (LnetPanel::Routes, settings::routes_title(node)),
        (LnetPanel::Settings, "SETTINGS, COUNTERS".to_owned()),
    ];
    let mut spans = Vec::new();
    for (panel, title) in titles {
        let role = if panel == context.view.lnet.panel { Role::Selected } else { Role::Dim };
        spans.push(Span::styled(title, context.style(role)));
        spans.push(Span::raw("   "));
    }
    let width = area.width.saturating_sub(2);
    let end = line(buffer, area.x + 1, area.y, width, &Line::from(spans));
    let left = (area.x + 1 + width).saturating_sub(end);
    if left >= 3 {
        text(buffer, end, area.y, left, "← →", context.style(Role::Key));
    }
}

/// `PEERS 128, 2 not well`, of those that the filter lets through.
fn peers_title(context: &Context<'_>, node: &Node) -> String {
    let Ok(peers) = &node.lnet_figures.peers else { return format!("PEERS {}", units::UNKNOWN) };
    let count = |n: usize| units::count(n as u64);
    let counts = context.nids.counts();
    let shown = match peers.len() {
        all if all == counts.peers => count(all),
        all => format!("{} of {}", count(counts.peers), count(all)),
    };
    let how = match (counts.troubled, counts.unknown) {
        (0, 0) if counts.peers == 0 => String::new(),
        (0, 0) => ", all well".to_owned(),
        (0, unknown) => format!(", {} unknown", count(unknown)),
        (troubled, 0) => format!(", {} not well", count(troubled)),
        (troubled, unknown) => {
            format!(", {} not well, {} unknown", count(troubled), count(unknown))
        }
    };
    format!("PEERS {shown}{how}")
}
