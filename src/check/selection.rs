//! LNet's health of a rail, its choice among the rails of a net, and what follows from both.

mod binding;
mod health;
mod load;
mod table;
mod uneven;
mod words;

#[cfg(test)]
mod tests;

pub use table::SelectionRung;

use super::catalogue::lnet::{LNET_QUEUE_TIMEOUTS, NI_ADDRESS_LOST, NI_DOWN};
use super::fold::Found;
use super::view::RailView;
use super::{AddressRoute, Finding, Layer, Severity, Verdict};
use crate::lnet::select::{Contest, Standing, standing};
use crate::node::{Node, RailNi};
use binding::Binding;

/// Every net of LNet that is on a rail, with what its choice hangs on.
pub(super) struct Scene<'a> {
    node: &'a Node,
    nets: Vec<Net<'a>>,
}

/// One net.
struct Net<'a> {
    contest: Contest,
    /// Against the other nets of this node; `None` where no peer is on another one too.
    standing: Option<Standing>,
    /// What its peers leave to choose; `None` where the peers are not known.
    binding: Option<Binding>,
    /// For each NI of the contest: the rail it is on. An NI of a bond is on several: on none here.
    members: Vec<Option<Member<'a>>>,
}

/// An NI on a rail.
#[derive(Clone, Copy)]
struct Member<'a> {
    rail: usize,
    ni: &'a RailNi,
}

impl<'a> Scene<'a> {
    pub(super) fn of(node: &'a Node) -> Self {
        let mut names: Vec<&str> =
            node.rails.iter().flat_map(|r| &r.lnet).map(|ni| ni.net.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        Self { node, nets: names.into_iter().filter_map(|name| Net::of(node, name)).collect() }
    }

    /// The net and place of an NI.
    fn place(&self, ni: &RailNi) -> Option<(&Net<'a>, usize)> {
        let net = self.nets.iter().find(|net| net.contest.net == ni.net)?;
        Some((net, net.contest.place(&ni.ni.nid)?))
    }
}

impl<'a> Net<'a> {
    fn of(node: &'a Node, name: &str) -> Option<Self> {
        let contest = Contest::of(&node.lnet, &node.host, name)?;
        let member = |nid: &str| {
            let mut on = node.rails.iter().enumerate().flat_map(|(rail, r)| {
                let own = r.lnet.iter().filter(move |ni| ni.ni.nid == nid);
                own.map(move |ni| Member { rail, ni })
            });
            on.next().filter(|_| on.next().is_none())
        };
        let members = contest.nis.iter().map(|ni| member(&ni.nid)).collect();
        Some(Self {
            standing: standing(&node.lnet, contest.order, name),
            binding: Binding::of(&node.lnet, name),
            members,
            contest,
        })
    }

    /// What an NI is called: by its rail, else by its NID.
    fn name(&self, node: &'a Node, place: usize) -> &str {
        let rail = self.members.get(place).copied().flatten();
        match rail.and_then(|member| node.rails.get(member.rail)) {
            Some(rail) => rail.name.as_str(),
            None => self.contest.nis.get(place).map_or("?", |ni| ni.nid.as_str()),
        }
    }

    /// Their names as one would say them: `ib0, ib1 and ib2`.
    fn names(&self, node: &'a Node, places: &[usize]) -> String {
        said(&places.iter().map(|place| self.name(node, *place)).collect::<Vec<_>>())
    }
}

/// `1 peer`, `2 peers`.
fn peers(count: usize) -> String {
    format!("{count} peer{}", if count == 1 { "" } else { "s" })
}

/// `a`, `a and b`, `a, b and c`; beyond four, the first three and how many more.
fn said(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first, second, third, rest @ ..] if rest.len() > 1 => {
            format!("{first}, {second}, {third} and {} more", rest.len())
        }
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

/// What the health rung of a rail says before findings decide.
pub(super) fn health_rung(scene: &Scene<'_>, view: &RailView<'_>) -> (Verdict, String) {
    health::rung(scene, view)
}

/// What the selection rung of a rail says before findings decide.
pub(super) fn selection_rung(scene: &Scene<'_>, view: &RailView<'_>) -> (Verdict, String) {
    words::rung(scene, view)
}

/// The criteria of LNet's choice with their values, for each NI of a rail.
pub(super) fn table(scene: &Scene<'_>, view: &RailView<'_>) -> Vec<SelectionRung> {
    table::of(scene, view)
}

/// All findings.
pub(super) fn found(scene: &Scene<'_>, views: &[RailView<'_>], known: &Known<'_>) -> Vec<Found> {
    let mut found = health::of_rails(scene, views, known);
    found.extend(health::of_peers(scene));
    found.extend(uneven::find(scene, views, known));
    found
}

/// What links and routes were found to be, which these findings may follow from.
pub(super) struct Known<'k> {
    pub(super) found: &'k [Found],
    pub(super) routes: &'k [AddressRoute],
}

impl Known<'_> {
    /// The root of the first finding of a rail that is a warning or worse and fits.
    fn root(&self, rail: usize, fits: impl Fn(&Finding) -> bool) -> Option<&'static str> {
        let mut own = self.found.iter().filter(|f| f.rails.contains(&rail)).map(|f| &f.finding);
        let root = own.find(|f| f.severity > Severity::Note && fits(f));
        root.map(|f| f.caused_by.unwrap_or(f.id))
    }

    /// LNet itself says that link or address of its NI is gone, or that its queues are full.
    fn ni_down(&self, rail: usize) -> Option<&'static str> {
        self.root(rail, |f| matches!(f.id, NI_DOWN | NI_ADDRESS_LOST | LNET_QUEUE_TIMEOUTS))
    }

    /// Packets of the rail take another way, or peers send theirs elsewhere. That routes will be
    /// lost, or could be better, does not count.
    fn routing(&self, rail: usize) -> Option<&'static str> {
        let astray = self.routes.iter().filter(|r| r.rail == rail).any(|route| {
            route.leaves_by.as_ref().is_ok_and(|device| *device != route.address.interface)
        });
        let leaves = |f: &Finding| (Layer::Address..=Layer::Table).contains(&f.layer);
        self.root(rail, |f| f.layer == Layer::Neighbour || astray && leaves(f))
    }
}
