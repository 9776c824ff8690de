//! What is wrong: roots, worst first, with what follows from each indented below it; and of the
//! selected one the evidence and the mend.

use super::frame::word;
use super::paint::{line, pad, scrolled, text, wrap};
use super::{Context, Extent};
use crate::check::{Assessment, Finding, Step, Verdict, Where};
use crate::tui::glyphs;
use crate::tui::state::ViewState;
use crate::tui::theme::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// The findings that the filter lets through.
pub(crate) fn visible<'a>(
    assessment: &'a Assessment,
    view: &'a ViewState,
) -> impl Iterator<Item = &'a Finding> {
    assessment.findings.iter().filter(|f| {
        let has = |s: &str| super::order::contains(s, &view.filter);
        has(f.id) || has(&f.summary) || f.rails.iter().any(|r| has(r))
    })
}

/// Draws the screen.
pub(crate) fn draw(
    buffer: &mut Buffer,
    area: Rect,
    context: &Context<'_>,
    assessment: &Assessment,
) -> Extent {
    let findings: Vec<&Finding> = visible(assessment, context.view).collect();
    let cursor = context.view.cursor.min(findings.len().saturating_sub(1));
    if findings.is_empty() {
        return nothing(buffer, area, context, assessment);
    }
    // The list has at most half of the room, the rest tells of the selected one.
    let most = usize::from(area.height / 2).max(1);
    let rows = findings.len().min(most);
    let first = (cursor + 1).saturating_sub(rows);
    for (row, finding) in (0..area.height).zip(findings.iter().skip(first).take(rows)) {
        let selected = usize::from(row) + first == cursor;
        list_line(buffer, area, area.y + row, context, finding, selected);
    }
    let hidden = findings.len() - rows;
    let used = u16::try_from(rows).unwrap_or(area.height);
    let rule = format!(
        "finding {} of {}{}",
        cursor + 1,
        findings.len(),
        if hidden > 0 { ": j and k show the others" } else { "" }
    );
    text(buffer, area.x + 1, area.y + used, area.width - 2, &rule, context.style(Role::Dim));
    let rest = Rect { y: area.y + used + 1, height: area.height.saturating_sub(used + 1), ..area };
    let details =
        findings.get(cursor).map_or_else(Vec::new, |f| details(f, context, assessment, area.width));
    let extent = scrolled(buffer, rest, &details, context);
    Extent { choices: findings.len(), ..extent }
}

fn list_line(
    buffer: &mut Buffer,
    area: Rect,
    y: u16,
    context: &Context<'_>,
    finding: &Finding,
    selected: bool,
) {
    let verdict = Verdict::from(finding.severity);
    let indent = if finding.caused_by.is_some() { "└ " } else { "" };
    let rails: Vec<&str> = finding.rails.iter().map(AsRef::as_ref).collect();
    let spans = vec![
        Span::styled(
            format!(
                "{}{} ",
                if selected { glyphs::SELECTED } else { " " },
                glyphs::verdict(verdict)
            ),
            context.style(Role::Verdict(verdict)),
        ),
        Span::raw(indent),
        Span::styled(
            finding.id,
            context.style(if selected { Role::Selected } else { Role::Plain }),
        ),
        Span::styled(format!("  {}  ", rails.join(" ")), context.style(Role::Dim)),
        Span::raw(finding.summary.to_string()),
    ];
    line(buffer, area.x, y, area.width.saturating_sub(1), &Line::from(spans));
}

fn details(
    finding: &Finding,
    context: &Context<'_>,
    assessment: &Assessment,
    width: u16,
) -> Vec<Line<'static>> {
    let verdict = Verdict::from(finding.severity);
    let width = usize::from(width.saturating_sub(14));
    let dim = context.style(Role::Dim);
    let mut lines = vec![Line::from(vec![
        Span::styled(word(verdict), context.style(Role::Verdict(verdict))),
        Span::styled(format!("  {}", finding.id), context.style(Role::Title)),
        Span::styled(format!("  layer: {}", finding.layer.word().replace('_', " ")), dim),
    ])];
    let mut section = |name: &'static str, entries: Vec<String>| {
        let mut head = name;
        for entry in entries {
            for part in wrap(&entry, width) {
                lines.push(Line::from(vec![Span::styled(pad(head, 10), dim), Span::raw(part)]));
                head = "";
            }
        }
    };
    section("what", vec![finding.summary.to_string()]);
    if let Some(cause) = finding.caused_by {
        section("follows", vec![format!("from {cause}: mend that first")]);
    }
    let follows: Vec<&str> = assessment
        .findings
        .iter()
        .filter(|f| f.caused_by == Some(finding.id) && f.rails == finding.rails)
        .map(|f| f.id)
        .collect();
    if !follows.is_empty() {
        section("leads to", vec![follows.join(", ")]);
    }
    section("evidence", finding.evidence.iter().map(ToString::to_string).collect());
    section("do", steps(&finding.fix));
    section("verify", steps(&finding.verify));
    section("undo", steps(&finding.undo));
    section("more", vec![format!("railtop explain {}", finding.id)]);
    lines
}

fn steps(steps: &[Step]) -> Vec<String> {
    steps
        .iter()
        .map(|step| match step.place {
            Where::Here => step.command.to_string(),
            Where::Peer => format!("{}   (on the other side)", step.command),
        })
        .collect()
}

/// No finding: say so, and what could not be judged.
fn nothing(
    buffer: &mut Buffer,
    area: Rect,
    context: &Context<'_>,
    assessment: &Assessment,
) -> Extent {
    let mut lines = vec![if assessment.findings.is_empty() {
        Line::raw("nothing found")
    } else {
        Line::raw(format!("nothing found that contains {:?}", context.view.filter))
    }];
    if !assessment.not_checked.is_empty() {
        lines.push(Line::default());
        lines.push(Line::styled("NOT CHECKED", context.style(Role::Dim)));
    }
    for not in &assessment.not_checked {
        lines.push(Line::raw(format!("{}: {}", not.what, not.why)));
    }
    scrolled(buffer, area, &lines, context)
}
