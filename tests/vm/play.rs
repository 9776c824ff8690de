//! `play`: a steps file, or just one command, in a guest, by hand.

use crate::machine::{Machine, Parts, missing};
use crate::step::{Step, parse};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "usage: play [-g COLSxROWS] [-s STEPS|-] [-x FILE]... [COMMAND...]
  -g  size of the terminal, 160x50 if not given
  -s  steps, one a line; - reads them from standard input
  -x  a file to lay into the guest as /vm/NAME
COMMAND starts on the terminal before the first step; without steps its last screen is shown.";

pub(crate) fn main(args: &[&str]) -> ExitCode {
    match play(args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(64)
        }
    }
}

fn play(mut args: &[&str]) -> Result<bool, String> {
    let mut steps = Vec::new();
    let (mut file, mut files) = (None, Vec::<(String, PathBuf)>::new());
    let mut size = "160x50";
    loop {
        match args {
            ["-g", value, rest @ ..] => (size, args) = (value, rest),
            ["-s", value, rest @ ..] => (file, args) = (Some(*value), rest),
            ["-x", value, rest @ ..] => {
                let path = PathBuf::from(value);
                let name = path.file_name().ok_or(USAGE)?.to_string_lossy().into_owned();
                files.push((format!("vm/{name}"), path));
                args = rest;
            }
            [option, ..] if option.starts_with('-') => return Err(USAGE.to_owned()),
            _ => break,
        }
    }
    steps.extend(parse(&format!("size {size}"))?);
    if !args.is_empty() {
        steps.push(Step::Start { command: args.join(" ") });
    }
    match file {
        Some(file) => {
            let text = match file {
                "-" => std::io::read_to_string(std::io::stdin()),
                file => std::fs::read_to_string(file),
            };
            let text = text.map_err(|error| format!("{file}: {error}"))?;
            for line in text.lines() {
                steps.extend(parse(line).map_err(|error| format!("{line}: {error}"))?);
            }
        }
        None if args.is_empty() => return Err(USAGE.to_owned()),
        None => steps.push(Step::Exit { seconds: 600.0 }),
    }
    if let Some(why) = missing() {
        return Err(format!("no guest: {why}"));
    }
    let parts = Parts::build()?;
    let files: Vec<(&str, &Path)> =
        files.iter().map(|(name, path)| (name.as_str(), path.as_path())).collect();
    let mut machine = Machine::boot(&parts, &files)?;
    eprintln!("the guest is there after {:.1} s", machine.boot.as_secs_f64());
    let mut good = true;
    for step in steps {
        let reply = machine.ask(&step)?;
        let code = reply.code.map_or(String::new(), |code| format!(", exit code {code}"));
        let word = if reply.ok { "ok" } else { "FAILED" };
        println!("--- {step:?}: {word}, {:.3} s{code}\n{}", reply.seconds, reply.text.trim_end());
        good &= reply.ok;
    }
    Ok(good)
}
