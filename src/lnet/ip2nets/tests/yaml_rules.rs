//! YAML rules by version.

use super::*;
use crate::lnet::config::Conf;
use std::fmt::Write;

/// NIDs and, behind a bar, the exit code of a failed import.
fn import(text: &str, version: &str) -> String {
    let conf = Conf::read(text).unwrap();
    let out = yaml::import(&conf, &v6node(), &at(version));
    let exit = out.error.as_ref().map(|e| format!(" | {}", e.exit.map_or(0, u32::from)));
    out.nids().join(" ") + &exit.unwrap_or_default()
}

fn v6node() -> Host {
    let mut host = node();
    host.interfaces[3]
        .addresses
        .push(HostAddress { label: "ib1".into(), address: "fd00:30::7".parse().unwrap() });
    host
}

/// A rule of one line each: `net; devices; ranges`.
fn rules(lines: &[&str]) -> String {
    let mut text = "ip2nets:\n".to_owned();
    for line in lines {
        let [net, devices, ranges] = line.split(';').map(str::trim).collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        writeln!(text, "  - net-spec: {net}").unwrap();
        for (key, values) in [("interfaces", devices), ("ip-range", ranges)] {
            for (index, value) in values.split_whitespace().enumerate() {
                if index == 0 {
                    writeln!(text, "    {key}:").unwrap();
                }
                writeln!(text, "        {index}: \"{value}\"").unwrap();
            }
        }
    }
    text
}

#[test]
fn by_version() {
    let rails = "172.30.1.7@o2ib 172.30.2.7@o2ib";
    for (lines, old, new) in [
        (&["tcp; ; "][..], "10.5.0.9@tcp", "10.5.0.9@tcp"),
        (&["o2ib; ib0 ib1; "], rails, rails),
        (&["o2ib; ib0 ib1; 172.30.*.*"], rails, rails),
        (&["o2ib; ib0[0] ib1[1]; "], rails, rails),
        (&["o2ib; ; 172.30.[1-2].*"], rails, rails),
        (
            &["tcp; ; 172.30.*.*"],
            "172.30.1.7@tcp 172.30.9.7@tcp 172.30.2.7@tcp",
            "172.30.1.7@tcp 172.30.9.7@tcp 172.30.2.7@tcp",
        ),
        // The one that does not fit: dropped before, the whole rule from 2.17.
        (&["o2ib; ib0 ib1; 172.30.1.*"], "172.30.1.7@o2ib", " | 234"),
        (&["o2ib; ib0 ib2; "], "172.30.1.7@o2ib", " | 234"),
        (&["o2ib; ib0 ib9; "], "172.30.1.7@o2ib", " | 234"),
        (&["o2ib; ib0 ib3; "], "172.30.1.7@o2ib", " | 234"),
        (&["o2ib; ; 9.9.*.*"], "", " | 234"),
        // Two rules for a net.
        (&["o2ib; ib0; 172.30.1.*", "o2ib; ib1; 172.30.2.*"], rails, "172.30.1.7@o2ib"),
        (&["o2ib; ib0; 9.9.*.*", "o2ib; ib1; 172.30.2.*"], "172.30.2.7@o2ib", "172.30.2.7@o2ib"),
        (&["o2ib; ib0 ib9; 172.30.*.*", "o2ib; ib1; 172.30.2.*"], rails, "172.30.2.7@o2ib"),
        // Keys of the next rule.
        (
            &["tcp1; em1; ", "o2ib; ; 172.30.1.*"],
            "172.30.1.7@o2ib",
            "10.5.0.9@tcp1 172.30.1.7@o2ib",
        ),
        (
            &["tcp1; ; ", "tcp2; ib1; "],
            "172.30.2.7@tcp1 172.30.2.7@tcp2",
            "10.5.0.9@tcp1 172.30.2.7@tcp2",
        ),
        // The same device twice.
        (&["o2ib; ; 172.30.[1,2].* 172.30.1.*"], "172.30.1.7@o2ib | 239", rails),
        (&["o2ib; ib0; ", "o2ib; ib0; "], "172.30.1.7@o2ib | 239", "172.30.1.7@o2ib"),
        // What no version takes.
        (&["tcp; ; 172.30.1"], " | 255", " | 234"),
        (&["tcp; ; 172.30.1.256"], " | 255", " | 234"),
        (&["bogus; em1; "], " | 234", " | 234"),
        (&["tcp(em1); ; 10.5.*.*"], " | 234", " | 234"),
        (&["o2ib; em1; "], " | 156", " | 234"),
        // The loopback matches everything too, and fails first.
        (&["tcp; ; *.*.*.*"], " | 156", " | 234"),
        // From 2.17.
        (&["tcp; ; 172.30.2.0/24"], " | 255", "172.30.2.7@tcp"),
        (
            &["tcp; ; 172.30.0.0/14 9.0.0.0/8"],
            " | 255",
            "172.30.1.7@tcp 172.30.9.7@tcp 172.30.2.7@tcp",
        ),
        (&["tcp; ; 172.30.2.0/33"], " | 255", " | 234"),
        (&["tcp; ; 172.30.2.0/0"], " | 255", " | 234"),
        (&["tcp; ; fd00:30::/64"], " | 255", "fd00:30::7@tcp"),
        (&["tcp; ; fd00:30::7"], " | 255", "fd00:30::7@tcp"),
        (&["tcp; ; fd00:31::/64"], " | 255", " | 234"),
        // A failure ends it from 2.17, not before.
        (&["tcp1; ; 1.2.3", "tcp2; em1; 10.5.*.*"], "10.5.0.9@tcp2 | 255", " | 234"),
        (
            &["tcp2; em1; 10.5.*.*", "tcp1; em1; 1.2.3"],
            "10.5.0.9@tcp2 | 255",
            "10.5.0.9@tcp2 | 234",
        ),
        // As the C library reads numbers.
        (&["tcp; em1; 10.5.0.011"], "10.5.0.9@tcp", "10.5.0.9@tcp"),
        (&["tcp; em1; 0xa.5.0.+9"], "10.5.0.9@tcp", "10.5.0.9@tcp"),
        (&["tcp; em1; 10.5.0.[5-9/0]"], " | 136", " | 136"),
    ] {
        let text = rules(lines);
        for version in ["2.10.8", "2.12.9", "2.14.0", "2.15.8"] {
            assert_eq!(import(&text, version), old, "{version}: {lines:?}");
        }
        assert_eq!(import(&text, "2.16.1"), " | 234", "{lines:?}");
        assert_eq!(import(&text, "2.17.0"), new, "{lines:?}");
    }
}

