//! The lines that every screen has: head, sentence, foot.

use super::Context;
use super::lnet::stage_words;
use super::paint::{cells, line, right, text};
use crate::check::{Assessment, Verdict};
use crate::node::{Node, SourceKind};
use crate::tui::format;
use crate::tui::glyphs;
use crate::tui::keys;
use crate::tui::state::{Feed, Screen};
use crate::tui::theme::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// The verdict as the head says it.
pub(crate) fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "OK",
        Verdict::Note => "NOTE",
        Verdict::Warning => "WARNING",
        Verdict::Critical => "CRITICAL",
        Verdict::Unknown => "UNKNOWN",
        Verdict::NotApplicable => "–",
    }
}

/// The first two lines.
pub(crate) fn head(
    buffer: &mut Buffer,
    area: Rect,
    context: &Context<'_>,
    shown: Option<&(Node, Assessment)>,
) {
    let side = right_side(context, shown.map(|(node, _)| node), area.width);
    let taken = u16::try_from(side.width()).unwrap_or(u16::MAX).min(area.width);
    let from = area.right().saturating_sub(taken + 1).max(area.x);
    line(buffer, from, area.y, area.right() - from, &side);
    let left = from.saturating_sub(area.x + 2);
    line(buffer, area.x + 1, area.y, left, &left_side(context, shown, area.width));
    sentence(buffer, area, context, shown);
}

fn left_side(
    context: &Context<'_>,
    shown: Option<&(Node, Assessment)>,
    width: u16,
) -> Line<'static> {
    let mut spans = Vec::new();
    if width >= 60 || shown.is_none() {
        spans.push(Span::styled("railtop", context.style(Role::Title)));
        spans.push(Span::raw("  "));
    }
    let Some((node, assessment)) = shown else {
        return Line::from(spans);
    };
    let verdict = assessment.verdict;
    let verdict_words = format!("{} {}", glyphs::verdict(verdict), word(verdict));
    spans.push(Span::raw(format!("{}  ", format::reading(&node.host.name))));
    spans.push(Span::styled(verdict_words, context.style(Role::Verdict(verdict))));
    spans.push(Span::raw("  "));
    spans.push(Span::styled(stage_words(&node.lnet), context.style(Role::Dim)));
    Line::from(spans)
}

fn right_side(context: &Context<'_>, node: Option<&Node>, width: u16) -> Line<'static> {
    let mut spans = Vec::new();
    let mut badge = |words: String| {
        spans.push(Span::styled(format!(" {words} "), context.style(Role::Badge)));
        spans.push(Span::raw(" "));
    };
    if context.paused {
        badge("PAUSED".to_owned());
    }
    match context.feed {
        Feed::Ended => badge("END".to_owned()),
        Feed::Failed(_) => badge("STOPPED".to_owned()),
        Feed::Running | Feed::Overdue => {}
    }
    // A simulated node says so on every screen, whatever the room.
    let short = if width < 60 { context.kind.word() } else { context.label };
    match context.kind {
        SourceKind::Demo => badge(short.to_owned()),
        SourceKind::Live if width < 100 => {}
        _ => spans.push(Span::styled(format!("{short}  "), context.style(Role::Dim))),
    }
    if let Some(node) = node {
        spans.push(Span::raw(format::clock(node.time.wall, &context.look.zone)));
        spans.push(Span::raw("  "));
    }
    spans.push(Span::raw(format::interval(context.interval)));
    Line::from(spans)
}

/// The second line: what one must know now.
fn sentence(
    buffer: &mut Buffer,
    area: Rect,
    context: &Context<'_>,
    shown: Option<&(Node, Assessment)>,
) {
    let (verdict, mut words) = match (context.feed, shown) {
        (Feed::Failed(why), _) => (Verdict::Critical, why.to_string()),
        (Feed::Overdue, Some((node, _))) => {
            let since = format::clock(node.time.wall, &context.look.zone);
            (Verdict::Warning, format!("no data since {since}: a reader hangs, or the node does"))
        }
        (_, None) => (Verdict::NotApplicable, "reading this node …".to_owned()),
        (_, Some((node, assessment))) => summary(node, assessment),
    };
    let mut width = area.width.saturating_sub(2);
    if let Some((_, assessment)) = shown {
        let roots = assessment.findings.iter().filter(|f| f.caused_by.is_none()).count();
        if roots > 1 && matches!(context.feed, Feed::Running | Feed::Ended) {
            let more = format!("+{} more (5)", roots - 1);
            let own = u16::try_from(cells(&more)).unwrap_or(0);
            right(buffer, area.x + 1, area.y + 1, width, &more, context.style(Role::Dim));
            width = width.saturating_sub(own + 1);
        }
    }
    if !words.is_empty() && !words.ends_with(['.', '…']) && verdict != Verdict::NotApplicable {
        words.push('.');
    }
    text(buffer, area.x + 1, area.y + 1, width, &words, context.style(Role::Verdict(verdict)));
}

fn summary(node: &Node, assessment: &Assessment) -> (Verdict, String) {
    if let Some(worst) = assessment.worst() {
        return (worst.severity.into(), worst.summary.to_string());
    }
    let quiet = Verdict::NotApplicable;
    if node.rails.is_empty() {
        let why = node.choice_note.as_deref().unwrap_or("no rail on this node");
        return (quiet, why.to_owned());
    }
    if assessment.verdict == Verdict::Unknown {
        let why = assessment.not_checked.first();
        let why = why.map_or(String::new(), |n| format!(" ({}: {})", n.what, n.why));
        return (Verdict::Unknown, format!("no rail could be judged{why}"));
    }
    let all = match node.rails.len() {
        1 => "the one rail is well".to_owned(),
        n => format!("all {n} rails well"),
    };
    match &node.choice_note {
        Some(choice) => (quiet, format!("{all} · {choice}")),
        None => (quiet, all),
    }
}

/// The last line: the screens, then what the keys do here.
pub(crate) fn foot(
    buffer: &mut Buffer,
    area: Rect,
    context: &Context<'_>,
    assessment: Option<&Assessment>,
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
        let roots = assessment
            .filter(|_| *screen == Screen::Findings)
            .map_or(0, |a| a.findings.iter().filter(|f| f.caused_by.is_none()).count());
        let number = if roots > 0 { format!("({roots})") } else { String::new() };
        let name = if area.width < 76 { name.get(..3).unwrap_or(name) } else { name };
        tabs.push(Span::styled(format!("{}", n + 1), context.style(Role::Key)));
        tabs.push(Span::raw(" "));
        tabs.push(Span::styled(format!("{name}{number}"), context.style(role)));
        tabs.push(Span::raw(if area.width < 100 { " " } else { "  " }));
    }
    let end = line(buffer, x, y, width, &Line::from(tabs));
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
