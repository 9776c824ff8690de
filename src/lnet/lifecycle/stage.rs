//! The stages, told apart in every version.

use crate::sample::{Lnet, LnetFailure};

/// How far LNet has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LnetStage {
    /// No module and no tool.
    Absent,
    /// The module is not loaded.
    NotLoaded,
    /// Loaded, not configured.
    Loaded,
    /// Configured, with no net but `lo`.
    Configured,
    /// There is an NI beyond `lo`; whether it works is a matter of its own status.
    Up,
    /// It cannot be told.
    Unknown,
}

impl LnetStage {
    /// The stage that a reading shows.
    pub fn of(lnet: &Lnet) -> Self {
        match (&lnet.answer, lnet.modules.lnet) {
            (Ok(answer), _) => {
                let mut nis = answer.nets.iter().flat_map(|n| &n.nis);
                if nis.any(|ni| !ni.is_lo()) { Self::Up } else { Self::Configured }
            }
            (Err(LnetFailure::NotConfigured), _) => Self::Loaded,
            (Err(LnetFailure::NotInstalled), Some(false)) => Self::Absent,
            (Err(LnetFailure::NotLoaded), _) | (Err(_), Some(false)) => Self::NotLoaded,
            (Err(_), _) => Self::Unknown,
        }
    }

    /// The word of the machine contract.
    pub fn word(self) -> &'static str {
        match self {
            LnetStage::Absent => "absent",
            LnetStage::NotLoaded => "not_loaded",
            LnetStage::Loaded => "loaded",
            LnetStage::Configured => "configured",
            LnetStage::Up => "up",
            LnetStage::Unknown => "unknown",
        }
    }

    /// As people say it: `LNet is …`.
    pub fn words(self) -> &'static str {
        match self {
            LnetStage::Absent => "not installed",
            LnetStage::NotLoaded => "not loaded",
            LnetStage::Loaded => "loaded, not configured",
            LnetStage::Configured => "configured, no net",
            LnetStage::Up => "up",
            LnetStage::Unknown => "not known",
        }
    }
}
