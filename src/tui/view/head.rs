//! The head of every screen: who, how, since when; and the one sentence that one must know.

use super::Context;
use super::lnet::{Detail, stage_words};
use super::paint::{cells, line, right, text, wrap};
use crate::check::{Assessment, Verdict};
use crate::node::{Node, SourceKind};
use crate::tui::format;
use crate::tui::glyphs;
use crate::tui::state::Feed;
use crate::tui::theme::Role;
use crate::units;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use std::fmt::Write;

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

/// Draws it.
pub(crate) fn draw(
    buffer: &mut Buffer,
    area: Rect,
    context: &Context<'_>,
    shown: Option<&(Node, Assessment)>,
) {
    let room = usize::from(area.width.saturating_sub(2));
    let fitting = (0..=Drop::EVERYTHING).map(Drop).find_map(|drop| {
        let (left, right) = (left_side(context, shown, drop), right_side(context, shown, drop));
        (left.width() + 2 + right.width() <= room).then_some((left, right))
    });
    let (left, right) = fitting.unwrap_or_else(|| {
        let drop = Drop(Drop::EVERYTHING);
        (left_side(context, shown, drop), right_side(context, shown, drop))
    });
    let taken = u16::try_from(right.width()).unwrap_or(u16::MAX).min(area.width);
    let from = area.right().saturating_sub(taken + 1).max(area.x);
    line(buffer, from, area.y, area.right() - from, &right);
    line(buffer, area.x + 1, area.y, from.saturating_sub(area.x + 2), &left);
    sentence(buffer, area, context, shown);
}

/// How much of the head is left out, the least useful first. The verdict, the word `demo` and
/// what stopped the clock always stay.
#[derive(Clone, Copy)]
struct Drop(u8);

impl Drop {
    const EVERYTHING: u8 = 10;

    /// `live`, which is what one takes for granted.
    fn live(self) -> bool {
        self.0 >= 1
    }
    fn lnet(self) -> Detail {
        match self.0 {
            0..=1 => Detail::Version,
            2 => Detail::Nets,
            _ => Detail::Stage,
        }
    }
    /// The name of the scenario or the path of the capture.
    fn scenario(self) -> bool {
        self.0 >= 4
    }
    fn lnet_too(self) -> bool {
        self.0 >= 5
    }
    fn program(self) -> bool {
        self.0 >= 6
    }
    fn interval(self) -> bool {
        self.0 >= 7
    }
    fn host(self) -> Host {
        match self.0 {
            0..=7 => Host::Whole,
            8..=9 => Host::Short,
            _ => Host::None,
        }
    }
    fn clock(self) -> bool {
        self.0 >= 9
    }
}

enum Host {
    Whole,
    Short,
    None,
}

/// As much of a host name as tells nodes of a cluster apart: they differ at the end.
fn short_host(name: &str) -> String {
    const MOST: usize = 12;
    let count = name.chars().count();
    if count <= MOST {
        return name.to_owned();
    }
    let tail: String = name.chars().skip(count - (MOST - 1)).collect();
    format!("{}{tail}", glyphs::ELLIPSIS)
}

fn left_side(
    context: &Context<'_>,
    shown: Option<&(Node, Assessment)>,
    drop: Drop,
) -> Line<'static> {
    let mut spans = Vec::new();
    let program = Span::styled("railtop", context.style(Role::Title));
    let Some((node, assessment)) = shown else {
        return Line::from(program);
    };
    if !drop.program() {
        spans.extend([program, Span::raw("  ")]);
    }
    let name = format::reading(&node.host.name);
    match drop.host() {
        Host::Whole => spans.push(Span::raw(format!("{name}  "))),
        Host::Short => spans.push(Span::raw(format!("{}  ", short_host(&name)))),
        Host::None => {}
    }
    let verdict = assessment.verdict;
    let verdict_words = format!("{} {}", glyphs::verdict(verdict), word(verdict));
    spans.push(Span::styled(verdict_words, context.style(Role::Verdict(verdict))));
    if !drop.lnet_too() {
        let words = format!("  {}", stage_words(node, drop.lnet()));
        spans.push(Span::styled(words, context.style(Role::Dim)));
    }
    Line::from(spans)
}

