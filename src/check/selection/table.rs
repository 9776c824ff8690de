//! The criteria of LNet's choice with this node's values, one by one.

use super::words::noun;
use super::{Net, Scene};
use crate::check::view::RailView;
use crate::lnet::select::{Criterion, Race};
use crate::node::Node;
use crate::sample::{Reading, Text, Unknown, Why};

/// One criterion, for one NI of a rail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectionRung {
    /// The net.
    pub net: Text,
    /// The NI.
    pub nid: Text,
    /// The criterion, in the word of the machine contract.
    pub rung: &'static str,
    /// Whose order it is: `as in 2.15 and later`.
    pub order: &'static str,
    /// The criterion for people.
    pub name: &'static str,
    /// Its value for this NI; not applicable where LNet compares none.
    pub value: Reading<Text>,
    /// The others by value: names of their rails, where they are on one, and the value.
    pub others: Vec<(Text, Text)>,
    /// It is the one that decides for or against this NI.
    pub decides: bool,
    /// What it does.
    pub detail: Text,
}

pub(super) fn of(scene: &Scene<'_>, view: &RailView<'_>) -> Vec<SelectionRung> {
    let nis = view.rail.lnet.iter().filter_map(|ni| scene.place(ni));
    nis.flat_map(|(net, place)| Sheet::new(scene.node, net, place).rungs()).collect()
}

/// All races of one NI.
struct Sheet<'a, 'n> {
    node: &'a Node,
    net: &'a Net<'n>,
    own: usize,
    races: Vec<(u32, Race)>,
}

impl<'a, 'n> Sheet<'a, 'n> {
    fn new(node: &'a Node, net: &'a Net<'n>, own: usize) -> Self {
        let cpts = net.contest.numa.cpts.iter();
        let races = cpts.map(|cpt| (*cpt, net.contest.race(*cpt))).collect();
        Self { node, net, own, races }
    }

    fn rungs(&self) -> Vec<SelectionRung> {
        let mut rungs: Vec<SelectionRung> = self.of_net().into_iter().collect();
        rungs.extend(self.of_peers());
        let before = rungs.iter().any(|rung| rung.decides);
        let decides = self.decides().filter(|_| !before);
        rungs.extend(self.net.contest.order.criteria().iter().map(|criterion| {
            let decides = decides == Some(*criterion);
            let detail = self.detail(*criterion, decides);
            let with = self.compared(*criterion);
            let value = |place| match &with {
                Some(with) if !with.contains(&place) => Err(not_compared()),
                _ => self.value(*criterion, place),
            };
            self.rung(criterion.word(), noun(*criterion), &value, decides, detail)
        }));
        rungs
    }

    fn rung(
        &self,
        rung: &'static str,
        name: &'static str,
        value: &dyn Fn(usize) -> Reading<String>,
        decides: bool,
        detail: String,
    ) -> SelectionRung {
        let mut others: Vec<(Vec<usize>, String)> = Vec::new();
        for place in (0..self.net.contest.nis.len()).filter(|place| *place != self.own) {
            let value = value(place);
            if value.as_ref().is_err_and(|unknown| unknown.why == Why::NotApplicable) {
                continue;
            }
            let text = told(&value);
            match others.iter_mut().find(|(_, known)| *known == text) {
                Some((places, _)) => places.push(place),
                None => others.push((vec![place], text)),
            }
        }
        let nid = self.net.contest.nis.get(self.own).map(|ni| ni.nid.clone());
        SelectionRung {
            net: self.net.contest.net.clone(),
            nid: nid.unwrap_or_default(),
            rung,
            order: self.net.contest.order.words(),
            name,
            value: value(self.own).map(Text::from),
            others: others
                .into_iter()
                .map(|(places, text)| (self.net.names(self.node, &places).into(), text.into()))
                .collect(),
            decides,
            detail: detail.into(),
        }
    }

    /// Which net comes first, where there is a choice.
    fn of_net(&self) -> Option<SelectionRung> {
        let standing = self.net.standing.as_ref()?;
        let peers = standing.peers;
        let beaten: usize = standing.beaten.iter().map(|(.., count)| count).sum();
        let all = self.net.binding.as_ref().is_some_and(|b| b.peers == beaten);
        let on = super::peers(peers);
        let detail = match standing.beaten.first() {
            Some((criterion, instead, count)) => {
                format!("{count} of {on} on several nets: {instead} by {}", noun(*criterion))
            }
            None if standing.alone == peers => format!("{on} on several nets: by this one"),
            None => format!("{on} on several nets: in turn"),
        };
        let name = self.net.contest.net.clone();
        let mut rung = self.rung("net", "net", &|_| Err(not_compared()), all && beaten > 0, detail);
        rung.value = Ok(name);
        Some(rung)
    }

    /// What peers leave to choose.
    fn of_peers(&self) -> Option<SelectionRung> {
        let binding = self.net.binding.as_ref().filter(|b| b.peers > 0)?;
        let nids = &self.net.contest.nis;
        let nid = |place: usize| nids.get(place).map_or("", |ni| ni.nid.as_str());
        let value = |place: usize| match binding.preferring {
            0 => Err(Unknown::new(Why::NotApplicable, "no peer names an NI")),
            n => Ok(format!("named by {} of {n}", binding.naming(nid(place)))),
        };
        let decides = nids.len() > 1 && binding.excludes(nid(self.own));
        Some(self.rung("peer", "peers", &value, decides, binding.words()))
    }

