//! Every screen as a picture in text: glyphs and styles. `UPDATE_SNAPSHOTS=1` writes them anew.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

mod support;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use proptest::prelude::*;
use railtop::node::{Settings, SourceKind};
use railtop::source::demo::Demo;
use railtop::source::{Pace, Source};
use railtop::tui::{App, ColorLevel, Look, Outcome};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;
use support::{grid, lnet, model, svg};

const COLORS: Look =
    Look { colors: ColorLevel::Indexed, ascii: false, bits: false, zone: jiff::tz::TimeZone::UTC };

fn app(model: model::Model, look: &Look) -> App {
    let pace = Pace::new(Duration::from_secs(1));
    let mut app = App::new(look.clone(), Settings::default(), SourceKind::Live, "live", pace);
    app.show(model.0, model.1);
    app
}

fn frame(app: &mut App, width: u16, height: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|f| app.draw(f)).unwrap();
    terminal.backend().buffer().clone()
}

/// `jj<Enter>?` as keys.
fn press(app: &mut App, keys: &str) {
    let mut rest = keys;
    while let Some(c) = rest.chars().next() {
        let (code, used) = match rest.split_once('>') {
            Some((name, _)) if c == '<' => (named(&name[1..]), name.len() + 1),
            _ => (KeyCode::Char(c), c.len_utf8()),
        };
        app.on_key(KeyEvent::new(code, KeyModifiers::NONE));
        rest = &rest[used..];
    }
}

fn named(name: &str) -> KeyCode {
    match name {
        "Enter" => KeyCode::Enter,
        "Esc" => KeyCode::Esc,
        "Tab" => KeyCode::Tab,
        "Left" => KeyCode::Left,
        "PgDn" => KeyCode::PageDown,
        "End" => KeyCode::End,
        other => panic!("no key {other}"),
    }
}

/// Compares with the stored picture; all differences of a run are told together.
fn check(differences: &mut String, name: &str, buffer: &Buffer) {
    let found = grid::of(buffer);
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/snapshots/screens/{name}.txt"));
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &found).unwrap();
        return;
    }
    let wanted = std::fs::read_to_string(&path).unwrap_or_default();
    if wanted != found {
        writeln!(differences, "=== {name} differs from {}\n{found}", path.display()).unwrap();
    }
}

const SIZES: [(u16, u16); 2] = [(80, 24), (160, 50)];

