//! What a capture keeps of the managers' files: the lines that are read, and nothing else.
//!
//! Keyfiles and hooks hold passwords. A capture goes to colleagues and into bug reports, so no
//! file is copied: the lines that [`super::read`] would keep are written, the same reader finds
//! the same in them, and a file that could not be read is told as such, not as absent.

use super::config::{Scanned, scan};
use super::files::{self, Files, errno_words};
use crate::read::root::Root;
use crate::sample::{ConfigKind, Text};
use rustix::io::Errno;

/// One file of a capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its path below the root, without the slash in front.
    pub path: String,
    /// What is written there.
    pub content: String,
    /// It says why a file is missing.
    pub is_error: bool,
}

/// Keys of the run-time files that tell who keeps an interface.
const STATES: [&str; 4] = ["managed", "connection-uuid", "ADMIN_STATE", "NETWORK_FILE"];

/// Everything that [`super::read`] would find for these interfaces (index and name).
pub fn kept(root: &Root, interfaces: &[(u32, Text)]) -> Vec<Kept> {
    let mut files = Files::new(root);
    let mut all: Vec<Kept> = scan(&mut files).iter().map(configured).collect();
    for (index, name) in interfaces {
        for path in [
            format!("run/NetworkManager/devices/{index}"),
            format!("run/systemd/netif/links/{index}"),
        ] {
            all.extend(state(root, path, |line| {
                line.split_once('=').is_some_and(|(key, _)| STATES.contains(&key.trim()))
            }));
        }
        // Of these it counts that they are there.
        let leases = ["static.ipv4", "static.ipv6", "dhcp.ipv4", "dhcp.ipv6"]
            .map(|kind| format!("run/wicked/leaseinfo.{name}.{kind}"));
        let netplan = format!("run/NetworkManager/system-connections/netplan-{name}.nmconnection");
        for path in leases.into_iter().chain([netplan]) {
            let known = all.iter().any(|k| k.path == path);
            if !known && root.join(&path).symlink_metadata().is_ok() {
                all.push(Kept { path, content: String::new(), is_error: false });
            }
        }
    }
    all.extend(state(root, "run/network/ifstate".into(), |line| {
        interfaces.iter().any(|(_, name)| {
            line.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('='))
        })
    }));
    all.extend(files.refused.iter().map(|(path, errno)| error(path, *errno)));
    all
}

/// The kept lines. What a script calls stands in its first line, where the reader looks for it.
fn configured(scanned: &Scanned) -> Kept {
    let file = &scanned.file;
    let mut content = String::new();
    if matches!(file.kind, ConfigKind::Script | ConfigKind::Interfaces) {
        content.push_str("#!");
        for path in &scanned.calls {
            content.push_str(" /");
            content.push_str(path);
        }
        content.push('\n');
    }
    for line in &file.lines {
        content.push_str(line);
        // At the end of a line it would continue it.
        content.push_str(if line.ends_with('\\') { " \n" } else { "\n" });
    }
    let path = file.path.trim_start_matches('/').to_owned();
    Kept { path, content, is_error: false }
}

/// Some lines of a run-time file, if it is there.
fn state(root: &Root, path: String, wanted: impl Fn(&str) -> bool) -> Option<Kept> {
    match files::text(root, &path) {
        Ok(Some((text, _))) => {
            let lines: Vec<&str> = text.lines().filter(|line| wanted(line.trim())).collect();
            let content = lines.iter().map(|line| files::line(line).to_string() + "\n").collect();
            Some(Kept { path, content, is_error: false })
        }
        Ok(None) | Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NXIO) => None,
        Err(errno) => Some(error(&path, errno)),
    }
}

fn error(path: &str, errno: Errno) -> Kept {
    Kept { path: format!("{path}.error"), content: errno_words(errno), is_error: true }
}

#[cfg(test)]
mod tests;
