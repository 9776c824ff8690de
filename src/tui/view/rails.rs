//! One row per rail: what is dead, what carries how much, and is it shared fairly.
//!
//! ```text
//!    RAIL  LINK          RX GB/s              TX GB/s              SHARE  LNET
//!  ✖ ib2   DOWN Polling        –                    –                  –  NI down
//!  ● ib0   200 HDR         10.20 ██████▌░░░      3.10 ██░░░░░░░░    34 %  up
//!    o2ib  3 of 4 up       30.30 of 75           9.10 of 75               balance 0.75
//! ```

use super::columns::Column::{
    self, Address, Link, Lnet, Numa, Pci, Rail as Name, Rx, RxBar, RxSpark, Share, Sign, Tx, TxBar,
    TxSpark,
};
use super::columns::Layout;
use super::order::{self, Row};
use super::paint::{cells, right, text};
use super::rail_cells::{address, busier_share, link_words};
use super::{Context, Extent, chart, events, lnet, plot};
use crate::check::{Assessment, Verdict};
use crate::node::{BalanceSide, Flow, Group, Node, Rail};
use crate::tui::format;
use crate::tui::glyphs;
use crate::tui::theme::Role;
use crate::units::{self, RateUnit, UNKNOWN};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::time::Duration;

/// Draws the screen.
pub(crate) fn draw(
    buffer: &mut Buffer,
    area: Rect,
    context: &Context<'_>,
    node: &Node,
    assessment: &Assessment,
) -> Extent {
    let rows = order::rows(node, assessment, context.view);
    let rails = order::rails(node, assessment, context.view);
    let table = Table {
        context,
        node,
        assessment,
        layout: Layout::new(area, longest_name(node)),
        unit: context.unit(node),
        selected: plot::selected_rail(node, &rails, context.view),
    };
    let notes = not_shown(node);
    let wanted = u16::try_from(rows.len() + 1 + notes.len()).unwrap_or(u16::MAX);
    let taken = wanted.min(area.height);
    let table_area = Rect { height: taken, ..area };
    table.draw(buffer, table_area, &rows, &notes);
    below(buffer, area, taken, context, node, &rails);
    Extent { lines: 0, page: usize::from(taken.saturating_sub(1)), choices: rails.len() }
}

/// Chart and newest events share what the table leaves.
fn below(
    buffer: &mut Buffer,
    area: Rect,
    taken: u16,
    context: &Context<'_>,
    node: &Node,
    rails: &[usize],
) {
    let room = area.height.saturating_sub(taken + 1);
    let news = u16::try_from(node.events.len()).unwrap_or(u16::MAX);
    let for_events = match room {
        0..=1 => 0,
        2..=8 => news.min(room.saturating_sub(chart::LEAST)).max(u16::from(room < chart::LEAST)),
        9..=15 => news.min(3),
        16..=27 => news.min(room / 4),
        // A chart that is much higher says no more.
        _ => news.min(room - 20),
    };
    let space = u16::from(room > 12 && for_events > 0);
    let chart_area =
        Rect { y: area.y + taken + 1, height: room.saturating_sub(for_events + space), ..area };
    chart::draw(buffer, chart_area, context, node, rails);
    let drawn = if chart_area.height >= chart::LEAST && !rails.is_empty() {
        chart_area.height + space
    } else {
        0
    };
    let rest = Rect {
        y: chart_area.y + drawn,
        height: room.saturating_sub(drawn).min(for_events.max(1)),
        ..area
    };
    events::newest(buffer, rest, context, node);
}

fn longest_name(node: &Node) -> u16 {
    let rails = node.rails.iter().map(|rail| cells(&rail.name));
    u16::try_from(rails.max().unwrap_or(4)).unwrap_or(u16::MAX)
}

/// Ports that could be rails, in a line each.
pub(super) fn not_shown(node: &Node) -> Vec<String> {
    node.not_shown
        .iter()
        .map(|folded| {
            let n = folded.names.len();
            let plural = if n == 1 { "" } else { "s" };
            format!("{n} {}{plural} not shown: {}", folded.what, folded.hint)
        })
        .collect()
}

