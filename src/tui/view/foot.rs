//! The last line of every screen: the screens, and what the keys do here.

use super::Context;
use super::head::roots;
use super::paint::{cells, line, right};
use crate::check::Assessment;
use crate::node::Node;
use crate::tui::keys;
use crate::tui::state::Screen;
use crate::tui::theme::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Draws it.
pub(crate) fn draw(
    buffer: &mut Buffer,
    area: Rect,
    context: &Context<'_>,
    shown: Option<&(Node, Assessment)>,
) {
    let y = area.bottom() - 1;
    let (x, width) = (area.x + 1, area.width.saturating_sub(2));
    if context.view.typing {
        filter_line(buffer, x, y, width, context);
        return;
    }
    let mut tabs = Vec::new();
    for (n, (screen, name)) in Screen::NUMBERED.iter().enumerate() {
        let here = *screen == context.view.screen
            || (*screen == Screen::Rails && context.view.screen == Screen::Rail);
        let role = if here { Role::Selected } else { Role::Plain };
        let number = match (screen, shown) {
            (Screen::Findings, Some((_, assessment))) => roots(assessment),
            (Screen::Events, Some((node, _))) => context.view.unseen(node).count(),
            _ => 0,
        };
        // Only bad events that nobody has taken note of are counted: they call.
        let call = if *screen == Screen::Events { "!" } else { "" };
        let number = if number > 0 { format!(" {number}{call}") } else { String::new() };
        let name = if area.width < 76 { name.get(..3).unwrap_or(name) } else { name };
        tabs.push(Span::styled(format!("{}", n + 1), context.style(Role::Key)));
        tabs.push(Span::raw(" "));
        tabs.push(Span::styled(format!("{name}{number}"), context.style(role)));
        tabs.push(Span::raw(if area.width < 100 { " " } else { "  " }));
    }
    let end = line(buffer, x, y, width, &Line::from(tabs));
    // The last tab brought one of the two spaces that keep screens and keys apart.
    let end = if area.width < 100 { end + 1 } else { end };
    let room = (x + width).saturating_sub(end);
    if let Some(status) = &context.view.status {
        right(buffer, end, y, room, status, context.style(Role::Badge));
        return;
    }
    let keys = key_line(context, usize::from(room));
    let own = u16::try_from(keys.width()).unwrap_or(0).min(room);
    line(buffer, end + (room - own), y, own, &keys);
}

/// As many of this screen's keys as fit; help and quit before all others.
fn key_line(context: &Context<'_>, room: usize) -> Line<'static> {
    let named: Vec<&keys::Binding> = keys::TABLE
        .iter()
        .filter(|b| !b.short.is_empty() && b.acts_on(context.view.screen))
        .collect();
    let width = |b: &keys::Binding| cells(b.label) + 1 + cells(b.short) + 2;
    let mut used = 0;
    let mut fits: Vec<usize> = Vec::new();
    let (last, first) = named.split_at(named.len().saturating_sub(2));
    let order = (last.len()..named.len()).chain(0..last.len());
    for (n, binding) in order.zip(first.iter().chain(last)) {
        if used + width(binding) <= room + 2 {
            used += width(binding);
            fits.push(n);
        }
    }
    fits.sort_unstable();
    let mut spans = Vec::new();
    for binding in fits.iter().filter_map(|n| named.get(*n)) {
        if !spans.is_empty() {
            spans.push(Span::raw("  "));
        }
        spans.push(Span::styled(binding.label, context.style(Role::Key)));
        let short =
            if binding.short == "bits" && context.view.bits { "bytes" } else { binding.short };
        let short = if short == "pause" && context.paused { "go on" } else { short };
        spans.push(Span::raw(format!(" {short}")));
    }
    if !context.view.filter.is_empty() {
        let words = format!("  /{}", context.view.filter);
        if used + cells(&words) <= room {
            spans.push(Span::styled(words, context.style(Role::Badge)));
        }
    }
    Line::from(spans)
}

fn filter_line(buffer: &mut Buffer, x: u16, y: u16, width: u16, context: &Context<'_>) {
    let spans = vec![
        Span::styled("/", context.style(Role::Key)),
        Span::raw(context.view.filter.clone()),
        Span::styled(" ", context.style(Role::Selected)),
        Span::styled("  Enter keeps  Esc drops", context.style(Role::Dim)),
    ];
    line(buffer, x, y, width, &Line::from(spans));
}
