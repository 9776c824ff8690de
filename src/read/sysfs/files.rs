//! One page-sized file of sysfs or `/proc/sys`: opened once or each time, never blocking, with
//! every failure said in words.

use super::fault::{Failure, Fault};
use super::parse::Odd;
use crate::natural;
use crate::read::root::Root;
use crate::sample::{Reading, Text};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, openat, statat};
use rustix::io::{Errno, pread};
use std::cell::Cell;
use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// An attribute prints at most one page.
const PAGE: usize = 4096;
/// The longest file that is read whole: `/proc/stat` has a line per CPU and a number per interrupt.
const LONGEST: u64 = 4 << 20;
/// How much of a text that was not understood is kept as evidence.
const EVIDENCE: usize = 60;

/// Number of files read.
pub(in crate::read) type Tally = Cell<u32>;

/// A directory, and reads below it.
#[derive(Debug)]
pub(in crate::read) struct Dir<'t> {
    fd: OwnedFd,
    root: Root,
    below: PathBuf,
    tally: &'t Tally,
}

impl<'t> Dir<'t> {
    /// Opens a directory of `root`.
    pub(in crate::read) fn open(
        root: &Root,
        below: impl Into<PathBuf>,
        tally: &'t Tally,
    ) -> Reading<Self> {
        let below = below.into();
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match openat(CWD, root.join(&below), flags, Mode::empty()) {
            Ok(fd) => Ok(Self { fd, root: root.clone(), below, tally }),
            Err(errno) => Err(Fault::Errno(errno).at(&Path::new("/").join(&below)).unknown),
        }
    }

    /// Opens a directory below this one.
    pub(in crate::read) fn dir(&self, name: impl AsRef<Path>) -> Reading<Dir<'t>> {
        Dir::open(&self.root, self.below.join(name), self.tally)
    }

    /// Opens another directory of the same root.
    pub(in crate::read) fn at(&self, below: &Path) -> Reading<Dir<'t>> {
        Dir::open(&self.root, below, self.tally)
    }

    /// Reads one file.
    pub(in crate::read) fn read<T>(
        &self,
        name: impl AsRef<Path>,
        parse: impl FnOnce(&[u8]) -> Result<T, Odd>,
    ) -> Reading<T> {
        self.try_read(name.as_ref(), parse).map_err(|failure| failure.unknown)
    }

    /// Reads one file, with the kind of a failure.
    pub(in crate::read) fn try_read<T>(
        &self,
        name: &Path,
        parse: impl FnOnce(&[u8]) -> Result<T, Odd>,
    ) -> Result<T, Failure> {
        count(self.tally);
        open(self.fd.as_fd(), name, &self.root)
            .and_then(|fd| read(fd.as_fd(), parse))
            .map_err(|fault| fault.at(&self.shown(name)))
    }

    /// The count of files read.
    pub(in crate::read) fn tally(&self) -> &'t Tally {
        self.tally
    }

    /// The path of a file as it is on the node.
    pub(in crate::read) fn shown(&self, name: &Path) -> PathBuf {
        Path::new("/").join(&self.below).join(name)
    }

    /// Whether there is such an entry; a dangling link is one.
    pub(in crate::read) fn has(&self, name: &str) -> bool {
        statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW).is_ok()
    }

    /// Names of a directory below (or of this one, with `.`), natural order; none if it is not
    /// there.
    pub(in crate::read) fn names(&self, name: &str) -> Vec<OsString> {
        names(&self.path(name)).unwrap_or_default()
    }

    /// The last part of the target of a link.
    pub(in crate::read) fn link(&self, name: &str) -> Option<Text> {
        let target = std::fs::read_link(self.path(name)).ok()?;
        target.file_name().map(|n| Text::from_bytes(n.as_encoded_bytes()))
    }

    /// What this directory's own path points to, if it is a link.
    pub(in crate::read) fn target(&self) -> Option<PathBuf> {
        std::fs::read_link(self.root.join(&self.below)).ok()
    }

    /// The path without links, as it is on the node; `None` if it dangles or leaves `/sys`.
    pub(in crate::read) fn canonical(&self, name: &str) -> Option<PathBuf> {
        let sys = self.root.join("sys").canonicalize().ok()?;
        let path = self.path(name).canonicalize().ok()?;
        Some(Path::new("sys").join(path.strip_prefix(sys).ok()?))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(&self.below).join(name)
    }
}

