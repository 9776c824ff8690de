//! The pictures of the README, made by the program itself: simulated nodes on a simulated clock,
//! through the model, the checks and the screen. They are the styled snapshots too: a picture
//! that the program would not draw any more fails here. `UPDATE_SCREENSHOTS=1` draws them anew.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod support;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use railtop::node::Settings;
use railtop::source::Source;
use railtop::source::demo::Demo;
use railtop::tui::{App, ColorLevel, Look};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use std::path::Path;
use std::time::Duration;
use support::svg;

const INTERVAL: Duration = Duration::from_secs(1);
const ENTER: char = '\n';

struct Shot {
    name: &'static str,
    scenario: &'static str,
    /// How long the node has been watched.
    seconds: usize,
    size: (u16, u16),
    keys: &'static [char],
}

const SHOTS: [Shot; 10] = [
    shot("rails-dead-rail-80x24", "dead-rail", 25, (80, 24), &[]),
    shot("rails-balanced-120x40", "balanced", 98, (120, 40), &[]),
    shot("rail-detail", "dead-rail", 25, (120, 40), &[ENTER]),
    shot("rail-numa-idle", "lnet-numa-idle", 25, (120, 40), &[ENTER]),
    shot("links", "bad-cable", 160, (160, 50), &['2']),
    shot("routes-one-subnet", "one-subnet", 25, (80, 24), &['3']),
    shot("lnet", "dead-rail", 25, (120, 40), &['4']),
    shot("findings-dead-rail", "dead-rail", 25, (120, 40), &['5']),
    shot("events", "dead-rail", 55, (80, 24), &['6']),
    shot("help", "balanced", 10, (120, 40), &['?']),
];

const fn shot(
    name: &'static str,
    scenario: &'static str,
    seconds: usize,
    size: (u16, u16),
    keys: &'static [char],
) -> Shot {
    Shot { name, scenario, seconds, size, keys }
}

fn draw(shot: &Shot) -> String {
    let mut demo = Demo::simulate(shot.scenario, INTERVAL).unwrap();
    let look = Look {
        colors: ColorLevel::Truecolor,
        ascii: false,
        bits: false,
        zone: jiff::tz::TimeZone::UTC,
    };
    let (kind, label, pace) = (demo.kind(), demo.label(), demo.pace());
    let mut app = App::new(look, Settings::default(), kind, &label, pace);
    let mut first = None;
    loop {
        let sample = demo.next().unwrap().unwrap();
        let begin = *first.get_or_insert(sample.time.mono);
        app.on_sample(&sample);
        if sample.time.mono.since(begin) >= INTERVAL * u32::try_from(shot.seconds).unwrap() {
            break;
        }
    }
    let (width, height) = shot.size;
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| app.draw(frame)).unwrap();
    for key in shot.keys {
        let code = if *key == ENTER { KeyCode::Enter } else { KeyCode::Char(*key) };
        app.on_key(KeyEvent::new(code, KeyModifiers::NONE));
    }
    terminal.draw(|frame| app.draw(frame)).unwrap();
    svg::of(terminal.backend().buffer())
}

#[test]
fn the_pictures_show_what_the_program_draws() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("screenshots");
    let mut stale = Vec::new();
    for shot in &SHOTS {
        let path = dir.join(format!("{}.svg", shot.name));
        let drawn = draw(shot);
        if std::env::var_os("UPDATE_SCREENSHOTS").is_some() {
            std::fs::create_dir_all(&dir).unwrap();
            std::fs::write(&path, drawn).unwrap();
        } else if std::fs::read_to_string(&path).unwrap_or_default() != drawn {
            stale.push(shot.name);
        }
    }
    assert!(stale.is_empty(), "look at what changed, then run screenshots/make: {stale:?}");
}

#[test]
fn the_same_run_gives_the_same_picture() {
    let [first, ..] = &SHOTS;
    assert_eq!(draw(first), draw(first));
}
