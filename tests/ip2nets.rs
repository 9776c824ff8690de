//! ip2nets against what was recorded from LNet itself, where `RAILTOP_SAMPLES` names it.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail loudly"
)]

use railtop::lnet::config::Conf;
use railtop::lnet::ip2nets::host::{HostAddress, Interface};
use railtop::lnet::ip2nets::{Context, Host, Outcome, Version, kernel, networks, yaml};
use serde_json::Value;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::Command;

fn skip(test: &str, why: &str) {
    println!("skipped: {test}: {why}");
}

fn samples() -> Option<PathBuf> {
    std::env::var_os("RAILTOP_SAMPLES").map(PathBuf::from)
}

fn interface(name: &str, up: bool, rdma: bool, addresses: &[(&str, &str)]) -> Interface {
    Interface {
        name: name.into(),
        up,
        loopback: name == "lo",
        rdma: Some(rdma),
        addresses: addresses
            .iter()
            .map(|(label, a)| HostAddress { label: (*label).into(), address: a.parse().unwrap() })
            .collect(),
    }
}

/// NIs as the table of vectors writes them.
fn nis(wanted: &[networks::Wanted]) -> String {
    if wanted.is_empty() {
        return "NONE".into();
    }
    let one = |w: &networks::Wanted| {
        let device = w.device.as_deref().unwrap_or("<default>");
        let cpts: Vec<String> = w.cpts.iter().map(u32::to_string).collect();
        let cpts = if cpts.is_empty() { String::new() } else { format!("[{}]", cpts.join(",")) };
        format!("{}({device}){cpts}", w.net)
    };
    wanted.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn vector(kind: &str, host: &Host, text: &str, version: Version) -> String {
    let context = Context { version, cpts: Some(4) };
    let left = if kind == "ip2nets" {
        let matched = kernel::matched(text.as_bytes(), host, &context);
        match matched.error {
            Some(error) if error.crash => return "DIV0".into(),
            Some(error) if error.errno == 2 => return "NOMATCH -2".into(),
            Some(error) => return format!("ERR_MATCH -{}", error.errno),
            None => matched.networks,
        }
    } else {
        text.as_bytes().to_vec()
    };
    match networks::parse(&left, &context) {
        Ok(parsed) => nis(&parsed.wanted),
        Err(error) => format!("ERR_PARSE -{}", error.errno),
    }
}

#[test]
fn every_recorded_vector() {
    let Some(samples) = samples() else { return skip("ip2nets", "RAILTOP_SAMPLES is not set") };
    let table = std::fs::read_to_string(samples.join("lnetctl/ip2nets_vectors.tsv")).unwrap();
    let mut lines = table.lines().filter(|l| !l.starts_with('#'));
    let versions: Vec<Version> =
        lines.next().unwrap().split('\t').skip(3).map(|v| v.parse().unwrap()).collect();
    let mut seen = 0;
    for line in lines {
        let columns: Vec<&str> = line.split('\t').collect();
        let addresses = columns[1].split(',').enumerate();
        let interfaces = addresses.map(|(i, a)| {
            let name = format!("eth{i}");
            interface(&name, true, true, &[(&name, a)])
        });
        let host = Host { interfaces: interfaces.collect() };
        for (version, wanted) in versions.iter().zip(&columns[3..]) {
            let got = vector(columns[0], &host, columns[2], *version);
            assert_eq!(
                &got, wanted,
                "{version}: {} {:?} on {}",
                columns[0], columns[2], columns[1]
            );
            seen += 1;
        }
    }
    assert!(seen >= 300, "{seen}");
}

/// The host of the lab, changed by the commands of a case.
fn lab(setup: &str) -> Host {
    let mut interfaces = vec![
        interface("lo", true, false, &[("lo", "127.0.0.1")]),
        interface("eth0", true, false, &[("eth0", "10.99.0.1")]),
        interface("eth1", true, true, &[("eth1", "192.168.1.11")]),
        interface("eth2", true, true, &[("eth2", "192.168.2.11")]),
        interface("eth3", true, false, &[]),
    ];
    let commands = setup.split_once('+').map_or("", |(_, commands)| commands);
    for command in commands.split(';').map(str::trim).filter(|c| !c.is_empty()) {
        let words: Vec<&str> = command.split_whitespace().collect();
        let after = |word: &str| {
            let at = words.iter().position(|w| *w == word).unwrap();
            words[at + 1].split('/').next().unwrap().to_owned()
        };
        let dev = |name: &str, list: &mut Vec<Interface>| {
            list.iter().position(|i| &*i.name == name).unwrap()
        };
        match words.as_slice() {
            ["ip", "addr", "flush", ..] => {
                let at = dev(&after("dev"), &mut interfaces);
                interfaces[at].addresses.clear();
            }
            ["ip", "addr", "add", ..] => {
                let name = after("dev");
                let label = if words.contains(&"label") { after("label") } else { name.clone() };
                let at = dev(&name, &mut interfaces);
                let address: IpAddr = after("add").parse().unwrap();
                interfaces[at].addresses.push(HostAddress { label: label.into(), address });
            }
            ["ip", "link", "add", "link", _, "name", name, ..]
            | ["ip", "link", "add", name, "type", ..] => {
                interfaces.push(interface(name, false, false, &[]));
            }
            ["ip", "link", "set", name, "up"] => {
                let at = dev(name, &mut interfaces);
                interfaces[at].up = true;
            }
            ["ip", "link", "set", name, "down"] => {
                let at = dev(name, &mut interfaces);
                interfaces[at].up = false;
            }
            other => panic!("{other:?}"),
        }
    }
    Host { interfaces }
}

/// Lines of the console that tell of an error, without what stands before the words.
fn console(dmesg: &str) -> Vec<String> {
    let own = |line: &str| {
        let words = line.strip_prefix("LNetError: ")?;
        let words = match words.split_once("()) ") {
            Some((_, words)) => words,
            None => match words.split_once(": ") {
                Some((number, words)) if number.len() <= 6 && number.contains('-') => words,
                _ => words,
            },
        };
        Some(words.to_owned())
    };
    dmesg.lines().filter_map(own).collect()
}

fn rows(file: &str) -> Option<Vec<Value>> {
    let text = std::fs::read_to_string(samples()?.join("lab/lnet-2.15.8/ip2nets").join(file));
    Some(text.unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect())
}

fn assert_boot(row: &Value, version: Version) {
    let case = row["case"].as_str().unwrap();
    let host = lab(row["setup"].as_str().unwrap());
    let context = Context { version, cpts: Some(1) };
    let value = row["value"].as_str().unwrap_or_default();
    let out: Outcome = match row["parameter"].as_str() {
        Some("networks") => networks::boot(value.as_bytes(), &host, &context),
        _ => kernel::boot(value.as_bytes(), &host, &context),
    };
    let up = &row["lctl_network_up"];
    let failed = up[2].as_str().unwrap().strip_prefix("LNET configure error ");
    let printed = out.error.as_ref().map(|e| {
        let words = railtop::lnet::ip2nets::error::configure_words(e.start_errno, version);
        format!("{}: {words}\n", e.start_errno)
    });
    assert_eq!(printed.as_deref(), failed, "{case}");
    let nids: Vec<&str> = match failed {
        Some(_) => Vec::new(),
        None => row["lctl_list_nids"][1].as_str().unwrap().lines().collect(),
    };
    assert_eq!(out.nids(), nids, "{case}");
    let words = out.error.map(|e| e.words).unwrap_or_default();
    assert_eq!(words, console(row["dmesg"].as_str().unwrap()), "{case}");
}

#[test]
fn every_boot_of_the_lab() {
    let Some(old) = rows("kernel-module-parameter.jsonl") else {
        return skip("ip2nets", "RAILTOP_SAMPLES is not set");
    };
    let new = rows("ip2nets-2.17.0.jsonl").unwrap();
    assert!(old.len() >= 40 && new.len() >= 30, "{} {}", old.len(), new.len());
    for row in &old {
        assert_boot(row, Version::new(2, 15, 8));
    }
    for row in &new {
        assert_boot(row, Version::new(2, 17, 0));
    }
}

/// `lnetctl net add --ip2net` on an LNet without nets: the parser's own error comes through.
#[test]
fn every_net_add_of_the_lab() {
    let Some(rows) = rows("lnetctl-net-add-ip2net.jsonl") else {
        return skip("ip2nets", "RAILTOP_SAMPLES is not set");
    };
    assert!(rows.len() >= 32, "{}", rows.len());
    for row in &rows {
        let case = row["case"].as_str().unwrap();
        let host = lab(row["setup"].as_str().unwrap());
        let context = Context { version: Version::new(2, 15, 8), cpts: Some(1) };
        let value = row["value"].as_str().unwrap();
        let out = kernel::boot(value.as_bytes(), &host, &context);
        let errno = if value.is_empty() { 22 } else { out.error.as_ref().map_or(0, |e| e.errno) };
        let exit = row["add"][0].as_i64().unwrap();
        assert_eq!((256 - i64::from(errno)) % 256, exit, "{case}");
        let nids: Vec<&str> = row["lctl_list_nids"][1].as_str().unwrap().lines().collect();
        let got = if value.is_empty() { Vec::new() } else { out.nids() };
        assert_eq!(got, nids, "{case}");
    }
}

/// What `lnetctl import` asks of a kernel that accepts everything.
#[test]
fn every_recorded_import() {
    let Some(samples) = samples() else { return skip("ip2nets", "RAILTOP_SAMPLES is not set") };
    let path = samples.join("lnetctl/yaml_ip2nets_import_vectors.txt");
    let text = std::fs::read_to_string(path).unwrap();
    let up = [("eth0", "10.10.1.11"), ("eth1", "10.10.1.111"), ("eth2", "10.20.1.11")];
    let mut interfaces = vec![interface("lo", true, false, &[("lo", "127.0.0.1")])];
    interfaces.extend(up.map(|(name, a)| interface(name, true, true, &[(name, a)])));
    interfaces.push(interface("eth3", true, true, &[("eth3", "10.20.1.111")]));
    interfaces.push(interface("eth4", false, true, &[("eth4", "10.20.1.211")]));
    let host = Host { interfaces };
    let mut seen = 0;
    for block in text.split("### ").skip(1) {
        let (name, rest) = block.split_once('\n').unwrap();
        let yaml_end = rest.find("\n[2.").unwrap();
        let conf = Conf::read(&rest[..yaml_end]).unwrap();
        for line in rest[yaml_end..].lines().filter(|l| l.starts_with('[')) {
            let (version, wanted) = line[1..].split_once("] ").unwrap();
            let context = Context::new(version.parse().unwrap());
            let adds: Vec<&str> = wanted
                .split(';')
                .filter_map(|part| part.strip_prefix("ADD ")?.split(' ').next())
                .collect();
            let mut asked: Vec<String> = yaml::asked(&conf.rules, &host, &context).concat();
            let out = yaml::import(&conf, &host, &context);
            let refused = out.error.and_then(|e| e.exit) == Some(255);
            asked.retain(|_| !refused);
            assert_eq!(asked, adds, "{version} {name}");
            assert_eq!(refused, wanted.contains("exit=255"), "{version} {name}");
            seen += 1;
        }
        let context = Context::new(Version::new(2, 16, 1));
        let error = yaml::import(&conf, &host, &context).error.unwrap();
        assert_eq!((error.errno, error.exit), (22, Some(234)), "{name}");
        assert_eq!(error.words, ["invalid key 'ip2nets'"], "{name}");
    }
    assert!(seen >= 60, "{seen}");
}

/// Strings given to `lnetctl net add --ip2net` of three versions on a node with nets; those that
/// crashed the tool (139) tell nothing.
#[test]
fn every_recorded_net_add() {
    let Some(samples) = samples() else { return skip("ip2nets", "RAILTOP_SAMPLES is not set") };
    let host = Host {
        interfaces: [
            ("eth0", "10.10.1.11"),
            ("eth1", "10.10.1.111"),
            ("eth2", "10.20.1.11"),
            ("eth3", "10.20.1.111"),
        ]
        .map(|(name, a)| interface(name, true, true, &[(name, a)]))
        .into(),
    };
    let mut seen = 0;
    for version in ["2.15.8", "2.16.1", "2.17.0"] {
        let folder = samples.join("lnetctl").join(version);
        let index = std::fs::read_to_string(folder.join("INDEX.tsv")).unwrap();
        let rows: Vec<Vec<&str>> = index.lines().map(|l| l.split('\t').collect()).collect();
        for pair in rows.windows(2) {
            let [add, show] = pair else { continue };
            let Some(string) = add[0].strip_prefix("lnetctl net add --ip2net ") else { continue };
            if add[1] == "139" {
                continue;
            }
            let shown = std::fs::read_to_string(folder.join(show[4])).unwrap();
            let printed = |l: &str| Some(l.split_once("nid: ")?.1.to_owned());
            let mut wanted: Vec<String> = shown.lines().filter_map(printed).collect();
            wanted.retain(|nid| nid.ends_with("@tcp5") || nid.ends_with("@tcp6"));
            let context = Context { version: version.parse().unwrap(), cpts: Some(2) };
            let out = kernel::boot(string.as_bytes(), &host, &context);
            assert_eq!(out.nids(), wanted, "{version}: {string}");
            // 254 with NIs: a helper of the lab was missing. From 2.16 every failure is 234.
            let exit = add[1];
            match out.error.map(|e| e.errno) {
                None => assert!(["0", "254"].contains(&exit), "{version}: {string}"),
                Some(errno) => {
                    let told = (256 - errno).to_string();
                    let new = version != "2.15.8" && exit == "234";
                    assert!(new || exit == told, "{version}: {string}");
                }
            }
            seen += 1;
        }
    }
    assert!(seen >= 28, "{seen}");
}

fn run(args: &[&str]) -> (Option<i32>, String, String) {
    let out =
        Command::new(env!("CARGO_BIN_EXE_railtop")).arg("ip2nets").args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (out.status.code(), text(out.stdout), text(out.stderr))
}

fn object(args: &[&str]) -> (Option<i32>, Value) {
    let args = [&["--json", "--demo", "balanced"][..], args].concat();
    let (code, out, err) = run(&args);
    (code, serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}{err}")))
}

#[test]
fn the_machine_form() {
    let (code, out) = object(&["--lnet", "2.15.8", "o2ib(ib0) 172.16.*.*; o2ib(ib1) 172.16.*.*"]);
    assert_eq!(code, Some(0));
    assert_eq!(out["nids"], serde_json::json!(["172.16.34.1@o2ib", "172.16.34.2@o2ib"]));
    assert_eq!(out["error"], Value::Null);
    assert_eq!(out["surprises"][0]["id"], "LATER_RULE_ADDS_NI");
    assert_eq!((&out["engine"], &out["version"]), (&"kernel".into(), &"2.15.8".into()));
    assert_eq!(out["rules"][1]["matched"][0]["interface"], "ib0");
    assert_eq!(out["otherwise"][0]["versions"], serde_json::json!(["2.10.8", "2.12.9"]));
    assert_eq!(out["sources"].as_array().unwrap().len(), 1);

    let (code, out) = object(&["tcp(eth9) *.*.*.*"]);
    assert_eq!((code, &out["error"]["errno"]), (Some(1), &100.into()));
    assert_eq!(out["nids"], serde_json::json!([]));
    let (code, out) = object(&["tcp *.*.*.[0-255/0]"]);
    assert_eq!((code, &out["error"]["crashes"]), (Some(1), &true.into()));
    assert_eq!(out["error"]["errno"], Value::Null);
    let (_, out) = object(&["o2ib(ib0,ib1), tcp"]);
    assert_eq!(out["engine"], "networks");
    let (_, out) = object(&["--engine", "kernel", "tcp"]);
    assert_eq!((&out["engine"], &out["error"]["errno"]), (&"kernel".into(), &2.into()));
    let (code, out) = object(&[]);
    assert!(code.is_some_and(|c| c < 2) && out["nids"].is_array(), "{out}");
}

#[test]
fn files_are_told_by_what_stands_in_them() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let nids = |path: &str| object(&["--lnet", "2.15.8", path]).1["nids"].clone();
    let modprobe = file(
        "a.conf",
        "# x\noptions lnet networks=tcp\noptions lnet \\\n networks=\"o2ib(ib1)\"\n",
    );
    assert_eq!(nids(&modprobe), serde_json::json!(["172.16.34.2@o2ib"]));
    assert_eq!(object(&[&modprobe]).1["problems"][0]["id"], "SET_TWICE");
    let yaml = file("b", "ip2nets:\n  - net-spec: o2ib3\n    interfaces:\n      0: ib2\n");
    assert_eq!(nids(&yaml), serde_json::json!(["172.16.34.3@o2ib3"]));
    let bare = file("c", "o2ib(ib0) 172.16.*.*\no2ib1(ib1) 172.16.*.*\n");
    assert_eq!(nids(&bare), serde_json::json!(["172.16.34.1@o2ib", "172.16.34.2@o2ib1"]));
    let both = file("d", "options lnet networks=tcp ip2nets=\"tcp *.*.*.*\"\n");
    let (code, out) = object(&[&both]);
    assert_eq!((code, &out["surprises"][0]["id"]), (Some(1), &"NETWORKS_AND_IP2NETS".into()));

    for (args, told) in [
        (vec![file("e", "options lnet routes=x\n")], "neither networks nor ip2nets"),
        (vec!["/no/such/file".to_owned()], "no such file"),
        (vec!["nofile.yaml".to_owned()], "no such file"),
        (vec!["--lnet".into(), "new".into(), "tcp".into()], "--lnet: no version in `new`"),
        (vec![file("f", "ip2nets:\n  - ip-range:\n      0: *.*.*.*\n")], "alias in YAML"),
        (vec![file("g", &"x".repeat(1024 * 1024 + 1))], "larger than 1 MiB"),
    ] {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let (code, _, err) = run(&args);
        assert_eq!((code, err.lines().count()), (Some(64), 1), "{args:?}: {err}");
        assert!(err.contains(told), "{err}");
    }
}

#[test]
fn the_text_fits_and_is_clean() {
    let rules = "tcp 172.16.*.*; o2ib(ib0,ib1)[0,1] *.*.*.* # \x1b[2J rails; bogus 1.2.3.[9-1]";
    for version in ["2.10", "2.15.8", "2.17"] {
        let (_, out, _) = run(&["--demo", "balanced", "--lnet", version, rules]);
        assert!(!out.contains('\x1b'), "{out}");
        let long = out.lines().filter(|l| !l.contains("console: ") && l.chars().count() > 80);
        assert_eq!(long.collect::<Vec<_>>(), Vec::<&str>::new());
        assert!(out.contains("CPT_BRACKETS") && out.contains("Running now:"), "{out}");
    }
    let (_, out, _) = run(&["--demo", "balanced", "tcp(\x1b[2J) *.*.*.*"]);
    assert!(!out.contains('\x1b') && out.contains("\\x1b[2J"), "{out}");
}
