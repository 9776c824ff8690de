//! Lines over time: braille dots, or letters where only ASCII is wanted.
//!
//! The time axis is a fixed grid: while it fills, it begins with the history; once it is full it
//! moves by a quarter of its width. So a new sample changes a column and not the whole picture.

use super::order;
use crate::node::{History, HistoryPoint};
use crate::sample::Mono;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use std::time::Duration;

/// A piece of the time axis: columns of equal duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// Nanoseconds of one column.
    column: u64,
    /// First column, counted from the origin of the clock.
    left: u64,
    /// Number of columns.
    width: u64,
}

/// A short history is stretched: this many columns for one interval, the most first.
const STRETCH: [u64; 4] = [8, 4, 2, 1];

impl Window {
    /// The window of `width` columns that `newest` falls into, for what is known since `oldest`.
    pub(crate) fn since(oldest: Mono, newest: Mono, column: Duration, width: usize) -> Self {
        let column = u64::try_from(column.as_nanos()).unwrap_or(u64::MAX).max(1_000_000);
        let width = (width as u64).max(1);
        let (first, last) = (oldest.0.min(newest.0) / column, newest.0 / column);
        if last - first < width {
            return Self { column, left: first, width };
        }
        let page = (width / 4).max(1);
        let right = (last / page + 1) * page;
        Self { column, left: right.saturating_sub(width), width }
    }

    /// The same with columns as fine as the history leaves room for: the first samples already
    /// show a course.
    pub(crate) fn stretched(oldest: Mono, newest: Mono, interval: Duration, width: usize) -> Self {
        let interval = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX);
        let known = newest.0.saturating_sub(oldest.0);
        let fits = |times: &&u64| {
            let column = (interval / **times).max(1_000_000);
            known / column + 1 < width as u64
        };
        let times = STRETCH.iter().find(fits).unwrap_or(&1);
        Self::since(oldest, newest, Duration::from_nanos(interval / times), width)
    }

    /// How much time it shows.
    pub(crate) fn span(self) -> Duration {
        Duration::from_nanos(self.column.saturating_mul(self.width))
    }

    /// The time of a column's beginning.
    pub(crate) fn time_of(self, column: u64) -> Mono {
        Mono((self.left + column).saturating_mul(self.column))
    }

    /// The column of a time, if it is inside.
    pub(crate) fn column_of(self, at: Mono) -> Option<usize> {
        let column = (at.0 / self.column).checked_sub(self.left)?;
        (column < self.width).then_some(column as usize)
    }
}

/// Which direction of a history.
pub(crate) type Pick = fn(&HistoryPoint) -> Option<f32>;

/// The greatest value that is known inside the window.
pub(crate) fn greatest(history: &History, pick: Pick, window: Window) -> Option<f64> {
    let inside = history.points.iter().rev().take_while(|p| p.at >= window.time_of(0));
    inside
        .filter_map(|p| pick(p).map(f64::from))
        .fold(None, |most, value| Some(most.map_or(value, |m: f64| m.max(value))))
}

/// Means of a history in the columns of a window; `None` where nothing is known.
pub(crate) fn means(history: &History, pick: Pick, window: Window) -> Vec<Option<f64>> {
    let mut sums = vec![(0.0, 0u32); window.width as usize];
    for point in history.points.iter().rev().take_while(|p| p.at >= window.time_of(0)) {
        let place = window.column_of(point.at).and_then(|c| sums.get_mut(c));
        if let (Some(place), Some(value)) = (place, pick(point)) {
            place.0 += f64::from(value);
            place.1 += 1;
        }
    }
    sums.into_iter().map(|(sum, n)| (n > 0).then(|| sum / f64::from(n))).collect()
}

/// How a line is told from the others without colour: dots on, out of a period.
const PATTERNS: [(u64, u64); 4] = [(1, 1), (6, 8), (1, 2), (3, 6)];

/// A line of the plot.
pub(crate) struct Series<'a> {
    /// What it did.
    pub(crate) history: &'a History,
    /// Decides pattern and letter; stable for a rail.
    pub(crate) number: usize,
    /// Its colour.
    pub(crate) style: Style,
}

/// Lines on one scale.
pub(crate) struct Plot {
    pub(crate) window: Window,
    pub(crate) pick: Pick,
    /// The value of the upper edge.
    pub(crate) top: f64,
    pub(crate) ascii: bool,
    /// Dashes tell the lines apart; a line that moves much is easier to follow without.
    pub(crate) patterned: bool,
}