    /// The criterion that decides for or against it: that by which it falls out for messages of
    /// some memory, else the last that threw another one out, else the turns.
    fn decides(&self) -> Option<Criterion> {
        if self.net.contest.nis.len() <= 1 {
            return None;
        }
        let mut won: Vec<Option<Criterion>> = Vec::new();
        let mut lost: Vec<Criterion> = Vec::new();
        for (_, race) in &self.races {
            match race.out(self.own) {
                Some(criterion) => lost.push(criterion),
                None if race.stopped.is_some() => {}
                None if race.left.len() > 1 => won.push(Some(Criterion::RoundRobin)),
                None => won.push(race.last_difference()),
            }
        }
        let lasting = |c: &Criterion| *c < Criterion::Credits;
        lost.iter()
            .copied()
            .find(lasting)
            .or_else(|| won.iter().copied().flatten().max())
            .or_else(|| lost.first().copied())
    }

    /// Those whose values are compared with its own: who is out already is not. `None` where it
    /// is out itself.
    fn compared(&self, criterion: Criterion) -> Option<Vec<usize>> {
        let steps = self.races.iter().flat_map(|(_, race)| &race.steps);
        let reached = steps.filter(|s| s.criterion == criterion && s.before.contains(&self.own));
        let mut with: Vec<usize> = reached.flat_map(|step| step.before.iter().copied()).collect();
        for (_, race) in &self.races {
            let here = race.stopped.as_ref().is_some_and(|(at, _)| *at == criterion);
            if here && race.left.contains(&self.own) {
                with.extend(&race.left);
            }
        }
        (!with.is_empty()).then_some(with)
    }

    fn value(&self, criterion: Criterion, place: usize) -> Reading<String> {
        let ni = self.net.contest.nis.get(place).ok_or_else(not_compared)?;
        match criterion {
            Criterion::Fatal => words(&ni.fatal, |fatal| u8::from(*fatal).to_string()),
            Criterion::Health => words(&ni.health, ToString::to_string),
            Criterion::Udsp => words(&ni.priority, |priority| match priority {
                ..0 => "none".into(),
                priority => priority.to_string(),
            }),
            Criterion::Numa => words(&ni.dev_cpt, |cpt| self.distances(*cpt)),
            Criterion::Credits => words(&ni.credits, ToString::to_string),
            _ => Err(not_compared()),
        }
    }

    /// `node 1 (21 from 0)`: the CPT of the device, and how far it is from memory elsewhere.
    fn distances(&self, cpt: i32) -> String {
        let numa = &self.net.contest.numa;
        let place = if cpt < 0 { "no node".to_owned() } else { format!("node {cpt}") };
        let elsewhere = numa.cpts.iter().filter(|from| i32::try_from(**from) != Ok(cpt));
        let far: Vec<String> = elsewhere
            .filter_map(|from| Some(format!("{} from {from}", numa.distance(*from, cpt).ok()?)))
            .collect();
        match far.len() {
            0 => place,
            1..=3 => format!("{place} ({})", far.join(", ")),
            _ => format!("{place} ({}, …)", far.get(..3).unwrap_or_default().join(", ")),
        }
    }

    fn detail(&self, criterion: Criterion, decides: bool) -> String {
        let range = || {
            let range = self.net.contest.numa.range.as_ref();
            range.map_or_else(
                |why| format!("numa_range not known: {why}"),
                |r| format!("numa_range {r}"),
            )
        };
        match criterion {
            Criterion::Device => return "only for memory of a GPU".into(),
            Criterion::RoundRobin if decides => return "takes turns".into(),
            Criterion::RoundRobin => return "only among what is equal in all".into(),
            _ => {}
        }
        let step = |race: &Race| race.steps.iter().position(|s| s.criterion == criterion);
        let stopped = self.races.iter().find_map(|(_, race)| {
            race.stopped.as_ref().filter(|(at, _)| *at == criterion).map(|(_, why)| why)
        });
        if let Some(why) = stopped {
            return why.to_string();
        }
        let mut parts: Vec<String> = Vec::new();
        for (cpt, race) in &self.races {
            let Some(step) = step(race).and_then(|at| race.steps.get(at)) else { continue };
            let fell: Vec<usize> =
                step.before.iter().filter(|p| !step.after.contains(p)).copied().collect();
            let words = if !step.before.contains(&self.own) || fell.is_empty() {
                continue;
            } else if fell.contains(&self.own) {
                format!("takes {}", self.net.names(self.node, &step.after))
            } else {
                format!("takes this, not {}", self.net.names(self.node, &fell))
            };
            let words = match criterion {
                Criterion::Numa => format!("memory of node {cpt}: {words}"),
                _ => words,
            };
            if !parts.contains(&words) {
                parts.push(words);
            }
        }
        let reached = self.races.iter().any(|(_, race)| {
            step(race)
                .and_then(|at| race.steps.get(at))
                .is_some_and(|s| s.before.contains(&self.own))
        });
        let mut words = match (reached, parts.is_empty()) {
            (false, _) => "not reached".to_owned(),
            (true, true) => "equal".to_owned(),
            (true, false) => parts.join("; "),
        };
        match criterion {
            Criterion::Numa => words = format!("{words}; {}", range()),
            Criterion::Credits if reached => words.push_str(" now"),
            _ => {}
        }
        words
    }
}

fn not_compared() -> Unknown {
    Unknown::new(Why::NotApplicable, "LNet compares no value of NIs")
}

fn words<T>(reading: &Reading<T>, words: impl Fn(&T) -> String) -> Reading<String> {
    reading.as_ref().map(words).map_err(Clone::clone)
}

/// A value for people.
fn told(value: &Reading<String>) -> String {
    match value {
        Ok(value) => value.clone(),
        Err(unknown) if unknown.why == Why::NotApplicable => "–".to_owned(),
        Err(_) => "not known".to_owned(),
    }
}

impl SelectionRung {
    /// Its value for people.
    pub fn told(&self) -> String {
        told(&self.value.as_ref().map(ToString::to_string).map_err(Clone::clone))
    }
}
