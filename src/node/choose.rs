//! Which ports are rails.

use super::candidate::{Candidate, Class};
use super::{NotShown, Settings};
use crate::pattern;
use crate::sample::Text;
use glob::Pattern;
use std::collections::{BTreeSet, HashMap, HashSet};

/// The globs of the user.
#[derive(Clone, Debug, Default)]
pub(super) struct Patterns {
    list: Vec<(String, Option<Pattern>)>,
}

impl Patterns {
    pub(super) fn new(patterns: &[String]) -> Self {
        let both = |p: &String| (p.clone(), pattern::parse(p).ok());
        Self { list: patterns.iter().map(both).collect() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|(text, _)| text.as_str())
    }

    /// Places of the patterns that match one of the names.
    fn matching<'a>(&'a self, names: &'a [Text]) -> impl Iterator<Item = usize> + 'a {
        let hit = |(text, glob): &(String, Option<Pattern>)| {
            names
                .iter()
                .any(|n| n == text.as_str() || glob.as_ref().is_some_and(|g| g.matches(n.as_str())))
        };
        self.list.iter().enumerate().filter(move |(_, p)| hit(p)).map(|(i, _)| i)
    }

    pub(super) fn is_match(&self, names: &[Text]) -> bool {
        self.matching(names).next().is_some()
    }
}

/// Why the rails are the rails they are; a later one replaces an earlier one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mode {
    /// Nothing found.
    #[default]
    Nothing,
    /// Physical NICs, for want of better.
    Nics,
    /// Ports that LNet uses.
    Lnet,
    /// InfiniBand, and what LNet uses beside it.
    InfiniBand,
    /// What `--rail` names.
    Named,
}

/// The rails and what is said about the choice.
#[derive(Debug, Default)]
pub(super) struct Choice {
    pub mode: Mode,
    /// Places among the candidates, in order.
    pub rails: Vec<usize>,
    pub not_shown: Vec<NotShown>,
    pub note: Option<Text>,
    /// Include patterns that match nothing, by place.
    pub unmatched: BTreeSet<usize>,
}

/// Chooses. A rail stays one while its kind of choice stays the same; `known` are their ids.
pub(super) fn choose(
    all: &[Candidate],
    include: &Patterns,
    exclude: &Patterns,
    before: Mode,
    known: &HashSet<Text>,
) -> Choice {
    if !include.is_empty() {
        return named(all, include, exclude);
    }
    let ports = |c: &&Candidate| c.class == Class::InfiniBand && !c.plane && !c.is_folded();
    let functions = all.iter().filter(ports).any(|c| !c.vf);
    let infiniband = all.iter().filter(ports).any(|_| true);
    let real = |c: &Candidate| c.physical || c.slot.port.is_some();
    let lnet = |c: &Candidate| c.lnet && real(c) && !c.is_folded();
    let found = if infiniband {
        Mode::InfiniBand
    } else if all.iter().any(lnet) {
        Mode::Lnet
    } else if all.iter().any(is_nic) {
        Mode::Nics
    } else {
        Mode::Nothing
    };
    let mode = found.max(before);
    let nic_functions = all.iter().any(|c| is_nic(c) && !c.vf);
    let by_mode = |c: &Candidate| match mode {
        Mode::InfiniBand => (ports(&c) && (!c.vf || !functions)) || lnet(c),
        Mode::Lnet => lnet(c),
        Mode::Nics => is_nic(c) && (!c.vf || !nic_functions),
        Mode::Nothing | Mode::Named => false,
    };
    let stays = |c: &Candidate| mode == before && known.contains(&c.id) && !c.is_folded();
    let mut rails: Vec<usize> = Vec::new();
    let mut excluded = false;
    for (at, candidate) in all.iter().enumerate() {
        if by_mode(candidate) || stays(candidate) {
            if exclude.is_match(&candidate.names) {
                excluded = true;
            } else {
                rails.push(at);
            }
        }
    }
    let is_rail = |at: usize| rails.binary_search(&at).is_ok();
    let not_shown = not_shown(all, exclude, &is_rail);
    let note = if rails.is_empty() && known.is_empty() {
        Some(Text::from(format!("no rail found: {}", why_none(all, excluded))))
    } else {
        match mode {
            Mode::Nics => Some(Text::new("no InfiniBand here: physical NICs shown")),
            Mode::Lnet => Some(Text::new("no InfiniBand here: the ports that LNet uses")),
            Mode::InfiniBand if !functions && infiniband && all.iter().any(|c| c.vf) => {
                Some(Text::new("virtual functions only"))
            }
            _ => None,
        }
    };
    Choice { mode, rails, not_shown, note, unmatched: BTreeSet::new() }
}

