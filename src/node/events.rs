//! What happened: the log of a pass, and what changed on a link.

use super::view::state_words;
use super::{Event, EventKind, Node, RailNetdev, RailRdma};
use crate::sample::{SampleTime, Text};
use std::sync::Arc;
use std::time::Duration;

/// Events kept.
pub(super) const KEEP: usize = 1000;

/// The events of one pass.
#[derive(Debug)]
pub(super) struct Log {
    pub time: SampleTime,
    quiet: bool,
    events: Vec<Event>,
}

impl Log {
    /// A log; a quiet one forgets everything: nothing is news in a first sample.
    pub(super) fn new(time: SampleTime, quiet: bool) -> Self {
        Self { time, quiet, events: Vec::new() }
    }

    /// Adds an event.
    pub(super) fn add(&mut self, kind: EventKind, subject: &Text, text: impl Into<Text>) {
        if !self.quiet {
            let (subject, text) = (subject.clone(), text.into());
            self.events.push(Event { time: self.time, subject, kind, text });
        }
    }

    /// Moves the events to the node, newest first.
    pub(super) fn into_node(self, node: &mut Node) {
        for event in self.events {
            node.event_count += 1;
            node.events.push_front(event);
        }
        node.events.truncate(KEEP);
    }
}

/// How long something was so, as far as it was seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lasted {
    pub since: SampleTime,
    /// It began while railtop was looking.
    pub seen_begin: bool,
}

impl Lasted {
    fn words(self, now: SampleTime) -> String {
        let at_least = if self.seen_begin { "" } else { "at least " };
        format!("for {at_least}{}", span(now.mono.since(self.since.mono)))
    }
}

/// A duration as people say it.
pub(super) fn span(d: Duration) -> String {
    let s = d.as_secs();
    let (days, hours, minutes) = (s / 86_400, s / 3_600 % 24, s / 60 % 60);
    match s {
        0 => format!("{:.1} s", d.as_secs_f64()),
        1..60 => format!("{s} s"),
        60..3_600 => format!("{minutes} min {} s", s % 60),
        3_600..86_400 => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours:02}:{minutes:02}"),
    }
}

/// One fault is told by the port and by the carrier, in either order: the first says that the link
/// is down or up, the other what else changed. So every `link_down` has its `link_up`.
fn paired(kind: EventKind, down: &mut bool) -> EventKind {
    let told = match kind {
        EventKind::LinkDown => std::mem::replace(down, true),
        EventKind::LinkUp => !std::mem::replace(down, false),
        _ => false,
    };
    if told { EventKind::LinkState } else { kind }
}

/// The port changed its state; true if it did. `down`: that the link is down has been told.
pub(super) fn port_state(
    log: &mut Log,
    down: &mut bool,
    rail: &Text,
    old: &RailRdma,
    new: &RailRdma,
    lasted: Lasted,
) -> bool {
    if old.state == new.state {
        return false;
    }
    let was = format!("was {} {}", state_words(old), lasted.words(log.time));
    let now = state_words(new);
    let (kind, text) = match (old.state.is_active(), new.state.is_active()) {
        _ if new.raw_state.is_err() => {
            (EventKind::LinkState, format!("state cannot be read any more ({was})"))
        }
        _ if old.raw_state.is_err() => (EventKind::LinkState, format!("state is {now} ({was})")),
        (true, false) => (EventKind::LinkDown, format!("link down: {now} ({was})")),
        (false, true) => (EventKind::LinkUp, format!("link up: {now} ({was})")),
        _ => (EventKind::LinkState, format!("{now} ({was})")),
    };
    log.add(paired(kind, down), rail, text);
    true
}

/// The carrier of a netdev changed; true if it did.
pub(super) fn carrier(
    log: &mut Log,
    down: &mut bool,
    rail: &Text,
    old: &RailNetdev,
    new: &RailNetdev,
    lasted: Lasted,
) -> bool {
    let (Ok(before), Ok(now)) = (&old.carrier, &new.carrier) else { return false };
    if before == now {
        return false;
    }
    let lasted = lasted.words(log.time);
    if *now {
        let kind = paired(EventKind::LinkUp, down);
        log.add(kind, rail, format!("{} has carrier (had none {lasted})", new.name));
    } else {
        let kind = paired(EventKind::LinkDown, down);
        let why = if new.admin_up == Ok(false) { "set down" } else { "carrier lost" };
        log.add(kind, rail, format!("{} {why} (was up {lasted})", new.name));
    }
    true
}

/// LID or SM LID changed.
pub(super) fn lids(log: &mut Log, rail: &Text, old: &RailRdma, new: &RailRdma) {
    if Arc::ptr_eq(&old.port_attrs, &new.port_attrs) {
        return;
    }
    let (a, b) = (&old.port_attrs, &new.port_attrs);
    for (name, before, now) in [("LID", &a.lid, &b.lid), ("SM LID", &a.sm_lid, &b.sm_lid)] {
        if let (Ok(before), Ok(now)) = (before, now)
            && before != now
        {
            log.add(EventKind::LidChange, rail, format!("{name} {before} is now {now}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_said_as_people_do() {
        for (seconds, words) in [
            (0, "0.0 s"),
            (12, "12 s"),
            (130, "2 min 10 s"),
            (7_260, "2 h 1 min"),
            (3 * 86_400 + 4 * 3_600 + 12 * 60, "3 d 04:12"),
        ] {
            assert_eq!(span(Duration::from_secs(seconds)), words);
        }
    }
}
