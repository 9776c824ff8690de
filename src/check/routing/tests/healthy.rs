//! States that are right, or deliberate, or somebody else's: nothing above a note.

use super::kit::{node, roots};
use crate::check::{Severity, assess};

/// Two rails in one subnet, complete.
pub(super) const COMPLETE: &str = "
    addr ib0 172.16.34.1/16
    addr ib1 172.16.34.2/16
    addr eth0 10.208.130.34/24
    route default via 10.208.130.254 dev eth0
    route 172.16.0.0/16 dev ib0 table 941 src 172.16.34.1 scope 253
    route 172.16.0.0/16 dev ib1 table 942 src 172.16.34.2 scope 253
    rule 9410 from 172.16.34.1 lookup 941
    rule 9420 from 172.16.34.2 lookup 942
    sysctl ib0 arp_ignore=1 arp_announce=2 rp_filter=2
    sysctl ib1 arp_ignore=1 arp_announce=2 rp_filter=2
";

/// Rails in subnets of their own.
const FLAT: &str = "
    addr ib0 10.1.0.5/24
    addr ib1 10.2.0.5/24
    addr eth0 192.168.1.5/24
    route default via 192.168.1.1 dev eth0
";

/// What is added to the complete state, and why it is no fault.
const BESIDE_COMPLETE: &[(&str, &str)] = &[
    ("nothing", ""),
    ("strict reverse-path filtering", "sysctl all rp_filter=1\n sysctl ib0 rp_filter=1"),
    ("no reverse-path filtering", "sysctl ib0 rp_filter=0\n sysctl ib1 rp_filter=0"),
    ("arp_ignore 2 by all", "sysctl all arp_ignore=2 arp_announce=2"),
    ("metrics of NetworkManager on the rules of somebody", "addr eth1 10.9.0.1/24 metric 101"),
    (
        "Docker and libvirt bridges",
        "link docker0 kind bridge nocarrier\n addr docker0 172.17.0.1/16\n link br-3f kind bridge\n \
         addr br-3f 172.18.0.1/16\n link virbr0 kind bridge nocarrier\n addr virbr0 192.168.122.1/24",
    ),
    (
        "Kubernetes CNI: fwmark rules, tables of their own",
        "rule 9 fwmark 0x200/0xf00 lookup 2004\n rule 100 from all lookup 255\n \
         rule 109 to 10.244.0.7/32 lookup 2005\n route 10.244.0.0/16 dev cilium_host proto 80\n \
         route blackhole 10.244.3.0/26 proto 80\n route default dev cilium_host table 2005",
    ),
    (
        "AWS-like rules of a CNI with empty tables",
        "rule 512 to 10.244.9.9/32 lookup 2\n rule 1024 fwmark 0x80/0x80 lookup 254\n \
         rule 1536 from 10.244.9.9/32 lookup 3",
    ),
    (
        "WireGuard takes the default route",
        "link wg0 kind wireguard noarp\n addr wg0 10.66.0.2/32\n route default dev wg0 table 51820\n \
         rule 32764 from all lookup 254 suppress_prefixlength 0\n \
         rule 32765 not from all fwmark 0xca6c/0xffffffff lookup 51820",
    ),
    (
        "a reject route of last resort",
        "route unreachable default table 941 metric 4278198272\n \
         route unreachable default table 942 metric 4278198272",
    ),
    ("default routes in the tables", "route default via 172.16.0.254 dev ib0 table 941"),
    (
        "a moving address on the first rail",
        "addr ib0 172.16.99.1/32\n rule 9409 from 172.16.99.1 lookup 941",
    ),
    (
        "a secondary address with its own rule",
        "addr ib1 172.16.34.102/16 flags 129 noroute\n rule 9421 from 172.16.34.102 lookup 942",
    ),
    ("link-local IPv6", "addr ib0 fe80::1/64\n addr ib1 fe80::2/64\n addr eth0 fe80::3/64"),
    ("IPv6 of its own subnets", "addr ib0 2001:db8:1::1/64\n addr ib1 2001:db8:2::1/64"),
    (
        "IPv6 in one subnet with rules",
        "addr ib0 2001:db8::1/64\n addr ib1 2001:db8::2/64\n \
         route 2001:db8::/64 dev ib0 table 941\n route 2001:db8::/64 dev ib1 table 942\n \
         rule6 9410 from 2001:db8::1 lookup 941\n rule6 9420 from 2001:db8::2 lookup 942",
    ),
    ("a tentative address", "addr ib1 2001:db8::9/64 flags 64"),
    (
        "rules for other traffic",
        "rule 50 uidrange 1000-2000 lookup 7\n rule 51 ipproto 17 dport 4791 lookup 8\n \
         rule 52 from 192.0.2.0/24 prohibit\n rule 53 iif eth0 lookup 9",
    ),
    ("a VPN's rule before its device", "rule 60 iif tun0 lookup 100"),
    (
        "a rule of keepalived for an address that is elsewhere",
        "rule 70 from 172.16.34.250 lookup 941 proto 18",
    ),
    ("a client's rule on a forwarding host", "forward\n rule 70 from 172.16.34.250 lookup 941"),
    ("NOARP", "link ib0 noarp\n link ib1 noarp\n sysctl ib0 arp_ignore=0 arp_announce=0"),
    (
        "neighbours",
        "neigh 172.16.16.1 dev ib0 lladdr 0a:01\n neigh 172.16.16.1 dev ib1 lladdr 0a:01",
    ),
    ("a neighbour that does not answer", "neigh 172.16.16.1 dev eth0 lladdr 0a:01 state 0x20"),
    (
        "routes by routers in both tables",
        "route 10.20.0.0/16 via 172.16.0.254 dev ib0\n route 10.20.0.0/16 via 172.16.0.254 dev ib0 table 941\n \
      route 10.20.0.0/16 via 172.16.0.254 dev ib1 table 942",
    ),
    ("one address of LNet on each", "lnet"),
];

