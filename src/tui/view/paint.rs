//! Painting text into cells: cut where it does not fit, never beyond its place.

use super::{Context, Extent};
use crate::sample::Reading;
use crate::tui::format;
use crate::tui::glyphs;
use crate::tui::theme::Role;
use crate::units::UNKNOWN;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// Text at a place, cut with `…`; the column behind it.
pub(crate) fn text(buffer: &mut Buffer, x: u16, y: u16, width: u16, s: &str, style: Style) -> u16 {
    let area = *buffer.area();
    if width == 0 || x >= area.right() || y < area.y || y >= area.bottom() || x < area.x {
        return x;
    }
    let width = width.min(area.right() - x);
    if Span::raw(s).width() <= usize::from(width) {
        return buffer.set_stringn(x, y, s, usize::from(width), style).0;
    }
    let (end, _) = buffer.set_stringn(x, y, s, usize::from(width - 1), style);
    buffer.set_stringn(end, y, glyphs::ELLIPSIS, 1, style).0
}

/// Text whose last letter stands in the last column of its place.
pub(crate) fn right(buffer: &mut Buffer, x: u16, y: u16, width: u16, s: &str, style: Style) {
    let own = u16::try_from(Span::raw(s).width()).unwrap_or(u16::MAX).min(width);
    text(buffer, x + (width - own), y, own, s, style);
}

/// A line of several styles; the column behind it.
pub(crate) fn line(buffer: &mut Buffer, x: u16, y: u16, width: u16, line: &Line<'_>) -> u16 {
    let mut at = x;
    for span in &line.spans {
        let left = width.saturating_sub(at - x);
        if left == 0 {
            break;
        }
        at = text(buffer, at, y, left, &span.content, line.style.patch(span.style));
    }
    at
}

