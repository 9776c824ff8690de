//! The peers, a row each, the worst first. A frame costs by the rows that it shows.

use super::table::{Column, Table, figures, words};
use crate::check::{Verdict, peer_verdict};
use crate::node::{Node, Peer, PeerCount, Peers};
use crate::tui::format;
use crate::tui::glyphs;
use crate::tui::theme::Role;
use crate::tui::view::Context;
use crate::tui::view::paint::text;
use crate::units::{self, UNKNOWN};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

const COLUMNS: [Column; 8] = [
    words("PEER", 20, 0),
    figures("NIDS", 4, 6),
    words("HEALTH", 9, 1),
    figures("CREDITS", 11, 3),
    figures("SENT/S", 7, 2),
    figures("RECV/S", 7, 5),
    figures("QUEUED", 9, 7),
    words("WHAT IS WRONG", 22, 4),
];

/// Below this width the last column is about as wide as its heading.
const NARROW: u16 = 100;

fn fields(node: &Node, peer: &Peer<'_>, narrow: bool) -> [String; 8] {
    let tightest = peer.tightest();
    let credits = tightest.map_or(UNKNOWN.to_owned(), |ni| {
        let raw = ni.raw;
        let [free, min, max] = [&raw.tx_credits, &raw.min_tx_credits, &raw.max_tx_credits];
        format!("{}/{}/{}", format::reading(free), format::reading(min), format::reading(max))
    });
    let queued: Option<u64> = peer
        .raw
        .nis
        .iter()
        .map(|ni| ni.queued_bytes.as_ref().ok().copied())
        .try_fold(0u64, |sum, bytes| Some(sum.saturating_add(bytes?)));
    [
        peer.raw.primary_nid.to_string(),
        peer.raw.nis.len().to_string(),
        health(peer),
        credits,
        format::messages(&peer.per_second(PeerCount::Sent)),
        format::messages(&peer.per_second(PeerCount::Received)),
        queued.map_or(UNKNOWN.to_owned(), units::size),
        if narrow { peer.brief(node.time.mono) } else { peer.words(node.time.mono) },
    ]
}

/// The worst of its NIs: `down 900`; the state is `NA` where LNet does not watch the peer.
fn health(peer: &Peer<'_>) -> String {
    let near = || peer.nis().filter(|ni| !ni.is_elsewhere);
    let state = near().find(crate::node::PeerNi::is_down).or_else(|| near().next());
    let state = state.map_or(UNKNOWN.to_owned(), |ni| format::reading(&ni.raw.state));
    let health = peer.lowest_health().map_or(UNKNOWN.to_owned(), |h| h.to_string());
    format!("{state} {health}")
}

/// Draws those that the filter lets through, as many as there are rows.
pub(super) fn draw(
    buffer: &mut Buffer,
    area: Rect,
    context: &Context<'_>,
    (node, peers): (&Node, &Peers),
    selected: Option<usize>,
) {
    let dim = context.style(Role::Dim);
    let table = Table::new(area, &COLUMNS, true);
    table.heading(buffer, area.y, dim);
    let rows = usize::from(area.height.saturating_sub(1));
    let first = (selected.unwrap_or(0) + 1).saturating_sub(rows);
    for (y, n) in (area.y + 1..area.bottom()).zip(first..context.nids.peers()) {
        let Some(peer) = context.nids.peer(n).and_then(|place| peers.get(place)) else { break };
        let verdict = peer_verdict(node, &peer);
        let is_selected = selected == Some(n);
        let sign = format!(
            "{}{}",
            if is_selected { glyphs::SELECTED } else { " " },
            glyphs::verdict(verdict)
        );
        text(buffer, area.x + 1, y, 2, &sign, context.style(Role::Verdict(verdict)));
        let style = match verdict {
            Verdict::Critical | Verdict::Warning => context.style(Role::Verdict(verdict)),
            Verdict::NotApplicable => dim,
            _ => Style::new(),
        };
        table.row(buffer, y, &fields(node, &peer, area.width < NARROW), |column| match column {
            0 if is_selected => context.style(Role::Selected),
            _ => style,
        });
    }
}
