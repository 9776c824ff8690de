//! The terminal: taken, given back on every way out, written once per frame.

use crossterm::cursor::{Hide, Show};
use crossterm::style::{ResetColor, force_color_output};
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{Command, queue};
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Frame, Terminal, TerminalOptions, Viewport};
use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::rc::Rc;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

/// Is the terminal ours now? For the panic hook, which may run on any thread.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Collects a frame; flushing is a matter of [`Screen::commit`], so that a frame is one write.
#[derive(Clone, Default)]
struct FrameBuffer(Rc<RefCell<Vec<u8>>>);

impl Write for FrameBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The taken terminal. Dropping it gives it back.
pub(crate) struct Screen {
    terminal: Terminal<CrosstermBackend<FrameBuffer>>,
    buffer: FrameBuffer,
    out: File,
}

impl Screen {
    /// Takes the terminal: raw mode, alternate screen, no cursor.
    pub(crate) fn take() -> io::Result<Self> {
        // NO_COLOR is the theme's business: crossterm's way of it loses bold and reverse
        // (crossterm-rs/crossterm#1069).
        force_color_output(true);
        restore_on_panic();
        let out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let buffer = FrameBuffer::default();
        // A fixed viewport: ratatui's own size query opens /dev/tty at each frame, and runs
        // tput where the size is 0×0.
        let options = TerminalOptions { viewport: Viewport::Fixed(size(&out)) };
        let terminal = Terminal::with_options(CrosstermBackend::new(buffer.clone()), options)?;
        let mut screen = Self { terminal, buffer, out };
        screen.enter()?;
        Ok(screen)
    }

    fn enter(&mut self) -> io::Result<()> {
        enable_raw_mode()?;
        TAKEN.store(true, Ordering::SeqCst);
        queue!(self.buffer, EnterAlternateScreen, Hide, Clear(ClearType::All))?;
        self.commit()
    }

    /// Gives the terminal back for a while.
    pub(crate) fn leave(&mut self) -> io::Result<()> {
        if !TAKEN.swap(false, Ordering::SeqCst) {
            return Ok(());
        }
        self.buffer.0.borrow_mut().clear();
        let written = queue!(self.buffer, ResetColor, Show, LeaveAlternateScreen)
            .and_then(|()| self.commit());
        disable_raw_mode()?;
        written
    }

    /// Takes it again after a stop. The modes may have been changed meanwhile, and crossterm
    /// takes "raw" for granted once it set it: so they are set anew.
    pub(crate) fn take_again(&mut self) -> io::Result<()> {
        if TAKEN.load(Ordering::SeqCst) {
            disable_raw_mode()?;
        }
        self.enter()?;
        self.resize()
    }

    /// Follows the size of the terminal, and paints everything anew at the next frame.
    pub(crate) fn resize(&mut self) -> io::Result<()> {
        self.terminal.resize(size(&self.out))?;
        queue!(self.buffer, Clear(ClearType::All))
    }

    /// Draws one frame: only cells that changed, in one write.
    pub(crate) fn draw(&mut self, paint: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        if !TAKEN.load(Ordering::SeqCst) {
            // A panic on another thread gave it back.
            return Err(io::Error::other("the terminal was given back"));
        }
        queue!(self.buffer, BeginSynchronizedUpdate)?;
        self.terminal.draw(paint)?;
        queue!(self.buffer, EndSynchronizedUpdate)?;
        self.commit()
    }

    fn commit(&mut self) -> io::Result<()> {
        let mut bytes = self.buffer.0.borrow_mut();
        let result = self.out.write_all(&bytes);
        bytes.clear();
        result
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // The terminal may be gone: then there is nothing to give back.
        let _ = self.leave();
    }
}

/// The size of the terminal; a serial line may say 0×0, and a hostile one 65535×65535.
fn size(out: &File) -> Rect {
    let (columns, rows) = rustix::termios::tcgetwinsize(out)
        .map_or((0, 0), |winsize| (winsize.ws_col, winsize.ws_row));
    if columns == 0 || rows == 0 {
        return Rect::new(0, 0, 80, 24);
    }
    Rect::new(0, 0, columns.min(1000), rows.min(400))
}

/// A panic must not leave a raw terminal behind. The hook runs before the abort.
fn restore_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if TAKEN.swap(false, Ordering::SeqCst) {
                let mut bytes = String::new();
                let _ = ResetColor.write_ansi(&mut bytes);
                let _ = Show.write_ansi(&mut bytes);
                let _ = LeaveAlternateScreen.write_ansi(&mut bytes);
                let _ = rustix::io::write(io::stdout(), bytes.as_bytes());
                let _ = disable_raw_mode();
            }
            report(info);
        }));
    });
}
