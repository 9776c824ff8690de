//! Collects a capture of this node.

use super::copier::{Copier, Refused, Tally};
use super::node;
use super::pack::{self, Form};
use super::tempdir::TempDir;
use crate::read::lnetctl::{Asker, Question, Said};
use crate::read::rtnl::Rtnl;
use crate::read::{clock, ipjson, manager, root::Root};
use crate::sample::{Mono, Unknown};
use crate::source::SourceError;
use serde_json::json;
use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// For all reads of one device: a firmware command may hang for a minute.
const DEVICE_DEADLINE: Duration = Duration::from_secs(10);
const NO_PROGRAM: &[u8] = b"lnetctl: No such file or directory (os error 2)\n";
const NETLINK_DEADLINE: Duration = Duration::from_secs(5);
/// More interfaces with hardware than this share their last thread.
const MAX_THREADS: usize = 64;

/// That the managers' files were looked for.
pub(super) const MANAGERS: &str = "managers.txt";
const MANAGERS_WORDS: &[u8] =
    b"Of the network managers' files below etc, run and usr this capture \
    holds the lines that railtop reads: rules, routes, addresses and sysctls.\n";

/// What a capture became.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Where it is.
    pub path: PathBuf,
    /// Samples in it.
    pub samples: u32,
    /// Files in it.
    pub files: u64,
    /// Bytes in all files, before compression.
    pub bytes: u64,
    /// Reads that failed; the reasons are beside the files.
    pub errors: u64,
    /// Devices whose reads did not return in time.
    pub hung: Vec<String>,
}

/// Collects what the readers of the node at `root` read, `samples` times, into the directory,
/// `.tar` or `.tar.zst` named `target`. `lnetctl` overrides the usual places of that program; with
/// `sudo` an ordinary user asks it through `sudo -n`.
pub fn write(
    root: &Root,
    target: &Path,
    samples: u32,
    interval: Duration,
    lnetctl: Option<&Path>,
    sudo: bool,
) -> Result<Summary, SourceError> {
    Job::new(root, interval, lnetctl, sudo).write(target, samples)
}

/// Nothing that exists is written over.
fn free(target: &Path, form: Form) -> Result<(), String> {
    match fs::symlink_metadata(target) {
        Err(_) => return Ok(()),
        Ok(_) if form != Form::Directory => return Err("it exists already".into()),
        Ok(_) => {}
    }
    let mut list = fs::read_dir(target).map_err(|e| e.to_string())?;
    match list.next() {
        None => Ok(()),
        Some(_) => Err("the directory exists and is not empty".into()),
    }
}

/// One capture in the making.
pub(super) struct Job<'a> {
    root: &'a Root,
    interval: Duration,
    /// `None`: there is no lnetctl.
    asker: Option<Asker>,
    /// For all reads of one device.
    pub(super) deadline: Duration,
    tally: Arc<Tally>,
    refused: Arc<Refused>,
    hung: HashSet<PathBuf>,
    rtnl: Result<Rtnl, Unknown>,
}

/// Reads of one thread: a name for its path, and what to do.
type Work = (PathBuf, Box<dyn FnOnce(&Copier) + Send>);

impl<'a> Job<'a> {
    pub(super) fn new(
        root: &'a Root,
        interval: Duration,
        lnetctl: Option<&Path>,
        sudo: bool,
    ) -> Self {
        Self {
            root,
            interval,
            asker: Asker::find(root, lnetctl.map(Path::to_owned), sudo),
            deadline: DEVICE_DEADLINE,
            tally: Arc::default(),
            refused: Arc::default(),
            hung: HashSet::new(),
            rtnl: Rtnl::start(|_| {}),
        }
    }

    pub(super) fn write(mut self, target: &Path, samples: u32) -> Result<Summary, SourceError> {
        let samples = samples.max(1);
        self.place(target, samples).map_err(|cause| SourceError::CaptureWrite {
            path: target.display().to_string(),
            cause,
        })?;
        Ok(self.summary(target, samples))
    }

    fn place(&mut self, target: &Path, samples: u32) -> Result<(), String> {
        let form = Form::of(target);
        free(target, form)?;
        if form == Form::Directory {
            return self.collect(target, samples);
        }
        let dir = TempDir::new()?;
        self.collect(dir.path(), samples)?;
        pack::pack(dir.path(), target, form).map_err(|e| e.to_string())
    }

    fn copier(&self, target: &Path) -> Arc<Copier> {
        Arc::new(Copier::new(&self.root.join(""), target, &self.tally, &self.refused))
    }

    /// One sample is the capture itself; several go below `samples/`.
    fn collect(&mut self, target: &Path, samples: u32) -> Result<(), String> {
        fs::create_dir_all(target).map_err(|e| e.to_string())?;
        let top = self.copier(target);
        self.managers(&top);
        if samples == 1 {
            return self.sample(target);
        }
        self.meta(&top, clock::now());
        let start = Instant::now();
        for i in 0..samples {
            let due = start + self.interval.saturating_mul(i);
            thread::sleep(due.saturating_duration_since(Instant::now()));
            self.sample(&target.join(format!("samples/{:04}", i + 1)))?;
        }
        Ok(())
    }

    fn sample(&mut self, target: &Path) -> Result<(), String> {
        fs::create_dir_all(target).map_err(|e| format!("{}: {e}", target.display()))?;
        let copier = self.copier(target);
        self.meta(&copier, clock::now());
        self.devices(&copier);
        self.netlink(&copier);
        self.lnet(&copier);
        Ok(())
    }

