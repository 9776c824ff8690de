//! A capture directory as one file.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// How a target is written, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Directory,
    Tar,
    TarZst,
}

impl Form {
    pub(super) fn of(target: &Path) -> Self {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        match () {
            () if name.ends_with(".tar.zst") || name.ends_with(".tzst") => Form::TarZst,
            () if name.ends_with(".tar") => Form::Tar,
            () => Form::Directory,
        }
    }
}

/// Packs `dir` into `target`, which appears complete or not at all.
pub(super) fn pack(dir: &Path, target: &Path, form: Form) -> io::Result<()> {
    let temporary = beside(target);
    let result = File::options()
        .write(true)
        .create_new(true)
        .open(&temporary)
        .and_then(|file| write_to(BufWriter::new(file), dir, &stem(target), form))
        .and_then(|()| fs::rename(&temporary, target));
    if result.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    result
}

fn write_to(file: BufWriter<File>, dir: &Path, stem: &Path, form: Form) -> io::Result<()> {
    let mut file = if form == Form::TarZst {
        let encoder = zstd::Encoder::new(file, zstd::DEFAULT_COMPRESSION_LEVEL)?;
        tar_to(encoder, dir, stem)?.finish()?
    } else {
        tar_to(file, dir, stem)?
    };
    file.flush()?;
    file.get_ref().sync_all()
}

fn tar_to<W: Write>(writer: W, dir: &Path, stem: &Path) -> io::Result<W> {
    let mut builder = tar::Builder::new(writer);
    builder.follow_symlinks(false);
    builder.append_dir_all(stem, dir)?;
    builder.into_inner()
}

/// The name of the directory inside: the target's without its endings.
fn stem(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let stem = [".tar.zst", ".tzst", ".tar"].iter().find_map(|end| name.strip_suffix(end));
    match stem {
        None | Some("" | "." | "..") => PathBuf::from("capture"),
        Some(stem) => PathBuf::from(stem),
    }
}

fn beside(target: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(format!(".{}.tmp", std::process::id()));
    target.with_file_name(name)
}
