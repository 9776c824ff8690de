//! Both sides of a rail as they are in a sample.

use super::candidate::Slot;
use super::join::IfRef;
use super::{PortState, RailAddress, RailNetdev, RailRdma};
use crate::sample::{
    Address, Enumerated, Link, Netdev, RdmaDevice, RdmaPort, Reading, Sample, SampleTime, Text,
    Unknown, Why,
};
use std::sync::Arc;

/// What a port's state means.
pub(super) fn port_state(
    state: &Reading<Enumerated>,
    phys_state: &Reading<Enumerated>,
) -> PortState {
    let physical = phys_state.as_ref().ok().map(|p| p.code);
    match state.as_ref().ok().map(|s| s.code) {
        Some(4) if physical == Some(6) => PortState::Retraining,
        Some(4) => PortState::Active,
        Some(5) => PortState::ActiveDefer,
        Some(3) => PortState::Armed,
        Some(2) if matches!(physical, Some(5) | None) => PortState::NoSubnetManager,
        Some(2) => PortState::Training,
        Some(1) => match physical {
            Some(1 | 2) => PortState::NoSignal,
            Some(3) => PortState::Disabled,
            Some(4..=6) => PortState::Training,
            _ => PortState::Down,
        },
        _ => PortState::Unknown,
    }
}

/// Device and port of a slot.
pub(super) fn port_of<'a>(
    sample: &'a Sample,
    slot: &Slot,
) -> Option<(&'a RdmaDevice, &'a RdmaPort)> {
    let (d, p) = slot.port?;
    let device = sample.rdma.as_ref().ok()?.get(d)?;
    Some((device, device.ports.get(p)?))
}

/// The RDMA side.
pub(super) fn rdma(sample: &Sample, slot: &Slot) -> Option<RailRdma> {
    let (device, port) = port_of(sample, slot)?;
    let since = |mono| SampleTime { wall: sample.time.wall_of(mono), mono };
    Some(RailRdma {
        device: device.name.clone(),
        port: port.number,
        port_name: slot.port_name.clone().unwrap_or_default(),
        port_count: device.ports.iter().map(|p| p.number).max().unwrap_or(0),
        state: port_state(&port.state.value, &port.phys_state.value),
        raw_state: port.state.value.clone(),
        phys_state: port.phys_state.value.clone(),
        link_layer: port.attrs.link_layer.clone(),
        device_attrs: Arc::clone(&device.attrs),
        port_attrs: Arc::clone(&port.attrs),
        counters: Arc::clone(&port.counters),
        hw_counters: Arc::clone(&port.hw_counters),
        stuck_since: device.stuck_since.map(since),
    })
}

/// The netdev side: netlink first, it is fresher and shows the carrier, else sysfs.
pub(super) fn netdev(sample: &Sample, at: IfRef) -> Option<RailNetdev> {
    let (net, link) = at.of(sample);
    let attrs = net.map(|n| &n.attrs);
    let ipoib = attrs.and_then(|a| a.ipoib.as_ref());
    Some(RailNetdev {
        name: link.map(|l| &l.name).or(net.map(|n| &n.name))?.clone(),
        ifindex: pick(link.map(|l| l.index), attrs.map(|a| &a.ifindex)),
        kind: pick(link.map(|l| l.kind), attrs.map(|a| &a.kind)),
        admin_up: admin_up(net, link),
        carrier: pick(link.map(|l| l.flags.has_carrier()), net.map(|n| &n.carrier)),
        operstate: pick(
            link.and_then(|l| l.operstate.as_ref().ok().cloned()),
            net.map(|n| &n.operstate),
        ),
        mtu: pick(link.and_then(|l| l.mtu), attrs.map(|a| &a.mtu)),
        address: pick(link.and_then(|l| l.address.clone()), attrs.map(|a| &a.address)),
        mode: pick(link.and_then(|l| l.ipoib_mode.clone()), ipoib.map(|i| &i.mode)),
        pkey: match ipoib.map(|i| &i.pkey) {
            Some(Ok(pkey)) => Ok(pkey.clone()),
            other => {
                pick(link.and_then(|l| l.pkey).map(|p| Text::from(format!("{p:#06x}"))), other)
            }
        },
        carrier_down_count: pick(
            link.and_then(|l| l.carrier_down_count).map(u64::from),
            net.map(|n| &n.carrier_changes.down),
        ),
        attrs: attrs.cloned(),
        stats: net.map(|n| Arc::clone(&n.stats.slow)),
    })
}

