//! Strings and what each version makes of them.

use super::*;
use crate::lnet::ip2nets::networks::Wanted;

/// NIs as `net(device)[cpts]`, or the error: E with the errno of the matching or of the parsing
/// (P), `none` for a string that matches nothing, DIV for a division by zero, NULL for a null
/// pointer, `lo` for an empty list.
fn result(kind: Kind, host: &Host, text: &str, version: Version) -> String {
    let context = Context { version, cpts: Some(4) };
    let left = match kind {
        Kind::Networks => text.as_bytes().to_vec(),
        Kind::Ip2nets => {
            let matched = kernel::matched(text.as_bytes(), host, &context);
            match matched.error {
                Some(error) => return failure(&error, 'E'),
                None => matched.networks,
            }
        }
    };
    match networks::parse(&left, &context) {
        Err(error) => failure(&error, 'P'),
        Ok(parsed) if parsed.wanted.is_empty() => "lo".into(),
        Ok(parsed) => parsed.wanted.iter().map(ni).collect::<Vec<_>>().join(" "),
    }
}

fn failure(error: &Error, kind: char) -> String {
    match error.message() {
        m if error.crash && m.contains("null") => "NULL".into(),
        _ if error.crash => "DIV".into(),
        _ if error.errno == error::ENOENT => "none".into(),
        _ => format!("{kind}{}", error.errno),
    }
}

fn ni(wanted: &Wanted) -> String {
    let device = wanted.device.as_deref().unwrap_or("-");
    let cpts: Vec<String> = wanted.cpts.iter().map(u32::to_string).collect();
    let cpts = if cpts.is_empty() { String::new() } else { format!("[{}]", cpts.join(",")) };
    format!("{}({device}){cpts}", wanted.net)
}

#[derive(Clone, Copy)]
enum Kind {
    Ip2nets,
    Networks,
}

/// Rows: addresses | string | result, and further results from a version on as `@2.14 …`.
#[track_caller]
fn assert_table(kind: Kind, table: &str) -> usize {
    let mut rows = 0;
    for row in table.lines().filter(|r| !r.trim().is_empty()) {
        let [addresses, text, results] = row.splitn(3, " | ").collect::<Vec<_>>()[..] else {
            panic!("{row}")
        };
        let text = text.replace("\\n", "\n").replace("\\t", "\t");
        let mut parts = results.split('@');
        let first = parts.next().unwrap().trim().to_owned();
        let later: Vec<(Version, String)> = parts
            .map(|p| {
                let (version, result) = p.split_once(' ').unwrap();
                (version.parse().unwrap(), result.trim().to_owned())
            })
            .collect();
        for version in Version::KNOWN {
            let wanted = later.iter().rev().find(|(from, _)| version >= *from);
            let wanted = wanted.map_or(&first, |(_, result)| result);
            let got = result(kind, &with(addresses), text.trim(), version);
            assert_eq!(&got, wanted, "{version}: {row}");
        }
        rows += 1;
    }
    rows
}

