//! The ports in a row each; below them, of the selected rail, what ibstat tells, the PCIe path and
//! every counter.

use super::paint::{self, Pair, cells, right, scrolled, text};
use super::rail::counter_pairs;
use super::{Context, Extent, order, plot};
use crate::check::{Assessment, Verdict};
use crate::node::{Node, Rail, RailRdma};
use crate::sample::{Enumerated, PciLink, Reading};
use crate::tui::format;
use crate::tui::glyphs;
use crate::tui::theme::Role;
use crate::units::{self, UNKNOWN};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

/// Heading and least width, most useful first; they stand in this order too.
const COLUMNS: [(&str, u16); 11] = [
    ("RAIL", 4),
    ("PORT", 8),
    ("STATE", 6),
    ("PHYS", 7),
    ("RATE", 19),
    ("LID", 5),
    ("SM", 5),
    ("PCIE", 11),
    ("MTU", 5),
    ("FIRMWARE", 10),
    ("GUID", 19),
];

/// No field is wider.
const WIDEST: usize = 20;

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
    let widths = widths(node);
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
        row(buffer, area, y, &fields(rail), &widths, |column| match column {
            0 if is_selected => context.style(Role::Selected),
            2 | 3 if !matches!(verdict, Verdict::Ok | Verdict::Note) => {
                context.style(Role::Verdict(verdict))
            }
            // A port that is not ACTIVE prints the rate it would train with first, and may keep
            // the LIDs it had.
            4..=6 if !active => context.style(Role::Dim),
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

/// By the longest field of all rails, so that no column moves when the selection does.
fn widths(node: &Node) -> [u16; 11] {
    let mut widths = COLUMNS.map(|(_, least)| least);
    for rail in &node.rails {
        for (width, field) in widths.iter_mut().zip(fields(rail)) {
            *width = (*width).max(u16::try_from(cells(&field).min(WIDEST)).unwrap_or(0));
        }
    }
    widths
}

fn row(
    buffer: &mut Buffer,
    area: Rect,
    y: u16,
    fields: &[String; 11],
    widths: &[u16; 11],
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

fn fields(rail: &Rail) -> [String; 11] {
    let unknown = || UNKNOWN.to_owned();
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
    bits.map_or(UNKNOWN.to_owned(), |b| format!("{} Gb/s", units::gbits(*b)))
}

/// `16 GT/s x16`.
fn pcie(link: &PciLink) -> String {
    speed_and_width(&link.current_speed, &link.current_width).unwrap_or(UNKNOWN.to_owned())
}

fn speed_and_width(speed: &Reading<f64>, width: &Reading<u32>) -> Option<String> {
    let (Ok(speed), Ok(width)) = (speed, width) else { return None };
    Some(format!("{speed} GT/s x{width}"))
}

fn below(rail: &Rail, context: &Context<'_>, width: u16) -> Vec<Line<'static>> {
    let width = usize::from(width.saturating_sub(2));
    let mut lines = Vec::new();
    let mut section = |heading: String, pairs: Vec<Pair>| {
        if !pairs.is_empty() {
            lines.push(Line::styled(heading, context.style(Role::Dim)));
            lines.extend(paint::pairs(&pairs, context, width));
            lines.push(Line::default());
        }
    };
    if let Some(rdma) = &rail.rdma {
        let heading =
            format!("{}: CA {} PORT {}, as ibstat tells it", rail.name, rdma.device, rdma.port);
        section(heading, ibstat(rdma));
    }
    if let Some(pci) = &rail.pci {
        let path = pci.path.iter().map(|link| Pair::new(&link.address, pcie_words(link)));
        section(format!("{}: PCIE, from the port up to the root", rail.name), path.collect());
    }
    if let Some(rdma) = &rail.rdma {
        section(format!("{}: PORT COUNTERS", rail.name), counter_pairs(&rdma.counters));
        section(format!("{}: HARDWARE COUNTERS", rail.name), counter_pairs(&rdma.hw_counters));
    }
    if let Some(stats) = rail.netdev.as_ref().and_then(|n| n.stats.as_ref()) {
        section(format!("{}: NETDEV STATISTICS", rail.name), counter_pairs(stats));
    }
    lines
}

/// The link as it is; what it could be, where that is something else; why it is not known.
fn pcie_words(link: &PciLink) -> String {
    let Some(now) = speed_and_width(&link.current_speed, &link.current_width) else {
        let unknown = link.current_speed.as_ref().err().or(link.current_width.as_ref().err());
        return unknown.map_or(UNKNOWN.to_owned(), format::why_not);
    };
    match speed_and_width(&link.max_speed, &link.max_width) {
        Some(most) if most != now => format!("{now} of {most}"),
        _ => now,
    }
}

/// The fields of ibstat(8), in its words.
fn ibstat(rdma: &RailRdma) -> Vec<Pair> {
    let (device, port) = (&rdma.device_attrs, &rdma.port_attrs);
    let text =
        |name: &str, r: &Reading<crate::sample::Text>| Pair::reading(name, r, ToString::to_string);
    let number = |name: &str, r: &Reading<u32>| Pair::reading(name, r, ToString::to_string);
    let word = |name: &str, r: &Reading<Enumerated>| Pair::reading(name, r, |e| e.word.to_string());
    vec![
        text("CA type", &device.hca_type),
        text("Firmware version", &device.fw_ver),
        text("Hardware version", &device.hw_rev),
        text("Node GUID", &device.node_guid),
        text("System image GUID", &device.sys_image_guid),
        text("PSID", &device.board_id),
        word("State", &rdma.raw_state),
        word("Physical state", &rdma.phys_state),
        text("Rate", &port.rate),
        number("Base lid", &port.lid),
        number("LMC", &port.lmc),
        number("SM lid", &port.sm_lid),
        Pair::reading("Capability mask", &port.cap_mask, |mask| format!("{mask:#010x}")),
        text("Port GUID", &port.port_guid()),
        text("Link layer", &rdma.link_layer),
    ]
}
