//! What is written, and what is said beside it.

use super::*;
use crate::fix::{Action, Change, RouteSpec, RuleSpec, SysctlKey};
use crate::sample::{Family, Managed, Prefix, Text};
use proptest::prelude::*;

fn prefix(text: &str) -> Prefix {
    rule::parse(text).unwrap()
}

fn connected(dev: &str, src: &str, table: u32) -> Change {
    Change::here(Action::RouteReplace {
        route: RouteSpec::connected(
            prefix("172.16.0.0/16"),
            dev.into(),
            src.parse().unwrap(),
            table,
        ),
        before: None,
    })
}

fn from(src: &str, preference: u32, table: u32) -> Change {
    Change::here(Action::RuleAdd(RuleSpec {
        family: Family::Inet,
        preference,
        selectors: format!("from {src}").into(),
        action: format!("lookup {table}").into(),
    }))
}

fn sysctl_of(dev: &str, name: &'static str, value: i64) -> Change {
    let key = SysctlKey { family: Family::Inet, interface: dev.into(), name };
    Change::here(Action::Sysctl { key, value, before: None })
}

fn state(interface: &str, address: &str) -> RailState {
    RailState {
        interface: interface.into(),
        kind: Kind::Infiniband { mode: Some("datagram".into()), pkey: None, parent: None },
        addresses: vec![prefix(address)],
        managed: None,
    }
}

fn kept(mut state: RailState, manager: Manager, profile: &str, shared: bool) -> RailState {
    let profile: Option<Text> = Some(profile.into());
    let daemon = (manager == Manager::Netplan).then_some(Manager::NetworkManager);
    let evidence = "/run/x".into();
    state.managed = Some(Managed {
        manager,
        daemon,
        profile: profile.clone(),
        file: profile,
        shared,
        evidence,
    });
    state
}

fn two_rails() -> Plan {
    let changes = [
        connected("ib0", "172.16.34.1", 941),
        connected("ib1", "172.16.34.2", 942),
        from("172.16.34.1", 9410, 941),
        from("172.16.34.2", 9420, 942),
        sysctl_of("ib0", "arp_ignore", 1),
        sysctl_of("ib0.8001", "arp_ignore", 1),
    ];
    let rails = [
        state("ib0", "172.16.34.1/16"),
        state("ib1", "172.16.34.2/16"),
        state("ib0.8001", "172.18.34.1/16"),
    ];
    plan(&changes, &rails)
}

fn file<'p>(persist: &'p Persist, path: &str) -> &'p File {
    persist.files.iter().find(|f| f.path == path).unwrap_or_else(|| panic!("{path}: {persist:#?}"))
}

#[test]
fn sysctls_with_every_manager() {
    for manager in Manager::ALL {
        let out = render(manager, &two_rails());
        let file = file(&out, "/etc/sysctl.d/90-railtop-rails.conf");
        assert!(file.content.ends_with(
            "\nnet.ipv4.conf.ib0.arp_ignore = 1\nnet/ipv4/conf/ib0.8001/arp_ignore = 1\n"
        ));
        assert!(!file.partial && file.mode == 0o644);
    }
}

#[test]
fn only_sysctls_change_no_other_file() {
    let plan = plan(&[sysctl_of("all", "rp_filter", 2)], &[]);
    for manager in Manager::ALL {
        let out = render(manager, &plan);
        assert_eq!(out.files.len(), 1);
        assert!(out.files[0].content.ends_with("\nnet.ipv4.conf.all.rp_filter = 2\n"));
    }
}

#[test]
fn a_profile_that_is_there_is_modified() {
    let changes = [connected("ib0", "172.16.34.1", 941), from("172.16.34.1", 9410, 941)];
    let state = kept(state("ib0", "172.16.34.1/16"), Manager::NetworkManager, "uu-id", false);
    let out = render(Manager::NetworkManager, &plan(&changes, &[state]));
    assert_eq!(out.files, []);
    assert_eq!(
        out.commands,
        [
            "nmcli connection modify uuid uu-id \
             +ipv4.routes '172.16.0.0/16 0.0.0.0 scope=253 src=172.16.34.1 table=941' \
             +ipv4.routing-rules 'priority 9410 from 172.16.34.1 table 941'",
            "nmcli device reapply ib0"
        ]
    );
    assert!(out.warnings.iter().any(|w| w.contains("ipv4.route-table")));
    assert!(out.warnings.iter().any(|w| w.contains("ignore-carrier")));
}

