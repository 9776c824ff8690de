//! The line that writes down what runs, run with the shell.

use super::{EXPORT, UNDO_EXPORT};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

const OLD: &str = "net:\n    - net type: o2ib\n";
const NETS: &str = "net:\n    - net type: tcp\n";

/// With an `lnetctl` of this script first in PATH, and that directory for `/etc`.
fn sh(dir: &Path, lnetctl: &str, line: &str) -> bool {
    let program = dir.join("lnetctl");
    fs::write(&program, format!("#!/bin/sh\n{lnetctl}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let line = line.replace("/etc", dir.to_str().unwrap());
    let path = format!("{}:/usr/bin:/bin", dir.display());
    Command::new("sh").args(["-c", &line]).env("PATH", path).output().unwrap().status.success()
}

fn conf(dir: &Path) -> String {
    fs::read_to_string(dir.join("lnet.conf")).unwrap()
}

/// Runs the line over an old file, and tells what became of it.
fn over_old(lnetctl: &str) -> (bool, String, Option<String>) {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("lnet.conf"), OLD).unwrap();
    let done = sh(dir.path(), lnetctl, EXPORT);
    (done, conf(dir.path()), fs::read_to_string(dir.path().join("lnet.conf.old")).ok())
}

#[test]
fn an_export_that_fails_leaves_the_file_alone() {
    let kept = (false, OLD.to_owned(), None);
    for fails in [
        "exit 0",
        "exit 139",
        // 2.16, not loaded.
        "printf 'show:\\n-     net:\\n            errno: -2\\n'; exit 0",
        // Loaded, without nets.
        "printf 'global:\\n    discovery: 1\\n'",
    ] {
        assert_eq!(over_old(fails), kept, "{fails}");
    }
    assert_eq!(over_old("printf 'net:\\n    - net type: tcp\\n'").1, NETS);
}

#[test]
fn where_backup_is_no_option_it_is_left_out() {
    let old = "case $2 in --backup) echo \"export: unrecognized option '--backup'\" >&2;; \
               *) printf 'net:\\n    - net type: tcp\\n';; esac";
    assert_eq!(over_old(old), (true, NETS.into(), Some(OLD.into())));
}

#[test]
fn the_old_file_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let nets = "printf 'net:\\n    - net type: tcp\\n'";
    assert!(sh(dir.path(), nets, EXPORT), "where there was none before");
    assert_eq!(conf(dir.path()), NETS);
    fs::write(dir.path().join("lnet.conf"), OLD).unwrap();
    assert!(sh(dir.path(), nets, EXPORT) && sh(dir.path(), nets, UNDO_EXPORT));
    assert_eq!(conf(dir.path()), OLD);
}
