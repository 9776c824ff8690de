//! The host's side: builds what a guest boots from, boots it, and asks its agent.

use crate::step::{Pattern, Reply, Step};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const QEMU: &str = "qemu-system-x86_64";
/// Two pairs of network cards, each pair on a hub of its own. Nothing leads out of the guest.
const HUBS: [u8; 4] = [0, 1, 0, 1];
/// PCI slots of the stub's four adapters.
const ADAPTERS: [u8; 4] = [0x10, 0x11, 0x12, 0x13];
pub(crate) const BOOT: Duration = Duration::from_mins(4);

/// The repository.
fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Why no guest can be booted on this machine; none if it can.
pub(crate) fn missing() -> Option<String> {
    if cfg!(not(target_arch = "x86_64")) {
        return Some("the guest is an x86-64 machine".to_owned());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let lacking: Vec<&str> = [QEMU, "apt-get", "dpkg-deb", "make", "gcc", "strip", "flock"]
        .into_iter()
        .filter(|tool| !std::env::split_paths(&path).any(|dir| dir.join(tool).exists()))
        .collect();
    (!lacking.is_empty()).then(|| format!("not installed: {}", lacking.join(", ")))
}

/// The last line of what a script of this repository printed.
fn script(script: &str) -> Result<String, String> {
    let run = Command::new(here().join(script)).stderr(Stdio::inherit()).output();
    let run = run.map_err(|error| format!("{script}: {error}"))?;
    let output = String::from_utf8_lossy(&run.stdout).into_owned();
    if !run.status.success() {
        return Err(format!("{script}: {}: {output}", run.status));
    }
    Ok(output.lines().last().unwrap_or_default().to_owned())
}

/// What guests boot from.
pub(crate) struct Parts {
    folder: PathBuf,
    /// The static binary under test; RAILTOP_BIN names another build.
    pub(crate) railtop: PathBuf,
}

impl Parts {
    /// Builds what is missing.
    pub(crate) fn build() -> Result<Self, String> {
        script("tests/vm/guest")?;
        let railtop = match std::env::var_os("RAILTOP_BIN") {
            Some(binary) => PathBuf::from(binary),
            None => here().join(script("tests/static/build")?),
        };
        Ok(Self { folder: here().join("target/vm"), railtop })
    }

    /// `base` with files laid over it: (path in the guest, file here).
    pub(crate) fn initramfs(
        &self,
        dir: &Path,
        base: &str,
        files: &[(&str, &Path)],
    ) -> Result<PathBuf, String> {
        let said = |what: &Path, error: std::io::Error| format!("{}: {error}", what.display());
        let over = dir.join("over");
        let mut names = String::new();
        for (name, file) in files {
            let to = over.join(name);
            if let Some(parent) = to.parent() {
                std::fs::create_dir_all(parent).map_err(|e| said(parent, e))?;
            }
            std::fs::copy(file, &to).map_err(|e| said(file, e))?;
            let _ = writeln!(names, "{name}");
        }
        let out = dir.join("initramfs");
        let mut image =
            std::fs::read(self.folder.join(base)).map_err(|e| said(Path::new(base), e))?;
        let mut cpio = Command::new(self.folder.join("busybox"))
            .args(["cpio", "-o", "-H", "newc", "-R", "0:0"])
            .current_dir(&over)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| said(Path::new("busybox"), e))?;
        if let Some(mut stdin) = cpio.stdin.take() {
            stdin.write_all(names.as_bytes()).map_err(|e| said(&over, e))?;
        }
        let archive = cpio.wait_with_output().map_err(|e| said(&over, e))?;
        // The kernel unpacks one archive after the other; each begins at a multiple of four.
        image.resize(image.len().next_multiple_of(4), 0);
        image.extend_from_slice(&archive.stdout);
        std::fs::write(&out, image).map_err(|e| said(&out, e))?;
        Ok(out)
    }

    /// QEMU's first arguments: a small machine without a way out.
    pub(crate) fn machine(&self, initramfs: &Path, append: &str) -> Vec<String> {
        // The kernel's own acceleration is for those who ask: under some hypervisors /dev/kvm
        // opens, yet no stock kernel boots.
        let accel = std::env::var("RAILTOP_VM_ACCEL").unwrap_or("tcg,thread=multi".to_owned());
        let kernel = self.folder.join("vmlinuz");
        let words = [
            "-accel",
            &accel,
            "-cpu",
            "max",
            "-smp",
            "2",
            "-m",
            "1024",
            "-nodefaults",
            "-no-user-config",
            "-display",
            "none",
            "-no-reboot",
            "-device",
            "virtio-rng-pci",
            "-device",
            "virtio-serial-pci",
            "-kernel",
            &kernel.to_string_lossy(),
            "-initrd",
            &initramfs.to_string_lossy(),
            "-append",
            &format!(
                "console=ttyS0 quiet panic=-1 net.ifnames=0 mitigations=off random.trust_cpu=on {append}"
            ),
        ];
        let mut args: Vec<String> = words.iter().map(ToString::to_string).collect();
        // The stub's adapters, far from the slots that QEMU gives by itself.
        for slot in ADAPTERS {
            args.push("-device".to_owned());
            args.push(format!("pci-testdev,addr={slot:#x}"));
        }
        for (n, hub) in HUBS.into_iter().enumerate() {
            args.push("-netdev".to_owned());
            args.push(format!("hubport,id=n{n},hubid={hub}"));
            args.push("-device".to_owned());
            args.push(format!("virtio-net-pci,netdev=n{n},mac=52:54:00:00:00:0{n},romfile="));
        }
        args
    }
}

