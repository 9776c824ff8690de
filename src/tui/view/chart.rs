//! Throughput over time, received and sent side by side.

use super::Context;
use super::paint::{cells, line, right, text};
use super::plot::{self, Pick, Plot, Series, Window};
use crate::node::Node;
use crate::tui::format;
use crate::tui::glyphs;
use crate::tui::theme::Role;
use crate::units::{self, RateUnit};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Room for the numbers of the scale: five digits, the axis, a space.
const SCALE: u16 = 7;

/// The least upper edge, in the unit of the rates: nobody needs to see the waves of an idle link.
const LEAST_TOP: f64 = 0.01;

/// The least height that says anything: title, three rows, time.
pub(crate) const LEAST: u16 = 5;

/// Draws the charts of these rails.
pub(crate) fn draw(
    buffer: &mut Buffer,
    area: Rect,
    context: &Context<'_>,
    node: &Node,
    rails: &[usize],
) {
    if area.height < LEAST || rails.is_empty() {
        return;
    }
    let half = area.width / 2;
    let left = Rect { width: half, ..area };
    let both = Rect { x: area.x + half, width: area.width - half, ..area };
    let unit = context.unit(node);
    let plot_cells = usize::from(half.saturating_sub(SCALE + 3));
    let dots = if context.look.ascii { plot_cells } else { plot_cells * 2 };
    let oldest = plot::oldest(node, rails);
    let window = Window::stretched(oldest, node.time.mono, context.interval, dots);
    let top = title(buffer, area, context, node, rails, window);
    let drop = |r: Rect| Rect { y: r.y + top, height: r.height - top, ..r };
    let sides: [(Rect, Pick, &str, Role); 2] =
        [(left, |p| p.rx, "RX", Role::Rx), (both, |p| p.tx, "TX", Role::Tx)];
    for (place, pick, name, role) in sides {
        let side = Side { context, node, rails, unit, window, pick, name, role };
        if context.view.same_scale {
            side.overlaid(buffer, drop(place));
        } else {
            side.strips(buffer, drop(place));
        }
    }
}

/// What is shown, and which line is which; the rows it took.
fn title(
    buffer: &mut Buffer,
    area: Rect,
    context: &Context<'_>,
    node: &Node,
    rails: &[usize],
    window: Window,
) -> u16 {
    let scale = if context.view.same_scale { "one scale" } else { "each its own scale" };
    let stepped = Some(context.view.step).filter(|step| context.paused && *step > 0);
    let moment = stepped
        .and_then(|step| node.rails.iter().find_map(|rail| plot::stepped(&rail.history, step)));
    let words = match moment {
        Some(point) => {
            let at = units::clock(node.time.wall_of(point.at), &context.look.zone);
            format!("at {at}, RX and TX {}", context.unit(node).label)
        }
        None => format!("last {}, {scale}", format::span(window.span())),
    };
    let x = area.x + 1;
    let end = text(buffer, x, area.y, area.width - 2, &words, context.style(Role::Dim)) + 2;
    if !context.view.same_scale {
        return 1;
    }
    let mut spans = Vec::new();
    let mut numbers: Vec<usize> = rails.to_vec();
    numbers.sort_unstable();
    for index in numbers {
        let Some(rail) = node.rails.get(index) else { continue };
        let sample = plot::sample_of(index, context.look.ascii, context.theme.repeats(rails.len()));
        spans.push(Span::raw(format!("{} ", rail.name)));
        spans.push(Span::styled(sample, context.style(Role::Series(index))));
        if let Some(step) = stepped {
            let point = plot::stepped(&rail.history, step);
            let rate = |value: Option<f32>| {
                let unit = context.unit(node);
                value.map_or(units::UNKNOWN.to_owned(), |v| unit.rate(v.into()))
            };
            let (rx, tx) = point.map_or((None, None), |p| (p.rx, p.tx));
            spans.push(Span::raw(format!(" {} {}", rate(rx), rate(tx))));
        }
        spans.push(Span::raw("  "));
    }
    let legend = Line::from(spans);
    let room = area.right().saturating_sub(end + 1);
    let own = u16::try_from(legend.width()).unwrap_or(u16::MAX).min(room);
    line(buffer, end + (room - own), area.y, own, &legend);
    1
}

struct Side<'a> {
    context: &'a Context<'a>,
    node: &'a Node,
    rails: &'a [usize],
    unit: RateUnit,
    window: Window,
    pick: Pick,
    name: &'static str,
    role: Role,
}

