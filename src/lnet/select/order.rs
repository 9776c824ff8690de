//! The order by version.

use crate::sample::LnetNi;

/// What LNet compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Criterion {
    /// Of several nets: the health of the peer's NIs on it.
    PeerNetHealth,
    /// The priority that a UDSP rule gives to the peer's net.
    PeerNetUdsp,
    /// The health of the local NIs on it.
    NetHealth,
    /// The priority that a UDSP rule gives to the local net.
    NetUdsp,
    /// `fatal_error`: an NI without link or address only where there is no other (LU-14955).
    Fatal,
    /// `health value`: any difference decides.
    Health,
    /// The priority that a UDSP rule gives to the NI (LU-9121).
    Udsp,
    /// For memory of a GPU: how near the device is to it (LU-14798).
    Device,
    /// How near the device is to the memory of the message; below `numa_range` all are equal.
    Numa,
    /// Free transmit credits.
    Credits,
    /// The one that waited longest.
    RoundRobin,
}

impl Criterion {
    /// The word of the machine contract.
    pub fn word(self) -> &'static str {
        match self {
            Criterion::PeerNetHealth => "peer_net_health",
            Criterion::PeerNetUdsp => "peer_net_udsp",
            Criterion::NetHealth => "net_health",
            Criterion::NetUdsp => "net_udsp",
            Criterion::Fatal => "fatal_error",
            Criterion::Health => "health",
            Criterion::Udsp => "udsp",
            Criterion::Device => "device",
            Criterion::Numa => "numa",
            Criterion::Credits => "credits",
            Criterion::RoundRobin => "round_robin",
        }
    }
}

/// The order in which `lnet_get_best_ni()` compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// 2.10: distance, credits, turns.
    Distance,
    /// 2.12 to 2.14: health before that. NIs with a fatal error are skipped, but LNet does not
    /// print it.
    Health,
    /// The same in vendors' builds that print `fatal_error`.
    FatalHealth,
    /// 2.15 and later.
    Policies,
}

impl Order {
    /// Told from the keys that were printed; where there are none of health, from the version.
    pub fn of<'a>(nis: impl Iterator<Item = &'a LnetNi>, version: Option<&str>) -> Self {
        let (mut health, mut fatal, mut policies) = (false, false, false);
        for ni in nis {
            health |= ni.health.is_ok();
            fatal |= ni.fatal_error.is_ok();
            // Both came with 2.14.5x; vendors port back `fatal_error` alone.
            let new = |key: &str| key.starts_with("udsp info/") || key == "health stats/ping_count";
            policies |= ni.more.iter().any(|(key, _)| new(key));
        }
        match (policies, fatal, health) {
            (true, ..) => Order::Policies,
            (_, true, _) => Order::FatalHealth,
            (.., true) => Order::Health,
            _ => Self::of_version(version),
        }
    }

    fn of_version(version: Option<&str>) -> Self {
        match version.and_then(numbers) {
            // Development tags: 2.14.53 is what became 2.15.
            Some(version) if version >= (2, 14, 53) => Order::Policies,
            Some(version) if version >= (2, 11, 55) => Order::Health,
            _ => Order::Distance,
        }
    }

    /// What is compared, in this order.
    pub fn criteria(self) -> &'static [Criterion] {
        use Criterion::{Credits, Device, Fatal, Health, Numa, RoundRobin, Udsp};
        match self {
            Order::Distance => &[Numa, Credits, RoundRobin],
            Order::Health => &[Health, Numa, Credits, RoundRobin],
            Order::FatalHealth => &[Fatal, Health, Numa, Credits, RoundRobin],
            Order::Policies => &[Fatal, Health, Udsp, Device, Numa, Credits, RoundRobin],
        }
    }

    /// In words: whose order it is.
    pub fn words(self) -> &'static str {
        match self {
            Order::Distance => "as in 2.10",
            Order::Health | Order::FatalHealth => "as in 2.12 to 2.14",
            Order::Policies => "as in 2.15 and later",
        }
    }
}

/// The first three numbers of `2.15.8`, `lnetctl version: 2.14.0_ddn85`.
pub(crate) fn numbers(version: &str) -> Option<(u32, u32, u32)> {
    let start = version.find(|c: char| c.is_ascii_digit())?;
    let mut parts = version.get(start..)?.split('.').map(|part| {
        let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        part.get(..digits).and_then(|d| d.parse::<u32>().ok())
    });
    Some((parts.next()??, parts.next()??, parts.next().flatten().unwrap_or(0)))
}
