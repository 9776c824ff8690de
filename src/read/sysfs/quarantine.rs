//! Counters that were refused are left alone for a while.

use super::fault::Failure;
use crate::read::clock;
use crate::sample::{Mono, Reading, Unknown};
use std::time::Duration;

/// Long enough to keep the kernel log readable, short enough to notice a new firmware mode.
const PAUSE: Duration = Duration::from_mins(5);

/// The memory of one counter file's refusal.
#[derive(Clone, Debug, Default)]
pub(super) struct Quarantine(Option<(Mono, Unknown)>);

impl Quarantine {
    /// The answer of `read`, or the refusal from before while that is fresh.
    pub(super) fn ask<T>(&mut self, read: impl FnOnce() -> Result<T, Failure>) -> Reading<T> {
        self.ask_at(clock::now(), read)
    }

    fn ask_at<T>(&mut self, now: Mono, read: impl FnOnce() -> Result<T, Failure>) -> Reading<T> {
        if let Some((since, refusal)) = &self.0
            && now.since(*since) < PAUSE
        {
            return Err(refusal.clone());
        }
        let answer = read();
        self.0 = match &answer {
            Err(failure) if failure.refusal => Some((now, failure.unknown.clone())),
            _ => None,
        };
        answer.map_err(|failure| failure.unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::sysfs::fault::Fault;
    use crate::sample::Why;
    use rustix::io::Errno;
    use std::cell::Cell;
    use std::path::Path;

    fn ask(q: &mut Quarantine, now: Mono, asked: &Cell<u32>, errno: Errno) -> Reading<u64> {
        let read = || {
            asked.set(asked.get() + 1);
            Err(Fault::Errno(errno).at(Path::new("/sys/x")))
        };
        q.ask_at(now, read)
    }

    #[test]
    fn a_refused_counter_is_not_asked_again_for_five_minutes() {
        for errno in [Errno::INVAL, Errno::OPNOTSUPP, Errno::NOSYS] {
            let (mut q, asked) = (Quarantine::default(), Cell::new(0));
            let start = Mono(1_000_000_000);
            for second in 0..300 {
                let answer = ask(&mut q, start + Duration::from_secs(second), &asked, errno);
                assert_eq!(answer.unwrap_err().why, Why::Unsupported);
            }
            assert_eq!(asked.get(), 1);
            let _ = ask(&mut q, start + PAUSE, &asked, errno);
            assert_eq!(asked.get(), 2);
        }
    }

    #[test]
    fn other_failures_are_asked_again() {
        let (mut q, asked) = (Quarantine::default(), Cell::new(0));
        for errno in [Errno::IO, Errno::TIMEDOUT, Errno::NODEV, Errno::ACCESS] {
            let _ = ask(&mut q, Mono(1), &asked, errno);
        }
        assert_eq!(asked.get(), 4);
        assert_eq!(q.ask_at(Mono(2), || Ok(7)), Ok(7));
    }
}
