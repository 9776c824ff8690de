//! The lines of all managers' files that may be about rules, routes, addresses and sysctls.

use super::files::{Files, line};
use crate::sample::{ConfigFile, ConfigKind};

/// A file keeps at most so many lines.
const MOST_LINES: usize = 2000;
/// At most so many files that scripts name are read.
const MOST_CALLED: usize = 64;

/// Whether a file of this name counts.
type Counts = fn(&str) -> bool;

/// Directories, and which of their files count.
const PLACES: &[(ConfigKind, &str, Counts)] = &[
    (ConfigKind::Keyfile, "etc/NetworkManager/system-connections", any),
    (ConfigKind::Keyfile, "run/NetworkManager/system-connections", any),
    (ConfigKind::Keyfile, "usr/lib/NetworkManager/system-connections", any),
    (ConfigKind::Netplan, "etc/netplan", yaml),
    (ConfigKind::Netplan, "run/netplan", yaml),
    (ConfigKind::Netplan, "lib/netplan", yaml),
    (ConfigKind::Networkd, "etc/systemd/network", network),
    (ConfigKind::Networkd, "run/systemd/network", network),
    (ConfigKind::Networkd, "usr/lib/systemd/network", network),
    (ConfigKind::Networkd, "etc/systemd/networkd.conf.d", conf),
    (ConfigKind::Networkd, "run/systemd/networkd.conf.d", conf),
    (ConfigKind::Networkd, "usr/lib/systemd/networkd.conf.d", conf),
    (ConfigKind::Interfaces, "etc/network/interfaces.d", any),
    (ConfigKind::Ifcfg, "etc/sysconfig/network-scripts", ifcfg),
    (ConfigKind::Ifcfg, "etc/sysconfig/network", ifcfg),
    (ConfigKind::Script, "etc/network/if-pre-up.d", any),
    (ConfigKind::Script, "etc/network/if-up.d", any),
    (ConfigKind::Script, "etc/NetworkManager/dispatcher.d", any),
    (ConfigKind::Script, "etc/NetworkManager/dispatcher.d/pre-up.d", any),
    (ConfigKind::Script, "usr/lib/NetworkManager/dispatcher.d", any),
    (ConfigKind::Script, "etc/networkd-dispatcher/routable.d", any),
    (ConfigKind::Script, "etc/networkd-dispatcher/configured.d", any),
    (ConfigKind::Script, "etc/networkd-dispatcher/carrier.d", any),
    (ConfigKind::Script, "etc/sysconfig/network/scripts", any),
    (ConfigKind::Script, "etc/sysconfig/network/if-up.d", any),
    (ConfigKind::Script, "etc/systemd/system", unit),
    (ConfigKind::Script, "etc/udev/rules.d", rules),
    (ConfigKind::Sysctl, "usr/lib/sysctl.d", conf),
    (ConfigKind::Sysctl, "usr/local/lib/sysctl.d", conf),
    (ConfigKind::Sysctl, "run/sysctl.d", conf),
    (ConfigKind::Sysctl, "etc/sysctl.d", conf),
];

/// Files that stand alone.
const FILES: &[(ConfigKind, &str)] = &[
    (ConfigKind::Interfaces, "etc/network/interfaces"),
    (ConfigKind::Networkd, "etc/systemd/networkd.conf"),
    (ConfigKind::Script, "etc/rc.local"),
    (ConfigKind::Script, "etc/rc.d/rc.local"),
    (ConfigKind::Script, "sbin/ifup-local"),
    (ConfigKind::Script, "etc/init.d/boot.local"),
    (ConfigKind::Sysctl, "etc/sysctl.conf"),
];

fn any(_: &str) -> bool {
    true
}

fn has_extension(name: &str, wanted: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, extension)| extension == wanted)
}

fn yaml(name: &str) -> bool {
    has_extension(name, "yaml")
}

