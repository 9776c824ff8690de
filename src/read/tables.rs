//! Names of routing tables and their kin, as iproute2 keeps them.

use crate::read::root::Root;
use crate::sample::Text;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

/// Nobody names more tables than fit in here.
const LONGEST: u64 = 1 << 20;
const ETC: &str = "etc/iproute2";
const USR: &str = "usr/share/iproute2";

/// `rt_tables` and `rt_tables.d/*.conf` below `root`: id and name, in the order of the ids.
pub fn names(root: &Root) -> Vec<(u32, Text)> {
    named(root, "rt_tables")
}

/// Any of iproute2's files of names: `rt_tables`, `rt_protos`, `group`.
///
/// The file itself comes from `/etc`, else from `/usr/share`; of `NAME.d`, both directories
/// count, but a file in `/etc` hides the one of the same name in `/usr/share` (iproute2,
/// lib/rt_names.c).
pub(in crate::read) fn named(root: &Root, file: &str) -> Vec<(u32, Text)> {
    let mut found = BTreeMap::new();
    let etc = root.join(Path::new(ETC).join(file));
    let main = read(&etc).or_else(|| read(&root.join(Path::new(USR).join(file))));
    parse(&main.unwrap_or_default(), &mut found);
    let mut parts = BTreeMap::new();
    for dir in [USR, ETC] {
        let dir = root.join(Path::new(dir).join(format!("{file}.d")));
        for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|e| e == "conf") {
                parts.insert(entry.file_name(), path);
            }
        }
    }
    for path in parts.values() {
        parse(&read(path).unwrap_or_default(), &mut found);
    }
    found.into_iter().collect()
}

fn read(path: &Path) -> Option<Vec<u8>> {
    // A FIFO would block for ever.
    if !fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(LONGEST).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Lines `ID NAME`, the id decimal or `0x` hex; `#` starts a comment.
fn parse(bytes: &[u8], into: &mut BTreeMap<u32, Text>) {
    for line in String::from_utf8_lossy(bytes).lines() {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        if let (Some(id), Some(name)) = (words.next().and_then(number), words.next()) {
            into.insert(id, name.trim_matches('\0').into());
        }
    }
}

fn number(word: &str) -> Option<u32> {
    match word.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => word.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn write(dir: &Path, file: &str, text: &str) {
        let path = dir.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn etc_comes_first_and_parts_are_hidden_by_name() {
        let dir = tempfile::tempdir().unwrap();
        write(
            dir.path(),
            "etc/iproute2/rt_tables",
            "255\tlocal\n# 7 no\n0x3ad ib0 # rail\n\nx y\n",
        );
        write(dir.path(), "usr/share/iproute2/rt_tables", "9 unseen\n");
        write(dir.path(), "etc/iproute2/rt_tables.d/a.conf", "942 ib1\n");
        write(dir.path(), "usr/share/iproute2/rt_tables.d/a.conf", "10 hidden\n");
        write(dir.path(), "usr/share/iproute2/rt_tables.d/b.conf", "4000000000 far\n");
        write(dir.path(), "usr/share/iproute2/rt_tables.d/b.txt", "11 nothing\n");
        let names = names(&Root::new(dir.path()));
        let names: Vec<_> = names.iter().map(|(id, name)| (*id, name.as_str())).collect();
        assert_eq!(names, [(255, "local"), (941, "ib0"), (942, "ib1"), (4_000_000_000, "far")]);
    }

    #[test]
    fn usr_stands_in_for_etc() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "usr/share/iproute2/rt_tables", "9 nine\n");
        assert_eq!(names(&Root::new(dir.path())), [(9, "nine".into())]);
        let nothing = tempfile::tempdir().unwrap();
        assert!(names(&Root::new(nothing.path())).is_empty());
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes: Vec<u8>) {
            parse(&bytes, &mut BTreeMap::new());
        }
    }
}
