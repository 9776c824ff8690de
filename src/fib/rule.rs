//! Does a rule select a packet?

use super::{Fib, Query, selects};
use crate::sample::{Family, Rule};

/// The answer of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
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

/// The bits of tos that the FIB compares (IPTOS_RT_MASK, include/net/route.h).
pub(super) const TOS_MASK: u8 = 0x1c;

impl Fib<'_> {
    /// Does the rule select the packet? `in_vrf` is the VRF table of a flow that has one.
    pub(super) fn rule_matches(&self, rule: &Rule, query: &Query, in_vrf: bool) -> Match {
        let miss = self.first_miss(rule, query, in_vrf);
        if !rule.unknown.is_empty() && (miss.is_none() || rule.invert) {
            return Match::Maybe;
        }
        match (miss, rule.invert) {
            (None, false) | (Some(_), true) => Match::Yes,
            (None, true) => Match::No(Miss::Inverted),
            (Some(miss), false) => Match::No(miss),
        }
    }

    fn first_miss(&self, rule: &Rule, query: &Query, in_vrf: bool) -> Option<Miss> {
        // Locally generated packets carry the loopback's index as input device.
        if rule.iif_detached || rule.iif.as_ref().is_some_and(|name| name != "lo") {
            return Some(Miss::InputDevice);
        }
        if rule.oif_detached {
            return Some(Miss::OutputDevice);
        }
        if let Some(oif) = &rule.oif
            && (query.oif.is_none() || self.by_name.get(oif.as_str()).copied() != query.oif)
        {
            return Some(Miss::OutputDevice);
        }
        if let Some((mark, mask)) = rule.fwmark
            && (mark ^ query.mark) & mask != 0
        {
            return Some(Miss::Mark);
        }
        if rule.tun_id.is_some_and(|id| id != 0) {
            return Some(Miss::Tunnel);
        }
        if rule.l3mdev && !in_vrf {
            return Some(Miss::L3mdev);
        }
        if rule.uid_range.is_some_and(|(low, high)| query.uid < low || query.uid > high) {
            return Some(Miss::Uid);
        }
        if !selects(rule.src.as_ref(), query.src) {
            return Some(Miss::Source);
        }
        if !selects(rule.dst.as_ref(), Some(query.dst)) {
            return Some(Miss::Destination);
        }
        if rule.tos != 0 && rule.tos != tos_of(query) {
            return Some(Miss::Tos);
        }
        if rule.ip_proto.is_some_and(|p| p != 0 && p != query.ip_proto) {
            return Some(Miss::Protocol);
        }
        let outside = |range: Option<(u16, u16)>, port: u16| {
            range.is_some_and(|(low, high)| port < low || port > high)
        };
        if outside(rule.sport, query.sport) || outside(rule.dport, query.dport) {
            return Some(Miss::Ports);
        }
        None
    }
}

/// The tos that rules and routes see: IPv4 masks it, IPv6 compares the whole DSCP.
pub(super) fn tos_of(query: &Query) -> u8 {
    match query.family() {
        Family::Inet => query.tos & TOS_MASK,
        Family::Inet6 => query.tos & 0xfc,
    }
}
