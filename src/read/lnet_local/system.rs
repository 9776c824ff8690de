//! Who uses LNet: `/proc/modules`, `/proc/mounts`.

use crate::read::root::Root;
use crate::sample::{LoadedModule, LustreMount, Text};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};

/// Nodes with thousands of automounts have some 100 kB.
const LONGEST: u64 = 4 << 20;

/// The whole lines of a file, as far as it is read.
fn lines(root: &Root, path: &str) -> impl Iterator<Item = String> {
    let file = File::open(root.join(path)).ok();
    let reader = file.map(|f| BufReader::new(f.take(LONGEST)));
    reader
        .into_iter()
        .flat_map(|reader| reader.split(b'\n').map_while(Result::ok))
        .map(|line| String::from_utf8_lossy(&line).trim_end_matches('\0').to_owned())
}

/// `libcfs`, `lnet`, and all that use them, directly or not: that is all of Lustre, whatever a
/// version calls its modules.
pub(super) fn modules(root: &Root) -> Vec<LoadedModule> {
    let all: Vec<LoadedModule> = lines(root, "proc/modules").filter_map(|l| module(&l)).collect();
    let mut wanted: Vec<&str> = vec!["libcfs", "lnet"];
    let mut next = 0;
    while let Some(name) = wanted.get(next).copied() {
        next += 1;
        for user in all.iter().filter(|m| *m.name == *name).flat_map(|m| &m.used_by) {
            if !wanted.contains(&&**user) {
                wanted.push(user);
            }
        }
    }
    all.iter().filter(|m| wanted.contains(&&*m.name)).cloned().collect()
}

/// `name size references user,user, state address`. Of a kernel that counts no references (`-`)
/// nothing can be said.
fn module(line: &str) -> Option<LoadedModule> {
    let mut words = line.split_ascii_whitespace();
    let name = words.next()?;
    let references = words.nth(1)?.parse().ok()?;
    let users = words.next()?;
    Some(LoadedModule {
        name: Text::new(name),
        references,
        used_by: users.split(',').filter(|u| !u.is_empty() && *u != "-").map(Text::new).collect(),
    })
}

/// Mounted targets and clients.
pub(super) fn mounts(root: &Root) -> Vec<LustreMount> {
    lines(root, "proc/mounts").filter_map(|line| mount(&line)).collect()
}

fn mount(line: &str) -> Option<LustreMount> {
    let mut words = line.split(' ');
    let (source, target, kind) = (words.next()?, words.next()?, words.next()?);
    is_lustre(kind).then(|| LustreMount {
        source: Text::new(&unescaped(source)),
        target: Text::new(&unescaped(target)),
        kind: Text::new(kind),
    })
}

/// The lines of `/proc/mounts` that are about Lustre: the others are no business of a capture.
pub fn lustre_mounts(text: &[u8]) -> Vec<u8> {
    let wanted = |line: &&[u8]| {
        let kind = line.split(|b| *b == b' ').nth(2).unwrap_or_default();
        is_lustre(&String::from_utf8_lossy(kind))
    };
    text.split_inclusive(|b| *b == b'\n').filter(wanted).flatten().copied().collect()
}

/// From 2.13 servers mount their targets as `lustre_tgt`.
fn is_lustre(kind: &str) -> bool {
    matches!(kind, "lustre" | "lustre_tgt")
}

/// Blanks and the like are written as `\040` (proc_pid_mounts(5)).
fn unescaped(word: &str) -> String {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let octal = after.get(..3).filter(|d| d.iter().all(|b| (b'0'..=b'7').contains(b)));
        let value = octal.and_then(|d| {
            u8::try_from(d.iter().fold(0_u32, |n, b| n * 8 + u32::from(b - b'0'))).ok()
        });
        if let Some(byte) = value.filter(|_| *first == b'\\') {
            bytes.push(byte);
            rest = after.get(3..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
