//! Every surprise comes where it should, and not on rules that are fine.

use super::*;
use crate::lnet::config::Conf;

fn ids(rules: &Rules, version: &str) -> Vec<&'static str> {
    let mut ids: Vec<&str> =
        explain(rules, &node(), &at(version)).surprises.iter().map(|s| s.id).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

#[test]
fn of_kernel_strings() {
    for (text, version, wanted) in [
        ("o2ib(ib0,ib1) 172.30.*.*", "2.15.8", &[][..]),
        ("o2ib(ib0) 172.30.1.*", "2.12.9", &[]),
        ("o2ib(ib0) 172.30.1.*", "2.17.0", &["STRING_DEPRECATED"]),
        ("tcp 172.30.1.*", "2.15.8", &["DEVICE_NOT_NAMED"]),
        ("o2ib 172.30.1.*", "2.15.8", &["DEVICE_NOT_NAMED"]),
        ("o2ib(ib1) 172.30.1.*", "2.15.8", &["MATCH_ON_OTHER_DEVICE"]),
        ("o2ib(ib0) 172.30.1.*; o2ib(ib1) *.*.*.*", "2.15.8", &["LATER_RULE_ADDS_NI"]),
        ("o2ib(ib0) 172.30.1.*; o2ib(ib1) *.*.*.*", "2.12.9", &["LATER_RULE_IGNORED"]),
        ("o2ib(ib0,ib2) *.*.*.*", "2.15.8", &["ONE_DEVICE_FAILS_ALL"]),
        ("o2ib(ib0,ib9) *.*.*.*", "2.15.8", &["ONE_DEVICE_FAILS_ALL"]),
        ("o2ib(em1) *.*.*.*", "2.15.8", &["ONE_DEVICE_FAILS_ALL"]),
        ("tcp(em1) 10.05.0.011", "2.15.8", &["OCTAL"]),
        ("o2ib(ib0)[0,1] *.*.*.*", "2.15.8", &["CPT_BRACKETS"]),
        ("o2ib(ib0,ib1)[0] *.*.*.*", "2.15.8", &["CPT_BRACKETS"]),
        ("tcp1(em1) *.*.*.* # a; o2ib(ib0) *.*.*.*", "2.15.8", &["COMMENT_ENDS_AT_SEMICOLON"]),
        ("# rails; o2ib(ib0) *.*.*.*; # end", "2.15.8", &[]),
        ("o2ib(ib0:1,ib0) *.*.*.*", "2.15.8", &["PREFIX_OF_OTHER_DEVICE"]),
        ("tcp(em1) 10.5.0.[5-9/0]", "2.15.8", &["STEP_ZERO_CRASHES"]),
        ("tcp(em1) *.*.*.*; tcp1 1.1.1.[5-9/0]", "2.15.8", &["STEP_ZERO_CRASHES"]),
        ("o2ib(ib0) 172.30.1.*; o2ib1(ib1) 172.30.2.*", "2.15.8", &["TWO_NETS_NOT_TWO_RAILS"]),
        (
            "o2ib(em1) *.*.*.*; o2ib1(ib9) *.*.*.*",
            "2.15.8",
            &["ONE_DEVICE_FAILS_ALL", "TWO_NETS_NOT_TWO_RAILS"],
        ),
        ("o2ib(em1,ib0) *.*.*.*; o2ib1(ib9) *.*.*.*", "2.15.8", &["ONE_DEVICE_FAILS_ALL"]),
        ("tcp(em1) 10.5.*.*; o2ib(ib0) 172.30.*.*", "2.15.8", &[]),
        ("tcp0(em1) 10.5.*.*", "2.15.8", &["NET_ZERO"]),
        ("tcp(em1) 10.5.0.[9-5] 10.5.*.*", "2.15.8", &["RANGE_REVERSED"]),
        ("bogus 1.1.1.1; tcp(em1) *.*.*.*", "2.15.8", &["NET_NOT_LOOKED_AT"]),
        ("tcp1; tcp(em1) *.*.*.*", "2.15.8", &["RULE_WITHOUT_PATTERN"]),
        ("o2ib (ib0) *.*.*.*", "2.15.8", &["BLANK_IN_NETS"]),
        (
            "tcp(em1) *.*.*.*; tcp *.*.*.*",
            "2.15.8",
            &["DEVICE_NOT_NAMED", "LATER_RULE_ADDS_NI", "SAME_NID_TWICE"],
        ),
        ("tcp(em1) 10.5.0.[9]", "2.16.1", &["NET_ADD_CRASHES"]),
        ("kfi(cxi0) *.*.*.*", "2.15.8", &["MATCH_ON_OTHER_DEVICE", "NID_UNKNOWN"]),
        ("lo,tcp(em1) *.*.*.*", "2.15.8", &["LO_IGNORED"]),
    ] {
        assert_eq!(ids(&Rules::Ip2nets(text.into()), version), wanted, "{version}: {text}");
    }
    let long = format!("tcp(em1) *.*.*.*; {}", "tcp9(em1) 1.1.1.1; ".repeat(60));
    assert_eq!(ids(&Rules::Ip2nets(long), "2.15.8"), ["VALUE_TOO_LONG"]);
}

