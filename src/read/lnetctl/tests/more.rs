//! Rounds of questions: what is asked when, and that nothing but the nets matters to the nets.

use super::super::fixtures::{
    DENIED_2_16, GLOBAL_2_16, NO_COMMAND_2_16, PEER_VANISHED, PEERS_2_15, PEERS_2_16, ROUTES_2_15,
    ROUTING, STATS_2_17, UDSP_2_15,
};
use super::*;
use crate::sample::{Answered, Timed};

/// A stand-in that answers every question.
fn whole() -> Stage {
    let stage = Stage::new("cat $d/answer");
    stage.put("answer", V2_16);
    for (word, text) in [
        ("peer", PEERS_2_16),
        ("stats", STATS_2_17),
        ("global", GLOBAL_2_16),
        ("route", ROUTES_2_15),
        ("routing", ROUTING),
        ("udsp", UDSP_2_15),
    ] {
        stage.says(word, text);
    }
    stage.dir("sys/kernel/debug/lnet");
    stage.put("sys/kernel/debug/lnet/nis", super::super::fixtures::NIS);
    stage
}

impl Stage {
    fn dir(&self, name: &str) {
        fs::create_dir_all(self.dir.path().join(name)).unwrap();
    }

    fn says(&self, word: &str, text: &str) {
        self.put(&format!("{word}.text"), text);
        self.put(word, &format!("cat $d/{word}.text"));
    }

    fn fails(&self, word: &str, stderr: &str, code: i32) {
        self.put(&format!("{word}.text"), stderr);
        self.put(word, &format!("cat $d/{word}.text >&2; exit {code}"));
    }

    /// What was asked beside the nets since the last time.
    fn asked(&self) -> Vec<String> {
        let file = self.dir.path().join("more");
        let text = fs::read_to_string(&file).unwrap_or_default();
        let _ = fs::remove_file(file);
        text.lines().map(str::to_owned).collect()
    }
}

fn why<T: std::fmt::Debug>(answer: &Answered<T>) -> Why {
    answer.as_ref().unwrap_err().why
}

fn value<T>(answer: &Answered<T>) -> &Timed<T> {
    answer.as_deref().unwrap()
}

#[test]
fn everything_is_asked_once_one_after_the_other() {
    let mut stage = whole();
    let mut reader = stage.reader();
    let lnet = stage.round(&mut reader, Duration::ZERO);
    let asked = stage.asked();
    let all: Vec<String> =
        Question::COMMANDS[1..].iter().map(|q| q.arguments().join(" ")).collect();
    assert!(all.iter().all(|q| asked.contains(q)), "{asked:?}");
    assert_eq!((asked.len(), stage.pids().len()), (all.len(), 1));
    assert!(lnet.is_settled());
    let more = &lnet.more;
    assert_eq!(value(&more.peers).value.len(), 2);
    assert_eq!(value(&more.stats).value.recv_bytes, Ok(99_887_766));
    assert_eq!(value(&more.global).value.number("numa_range"), Some(32));
    assert_eq!(value(&more.routes).value.len(), 2);
    assert_eq!(value(&more.routing).value.enable, Some(3));
    assert_eq!(value(&more.udsp).value.len(), 2);
    assert_eq!(value(&more.credits).value[1].min, -15);
}

#[test]
fn silence_means_none() {
    let mut stage = Stage::new("cat $d/answer");
    stage.put("answer", V2_16);
    let lnet = stage.round(&mut stage.reader(), Duration::ZERO);
    assert_eq!(value(&lnet.more.peers).value, []);
    assert_eq!(value(&lnet.more.routes).value, []);
    assert_eq!(value(&lnet.more.udsp).value, []);
    assert_eq!(value(&lnet.more.routing).value, crate::sample::LnetRouting::default());
    // Statistics and settings are never empty.
    assert_eq!((why(&lnet.more.stats), why(&lnet.more.global)), (Why::Unparsable, Why::Unparsable));
    assert_eq!(why(&lnet.more.credits), Why::Absent);
    assert!(lnet.is_settled());
}

#[test]
fn the_paces() {
    let mut stage = whole();
    let mut reader = stage.reader();
    stage.round(&mut reader, Duration::ZERO);
    stage.asked();
    let mut counts = std::collections::BTreeMap::<String, usize>::new();
    for _ in 0..60 {
        stage.round(&mut reader, SECOND);
        for question in stage.asked() {
            *counts.entry(question).or_default() += 1;
        }
    }
    assert_eq!(stage.pids().len(), 61, "the nets in every pass");
    let near = |question: &str, wanted: usize| {
        let count = counts.get(question).copied().unwrap_or_default();
        assert!(count.abs_diff(wanted) <= 1, "{question}: {counts:?}");
    };
    near("stats show", 12);
    near("peer show -v 4", 6);
    for question in ["global show", "route show -v", "routing show", "udsp show"] {
        near(question, 2);
    }
    // At once and every 2 s while they are on the screen.
    reader.want_peers(true);
    assert!(reader.is_eager());
    stage.skipped += SECOND / 2;
    stage.poll(&mut reader);
    stage.finish(&mut reader);
    for _ in 0..10 {
        stage.round(&mut reader, SECOND);
    }
    let peers = stage.asked().iter().filter(|q| q.starts_with("peer")).count();
    assert!((5..=7).contains(&peers), "{peers}");
}

