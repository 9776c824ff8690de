//! What LNet says of itself.

mod local;
mod peer;
mod whole;

pub use local::{LnetFile, LnetLocal, LnetParameter, LoadedModule, LustreMount};
pub use peer::{LnetPeer, LnetPeerNi};
pub use whole::{
    LnetBuffers, LnetGlobal, LnetNiCredits, LnetRoute, LnetRouting, LnetStats, LnetUdsp,
};

use super::{Mono, Reading, Text, Unknown, Why};
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// The health of an NI of which nothing failed: `LNET_MAX_HEALTH_VALUE`, lnet/include/lnet/lib-types.h.
pub const MAX_HEALTH: u32 = 1000;

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
    /// The pid of a child that SIGKILL did not end and that is still there.
    #[serde(default)]
    pub left: Option<i32>,
    /// The newest failure, and when, if no good answer came after it. A last good `answer` is
    /// kept beside it for 30 s where the failure says nothing of LNet itself (a timeout, a crash
    /// of the tool).
    #[serde(default)]
    pub last_failure: Option<(Mono, LnetFailure)>,
    /// What is asked at a slower pace.
    #[serde(default)]
    pub more: LnetMore,
    /// What this host says without `lnetctl`.
    #[serde(default)]
    pub local: Arc<LnetLocal>,
    /// Where an ordinary user was denied: the line of sudoers(5) that lets that user ask what
    /// railtop asks (`railtop --sudo`), and nothing else.
    #[serde(default)]
    pub sudoers: Option<Text>,
}

impl Lnet {
    /// Every question has had an answer or a refusal: a report need not wait for more.
    pub fn is_settled(&self) -> bool {
        match &self.answer {
            Ok(_) => self.more.is_settled(),
            Err(failure) => *failure != LnetFailure::Pending,
        }
    }
}

/// The answers that are asked for more seldom than the nets; each is shared with the sample
/// before until it is read anew. One that cannot be renewed ages (its `at`), for 30 s or three of
/// its periods, and then says why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LnetMore {
    /// `lnetctl peer show -v 4`.
    pub peers: Answered<Vec<LnetPeer>>,
    /// `lnetctl stats show`.
    pub stats: Answered<LnetStats>,
    /// `lnetctl global show`.
    pub global: Answered<LnetGlobal>,
    /// `lnetctl route show -v`.
    pub routes: Answered<Vec<LnetRoute>>,
    /// `lnetctl routing show`.
    pub routing: Answered<LnetRouting>,
    /// `lnetctl udsp show`.
    pub udsp: Answered<Vec<LnetUdsp>>,
    /// debugfs `lnet/nis`: root only.
    pub credits: Answered<Vec<LnetNiCredits>>,
}

impl LnetMore {
    /// Nothing of it is still to be asked for the first time.
    fn is_settled(&self) -> bool {
        fn asked<T>(answer: &Answered<T>) -> bool {
            answer.as_ref().err().is_none_or(|unknown| unknown.why != Why::FirstSample)
        }
        asked(&self.peers)
            && asked(&self.stats)
            && asked(&self.global)
            && asked(&self.routes)
            && asked(&self.routing)
            && asked(&self.udsp)
            && asked(&self.credits)
    }
}

/// A value with the time of its newest answer, or why there is none. The same `Arc` until it is
/// asked again; the same answer again is a new one with the same value.
pub type Answered<T> = Reading<Arc<super::Timed<T>>>;

impl Default for LnetMore {
    fn default() -> Self {
        fn not_asked<T>() -> Answered<T> {
            Err(Unknown::new(Why::FirstSample, "not asked yet"))
        }
        Self {
            peers: not_asked(),
            stats: not_asked(),
            global: not_asked(),
            routes: not_asked(),
            routing: not_asked(),
            udsp: not_asked(),
            credits: not_asked(),
        }
    }
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
    /// It could not be started, or the one that was named is not there: nothing is said of LNet.
    CannotRun(Text),
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

    /// A number among [`Self::more`], by its path (`health stats/timeouts`).
    pub fn number<T: FromStr>(&self, path: &str) -> Reading<T> {
        let (_, printed) = self
            .more
            .iter()
            .find(|(key, _)| &**key == path)
            .ok_or_else(|| Unknown::new(Why::Absent, format!("lnetctl printed no `{path}`")))?;
        let unparsable = || Unknown::new(Why::Unparsable, format!("{path}: {printed}"));
        printed.parse().map_err(|_| unparsable())
    }

    /// The loopback NI, which no rule of health applies to.
    pub fn is_lo(&self) -> bool {
        self.net() == "lo"
    }
}
