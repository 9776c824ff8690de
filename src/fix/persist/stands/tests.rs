//! Files of every manager, and what stands in them.

use super::*;
use crate::sample::{ConfigKind, Family, Managed, NextHop, RailManager, Unknown, Why};
use proptest::prelude::*;

fn rule(from: &str, table: u32) -> Rule {
    Rule { src: parse(from), ..Rule::lookup(9410, table) }
}

fn route(dst: &str, table: u32) -> Route {
    Route {
        scope: 253,
        protocol: 3,
        next_hops: vec![NextHop::by(2)],
        ..Route::to(parse(dst).unwrap(), table)
    }
}

fn one(kind: ConfigKind, path: &str, text: &str) -> Managers {
    let lines = text.lines().map(|l| l.trim().into()).collect();
    let config = vec![ConfigFile { path: path.into(), kind, lines }];
    Managers { config, ..Managers::default() }
}

const KEYFILE: &str = "[ipv4]\naddress1=172.16.34.1/16\nroute1=172.16.0.0/16\n\
    route1_options=scope=253,src=172.16.34.1,table=941\nrouting-rule1=priority 9410 from 172.16.34.1 table 941";
const NETPLAN: &str = "ib0:\n routes: [{to: 172.16.0.0/16, from: 172.16.34.1, table: 941}]\n\
    routing-policy: [{from: 172.16.34.1, table: 941, priority: 9410}]";
const NETWORKD: &str = "[Match]\nName=ib0\n[Route]\nDestination=172.16.0.0/16\nTable=941\n\
    PreferredSource=172.16.34.1\n[RoutingPolicyRule]\nFrom=172.16.34.1/32\nTable=ib0";
const SCRIPT: &str = "ip route replace 172.16.0.0/16 dev ib0 src 172.16.34.1 table 0x3ad\n\
    ip rule add pref 9410 from 172.16.34.1 lookup ib0";

#[test]
fn every_format_is_found() {
    let names = [(941, "ib0".into())];
    for (kind, path, text) in [
        (ConfigKind::Keyfile, "/etc/NetworkManager/system-connections/a", KEYFILE),
        (ConfigKind::Netplan, "/etc/netplan/a.yaml", NETPLAN),
        (ConfigKind::Networkd, "/etc/systemd/network/a.network", NETWORKD),
        (ConfigKind::Script, "/etc/network/if-up.d/a", SCRIPT),
    ] {
        let managers = one(kind, path, text);
        let (rule, other) = (rule("172.16.34.1", 941), rule("172.16.34.1", 942));
        let (route, far) = (route("172.16.0.0/16", 941), route("172.17.0.0/16", 941));
        let interface = "ib0";
        let live = [
            Live::Rule { interface, rule: &rule },
            Live::Route { interface, route: &route },
            Live::Rule { interface, rule: &other },
            Live::Route { interface, route: &far },
        ];
        let missing = not_persistent(&managers, &names, &live);
        let what: Vec<&str> = missing.iter().map(|m| &*m.what).collect();
        assert_eq!(
            what,
            ["9410: from 172.16.34.1 lookup 942", "172.17.0.0/16 dev ib0 table 941"],
            "{path}"
        );
        assert!(missing.iter().all(|m| m.standing == Standing::Missing), "{path}");
    }
}

#[test]
fn a_route_that_names_the_address_is_no_rule() {
    let text = "[Route]\nDestination=172.16.0.0/16\nTable=941\nPreferredSource=172.16.34.1\n\
        [RoutingPolicyRule]\nFrom=172.16.34.2\nTable=942";
    let managers = one(ConfigKind::Networkd, "/etc/systemd/network/a.network", text);
    let rule = rule("172.16.34.1", 941);
    let live = Live::Rule { interface: "ib0", rule: &rule };
    assert_eq!(standing(&managers, &[], &live), Standing::Missing);
}

#[test]
fn ifcfg_files_are_known_by_their_names() {
    let file = one(
        ConfigKind::Ifcfg,
        "/etc/sysconfig/network-scripts/rule-ib0",
        "from 172.16.34.1 table 941 priority 9410",
    );
    let rule = rule("172.16.34.1", 941);
    let live = Live::Rule { interface: "ib0", rule: &rule };
    assert!(matches!(standing(&file, &[], &live), Standing::Stands(_)));
}

#[test]
fn what_a_script_computes_is_not_called_missing() {
    let text = "ip rule add from $ADDR table $TABLE";
    let managers = one(ConfigKind::Script, "/usr/local/sbin/rails", text);
    let rule = rule("172.16.34.1", 941);
    let live = Live::Rule { interface: "ib0", rule: &rule };
    assert!(matches!(standing(&managers, &[], &live), Standing::NotChecked(why)
        if why.contains("/usr/local/sbin/rails")));
}

#[test]
fn scripts_about_other_routes_say_nothing() {
    for text in ["if [ \"$DEFAULT_ROUTE\" ]; then", "resolvectl default-route \"$i\" $ROUTE"] {
        let managers = one(ConfigKind::Script, "/etc/network/if-up.d/resolved", text);
        let route = route("172.16.0.0/16", 941);
        let live = Live::Route { interface: "ib0", route: &route };
        assert_eq!(standing(&managers, &[], &live), Standing::Missing, "{text}");
    }
    let text = "$IP -4 ro replace $NET dev $IFACE table $TABLE";
    let managers = one(ConfigKind::Script, "/etc/rc.local", text);
    let route = route("172.16.0.0/16", 941);
    let live = Live::Route { interface: "ib0", route: &route };
    assert!(matches!(standing(&managers, &[], &live), Standing::NotChecked(_)));
}

