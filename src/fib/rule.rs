//! Does a rule select a packet?

use super::flow::{Flow, Input, selects};
use super::{Fib, TABLE_DEFAULT, TABLE_LOCAL, TABLE_MAIN};
use crate::sample::{Rule, RuleAction};

/// The answer of one rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    /// It selects the packet.
    Yes,
    /// It does not, because of this selector.
    No(Miss),
    /// It has a selector that is not known here.
    Maybe,
}

/// The selector that keeps a rule from matching.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Miss {
    /// `from`.
    Source,
    /// `to`.
    Destination,
    /// `iif`: packets of this host come in by `lo`.
    InputDevice,
    /// `oif`: the socket is not bound to that device.
    OutputDevice,
    /// `fwmark`.
    Mark,
    /// `tos`.
    Tos,
    /// `ipproto`.
    Protocol,
    /// `sport` or `dport`.
    Ports,
    /// `uidrange`.
    Uid,
    /// `tun_id`.
    Tunnel,
    /// `l3mdev`: the packet belongs to no VRF.
    L3mdev,
    /// Everything matches and the rule says `not`.
    Inverted,
}

impl Miss {
    /// Why, in words.
    pub fn words(self) -> &'static str {
        match self {
            Miss::Source => "another source",
            Miss::Destination => "another destination",
            Miss::InputDevice => "packets of this host do not come in by that device",
            Miss::OutputDevice => "not bound to that device",
            Miss::Mark => "another firewall mark",
            Miss::Tos => "another type of service",
            Miss::Protocol => "another protocol",
            Miss::Ports => "other ports",
            Miss::Uid => "another user",
            Miss::Tunnel => "not of that tunnel",
            Miss::L3mdev => "belongs to no VRF",
            Miss::Inverted => "the rule says not",
        }
    }
}

impl Fib<'_> {
    /// Does the rule select the packet (`fib_rule_match`)?
    pub(super) fn rule_matches(&self, rule: &Rule, flow: &Flow) -> Match {
        match (self.first_miss(rule, flow), rule.invert) {
            // All selectors must match: one that is not known cannot mend one that misses.
            (None, _) if !rule.unknown.is_empty() => Match::Maybe,
            (None, false) | (Some(_), true) => Match::Yes,
            (None, true) => Match::No(Miss::Inverted),
            (Some(miss), false) => Match::No(miss),
        }
    }

    fn first_miss(&self, rule: &Rule, flow: &Flow) -> Option<Miss> {
        if !self.input_matches(rule, flow) {
            return Some(Miss::InputDevice);
        }
        if !self.output_matches(rule, flow) {
            return Some(Miss::OutputDevice);
        }
        if rule.fwmark.is_some_and(|(mark, mask)| (mark ^ flow.mark) & mask != 0) {
            return Some(Miss::Mark);
        }
        if rule.tun_id.is_some_and(|id| id != 0) {
            return Some(Miss::Tunnel);
        }
        if rule.l3mdev && flow.vrf.is_none() {
            return Some(Miss::L3mdev);
        }
        if rule.uid_range.is_some_and(|(low, high)| flow.uid < low || flow.uid > high) {
            return Some(Miss::Uid);
        }
        if !selects(rule.src.as_ref(), flow.src) {
            return Some(Miss::Source);
        }
        if !selects(rule.dst.as_ref(), Some(flow.dst)) {
            return Some(Miss::Destination);
        }
        if rule.tos != 0 && rule.tos != flow.tos {
            return Some(Miss::Tos);
        }
        if rule.ip_proto.is_some_and(|p| p != 0 && p != flow.ip_proto) {
            return Some(Miss::Protocol);
        }
        let outside = |range: Option<(u16, u16)>, port: u16| {
            range.is_some_and(|(low, high)| port < low || port > high)
        };
        if outside(rule.sport, flow.sport) || outside(rule.dport, flow.dport) {
            return Some(Miss::Ports);
        }
        None
    }

    fn input_matches(&self, rule: &Rule, flow: &Flow) -> bool {
        let Some(name) = rule.iif.as_deref() else { return true };
        match (self.device(name), flow.input) {
            _ if rule.iif_detached => false,
            (Some(master), _) if self.is_vrf(master) => {
                flow.vrf.is_some_and(|vrf| !vrf.by_output && vrf.master == master)
            }
            (device, Input::Device(index)) => device == Some(index),
            (_, Input::Here) => name == "lo",
            (_, Input::Empty) => false,
        }
    }

    fn output_matches(&self, rule: &Rule, flow: &Flow) -> bool {
        let Some(name) = rule.oif.as_deref() else { return true };
        match self.device(name) {
            _ if rule.oif_detached => false,
            Some(master) if self.is_vrf(master) => {
                flow.vrf.is_some_and(|vrf| vrf.by_output && vrf.master == master)
            }
            device => device.is_some() && device == flow.oif,
        }
    }

    fn device(&self, name: &str) -> Option<u32> {
        self.by_name.get(name).copied()
    }

    fn is_vrf(&self, index: u32) -> bool {
        self.link(index).is_some_and(|link| link.vrf_table.is_some())
    }
}

/// Are these the three rules that the kernel makes?
pub(super) fn are_default(rules: &[Rule]) -> bool {
    let default = [(0, TABLE_LOCAL), (32766, TABLE_MAIN), (32767, TABLE_DEFAULT)];
    rules.len() == default.len()
        && rules.iter().zip(default).all(|(rule, default)| plain_lookup(rule) == Some(default))
}

/// Were these IPv6 rules made by deleting from those of the kernel?
pub(super) fn are_left_over(rules: &[Rule]) -> bool {
    let default = [(0, TABLE_LOCAL), (32766, TABLE_MAIN)];
    let left = |rule| plain_lookup(rule).is_some_and(|plain| default.contains(&plain));
    rules.len() < default.len() && rules.iter().all(left)
}

/// Preference and table of a rule without any selector or condition.
fn plain_lookup(rule: &Rule) -> Option<(u32, u32)> {
    let RuleAction::Lookup(table) = rule.action else { return None };
    let plain = Rule { protocol: rule.protocol, ..Rule::lookup(rule.preference, table) };
    (*rule == plain).then_some((rule.preference, table))
}
