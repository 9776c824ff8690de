//! Random questions about a configuration.

use crate::config::{Pool, addr};
use crate::random::Random;
use railtop::fib::Query;
use railtop::sample::Prefix;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Destinations that are treated in a way of their own.
const ODD4: [&str; 5] = ["127.0.0.1", "127.3.4.5", "255.255.255.255", "224.0.0.5", "239.1.1.1"];
const ODD6: [&str; 3] = ["::1", "fe80::9:1", "fe80::1"];

/// A question; `devices` are the indices of the rails.
pub(crate) fn question(random: &mut Random, pool: &Pool, devices: &[u32]) -> Query {
    let mut query = Query::new(source(random, pool), destination(random, pool));
    if random.chance(25) {
        query.oif = Some(random.pick(devices));
    }
    if random.chance(20) {
        query.mark = random.pick(&[1, 7, 0x10, 0x1f, 0xf0]);
    }
    if random.chance(25) {
        query.tos = random.pick(&[0x10, 0x08, 0x04, 0x1c]);
    }
    query.uid = random.pick(&[0, 0, 1000, 1500, 3000]);
    // Without a protocol RTM_GETROUTE asks IPv4 for UDP, and IPv6 for none.
    if !pool.v6 || random.chance(40) {
        query.ip_proto = random.pick(&[6, 17, 17]);
        query.sport = random.pick(&[5, 900, 40000]);
        query.dport = random.pick(&[4791, 988, 80]);
    }
    query
}

fn destination(random: &mut Random, pool: &Pool) -> IpAddr {
    let parse = |text: &str| text.parse().expect("an address");
    match random.below(100) {
        0 => parse(if pool.v6 { random.pick(&ODD6) } else { random.pick(&ODD4) }),
        1..6 => parse(if pool.v6 { "fd77::1" } else { "192.0.2.1" }),
        6..65 if !pool.prefixes.is_empty() => {
            let prefix = random.pick(&pool.prefixes);
            inside(random, prefix)
        }
        _ => addr(random, pool.v6),
    }
}

fn source(random: &mut Random, pool: &Pool) -> Option<IpAddr> {
    match random.below(200) {
        0..100 if !pool.own.is_empty() => Some(random.pick(&pool.own)),
        100..108 => Some(addr(random, pool.v6)),
        108 if !pool.v6 => Some(Ipv4Addr::LOCALHOST.into()),
        _ => None,
    }
}

/// A random address inside a prefix, biased to its first few.
fn inside(random: &mut Random, prefix: Prefix) -> IpAddr {
    let host = random.below(8) as u128;
    match prefix.addr {
        IpAddr::V4(a) => {
            let mask = u32::MAX.checked_shr(prefix.len.into()).unwrap_or(0);
            Ipv4Addr::from_bits(a.to_bits() | (host as u32 & mask)).into()
        }
        IpAddr::V6(a) => {
            let mask = u128::MAX.checked_shr(prefix.len.into()).unwrap_or(0);
            Ipv6Addr::from_bits(a.to_bits() | (host & mask)).into()
        }
    }
}
