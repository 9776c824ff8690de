//! The flows of a rail: which counter, which unit, what it means.

use super::flow::FlowSource;
use super::join::INFINIBAND;
use super::other::{RX_BYTES, TX_BYTES, netdev_bytes};
use super::rate::{MAX32, Meter, Nature, Outcome, Read};
use super::row::Track;
use super::view::port_of;
use super::{Figure, Flow, Rail, RailRdma};
use crate::sample::{
    DataCounter, Fact, How, Mono, RdmaDevice, RdmaPort, Sample, Text, Unknown, Why,
};

/// Meters of one direction.
#[derive(Clone, Debug, Default)]
pub(super) struct Meters {
    port: Meter,
    ip: Meter,
}

impl Meters {
    /// The interface was made anew: its counters start again.
    pub(super) fn forget_ip(&mut self) {
        self.ip.forget();
    }
}

/// What the reads of a pass brought.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// A counter behind the rates was read again.
    pub fresh: bool,
    /// Counters that went backwards or jumped.
    pub resets: Vec<Text>,
}

impl Seen {
    fn take(&mut self, outcome: &Outcome) {
        self.fresh |= outcome.fresh;
        self.resets.extend(outcome.reset.clone());
    }
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Rx,
    Tx,
}

/// Takes a sample into the flows of a rail.
pub(super) fn advance(rail: &mut Rail, track: &mut Track, sample: &Sample) -> Seen {
    let mut seen = Seen::default();
    let ceiling = track.ceiling;
    for direction in [Direction::Rx, Direction::Tx] {
        let meters = match direction {
            Direction::Rx => &mut track.rx,
            Direction::Tx => &mut track.tx,
        };
        let Some(slot) = &track.slot else { continue };
        let (mut bytes, mut source) = (0, None);
        let mut rate = Fact::unknown(Why::Absent, "no byte counter can be read");
        if let Some((device, port)) = port_of(sample, slot) {
            let counters = match direction {
                Direction::Rx => &port.data.rx,
                Direction::Tx => &port.data.tx,
            };
            let reads = counters.iter().map(|c| read(c, device, port));
            let outcome = meters.port.update(reads, sample.time.mono, ceiling);
            seen.take(&outcome);
            if let Some(first) = counters.first() {
                let hardware = first.file.starts_with("hw_counters/");
                source = Some(if hardware { FlowSource::HwCounters } else { FlowSource::Port });
                rate = meters.port.figure().clone();
                bytes = outcome.bytes;
            }
        }
        let mut ip = Fact::unknown(Why::Absent, "no statistics of a netdev");
        if let Some(net) = slot.iface.and_then(|i| i.of(sample).0) {
            let (file, count) = match direction {
                Direction::Rx => (&RX_BYTES, &net.stats.rx_bytes),
                Direction::Tx => (&TX_BYTES, &net.stats.tx_bytes),
            };
            let outcome = netdev_bytes(&mut meters.ip, file, count, sample.time.mono, ceiling);
            seen.take(&outcome);
            ip = meters.ip.figure().clone();
            if let Some(instead) = netdev_instead(rail, source, &rate, &ip) {
                (rate, source, bytes) = (instead, Some(FlowSource::Netdev), outcome.bytes);
            }
        }
        let utilisation = utilisation(rail, &rate);
        let flow = match direction {
            Direction::Rx => &mut rail.rx,
            Direction::Tx => &mut rail.tx,
        };
        flow.bytes_per_second = rate;
        flow.source = source;
        flow.ip_bytes_per_second = ip;
        flow.utilisation_ratio = utilisation;
        flow.total_bytes = flow.total_bytes.saturating_add(bytes);
    }
    seen
}

fn read<'a>(counter: &'a DataCounter, device: &RdmaDevice, port: &RdmaPort) -> Read<'a> {
    let (unit, nature) = unit(&counter.file, device, port);
    Read { file: &counter.file, at: counter.at, value: &counter.value, unit, nature }
}

/// Bytes per count. PMA data counters count 4-byte words whatever the link width
/// (Documentation/ABI/stable/sysfs-class-infiniband), hfi1 8-byte flits (hfi1/mad.c).
fn unit(file: &str, device: &RdmaDevice, port: &RdmaPort) -> (u64, Nature) {
    let of_function = device.attrs.pci.as_ref().and_then(|p| p.driver.as_deref().ok());
    let driver = device.attrs.driver.as_deref().ok().or(of_function).unwrap_or(&device.name);
    if file.starts_with("hw_counters/") {
        let mlx5 = driver.starts_with("mlx5");
        return (1, if mlx5 { Nature::Wrapping32 } else { Nature::Wide });
    }
    let unit = if driver.starts_with("hfi1") { 8 } else { 4 };
    // Only ports with the extended set have these files; without it data counters are 32 bits.
    let extended = port.counters.get("unicast_xmit_packets").is_some();
    let wide = extended || file.starts_with("counters_ext/");
    (unit, if wide { Nature::Wide } else { Nature::Saturating(MAX32) })
}

