//! What LNet's counts say, through the whole program: the object of `stream`, and that ten
//! thousand peers cost a line or a frame no more than ten.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod support;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use railtop::check::assess;
use railtop::node::{Settings, SourceKind};
use railtop::report::json;
use railtop::source::Pace;
use railtop::tui::{App, ColorLevel, Look};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use support::law;
use support::lnet::{SCENES, Scene, node, samples};

fn object(scene: &Scene) -> Value {
    let node = node(scene, 3);
    json::object(&node, &assess(&node))
}

#[test]
fn every_scene_keeps_the_law_of_the_contract() {
    for scene in SCENES {
        let broken = law::broken(&object(&Scene::new(scene)));
        assert!(broken.is_empty(), "{scene}: {broken:#?}");
    }
}

#[test]
fn rates_shares_and_bytes_are_in_the_object() {
    let object = object(&Scene::new("healthy"));
    let net = &object["lnet"]["nets"][1];
    let nis = net["nis"].as_array().unwrap();
    let sum = |field: &str| nis.iter().map(|ni| ni[field].as_f64().unwrap()).sum::<f64>();
    for share in ["message_share_ratio", "request_share_ratio", "byte_share_ratio"] {
        assert!((sum(share) - 1.0).abs() < 1e-9, "{share}: {}", sum(share));
    }
    let both = sum("sent_messages_per_second") + sum("received_messages_per_second");
    assert!((net["messages_per_second"].as_f64().unwrap() - both).abs() < 1e-6);
    let of_kinds = |ni: &Value| -> f64 {
        ni["sent_kinds_per_second"].as_object().unwrap().values().filter_map(Value::as_f64).sum()
    };
    for ni in nis {
        assert!((of_kinds(ni) - ni["sent_messages_per_second"].as_f64().unwrap()).abs() < 1e-6);
    }
    // The first NI on a rail tells the same there.
    let on_rail = &object["rails"][0]["lnet"][0];
    assert_eq!(on_rail["sent_messages_per_second"], nis[0]["sent_messages_per_second"]);
    let volume = &object["lnet"]["volume"];
    assert_eq!(volume["received_bytes_per_second"], json!(39.9e9));
    assert_eq!(volume["counters"]["resend_count"]["per_second"], json!(2.0));
    let ports: f64 = object["rails"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rail| rail["rx"]["bytes_per_second"].as_f64().unwrap())
        .sum();
    let told = volume["port_rx_bytes_per_second"].as_f64().unwrap();
    assert!((told - ports).abs() <= ports * 1e-9, "{told} and {ports}");
}

#[test]
fn the_worst_peers_are_told_and_all_are_counted() {
    let object = object(&Scene::new("peers"));
    let peers = &object["lnet"]["peers"];
    assert_eq!((&peers["peer_count"], &peers["nid_count"]), (&json!(10_000), &json!(20_000)));
    assert_eq!((&peers["own_count"], &peers["elsewhere_count"]), (&json!(1), &json!(1)));
    let conditions: Vec<&Value> =
        peers["worst"].as_array().unwrap().iter().map(|p| &p["condition"]).collect();
    assert_eq!(conditions, ["unhealthy", "failing", "queueing", "down"]);
    assert_eq!(peers["worst"][0]["health"], 700);
}

#[test]
fn a_line_does_not_grow_with_the_peers() {
    let told = |peers| object(&Scene::with_peers(peers))["lnet"].to_string();
    let (few, many) = (told(60), told(10_000));
    // A few digits more.
    assert!(many.len() <= few.len() + 60, "{few}\n{many}");
}

/// The shortest of some frames: what drawing takes where nobody disturbs.
fn frame(peers: usize) -> Duration {
    let look = Look {
        colors: ColorLevel::Indexed,
        ascii: false,
        bits: false,
        zone: jiff::tz::TimeZone::UTC,
    };
    let pace = Pace::new(Duration::from_secs(1));
    let mut app = App::new(look, Settings::default(), SourceKind::Live, "live", pace);
    for sample in samples(&Scene::with_peers(peers), 2) {
        app.on_sample(&sample);
    }
    app.on_key(KeyEvent::new(KeyCode::Char('4'), KeyModifiers::NONE));
    let mut terminal = Terminal::new(TestBackend::new(160, 50)).unwrap();
    let mut draw = || {
        let start = Instant::now();
        terminal.draw(|frame| app.draw(frame)).unwrap();
        start.elapsed()
    };
    // The first one looks through all of them, once.
    draw();
    (0..20).map(|_| draw()).min().unwrap()
}

#[test]
fn a_frame_costs_by_the_peers_that_it_shows() {
    // Both fill the screen. Looking at each of 10,000 would take many times as long.
    let (few, many) = (frame(60), frame(10_000));
    assert!(many < few * 2, "{few:?} with 60 peers, {many:?} with 10,000");
}
