//! Who uses LNet's modules, from `/proc/modules` and `/proc/mounts`.
//!
//! A module's reference count is the number of modules that use it, and what it was taken for
//! besides. LNet takes one of itself when it is configured by itself (`lnet_configure()` in
//! lnet/lnet/module.c); a driver below it (ksocklnd, ko2iblnd) takes one of itself while it has
//! an NI. Both were seen on 2.15.8 and 2.17.0: `lnet 3 ko2iblnd,ksocklnd` while configured,
//! `lnet 2` after `lnetctl lnet unconfigure`.

use super::LnetStage;
use crate::sample::{
    Fact, Lnet, LnetLocal, LoadedModule, LustreMount, Reading, Text, Unknown, Why,
};
use serde::Serialize;

/// Who started LNet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StartedBy {
    /// It was configured by itself: lnet.service, `lnetctl lnet configure`, `lctl network up`.
    Itself,
    /// A module that uses it started it (Lustre's ptlrpc, lnet_selftest).
    User,
    /// Nobody: it is loaded, and that is all.
    Nobody,
}

impl StartedBy {
    /// As people say it.
    pub fn words(self) -> &'static str {
        match self {
            StartedBy::Itself => "configured by itself",
            StartedBy::User => "started by Lustre",
            StartedBy::Nobody => "loaded, started by nobody",
        }
    }
}

/// Drivers below LNet.
const DRIVERS: [&str; 7] =
    ["ksocklnd", "ko2iblnd", "in_kernel_ko2iblnd", "kgnilnd", "kfilnd", "kefalnd", "kptllnd"];

fn is_driver(name: &str) -> bool {
    DRIVERS.contains(&name)
}

/// References that no module accounts for.
fn own(module: &LoadedModule) -> u32 {
    let others = u32::try_from(module.used_by.len()).unwrap_or(u32::MAX);
    module.references.saturating_sub(others)
}

/// `/proc/modules` was read and has LNet.
fn lnet_module(local: &LnetLocal) -> Reading<&LoadedModule> {
    let absent = || Unknown::new(Why::Absent, "/proc/modules was not read or has no lnet");
    local.module("lnet").ok_or_else(absent)
}

/// How far LNet has come, by the use of its modules alone.
pub(super) fn stage(local: &LnetLocal) -> Option<LnetStage> {
    let lnet = local.module("lnet")?;
    let drivers = || local.modules.iter().filter(|m| is_driver(&m.name));
    if drivers().any(|m| own(m) > 0) {
        return Some(LnetStage::Up);
    }
    // Another user may have started it without any net, or may not have.
    let others = lnet.used_by.iter().any(|u| !is_driver(u));
    match own(lnet) {
        0 if others => None,
        0 => Some(LnetStage::Loaded),
        _ => Some(LnetStage::Configured),
    }
}

/// Who started it.
pub(super) fn started_by(lnet: &Lnet, stage: LnetStage) -> Fact<StartedBy> {
    if matches!(stage, LnetStage::Absent | LnetStage::NotLoaded) {
        return Fact::unknown(Why::NotApplicable, "LNet is not loaded");
    }
    lnet_module(&lnet.local)
        .map(|module| {
            let others = module.used_by.iter().any(|u| !is_driver(u));
            match own(module) {
                // A program that has /dev/lnet open holds one too, for an instant.
                1.. if stage != LnetStage::Loaded => StartedBy::Itself,
                _ if others && stage != LnetStage::Loaded => StartedBy::User,
                _ => StartedBy::Nobody,
            }
        })
        .into()
}

/// Who uses it.
pub(super) fn of(local: &LnetLocal) -> Vec<Text> {
    let modules = local.module("lnet").into_iter().flat_map(|m| &m.used_by);
    let modules = modules.filter(|u| !is_driver(u)).cloned();
    modules.chain(local.mounts.iter().map(|m| mount(m).into())).collect()
}

fn mount(mount: &LustreMount) -> String {
    format!("{} on {}", mount.source, mount.target)
}

/// Would `lustre_rmmod` refuse? It unloads ptlrpc, lnet_selftest, ldiskfs and libcfs with all
/// that depends on each, and stops at the first module that is still in use.
pub(super) fn rmmod(lnet: &Lnet, stage: LnetStage) -> Fact<Option<Text>> {
    if matches!(stage, LnetStage::Absent | LnetStage::NotLoaded) {
        return Fact::unknown(Why::NotApplicable, "LNet is not loaded");
    }
    let local = &lnet.local;
    let module = match lnet_module(local) {
        Ok(module) => module,
        Err(unknown) => return Err(unknown).into(),
    };
    Fact::known(refused(local, module, stage).map(Text::from))
}

fn refused(local: &LnetLocal, lnet: &LoadedModule, stage: LnetStage) -> Option<String> {
    if let Some(first) = local.mounts.first() {
        let more = match local.mounts.len() - 1 {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        return Some(format!(
            "mounted: {}{more}; umount -a -t lustre,lustre_tgt first",
            mount(first)
        ));
    }
    // A mount in another mount namespace, a target that hangs: whoever it is, it is counted.
    let services = local.modules.iter().filter(|m| !is_driver(&m.name));
    let mut busy = services.filter(|m| !matches!(&*m.name, "lnet" | "libcfs") && own(m) > 0);
    if let Some(module) = busy.next() {
        return Some(format!("the module {} is in use", module.name));
    }
    let started = stage != LnetStage::Loaded && own(lnet) > 0;
    started.then(|| {
        "LNet was configured by itself; lnetctl lnet unconfigure (or lctl network down) first"
            .into()
    })
}