/// QEMU, ended with this process however that ends: a shell waits for the end of its input.
pub(crate) struct Qemu(Child);

impl Qemu {
    pub(crate) fn start(args: &[String]) -> Result<Self, String> {
        let keeper = r#""$@" </dev/null & qemu=$!; cat >/dev/null; kill -9 $qemu"#;
        let child = Command::new("sh")
            .args(["-c", keeper, "sh", QEMU])
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            // It complains that no hub leads to the host: that is how it is meant.
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{QEMU}: {error}"))?;
        Ok(Self(child))
    }
}

impl Drop for Qemu {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// A connection to a socket that QEMU makes.
pub(crate) fn connect(path: &Path, qemu: &mut Qemu) -> Result<UnixStream, String> {
    let began = Instant::now();
    loop {
        match UnixStream::connect(path) {
            Ok(socket) => return Ok(socket),
            Err(error) if began.elapsed() > Duration::from_secs(20) => {
                let state = qemu.0.try_wait().ok().flatten();
                return Err(format!("{QEMU} ({state:?}) has no socket: {error}"));
            }
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// A running guest with an agent.
pub(crate) struct Machine {
    _qemu: Qemu,
    dir: tempfile::TempDir,
    out: UnixStream,
    lines: BufReader<UnixStream>,
    /// Boot to the agent's first answer, by this machine's clock.
    pub(crate) boot: Duration,
}

impl Machine {
    /// Boots a guest; `files` are laid into it.
    pub(crate) fn boot(parts: &Parts, files: &[(&str, &Path)]) -> Result<Self, String> {
        let began = Instant::now();
        let dir = tempfile::tempdir().map_err(|error| format!("temporary folder: {error}"))?;
        let agent = dir.path().join("agent");
        let me = std::env::current_exe().map_err(|error| format!("this program: {error}"))?;
        let strip = Command::new("strip").arg("-o").args([&agent, &me]).status();
        if !strip.is_ok_and(|status| status.success()) {
            return Err("strip does not work".to_owned());
        }
        let mut all = vec![("vm/agent", agent.as_path()), ("vm/railtop", parts.railtop.as_path())];
        all.extend_from_slice(files);
        let initramfs = parts.initramfs(dir.path(), "root.cpio", &all)?;
        let socket = dir.path().join("port");
        let mut args = parts.machine(&initramfs, "");
        args.extend(
            [
                "-serial",
                &format!("file:{}", dir.path().join("console").display()),
                "-chardev",
                &format!("socket,id=port,path={},server=on,wait=off", socket.display()),
                "-device",
                "virtserialport,chardev=port",
            ]
            .map(str::to_owned),
        );
        let mut qemu = Qemu::start(&args)?;
        let out = connect(&socket, &mut qemu)?;
        let lines = BufReader::new(out.try_clone().map_err(|error| format!("socket: {error}"))?);
        let mut machine = Self { _qemu: qemu, dir, out, lines, boot: Duration::ZERO };
        machine.send(&Step::Sleep { seconds: 0.0 }, BOOT)?;
        machine.boot = began.elapsed();
        Ok(machine)
    }

    /// What the guest's kernel and init said.
    fn console(&self) -> String {
        let bytes = std::fs::read(self.dir.path().join("console")).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let from = text.len().saturating_sub(4000);
        text.get(text.ceil_char_boundary(from)..).unwrap_or_default().to_owned()
    }

    fn send(&mut self, step: &Step, patience: Duration) -> Result<Reply, String> {
        let asked = || -> std::io::Result<Reply> {
            let mut line = serde_json::to_string(step)?;
            line.push('\n');
            self.out.write_all(line.as_bytes())?;
            self.out.set_read_timeout(Some(patience))?;
            let mut answer = String::new();
            self.lines.read_line(&mut answer)?;
            Ok(serde_json::from_str(&answer)?)
        }();
        asked.map_err(|error| format!("{step:?}: {error}; the console:\n{}", self.console()))
    }

    /// Asks for one step and gives what came of it.
    pub(crate) fn ask(&mut self, step: &Step) -> Result<Reply, String> {
        let own = match step {
            Step::Exit { seconds }
            | Step::Wait { seconds, .. }
            | Step::Gone { seconds, .. }
            | Step::Sleep { seconds } => *seconds,
            Step::Time { seconds, .. } => *seconds + 120.0,
            _ => 120.0,
        };
        self.send(step, Duration::from_secs_f64(own) + Duration::from_mins(1))
    }

    /// The same for a step that must succeed.
    #[track_caller]
    fn must(&mut self, step: &Step) -> Reply {
        let reply = self.ask(step).unwrap_or_else(|error| panic!("{error}"));
        assert!(reply.ok, "{step:?}: {}", reply.text);
        reply
    }

    /// Output of a shell command that exits with 0.
    #[track_caller]
    pub(crate) fn sh(&mut self, command: &str) -> String {
        let reply = self.must(&Step::Sh { command: command.to_owned() });
        assert_eq!(reply.code, Some(0), "{command}: {}", reply.text);
        reply.text
    }

    /// Exit code and output of a shell command.
    #[track_caller]
    pub(crate) fn try_sh(&mut self, command: &str) -> (Option<i32>, String) {
        let reply = self.must(&Step::Sh { command: command.to_owned() });
        (reply.code, reply.text)
    }

    /// Output of a shell command run as an ordinary user.
    #[track_caller]
    pub(crate) fn user(&mut self, command: &str) -> String {
        let reply = self.must(&Step::User { command: command.to_owned() });
        assert_eq!(reply.code, Some(0), "{command}: {}", reply.text);
        reply.text
    }

    /// Starts a program on a terminal.
    #[track_caller]
    pub(crate) fn start(&mut self, cols: u16, rows: u16, command: &str) {
        self.must(&Step::Size { cols, rows });
        self.must(&Step::Start { command: command.to_owned() });
    }

    /// Ends it; the last screen.
    #[track_caller]
    pub(crate) fn stop(&mut self) -> String {
        self.must(&Step::Stop).text
    }

    /// Waits until it ends by itself; its exit code.
    #[track_caller]
    pub(crate) fn exit(&mut self) -> Option<i32> {
        self.must(&Step::Exit { seconds: 20.0 }).code
    }

    #[track_caller]
    pub(crate) fn keys(&mut self, keys: &str) {
        self.must(&Step::Keys { keys: keys.to_owned() });
    }

    #[track_caller]
    pub(crate) fn shot(&mut self) -> String {
        self.must(&Step::Shot).text
    }

    /// Waits for the text; seconds.
    #[track_caller]
    pub(crate) fn wait(&mut self, text: &str) -> f64 {
        self.must(&Step::Wait { seconds: 30.0, text: Pattern::from(text) }).seconds
    }

    /// Runs the command; seconds until the text is there.
    #[track_caller]
    pub(crate) fn time(&mut self, command: &str, text: &str) -> f64 {
        let (command, text) = (command.to_owned(), Pattern::from(text));
        self.must(&Step::Time { seconds: 30.0, text, command }).seconds
    }
}
