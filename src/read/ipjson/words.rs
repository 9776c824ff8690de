//! The words iproute2 prints for numbers (its lib/ll_types.c, lib/rt_names.c, ip/ipaddress.c,
//! ip/ipneigh.c).

/// Number and word.
pub(crate) type Words = [(u32, &'static str)];

/// The number of a word.
pub(crate) fn number(words: &Words, word: &str) -> Option<u32> {
    words.iter().find(|(_, w)| *w == word).map(|(n, _)| *n)
}

/// The word of a number.
pub(crate) fn word(words: &Words, number: u32) -> Option<&'static str> {
    words.iter().find(|(n, _)| *n == number).map(|(_, w)| *w)
}

/// The number of a word, or of digits.
pub(crate) fn number_or_digits(words: &Words, text: &str) -> Option<u32> {
    number(words, text)
        .or_else(|| super::fields::parse_number(text).and_then(|n| u32::try_from(n).ok()))
}

/// The word of a number, or its digits.
pub(crate) fn word_or_digits(words: &Words, number: u32) -> String {
    word(words, number).map_or_else(|| number.to_string(), str::to_owned)
}

/// ARPHRD_*.
pub(crate) const LINK_TYPES: &Words = &[
    (0, "netrom"),
    (1, "ether"),
    (2, "eether"),
    (3, "ax25"),
    (4, "pronet"),
    (5, "chaos"),
    (6, "ieee802"),
    (7, "arcnet"),
    (8, "atalk"),
    (15, "dlci"),
    (19, "atm"),
    (23, "metricom"),
    (24, "ieee1394"),
    (32, "infiniband"),
    (256, "slip"),
    (257, "cslip"),
    (258, "slip6"),
    (259, "cslip6"),
    (260, "rsrvd"),
    (264, "adapt"),
    (270, "rose"),
    (271, "x25"),
    (280, "can"),
    (290, "mctp"),
    (512, "ppp"),
    (513, "hdlc"),
    (516, "lapb"),
    (517, "ddcmp"),
    (518, "rawhdlc"),
    (519, "rawip"),
    (768, "ipip"),
    (769, "tunnel6"),
    (770, "frad"),
    (771, "skip"),
    (772, "loopback"),
    (773, "ltalk"),
    (774, "fddi"),
    (775, "bif"),
    (776, "sit"),
    (777, "ip/ddp"),
    (778, "gre"),
    (779, "pimreg"),
    (780, "hippi"),
    (781, "ash"),
    (782, "econet"),
    (783, "irda"),
    (784, "fcpp"),
    (785, "fcal"),
    (786, "fcpl"),
    (787, "fcfb0"),
    (788, "fcfb1"),
    (789, "fcfb2"),
    (800, "tr"),
    (801, "ieee802.11"),
    (802, "ieee802.11/prism"),
    (803, "ieee802.11/radiotap"),
    (804, "ieee802.15.4"),
    (805, "ieee802.15.4/monitor"),
    (820, "phonet"),
    (821, "phonet_pipe"),
    (822, "caif"),
    (823, "gre6"),
    (824, "netlink"),
    (825, "6lowpan"),
    (826, "vsockmon"),
    (0xfffe, "none"),
    (0xffff, "void"),
];

/// Tunnels, whose addresses iproute2 prints as IP addresses.
pub(crate) const TUNNELS: [u32; 5] = [768, 769, 776, 778, 823];

/// IFF_*. IFF_RUNNING is not printed: `NO-CARRIER` is its absence while up.
pub(crate) const IFF: &Words = &[
    (0x8, "LOOPBACK"),
    (0x2, "BROADCAST"),
    (0x10, "POINTOPOINT"),
    (0x1000, "MULTICAST"),
    (0x80, "NOARP"),
    (0x200, "ALLMULTI"),
    (0x100, "PROMISC"),
    (0x400, "MASTER"),
    (0x800, "SLAVE"),
    (0x4, "DEBUG"),
    (0x8000, "DYNAMIC"),
    (0x4000, "AUTOMEDIA"),
    (0x2000, "PORTSEL"),
    (0x20, "NOTRAILERS"),
    (0x1, "UP"),
    (0x1_0000, "LOWER_UP"),
    (0x2_0000, "DORMANT"),
    (0x4_0000, "ECHO"),
];
/// IFF_UP.
pub(crate) const UP: u32 = 0x1;
/// IFF_RUNNING.
pub(crate) const RUNNING: u32 = 0x40;

/// IFA_F_* as keys of an address. `permanent` is not printed, its absence is `dynamic`;
/// 0x01 is `temporary` for IPv6.
pub(crate) const IFA: &Words = &[
    (0x01, "secondary"),
    (0x02, "nodad"),
    (0x04, "optimistic"),
    (0x08, "dadfailed"),
    (0x10, "home"),
    (0x20, "deprecated"),
    (0x40, "tentative"),
    (0x100, "mngtmpaddr"),
    (0x200, "noprefixroute"),
    (0x400, "autojoin"),
    (0x800, "stable-privacy"),
];
/// IFA_F_PERMANENT.
pub(crate) const PERMANENT: u32 = 0x80;

/// NUD_*.
pub(crate) const NUD: &Words = &[
    (0x01, "INCOMPLETE"),
    (0x02, "REACHABLE"),
    (0x04, "STALE"),
    (0x08, "DELAY"),
    (0x10, "PROBE"),
    (0x20, "FAILED"),
    (0x40, "NOARP"),
    (0x80, "PERMANENT"),
];

/// RT_SCOPE_*.
pub(crate) const SCOPES: &Words =
    &[(0, "global"), (200, "site"), (253, "link"), (254, "host"), (255, "nowhere")];

/// RTPROT_*.
pub(crate) const PROTOCOLS: &Words = &[
    (0, "unspec"),
    (1, "redirect"),
    (2, "kernel"),
    (3, "boot"),
    (4, "static"),
    (8, "gated"),
    (9, "ra"),
    (10, "mrt"),
    (11, "zebra"),
    (12, "bird"),
    (13, "dnrouted"),
    (14, "xorp"),
    (15, "ntk"),
    (16, "dhcp"),
    (17, "mrouted"),
    (18, "keepalived"),
    (42, "babel"),
    (84, "ovn"),
    (99, "openr"),
    (186, "bgp"),
    (187, "isis"),
    (188, "ospf"),
    (189, "rip"),
    (192, "eigrp"),
];

/// RTN_*, also FR_ACT_* of rules, whose numbers agree.
pub(crate) const ROUTE_TYPES: &Words = &[
    (0, "none"),
    (1, "unicast"),
    (2, "local"),
    (3, "broadcast"),
    (4, "anycast"),
    (5, "multicast"),
    (6, "blackhole"),
    (7, "unreachable"),
    (8, "prohibit"),
    (9, "throw"),
    (10, "nat"),
    (11, "xresolve"),
];

/// `rt_dsfield`.
pub(crate) const DSFIELDS: &Words = &[
    (0x00, "default"),
    (0x28, "AF11"),
    (0x30, "AF12"),
    (0x38, "AF13"),
    (0x48, "AF21"),
    (0x50, "AF22"),
    (0x58, "AF23"),
    (0x68, "AF31"),
    (0x70, "AF32"),
    (0x78, "AF33"),
    (0x88, "AF41"),
    (0x90, "AF42"),
    (0x98, "AF43"),
    (0x20, "CS1"),
    (0x40, "CS2"),
    (0x60, "CS3"),
    (0x80, "CS4"),
    (0xa0, "CS5"),
    (0xc0, "CS6"),
    (0xe0, "CS7"),
    (0xb8, "EF"),
];

/// The tables every kernel has.
pub(crate) const TABLES: &Words = &[(255, "local"), (254, "main"), (253, "default"), (0, "unspec")];

/// Protocols of `/etc/protocols` that a rule can sensibly name.
pub(crate) const IP_PROTOCOLS: &Words = &[
    (1, "icmp"),
    (2, "igmp"),
    (4, "ipencap"),
    (6, "tcp"),
    (17, "udp"),
    (33, "dccp"),
    (41, "ipv6"),
    (47, "gre"),
    (50, "esp"),
    (51, "ah"),
    (58, "ipv6-icmp"),
    (89, "ospf"),
    (103, "pim"),
    (112, "vrrp"),
    (115, "l2tp"),
    (132, "sctp"),
    (136, "udplite"),
    (137, "mpls-in-ip"),
];

/// RTA_PREF of IPv6 (RFC 4191).
pub(crate) const PREFS: &Words = &[(0, "medium"), (1, "high"), (3, "low")];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_unique() {
        for words in [
            LINK_TYPES,
            IFF,
            IFA,
            NUD,
            SCOPES,
            PROTOCOLS,
            ROUTE_TYPES,
            DSFIELDS,
            TABLES,
            IP_PROTOCOLS,
            PREFS,
        ] {
            for (n, w) in words {
                assert_eq!(number(words, w), Some(*n));
                assert_eq!(word(words, *n), Some(*w));
            }
        }
    }
}