#[test]
fn the_first_key_must_be_the_net_from_2_17() {
    let text = "ip2nets:\n - interfaces: {0: em1}\n   net-spec: tcp\n";
    assert_eq!(import(text, "2.15.8"), "10.5.0.9@tcp");
    assert_eq!(import(text, "2.17.0"), " | 234");
    let missing = "ip2nets:\n - interfaces: {0: em1}\n";
    assert_eq!(import(missing, "2.15.8"), " | 255");
}

#[test]
fn the_net_section() {
    let net = |text: &str| import(text, "2.15.8");
    let two = "net:\n - net type: o2ib\n   local NI(s):\n    - interfaces: {0: ib0}\n    - interfaces: {0: ib1}\n";
    assert_eq!(net(two), "172.30.1.7@o2ib 172.30.2.7@o2ib");
    let down = "net:\n - net type: o2ib\n   local NI(s):\n    - interfaces: {0: ib0}\n    - interfaces: {0: ib2}\n";
    assert_eq!(net(down), " | 0");
    let no_device = "net:\n - net type: tcp\n   local NI(s):\n    - nid: 10.5.0.9@tcp\n";
    assert_eq!(net(no_device), " | 0");
    let both = format!("{two}ip2nets:\n - net-spec: tcp\n   interfaces: {{0: em1}}\n");
    assert_eq!(net(&both), "172.30.1.7@o2ib 172.30.2.7@o2ib 10.5.0.9@tcp");
    assert_eq!(net("net:\n - net type: lo\n"), "");
    assert_eq!(net("peer:\n - primary nid: x\n"), "");
}

proptest! {
    #[test]
    fn nothing_panics(
        any in "\\PC{0,80}",
        near in "(ip2nets:|net:)\n( - (net-spec|net type|interfaces|ip-range): ?[a-z0-9*./\\[\\]-]{0,12}\n(   (interfaces|ip-range|net-spec|local NI\\(s\\)):\n( +[0-9]: [a-z0-9*./:-]{0,14}\n){0,2}){0,3}){0,3}",
    ) {
        for text in [any, near] {
            let Ok(conf) = Conf::read(&text) else { continue };
            let rules = Rules::Yaml(conf);
            for version in Version::KNOWN {
                explain(&rules, &v6node(), &Context::new(version));
            }
        }
    }
}
