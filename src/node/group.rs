//! Groups: rails that are meant to share load, and how they do.

use super::Figure;
use crate::sample::{Mono, Text};

/// Why these rails are a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupOrigin {
    /// They carry one LNet net.
    LnetNet,
    /// The configuration says so.
    Config,
    /// Same hardware in one prefix or subnet: shown, never a finding.
    Guess,
}

/// A set of rails. Membership is sticky: a rail that dies stays.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// `o2ib`, the configured name, or the prefix.
    pub name: Text,
    /// Why.
    pub origin: GroupOrigin,
    /// Indices into [`super::Node::rails`].
    pub rails: Vec<usize>,
    /// How many of them can carry traffic now.
    pub usable_rails: usize,
    /// Sum of the usable rates of those, bytes per second.
    pub usable_bytes_per_second: Figure,
    /// Balance in both directions.
    pub balance: Balance,
    /// Balance over the last ten seconds; `None` before there were so many.
    pub recent: Option<Balance>,
    /// Balance since the newest mark of the user.
    pub since_mark: Option<MarkBalance>,
    /// The rail that receives less than the site allows, and since when.
    pub behind_rx: Option<Behind>,
    /// The rail that sends less than the site allows, and since when.
    pub behind_tx: Option<Behind>,
}

/// Balance since a mark.
#[derive(Clone, Debug, PartialEq)]
pub struct MarkBalance {
    /// The mark.
    pub mark: Text,
    /// The read that the interval begins with.
    pub since: Mono,
    /// Over the whole interval.
    pub balance: Balance,
}

/// A rail that carries too little of its group's traffic, pass after pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Behind {
    /// Index into [`super::Node::rails`].
    pub rail: usize,
    /// The first pass in which it was so, without a pass in between in which it was not.
    pub since: Mono,
    /// Its share ÷ its fair share now.
    pub share_of_fair_ratio: f64,
}

/// Balance of a group.
#[derive(Clone, Debug, PartialEq)]
pub struct Balance {
    /// Received.
    pub rx: BalanceSide,
    /// Sent.
    pub tx: BalanceSide,
}

/// Balance of one direction.
#[derive(Clone, Debug, PartialEq)]
pub struct BalanceSide {
    /// Sum over the rails.
    pub bytes_per_second: Figure,
    /// Jain's fairness index of rate ÷ usable rate, 1/n…1.
    pub jain_index: Figure,
    /// The rail furthest below its fair share: index into [`super::Node::rails`].
    pub slowest: Option<usize>,
    /// Its share ÷ its fair share.
    pub slowest_share_of_fair_ratio: Figure,
}
