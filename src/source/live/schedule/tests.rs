use super::*;
use proptest::prelude::*;

const START: Mono = Mono(1_000_000_000_000);
const ROUTES: Dirty = Dirty { links: false, routing: true, overrun: false };
const LINKS: Dirty = Dirty { links: true, routing: true, overrun: false };

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn at(millis: u64) -> Mono {
    START + ms(millis)
}

/// A schedule whose first pass is over.
fn started(interval: u64) -> Schedule {
    let mut s = Schedule::new(START, ms(interval));
    s.due(START);
    s.routing_done(START, Duration::ZERO);
    s
}

/// Wakes at every deadline until `end` and tells what was done when.
fn run(s: &mut Schedule, end: u64) -> Vec<(u64, Plan)> {
    let mut plans = Vec::new();
    loop {
        let now = s.next_deadline();
        if now > at(end) {
            return plans;
        }
        let plan = s.due(now);
        if plan.routing {
            s.routing_done(now, ms(1));
        }
        plans.push((now.since(START).as_millis() as u64, plan));
    }
}

fn times(plans: &[(u64, Plan)], what: impl Fn(&Plan) -> bool) -> Vec<u64> {
    plans.iter().filter(|(_, p)| what(p)).map(|(t, _)| *t).collect()
}

#[test]
fn the_first_pass_reads_everything() {
    let plan = Schedule::new(START, ms(1000)).due(START);
    assert!(plan.tick && plan.list && plan.routing && plan.host);
    assert_eq!((plan.watched, plan.unwatched), (Due::ALL, Due::ALL));
}

#[test]
fn tiers_at_one_second() {
    let mut s = started(1000);
    s.set_unwatched(true);
    let plans = run(&mut s, 60_000);
    assert_eq!(times(&plans, |p| p.tick).len(), 60);
    assert_eq!(times(&plans, |p| p.unwatched.state).len(), 240);
    assert_eq!(times(&plans, |p| p.watched.state).len(), 60);
    assert_eq!(times(&plans, |p| p.unwatched.data).len(), 60);
    assert_eq!(times(&plans, |p| p.watched.slow).first(), Some(&5000));
    assert_eq!(times(&plans, |p| p.watched.rare), [60_000]);
    assert_eq!(times(&plans, |p| p.routing).len(), 6);
    assert_eq!(plans.len(), 240, "all share their wake-ups");
    assert_eq!(run(&mut started(1000), 60_000).len(), 60, "no ports to look at");
}

#[test]
fn p22_a_port_state_that_no_message_tells_is_asked_for_four_times_a_second() {
    let mut s = started(10_000);
    s.set_unwatched(true);
    let asked = times(&run(&mut s, 2_000), |p| p.unwatched.state);
    assert_eq!(asked, [250, 500, 750, 1000, 1250, 1500, 1750, 2000]);
}

#[test]
fn a_fast_pace_hurries_the_data_only() {
    let plans = run(&mut started(100), 10_000);
    assert_eq!(times(&plans, |p| p.watched.data).len(), 100);
    assert_eq!(times(&plans, |p| p.watched.state).len(), 10);
    assert_eq!(times(&plans, |p| p.watched.slow).len(), 2);
    assert_eq!(plans.len(), 100, "no wake-ups besides the ticks");
}

#[test]
fn a_changed_pace_counts_from_the_last_tick() {
    let mut s = started(10_000);
    s.due(at(3000));
    s.follow(ms(500));
    assert!(s.due(at(3000)).tick);
    assert_eq!(s.next_deadline(), at(3500));
    s.follow(ms(2000));
    assert_eq!(times(&run(&mut s, 9000), |p| p.tick), [5000, 7000, 9000]);
}

#[test]
fn a_late_wake_keeps_the_grid_and_does_not_catch_up() {
    let mut s = started(1000);
    assert!(s.due(at(3700)).tick);
    assert!(!s.due(at(3990)).tick);
    assert!(s.due(at(4000)).tick);
}

#[test]
fn routes_settle_before_they_are_dumped() {
    let mut s = started(1000);
    s.heard(ROUTES, at(300));
    s.heard(ROUTES, at(330));
    assert!(s.settles());
    assert!(!s.due(at(340)).routing);
    assert_eq!(s.next_deadline(), at(380));
    assert!(s.due(at(380)).routing);
    assert!(!s.settles());
}

#[test]
fn constant_change_cannot_put_the_dump_off() {
    let mut s = started(1000);
    let dumped = (300..1000).step_by(10).find(|&t| {
        s.heard(ROUTES, at(t));
        s.due(at(t)).routing
    });
    assert_eq!(dumped, Some(550));
}

#[test]
fn a_big_table_is_dumped_a_tenth_of_the_time_at_most() {
    let mut s = started(1000);
    s.heard(ROUTES, at(100));
    assert!(s.due(at(150)).routing);
    s.heard(ROUTES, at(200));
    assert!(!s.due(at(600)).routing, "one dump at a time");
    s.routing_done(at(850), ms(700));
    assert!(!s.due(at(2000)).routing);
    assert!(s.due(at(7150)).routing);
}

#[test]
fn the_slow_tier_backs_off_and_comes_back() {
    let mut s = started(1000);
    assert!(s.slow_down());
    assert_eq!(s.slow_period(), ms(10_000));
    while s.slow_down() {}
    assert_eq!(s.slow_period(), SLOWEST);
    while s.speed_up() {}
    assert_eq!(s.slow_period(), SLOW);
}

proptest! {
    #[test]
    fn the_deadline_is_ahead_and_something_is_due_then(
        interval in 50u64..3_600_000,
        steps in proptest::collection::vec((0u64..3000, 0u8..5), 1..60),
    ) {
        let mut s = started(interval);
        let mut now = START;
        for (step, event) in steps {
            now = now + ms(step);
            match event {
                0 => s.heard(ROUTES, now),
                1 => s.heard(LINKS, now),
                2 => s.follow(ms(interval.max(step))),
                3 => s.set_unwatched(step % 2 == 0),
                _ => {}
            }
            if s.due(now).routing {
                s.routing_done(now, ms(step / 10));
            }
            let next = s.next_deadline();
            prop_assert!(next > now);
            prop_assert!(next.since(now) <= s.interval());
            now = next;
            let plan = s.due(now);
            prop_assert!(plan.tick || plan.routing || plan.unwatched.state);
            if plan.routing {
                s.routing_done(now, ms(1));
            }
        }
    }
}
