//! `railtop ip2nets`: what LNet would configure here.

use super::args::{EngineChoice, Global, Ip2nets};
use super::check::ROUTES_PATIENCE;
use super::error::Failure;
use super::open;
use crate::lnet::config::{self, Conf, Configured, Problem};
use crate::lnet::ip2nets::{Context, Host, Rules, Surprise, Version, explain, kernel, otherwise};
use crate::report::ip2nets::{Report, Told, json, text};
use crate::sample::{LnetFailure, LnetLocal, Mono, Sample, Text};
use crate::source::Source;
use std::fs::File;
use std::io::Read;

/// More than any file of rules holds.
const MOST: u64 = 1024 * 1024;

/// Reads the host, reads the rules, tells what comes of them: 0, or 1 if LNet would fail.
pub(super) fn run(global: &Global, options: &Ip2nets) -> Result<u8, Failure> {
    let wanted = options.lnet.as_deref().map(str::parse::<Version>).transpose();
    let wanted = wanted.map_err(|e| Failure::Usage(Text::new(&format!("--lnet: {e}"))))?;
    let given = options.rules.as_deref().map(given).transpose()?;
    let sample = settled(open::source(global)?)?;
    let host = Host::of(&sample).map_err(|why| {
        Failure::Failed(Text::new(&format!("the interfaces of this host are not known: {why}")))
    })?;
    let installed = sample.lnet.version.as_ref().ok().and_then(|v| v.parse::<Version>().ok());
    let version = wanted.or(installed).unwrap_or(Version::NEWEST);
    let mut report = Report {
        version: told_version(version, wanted, installed),
        told: Vec::new(),
        running: running(&sample),
        problems: Vec::new(),
        unread: Vec::new(),
    };
    let context = Context { version, cpts: cpts(&sample.lnet.local) };
    let sources = match given {
        Some(given) => by_hand(&given, options.engine, &mut report)?,
        None => by_files(&sample.lnet.local, options.engine, &mut report),
    };
    for (source, rules, line) in sources {
        let outcome = explain(&rules, &host, &context);
        let otherwise = otherwise(&rules, &host, &context, &outcome);
        report.told.push(Told { source, rules: line, outcome, otherwise });
    }
    let printed = if options.json { format!("{}\n", json(&report)) } else { text(&report) };
    super::print(&printed)?;
    Ok(u8::from(report.fails()))
}

fn told_version(version: Version, wanted: Option<Version>, installed: Option<Version>) -> String {
    match (wanted, installed) {
        (Some(_), Some(there)) if there != version => {
            format!("{version} as asked ({there} is installed)")
        }
        (Some(_), _) => format!("{version} as asked"),
        (None, Some(_)) => format!("{version}, which is installed"),
        (None, None) => format!("{version}, the newest known (none is installed)"),
    }
}

fn running(sample: &Sample) -> Option<Vec<String>> {
    let answer = sample.lnet.answer.as_ref().ok()?;
    let nis = answer.nets.iter().flat_map(|net| &net.nis).filter(|ni| !ni.is_lo());
    Some(nis.map(|ni| ni.nid.to_string()).collect())
}

/// `cpu_npartitions` of libcfs, where it is set by hand; 0 is the kernel's own choice.
fn cpts(local: &LnetLocal) -> Option<u32> {
    let value = local
        .parameter("libcfs", "cpu_npartitions")
        .or_else(|| local.parameter("lnet", "cpu_npartitions"))?;
    value.parse().ok().filter(|n| *n > 0)
}

/// A sample in which links, addresses and LNet's version stand, or all that came in time.
fn settled(mut source: Box<dyn Source>) -> Result<Sample, Failure> {
    let mut first: Option<Mono> = None;
    while let Some(sample) = source.next()? {
        let start = *first.get_or_insert(sample.time.mono);
        let late = sample.time.mono.since(start) >= ROUTES_PATIENCE;
        let pending = matches!(sample.lnet.answer, Err(LnetFailure::Pending));
        let read = sample.routing.addresses.is_ok() && sample.links.is_ok();
        if late || (read && (sample.lnet.version.is_ok() || !pending)) {
            return Ok(sample);
        }
    }
    Err(Failure::Usage("the capture holds no sample".into()))
}

/// Rules that the user gave.
struct Given {
    source: String,
    text: String,
}

