//! Comparing one criterion after the other.

use super::Criterion;
use crate::sample::{Reading, Unknown};

/// One criterion of a race.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which.
    pub criterion: Criterion,
    /// Who was still in it.
    pub before: Vec<usize>,
    /// Who is after it.
    pub after: Vec<usize>,
}

/// Who is left when the first difference has decided, and the next among the equal, and so on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Race {
    /// What was compared, up to the last criterion or the one that is not known.
    pub steps: Vec<Step>,
    /// Who is left: they take turns, if the race was not stopped.
    pub left: Vec<usize>,
    /// From here on it cannot be told: a value is not known of one that was still in the race.
    pub stopped: Option<(Criterion, Unknown)>,
}

impl Race {
    /// By which criterion it fell out.
    pub fn out(&self, place: usize) -> Option<Criterion> {
        let fell = |s: &&Step| s.before.contains(&place) && !s.after.contains(&place);
        self.steps.iter().find(fell).map(|s| s.criterion)
    }

    /// The last criterion that threw anyone out.
    pub fn last_difference(&self) -> Option<Criterion> {
        self.steps.iter().rfind(|s| s.before.len() > s.after.len()).map(|s| s.criterion)
    }
}

/// Runs the race: of each criterion the rank of every one of `count`; lower is better.
pub fn race(count: usize, criteria: &[(Criterion, Vec<Reading<i64>>)]) -> Race {
    let mut race = Race { steps: Vec::new(), left: (0..count).collect(), stopped: None };
    for (criterion, ranks) in criteria {
        if race.left.len() <= 1 {
            break;
        }
        let rank = |place: &usize| {
            let rank = ranks.get(*place);
            rank.cloned().unwrap_or_else(|| Err(super::absent("no value")))
        };
        let known: Reading<Vec<i64>> = race.left.iter().map(rank).collect();
        let known = match known {
            Ok(known) => known,
            Err(why) => {
                race.stopped = Some((*criterion, why));
                break;
            }
        };
        let best = known.iter().min().copied();
        let before = race.left.clone();
        let kept = before.iter().zip(&known).filter(|(_, rank)| Some(**rank) == best);
        race.left = kept.map(|(place, _)| *place).collect();
        race.steps.push(Step { criterion: *criterion, before, after: race.left.clone() });
    }
    race
}
