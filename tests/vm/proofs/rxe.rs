//! RoCE in software: rxe over virtio cards, with real RDMA traffic.
//!
//! eth0 and eth2 are on one hub, eth1 and eth3 on another. rxe's socket belongs to the first
//! network namespace, so all four stay in it; policy routing keeps the kernel from taking its
//! own addresses for a way through the loopback.

use super::states::same_ibstat;
use crate::lab::Lab;

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
    let write = |device: u32, more: &str| {
        format!("ib_write_bw -d rxe{device} -x $(gid {device}) -m 1024 -s 65536 -D 20 -F {more}")
    };
    lab.guest.sh(&format!(
        "{GID}; {} > /tmp/server 2>&1 & sleep 2; {} > /tmp/client 2>&1 & true",
        write(2, ""),
        write(0, "127.0.0.1")
    ));
    lab.guest.sh("sleep 8");
    let json = lab.guest.sh("railtop stream -n 4 --interval 1s --rail 'eth*' | tail -1");
    let (server, client) = (lab.guest.sh("cat /tmp/server"), lab.guest.sh("cat /tmp/client"));
    let node: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let rate = |name: &str, way: &str| {
        let rails = node["rails"].as_array().expect("rails");
        let rail = rails.iter().find(|r| r["name"] == name).expect("rail");
        rail[way]["bytes_per_second"].as_f64().unwrap_or_else(|| panic!("{name} {way}: {rail}"))
    };
    let context = format!("{server}\n{client}\n{}", lab.guest.shot());
    assert!(rate("eth0", "tx") > 100e3, "{context}");
    assert!(rate("eth2", "rx") > 100e3, "{context}");
    assert!(rate("eth0", "rx") < rate("eth0", "tx") / 4.0, "acknowledgements: {context}");
    for idle in ["eth1", "eth3"] {
        assert!(rate(idle, "tx") < 1e3 && rate(idle, "rx") < 1e3, "{idle}: {context}");
    }
    let same = rate("eth0", "tx") / rate("eth2", "rx");
    assert!((0.8..1.25).contains(&same), "what one sends the other receives: {same}");
    // The figures say where they come from.
    let source = &node["rails"][0]["tx"]["source"];
    assert_eq!(source, "netdev", "{}", node["rails"][0]["tx"]);
}