/// A file of that name, else the rules themselves.
fn given(argument: &str) -> Result<Given, Failure> {
    let is_file = std::fs::metadata(argument).is_ok_and(|m| m.is_file());
    if !is_file {
        if is_path(argument) {
            let line =
                format!("{argument}: there is no such file; give a file, or rules in quotes");
            return Err(Failure::Usage(Text::new(&line)));
        }
        return Ok(Given { source: "the command line".into(), text: argument.to_owned() });
    }
    let failed = |e: std::io::Error| Failure::Usage(Text::new(&format!("{argument}: {e}")));
    let mut bytes = Vec::new();
    File::open(argument).map_err(failed)?.take(MOST + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MOST {
        let line = format!("{argument}: larger than 1 MiB, so no file of LNet rules");
        return Err(Failure::Usage(Text::new(&line)));
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(Given { source: Text::new(argument).to_string(), text })
}

/// Does it look like the name of a file? No net is named so, and every rule has a blank.
fn is_path(argument: &str) -> bool {
    let suffix = argument.rsplit_once('.').map(|(_, suffix)| suffix.to_ascii_lowercase());
    let named = suffix.is_some_and(|s| ["yaml", "yml", "conf", "txt"].contains(&s.as_str()));
    (named || argument.contains('/') || argument.starts_with('.'))
        && !argument.contains(|c: char| c.is_whitespace() || "()=;*[]".contains(c))
}

type Source3 = (String, Rules, Option<String>);

/// What the text is, if `--engine` does not say: YAML, a modprobe file, a string.
fn by_hand(
    given: &Given,
    engine: Option<EngineChoice>,
    report: &mut Report,
) -> Result<Vec<Source3>, Failure> {
    let Given { source, text } = given;
    let at = |what: &str| format!("{what} of {source}");
    let section = |l: &str| ["ip2nets:", "net:"].iter().any(|key| l.trim_end() == *key);
    let is_yaml = text.lines().any(section) || text.trim_start().starts_with("---");
    if engine == Some(EngineChoice::Yaml) || (engine.is_none() && is_yaml) {
        let conf = Conf::read(text).map_err(|e| {
            let quote = "an unquoted `*` at the start of a value is an alias in YAML";
            let mend = if text.contains(": *") { format!("; {quote}") } else { String::new() };
            Failure::Usage(Text::new(&format!("{source}: not YAML: {}{mend}", one_line(&e))))
        })?;
        return Ok(vec![(source.clone(), Rules::Yaml(conf), None)]);
    }
    if text.lines().any(|l| l.trim_start().starts_with("options ")) {
        let lines = config::modprobe::joined(text);
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let read = config::of_lines(&source.as_str().into(), &lines);
        take_problems(report, &read.problems);
        let found = parameters(&read, engine);
        if found.is_empty() {
            let line = format!("{source}: sets neither networks nor ip2nets of lnet");
            return Err(Failure::Usage(Text::new(&line)));
        }
        return Ok(found);
    }
    let trimmed = text.trim();
    let named = |name: &str| {
        let value = trimmed.strip_prefix(name)?.strip_prefix('=')?;
        Some(value.trim_matches(['"', '\'']).to_owned())
    };
    let (engine, string) = if let Some(value) = named("networks") {
        (engine.unwrap_or(EngineChoice::Networks), value)
    } else if let Some(value) = named("ip2nets") {
        (engine.unwrap_or(EngineChoice::Kernel), value)
    } else {
        // Without a pattern it can only be a networks string.
        let entries = kernel::entries(text.as_bytes());
        let patterns = entries
            .iter()
            .any(|e| e.patterns().any(|(_, p)| p.contains(&b'.') || p.contains(&b'*')));
        let guess = if patterns || entries.len() != 1 {
            EngineChoice::Kernel
        } else {
            EngineChoice::Networks
        };
        (engine.unwrap_or(guess), trimmed.to_owned())
    };
    if string.is_empty() {
        // The kernel takes an empty parameter for one that is not set.
        let name = if engine == EngineChoice::Networks { "networks" } else { "ip2nets" };
        let source = format!(
            "an empty {name} of {source}, which is as if it were not set: the default, tcp on the \
             first interface"
        );
        let rules = match engine {
            EngineChoice::Networks => Rules::Networks(string),
            _ => Rules::Ip2nets(string),
        };
        return Ok(vec![(source, rules, Some("tcp".into()))]);
    }
    let line = Some(string.clone());
    Ok(vec![match engine {
        EngineChoice::Networks => (at("networks"), Rules::Networks(string), line),
        _ => (at("ip2nets"), Rules::Ip2nets(string), line),
    }])
}

fn one_line(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join("; ")
}

fn take_problems(report: &mut Report, problems: &[Problem]) {
    report
        .problems
        .extend(problems.iter().map(|p| Surprise::new(p.id, format!("{}: {}", p.path, p.summary))));
}

/// What the module parameters of files say.
fn parameters(read: &Configured, engine: Option<EngineChoice>) -> Vec<Source3> {
    let networks = read.networks().filter(|_| engine != Some(EngineChoice::Kernel));
    let ip2nets = read.ip2nets().filter(|_| engine != Some(EngineChoice::Networks));
    let at = |s: &config::Setting| format!("{} of {}", s.name, s.path);
    match (networks, ip2nets) {
        (Some(networks), Some(ip2nets)) => {
            let both = Rules::Both {
                networks: networks.value.to_string(),
                ip2nets: ip2nets.value.to_string(),
            };
            let line = format!("networks={} ip2nets={}", networks.value, ip2nets.value);
            vec![(format!("{}, {}", at(networks), at(ip2nets)), both, Some(line))]
        }
        (Some(one), None) => {
            let value = one.value.to_string();
            vec![(at(one), Rules::Networks(value.clone()), Some(value))]
        }
        (None, Some(one)) => {
            let value = one.value.to_string();
            vec![(at(one), Rules::Ip2nets(value.clone()), Some(value))]
        }
        (None, None) => Vec::new(),
    }
}

/// What this node's own files say. Where `lnet.service` is enabled, its `lnet.conf` is first.
fn by_files(local: &LnetLocal, engine: Option<EngineChoice>, report: &mut Report) -> Vec<Source3> {
    let read = config::configured(local);
    take_problems(report, &read.problems);
    report.unread.extend(read.unread.iter().map(|(path, why)| format!("{path}: {why}")));
    let mut sources = Vec::new();
    if engine != Some(EngineChoice::Yaml) {
        sources.extend(parameters(&read, engine));
    }
    let conf =
        read.conf.filter(|c| !c.is_empty() && matches!(engine, None | Some(EngineChoice::Yaml)));
    if let Some(conf) = conf {
        let at = if local.service_enabled == Some(true) { 0 } else { sources.len() };
        sources.insert(at, (config::LNET_CONF.to_owned(), Rules::Yaml(conf), None));
    }
    if sources.is_empty() {
        let source = "the default, for no file sets networks or ip2nets".to_owned();
        sources.push((source, Rules::Networks(String::new()), Some("tcp".into())));
    }
    sources
}
