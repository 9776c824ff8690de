//! The static binary in a guest with nothing but busybox: no C library, no shell but busybox's,
//! no agent. railtop runs on the guest's own console.

use crate::machine::{BOOT, Parts, Qemu, connect};
use crate::step::Pattern;
use libtest_mimic::Failed;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

pub(crate) fn nothing_but_busybox(parts: &Parts) -> Result<(), Failed> {
    let mut guest = Bare::boot(parts, "")?;
    guest.wait("ib0*200 HDR")?;
    guest.wait("ib1*200 HDR")?;
    guest.wait("both rails are well")?;
    guest.keys("2")?;
    guest.wait("stub0/1*ACTIVE*200 4X HDR")?;
    guest.keys("3")?;
    guest.wait("172.16.1.0/24*dev ib1 src 172.16.1.1")?;
    guest.keys("q")?;
    guest.wait("railtop ended: 0")?;
    Ok(())
}

/// That guest, and its console as a terminal.
struct Bare {
    _qemu: Qemu,
    _dir: tempfile::TempDir,
    socket: UnixStream,
    screen: vt100::Parser,
}

impl Bare {
    fn boot(parts: &Parts, arguments: &str) -> Result<Self, String> {
        let dir = tempfile::tempdir().map_err(|error| format!("temporary folder: {error}"))?;
        let initramfs =
            parts.initramfs(dir.path(), "bare.cpio", &[("railtop", parts.railtop.as_path())])?;
        let path = dir.path().join("console");
        // What follows `--` on the kernel's command line are the arguments of /init.
        let mut args = parts.machine(&initramfs, &format!("-- {arguments}"));
        args.extend(
            [
                "-serial",
                "null",
                "-chardev",
                &format!("socket,id=console,path={},server=on,wait=off", path.display()),
                "-device",
                "virtconsole,chardev=console",
            ]
            .map(str::to_owned),
        );
        let mut qemu = Qemu::start(&args)?;
        let socket = connect(&path, &mut qemu)?;
        let screen = vt100::Parser::new(24, 80, 0);
        Ok(Self { _qemu: qemu, _dir: dir, socket, screen })
    }

    fn keys(&mut self, keys: &str) -> Result<(), String> {
        self.socket.write_all(keys.as_bytes()).map_err(|error| format!("console: {error}"))
    }

    /// Waits for a text on the screen.
    fn wait(&mut self, text: &str) -> Result<(), String> {
        let (began, text) = (Instant::now(), Pattern::from(text));
        let tick = Some(Duration::from_millis(200));
        self.socket.set_read_timeout(tick).map_err(|error| format!("console: {error}"))?;
        let mut buffer = [0; 4096];
        loop {
            let screen = self.screen.screen().contents();
            if text.on(&screen) {
                return Ok(());
            }
            if began.elapsed() > BOOT {
                return Err(format!("{text:?} did not come; the screen:\n{screen}"));
            }
            if let Ok(n) = self.socket.read(&mut buffer) {
                self.screen.process(&buffer[..n]);
            }
        }
    }
}