#[test]
fn the_same_text_is_a_newer_answer_of_the_same_value() {
    let mut stage = whole();
    let mut reader = stage.reader();
    let first = stage.round(&mut reader, Duration::ZERO);
    // Between two askings it is the very same.
    let between = stage.round(&mut reader, SECOND);
    let (a, b) = (first.more.peers.as_ref().unwrap(), between.more.peers.as_ref().unwrap());
    assert!(Arc::ptr_eq(a, b));
    let later = stage.round(&mut reader, Duration::from_secs(11));
    let c = later.more.peers.as_ref().unwrap();
    assert!(c.at > a.at && c.value == a.value);
    stage.says("peer", PEERS_2_15);
    let other = stage.round(&mut reader, Duration::from_secs(11));
    assert_eq!(&*value(&other.more.peers).value[0].primary_nid, "192.168.1.77@tcp");
}

#[test]
fn what_fails_beside_the_nets_harms_nothing_else() {
    let mut stage = whole();
    stage.fails("peer", DENIED_2_16, 234);
    stage.fails("global", NO_COMMAND_2_16, 255);
    stage.put("stats", "kill -SEGV $$");
    stage.put("udsp", "head -c 3000000 /dev/zero");
    stage.put("route", "head -c 5000 /dev/urandom");
    let mut reader = stage.reader();
    let lnet = stage.round(&mut reader, Duration::ZERO);
    assert!(lnet.answer.is_ok() && lnet.last_failure.is_none());
    let more = &lnet.more;
    assert_eq!((why(&more.peers), why(&more.global)), (Why::Denied, Why::Unsupported));
    assert_eq!((why(&more.stats), why(&more.routes)), (Why::Unparsable, Why::Unparsable));
    assert!(more.udsp.as_ref().unwrap_err().detail.contains("2 MiB"));
    assert_eq!(value(&more.routing).value.enable, Some(3));
    assert_eq!(value(&more.credits).value.len(), 4);

    // Each comes back at its own time.
    let first = lnet.answer.as_ref().unwrap().at;
    stage.says("peer", PEERS_2_16);
    stage.says("route", ROUTES_2_15);
    stage.asked();
    let soon = stage.round(&mut reader, SECOND);
    assert!(soon.answer.as_ref().unwrap().at > first && soon.last_failure.is_none());
    let late = stage.round(&mut reader, Duration::from_secs(31));
    assert_eq!((late.more.peers.is_ok(), late.more.routes.is_ok()), (true, true));
    assert!(!stage.asked().contains(&"global show".to_owned()), "not asked for minutes");
}

#[test]
fn a_peer_that_vanishes_while_it_is_looked_at_is_asked_for_again() {
    let mut stage = whole();
    let mut reader = stage.reader();
    let good = stage.round(&mut reader, Duration::ZERO);
    stage.fails("peer", PEER_VANISHED, 254);
    let lnet = stage.round(&mut reader, Duration::from_secs(11));
    assert_eq!(lnet.more.peers, good.more.peers, "the answer from before stands");
    stage.says("peer", PEERS_2_15);
    let lnet = stage.round(&mut reader, SECOND + SECOND / 10);
    assert_eq!(value(&lnet.more.peers).value.len(), 1);
}

#[test]
fn an_old_answer_that_cannot_be_renewed_goes() {
    let mut stage = whole();
    let mut reader = stage.reader();
    let good = stage.round(&mut reader, Duration::ZERO);
    stage.fails("stats", "what?\n", 1);
    let lnet = stage.round(&mut reader, Duration::from_secs(6));
    assert_eq!(lnet.more.stats, good.more.stats);
    let lnet = stage.round(&mut reader, Duration::from_secs(26));
    assert_eq!(why(&lnet.more.stats), Why::Unparsable);
    assert!(lnet.answer.is_ok());
}

