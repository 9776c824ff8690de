//! Small text files of `/etc` and `/run`: bounded, regular, never blocking.

use crate::natural;
use crate::read::root::Root;
use crate::read::sysfs::fault::Fault;
use crate::sample::{Text, Unknown, Why};
use rustix::fs::{FileType, Mode, OFlags, fstat, open};
use rustix::io::Errno;
use std::io::Read;
use std::path::Path;

/// A file with more is no configuration of a few rails.
const LONGEST: u64 = 256 << 10;
/// Directories with more are not read to the end.
const MOST_NAMES: usize = 512;
/// All files together.
const MOST_FILES: usize = 1024;

/// The files below a root, with what could not be read.
#[derive(Debug)]
pub(super) struct Files<'r> {
    root: &'r Root,
    left: usize,
    pub(super) gaps: Vec<Unknown>,
    /// The same as paths.
    pub(super) refused: Vec<(String, Errno)>,
}

impl<'r> Files<'r> {
    pub(super) fn new(root: &'r Root) -> Self {
        Self { root, left: MOST_FILES, gaps: Vec::new(), refused: Vec::new() }
    }

    /// The names in a directory, natural order; a directory that is not there has none.
    pub(super) fn names(&mut self, dir: &str) -> Vec<String> {
        let entries = match std::fs::read_dir(self.root.join(dir)) {
            Ok(entries) => entries,
            Err(error) => {
                let errno = Errno::from_io_error(&error).unwrap_or(Errno::IO);
                self.gap(dir, untold(self.root, dir).unwrap_or(errno));
                return Vec::new();
            }
        };
        let mut names: Vec<String> = entries
            .take(MOST_NAMES + 1)
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .collect();
        if !self.root.is_system() {
            // What a capture could not copy has its reason beside it.
            if let Some(errno) = untold(self.root, dir) {
                self.gap(dir, errno);
            }
            for name in &mut names {
                if let Some(of) = name.strip_suffix(ERROR) {
                    *name = of.to_owned();
                }
            }
        }
        if names.len() > MOST_NAMES {
            names.truncate(MOST_NAMES);
            self.unread(dir, "too many files");
        }
        names.retain(|name| !name.starts_with('.') && !name.ends_with('~'));
        names.sort_by(|a, b| natural::cmp(a, b));
        names.dedup();
        names
    }

    /// A text. What is not there or no file is no gap.
    pub(super) fn text(&mut self, path: &str) -> Option<String> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        if self.left == 0 {
            self.unread(path, "too many files: this and all after it");
            return None;
        }
        match text(self.root, path) {
            Ok(Some((text, whole))) => {
                if !whole {
                    self.unread(path, "too long: only its beginning");
                }
                Some(text)
            }
            Ok(None) => None,
            Err(errno) => {
                self.gap(path, errno);
                None
            }
        }
    }

    /// A script, and nothing else that may stand in its place.
    pub(super) fn script(&mut self, path: &str) -> Option<String> {
        let (gaps, refused) = (self.gaps.len(), self.refused.len());
        let text = self.text(path)?;
        if text.starts_with("#!") {
            return Some(text);
        }
        self.gaps.truncate(gaps);
        self.refused.truncate(refused);
        None
    }

    fn gap(&mut self, path: &str, errno: Errno) {
        let absent = [Errno::NOENT, Errno::NOTDIR, Errno::LOOP, Errno::NXIO];
        if !absent.contains(&errno) {
            self.refused.push((path.to_owned(), errno));
            self.gaps.push(Fault::Errno(errno).unknown(&Path::new("/").join(path)));
        }
    }

    fn unread(&mut self, path: &str, what: &str) {
        self.refused.push((path.to_owned(), Errno::FBIG));
        self.gaps.push(Unknown::new(Why::Unsupported, format!("/{path}: {what}")));
    }
}

/// What stands beside a file of a capture that could not be copied, or not whole.
const ERROR: &str = ".error";
/// Why a file was not read, by the words of a capture.
const ERRNOS: [(&str, Errno); 5] = [
    ("EACCES", Errno::ACCESS),
    ("EPERM", Errno::PERM),
    ("EFBIG", Errno::FBIG),
    ("ETIMEDOUT", Errno::TIMEDOUT),
    ("ESTALE", Errno::STALE),
];

/// The errno that a capture keeps beside a file.
fn untold(root: &Root, path: &str) -> Option<Errno> {
    let mut bytes = Vec::new();
    let beside = root.join(format!("{path}{ERROR}"));
    let is_file = beside.symlink_metadata().is_ok_and(|m| m.is_file());
    std::fs::File::open(beside).ok().filter(|_| is_file)?.take(64).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let known = ERRNOS.iter().find(|(word, _)| text.starts_with(word));
    Some(known.map_or(Errno::IO, |(_, errno)| *errno))
}

/// The words of an errno in a capture.
pub(super) fn errno_words(errno: Errno) -> String {
    let known = ERRNOS.iter().find(|(_, e)| *e == errno);
    let word = known.map_or("EIO", |(word, _)| word);
    format!("{word}: {errno}\n")
}

/// The text of a regular file and whether that is all of it; `None` for anything else in its
/// place. In a copied tree links are not followed: they could lead out of it.
pub(in crate::read) fn text(root: &Root, path: &str) -> Result<Option<(String, bool)>, Errno> {
    if root.is_system() {
        return whole_text(root, path);
    }
    let told = untold(root, path);
    match (whole_text(root, path), told) {
        (Ok(Some((text, _))), Some(_)) => Ok(Some((text, false))),
        (Err(_) | Ok(None), Some(errno)) => Err(errno),
        (read, None) => read,
    }
}

fn whole_text(root: &Root, path: &str) -> Result<Option<(String, bool)>, Errno> {
    let path = root.join(path);
    let mut flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    if !root.is_system() {
        flags |= OFlags::NOFOLLOW;
        let stat = rustix::fs::lstat(&path)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Ok(None);
        }
    }
    // A FIFO does not block with NONBLOCK, and no device is here that an open would stir.
    let fd = open(&path, flags, Mode::empty())?;
    if FileType::from_raw_mode(fstat(&fd)?.st_mode) != FileType::RegularFile {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    std::fs::File::from(fd)
        .take(LONGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
    let whole = bytes.len() as u64 <= LONGEST;
    bytes.truncate(LONGEST as usize);
    Ok(Some((String::from_utf8_lossy(&bytes).trim_end_matches('\0').to_owned(), whole)))
}

/// A line as it goes into a sample.
pub(super) fn line(raw: &str) -> Text {
    /// No line of a configuration that means something here is longer.
    const LONGEST: usize = 1000;
    match raw.char_indices().nth(LONGEST) {
        Some((end, _)) => Text::new(raw.get(..end).unwrap_or_default()),
        None => Text::new(raw),
    }
}
