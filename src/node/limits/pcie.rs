//! The PCIe links between a function and the root.

use crate::sample::{PciFunction, PciLink, Reading, Text, Unknown, Why};

/// Speed and width of a PCIe link.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lanes {
    /// Per lane, GT/s: 2.5, 5, 8, 16, 32, 64.
    pub gigatransfers: f64,
    /// How many.
    pub lanes: u32,
}

impl Lanes {
    /// Bits per second and direction after line coding, before packet headers (5 to 9 % more):
    /// the kernel's own arithmetic (`drivers/pci/pci.h`, PCIE_SPEED2MBS_ENC).
    pub fn bits_per_second(self) -> f64 {
        let megabits = match self.gigatransfers {
            g if g < 2.0 => 0.0,
            g if g < 4.0 => 2_000.0,
            g if g < 6.0 => 4_000.0,
            g if g < 12.0 => 7_876.0,
            g if g < 24.0 => 15_753.0,
            g if g < 48.0 => 31_507.0,
            // Flits from 64 GT/s on.
            g => g * 1_000.0,
        };
        megabits * 1e6 * f64::from(self.lanes)
    }

    fn of(speed: &Reading<f64>, width: &Reading<u32>) -> Reading<Self> {
        let (gigatransfers, lanes) = (speed.clone()?, width.clone()?);
        // Beyond generation 8 and x32 nothing is defined.
        if !(0.0..=256.0).contains(&gigatransfers) || !(1..=32).contains(&lanes) {
            let detail = format!("{gigatransfers} GT/s x{lanes}");
            return Err(Unknown::new(Why::Unparsable, detail));
        }
        Ok(Self { gigatransfers, lanes })
    }
}

impl std::fmt::Display for Lanes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} GT/s x{}", self.gigatransfers, self.lanes)
    }
}

/// How a link came up, measured by what both its ends can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Training {
    /// As well as both ends can.
    Full,
    /// With fewer lanes: always a fault.
    Narrower,
    /// Slower, and it stays so under load or where an equal card does better: a fault.
    Slower,
    /// Slower while idle: some platforms save power so. Judged under load.
    SlowerAtIdle,
    /// What an end can, or what the link does, is not known.
    Unknown,
}

/// One PCIe link.
#[derive(Clone, Debug, PartialEq)]
pub struct PcieLink {
    /// The device at its lower end.
    pub lower: Text,
    /// The port at its upper end, where it is known.
    pub upper: Option<Text>,
    /// What it runs at.
    pub current: Reading<Lanes>,
    /// What both ends can. A card in a slot that is slower than it is so by design.
    pub possible: Reading<Lanes>,
    /// How it came up.
    pub training: Training,
}

impl PcieLink {
    pub(super) fn is_slow(&self) -> bool {
        matches!(self.training, Training::Slower | Training::SlowerAtIdle)
    }

    fn of(lower: &PciLink, upper: Option<&PciLink>) -> Self {
        let current = Lanes::of(&lower.current_speed, &lower.current_width);
        let possible = match upper {
            None => Err(Unknown::new(Why::Absent, "the other end of the link is not known")),
            Some(upper) => {
                let ends = [lower, upper].map(|end| Lanes::of(&end.max_speed, &end.max_width));
                match ends {
                    [Ok(a), Ok(b)] => Ok(Lanes {
                        gigatransfers: a.gigatransfers.min(b.gigatransfers),
                        lanes: a.lanes.min(b.lanes),
                    }),
                    [Err(unknown), _] | [_, Err(unknown)] => Err(unknown),
                }
            }
        };
        let training = match (&current, &possible) {
            (Ok(now), Ok(can)) if now.lanes < can.lanes => Training::Narrower,
            (Ok(now), Ok(can)) if now.gigatransfers < can.gigatransfers => Training::SlowerAtIdle,
            (Ok(_), Ok(_)) => Training::Full,
            _ => Training::Unknown,
        };
        let upper = upper.map(|u| u.address.clone());
        Self { lower: lower.address.clone(), upper, current, possible, training }
    }

    /// What it carries when it is asked to.
    pub(in crate::node) fn carries(&self) -> Option<f64> {
        let lanes = match self.training {
            Training::SlowerAtIdle => &self.possible,
            _ => &self.current,
        };
        lanes.as_ref().ok().map(|l| l.bits_per_second()).filter(|bits| *bits > 0.0)
    }

    /// What it could carry by design: what both ends can, else what it does.
    fn could_carry(&self) -> Option<f64> {
        let lanes = self.possible.as_ref().or(self.current.as_ref());
        lanes.ok().map(|l| l.bits_per_second()).filter(|bits| *bits > 0.0)
    }
}

