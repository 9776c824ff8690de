//! Scenarios as data: a node, and what happens to it.

use serde::Deserialize;
use std::net::Ipv4Addr;

/// A simulated node and its timeline. Times are seconds within one loop, traffic is GB/s.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scenario {
    /// One line for `--help`.
    pub(super) description: String,
    /// After that the timeline starts again; what it did to the node stays.
    pub(super) loop_seconds: f64,
    /// When a single report finds what the scenario is about; 0: at once.
    #[serde(default)]
    pub(super) report_after_seconds: f64,
    /// Of the noise.
    pub(super) seed: u64,
    /// Relative amplitude of the noise on all traffic.
    pub(super) noise: f64,
    pub(super) host: Host,
    pub(super) lnet: LnetFacts,
    #[serde(default)]
    pub(super) sysctl: Sysctl,
    #[serde(rename = "rail")]
    pub(super) rails: Vec<Rail>,
    #[serde(rename = "nic", default)]
    pub(super) nics: Vec<Nic>,
    #[serde(rename = "step", default)]
    pub(super) steps: Vec<Step>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Host {
    pub(super) name: String,
    pub(super) kernel: String,
    pub(super) cpus: u32,
    pub(super) memory_gib: u64,
    pub(super) available_gib: u64,
    pub(super) load: f64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LnetFacts {
    pub(super) version: String,
    /// Its peers are clients: it receives what they write. Otherwise it is a client itself.
    #[serde(default)]
    pub(super) server: bool,
    /// As `lnetctl set numa_range` would set it.
    #[serde(default)]
    pub(super) numa_range: u32,
    #[serde(rename = "route", default)]
    pub(super) routes: Vec<LnetRoute>,
}

/// A net behind a router.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LnetRoute {
    pub(super) net: String,
    /// NID of the router.
    pub(super) gateway: String,
}

/// What LNet remembers of the failures of an NI, from the time of a step on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Health {
    /// 0 to 1000.
    pub(super) value: u32,
    /// Messages that timed out at this step.
    #[serde(default)]
    pub(super) timeouts: u32,
    /// Failed recovery pings in a row.
    #[serde(default)]
    pub(super) ping_count: u32,
    /// Seconds until the next.
    #[serde(default)]
    pub(super) next_ping: u32,
}

/// The same on every rail; 0 elsewhere.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Sysctl {
    pub(super) rp_filter: i64,
    pub(super) arp_ignore: i64,
    pub(super) arp_announce: i64,
    pub(super) ignore_routes_with_linkdown: i64,
}

/// One InfiniBand rail: HCA port, netdev, address, NID.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rail {
    pub(super) netdev: String,
    pub(super) device: String,
    pub(super) pci: String,
    pub(super) root_port: String,
    pub(super) numa: u32,
    /// 16 hex digits.
    pub(super) guid: String,
    pub(super) lid: u32,
    /// As sysfs prints it.
    pub(super) rate: String,
    /// `address/length`.
    pub(super) address: Cidr,
    pub(super) nid: String,
    /// Own table with a route to the prefix, and a rule from the address to it.
    pub(super) table: Option<u32>,
    pub(super) rule_preference: Option<u32>,
    /// Peers with an entry in the neighbour table.
    #[serde(default)]
    pub(super) neighbours: Vec<Ipv4Addr>,
    /// State at the very beginning.
    #[serde(default)]
    pub(super) start: PortState,
    /// Factor on its traffic: no two rails are quite equal.
    #[serde(default = "one")]
    pub(super) skew: f64,
}

/// An Ethernet NIC that is no rail.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nic {
    pub(super) netdev: String,
    pub(super) pci: String,
    pub(super) root_port: String,
    pub(super) numa: u32,
    pub(super) mac: String,
    pub(super) speed_mbps: u64,
    pub(super) driver: String,
    pub(super) address: Cidr,
    pub(super) gateway: Option<Ipv4Addr>,
    pub(super) rx: f64,
    pub(super) tx: f64,
}

