//! One row through time: it appears, changes, vanishes, comes back.

use super::candidate::{Candidate, Slot};
use super::events::{self, Lasted, Log};
use super::grouping::Ties;
use super::health::Look;
use super::identity::Order;
use super::settle::Marks;
use super::traffic::{self, Meters};
use super::{
    EventKind, Health, History, HistoryPoint, Limits, LinkRate, PortState, Presence, Rail,
    RailNetdev, RailRdma, limits, link_rate, view,
};
use crate::sample::{Mono, Sample, SampleTime, Text, Unknown, Why};

/// Behind one rail: same place as in [`Node::rails`].
#[derive(Clone, Debug)]
pub(super) struct Track {
    /// Where it is in the samples; `None` while it is not there.
    pub slot: Option<Slot>,
    pub order: Order,
    pub marks: Marks,
    pub rx: Meters,
    pub tx: Meters,
    pub pcie: limits::Watch,
    pub ties: Ties,
    /// More than this is no rate, bytes per second.
    pub ceiling: Option<f64>,
    pub ifindex: Option<u32>,
    /// Its link is down, and an event said so.
    pub down: bool,
    pub first_seen: SampleTime,
    /// When the port's state and the interface's carrier changed last, each by itself.
    pub port_since: Option<SampleTime>,
    pub carrier_since: Option<SampleTime>,
    /// It came in this pass: nothing to compare with.
    pub fresh: bool,
    /// The rate it had while it was last ACTIVE, in words.
    pub rate_words: Option<Text>,
}

pub(super) fn point(rail: &mut Rail, at: Mono) {
    let rx = traffic::charted(&rail.rx.bytes_per_second);
    let tx = traffic::charted(&rail.tx.bytes_per_second);
    rail.history.push(HistoryPoint { at, rx, tx });
}

pub(super) fn new_row(candidate: &Candidate, time: SampleTime) -> (Rail, Track) {
    let first = Unknown::new(Why::FirstSample, "a rate needs two reads");
    let rail = Rail {
        id: candidate.id.clone(),
        name: candidate.name.clone(),
        presence: Presence::Present,
        rdma: None,
        netdev: None,
        children: Vec::new(),
        bond: None,
        addresses: Vec::new(),
        lnet: Vec::new(),
        rate: link_rate::nothing(&first),
        last_active_rate: None,
        rx: traffic::silent(&first),
        tx: traffic::silent(&first),
        history: History::default(),
        state_since: None,
        group: None,
        counter_resets: 0,
        limits: Limits::default(),
        health: Health::default(),
        pci: candidate.pci.clone(),
    };
    let track = Track {
        down: false,
        slot: Some(candidate.slot.clone()),
        order: candidate.order.clone(),
        marks: Marks::of(candidate),
        rx: Meters::default(),
        tx: Meters::default(),
        pcie: limits::Watch::default(),
        ties: Ties::default(),
        ceiling: None,
        ifindex: candidate.index,
        first_seen: time,
        port_since: None,
        carrier_since: None,
        fresh: true,
        rate_words: None,
    };
    (rail, track)
}

/// A row goes on, perhaps under another name, perhaps after a time of absence.
pub(super) fn again(
    rail: &mut Rail,
    track: &mut Track,
    candidate: &Candidate,
    sample: &Sample,
    log: &mut Log,
) {
    let renamed = rail.name != candidate.name;
    let was = if renamed { format!(" (was {})", rail.name) } else { String::new() };
    if let Presence::Gone { since } = rail.presence {
        let span = events::span(sample.time.mono.since(since.mono));
        log.add(EventKind::RailBack, &candidate.name, format!("back after {span}{was}"));
        rail.presence = Presence::Present;
        rail.state_since = Some(sample.time);
        (track.port_since, track.carrier_since) = (rail.state_since, rail.state_since);
        (track.rx, track.tx) = (Meters::default(), Meters::default());
        track.fresh = true;
    } else if renamed {
        log.add(EventKind::Renamed, &candidate.name, format!("new name{was}"));
    }
    rail.name = candidate.name.clone();
    rail.pci.clone_from(&candidate.pci);
    track.slot = Some(candidate.slot.clone());
    track.order = candidate.order.clone();
    track.marks.learn(candidate);
}

pub(super) fn gone(rail: &mut Rail, track: &mut Track, since: SampleTime) {
    rail.presence = Presence::Gone { since };
    rail.state_since = Some(since);
    let why = view::gone();
    if let Some(rdma) = &mut rail.rdma {
        view::blank_rdma(rdma);
    }
    if let Some(netdev) = &mut rail.netdev {
        view::blank_netdev(netdev);
    }
    rail.children.clear();
    rail.addresses.clear();
    rail.rate = link_rate::nothing(&why);
    traffic::silence(&mut rail.rx, &why);
    traffic::silence(&mut rail.tx, &why);
    rail.health.forget(&why);
    limits::gone(rail, &mut track.pcie, &why);
}

