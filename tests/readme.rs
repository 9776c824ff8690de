//! The README tells what the program does: tables are made from the code, commands are run.
//! `UPDATE_README=1` writes the tables anew.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod support;

use railtop::check::{CATALOGUE, assess};
use railtop::node::{Node, Settings};
use railtop::source::Source;
use railtop::source::demo::Demo;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;
use support::{railtop, skip};

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")
}

fn readme() -> String {
    std::fs::read_to_string(path()).unwrap()
}

/// The text between `<!-- NAME: … -->` and `<!-- end of NAME -->` is exactly this.
fn assert_block(name: &str, wanted: &str) {
    static WRITING: Mutex<()> = Mutex::new(());
    let _alone = WRITING.lock();
    let text = readme();
    let start = text.find(&format!("<!-- {name}: ")).unwrap();
    let start = start + text[start..].find("-->\n").unwrap() + 4;
    let end = start + text[start..].find(&format!("<!-- end of {name} -->")).unwrap();
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(path(), format!("{}{wanted}{}", &text[..start], &text[end..])).unwrap();
        return;
    }
    assert_eq!(&text[start..end], wanted, "UPDATE_README=1 cargo test --test readme writes it");
}

#[test]
fn every_key_is_told() {
    let mut table = String::from("\n| key | |\n| --- | --- |\n");
    for (label, help) in railtop::tui::keys() {
        writeln!(table, "| `{label}` | {help} |").unwrap();
    }
    assert_block("keys", &format!("{table}\n"));
}

#[test]
fn why_is_what_the_program_says() {
    let mut demo = Demo::simulate("lnet-numa-idle", Duration::from_secs(1)).unwrap();
    let mut node = Node::new(Settings::default(), demo.kind(), &demo.next().unwrap().unwrap());
    node.advance(&demo.next().unwrap().unwrap());
    let index = node.rails.iter().position(|r| r.name == "ib1").unwrap();
    let text = railtop::report::why::text(&node, &assess(&node), &[index]);
    let selection = text.lines().find(|l| l.starts_with("  selection")).unwrap();
    let table = text.find("  how LNet chooses").unwrap();
    let mut told = String::from("\n```text\n");
    writeln!(told, "{}\n  …\n{selection}\n\n{}```\n", text.lines().next().unwrap(), &text[table..])
        .unwrap();
    assert_block("why", &told);
}

#[test]
fn every_finding_is_told() {
    let mut table = String::from("\n| id | layer | |\n| --- | --- | --- |\n");
    for entry in CATALOGUE {
        let layer = entry.layer.word().replace('_', " ");
        writeln!(table, "| `{}` | {layer} | {} |", entry.id, entry.title).unwrap();
    }
    assert_block("findings", &format!("{table}\n"));
}

#[test]
fn its_example_of_ip2nets_is_what_the_program_prints() {
    let rules = "tcp 172.16.*.*; o2ib0(ib0) 172.16.34.*; o2ib0(ib1) *.*.*.*";
    let args = ["ip2nets", "--demo", "balanced", "--lnet", "2.15.8", rules];
    let out = Command::new(railtop()).args(args).output().unwrap();
    let mut block = format!("\n    $ railtop ip2nets --lnet 2.15.8 '{rules}'\n");
    for line in String::from_utf8(out.stdout).unwrap().lines() {
        writeln!(block, "{}", format!("    {line}").trim_end()).unwrap();
    }
    assert_block("ip2nets", &format!("{block}\n"));
}

fn options(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
        .filter(|word| word.starts_with("--") && word.len() > 3)
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_options_are_those_of_the_program() {
    let help = Command::new(railtop()).arg("--help").output().unwrap();
    let there = options(&String::from_utf8(help.stdout).unwrap());
    let text = readme();
    let section = text.split("\n## ").find(|s| s.starts_with("Options")).unwrap();
    let told: String = section.lines().filter(|l| l.starts_with("| `")).collect();
    assert_eq!(options(&told), there);
}

#[test]
fn every_scenario_is_told_in_its_own_words() {
    let text = readme();
    for (name, description) in railtop::source::demo::scenarios() {
        assert!(text.contains(&format!("| `{name}` | {description}")), "{name}: {description}");
    }
}

/// Names of all fields, except those that the kernel names.
fn fields(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                into.insert(name.clone());
                let foreign = ["counters", "hw_counters", "statistics", "unknown", "qualified"];
                if !foreign.contains(&name.as_str()) {
                    fields(value, into);
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| fields(value, into)),
        _ => {}
    }
}

#[test]
fn every_field_of_the_stream_is_told() {
    let mut found = BTreeSet::new();
    for (scenario, _) in railtop::source::demo::scenarios() {
        let args = ["stream", "-n", "3", "--interval", "50ms", "--demo", scenario];
        let out = Command::new(railtop()).args(args).output().unwrap();
        for line in String::from_utf8(out.stdout).unwrap().lines() {
            fields(&serde_json::from_str(line).unwrap(), &mut found);
        }
    }
    let text = readme();
    let section = text.split("\n## ").find(|s| s.starts_with("railtop stream")).unwrap();
    let words: BTreeSet<&str> =
        section.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).collect();
    let untold: Vec<&String> = found.iter().filter(|f| !words.contains(f.as_str())).collect();
    assert!(found.len() > 80 && untold.is_empty(), "{untold:?}");
}

#[test]
fn its_recipe_makes_a_capture() {
    if Command::new("ip").arg("-V").output().is_err() {
        return skip("its_recipe_makes_a_capture", "needs ip (iproute2)");
    }
    let text = readme();
    let recipe = text.split("```sh\n").nth(1).and_then(|t| t.split("```").next()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let done = Command::new("sh").args(["-c", recipe]).current_dir(&dir).output().unwrap();
    assert!(done.stderr.is_empty(), "{}", String::from_utf8_lossy(&done.stderr));
    let out = Command::new(railtop())
        .args(["stream", "--from", "oss07"])
        .current_dir(&dir)
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let sample: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(sample["source"], "capture");
    let names = std::fs::read_dir("/sys/class/net").unwrap().flatten();
    let nics = names.filter(|n| n.path().join("device").exists()).count();
    assert!(nics == 0 || sample["rails"].as_array().is_some_and(|r| !r.is_empty()), "{sample}");
}

#[test]
fn it_is_short_and_its_pictures_are_there() {
    let text = readme();
    // Tables and outputs that the program makes grow with it.
    let made = |line: &str| line.starts_with("<!-- ") && !line.starts_with("<!-- end of ");
    let (mut prose, mut inside) = (0, false);
    for line in text.lines() {
        inside = (inside || made(line)) && !line.starts_with("<!-- end of ");
        prose += usize::from(!inside);
    }
    assert!((100..=340).contains(&prose), "{prose} lines");
    let pictures: Vec<&str> =
        text.split("](").skip(1).filter_map(|t| t.split(')').next()).collect();
    assert!(pictures.len() >= 7);
    for picture in pictures {
        assert!(path().with_file_name(picture).exists(), "{picture}");
    }
}
