//! What LNet's peers cost: a new answer, a sample without one, the findings, a frame, a filter.
//! `cargo bench --bench peers [-- COUNT…]` prints one table; nothing here passes or fails.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark speaks, and panics when it cannot go on"
)]

#[path = "../support/mod.rs"]
mod support;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use railtop::check::Judge;
use railtop::node::{Node, Settings, SourceKind};
use railtop::source::Pace;
use railtop::tui::{App, ColorLevel, Look};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use std::time::{Duration, Instant};
use support::lnet::{Scene, samples};

fn main() {
    let args: Vec<usize> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let counts = if args.is_empty() { vec![10, 1_000, 10_000] } else { args };
    println!(
        "{:>7} {:>14} {:>12} {:>12} {:>10} {:>10} {:>10}",
        "peers", "new answer ms", "sample ms", "findings ms", "frame ms", "key j ms", "filter ms"
    );
    for count in counts {
        measure(count);
    }
}

/// The shortest of some runs, in milliseconds: what the work takes where nobody disturbs.
fn best(runs: u32, mut work: impl FnMut()) -> f64 {
    let times = (0..runs).map(|_| {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64() * 1000.0
    });
    times.fold(f64::INFINITY, f64::min)
}

fn measure(count: usize) {
    let samples = samples(&Scene::with_peers(count), 12);
    let mut node = Node::new(Settings::default(), SourceKind::Live, &samples[0]);
    let mut next = samples.iter().skip(1);
    let answer = best(10, || node.advance(next.next().unwrap()));
    let last = samples.last().unwrap();
    node.advance(last);
    let again = best(10, || node.advance(last));
    let mut judge = Judge::default();
    let findings = best(5, || drop(judge.assess(&node)));

    let look = Look {
        colors: ColorLevel::Indexed,
        ascii: false,
        bits: false,
        zone: jiff::tz::TimeZone::UTC,
    };
    let pace = Pace::new(Duration::from_secs(1));
    let mut app = App::new(look, Settings::default(), SourceKind::Live, "live", pace);
    for sample in &samples[..2] {
        app.on_sample(sample);
    }
    let mut terminal = Terminal::new(TestBackend::new(160, 50)).unwrap();
    let key = |app: &mut App, c| {
        app.on_key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE));
    };
    key(&mut app, '4');
    terminal.draw(|frame| app.draw(frame)).unwrap();
    let frame = best(20, || {
        terminal.draw(|frame| app.draw(frame)).unwrap();
    });
    key(&mut app, 'G');
    let step = best(10, || {
        key(&mut app, 'k');
        terminal.draw(|frame| app.draw(frame)).unwrap();
    });
    key(&mut app, '/');
    let filter = best(5, || {
        key(&mut app, '7');
        terminal.draw(|frame| app.draw(frame)).unwrap();
    });
    println!(
        "{count:>7} {answer:>14.2} {again:>12.3} {findings:>12.2} {frame:>10.2} {step:>10.2} {filter:>10.2}"
    );
}