impl Side<'_> {
    /// The greatest value in sight.
    fn greatest(&self) -> Option<f64> {
        let known = self.rails.iter().filter_map(|r| self.node.rails.get(*r));
        known
            .filter_map(|rail| plot::greatest(&rail.history, self.pick, self.window))
            .max_by(f64::total_cmp)
    }

    /// All rails in one picture, on one scale.
    fn overlaid(&self, buffer: &mut Buffer, area: Rect) {
        // One row for the time below.
        let height = area.height.saturating_sub(1);
        let most = self.greatest().unwrap_or(0.0);
        let top = format::nice_above((most / self.unit.bytes).max(LEAST_TOP));
        let dim = self.context.style(Role::Dim);
        let x = area.x + 1 + SCALE;
        for row in 0..height {
            let (label, tick) = match row {
                0 => (format::tick(top), "┤"),
                r if r + 1 == height => ("0".to_owned(), "┼"),
                r if height >= 5 && r == (height - 1) / 2 && height % 2 == 1 => {
                    let half = format::tick(top / 2.0);
                    (if cells(&half) < usize::from(SCALE) - 1 { half } else { String::new() }, "┤")
                }
                _ => (String::new(), "│"),
            };
            right(buffer, area.x + 1, area.y + row, SCALE - 2, &label, dim);
            text(buffer, x - 1, area.y + row, 1, tick, dim);
        }
        let place = Rect { x, y: area.y, width: area.width.saturating_sub(SCALE + 2), height };
        let view = self.context.view;
        let selected = plot::selected_rail(self.node, self.rails, view);
        let series: Vec<Series<'_>> = plot::drawing_order(self.rails, selected)
            .into_iter()
            .filter_map(|number| {
                let history = &self.node.rails.get(number)?.history;
                Some(Series { history, number, style: self.context.style(Role::Series(number)) })
            })
            .collect();
        self.cursor(buffer, place);
        let plot = Plot {
            window: self.window,
            pick: self.pick,
            top: top * self.unit.bytes,
            ascii: self.context.look.ascii,
            patterned: self.context.theme.repeats(self.rails.len()),
        };
        plot.draw(buffer, place, &series);
        let heading = format!("{} {}", self.name, self.unit.label);
        text(buffer, x + 1, area.y, 9, &heading, self.context.style(self.role));
        if self.greatest().is_none() && height > 2 {
            text(buffer, x + 1, area.y + height / 2, place.width, "nothing known here", dim);
        }
        self.times(buffer, Rect { y: area.y + height, height: 1, ..place });
    }

    /// The vertical line of the moment one stepped back to.
    fn cursor(&self, buffer: &mut Buffer, place: Rect) {
        let view = self.context.view;
        if !self.context.paused || view.step == 0 {
            return;
        }
        let at = self.node.rails.iter().find_map(|r| plot::stepped(&r.history, view.step));
        let Some(x) = at.and_then(|p| self.cell_of(p.at)) else { return };
        for row in 0..place.height {
            let style = self.context.style(Role::Dim);
            text(buffer, place.x + x, place.y + row, 1, "│", style);
        }
    }

    fn cell_of(&self, at: crate::sample::Mono) -> Option<u16> {
        let column = self.window.column_of(at)?;
        let per_cell = if self.context.look.ascii { 1 } else { 2 };
        u16::try_from(column / per_cell).ok()
    }

    /// The clock at the left edge, and the marks.
    fn times(&self, buffer: &mut Buffer, place: Rect) {
        let mut marked = Vec::new();
        for mark in &self.node.marks {
            if let Some(x) = self.cell_of(mark.time.mono).filter(|x| *x < place.width) {
                marked.push(x);
                let words = format!("↑{}", mark.name);
                let width = place.width - x;
                text(buffer, place.x + x, place.y, width, &words, self.context.style(Role::Key));
            }
        }
        // A clock gives way to a mark.
        let half = place.width / 2;
        let cells: &[u16] = if place.width >= 40 { &[0, half] } else { &[0] };
        for cell in cells {
            if marked.iter().any(|x| (*x + 3 > *cell) && *x < *cell + 8) {
                continue;
            }
            let column = u64::from(*cell) * if self.context.look.ascii { 1 } else { 2 };
            let at = self.node.time.wall_of(self.window.time_of(column));
            let words = units::clock(at, &self.context.look.zone);
            let style = self.context.style(Role::Dim);
            text(buffer, place.x + cell, place.y, place.width - cell, &words, style);
        }
    }

    /// One line per rail, each on its own scale, with its greatest value.
    fn strips(&self, buffer: &mut Buffer, area: Rect) {
        let heading = format!("{} {}", self.name, self.unit.label);
        text(buffer, area.x + 1, area.y, area.width, &heading, self.context.style(self.role));
        let name_width = self.name_width();
        let width = area.width.saturating_sub(name_width + 14);
        let oldest = plot::oldest(self.node, self.rails);
        let newest = self.node.time.mono;
        let window = Window::since(oldest, newest, self.context.interval, usize::from(width));
        for (row, index) in (1..area.height).zip(self.rails) {
            let Some(rail) = self.node.rails.get(*index) else { continue };
            let y = area.y + row;
            text(buffer, area.x + 1, y, name_width, &rail.name, self.context.style(Role::Plain));
            let most = plot::greatest(&rail.history, self.pick, window);
            let style = self.context.style(Role::Series(*index));
            let x = area.x + 2 + name_width;
            for (cell, mean) in (0..width).zip(plot::means(&rail.history, self.pick, window)) {
                let Some(mean) = mean else { continue };
                let ratio = most.filter(|m| *m > 0.0).map_or(0.0, |m| mean / m);
                text(buffer, x + cell, y, 1, glyphs::level(ratio), style);
            }
            let peak = most.map_or(units::UNKNOWN.to_owned(), |m| self.unit.rate(m));
            let words = format!("max {peak}");
            right(buffer, x + width, y, 11, &words, self.context.style(Role::Dim));
        }
    }

    fn name_width(&self) -> u16 {
        let longest = self.rails.iter().filter_map(|r| self.node.rails.get(*r));
        u16::try_from(longest.map(|r| cells(&r.name)).max().unwrap_or(0)).unwrap_or(12).min(12)
    }
}
