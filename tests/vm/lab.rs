//! What the proofs share: a guest in a known state, and what was measured in it.

use crate::machine::Machine;
use std::fmt::Write;

/// Between two proofs: all as after the boot.
const CLEAN: &str = "
kill $(cat /tmp/loop) 2>/dev/null
killall -q ib_write_bw rping
for rxe in $(ls /sys/class/infiniband 2>/dev/null | grep rxe); do rdma link del $rxe; done
for kind in vlan macvlan bond vrf dummy; do
  for link in $(ip -o link show type $kind | cut -d: -f2 | cut -d@ -f1); do ip link del $link; done
done
ip netns pids peer 2>/dev/null | xargs -r kill; ip netns del peer 2>/dev/null
rmmod railstub 2>/dev/null
ip rule add pref 0 lookup local 2>/dev/null
for pref in $(ip rule | cut -d: -f1); do case $pref in 0|32766|32767) ;; *) ip rule del pref $pref;; esac; done
for link in eth0 eth1 eth2 eth3; do ip addr flush dev $link; ip link set $link down; done
sysctl -q -w net.ipv4.conf.all.accept_local=0 net.ipv4.conf.all.rp_filter=0
rm -f /tmp/*
true";

/// Waits until these interfaces have carrier.
const CARRIER: &str = "for i in $(seq 100); do n=0; for l in $LINKS; do \
     [ \"$(cat /sys/class/net/$l/carrier 2>/dev/null)\" = 1 ] || n=1; done; \
     [ $n = 0 ] && exit 0; sleep 0.1; done; ip -br link; exit 1";

/// The guest and its measurements.
pub(crate) struct Lab {
    pub(crate) guest: Machine,
    times: Vec<(String, f64)>,
}

impl Lab {
    pub(crate) fn new(guest: Machine) -> Self {
        Self { guest, times: Vec::new() }
    }

    /// A guest without rails.
    pub(crate) fn clean(&mut self) {
        self.guest.stop();
        self.guest.sh(CLEAN);
    }

    /// A guest with so many IPoIB rails that are up, ib0 and so on.
    pub(crate) fn rails(&mut self, n: u32) {
        self.clean();
        self.guest.sh(&format!("modprobe railstub ports={n}"));
        let links: Vec<String> = (0..n).map(|i| format!("ib{i}")).collect();
        self.up(&links.iter().map(String::as_str).collect::<Vec<_>>());
    }

    /// Sets interfaces up and waits for their carrier.
    pub(crate) fn up(&mut self, links: &[&str]) {
        let up: Vec<String> = links.iter().map(|l| format!("ip link set {l} up")).collect();
        self.guest.sh(&up.join(" && "));
        self.guest.sh(&format!("LINKS='{}'; {CARRIER}", links.join(" ")));
    }

    /// Two healthy rails in subnets of their own, and the dashboard.
    pub(crate) fn two_rails_on_screen(&mut self) {
        self.rails(2);
        self.guest.sh("ip addr add 172.16.0.1/24 dev ib0 && ip addr add 172.16.1.1/24 dev ib1");
        self.guest.start(110, 30, "railtop");
        self.guest.wait("both rails are well");
    }

    /// A command to the stub.
    pub(crate) fn set(port: u32, words: &str) -> String {
        format!("echo '{port} {words}' > /sys/module/railstub/parameters/set")
    }

    /// Runs a command and measures until the screen shows a text, then waits for the rest.
    pub(crate) fn seen(&mut self, what: &str, command: &str, text: &str, also: &[&str]) {
        let seconds = self.guest.time(command, text);
        self.times.push((what.to_owned(), seconds));
        for text in also {
            self.guest.wait(text);
        }
    }

    /// The seconds of all measurements, and the one in the middle.
    pub(crate) fn report(&self) -> Option<(String, f64)> {
        let mut sorted: Vec<f64> = self.times.iter().map(|(_, s)| *s).collect();
        sorted.sort_by(f64::total_cmp);
        let median = *sorted.get(sorted.len() / 2)?;
        let mut text =
            format!("from command to screen, median {median:.2} s by the guest's clock:\n");
        for (what, seconds) in &self.times {
            let _ = writeln!(text, "  {seconds:6.2} s  {what}");
        }
        Some((text, median))
    }
}
