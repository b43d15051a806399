//! Serves io.projectatomic.podman.

use std::process::ExitCode;

use clap::Parser;
use podman_reference::{
    config::{Arguments, Command},
    daemon,
    engine::{supervise, with_causes},
    monitor,
};

fn main() -> ExitCode {
    // Before all else: what monitors are forked from is small.
    let mut words = std::env::args_os().skip(1);
    if words.next().is_some_and(|word| word == monitor::SUBCOMMAND) {
        drop(words);
        return supervise::run_monitors();
    }
    let arguments = Arguments::parse();
    start_log();
    let done = match arguments.command {
        Command::Serve(options) => daemon::serve(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("podman-reference: {}", with_causes(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

/// To standard error; RUST_LOG says how much.
fn start_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(filter.unwrap_or_else(|_| "info".into()))
        .init();
}
