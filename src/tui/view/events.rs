//! What happened when, newest first.

use super::paint::{line, pad, scrolled, text};
use super::{Context, Extent};
use crate::check::Verdict;
use crate::node::{Event, EventKind, Node};
use crate::tui::format;
use crate::tui::theme::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

fn role(kind: EventKind) -> Role {
    match kind {
        EventKind::LinkDown | EventKind::NiDown | EventKind::RailGone => {
            Role::Verdict(Verdict::Critical)
        }
        EventKind::Errors | EventKind::Reader => Role::Verdict(Verdict::Warning),
        EventKind::LinkUp | EventKind::NiUp | EventKind::RailBack => Role::Verdict(Verdict::Ok),
        EventKind::Mark => Role::Key,
        _ => Role::Plain,
    }
}

fn words(event: &Event, context: &Context<'_>, subject: usize) -> Line<'static> {
    Line::from(vec![
        Span::styled(format::clock(event.time.wall, &context.look.zone), context.style(Role::Dim)),
        Span::raw("  "),
        Span::styled(pad(&event.subject, subject), context.style(role(event.kind))),
        Span::raw("  "),
        Span::raw(event.text.to_string()),
    ])
}

/// The newest ones, as many as fit.
pub(crate) fn newest(buffer: &mut Buffer, area: Rect, context: &Context<'_>, node: &Node) {
    for (row, event) in (0..area.height).zip(&node.events) {
        let news = words(event, context, 0);
        line(buffer, area.x + 1, area.y + row, area.width.saturating_sub(2), &news);
    }
}

/// Draws the screen.
pub(crate) fn draw(buffer: &mut Buffer, area: Rect, context: &Context<'_>, node: &Node) -> Extent {
    let shown: Vec<&Event> = node
        .events
        .iter()
        .filter(|e| context.passes(&e.subject) || context.passes(&e.text))
        .collect();
    if shown.is_empty() {
        let nothing = "nothing happened since railtop started";
        text(buffer, area.x + 1, area.y, area.width, nothing, context.style(Role::Dim));
    }
    let subject = shown.iter().map(|e| super::paint::cells(&e.subject)).max().unwrap_or(0).min(24);
    let lines: Vec<Line<'static>> = shown.iter().map(|e| words(e, context, subject)).collect();
    scrolled(buffer, area, &lines, context)
}
