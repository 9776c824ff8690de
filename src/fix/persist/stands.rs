//! Does what works now stand in a file that survives a reboot? Answered with care: what cannot be
//! read, or is computed by a script, is not called missing.

use super::rule::parse;
use crate::pattern;
use crate::sample::{
    ConfigFile, ConfigKind, Manager, Managers, Prefix, Reading, Route, Rule, RuleAction, Text,
};

/// RTPROT_STATIC: a manager made it. NetworkManager marks its rules so since 1.42, networkd too.
const PROTO_STATIC: u8 = 4;

/// Something of the kernel's state that works now.
#[derive(Clone, Copy, Debug)]
pub enum Live<'a> {
    /// A rule about a rail.
    Rule {
        /// The rail.
        interface: &'a str,
        /// The rule.
        rule: &'a Rule,
    },
    /// A route of a table of its own.
    Route {
        /// The rail.
        interface: &'a str,
        /// The route.
        route: &'a Route,
    },
    /// A sysctl of `conf/IF` that is not the kernel's default.
    Sysctl {
        /// The rail.
        interface: &'a str,
        /// File name.
        name: &'static str,
        /// Its value.
        value: i64,
    },
}

/// Whether it is in the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// In this file.
    Stands(Text),
    /// In no file, and all were read.
    Missing,
    /// Not known: a file could not be read, or a script computes it.
    NotChecked(Text),
}

/// Something that works now and is lost at the next boot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The rail.
    pub interface: Text,
    /// What, in the words of the tool that shows it.
    pub what: Text,
    /// [`Standing::Missing`] or [`Standing::NotChecked`].
    pub standing: Standing,
}

/// What of it stands in no manager's files, or could not be looked for.
pub fn not_persistent(
    managers: &Managers,
    table_names: &[(u32, Text)],
    live: &[Live<'_>],
) -> Vec<Missing> {
    live.iter()
        .filter_map(|live| {
            let standing = standing(managers, table_names, live);
            let missing = Missing { interface: live.interface(), what: live.words(), standing };
            (!matches!(missing.standing, Standing::Stands(_))).then_some(missing)
        })
        .collect()
}

/// Looks for one of them.
pub fn standing(managers: &Managers, table_names: &[(u32, Text)], live: &Live<'_>) -> Standing {
    let mut computed = None;
    for file in &managers.config {
        match live.in_file(file, table_names) {
            Answer::Yes => return Standing::Stands(file.path.clone()),
            Answer::Perhaps => computed = computed.or(Some(&file.path)),
            Answer::No => {}
        }
    }
    if let Some(path) = live.by_its_manager(managers) {
        return Standing::Stands(path);
    }
    if let Some(path) = computed {
        return Standing::NotChecked(
            format!("{path} may set it: what it sets is known only when it runs").into(),
        );
    }
    match managers.gaps.first() {
        Some(gap) => Standing::NotChecked(gap.to_string().into()),
        None => Standing::Missing,
    }
}

/// Whether a file says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Yes,
    /// A script works on such things, with variables.
    Perhaps,
    No,
}

impl Live<'_> {
    fn interface(&self) -> Text {
        match self {
            Live::Rule { interface, .. }
            | Live::Route { interface, .. }
            | Live::Sysctl { interface, .. } => (*interface).into(),
        }
    }

    fn words(&self) -> Text {
        match self {
            Live::Rule { rule, .. } => {
                let from = rule.src.map_or_else(|| "all".into(), super::rule::bare);
                let action = match rule.action {
                    RuleAction::Lookup(table) => format!("lookup {table}"),
                    _ => "…".into(),
                };
                format!("{}: from {from} {action}", rule.preference)
            }
            Live::Route { interface, route } => {
                let to = if route.dst.len == 0 { "default".into() } else { route.dst.to_string() };
                format!("{to} dev {interface} table {}", route.table)
            }
            Live::Sysctl { interface, name, value } => {
                format!("net.ipv4.conf.{interface}.{name} = {value}")
            }
        }
        .into()
    }

    /// What a running manager made is in its files, even where only root can read them.
    fn by_its_manager(&self, managers: &Managers) -> Option<Text> {
        let protocol = match self {
            Live::Rule { rule, .. } => rule.protocol,
            Live::Route { route, .. } => route.protocol,
            Live::Sysctl { .. } => return None,
        };
        let managed: &Reading<_> = managers.of(&self.interface())?;
        let managed = managed.as_ref().ok().filter(|_| protocol == PROTO_STATIC)?;
        // ifupdown and wicked do not mark theirs.
        let marks = !matches!(managed.manager, Manager::Ifupdown | Manager::Wicked);
        // It may be read by all, and then it would have been found.
        let hidden = !managers.gaps.is_empty();
        (marks && hidden).then(|| managed.file.clone().unwrap_or(managed.evidence.clone()))
    }

    fn in_file(&self, file: &ConfigFile, names: &[(u32, Text)]) -> Answer {
        match self {
            Live::Rule { rule, .. } => rule_in(file, rule, names),
            Live::Route { route, .. } => route_in(file, route, names),
            Live::Sysctl { interface, name, value } => sysctl_in(file, interface, name, *value),
        }
    }
}