#[test]
fn ip2nets_strings() {
    let rows = assert_table(
        Kind::Ip2nets,
        r"
172.30.1.7 | tcp 172.30.1.7 | tcp(-)
172.30.1.7 | tcp 172.30.1.8 | none
172.30.1.7 | tcp *.*.*.* | tcp(-)
172.30.1.7 | o2ib(ib0) 172.30.*.* | o2ib(ib0)
172.30.1.7 | o2ib(ib0) 172.*.1.7 | o2ib(ib0)
172.30.1.7 | o2ib(ib0) *.30.*.7 | o2ib(ib0)
172.30.1.7 | o2ib7(ib0) 172.30.[1-3].[5-9] | o2ib7(ib0)
172.30.1.7 | o2ib7(ib0) 172.30.[2-3].[5-9] | none
172.30.1.7 | o2ib(ib0) 172.30.1.[1,3,5,7] | o2ib(ib0)
172.30.1.7 | o2ib(ib0) 172.30.1.[1,3,5] | none
172.30.1.7 | o2ib(ib0) 172.30.1.[1,3-4,6-9] | o2ib(ib0)
172.30.1.7 | o2ib(ib0) 172.30.1.[1-9/3] | o2ib(ib0)
172.30.1.8 | o2ib(ib0) 172.30.1.[1-9/3] | none
172.30.1.9 | o2ib(ib0) 172.30.1.[1-9/4] | o2ib(ib0)
172.30.1.7 | o2ib(ib0) 172.30.1.[7-7] | o2ib(ib0)
172.30.1.7 | o2ib(ib0) 172.30.1.[7-7/5] | o2ib(ib0)
172.30.1.7 | o2ib(ib0) 172.30.1.[0-255/7] | o2ib(ib0)
172.30.1.7 | o2ib(ib0) 172.30.1.[0-255/255] | none
172.30.1.7 | o2ib(ib0) 172.30.1.[*] | o2ib(ib0)
172.30.1.7 | o2ib(ib0) 172.30.1.[2,*] | o2ib(ib0)
172.30.1.7 | o2ib(ib0) [172].[30].[1].[7] | o2ib(ib0)
172.30.1.7 | o2ib(ib0) [171-173].[20-30/10].*.* | o2ib(ib0)
172.30.1.7 | o2ib(ib0) 172.30.1.[9-5] | none @2.17 E22
172.30.1.7 | o2ib(ib0) 172.30.1.[9-5,7] | o2ib(ib0) @2.17 E22
172.30.1.7 | o2ib(ib0) 172.30.1 | E22
172.30.1.7 | o2ib(ib0) 172.30.1.7.9 | E22
172.30.1.7 | o2ib(ib0) 172.30.1. | E22
172.30.1.7 | o2ib(ib0) .30.1.7 | E22
172.30.1.7 | o2ib(ib0) 172..1.7 | E22
172.30.1.7 | o2ib(ib0) 172.30.1.256 | E22
172.30.1.7 | o2ib(ib0) 172.30.1.[7-256] | E22
172.30.1.7 | o2ib(ib0) 172.30.1.[256-7] | E22
172.30.1.7 | o2ib(ib0) 172.30.1.4294967303 | o2ib(ib0) @2.12 E22
172.30.1.7 | o2ib(ib0) 172.30.1.-7 | E22
172.30.1.7 | o2ib(ib0) 172.30.1.+7 | E22 @2.12 o2ib(ib0)
172.30.1.7 | o2ib(ib0) 172.30.1.[+5-+9/+2] | E22 @2.12 o2ib(ib0)
172.30.1.7 | o2ib(ib0) 172.30.1.07 | o2ib(ib0)
172.30.1.8 | o2ib(ib0) 172.30.1.08 | E22
172.30.1.9 | o2ib(ib0) 172.30.1.011 | o2ib(ib0)
172.30.1.9 | o2ib(ib0) 172.30.1.[010-012] | o2ib(ib0)
172.30.1.7 | o2ib(ib0) 0xac.30.1.7 | o2ib(ib0) @2.12 E22 @2.16 o2ib(ib0)
172.30.1.7 | o2ib(ib0) 172.30.1.0X7 | o2ib(ib0) @2.12 E22 @2.16 o2ib(ib0)
172.30.1.7 | o2ib(ib0) 172.30.1.0x | E22
172.30.1.7 | o2ib(ib0) 172.30.1.7x | E22
172.30.1.7 | o2ib(ib0) 172.30.1.a | E22
172.30.1.7 | o2ib(ib0) 172.30.1.** | E22
172.30.1.7 | o2ib(ib0) 172.30.1.*7 | E22
172.30.1.7 | o2ib(ib0) 172.30.1.[ | E22
172.30.1.7 | o2ib(ib0) 172.30.1.] | E22
172.30.1.7 | o2ib(ib0) 172.30.1.[] | E22
172.30.1.7 | o2ib(ib0) 172.30.1.[7 | E22
172.30.1.7 | o2ib(ib0) 172.30.1.7] | E22
172.30.1.7 | o2ib(ib0) 172.30.1.[7,] | E22
172.30.1.7 | o2ib(ib0) 172.30.1.[,7] | E22
172.30.1.7 | o2ib(ib0) 172.30.1.[7,,8] | E22
172.30.1.7 | o2ib(ib0) 172.30.1.[7-] | none @2.16 E22
172.30.1.0 | o2ib(ib0) 172.30.1.[0-] | DIV @2.16 E22
172.30.1.7 | o2ib(ib0) 172.30.1.[-7] | E22
172.30.1.7 | o2ib(ib0) 172.30.1.[7-9-11] | E22
172.30.1.7 | o2ib(ib0) 172.30.1.[7/2] | E22
172.30.1.7 | o2ib(ib0) 172.30.1.[5-9/] | DIV @2.16 E22
172.30.1.7 | o2ib(ib0) 172.30.1.[5-9/x] | DIV @2.16 E22
172.30.1.7 | o2ib(ib0) 172.30.1.[5-9/0] | DIV
172.30.1.4 | o2ib(ib0) 172.30.1.[5-9/0]; tcp *.*.*.* | tcp(-)
172.30.1.7 | tcp *.*.*.*; o2ib(ib0) 172.30.1.[7-7/0] | DIV
172.30.1.7 | o2ib(ib0) 9.30.1.[5-9/0] | DIV
172.30.1.7 | o2ib(ib0) [5-9/0].30.1.8 | none
172.30.1.7 | o2ib(ib0) 172.30.1.0/24 | E22
172.30.1.7 | o2ib(ib0) 172.30.1.[1-9]/2 | E22
172.30.1.7 | o2ib(ib0) 172.30.1.1-9 | E22
172.30.1.7 | o2ib(ib0) 172.30.1.7,172.30.1.8 | E22
172.30.1.7 | o2ib(ib0) 172.30.1.9 172.30.1.7 | o2ib(ib0)
172.30.1.7 | o2ib(ib0) 172.30.1.7 172.30.1.x | E22
172.30.1.7 | o2ib(ib0) 172.30.1.9 172.30.1 | E22
172.30.1.7 | tcp 172.30.1.7; o2ib 172.30.1 | E22
172.30.1.7 | tcp 1.1.1.1; o2ib 172.30.1.7 | o2ib(-)
172.30.1.7 | tcp | none
172.30.1.7 | tcp(ib0);o2ib(ib0) 172.30.1.7 | o2ib(ib0)
172.30.1.7 | ; ;; | none
172.30.1.7 | # tcp *.*.*.* | none
172.30.1.7 | # x; tcp *.*.*.* | tcp(-)
172.30.1.7 | tcp *.*.*.* # x; tcp1 *.*.*.* | tcp(-) tcp1(-)
172.30.1.7 | tcp *.*.*.* # x\ntcp1 *.*.*.* | tcp(-) tcp1(-)
172.30.1.7 | tcp # *.*.*.* | none
172.30.1.7 | tcp\t*.*.*.* | tcp(-)
172.30.1.7 | tcp *.*.*.*\no2ib(ib0) *.*.*.* | tcp(-) o2ib(ib0)
172.30.1.7 | tcp0 *.*.*.*; tcp00 *.*.*.* | tcp(-) @2.14 tcp(-) tcp(-)
172.30.1.7 | o2ib(ib0) *.*.*.*; o2ib(ib1) *.*.*.* | o2ib(ib0) @2.14 o2ib(ib0) o2ib(ib1)
172.30.1.7 | o2ib(ib0) *.*.*.*; o2ib(ib0) *.*.*.* | o2ib(ib0) @2.14 P22
172.30.1.7 | o2ib(ib0) *.*.*.*; o2ib(ib1),tcp(em1) *.*.*.* | o2ib(ib0) @2.14 o2ib(ib0) o2ib(ib1) tcp(em1)
172.30.1.7 | o2ib(ib0),tcp(em1) *.*.*.*; tcp(em2) *.*.*.* | o2ib(ib0) tcp(em1) @2.14 o2ib(ib0) tcp(em1) tcp(em2)
172.30.1.7 | o2ib(ib0) 1.1.1.1; o2ib(ib1) *.*.*.* | o2ib(ib1)
172.30.1.7 | o2ib(ib10) *.*.*.*; o2ib(ib1) *.*.*.* | o2ib(ib10) @2.14 P22 @2.16 o2ib(ib10) o2ib(ib1)
172.30.1.7 | o2ib(ib1) *.*.*.*; o2ib(ib10) *.*.*.* | o2ib(ib1) @2.14 o2ib(ib1) o2ib(ib10)
172.30.1.7 | o2ib(ib10,ib1) *.*.*.* | P22 @2.16 o2ib(ib10) o2ib(ib1)
172.30.1.7 | o2ib(ib1,ib10) *.*.*.* | o2ib(ib1) o2ib(ib10)
172.30.1.7 | o2ib(ib0),o2ib(ib1) *.*.*.* | E22
172.30.1.7 | o2ib(ib0),o2ib0(ib1) *.*.*.* | E22
172.30.1.7 | o2ib(ib0), tcp(em1) *.*.*.* | E22
172.30.1.7 | o2ib(ib0) ,tcp(em1) *.*.*.* | E22
172.30.1.7 | o2ib (ib0) *.*.*.* | E22
172.30.1.7 | o2ib(ib0 ,ib1) *.*.*.* | E22
172.30.1.7 | o2ib(ib0,ib1),tcp(em1) *.*.*.* | o2ib(ib0) o2ib(ib1) tcp(em1)
172.30.1.7 | tcp(em1),o2ib(ib0,ib1) *.*.*.* | tcp(em1) o2ib(ib0) o2ib(ib1)
172.30.1.7 | tcp,o2ib *.*.*.* | tcp(-) o2ib(-)
172.30.1.7 | tcp, *.*.*.* | E22
172.30.1.7 | ,tcp *.*.*.* | E22
172.30.1.7 | o2ib(ib0)[2] *.*.*.* | o2ib(ib0)[2]
172.30.1.7 | o2ib(ib0)[0-1] *.*.*.* | o2ib(ib0)[0,1]
172.30.1.7 | o2ib(ib0)[0,1] *.*.*.* | E22
172.30.1.7 | o2ib(ib0,ib1)[0] *.*.*.* | E22
172.30.1.7 | o2ib(ib0[0],ib1[3]) *.*.*.* | o2ib(ib0)[0] o2ib(ib1)[3]
172.30.1.7 | o2ib(ib0[4]) *.*.*.* | P22
172.30.1.7 | o2ib(ib0[0-3]) *.*.*.* | o2ib(ib0)
172.30.1.7 | o2ib(ib0[*]) *.*.*.* | o2ib(ib0)
172.30.1.7 | o2ib(ib0[3,1]) *.*.*.* | o2ib(ib0)[3,1]
172.30.1.7 | o2ib(ib0[0-3/2]) *.*.*.* | o2ib(ib0)[0,2]
172.30.1.7 | o2ib(ib0[0-3/0]) *.*.*.* | DIV
172.30.1.7 | o2ib(ib0[2-1]) *.*.*.* | P22
172.30.1.7 | o2ib[0] *.*.*.* | E22
172.30.1.7 | o2ib() *.*.*.* | P22
172.30.1.7 | o2ib(ib0 *.*.*.* | P22
172.30.1.7 | o2ib(ib0,) *.*.*.* | P22
172.30.1.7 | o2ib(,ib0) *.*.*.* | P22
172.30.1.7 | o2ib)ib0( *.*.*.* | E22
172.30.1.7 | o2ib(ib0)x *.*.*.* | o2ib(ib0)
172.30.1.7 | O2IB(ib0) *.*.*.* | E22
172.30.1.7 | TCP 1.1.1.1; tcp *.*.*.* | tcp(-)
172.30.1.7 | o2ibx *.*.*.* | E22
172.30.1.7 | lo *.*.*.* | lo
172.30.1.7 | lo0 *.*.*.* | E22
172.30.1.7 | lo,tcp *.*.*.* | tcp(-)
172.30.1.7 | kfi(cxi0) *.*.*.* | kfi(cxi0)
172.30.1.7 | efa(efa0) *.*.*.* | E22 @2.17 efa(efa0)
10.5.0.9 172.30.1.7 | o2ib(ib0) 172.30.*.* | o2ib(ib0)
10.5.0.9 172.30.1.7 | tcp(em1) 172.30.*.* | tcp(em1)
10.5.0.9 172.30.1.7 | tcp 10.5.*.*; o2ib(ib0) 172.30.*.*; tcp1 9.*.*.* | tcp(-) o2ib(ib0)
10.5.0.9 172.30.1.7 | o2ib0(ib0) 172.30.1.*; o2ib1(ib1) 10.*.*.* | o2ib(ib0) o2ib1(ib1)
 | tcp *.*.*.* | none
",
    );
    assert!(rows >= 130, "{rows}");
}

#[test]
fn networks_strings() {
    let rows = assert_table(
        Kind::Networks,
        r"
1.1.1.1 | tcp | tcp(-)
1.1.1.1 | tcp0 | tcp(-)
1.1.1.1 | tcp,o2ib | tcp(-) o2ib(-)
1.1.1.1 | tcp , o2ib | tcp(-) o2ib(-)
1.1.1.1 | tcp(em1) , o2ib( ib0 , ib1 ) | tcp(em1) o2ib(ib0) o2ib(ib1)
1.1.1.1 | o2ib(ib0),o2ib(ib1) | o2ib(ib0) o2ib(ib1)
1.1.1.1 | o2ib(ib0),tcp(em1),o2ib(ib1) | o2ib(ib0) tcp(em1) o2ib(ib1)
1.1.1.1 | o2ib(ib0),tcp(ib0) | o2ib(ib0) tcp(ib0)
1.1.1.1 | o2ib(ib0,ib0) | P22
1.1.1.1 | o2ib(ib0),o2ib0(ib0) | P22
1.1.1.1 | o2ib(ib0:1,ib0) | P22 @2.16 o2ib(ib0:1) o2ib(ib0)
1.1.1.1 | tcp,tcp | tcp(-) tcp(-)
1.1.1.1 | tcp(em1),tcp | tcp(em1) tcp(-)
1.1.1.1 | tcp(em1 em2) | P22
1.1.1.1 | tcp(em1))  | P22
1.1.1.1 | tcp((em1)) | P22
1.1.1.1 | tcp em1 | tcp(-)
1.1.1.1 | tcp em1,o2ib | tcp(-) o2ib(-)
1.1.1.1 | tcp(em1) x , o2ib | tcp(em1) o2ib(-)
1.1.1.1 | tcp:em1 | P22
1.1.1.1 | tcp]0[ | P22
1.1.1.1 | tcp[0] | tcp(-)[0]
1.1.1.1 | tcp [0] (em1) | P22
1.1.1.1 | tcp(em1)[0,2] | tcp(em1)[0,2]
1.1.1.1 | tcp(em1,em2)[0,2] | tcp(em1)[0,2] tcp(em2)[0,2]
1.1.1.1 | tcp(em1[1],em2)[0,2] | tcp(em1)[1] tcp(em2)[0,2]
1.1.1.1 | tcp(em1) [0, 2] | tcp(em1)[0,2]
1.1.1.1 | tcp(em1)[0 - 2] | NULL @2.16 tcp(em1)[0,1,2]
1.1.1.1 | tcp(em1)[4] | P22
1.1.1.1 | tcp(em1)[0-4] | P22
1.1.1.1 | tcp(em1)[0,0,0,0,0] | P22
1.1.1.1 | tcp(em1)[0,0] | tcp(em1)[0,0]
1.1.1.1 | tcp(em1)[] | P22
1.1.1.1 | tcp(em1)[0 | P22
1.1.1.1 | tcp(em1)[0]],o2ib | P22
1.1.1.1 | tcp(em1 | P22
1.1.1.1 | tcp( | P22
1.1.1.1 | tcp() | P22
1.1.1.1 | tcp(em1,) | P22
1.1.1.1 | tcp(,em1) | P22
1.1.1.1 | , | P22
1.1.1.1 | tcp, | tcp(-)
1.1.1.1 | tcp,,o2ib | P22
1.1.1.1 | bogus | P22
1.1.1.1 | tcp;o2ib | P22
1.1.1.1 | lo | lo
1.1.1.1 | lo(em1),tcp(em1) | tcp(em1)
1.1.1.1 | tcp65536 | <3:0>(-)
1.1.1.1 | tcp(em1.100,bond0:1,p1p1_0) | tcp(em1.100) tcp(bond0:1) tcp(p1p1_0)
",
    );
    assert!(rows >= 45, "{rows}");
}

/// Host, engine by string, NIDs or the errno at the start.
#[test]
fn nids_of_a_boot() {
    let host = node();
    let boot = |text: &str, version: &str| {
        let context = at(version);
        let rules = match text.strip_prefix("networks=") {
            Some(text) => Rules::Networks(text.to_owned()),
            None => Rules::Ip2nets(text.to_owned()),
        };
        let out = explain(&rules, &host, &context);
        out.error
            .as_ref()
            .map_or(out.nids().join(" "), |e| format!("{} {}", e.errno, e.start_errno))
    };
    for (text, wanted) in [
        ("", "10.5.0.9@tcp"),
        ("networks=", "10.5.0.9@tcp"),
        ("networks=tcp0", "10.5.0.9@tcp"),
        ("networks=tcp(ib0:1)", "172.30.9.7@tcp"),
        ("networks=tcp(ib0)", "172.30.1.7@tcp"),
        ("networks=o2ib", "172.30.1.7@o2ib"),
        ("networks=o2ib(ib0,ib1)", "172.30.1.7@o2ib 172.30.2.7@o2ib"),
        ("networks=tcp(em1),o2ib(ib0),tcp(ib1)", "10.5.0.9@tcp 172.30.2.7@tcp 172.30.1.7@o2ib"),
        ("networks=tcp(ib2)", "100 100"),
        ("networks=tcp(ib3)", "100 100"),
        ("networks=tcp(lo)", "100 100"),
        ("networks=tcp(ib9)", "100 100"),
        ("networks=o2ib(ib0,ib2)", "100 100"),
        ("networks=o2ib(em1)", "100 100"),
        ("networks=tcp99999(em1)", "22 22"),
        ("networks=lo", ""),
        ("tcp 172.30.9.*", "10.5.0.9@tcp"),
        ("tcp(ib1) 10.5.*.*", "172.30.2.7@tcp"),
        ("tcp 172.30.3.7", "2 22"),
        ("tcp 127.0.0.1", "2 22"),
        ("tcp 172.30", "22 22"),
        ("o2ib(ib0) 172.30.1.*; o2ib(ib1) 172.30.2.*", "172.30.1.7@o2ib 172.30.2.7@o2ib"),
        ("o2ib(ib0) 172.30.1.*; o2ib(ib2) 172.30.3.*", "172.30.1.7@o2ib"),
        ("o2ib(ib0) 172.30.1.*; o2ib(ib2) 172.30.*.*", "100 100"),
    ] {
        assert_eq!(boot(text, "2.15.8"), wanted, "{text}");
        assert_eq!(boot(text, "2.17.0"), wanted, "{text}");
    }
    assert_eq!(boot("o2ib(ib0) *.*.*.*; o2ib(ib1) *.*.*.*", "2.12.9"), "172.30.1.7@o2ib");
    assert_eq!(Host::default().candidates(), []);
    let out = kernel::boot(b"tcp *.*.*.*", &Host::default(), &at("2.15.8"));
    let words = out.error.unwrap().words;
    assert_eq!(words[0], "No local IP interfaces for ip2nets to match");
}

#[test]
fn the_console_points_at_the_place() {
    let context = at("2.15.8");
    for (text, marks) in [
        ("tcp 1.2.3", ".".repeat(24) + "|----|"),
        ("o2ib(ib0),tcp 1.2.3.4 9", ".".repeat(42) + "||"),
        ("tcp,tcp *.*.*.*", ".".repeat(24) + "|--|"),
        ("tcp(a,b)x *.*.*.*", ".".repeat(23) + "|-----|"),
    ] {
        let out = kernel::boot(text.as_bytes(), &node(), &context);
        let words = out.error.unwrap().words;
        assert_eq!(words[0], format!("Error parsing 'ip2nets=\"{text}\"'"));
        assert_eq!(words[1], format!("here{marks}"), "{text}");
    }
    let out = networks::boot(b"tcp(em1) , bogus(x)", &node(), &context);
    let words = out.error.unwrap().words;
    assert_eq!(words[0], "Unrecognised network type");
    assert_eq!(words[2], format!("here{}|----|", ".".repeat(11 + 8 + 2 + 11)));
}
