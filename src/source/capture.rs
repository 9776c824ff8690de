//! A capture: a directory, or a `.tar` or `.tar.zst` of one, that holds what a node's readers
//! read.
//!
//! Anyone can make one with `cp`, `tar` and `ip -j`, so any part may be missing, empty or padded;
//! and it may come from anyone, so it is only read where its links stay inside.

mod archive;
mod confine;
mod copier;
mod meta;
mod node;
mod pack;
mod restamp;
mod tempdir;
#[cfg(test)]
mod tests;
mod write;

pub use write::{Summary, write};

use super::{Pace, Source, SourceError};
use crate::node::SourceKind;
use crate::read::root::Root;
use crate::read::sysfs::{DeviceReader, NetReader};
use crate::read::{self, Due};
use crate::sample::{
    Host, Link, Lnet, Managers, Netdev, Note, RdmaDevice, Reading, Routing, Sample, SampleTime,
    Text, Unknown, Why,
};
use meta::Meta;
use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempdir::TempDir;

/// What a capture holds at its top; any of these makes a directory one.
const PARTS: &[&str] = &["sys", "proc", "samples", "lnetctl-net-show.yaml", "meta.json"];
/// Of these it may hold more, which alone prove nothing.
const MORE_PARTS: &[&str] = &["etc", "usr", "run", "lib", "opt", "root", "sbin", write::MANAGERS];
/// Run-time files of network managers; somebody who copied one of these looked for them.
const RUN_TIME: &[&str] = &["run/NetworkManager", "run/systemd/netif", "run/network", "run/wicked"];

/// Reads the samples of a capture in their order.
#[derive(Debug)]
pub struct Capture {
    label: String,
    pace: Arc<Pace>,
    /// The directory that holds the parts.
    top: PathBuf,
    /// Our own copy of it, if there is one: removed with the capture.
    #[cfg_attr(not(test), expect(dead_code, reason = "held for its drop"))]
    copy: Option<TempDir>,
    meta: Meta,
    left: VecDeque<(PathBuf, Meta, SampleTime)>,
    notes: Vec<String>,
    previous: Option<Sample>,
}

