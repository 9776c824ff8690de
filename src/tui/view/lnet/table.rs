//! Tables whose less useful columns give way where there is no room.

use crate::tui::view::paint::{right, text};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// A column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) heading: &'static str,
    pub(super) width: u16,
    /// Figures stand at the right of their column.
    pub(super) figures: bool,
    /// The least is the most useful.
    pub(super) rank: u8,
}

pub(super) const fn words(heading: &'static str, width: u16, rank: u8) -> Column {
    Column { heading, width, figures: false, rank }
}

pub(super) const fn figures(heading: &'static str, width: u16, rank: u8) -> Column {
    Column { heading, width, figures: true, rank }
}

/// Before the first column there are the selection and the verdict.
const SIGNS: u16 = 4;

/// Columns with their places; `None` for what does not fit.
pub(super) struct Table {
    columns: Vec<(Column, Option<u16>)>,
    area: Rect,
}

impl Table {
    /// As many of the columns as fit, the most useful ones; the last takes what is left.
    pub(super) fn new(area: Rect, columns: &[Column], stretch: bool) -> Self {
        let mut by_use: Vec<usize> = (0..columns.len()).collect();
        by_use.sort_by_key(|i| columns.get(*i).map_or(u8::MAX, |c| c.rank));
        let mut room = area.width.saturating_sub(SIGNS + 1);
        let mut fits = vec![false; columns.len()];
        for index in by_use {
            let (Some(column), Some(fit)) = (columns.get(index), fits.get_mut(index)) else {
                continue;
            };
            // No less useful one takes the room of a more useful one.
            if column.width > room {
                break;
            }
            *fit = true;
            room = room.saturating_sub(column.width + 1);
        }
        let mut x = area.x + SIGNS;
        let mut placed: Vec<(Column, Option<u16>)> = Vec::new();
        for (column, fits) in columns.iter().zip(fits) {
            placed.push((*column, fits.then_some(x)));
            if fits {
                x += column.width + 1;
            }
        }
        if let Some((column, Some(x))) = placed.last_mut().filter(|_| stretch) {
            column.width = area.right().saturating_sub(*x + 1);
        }
        Self { columns: placed, area }
    }

    /// Does the column of that heading fit?
    #[cfg(test)]
    pub(super) fn shows(&self, heading: &str) -> bool {
        self.columns.iter().any(|(c, x)| c.heading == heading && x.is_some())
    }

    pub(super) fn heading(&self, buffer: &mut Buffer, y: u16, style: Style) {
        let all: Vec<String> = self.columns.iter().map(|(c, _)| c.heading.to_owned()).collect();
        self.row(buffer, y, &all, |_| style);
    }

    /// One row, its fields in the order of the columns.
    pub(super) fn row(
        &self,
        buffer: &mut Buffer,
        y: u16,
        fields: &[String],
        style: impl Fn(usize) -> Style,
    ) {
        if y >= self.area.bottom() {
            return;
        }
        for (n, ((column, x), field)) in self.columns.iter().zip(fields).enumerate() {
            let Some(x) = *x else { continue };
            let paint = if column.figures { right } else { left };
            paint(buffer, x, y, column.width, field, style(n));
        }
    }
}

fn left(buffer: &mut Buffer, x: u16, y: u16, width: u16, s: &str, style: Style) {
    text(buffer, x, y, width, s, style);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const COLUMNS: [Column; 4] =
        [words("NID", 16, 0), figures("SENT", 7, 2), figures("CPT", 8, 3), words("WHAT", 14, 1)];

    #[test]
    fn the_less_useful_give_way() {
        let shown = |width| {
            let table = Table::new(Rect::new(0, 0, width, 5), &COLUMNS, true);
            COLUMNS.map(|c| table.shows(c.heading))
        };
        assert_eq!(shown(80), [true; 4]);
        assert_eq!(shown(45), [true, true, false, true]);
        assert_eq!(shown(37), [true, false, false, true]);
        assert_eq!(shown(10), [false; 4]);
    }

    proptest! {
        #[test]
        fn no_width_paints_beyond_its_place(width in 0u16..200, x in 0u16..40) {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 240, 1));
            let table = Table::new(Rect::new(x, 0, width, 1), &COLUMNS, true);
            let long = "x".repeat(300);
            table.row(&mut buffer, 0, &COLUMNS.map(|_| long.clone()), |_| Style::new());
            for (n, cell) in (0u16..).zip(&buffer.content) {
                prop_assert!(cell.symbol() == " " || n >= x && n < x + width, "{n}");
            }
        }
    }
}
