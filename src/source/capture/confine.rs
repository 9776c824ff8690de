//! A capture comes from somebody else: its links may lead only to itself.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::{Component, Path, PathBuf};

/// Files, directories and links that one capture may hold.
pub(super) const MAX_ENTRIES: u64 = 200_000;
/// Bytes of all its files together.
pub(super) const MAX_BYTES: u64 = 1 << 30;
/// Links on the way of one path, as the kernel's MAXSYMLINKS.
const MAX_LINKS: u32 = 40;

/// Why a path leads nowhere inside.
#[derive(Debug)]
pub(super) enum Lost {
    /// Through an absolute link, or above the root.
    Escapes,
    /// More links than the kernel would follow.
    Loops,
    /// The file system says so.
    Failed(io::Error),
}

/// Follows `path` below `root`, link by link, without ever leaving `root`, and tells every link
/// (its own path, its target) to `on_link`. The result is relative to `root` and free of links.
pub(super) fn resolve(
    root: &Path,
    path: &Path,
    mut on_link: impl FnMut(&Path, &Path),
) -> Result<PathBuf, Lost> {
    let mut todo: Vec<OsString> = Vec::new();
    push_reversed(&mut todo, path)?;
    let mut done = PathBuf::new();
    let mut links = 0;
    while let Some(part) = todo.pop() {
        if part == ".." {
            if !done.pop() {
                return Err(Lost::Escapes);
            }
            continue;
        }
        done.push(&part);
        let full = root.join(&done);
        if !fs::symlink_metadata(&full).map_err(Lost::Failed)?.is_symlink() {
            continue;
        }
        links += 1;
        if links > MAX_LINKS {
            return Err(Lost::Loops);
        }
        let target = fs::read_link(&full).map_err(Lost::Failed)?;
        on_link(&done, &target);
        done.pop();
        push_reversed(&mut todo, &target)?;
    }
    Ok(done)
}

fn push_reversed(todo: &mut Vec<OsString>, path: &Path) -> Result<(), Lost> {
    for part in path.components().rev() {
        match part {
            Component::Normal(name) => todo.push(name.to_owned()),
            Component::ParentDir => todo.push("..".into()),
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return Err(Lost::Escapes),
        }
    }
    Ok(())
}

/// What a walk over a tree found that must not be opened: links out of it, and files whose
/// opening could block or act (FIFOs, sockets, devices).
pub(super) fn forbidden(root: &Path, parts: &[OsString]) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    let mut bytes = 0u64;
    walk(root, parts, |path, meta| {
        let kind = meta.file_type();
        if kind.is_symlink() {
            // A dangling link leads nowhere, which is no harm.
            if matches!(resolve(root, path, |_, _| {}), Err(Lost::Escapes)) {
                found.push(path.to_owned());
            }
        } else if kind.is_file() {
            bytes = bytes.saturating_add(meta.len());
        } else if !kind.is_dir() {
            found.push(path.to_owned());
        }
        if bytes > MAX_BYTES { Err(too_big()) } else { Ok(()) }
    })?;
    Ok(found)
}

/// Copies a tree without what is forbidden.
pub(super) fn copy_without(
    root: &Path,
    parts: &[OsString],
    forbidden: &[PathBuf],
    into: &Path,
) -> Result<(), String> {
    walk(root, parts, |path, meta| {
        let (from, to) = (root.join(path), into.join(path));
        let kind = meta.file_type();
        let result = if kind.is_dir() {
            fs::DirBuilder::new().mode(0o700).create(&to)
        } else if forbidden.iter().any(|f| f == path) {
            // That a unit is enabled is told by its link, wherever it leads.
            if kind.is_symlink() && path.starts_with("etc/systemd") {
                fs::write(&to, b"")
            } else {
                Ok(())
            }
        } else if kind.is_symlink() {
            fs::read_link(&from).and_then(|target| symlink(target, &to))
        } else {
            copy_file(&from, &to)
        };
        result.map_err(|e| format!("copying {}: {e}", path.display()))
    })
}

/// A file that may not be read stays away; everything else is an error.
fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    match fs::read(from) {
        Ok(bytes) => fs::write(to, bytes),
        Err(e) if e.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        Err(e) => Err(e),
    }
}