fn network(name: &str) -> bool {
    has_extension(name, "network") || name.ends_with(".network.d")
}

fn unit(name: &str) -> bool {
    has_extension(name, "service") || name.ends_with(".service.d")
}

fn rules(name: &str) -> bool {
    has_extension(name, "rules")
}

fn conf(name: &str) -> bool {
    has_extension(name, "conf")
}

fn ifcfg(name: &str) -> bool {
    let kinds = ["ifcfg-", "route-", "route6-", "rule-", "rule6-", "ifroute-", "ifrule-"];
    name == "routes" || name.starts_with("ifsysctl") || kinds.iter().any(|k| name.starts_with(k))
}

/// One file as it was read.
pub(super) struct Scanned {
    /// Its path, its kind and the lines that mean something, maybe none.
    pub file: ConfigFile,
    /// Paths that a script or an interfaces file names, without the slash in front.
    pub calls: Vec<String>,
}

impl Scanned {
    /// The file, if it has a line to keep.
    pub(super) fn kept(self) -> Option<ConfigFile> {
        (!self.file.lines.is_empty()).then_some(self.file)
    }
}

/// Reads them all.
pub(super) fn scan(files: &mut Files<'_>) -> Vec<Scanned> {
    let mut found = Vec::new();
    for (kind, path) in FILES {
        take(files, *kind, path, &mut found);
    }
    for (kind, dir, counts) in PLACES {
        for name in files.names(dir).into_iter().filter(|name| counts(name)) {
            let path = format!("{dir}/{name}");
            if has_extension(&name, "d") {
                for part in files.names(&path).into_iter().filter(|name| conf(name)) {
                    take(files, *kind, &format!("{path}/{part}"), &mut found);
                }
            } else {
                take(files, *kind, &path, &mut found);
            }
        }
    }
    let mut called: Vec<String> = found.iter().flat_map(|f| f.calls.iter().cloned()).collect();
    called.sort();
    called.dedup();
    called.truncate(MOST_CALLED);
    for path in called {
        if !found.iter().any(|f| f.file.path.trim_start_matches('/') == path)
            && let Some(text) = files.script(&path)
        {
            let file = of_text(ConfigKind::Script, &path, &text);
            found.push(Scanned { file, calls: Vec::new() });
        }
    }
    found
}

fn take(files: &mut Files<'_>, kind: ConfigKind, path: &str, found: &mut Vec<Scanned>) {
    // Its work is to carry out rule- files, which are read here themselves.
    if path.ends_with("/10-ifcfg-rh-routes.sh") {
        return;
    }
    let Some(text) = files.text(path) else { return };
    let names_others = matches!(kind, ConfigKind::Script | ConfigKind::Interfaces);
    let calls = if names_others { text.lines().flat_map(calls).collect() } else { Vec::new() };
    found.push(Scanned { file: of_text(kind, path, &text), calls });
}

fn of_text(kind: ConfigKind, path: &str, text: &str) -> ConfigFile {
    let all = unfolded(text);
    let mut open = true;
    let lines = all
        .iter()
        .map(|raw| raw.trim())
        .filter(|l| !l.is_empty() && !l.starts_with(['#', ';', '!']))
        .filter(|l| {
            if kind == ConfigKind::Keyfile && l.starts_with('[') {
                open = SECTIONS.contains(l);
            }
            open
        })
        .filter(|l| kept(kind, l) && !secret(l))
        .take(MOST_LINES)
        .map(line);
    ConfigFile { path: format!("/{path}").into(), kind, lines: lines.collect() }
}

/// The sections of a keyfile that say something of addresses, routes and rules; the others hold
/// what a connection is made with, passwords among it.
const SECTIONS: [&str; 8] = [
    "[connection]",
    "[ipv4]",
    "[ipv6]",
    "[infiniband]",
    "[match]",
    "[vlan]",
    "[bond]",
    "[ethernet]",
];

