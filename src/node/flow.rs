//! One direction of traffic: rate, utilisation, share, history.

use super::Figure;
use crate::sample::Mono;
use std::collections::VecDeque;

/// Where a byte rate comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowSource {
    /// `counters/port_{rcv,xmit}_data`: RDMA and IPoIB.
    Port,
    /// `hw_counters/*bytes`.
    HwCounters,
    /// `statistics/*` of the netdev: on an InfiniBand rail IP traffic only.
    Netdev,
}

impl FlowSource {
    /// The word of the machine contract.
    pub fn word(self) -> &'static str {
        match self {
            FlowSource::Port => "port",
            FlowSource::HwCounters => "hw_counters",
            FlowSource::Netdev => "netdev",
        }
    }
}

/// One direction of a rail.
#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    /// The rate, bytes per second.
    pub bytes_per_second: Figure,
    /// Where it comes from; `None` when there is no source at all.
    pub source: Option<FlowSource>,
    /// Rate of the netdev's own statistics: what of it is IP.
    pub ip_bytes_per_second: Figure,
    /// Rate ÷ usable rate of the link, 0…1; unknown unless the port is ACTIVE.
    pub utilisation_ratio: Figure,
    /// Share of the group's traffic, 0…1; unknown below the floor.
    pub share_ratio: Figure,
    /// Bytes since railtop saw the rail first, over all intervals that could be measured.
    pub total_bytes: u64,
}

/// What a rail did, for sparklines and charts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// Oldest first, bounded to [`History::KEEP`].
    pub points: VecDeque<HistoryPoint>,
}

impl History {
    /// Points kept: ten minutes at one second.
    pub const KEEP: usize = 600;

    /// Adds a point and drops the oldest beyond the bound.
    pub fn push(&mut self, point: HistoryPoint) {
        if self.points.len() >= Self::KEEP {
            self.points.pop_front();
        }
        self.points.push_back(point);
    }
}

/// One interval of a rail's history. `None`: not known then.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HistoryPoint {
    /// End of the interval.
    pub at: Mono,
    /// Received, bytes per second.
    pub rx: Option<f32>,
    /// Sent, bytes per second.
    pub tx: Option<f32>,
}