    fn meta(&self, copier: &Copier, now: Mono) {
        let text = |path: &str| {
            let read = fs::read_to_string(self.root.join(path));
            read.map(|t| t.trim().to_owned()).ok()
        };
        let meta = json!({
            "railtop": env!("CARGO_PKG_VERSION"),
            "time": jiff::Timestamp::now().to_string(),
            "monotonic_seconds": now.0 as f64 / 1e9,
            "interval_seconds": self.interval.as_secs_f64(),
            "host": text("proc/sys/kernel/hostname"),
            "kernel": text("proc/sys/kernel/osrelease"),
            "uid": rustix::process::geteuid().as_raw(),
        });
        copier.put("meta.json", format!("{meta:#}\n").as_bytes());
    }

    /// All devices at once, each on its own thread, with one deadline.
    fn devices(&mut self, copier: &Arc<Copier>) {
        let (done, finished) = mpsc::channel();
        let mut running = HashSet::new();
        for (path, work) in self.works() {
            if self.hung.contains(&path) {
                copier.error(&path, "timeout: its reads have not returned\n");
                continue;
            }
            let (copier, done, name) = (Arc::clone(copier), done.clone(), path.clone());
            let spawned = thread::Builder::new().spawn(move || {
                work(&copier);
                let _ = done.send(name);
            });
            if spawned.is_ok() {
                running.insert(path);
            }
        }
        drop(done);
        let until = Instant::now() + self.deadline;
        while !running.is_empty() {
            match finished.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(name) => running.remove(&name),
                Err(_) => break,
            };
        }
        for path in running {
            let words = format!("timeout: no answer in {} s\n", self.deadline.as_secs());
            copier.error(&path, &words);
            self.hung.insert(path);
        }
        if !self.hung.is_empty() {
            copier.cancel();
        }
    }

    fn works(&self) -> Vec<Work> {
        let root = self.root.join("");
        let mut works: Vec<Work> = node::rdma_devices(&root)
            .into_iter()
            .map(|name| {
                let path = node::rdma_path(&name);
                (path, Box::new(move |c: &Copier| node::rdma_device(c, &name)) as _)
            })
            .collect();
        let (hardware, rest): (Vec<_>, Vec<_>) = (0..)
            .zip(node::netdevs(&root))
            .partition(|(i, (_, hardware))| *hardware && *i < MAX_THREADS);
        works.extend(hardware.into_iter().map(|(_, (name, _))| {
            let path = node::netdev_path(&name);
            (path, Box::new(move |c: &Copier| node::netdev(c, &name)) as _)
        }));
        let rest: Vec<OsString> = rest.into_iter().map(|(_, (name, _))| name).collect();
        works.push((
            PathBuf::from("virtual-interfaces"),
            Box::new(move |c: &Copier| rest.iter().for_each(|name| node::netdev(c, name))),
        ));
        works.push((PathBuf::from("proc"), Box::new(node::system)));
        works
    }

    fn netlink(&self, copier: &Arc<Copier>) {
        let copier = self.fresh(copier);
        let rtnl = match &self.rtnl {
            Ok(rtnl) => rtnl,
            Err(why) => return copier.error(Path::new("ip-link.json"), &format!("{why}\n")),
        };
        let links = rtnl.links(NETLINK_DEADLINE);
        let routing = rtnl.routing(self.root, NETLINK_DEADLINE);
        for (name, bytes) in ipjson::write(&links, &routing) {
            copier.put(name, &bytes);
        }
    }

    /// Who keeps the interfaces, and what their files say of them: once, and of each file only the
    /// lines that are read.
    fn managers(&self, copier: &Arc<Copier>) {
        let Some(Ok(links)) = self.rtnl.as_ref().ok().map(|r| r.links(NETLINK_DEADLINE)) else {
            return;
        };
        let interfaces = manager::keepable(&links);
        // It tells that somebody looked.
        copier.put(MANAGERS, MANAGERS_WORDS);
        for file in manager::kept(self.root, &interfaces) {
            if file.is_error {
                copier.error_at(Path::new(&file.path), &file.content);
            } else {
                copier.put(&file.path, file.content.as_bytes());
            }
        }
    }

    fn lnet(&mut self, copier: &Arc<Copier>) {
        let copier = self.fresh(copier);
        let Some(asker) = &mut self.asker else {
            // That there is none is an answer too, in the words of a failed start.
            return copier.put("lnetctl-net-show.yaml.error", NO_PROGRAM);
        };
        let write = |said: Said, file: &str| {
            // That nothing was printed, and nothing went wrong, is an answer: no peers.
            if !said.stdout.is_empty() || said.error.is_none() {
                copier.put(file, &said.stdout);
            }
            if let Some(error) = said.error {
                copier.error(Path::new(file), &error);
            }
        };
        for question in Question::COMMANDS {
            write(asker.ask(question), question.file());
        }
        write(asker.version(), "lnetctl-version.txt");
        node::lnet_credits(&copier, Question::Credits.file());
    }

    /// A copier that was cancelled writes no more, but what follows it has nothing to do with
    /// the reads that hang.
    fn fresh(&self, copier: &Arc<Copier>) -> Arc<Copier> {
        if self.hung.is_empty() { Arc::clone(copier) } else { self.copier(copier.target()) }
    }

    fn summary(self, target: &Path, samples: u32) -> Summary {
        let mut hung: Vec<String> = self.hung.iter().map(|p| p.display().to_string()).collect();
        hung.sort();
        Summary {
            path: target.to_owned(),
            samples,
            files: self.tally.files.load(Ordering::Relaxed),
            bytes: self.tally.bytes.load(Ordering::Relaxed),
            errors: self.tally.errors.load(Ordering::Relaxed),
            hung,
        }
    }
}
