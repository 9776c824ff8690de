//! Reports of several runs side by side.

use crate::cli::error::Failure;
use crate::sample::Text;
use crate::units::{self, UNKNOWN};
use serde_json::Value;
use std::fmt::Write;
use std::io::Read;
use std::path::{Path, PathBuf};

/// No report of a run is longer.
const LONGEST: u64 = 16 * 1024 * 1024;
/// So many runs fit on a line.
const ABREAST: usize = 3;

/// The table of the files' runs.
pub(super) fn table(files: &[PathBuf], bits: bool) -> Result<String, Failure> {
    let mut runs = Vec::new();
    for file in files {
        runs.extend(read(file)?);
    }
    side_by_side(&runs, bits)
}

/// Every object in a file, one per line.
fn read(file: &Path) -> Result<Vec<Value>, Failure> {
    let wrong = |why: String| {
        let mend = "give a file of railtop run --json --output";
        Failure::Usage(Text::new(&format!("{}: {why}; {mend}", file.display())))
    };
    let mut text = String::new();
    let opened = std::fs::File::open(file).and_then(|f| f.take(LONGEST).read_to_string(&mut text));
    opened.map_err(|e| wrong(e.to_string()))?;
    let runs: Vec<Value> = serde_json::Deserializer::from_str(&text)
        .into_iter()
        .collect::<Result<_, _>>()
        .map_err(|e| wrong(e.to_string()))?;
    if runs.is_empty() || runs.iter().any(|r| r["rails"].as_array().is_none()) {
        return Err(wrong("no report of a run".into()));
    }
    Ok(runs)
}

/// Mean rate and share of every rail in every run, and the balance.
pub(super) fn side_by_side(runs: &[Value], bits: bool) -> Result<String, Failure> {
    if runs.is_empty() {
        return Err(Failure::Usage("nothing to compare".into()));
    }
    let mut out = String::new();
    for part in runs.chunks(ABREAST) {
        row(&mut out, "", part.iter().map(label));
        row(&mut out, "seconds", part.iter().map(|r| number(&r["seconds"], 1)));
        row(&mut out, "exit code", part.iter().map(|r| number(&r["exit_code"], 0)));
        for way in ["rx", "tx"] {
            let upper = way.to_uppercase();
            for name in names(part) {
                let title = format!("{upper} {name}");
                row(&mut out, &title, part.iter().map(|run| told(rail(run, &name), way, bits)));
            }
            for name in groups(part) {
                let title = format!("{upper} balance {name}");
                let of = |run: &Value| {
                    let all = run["groups"].as_array().into_iter().flatten();
                    let group = all.clone().find(|g| g["name"] == name.as_str());
                    let jain = group.and_then(|g| g["balance"][way]["jain_index"].as_f64());
                    jain.map_or_else(|| UNKNOWN.into(), units::ratio)
                };
                row(&mut out, &title, part.iter().map(of));
            }
        }
    }
    Ok(out)
}

/// Least, mean and most of all rails together, per direction.
pub(super) fn spread(runs: &[Value], bits: bool) -> String {
    let mut out = String::new();
    for way in ["rx", "tx"] {
        let total = |run: &Value| -> Option<f64> {
            let rails = run["rails"].as_array()?;
            rails.iter().map(|r| r[way]["mean_bytes_per_second"].as_f64()).sum()
        };
        let totals: Option<Vec<f64>> = runs.iter().map(total).collect();
        let Some(totals) = totals.filter(|t| !t.is_empty()) else { continue };
        let least = totals.iter().copied().fold(f64::INFINITY, f64::min);
        let most = totals.iter().copied().fold(0.0, f64::max);
        let mean = totals.iter().sum::<f64>() / totals.len() as f64;
        let [least, mean, most] = [least, mean, most].map(|r| units::rate(r, bits));
        let name = way.to_uppercase();
        let _ =
            writeln!(out, "{name} of {} runs: least {least}, mean {mean}, most {most}", runs.len());
    }
    out
}

fn row(out: &mut String, title: &str, cells: impl Iterator<Item = String>) {
    let mut line = format!("{title:<18}");
    for cell in cells {
        let _ = write!(line, " {cell:>19}");
    }
    out.push_str(line.trim_end());
    out.push('\n');
}

fn label(run: &Value) -> String {
    let label = Text::new(run["label"].as_str().unwrap_or(UNKNOWN));
    let short: String = label.chars().take(19).collect();
    short
}

fn names(runs: &[Value]) -> Vec<String> {
    distinct(runs.iter().flat_map(|r| r["rails"].as_array().into_iter().flatten()))
}

fn groups(runs: &[Value]) -> Vec<String> {
    distinct(runs.iter().flat_map(|r| r["groups"].as_array().into_iter().flatten()))
}

/// Their names in the order in which they come, each once.
fn distinct<'a>(all: impl Iterator<Item = &'a Value>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in all.filter_map(|v| v["name"].as_str()) {
        let name = Text::new(name).to_string();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn rail<'a>(run: &'a Value, name: &str) -> Option<&'a Value> {
    run["rails"].as_array()?.iter().find(|r| r["name"] == name)
}

/// `10.2 GB/s  34 %`
fn told(rail: Option<&Value>, way: &str, bits: bool) -> String {
    let Some(flow) = rail.map(|r| &r[way]) else { return UNKNOWN.into() };
    let rate = flow["mean_bytes_per_second"].as_f64();
    let rate = rate.map_or_else(|| UNKNOWN.into(), |r| units::rate(r, bits));
    let share = flow["share_ratio"].as_f64().map_or_else(|| UNKNOWN.into(), units::percent);
    format!("{rate} {share:>6}")
}

fn number(value: &Value, digits: usize) -> String {
    value.as_f64().map_or_else(|| UNKNOWN.into(), |n| format!("{n:.digits$}"))
}