struct Table<'a> {
    context: &'a Context<'a>,
    node: &'a Node,
    assessment: &'a Assessment,
    layout: Layout,
    unit: RateUnit,
    selected: Option<usize>,
}

impl Table<'_> {
    fn draw(&self, buffer: &mut Buffer, area: Rect, rows: &[Row], notes: &[String]) {
        if area.height == 0 {
            return;
        }
        self.heading(buffer, area.y);
        let room = usize::from(area.height - 1);
        let all = rows.len() + notes.len();
        let fits = if all <= room { room } else { room.saturating_sub(1) };
        let at = rows.iter().position(|row| Some(*row) == self.selected.map(Row::Rail));
        // The selected row stays in sight.
        let first = (at.unwrap_or(0) + 1).saturating_sub(fits).min(all.saturating_sub(fits));
        let mut y = area.y + 1;
        for row in rows.iter().skip(first).take(fits) {
            self.row(buffer, y, *row);
            y += 1;
        }
        if all > room {
            self.rest(buffer, area, y, rows.get(first + fits..).unwrap_or_default());
            return;
        }
        for note in notes {
            let style = self.context.style(Role::Dim);
            text(buffer, area.x + 3, y, area.width.saturating_sub(4), note, style);
            y += 1;
        }
    }

    fn heading(&self, buffer: &mut Buffer, y: u16) {
        let dim = self.context.style(Role::Dim);
        for (column, x, width) in &self.layout.0 {
            let words = match column {
                Name => "RAIL".to_owned(),
                Link => "LINK".to_owned(),
                Rx => format!("RX {}", self.unit.label),
                Tx => format!("TX {}", self.unit.label),
                Share => "SHARE".to_owned(),
                Lnet => "LNET".to_owned(),
                Address => "ADDRESS".to_owned(),
                Pci => "PCI".to_owned(),
                Numa => "NUMA".to_owned(),
                Sign | RxBar | TxBar | RxSpark | TxSpark => continue,
            };
            match column {
                Rx | Tx => right(buffer, *x, y, *width, &words, dim),
                _ => {
                    text(buffer, *x, y, *width, &words, dim);
                }
            }
        }
    }

    /// What does not fit, and whether any of it needs an eye.
    fn rest(&self, buffer: &mut Buffer, area: Rect, y: u16, hidden: &[Row]) {
        let rails: Vec<usize> = hidden
            .iter()
            .filter_map(|row| if let Row::Rail(n) = row { Some(*n) } else { None })
            .collect();
        let sick = rails
            .iter()
            .filter(|n| {
                let verdict = order::verdict_of(self.assessment, **n);
                !matches!(verdict, Verdict::Ok | Verdict::Note)
            })
            .count();
        let words = match (rails.len(), sick) {
            (0, _) => "… end of the table".to_owned(),
            (n, 0) => format!("… {n} more, all well"),
            (n, s) => format!("… {n} more, {s} not well"),
        };
        let verdict = if sick > 0 { Verdict::Warning } else { Verdict::NotApplicable };
        let style = self.context.style(Role::Verdict(verdict));
        text(buffer, area.x + 3, y, area.width.saturating_sub(4), &words, style);
    }

    fn row(&self, buffer: &mut Buffer, y: u16, row: Row) {
        match row {
            Row::Rail(index) => {
                if let Some(rail) = self.node.rails.get(index) {
                    self.rail(buffer, y, index, rail);
                }
            }
            Row::Group(index) => {
                if let Some(group) = self.node.groups.get(index) {
                    self.group(buffer, y, group);
                }
            }
            Row::Other => self.other(buffer, y),
        }
    }

    fn put(&self, buffer: &mut Buffer, y: u16, column: Column, words: &str, role: Role) {
        if let Some((x, width)) = self.layout.place(column) {
            text(buffer, x, y, width, words, self.context.style(role));
        }
    }

    fn put_right(&self, buffer: &mut Buffer, y: u16, column: Column, words: &str, role: Role) {
        if let Some((x, width)) = self.layout.place(column) {
            right(buffer, x, y, width, words, self.context.style(role));
        }
    }

    fn rail(&self, buffer: &mut Buffer, y: u16, index: usize, rail: &Rail) {
        let verdict = order::verdict_of(self.assessment, index);
        let selected = self.selected == Some(index);
        let sign = format!(
            "{}{}",
            if selected { glyphs::SELECTED } else { " " },
            glyphs::verdict(verdict)
        );
        let judged = Role::Verdict(verdict);
        self.put(buffer, y, Sign, &sign, judged);
        let name_role = if selected { Role::Selected } else { Role::Plain };
        self.put(buffer, y, Name, &rail.name, name_role);
        let well = matches!(verdict, Verdict::Ok | Verdict::Note);
        let words = link_words(self.context, self.assessment, index, rail);
        self.put(buffer, y, Link, &words, if well { Role::Plain } else { judged });
        self.flow(buffer, y, &rail.rx, (Rx, RxBar), Role::Rx);
        self.flow(buffer, y, &rail.tx, (Tx, TxBar), Role::Tx);
        self.spark(buffer, y, rail, RxSpark, |p| p.rx, Role::Rx);
        self.spark(buffer, y, rail, TxSpark, |p| p.tx, Role::Tx);
        self.put_right(buffer, y, Share, &busier_share(rail), Role::Plain);
        let (words, ni) = lnet::rail_words(self.node, self.assessment.rails.get(index), rail);
        let role = match ni {
            Verdict::Note | Verdict::Warning | Verdict::Critical => Role::Verdict(ni),
            _ => Role::Plain,
        };
        self.put(buffer, y, Lnet, &words, role);
        self.put(buffer, y, Address, &address(rail), Role::Plain);
        if let Some(pci) = &rail.pci {
            self.put(buffer, y, Pci, &pci.address, Role::Dim);
            self.put(buffer, y, Numa, &format::reading(&pci.numa_node), Role::Dim);
        }
    }

    fn flow(&self, buffer: &mut Buffer, y: u16, flow: &Flow, to: (Column, Column), role: Role) {
        let figure = format::rate(self.unit, &flow.bytes_per_second);
        self.put_right(buffer, y, to.0, &figure, Role::Plain);
        let (Some((x, width)), Some(ratio)) =
            (self.layout.place(to.1), flow.utilisation_ratio.ok())
        else {
            return;
        };
        let (full, empty) = glyphs::bar(*ratio, usize::from(width));
        let x = text(buffer, x, y, width, &full, self.context.style(role));
        text(buffer, x, y, width, &empty, self.context.style(Role::Dim));
    }

    /// The last minute or so, on the scale of what the link can carry.
    fn spark(
        &self,
        buffer: &mut Buffer,
        y: u16,
        rail: &Rail,
        column: Column,
        pick: plot::Pick,
        role: Role,
    ) {
        let Some((x, width)) = self.layout.place(column) else { return };
        let cell = self.context.interval.max(Duration::from_millis(1)) * 4;
        let oldest = rail.history.points.front().map_or(self.node.time.mono, |p| p.at);
        let window = plot::Window::since(oldest, self.node.time.mono, cell, usize::from(width));
        let ceiling = rail.limits.ceiling_bits_per_second.ok().copied();
        let usable = ceiling.or(rail.last_active_rate);
        let Some(full) = usable.map(|bits| bits / 8.0).filter(|bytes| *bytes > 0.0) else {
            return;
        };
        for (n, mean) in (0..width).zip(plot::means(&rail.history, pick, window)) {
            if let Some(mean) = mean {
                let style = self.context.style(role);
                text(buffer, x + n, y, 1, glyphs::level(mean / full), style);
            }
        }
    }

    fn group(&self, buffer: &mut Buffer, y: u16, group: &Group) {
        let (up, all) = (group.usable_rails, group.rails.len());
        let mut words = format!("{up} of {all} up");
        let whole = group.usable_rails == group.rails.len();
        let role = if whole { Role::Dim } else { Role::Verdict(Verdict::Warning) };
        if let (Some((x, own)), Some((link, width))) =
            (self.layout.place(Name), self.layout.place(Link))
        {
            // A long name (a prefix) may use the room up to the count, which gets shorter for it.
            if cells(&group.name) + 1 + cells(&words) > usize::from(link + width - x) {
                words = format!("{up}/{all} up");
            }
            let count = u16::try_from(cells(&words)).unwrap_or(width).min(width);
            let room = if cells(&group.name) > usize::from(own) {
                (link + width).saturating_sub(x + count + 1)
            } else {
                own
            };
            text(buffer, x, y, room, &group.name, self.context.style(Role::Dim));
            let at = link.max(x + room + 1);
            text(
                buffer,
                at,
                y,
                (link + width).saturating_sub(at),
                &words,
                self.context.style(role),
            );
        }
        let capacity = group.usable_bytes_per_second.ok();
        for (side, figure, bar) in [(&group.balance.rx, Rx, RxBar), (&group.balance.tx, Tx, TxBar)]
        {
            let sum = format::rate(self.unit, &side.bytes_per_second);
            self.put_right(buffer, y, figure, &sum, Role::Plain);
            if let Some(capacity) = capacity {
                let words = format!("of {}", self.unit.capacity(*capacity));
                self.put(buffer, y, bar, &words, Role::Dim);
            }
        }
        self.balance(buffer, y, group);
    }

    /// Jain's index of the worse direction; with room, of both and the slowest rail.
    fn balance(&self, buffer: &mut Buffer, y: u16, group: &Group) {
        if group.rails.len() < 2 {
            return;
        }
        let (rx, tx) = (&group.balance.rx, &group.balance.tx);
        let worse = match (rx.jain_index.ok(), tx.jain_index.ok()) {
            (Some(a), Some(b)) => Some(a.min(*b)),
            (one, other) => one.or(other).copied(),
        };
        let words = worse.map_or(UNKNOWN.to_owned(), units::ratio);
        let Some((x, width)) = self.layout.place(Lnet) else { return };
        let dim = self.context.style(Role::Dim);
        if let Some((to, last)) = self.layout.place(Address) {
            let slowest = self.slowest(rx, "RX").or_else(|| self.slowest(tx, "TX"));
            let (rx, tx) = (format::ratio(&rx.jain_index), format::ratio(&tx.jain_index));
            let mut words = format!("balance RX {rx}  TX {tx}");
            let end = self.layout.0.last().map_or(to + last, |(_, x, width)| x + width);
            // Whole or not at all.
            let slowest = slowest.map(|s| format!("  {s}")).unwrap_or_default();
            if cells(&words) + cells(&slowest) <= usize::from(end - x) {
                words.push_str(&slowest);
            }
            text(buffer, x, y, end - x, &words, dim);
        } else if let Some((share, share_width)) = self.layout.place(Share) {
            // "balance 0.75" ends where the column ends.
            let room = (x + width).saturating_sub(share);
            let from = share + share_width - 5;
            text(buffer, from, y, room, &format!("balance {words}"), dim);
        } else {
            text(buffer, x, y, width, &format!("bal. {words}"), dim);
        }
    }

    fn slowest(&self, side: &BalanceSide, name: &str) -> Option<String> {
        let rail = self.node.rails.get(side.slowest?)?;
        let part = side.slowest_share_of_fair_ratio.ok().filter(|part| **part < 0.9)?;
        Some(format!("{name}: {} at {:.0} % of fair", rail.name, part * 100.0))
    }

    fn other(&self, buffer: &mut Buffer, y: u16) {
        let other = &self.node.other;
        if let Some((x, width)) = self.layout.place(Name) {
            let link = self.layout.place(Link).map_or(width, |(to, own)| to + own - x);
            let names: Vec<&str> = other.names.iter().map(AsRef::as_ref).collect();
            let words = format!("other: {}", names.join(" "));
            text(buffer, x, y, link, &words, self.context.style(Role::Dim));
        }
        for (flow, column) in [(&other.rx, Rx), (&other.tx, Tx)] {
            let figure = format::rate(self.unit, &flow.bytes_per_second);
            self.put_right(buffer, y, column, &figure, Role::Dim);
        }
    }
}
