//! Unpacking a `.tar` or `.tar.zst` from somebody else.
//!
//! While files are written the tree holds no link at all, so no path can lead out of it; links
//! are made at the end and looked at before anything is opened.

use super::confine::{MAX_BYTES, MAX_ENTRIES, too_big, too_many};
use std::cell::Cell;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, symlink};
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;
use tar::{Archive, Entry, EntryType};

const ZSTD_MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];
/// Offset of "ustar" in a header (POSIX.1-1988 and GNU).
const USTAR_AT: usize = 257;
/// Deeper than any path of sysfs.
const MAX_DEPTH: usize = 64;
/// Headers and long names between two entries: the tar reader holds these in memory.
const MAX_HEADERS: u64 = 1 << 20;

/// Unpacks `file` into the empty directory `into`.
pub(super) fn unpack(file: &Path, into: &Path) -> Result<(), String> {
    let opened = File::open(file).map_err(|e| e.to_string())?;
    let mut reader = BufReader::with_capacity(64 << 10, opened);
    let head = reader.fill_buf().map_err(|e| e.to_string())?;
    if head.starts_with(ZSTD_MAGIC) {
        let decoder = zstd::Decoder::with_buffer(reader).map_err(|e| e.to_string())?;
        Unpacker::new(into).run(decoder)
    } else if head.starts_with(GZIP_MAGIC) {
        Err("it is compressed with gzip: unpack it first (tar xzf)".into())
    } else if head.get(USTAR_AT..USTAR_AT + 5) == Some(b"ustar") {
        Unpacker::new(into).run(reader)
    } else {
        Err("it is neither a directory nor a .tar or .tar.zst".into())
    }
}

struct Unpacker<'a> {
    into: &'a Path,
    entries: u64,
    bytes: u64,
    links: Vec<(PathBuf, PathBuf)>,
}

impl<'a> Unpacker<'a> {
    fn new(into: &'a Path) -> Self {
        Self { into, entries: 0, bytes: 0, links: Vec::new() }
    }

    fn run(mut self, reader: impl Read) -> Result<(), String> {
        let allowance = Rc::new(Cell::new(MAX_HEADERS));
        let mut archive = Archive::new(Metered { reader, left: Rc::clone(&allowance) });
        let mut entries = archive.entries().map_err(damaged)?;
        loop {
            allowance.set(MAX_HEADERS);
            let Some(entry) = entries.next() else { break };
            let mut entry = entry.map_err(damaged)?;
            self.entries += 1;
            if self.entries > MAX_ENTRIES {
                return Err(too_many());
            }
            allowance.set(MAX_BYTES);
            self.take(&mut entry)?;
            // What was not wanted is read here, not while the next headers are.
            let rest = io::copy(&mut entry.by_ref().take(MAX_BYTES), &mut io::sink());
            self.count(rest.map_err(damaged)?)?;
        }
        self.make_links();
        Ok(())
    }

    fn take<R: Read>(&mut self, entry: &mut Entry<'_, R>) -> Result<(), String> {
        let name = entry.path().map_err(damaged)?.into_owned();
        let Some(inside) = inside(&name)? else { return Ok(()) };
        let to = self.into.join(&inside);
        match entry.header().entry_type() {
            EntryType::Directory => {
                // A file of that name stays: an archive that says both is nobody's capture.
                let _ = private_dir(&to);
                Ok(())
            }
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                self.write_file(entry, &to)
            }
            EntryType::Symlink => {
                if let Some(target) = entry.link_name().map_err(damaged)? {
                    self.links.push((inside, target.into_owned()));
                }
                Ok(())
            }
            // Devices, FIFOs and hard links are no part of a capture.
            _ => Ok(()),
        }
    }

    fn write_file<R: Read>(&mut self, entry: &mut Entry<'_, R>, to: &Path) -> Result<(), String> {
        let Some(parent) = to.parent() else { return Ok(()) };
        if private_dir(parent).is_err() {
            return Ok(());
        }
        let opened = File::options().write(true).create(true).truncate(true).mode(0o600).open(to);
        let Ok(mut file) = opened else { return Ok(()) };
        let size = entry.size();
        let room = MAX_BYTES - self.bytes;
        let copied = io::copy(&mut entry.by_ref().take(room + 1), &mut file).map_err(damaged)?;
        self.count(copied)?;
        if copied < size {
            return Err("the archive ends too early".into());
        }
        Ok(())
    }

    fn count(&mut self, bytes: u64) -> Result<(), String> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > MAX_BYTES { Err(too_big()) } else { Ok(()) }
    }

    fn make_links(&self) {
        for (link, target) in &self.links {
            let at = self.into.join(link);
            let Some(parent) = at.parent() else { continue };
            // Through a link made before this one nothing is made: the parent must be a real
            // directory on the whole way.
            if real_dirs(self.into, link) && private_dir(parent).is_ok() {
                let _ = symlink(target, &at);
            }
        }
    }
}

/// No link among the parents of `path`; those that do not exist yet are none.
fn real_dirs(root: &Path, path: &Path) -> bool {
    path.ancestors()
        .skip(1)
        .all(|parent| fs::symlink_metadata(root.join(parent)).map_or(true, |meta| meta.is_dir()))
}

fn private_dir(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// The path of an entry below the target: leading slashes go, as tar itself does; `..` is
/// refused. `None` is the target itself.
fn inside(name: &Path) -> Result<Option<PathBuf>, String> {
    let mut path = PathBuf::new();
    for (depth, part) in name.components().enumerate() {
        match part {
            Component::Normal(name) => path.push(name),
            Component::CurDir | Component::RootDir => {}
            Component::ParentDir | Component::Prefix(_) => {
                return Err(format!("it holds a path that leads out of it: {}", name.display()));
            }
        }
        if depth > MAX_DEPTH {
            return Err("it holds a path that is too deep".into());
        }
    }
    Ok((!path.as_os_str().is_empty()).then_some(path))
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn damaged(error: io::Error) -> String {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return "the archive ends too early".into();
    }
    format!("the archive is damaged: {error}")
}

/// A reader that gives no more than it was told to.
struct Metered<R> {
    reader: R,
    left: Rc<Cell<u64>>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buf)?;
        let left = self.left.get().checked_sub(n as u64);
        self.left.set(left.ok_or_else(|| io::Error::other("it is too large"))?);
        Ok(n)
    }
}
