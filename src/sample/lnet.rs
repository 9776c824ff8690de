//! What LNet says of itself.

use super::{Mono, Reading, Text};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// LNet as one pass saw it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lnet {
    /// `/sys/module/{lnet,…}`: needs no privilege, looked at first.
    pub modules: LnetModules,
    /// `lnetctl --version`, once.
    pub version: Reading<Text>,
    /// The newest answer to `lnetctl net show -v 4`, or why there is none.
    pub answer: Result<LnetAnswer, LnetFailure>,
    /// A child that was asked then is late (over 1 s), or could not be killed.
    pub waiting_since: Option<Mono>,
    /// The newest failure, and when, if no good answer came after it. A last good `answer` is
    /// kept beside it for 30 s where the failure says nothing of LNet itself (a timeout, a crash
    /// of the tool).
    #[serde(default)]
    pub last_failure: Option<(Mono, LnetFailure)>,
}

/// Which kernel modules are there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LnetModules {
    /// `/sys/module/lnet` exists.
    pub lnet: Option<bool>,
    /// `/sys/module/ksocklnd` exists.
    pub ksocklnd: Option<bool>,
    /// `/sys/module/ko2iblnd` or `in_kernel_ko2iblnd` exists.
    pub ko2iblnd: Option<bool>,
}

/// A `net show` that could be read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LnetAnswer {
    /// When it was complete.
    pub at: Mono,
    /// How long the child took.
    pub took: Duration,
    /// Its nets, `lo` among them.
    pub nets: Vec<LnetNet>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "detail")]
pub enum LnetFailure {
    /// No `lnetctl` at the usual places or in PATH.
    NotInstalled,
    /// The program is there, the kernel module is not loaded.
    NotLoaded,
    /// The module is loaded, LNet is not configured (errno −100).
    NotConfigured,
    /// Not root.
    Denied(Text),
    /// Did not answer in time, and was killed or left behind.
    Timeout(Text),
    /// Something else went wrong: its words.
    Failed(Text),
    /// Not asked yet.
    Pending,
}

/// One net.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LnetNet {
    /// `tcp`, `o2ib`, `o2ib1`.
    pub name: Text,
    /// `local NI(s)`.
    pub nis: Vec<LnetNi>,
}

/// One network interface of LNet, with what `-v 4` prints of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LnetNi {
    /// `addr@net`.
    pub nid: Text,
    /// `up` or `down`, as printed.
    pub status: Reading<Text>,
    /// `interfaces`: in order.
    pub interfaces: Vec<Text>,
    /// `statistics`: messages since the NI started; 32 bits, they wrap.
    pub send_count: Reading<u32>,
    /// Received messages.
    pub recv_count: Reading<u32>,
    /// Dropped messages.
    pub drop_count: Reading<u32>,
    /// `health stats / fatal_error`: 1 = the LND says that the link is gone.
    pub fatal_error: Reading<u32>,
    /// `health value` 0…1000.
    pub health: Reading<u32>,
    /// `dev cpt`: −1 = any.
    pub dev_cpt: Reading<i32>,
    /// `tunables / peer_credits`.
    pub peer_credits: Reading<u32>,
    /// `tunables / credits`.
    pub credits: Reading<u32>,
    /// `CPT`, as printed.
    pub cpt: Reading<Text>,
    /// All other scalar values by path (`health stats/timeouts`, `sent_stats/put`), as printed.
    pub more: Vec<(Text, Text)>,
}

impl LnetNi {
    /// The net part of the NID.
    pub fn net(&self) -> &str {
        self.nid.rsplit_once('@').map_or("", |(_, net)| net)
    }

    /// The address part of the NID.
    pub fn address(&self) -> &str {
        self.nid.rsplit_once('@').map_or(self.nid.as_str(), |(addr, _)| addr)
    }

    /// The loopback NI, which no rule of health applies to.
    pub fn is_lo(&self) -> bool {
        self.net() == "lo"
    }
}
