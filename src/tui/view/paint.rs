//! Painting text into cells: cut where it does not fit, never beyond its place.

use super::{Context, Extent};
use crate::tui::glyphs;
use crate::tui::theme::Role;
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
        at = text(buffer, at, y, left, &span.content, span.style);
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
