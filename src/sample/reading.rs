//! Unknown is a value: every fact that can be missing says why.

use super::Text;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a value is not known. The words are part of the machine contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// No such file, attribute or program.
    Absent,
    /// EACCES, EPERM: root would see more.
    Denied,
    /// The kernel or driver says that it has no such thing (EINVAL, EOPNOTSUPP, `N/A (no PMA)`).
    Unsupported,
    /// Something is there that is not understood; the text is in the detail.
    Unparsable,
    /// A read or a child process did not answer in time.
    Timeout,
    /// The question makes no sense here (the LID of an Ethernet port).
    NotApplicable,
    /// The port or interface is not in use, so the figure would mislead.
    Inactive,
    /// Too little to be judged.
    BelowFloor,
    /// A counter went backwards: no figure over that gap.
    Reset,
    /// A rate needs two reads.
    FirstSample,
}

impl Why {
    /// The word of the machine contract.
    pub fn word(self) -> &'static str {
        match self {
            Why::Absent => "absent",
            Why::Denied => "denied",
            Why::Unsupported => "unsupported",
            Why::Unparsable => "unparsable",
            Why::Timeout => "timeout",
            Why::NotApplicable => "not_applicable",
            Why::Inactive => "inactive",
            Why::BelowFloor => "below_floor",
            Why::Reset => "reset",
            Why::FirstSample => "first_sample",
        }
    }
}

/// A value that is not known, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unknown {
    /// The kind of reason.
    pub why: Why,
    /// The evidence: path and errno, or the text that was not understood.
    pub detail: Text,
}

impl Unknown {
    /// A reason with its evidence.
    pub fn new(why: Why, detail: impl Into<Text>) -> Self {
        Self { why, detail: detail.into() }
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.detail.is_empty() {
            f.write_str(self.why.word())
        } else {
            write!(f, "{}: {}", self.why.word(), self.detail)
        }
    }
}

/// A value, or why it is not known.
pub type Reading<T> = Result<T, Unknown>;

/// How a known value is weak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// The last read is older than it should be.
    Stale,
    /// The counter stands at its maximum: at least this.
    Saturated,
    /// Computed from figures that do not quite measure it.
    Estimate,
}

impl How {
    /// The word of the machine contract.
    pub fn word(self) -> &'static str {
        match self {
            How::Stale => "stale",
            How::Saturated => "saturated",
            How::Estimate => "estimate",
        }
    }
}

/// A weakness of a known value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Qualifier {
    /// Its kind.
    pub how: How,
    /// In words.
    pub detail: Text,
}

/// A derived value: known, known but weak, or unknown for a reason.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact<T> {
    /// The value or why not.
    pub value: Reading<T>,
    /// How a known value is weak.
    pub qualified: Option<Qualifier>,
}

impl<T> Fact<T> {
    /// A value that is known without reserve.
    pub fn known(value: T) -> Self {
        Self { value: Ok(value), qualified: None }
    }

    /// A value that is not known.
    pub fn unknown(why: Why, detail: impl Into<Text>) -> Self {
        Self { value: Err(Unknown::new(why, detail)), qualified: None }
    }

    /// The same value with a weakness named.
    #[must_use]
    pub fn qualified(mut self, how: How, detail: impl Into<Text>) -> Self {
        self.qualified = Some(Qualifier { how, detail: detail.into() });
        self
    }

    /// The value if it is known.
    pub fn ok(&self) -> Option<&T> {
        self.value.as_ref().ok()
    }
}

impl<T> From<Reading<T>> for Fact<T> {
    fn from(value: Reading<T>) -> Self {
        Self { value, qualified: None }
    }
}
