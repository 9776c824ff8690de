use super::answer::Refusal;
use super::child::Leash;
use super::fixtures::{DENIED_2_16, DOWN_2_15, V2_15, V2_16};
use super::job::Answer;
use super::*;
use std::cell::Cell;
use std::fs;
use std::process::Command;
use std::sync::mpsc::channel;
use std::thread::sleep;
use tempfile::TempDir;

mod more;

const SECOND: Duration = Duration::from_secs(1);

/// A directory with a shell script that stands in for lnetctl. Each `net show` adds its pid to
/// `pids` and then does what the script says, which finds the directory in `$d`. Every other
/// question is noted in `more` and does what a script of its first word says, else nothing.
struct Stage {
    dir: TempDir,
    begin: Instant,
    /// Added to the clock: what takes half a minute need not.
    skipped: Duration,
    slow: Cell<u32>,
}

impl Stage {
    fn new(script: &str) -> Self {
        let stage = Self::empty();
        let d = stage.dir.path().display().to_string();
        let text = format!(
            "#!/bin/sh\nd={d}\nif [ \"$1\" = --version ]; then echo lnetctl 2.16.1; exit 0; fi\n\
             [ \"$LC_ALL\" = C ] || exit 99\n\
             if [ \"$*\" != 'net show -v 4' ]; then echo \"$*\" >> $d/more; [ -e \"$d/$1\" ] || exit 0; . \"$d/$1\"; exit; fi\n\
             echo $$ >> $d/pids\n{script}\n"
        );
        stage.put("template", &text);
        // Copied by another process: a descriptor open for writing here could be inherited by a
        // child of another test, and then the script could not be run (ETXTBSY).
        let copied = Command::new("sh")
            .arg("-c")
            .arg("mkdir -p \"$0/usr/sbin\" && cp \"$0/template\" \"$0/usr/sbin/lnetctl\" && chmod 755 \"$0/usr/sbin/lnetctl\"")
            .arg(stage.dir.path())
            .status();
        assert!(copied.unwrap().success());
        stage
    }

    fn empty() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { dir, begin: Instant::now(), skipped: Duration::ZERO, slow: Cell::new(0) }
    }

    fn put(&self, name: &str, text: &str) {
        fs::write(self.dir.path().join(name), text).unwrap();
    }

    fn root(&self) -> Root {
        Root::new(self.dir.path())
    }

    fn reader(&self) -> LnetReader {
        LnetReader::new(&self.root(), Some(self.dir.path().join("usr/sbin/lnetctl")))
    }

    fn now(&self) -> Mono {
        Mono(1_000_000_000_000) + self.begin.elapsed() + self.skipped
    }

    fn pids(&self) -> Vec<i32> {
        let text = fs::read_to_string(self.dir.path().join("pids")).unwrap_or_default();
        text.lines().filter_map(|l| l.parse().ok()).collect()
    }

    /// Polls as the live source does; never may that take long.
    fn poll(&self, reader: &mut LnetReader) -> Arc<Lnet> {
        let before = Instant::now();
        let lnet = reader.poll(self.now(), SECOND);
        // Twice in a row: once may be the machine's doing.
        let slow = before.elapsed() > Duration::from_millis(50);
        self.slow.set(if slow { self.slow.get() + 1 } else { 0 });
        assert!(self.slow.get() < 2, "{:?}", before.elapsed());
        lnet
    }

    fn poll_until(&self, reader: &mut LnetReader, done: impl Fn(&Lnet) -> bool) -> Arc<Lnet> {
        let limit = Instant::now() + Duration::from_secs(30);
        loop {
            let lnet = self.poll(reader);
            if done(&lnet) {
                return lnet;
            }
            assert!(Instant::now() < limit, "never came: {lnet:?}");
            sleep(Duration::from_millis(2));
        }
    }

    /// Polls until the round under way is over.
    fn finish(&self, reader: &mut LnetReader) -> Arc<Lnet> {
        let limit = Instant::now() + Duration::from_secs(30);
        while reader.job.is_some() {
            reader.collect(self.now());
            assert!(Instant::now() < limit, "never over");
            sleep(Duration::from_millis(2));
        }
        Arc::clone(&reader.lnet)
    }

    /// One round a while later.
    fn round(&mut self, reader: &mut LnetReader, later: Duration) -> Arc<Lnet> {
        self.skipped += later;
        self.poll(reader);
        self.finish(reader);
        reader.age(self.now());
        Arc::clone(&reader.lnet)
    }
}

