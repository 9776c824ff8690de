//! One decision of the matrix: what it is, its mark, and the words for it. Every view takes them
//! from here.

use crate::fib::{Decision, Outcome, Query};
use crate::sample::Text;
use serde::Serialize;
use std::net::IpAddr;

/// One decision.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Source the packet is bound to.
    pub from: Option<IpAddr>,
    /// Where it goes.
    pub to: IpAddr,
    /// The devices it may leave by; more than one where the kernel spreads by hash.
    pub devices: Vec<Text>,
    /// The table that decided.
    pub table: Option<u32>,
    /// The rule that led there.
    pub rule_preference: Option<u32>,
    /// The interface that has the source address.
    pub owner: Option<Text>,
    /// Does it leave by the interface that owns the source (an unbound packet: by any rail)? In a
    /// subnet of other rails alone: by one of those.
    pub right: bool,
    /// The destination is in a subnet that the source's interface has no part in, and another
    /// rail has: a way that nobody who binds to the source needs.
    pub aside: bool,
    /// Those of `devices`, and the owner, that carry nothing, and why.
    pub dead: Vec<(Text, Dead)>,
    /// Why there is no device: an errno, or what is not known.
    pub refused: Option<Text>,
    /// How the decision came about.
    pub decision: Decision,
    /// The question.
    pub query: Query,
}

/// Why a device carries nothing (`IFF_UP`, `IFF_LOWER_UP` of its flags).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dead {
    /// Up, without a carrier.
    NoCarrier,
    /// Administratively down.
    SwitchedOff,
}

impl Dead {
    fn words(self) -> &'static str {
        match self {
            Dead::NoCarrier => "has no carrier",
            Dead::SwitchedOff => "is administratively down",
        }
    }
}

/// What a decision is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// By the interface that owns the source; unbound: by a rail.
    Right,
    /// To a subnet of other rails, by one of those.
    OtherSubnet,
    /// The destination is this node.
    Local,
    /// By another device.
    Wrong,
    /// By the right device, which carries nothing.
    Dead,
    /// Not at all: an error.
    Refused,
    /// No interface has the source address.
    NoOwner,
    /// What decides is not known.
    Unknown,
}

impl Cell {
    /// What it is.
    pub fn state(&self) -> State {
        match &self.decision.outcome {
            Outcome::Unknown(_) => State::Unknown,
            Outcome::Local { .. } => State::Local,
            _ if self.refused.is_some() || self.devices.is_empty() => State::Refused,
            _ if self.from.is_some() && self.owner.is_none() => State::NoOwner,
            _ if !self.right => State::Wrong,
            _ if self.dead_devices().next().is_some() => State::Dead,
            _ if self.aside => State::OtherSubnet,
            _ => State::Right,
        }
    }

    /// Is there nothing to be told of it?
    pub fn is_plain(&self) -> bool {
        matches!(self.state(), State::Right | State::OtherSubnet | State::Local)
    }

    /// `ib0 ✔`: the way and its mark.
    pub fn short(&self) -> String {
        let way = match self.state() {
            State::Unknown => return "?".to_owned(),
            State::Local => return "local".to_owned(),
            State::Refused => self.refused.as_ref().map_or_else(|| "–".into(), ToString::to_string),
            _ => self.by("|"),
        };
        let mark = match self.state() {
            State::Right => "✔",
            State::OtherSubnet => "·",
            State::NoOwner => "?",
            State::Dead if self.dead_devices().any(|why| why == Dead::NoCarrier) => "✖ no carrier",
            State::Dead => "✖ down",
            _ => "✖",
        };
        format!("{way} {mark}")
    }

    /// A sentence without its subject: `leaves by ib0, and ib1 has the address`.
    pub fn story(&self) -> String {
        let by = self.by(" or ");
        let mut words = match (self.state(), &self.refused) {
            (State::Local, _) => return "stays here".to_owned(),
            (State::Unknown, Some(why)) => return format!("not known: {why}"),
            (_, Some(why)) => return format!("refused ({why})"),
            (State::Unknown | State::Refused, None) => return "leaves by no device".to_owned(),
            (State::NoOwner, _) => format!("leaves by {by}, and no interface has the address"),
            (State::Wrong, _) => match &self.owner {
                Some(owner) => format!("leaves by {by}, and {owner} has the address"),
                None => format!("leaves by {by}, which is no rail"),
            },
            _ => format!("leaves by {by}"),
        };
        for (device, why) in &self.dead {
            words = match self.devices.as_slice() {
                [_] if self.state() == State::Dead => format!("{words}, which {}", why.words()),
                _ => format!("{words}; {device} {}", why.words()),
            };
        }
        words
    }

    fn dead_devices(&self) -> impl Iterator<Item = Dead> {
        let used = self.dead.iter().filter(|(device, _)| self.devices.contains(device));
        used.map(|(_, why)| *why)
    }

    fn by(&self, between: &str) -> String {
        self.devices.iter().map(|d| &**d).collect::<Vec<_>>().join(between)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two rails of one subnet whose first one lost its carrier.
    fn cell(dead: Option<Dead>, devices: &[&str], owner: Option<&str>, right: bool) -> Cell {
        let from = Some("172.16.34.1".parse().unwrap());
        let to = "172.16.16.1".parse().unwrap();
        let devices: Vec<Text> = devices.iter().map(|d| (*d).into()).collect();
        Cell {
            from,
            to,
            dead: dead.map(|d| (devices[0].clone(), d)).into_iter().collect(),
            devices,
            table: Some(941),
            rule_preference: Some(9410),
            owner: owner.map(Into::into),
            right,
            aside: false,
            refused: None,
            decision: Decision {
                outcome: Outcome::OnLink { ifindex: 2 },
                steps: Vec::new(),
                alternatives: Vec::new(),
            },
            query: Query::new(from, to),
        }
    }

    #[test]
    fn a_dead_device_is_not_right() {
        let told = |c: &Cell| (c.state(), c.short(), c.story());
        let own = Some("ib0");
        assert_eq!(
            told(&cell(None, &["ib0"], own, true)),
            (State::Right, "ib0 ✔".into(), "leaves by ib0".into())
        );
        assert_eq!(
            told(&cell(Some(Dead::NoCarrier), &["ib0"], own, true)),
            (State::Dead, "ib0 ✖ no carrier".into(), "leaves by ib0, which has no carrier".into())
        );
        assert_eq!(
            told(&cell(Some(Dead::SwitchedOff), &["ib0"], own, true)),
            (
                State::Dead,
                "ib0 ✖ down".into(),
                "leaves by ib0, which is administratively down".into()
            )
        );
        assert_eq!(
            told(&cell(Some(Dead::NoCarrier), &["ib1"], own, false)),
            (
                State::Wrong,
                "ib1 ✖".into(),
                "leaves by ib1, and ib0 has the address; ib1 has no carrier".into()
            )
        );
        let mut astray = cell(None, &["ib1"], own, false);
        astray.dead = vec![("ib0".into(), Dead::SwitchedOff)];
        assert_eq!(
            told(&astray),
            (
                State::Wrong,
                "ib1 ✖".into(),
                "leaves by ib1, and ib0 has the address; ib0 is administratively down".into()
            )
        );
        assert_eq!(
            told(&cell(None, &["ib1"], None, false)),
            (
                State::NoOwner,
                "ib1 ?".into(),
                "leaves by ib1, and no interface has the address".into()
            )
        );
    }
}
