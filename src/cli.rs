//! The command line.
//!
//! [`main`] parses, opens the source, runs one command and turns whatever went wrong into one
//! line on stderr and an exit code: 64 for what the user asked wrongly (`EX_USAGE` of
//! sysexits.h), 1 for the rest.

mod args;
mod check;
mod config;
mod error;
mod expect;
mod explain;
mod fix;
mod ibstat;
mod ip2nets;
mod open;
mod path;
mod peers;
mod rails;
mod run;
mod stream;
mod why;

use crate::read::root::Root;
use crate::sample::Text;
use crate::source::capture::{self, Summary};
use crate::tui;
use args::{Args, Command, Global};
use error::Failure;
use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};

/// Runs the program and returns its exit code.
pub fn main(args: impl IntoIterator<Item = OsString>) -> u8 {
    match args::parse(args::settle_demo(args)) {
        Ok(args) => finish(run(args)),
        Err(e) if e.use_stderr() => finish(Err(error::usage_of(&e))),
        Err(help) => finish(print(&help.render().to_string())),
    }
}

fn finish(result: Result<u8, Failure>) -> u8 {
    match result {
        Ok(code) => code,
        // The reader of the pipe has seen enough.
        Err(Failure::Pipe) => 0,
        Err(failure) => {
            // Nothing can be told if stderr is gone too.
            let _ = writeln!(io::stderr().lock(), "railtop: {failure}");
            failure.code()
        }
    }
}

fn run(args: Args) -> Result<u8, Failure> {
    let Args { command, global } = args;
    let given = global.given();
    let loaded = config::load(&global)?;
    let mut global = global.settled(&loaded.config);
    // Learning a node needs no manifest, and must not fail for want of one.
    if let Some(file) = global.in_force.expect.as_deref().filter(|_| judges(command.as_ref())) {
        global.expected = Some(expect::read(&global, file)?);
    }
    match command {
        None => dashboard(&global),
        Some(Command::Check(options)) => check::run(&global, &options),
        Some(Command::Fix(options)) => fix::run(&global, &options),
        Some(Command::Path(options)) => path::run(&global, &options),
        Some(Command::Ibstat(options)) => ibstat::run(&global, &options),
        Some(Command::Ip2nets(options)) => ip2nets::run(&global, &options),
        Some(Command::Why(options)) => why::run(&global, &options),
        Some(Command::Run(options)) => run::run(&global, &options),
        Some(Command::Stream(options)) => stream::run(&global, &options),
        Some(Command::Capture(options)) => collect(&global, &options),
        Some(Command::Expect(options)) => expect::run(&global, &options),
        Some(Command::Config(_)) => config::show(&global, &loaded, &given),
        Some(Command::Explain(options)) => {
            explain::text(options.id.as_deref()).and_then(|text| print(&text))
        }
    }
}

/// Does the command compare the node with what it should be?
fn judges(command: Option<&Command>) -> bool {
    matches!(command, None | Some(Command::Check(_) | Command::Stream(_) | Command::Fix(_)))
}

fn dashboard(global: &Global) -> Result<u8, Failure> {
    if !io::stdout().is_terminal() {
        return Err(Failure::Usage(
            "stdout is not a terminal: for a pipe or a file use `railtop stream`".into(),
        ));
    }
    let source = open::source(global)?;
    let source = rails::must_match(source, global)?;
    let options = tui::Options {
        ascii: global.ascii,
        bits: global.bits,
        theme: global.in_force.theme,
        log: open::log(global)?,
    };
    Ok(tui::run(source, global.settings(), options)?)
}

fn collect(global: &Global, options: &args::Capture) -> Result<u8, Failure> {
    if global.from.is_some() || global.demo.is_some() {
        return Err(Failure::Usage("capture reads this node: leave out --from and --demo".into()));
    }
    let interval = global.interval;
    let lnetctl = global.lnetctl.as_deref();
    let root = Root::new(&global.root);
    let done =
        capture::write(&root, &options.target, options.count, interval, lnetctl, global.sudo)?;
    print(&captured(&done))
}

fn captured(done: &Summary) -> String {
    let path = Text::from_bytes(done.path.as_os_str().as_encoded_bytes());
    let Summary { samples, files, errors, .. } = done;
    let hung: Vec<String> = done
        .hung
        .iter()
        .map(|d| format!("{}: reads did not return in time\n", Text::new(d)))
        .collect();
    format!(
        "{path}: {samples} samples, {files} files, {errors} reads failed\n{}\
         look at it with: railtop --from {path}\n",
        hung.concat()
    )
}

/// A line beside the result.
fn warn(text: &str) {
    let _ = writeln!(io::stderr(), "railtop: {}", Text::new(text));
}

fn print(text: &str) -> Result<u8, Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(0)
}