#[test]
fn beside_the_complete_set_up_nothing_is_wrong() {
    for (name, lines) in BESIDE_COMPLETE {
        quiet(name, &format!("{COMPLETE}{lines}"));
    }
}

/// Whole states.
const OTHERS: &[(&str, &str)] = &[
    ("distinct flat subnets", FLAT),
    (
        "distinct flat subnets, strict filtering, default ARP",
        "addr ib0 10.1.0.5/24\n addr ib1 10.2.0.5/24\n addr ib2 10.3.0.5/24\n sysctl all rp_filter=1",
    ),
    (
        "one rail",
        "addr ib0 172.16.34.1/16\n addr eth0 10.0.0.1/24\n route default via 10.0.0.254 dev eth0",
    ),
    ("no address at all: verbs only", "link ib0\n link ib1\n addr eth0 10.0.0.1/24"),
    (
        "rails in VRFs of their own, one prefix",
        "link vrf0 ether vrf 10\n link vrf1 ether vrf 11\n link ib0 master vrf0\n link ib1 master vrf1\n \
         addr ib0 172.16.34.1/16\n addr ib1 172.16.34.2/16\n rule 1000 l3mdev",
    ),
    (
        "an active-backup bond of two rails",
        "link bond0 infiniband kind bond\n link ib0 slave bond master bond0\n link ib1 slave bond master bond0\n \
         addr bond0 172.16.34.1/16\n rails ib* bond*",
    ),
    (
        "multipath by intent",
        "addr ib0 172.16.34.1/16 noroute\n addr ib1 172.16.34.2/16 noroute\n \
         route 172.16.0.0/16 nexthop dev ib0 nexthop dev ib1\n \
         sysctl all arp_ignore=1 arp_announce=2",
    ),
    (
        "LNet's own tables in distinct subnets",
        "addr ib0 10.1.0.5/24\n addr ib1 10.2.0.5/24\n table 941 ib0\n table 942 ib1\n \
         route 10.1.0.0/24 dev ib0 table 941 proto 2 src 10.1.0.5\n \
         route 10.2.0.0/24 dev ib1 table 942 proto 2 src 10.2.0.5\n \
         rule 32763 from 10.1.0.5 lookup 941\n rule 32762 from 10.2.0.5 lookup 942",
    ),
    (
        "point-to-point links to a leaf switch, default by it",
        "addr ib0 10.10.0.1/31\n addr ib1 10.10.0.3/31\n route default via 10.10.0.0 dev ib0 table 100\n \
         route default via 10.10.0.2 dev ib1 table 101\n rule 100 from 10.10.0.1 lookup 100\n \
         rule 101 from 10.10.0.3 lookup 101",
    ),
    (
        "distinct subnets with a table and default each",
        "addr ib0 10.1.0.5/24\n addr ib1 10.2.0.5/24\n \
         route default via 10.1.0.1 dev ib0 table 100\n route 10.1.0.0/24 dev ib0 table 100\n \
         route default via 10.2.0.1 dev ib1 table 101\n route 10.2.0.0/24 dev ib1 table 101\n \
         rule 100 from 10.1.0.5 lookup 100\n rule 101 from 10.2.0.5 lookup 101",
    ),
    (
        "partitions: children in subnets of their own, another MTU",
        "link ib0.8001 infiniband parent ib0 pkey 0x8001 mtu 4092\n addr ib0 10.1.0.5/24\n addr ib0.8001 10.2.0.5/24",
    ),
    (
        "a dead rail that the kernel leaves alone",
        "link ib1 nocarrier\n addr ib0 10.1.0.5/24\n addr ib1 10.2.0.5/24\n \
         sysctl ib1 ignore_routes_with_linkdown=1",
    ),
    (
        "a wide prefix with a block of container addresses in it",
        "addr ib0 10.1.0.5/8\n route blackhole 10.244.3.0/26 proto 80\n route 10.244.3.7/32 dev cali1 proto 80",
    ),
    (
        "rules of prefixes, one table",
        "addr ib0 10.1.0.5/24\n addr ib1 10.2.0.5/24\n route 10.1.0.0/24 dev ib0 table 50\n \
      route 10.2.0.0/24 dev ib1 table 51\n rule 50 from 10.1.0.0/24 lookup 50\n rule 51 from 10.2.0.0/24 lookup 51",
    ),
    (
        "iif lo rules that lead right",
        "addr ib0 10.1.0.5/24\n route 10.1.0.0/24 dev ib0 table 60\n rule 60 iif lo from 10.1.0.5 lookup 60",
    ),
];