/// Lines that belong together: of `.network` files a section, of netplan's the file, of keyfiles
/// a route with its options, else one line.
fn statements(file: &ConfigFile) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    match file.kind {
        ConfigKind::Netplan => {
            out.push(file.lines.iter().map(|l| &**l).collect::<Vec<_>>().join("\n"));
        }
        ConfigKind::Networkd => {
            for line in &file.lines {
                match out.last_mut() {
                    Some(last) if !line.starts_with('[') => {
                        last.push('\n');
                        last.push_str(line);
                    }
                    _ => out.push(line.to_string()),
                }
            }
        }
        ConfigKind::Keyfile => {
            for line in &file.lines {
                let options = line.split_once("_options=");
                let key = options.map(|(key, _)| format!("{key}="));
                match key.and_then(|key| out.iter_mut().find(|l| l.starts_with(&key))) {
                    Some(route) => {
                        route.push(' ');
                        route.push_str(options.map_or("", |(_, options)| options));
                    }
                    None => out.push(line.to_string()),
                }
            }
        }
        _ => out.extend(file.lines.iter().map(ToString::to_string)),
    }
    out
}

/// Words of any of the formats: `From=172.16.34.1`, `{from: 172.16.34.1, table: 941}`.
fn words(statement: &str) -> impl Iterator<Item = &str> {
    statement
        .split(|c: char| !(c.is_ascii_alphanumeric() || "./:_-$*".contains(c)))
        .map(|word| word.trim_end_matches(':'))
        .filter(|word| !word.is_empty())
}

fn says_prefix(statement: &str, wanted: Prefix) -> bool {
    let same = |p: Prefix| p.len == wanted.len && p.network().addr == wanted.network().addr;
    words(statement).filter_map(parse).any(same)
        || wanted.len == 0 && words(statement).any(|word| word == "default")
}

fn says_table(statement: &str, table: u32, names: &[(u32, Text)]) -> bool {
    let name = names.iter().find(|(id, _)| *id == table).map(|(_, name)| name);
    words(statement).any(|word| {
        let number = word
            .strip_prefix("0x")
            .map_or_else(|| word.parse().ok(), |hex| u32::from_str_radix(hex, 16).ok());
        number == Some(table) || name.is_some_and(|name| **name == *word)
    })
}

/// A command of `ip` about rules or routes, abbreviated or not: `ip ru add`, `$IP -4 ro replace`.
fn commands(statement: &str, object: &str) -> bool {
    let ip = |word: &str| word == "ip" || word.ends_with("/ip") || word == "$ip";
    words(statement)
        .skip_while(|word| !ip(word))
        .skip(1)
        .any(|word| word.len() > 1 && object.starts_with(word))
}

/// A script line about them whose words are only known when it runs.
fn computes(file: &ConfigFile, statement: &str, object: &str) -> bool {
    let script = matches!(file.kind, ConfigKind::Script | ConfigKind::Interfaces);
    script && statement.contains(['$', '`']) && commands(statement, object)
}

