use super::super::args::{Args, Command};
use super::*;
use crate::node::SourceKind;
use crate::read::{ipjson, lnetctl};
use crate::sample::{Mono, Sample, SampleTime, Sysctls};
use crate::source::{Pace, SourceError};
use clap::Parser;
use std::sync::Arc;
use std::time::Duration;

/// A source of that many samples in which nothing was read.
struct Samples(u64);

impl Source for Samples {
    fn next(&mut self) -> Result<Option<Sample>, SourceError> {
        if self.0 == 0 {
            return Ok(None);
        }
        self.0 -= 1;
        let time = SampleTime { wall: jiff::Timestamp::UNIX_EPOCH, mono: Mono(self.0) };
        Ok(Some(Sample {
            time,
            host: Arc::new(crate::read::host::live()),
            netdevs: Ok(Vec::new()),
            rdma: Ok(Vec::new()),
            links: Ok(Arc::default()),
            routing: Arc::new(ipjson::nothing("test")),
            sysctls: Arc::new(Sysctls::default()),
            managers: None,
            lnet: Arc::new(lnetctl::nothing()),
            notes: Vec::new(),
            cost: Vec::new(),
        }))
    }
    fn kind(&self) -> SourceKind {
        SourceKind::Demo
    }
    fn label(&self) -> String {
        "test".into()
    }
    fn pace(&self) -> Arc<Pace> {
        Pace::new(Duration::from_secs(1))
    }
}

/// A pipe whose reader goes away after that many lines.
struct Pipe {
    lines: usize,
    text: Vec<u8>,
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.lines == 0 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.text.extend(bytes);
        self.lines = self.lines.saturating_sub(lines_of(bytes));
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn lines_of(bytes: &[u8]) -> usize {
    String::from_utf8_lossy(bytes).matches('\n').count()
}

fn stream(line: &[&str], samples: u64, lines: usize) -> (Result<u8, Failure>, usize) {
    let args = Args::try_parse_from([&["railtop", "stream"], line].concat()).unwrap();
    let Some(Command::Stream(options)) = args.command else { panic!("{line:?}") };
    let mut pipe = Pipe { lines, text: Vec::new() };
    let result = write(Box::new(Samples(samples)), &args.global, &options, None, &mut pipe);
    (result, lines_of(&pipe.text))
}

#[test]
fn one_object_per_sample_until_the_end_or_the_count() {
    assert!(matches!(stream(&[], 3, usize::MAX), (Ok(0), 3)));
    assert!(matches!(stream(&["-n", "2"], 3, usize::MAX), (Ok(0), 2)));
    assert!(matches!(stream(&["-n", "5"], 3, usize::MAX), (Ok(0), 3)));
}

#[test]
fn a_closed_pipe_is_no_failure() {
    assert!(matches!(stream(&[], 9, 2), (Err(Failure::Pipe), 2)));
}

#[test]
fn figures_are_bare_numbers() {
    use crate::sample::{Fact, Why};
    assert_eq!(figure(&Fact::known(1234.56), false), "1235");
    assert_eq!(figure(&Fact::known(1.0), true), "8");
    assert_eq!(figure(&Fact::unknown(Why::FirstSample, ""), true), "-");
}
