//! The NIs, a row each.

use super::table::{Column, Table, figures, words};
use crate::check::{Assessment, Layer, Verdict, ni_verdict};
use crate::node::{MessageKind, Messages, NiFigures, Node, Rail, RailNi};
use crate::sample::{LnetNi, Reading};
use crate::tui::format;
use crate::tui::glyphs;
use crate::tui::theme::Role;
use crate::tui::view::Context;
use crate::tui::view::paint::{cells, text};
use crate::units::UNKNOWN;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// An NI with what else is known of it.
pub(super) struct Entry<'a> {
    pub(super) ni: &'a LnetNi,
    pub(super) figures: Option<&'a NiFigures>,
    joined: Option<(&'a Rail, &'a RailNi)>,
    verdict: Verdict,
}

impl<'a> Entry<'a> {
    pub(super) fn new(node: &'a Node, assessment: &Assessment, ni: &'a LnetNi) -> Self {
        let found = node.rails.iter().zip(0..).find_map(|(rail, index)| {
            let own = rail.lnet.iter().find(|own| own.ni.nid == ni.nid)?;
            Some((index, rail, own))
        });
        let joined = found.map(|(_, rail, own)| (rail, own));
        let alone = ni_verdict(node, ni, joined.map(|(_, own)| own));
        // The ladder knows more of its health than the number; it speaks of all NIs of the rail.
        let judged = found.filter(|(_, rail, _)| rail.lnet.len() == 1);
        let judged = judged.and_then(|(index, ..)| assessment.rails.get::<usize>(index));
        let mut rungs = judged.into_iter().flat_map(|rail| &rail.ladder);
        let health = rungs.find(|rung| rung.layer == Layer::Health).map(|rung| rung.verdict);
        let verdict = match (alone, health) {
            (Verdict::Critical | Verdict::NotApplicable, _) => alone,
            (_, Some(bad @ (Verdict::Warning | Verdict::Critical))) => bad,
            _ => alone,
        };
        Self { ni, figures: node.lnet_figures.ni(&ni.nid), joined, verdict }
    }

    /// Its rail, else its interface.
    pub(super) fn on(&self) -> String {
        self.joined.map_or_else(
            || self.ni.interfaces.first().map_or(UNKNOWN.to_owned(), ToString::to_string),
            |(rail, _)| rail.name.to_string(),
        )
    }
}

