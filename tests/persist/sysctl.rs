//! sysctl.d.

use super::*;

#[test]
fn both_programs_of_sysctl_take_the_file() {
    needs!("both_programs_of_sysctl_take_the_file", "sysctl", "/lib/systemd/systemd-sysctl");
    let rails = ["ib0", "ib0.8001"];
    let changes: Vec<Change> = rails
        .iter()
        .map(|name| {
            let key =
                SysctlKey { family: Family::Inet, interface: (*name).into(), name: "arp_announce" };
            Change::here(Action::Sysctl { key, value: 2, before: None })
        })
        .collect();
    let states: Vec<RailState> = rails
        .iter()
        .map(|name| RailState {
            interface: (*name).into(),
            kind: Kind::Ethernet,
            addresses: vec![],
            managed: None,
        })
        .collect();
    let out = persist::render(Manager::Ifupdown, &persist::plan(&changes, &states));
    let tree = tempfile::tempdir().unwrap();
    write(&out, tree.path());
    let file = tree.path().join("etc/sysctl.d/90-railtop-rails.conf");
    for program in ["sysctl -p", "/lib/systemd/systemd-sysctl"] {
        let ns = Ns::new();
        for name in rails {
            ns.ip(&format!("link add {name} type veth"));
        }
        ns.sh(&format!("{program} {}", file.display()));
        let values = ns.sh("cat /proc/sys/net/ipv4/conf/ib0*/arp_announce");
        assert_eq!(values, "2\n2\n", "{program}");
    }
}