fn right_side(
    context: &Context<'_>,
    shown: Option<&(Node, Assessment)>,
    drop: Drop,
) -> Line<'static> {
    let mut spans = Vec::new();
    let mut badge = |words: &str| {
        spans.push(Span::styled(format!(" {words} "), context.style(Role::Badge)));
        spans.push(Span::raw(" "));
    };
    if context.paused {
        badge("PAUSED");
    }
    match context.feed {
        Feed::Ended => badge("END"),
        Feed::Failed(_) => badge("STOPPED"),
        Feed::Running | Feed::Overdue => {}
    }
    let label = if drop.scenario() { context.kind.word() } else { context.label };
    match context.kind {
        SourceKind::Demo => badge(label),
        SourceKind::Live if drop.live() => {}
        _ => spans.push(Span::styled(format!("{label}  "), context.style(Role::Dim))),
    }
    if let Some((node, _)) = shown.filter(|_| !drop.clock()) {
        let clock = units::clock(node.time.wall, &context.look.zone);
        spans.push(Span::raw(format!("{clock}  ")));
    }
    if !drop.interval() {
        spans.push(Span::raw(format::interval(context.interval)));
    }
    // The last gap separates nothing.
    if let Some(last) = spans.last_mut() {
        let trimmed = last.content.trim_end().to_owned();
        if last.style == ratatui::style::Style::default() {
            last.content = trimmed.into();
        }
    }
    Line::from(spans)
}

/// What one must know now: the second line, and the third where it is too long for one.
fn sentence(
    buffer: &mut Buffer,
    area: Rect,
    context: &Context<'_>,
    shown: Option<&(Node, Assessment)>,
) {
    let (verdict, mut words) = match (context.feed, shown) {
        (Feed::Failed(why), _) => (Verdict::Critical, why.to_string()),
        (Feed::Overdue, Some((node, _))) => {
            let since = units::clock(node.time.wall, &context.look.zone);
            (Verdict::Warning, format!("no data since {since}: a reader hangs, or the node does"))
        }
        (_, None) => (Verdict::NotApplicable, "reading this node …".to_owned()),
        (_, Some((node, assessment))) => summary(node, assessment),
    };
    if !words.is_empty() && !words.ends_with(['.', '…']) && verdict != Verdict::NotApplicable {
        words.push('.');
    }
    let (x, y) = (area.x + 1, area.y + 1);
    let width = area.width.saturating_sub(2);
    let mut first = width;
    if let Some(more) = more_findings(context, shown) {
        let own = u16::try_from(cells(&more)).unwrap_or(0);
        right(buffer, x, y, width, &more, context.style(Role::Dim));
        first = width.saturating_sub(own + 2);
    }
    let style = context.style(Role::Verdict(verdict));
    if !has_third_line(area) || cells(&words) <= usize::from(first) {
        text(buffer, x, y, first, &words, style);
        return;
    }
    let lines = wrap(&words, usize::from(first));
    let head = lines.first().map_or("", String::as_str);
    text(buffer, x, y, first, head, style);
    let rest = words.strip_prefix(head).unwrap_or_default().trim_start();
    text(buffer, x, y + 1, width, rest, style);
}

/// Is there room below the second line? Else the body begins there.
pub(crate) fn has_third_line(area: Rect) -> bool {
    area.height >= 20
}

/// Roots beside the worst one.
fn more_findings(context: &Context<'_>, shown: Option<&(Node, Assessment)>) -> Option<String> {
    let (_, assessment) = shown?;
    let more = roots(assessment).checked_sub(1).filter(|more| *more > 0)?;
    let running = matches!(context.feed, Feed::Running | Feed::Ended);
    running.then(|| format!("+{more} more: key 5"))
}

/// Findings that follow from no other.
pub(crate) fn roots(assessment: &Assessment) -> usize {
    assessment.findings.iter().filter(|f| f.caused_by.is_none()).count()
}

fn summary(node: &Node, assessment: &Assessment) -> (Verdict, String) {
    if let Some(worst) = assessment.worst() {
        return (worst.severity.into(), worst.summary.to_string());
    }
    if node.rails.is_empty() {
        let why = node.choice_note.as_deref().unwrap_or("no rail on this node");
        return (Verdict::NotApplicable, why.to_owned());
    }
    if assessment.verdict == Verdict::Unknown {
        let why = assessment.not_checked.first();
        let why = why.map_or(String::new(), |n| format!(" ({}: {})", n.what, n.why));
        return (Verdict::Unknown, format!("no rail could be judged{why}"));
    }
    let mut words = well(assessment);
    if let Some(choice) = &node.choice_note {
        let _ = write!(words, " · {choice}");
    }
    if !assessment.not_checked.is_empty() {
        let what: Vec<&str> = assessment.not_checked.iter().map(|n| n.what.as_str()).collect();
        let _ = write!(words, " · could not be checked: {} (key 5)", what.join(", "));
    }
    (Verdict::NotApplicable, words)
}

fn well(assessment: &Assessment) -> String {
    let all = assessment.rails.len();
    let unknown = assessment.rails.iter().filter(|r| r.verdict == Verdict::Unknown).count();
    match (all, all - unknown) {
        (1, 1) => "the one rail is well".to_owned(),
        (2, 2) => "both rails are well".to_owned(),
        (all, well) if well == all => format!("all {all} rails are well"),
        (all, well) => format!("{well} of {all} rails are well, {unknown} not judged"),
    }
}