/// The file is about rules by its name: `rule-ib0`, `rule6-ib0`, `ifrule-ib0`.
fn named(file: &ConfigFile, kinds: &[&str]) -> bool {
    let name = file.path.rsplit('/').next().unwrap_or_default();
    kinds.iter().any(|kind| name.starts_with(kind))
}

fn rule_in(file: &ConfigFile, rule: &Rule, names: &[(u32, Text)]) -> Answer {
    let by_name = named(file, &["rule-", "rule6-", "ifrule-"]);
    let wanted = match rule.action {
        RuleAction::Lookup(table) => rule.src.or(rule.dst).map(|address| (address, table)),
        _ => None,
    };
    let mut answer = Answer::No;
    for statement in statements(file) {
        let lower = statement.to_ascii_lowercase();
        let policy = lower.contains("rule") || lower.contains("routing-policy");
        if !by_name && !policy && !commands(&lower, "rule") {
            continue;
        }
        match wanted {
            Some((address, table))
                if says_prefix(&statement, address) && says_table(&statement, table, names) =>
            {
                return Answer::Yes;
            }
            Some(_) if !computes(file, &lower, "rule") => {}
            // Without an address and a table there is nothing to know it by.
            _ => answer = Answer::Perhaps,
        }
    }
    answer
}

fn route_in(file: &ConfigFile, route: &Route, names: &[(u32, Text)]) -> Answer {
    let by_name = named(file, &["route-", "route6-", "ifroute-", "routes"]);
    let mut answer = Answer::No;
    for statement in statements(file) {
        let lower = statement.to_ascii_lowercase();
        if !by_name && !lower.contains("route") && !commands(&lower, "route") {
            continue;
        }
        // `route-table=941` of a keyfile takes all routes of the connection there.
        let all = lower.starts_with("route-table") || lower.contains("routetable");
        let table = says_table(&statement, route.table, names);
        if table && (all || says_prefix(&statement, route.dst)) {
            return Answer::Yes;
        }
        if computes(file, &lower, "route") {
            answer = Answer::Perhaps;
        }
    }
    answer
}

fn sysctl_in(file: &ConfigFile, interface: &str, name: &str, value: i64) -> Answer {
    let mut answer = Answer::No;
    for line in &file.lines {
        if file.kind == ConfigKind::Sysctl {
            if sets(line, interface, name) == Some(value) {
                return Answer::Yes;
            }
        } else if line.contains(name) {
            let about = words(line).any(|w| w.contains(interface)) || line.contains(['$', '*']);
            let value = value.to_string();
            let says = line.split(|c: char| !(c.is_ascii_digit() || c == '-')).any(|w| w == value);
            if about && says {
                return Answer::Yes;
            }
            if about {
                answer = Answer::Perhaps;
            }
        } else if name == "rp_filter" && line.to_ascii_lowercase().contains("reversepath") {
            answer = Answer::Perhaps;
        }
    }
    answer
}

/// The value that a line of sysctl.d gives to `conf/IF/NAME`, also by a pattern, `default` (for an
/// interface that appears late) or `all` (the larger of both is effective).
fn sets(line: &str, interface: &str, name: &str) -> Option<i64> {
    let (key, value) = line.split_once('=')?;
    let key = key.trim().trim_start_matches('-');
    // The first separator says which of the two it is (sysctl.d(5)).
    let slashes =
        key.find(['.', '/']).and_then(|i| key.get(i..)).is_some_and(|k| k.starts_with('/'));
    let key: String = if slashes {
        key.to_owned()
    } else {
        let swap = |c| match c {
            '.' => '/',
            '/' => '.',
            c => c,
        };
        key.chars().map(swap).collect()
    };
    let rest = key.strip_prefix("net/ipv4/conf/").or_else(|| key.strip_prefix("net/ipv6/conf/"))?;
    let (pattern, file) = rest.rsplit_once('/')?;
    let known = matches!(pattern, "all" | "default") || glob(pattern, interface);
    (known && glob(file, name)).then(|| value.trim().parse().ok())?
}

/// As glob(7) has it; sysctl.d(5) takes the same for keys.
fn glob(pattern: &str, name: &str) -> bool {
    pattern::parse(pattern).is_ok_and(|p| p.matches(name))
}

#[cfg(test)]
mod tests;
