//! What LNet is asked.

/// A question to LNet. Never among them: `debug recovery`, which crashes the kernel of 2.16 and
/// 2.17 where LNet is loaded and not configured; `ping`, `discover`, `lctl which_nid`, which wait
/// for other nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Question {
    /// `net show -v 4`.
    Nets,
    /// `stats show`.
    Stats,
    /// `peer show -v 4`.
    Peers,
    /// `global show`.
    Global,
    /// `route show -v`.
    Routes,
    /// `routing show`.
    Routing,
    /// `udsp show`.
    Udsp,
    /// debugfs `lnet/nis`: a file, no child.
    Credits,
}

impl Question {
    /// All, in the order in which they are asked when all are due.
    pub const ALL: [Self; 8] = [
        Self::Nets,
        Self::Stats,
        Self::Credits,
        Self::Peers,
        Self::Global,
        Self::Routes,
        Self::Routing,
        Self::Udsp,
    ];

    /// Those that lnetctl answers.
    pub const COMMANDS: [Self; 7] = [
        Self::Nets,
        Self::Peers,
        Self::Stats,
        Self::Global,
        Self::Routes,
        Self::Routing,
        Self::Udsp,
    ];

    /// The words after `lnetctl`. `-v` and its level are two: `-v4` prints the usage and exits 0.
    pub fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Nets => &["net", "show", "-v", "4"],
            Self::Peers => &["peer", "show", "-v", "4"],
            Self::Stats => &["stats", "show"],
            Self::Global => &["global", "show"],
            Self::Routes => &["route", "show", "-v"],
            Self::Routing => &["routing", "show"],
            Self::Udsp => &["udsp", "show"],
            Self::Credits => &[],
        }
    }

    /// As a user would type it.
    pub fn words(self) -> String {
        match self {
            Self::Credits => "debugfs lnet/nis".into(),
            _ => format!("lnetctl {}", self.arguments().join(" ")),
        }
    }

    /// The file of a capture that holds the answer.
    pub fn file(self) -> &'static str {
        match self {
            Self::Nets => "lnetctl-net-show.yaml",
            Self::Peers => "lnetctl-peer-show.yaml",
            Self::Stats => "lnetctl-stats-show.yaml",
            Self::Global => "lnetctl-global-show.yaml",
            Self::Routes => "lnetctl-route-show.yaml",
            Self::Routing => "lnetctl-routing-show.yaml",
            Self::Udsp => "lnetctl-udsp-show.yaml",
            Self::Credits => "lnet-debugfs-nis.txt",
        }
    }

    /// Bytes that an answer may have. A `net show` of 16 NIs has 30 KiB, a peer 1.3 kB per NI:
    /// 20,000 peers with two NIs each have 52 MB.
    pub(super) fn bytes(self) -> usize {
        const MIB: usize = 1024 * 1024;
        match self {
            Self::Peers => 64 * MIB,
            _ => 2 * MIB,
        }
    }
}