/// States, names and rates of one rail, and what changed.
pub(super) fn look(rail: &mut Rail, track: &mut Track, sample: &Sample, log: &mut Log) {
    let Some(slot) = &track.slot else { return };
    let rdma = view::rdma(sample, slot);
    let netdev = slot.iface.and_then(|at| view::netdev(sample, at));
    rail.children.clear();
    rail.children.extend(slot.children.iter().filter_map(|at| view::netdev(sample, *at)));
    rail.bond = slot.bond.as_ref().map(|(name, _)| name.clone());
    let old_rdma = std::mem::replace(&mut rail.rdma, rdma);
    let old_netdev = std::mem::replace(&mut rail.netdev, netdev);
    let first_seen = track.first_seen;
    let lasted = |since: Option<SampleTime>| Lasted {
        since: since.unwrap_or(first_seen),
        seen_begin: since.is_some(),
    };
    if track.fresh {
        let no_link = rail.rdma.as_ref().is_some_and(|r| !r.state.is_active());
        let no_carrier = |n: &RailNetdev| n.carrier == Ok(false);
        track.down = no_link || rail.netdev.as_ref().is_some_and(no_carrier);
    } else {
        let mut changed = false;
        if let (Some(old), Some(new)) = (&old_rdma, &rail.rdma) {
            if events::port_state(
                log,
                &mut track.down,
                &rail.name,
                old,
                new,
                lasted(track.port_since),
            ) {
                changed = true;
                track.port_since = Some(sample.time);
            }
            events::lids(log, &rail.name, old, new);
        }
        // While the port is down the carrier follows it: one event is enough.
        let port_active = rail.rdma.as_ref().is_none_or(|r| r.state.is_active());
        if let (Some(old), Some(new)) = (&old_netdev, &rail.netdev)
            && port_active
            && !changed
            && events::carrier(
                log,
                &mut track.down,
                &rail.name,
                old,
                new,
                lasted(track.carrier_since),
            )
        {
            changed = true;
            track.carrier_since = Some(sample.time);
        }
        if changed {
            rail.state_since = Some(sample.time);
        }
    }
    let ifindex = rail.netdev.as_ref().and_then(|n| n.ifindex.as_ref().ok().copied());
    if track.ifindex.is_some() && ifindex.is_some() && track.ifindex != ifindex {
        track.rx.forget_ip();
        track.tx.forget_ip();
    }
    track.ifindex = ifindex.or(track.ifindex);
    let was = (old_rdma.as_ref(), old_netdev.as_ref());
    let is = (rail.rdma.as_ref(), rail.netdev.as_ref());
    let lost = !track.fresh && is_lost(was, is);
    let look = Look { rdma: is.0, netdev: is.1, lost, now: sample.time };
    rail.health.advance(&look, &rail.name, log);
    rate(rail, track, log);
    limits::own(rail, &mut track.pcie);
    // What it weighs while it is dead.
    if let Some(ceiling) = rail.limits.ceiling_bits_per_second.ok() {
        rail.last_active_rate = Some(*ceiling);
    }
}

/// Was the link lost between two passes, and not because somebody switched it off?
fn is_lost(
    was: (Option<&RailRdma>, Option<&RailNetdev>),
    is: (Option<&RailRdma>, Option<&RailNetdev>),
) -> bool {
    let off = is.1.is_some_and(|n| n.admin_up == Ok(false));
    match (was, is) {
        ((Some(old), _), (Some(new), _)) => {
            let down = match new.state {
                PortState::NoSignal | PortState::Training | PortState::Down => true,
                // What the drivers of Ethernet ports say of a lost carrier.
                PortState::Disabled => new.is_ethernet() && !off,
                _ => false,
            };
            old.state.is_active() && down
        }
        ((None, Some(old)), (None, Some(new))) => {
            !off && old.carrier == Ok(true) && new.carrier == Ok(false)
        }
        _ => false,
    }
}

/// The link's rate, and whether it changed between two times of being ACTIVE.
fn rate(rail: &mut Rail, track: &mut Track, log: &mut Log) {
    rail.rate = link_rate::of(rail.rdma.as_ref(), rail.netdev.as_ref());
    if rail.rate.usable_bits_per_second.value.is_err() {
        return;
    }
    let is_virtual =
        rail.netdev.as_ref().and_then(|n| n.attrs.as_ref()).is_some_and(|a| a.is_virtual);
    // What prints as SDR may be a rate that the kernel has no name for.
    let certain = rail.rate.usable_bits_per_second.qualified.is_none()
        && rail.rate.speed.ok().is_none_or(|s| s != "SDR" && !s.is_empty())
        && !is_virtual;
    if let Some(nominal) = rail.rate.nominal_bits_per_second.ok().filter(|_| certain) {
        track.ceiling = Some(track.ceiling.unwrap_or(0.0).max(nominal / 8.0));
    } else {
        track.ceiling = None;
    }
    let words = rate_words(&rail.rate);
    if let Some(before) = track.rate_words.as_ref().filter(|b| !same_rate(b, &words)) {
        log.add(EventKind::RateChange, &rail.name, format!("link rate {before} is now {words}"));
    }
    track.rate_words = Some(words);
}

/// An interface tells its speed before the port tells lanes as well: that is no change.
fn same_rate(a: &str, b: &str) -> bool {
    let is_more = |long: &str, short: &str| {
        long.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    };
    is_more(a, b) || is_more(b, a)
}

fn rate_words(rate: &LinkRate) -> Text {
    let nominal = rate.nominal_bits_per_second.ok().copied().unwrap_or_default() / 1e9;
    let lanes = match (rate.width.ok(), rate.speed.ok()) {
        (Some(width), Some(speed)) if !speed.is_empty() => format!(" {width}X {speed}"),
        (Some(width), _) => format!(" {width}X"),
        _ => String::new(),
    };
    Text::from(format!("{nominal} Gb/s{lanes}"))
}
