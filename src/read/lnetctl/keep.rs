//! What is kept of an answer, and for how long: the judgement of what a round brought.

use super::answer::{self, More, Refusal};
use super::job::{Answer, Given};
use super::question::Question;
use super::{AGED, KEEP, LATE, LnetReader, pace, sudo};
use crate::sample::{LnetAnswer, LnetFailure, Mono, Text, Unknown, Why};
use std::time::Duration;

impl LnetReader {
    pub(super) fn judge(&mut self, answer: Answer, at: Mono) {
        let Answer { question, result, took, .. } = answer;
        match result {
            Ok(given) => {
                self.pace.good(question, took);
                self.accept(question, given, at, took);
            }
            Err(Refusal::Failure(failure)) if question == Question::Nets => {
                self.refuse(failure, at);
            }
            Err(refusal) => self.refuse_more(question, &refusal, at),
        }
    }

    fn accept(&mut self, question: Question, given: Given, at: Mono, took: Duration) {
        if let Given::Nets(_, print) | Given::More(_, print) = &given {
            self.forget_text(question);
            self.known.push((question, *print));
        }
        if question == Question::Nets {
            self.answers = self.answers.saturating_add(1);
        }
        if let Given::More(More::Peers(peers), _) = &given {
            self.pace.count_peers(peers.len());
        }
        self.publish(|lnet| {
            if question == Question::Nets {
                lnet.last_failure = None;
                lnet.sudoers = None;
            }
            match given {
                Given::Nets(nets, _) => lnet.answer = Ok(LnetAnswer { at, took, nets }),
                Given::More(more, _) => answer::put(&mut lnet.more, more, at),
                Given::Same => match (answer::place(&mut lnet.more, question), &mut lnet.answer) {
                    (Some(place), _) => place.renew(at),
                    (None, Ok(answer)) => (answer.at, answer.took) = (at, took),
                    (None, Err(_)) => {}
                },
            }
        });
    }

    /// The nets were not answered.
    pub(super) fn refuse(&mut self, failure: LnetFailure, at: Mono) {
        let refusal = Refusal::Failure(failure.clone());
        self.pace.bad(Question::Nets, &refusal, at);
        let (clear, _) = pace::pause(&refusal, 0);
        let replace = clear || self.lnet.answer.is_err();
        if replace {
            self.forget_text(Question::Nets);
        }
        if clear {
            self.lose_more(&answer::unknown(&failure));
        }
        let sudoers = self.sudoers(&failure);
        self.publish(|lnet| {
            if replace {
                lnet.answer = Err(failure.clone());
            }
            lnet.sudoers = sudoers;
            lnet.last_failure = Some((at, failure));
        });
    }

    /// Something else was not. The nets are what they were.
    fn refuse_more(&mut self, question: Question, refusal: &Refusal, at: Mono) {
        self.pace.bad(question, refusal, at);
        let (clear, _) = pace::pause(refusal, 0);
        let mut more = self.lnet.more.clone();
        let lost = answer::place(&mut more, question)
            .filter(|place| clear || place.at().is_none())
            .map(|place| place.fail(refusal.unknown()));
        if lost.is_some() {
            self.forget_text(question);
        }
        if matches!(refusal, Refusal::Failure(LnetFailure::Timeout(_))) {
            // The others rest too: not asked is not the same as asked soon.
            let words = format!("not asked, because `{}` did not answer", question.words());
            for other in Question::ALL {
                if let Some(place) = answer::place(&mut more, other).filter(|p| p.is_pending()) {
                    place.fail(Unknown::new(Why::Timeout, words.as_str()));
                }
            }
        }
        self.publish(|lnet| lnet.more = more);
    }

    /// LNet is not there, or does not speak to us: nothing of it is known any more.
    fn lose_more(&mut self, why: &Unknown) {
        self.pace.forget();
        self.answers = 0;
        self.known.retain(|(question, _)| *question == Question::Nets);
        self.publish(|lnet| {
            for question in Question::ALL {
                if let Some(place) = answer::place(&mut lnet.more, question) {
                    place.fail(why.clone());
                }
            }
        });
    }

    fn forget_text(&mut self, question: Question) {
        self.known.retain(|(q, _)| *q != question);
    }

    /// The rule that would let this user ask, where asking was denied.
    fn sudoers(&self, failure: &LnetFailure) -> Option<Text> {
        let uid = rustix::process::geteuid();
        if uid.is_root() || !matches!(failure, LnetFailure::Denied(_)) {
            return None;
        }
        let (_, program) = self.found.as_ref()?;
        Some(sudo::rule(&sudo::user(&self.root, uid.as_raw()), program))
    }

    /// Says what time alone has changed.
    pub(super) fn age(&mut self, now: Mono) {
        let aged = self.lnet.answer.as_ref().is_ok_and(|a| now.since(a.at) < AGED);
        let late = self.job.as_ref().and_then(|job| {
            let for_nets = job.current.is_none_or(|(question, _)| question == Question::Nets);
            let since = job.since();
            (now.since(since) >= LATE && (for_nets || !aged)).then_some(since)
        });
        if late != self.lnet.waiting_since {
            self.publish(|lnet| lnet.waiting_since = late);
        }
        if let (Ok(answer), Some((_, failure))) = (&self.lnet.answer, &self.lnet.last_failure)
            && now.since(answer.at) > KEEP
        {
            let failure = failure.clone();
            self.forget_text(Question::Nets);
            self.publish(|lnet| lnet.answer = Err(failure));
        }
        self.age_more(now);
    }

    /// What was answered and is refused since stays for a while.
    fn age_more(&mut self, now: Mono) {
        for question in Question::ALL {
            let nets = self.lnet.answer.as_ref().err().map(answer::unknown);
            let failed = self.pace.failure(question).map(Refusal::unknown).or(nets);
            let Some(why) = failed else { continue };
            let keep = KEEP.max(self.pace.period(question, false) * 3);
            let mut more = self.lnet.more.clone();
            let old = answer::place(&mut more, question)
                .filter(|place| place.at().is_some_and(|at| now.since(at) > keep))
                .map(|place| place.fail(why));
            if old.is_some() {
                self.forget_text(question);
                self.publish(|lnet| lnet.more = more);
            }
        }
    }
}