/// A file that stays open: kernfs runs the driver's show function again at each read at offset 0.
#[derive(Debug)]
pub(in crate::read) struct File {
    root: Root,
    below: PathBuf,
    fd: Option<OwnedFd>,
}

impl File {
    /// A file of `root`; not opened yet.
    pub(in crate::read) fn new(root: &Root, below: impl Into<PathBuf>) -> Self {
        Self { root: root.clone(), below: below.into(), fd: None }
    }

    /// Reads it again, with the kind of a failure. It is then opened anew at the next read.
    pub(in crate::read) fn try_read<T>(
        &mut self,
        tally: &Tally,
        parse: impl FnOnce(&[u8]) -> Result<T, Odd>,
    ) -> Result<T, Failure> {
        count(tally);
        let kept = match self.fd.take() {
            Some(fd) => Ok(fd),
            None => open(CWD, &self.root.join(&self.below), &self.root),
        };
        let answer = kept.and_then(|fd| {
            let answer = read(fd.as_fd(), parse);
            if !matches!(answer, Err(Fault::Errno(_))) {
                self.fd = Some(fd);
            }
            answer
        });
        answer.map_err(|fault| fault.at(&Path::new("/").join(&self.below)))
    }

    /// Reads it again.
    pub(in crate::read) fn read<T>(
        &mut self,
        tally: &Tally,
        parse: impl FnOnce(&[u8]) -> Result<T, Odd>,
    ) -> Reading<T> {
        self.try_read(tally, parse).map_err(|failure| failure.unknown)
    }

    /// Closes it, so that the next read finds the file of that name anew.
    pub(in crate::read) fn close(&mut self) {
        self.fd = None;
    }
}

fn count(tally: &Tally) {
    tally.set(tally.get().saturating_add(1));
}

/// Opens a regular file and nothing else. A copied tree may hold a FIFO or a device in its place:
/// there the type is looked at before the open, which could have effects of its own. No attribute
/// is a link, so a link in a copied tree is not followed out of it.
fn open(dir: BorrowedFd<'_>, name: &Path, root: &Root) -> Result<OwnedFd, Fault> {
    if !root.is_system() {
        let stat = statat(dir, name, AtFlags::SYMLINK_NOFOLLOW).map_err(Fault::Errno)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Fault::NotAFile);
        }
    }
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let fd = openat(dir, name, flags, Mode::empty()).map_err(Fault::Errno)?;
    Ok(fd)
}

fn read<T>(fd: BorrowedFd<'_>, parse: impl FnOnce(&[u8]) -> Result<T, Odd>) -> Result<T, Fault> {
    let mut buffer = [0u8; PAGE];
    let length = match pread(fd, &mut buffer, 0) {
        Err(Errno::INTR) => pread(fd, &mut buffer, 0),
        answer => answer,
    };
    let bytes = buffer.get(..length.map_err(Fault::Errno)?).unwrap_or_default();
    parse(bytes).map_err(|odd| Fault::Odd(odd, evidence(bytes)))
}

/// A whole text of `/proc`, of which some are longer than a page.
pub(in crate::read) fn read_whole(root: &Root, below: &str) -> Reading<String> {
    use std::io::Read;
    let text = || {
        let fd = open(CWD, &root.join(below), root)?;
        let mut text = Vec::new();
        match std::fs::File::from(fd).take(LONGEST).read_to_end(&mut text) {
            Ok(_) => Ok(String::from_utf8_lossy(&text).trim_end_matches('\0').to_owned()),
            Err(error) => Err(Fault::Errno(Errno::from_io_error(&error).unwrap_or(Errno::IO))),
        }
    };
    text().map_err(|fault: Fault| fault.unknown(&Path::new("/").join(below)))
}