fn eventually(what: &str, done: impl Fn() -> bool) {
    let limit = Instant::now() + Duration::from_secs(30);
    while !done() {
        assert!(Instant::now() < limit, "never: {what}");
        sleep(Duration::from_millis(2));
    }
}

/// No such process, or only what its parent has not yet taken notice of.
fn gone(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with(['Z', 'X']))
}

fn answered(lnet: &Lnet) -> bool {
    lnet.answer != Err(LnetFailure::Pending)
}

#[test]
fn answers_and_the_version_come_in() {
    let mut stage = Stage::new("cat $d/answer");
    stage.put("answer", V2_16);
    let mut reader = stage.reader();
    assert_eq!(stage.poll(&mut reader).answer, Err(LnetFailure::Pending));
    let lnet = stage.poll_until(&mut reader, |l| l.version.is_ok());
    assert_eq!(lnet.version.as_ref().unwrap(), &"2.16.1");
    let first = lnet.answer.clone().unwrap();
    assert_eq!(first.nets, net_show(V2_16.as_bytes()).unwrap());
    assert!(first.at <= stage.now() && lnet.last_failure.is_none());

    // Within a second nothing is asked, and the same Arc comes back.
    stage.finish(&mut reader);
    let calm = reader.poll(first.at, Duration::ZERO);
    assert!(Arc::ptr_eq(&calm, &reader.poll(first.at, Duration::ZERO)));
    assert_eq!(stage.pids().len(), 1);

    // The same text is not parsed again, but it is newer.
    let prints = reader.known.clone();
    let second = stage.round(&mut reader, SECOND).answer.clone().unwrap();
    assert_eq!(stage.pids().len(), 2);
    assert_eq!(reader.known[0], prints[0]);
    assert!(second.at > first.at && second.nets == first.nets);

    stage.put("answer", V2_15);
    let third = stage.round(&mut reader, SECOND).answer.clone().unwrap();
    assert_eq!(third.nets, net_show(V2_15.as_bytes()).unwrap());
}

#[test]
fn the_interval_is_kept() {
    let mut stage = Stage::new("cat $d/answer");
    stage.put("answer", V2_16);
    let mut reader = stage.reader();
    stage.round(&mut reader, Duration::ZERO);
    stage.skipped += Duration::from_secs(20);
    reader.poll(stage.now(), Duration::from_mins(1));
    stage.finish(&mut reader);
    assert_eq!(stage.pids().len(), 1);
    stage.skipped += Duration::from_secs(40);
    reader.poll(stage.now(), Duration::from_mins(1));
    stage.finish(&mut reader);
    assert_eq!(stage.pids().len(), 2);
}

#[test]
fn a_hanging_child_blocks_nothing_and_stays_alone() {
    // It ignores SIGTERM, and has a child of its own.
    let mut stage = Stage::new("trap '' TERM\nsleep 1000 &\necho $! >> $d/pids\nwait\nsleep 1000");
    let mut reader = stage.reader();
    reader.limits.deadline = Duration::from_mins(10);
    stage.poll(&mut reader);
    let asked = reader.job.as_ref().unwrap().asked;
    eventually("both started", || stage.pids().len() == 2);
    for _ in 0..20 {
        stage.skipped += Duration::from_secs(3);
        let lnet = stage.poll(&mut reader);
        assert_eq!(lnet.waiting_since, Some(asked));
        assert_eq!(lnet.answer, Err(LnetFailure::Pending));
    }
    let pids = stage.pids();
    assert_eq!(pids.len(), 2, "a second one was started");
    assert!(!pids.iter().any(|pid| gone(*pid)));

    let before = Instant::now();
    drop(reader);
    assert!(before.elapsed() < Duration::from_millis(500));
    eventually("killed", || pids.iter().all(|pid| gone(*pid)));
}

