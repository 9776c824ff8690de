//! Set-ups that are odd and right.

use crate::lab::Start::{Healthy, Healthy6};
use crate::row::{Row, quiet};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        quiet("as it should be", Healthy, ""),
        quiet("as it should be, IPv6", Healthy6, ""),
        quiet(
            "a rail without a rule that has the best metric",
            Healthy,
            "ip rule del pref 9410; ip route flush table 941; ip route del 172.16.0.0/16 dev ib1
             ip route add 172.16.0.0/16 dev ib1 scope link src 172.16.34.2 metric 151",
        ),
        quiet(
            "a mark that rail packets have not",
            Healthy,
            "ip rule add pref 100 fwmark 7 lookup main",
        ),
        quiet("a rule for forwarded packets", Healthy, "ip rule add pref 100 iif eth0 lookup main"),
        quiet("an earlier rule with an empty table", Healthy, "ip rule add pref 100 lookup 500"),
        quiet(
            "main first, but for defaults only",
            Healthy,
            "ip rule add pref 100 lookup main suppress_prefixlength 16",
        ),
        quiet(
            "a last resort behind the table's routes",
            Healthy,
            "ip route add unreachable default metric 4278198272 table 941
             ip route add unreachable default metric 4278198272 table 942",
        ),
        quiet(
            "a jump that comes back in front of the rules",
            Healthy,
            "ip rule add pref 9000 nop; ip rule add pref 100 goto 9000",
        ),
        quiet(
            "table ids above 65535",
            Healthy,
            "ip route add 10.99.0.0/16 dev eth0 table 4000000000
             ip rule add pref 100 to 10.99.0.0/16 lookup 4000000000",
        ),
        quiet(
            "strict filters with source rules",
            Healthy,
            "cd /proc/sys/net/ipv4/conf; for c in all ib0 ib1; do echo 1 >$c/rp_filter; done",
        ),
        quiet(
            "a Docker bridge",
            Healthy,
            "ip link add name docker0 type bridge
             ip addr add 172.17.0.1/16 dev docker0; ip link set docker0 up",
        ),
        quiet(
            "a VPN's rules",
            Healthy6,
            "ip -6 rule add pref 100 not fwmark 0xca6c lookup 51820
             ip -6 rule add pref 99 lookup main suppress_prefixlength 64",
        ),
    ]
}
