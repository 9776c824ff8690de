//! RoCE in software: rxe over virtio cards, with real RDMA traffic.
//!
//! eth0 and eth2 are on one hub, eth1 and eth3 on another. rxe's socket belongs to the first
//! network namespace, so all four stay in it; policy routing keeps the kernel from taking its
//! own addresses for a way through the loopback.

use super::states::same_ibstat;
use crate::lab::Lab;
use serde_json::Value;

const CARDS: &str = "
set -e
modprobe crc32_generic
modprobe rdma_rxe
sysctl -q -w net.ipv4.conf.all.accept_local=1
for i in 0 1 2 3; do
  ip link set eth$i up
  ip addr add 10.$i.0.1/24 dev eth$i
  rdma link add rxe$i type rxe netdev eth$i
  ip rule add pref 1 iif eth$i lookup local
done
ip rule add pref 10 lookup local
ip rule del pref 0
for pair in '0 2' '2 0'; do
  set -- $pair
  ip rule add pref 2 from 10.$1.0.1 to 10.$2.0.1 lookup 10$1
  ip route add 10.$2.0.1 dev eth$1 src 10.$1.0.1 table 10$1
  ip neigh replace 10.$2.0.1 lladdr $(cat /sys/class/net/eth$2/address) dev eth$1 nud permanent
done";

/// Index of the GID that is the IPv4 address of a device.
const GID: &str = "gid() { grep -l ffff:0a0$1: /sys/class/infiniband/rxe$1/ports/1/gids/* 2>/dev/null | head -1 | xargs basename; }";

pub(crate) fn traffic_of_the_right_rail(lab: &mut Lab) {
    lab.clean();
    lab.guest.sh(CARDS);
    same_ibstat(&mut lab.guest);
    lab.guest.start(110, 30, "railtop --rail 'eth*'");
    lab.guest.wait("eth0*0.00");
    lab.guest.wait("eth3*0.00");

    // The connection manager over the wire.
    lab.guest.sh("rping -s -a 10.2.0.1 -C 3 > /tmp/server 2>&1 & sleep 1; \
         timeout -k 1 60 rping -c -I 10.0.0.1 -a 10.2.0.1 -C 3 -v || { cat /tmp/server; exit 1; }");

    // Only bytes of packets that passed the cards can be known: rxe itself counts packets.
    let files = "ls /sys/class/infiniband/rxe0/ports/1/";
    assert!(!lab.guest.sh(files).contains("\ncounters\n"), "rxe has byte counters by now?");
    // Messages of one packet, a few at a time, and again when rxe gives up: it is no good at
    // packets that come late, as they do under emulation.
    let write = "ib_write_bw -m 1024 -s 1024 -t 16 -D 20 -F";
    lab.guest.sh(&format!(
        "{GID}; (while :; do {write} -d rxe2 -x $(gid 2) & sleep 1; \
         {write} -d rxe0 -x $(gid 0) 127.0.0.1; wait; done) > /tmp/traffic 2>&1 & echo $! > /tmp/loop"
    ));
    lab.guest.sh("sleep 5");
    let lines = lab.guest.sh("railtop stream -n 10 --interval 1s --rail 'eth*'");
    lab.guest.sh("kill $(cat /tmp/loop); killall -q ib_write_bw; true");
    let rate = |node: &Value, name: &str, way: &str| {
        let rail = node["rails"].as_array()?.iter().find(|r| r["name"] == name)?;
        rail[way]["bytes_per_second"].as_f64()
    };
    let nodes = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let most = |node: &Value| rate(node, "eth0", "tx").unwrap_or(0.0);
    let node = nodes.max_by(|a, b| most(a).total_cmp(&most(b))).expect("samples");
    let context = lab.guest.sh("cat /tmp/traffic");
    let rate = |name, way| rate(&node, name, way).unwrap_or_else(|| panic!("{name} {way}: {node}"));
    assert!(rate("eth0", "tx") > 100e3, "{context}");
    let same = rate("eth0", "tx") / rate("eth2", "rx");
    assert!((0.8..1.25).contains(&same), "what one sends the other receives: {same}");
    assert!(rate("eth0", "rx") < rate("eth0", "tx") / 4.0, "acknowledgements: {node}");
    for idle in ["eth1", "eth3"] {
        assert!(rate(idle, "tx") < 1e3 && rate(idle, "rx") < 1e3, "{idle}: {node}");
    }
    // The figures say where they come from.
    let source = &node["rails"][0]["tx"]["source"];
    assert_eq!(source, "netdev", "{}", node["rails"][0]["tx"]);
}
