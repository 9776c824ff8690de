//! What a decision is made of.

use super::rule::Miss;
use crate::sample::{RouteKind, Unknown};
use std::net::IpAddr;

/// One way out of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Device; `None` only for next hops whose device the dump does not name.
    pub ifindex: Option<u32>,
    /// Gateway, if any.
    pub gateway: Option<IpAddr>,
}

/// What the kernel would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It sends by one of these hops: one, unless it chooses by hash or by neighbour state.
    Send {
        /// Table of the route.
        table: u32,
        /// Preference of the rule that led there.
        preference: u32,
        /// Index of the route in the dump of its family.
        route: usize,
        /// The hops it may take.
        hops: Vec<Hop>,
        /// Source address an unbound socket would get from the route.
        prefsrc: Option<IpAddr>,
    },
    /// The destination is this host (or a broadcast, anycast or multicast route).
    Local {
        /// Table of the route.
        table: u32,
        /// Preference of the rule.
        preference: u32,
        /// Index of the route.
        route: usize,
        /// Type of the route.
        kind: RouteKind,
    },
    /// It refuses, with this errno.
    Refuse {
        /// `EHOSTUNREACH`, `EACCES`, `EINVAL`, `ENETUNREACH`, `ENODEV`.
        errno: &'static str,
        /// Preference of the rule that decided; `None` when no rule led anywhere.
        preference: Option<u32>,
        /// The reject route, if one decided.
        route: Option<usize>,
    },
    /// No route was asked or found, and the kernel assumes that the destination is on-link: the
    /// socket is bound to this device, or sends to all on the link.
    OnLink {
        /// That device.
        ifindex: u32,
    },
    /// The source is no address of this host: the kernel refuses
    /// (ENETUNREACH; EINVAL for a multicast address).
    SourceNotLocal,
    /// Not decidable from what was read.
    Unknown(Unknown),
}

impl Outcome {
    /// The only device the packet can leave by, if there is just one.
    pub fn device(&self) -> Option<u32> {
        match self {
            Outcome::Send { hops, .. } => {
                let first = hops.first()?.ifindex;
                hops.iter().all(|h| h.ifindex == first).then_some(first).flatten()
            }
            Outcome::OnLink { ifindex } => Some(*ifindex),
            _ => None,
        }
    }

    /// Is it the same for the packet, whichever rule decided?
    fn leads_as(&self, other: &Outcome) -> bool {
        match (self, other) {
            (Outcome::Send { route: a, hops: by, .. }, Outcome::Send { route: b, hops, .. }) => {
                a == b && by == hops
            }
            (Outcome::Local { route: a, .. }, Outcome::Local { route: b, .. }) => a == b,
            (Outcome::Refuse { errno: a, .. }, Outcome::Refuse { errno: b, .. }) => a == b,
            _ => self == other,
        }
    }

    /// Every device the packet may leave by.
    pub fn devices(&self) -> Vec<u32> {
        match self {
            Outcome::Send { hops, .. } => hops.iter().filter_map(|h| h.ifindex).collect(),
            Outcome::OnLink { ifindex } => vec![*ifindex],
            _ => Vec::new(),
        }
    }
}

/// Why a route of a table was or was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It decides.
    Yes,
    /// Another type of service.
    OtherTos,
    /// The next hop is dead.
    Dead,
    /// No carrier, and the device ignores routes without one.
    LinkDown,
    /// The socket is bound to another device.
    OtherDevice,
    /// An IPv6 source-specific route for another source.
    OtherSource,
    /// IPv6: a source-specific route of the same prefix, for another source, hides it.
    Hidden,
    /// IPv6: the gateway does not answer, and another route's may.
    GatewayFailed,
    /// IPv6: its lifetime is over.
    Expired,
    /// A throw route: the table ends here.
    Throw,
    /// The group's next hops are unknown or gone.
    NoNextHop,
    /// IPv4: a next-hop object of the same network failed, and the kernel looks no further there.
    Skipped,
    /// Better ones decide (same prefix, later or worse metric).
    Later,
}

/// One route that was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tried {
    /// Index in the dump of the family.
    pub route: usize,
    /// What came of it.
    pub taken: Taken,
}

/// What a rule did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// It does not select the packet.
    Miss(Miss),
    /// It was looked up.
    Lookup {
        /// The table.
        table: u32,
        /// The routes that cover the destination, in the order in which they were tried.
        tried: Vec<Tried>,
        /// One of them decided.
        found: bool,
    },
    /// A route was found and thrown away: its prefix is not longer than this.
    Suppressed {
        /// The table.
        table: u32,
        /// `suppress_prefixlength`.
        prefix_len: u32,
        /// The route.
        route: usize,
    },
    /// The walk goes on at that preference.
    Goto(u32),
    /// The target does not exist: the rule is ignored.
    GotoNowhere(u32),
    /// `nop`.
    Nothing,
    /// It refuses.
    Refuse(&'static str),
    /// It has a selector that is not known here: it may match.
    MayMatch,
}

/// One rule of the walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Index in the rules of the family.
    pub rule: usize,
    /// Its preference.
    pub preference: u32,
    /// What it did.
    pub verb: Verb,
}

/// Another outcome that cannot be excluded, and the rule it hangs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alternative {
    /// Index of the rule of which it is not known whether it matches or suppresses.
    pub rule: usize,
    /// What would happen in the less likely case.
    pub outcome: Outcome,
}

/// The decision and how it came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What the kernel would do.
    pub outcome: Outcome,
    /// The rules in the order in which they were asked.
    pub steps: Vec<Step>,
    /// What else may happen; empty when the decision is certain.
    pub alternatives: Vec<Alternative>,
}

impl Decision {
    /// A decision that no rule was asked for.
    pub(super) fn plain(outcome: Outcome) -> Self {
        Self { outcome, steps: Vec::new(), alternatives: Vec::new() }
    }

    /// Adds what else may happen, unless it is told already.
    pub(super) fn or(&mut self, other: Alternative) {
        if !other.outcome.leads_as(&self.outcome) && !self.alternatives.contains(&other) {
            self.alternatives.push(other);
        }
    }
}
