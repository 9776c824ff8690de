//! When to ask LNet what: pure arithmetic on times that are given.
//!
//! One child at a time means that a question which hangs keeps all others waiting. From 2.16
//! `net show` takes no mutex of LNet's, the other questions do; so when one of them does not
//! answer, all of them rest, and the nets go on.

use super::SLACK;
use super::answer::Refusal;
use super::question::Question;
use crate::sample::{LnetFailure, Mono, Why};
use std::time::Duration;

/// Peers are many beyond this number.
const MANY: usize = 200;
/// A question takes no more than this part of the time.
const SHARE: u32 = 10;
/// After the first that did not answer; doubled each time …
const REST: Duration = Duration::from_secs(30);
/// … up to this.
const LONGEST_REST: Duration = Duration::from_mins(5);

/// When what was asked, and what came of it.
#[derive(Debug, Default)]
pub(super) struct Pace {
    kinds: [Kind; Question::ALL.len()],
    /// Peers in the last answer.
    peers: usize,
    /// Questions beside the nets that did not answer in time, in a row.
    hung: u32,
    /// None of them before that.
    rest_until: Option<Mono>,
}

#[derive(Clone, Debug, Default)]
struct Kind {
    asked: Option<Mono>,
    /// Not before that, whatever its period.
    not_before: Option<Mono>,
    /// Failures without a name in a row.
    strikes: u32,
    took: Duration,
    /// The newest failure.
    failure: Option<Refusal>,
}

impl Pace {
    /// What is due beside the nets, the longest overdue first.
    pub(super) fn due(&self, now: Mono, wanted: bool) -> Vec<Question> {
        if self.rest_until.is_some_and(|until| now < until) {
            return Vec::new();
        }
        let mut due: Vec<(Duration, Question)> = Question::ALL
            .into_iter()
            .filter(|q| *q != Question::Nets)
            .filter_map(|q| Some((self.overdue(q, now, wanted)?, q)))
            .collect();
        // Stable: what was never asked keeps its order.
        due.sort_by_key(|(by, _)| std::cmp::Reverse(*by));
        due.into_iter().map(|(_, question)| question).collect()
    }

    fn overdue(&self, question: Question, now: Mono, wanted: bool) -> Option<Duration> {
        let kind = self.kind(question);
        if let Some(then) = kind.not_before {
            // After a failure its pause takes the place of the period.
            return (now >= then).then(|| now.since(then));
        }
        let Some(asked) = kind.asked else { return Some(Duration::MAX) };
        let period = self.period(question, wanted);
        let passed = now.since(asked) + SLACK;
        (passed >= period).then(|| passed.saturating_sub(period))
    }

    /// From one asking to the next.
    pub(super) fn period(&self, question: Question, wanted: bool) -> Duration {
        let usual = match question {
            Question::Nets => Duration::ZERO,
            Question::Stats | Question::Credits | Question::Peers if wanted => {
                Duration::from_secs(2)
            }
            Question::Stats | Question::Credits => Duration::from_secs(5),
            Question::Peers if self.peers > MANY => Duration::from_mins(1),
            Question::Peers => Duration::from_secs(10),
            Question::Global | Question::Routes | Question::Routing | Question::Udsp => {
                Duration::from_secs(30)
            }
        };
        usual.max(self.kind(question).took * SHARE)
    }

    /// It is being asked.
    pub(super) fn asked(&mut self, question: Question, now: Mono) {
        self.kind_mut(question).asked = Some(now);
    }

    /// It was answered.
    pub(super) fn good(&mut self, question: Question, took: Duration) {
        *self.kind_mut(question) =
            Kind { asked: self.kind(question).asked, took, ..Kind::default() };
        if !matches!(question, Question::Nets | Question::Credits) {
            self.hung = 0;
            self.rest_until = None;
        }
    }

    /// So many peers there are.
    pub(super) fn count_peers(&mut self, peers: usize) {
        self.peers = peers;
    }

    /// It was not.
    pub(super) fn bad(&mut self, question: Question, refusal: &Refusal, at: Mono) {
        let hung = matches!(refusal, Refusal::Failure(LnetFailure::Timeout(_)));
        if hung && question != Question::Nets {
            self.rest_until = Some(at + (REST * (1 << self.hung.min(4))).min(LONGEST_REST));
            self.hung = self.hung.saturating_add(1);
        }
        let kind = self.kind_mut(question);
        let (clear, pause) = pause(refusal, kind.strikes);
        kind.strikes = if clear { 0 } else { kind.strikes.saturating_add(1) };
        kind.not_before = Some(at + pause);
        kind.failure = Some(refusal.clone());
    }

    /// Why the newest asking failed, if it did.
    pub(super) fn failure(&self, question: Question) -> Option<&Refusal> {
        self.kind(question).failure.as_ref()
    }

    /// When it may be asked again after a failure.
    pub(super) fn not_before(&self, question: Question) -> Option<Mono> {
        self.kind(question).not_before
    }

    /// When it was asked last.
    pub(super) fn asked_at(&self, question: Question) -> Option<Mono> {
        self.kind(question).asked
    }

    /// LNet is not there: when it comes back, everything but the nets is asked at once.
    pub(super) fn forget(&mut self) {
        for question in Question::ALL.into_iter().filter(|q| *q != Question::Nets) {
            *self.kind_mut(question) = Kind::default();
        }
        (self.hung, self.rest_until, self.peers) = (0, None, 0);
    }

