//! What wakes the reading loop: workers that are done, messages of the kernel.

use crate::read::clock;
use crate::read::rtnl::Dirty;
use crate::sample::Mono;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A bell that many may ring and one listens to.
#[derive(Debug, Default)]
pub(super) struct Bell {
    heard: Mutex<Heard>,
    changed: Condvar,
}

/// What was heard since the last wake-up.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Heard {
    /// What the kernel said has changed.
    pub(super) dirty: Dirty,
    /// When it said so last.
    pub(super) last: Mono,
    rung: bool,
    quiet: bool,
}

impl Bell {
    /// A worker is done.
    pub(super) fn ring(&self) {
        self.lock().rung = true;
        self.changed.notify_one();
    }

    /// The kernel told of a change. Wakes nobody if the listener waits more of them out already.
    pub(super) fn tell(&self, dirty: Dirty) {
        let mut heard = self.lock();
        heard.dirty = either(heard.dirty, dirty);
        heard.last = clock::now();
        if !heard.quiet {
            self.changed.notify_one();
        }
    }

    /// Waits until it rings, but not beyond `until`; while `quiet`, messages of the kernel are
    /// kept for the next wake-up.
    pub(super) fn wait(&self, until: Mono, quiet: bool) -> Heard {
        let mut heard = self.lock();
        heard.quiet = quiet;
        loop {
            let left = until.since(clock::now());
            if left.is_zero() || heard.rung || (!quiet && heard.dirty != Dirty::default()) {
                return std::mem::take(&mut *heard);
            }
            heard = self
                .changed
                .wait_timeout(heard, left)
                .map_or_else(|poisoned| poisoned.into_inner().0, |(guard, _)| guard);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn either(a: Dirty, b: Dirty) -> Dirty {
    Dirty {
        links: a.links || b.links,
        routing: a.routing || b.routing,
        overrun: a.overrun || b.overrun,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const ROUTES: Dirty = Dirty { links: false, routing: true, overrun: false };

    #[test]
    fn what_was_told_before_is_not_lost() {
        let bell = Bell::default();
        bell.tell(ROUTES);
        let heard = bell.wait(clock::now() + Duration::from_mins(1), false);
        assert_eq!(heard.dirty, ROUTES);
        assert!(heard.last > Mono::default());
    }

    #[test]
    fn a_quiet_bell_waits_for_the_deadline() {
        let bell = Bell::default();
        bell.tell(ROUTES);
        let until = clock::now() + Duration::from_millis(20);
        assert_eq!(bell.wait(until, true).dirty, ROUTES);
        assert!(clock::now() >= until);
    }

    #[test]
    fn a_worker_wakes_it() {
        let bell = Bell::default();
        bell.ring();
        bell.wait(clock::now() + Duration::from_mins(1), false);
    }
}