impl Capture {
    /// Opens a capture directory or archive.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        Self::try_open(path)
            .map_err(|cause| SourceError::Capture { path: path.display().to_string(), cause })
    }

    fn try_open(path: &Path) -> Result<Self, String> {
        let found = fs::metadata(path).map_err(|e| e.to_string())?;
        let (top, copy) = if found.is_dir() {
            open_directory(path)?
        } else if found.is_file() {
            open_archive(path)?
        } else {
            return Err("it is neither a directory nor an archive".into());
        };
        let mut notes = Vec::new();
        let meta = meta_or_note(&top, &mut notes).unwrap_or_default();
        let mut dirs = sample_dirs(&top);
        if dirs.is_empty() {
            dirs.push(top.clone());
        }
        let metas: Vec<Meta> = dirs
            .iter()
            .map(|dir| {
                if *dir == top {
                    meta.clone()
                } else {
                    meta_or_note(dir, &mut notes).unwrap_or_default()
                }
            })
            .collect();
        let made = found.modified().ok().and_then(|t| jiff::Timestamp::try_from(t).ok());
        let times = meta::times(&meta, &metas, made.unwrap_or(jiff::Timestamp::UNIX_EPOCH));
        let left = dirs.into_iter().zip(metas).zip(times).map(|((d, m), t)| (d, m, t)).collect();
        Ok(Self {
            label: path.display().to_string(),
            pace: Pace::new(meta.interval.unwrap_or(Duration::from_secs(1))),
            top,
            copy,
            meta,
            left,
            notes,
            previous: None,
        })
    }

    /// The directory that has `part`: the sample's own, else the capture's.
    fn holder<'a>(&'a self, sample: &'a Path, part: &str) -> &'a Path {
        if sample.join(part).exists() { sample } else { &self.top }
    }

    fn read(&self, dir: &Path, meta: &Meta, time: SampleTime) -> Sample {
        let sys = Root::new(self.holder(dir, "sys"));
        let proc = Root::new(self.holder(dir, "proc"));
        let (links, routing) = self.ip(dir);
        let managers = links.as_ref().ok().and_then(|links| self.managers(dir, links));
        let mut sample = Sample {
            time,
            host: Arc::new(self.host(&proc, meta)),
            netdevs: netdevs(&sys),
            rdma: rdma(&sys),
            links: links.map(Arc::new),
            routing: Arc::new(routing),
            sysctls: Arc::new(read::sysctl::read(&proc)),
            managers,
            lnet: Arc::new(self.lnet(dir, &sys, &proc)),
            notes: self.notes(&sys, time),
            cost: Vec::new(),
        };
        restamp::restamp(&mut sample);
        sample
    }

    /// Who keeps the interfaces: known only where somebody looked.
    fn managers(&self, dir: &Path, links: &[Link]) -> Option<Arc<Managers>> {
        let looked = |dir: &&Path| {
            let signs = std::iter::once(&write::MANAGERS).chain(RUN_TIME);
            signs.into_iter().any(|sign| dir.join(sign).exists())
        };
        let root = Root::new([dir, &self.top].into_iter().find(looked)?);
        Some(Arc::new(read::manager::read(&root, &read::manager::keepable(links))))
    }

    /// What is wrong with the capture, and devices that could not be copied.
    fn notes(&self, sys: &Root, time: SampleTime) -> Vec<Note> {
        let note = |reader: &str, what: &str| Note {
            reader: Text::new(reader),
            what: Text::new(what),
            since: time.mono,
        };
        let mut notes: Vec<_> = self.notes.iter().map(|what| note("capture", what)).collect();
        for class in ["sys/class/infiniband", "sys/class/net"].map(|class| sys.join(class)) {
            for name in names(&class).iter().filter(|name| ends_with_error(name)) {
                let reader = name.to_string_lossy();
                let reader = reader.trim_end_matches(restamp::ERROR_SUFFIX);
                let words = head(&class.join(name)).unwrap_or_default();
                notes.push(note(reader, words.lines().next().unwrap_or("not copied")));
            }
        }
        notes
    }

    fn host(&self, proc: &Root, meta: &Meta) -> Host {
        let mut host = read::host::from_tree(proc);
        fill(&mut host.name, meta.host.as_ref().or(self.meta.host.as_ref()));
        fill(&mut host.kernel, meta.kernel.as_ref().or(self.meta.kernel.as_ref()));
        // The tree cannot know who read it.
        match meta.uid.or(self.meta.uid) {
            Some(uid) => host.uid = Ok(uid),
            None => host.uid = Err(Unknown::new(Why::Absent, "meta.json does not say")),
        }
        host
    }

    fn lnet(&self, dir: &Path, sys: &Root, proc: &Root) -> Lnet {
        let roots = read::lnet_local::Roots {
            sys: sys.clone(),
            proc: proc.clone(),
            etc: Root::new(self.holder(dir, "etc")),
        };
        let mut lnet = read::lnetctl::from_capture(dir, &self.top, sys);
        lnet.local = Arc::new(read::lnet_local::read(&roots));
        lnet
    }

    /// The `ip` part: each file of the sample's own, else of the capture's.
    fn ip(&self, dir: &Path) -> (Reading<Vec<Link>>, Routing) {
        let (mut links, mut routing) = read::ipjson::read_dir(dir);
        if dir == self.top {
            return (links, routing);
        }
        let has = |stem: &str| {
            ["json", "json.error", "error"].iter().any(|e| dir.join(format!("{stem}.{e}")).exists())
        };
        let (top_links, top) = read::ipjson::read_dir(&self.top);
        if links.is_err() && !has("ip-link") && !has("ip-addr") {
            links = top_links;
        }
        choose(&mut routing.addresses, top.addresses, has("ip-addr"));
        choose(&mut routing.rules4, top.rules4, has("ip-rule"));
        choose(&mut routing.rules6, top.rules6, has("ip-rule6"));
        choose(&mut routing.routes4, top.routes4, has("ip-route"));
        choose(&mut routing.routes6, top.routes6, has("ip-route6"));
        choose(&mut routing.neighbours, top.neighbours, has("ip-neigh"));
        choose(&mut routing.nexthops, top.nexthops, has("ip-nexthop"));
        if routing.table_names.is_empty() {
            routing.table_names = top.table_names;
        }
        (links, routing)
    }
}

impl Source for Capture {
    fn next(&mut self) -> Result<Option<Sample>, SourceError> {
        let Some((dir, meta, time)) = self.left.pop_front() else { return Ok(None) };
        let mut sample = self.read(&dir, &meta, time);
        if let Some(previous) = &self.previous {
            share(&mut sample, previous);
        }
        self.previous = Some(sample.clone());
        Ok(Some(sample))
    }
    fn kind(&self) -> SourceKind {
        SourceKind::Capture
    }
    fn label(&self) -> String {
        self.label.clone()
    }
    fn pace(&self) -> Arc<Pace> {
        Arc::clone(&self.pace)
    }
}

