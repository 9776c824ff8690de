//! Rates from port counters that move at a known pace; counters that are full or start anew.

use crate::lab::Lab;

pub(crate) fn rates_are_those_of_the_counters(lab: &mut Lab) {
    lab.two_rails_on_screen();
    // Counters are in words of four bytes: 2 and 1 GB/s on ib0, 2.5 GB/s sent on ib1.
    lab.guest.sh(&Lab::set(0, "port_xmit_data/s 500000000 port_rcv_data/s 250000000"));
    lab.guest.sh(&Lab::set(1, "port_xmit_data/s 625000000"));
    lab.guest.wait("ib0*1.00*2.00");
    lab.guest.wait("ib1*0.00*2.50");
    lab.guest.wait("STUB1*2 of 2 up*1.00 of 50*4.50 of 50");
    let lines = lab.guest.sh("railtop stream -n 8 --interval 500ms");
    let mut rates = Vec::new();
    for line in lines.lines() {
        let node: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let rate = |rail: usize, way: &str| node["rails"][rail][way]["bytes_per_second"].as_f64();
        let figures = [rate(0, "rx"), rate(0, "tx"), rate(1, "tx")];
        if let [Some(a), Some(b), Some(c)] = figures {
            rates.push([a / 1e9, b / 2e9, c / 2.5e9]);
        }
    }
    assert!(rates.len() >= 4, "{lines}");
    // The time of a read is not the moment at which the kernel counts: emulation makes that a
    // few milliseconds in half a second. The middle one of the samples is right.
    for figure in 0..3 {
        let mut of: Vec<f64> = rates.iter().map(|r| r[figure]).collect();
        of.sort_by(f64::total_cmp);
        let middle = of[of.len() / 2];
        assert!((middle - 1.0).abs() < 0.05, "figure {figure}: {of:?}");
    }
    // An hour's worth in one step is no rate that the link can carry.
    lab.guest.sh(&Lab::set(0, "port_xmit_data/s 0 port_rcv_data/s 0"));
    lab.guest.wait("ib0*0.00*0.00");
}

pub(crate) fn full_and_reset_counters(lab: &mut Lab) {
    lab.two_rails_on_screen();
    lab.guest.keys("2");
    lab.guest.wait("stub0/1*ACTIVE");
    lab.guest.sh(&Lab::set(0, "symbol_error 65535 link_downed 300 local_link_integrity_errors 99"));
    let files = "cd /sys/class/infiniband/stub0/ports/1/counters && \
                 cat symbol_error link_downed local_link_integrity_errors";
    assert_eq!(lab.guest.sh(files), "65535\n255\n15\n", "the kernel's files are full");
    lab.guest.keys("6");
    lab.guest.wait("ib0*symbol_error*≥65535");
    lab.guest.wait("link_downed*≥255");
    lab.guest.keys("1");
    lab.guest.sh(&Lab::set(0, "port_xmit_data/s 500000000"));
    lab.guest.wait("ib0*2.00");
    lab.guest.sh(&Lab::set(0, "reset 1"));
    lab.guest.keys("6");
    lab.guest.wait("ib0*counters were reset*port_xmit_data");
    lab.guest.wait("ib0*error counters were reset*symbol_error");
    // What was counted since is a rate again, and never a negative or a huge one.
    lab.guest.keys("1");
    lab.guest.wait("ib0*2.00");
}
