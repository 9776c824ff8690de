//! How the user looks at the model: screens, orders, filter, scroll; and what the terminal can show.

use super::glyphs;
use super::theme::{ColorLevel, Theme};
use crate::node::{Event, Node};
use crate::sample::Text;
use jiff::tz::TimeZone;

/// How the terminal is to be drawn on.
#[derive(Clone, Debug)]
pub struct Look {
    /// Colours.
    pub colors: ColorLevel,
    /// Nothing but ASCII.
    pub ascii: bool,
    /// Rates in bits per second.
    pub bits: bool,
    /// The zone of the clocks.
    pub zone: TimeZone,
}

impl Look {
    /// What the environment and the options ask for.
    pub fn from_env(options: &super::Options) -> Self {
        let get = |name: &str| std::env::var_os(name).map(|v| v.to_string_lossy().into_owned());
        Self {
            colors: ColorLevel::asked(options.theme).unwrap_or_else(|| ColorLevel::from_env(get)),
            ascii: options.ascii || glyphs::wants_ascii(get),
            bits: options.bits,
            zone: TimeZone::system(),
        }
    }

    pub(crate) fn theme(&self) -> Theme {
        Theme::new(self.colors)
    }
}

/// The screens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Screen {
    Rails,
    Links,
    Routes,
    Lnet,
    Findings,
    Events,
    /// One rail, opened.
    Rail,
    /// What the rails did between two marks.
    Interval,
    Help,
}

impl Screen {
    /// Those with a number.
    pub(crate) const NUMBERED: [(Screen, &'static str); 6] = [
        (Screen::Rails, "Rails"),
        (Screen::Links, "Links"),
        (Screen::Routes, "Routes"),
        (Screen::Lnet, "LNet"),
        (Screen::Findings, "Findings"),
        (Screen::Events, "Events"),
    ];

    #[cfg(test)]
    pub(crate) const ALL: [Screen; 9] = [
        Screen::Rails,
        Screen::Links,
        Screen::Routes,
        Screen::Lnet,
        Screen::Findings,
        Screen::Events,
        Screen::Rail,
        Screen::Interval,
        Screen::Help,
    ];
}

/// The order of the rails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Sort {
    /// The sick first.
    #[default]
    State,
    /// As the node lists them.
    Name,
    /// The busiest receiver first.
    Rx,
    /// The busiest sender first.
    Tx,
}

impl Sort {
    /// The one after it.
    pub(super) fn next(self) -> Self {
        match self {
            Sort::State => Sort::Name,
            Sort::Name => Sort::Rx,
            Sort::Rx => Sort::Tx,
            Sort::Tx => Sort::State,
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Sort::State => "state",
            Sort::Name => "name",
            Sort::Rx => "RX",
            Sort::Tx => "TX",
        }
    }
}

/// What stands below the NIs on the LNet screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum LnetPanel {
    #[default]
    Peers,
    Routes,
    Settings,
}

impl LnetPanel {
    const ALL: [Self; 3] = [Self::Peers, Self::Routes, Self::Settings];

    /// The panel so many further, without going round.
    pub(super) fn step(self, by: isize) -> Self {
        let here = Self::ALL.iter().position(|p| *p == self).unwrap_or(0);
        let there = here.saturating_add_signed(by).min(Self::ALL.len() - 1);
        Self::ALL.get(there).copied().unwrap_or(self)
    }
}

/// What is selected on the LNet screen. A node may list itself among its peers, so a NID alone
/// does not tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Chosen {
    /// An NI by its NID.
    Ni(Text),
    /// A peer by its primary NID.
    Peer(Text),
}

/// How the user looks at LNet.
#[derive(Clone, Debug, Default)]
pub(crate) struct LnetView {
    pub(crate) panel: LnetPanel,
    /// None yet is the first NI.
    pub(crate) chosen: Option<Chosen>,
    /// All of it is shown instead of the lists.
    pub(crate) open: bool,
}

/// How the user looks at the model.
#[derive(Clone, Debug)]
pub(crate) struct ViewState {
    pub(crate) screen: Screen,
    /// Where help was asked for.
    pub(super) before_help: Screen,
    /// Where the rail was opened.
    pub(super) opened_from: Screen,
    /// Identity of the selected rail; none yet is the first.
    pub(crate) selected: Option<Text>,
    pub(crate) lnet: LnetView,
    /// Selected line of the findings.
    pub(crate) cursor: usize,
    /// Selected row and column of the routes; none yet is the first that is wrong.
    pub(crate) cell: Option<(usize, usize)>,
    /// The selected decision is explained, also where there is little room.
    pub(crate) story: bool,
    /// First line shown of what scrolls on this screen.
    pub(crate) scroll: usize,
    pub(crate) filter: String,
    /// The filter is being typed.
    pub(crate) typing: bool,
    pub(crate) sort: Sort,
    pub(crate) reverse: bool,
    pub(crate) bits: bool,
    /// One scale for all rails.
    pub(crate) same_scale: bool,
    /// What the rails did between the last two marks.
    pub(crate) between: Option<crate::report::run::Run>,
    /// So many events had happened when the user last took note of them.
    pub(crate) acknowledged: u64,
    /// Steps back from the newest point, while paused.
    pub(crate) step: usize,
    /// One line that answers the last key.
    pub(crate) status: Option<String>,
}

impl ViewState {
    /// Bad events that nobody has taken note of, newest first.
    pub(crate) fn unseen<'a>(&self, node: &'a Node) -> impl Iterator<Item = &'a Event> {
        let new = node.event_count.saturating_sub(self.acknowledged);
        let new = usize::try_from(new).unwrap_or(usize::MAX);
        node.events.iter().take(new).filter(|e| e.kind.is_bad())
    }

    /// The first look: all rails, the sick first, one scale.
    pub(super) fn new(bits: bool) -> Self {
        Self {
            screen: Screen::Rails,
            before_help: Screen::Rails,
            opened_from: Screen::Rails,
            selected: None,
            lnet: LnetView::default(),
            cursor: 0,
            cell: None,
            story: false,
            scroll: 0,
            filter: String::new(),
            typing: false,
            sort: Sort::default(),
            reverse: false,
            bits,
            same_scale: true,
            between: None,
            acknowledged: 0,
            step: 0,
            status: None,
        }
    }
}

/// How the source is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Feed {
    /// Samples come.
    Running,
    /// None came for three intervals.
    Overdue,
    /// There are no more.
    Ended,
    /// It cannot go on.
    Failed(Text),
}