/// Lines of text from `scroll` on, with a word at the lower right where more follow.
pub(crate) fn scrolled(
    buffer: &mut Buffer,
    area: Rect,
    lines: &[Line<'_>],
    context: &Context<'_>,
) -> Extent {
    let page = usize::from(area.height);
    let first = context.view.scroll.min(lines.len().saturating_sub(page));
    for (row, content) in (0..area.height).zip(lines.iter().skip(first)) {
        line(buffer, area.x + 1, area.y + row, area.width.saturating_sub(2), content);
    }
    let below = lines.len().saturating_sub(first + page);
    if below > 0 && area.height > 0 {
        let words = format!(" {below} more ↓ ");
        let style = context.style(Role::Badge);
        right(buffer, area.x, area.bottom() - 1, area.width.saturating_sub(1), &words, style);
    }
    Extent { lines: lines.len(), page, choices: 0 }
}

/// A name and its value.
pub(crate) struct Pair {
    name: String,
    value: String,
    /// Nothing to look at: a zero, something that is not known.
    quiet: bool,
}

impl Pair {
    pub(crate) fn new(name: &str, value: String) -> Self {
        let quiet = value == "0" || value.starts_with(UNKNOWN);
        Self { name: name.to_owned(), value, quiet }
    }

    /// A reading in these words, or why it is not known.
    pub(crate) fn reading<T>(
        name: &str,
        reading: &Reading<T>,
        words: impl FnOnce(&T) -> String,
    ) -> Self {
        Self::new(name, reading.as_ref().map_or_else(format::why_not, words))
    }
}

/// Longer values have a line of their own.
const LONGEST_VALUE: usize = 24;

/// Pairs in as many columns as fit, names at the left and values at the right of each.
pub(crate) fn pairs(pairs: &[Pair], context: &Context<'_>, width: usize) -> Vec<Line<'static>> {
    const GAP: usize = 4;
    let short = |p: &&Pair| cells(&p.value) <= LONGEST_VALUE;
    let longest = |pick: fn(&Pair) -> &str| {
        pairs.iter().filter(short).map(|p| cells(pick(p))).max().unwrap_or(0)
    };
    let value = longest(|p| &p.value);
    // Where not even one column fits, a name gives way to its value.
    let name = longest(|p| &p.name).min(width.saturating_sub(value + 2)).max(2);
    let columns = ((width + GAP) / (name + 2 + value + GAP)).max(1);
    let dim = context.style(Role::Dim);
    let mut lines = Vec::new();
    let mut row: Vec<Span<'static>> = Vec::new();
    for (n, pair) in pairs.iter().filter(short).enumerate() {
        if n > 0 && n % columns == 0 {
            lines.push(Line::from(std::mem::take(&mut row)));
        }
        if !row.is_empty() {
            row.push(Span::raw(" ".repeat(GAP)));
        }
        let label = if cells(&pair.name) > name {
            format!("{}{}", head_of(&pair.name, name - 1), glyphs::ELLIPSIS)
        } else {
            pair.name.clone()
        };
        row.push(Span::styled(pad(&label, name + 2), dim));
        let lead = " ".repeat(value.saturating_sub(cells(&pair.value)));
        let style = if pair.quiet { dim } else { Style::new() };
        row.push(Span::styled(format!("{lead}{}", pair.value), style));
    }
    if !row.is_empty() {
        lines.push(Line::from(row));
    }
    for pair in pairs.iter().filter(|p| !short(p)) {
        lines.push(Line::from(vec![
            Span::styled(pad(&pair.name, name + 2), dim),
            Span::raw(pair.value.clone()),
        ]));
    }
    lines
}

/// Two blocks of lines side by side, the right one from this column on.
pub(crate) fn beside(
    left: Vec<Line<'static>>,
    right: Vec<Line<'static>>,
    column: usize,
) -> Vec<Line<'static>> {
    let rows = left.len().max(right.len());
    let (mut left, mut right) = (left.into_iter(), right.into_iter());
    (0..rows)
        .map(|_| {
            let mut line = left.next().unwrap_or_default();
            if let Some(other) = right.next().filter(|other| !other.spans.is_empty()) {
                let gap = column.saturating_sub(line.width()).max(2);
                // The style of a line is that of its spans: two lines may differ.
                let (own, theirs) = (line.style, other.style);
                for span in &mut line.spans {
                    span.style = own.patch(span.style);
                }
                line.style = Style::new();
                line.spans.push(Span::raw(" ".repeat(gap)));
                line.spans.extend(other.spans.into_iter().map(|mut span| {
                    span.style = theirs.patch(span.style);
                    span
                }));
            }
            line
        })
        .collect()
}

/// Breaks text into lines of at most `width` cells, between words where it can.
pub(crate) fn wrap(s: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    let mut current = String::new();
    for word in s.split(' ') {
        let mut word = word.to_owned();
        if !current.is_empty() && cells(&current) + 1 + cells(&word) > width {
            lines.push(std::mem::take(&mut current));
        }
        while cells(&word) > width {
            let head = head_of(&word, width);
            word = word.split_off(head.len());
            lines.push(head);
        }
        if !current.is_empty() {
            current.push(' ');
        }
        current.push_str(&word);
    }
    lines.push(current);
    lines
}

/// The longest head of at most `width` cells, at least one character.
fn head_of(word: &str, width: usize) -> String {
    let mut head = String::new();
    for c in word.chars() {
        let before = head.len();
        head.push(c);
        if cells(&head) > width && before > 0 {
            head.truncate(before);
            break;
        }
    }
    head
}

pub(crate) fn cells(s: &str) -> usize {
    Span::raw(s).width()
}

/// The same text padded to a width.
pub(crate) fn pad(s: &str, width: usize) -> String {
    let mut padded = s.to_owned();
    padded.extend(std::iter::repeat_n(' ', width.saturating_sub(cells(s))));
    padded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_is_cut_visibly() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 6, 1));
        text(&mut buffer, 1, 0, 4, "abcdef", Style::new());
        assert_eq!(buffer, Buffer::with_lines([" abc… "]));
    }

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrap("no signal on ib2", 9), ["no signal", "on ib2"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("", 3), [""]);
    }

    proptest! {
        #[test]
        fn wrapping_loses_nothing(s in "[a-z 漢]{0,60}", width in 2usize..20) {
            let lines = wrap(&s, width);
            let all: String = lines.concat().chars().filter(|c| *c != ' ').collect();
            let wanted: String = s.chars().filter(|c| *c != ' ').collect();
            prop_assert_eq!(all, wanted);
        }

        #[test]
        fn no_text_and_no_place_panics(s: String, x in 0u16..12, y in 0u16..4, width in 0u16..12) {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 10, 2));
            text(&mut buffer, x, y, width, &s, Style::new());
            right(&mut buffer, x, y, width, &s, Style::new());
        }
    }
}
