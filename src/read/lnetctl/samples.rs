//! Real captures, where `RAILTOP_SAMPLES` names their directory.

mod more;
mod stages;

use super::*;
use crate::sample::{LnetNet, LnetNi};
use std::fs;
use std::path::{Path, PathBuf};

fn samples(what: &str) -> Option<PathBuf> {
    let found = std::env::var_os("RAILTOP_SAMPLES").map(|dir| PathBuf::from(dir).join(what));
    if found.is_none() {
        println!("skipped: RAILTOP_SAMPLES is not set");
    }
    found
}

struct Row {
    command: String,
    situation: String,
    end: End,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

/// Rows of an INDEX.tsv: command, exit code, (seconds), situation, and either one
/// column with the files or one for each stream.
fn rows(folder: &Path) -> Vec<Row> {
    rows_where(folder, |line| line.contains("lnetctl net show"))
}

fn rows_where(folder: &Path, wanted: impl Fn(&str) -> bool) -> Vec<Row> {
    let index = fs::read_to_string(folder.join("INDEX.tsv")).unwrap();
    let mut rows = Vec::new();
    for line in index.lines().filter(|l| wanted(l)) {
        let columns: Vec<&str> = line.split('\t').map(str::trim).collect();
        let seconds = columns[2].parse::<f64>().is_ok();
        let situation = columns[if seconds { 3 } else { 2 }].to_owned();
        let files = columns[if seconds { 4 } else { 3 }..].join(" ");
        let file = |is_stderr: bool| {
            files
                .split_whitespace()
                .filter(|f| *f != "(empty)" && f.ends_with(".stderr.txt") == is_stderr)
                .flat_map(|f| fs::read(folder.join(f)).unwrap())
                .collect()
        };
        rows.push(Row {
            command: columns[0].to_owned(),
            situation,
            end: End::Exit(columns[1].parse().unwrap()),
            stdout: file(false),
            stderr: file(true),
        });
    }
    rows
}

fn judge(row: &Row) -> Result<Vec<LnetNet>, LnetFailure> {
    let lnet = Some(!row.situation.starts_with("not_loaded"));
    classify(&Run {
        modules: &LnetModules { lnet, ..LnetModules::default() },
        root: Some(!row.command.starts_with("(uid 1000)")),
        end: Some(row.end),
        stdout: &row.stdout,
        stderr: &row.stderr,
    })
}

#[test]
fn every_row_of_every_index() {
    let Some(dir) = samples("lnetctl") else { return };
    let mut judged = 0;
    for folder in fs::read_dir(&dir).unwrap().map(|e| e.unwrap().path()) {
        if !folder.join("INDEX.tsv").is_file() {
            continue;
        }
        for row in rows(&folder) {
            let name = format!("{}: {} ({})", folder.display(), row.command, row.situation);
            let result = judge(&row);
            let usage = row.command.ends_with("-v4") || row.command.contains("--net ");
            let s = row.situation.as_str();
            if usage {
                let nets = row.stdout.starts_with(b"net:");
                assert_eq!(result.is_ok(), nets, "{name}: {result:?}");
            } else if row.command.starts_with("(uid 1000)") {
                assert!(matches!(result, Err(LnetFailure::Denied(_))), "{name}: {result:?}");
            } else if s.starts_with("not_loaded") {
                assert_eq!(result, Err(LnetFailure::NotLoaded), "{name}");
            } else if s.contains("loaded_not_configured") || s == "unconfigured_again" {
                assert_eq!(result, Err(LnetFailure::NotConfigured), "{name}");
            } else {
                check_nets(&name, &row, &result.unwrap());
            }
            judged += 1;
        }
    }
    assert!(judged > 100, "only {judged} rows");
}

/// What can be said of any good output.
fn check_nets(name: &str, row: &Row, nets: &[LnetNet]) {
    let text = String::from_utf8_lossy(&row.stdout);
    let count = |word: &str| {
        text.lines().filter(|l| l.trim_start_matches(['-', ' ']).starts_with(word)).count()
    };
    let nis: Vec<&LnetNi> = nets.iter().flat_map(|n| &n.nis).collect();
    assert_eq!(nis.len(), count("nid: "), "{name}");
    assert_eq!(
        nis.iter().filter(|n| n.send_count.is_ok()).count(),
        count("send_count: "),
        "{name}"
    );
    assert_eq!(nis.iter().filter(|n| n.health.is_ok()).count(), count("health value: "), "{name}");
    assert_eq!(nis.iter().filter(|n| n.cpt.is_ok()).count(), count("CPT: "), "{name}");
    assert_eq!(nis.iter().map(|n| n.interfaces.len()).sum::<usize>(), count("0: "), "{name}");
    for ni in &nis {
        assert!(ni.status.is_ok() && ni.nid.contains('@'), "{name}");
        let known = [&ni.send_count, &ni.recv_count, &ni.health, &ni.credits];
        let odd = known.iter().filter_map(|r| r.as_ref().err()).find(|u| u.why != Why::Absent);
        assert_eq!(odd, None, "{name}");
    }
    assert!(nets.iter().all(|n| n.nis.iter().all(|ni| ni.net() == &*n.name)), "{name}");
}

fn ni(nets: &[LnetNet], nid: &str) -> LnetNi {
    nets.iter().flat_map(|n| &n.nis).find(|n| n.nid == *nid).unwrap().clone()
}

#[test]
fn values_of_some_captures() {
    let Some(dir) = samples("lnetctl") else { return };
    let read = |file: &str| net_show(&fs::read(dir.join(file)).unwrap()).unwrap();

    let old = ni(&read("2.10.8/net_show_-v_4__two_rails.yaml"), "10.20.1.111@o2ib");
    assert_eq!((old.send_count, old.drop_count, old.dev_cpt), (Ok(918_301), Ok(9), Ok(1)));
    assert!(old.health.is_err() && old.fatal_error.is_err());

    let mid = ni(&read("2.14.0/net_show_-v_4__two_rails.yaml"), "10.20.1.111@o2ib");
    assert_eq!((mid.health.clone(), mid.peer_credits.clone()), (Ok(870), Ok(32)));
    assert!(mid.more.iter().any(|(p, v)| *p == *"tunables/ntx" && *v == *"512"));

    let public = read(
        "public/2.12.3_ddn__net_show_-v_4__three_o2ib_rails_one_failing__nvidia-gds-guide_reindented.yaml",
    );
    let first = ni(&public, "192.168.1.71@o2ib");
    assert_eq!((first.send_count, first.health), (Ok(171_621), Ok(1000)));
    let flat = read("public/manual_2.7__net_show_--verbose__one_tcp.yaml");
    assert_eq!(flat[0].nis[0].net(), flat[0].name.as_str());

    let new = read("2.17.0/net_show_-v_4__tcp_load_running.yaml");
    assert!(ni(&new, "0@lo").is_lo());
    let rail = ni(&new, "10.10.1.111@tcp");
    assert_eq!((rail.fatal_error, rail.health, rail.credits), (Ok(0), Ok(1000), Ok(256)));
    assert_eq!(rail.interfaces, ["eth1"]);

    let down = read("2.17.0/net_show_-v_2__tcp_rail_link_down.yaml");
    assert!(down.iter().flat_map(|n| &n.nis).any(|n| n.fatal_error == Ok(1)));
}

#[test]
fn every_net_show_of_the_lab() {
    let Some(dir) = samples("lab") else { return };
    let (mut todo, mut judged, mut v6) = (vec![dir], 0, false);
    while let Some(folder) = todo.pop() {
        for path in fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                todo.push(path);
            } else if name == "lnetctl-net-show-v4.out" {
                let stdout = fs::read(&path).unwrap();
                let Ok(nets) = net_show(&stdout) else {
                    assert!(!stdout.starts_with(b"net:"), "{}", path.display());
                    continue;
                };
                v6 |= nets.iter().flat_map(|n| &n.nis).any(|ni| ni.address().contains("::"));
                let row = Row {
                    command: name.clone(),
                    situation: String::new(),
                    end: End::Exit(0),
                    stdout,
                    stderr: Vec::new(),
                };
                check_nets(&path.display().to_string(), &row, &nets);
                judged += 1;
            }
        }
    }
    println!("{judged} outputs of the lab, IPv6 NIDs among them: {v6}");
    assert!(judged > 10, "only {judged}");
}
