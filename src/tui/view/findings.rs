//! What is wrong: roots, worst first, with what follows from each indented below it; of the
//! selected one the evidence, the mend and what the catalogue says; last, what could not be checked.

use super::head::word;
use super::paint::{cells, line, pad, scrolled, text, wrap};
use super::{Context, Extent};
use crate::check::{Assessment, Finding, Step, Verdict, Where, entry};
use crate::node::Node;
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
    node: &Node,
    assessment: &Assessment,
) -> Extent {
    let findings: Vec<&Finding> = visible(assessment, context.view).collect();
    let page = Page { context, width: usize::from(area.width.saturating_sub(2)) };
    if findings.is_empty() {
        let nothing = if assessment.findings.is_empty() {
            "nothing found".to_owned()
        } else {
            format!("nothing found that contains {:?}", context.view.filter)
        };
        let mut lines = vec![Line::raw(nothing)];
        lines.extend(page.gaps(node, assessment));
        return scrolled(buffer, area, &lines, context);
    }
    let cursor = context.view.cursor.min(findings.len().saturating_sub(1));
    // The list has at most half of the room, the rest tells of the selected one.
    let most = usize::from(area.height / 2).max(1);
    let rows = findings.len().min(most);
    let first = (cursor + 1).saturating_sub(rows);
    let id = findings.iter().map(|f| cells(indent(f)) + cells(f.id)).max().unwrap_or(0);
    for (row, finding) in (0..area.height).zip(findings.iter().skip(first).take(rows)) {
        let selected = usize::from(row) + first == cursor;
        list_line(buffer, area, area.y + row, context, finding, selected, id);
    }
    let used = u16::try_from(rows).unwrap_or(area.height);
    let rule = place(cursor, findings.len(), rows, assessment.not_checked.len());
    text(buffer, area.x + 1, area.y + used, area.width - 2, &rule, context.style(Role::Dim));
    let rest = Rect { y: area.y + used + 1, height: area.height.saturating_sub(used + 1), ..area };
    let mut lines = findings.get(cursor).map_or_else(Vec::new, |f| page.details(f, assessment));
    lines.extend(page.gaps(node, assessment));
    let extent = scrolled(buffer, rest, &lines, context);
    Extent { choices: findings.len(), ..extent }
}

/// The line between the list and the selected finding.
fn place(cursor: usize, findings: usize, rows: usize, not_checked: usize) -> String {
    let others = if findings > rows { ": j and k show the others" } else { "" };
    let gaps = match not_checked {
        0 => String::new(),
        n => format!(" · {n} could not be checked, see below"),
    };
    format!("finding {} of {findings}{others}{gaps}", cursor + 1)
}

fn indent(finding: &Finding) -> &'static str {
    if finding.caused_by.is_some() { "└ " } else { "" }
}

fn list_line(
    buffer: &mut Buffer,
    area: Rect,
    y: u16,
    context: &Context<'_>,
    finding: &Finding,
    selected: bool,
    id: usize,
) {
    let verdict = Verdict::from(finding.severity);
    let mark = if selected { glyphs::SELECTED } else { " " };
    let lead = indent(finding);
    // The gap behind the id is no part of what is selected.
    let gap = (id + 2).saturating_sub(cells(lead) + cells(finding.id));
    let spans = vec![
        Span::styled(
            format!("{mark}{} ", glyphs::verdict(verdict)),
            context.style(Role::Verdict(verdict)),
        ),
        Span::styled(lead, context.style(Role::Dim)),
        Span::styled(
            finding.id,
            context.style(if selected { Role::Selected } else { Role::Plain }),
        ),
        Span::raw(" ".repeat(gap)),
        Span::raw(about(finding)),
    ];
    line(buffer, area.x, y, area.width.saturating_sub(1), &Line::from(spans));
}

/// The sentence, with the rails in front where it does not name them itself.
fn about(finding: &Finding) -> String {
    let unnamed: Vec<&str> = finding
        .rails
        .iter()
        .map(AsRef::as_ref)
        .filter(|rail| !finding.summary.contains(rail))
        .collect();
    if unnamed.is_empty() {
        return finding.summary.to_string();
    }
    format!("{}: {}", unnamed.join(", "), finding.summary)
}

struct Page<'a> {
    context: &'a Context<'a>,
    width: usize,
}

impl Page<'_> {
    /// A name, and beside it its entries, broken where they are too long.
    fn section(
        &self,
        name: &'static str,
        entries: impl IntoIterator<Item = String>,
    ) -> Vec<Line<'static>> {
        const NAME: usize = 10;
        let mut head = name;
        let mut lines = Vec::new();
        for entry in entries {
            for part in wrap(&entry, self.width.saturating_sub(NAME)) {
                let name = Span::styled(pad(head, NAME), self.context.style(Role::Dim));
                lines.push(Line::from(vec![name, Span::raw(part)]));
                head = "";
            }
        }
        lines
    }

    fn details(&self, finding: &Finding, assessment: &Assessment) -> Vec<Line<'static>> {
        let verdict = Verdict::from(finding.severity);
        let dim = self.context.style(Role::Dim);
        let layer = finding.layer.words();
        let mut lines = vec![Line::from(vec![
            Span::styled(word(verdict), self.context.style(Role::Verdict(verdict))),
            Span::styled(format!("  {}", finding.id), self.context.style(Role::Title)),
            Span::styled(format!("  layer: {layer}"), dim),
        ])];
        lines.extend(self.section("what", [finding.summary.to_string()]));
        if let Some(cause) = finding.caused_by {
            lines.extend(self.section("follows", [format!("from {cause}: mend that first")]));
        }
        let follows: Vec<&str> = assessment
            .findings
            .iter()
            .filter(|f| f.caused_by == Some(finding.id) && f.rails == finding.rails)
            .map(|f| f.id)
            .collect();
        if !follows.is_empty() {
            lines.extend(self.section("leads to", [follows.join(", ")]));
        }
        let evidence = finding.evidence.iter().map(ToString::to_string);
        lines.extend(self.section("evidence", evidence));
        lines.extend(self.section("do", steps(&finding.fix)));
        lines.extend(self.section("verify", steps(&finding.verify)));
        lines.extend(self.section("undo", steps(&finding.undo)));
        if let Some(entry) = entry(finding.id) {
            lines.extend(self.section("why", [entry.explanation.to_owned()]));
            lines.extend(self.section("source", [entry.source.to_owned()]));
        }
        lines
    }

    /// What could not be checked, and which ports are not shown and why: silence is no verdict.
    fn gaps(&self, node: &Node, assessment: &Assessment) -> Vec<Line<'static>> {
        let dim = self.context.style(Role::Dim);
        let mut lines = Vec::new();
        let mut block = |heading: &'static str, entries: Vec<String>| {
            if entries.is_empty() {
                return;
            }
            lines.push(Line::default());
            lines.push(Line::styled(heading, dim));
            for entry in entries {
                lines.extend(wrap(&entry, self.width).into_iter().map(Line::raw));
            }
        };
        let gaps = assessment.not_checked.iter().map(|gap| format!("{}: {}", gap.what, gap.why));
        block("COULD NOT BE CHECKED", gaps.collect());
        let mut quiet: Vec<String> = node.choice_note.iter().map(ToString::to_string).collect();
        quiet.extend(super::rails::not_shown(node));
        block("CHOICE OF RAILS", quiet);
        lines
    }
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
