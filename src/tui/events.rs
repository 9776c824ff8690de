//! The event loop: waits for the next of signal, key, sample; draws once if anything changed.

use super::app::{App, Outcome};
use super::feed::{Fed, Mailbox};
use super::input::Input;
use super::terminal::Screen;
use rustix::process::{Signal, getpid, getsid, kill_process};
use std::io;
use std::time::Duration;
use tokio::signal::unix::{Signal as Listener, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::Instant;

pub(crate) struct Signals {
    terminate: Listener,
    interrupt: Listener,
    hangup: Listener,
    stop: Listener,
    go_on: Listener,
    resize: Listener,
}

enum Signalled {
    Quit(u8),
    Stop,
    GoOn,
    Resize,
}

impl Signals {
    /// Takes the signals over.
    pub(crate) fn listen() -> io::Result<Self> {
        let raw = |s: Signal| signal(SignalKind::from_raw(s.as_raw()));
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            stop: raw(Signal::TSTP)?,
            go_on: raw(Signal::CONT)?,
            resize: signal(SignalKind::window_change())?,
        })
    }

    async fn next(&mut self) -> Signalled {
        // A shell's way to tell a signal: 128 + its number.
        tokio::select! {
            biased;
            _ = self.hangup.recv() => Signalled::Quit(128 + 1),
            _ = self.terminate.recv() => Signalled::Quit(128 + 15),
            _ = self.interrupt.recv() => Signalled::Quit(128 + 2),
            _ = self.stop.recv() => Signalled::Stop,
            _ = self.go_on.recv() => Signalled::GoOn,
            _ = self.resize.recv() => Signalled::Resize,
        }
    }
}

/// How a terminal that went away is told to the caller: as the SIGHUP it usually is.
const GONE: u8 = 128 + 1;

/// The loop's hands.
pub(crate) struct Events<'a> {
    app: &'a mut App,
    screen: &'a mut Screen,
    keys: mpsc::Receiver<Input>,
    mailbox: &'a Mailbox,
    /// The terminal is the shell's.
    stopped: bool,
}

enum Woken {
    Signal(Signalled),
    Input(Option<Input>),
    Fed(Fed),
    Overdue,
}

impl<'a> Events<'a> {
    /// Puts the hands on what the loop moves.
    pub(crate) fn new(
        app: &'a mut App,
        screen: &'a mut Screen,
        keys: mpsc::Receiver<Input>,
        mailbox: &'a Mailbox,
    ) -> Self {
        Self { app, screen, keys, mailbox, stopped: false }
    }

    /// Runs until the user quits, a signal says so or the terminal is gone; the exit code.
    pub(crate) async fn run(mut self, mut signals: Signals) -> io::Result<u8> {
        let mut overdue: Option<Instant> = None;
        self.paint()?;
        loop {
            let woken = tokio::select! {
                biased;
                s = signals.next() => Woken::Signal(s),
                key = self.keys.recv() => Woken::Input(key),
                fed = self.mailbox.next() => Woken::Fed(fed),
                () = wait_until(overdue) => Woken::Overdue,
            };
            let mut dirty = false;
            let quit = match woken {
                Woken::Signal(s) => self.on_signal(&s, &mut dirty)?,
                Woken::Input(input) => self.on_inputs(input, &mut dirty)?,
                Woken::Fed(fed) => {
                    overdue = matches!(fed, Fed::Sample(_)).then(|| self.deadline());
                    dirty = self.on_fed(fed);
                    None
                }
                Woken::Overdue => {
                    overdue = None;
                    dirty = self.app.on_overdue();
                    None
                }
            };
            if let Some(code) = quit {
                return Ok(code);
            }
            // A frame that cannot be written means that nobody is there to read it.
            if dirty && !self.stopped && self.paint().is_err() {
                return Ok(GONE);
            }
        }
    }

    fn paint(&mut self) -> io::Result<()> {
        let app = &mut *self.app;
        self.screen.draw(|frame| app.draw(frame))
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.app.interval().max(Duration::from_millis(500)) * 3
    }

    fn on_fed(&mut self, fed: Fed) -> bool {
        match fed {
            Fed::Sample(sample) => self.app.on_sample(&sample),
            Fed::End => self.app.on_end(),
            Fed::Failed(why) => self.app.on_failure(&why),
        }
    }

    /// A key and all that queued behind it: a paste costs one frame.
    fn on_inputs(&mut self, first: Option<Input>, dirty: &mut bool) -> io::Result<Option<u8>> {
        let mut next = first;
        loop {
            match next {
                None | Some(Input::Gone) => return Ok(Some(GONE)),
                Some(Input::Key(key)) => match self.app.on_key(key) {
                    Outcome::Ignored => {}
                    Outcome::Changed => *dirty = true,
                    Outcome::Quit(code) => return Ok(Some(code)),
                    Outcome::Repaint => {
                        self.screen.resize()?;
                        *dirty = true;
                    }
                    Outcome::Suspend => {
                        self.suspend()?;
                        *dirty = true;
                    }
                },
            }
            match self.keys.try_recv() {
                Ok(input) => next = Some(input),
                Err(_) => return Ok(None),
            }
        }
    }

    fn on_signal(&mut self, signalled: &Signalled, dirty: &mut bool) -> io::Result<Option<u8>> {
        match signalled {
            Signalled::Quit(code) => return Ok(Some(*code)),
            Signalled::Stop => self.suspend()?,
            Signalled::GoOn => {
                self.stopped = false;
                self.screen.take_again()?;
            }
            Signalled::Resize if self.stopped => {}
            Signalled::Resize => self.screen.resize()?,
        }
        *dirty = true;
        Ok(None)
    }

    /// Gives the terminal back and stops until the shell says to go on.
    fn suspend(&mut self) -> io::Result<()> {
        // A session leader has no shell behind it that could wake it again.
        if getsid(None).is_ok_and(|leader| leader == getpid()) {
            return Ok(());
        }
        self.screen.leave()?;
        // SIGTSTP has a listener and would not stop anything. The stop may reach another thread
        // first, so nothing is drawn until SIGCONT says that it is over.
        self.stopped = true;
        kill_process(getpid(), Signal::STOP)?;
        Ok(())
    }
}

async fn wait_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
