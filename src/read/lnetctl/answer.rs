//! What is asked more seldom than the nets: judged, and put in its place.

use super::classify::{Run, weigh};
use super::parse;
use super::question::Question;
use crate::sample::{
    Answered, LnetFailure, LnetGlobal, LnetMore, LnetNiCredits, LnetPeer, LnetRoute, LnetRouting,
    LnetStats, LnetUdsp, Mono, Timed, Unknown, Why,
};
use std::sync::Arc;

/// A good answer to a question other than that for the nets.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum More {
    Stats(LnetStats),
    Credits(Vec<LnetNiCredits>),
    Peers(Vec<LnetPeer>),
    Global(LnetGlobal),
    Routes(Vec<LnetRoute>),
    Routing(LnetRouting),
    Udsp(Vec<LnetUdsp>),
}

/// Why there is none.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Refusal {
    /// As for the nets.
    Failure(LnetFailure),
    /// It concerns this question alone.
    Only(Unknown),
}

impl Refusal {
    /// The reason as it goes into a sample.
    pub(super) fn unknown(&self) -> Unknown {
        match self {
            Refusal::Failure(failure) => unknown(failure),
            Refusal::Only(unknown) => unknown.clone(),
        }
    }
}

/// Why LNet says nothing of what was asked.
pub(super) fn unknown(failure: &LnetFailure) -> Unknown {
    match failure {
        LnetFailure::NotInstalled => Unknown::new(Why::Absent, "lnetctl is not installed"),
        LnetFailure::NotLoaded => Unknown::new(Why::NotApplicable, "LNet is not loaded"),
        LnetFailure::NotConfigured => Unknown::new(Why::NotApplicable, "LNet is not configured"),
        LnetFailure::Denied(words) => Unknown::new(Why::Denied, words.clone()),
        LnetFailure::Timeout(words) => Unknown::new(Why::Timeout, words.clone()),
        LnetFailure::Failed(words) | LnetFailure::CannotRun(words) => {
            Unknown::new(Why::Unparsable, words.clone())
        }
        LnetFailure::Pending => Unknown::new(Why::FirstSample, "not asked yet"),
    }
}

/// Judges a run of lnetctl that was asked anything but the nets. `is_up` says that the nets were
/// answered: then silence means that there is nothing to tell.
pub(super) fn judge(question: Question, run: &Run<'_>, is_up: bool) -> Result<More, Refusal> {
    if run.succeeded_silently(is_up)
        && let Some(nothing) = nothing(question)
    {
        return Ok(nothing);
    }
    if run.is_no_command() {
        let detail = format!("this lnetctl has no `{}`", question.arguments().join(" "));
        return Err(Refusal::Only(Unknown::new(Why::Unsupported, detail)));
    }
    weigh(run, parse(question, run.stdout), |_| true).map_err(Refusal::Failure)
}

/// What silence means: no peers, no routes, no router.
fn nothing(question: Question) -> Option<More> {
    match question {
        Question::Peers => Some(More::Peers(Vec::new())),
        Question::Routes => Some(More::Routes(Vec::new())),
        Question::Routing => Some(More::Routing(LnetRouting::default())),
        Question::Udsp => Some(More::Udsp(Vec::new())),
        Question::Nets | Question::Stats | Question::Global | Question::Credits => None,
    }
}

/// The text of an answer.
pub(super) fn parse(question: Question, text: &[u8]) -> Result<More, Unknown> {
    Ok(match question {
        Question::Nets => return Err(Unknown::new(Why::Unsupported, "the nets are no part of it")),
        Question::Stats => More::Stats(parse::stats_show(text)?),
        Question::Credits => More::Credits(parse::nis(text)?),
        Question::Peers => More::Peers(parse::peer_show(text)?),
        Question::Global => More::Global(parse::global_show(text)?),
        Question::Routes => More::Routes(parse::route_show(text)?),
        Question::Routing => More::Routing(parse::routing_show(text)?),
        Question::Udsp => More::Udsp(parse::udsp_show(text)?),
    })
}

/// Puts an answer in its place.
pub(super) fn put(more: &mut LnetMore, answer: More, at: Mono) {
    fn timed<T>(at: Mono, value: T) -> Arc<Timed<T>> {
        Arc::new(Timed { at, value })
    }
    match answer {
        More::Stats(value) => more.stats = Ok(timed(at, value)),
        More::Credits(value) => more.credits = Ok(timed(at, value)),
        More::Peers(value) => more.peers = Ok(timed(at, value)),
        More::Global(value) => more.global = Ok(timed(at, value)),
        More::Routes(value) => more.routes = Ok(timed(at, value)),
        More::Routing(value) => more.routing = Ok(timed(at, value)),
        More::Udsp(value) => more.udsp = Ok(timed(at, value)),
    }
}

/// The place of an answer, whatever it holds.
pub(super) trait Place {
    /// When it was answered last.
    fn at(&self) -> Option<Mono>;
    /// The same answer came again. It is newer, which makes the rates of its counters zero; it
    /// was not parsed again.
    fn renew(&mut self, at: Mono);
    /// There is none any more.
    fn fail(&mut self, why: Unknown);
    /// It was never asked for.
    fn is_pending(&self) -> bool;
}

impl<T: Clone> Place for Answered<T> {
    fn at(&self) -> Option<Mono> {
        self.as_ref().ok().map(|answer| answer.at)
    }

    fn renew(&mut self, at: Mono) {
        if let Ok(answer) = self {
            Arc::make_mut(answer).at = at;
        }
    }

    fn fail(&mut self, why: Unknown) {
        *self = Err(why);
    }

    fn is_pending(&self) -> bool {
        matches!(self, Err(unknown) if unknown.why == Why::FirstSample)
    }
}

/// The place of the answer to `question`; the nets have none here.
pub(super) fn place(more: &mut LnetMore, question: Question) -> Option<&mut dyn Place> {
    Some(match question {
        Question::Nets => return None,
        Question::Stats => &mut more.stats,
        Question::Credits => &mut more.credits,
        Question::Peers => &mut more.peers,
        Question::Global => &mut more.global,
        Question::Routes => &mut more.routes,
        Question::Routing => &mut more.routing,
        Question::Udsp => &mut more.udsp,
    })
}

#[cfg(test)]
mod tests;