fn columns(nis: &[Entry<'_>]) -> [Column; 16] {
    let width = |of: &dyn Fn(&Entry<'_>) -> usize, least: usize, most: usize| {
        let longest = nis.iter().map(of).max().unwrap_or(0).clamp(least, most);
        u16::try_from(longest).unwrap_or(u16::MAX)
    };
    [
        words("NID", width(&|e| cells(&e.ni.nid), 12, 40), 0),
        words("ON", width(&|e| cells(&e.on()), 3, 12), 4),
        words("HEALTH", 10, 1),
        figures("CREDITS", 11, 6),
        figures("SENT/S", 7, 2),
        figures("RECV/S", 7, 3),
        figures("MSG/BYTE", 8, 5),
        figures("FAIL/S", 6, 7),
        figures("DROP/S", 6, 8),
        figures("TIMEOUT", 7, 9),
        figures("CHOSEN", 6, 15),
        figures("PUT/S", 11, 11),
        figures("GET/S", 11, 12),
        figures("REPLY/S", 11, 13),
        figures("ACK/S", 11, 14),
        words("CPT", 8, 10),
    ]
}

fn fields(entry: &Entry<'_>) -> [String; 16] {
    let ni = entry.ni;
    let own = entry.figures;
    let unknown = || UNKNOWN.to_owned();
    let figure = |pick: fn(&NiFigures) -> &crate::node::Figure| {
        own.map_or_else(unknown, |f| format::messages(pick(f)))
    };
    let kind = |kind: MessageKind| {
        let of = |m: &Messages| m.kinds.get(kind as usize).map_or_else(unknown, format::short);
        own.map_or_else(unknown, |f| format!("{}/{}", of(&f.sent), of(&f.received)))
    };
    [
        ni.nid.to_string(),
        entry.on(),
        health(ni),
        credits(ni, own),
        figure(|f| &f.sent.per_second),
        figure(|f| &f.received.per_second),
        own.map_or_else(unknown, shares),
        own.map_or_else(unknown, |f| format::messages(&f.failing_per_second())),
        figure(|f| &f.dropped.per_second),
        own.and_then(|f| f.failure("timeouts"))
            .map_or_else(unknown, |f| format::messages(&f.per_second)),
        own.map_or_else(unknown, |f| format::percent(&f.request_share_ratio)),
        kind(MessageKind::Put),
        kind(MessageKind::Get),
        kind(MessageKind::Reply),
        kind(MessageKind::Ack),
        cpt(ni),
    ]
}

/// `up 1000`, `down 700`: down where lnetctl says so, and where `fatal_error` takes it out of use.
fn health(ni: &LnetNi) -> String {
    let fatal = ni.fatal_error.as_ref().is_ok_and(|f| *f != 0);
    let status = if fatal { "down".to_owned() } else { format::reading(&ni.status) };
    format!("{status} {}", format::reading(&ni.health))
}

/// Free now / lowest / configured.
fn credits(ni: &LnetNi, own: Option<&NiFigures>) -> String {
    let configured = format::reading(&ni.credits);
    match own.map(|f| &f.credits) {
        Some(Ok(now)) => format!("{}/{}/{configured}", now.free, now.min),
        _ => configured,
    }
}

/// Part of the net's messages / of the bytes of its ports.
fn shares(ni: &NiFigures) -> String {
    let part = |ratio| format::percent(ratio).trim_end_matches(" %").to_owned();
    format!("{}/{} %", part(&ni.message_share_ratio), part(&ni.byte_share_ratio))
}

/// CPU partition of the device, and those that the NI is bound to.
fn cpt(ni: &LnetNi) -> String {
    let device = match &ni.dev_cpt {
        Ok(-1) => "any".to_owned(),
        other => format::reading(other),
    };
    format!("{device} {}", bound(&ni.cpt))
}

fn bound(cpt: &Reading<crate::sample::Text>) -> String {
    format::reading(cpt)
}

/// Draws at most `rows` of them; the row behind the last.
pub(super) fn draw(
    buffer: &mut Buffer,
    area: Rect,
    context: &Context<'_>,
    nis: &[Entry<'_>],
    selected: Option<usize>,
    rows: usize,
) -> u16 {
    let dim = context.style(Role::Dim);
    let table = Table::new(area, &columns(nis), false);
    table.heading(buffer, area.y, dim);
    let shown = nis.len().min(rows);
    let first = (selected.unwrap_or(0) + 1).saturating_sub(shown);
    let mut y = area.y + 1;
    for (n, entry) in nis.iter().enumerate().skip(first).take(shown) {
        let verdict = entry.verdict;
        let is_selected = selected == Some(n);
        let sign = format!(
            "{}{}",
            if is_selected { glyphs::SELECTED } else { " " },
            glyphs::verdict(verdict)
        );
        text(buffer, area.x + 1, y, 2, &sign, context.style(Role::Verdict(verdict)));
        let style = match verdict {
            Verdict::Critical | Verdict::Warning => context.style(Role::Verdict(verdict)),
            Verdict::NotApplicable => dim,
            _ => Style::new(),
        };
        table.row(buffer, y, &fields(entry), |column| match column {
            0 if is_selected => context.style(Role::Selected),
            _ => style,
        });
        y += 1;
    }
    if nis.len() > shown {
        let words = format!("… {} NIs in all: j and k show the others", nis.len());
        text(buffer, area.x + 4, y, area.width.saturating_sub(5), &words, dim);
        y += 1;
    }
    y
}