#[test]
fn every_screen_in_two_sizes() {
    let screens = [
        ("rails", ""),
        ("links", "2"),
        ("routes", "3"),
        ("lnet", "4"),
        ("findings", "5"),
        ("events", "6"),
        ("rail", "<Enter>"),
        ("help", "?"),
    ];
    let mut differences = String::new();
    for (screen, keys) in screens {
        for (width, height) in SIZES {
            let mut app = app(model::dead_rail(), &COLORS);
            press(&mut app, keys);
            let name = format!("dead_rail-{screen}-{width}x{height}");
            check(&mut differences, &name, &frame(&mut app, width, height));
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

#[test]
fn every_scenario_on_the_first_screen() {
    let mut differences = String::new();
    for (scenario, _) in model::all() {
        for (width, height) in SIZES {
            let model = model::all().into_iter().find(|(n, _)| *n == scenario).unwrap().1;
            let mut app = app(model, &COLORS);
            let name = format!("{scenario}-rails-{width}x{height}");
            check(&mut differences, &name, &frame(&mut app, width, height));
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

#[test]
fn other_states_of_the_screen() {
    let mut differences = String::new();
    let states = vec![
        ("paused-step", " <Left><Left><Left><Left><Left>", model::healthy()),
        ("own-scale", "y", model::healthy()),
        ("filter", "/ib1", model::healthy()),
        ("bits", "b", model::healthy()),
        ("unknown-rail", "<Enter>", model::unknowns()),
        ("unknown-lnet", "4", model::unknowns()),
        ("rail-end", "<Enter><End>", model::dead_rail()),
        ("sixteen-last", "<End>", model::sixteen()),
    ];
    for (name, keys, model) in states {
        let mut app = app(model, &COLORS);
        frame(&mut app, 80, 24);
        press(&mut app, keys);
        check(&mut differences, &format!("state-{name}"), &frame(&mut app, 80, 24));
    }
    let looks = [
        ("truecolor", ColorLevel::Truecolor, false),
        ("ansi", ColorLevel::Ansi, false),
        ("mono", ColorLevel::Mono, false),
        ("ascii", ColorLevel::Mono, true),
    ];
    for (name, colors, ascii) in looks {
        let look = Look { colors, ascii, ..COLORS };
        let mut app = app(model::dead_rail(), &look);
        check(&mut differences, &format!("look-{name}"), &frame(&mut app, 80, 24));
    }
    let mut narrow = app(model::dead_rail(), &COLORS);
    check(&mut differences, "size-40x8", &frame(&mut narrow, 40, 8));
    check(&mut differences, "size-39x7", &frame(&mut narrow, 39, 7));
    check(&mut differences, "size-200x60", &frame(&mut narrow, 200, 60));
    assert!(differences.is_empty(), "{differences}");
}

#[test]
fn ascii_means_ascii_on_every_screen() {
    let look = Look { ascii: true, ..COLORS };
    for (scenario, model) in model::all() {
        let mut app = app(model, &look);
        for key in ["1", "2", "3", "4", "5", "6", "1<Enter>", "?"] {
            press(&mut app, key);
            let buffer = frame(&mut app, 120, 40);
            assert!(buffer.content.iter().all(|c| c.symbol().is_ascii()), "{scenario} {key}");
        }
    }
}

#[test]
fn mono_has_no_colour_on_any_screen() {
    let look = Look { colors: ColorLevel::Mono, ..COLORS };
    let mut app = app(model::dead_rail(), &look);
    for key in ["1", "2", "3", "4", "5", "6", "1<Enter>", "?"] {
        press(&mut app, key);
        let buffer = frame(&mut app, 120, 40);
        let plain = ratatui::style::Color::Reset;
        assert!(buffer.content.iter().all(|c| c.fg == plain && c.bg == plain), "{key}");
    }
}

#[test]
fn a_demo_says_so_on_every_screen() {
    let pace = Pace::new(Duration::from_secs(1));
    let (node, judged) = model::healthy();
    let mut app =
        App::new(COLORS.clone(), Settings::default(), SourceKind::Demo, "demo dead-rail", pace);
    app.show(node, judged);
    for (width, height) in [(40, 8), (80, 24), (160, 50)] {
        for key in ["1", "2", "3", "4", "5", "6", "1<Enter>", "?"] {
            press(&mut app, key);
            let text = grid::of(&frame(&mut app, width, height));
            assert!(text.lines().next().unwrap().contains("demo"), "{width}x{height} {key}");
        }
    }
}

/// The demo of that name after so many samples, and the sentence of its worst finding.
fn simulated(scenario: &str, samples: usize) -> (App, Option<String>) {
    let mut demo = Demo::simulate(scenario, Duration::from_secs(1)).unwrap();
    let (kind, label, pace) = (demo.kind(), demo.label(), demo.pace());
    let mut app = App::new(COLORS, Settings::default(), kind, &label, pace);
    let mut node: Option<railtop::node::Node> = None;
    for _ in 0..samples {
        let sample = demo.next().unwrap().unwrap();
        app.on_sample(&sample);
        match &mut node {
            Some(node) => node.advance(&sample),
            None => node = Some(railtop::node::Node::new(Settings::default(), kind, &sample)),
        }
    }
    let judged = railtop::check::assess(&node.unwrap());
    (app, judged.worst().map(|finding| finding.summary.to_string()))
}

#[test]
fn the_links_of_a_bad_cable() {
    let mut differences = String::new();
    for (width, height) in SIZES {
        // First bit errors; then, with a mark set on the way, the third loss of the link.
        for (state, samples, keys) in [("", 21, "2"), ("-marked", 161, "2m")] {
            let (mut app, worst) = simulated("bad-cable", samples);
            press(&mut app, keys);
            assert!(worst.is_some_and(|w| w.starts_with("ib1")));
            let name = format!("bad-cable-links{state}-{width}x{height}");
            check(&mut differences, &name, &frame(&mut app, width, height));
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

#[test]
fn the_routes_of_two_rails_in_one_subnet() {
    let mut differences = String::new();
    for (width, height) in SIZES {
        for (state, keys) in [("", "3"), ("-why", "3<Enter>")] {
            let (mut app, _) = simulated("one-subnet", 3);
            press(&mut app, keys);
            let name = format!("one-subnet-routes{state}-{width}x{height}");
            check(&mut differences, &name, &frame(&mut app, width, height));
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

/// The LNet screen after three seconds of a scene.
fn lnet_screen(scene: &lnet::Scene) -> App {
    let pace = Pace::new(Duration::from_secs(1));
    let mut app = App::new(COLORS, Settings::default(), SourceKind::Demo, "demo", pace);
    for sample in lnet::samples(scene, 3) {
        app.on_sample(&sample);
    }
    press(&mut app, "4");
    app
}

#[test]
fn lnet_in_every_state() {
    let mut differences = String::new();
    for scene in lnet::SCENES {
        for (width, height) in SIZES {
            let mut app = lnet_screen(&lnet::Scene::new(scene));
            let name = format!("lnet-{scene}-{width}x{height}");
            check(&mut differences, &name, &frame(&mut app, width, height));
        }
    }
    for (state, scene, keys) in [
        ("routes", "router", "l"),
        ("settings", "router", "ll"),
        ("ni", "health", "j<Enter>"),
        ("peer", "health", "jjjjj<Enter>"),
        ("filter", "peers", "/16.7@<Enter>"),
        ("last", "peers", "<End>"),
    ] {
        let mut app = lnet_screen(&lnet::Scene::new(scene));
        frame(&mut app, 80, 24);
        press(&mut app, keys);
        check(&mut differences, &format!("lnet-open-{state}-80x24"), &frame(&mut app, 80, 24));
    }
    assert!(differences.is_empty(), "{differences}");
}

#[test]
fn why_a_rail_idles_in_two_sizes() {
    let mut differences = String::new();
    for scenario in ["lnet-numa-idle", "lnet-health-low"] {
        for (width, height) in SIZES {
            for (state, keys) in [("rails", ""), ("why", "<Enter>")] {
                let (mut app, _) = simulated(scenario, 6);
                press(&mut app, keys);
                let name = format!("{scenario}-{state}-{width}x{height}");
                check(&mut differences, &name, &frame(&mut app, width, height));
            }
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

/// The first lines say why, Enter says what decides, on the smallest screen too.
#[test]
fn the_cause_of_an_idle_rail_is_on_the_first_screen() {
    for (scenario, rail, cause, rung) in [
        ("lnet-numa-idle", "ib1", "NUMA node 0", "NUMA distance"),
        ("lnet-health-low", "ib2", "its health is 400 of 1000", "400 of 1000"),
    ] {
        let (mut app, _) = simulated(scenario, 6);
        let text = grid::of(&frame(&mut app, 80, 24));
        let head: String = text.lines().take(3).collect();
        assert!(head.contains(rail) && head.contains(cause), "{head}");
        press(&mut app, "<Enter>");
        let text = grid::of(&frame(&mut app, 80, 24));
        assert!(text.contains(rung) && text.contains("⟵ first that fails"), "{text}");
        press(&mut app, "<PgDn>");
        let text = grid::of(&frame(&mut app, 80, 24));
        assert!(text.contains("⟵ decides"), "{text}");
    }
}

#[test]
fn keys_walk_through_lnet() {
    let scene = lnet::Scene::new("healthy");
    let mut app = lnet_screen(&scene);
    let text = |app: &mut App| grid::of(&frame(app, 80, 24));
    let selected = |app: &mut App| {
        text(app).lines().find(|line| line.contains('▸')).unwrap_or_default().to_owned()
    };
    assert!(selected(&mut app).contains("172.16.34.1@o2ib"));
    // From the last NI on to the first peer: no frame between the keys.
    press(&mut app, "jjjj");
    assert!(selected(&mut app).contains("172.16.16.6@o2ib"));
    press(&mut app, "k");
    assert!(selected(&mut app).contains("172.16.34.4@o2ib"));
    press(&mut app, "jjjj<Enter>");
    let open = text(&mut app);
    assert!(open.contains("ALL OF PEER 172.16.16.9@o2ib: 2 NIDS"), "{open}");
    assert!(!open.contains("PEERS 12"));
    press(&mut app, "<Esc>");
    // What is selected stays so when another peer gets worse and moves ahead of it.
    let mut samples = lnet::samples(&scene, 5);
    let last = samples.last_mut().unwrap();
    let known = std::sync::Arc::make_mut(&mut last.lnet).more.peers.as_mut().unwrap();
    std::sync::Arc::make_mut(known).value[11].nis[0].health = Ok(0);
    let place = |app: &mut App| text(app).lines().position(|line| line.contains('▸'));
    let before = place(&mut app);
    app.on_sample(last);
    assert!(selected(&mut app).contains("172.16.16.9@o2ib"));
    assert_eq!(place(&mut app), before.map(|row| row + 1));
    // The node lists itself among its peers: the same NID, another line.
    press(&mut app, "<End>");
    assert!(selected(&mut app).contains("this node itself"));
    // Another panel scrolls; the keys go back to the NIs.
    press(&mut app, "ll");
    assert!(text(&mut app).contains("GLOBAL SETTINGS") && text(&mut app).contains("more ↓"));
    press(&mut app, "<PgDn>");
    assert!(!text(&mut app).contains("GLOBAL SETTINGS"));
    press(&mut app, "g");
    assert!(text(&mut app).contains("GLOBAL SETTINGS"));
    press(&mut app, "hh/16.9@<Enter>");
    assert!(text(&mut app).contains("PEERS 1 of 12"));
    press(&mut app, "<Esc>");
    assert!(text(&mut app).contains("PEERS 12"));
}

#[test]
fn peers_are_wanted_while_they_are_shown() {
    let pace = Pace::new(Duration::from_secs(1));
    let mut app = App::new(
        COLORS,
        Settings::default(),
        SourceKind::Demo,
        "demo",
        std::sync::Arc::clone(&pace),
    );
    for (key, wanted) in [("1", false), ("4", true), ("5", false), ("4", true), ("?", false)] {
        press(&mut app, key);
        frame(&mut app, 80, 24);
        assert_eq!(pace.peers_wanted(), wanted, "{key}");
    }
}

#[test]
fn keys_walk_through_the_matrix() {
    let (mut app, _) = simulated("one-subnet", 3);
    press(&mut app, "3");
    let row = |app: &mut App| {
        let text = grid::of(&frame(app, 80, 24));
        text.lines().find(|line| line.contains('▸')).unwrap_or_default().to_owned()
    };
    // The first wrong decision is selected unasked.
    assert!(row(&mut app).contains("172.16.34.2") && row(&mut app).contains("ib0 ✖"));
    press(&mut app, "k");
    assert!(row(&mut app).contains("172.16.34.1"));
    press(&mut app, "jj");
    assert!(row(&mut app).contains("unbound"));
    press(&mut app, "<Enter>");
    let before = grid::of(&frame(&mut app, 80, 24));
    assert!(before.contains("unbound → "), "{before}");
    press(&mut app, "l");
    assert_ne!(before, grid::of(&frame(&mut app, 80, 24)));
    press(&mut app, "h");
    assert_eq!(before, grid::of(&frame(&mut app, 80, 24)));
    // Paused, the keys still walk.
    press(&mut app, " k");
    assert!(row(&mut app).contains("172.16.34.2"));
}

/// Without what depends on where a line ends.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn the_worst_finding_can_be_read_at_80_columns() {
    for (scenario, _) in railtop::source::demo::scenarios() {
        let (mut app, worst) = simulated(scenario, 20);
        let text = grid::of(&frame(&mut app, 80, 24));
        let head: String = text.lines().take(3).collect();
        if let Some(worst) = worst {
            // "+1 more" stands at the end of the first of the two lines.
            let head = head.replace("+1 more: key 5", "");
            assert!(squeezed(&head).contains(&squeezed(&worst)), "{scenario}: {worst}\n{text}");
        }
    }
}

#[test]
fn the_head_leaves_words_out_and_cuts_none() {
    let (mut app, _) = simulated("dead-rail", 20);
    for paused in [false, true] {
        for width in 40..=200 {
            let text = grid::of(&frame(&mut app, width, 24));
            let head = text.lines().next().unwrap();
            assert!(head.contains("CRITICAL") && head.contains("demo"), "{width}: {head}");
            assert_eq!(head.contains("PAUSED"), paused, "{width}: {head}");
            assert!(!head.contains('…'), "{width}: {head}");
        }
        press(&mut app, " ");
    }
}

#[test]
fn a_paused_screen_stands_still_and_then_goes_on() {
    let mut app = app(model::healthy(), &COLORS);
    press(&mut app, " ");
    let before = frame(&mut app, 80, 24);
    let (node, judged) = model::dead_rail();
    assert!(!app.show(node, judged), "nothing to draw while paused");
    assert_eq!(before, frame(&mut app, 80, 24));
    press(&mut app, " ");
    let text = grid::of(&frame(&mut app, 80, 24));
    assert!(text.contains("no signal") && !text.contains("PAUSED"));
}

#[test]
fn a_source_that_fails_or_ends_is_shown() {
    let mut app = app(model::healthy(), &COLORS);
    assert!(app.on_overdue());
    assert!(grid::of(&frame(&mut app, 80, 24)).contains("no data since 14:03:27"));
    assert!(app.on_failure("cannot read\u{1b}[2J this node"));
    let text = grid::of(&frame(&mut app, 80, 24));
    assert!(text.contains("STOPPED") && text.contains("cannot read\\x1b[2J this node"));
    assert!(app.on_end());
    assert!(grid::of(&frame(&mut app, 80, 24)).contains("END"));
}

#[test]
fn keys_that_end_it() {
    let mut app = app(model::healthy(), &COLORS);
    let key = |c, m| KeyEvent::new(KeyCode::Char(c), m);
    assert_eq!(app.on_key(key('q', KeyModifiers::NONE)), Outcome::Quit(0));
    assert_eq!(app.on_key(key('c', KeyModifiers::CONTROL)), Outcome::Quit(130));
    assert_eq!(app.on_key(key('z', KeyModifiers::CONTROL)), Outcome::Suspend);
    // In the filter a letter is a letter, but Ctrl-C is still the way out.
    press(&mut app, "/q");
    assert_eq!(app.on_key(key('q', KeyModifiers::NONE)), Outcome::Changed);
    assert_eq!(app.on_key(key('c', KeyModifiers::CONTROL)), Outcome::Quit(130));
}

#[test]
fn the_interval_follows_plus_and_minus() {
    let mut app = app(model::healthy(), &COLORS);
    press(&mut app, "+");
    assert_eq!(app.interval(), Duration::from_secs(2));
    press(&mut app, "-----------");
    assert_eq!(app.interval(), Duration::from_millis(100));
}

/// A terminal that keeps what is written to it.
#[derive(Clone, Default)]
struct Wire(std::rc::Rc<std::cell::RefCell<Vec<u8>>>);

impl std::io::Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_steady_frame_is_cheap_over_ssh() {
    let wire = Wire::default();
    let options = ratatui::TerminalOptions {
        viewport: ratatui::Viewport::Fixed(ratatui::layout::Rect::new(0, 0, 120, 40)),
    };
    let backend = ratatui::backend::CrosstermBackend::new(wire.clone());
    let mut terminal = Terminal::with_options(backend, options).unwrap();
    let (mut node, judged) = model::eight();
    let mut app = app((node.clone(), judged.clone()), &COLORS);
    let mut sizes = Vec::new();
    for _ in 0..60 {
        terminal.draw(|f| app.draw(f)).unwrap();
        sizes.push(wire.0.borrow().len());
        wire.0.borrow_mut().clear();
        model::later(&mut node);
        app.show(node.clone(), judged.clone());
    }
    let first = sizes.remove(0);
    sizes.sort_unstable();
    let (median, most) = (sizes[sizes.len() / 2], sizes[sizes.len() - 1]);
    println!("first {first} B, median {median} B, most {most} B");
    assert!(median <= 1024, "median {median} B");
    assert!(first <= 16 * 1024, "first {first} B");
}

#[test]
fn the_picture_is_well_formed() {
    let mut app = app(model::dead_rail(), &COLORS);
    let picture = svg::of(&frame(&mut app, 80, 24));
    assert!(picture.starts_with("<svg") && picture.trim_end().ends_with("</svg>"));
    assert_eq!(picture.matches("<text").count(), picture.matches("</text>").count());
    assert!(picture.contains("no signal"));
}

fn any_key() -> impl Strategy<Value = KeyEvent> {
    let code = prop_oneof![
        any::<char>().prop_map(KeyCode::Char),
        "[1-6jkgGsSbmyhl?/ +-]".prop_map(|s| KeyCode::Char(s.chars().next().unwrap())),
        Just(KeyCode::Enter),
        Just(KeyCode::Esc),
        Just(KeyCode::Tab),
        Just(KeyCode::BackTab),
        Just(KeyCode::PageDown),
        Just(KeyCode::PageUp),
        Just(KeyCode::Left),
        Just(KeyCode::Right),
        Just(KeyCode::Backspace),
    ];
    code.prop_map(|code| KeyEvent::new(code, KeyModifiers::NONE))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_key_on_any_size_panics(
        scenario in 0usize..7,
        ascii: bool,
        steps in prop::collection::vec((any_key(), 0u16..220, 0u16..70), 1..12),
    ) {
        let (_, model) = model::all().remove(scenario);
        let mut app = app(model, &Look { ascii, ..COLORS });
        for (key, width, height) in steps {
            app.on_key(key);
            frame(&mut app, width, height);
        }
    }
}