#[test]
fn one_that_hangs_keeps_the_others_waiting_only_once() {
    let mut stage = whole();
    stage.put("stats", "trap '' TERM; echo $$ >> $d/hung; sleep 1000");
    let mut reader = stage.reader();
    reader.limits.deadline = Duration::from_millis(400);
    let lnet = stage.poll_until(&mut reader, |l| l.more.stats.is_err() && l.is_settled());
    stage.finish(&mut reader);
    assert!(lnet.answer.is_ok());
    assert_eq!(why(&lnet.more.stats), Why::Timeout);
    let peers = lnet.more.peers.as_ref().unwrap_err();
    assert!(peers.detail.contains("`lnetctl stats show` did not answer"), "{peers:?}");
    reader.limits.deadline = Duration::from_secs(20);
    stage.asked();
    for _ in 0..5 {
        let lnet = stage.round(&mut reader, SECOND);
        assert!(lnet.answer.is_ok());
    }
    assert_eq!((stage.asked(), stage.pids().len()), (vec![], 6));
    stage.says("stats", STATS_2_17);
    let lnet = stage.round(&mut reader, Duration::from_secs(30));
    assert!(lnet.more.stats.is_ok() && lnet.more.peers.is_ok());
    let hung: i32 =
        fs::read_to_string(stage.dir.path().join("hung")).unwrap().trim().parse().unwrap();
    eventually("killed", || gone(hung));
}

#[test]
fn a_question_that_takes_long_is_named_and_makes_the_nets_late_in_time() {
    let mut stage = whole();
    stage.put("peer", "echo $$ >> $d/hung; sleep 1000");
    let mut reader = stage.reader();
    reader.limits.deadline = Duration::from_mins(10);
    stage.poll(&mut reader);
    let hung = stage.dir.path().join("hung");
    eventually("it hangs", || hung.exists());
    let lnet = stage.poll_until(&mut reader, |l| l.answer.is_ok());
    assert_eq!((lnet.waiting_since, reader.note(stage.now())), (None, None));
    stage.skipped += Duration::from_millis(1500);
    assert_eq!(stage.poll(&mut reader).waiting_since, None, "the nets are fresh");
    stage.skipped += Duration::from_secs(3);
    let lnet = stage.poll(&mut reader);
    assert!(lnet.waiting_since.is_some() && lnet.answer.is_ok());
    assert_eq!(reader.note(stage.now()).map(|n| n.since), lnet.waiting_since);
    eventually("it is named", || {
        let pid = fs::read_to_string(&hung).unwrap_or_default();
        let named = format!("`lnetctl peer show -v 4` (pid {})", pid.trim());
        reader.note(stage.now()).is_some_and(|note| note.what.contains(&named))
    });
    assert_eq!(stage.pids().len(), 1, "never a second child");
}

#[test]
fn lnet_that_stops_takes_all_with_it_and_brings_all_back() {
    let mut stage = whole();
    let mut reader = stage.reader();
    stage.round(&mut reader, Duration::ZERO);
    stage.asked();
    fs::write(stage.dir.path().join("answer"), DOWN_2_15).unwrap();
    let lnet = stage.round(&mut reader, SECOND);
    assert_eq!(lnet.answer, Err(LnetFailure::NotConfigured));
    assert_eq!(
        (why(&lnet.more.peers), why(&lnet.more.udsp)),
        (Why::NotApplicable, Why::NotApplicable)
    );
    assert_eq!(stage.asked(), [""; 0], "nothing else is asked of it");
    fs::write(stage.dir.path().join("answer"), V2_15).unwrap();
    let lnet = stage.round(&mut reader, Duration::from_secs(6));
    assert!(lnet.answer.is_ok() && lnet.is_settled() && lnet.more.peers.is_ok());
    assert_eq!(stage.asked().len(), 6);
}

#[test]
fn a_user_without_permission_gets_the_rule() {
    let mut reader = Stage::empty().reader();
    reader.found = Some((Mono(1), "/usr/sbin/lnetctl".into()));
    reader.refuse(LnetFailure::Denied("no".into()), Mono(5));
    if rustix::process::geteuid().is_root() {
        assert_eq!(reader.lnet.sudoers, None, "root needs none");
        return;
    }
    let rule = reader.lnet.sudoers.clone().unwrap();
    assert!(rule.ends_with("/usr/sbin/lnetctl udsp show"), "{rule}");
}

#[test]
fn the_bell_rings_for_the_first_answers_only() {
    use std::sync::atomic::{AtomicU32, Ordering};
    let rung = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&rung);
    let mut stage = whole();
    let mut reader = stage.reader().with_bell(move || {
        counted.fetch_add(1, Ordering::Relaxed);
    });
    stage.round(&mut reader, Duration::ZERO);
    let first = rung.load(Ordering::Relaxed);
    assert!(first >= 8, "{first}");
    // The second answer makes the first rates.
    assert!(reader.awaits_rates() && reader.is_eager());
    stage.round(&mut reader, SECOND);
    let second = rung.load(Ordering::Relaxed);
    assert!(second > first && !reader.is_eager());
    stage.round(&mut reader, SECOND);
    assert_eq!(rung.load(Ordering::Relaxed), second);
}