/// The netdev's rate where it says more than the port's.
///
/// On InfiniBand IP is inside the port counters, so it only stands in where there are none. On
/// Ethernet RDMA and IP are counted apart (mlx5 counters.rst), except that a representor's
/// statistics hold both: the larger of the two is never too much.
fn netdev_instead(
    rail: &Rail,
    source: Option<FlowSource>,
    port: &Figure,
    ip: &Figure,
) -> Option<Figure> {
    let rdma = rail.rdma.as_ref();
    let ethernet = rdma.is_some_and(RailRdma::is_ethernet);
    let software = rdma
        .and_then(|r| r.device_attrs.driver.as_deref().ok())
        .is_some_and(|d| matches!(d, "rxe" | "siw"));
    let kind = rail.netdev.as_ref().and_then(|n| n.kind.as_ref().ok().copied());
    match source {
        None if rdma.is_some() && !software => {
            let words = if kind == Some(INFINIBAND) || !ethernet {
                "IP only: the port has no byte counter"
            } else {
                "without RDMA: the port has no byte counter"
            };
            Some(estimate(ip, words))
        }
        None => Some(ip.clone()),
        Some(_) if ethernet => {
            let ip_rate = ip.ok()?;
            match port.ok() {
                Some(port_rate) if ip_rate > port_rate => {
                    Some(estimate(ip, "RDMA traffic is counted apart"))
                }
                None if !is_first(port) => Some(estimate(ip, "without RDMA")),
                _ => None,
            }
        }
        Some(_) => None,
    }
}

fn is_first(figure: &Figure) -> bool {
    matches!(&figure.value, Err(u) if u.why == Why::FirstSample || u.why == Why::Reset)
}

fn estimate(figure: &Figure, words: &str) -> Figure {
    match figure.qualified {
        None if figure.value.is_ok() => figure.clone().qualified(How::Estimate, words),
        _ => figure.clone(),
    }
}

/// Rate ÷ ceiling; means nothing unless the link is up.
pub(super) fn utilisation(rail: &Rail, rate: &Figure) -> Figure {
    match super::grouping::alive(rail) {
        Some(true) => {}
        Some(false) => return Fact::unknown(Why::Inactive, "the link is down"),
        None => return Fact::unknown(Why::Inactive, "the state of the link is not known"),
    }
    let usable = &rail.limits.ceiling_bits_per_second;
    match (&rate.value, &usable.value) {
        (Ok(bytes), Ok(bits)) if *bits > 0.0 => Fact {
            value: Ok(bytes * 8.0 / bits),
            qualified: rate.qualified.clone().or_else(|| usable.qualified.clone()),
        },
        (Err(unknown), _) | (_, Err(unknown)) => Err(unknown.clone()).into(),
        _ => Fact::unknown(Why::Absent, "no link rate"),
    }
}

/// A flow of which nothing is known.
pub(super) fn silent(why: &Unknown) -> Flow {
    let unknown = || Fact::from(Err(why.clone()));
    Flow {
        bytes_per_second: unknown(),
        source: None,
        ip_bytes_per_second: unknown(),
        utilisation_ratio: unknown(),
        share_ratio: unknown(),
        total_bytes: 0,
    }
}

/// The flow of a rail that is not there: unknown, its total stays.
pub(super) fn silence(flow: &mut Flow, why: &Unknown) {
    *flow = Flow { total_bytes: flow.total_bytes, ..silent(why) };
}

/// The rate of a figure for a chart; what is too old is a gap.
pub(super) fn charted(figure: &Figure) -> Option<f32> {
    let stale = figure.qualified.as_ref().is_some_and(|q| q.how == How::Stale);
    figure.ok().filter(|_| !stale).map(|rate| *rate as f32)
}

/// Time of the newest byte counter of a rail in a sample.
pub(super) fn read_at(track: &Track, sample: &Sample) -> Option<Mono> {
    let slot = track.slot.as_ref()?;
    let port = port_of(sample, slot).and_then(|(_, p)| p.data.rx.first().map(|c| c.at));
    let net = || slot.iface.and_then(|i| i.of(sample).0).map(|n| n.stats.rx_bytes.at);
    port.or_else(net)
}

/// When the PCIe links of a rail were read last, where that is known.
pub(super) fn links_read_at(track: &Track, sample: &Sample) -> Option<Mono> {
    port_of(sample, track.slot.as_ref()?).map(|(device, _)| device.attrs_at)
}
