//! Two hosts with two rails on one segment, and a management network.

use crate::support::ns::Ns;
use crate::support::wait_for;
use std::process::Output;
use std::time::Duration;

/// How host A is set up before the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// Links up, only the management network has addresses.
    Bare,
    /// Both rails in 172.16.0.0/16, nothing else.
    Plain,
    /// The same with a table, a rule and the ARP sysctls per rail.
    Healthy,
    /// Both rails in fd16::/64, nothing else.
    Plain6,
    /// The same with a table and a rule per rail.
    Healthy6,
}

impl Start {
    pub(crate) fn is_v6(self) -> bool {
        matches!(self, Self::Plain6 | Self::Healthy6)
    }
}

/// The namespaces: host A (railtop runs there), host B, and the switch.
#[derive(Debug)]
pub(crate) struct Lab {
    pub(crate) a: Ns,
    pub(crate) b: Ns,
    pub(crate) switch: Ns,
}

impl Lab {
    pub(crate) fn new(start: Start) -> Self {
        let (a, b, switch) = (Ns::new(), Ns::new(), Ns::new());
        for host in [&a, &b] {
            host.sh(if start.is_v6() { V6_AT_ONCE } else { NO_V6 });
            host.sh(SYSCTLS);
        }
        switch.sh(NO_V6);
        switch.sh("ip link add name br0 type bridge; ip link set br0 up");
        for (host, letter) in [(&a, "A"), (&b, "B")] {
            for rail in ["ib0", "ib1"] {
                let port = format!("{letter}{rail}");
                host.ip(&format!(
                    "link add name {rail} type veth peer name {port} netns {}",
                    switch.name
                ));
                switch.sh(&format!("ip link set {port} master br0 up"));
                host.ip(&format!("link set {rail} up"));
            }
        }
        a.ip(&format!("link add name eth0 type veth peer name eth0 netns {}", b.name));
        b.sh("ip link set eth0 up; ip addr add 10.208.130.1/24 dev eth0");
        a.sh("ip link set eth0 up; ip addr add 10.208.130.34/24 dev eth0; \
              ip route add default via 10.208.130.1");
        let lab = Self { a, b, switch };
        lab.settle();
        lab.prepare(start);
        lab
    }

    fn prepare(&self, start: Start) {
        match start {
            Start::Bare => {}
            Start::Plain | Start::Healthy => {
                self.a.sh(&addresses("172.16.34.1/16", "172.16.34.2/16"));
                self.b.sh(&addresses("172.16.16.1/16", "172.16.16.2/16"));
                self.b.sh(&source_routing("ip", "172.16.0.0/16", "172.16.16.1", "172.16.16.2"));
                self.b.sh(ARP);
            }
            Start::Plain6 | Start::Healthy6 => {
                self.a.sh(&addresses("fd16::34:1/64", "fd16::34:2/64"));
                self.b.sh(&addresses("fd16::16:1/64", "fd16::16:2/64"));
                // The kernel takes no source that is tentative still.
                for host in [&self.a, &self.b] {
                    wait_for("no tentative address", Duration::from_secs(10), || {
                        (host.sh("ip -6 addr show tentative").trim() == "").then_some(())
                    });
                }
                self.b.sh(&source_routing("ip -6", "fd16::/64", "fd16::16:1", "fd16::16:2"));
            }
        }
        match start {
            Start::Healthy => {
                self.a.sh(&source_routing("ip", "172.16.0.0/16", "172.16.34.1", "172.16.34.2"));
                self.a.sh(ARP);
            }
            Start::Healthy6 => {
                self.a.sh(&source_routing("ip -6", "fd16::/64", "fd16::34:1", "fd16::34:2"));
            }
            _ => {}
        }
    }

    /// Waits until the kernel has told itself of every change of a carrier.
    pub(crate) fn settle(&self) {
        for host in [&self.a, &self.b] {
            wait_for("carrier and operstate agree", Duration::from_secs(5), || {
                (host.sh(AGREE).trim() == "").then_some(())
            });
        }
    }

    /// All of host A that a remedy may change.
    pub(crate) fn state(&self) -> String {
        self.a.sh(STATE)
    }
}

/// What became of a line of sh, with the line.
pub(crate) fn succeeded(line: &str, out: &Output) -> Result<(), String> {
    if out.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&out.stderr);
    Err(format!("{line}\n  {}: {}", out.status, said.trim()))
}

fn addresses(ib0: &str, ib1: &str) -> String {
    format!("ip addr add {ib0} dev ib0; ip addr add {ib1} dev ib1")
}

fn source_routing(ip: &str, prefix: &str, x0: &str, x1: &str) -> String {
    format!(
        "set -e; {ip} route add {prefix} dev ib0 src {x0} table 941
         {ip} route add {prefix} dev ib1 src {x1} table 942
         {ip} rule add pref 9410 from {x0} lookup 941
         {ip} rule add pref 9420 from {x1} lookup 942"
    )
}

const NO_V6: &str = "echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6; \
                     echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6";

/// No address waits for duplicate address detection.
const V6_AT_ONCE: &str = "cd /proc/sys/net/ipv6/conf; for c in all default; do \
                          echo 0 >$c/accept_dad; echo 0 >$c/router_solicitations; \
                          echo 1 >$c/keep_addr_on_down; done";

/// New namespaces may copy what the machine has.
const SYSCTLS: &str = "cd /proc/sys/net/ipv4/conf; for c in all default; do \
                       for k in rp_filter arp_ignore arp_announce arp_filter accept_local \
                       ignore_routes_with_linkdown; do echo 0 >$c/$k; done; done";

/// Says which rail's carrier was not dealt with yet (net/core/link_watch.c). A rail that is switched
/// off has no carrier to read.
const AGREE: &str = "for r in ib0 ib1; do cd /sys/class/net/$r; \
                     case $(cat carrier operstate 2>/dev/null) in *1*up | *0*down | down) ;; *) echo $r ;; esac; done";

const ARP: &str = "cd /proc/sys/net/ipv4/conf; for c in ib0 ib1; do \
                   echo 1 >$c/arp_ignore; echo 2 >$c/arp_announce; echo 2 >$c/rp_filter; done";

const STATE: &str = "for f in -4 -6; do ip $f rule show; ip $f route show table all; done; \
                     ip nexthop show; ip -o addr show; \
                     for i in ib0 ib1 eth0; do echo $i mtu $(cat /sys/class/net/$i/mtu); done; \
                     cd /proc/sys/net/ipv4/conf; grep . */rp_filter */arp_ignore */arp_announce \
                     */arp_filter */accept_local */ignore_routes_with_linkdown";
