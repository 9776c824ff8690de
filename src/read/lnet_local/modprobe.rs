//! What modprobe is told of LNet's modules: modprobe.d(5).

use super::{too_long, unknown};
use crate::read::manager::text;
use crate::read::root::Root;
use crate::sample::{LnetFile, Text};
use std::collections::BTreeMap;

/// Where modprobe looks, below the root. A file in an earlier one takes the place of one of that name in a later one.
pub const DIRECTORIES: [&str; 5] = [
    "etc/modprobe.d",
    "run/modprobe.d",
    "usr/local/lib/modprobe.d",
    "usr/lib/modprobe.d",
    "lib/modprobe.d",
];
/// Modules of LNet; modprobe takes `-` and `_` for the same.
const MODULES: [&str; 11] = [
    "lnet",
    "libcfs",
    "ksocklnd",
    "ko2iblnd",
    "ko2iblnd_opa",
    "in_kernel_ko2iblnd",
    "kfilnd",
    "kgnilnd",
    "kefalnd",
    "ptlrpc",
    "lustre",
];
/// Directories with more are not read to the end.
const MOST_FILES: usize = 512;

/// The files that say something of LNet, in the order in which modprobe reads them: by name.
pub(super) fn files(root: &Root) -> Vec<LnetFile> {
    let mut by_name: BTreeMap<String, String> = BTreeMap::new();
    for dir in DIRECTORIES {
        let Ok(entries) = std::fs::read_dir(root.join(dir)) else { continue };
        for entry in entries.take(MOST_FILES).flatten() {
            let Ok(name) = entry.file_name().into_string() else { continue };
            let conf = name.strip_suffix(".conf").is_some_and(|stem| !stem.starts_with('.'));
            if conf {
                by_name.entry(name).or_insert_with_key(|name| format!("{dir}/{name}"));
            }
        }
    }
    by_name.values().filter_map(|path| file(root, path)).collect()
}

fn file(root: &Root, path: &str) -> Option<LnetFile> {
    let lines = match text(root, path) {
        Ok(Some((text, whole))) => {
            let lines = relevant(&text);
            if !whole {
                Err(too_long(path))
            } else if lines.is_empty() {
                return None;
            } else {
                Ok(lines)
            }
        }
        // /dev/null in the place of a file takes it away.
        Ok(None) => return None,
        Err(errno) => Err(unknown(errno, path)),
    };
    Some(LnetFile { path: Text::from(format!("/{path}")), lines })
}

/// `options`, `install` and `alias` lines of LNet's modules; a line that ends in `\` goes on.
fn relevant(text: &str) -> Vec<Text> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for part in text.lines() {
        if let Some(part) = part.strip_suffix('\\') {
            line.push_str(part);
            continue;
        }
        line.push_str(part);
        lines.extend(is_relevant(&line).then(|| Text::new(line.trim())));
        line.clear();
    }
    lines.extend(is_relevant(&line).then(|| Text::new(line.trim())));
    lines
}

/// Whether a file of modprobe.d says something of LNet's modules.
pub fn is_of_lnet(text: &[u8]) -> bool {
    !relevant(&String::from_utf8_lossy(text)).is_empty()
}

fn is_relevant(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let (command, first, second) = (words.next(), words.next(), words.next());
    let is_module =
        |word: Option<&str>| word.is_some_and(|w| MODULES.contains(&w.replace('-', "_").as_str()));
    match command {
        Some("options" | "install") => is_module(first),
        Some("alias") => is_module(first) || is_module(second),
        _ => false,
    }
}
