//! Colours by role. Meaning is carried by a word or a shape first; colour comes last.
//!
//! The hues are those of Okabe and Ito, which stay apart under the common colour deficiencies;
//! nothing is red against green. Foreground and background stay the terminal's own, so light and
//! dark terminals both work.

use crate::check::Verdict;
use ratatui::style::{Color, Modifier, Style};

/// How many colours the terminal is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColorLevel {
    /// 24 bits.
    Truecolor,
    /// The palette of 256.
    Indexed,
    /// The 16 names.
    Ansi,
    /// None: bold, dim and reverse only.
    Mono,
}

impl ColorLevel {
    /// What the configuration asks for; `None`: as the environment says.
    pub fn asked(theme: crate::config::Theme) -> Option<Self> {
        match theme {
            crate::config::Theme::Auto => None,
            crate::config::Theme::Truecolor => Some(ColorLevel::Truecolor),
            crate::config::Theme::Indexed => Some(ColorLevel::Indexed),
            crate::config::Theme::Ansi => Some(ColorLevel::Ansi),
            crate::config::Theme::Mono => Some(ColorLevel::Mono),
        }
    }

    /// What the environment asks for.
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> Self {
        let term = get("TERM").unwrap_or_default();
        if get("NO_COLOR").is_some_and(|v| !v.is_empty()) || term == "dumb" || term == "vt100" {
            return ColorLevel::Mono;
        }
        match get("COLORTERM").as_deref() {
            Some("truecolor" | "24bit") => ColorLevel::Truecolor,
            _ if term.contains("direct") => ColorLevel::Truecolor,
            _ if term.contains("256color") => ColorLevel::Indexed,
            _ => ColorLevel::Ansi,
        }
    }
}

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Ordinary text.
    Plain,
    /// Less important: labels, units, scaffolding.
    Dim,
    /// The program's name, headings.
    Title,
    /// The thing that is selected.
    Selected,
    /// A key in the footer.
    Key,
    /// Received.
    Rx,
    /// Sent.
    Tx,
    /// A badge that must be seen: PAUSED, demo.
    Badge,
    /// A verdict.
    Verdict(Verdict),
    /// The n-th line of a chart.
    Series(usize),
}

struct Hue {
    rgb: (u8, u8, u8),
    indexed: u8,
    ansi: Color,
}

impl Hue {
    const fn new(rgb: (u8, u8, u8), indexed: u8, ansi: Color) -> Self {
        Self { rgb, indexed, ansi }
    }
}

const ORANGE: Hue = Hue::new((0xe6, 0x9f, 0x00), 214, Color::Yellow);
const SKY: Hue = Hue::new((0x56, 0xb4, 0xe9), 74, Color::Cyan);
const GREEN: Hue = Hue::new((0x00, 0x9e, 0x73), 36, Color::Green);
const YELLOW: Hue = Hue::new((0xf0, 0xe4, 0x42), 227, Color::LightYellow);
const BLUE: Hue = Hue::new((0x00, 0x72, 0xb2), 25, Color::Blue);
const VERMILLION: Hue = Hue::new((0xd5, 0x5e, 0x00), 166, Color::Red);
const PURPLE: Hue = Hue::new((0xcc, 0x79, 0xa7), 175, Color::Magenta);

const SERIES: [&Hue; 7] = [&SKY, &ORANGE, &GREEN, &PURPLE, &YELLOW, &BLUE, &VERMILLION];

/// Roles → styles, for one colour level.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Theme {
    level: ColorLevel,
}

impl Theme {
    /// The theme of that level.
    pub(crate) fn new(level: ColorLevel) -> Self {
        Self { level }
    }

    /// The style of a role.
    pub(crate) fn style(self, role: Role) -> Style {
        let plain = Style::new();
        match role {
            Role::Plain => plain,
            Role::Dim => plain.add_modifier(Modifier::DIM),
            Role::Title | Role::Key => plain.add_modifier(Modifier::BOLD),
            Role::Selected | Role::Badge => plain.add_modifier(Modifier::REVERSED),
            Role::Rx => self.hue(&SKY),
            Role::Tx => self.hue(&ORANGE),
            Role::Verdict(v) => self.verdict(v),
            Role::Series(n) => self.series(n),
        }
    }

    /// Are there fewer colours than this many lines need?
    pub(crate) fn repeats(self, lines: usize) -> bool {
        self.level == ColorLevel::Mono || lines > SERIES.len()
    }

    fn verdict(self, verdict: Verdict) -> Style {
        match verdict {
            Verdict::Ok => self.hue(&SKY),
            Verdict::Note => self.hue(&PURPLE),
            Verdict::Warning => self.hue(&ORANGE).add_modifier(Modifier::BOLD),
            Verdict::Critical => self.hue(&VERMILLION).add_modifier(Modifier::BOLD),
            Verdict::Unknown | Verdict::NotApplicable => Style::new().add_modifier(Modifier::DIM),
        }
    }

    fn series(self, n: usize) -> Style {
        SERIES.get(n % SERIES.len()).map_or_else(Style::new, |hue| self.hue(hue))
    }

    fn hue(self, hue: &Hue) -> Style {
        let (r, g, b) = hue.rgb;
        match self.level {
            ColorLevel::Truecolor => Style::new().fg(Color::Rgb(r, g, b)),
            ColorLevel::Indexed => Style::new().fg(Color::Indexed(hue.indexed)),
            ColorLevel::Ansi => Style::new().fg(hue.ansi),
            ColorLevel::Mono => Style::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(vars: &[(&str, &str)]) -> ColorLevel {
        ColorLevel::from_env(|name| {
            vars.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned())
        })
    }

    #[test]
    fn the_environment_decides() {
        assert_eq!(
            level(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]),
            ColorLevel::Truecolor
        );
        assert_eq!(level(&[("TERM", "xterm-256color")]), ColorLevel::Indexed);
        assert_eq!(level(&[("TERM", "linux")]), ColorLevel::Ansi);
        assert_eq!(level(&[("TERM", "xterm-256color"), ("NO_COLOR", "1")]), ColorLevel::Mono);
        assert_eq!(level(&[("TERM", "xterm-256color"), ("NO_COLOR", "")]), ColorLevel::Indexed);
    }

    #[test]
    fn mono_has_no_colours_but_keeps_weight() {
        let theme = Theme::new(ColorLevel::Mono);
        for v in [Verdict::Ok, Verdict::Note, Verdict::Warning, Verdict::Critical] {
            let style = theme.style(Role::Verdict(v));
            assert_eq!((style.fg, style.bg), (None, None));
        }
        let critical = theme.style(Role::Verdict(Verdict::Critical));
        assert!(critical.add_modifier.contains(Modifier::BOLD));
    }
}
