use super::*;
use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, Sender, channel};

/// A reader that waits until the test lets it go.
struct Gate {
    open: Receiver<()>,
    log: Sender<(u32, thread::ThreadId)>,
}

impl Ask for u32 {
    fn and(self, owed: u32) -> u32 {
        self | owed
    }
}

impl Reader for Gate {
    type Ask = u32;
    type Out = u32;
    fn read(&mut self, ask: u32) -> u32 {
        self.open.recv().ok();
        self.log.send((ask, thread::current().id())).ok();
        ask
    }
    fn reads(&self) -> u32 {
        1
    }
}

struct Bench {
    bell: Arc<Bell>,
    pool: Pool<Gate>,
    gates: Vec<Sender<()>>,
    log: Receiver<(u32, thread::ThreadId)>,
}

fn bench(names: &[&str]) -> Bench {
    let bell = Arc::new(Bell::default());
    let mut pool = Pool::new("test", Arc::clone(&bell));
    let (log_to, log) = channel();
    let mut gates = Vec::new();
    for name in names {
        let (open, gate) = channel();
        gates.push(open);
        let log = log_to.clone();
        pool.add((*name).into(), || Gate { open: gate, log });
    }
    Bench { bell, pool, gates, log }
}

impl Bench {
    /// Waits on the bell until all these are back.
    fn await_back(&mut self, names: &[&str]) -> Vec<Done<u32>> {
        let end = clock::now() + Duration::from_mins(1);
        let mut back = Vec::new();
        while !names.iter().all(|n| back.iter().any(|d: &Done<u32>| d.name == *n)) {
            assert!(clock::now() < end, "not all came back");
            back.extend(self.pool.collect());
            self.bell.wait(clock::now() + Duration::from_millis(20), false);
        }
        back
    }

    fn ask_all(&mut self, names: &[&str]) {
        assert!(names.iter().all(|n| self.pool.ask(n, 1, false)));
    }

    fn stuck(&self) -> Vec<String> {
        self.pool.stuck().map(|(name, _)| name.to_string()).collect()
    }

    fn let_go(&self, index: usize, passes: usize) {
        (0..passes).for_each(|_| self.gates[index].send(()).unwrap());
    }

    /// Waits until the worker is inside the reader (or any deadline of the test harness).
    fn await_start(&self) {
        let busy = || self.pool.shared.as_ref().is_some_and(|d| d.lock().current.is_some());
        while !busy() {
            thread::yield_now();
        }
    }
}

fn later() -> Mono {
    clock::now() + STUCK
}

#[test]
fn one_worker_serves_all_and_rings_once_they_are_done() {
    let mut b = bench(&["a", "b", "c"]);
    (0..3).for_each(|i| b.let_go(i, 1));
    b.ask_all(&["a", "b", "c"]);
    let done = b.await_back(&["a", "b", "c"]);
    assert_eq!(done.len(), 3);
    assert!(!b.pool.pending());
    let threads: Vec<_> = b.log.try_iter().map(|(_, thread)| thread).collect();
    assert!(threads.iter().all(|t| *t == threads[0]));
}

#[test]
fn a_stuck_worker_keeps_its_reader_and_the_others_go_on() {
    let mut b = bench(&["hung", "b", "c"]);
    (1..3).for_each(|i| b.let_go(i, 1));
    b.ask_all(&["hung", "b", "c"]);
    b.await_start();
    assert!(!b.pool.check(clock::now()), "not stuck yet");
    assert!(b.pool.pending());
    assert!(b.pool.check(later()));
    assert!(!b.pool.check(later()), "told once");
    assert_eq!(b.stuck(), ["hung"]);
    b.await_back(&["b", "c"]);
    assert!(!b.pool.pending(), "nobody waits for the stuck one");

    // Asked again and again meanwhile, it does not pile up threads or passes.
    (0..10).for_each(|i| assert!(b.pool.ask("hung", 2 << i, false)));
    b.let_go(0, 2);
    b.await_back(&["hung"]);
    assert!(b.stuck().is_empty(), "it recovered");
    b.pool.ask("hung", 1, false);
    let done = b.await_back(&["hung"]);
    assert_eq!(done[0].out, 0b111_1111_1111, "the wishes of the time it hung, in one pass");
}

#[test]
fn two_stuck_devices_hold_nobody_up() {
    let mut b = bench(&["x", "y", "c"]);
    b.let_go(2, 1);
    b.ask_all(&["x", "y", "c"]);
    b.await_start();
    assert!(b.pool.check(later()));
    b.await_start();
    assert!(b.pool.check(later()));
    b.await_back(&["c"]);
    assert_eq!(b.stuck(), ["x", "y"]);
    (0..2).for_each(|i| b.let_go(i, 2));
    b.await_back(&["x", "y"]);
    // From now on they have workers of their own.
    b.log.try_iter().for_each(drop);
    b.ask_all(&["x", "y", "c"]);
    b.let_go(2, 1);
    b.await_back(&["x", "y", "c"]);
    let threads: Vec<_> = b.log.try_iter().map(|(_, thread)| format!("{thread:?}")).collect();
    assert_eq!(threads.iter().collect::<BTreeSet<_>>().len(), 3);
}

#[test]
fn an_urgent_wish_is_served_when_the_reader_is_back() {
    let mut b = bench(&["a"]);
    b.pool.ask("a", 1, false);
    b.pool.ask("a", 2, true);
    b.let_go(0, 2);
    let served: Vec<u32> = (0..2).flat_map(|_| b.await_back(&["a"])).map(|done| done.out).collect();
    assert_eq!(served, [1, 2]);
}

#[test]
fn a_reader_that_vanished_while_it_hung_is_dropped_when_it_is_back() {
    let mut b = bench(&["a", "b"]);
    b.let_go(1, 1);
    b.pool.ask("a", 1, false);
    b.await_start();
    b.pool.check(later());
    b.pool.remove("a");
    assert!(b.stuck().is_empty());
    assert_eq!(b.pool.names().map(Text::as_str).collect::<Vec<_>>(), ["b"]);
    b.let_go(0, 1);
    b.pool.ask("b", 1, false);
    b.await_back(&["b"]);
    while b.pool.members.len() > 1 {
        assert!(b.pool.collect().is_empty(), "its values are not wanted");
        thread::yield_now();
    }
}

#[test]
fn a_reader_that_is_slow_again_and_again_gets_its_own_worker() {
    let mut b = bench(&["slow"]);
    let mut pass = |took| {
        let reader = b.pool.members[0].reader.take().unwrap();
        assert!(b.pool.home(&"slow".into(), reader, took));
        b.pool.members[0].desk.is_some()
    };
    let (slow, fast) = (SLOW * 2, SLOW / 2);
    let own = [slow, slow, fast, slow, slow, slow].map(&mut pass);
    assert_eq!(own, [false, false, false, false, false, true]);
}
