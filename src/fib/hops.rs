//! The next hops of a route, its own or those of a next-hop object.

use super::Fib;
use super::outcome::{Hop, Taken};
use crate::sample::{Family, NextHop, Reading, Route, RouteKind, Unknown, Why};
use std::borrow::Cow;

impl From<&NextHop> for Hop {
    fn from(hop: &NextHop) -> Self {
        Self { ifindex: hop.ifindex, gateway: hop.gateway }
    }
}

impl Fib<'_> {
    /// All next hops of a route, dead ones too.
    pub(super) fn hops_of<'r>(&self, route: &'r Route) -> Reading<Cow<'r, [NextHop]>> {
        match route.nexthop_id {
            // With net.ipv4.nexthop_compat_mode (the default) the dump lists them beside the id.
            Some(id) if route.next_hops.is_empty() => self.object_hops(id).map(Cow::Owned),
            _ => Ok(Cow::Borrowed(&route.next_hops)),
        }
    }

    /// The hops of a next-hop object or group.
    fn object_hops(&self, id: u32) -> Reading<Vec<NextHop>> {
        let objects = self.nexthops.as_ref().map_err(Clone::clone)?;
        let object = |id| {
            objects.get(&id).ok_or_else(|| {
                Unknown::new(Why::Absent, format!("next-hop object {id} was not read"))
            })
        };
        let object_of = object(id)?;
        let members: Vec<_> = object_of.group.iter().map(|m| (m.id, m.weight)).collect();
        let members = if members.is_empty() { vec![(id, 1)] } else { members };
        let mut hops = Vec::with_capacity(members.len());
        for (id, weight) in members {
            // Groups do not nest (nh_check_attr_group).
            let object = object(id)?;
            let (ifindex, gateway, flags) = (object.ifindex, object.gateway, object.flags);
            if !object.blackhole {
                hops.push(NextHop { ifindex, gateway, weight, flags });
            }
        }
        Ok(hops)
    }

    /// Is the hop alive (`fib_lookup_good_nhc`, `find_match`)?
    pub(super) fn alive(&self, hop: &NextHop, family: Family) -> Result<(), Taken> {
        if hop.flags.linkdown && hop.ifindex.is_some_and(|i| self.ignores_linkdown(family, i)) {
            return Err(Taken::LinkDown);
        }
        if hop.flags.dead { Err(Taken::Dead) } else { Ok(()) }
    }
}

/// The error of a route that refuses (`fib_props`, `fib6_prop`).
pub(super) fn refusal(kind: RouteKind) -> Option<&'static str> {
    match kind {
        RouteKind::Unreachable => Some("EHOSTUNREACH"),
        RouteKind::Prohibit => Some("EACCES"),
        RouteKind::Blackhole | RouteKind::Other(_) => Some("EINVAL"),
        _ => None,
    }
}
