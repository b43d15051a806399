//! The command line: what a user asks for, and the exit code that answers.

mod call;
mod check;
mod coverage;
mod failure;
mod list;
mod run;
mod show;
mod signals;

use std::io::{self, Write};

use clap::{Parser, Subcommand, ValueEnum};

use self::failure::Failure;
use crate::{
    runner::{self, Filter},
    scenario::suite::{NAMES, Suite},
};

/// Judges a varlink endpoint: where does it depart from the specification?
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// When to use colours.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    color: Color,
}

const EXIT_CODES: &str = "\
Exit codes of `run`:
  0    the endpoint conforms
  1    it does not: a failure or a timeout at or above the gate level
  2    wrong usage, or a mistake in a scenario file; nothing ran
  3    the endpoint does not answer, or the suite itself could not test
  4    nothing ran
  130  interrupted; everything was cleaned up";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run scenarios against an endpoint.
    Run(Box<run::Run>),
    /// List scenarios.
    List(list::List),
    /// Show a scenario and the requirements that it holds.
    Show(show::Show),
    /// Look for mistakes in scenario files.
    Check(check::Check),
    /// Say for each requirement which scenario holds it.
    Coverage(coverage::CoverageTable),
    /// Call a method.
    Call(call::MethodCall),
    /// Write the probe image to standard output, as a tar for `ImportImage`.
    Image,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Color {
    /// On a terminal.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Arguments {
    /// Does what is asked; returns the exit code.
    pub fn run(self) -> u8 {
        match self.color {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        }
        .write_global();
        let done = match self.command {
            Command::Run(command) => command.run(),
            Command::List(command) => command.run(&mut anstream::stdout()),
            Command::Show(command) => command.run(&mut anstream::stdout()),
            Command::Check(command) => command.run(&mut anstream::stdout()),
            Command::Coverage(command) => command.run(&mut anstream::stdout()),
            Command::Call(command) => command.run(&mut anstream::stdout()),
            Command::Image => image(),
        };
        done.unwrap_or_else(|failure| failure.report())
    }
}

fn image() -> Result<u8, Failure> {
    runner::write_tar(io::stdout().lock()).map_err(Failure::Output)?;
    Ok(0)
}

/// The suites of these names; without names, all that ship.
fn suites(names: &[String]) -> Result<Vec<Suite>, Failure> {
    let shipped = || NAMES.iter().map(|name| Ok(Suite::shipped(name)?)).collect();
    if names.is_empty() {
        shipped()
    } else {
        names.iter().map(|name| Ok(Suite::find(name)?)).collect()
    }
}

fn filters(texts: &[String]) -> Result<Vec<Filter>, Failure> {
    let parse = |text: &String| {
        Filter::parse(text).map_err(|why| Failure::Usage(format!("--filter {text:?}: {why}")))
    };
    texts.iter().map(parse).collect()
}

/// A line of output; a closed pipe ends the program like any other output that cannot be written.
fn say(out: &mut dyn Write, line: impl std::fmt::Display) -> Result<(), Failure> {
    writeln!(out, "{line}").map_err(Failure::Output)
}
