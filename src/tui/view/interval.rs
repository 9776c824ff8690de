//! What the rails did between two marks.

use super::paint::scrolled;
use super::{Context, Extent};
use crate::report::run;
use crate::tui::theme::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// Draws the screen: the table that `railtop run` prints too.
pub(crate) fn draw(buffer: &mut Buffer, area: Rect, context: &Context<'_>) -> Extent {
    let lines: Vec<Line<'static>> = match &context.view.between {
        Some(run) => {
            run::text(run, context.view.bits).lines().map(|l| Line::raw(l.to_owned())).collect()
        }
        None => vec![Line::styled(
            "no interval yet: m begins one, m again ends it",
            context.style(Role::Dim),
        )],
    };
    scrolled(buffer, area, &lines, context)
}