#[test]
fn other_right_states_are_quiet() {
    assert!(OTHERS.len() + BESIDE_COMPLETE.len() >= 20);
    for (name, lines) in OTHERS {
        quiet(name, lines);
    }
}

#[track_caller]
fn quiet(name: &str, lines: &str) {
    let node = node(lines);
    assert!(!node.rails.is_empty(), "{name}: no rail");
    let loud: Vec<String> = assess(&node)
        .findings
        .iter()
        .filter(|f| f.severity > Severity::Note && !["RAIL_DOWN"].contains(&f.id))
        .map(|f| format!("{} {:?}: {} {:?}", f.id, f.severity, f.summary, f.evidence))
        .collect();
    assert!(loud.is_empty(), "{name}: {loud:#?}");
}

#[test]
fn the_complete_set_up_gives_nothing_at_all() {
    assert_eq!(roots(COMPLETE), [""; 0]);
    assert_eq!(roots(FLAT), [""; 0]);
}

/// A desktop with two NICs in one subnet: no rails, so notes at most.
#[test]
fn nics_shown_for_want_of_rails_give_notes() {
    let mut plain = node(
        "rails e*\n addr eth0 192.168.1.5/24 metric 100\n addr eth1 192.168.1.6/24 metric 600",
    );
    assert!(assess(&plain).findings.iter().any(|f| f.severity > Severity::Note));
    plain.choice_note = Some("no InfiniBand here: physical NICs shown".into());
    let findings = assess(&plain).findings;
    assert!(!findings.is_empty() && findings.iter().all(|f| f.severity == Severity::Note));
}