#[test]
fn what_could_not_be_read_is_not_called_missing() {
    let gap = Unknown::new(Why::Denied, "/etc/netplan/50.yaml: EACCES");
    let mut managers = Managers { gaps: vec![gap], ..Managers::default() };
    let mut rule = rule("172.16.34.1", 941);
    let live = Live::Rule { interface: "ib0", rule: &rule };
    assert!(matches!(standing(&managers, &[], &live), Standing::NotChecked(why)
        if why.contains("EACCES")));
    // The running manager marks what it made.
    let managed = Managed {
        manager: Manager::NetworkManager,
        daemon: None,
        profile: None,
        file: None,
        shared: false,
        evidence: "/run/NetworkManager/devices/2: managed=true".into(),
    };
    managers.rails.push(RailManager { interface: "ib0".into(), managed: Ok(managed) });
    rule.protocol = PROTO_STATIC;
    let live = Live::Rule { interface: "ib0", rule: &rule };
    assert!(matches!(standing(&managers, &[], &live), Standing::Stands(_)));
}

#[test]
fn sysctls_in_both_forms_and_by_pattern() {
    let value = |line: &str, interface: &str| sets(line, interface, "arp_ignore");
    assert_eq!(value("net.ipv4.conf.ib0.arp_ignore = 1", "ib0"), Some(1));
    assert_eq!(value("-net.ipv4.conf.ib0.arp_ignore=1", "ib0"), Some(1));
    assert_eq!(value("net/ipv4/conf/ib0.8001/arp_ignore = 2", "ib0.8001"), Some(2));
    assert_eq!(value("net.ipv4.conf.ib0/8001.arp_ignore = 2", "ib0.8001"), Some(2));
    assert_eq!(value("net.ipv4.conf.ib*.arp_ignore = 1", "ib7"), Some(1));
    assert_eq!(value("net.ipv4.conf.all.arp_ignore = 1", "ib7"), Some(1));
    assert_eq!(value("net.ipv4.conf.ib1.arp_ignore = 1", "ib7"), None);
    assert_eq!(value("net.ipv4.ip_forward = 1", "ib7"), None);
    let managers =
        one(ConfigKind::Sysctl, "/etc/sysctl.d/90.conf", "net.ipv4.conf.ib0.arp_ignore = 1");
    let live = |value| Live::Sysctl { interface: "ib0", name: "arp_ignore", value };
    assert!(matches!(standing(&managers, &[], &live(1)), Standing::Stands(_)));
    assert_eq!(standing(&managers, &[], &live(2)), Standing::Missing);
}

#[test]
fn what_is_rendered_stands() {
    use crate::fix::persist::{Kind, RailState, plan, render};
    use crate::fix::{Action, Change, RouteSpec, RuleSpec, SysctlKey};
    let changes = [
        Change::here(Action::RouteReplace {
            route: RouteSpec::connected(
                parse("172.16.0.0/16").unwrap(),
                "ib0".into(),
                "172.16.34.1".parse().unwrap(),
                941,
            ),
            before: None,
        }),
        Change::here(Action::RuleAdd(RuleSpec {
            family: Family::Inet,
            preference: 9410,
            selectors: "from 172.16.34.1".into(),
            action: "lookup 941".into(),
        })),
        Change::here(Action::Sysctl {
            key: SysctlKey { family: Family::Inet, interface: "ib0".into(), name: "arp_ignore" },
            value: 1,
            before: None,
        }),
    ];
    let state = RailState {
        interface: "ib0".into(),
        kind: Kind::Infiniband { mode: None, pkey: None, parent: None },
        addresses: vec![parse("172.16.34.1/16").unwrap()],
        managed: None,
    };
    let plan = plan(&changes, &[state]);
    for manager in Manager::ALL.into_iter().filter(|m| *m != Manager::Nmstate) {
        let tree = tempfile::tempdir().unwrap();
        for file in render(manager, &plan).files {
            let path = tree.path().join(file.path.trim_start_matches('/'));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, file.content).unwrap();
        }
        let root = crate::read::root::Root::new(tree.path());
        let managers = crate::read::manager::read(&root, &[(2, "ib0".into())]);
        let (rule, route) = (rule("172.16.34.1", 941), route("172.16.0.0/16", 941));
        let interface = "ib0";
        let live = [
            Live::Rule { interface, rule: &rule },
            Live::Route { interface, route: &route },
            Live::Sysctl { interface, name: "arp_ignore", value: 1 },
        ];
        assert_eq!(not_persistent(&managers, &[], &live), [], "{manager}");
    }
}

proptest! {
    #[test]
    fn any_file_is_survived(text in "[ -~\n]{0,200}", kind in 0usize..7) {
        let kind = [ConfigKind::Keyfile, ConfigKind::Netplan, ConfigKind::Networkd, ConfigKind::Interfaces,
            ConfigKind::Ifcfg, ConfigKind::Script, ConfigKind::Sysctl][kind];
        let managers = one(kind, "/etc/x", &text);
        let (rule, route) = (rule("172.16.34.1", 941), route("172.16.0.0/16", 941));
        let live = [Live::Rule { interface: "ib0", rule: &rule }, Live::Route { interface: "ib0", route: &route },
            Live::Sysctl { interface: "ib0", name: "arp_ignore", value: 1 }];
        let _ = not_persistent(&managers, &[(941, "ib0".into())], &live);
    }
}
