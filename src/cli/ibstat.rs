//! `railtop ibstat`: ibstat's own output, from sysfs.

use super::args::{Global, Ibstat};
use super::error::Failure;
use super::open;
use crate::node::SourceKind;
use crate::report::ibstat::{self, Options};
use crate::sample::{Sample, Text, Why};
use crate::source::Source;
use std::time::Duration;

/// So long a device may take for its first answer. ibstat would wait for as long as the firmware
/// does, which is a minute, and then show nothing of the others.
const PATIENCE: Duration = Duration::from_secs(10);

/// Reads the devices once, prints.
pub(super) fn run(global: &Global, options: &Ibstat) -> Result<u8, Failure> {
    if !global.rail.is_empty() || !global.exclude.is_empty() {
        return Err(Failure::Usage(
            "ibstat shows RDMA devices, not rails: name a device instead of --rail and --exclude"
                .into(),
        ));
    }
    let sample = all_read(open::source(global)?)?;
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

/// The first sample in which every device has answered: each is read on a thread of its own, and
/// the first sample does not wait for all of them.
fn all_read(mut source: Box<dyn Source>) -> Result<Sample, Failure> {
    let mut first = None;
    while let Some(sample) = source.next()? {
        let start = *first.get_or_insert(sample.time.mono);
        let late = sample.time.mono.since(start) >= PATIENCE;
        if have_answered(&sample) || late || source.kind() == SourceKind::Capture {
            return Ok(sample);
        }
    }
    Err(Failure::Usage("the capture holds no sample".into()))
}

fn have_answered(sample: &Sample) -> bool {
    let silent = |why: Why| why == Why::Timeout;
    match &sample.rdma {
        Ok(devices) => !devices
            .iter()
            .any(|d| d.attrs.node_type.as_ref().is_err_and(|unknown| silent(unknown.why))),
        Err(unknown) => !silent(unknown.why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::testing::World;
    use crate::sample::Unknown;
    use crate::source::{Pace, SourceError};
    use std::sync::Arc;

    struct Samples(Vec<Sample>);

    impl Source for Samples {
        fn next(&mut self) -> Result<Option<Sample>, SourceError> {
            Ok((!self.0.is_empty()).then(|| self.0.remove(0)))
        }
        fn kind(&self) -> SourceKind {
            SourceKind::Live
        }
        fn label(&self) -> String {
            "live".into()
        }
        fn pace(&self) -> Arc<Pace> {
            Pace::new(Duration::from_secs(1))
        }
    }

    #[test]
    fn every_device_is_waited_for_and_none_for_ever() {
        let whole = World::rails(2);
        let mut half = whole.clone();
        let silent = Err(Unknown::new(Why::Timeout, "the first read has not returned"));
        half.rdma.as_mut().unwrap()[1].ports.clear();
        Arc::make_mut(&mut half.rdma.as_mut().unwrap()[1].attrs).node_type = silent;
        let samples = |list: &[Sample]| Box::new(Samples(list.to_vec()));
        let read = all_read(samples(&[half.at_ms(0), half.at_ms(50), whole.at_ms(90)])).unwrap();
        assert_eq!(read.time.mono, whole.at_ms(90).time.mono);
        let read = all_read(samples(&[half.at_ms(0), half.at_ms(11_000), whole.at_ms(12_000)]));
        assert_eq!(read.unwrap().time.mono, half.at_ms(11_000).time.mono);
    }
}
