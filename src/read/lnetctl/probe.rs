//! What can be known of LNet without asking it: its modules, its program, its version.

use super::child::{Leash, Limits, Stopped, run};
use crate::read::root::Root;
use crate::sample::{LnetModules, Reading, Text, Unknown, Why};
use rustix::fs::{Access, access};
use std::path::{Path, PathBuf};

/// `/sys/module`: readable by everyone. All unknown if the root has no such directory.
pub fn modules(root: &Root) -> LnetModules {
    let there = |name: &str| root.join("sys/module").join(name).is_dir();
    if !root.join("sys/module").is_dir() {
        return LnetModules::default();
    }
    LnetModules {
        lnet: Some(there("lnet")),
        ksocklnd: Some(there("ksocklnd")),
        ko2iblnd: Some(there("ko2iblnd") || there("in_kernel_ko2iblnd")),
    }
}

/// `/usr/sbin/lnetctl`, then PATH: the client packages put it where a user's PATH often does not
/// look.
pub(super) fn find(root: &Root, path: Option<&std::ffi::OsStr>) -> Option<PathBuf> {
    program("usr/sbin", "lnetctl", root, path)
}

/// A program in its usual directory, then in PATH, below a root. Relative entries of PATH are not
/// followed.
pub(super) fn program(
    usual: &str,
    name: &str,
    root: &Root,
    path: Option<&std::ffi::OsStr>,
) -> Option<PathBuf> {
    let dirs = path.map(std::env::split_paths).into_iter().flatten().filter(|d| d.is_absolute());
    std::iter::once(PathBuf::from(usual))
        .chain(dirs)
        .map(|dir| root.join(dir).join(name))
        .find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    file.is_file() && access(file, Access::EXEC_OK).is_ok()
}

/// Asks `lnetctl --version` (from 2.16), then the `lctl` beside it, then the modules' files.
pub(super) fn version(
    program: &Path,
    root: &Root,
    limits: Limits,
    leash: &Leash,
) -> Result<Reading<Text>, Stopped> {
    for tool in [program.to_path_buf(), program.with_file_name("lctl")] {
        if !is_program(&tool) {
            continue;
        }
        match run(&tool, &["--version"], limits, leash) {
            // Up to 2.15 `lnetctl --version` prints its commands and exits 255.
            Ok(outcome) => {
                if let Some(version) = printed_version(&outcome.stdout) {
                    return Ok(Ok(version));
                }
            }
            Err(stopped) if stopped.left.is_some() => return Err(stopped),
            Err(_) => {}
        }
    }
    Ok(version_file(root))
}

/// The version that the loaded modules state.
pub(super) fn version_file(root: &Root) -> Reading<Text> {
    ["sys/module/lnet/version", "sys/fs/lustre/version"]
        .into_iter()
        .filter_map(|file| std::fs::read(root.join(file)).ok())
        .find_map(|bytes| bytes.split(|b| *b == b'\n').find_map(version_in))
        .ok_or_else(|| Unknown::new(Why::Absent, "neither lnetctl, lctl nor the modules state it"))
}

/// `lnetctl 2.16.1`, `lctl 2.15.8`: the word after the name.
pub(super) fn printed_version(stdout: &[u8]) -> Option<Text> {
    let line = stdout.split(|b| *b == b'\n').find(|l| !l.trim_ascii().is_empty())?;
    let mut words = line.split(u8::is_ascii_whitespace);
    let name = words.next()?;
    (name == b"lnetctl" || name == b"lctl").then(|| version_in(line)).flatten()
}

/// The first word that looks like a version: digits, a dot, and so on.
fn version_in(line: &[u8]) -> Option<Text> {
    line.split(u8::is_ascii_whitespace)
        .find(|w| w.first().is_some_and(u8::is_ascii_digit) && w.contains(&b'.') && w.len() < 64)
        .map(Text::from_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_as_printed() {
        let version = |s: &str| printed_version(s.as_bytes()).map(|v| v.to_string());
        assert_eq!(version("lnetctl 2.16.1\n").as_deref(), Some("2.16.1"));
        assert_eq!(version("lctl 2.15.8\n").as_deref(), Some("2.15.8"));
        assert_eq!(version("lctl   2.14.0_ddn98\n").as_deref(), Some("2.14.0_ddn98"));
        assert_eq!(
            version("Try interactive use without arguments or use one of:\n\"lnet\"\n"),
            None
        );
        assert_eq!(version(""), None);
    }

    #[test]
    fn modules_are_unknown_without_sys() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::new(dir.path());
        assert_eq!(modules(&root), LnetModules::default());
        std::fs::create_dir_all(dir.path().join("sys/module/in_kernel_ko2iblnd")).unwrap();
        let seen = modules(&root);
        assert_eq!(
            (seen.lnet, seen.ksocklnd, seen.ko2iblnd),
            (Some(false), Some(false), Some(true))
        );
    }

    #[test]
    fn version_files() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::new(dir.path());
        assert_eq!(version_file(&root).unwrap_err().why, Why::Absent);
        std::fs::create_dir_all(dir.path().join("sys/fs/lustre")).unwrap();
        std::fs::write(
            dir.path().join("sys/fs/lustre/version"),
            "lustre: 2.10.8\nkernel: patchless\n",
        )
        .unwrap();
        assert_eq!(version_file(&root).unwrap(), "2.10.8");
    }
}
