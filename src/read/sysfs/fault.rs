//! Why a read gave no value: errno and odd texts, as reasons.

use super::parse::Odd;
use crate::sample::{Text, Unknown, Why};
use rustix::io::Errno;
use std::borrow::Cow;
use std::path::Path;

/// A read that gave no value.
#[derive(Debug)]
pub(in crate::read) struct Failure {
    /// The reason as it goes into a sample.
    pub(in crate::read) unknown: Unknown,
    /// [`Fault::is_gone`].
    pub(in crate::read) gone: bool,
    /// [`Fault::is_refusal`].
    pub(in crate::read) refusal: bool,
}

/// Why a read gave no value.
#[derive(Debug)]
pub(in crate::read) enum Fault {
    /// The kernel refused.
    Errno(Errno),
    /// A directory, FIFO, device or socket stands in the place of the file (copied trees).
    NotAFile,
    /// There is text, but no value in it.
    Odd(Odd, Text),
}

impl Fault {
    /// The device or file is not there any more, or never was.
    fn is_gone(&self) -> bool {
        matches!(
            self,
            Fault::Errno(Errno::NOENT | Errno::NODEV | Errno::NXIO | Errno::NOTDIR | Errno::LOOP)
        )
    }

    /// The driver or firmware has no such counter: asking again would fail again, and on mlx5
    /// write an error line into the kernel log each time (prometheus/node_exporter#3434).
    fn is_refusal(&self) -> bool {
        matches!(
            self,
            Fault::Errno(Errno::INVAL | Errno::OPNOTSUPP | Errno::NOSYS | Errno::ISDIR)
                | Fault::NotAFile
                | Fault::Odd(Odd::NotAvailable, _)
        )
    }

    /// The same with the path it happened at.
    pub(in crate::read) fn at(&self, path: &Path) -> Failure {
        Failure { unknown: self.unknown(path), gone: self.is_gone(), refusal: self.is_refusal() }
    }

    /// The reason as it goes into a sample.
    pub(in crate::read) fn unknown(&self, path: &Path) -> Unknown {
        let path = path.display();
        match self {
            Fault::Errno(errno) => {
                let gone = if matches!(*errno, Errno::NODEV | Errno::NXIO) {
                    " (device gone)"
                } else {
                    ""
                };
                let detail = format!("{path}: {}{gone}", errno_name(*errno));
                Unknown::new(why(*errno), detail.as_str())
            }
            Fault::NotAFile => {
                Unknown::new(Why::Unsupported, format!("{path}: not a file").as_str())
            }
            Fault::Odd(odd, text) => {
                let (why, words) = match odd {
                    Odd::Empty => (Why::Absent, "empty"),
                    Odd::Unset => (Why::Absent, text.as_str()),
                    Odd::NotAvailable => (Why::Unsupported, text.as_str()),
                    Odd::Garbage => (Why::Unparsable, text.as_str()),
                };
                Unknown::new(why, format!("{path}: {words}").as_str())
            }
        }
    }
}

/// ENODEV and ENXIO come from a descriptor that outlived its device. EIO, ENOLINK, ECANCELED and
/// ETIMEDOUT come from mlx5 firmware in error or reset, up to a minute late.
fn why(errno: Errno) -> Why {
    match errno {
        Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NODEV | Errno::NXIO => Why::Absent,
        Errno::ACCESS | Errno::PERM => Why::Denied,
        Errno::TIMEDOUT
        | Errno::IO
        | Errno::NOLINK
        | Errno::CANCELED
        | Errno::AGAIN
        | Errno::INTR => Why::Timeout,
        _ => Why::Unsupported,
    }
}

fn errno_name(errno: Errno) -> Cow<'static, str> {
    Cow::Borrowed(match errno {
        Errno::NOENT => "ENOENT",
        Errno::NOTDIR => "ENOTDIR",
        Errno::LOOP => "ELOOP",
        Errno::NODEV => "ENODEV",
        Errno::NXIO => "ENXIO",
        Errno::ACCESS => "EACCES",
        Errno::PERM => "EPERM",
        Errno::INVAL => "EINVAL",
        Errno::OPNOTSUPP => "EOPNOTSUPP",
        Errno::NOSYS => "ENOSYS",
        Errno::ISDIR => "EISDIR",
        Errno::IO => "EIO",
        Errno::NOLINK => "ENOLINK",
        Errno::TIMEDOUT => "ETIMEDOUT",
        Errno::CANCELED => "ECANCELED",
        Errno::AGAIN => "EAGAIN",
        Errno::INTR => "EINTR",
        Errno::BUSY => "EBUSY",
        Errno::NOMEM => "ENOMEM",
        Errno::MFILE => "EMFILE",
        Errno::NFILE => "ENFILE",
        Errno::NAMETOOLONG => "ENAMETOOLONG",
        other => return Cow::Owned(format!("errno {}", other.raw_os_error())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_errno_has_its_reason() {
        for (errno, reason) in [
            (Errno::NOENT, Why::Absent),
            (Errno::NODEV, Why::Absent),
            (Errno::ACCESS, Why::Denied),
            (Errno::PERM, Why::Denied),
            (Errno::INVAL, Why::Unsupported),
            (Errno::OPNOTSUPP, Why::Unsupported),
            (Errno::NOSYS, Why::Unsupported),
            (Errno::IO, Why::Timeout),
            (Errno::TIMEDOUT, Why::Timeout),
            (Errno::MFILE, Why::Unsupported),
        ] {
            let unknown = Fault::Errno(errno).unknown(Path::new("/sys/x"));
            assert_eq!(unknown.why, reason);
            assert!(unknown.detail.starts_with("/sys/x: E"), "{unknown}");
        }
        let gone = Fault::Errno(Errno::NODEV).unknown(Path::new("/sys/x"));
        assert_eq!(gone.detail, *"/sys/x: ENODEV (device gone)");
    }
}
