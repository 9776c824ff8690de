use super::*;
use crate::node::{Settings, SourceKind};
use crate::source::Source;
use crate::source::demo::Demo;
use std::time::Duration;

fn one_subnet() -> Node {
    let mut demo = Demo::simulate("one-subnet", Duration::from_secs(1)).unwrap();
    Node::new(Settings::default(), SourceKind::Demo, &demo.next().unwrap().unwrap())
}

#[test]
fn what_did_not_change_is_not_computed_anew() {
    let mut node = one_subnet();
    let mut paths = Paths::default();
    assert!(paths.update(&node));
    let first = paths.matrix.clone().unwrap();
    node.time.mono.0 += 1_000_000_000;
    assert!(!paths.update(&node), "the same Arcs");
    assert!(Arc::ptr_eq(&first, paths.matrix.as_ref().unwrap()));
    node.routing = Arc::new((*node.routing).clone());
    assert!(paths.update(&node), "read anew");
    assert!(!Arc::ptr_eq(&first, paths.matrix.as_ref().unwrap()));
}

#[test]
fn the_first_wrong_decision_is_told_first() {
    let node = one_subnet();
    let mut paths = Paths::default();
    paths.update(&node);
    paths.tell(&node, None);
    let cell = paths.chosen().unwrap();
    assert!(!cell.right && cell.from.is_some() && !paths.story().is_empty());
    paths.tell(&node, Some((99, 99)));
    assert_eq!(paths.at(), (paths.size().0 - 1, paths.size().1 - 1));
}

#[test]
fn nothing_is_new_because_it_was_read_late() {
    let mut node = one_subnet();
    let whole = node.routing.clone();
    let unread = Unknown::new(crate::sample::Why::FirstSample, "not yet");
    let mut routing = (*whole).clone();
    (routing.rules4, routing.routes4) = (Err(unread.clone()), Err(unread));
    node.routing = Arc::new(routing);
    let mut paths = Paths::default();
    paths.update(&node);
    node.routing = whole;
    node.time.mono.0 += 1_000_000_000;
    paths.update(&node);
    let lines = paths.lines(true);
    let mut all = lines.rules.iter().chain(&lines.routes);
    assert!(lines.rules.len() > 2 && all.all(|told| !told.is_fresh(node.time.mono)));
}

#[test]
fn a_line_that_went_is_shown_for_some_seconds() {
    let mut node = one_subnet();
    let mut paths = Paths::default();
    paths.update(&node);
    let gone = |paths: &Paths, now: Mono| -> Vec<String> {
        let lines = paths.lines(true).gone_routes.iter().filter(|told| told.is_fresh(now));
        lines.map(|told| told.text.to_string()).collect()
    };
    assert_eq!(gone(&paths, node.time.mono), [""; 0]);
    let before = node.routing.clone();
    let mut routing = (*node.routing).clone();
    let routes = routing.routes4.as_mut().unwrap();
    let place = routes.iter().position(|r| r.dst.len == 16).unwrap();
    routes.remove(place);
    node.routing = Arc::new(routing);
    node.time.mono.0 += 1_000_000_000;
    paths.update(&node);
    let told = gone(&paths, node.time.mono);
    assert!(told.len() == 1 && told[0].starts_with("172.16.0.0/16 dev ib0"), "{told:?}");
    // Remembered when the routes are read anew, for some seconds.
    node.routing = Arc::new((*node.routing).clone());
    node.time.mono.0 += 4_000_000_000;
    paths.update(&node);
    assert_eq!(gone(&paths, node.time.mono).len(), 1);
    node.time.mono.0 += 2_000_000_000;
    assert_eq!(gone(&paths, node.time.mono).len(), 0);
    // What comes back is not gone.
    node.routing = before;
    paths.update(&node);
    assert_eq!(paths.lines(true).gone_routes.len(), 0);
}

#[test]
fn a_line_that_came_later_is_new_for_some_seconds() {
    let mut node = one_subnet();
    let mut paths = Paths::default();
    paths.update(&node);
    let fresh = |paths: &Paths, now: Mono| {
        let lines = paths.lines(true);
        lines.rules.iter().chain(&lines.routes).filter(|told| told.is_fresh(now)).count()
    };
    assert_eq!(fresh(&paths, node.time.mono), 0, "at first sight nothing is new");
    let mut routing = (*node.routing).clone();
    let mut rule = routing.rules4.as_ref().unwrap()[0].clone();
    rule.preference = 9410;
    routing.rules4.as_mut().unwrap().push(rule);
    node.routing = Arc::new(routing);
    node.time.mono.0 += 1_000_000_000;
    paths.update(&node);
    assert_eq!(fresh(&paths, node.time.mono), 1);
    node.routing = Arc::new((*node.routing).clone());
    node.time.mono.0 += 4_000_000_000;
    paths.update(&node);
    assert_eq!(fresh(&paths, node.time.mono), 1, "remembered when read anew");
    node.time.mono.0 += 2_000_000_000;
    assert_eq!(fresh(&paths, node.time.mono), 0);
}
