//! Options of every command.

use super::DEMO;
use crate::check;
use crate::config::Config;
use crate::node::{Policy, Settings};
use crate::pattern;
use crate::source::interval;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

const USUAL_INTERVAL: Duration = Duration::from_secs(1);

/// Options of every command, before or after its name.
#[derive(Clone, Debug, clap::Args)]
pub(in super::super) struct Global {
    /// A capture directory or .tar.zst instead of this node
    #[arg(long, global = true, value_name = "PATH", conflicts_with = "demo")]
    pub(in super::super) from: Option<PathBuf>,
    /// A simulated node: balanced (if no name is given), dead-rail, one-subnet, bad-cable, no-sm,
    /// lnet-numa-idle, lnet-health-low
    #[arg(long, global = true, value_name = "SCENARIO", num_args = 0..=1, default_missing_value = DEMO)]
    pub(in super::super) demo: Option<String>,
    /// Time between samples: 500ms, 2s; a bare number is seconds; 50ms to 1h [default: 1s]
    #[arg(
        long = "interval", short = 'i', global = true, value_name = "TIME",
        value_parser = interval::parse, allow_negative_numbers = true
    )]
    pub(in super::super) asked_interval: Option<Duration>,
    /// The interval in force.
    #[arg(skip = USUAL_INTERVAL)]
    pub(in super::super) interval: Duration,
    /// Only rails whose rail, interface or RDMA name matches; may be given again, or with commas
    #[arg(long, global = true, value_name = "GLOB", value_delimiter = ',', value_parser = glob)]
    pub(in super::super) rail: Vec<String>,
    /// Leave out rails that match
    #[arg(long, global = true, value_name = "GLOB", value_delimiter = ',', value_parser = glob)]
    pub(in super::super) exclude: Vec<String>,
    /// The lnetctl to ask
    #[arg(long, global = true, value_name = "PATH", env = "RAILTOP_LNETCTL")]
    pub(in super::super) lnetctl: Option<PathBuf>,
    /// Ask LNet through `sudo -n lnetctl …`; where that is denied, `railtop check` prints the
    /// line of sudoers that allows it
    #[arg(long, global = true)]
    pub(in super::super) sudo: bool,
    /// This configuration file instead of the usual ones
    #[arg(long, global = true, value_name = "FILE", env = "RAILTOP_CONFIG")]
    pub(in super::super) config: Option<PathBuf>,
    /// Append events to this file as JSON lines, beside the dashboard or the stream
    #[arg(long, global = true, value_name = "FILE")]
    pub(in super::super) log: Option<PathBuf>,
    /// Where this node's / is mounted, in a container that has it elsewhere; netlink answers for
    /// the network namespace that railtop runs in
    #[arg(long, global = true, value_name = "DIR", default_value = "/")]
    pub(in super::super) root: PathBuf,
    /// No characters beyond ASCII on the screen
    #[arg(long, global = true)]
    pub(in super::super) ascii: bool,
    /// Bits instead of bytes
    #[arg(long, global = true)]
    pub(in super::super) bits: bool,
    /// What the node should be.
    #[arg(skip)]
    pub(in super::super) expected: Option<Arc<crate::expect::Manifest>>,
    /// Ids of the only findings that count.
    #[arg(skip)]
    pub(in super::super) only: Vec<String>,
    /// What files and options say together.
    #[arg(skip)]
    pub(in super::super) in_force: Config,
}

impl Global {
    /// Lays the options over what the files say.
    pub(in super::super) fn settled(mut self, files: &Config) -> Self {
        let mut config = files.clone();
        config.interval = self.asked_interval.or(config.interval);
        if !self.rail.is_empty() {
            config.rails.clone_from(&self.rail);
        }
        if !self.exclude.is_empty() {
            config.exclude.clone_from(&self.exclude);
        }
        config.lnetctl = self.lnetctl.take().or(config.lnetctl);
        config.ascii |= self.ascii;
        config.bits |= self.bits;
        self.interval = config.interval.unwrap_or(USUAL_INTERVAL);
        self.lnetctl.clone_from(&config.lnetctl);
        self.ascii = config.ascii;
        self.bits = config.bits;
        self.in_force = config;
        self
    }

    /// Keys of the configuration that the command line decides.
    pub(in super::super) fn given(&self) -> Vec<&'static str> {
        let decided = [
            ("interval", self.asked_interval.is_some()),
            ("rails", !self.rail.is_empty()),
            ("exclude", !self.exclude.is_empty()),
            ("lnetctl", self.lnetctl.is_some()),
            ("ascii", self.ascii),
            ("bits", self.bits),
        ];
        decided.into_iter().filter(|(_, given)| *given).map(|(key, _)| key).collect()
    }

    /// What the model needs of it.
    pub(in super::super) fn settings(&self) -> Settings {
        let config = &self.in_force;
        Settings {
            include: config.rails.clone(),
            exclude: config.exclude.clone(),
            groups: config.groups(),
            names: config.rail_names(),
            peers: config.peers.clone(),
            expected: self.expected.clone(),
            policy: Arc::new(Policy { only: self.only.clone(), ..config.policy() }),
        }
    }
}

fn glob(text: &str) -> Result<String, String> {
    pattern::parse(text).map(|_| text.to_owned())
}

/// The id of a finding, however it is written.
pub(super) fn finding(text: &str) -> Result<String, String> {
    let id = text.to_ascii_uppercase();
    let known = check::entry(&id).is_some();
    if known { Ok(id) } else { Err("no such finding; railtop explain lists them".into()) }
}
