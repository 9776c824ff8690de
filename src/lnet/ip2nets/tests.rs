//! The grammar and its versions, in tables; a second, naive matcher; what must never happen.

use super::host::{HostAddress, Interface};
use super::*;
use proptest::prelude::*;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

mod naive;
mod surprises;
mod tables;
mod yaml_rules;

/// An interface with addresses; `name:label` gives one a label.
pub(super) fn interface(name: &str, up: bool, addresses: &[&str]) -> Interface {
    let address = |a: &&str| {
        let (label, address) = a.split_once('=').unwrap_or((name, a));
        HostAddress { label: label.into(), address: address.parse().unwrap() }
    };
    Interface {
        name: name.into(),
        up,
        loopback: name == "lo",
        rdma: Some(!name.starts_with("em")),
        addresses: addresses.iter().map(address).collect(),
    }
}

/// em1 (management, no RDMA), two rails, one rail that is down, one without an address.
pub(super) fn node() -> Host {
    Host {
        interfaces: vec![
            interface("lo", true, &["127.0.0.1"]),
            interface("em1", true, &["10.5.0.9"]),
            interface("ib0", true, &["172.30.1.7", "ib0:1=172.30.9.7"]),
            interface("ib1", true, &["172.30.2.7"]),
            interface("ib2", false, &["172.30.3.7"]),
            interface("ib3", true, &[]),
        ],
    }
}

pub(super) fn at(version: &str) -> Context {
    Context { version: version.parse().unwrap(), cpts: Some(4) }
}

/// A host with these addresses on e0, e1, ….
pub(super) fn with(addresses: &str) -> Host {
    let each = addresses.split_whitespace().enumerate();
    Host { interfaces: each.map(|(i, a)| interface(&format!("e{i}"), true, &[a])).collect() }
}

#[test]
fn long_strings_end_quickly_and_as_the_kernel_ends_them() {
    let host = node();
    let context = at("2.15.8");
    let entry = |n: usize| format!("tcp {}", "1".repeat(n));
    let start = Instant::now();
    let at_limit = kernel::matched(entry(TEXT_LIMIT - 21 - 4).as_bytes(), &host, &context);
    assert_eq!(at_limit.error.unwrap().words[0].split('\'').next(), Some("Error parsing "));
    let over = kernel::matched(entry(TEXT_LIMIT - 21 - 3).as_bytes(), &host, &context);
    assert_eq!(over.error.unwrap().words, ["Error parsing ip2nets", "Error -22 parsing ip2nets"]);
    let many = "tcp1 1.1.1.1;".repeat(5000);
    assert_eq!(kernel::matched(many.as_bytes(), &host, &context).error.unwrap().errno, 22);
    let joined = (0..400).map(|n| format!("tcp{n}(em1) *.*.*.*")).collect::<Vec<_>>().join(";");
    let error = kernel::matched(joined.as_bytes(), &host, &context).error.unwrap();
    assert_eq!((error.errno, error.words[0].as_str()), (7, "Too many matched networks"));
    let networks = "x".repeat(TEXT_LIMIT + 1);
    let error = networks::parse(networks.as_bytes(), &context).unwrap_err();
    assert_eq!(error.words, ["Can't parse networks: string too long"]);
    assert_eq!(networks::parse(&networks.as_bytes()[1..], &context).unwrap_err().errno, 22);
    let huge = format!("tcp [{}].1.1.1", "0-255/1,".repeat(400) + "1");
    assert!(kernel::matched(huge.as_bytes(), &host, &context).error.is_some());
    let megabyte = "tcp *.*.*.*;".repeat(90_000);
    for rules in [Rules::Ip2nets(megabyte.clone()), Rules::Networks(megabyte)] {
        let out = explain(&rules, &host, &context);
        assert!(out.error.is_some());
        otherwise(&rules, &host, &context, &out);
    }
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

proptest! {
    #[test]
    fn nothing_panics(
        any in "\\PC{0,60}",
        near in "(tcp|o2ib|lo|bogus)?[0-9]{0,6}[()\\[\\], eib0-9:]{0,12}[ ;#\n]{0,3}[0-9*.,/+x \\[\\]-]{0,24}[;#]?.{0,12}",
        version in prop::sample::select(Version::KNOWN.to_vec()),
        cpts in prop::option::of(1u32..9),
    ) {
        let host = node();
        let context = Context { version, cpts };
        for text in [any, near] {
            for rules in [Rules::Ip2nets(text.clone()), Rules::Networks(text.clone())] {
                let out = explain(&rules, &host, &context);
                // Nothing is configured where LNet does not start.
                prop_assert!(out.error.is_none() || out.nis.is_empty());
                otherwise(&rules, &host, &context, &out);
            }
        }
    }

    #[test]
    fn arbitrary_bytes_are_no_worse(bytes: Vec<u8>) {
        let context = at("2.12.9");
        kernel::boot(&bytes, &node(), &context);
        networks::boot(&bytes, &node(), &context);
        kernel::boot(&bytes, &Host::default(), &context);
    }

    #[test]
    fn a_pattern_of_one_address_matches_that_address_only(a: u32, b: u32) {
        let (a, b) = (Ipv4Addr::from(a), Ipv4Addr::from(b));
        for version in Version::KNOWN {
            let pattern = expr::Pattern::parse(a.to_string().as_bytes(), version).unwrap();
            prop_assert_eq!(pattern.matches(a), expr::Match::Yes);
            prop_assert_eq!(pattern.matches(b) == expr::Match::Yes, a == b);
        }
    }
}