fn admin_up(net: Option<&Netdev>, link: Option<&Link>) -> Reading<bool> {
    let flags = net.map(|n| n.flags.clone().map(|f| f & 1 != 0));
    pick(link.map(|l| l.flags.is_up()), flags.as_ref())
}

fn pick<T: Clone>(first: Option<T>, second: Option<&Reading<T>>) -> Reading<T> {
    match (first, second) {
        (Some(value), _) => Ok(value),
        (None, Some(reading)) => reading.clone(),
        (None, None) => Err(absent()),
    }
}

fn absent() -> Unknown {
    Unknown::new(Why::Absent, "")
}

/// A rail that vanished keeps its names; nothing else of it is known any more.
pub(super) fn blank_rdma(rdma: &mut RailRdma) {
    rdma.state = PortState::Unknown;
    rdma.raw_state = Err(gone());
    rdma.phys_state = Err(gone());
}

/// The same for its netdev.
pub(super) fn blank_netdev(netdev: &mut RailNetdev) {
    netdev.ifindex = Err(gone());
    netdev.admin_up = Err(gone());
    netdev.carrier = Err(gone());
    netdev.operstate = Err(gone());
}

/// Why nothing is known of a rail that vanished.
pub(super) fn gone() -> Unknown {
    Unknown::new(Why::Absent, "it is gone")
}

/// Addresses of global and link scope of some interfaces.
pub(super) fn addresses(all: &[Address], interfaces: &[(u32, Text)]) -> Vec<RailAddress> {
    let of = |address: &Address| {
        let interface = interfaces.iter().find(|(index, _)| *index == address.ifindex)?;
        matches!(address.scope, 0 | 253).then(|| RailAddress {
            prefix: address.local,
            interface: interface.1.clone(),
            scope: address.scope,
            flags: address.flags,
        })
    };
    all.iter().filter_map(of).collect()
}

/// State of a rail in a word or two, for events.
pub(super) fn state_words(rdma: &RailRdma) -> String {
    let state = rdma.raw_state.as_ref().map_or("unknown", |s| s.word.as_str());
    match (&rdma.phys_state, rdma.state) {
        (_, PortState::Active | PortState::ActiveDefer) | (Err(_), _) => state.to_owned(),
        (Ok(physical), _) => format!("{state}, {}", physical.word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p13_state_is_more_than_active_and_down() {
        let code = |code| Ok(Enumerated { code, word: "".into() });
        for (state, physical, meaning) in [
            (4, 5, PortState::Active),
            (4, 6, PortState::Retraining),
            (5, 5, PortState::ActiveDefer),
            (3, 5, PortState::Armed),
            (2, 5, PortState::NoSubnetManager),
            (1, 1, PortState::NoSignal),
            (1, 2, PortState::NoSignal),
            (1, 3, PortState::Disabled),
            (1, 4, PortState::Training),
            (1, 5, PortState::Training),
            (1, 9, PortState::Down),
            (0, 5, PortState::Unknown),
            (77, 5, PortState::Unknown),
        ] {
            assert_eq!(port_state(&code(state), &code(physical)), meaning, "{state}/{physical}");
        }
        let denied = Err(Unknown::new(Why::Denied, ""));
        assert_eq!(port_state(&denied, &code(5)), PortState::Unknown);
        assert_eq!(port_state(&code(4), &denied), PortState::Active);
    }
}
