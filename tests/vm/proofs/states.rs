//! The dashboard and `railtop ibstat` tell the true state of a port.

use crate::lab::Lab;
use crate::machine::Machine;

/// `railtop ibstat` prints what the guest's own `ibstat` prints, byte for byte.
pub(crate) fn same_ibstat(guest: &mut Machine) {
    if guest.try_sh("railtop ibstat --help").0 != Some(0) {
        return; // GATE: until the command is there
    }
    let both = |ibstat: &str| format!("{ibstat} 2>&1; echo \"exit code $?\"");
    let (theirs, ours) = (both("ibstat"), both("railtop ibstat"));
    let want = guest.sh(&theirs);
    assert!(want.contains("CA '"), "no device: {want}");
    assert_eq!(guest.sh(&ours), want);
    assert_eq!(guest.user(&ours), guest.user(&theirs), "as an ordinary user");
}

pub(crate) fn every_state_of_a_port(lab: &mut Lab) {
    lab.two_rails_on_screen();
    let well = "both rails are well";
    let steps: [(&str, &str, &str, &[&str]); 11] = [
        (
            "DOWN, Polling",
            "state 1 phys 2",
            "ib0*DOWN Polling",
            &["CRITICAL", "ib0 has no signal (DOWN, Polling)", "1 of 2 up"],
        ),
        (
            "INIT, the subnet manager is gone",
            "state 2 phys 5 sm_lid 0",
            "ib0*no SM",
            &["CRITICAL", "ib0 has a link and no subnet manager (INIT, LinkUp)"],
        ),
        (
            "ARMED",
            "state 3 sm_lid 1",
            "▲ ib0*ARMED",
            &["WARNING", "ib0 is ARMED and not ACTIVE", "the subnet manager stopped half-way"],
        ),
        ("ACTIVE", "state 4", well, &["ib0*200 HDR", "2 of 2 up"]),
        ("DOWN, Disabled", "state 1 phys 3", "ib0*Disabled", &["ib0*disabled", "1 of 2 up"]),
        ("ACTIVE again", "state 4 phys 5", well, &["ib0*200 HDR"]),
        ("1X FDR", "width 1 speed 16", "ib0*14 FDR", &[]),
        ("4X HDR again", "width 2 speed 64", "ib0*200 HDR", &[well]),
        ("2X HDR", "width 16", "ib0*100 HDR", &[]),
        ("4X HDR once more", "width 2", "ib0*200 HDR", &[well]),
        ("INIT", "state 2", "ib0*no SM", &[]),
    ];
    for (what, words, text, also) in steps {
        lab.seen(what, &Lab::set(0, words), text, also);
        same_ibstat(&mut lab.guest);
    }
    lab.seen("ACTIVE for the third time", &Lab::set(0, "state 4"), well, &[]);
}

pub(crate) fn names_partitions_and_modes(lab: &mut Lab) {
    lab.two_rails_on_screen();
    let down = "ib0 is administratively down";
    lab.seen("admin down", "ip link set ib0 down", down, &["NOTE"]);
    same_ibstat(&mut lab.guest);
    lab.seen("renamed", "ip link set ib0 name left0", "left0*200 HDR", &["left0 is admin"]);
    lab.seen("admin up", "ip link set left0 up", "both rails are well", &[]);
    lab.guest.keys("6");
    lab.guest.wait("left0*new name (was ib0)");
    let events = lab.guest.shot();
    assert!(!events.contains("vanished") && !events.contains("appeared"), "{events}");

    // The ladder of the first rail: mode, and the partition beside it.
    lab.guest.keys("1 Enter");
    lab.guest.wait("netdev*left0 up, MTU 2044 datagram");
    let connected = "echo connected > /sys/class/net/left0/mode";
    lab.seen("connected mode", connected, "netdev*left0 up, MTU 65520 connected", &[]);
    let datagram = "echo datagram > /sys/class/net/left0/mode";
    lab.seen("datagram mode", datagram, "netdev*left0 up, MTU 2044 datagram", &[]);
    let child = "echo 0x8001 > /sys/class/net/left0/create_child && \
                 ip link set left0.8001 up && ip addr add 172.18.0.1/24 dev left0.8001";
    lab.seen("partition 0x8001", child, "address*172.16.0.1/24*172.18.0.1/24", &[]);
    let json = lab.guest.sh("railtop stream -n 2 --interval 500ms | tail -1");
    let node: serde_json::Value = serde_json::from_str(&json).expect("one line of JSON");
    assert_eq!(node["rails"].as_array().map(Vec::len), Some(2), "a partition is no rail");
    assert_eq!(node["rails"][0]["children"][0]["name"], "left0.8001");
    same_ibstat(&mut lab.guest);

    // Another manager, or none, while the port stays ACTIVE: seen, though not at once.
    lab.guest.keys("Esc 6");
    lab.guest.sh(&Lab::set(0, "sm_lid 7"));
    lab.guest.wait("left0*SM LID 1 is now 7");
    same_ibstat(&mut lab.guest);
}
