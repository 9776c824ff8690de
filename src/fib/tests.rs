//! The model, thing by thing. That the kernel does the same is the business of
//! tests/fib_kernel.

mod input;
mod rules;
mod v4;
mod v6;
mod words;

use super::testkit::{World, unread};

/// Two rails in one subnet; the routes of `local` and `main` as the kernel makes them.
const PAIR: &str = "addr 172.16.34.1/16 dev ib0
    addr 172.16.34.2/16 dev ib1
    route local 172.16.34.1/32 dev ib0 scope 254 src 172.16.34.1 proto 2
    route local 172.16.34.2/32 dev ib1 scope 254 src 172.16.34.2 proto 2
    route local 127.0.0.0/8 dev lo scope 254 src 127.0.0.1 proto 2
    route broadcast 172.16.255.255/32 dev ib0 table 255 scope 253 proto 2
    route 172.16.0.0/16 dev ib0 scope 253 src 172.16.34.1 proto 2
    route 172.16.0.0/16 dev ib1 scope 253 src 172.16.34.2 proto 2\n";

/// The same with source rules.
const RULES: &str = "rule 9410 from 172.16.34.1 lookup 941
    rule 9420 from 172.16.34.2 lookup 942
    route 172.16.0.0/16 dev ib0 table 941 scope 253 src 172.16.34.1
    route 172.16.0.0/16 dev ib1 table 942 scope 253 src 172.16.34.2\n";

fn pair(more: &str) -> World {
    World::new(&format!("{PAIR}{more}"))
}

#[test]
fn versions_compare_by_number() {
    let version = |text: &str| super::version(text);
    assert!(version("4.18.0-553.el8.x86_64") < Some((5, 11)));
    assert!(version("5.4.0-200-generic") < Some((5, 11)));
    assert!(version("5.14.0-427.el9") >= Some((5, 11)));
    assert!(version("6.18.44") >= Some((6, 16)));
    assert_eq!(version("gibberish"), None);
}

#[test]
fn unread_state_is_unknown() {
    type Spoil = fn(&mut World);
    let spoils: [Spoil; 3] = [
        |w| w.routing.rules4 = unread(),
        |w| w.routing.routes4 = unread(),
        |w| w.routing.addresses = unread(),
    ];
    for spoil in spoils {
        let mut world = pair("");
        spoil(&mut world);
        assert_eq!(world.way("172.16.16.1 from 172.16.34.1"), "unknown");
    }
    let mut world = pair("");
    world.routing.rules6 = unread();
    assert_eq!(world.way("172.16.16.1"), "ib0", "IPv6 does not matter");
    assert_eq!(world.way("fd00::1"), "unknown");
}

/// `cargo test --release --lib -- --ignored --nocapture many_routes`
#[test]
#[ignore = "a measurement"]
fn many_routes() {
    use std::time::Instant;
    let mut world = pair(RULES);
    let template = world.routing.routes4.as_ref().unwrap()[6].clone();
    let routes = world.routing.routes4.as_mut().unwrap();
    for i in 0..100_000u32 {
        let mut route = template.clone();
        let len = 9 + (i % 24) as u8;
        let addr = std::net::Ipv4Addr::from_bits(i.wrapping_mul(2_654_435_761));
        route.dst = crate::sample::Prefix { addr: addr.into(), len }.network();
        route.table = if i % 2 == 0 { 254 } else { 942 };
        routes.push(route);
    }
    let start = Instant::now();
    let fib = world.fib();
    println!(
        "Fib::new with {} routes: {:?}",
        world.routing.routes4.iter().flatten().count(),
        start.elapsed()
    );
    let queries: Vec<_> = (0..10_000u32)
        .map(|i| {
            let dst = std::net::Ipv4Addr::from_bits(i.wrapping_mul(2_246_822_519));
            super::Query::new(Some("172.16.34.2".parse().unwrap()), dst.into())
        })
        .collect();
    let start = Instant::now();
    let found = queries.iter().filter(|q| fib.decide(q).outcome.device().is_some()).count();
    let each = start.elapsed() / queries.len() as u32;
    println!("decide: {each:?} each, {found} of {} found", queries.len());
}
