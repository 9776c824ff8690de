//! The ports in a row each: which is sick, since when, what its counters did. Below them, of the
//! selected rail, what is wrong, its counters, its limits and what ibstat tells.

mod below;
mod counters;

use super::paint::{cells, right, scrolled, text};
use super::{Context, Extent, order, plot};
use crate::check::{Assessment, Verdict};
use crate::node::{CounterRecord, Node, Presence, Rail, Since};
use crate::tui::format;
use crate::tui::glyphs;
use crate::tui::theme::Role;
use crate::units::{self, UNKNOWN};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Heading and least width, most useful first; they stand in this order too.
const COLUMNS: [(&str, u16); 12] = [
    ("RAIL", 4),
    ("PORT", 8),
    ("STATE", 6),
    ("SINCE", 5),
    ("RATE", 6),
    ("ERRORS IN 10 MIN", 16),
    ("PCIE", 11),
    ("LID", 5),
    ("SM", 5),
    ("MTU", 5),
    ("FIRMWARE", 10),
    ("GUID", 19),
];

/// No field is wider.
const WIDEST: usize = 24;

/// Draws the screen.
pub(crate) fn draw(
    buffer: &mut Buffer,
    area: Rect,
    context: &Context<'_>,
    node: &Node,
    assessment: &Assessment,
) -> Extent {
    let rails = order::rails(node, assessment, context.view);
    let selected = plot::selected_rail(node, &rails, context.view);
    let at = order::selected(node, &rails, context.view);
    // The table has at most half of the room.
    let most = usize::from(area.height.saturating_sub(1) / 2).max(1);
    let rows = rails.len().min(most);
    let first = (at + 1).saturating_sub(rows);
    let table = Table { node, assessment, context };
    let widths = table.widths();
    row(buffer, area, area.y, &COLUMNS.map(|(name, _)| name.to_owned()), &widths, |_| {
        context.style(Role::Dim)
    });
    for (y, index) in (1..area.height).zip(rails.iter().skip(first).take(rows)) {
        let Some(rail) = node.rails.get(*index) else { continue };
        let verdict = order::verdict_of(assessment, *index);
        let is_selected = selected == Some(*index);
        let y = area.y + y;
        let sign = format!(
            "{}{}",
            if is_selected { glyphs::SELECTED } else { " " },
            glyphs::verdict(verdict)
        );
        text(buffer, area.x + 1, y, 2, &sign, context.style(Role::Verdict(verdict)));
        let active = rail.rdma.as_ref().is_none_or(|rdma| rdma.state.is_active());
        row(buffer, area, y, &table.fields(*index, rail), &widths, |column| match column {
            0 if is_selected => context.style(Role::Selected),
            2 if !matches!(verdict, Verdict::Ok | Verdict::Note) => {
                context.style(Role::Verdict(verdict))
            }
            5 => table.errors_style(rail),
            // A port that is not ACTIVE may keep the LIDs it had.
            7 | 8 if !active => context.style(Role::Dim),
            _ => Style::new(),
        });
    }
    let mut y = area.y + 1 + u16::try_from(rows).unwrap_or(area.height);
    if rails.len() > rows {
        let words = format!("… {} rails in all: j and k show the others", rails.len());
        text(buffer, area.x + 4, y, area.width.saturating_sub(5), &words, context.style(Role::Dim));
        y += 1;
    }
    let rest = Rect { y: y + 1, height: area.bottom().saturating_sub(y + 1), ..area };
    let rail = selected.and_then(|n| node.rails.get(n));
    let lines = rail.map_or_else(Vec::new, |rail| {
        below::lines(&below::Page { node, rail, assessment, context }, area.width)
    });
    let extent = scrolled(buffer, rest, &lines, context);
    Extent { choices: rails.len(), ..extent }
}

fn row(
    buffer: &mut Buffer,
    area: Rect,
    y: u16,
    fields: &[String; 12],
    widths: &[u16; 12],
    style: impl Fn(usize) -> Style,
) {
    let mut x = area.x + 4;
    for (n, (field, ((name, _), width))) in
        fields.iter().zip(COLUMNS.iter().zip(widths)).enumerate()
    {
        if x + width >= area.right() {
            break;
        }
        if matches!(*name, "LID" | "SM" | "MTU") {
            right(buffer, x, y, *width, field, style(n));
        } else {
            text(buffer, x, y, *width, field, style(n));
        }
        x += width + 1;
    }
}

