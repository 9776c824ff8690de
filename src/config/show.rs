//! The configuration in force, as a file that could be read back.

use super::{Config, File};
use std::fmt::Write;
use std::time::Duration;
use toml::Value;

/// Every key with its value and who set it: `default`, a file, `command line`.
pub fn effective(config: &Config, files: &[File], given: &[&str]) -> String {
    let mut out = String::new();
    if files.is_empty() {
        out.push_str("# no configuration file was found\n");
    }
    for file in files {
        let _ = writeln!(out, "# read: {}", file.path);
    }
    let origin = |table: Option<&str>, key: &str| origin(files, given, table, key);
    let mut put = |key: &str, value: Value| {
        let _ = writeln!(out, "{:<40} # {}", format!("{key} = {value}"), origin(None, key));
    };
    let interval = config.interval.unwrap_or(Duration::from_secs(1));
    put("interval", Value::String(humantime::format_duration(interval).to_string()));
    put("rails", strings(&config.rails));
    put("exclude", strings(&config.exclude));
    let peers: Vec<String> = config.peers.iter().map(ToString::to_string).collect();
    put("peers", strings(&peers));
    put("theme", Value::String(config.theme.word().into()));
    put("bits", Value::Boolean(config.bits));
    put("ascii", Value::Boolean(config.ascii));
    match &config.lnetctl {
        Some(path) => put("lnetctl", Value::String(path.display().to_string())),
        None => {
            let _ = writeln!(out, "# lnetctl: /usr/sbin/lnetctl, else where PATH has it");
        }
    }
    let mut put = |key: &str, value: Value| {
        let _ = writeln!(out, "{:<40} # {}", format!("{key} = {value}"), origin(None, key));
    };
    if let Some(path) = &config.expect {
        put("expect", Value::String(path.display().to_string()));
    }
    put("ignore", strings(&config.ignore));
    let _ = writeln!(out, "\n[thresholds]");
    for (key, value) in Value::try_from(&config.thresholds).ok().iter().flat_map(entries) {
        let line = format!("{key} = {value}");
        let _ = writeln!(out, "{line:<40} # {}", origin(Some("thresholds"), key));
    }
    if !config.names.is_empty() {
        let _ = writeln!(out, "\n[names]");
    }
    for (key, name) in &config.names {
        let line = format!("{} = {}", Value::String(key.clone()), Value::String(name.clone()));
        let _ = writeln!(out, "{line:<40} # {}", origin(Some("names"), key));
    }
    for group in &config.group {
        let name = Value::String(group.name.clone());
        let _ = writeln!(out, "\n[[group]]\nname = {name}\nrails = {}", strings(&group.rails));
    }
    out
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_table().into_iter().flatten()
}

fn strings(all: &[String]) -> Value {
    Value::Array(all.iter().cloned().map(Value::String).collect())
}

fn origin(files: &[File], given: &[&str], table: Option<&str>, key: &str) -> String {
    if table.is_none() && given.contains(&key) {
        return "command line".into();
    }
    let has = |file: &&File| match table {
        Some(table) => file.table.get(table).is_some_and(|t| t.get(key).is_some()),
        None => file.table.contains_key(key),
    };
    files.iter().rev().find(has).map_or_else(|| "default".into(), |file| file.path.clone())
}