/// All PCIe links of a function, nearest first.
#[derive(Clone, Debug, PartialEq)]
pub struct PciePath {
    /// The links.
    pub links: Vec<PcieLink>,
}

impl PciePath {
    /// The files of a device tell of one link: of a function and of the upper port of a switch
    /// that of its upper side, of a root port and of the lower port of a switch that of its lower
    /// side. So the devices of a path are the ends of its links, in pairs.
    pub(super) fn of(pci: &PciFunction) -> Self {
        let mut links = Vec::new();
        let mut rest = pci.path.as_slice();
        while let [lower, above @ ..] = rest {
            let (upper, beyond) = match above.split_first() {
                Some((upper, beyond)) => (Some(upper), beyond),
                None => (None, above),
            };
            match upper {
                // Both ends of a link tell the same of it. Where they do not, the upper one is
                // made up by a hypervisor, and so is all that is above it.
                Some(upper) if !agree(lower, upper) => {
                    links.push(PcieLink::of(lower, None));
                    break;
                }
                _ => links.push(PcieLink::of(lower, upper)),
            }
            rest = beyond;
        }
        Self { links }
    }

    /// Is a link slower than both its ends can be?
    pub(super) fn is_slow(&self) -> bool {
        self.links.iter().any(PcieLink::is_slow)
    }

    /// Tells idling from faults.
    pub(super) fn judge(&mut self, under_load: bool, twin_is_faster: bool) {
        for (at, link) in self.links.iter_mut().enumerate().filter(|(_, l)| l.is_slow()) {
            let fault = under_load || twin_is_faster && at == 0;
            link.training = if fault { Training::Slower } else { Training::SlowerAtIdle };
        }
    }

    /// The narrowest link, and what it carries, bits per second and direction.
    pub fn carries(&self) -> Option<(&PcieLink, f64)> {
        self.least(PcieLink::carries)
    }

    /// The link that is the narrowest by design, and what both its ends can.
    pub fn could_carry(&self) -> Option<(&PcieLink, f64)> {
        self.least(PcieLink::could_carry)
    }

    fn least(&self, bits: impl Fn(&PcieLink) -> Option<f64>) -> Option<(&PcieLink, f64)> {
        let known = self.links.iter().filter_map(|link| Some((link, bits(link)?)));
        known.min_by(|a, b| a.1.total_cmp(&b.1))
    }
}

