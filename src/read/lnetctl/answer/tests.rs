use super::super::child::End;
use super::super::fixtures::{
    DENIED_2_15, DENIED_2_16, DOWN_2_16, NO_COMMAND_2_16, NO_GLOBAL_2_10, PEER_VANISHED,
    PEERS_2_16, PEERS_DOWN_2_15, STATS_2_17, UNLOADED_2_15, UNLOADED_2_16,
};
use super::*;
use crate::sample::LnetModules;

struct Case<'a> {
    question: Question,
    root: bool,
    loaded: bool,
    end: Option<End>,
    stdout: &'a str,
    stderr: &'a str,
}

const FINE: Case<'_> = Case {
    question: Question::Peers,
    root: true,
    loaded: true,
    end: Some(End::Exit(0)),
    stdout: "",
    stderr: "",
};

impl Case<'_> {
    fn judge(&self) -> Result<More, Refusal> {
        let modules = LnetModules { lnet: Some(self.loaded), ..LnetModules::default() };
        let run = Run {
            modules: &modules,
            root: Some(self.root),
            end: self.end,
            stdout: self.stdout.as_bytes(),
            stderr: self.stderr.as_bytes(),
        };
        judge(self.question, &run, true)
    }

    #[track_caller]
    fn why(&self) -> Why {
        self.judge().unwrap_err().unknown().why
    }
}

fn exit(code: i32) -> End {
    End::Exit(code)
}

#[test]
fn not_loaded_not_configured_not_permitted() {
    use Question::{Global, Peers, Routes, Routing, Stats, Udsp};
    let unloaded = Refusal::Failure(LnetFailure::NotLoaded);
    for (question, code, stderr) in [
        (Peers, 254, UNLOADED_2_15),
        (Peers, 234, UNLOADED_2_16),
        (Routing, 0, UNLOADED_2_15),
        (Udsp, 0, UNLOADED_2_15),
        (Routes, 234, UNLOADED_2_16),
    ] {
        let case = Case { question, loaded: false, end: Some(exit(code)), stderr, ..FINE };
        assert_eq!(case.judge(), Err(unloaded.clone()), "{question:?} {stderr}");
    }
    let down = Refusal::Failure(LnetFailure::NotConfigured);
    for (question, code, stderr) in
        [(Peers, 156, PEERS_DOWN_2_15), (Routes, 234, DOWN_2_16), (Stats, 156, PEERS_DOWN_2_15)]
    {
        let case = Case { question, end: Some(exit(code)), stderr, ..FINE };
        assert_eq!(case.judge(), Err(down.clone()), "{question:?} {stderr}");
    }
    for (question, code, stderr) in
        [(Peers, 234, ""), (Global, 243, DENIED_2_15), (Routes, 234, DENIED_2_16)]
    {
        let case = Case { question, root: false, end: Some(exit(code)), stderr, ..FINE };
        assert_eq!(case.why(), Why::Denied, "{question:?} {stderr}");
    }
    for stderr in [
        "sudo: a password is required\n",
        "Sorry, user ana is not allowed to execute '/usr/sbin/lnetctl stats show' as root on n1.\n",
    ] {
        let case = Case { question: Stats, end: Some(exit(1)), stderr, ..FINE };
        assert_eq!(case.why(), Why::Denied);
        assert!(case.judge().unwrap_err().unknown().detail.contains(stderr.trim()));
    }
}

#[test]
fn commands_that_a_version_does_not_have() {
    for (stdout, stderr) in [(NO_GLOBAL_2_10, ""), ("", NO_COMMAND_2_16)] {
        let question = Question::Global;
        let case = Case { question, end: Some(exit(255)), stdout, stderr, ..FINE };
        assert_eq!(case.why(), Why::Unsupported);
        // An error has its own words.
        let denied = format!("{stderr}{DENIED_2_15}");
        let case = Case { question, end: Some(exit(243)), stdout: "", stderr: &denied, ..FINE };
        assert_eq!(case.why(), Why::Denied);
    }
}

#[test]
fn silence() {
    assert_eq!(FINE.judge(), Ok(More::Peers(Vec::new())));
    // Of a capture by hand nobody noted the exit code.
    assert_eq!(Case { end: None, ..FINE }.judge(), Ok(More::Peers(Vec::new())));
    // From 2.16 `peer show` fails without a word.
    let silent = Case { end: Some(exit(234)), ..FINE };
    assert_eq!(silent.why(), Why::Unparsable);
    assert!(silent.judge().unwrap_err().unknown().detail.contains("exit 234"));
    assert_eq!(Case { question: Question::Stats, ..FINE }.why(), Why::Unparsable);
    let crashed = Case { end: Some(End::Signal(11)), ..FINE };
    assert!(crashed.judge().unwrap_err().unknown().detail.contains("signal 11"));
}

#[test]
fn answers_and_half_answers() {
    let good = Case { stdout: PEERS_2_16, ..FINE };
    assert!(matches!(good.judge(), Ok(More::Peers(peers)) if peers.len() == 2));
    // The output of another command, an error beside an answer, a crash after half of it.
    assert_eq!(Case { stdout: STATS_2_17, ..FINE }.why(), Why::Unparsable);
    let case = Case { stdout: PEERS_2_16, stderr: PEER_VANISHED, end: Some(exit(254)), ..FINE };
    assert_eq!(case.why(), Why::Unparsable);
    let case = Case { stdout: PEERS_2_16, end: Some(End::Signal(9)), ..FINE };
    assert_eq!(case.why(), Why::Unparsable);
}

#[test]
fn an_answer_is_put_in_its_place_and_renewed_there() {
    let mut more = LnetMore::default();
    for question in Question::ALL.into_iter().filter(|q| *q != Question::Nets) {
        assert!(place(&mut more, question).unwrap().is_pending());
    }
    put(&mut more, More::Peers(Vec::new()), Mono(5));
    let held = more.peers.clone();
    let peers = place(&mut more, Question::Peers).unwrap();
    assert_eq!(peers.at(), Some(Mono(5)));
    peers.renew(Mono(9));
    assert_eq!((peers.at(), held.unwrap().at), (Some(Mono(9)), Mono(5)));
    peers.fail(Unknown::new(Why::Denied, ""));
    assert_eq!((peers.at(), peers.is_pending()), (None, false));
    assert!(place(&mut more, Question::Nets).is_none());
}