/// The beginning of a small text.
fn head(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(256).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn meta_or_note(dir: &Path, notes: &mut Vec<String>) -> Option<Meta> {
    match Meta::of(dir) {
        Ok(meta) => meta,
        Err(why) => {
            notes.push(why);
            None
        }
    }
}

fn fill(known: &mut Reading<Text>, told: Option<&Text>) {
    if let (Err(_), Some(told)) = (&known, told) {
        *known = Ok(told.clone());
    }
}

fn choose<T>(own: &mut Reading<T>, top: Reading<T>, has_own: bool) {
    if own.is_err() && !has_own {
        *own = top;
    }
}

fn netdevs(sys: &Root) -> Reading<Vec<Arc<Netdev>>> {
    if !sys.join("sys/class/net").exists() {
        return Err(Unknown::new(Why::Absent, "the capture has no sys/class/net"));
    }
    NetReader::new(sys).pass(Due::ALL)
}

fn rdma(sys: &Root) -> Reading<Vec<Arc<RdmaDevice>>> {
    let names = read::sysfs::devices(sys)?;
    let is_device = |name: &OsString| !ends_with_error(name);
    Ok(names
        .iter()
        .filter(|name| is_device(name))
        .filter_map(|name| DeviceReader::new(sys, name).pass(Due::ALL).ok())
        .map(Arc::new)
        .collect())
}

fn ends_with_error(name: &OsStr) -> bool {
    name.as_encoded_bytes().ends_with(restamp::ERROR_SUFFIX.as_bytes())
}

/// Shares with the sample before what did not change, as the live source does.
fn share(sample: &mut Sample, previous: &Sample) {
    keep(&mut sample.host, &previous.host);
    if sample.lnet.local == previous.lnet.local {
        Arc::make_mut(&mut sample.lnet).local = Arc::clone(&previous.lnet.local);
    }
    keep(&mut sample.sysctls, &previous.sysctls);
    if let (Some(new), Some(old)) = (&mut sample.managers, &previous.managers) {
        keep(new, old);
    }
    if let (Ok(new), Ok(old)) = (&mut sample.links, &previous.links) {
        keep(new, old);
    }
    let mut routing = (*sample.routing).clone();
    routing.at = previous.routing.at;
    if routing == *previous.routing {
        sample.routing = Arc::clone(&previous.routing);
    }
}

fn keep<T: PartialEq>(new: &mut Arc<T>, old: &Arc<T>) {
    if **new == **old {
        *new = Arc::clone(old);
    }
}

fn open_directory(path: &Path) -> Result<(PathBuf, Option<TempDir>), String> {
    let top = find_top(path)?;
    if fs::canonicalize(&top).is_ok_and(|real| real == Path::new("/")) {
        return Err("that is this node itself: leave the capture out to read it".into());
    }
    let parts = parts(&top);
    let forbidden = confine::forbidden(&top, &parts)?;
    if forbidden.is_empty() {
        return Ok((top, None));
    }
    // The readers follow links as the kernel does, so they get a tree without the bad ones.
    let copy = TempDir::new()?;
    confine::copy_without(&top, &parts, &forbidden, copy.path())?;
    Ok((copy.path().to_owned(), Some(copy)))
}

fn open_archive(path: &Path) -> Result<(PathBuf, Option<TempDir>), String> {
    let dir = TempDir::new()?;
    archive::unpack(path, dir.path())?;
    let top = find_top(dir.path())?;
    // Of a link that leads out only the link itself is removed.
    for bad in confine::forbidden(&top, &parts(&top))? {
        fs::remove_file(top.join(&bad)).map_err(|e| format!("{}: {e}", bad.display()))?;
    }
    Ok((top, Some(dir)))
}

/// The directory that holds the parts: `dir` itself or its only directory.
fn find_top(dir: &Path) -> Result<PathBuf, String> {
    if looks_like_one(dir) {
        return Ok(dir.to_owned());
    }
    let list = fs::read_dir(dir).map_err(|e| e.to_string())?;
    let mut dirs = list.flatten().filter(|e| e.file_type().is_ok_and(|t| t.is_dir()));
    if let (Some(only), None) = (dirs.next(), dirs.next())
        && looks_like_one(&only.path())
    {
        return Ok(only.path());
    }
    Err("it is no capture: expected one of sys/, proc/, samples/, ip-*.json, \
         lnetctl-net-show.yaml or meta.json in it"
        .into())
}

fn looks_like_one(dir: &Path) -> bool {
    PARTS.iter().any(|part| fs::symlink_metadata(dir.join(part)).is_ok())
        || names(dir).iter().any(|name| is_ip_file(name))
}

fn is_ip_file(name: &OsStr) -> bool {
    let bytes = name.as_encoded_bytes();
    bytes.starts_with(b"ip-") && (bytes.ends_with(b".json") || bytes.ends_with(b".error"))
}

/// Everything at the top of a capture that is read.
fn parts(top: &Path) -> Vec<OsString> {
    let known = |name: &OsString| {
        let fixed = PARTS.iter().chain(MORE_PARTS).any(|part| name.as_os_str() == *part);
        let bytes = name.as_encoded_bytes();
        let lnet = bytes.starts_with(b"lnetctl-") || bytes.starts_with(b"lnet-");
        fixed || is_ip_file(name) || lnet
    };
    names(top).into_iter().filter(known).collect()
}

fn names(dir: &Path) -> Vec<OsString> {
    fs::read_dir(dir)
        .map(|list| list.flatten().map(|entry| entry.file_name()).collect())
        .unwrap_or_default()
}

/// `samples/*`, by number, then by name.
fn sample_dirs(top: &Path) -> Vec<PathBuf> {
    let samples = top.join("samples");
    let mut found = names(&samples);
    found.retain(|name| samples.join(name).is_dir());
    found.sort_by_key(|name| {
        let number = name.to_str().and_then(|n| n.parse::<u64>().ok());
        (number.unwrap_or(u64::MAX), name.clone())
    });
    found.into_iter().map(|name| samples.join(name)).collect()
}
