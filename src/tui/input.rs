//! Keys from the terminal: a thread that sleeps in poll(2) until a key comes or the terminal goes.
//!
//! crossterm 0.29's own event source reads on for ever after end-of-file or EIO
//! (crossterm-rs/crossterm#793) and takes a core when the terminal is gone; it also forgets input
//! beyond its buffer until the next key. So the bytes are read here. Only the key types are
//! crossterm's.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use tokio::sync::mpsc;

/// What the terminal sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// A key.
    Key(KeyEvent),
    /// The terminal is gone: hung up, closed, or not readable any more.
    Gone,
}

/// Time for the rest of an escape sequence to arrive before ESC counts as the key itself.
const ESCAPE_WAIT: Timespec = Timespec { tv_sec: 0, tv_nsec: 30_000_000 };

/// Starts the thread. It ends with the terminal, or when nobody listens any more.
pub(crate) fn listen() -> io::Result<mpsc::Receiver<Input>> {
    let tty = open_tty()?;
    let (sender, receiver) = mpsc::channel(64);
    std::thread::Builder::new().name("keys".into()).spawn(move || read_keys(&tty, &sender))?;
    Ok(receiver)
}

/// Standard input if it is a terminal, else the controlling terminal, so that standard input
/// may be a pipe.
fn open_tty() -> io::Result<OwnedFd> {
    let stdin = io::stdin();
    if rustix::termios::isatty(&stdin) {
        return stdin.as_fd().try_clone_to_owned();
    }
    Ok(File::options().read(true).write(true).open("/dev/tty")?.into())
}

fn read_keys(tty: &OwnedFd, sender: &mpsc::Sender<Input>) {
    let mut parser = Parser::default();
    loop {
        let keys = match wait_and_read(tty, &mut parser) {
            Ok(keys) => keys,
            Err(Errno::INTR | Errno::AGAIN) => continue,
            Err(_) => {
                let _ = sender.blocking_send(Input::Gone);
                return;
            }
        };
        for key in keys {
            if sender.blocking_send(Input::Key(key)).is_err() {
                return;
            }
        }
    }
}

fn wait_and_read(tty: &OwnedFd, parser: &mut Parser) -> Result<Vec<KeyEvent>, Errno> {
    let timeout = parser.is_undecided().then_some(&ESCAPE_WAIT);
    let mut fds = [PollFd::new(tty, PollFlags::IN)];
    if poll(&mut fds, timeout)? == 0 {
        return Ok(parser.give_up());
    }
    let gone = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
    if fds.iter().any(|fd| fd.revents().intersects(gone)) {
        return Err(Errno::IO);
    }
    let mut bytes = [0u8; 1024];
    match rustix::io::read(tty, &mut bytes)? {
        0 => Err(Errno::IO),
        n => Ok(parser.feed(bytes.get(..n).unwrap_or_default())),
    }
}

/// Bytes → keys: the sequences that xterm and its kin, the Linux console, tmux and screen send.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    pending: Vec<u8>,
}

/// What stands at the head of the bytes.
enum Head {
    Key(KeyEvent, usize),
    Skip(usize),
    Incomplete,
}

/// Longer than any key: an unfinished sequence of this length is noise.
const LONGEST: usize = 32;

impl Parser {
    /// The keys that these bytes complete.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Vec<KeyEvent> {
        self.pending.extend_from_slice(bytes);
        let mut keys = Vec::new();
        let mut rest = self.pending.as_slice();
        while !rest.is_empty() {
            let used = match head(rest) {
                Head::Key(key, used) => {
                    keys.push(key);
                    used
                }
                Head::Skip(used) => used,
                Head::Incomplete if rest.len() > LONGEST => 1,
                Head::Incomplete => break,
            };
            rest = rest.get(used.max(1)..).unwrap_or_default();
        }
        self.pending = rest.to_vec();
        keys
    }

    /// Are bytes waiting whose meaning the next ones decide?
    pub(crate) fn is_undecided(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Nothing more came: a lone ESC is the key; anything else unfinished is dropped.
    pub(crate) fn give_up(&mut self) -> Vec<KeyEvent> {
        let lone = self.pending == [0x1b];
        self.pending.clear();
        if lone { vec![plain(KeyCode::Esc)] } else { Vec::new() }
    }
}

fn plain(code: KeyCode) -> KeyEvent {
    KeyEvent::new(code, KeyModifiers::NONE)
}

fn head(bytes: &[u8]) -> Head {
    match bytes {
        [0x1b, rest @ ..] => escape(rest),
        [b'\r' | b'\n', ..] => Head::Key(plain(KeyCode::Enter), 1),
        [b'\t', ..] => Head::Key(plain(KeyCode::Tab), 1),
        [0x7f | 0x08, ..] => Head::Key(plain(KeyCode::Backspace), 1),
        [c @ 0x01..=0x1a, ..] => {
            let letter = char::from(c - 1 + b'a');
            Head::Key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL), 1)
        }
        [0x00..=0x1f, ..] => Head::Skip(1),
        _ => character(bytes),
    }
}

