//! What ibstat tells, and the PCIe path; below it the counters of the selected rail.

use super::paint::{right, scrolled, text};
use super::rail::counter_lines;
use super::{Context, Extent, order, plot};
use crate::check::{Assessment, Verdict};
use crate::node::{Node, Rail};
use crate::sample::{Enumerated, PciLink, Reading};
use crate::tui::format;
use crate::tui::glyphs;
use crate::tui::theme::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

/// Heading, width, most useful first; they stand in this order too.
const COLUMNS: [(&str, u16); 11] = [
    ("RAIL", 8),
    ("PORT", 10),
    ("STATE", 8),
    ("PHYS", 12),
    ("RATE", 18),
    ("LID", 6),
    ("SM", 6),
    ("PCIE", 13),
    ("MTU", 6),
    ("FIRMWARE", 14),
    ("GUID", 20),
];

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
    // The table has at most two thirds of the room.
    let most = usize::from(area.height.saturating_sub(1) * 2 / 3).max(1);
    let rows = rails.len().min(most);
    let first = (at + 1).saturating_sub(rows);
    row(buffer, area, area.y, &COLUMNS.map(|(name, _)| name.to_owned()), |_| {
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
        row(buffer, area, y, &fields(rail), |column| match column {
            0 if is_selected => context.style(Role::Selected),
            2 | 3 if !matches!(verdict, Verdict::Ok | Verdict::Note) => {
                context.style(Role::Verdict(verdict))
            }
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
    let lines = rail.map_or_else(Vec::new, |rail| below(rail, context, area.width));
    let extent = scrolled(buffer, rest, &lines, context);
    Extent { choices: rails.len(), ..extent }
}

fn row(
    buffer: &mut Buffer,
    area: Rect,
    y: u16,
    fields: &[String; 11],
    style: impl Fn(usize) -> Style,
) {
    let mut x = area.x + 4;
    for (n, (field, (name, width))) in fields.iter().zip(COLUMNS).enumerate() {
        if x + width >= area.right() {
            break;
        }
        if matches!(name, "LID" | "SM" | "MTU") {
            right(buffer, x, y, width, field, style(n));
        } else {
            text(buffer, x, y, width, field, style(n));
        }
        x += width + 1;
    }
}

fn fields(rail: &Rail) -> [String; 11] {
    let unknown = || glyphs::UNKNOWN.to_owned();
    let word = |r: &Reading<Enumerated>| r.as_ref().map_or(unknown(), |e| e.word.to_string());
    let rdma = rail.rdma.as_ref();
    let port = rdma.map(|r| &r.port_attrs);
    let device = rdma.map(|r| &r.device_attrs);
    let netdev = rail.netdev.as_ref();
    let operstate = || netdev.map_or(unknown(), |n| format::reading(&n.operstate));
    let link = rail.pci.as_ref().and_then(|pci| pci.path.first());
    [
        rail.name.to_string(),
        rdma.map_or(unknown(), |r| r.port_name.to_string()),
        rdma.map_or_else(operstate, |r| word(&r.raw_state)),
        rdma.map_or(unknown(), |r| word(&r.phys_state)),
        port.map_or_else(|| netdev_rate(rail), |p| format::reading(&p.rate)),
        port.map_or(unknown(), |p| format::reading(&p.lid)),
        port.map_or(unknown(), |p| format::reading(&p.sm_lid)),
        link.map_or(unknown(), pcie),
        netdev.map_or(unknown(), |n| format::reading(&n.mtu)),
        device.map_or(unknown(), |d| format::reading(&d.fw_ver)),
        device.map_or(unknown(), |d| format::reading(&d.node_guid)),
    ]
}

fn netdev_rate(rail: &Rail) -> String {
    let bits = rail.rate.nominal_bits_per_second.ok();
    bits.map_or(glyphs::UNKNOWN.to_owned(), |b| format!("{} Gb/s", format::gigabits(*b)))
}

/// `16 GT/s x16`.
fn pcie(link: &PciLink) -> String {
    match (&link.current_speed, &link.current_width) {
        (Ok(speed), Ok(width)) => format!("{speed} GT/s x{width}"),
        _ => glyphs::UNKNOWN.to_owned(),
    }
}

fn below(rail: &Rail, context: &Context<'_>, width: u16) -> Vec<Line<'static>> {
    let width = usize::from(width.saturating_sub(2));
    let dim = context.style(Role::Dim);
    let mut lines = Vec::new();
    if let Some(pci) = &rail.pci {
        lines.push(Line::styled(format!("PCIE, from {} up to the root port", rail.name), dim));
        for link in &pci.path {
            let most = match (&link.max_speed, &link.max_width) {
                (Ok(speed), Ok(wide)) => format!("{speed} GT/s x{wide}"),
                _ => glyphs::UNKNOWN.to_owned(),
            };
            let words = format!("{}  {}  (can: {most})", link.address, pcie(link));
            lines.push(Line::raw(words));
        }
    }
    let mut section = |name: &str, set: &crate::sample::CounterSet| {
        if !set.items.is_empty() {
            lines.push(Line::styled(format!("{name} of {}", rail.name), dim));
            lines.extend(counter_lines(set, width));
        }
    };
    if let Some(rdma) = &rail.rdma {
        section("PORT COUNTERS", &rdma.counters);
        section("HARDWARE COUNTERS", &rdma.hw_counters);
    }
    if let Some(stats) = rail.netdev.as_ref().and_then(|n| n.stats.as_ref()) {
        section("NETDEV STATISTICS", stats);
    }
    lines
}