#[test]
fn a_new_profile_takes_the_address_for_a_moment() {
    let changes = [connected("ib0", "172.16.34.1", 941)];
    let out = render(Manager::NetworkManager, &plan(&changes, &[state("ib0", "172.16.34.1/16")]));
    assert!(out.commands.contains(&"nmcli connection up railtop-ib0".to_owned()));
    let told = |w: &String| w.contains("railtop-ib0") && w.contains("addresses of ib0 away");
    assert!(out.warnings.iter().any(told), "{:?}", out.warnings);
}

/// What works now stays, but for what the remedy replaces or takes away.
#[test]
fn a_remedy_stands_beside_what_works_now() {
    let live = [
        connected("ib0", "172.16.34.1", 941),
        from("172.16.34.1", 9410, 941),
        from("172.16.34.1", 9411, 941),
        connected("ib1", "172.16.34.2", 942),
    ];
    let delete = |change: &Change| match &change.action {
        Action::RuleAdd(rule) => Change::here(Action::RuleDelete(rule.clone())),
        other => panic!("{other:?}"),
    };
    let remedy = [connected("ib2", "172.16.34.3", 942), delete(&live[2])];
    let all = beside(&live, &remedy);
    assert_eq!(all[..2], live[..2]);
    assert_eq!(all[2..], remedy);
}

#[test]
fn a_network_file_gets_a_drop_in_unless_others_have_it() {
    let changes = [connected("ib0", "172.16.34.1", 941), from("172.16.34.1", 9410, 941)];
    let of = |shared| {
        let path = "/usr/lib/systemd/network/10-x.network";
        let state = kept(state("ib0", "172.16.34.1/16"), Manager::Networkd, path, shared);
        render(Manager::Networkd, &plan(&changes, &[state]))
    };
    let own = of(false);
    let drop_in = file(&own, "/etc/systemd/network/10-x.network.d/90-railtop.conf");
    assert!(!drop_in.content.contains("[Match]") && !drop_in.content.contains("Address="));
    let shared = of(true);
    let whole = file(&shared, "/etc/systemd/network/05-railtop-ib0.network");
    assert!(whole.content.contains("[Match]\nName=ib0\n"));
    assert!(whole.content.contains("Address=172.16.34.1/16\n"));
    assert!(shared.warnings.iter().any(|w| w.contains("more than ib0")));
    for out in [own, shared] {
        assert!(out.warnings.iter().any(|w| w.contains("ManageForeignRoutingPolicyRules=no")));
    }
}

#[test]
fn netplan_says_that_network_manager_loses_the_rules() {
    let changes = [connected("ib0", "172.16.34.1", 941), from("172.16.34.1", 9410, 941)];
    let state = kept(state("ib0", "172.16.34.1/16"), Manager::Netplan, "u", false);
    let out = render(Manager::Netplan, &plan(&changes, &[state]));
    let yaml = file(&out, "/etc/netplan/90-railtop.yaml");
    assert!(!yaml.content.contains("renderer") && !yaml.content.contains("addresses"));
    assert!(out.warnings.iter().any(|w| w.contains("silently drops routing-policy")));
    assert!(!out.warnings.iter().any(|w| w.contains("ManageForeign")));
}

