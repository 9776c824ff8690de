use super::*;
use crate::read::clock;
use crate::sample::{DataCounters, Enumerated, LinkFlags, PortAttrs, Timed};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// What a test puts into a device: the state of its port, or why there is none.
type Script = Reading<u32>;

/// Devices as a test wants them.
#[derive(Clone, Default)]
struct FakeBus {
    names: Arc<Mutex<Vec<OsString>>>,
    scripts: Arc<Mutex<BTreeMap<OsString, Receiver<Script>>>>,
}

struct FakeDevice {
    name: Text,
    script: Option<Receiver<Script>>,
}

impl Bus for FakeBus {
    type Reader = FakeDevice;
    fn list(&self) -> Reading<Vec<OsString>> {
        Ok(self.names.lock().unwrap().clone())
    }
    fn open(&self, name: &OsStr) -> FakeDevice {
        FakeDevice {
            name: Text::from_bytes(name.as_encoded_bytes()),
            script: self.scripts.lock().unwrap().remove(name),
        }
    }
}

impl Reader for FakeDevice {
    type Ask = Due;
    type Out = Reading<RdmaDevice>;
    /// Hangs until the test says what to answer.
    fn read(&mut self, _: Due) -> Self::Out {
        let answer = self.script.as_ref().and_then(|s| s.recv().ok());
        let code = answer.unwrap_or_else(|| Err(Unknown::new(Why::Absent, "test is over")))?;
        Ok(device(&self.name, code, &[]))
    }
    fn reads(&self) -> u32 {
        1
    }
}

fn device(name: &Text, state: u32, netdevs: &[&str]) -> RdmaDevice {
    let mut device = Arc::unwrap_or_clone(unread(name, &Unknown::new(Why::Timeout, "")));
    Arc::make_mut(&mut device.attrs).netdevs = netdevs.iter().map(|n| (*n).into()).collect();
    let read = |code| Timed { at: clock::now(), value: Ok(Enumerated { code, word: "".into() }) };
    device.ports.push(RdmaPort {
        number: 1,
        state: read(state),
        phys_state: read(5),
        attrs: Arc::new(PortAttrs {
            link_layer: Ok("InfiniBand".into()),
            rate: Ok("200 Gb/sec (4X HDR)".into()),
            lid: Ok(1),
            sm_lid: Ok(1),
            sm_sl: Ok(0),
            lmc: Ok(0),
            cap_mask: Ok(0),
            gids: Vec::new(),
            default_gid: Ok("".into()),
            pkeys: Ok(Vec::new()),
        }),
        data: DataCounters::default(),
        counters: Arc::default(),
        hw_counters: Arc::default(),
    });
    device
}

struct Bench {
    bus: FakeBus,
    bell: Arc<Bell>,
    devices: Devices<FakeBus>,
}

fn bench(names: &[&str]) -> (Bench, Vec<Sender<Script>>) {
    let bus = FakeBus::default();
    let bell = Arc::new(Bell::default());
    let mut b = Bench { devices: Devices::new(bus.clone(), Arc::clone(&bell)), bus, bell };
    let scripts = names.iter().map(|name| b.plug(name)).collect();
    assert!(b.devices.rescan());
    (b, scripts)
}

impl Bench {
    fn plug(&self, name: &str) -> Sender<Script> {
        let (answer, script) = channel();
        self.bus.names.lock().unwrap().push(name.into());
        self.bus.scripts.lock().unwrap().insert(name.into(), script);
        answer
    }

    fn ask(&mut self) {
        self.devices.ask(|_| (Due { data: true, state: true, ..Due::default() }, false));
    }

    /// Collects until `enough`; tells whether anything changed meanwhile.
    fn until(&mut self, ahead: Duration, enough: impl Fn(&Devices<FakeBus>) -> bool) -> Collected {
        let end = clock::now() + Duration::from_mins(1);
        let mut all = Collected::default();
        loop {
            let news = self.devices.collect(clock::now() + ahead, &mut Vec::new());
            all.changed |= news.changed;
            all.vanished |= news.vanished;
            if enough(&self.devices) {
                return all;
            }
            assert!(clock::now() < end, "it did not come to that");
            let until = clock::now() + Duration::from_millis(20);
            self.bell.wait(until, false);
        }
    }

    fn states(&self) -> Vec<(String, Option<u32>, bool)> {
        let devices = self.devices.snapshot().unwrap();
        let state = |d: &RdmaDevice| {
            d.ports.first().and_then(|p| p.state.value.as_ref().ok().map(|s| s.code))
        };
        devices.iter().map(|d| (d.name.to_string(), state(d), d.stuck_since.is_some())).collect()
    }
}

fn answer_all(answers: &[Sender<Script>], state: u32) {
    for answer in answers {
        answer.send(Ok(state)).unwrap();
    }
}

fn row(name: &str, state: u32, stuck: bool) -> (String, Option<u32>, bool) {
    (name.into(), Some(state), stuck)
}

