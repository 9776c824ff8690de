//! The seed of railtop: two IPoIB rails in one subnet, of which the kernel uses one.

use crate::lab::Lab;
use crate::machine::Machine;

/// Packets that a port sent.
fn sent(guest: &mut Machine, port: u32) -> u64 {
    let file = format!("/sys/class/infiniband/stub{port}/ports/1/counters/port_xmit_packets");
    guest.sh(&format!("cat {file}")).trim().parse().expect("a counter")
}

pub(crate) fn one_subnet_on_two_rails_is_mended(lab: &mut Lab) {
    lab.rails(4);
    // The other two ports are a peer on the same fabric.
    lab.guest
        .sh("ip netns add peer && ip link set ib2 netns peer && ip link set ib3 netns peer && \
         ip -n peer link set ib2 up && ip -n peer addr add 172.16.9.9/16 dev ib2");
    lab.guest.start(110, 30, "railtop --rail ib0 --rail ib1");
    lab.guest.wait("ib1*200 HDR");
    lab.seen(
        "two rails in one subnet",
        "ip addr add 172.16.0.1/16 dev ib0 && ip addr add 172.16.0.2/16 dev ib1",
        "172.16.0.0/16 is reachable by ib0 and ib1; the kernel uses only ib0",
        &["CRITICAL"],
    );
    let (code, text) = lab.guest.try_sh("railtop check --rail ib0 --rail ib1");
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("ROUTE_DUP_CONNECTED"), "{text}");
    let get = "ip route get 172.16.9.9 from 172.16.0.2";
    assert!(lab.guest.sh(get).contains("dev ib0"), "the kernel does what the finding says");

    lab.guest.sh("railtop fix --rail ib0 --rail ib1 > /tmp/fix && sh -ex /tmp/fix");
    lab.guest.wait("both rails are well");
    let (code, text) = lab.guest.try_sh("railtop check --rail ib0 --rail ib1");
    assert_eq!(code, Some(0), "{text}");
    for (address, rail) in [("172.16.0.1", "ib0"), ("172.16.0.2", "ib1")] {
        let way = lab.guest.sh(&format!("ip route get 172.16.9.9 from {address}"));
        assert!(way.contains(&format!("dev {rail} ")), "{address}: {way}");
    }
    // And so do packets: they go out by the port of the address they come from.
    for (address, own, other) in [("172.16.0.1", 0, 1), ("172.16.0.2", 1, 0)] {
        let before = (sent(&mut lab.guest, own), sent(&mut lab.guest, other));
        let ping = lab.guest.sh(&format!("ping -c 5 -i 0.2 -W 5 -I {address} 172.16.9.9"));
        assert!(ping.contains(" 0% packet loss"), "{ping}");
        let after = (sent(&mut lab.guest, own), sent(&mut lab.guest, other));
        assert!(after.0 >= before.0 + 5, "{address}: {before:?} {after:?}");
        assert!(after.1 < before.1 + 5, "{address}: {before:?} {after:?}");
    }
}