#[test]
fn the_deadline_kills() {
    let mut stage = Stage::new("trap '' TERM\nsleep 1000 &\necho $! >> $d/pids\nwait\nsleep 1000");
    let mut reader = stage.reader();
    reader.limits.deadline = Duration::from_millis(300);
    let lnet = stage.poll_until(&mut reader, answered);
    assert_eq!(lnet.answer, Err(LnetFailure::Timeout("no answer in 0.3 s; killed".into())));
    assert!(matches!(&lnet.last_failure, Some((_, LnetFailure::Timeout(_)))));
    stage.finish(&mut reader);
    eventually("killed", || stage.pids().iter().all(|pid| gone(*pid)));
    stage.skipped += SECOND;
    stage.poll(&mut reader);
    assert!(reader.job.is_some(), "asked again after a second");
}

#[test]
fn what_a_child_leaves_behind_does_not_hold_the_answer() {
    let mut stage = Stage::new("cat $d/answer\nsleep 1000 &\necho $! >> $d/pids");
    stage.put("answer", V2_16);
    let mut reader = stage.reader();
    let lnet = stage.round(&mut reader, Duration::ZERO);
    assert!(lnet.answer.is_ok(), "{lnet:?}");
    assert_eq!(stage.pids().len(), 2);
    eventually("killed", || stage.pids().iter().all(|pid| gone(*pid)));
}

#[test]
fn a_good_answer_outlives_a_timeout_for_a_while() {
    let mut stage = Stage::new("[ -e $d/answer ] && exec cat $d/answer\nexec sleep 1000");
    stage.put("answer", V2_16);
    let mut reader = stage.reader();
    let good = stage.round(&mut reader, Duration::ZERO);
    reader.limits.deadline = Duration::from_millis(300);
    fs::remove_file(stage.dir.path().join("answer")).unwrap();

    let bad = stage.round(&mut reader, SECOND);
    assert_eq!(bad.answer, good.answer);
    assert!(matches!(&bad.last_failure, Some((_, LnetFailure::Timeout(_)))));
    stage.skipped += Duration::from_secs(31);
    let old = stage.poll(&mut reader);
    assert!(matches!(&old.answer, Err(LnetFailure::Timeout(_))), "{old:?}");
    stage.finish(&mut reader);

    stage.put("answer", V2_16);
    reader.limits.deadline = Duration::from_secs(20);
    let again = stage.round(&mut reader, Duration::from_secs(31));
    assert!(again.answer.is_ok() && again.last_failure.is_none(), "{again:?}");
}

#[test]
fn a_clear_failure_replaces_a_good_answer_and_is_asked_again_later() {
    let mut stage = Stage::new("[ -e $d/error ] && { cat $d/error >&2; exit 234; }\ncat $d/answer");
    stage.put("answer", V2_16);
    let mut reader = stage.reader();
    for (error, pause) in [(DENIED_2_16, 30), (DOWN_2_15, 5)] {
        assert!(stage.round(&mut reader, Duration::from_secs(40)).answer.is_ok());
        stage.put("error", error);
        let lnet = stage.round(&mut reader, SECOND);
        match (&lnet.answer, pause) {
            (Err(LnetFailure::Denied(_)), 30) | (Err(LnetFailure::NotConfigured), 5) => {}
            other => panic!("{other:?}"),
        }
        fs::remove_file(stage.dir.path().join("error")).unwrap();
        let (at, _) = lnet.last_failure.clone().unwrap();
        reader.poll(at + Duration::from_millis(pause * 1000 - 1), SECOND);
        assert!(reader.job.is_none(), "asked too early");
        reader.poll(at + Duration::from_secs(pause), SECOND);
        assert!(reader.job.is_some());
        stage.finish(&mut reader);
    }
}

