//! Copies single files of this node with the links that lead to them, so that a reader finds the
//! copy by the same paths.

use super::confine::{Lost, resolve};
use rustix::io::Errno;
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// More than any file that is copied: `/proc/stat` of a large node.
const MAX_FILE: u64 = 4 << 20;

/// What was done so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) files: AtomicU64,
    pub(super) bytes: AtomicU64,
    pub(super) errors: AtomicU64,
}

/// Files that a driver refused: a second read of them costs an error line in the kernel log
/// each time (mlx5 `ACCESS_REG` with EINVAL), so they are not asked again.
pub(super) type Refused = Mutex<HashMap<PathBuf, i32>>;

/// Copies from `root` to `target`; paths are relative to both.
#[derive(Debug)]
pub(super) struct Copier {
    root: PathBuf,
    target: PathBuf,
    tally: Arc<Tally>,
    refused: Arc<Refused>,
    cancelled: AtomicBool,
}

impl Copier {
    pub(super) fn new(
        root: &Path,
        target: &Path,
        tally: &Arc<Tally>,
        refused: &Arc<Refused>,
    ) -> Self {
        Self {
            root: root.to_owned(),
            target: target.to_owned(),
            tally: Arc::clone(tally),
            refused: Arc::clone(refused),
            cancelled: AtomicBool::new(false),
        }
    }

    /// Where it writes.
    pub(super) fn target(&self) -> &Path {
        &self.target
    }

