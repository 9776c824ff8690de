//! What is drawn: a pure function of the model, the judgement on it and the view state.
//!
//! ```text
//!  head    railtop  host  verdict  LNet                       source  clock  interval
//!          the worst finding in one sentence, on two lines if it is long
//!  body    one of the screens
//!  foot    1 Rails 2 Links …                                     keys
//! ```

mod chart;
mod columns;
mod events;
pub(crate) mod findings;
mod foot;
mod head;
mod help;
mod interval;
mod links;
mod lnet;
pub(crate) mod order;
pub(super) mod paint;
mod plot;
mod rail;
mod rail_cells;
mod rails;
mod route_matrix;
mod route_words;
mod routes;

use super::glyphs;
use super::nids::Nids;
use super::paths::Paths;
use super::state::{Feed, Look, Screen, ViewState};
use super::theme::{Role, Theme};
use crate::check::Assessment;
use crate::node::{Node, SourceKind};
use crate::units::RateUnit;
use paint::text;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use std::time::Duration;

/// The smallest screen that says anything.
const LEAST: (u16, u16) = (40, 8);

/// What the views may know beside the model.
pub(crate) struct Context<'a> {
    pub(crate) look: &'a Look,
    pub(crate) theme: Theme,
    pub(crate) label: &'a str,
    pub(crate) kind: SourceKind,
    pub(crate) interval: Duration,
    pub(crate) feed: &'a Feed,
    pub(crate) paused: bool,
    pub(crate) view: &'a ViewState,
    pub(crate) paths: &'a Paths,
    pub(crate) nids: &'a Nids,
}

impl Context<'_> {
    fn style(&self, role: Role) -> Style {
        self.theme.style(role)
    }

    /// The unit of all rates on the screen.
    fn unit(&self, node: &Node) -> RateUnit {
        let known = node.rails.iter().filter_map(|rail| {
            rail.rate.usable_bits_per_second.ok().copied().or(rail.last_active_rate)
        });
        RateUnit::for_links(known.fold(0.0, f64::max), self.view.bits)
    }

    /// Does the filter let this through?
    fn passes(&self, words: &str) -> bool {
        order::contains(words, &self.view.filter)
    }
}

/// How much there is to scroll, as the last frame found it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Lines of the text.
    pub(crate) lines: usize,
    /// Lines that fit.
    pub(crate) page: usize,
    /// Things to choose from.
    pub(crate) choices: usize,
}

impl Extent {
    /// The furthest first line.
    pub(crate) fn last_scroll(self) -> usize {
        self.lines.saturating_sub(self.page)
    }
}

/// Draws everything.
pub(crate) fn draw(
    buffer: &mut Buffer,
    area: Rect,
    context: &Context<'_>,
    shown: Option<&(Node, Assessment)>,
) -> Extent {
    let extent = if area.width < LEAST.0 || area.height < LEAST.1 {
        let words = format!(
            "terminal too small: {}×{}, needs {}×{}",
            area.width, area.height, LEAST.0, LEAST.1
        );
        text(buffer, area.x, area.y, area.width, &words, Style::new());
        Extent::default()
    } else {
        whole(buffer, area, context, shown)
    };
    if context.look.ascii {
        glyphs::to_ascii(buffer);
    }
    extent
}

fn whole(
    buffer: &mut Buffer,
    area: Rect,
    context: &Context<'_>,
    shown: Option<&(Node, Assessment)>,
) -> Extent {
    head::draw(buffer, area, context, shown);
    foot::draw(buffer, area, context, shown);
    let roomy = u16::from(head::has_third_line(area));
    let body = Rect {
        x: area.x,
        y: area.y + 2 + roomy,
        width: area.width,
        height: area.height.saturating_sub(3 + roomy),
    };
    if context.view.screen == Screen::Help {
        return help::draw(buffer, body, context);
    }
    let Some((node, assessment)) = shown else {
        return Extent::default();
    };
    match context.view.screen {
        Screen::Rails => rails::draw(buffer, body, context, node, assessment),
        Screen::Links => links::draw(buffer, body, context, node, assessment),
        Screen::Routes => routes::draw(buffer, body, context, node, assessment),
        Screen::Lnet => lnet::draw(buffer, body, context, node, assessment),
        Screen::Findings => findings::draw(buffer, body, context, node, assessment),
        Screen::Events => events::draw(buffer, body, context, node),
        Screen::Rail => rail::draw(buffer, body, context, node, assessment),
        Screen::Interval => interval::draw(buffer, body, context),
        Screen::Help => Extent::default(),
    }
}