struct Table<'a> {
    node: &'a Node,
    assessment: &'a Assessment,
    context: &'a Context<'a>,
}

impl Table<'_> {
    /// By the longest field of all rails, so that no column moves when the selection does.
    fn widths(&self) -> [u16; 12] {
        let mut widths = COLUMNS.map(|(_, least)| least);
        for (index, rail) in self.node.rails.iter().enumerate() {
            for (width, field) in widths.iter_mut().zip(self.fields(index, rail)) {
                *width = (*width).max(u16::try_from(cells(&field).min(WIDEST)).unwrap_or(0));
            }
        }
        widths
    }

    fn fields(&self, index: usize, rail: &Rail) -> [String; 12] {
        let unknown = || UNKNOWN.to_owned();
        let rdma = rail.rdma.as_ref();
        let port = rdma.map(|r| &r.port_attrs);
        let device = rdma.map(|r| &r.device_attrs);
        let netdev = rail.netdev.as_ref();
        let link = rail.limits.pcie.as_ref().and_then(|path| path.links.first());
        let judged = self.assessment.rails.get(index);
        let clock = |t: crate::sample::SampleTime| units::clock(t.wall, &self.context.look.zone);
        [
            rail.name.to_string(),
            rdma.map_or(unknown(), |r| r.port_name.to_string()),
            judged.map_or(unknown(), |j| j.state_word.to_string()),
            rail.state_since.map_or(unknown(), clock),
            rate(rail),
            self.errors(rail),
            link.and_then(|l| l.current.as_ref().ok()).map_or(unknown(), ToString::to_string),
            port.map_or(unknown(), |p| format::reading(&p.lid)),
            port.map_or(unknown(), |p| format::reading(&p.sm_lid)),
            netdev.map_or(unknown(), |n| format::reading(&n.mtu)),
            device.map_or(unknown(), |d| format::reading(&d.fw_ver)),
            device.map_or(unknown(), |d| format::reading(&d.node_guid)),
        ]
    }

    /// The counter that rose, the one that matters most first; else one at its end.
    fn errors(&self, rail: &Rail) -> String {
        let now = self.node.time.mono;
        let judged = || rail.health.counters.iter().filter(|r| r.info.alarm.is_some());
        if rail.presence != Presence::Present || judged().all(|r| r.value.is_err()) {
            return UNKNOWN.to_owned();
        }
        let mut rose = judged().filter(|r| counters::recent(r, now) > 0).collect::<Vec<_>>();
        rose.sort_by_key(|r| !r.info.alarm.is_some_and(|a| a.is_warning));
        match (rose.first(), judged().find(|r| r.is_saturated())) {
            (Some(first), _) => {
                let more = match rose.len() - 1 {
                    0 => String::new(),
                    n => format!(" & {n}"),
                };
                let change = counters::change(first, Since::TenMinutes, now);
                format!("{change} {}{more}", first.info.name)
            }
            (None, Some(stands)) => format!("≥ {}", stands.info.name),
            (None, None) if judged().all(|r| r.change(Since::Start, now).value.is_err()) => {
                UNKNOWN.to_owned()
            }
            (None, None) => "none".to_owned(),
        }
    }

    fn errors_style(&self, rail: &Rail) -> Style {
        let now = self.node.time.mono;
        let rose = |r: &&CounterRecord| counters::recent(r, now) > 0;
        let mut rose = rail.health.counters.iter().filter(rose).filter_map(|r| r.info.alarm);
        match rose.clone().next() {
            None => self.context.style(Role::Dim),
            Some(_) if rose.any(|a| a.is_warning) => {
                self.context.style(Role::Verdict(Verdict::Warning))
            }
            Some(_) => Style::new(),
        }
    }
}

/// `200 4X HDR`, while the port is ACTIVE.
fn rate(rail: &Rail) -> String {
    let rate = &rail.rate;
    if rail.rdma.as_ref().is_some_and(|rdma| !rdma.state.is_active()) {
        return UNKNOWN.to_owned();
    }
    let Some(bits) = rate.nominal_bits_per_second.ok() else { return UNKNOWN.to_owned() };
    let gigabits = units::gbits(*bits);
    match (rate.width.ok(), rate.speed.ok()) {
        (Some(width), Some(speed)) => format!("{gigabits} {width}X {speed}").trim_end().to_owned(),
        _ => format!("{gigabits} Gb/s"),
    }
}