fn evidence(bytes: &[u8]) -> Text {
    let line = super::parse::line(bytes);
    match line.get(..EVIDENCE) {
        Some(start) => Text::new(&format!("{}…", String::from_utf8_lossy(start))),
        None => Text::from_bytes(line),
    }
}

/// The names in a directory, natural order.
pub(in crate::read) fn names(dir: &Path) -> std::io::Result<Vec<OsString>> {
    let mut names: Vec<OsString> =
        std::fs::read_dir(dir)?.filter_map(|entry| Some(entry.ok()?.file_name())).collect();
    names.sort_by(|a, b| natural::cmp(&a.to_string_lossy(), &b.to_string_lossy()));
    Ok(names)
}

/// The names of the directories (and links to directories) in a directory, natural order.
pub(in crate::read) fn dir_names(root: &Root, below: &str) -> Reading<Vec<OsString>> {
    let dir = root.join(below);
    match names(&dir) {
        Ok(mut names) => {
            names.retain(|name| dir.join(name).is_dir());
            Ok(names)
        }
        Err(error) => {
            let errno = Errno::from_io_error(&error).unwrap_or(Errno::IO);
            Err(Fault::Errno(errno).at(&Path::new("/").join(below)).unknown)
        }
    }
}

/// A name from outside as it goes into a sample.
pub(in crate::read) fn shown(name: &std::ffi::OsStr) -> Text {
    Text::from_bytes(name.as_encoded_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::sysfs::parse;
    use crate::read::sysfs::tree::Tree;
    use crate::sample::Why;

    #[test]
    fn a_kept_file_is_read_again() {
        let tree = Tree::new();
        tree.file("sys/n", "1\n");
        let (tally, mut file) = (Tally::default(), File::new(&Root::new(tree.path()), "sys/n"));
        assert_eq!(file.read(&tally, parse::number::<u32>), Ok(1));
        tree.file("sys/n", "23\n");
        assert_eq!(file.read(&tally, parse::number::<u32>), Ok(23));
        tree.file("sys/n", "x\n");
        let unknown = file.read(&tally, parse::number::<u32>).unwrap_err();
        assert_eq!((unknown.why, unknown.detail), (Why::Unparsable, "/sys/n: x".into()));
        tree.remove("sys/n");
        file.close();
        let unknown = file.read(&tally, parse::number::<u32>).unwrap_err();
        assert_eq!((unknown.why, unknown.detail), (Why::Absent, "/sys/n: ENOENT".into()));
        assert_eq!(tally.get(), 4);
    }

    #[test]
    fn paths_do_not_leave_sys() {
        let tree = Tree::new();
        tree.dir("sys/devices/a");
        tree.link("sys/class/in", "../devices/a");
        tree.link("sys/class/out", "/usr");
        let tally = Tally::default();
        let class = Dir::open(&Root::new(tree.path()), "sys/class", &tally).unwrap();
        assert_eq!(class.canonical("in").unwrap(), Path::new("sys/devices/a"));
        assert_eq!(class.canonical("out"), None);
        assert_eq!(class.canonical("nothing"), None);
    }

    #[test]
    fn the_kernel_refuses_the_carrier_of_a_down_interface() {
        let tally = Tally::default();
        let Ok(class) = Dir::open(&Root::system(), "sys/class/net", &tally) else {
            println!("skipped: no /sys/class/net");
            return;
        };
        for name in class.names(".") {
            let Ok(netdev) = class.dir(&name) else { continue };
            if netdev.read("flags", parse::hex).is_ok_and(|flags| flags & 1 == 0) {
                let failure = netdev.try_read(Path::new("carrier"), parse::flag).unwrap_err();
                assert!(failure.refusal && !failure.gone);
                assert!(failure.unknown.detail.ends_with("/carrier: EINVAL"));
                return;
            }
        }
        println!("skipped: no interface is down");
    }
}