/// A NIC of the last resort: hardware with a netdev, or an RDMA port that never has one (EFA).
fn is_nic(c: &Candidate) -> bool {
    let port_only = c.class == Class::Rdma && c.iface.is_none() && c.pci.is_some();
    (c.physical && c.iface.is_some() || port_only) && !c.is_folded() && !c.plane
}

/// Exactly what the patterns name; a child or bond only where its parent or members are not named.
fn named(all: &[Candidate], include: &Patterns, exclude: &Patterns) -> Choice {
    let mut unmatched: BTreeSet<usize> = (0..include.list.len()).collect();
    let mut hits = Vec::new();
    for (at, candidate) in all.iter().enumerate() {
        let mut hit = false;
        for pattern in include.matching(&candidate.names) {
            unmatched.remove(&pattern);
            hit = true;
        }
        if hit && !exclude.is_match(&candidate.names) {
            hits.push(at);
        }
    }
    let shown: HashSet<usize> = hits.iter().filter_map(|at| all.get(*at)?.iface).collect();
    hits.retain(|at| all.get(*at).is_some_and(|c| !c.within.iter().any(|w| shown.contains(w))));
    let note = hits.is_empty().then(|| {
        let wanted = include.texts().collect::<Vec<_>>().join(", ");
        Text::from(format!("no rail found: nothing here matches --rail {wanted}"))
    });
    Choice { mode: Mode::Named, rails: hits, not_shown: Vec::new(), note, unmatched }
}

fn why_none(all: &[Candidate], excluded: bool) -> String {
    if excluded {
        return "--exclude removes all of them".to_owned();
    }
    let names: Vec<&str> = all.iter().map(|c| c.name.as_str()).collect();
    match names.as_slice() {
        [] => "no interface but the loopback can be seen here".to_owned(),
        [first, ..] => format!(
            "only virtual interfaces here ({}): a container? --rail {first} shows one",
            shortened(&names)
        ),
    }
}

/// What could be a rail and is folded into a line.
fn not_shown(
    all: &[Candidate],
    exclude: &Patterns,
    is_rail: &dyn Fn(usize) -> bool,
) -> Vec<NotShown> {
    let kind = |c: &Candidate| match (c.slot.port.is_some(), c.class) {
        _ if c.plane => Some("unused port"),
        (true, _) | (false, Class::InfiniBand) if c.vf => Some("virtual function"),
        (true, Class::Rdma) => Some("RoCE port"),
        _ => None,
    };
    let mut folded: HashMap<&'static str, Vec<Text>> = HashMap::new();
    for (at, candidate) in all.iter().enumerate() {
        if !is_rail(at)
            && !exclude.is_match(&candidate.names)
            && let Some(what) = kind(candidate)
        {
            let name = candidate.slot.port_name.as_ref().unwrap_or(&candidate.name);
            folded.entry(what).or_default().push(name.clone());
        }
    }
    let order = ["RoCE port", "virtual function", "unused port"];
    order
        .into_iter()
        .filter_map(|what| {
            let names = folded.remove(what)?;
            let list: Vec<&str> = names.iter().map(Text::as_str).collect();
            let hint = Text::from(format!("--rail {}", shortened(&list)));
            Some(NotShown { what, names, hint })
        })
        .collect()
}

/// The first few, and a mark where there are more.
fn shortened(names: &[&str]) -> String {
    let more = if names.len() > 4 { ",…" } else { "" };
    format!("{}{more}", names.get(..4).unwrap_or(names).join(","))
}

/// Patterns of the settings.
pub(super) fn patterns(settings: &Settings) -> (Patterns, Patterns) {
    (Patterns::new(&settings.include), Patterns::new(&settings.exclude))
}