#[test]
fn a_device_that_hangs_is_marked_and_recovers_while_the_others_go_on() {
    let (mut b, answers) = bench(&["mlx5_0", "mlx5_1", "mlx5_2"]);
    answer_all(&answers, 4);
    b.ask();
    assert!(b.until(Duration::ZERO, |d| !d.pending()).changed);
    assert_eq!(
        b.states(),
        [row("mlx5_0", 4, false), row("mlx5_1", 4, false), row("mlx5_2", 4, false)]
    );

    // The next pass of mlx5_0 hangs; the others are read by another worker.
    b.ask();
    answers[1].send(Ok(4)).unwrap();
    answers[2].send(Ok(1)).unwrap();
    let news = b.until(Duration::from_secs(2), |d| d.pool.stuck().count() == 1 && !d.pending());
    assert!(news.changed);
    assert_eq!(
        b.states(),
        [row("mlx5_0", 4, true), row("mlx5_1", 4, false), row("mlx5_2", 1, false)]
    );
    assert!(b.devices.notes(clock::now()).iter().any(|n| n.reader == "mlx5_0"));

    // And they can be read again while it hangs.
    b.ask();
    answers[1].send(Ok(2)).unwrap();
    answers[2].send(Ok(4)).unwrap();
    b.until(Duration::ZERO, |d| !d.pending());
    assert_eq!(
        b.states(),
        [row("mlx5_0", 4, true), row("mlx5_1", 2, false), row("mlx5_2", 4, false)]
    );

    answers[0].send(Ok(1)).unwrap();
    assert!(b.until(Duration::ZERO, |d| d.pool.stuck().count() == 0).changed);
    assert_eq!(b.states()[0], row("mlx5_0", 1, false));
    assert!(b.devices.notes(clock::now()).is_empty());
}

#[test]
fn a_device_that_never_answered_is_shown_as_stuck() {
    let (mut b, _answers) = bench(&["mlx5_0"]);
    b.ask();
    assert_eq!(b.states(), [("mlx5_0".into(), None, false)], "it is there, and silent");
    b.until(Duration::from_secs(2), |d| d.pool.stuck().count() == 1);
    assert_eq!(b.states(), [("mlx5_0".into(), None, true)]);
}

#[test]
fn a_device_that_vanishes_is_dropped_and_a_new_one_is_read() {
    let (mut b, answers) = bench(&["mlx5_0", "mlx5_1"]);
    answer_all(&answers, 4);
    b.ask();
    b.until(Duration::ZERO, |d| !d.pending());
    answers[0].send(Err(Unknown::new(Why::Absent, "ENODEV"))).unwrap();
    answers[1].send(Ok(4)).unwrap();
    b.ask();
    let news = b.until(Duration::ZERO, |d| !d.pending());
    assert_eq!(news, Collected { changed: true, vanished: true });
    assert_eq!(b.states(), [row("mlx5_1", 4, false)]);

    b.bus.names.lock().unwrap().remove(0);
    b.plug("mlx5_2").send(Ok(2)).unwrap();
    answers[1].send(Ok(4)).unwrap();
    assert!(b.devices.rescan());
    assert!(!b.devices.rescan());
    b.ask();
    b.until(Duration::ZERO, |d| !d.pending());
    assert_eq!(b.states(), [row("mlx5_1", 4, false), row("mlx5_2", 2, false)]);
}

#[test]
fn a_pass_that_fails_leaves_the_values_and_a_note() {
    let (mut b, answers) = bench(&["mlx5_0"]);
    for answer in [Ok(4), Err(Unknown::new(Why::Denied, "EACCES"))] {
        answers[0].send(answer).unwrap();
        b.ask();
        b.until(Duration::ZERO, |d| !d.pending());
    }
    assert_eq!(b.states(), [row("mlx5_0", 4, false)]);
    assert!(b.devices.notes(Mono(1))[0].what.contains("EACCES"));
}

#[test]
fn the_same_states_are_no_news() {
    let (mut b, answers) = bench(&["mlx5_0"]);
    let mut news = Vec::new();
    for state in [4, 4, 1] {
        answers[0].send(Ok(state)).unwrap();
        b.ask();
        news.push(b.until(Duration::ZERO, |d| !d.pending()).changed);
    }
    assert_eq!(news, [true, false, true]);
}

fn link(index: u32, name: &str, flags: u32, parent: Option<u32>) -> Link {
    Link {
        flags: LinkFlags(flags),
        operstate: Ok("up".into()),
        parent,
        ..Link::new(index, name, 32)
    }
}

#[test]
fn a_port_is_watched_if_its_own_interface_is_up() {
    let ib = device(&"mlx5_0".into(), 4, &["ib0", "ib0.8001"]);
    let child = link(8, "ib0.8001", 1, Some(7));
    assert!(is_watched(&ib, &[link(7, "ib0", 1, None), child.clone()]));
    assert!(!is_watched(&ib, &[link(7, "ib0", 0, None), child.clone()]));
    assert!(!is_watched(&device(&"mlx5_1".into(), 4, &[]), std::slice::from_ref(&child)));
    assert!(concerns(&ib, &[child]));
    assert!(!concerns(&ib, &[link(9, "ib1", 1, None)]));
}