fn not_before(reader: &LnetReader) -> Option<Mono> {
    reader.pace.not_before(Question::Nets)
}

#[test]
fn pauses_grow() {
    let mut reader = Stage::empty().reader();
    let at = Mono(5);
    for seconds in [1, 2, 4, 8, 16, 30, 30, 30] {
        reader.refuse(LnetFailure::Timeout("".into()), at);
        assert_eq!(not_before(&reader), Some(at + Duration::from_secs(seconds)));
    }
    reader.refuse(LnetFailure::NotInstalled, at);
    assert_eq!(not_before(&reader), Some(at + Duration::from_secs(30)));
    reader.refuse(LnetFailure::Failed("".into()), at);
    assert_eq!(not_before(&reader), Some(at + SECOND));
}

#[test]
fn too_much_and_nonsense() {
    let mut stage = Stage::new("exec head -c 50000000 /dev/zero");
    let lnet = stage.round(&mut stage.reader(), Duration::ZERO);
    assert_eq!(lnet.answer, Err(LnetFailure::Failed("printed more than 2 MiB".into())));
    eventually("killed", || stage.pids().iter().all(|pid| gone(*pid)));

    let mut stage = Stage::new("exec head -c 50000000 /dev/zero >&2");
    let lnet = stage.round(&mut stage.reader(), Duration::ZERO);
    assert_eq!(lnet.answer, Err(LnetFailure::Failed("printed more than 2 MiB".into())));

    let mut stage = Stage::new("exec head -c 65536 /dev/urandom");
    let lnet = stage.round(&mut stage.reader(), Duration::ZERO);
    assert!(matches!(&lnet.answer, Err(LnetFailure::Failed(_))), "{lnet:?}");

    let mut stage = Stage::new("kill -SEGV $$");
    let lnet = stage.round(&mut stage.reader(), Duration::ZERO);
    assert_eq!(lnet.answer, Err(LnetFailure::Failed("lnetctl crashed (signal 11)".into())));
}

#[test]
fn missing_or_not_executable() {
    let mut stage = Stage::empty();
    // Whoever names a program means that one.
    let lnet = stage.round(&mut stage.reader(), Duration::ZERO);
    assert!(
        matches!(&lnet.answer, Err(LnetFailure::CannotRun(w)) if w.ends_with(": no such file"))
    );
    let mut unset = LnetReader::new(&stage.root(), None);
    let lnet = stage.round(&mut unset, Duration::ZERO);
    assert_eq!(lnet.answer, Err(LnetFailure::NotInstalled));
    stage.skipped += Duration::from_secs(29);
    stage.poll(&mut unset);
    assert!(unset.job.is_none(), "looked for too early");

    fs::create_dir_all(stage.dir.path().join("usr/sbin")).unwrap();
    stage.put("usr/sbin/lnetctl", "#!/bin/sh\n");
    let lnet = stage.round(&mut stage.reader(), Duration::ZERO);
    assert!(matches!(&lnet.answer, Err(LnetFailure::CannotRun(w)) if w.starts_with("cannot run ")));
}

#[test]
fn without_the_module_no_child_is_started() {
    let mut stage = Stage::new("cat $d/answer");
    stage.put("answer", V2_16);
    let module = stage.dir.path().join("sys/module/lnet");
    fs::create_dir_all(module.parent().unwrap()).unwrap();
    let mut reader = LnetReader::new(&stage.root(), None);
    for _ in 0..5 {
        let lnet = stage.round(&mut reader, Duration::from_secs(2));
        assert_eq!(lnet.answer, Err(LnetFailure::NotLoaded));
        assert_eq!(lnet.modules.lnet, Some(false));
    }
    assert_eq!(stage.pids(), [0; 0]);

    fs::create_dir(&module).unwrap();
    let lnet = stage.round(&mut reader, SECOND);
    assert!(lnet.answer.is_ok() && lnet.modules.lnet == Some(true), "{lnet:?}");
    fs::remove_dir(&module).unwrap();
    let lnet = stage.round(&mut reader, SECOND);
    assert_eq!(lnet.answer, Err(LnetFailure::NotLoaded));
    assert_eq!(stage.pids().len(), 1);

    // A program that was named is run all the same.
    assert!(stage.round(&mut stage.reader(), SECOND).answer.is_ok());
}