fn character(bytes: &[u8]) -> Head {
    let chunk = bytes.get(..bytes.len().min(4)).unwrap_or_default();
    let valid = match std::str::from_utf8(chunk) {
        Ok(text) => text,
        Err(e) if e.valid_up_to() > 0 => {
            std::str::from_utf8(chunk.get(..e.valid_up_to()).unwrap_or_default())
                .unwrap_or_default()
        }
        Err(e) if e.error_len().is_none() => return Head::Incomplete,
        Err(e) => return Head::Skip(e.error_len().unwrap_or(1)),
    };
    match valid.chars().next() {
        // C1 controls are no text.
        Some(c) if c.is_control() => Head::Skip(c.len_utf8()),
        Some(c) => Head::Key(plain(KeyCode::Char(c)), c.len_utf8()),
        None => Head::Skip(1),
    }
}

/// What follows an ESC.
fn escape(rest: &[u8]) -> Head {
    match rest {
        [] | [b'[' | b'O'] => Head::Incomplete,
        [b'[', params @ ..] => control_sequence(params),
        [b'O', last, ..] => match letter_key(*last) {
            Some(code) => Head::Key(plain(code), 3),
            None => Head::Skip(3),
        },
        // No key has Alt here: over a slow line two keys come in one read, Esc and the next.
        _ => Head::Key(plain(KeyCode::Esc), 1),
    }
}

/// `ESC [ parameters final` (ECMA-48), and the Linux console's `ESC [ [ letter`.
fn control_sequence(params: &[u8]) -> Head {
    if let [b'[', rest @ ..] = params {
        return match rest {
            [] => Head::Incomplete,
            [b'A', ..] => Head::Key(plain(KeyCode::F(1)), 4),
            _ => Head::Skip(4),
        };
    }
    let Some(end) = params.iter().position(|b| !(0x20..0x40).contains(b)) else {
        return Head::Incomplete;
    };
    let used = end + 3; // ESC, [, and the final byte
    let numbers = params.get(..end).unwrap_or_default();
    let code = match params.get(end) {
        Some(b'~') => number_key(numbers),
        Some(b'Z') => Some(KeyCode::BackTab),
        Some(last @ 0x40..=0x7e) => letter_key(*last),
        _ => return Head::Skip(end + 2), // an aborted sequence: the byte starts anew
    };
    code.map_or(Head::Skip(used), |code| Head::Key(plain(code), used))
}

fn letter_key(last: u8) -> Option<KeyCode> {
    Some(match last {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'H' => KeyCode::Home,
        b'F' => KeyCode::End,
        b'P' => KeyCode::F(1),
        b'M' => KeyCode::Enter,
        _ => return None,
    })
}

fn number_key(numbers: &[u8]) -> Option<KeyCode> {
    Some(match numbers.split(|b| *b == b';').next()? {
        b"1" | b"7" => KeyCode::Home,
        b"4" | b"8" => KeyCode::End,
        b"5" => KeyCode::PageUp,
        b"6" => KeyCode::PageDown,
        b"11" => KeyCode::F(1),
        b"3" => KeyCode::Delete,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn codes(bytes: &[u8]) -> Vec<KeyCode> {
        Parser::default().feed(bytes).into_iter().map(|k| k.code).collect()
    }

    #[test]
    fn the_usual_keys() {
        assert_eq!(codes(b"q \r"), [KeyCode::Char('q'), KeyCode::Char(' '), KeyCode::Enter]);
        assert_eq!(codes(b"\x1b[A\x1bOB\x1b[5~"), [KeyCode::Up, KeyCode::Down, KeyCode::PageUp]);
        assert_eq!(
            codes(b"\x1b[Z\x1b[1;5H\x1bOP"),
            [KeyCode::BackTab, KeyCode::Home, KeyCode::F(1)]
        );
        assert_eq!(codes("é漢".as_bytes()), [KeyCode::Char('é'), KeyCode::Char('漢')]);
        assert_eq!(codes(b"\x1bq"), [KeyCode::Esc, KeyCode::Char('q')]);
        let ctrl = Parser::default().feed(b"\x03");
        assert_eq!(ctrl, [KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)]);
    }

    #[test]
    fn a_sequence_may_come_in_pieces() {
        let mut parser = Parser::default();
        assert!(parser.feed(b"\x1b").is_empty());
        assert!(parser.feed(b"[").is_empty());
        assert_eq!(parser.feed(b"B"), [plain(KeyCode::Down)]);
        assert!(parser.feed(b"\x1b").is_empty());
        assert_eq!(parser.give_up(), [plain(KeyCode::Esc)]);
        assert!(!parser.is_undecided());
    }

    #[test]
    fn a_sequence_that_is_no_key_is_swallowed_whole() {
        assert_eq!(codes(b"\x1b[200~x\x1b[201~"), [KeyCode::Char('x')]);
        assert_eq!(codes(b"\x1b[<0;10;10Mq"), [KeyCode::Enter, KeyCode::Char('q')]);
    }

    proptest! {
        #[test]
        fn bytes_never_panic_and_never_pile_up(chunks: Vec<Vec<u8>>) {
            let mut parser = Parser::default();
            for chunk in &chunks {
                parser.feed(chunk);
                prop_assert!(parser.pending.len() <= LONGEST);
            }
        }

        #[test]
        fn cutting_never_changes_the_keys(bytes: Vec<u8>, at: usize) {
            let whole = Parser::default().feed(&bytes);
            let (a, b) = bytes.split_at(at % (bytes.len() + 1));
            let mut parser = Parser::default();
            let mut parts = parser.feed(a);
            parts.extend(parser.feed(b));
            // An overlong unfinished sequence is the one thing whose end depends on the cut.
            if bytes.len() <= LONGEST {
                prop_assert_eq!(whole, parts);
            }
        }
    }
}
