//! Which NIs LNet would make from `networks=` and `ip2nets=` strings and YAML rules.
//!
//! Three engines read such rules: the kernel for the two module parameters (and for
//! `lnetctl net add --ip2net`), `lnetctl import` for the `ip2nets:` section of a YAML file. They
//! differ from each other and from version to version; each is followed here to the letter, for
//! its oddities are what brings a node up with one rail where two were meant. Sources:
//! `lnet/lnet/config.c`, `lnet/lnet/nidstrings.c`, `libcfs/libcfs/libcfs_string.c`,
//! `lnet/utils/lnetconfig/liblnetconfig.c` of lustre-release 2.10 to 2.17.

pub mod error;
pub mod expr;
pub mod host;
pub mod judge;
pub mod kernel;
pub mod net;
pub mod networks;
pub mod outcome;
pub mod start;
pub mod surprise;
pub mod version;
pub mod yaml;

pub use error::Error;
pub use host::Host;
pub use net::Net;
pub use outcome::{Engine, Ni, Outcome, Rule, Verdict};
pub use surprise::Surprise;
pub use version::{Numbers, Version, YamlRules};

use super::config::Conf;
use expr::List;

/// Rules, by who reads them.
#[derive(Clone, Debug, PartialEq)]
pub enum Rules {
    /// `ip2nets=`.
    Ip2nets(String),
    /// `networks=`; empty is as if nothing was set.
    Networks(String),
    /// Both at once, which LNet refuses.
    Both {
        /// `networks=`.
        networks: String,
        /// `ip2nets=`.
        ip2nets: String,
    },
    /// A file for `lnetctl import`.
    Yaml(Conf),
}

/// What LNet would do with rules on a host, with the surprises.
pub fn explain(rules: &Rules, host: &Host, context: &Context) -> Outcome {
    let mut out = match rules {
        Rules::Ip2nets(text) => kernel::boot(text.as_bytes(), host, context),
        Rules::Networks(text) => networks::boot(text.as_bytes(), host, context),
        Rules::Both { .. } => both(context.version),
        Rules::Yaml(conf) => yaml::import(conf, host, context),
    };
    judge::judge(&mut out, rules, host, context);
    out
}

/// `lnet_get_networks()` of `lnet/lnet/api-ni.c`.
fn both(version: Version) -> Outcome {
    let mut out = Outcome::new(Engine::Networks, version);
    let words = "Please specify EITHER 'networks' or 'ip2nets' but not both at once";
    let error = Error::new(error::EINVAL, [words.to_owned()]);
    out.error = Some(error.and("networks string is undefined"));
    let sentence = "networks and ip2nets are both set: LNet does not start; remove one";
    out.surprise(Surprise::new("NETWORKS_AND_IP2NETS", sentence));
    out
}

/// Releases in which something else would come of the same rules, those of the same outcome
/// together, oldest first.
pub fn otherwise(
    rules: &Rules,
    host: &Host,
    context: &Context,
    here: &Outcome,
) -> Vec<(Vec<Version>, Outcome)> {
    let essence = |out: &Outcome| (out.nids(), out.error.as_ref().map(|e| (e.errno, e.crash)));
    let mut groups: Vec<(Vec<Version>, Outcome)> = Vec::new();
    for version in Version::KNOWN {
        let out = explain(rules, host, &Context { version, ..*context });
        if essence(&out) == essence(here) {
            continue;
        }
        match groups.last_mut().filter(|(_, last)| essence(last) == essence(&out)) {
            Some((versions, _)) => versions.push(version),
            None => groups.push((vec![version], out)),
        }
    }
    groups
}

/// `LNET_SINGLE_TEXTBUF_NOB`: the longest string, in bytes.
pub const TEXT_LIMIT: usize = 4096;

/// What a result depends on besides the rules and the host's interfaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// The version of Lustre.
    pub version: Version,
    /// Number of CPU partitions (`/sys/kernel/debug/…/cpu_partition_table`, `cpu_npartitions`);
    /// without it, no list of partitions is called too long.
    pub cpts: Option<u32>,
}

/// More CPU partitions than any node has.
const MANY_CPTS: u32 = 1024;

impl Context {
    /// A version; the number of CPU partitions is not known.
    pub fn new(version: Version) -> Self {
        Self { version, cpts: None }
    }

    fn highest_cpt(&self) -> u32 {
        self.cpts.unwrap_or(MANY_CPTS).saturating_sub(1)
    }

    /// The partitions of a list for an NI; none for all of them.
    fn cpts(
        &self,
        net: Net,
        device: Option<&str>,
        list: Option<&List>,
    ) -> Result<Vec<u32>, Box<Error>> {
        let Some(list) = list else { return Ok(Vec::new()) };
        let there = self.cpts.unwrap_or(MANY_CPTS) as usize;
        let Some(values) = list.values(there + 1) else {
            let what = "step 0 in a list of CPU partitions: the kernel divides by zero";
            return Err(Box::new(Error::crashing(what, None)));
        };
        if values.is_empty() || values.len() > there {
            let rc = if values.is_empty() { 0 } else { -error::EINVAL };
            let device = device.unwrap_or_default();
            let line = format!("Failed to set CPTs for NI {net}({device}): {rc}");
            return Err(Box::new(Error::new(error::EINVAL, [line])));
        }
        Ok(if values.len() == there { Vec::new() } else { values })
    }
}

#[cfg(test)]
mod tests;
