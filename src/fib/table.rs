//! Routes indexed for longest-prefix lookup, equals kept in the kernel's order.

use crate::sample::{Family, Prefix, Route};
use std::collections::HashMap;
use std::net::IpAddr;
use std::ops::Range;

/// All tables of one family: keys sorted by table, prefix length, network and the order in which
/// the kernel tries equals.
#[derive(Debug)]
pub(super) struct TableIndex<'a> {
    routes: &'a [Route],
    keys: Vec<Key>,
    /// The networks of the keys alone: the search stays in few cache lines.
    networks: Vec<u128>,
    tables: HashMap<u32, Vec<Level>>,
}

/// The routes of one prefix length.
#[derive(Debug)]
struct Level {
    len: u8,
    keys: Range<usize>,
}

/// Place of a route; the order of the fields is the order of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    table: u32,
    /// 255 − length: longer prefixes first.
    shortness: u8,
    pub(super) network: u128,
    rank: Rank,
    /// Place in the dump, which is the order of insertion.
    route: u32,
}

/// Order among routes of one prefix. IPv4: tos descending, then metric (`fib_insert_alias`).
/// IPv6: longer source prefixes first (their own subtrees), then metric (`fib6_add_rt2node`).
type Rank = (u8, u128, u32);

impl<'a> TableIndex<'a> {
    pub(super) fn new(routes: &'a [Route], family: Family) -> Self {
        let mut keys: Vec<Key> = routes
            .iter()
            .zip(0u32..)
            .filter(|(route, _)| !route.cloned && route.dst.family() == family)
            .map(|(route, place)| Key {
                table: route.table,
                shortness: u8::MAX - route.dst.len,
                network: masked(route.dst.addr, route.dst.len),
                rank: rank(route, family),
                route: place,
            })
            .collect();
        keys.sort_unstable();
        let mut tables: HashMap<u32, Vec<Level>> = HashMap::new();
        let mut start = 0;
        for level in keys.chunk_by(|a, b| (a.table, a.shortness) == (b.table, b.shortness)) {
            let end = start + level.len();
            if let Some(key) = level.first() {
                let level = Level { len: u8::MAX - key.shortness, keys: start..end };
                tables.entry(key.table).or_default().push(level);
            }
            start = end;
        }
        let networks = keys.iter().map(|key| key.network).collect();
        Self { routes, keys, networks, tables }
    }

    /// The route of that place in the dump.
    pub(super) fn get(&self, index: usize) -> Option<&'a Route> {
        self.routes.get(index)
    }

    /// The route of a key, with its place.
    pub(super) fn entry(&self, key: &Key) -> (usize, &'a Route) {
        (key.route as usize, &self.routes[key.route as usize])
    }

    /// The routes that cover a destination, by prefix, longest first. Equal prefixes of several
    /// tables come in the order of the tables.
    pub(super) fn candidates(&self, tables: &[u32], dst: IpAddr) -> impl Iterator<Item = &[Key]> {
        let levels = tables.iter().filter_map(|table| self.tables.get(table));
        let mut levels: Vec<&Level> = levels.flatten().collect();
        if tables.len() > 1 {
            levels.sort_by_key(|level| u8::MAX - level.len);
        }
        levels.into_iter().filter_map(move |level| self.equals(level, dst))
    }

    fn equals(&self, level: &Level, dst: IpAddr) -> Option<&[Key]> {
        let network = masked(dst, level.len);
        let networks = self.networks.get(level.keys.clone())?;
        let start = networks.partition_point(|other| *other < network);
        let count = networks.get(start..)?.iter().take_while(|other| **other == network).count();
        let start = level.keys.start + start;
        self.keys.get(start..start + count).filter(|equals| !equals.is_empty())
    }

    /// Is there a route inside of `prefix`, with a longer one?
    pub(super) fn has_longer(&self, table: u32, prefix: &Prefix) -> bool {
        let levels = self.tables.get(&table).map_or(&[][..], Vec::as_slice);
        levels.iter().filter(|level| level.len > prefix.len).any(|level| {
            let keys = self.keys.get(level.keys.clone()).unwrap_or_default();
            let at = keys.partition_point(|key| key.network < masked(prefix.addr, prefix.len));
            keys.get(at).is_some_and(|key| prefix.contains(self.entry(key).1.dst.addr))
        })
    }

    /// Every route of a table, longest prefix first.
    pub(super) fn routes_of(&self, table: u32) -> Vec<&'a Route> {
        let levels = self.tables.get(&table).map_or(&[][..], Vec::as_slice);
        let keys = levels.iter().filter_map(|level| self.keys.get(level.keys.clone())).flatten();
        keys.map(|key| self.entry(key).1).collect()
    }
}

fn rank(route: &Route, family: Family) -> Rank {
    match family {
        Family::Inet => (u8::MAX - route.tos, 0, route.metric),
        Family::Inet6 => {
            let (len, network) = route.src.map_or((0, 0), |s| (s.len, masked(s.addr, s.len)));
            (u8::MAX - len, network, route.metric)
        }
    }
}

/// The network of an address as a number: the host bits are zero.
pub(super) fn masked(addr: IpAddr, len: u8) -> u128 {
    let (bits, width) = match addr {
        IpAddr::V4(a) => (u128::from(a.to_bits()), 32),
        IpAddr::V6(a) => (a.to_bits(), 128),
    };
    let shift = width - u32::from(len).min(width);
    bits.checked_shr(shift).and_then(|b| b.checked_shl(shift)).unwrap_or(0)
}

impl Key {
    /// Are both routes for the same prefix of the same table?
    pub(super) fn same_prefix(&self, other: &Key) -> bool {
        (self.table, self.shortness, self.network) == (other.table, other.shortness, other.network)
    }

    /// Are both routes for the same source prefix (or for every source)?
    pub(super) fn same_source(&self, other: &Key) -> bool {
        (self.rank.0, self.rank.1) == (other.rank.0, other.rank.1)
    }

    /// Length of the source prefix of an IPv6 route.
    pub(super) fn source_len(&self) -> u8 {
        u8::MAX - self.rank.0
    }
}
