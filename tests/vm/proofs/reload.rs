//! Drivers that go and come back while railtop looks on.

use crate::lab::Lab;

pub(crate) fn drivers_come_and_go(lab: &mut Lab) {
    lab.two_rails_on_screen();
    let addresses = "ip addr add 172.16.0.1/24 dev ib0 && ip addr add 172.16.1.1/24 dev ib1";

    // One adapter loses its driver, and gets it back.
    let slot = lab.guest.sh("basename $(readlink -f /sys/class/infiniband/stub0/device)");
    let slot = slot.trim();
    let driver = "/sys/bus/pci/drivers/railstub";
    let unbind = format!("echo {slot} > {driver}/unbind");
    lab.seen("one adapter unbound", &unbind, "ib0*gone", &["ib0 is gone", "1 other rail"]);
    lab.guest.sh(&format!("echo {slot} > {driver}/bind"));
    lab.up(&["ib0"]);
    lab.guest.sh("ip addr add 172.16.0.1/24 dev ib0");
    lab.guest.wait("both rails are well");

    // The whole module.
    lab.seen("module unloaded", "rmmod railstub", "ib1*gone", &["ib0*gone", "0 of 2 up"]);
    let gone = lab.guest.shot();
    assert!(!gone.contains("-0"), "{gone}");
    lab.guest.sh("modprobe railstub ports=2");
    lab.up(&["ib0", "ib1"]);
    lab.guest.sh(addresses);
    lab.guest.wait("both rails are well");
    let screen = lab.guest.shot();
    let rows =
        screen.lines().skip_while(|l| !l.contains("RAIL")).take_while(|l| !l.contains("last "));
    let rows: Vec<&str> = rows.collect();
    assert!(!rows.iter().any(|row| row.contains("gone")), "no row stays behind:\n{screen}");
    lab.guest.keys("6");
    lab.guest.wait("ib0*back after");
    let events = lab.guest.shot();
    assert!(!events.contains("appeared"), "{events}");
    lab.guest.keys("q");
    let end = lab.guest.exit();
    assert_eq!(end, Some(0));
}
