//! Which source the options name.

use super::args::Global;
use super::error::Failure;
use crate::read::root::Root;
use crate::report::event_log::EventLog;
use crate::sample::Text;
use crate::source::Source;
use crate::source::capture::Capture;
use crate::source::demo::Demo;
use crate::source::live::{Live, LiveOptions};
use std::path::Path;

/// Opens it.
pub(super) fn source(global: &Global) -> Result<Box<dyn Source>, Failure> {
    if global.from.is_some() && global.demo.is_some() {
        // Before and after the subcommand: clap does not see that conflict.
        return Err(Failure::Usage("--from and --demo exclude each other: give one".into()));
    }
    if let Some(path) = &global.from {
        readable(path)?;
        return Ok(Box::new(Capture::open(path)?));
    }
    if let Some(scenario) = &global.demo {
        return Ok(Box::new(Demo::open(scenario, global.interval)?));
    }
    let options = LiveOptions {
        root: Root::new(&global.root),
        interval: global.interval,
        lnetctl: global.lnetctl.clone(),
        sudo: global.sudo,
    };
    Ok(Box::new(Live::start(options)?))
}

/// The same for a single report.
pub(super) fn for_report(global: &Global) -> Result<Box<dyn Source>, Failure> {
    match (&global.from, &global.demo) {
        (None, Some(scenario)) => Ok(Box::new(Demo::for_report(scenario, global.interval)?)),
        _ => source(global),
    }
}

/// The event log, if one is asked for.
pub(super) fn log(global: &Global) -> Result<Option<EventLog>, Failure> {
    let Some(path) = &global.log else { return Ok(None) };
    let refused = |e| Failure::Usage(Text::new(&format!("--log {}: {e}", path.display())));
    EventLog::open(path).map(Some).map_err(refused)
}

/// A directory that can be listed, or a file that can be opened.
fn readable(path: &Path) -> Result<(), Failure> {
    let tried = match std::fs::metadata(path) {
        Ok(meta) if meta.is_dir() => std::fs::read_dir(path).map(drop),
        Ok(_) => std::fs::File::open(path).map(drop),
        Err(e) => Err(e),
    };
    tried.map_err(|e| {
        let shown = path.display();
        let mend = "give a capture directory or its .tar.zst";
        Failure::Usage(Text::new(&format!("--from {shown}: {e}; {mend}")))
    })
}
