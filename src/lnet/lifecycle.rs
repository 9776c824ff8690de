//! How far LNet has come, what comes next, and what would stop it or lose it.
//!
//! Told from what `lnetctl` answers and from what the host says without it: `/proc/modules`,
//! module parameters, `/etc/lnet.conf`, `/etc/modprobe.d`. Nothing here hangs on the version.

mod boot;
mod next;
mod stage;
mod users;
mod wanted;

pub use boot::{Boot, BootNi};
pub use next::NextStep;
pub(crate) use next::{DISABLE, ENABLE, EXPORT, UNDO_EXPORT};
pub use stage::LnetStage;
pub use users::StartedBy;
pub use wanted::Wanted;
pub(crate) use wanted::set;

use super::config::{Configured, Leak, Problem, configured};
use crate::sample::{Fact, How, Lnet, LnetFailure, Reading, Text, Why};

/// LNet's life on this node: where it is, who started it, what comes next, what ends it.
#[derive(Clone, Debug, PartialEq)]
pub struct Lifecycle {
    /// How far it has come; `Unknown` where `lnetctl` did not say.
    pub stage: LnetStage,
    /// The stage as people say it, without the word LNet: `loaded, not configured`.
    pub words: Text,
    /// What the use of the kernel modules says where `lnetctl` cannot be asked: no privilege is
    /// needed for it. An estimate, known only where the stage is not.
    pub estimate: Fact<LnetStage>,
    /// What to type next, in order; empty where nothing is to be done.
    pub next: Vec<NextStep>,
    /// What says on this node that LNet should run.
    pub wanted: Wanted,
    /// Who started LNet.
    pub started_by: Fact<StartedBy>,
    /// Who uses LNet: modules other than its own drivers (`ptlrpc`, `lnet_selftest`), mounted
    /// targets and clients (`10.0.0.1@o2ib:/scratch on /scratch`).
    pub users: Vec<Text>,
    /// Why `lustre_rmmod` would refuse now; `None`: it would unload everything.
    pub rmmod_refused: Fact<Option<Text>>,
    /// What in the files will not do what it seems to say.
    pub problems: Vec<Problem>,
    /// Keys of `/etc/lnet.conf` that an NI takes from the one behind it, up to 2.15.
    pub leaks: Vec<Leak>,
    /// The NIs that a boot would make.
    pub boot: Reading<Boot>,
    /// Would the nets that run now be there after a boot?
    pub survives_reboot: Fact<bool>,
    /// What a boot would change, a line each; empty where it would change nothing or that is not
    /// known.
    pub after_reboot: Vec<Text>,
}

/// What the node around LNet has to offer.
#[derive(Clone, Debug, Default)]
pub struct Around {
    /// Interfaces that LNet could use: those of the rails, in order.
    pub interfaces: Vec<Text>,
    /// They are ports of RDMA devices: `o2ib`, else `tcp`.
    pub rdma: bool,
    /// The samples are from a capture: nobody is asked any more.
    pub recorded: bool,
}

impl Lifecycle {
    /// LNet's life as a reading shows it.
    pub fn of(lnet: &Lnet, around: &Around) -> Self {
        Self::with(lnet, around, &configured(&lnet.local))
    }

    /// The same, where the files have been taken apart already.
    pub fn with(lnet: &Lnet, around: &Around, files: &Configured) -> Self {
        let stage = LnetStage::of(lnet);
        let wanted = Wanted::of(&lnet.local, files);
        let boot = boot::of(lnet, files);
        let (survives_reboot, after_reboot) = boot::compare(lnet, &boot);
        Self {
            stage,
            words: words(lnet, stage, around.recorded).into(),
            estimate: estimate(lnet, stage),
            next: next::steps(&lnet.local, &wanted, stage, around),
            wanted,
            leaks: files.conf.as_ref().map(|c| c.leaks.clone()).unwrap_or_default(),
            problems: files.problems.clone(),
            started_by: users::started_by(lnet, stage),
            users: users::of(&lnet.local),
            rmmod_refused: users::rmmod(lnet, stage),
            boot,
            survives_reboot,
            after_reboot,
        }
    }
}

/// [`Lifecycle::words`] alone, for whoever needs no more.
pub(crate) fn words(lnet: &Lnet, stage: LnetStage, recorded: bool) -> &'static str {
    if stage != LnetStage::Unknown {
        return stage.words();
    }
    let loaded = lnet.modules.lnet == Some(true);
    match &lnet.answer {
        Err(LnetFailure::NotInstalled) if loaded => "loaded, no lnetctl",
        Err(LnetFailure::NotInstalled) => "not known, no lnetctl",
        Err(LnetFailure::Denied(_)) if loaded => "loaded, more needs root",
        Err(LnetFailure::Denied(_)) => "needs root",
        Err(LnetFailure::Timeout(_)) => "does not answer",
        Err(LnetFailure::Pending) if recorded => "not captured",
        Err(LnetFailure::Pending) => "asked …",
        _ => "cannot be read",
    }
}

/// `/proc/modules` tells it as well: the drivers below LNet hold a reference of their own while
/// they have an NI, LNet holds one of itself while it was configured by itself.
fn estimate(lnet: &Lnet, stage: LnetStage) -> Fact<LnetStage> {
    if stage != LnetStage::Unknown {
        return Fact::unknown(Why::NotApplicable, "lnetctl answered");
    }
    match users::stage(&lnet.local) {
        Some(stage) => Fact::known(stage).qualified(How::Estimate, "from the use of its modules"),
        None => Fact::unknown(Why::Absent, "/proc/modules does not tell"),
    }
}
