//! What happened when, newest first.

use super::paint::{cells, line, pad, scrolled, text};
use super::{Context, Extent};
use crate::check::Verdict;
use crate::node::{Event, EventKind, Node};
use crate::tui::theme::Role;
use crate::units;
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

/// Newest first; of what one sample brought, the cause before what follows from it.
fn ordered(node: &Node) -> Vec<&Event> {
    let mut events: Vec<&Event> = node.events.iter().collect();
    // Both orders are stable: a later sample stays in front of an earlier one.
    events.sort_by(|a, b| {
        b.time.mono.cmp(&a.time.mono).then_with(|| rank(a.kind).cmp(&rank(b.kind)))
    });
    events
}

/// Which news of one moment is told first.
fn rank(kind: EventKind) -> u8 {
    match kind {
        EventKind::Mark => 0,
        EventKind::LinkDown | EventKind::LinkUp | EventKind::RailGone | EventKind::RailBack => 1,
        EventKind::NiDown | EventKind::NiUp | EventKind::Lnet => 2,
        EventKind::Errors | EventKind::RateChange | EventKind::LinkState => 3,
        EventKind::Routing => 5,
        _ => 4,
    }
}

/// Is this very event among them?
fn is_of(events: &[&Event], one: &Event) -> bool {
    events.iter().any(|event| std::ptr::eq(*event, one))
}

/// Time, subject, text: the first two in columns.
struct Columns {
    /// The events reach back beyond today: the day is told too.
    days: bool,
    subject: usize,
}

impl Columns {
    fn of<'a>(
        events: impl Iterator<Item = &'a Event> + Clone,
        context: &Context<'_>,
        now: jiff::Timestamp,
    ) -> Self {
        let day = |t: jiff::Timestamp| context.look.zone.to_datetime(t).date();
        Self {
            days: events.clone().any(|e| day(e.time.wall) != day(now)),
            subject: events.map(|e| cells(&e.subject)).max().unwrap_or(0).min(24),
        }
    }

    fn line(&self, event: &Event, unseen: bool, context: &Context<'_>) -> Line<'static> {
        let zone = &context.look.zone;
        let time = if self.days {
            units::date_and_clock(event.time.wall, zone)
        } else {
            units::clock(event.time.wall, zone)
        };
        let sign = if unseen { "! " } else { "  " };
        Line::from(vec![
            Span::styled(time, context.style(Role::Dim)),
            Span::styled(sign, context.style(role(event.kind))),
            Span::styled(pad(&event.subject, self.subject), context.style(role(event.kind))),
            Span::raw("  "),
            Span::raw(event.text.to_string()),
        ])
    }
}

/// The newest ones, as many as fit.
pub(crate) fn newest(buffer: &mut Buffer, area: Rect, context: &Context<'_>, node: &Node) {
    let rows = usize::from(area.height);
    let unseen: Vec<&Event> = context.view.unseen(node).collect();
    let all = ordered(node);
    // What was lost stays until somebody has taken note of it.
    let mut left = rows.saturating_sub(unseen.len());
    let mut room = rows;
    let keeps = |event: &&Event| {
        let bad = is_of(&unseen, event);
        let keep = room > 0 && (bad || left > 0);
        left -= usize::from(keep && !bad);
        room -= usize::from(keep);
        keep
    };
    let shown: Vec<&Event> = all.into_iter().filter(keeps).collect();
    let columns = Columns::of(shown.iter().copied(), context, node.time.wall);
    for (row, event) in (0..area.height).zip(shown) {
        let news = columns.line(event, is_of(&unseen, event), context);
        line(buffer, area.x + 1, area.y + row, area.width.saturating_sub(2), &news);
    }
}

/// Draws the screen.
pub(crate) fn draw(buffer: &mut Buffer, area: Rect, context: &Context<'_>, node: &Node) -> Extent {
    let shown: Vec<&Event> = ordered(node)
        .into_iter()
        .filter(|e| context.passes(&e.subject) || context.passes(&e.text))
        .collect();
    if shown.is_empty() {
        let nothing = if node.events.is_empty() {
            "nothing happened since railtop started".to_owned()
        } else {
            format!("nothing happened that contains {:?}", context.view.filter)
        };
        text(buffer, area.x + 1, area.y, area.width, &nothing, context.style(Role::Dim));
    }
    let columns = Columns::of(shown.iter().copied(), context, node.time.wall);
    let lines: Vec<Line<'static>> = {
        let unseen: Vec<&Event> = context.view.unseen(node).collect();
        shown.iter().map(|e| columns.line(e, is_of(&unseen, e), context)).collect()
    };
    scrolled(buffer, area, &lines, context)
}
