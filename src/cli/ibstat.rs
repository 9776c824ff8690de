//! `railtop ibstat`: ibstat's own output, from sysfs.

use super::args::{Global, Ibstat};
use super::error::Failure;
use super::open;
use crate::report::ibstat::{self, Options};
use crate::sample::Text;

/// Reads the devices once, prints.
pub(super) fn run(global: &Global, options: &Ibstat) -> Result<u8, Failure> {
    if !global.rail.is_empty() || !global.exclude.is_empty() {
        return Err(Failure::Usage(
            "ibstat shows RDMA devices, not rails: name a device instead of --rail and --exclude"
                .into(),
        ));
    }
    let mut source = open::source(global)?;
    let Some(sample) = source.next()? else {
        return Err(Failure::Usage("the capture holds no sample".into()));
    };
    let options = Options {
        list: options.list,
        short: options.short,
        ports: options.ports,
        device: options.device.as_deref(),
        port: options.port,
    };
    let output = ibstat::print(&sample, &options);
    super::print(&output.text)?;
    if output.failures.is_empty() {
        return Ok(0);
    }
    Err(Failure::As(Text::new(&output.failures.join("; ")), ibstat::FAILED))
}
