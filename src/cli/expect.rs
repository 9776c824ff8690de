//! `railtop expect`: what the node should be.

use super::args::{Check, Expect, Format, Global, Peers};
use super::check;
use super::error::Failure;
use super::{open, rails};
use crate::check::expect;
use crate::expect::Manifest;
use crate::sample::Text;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// No manifest is longer.
const LONGEST: u64 = 4 * 1024 * 1024;

/// Learns, or compares.
pub(super) fn run(global: &Global, options: &Expect) -> Result<u8, Failure> {
    if options.save {
        return save(global, options.file.as_deref());
    }
    let mut global = global.clone();
    let usual = global.in_force.expect.clone();
    let Some(file) = options.file.clone().or(usual) else {
        let mend = "name one, or set the key expect of the configuration; --save makes one";
        return Err(Failure::Usage(Text::new(&format!("no manifest: {mend}"))));
    };
    global.expected = Some(read(&global, &file)?);
    let only = expect::IDS.iter().map(|id| (*id).to_owned()).collect();
    let check = Check {
        format: if options.json { Format::Json } else { Format::Text },
        json: options.json,
        ignore: Vec::new(),
        only,
        expect: None,
        peers: Peers::default(),
    };
    check::run(&global, &check)
}

fn save(global: &Global, file: Option<&Path>) -> Result<u8, Failure> {
    let source = rails::must_match(open::source(global)?, global)?;
    let node = check::settled(source, global, &global.settings())?;
    let failed = |e: String| Failure::Failed(Text::new(&e));
    let text = Manifest::learn(&node).to_toml().map_err(failed)?;
    for gap in Manifest::gaps(&node) {
        super::warn(&gap);
    }
    let Some(path) = file else { return super::print(&text) };
    if path.exists() {
        super::warn(&format!("{} was there: what it said is replaced", path.display()));
    }
    std::fs::write(path, text).map_err(|e| failed(format!("{}: {e}", path.display())))?;
    Ok(0)
}

/// Reads a manifest.
pub(super) fn read(global: &Global, path: &Path) -> Result<Arc<Manifest>, Failure> {
    let shown = path.display();
    let wrong = |line: Option<usize>, why: &str| {
        let line = line.map_or_else(String::new, |line| format!(":{line}"));
        let mend = "see railtop expect --help";
        Failure::Usage(Text::new(&format!("manifest {shown}{line}: {why}; {mend}")))
    };
    let mut text = String::new();
    let opened = std::fs::File::open(path).and_then(|f| f.take(LONGEST).read_to_string(&mut text));
    opened.map_err(|e| wrong(None, &e.to_string()))?;
    let mut manifest = Manifest::parse(&text).map_err(|e| wrong(e.line, &e.message))?;
    rails::asked_for(global, &mut manifest);
    Ok(Arc::new(manifest))
}