/// What happens at one time.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    pub(super) at: f64,
    /// Netdevs; none named is all.
    #[serde(default)]
    pub(super) rails: Vec<String>,
    pub(super) state: Option<PortState>,
    /// Traffic from the end of the ramp on.
    pub(super) rx: Option<f64>,
    pub(super) tx: Option<f64>,
    /// From now on so many bit errors a minute, …
    pub(super) symbol_errors: Option<f64>,
    /// … and so many recoveries of the link.
    pub(super) recoveries: Option<f64>,
    pub(super) health: Option<Health>,
    /// How long the way there takes.
    #[serde(default)]
    pub(super) ramp: f64,
}

/// What a port can be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PortState {
    /// ACTIVE, LinkUp.
    #[default]
    Active,
    /// ARMED, LinkUp.
    Armed,
    /// INIT, LinkUp: no subnet manager.
    Init,
    /// DOWN, Polling: no signal.
    Polling,
    /// DOWN, Disabled.
    Disabled,
}

/// An address with its prefix length.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Cidr {
    pub(super) addr: Ipv4Addr,
    pub(super) len: u8,
}

impl TryFrom<String> for Cidr {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parsed = text.split_once('/').and_then(|(addr, len)| {
            Some(Self { addr: addr.parse().ok()?, len: len.parse().ok().filter(|l| *l <= 32)? })
        });
        parsed.ok_or_else(|| format!("{text:?} is no address/length"))
    }
}

fn one() -> f64 {
    1.0
}

/// More than any rail carries.
const MAX_GBYTES: f64 = 1000.0;

/// More errors a minute than any counter needs to reach its end at once.
const MAX_ERRORS: f64 = 1e6;

impl Scenario {
    /// Understands a scenario and makes sure that it can be played.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut scenario: Self = toml::from_str(text).map_err(|e| e.to_string())?;
        scenario.steps.sort_by(|a, b| a.at.total_cmp(&b.at));
        scenario.check()?;
        Ok(scenario)
    }

    fn check(&self) -> Result<(), String> {
        if !(1.0..=86_400.0).contains(&self.loop_seconds) {
            return Err(format!("loop_seconds is {}: expected 1 to 86400", self.loop_seconds));
        }
        if !(0.0..=0.5).contains(&self.noise) {
            return Err(format!("noise is {}: expected 0 to 0.5", self.noise));
        }
        for rail in &self.rails {
            if rail.guid.len() != 16 || u64::from_str_radix(&rail.guid, 16).is_err() {
                return Err(format!("{}: guid is not 16 hex digits", rail.netdev));
            }
            if !(0.0..=2.0).contains(&rail.skew) {
                return Err(format!("{}: skew is {}", rail.netdev, rail.skew));
            }
        }
        self.steps.iter().try_for_each(|step| self.check_step(step))
    }

    fn check_step(&self, step: &Step) -> Result<(), String> {
        if !(0.0..self.loop_seconds).contains(&step.at) {
            return Err(format!("a step at {} is outside of the loop", step.at));
        }
        let flows = [step.rx, step.tx].into_iter().flatten();
        let errors = [step.symbol_errors, step.recoveries].into_iter().flatten();
        let finite = flows.into_iter().all(|f| (0.0..=MAX_GBYTES).contains(&f))
            && errors.into_iter().all(|f| (0.0..=MAX_ERRORS).contains(&f));
        if !finite || !(0.0..=self.loop_seconds).contains(&step.ramp) {
            return Err(format!("the step at {} has impossible traffic or ramp", step.at));
        }
        if step.health.is_some_and(|h| h.value > 1000 || h.ping_count > 16) {
            return Err(format!("the step at {} has an impossible health", step.at));
        }
        match step.rails.iter().find(|name| !self.rails.iter().any(|r| r.netdev == **name)) {
            Some(name) => Err(format!("the step at {} names {name}, which is no rail", step.at)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn unknown_fields_are_refused() {
        let good = crate::source::demo::SCENARIOS[0].1;
        assert!(Scenario::parse(good).is_ok());
        assert!(Scenario::parse(&format!("colour = 1\n{good}")).is_err());
        assert!(Scenario::parse(&good.replace("loop_seconds = ", "loop_seconds = -")).is_err());
    }

    proptest! {
        #[test]
        fn nothing_panics(text: String) {
            let _ = Scenario::parse(&text);
        }
    }
}
