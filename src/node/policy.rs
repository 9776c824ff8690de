//! What the site decided about judging: limits, and findings it does not want to hear of.

use super::counter::counter_named;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How a node is to be judged.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policy {
    /// The limits.
    pub thresholds: Thresholds,
    /// Ids of findings that are left out, with what follows from them.
    pub ignore: Vec<String>,
    /// Where not empty: ids of the only findings that count.
    pub only: Vec<String>,
}

impl Policy {
    /// Is a finding of this id left out?
    pub fn leaves_out(&self, id: &str) -> bool {
        self.is_ignored(id) || !self.only.is_empty() && !named(&self.only, id)
    }

    /// Does the site not want to hear of it?
    pub fn is_ignored(&self, id: &str) -> bool {
        named(&self.ignore, id)
    }
}

fn named(list: &[String], id: &str) -> bool {
    list.iter().any(|i| i == id)
}

/// The limits that a site may move. The defaults are what the README states.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Thresholds {
    /// A group that carries less than this part of its usable rate has no balance.
    pub balance_floor_ratio: f64,
    /// Unfair: the slowest rail carries less than this part of its fair share …
    pub balance_unfair_ratio: f64,
    /// … for so long.
    pub balance_unfair_seconds: f64,
    /// What the other NICs must move, while the rails are idle, before it is worth a word.
    pub off_rails_bytes_per_second: f64,
    /// A link that was lost so often within an hour flaps.
    pub link_flaps_per_hour: u64,
    /// By name of an error counter: the rise within ten minutes that is let pass, on any link.
    /// What is not named here has the limit that `railtop explain` tells.
    pub counters: BTreeMap<String, u64>,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            balance_floor_ratio: 0.01,
            balance_unfair_ratio: 0.7,
            balance_unfair_seconds: 10.0,
            // A full 1 Gb/s card.
            off_rails_bytes_per_second: 100e6,
            link_flaps_per_hour: 3,
            counters: BTreeMap::new(),
        }
    }
}

impl Thresholds {
    /// The names of all of them.
    pub const NAMES: [&str; 6] = [
        "balance_floor_ratio",
        "balance_unfair_ratio",
        "balance_unfair_seconds",
        "off_rails_bytes_per_second",
        "link_flaps_per_hour",
        "counters",
    ];

    /// Why these limits cannot be, if so.
    pub fn problem(&self) -> Option<String> {
        let alarms = |name: &str| counter_named(name).is_some_and(|c| c.alarm.is_some());
        if let Some(name) = self.counters.keys().find(|name| !alarms(name)) {
            return Some(format!("{name} is no error counter that is judged"));
        }
        if self.link_flaps_per_hour == 0 {
            return Some("link_flaps_per_hour is 0: expected 1 or more".into());
        }
        let ratios = [
            ("balance_floor_ratio", self.balance_floor_ratio),
            ("balance_unfair_ratio", self.balance_unfair_ratio),
        ];
        let others = [
            ("balance_unfair_seconds", self.balance_unfair_seconds),
            ("off_rails_bytes_per_second", self.off_rails_bytes_per_second),
        ];
        let ratio = ratios.iter().find(|(_, value)| !(0.0..=1.0).contains(value));
        let other = others.iter().find(|(_, value)| !(0.0..=1e15).contains(value));
        ratio
            .map(|(name, value)| format!("{name} is {value}: expected 0 to 1"))
            .or_else(|| other.map(|(name, value)| format!("{name} is {value}: expected 0 or more")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out() {
        let list = |ids: &[&str]| ids.iter().map(|i| (*i).to_owned()).collect();
        let ignore = Policy { ignore: list(&["PORT_DOWN"]), ..Policy::default() };
        assert!(ignore.leaves_out("PORT_DOWN") && !ignore.leaves_out("NI_DOWN"));
        let only = Policy { only: list(&["PORT_DOWN"]), ..Policy::default() };
        assert!(!only.leaves_out("PORT_DOWN") && only.leaves_out("NI_DOWN"));
        assert!(!Policy::default().leaves_out("PORT_DOWN"));
    }

    #[test]
    fn limits_have_ranges() {
        assert_eq!(Thresholds::default().problem(), None);
        let wrong = Thresholds { balance_floor_ratio: 1.5, ..Thresholds::default() };
        assert_eq!(wrong.problem().unwrap(), "balance_floor_ratio is 1.5: expected 0 to 1");
        let wrong = Thresholds { balance_unfair_seconds: f64::NAN, ..Thresholds::default() };
        assert!(wrong.problem().is_some());
    }
}
