//! In which order LNet chooses the local NI for a message, and which criterion decides.
//!
//! `lnet_select_pathway()` of Lustre's `lnet/lnet/lib-move.c`: first the net, then the local NI
//! (`lnet_get_best_ni()`), then the NI of the peer. Criteria are compared one after the other;
//! the first difference decides, and only what is equal in all of them takes turns.
//! What is known of them comes from what LNet printed; where the memory of a message lies, which
//! the distance of NUMA nodes is measured from, is known for no message, so each CPU partition
//! (CPT) is asked for.

mod credits;
mod nets;
mod numa;
mod order;
mod race;
#[cfg(test)]
mod tests;

pub use nets::{Standing, standing};
pub use numa::Numa;
pub(crate) use order::numbers;
pub use order::{Criterion, Order};
pub use race::{Race, Step, race};

use crate::sample::{Host, Lnet, LnetNi, Reading, Text, Unknown, Why};

/// A UDSP rule names no priority for it: `-1`, which LNet takes as the lowest.
const NO_PRIORITY: i64 = -1;

/// A local NI as the selection looks at it.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// NID.
    pub nid: Text,
    /// `fatal_error`.
    pub fatal: Reading<bool>,
    /// `health value`, 0…1000.
    pub health: Reading<u32>,
    /// `udsp info / nid priority`: lower is better, −1 is none.
    pub priority: Reading<i64>,
    /// `dev cpt`: the CPT of the device, −1 is none.
    pub dev_cpt: Reading<i32>,
    /// Free transmit credits of all CPTs together.
    pub credits: Reading<i64>,
}

/// The NIs of one net, and what else decides between them.
#[derive(Clone, Debug, PartialEq)]
pub struct Contest {
    /// The net.
    pub net: Text,
    /// The order of this LNet.
    pub order: Order,
    /// Its NIs, in the order in which LNet has them.
    pub nis: Vec<Candidate>,
    /// How far memory and devices are apart.
    pub numa: Numa,
}

/// What the lasting criteria say of one NI. Credits and turns change with every message.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// It is the only NI of its net.
    Alone,
    /// It takes turns with these, wherever the memory of a message lies; alone, if there are none.
    InTurn(Vec<usize>),
    /// It is chosen only for messages whose memory is on these CPTs.
    Nearest(Vec<u32>),
    /// It is never chosen while the others are as they are: what decides, and who is better.
    Never(Criterion, Vec<usize>),
    /// It cannot be told from this criterion on.
    Unknown(Criterion, Unknown),
}

impl Contest {
    /// The contest of a net of this node; `None` where LNet told of no such net.
    pub fn of(lnet: &Lnet, host: &Host, net: &str) -> Option<Self> {
        let answer = lnet.answer.as_ref().ok()?;
        let nets = || answer.nets.iter().filter(|n| n.name != "lo");
        let nis: Vec<&LnetNi> = nets().filter(|n| n.name == net).flat_map(|n| &n.nis).collect();
        if nis.is_empty() {
            return None;
        }
        let all = || nets().flat_map(|n| &n.nis);
        Some(Self {
            net: Text::new(net),
            order: Order::of(all(), lnet.version.as_deref().ok()),
            nis: nis.into_iter().map(|ni| candidate(ni, lnet)).collect(),
            numa: Numa::of(lnet, host, all()),
        })
    }

    /// The place of a NID among the NIs.
    pub fn place(&self, nid: &str) -> Option<usize> {
        self.nis.iter().position(|ni| ni.nid == nid)
    }

    /// What LNet compares for a message whose memory is on that CPT; lower wins. Of a criterion
    /// that does not tell NIs apart by a value there is none.
    pub fn ranks(&self, criterion: Criterion, from: u32) -> Option<Vec<Reading<i64>>> {
        let of = |rank: &dyn Fn(&Candidate) -> Reading<i64>| self.nis.iter().map(rank).collect();
        Some(match criterion {
            Criterion::Fatal => of(&|ni| known(&ni.fatal, |fatal| i64::from(*fatal))),
            Criterion::Health => of(&|ni| known(&ni.health, |health| -i64::from(*health))),
            Criterion::Udsp => of(&|ni| known(&ni.priority, |p| priority_rank(*p))),
            Criterion::Numa => self.numa.ranks(from, &self.nis),
            Criterion::Credits => of(&|ni| known(&ni.credits, |credits| -credits)),
            _ => return None,
        })
    }

