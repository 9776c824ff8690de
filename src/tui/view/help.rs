//! The keys, from the table that dispatches them, and the words that the screens use.

use super::paint::{cells, pad, scrolled, wrap};
use super::{Context, Extent};
use crate::tui::keys;
use crate::tui::theme::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

const TERMS: &[(&str, &str)] = &[
    ("signs", "● well  ◆ note  ▲ warning  ✖ critical  ? not judged  · does not apply"),
    ("– ~ ≥", "not known (open the rail to see why) · stale or estimated · at least"),
    ("rail", "one physical port that carries data: PCI function, RDMA port, netdev, LNet NI"),
    (
        "group",
        "rails that are meant to share load: those of one LNet net, else of one kind and prefix",
    ),
    ("share", "this rail's part of its group's traffic, in the busier direction"),
    (
        "balance",
        "Jain's index of rate by usable rate: 1 is fair, 1/n is one rail alone; a dead rail counts; open a rail for the last 10 s and since the mark",
    ),
    (
        "bar",
        "rate by the ceiling: what the link carries after line coding, or its PCIe path if that is less",
    ),
    (
        "errors",
        "rises of error counters in the last ten minutes; ≥ stands at its maximum and counts nothing new",
    ),
    ("flaps", "the link was lost three times or more within the last hour"),
    (
        "index",
        "ticks waited ÷ (ticks + words sent): compare rails with it, it is no part of the time",
    ),
    ("ladder", "the layers from cable to traffic; the first that fails is the one to mend"),
    ("sent/s", "messages a second that LNet counts on an NI, or that go to a peer"),
    (
        "msg/byte",
        "an NI's part of its net's messages, as LNet counts them / of the bytes, as the ports do",
    ),
    ("credits", "free now / the fewest ever / configured; below 0 so many messages wait"),
    ("chosen", "an NI's part of the PUTs and GETs: what this node chose it for"),
    ("put/s …", "sent/received; REPLY and ACK follow the choice of the other side"),
    (
        "made by",
        "kernel, dhcp, ra; static: a network manager; boot, unspec: ip, by hand or in a script",
    ),
];

/// Draws the screen.
pub(crate) fn draw(buffer: &mut Buffer, area: Rect, context: &Context<'_>) -> Extent {
    let dim = context.style(Role::Dim);
    let width = usize::from(area.width.saturating_sub(14));
    let label = keys::TABLE.iter().map(|b| cells(b.label)).max().unwrap_or(0);
    let column = |b: &keys::Binding| {
        vec![
            Span::styled(pad(b.label, label), context.style(Role::Key)),
            Span::raw("  "),
            Span::raw(b.help),
        ]
    };
    let mut lines = vec![Line::styled("KEYS", dim)];
    // Two columns where they fit: the table reads down, then right.
    let widest = keys::TABLE.iter().map(|b| label + 2 + cells(b.help)).max().unwrap_or(0);
    if usize::from(area.width) >= 2 * widest + 4 {
        let half = keys::TABLE.len().div_ceil(2);
        let (left, right) = keys::TABLE.split_at(half);
        for (row, binding) in left.iter().enumerate() {
            let mut spans = column(binding);
            if let Some(other) = right.get(row) {
                let used = label + 2 + cells(binding.help);
                spans.push(Span::raw(" ".repeat(widest + 2 - used)));
                spans.extend(column(other));
            }
            lines.push(Line::from(spans));
        }
    } else {
        lines.extend(keys::TABLE.iter().map(|b| Line::from(column(b))));
    }
    lines.push(Line::default());
    lines.push(Line::styled("WORDS", dim));
    for (term, meaning) in TERMS {
        for (n, part) in wrap(meaning, width).into_iter().enumerate() {
            let head = if n == 0 { *term } else { "" };
            lines.push(Line::from(vec![
                Span::styled(pad(head, 9), context.style(Role::Key)),
                Span::raw("  "),
                Span::raw(part),
            ]));
        }
    }
    scrolled(buffer, area, &lines, context)
}
