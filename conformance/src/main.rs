//! Judges a varlink endpoint.

use std::process::ExitCode;

use clap::Parser;
use varlink_conformance::cli::Arguments;

fn main() -> ExitCode {
    ExitCode::from(Arguments::parse().run())
}