/// What SIGKILL cannot end (a system call that does not return) cannot be staged: a channel
/// stands in for its thread.
#[test]
fn a_child_left_behind_keeps_others_from_starting() {
    let mut stage = Stage::new("cat $d/answer");
    stage.put("answer", V2_16);
    let mut reader = stage.reader();
    stage.poll(&mut reader);
    stage.finish(&mut reader);
    let good = reader.lnet.answer.clone();

    stage.skipped += SECOND;
    let asked = stage.now();
    let (sender, news) = channel();
    reader.job = Some(Job::over_channel(asked, news, Arc::new(Leash::default())));
    let failure = LnetFailure::Timeout("no answer".into());
    let timeout = Err(Refusal::Failure(failure.clone()));
    let finished = Instant::now();
    let answer = Answer { question: Question::Nets, result: timeout, finished, took: SECOND };
    sender.send(News::Answer(answer)).unwrap();
    sender.send(News::Left(Some(4711))).unwrap();
    stage.skipped += Duration::from_secs(10);
    let lnet = stage.poll(&mut reader);
    assert_eq!((lnet.waiting_since, &lnet.answer), (Some(asked), &good));
    stage.skipped += Duration::from_mins(2);
    let lnet = stage.poll(&mut reader);
    assert_eq!((lnet.waiting_since, &lnet.answer), (Some(asked), &Err(failure)));
    assert_eq!(stage.pids().len(), 1);
    let note = reader.note(stage.now()).unwrap();
    assert_eq!((&*note.reader, note.since), ("lnetctl", asked));
    assert!(note.what.contains("(pid 4711)") && note.what.contains("SIGKILL"), "{note:?}");

    drop(sender);
    let lnet = stage.round(&mut reader, SECOND);
    assert!(lnet.answer.is_ok() && lnet.waiting_since.is_none(), "{lnet:?}");
    assert_eq!(stage.pids().len(), 2);
}

#[test]
fn waiting_for_a_report() {
    let stage = Stage::new("cat $d/answer");
    stage.put("answer", V2_16);
    let mut reader = stage.reader();
    let lnet = reader.wait(stage.now(), Duration::from_secs(30));
    assert!(lnet.answer.is_ok(), "{lnet:?}");

    let stage = Stage::new("exec sleep 1000");
    let mut reader = stage.reader();
    let lnet = reader.wait(stage.now(), Duration::from_millis(200));
    assert_eq!(
        lnet.answer,
        Err(LnetFailure::Timeout("lnetctl did not answer within 0.2 s".into()))
    );
    assert!(lnet.waiting_since.is_some());

    let stage = Stage::empty();
    let lnet = LnetReader::new(&stage.root(), None).wait(stage.now(), Duration::from_secs(30));
    assert_eq!(lnet.answer, Err(LnetFailure::NotInstalled));
}

#[test]
fn lnet_survives_its_own_serialisation() {
    let stage = Stage::new("cat $d/answer");
    stage.put("answer", V2_16);
    let lnet = stage.reader().wait(stage.now(), Duration::from_secs(30));
    let json = serde_json::to_string(&*lnet).unwrap();
    assert_eq!(serde_json::from_str::<Lnet>(&json).unwrap(), *lnet);
    let older: Lnet =
        serde_json::from_str(&json.replace("\"last_failure\":null", "\"x\":0")).unwrap();
    assert_eq!(older, *lnet);
}

#[test]
fn a_reader_can_be_moved_to_a_thread() {
    fn send<T: Send>() {}
    send::<LnetReader>();
}