pub(super) fn too_big() -> String {
    format!("larger than {} MiB", MAX_BYTES >> 20)
}

pub(super) fn too_many() -> String {
    format!("more than {MAX_ENTRIES} files")
}

/// Visits everything below `root` that belongs to `parts`, parents first, following no link.
fn walk(
    root: &Path,
    parts: &[OsString],
    mut visit: impl FnMut(&Path, &fs::Metadata) -> Result<(), String>,
) -> Result<(), String> {
    let mut todo: Vec<PathBuf> = parts.iter().map(PathBuf::from).collect();
    let mut entries = 0u64;
    while let Some(path) = todo.pop() {
        entries += 1;
        if entries > MAX_ENTRIES {
            return Err(too_many());
        }
        let full = root.join(&path);
        let Ok(meta) = fs::symlink_metadata(&full) else { continue };
        visit(&path, &meta)?;
        if !meta.is_dir() {
            continue;
        }
        // What may not be listed is unknown to the readers too.
        let Ok(list) = fs::read_dir(&full) else { continue };
        todo.extend(list.flatten().map(|entry| path.join(entry.file_name())));
        if todo.len() as u64 > MAX_ENTRIES {
            return Err(too_many());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tree() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let at = |p: &str| dir.path().join(p);
        fs::create_dir_all(at("sys/devices/pci/net/ib0")).unwrap();
        fs::create_dir_all(at("sys/class/net")).unwrap();
        fs::write(at("sys/devices/pci/net/ib0/mtu"), "2044\n").unwrap();
        symlink("../../devices/pci/net/ib0", at("sys/class/net/ib0")).unwrap();
        dir
    }

    #[test]
    fn a_relative_link_is_followed_inside() {
        let dir = tree();
        let mut seen = Vec::new();
        let path = resolve(dir.path(), Path::new("sys/class/net/ib0/mtu"), |link, target| {
            seen.push((link.to_owned(), target.to_owned()));
        });
        assert_eq!(path.unwrap(), Path::new("sys/devices/pci/net/ib0/mtu"));
        assert_eq!(seen.len(), 1);
    }

    #[test]
    fn links_that_leave_are_found_and_left_out() {
        let dir = tree();
        let at = |p: &str| dir.path().join(p);
        symlink("/etc", at("sys/absolute")).unwrap();
        symlink("../../etc", at("sys/climbs")).unwrap();
        symlink("climbs/passwd", at("sys/behind")).unwrap();
        symlink("loop", at("sys/loop")).unwrap();
        symlink("nowhere", at("sys/dangling")).unwrap();
        let mut found = forbidden(dir.path(), &["sys".into()]).unwrap();
        found.sort();
        assert_eq!(found, ["sys/absolute", "sys/behind", "sys/climbs"].map(PathBuf::from).to_vec());
        let copy = tempfile::tempdir().unwrap();
        copy_without(dir.path(), &["sys".into()], &found, copy.path()).unwrap();
        assert_eq!(fs::read(copy.path().join("sys/class/net/ib0/mtu")).unwrap(), b"2044\n");
        assert!(fs::symlink_metadata(copy.path().join("sys/absolute")).is_err());
        assert!(fs::symlink_metadata(copy.path().join("sys/dangling")).is_ok());
    }

    #[test]
    fn a_fifo_is_forbidden() {
        let dir = tree();
        let fifo = dir.path().join("sys/fifo");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &fifo,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .unwrap();
        assert_eq!(forbidden(dir.path(), &["sys".into()]).unwrap(), [PathBuf::from("sys/fifo")]);
    }

    proptest! {
        #[test]
        fn a_resolved_path_is_inside(parts in prop::collection::vec("\\.\\.|\\.|sys|class|net|ib0|mtu|devices|pci|x", 0..12)) {
            let dir = tree();
            if let Ok(path) = resolve(dir.path(), Path::new(&parts.join("/")), |_, _| {}) {
                prop_assert!(path.components().all(|c| matches!(c, Component::Normal(_))));
            }
        }
    }
}