    /// The race for messages whose memory is on that CPT, over all criteria.
    pub fn race(&self, from: u32) -> Race {
        self.race_over(self.order.criteria(), from)
    }

    /// The same, over those that do not change with every message.
    pub fn lasting_race(&self, from: u32) -> Race {
        let lasting = |c: &&Criterion| !matches!(c, Criterion::Credits | Criterion::RoundRobin);
        let lasting: Vec<Criterion> =
            self.order.criteria().iter().filter(lasting).copied().collect();
        self.race_over(&lasting, from)
    }

    fn race_over(&self, criteria: &[Criterion], from: u32) -> Race {
        let ranked = criteria.iter().filter_map(|c| Some((*c, self.ranks(*c, from)?)));
        race(self.nis.len(), &ranked.collect::<Vec<_>>())
    }

    /// What the lasting criteria say of one NI.
    pub fn fate(&self, ni: usize) -> Fate {
        if self.nis.len() <= 1 {
            return Fate::Alone;
        }
        let races: Vec<(u32, Race)> =
            self.numa.cpts.iter().map(|cpt| (*cpt, self.lasting_race(*cpt))).collect();
        let won = |r: &Race| r.stopped.is_none() && r.left.contains(&ni);
        if let Some((criterion, why)) =
            races.iter().filter(|(_, r)| r.left.contains(&ni)).find_map(|(_, r)| r.stopped.clone())
        {
            return Fate::Unknown(criterion, why);
        }
        let cpts: Vec<u32> = races.iter().filter(|(_, r)| won(r)).map(|(cpt, _)| *cpt).collect();
        let mut rivals: Vec<usize> = races.iter().flat_map(|(_, r)| r.left.clone()).collect();
        rivals.sort_unstable();
        rivals.dedup();
        rivals.retain(|rival| *rival != ni);
        if cpts.len() == races.len() {
            return Fate::InTurn(rivals);
        }
        if !cpts.is_empty() {
            return Fate::Nearest(cpts);
        }
        let out = races.iter().filter_map(|(_, r)| r.out(ni)).max();
        Fate::Never(out.unwrap_or(Criterion::Numa), rivals)
    }

    /// By which lasting criterion LNet takes `better` and leaves `ni`; that of distance, where
    /// this is so for messages of some CPT. `None`: by none, or it cannot be told.
    pub fn preferred_by(&self, better: usize, ni: usize) -> Option<Criterion> {
        for criterion in self.order.criteria() {
            let mut told = false;
            for from in &self.numa.cpts {
                let Some(ranks) = self.ranks(*criterion, *from) else { break };
                let (Some(Ok(a)), Some(Ok(b))) = (ranks.get(better), ranks.get(ni)) else {
                    return None;
                };
                match a.cmp(b) {
                    std::cmp::Ordering::Less => return Some(*criterion),
                    std::cmp::Ordering::Greater => told = true,
                    std::cmp::Ordering::Equal => {}
                }
            }
            if told || *criterion == Criterion::Numa {
                return None;
            }
        }
        None
    }
}

fn candidate(ni: &LnetNi, lnet: &Lnet) -> Candidate {
    Candidate {
        nid: ni.nid.clone(),
        fatal: known(&ni.fatal_error, |fatal| *fatal != 0),
        health: ni.health.clone(),
        priority: priority(ni, lnet),
        dev_cpt: ni.dev_cpt.clone(),
        credits: credits::free(lnet, &ni.nid),
    }
}

/// Level 4 prints it; where that was not asked for, no rule gives none.
fn priority(ni: &LnetNi, lnet: &Lnet) -> Reading<i64> {
    let printed = ni.number("udsp info/nid priority");
    let rules = lnet.more.udsp.as_ref().ok().map(|rules| rules.value.len());
    if printed.is_err() && rules == Some(0) { Ok(NO_PRIORITY) } else { printed }
}

fn known<T, U>(reading: &Reading<T>, map: impl FnOnce(&T) -> U) -> Reading<U> {
    reading.as_ref().map(map).map_err(Clone::clone)
}

/// No priority is the lowest there is (`LNET_MAX_SELECTION_PRIORITY`).
fn priority_rank(priority: i64) -> i64 {
    if priority <= NO_PRIORITY { i64::MAX } else { priority }
}

fn absent(what: &str) -> Unknown {
    Unknown::new(Why::Absent, what)
}
