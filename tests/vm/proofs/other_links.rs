//! Bonds, VRFs, VLANs and macvlans beside rails: what is healthy stays silent.

use crate::lab::Lab;
use serde_json::Value;

fn json(lab: &mut Lab, more: &str) -> Value {
    let line = lab.guest.sh(&format!("railtop stream -n 3 --interval 500ms {more} | tail -1"));
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

fn names(node: &Value) -> Vec<&str> {
    node["rails"].as_array().into_iter().flatten().filter_map(|r| r["name"].as_str()).collect()
}

fn findings(node: &Value) -> Vec<&str> {
    node["findings"].as_array().into_iter().flatten().filter_map(|f| f["id"].as_str()).collect()
}

pub(crate) fn a_bond_of_rails(lab: &mut Lab) {
    lab.rails(4);
    lab.guest.sh("modprobe bonding max_bonds=0 && \
         ip link add bond0 type bond mode active-backup miimon 100 && \
         ip link set ib0 down && ip link set ib1 down && \
         ip link set ib0 master bond0 && ip link set ib1 master bond0 && \
         ip addr add 172.16.0.1/24 dev bond0 && \
         ip addr add 172.16.1.1/24 dev ib2 && ip addr add 172.16.2.1/24 dev ib3");
    lab.up(&["bond0", "ib0", "ib1"]);
    // A bond keeps Ethernet's MTU until somebody sets it, and its members have it too.
    let node = json(lab, "");
    let told: Vec<&Value> = node["findings"].as_array().into_iter().flatten().collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["id"], "IPOIB_MTU_UNUSED");
    assert_eq!(told[0]["rails"], serde_json::json!(["ib0", "ib1"]));
    let mend = told[0]["fix"][0]["command"].as_str().unwrap_or_default();
    lab.guest.sh(mend);
    assert_eq!(lab.guest.sh("cat /sys/class/net/ib1/mtu").trim(), "2044", "after {mend}");

    let node = json(lab, "");
    assert_eq!(names(&node), ["ib0", "ib1", "ib2", "ib3"], "the members are the rails");
    assert_eq!(node["rails"][0]["bond"], "bond0");
    assert_eq!(node["rails"][1]["bond"], "bond0");
    assert!(findings(&node).is_empty(), "a healthy bond is silent: {:?}", node["findings"]);

    lab.guest.start(110, 30, "railtop");
    lab.guest.wait("all 4 rails are well");
    let down = Lab::set(0, "state 1 phys 2");
    lab.seen("a member of a bond has no signal", &down, "ib0*DOWN Polling", &["ib0 has no signal"]);
    let node = json(lab, "");
    let roots: Vec<&Value> = node["findings"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|f| f["caused_by"].is_null())
        .collect();
    assert_eq!(roots.len(), 1, "{roots:?}");
    assert_eq!(roots[0]["id"], "PORT_DOWN");
    // The other member carries the address on.
    let other = lab.guest.sh("cat /sys/class/net/bond0/bonding/active_slave");
    assert_eq!(other.trim(), "ib1");
    lab.seen("back", &Lab::set(0, "state 4 phys 5"), "ib0*200 HDR", &["4 of 4 up"]);
}

pub(crate) fn vrf_vlan_and_macvlan(lab: &mut Lab) {
    lab.rails(2);
    // The same subnet twice, but each in a routing world of its own: nothing is wrong.
    lab.guest.sh(
        "ip link add red type vrf table 77 && ip link set red up && ip link set ib1 master red && \
         ip addr add 172.16.0.1/16 dev ib0 && ip addr add 172.16.0.2/16 dev ib1",
    );
    lab.guest.sh("ip link set eth0 up && ip link set eth1 up && \
         ip link add link eth0 name eth0.7 type vlan id 7 && \
         ip link add link eth1 name mac0 type macvlan mode bridge && \
         ip link set eth0.7 up && ip link set mac0 up && \
         ip addr add 10.7.0.1/24 dev eth0.7 && ip addr add 10.8.0.1/24 dev mac0");
    lab.up(&["ib0", "ib1"]);
    let node = json(lab, "");
    assert_eq!(names(&node), ["ib0", "ib1"], "only the ports are rails");
    assert!(findings(&node).is_empty(), "{:?}", node["findings"]);
    let way = lab.guest.sh("ip route get 172.16.9.9 oif red");
    assert!(way.contains("dev ib1"), "the VRF's own route: {way}");

    // Out of the VRF the very same addresses are a mistake.
    lab.guest.start(110, 30, "railtop");
    lab.guest.wait("both rails are well");
    let out = "ip link set ib1 nomaster";
    let wrong = "172.16.0.0/16 is reachable by ib0 and ib1";
    lab.seen("out of the VRF", out, wrong, &["CRITICAL"]);
    lab.seen("into it again", "ip link set ib1 master red", "both rails are well", &[]);

    // On plain cards: the VLAN and the macvlan belong to their card and are no rails.
    lab.clean();
    lab.guest.sh("ip link set eth0 up && ip link set eth1 up && \
         ip addr add 10.0.0.1/24 dev eth0 && ip addr add 10.1.0.1/24 dev eth1 && \
         ip link add link eth0 name eth0.7 type vlan id 7 && \
         ip link add link eth1 name mac0 type macvlan mode bridge && \
         ip link set eth0.7 up && ip link set mac0 up && \
         ip addr add 10.7.0.1/24 dev eth0.7 && ip addr add 10.8.0.1/24 dev mac0");
    let node = json(lab, "--rail eth0 --rail eth1");
    assert_eq!(names(&node), ["eth0", "eth1"]);
    assert!(findings(&node).is_empty(), "{:?}", node["findings"]);
}
