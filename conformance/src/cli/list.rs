//! `list`: ids, levels and titles.

use std::io::Write;

use clap::Args;

use super::{failure::Failure, filters, say, suites};
use crate::runner;

/// List scenarios.
#[derive(Debug, Args)]
pub(super) struct List {
    /// A suite: varlink, podman, a folder or a file [default: all that ship]
    #[arg(long = "suite", value_name = "NAME|DIR")]
    suites: Vec<String>,
    /// Only scenarios whose id matches
    #[arg(long = "filter", value_name = "GLOB")]
    filters: Vec<String>,
}

impl List {
    pub(super) fn run(&self, out: &mut dyn Write) -> Result<u8, Failure> {
        let suites = suites(&self.suites)?;
        let units: Vec<_> = runner::choose(&suites, &filters(&self.filters)?).collect();
        let width = units.iter().map(|unit| unit.id.chars().count()).max();
        let Some(width) = width else {
            return Err(Failure::Nothing("no scenario matches".to_owned()));
        };
        for unit in units {
            let (level, title) = (unit.scenario.level.to_string(), &unit.scenario.title);
            say(out, format_args!("{:width$}  {level:6}  {title}", unit.id))?;
        }
        Ok(0)
    }
}
