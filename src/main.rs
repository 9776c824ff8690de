//! The thin binary.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    railtop::cli::main(std::env::args_os()).into()
}
