//! The one table of keys: dispatch, footer and help are all read from it.

use super::state::Screen;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Quit,
    Interrupt,
    Suspend,
    Redraw,
    Help,
    Go(Screen),
    NextScreen,
    PreviousScreen,
    Down,
    Up,
    PageDown,
    PageUp,
    First,
    Last,
    Open,
    Back,
    Pause,
    Slower,
    Faster,
    Filter,
    Sort,
    Reverse,
    Units,
    Mark,
    Acknowledge,
    Scale,
    StepBack,
    StepForward,
    Left,
    Right,
    Story,
}

/// One line of the table.
pub(crate) struct Binding {
    /// The keys, any of them.
    keys: &'static [(KeyCode, KeyModifiers)],
    /// How they are written.
    pub(crate) label: &'static str,
    /// What they do.
    pub(crate) action: Action,
    /// In the help.
    pub(crate) help: &'static str,
    /// In the footer, if it is worth the room there.
    pub(crate) short: &'static str,
    /// Screens where the key acts; empty: on all.
    screens: &'static [Screen],
}

impl Binding {
    /// Does it act on that screen?
    pub(crate) fn acts_on(&self, screen: Screen) -> bool {
        self.screens.is_empty() || self.screens.contains(&screen)
    }
}

const NONE: KeyModifiers = KeyModifiers::NONE;
const CTRL: KeyModifiers = KeyModifiers::CONTROL;

const fn chr(c: char) -> (KeyCode, KeyModifiers) {
    (KeyCode::Char(c), NONE)
}

const fn key(code: KeyCode) -> (KeyCode, KeyModifiers) {
    (code, NONE)
}

const fn ctrl(c: char) -> (KeyCode, KeyModifiers) {
    (KeyCode::Char(c), CTRL)
}

const fn bind(
    keys: &'static [(KeyCode, KeyModifiers)],
    label: &'static str,
    action: Action,
    short: &'static str,
    screens: &'static [Screen],
    help: &'static str,
) -> Binding {
    Binding { keys, label, action, help, short, screens }
}

const CHARTS: &[Screen] = &[Screen::Rails];
const ROUTES: &[Screen] = &[Screen::Routes];
const LNET: &[Screen] = &[Screen::Lnet];
const EVENTS: &[Screen] = &[Screen::Rails, Screen::Events];
const TABLES: &[Screen] = &[Screen::Rails, Screen::Links];
const FILTERED: &[Screen] =
    &[Screen::Rails, Screen::Links, Screen::Routes, Screen::Lnet, Screen::Findings, Screen::Events];