#[test]
fn of_networks_strings() {
    for (text, wanted) in [
        ("o2ib(ib0,ib1)", &[][..]),
        ("tcp", &["DEVICE_NOT_NAMED"]),
        ("tcp(em1) o2ib(ib0)", &["TEXT_IGNORED"]),
        ("o2ib(ib0),o2ib1(ib1)", &["TWO_NETS_NOT_TWO_RAILS"]),
        ("tcp0(em1)", &["NET_ZERO"]),
        ("tcp10(em1)", &[]),
        ("o2ib(ib0,ib9)", &["ONE_DEVICE_FAILS_ALL"]),
        ("o2ib(ib1,ib0),tcp(em1)[0,1]", &[]),
    ] {
        assert_eq!(ids(&Rules::Networks(text.into()), "2.15.8"), wanted, "{text}");
    }
    let both = Rules::Both { networks: "tcp".into(), ip2nets: "tcp *.*.*.*".into() };
    assert_eq!(ids(&both, "2.15.8"), ["NETWORKS_AND_IP2NETS"]);
    let error = explain(&both, &node(), &at("2.15.8")).error.unwrap();
    let words = "Please specify EITHER 'networks' or 'ip2nets' but not both at once";
    assert_eq!((error.errno, error.words[0].as_str()), (22, words));
}

#[test]
fn of_yaml_rules() {
    let rules = |text: &str| Rules::Yaml(Conf::read(text).unwrap());
    let leak = "ip2nets:\n - net-spec: tcp1\n   interfaces: {0: em1}\n - net-spec: o2ib\n   ip-range: {0: 172.30.*.*}\n";
    assert_eq!(ids(&rules(leak), "2.15.8"), ["INTERFACE_DROPPED", "KEY_FROM_NEXT_RULE"]);
    assert_eq!(ids(&rules(leak), "2.17.0"), Vec::<&str>::new());
    let down = "ip2nets:\n - net-spec: o2ib\n   interfaces: {0: ib0, 1: ib2}\n";
    assert_eq!(ids(&rules(down), "2.15.8"), ["INTERFACE_DROPPED"]);
    let none = "ip2nets:\n - net-spec: o2ib\n   ip-range: {0: 9.9.9.*}\n";
    assert_eq!(ids(&rules(none), "2.15.8"), ["IMPORT_SILENT"]);
    assert_eq!(ids(&rules(none), "2.16.1"), ["IP2NETS_UNSUPPORTED"]);
    let flat = "ip2nets:\n - net-spec: tcp1\n   ip-range: 172.30.*.*\n";
    assert_eq!(ids(&rules(flat), "2.15.8"), ["RANGE_NOT_A_LIST"]);
    let zero = "ip2nets:\n - net-spec: tcp1\n   ip-range: {0: '172.30.1.[5-9/0]'}\n";
    assert_eq!(ids(&rules(zero), "2.15.8"), ["STEP_ZERO_CRASHES"]);
    let later = "ip2nets:\n - net-spec: o2ib\n   interfaces: {0: ib0}\n   ip-range: {0: 172.30.*.*}\n - net-spec: o2ib\n   interfaces: {0: ib1}\n   ip-range: {0: 172.30.*.*}\n";
    assert_eq!(ids(&rules(later), "2.17.0"), ["LATER_RULE_IGNORED"]);
    assert_eq!(ids(&rules(later), "2.15.8"), Vec::<&str>::new());
}

#[test]
fn other_versions_are_told_only_where_they_differ() {
    let versions = |text: &str| {
        let (host, context) = (node(), at("2.15.8"));
        let rules = Rules::Ip2nets(text.into());
        let here = explain(&rules, &host, &context);
        let groups = otherwise(&rules, &host, &context, &here);
        let shown = |(v, o): &(Vec<Version>, Outcome)| {
            let v: Vec<String> = v.iter().map(Version::to_string).collect();
            format!("{}: {}", v.join(" "), o.nids().join(" "))
        };
        groups.iter().map(shown).collect::<Vec<_>>()
    };
    assert_eq!(versions("o2ib(ib0,ib1) *.*.*.*"), Vec::<String>::new());
    let two = "o2ib(ib0) *.*.*.*; o2ib(ib1) *.*.*.*";
    assert_eq!(versions(two), ["2.10.8 2.12.9: 172.30.1.7@o2ib"]);
    assert_eq!(versions("o2ib(ib0) 172.30.1.0x7"), ["2.10.8 2.16.1 2.17.0: 172.30.1.7@o2ib"]);
}
