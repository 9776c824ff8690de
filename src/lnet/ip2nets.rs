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
pub mod kernel;
pub mod net;
pub mod networks;
pub mod surprise;
pub mod version;

pub use error::Error;
pub use net::Net;
pub use surprise::Surprise;
pub use version::{Numbers, Version, YamlRules};

use expr::List;

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