    /// From now on nothing is written: a read that hung returns into nothing.
    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
    }

    fn gone(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    /// The real path of `path`, with its links made in the target.
    fn reach(&self, path: &Path) -> Option<PathBuf> {
        let made = resolve(&self.root, path, |link, target| {
            let to = self.target.join(link);
            if !self.gone() && make_parent(&to).is_ok() {
                // It is there already after the first file behind it.
                let _ = symlink(target, &to);
            }
        });
        match made {
            Ok(real) => Some(real),
            Err(Lost::Failed(e)) => {
                self.failed(path, &e);
                None
            }
            Err(Lost::Escapes | Lost::Loops) => None,
        }
    }

    /// A directory, empty in the copy; its real path.
    pub(super) fn enter(&self, path: impl AsRef<Path>) -> Option<PathBuf> {
        let real = self.reach(path.as_ref())?;
        if !self.root.join(&real).is_dir() || self.gone() {
            return None;
        }
        fs::create_dir_all(self.target.join(&real)).ok()?;
        Some(real)
    }

    /// Names in a directory, sorted; one that cannot be listed leaves its error.
    pub(super) fn list(&self, path: impl AsRef<Path>) -> Vec<OsString> {
        let path = path.as_ref();
        match fs::read_dir(self.root.join(path)) {
            Ok(list) => {
                let mut names: Vec<_> = list.flatten().map(|entry| entry.file_name()).collect();
                names.sort();
                names
            }
            Err(e) => {
                self.failed(path, &e);
                Vec::new()
            }
        }
    }

    /// One file as it is.
    pub(super) fn file(&self, path: impl AsRef<Path>) -> Option<Vec<u8>> {
        self.filtered(path, |bytes| bytes)
    }

    /// One file, changed on the way.
    pub(super) fn filtered(
        &self,
        path: impl AsRef<Path>,
        change: impl FnOnce(Vec<u8>) -> Vec<u8>,
    ) -> Option<Vec<u8>> {
        let real = self.reach(path.as_ref())?;
        let known = self.refused.lock().ok().and_then(|map| map.get(&real).copied());
        let outcome = match known {
            Some(errno) => Err(io::Error::from_raw_os_error(errno)),
            None => read_file(&self.root.join(&real)),
        };
        match outcome {
            Ok(bytes) => {
                let bytes = change(bytes);
                self.put(&real, &bytes);
                Some(bytes)
            }
            Err(e) => {
                self.failed(&real, &e);
                None
            }
        }
    }

    /// One file, if its text is wanted.
    pub(super) fn chosen(&self, path: impl AsRef<Path>, wanted: impl FnOnce(&[u8]) -> bool) {
        let path = path.as_ref();
        let text = read_file(&self.root.join(path));
        if text.map_or_else(|e| e.kind() != io::ErrorKind::NotFound, |text| wanted(&text)) {
            self.file(path);
        }
    }

    /// One file under another name; whether there is anything of it, if only an error.
    pub(super) fn file_as(&self, path: &Path, name: &Path) -> bool {
        match read_file(&self.root.join(path)) {
            Ok(bytes) => {
                self.put(name, &bytes);
                true
            }
            Err(e) if is_absent(&e) => false,
            Err(e) => {
                let words = format!("{}: {e}\n", errno_name(e.raw_os_error().unwrap_or(0)));
                self.error(name, &words);
                true
            }
        }
    }

    /// That there is a link, whatever it leads to: an empty file, because a link that leads out
    /// of a capture is not opened.
    pub(super) fn link(&self, path: impl AsRef<Path>) {
        if fs::symlink_metadata(self.root.join(path.as_ref())).is_ok() {
            self.put(path, b"");
        }
    }

    /// The files of a directory that are there, by name.
    pub(super) fn files(&self, dir: &Path, names: &[&str]) {
        for name in names {
            self.file(dir.join(name));
        }
    }

    /// Bytes of our own.
    pub(super) fn put(&self, path: impl AsRef<Path>, bytes: &[u8]) {
        let to = self.target.join(path);
        if self.gone() || make_parent(&to).is_err() {
            return;
        }
        if fs::write(&to, bytes).is_ok() {
            self.tally.files.fetch_add(1, Ordering::Relaxed);
            self.tally.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        }
    }

    /// What is not there needs no words; for the rest an empty file, as `cp` leaves it, and the
    /// reason beside it.
    fn failed(&self, path: &Path, error: &io::Error) {
        let errno = error.raw_os_error().unwrap_or(0);
        if is_absent(error) || error.kind() == io::ErrorKind::IsADirectory {
            return;
        }
        if path.starts_with("sys/devices")
            && let Ok(mut refused) = self.refused.lock()
        {
            refused.insert(path.to_owned(), errno);
        }
        if !self.root.join(path).is_dir() {
            self.put(path, b"");
        }
        self.error(path, &format!("{}: {error}\n", errno_name(errno)));
    }

    /// `<name>.error` beside `path`.
    pub(super) fn error(&self, path: &Path, words: &str) {
        let mut name = path.as_os_str().to_owned();
        name.push(super::restamp::ERROR_SUFFIX);
        self.error_at(Path::new(&name), words);
    }

    /// The words of an error in a file of this name.
    pub(super) fn error_at(&self, name: &Path, words: &str) {
        self.tally.errors.fetch_add(1, Ordering::Relaxed);
        self.put(name, words.as_bytes());
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn make_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

/// Reads a regular file and nothing else: an attribute that blocks on open is no part of this.
fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The errno's name; its number where it is none that sysfs gives.
pub(super) fn errno_name(errno: i32) -> String {
    let known = [
        (Errno::PERM, "EPERM"),
        (Errno::INTR, "EINTR"),
        (Errno::IO, "EIO"),
        (Errno::NXIO, "ENXIO"),
        (Errno::AGAIN, "EAGAIN"),
        (Errno::NOMEM, "ENOMEM"),
        (Errno::ACCESS, "EACCES"),
        (Errno::BUSY, "EBUSY"),
        (Errno::NODEV, "ENODEV"),
        (Errno::INVAL, "EINVAL"),
        (Errno::NOSYS, "ENOSYS"),
        (Errno::NODATA, "ENODATA"),
        (Errno::NOLINK, "ENOLINK"),
        (Errno::OPNOTSUPP, "EOPNOTSUPP"),
        (Errno::TIMEDOUT, "ETIMEDOUT"),
        (Errno::CANCELED, "ECANCELED"),
    ];
    known
        .iter()
        .find(|(e, _)| e.raw_os_error() == errno)
        .map_or_else(|| format!("errno {errno}"), |(_, name)| (*name).to_owned())
}
