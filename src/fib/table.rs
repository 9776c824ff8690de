//! Routes indexed for longest-prefix lookup, equals kept in the kernel's order.

use crate::sample::{Family, Route};
use std::collections::HashMap;
use std::net::IpAddr;

/// All tables of one family.
#[derive(Debug)]
pub(super) struct TableIndex<'a> {
    routes: &'a [Route],
    tables: HashMap<u32, Lengths>,
}

/// The routes of one table by prefix length, longest first; then by network.
#[derive(Debug, Default)]
struct Lengths(Vec<(u8, HashMap<u128, Vec<u32>>)>);

impl<'a> TableIndex<'a> {
    pub(super) fn new(routes: &'a [Route], family: Family) -> Self {
        let mut tables: HashMap<u32, Lengths> = HashMap::new();
        for (i, route) in routes.iter().enumerate().filter(|(_, r)| !r.cloned) {
            if route.dst.family() != family {
                continue;
            }
            let lengths = &mut tables.entry(route.table).or_default().0;
            let at = match lengths.binary_search_by(|(len, _)| route.dst.len.cmp(len)) {
                Ok(at) => at,
                Err(at) => {
                    lengths.insert(at, (route.dst.len, HashMap::new()));
                    at
                }
            };
            lengths[at].1.entry(masked(route.dst.addr, route.dst.len)).or_default().push(i as u32);
        }
        for lengths in tables.values_mut() {
            for equals in lengths.0.iter_mut().flat_map(|(_, networks)| networks.values_mut()) {
                if equals.len() > 1 {
                    // Stable: the dump order decides among equals.
                    equals.sort_by_key(|&i| order(&routes[i as usize], family));
                }
            }
        }
        Self { routes, tables }
    }

    /// The route of that place in the dump.
    pub(super) fn get(&self, index: usize) -> Option<&'a Route> {
        self.routes.get(index)
    }

    /// Candidates for a destination, best first; the list of one prefix at a time.
    pub(super) fn candidates(
        &self,
        table: u32,
        dst: IpAddr,
    ) -> impl Iterator<Item = impl Iterator<Item = (usize, &'a Route)>> {
        self.tables.get(&table).into_iter().flat_map(|lengths| &lengths.0).filter_map(
            move |(len, networks)| {
                let equals = networks.get(&masked(dst, *len))?;
                Some(equals.iter().map(|&i| (i as usize, &self.routes[i as usize])))
            },
        )
    }

    /// Every route of a table, longest prefix first.
    pub(super) fn routes_of(&self, table: u32) -> Vec<&'a Route> {
        let mut all: Vec<(u8, u32)> = self
            .tables
            .get(&table)
            .into_iter()
            .flat_map(|lengths| &lengths.0)
            .flat_map(|(len, networks)| networks.values().flatten().map(move |&i| (*len, i)))
            .collect();
        all.sort_by_key(|&(len, i)| (std::cmp::Reverse(len), i));
        all.into_iter().map(|(_, i)| &self.routes[i as usize]).collect()
    }
}

/// Order among routes of one prefix. IPv4: tos descending, then metric (`fib_insert_alias`);
/// IPv6: source prefix descending (its own subtree), then metric.
fn order(route: &Route, family: Family) -> (u8, u32) {
    match family {
        Family::Inet => (u8::MAX - route.tos, route.metric),
        Family::Inet6 => (u8::MAX - route.src.map_or(0, |s| s.len), route.metric),
    }
}

/// The network bits of an address as one number.
fn masked(addr: IpAddr, len: u8) -> u128 {
    let (bits, width) = match addr {
        IpAddr::V4(a) => (u128::from(a.to_bits()), 32),
        IpAddr::V6(a) => (a.to_bits(), 128),
    };
    let shift = width - u32::from(len).min(width);
    bits.checked_shr(shift).unwrap_or(0)
}