#[test]
fn ifcfg_rules_by_who_reads_them() {
    let changes = [connected("ib0", "172.16.34.1", 941), from("172.16.34.1", 9410, 941)];
    let base = state("ib0", "172.16.34.1/16");
    let nm = render(Manager::Ifcfg, &plan(&changes, std::slice::from_ref(&base)));
    let dir = "/etc/sysconfig/network-scripts";
    assert_eq!(
        file(&nm, &format!("{dir}/ifcfg-ib0")).content,
        "ROUTING_RULE_1=\"priority 9410 from 172.16.34.1 table 941\"\n"
    );
    assert_eq!(
        file(&nm, &format!("{dir}/route-ib0")).content,
        "172.16.0.0/16 dev ib0 scope link src 172.16.34.1 table 941\n"
    );
    assert!(nm.files.iter().all(|f| f.partial && !f.path.contains("rule-")));
    let old = kept(base, Manager::Ifcfg, "/etc/x", false);
    let old = render(Manager::Ifcfg, &plan(&changes, &[old]));
    assert_eq!(
        file(&old, &format!("{dir}/rule-ib0")).content,
        "from 172.16.34.1 table 941 priority 9410\n"
    );
}

#[test]
fn what_no_file_can_say_is_said() {
    let rule = |selectors: &str, action: &str| RuleSpec {
        family: Family::Inet,
        preference: 100,
        selectors: selectors.into(),
        action: action.into(),
    };
    let changes = [
        Change::here(Action::RuleDelete(rule("from 172.16.34.1", "lookup 941"))),
        Change::here(Action::RuleAdd(rule("from 172.16.34.1", "goto 200"))),
        Change::here(Action::RuleAdd(rule("from 9.9.9.9", "lookup 5"))),
        Change::here(Action::NextHopAdd { id: 7, dev: "ib0".into() }),
        Change::here(Action::NeighbourFlush { dev: "ib0".into() }),
        Change::peer(Action::NeighbourFlush { dev: "ib9".into() }),
        Change::here(Action::LinkMtu { dev: "$(reboot)".into(), mtu: 2044, before: None }),
    ];
    let plan = plan(&changes, &[state("ib0", "172.16.34.1/16"), state("$(reboot)", "10.0.0.1/8")]);
    assert_eq!(plan.rails, []);
    assert_eq!(plan.left_out.len(), 5, "{:#?}", plan.left_out);
    let out = render(Manager::Netplan, &plan);
    assert_eq!((out.files.len(), out.warnings), (0, plan.left_out));
}

#[test]
fn another_keeper_is_named() {
    let changes = [from("172.16.34.1", 9410, 941)];
    let kept_by = |manager| kept(state("ib0", "172.16.34.1/16"), manager, "/x/a.network", false);
    let says = |target, keeper| {
        let out = render(target, &plan(&changes, &[kept_by(keeper)]));
        out.warnings.iter().any(|w| w.contains("is kept by"))
    };
    assert!(says(Manager::Ifupdown, Manager::NetworkManager));
    assert!(says(Manager::Networkd, Manager::Ifupdown));
    assert!(!says(Manager::Networkd, Manager::Networkd));
    assert!(!says(Manager::Nmstate, Manager::NetworkManager));
    assert!(!says(Manager::NetworkManager, Manager::NetworkManager));
}

#[test]
fn the_machine_contract() {
    let out = render(Manager::Networkd, &two_rails());
    let json = serde_json::to_value(&out).unwrap();
    assert_eq!(json["manager"], "networkd");
    assert_eq!(json["files"][0]["mode"], "0644");
    assert!(json["files"][0]["path"].is_string() && json["files"][0]["content"].is_string());
}

proptest! {
    /// Whatever the names are, they stay words: no line of a file is made by one.
    #[test]
    fn names_do_not_break_out(name in "[ -~]{1,15}", manager in 0usize..7) {
        let changes = [
            connected(&name, "172.16.34.1", 941),
            from("172.16.34.1", 9410, 941),
            sysctl_of(&name, "arp_ignore", 1),
        ];
        let plan = plan(&changes, &[state(&name, "172.16.34.1/16")]);
        let out = render(Manager::ALL[manager], &plan);
        if !write::is_plain_name(&Text::from(&*name)) {
            prop_assert_eq!(out.files, []);
            prop_assert_eq!(out.commands, Vec::<String>::new());
        }
    }
}