/// Lines that a backslash continues, joined.
fn unfolded(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut open = false;
    for raw in text.lines() {
        let (part, goes_on) = match raw.strip_suffix('\\') {
            Some(part) => (part, true),
            None => (raw, false),
        };
        match lines.last_mut() {
            Some(last) if open => last.push_str(part),
            _ => lines.push(part.to_owned()),
        }
        open = goes_on;
    }
    lines
}

/// Absolute paths of a line that an admin's own scripts may have.
fn calls(line: &str) -> Vec<String> {
    const WHERE: [&str; 6] = ["/usr/local/", "/opt/", "/etc/", "/root/", "/usr/sbin/", "/sbin/"];
    if line.trim_start().starts_with('#') && !line.starts_with("#!") {
        return Vec::new();
    }
    line.split(|c: char| !(c.is_ascii_alphanumeric() || "/._-+".contains(c)))
        .filter(|word| WHERE.iter().any(|dir| word.starts_with(dir)) && !word.contains(".."))
        .filter(|word| !word.ends_with('/') && !BINARIES.contains(word))
        .map(|word| word.trim_start_matches('/').to_owned())
        .collect()
}

/// Programs that many scripts name and that are no scripts.
const BINARIES: [&str; 4] = ["/sbin/ip", "/usr/sbin/ip", "/sbin/sysctl", "/usr/sbin/sysctl"];

/// Words that a line about rules, routes, addresses or sysctls has.
const WORDS: [&str; 25] = [
    "rule",
    "route",
    "routing",
    "table",
    "from",
    "to:",
    "to=",
    "priority",
    "pref",
    "destination",
    "gateway",
    "via",
    "sysctl",
    "net.ipv",
    "net/ipv",
    "arp_",
    "rp_filter",
    "linkdown",
    "accept_local",
    "address",
    "name",
    "uuid",
    "match",
    "reversepath",
    "metric",
];

/// What a script does to them.
const DONE: [&str; 9] =
    ["rule", "route", " ro ", " ru ", "sysctl", "net.ipv", "net/ipv", "arp_", "rp_filter"];

fn kept(kind: ConfigKind, line: &str) -> bool {
    match kind {
        ConfigKind::Sysctl => return line.contains("net.ipv") || line.contains("net/ipv"),
        ConfigKind::Script => {
            let line = line.to_ascii_lowercase();
            return DONE.iter().any(|word| line.contains(word));
        }
        _ => {}
    }
    if line.starts_with('[') && matches!(kind, ConfigKind::Keyfile | ConfigKind::Networkd) {
        return true;
    }
    let line = line.to_ascii_lowercase();
    WORDS.iter().any(|word| line.contains(word))
}

/// Keyfiles and scripts hold keys, and what is read here may be copied.
fn secret(line: &str) -> bool {
    // `p-key` of a partition is none, nor is `pkey`.
    let line = line.to_ascii_lowercase().replace("p-key", "").replace("pkey", "");
    ["pass", "psk", "secret", "private", "token", "key", "credential", "auth", "identity"]
        .iter()
        .any(|word| line.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_script_calls() {
        let line =
            "ExecStart=/usr/local/sbin/rails up && /sbin/ip rule; /usr/bin/env x /opt/a/b.sh";
        assert_eq!(calls(line), ["usr/local/sbin/rails", "opt/a/b.sh"]);
        assert!(calls("# /usr/local/sbin/old").is_empty());
        assert!(calls("/etc/../shadow").is_empty());
    }

    #[test]
    fn continued_lines_are_one() {
        assert_eq!(unfolded("ip rule \\\n  add\nx\\"), ["ip rule   add", "x"]);
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text: String) {
            let lines = unfolded(&text);
            prop_assert!(lines.len() <= text.lines().count());
            for line in &lines {
                let _ = (calls(line), kept(ConfigKind::Script, line), secret(line));
            }
        }
    }
}