/// The table, in the order of the help.
pub(crate) const TABLE: &[Binding] = &[
    bind(&[chr('1')], "1", Action::Go(Screen::Rails), "", &[], "rails: one row each, throughput"),
    bind(&[chr('2')], "2", Action::Go(Screen::Links), "", &[], "links: ports, PCIe, counters"),
    bind(
        &[chr('3')],
        "3",
        Action::Go(Screen::Routes),
        "",
        &[],
        "routes: which rail is taken, rules, tables",
    ),
    bind(
        &[chr('4')],
        "4",
        Action::Go(Screen::Lnet),
        "",
        &[],
        "LNet: nets, NIs, peers, routes, settings",
    ),
    bind(&[chr('5')], "5", Action::Go(Screen::Findings), "", &[], "findings: evidence and mend"),
    bind(&[chr('6')], "6", Action::Go(Screen::Events), "", &[], "events: what happened when"),
    bind(&[key(KeyCode::Tab)], "Tab", Action::NextScreen, "", &[], "next screen"),
    bind(&[key(KeyCode::BackTab)], "Shift-Tab", Action::PreviousScreen, "", &[], "screen before"),
    bind(&[chr('j'), key(KeyCode::Down)], "j ↓", Action::Down, "", &[], "down"),
    bind(&[chr('k'), key(KeyCode::Up)], "k ↑", Action::Up, "", &[], "up"),
    bind(&[key(KeyCode::PageDown), ctrl('f')], "PgDn", Action::PageDown, "", &[], "a page down"),
    bind(&[key(KeyCode::PageUp), ctrl('b')], "PgUp", Action::PageUp, "", &[], "a page up"),
    bind(&[chr('g'), key(KeyCode::Home)], "g Home", Action::First, "", &[], "to the first"),
    bind(&[chr('G'), key(KeyCode::End)], "G End", Action::Last, "", &[], "to the last"),
    bind(
        &[key(KeyCode::Enter), chr('e')],
        "Enter",
        Action::Open,
        "open",
        &[Screen::Rails, Screen::Links, Screen::Findings],
        "open the selected rail: every layer of it",
    ),
    bind(
        &[key(KeyCode::Enter), chr('e')],
        "Enter",
        Action::Story,
        "why",
        ROUTES,
        "on routes: how the selected decision came about",
    ),
    bind(
        &[key(KeyCode::Enter), chr('e')],
        "Enter",
        Action::Open,
        "open",
        LNET,
        "on LNet: everything of the selected NI or peer",
    ),
    bind(&[key(KeyCode::Esc)], "Esc", Action::Back, "", &[], "close what is open; drop the filter"),
    bind(&[chr(' ')], "Space", Action::Pause, "pause", &[], "freeze the screen; reading goes on"),
    bind(
        &[key(KeyCode::Left), chr('h')],
        "←",
        Action::StepBack,
        "",
        CHARTS,
        "while paused: one step back in the chart",
    ),
    bind(
        &[key(KeyCode::Right), chr('l')],
        "→",
        Action::StepForward,
        "",
        CHARTS,
        "while paused: one step forward",
    ),
    bind(
        &[key(KeyCode::Left), chr('h')],
        "← h",
        Action::Left,
        "",
        ROUTES,
        "on routes: the destination before",
    ),
    bind(
        &[key(KeyCode::Right), chr('l')],
        "→ l",
        Action::Right,
        "",
        ROUTES,
        "on routes: the next destination",
    ),
    bind(
        &[key(KeyCode::Left), chr('h')],
        "← h",
        Action::Left,
        "",
        LNET,
        "on LNet: back to the peers",
    ),
    bind(
        &[key(KeyCode::Right), chr('l')],
        "→ l",
        Action::Right,
        "",
        LNET,
        "on LNet: routes, then settings and counters",
    ),
    bind(&[chr('+'), chr('='), chr('>')], "+", Action::Slower, "", &[], "longer interval"),
    bind(&[chr('-'), chr('<')], "-", Action::Faster, "", &[], "shorter interval"),
    bind(&[chr('/')], "/", Action::Filter, "filter", FILTERED, "show only what contains a text"),
    bind(&[chr('s')], "s", Action::Sort, "sort", TABLES, "sort by state, name, RX, TX"),
    bind(&[chr('S')], "S", Action::Reverse, "", TABLES, "reverse the order"),
    bind(&[chr('b'), chr('u')], "b", Action::Units, "bits", &[], "bits or bytes per second"),
    bind(
        &[chr('m')],
        "m",
        Action::Mark,
        "mark",
        &[],
        "begin an interval; again: end it and see what the rails did in it",
    ),
    bind(
        &[chr('a')],
        "a",
        Action::Acknowledge,
        "seen",
        EVENTS,
        "acknowledge: bad events stand out no more",
    ),
    bind(
        &[chr('y')],
        "y",
        Action::Scale,
        "scale",
        CHARTS,
        "one scale for all rails, or each its own",
    ),
    bind(&[ctrl('l')], "Ctrl-L", Action::Redraw, "", &[], "paint the screen anew"),
    bind(&[ctrl('z')], "Ctrl-Z", Action::Suspend, "", &[], "back to the shell; fg returns"),
    bind(&[chr('?'), key(KeyCode::F(1))], "?", Action::Help, "help", &[], "this page"),
    bind(&[chr('q')], "q", Action::Quit, "quit", &[], "quit"),
    bind(&[ctrl('c')], "Ctrl-C", Action::Interrupt, "", &[], "quit"),
];

/// What a key does on a screen, if anything.
pub(crate) fn lookup(screen: Screen, event: KeyEvent) -> Option<Action> {
    // Shift is already in the character; terminals differ in whether they report it as well.
    let modifiers = event.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT);
    TABLE
        .iter()
        .find(|b| b.acts_on(screen) && b.keys.contains(&(event.code, modifiers)))
        .map(|b| b.action)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_means_two_things_on_one_screen() {
        for screen in Screen::ALL {
            let mut seen = Vec::new();
            for binding in TABLE.iter().filter(|b| b.acts_on(screen)) {
                for key in binding.keys {
                    assert!(!seen.contains(key), "{key:?} twice on {screen:?}");
                    seen.push(*key);
                }
            }
        }
    }

    #[test]
    fn shift_does_not_matter() {
        let event = KeyEvent::new(KeyCode::Char('G'), KeyModifiers::SHIFT);
        assert_eq!(lookup(Screen::Rails, event), Some(Action::Last));
        let event = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(lookup(Screen::Help, event), Some(Action::Interrupt));
    }
}