    #[expect(clippy::indexing_slicing, reason = "one place per question")]
    fn kind(&self, question: Question) -> &Kind {
        &self.kinds[question as usize]
    }

    #[expect(clippy::indexing_slicing, reason = "one place per question")]
    fn kind_mut(&mut self, question: Question) -> &mut Kind {
        &mut self.kinds[question as usize]
    }
}

/// Whether a failure says something clear, which replaces an older answer at once; and how long
/// it is not worth asking again.
pub(super) fn pause(refusal: &Refusal, strikes: u32) -> (bool, Duration) {
    match refusal {
        Refusal::Failure(failure) => match failure {
            LnetFailure::NotInstalled | LnetFailure::Denied(_) => (true, Duration::from_secs(30)),
            LnetFailure::NotConfigured => (true, Duration::from_secs(5)),
            LnetFailure::NotLoaded | LnetFailure::Pending => (true, Duration::ZERO),
            // 1, 2, 4, 8, 16, 30 s
            LnetFailure::Timeout(_) | LnetFailure::Failed(_) | LnetFailure::CannotRun(_) => {
                (false, Duration::from_secs((1 << strikes.min(5)).min(30)))
            }
        },
        Refusal::Only(unknown) => match unknown.why {
            // Another lnetctl may be installed while we run.
            Why::Unsupported => (true, Duration::from_mins(5)),
            _ => (true, Duration::from_secs(30)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Unknown;

    const SECOND: Duration = Duration::from_secs(1);
    const START: Mono = Mono(1_000_000_000_000);

    fn all_asked(pace: &mut Pace, at: Mono) {
        for question in Question::ALL {
            pace.asked(question, at);
            pace.good(question, SECOND / 100);
        }
    }

    /// Seconds after `START` at which each question is due first.
    fn first_due(pace: &Pace, wanted: bool) -> Vec<(Question, u64)> {
        let mut found: Vec<(Question, u64)> = Vec::new();
        for second in 0..100 {
            for question in pace.due(START + SECOND * second, wanted) {
                if !found.iter().any(|(q, _)| *q == question) {
                    found.push((question, second.into()));
                }
            }
        }
        found.sort_by_key(|(q, _)| *q as usize);
        found
    }

    #[test]
    fn at_first_all_are_due_in_their_order() {
        let pace = Pace::default();
        assert_eq!(pace.due(START, false), Question::ALL[1..]);
    }

    #[test]
    fn the_plan() {
        use Question::{Credits, Global, Peers, Routes, Routing, Stats, Udsp};
        let mut pace = Pace::default();
        all_asked(&mut pace, START);
        let rest = [(Global, 30), (Routes, 30), (Routing, 30), (Udsp, 30)];
        let with = |stats, peers| {
            let mut all = vec![(Stats, stats), (Peers, peers)];
            all.extend(rest);
            all.push((Credits, stats));
            all
        };
        assert_eq!(first_due(&pace, false), with(5, 10));
        assert_eq!(first_due(&pace, true), with(2, 2));
        pace.count_peers(201);
        assert_eq!(first_due(&pace, false), with(5, 60));
        assert_eq!(first_due(&pace, true), with(2, 2));
        // Ten times what it took.
        pace.good(Peers, SECOND * 7);
        assert_eq!(first_due(&pace, true), with(2, 70));
        // The longest overdue comes first.
        assert_eq!(pace.due(START + SECOND * 31, false)[..2], [Stats, Credits]);
    }

    #[test]
    fn failures_rest_by_kind() {
        let mut pace = Pace::default();
        all_asked(&mut pace, START);
        let failed = Refusal::Failure(LnetFailure::Failed("?".into()));
        for seconds in [1, 2, 4, 8, 16, 30, 30] {
            pace.bad(Question::Routes, &failed, START);
            assert_eq!(pace.not_before(Question::Routes), Some(START + SECOND * seconds));
        }
        assert_eq!(pace.not_before(Question::Stats), None);
        let none = Refusal::Only(Unknown::new(Why::Unsupported, ""));
        pace.bad(Question::Global, &none, START);
        assert_eq!(pace.not_before(Question::Global), Some(START + SECOND * 300));
        pace.forget();
        assert_eq!(pace.due(START, false), Question::ALL[1..]);
    }

    #[test]
    fn one_that_hangs_lets_all_but_the_nets_rest() {
        let mut pace = Pace::default();
        let hung = Refusal::Failure(LnetFailure::Timeout("".into()));
        let mut at = START;
        for seconds in [30, 60, 120, 240, 300, 300] {
            pace.bad(Question::Peers, &hung, at);
            assert_eq!(pace.due(at + SECOND * seconds - SECOND / 1000, true), []);
            at = at + SECOND * seconds;
            assert!(!pace.due(at, true).is_empty());
        }
        pace.good(Question::Stats, SECOND);
        assert!(pace.due(at, true).contains(&Question::Routes));
        // The nets have their own pause, which nobody else keeps.
        let mut pace = Pace::default();
        pace.bad(Question::Nets, &hung, START);
        assert_eq!(pace.not_before(Question::Nets), Some(START + SECOND));
        assert_eq!(pace.due(START, false), Question::ALL[1..]);
    }
}