/// Do both devices tell the same of the link between them? One that tells nothing does not object.
fn agree(lower: &PciLink, upper: &PciLink) -> bool {
    let speeds = match (&lower.current_speed, &upper.current_speed) {
        (Ok(a), Ok(b)) => (a - b).abs() < 0.1,
        _ => true,
    };
    let widths = match (&lower.current_width, &upper.current_width) {
        (Ok(a), Ok(b)) => a == b,
        _ => true,
    };
    speeds && widths
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::testing::{absent, pci};
    use proptest::prelude::*;
    use std::sync::Arc;

    fn end(address: &str, current: (f64, u32), max: (f64, u32)) -> PciLink {
        PciLink {
            address: address.into(),
            current_speed: Ok(current.0),
            current_width: Ok(current.1),
            max_speed: Ok(max.0),
            max_width: Ok(max.1),
        }
    }

    fn path(ends: Vec<PciLink>) -> PciePath {
        let mut function = pci("0000:03:00.0", 0);
        Arc::make_mut(&mut function).path = ends;
        PciePath::of(&function)
    }

    fn gbits(found: Option<(&PcieLink, f64)>) -> Option<f64> {
        found.map(|(_, bits)| (bits / 1e7).round() / 100.0)
    }

    #[test]
    fn the_kernels_table() {
        for (gigatransfers, lanes, gigabits) in [
            (2.5, 1, 2.0),
            (2.5, 16, 32.0),
            (5.0, 8, 32.0),
            (8.0, 8, 63.008),
            (8.0, 16, 126.016),
            (16.0, 4, 63.012),
            (16.0, 16, 252.048),
            (32.0, 8, 252.056),
            (32.0, 16, 504.112),
            (64.0, 16, 1024.0),
        ] {
            let bits = Lanes { gigatransfers, lanes }.bits_per_second();
            assert!((bits / 1e9 - gigabits).abs() < 1e-6, "{gigatransfers} x{lanes}: {bits}");
        }
    }

    #[test]
    fn a_fast_card_in_a_slow_slot_is_whole() {
        let p = path(vec![
            end("0000:03:00.0", (16.0, 16), (32.0, 16)),
            end("0000:00:01.0", (16.0, 16), (16.0, 16)),
        ]);
        assert_eq!(p.links[0].training, Training::Full);
        assert_eq!((gbits(p.carries()), gbits(p.could_carry())), (Some(252.05), Some(252.05)));
    }

    #[test]
    fn fewer_lanes_than_both_ends_have() {
        let p = path(vec![
            end("0000:03:00.0", (16.0, 8), (16.0, 16)),
            end("0000:00:01.0", (16.0, 8), (16.0, 16)),
        ]);
        assert_eq!(p.links[0].training, Training::Narrower);
        assert_eq!((gbits(p.carries()), gbits(p.could_carry())), (Some(126.02), Some(252.05)));
    }

    #[test]
    fn slower_is_idle_until_shown_otherwise() {
        let mut p = path(vec![
            end("0000:03:00.0", (2.5, 16), (16.0, 16)),
            end("0000:00:01.0", (2.5, 16), (16.0, 16)),
        ]);
        assert_eq!(p.links[0].training, Training::SlowerAtIdle);
        assert_eq!(gbits(p.carries()), Some(252.05), "it will speed up");
        p.judge(true, false);
        assert_eq!((p.links[0].training, gbits(p.carries())), (Training::Slower, Some(32.0)));
        p.judge(false, false);
        assert_eq!(p.links[0].training, Training::SlowerAtIdle);
        p.judge(false, true);
        assert_eq!(p.links[0].training, Training::Slower);
    }

    #[test]
    fn a_switch_on_the_way_has_a_link_of_its_own() {
        let p = path(vec![
            end("0000:05:00.0", (16.0, 16), (16.0, 16)),
            end("0000:04:00.0", (16.0, 16), (16.0, 16)),
            end("0000:03:00.0", (8.0, 16), (16.0, 16)),
            end("0000:00:01.0", (8.0, 16), (8.0, 16)),
        ]);
        let ends: Vec<_> = p.links.iter().map(|l| (l.lower.as_str(), l.upper.as_deref())).collect();
        assert_eq!(
            ends,
            [("0000:05:00.0", Some("0000:04:00.0")), ("0000:03:00.0", Some("0000:00:01.0"))]
        );
        let (narrowest, _) = p.carries().unwrap();
        assert_eq!(
            (narrowest.lower.as_str(), narrowest.training),
            ("0000:03:00.0", Training::Full)
        );
        assert_eq!(gbits(p.carries()), Some(126.02));
    }

    #[test]
    fn a_hypervisors_root_port_says_nothing_of_the_real_slot() {
        let p = path(vec![
            end("0000:03:00.0", (16.0, 16), (32.0, 16)),
            end("0000:00:01.0", (2.5, 1), (2.5, 1)),
        ]);
        assert_eq!((p.links.len(), p.links[0].training), (1, Training::Unknown));
        assert_eq!(gbits(p.carries()), Some(252.05));
    }

    #[test]
    fn p24_files_that_are_missing_are_no_limit() {
        let none = PciLink {
            address: "0000:03:00.0".into(),
            current_speed: absent(),
            current_width: absent(),
            max_speed: absent(),
            max_width: absent(),
        };
        let p = path(vec![none.clone(), PciLink { address: "0000:00:01.0".into(), ..none }]);
        assert_eq!(p.links[0].training, Training::Unknown);
        assert_eq!((p.carries(), p.could_carry()), (None, None));
        assert_eq!(path(Vec::new()).carries(), None);
    }

    proptest! {
        #[test]
        fn no_path_carries_more_than_its_ends_can(
            ends in proptest::collection::vec((0usize..6, 0u32..33, 0usize..6, 0u32..33), 0..7),
            load: bool,
        ) {
            const SPEEDS: [f64; 6] = [2.5, 5.0, 8.0, 16.0, 32.0, 64.0];
            let ends = ends.into_iter().enumerate().map(|(n, (s, w, ms, mw))| {
                end(&format!("0000:{n:02x}:00.0"), (SPEEDS[s], w), (SPEEDS[ms], mw))
            });
            let mut p = path(ends.collect());
            p.judge(load, false);
            for link in &p.links {
                if let (Some(carries), Ok(can)) = (link.carries(), &link.possible)
                    && matches!(link.training, Training::SlowerAtIdle | Training::Narrower)
                {
                    let more = can.bits_per_second().max(link.current.clone().unwrap().bits_per_second());
                    prop_assert!(carries <= more);
                }
            }
            if let Some((_, least)) = p.carries() {
                prop_assert!(p.links.iter().filter_map(PcieLink::carries).all(|c| c >= least));
            }
        }
    }
}