/// The letter of a series in ASCII.
pub(crate) fn letter(number: usize) -> char {
    char::from(b'a' + (number % 26) as u8)
}

/// A piece of the line for the legend.
pub(crate) fn sample_of(number: usize, ascii: bool, patterned: bool) -> String {
    if ascii {
        return letter(number).to_string();
    }
    let number = if patterned { number } else { 0 };
    let dots = |cell: u64| {
        let left = if is_on(number, cell * 2) { 0x04 } else { 0 };
        let right = if is_on(number, cell * 2 + 1) { 0x20 } else { 0 };
        char::from_u32(0x2800 + left + right).unwrap_or(' ')
    };
    (0..3).map(dots).collect()
}

fn is_on(number: usize, column: u64) -> bool {
    let (on, period) = PATTERNS.get(number % PATTERNS.len()).copied().unwrap_or((1, 1));
    column % period < on
}

impl Plot {
    /// Draws the lines; later ones lie on top.
    pub(crate) fn draw(&self, buffer: &mut Buffer, area: Rect, series: &[Series<'_>]) {
        for one in series {
            self.draw_one(buffer, area, one);
        }
    }

    fn draw_one(&self, buffer: &mut Buffer, area: Rect, series: &Series<'_>) {
        let per_cell: usize = if self.ascii { 1 } else { 4 };
        let rows = usize::from(area.height) * per_cell;
        let mut before: Option<(usize, usize)> = None;
        // The point before the window too: the line comes in from the left edge.
        for point in &series.history.points {
            let value = (self.pick)(point).map(f64::from);
            let at = self.window.column_of(point.at);
            let (Some(value), Some(x)) = (value, at) else {
                before = None;
                continue;
            };
            let y = self.row_of(value, rows);
            let (from_x, from_y) = before.unwrap_or((x, y));
            for column in from_x..=x {
                let here = between(from_x, from_y, x, y, column);
                let last = between(from_x, from_y, x, y, column.saturating_sub(1).max(from_x));
                for row in here.min(last)..=here.max(last) {
                    self.dot(buffer, area, column, row, series);
                }
            }
            before = Some((x, y));
        }
    }

    /// The row of a value, counted from above.
    fn row_of(&self, value: f64, rows: usize) -> usize {
        let most = rows.saturating_sub(1);
        let ratio = if self.top > 0.0 { (value / self.top).clamp(0.0, 1.0) } else { 0.0 };
        most - ((ratio * most as f64).round() as usize).min(most)
    }

    fn dot(&self, buffer: &mut Buffer, area: Rect, column: usize, row: usize, s: &Series<'_>) {
        let (dx, dy) = if self.ascii { (1, 1) } else { (2, 4) };
        let dashed = self.patterned && !self.ascii;
        if dashed && !is_on(s.number, self.window.left + column as u64) {
            return;
        }
        let (Ok(cx), Ok(cy)) = (u16::try_from(column / dx), u16::try_from(row / dy)) else {
            return;
        };
        if cx >= area.width || cy >= area.height {
            return;
        }
        let Some(cell) = buffer.cell_mut((area.x + cx, area.y + cy)) else { return };
        let symbol =
            if self.ascii { letter(s.number) } else { braille(cell.symbol(), column % 2, row % 4) };
        cell.set_char(symbol).set_style(s.style);
    }
}

/// The row at `column` of a straight line.
fn between(from_x: usize, from_y: usize, to_x: usize, to_y: usize, column: usize) -> usize {
    if to_x <= from_x {
        return to_y;
    }
    let part = (column.saturating_sub(from_x)) as f64 / (to_x - from_x) as f64;
    (from_y as f64 + (to_y as f64 - from_y as f64) * part).round().max(0.0) as usize
}

/// The cell with one more dot.
fn braille(symbol: &str, x: usize, y: usize) -> char {
    const DOTS: [[u32; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
    let before = symbol.chars().next().map_or(0, u32::from);
    let before = if (0x2800..=0x28ff).contains(&before) { before - 0x2800 } else { 0 };
    let dot = DOTS.get(x).and_then(|column| column.get(y)).copied().unwrap_or(0);
    char::from_u32(0x2800 + (before | dot)).unwrap_or(' ')
}

/// When the oldest point of these rails was made; now, where there is none.
pub(crate) fn oldest(node: &crate::node::Node, rails: &[usize]) -> Mono {
    let known = rails.iter().filter_map(|n| node.rails.get(*n)?.history.points.front());
    known.map(|point| point.at).min().unwrap_or(node.time.mono)
}

/// The point of a history that lies `step` points back.
pub(crate) fn stepped(history: &History, step: usize) -> Option<&HistoryPoint> {
    history.points.len().checked_sub(1 + step).and_then(|n| history.points.get(n))
}

/// Rails in the order in which they are drawn: the selected one last, on top.
pub(crate) fn drawing_order(rails: &[usize], selected: Option<usize>) -> Vec<usize> {
    let mut order: Vec<usize> = rails.iter().copied().filter(|r| Some(*r) != selected).collect();
    order.reverse();
    order.extend(selected.filter(|r| rails.contains(r)));
    order
}

/// The selected rail's index into the node's rails.
pub(crate) fn selected_rail(
    node: &crate::node::Node,
    rails: &[usize],
    view: &crate::tui::state::ViewState,
) -> Option<usize> {
    rails.get(order::selected(node, rails, view)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_window_moves_by_quarters() {
        let second = Duration::from_secs(1);
        let at = |s: u64| Window::since(Mono(0), Mono(s * 1_000_000_000), second, 40);
        assert_eq!(at(100), at(109));
        assert_ne!(at(109), at(110));
        assert_eq!(at(100).column_of(Mono(100_000_000_000)), Some(30));
    }

    #[test]
    fn a_short_history_begins_at_the_left_and_is_stretched() {
        let second = Duration::from_secs(1);
        let mono = |s: u64| Mono(s * 1_000_000_000);
        let window = |known: u64| Window::stretched(mono(1000), mono(1000 + known), second, 64);
        assert_eq!(window(5).column_of(mono(1000)), Some(0));
        assert_eq!(window(5).span(), Duration::from_secs(8));
        assert_eq!(window(5).column_of(mono(1005)), Some(40));
        assert_eq!(window(20).span(), Duration::from_secs(32));
        assert_eq!(window(50).span(), Duration::from_secs(64));
        assert_eq!(window(500).span(), Duration::from_secs(64));
    }

    #[test]
    fn what_is_not_known_is_a_gap() {
        let mut history = History::default();
        for (n, rx) in [(1, Some(1.0)), (2, None), (3, Some(1.0))] {
            history.push(HistoryPoint { at: Mono(n * 1_000_000_000), rx, tx: None });
        }
        let window = Window::since(Mono(0), Mono(3_000_000_000), Duration::from_secs(1), 8);
        let area = Rect::new(0, 0, 4, 1);
        let mut buffer = Buffer::empty(area);
        let plot = Plot { window, pick: |p| p.rx, top: 1.0, ascii: false, patterned: true };
        plot.draw(
            &mut buffer,
            area,
            &[Series { history: &history, number: 0, style: Style::new() }],
        );
        assert_eq!(buffer, Buffer::with_lines(["⠈⠈  "]));
    }

    proptest! {
        #[test]
        fn the_newest_is_always_inside(
            at: u64, known: u64, ms in 1u64..100_000, width in 1usize..500,
        ) {
            let (oldest, newest) = (Mono(at.saturating_sub(known)), Mono(at));
            let interval = Duration::from_millis(ms);
            for window in [
                Window::since(oldest, newest, interval, width),
                Window::stretched(oldest, newest, interval, width),
            ] {
                prop_assert!(window.column_of(newest).is_some());
            }
        }

        #[test]
        fn no_history_panics(
            points in prop::collection::vec((0u64..1_000_000_000_000, any::<Option<f32>>()), 0..50),
            top: f64, ascii: bool, width in 0u16..30, height in 0u16..8,
        ) {
            let mut history = History::default();
            for (at, rx) in points {
                history.push(HistoryPoint { at: Mono(at), rx, tx: None });
            }
            let window = Window::since(Mono(0), Mono(500_000_000_000), Duration::from_secs(9), 60);
            let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 5));
            let area = Rect::new(0, 0, width, height);
            let plot = Plot { window, pick: |p| p.rx, top, ascii, patterned: ascii };
            plot.draw(&mut buffer, area, &[Series { history: &history, number: 1, style: Style::new() }]);
        }
    }
}
