//! The stage of every recorded state, by what lnetctl answered and by the use of the modules.

use super::*;
use crate::lnet::lifecycle::{Around, Lifecycle, LnetStage};
use crate::sample::{Lnet, LnetLocal, LoadedModule, Text};
use std::sync::Arc;

fn life(loaded: bool, answer: Result<Vec<LnetNet>, LnetFailure>, local: LnetLocal) -> Lifecycle {
    let answer = answer.map(|nets| crate::sample::LnetAnswer {
        at: Mono::default(),
        took: Duration::ZERO,
        nets,
    });
    let lnet = Lnet {
        modules: LnetModules { lnet: Some(loaded), ..LnetModules::default() },
        answer,
        local: Arc::new(local),
        ..nothing()
    };
    Lifecycle::of(&lnet, &Around::default())
}

#[test]
fn every_recorded_state_has_its_stage() {
    let Some(dir) = samples("lnetctl") else { return };
    let mut seen = std::collections::BTreeMap::new();
    for folder in fs::read_dir(&dir).unwrap().map(|e| e.unwrap().path()) {
        if !folder.join("INDEX.tsv").is_file() {
            continue;
        }
        for row in rows(&folder) {
            let s = row.situation.as_str();
            if row.command.ends_with("-v4") || row.command.contains("--net ") {
                continue;
            }
            let unconfigured = s.contains("loaded_not_configured") || s == "unconfigured_again";
            let expected = match s {
                _ if s.starts_with("not_loaded") => LnetStage::NotLoaded,
                _ if row.command.starts_with("(uid 1000)") => LnetStage::Unknown,
                _ if unconfigured => LnetStage::Loaded,
                _ if s.starts_with("configured_no_nets") => LnetStage::Configured,
                _ => LnetStage::Up,
            };
            let life = life(!s.starts_with("not_loaded"), judge(&row), LnetLocal::default());
            let name = format!("{}: {} ({s})", folder.display(), row.command);
            assert_eq!(life.stage, expected, "{name}");
            *seen.entry(life.words.to_string()).or_insert(0) += 1;
        }
    }
    let words: Vec<&str> = seen.keys().map(String::as_str).collect();
    assert_eq!(
        words,
        [
            "configured, no net",
            "loaded, more needs root",
            "loaded, not configured",
            "not loaded",
            "up"
        ]
    );
}

/// Lines of `lsmod`.
fn lsmod(text: &str) -> LnetLocal {
    let module = |line: &str| {
        let mut words = line.split_whitespace();
        let (name, _, references) = (words.next()?, words.next()?, words.next()?);
        let users = words.next().unwrap_or_default().split(',').filter(|u| !u.is_empty());
        Some(LoadedModule {
            name: name.into(),
            references: references.parse().ok()?,
            used_by: users.map(Text::new).collect(),
        })
    };
    LnetLocal { modules: text.lines().filter_map(module).collect(), ..LnetLocal::default() }
}

#[test]
fn the_use_of_the_modules_says_the_same_as_lnetctl() {
    let Some(lab) = samples("lab") else { return };
    let mut compared = 0;
    let steps = ["lnet-2.15.8", "lnet-2.17.0"].into_iter().flat_map(|version| {
        let inside = |dir: PathBuf| {
            let list = fs::read_dir(dir).into_iter().flatten().flatten();
            list.map(|e| e.path()).collect::<Vec<PathBuf>>()
        };
        let top = inside(lab.join(version));
        top.clone().into_iter().chain(top.into_iter().flat_map(inside)).collect::<Vec<_>>()
    });
    for step in steps.filter(|s| s.is_dir()) {
        let read =
            |names: &[&str]| names.iter().find_map(|n| fs::read_to_string(step.join(n)).ok());
        let Some(listed) = read(&["lsmod.out", "ls.out"]).filter(|l| l.contains("libcfs")) else {
            continue;
        };
        let local = lsmod(&listed);
        let Some(stdout) = read(&["lnetctl-net-show.out", "lnetctl-netshow.out"]) else { continue };
        let stderr = read(&["lnetctl-net-show.err", "lnetctl-netshow.err"]).unwrap_or_default();
        let loaded = local.module("lnet").is_some();
        let answer = classify(&Run {
            modules: &LnetModules { lnet: Some(loaded), ..LnetModules::default() },
            root: Some(true),
            end: Some(End::Exit(if stderr.is_empty() { 0 } else { 156 })),
            stdout: stdout.as_bytes(),
            stderr: stderr.as_bytes(),
        });
        let told = life(loaded, answer, local.clone()).stage;
        // As an ordinary user sees it.
        let denied = life(loaded, Err(LnetFailure::Denied("".into())), local);
        if loaded {
            assert_eq!(denied.estimate.ok(), Some(&told), "{}: {listed}", step.display());
            compared += 1;
        } else {
            assert_eq!(told, LnetStage::NotLoaded, "{}", step.display());
        }
    }
    assert!(compared >= 6, "only {compared} steps have both");
}
