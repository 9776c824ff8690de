//! Which rail is really taken: sources down, destinations across, and the story of one decision.

use super::Context;
use super::paint::{cells, pad, wrap};
use crate::check::Verdict;
use crate::check::paths::{Cell, Matrix, State};
use crate::tui::format;
use crate::tui::glyphs;
use crate::tui::theme::Role;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use std::net::IpAddr;

const CORNER: &str = "FROM \\ TO";
const GAP: usize = 3;
/// With so many rows the story is always told.
const ROOMY: u16 = 36;

/// The matrix, and below it the story of the selected cell where there is room or it is asked for.
pub(super) fn lines(context: &Context<'_>, area: Rect) -> Vec<Line<'static>> {
    let width = usize::from(area.width.saturating_sub(2));
    let matrix = match context.paths.matrix() {
        Some(Ok(matrix)) => matrix,
        Some(Err(why)) => {
            let words = format!("{CORNER}  {}", format::why_not(why));
            return vec![Line::raw(words), Line::default()];
        }
        None => return Vec::new(),
    };
    if matrix.to.is_empty() {
        let words = format!("{CORNER}  no rail has an address: nothing to ask the kernel");
        return vec![Line::styled(words, context.style(Role::Dim)), Line::default()];
    }
    let mut lines = grid(context, matrix, width);
    if context.view.story || area.height >= ROOMY {
        lines.extend(story(context, width));
        lines.push(Line::default());
    } else {
        lines.push(Line::styled(
            "  Enter: how the selected decision came about",
            context.style(Role::Dim),
        ));
    }
    lines
}

fn grid(context: &Context<'_>, matrix: &Matrix, width: usize) -> Vec<Line<'static>> {
    let (row_at, column_at) = context.paths.at();
    let rows = table(matrix);
    let names = matrix.from.iter().map(|from| cells(&source(*from)));
    let head = names.max().unwrap_or(0).max(cells(CORNER)) + 2 + GAP;
    let widths: Vec<usize> = (matrix.to.iter().enumerate())
        .map(|(n, to)| {
            let own = rows.iter().filter_map(|row| row.get(n)).map(|cell| cells(&words(*cell).0));
            own.max().unwrap_or(0).max(cells(&to.to_string())) + GAP
        })
        .collect();
    let shown = window(&widths, column_at, width.saturating_sub(head));
    let dim = context.style(Role::Dim);
    let mut heading = vec![Span::styled(pad(&format!("  {CORNER}"), head), dim)];
    for (n, to) in matrix.to.iter().enumerate().filter(|(n, _)| shown.contains(n)) {
        let role = if n == column_at { Role::Title } else { Role::Dim };
        let own = widths.get(n).copied().unwrap_or(0);
        heading.push(Span::styled(pad(&to.to_string(), own), context.style(role)));
    }
    let hidden = matrix.to.len() - shown.len();
    if matrix.known > matrix.to.len() && hidden == 0 {
        heading.push(Span::styled(format!("of {} peers", matrix.known), dim));
    }
    if hidden > 0 {
        heading.push(Span::styled(format!("+{hidden} ←→"), dim));
    }
    let mut lines = vec![Line::from(heading)];
    for (r, (from, row)) in matrix.from.iter().zip(&rows).enumerate() {
        let sign = if r == row_at { glyphs::SELECTED } else { " " };
        let mut spans = vec![Span::raw(pad(&format!("{sign} {}", source(*from)), head))];
        for (n, cell) in row.iter().enumerate().filter(|(n, _)| shown.contains(n)) {
            let (words, role) = words(*cell);
            let own = widths.get(n).copied().unwrap_or(0);
            let mut style = context.style(role);
            if (r, n) == (row_at, column_at) {
                style = style.patch(context.style(Role::Selected));
            }
            let rest = " ".repeat(own.saturating_sub(cells(&words)));
            spans.push(Span::styled(words, style));
            spans.push(Span::raw(rest));
        }
        lines.push(Line::from(spans));
    }
    lines
}

/// The cells as rows of equal length; none between two families.
fn table(matrix: &Matrix) -> Vec<Vec<Option<&Cell>>> {
    let mut rest = matrix.cells.iter().peekable();
    let mut row = |from: Option<IpAddr>| {
        let cell = |to: &IpAddr| rest.next_if(|cell| cell.from == from && cell.to == *to);
        matrix.to.iter().map(cell).collect()
    };
    matrix.from.iter().map(|from| row(*from)).collect()
}

/// The columns that fit, the selected one among them.
fn window(widths: &[usize], selected: usize, room: usize) -> std::ops::Range<usize> {
    let sum = |range: std::ops::Range<usize>| widths.iter().take(range.end).skip(range.start).sum();
    let fits = |range: std::ops::Range<usize>| -> bool {
        let all: usize = sum(range.clone());
        // The last column needs no gap; where columns are left out, a word says so.
        let word = if range.len() < widths.len() { 6 } else { 0 };
        all + word <= room + GAP
    };
    let mut start = 0;
    while start < selected && !fits(start..selected + 1) {
        start += 1;
    }
    let mut end = (selected + 1).min(widths.len());
    while end < widths.len() && fits(start..end + 1) {
        end += 1;
    }
    start..end
}

fn source(from: Option<IpAddr>) -> String {
    from.map_or_else(|| "unbound".to_owned(), |from| from.to_string())
}

/// `ib0 ✔`, as the judgement says it.
fn words(cell: Option<&Cell>) -> (String, Role) {
    let Some(cell) = cell else { return (" ".to_owned(), Role::Dim) };
    let role = match cell.state() {
        State::Right => Role::Verdict(Verdict::Ok),
        // Nobody who binds to this source needs that way.
        _ if cell.aside => Role::Dim,
        State::Wrong | State::Dead | State::Refused => Role::Verdict(Verdict::Critical),
        State::OtherSubnet | State::Local | State::NoOwner | State::Unknown => Role::Dim,
    };
    (cell.short(), role)
}

fn story(context: &Context<'_>, width: usize) -> Vec<Line<'static>> {
    let Some(cell) = context.paths.chosen() else { return Vec::new() };
    let title = format!("{} → {}: {}", source(cell.from), cell.to, cell.story());
    let mut lines = vec![Line::default(), Line::styled(title, context.style(Role::Title))];
    for told in context.paths.story() {
        let parts = wrap(told, width.saturating_sub(4)).into_iter().enumerate();
        lines.extend(
            parts.map(|(n, part)| {
                Line::raw(format!("{}{part}", if n == 0 { "  " } else { "    " }))
            }),
        );
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selected_column_is_shown() {
        assert_eq!(window(&[10, 10, 10], 0, 40), 0..3);
        assert_eq!(window(&[10, 10, 10, 10], 3, 25), 2..4);
        assert_eq!(window(&[10], 0, 0), 0..1);
        assert_eq!(window(&[], 0, 0), 0..0);
    }
}
