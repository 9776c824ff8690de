//! Traffic as a function of time, and bytes as its integral.

use super::scenario::Scenario;

/// Distance of the noise's knots.
const KNOT_NANOS: u64 = 2_000_000_000;
/// Management traffic of a link that nothing uses, bytes per second.
const IDLE: f64 = 1500.0;

/// One direction of one link.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    /// Which noise.
    seed: u64,
    noise: f64,
    from: f64,
    to: f64,
    begin: u64,
    end: u64,
    /// Counter before the demo began.
    before: u64,
    /// Bytes since.
    bytes: f64,
}

impl Flow {
    /// A flow without traffic; `which` tells it from all others of the scenario.
    pub(super) fn new(scenario: &Scenario, which: u64) -> Self {
        let seed = mix(scenario.seed ^ mix(which));
        // Some hundred terabytes: a node that has been up for days.
        let before = 400_000_000_000_000 + seed % 100_000_000_000_000;
        let (from, to, begin, end, bytes) = (0.0, 0.0, 0, 0, 0.0);
        Self { seed, noise: scenario.noise, from, to, begin, end, before, bytes }
    }

    /// From now on the way to a new rate, in bytes per second.
    pub(super) fn aim(&mut self, now: u64, rate: f64, ramp: u64) {
        self.from = self.aimed(now);
        self.to = rate;
        self.begin = now;
        self.end = now + ramp;
    }

    /// The rate without noise.
    fn aimed(&self, now: u64) -> f64 {
        if now >= self.end {
            return self.to;
        }
        let part = (now - self.begin) as f64 / (self.end - self.begin) as f64;
        self.from + (self.to - self.from) * part
    }

    /// Adds what flows between two near times.
    pub(super) fn flow(&mut self, from: u64, to: u64) {
        let middle = from + (to - from) / 2;
        self.bytes += (self.rate(middle) + IDLE) * (to - from) as f64 / 1e9;
    }

    /// The rate, in bytes per second.
    pub(super) fn rate(&self, now: u64) -> f64 {
        (self.aimed(now) * (1.0 + self.noise * self.wave(now))).max(0.0)
    }

    /// The counter.
    pub(super) fn total(&self) -> u64 {
        self.before + self.bytes as u64
    }

    /// Bytes since the demo began.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes as u64
    }

    /// Noise between −1 and 1: straight lines between random knots.
    fn wave(&self, now: u64) -> f64 {
        let knot = now / KNOT_NANOS;
        let part = (now % KNOT_NANOS) as f64 / KNOT_NANOS as f64;
        let height = |k: u64| (mix(self.seed ^ mix(k)) >> 11) as f64 / (1u64 << 52) as f64 - 1.0;
        height(knot) * (1.0 - part) + height(knot + 1) * part
    }
}

/// splitmix64: every bit of the input moves every bit of the output.
pub(super) fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ramp_is_straight_and_the_sum_is_its_area() {
        let mut scenario = Scenario::parse(crate::source::demo::SCENARIOS[0].1).unwrap();
        scenario.noise = 0.0;
        let mut flow = Flow::new(&scenario, 1);
        flow.aim(0, 1e9, 2_000_000_000);
        for i in 0..40 {
            flow.flow(i * 100_000_000, (i + 1) * 100_000_000);
        }
        // Two seconds at half the rate on average, two at the full rate.
        assert!((flow.bytes() as f64 - 3e9).abs() < 1e5, "{}", flow.bytes());
    }

    #[test]
    fn noise_keeps_its_bounds() {
        let flow = Flow::new(&Scenario::parse(crate::source::demo::SCENARIOS[0].1).unwrap(), 7);
        let waves: Vec<f64> = (0..2000).map(|i| flow.wave(i * 333_000_000)).collect();
        assert!(waves.iter().all(|w| (-1.0..=1.0).contains(w)));
        assert!(waves.iter().any(|w| *w > 0.5) && waves.iter().any(|w| *w < -0.5));
    }
}
