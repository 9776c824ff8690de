use super::*;
use crate::sample::{Unknown, Why};
use proptest::prelude::*;

fn file(path: &str, text: &str) -> LnetFile {
    LnetFile { path: path.into(), lines: Ok(text.lines().map(Text::from).collect()) }
}

fn of(files: Vec<LnetFile>) -> Configured {
    configured(&LnetLocal { files, ..LnetLocal::default() })
}

fn nets(configured: &Configured) -> Vec<String> {
    let shown = |n: &ConfiguredNet| format!("{}({}) {:?}", n.name, n.interfaces.join(","), n.by);
    configured.nets.iter().map(shown).collect()
}

fn ids(configured: &Configured) -> Vec<&str> {
    configured.problems.iter().map(|p| p.id).collect()
}

#[test]
fn networks_of_a_modprobe_file() {
    let read = of(vec![file(
        "/etc/modprobe.d/lnet.conf",
        "options lnet networks=\"o2ib0(ib0[0],ib1[1]), tcp1(bond0), tcp\"\noptions ko2iblnd peer_credits=32",
    )]);
    let wanted = ["o2ib(ib0,ib1) Networks", "tcp1(bond0) Networks", "tcp() Networks"];
    assert_eq!(nets(&read), wanted);
    assert_eq!(ids(&read), Vec::<&str>::new());
    assert_eq!(read.parameter("ko2iblnd", "peer_credits").unwrap().value, "32");
    assert!(!read.is_empty());
}

#[test]
fn ip2nets_of_a_modprobe_file() {
    let read = of(vec![file(
        "/etc/modprobe.d/lnet.conf",
        "options lnet ip2nets=\"o2ib(ib0) 10.1.*.*; o2ib(ib1),tcp(em1) 10.2.*.* # all; tcp7 *.*.*.*\"",
    )]);
    let wanted = ["o2ib(ib0,ib1) Ip2nets", "tcp(em1) Ip2nets", "tcp7() Ip2nets"];
    assert_eq!(nets(&read), wanted);
    assert!(read.nets.iter().all(|n| n.by.is_conditional() && n.by.is_parameter()));
}

#[test]
fn the_last_line_counts_and_that_is_told() {
    let read = of(vec![
        file("/etc/modprobe.d/z-site.conf", "options lnet networks=o2ib(ib0)"),
        file("/etc/modprobe.d/lustre.conf", "options lnet networks=tcp"),
    ]);
    assert_eq!(nets(&read), ["o2ib(ib0) Networks"]);
    assert_eq!(ids(&read), ["SET_TWICE"]);
    let told = &read.problems[0].summary;
    assert!(told.contains("lustre.conf") && told.contains("z-site.conf"), "{told}");
    let same = "options lnet networks=tcp\noptions lnet networks=tcp";
    assert_eq!(ids(&of(vec![file("/etc/modprobe.d/a.conf", same)])), Vec::<&str>::new());
}

#[test]
fn both_parameters_at_once() {
    let text = "options lnet networks=tcp ip2nets=\"tcp1 *.*.*.*\"";
    assert_eq!(ids(&of(vec![file("/etc/modprobe.d/a.conf", text)])), ["NETWORKS_AND_IP2NETS"]);
    // Empty is as if it was not given.
    let text = "options lnet networks=tcp ip2nets=\"\"";
    assert_eq!(ids(&of(vec![file("/etc/modprobe.d/a.conf", text)])), Vec::<&str>::new());
}

#[test]
fn a_string_that_lnet_refuses() {
    let read = of(vec![file("/etc/modprobe.d/a.conf", "options lnet networks=tcp(eth0")]);
    assert_eq!(ids(&read), ["STRING_REFUSED"]);
    assert_eq!(nets(&read), Vec::<String>::new());
}

#[test]
fn lnet_conf_of_all_ages() {
    let backup = "net:\n-     net type: o2ib0\n      local NI(s):\n      -     interfaces:\n                  0: ib0\n            tunables:\n                  peer_credits: 32\n      -     interfaces:\n                  0: ib1\n";
    let old = "net:\n    - net: tcp2\n      interfaces:\n          0: em1\n          1: em2[0,1]\n";
    let twice = "net:\n  - net type: lo\n    local NI(s):\n      - nid: 0@lo\nnet:\n  - net type: tcp\n    local NI(s):\n      - nid: 10.0.0.1@tcp\n";
    let rules = "ip2nets:\n  - net-spec: tcp0\n    interfaces:\n      0: em1[1]\n    ip-range:\n      0: 10.1.*.*\npeer:\n  - primary nid: 10.0.0.9@tcp\n";
    for (text, wanted) in [
        (backup, "o2ib(ib0,ib1) Conf"),
        (old, "tcp2(em1,em2) Conf"),
        (twice, "tcp() Conf"),
        (rules, "tcp(em1) ConfRules"),
    ] {
        let read = of(vec![file(LNET_CONF, text)]);
        assert_eq!(nets(&read), [wanted], "{text}");
        assert_eq!(ids(&read), Vec::<&str>::new(), "{text}");
    }
    let shipped = of(vec![file(LNET_CONF, "# lnet.conf - configuration file for lnet\n#\n")]);
    assert!(shipped.is_empty() && shipped.conf.is_some() && shipped.problems.is_empty());
}

#[test]
fn lnet_conf_that_is_no_yaml() {
    for text in ["net: [", "- a\n- b", "ip2nets:\n  - ip-range:\n      0: *.*.*.*"] {
        let read = of(vec![file(LNET_CONF, text)]);
        assert_eq!(ids(&read), ["NOT_YAML"], "{text}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_told() {
    let why = Unknown::new(Why::Denied, "/etc/lnet.conf: EACCES");
    let denied = LnetFile { path: LNET_CONF.into(), lines: Err(why.clone()) };
    assert_eq!(of(vec![denied]).unread, [(Text::from(LNET_CONF), why)]);
}

proptest! {
    #[test]
    fn nothing_panics(modprobe in "\\PC{0,80}", near in "(options|alias)? ?lnet? ?[a-z0-9='\"(),;*.\\[\\]# ]{0,60}", yaml in "\\PC{0,80}") {
        for text in [&modprobe, &near] {
            let _ = of(vec![file("/etc/modprobe.d/a.conf", text)]);
        }
        let _ = of(vec![file(LNET_CONF, &yaml)]);
    }

    #[test]
    fn quoted_values_come_out_whole(value in "[a-z0-9(),;*. ]{0,40}") {
        let text = format!("options lnet accept=all ip2nets=\"{value}\" routes=x");
        let read = of(vec![file("/etc/modprobe.d/a.conf", &text)]);
        prop_assert_eq!(read.parameter("lnet", "ip2nets").unwrap().value.as_str(), value);
        prop_assert_eq!(read.parameter("lnet", "routes").unwrap().value.as_str(), "x");
    }
}
